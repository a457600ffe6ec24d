/* A pipe's life, from the first open of its name to the last close, and its mode. */
#include "pipe.h"

VOID PipeLock(PIPE *Pipe)
{
    KeWaitForSingleObject(&Pipe->Lock, Executive, KernelMode, FALSE, NULL);
}

VOID PipeUnlock(PIPE *Pipe)
{
    KeReleaseMutex(&Pipe->Lock, FALSE);
}

static VOID Delete(PIPE *Pipe)
{
    NT_ASSERT(Pipe->Readers.Count == 0 && Pipe->Writers.Count == 0);
    if (Pipe->Owner)
        ExFreePoolWithTag(Pipe->Owner, PIPE_TAG);
    if (Pipe->Store.Ring.Data)
        ExFreePoolWithTag(Pipe->Store.Ring.Data, PIPE_TAG);
    ExFreePoolWithTag(Pipe, PIPE_TAG);
}

static NTSTATUS GiveStore(PIPE *Pipe, ULONG Capacity)
{
    UCHAR *Data = DriverAllocate(Capacity + 1, PIPE_TAG);

    if (!Data)
        return STATUS_INSUFFICIENT_RESOURCES;
    RingInitialize(&Pipe->Store.Ring, Data, Capacity + 1);
    Pipe->Mode.Capacity = Capacity;
    return STATUS_SUCCESS;
}

static PIPE *Allocate(const NAME *Name)
{
    PIPE *Pipe = DriverAllocate(sizeof(PIPE) + Name->Length * sizeof(WCHAR), PIPE_TAG);

    if (!Pipe)
        return NULL;
    Pipe->Hash = Name->Hash;
    Pipe->NameLength = Name->Length;
    RtlCopyMemory(Pipe->Name, Name->Text, Name->Length * sizeof(WCHAR));
    KeInitializeMutex(&Pipe->Lock, 0);
    return Pipe;
}

static NTSTATUS Create(const NAME *Name, PSID *Owner, PIPE **Pipe)
{
    PIPE *New = Allocate(Name);
    NTSTATUS Status;

    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = GiveStore(New, EXAMPLE_CAPACITY);
    if (NT_SUCCESS(Status))
        Status = WaitingInitialize(&New->Readers);
    if (NT_SUCCESS(Status))
        Status = WaitingInitialize(&New->Writers);
    if (!NT_SUCCESS(Status)) {
        Delete(New);
        return Status;
    }
    New->Owner = *Owner;
    *Owner = NULL;
    *Pipe = New;
    return STATUS_SUCCESS;
}

/* Finds or creates; the caller's identity is compared, or becomes the new pipe's. */
static NTSTATUS FindOrCreate(NAMES *Names, const NAME *Name, PSID *Owner, PIPE **Pipe)
{
    NTSTATUS Status = STATUS_SUCCESS;

    *Pipe = NamesFind(Names, Name);
    if (*Pipe && (*Pipe)->Owner && *Owner && !RtlEqualSid((*Pipe)->Owner, *Owner))
        return STATUS_ACCESS_DENIED;
    if (!*Pipe) {
        Status = Create(Name, Owner, Pipe);
        if (NT_SUCCESS(Status))
            NamesInsert(Names, *Pipe);
    }
    if (NT_SUCCESS(Status))
        (*Pipe)->References++;
    return Status;
}

NTSTATUS PipeOpen(DEVICE *Device, PCUNICODE_STRING FileName, PIPE **Pipe)
{
    PSID Owner = NULL;
    NAME Name;
    NTSTATUS Status = NamesPrepare(&Device->Names, FileName, &Name);

    if (NT_SUCCESS(Status) && Device->OwnerOnly)
        Status = OwnerCapture(&Owner);
    if (!NT_SUCCESS(Status))
        return Status;
    ExAcquireFastMutex(&Device->Names.Lock);
    Status = FindOrCreate(&Device->Names, &Name, &Owner, Pipe);
    ExReleaseFastMutex(&Device->Names.Lock);
    if (Owner)
        ExFreePoolWithTag(Owner, PIPE_TAG);
    return Status;
}

VOID PipeClose(DEVICE *Device, PIPE *Pipe)
{
    BOOLEAN Last;

    ExAcquireFastMutex(&Device->Names.Lock);
    Last = --Pipe->References == 0;
    if (Last)
        NamesRemove(&Device->Names, Pipe);
    ExReleaseFastMutex(&Device->Names.Lock);
    if (Last)
        Delete(Pipe);
}

static NTSTATUS CheckMode(PIPE *Pipe, const EXAMPLE_MODE *Mode)
{
    BOOLEAN Messages = (Mode->Flags & EXAMPLE_MESSAGES) != 0;

    if (Mode->Capacity > EXAMPLE_CAPACITY_MOST || Mode->WhenFull > EXAMPLE_FULL_WAIT ||
        Mode->WhenEmpty > EXAMPLE_EMPTY_WAIT ||
        (Mode->Flags & ~(EXAMPLE_MESSAGES | EXAMPLE_CLEAR_STATUS)))
        return STATUS_INVALID_PARAMETER;
    if (WaitingCount(&Pipe->Readers) || WaitingCount(&Pipe->Writers))
        return STATUS_INVALID_DEVICE_STATE;
    if (Messages != Pipe->Store.Messages && !StoreEmpty(&Pipe->Store))
        return STATUS_INVALID_DEVICE_STATE;
    if (Mode->Capacity && Mode->Capacity < RingUsed(&Pipe->Store.Ring))
        return STATUS_BUFFER_TOO_SMALL;
    return STATUS_SUCCESS;
}

static NTSTATUS ChangeCapacity(PIPE *Pipe, ULONG Capacity)
{
    RING Old = Pipe->Store.Ring;
    NTSTATUS Status = GiveStore(Pipe, Capacity);

    if (!NT_SUCCESS(Status))
        return Status;
    RingCommit(&Pipe->Store.Ring, RingRead(&Old, Pipe->Store.Ring.Data, RingUsed(&Old)));
    ExFreePoolWithTag(Old.Data, PIPE_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS PipeSetMode(PIPE *Pipe, const EXAMPLE_MODE *Mode)
{
    ULONG Capacity = Mode->Capacity ? Mode->Capacity : Pipe->Mode.Capacity;
    NTSTATUS Status = CheckMode(Pipe, Mode);

    if (NT_SUCCESS(Status) && Capacity != Pipe->Mode.Capacity)
        Status = ChangeCapacity(Pipe, Capacity);
    if (!NT_SUCCESS(Status))
        return Status;
    Pipe->Mode = *Mode;
    Pipe->Mode.Capacity = Capacity;
    Pipe->Store.Messages = (Mode->Flags & EXAMPLE_MESSAGES) != 0;
    return STATUS_SUCCESS;
}
