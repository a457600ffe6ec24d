/*
 * ERESOURCE: a recursive reader-writer lock with owners.
 *
 * All fields are protected by the resource's spin lock. ActiveCount is the number of owning
 * threads. An exclusive owner, or the first shared one, is in OwnerEntry; further shared owners are
 * in OwnerTable, whose entry 0 holds its size. SharedWaiters and ExclusiveWaiters point at the last
 * of a ring of blocks on the waiters' stacks, in order of arrival. Who releases last hands the
 * resource on: after an exclusive owner all shared waiters, else the first exclusive one; after
 * shared owners the first exclusive waiter. So neither kind starves the other.
 */
#include "ex/exp.h"

_Static_assert(sizeof(ERESOURCE) == 104, "layout of x64");

#define EXP_RESOURCE_MAGIC                                                                         \
    ((ULONG_PTR)0x52655372) /* in Reserved2, with the address: initialised                         \
                             */
#define EXP_TABLE_TAG 'bTsR'

typedef enum EXP_SHARE_RULE {
    ExpShareFair,
    ExpShareStarveExclusive,
    ExpShareAfterExclusive
} EXP_SHARE_RULE;

typedef struct EXP_RESOURCE_WAITER {
    struct EXP_RESOURCE_WAITER *Next;
    ERESOURCE_THREAD Thread;
    KEVENT Event;
} EXP_RESOURCE_WAITER;

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY List;
    ULONG Count;
} ExpResources;

VOID ExpInitializeResources(VOID)
{
    KeInitializeSpinLock(&ExpResources.Lock);
    InitializeListHead(&ExpResources.List);
    ExpResources.Count = 0;
}

VOID ExpShutdownResources(VOID)
{
    InitializeListHead(&ExpResources.List);
    ExpResources.Count = 0;
}

BOOLEAN ExpFindResource(ULONG_PTR Low, ULONG_PTR High, PVOID *Object)
{
    PLIST_ENTRY Entry;
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    if (__atomic_load_n(&ExpResources.Count, __ATOMIC_RELAXED) == 0)
        return FALSE;
    KeAcquireSpinLock(&ExpResources.Lock, &Irql);
    for (Entry = ExpResources.List.Flink; !Found && Entry != &ExpResources.List;
         Entry = Entry->Flink) {
        Found = (ULONG_PTR)Entry >= Low && (ULONG_PTR)Entry < High;
        if (Found)
            *Object = CONTAINING_RECORD(Entry, ERESOURCE, SystemResourcesList);
    }
    KeReleaseSpinLock(&ExpResources.Lock, Irql);
    return Found;
}

static ERESOURCE_THREAD ExpSelf(VOID)
{
    return (ERESOURCE_THREAD)KeGetCurrentThread();
}

/* Drivers enter a critical region first: a thread that owns a resource must not be suspended by an
 * APC. */
static VOID ExpCheckApcs(ULONG Subcode, PERESOURCE Resource)
{
    if (KiSelf == NULL || KiSelf->SystemThread || KeGetCurrentIrql() >= APC_LEVEL ||
        KeAreApcsDisabled())
        return;
    VfBugCheck(EXP_C4, Subcode, KeGetCurrentIrql(), 0, (ULONG_PTR)Resource,
               "a resource is used with normal kernel APCs enabled");
}

static VOID ExpCheckResource(PERESOURCE Resource)
{
    if (Resource->Reserved2 != (PVOID)((ULONG_PTR)Resource ^ EXP_RESOURCE_MAGIC))
        VfBugCheck(EXP_C4, 0xD1, (ULONG_PTR)Resource, 0, 0, "the resource is not initialised");
}

/* ---- owners ---- */

static POWNER_ENTRY ExpFindOwner(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    ULONG Index, Size = Resource->OwnerTable != NULL ? Resource->OwnerTable->TableSize : 0;

    if (Resource->OwnerEntry.OwnerThread == Thread)
        return &Resource->OwnerEntry;
    for (Index = 1; Index < Size; Index++)
        if (Resource->OwnerTable[Index].OwnerThread == Thread)
            return &Resource->OwnerTable[Index];
    return NULL;
}

/* A bigger owner table, in place of one that was Size when the caller looked. Drops and takes the
 * lock. */
