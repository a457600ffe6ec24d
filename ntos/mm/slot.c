/*
 * Address spaces: a process's slot of user addresses, its memory file and its page tables.
 *
 * The whole slot is mapped in the kernel process from the beginning, without access; committing
 * memory opens pages of it, and a view lays something else over them. The lock of a space is an
 * event, because its holder may wait for the client's hand.
 */
#include "mi.h"

static struct {
    MI_LOCK Lock;
    ULONG Next, Used;
    ULONG64 Taken[MM_SLOT_COUNT / 64];
} MiSlots;

void MiInitSlots(void)
{
    MiSlots.Next = MiSlots.Used = 0;
    MiLockedPages = 0;
}

void MiShutdownSlots(void)
{
    NT_ASSERT(!MiSlots.Used);
}

ULONG MiSlotsInUse(void)
{
    return __atomic_load_n(&MiSlots.Used, __ATOMIC_RELAXED);
}

/* The next free one behind the last: a stale pointer of an ended process leads nowhere for long. */
static ULONG MiTakeSlot(void)
{
    ULONG Slot = MM_SLOT_COUNT;

    MiAcquire(&MiSlots.Lock);
    for (ULONG i = 0; i < MM_SLOT_COUNT; i++) {
        ULONG At = (MiSlots.Next + i) % MM_SLOT_COUNT;

        if (MiSlots.Taken[At / 64] >> (At % 64) & 1)
            continue;
        MiSlots.Taken[At / 64] |= 1ull << (At % 64);
        MiSlots.Next = At + 1;
        __atomic_fetch_add(&MiSlots.Used, 1, __ATOMIC_RELAXED);
        Slot = At;
        break;
    }
    MiRelease(&MiSlots.Lock);
    return Slot;
}

static void MiGiveSlot(ULONG Slot)
{
    MiAcquire(&MiSlots.Lock);
    MiSlots.Taken[Slot / 64] &= ~(1ull << (Slot % 64));
    __atomic_fetch_sub(&MiSlots.Used, 1, __ATOMIC_RELAXED);
    MiRelease(&MiSlots.Lock);
}

struct _KPROCESS *MiCurrentProcess(void)
{
    return KiSelf ? KiSelf->ApcState.Process : NULL;
}

void MiLockSpace(MM_ADDRESS_SPACE *Space)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Space->Lock, Executive, KernelMode, FALSE, NULL);
}

void MiUnlockSpace(MM_ADDRESS_SPACE *Space)
{
    KeSetEvent(&Space->Lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

/* The part that belongs to server and libntdll. */
static NTSTATUS MiOpenControl(MM_ADDRESS_SPACE *Space)
{
    MI_VIEW *View = MiAllocatePool(sizeof(*View), 'daVM');
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!View)
        return Status;
    *View = (MI_VIEW){.Kind = MiViewControl,
                      .Base = Space->Low,
                      .Bytes = MM_SLOT_CONTROL,
                      .Protect = PAGE_READWRITE};
    Status = MiMapLargePages(Space->DirectoryFrame, Space->Low, Space->FirstFrame,
                             MM_SLOT_CONTROL >> PAGE_SHIFT, MiPteProtection(PAGE_READWRITE));
    if (NT_SUCCESS(Status))
        Space->SlotTable = MiSlotTable(Space->DirectoryFrame, Space->Low);
    if (NT_SUCCESS(Status) &&
        host_protect((void *)Space->Low, MM_SLOT_CONTROL, HOST_READ | HOST_WRITE) < 0)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(Status)) {
        MiFreePool(View);
        return Status;
    }
    MiInsertView(Space, View);
    return STATUS_SUCCESS;
}

