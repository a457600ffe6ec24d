/*
 * Deferred procedure calls.
 *
 * A DPC waits in the queue of one processor; DpcData names it. Whoever owns that processor runs the
 * queue when it lowers below DISPATCH_LEVEL; the processor's DPC thread does so when nobody else
 * comes by. Threaded DPCs have a queue and a thread of their own, at PASSIVE_LEVEL.
 */
#include "ke/ki.h"

enum { KiDpcType = 19, KiThreadedDpcType = 26 };
enum { KiAnyProcessor = 0 }; /* KDPC.Number: 1 + the target */

static void KiInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE Routine, PVOID Context, UCHAR Type)
{
    memset(Dpc, 0, sizeof(*Dpc));
    Dpc->Type = Type;
    Dpc->Importance = MediumImportance;
    Dpc->DeferredRoutine = Routine;
    Dpc->DeferredContext = Context;
}

/* Any IRQL. The DPC is the caller's, in nonpaged memory. Doc: wdm/nf-wdm-keinitializedpc */
VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KiInitializeDpc(Dpc, DeferredRoutine, DeferredContext, KiDpcType);
}

/* Any IRQL. Its routine runs at PASSIVE_LEVEL. Doc: wdm/nf-wdm-keinitializethreadeddpc */
VOID NTAPI KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                                   PVOID DeferredContext)
{
    KiInitializeDpc(Dpc, DeferredRoutine, DeferredContext, KiThreadedDpcType);
}

/* Any IRQL; for later insertions. Doc: wdm/nf-wdm-kesetimportancedpc */
VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

/* Any IRQL; for later insertions. A processor that does not exist is bug check 0xC7/3. Doc:
 * wdm/nf-wdm-kesettargetprocessordpc */
VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    if (Number < 0 || (ULONG)Number >= KiState.Count)
        VfBugCheck(TIMER_OR_DPC_INVALID, 3, (ULONG_PTR)Dpc, (ULONG_PTR)Number, KiState.Count,
                   "no processor %d", Number);
    Dpc->Number = (USHORT)(Number + 1);
}

/* Any IRQL. STATUS_INVALID_PARAMETER: no such processor. Doc: wdm/nf-wdm-kesettargetprocessordpcex
 */
NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Number >= KiState.Count || ProcNumber->Reserved)
        return STATUS_INVALID_PARAMETER;
    Dpc->Number = (USHORT)(ProcNumber->Number + 1);
    return STATUS_SUCCESS;
}

static void KiEnqueueDpc(KDPC *Dpc, KPRCB *Prcb)
{
    BOOLEAN Threaded = Dpc->Type == KiThreadedDpcType;
    LIST_ENTRY *Head = Threaded ? &Prcb->ThreadedDpcListHead : &Prcb->DpcListHead;

    if (Dpc->Importance == HighImportance)
        InsertHeadList(Head, &Dpc->DpcListEntry);
    else
        InsertTailList(Head, &Dpc->DpcListEntry);
    atomic_fetch_add_explicit(Threaded ? &Prcb->ThreadedDpcCount : &Prcb->DpcCount, 1,
                              memory_order_release);
}

/* At DISPATCH_LEVEL or above on Current. */
BOOLEAN KiQueueDpc(KDPC *Dpc, PVOID Argument1, PVOID Argument2, KPRCB *Current)
{
    BOOLEAN Threaded = Dpc->Type == KiThreadedDpcType;
    KPRCB *Prcb = Dpc->Number == KiAnyProcessor ? Current : &KiState.Prcbs[Dpc->Number - 1];
    PVOID Free = NULL;
    BOOLEAN Queued;

    KiLock(&Prcb->DpcLock);
    Queued = __atomic_compare_exchange_n(&Dpc->DpcData, &Free, Prcb, FALSE, __ATOMIC_RELAXED,
                                         __ATOMIC_RELAXED);
    if (Queued) {
        Dpc->SystemArgument1 = Argument1;
        Dpc->SystemArgument2 = Argument2;
        KiEnqueueDpc(Dpc, Prcb);
        if (KeNoteObject)
            KeNoteObject(Dpc);
    }
    KiUnlock(&Prcb->DpcLock);
    if (Queued && (Prcb != Current || Threaded))
        KiScheduler->Unpark(Threaded ? Prcb->ThreadedDpcThread : Prcb->DpcThread);
    return Queued;
}

