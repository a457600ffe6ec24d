/*
 * READ, WRITE and CLEANUP.
 *
 * A request is served at once as far as the pipe's mode allows; what then could go on (a reader
 * that waits, a writer that waits) is served before the lock is released, and completed after it.
 */
#include "pipe.h"

typedef struct _TRANSFER {
    PIPE *Pipe;
    PIRP Irp;
    BOOLEAN Write;
    ULONG Length;
    ULONG Done; /* bytes moved, in all */
} TRANSFER;

static VOID Begin(TRANSFER *Transfer, PIPE *Pipe, PIRP Irp, BOOLEAN Write)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    Transfer->Pipe = Pipe;
    Transfer->Irp = Irp;
    Transfer->Write = Write;
    Transfer->Length = Write ? Stack->Parameters.Write.Length : Stack->Parameters.Read.Length;
    Transfer->Done = 0;
}

static NTSTATUS MoveIn(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done)
{
    return StoreWrite(Store, Buffer, Length, Done);
}

static NTSTATUS MoveOver(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done)
{
    return StoreOverwrite(Store, Buffer, Length, Done);
}

static NTSTATUS MoveOut(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done)
{
    return StoreRead(Store, Buffer, Length, Done);
}

static BUFFER_MOVE *MoveOf(const TRANSFER *Transfer)
{
    if (!Transfer->Write)
        return MoveOut;
    return Transfer->Pipe->Mode.WhenFull == EXAMPLE_FULL_OVERWRITE ? MoveOver : MoveIn;
}

static VOID Account(const TRANSFER *Transfer, ULONG Bytes)
{
    INSTANCE *Instance = InstanceOf(Transfer->Irp);

    if (Transfer->Write)
        Instance->BytesWritten += Bytes;
    else
        Instance->BytesRead += Bytes;
}

/* A write is what a pipe first needs its ring for. */
static NTSTATUS Prepare(const TRANSFER *Transfer, UCHAR **Buffer, BOOLEAN *User)
{
    NTSTATUS Status = BufferOf(Transfer->Irp, Buffer, User);

    if (NT_SUCCESS(Status) && Transfer->Write)
        Status = PipeHaveRing(Transfer->Pipe, Transfer->Irp);
    return Status;
}

/* A buffer that is not the user's begins where the request does, not where it goes on. */
static NTSTATUS Use(const TRANSFER *Transfer, UCHAR *Buffer, BOOLEAN User, ULONG *Bytes)
{
    BUFFER_USE Use = {MoveOf(Transfer), &Transfer->Pipe->Store, Buffer,
                      Transfer->Length - Transfer->Done, Transfer->Write};

    if (User)
        return BufferGuarded(&Use, Transfer->Irp->RequestorMode, Bytes);
    return Use.Move(Use.Store, Buffer ? Buffer + Transfer->Done : NULL, Use.Length, Bytes);
}

/* Moves what can be moved now. STATUS_PENDING: (some of) it cannot. */
static NTSTATUS Move(TRANSFER *Transfer)
{
    ULONG Bytes = 0;
    UCHAR *Buffer;
    BOOLEAN User;
    NTSTATUS Status = Prepare(Transfer, &Buffer, &User);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = Use(Transfer, Buffer, User, &Bytes);
    Transfer->Done += Bytes;
    Account(Transfer, Bytes);
    return Status;
}

static BOOLEAN Waits(const TRANSFER *Transfer)
{
    const EXAMPLE_MODE *Mode = &Transfer->Pipe->Mode;

    return Transfer->Write ? Mode->WhenFull == EXAMPLE_FULL_WAIT
                           : Mode->WhenEmpty == EXAMPLE_EMPTY_WAIT;
}

static ULONG KindOf(BOOLEAN Write)
{
    return Write ? WAITING_WRITERS : WAITING_READERS;
}

static WAITING *QueueOf(const TRANSFER *Transfer)
{
    return Transfer->Write ? &Transfer->Pipe->Writers : &Transfer->Pipe->Readers;
}

