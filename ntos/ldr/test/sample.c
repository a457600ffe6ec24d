/*
 * A small driver for tests: a device \Device\Sample with a link, which turns the bytes of a
 * buffered control request over.
 */
#include <ntddk.h>

#define IOCTL_SAMPLE_INVERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static DRIVER_DISPATCH SampleCreateClose, SampleControl;
static DRIVER_UNLOAD SampleUnload;
DRIVER_INITIALIZE DriverEntry;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI SampleCreateClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI SampleControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Bytes = Location->Parameters.DeviceIoControl.InputBufferLength;
    if (Location->Parameters.DeviceIoControl.IoControlCode != IOCTL_SAMPLE_INVERT)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Location->Parameters.DeviceIoControl.OutputBufferLength < Bytes)
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    for (ULONG i = 0; i < Bytes; i++)
        ((PUCHAR)Irp->AssociatedIrp.SystemBuffer)[i] ^= 0xFF;
    return Complete(Irp, STATUS_SUCCESS, Bytes);
}

static VOID NTAPI SampleUnload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\Sample");
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Sample"),
                   Link = RTL_CONSTANT_STRING(L"\\??\\Sample");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                                     FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Driver->MajorFunction[IRP_MJ_CREATE] = SampleCreateClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = SampleCreateClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = SampleControl;
    Driver->DriverUnload = SampleUnload;
    return STATUS_SUCCESS;
}
