/* Timers that the executive allocates. */
#include "ke_test.h"

static struct {
    KEVENT Called, Deleted;
    ULONG Calls;
    KIRQL Irql;
} Seen;

static int Setup(void **State)
{
    int Result = KeTestBoot(State);

    memset(&Seen, 0, sizeof(Seen));
    KeInitializeEvent(&Seen.Called, NotificationEvent, FALSE);
    KeInitializeEvent(&Seen.Deleted, NotificationEvent, FALSE);
    return Result;
}
#define TIMER_TEST(test) cmocka_unit_test_setup_teardown(test, Setup, KeTestStop)

static void NTAPI Callback(PEX_TIMER Timer, PVOID Context)
{
    Seen.Irql = KeGetCurrentIrql();
    if (++Seen.Calls >= (ULONG)(ULONG_PTR)Context)
        KeSetEvent(&Seen.Called, 0, FALSE);
}

static void NTAPI Deleted(void *Context)
{
    KeSetEvent(Context, 0, FALSE);
}

static void ItsCallbackRunsAtDispatchLevel(void **Unused)
{
    PEX_TIMER Timer = ExAllocateTimer(Callback, (PVOID)1, EX_TIMER_HIGH_RESOLUTION);

    assert_false(ExSetTimer(Timer, -10000, 0, NULL));
    assert_int_equal(KeTestWait(&Seen.Called), STATUS_SUCCESS);
    assert_false(ExDeleteTimer(Timer, TRUE, TRUE, NULL));
    assert_int_equal(Seen.Irql, DISPATCH_LEVEL);
    assert_int_equal(Seen.Calls, 1);
}

static void ItRepeatsUntilItIsCancelled(void **Unused)
{
    PEX_TIMER Timer = ExAllocateTimer(Callback, (PVOID)3, 0);

    ExSetTimer(Timer, -1, 10000, NULL);
    assert_int_equal(KeTestWait(&Seen.Called), STATUS_SUCCESS);
    assert_true(ExCancelTimer(Timer, NULL));
    assert_false(ExCancelTimer(Timer, NULL));
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
}

static void ItCanBeWaitedFor(void **Unused)
{
    PEX_TIMER Timer = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION);

    ExSetTimer(Timer, -10000, 0, NULL);
    assert_int_equal(KeTestWait(Timer), STATUS_SUCCESS);
    assert_int_equal(KeTestWait(Timer), STATUS_SUCCESS);
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
}

static void DeletionTellsWhenItIsDone(void **Unused)
{
    EXT_DELETE_PARAMETERS Parameters = {.DeleteCallback = Deleted, .DeleteContext = &Seen.Deleted};
    PEX_TIMER Timer = ExAllocateTimer(Callback, (PVOID)1, 0);

    ExSetTimer(Timer, -10000000000, 0, NULL);
    assert_true(ExDeleteTimer(Timer, TRUE, FALSE, &Parameters));
    assert_int_equal(KeTestWait(&Seen.Deleted), STATUS_SUCCESS);
    assert_int_equal(Seen.Calls, 0);
}

static void WithoutCancelItExpiresFirst(void **Unused)
{
    EXT_DELETE_PARAMETERS Parameters = {.DeleteCallback = Deleted, .DeleteContext = &Seen.Deleted};
    PEX_TIMER Timer = ExAllocateTimer(Callback, (PVOID)1, 0);

    ExSetTimer(Timer, -20000, 0, NULL);
    assert_false(ExDeleteTimer(Timer, FALSE, FALSE, &Parameters));
    assert_int_equal(KeTestWait(&Seen.Deleted), STATUS_SUCCESS);
    assert_int_equal(Seen.Calls, 1);
}

static void WrongArgumentsAreBugChecks(void **Unused)
{
    PEX_TIMER Timer = ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION);
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        ExSetTimer(Timer, 1, 0, NULL);
    }
    assert_int_equal(Record.Code, 0x139);
    VF_EXPECT_BUGCHECK (&Record) {
        ExDeleteTimer(Timer, FALSE, TRUE, NULL);
    }
    assert_int_equal(Record.Code, 0x139);
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TIMER_TEST(ItsCallbackRunsAtDispatchLevel),
        TIMER_TEST(ItRepeatsUntilItIsCancelled),
        TIMER_TEST(ItCanBeWaitedFor),
        TIMER_TEST(DeletionTellsWhenItIsDone),
        TIMER_TEST(WithoutCancelItExpiresFirst),
        TIMER_TEST(WrongArgumentsAreBugChecks),
    };
    return cmocka_run_group_tests_name("ke extimer", Tests, NULL, NULL);
}
