/* MmCopyMemory: any memory, without ever faulting. */
#include "mi.h"

/* Bytes from Address on that lie in one page and can be asked for at once. */
static SIZE_T MiPieceAt(ULONG64 Address, SIZE_T Bytes)
{
    return min(PAGE_SIZE - BYTE_OFFSET(Address), Bytes);
}

static BOOLEAN MiSourceIsThere(const void *Address)
{
    ULONG_PTR At = (ULONG_PTR)Address;
    MM_PTE Pte;

    if (At >> 47)
        return FALSE;
    return (At < MM_SLOT_LOW || At >= MM_SYSTEM_HIGH) || MiTranslate(Address, &Pte);
}

static SIZE_T MiCopyVirtual(char *To, const char *From, SIZE_T Bytes)
{
    SIZE_T Done = 0;

    while (Done < Bytes) {
        SIZE_T Piece = MiPieceAt((ULONG_PTR)From + Done, Bytes - Done), Copied;

        if (!MiSourceIsThere(From + Done))
            break;
        Copied = MiCopyGuarded(To + Done, From + Done, Piece);
        Done += Copied;
        if (Copied != Piece)
            break;
    }
    return Done;
}

static SIZE_T MiCopyPhysical(char *To, ULONG64 From, SIZE_T Bytes)
{
    SIZE_T Done = 0;

    while (Done < Bytes) {
        SIZE_T Piece = MiPieceAt(From + Done, Bytes - Done);
        PHYSICAL_ADDRESS Physical = {.QuadPart = (LONGLONG)(From + Done)};
        void *Virtual;

        if (!MmPhysicalToVirtual(Physical, &Virtual) ||
            MiCopyGuarded(To + Done, Virtual, Piece) != Piece)
            break;
        Done += Piece;
    }
    return Done;
}

/*
 * Copies from any virtual or physical address; what is not there ends the copy:
 * STATUS_PARTIAL_COPY, or STATUS_ACCESS_VIOLATION (STATUS_INVALID_ADDRESS for a physical one) if
 * nothing was copied. STATUS_INVALID_PARAMETER_4 unless exactly one flag is given. IRQL <=
 * APC_LEVEL. Doc: ntddk/nf-ntddk-mmcopymemory
 */
NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
                            SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred)
{
    SIZE_T Done;

    VF_IRQL_MAX(APC_LEVEL);
    *NumberOfBytesTransferred = 0;
    if (Flags != MM_COPY_MEMORY_PHYSICAL && Flags != MM_COPY_MEMORY_VIRTUAL)
        return STATUS_INVALID_PARAMETER_4;
    if (Flags == MM_COPY_MEMORY_PHYSICAL)
        Done = MiCopyPhysical(TargetAddress, (ULONG64)SourceAddress.PhysicalAddress.QuadPart,
                              NumberOfBytes);
    else
        Done = MiCopyVirtual(TargetAddress, SourceAddress.VirtualAddress, NumberOfBytes);
    *NumberOfBytesTransferred = Done;
    if (Done == NumberOfBytes)
        return STATUS_SUCCESS;
    if (Done)
        return STATUS_PARTIAL_COPY;
    return Flags == MM_COPY_MEMORY_PHYSICAL ? STATUS_INVALID_ADDRESS : STATUS_ACCESS_VIOLATION;
}
