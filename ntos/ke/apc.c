/*
 * Asynchronous procedure calls, and the regions that hold them off.
 *
 * Special kernel APCs (no normal routine) stand before normal ones in the kernel queue. A thread
 * takes its own APCs when it lowers IRQL, leaves a region, waits, or ends a system service;
 * queueing one ends a wait that may be interrupted. The dispatcher lock guards the queues.
 */
#include "ke/ki.h"

void KiInitializeApcState(KAPC_STATE_NT *State, KPROCESS_NT *Process)
{
    memset(State, 0, sizeof(*State));
    InitializeListHead(&State->ApcListHead[KernelMode]);
    InitializeListHead(&State->ApcListHead[UserMode]);
    State->Process = Process;
}

static void KiSetPending(KTHREAD_NT *Thread, BOOLEAN Pending)
{
    __atomic_store_n(&Thread->ApcState.KernelApcPending, Pending, __ATOMIC_RELAXED);
}

/* Environment: whose process the APC needs; OriginalApcEnvironment is the thread's own. The APC
 * must stay until its kernel routine runs. */
void NTAPI KeInitializeApc(PRKAPC Apc, struct _KTHREAD *Thread, KAPC_ENVIRONMENT Environment,
                           KI_KERNEL_ROUTINE *KernelRoutine, KI_RUNDOWN_ROUTINE *RundownRoutine,
                           KI_NORMAL_ROUTINE *NormalRoutine, KPROCESSOR_MODE Mode,
                           PVOID NormalContext)
{
    memset(Apc, 0, sizeof(*Apc));
    Apc->Type = 18;
    Apc->Size = sizeof(*Apc);
    Apc->Thread = Thread;
    Apc->ApcStateIndex =
        (CCHAR)(Environment == CurrentApcEnvironment
                    ? (Thread->Attached ? AttachedApcEnvironment : OriginalApcEnvironment)
                    : Environment);
    Apc->KernelRoutine = (PKKERNEL_ROUTINE)KernelRoutine;
    Apc->RundownRoutine = (PKRUNDOWN_ROUTINE)RundownRoutine;
    Apc->NormalRoutine = (PKNORMAL_ROUTINE)NormalRoutine;
    Apc->ApcMode = NormalRoutine ? Mode : KernelMode;
    Apc->NormalContext = NormalRoutine ? NormalContext : NULL;
}

/* Which of the thread's two states the APC belongs to, and whether that is the one in force. */
static KAPC_STATE_NT *KiApcStateOf(PRKAPC Apc, BOOLEAN *Current)
{
    KTHREAD_NT *Thread = Apc->Thread;

    if (Apc->ApcStateIndex == InsertApcEnvironment)
        Apc->ApcStateIndex = Thread->Attached ? AttachedApcEnvironment : OriginalApcEnvironment;
    *Current = !Thread->Attached || Apc->ApcStateIndex != OriginalApcEnvironment;
    return *Current ? &Thread->ApcState : &Thread->SavedApcState;
}

static void KiQueueApc(PRKAPC Apc, LIST_ENTRY *Head)
{
    LIST_ENTRY *Before = Head;

    if (!Apc->NormalRoutine) /* after the special ones that are there already */
        while (Before->Flink != Head &&
               !CONTAINING_RECORD(Before->Flink, KAPC, ApcListEntry)->NormalRoutine)
            Before = Before->Flink;
    else
        Before = Head->Blink;
    InsertHeadList(Before, &Apc->ApcListEntry);
    Apc->Inserted = TRUE;
}

BOOLEAN KiApcDeliverable(KTHREAD_NT *Thread)
{
    LIST_ENTRY *Head = &Thread->ApcState.ApcListHead[KernelMode];
    KAPC *First;

    if (IsListEmpty(Head) || Thread->Irql >= APC_LEVEL || Thread->SpecialApcDisable)
        return FALSE;
    First = CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
    return !First->NormalRoutine ||
           (!Thread->KernelApcDisable && !Thread->ApcState.KernelApcInProgress);
}

static void KiNoticeKernelApc(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    KiSetPending(Thread, TRUE);
    if (Thread->State == KiThreadWaiting) {
        if (KiApcDeliverable(Thread))
            KiUnwait(Thread, STATUS_KERNEL_APC, Wakes);
    } else if (Thread != KiSelf) {
        KiNudge(Thread, Wakes);
    }
}

static void KiNoticeUserApc(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    if (Thread->State != KiThreadWaiting || Thread->WaitMode != UserMode ||
        !(Thread->WaitAlertable || Thread->ApcState.UserApcPending))
        return;
    Thread->ApcState.UserApcPending = TRUE;
    KiUnwait(Thread, STATUS_USER_APC, Wakes);
}

