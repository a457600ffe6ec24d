/*
 * Handle tables.
 *
 * A handle is index * 4; index 0 is never used. Entries lie in pages of 256, found through two
 * levels of pointer pages, which only grow until the table goes; so a lookup needs no lock but its
 * entry's own bit. A free entry's Object holds the index of the next free one, shifted left by one:
 * below EXP_FREE_LIMIT, where no object is. The list's head carries a count of changes against the
 * ABA problem.
 */
#include "ex/exp.h"

#define EXP_LEAF 256
#define EXP_NODE 512
#define EXP_TOP 256
#define EXP_MAX_INDEX ((ULONG)EXP_LEAF * EXP_NODE * EXP_TOP)
#define EXP_FREE_LIMIT ((ULONG_PTR)1 << 32)
#define EXP_LOCKED ((ULONG_PTR)1)
#define EXP_HANDLE_TAG 'btbO'

_Static_assert(sizeof(EX_HANDLE_ENTRY) == 16, "a leaf is a page");

typedef struct EXP_LEAF_PAGE {
    EX_HANDLE_ENTRY Entries[EXP_LEAF];
} EXP_LEAF_PAGE;

typedef struct EXP_NODE_PAGE {
    _Atomic(EXP_LEAF_PAGE *) Leaves[EXP_NODE];
} EXP_NODE_PAGE;

struct EX_HANDLE_TABLE {
    LIST_ENTRY TableEntry;
    struct _KPROCESS *Process;
    EX_PUSH_LOCK GrowLock;
    atomic_ullong FreeHead; /* index, changes << 32 */
    atomic_uint Limit;      /* indices below it have entries */
    atomic_uint Count;
    _Atomic(EXP_NODE_PAGE *) Nodes[EXP_TOP];
};

static struct {
    EX_PUSH_LOCK Lock;
    LIST_ENTRY Tables;
} ExpHandles;

static EX_HANDLE_ENTRY *ExpEntry(EX_HANDLE_TABLE *Table, ULONG Index);
static BOOLEAN ExpGrow(EX_HANDLE_TABLE *Table);
static VOID ExpPushFree(EX_HANDLE_TABLE *Table, ULONG First, EX_HANDLE_ENTRY *Last);

VOID ExpInitializeHandleTables(VOID)
{
    ExInitializePushLock(&ExpHandles.Lock);
    InitializeListHead(&ExpHandles.Tables);
}

VOID ExpShutdownHandleTables(VOID)
{
    NT_ASSERT(IsListEmpty(&ExpHandles.Tables));
}

static PVOID ExpAllocatePage(SIZE_T Bytes)
{
    PVOID Page = ExAllocatePoolWithTag(NonPagedPool, Bytes, EXP_HANDLE_TAG);

    if (Page != NULL)
        RtlZeroMemory(Page, Bytes);
    return Page;
}

EX_HANDLE_TABLE *ExCreateHandleTable_(struct _KPROCESS *Process)
{
    EX_HANDLE_TABLE *Table = ExpAllocatePage(sizeof(*Table));

    if (Table == NULL)
        return NULL;
    Table->Process = Process;
    ExLockExclusive_(&ExpHandles.Lock);
    InsertTailList(&ExpHandles.Tables, &Table->TableEntry);
    ExUnlockExclusive_(&ExpHandles.Lock);
    return Table;
}

/* Object is what the entry held when it was looked at. */
static inline BOOLEAN ExpTryLockEntry(EX_HANDLE_ENTRY *Entry, uintptr_t Object)
{
    return !(Object & EXP_LOCKED) &&
           atomic_compare_exchange_strong_explicit(&Entry->Object, &Object, Object | EXP_LOCKED,
                                                   memory_order_acquire, memory_order_relaxed);
}

