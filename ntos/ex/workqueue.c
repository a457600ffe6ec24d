/*
 * Work items: three queues and the threads that serve them.
 *
 * A queue is a KQUEUE, so a worker that blocks inside an item lets another one run. Each queue
 * keeps at least one idle worker while items wait: whoever finds none (at insertion, or after
 * taking an item) wakes the balancer, which starts one more, up to a limit. So an item that waits
 * for another item does not hang.
 */
#include "ex/exp.h"

#define EXP_WORKERS_MAX 64

typedef NTSTATUS EXP_START_THREAD(void (*Routine)(void *), void *Context, struct _KTHREAD **Thread);

typedef struct EXP_QUEUE {
    KQUEUE Queue;
    WORK_QUEUE_ITEM Sentinel[EXP_WORKERS_MAX]; /* one ends one worker */
    struct _KTHREAD
        *Threads[EXP_WORKERS_MAX]; /* the balancer's, and before and after its life the starter's */
    ULONG ThreadCount;
    atomic_long Idle, Pending;
    KPRIORITY Priority;
} EXP_QUEUE;

enum { ExpCritical, ExpDelayed, ExpHyperCritical, ExpQueueCount };

static struct {
    EXP_QUEUE Queues[ExpQueueCount];
    EXP_START_THREAD *StartThread;
    struct _KTHREAD *Balancer;
    KEVENT Starved;
    atomic_bool Stopping, Running;
} ExpWork;

static VOID ExpRunItem(PWORK_QUEUE_ITEM Item)
{
    PWORKER_THREAD_ROUTINE Routine = Item->WorkerRoutine;
    PVOID Parameter = Item->Parameter;

    __atomic_store_n(&Item->List.Flink, NULL,
                     __ATOMIC_RELEASE); /* the routine may free or queue it again */
    NT_CALL(Routine, Parameter);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        VfBugCheck(WORKER_THREAD_RETURNED_AT_BAD_IRQL, (ULONG_PTR)Routine, KeGetCurrentIrql(),
                   (ULONG_PTR)Item, (ULONG_PTR)Item,
                   "a work item's routine returned above PASSIVE_LEVEL");
    if (KiSelf != NULL && KeAreApcsDisabled())
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG_PTR)Routine, (ULONG_PTR)Item, (ULONG_PTR)Parameter,
                   0, "a work item's routine returned inside a critical region");
}

static VOID ExpCallBalancer(EXP_QUEUE *Queue)
{
    if (atomic_load(&Queue->Idle) == 0 && atomic_load(&Queue->Pending) > 0 &&
        atomic_load(&ExpWork.Running))
        KeSetEvent(&ExpWork.Starved, IO_NO_INCREMENT, FALSE);
}

static void ExpWorker(void *Context)
{
    EXP_QUEUE *Queue = Context;
    PWORK_QUEUE_ITEM Item;

    KeSetPriorityThread((PKTHREAD)KiSelf, Queue->Priority);
    for (;;) {
        atomic_fetch_add(&Queue->Idle, 1);
        Item = CONTAINING_RECORD(KeRemoveQueue(&Queue->Queue, KernelMode, NULL), WORK_QUEUE_ITEM,
                                 List);
        atomic_fetch_sub(&Queue->Idle, 1);
        if (Item >= Queue->Sentinel && Item < Queue->Sentinel + EXP_WORKERS_MAX)
            return;
        atomic_fetch_sub(&Queue->Pending, 1);
        ExpCallBalancer(Queue);
        ExpRunItem(Item);
    }
}

static NTSTATUS ExpStartWorker(EXP_QUEUE *Queue)
{
    NTSTATUS Status;

    if (Queue->ThreadCount == EXP_WORKERS_MAX)
        return STATUS_TOO_MANY_THREADS;
    Status = ExpWork.StartThread(ExpWorker, Queue, &Queue->Threads[Queue->ThreadCount]);
    if (NT_SUCCESS(Status))
        Queue->ThreadCount++;
    return Status;
}

static void ExpBalancer(void *Context)
{
    ULONG Index;

    for (;;) {
        KeWaitForSingleObject(&ExpWork.Starved, Executive, KernelMode, FALSE, NULL);
        if (atomic_load(&ExpWork.Stopping))
            return;
        for (Index = 0; Index < ExpQueueCount; Index++)
            if (atomic_load(&ExpWork.Queues[Index].Idle) == 0 &&
                atomic_load(&ExpWork.Queues[Index].Pending) > 0)
                ExpStartWorker(&ExpWork.Queues[Index]);
    }
}

VOID ExpInitializeWorkQueues(VOID)
{
    static const KPRIORITY Priorities[ExpQueueCount] = {13, 12, 15};
    ULONG Index;

    RtlZeroMemory(&ExpWork, sizeof(ExpWork));
    KeInitializeEvent(&ExpWork.Starved, SynchronizationEvent, FALSE);
    for (Index = 0; Index < ExpQueueCount; Index++) {
        KeInitializeQueue(&ExpWork.Queues[Index].Queue, 0);
        ExpWork.Queues[Index].Priority = Priorities[Index];
    }
}

