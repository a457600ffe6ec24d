/*
 * Mapping the pages of an MDL: in system space, or into the current process.
 *
 * Consecutive frames are there already, in the direct map: nothing is mapped then, and nothing
 * unmapped. Others, and read-only mappings, take system PTEs. For a process the frames move
 * (share.c), so that it gets no more than them.
 */
#include "mdl.h"

#include <stdlib.h>
#include <string.h>

#define MI_MAPPED_MDL 'MmdM'

static BOOLEAN MiAreConsecutive(const PFN_NUMBER *Frames, SIZE_T Count)
{
    for (SIZE_T i = 1; i < Count; i++)
        if (Frames[i] != Frames[0] + i)
            return FALSE;
    return TRUE;
}

static char *MiMapBySystemPtes(const PFN_NUMBER *Frames, SIZE_T Count, int Protection)
{
    void *Base = MiReserveSystemPtes(Count, MI_MAPPED_MDL);

    if (!Base)
        return NULL;
    if (NT_SUCCESS(MiMapFrames(Base, Frames, Count, Protection)))
        return Base;
    MiReleaseSystemPtes(Base);
    return NULL;
}

/* NULL: no system PTEs, or pages that are no frames. */
PVOID MiMapMdlInSystem(PMDL Mdl, ULONG Priority)
{
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);
    SIZE_T Count = MiMdlPages(Mdl);
    BOOLEAN ReadOnly = (Priority & MdlMappingNoWrite) != 0;
    char *Base;

    for (SIZE_T i = 0; i < Count; i++)
        if (!MiFrameOf(Frames[i]) || Frames[i] == MI_NO_FRAME)
            return NULL;
    if (!ReadOnly && MiAreConsecutive(Frames, Count))
        Base = MmFrameAddress(Frames[0]);
    else
        Base = MiMapBySystemPtes(Frames, Count, ReadOnly ? HOST_READ : HOST_READ | HOST_WRITE);
    if (!Base)
        return NULL;
    Mdl->MappedSystemVa = Base + Mdl->ByteOffset;
    Mdl->MdlFlags |=
        MDL_MAPPED_TO_SYSTEM_VA | (Mdl->MdlFlags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
    return Mdl->MappedSystemVa;
}

static MI_VIEW *MiNewMdlView(PMDL Mdl, ULONG Protect)
{
    SIZE_T Count = MiMdlPages(Mdl);
    MI_VIEW *View = MiAllocatePool(sizeof(*View), 'daVM');

    if (!View)
        return NULL;
    *View = (MI_VIEW){.Kind = MiViewMdl,
                      .Bytes = Count << PAGE_SHIFT,
                      .Protect = Protect,
                      .Mdl = Mdl,
                      .Count = Count};
    View->Frames = malloc(Count * sizeof(*View->Frames));
    if (!View->Frames) {
        MiFreePool(View);
        return NULL;
    }
    memcpy(View->Frames, MmGetMdlPfnArray(Mdl), Count * sizeof(*View->Frames));
    return View;
}

static NTSTATUS MiPlaceView(MM_ADDRESS_SPACE *Space, MI_VIEW *View, PVOID Requested)
{
    NTSTATUS Status;

    View->Base =
        Requested ? (ULONG_PTR)PAGE_ALIGN(Requested) : MiFindUserRange(Space, View->Bytes, FALSE);
    if (!View->Base)
        return STATUS_NO_MEMORY;
    if (!MiUserRangeIsFree(Space, View->Base, View->Bytes))
        return STATUS_CONFLICTING_ADDRESSES;
    Status = MiMapUserFrames(Space, View->Base, View->Frames, View->Count, View->Protect);
    if (NT_SUCCESS(Status))
        MiInsertView(Space, View);
    return Status;
}

/* A process's own slot pages are in its hands anyway; other pages move first. */
static NTSTATUS MiShareForView(MM_ADDRESS_SPACE *Space, MI_VIEW *View)
{
    SIZE_T Own = 0;

    for (SIZE_T i = 0; i < View->Count; i++)
        Own += MiBankOf(View->Frames[i]) == Space->Bank;
    if (Own == View->Count)
        return STATUS_SUCCESS;
    if (Own)
        return STATUS_ACCESS_DENIED;
    View->Shared = TRUE;
    return MmShareFrames(View->Frames, View->Count, FALSE, NULL, NULL);
}

/* Each run of frames may cut the direct map in three, and is a mapping of the view. */
static BOOLEAN MiTakeForView(MM_ADDRESS_SPACE *Space, MI_VIEW *View)
{
    View->Files = 1;
    View->Mappings = 4;
    for (SIZE_T i = 1; i < View->Count; i++) {
        MI_FRAME *Here = MiFrameOf(View->Frames[i]), *Before = MiFrameOf(View->Frames[i - 1]);

        if (View->Frames[i] != View->Frames[i - 1] + 1 || Here->Share != Before->Share)
            View->Mappings += 3;
    }
    if (!MiTake(Space->Account, MiMappings, View->Mappings))
        return FALSE;
    if (MiTake(Space->Account, MiFiles, View->Files))
        return TRUE;
    MiGive(Space->Account, MiMappings, View->Mappings);
    return FALSE;
}

