/* Fast mutexes, guarded mutexes, push locks. */
#include "ex_test.h"

#define ROUNDS 2000

static FAST_MUTEX Fast;
static KGUARDED_MUTEX Guarded;
static EX_PUSH_LOCK Push;
static ULONG Counter, Inside;

static void AFastMutexRaisesToApcLevelAndRestores(void **Unused)
{
    ExInitializeFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    ExReleaseFastMutex(&Fast);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void TryThread(void *Taken)
{
    *(BOOLEAN *)Taken = ExTryToAcquireFastMutex(&Fast);
    assert_int_equal(KeGetCurrentIrql(), *(BOOLEAN *)Taken ? APC_LEVEL : PASSIVE_LEVEL);
    if (*(BOOLEAN *)Taken)
        ExReleaseFastMutex(&Fast);
}

static void TryingTakesAFreeFastMutexOnly(void **Unused)
{
    static EX_TEST_THREAD Thread;
    BOOLEAN Taken;

    ExInitializeFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
    ExTestThread(&Thread, TryThread, &Taken);
    ExTestJoin(&Thread);
    assert_false(Taken);
    ExReleaseFastMutex(&Fast);
    ExTestThread(&Thread, TryThread, &Taken);
    ExTestJoin(&Thread);
    assert_true(Taken);
}

static void CountWithFastMutex(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        ExAcquireFastMutex(&Fast);
        Counter++;
        ExReleaseFastMutex(&Fast);
    }
}

/* The holder sleeps, so the others do, too: each of them is woken in the end. */
static void CountAsleepWithFastMutex(void *Unused)
{
    LARGE_INTEGER Moment = {.QuadPart = -100};

    for (int i = 0; i < ROUNDS / 20; i++) {
        ExAcquireFastMutex(&Fast);
        Counter++;
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
        ExReleaseFastMutex(&Fast);
    }
}

static void CountWithGuardedMutex(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        KeAcquireGuardedMutex(&Guarded);
        assert_true(KeAreAllApcsDisabled());
        Counter++;
        KeReleaseGuardedMutex(&Guarded);
    }
}

static void CountWithPushLock(void *Shared)
{
    for (int i = 0; i < ROUNDS; i++) {
        KeEnterCriticalRegion();
        if (i % 4 != 0) {
            ExAcquirePushLockShared(&Push);
            assert_int_equal(__atomic_load_n(&Inside, __ATOMIC_RELAXED), 0);
            ExReleasePushLockShared(&Push);
        } else {
            ExAcquirePushLockExclusive(&Push);
            assert_int_equal(__atomic_fetch_add(&Inside, 1, __ATOMIC_RELAXED), 0);
            Counter++;
            __atomic_fetch_sub(&Inside, 1, __ATOMIC_RELAXED);
            ExReleasePushLockExclusive(&Push);
        }
        KeLeaveCriticalRegion();
    }
}

/* Who holds the lock with others, and leaves it first, has left it for the next holder, too: that
 * is for ThreadSanitizer to see. So nothing else orders these three. */
static volatile ULONG Seen, Step;

static void AwaitStep(ULONG Wanted)
{
    while (__atomic_load_n(&Step, __ATOMIC_RELAXED) != Wanted)
        KiScheduler->Relax(0); /* which orders nothing */
}

static void SetStep(ULONG Next)
{
    __atomic_store_n(&Step, Next, __ATOMIC_RELAXED);
}

static void LeaveFirst(void *Unused)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&Push);
    Seen = Counter;
    SetStep(1);
    AwaitStep(3);
    ExReleasePushLockShared(&Push);
    SetStep(4);
    AwaitStep(5); /* the end of a thread is seen by others */
    KeLeaveCriticalRegion();
}

static void LeaveLast(void *Unused)
{
    AwaitStep(1);
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&Push);
    SetStep(2);
    AwaitStep(4);
    ExReleasePushLockShared(&Push);
    KeLeaveCriticalRegion();
}

static void WriteAfterBoth(void *Unused)
{
    AwaitStep(2);
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Push);
    Counter = 7;
    SetStep(5);
    ExReleasePushLockExclusive(&Push);
    KeLeaveCriticalRegion();
}

static void AWriterComesAfterEveryReader(void **Unused)
{
    static EX_TEST_THREAD Threads[3];
    void (*const Bodies[])(void *) = {LeaveFirst, LeaveLast, WriteAfterBoth};

    ExInitializePushLock(&Push);
    Counter = Step = 0;
    for (int i = 0; i < 3; i++)
        ExTestThread(&Threads[i], Bodies[i], NULL);
    AwaitStep(2);
    while ((__atomic_load_n(&Push, __ATOMIC_RELAXED) & 2) == 0)
        KiScheduler->Relax(0); /* until the writer waits */
    SetStep(3);
    for (int i = 0; i < 3; i++)
        ExTestJoin(&Threads[i]);
    assert_int_equal(Counter, 7);
    assert_int_equal(Seen, 0);
}

