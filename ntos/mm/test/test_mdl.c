/* MDLs: making, locking, parts of them, and what may not be done. */
#include "mmtest.h"

#define TAG 'tseT'

static VF_BUGCHECK Record;

typedef struct LOCK {
    PMDL Mdl;
    KPROCESSOR_MODE Mode;
    LOCK_OPERATION Operation;
} LOCK;

static void Lock(void *Argument)
{
    LOCK *L = Argument;

    MmProbeAndLockPages(L->Mdl, L->Mode, L->Operation);
}

static NTSTATUS TryLock(PMDL Mdl, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation)
{
    LOCK L = {Mdl, Mode, Operation};

    return MmTestRaises(Lock, &L);
}

static void AnMdlHasRoomForItsPages(void **Unused)
{
    PMDL Mdl = IoAllocateMdl((PVOID)0x12345678, 3 * PAGE_SIZE, FALSE, FALSE, NULL);

    assert_non_null(Mdl);
    assert_int_equal(Mdl->Size, sizeof(MDL) + 4 * sizeof(PFN_NUMBER));
    assert_int_equal(MmSizeOfMdl((PVOID)0x12345678, 3 * PAGE_SIZE), Mdl->Size);
    assert_ptr_equal(MmGetMdlVirtualAddress(Mdl), 0x12345678);
    assert_int_equal(MmGetMdlByteCount(Mdl), 3 * PAGE_SIZE);
    assert_int_equal(MmGetMdlByteOffset(Mdl), 0x678);
    assert_null(Mdl->Next);
    assert_int_equal(Mdl->MdlFlags & ~MDL_ALLOCATED_FIXED_SIZE, 0);
    IoFreeMdl(Mdl);
    assert_null(IoAllocateMdl(NULL, 0xFFFFF001, FALSE, FALSE, NULL));
}

static void AnMdlIsLinkedToItsIrp(void **Unused)
{
    IRP Irp = {.MdlAddress = NULL};
    PMDL First = IoAllocateMdl(NULL, 1, FALSE, FALSE, &Irp);
    PMDL Second = IoAllocateMdl(NULL, 1, TRUE, FALSE, &Irp);
    PMDL Third = IoAllocateMdl(NULL, 1, TRUE, FALSE, &Irp);

    assert_ptr_equal(Irp.MdlAddress, First);
    assert_ptr_equal(First->Next, Second);
    assert_ptr_equal(Second->Next, Third);
    IoFreeMdl(First);
    IoFreeMdl(Second);
    IoFreeMdl(Third);
}

typedef struct SELECTION {
    PMDL Mdl;
    FILE_SEGMENT_ELEMENT *Pages;
    KPROCESSOR_MODE Mode;
} SELECTION;

static void LockSelection(void *Argument)
{
    SELECTION *Selection = Argument;

    MmProbeAndLockSelectedPages(Selection->Mdl, Selection->Pages, Selection->Mode, IoWriteAccess);
}

