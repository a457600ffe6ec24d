/*
 * Completion: up through the drivers' completion routines, then on to whoever issued the request.
 *
 * Who finishes a request depends on how it was issued:
 *   direct    the issuing thread, when its call of the driver returns or when it is woken. The
 * completer only marks the IRP. deferred  asynchronous and completed before the dispatch returned,
 * not marked pending: the issuing thread as well. otherwise an APC in the issuing thread (or a
 * plain call, if this is that thread and an APC could run). The IRP's state byte decides the races:
 * see IopActive … IopOrphan.
 */
#include "io/iop.h"

static void IopCheckCompletion(PIRP Irp)
{
    NTSTATUS Status = Irp->IoStatus.Status;

    if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1)
        VfBugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)Irp, 0, 0, 0,
                   "an IRP was completed twice, or is no IRP");
    if (__atomic_load_n(&Irp->CancelRoutine, __ATOMIC_ACQUIRE))
        VfBugCheck(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)Irp, (ULONG_PTR)Irp->CancelRoutine, 0,
                   0, "an IRP was completed while its cancel routine is set");
    if (Status == STATUS_PENDING || Status == (NTSTATUS)-1)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x06, (ULONG_PTR)Status, (ULONG_PTR)Irp, 0,
                   "an IRP was completed with status 0x%08x", (unsigned)Status);
}

static inline BOOLEAN IopWantsCall(PIRP Irp, UCHAR Control)
{
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_RELAXED) && (Control & SL_INVOKE_ON_CANCEL))
        return TRUE;
    return (Control &
            (NT_SUCCESS(Irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR)) != 0;
}

static inline void IopClearLocation(PIO_STACK_LOCATION Location)
{
    Location->MinorFunction = 0;
    Location->Flags = 0;
    Location->Control &= SL_ERROR_RETURNED;
    __atomic_store_n(&Location->FileObject, NULL, __ATOMIC_RELAXED); /* IopCancelThread may look */
}

/* The completion routine of the driver whose location is now the current one. */
static __attribute__((noinline)) NTSTATUS
IopCallCompletion(PIRP Irp, PIO_COMPLETION_ROUTINE Routine, PVOID Context)
{
    BOOLEAN Inside = Irp->CurrentLocation <= Irp->StackCount, Pending = Irp->PendingReturned;
    PDEVICE_OBJECT Device = Inside ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject : NULL;
    SHORT KernelApcDisable = KiSelf->KernelApcDisable;
    KIRQL Irql = KiSelf->Irql;
    NTSTATUS Status = IOP_CALL(Routine, Device, Irp, Context);

    if (KiSelf->Irql != Irql)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFA, (ULONG_PTR)Routine, Irql, KiSelf->Irql,
                   "a completion routine returned at IRQL %u and was called at %u", KiSelf->Irql,
                   Irql);
    if (KiSelf->KernelApcDisable != KernelApcDisable)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFB, (ULONG_PTR)Routine,
                   (ULONG_PTR)(LONG_PTR)KiSelf->KernelApcDisable,
                   (ULONG_PTR)(LONG_PTR)KernelApcDisable,
                   "a completion routine entered or left a critical region and did not undo it");
    if (Status != STATUS_MORE_PROCESSING_REQUIRED && Pending && Inside &&
        !(IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED))
        VfBugCheck(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x228, (ULONG_PTR)Routine, (ULONG_PTR)Irp,
            (ULONG_PTR)Device,
            "a completion routine found PendingReturned set and did not call IoMarkIrpPending");
    return Status;
}

/* FALSE: a completion routine keeps the IRP. */
static BOOLEAN IopWalkUp(PIRP Irp)
{
    while (Irp->CurrentLocation <= Irp->StackCount) {
        PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
        PIO_COMPLETION_ROUTINE Routine = Location->CompletionRoutine;
        PVOID Context = Location->Context;
        UCHAR Control = Location->Control;

        Irp->PendingReturned = (Control & SL_PENDING_RETURNED) != 0;
        Irp->CurrentLocation++;
        Irp->Tail.Overlay.CurrentStackLocation++;
        IopClearLocation(Location);
        if (IopWantsCall(Irp, Control)) {
            if (IopCallCompletion(Irp, Routine, Context) == STATUS_MORE_PROCESSING_REQUIRED)
                return FALSE;
        } else if (Irp->PendingReturned && Irp->CurrentLocation <= Irp->StackCount) {
            IoMarkIrpPending(Irp);
        }
    }
    Irp->CurrentLocation++;
    return TRUE;
}

static _Noreturn void IopPendingUnmarked(PIRP Irp)
{
    VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23D, (ULONG_PTR)KiSelf->CurrentDriver,
               (ULONG_PTR)Irp, 0,
               "a dispatch routine returned STATUS_PENDING without IoMarkIrpPending");
}

