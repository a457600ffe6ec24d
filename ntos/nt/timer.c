/*
 * Timers of clients. A timer that was set with an APC routine holds a reference to the thread that
 * set it; its DPC queues the APC there, and a queued APC holds a reference to the timer.
 *
 * Busy: one NtSetTimer or NtCancelTimer at a time. Lock: guards Thread and the APC against the DPC.
 * The APC's kernel routine runs in Thread and gives the reference back.
 */
#include "nt/capture.h"

typedef struct NTP_TIMER {
    KTIMER Timer;
    FAST_MUTEX Busy;
    KSPIN_LOCK Lock;
    KDPC Dpc;
    KAPC Apc;
    PETHREAD Thread; /* NULL: no APC is wanted */
    PTIMER_APC_ROUTINE Routine;
    PVOID Context;
} NTP_TIMER;

static void NTAPI RunApc(PRKAPC Apc, KI_NORMAL_ROUTINE **Routine, PVOID *Context, PVOID *Argument1,
                         PVOID *Argument2)
{
    ObDereferenceObject(CONTAINING_RECORD(Apc, NTP_TIMER, Apc));
}

static void NTAPI RundownApc(PRKAPC Apc)
{
    ObDereferenceObject(CONTAINING_RECORD(Apc, NTP_TIMER, Apc));
}

static VOID NTAPI Expired(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    NTP_TIMER *Timer = Context;
    LARGE_INTEGER Now;
    KeQuerySystemTime(&Now);
    KeAcquireSpinLockAtDpcLevel(&Timer->Lock);
    if (Timer->Thread != NULL) {
        ObReferenceObject(Timer);
        if (!KeInsertQueueApc(&Timer->Apc, (PVOID)(ULONG_PTR)Now.LowPart,
                              (PVOID)(ULONG_PTR)(ULONG)Now.HighPart, 0))
            ObDereferenceObjectDeferDelete(Timer); /* still queued, or the thread has ended */
    }
    KeReleaseSpinLockFromDpcLevel(&Timer->Lock);
}

static NTSTATUS Initialize(PVOID Body, PVOID Context)
{
    NTP_TIMER *Timer = Body;
    RtlZeroMemory(Timer, sizeof(*Timer));
    KeInitializeTimerEx(&Timer->Timer, *(TIMER_TYPE *)Context);
    ExInitializeFastMutex(&Timer->Busy);
    KeInitializeSpinLock(&Timer->Lock);
    KeInitializeDpc(&Timer->Dpc, Expired, Timer);
    return STATUS_SUCCESS;
}

/* Stops a timer and forgets its APC. Returns whether it was running. */
static BOOLEAN Stop(NTP_TIMER *Timer)
{
    KIRQL Irql;
    BOOLEAN Dequeued = FALSE, Running = KeCancelTimer(&Timer->Timer);
    KeAcquireSpinLock(&Timer->Lock, &Irql);
    PETHREAD Thread = Timer->Thread;
    Timer->Thread = NULL;
    if (Thread != NULL)
        Dequeued = KeRemoveQueueApc_(&Timer->Apc);
    KeReleaseSpinLock(&Timer->Lock, Irql);
    if (Dequeued)
        ObDereferenceObject(Timer);
    if (Thread != NULL)
        ObDereferenceObject(Thread);
    return Running;
}

void NtpDeleteTimer(PVOID Body)
{
    NTP_TIMER *Timer = Body;
    Stop(Timer);
    KeRemoveQueueDpc(&Timer->Dpc);
    KeFlushQueuedDpcs(); /* it may be running elsewhere */
}

/* STATUS_INVALID_PARAMETER_4 for an unknown type. Doc: ntddk/nf-ntddk-zwcreatetimer */
NTSTATUS NTAPI NtCreateTimer(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                             TIMER_TYPE Type)
{
    if (Type != NotificationTimer && Type != SynchronizationTimer)
        return STATUS_INVALID_PARAMETER_4;
    return NtpCreateObject(ObpTimerType, sizeof(NTP_TIMER), Initialize, &Type, Handle, Desired,
                           Attributes);
}

/* Doc: ntddk/nf-ntddk-zwopentimer */
NTSTATUS NTAPI NtOpenTimer(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpTimerType, Handle, Desired, Attributes);
}