static __attribute__((noinline)) BOOLEAN ExpLockBusyEntry(EX_HANDLE_ENTRY *Entry)
{
    uintptr_t Object = atomic_load_explicit(&Entry->Object, memory_order_relaxed);

    for (ULONG Spins = 1; Object >= EXP_FREE_LIMIT * 2; Spins++) {
        if (ExpTryLockEntry(Entry, Object))
            return TRUE;
        KiScheduler->Relax(Spins);
        Object = atomic_load_explicit(&Entry->Object, memory_order_relaxed);
    }
    return FALSE;
}

/* FALSE: the entry is free. */
static inline BOOLEAN ExpLockEntry(EX_HANDLE_ENTRY *Entry)
{
    uintptr_t Object = atomic_load_explicit(&Entry->Object, memory_order_relaxed);

    return Object >= EXP_FREE_LIMIT * 2 &&
           (ExpTryLockEntry(Entry, Object) || ExpLockBusyEntry(Entry));
}

static BOOLEAN ExpCopyEntry(EX_HANDLE_TABLE *Parent, EX_HANDLE_TABLE *Table, ULONG Index,
                            BOOLEAN (*Copy)(PVOID, PVOID, EX_HANDLE_ENTRY *), PVOID Context)
{
    EX_HANDLE_ENTRY *From = ExpEntry(Parent, Index), *To = ExpEntry(Table, Index);
    PVOID Object;
    BOOLEAN Copied;

    if (!ExpLockEntry(From))
        return FALSE;
    Object = (PVOID)(atomic_load_explicit(&From->Object, memory_order_relaxed) & ~EXP_LOCKED);
    Copied = Copy(Context, Object, From);
    if (Copied) {
        To->GrantedAccess = From->GrantedAccess;
        To->Attributes = From->Attributes;
        atomic_store_explicit(&To->Object, (ULONG_PTR)Object, memory_order_release);
        atomic_fetch_add(&Table->Count, 1);
    }
    ExUnlockHandle_(From);
    return Copied;
}

EX_HANDLE_TABLE *ExDuplicateHandleTable_(EX_HANDLE_TABLE *Parent, struct _KPROCESS *Process,
                                         BOOLEAN (*Copy)(PVOID Context, PVOID Object,
                                                         EX_HANDLE_ENTRY *Entry),
                                         PVOID Context)
{
    EX_HANDLE_TABLE *Table = ExCreateHandleTable_(Process);
    ULONG Limit = atomic_load(&Parent->Limit), Index;

    while (Table != NULL && atomic_load(&Table->Limit) < Limit) {
        atomic_store(&Table->FreeHead,
                     0); /* nobody else knows the table; the chain is made anew below */
        if (!ExpGrow(Table)) {
            ExDestroyHandleTable_(Table);
            return NULL;
        }
    }
    if (Table == NULL)
        return NULL;
    atomic_store(&Table->FreeHead, 0);
    for (Index = Limit; Index-- > 1;)
        if (!ExpCopyEntry(Parent, Table, Index, Copy, Context))
            ExpPushFree(Table, Index, ExpEntry(Table, Index));
    return Table;
}

void ExDestroyHandleTable_(EX_HANDLE_TABLE *Table)
{
    ULONG Top, Node;
    EXP_NODE_PAGE *Page;

    NT_ASSERT(atomic_load(&Table->Count) == 0);
    ExLockExclusive_(&ExpHandles.Lock);
    RemoveEntryList(&Table->TableEntry);
    ExUnlockExclusive_(&ExpHandles.Lock);
    for (Top = 0; Top < EXP_TOP && (Page = atomic_load(&Table->Nodes[Top])) != NULL; Top++) {
        for (Node = 0; Node < EXP_NODE && atomic_load(&Page->Leaves[Node]) != NULL; Node++)
            ExFreePoolWithTag(atomic_load(&Page->Leaves[Node]), EXP_HANDLE_TAG);
        ExFreePoolWithTag(Page, EXP_HANDLE_TAG);
    }
    ExFreePoolWithTag(Table, EXP_HANDLE_TAG);
}

struct _KPROCESS *ExHandleTableProcess_(EX_HANDLE_TABLE *Table)
{
    return Table->Process;
}

