/*
 * w2k_spy: shows a program what only the kernel can see, and lets an administrator watch and call
 * the kernel's services. The functions are in files of their own, see spy.h.
 */
#include "spy.h"
#include "dispatch.h"
#include "processor.h"
#include "../../common/device.h"
#include "../../common/settings.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Succeed;
static DRIVER_DISPATCH Ending;
static DRIVER_DISPATCH DeviceControl;
static DRIVER_DISPATCH NotImplemented;
static DRIVER_DISPATCH Shutdown;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, Unload)
#pragma alloc_text(PAGE, Succeed)
#pragma alloc_text(PAGE, Ending)
#pragma alloc_text(PAGE, DeviceControl)
#endif

static PDEVICE_OBJECT OurDevice;

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PAGED_CODE();
    return DriverComplete(
        Irp, DeviceObject == OurDevice ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_1, 0);
}

/* The last handle, and the last reference. */
static NTSTATUS NTAPI Ending(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PAGED_CODE();
    if (DeviceObject == OurDevice)
        SpyHooksForget(IoGetCurrentIrpStackLocation(Irp)->FileObject);
    return Succeed(DeviceObject, Irp);
}

static NTSTATUS NTAPI NotImplemented(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return DriverComplete(Irp, STATUS_NOT_IMPLEMENTED, 0);
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NTSTATUS Status = STATUS_INVALID_PARAMETER_1;
    ULONG_PTR Information = 0;

    PAGED_CODE();
    if (DeviceObject == OurDevice)
        Status = SpyDispatch(Irp, &Information);
    return DriverComplete(Irp, Status, Information);
}

static NTSTATUS NTAPI Shutdown(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    SpyHooksShutdown();
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

/* No file is open any more, and no hooked call is on its way: each of them holds one. */
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    PAGED_CODE();
    IoUnregisterShutdownNotification(OurDevice);
    SpyHooksUnload();
    DeviceDelete(Driver->DeviceObject, SPY_LINK);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    /* {5D3F0C7B-8A0E-4C55-9B43-2F6A1C0D7E92} */
    static const GUID Class = {
        0x5d3f0c7b, 0x8a0e, 0x4c55, {0x9b, 0x43, 0x2f, 0x6a, 0x1c, 0x0d, 0x7e, 0x92}};
    NTSTATUS Status = SpyMemoryInitialize();
    ULONG i;

    PAGED_CODE();
    if (!NT_SUCCESS(Status))
        return Status;
    CpuInitialize();
    SpyDispatchInitialize();
    SpyCallAllowed = SettingsNumber(RegistryPath, L"AllowCall", 0) == 1;
    /* whoever may open it may read all memory */
    Status = DeviceCreate(Driver, SPY_DEVICE, SPY_LINK, FILE_DEVICE_SPY, &Class, &OurDevice);
    if (!NT_SUCCESS(Status))
        return Status;
    SpyHooksInitialize(OurDevice, RegistryPath);
    IoRegisterShutdownNotification(OurDevice);
    for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        if (i != IRP_MJ_POWER && i != IRP_MJ_PNP && i != IRP_MJ_SYSTEM_CONTROL)
            Driver->MajorFunction[i] = NotImplemented;
    Driver->MajorFunction[IRP_MJ_CREATE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Ending;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Ending;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->MajorFunction[IRP_MJ_SHUTDOWN] = Shutdown;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
