/* Queues of work. */
#include "ke_test.h"

typedef struct WORK {
    LIST_ENTRY Link;
    ULONG Done;
} WORK;

static KQUEUE Queue;

static void EntriesComeOutInOrder(void **Unused)
{
    WORK Work[3];

    KeInitializeQueue(&Queue, 0);
    assert_int_equal(KeInsertQueue(&Queue, &Work[1].Link), 0);
    assert_int_equal(KeInsertQueue(&Queue, &Work[2].Link), 1);
    assert_int_equal(KeInsertHeadQueue(&Queue, &Work[0].Link), 2);
    assert_int_equal(KeReadStateQueue(&Queue), 3);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(KeRemoveQueue(&Queue, KernelMode, NULL), &Work[i].Link);
    assert_ptr_equal(KeRemoveQueue(&Queue, KernelMode, &KeTestZero), STATUS_TIMEOUT);
    assert_null(KeRundownQueue(&Queue));
}

static void DoWork(void *Unused)
{
    PLIST_ENTRY Entry;

    while ((Entry = KeRemoveQueue(&Queue, KernelMode, NULL)) !=
           (PLIST_ENTRY)(LONG_PTR)STATUS_ABANDONED)
        CONTAINING_RECORD(Entry, WORK, Link)->Done++;
}

static void EachEntryIsDoneOnceAndRundownEndsTheWorkers(void **Unused)
{
    static KE_TEST_THREAD Threads[4];
    static WORK Work[1000];

    KeInitializeQueue(&Queue, 2);
    memset(Work, 0, sizeof(Work));
    for (int i = 0; i < 4; i++)
        KeTestThread(&Threads[i], DoWork, NULL);
    for (int i = 0; i < 1000; i++)
        KeInsertQueue(&Queue, &Work[i].Link);
    while (KeReadStateQueue(&Queue))
        KeDelayExecutionThread(KernelMode, FALSE, &KeTestZero);
    assert_null(KeRundownQueue(&Queue));
    for (int i = 0; i < 4; i++)
        KeTestJoin(&Threads[i]);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(Work[i].Done, 1);
}

static KEVENT Go;
static ULONG Started;

static void BlockInWork(void *Unused)
{
    PLIST_ENTRY Entry = KeRemoveQueue(&Queue, KernelMode, NULL);

    assert_ptr_not_equal(Entry, (PLIST_ENTRY)(LONG_PTR)STATUS_ABANDONED);
    __atomic_fetch_add(&Started, 1, __ATOMIC_RELAXED);
    KeTestWait(&Go);
}

/* With a limit of one, the second entry is only handed out because the first worker waits. */
static void AWorkerThatBlocksLetsAnotherOneIn(void **Unused)
{
    static KE_TEST_THREAD Threads[2];
    WORK Work[2];

    Started = 0;
    KeInitializeQueue(&Queue, 1);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    for (int i = 0; i < 2; i++) {
        KeInsertQueue(&Queue, &Work[i].Link);
        KeTestThread(&Threads[i], BlockInWork, NULL);
    }
    while (__atomic_load_n(&Started, __ATOMIC_RELAXED) < 2)
        KeDelayExecutionThread(KernelMode, FALSE, &KeTestZero);
    KeSetEvent(&Go, 0, FALSE);
    for (int i = 0; i < 2; i++)
        KeTestJoin(&Threads[i]);
    assert_int_equal(Queue.CurrentCount, 0);
    assert_true(IsListEmpty(&Queue.ThreadListHead));
}

static void RundownReturnsWhatWasNotDone(void **Unused)
{
    WORK Work[2];
    PLIST_ENTRY First;

    KeInitializeQueue(&Queue, 0);
    KeInsertQueue(&Queue, &Work[0].Link);
    KeInsertQueue(&Queue, &Work[1].Link);
    First = KeRundownQueue(&Queue);
    assert_ptr_equal(First, &Work[0].Link);
    assert_ptr_equal(First->Flink, &Work[1].Link);
    assert_ptr_equal(First->Flink->Flink, First);
    assert_int_equal(KeReadStateQueue(&Queue), 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(EntriesComeOutInOrder),
        KE_TEST(EachEntryIsDoneOnceAndRundownEndsTheWorkers),
        KE_TEST(AWorkerThatBlocksLetsAnotherOneIn),
        KE_TEST(RundownReturnsWhatWasNotDone),
    };
    return cmocka_run_group_tests_name("ke queue", Tests, NULL, NULL);
}
