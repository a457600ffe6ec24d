/* Pool, look-aside lists, MDLs, linked lists, interlocked operations. */
#include "driver.h"

VOID TestPool(REPORT *Report)
{
    PUCHAR Small = ExAllocatePoolWithTag(NonPagedPool, 24, CONFORMANCE_TAG);
    PUCHAR Page = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, CONFORMANCE_TAG);

    SAY_NUMBER(Report, "pool.small", Small != NULL);
    SAY_NUMBER(Report, "pool.small-aligned", ((ULONG_PTR)Small & (2 * sizeof(PVOID) - 1)) == 0);
    SAY_NUMBER(Report, "pool.page-aligned", ((ULONG_PTR)Page & (PAGE_SIZE - 1)) == 0);
    SAY_NUMBER(Report, "pool.valid", MmIsAddressValid(Small));
    ExFreePoolWithTag(Small, CONFORMANCE_TAG);
    ExFreePool(Page);
}

VOID TestLookaside(REPORT *Report)
{
    NPAGED_LOOKASIDE_LIST *List =
        ExAllocatePoolWithTag(NonPagedPool, sizeof(*List), CONFORMANCE_TAG);
    PVOID First, Second;

    ExInitializeNPagedLookasideList(List, NULL, NULL, 0, 64, CONFORMANCE_TAG, 0);
    First = ExAllocateFromNPagedLookasideList(List);
    Second = ExAllocateFromNPagedLookasideList(List);
    SAY_NUMBER(Report, "lookaside.two", First && Second && First != Second);
    ExFreeToNPagedLookasideList(List, First);
    SAY_NUMBER(Report, "lookaside.last-in-first-out",
               ExAllocateFromNPagedLookasideList(List) == First);
    SAY_NUMBER(Report, "lookaside.allocations", List->L.TotalAllocates);
    ExFreeToNPagedLookasideList(List, First);
    ExFreeToNPagedLookasideList(List, Second);
    ExDeleteNPagedLookasideList(List);
    ExFreePoolWithTag(List, CONFORMANCE_TAG);
}

VOID TestMdls(REPORT *Report)
{
    PUCHAR Memory = ExAllocatePoolWithTag(NonPagedPool, 3 * PAGE_SIZE, CONFORMANCE_TAG);
    PMDL Mdl = IoAllocateMdl(Memory + 100, PAGE_SIZE, FALSE, FALSE, NULL);

    SAY_NUMBER(Report, "mdls.offset", MmGetMdlByteOffset(Mdl));
    SAY_NUMBER(Report, "mdls.count", MmGetMdlByteCount(Mdl));
    SAY_NUMBER(Report, "mdls.address", MmGetMdlVirtualAddress(Mdl) == Memory + 100);
    SAY_NUMBER(Report, "mdls.pages",
               ADDRESS_AND_SIZE_TO_SPAN_PAGES(Memory + 100, MmGetMdlByteCount(Mdl)));
    SAY_NUMBER(Report, "mdls.no-next", Mdl->Next == NULL);
    MmBuildMdlForNonPagedPool(Mdl);
    SAY_NUMBER(Report, "mdls.system-address",
               MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Memory + 100);
    SAY_NUMBER(Report, "mdls.flag", (Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) != 0);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Memory, CONFORMANCE_TAG);
}

typedef struct _ITEM {
    LIST_ENTRY Link;
    int Number;
} ITEM;

VOID TestLists(REPORT *Report)
{
    ITEM Items[3] = {{.Number = 1}, {.Number = 2}, {.Number = 3}};
    DECLSPEC_ALIGN(16) SLIST_HEADER Stack;
    DECLSPEC_ALIGN(16) SLIST_ENTRY Entries[2];
    KSPIN_LOCK Lock;
    LIST_ENTRY Head;

    InitializeListHead(&Head);
    SAY_NUMBER(Report, "lists.empty", IsListEmpty(&Head));
    InsertTailList(&Head, &Items[0].Link);
    InsertTailList(&Head, &Items[1].Link);
    InsertHeadList(&Head, &Items[2].Link);
    SAY_NUMBER(Report, "lists.first", CONTAINING_RECORD(RemoveHeadList(&Head), ITEM, Link)->Number);
    SAY_NUMBER(Report, "lists.last", CONTAINING_RECORD(RemoveTailList(&Head), ITEM, Link)->Number);
    SAY_NUMBER(Report, "lists.remove-makes-empty", RemoveEntryList(&Items[0].Link));
    ExInitializeSListHead(&Stack);
    KeInitializeSpinLock(&Lock);
    SAY_NUMBER(Report, "lists.stack-was-empty",
               ExInterlockedPushEntrySList(&Stack, &Entries[0], &Lock) == NULL);
    SAY_NUMBER(Report, "lists.stack-was-first",
               ExInterlockedPushEntrySList(&Stack, &Entries[1], &Lock) == &Entries[0]);
    SAY_NUMBER(Report, "lists.stack-depth", ExQueryDepthSList(&Stack));
    SAY_NUMBER(Report, "lists.stack-pop", ExInterlockedPopEntrySList(&Stack, &Lock) == &Entries[1]);
}

VOID TestSharedLists(REPORT *Report)
{
    ITEM Items[3] = {{.Number = 1}, {.Number = 2}, {.Number = 3}};
    KSPIN_LOCK Lock;
    LIST_ENTRY Head;

    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Head);
    SAY_NUMBER(Report, "sharedlists.insert-empty",
               ExInterlockedInsertTailList(&Head, &Items[0].Link, &Lock) == NULL);
    SAY_NUMBER(Report, "sharedlists.insert-was-last",
               ExInterlockedInsertTailList(&Head, &Items[1].Link, &Lock) == &Items[0].Link);
    SAY_NUMBER(Report, "sharedlists.insert-was-first",
               ExInterlockedInsertHeadList(&Head, &Items[2].Link, &Lock) == &Items[0].Link);
    SAY_NUMBER(Report, "sharedlists.remove",
               CONTAINING_RECORD(ExInterlockedRemoveHeadList(&Head, &Lock), ITEM, Link)->Number);
}

VOID TestInterlocked(REPORT *Report)
{
    volatile LONG Number = 5;

    SAY_NUMBER(Report, "interlocked.increment", InterlockedIncrement(&Number));
    SAY_NUMBER(Report, "interlocked.exchange-was", InterlockedExchange(&Number, 9));
    SAY_NUMBER(Report, "interlocked.compare-was", InterlockedCompareExchange(&Number, 1, 8));
    SAY_NUMBER(Report, "interlocked.add-was", InterlockedExchangeAdd(&Number, 3));
    SAY_NUMBER(Report, "interlocked.value", Number);
}

VOID TestSharedNumbers(REPORT *Report)
{
    LARGE_INTEGER Sum = {.QuadPart = 0xFFFFFFFF}, One = {.QuadPart = 1}, Was;
    ULONG Small = 7;
    KSPIN_LOCK Lock;

    KeInitializeSpinLock(&Lock);
    SAY_NUMBER(Report, "sharednumbers.add-was", ExInterlockedAddUlong(&Small, 5, &Lock));
    SAY_NUMBER(Report, "sharednumbers.sum", Small);
    Was = ExInterlockedAddLargeInteger(&Sum, One, &Lock);
    SAY_STATUS(Report, "sharednumbers.large-was", Was.QuadPart);
    SAY_NUMBER(Report, "sharednumbers.large-high", Sum.HighPart);
}
