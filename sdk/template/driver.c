/* Template: a device that answers one control code. */
#include <ntddk.h>
#include "public.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TemplateUnload;
static DRIVER_DISPATCH TemplateCreateClose;
static DRIVER_DISPATCH TemplateDeviceControl;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#endif

static NTSTATUS TemplateComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status; /* the IRP may be gone */
}

static NTSTATUS TemplateCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return TemplateComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS TemplateUpper(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Length = Stack->Parameters.DeviceIoControl.InputBufferLength;
    PUCHAR Bytes = Irp->AssociatedIrp.SystemBuffer; /* input and output */

    if (Length == 0)
        return TemplateComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < Length)
        return TemplateComplete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    for (ULONG i = 0; i < Length; i++)
        if (Bytes[i] >= 'a' && Bytes[i] <= 'z')
            Bytes[i] -= 'a' - 'A';
    return TemplateComplete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS TemplateDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_TEMPLATE_UPPER:
        return TemplateUpper(Irp, Stack);
    default:
        return TemplateComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static VOID TemplateUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(TEMPLATE_LINK_NAME);

    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(DriverObject->DeviceObject);
    DbgPrint("unloaded\n");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(TEMPLATE_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(TEMPLATE_LINK_NAME);
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                            FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = TemplateCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = TemplateCreateClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = TemplateDeviceControl;
    DriverObject->DriverUnload = TemplateUnload;
    DbgPrint("loaded from %wZ\n", RegistryPath);
    return STATUS_SUCCESS;
}
