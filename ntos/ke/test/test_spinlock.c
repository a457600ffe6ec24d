/* Spin locks of all kinds: exclusion, IRQL rules, owners. */
#include "ke_test.h"

#define THREADS 4
#define ROUNDS 4000

static struct {
    KSPIN_LOCK Lock;
    EX_SPIN_LOCK ReaderWriter;
    ULONG64 Count, Copy;
    LIST_ENTRY List;
} Shared;

static int Setup(void **State)
{
    memset(&Shared, 0, sizeof(Shared));
    KeInitializeSpinLock(&Shared.Lock);
    InitializeListHead(&Shared.List);
    return KeTestBoot(State);
}
#define LOCK_TEST(test) cmocka_unit_test_setup_teardown(test, Setup, KeTestStop)

static void Contend(void (*Body)(void *))
{
    static KE_TEST_THREAD Threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        KeTestThread(&Threads[i], Body, (void *)(ULONG_PTR)i);
    for (int i = 0; i < THREADS; i++)
        KeTestJoin(&Threads[i]);
}

static void CountUnderSpinLock(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL Old;

        KeAcquireSpinLock(&Shared.Lock, &Old);
        Shared.Count++;
        KeReleaseSpinLock(&Shared.Lock, Old);
    }
}

static void ASpinLockExcludes(void **Unused)
{
    Contend(CountUnderSpinLock);
    assert_int_equal(Shared.Count, THREADS * ROUNDS);
    assert_true(KeTestSpinLock(&Shared.Lock));
}

static void CountUnderQueuedLock(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        KLOCK_QUEUE_HANDLE Handle;

        KeAcquireInStackQueuedSpinLock(&Shared.Lock, &Handle);
        Shared.Count++;
        KeReleaseInStackQueuedSpinLock(&Handle);
    }
}

static void AQueuedSpinLockExcludes(void **Unused)
{
    Contend(CountUnderQueuedLock);
    assert_int_equal(Shared.Count, THREADS * ROUNDS);
}

static void ReadOrWrite(void *Number)
{
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL Old;

        if ((i + (int)(ULONG_PTR)Number) % 4 == 0) {
            Old = ExAcquireSpinLockExclusive(&Shared.ReaderWriter);
            Shared.Count++;
            Shared.Copy = Shared.Count;
            ExReleaseSpinLockExclusive(&Shared.ReaderWriter, Old);
        } else {
            Old = ExAcquireSpinLockShared(&Shared.ReaderWriter);
            if (Shared.Copy != Shared.Count)
                fail();
            ExReleaseSpinLockShared(&Shared.ReaderWriter, Old);
        }
    }
}

static void AReaderWriterLockKeepsReadersAndWritersApart(void **Unused)
{
    Contend(ReadOrWrite);
    assert_int_equal(Shared.Count, THREADS * ROUNDS / 4);
    assert_int_equal(Shared.ReaderWriter, 0);
}

static void ReadersShareAndTheLastMayConvert(void **Unused)
{
    KIRQL Old = ExAcquireSpinLockShared(&Shared.ReaderWriter);

    assert_true(ExTryAcquireSpinLockSharedAtDpcLevel(&Shared.ReaderWriter));
    assert_false(ExTryAcquireSpinLockExclusiveAtDpcLevel(&Shared.ReaderWriter));
    assert_false(ExTryConvertSharedSpinLockExclusive(&Shared.ReaderWriter));
    ExReleaseSpinLockSharedFromDpcLevel(&Shared.ReaderWriter);
    assert_true(ExTryConvertSharedSpinLockExclusive(&Shared.ReaderWriter));
    assert_false(ExTryAcquireSpinLockSharedAtDpcLevel(&Shared.ReaderWriter));
    ExReleaseSpinLockExclusive(&Shared.ReaderWriter, Old);
    assert_int_equal(Shared.ReaderWriter, 0);
}

typedef struct ITEM {
    LIST_ENTRY Link;
} ITEM;

static void InterlockedListsKeepEveryEntry(void **Unused)
{
    static ITEM Items[3];

    assert_null(ExInterlockedRemoveHeadList(&Shared.List, &Shared.Lock));
    assert_null(ExInterlockedInsertHeadList(&Shared.List, &Items[1].Link, &Shared.Lock));
    assert_ptr_equal(ExInterlockedInsertHeadList(&Shared.List, &Items[0].Link, &Shared.Lock),
                     &Items[1].Link);
    assert_ptr_equal(ExInterlockedInsertTailList(&Shared.List, &Items[2].Link, &Shared.Lock),
                     &Items[1].Link);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(ExInterlockedRemoveHeadList(&Shared.List, &Shared.Lock), &Items[i].Link);
    assert_null(ExInterlockedRemoveHeadList(&Shared.List, &Shared.Lock));
}

