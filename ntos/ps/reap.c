/*
 * The reaper: a system thread that joins threads which have left, takes them off their process's
 * list and drops the list's reference.
 */
#include "ps/psp.h"

#define PSP_PATIENCE (30ull * 10000000) /* with a thread that should be about to end */

void PspReap(PETHREAD Thread)
{
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    InsertTailList(&PspState.ReapList, &Thread->ReapEntry);
    PspState.Reaping++;
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
    KIRQL Irql;

    PspJoin(Thread);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    RemoveEntryList(&Thread->ThreadListEntry);
    InitializeListHead(&Thread->ThreadListEntry); /* whoever enumerates stops here */
    RemoveEntryList(&Thread->IdLinks);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    ObDereferenceObject(Thread);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    PspState.Reaping--;
    KeReleaseSpinLock(&PspState.Lock, Irql);
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

/* Under ps's lock. A thread is on its process's list until it is joined, also one that has not yet
 * come to PspReap. */
static BOOLEAN PspIsReaped(PEPROCESS Process, PETHREAD Self)
{
    PLIST_ENTRY Head = &Process->ThreadList;

    if (!Self)
        return IsListEmpty(Head);
    return Head->Flink == &Self->ThreadListEntry && Head->Blink == &Self->ThreadListEntry &&
           PspState.Reaping == 0;
}

/* FALSE: not by that time (KI_FOREVER: whenever it may be). */
static BOOLEAN PspWaitUntilReaped(PEPROCESS Process, PETHREAD Self, ULONG64 Deadline)
{
    LARGE_INTEGER Moment = {.QuadPart = -10 * 10000};
    BOOLEAN Reaped;
    KIRQL Irql;

    for (;;) {
        KeAcquireSpinLock(&PspState.Lock, &Irql);
        Reaped = PspIsReaped(Process, Self);
        KeReleaseSpinLock(&PspState.Lock, Irql);
        if (Reaped || KeQueryInterruptTime() >= Deadline)
            return Reaped;
        KeWaitForSingleObject(&PspState.ReapDone, Executive, KernelMode, FALSE, &Moment);
    }
}

void PspWaitReaped(PEPROCESS Process)
{
    PspWaitUntilReaped(Process, NULL, KI_FOREVER);
}

/* System threads that have done their work may still be on their way out. One that stays is named
 * as an object that is left. */
void PspWaitAlone(PETHREAD Self)
{
    PspWaitUntilReaped(PsInitialSystemProcess, Self, KeQueryInterruptTime() + PSP_PATIENCE);
}
