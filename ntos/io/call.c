/*
 * Calling a driver's dispatch routine, with the checks that a driver leaves the thread as it found
 * it.
 */
#include "io/iop.h"

#define IOP_REFUSE(irp, code, p2, p3, p4, ...)                                                     \
    VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, (code), (ULONG_PTR)(p2), (ULONG_PTR)(p3),      \
               (ULONG_PTR)(p4), __VA_ARGS__)

static void IopCheckCall(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (__builtin_expect(Irp->Type != IO_TYPE_IRP, 0))
        IOP_REFUSE(Irp, 0x03, Irp, 0, 0, "IoCallDriver with something that is no IRP");
    if (__builtin_expect(!Device || Device->Type != IO_TYPE_DEVICE, 0))
        IOP_REFUSE(Irp, 0x04, Device, 0, 0, "IoCallDriver with something that is no device object");
    if (__builtin_expect(__atomic_load_n(&Irp->CancelRoutine, __ATOMIC_RELAXED) != NULL, 0))
        IOP_REFUSE(Irp, 0x203, Device->DriverObject, Irp, (PVOID)Irp->CancelRoutine,
                   "IoCallDriver with an IRP whose cancel routine is set");
}

static void IopDispatchChanged(PDEVICE_OBJECT Device, PVOID Routine, PIRP Irp, KIRQL Irql,
                               SHORT KernelApcDisable)
{
    struct _KTHREAD *Self = KiSelf;

    if (Self->Irql != Irql)
        IOP_REFUSE(Irp, 0x05, Device, Irql, Self->Irql,
                   "a dispatch routine returned at IRQL %u and was called at %u", Self->Irql, Irql);
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xC5, (ULONG_PTR)Routine,
               (ULONG_PTR)(LONG_PTR)Self->KernelApcDisable, (ULONG_PTR)(LONG_PTR)KernelApcDisable,
               "a dispatch routine entered or left a critical region and did not undo it");
}

/* Hands an IRP to the driver of Device, whose location in it becomes the current one. Returns what
 * the dispatch routine returns; the IRP may be gone by then. Bug check 0x35: no location left. IRQL
 * <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iofcalldriver */
NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    struct _KTHREAD *Self = KiSelf;
    PDRIVER_OBJECT Driver, OuterDriver = Self->CurrentDriver;
    PIRP OuterIrp = Self->CurrentIrp;
    SHORT KernelApcDisable = Self->KernelApcDisable;
    KIRQL Irql = Self->Irql;
    PIO_STACK_LOCATION Location;
    PDRIVER_DISPATCH Dispatch;
    NTSTATUS Status;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    IopCheckCall(DeviceObject, Irp);
    if (__builtin_expect(Irp->CurrentLocation <= 1, 0))
        VfBugCheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0,
                   "IoCallDriver: the IRP has %d stack locations and all are used",
                   Irp->StackCount);
    Irp->CurrentLocation--;
    Location = --Irp->Tail.Overlay.CurrentStackLocation;
    Location->DeviceObject = DeviceObject;
    Driver = DeviceObject->DriverObject;
    NT_ASSERT(Location->MajorFunction <= IRP_MJ_MAXIMUM_FUNCTION);
    Dispatch = Driver->MajorFunction[Location->MajorFunction];
    VfTrace(VfEventIrpCall, (ULONG_PTR)Irp, (ULONG_PTR)Dispatch);
    Self->CurrentDriver = Driver;
    Self->CurrentIrp = Irp;
    Status = IOP_CALL(Dispatch, DeviceObject, Irp);
    if (__builtin_expect(Self->Irql != Irql || Self->KernelApcDisable != KernelApcDisable, 0))
        IopDispatchChanged(DeviceObject, Dispatch, Irp, Irql, KernelApcDisable);
    Self->CurrentDriver = OuterDriver;
    Self->CurrentIrp = OuterIrp;
    return Status;
}

#undef IoCallDriver
NTSTATUS NTAPI IoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return IofCallDriver(DeviceObject, Irp);
}

/* What a major function does that a driver has not set. */
NTSTATUS NTAPI IopInvalidDeviceRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}