static VOID ExpGrowOwners(PERESOURCE Resource, ULONG Size, PKIRQL Irql)
{
    LARGE_INTEGER Moment = {.QuadPart = -10 * 1000 * 10};
    ULONG NewSize = Size == 0 ? 4 : Size * 2;
    POWNER_ENTRY Table, Old;

    KeReleaseSpinLock(&Resource->SpinLock, *Irql);
    Table = ExAllocatePoolWithTag(NonPagedPool, NewSize * sizeof(OWNER_ENTRY), EXP_TABLE_TAG);
    if (Table == NULL)
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    else
        RtlZeroMemory(Table, NewSize * sizeof(OWNER_ENTRY));
    KeAcquireSpinLock(&Resource->SpinLock, Irql);
    Old = Table;
    if (Table != NULL &&
        (Resource->OwnerTable != NULL ? Resource->OwnerTable->TableSize : 0) == Size) {
        Old = Resource->OwnerTable;
        if (Old != NULL)
            RtlCopyMemory(Table, Old, Size * sizeof(OWNER_ENTRY));
        Table->TableSize = NewSize;
        Resource->OwnerTable = Table;
    }
    if (Old != NULL)
        ExFreePoolWithTag(Old, EXP_TABLE_TAG);
}

/* Counts one more acquisition by a thread that is, or has just become, a shared owner. */
static VOID ExpAddSharedOwner(PERESOURCE Resource, ERESOURCE_THREAD Thread, PKIRQL Irql)
{
    POWNER_ENTRY Entry;

    while ((Entry = ExpFindOwner(Resource, Thread)) == NULL &&
           (Entry = ExpFindOwner(Resource, 0)) == NULL)
        ExpGrowOwners(Resource, Resource->OwnerTable != NULL ? Resource->OwnerTable->TableSize : 0,
                      Irql);
    Entry->OwnerThread = Thread;
    Entry->OwnerCount++;
}

/* ---- waiters ---- */

static VOID ExpAppend(EXP_RESOURCE_WAITER **Last, EXP_RESOURCE_WAITER *Waiter)
{
    Waiter->Next = *Last != NULL ? (*Last)->Next : Waiter;
    if (*Last != NULL)
        (*Last)->Next = Waiter;
    *Last = Waiter;
}

static EXP_RESOURCE_WAITER *ExpTakeFirst(EXP_RESOURCE_WAITER **Last)
{
    EXP_RESOURCE_WAITER *First = *Last != NULL ? (*Last)->Next : NULL;

    if (First == *Last)
        *Last = NULL;
    else
        (*Last)->Next = First->Next;
    return First;
}

static VOID ExpWait(PERESOURCE Resource, BOOLEAN Shared, KIRQL Irql)
{
    EXP_RESOURCE_WAITER Waiter = {.Thread = ExpSelf()};

    KeInitializeEvent(&Waiter.Event, SynchronizationEvent, FALSE);
    Resource->ContentionCount++;
    if (Shared) {
        Resource->NumberOfSharedWaiters++;
        ExpAppend((EXP_RESOURCE_WAITER **)&Resource->SharedWaiters, &Waiter);
    } else {
        Resource->NumberOfExclusiveWaiters++;
        ExpAppend((EXP_RESOURCE_WAITER **)&Resource->ExclusiveWaiters, &Waiter);
    }
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    KeWaitForSingleObject(&Waiter.Event, Executive, KernelMode, FALSE, NULL);
}

static VOID ExpGrantShared(PERESOURCE Resource)
{
    EXP_RESOURCE_WAITER *Waiter;

    while ((Waiter = ExpTakeFirst((EXP_RESOURCE_WAITER **)&Resource->SharedWaiters)) != NULL) {
        Resource->NumberOfSharedWaiters--;
        Resource->ActiveCount++;
        KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
    }
}

static VOID ExpOwnExclusive(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    Resource->ActiveCount = 1;
    Resource->Flag |= ResourceOwnedExclusive;
    Resource->OwnerEntry.OwnerThread = Thread;
    Resource->OwnerEntry.OwnerCount = 1;
}

static VOID ExpGrantExclusive(PERESOURCE Resource)
{
    EXP_RESOURCE_WAITER *Waiter = ExpTakeFirst((EXP_RESOURCE_WAITER **)&Resource->ExclusiveWaiters);

    if (Waiter == NULL)
        return;
    Resource->NumberOfExclusiveWaiters--;
    ExpOwnExclusive(Resource, Waiter->Thread);
    KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
}

/* ---- the documented routines ---- */

/* IRQL <= DISPATCH_LEVEL; nonpaged memory, deleted before it is freed. Doc:
 * wdm/nf-wdm-exinitializeresourcelite */
NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Resource->Reserved2 == (PVOID)((ULONG_PTR)Resource ^ EXP_RESOURCE_MAGIC) &&
        ExpFindResource((ULONG_PTR)Resource, (ULONG_PTR)Resource + 1, &(PVOID){NULL}))
        VfBugCheck(EXP_C4, 0xD0, (ULONG_PTR)Resource, 0, 0, "the resource is initialised already");
    RtlZeroMemory(Resource, sizeof(*Resource));
    KeInitializeSpinLock(&Resource->SpinLock);
    Resource->Reserved2 = (PVOID)((ULONG_PTR)Resource ^ EXP_RESOURCE_MAGIC);
    KeAcquireSpinLock(&ExpResources.Lock, &Irql);
    InsertTailList(&ExpResources.List, &Resource->SystemResourcesList);
    ExpResources.Count++;
    MmNoteObject(Resource);
    KeReleaseSpinLock(&ExpResources.Lock, Irql);
    return STATUS_SUCCESS;
}

