/*
 * The debug log for clients: reading lines from a sequence number on, and waiting for one.
 *
 * A waiter is on the list before it looks, so no line is missed. The lock is taken at
 * DISPATCH_LEVEL by whoever prints.
 */
#include "nt/sysinfo.h"
#include <string.h>

_Static_assert(sizeof(USERNT_LOG_LINE) == sizeof(VF_LOG_LINE) &&
                   FIELD_OFFSET(USERNT_LOG_LINE, Text) == FIELD_OFFSET(VF_LOG_LINE, Text),
               "the public line is vf's");

typedef struct WAITER {
    LIST_ENTRY Links;
    KEVENT Event;
} WAITER;

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY Waiters;
    atomic_uint Count;
} NtpLog;

/* Called after each line. Above DISPATCH_LEVEL nobody can be woken: the waiters look again by
 * themselves. */
static void Wake(void)
{
    KIRQL Irql;
    if (atomic_load(&NtpLog.Count) == 0 || KiSelf == NULL || KiSelf->Irql > DISPATCH_LEVEL)
        return;
    KeAcquireSpinLock(&NtpLog.Lock, &Irql);
    for (PLIST_ENTRY Entry = NtpLog.Waiters.Flink; Entry != &NtpLog.Waiters; Entry = Entry->Flink)
        KeSetEvent(&CONTAINING_RECORD(Entry, WAITER, Links)->Event, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&NtpLog.Lock, Irql);
}

void NtpInitLog(void)
{
    KeInitializeSpinLock(&NtpLog.Lock);
    InitializeListHead(&NtpLog.Waiters);
    atomic_store(&NtpLog.Count, 0);
    VfLogSubscribe(Wake);
}

void NtpShutdownLog(void)
{
    VfLogSubscribe(NULL);
    NT_ASSERT(IsListEmpty(&NtpLog.Waiters));
}

BOOLEAN NtpIsAdministrator(void)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    if (NtpMode() == KernelMode)
        return TRUE;
    SeCaptureSubjectContext(&Subject);
    BOOLEAN Administrator = SeTokenIsAdmin(SeQuerySubjectContextToken(&Subject));
    SeReleaseSubjectContext(&Subject);
    return Administrator;
}

static NTSTATUS Begin(PVOID Information, ULONG Length, PULONG64 Sequence)
{
    if (!NtpIsAdministrator())
        return STATUS_ACCESS_DENIED;
    if (Length < sizeof(*Sequence))
        return STATUS_INFO_LENGTH_MISMATCH;
    return NTP_READ(NtpMode(), *Sequence, Information);
}

/* As many whole lines as there is room for; success with none if there are none yet. */
NTSTATUS NtpReadLog(PVOID Information, ULONG Length, PULONG Returned)
{
    NTP_ANSWER Answer = {.Needed = 0};
    ULONG64 Sequence;
    VF_LOG_LINE Line;
    NTSTATUS Status = Begin(Information, Length, &Sequence);
    if (NT_SUCCESS(Status))
        Status = NtpBeginOutput(&Answer.Output, NtpMode(), Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    while (Answer.Needed + sizeof(Line) <= Answer.Output.Length && VfLogRead(Sequence, &Line)) {
        memcpy(NtpReserve(&Answer, sizeof(Line)), &Line, sizeof(Line));
        Sequence = Line.Sequence + 1;
    }
    if (Answer.Needed == 0 && Length < sizeof(Line))
        Status = STATUS_INFO_LENGTH_MISMATCH;
    return NtpEndAnswer(&Answer, Status, STATUS_INFO_LENGTH_MISMATCH, Returned);
}

static NTSTATUS WaitForLine(ULONG64 Sequence)
{
    WAITER *Waiter = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Waiter),
                                           NTP_TAG); /* user-mode waits are not for the stack */
    VF_LOG_LINE Line;
    NTSTATUS Status = STATUS_SUCCESS;
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    KIRQL Irql;
    if (Waiter == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeEvent(&Waiter->Event, SynchronizationEvent, FALSE);
    KeAcquireSpinLock(&NtpLog.Lock, &Irql);
    InsertTailList(&NtpLog.Waiters, &Waiter->Links);
    atomic_fetch_add(&NtpLog.Count, 1);
    KeReleaseSpinLock(&NtpLog.Lock, Irql);
    while ((Status == STATUS_SUCCESS || Status == STATUS_TIMEOUT) && !VfLogRead(Sequence, &Line))
        Status = KeWaitForSingleObject(&Waiter->Event, UserRequest, NtpMode(), TRUE, &Second);
    KeAcquireSpinLock(&NtpLog.Lock, &Irql);
    RemoveEntryList(&Waiter->Links);
    atomic_fetch_sub(&NtpLog.Count, 1);
    KeReleaseSpinLock(&NtpLog.Lock, Irql);
    ExFreePoolWithTag(Waiter, NTP_TAG);
    return Status == STATUS_TIMEOUT ? STATUS_SUCCESS : Status;
}

/* The statuses of an alertable wait. */
NTSTATUS NtpWaitLog(PVOID Information, ULONG Length, PULONG Returned)
{
    ULONG64 Sequence;
    NTSTATUS Status = Begin(Information, Length, &Sequence);
    return NT_SUCCESS(Status) ? WaitForLine(Sequence) : Status;
}
