/* A pipe's life, from the first open of its name to the last close, and its mode. */
#include "pipe.h"

/* Others may look at the holder meanwhile; they find that it is not they. */
BOOLEAN PipeIsMine(PIPE *Pipe)
{
    return DriverLoadPointer(&Pipe->Holder) == KeGetCurrentThread();
}

VOID PipeLock(PIPE *Pipe)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&Pipe->Lock);
    DriverStorePointer(&Pipe->Holder, KeGetCurrentThread());
}

static VOID Release(PIPE *Pipe)
{
    DriverStorePointer(&Pipe->Holder, NULL);
    ExReleaseFastMutexUnsafe(&Pipe->Lock);
    KeLeaveCriticalRegion();
}

static VOID ReleaseAndCancel(PIPE *Pipe)
{
    LIST_ENTRY Cancelled;

    InitializeListHead(&Cancelled);
    while (!IsListEmpty(&Pipe->Cancelled))
        InsertTailList(&Cancelled, RemoveHeadList(&Pipe->Cancelled));
    Pipe->AnyCancelled = FALSE;
    Release(Pipe);
    WaitingCancel(&Cancelled);
}

VOID PipeUnlock(PIPE *Pipe)
{
    if (Pipe->AnyCancelled)
        ReleaseAndCancel(Pipe);
    else
        Release(Pipe);
}

/* The owner begins at a multiple of its alignment. */
static SIZE_T NameSize(ULONG Length)
{
    return (Length * sizeof(WCHAR) + 7) & ~(SIZE_T)7;
}

static SIZE_T SizeFor(ULONG NameLength, PSID Owner)
{
    return FIELD_OFFSET(PIPE, Name) + NameSize(NameLength) + RtlLengthSid(Owner);
}

/* What a pipe costs the process that opened it first; its ring comes later, and apart. */
static SIZE_T CostOf(const PIPE *Pipe)
{
    return SizeFor(Pipe->NameLength, Pipe->Owner);
}

static VOID Delete(PIPE *Pipe)
{
    NT_ASSERT(!Pipe->Waiting[WAITING_READERS] && !Pipe->Waiting[WAITING_WRITERS] &&
              !Pipe->Waiting[WAITING_WATCHERS]);
    NT_ASSERT(!Pipe->ReadEnds && !Pipe->WriteEnds && !Pipe->Strangers);
    if (Pipe->Guard)
        ExFreePoolWithTag(Pipe->Guard, PIPE_TAG);
    if (Pipe->Store.Ring.Data)
        ExFreePoolWithTag(Pipe->Store.Ring.Data, PIPE_TAG);
    ExFreePoolWithTag(Pipe, PIPE_TAG);
}

static PIPE *Allocate(const NAME *Name, PSID Owner)
{
    PIPE *Pipe = DriverAllocateAligned(SizeFor(Name->Length, Owner), PIPE_TAG);

    if (!Pipe)
        return NULL;
    Pipe->Hash = Name->Hash;
    Pipe->NameLength = Name->Length;
    RtlCopyMemory(Pipe->Name, Name->Text, Name->Length * sizeof(WCHAR));
    Pipe->Owner = (UCHAR *)Pipe->Name + NameSize(Name->Length);
    RtlCopySid(RtlLengthSid(Owner), Pipe->Owner, Owner);
    ExInitializeFastMutex(&Pipe->Lock);
    InitializeListHead(&Pipe->Cancelled);
    RingInitialize(&Pipe->Store.Ring, NULL, EXAMPLE_CAPACITY + 1);
    Pipe->Mode.Capacity = EXAMPLE_CAPACITY;
    return Pipe;
}

static NTSTATUS PrepareQueues(PIPE *Pipe)
{
    NTSTATUS Status = WaitingInitialize(&Pipe->Readers, &Pipe->Waiting[WAITING_READERS]);

    if (NT_SUCCESS(Status))
        Status = WaitingInitialize(&Pipe->Writers, &Pipe->Waiting[WAITING_WRITERS]);
    if (NT_SUCCESS(Status))
        Status = WaitingInitialize(&Pipe->Watchers, &Pipe->Waiting[WAITING_WATCHERS]);
    return Status;
}

