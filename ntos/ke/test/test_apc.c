/* APCs: delivery, regions, waits, attaching, rundown. */
#include "ke_test.h"

static struct {
    ULONG Kernel, Normal, Rundown, Order[8];
    KIRQL KernelIrql, NormalIrql;
} Seen;

static int Setup(void **State)
{
    memset(&Seen, 0, sizeof(Seen));
    return KeTestBoot(State);
}
#define APC_TEST(test) cmocka_unit_test_setup_teardown(test, Setup, KeTestStop)

static VOID NTAPI KernelRoutine(PRKAPC Apc, KI_NORMAL_ROUTINE **Normal, PVOID *Context,
                                PVOID *Argument1, PVOID *Argument2)
{
    Seen.Order[Seen.Kernel] = (ULONG)(ULONG_PTR)*Argument1;
    Seen.Kernel++;
    Seen.KernelIrql = KeGetCurrentIrql();
}

static VOID NTAPI NormalRoutine(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    Seen.Normal++;
    Seen.NormalIrql = KeGetCurrentIrql();
}

static VOID NTAPI RundownRoutine(PRKAPC Apc)
{
    Seen.Rundown++;
}

static void Queue(PRKAPC Apc, KTHREAD_NT *Thread, KI_NORMAL_ROUTINE *Normal, KPROCESSOR_MODE Mode,
                  ULONG Number)
{
    KeInitializeApc(Apc, Thread, OriginalApcEnvironment, KernelRoutine, RundownRoutine, Normal,
                    Mode, NULL);
    assert_true(KeInsertQueueApc(Apc, (PVOID)(ULONG_PTR)Number, NULL, 0));
}

static void AKernelApcToOneselfRunsAtOnce(void **Unused)
{
    KAPC Apc;

    Queue(&Apc, KeGetCurrentThread(), NULL, KernelMode, 0);
    assert_int_equal(Seen.Kernel, 1);
    assert_int_equal(Seen.KernelIrql, APC_LEVEL);
    Queue(&Apc, KeGetCurrentThread(), NormalRoutine, KernelMode, 0);
    assert_int_equal(Seen.Kernel, 2);
    assert_int_equal(Seen.Normal, 1);
    assert_int_equal(Seen.NormalIrql, PASSIVE_LEVEL);
}

static void RaisedIrqlHoldsAKernelApcOff(void **Unused)
{
    KIRQL Old = KfRaiseIrql(APC_LEVEL);
    KAPC Apc;

    Queue(&Apc, KeGetCurrentThread(), NULL, KernelMode, 0);
    assert_false(KeInsertQueueApc(&Apc, NULL, NULL, 0));
    assert_int_equal(Seen.Kernel, 0);
    KeLowerIrql(Old);
    assert_int_equal(Seen.Kernel, 1);
}

static void ACriticalRegionHoldsOffNormalOnesOnly(void **Unused)
{
    KAPC Special, Normal;

    KeEnterCriticalRegion();
    assert_true(KeAreApcsDisabled());
    assert_false(KeAreAllApcsDisabled());
    Queue(&Normal, KeGetCurrentThread(), NormalRoutine, KernelMode, 1);
    assert_int_equal(Seen.Kernel, 0);
    Queue(&Special, KeGetCurrentThread(), NULL, KernelMode, 2);
    assert_int_equal(Seen.Kernel, 1);
    assert_int_equal(Seen.Order[0], 2);
    KeLeaveCriticalRegion();
    assert_int_equal(Seen.Normal, 1);
}

static void AGuardedRegionHoldsOffAll(void **Unused)
{
    KAPC Special;

    KeEnterGuardedRegion();
    KeEnterGuardedRegion();
    assert_true(KeAreAllApcsDisabled());
    Queue(&Special, KeGetCurrentThread(), NULL, KernelMode, 0);
    KeLeaveGuardedRegion();
    assert_int_equal(Seen.Kernel, 0);
    KeLeaveGuardedRegion();
    assert_int_equal(Seen.Kernel, 1);
    assert_false(KeAreAllApcsDisabled());
}

static ULONG CodeOf(void (*Call)(void), ULONG_PTR *Rule)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        Call();
    }
    *Rule = Record.Parameters[0];
    return Record.Code;
}

static void LeaveCritical(void)
{
    KeLeaveCriticalRegion();
}

static void LeaveGuarded(void)
{
    KeLeaveGuardedRegion();
}

