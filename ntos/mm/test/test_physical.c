/* Contiguous and noncached memory, I/O space, MmCopyMemory. */
#include "mmtest.h"

#define TAG 'tseT'

static VF_BUGCHECK Record;
static const PHYSICAL_ADDRESS None = {.QuadPart = 0}, Any = {.QuadPart = -1};

static void ContiguousMemoryIsWhereItIsAskedFor(void **Unused)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0x1000000}, High = {.QuadPart = 0x1FFFFFF},
                     Boundary = {.QuadPart = 0x10000};
    void *Blocks[20];

    for (ULONG i = 0; i < 20; i++) {
        PHYSICAL_ADDRESS At;

        Blocks[i] =
            MmAllocateContiguousMemorySpecifyCache(5 * PAGE_SIZE, Low, High, Boundary, MmNonCached);
        assert_non_null(Blocks[i]);
        assert_int_equal(BYTE_OFFSET(Blocks[i]), 0);
        At = MmGetPhysicalAddress(Blocks[i]);
        assert_in_range(At.QuadPart, Low.QuadPart, High.QuadPart - 5 * PAGE_SIZE + 1);
        assert_int_equal(At.QuadPart / 0x10000, (At.QuadPart + 5 * PAGE_SIZE - 1) / 0x10000);
    }
    for (ULONG i = 0; i < 20; i++)
        MmFreeContiguousMemorySpecifyCache(Blocks[i], 5 * PAGE_SIZE, MmNonCached);
    assert_null(MmAllocateContiguousMemory((SIZE_T)1 << 30, Any));
    assert_null(MmAllocateContiguousMemory(PAGE_SIZE, None));
    assert_null(MmAllocateContiguousMemory(0, Any));
}

static void ContiguousMemoryTellsItsStatus(void **Unused)
{
    SIZE_T Bytes = 3 * PAGE_SIZE;
    PVOID Base;

    assert_success(MmAllocateContiguousMemoryEx(&Bytes, None, Any, None, MM_ANY_NODE_OK,
                                                PAGE_READWRITE, NULL, TAG, 0, &Base));
    assert_int_equal(Bytes, 3 * PAGE_SIZE);
    MmFreeContiguousMemory(Base);
    assert_status(MmAllocateContiguousMemoryEx(&Bytes, None, Any, None, MM_ANY_NODE_OK,
                                               PAGE_READONLY, NULL, TAG, 0, &Base),
                  STATUS_INVALID_PARAMETER);
    assert_status(MmAllocateContiguousMemoryEx(&Bytes, None, Any, None, MM_ANY_NODE_OK,
                                               PAGE_READWRITE, NULL, TAG, 8, &Base),
                  STATUS_INVALID_PARAMETER);
    Bytes = (SIZE_T)1 << 30;
    assert_status(MmAllocateContiguousMemoryEx(&Bytes, None, Any, None, MM_ANY_NODE_OK,
                                               PAGE_READWRITE, NULL, TAG,
                                               MM_ALLOCATE_CONTIGUOUS_MEMORY_FAST_ONLY, &Base),
                  STATUS_INSUFFICIENT_RESOURCES);
    assert_null(Base);
}

static void AMappingAddressIsWhole(void **Unused)
{
    PVOID Base = MmAllocateMappingAddressEx(PAGE_SIZE, TAG, 0);

    assert_non_null(Base);
    MmFreeMappingAddress(Base, TAG);
    assert_null(MmAllocateMappingAddressEx(PAGE_SIZE, TAG, MM_MAPPING_ADDRESS_DIVISIBLE));
}

static void FreeingOtherMemoryIsC2_60(void **Unused)
{
    void *Block = MmAllocateContiguousMemory(2 * PAGE_SIZE, Any);

    VF_EXPECT_BUGCHECK (&Record)
        MmFreeContiguousMemory((char *)Block + PAGE_SIZE);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x60, (char *)Block + PAGE_SIZE, 0, 0);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeContiguousMemorySpecifyCache(Block, 5 * PAGE_SIZE, MmCached);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x60, Block, 0, 0);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Block);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x46, Block, 0, 0);
    MmFreeContiguousMemory(Block);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeContiguousMemory(Block);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x60, Block, 0, 0);
}

