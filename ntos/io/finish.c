/*
 * The second half of a completion: output and status go to the requestor, who is told; the IRP
 * goes.
 */
#include "io/iop.h"

/* All of the block is written, none of it by half a word: the copy reads words. */
NTSTATUS IopWriteIosb(PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode, NTSTATUS Status,
                      ULONG_PTR Information)
{
    IO_STATUS_BLOCK Value = {.Pointer = (PVOID)(ULONG_PTR)(ULONG)Status,
                             .Information = Information};

    if (!Iosb)
        return STATUS_SUCCESS;
    if (Mode == UserMode)
        return MmCopyToUser(Iosb, &Value, sizeof(Value));
    *Iosb = Value;
    return STATUS_SUCCESS;
}

static void IopFreeUserApcIrp(PIRP Irp, PFILE_OBJECT File)
{
    IoFreeIrp(Irp);
    ObDereferenceObject(File);
}

static void NTAPI IopUserApcKernel(PRKAPC Apc, KI_NORMAL_ROUTINE **NormalRoutine,
                                   PVOID *NormalContext, PVOID *SystemArgument1,
                                   PVOID *SystemArgument2)
{
    PFILE_OBJECT File = *SystemArgument2;

    *SystemArgument2 = NULL;
    IopFreeUserApcIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc), File);
}

static void NTAPI IopUserApcRundown(PRKAPC Apc)
{
    IopFreeUserApcIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc), Apc->SystemArgument2);
}

/* Routine(Context, Iosb, 0) in the requestor's mode; the IRP lives on as the APC's memory. */
static void IopQueueUserApc(PIRP Irp, PFILE_OBJECT File)
{
    PIO_APC_ROUTINE Routine = Irp->Overlay.AsynchronousParameters.UserApcRoutine;
    PVOID Context = Irp->Overlay.AsynchronousParameters.UserApcContext;

    ObReferenceObject(File);
    KeInitializeApc(&Irp->Tail.Apc, KiSelf, CurrentApcEnvironment, IopUserApcKernel,
                    IopUserApcRundown, (KI_NORMAL_ROUTINE *)(PVOID)Routine, Irp->RequestorMode,
                    Context);
    if (!KeInsertQueueApc(&Irp->Tail.Apc, Irp->UserIosb, File, IO_NO_INCREMENT))
        IopFreeUserApcIrp(Irp, File);
}

static void IopPostToPort(PIRP Irp, PFILE_OBJECT File)
{
    PIO_COMPLETION_CONTEXT Port = File->CompletionContext;
    PVOID Context = Irp->Overlay.AsynchronousParameters.UserApcContext;

    if (Port && Context && IopState.PostCompletion)
        IopState.PostCompletion(Port->Port, Port->Key, Context, Irp->IoStatus.Status,
                                Irp->IoStatus.Information);
}

void IopDeliver(PIRP Irp, PFILE_OBJECT File, BOOLEAN *Kept)
{
    IopWriteIosb(Irp->UserIosb, Irp->RequestorMode, Irp->IoStatus.Status,
                 Irp->IoStatus.Information);
    File->FinalStatus = Irp->IoStatus.Status;
    if (Irp->UserEvent)
        KeSetEvent(Irp->UserEvent, IO_NO_INCREMENT, FALSE);
    if ((!Irp->UserEvent || IopIsSynchronous(File)) && !KeReadStateEvent(&File->Event))
        KeSetEvent(&File->Event, IO_NO_INCREMENT, FALSE);
    if (Irp->Overlay.AsynchronousParameters.UserApcRoutine) {
        IopQueueUserApc(Irp, File);
        *Kept = TRUE;
    } else {
        IopPostToPort(Irp, File);
    }
}

/* A request that a driver built with IoBuildDeviceIoControlRequest or IoBuildSynchronousFsdRequest.
 */
static void IopFinishThreaded(PIRP Irp)
{
    if (Irp->UserIosb)
        *Irp->UserIosb = Irp->IoStatus;
    if (Irp->UserEvent)
        KeSetEvent(Irp->UserEvent, IO_NO_INCREMENT, FALSE);
    IoFreeIrp(Irp);
}

static void IopForgetIssue(PIRP Irp)
{
    IOP_CACHE *Cache = KiSelf->IrpCache;

    for (IOP_ISSUE *Issue = Cache ? Cache->Issuing : NULL; Issue; Issue = Issue->Outer) {
        if (Issue->Irp == Irp)
            Issue->Irp = NULL;
    }
}

/* A failure that the service itself returns leaves status block, event and port alone; one that
 * comes later is told like any other end. */
static void IopFinishService(PIRP Irp, PFILE_OBJECT File)
{
    PKEVENT Event = Irp->UserEvent;
    BOOLEAN Kept = FALSE;

    if (!NT_ERROR(Irp->IoStatus.Status) || Irp->PendingReturned)
        IopDeliver(Irp, File, &Kept);
    if (Event)
        ObDereferenceObject(Event);
    if (!Kept)
        IoFreeIrp(Irp);
    ObDereferenceObject(File);
}

void IopFinishInThread(PIRP Irp, PFILE_OBJECT File)
{
    NTSTATUS Status = IopCopyBack(Irp);

    if (!NT_SUCCESS(Status))
        Irp->IoStatus.Status = Status;
    IopReleaseBuffers(Irp);
    IopDequeueIrp(Irp);
    IopForgetIssue(Irp);
    if (Irp->Flags & IOP_IRP_THREADED)
        IopFinishThreaded(Irp);
    else
        IopFinishService(Irp, File);
}

/* The issuing thread has given the request up, and taken it off its list. */
void IopDiscard(PIRP Irp, PFILE_OBJECT File)
{
    PKEVENT Event = Irp->Flags & (IOP_IRP_DIRECT | IOP_IRP_THREADED) ? NULL : Irp->UserEvent;

    IopReleaseBuffers(Irp);
    IoFreeIrp(Irp);
    if (Event)
        ObDereferenceObject(Event);
    if (File)
        ObDereferenceObject(File);
    InterlockedDecrement(&IopState.Abandoned);
}
