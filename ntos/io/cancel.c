/*
 * Cancellation: of one IRP, of a file's, of a thread's.
 */
#include "io/iop.h"

/* Doc: wdm/nf-wdm-ioacquirecancelspinlock. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.CancelLock, Irql);
}

/* IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioreleasecancelspinlock */
VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    VF_IRQL_MIN(DISPATCH_LEVEL);
    KeReleaseSpinLock(&IopState.CancelLock, Irql);
}

static void IopCallCancel(PIRP Irp, PDRIVER_CANCEL Routine, KIRQL Irql)
{
    PDEVICE_OBJECT Device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;

    if (Irp->CurrentLocation > Irp->StackCount + 1)
        VfBugCheck(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)Irp, (ULONG_PTR)Routine, 0, 0,
                   "a completed IRP still has a cancel routine");
    Irp->CancelIrql = Irql;
    IOP_CALL(Routine, Device, Irp); /* releases the cancel spin lock */
    if (KiSelf->Irql != Irql)
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG_PTR)KiSelf->Irql << 16 | (ULONG_PTR)Irql << 8,
                   (ULONG_PTR)Routine, 0, 0,
                   "a cancel routine returned without IoReleaseCancelSpinLock(Irp->CancelIrql)");
}

/* Marks the IRP cancelled and calls its cancel routine. FALSE: it has none; whoever holds the IRP
 * completes it in his own time. The caller sees to it that the IRP does not go meanwhile. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iocancelirp */
BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL Routine;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Irp->Type != IO_TYPE_IRP)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x03, (ULONG_PTR)Irp, 0, 0,
                   "IoCancelIrp of something that is no IRP");
    IoAcquireCancelSpinLock(&Irql);
    __atomic_store_n(&Irp->Cancel, TRUE, __ATOMIC_SEQ_CST);
    Routine = IoSetCancelRoutine(Irp, NULL);
    if (!Routine) {
        IoReleaseCancelSpinLock(Irql);
        return FALSE;
    }
    IopCallCancel(Irp, Routine, Irql);
    return TRUE;
}

void IopReportStuck(PIRP Irp, const char *Where)
{
    PDEVICE_OBJECT Device = IopTopLocation(Irp)->DeviceObject;

    DbgPrint("IO: IRP %p was cancelled and is not completed (%s). It was sent to driver %wZ.\n",
             Irp, Where, Device ? &Device->DriverObject->DriverName : NULL);
}

/* The issuing thread's wait was ended: it cancels the request and waits for its completion. A
 * driver that never completes it is reported, and in the end (where that is possible) left alone
 * with the IRP. */
void IopAwaitCancelled(PIRP Irp, PKEVENT Event, BOOLEAN MayAbandon, BOOLEAN *Abandoned)
{
    LARGE_INTEGER Timeout = {.QuadPart = -IopState.ReportAfter};
    LONGLONG Waited = 0;

    IoCancelIrp(Irp);
    while (KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Timeout) == STATUS_TIMEOUT) {
        if (Waited == 0)
            IopReportStuck(Irp, "its thread waits");
        Waited += IopState.ReportAfter;
        if (!MayAbandon || Waited < IopState.AbandonAfter)
            continue;
        IopDequeueIrp(Irp);
        InterlockedIncrement(&IopState.Abandoned);
        *Abandoned = TRUE;
        if (IopChangeState(Irp, IopWaiting, IopOrphan))
            return;
        InterlockedDecrement(&IopState.Abandoned);
        *Abandoned = FALSE;
        IopQueueIrp(Irp);
    }
}

/* A request on a thread's list that is being cancelled: it does not leave the list meanwhile, so
 * that the lock need not be held while the driver's cancel routine runs. */
struct IOP_PIN {
    PIRP Irp;
    struct IOP_PIN *Next;
};

BOOLEAN IopIsPinned(PETHREAD Thread, PIRP Irp)
{
    for (struct IOP_PIN *Pin = Thread->IrpPins; Pin; Pin = Pin->Next)
        if (Pin->Irp == Irp)
            return TRUE;
    return FALSE;
}

static void IopRemovePin(PETHREAD Thread, struct IOP_PIN *Mine)
{
    struct IOP_PIN **Link = &Thread->IrpPins;

    while (*Link != Mine)
        Link = &(*Link)->Next;
    *Link = Mine->Next;
}

static ULONG IopCountIrps(PETHREAD Thread)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList; Entry = Entry->Flink)
        Count++;
    return Count;
}

static BOOLEAN IopIsWanted(PIRP Irp, PFILE_OBJECT File, PIO_STATUS_BLOCK Iosb, BOOLEAN DirectOnly)
{
    if (File && __atomic_load_n(&IopTopLocation(Irp)->FileObject, __ATOMIC_RELAXED) != File)
        return FALSE;
    return (!Iosb || Irp->UserIosb == Iosb) && (!DirectOnly || (Irp->Flags & IOP_IRP_DIRECT));
}

/* Cancels the thread's requests on File (NULL: any) with that status block (NULL: any). Their
 * number. No more than there are at the beginning: a cancel routine may issue new ones. */
