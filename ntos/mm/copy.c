/* MmCopyMemory: any memory, without ever faulting. */
#include "mi.h"

#define MI_SHARED_DATA ((ULONG_PTR)0x7FFE0000)

/* Bytes from Address on that lie in one page and can be asked for at once. */
static SIZE_T MiPieceAt(ULONG64 Address, SIZE_T Bytes)
{
    return min(PAGE_SIZE - BYTE_OFFSET(Address), Bytes);
}

static BOOLEAN (*MiIsImage)(const void *Address);

void MmSetImageQuery(BOOLEAN (*IsImage)(const void *Address))
{
    MiIsImage = IsImage;
}

/* What is neither a slot nor system space is Linux's. It is user memory in the embedded form; a
 * client's is its own process's. Images and the shared data are there for everybody. */
static BOOLEAN MiLinuxIsHere(const void *Address)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();

    return !Space || Space->Embedded || (MiIsImage && MiIsImage(Address)) ||
           PAGE_ALIGN(Address) == (PVOID)MI_SHARED_DATA;
}

/* The client's hand can be asked, which may take its time. */
static BOOLEAN MiIsWithClient(const void *Address)
{
    ULONG_PTR At = (ULONG_PTR)Address;

    return (At < MM_SLOT_LOW || At >= MM_SYSTEM_HIGH) && !MiLinuxIsHere(Address) &&
           KeGetCurrentIrql() == PASSIVE_LEVEL;
}

static SIZE_T MiCopyFromClient(char *To, const char *From, SIZE_T Bytes)
{
    return NT_SUCCESS(MmCopyFromUser(To, From, Bytes)) ? Bytes : 0;
}

static BOOLEAN MiSourceIsThere(const void *Address)
{
    ULONG_PTR At = (ULONG_PTR)Address;
    MM_PTE Pte;

    if (At >> 47)
        return FALSE;
    if (At < MM_SLOT_LOW || At >= MM_SYSTEM_HIGH)
        return MiLinuxIsHere(Address) || MiIsWithClient(Address);
    return MiTranslate(Address, &Pte);
}

static SIZE_T MiCopyVirtual(char *To, const char *From, SIZE_T Bytes)
{
    SIZE_T Done = 0;

    while (Done < Bytes) {
        const char *At = (const char *)((ULONG_PTR)From + Done); /* any number may be asked for */
        SIZE_T Piece = MiPieceAt((ULONG_PTR)At, Bytes - Done), Copied;

        if (!MiSourceIsThere(At))
            break;
        Copied = MiIsWithClient(At) ? MiCopyFromClient(To + Done, At, Piece)
                                    : MiCopyGuarded(To + Done, At, Piece);
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
