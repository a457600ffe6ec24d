/*
 * Virtual memory of a process: its slot.
 */
#include "nt/capture.h"

typedef struct RANGE {
    PVOID Base;
    SIZE_T Bytes;
} RANGE;

static NTSTATUS CaptureRange(KPROCESSOR_MODE Mode, PVOID *Base, PSIZE_T Bytes, RANGE *Range)
{
    NTSTATUS Status = NTP_READ(Mode, Range->Base, Base);
    return NT_SUCCESS(Status) ? NTP_READ(Mode, Range->Bytes, Bytes) : Status;
}

static NTSTATUS ReturnRange(KPROCESSOR_MODE Mode, PVOID *Base, PSIZE_T Bytes, const RANGE *Range)
{
    NTSTATUS Status = NTP_WRITE(Mode, Base, Range->Base);
    return NT_SUCCESS(Status) ? NTP_WRITE(Mode, Bytes, Range->Bytes) : Status;
}

/* Doc: ntifs/nf-ntifs-ntallocatevirtualmemory */
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE Handle, PVOID *Base, ULONG_PTR ZeroBits,
                                       PSIZE_T Bytes, ULONG Type, ULONG Protect)
{
    KPROCESSOR_MODE Mode = NtpMode();
    struct _EPROCESS *Process;
    RANGE Range;
    if (ZeroBits > 21 && ZeroBits < 32)
        return STATUS_INVALID_PARAMETER_3;
    NTSTATUS Status = CaptureRange(Mode, Base, Bytes, &Range);
    if (NT_SUCCESS(Status) && Range.Bytes == 0)
        Status = STATUS_INVALID_PARAMETER_4;
    if (NT_SUCCESS(Status))
        Status = NtpReferenceSpace(Handle, PROCESS_VM_OPERATION, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmAllocateUser(&Process->AddressSpace, &Range.Base, &Range.Bytes, Type, Protect);
    NtpReleaseSpace(Process);
    return NT_SUCCESS(Status) ? ReturnRange(Mode, Base, Bytes, &Range) : Status;
}

/* MEM_RELEASE takes a size of 0, MEM_DECOMMIT a range. Doc: ntifs/nf-ntifs-ntfreevirtualmemory */
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE Handle, PVOID *Base, PSIZE_T Bytes, ULONG Type)
{
    KPROCESSOR_MODE Mode = NtpMode();
    struct _EPROCESS *Process;
    RANGE Range;
    if (Type != MEM_RELEASE && Type != MEM_DECOMMIT)
        return STATUS_INVALID_PARAMETER_4;
    NTSTATUS Status = CaptureRange(Mode, Base, Bytes, &Range);
    if (NT_SUCCESS(Status))
        Status = NtpReferenceSpace(Handle, PROCESS_VM_OPERATION, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmFreeUser(&Process->AddressSpace, &Range.Base, &Range.Bytes, Type);
    NtpReleaseSpace(Process);
    return NT_SUCCESS(Status) ? ReturnRange(Mode, Base, Bytes, &Range) : Status;
}

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE Handle, PVOID *Base, PSIZE_T Bytes, ULONG Protect,
                                      PULONG Old)
{
    KPROCESSOR_MODE Mode = NtpMode();
    struct _EPROCESS *Process;
    ULONG Was = 0;
    RANGE Range;
    NTSTATUS Status = CaptureRange(Mode, Base, Bytes, &Range);
    if (NT_SUCCESS(Status))
        Status = NtpProbe(Mode, Old, sizeof(*Old));
    if (NT_SUCCESS(Status))
        Status = NtpReferenceSpace(Handle, PROCESS_VM_OPERATION, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmProtectUser(&Process->AddressSpace, &Range.Base, &Range.Bytes, Protect, &Was);
    NtpReleaseSpace(Process);
    if (NT_SUCCESS(Status))
        Status = ReturnRange(Mode, Base, Bytes, &Range);
    return NT_SUCCESS(Status) ? NTP_WRITE(Mode, Old, Was) : Status;
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE Handle, PVOID Base, MEMORY_INFORMATION_CLASS Class,
                                    PVOID Information, SIZE_T Length, PSIZE_T Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    struct _EPROCESS *Process;
    NTP_OUTPUT Output;
    SIZE_T Bytes = 0;
    if (Class != MemoryBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, Returned);
    if (NT_SUCCESS(Status))
        Status = NtpReferenceSpace(Handle, PROCESS_QUERY_INFORMATION, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpBeginOutput(&Output, Mode, Information, (ULONG)min(Length, sizeof(Output.Small)));
    if (NT_SUCCESS(Status)) {
        Status = MmQueryUser(&Process->AddressSpace, Base, Output.Buffer, Output.Length, &Bytes);
        Status = NtpEndOutput(&Output, Status, NT_SUCCESS(Status) ? (ULONG)Bytes : 0);
    }
    NtpReleaseSpace(Process);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(Mode, Returned, Bytes) : Status;
}

/* Copies between the caller and another process, a piece at a time through kernel memory. */
typedef struct TRANSFER {
    struct _EPROCESS *Process;
    ULONG_PTR Theirs, Ours;
    SIZE_T Bytes, Done;
    BOOLEAN Write;
} TRANSFER;
#define PIECE 0x4000u

static NTSTATUS TouchTheirs(const TRANSFER *Transfer, PVOID Piece, SIZE_T Bytes)
{
    KAPC_STATE Saved;
    KeStackAttachProcess((PKPROCESS)Transfer->Process, &Saved);
    NTSTATUS Status =
        Transfer->Write ? MmCopyToUser((PVOID)(Transfer->Theirs + Transfer->Done), Piece, Bytes)
                        : MmCopyFromUser(Piece, (PVOID)(Transfer->Theirs + Transfer->Done), Bytes);
    KeUnstackDetachProcess(&Saved);
    return Status;
}

static NTSTATUS CopyPieces(TRANSFER *Transfer, PVOID Piece)
{
    NTSTATUS Status = STATUS_SUCCESS;
    while (Transfer->Done < Transfer->Bytes && NT_SUCCESS(Status)) {
        SIZE_T Bytes = min(Transfer->Bytes - Transfer->Done, PIECE);
        if (Transfer->Write)
            Status = NtpRead(NtpMode(), Piece, (PVOID)(Transfer->Ours + Transfer->Done), Bytes);
        if (NT_SUCCESS(Status))
            Status = TouchTheirs(Transfer, Piece, Bytes);
        if (NT_SUCCESS(Status) && !Transfer->Write)
            Status = NtpWrite(NtpMode(), (PVOID)(Transfer->Ours + Transfer->Done), Piece, Bytes);
        if (NT_SUCCESS(Status))
            Transfer->Done += Bytes;
    }
    return !NT_SUCCESS(Status) && Transfer->Done != 0 ? STATUS_PARTIAL_COPY : Status;
}

static NTSTATUS Transfer(HANDLE Handle, ACCESS_MASK Access, TRANSFER *Transfer, PSIZE_T Count)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, Count);
    if (NT_SUCCESS(Status))
        Status = NtpReferenceSpace(Handle, Access, &Transfer->Process);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Piece = ExAllocatePoolWithTag(PagedPool, PIECE, NTP_TAG);
    Status = Piece == NULL ? STATUS_INSUFFICIENT_RESOURCES : CopyPieces(Transfer, Piece);
    if (Piece != NULL)
        ExFreePoolWithTag(Piece, NTP_TAG);
    NtpReleaseSpace(Transfer->Process);
    NTSTATUS Written = NTP_WRITE_OPTIONAL(Mode, Count, Transfer->Done);
    return NT_SUCCESS(Written) ? Status : Written;
}

