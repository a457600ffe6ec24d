/*
 * Waits.
 *
 * A thread that must wait queues one wait block to each object, marks itself waiting, and parks
 * until someone ends its wait: a signaller that satisfied it, an APC, an alert, termination, or its
 * own deadline. Whoever ends a wait removes all its blocks under the dispatcher lock, so it ends
 * exactly once. WaitAll is satisfied in one step, when every object allows it, and takes nothing
 * before.
 */
#include "ke/ki.h"

/* Added to the status of a wait that took an abandoned mutex. */
#define KI_ABANDONED (STATUS_ABANDONED_WAIT_0 - STATUS_WAIT_0)
#define KI_NOT_SATISFIED ((NTSTATUS)-1)
#define KI_MUTANT_SPINS 40 /* about a microsecond */

typedef struct KI_WAIT {
    ULONG Count;
    PVOID *Objects;
    BOOLEAN All;
    KPROCESSOR_MODE Mode;
    BOOLEAN Alertable;
    KWAIT_REASON Reason;
    BOOLEAN NoWait; /* the time-out is zero */
    ULONG64 Deadline;
    KWAIT_BLOCK *Blocks;
} KI_WAIT;

static BOOLEAN KiIsSignalled(DISPATCHER_HEADER *Header, KTHREAD_NT *Thread)
{
    return Header->SignalState > 0 ||
           (Header->Type == KiMutant && ((KMUTANT *)Header)->OwnerThread == Thread);
}

/* What a satisfied wait does to the object. TRUE: it was an abandoned mutex. */
static BOOLEAN KiTake(DISPATCHER_HEADER *Header, KTHREAD_NT *Thread)
{
    switch (Header->Type) {
    case KiSynchronizationEvent:
    case KiSynchronizationTimer:
    case KiGate:
        KiSetState(Header, 0);
        return FALSE;
    case KiSemaphore:
        KiSetState(Header, Header->SignalState - 1);
        return FALSE;
    case KiMutant:
        return KiTakeMutant((KMUTANT *)Header, Thread);
    default:
        return FALSE;
    }
}

static void KiAddWake(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    atomic_fetch_add_explicit(&Thread->Wakers, 1, memory_order_relaxed);
    Thread->WakeNext = Wakes->First;
    Wakes->First = Thread;
}

void KiNudge(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    NT_ASSERT(!Wakes->Running);
    atomic_fetch_add_explicit(&Thread->Wakers, 1, memory_order_relaxed);
    Wakes->Running = Thread;
}

static void KiWake(KTHREAD_NT *Thread)
{
    KiScheduler->Unpark(Thread);
    atomic_fetch_sub_explicit(&Thread->Wakers, 1, memory_order_release);
}

/* The order matters: once WaitReady is set the thread may run on and wait again; once Wakers is 0
 * it may be freed. */
static void KiWakeAll(KTHREAD_NT *First)
{
    KTHREAD_NT *Next;

    for (KTHREAD_NT *Thread = First; Thread; Thread = Next) {
        Next = Thread->WakeNext;
        __atomic_store_n(&Thread->WaitReady, TRUE, __ATOMIC_RELEASE);
        KiWake(Thread);
    }
}

static void KiHoldAll(KTHREAD_NT *First)
{
    KTHREAD_NT *Last = First;

    while (Last->WakeNext)
        Last = Last->WakeNext;
    Last->WakeNext = KiSelf->HeldWakes;
    KiSelf->HeldWakes = First;
}

void KiWakeHeld(KTHREAD_NT *Thread)
{
    KTHREAD_NT *First = Thread->HeldWakes;

    Thread->HeldWakes = NULL;
    KiWakeAll(First);
}

void KeHoldWakes(void)
{
    KiSelf->HoldsWakes = TRUE;
}

void KeReleaseWakes(void)
{
    KiSelf->HoldsWakes = FALSE;
    KiWakeHeld(KiSelf);
}

void KiUnlockAndWake(KI_WAKES *Wakes)
{
    KiUnlockDispatcher();
    if (Wakes->First && KiSelf && KiSelf->HoldsWakes)
        KiHoldAll(Wakes->First);
    else
        KiWakeAll(Wakes->First);
    if (Wakes->Running)
        KiWake(Wakes->Running);
}

void KiQueuedBlocks(KTHREAD_NT *Thread)
{
    if (Thread->WaitCount)
        InsertTailList(&KiState.Waiting, &Thread->WaitingLinks);
    for (ULONG i = 0; i < Thread->WaitCount && KeNoteObject; i++)
        KeNoteObject(Thread->WaitBlockList[i].Object);
}

