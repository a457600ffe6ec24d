/* Mutexes and mutants: ownership, recursion, abandonment, APCs. */
#include "ke_test.h"

#include <ntseh.h>

#define THREADS 4
#define ROUNDS 300

static KMUTEX Mutex;
static ULONG Count;

static void CountUnderMutex(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        KeTestWait(&Mutex);
        Count++;
        KeReleaseMutex(&Mutex, FALSE);
    }
}

static void AMutexExcludes(void **Unused)
{
    static KE_TEST_THREAD Threads[THREADS];

    Count = 0;
    KeInitializeMutex(&Mutex, 0);
    for (int i = 0; i < THREADS; i++)
        KeTestThread(&Threads[i], CountUnderMutex, NULL);
    for (int i = 0; i < THREADS; i++)
        KeTestJoin(&Threads[i]);
    assert_int_equal(Count, THREADS * ROUNDS);
    assert_int_equal(KeReadStateMutex(&Mutex), 1);
}

static void ItsOwnerMayTakeItAgain(void **Unused)
{
    KeInitializeMutex(&Mutex, 0);
    assert_int_equal(KeTestWait(&Mutex), STATUS_SUCCESS);
    assert_int_equal(KeTestWait(&Mutex), STATUS_SUCCESS);
    assert_int_equal(KeReadStateMutex(&Mutex), -1);
    assert_int_not_equal(KeReleaseMutex(&Mutex, FALSE), 0);
    assert_int_equal(KeReleaseMutex(&Mutex, FALSE), 0);
    assert_int_equal(KeReadStateMutex(&Mutex), 1);
}

static void AMutexHoldsOffKernelApcsAndAMutantDoesNot(void **Unused)
{
    KMUTANT Mutant;

    KeInitializeMutex(&Mutex, 0);
    KeTestWait(&Mutex);
    assert_true(KeAreApcsDisabled());
    KeReleaseMutex(&Mutex, FALSE);
    assert_false(KeAreApcsDisabled());
    KeInitializeMutant(&Mutant, TRUE);
    assert_int_equal(KeReadStateMutant(&Mutant), 0);
    assert_false(KeAreApcsDisabled());
    KeReleaseMutant(&Mutant, 0, FALSE, FALSE);
}

static NTSTATUS StatusOfRelease(PRKMUTANT Mutant)
{
    volatile NTSTATUS Status = STATUS_SUCCESS;

    __try {
        KeReleaseMutant(Mutant, 0, FALSE, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static void ReleaseForeign(void *Mutant)
{
    assert_int_equal(StatusOfRelease(Mutant), STATUS_MUTANT_NOT_OWNED);
}

static void ReleasingAMutexOfAnotherThreadRaises(void **Unused)
{
    static KE_TEST_THREAD Thread;

    KeInitializeMutex(&Mutex, 0);
    assert_int_equal(StatusOfRelease(&Mutex), STATUS_MUTANT_NOT_OWNED);
    KeTestWait(&Mutex);
    KeTestThread(&Thread, ReleaseForeign, &Mutex);
    KeTestJoin(&Thread);
    assert_int_equal(KeReleaseMutex(&Mutex, FALSE), 0);
}

static void AMutexTakenAtDispatchLevelIsReleasedThere(void **Unused)
{
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

    KeInitializeMutex(&Mutex, 0);
    assert_int_equal(KeTestPoll(&Mutex), STATUS_SUCCESS);
    KeLowerIrql(Old);
    assert_int_equal(StatusOfRelease(&Mutex), STATUS_MUTANT_NOT_OWNED);
    KfRaiseIrql(DISPATCH_LEVEL);
    assert_int_equal(KeReleaseMutex(&Mutex, FALSE), 0);
    KeLowerIrql(Old);
}

static void TooDeepARecursionRaises(void **Unused)
{
    volatile NTSTATUS Status = STATUS_SUCCESS;

    KeInitializeMutex(&Mutex, 0);
    KeTestWait(&Mutex);
    Mutex.Header.SignalState = (LONG)MINLONG;
    __try {
        KeTestWait(&Mutex);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    assert_int_equal(Status, STATUS_MUTANT_LIMIT_EXCEEDED);
    Mutex.Header.SignalState = 0;
    KeReleaseMutex(&Mutex, FALSE);
}

static void TakeAndEnd(void *Mutant)
{
    KeTestWait(Mutant);
}

static void AMutantOfAThreadThatEndedIsAbandoned(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KMUTANT Mutant;
    KEVENT Event;
    PVOID Objects[2] = {&Event, &Mutant};

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeMutant(&Mutant, FALSE);
    for (int i = 0; i < 2; i++) {
        KeTestThread(&Thread, TakeAndEnd, &Mutant);
        KeTestJoin(&Thread);
        if (i == 0)
            assert_int_equal(KeTestWait(&Mutant), STATUS_ABANDONED);
        else
            assert_int_equal(KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode,
                                                      FALSE, NULL, NULL),
                             STATUS_ABANDONED_WAIT_0 + 1);
        assert_int_equal(KeTestWait(&Mutant), STATUS_SUCCESS);
        KeReleaseMutant(&Mutant, 0, FALSE, FALSE);
        KeReleaseMutant(&Mutant, 0, FALSE, FALSE);
        assert_int_equal(KeTestPoll(&Mutant), STATUS_SUCCESS);
        KeReleaseMutant(&Mutant, 0, FALSE, FALSE);
    }
}

static void WaitForAbandoned(void *Mutant)
{
    assert_int_equal(KeTestWait(Mutant), STATUS_ABANDONED);
    KeReleaseMutant(Mutant, 0, FALSE, FALSE);
}

static void AWaiterIsToldOfTheAbandonment(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KMUTANT Mutant;

    KeInitializeMutant(&Mutant, TRUE);
    KeTestThread(&Thread, WaitForAbandoned, &Mutant);
    KeTestUntilWaiting(&Thread);
    KeReleaseMutant(&Mutant, 0, TRUE, FALSE);
    KeTestJoin(&Thread);
}

static void EndWithMutex(void *Record)
{
    VF_EXPECT_BUGCHECK ((VF_BUGCHECK *)Record) {
        KeTestWait(&Mutex);
        KeExitThread();
    }
    KeReleaseMutex(&Mutex, FALSE);
}

static void EndingAThreadThatHoldsAMutexIsABugCheck(void **Unused)
{
    static KE_TEST_THREAD Thread;
    VF_BUGCHECK Record;

    KeInitializeMutex(&Mutex, 0);
    KeTestThread(&Thread, EndWithMutex, &Record);
    KeTestJoin(&Thread);
    assert_int_equal(Record.Code, 0x4000008A);
    assert_int_equal(Record.Parameters[1], (ULONG_PTR)&Mutex);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(AMutexExcludes),
        KE_TEST(ItsOwnerMayTakeItAgain),
        KE_TEST(AMutexHoldsOffKernelApcsAndAMutantDoesNot),
        KE_TEST(ReleasingAMutexOfAnotherThreadRaises),
        KE_TEST(AMutexTakenAtDispatchLevelIsReleasedThere),
        KE_TEST(TooDeepARecursionRaises),
        KE_TEST(AMutantOfAThreadThatEndedIsAbandoned),
        KE_TEST(AWaiterIsToldOfTheAbandonment),
        KE_TEST(EndingAThreadThatHoldsAMutexIsABugCheck),
    };
    return cmocka_run_group_tests_name("ke mutex", Tests, NULL, NULL);
}
