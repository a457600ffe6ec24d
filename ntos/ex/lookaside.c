/*
 * Look-aside lists: initialisation and end. Allocation and free are inline in the DDK headers; the
 * list in the header is an SLIST.
 */
#include "ex/exp.h"

_Static_assert(sizeof(NPAGED_LOOKASIDE_LIST) == 128 && sizeof(PAGED_LOOKASIDE_LIST) == 128,
               "layout of x64");
_Static_assert(sizeof(LOOKASIDE_LIST_EX) == 96, "layout of x64");

#define EXP_DEPTH 32

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY List;
    ULONG Count;
} ExpLookasides;

VOID ExpInitializeLookasides(VOID)
{
    KeInitializeSpinLock(&ExpLookasides.Lock);
    ExpShutdownLookasides();
}

VOID ExpShutdownLookasides(VOID)
{
    InitializeListHead(&ExpLookasides.List);
    ExpLookasides.Count = 0;
}

BOOLEAN ExpFindLookaside(ULONG_PTR Low, ULONG_PTR High, PVOID *Object)
{
    PLIST_ENTRY Entry;
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    if (__atomic_load_n(&ExpLookasides.Count, __ATOMIC_RELAXED) == 0)
        return FALSE;
    KeAcquireSpinLock(&ExpLookasides.Lock, &Irql);
    for (Entry = ExpLookasides.List.Flink; !Found && Entry != &ExpLookasides.List;
         Entry = Entry->Flink) {
        *Object = CONTAINING_RECORD(Entry, GENERAL_LOOKASIDE_POOL, ListEntry);
        Found = (ULONG_PTR)*Object >= Low && (ULONG_PTR)*Object < High;
    }
    KeReleaseSpinLock(&ExpLookasides.Lock, Irql);
    return Found;
}

static VOID ExpAddLookaside(GENERAL_LOOKASIDE_POOL *List)
{
    KIRQL Irql;

    KeAcquireSpinLock(&ExpLookasides.Lock, &Irql);
    InsertTailList(&ExpLookasides.List, &List->ListEntry);
    ExpLookasides.Count++;
    MmNoteObject(List);
    KeReleaseSpinLock(&ExpLookasides.Lock, Irql);
}

static VOID ExpRemoveLookaside(GENERAL_LOOKASIDE_POOL *List)
{
    KIRQL Irql;

    KeAcquireSpinLock(&ExpLookasides.Lock, &Irql);
    RemoveEntryList(&List->ListEntry);
    ExpLookasides.Count--;
    KeReleaseSpinLock(&ExpLookasides.Lock, Irql);
}

static PVOID NTAPI ExpAllocateEntry(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

static VOID NTAPI ExpFreeEntry(PVOID Buffer)
{
    ExFreePool(Buffer);
}

static PVOID NTAPI ExpAllocateEntryEx(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                      PLOOKASIDE_LIST_EX Lookaside)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

static VOID NTAPI ExpFreeEntryEx(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside)
{
    ExFreePool(Buffer);
}

static VOID ExpFillLookaside(GENERAL_LOOKASIDE_POOL *List, POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    if (Size == 0)
        VfBugCheck(EXP_C4, 0xCD, (ULONG_PTR)List, Size, 0,
                   "a look-aside list for entries of no size");
    RtlZeroMemory(List, sizeof(*List));
    InitializeSListHead(&List->ListHead);
    List->Depth = EXP_DEPTH;
    List->MaximumDepth = EX_MAXIMUM_LOOKASIDE_DEPTH_BASE;
    List->Type = Type;
    List->Tag = Tag;
    List->Size = (ULONG)(Size < sizeof(SLIST_ENTRY) ? sizeof(SLIST_ENTRY) : Size);
}

static VOID ExpInitializeList(GENERAL_LOOKASIDE_POOL *List, PALLOCATE_FUNCTION Allocate,
                              PFREE_FUNCTION Free, POOL_TYPE Type, ULONG Flags, SIZE_T Size,
                              ULONG Tag)
{
    ExpFillLookaside(
        List, (POOL_TYPE)(Type | (Flags & (POOL_RAISE_IF_ALLOCATION_FAILURE | POOL_NX_ALLOCATION))),
        Size, Tag);
    List->Allocate = Allocate != NULL ? Allocate : ExpAllocateEntry;
    List->Free = Free != NULL ? Free : ExpFreeEntry;
    ExpAddLookaside(List);
}

/* IRQL <= DISPATCH_LEVEL; nonpaged memory, 16-byte aligned. Depth is not used. Doc:
 * wdm/nf-wdm-exinitializenpagedlookasidelist */
VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
                                           PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                           ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpInitializeList((GENERAL_LOOKASIDE_POOL *)&Lookaside->L, Allocate, Free, NonPagedPool, Flags,
                      Size, Tag);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-exinitializepagedlookasidelist */
VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
                                          PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                          ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpInitializeList((GENERAL_LOOKASIDE_POOL *)&Lookaside->L, Allocate, Free, PagedPool, Flags,
                      Size, Tag);
}