static void PagesAreLockedInTheOrderOfTheirSelection(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 3 * PAGE_SIZE, TAG);
    FILE_SEGMENT_ELEMENT Pages[3] = {{.Alignment = (ULONG_PTR)Block + 2 * PAGE_SIZE},
                                     {.Alignment = (ULONG_PTR)Block},
                                     {.Alignment = 0}};
    PMDL Mdl = IoAllocateMdl(Block, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    SELECTION Selection = {Mdl, Pages, KernelMode};
    KIRQL Old;

    assert_success(MmTestRaises(LockSelection, &Selection));
    assert_int_equal(MmGetMdlPfnArray(Mdl)[0],
                     MmGetPhysicalAddress(Block + 2 * PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    assert_int_equal(MmGetMdlPfnArray(Mdl)[1], MmGetPhysicalAddress(Block).QuadPart >> PAGE_SHIFT);
    MmUnlockPages(Mdl);
    Selection.Mode = UserMode;
    assert_status(MmTestRaises(LockSelection, &Selection), STATUS_ACCESS_VIOLATION);
    Selection.Mode = KernelMode;
    Pages[1].Alignment = 0;
    assert_status(MmTestRaises(LockSelection, &Selection), STATUS_ACCESS_VIOLATION);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record)
        LockSelection(&Selection);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, DRIVER_VERIFIER_DETECTED_VIOLATION);
    assert_int_equal(Record.Parameters[0], 0x72);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void NonpagedPoolIsDescribedInPlace(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 3 * PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block + 100, 2 * PAGE_SIZE, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    assert_true(Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL);
    assert_false(Mdl->MdlFlags & MDL_PAGES_LOCKED);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), Block + 100);
    for (ULONG i = 0; i < 3; i++)
        assert_int_equal(MmGetMdlPfnArray(Mdl)[i],
                         MmGetPhysicalAddress(Block + i * PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnlockPages(Mdl);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7D, Mdl, (USHORT)Mdl->MdlFlags,
                    0);
    VF_EXPECT_BUGCHECK (&Record)
        MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB0, Mdl, (USHORT)Mdl->MdlFlags,
                    MDL_SOURCE_IS_NONPAGED_POOL);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB2, Mdl, (USHORT)Mdl->MdlFlags,
                    MDL_SOURCE_IS_NONPAGED_POOL);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void PagedPoolMayNotBeBuiltFor(void **Unused)
{
    void *Block = ExAllocatePoolWithTag(PagedPool, 100, TAG);
    PMDL Mdl = IoAllocateMdl(Block, 100, FALSE, FALSE, NULL);

    VF_EXPECT_BUGCHECK (&Record)
        MmBuildMdlForNonPagedPool(Mdl);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7F, PASSIVE_LEVEL, Mdl,
                    (USHORT)Mdl->MdlFlags);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void SystemMemoryIsLockedInPlace(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(PagedPool, 2 * PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block + 10, PAGE_SIZE, FALSE, FALSE, NULL);
    MM_STATISTICS Statistics;
    char *Mapped;

    assert_success(TryLock(Mdl, KernelMode, IoWriteAccess));
    assert_true(Mdl->MdlFlags & MDL_PAGES_LOCKED);
    assert_true(Mdl->MdlFlags & MDL_WRITE_OPERATION);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.LockedPages, 2);
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    assert_ptr_equal(Mapped, Block + 10);
    assert_true(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), Mapped);
    MmUnlockPages(Mdl);
    assert_int_equal(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA), 0);
    assert_success(TryLock(Mdl, KernelMode, IoReadAccess));
    assert_false(Mdl->MdlFlags & MDL_WRITE_OPERATION);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void LockingRaisesWhatIsDocumented(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block, PAGE_SIZE, FALSE, FALSE, NULL);

    assert_status(TryLock(Mdl, UserMode, IoReadAccess),
                  STATUS_ACCESS_VIOLATION); /* a system address */
    MmInitializeMdl(Mdl, Block + PAGE_SIZE * 1000, PAGE_SIZE);
    assert_status(TryLock(Mdl, KernelMode, IoReadAccess),
                  STATUS_ACCESS_VIOLATION); /* nothing there */
    MmInitializeMdl(Mdl, NULL, PAGE_SIZE);
    assert_status(TryLock(Mdl, KernelMode, IoReadAccess), STATUS_ACCESS_VIOLATION);
    assert_status(TryLock(Mdl, UserMode, IoReadAccess), STATUS_ACCESS_VIOLATION);
    assert_int_equal(Mdl->MdlFlags, 0);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void OrdinaryMemoryIsCopiedThereAndBack(void **Unused)
{
    static char Buffer[3 * PAGE_SIZE];
    PMDL Mdl = IoAllocateMdl(Buffer + 50, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    char *Mapped;

    memset(Buffer, 'a', sizeof(Buffer));
    assert_success(TryLock(Mdl, UserMode, IoWriteAccess));
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    assert_true(MmIsSystemAddress(Mapped));
    for (ULONG i = 0; i < 2 * PAGE_SIZE; i++)
        assert_int_equal(Mapped[i], 'a');
    memset(Mapped, 'b', 2 * PAGE_SIZE);
    MmUnlockPages(Mdl);
    assert_int_equal(Buffer[49], 'a');
    assert_int_equal(Buffer[50], 'b');
    assert_int_equal(Buffer[50 + 2 * PAGE_SIZE - 1], 'b');
    assert_int_equal(Buffer[50 + 2 * PAGE_SIZE], 'a');
    assert_success(TryLock(Mdl, UserMode, IoReadAccess));
    memset(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), 'c', 2 * PAGE_SIZE);
    MmUnlockPages(Mdl);
    assert_int_equal(Buffer[50], 'b');
    IoFreeMdl(Mdl);
}