static ULONG IopCancelOfThread(PETHREAD Thread, PFILE_OBJECT File, PIO_STATUS_BLOCK Iosb,
                               BOOLEAN DirectOnly)
{
    struct IOP_PIN Pin = {NULL, NULL};
    ULONG Count = 0, Left;
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql); /* a completion APC of this thread would want the list */
    IopLockIrps(Thread);
    Left = IopCountIrps(Thread);
    Pin.Next = Thread->IrpPins;
    Thread->IrpPins = &Pin;
    for (PLIST_ENTRY Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList && Left;
         Entry = Entry->Flink, Left--) {
        PIRP Irp = CONTAINING_RECORD(Entry, IRP, ThreadListEntry);

        if (!IopIsWanted(Irp, File, Iosb, DirectOnly))
            continue;
        Pin.Irp = Irp;
        IopUnlockIrps(Thread);
        IoCancelIrp(Irp);
        IopLockIrps(Thread);
        Count++;
    }
    IopRemovePin(Thread, &Pin);
    IopUnlockIrps(Thread);
    KeLowerIrql(Irql);
    return Count;
}

static BOOLEAN IopHasIrps(PETHREAD Thread, PFILE_OBJECT File)
{
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql);
    IopLockIrps(Thread);
    for (PLIST_ENTRY Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList && !Found;
         Entry = Entry->Flink) {
        PIRP Irp = CONTAINING_RECORD(Entry, IRP, ThreadListEntry);

        Found =
            !File || __atomic_load_n(&IopTopLocation(Irp)->FileObject, __ATOMIC_RELAXED) == File;
    }
    IopUnlockIrps(Thread);
    KeLowerIrql(Irql);
    return Found;
}

/* The thread's requests that no driver completes: whoever completes one later frees it. */
static void IopAbandonIrps(PETHREAD Thread)
{
    PLIST_ENTRY Next;
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql);
    IopLockIrps(Thread);
    for (PLIST_ENTRY Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList; Entry = Next) {
        PIRP Irp = CONTAINING_RECORD(Entry, IRP, ThreadListEntry);

        Next = Entry->Flink;
        if (IopIsPinned(Thread, Irp))
            continue; /* the next time */
        RemoveEntryList(Entry);
        InitializeListHead(Entry);
        InterlockedIncrement(&IopState.Abandoned);
        if (IopChangeState(Irp, IopWaiting, IopOrphan) || IopChangeState(Irp, IopActive, IopOrphan))
            continue;
        InterlockedDecrement(&IopState.Abandoned); /* its APC is on the way */
        InsertTailList(Next, Entry);
    }
    IopUnlockIrps(Thread);
    KeLowerIrql(Irql);
}

static void IopReportIrps(PETHREAD Thread)
{
    PIRP Irp = NULL;
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql);
    IopLockIrps(Thread);
    if (!IsListEmpty(&Thread->IrpList))
        Irp = CONTAINING_RECORD(Thread->IrpList.Flink, IRP, ThreadListEntry);
    if (Irp)
        IopReportStuck(Irp, "its thread ends");
    IopUnlockIrps(Thread);
    KeLowerIrql(Irql);
}

/* By the thread itself, at PASSIVE_LEVEL: the completions arrive as APCs while it sleeps. */
void IopCancelThreadIrps(PETHREAD Thread)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    LONGLONG Waited = 0;
    BOOLEAN Reported = FALSE;

    if (IopHasIrps(Thread, NULL))
        IopCancelOfThread(Thread, NULL, NULL, FALSE);
    while (IopHasIrps(Thread, NULL)) {
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
        Waited -= Moment.QuadPart;
        if (Moment.QuadPart > -IOP_SECOND / 10)
            Moment.QuadPart *= 2;
        if (!Reported && Waited >= IopState.ReportAfter) {
            IopReportIrps(Thread);
            Reported = TRUE;
        }
        if (Waited >= IopState.AbandonAfter)
            IopAbandonIrps(Thread);
    }
    IopFreeCache(Thread);
}

/* CancelIo: the calling thread's requests on the file, which have ended when this returns. */
static void IopCancelOwn(PFILE_OBJECT File)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};

    if (!IopCancelOfThread(PsSelf(), File, NULL, FALSE))
        return;
    while (IopHasIrps(PsSelf(), File)) {
        if (KeDelayExecutionThread(UserMode, FALSE, &Moment) == STATUS_THREAD_IS_TERMINATING)
            return;
    }
}

/* CancelIoEx: the requests of every thread of the calling process. */
static ULONG IopCancelOfProcess(PFILE_OBJECT File, PIO_STATUS_BLOCK Iosb)
{
    ULONG Count = 0;

    for (PETHREAD Thread = PsNextThread_(PsSelf()->Process, NULL); Thread;
         Thread = PsNextThread_(PsSelf()->Process, Thread))
        Count += IopCancelOfThread(Thread, File, Iosb, FALSE);
    return Count;
}

/* AnyThread: CancelIoEx, else CancelIo. STATUS_NOT_FOUND: CancelIoEx met no request. */
NTSTATUS IopCancelFile(HANDLE File, PIO_STATUS_BLOCK IoRequestToCancel, BOOLEAN AnyThread,
                       PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode)
{
    PFILE_OBJECT Object;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    Status = IopReferenceFile(File, 0, Mode, &Object, &Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!AnyThread)
        IopCancelOwn(Object);
    else if (!IopCancelOfProcess(Object, IoRequestToCancel))
        Status = STATUS_NOT_FOUND;
    ObDereferenceObject(Object);
    *Iosb = (IO_STATUS_BLOCK){.Status = Status};
    return Status;
}

/* CancelSynchronousIo: what that thread waits for in a service. */
NTSTATUS IopCancelSynchronous(PETHREAD Thread, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK Iosb)
{
    NTSTATUS Status =
        IopCancelOfThread(Thread, NULL, Request, TRUE) ? STATUS_SUCCESS : STATUS_NOT_FOUND;

    *Iosb = (IO_STATUS_BLOCK){.Status = Status};
    return Status;
}
