/*
 * Mutants: mutexes of clients. Unlike a driver's KMUTEX, an owned mutant does not disable APCs.
 */
#include "nt/capture.h"

static NTSTATUS Initialize(PVOID Body, PVOID InitialOwner)
{
    PRKMUTEX Mutant = Body;
    KeInitializeMutex(Mutant, 0);
    Mutant->ApcDisable = 0;
    if (InitialOwner != NULL) {
        LARGE_INTEGER Now = {.QuadPart = 0};
        return KeWaitForSingleObject(Mutant, Executive, KernelMode, FALSE, &Now);
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtCreateMutant(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                              BOOLEAN InitialOwner)
{
    return NtpCreateObject(ObpMutantType, sizeof(KMUTANT), Initialize,
                           InitialOwner ? (PVOID)1 : NULL, Handle, Desired, Attributes);
}

NTSTATUS NTAPI NtOpenMutant(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpMutantType, Handle, Desired, Attributes);
}

/* The handle needs no particular access: ownership is what counts. STATUS_MUTANT_NOT_OWNED
 * otherwise. */
NTSTATUS NTAPI NtReleaseMutant(HANDLE Handle, PLONG PreviousCount)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKMUTEX Mutant;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, PreviousCount);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, 0, ObpMutantType, Mode, (PVOID *)&Mutant);
    if (!NT_SUCCESS(Status))
        return Status;
    LONG Was = 0;
    if (Mutant->OwnerThread != (PKTHREAD)KiSelf) /* only this thread could make the two equal */
        Status = STATUS_MUTANT_NOT_OWNED;
    else
        Was = KeReleaseMutex(Mutant, FALSE);
    ObDereferenceObject(Mutant);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(Mode, PreviousCount, Was) : Status;
}

/* Needs MUTANT_QUERY_STATE. */
NTSTATUS NTAPI NtQueryMutant(HANDLE Handle, MUTANT_INFORMATION_CLASS Class, PVOID Information,
                             ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKMUTEX Mutant;
    if (Class != MutantBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status =
        NtpReference(Handle, MUTANT_QUERY_STATE, ObpMutantType, Mode, (PVOID *)&Mutant);
    if (!NT_SUCCESS(Status))
        return Status;
    MUTANT_BASIC_INFORMATION Basic;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.CurrentCount = KeReadStateMutex(Mutant);
    Basic.OwnedByCaller = Mutant->OwnerThread == (PKTHREAD)KiSelf;
    Basic.AbandonedState = Mutant->Abandoned;
    ObDereferenceObject(Mutant);
    return NtpQueryFixed(Mode, Information, Length, Returned, &Basic, sizeof(Basic));
}