/* Nothing moved, and nobody waits for it. */
static NTSTATUS FullOrEmpty(const TRANSFER *Transfer)
{
    BOOLEAN Clear = (Transfer->Pipe->Mode.Flags & EXAMPLE_CLEAR_STATUS) != 0;

    if (Transfer->Write)
        return Clear ? STATUS_PIPE_BUSY : STATUS_UNSUCCESSFUL;
    return Clear ? STATUS_PIPE_EMPTY : STATUS_BUFFER_TOO_SMALL;
}

static NTSTATUS NoBytesAsked(const TRANSFER *Transfer)
{
    return Transfer->Pipe->Mode.Flags & EXAMPLE_CLEAR_STATUS ? STATUS_SUCCESS
                                                             : FullOrEmpty(Transfer);
}

/* A request that may wait, or that must not fault halfway, has its buffer pinned first. */
static NTSTATUS Try(TRANSFER *Transfer)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Waits(Transfer) || Transfer->Pipe->Mode.WhenFull == EXAMPLE_FULL_OVERWRITE)
        Status = BufferPin(Transfer->Irp, Transfer->Length, Transfer->Write);
    if (!NT_SUCCESS(Status))
        return Status;
    return WaitingCount(Transfer->Pipe, KindOf(Transfer->Write)) ? STATUS_PENDING : Move(Transfer);
}

/* Those on the other side have gone: nobody will end the wait. */
static BOOLEAN Broken(const PIPE *Pipe, BOOLEAN Write)
{
    if (Write)
        return Pipe->Mode.WhenFull == EXAMPLE_FULL_WAIT && Pipe->HadReadEnd && !Pipe->ReadEnds;
    return Pipe->Mode.WhenEmpty == EXAMPLE_EMPTY_WAIT && Pipe->HadWriteEnd && !Pipe->WriteEnds;
}

/* What a request gets that cannot wait any more. */
static NTSTATUS Ended(const TRANSFER *Transfer, NTSTATUS Status)
{
    return Transfer->Done ? STATUS_SUCCESS : Status;
}

static NTSTATUS Refuse(TRANSFER *Transfer)
{
    if (Transfer->Write)
        Transfer->Pipe->Refused += Transfer->Length - Transfer->Done;
    return Ended(Transfer, FullOrEmpty(Transfer));
}

static NTSTATUS Wait(TRANSFER *Transfer)
{
    NTSTATUS Status = WaitingCharge(Transfer->Irp);

    if (!NT_SUCCESS(Status))
        return Ended(Transfer, Status);
    WAITING_PROGRESS(Transfer->Irp) = Transfer->Done;
    WaitingAdd(Transfer->Pipe, QueueOf(Transfer), Transfer->Irp, FALSE);
    return STATUS_PENDING;
}

/* PIPE.Lock is held. STATUS_PENDING: the IRP is in the queue, or already completed as cancelled. */
static NTSTATUS Serve(TRANSFER *Transfer)
{
    NTSTATUS Status;

    if (InstanceOf(Transfer->Irp)->Closing)
        return STATUS_FILE_CLOSED;
    if (Transfer->Length == 0 && !Transfer->Pipe->Store.Messages)
        return NoBytesAsked(Transfer);
    if (Transfer->Write && Broken(Transfer->Pipe, TRUE))
        return STATUS_PIPE_BROKEN;
    Status = Try(Transfer);
    if (Status != STATUS_PENDING)
        return Status;
    if (!Waits(Transfer))
        return Refuse(Transfer);
    return Broken(Transfer->Pipe, Transfer->Write) ? STATUS_PIPE_BROKEN : Wait(Transfer);
}

/* One request of a queue goes on. FALSE: it still waits, or there was none. */
static BOOLEAN GoOn(PIPE *Pipe, BOOLEAN Write, PLIST_ENTRY Done)
{
    TRANSFER Transfer;
    NTSTATUS Status;
    PIRP Irp = WaitingRemove(Write ? &Pipe->Writers : &Pipe->Readers, NULL);

    if (!Irp)
        return FALSE;
    Begin(&Transfer, Pipe, Irp, Write);
    Transfer.Done = (ULONG)WAITING_PROGRESS(Irp);
    Status = Write && Broken(Pipe, TRUE) ? STATUS_PENDING : Move(&Transfer);
    if (Status == STATUS_PENDING && Broken(Pipe, Write))
        Status = Ended(&Transfer, STATUS_PIPE_BROKEN);
    if (Status == STATUS_PENDING) {
        WAITING_PROGRESS(Irp) = Transfer.Done;
        return !WaitingAdd(Pipe, QueueOf(&Transfer), Irp, TRUE);
    }
    WaitingReturn(Irp);
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Transfer.Done;
    InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
    return TRUE;
}