static void EnterCritical(void)
{
    KfRaiseIrql(DISPATCH_LEVEL);
    KeEnterCriticalRegion();
}

static void UnbalancedRegionsAreBugChecks(void **Unused)
{
    ULONG_PTR Rule;

    assert_int_equal(CodeOf(LeaveCritical, &Rule), 0xC4);
    assert_int_equal(Rule, 0x3E);
    assert_int_equal(CodeOf(LeaveGuarded, &Rule), 0xC4);
    assert_int_equal(CodeOf(EnterCritical, &Rule), 0xC4);
    assert_int_equal(Rule, 0x11A);
}

typedef struct SLEEPER {
    KEVENT Event;
    KPROCESSOR_MODE Mode;
    BOOLEAN Alertable;
    NTSTATUS Status;
    KI_USER_APC Apc;
    BOOLEAN Taken;
} SLEEPER;

static void Sleep(void *Parameter)
{
    SLEEPER *Sleeper = Parameter;

    Sleeper->Status = KeWaitForSingleObject(&Sleeper->Event, UserRequest, Sleeper->Mode,
                                            Sleeper->Alertable, NULL);
    Sleeper->Taken = KeTakeUserApc(&Sleeper->Apc);
}

static VOID NTAPI SetEventInApc(PRKAPC Apc, KI_NORMAL_ROUTINE **Normal, PVOID *Context,
                                PVOID *Argument1, PVOID *Argument2)
{
    Seen.Kernel++;
    KeSetEvent(*Argument1, 0, FALSE);
}

static void AKernelApcInterruptsAWaitAndTheWaitGoesOn(void **Unused)
{
    static KE_TEST_THREAD Thread;
    static SLEEPER Sleeper;
    KEVENT Ran;
    KAPC Apc;

    Sleeper = (SLEEPER){.Mode = KernelMode};
    KeInitializeEvent(&Sleeper.Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Ran, NotificationEvent, FALSE);
    KeTestThread(&Thread, Sleep, &Sleeper);
    KeTestUntilWaiting(&Thread);
    KeInitializeApc(&Apc, &Thread.Thread, OriginalApcEnvironment, SetEventInApc, NULL, NULL,
                    KernelMode, NULL);
    assert_true(KeInsertQueueApc(&Apc, &Ran, NULL, 0));
    KeTestWait(&Ran);
    KeTestUntilWaiting(&Thread);
    KeSetEvent(&Sleeper.Event, 0, FALSE);
    KeTestJoin(&Thread);
    assert_int_equal(Sleeper.Status, STATUS_SUCCESS);
    assert_int_equal(Seen.Kernel, 1);
}

static void AUserApcEndsAnAlertableUserWait(void **Unused)
{
    static KE_TEST_THREAD Thread;
    static SLEEPER Sleeper;
    KAPC Apc;

    Sleeper = (SLEEPER){.Mode = UserMode, .Alertable = TRUE};
    KeInitializeEvent(&Sleeper.Event, NotificationEvent, FALSE);
    KeTestThread(&Thread, Sleep, &Sleeper);
    KeTestUntilWaiting(&Thread);
    KeInitializeApc(&Apc, &Thread.Thread, OriginalApcEnvironment, KernelRoutine, NULL,
                    NormalRoutine, UserMode, (PVOID)5);
    KeInsertQueueApc(&Apc, (PVOID)6, (PVOID)7, 0);
    KeTestJoin(&Thread);
    assert_int_equal(Sleeper.Status, STATUS_USER_APC);
    assert_true(Sleeper.Taken);
    assert_int_equal(Seen.Kernel, 1);
    assert_int_equal(Seen.Normal, 0); /* it is the client's to call */
    assert_ptr_equal(Sleeper.Apc.Routine, NormalRoutine);
    assert_ptr_equal(Sleeper.Apc.Context, 5);
    assert_ptr_equal(Sleeper.Apc.Argument1, 6);
    assert_ptr_equal(Sleeper.Apc.Argument2, 7);
}

static void End(void *Unused)
{
    KAPC Apc;

    Queue(&Apc, KeGetCurrentThread(), NormalRoutine, UserMode, 0);
    KeExitThread();
}

static void UserApcsOfAThreadThatEndsAreRunDown(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KAPC Apc;

    KeTestThread(&Thread, End, NULL);
    KeTestJoin(&Thread);
    assert_int_equal(Seen.Rundown, 1);
    KeInitializeApc(&Apc, &Thread.Thread, OriginalApcEnvironment, KernelRoutine, NULL, NULL,
                    KernelMode, NULL);
    assert_false(KeInsertQueueApc(&Apc, NULL, NULL, 0));
}