/* The user becomes the new pipe's owner. */
static NTSTATUS Build(const NAME *Name, BOOLEAN OwnerOnly, PSID User, PIPE **Pipe)
{
    PIPE *New = Allocate(Name, User);
    NTSTATUS Status;

    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = PrepareQueues(New);
    if (NT_SUCCESS(Status) && OwnerOnly)
        Status = GuardCreate(New->Owner, NULL, &New->Guard);
    if (!NT_SUCCESS(Status)) {
        Delete(New);
        return Status;
    }
    *Pipe = New;
    return STATUS_SUCCESS;
}

/* NAMES.Lock is held. */
static NTSTATUS Create(DEVICE *Device, const NAME *Name, QUOTA *Quota, PSID User, PIPE **Pipe)
{
    PIPE *New;
    NTSTATUS Status = STATUS_QUOTA_EXCEEDED;

    if (Quota->Names < Device->NamesMost)
        Status = Build(Name, Device->OwnerOnly, User, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = QuotaCharge(Quota, CostOf(New));
    if (!NT_SUCCESS(Status)) {
        Delete(New);
        return Status;
    }
    Quota->Names++;
    Quota->References++;
    New->Quota = Quota;
    NamesInsert(&Device->Names, New);
    *Pipe = New;
    return STATUS_SUCCESS;
}

/* NAMES.Lock is held. */
static NTSTATUS Find(DEVICE *Device, PIRP Irp, const NAME *Name, QUOTA *Quota, PSID User,
                     PIPE **Pipe)
{
    *Pipe = NamesFind(&Device->Names, Name);
    return *Pipe ? GuardCheck((*Pipe)->Guard, Irp) : Create(Device, Name, Quota, User, Pipe);
}

/* NAMES.Lock is held. The handle itself costs, too. */
static NTSTATUS FindAndCount(DEVICE *Device, PIRP Irp, const NAME *Name, PSID User,
                             INSTANCE *Instance, PIPE **Pipe)
{
    BOOLEAN Owned;
    NTSTATUS Status = QuotaCharge(Instance->Quota, sizeof(*Instance));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = Find(Device, Irp, Name, Instance->Quota, User, Pipe);
    if (!NT_SUCCESS(Status)) {
        QuotaReturn(Instance->Quota, sizeof(*Instance));
        return Status;
    }
    Owned = RtlEqualSid(User, (*Pipe)->Owner);
    Instance->Stranger = !Owned;
    (*Pipe)->References++;
    (*Pipe)->Strangers += !Owned;
    return STATUS_SUCCESS;
}

static NTSTATUS OpenLocked(DEVICE *Device, PIRP Irp, const NAME *Name, PSID User,
                           INSTANCE *Instance, PIPE **Pipe)
{
    NTSTATUS Status;

    Instance->Quota = QuotaReference(Device);
    if (!Instance->Quota)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = FindAndCount(Device, Irp, Name, User, Instance, Pipe);
    if (!NT_SUCCESS(Status))
        QuotaDereference(Instance->Quota);
    return Status;
}

/* Wine gives no context; what a handle may is checked by the system there, as everywhere. */
static ACCESS_MASK AccessOf(PIRP Irp)
{
    PIO_SECURITY_CONTEXT Context =
        IoGetCurrentIrpStackLocation(Irp)->Parameters.Create.SecurityContext;
    ACCESS_MASK Access;

    if (!Context)
        return FILE_READ_DATA | FILE_WRITE_DATA;
    Access = Context->DesiredAccess | Context->AccessState->PreviouslyGrantedAccess;
    RtlMapGenericMask(&Access, IoGetFileObjectGenericMapping());
    return Access;
}

static VOID AddEnds(PIPE *Pipe, const INSTANCE *Instance)
{
    PipeLock(Pipe);
    if (Instance->Access & FILE_READ_DATA) {
        Pipe->ReadEnds++;
        Pipe->HadReadEnd = TRUE;
    }
    if (Instance->Access & FILE_WRITE_DATA) {
        Pipe->WriteEnds++;
        Pipe->HadWriteEnd = TRUE;
    }
    PipeUnlock(Pipe);
}

NTSTATUS PipeOpen(PIRP Irp, INSTANCE *Instance, PIPE **Pipe)
{
    DEVICE *Device = DeviceOf(Irp);
    PSID User = NULL;
    NAME Name;
    NTSTATUS Status = NamesPrepare(&Device->Names,
                                   &IoGetCurrentIrpStackLocation(Irp)->FileObject->FileName, &Name);

    if (NT_SUCCESS(Status))
        Status = GuardUser(Irp, &User);
    if (!NT_SUCCESS(Status))
        return Status;
    Instance->Access = AccessOf(Irp);
    NamesLock(&Device->Names);
    Status = OpenLocked(Device, Irp, &Name, User, Instance, Pipe);
    NamesUnlock(&Device->Names);
    ExFreePoolWithTag(User, PIPE_TAG);
    if (NT_SUCCESS(Status))
        AddEnds(*Pipe, Instance);
    return Status;
}

/* NAMES.Lock is held. */
static VOID Uncharge(PIPE *Pipe)
{
    Pipe->Quota->Names--;
    QuotaReturn(Pipe->Quota, CostOf(Pipe));
    QuotaDereference(Pipe->Quota);
    if (!Pipe->RingQuota)
        return;
    QuotaReturn(Pipe->RingQuota, Pipe->Store.Ring.Size);
    QuotaDereference(Pipe->RingQuota);
}

VOID PipeClose(DEVICE *Device, PIPE *Pipe, INSTANCE *Instance)
{
    BOOLEAN Last;

    NamesLock(&Device->Names);
    Last = --Pipe->References == 0;
    Pipe->Strangers -= Instance->Stranger;
    if (Last) {
        NamesRemove(&Device->Names, Pipe);
        Uncharge(Pipe);
    }
    QuotaReturn(Instance->Quota, sizeof(*Instance));
    QuotaDereference(Instance->Quota);
    NamesUnlock(&Device->Names);
    ExFreePoolWithTag(Instance, PIPE_TAG);
    if (Last)
        Delete(Pipe);
}

/* ---- the ring -------------------------------------------------------------------------------- */

/* From now on another process pays for it. The quota is held by a handle of the pipe meanwhile. */
static VOID PassRing(DEVICE *Device, PIPE *Pipe, QUOTA *Quota, ULONG OldSize)
{
    NamesLock(&Device->Names);
    if (Pipe->RingQuota) {
        QuotaReturn(Pipe->RingQuota, OldSize);
        QuotaDereference(Pipe->RingQuota);
    }
    Quota->References++;
    Pipe->RingQuota = Quota;
    NamesUnlock(&Device->Names);
}

static NTSTATUS MakeRing(PIPE *Pipe, PIRP Irp, ULONG Size)
{
    QUOTA *Quota = InstanceOf(Irp)->Quota;
    ULONG OldSize = Pipe->Store.Ring.Size;
    UCHAR *Data;
    NTSTATUS Status = QuotaCharge(Quota, Size);

    if (!NT_SUCCESS(Status))
        return Status;
    Data = DriverAllocate(Size, PIPE_TAG);
    if (!Data) {
        QuotaReturn(Quota, Size);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PassRing(DeviceOf(Irp), Pipe, Quota, OldSize);
    RingInitialize(&Pipe->Store.Ring, Data, Size);
    return STATUS_SUCCESS;
}

NTSTATUS PipeHaveRing(PIPE *Pipe, PIRP Irp)
{
    return Pipe->Store.Ring.Data ? STATUS_SUCCESS : MakeRing(Pipe, Irp, Pipe->Store.Ring.Size);
}

static NTSTATUS ChangeCapacity(PIPE *Pipe, PIRP Irp, ULONG Capacity)
{
    RING Old = Pipe->Store.Ring;
    NTSTATUS Status;

    if (!Old.Data) {
        RingInitialize(&Pipe->Store.Ring, NULL, Capacity + 1);
        return STATUS_SUCCESS;
    }
    Status = MakeRing(Pipe, Irp, Capacity + 1);
    if (!NT_SUCCESS(Status))
        return Status;
    RingCommit(&Pipe->Store.Ring, RingRead(&Old, Pipe->Store.Ring.Data, RingUsed(&Old)));
    ExFreePoolWithTag(Old.Data, PIPE_TAG);
    return STATUS_SUCCESS;
}

/* ---- mode and state -------------------------------------------------------------------------- */

static EXAMPLE_MODE Complete(const EXAMPLE_MODE *Wish, const EXAMPLE_MODE *Now)
{
    EXAMPLE_MODE Mode = *Wish;

    if (!Mode.Capacity || Mode.Capacity == EXAMPLE_KEEP)
        Mode.Capacity = Now->Capacity;
    if (Mode.WhenFull == EXAMPLE_KEEP)
        Mode.WhenFull = Now->WhenFull;
    if (Mode.WhenEmpty == EXAMPLE_KEEP)
        Mode.WhenEmpty = Now->WhenEmpty;
    if (Mode.Flags == EXAMPLE_KEEP)
        Mode.Flags = Now->Flags;
    return Mode;
}

static BOOLEAN IsMode(const EXAMPLE_MODE *Mode)
{
    return Mode->Capacity <= EXAMPLE_CAPACITY_MOST && Mode->WhenFull <= EXAMPLE_FULL_WAIT &&
           Mode->WhenEmpty <= EXAMPLE_EMPTY_WAIT &&
           !(Mode->Flags & ~(ULONG)(EXAMPLE_MESSAGES | EXAMPLE_CLEAR_STATUS));
}

/* Who waits does so by the mode as it is. */
static BOOLEAN IsInTheWay(PIPE *Pipe, const EXAMPLE_MODE *Mode)
{
    const EXAMPLE_MODE *Now = &Pipe->Mode;
    BOOLEAN Readers = WaitingCount(Pipe, WAITING_READERS) != 0,
            Writers = WaitingCount(Pipe, WAITING_WRITERS) != 0;
    BOOLEAN Kind = ((Mode->Flags ^ Now->Flags) & EXAMPLE_MESSAGES) != 0;

    if (Kind && !StoreEmpty(&Pipe->Store))
        return TRUE;
    if ((Kind || Mode->Capacity != Now->Capacity) && (Readers || Writers))
        return TRUE;
    return (Writers && Mode->WhenFull != Now->WhenFull) ||
           (Readers && Mode->WhenEmpty != Now->WhenEmpty);
}

NTSTATUS PipeSetMode(PIPE *Pipe, PIRP Irp, const EXAMPLE_MODE *Wish)
{
    EXAMPLE_MODE Mode = Complete(Wish, &Pipe->Mode);
    NTSTATUS Status = STATUS_SUCCESS;

    if (!IsMode(&Mode))
        return STATUS_INVALID_PARAMETER;
    if (IsInTheWay(Pipe, &Mode))
        return STATUS_INVALID_DEVICE_STATE;
    if (Mode.Capacity < RingUsed(&Pipe->Store.Ring))
        return STATUS_BUFFER_TOO_SMALL;
    if (Mode.Capacity != Pipe->Mode.Capacity)
        Status = ChangeCapacity(Pipe, Irp, Mode.Capacity);
    if (!NT_SUCCESS(Status))
        return Status;
    Pipe->Mode = Mode;
    Pipe->Store.Messages = (Mode.Flags & EXAMPLE_MESSAGES) != 0;
    return STATUS_SUCCESS;
}

static ULONG DataConditions(const PIPE *Pipe)
{
    ULONG Needed = Pipe->Store.Messages ? EXAMPLE_MESSAGE_COST + 1 : 1;
    ULONG Conditions = StoreEmpty(&Pipe->Store) ? EXAMPLE_DRAINED : EXAMPLE_READABLE;

    if (RingFree(&Pipe->Store.Ring) >= Needed || Pipe->Mode.WhenFull == EXAMPLE_FULL_OVERWRITE)
        Conditions |= EXAMPLE_WRITABLE;
    return Conditions;
}

ULONG PipeConditions(const PIPE *Pipe)
{
    ULONG Conditions = DataConditions(Pipe);

    if (Pipe->ReadEnds)
        Conditions |= EXAMPLE_HAS_READERS;
    else if (Pipe->HadReadEnd)
        Conditions |= EXAMPLE_NO_READERS;
    if (Pipe->WriteEnds)
        Conditions |= EXAMPLE_HAS_WRITERS;
    else if (Pipe->HadWriteEnd)
        Conditions |= EXAMPLE_NO_WRITERS;
    return Conditions;
}
