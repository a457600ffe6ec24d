/*
 * Threads and processes as ke sees them: dispatcher objects, and the Linux threads behind them.
 */
#include "ke/ki.h"

#define KI_NORMAL_PRIORITY 8

void KeInitializeProcess(KPROCESS_NT *Process)
{
    memset(Process, 0, sizeof(*Process));
    KiInitializeHeader(&Process->Header, KiProcess, sizeof(*Process), 0);
    InitializeListHead(&Process->ThreadListHead);
}

void KeSetProcess_(KPROCESS_NT *Process)
{
    KI_WAKES Wakes = {NULL, NULL};

    KiLockDispatcher();
    KiSetState(&Process->Header, 1);
    KiSignal(&Process->Header, &Wakes);
    KiUnlockAndWake(&Wakes);
}

static void KiInitializePcr(KTHREAD_NT *Thread)
{
    KI_PCR *Pcr = &Thread->Pcr;

    Pcr->Pcr.Self = &Pcr->Pcr;
    Pcr->Pcr.Used_Self = Pcr;
    Pcr->Pcr.MajorVersion = PCR_MAJOR_VERSION;
    Pcr->Pcr.MinorVersion = PCR_MINOR_VERSION;
    Pcr->MxCsr = 0x1f80;
    Pcr->CurrentThread = Thread;
}

static KPRCB *KiNextHome(void)
{
    return &KiState
                .Prcbs[__atomic_fetch_add(&KiState.NextHome, 1, __ATOMIC_RELAXED) % KiState.Count];
}

void KeInitializeThread(struct _KTHREAD *Thread, KPROCESS_NT *Process,
                        void (*Entry)(struct _KTHREAD *))
{
    memset(Thread, 0, sizeof(*Thread));
    KiInitializeHeader(&Thread->Header, KiThread, sizeof(*Thread), 0);
    KiInitializeApcState(&Thread->ApcState, Process);
    KiInitializeApcState(&Thread->SavedApcState, NULL);
    InitializeListHead(&Thread->MutantListHead);
    InitializeListHead(&Thread->ThreadListEntry);
    InitializeListHead(&Thread->QueueListEntry);
    Thread->Entry = Entry;
    Thread->PreviousMode = KernelMode;
    Thread->ApcQueueable = TRUE;
    Thread->Priority = Thread->BasePriority = KI_NORMAL_PRIORITY;
    Thread->ServiceNumber = MAXULONG;
    Thread->Affinity = Thread->UserAffinity = KiState.Active;
    KiInitializePcr(Thread);
    KiMoveTo(Thread, KiNextHome());
}

static void KiJoinProcess(KTHREAD_NT *Thread)
{
    KiLockDispatcher();
    KiSetThreadState(Thread, KiThreadRunning);
    InsertTailList(&Thread->ApcState.Process->ThreadListHead, &Thread->ThreadListEntry);
    KiUnlockDispatcher();
}

static void KiLeaveProcess(KTHREAD_NT *Thread, UCHAR State)
{
    KI_WAKES Wakes = {NULL, NULL};

    KiLockDispatcher();
    KiAbandonMutants(Thread, &Wakes);
    KiLeaveQueue(Thread, &Wakes);
    RemoveEntryList(&Thread->ThreadListEntry);
    KiSetThreadState(Thread, State);
    KiSetState(&Thread->Header, 1);
    KiSignal(&Thread->Header, &Wakes);
    KiUnlockAndWake(&Wakes);
}

static void KiCheckHeldMutexes(KTHREAD_NT *Thread)
{
    LIST_ENTRY *Head = &Thread->MutantListHead;

    for (LIST_ENTRY *Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        KMUTANT *Mutant = CONTAINING_RECORD(Entry, KMUTANT, MutantListEntry);

        if (Mutant->ApcDisable)
            VfBugCheck(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)Thread, (ULONG_PTR)Mutant, 0, 0,
                       "a thread ends that holds mutex %p", (void *)Mutant);
    }
}

static void KiEndThread(KTHREAD_NT *Thread)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    KiCheckHeldMutexes(Thread);
    if (Thread->Attached)
        VfBugCheck(INVALID_PROCESS_DETACH_ATTEMPT, (ULONG_PTR)Thread->ApcState.Process, TRUE, 0, 0,
                   "a thread ends that is attached to another process");
    if (Thread->KernelApcDisable || Thread->SpecialApcDisable)
        VfBugCheck(KERNEL_APC_PENDING_DURING_EXIT, 0, (ULONG_PTR)Thread->KernelApcDisable,
                   Thread->Irql, 0, "a thread ends inside a critical or guarded region");
    KeRundownApcs(Thread);
    KiLeaveProcess(Thread, KiThreadTerminated);
}

static void KiThreadBody(struct _KTHREAD *Thread)
{
    if (sigsetjmp(Thread->ExitJump, 0) == 0) {
        Thread->Entry(Thread);
        KiEndThread(Thread);
    }
}

NTSTATUS KeStartThread(struct _KTHREAD *Thread)
{
    NTSTATUS Status;

    KiJoinProcess(Thread);
    Status = KiScheduler->Spawn(Thread, KiThreadBody);
    if (!NT_SUCCESS(Status))
        KiLeaveProcess(Thread, KiThreadTerminated);
    return Status;
}

void KeExitThread(void)
{
    KTHREAD_NT *Thread = KiSelf;

    KiEndThread(Thread);
    if (Thread->Entry)
        siglongjmp(Thread->ExitJump, 1);
}

