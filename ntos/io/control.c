/*
 * Device control: the four ways of passing buffers.
 */
#include "io/iop.h"

/* A control code may ask for rights that the handle must have. */
static BOOLEAN IopMayControl(ULONG Code, ACCESS_MASK Granted)
{
    ULONG Required =
        Code >> 14 & (FILE_READ_ACCESS |
                      FILE_WRITE_ACCESS); /* the values of FILE_READ_DATA and FILE_WRITE_DATA */

    return (Granted & Required) == Required;
}

static NTSTATUS IopCheckControlBuffers(ULONG Code, PVOID Input, ULONG InputLength, PVOID Output,
                                       ULONG OutputLength, const IO_ASYNC *Async)
{
    if (!MmIsUserRangeWritable(Async->UserIosb, sizeof(IO_STATUS_BLOCK)))
        return STATUS_ACCESS_VIOLATION;
    if ((Code & 3) == METHOD_NEITHER)
        return STATUS_SUCCESS;
    if (InputLength && Input && !MmIsUserRange(Input, InputLength))
        return STATUS_ACCESS_VIOLATION;
    if (OutputLength && Output &&
        !((Code & 3) == METHOD_IN_DIRECT ? MmIsUserRange : MmIsUserRangeWritable)(Output,
                                                                                  OutputLength))
        return STATUS_ACCESS_VIOLATION;
    return STATUS_SUCCESS;
}

static NTSTATUS IopSetUpBuffered(PIRP Irp, PVOID Input, ULONG InputLength, PVOID Output,
                                 ULONG OutputLength, KPROCESSOR_MODE Mode)
{
    ULONG Length = max(InputLength, OutputLength);

    Irp->UserBuffer = Output;
    if (!Length)
        return STATUS_SUCCESS;
    if (Output) {
        Irp->Flags |= IRP_INPUT_OPERATION;
        host_will_write(Output);
    }
    return IopCaptureInput(Irp, Input, Input ? InputLength : 0, Length, Mode);
}

static NTSTATUS IopSetUpDirect(PIRP Irp, ULONG Method, PVOID Input, ULONG InputLength, PVOID Output,
                               ULONG OutputLength, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (InputLength && Input)
        Status = IopCaptureInput(Irp, Input, InputLength, InputLength, Mode);
    if (NT_SUCCESS(Status) && OutputLength && Output)
        Status = IopLockBuffer(Irp, Output, OutputLength,
                               Method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess, Mode);
    return Status;
}

static NTSTATUS IopSetUpControl(PIRP Irp, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output,
                                ULONG OutputLength, BOOLEAN FsControl, KPROCESSOR_MODE Mode)
{
    PIO_STACK_LOCATION Location = IopTopLocation(Irp);

    Location->MajorFunction = FsControl ? IRP_MJ_FILE_SYSTEM_CONTROL : IRP_MJ_DEVICE_CONTROL;
    Location->Parameters.DeviceIoControl.OutputBufferLength = OutputLength;
    Location->Parameters.DeviceIoControl.InputBufferLength = InputLength;
    Location->Parameters.DeviceIoControl.IoControlCode = Code;
    switch (Code & 3) {
    case METHOD_BUFFERED:
        return IopSetUpBuffered(Irp, Input, InputLength, Output, OutputLength, Mode);
    case METHOD_NEITHER:
        Irp->UserBuffer = Output;
        Location->Parameters.DeviceIoControl.Type3InputBuffer = Input;
        return STATUS_SUCCESS;
    default:
        return IopSetUpDirect(Irp, Code & 3, Input, InputLength, Output, OutputLength, Mode);
    }
}

/* TRUE: the driver did it at once, without an IRP. */
static BOOLEAN IopTryFastControl(IOP_REQUEST *Request, ULONG Code, PVOID Input, ULONG InputLength,
                                 PVOID Output, ULONG OutputLength, PIO_STATUS_BLOCK Iosb)
{
    PFAST_IO_DISPATCH Fast = Request->Device->DriverObject->FastIoDispatch;

    if (!Fast ||
        Fast->SizeOfFastIoDispatch <= FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl) ||
        !Fast->FastIoDeviceControl)
        return FALSE;
    return IOP_CALL(Fast->FastIoDeviceControl, Request->File, TRUE, Input, InputLength, Output,
                    OutputLength, Code, Iosb, Request->Device);
}

static NTSTATUS IopFinishFast(IOP_REQUEST *Request, PIO_STATUS_BLOCK Iosb)
{
    NTSTATUS Status = Iosb->Status;

    if (Request->Event)
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
    IopWriteIosb(Request->Async->UserIosb, Request->Mode, Status, Iosb->Information);
    IopEndRequest(Request);
    return Status;
}

static NTSTATUS IopSendControl(IOP_REQUEST *Request, ACCESS_MASK Granted, ULONG Code, PVOID Input,
                               ULONG InputLength, PVOID Output, ULONG OutputLength,
                               BOOLEAN FsControl)
{
    PIRP Irp = IopAllocateIrp(Request->Device->StackSize);
    NTSTATUS Status;

    if (!Irp) {
        IopEndRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    /* SL_READ_ACCESS_GRANTED and SL_WRITE_ACCESS_GRANTED, for IoValidateDeviceIoControlAccess. */
    IopTopLocation(Irp)->Flags =
        (UCHAR)((Granted & FILE_READ_DATA) | (Granted & FILE_WRITE_DATA) << 1);
    Status = IopSetUpControl(Irp, Code, Input, InputLength, Output, OutputLength, FsControl,
                             Request->Mode);
    if (NT_SUCCESS(Status))
        return IopIssue(Irp, Request);
    IopReleaseBuffers(Irp);
    IoFreeIrp(Irp);
    IopEndRequest(Request);
    return Status;
}

NTSTATUS IopDeviceControl(HANDLE File, const IO_ASYNC *Async, ULONG Code, PVOID Input,
                          ULONG InputLength, PVOID Output, ULONG OutputLength, BOOLEAN FsControl,
                          KPROCESSOR_MODE Mode)
{
    IOP_REQUEST Request;
    IO_STATUS_BLOCK Iosb;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    if (Mode == UserMode) {
        Status = IopCheckControlBuffers(Code, Input, InputLength, Output, OutputLength, Async);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Status = IopReferenceFile(File, 0, Mode, &Request.File, &Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Mode == UserMode && !IopMayControl(Code, Granted)) {
        ObDereferenceObject(Request.File);
        return STATUS_ACCESS_DENIED;
    }
    Status = IopBeginRequest(&Request, Mode, Async);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!FsControl &&
        IopTryFastControl(&Request, Code, Input, InputLength, Output, OutputLength, &Iosb))
        return IopFinishFast(&Request, &Iosb);
    return IopSendControl(&Request, Granted, Code, Input, InputLength, Output, OutputLength,
                          FsControl);
}