/* Any IRQL. Whether an object lies in the block for which a thread waits. */
BOOLEAN KeFindWaitInRange(const void *Base, SIZE_T Bytes, PVOID *Object)
{
    *Object = NULL;
    KiLockDispatcher();
    for (LIST_ENTRY *Entry = KiState.Waiting.Flink; Entry != &KiState.Waiting && !*Object;
         Entry = Entry->Flink) {
        KTHREAD_NT *Thread = CONTAINING_RECORD(Entry, KTHREAD_NT, WaitingLinks);

        for (ULONG i = 0; i < Thread->WaitCount; i++)
            if ((ULONG_PTR)Thread->WaitBlockList[i].Object - (ULONG_PTR)Base < Bytes)
                *Object = Thread->WaitBlockList[i].Object;
    }
    KiUnlockDispatcher();
    return *Object != NULL;
}

static void KiRemoveWaitBlocks(KTHREAD_NT *Thread)
{
    if (Thread->WaitCount)
        RemoveEntryList(&Thread->WaitingLinks);
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        RemoveEntryList(&Thread->WaitBlockList[i].WaitListEntry);
    Thread->WaitCount = 0;
}

void KiUnwait(KTHREAD_NT *Thread, LONG_PTR Status, KI_WAKES *Wakes)
{
    KiRemoveWaitBlocks(Thread);
    Thread->WaitStatus = Status;
    KiSetThreadState(Thread, KiThreadRunning);
    KiQueueThreadRuns(Thread);
    KiAddWake(Thread, Wakes);
}

static BOOLEAN KiAllSignalled(KTHREAD_NT *Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        if (!KiIsSignalled(Thread->WaitBlockList[i].Object, Thread))
            return FALSE;
    return TRUE;
}

static NTSTATUS KiTakeAll(KTHREAD_NT *Thread)
{
    BOOLEAN Abandoned = FALSE;

    for (ULONG i = 0; i < Thread->WaitCount; i++)
        Abandoned |= KiTake(Thread->WaitBlockList[i].Object, Thread);
    return STATUS_WAIT_0 + (Abandoned ? KI_ABANDONED : 0);
}

/* Satisfies the wait of Block's thread if it can be. */
static BOOLEAN KiTrySatisfy(KWAIT_BLOCK *Block, KI_WAKES *Wakes)
{
    KTHREAD_NT *Thread = Block->Thread;
    NTSTATUS Status;

    if (Block->WaitType == WaitAny)
        Status = Block->WaitKey + (KiTake(Block->Object, Thread) ? KI_ABANDONED : 0);
    else if (KiAllSignalled(Thread))
        Status = KiTakeAll(Thread);
    else
        return FALSE;
    KiUnwait(Thread, Status, Wakes);
    return TRUE;
}

void KiSignal(DISPATCHER_HEADER *Header, KI_WAKES *Wakes)
{
    LIST_ENTRY *Entry = Header->WaitListHead.Flink;

    while (Header->SignalState > 0 && Entry != &Header->WaitListHead) {
        KWAIT_BLOCK *Block = CONTAINING_RECORD(Entry, KWAIT_BLOCK, WaitListEntry);

        /* A satisfied thread takes all its blocks out, perhaps the next one too: begin again. */
        Entry = KiTrySatisfy(Block, Wakes) ? Header->WaitListHead.Flink : Entry->Flink;
    }
}

static BOOLEAN KiTakeAlert(KTHREAD_NT *Thread, KPROCESSOR_MODE Mode)
{
    BOOLEAN Alerted = Thread->Alerted[(int)Mode];

    Thread->Alerted[(int)Mode] = FALSE;
    return Alerted;
}

NTSTATUS KiTestAlert(KTHREAD_NT *Thread, KPROCESSOR_MODE Mode, BOOLEAN Alertable)
{
    if (__atomic_load_n(&Thread->Terminating, __ATOMIC_ACQUIRE) && (Alertable || Mode == UserMode))
        return STATUS_THREAD_IS_TERMINATING;
    if (!Alertable)
        return Mode == UserMode && Thread->ApcState.UserApcPending ? STATUS_USER_APC
                                                                   : STATUS_SUCCESS;
    if (KiTakeAlert(Thread, Mode))
        return STATUS_ALERTED;
    if (Mode == UserMode && !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode])) {
        Thread->ApcState.UserApcPending = TRUE;
        return STATUS_USER_APC;
    }
    return KiTakeAlert(Thread, KernelMode) ? STATUS_ALERTED : STATUS_SUCCESS;
}