static void NoncachedMemoryComesInPages(void **Unused)
{
    char *Block = MmAllocateNonCachedMemory(100);

    assert_non_null(Block);
    assert_int_equal(BYTE_OFFSET(Block), 0);
    memset(Block, 1, PAGE_SIZE);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeNonCachedMemory(Block, 3 * PAGE_SIZE);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x60, Block, 0, 0);
    MmFreeNonCachedMemory(Block, 100);
    assert_null(MmAllocateNonCachedMemory(0));
}

static void PhysicalMemoryInUseCanBeMapped(void **Unused)
{
    char *Block = MmAllocateContiguousMemory(2 * PAGE_SIZE, Any);
    PHYSICAL_ADDRESS Physical = MmGetPhysicalAddress(Block + 100);
    char *Mapped = MmMapIoSpace(Physical, PAGE_SIZE, MmCached);

    assert_non_null(Mapped);
    assert_ptr_not_equal(Mapped, Block + 100);
    strcpy(Mapped, "mapped");
    assert_string_equal(Block + 100, "mapped");
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapIoSpace(Mapped, 3 * PAGE_SIZE);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x305, Mapped, 4, 2);
    MmUnmapIoSpace(Mapped, PAGE_SIZE);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapIoSpace(Mapped, PAGE_SIZE);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x302, Mapped, 0, 0);
    Mapped = MmMapIoSpaceEx(Physical, 10, PAGE_READONLY);
    assert_string_equal(Mapped, "mapped");
    MmUnmapIoSpace(Mapped, 10);
    assert_null(MmMapIoSpaceEx(Physical, 10, PAGE_NOACCESS));
    MmFreeContiguousMemory(Block);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapIoSpace(Physical, PAGE_SIZE, MmCached);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x83, Physical.QuadPart, PAGE_SIZE,
                    Physical.QuadPart >> PAGE_SHIFT);
}

static void WhereNothingIsAllOnesAreRead(void **Unused)
{
    PHYSICAL_ADDRESS Nothing = {.QuadPart = 0xFED00010}, Far = {.QuadPart = 1ll << 46};
    ULONG *Mapped = MmMapIoSpace(Nothing, 3 << 20, MmNonCached), *Other;

    assert_non_null(Mapped);
    assert_int_equal(BYTE_OFFSET(Mapped), 0x10);
    assert_int_equal(Mapped[0], MAXULONG);
    assert_int_equal(Mapped[(3 << 20) / 4 - 1], MAXULONG);
    assert_int_equal(MmGetPhysicalAddress(Mapped).QuadPart, Nothing.QuadPart);
    Mapped[0] = 0;
    Other = MmMapIoSpace(Far, PAGE_SIZE, MmNonCached);
    assert_int_equal(Other[4], MAXULONG);
    MmUnmapIoSpace(Mapped, 3 << 20);
    MmUnmapIoSpace(Other, PAGE_SIZE);
    Mapped = MmMapIoSpace(Nothing, 4, MmNonCached);
    assert_int_equal(Mapped[0], MAXULONG);
    MmUnmapIoSpace(Mapped, 4);
}

static void MemoryOfADeviceIsTheSameForAllWhoMapIt(void **Unused)
{
    PHYSICAL_ADDRESS Device = {.QuadPart = 0xFE000000}, High = {.QuadPart = 1ll << 40};
    ULONG *First, *Second;

    assert_success(MmAddDeviceMemory(Device.QuadPart, 2 * PAGE_SIZE));
    assert_success(MmAddDeviceMemory(High.QuadPart, 100));
    First = MmMapIoSpace(Device, 3 * PAGE_SIZE, MmNonCached);
    Second = MmMapIoSpace(Device, PAGE_SIZE, MmNonCached);
    assert_int_equal(First[7], 0);
    First[7] = 77;
    assert_int_equal(Second[7], 77);
    assert_int_equal(First[2 * PAGE_SIZE / 4], MAXULONG); /* behind its end */
    MmUnmapIoSpace(First, 3 * PAGE_SIZE);
    MmUnmapIoSpace(Second, PAGE_SIZE);
}

static void ADeviceCannotBeWhereSomethingElseIs(void **Unused)
{
    assert_success(MmAddDeviceMemory(0xFE000000, PAGE_SIZE));
    assert_status(MmAddDeviceMemory(0xFE000FF0, 32), STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAddDeviceMemory(0xFFFFF000, 2 * PAGE_SIZE), STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAddDeviceMemory(0x100000, PAGE_SIZE), STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAddDeviceMemory(0x200000000, PAGE_SIZE), STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAddDeviceMemory(1ull << 40, 0), STATUS_CONFLICTING_ADDRESSES);
}

