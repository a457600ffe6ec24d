#include "nt/test/nt_test.h"

static void MemoryIsAllocatedProtectedAndFreed(void **Unused)
{
    HANDLE Process = ZwCurrentProcess();
    PVOID Base = NULL;
    SIZE_T Bytes = 3 * PAGE_SIZE - 1;
    ULONG Old;
    assert_ok(SYS(NtAllocateVirtualMemory, Process, &Base, 0, &Bytes, MEM_COMMIT | MEM_RESERVE,
                  PAGE_READWRITE));
    assert_int_equal(Bytes, 3 * PAGE_SIZE);
    memset(Base, 1, Bytes);
    assert_ok(SYS(NtProtectVirtualMemory, Process, &Base, &Bytes, PAGE_READONLY, &Old));
    assert_int_equal(Old, PAGE_READWRITE);
    Bytes = 0;
    assert_ok(SYS(NtFreeVirtualMemory, Process, &Base, &Bytes, MEM_RELEASE));
    assert_status(SYS(NtFreeVirtualMemory, Process, &Base, &Bytes, 0), STATUS_INVALID_PARAMETER_4);
    Bytes = 0;
    assert_status(
        SYS(NtAllocateVirtualMemory, Process, &Base, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE),
        STATUS_INVALID_PARAMETER_4);
}

static void MemoryDescribesItself(void **Unused)
{
    PVOID Page = NtTestPage(PAGE_READONLY);
    struct {
        PVOID Base, AllocationBase;
        ULONG AllocationProtect, Pad;
        SIZE_T Size;
        ULONG State, Protect, Type, Pad2;
    } Basic;
    SIZE_T Returned;
    assert_ok(SYS(NtQueryVirtualMemory, ZwCurrentProcess(), Page, MemoryBasicInformation, &Basic,
                  sizeof(Basic), &Returned));
    assert_int_equal(Returned, sizeof(Basic));
    assert_ptr_equal(Basic.Base, Page);
    assert_int_equal(Basic.State, MEM_COMMIT);
    assert_int_equal(Basic.Protect, PAGE_READONLY);
    assert_status(
        SYS(NtQueryVirtualMemory, ZwCurrentProcess(), Page, 77, &Basic, sizeof(Basic), &Returned),
        STATUS_INVALID_INFO_CLASS);
}

static void MemoryOfAProcessIsReadAndWritten(void **Unused)
{
    char *Page = NtTestPage(PAGE_READWRITE), Text[] = "twelve bytes";
    SIZE_T Done;
    assert_ok(SYS(NtWriteVirtualMemory, ZwCurrentProcess(), Page, Text, sizeof(Text), &Done));
    assert_int_equal(Done, sizeof(Text));
    assert_string_equal(Page, "twelve bytes");
    memset(Text, 0, sizeof(Text));
    assert_ok(SYS(NtReadVirtualMemory, ZwCurrentProcess(), Page, Text, 6, &Done));
    assert_string_equal(Text, "twelve");
    assert_true(
        NT_ERROR(SYS(NtReadVirtualMemory, ZwCurrentProcess(), NtTestGonePage(), Text, 6, &Done)));
    assert_int_equal(Done, 0);
}

static void ViewsShareTheirSection(void **Unused)
{
    LARGE_INTEGER Size = {.QuadPart = 0x20000};
    HANDLE Section, Process = ZwCurrentProcess();
    char *One = NULL, *Two = NULL;
    SIZE_T Bytes = 0;
    assert_ok(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE,
                  SEC_COMMIT, NULL));
    assert_ok(SYS(NtMapViewOfSection, Section, Process, &One, 0, 0, NULL, &Bytes, ViewShare, 0,
                  PAGE_READWRITE));
    assert_int_equal(Bytes, 0x20000);
    Bytes = 0;
    assert_ok(SYS(NtMapViewOfSection, Section, Process, &Two, 0, 0, NULL, &Bytes, ViewUnmap, 0,
                  PAGE_READONLY));
    assert_ok(SYS(NtClose, Section)); /* the views hold it */
    One[5] = 'x';
    assert_int_equal(Two[5], 'x');
    assert_ok(SYS(NtUnmapViewOfSection, Process, One));
    assert_int_equal(Two[5], 'x');
    assert_ok(SYS(NtUnmapViewOfSection, Process, Two));
    assert_status(SYS(NtUnmapViewOfSection, Process, Two), STATUS_NOT_MAPPED_VIEW);
}

