/*
 * Time, identifiers, text output, shutdown; the state of the room beside the table.
 */
#include "nt/sysinfo.h"

static struct {
    void (*Shutdown)(void);
    atomic_llong NextLuid;
    KSPIN_LOCK UuidLock;
    LARGE_INTEGER UuidTime;
    ULONG UuidSequence;
    UCHAR UuidSeed[6];
    void (*TimerDelete)(PVOID Object); /* ob's, put back at the end */
} NtpState;

NTSTATUS NtpInitSystem(void)
{
    RtlZeroMemory(&NtpState, sizeof(NtpState));
    atomic_store(&NtpState.NextLuid, 0x10000); /* below: the well-known ones */
    KeInitializeSpinLock(&NtpState.UuidLock);
    host_random(NtpState.UuidSeed, sizeof(NtpState.UuidSeed));
    NtpState.UuidSeed[0] |= 1; /* a multicast address: not of a network card */
    host_random(&NtpState.UuidSequence, sizeof(NtpState.UuidSequence));
    NtpState.TimerDelete = ObpTimerType->Procedures.Delete;
    ObpTimerType->Procedures.Delete = NtpDeleteTimer;
    NtpInitLog();
    return NtpInitCompletionPorts();
}

void NtpShutdownSystem(void)
{
    NtpShutdownLog();
    ObpTimerType->Procedures.Delete = NtpState.TimerDelete;
}

void NtSetShutdownHook(void (*Hook)(void))
{
    NtpState.Shutdown = Hook;
}

/* Needs SeShutdownPrivilege. The kernel process ends after the call has returned, whatever the
 * action; STATUS_NOT_SUPPORTED in the embedded form. */
NTSTATUS NTAPI NtShutdownSystem(SHUTDOWN_ACTION Action)
{
    if (Action > ShutdownPowerOff)
        return STATUS_INVALID_PARAMETER;
    if (!SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_SHUTDOWN_PRIVILEGE), NtpMode()))
        return STATUS_PRIVILEGE_NOT_HELD;
    if (NtpState.Shutdown == NULL)
        return STATUS_NOT_SUPPORTED;
    NtpState.Shutdown();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtQuerySystemTime(PLARGE_INTEGER Time)
{
    LARGE_INTEGER Now;
    KeQuerySystemTime(&Now);
    return NTP_WRITE(NtpMode(), Time, Now);
}

NTSTATUS NTAPI NtQueryPerformanceCounter(PLARGE_INTEGER Counter, PLARGE_INTEGER Frequency)
{
    LARGE_INTEGER Rate, Now = KeQueryPerformanceCounter(&Rate);
    NTSTATUS Status = NTP_WRITE(NtpMode(), Counter, Now);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(NtpMode(), Frequency, Rate) : Status;
}

/* 100 ns. The coarsest, the finest and the present interval of the clock, which is fixed. */
NTSTATUS NTAPI NtQueryTimerResolution(PULONG Maximum, PULONG Minimum, PULONG Current)
{
    ULONG Coarsest, Finest, Present;
    Coarsest = Finest = Present = KeQueryTimeIncrement();
    NTSTATUS Status = NTP_WRITE(NtpMode(), Maximum, Coarsest);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(NtpMode(), Minimum, Finest);
    return NT_SUCCESS(Status) ? NTP_WRITE(NtpMode(), Current, Present) : Status;
}

/* The clock is as fine as it gets: a request is noted, and Current says what there is.
 * STATUS_TIMER_RESOLUTION_NOT_SET: taken back without one. */
NTSTATUS NTAPI NtSetTimerResolution(ULONG Desired, BOOLEAN Set, PULONG Current)
{
    ULONG Present = KeQueryTimeIncrement();
    NTSTATUS Status = NTP_WRITE(NtpMode(), Current, Present);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Was =
        __atomic_exchange_n(&PsSelf()->Process->TimerResolutionSet, Set != FALSE, __ATOMIC_RELAXED);
    return Set || Was ? STATUS_SUCCESS : STATUS_TIMER_RESOLUTION_NOT_SET;
}

/* Doc: ntddk/nf-ntddk-zwallocatelocallyuniqueid */
NTSTATUS NTAPI NtAllocateLocallyUniqueId(PLUID Luid)
{
    LONGLONG Value = atomic_fetch_add(&NtpState.NextLuid, 1);
    LUID New = {(ULONG)Value, (LONG)(Value >> 32)};
    return NTP_WRITE(NtpMode(), Luid, New);
}

/* A run of times for UUIDs of version 1: Range of them from Time (100 ns since 1582), a sequence
 * that tells boots apart, and a node. */
NTSTATUS NTAPI NtAllocateUuids(PLARGE_INTEGER Time, PULONG Range, PULONG Sequence, PUCHAR Seed)
{
    LARGE_INTEGER Now;
    ULONG Count = 1000;
    KIRQL Irql;
    KeQuerySystemTime(&Now);
    Now.QuadPart += 0x00146BF33E42C000; /* 1582-10-15 to 1601-01-01 */
    KeAcquireSpinLock(&NtpState.UuidLock, &Irql);
    LARGE_INTEGER First = {.QuadPart = max(NtpState.UuidTime.QuadPart, Now.QuadPart)};
    NtpState.UuidTime.QuadPart = First.QuadPart + Count;
    KeReleaseSpinLock(&NtpState.UuidLock, Irql);
    NTSTATUS Status = NTP_WRITE(NtpMode(), Time, First);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(NtpMode(), Range, Count);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(NtpMode(), Sequence, NtpState.UuidSequence);
    return NT_SUCCESS(Status)
               ? NtpWrite(NtpMode(), Seed, NtpState.UuidSeed, sizeof(NtpState.UuidSeed))
               : Status;
}

/* To the debug log. Needs SeTcbPrivilege. Doc: ntddk (ZwDisplayString) */
NTSTATUS NTAPI NtDisplayString(PUNICODE_STRING String)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Captured;
    if (!SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_TCB_PRIVILEGE), Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = NtpCaptureString(Mode, String, &Captured);
    if (NT_SUCCESS(Status))
        DbgPrint("%wZ", &Captured);
    NtpReleaseString(Mode, &Captured);
    return Status;
}

ULONG NTAPI NtGetCurrentProcessorNumber(VOID)
{
    return KeGetCurrentProcessorNumber();
}
