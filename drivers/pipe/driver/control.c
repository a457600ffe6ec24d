/* The control codes of a pipe: its mode and its state. */
#include "pipe.h"

static NTSTATUS SetMode(PIRP Irp)
{
    PIPE *Pipe = PipeOf(Irp);
    EXAMPLE_MODE Mode;
    NTSTATUS Status;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.InputBufferLength <
        sizeof(Mode))
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(&Mode, Irp->AssociatedIrp.SystemBuffer, sizeof(Mode));
    PipeLock(Pipe);
    Status = PipeSetMode(Pipe, &Mode);
    PipeUnlock(Pipe);
    return Status;
}

static ULONG HandlesOf(PIRP Irp)
{
    DEVICE *Device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject->DeviceExtension;
    ULONG Handles;

    ExAcquireFastMutex(&Device->Names.Lock);
    Handles = PipeOf(Irp)->References;
    ExReleaseFastMutex(&Device->Names.Lock);
    return Handles;
}

static NTSTATUS QueryState(PIRP Irp, ULONG_PTR *Information)
{
    PIPE *Pipe = PipeOf(Irp);
    EXAMPLE_STATE *State = Irp->AssociatedIrp.SystemBuffer;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength <
        sizeof(*State))
        return STATUS_BUFFER_TOO_SMALL;
    State->Handles = HandlesOf(Irp);
    PipeLock(Pipe);
    State->Mode = Pipe->Mode;
    State->Used = RingUsed(&Pipe->Store.Ring);
    State->WaitingReaders = WaitingCount(&Pipe->Readers);
    State->WaitingWriters = WaitingCount(&Pipe->Writers);
    State->BytesRead = InstanceOf(Irp)->BytesRead;
    State->BytesWritten = InstanceOf(Irp)->BytesWritten;
    PipeUnlock(Pipe);
    *Information = sizeof(*State);
    return STATUS_SUCCESS;
}

static NTSTATUS Discard(PIRP Irp)
{
    PIPE *Pipe = PipeOf(Irp);

    PipeLock(Pipe);
    RingDrop(&Pipe->Store.Ring, RingUsed(&Pipe->Store.Ring));
    PipeUnlock(Pipe);
    TransferWake(Pipe);
    return STATUS_SUCCESS;
}

NTSTATUS ControlMode(PIRP Irp, ULONG Code, ULONG_PTR *Information)
{
    switch (Code) {
    case IOCTL_EXAMPLE_SET_MODE:
        return SetMode(Irp);
    case IOCTL_EXAMPLE_QUERY_STATE:
        return QueryState(Irp, Information);
    case IOCTL_EXAMPLE_DISCARD:
        return Discard(Irp);
    }
    return STATUS_NOT_SUPPORTED;
}