static void AViewInSystemSpaceHoldsItsSection(void **Unused)
{
    LARGE_INTEGER Size = {.QuadPart = 0x20000};
    HANDLE Handle, Process = ZwCurrentProcess();
    PVOID Section, Base;
    char *Client = NULL;
    SIZE_T Bytes = 0, Large = 0x30000;
    VF_BUGCHECK Record;
    assert_ok(SYS(NtCreateSection, &Handle, SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE,
                  SEC_COMMIT, NULL));
    assert_ok(
        ObReferenceObjectByHandle(Handle, SECTION_MAP_READ, NULL, KernelMode, &Section, NULL));
    assert_ok(SYS(NtMapViewOfSection, Handle, Process, &Client, 0, 0, NULL, &Bytes, ViewUnmap, 0,
                  PAGE_READWRITE));
    Bytes = 0;
    assert_ok(MmMapViewInSystemSpace(Section, &Base, &Bytes));
    assert_int_equal(Bytes, 0x20000);
    PVOID None;
    assert_status(MmMapViewInSystemSpace(Section, &None, &Large), STATUS_INVALID_VIEW_SIZE);
    ObDereferenceObject(Section);
    assert_ok(SYS(NtClose, Handle));
    Client[9] = 's';
    assert_int_equal(((char *)Base)[9], 's');
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapViewInSystemSpace(Base);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
    assert_ok(MmUnmapViewInSystemSpace(Base));
    assert_status(MmUnmapViewInSystemSpace(Base), STATUS_NOT_MAPPED_VIEW);
    assert_ok(SYS(NtUnmapViewOfSection, Process, Client));
}

static void SectionsAreChecked(void **Unused)
{
    LARGE_INTEGER Size = {.QuadPart = 0x20000}, None = {.QuadPart = 0}, Odd = {.QuadPart = 4096};
    HANDLE Section, Process = ZwCurrentProcess(), Event = NtTestEvent(NotificationEvent, FALSE);
    SECTION_BASIC_INFORMATION Basic;
    PVOID Base = NULL;
    SIZE_T Bytes = 0;
    assert_status(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE,
                      SEC_COMMIT, NULL),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &None, PAGE_READWRITE,
                      SEC_COMMIT, NULL),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &Size,
                      PAGE_READWRITE | PAGE_READONLY, SEC_COMMIT, NULL),
                  STATUS_INVALID_PAGE_PROTECTION);
    assert_status(
        SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE, 0, NULL),
        STATUS_INVALID_PARAMETER_6);
    assert_status(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE,
                      SEC_COMMIT, Event),
                  STATUS_INVALID_FILE_FOR_SECTION);
    assert_ok(SYS(NtCreateSection, &Section, SECTION_MAP_READ | SECTION_QUERY, NULL, &Size,
                  PAGE_READWRITE, SEC_COMMIT, NULL));
    assert_status(SYS(NtMapViewOfSection, Section, Process, &Base, 0, 0, NULL, &Bytes, ViewShare, 0,
                      PAGE_READWRITE),
                  STATUS_ACCESS_DENIED);
    assert_status(SYS(NtMapViewOfSection, Section, Process, &Base, 0, 0, &Odd, &Bytes, ViewShare, 0,
                      PAGE_READONLY),
                  STATUS_MAPPED_ALIGNMENT);
    assert_status(
        SYS(NtMapViewOfSection, Section, Process, &Base, 0, 0, NULL, &Bytes, 0, 0, PAGE_READONLY),
        STATUS_INVALID_PARAMETER_8);
    assert_ok(SYS(NtQuerySection, Section, SectionBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.MaximumSize.QuadPart, 0x20000);
    assert_ok(SYS(NtClose, Section));
    assert_ok(SYS(NtClose, Event));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(MemoryIsAllocatedProtectedAndFreed), NT_TEST(MemoryDescribesItself),
        NT_TEST(MemoryOfAProcessIsReadAndWritten),   NT_TEST(ViewsShareTheirSection),
        NT_TEST(AViewInSystemSpaceHoldsItsSection),  NT_TEST(SectionsAreChecked),
    };
    return cmocka_run_group_tests_name("nt-memory", Tests, NULL, NULL);
}