/* Any IRQL. FALSE: it is queued already. Below DISPATCH_LEVEL a DPC for the current processor has
 * run when this returns. Doc: wdm/nf-wdm-keinsertqueuedpc */
BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KIRQL Old = KiIrql();
    BOOLEAN Queued;

    if (Old < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    Queued = KiQueueDpc(Dpc, SystemArgument1, SystemArgument2, KiSelf->Prcb);
    if (Old < DISPATCH_LEVEL)
        KeLowerIrql(Old);
    return Queued;
}

static void KiUnlinkDpc(KDPC *Dpc, KPRCB *Prcb)
{
    RemoveEntryList(&Dpc->DpcListEntry);
    __atomic_store_n(&Dpc->DpcData, NULL, __ATOMIC_RELEASE);
    atomic_fetch_sub_explicit(Dpc->Type == KiThreadedDpcType ? &Prcb->ThreadedDpcCount
                                                             : &Prcb->DpcCount,
                              1, memory_order_relaxed);
}

/* Any IRQL. FALSE: it was not queued; it may be running on another processor. Doc:
 * wdm/nf-wdm-keremovequeuedpc */
BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    KPRCB *Prcb = __atomic_load_n((KPRCB **)&Dpc->DpcData, __ATOMIC_ACQUIRE);
    BOOLEAN Removed;

    if (!Prcb)
        return FALSE;
    KiLock(&Prcb->DpcLock);
    Removed = __atomic_load_n((KPRCB **)&Dpc->DpcData, __ATOMIC_RELAXED) == Prcb;
    if (Removed)
        KiUnlinkDpc(Dpc, Prcb);
    KiUnlock(&Prcb->DpcLock);
    return Removed;
}

/* As KeRemoveQueueDpc; with WaitIfActive (at PASSIVE_LEVEL, not in a DPC) a routine that runs has
 * returned. Doc: wdm/nf-wdm-keremovequeuedpcex */
BOOLEAN NTAPI KeRemoveQueueDpcEx(PRKDPC Dpc, BOOLEAN WaitIfActive)
{
    BOOLEAN Removed = KeRemoveQueueDpc(Dpc);

    if (WaitIfActive)
        KeFlushQueuedDpcs();
    return Removed;
}

/* What a DPC asks for, taken from it: its routine may free it. */
typedef struct KI_DPC_CALL {
    KDPC *Dpc;
    PKDEFERRED_ROUTINE Routine;
    PVOID Context, Argument1, Argument2;
} KI_DPC_CALL;

static BOOLEAN KiDequeueDpc(KPRCB *Prcb, LIST_ENTRY *Head, KI_DPC_CALL *Call)
{
    KDPC *Dpc = NULL;

    KiLock(&Prcb->DpcLock);
    if (!IsListEmpty(Head)) {
        Dpc = CONTAINING_RECORD(Head->Flink, KDPC, DpcListEntry);
        *Call = (KI_DPC_CALL){Dpc, Dpc->DeferredRoutine, Dpc->DeferredContext, Dpc->SystemArgument1,
                              Dpc->SystemArgument2};
        KiUnlinkDpc(Dpc, Prcb);
    }
    KiUnlock(&Prcb->DpcLock);
    return Dpc != NULL;
}

/* What a processor's current DPC calls. */
static PVOID KiRunning[KI_MAXIMUM_PROCESSORS];

/* The routine must leave IRQL and the APC counts of the thread that it interrupted as they were. */
static void KiCallDpc(KTHREAD_NT *Thread, const KI_DPC_CALL *Call)
{
    SHORT Kernel = Thread->KernelApcDisable, Special = Thread->SpecialApcDisable;
    KIRQL Irql = Thread->Irql;

    VfTrace(VfEventDpc, (ULONG_PTR)Call->Routine, (ULONG_PTR)Call->Dpc);
    NT_CALL(Call->Routine, Call->Dpc, Call->Context, Call->Argument1, Call->Argument2);
    if (__builtin_expect(Thread->Irql != Irql, 0))
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG)Thread->Irql << 16 | (ULONG)Irql << 8,
                   (ULONG_PTR)Call->Routine, 0, 0,
                   "a DPC routine that was called at IRQL %u returned at IRQL %u", Irql,
                   Thread->Irql);
    if (__builtin_expect(Thread->KernelApcDisable != Kernel || Thread->SpecialApcDisable != Special,
                         0))
        VfBugCheck(TIMER_OR_DPC_INVALID, 4, (ULONG_PTR)Call->Routine, (ULONG_PTR)Kernel,
                   (ULONG_PTR)Thread->KernelApcDisable,
                   "a DPC routine changed the thread's APC disable count");
}

