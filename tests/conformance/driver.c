/* The device: a control code for each topic, one that waits, one that turns bytes round. */
#include "driver.h"
#include <stdarg.h>
#include <stdio.h>

static UNICODE_STRING Path;
static WCHAR PathText[256];

VOID Say(REPORT *Report, PCSTR What, PCSTR Format, ...)
{
    CHAR Value[128];
    va_list Arguments;
    int Length;

    va_start(Arguments, Format);
    Length = _vsnprintf(Value, sizeof(Value) - 1, Format, Arguments);
    va_end(Arguments);
    if (Length < 0)
        Length = sizeof(Value) - 1;
    Value[Length] = 0;
    Length = _snprintf(Report->Text + Report->Length, Report->Size - Report->Length, "%s %s\n",
                       What, Value);
    if (Length > 0)
        Report->Length += (ULONG)Length;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Wait(PIRP Irp)
{
    KIRQL Irql;

    IoAcquireCancelSpinLock(&Irql);
    if (Irp->Cancel) {
        IoReleaseCancelSpinLock(Irql);
        return Complete(Irp, STATUS_CANCELLED, 0);
    }
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, Cancel);
    IoReleaseCancelSpinLock(Irql);
    return STATUS_PENDING;
}

static NTSTATUS Turn(PIRP Irp, ULONG In, ULONG Out)
{
    PUCHAR Bytes = Irp->AssociatedIrp.SystemBuffer;
    ULONG i;

    for (i = 0; i < In / 2; i++) {
        UCHAR Byte = Bytes[i];

        Bytes[i] = Bytes[In - 1 - i];
        Bytes[In - 1 - i] = Byte;
    }
    return Complete(Irp, Out < In ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS, Out < In ? Out : In);
}

static NTSTATUS RunTopic(PDEVICE_OBJECT Device, PIRP Irp, ULONG Topic, ULONG Size)
{
#define CONFORMANCE_ADDRESS(Name) Test##Name,
    static VOID (*const Topics[])(REPORT *) = {CONFORMANCE_TOPICS(CONFORMANCE_ADDRESS)};
    REPORT Report = {Irp->AssociatedIrp.SystemBuffer, 0, Size, Device, &Path};

    if (Topic >= TopicCount)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Size < 1024)
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    Topics[Topic](&Report);
    return Complete(Irp, STATUS_SUCCESS, Report.Length);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG Out = Stack->Parameters.DeviceIoControl.OutputBufferLength;

    if (Code == IOCTL_CONFORMANCE_WAIT)
        return Wait(Irp);
    if (Code == IOCTL_CONFORMANCE_TURN)
        return Turn(Irp, Stack->Parameters.DeviceIoControl.InputBufferLength, Out);
    return RunTopic(Device, Irp, ((Code >> 2) & 0xFFF) - 0x800, Out);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link;

    RtlInitUnicodeString(&Link, L"\\DosDevices\\Conformance");
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name, Link;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    Path.Buffer = PathText;
    Path.MaximumLength = sizeof(PathText);
    RtlCopyUnicodeString(&Path, RegistryPath);
    RtlInitUnicodeString(&Name, L"\\Device\\Conformance");
    RtlInitUnicodeString(&Link, L"\\DosDevices\\Conformance");
    Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
