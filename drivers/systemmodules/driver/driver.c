/*
 * SystemModules: which modules the kernel has loaded. Two modes, see public.h. All code runs at
 * PASSIVE_LEVEL.
 */
#include "report.h"
#include "source.h"
#include "../../common/device.h"
#include "../../common/settings.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH OpenOrClose;
static DRIVER_DISPATCH DeviceControl;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, Unload)
#pragma alloc_text(PAGE, OpenOrClose)
#pragma alloc_text(PAGE, DeviceControl)
#endif

static NTSTATUS NTAPI OpenOrClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(DeviceObject);
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

/* Whole entries only, and a count of all. */
static NTSTATUS CopyList(const SYSTEM_MODULE_LIST *List, SYSTEM_MODULE_LIST *Out, ULONG Length,
                         ULONG_PTR *Information)
{
    ULONG Fits = (Length - SYSTEM_MODULE_LIST_HEAD) / sizeof(SYSTEM_MODULE);

    Out->Count = List->Count;
    Out->Returned = Fits < List->Count ? Fits : List->Count;
    RtlCopyMemory(Out->Modules, List->Modules, Out->Returned * sizeof(SYSTEM_MODULE));
    *Information = SYSTEM_MODULE_LIST_HEAD + Out->Returned * sizeof(SYSTEM_MODULE);
    return Out->Returned == List->Count ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS ListModules(PIRP Irp, ULONG InputLength, ULONG OutputLength, ULONG_PTR *Information)
{
    ULONG Kind = SYSTEMMODULES_SOURCE_SYSTEM;
    SYSTEM_MODULE_LIST *List;
    MODULE_SOURCE Source;
    NTSTATUS Status;

    if (InputLength >= sizeof(Kind))
        RtlCopyMemory(&Kind, Irp->AssociatedIrp.SystemBuffer, sizeof(Kind));
    if (OutputLength < SYSTEM_MODULE_LIST_HEAD)
        return STATUS_BUFFER_TOO_SMALL;
    Status = SourceOpen(Kind, &Source);
    if (NT_SUCCESS(Status))
        Status = ModulesQuery(&Source, &List);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CopyList(List, Irp->AssociatedIrp.SystemBuffer, OutputLength, Information);
    SourceFree(NULL, List);
    return Status;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    ULONG_PTR Information = 0;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Stack->Parameters.DeviceIoControl.IoControlCode == IOCTL_SYSTEMMODULES_LIST)
        Status = ListModules(Irp, Stack->Parameters.DeviceIoControl.InputBufferLength,
                             Stack->Parameters.DeviceIoControl.OutputBufferLength, &Information);
    return DriverComplete(Irp, Status, Information);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    PAGED_CODE();
    DeviceDelete(Driver->DeviceObject, SYSTEMMODULES_LINK);
}

/* In the tutorial's mode a success is STATUS_DEVICE_CONFIGURATION_ERROR, and a failure is its own
 * status. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    /* {A6B0C4E2-94D3-4E5F-8B0A-7E6D21F3C958} */
    static const GUID Class = {
        0xa6b0c4e2, 0x94d3, 0x4e5f, {0x8b, 0x0a, 0x7e, 0x6d, 0x21, 0xf3, 0xc9, 0x58}};
    ULONG Source = SettingsNumber(RegistryPath, L"Source", SYSTEMMODULES_SOURCE_SYSTEM);
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    PAGED_CODE();
    if (SettingsNumber(RegistryPath, L"Mode", SYSTEMMODULES_MODE_DEVICE) ==
        SYSTEMMODULES_MODE_TUTORIAL) {
        Status = Report(RegistryPath, Source);
        return NT_SUCCESS(Status) ? STATUS_DEVICE_CONFIGURATION_ERROR : Status;
    }
    Status = DeviceCreate(Driver, SYSTEMMODULES_DEVICE, SYSTEMMODULES_LINK, FILE_DEVICE_UNKNOWN,
                          &Class, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenOrClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
