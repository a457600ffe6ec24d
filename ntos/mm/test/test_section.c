/* Sections and their views. */
#include "mmtest.h"

static ULONG Released;

static void Release(void *Context)
{
    Released++;
}

static void TwoViewsAreOneMemory(void **Unused)
{
    PVOID First = NULL, Second = NULL, System;
    SIZE_T Bytes = 0, SecondBytes = 65536, SystemBytes = 0;
    MM_SECTION Section;

    Released = 0;
    assert_success(MmCreateSection_(&Section, 200000, PAGE_READWRITE, SEC_COMMIT));
    assert_success(
        MmMapView_(&Section, &MmTestSpace, &First, 0, &Bytes, PAGE_READWRITE, Release, NULL));
    assert_int_equal(Bytes, 200704);
    assert_success(MmMapView_(&Section, &MmTestSpace, &Second, 65536, &SecondBytes, PAGE_READONLY,
                              Release, NULL));
    assert_success(MmMapSystemView_(&Section, &System, &SystemBytes));
    strcpy((char *)First + 65536, "text");
    assert_string_equal(Second, "text");
    assert_string_equal((char *)System + 65536, "text");
    assert_string_equal(MmTestClientView(Second), "text");
    strcpy(MmTestClientView((char *)First + 65536), "more");
    assert_string_equal(Second, "more");
    assert_true(host_protect(MmTestClientView(Second), 65536, HOST_READ | HOST_WRITE) < 0);
    assert_true(MmIsAddressValid(System));
    assert_int_equal(MmGetPhysicalAddress(Second).QuadPart,
                     MmGetPhysicalAddress((char *)System + 65536).QuadPart);
    assert_int_equal(Section.Views, 3);
    assert_success(MmUnmapView_(&MmTestSpace, (char *)First + 100000));
    assert_status(MmUnmapView_(&MmTestSpace, First), STATUS_NOT_MAPPED_VIEW);
    assert_int_equal(Released, 1);
    MM_SECTION *Unmapped = NULL;
    assert_success(MmUnmapSystemView_(System, &Unmapped));
    assert_ptr_equal(Unmapped, &Section);
    assert_status(MmUnmapSystemView_(System, &Unmapped), STATUS_NOT_MAPPED_VIEW);
    MmCleanAddressSpace(&MmTestSpace);
    assert_int_equal(Released, 2);
    assert_int_equal(Section.Views, 0);
    MmDeleteSection_(&Section);
}

static void BadSectionsAreRefused(void **Unused)
{
    MM_SECTION Section;

    assert_status(MmCreateSection_(&Section, 0, PAGE_READWRITE, SEC_COMMIT),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(MmCreateSection_(&Section, 1, 0, SEC_COMMIT), STATUS_INVALID_PAGE_PROTECTION);
    assert_status(MmCreateSection_(&Section, 1ull << 50, PAGE_READWRITE, SEC_COMMIT),
                  STATUS_SECTION_TOO_BIG);
}

static NTSTATUS MapAt(MM_SECTION *Section, ULONG_PTR Base, ULONG64 Offset, SIZE_T Bytes,
                      ULONG Protect)
{
    PVOID At = (PVOID)Base;

    return MmMapView_(Section, &MmTestSpace, &At, Offset, &Bytes, Protect, NULL, NULL);
}

static void BadViewsAreRefused(void **Unused)
{
    MM_SECTION Section;

    assert_success(MmCreateSection_(&Section, 100000, PAGE_READONLY, SEC_COMMIT));
    assert_status(MapAt(&Section, 0, 0, 0, PAGE_READWRITE), STATUS_SECTION_PROTECTION);
    assert_status(MapAt(&Section, 0, 0, 0, 0), STATUS_INVALID_PAGE_PROTECTION);
    assert_status(MapAt(&Section, 0, 4096, 0, PAGE_READONLY), STATUS_MAPPED_ALIGNMENT);
    assert_status(MapAt(&Section, MmTestSpace.Low + 0x4000001, 0, 0, PAGE_READONLY),
                  STATUS_MAPPED_ALIGNMENT);
    assert_status(MapAt(&Section, 0, 131072, 0, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    assert_status(MapAt(&Section, 0, 65536, 65536, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    assert_status(MapAt(&Section, MmTestSpace.Low, 0, 0, PAGE_READONLY),
                  STATUS_CONFLICTING_ADDRESSES);
    MmTestHandFailsAt = MmTestHandCalls + 1;
    assert_status(MapAt(&Section, 0, 0, 0, PAGE_READONLY), STATUS_PROCESS_IS_TERMINATING);
    assert_int_equal(Section.Views, 0);
    MmDeleteSection_(&Section);
}

static void ManySectionsComeAndGo(void **Unused)
{
    for (ULONG i = 0; i < 500; i++) {
        PVOID Base = NULL;
        SIZE_T Bytes = 0;
        MM_SECTION Section;

        assert_success(MmCreateSection_(&Section, 70000 + i * 1000, PAGE_READWRITE, SEC_COMMIT));
        assert_success(
            MmMapView_(&Section, &MmTestSpace, &Base, 0, &Bytes, PAGE_READWRITE, NULL, NULL));
        *(ULONG *)Base = i;
        assert_success(MmUnmapView_(&MmTestSpace, Base));
        MmDeleteSection_(&Section);
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST_CLIENT(TwoViewsAreOneMemory),
        MM_TEST(BadSectionsAreRefused),
        MM_TEST_CLIENT(BadViewsAreRefused),
        MM_TEST_CLIENT(ManySectionsComeAndGo),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
