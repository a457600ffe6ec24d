/*
 * Threads: open, end, query, set.
 */
#include "nt/capture.h"

/* Without a thread id, none is found: STATUS_INVALID_CID. Doc: ntifs (ZwOpenThread) */
NTSTATUS NTAPI NtOpenThread(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                            PCLIENT_ID ClientId)
{
    struct _ETHREAD *Thread;
    CLIENT_ID Id;
    ULONG Flags;
    NTSTATUS Status = NtpProbe(NtpMode(), Handle, sizeof(*Handle));
    if (NT_SUCCESS(Status))
        Status = NtpCaptureClientId(Attributes, ClientId, &Id, &Flags);
    if (NT_SUCCESS(Status))
        Status = PsLookupThreadByThreadId(Id.UniqueThread, &Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Id.UniqueProcess != NULL && Thread->UniqueProcessId != Id.UniqueProcess) {
        ObDereferenceObject(Thread);
        return STATUS_INVALID_CID;
    }
    return NtpOpenFound(Thread, *PsThreadType, Flags, Desired, Handle);
}

/* Handle NULL: the caller. Needs THREAD_TERMINATE; a system thread ends only by itself
 * (STATUS_INVALID_PARAMETER). */
NTSTATUS NTAPI NtTerminateThread(HANDLE Handle, NTSTATUS ExitStatus)
{
    struct _ETHREAD *Thread;
    NTSTATUS Status = NtpReference(Handle == NULL ? ZwCurrentThread() : Handle, THREAD_TERMINATE,
                                   *PsThreadType, NtpMode(), (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Thread->Tcb.SystemThread)
        Status = STATUS_INVALID_PARAMETER;
    else
        PsTerminateThread_(Thread, ExitStatus);
    ObDereferenceObject(Thread);
    return Status;
}

static NTSTATUS QueryBasic(struct _ETHREAD *Thread, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    THREAD_BASIC_INFORMATION Basic;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.ExitStatus = Thread->ExitStatus;
    Basic.ClientId = (CLIENT_ID){Thread->UniqueProcessId, Thread->UniqueThreadId};
    Basic.AffinityMask = __atomic_load_n(&Thread->Tcb.Affinity, __ATOMIC_RELAXED);
    Basic.Priority = __atomic_load_n(&Thread->Tcb.Priority, __ATOMIC_RELAXED);
    Basic.BasePriority = __atomic_load_n(&Thread->Tcb.BasePriority, __ATOMIC_RELAXED);
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Basic, sizeof(Basic));
}

static NTSTATUS QueryTimes(struct _ETHREAD *Thread, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    KERNEL_USER_TIMES Times = {.CreateTime = Thread->CreateTime,
                               .ExitTime.QuadPart = Thread->ExitTime};
    PsQueryThreadTimes_(Thread, (PULONG64)&Times.KernelTime, (PULONG64)&Times.UserTime);
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Times, sizeof(Times));
}

static NTSTATUS QueryWord(ULONG Value, PVOID Information, ULONG Length, PULONG Returned)
{
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Value, sizeof(Value));
}

static ULONG IsIoPending(struct _ETHREAD *Thread)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Thread->IrpListLock, &Irql);
    ULONG Pending = !IsListEmpty(&Thread->IrpList);
    KeReleaseSpinLock(&Thread->IrpListLock, Irql);
    return Pending;
}

