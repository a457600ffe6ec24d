/*
 * The reaper: a system thread that joins threads which have left, takes them off their process's
 * list and drops the list's reference.
 */
#include "ps/psp.h"

/* Whoever waits for the process's end then waits for this thread as well. */
void PspBeginReap(void)
{
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    PspState.Reaping++;
    KeReleaseSpinLock(&PspState.Lock, Irql);
}

void PspReap(PETHREAD Thread)
{
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    InsertTailList(&PspState.ReapList, &Thread->ReapEntry);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    KeSetEvent(&PspState.ReapWork, IO_NO_INCREMENT, FALSE);
}

static PETHREAD PspNextDeparted(void)
{
    PETHREAD Thread = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    if (!IsListEmpty(&PspState.ReapList))
        Thread = CONTAINING_RECORD(RemoveHeadList(&PspState.ReapList), ETHREAD_NT, ReapEntry);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    return Thread;
}

/* A Linux thread that was only attached cannot be joined; it says itself when it has let go of its
 * thread object. */
static void PspJoin(PETHREAD Thread)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};

    if (Thread->StartRoutine) {
        KeReapThread(&Thread->Tcb);
        return;
    }
    while (!__atomic_load_n(&Thread->HostReleased, __ATOMIC_ACQUIRE))
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
}

static void PspReapOne(PETHREAD Thread)
{
    BOOLEAN Idle;
    KIRQL Irql;

    PspJoin(Thread);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    RemoveEntryList(&Thread->ThreadListEntry);
    InitializeListHead(&Thread->ThreadListEntry); /* whoever enumerates stops here */
    RemoveEntryList(&Thread->IdLinks);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    ObDereferenceObject(Thread);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Idle = --PspState.Reaping == 0;
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (Idle)
        KeSetEvent(&PspState.ReapDone, IO_NO_INCREMENT, FALSE);
}

static void PspReaperThread(PVOID Context)
{
    PETHREAD Thread;

    while (!__atomic_load_n(&PspState.StopReaper, __ATOMIC_ACQUIRE)) {
        KeWaitForSingleObject(&PspState.ReapWork, Executive, KernelMode, FALSE, NULL);
        while ((Thread = PspNextDeparted()))
            PspReapOne(Thread);
    }
}

static void PspReaperEntry(struct _KTHREAD *Thread)
{
    PspReaperThread(NULL);
    if (PspState.CancelThreadIrps)
        PspState.CancelThreadIrps((PETHREAD)Thread); /* closing files filled its IRP cache */
    MmThreadPoolRelease(Thread);
    KeExitThread();
}

NTSTATUS PspStartReaper(void)
{
    NTSTATUS Status;

    InitializeListHead(&PspState.ReapList);
    KeInitializeEvent(&PspState.ReapWork, SynchronizationEvent, FALSE);
    KeInitializeEvent(&PspState.ReapDone, SynchronizationEvent, FALSE);
    Status = PspCreateThread(PsInitialSystemProcess, PspNextSystemThreadId(), PspReaperEntry, NULL,
                             &PspState.Reaper);
    if (!NT_SUCCESS(Status))
        return Status;
    return KeStartThread(&PspState.Reaper->Tcb);
}

void PspStopReaper(void)
{
    __atomic_store_n(&PspState.StopReaper, TRUE, __ATOMIC_RELEASE);
    KeSetEvent(&PspState.ReapWork, IO_NO_INCREMENT, FALSE);
    KeReapThread(&PspState.Reaper->Tcb);
    ObDereferenceObject(PspState.Reaper);
}

/* Until every thread that has left so far is joined and off its list. */
void PspWaitReaped(void)
{
    LARGE_INTEGER Moment = {.QuadPart = -10 * 10000};
    KIRQL Irql;
    ULONG Left;

    for (;;) {
        KeAcquireSpinLock(&PspState.Lock, &Irql);
        Left = PspState.Reaping;
        KeReleaseSpinLock(&PspState.Lock, Irql);
        if (!Left)
            return;
        KeWaitForSingleObject(&PspState.ReapDone, Executive, KernelMode, FALSE, &Moment);
    }
}