/* IRQL <= DISPATCH_LEVEL. FALSE: it is queued already, or the thread takes no APCs any more. */
BOOLEAN NTAPI KeInsertQueueApc(PRKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
                               KPRIORITY Increment)
{
    KTHREAD_NT *Thread = Apc->Thread;
    KI_WAKES Wakes = {NULL, NULL};
    KAPC_STATE_NT *State;
    BOOLEAN Current, Inserted;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KiLockDispatcher();
    Inserted = Thread->ApcQueueable && !Apc->Inserted;
    if (Inserted) {
        Apc->SystemArgument1 = SystemArgument1;
        Apc->SystemArgument2 = SystemArgument2;
        State = KiApcStateOf(Apc, &Current);
        KiQueueApc(Apc, &State->ApcListHead[(int)Apc->ApcMode]);
        if (!Current)
            State->KernelApcPending |= Apc->ApcMode == KernelMode;
        else if (Apc->ApcMode == KernelMode)
            KiNoticeKernelApc(Thread, &Wakes);
        else
            KiNoticeUserApc(Thread, &Wakes);
    }
    KiUnlockAndWake(&Wakes);
    if (Thread == KiSelf && KiApcPending(Thread) && Thread->Irql < APC_LEVEL)
        KeDeliverKernelApcs();
    return Inserted;
}

/* IRQL <= DISPATCH_LEVEL. FALSE: it was not queued. Its rundown routine does not run. */
BOOLEAN NTAPI KeRemoveQueueApc_(PRKAPC Apc)
{
    BOOLEAN Removed;

    KiLockDispatcher();
    Removed = Apc->Inserted;
    if (Removed) {
        RemoveEntryList(&Apc->ApcListEntry);
        Apc->Inserted = FALSE;
    }
    KiUnlockDispatcher();
    return Removed;
}

static void KiCheckApcIrql(KIRQL Expected, ULONG Unique, ULONG_PTR Routine)
{
    KIRQL Irql = KiIrql();

    if (__builtin_expect(Irql != Expected, 0))
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG)Irql << 16 | (ULONG)Expected << 8 | Unique,
                   Routine, 0, 0, "an APC routine returned at IRQL %u", Irql);
}

/* What an APC asks for, taken from it: its kernel routine may free it. */
typedef struct KI_CALL {
    PKKERNEL_ROUTINE Kernel;
    PKNORMAL_ROUTINE Normal;
    PVOID Context, Argument1, Argument2;
} KI_CALL;

static KI_CALL KiDequeueApc(KAPC *Apc)
{
    KI_CALL Call = {Apc->KernelRoutine, Apc->NormalRoutine, Apc->NormalContext,
                    Apc->SystemArgument1, Apc->SystemArgument2};

    RemoveEntryList(&Apc->ApcListEntry);
    Apc->Inserted = FALSE;
    return Call;
}

static void KiCallKernelRoutine(KTHREAD_NT *Thread, KAPC *Apc, KI_CALL *Call)
{
    PKKERNEL_ROUTINE Routine = Call->Kernel;

    KiSetIrql(Thread, APC_LEVEL);
    NT_CALL(Routine, Apc, &Call->Normal, &Call->Context, &Call->Argument1, &Call->Argument2);
    KiCheckApcIrql(APC_LEVEL, 0, (ULONG_PTR)Routine);
}

/* The first kernel APC that may run now, dequeued; NULL: none. */
static KAPC *KiNextKernelApc(KTHREAD_NT *Thread, KI_CALL *Call)
{
    LIST_ENTRY *Head = &Thread->ApcState.ApcListHead[KernelMode];
    KAPC *Apc = NULL;

    KiLockDispatcher();
    if (KiApcDeliverable(Thread)) {
        Apc = CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
        *Call = KiDequeueApc(Apc);
    }
    KiSetPending(Thread, !IsListEmpty(Head));
    KiUnlockDispatcher();
    return Apc;
}

/* Below APC_LEVEL. Runs every kernel APC of the calling thread that is not held off. */
void KiRunKernelApcs(void)
{
    KTHREAD_NT *Thread = KiSelf;
    KIRQL Old = Thread->Irql;
    KI_CALL Call;
    KAPC *Apc;

    while ((Apc = KiNextKernelApc(Thread, &Call))) {
        BOOLEAN Special = !Call.Normal;

        KiCallKernelRoutine(Thread, Apc, &Call);
        if (!Special && Call.Normal) {
            Thread->ApcState.KernelApcInProgress = TRUE;
            KiSetIrql(Thread, PASSIVE_LEVEL);
            NT_CALL(Call.Normal, Call.Context, Call.Argument1, Call.Argument2);
            KiCheckApcIrql(PASSIVE_LEVEL, 1, (ULONG_PTR)Call.Normal);
            Thread->ApcState.KernelApcInProgress = FALSE;
        }
        KiSetIrql(Thread, Old);
    }
}

