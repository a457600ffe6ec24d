/*
 * Locking: from a buffer's addresses to its frames.
 *
 * System addresses and the current process's slot have frames. Ordinary memory (of an embedding
 * program, of a native driver) has none: it is copied into frames of its own, a shadow, and back
 * when it is unlocked, if the operation writes.
 */
#include "mdl.h"

#include <stdlib.h>

typedef struct MI_SHADOW {
    char *Address;
    SIZE_T Bytes;
    ULONG Offset;
    PFN_NUMBER First;
    SIZE_T Pages;
    BOOLEAN Write;
} MI_SHADOW;

/* ---- frames that exist ---- */

static BOOLEAN MiLockFrame(PFN_NUMBER Number)
{
    MI_FRAME *Frame = MiFrameOf(Number);

    if (!Frame)
        return FALSE;
    Frame->Locks++;
    MiLockedPages++;
    return TRUE;
}

static void MiUnlockFrame(PFN_NUMBER Number)
{
    MI_FRAME *Frame = MiFrameOf(Number);

    if (!Frame || !Frame->Locks)
        VfBugCheck(PFN_LIST_CORRUPT, 0x07, Number, 0, 0,
                   "a page was unlocked more often than it was locked");
    Frame->Locks--;
    MiLockedPages--;
}

static BOOLEAN MiLockOne(const void *Address, ULONG64 Needed, PFN_NUMBER *Number)
{
    MM_PTE Pte;

    if (!MiTranslate(Address, &Pte) || (Pte.Value & Needed) != Needed)
        return FALSE;
    *Number = MiPteFrame(Pte);
    return MiLockFrame(*Number);
}

/* FALSE: some page is not there or may not be used so; then none is locked. */
static BOOLEAN MiLockMapped(PMDL Mdl, ULONG64 Needed)
{
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);

    for (SIZE_T i = 0; i < MiMdlPages(Mdl); i++) {
        if (MiLockOne((char *)Mdl->StartVa + (i << PAGE_SHIFT), Needed, &Frames[i]))
            continue;
        while (i-- > 0)
            MiUnlockFrame(Frames[i]);
        return FALSE;
    }
    return TRUE;
}

/* ---- shadows ---- */

static BOOLEAN MiShadowReadable(MI_SHADOW *Shadow)
{
    ULONG_PTR At = (ULONG_PTR)Shadow->Address, End = At + Shadow->Bytes;
    char *To = (char *)MmFrameAddress(Shadow->First) + Shadow->Offset;

    if (MiCopyGuarded(To, Shadow->Address, Shadow->Bytes) != Shadow->Bytes)
        return FALSE;
    for (; Shadow->Write && At < End; At = (At & ~(ULONG_PTR)(PAGE_SIZE - 1)) + PAGE_SIZE)
        if (!MiTouchGuarded((void *)At, TRUE))
            return FALSE;
    return TRUE;
}

/* Under a sanitizer only the buffer itself may be touched. */
static void MiFenceShadow(const MI_SHADOW *Shadow)
{
    char *Base = MmFrameAddress(Shadow->First);
    SIZE_T End = Shadow->Offset + Shadow->Bytes;

    host_poison(Base, Shadow->Offset & ~7u);
    host_poison(Base + End, (Shadow->Pages << PAGE_SHIFT) - End);
}

static void MiEnterShadow(PMDL Mdl, MI_SHADOW *Shadow)
{
    for (SIZE_T i = 0; i < Shadow->Pages; i++) {
        MiRam.Frames[Shadow->First + i].Owner = (ULONG_PTR)Shadow;
        MiLockFrame(Shadow->First + i);
        MmGetMdlPfnArray(Mdl)[i] = Shadow->First + i;
    }
}

static NTSTATUS MiLockOrdinary(PMDL Mdl, BOOLEAN Write)
{
    MI_SHADOW *Shadow = malloc(sizeof(*Shadow));
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!Shadow)
        return Status;
    *Shadow = (MI_SHADOW){.Address = (PVOID)((ULONG_PTR)Mdl->StartVa + Mdl->ByteOffset),
                          .Bytes = Mdl->ByteCount,
                          .Offset = Mdl->ByteOffset,
                          .Pages = MiMdlPages(Mdl),
                          .Write = Write};
    Status = MiAllocateRun(max(Shadow->Pages, 1), MiFrameShadow, &Shadow->First);
    if (NT_SUCCESS(Status) && !MiShadowReadable(Shadow)) {
        MmFreeFrames(Shadow->First, max(Shadow->Pages, 1));
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (!NT_SUCCESS(Status)) {
        free(Shadow);
        return Status;
    }
    MiFenceShadow(Shadow);
    MiEnterShadow(Mdl, Shadow);
    return STATUS_SUCCESS;
}

