/*
 * Sending an IRP down and waiting for it.
 */
#include "io/iop.h"

static NTSTATUS NTAPI IopSignalCaller(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned)
        KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Irp, IopSignalCaller, &Event, TRUE, TRUE, TRUE);
    if (IoCallDriver(Device, Irp) == STATUS_PENDING)
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

/* Passes a copy of the current location down and waits: the IRP is the caller's again, with the
 * lower driver's status. FALSE: no location left. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-ioforwardirpsynchronously */
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (Irp->StackCount < (CCHAR)DeviceObject->StackSize || Irp->CurrentLocation <= 1)
        return FALSE;
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IopCallAndWait(DeviceObject, Irp);
    return TRUE;
}

/* As above, with the next location set up by the caller; the lower driver's status. IRQL <=
 * APC_LEVEL. Doc: ntddk/nf-ntddk-iosynchronouscalldriver */
NTSTATUS NTAPI IoSynchronousCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    VF_IRQL_MAX(APC_LEVEL);
    IopCallAndWait(DeviceObject, Irp);
    return Irp->IoStatus.Status;
}

typedef struct IOP_EXTENDED {
    PDEVICE_OBJECT Device;
    PVOID Context;
    PIO_COMPLETION_ROUTINE Routine;
} IOP_EXTENDED;

static NTSTATUS NTAPI IopCallExtended(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    IOP_EXTENDED Extended = *(IOP_EXTENDED *)Context;
    NTSTATUS Status;

    ExFreePoolWithTag(Context, IOP_TAG);
    Status = IOP_CALL(Extended.Routine, Device, Irp, Extended.Context);
    ObDereferenceObject(Extended.Device);
    return Status;
}

/* A completion routine whose driver is held until it has returned. STATUS_INSUFFICIENT_RESOURCES.
 * IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iosetcompletionroutineex */
NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                        PIO_COMPLETION_ROUTINE CompletionRoutine, PVOID Context,
                                        BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
                                        BOOLEAN InvokeOnCancel)
{
    IOP_EXTENDED *Extended;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Extended = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Extended), IOP_TAG);
    if (!Extended)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObReferenceObject(DeviceObject);
    *Extended = (IOP_EXTENDED){DeviceObject, Context, CompletionRoutine};
    IoSetCompletionRoutine(Irp, IopCallExtended, Extended, InvokeOnSuccess, InvokeOnError,
                           InvokeOnCancel);
    return STATUS_SUCCESS;
}