ULONG64 KiDeadline(PLARGE_INTEGER Timeout)
{
    LONGLONG Due, Now;

    if (!Timeout)
        return KI_FOREVER;
    Now = (LONGLONG)KiNow();
    if (Timeout->QuadPart <= 0) /* relative; the smallest number is as good as for ever */
        return __builtin_sub_overflow(Now, Timeout->QuadPart, &Due) ? KI_FOREVER : (ULONG64)Due;
    Due = Timeout->QuadPart - (LONGLONG)KiScheduler->SystemTime();
    if (Due <= 0)
        return (ULONG64)Now;
    return __builtin_add_overflow(Now, Due, &Due) ? KI_FOREVER : (ULONG64)Due;
}

void KiBlock(KTHREAD_NT *Thread)
{
    Thread->WaitStatus = STATUS_SUCCESS;
    KiSetThreadState(Thread, KiThreadWaiting);
    __atomic_store_n(&Thread->WaitReady, FALSE, __ATOMIC_RELAXED);
}

/* The deadline has come: TRUE if nobody else ended the wait. */
static BOOLEAN KiTimeOut(KTHREAD_NT *Thread)
{
    BOOLEAN Ended;

    KiLockDispatcher();
    Ended = Thread->State == KiThreadWaiting;
    if (Ended) {
        KiRemoveWaitBlocks(Thread);
        KiSetThreadState(Thread, KiThreadRunning);
        Thread->WaitStatus = STATUS_TIMEOUT;
        KiQueueThreadRuns(Thread);
    }
    KiUnlockDispatcher();
    return Ended;
}

static void KiShowWait(KTHREAD_NT *Thread, uint32_t Waits)
{
    if (Thread->Waits)
        __atomic_store_n(Thread->Waits, Waits, __ATOMIC_RELAXED);
}

LONG_PTR KiSleep(KTHREAD_NT *Thread, ULONG64 Deadline)
{
    KiWakeHeld(Thread);
    VfTraceWaits();
    KiShowWait(Thread, 1);
    while (!__atomic_load_n(&Thread->WaitReady, __ATOMIC_ACQUIRE)) {
        KiScheduler->Park(Thread, Deadline);
        if (Deadline == KI_FOREVER || __atomic_load_n(&Thread->WaitReady, __ATOMIC_ACQUIRE) ||
            KiNow() < Deadline)
            continue;
        if (KiTimeOut(Thread))
            break;
        Deadline = KI_FOREVER; /* another thread ended the wait and is about to say so */
    }
    KiShowWait(Thread, 0);
    return Thread->WaitStatus;
}

/* Under the lock: takes the objects at once if the wait needs no waiting. */
static NTSTATUS KiTryObjects(KTHREAD_NT *Thread, KI_WAIT *Wait)
{
    BOOLEAN Abandoned = FALSE;

    if (!Wait->All || Wait->Count == 0) {
        for (ULONG i = 0; i < Wait->Count; i++)
            if (KiIsSignalled(Wait->Objects[i], Thread))
                return (NTSTATUS)i + (KiTake(Wait->Objects[i], Thread) ? KI_ABANDONED : 0);
        return KI_NOT_SATISFIED;
    }
    for (ULONG i = 0; i < Wait->Count; i++)
        if (!KiIsSignalled(Wait->Objects[i], Thread))
            return KI_NOT_SATISFIED;
    for (ULONG i = 0; i < Wait->Count; i++)
        Abandoned |= KiTake(Wait->Objects[i], Thread);
    return STATUS_WAIT_0 + (Abandoned ? KI_ABANDONED : 0);
}

static void KiQueueBlocks(KTHREAD_NT *Thread, KI_WAIT *Wait)
{
    for (ULONG i = 0; i < Wait->Count; i++) {
        KWAIT_BLOCK *Block = &Wait->Blocks[i];

        Block->Thread = Thread;
        Block->Object = Wait->Objects[i];
        Block->WaitKey = (USHORT)i;
        Block->WaitType = Wait->All ? WaitAll : WaitAny;
        Block->NextWaitBlock = &Wait->Blocks[(i + 1) % Wait->Count];
        InsertTailList(&((DISPATCHER_HEADER *)Wait->Objects[i])->WaitListHead,
                       &Block->WaitListEntry);
    }
    Thread->WaitBlockList = Wait->Blocks;
    Thread->WaitCount = Wait->Count;
    Thread->WaitMode = Wait->Mode;
    Thread->WaitAlertable = Wait->Alertable;
    __atomic_store_n(&Thread->WaitReason, Wait->Reason, __ATOMIC_RELAXED);
    KiQueuedBlocks(Thread);
}

