/*
 * Semaphores.
 */
#include "nt/capture.h"
#include <ntseh.h>

typedef struct COUNTS {
    LONG Initial, Maximum;
} COUNTS;

static NTSTATUS Initialize(PVOID Body, PVOID Context)
{
    COUNTS *Counts = Context;
    KeInitializeSemaphore(Body, Counts->Initial, Counts->Maximum);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtCreateSemaphore(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                                 LONG InitialCount, LONG MaximumCount)
{
    COUNTS Counts = {InitialCount, MaximumCount};
    if (InitialCount < 0 || MaximumCount <= 0 || InitialCount > MaximumCount)
        return STATUS_INVALID_PARAMETER;
    return NtpCreateObject(ObpSemaphoreType, sizeof(KSEMAPHORE), Initialize, &Counts, Handle,
                           Desired, Attributes);
}

NTSTATUS NTAPI NtOpenSemaphore(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpSemaphoreType, Handle, Desired, Attributes);
}

NTSTATUS NtpReleaseSemaphore(PRKSEMAPHORE Semaphore, LONG Count, BOOLEAN Wait, PLONG Was)
{
    NTSTATUS Status = STATUS_SUCCESS;
    __try {
        *Was = KeReleaseSemaphore(Semaphore, SEMAPHORE_INCREMENT, Count, Wait);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode(); /* STATUS_SEMAPHORE_LIMIT_EXCEEDED */
    }
    return Status;
}

/* STATUS_SEMAPHORE_LIMIT_EXCEEDED, and no change, if the count would pass the maximum. */
NTSTATUS NTAPI NtReleaseSemaphore(HANDLE Handle, LONG ReleaseCount, PLONG PreviousCount)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKSEMAPHORE Semaphore;
    LONG Was = 0;
    if (ReleaseCount <= 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, PreviousCount);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, SEMAPHORE_MODIFY_STATE, ObpSemaphoreType, Mode,
                              (PVOID *)&Semaphore);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpReleaseSemaphore(Semaphore, ReleaseCount, FALSE, &Was);
    ObDereferenceObject(Semaphore);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(Mode, PreviousCount, Was) : Status;
}

/* Needs SEMAPHORE_QUERY_STATE. */
NTSTATUS NTAPI NtQuerySemaphore(HANDLE Handle, SEMAPHORE_INFORMATION_CLASS Class, PVOID Information,
                                ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKSEMAPHORE Semaphore;
    if (Class != SemaphoreBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status =
        NtpReference(Handle, SEMAPHORE_QUERY_STATE, ObpSemaphoreType, Mode, (PVOID *)&Semaphore);
    if (!NT_SUCCESS(Status))
        return Status;
    SEMAPHORE_BASIC_INFORMATION Basic = {KeReadStateSemaphore(Semaphore), Semaphore->Limit};
    ObDereferenceObject(Semaphore);
    return NtpQueryFixed(Mode, Information, Length, Returned, &Basic, sizeof(Basic));
}
