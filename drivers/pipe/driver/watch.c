/* IOCTL_EXAMPLE_WAIT: requests that wait until a pipe is readable, writable, drained, met or left.
 */
#include "pipe.h"

static ULONG ConditionsOf(PIRP Irp)
{
    return *(ULONG *)Irp->AssociatedIrp.SystemBuffer;
}

/* The answer lies where the question was. */
static VOID Answer(PIRP Irp, ULONG Conditions)
{
    *(ULONG *)Irp->AssociatedIrp.SystemBuffer = Conditions;
}

/* PIPE.Lock is held. Those who wait already have just been looked at. */
static NTSTATUS Serve(PIPE *Pipe, PIRP Irp, ULONG_PTR *Information)
{
    ULONG Now = PipeConditions(Pipe);
    NTSTATUS Status;

    if (InstanceOf(Irp)->Closing)
        return STATUS_FILE_CLOSED;
    if (ConditionsOf(Irp) & Now) {
        Answer(Irp, Now);
        *Information = sizeof(ULONG);
        return STATUS_SUCCESS;
    }
    Status = WaitingCharge(Irp);
    if (!NT_SUCCESS(Status))
        return Status;
    Pipe->Seen = Now;
    WAITING_PROGRESS(Irp) = 0;
    WaitingAdd(Pipe, &Pipe->Watchers, Irp, FALSE);
    return STATUS_PENDING;
}

NTSTATUS WatchWait(PIRP Irp, ULONG_PTR *Information)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PIPE *Pipe = PipeOf(Irp);
    LIST_ENTRY Done;
    NTSTATUS Status;

    if (Stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(ULONG) ||
        Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    if (!ConditionsOf(Irp) || (ConditionsOf(Irp) & ~(ULONG)EXAMPLE_ANY_CONDITION))
        return STATUS_INVALID_PARAMETER;
    InitializeListHead(&Done);
    PipeLock(Pipe);
    WatchGoOn(Pipe, &Done); /* what has changed may not have been told to them yet */
    Status = Serve(Pipe, Irp, Information);
    PipeUnlock(Pipe);
    TransferComplete(&Done);
    return Status;
}

static VOID Look(PIPE *Pipe, PIRP Irp, ULONG Now, PLIST_ENTRY Done)
{
    if (!(ConditionsOf(Irp) & Now)) {
        WaitingAdd(Pipe, &Pipe->Watchers, Irp, FALSE);
        return;
    }
    Answer(Irp, Now);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = sizeof(ULONG);
    InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
}

/* Each is looked at once, and only if something has changed since they were looked at before. */
VOID WatchGoOn(PIPE *Pipe, PLIST_ENTRY Done)
{
    LONG Left = WaitingCount(Pipe, WAITING_WATCHERS);
    ULONG Now;
    PIRP Irp;

    if (!Left)
        return;
    Now = PipeConditions(Pipe);
    if (Now == Pipe->Seen)
        return;
    Pipe->Seen = Now;
    while (Left-- && (Irp = WaitingRemove(&Pipe->Watchers, NULL)) != NULL)
        Look(Pipe, Irp, Now, Done);
}