static NTSTATUS MiReserveSlot(MM_ADDRESS_SPACE *Space)
{
    if (host_reserve((void *)Space->Low, MM_SLOT_BYTES) < 0)
        return STATUS_CONFLICTING_ADDRESSES;
    if (host_map((void *)Space->Low, MM_SLOT_BYTES, Space->File, 0, 0) < 0) {
        host_unmap((void *)Space->Low, MM_SLOT_BYTES);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

/* What a process costs before it does anything, with the thread that listens to it. */
static const LONG MiSlotCost[MiResources] = {[MiMappings] = 12,
                                             [MiFiles] = 2,
                                             [MiGranules] =
                                                 MM_SLOT_BYTES >> (PAGE_SHIFT + MI_GRANULE_SHIFT)};

static NTSTATUS MiOpenSlotAccount(MM_ADDRESS_SPACE *Space)
{
    Space->Account = MiOpenAccount();
    if (Space->Account && MiTakeEach(Space->Account, MiSlotCost))
        return STATUS_SUCCESS;
    MiCloseAccount(Space->Account);
    return STATUS_INSUFFICIENT_RESOURCES;
}

static void MiCloseSlotAccount(MM_ADDRESS_SPACE *Space)
{
    MiGiveEach(Space->Account, MiSlotCost);
    MiCloseAccount(Space->Account);
}

/* A new slot. Space is the caller's memory. Embedded: user memory is this process's own beside the
 * slot. */
NTSTATUS MmCreateAddressSpace(MM_ADDRESS_SPACE *Space, BOOLEAN Embedded)
{
    NTSTATUS Status;

    *Space = (MM_ADDRESS_SPACE){.Slot = MiTakeSlot(), .Embedded = Embedded};
    if (Space->Slot == MM_SLOT_COUNT)
        return STATUS_INSUFFICIENT_RESOURCES;
    Space->Low = MM_SLOT_LOW + Space->Slot * MM_SLOT_BYTES;
    Space->High = Space->Low + MM_SLOT_BYTES;
    InitializeListHead(&Space->Views);
    KeInitializeEvent(&Space->Lock, SynchronizationEvent, TRUE);
    Status = MiOpenSlotAccount(Space);
    if (!NT_SUCCESS(Status))
        goto Slot;
    Status = MiCreateBank("usernt-slot", MM_SLOT_BYTES >> PAGE_SHIFT, &Space->Bank);
    if (!NT_SUCCESS(Status))
        goto Account;
    Space->File = Space->Bank->Bank.File;
    Space->FirstFrame = Space->Bank->Bank.First;
    Status = MiReserveSlot(Space);
    if (!NT_SUCCESS(Status))
        goto Bank;
    Status = MiCreateDirectory(&Space->DirectoryFrame);
    if (!NT_SUCCESS(Status))
        goto Unmap;
    Status = MiOpenControl(Space);
    if (NT_SUCCESS(Status))
        return STATUS_SUCCESS;

    MiDeleteDirectory(Space->DirectoryFrame, Space->Low, Space->High);
Unmap:
    host_unmap((void *)Space->Low, MM_SLOT_BYTES);
Bank:
    MiDeleteBank(Space->Bank);
Account:
    MiCloseSlotAccount(Space);
Slot:
    MiGiveSlot(Space->Slot);
    return Status;
}

void MmSetHand(MM_ADDRESS_SPACE *Space, const MM_HAND *Hand, void *Context)
{
    Space->Hand = Hand;
    Space->HandContext = Context;
}

/* At the end of a process, in its context: every view goes. Pages that are still locked are a
 * driver's error. */
void MmCleanAddressSpace(MM_ADDRESS_SPACE *Space)
{
    if (Space->LockedPages)
        VfBugCheck(PROCESS_HAS_LOCKED_PAGES, 0, (ULONG_PTR)MiCurrentProcess(),
                   (ULONG_PTR)Space->LockedPages, 0,
                   "a process ends with %d pages that a driver has locked",
                   (int)Space->LockedPages);
    MiLockSpace(Space);
    for (LIST_ENTRY *Entry = Space->Views.Flink; Entry != &Space->Views;) {
        MI_VIEW *View = CONTAINING_RECORD(Entry, MI_VIEW, Link);

        Entry = Entry->Flink;
        if (View->Kind != MiViewControl)
            MiRemoveView(Space, View);
    }
    MiUnlockSpace(Space);
}

/* Gives the slot back. The space has been cleaned, and nobody is in it. */
void MmDeleteAddressSpace(MM_ADDRESS_SPACE *Space)
{
    MI_VIEW *Control = CONTAINING_RECORD(Space->Views.Flink, MI_VIEW, Link);

    NT_ASSERT(Control->Kind == MiViewControl && Space->Views.Blink == &Control->Link);
    RemoveEntryList(&Control->Link);
    MiFreePool(Control);
    MiDeleteDirectory(Space->DirectoryFrame, Space->Low, Space->High);
    host_unmap((void *)Space->Low, MM_SLOT_BYTES);
    MiDeleteBank(Space->Bank);
    MiCloseSlotAccount(Space);
    MiGiveSlot(Space->Slot);
}