static void ReadOnlyMemoryCannotBeLockedForWriting(void **Unused)
{
    static const char Text[PAGE_SIZE] = "read-only";
    PMDL Mdl = IoAllocateMdl((PVOID)Text, sizeof(Text), FALSE, FALSE, NULL);

    assert_status(TryLock(Mdl, UserMode, IoWriteAccess), STATUS_ACCESS_VIOLATION);
    assert_success(TryLock(Mdl, UserMode, IoReadAccess));
    assert_string_equal(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), "read-only");
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
}

static void UnlockingWhatIsNotLockedIsC4_7C(void **Unused)
{
    PMDL Mdl = IoAllocateMdl(NULL, 1, FALSE, FALSE, NULL);

    VF_EXPECT_BUGCHECK (&Record)
        MmUnlockPages(Mdl);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7C, Mdl, (USHORT)Mdl->MdlFlags,
                    0);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_int_equal(Record.Parameters[0], 0xB3);
    IoFreeMdl(Mdl);
}

static void APartialMdlDescribesAPart(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 4 * PAGE_SIZE, TAG);
    PMDL Source = IoAllocateMdl(Block, 4 * PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL Target = IoAllocateMdl(Block, 4 * PAGE_SIZE, FALSE, FALSE, NULL);

    assert_success(TryLock(Source, KernelMode, IoWriteAccess));
    IoBuildPartialMdl(Source, Target, Block + PAGE_SIZE + 7, 100);
    assert_true(Target->MdlFlags & MDL_PARTIAL);
    assert_false(Target->MdlFlags & MDL_PAGES_LOCKED);
    assert_int_equal(MmGetMdlPfnArray(Target)[0], MmGetMdlPfnArray(Source)[1]);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(Target, NormalPagePriority),
                     Block + PAGE_SIZE + 7);
    assert_true(Target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED);
    MmPrepareMdlForReuse(Target);
    assert_int_equal(Target->MdlFlags & (MDL_PARTIAL_HAS_BEEN_MAPPED | MDL_MAPPED_TO_SYSTEM_VA), 0);
    IoBuildPartialMdl(Source, Target, Block + PAGE_SIZE, 0);
    assert_int_equal(Target->ByteCount, 3 * PAGE_SIZE);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnlockPages(Target);
    assert_int_equal(Record.Parameters[0], 0xB4);
    assert_non_null(MmGetSystemAddressForMdlSafe(Source, NormalPagePriority));
    IoBuildPartialMdl(Source, Target, Block + 5, 10);
    assert_true(Target->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(Target, NormalPagePriority), Block + 5);
    IoFreeMdl(Target);
    MmUnlockPages(Source);
    IoFreeMdl(Source);
    ExFreePool(Block);
}

static void AnMdlCanBeAdvanced(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 4 * PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block + 8, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    MM_STATISTICS Statistics;
    PFN_NUMBER Second;

    assert_success(TryLock(Mdl, KernelMode, IoWriteAccess));
    Second = MmGetMdlPfnArray(Mdl)[1];
    assert_non_null(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority));
    assert_status(MmAdvanceMdl(Mdl, 3 * PAGE_SIZE + 1), STATUS_INVALID_PARAMETER_2);
    assert_success(MmAdvanceMdl(Mdl, PAGE_SIZE));
    assert_ptr_equal(MmGetMdlVirtualAddress(Mdl), Block + 8 + PAGE_SIZE);
    assert_int_equal(MmGetMdlByteCount(Mdl), 2 * PAGE_SIZE);
    assert_int_equal(MmGetMdlPfnArray(Mdl)[0], Second);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), Block + 8 + PAGE_SIZE);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.LockedPages, 3);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void PagesForAnMdlAreZeroedAndLocked(void **Unused)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0}, High = {.QuadPart = -1}, Skip = {.QuadPart = 0};
    PMDL Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, 10 * PAGE_SIZE - 5, MmCached, 0);
    char *Mapped;

    assert_non_null(Mdl);
    assert_int_equal(MmGetMdlByteCount(Mdl), 10 * PAGE_SIZE);
    assert_true(Mdl->MdlFlags & MDL_PAGES_LOCKED);
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    for (ULONG i = 0; i < 10 * PAGE_SIZE; i++)
        assert_int_equal(Mapped[i], 0);
    MmUnmapLockedPages(Mapped, Mdl);
    MmFreePagesFromMdl(Mdl);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreePagesFromMdl(Mdl);
    assert_int_equal(Record.Parameters[0], 0x7C);
    ExFreePool(Mdl);
}

