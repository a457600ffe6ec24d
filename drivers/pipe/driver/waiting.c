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
    InterlockedIncrement(&Waiting->Count);
    return STATUS_SUCCESS;
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    InterlockedDecrement(&WaitingOf(Csq)->Count);
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
 * request then. */
static VOID NTAPI CompleteCancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    if (KeGetCurrentIrql() < DISPATCH_LEVEL)
        TransferWake(PipeOf(Irp));
    Cancelled(Irp);
}

NTSTATUS WaitingInitialize(WAITING *Waiting)
{
    KeInitializeSpinLock(&Waiting->Lock);
    InitializeListHead(&Waiting->Irps);
    return IoCsqInitializeEx(&Waiting->Csq, Insert, Remove, PeekNext, AcquireLock, ReleaseLock,
                             CompleteCancelled);
}

VOID WaitingAdd(WAITING *Waiting, PIRP Irp, BOOLEAN AtHead)
{
    IoCsqInsertIrpEx(&Waiting->Csq, Irp, NULL, AtHead ? Waiting : NULL);
}

PIRP WaitingRemove(WAITING *Waiting, PFILE_OBJECT File)
{
    return IoCsqRemoveNextIrp(&Waiting->Csq, File);
}

/* Looked at several times in each request: no locked instruction for it. */
LONG WaitingCount(WAITING *Waiting)
{
#ifdef __GNUC__
    return __atomic_load_n(&Waiting->Count, __ATOMIC_ACQUIRE);
#else
    return Waiting->Count;
#endif
}

VOID WaitingCancelAll(WAITING *Waiting, PFILE_OBJECT File)
{
    PIRP Irp;

    while ((Irp = WaitingRemove(Waiting, File)) != NULL)
        Cancelled(Irp);
}