static void InterlockedRoutinesWorkAtAnyIrql(void **Unused)
{
    ULONG Value = 5;
    LARGE_INTEGER Large = {.QuadPart = 7}, Two = {.QuadPart = 2};
    SINGLE_LIST_ENTRY Head = {NULL}, First, Second;

    KfRaiseIrql(HIGH_LEVEL);
    assert_int_equal(ExInterlockedAddUlong(&Value, 3, &Shared.Lock), 5);
    assert_int_equal(ExInterlockedAddLargeInteger(&Large, Two, &Shared.Lock).QuadPart, 7);
    assert_null(ExInterlockedPushEntryList(&Head, &First, &Shared.Lock));
    assert_ptr_equal(ExInterlockedPushEntryList(&Head, &Second, &Shared.Lock), &First);
    assert_ptr_equal(ExInterlockedPopEntryList(&Head, &Shared.Lock), &Second);
    assert_int_equal(KeGetCurrentIrql(), HIGH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(Value, 8);
    assert_int_equal(Large.QuadPart, 9);
}

static void ARecursiveAcquisitionIsABugCheck(void **Unused)
{
    KLOCK_QUEUE_HANDLE Handle, Again;
    VF_BUGCHECK Record;
    KIRQL Old;

    KeAcquireSpinLock(&Shared.Lock, &Old);
    VF_EXPECT_BUGCHECK (&Record) {
        KeAcquireSpinLockAtDpcLevel(&Shared.Lock);
    }
    assert_false(KeTryToAcquireSpinLockAtDpcLevel(&Shared.Lock));
    KeReleaseSpinLock(&Shared.Lock, Old);
    assert_int_equal(Record.Code, 0x0F);
    assert_int_equal(Record.Parameters[0], (ULONG_PTR)&Shared.Lock);
    KeAcquireInStackQueuedSpinLock(&Shared.Lock, &Handle);
    VF_EXPECT_BUGCHECK (&Record) {
        KeAcquireInStackQueuedSpinLockAtDpcLevel(&Shared.Lock, &Again);
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
    assert_int_equal(Record.Code, 0x0F);
    Old = ExAcquireSpinLockExclusive(&Shared.ReaderWriter);
    VF_EXPECT_BUGCHECK (&Record) {
        ExAcquireSpinLockSharedAtDpcLevel(&Shared.ReaderWriter);
    }
    ExReleaseSpinLockExclusive(&Shared.ReaderWriter, Old);
    assert_int_equal(Record.Code, 0x0F);
}

static void ReleasingALockThatIsNotHeldIsABugCheck(void **Unused)
{
    KLOCK_QUEUE_HANDLE Handle = {.LockQueue.Lock = &Shared.Lock};
    VF_BUGCHECK Record;

    KfRaiseIrql(DISPATCH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeReleaseSpinLockFromDpcLevel(&Shared.Lock);
    }
    assert_int_equal(Record.Code, 0x10);
    VF_EXPECT_BUGCHECK (&Record) {
        KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle);
    }
    assert_int_equal(Record.Code, 0x10);
    VF_EXPECT_BUGCHECK (&Record) {
        ExReleaseSpinLockSharedFromDpcLevel(&Shared.ReaderWriter);
    }
    assert_int_equal(Record.Code, 0x10);
    KeLowerIrql(PASSIVE_LEVEL);
}

static ULONG RuleOf(void (*Call)(void), KIRQL Irql)
{
    VF_BUGCHECK Record;
    KIRQL Old = KfRaiseIrql(Irql);

    VF_EXPECT_BUGCHECK (&Record) {
        Call();
    }
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[1], Irql);
    assert_int_equal(Record.Parameters[2], (ULONG_PTR)&Shared.Lock);
    return (ULONG)Record.Parameters[0];
}

static void Acquire(void)
{
    KeAcquireSpinLockRaiseToDpc(&Shared.Lock);
}

static void AcquireAtDpcLevel(void)
{
    KeAcquireSpinLockAtDpcLevel(&Shared.Lock);
}

static void Release(void)
{
    KeReleaseSpinLock(&Shared.Lock, PASSIVE_LEVEL);
}

static void ReleaseFromDpcLevel(void)
{
    KeReleaseSpinLockFromDpcLevel(&Shared.Lock);
}

static void WrongIrqlsHaveTheVerifiersCodes(void **Unused)
{
    assert_int_equal(RuleOf(Acquire, HIGH_LEVEL), 0x42);
    assert_int_equal(RuleOf(AcquireAtDpcLevel, PASSIVE_LEVEL), 0x40);
    assert_int_equal(RuleOf(Release, PASSIVE_LEVEL), 0x32);
    assert_int_equal(RuleOf(ReleaseFromDpcLevel, APC_LEVEL), 0x41);
}

static void MixingTheTwoKindsIsABugCheck(void **Unused)
{
    KLOCK_QUEUE_HANDLE Handle;
    VF_BUGCHECK Record;

    KeAcquireInStackQueuedSpinLock(&Shared.Lock, &Handle);
    VF_EXPECT_BUGCHECK (&Record) {
        KeAcquireSpinLockAtDpcLevel(&Shared.Lock);
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x1008);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        LOCK_TEST(ASpinLockExcludes),
        LOCK_TEST(AQueuedSpinLockExcludes),
        LOCK_TEST(AReaderWriterLockKeepsReadersAndWritersApart),
        LOCK_TEST(ReadersShareAndTheLastMayConvert),
        LOCK_TEST(InterlockedListsKeepEveryEntry),
        LOCK_TEST(InterlockedRoutinesWorkAtAnyIrql),
        LOCK_TEST(ARecursiveAcquisitionIsABugCheck),
        LOCK_TEST(ReleasingALockThatIsNotHeldIsABugCheck),
        LOCK_TEST(WrongIrqlsHaveTheVerifiersCodes),
        LOCK_TEST(MixingTheTwoKindsIsABugCheck),
    };
    return cmocka_run_group_tests_name("ke spinlock", Tests, NULL, NULL);
}
