/* Pool: each misuse is a bug check with the documented parameters. */
#include "mmtest.h"

#define TAG 'tseT'
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif
#ifndef ADDRESS_SANITIZER
#define ADDRESS_SANITIZER 0
#endif

static VF_BUGCHECK Record;

static void FreeingTwiceIsC2_7(void **Unused)
{
    void *Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);

    ExFreePoolWithTag(Block, TAG);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePoolWithTag(Block, TAG);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x07, 0, Record.Parameters[2], Block);
}

static void AWrongTagIsC2_A(void **Unused)
{
    void *Small = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    void *Large = ExAllocatePoolWithTag(NonPagedPool, 10000, TAG);

    VF_EXPECT_BUGCHECK (&Record)
        ExFreePoolWithTag(Small, 'rehO');
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x0A, Small, TAG, 'rehO');
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePoolWithTag(Large, 'rehO');
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x0A, Large, TAG, 'rehO');
    ExFreePoolWithTag(Small, TAG);
    ExFreePool(Large);
}

static void AUserAddressIsC2_40(void **Unused)
{
    int Variable;

    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(&Variable);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x40, &Variable, MM_SYSTEM_LOW, 0);
}

static void AnAddressThatWasNeverPoolIsC2_42Or46(void **Unused)
{
    PFN_NUMBER Frame;

    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool((PVOID)(MM_SYSTEM_HIGH - PAGE_SIZE));
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x42, MM_SYSTEM_HIGH - PAGE_SIZE, 0, 0);
    assert_success(MmAllocateFrames(1, &Frame));
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(MmFrameAddress(Frame));
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x46, MmFrameAddress(Frame), 0, 0);
    MmFreeFrames(Frame, 1);
}

static void TheMiddleOfABlockIsC2_99Or46(void **Unused)
{
    char *Small = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    char *Large = ExAllocatePoolWithTag(NonPagedPool, 10000, TAG);

    memset(Small, 0, 100);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Small + 32);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x99, Small + 32, 0, 0);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Small + 1);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x99, Small + 1, 0, 0);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Large + PAGE_SIZE);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x46, Large + PAGE_SIZE, 0, 0);
    ExFreePool(Small);
    ExFreePool(Large);
}

static void FreeingALargeBlockTwiceIsC2_46(void **Unused)
{
    void *Block = ExAllocatePoolWithTag(NonPagedPool, 10000, TAG);

    ExFreePool(Block);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Block);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x46, Block, 0, 0);
}

static void WritingBehindABlockIs19_21(void **Unused)
{
    volatile UCHAR *Small = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    volatile UCHAR *Large = ExAllocatePoolWithTag(NonPagedPool, 10000, TAG);
    UCHAR Old;

    if (ADDRESS_SANITIZER) /* it reports the write itself */
        goto Free;
    Old = Small[100];
    Small[100] = 0;
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool((PVOID)Small);
    assert_bugcheck(Record, BAD_POOL_HEADER, 0x21, Small, 100, Record.Parameters[3]);
    Small[100] = Old;
    Old = Large[10000];
    Large[10000] = 0;
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool((PVOID)Large);
    assert_bugcheck(Record, BAD_POOL_HEADER, 0x21, Large, 10000, Record.Parameters[3]);
    Large[10000] = Old;
Free:
    ExFreePool((PVOID)Small);
    ExFreePool((PVOID)Large);
}

/* Until every block of the size that this thread has was in use once. */
static void CycleBlocks(SIZE_T Bytes)
{
    for (ULONG i = 0; i < 200; i++)
        ExFreePool(ExAllocatePoolWithTag(NonPagedPool, Bytes, TAG));
}

static void WritingAfterFreeIsC6(void **Unused)
{
    volatile ULONG64 *Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    ULONG64 Old;

    ExFreePool((PVOID)Block);
    if (ADDRESS_SANITIZER)
        return;
    Old = *Block;
    *Block = 1;
    VF_EXPECT_BUGCHECK (&Record)
        CycleBlocks(100);
    assert_bugcheck(Record, DRIVER_CAUGHT_MODIFYING_FREED_POOL, Block, 1, KernelMode, 0);
    assert_non_null(strstr(Record.Details, "byte 0"));
    assert_non_null(strstr(Record.Details, "Test"));
    *Block = Old;
}

/* What is written to freed memory is found wherever in a small block it lies, and when a thread
 * gives its blocks back. */
static void WritingAnywhereAfterFreeIsC6(void **Unused)
{
    static const SIZE_T Sizes[] = {8, 24, 40, 56, 64, 100, 200, 500, 1000};

    if (ADDRESS_SANITIZER)
        return;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
        volatile UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, Sizes[i], TAG);
        SIZE_T At = (Sizes[i] - 8) / 16 * 16 + 1;
        UCHAR Old;

        ExFreePool((PVOID)Block);
        Old = Block[At];
        Block[At] = 1;
        VF_EXPECT_BUGCHECK (&Record)
            MmThreadPoolRelease(KiSelf);
        assert_bugcheck(Record, DRIVER_CAUGHT_MODIFYING_FREED_POOL, Block, 1, KernelMode, 0);
        Block[At] = Old;
    }
}

