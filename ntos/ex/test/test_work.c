/* Work items, look-aside lists, time zone, identifiers. */
#include "ex_test.h"

typedef struct ITEM {
    WORK_QUEUE_ITEM Work;
    KEVENT Done;
    KEVENT *WaitFor;
} ITEM;

static void NTAPI RunItem(PVOID Context)
{
    ITEM *Item = Context;

    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    if (Item->WaitFor != NULL)
        ExTestWait(Item->WaitFor);
    KeSetEvent(&Item->Done, 0, FALSE);
}

static void Prepare(ITEM *Item, KEVENT *WaitFor)
{
    KeInitializeEvent(&Item->Done, NotificationEvent, FALSE);
    Item->WaitFor = WaitFor;
    ExInitializeWorkItem(&Item->Work, RunItem, Item);
}

static void AWorkItemRunsOnceOnEachQueue(void **Unused)
{
    static const WORK_QUEUE_TYPE Queues[] = {CriticalWorkQueue, DelayedWorkQueue,
                                             HyperCriticalWorkQueue};
    ITEM Item;

    for (int i = 0; i < 3; i++) {
        Prepare(&Item, NULL);
        ExQueueWorkItem(&Item.Work, Queues[i]);
        ExTestWait(&Item.Done);
    }
}

static void AWorkItemCanBeQueuedAtDispatchLevel(void **Unused)
{
    ITEM Item;
    KIRQL Irql;

    Prepare(&Item, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExQueueWorkItem(&Item.Work, DelayedWorkQueue);
    KeLowerIrql(Irql);
    ExTestWait(&Item.Done);
}

static void ItemsThatWaitForLaterItemsDoNotHang(void **Unused)
{
    static ITEM Items[20];

    for (int i = 0; i < 20; i++)
        Prepare(&Items[i], i < 19 ? &Items[i + 1].Done : NULL);
    for (int i = 0; i < 20; i++)
        ExQueueWorkItem(&Items[i].Work, DelayedWorkQueue);
    ExTestWait(&Items[0].Done);
}

static void QueueingAnItemTwiceIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    ITEM Item;
    LIST_ENTRY Somewhere;

    Prepare(&Item, NULL);
    Item.Work.List.Flink = &Somewhere; /* as if it waited in a queue */
    VF_EXPECT_BUGCHECK (&Record) {
        ExQueueWorkItem(&Item.Work, DelayedWorkQueue);
    }
    assert_int_equal(Record.Code, WORKER_INVALID);
    assert_int_equal(Record.Parameters[0], 1);
    assert_int_equal(Record.Parameters[1], (ULONG_PTR)&Item.Work);
}

static ULONG Allocated, Freed;

static PVOID NTAPI CountAllocate(POOL_TYPE Type, SIZE_T Bytes, ULONG Tag)
{
    Allocated++;
    return ExAllocatePoolWithTag(Type, Bytes, Tag);
}

static VOID NTAPI CountFree(PVOID Buffer)
{
    Freed++;
    ExFreePool(Buffer);
}

static void ALookasideListGivesBackWhatWasFreed(void **Unused)
{
    static NPAGED_LOOKASIDE_LIST List;
    PVOID First, Second;
    ULONG Kind;

    Allocated = Freed = 0;
    ExInitializeNPagedLookasideList(&List, CountAllocate, CountFree, 0, 100, 'tseT', 0);
    assert_true(ExFindObjectInRange(&List, sizeof(List), &Kind, &First));
    assert_int_equal(Kind, 0xCC);
    First = ExAllocateFromNPagedLookasideList(&List);
    ExFreeToNPagedLookasideList(&List, First);
    Second = ExAllocateFromNPagedLookasideList(&List);
    assert_ptr_equal(First, Second);
    assert_int_equal(Allocated, 1);
    ExFreeToNPagedLookasideList(&List, Second);
    ExDeleteNPagedLookasideList(&List);
    assert_int_equal(Freed, 1);
}

static void APagedLookasideListUsesThePoolByDefault(void **Unused)
{
    static PAGED_LOOKASIDE_LIST List;
    PVOID Blocks[100];

    ExInitializePagedLookasideList(&List, NULL, NULL, 0, 100, 'tseT', 0);
    for (int i = 0; i < 100; i++)
        assert_non_null(Blocks[i] = ExAllocateFromPagedLookasideList(&List));
    for (int i = 0; i < 100; i++)
        ExFreeToPagedLookasideList(&List, Blocks[i]);
    ExDeletePagedLookasideList(&List);
}

