/*
 * Requests that wait for bytes or for room. Cancelling one takes it out and completes it; a write
 * of which a part has gone into the pipe is a success of that part then.
 */
#include "pipe.h"

static WAITING *WaitingOf(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, WAITING, Csq);
}

static NTSTATUS NTAPI Insert(PIO_CSQ Csq, PIRP Irp, PVOID AtHead)
{
    WAITING *Waiting = WaitingOf(Csq);

    if (AtHead)
        InsertHeadList(&Waiting->Irps, &Irp->Tail.Overlay.ListEntry);
    else
        InsertTailList(&Waiting->Irps, &Irp->Tail.Overlay.ListEntry);
    InterlockedIncrement(Waiting->Count);
    return STATUS_SUCCESS;
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    InterlockedDecrement(WaitingOf(Csq)->Count);
}

static PIRP NTAPI PeekNext(PIO_CSQ Csq, PIRP Irp, PVOID File)
{
    PLIST_ENTRY Head = &WaitingOf(Csq)->Irps;
    PLIST_ENTRY Link = Irp ? Irp->Tail.Overlay.ListEntry.Flink : Head->Flink;

    for (; Link != Head; Link = Link->Flink) {
        PIRP Next = CONTAINING_RECORD(Link, IRP, Tail.Overlay.ListEntry);

        if (!File || IoGetCurrentIrpStackLocation(Next)->FileObject == File)
            return Next;
    }
    return NULL;
}

static VOID NTAPI AcquireLock(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&WaitingOf(Csq)->Lock, Irql);
}

static VOID NTAPI ReleaseLock(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&WaitingOf(Csq)->Lock, Irql);
}

/* The packet, and the buffers that the system made for it. */
static SIZE_T CostOf(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (Stack->MajorFunction == IRP_MJ_READ)
        return sizeof(IRP) + (SIZE_T)Stack->Parameters.Read.Length;
    if (Stack->MajorFunction == IRP_MJ_WRITE)
        return sizeof(IRP) + (SIZE_T)Stack->Parameters.Write.Length;
    return sizeof(IRP) + (SIZE_T)Stack->Parameters.DeviceIoControl.InputBufferLength +
           Stack->Parameters.DeviceIoControl.OutputBufferLength;
}

NTSTATUS WaitingCharge(PIRP Irp)
{
    return QuotaCharge(InstanceOf(Irp)->Quota, CostOf(Irp));
}

VOID WaitingReturn(PIRP Irp)
{
    QuotaReturn(InstanceOf(Irp)->Quota, CostOf(Irp));
}

static VOID Cancelled(PIRP Irp)
{
    ULONG_PTR Progress = WAITING_PROGRESS(Irp);

    WaitingReturn(Irp);
    DriverComplete(Irp, Progress ? STATUS_SUCCESS : STATUS_CANCELLED, Progress);
}

/* Whoever stood behind it may fit now. Its file keeps the pipe alive until it is completed. A
 * driver that cancels at DISPATCH_LEVEL cannot wait for the pipe's lock: they go on with the next
 * request then. And this thread may be just adding the request. */
static VOID NTAPI CompleteCancelled(PIO_CSQ Csq, PIRP Irp)
{
    PIPE *Pipe = PipeOf(Irp);

    UNREFERENCED_PARAMETER(Csq);
    if (KeGetCurrentIrql() < DISPATCH_LEVEL) {
        if (PipeIsMine(Pipe)) {
            InsertTailList(&Pipe->Cancelled, &Irp->Tail.Overlay.ListEntry);
            Pipe->AnyCancelled = TRUE;
            return;
        }
        TransferWake(Pipe);
    }
    Cancelled(Irp);
}

NTSTATUS WaitingInitialize(WAITING *Waiting, volatile LONG *Count)
{
    Waiting->Count = Count;
    KeInitializeSpinLock(&Waiting->Lock);
    InitializeListHead(&Waiting->Irps);
    return IoCsqInitializeEx(&Waiting->Csq, Insert, Remove, PeekNext, AcquireLock, ReleaseLock,
                             CompleteCancelled);
}

BOOLEAN WaitingAdd(PIPE *Pipe, WAITING *Waiting, PIRP Irp, BOOLEAN AtHead)
{
    PLIST_ENTRY Last = Pipe->Cancelled.Blink;

    IoCsqInsertIrpEx(&Waiting->Csq, Irp, NULL, AtHead ? Waiting : NULL);
    return Pipe->Cancelled.Blink == Last;
}

PIRP WaitingRemove(WAITING *Waiting, PFILE_OBJECT File)
{
    return IoCsqRemoveNextIrp(&Waiting->Csq, File);
}

static VOID Take(WAITING *Waiting, PFILE_OBJECT File, PLIST_ENTRY Taken)
{
    PIRP Irp;

    while ((Irp = WaitingRemove(Waiting, File)) != NULL)
        InsertTailList(Taken, &Irp->Tail.Overlay.ListEntry);
}

VOID WaitingTake(PIPE *Pipe, PFILE_OBJECT File, PLIST_ENTRY Taken)
{
    if (WaitingCount(Pipe, WAITING_READERS))
        Take(&Pipe->Readers, File, Taken);
    if (WaitingCount(Pipe, WAITING_WRITERS))
        Take(&Pipe->Writers, File, Taken);
    if (WaitingCount(Pipe, WAITING_WATCHERS))
        Take(&Pipe->Watchers, File, Taken);
}

VOID WaitingCancel(PLIST_ENTRY Taken)
{
    while (!IsListEmpty(Taken))
        Cancelled(CONTAINING_RECORD(RemoveHeadList(Taken), IRP, Tail.Overlay.ListEntry));
}
