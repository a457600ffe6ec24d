/* Frames, page tables, and what is at an address. */
#include "mmtest.h"

#define TAG 'tseT'

static SIZE_T FreeFrames(void)
{
    MM_STATISTICS Statistics;

    MmQueryStatistics(&Statistics);
    return Statistics.FreeFrames;
}

static void ARunIsConsecutiveAndComesBack(void **Unused)
{
    SIZE_T Before = FreeFrames();
    PFN_NUMBER First[50];

    for (ULONG i = 0; i < 50; i++) {
        assert_success(MmAllocateFrames(i + 1, &First[i]));
        memset(MmFrameAddress(First[i]), (int)i, (i + 1) * PAGE_SIZE);
    }
    for (ULONG i = 0; i < 50; i++)
        for (ULONG j = 0; j < (i + 1) * PAGE_SIZE; j += 512)
            assert_int_equal(((UCHAR *)MmFrameAddress(First[i]))[j], i);
    for (ULONG i = 0; i < 50; i += 2)
        MmFreeFrames(First[i], i + 1);
    for (ULONG i = 1; i < 50; i += 2)
        MmFreeFrames(First[i], i + 1);
    assert_int_equal(FreeFrames(), Before);
}

static void TheGreatestRunIsThereAgainAfterAll(void **Unused)
{
    PFN_NUMBER Frames[1000], Large;

    for (ULONG i = 0; i < 1000; i++)
        assert_success(MmAllocateFrames(1, &Frames[i]));
    for (ULONG i = 0; i < 1000; i++)
        MmFreeFrames(Frames[(i * 377) % 1000], 1);
    assert_success(MmAllocateFrames(8192, &Large));
    MmFreeFrames(Large, 8192);
}

static void TooManyFramesAreRefused(void **Unused)
{
    PFN_NUMBER First;

    assert_status(MmAllocateFrames(1 << 20, &First), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(MmAllocateFrames(0, &First), STATUS_INSUFFICIENT_RESOURCES);
}

static void TouchedFreeMemoryIsGivenBack(void **Unused)
{
    SIZE_T Before = host_resident_bytes(), After;
    PFN_NUMBER First;

    assert_success(MmAllocateFrames(8192, &First));
    memset(MmFrameAddress(First), 1, 8192 * PAGE_SIZE);
    MmFreeFrames(First, 8192);
    After = host_resident_bytes();
    assert_true(MM_TEST_SANITIZED || After < Before + (12 << 20));
}

static void AFrameLeadsToItsFile(void **Unused)
{
    PFN_NUMBER Frame;
    ULONG64 Offset;
    int File;

    assert_success(MmAllocateFrames(1, &Frame));
    assert_true(MmFrameFile(Frame, &File, &Offset));
    assert_int_equal(Offset, Frame << PAGE_SHIFT);
    assert_false(MmFrameFile((PFN_NUMBER)1 << 40, &File, &Offset));
    MmFreeFrames(Frame, 1);
}

static void TheTablesSayWhatIsThere(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 3 * PAGE_SIZE, TAG);
    PHYSICAL_ADDRESS Physical = MmGetPhysicalAddress(Block + 5000);

    assert_true(MmIsAddressValid(Block));
    assert_true(MmIsAddressValid(Block + 3 * PAGE_SIZE - 1));
    assert_true(MmIsNonPagedSystemAddressValid(Block));
    assert_int_not_equal(Physical.QuadPart, 0);
    assert_ptr_equal(MmGetVirtualForPhysical(Physical), Block + 5000);
    ExFreePool(Block);
    assert_false(MmIsAddressValid(Block));
    assert_int_equal(MmGetPhysicalAddress(Block).QuadPart, 0);
}

static void OtherAddressesAreValidIfTheyCanBeRead(void **Unused)
{
    static char Data;

    assert_true(MmIsAddressValid(&Data));
    assert_int_equal(MmGetPhysicalAddress(&Data).QuadPart, 0);
    assert_false(MmIsAddressValid(NULL));
    assert_false(MmIsAddressValid((PVOID)0x600000000000));
    assert_false(MmIsAddressValid((PVOID)0xFFFF800000000000));
    assert_false(MmIsAddressValid((PVOID)MM_SLOT_LOW));
    assert_false(MmIsAddressValid((PVOID)(MM_SYSTEM_HIGH - 1)));
}