/* Without workers (before ps, after it) items run here, on the caller's thread. */
VOID ExpShutdownWorkQueues(VOID)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    BOOLEAN Found = TRUE;
    PLIST_ENTRY Entry;
    ULONG Index;

    while (Found) {
        Found = FALSE;
        for (Index = 0; Index < ExpQueueCount; Index++) {
            while (atomic_load(&ExpWork.Queues[Index].Pending) > 0) {
                Entry = KeRemoveQueue(&ExpWork.Queues[Index].Queue, KernelMode, &Now);
                NT_ASSERT((NTSTATUS)(ULONG_PTR)Entry != STATUS_TIMEOUT);
                atomic_fetch_sub(&ExpWork.Queues[Index].Pending, 1);
                ExpRunItem(CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List));
                Found = TRUE;
            }
        }
    }
    for (Index = 0; Index < ExpQueueCount; Index++)
        KeRundownQueue(&ExpWork.Queues[Index].Queue);
}

NTSTATUS ExStartWorkers(EXP_START_THREAD *StartThread)
{
    NTSTATUS Status;
    ULONG Index;

    ExpWork.StartThread = StartThread;
    atomic_store(&ExpWork.Stopping, FALSE);
    for (Index = 0; Index < ExpQueueCount; Index++) {
        Status = ExpStartWorker(&ExpWork.Queues[Index]);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Status = StartThread(ExpBalancer, NULL, &ExpWork.Balancer);
    if (NT_SUCCESS(Status))
        atomic_store(&ExpWork.Running, TRUE);
    for (Index = 0; Index < ExpQueueCount; Index++)
        ExpCallBalancer(&ExpWork.Queues[Index]);
    return Status;
}

static VOID ExpStopQueue(EXP_QUEUE *Queue, void (*JoinThread)(struct _KTHREAD *))
{
    ULONG Index;

    for (Index = 0; Index < Queue->ThreadCount; Index++)
        KeInsertQueue(&Queue->Queue, &Queue->Sentinel[Index].List);
    for (Index = 0; Index < Queue->ThreadCount; Index++)
        JoinThread(Queue->Threads[Index]);
    Queue->ThreadCount = 0;
}

/* Items queued before the call are run to the end. */
void ExStopWorkers(void (*JoinThread)(struct _KTHREAD *Thread))
{
    ULONG Index;

    atomic_store(&ExpWork.Running, FALSE);
    atomic_store(&ExpWork.Stopping, TRUE);
    if (ExpWork.Balancer != NULL) {
        KeSetEvent(&ExpWork.Starved, IO_NO_INCREMENT, FALSE);
        JoinThread(ExpWork.Balancer);
        ExpWork.Balancer = NULL;
    }
    for (Index = 0; Index < ExpQueueCount; Index++)
        ExpStopQueue(&ExpWork.Queues[Index], JoinThread);
}

static EXP_QUEUE *ExpQueueOf(WORK_QUEUE_TYPE Type)
{
    switch (Type) {
    case HyperCriticalWorkQueue:
    case SuperCriticalWorkQueue:
    case RealTimeWorkQueue:
        return &ExpWork.Queues[ExpHyperCritical];
    case CriticalWorkQueue:
        return &ExpWork.Queues[ExpCritical];
    default:
        return &ExpWork.Queues[ExpDelayed];
    }
}

/* The item's routine runs once, at PASSIVE_LEVEL, in the System process; the item belongs to the
 * system until then. An item that waits already: bug check 0xE4/1. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-exqueueworkitem */
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    EXP_QUEUE *Queue = ExpQueueOf(QueueType);
    PLIST_ENTRY None = NULL;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!__atomic_compare_exchange_n(&WorkItem->List.Flink, &None, &WorkItem->List, FALSE,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        VfBugCheck(WORKER_INVALID, 1, (ULONG_PTR)WorkItem, (ULONG_PTR)WorkItem->WorkerRoutine,
                   (ULONG_PTR)Queue, "a work item is queued that waits already");
    atomic_fetch_add(&Queue->Pending, 1);
    KeInsertQueue(&Queue->Queue, &WorkItem->List);
    MmNoteObject(WorkItem); /* which may be free again: only its page's flag is touched */
    ExpCallBalancer(Queue);
}

typedef struct EXP_RANGE {
    ULONG_PTR Low, Bytes;
} EXP_RANGE;

static BOOLEAN ExpItemLiesIn(PLIST_ENTRY Entry, void *Context)
{
    WORK_QUEUE_ITEM *Item = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
    EXP_RANGE *Range = Context;

    return (ULONG_PTR)Item - Range->Low < Range->Bytes ||
           (ULONG_PTR)Item->WorkerRoutine - Range->Low < Range->Bytes;
}

PVOID ExFindWorkInRange(const void *Base, SIZE_T Bytes)
{
    EXP_RANGE Range = {(ULONG_PTR)Base, Bytes};
    PLIST_ENTRY Entry = NULL;

    for (ULONG Index = 0; Index < ExpQueueCount && !Entry; Index++)
        if (atomic_load(&ExpWork.Queues[Index].Pending))
            Entry = KeFindInQueue(&ExpWork.Queues[Index].Queue, ExpItemLiesIn, &Range);
    return Entry ? CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List) : NULL;
}