static void FreedMemoryIsNotUsedAtOnce(void **Unused)
{
    void *Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);

    ExFreePool(Block);
    for (ULONG i = 0; i < 8; i++) {
        void *Other = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);

        assert_ptr_not_equal(Other, Block);
        ExFreePool(Other);
    }
}

static void WritingOverAFreeHeaderIs19_D(void **Unused)
{
    volatile ULONG64 *Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    ULONG64 Old;

    ExFreePool((PVOID)Block);
    if (ADDRESS_SANITIZER)
        return;
    Old = Block[-2];
    Block[-2] = 0;
    VF_EXPECT_BUGCHECK (&Record)
        MmThreadPoolRelease(KiSelf);
    assert_bugcheck(Record, BAD_POOL_HEADER, 0x0D, Block, 0, 0);
    Block[-2] = Old;
}

static void TagsThatCannotBeTrackedAreC2_9B9C9D(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(PagedPool, 100, 0);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x9B, PagedPool, 100, Record.Parameters[3]);
    assert_int_not_equal(Record.Parameters[3], 0);
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(NonPagedPool, 100, ' GIB');
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x9C, NonPagedPool, 100, Record.Parameters[3]);
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(NonPagedPool, 100, '    ');
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x9D, '    ', NonPagedPool, Record.Parameters[3]);
}

static void MustSucceedIsC2_9A(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 100, TAG);
    assert_bugcheck(Record, BAD_POOL_CALLER, 0x9A, NonPagedPoolMustSucceed, 100, TAG);
}

static void NoBytesAreC4_0(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(PagedPool, 0, TAG);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0, PASSIVE_LEVEL, PagedPool, 0);
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0, PASSIVE_LEVEL, NonPagedPool, 0);
}

static void AWrongIrqlIsC4_1_2_11_12(void **Unused)
{
    void *Paged = ExAllocatePoolWithTag(PagedPool, 100, TAG), *NonPaged;
    KIRQL Old;

    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(PagedPool, 100, TAG);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 1, DISPATCH_LEVEL, PagedPool, 100);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Paged);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11, DISPATCH_LEVEL, PagedPool,
                    Paged);
    NonPaged = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    assert_non_null(NonPaged);
    KeLowerIrql(Old);
    KeRaiseIrql(HIGH_LEVEL, &Old);
    VF_EXPECT_BUGCHECK (&Record)
        ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 2, HIGH_LEVEL, NonPagedPool, 100);
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(NonPaged);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x12, HIGH_LEVEL, NonPagedPool,
                    NonPaged);
    KeLowerIrql(Old);
    ExFreePool(Paged);
    ExFreePool(NonPaged);
}

static void WaitFor(void *Event)
{
    KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
}

static BOOLEAN IsWaitedFor(KEVENT *Event)
{
    PVOID Found;

    return KeFindWaitInRange(Event, sizeof(*Event), &Found) && Found == Event;
}

static void AnEventThatSomebodyWaitsForMayNotBeFreed(void **Unused)
{
    struct {
        UCHAR Before[48];
        KEVENT Event;
    } *Block = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Block), 'tseT');
    MM_TEST_THREAD Thread;
    VF_BUGCHECK Record;

    KeInitializeEvent(&Block->Event, NotificationEvent, FALSE);
    MmTestThread(&Thread, WaitFor, &Block->Event);
    while (!IsWaitedFor(&Block->Event))
        host_yield();
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePoolWithTag(Block, 'tseT');
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x100B, &Block->Event, Block,
                    sizeof(*Block));
    KeSetEvent(&Block->Event, IO_NO_INCREMENT, FALSE);
    MmTestJoin(&Thread);
    assert_false(IsWaitedFor(&Block->Event));
    ExFreePoolWithTag(Block, 'tseT');
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(FreeingTwiceIsC2_7),           MM_TEST(AWrongTagIsC2_A),
        MM_TEST(AUserAddressIsC2_40),          MM_TEST(AnAddressThatWasNeverPoolIsC2_42Or46),
        MM_TEST(TheMiddleOfABlockIsC2_99Or46), MM_TEST(FreeingALargeBlockTwiceIsC2_46),
        MM_TEST(WritingBehindABlockIs19_21),   MM_TEST(WritingAfterFreeIsC6),
        MM_TEST(WritingAnywhereAfterFreeIsC6), MM_TEST(FreedMemoryIsNotUsedAtOnce),
        MM_TEST(WritingOverAFreeHeaderIs19_D), MM_TEST(TagsThatCannotBeTrackedAreC2_9B9C9D),
        MM_TEST(MustSucceedIsC2_9A),           MM_TEST(NoBytesAreC4_0),
        MM_TEST(AWrongIrqlIsC4_1_2_11_12),     MM_TEST(AnEventThatSomebodyWaitsForMayNotBeFreed),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