ULONG ExHandleCount_(EX_HANDLE_TABLE *Table)
{
    return atomic_load(&Table->Count);
}

static EX_HANDLE_ENTRY *ExpEntry(EX_HANDLE_TABLE *Table, ULONG Index)
{
    EXP_NODE_PAGE *Node =
        atomic_load_explicit(&Table->Nodes[Index / (EXP_LEAF * EXP_NODE)], memory_order_acquire);
    EXP_LEAF_PAGE *Leaf =
        atomic_load_explicit(&Node->Leaves[Index / EXP_LEAF % EXP_NODE], memory_order_acquire);

    return &Leaf->Entries[Index % EXP_LEAF];
}

/* The chain First -> ... -> Last of free entries goes before what is free already. */
static VOID ExpPushFree(EX_HANDLE_TABLE *Table, ULONG First, EX_HANDLE_ENTRY *Last)
{
    ULONG64 Old = atomic_load_explicit(&Table->FreeHead, memory_order_relaxed), New;

    do {
        atomic_store_explicit(&Last->Object, (ULONG_PTR)(ULONG)Old << 1, memory_order_release);
        New = First | (((Old >> 32) + 1) << 32);
    } while (!atomic_compare_exchange_weak_explicit(&Table->FreeHead, &Old, New,
                                                    memory_order_acq_rel, memory_order_acquire));
}

/* 0: none is free. */
static ULONG ExpPopFree(EX_HANDLE_TABLE *Table)
{
    ULONG64 Old = atomic_load_explicit(&Table->FreeHead, memory_order_acquire), New;
    ULONG_PTR Next;

    do {
        if ((ULONG)Old == 0)
            return 0;
        Next = atomic_load_explicit(&ExpEntry(Table, (ULONG)Old)->Object, memory_order_relaxed);
        New = (ULONG)(Next >> 1) |
              (((Old >> 32) + 1)
               << 32); /* nonsense if the entry was taken meanwhile; then the exchange fails */
    } while (!atomic_compare_exchange_weak_explicit(&Table->FreeHead, &Old, New,
                                                    memory_order_acq_rel, memory_order_acquire));
    return (ULONG)Old;
}

/* Adds a page of entries, unless another thread did: then there are free ones. */
static BOOLEAN ExpGrow(EX_HANDLE_TABLE *Table)
{
    EXP_LEAF_PAGE *Leaf = ExpAllocatePage(sizeof(*Leaf));
    EXP_NODE_PAGE *Node = NULL;
    ULONG Base, Index;
    BOOLEAN Grown = FALSE;

    if (Leaf == NULL)
        return FALSE;
    ExLockExclusive_(&Table->GrowLock);
    Base = atomic_load(&Table->Limit);
    if ((ULONG)atomic_load(&Table->FreeHead) != 0 || Base == EXP_MAX_INDEX)
        goto Done;
    Node = atomic_load(&Table->Nodes[Base / (EXP_LEAF * EXP_NODE)]);
    if (Node == NULL)
        Node = ExpAllocatePage(sizeof(*Node));
    if (Node == NULL)
        goto Done;
    for (Index = 0; Index + 1 < EXP_LEAF; Index++)
        atomic_init(&Leaf->Entries[Index].Object, (ULONG_PTR)(Base + Index + 1) << 1);
    atomic_store_explicit(&Node->Leaves[Base / EXP_LEAF % EXP_NODE], Leaf, memory_order_release);
    atomic_store_explicit(&Table->Nodes[Base / (EXP_LEAF * EXP_NODE)], Node, memory_order_release);
    atomic_store_explicit(&Table->Limit, Base + EXP_LEAF, memory_order_release);
    ExpPushFree(Table, Base == 0 ? 1 : Base, &Leaf->Entries[EXP_LEAF - 1]);
    Grown = TRUE;
Done:
    Base = (ULONG)atomic_load(&Table->FreeHead);
    ExUnlockExclusive_(&Table->GrowLock);
    if (!Grown)
        ExFreePoolWithTag(Leaf, EXP_HANDLE_TAG);
    return Grown || Base != 0;
}

