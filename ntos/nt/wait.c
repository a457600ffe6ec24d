/*
 * Waiting and alerts.
 */
#include "nt/capture.h"
#include <ntseh.h>

/* A wait raises STATUS_MUTANT_LIMIT_EXCEEDED for a mutant acquired 2^31 times. */
static NTSTATUS WaitOne(PVOID Header, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    NTSTATUS Status;
    __try {
        Status = KeWaitForSingleObject(Header, UserRequest, NtpMode(), Alertable, Timeout);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static NTSTATUS ReferenceWaitable(HANDLE Handle, PVOID *Object, PVOID *Header)
{
    NTSTATUS Status = NtpReference(Handle, SYNCHRONIZE, NULL, NtpMode(), Object);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObWaitObject_(*Object, Header);
    if (!NT_SUCCESS(Status))
        ObDereferenceObject(*Object);
    return Status;
}

/* Doc: ntifs/nf-ntifs-zwwaitforsingleobject */
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    LARGE_INTEGER Storage;
    PVOID Object, Header;
    NTSTATUS Status = NtpCaptureTimeout(NtpMode(), Timeout, &Storage, &Timeout);
    if (NT_SUCCESS(Status))
        Status = ReferenceWaitable(Handle, &Object, &Header);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = WaitOne(Header, Alertable, Timeout);
    ObDereferenceObject(Object);
    return Status;
}

typedef struct WAIT_SET {
    ULONG Count;
    PVOID Objects[MAXIMUM_WAIT_OBJECTS], Headers[MAXIMUM_WAIT_OBJECTS];
    HANDLE Handles[MAXIMUM_WAIT_OBJECTS];
    KWAIT_BLOCK Blocks[MAXIMUM_WAIT_OBJECTS];
} WAIT_SET;

static void ReleaseSet(WAIT_SET *Set)
{
    while (Set->Count != 0)
        ObDereferenceObject(Set->Objects[--Set->Count]);
}

/* The same object twice cannot be waited for as "all". */
static BOOLEAN HasDuplicate(const WAIT_SET *Set)
{
    for (ULONG i = 1; i < Set->Count; i++)
        for (ULONG j = 0; j < i; j++)
            if (Set->Headers[i] == Set->Headers[j])
                return TRUE;
    return FALSE;
}

static NTSTATUS ReferenceSet(WAIT_SET *Set, ULONG Count, PHANDLE Handles, WAIT_TYPE Type)
{
    Set->Count = 0;
    NTSTATUS Status = NtpRead(NtpMode(), Set->Handles, Handles, Count * sizeof(HANDLE));
    for (ULONG i = 0; i < Count && NT_SUCCESS(Status); i++) {
        Status = ReferenceWaitable(Set->Handles[i], &Set->Objects[i], &Set->Headers[i]);
        if (NT_SUCCESS(Status))
            Set->Count++;
    }
    if (NT_SUCCESS(Status) && Type == WaitAll && HasDuplicate(Set))
        Status = STATUS_INVALID_PARAMETER_MIX;
    if (!NT_SUCCESS(Status))
        ReleaseSet(Set);
    return Status;
}

static NTSTATUS WaitSet(WAIT_SET *Set, WAIT_TYPE Type, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    NTSTATUS Status;
    __try {
        Status = KeWaitForMultipleObjects(Set->Count, Set->Headers, Type, UserRequest, NtpMode(),
                                          Alertable, Timeout, Set->Blocks);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* 1 to 64 handles. STATUS_INVALID_PARAMETER_1: their count, _3: the type, _MIX: one object twice
 * with WaitAll. Doc: ntifs/nf-ntifs-zwwaitformultipleobjects */
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, PHANDLE Handles, WAIT_TYPE Type,
                                        BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    LARGE_INTEGER Storage;
    WAIT_SET Set;
    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS)
        return STATUS_INVALID_PARAMETER_1;
    if (Type != WaitAll && Type != WaitAny)
        return STATUS_INVALID_PARAMETER_3;
    NTSTATUS Status = NtpCaptureTimeout(NtpMode(), Timeout, &Storage, &Timeout);
    if (NT_SUCCESS(Status))
        Status = ReferenceSet(&Set, Count, Handles, Type);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = WaitSet(&Set, Type, Alertable, Timeout);
    ReleaseSet(&Set);
    return Status;
}

/* Signals with the wait that follows announced, so that no other thread runs in between. */
static NTSTATUS SignalForWait(PVOID Object)
{
    POBJECT_TYPE Type = ObHeader(Object)->Type;
    LONG Was;
    if (Type == ObpEventType)
        KeSetEvent(Object, EVENT_INCREMENT, TRUE);
    else if (Type == ObpSemaphoreType)
        return NtpReleaseSemaphore(Object, 1, TRUE, &Was);
    else if (((PRKMUTEX)Object)->OwnerThread != (PKTHREAD)KiSelf)
        return STATUS_MUTANT_NOT_OWNED;
    else
        KeReleaseMutex(Object, TRUE);
    return STATUS_SUCCESS;
}

static NTSTATUS ReferenceSignal(HANDLE Handle, PVOID *Object)
{
    OBJECT_HANDLE_INFORMATION Granted;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, NULL, NtpMode(), Object, &Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    POBJECT_TYPE Type = ObHeader(*Object)->Type;
    if (Type != ObpEventType && Type != ObpSemaphoreType && Type != ObpMutantType)
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (NtpMode() != KernelMode && Type != ObpMutantType &&
             (Granted.GrantedAccess & EVENT_MODIFY_STATE) == 0)
        Status = STATUS_ACCESS_DENIED; /* SEMAPHORE_MODIFY_STATE is the same bit */
    if (!NT_SUCCESS(Status))
        ObDereferenceObject(*Object);
    return Status;
}

/* Signal: an event, a semaphore, or a mutant of the caller's. */
NTSTATUS NTAPI NtSignalAndWaitForSingleObject(HANDLE Signal, HANDLE Wait, BOOLEAN Alertable,
                                              PLARGE_INTEGER Timeout)
{
    LARGE_INTEGER Storage;
    PVOID SignalObject, WaitObject, Header;
    NTSTATUS Status = NtpCaptureTimeout(NtpMode(), Timeout, &Storage, &Timeout);
    if (NT_SUCCESS(Status))
        Status = ReferenceSignal(Signal, &SignalObject);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ReferenceWaitable(Wait, &WaitObject, &Header);
    if (NT_SUCCESS(Status)) {
        Status = SignalForWait(SignalObject);
        if (NT_SUCCESS(Status))
            Status = WaitOne(Header, Alertable, Timeout);
        ObDereferenceObject(WaitObject);
    }
    ObDereferenceObject(SignalObject);
    return Status;
}

NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    LARGE_INTEGER Captured;
    NTSTATUS Status = NTP_READ(NtpMode(), Captured, Interval);
    return NT_SUCCESS(Status) ? KeDelayExecutionThread(NtpMode(), Alertable, &Captured) : Status;
}