/* Nobody may own it or wait for it. Doc: wdm/nf-wdm-exdeleteresourcelite */
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    ExpCheckResource(Resource);
    KeAcquireSpinLock(&ExpResources.Lock, &Irql);
    RemoveEntryList(&Resource->SystemResourcesList);
    ExpResources.Count--;
    KeReleaseSpinLock(&ExpResources.Lock, Irql);
    if (Resource->OwnerTable != NULL)
        ExFreePoolWithTag(Resource->OwnerTable, EXP_TABLE_TAG);
    Resource->OwnerTable = NULL;
    Resource->Reserved2 = NULL;
    return STATUS_SUCCESS;
}

/* As new, keeping the owner table. Doc: wdm/nf-wdm-exreinitializeresourcelite */
NTSTATUS NTAPI ExReinitializeResourceLite(PERESOURCE Resource)
{
    KIRQL Irql;
    ULONG Size;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpCheckResource(Resource);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    if (Resource->OwnerTable != NULL) {
        Size = Resource->OwnerTable->TableSize;
        RtlZeroMemory(Resource->OwnerTable, Size * sizeof(OWNER_ENTRY));
        Resource->OwnerTable->TableSize = Size;
    }
    Resource->ActiveCount = 0;
    Resource->Flag = 0;
    Resource->OwnerEntry = (OWNER_ENTRY){0};
    Resource->ContentionCount = 0;
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    return STATUS_SUCCESS;
}

/* FALSE only if Wait is FALSE and another thread holds it. Recursive. IRQL <= APC_LEVEL, normal
 * kernel APCs disabled (0xC4/37). A thread that holds it shared and waits would wait for itself:
 * 0xC4/1000. Doc: wdm/nf-wdm-exacquireresourceexclusivelite */
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    ExpCheckResource(Resource);
    ExpCheckApcs(0x37, Resource);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    if (Resource->ActiveCount == 0) {
        ExpOwnExclusive(Resource, ExpSelf());
    } else if ((Resource->Flag & ResourceOwnedExclusive) != 0 &&
               Resource->OwnerEntry.OwnerThread == ExpSelf()) {
        Resource->OwnerEntry.OwnerCount++;
    } else if (!Wait) {
        KeReleaseSpinLock(&Resource->SpinLock, Irql);
        return FALSE;
    } else {
        if (ExpFindOwner(Resource, ExpSelf()) != NULL) {
            KeReleaseSpinLock(&Resource->SpinLock, Irql);
            VfBugCheck(EXP_C4, 0x1000, (ULONG_PTR)Resource, ExpSelf(), 0,
                       "a thread that holds a resource shared waits to hold it exclusively");
        }
        ExpWait(Resource, FALSE, Irql);
        return TRUE;
    }
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    return TRUE;
}

static BOOLEAN ExpMayShare(PERESOURCE Resource, EXP_SHARE_RULE Rule)
{
    if (Resource->ActiveCount == 0)
        return TRUE;
    if ((Resource->Flag & ResourceOwnedExclusive) != 0)
        return Resource->OwnerEntry.OwnerThread == ExpSelf();
    if (Resource->NumberOfExclusiveWaiters == 0 || Rule == ExpShareStarveExclusive)
        return TRUE;
    return Rule == ExpShareFair && ExpFindOwner(Resource, ExpSelf()) != NULL;
}

static BOOLEAN ExpAcquireShared(PERESOURCE Resource, BOOLEAN Wait, EXP_SHARE_RULE Rule)
{
    BOOLEAN Granted;
    KIRQL Irql;

    ExpCheckResource(Resource);
    ExpCheckApcs(0x37, Resource);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    Granted = ExpMayShare(Resource, Rule);
    if (!Granted && !Wait) {
        KeReleaseSpinLock(&Resource->SpinLock, Irql);
        return FALSE;
    }
    if (!Granted) {
        ExpWait(Resource, TRUE, Irql); /* who grants has counted this thread as active */
        KeAcquireSpinLock(&Resource->SpinLock, &Irql);
        if (ExpFindOwner(Resource, ExpSelf()) != NULL)
            Resource->ActiveCount--;
    } else if (ExpFindOwner(Resource, ExpSelf()) == NULL) {
        Resource->ActiveCount++;
    }
    ExpAddSharedOwner(Resource, ExpSelf(), &Irql);
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    return TRUE;
}