/* One part of a master IRP is done; the last one completes the master. */
static __attribute__((noinline)) void IopCompletePart(PIRP Irp, CCHAR Boost)
{
    PIRP Master = Irp->AssociatedIrp.MasterIrp;

    IopFreeMdls(Irp);
    IoFreeIrp(Irp);
    if (InterlockedDecrement(&Master->AssociatedIrp.IrpCount) == 0)
        IoCompleteRequest(Master, Boost);
}

static void IopCompleteDirect(PIRP Irp, CCHAR Boost)
{
    PKEVENT Event;
    UCHAR Before;

    if (Irp->MdlAddress)
        IopUnlockMdls(Irp);
    Before = IopSetState(Irp, IopCompleted);
    if (Before == IopOrphan) {
        IopDiscard(Irp, Irp->Tail.Overlay.OriginalFileObject);
    } else if (Before == IopWaiting) {
        if (!Irp->PendingReturned)
            IopPendingUnmarked(Irp);
        Event = Irp->UserEvent;
        KeSetEvent(Event, Boost, FALSE);
    }
}

static void NTAPI IopCompletionApc(PRKAPC Apc, KI_NORMAL_ROUTINE **NormalRoutine,
                                   PVOID *NormalContext, PVOID *SystemArgument1,
                                   PVOID *SystemArgument2)
{
    IopFinishInThread(CONTAINING_RECORD(Apc, IRP, Tail.Apc), *SystemArgument1);
}

/* The thread ends; it has waited long enough for this request. */
static void NTAPI IopCompletionRundown(PRKAPC Apc)
{
    IopDiscard(CONTAINING_RECORD(Apc, IRP, Tail.Apc), Apc->SystemArgument1);
}

static void IopCompleteInThread(PIRP Irp, CCHAR Boost)
{
    struct _KTHREAD *Thread = (struct _KTHREAD *)Irp->Tail.Overlay.Thread;
    PFILE_OBJECT File = Irp->Tail.Overlay.OriginalFileObject; /* the APC lies over it */

    if (IopSetState(Irp, IopQueued) == IopOrphan) {
        IopDiscard(Irp, File);
    } else if (Thread == KiSelf && Thread->Irql < APC_LEVEL && !Thread->SpecialApcDisable &&
               !Thread->Attached) {
        IopFinishInThread(Irp, File);
    } else {
        KeInitializeApc(&Irp->Tail.Apc, Thread, OriginalApcEnvironment, IopCompletionApc,
                        IopCompletionRundown, NULL, KernelMode, NULL);
        KeInsertQueueApc(&Irp->Tail.Apc, File, NULL, Boost);
    }
}

static __attribute__((noinline)) void IopCompleteIssued(PIRP Irp, CCHAR Boost)
{
    IopUnlockMdls(Irp);
    if ((Irp->Flags & IRP_DEFER_IO_COMPLETION) && !Irp->PendingReturned) {
        if (IopSetState(Irp, IopCompleted) == IopWaiting)
            IopPendingUnmarked(Irp);
        return;
    }
    if (!Irp->Tail.Overlay.Thread)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1001, (ULONG_PTR)Irp, 0, 0,
                   "a driver's own IRP was completed to the end: its completion routine must "
                   "return STATUS_MORE_PROCESSING_REQUIRED");
    IopCompleteInThread(Irp, Boost);
}

/* The caller is done with the IRP, whose IoStatus it has set, and does not touch it again. Bug
 * check 0x44: completed twice; 0x48: its cancel routine is set; 0xC9/06: status STATUS_PENDING.
 * IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iofcompleterequest */
VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    if (KiSelf->Irql > DISPATCH_LEVEL)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x0E, (ULONG_PTR)KiSelf->Irql,
                   (ULONG_PTR)Irp, 0, "IoCompleteRequest above DISPATCH_LEVEL");
    IopCheckCompletion(Irp);
    VfTrace(VfEventIrpComplete, (ULONG_PTR)Irp, (ULONG_PTR)Irp->IoStatus.Status);
    if (__builtin_expect(__atomic_load_n(&IopTracing, __ATOMIC_RELAXED), FALSE))
        IopTraceCompletion(Irp);
    if (!IopWalkUp(Irp))
        return;
    if (Irp->Flags & IRP_ASSOCIATED_IRP)
        IopCompletePart(Irp, PriorityBoost);
    else if (Irp->Flags & IOP_IRP_DIRECT)
        IopCompleteDirect(Irp, PriorityBoost);
    else
        IopCompleteIssued(Irp, PriorityBoost);
}

#undef IoCompleteRequest
VOID NTAPI IoCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    IofCompleteRequest(Irp, PriorityBoost);
}