static void MiGiveForView(MM_ADDRESS_SPACE *Space, MI_VIEW *View)
{
    MiGive(Space->Account, MiMappings, View->Mappings);
    MiGive(Space->Account, MiFiles, View->Files);
}

static NTSTATUS MiMapView(MM_ADDRESS_SPACE *Space, MI_VIEW *View, PVOID Requested)
{
    NTSTATUS Status;

    if (!MiTakeForView(Space, View))
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MiShareForView(Space, View);
    if (!NT_SUCCESS(Status)) {
        MiGiveForView(Space, View);
        return Status;
    }
    MiLockSpace(Space);
    Status = MiPlaceView(Space, View, Requested);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status))
        return Status;
    if (View->Shared)
        MmUnshareFrames(View->Frames, View->Count);
    MiGiveForView(Space, View);
    return Status;
}

PVOID MiMapMdlForUser(PMDL Mdl, PVOID RequestedAddress, ULONG Priority)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    MI_VIEW *View;
    NTSTATUS Status;

    if (!Space || !MiMdlPages(Mdl))
        ExRaiseStatus(STATUS_INVALID_ADDRESS);
    View = MiNewMdlView(Mdl, Priority & MdlMappingNoWrite ? PAGE_READONLY : PAGE_READWRITE);
    if (!View)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    Status = MiMapView(Space, View, RequestedAddress);
    if (!NT_SUCCESS(Status)) {
        free(View->Frames);
        MiFreePool(View);
        ExRaiseStatus(Status);
    }
    return (char *)View->Base + Mdl->ByteOffset;
}

static _Noreturn void MiNotMapped(PMDL Mdl, PVOID Base, const char *Text)
{
    VfBugCheck(SYSTEM_PTE_MISUSE, 0x06, (ULONG_PTR)Mdl, (ULONG_PTR)Base, MiMdlPages(Mdl), "%s",
               Text);
}

void MiUnmapMdlForUser(PMDL Mdl, PVOID Base)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    MI_VIEW *View = NULL;

    if (Space) {
        MiLockSpace(Space);
        View = MiViewOf(Space, (ULONG_PTR)Base);
        if (View && (View->Kind != MiViewMdl || View->Base != (ULONG_PTR)PAGE_ALIGN(Base)))
            View = NULL;
        if (View)
            MiRemoveView(Space, View);
        MiUnlockSpace(Space);
    }
    if (!View)
        MiNotMapped(Mdl, Base,
                    "MmUnmapLockedPages was given an address where this process has no MDL mapped");
}

#define MI_MAPPED_ALREADY                                                                          \
    (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL_HAS_BEEN_MAPPED)

static PVOID MiMapMdl(PMDL Mdl, KPROCESSOR_MODE Mode, PVOID RequestedAddress,
                      ULONG BugCheckOnFailure, ULONG Priority)
{
    CSHORT Wanted =
        MDL_PAGES_LOCKED | MDL_PARTIAL | (Mode == UserMode ? MDL_SOURCE_IS_NONPAGED_POOL : 0);
    PVOID Base = NULL;

    if (Mode == KernelMode && (Mdl->MdlFlags & MI_MAPPED_ALREADY))
        MiMdlMisuse(0xB2, Mdl, Mdl->MdlFlags & MI_MAPPED_ALREADY,
                    "the MDL to be mapped is mapped already");
    if (!(Mdl->MdlFlags & Wanted))
        MiMdlMisuse(0xB3, Mdl, (USHORT)Wanted, "the MDL to be mapped is not locked");
    if (Mode == UserMode) {
        if (MiFailInjected(MI_MAPPED_MDL, Mdl->ByteCount))
            ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
        return MiMapMdlForUser(Mdl, RequestedAddress, Priority);
    }
    if (BugCheckOnFailure || !MiFailInjected(MI_MAPPED_MDL, Mdl->ByteCount))
        Base = MiMapMdlInSystem(Mdl, Priority);
    if (!Base && BugCheckOnFailure)
        VfBugCheck(NO_MORE_SYSTEM_PTES, 0, MiMdlPages(Mdl), 0, 0,
                   "an MDL could not be mapped, and its driver wanted no failure");
    return Base;
}

/*
 * Maps the pages of a locked MDL in system space (NULL if that fails) or, UserMode, into the
 * current process, at RequestedAddress if that is not NULL (raises if that fails). Priority may
 * have MdlMappingNoWrite. Memory is always cached. IRQL <= DISPATCH_LEVEL, UserMode <= APC_LEVEL.
 * Undone by MmUnmapLockedPages. Doc: wdm/nf-wdm-mmmaplockedpagesspecifycache
 */
PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                         MEMORY_CACHING_TYPE CacheType, PVOID RequestedAddress,
                                         ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority)
{
    MiMdlIrql(AccessMode == KernelMode ? 0x76 : 0x77,
              AccessMode == KernelMode ? DISPATCH_LEVEL : APC_LEVEL, MemoryDescriptorList,
              (ULONG_PTR)AccessMode, "MmMapLockedPagesSpecifyCache");
    return MiMapMdl(MemoryDescriptorList, AccessMode, RequestedAddress, BugCheckOnFailure,
                    (ULONG)Priority);
}

/* The older form: failure in system space is a bug check, unless the MDL has MDL_MAPPING_CAN_FAIL.
 * Doc: wdm/nf-wdm-mmmaplockedpages */
PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    MiMdlIrql(AccessMode == KernelMode ? 0x74 : 0x75,
              AccessMode == KernelMode ? DISPATCH_LEVEL : APC_LEVEL, MemoryDescriptorList,
              (ULONG_PTR)AccessMode, "MmMapLockedPages");
    return MiMapMdl(MemoryDescriptorList, AccessMode, NULL,
                    !(MemoryDescriptorList->MdlFlags & MDL_MAPPING_CAN_FAIL), HighPagePriority);
}

static void MiUnprotectDirect(PMDL Mdl)
{
    void *Base = PAGE_ALIGN(Mdl->MappedSystemVa);
    MI_FRAME *Frame = MiFrameOf(MmGetMdlPfnArray(Mdl)[0]);

    if (!Frame || !(MiFrameFlags(Frame) & MI_FRAME_PROTECTED))
        return;
    __atomic_fetch_and(&Frame->Flags, (UCHAR)~MI_FRAME_PROTECTED, __ATOMIC_RELAXED);
    host_protect(Base, MiMdlPages(Mdl) << PAGE_SHIFT, HOST_READ | HOST_WRITE);
}

static void MiUnmapMdlInSystem(PMDL Mdl, PVOID Base)
{
    void *Range;

    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || (Mdl->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA))
        MiNotMapped(Mdl, Base, "MmUnmapLockedPages was given an MDL that is not mapped");
    if (PAGE_ALIGN(Base) != PAGE_ALIGN(Mdl->MappedSystemVa))
        VfBugCheck(SYSTEM_PTE_MISUSE, 0x03, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MappedSystemVa,
                   (ULONG_PTR)Base,
                   "MmUnmapLockedPages was given another address than the MDL was mapped at");
    Range = MiSystemPteRangeOf(Base);
    if (Range)
        MiReleaseSystemPtes(Range);
    else
        MiUnprotectDirect(Mdl);
    Mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    Mdl->MappedSystemVa = NULL;
}

/*
 * Undoes a mapping; one in a process, in that process. What is not mapped so is a bug check. IRQL
 * <= DISPATCH_LEVEL, in a process <= APC_LEVEL. Doc: wdm/nf-wdm-mmunmaplockedpages
 */
VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    BOOLEAN System = MmIsSystemAddress(BaseAddress);

    if (KiIrql() > (System ? DISPATCH_LEVEL : APC_LEVEL))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, System ? 0x79 : 0x7A, KiIrql(),
                   (ULONG_PTR)BaseAddress, (ULONG_PTR)MemoryDescriptorList,
                   "MmUnmapLockedPages at IRQL %u", KiIrql());
    if (System)
        MiUnmapMdlInSystem(MemoryDescriptorList, BaseAddress);
    else
        MiUnmapMdlForUser(MemoryDescriptorList, BaseAddress);
}

static int MiMdlProtection(ULONG NewProtect)
{
    switch (NewProtect) {
    case PAGE_NOACCESS:
    case PAGE_EXECUTE:
        return 0;
    case PAGE_READONLY:
    case PAGE_EXECUTE_READ:
        return HOST_READ;
    case PAGE_READWRITE:
    case PAGE_EXECUTE_READWRITE:
        return HOST_READ | HOST_WRITE;
    default:
        return -1;
    }
}

/*
 * Changes what may be done through an MDL's mapping in system space.
 * STATUS_INVALID_PAGE_PROTECTION, STATUS_NOT_MAPPED_VIEW. Where the mapping is the direct map, so
 * is the pages' owner's. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmprotectmdlsystemaddress
 */
NTSTATUS NTAPI MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    PMDL Mdl = MemoryDescriptorList;
    int Protection = MiMdlProtection(NewProtect);
    void *Range;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Protection < 0)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || (Mdl->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA))
        return STATUS_NOT_MAPPED_VIEW;
    Range = MiSystemPteRangeOf(Mdl->MappedSystemVa);
    if (Range)
        return MiProtectMapped(Range, Protection);
    __atomic_fetch_or(&MiFrameOf(MmGetMdlPfnArray(Mdl)[0])->Flags, MI_FRAME_PROTECTED,
                      __ATOMIC_RELAXED);
    host_protect(PAGE_ALIGN(Mdl->MappedSystemVa), MiMdlPages(Mdl) << PAGE_SHIFT, Protection);
    return STATUS_SUCCESS;
}
