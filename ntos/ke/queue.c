/*
 * Queues of work with a limit on the threads that run at a time.
 *
 * CurrentCount counts the threads of the queue that are neither waiting for an entry nor blocked
 * elsewhere. An entry goes to the thread that waited last (its stack is warm), and only while
 * CurrentCount is below MaximumCount; a worker that blocks lets another one in.
 */
#include "ke/ki.h"

/* Any IRQL. Count 0: as many as there are processors. Doc: ntifs/nf-ntifs-keinitializequeue */
VOID NTAPI KeInitializeQueue(PRKQUEUE Queue, ULONG Count)
{
    KiInitializeHeader(&Queue->Header, KiQueue, sizeof(*Queue), 0);
    InitializeListHead(&Queue->EntryListHead);
    InitializeListHead(&Queue->ThreadListHead);
    Queue->CurrentCount = 0;
    Queue->MaximumCount = Count ? Count : KiState.Count;
}

/* The number of entries. Doc: ntifs/nf-ntifs-kereadstatequeue */
LONG NTAPI KeReadStateQueue(PRKQUEUE Queue)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiReadState(&Queue->Header);
}

static PLIST_ENTRY KiTakeEntry(PRKQUEUE Queue)
{
    PLIST_ENTRY Entry = RemoveHeadList(&Queue->EntryListHead);

    KiSetState(&Queue->Header, Queue->Header.SignalState - 1);
    Entry->Flink = NULL;
    return Entry;
}

/* Gives waiting entries to waiting threads as far as the limit allows. */
static void KiFeedQueue(PRKQUEUE Queue, KI_WAKES *Wakes)
{
    while (!IsListEmpty(&Queue->EntryListHead) && !IsListEmpty(&Queue->Header.WaitListHead) &&
           Queue->CurrentCount < Queue->MaximumCount) {
        KWAIT_BLOCK *Block =
            CONTAINING_RECORD(Queue->Header.WaitListHead.Blink, KWAIT_BLOCK, WaitListEntry);

        KiUnwait(Block->Thread, (LONG_PTR)KiTakeEntry(Queue), Wakes);
    }
}

void KiQueueThreadBlocks(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    if (!Thread->Queue)
        return;
    Thread->Queue->CurrentCount--;
    KiFeedQueue(Thread->Queue, Wakes);
}

void KiQueueThreadRuns(KTHREAD_NT *Thread)
{
    if (Thread->Queue)
        Thread->Queue->CurrentCount++;
}

void KiLeaveQueue(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    if (!Thread->Queue)
        return;
    RemoveEntryList(&Thread->QueueListEntry);
    KiQueueThreadBlocks(Thread, Wakes);
    Thread->Queue = NULL;
}

PLIST_ENTRY KeFindInQueue(PRKQUEUE Queue, BOOLEAN (*Match)(PLIST_ENTRY Entry, void *Context),
                          void *Context)
{
    PLIST_ENTRY Entry;

    KiLockDispatcher();
    for (Entry = Queue->EntryListHead.Flink;
         Entry != &Queue->EntryListHead && !Match(Entry, Context); Entry = Entry->Flink)
        ;
    KiUnlockDispatcher();
    return Entry == &Queue->EntryListHead ? NULL : Entry;
}

static LONG KiInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry, BOOLEAN Head)
{
    KI_WAKES Wakes = {NULL, NULL};
    LONG Before;

    KiLockDispatcher();
    Before = Queue->Header.SignalState;
    KiSetState(&Queue->Header, Before + 1);
    if (Head)
        InsertHeadList(&Queue->EntryListHead, Entry);
    else
        InsertTailList(&Queue->EntryListHead, Entry);
    KiFeedQueue(Queue, &Wakes);
    KiUnlockAndWake(&Wakes);
    return Before;
}

/* IRQL <= DISPATCH_LEVEL. The entry is the queue's until it is removed. The number of entries
 * before. Doc: ntifs/nf-ntifs-keinsertqueue */
LONG NTAPI KeInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiInsertQueue(Queue, Entry, FALSE);
}

/* As KeInsertQueue, at the head. Doc: ntifs/nf-ntifs-keinsertheadqueue */
LONG NTAPI KeInsertHeadQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiInsertQueue(Queue, Entry, TRUE);
}

/* The calling thread becomes one of the queue's; until it has an entry it does not count. */
static void KiJoinQueue(PRKQUEUE Queue, KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    if (Thread->Queue == Queue) {
        Queue->CurrentCount--;
        return;
    }
    KiLeaveQueue(Thread, Wakes);
    Thread->Queue = Queue;
    InsertTailList(&Queue->ThreadListHead, &Thread->QueueListEntry);
}