/* By the owner of Prcb, at DISPATCH_LEVEL. */
void KiRunDpcs(KTHREAD_NT *Thread, KPRCB *Prcb)
{
    PDRIVER_OBJECT Driver = Thread->CurrentDriver;
    PIRP Irp = Thread->CurrentIrp;
    KI_DPC_CALL Call;

    Thread->CurrentDriver = NULL;
    Thread->CurrentIrp = NULL;
    KiCount(&Prcb->Dispatches);
    KiAnswerIpi(Thread);
    __atomic_store_n(&Prcb->DpcRoutineActive, TRUE, __ATOMIC_RELAXED);
    while (KiDequeueDpc(Prcb, &Prcb->DpcListHead, &Call)) {
        Prcb->CurrentDpc = Call.Dpc;
        __atomic_store_n(&KiRunning[Prcb - KiState.Prcbs], (PVOID)Call.Routine, __ATOMIC_RELAXED);
        KiCount(&Prcb->DpcsRun);
        KiCallDpc(Thread, &Call);
    }
    Prcb->CurrentDpc = NULL;
    __atomic_store_n(&Prcb->DpcRoutineActive, FALSE, __ATOMIC_RELAXED);
    Thread->CurrentDriver = Driver;
    Thread->CurrentIrp = Irp;
}

/*
 * The watchdog: every processor's DPC thread looks once a second whether another processor is at
 * the same DPC still. A second counts only if the thread was awake in it, so a stopped process is
 * not late.
 */
#define KI_SECOND 10000000ull
#define KI_WATCHDOG_SECONDS 20
#define KI_TICKS_PER_SECOND 64

typedef struct KI_WATCH {
    ULONG64 Next;
    ULONG Allotment; /* seconds; 0: off */
    struct {
        ULONG Run, Seconds;
    } Seen[KI_MAXIMUM_PROCESSORS];
} KI_WATCH;

static void KiStartWatch(KI_WATCH *Watch)
{
    const char *Seconds = getenv("USERNT_DPC_WATCHDOG");

    memset(Watch, 0, sizeof(*Watch));
    Watch->Allotment = Seconds ? (ULONG)strtoul(Seconds, NULL, 10) : KI_WATCHDOG_SECONDS;
    Watch->Next = Watch->Allotment ? KiNow() + KI_SECOND : KI_FOREVER;
}

static _Noreturn void KiDpcTooLong(ULONG Number, ULONG Seconds, ULONG Allotment)
{
    char Routine[256];

    host_symbolise(__atomic_load_n(&KiRunning[Number], __ATOMIC_RELAXED), Routine, sizeof(Routine));
    VfDetail("the routine of the DPC that processor %u runs is %s", Number, Routine);
    VfBugCheck(DPC_WATCHDOG_VIOLATION, 0, (ULONG_PTR)Seconds * KI_TICKS_PER_SECOND,
               (ULONG_PTR)Allotment * KI_TICKS_PER_SECOND, 0, "a DPC has run for %u seconds",
               Seconds);
}

static void KiWatchDpcs(KI_WATCH *Watch)
{
    ULONG64 Now = KiNow();

    if (Now < Watch->Next)
        return;
    Watch->Next = Now + KI_SECOND;
    for (ULONG i = 0; i < KiState.Count; i++) {
        ULONG Run = __atomic_load_n(&KiState.Prcbs[i].DpcsRun, __ATOMIC_RELAXED);

        if (!__atomic_load_n(&KiState.Prcbs[i].DpcRoutineActive, __ATOMIC_RELAXED) ||
            Run != Watch->Seen[i].Run)
            Watch->Seen[i].Seconds = 0;
        else if (++Watch->Seen[i].Seconds > Watch->Allotment)
            KiDpcTooLong(i, Watch->Seen[i].Seconds, Watch->Allotment);
        Watch->Seen[i].Run = Run;
    }
}