/* STATUS_PARTIAL_COPY if some, but not all, could be read. Needs PROCESS_VM_READ. */
NTSTATUS NTAPI NtReadVirtualMemory(HANDLE Process, PVOID Base, PVOID Buffer, SIZE_T Bytes,
                                   PSIZE_T Read)
{
    TRANSFER Task = {NULL, (ULONG_PTR)Base, (ULONG_PTR)Buffer, Bytes, 0, FALSE};
    return Transfer(Process, PROCESS_VM_READ, &Task, Read);
}

/* Needs PROCESS_VM_WRITE. */
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE Process, PVOID Base, PVOID Buffer, SIZE_T Bytes,
                                    PSIZE_T Written)
{
    TRANSFER Task = {NULL, (ULONG_PTR)Base, (ULONG_PTR)Buffer, Bytes, 0, TRUE};
    return Transfer(Process, PROCESS_VM_WRITE, &Task, Written);
}

/* Nothing to do on x64 but to check the handle. */
NTSTATUS NTAPI NtFlushInstructionCache(HANDLE Handle, PVOID Base, ULONG Length)
{
    struct _EPROCESS *Process;
    NTSTATUS Status = NtpReferenceSpace(Handle, PROCESS_VM_WRITE, &Process);
    if (NT_SUCCESS(Status))
        NtpReleaseSpace(Process);
    return Status;
}
