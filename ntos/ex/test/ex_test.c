/* What the tests of ex, ob and cm share. */
#include "ex_test.h"

KPROCESS_NT ExTestProcess;
KTHREAD_NT ExTestSelf;

static void RunBody(struct _KTHREAD *Thread)
{
    EX_TEST_THREAD *Test = (EX_TEST_THREAD *)Thread;

    Test->Body(Test->Argument);
    MmThreadPoolRelease(Thread);
}

/* Workers live in slots that are used again: a test that starts the system a thousand times sees no
 * growth of libc's heap. */
static struct {
    EX_TEST_THREAD Thread;
    atomic_bool Used;
} Workers[256];

static EX_TEST_THREAD *TakeSlot(void)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++)
        if (!atomic_exchange(&Workers[i].Used, TRUE))
            return memset(&Workers[i].Thread, 0, sizeof(EX_TEST_THREAD));
    abort();
}

static NTSTATUS StartWorker(void (*Routine)(void *), void *Context, struct _KTHREAD **Thread)
{
    EX_TEST_THREAD *Worker = TakeSlot();

    KeInitializeThread(&Worker->Thread, &ExTestProcess, RunBody);
    Worker->Thread.SystemThread = TRUE;
    Worker->Body = Routine;
    Worker->Argument = Context;
    *Thread = &Worker->Thread;
    return KeStartThread(&Worker->Thread);
}

static void JoinWorker(struct _KTHREAD *Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    KeReapThread(Thread);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++)
        if (&Workers[i].Thread.Thread == Thread)
            atomic_store(&Workers[i].Used, FALSE);
}

int ExTestBoot(void **Unused)
{
    if (!NT_SUCCESS(VfInitSystem()) || !NT_SUCCESS(KeInitSystem(4)) ||
        !NT_SUCCESS(MmInitSystem(64 << 20)))
        return -1;
    KeInitializeProcess(&ExTestProcess);
    memset(&ExTestSelf, 0, sizeof(ExTestSelf));
    KeAdoptHostThread(&ExTestSelf, &ExTestProcess);
    if (!NT_SUCCESS(ExInitSystem()))
        return -1;
    return NT_SUCCESS(ExStartWorkers(StartWorker)) ? 0 : -1;
}

static ULONG PoolBlocksLeft(void)
{
    static MM_POOL_TAG Tags[512];
    ULONG Count = MmQueryPoolTags(Tags, 512), Left = 0;

    for (ULONG i = 0; i < Count && i < 512; i++) {
        ULONG64 Live = Tags[i].PagedAllocs + Tags[i].NonPagedAllocs - Tags[i].PagedFrees -
                       Tags[i].NonPagedFrees;
        if (Live != 0)
            print_message("# pool left: %.4s %lu\n", (char *)&Tags[i].Tag, (unsigned long)Live);
        Left += (ULONG)Live;
    }
    return Left;
}

int ExTestStop(void **Unused)
{
    ULONG Left;

    ExStopWorkers(JoinWorker);
    ExShutdownSystem();
    MmThreadPoolRelease(&ExTestSelf);
    Left = PoolBlocksLeft();
    KeReleaseHostThread();
    MmShutdownSystem();
    KeShutdownSystem();
    VfShutdownSystem();
    return Left == 0 ? 0 : -1;
}

void ExTestThread(EX_TEST_THREAD *Thread, void (*Body)(void *), void *Argument)
{
    memset(Thread, 0, sizeof(*Thread));
    KeInitializeThread(&Thread->Thread, &ExTestProcess, RunBody);
    Thread->Body = Body;
    Thread->Argument = Argument;
    assert_success(KeStartThread(&Thread->Thread));
}

void ExTestJoin(EX_TEST_THREAD *Thread)
{
    assert_success(ExTestWait(&Thread->Thread));
    KeReapThread(&Thread->Thread);
}

void ExTestUntilWaiting(EX_TEST_THREAD *Thread)
{
    for (ULONG Spins = 0;
         __atomic_load_n(&Thread->Thread.State, __ATOMIC_ACQUIRE) != KiThreadWaiting; Spins++)
        KiScheduler->Relax(Spins);
}

NTSTATUS ExTestWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, NULL);
}

void ExTestYield(void)
{
    LARGE_INTEGER Now = {.QuadPart = 0};

    KeDelayExecutionThread(KernelMode, FALSE, &Now);
}
