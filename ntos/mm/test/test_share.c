/* Moving frames: nothing that anyone writes is lost while pages move. */
#include "mmtest.h"

#include <stdatomic.h>

#define TAG 'tseT'
#define WRITERS 3
#define PAGES 4
#define MOVES 60

static volatile ULONG64 *Pages; /* writer i counts in the i-th word of each page */
static atomic_bool Stop;
static atomic_uint Begun;

static void Count(void *Argument)
{
    ULONG Index = (ULONG)(ULONG_PTR)Argument;
    ULONG64 Value = 0;

    Begun++;
    while (!Stop) {
        Value++;
        for (ULONG Page = 0; Page < PAGES; Page++) {
            ULONG At = Page * (PAGE_SIZE / 8) + Index;

            if (Pages[At] != Value - 1) {
                Pages[At + 100] = Value; /* seen below */
                return;
            }
            Pages[At] = Value;
        }
    }
}

static void WritersLoseNothingWhileTheirPagesMove(void **Unused)
{
    static MM_TEST_THREAD Threads[WRITERS];
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGES * PAGE_SIZE, TAG);
    PFN_NUMBER First = (PFN_NUMBER)MmGetPhysicalAddress(Block).QuadPart >> PAGE_SHIFT;
    PFN_NUMBER Frames[PAGES];

    Pages = (volatile ULONG64 *)Block;
    Stop = FALSE;
    Begun = 0;
    for (ULONG i = 0; i < PAGES; i++)
        Frames[i] = First + i;
    for (ULONG i = 0; i < WRITERS; i++)
        MmTestThread(&Threads[i], Count, (void *)(ULONG_PTR)i);
    while (Begun < WRITERS)
        host_yield();
    for (ULONG i = 0; i < MOVES; i++) {
        ULONG64 Offset;
        int File;

        assert_success(MmShareFrames(Frames, PAGES, FALSE, &File, &Offset));
        host_yield();
        MmUnshareFrames(Frames, PAGES);
        host_yield();
    }
    Stop = TRUE;
    for (ULONG i = 0; i < WRITERS; i++)
        MmTestJoin(&Threads[i]);
    for (ULONG i = 0; i < WRITERS; i++) {
        for (ULONG Page = 0; Page < PAGES; Page++) {
            assert_int_equal(Pages[Page * (PAGE_SIZE / 8) + i + 100], 0);
            assert_int_equal(Pages[Page * (PAGE_SIZE / 8) + i], Pages[i]);
        }
        assert_int_not_equal(Pages[i], 0);
    }
    ExFreePool(Block);
}

static void SharingIsCountedForEachFrame(void **Unused)
{
    PFN_NUMBER Frames[4], First;
    MM_STATISTICS Statistics;
    ULONG64 Offset, OffsetAgain;
    int File, FileAgain, RamFile;

    assert_success(MmAllocateFrames(4, &First));
    for (ULONG i = 0; i < 4; i++) {
        Frames[i] = First + i;
        memset(MmFrameAddress(First + i), 'a' + (int)i, PAGE_SIZE);
    }
    assert_true(MmFrameFile(First, &RamFile, &Offset));
    assert_success(MmShareFrames(Frames, 3, FALSE, &File, &Offset));
    assert_int_not_equal(File, RamFile);
    assert_int_equal(Offset, 0);
    assert_success(MmShareFrames(Frames + 1, 3, FALSE, &FileAgain, &OffsetAgain));
    assert_int_equal(FileAgain, File);
    assert_int_equal(OffsetAgain, PAGE_SIZE);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 4);
    MmUnshareFrames(Frames, 3);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 3);
    MmUnshareFrames(Frames + 1, 3);
    for (ULONG i = 0; i < 4; i++) {
        assert_int_equal(*(char *)MmFrameAddress(First + i), 'a' + i);
        assert_true(MmFrameFile(First + i, &File, &Offset));
        assert_int_equal(File, RamFile);
    }
    MmFreeFrames(First, 4);
}

static void FreeFramesCannotBeShared(void **Unused)
{
    PFN_NUMBER Frame, None = 0;
    ULONG64 Offset;
    int File;

    assert_success(MmAllocateFrames(1, &Frame));
    MmFreeFrames(Frame, 1);
    assert_status(MmShareFrames(&Frame, 1, FALSE, &File, &Offset), STATUS_ACCESS_DENIED);
    assert_status(MmShareFrames(&None, 1, FALSE, &File, &Offset), STATUS_ACCESS_DENIED);
}

static void OtherMappingsFollowAPageThatMoves(void **Unused)
{
    PHYSICAL_ADDRESS Physical;
    PFN_NUMBER Frame;
    ULONG64 Offset;
    char *Mapped;
    int File;

    assert_success(MmAllocateFrames(1, &Frame));
    Physical.QuadPart = (LONGLONG)(Frame << PAGE_SHIFT);
    Mapped = MmMapIoSpace(Physical, PAGE_SIZE, MmCached);
    strcpy(Mapped, "one");
    assert_success(MmShareFrames(&Frame, 1, FALSE, &File, &Offset));
    assert_string_equal(MmFrameAddress(Frame), "one");
    strcpy(MmFrameAddress(Frame), "two");
    assert_string_equal(Mapped, "two");
    MmUnshareFrames(&Frame, 1);
    strcpy(Mapped, "three");
    assert_string_equal(MmFrameAddress(Frame), "three");
    MmUnmapIoSpace(Mapped, PAGE_SIZE);
    MmFreeFrames(Frame, 1);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(WritersLoseNothingWhileTheirPagesMove),
        MM_TEST(SharingIsCountedForEachFrame),
        MM_TEST(FreeFramesCannotBeShared),
        MM_TEST(OtherMappingsFollowAPageThatMoves),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