static void AWalkEndsAtThePageItself(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    MM_ADDRESS_SPACE Space;
    MM_PTE Levels[4];
    ULONG Shift;

    assert_success(MmCreateAddressSpace(&Space, TRUE));
    assert_true(MmWalk(Space.DirectoryFrame, (ULONG_PTR)Block, Levels, &Shift));
    assert_int_equal(Shift, PAGE_SHIFT);
    for (ULONG i = 0; i < 4; i++)
        assert_int_equal(Levels[i].Value & 3, 3);
    assert_int_equal((Levels[3].Value & 0xFFFFFFFFF000) + 0,
                     (ULONG64)MmGetPhysicalAddress(Block).QuadPart);
    assert_true(MmWalk(Space.DirectoryFrame, Space.Low, Levels, &Shift));
    assert_int_equal(Shift, 21);
    assert_int_equal((Levels[2].Value >> PAGE_SHIFT) & 0xFFFFFFFFF, Space.FirstFrame);
    assert_false(MmWalk(Space.DirectoryFrame, Space.High - 1, Levels, &Shift));
    MmDeleteAddressSpace(&Space);
    ExFreePool(Block);
}

static void MemoryRangesCoverAllOfMemory(void **Unused)
{
    PPHYSICAL_MEMORY_RANGE Ranges = MmGetPhysicalMemoryRanges();
    MM_STATISTICS Statistics;

    MmQueryStatistics(&Statistics);
    assert_non_null(Ranges);
    assert_int_equal(Ranges[0].BaseAddress.QuadPart + Ranges[0].NumberOfBytes.QuadPart,
                     Statistics.TotalFrames << PAGE_SHIFT);
    assert_int_equal(Ranges[1].NumberOfBytes.QuadPart, 0);
    ExFreePool(Ranges);
    assert_int_equal(MmQuerySystemSize(), MmMediumSystem);
    assert_false(MmIsThisAnNtAsSystem());
}

static void FreeingALockedPageIs4E(void **Unused)
{
    void *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block, PAGE_SIZE, FALSE, FALSE, NULL);
    VF_BUGCHECK Record;
    PFN_NUMBER Frame;

    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    Frame = MmGetMdlPfnArray(Mdl)[0];
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeFrames(Frame, 1);
    assert_bugcheck(Record, PFN_LIST_CORRUPT, 0x9A, Frame, Record.Parameters[2], 1);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void MmStartsAndStopsAThousandTimes(void **Unused)
{
    SIZE_T After10 = 0;

    MmTestStop(Unused);
    for (ULONG i = 0; i < 1000; i++) {
        assert_success(VfInitSystem());
        assert_success(MmInitSystem(0));
        ExFreePool(ExAllocatePoolWithTag(PagedPool, 5000, TAG));
        MmShutdownSystem();
        VfShutdownSystem();
        if (i == 10)
            After10 = host_resident_bytes();
    }
    assert_true(MM_TEST_SANITIZED || host_resident_bytes() < After10 + (4 << 20));
    MmTestBoot(Unused);
}

static void TheWholeLowerHalfStartsAndStops(void **Unused)
{
    MmTestStop(Unused);
    for (ULONG i = 0; i < 20; i++) {
        MmTestBootUser(Unused);
        MmTestStop(Unused);
    }
    MmTestBoot(Unused);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(ARunIsConsecutiveAndComesBack),
        MM_TEST(TheGreatestRunIsThereAgainAfterAll),
        MM_TEST(TooManyFramesAreRefused),
        MM_TEST(TouchedFreeMemoryIsGivenBack),
        MM_TEST(AFrameLeadsToItsFile),
        MM_TEST(TheTablesSayWhatIsThere),
        MM_TEST(OtherAddressesAreValidIfTheyCanBeRead),
        MM_TEST(AWalkEndsAtThePageItself),
        MM_TEST(MemoryRangesCoverAllOfMemory),
        MM_TEST(FreeingALockedPageIs4E),
        MM_TEST(MmStartsAndStopsAThousandTimes),
        MM_TEST(TheWholeLowerHalfStartsAndStops),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