HANDLE ExCreateHandle_(EX_HANDLE_TABLE *Table, PVOID Object, ULONG GrantedAccess, ULONG Attributes)
{
    EX_HANDLE_ENTRY *Entry;
    ULONG Index;

    NT_ASSERT((ULONG_PTR)Object >= EXP_FREE_LIMIT * 2 && ((ULONG_PTR)Object & EXP_LOCKED) == 0);
    while ((Index = ExpPopFree(Table)) == 0)
        if (!ExpGrow(Table))
            return NULL;
    Entry = ExpEntry(Table, Index);
    Entry->GrantedAccess = GrantedAccess;
    Entry->Attributes = Attributes;
    atomic_fetch_add_explicit(&Table->Count, 1, memory_order_relaxed);
    atomic_store_explicit(&Entry->Object, (ULONG_PTR)Object, memory_order_release);
    return (HANDLE)((ULONG_PTR)Index * 4);
}

EX_HANDLE_ENTRY *ExLockHandle_(EX_HANDLE_TABLE *Table, HANDLE Handle)
{
    ULONG_PTR Index = (ULONG_PTR)Handle / 4; /* the low two bits are the caller's, as on NT */
    EX_HANDLE_ENTRY *Entry;

    if (Index == 0 || Index >= atomic_load_explicit(&Table->Limit, memory_order_acquire))
        return NULL;
    Entry = ExpEntry(Table, (ULONG)Index);
    return ExpLockEntry(Entry) ? Entry : NULL;
}

void ExUnlockHandle_(EX_HANDLE_ENTRY *Entry)
{
    ULONG_PTR Object = atomic_load_explicit(&Entry->Object, memory_order_relaxed);

    NT_ASSERT((Object & EXP_LOCKED) != 0);
    atomic_store_explicit(&Entry->Object, Object & ~EXP_LOCKED, memory_order_release);
}

PVOID ExRemoveHandle_(EX_HANDLE_TABLE *Table, EX_HANDLE_ENTRY *LockedEntry, HANDLE Handle)
{
    ULONG_PTR Object = atomic_load_explicit(&LockedEntry->Object, memory_order_relaxed);

    NT_ASSERT((Object & EXP_LOCKED) != 0);
    atomic_fetch_sub_explicit(&Table->Count, 1, memory_order_relaxed);
    ExpPushFree(Table, (ULONG)((ULONG_PTR)Handle / 4), LockedEntry);
    return (PVOID)(Object & ~EXP_LOCKED);
}

void ExEnumerateHandles_(EX_HANDLE_TABLE *Table,
                         BOOLEAN (*Each)(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry),
                         PVOID Context)
{
    ULONG Index, Limit = atomic_load_explicit(&Table->Limit, memory_order_acquire);
    EX_HANDLE_ENTRY *Entry;
    BOOLEAN GoOn = TRUE;

    for (Index = 1; GoOn && Index < Limit; Index++) {
        Entry = ExpEntry(Table, Index);
        if (!ExpLockEntry(Entry))
            continue;
        GoOn = Each(Context, (HANDLE)((ULONG_PTR)Index * 4), Entry);
        ExUnlockHandle_(Entry);
    }
}

void ExEnumerateHandleTables_(BOOLEAN (*Each)(PVOID Context, struct _KPROCESS *Process,
                                              EX_HANDLE_TABLE *Table),
                              PVOID Context)
{
    PLIST_ENTRY Entry;
    EX_HANDLE_TABLE *Table;

    ExLockShared_(&ExpHandles.Lock);
    for (Entry = ExpHandles.Tables.Flink; Entry != &ExpHandles.Tables; Entry = Entry->Flink) {
        Table = CONTAINING_RECORD(Entry, EX_HANDLE_TABLE, TableEntry);
        if (!Each(Context, Table->Process, Table))
            break;
    }
    ExUnlockShared_(&ExpHandles.Lock);
}