/* Until nobody is about to unpark it any more. */
static void KiAwaitWakers(KTHREAD_NT *Thread)
{
    for (ULONG Spins = 0; atomic_load_explicit(&Thread->Wakers, memory_order_acquire); Spins++)
        KiScheduler->Relax(Spins);
}

void KeReapThread(struct _KTHREAD *Thread)
{
    NT_ASSERT(Thread != KiSelf);
    KiScheduler->Join(Thread);
    KiAwaitWakers(Thread);
}

void KeAdoptHostThread(struct _KTHREAD *Thread, KPROCESS_NT *Process)
{
    NT_ASSERT(!KiSelf);
    KeInitializeThread(Thread, Process, NULL);
    Thread->HostId = host_thread_id();
    host_stack_bounds(&Thread->StackLimit, &Thread->StackBase);
    host_fault_stack_enter();
    host_set_gs_base(&Thread->Pcr);
    KiSelf = Thread;
    KiJoinProcess(Thread);
}

void KeReleaseHostThread(void)
{
    KTHREAD_NT *Thread = KiSelf;

    if (Thread->State != KiThreadTerminated)
        KiEndThread(Thread);
    KiSelf = NULL;
    host_set_gs_base(NULL);
    host_fault_stack_leave();
    KiAwaitWakers(Thread);
}

ULONG64 KeThreadTime_(const KTHREAD_NT *Thread)
{
    return host_thread_time(__atomic_load_n(&Thread->HostId, __ATOMIC_ACQUIRE)) / 100;
}

NTSTATUS KiStartServiceThread(KTHREAD_NT *Thread, void (*Entry)(KTHREAD_NT *), KPRCB *Prcb,
                              const char *Name)
{
    KeInitializeThread(Thread, &KiState.IdleProcess, Entry);
    Thread->SystemThread = TRUE;
    Thread->Name = Name;
    if (Prcb) {
        Thread->Affinity = Thread->UserAffinity = (KAFFINITY)1 << Prcb->Number;
        KiMoveTo(Thread, Prcb);
    }
    return KeStartThread(Thread);
}

void KiStopServiceThread(KTHREAD_NT *Thread)
{
    if (!Thread->Host)
        return;
    __atomic_store_n(&Thread->Terminating, TRUE, __ATOMIC_RELEASE);
    KiScheduler->Unpark(Thread);
    KeReapThread(Thread);
}

void KeTerminateThread_(struct _KTHREAD *Thread)
{
    KI_WAKES Wakes = {NULL, NULL};

    KiLockDispatcher();
    __atomic_store_n(&Thread->Terminating, TRUE, __ATOMIC_RELAXED);
    if (Thread->State == KiThreadWaiting && (Thread->WaitAlertable || Thread->WaitMode == UserMode))
        KiUnwait(Thread, STATUS_THREAD_IS_TERMINATING, &Wakes);
    else if (Thread->State == KiThreadRunning && Thread != KiSelf)
        KiNudge(Thread, &Wakes);
    KiUnlockAndWake(&Wakes);
}

void KeAlertThread_(struct _KTHREAD *Thread, KPROCESSOR_MODE Mode)
{
    KI_WAKES Wakes = {NULL, NULL};

    KiLockDispatcher();
    if (Thread->State == KiThreadWaiting && Thread->WaitAlertable && Mode <= Thread->WaitMode)
        KiUnwait(Thread, STATUS_ALERTED, &Wakes);
    else
        Thread->Alerted[(int)Mode] = TRUE;
    KiUnlockAndWake(&Wakes);
}

/* Whether the calling thread was alerted, which it then is no more; queued user APCs become due. */
BOOLEAN KeTestAlertThread_(KPROCESSOR_MODE Mode)
{
    KTHREAD_NT *Thread = KiSelf;
    BOOLEAN Alerted;

    KiLockDispatcher();
    Alerted = Thread->Alerted[(int)Mode];
    Thread->Alerted[(int)Mode] = FALSE;
    if (!Alerted && Mode == UserMode && !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode]))
        Thread->ApcState.UserApcPending = TRUE;
    KiUnlockDispatcher();
    return Alerted;
}

/* Any IRQL. Doc: wdm/nf-wdm-kegetcurrentthread */
PKTHREAD NTAPI KeGetCurrentThread(VOID)
{
    return KiSelf;
}

/* At PASSIVE_LEVEL. 1 to HIGH_PRIORITY; the priority before. Priorities are kept, and Linux decides
 * who runs. Doc: wdm/nf-wdm-kesetprioritythread */
KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    NT_ASSERT(Priority > LOW_PRIORITY && Priority <= HIGH_PRIORITY);
    return __atomic_exchange_n(&Thread->Priority, Priority, __ATOMIC_RELAXED);
}

/* At PASSIVE_LEVEL. Doc: wdm/nf-wdm-kequeryprioritythread */
KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return __atomic_load_n(&Thread->Priority, __ATOMIC_RELAXED);
}

/* At PASSIVE_LEVEL. Increment is relative to the process's base priority; the increment before.
 * Doc: ntddk/nf-ntddk-kesetbaseprioritythread */
LONG NTAPI KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return __atomic_exchange_n(&Thread->BasePriority, KI_NORMAL_PRIORITY + Increment,
                               __ATOMIC_RELAXED) -
           KI_NORMAL_PRIORITY;
}