static void RunFour(void (*Body)(void *))
{
    static EX_TEST_THREAD Threads[4];

    Counter = 0;
    for (int i = 0; i < 4; i++)
        ExTestThread(&Threads[i], Body, NULL);
    for (int i = 0; i < 4; i++)
        ExTestJoin(&Threads[i]);
}

static void AFastMutexExcludes(void **Unused)
{
    ExInitializeFastMutex(&Fast);
    RunFour(CountWithFastMutex);
    assert_int_equal(Counter, 4 * ROUNDS);
    assert_int_equal(Fast.Count, 1);
}

static void AFastMutexWakesAllThatSleep(void **Unused)
{
    ExInitializeFastMutex(&Fast);
    RunFour(CountAsleepWithFastMutex);
    assert_int_equal(Counter, 4 * (ROUNDS / 20));
    assert_int_equal(Fast.Count, 1); /* nobody is waited for, nobody was woken for nothing */
}

static void CountOnce(void *Unused)
{
    ExAcquireFastMutex(&Fast);
    Counter++;
    ExReleaseFastMutex(&Fast);
}

static void AReleasedFastMutexGoesToEachThatWaits(void **Unused)
{
    static EX_TEST_THREAD Threads[4];

    Counter = 0;
    ExInitializeFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
    for (int i = 0; i < 4; i++)
        ExTestThread(&Threads[i], CountOnce, NULL);
    for (int i = 0; i < 4; i++)
        ExTestUntilWaiting(&Threads[i]);
    assert_int_equal(Counter, 0);
    ExReleaseFastMutex(&Fast);
    for (int i = 0; i < 4; i++)
        ExTestJoin(&Threads[i]);
    assert_int_equal(Counter, 4);
    assert_int_equal(Fast.Count, 1);
    assert_int_equal(Fast.Contention, 4);
}

static void AGuardedMutexExcludes(void **Unused)
{
    KeInitializeGuardedMutex(&Guarded);
    RunFour(CountWithGuardedMutex);
    assert_int_equal(Counter, 4 * ROUNDS);
    assert_true(KeTryToAcquireGuardedMutex(&Guarded));
    KeReleaseGuardedMutex(&Guarded);
    assert_false(KeAreAllApcsDisabled());
}

static void APushLockExcludesWritersAndAdmitsReaders(void **Unused)
{
    ExInitializePushLock(&Push);
    RunFour(CountWithPushLock);
    assert_int_equal(Counter, 4 * ROUNDS / 4);
    assert_int_equal(Push, 0);
}

static void AcquiringAFastMutexTwiceIsASelfDeadlock(void **Unused)
{
    VF_BUGCHECK Record;

    ExInitializeFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
    VF_EXPECT_BUGCHECK (&Record) {
        ExAcquireFastMutex(&Fast);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x1000);
    ExReleaseFastMutex(&Fast);
}

static void ReleasingAFastMutexBelowApcLevelIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    ExInitializeFastMutex(&Fast);
    VF_EXPECT_BUGCHECK (&Record) {
        ExReleaseFastMutex(&Fast);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x34);
    assert_int_equal(Record.Parameters[2], (ULONG_PTR)&Fast);
}

static void AcquiringAFastMutexAtDispatchLevelIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KIRQL Irql;

    ExInitializeFastMutex(&Fast);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    VF_EXPECT_BUGCHECK (&Record) {
        ExAcquireFastMutex(&Fast);
    }
    KeLowerIrql(Irql);
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x33);
}

static void AnUnsafeFastMutexNeedsApcsDisabled(void **Unused)
{
    VF_BUGCHECK Record;

    ExInitializeFastMutex(&Fast);
    VF_EXPECT_BUGCHECK (&Record) {
        ExAcquireFastMutexUnsafe(&Fast);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x39);
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&Fast);
    ExReleaseFastMutexUnsafe(&Fast);
    KeLeaveCriticalRegion();
}

static void ReleasingAFreePushLockIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    ExInitializePushLock(&Push);
    VF_EXPECT_BUGCHECK (&Record) {
        ExReleasePushLockExclusive(&Push);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x1007);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        EX_TEST(AFastMutexRaisesToApcLevelAndRestores),
        EX_TEST(TryingTakesAFreeFastMutexOnly),
        EX_TEST(AFastMutexExcludes),
        EX_TEST(AFastMutexWakesAllThatSleep),
        EX_TEST(AReleasedFastMutexGoesToEachThatWaits),
        EX_TEST(AGuardedMutexExcludes),
        EX_TEST(APushLockExcludesWritersAndAdmitsReaders),
        EX_TEST(AWriterComesAfterEveryReader),
        EX_TEST(AcquiringAFastMutexTwiceIsASelfDeadlock),
        EX_TEST(ReleasingAFastMutexBelowApcLevelIsABugCheck),
        EX_TEST(AcquiringAFastMutexAtDispatchLevelIsABugCheck),
        EX_TEST(AnUnsafeFastMutexNeedsApcsDisabled),
        EX_TEST(ReleasingAFreePushLockIsABugCheck),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