static void PagesComeFromTheRangeThatWasAskedFor(void **Unused)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0x2000000}, High = {.QuadPart = 0x20FFFFF},
                     Skip = {.QuadPart = 0};
    PMDL Mdl = MmAllocatePagesForMdl(Low, High, Skip, 2 << 20);

    assert_non_null(Mdl);
    assert_int_equal(MmGetMdlByteCount(Mdl), 1 << 20); /* all there is */
    for (ULONG i = 0; i < 256; i++)
        assert_in_range(MmGetMdlPfnArray(Mdl)[i], 0x2000, 0x20FF);
    assert_null(MmAllocatePagesForMdlEx(Low, High, Skip, PAGE_SIZE, MmCached, 0));
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
    assert_null(
        MmAllocatePagesForMdlEx(Low, High, Skip, 2 << 20, MmCached, MM_ALLOCATE_FULLY_REQUIRED));
    Skip.QuadPart = 65536;
    Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, 131072, MmCached,
                                  MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS);
    assert_non_null(Mdl);
    assert_int_equal(MmGetMdlPfnArray(Mdl)[0] % 16, 0);
    assert_int_equal(MmGetMdlPfnArray(Mdl)[16] % 16, 0);
    assert_int_equal(MmGetMdlPfnArray(Mdl)[15], MmGetMdlPfnArray(Mdl)[0] + 15);
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

static void LockingAtHighIrqlIsC4_70(void **Unused)
{
    PMDL Mdl = IoAllocateMdl(NULL, 1, FALSE, FALSE, NULL);
    KIRQL Old;

    KeRaiseIrql(HIGH_LEVEL, &Old);
    VF_EXPECT_BUGCHECK (&Record)
        MmProbeAndLockPages(Mdl, UserMode, IoReadAccess);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x70, HIGH_LEVEL, Mdl, UserMode);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnlockPages(Mdl);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x78, HIGH_LEVEL, Mdl, 0);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x76, HIGH_LEVEL, Mdl, KernelMode);
    KeLowerIrql(Old);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x77, DISPATCH_LEVEL, Mdl,
                    UserMode);
    KeLowerIrql(Old);
    IoFreeMdl(Mdl);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(AnMdlHasRoomForItsPages),
        MM_TEST(AnMdlIsLinkedToItsIrp),
        MM_TEST(PagesAreLockedInTheOrderOfTheirSelection),
        MM_TEST(NonpagedPoolIsDescribedInPlace),
        MM_TEST(PagedPoolMayNotBeBuiltFor),
        MM_TEST(SystemMemoryIsLockedInPlace),
        MM_TEST(LockingRaisesWhatIsDocumented),
        MM_TEST_USER(OrdinaryMemoryIsCopiedThereAndBack),
        MM_TEST_USER(ReadOnlyMemoryCannotBeLockedForWriting),
        MM_TEST(UnlockingWhatIsNotLockedIsC4_7C),
        MM_TEST(APartialMdlDescribesAPart),
        MM_TEST(AnMdlCanBeAdvanced),
        MM_TEST(PagesForAnMdlAreZeroedAndLocked),
        MM_TEST(PagesComeFromTheRangeThatWasAskedFor),
        MM_TEST(LockingAtHighIrqlIsC4_70),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