static void Arm(NTP_TIMER *Timer, LARGE_INTEGER DueTime, PTIMER_APC_ROUTINE Routine, PVOID Context,
                LONG Period)
{
    KIRQL Irql;
    if (Routine != NULL) {
        ObReferenceObject(PsSelf());
        KeAcquireSpinLock(&Timer->Lock, &Irql);
        KeInitializeApc(&Timer->Apc, KiSelf, OriginalApcEnvironment, RunApc, RundownApc,
                        (KI_NORMAL_ROUTINE *)(PVOID)Routine, NtpMode(), Context);
        Timer->Thread = (PETHREAD)PsSelf();
        KeReleaseSpinLock(&Timer->Lock, Irql);
    }
    KeSetTimerEx(&Timer->Timer, DueTime, Period, Routine == NULL ? NULL : &Timer->Dpc);
}

/* DueTime: 100 ns, negative is relative. Period: milliseconds, 0 for once. The APC routine gets the
 * low and the high half of the time it expired. STATUS_INVALID_PARAMETER_6: a negative period. Doc:
 * ntddk/nf-ntddk-zwsettimer */
NTSTATUS NTAPI NtSetTimer(HANDLE Handle, PLARGE_INTEGER DueTime, PTIMER_APC_ROUTINE Routine,
                          PVOID Context, BOOLEAN Resume, LONG Period, PBOOLEAN PreviousState)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_TIMER *Timer;
    LARGE_INTEGER Due;
    BOOLEAN Was;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, PreviousState);
    if (NT_SUCCESS(Status))
        Status = NTP_READ(Mode, Due, DueTime);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Period < 0)
        return STATUS_INVALID_PARAMETER_6;
    Status = NtpReference(Handle, TIMER_MODIFY_STATE, ObpTimerType, Mode, (PVOID *)&Timer);
    if (!NT_SUCCESS(Status))
        return Status;
    ExAcquireFastMutex(&Timer->Busy);
    Stop(Timer);
    Was = KeReadStateTimer(&Timer->Timer);
    Arm(Timer, Due, Routine, Context, Period);
    ExReleaseFastMutex(&Timer->Busy);
    ObDereferenceObject(Timer);
    Status = NTP_WRITE_OPTIONAL(Mode, PreviousState, Was);
    if (NT_SUCCESS(Status) && Resume) /* there is no sleeping machine to wake */
        Status = STATUS_TIMER_RESUME_IGNORED;
    return Status;
}

/* Doc: ntddk/nf-ntddk-zwcanceltimer */
NTSTATUS NTAPI NtCancelTimer(HANDLE Handle, PBOOLEAN CurrentState)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_TIMER *Timer;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, CurrentState);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, TIMER_MODIFY_STATE, ObpTimerType, Mode, (PVOID *)&Timer);
    if (!NT_SUCCESS(Status))
        return Status;
    ExAcquireFastMutex(&Timer->Busy);
    Stop(Timer);
    ExReleaseFastMutex(&Timer->Busy);
    BOOLEAN State = KeReadStateTimer(&Timer->Timer);
    ObDereferenceObject(Timer);
    return NTP_WRITE_OPTIONAL(Mode, CurrentState, State);
}

/* Needs TIMER_QUERY_STATE. The remaining time is 0 when the timer does not run. */
NTSTATUS NTAPI NtQueryTimer(HANDLE Handle, TIMER_INFORMATION_CLASS Class, PVOID Information,
                            ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_TIMER *Timer;
    TIMER_BASIC_INFORMATION Basic;
    if (Class != TimerBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status = NtpReference(Handle, TIMER_QUERY_STATE, ObpTimerType, Mode, (PVOID *)&Timer);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.TimerState = KeReadStateTimer(&Timer->Timer);
    if (Timer->Timer.Header.Inserted)
        Basic.RemainingTime.QuadPart =
            max((LONGLONG)(Timer->Timer.DueTime.QuadPart - KeQueryInterruptTime()), 0);
    ObDereferenceObject(Timer);
    return NtpQueryFixed(Mode, Information, Length, Returned, &Basic, sizeof(Basic));
}
