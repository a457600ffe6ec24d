/*
 * Reading and writing.
 */
#include "io/iop.h"

static BOOLEAN IopIsFilePointer(const IO_TRANSFER *Transfer)
{
    return !Transfer->HasOffset || (Transfer->Offset.HighPart == -1 &&
                                    Transfer->Offset.LowPart == FILE_USE_FILE_POINTER_POSITION);
}

static BOOLEAN IopIsEndOfFile(const IO_TRANSFER *Transfer)
{
    return Transfer->Offset.HighPart == -1 && Transfer->Offset.LowPart == FILE_WRITE_TO_END_OF_FILE;
}

/* A synchronous file has a position, which stands in for an offset that is not given; an
 * asynchronous one needs the offset. */
static NTSTATUS IopDecideOffset(PFILE_OBJECT File, ACCESS_MASK Granted, IO_TRANSFER *Transfer)
{
    if (Transfer->Write && (Granted & (FILE_APPEND_DATA | FILE_WRITE_DATA)) == FILE_APPEND_DATA) {
        Transfer->Offset.LowPart = FILE_WRITE_TO_END_OF_FILE;
        Transfer->Offset.HighPart = -1;
        return STATUS_SUCCESS;
    }
    if (IopIsFilePointer(Transfer)) {
        if (IopIsSynchronous(File))
            Transfer->Offset = File->CurrentByteOffset;
        else if (Transfer->HasOffset || !(File->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)))
            return STATUS_INVALID_PARAMETER;
        return STATUS_SUCCESS;
    }
    if (Transfer->Offset.QuadPart < 0 && !(Transfer->Write && IopIsEndOfFile(Transfer)))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS IopSetUpBufferedTransfer(PIRP Irp, const IO_TRANSFER *Transfer,
                                         KPROCESSOR_MODE Mode)
{
    Irp->Flags |= IRP_BUFFERED_IO;
    if (!Transfer->Write)
        Irp->Flags |= IRP_INPUT_OPERATION;
    Irp->UserBuffer = Transfer->Buffer;
    if (!Transfer->Length)
        return STATUS_SUCCESS;
    return IopCaptureInput(Irp, Transfer->Buffer, Transfer->Write ? Transfer->Length : 0,
                           Transfer->Length, Mode);
}

static NTSTATUS IopSetUpTransfer(PIRP Irp, PDEVICE_OBJECT Device, const IO_TRANSFER *Transfer,
                                 KPROCESSOR_MODE Mode)
{
    PIO_STACK_LOCATION Location = IopTopLocation(Irp);

    /* The two have one layout. */
    Location->MajorFunction = Transfer->Write ? IRP_MJ_WRITE : IRP_MJ_READ;
    Location->Parameters.Read.Length = Transfer->Length;
    Location->Parameters.Read.Key = Transfer->Key;
    Location->Parameters.Read.ByteOffset = Transfer->Offset;
    Irp->Flags |= Transfer->Write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    if (Device->Flags & DO_BUFFERED_IO)
        return IopSetUpBufferedTransfer(Irp, Transfer, Mode);
    if (!(Device->Flags & DO_DIRECT_IO)) {
        Irp->UserBuffer = Transfer->Buffer;
        return STATUS_SUCCESS;
    }
    if (!Transfer->Length)
        return STATUS_SUCCESS;
    return IopLockBuffer(Irp, Transfer->Buffer, Transfer->Length,
                         Transfer->Write ? IoReadAccess : IoWriteAccess, Mode);
}

static NTSTATUS IopSendTransfer(IOP_REQUEST *Request, const IO_TRANSFER *Transfer)
{
    PIRP Irp = IopAllocateIrp(Request->Device->StackSize);
    NTSTATUS Status;

    if (!Irp) {
        IopEndRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IopSetUpTransfer(Irp, Request->Device, Transfer, Request->Mode);
    if (NT_SUCCESS(Status))
        return IopIssue(Irp, Request);
    IopReleaseBuffers(Irp);
    IoFreeIrp(Irp);
    IopEndRequest(Request);
    return Status;
}

static BOOLEAN IopMayTransfer(BOOLEAN Write, ACCESS_MASK Granted)
{
    return (Granted & (Write ? FILE_WRITE_DATA | FILE_APPEND_DATA : FILE_READ_DATA)) != 0;
}

static BOOLEAN IopIsReachable(const IO_ASYNC *Async, const IO_TRANSFER *Transfer)
{
    return MmIsUserRangeWritable(Async->UserIosb, sizeof(IO_STATUS_BLOCK)) &&
           (Transfer->Write ? MmIsUserRange(Transfer->Buffer, Transfer->Length)
                            : MmIsUserRangeWritable(Transfer->Buffer, Transfer->Length));
}

NTSTATUS IopTransfer(HANDLE File, const IO_ASYNC *Async, IO_TRANSFER *Transfer,
                     KPROCESSOR_MODE Mode)
{
    IOP_REQUEST Request;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    if (Mode == UserMode && !IopIsReachable(Async, Transfer))
        return STATUS_ACCESS_VIOLATION;
    host_will_write(Async->UserIosb);
    Status = IopReferenceFile(File, 0, Mode, &Request.File, &Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!IopMayTransfer(Transfer->Write, Granted)) {
        ObDereferenceObject(Request.File);
        return STATUS_ACCESS_DENIED;
    }
    Status = IopBeginRequest(&Request, Mode, Async);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopDecideOffset(Request.File, Granted, Transfer);
    if (!NT_SUCCESS(Status)) {
        IopEndRequest(&Request);
        return Status;
    }
    return IopSendTransfer(&Request, Transfer);
}