static NTSTATUS KiReasonNotToWait(KTHREAD_NT *Thread, KI_WAIT *Wait)
{
    NTSTATUS Status;

    if (KiApcDeliverable(Thread))
        return STATUS_KERNEL_APC;
    Status = KiTestAlert(Thread, Wait->Mode, Wait->Alertable);
    if (Status != STATUS_SUCCESS)
        return Status;
    return Wait->NoWait ? STATUS_TIMEOUT : KI_NOT_SATISFIED;
}

/* Unlocks. STATUS_KERNEL_APC: deliver them and wait on. */
static NTSTATUS KiWaitOnce(KTHREAD_NT *Thread, KI_WAIT *Wait)
{
    KI_WAKES Wakes = {NULL, NULL};
    NTSTATUS Status;

    Status = KiTryObjects(Thread, Wait);
    if (Status == KI_NOT_SATISFIED)
        Status = KiReasonNotToWait(Thread, Wait);
    if (Status != KI_NOT_SATISFIED) {
        KiUnlockDispatcher();
        return Status;
    }
    KiQueueBlocks(Thread, Wait);
    KiBlock(Thread);
    KiQueueThreadBlocks(Thread, &Wakes);
    KiUnlockAndWake(&Wakes);
    return (NTSTATUS)KiSleep(Thread, Wait->Deadline);
}

/* A mutex is mostly held for less time than it takes to go to sleep; and who sleeps is handed the
 * mutex when it is free, so that all others have to wait until Linux has woken it. */
static void KiSpinForMutant(KTHREAD_NT *Thread, const KMUTANT *Mutant)
{
    for (ULONG Spins = 0; Spins < KI_MUTANT_SPINS && KiReadState(&Mutant->Header) <= 0 &&
                          __atomic_load_n(&Mutant->OwnerThread, __ATOMIC_RELAXED) != Thread;
         Spins++)
        KiScheduler->Relax(0);
}

static NTSTATUS KiWait(KI_WAIT *Wait)
{
    KTHREAD_NT *Thread = KiSelf;
    NTSTATUS Status;

    for (;;) {
        KiLockDispatcher();
        Status = KiWaitOnce(Thread, Wait);
        if (Status != STATUS_KERNEL_APC)
            return Status;
        KeDeliverKernelApcs();
    }
}

/* KeSetEvent(Wait = TRUE) keeps the processor until the wait that follows. */
void KiBeginWaitNext(void)
{
    KTHREAD_NT *Thread = KiSelf;

    Thread->WaitIrql = KfRaiseIrql(DISPATCH_LEVEL);
    Thread->WaitNext = TRUE;
}

void KiEndWaitNext(void)
{
    KTHREAD_NT *Thread = KiSelf;

    if (__builtin_expect(Thread->WaitNext, 0)) {
        Thread->WaitNext = FALSE;
        KeLowerIrql(Thread->WaitIrql);
    }
}

static __attribute__((noinline, noreturn)) void KiBadWaitIrql(PVOID Object, PLARGE_INTEGER Timeout)
{
    ULONG Rule = KiIrql() > DISPATCH_LEVEL ? 0x120 : Timeout ? 0x122 : 0x121;

    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Rule, (ULONG_PTR)&KiSelf->Irql,
               (ULONG_PTR)Object, (ULONG_PTR)Timeout, "a wait at IRQL %u%s", KiIrql(),
               Rule == 0x120 ? "" : " with a time-out other than zero");
}

void KiCheckWaitIrql(PVOID Object, PLARGE_INTEGER Timeout)
{
    KIRQL Irql = KiIrql();

    NT_ASSERT(KiSelf && "the calling thread is attached to the executive");
    if (__builtin_expect(Irql >= DISPATCH_LEVEL, 0) &&
        (Irql > DISPATCH_LEVEL || !Timeout || Timeout->QuadPart != 0))
        KiBadWaitIrql(Object, Timeout);
}

