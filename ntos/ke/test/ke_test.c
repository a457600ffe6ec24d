/* What the tests of room ke share. */
#include "ke_test.h"

KPROCESS_NT KeTestProcess;
KTHREAD_NT KeTestSelf;
LARGE_INTEGER KeTestZero;

int KeTestBoot(void **Unused)
{
    if (VfInitSystem() != STATUS_SUCCESS || KeInitSystem(4) != STATUS_SUCCESS)
        return -1;
    KeInitializeProcess(&KeTestProcess);
    KeAdoptHostThread(&KeTestSelf, &KeTestProcess);
    return 0;
}

int KeTestStop(void **Unused)
{
    KeReleaseHostThread();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

static void RunBody(struct _KTHREAD *Thread)
{
    KE_TEST_THREAD *Test = (KE_TEST_THREAD *)Thread;

    Test->Body(Test->Argument);
}

void KeTestThread(KE_TEST_THREAD *Thread, void (*Body)(void *), void *Argument)
{
    KeInitializeThread(&Thread->Thread, &KeTestProcess, RunBody);
    Thread->Body = Body;
    Thread->Argument = Argument;
    assert_int_equal(KeStartThread(&Thread->Thread), STATUS_SUCCESS);
}

void KeTestJoin(KE_TEST_THREAD *Thread)
{
    assert_int_equal(KeTestWait(&Thread->Thread), STATUS_SUCCESS);
    KeReapThread(&Thread->Thread);
}

void KeTestUntilWaiting(KE_TEST_THREAD *Thread)
{
    for (ULONG Spins = 0;
         __atomic_load_n(&Thread->Thread.State, __ATOMIC_ACQUIRE) != KiThreadWaiting; Spins++)
        KiScheduler->Relax(Spins);
}

LARGE_INTEGER KeTestMilliseconds(LONG Milliseconds)
{
    LARGE_INTEGER Time;

    Time.QuadPart = -(LONGLONG)Milliseconds * 10000;
    return Time;
}

NTSTATUS KeTestWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS KeTestPoll(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &KeTestZero);
}