static MI_SHADOW *MiShadowOf(PMDL Mdl)
{
    PFN_NUMBER First = MmGetMdlPfnArray(Mdl)[0];

    if (!MiMdlPages(Mdl) || First >= MiRam.Count || MiRam.Frames[First].State != MiFrameShadow)
        return NULL;
    return (MI_SHADOW *)MiRam.Frames[First].Owner;
}

/* What the program did not keep cannot be written back: its business. */
static void MiUnlockOrdinary(MI_SHADOW *Shadow)
{
    if (Shadow->Write)
        MiCopyGuarded(Shadow->Address, (char *)MmFrameAddress(Shadow->First) + Shadow->Offset,
                      Shadow->Bytes);
    for (SIZE_T i = 0; i < Shadow->Pages; i++)
        MiUnlockFrame(Shadow->First + i);
    MmFreeFrames(Shadow->First, Shadow->Pages);
    free(Shadow);
}

/* ---- the documented routines ---- */

static BOOLEAN MiIsOrdinary(ULONG_PTR Low, ULONG_PTR High)
{
    return High <= MM_SLOT_LOW || (Low >= MM_SYSTEM_HIGH && High >= Low);
}

static NTSTATUS MiLockUser(PMDL Mdl, BOOLEAN Write)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();

    if (KiIrql() > APC_LEVEL)
        VfIrqlTooHigh("MmProbeAndLockPages", APC_LEVEL);
    if (!MiLockMapped(Mdl, MI_PTE_USER | (Write ? MI_PTE_WRITE : 0)))
        return STATUS_ACCESS_VIOLATION;
    Mdl->Process = (PEPROCESS)MiCurrentProcess();
    InterlockedExchangeAdd(&Space->LockedPages, (LONG)MiMdlPages(Mdl));
    return STATUS_SUCCESS;
}

static NTSTATUS MiLockBuffer(PMDL Mdl, KPROCESSOR_MODE Mode, BOOLEAN Write)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    ULONG_PTR Low = (ULONG_PTR)Mdl->StartVa + Mdl->ByteOffset, High = Low + Mdl->ByteCount;

    if (High < Low)
        return STATUS_ACCESS_VIOLATION;
    if (Space && Low >= Space->Low && High <= Space->High)
        return MiLockUser(Mdl, Write);
    if (Mode == KernelMode && Low >= MM_SYSTEM_LOW && High <= MM_SYSTEM_HIGH)
        return MiLockMapped(Mdl, Write ? MI_PTE_WRITE : 0) ? STATUS_SUCCESS
                                                           : STATUS_ACCESS_VIOLATION;
    if (MiIsOrdinary(Low, High) && (Mode == KernelMode || (Space && Space->Embedded)))
        return MiLockOrdinary(Mdl, Write);
    return STATUS_ACCESS_VIOLATION;
}

#define MI_NOT_BEFORE_LOCK                                                                         \
    (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL | MDL_MAPPED_TO_SYSTEM_VA |      \
     MDL_IO_SPACE)

static NTSTATUS MiTryLock(PMDL Mdl, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation, ULONG Misuse)
{
    BOOLEAN Write = Operation != IoReadAccess;
    NTSTATUS Status;

    if (Mdl->MdlFlags & MI_NOT_BEFORE_LOCK)
        MiMdlMisuse(Misuse, Mdl, Mdl->MdlFlags & MI_NOT_BEFORE_LOCK,
                    "the MDL to be locked is locked, mapped or partial");
    if (MiFailInjected(MI_MDL_TAG, Mdl->ByteCount))
        return STATUS_INSUFFICIENT_RESOURCES;
    Mdl->Process = NULL;
    Status = MiLockBuffer(Mdl, Mode, Write);
    if (!NT_SUCCESS(Status))
        return Status;
    Mdl->MdlFlags &= ~MDL_WRITE_OPERATION;
    Mdl->MdlFlags |= MDL_PAGES_LOCKED | (Write ? MDL_WRITE_OPERATION : 0);
    return STATUS_SUCCESS;
}

/*
 * Locks a buffer's pages and enters their numbers in the MDL. Raises STATUS_ACCESS_VIOLATION if a
 * page is not there, does not permit the operation, or (UserMode) is no user page. IRQL <=
 * DISPATCH_LEVEL; <= APC_LEVEL for user buffers. Undone by MmUnlockPages. Doc:
 * wdm/nf-wdm-mmprobeandlockpages
 */
VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                               LOCK_OPERATION Operation)
{
    NTSTATUS Status;

    MiMdlIrql(0x70, DISPATCH_LEVEL, MemoryDescriptorList, (ULONG_PTR)AccessMode,
              "MmProbeAndLockPages");
    Status = MiTryLock(MemoryDescriptorList, AccessMode, Operation, 0xB0);
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

/* The same, with the buffer in another process. IRQL <= APC_LEVEL. */
VOID NTAPI MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process,
                                      KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    KAPC_STATE_NT Saved;
    NTSTATUS Status;

    MiMdlIrql(0x71, APC_LEVEL, MemoryDescriptorList, (ULONG_PTR)Process,
              "MmProbeAndLockProcessPages");
    KeAttachProcess_((KPROCESS_NT *)Process, &Saved);
    Status = MiTryLock(MemoryDescriptorList, AccessMode, Operation, 0xB1);
    KeDetachProcess_(&Saved);
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

/* A page of the current process's slot or, for KernelMode, of system space. */
static BOOLEAN MiLockSelected(const void *Page, KPROCESSOR_MODE Mode, BOOLEAN Write,
                              PFN_NUMBER *Number)
{
    ULONG64 Needed = Write ? MI_PTE_WRITE : 0;

    if (BYTE_OFFSET(Page))
        return FALSE;
    if (Mode == KernelMode && MmIsSystemAddress(Page))
        return MiLockOne(Page, Needed, Number);
    return MiLockOne(Page, Needed | MI_PTE_USER, Number);
}

/*
 * Locks the pages that SegmentArray names, one for each page of the MDL, in that order. Raises
 * STATUS_ACCESS_VIOLATION if one is not there or does not permit the operation. IRQL <= APC_LEVEL.
 * Doc: wdm/nf-wdm-mmprobeandlockselectedpages
 */
VOID NTAPI MmProbeAndLockSelectedPages(PMDL MemoryDescriptorList,
                                       PFILE_SEGMENT_ELEMENT SegmentArray,
                                       KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    BOOLEAN Write = Operation != IoReadAccess;
    PMDL Mdl = MemoryDescriptorList;
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);

    MiMdlIrql(0x72, APC_LEVEL, Mdl, (ULONG_PTR)SegmentArray, "MmProbeAndLockSelectedPages");
    if (Mdl->MdlFlags & MI_NOT_BEFORE_LOCK)
        MiMdlMisuse(0xB0, Mdl, Mdl->MdlFlags & MI_NOT_BEFORE_LOCK,
                    "the MDL to be locked is locked, mapped or partial");
    for (SIZE_T i = 0; i < MiMdlPages(Mdl); i++) {
        if (MiLockSelected((void *)(ULONG_PTR)SegmentArray[i].Alignment, AccessMode, Write,
                           &Frames[i]))
            continue;
        while (i-- > 0)
            MiUnlockFrame(Frames[i]);
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
    }
    Mdl->Process = NULL;
    Mdl->MdlFlags &= ~MDL_WRITE_OPERATION;
    Mdl->MdlFlags |= MDL_PAGES_LOCKED | (Write ? MDL_WRITE_OPERATION : 0);
}

void MiUnlockPassed(PMDL Mdl, SIZE_T Pages)
{
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);

    if (MiShadowOf(Mdl)) /* goes as a whole, at the end */
        return;
    for (SIZE_T i = 0; i < Pages; i++)
        MiUnlockFrame(Frames[i]);
    if (Mdl->Process)
        InterlockedExchangeAdd(&((KPROCESS_NT *)Mdl->Process)->AddressSpace->LockedPages,
                               -(LONG)Pages);
}

/*
 * Undoes MmProbeAndLockPages; a mapping in system space goes too. An MDL that was not locked, is
 * partial or of nonpaged pool: a bug check. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmunlockpages
 */
VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    MI_SHADOW *Shadow;

    MiMdlIrql(0x78, DISPATCH_LEVEL, Mdl, 0, "MmUnlockPages");
    if (Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
        MiMdlMisuse(0x7D, Mdl, 0, "MmUnlockPages was given an MDL of nonpaged pool");
    if (Mdl->MdlFlags & MDL_PARTIAL)
        MiMdlMisuse(0xB4, Mdl, MDL_PARTIAL, "MmUnlockPages was given a partial MDL");
    if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED))
        MiMdlMisuse(0x7C, Mdl, 0, "MmUnlockPages was given an MDL whose pages are not locked");
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    Shadow = MiShadowOf(Mdl);
    if (Shadow)
        MiUnlockOrdinary(Shadow);
    else
        MiUnlockPassed(Mdl, MiMdlPages(Mdl));
    Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
    Mdl->Process = NULL;
}
