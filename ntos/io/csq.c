/*
 * Cancel-safe queues. DriverContext[3] of a queued IRP names its context or, without one, its
 * queue; both begin with a type.
 */
#ifndef NT_CSQ_LIBRARY /* sdk/windows/lib/csq.c */
#include "io/iop.h"
#endif
#include <csq.h>

#define IOP_CSQ_SLOT 3

static void IopFillCsq(PIO_CSQ Csq, ULONG Type, PIO_CSQ_INSERT_IRP Insert,
                       PIO_CSQ_REMOVE_IRP Remove, PIO_CSQ_PEEK_NEXT_IRP Peek,
                       PIO_CSQ_ACQUIRE_LOCK Acquire, PIO_CSQ_RELEASE_LOCK Release,
                       PIO_CSQ_COMPLETE_CANCELED_IRP Complete)
{
    Csq->Type = Type;
    Csq->CsqInsertIrp = Insert;
    Csq->CsqRemoveIrp = Remove;
    Csq->CsqPeekNextIrp = Peek;
    Csq->CsqAcquireLock = Acquire;
    Csq->CsqReleaseLock = Release;
    Csq->CsqCompleteCanceledIrp = Complete;
    Csq->ReservePointer = NULL;
}

/* Any IRQL. Doc: wdm/nf-wdm-iocsqinitialize */
NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp,
                               PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                               PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    IopFillCsq(Csq, IO_TYPE_CSQ, CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock,
               CsqReleaseLock, CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/* The insert callback may refuse. Any IRQL. Doc: wdm/nf-wdm-iocsqinitializeex */
NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp,
                                 PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                                 PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    IopFillCsq(Csq, IO_TYPE_CSQ_EX, (PIO_CSQ_INSERT_IRP)(PVOID)CsqInsertIrp, CsqRemoveIrp,
               CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/* Under the queue's lock: the IRP belongs to no queue any more. */
static void IopUnbind(PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = Irp->Tail.Overlay.DriverContext[IOP_CSQ_SLOT];

    if (Context->Type == IO_TYPE_CSQ_IRP_CONTEXT)
        Context->Irp = NULL;
    Irp->Tail.Overlay.DriverContext[IOP_CSQ_SLOT] = NULL;
}

static VOID NTAPI IopCsqCancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = Irp->Tail.Overlay.DriverContext[IOP_CSQ_SLOT];
    PIO_CSQ Csq = Context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? Context->Csq : (PIO_CSQ)Context;
    KIRQL Irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    IOP_CALL(Csq->CsqAcquireLock, Csq, &Irql);
    IOP_CALL(Csq->CsqRemoveIrp, Csq, Irp);
    IopUnbind(Irp);
    IOP_CALL(Csq->CsqReleaseLock, Csq, Irql);
    IOP_CALL(Csq->CsqCompleteCanceledIrp, Csq, Irp);
}

static void IopBind(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    if (Context) {
        Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
        Context->Irp = Irp;
        Context->Csq = Csq;
        Irp->Tail.Overlay.DriverContext[IOP_CSQ_SLOT] = Context;
    } else {
        Irp->Tail.Overlay.DriverContext[IOP_CSQ_SLOT] = Csq;
    }
}

static NTSTATUS IopCallInsert(PIO_CSQ Csq, PIRP Irp, PVOID InsertContext)
{
    if (Csq->Type == IO_TYPE_CSQ_EX)
        return IOP_CALL((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp, Csq, Irp, InsertContext);
    IOP_CALL(Csq->CsqInsertIrp, Csq, Irp);
    return STATUS_SUCCESS;
}

/* Queues the IRP and marks it pending. What the insert callback refuses is neither queued nor
 * marked, and its status returned. An IRP that has been cancelled meanwhile is completed through
 * CsqCompleteCanceledIrp. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iocsqinsertirpex */
NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context,
                                PVOID InsertContext)
{
    BOOLEAN Cancelled = FALSE;
    NTSTATUS Status;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    IOP_CALL(Csq->CsqAcquireLock, Csq, &Irql);
    IopBind(Csq, Irp, Context);
    Status = IopCallInsert(Csq, Irp, InsertContext);
    if (!NT_SUCCESS(Status)) {
        IopUnbind(Irp);
        IOP_CALL(Csq->CsqReleaseLock, Csq, Irql);
        return Status;
    }
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, IopCsqCancel);
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(Irp, NULL)) {
        IOP_CALL(Csq->CsqRemoveIrp, Csq, Irp);
        IopUnbind(Irp);
        Cancelled = TRUE;
    }
    IOP_CALL(Csq->CsqReleaseLock, Csq, Irql);
    if (Cancelled)
        IOP_CALL(Csq->CsqCompleteCanceledIrp, Csq, Irp);
    return Status;
}

/* Doc: wdm/nf-wdm-iocsqinsertirp */
VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

/* The IRP that Context was queued with, or NULL: it is gone, or being cancelled. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iocsqremoveirp */
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    PIRP Irp;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    IOP_CALL(Csq->CsqAcquireLock, Csq, &Irql);
    Irp = Context->Irp;
    if (Irp && IoSetCancelRoutine(Irp, NULL)) {
        IOP_CALL(Csq->CsqRemoveIrp, Csq, Irp);
        IopUnbind(Irp);
    } else {
        Irp = NULL;
    }
    IOP_CALL(Csq->CsqReleaseLock, Csq, Irql);
    return Irp;
}

/* The next IRP that PeekContext asks for and that is not being cancelled; NULL: none. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iocsqremovenextirp */
PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    PIRP Irp = NULL;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    IOP_CALL(Csq->CsqAcquireLock, Csq, &Irql);
    while ((Irp = IOP_CALL(Csq->CsqPeekNextIrp, Csq, Irp, PeekContext))) {
        if (!IoSetCancelRoutine(Irp, NULL))
            continue;
        IOP_CALL(Csq->CsqRemoveIrp, Csq, Irp);
        IopUnbind(Irp);
        break;
    }
    IOP_CALL(Csq->CsqReleaseLock, Csq, Irql);
    return Irp;
}
