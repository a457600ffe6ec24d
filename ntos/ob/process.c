/*
 * A process's handles as a whole: birth, inheritance, death, listing.
 */
#include "ob/obp.h"

#define OBP_BATCH 256

typedef struct OBP_INHERIT {
    PEPROCESS Child;
    BOOLEAN Failed;
} OBP_INHERIT;

/* Called with the parent's entry locked, so the object lives. */
static BOOLEAN ObpInheritEntry(PVOID Context, PVOID Object, EX_HANDLE_ENTRY *Entry)
{
    OBP_INHERIT *Inherit = Context;
    ULONG Before;

    if ((Entry->Attributes & OBJ_INHERIT) == 0)
        return FALSE;
    if (!NT_SUCCESS(ObpCountUp(ObHeader(Object), Inherit->Child, &Before))) {
        Inherit->Failed = TRUE;
        return FALSE;
    }
    ObReferenceObject(Object);
    return TRUE;
}

typedef struct OBP_BATCH_OF_HANDLES {
    ULONG Count;
    HANDLE After;
    HANDLE Handles[OBP_BATCH];
} OBP_BATCH_OF_HANDLES;

static BOOLEAN ObpCollectHandle(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry)
{
    OBP_BATCH_OF_HANDLES *Batch = Context;

    if ((ULONG_PTR)Handle > (ULONG_PTR)Batch->After)
        Batch->Handles[Batch->Count++] = Handle;
    return Batch->Count < OBP_BATCH;
}

/* Tells the types of inherited handles; a type may refuse one: the child does without it. */
static void ObpAnnounceInherited(PEPROCESS Child, EX_HANDLE_TABLE *Table)
{
    OBP_BATCH_OF_HANDLES Batch = {0};
    ULONG Index;

    do {
        Batch.Count = 0;
        ExEnumerateHandles_(Table, ObpCollectHandle, &Batch);
        for (Index = 0; Index < Batch.Count; Index++) {
            EX_HANDLE_ENTRY *Entry = ExLockHandle_(Table, Batch.Handles[Index]);
            PVOID Object = (PVOID)(atomic_load(&Entry->Object) & ~(ULONG_PTR)1);
            ACCESS_MASK Granted = Entry->GrantedAccess;
            OB_TYPE_PROCEDURES *Procedures = &ObHeader(Object)->Type->Procedures;

            ExUnlockHandle_(Entry);
            if (Procedures->Open != NULL &&
                !NT_SUCCESS(Procedures->Open(ObInheritHandle, Child, Object, Granted, 0)))
                ObpCloseEntry(Table, Child, Batch.Handles[Index], KernelMode, TRUE);
            Batch.After = Batch.Handles[Index];
        }
    } while (Batch.Count == OBP_BATCH);
}

/* The table goes into the process through OB_PROCESS_HOOKS.HandleTable; inherited handles keep
 * their values. */
NTSTATUS ObInitProcess(PEPROCESS Process, PEPROCESS Parent, BOOLEAN Inherit)
{
    EX_HANDLE_TABLE *From = Parent != NULL && Inherit ? ObpTableOf(Parent) : NULL, *Table;
    OBP_INHERIT Context = {.Child = Process};

    if (From == NULL) {
        Table = ExCreateHandleTable_((struct _KPROCESS *)Process);
    } else {
        Table =
            ExDuplicateHandleTable_(From, (struct _KPROCESS *)Process, ObpInheritEntry, &Context);
        if (Table != NULL)
            ObpAnnounceInherited(Process, Table);
    }
    if (Table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *ObpState.Process.HandleTable(Process) = Table;
    return Context.Failed ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static void ObpCloseAll(EX_HANDLE_TABLE *Table, PEPROCESS Process)
{
    OBP_BATCH_OF_HANDLES Batch;
    ULONG Index;

    do {
        Batch.Count = 0;
        Batch.After = NULL;
        ExEnumerateHandles_(Table, ObpCollectHandle, &Batch);
        for (Index = 0; Index < Batch.Count; Index++)
            ObpCloseEntry(Table, Process, Batch.Handles[Index], KernelMode, TRUE);
    } while (Batch.Count != 0);
}

/* For the System process the kernel's handles too. */
void ObKillProcess(PEPROCESS Process)
{
    EX_HANDLE_TABLE *Table = Process != NULL ? ObpTableOf(Process) : NULL;

    if (Table != NULL)
        ObpCloseAll(Table, Process);
    if (Process == ObpSystemProcess())
        ObpCloseAll(ObpState.KernelTable, NULL);
}

typedef struct OBP_LISTING {
    BOOLEAN (*Each)(PVOID, PEPROCESS, HANDLE, PVOID, ACCESS_MASK, ULONG);
    PVOID Context;
    PEPROCESS Process;
    ULONG_PTR Mark;
    BOOLEAN GoOn;
} OBP_LISTING;

static BOOLEAN ObpListHandle(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry)
{
    OBP_LISTING *Listing = Context;
    PVOID Object =
        (PVOID)(atomic_load_explicit(&Entry->Object, memory_order_relaxed) & ~(ULONG_PTR)1);

    Listing->GoOn = Listing->Each(Listing->Context, Listing->Process,
                                  (HANDLE)((ULONG_PTR)Handle | Listing->Mark), Object,
                                  Entry->GrantedAccess, Entry->Attributes);
    return Listing->GoOn;
}

static BOOLEAN ObpListTable(PVOID Context, struct _KPROCESS *Process, EX_HANDLE_TABLE *Table)
{
    OBP_LISTING *Listing = Context;

    Listing->Process = Process != NULL ? (PEPROCESS)Process : ObpSystemProcess();
    Listing->Mark = Table == ObpState.KernelTable ? OBP_KERNEL_HANDLE : 0;
    ExEnumerateHandles_(Table, ObpListHandle, Listing);
    return Listing->GoOn;
}

void ObEnumerateHandles_(BOOLEAN (*Each)(PVOID Context, PEPROCESS Process, HANDLE Handle,
                                         PVOID Object, ACCESS_MASK Granted, ULONG Attributes),
                         PVOID Context)
{
    OBP_LISTING Listing = {.Each = Each, .Context = Context, .GoOn = TRUE};

    ExEnumerateHandleTables_(ObpListTable, &Listing);
}