static void AnExtendedListChecksItsParameters(void **Unused)
{
    static LOOKASIDE_LIST_EX List;
    PVOID Block;

    assert_status(ExInitializeLookasideListEx(&List, NULL, NULL, (POOL_TYPE)7, 0, 64, 'tseT', 0),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(ExInitializeLookasideListEx(&List, NULL, NULL, NonPagedPool, 3, 64, 'tseT', 0),
                  STATUS_INVALID_PARAMETER_5);
    assert_status(ExInitializeLookasideListEx(&List, NULL, NULL, NonPagedPool, 8, 64, 'tseT', 0),
                  STATUS_INVALID_PARAMETER_5);
    assert_success(ExInitializeLookasideListEx(&List, NULL, NULL, NonPagedPool, 0, 64, 'tseT', 0));
    Block = ExAllocateFromLookasideListEx(&List);
    ExFreeToLookasideListEx(&List, Block);
    ExFlushLookasideListEx(&List);
    assert_int_equal(ExQueryDepthSList(&List.L.ListHead), 0);
    ExDeleteLookasideListEx(&List);
}

static void LocalTimeAndSystemTimeAreInverse(void **Unused)
{
    LARGE_INTEGER System = {.QuadPart = 133000000000000000}, Local, Back;

    ExSystemTimeToLocalTime(&System, &Local);
    ExLocalTimeToSystemTime(&Local, &Back);
    assert_int_equal(Back.QuadPart, System.QuadPart);
    assert_int_equal(System.QuadPart - Local.QuadPart,
                     -(LONG64)host_utc_offset(host_wall_clock()) * 10000000);
}

static void TheClockIsAsFineAsItGets(void **Unused)
{
    VF_BUGCHECK Refused;
    KIRQL Old;

    assert_int_equal(ExSetTimerResolution(10000, TRUE), KeQueryTimeIncrement());
    assert_int_equal(ExSetTimerResolution(0, FALSE), KeQueryTimeIncrement());
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    VF_EXPECT_BUGCHECK (&Refused)
        ExSetTimerResolution(0, FALSE);
    KeLowerIrql(Old);
    assert_int_equal(Refused.Code, IRQL_NOT_LESS_OR_EQUAL);
}

static void IdentifiersDifferAndAreOfVersion4(void **Unused)
{
    UUID First, Second;

    assert_success(ExUuidCreate(&First));
    assert_success(ExUuidCreate(&Second));
    assert_memory_not_equal(&First, &Second, sizeof(First));
    assert_int_equal(First.Data3 >> 12, 4);
}

/* AddressSanitizer keeps freed blocks of Linux's heap, up to 256 MiB: less growth than that tells
 * nothing. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define GROWTH_LIMIT ((SIZE_T)256 << 20)
#endif
#endif
#ifndef GROWTH_LIMIT
#define GROWTH_LIMIT ((SIZE_T)8 << 20)
#endif

static void TheRoomStartsAndStopsAThousandTimes(void **Unused)
{
    SIZE_T Before = 0;

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ExTestStop(NULL), 0);
        assert_int_equal(ExTestBoot(NULL), 0);
        if (i == 500)
            Before = host_resident_bytes();
    }
    assert_true(host_resident_bytes() < Before + GROWTH_LIMIT);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        EX_TEST(AWorkItemRunsOnceOnEachQueue),
        EX_TEST(AWorkItemCanBeQueuedAtDispatchLevel),
        EX_TEST(ItemsThatWaitForLaterItemsDoNotHang),
        EX_TEST(QueueingAnItemTwiceIsABugCheck),
        EX_TEST(ALookasideListGivesBackWhatWasFreed),
        EX_TEST(APagedLookasideListUsesThePoolByDefault),
        EX_TEST(AnExtendedListChecksItsParameters),
        EX_TEST(LocalTimeAndSystemTimeAreInverse),
        EX_TEST(TheClockIsAsFineAsItGets),
        EX_TEST(IdentifiersDifferAndAreOfVersion4),
        EX_TEST(TheRoomStartsAndStopsAThousandTimes),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