BOOLEAN KeTakeUserApc(KI_USER_APC *UserApc)
{
    KTHREAD_NT *Thread = KiSelf;
    LIST_ENTRY *Head = &Thread->ApcState.ApcListHead[UserMode];
    KIRQL Old = Thread->Irql;
    KAPC *Apc = NULL;
    KI_CALL Call;

    KiLockDispatcher();
    Thread->ApcState.UserApcPending = FALSE;
    if (!IsListEmpty(Head)) {
        Apc = CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
        Call = KiDequeueApc(Apc);
    }
    KiUnlockDispatcher();
    if (!Apc)
        return FALSE;
    KiCallKernelRoutine(Thread, Apc, &Call);
    KiSetIrql(Thread, Old);
    if (!Call.Normal)
        return KeTakeUserApc(UserApc);
    *UserApc = (KI_USER_APC){(KI_NORMAL_ROUTINE *)Call.Normal, Call.Context, Call.Argument1,
                             Call.Argument2};
    return TRUE;
}

static KAPC *KiPopApc(KTHREAD_NT *Thread, KPROCESSOR_MODE Mode)
{
    LIST_ENTRY *Head = &Thread->ApcState.ApcListHead[(int)Mode];
    KAPC *Apc = NULL;

    KiLockDispatcher();
    Thread->ApcQueueable = FALSE;
    if (!IsListEmpty(Head)) {
        Apc = CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
        KiDequeueApc(Apc);
    }
    KiUnlockDispatcher();
    return Apc;
}

/* The calling thread, at its end: user APCs are run down (an APC without a rundown routine is let
 * go: its owner's); kernel ones have been delivered, or are bug check 0x20. */
void KeRundownApcs(struct _KTHREAD *Thread)
{
    KAPC *Apc;

    while ((Apc = KiPopApc(Thread, UserMode)))
        if (Apc->RundownRoutine)
            NT_CALL(Apc->RundownRoutine, Apc);
    if (KiApcPending(Thread))
        KeDeliverKernelApcs();
    if ((Apc = KiPopApc(Thread, KernelMode)))
        VfBugCheck(KERNEL_APC_PENDING_DURING_EXIT, (ULONG_PTR)Apc,
                   (ULONG_PTR)Thread->KernelApcDisable, Thread->Irql, 0,
                   "a thread ends with a kernel APC pending");
}

static void KiCheckRegionIrql(ULONG Rule, const char *Routine)
{
    if (__builtin_expect(KiIrql() > APC_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Rule, KiIrql(), 0, 0, "%s at IRQL %u",
                   Routine, KiIrql());
}

static void KiDeliverIfEnabled(KTHREAD_NT *Thread)
{
    if (KiApcPending(Thread) && !Thread->SpecialApcDisable && Thread->Irql < APC_LEVEL)
        KeDeliverKernelApcs();
}

/* IRQL <= APC_LEVEL (above: 0xC4/11A). Holds off normal kernel APCs; nests. Doc:
 * ntddk/nf-ntddk-keentercriticalregion */
VOID NTAPI KeEnterCriticalRegion(VOID)
{
    KiCheckRegionIrql(0x11A, "KeEnterCriticalRegion");
    KiSelf->KernelApcDisable--;
}

/* IRQL <= APC_LEVEL (above: 0xC4/11B). Outside a region: 0xC4/3E. Doc:
 * ntddk/nf-ntddk-keleavecriticalregion */
VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    KTHREAD_NT *Thread = KiSelf;

    KiCheckRegionIrql(0x11B, "KeLeaveCriticalRegion");
    if (__builtin_expect(Thread->KernelApcDisable >= 0, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0,
                   "KeLeaveCriticalRegion outside a critical region");
    if (++Thread->KernelApcDisable == 0)
        KiDeliverIfEnabled(Thread);
}

/* IRQL <= APC_LEVEL. Holds off all kernel APCs; nests. Doc: wdm/nf-wdm-keenterguardedregion */
VOID NTAPI KeEnterGuardedRegion(VOID)
{
    VF_IRQL_MAX(APC_LEVEL);
    KiSelf->SpecialApcDisable--;
}

/* IRQL <= APC_LEVEL. Outside a region: 0xC4/3E. Doc: wdm/nf-wdm-keleaveguardedregion */
VOID NTAPI KeLeaveGuardedRegion(VOID)
{
    KTHREAD_NT *Thread = KiSelf;

    VF_IRQL_MAX(APC_LEVEL);
    if (__builtin_expect(Thread->SpecialApcDisable >= 0, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0,
                   "KeLeaveGuardedRegion outside a guarded region");
    if (++Thread->SpecialApcDisable == 0)
        KiDeliverIfEnabled(Thread);
}

/* IRQL <= DISPATCH_LEVEL. TRUE in a critical or guarded region. Doc:
 * ntddk/nf-ntddk-keareapcsdisabled */
BOOLEAN NTAPI KeAreApcsDisabled(VOID)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiSelf->KernelApcDisable != 0 || KiSelf->SpecialApcDisable != 0;
}

/* IRQL <= DISPATCH_LEVEL. TRUE in a guarded region or at APC_LEVEL and above. Doc:
 * wdm/nf-wdm-keareallapcsdisabled */
BOOLEAN NTAPI KeAreAllApcsDisabled(VOID)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiSelf->SpecialApcDisable != 0 || KiSelf->Irql >= APC_LEVEL;
}
