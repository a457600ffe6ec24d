/* Events and waits for one object. */
#include "ke_test.h"

static void ANotificationEventStaysSignalled(void **Unused)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    assert_int_equal(KeTestPoll(&Event), STATUS_TIMEOUT);
    assert_int_equal(KeSetEvent(&Event, 0, FALSE), 0);
    assert_int_not_equal(KeSetEvent(&Event, 0, FALSE), 0);
    assert_int_equal(KeTestWait(&Event), STATUS_SUCCESS);
    assert_int_equal(KeTestWait(&Event), STATUS_SUCCESS);
    assert_int_not_equal(KeReadStateEvent(&Event), 0);
    assert_int_not_equal(KeResetEvent(&Event), 0);
    assert_int_equal(KeResetEvent(&Event), 0);
    assert_int_equal(KeTestPoll(&Event), STATUS_TIMEOUT);
}

static void ASynchronizationEventLetsOneWaitThrough(void **Unused)
{
    KEVENT Event;

    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    assert_int_equal(KeTestWait(&Event), STATUS_SUCCESS);
    assert_int_equal(KeTestPoll(&Event), STATUS_TIMEOUT);
    KeSetEvent(&Event, 0, FALSE);
    KeClearEvent(&Event);
    assert_int_equal(KeReadStateEvent(&Event), 0);
}

static void WaitFor(void *Event)
{
    assert_int_equal(KeTestWait(Event), STATUS_SUCCESS);
}

static void SettingANotificationEventWakesAllWaiters(void **Unused)
{
    static KE_TEST_THREAD Threads[4];
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    for (int i = 0; i < 4; i++)
        KeTestThread(&Threads[i], WaitFor, &Event);
    for (int i = 0; i < 4; i++)
        KeTestUntilWaiting(&Threads[i]);
    KeSetEvent(&Event, 0, FALSE);
    for (int i = 0; i < 4; i++)
        KeTestJoin(&Threads[i]);
}

static void PulsingWakesTheWaitersOfTheMoment(void **Unused)
{
    static KE_TEST_THREAD Threads[2];
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    for (int i = 0; i < 2; i++)
        KeTestThread(&Threads[i], WaitFor, &Event);
    for (int i = 0; i < 2; i++)
        KeTestUntilWaiting(&Threads[i]);
    assert_int_equal(KePulseEvent(&Event, 0, FALSE), 0);
    for (int i = 0; i < 2; i++)
        KeTestJoin(&Threads[i]);
    assert_int_equal(KeReadStateEvent(&Event), 0);
}

typedef struct PINGPONG {
    KEVENT Ping, Pong;
    ULONG Value;
} PINGPONG;

static void Answer(void *Parameter)
{
    PINGPONG *Game = Parameter;

    for (ULONG i = 0; i < 500; i++) {
        KeTestWait(&Game->Ping);
        Game->Value++;
        KeSetEvent(&Game->Pong, 0, TRUE); /* a wait follows at once */
    }
    KeTestWait(&Game->Ping);
}

static void DataWrittenBeforeASetIsSeenAfterTheWait(void **Unused)
{
    static KE_TEST_THREAD Thread;
    PINGPONG Game = {.Value = 0};

    KeInitializeEvent(&Game.Ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Game.Pong, SynchronizationEvent, FALSE);
    KeTestThread(&Thread, Answer, &Game);
    for (ULONG i = 0; i < 500; i++) {
        Game.Value++;
        KeSetEvent(&Game.Ping, 0, FALSE);
        KeTestWait(&Game.Pong);
        assert_int_equal(Game.Value, 2 * (i + 1));
    }
    KeSetEvent(&Game.Ping, 0, FALSE);
    KeTestJoin(&Thread);
}

static void SettingWithWaitStaysAtDispatchLevelUntilTheWait(void **Unused)
{
    KEVENT Event, Other;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Other, NotificationEvent, TRUE);
    KeSetEvent(&Event, 0, TRUE);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_int_equal(KeTestWait(&Other), STATUS_SUCCESS);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void AWaitEndsAtItsTimeout(void **Unused)
{
    LARGE_INTEGER Relative = KeTestMilliseconds(5), Absolute;
    ULONG64 Before = KiScheduler->InterruptTime();
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    assert_int_equal(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Relative),
                     STATUS_TIMEOUT);
    assert_true(KiScheduler->InterruptTime() >= Before + 50000);
    KeQuerySystemTimePrecise(&Absolute);
    Absolute.QuadPart += 50000;
    assert_int_equal(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Absolute),
                     STATUS_TIMEOUT);
    Absolute.QuadPart = 1; /* long ago */
    assert_int_equal(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Absolute),
                     STATUS_TIMEOUT);
    assert_true(IsListEmpty(&Event.Header.WaitListHead));
}

static void ADelayLastsItsInterval(void **Unused)
{
    LARGE_INTEGER Interval = KeTestMilliseconds(3);
    ULONG64 Before = KiScheduler->InterruptTime();

    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &Interval), STATUS_SUCCESS);
    assert_true(KiScheduler->InterruptTime() >= Before + 30000);
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &KeTestZero), STATUS_SUCCESS);
}

static ULONG BadWait(PLARGE_INTEGER Timeout, KIRQL Irql)
{
    VF_BUGCHECK Record;
    KEVENT Event;
    KIRQL Old = KfRaiseIrql(Irql);

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    VF_EXPECT_BUGCHECK (&Record) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, Timeout);
    }
    KeLowerIrql(Old);
    return Record.Code == 0xC4 ? (ULONG)Record.Parameters[0] : Record.Code;
}

static void WaitingAtDispatchLevelIsABugCheckUnlessTheTimeoutIsZero(void **Unused)
{
    LARGE_INTEGER Timeout = KeTestMilliseconds(1);

    assert_int_equal(BadWait(&KeTestZero, DISPATCH_LEVEL), 0);
    assert_int_equal(BadWait(NULL, DISPATCH_LEVEL), 0x121);
    assert_int_equal(BadWait(&Timeout, DISPATCH_LEVEL), 0x122);
    assert_int_equal(BadWait(&KeTestZero, HIGH_LEVEL), 0x120);
}

static void SettingAboveDispatchLevelIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KfRaiseIrql(HIGH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeSetEvent(&Event, 0, FALSE);
    }
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x80);
    assert_int_equal(Record.Parameters[2], (ULONG_PTR)&Event);
}

static void AUserModeWaitForAnObjectOnTheStackIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    VF_EXPECT_BUGCHECK (&Record) {
        KeWaitForSingleObject(&Event, UserRequest, UserMode, FALSE, NULL);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x123);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(ANotificationEventStaysSignalled),
        KE_TEST(ASynchronizationEventLetsOneWaitThrough),
        KE_TEST(SettingANotificationEventWakesAllWaiters),
        KE_TEST(PulsingWakesTheWaitersOfTheMoment),
        KE_TEST(DataWrittenBeforeASetIsSeenAfterTheWait),
        KE_TEST(SettingWithWaitStaysAtDispatchLevelUntilTheWait),
        KE_TEST(AWaitEndsAtItsTimeout),
        KE_TEST(ADelayLastsItsInterval),
        KE_TEST(WaitingAtDispatchLevelIsABugCheckUnlessTheTimeoutIsZero),
        KE_TEST(SettingAboveDispatchLevelIsABugCheck),
        KE_TEST(AUserModeWaitForAnObjectOnTheStackIsABugCheck),
    };
    return cmocka_run_group_tests_name("ke event", Tests, NULL, NULL);
}