static NTSTATUS Query(struct _ETHREAD *Thread, THREADINFOCLASS Class, PVOID Information,
                      ULONG Length, PULONG Returned)
{
    switch ((int)Class) {
    case ThreadBasicInformation:
        return QueryBasic(Thread, Information, Length, Returned);
    case ThreadTimes:
        return QueryTimes(Thread, Information, Length, Returned);
    case ThreadQuerySetWin32StartAddress:
        return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Thread->StartRoutine,
                             sizeof(PVOID));
    case ThreadAmILastThread: /* asked by a thread about itself */
        return QueryWord(atomic_load(&PsSelf()->Process->ActiveThreads) == 1, Information, Length,
                         Returned);
    case ThreadIsIoPending:
        return QueryWord(IsIoPending(Thread), Information, Length, Returned);
    case ThreadIsTerminated:
        return QueryWord(Thread->ExitStatus != STATUS_PENDING, Information, Length, Returned);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

NTSTATUS NTAPI NtQueryInformationThread(HANDLE Handle, THREADINFOCLASS Class, PVOID Information,
                                        ULONG Length, PULONG Returned)
{
    struct _ETHREAD *Thread;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(NtpMode(), Returned);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, THREAD_QUERY_INFORMATION, *PsThreadType, NtpMode(),
                              (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Query(Thread, Class, Information, Length, Returned);
    ObDereferenceObject(Thread);
    return Status;
}

static NTSTATUS SetPriority(struct _ETHREAD *Thread, KPRIORITY Priority)
{
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY)
        return STATUS_INVALID_PARAMETER;
    if (Priority >= LOW_REALTIME_PRIORITY &&
        !SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_INC_BASE_PRIORITY_PRIVILEGE), NtpMode()))
        return STATUS_PRIVILEGE_NOT_HELD;
    KeSetPriorityThread((PKTHREAD)Thread, Priority);
    return STATUS_SUCCESS;
}

static NTSTATUS SetBasePriority(struct _ETHREAD *Thread, LONG Increment)
{
    if (Increment < -16 || Increment > 16)
        return STATUS_INVALID_PARAMETER;
    KeSetBasePriorityThread((PKTHREAD)Thread, Increment);
    return STATUS_SUCCESS;
}

/* A NULL handle ends impersonation. */
static NTSTATUS SetToken(struct _ETHREAD *Thread, HANDLE Handle)
{
    SE_TOKEN *Token;
    if (Handle == NULL)
        return PsImpersonateClient(Thread, NULL, FALSE, FALSE, SecurityAnonymous);
    NTSTATUS Status =
        NtpReference(Handle, TOKEN_IMPERSONATE, SeTokenObjectType_, NtpMode(), (PVOID *)&Token);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Token->Type != TokenImpersonation)
        Status = STATUS_BAD_TOKEN_TYPE;
    else
        Status = PsImpersonateClient(Thread, Token, TRUE, FALSE, Token->Level);
    ObDereferenceObject(Token);
    return Status;
}

typedef struct SETTING {
    THREADINFOCLASS Class;
    ULONG Bytes;
    ACCESS_MASK Access;
} SETTING;
static const SETTING Settings[] = {
    {ThreadPriority, sizeof(KPRIORITY), THREAD_SET_INFORMATION},
    {ThreadBasePriority, sizeof(LONG), THREAD_SET_INFORMATION},
    {ThreadImpersonationToken, sizeof(HANDLE), THREAD_SET_THREAD_TOKEN},
};

/* Priority, base priority, impersonation token. Doc: ntifs/nf-ntifs-ntsetinformationthread */
NTSTATUS NTAPI NtSetInformationThread(HANDLE Handle, THREADINFOCLASS Class, PVOID Information,
                                      ULONG Length)
{
    struct _ETHREAD *Thread;
    union {
        LONG Number;
        HANDLE Handle;
    } Value = {.Handle = NULL};
    const SETTING *Setting = Settings;
    while (Setting->Class != Class)
        if (++Setting == Settings + RTL_NUMBER_OF(Settings))
            return STATUS_INVALID_INFO_CLASS;
    if (Length != Setting->Bytes)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = NtpRead(NtpMode(), &Value, Information, Length);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, Setting->Access, *PsThreadType, NtpMode(), (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Class == ThreadPriority)
        Status = SetPriority(Thread, Value.Number);
    else if (Class == ThreadBasePriority)
        Status = SetBasePriority(Thread, Value.Number);
    else
        Status = SetToken(Thread, Value.Handle);
    ObDereferenceObject(Thread);
    return Status;
}