/* Somebody waits, and it is worth the while to look. */
static BOOLEAN MayGoOn(PIPE *Pipe, BOOLEAN Write)
{
    if (!WaitingCount(Pipe, KindOf(Write)))
        return FALSE;
    return Broken(Pipe, Write) ||
           (Write ? RingFree(&Pipe->Store.Ring) != 0 : !StoreEmpty(&Pipe->Store));
}

/* The first of each queue. FALSE: nothing has changed by that. */
static BOOLEAN BothGoOn(PIPE *Pipe, PLIST_ENTRY Done)
{
    ULONG Used = RingUsed(&Pipe->Store.Ring);
    BOOLEAN Any = MayGoOn(Pipe, TRUE) && GoOn(Pipe, TRUE, Done);

    if (MayGoOn(Pipe, FALSE) && GoOn(Pipe, FALSE, Done))
        Any = TRUE;
    return Any || Used != RingUsed(&Pipe->Store.Ring);
}

/* A writer may have filled what a reader emptied, and the other way round: until neither goes on.
 * PIPE.Lock is held. */
static VOID TransferGoOn(PIPE *Pipe, PLIST_ENTRY Done)
{
    if (!WaitingAny(Pipe))
        return;
    while (BothGoOn(Pipe, Done))
        ;
    WatchGoOn(Pipe, Done);
}

VOID TransferComplete(PLIST_ENTRY Done)
{
    while (!IsListEmpty(Done)) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(Done), IRP, Tail.Overlay.ListEntry);

        IoCompleteRequest(Irp,
                          Irp->IoStatus.Information ? IO_NAMED_PIPE_INCREMENT : IO_NO_INCREMENT);
    }
}

VOID TransferWake(PIPE *Pipe)
{
    LIST_ENTRY Done;

    InitializeListHead(&Done);
    PipeLock(Pipe);
    TransferGoOn(Pipe, &Done);
    PipeUnlock(Pipe);
    TransferComplete(&Done);
}

/* An IRP that waits may be completed by others as soon as the lock is released: it is not touched
 * after Serve. */
static NTSTATUS Run(PIRP Irp, BOOLEAN Write)
{
    PIPE *Pipe = PipeOf(Irp);
    LIST_ENTRY Done;
    TRANSFER Transfer;
    NTSTATUS Status;

    InitializeListHead(&Done);
    Begin(&Transfer, Pipe, Irp, Write);
    PipeLock(Pipe);
    Status = Serve(&Transfer);
    TransferGoOn(Pipe, &Done);
    PipeUnlock(Pipe);
    TransferComplete(&Done);
    return Status == STATUS_PENDING ? Status : DriverComplete(Irp, Status, Transfer.Done);
}

NTSTATUS NTAPI TransferRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Run(Irp, FALSE);
}

NTSTATUS NTAPI TransferWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Run(Irp, TRUE);
}

/* An end of the pipe has gone: who waits for it waits no more. PIPE.Lock is held. */
static VOID TakeEnds(PIPE *Pipe, INSTANCE *Instance)
{
    Instance->Closing = TRUE;
    if (Instance->Access & FILE_READ_DATA)
        Pipe->ReadEnds--;
    if (Instance->Access & FILE_WRITE_DATA)
        Pipe->WriteEnds--;
}

/* The last handle of this open has gone: its requests do not wait any more, and no new one will. */
NTSTATUS NTAPI TransferCleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PIPE *Pipe = PipeOf(Irp);
    LIST_ENTRY Done, Taken;

    UNREFERENCED_PARAMETER(Device);
    InitializeListHead(&Done);
    InitializeListHead(&Taken);
    PipeLock(Pipe);
    TakeEnds(Pipe, InstanceOf(Irp));
    WaitingTake(Pipe, File, &Taken);
    TransferGoOn(Pipe, &Done);
    PipeUnlock(Pipe);
    WaitingCancel(&Taken);
    TransferComplete(&Done);
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}
