/* Memory descriptor lists: making, freeing, and what needs no mapping. */
#include "mdl.h"

#include <string.h>

#define MI_MDL_MAX_BYTES (0xFFFFFFFFu - PAGE_SIZE + 1)
#define MI_MDL_FIXED_PAGES 17 /* MDLs up to this size are alike on NT, and say so in a flag */

/* Bytes of an MDL that describes a buffer. Any IRQL. Doc: wdm/nf-wdm-mmsizeofmdl */
SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) +
           (((BYTE_OFFSET(Base) + Length + PAGE_SIZE - 1) >> PAGE_SHIFT) * sizeof(PFN_NUMBER));
}

static void MiInitializeMdl(PMDL Mdl, PVOID Base, SIZE_T Length)
{
    SIZE_T Size = MmSizeOfMdl(Base, Length);

    MmInitializeMdl(Mdl, Base, Length);
    Mdl->Size = (CSHORT)min(Size, (SIZE_T)MAXSHORT & ~(SIZE_T)7);
    Mdl->Process = NULL;
}

static void MiLinkToIrp(PMDL Mdl, PIRP Irp, BOOLEAN SecondaryBuffer)
{
    PMDL Last;

    if (!SecondaryBuffer || !Irp->MdlAddress) {
        Irp->MdlAddress = Mdl;
        return;
    }
    for (Last = Irp->MdlAddress; Last->Next; Last = Last->Next)
        ;
    Last->Next = Mdl;
}

/*
 * An MDL for a buffer of less than 4 GiB; NULL without memory. It becomes the IRP's first MDL or,
 * SecondaryBuffer, its last. Freed by IoFreeMdl. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-ioallocatemdl
 */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
                         BOOLEAN ChargeQuota, PIRP Irp)
{
    SIZE_T Size = MmSizeOfMdl(VirtualAddress, Length);
    PMDL Mdl;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Length > MI_MDL_MAX_BYTES)
        return NULL;
    Mdl = ExAllocatePoolWithTag(NonPagedPool, Size, MI_MDL_TAG);
    if (!Mdl)
        return NULL;
    MM_GIVE_TO_CALLER(Mdl);
    MiInitializeMdl(Mdl, VirtualAddress, Length);
    if (MiMdlPages(Mdl) <= MI_MDL_FIXED_PAGES)
        Mdl->MdlFlags = MDL_ALLOCATED_FIXED_SIZE;
    if (Irp)
        MiLinkToIrp(Mdl, Irp, SecondaryBuffer);
    return Mdl;
}

/*
 * Frees an MDL, not those chained to it. A partial MDL loses its own mapping; another one that is
 * still mapped is a bug check. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iofreemdl
 */
VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    if ((Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) && !(Mdl->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags,
                   0, "an MDL was freed whose pages are still mapped");
    ExFreePoolWithTag(Mdl, 0);
}

/* Obsolete: initialises an MDL, or allocates it too. Freed by ExFreePool then. */
PMDL NTAPI MmCreateMdl(PMDL MemoryDescriptorList, PVOID Base, SIZE_T Length)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!MemoryDescriptorList)
        MemoryDescriptorList =
            ExAllocatePoolWithTag(NonPagedPool, MmSizeOfMdl(Base, Length), MI_MDL_TAG);
    if (MemoryDescriptorList)
        MiInitializeMdl(MemoryDescriptorList, Base, Length);
    return MemoryDescriptorList;
}

/* A native driver's own data and stacks have no frames: the MDL works, but cannot be mapped
 * elsewhere. */
PFN_NUMBER MiFrameAt(const void *Address)
{
    MM_PTE Pte;

    return MiTranslate(Address, &Pte) ? MiPteFrame(Pte) : MI_NO_FRAME;
}

/*
 * Fills in the page numbers of a buffer in nonpaged memory. The MDL counts as mapped, at the
 * buffer's address. A user address, or one in paged pool, is a bug check. IRQL <= DISPATCH_LEVEL.
 * Doc: wdm/nf-wdm-mmbuildmdlfornonpagedpool
 */
