/* Timers: due times, kinds, periods, DPCs, cancelling. */
#include "ke_test.h"

static void ATimerIsSignalledWhenItIsDue(void **Unused)
{
    ULONG64 Before = KiScheduler->InterruptTime();
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    assert_false(KeSetTimer(&Timer, KeTestMilliseconds(4), NULL));
    assert_int_equal(KeTestWait(&Timer), STATUS_SUCCESS);
    assert_true(KiScheduler->InterruptTime() >= Before + 40000);
    assert_true(KeReadStateTimer(&Timer));
    assert_int_equal(KeTestPoll(&Timer), STATUS_SUCCESS);
    assert_false(KeCancelTimer(&Timer));
}

static void ASynchronizationTimerLetsOneWaitThrough(void **Unused)
{
    KTIMER Timer;

    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    KeSetTimer(&Timer, KeTestMilliseconds(1), NULL);
    assert_int_equal(KeTestWait(&Timer), STATUS_SUCCESS);
    assert_int_equal(KeTestPoll(&Timer), STATUS_TIMEOUT);
}

static void AnAbsoluteTimeIsSystemTime(void **Unused)
{
    LARGE_INTEGER Due;
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    KeQuerySystemTimePrecise(&Due);
    Due.QuadPart += 30000;
    KeSetTimer(&Timer, Due, NULL);
    assert_int_equal(KeTestWait(&Timer), STATUS_SUCCESS);
    Due.QuadPart = 1;
    KeSetTimer(&Timer, Due, NULL);
    assert_true(KeReadStateTimer(&Timer));
}

static void ATimerThatIsDueAtOnceHasExpiredOnReturn(void **Unused)
{
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    assert_false(KeSetTimer(&Timer, KeTestZero, NULL));
    assert_true(KeReadStateTimer(&Timer));
}

static void SettingAgainReplacesAndCancellingRemoves(void **Unused)
{
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    assert_false(KeSetTimer(&Timer, KeTestMilliseconds(1000000), NULL));
    assert_true(KeSetTimer(&Timer, KeTestMilliseconds(2000000), NULL));
    assert_true(KeCancelTimer(&Timer));
    assert_false(KeCancelTimer(&Timer));
    assert_int_equal(KeTestPoll(&Timer), STATUS_TIMEOUT);
}

typedef struct TICKS {
    KTIMER Timer;
    KDPC Dpc;
    ULONG Count;
    KEVENT Enough;
} TICKS;

static VOID NTAPI CountTick(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    TICKS *Ticks = Context;

    if (++Ticks->Count >= 5)
        KeSetEvent(&Ticks->Enough, 0, FALSE);
}

static void APeriodicTimerQueuesItsDpcAgainAndAgain(void **Unused)
{
    static TICKS Ticks;
    ULONG64 Before = KiScheduler->InterruptTime();

    memset(&Ticks, 0, sizeof(Ticks));
    KeInitializeTimer(&Ticks.Timer);
    KeInitializeDpc(&Ticks.Dpc, CountTick, &Ticks);
    KeInitializeEvent(&Ticks.Enough, NotificationEvent, FALSE);
    KeSetTimerEx(&Ticks.Timer, KeTestMilliseconds(1), 1, &Ticks.Dpc);
    assert_int_equal(KeTestWait(&Ticks.Enough), STATUS_SUCCESS);
    assert_true(KiScheduler->InterruptTime() >= Before + 50000);
    assert_true(KeCancelTimer(&Ticks.Timer));
    KeFlushQueuedDpcs();
    assert_true(Ticks.Count >= 5);
}

#define MANY 200
static ULONG Fired;

static VOID NTAPI Fire(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    __atomic_fetch_add(&Fired, 1, __ATOMIC_RELAXED);
}

static void ManyTimersAllFire(void **Unused)
{
    static KTIMER Timers[MANY];
    static KDPC Dpcs[MANY];

    Fired = 0;
    for (ULONG i = 0; i < MANY; i++) {
        KeInitializeTimer(&Timers[i]);
        KeInitializeDpc(&Dpcs[i], Fire, NULL);
        KeSetTimer(&Timers[i], KeTestMilliseconds((LONG)(i * 7 % 20)), &Dpcs[i]);
    }
    for (ULONG i = 0; i < MANY; i++)
        KeTestWait(&Timers[i]);
    KeFlushQueuedDpcs();
    assert_int_equal(Fired, MANY);
}

static void SetAndCancel(void *Unused)
{
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    for (LONG i = 0; i < 1000; i++) {
        KeSetTimer(&Timer, (LARGE_INTEGER){.QuadPart = -(i % 50)}, NULL);
        if (i % 2)
            KeCancelTimer(&Timer);
    }
    KeCancelTimer(&Timer);
}

static void ThreadsMaySetAndCancelWhileTheClockRuns(void **Unused)
{
    static KE_TEST_THREAD Threads[3];
    PVOID Object;
    ULONG Kind;

    for (int i = 0; i < 3; i++)
        KeTestThread(&Threads[i], SetAndCancel, NULL);
    for (int i = 0; i < 3; i++)
        KeTestJoin(&Threads[i]);
    assert_false(KeFindObjectInRange(NULL, MAXLONG_PTR, &Kind, &Object));
}

static void ATimerThatIsSetIsFoundInItsMemory(void **Unused)
{
    KTIMER Timer;
    PVOID Object;
    ULONG Kind;

    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, KeTestMilliseconds(1000000), NULL);
    assert_true(KeFindObjectInRange(&Timer, sizeof(Timer), &Kind, &Object));
    assert_int_equal(Kind, 0);
    assert_ptr_equal(Object, &Timer);
    KeCancelTimer(&Timer);
    assert_false(KeFindObjectInRange(&Timer, sizeof(Timer), &Kind, &Object));
}

static void SettingAboveDispatchLevelIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    KfRaiseIrql(HIGH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeSetTimer(&Timer, KeTestMilliseconds(1), NULL);
    }
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(Record.Code, 0x0A);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(ATimerIsSignalledWhenItIsDue),
        KE_TEST(ASynchronizationTimerLetsOneWaitThrough),
        KE_TEST(AnAbsoluteTimeIsSystemTime),
        KE_TEST(ATimerThatIsDueAtOnceHasExpiredOnReturn),
        KE_TEST(SettingAgainReplacesAndCancellingRemoves),
        KE_TEST(APeriodicTimerQueuesItsDpcAgainAndAgain),
        KE_TEST(ManyTimersAllFire),
        KE_TEST(ThreadsMaySetAndCancelWhileTheClockRuns),
        KE_TEST(ATimerThatIsSetIsFoundInItsMemory),
        KE_TEST(SettingAboveDispatchLevelIsABugCheck),
    };
    return cmocka_run_group_tests_name("ke timer", Tests, NULL, NULL);
}
