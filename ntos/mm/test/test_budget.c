/* Budgets: a process that takes all it can leaves something for the others, and Linux's refusals
 * are statuses. */
#include "mmtest.h"

#define PAGES 49152u /* of a slot: 192 MiB */

static NTSTATUS Commit(MM_ADDRESS_SPACE *Space, char *At, SIZE_T Bytes)
{
    PVOID Base = At;

    return MmAllocateUser(Space, &Base, &Bytes, MEM_COMMIT, PAGE_READWRITE);
}

static char *Reserve(MM_ADDRESS_SPACE *Space, SIZE_T Bytes)
{
    PVOID Base = NULL;

    assert_success(MmAllocateUser(Space, &Base, &Bytes, MEM_RESERVE, PAGE_READWRITE));
    return Base;
}

static NTSTATUS Free(MM_ADDRESS_SPACE *Space, PVOID Base, SIZE_T Bytes, ULONG Type)
{
    return MmFreeUser(Space, &Base, &Bytes, Type);
}

static NTSTATUS Protect(MM_ADDRESS_SPACE *Space, PVOID Base, SIZE_T Bytes, ULONG Protection)
{
    ULONG Old;

    return MmProtectUser(Space, &Base, &Bytes, Protection, &Old);
}

/* Every other page, until the budget is used up; how many. */
static ULONG Shred(MM_ADDRESS_SPACE *Space, char *Base)
{
    ULONG Page = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    for (; Page < PAGES && NT_SUCCESS(Status); Page += 2)
        Status = Commit(Space, Base + (SIZE_T)Page * PAGE_SIZE, PAGE_SIZE);
    assert_status(Status, STATUS_NO_MEMORY);
    return Page - 2;
}

static void AShreddedSlotIsBoundedAndTheNextProcessFindsRoom(void **Unused)
{
    static MM_ADDRESS_SPACE Other;
    SIZE_T Bytes = (SIZE_T)PAGES * PAGE_SIZE;
    char *Base = Reserve(&MmTestSpace, Bytes), *Theirs;
    ULONG Last = Shred(&MmTestSpace, Base), Again;

    assert_in_range(Last, 2000, 40000);
    /* what takes less always works, and then there is room for what takes more */
    assert_success(Commit(&MmTestSpace, Base, 64 * PAGE_SIZE));
    assert_success(Free(&MmTestSpace, Base + PAGE_SIZE, PAGE_SIZE, MEM_DECOMMIT));
    assert_success(Protect(&MmTestSpace, Base + 10 * PAGE_SIZE, PAGE_SIZE, PAGE_READONLY));
    assert_success(MmCreateAddressSpace(&Other, FALSE));
    Theirs = Reserve(&Other, Bytes);
    assert_in_range(Shred(&Other, Theirs), 1000, Last);
    assert_success(Free(&MmTestSpace, Base, 0, MEM_RELEASE));
    Base = Reserve(&MmTestSpace, Bytes);
    Again = Shred(&MmTestSpace, Base);
    assert_in_range(Again, 1000, Last);
    MmCleanAddressSpace(&Other);
    MmDeleteAddressSpace(&Other);
    assert_success(Free(&MmTestSpace, Base, 0, MEM_RELEASE));
    Base = Reserve(&MmTestSpace, Bytes);
    assert_int_equal(Shred(&MmTestSpace, Base), Last);
    assert_success(Free(&MmTestSpace, Base, 0, MEM_RELEASE));
}

static void AHoleThatTheBudgetDoesNotHaveIsRefused(void **Unused)
{
    SIZE_T Bytes = (SIZE_T)PAGES * PAGE_SIZE;
    char *Base = Reserve(&MmTestSpace, Bytes);
    char *Whole = Reserve(&MmTestSpace, 4 * PAGE_SIZE), *Page = Whole + PAGE_SIZE;

    assert_success(Commit(&MmTestSpace, Whole, 4 * PAGE_SIZE));
    memset(Whole, 'x', 4 * PAGE_SIZE);
    Shred(&MmTestSpace, Base);
    assert_status(Free(&MmTestSpace, Page, PAGE_SIZE, MEM_DECOMMIT), STATUS_NO_MEMORY);
    assert_status(Protect(&MmTestSpace, Page, PAGE_SIZE, PAGE_READONLY), STATUS_NO_MEMORY);
    *Page = 'y';
    assert_int_equal(Page[1], 'x');
    assert_success(Free(&MmTestSpace, Whole, 0, MEM_RELEASE));
    assert_success(Free(&MmTestSpace, Base, 0, MEM_RELEASE));
}