static void KiBlockOnQueue(PRKQUEUE Queue, KTHREAD_NT *Thread, KPROCESSOR_MODE Mode)
{
    KWAIT_BLOCK *Block = &Thread->WaitBlock[0];

    Block->Thread = Thread;
    Block->Object = Queue;
    Block->WaitKey = 0;
    Block->WaitType = WaitAny;
    Block->NextWaitBlock = Block;
    InsertTailList(&Queue->Header.WaitListHead, &Block->WaitListEntry);
    Thread->WaitBlockList = Thread->WaitBlock;
    Thread->WaitCount = 1;
    KiQueuedBlocks(Thread);
    Thread->WaitMode = Mode;
    Thread->WaitAlertable = FALSE;
    __atomic_store_n(&Thread->WaitReason, WrQueue, __ATOMIC_RELAXED);
    KiBlock(Thread);
}

/* Under the lock, with the thread not counted: an entry, a status, or STATUS_PENDING if the thread
 * must wait. */
static LONG_PTR KiTryQueue(PRKQUEUE Queue, KTHREAD_NT *Thread, KPROCESSOR_MODE Mode, BOOLEAN NoWait)
{
    NTSTATUS Status;

    if (!IsListEmpty(&Queue->EntryListHead) && Queue->CurrentCount < Queue->MaximumCount)
        return (LONG_PTR)KiTakeEntry(Queue);
    if (Queue->Header.Abandoned)
        return STATUS_ABANDONED;
    if (KiApcDeliverable(Thread))
        return STATUS_KERNEL_APC;
    Status = KiTestAlert(Thread, Mode, FALSE);
    if (Status != STATUS_SUCCESS)
        return Status;
    return NoWait ? STATUS_TIMEOUT : STATUS_PENDING;
}

static LONG_PTR KiRemoveQueueOnce(PRKQUEUE Queue, KPROCESSOR_MODE Mode, BOOLEAN NoWait,
                                  ULONG64 Deadline)
{
    KTHREAD_NT *Thread = KiSelf;
    KI_WAKES Wakes = {NULL, NULL};
    LONG_PTR Result;

    KiLockDispatcher();
    KiJoinQueue(Queue, Thread, &Wakes);
    Result = KiTryQueue(Queue, Thread, Mode, NoWait);
    if (Result == STATUS_PENDING) {
        KiBlockOnQueue(Queue, Thread, Mode);
        KiUnlockAndWake(&Wakes);
        return KiSleep(Thread, Deadline);
    }
    KiQueueThreadRuns(Thread);
    KiUnlockAndWake(&Wakes);
    return Result;
}

/* IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a time-out of zero. An entry, or STATUS_TIMEOUT,
 * STATUS_USER_APC, STATUS_ABANDONED (run down) in place of the pointer. Doc:
 * ntifs/nf-ntifs-keremovequeue */
PLIST_ENTRY NTAPI KeRemoveQueue(PRKQUEUE Queue, KPROCESSOR_MODE WaitMode, PLARGE_INTEGER Timeout)
{
    BOOLEAN NoWait = Timeout && Timeout->QuadPart == 0;
    ULONG64 Deadline;
    LONG_PTR Result;

    KiEndWaitNext();
    KiCheckWaitIrql(Queue, Timeout);
    Deadline = NoWait ? 0 : KiDeadline(Timeout);
    while ((Result = KiRemoveQueueOnce(Queue, WaitMode, NoWait, Deadline)) == STATUS_KERNEL_APC)
        KeDeliverKernelApcs();
    return (PLIST_ENTRY)Result;
}

static PLIST_ENTRY KiDetachEntries(PRKQUEUE Queue)
{
    PLIST_ENTRY First = Queue->EntryListHead.Flink;

    if (First == &Queue->EntryListHead)
        return NULL;
    RemoveEntryList(&Queue->EntryListHead);
    InitializeListHead(&Queue->EntryListHead);
    KiSetState(&Queue->Header, 0);
    return First;
}

/* IRQL <= DISPATCH_LEVEL. Ends the queue: waiting threads get STATUS_ABANDONED. The first of the
 * remaining entries, which form a ring without a head; NULL: there are none. Doc:
 * ntifs/nf-ntifs-kerundownqueue */
PLIST_ENTRY NTAPI KeRundownQueue(PRKQUEUE Queue)
{
    KI_WAKES Wakes = {NULL, NULL};
    PLIST_ENTRY First;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KiLockDispatcher();
    Queue->Header.Abandoned = TRUE;
    First = KiDetachEntries(Queue);
    while (!IsListEmpty(&Queue->Header.WaitListHead)) {
        KWAIT_BLOCK *Block =
            CONTAINING_RECORD(Queue->Header.WaitListHead.Flink, KWAIT_BLOCK, WaitListEntry);

        KiUnwait(Block->Thread, STATUS_ABANDONED, &Wakes);
    }
    while (!IsListEmpty(&Queue->ThreadListHead)) {
        KTHREAD_NT *Thread =
            CONTAINING_RECORD(Queue->ThreadListHead.Flink, KTHREAD_NT, QueueListEntry);

        KiLeaveQueue(Thread, &Wakes);
    }
    KiUnlockAndWake(&Wakes);
    return First;
}
