#include "nt/test/nt_test.h"

static const LARGE_INTEGER NoTime;

static void AnEventIsSetResetAndRead(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    EVENT_BASIC_INFORMATION Basic;
    LONG Was;
    assert_status(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime), STATUS_TIMEOUT);
    assert_ok(SYS(NtSetEvent, Event, &Was));
    assert_int_equal(Was, 0);
    assert_ok(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime));
    assert_ok(SYS(NtQueryEvent, Event, EventBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.EventType, NotificationEvent);
    assert_int_equal(Basic.EventState, 1);
    assert_ok(SYS(NtResetEvent, Event, &Was));
    assert_int_equal(Was, 1);
    assert_ok(SYS(NtSetEvent, Event, NULL));
    assert_ok(SYS(NtClearEvent, Event));
    assert_ok(SYS(NtPulseEvent, Event, &Was));
    assert_status(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime), STATUS_TIMEOUT);
    assert_ok(SYS(NtClose, Event));
}

static void ASynchronizationEventWakesOnce(void **Unused)
{
    HANDLE Event = NtTestEvent(SynchronizationEvent, TRUE);
    assert_ok(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime));
    assert_status(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime), STATUS_TIMEOUT);
    assert_ok(SYS(NtClose, Event));
}

static void AnExistingEventIsOpenedIfAsked(void **Unused)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Once");
    HANDLE First, Second;
    assert_ok(SYS(NtCreateEvent, &First, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    assert_status(
        SYS(NtCreateEvent, &Second, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE),
        STATUS_OBJECT_NAME_COLLISION);
    Attributes.Attributes |= OBJ_OPENIF;
    assert_status(
        SYS(NtCreateEvent, &Second, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE),
        STATUS_OBJECT_NAME_EXISTS);
    assert_ok(SYS(NtSetEvent, Second, NULL));
    assert_ok(SYS(NtWaitForSingleObject, First, FALSE, &NoTime));
    assert_ok(SYS(NtClose, First));
    assert_ok(SYS(NtClose, Second));
    assert_status(SYS(NtCreateEvent, &First, EVENT_ALL_ACCESS, NULL, 7, FALSE),
                  STATUS_INVALID_PARAMETER);
}

static void AMutantCountsItsOwner(void **Unused)
{
    MUTANT_BASIC_INFORMATION Basic;
    HANDLE Mutant;
    LONG Was;
    assert_ok(SYS(NtCreateMutant, &Mutant, MUTANT_ALL_ACCESS, NULL, TRUE));
    assert_ok(SYS(NtWaitForSingleObject, Mutant, FALSE, &NoTime));
    assert_ok(SYS(NtQueryMutant, Mutant, MutantBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.CurrentCount, -1);
    assert_true(Basic.OwnedByCaller);
    assert_ok(SYS(NtReleaseMutant, Mutant, &Was));
    assert_int_equal(Was, -1);
    assert_ok(SYS(NtReleaseMutant, Mutant, &Was));
    assert_status(SYS(NtReleaseMutant, Mutant, &Was), STATUS_MUTANT_NOT_OWNED);
    assert_ok(SYS(NtClose, Mutant));
}

static void ASemaphoreHasALimit(void **Unused)
{
    SEMAPHORE_BASIC_INFORMATION Basic;
    HANDLE Semaphore;
    LONG Was = 99;
    assert_status(SYS(NtCreateSemaphore, &Semaphore, SEMAPHORE_ALL_ACCESS, NULL, 3, 2),
                  STATUS_INVALID_PARAMETER);
    assert_status(SYS(NtCreateSemaphore, &Semaphore, SEMAPHORE_ALL_ACCESS, NULL, 0, 0),
                  STATUS_INVALID_PARAMETER);
    assert_ok(SYS(NtCreateSemaphore, &Semaphore, SEMAPHORE_ALL_ACCESS, NULL, 1, 2));
    assert_status(SYS(NtReleaseSemaphore, Semaphore, 2, &Was), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_status(SYS(NtReleaseSemaphore, Semaphore, 0, &Was), STATUS_INVALID_PARAMETER);
    assert_ok(SYS(NtReleaseSemaphore, Semaphore, 1, &Was));
    assert_int_equal(Was, 1);
    assert_ok(
        SYS(NtQuerySemaphore, Semaphore, SemaphoreBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.CurrentCount, 2);
    assert_int_equal(Basic.MaximumCount, 2);
    assert_ok(SYS(NtClose, Semaphore));
}

static void ATimerEndsAWait(void **Unused)
{
    LARGE_INTEGER Due = {.QuadPart = -10000};
    TIMER_BASIC_INFORMATION Basic;
    BOOLEAN Was = TRUE;
    HANDLE Timer;
    assert_status(SYS(NtCreateTimer, &Timer, TIMER_ALL_ACCESS, NULL, 9),
                  STATUS_INVALID_PARAMETER_4);
    assert_ok(SYS(NtCreateTimer, &Timer, TIMER_ALL_ACCESS, NULL, NotificationTimer));
    assert_status(SYS(NtSetTimer, Timer, &Due, NULL, NULL, FALSE, -1, NULL),
                  STATUS_INVALID_PARAMETER_6);
    assert_ok(SYS(NtSetTimer, Timer, &Due, NULL, NULL, FALSE, 0, &Was));
    assert_false(Was);
    assert_ok(SYS(NtWaitForSingleObject, Timer, FALSE, NULL));
    assert_ok(SYS(NtQueryTimer, Timer, TimerBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_true(Basic.TimerState);
    assert_ok(SYS(NtCancelTimer, Timer, &Was));
    assert_true(Was);
    assert_ok(SYS(NtClose, Timer));
}

static ULONG ApcCalls;
static PVOID ApcContext;

static VOID NTAPI TimerApc(PVOID Context, ULONG Low, LONG High)
{
    ApcCalls++;
    ApcContext = Context;
}

static void ATimersApcRunsInAnAlertableWait(void **Unused)
{
    LARGE_INTEGER Due = {.QuadPart = -1}, Long = {.QuadPart = -600000000};
    HANDLE Timer;
    ApcCalls = 0;
    assert_ok(SYS(NtCreateTimer, &Timer, TIMER_ALL_ACCESS, NULL, SynchronizationTimer));
    assert_ok(SYS(NtSetTimer, Timer, &Due, TimerApc, &ApcCalls, FALSE, 0, NULL));
    assert_status(SYS(NtDelayExecution, TRUE, &Long), STATUS_USER_APC);
    assert_int_equal(ApcCalls, 1);
    assert_ptr_equal(ApcContext, &ApcCalls);
    assert_ok(SYS(NtClose, Timer));
}

static void AClosedTimersApcNeverRuns(void **Unused)
{
    LARGE_INTEGER Due = {.QuadPart = -600000000};
    HANDLE Timer;
    ApcCalls = 0;
    assert_ok(SYS(NtCreateTimer, &Timer, TIMER_ALL_ACCESS, NULL, SynchronizationTimer));
    assert_ok(SYS(NtSetTimer, Timer, &Due, TimerApc, NULL, FALSE, 0, NULL));
    assert_ok(SYS(NtClose, Timer));
    assert_status(SYS0(NtTestAlert), STATUS_SUCCESS);
    assert_int_equal(ApcCalls, 0);
}

static void WaitingForManyTellsWhich(void **Unused)
{
    HANDLE Events[3] = {NtTestEvent(NotificationEvent, FALSE), NtTestEvent(NotificationEvent, TRUE),
                        NtTestEvent(NotificationEvent, TRUE)};
    HANDLE Twice[2] = {Events[1], Events[1]};
    assert_status(SYS(NtWaitForMultipleObjects, 3, Events, WaitAny, FALSE, &NoTime),
                  STATUS_WAIT_0 + 1);
    assert_status(SYS(NtWaitForMultipleObjects, 3, Events, WaitAll, FALSE, &NoTime),
                  STATUS_TIMEOUT);
    assert_ok(SYS(NtSetEvent, Events[0], NULL));
    assert_ok(SYS(NtWaitForMultipleObjects, 3, Events, WaitAll, FALSE, &NoTime));
    assert_status(SYS(NtWaitForMultipleObjects, 0, Events, WaitAll, FALSE, &NoTime),
                  STATUS_INVALID_PARAMETER_1);
    assert_status(SYS(NtWaitForMultipleObjects, 65, Events, WaitAll, FALSE, &NoTime),
                  STATUS_INVALID_PARAMETER_1);
    assert_status(SYS(NtWaitForMultipleObjects, 2, Events, 5, FALSE, &NoTime),
                  STATUS_INVALID_PARAMETER_3);
    assert_status(SYS(NtWaitForMultipleObjects, 2, Twice, WaitAll, FALSE, &NoTime),
                  STATUS_INVALID_PARAMETER_MIX);
    for (int i = 0; i < 3; i++)
        assert_ok(SYS(NtClose, Events[i]));
}

static void SignalAndWaitIsOneStep(void **Unused)
{
    HANDLE Set = NtTestEvent(NotificationEvent, FALSE),
           Wait = NtTestEvent(SynchronizationEvent, TRUE), Mutant, Key;
    assert_ok(SYS(NtCreateMutant, &Mutant, MUTANT_ALL_ACCESS, NULL, FALSE));
    assert_ok(SYS(NtSignalAndWaitForSingleObject, Set, Wait, FALSE, &NoTime));
    assert_ok(SYS(NtWaitForSingleObject, Set, FALSE, &NoTime));
    assert_status(SYS(NtSignalAndWaitForSingleObject, Mutant, Wait, FALSE, &NoTime),
                  STATUS_MUTANT_NOT_OWNED);
    assert_ok(SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_QUERY, &Key));
    assert_status(SYS(NtSignalAndWaitForSingleObject, Key, Wait, FALSE, &NoTime),
                  STATUS_OBJECT_TYPE_MISMATCH);
    assert_status(SYS(NtWaitForSingleObject, Key, FALSE, &NoTime), STATUS_ACCESS_DENIED);
    assert_ok(SYS(NtClose, Key));
    assert_ok(SYS(NtClose, Mutant));
    assert_ok(SYS(NtClose, Set));
    assert_ok(SYS(NtClose, Wait));
}

static VOID NTAPI QueuedApc(PVOID A, PVOID B, PVOID C)
{
    assert_ptr_equal(A, (PVOID)1);
    assert_ptr_equal(B, (PVOID)2);
    assert_ptr_equal(C, (PVOID)3);
    ApcCalls++;
}

static void AQueuedApcRunsAtTestAlert(void **Unused)
{
    ApcCalls = 0;
    assert_ok(SYS(NtQueueApcThread, ZwCurrentThread(), QueuedApc, 1, 2, 3));
    assert_int_equal(ApcCalls, 0);
    SYS0(NtTestAlert);
    assert_int_equal(ApcCalls, 1);
}

static void AnAlertEndsAnAlertableWait(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    assert_ok(SYS(NtAlertThread, ZwCurrentThread()));
    assert_status(SYS(NtWaitForSingleObject, Event, TRUE, NULL), STATUS_ALERTED);
    assert_ok(SYS(NtAlertThread, ZwCurrentThread()));
    assert_status(SYS0(NtTestAlert), STATUS_ALERTED);
    assert_ok(SYS(NtClose, Event));
}

static void ACompletionPortKeepsItsOrder(void **Unused)
{
    IO_COMPLETION_BASIC_INFORMATION Basic;
    IO_STATUS_BLOCK Iosb;
    PVOID Key, Context;
    HANDLE Port;
    assert_ok(SYS(NtCreateIoCompletion, &Port,
                  IO_COMPLETION_QUERY_STATE | IO_COMPLETION_MODIFY_STATE, NULL, 0));
    assert_status(SYS(NtRemoveIoCompletion, Port, &Key, &Context, &Iosb, &NoTime), STATUS_TIMEOUT);
    assert_ok(SYS(NtSetIoCompletion, Port, 1, 11, STATUS_SUCCESS, 111));
    assert_ok(SYS(NtSetIoCompletion, Port, 2, 22, STATUS_CANCELLED, 222));
    assert_ok(
        SYS(NtQueryIoCompletion, Port, IoCompletionBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.Depth, 2);
    assert_ok(SYS(NtRemoveIoCompletion, Port, &Key, &Context, &Iosb, NULL));
    assert_ptr_equal(Key, (PVOID)1);
    assert_ptr_equal(Context, (PVOID)11);
    assert_int_equal(Iosb.Information, 111);
    assert_ok(SYS(NtClose, Port)); /* with a packet in it */
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(AnEventIsSetResetAndRead),
        NT_TEST(ASynchronizationEventWakesOnce),
        NT_TEST(AnExistingEventIsOpenedIfAsked),
        NT_TEST(AMutantCountsItsOwner),
        NT_TEST(ASemaphoreHasALimit),
        NT_TEST(ATimerEndsAWait),
        NT_TEST(ATimersApcRunsInAnAlertableWait),
        NT_TEST(AClosedTimersApcNeverRuns),
        NT_TEST(WaitingForManyTellsWhich),
        NT_TEST(SignalAndWaitIsOneStep),
        NT_TEST(AQueuedApcRunsAtTestAlert),
        NT_TEST(AnAlertEndsAnAlertableWait),
        NT_TEST(ACompletionPortKeepsItsOrder),
    };
    return cmocka_run_group_tests_name("nt-sync", Tests, NULL, NULL);
}
