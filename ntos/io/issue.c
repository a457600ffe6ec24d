/*
 * Sending a client's request, and waiting for it on a synchronous file.
 */
#include "io/iop.h"

void IopLockBusyIrps(PETHREAD Thread)
{
    for (ULONG Spins = 0; !IopTryLockIrps(Thread); Spins++)
        KiScheduler->Relax(Spins);
}

void IopQueueIrp(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;

    IopLockIrps(Thread);
    InsertTailList(&Thread->IrpList, &Irp->ThreadListEntry);
    IopUnlockIrps(Thread);
}

/* By the issuing thread. Whoever is calling the request's cancel routine still uses it: that is
 * awaited. */
void IopDequeueIrp(PIRP Irp)
{
    PETHREAD Thread = PsSelf();

    IopLockIrps(Thread);
    for (ULONG Spins = 0; Thread->IrpPins && IopIsPinned(Thread, Irp); Spins++) {
        IopUnlockIrps(Thread);
        KiScheduler->Relax(Spins);
        IopLockIrps(Thread);
    }
    RemoveEntryList(&Irp->ThreadListEntry);
    InitializeListHead(&Irp->ThreadListEntry);
    IopUnlockIrps(Thread);
}

/* The dispatch routine returned something other than STATUS_PENDING. */
static void IopCheckReturned(PIRP Irp, PDEVICE_OBJECT Device, NTSTATUS Status)
{
    BOOLEAN Completed = IopGetState(Irp) == IopCompleted;
    BOOLEAN Marked = Completed ? Irp->PendingReturned
                               : (IopTopLocation(Irp)->Control & SL_PENDING_RETURNED) != 0;

    if (__builtin_expect(Marked, 0))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23E, (ULONG_PTR)Device->DriverObject,
                   (ULONG_PTR)Irp, (ULONG_PTR)Status,
                   "a dispatch routine marked the IRP pending and returned 0x%08x",
                   (unsigned)Status);
    if (__builtin_expect(!Completed, 0))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x226, (ULONG_PTR)Device->DriverObject,
                   (ULONG_PTR)Irp, (ULONG_PTR)Status,
                   "a dispatch routine returned 0x%08x and neither completed the IRP, nor passed "
                   "it on, nor marked it pending",
                   (unsigned)Status);
    if (__builtin_expect(Status != Irp->IoStatus.Status, 0))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x224, (ULONG_PTR)Device->DriverObject,
                   (ULONG_PTR)Irp, (ULONG_PTR)Status,
                   "a dispatch routine returned 0x%08x, and the IRP was completed with 0x%08x",
                   (unsigned)Status, (unsigned)Irp->IoStatus.Status);
}

static void IopCheckMarked(PIRP Irp, PDEVICE_OBJECT Device)
{
    if (!Irp->PendingReturned)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23D, (ULONG_PTR)Device->DriverObject,
                   (ULONG_PTR)Irp, 0,
                   "a dispatch routine returned STATUS_PENDING without IoMarkIrpPending");
}

static NTSTATUS IopAwaitEvent(PIRP Irp, PKEVENT Event, PDEVICE_OBJECT Device,
                              KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, BOOLEAN MayAbandon,
                              BOOLEAN *Abandoned)
{
    PFILE_OBJECT File = Irp->Tail.Overlay.OriginalFileObject;

    KeInitializeEvent(Event, NotificationEvent, FALSE);
    Irp->UserEvent = Event;
    if (File)
        KeClearEvent(&File->Event);
    if (!IopChangeState(Irp, IopActive, IopWaiting)) {
        IopCheckMarked(Irp, Device);
        return Irp->IoStatus.Status;
    }
    if (KeWaitForSingleObject(Event, Executive, WaitMode, Alertable, NULL) != STATUS_SUCCESS)
        IopAwaitCancelled(Irp, Event, MayAbandon, Abandoned);
    return MayAbandon && *Abandoned ? STATUS_CANCELLED : Irp->IoStatus.Status;
}

/* The event of a wait in user mode does not lie on the stack (which Windows may page out meanwhile;
 * here it is a check of ke's). */
static NTSTATUS IopAwait(PIRP Irp, PDEVICE_OBJECT Device, KPROCESSOR_MODE WaitMode,
                         BOOLEAN Alertable, BOOLEAN MayAbandon, BOOLEAN *Abandoned)
{
    PKEVENT Event = WaitMode == KernelMode
                        ? NULL
                        : ExAllocatePoolWithTag(NonPagedPool, sizeof(*Event), IOP_TAG);
    KEVENT Local;
    NTSTATUS Status;

    if (!Event)
        return IopAwaitEvent(Irp, &Local, Device, KernelMode, Alertable, MayAbandon, Abandoned);
    Status = IopAwaitEvent(Irp, Event, Device, WaitMode, Alertable, MayAbandon, Abandoned);
    ExFreePoolWithTag(Event, IOP_TAG);
    return Status;
}

/* Sends the IRP and returns when it is complete. The caller finishes and frees it, unless it was
 * abandoned. */
NTSTATUS IopIssueDirect(PIRP Irp, PDEVICE_OBJECT Device, KPROCESSOR_MODE WaitMode,
                        BOOLEAN Alertable, BOOLEAN MayAbandon, BOOLEAN *Abandoned)
{
    NTSTATUS Status;

    Irp->Flags |= IOP_IRP_DIRECT;
    Irp->Tail.Overlay.Thread = PsSelf();
    IopQueueIrp(Irp);
    Status = IofCallDriver(Device, Irp);
    if (Status != STATUS_PENDING)
        IopCheckReturned(Irp, Device, Status);
    else
        Status = IopAwait(Irp, Device, WaitMode, Alertable, MayAbandon, Abandoned);
    if (!MayAbandon || !*Abandoned)
        IopDequeueIrp(Irp);
    return Status;
}