VOID NTAPI MmBuildMdlForNonPagedPool(PMDL Mdl)
{
    char *Base = Mdl->StartVa;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if ((ULONG_PTR)Base >= MM_SLOT_LOW && (ULONG_PTR)Base < MM_SYSTEM_LOW)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE0, (ULONG_PTR)MmGetMdlVirtualAddress(Mdl),
                   Mdl->ByteCount, 0, "MmBuildMdlForNonPagedPool was given a user address");
    if (MiIsPagedPool(Base))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7F, KiIrql(), (ULONG_PTR)Mdl,
                   (USHORT)Mdl->MdlFlags, "MmBuildMdlForNonPagedPool was given paged pool");
    for (SIZE_T i = 0; i < MiMdlPages(Mdl); i++)
        MmGetMdlPfnArray(Mdl)[i] = MiFrameAt(Base + (i << PAGE_SHIFT));
    Mdl->Process = NULL;
    Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

static BOOLEAN MiIsWithin(PMDL Source, const char *Address, ULONG Length)
{
    ULONG_PTR Low = (ULONG_PTR)MmGetMdlVirtualAddress(Source);
    ULONG_PTR Start = (ULONG_PTR)Address;

    return Start >= Low && Start - Low <= Source->ByteCount &&
           Length <= Source->ByteCount - (Start - Low);
}

/*
 * Makes Target describe a part of the buffer that Source describes; Length 0: to its end. Target
 * must be large enough and not mapped. A mapping of Source in system space serves both. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iobuildpartialmdl
 */
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    ULONG Offset =
        (ULONG)((ULONG_PTR)VirtualAddress - (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl));
    CSHORT Mapped = SourceMdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL);
    SIZE_T First = ((ULONG_PTR)VirtualAddress - (ULONG_PTR)SourceMdl->StartVa) >> PAGE_SHIFT;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Length)
        Length = SourceMdl->ByteCount - Offset;
    NT_ASSERT(MiIsWithin(SourceMdl, VirtualAddress, Length));
    NT_ASSERT(MmSizeOfMdl(VirtualAddress, Length) <= (USHORT)TargetMdl->Size);
    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->MdlFlags &= MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED;
    TargetMdl->MdlFlags |=
        MDL_PARTIAL | (SourceMdl->MdlFlags & (MDL_WRITE_OPERATION | MDL_IO_PAGE_READ));
    memcpy(MmGetMdlPfnArray(TargetMdl), MmGetMdlPfnArray(SourceMdl) + First,
           MiMdlPages(TargetMdl) * sizeof(PFN_NUMBER));
    if (!Mapped)
        return;
    TargetMdl->MappedSystemVa = (char *)SourceMdl->MappedSystemVa + Offset;
    TargetMdl->MdlFlags |= Mapped | MDL_PARENT_MAPPED_SYSTEM_VA;
}

/*
 * Moves the beginning of a buffer forward; pages that it leaves behind are unlocked.
 * STATUS_INVALID_PARAMETER_2 if that is behind the end. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmadvancemdl
 */
NTSTATUS NTAPI MmAdvanceMdl(PMDL Mdl, ULONG NumberOfBytes)
{
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);
    SIZE_T Pages = MiMdlPages(Mdl), Passed;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (NumberOfBytes > Mdl->ByteCount)
        return STATUS_INVALID_PARAMETER_2;
    Passed = (Mdl->ByteOffset + (SIZE_T)NumberOfBytes) >> PAGE_SHIFT;
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
        MiUnlockPassed(Mdl, Passed);
    memmove(Frames, Frames + Passed, (Pages - Passed) * sizeof(*Frames));
    Mdl->StartVa = (char *)Mdl->StartVa + (Passed << PAGE_SHIFT);
    Mdl->ByteOffset = (ULONG)((Mdl->ByteOffset + (SIZE_T)NumberOfBytes) & (PAGE_SIZE - 1));
    Mdl->ByteCount -= NumberOfBytes;
    if (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        Mdl->MappedSystemVa = (char *)Mdl->MappedSystemVa + NumberOfBytes;
    return STATUS_SUCCESS;
}