static void KiCheckObject(PVOID Object, KPROCESSOR_MODE Mode)
{
    DISPATCHER_HEADER *Header = Object;

    if (__builtin_expect(Header->Type >= KiObjectTypes || Header->Type == KiQueue, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1002, (ULONG_PTR)Object, 0, 0,
                   "a wait on %p, which is not an initialised dispatcher object", Object);
    if (__builtin_expect(
            Mode == UserMode && Object >= KiSelf->StackLimit && Object < KiSelf->StackBase, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x123, (ULONG_PTR)Object, 0, 0,
                   "a UserMode wait on %p, which lies on the kernel stack", Object);
}

static void KiCheckMutantLimit(PVOID Object)
{
    KMUTANT *Mutant = Object;

    if (Mutant->Header.Type == KiMutant && KiReadState(&Mutant->Header) == (LONG)MINLONG &&
        __atomic_load_n(&Mutant->OwnerThread, __ATOMIC_RELAXED) == KiSelf)
        ExRaiseStatus(STATUS_MUTANT_LIMIT_EXCEEDED);
}

/* IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a time-out of zero (else 0xC4/120 to 122).
 * STATUS_SUCCESS, _TIMEOUT, _ABANDONED (a mutex whose owner ended), _ALERTED, _USER_APC, or
 * STATUS_THREAD_IS_TERMINATING in a client thread that is being ended. Kernel APCs interrupt the
 * wait and resume it. Doc: wdm/nf-wdm-kewaitforsingleobject */
NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
                                     KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                     PLARGE_INTEGER Timeout)
{
    KI_WAIT Wait = {.Count = 1,
                    .Objects = &Object,
                    .Mode = WaitMode,
                    .Alertable = Alertable,
                    .Reason = WaitReason};

    NT_ASSERT(KiSelf && "the calling thread is attached to the executive");
    KiEndWaitNext();
    KiCheckWaitIrql(Object, Timeout);
    KiCheckObject(Object, WaitMode);
    KiCheckMutantLimit(Object);
    Wait.NoWait = Timeout && Timeout->QuadPart == 0;
    Wait.Deadline = Wait.NoWait ? 0 : KiDeadline(Timeout);
    Wait.Blocks = KiSelf->WaitBlock;
    if (((DISPATCHER_HEADER *)Object)->Type == KiMutant && !Wait.NoWait)
        KiSpinForMutant(KiSelf, Object);
    return KiWait(&Wait);
}

/* As KeWaitForSingleObject, for any or all of up to MAXIMUM_WAIT_OBJECTS; STATUS_WAIT_0 + index, or
 * STATUS_ABANDONED_WAIT_0 + index, for WaitAny. More than THREAD_WAIT_OBJECTS need the caller's
 * wait blocks: bug check 0x0C without. Doc: wdm/nf-wdm-kewaitformultipleobjects */
NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
                                        KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                                        BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                        PKWAIT_BLOCK WaitBlockArray)
{
    KI_WAIT Wait = {.Count = Count,
                    .Objects = Object,
                    .All = WaitType == WaitAll,
                    .Mode = WaitMode,
                    .Alertable = Alertable,
                    .Reason = WaitReason};

    NT_ASSERT(KiSelf && "the calling thread is attached to the executive");
    KiEndWaitNext();
    if (Count > MAXIMUM_WAIT_OBJECTS || (!WaitBlockArray && Count > THREAD_WAIT_OBJECTS))
        VfBugCheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0, 0, 0, 0, "a wait for %u objects%s", Count,
                   WaitBlockArray ? "" : " without wait blocks");
    KiCheckWaitIrql(Count ? Object[0] : NULL, Timeout);
    for (ULONG i = 0; i < Count; i++) {
        KiCheckObject(Object[i], WaitMode);
        KiCheckMutantLimit(Object[i]);
    }
    Wait.NoWait = Timeout && Timeout->QuadPart == 0;
    Wait.Deadline = Wait.NoWait ? 0 : KiDeadline(Timeout);
    Wait.Blocks = WaitBlockArray ? WaitBlockArray : KiSelf->WaitBlock;
    return KiWait(&Wait);
}

/* IRQL <= APC_LEVEL. STATUS_SUCCESS when the interval is over, or STATUS_ALERTED, STATUS_USER_APC,
 * STATUS_THREAD_IS_TERMINATING. Doc: wdm/nf-wdm-kedelayexecutionthread */
NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                      PLARGE_INTEGER Interval)
{
    KI_WAIT Wait = {.Mode = WaitMode, .Alertable = Alertable, .Reason = DelayExecution};
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    Wait.NoWait = Interval->QuadPart == 0;
    Wait.Deadline = Wait.NoWait ? 0 : KiDeadline(Interval);
    if (Wait.NoWait) {
        KiWakeHeld(KiSelf);
        KiScheduler->Relax(100); /* gives the CPU to another thread */
    }
    Status = KiWait(&Wait);
    return Status == STATUS_TIMEOUT ? STATUS_SUCCESS : Status;
}
