/*
 * Unloading: asked for at any time, done when no file is open on the driver's devices and nothing
 * is attached to them.
 */
#include "io/iop.h"

static BOOLEAN IopInUse(PDRIVER_OBJECT Driver)
{
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device; Device = Device->NextDevice) {
        if (Device->ReferenceCount || Device->AttachedDevice)
            return TRUE;
    }
    return FALSE;
}

static void IopUnloadNow(PVOID Context)
{
    IOP_DRIVER *Driver = Context;
    struct _KTHREAD *Self = KiSelf;
    PDRIVER_OBJECT Outer = Self->CurrentDriver;

    VfTrace(VfEventUnload, (ULONG_PTR)Driver, (ULONG_PTR)Driver->Object.DriverUnload);
    Self->CurrentDriver = &Driver->Object;
    IOP_CALL(Driver->Object.DriverUnload, &Driver->Object);
    if (Self->Irql != PASSIVE_LEVEL)
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG_PTR)Self->Irql << 16,
                   (ULONG_PTR)Driver->Object.DriverUnload, 0, 0,
                   "DriverUnload returned at raised IRQL");
    Self->CurrentDriver = Outer;
    IopCheckLeftovers(&Driver->Object);
    IopUnlistDriver(Driver);
}

void IopCompleteUnload(PDRIVER_OBJECT Object)
{
    IOP_DRIVER *Driver = IopDriver(Object);
    BOOLEAN Due;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Due = Driver->UnloadPending && !Driver->UnloadStarted && !IopInUse(Object);
    if (Due)
        Driver->UnloadStarted = TRUE;
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    if (Due)
        IopRunAsSystem(IopUnloadNow, Driver);
}

static void IopMarkUnload(PDRIVER_OBJECT Driver)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    IopDriver(Driver)->UnloadPending = TRUE;
    Driver->Flags |= DRVO_UNLOAD_INVOKED;
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device; Device = Device->NextDevice)
        IopDevice(Device)->ExtensionFlags |= DOE_UNLOAD_PENDING;
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
}

static NTSTATUS IopFindDriver(PUNICODE_STRING ServiceName, PDRIVER_OBJECT *Driver)
{
    WCHAR Text[128] = L"\\Driver\\";
    UNICODE_STRING Name;

    RtlInitEmptyUnicodeString(&Name, Text, sizeof(Text));
    Name.Length = sizeof(L"\\Driver\\") - sizeof(WCHAR);
    if (!NT_SUCCESS(RtlAppendUnicodeStringToString(&Name, ServiceName)))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    return ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, IopState.DriverType,
                                   KernelMode, NULL, (PVOID *)Driver);
}

NTSTATUS IopUnloadDriver(PUNICODE_STRING ServiceName)
{
    PDRIVER_OBJECT Driver;
    NTSTATUS Status = IopFindDriver(ServiceName, &Driver);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Driver->DriverUnload) {
        IopMarkUnload(Driver);
        IopCompleteUnload(Driver);
    } else {
        Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    ObDereferenceObject(Driver);
    return Status;
}

BOOLEAN IopDriverPending(PDRIVER_OBJECT Driver)
{
    return IopDriver(Driver)->UnloadPending && !IopDriver(Driver)->UnloadStarted;
}

ULONG IopDriverUseCount(PDRIVER_OBJECT Driver)
{
    ULONG Count = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device; Device = Device->NextDevice)
        Count += (ULONG)Device->ReferenceCount + (Device->AttachedDevice != NULL);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Count;
}

/* At shutdown, for a driver that cannot be unloaded: its devices go anyhow. */
static void IopDropDriver(IOP_DRIVER *Driver)
{
    PDEVICE_OBJECT Device;

    while ((Device = Driver->Object.DeviceObject)) {
        if (IopDevice(Device)->AttachedTo)
            IoDetachDevice(IopDevice(Device)->AttachedTo);
        IoDeleteDevice(Device);
        if (Driver->Object.DeviceObject == Device)
            VfBugCheck(DEVICE_REFERENCE_COUNT_NOT_ZERO, (ULONG_PTR)Device, 0, 0, 0,
                       "at shutdown a device of %u opens is left",
                       (unsigned)Device->ReferenceCount);
    }
    IopUnlistDriver(Driver);
}

static IOP_DRIVER *IopLastDriver(void)
{
    IOP_DRIVER *Driver = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    if (!IsListEmpty(&IopState.Drivers)) {
        Driver = CONTAINING_RECORD(IopState.Drivers.Blink, IOP_DRIVER, Links);
        ObReferenceObject(Driver);
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Driver;
}

/* The last loaded first. Nothing is open any more. */
void IopUnloadAll(void)
{
    IOP_DRIVER *Driver;

    while ((Driver = IopLastDriver())) {
        if (Driver->Object.DriverUnload && !IopInUse(&Driver->Object)) {
            IopMarkUnload(&Driver->Object);
            IopCompleteUnload(&Driver->Object);
        } else {
            IopDropDriver(Driver);
        }
        ObDereferenceObject(Driver);
    }
}
