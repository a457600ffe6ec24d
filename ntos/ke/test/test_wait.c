/* Waits for several objects, alerts, termination. */
#include "ke_test.h"

static NTSTATUS WaitMany(ULONG Count, PVOID *Objects, WAIT_TYPE Type, PLARGE_INTEGER Timeout)
{
    KWAIT_BLOCK Blocks[MAXIMUM_WAIT_OBJECTS];

    return KeWaitForMultipleObjects(Count, Objects, Type, Executive, KernelMode, FALSE, Timeout,
                                    Blocks);
}

static void WaitAnyTellsTheFirstSignalledObject(void **Unused)
{
    KEVENT Events[3];
    PVOID Objects[3];

    for (int i = 0; i < 3; i++) {
        KeInitializeEvent(&Events[i], SynchronizationEvent, i > 0);
        Objects[i] = &Events[i];
    }
    assert_int_equal(WaitMany(3, Objects, WaitAny, NULL), STATUS_WAIT_1);
    assert_int_equal(WaitMany(3, Objects, WaitAny, NULL), STATUS_WAIT_2);
    assert_int_equal(WaitMany(3, Objects, WaitAny, &KeTestZero), STATUS_TIMEOUT);
}

static void WaitAllTakesNothingUntilAllAreSignalled(void **Unused)
{
    LARGE_INTEGER Short = KeTestMilliseconds(2);
    KEVENT Events[3];
    PVOID Objects[3];

    for (int i = 0; i < 3; i++) {
        KeInitializeEvent(&Events[i], SynchronizationEvent, i > 0);
        Objects[i] = &Events[i];
    }
    assert_int_equal(WaitMany(3, Objects, WaitAll, &KeTestZero), STATUS_TIMEOUT);
    assert_int_equal(WaitMany(3, Objects, WaitAll, &Short), STATUS_TIMEOUT);
    assert_int_not_equal(KeReadStateEvent(&Events[1]), 0);
    assert_int_not_equal(KeReadStateEvent(&Events[2]), 0);
    KeSetEvent(&Events[0], 0, FALSE);
    assert_int_equal(WaitMany(3, Objects, WaitAll, &Short), STATUS_WAIT_0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(KeReadStateEvent(&Events[i]), 0);
}

#define FORKS 4
#define MEALS 300
static KSEMAPHORE Forks[FORKS];
static ULONG Eaters[FORKS];

/* Each takes two neighbouring forks at once; all in a circle, in conflicting order. */
static void Dine(void *Parameter)
{
    ULONG Seat = (ULONG)(ULONG_PTR)Parameter, Next = (Seat + 1) % FORKS;
    PVOID Objects[2] = {&Forks[Seat], &Forks[Next]};

    for (ULONG i = 0; i < MEALS; i++) {
        if (WaitMany(2, Objects, WaitAll, NULL) != STATUS_WAIT_0)
            fail();
        Eaters[Seat]++; /* plain: the forks are the locks */
        Eaters[Next]++;
        KeReleaseSemaphore(&Forks[Next], 0, 1, FALSE);
        KeReleaseSemaphore(&Forks[Seat], 0, 1, FALSE);
    }
}

static void WaitAllNeitherDeadlocksNorLetsTwoIn(void **Unused)
{
    static KE_TEST_THREAD Threads[FORKS];

    memset(Eaters, 0, sizeof(Eaters));
    for (int i = 0; i < FORKS; i++)
        KeInitializeSemaphore(&Forks[i], 1, 1);
    for (int i = 0; i < FORKS; i++)
        KeTestThread(&Threads[i], Dine, (PVOID)(ULONG_PTR)i);
    for (int i = 0; i < FORKS; i++)
        KeTestJoin(&Threads[i]);
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(Eaters[i], 2 * MEALS);
}

static ULONG CodeOf(ULONG Count, PKWAIT_BLOCK Blocks)
{
    PVOID Objects[MAXIMUM_WAIT_OBJECTS + 1];
    VF_BUGCHECK Record;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    for (ULONG i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
        Objects[i] = &Event;
    VF_EXPECT_BUGCHECK (&Record) {
        KeWaitForMultipleObjects(Count, Objects, WaitAny, Executive, KernelMode, FALSE, NULL,
                                 Blocks);
    }
    return Record.Code;
}

static void TooManyObjectsAreABugCheck(void **Unused)
{
    KWAIT_BLOCK Blocks[MAXIMUM_WAIT_OBJECTS + 1];

    assert_int_equal(CodeOf(THREAD_WAIT_OBJECTS, NULL), 0);
    assert_int_equal(CodeOf(THREAD_WAIT_OBJECTS + 1, NULL), 0x0C);
    assert_int_equal(CodeOf(MAXIMUM_WAIT_OBJECTS, Blocks), 0);
    assert_int_equal(CodeOf(MAXIMUM_WAIT_OBJECTS + 1, Blocks), 0x0C);
}

static void AnObjectMayStandTwiceInAWait(void **Unused)
{
    KEVENT Event;
    PVOID Objects[2] = {&Event, &Event};

    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    assert_int_equal(WaitMany(2, Objects, WaitAny, NULL), STATUS_WAIT_0);
    assert_int_equal(WaitMany(2, Objects, WaitAny, &KeTestZero), STATUS_TIMEOUT);
}

static void WaitFor(void *Object)
{
    KeTestWait(Object);
}

static void AThreadObjectIsSignalledWhenItEnds(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KEVENT Go;

    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    KeTestThread(&Thread, WaitFor, &Go);
    KeTestUntilWaiting(&Thread);
    assert_int_equal(KeTestPoll(&Thread.Thread), STATUS_TIMEOUT);
    KeSetEvent(&Go, 0, FALSE);
    KeTestJoin(&Thread);
    assert_int_equal(KeTestPoll(&Thread.Thread), STATUS_SUCCESS);
}

typedef struct SLEEPER {
    KEVENT Event;
    KPROCESSOR_MODE Mode;
    BOOLEAN Alertable;
    NTSTATUS First, Second;
} SLEEPER;

static void Sleep(void *Parameter)
{
    SLEEPER *Sleeper = Parameter;

    Sleeper->First = KeWaitForSingleObject(&Sleeper->Event, UserRequest, Sleeper->Mode,
                                           Sleeper->Alertable, NULL);
    Sleeper->Second = KeWaitForSingleObject(&Sleeper->Event, UserRequest, Sleeper->Mode,
                                            Sleeper->Alertable, &KeTestZero);
}

static void Interrupt(SLEEPER *Sleeper, KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                      void (*How)(KTHREAD_NT *))
{
    static KE_TEST_THREAD Thread;

    Sleeper->Mode = Mode;
    Sleeper->Alertable = Alertable;
    KeInitializeEvent(&Sleeper->Event, NotificationEvent, FALSE);
    KeTestThread(&Thread, Sleep, Sleeper);
    KeTestUntilWaiting(&Thread);
    How(&Thread.Thread);
    if (!Alertable && Mode == KernelMode)
        KeSetEvent(&Sleeper->Event, 0, FALSE);
    KeTestJoin(&Thread);
}

static void AlertKernel(KTHREAD_NT *Thread)
{
    KeAlertThread_(Thread, KernelMode);
}

static void AnAlertEndsAnAlertableWait(void **Unused)
{
    static SLEEPER Sleeper;

    Interrupt(&Sleeper, KernelMode, TRUE, AlertKernel);
    assert_int_equal(Sleeper.First, STATUS_ALERTED);
    assert_int_equal(Sleeper.Second, STATUS_TIMEOUT);
    Interrupt(&Sleeper, KernelMode, FALSE, AlertKernel);
    assert_int_equal(Sleeper.First, STATUS_SUCCESS);
}

static void AnAlertIsKeptForTheNextAlertableWait(void **Unused)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeAlertThread_(KeGetCurrentThread(), KernelMode);
    assert_int_equal(KeTestPoll(&Event), STATUS_TIMEOUT);
    assert_int_equal(KeWaitForSingleObject(&Event, Executive, KernelMode, TRUE, NULL),
                     STATUS_ALERTED);
    KeAlertThread_(KeGetCurrentThread(), UserMode);
    assert_true(KeTestAlertThread_(UserMode));
    assert_false(KeTestAlertThread_(UserMode));
}

static void TerminationEndsUserAndAlertableWaitsOnly(void **Unused)
{
    static SLEEPER Sleeper;

    Interrupt(&Sleeper, UserMode, FALSE, KeTerminateThread_);
    assert_int_equal(Sleeper.First, STATUS_THREAD_IS_TERMINATING);
    assert_int_equal(Sleeper.Second, STATUS_THREAD_IS_TERMINATING);
    Interrupt(&Sleeper, KernelMode, TRUE, KeTerminateThread_);
    assert_int_equal(Sleeper.First, STATUS_THREAD_IS_TERMINATING);
    Interrupt(&Sleeper, KernelMode, FALSE, KeTerminateThread_);
    assert_int_equal(Sleeper.First, STATUS_SUCCESS);
    assert_int_equal(Sleeper.Second, STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(WaitAnyTellsTheFirstSignalledObject),
        KE_TEST(WaitAllTakesNothingUntilAllAreSignalled),
        KE_TEST(WaitAllNeitherDeadlocksNorLetsTwoIn),
        KE_TEST(TooManyObjectsAreABugCheck),
        KE_TEST(AnObjectMayStandTwiceInAWait),
        KE_TEST(AThreadObjectIsSignalledWhenItEnds),
        KE_TEST(AnAlertEndsAnAlertableWait),
        KE_TEST(AnAlertIsKeptForTheNextAlertableWait),
        KE_TEST(TerminationEndsUserAndAlertableWaitsOnly),
    };
    return cmocka_run_group_tests_name("ke wait", Tests, NULL, NULL);
}