static void AnApcForTheOwnProcessWaitsWhileAttached(void **Unused)
{
    KPROCESS_NT Other, Third;
    KAPC_STATE_NT Saved, Inner;
    KAPC Apc;

    KeInitializeProcess(&Other);
    KeInitializeProcess(&Third);
    KeAttachProcess_(&Other, &Saved);
    assert_ptr_equal(KeGetCurrentThread()->ApcState.Process, &Other);
    KeAttachProcess_(&Third, &Inner);
    Queue(&Apc, KeGetCurrentThread(), NULL, KernelMode, 0);
    assert_int_equal(Seen.Kernel, 0);
    KeDetachProcess_(&Inner);
    assert_ptr_equal(KeGetCurrentThread()->ApcState.Process, &Other);
    KeDetachProcess_(&Saved);
    assert_int_equal(Seen.Kernel, 1);
    assert_ptr_equal(KeGetCurrentThread()->ApcState.Process, &KeTestProcess);
}

static void ADetachWithoutAnAttachIsABugCheck(void **Unused)
{
    KAPC_STATE_NT Saved = {.Process = NULL};
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        KeDetachProcess_(&Saved);
    }
    assert_int_equal(Record.Code, 0x06);
}

static VOID NTAPI StayRaised(PRKAPC Apc, KI_NORMAL_ROUTINE **Normal, PVOID *Context,
                             PVOID *Argument1, PVOID *Argument2)
{
    KfRaiseIrql(DISPATCH_LEVEL);
}

static void AnApcRoutineThatChangesIrqlIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KAPC Apc;

    KeInitializeApc(&Apc, KeGetCurrentThread(), OriginalApcEnvironment, StayRaised, NULL, NULL,
                    KernelMode, NULL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeInsertQueueApc(&Apc, NULL, NULL, 0);
    }
    assert_int_equal(Record.Code, 0xC8);
    assert_int_equal(Record.Parameters[0], DISPATCH_LEVEL << 16 | APC_LEVEL << 8);
    assert_int_equal(Record.Parameters[1], (ULONG_PTR)StayRaised);
}

static uint32_t Bell, Asleep;
static void AnswerDoorbell(void *Unused)
{
    while (__atomic_load_n(&Bell, __ATOMIC_ACQUIRE) == 0) {
        KeWaitForDoorbell(&Bell, 0, &Asleep, FALSE);
        KeDeliverKernelApcs();
    }
}

static void AnApcReachesAThreadAtItsDoorbell(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KEVENT Ran;
    KAPC Apc;

    Bell = 0;
    KeTestThread(&Thread, AnswerDoorbell, NULL);
    KeInitializeApc(&Apc, &Thread.Thread, OriginalApcEnvironment, SetEventInApc, NULL, NULL,
                    KernelMode, NULL);
    for (ULONG i = 1; i <= 100; i++) {
        KeInitializeEvent(&Ran, NotificationEvent, FALSE);
        assert_true(KeInsertQueueApc(&Apc, &Ran, NULL, 0));
        KeTestWait(&Ran);
        assert_int_equal(Seen.Kernel, i);
    }
    __atomic_store_n(&Bell, 1, __ATOMIC_RELEASE);
    host_futex_wake(&Bell, 1, true);
    KeTestJoin(&Thread);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        APC_TEST(AKernelApcToOneselfRunsAtOnce),
        APC_TEST(RaisedIrqlHoldsAKernelApcOff),
        APC_TEST(ACriticalRegionHoldsOffNormalOnesOnly),
        APC_TEST(AGuardedRegionHoldsOffAll),
        APC_TEST(UnbalancedRegionsAreBugChecks),
        APC_TEST(AKernelApcInterruptsAWaitAndTheWaitGoesOn),
        APC_TEST(AUserApcEndsAnAlertableUserWait),
        APC_TEST(UserApcsOfAThreadThatEndsAreRunDown),
        APC_TEST(AnApcForTheOwnProcessWaitsWhileAttached),
        APC_TEST(ADetachWithoutAnAttachIsABugCheck),
        APC_TEST(AnApcRoutineThatChangesIrqlIsABugCheck),
        APC_TEST(AnApcReachesAThreadAtItsDoorbell),
    };
    return cmocka_run_group_tests_name("ke apc", Tests, NULL, NULL);
}