/* STATUS_NO_YIELD_PERFORMED is never returned: whether another thread ran is Linux's secret. Doc:
 * ntifs/nf-ntifs-zwyieldexecution */
NTSTATUS NTAPI NtYieldExecution(VOID)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    return KeDelayExecutionThread(KernelMode, FALSE, &Now);
}

/* STATUS_ALERTED if the thread was alerted; pending user APCs are made ready for delivery. */
NTSTATUS NTAPI NtTestAlert(VOID)
{
    return KeTestAlertThread_(NtpMode()) ? STATUS_ALERTED : STATUS_SUCCESS;
}

/* Doc: ntifs/nf-ntifs-zwalertthread */
NTSTATUS NTAPI NtAlertThread(HANDLE Handle)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PETHREAD Thread;
    NTSTATUS Status = NtpReference(Handle, THREAD_ALERT, *PsThreadType, Mode, (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAlertThread_((struct _KTHREAD *)Thread, Mode);
    ObDereferenceObject(Thread);
    return STATUS_SUCCESS;
}

static void NTAPI FreeApc(PRKAPC Apc)
{
    ExFreePoolWithTag(Apc, NTP_TAG);
}

static void NTAPI RunApc(PRKAPC Apc, KI_NORMAL_ROUTINE **Routine, PVOID *Context, PVOID *Argument1,
                         PVOID *Argument2)
{
    FreeApc(Apc);
}

/* The APC runs in the thread's client when it next waits alertably. Needs THREAD_SET_CONTEXT;
 * STATUS_UNSUCCESSFUL for a thread that has ended, STATUS_INVALID_HANDLE for a system thread, which
 * has no user mode. */
NTSTATUS NTAPI NtQueueApcThread(HANDLE Handle, PPS_APC_ROUTINE Routine, PVOID Argument1,
                                PVOID Argument2, PVOID Argument3)
{
    struct _ETHREAD *Thread;
    NTSTATUS Status =
        NtpReference(Handle, THREAD_SET_CONTEXT, *PsThreadType, NtpMode(), (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    PRKAPC Apc = NULL;
    if (Thread->Tcb.SystemThread)
        Status = STATUS_INVALID_HANDLE;
    else if ((Apc = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Apc), NTP_TAG)) == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    else
        KeInitializeApc(Apc, &Thread->Tcb, OriginalApcEnvironment, RunApc, FreeApc,
                        (KI_NORMAL_ROUTINE *)Routine, UserMode, Argument1);
    if (Apc != NULL && !KeInsertQueueApc(Apc, Argument2, Argument3, 0)) {
        FreeApc(Apc);
        Status = STATUS_UNSUCCESSFUL;
    }
    ObDereferenceObject(Thread);
    return Status;
}