static NTSTATUS IopIssueOnSynchronousFile(PIRP Irp, IOP_REQUEST *Request)
{
    PFILE_OBJECT File = Request->File;
    BOOLEAN Abandoned = FALSE, Kept = FALSE;
    NTSTATUS Status, Copied;

    Status = IopIssueDirect(Irp, Request->Device, Request->Mode,
                            (File->Flags & FO_ALERTABLE_IO) != 0, TRUE, &Abandoned);
    if (Abandoned) {
        IopUnlockFile(File);
        return Status;
    }
    Copied = IopCopyBack(Irp);
    if (__builtin_expect(!NT_SUCCESS(Copied), 0))
        Status = Irp->IoStatus.Status = Copied;
    IopReleaseBuffers(Irp);
    Irp->UserEvent = Request->Event;
    if (!NT_ERROR(Status) || Irp->PendingReturned)
        IopDeliver(Irp, File, &Kept);
    if (!Kept)
        IoFreeIrp(Irp);
    IopEndRequest(Request);
    return Status;
}

static void IopCheckAsynchronous(PIRP Irp, PDEVICE_OBJECT Device, NTSTATUS Status)
{
    if (!Irp) { /* it went by an APC, so it was marked pending */
        if (Status != STATUS_PENDING)
            VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23E, (ULONG_PTR)Device->DriverObject,
                       0, (ULONG_PTR)Status,
                       "a dispatch routine marked the IRP pending and returned 0x%08x",
                       (unsigned)Status);
    } else if (Status != STATUS_PENDING) {
        IopCheckReturned(Irp, Device, Status);
    } else if (!IopChangeState(Irp, IopActive, IopWaiting) && IopGetState(Irp) == IopCompleted) {
        IopCheckMarked(Irp, Device);
    }
}

static NTSTATUS IopIssueAsynchronous(PIRP Irp, IOP_REQUEST *Request)
{
    IOP_CACHE *Cache = IopCacheOfThread();
    IOP_ISSUE Issue = {NULL, Irp};
    NTSTATUS Status;

    if (!Cache) {
        IopReleaseBuffers(Irp);
        IoFreeIrp(Irp);
        IopEndRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Issue.Outer = Cache->Issuing;
    Irp->Flags |= IRP_DEFER_IO_COMPLETION;
    Irp->UserEvent = Request->Event;
    Irp->Tail.Overlay.Thread = PsSelf();
    Cache->Issuing = &Issue;
    IopQueueIrp(Irp);
    Status = IofCallDriver(Request->Device, Irp);
    Cache->Issuing = Issue.Outer;
    IopCheckAsynchronous(Issue.Irp, Request->Device, Status);
    if (Status != STATUS_PENDING)
        IopFinishInThread(Irp, Request->File);
    return Status;
}

NTSTATUS IopIssue(PIRP Irp, IOP_REQUEST *Request)
{
    Irp->RequestorMode = Request->Mode;
    Irp->Tail.Overlay.OriginalFileObject = Request->File;
    Irp->UserIosb = Request->Async->UserIosb;
    Irp->Overlay.AsynchronousParameters.UserApcRoutine = Request->Async->Apc;
    Irp->Overlay.AsynchronousParameters.UserApcContext = Request->Async->ApcContext;
    IopTopLocation(Irp)->FileObject = Request->File;
    if (IopIsSynchronous(Request->File))
        return IopIssueOnSynchronousFile(Irp, Request);
    return IopIssueAsynchronous(Irp, Request);
}

NTSTATUS IopReferenceFile(HANDLE Handle, ACCESS_MASK Desired, KPROCESSOR_MODE Mode,
                          PFILE_OBJECT *File, PACCESS_MASK Granted)
{
    OBJECT_HANDLE_INFORMATION Information;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, Desired, IopState.FileType, Mode,
                                                (PVOID *)File, &Information);

    *Granted = NT_SUCCESS(Status) ? Information.GrantedAccess : 0;
    return Status;
}

static NTSTATUS IopReferenceEvent(IOP_REQUEST *Request)
{
    NTSTATUS Status =
        ObReferenceObjectByHandle(Request->Async->Event, EVENT_MODIFY_STATE, *ExEventObjectType,
                                  Request->Mode, (PVOID *)&Request->Event, NULL);

    if (NT_SUCCESS(Status))
        KeClearEvent(Request->Event);
    return Status;
}

/* Request->File is referenced already; on failure that reference is gone. */
NTSTATUS IopBeginRequest(IOP_REQUEST *Request, KPROCESSOR_MODE Mode, const IO_ASYNC *Async)
{
    NTSTATUS Status;

    Request->Mode = Mode;
    Request->Async = Async;
    Request->Event = NULL;
    Request->Device = IoGetRelatedDeviceObject(Request->File);
    Status = IopLockFile(Request->File, Mode);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Request->File);
        return Status;
    }
    if (Async->Event)
        Status = IopReferenceEvent(Request);
    if (!NT_SUCCESS(Status))
        IopEndRequest(Request);
    else if (!IopIsSynchronous(Request->File))
        KeClearEvent(&Request->File->Event);
    return Status;
}

void IopEndRequest(IOP_REQUEST *Request)
{
    IopUnlockFile(Request->File);
    if (Request->Event)
        ObDereferenceObject(Request->Event);
    ObDereferenceObject(Request->File);
}