/* Runs the DPCs of a processor that nobody uses: raising takes the processor, lowering runs its
 * queue. */
void KiDpcThread(KTHREAD_NT *Thread)
{
    KPRCB *Prcb = Thread->Prcb;
    KI_WATCH Watch;

    KiStartWatch(&Watch);
    while (!KiStopping(Thread)) {
        KiWatchDpcs(&Watch);
        if (atomic_load_explicit(&Prcb->DpcCount, memory_order_acquire) == 0)
            KiScheduler->Park(Thread, Watch.Next);
        else
            KeLowerIrql(KfRaiseIrql(DISPATCH_LEVEL));
    }
}

void KiThreadedDpcThread(KTHREAD_NT *Thread)
{
    KPRCB *Prcb = Thread->Prcb;
    KI_DPC_CALL Call;

    for (;;) {
        if (KiDequeueDpc(Prcb, &Prcb->ThreadedDpcListHead, &Call))
            KiCallDpc(Thread, &Call);
        else if (KiStopping(Thread))
            return; /* with nothing left to do */
        else
            KiScheduler->Park(Thread, KI_FOREVER);
    }
}

static VOID NTAPI KiFlushRoutine(PKDPC Dpc, PVOID Event, PVOID SystemArgument1,
                                 PVOID SystemArgument2)
{
    KeSetEvent(Event, 0, FALSE);
}

static void KiFlushQueue(CCHAR Processor, BOOLEAN Threaded)
{
    KEVENT Done;
    KDPC Dpc;

    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    KiInitializeDpc(&Dpc, KiFlushRoutine, &Done, Threaded ? KiThreadedDpcType : KiDpcType);
    KeSetTargetProcessorDpc(&Dpc, Processor);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

void KiFlushDpcs(void)
{
    for (ULONG i = 0; i < KiState.Count; i++)
        KiFlushQueue((CCHAR)i, FALSE);
}

/* At PASSIVE_LEVEL. Every DPC that was queued before the call has run when it returns.
 * Doc: wdm/nf-wdm-keflushqueueddpcs */
VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    KiFlushDpcs();
    for (ULONG i = 0; i < KiState.Count; i++)
        KiFlushQueue((CCHAR)i, TRUE);
}

/* At DISPATCH_LEVEL or above: TRUE inside a DPC routine. Doc: wdm/nf-wdm-keisexecutingdpc */
LOGICAL KeIsExecutingDpc(VOID)
{
    return KiIrql() >= DISPATCH_LEVEL && KiSelf->Prcb->DpcRoutineActive;
}

PVOID KiDpcItself(KDPC *Dpc)
{
    return Dpc;
}

/* The driver's routine that a DPC leads to. */
PVOID KiDpcRoutine(KDPC *Dpc)
{
    PVOID Behind = KiExTimerRoutine(Dpc);

    return Behind ? Behind : (PVOID)Dpc->DeferredRoutine;
}

static PVOID KiFindDpc(LIST_ENTRY *Head, ULONG_PTR Low, ULONG_PTR High, PVOID (*Of)(KDPC *))
{
    for (LIST_ENTRY *Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PVOID Found = Of(CONTAINING_RECORD(Entry, KDPC, DpcListEntry));

        if ((ULONG_PTR)Found >= Low && (ULONG_PTR)Found < High)
            return Found;
    }
    return NULL;
}

BOOLEAN KiFindDpcs(ULONG_PTR Low, ULONG_PTR High, PVOID (*Of)(KDPC *), PVOID *Object)
{
    *Object = NULL;
    for (ULONG i = 0; i < KiState.Count && !*Object; i++) {
        KPRCB *Prcb = &KiState.Prcbs[i];

        if (!atomic_load_explicit(&Prcb->DpcCount, memory_order_relaxed) &&
            !atomic_load_explicit(&Prcb->ThreadedDpcCount, memory_order_relaxed))
            continue;
        KiLock(&Prcb->DpcLock);
        *Object = KiFindDpc(&Prcb->DpcListHead, Low, High, Of);
        if (!*Object)
            *Object = KiFindDpc(&Prcb->ThreadedDpcListHead, Low, High, Of);
        KiUnlock(&Prcb->DpcLock);
    }
    return *Object != NULL;
}