static VOID ExpDeleteList(GENERAL_LOOKASIDE_POOL *List)
{
    PVOID Entry;

    if (List->ListEntry.Flink == NULL)
        VfBugCheck(EXP_C4, 0xCB, (ULONG_PTR)List, 0, 0, "the look-aside list is not initialised");
    ExpRemoveLookaside(List);
    List->ListEntry.Flink = NULL;
    while ((Entry = InterlockedPopEntrySList(&List->ListHead)) != NULL)
        NT_CALL(List->Free, Entry);
}

/* Frees the entries that lie in the list. Doc: wdm/nf-wdm-exdeletenpagedlookasidelist */
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    ExpDeleteList((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
}

/* Doc: wdm/nf-wdm-exdeletepagedlookasidelist */
VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpDeleteList((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
}

static BOOLEAN ExpIsPoolType(POOL_TYPE Type)
{
    ULONG Base = (ULONG)Type & 7;

    return ((ULONG)Type & ~(ULONG)(0x7 | POOL_NX_ALLOCATION | POOL_ZERO_ALLOCATION)) == 0 &&
           Base != 7 && Base != 3;
}

/* STATUS_INVALID_PARAMETER_4: no such pool type; _5: wrong or contradictory flags. Doc:
 * wdm/nf-wdm-exinitializelookasidelistex */
NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
                                           PALLOCATE_FUNCTION_EX Allocate, PFREE_FUNCTION_EX Free,
                                           POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
                                           USHORT Depth)
{
    ULONG Both =
        EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!ExpIsPoolType(PoolType))
        return STATUS_INVALID_PARAMETER_4;
    if ((Flags & ~Both) != 0 || Flags == Both)
        return STATUS_INVALID_PARAMETER_5;
    if (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL)
        PoolType = (POOL_TYPE)(PoolType | POOL_RAISE_IF_ALLOCATION_FAILURE);
    if (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        PoolType = (POOL_TYPE)(PoolType | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE);
    ExpFillLookaside(&Lookaside->L, PoolType, Size, Tag);
    Lookaside->L.AllocateEx = Allocate != NULL ? Allocate : ExpAllocateEntryEx;
    Lookaside->L.FreeEx = Free != NULL ? Free : ExpFreeEntryEx;
    ExpAddLookaside(&Lookaside->L);
    return STATUS_SUCCESS;
}

/* Frees the entries that lie in the list; it can be used further. Doc:
 * wdm/nf-wdm-exflushlookasidelistex */
VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    PVOID Entry;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    while ((Entry = InterlockedPopEntrySList(&Lookaside->L.ListHead)) != NULL)
        NT_CALL(Lookaside->L.FreeEx, Entry, Lookaside);
}

/* Doc: wdm/nf-wdm-exdeletelookasidelistex */
VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Lookaside->L.ListEntry.Flink == NULL)
        VfBugCheck(EXP_C4, 0xCB, (ULONG_PTR)Lookaside, 0, 0,
                   "the look-aside list is not initialised");
    ExpRemoveLookaside(&Lookaside->L);
    Lookaside->L.ListEntry.Flink = NULL;
    ExFlushLookasideListEx(Lookaside);
}