static void SectionsAreBounded(void **Unused)
{
    static MM_SECTION Sections[4096];
    static MM_ADDRESS_SPACE Other;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Count = 0;

    while (Count < RTL_NUMBER_OF(Sections) && NT_SUCCESS(Status))
        Status = MmCreateSection_(&Sections[Count++], (ULONG64)1 << 32, PAGE_READWRITE, 0);
    assert_status(Status, STATUS_INSUFFICIENT_RESOURCES);
    assert_success(MmCreateAddressSpace(&Other, FALSE));
    MmCleanAddressSpace(&Other);
    MmDeleteAddressSpace(&Other);
    for (Count--; Count; Count--)
        MmDeleteSection_(&Sections[Count - 1]);
    assert_success(MmCreateSection_(&Sections[0], (ULONG64)1 << 36, PAGE_READWRITE, 0));
    MmDeleteSection_(&Sections[0]);
}

#define CUTS 80000u

/* Every mapping that Linux gives a process; freed by host_private_free. */
static char *ExhaustLinux(void)
{
    char *Region = host_private((size_t)CUTS * PAGE_SIZE);
    int Error = 0;

    for (ULONG i = 1; i < CUTS && !Error; i += 2)
        Error = host_protect(Region + (size_t)i * PAGE_SIZE, PAGE_SIZE, 0);
    assert_true(Error < 0);
    return Region;
}

static void WhatLinuxRefusesIsAStatus(void **Unused)
{
    PFN_NUMBER Frames[8], Second;
    char *Base, *Block, *Region;

    if (MM_TEST_SANITIZED || host_mapping_limit() > CUTS / 2 * 2) {
        print_message("Linux allows too many mappings to use them all up\n");
        return;
    }
    Base = Reserve(&MmTestSpace, 16 * PAGE_SIZE);
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 8 * PAGE_SIZE, 'tseT');
    memset(Block, 'b', 8 * PAGE_SIZE);
    for (ULONG i = 0; i < 8; i++)
        Frames[i] = ((PFN_NUMBER)MmGetPhysicalAddress(Block).QuadPart >> PAGE_SHIFT) + i;
    Second = Frames[4];
    assert_success(MmShareFrames(&Second, 1, FALSE, NULL, NULL));
    assert_success(Commit(&MmTestSpace, Base, 8 * PAGE_SIZE));
    memset(Base, 'x', 8 * PAGE_SIZE);
    Region = ExhaustLinux();
    assert_status(Commit(&MmTestSpace, Base + 10 * PAGE_SIZE, PAGE_SIZE), STATUS_NO_MEMORY);
    assert_status(Protect(&MmTestSpace, Base + PAGE_SIZE, PAGE_SIZE, PAGE_READONLY),
                  STATUS_NO_MEMORY);
    assert_success(Free(&MmTestSpace, Base + PAGE_SIZE, PAGE_SIZE, MEM_DECOMMIT));
    assert_false(MmIsUserRange(Base + PAGE_SIZE, 1));
    assert_status(MmShareFrames(Frames, 2, FALSE, NULL, NULL), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(MmShareFrames(Frames, 8, FALSE, NULL, NULL), STATUS_INSUFFICIENT_RESOURCES);
    MmUnshareFrames(&Second, 1);
    assert_int_equal(Block[0], 'b');
    assert_int_equal(Block[8 * PAGE_SIZE - 1], 'b');
    Base[0] = 'y';
    assert_success(Free(&MmTestSpace, Base, 0, MEM_RELEASE));
    host_private_free(Region, (size_t)CUTS * PAGE_SIZE);
    assert_success(MmShareFrames(Frames, 8, FALSE, NULL, NULL));
    MmUnshareFrames(Frames, 8);
    ExFreePoolWithTag(Block, 'tseT');
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST_USER(AShreddedSlotIsBoundedAndTheNextProcessFindsRoom),
        MM_TEST_USER(AHoleThatTheBudgetDoesNotHaveIsRefused),
        MM_TEST_USER(SectionsAreBounded),
        MM_TEST_USER(WhatLinuxRefusesIsAStatus),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