/* Waits behind exclusive waiters, unless the thread holds the resource already. Doc:
 * wdm/nf-wdm-exacquireresourcesharedlite */
BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    VF_IRQL_MAX(APC_LEVEL);
    return ExpAcquireShared(Resource, Wait, ExpShareFair);
}

/* Overtakes exclusive waiters. Doc: wdm/nf-wdm-exacquiresharedstarveexclusive */
BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    VF_IRQL_MAX(APC_LEVEL);
    return ExpAcquireShared(Resource, Wait, ExpShareStarveExclusive);
}

/* Waits behind exclusive waiters even if the thread holds it shared. Doc:
 * wdm/nf-wdm-exacquiresharedwaitforexclusive */
BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    VF_IRQL_MAX(APC_LEVEL);
    return ExpAcquireShared(Resource, Wait, ExpShareAfterExclusive);
}

/* Bug check 0xE3 if the thread does not own the resource. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-exreleaseresourceforthreadlite */
VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
    POWNER_ENTRY Entry;
    BOOLEAN Exclusive;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpCheckResource(Resource);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    Entry = ResourceThreadId != 0 ? ExpFindOwner(Resource, ResourceThreadId) : NULL;
    if (Entry == NULL) {
        KeReleaseSpinLock(&Resource->SpinLock, Irql);
        VfBugCheck(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, ResourceThreadId,
                   (ULONG_PTR)Resource->OwnerTable, 0,
                   "the thread does not own the resource that it releases");
    }
    if (--Entry->OwnerCount == 0) {
        Entry->OwnerThread = 0;
        Exclusive = (Resource->Flag & ResourceOwnedExclusive) != 0;
        Resource->Flag &= ~ResourceOwnedExclusive;
        Resource->ActiveCount--;
        if (Resource->ActiveCount == 0 && (Exclusive || Resource->NumberOfExclusiveWaiters == 0))
            ExpGrantShared(Resource);
        if (Resource->ActiveCount == 0)
            ExpGrantExclusive(Resource);
    }
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
}

/* Doc: wdm/nf-wdm-exreleaseresourcelite; 0xC4/38 with APCs enabled. */
VOID FASTCALL ExReleaseResourceLite(PERESOURCE Resource)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpCheckApcs(0x38, Resource);
    ExReleaseResourceForThreadLite(Resource, ExpSelf());
}

/* The exclusive owner goes on as a shared one, and shared waiters enter. Doc:
 * wdm/nf-wdm-exconvertexclusivetosharedlite */
VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpCheckResource(Resource);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    if ((Resource->Flag & ResourceOwnedExclusive) == 0 ||
        Resource->OwnerEntry.OwnerThread != ExpSelf()) {
        KeReleaseSpinLock(&Resource->SpinLock, Irql);
        VfBugCheck(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, ExpSelf(),
                   (ULONG_PTR)Resource->OwnerTable, 0,
                   "the thread does not own the resource that it converts");
    }
    Resource->Flag &= ~ResourceOwnedExclusive;
    ExpGrantShared(Resource);
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
}

/* From now on the resource belongs to an address (bits 0 and 1 set by the caller), not to this
 * thread. Doc: wdm/nf-wdm-exsetresourceownerpointer */
VOID NTAPI ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer)
{
    POWNER_ENTRY Entry, Other;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    NT_ASSERT(((ULONG_PTR)OwnerPointer & 3) == 3);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    Entry = ExpFindOwner(Resource, ExpSelf());
    if (Entry == NULL) {
        KeReleaseSpinLock(&Resource->SpinLock, Irql);
        VfBugCheck(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, ExpSelf(),
                   (ULONG_PTR)Resource->OwnerTable, 0,
                   "the thread does not own the resource that it gives away");
    }
    Other = ExpFindOwner(Resource, (ERESOURCE_THREAD)OwnerPointer);
    if (Other != NULL) {
        Other->OwnerCount += Entry->OwnerCount;
        Entry->OwnerCount = 0;
        Resource->ActiveCount--;
    }
    Entry->OwnerThread = Other != NULL ? 0 : (ERESOURCE_THREAD)OwnerPointer;
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
}

/* Doc: wdm/nf-wdm-exsetresourceownerpointerex */
VOID NTAPI ExSetResourceOwnerPointerEx(PERESOURCE Resource, PVOID OwnerPointer, ULONG Flags)
{
    if ((Flags & FLAG_OWNER_POINTER_IS_THREAD) != 0)
        OwnerPointer = (PVOID)((ULONG_PTR)OwnerPointer | 3);
    ExSetResourceOwnerPointer(Resource, OwnerPointer);
}
