/* The control codes of a pipe. */
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
    Status = PipeSetMode(Pipe, Irp, &Mode);
    PipeUnlock(Pipe);
    TransferWake(Pipe);
    return Status;
}

static ULONG HandlesOf(PIRP Irp)
{
    DEVICE *Device = DeviceOf(Irp);
    ULONG Handles;

    NamesLock(&Device->Names);
    Handles = PipeOf(Irp)->References;
    NamesUnlock(&Device->Names);
    return Handles;
}

static VOID Describe(PIPE *Pipe, const INSTANCE *Instance, EXAMPLE_STATE *State)
{
    State->Mode = Pipe->Mode;
    State->Used = RingUsed(&Pipe->Store.Ring);
    State->Readers = Pipe->ReadEnds;
    State->Writers = Pipe->WriteEnds;
    State->WaitingReaders = WaitingCount(Pipe, WAITING_READERS);
    State->WaitingWriters = WaitingCount(Pipe, WAITING_WRITERS);
    State->Watchers = WaitingCount(Pipe, WAITING_WATCHERS);
    State->Conditions = PipeConditions(Pipe);
    State->Dropped = Pipe->Store.Dropped;
    State->Refused = Pipe->Refused;
    State->BytesRead = Instance->BytesRead;
    State->BytesWritten = Instance->BytesWritten;
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
    Describe(Pipe, InstanceOf(Irp), State);
    PipeUnlock(Pipe);
    *Information = sizeof(*State);
    return STATUS_SUCCESS;
}

static NTSTATUS Discard(PIRP Irp)
{
    PIPE *Pipe = PipeOf(Irp);

    PipeLock(Pipe);
    StoreDiscard(&Pipe->Store);
    PipeUnlock(Pipe);
    TransferWake(Pipe);
    return STATUS_SUCCESS;
}

/* A handle that may neither read nor write (FILE_READ_ATTRIBUTES, say) has no say in a pipe. */
static BOOLEAN MayAsk(PIRP Irp)
{
    return (InstanceOf(Irp)->Access & (FILE_READ_DATA | FILE_WRITE_DATA)) != 0;
}

static NTSTATUS Dispatch(PIRP Irp, ULONG Code, ULONG_PTR *Information)
{
    switch (Code) {
    case IOCTL_EXAMPLE_SET_MODE:
        return SetMode(Irp);
    case IOCTL_EXAMPLE_QUERY_STATE:
        return QueryState(Irp, Information);
    case IOCTL_EXAMPLE_DISCARD:
        return Discard(Irp);
    case IOCTL_EXAMPLE_RESTRICT:
        return GuardRestrict(Irp);
    case IOCTL_EXAMPLE_WAIT:
        return WatchWait(Irp, Information);
    }
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS ControlPipe(PIRP Irp, ULONG Code, ULONG_PTR *Information)
{
    return MayAsk(Irp) ? Dispatch(Irp, Code, Information) : STATUS_ACCESS_DENIED;
}
