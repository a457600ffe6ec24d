/* The bench's driver: answers at once. Built natively, and as a Windows image (BENCH_IMAGE) with a
 * device of another name. */
#include <ntddk.h>
#include "public.h"

#ifdef BENCH_IMAGE
#define BENCH_NAME L"BenchImage"
#else
#define BENCH_NAME L"Bench"
#endif

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS MoveIrql(PIRP Irp, ULONG Input)
{
    ULONG Count = Input == sizeof(Count) ? *(PULONG)Irp->AssociatedIrp.SystemBuffer : 0;
    KIRQL Irql;

    if (Count > BENCH_IRQL_MOST)
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    while (Count--) {
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        KeLowerIrql(Irql);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Input = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG Output = Stack->Parameters.DeviceIoControl.OutputBufferLength;

    UNREFERENCED_PARAMETER(Device);
    if (Stack->Parameters.DeviceIoControl.IoControlCode == IOCTL_BENCH_IRQL)
        return MoveIrql(Irp, Input);
    if (Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_BENCH_ECHO)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    return Complete(Irp, STATUS_SUCCESS, Input < Output ? Input : Output);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\" BENCH_NAME);

    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\" BENCH_NAME),
                   Link = RTL_CONSTANT_STRING(L"\\DosDevices\\" BENCH_NAME);
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                                     FALSE, &Device);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Driver->MajorFunction[IRP_MJ_CREATE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