static void WhatIsNoAddressCannotBeMapped(void **Unused)
{
    assert_null(MmMapIoSpace(Any, PAGE_SIZE, MmNonCached));
    assert_null(MmMapIoSpace(None, 0, MmNonCached));
}

static void CopyMemoryNeverFaults(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 2 * PAGE_SIZE, TAG), Target[2 * PAGE_SIZE];
    PHYSICAL_ADDRESS Physical = MmGetPhysicalAddress(Block);
    MM_COPY_ADDRESS Source = {.VirtualAddress = Block + 10};
    SIZE_T Done;

    memset(Block, 'k', 2 * PAGE_SIZE);
    assert_success(MmCopyMemory(Target, Source, 5000, MM_COPY_MEMORY_VIRTUAL, &Done));
    assert_int_equal(Done, 5000);
    assert_int_equal(Target[4999], 'k');
    Source.PhysicalAddress = Physical;
    assert_success(MmCopyMemory(Target, Source, 5000, MM_COPY_MEMORY_PHYSICAL, &Done));
    assert_int_equal(Done, 5000);
    assert_status(MmCopyMemory(Target, Source, 1, 0, &Done), STATUS_INVALID_PARAMETER_4);
    assert_status(MmCopyMemory(Target, Source, 1, 3, &Done), STATUS_INVALID_PARAMETER_4);
    Source.VirtualAddress = (PVOID)0x600000000000;
    assert_status(MmCopyMemory(Target, Source, 8, MM_COPY_MEMORY_VIRTUAL, &Done),
                  STATUS_ACCESS_VIOLATION);
    assert_int_equal(Done, 0);
    Source.VirtualAddress = (PVOID)0xFFFF800000000000;
    assert_status(MmCopyMemory(Target, Source, 8, MM_COPY_MEMORY_VIRTUAL, &Done),
                  STATUS_ACCESS_VIOLATION);
    Source.PhysicalAddress.QuadPart = 0x7FFFFFFFF000;
    assert_status(MmCopyMemory(Target, Source, 8, MM_COPY_MEMORY_PHYSICAL, &Done),
                  STATUS_INVALID_ADDRESS);
    ExFreePool(Block);
    Source.VirtualAddress = Block;
    assert_status(MmCopyMemory(Target, Source, 8, MM_COPY_MEMORY_VIRTUAL, &Done),
                  STATUS_ACCESS_VIOLATION);
}

static void ACopyThatEndsEarlyIsCounted(void **Unused)
{
    MM_COPY_ADDRESS Source;
    SIZE_T Done, Bytes = PAGE_SIZE;
    PVOID Base = NULL;
    char Target[200];

    assert_success(
        MmAllocateUser(&MmTestSpace, &Base, &Bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    Source.VirtualAddress = (char *)Base + PAGE_SIZE - 50;
    assert_status(MmCopyMemory(Target, Source, 200, MM_COPY_MEMORY_VIRTUAL, &Done),
                  STATUS_PARTIAL_COPY);
    assert_int_equal(Done, 50);
}

static void PagingRoutinesAnswer(void **Unused)
{
    PVOID Handle = MmLockPagableDataSection((PVOID)PagingRoutinesAnswer);

    assert_non_null(Handle);
    MmLockPagableSectionByHandle(Handle);
    MmUnlockPagableImageSection(Handle);
    MmUnlockPagableImageSection(Handle);
    assert_non_null(MmPageEntireDriver((PVOID)PagingRoutinesAnswer));
    MmResetDriverPaging((PVOID)PagingRoutinesAnswer);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(ContiguousMemoryIsWhereItIsAskedFor),
        MM_TEST(ContiguousMemoryTellsItsStatus),
        MM_TEST(AMappingAddressIsWhole),
        MM_TEST(FreeingOtherMemoryIsC2_60),
        MM_TEST(NoncachedMemoryComesInPages),
        MM_TEST(PhysicalMemoryInUseCanBeMapped),
        MM_TEST(WhereNothingIsAllOnesAreRead),
        MM_TEST(MemoryOfADeviceIsTheSameForAllWhoMapIt),
        MM_TEST(ADeviceCannotBeWhereSomethingElseIs),
        MM_TEST(WhatIsNoAddressCannotBeMapped),
        MM_TEST(CopyMemoryNeverFaults),
        MM_TEST_USER(ACopyThatEndsEarlyIsCounted),
        MM_TEST(PagingRoutinesAnswer),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
