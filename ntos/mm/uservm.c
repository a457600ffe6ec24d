/* Virtual memory of a process: the bodies of NtAllocateVirtualMemory and its relatives.
 * PASSIVE_LEVEL. */
#include "mi.h"

#include <stdlib.h>
#include <string.h>

#define MI_GRANULARITY ((ULONG_PTR)0x10000)
#define MI_ALLOCATE_TYPES (MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN)

static BOOLEAN MiProtectionIsGood(ULONG Protect)
{
    switch (Protect) {
    case PAGE_NOACCESS:
    case PAGE_READONLY:
    case PAGE_READWRITE:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_READWRITE:
        return TRUE;
    default:
        return FALSE;
    }
}

static PFN_NUMBER MiSlotFrame(MM_ADDRESS_SPACE *Space, ULONG_PTR Address)
{
    return Space->FirstFrame + ((Address - Space->Low) >> PAGE_SHIFT);
}

static NTSTATUS MiWritePtes(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes, ULONG Protect)
{
    ULONG64 Flags = MiPteProtection(Protect);
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG_PTR At = Base; At < Base + Bytes && NT_SUCCESS(Status); At += PAGE_SIZE)
        Status = MiSetPte(Space->DirectoryFrame, At,
                          Flags ? (MiSlotFrame(Space, At) << PAGE_SHIFT) | Flags : 0);
    return Status;
}

static void MiMarkPages(MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes, ULONG Protect)
{
    memset(View->Pages + ((Base - View->Base) >> PAGE_SHIFT), (int)Protect, Bytes >> PAGE_SHIFT);
}

static int MiPageProtection(const MI_VIEW *View, SIZE_T Page)
{
    return Page < View->Bytes >> PAGE_SHIFT ? MiHostProtection(View->Pages[Page]) : 0;
}

/* How many mappings more the view takes when a range of it gets a protection (0: decommitted): one
 * for each place where the protection changes from a page to the next, and none where there is no
 * access. */
static LONG MiMappingsFor(const MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes, int Protection)
{
    SIZE_T First = (Base - View->Base) >> PAGE_SHIFT, End = First + (Bytes >> PAGE_SHIFT);
    LONG Change = (MiPageProtection(View, First - 1) != Protection) +
                  (Protection != MiPageProtection(View, End));

    for (SIZE_T i = First; i <= End; i++)
        Change -= MiPageProtection(View, i - 1) != MiPageProtection(View, i);
    return Change;
}

/* Tables and mappings of the range as View->Pages has them: a change did not come about. */
static void MiRestorePages(MM_ADDRESS_SPACE *Space, MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes)
{
    SIZE_T Run;

    for (ULONG_PTR At = Base; At < Base + Bytes; At += Run) {
        UCHAR Protect = View->Pages[(At - View->Base) >> PAGE_SHIFT];

        Run = PAGE_SIZE;
        while (At + Run < Base + Bytes &&
               View->Pages[(At + Run - View->Base) >> PAGE_SHIFT] == Protect)
            Run += PAGE_SIZE;
        MiWritePtes(Space, At, Run, Protect);
        host_protect((void *)At, Run, MiHostProtection(Protect));
    }
}

static NTSTATUS MiTellClient(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes, ULONG Protect,
                             BOOLEAN Commit)
{
    int Client = MiClientProtection(Protect);

    if (!Space->Hand)
        return STATUS_SUCCESS;
    return Commit ? Space->Hand->Map(Space->HandContext, Space->File, Base - Space->Low,
                                     (PVOID)Base, Bytes, Client)
                  : Space->Hand->Protect(Space->HandContext, (PVOID)Base, Bytes, Client);
}

/* Pages of a private view get a protection, and (Commit) memory, zeroed where there was none. All
 * or nothing; STATUS_NO_MEMORY: the process has used up its budget, or there is no memory. */
static NTSTATUS MiChangePages(MM_ADDRESS_SPACE *Space, MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes,
                              ULONG Protect, BOOLEAN Commit)
{
    LONG Mappings = MiMappingsFor(View, Base, Bytes, MiHostProtection(Protect));
    NTSTATUS Status = STATUS_NO_MEMORY;

    if (Mappings > 0 && !MiTake(Space->Account, MiMappings, Mappings))
        return Status;
    if (NT_SUCCESS(MiWritePtes(Space, Base, Bytes, Protect)) &&
        host_protect((void *)Base, Bytes, MiHostProtection(Protect)) == 0)
        Status = MiTellClient(Space, Base, Bytes, Protect, Commit);
    if (!NT_SUCCESS(Status)) {
        MiRestorePages(Space, View, Base, Bytes);
        MiGive(Space->Account, MiMappings, max(Mappings, 0));
        return Status;
    }
    MiGive(Space->Account, MiMappings, max(-Mappings, 0));
    View->Mappings += Mappings;
    MiMarkPages(View, Base, Bytes, Protect);
    return STATUS_SUCCESS;
}

static NTSTATUS MiReserve(MM_ADDRESS_SPACE *Space, ULONG_PTR *Base, SIZE_T Bytes, ULONG Type,
                          ULONG Protect, MI_VIEW **Out)
{
    MI_VIEW *View;

    if (!*Base)
        *Base = MiFindUserRange(Space, Bytes, (Type & MEM_TOP_DOWN) != 0);
    if (!*Base)
        return STATUS_NO_MEMORY;
    if (!MiUserRangeIsFree(Space, *Base, Bytes))
        return STATUS_CONFLICTING_ADDRESSES;
    View = MiAllocatePool(sizeof(*View), 'daVM');
    if (!View)
        return STATUS_NO_MEMORY;
    *View = (MI_VIEW){.Kind = MiViewPrivate, .Base = *Base, .Bytes = Bytes, .Protect = Protect};
    View->Pages = calloc(Bytes >> PAGE_SHIFT, 1);
    if (!View->Pages) {
        MiFreePool(View);
        return STATUS_NO_MEMORY;
    }
    MiInsertView(Space, View);
    *Out = View;
    return STATUS_SUCCESS;
}

/* What is reserved begins at a multiple of 64 KiB, what is committed at a page. */
static NTSTATUS MiAllocateLocked(MM_ADDRESS_SPACE *Space, ULONG_PTR *Base, SIZE_T *Bytes,
                                 ULONG Type, ULONG Protect)
{
    ULONG_PTR End = *Base + *Bytes;
    MI_VIEW *View = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    *Base &= ~((Type & MEM_RESERVE ? MI_GRANULARITY : PAGE_SIZE) - 1);
    *Bytes = (End - *Base + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    if (Type & MEM_RESERVE) {
        Status = MiReserve(Space, Base, *Bytes, Type, Protect, &View);
        if (!NT_SUCCESS(Status) || !(Type & MEM_COMMIT))
            return Status;
    } else {
        View = MiViewOf(Space, *Base);
        if (!View || View->Kind != MiViewPrivate || *Bytes > View->Base + View->Bytes - *Base)
            return STATUS_CONFLICTING_ADDRESSES;
    }
    Status = MiChangePages(Space, View, *Base, *Bytes, Protect, TRUE);
    if (!NT_SUCCESS(Status) && (Type & MEM_RESERVE))
        MiRemoveView(Space, View);
    return Status;
}

/* Doc: ntifs/nf-ntifs-ntallocatevirtualmemory */
NTSTATUS MmAllocateUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Type,
                        ULONG Protect)
{
    ULONG_PTR At = (ULONG_PTR)*Base;
    SIZE_T Size = *Bytes;
    NTSTATUS Status;

    if ((Type & ~MI_ALLOCATE_TYPES) || !(Type & (MEM_RESERVE | MEM_COMMIT)))
        return STATUS_INVALID_PARAMETER_5;
    if (!MiProtectionIsGood(Protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!Size || Size > MM_SLOT_BYTES)
        return Size ? STATUS_NO_MEMORY : STATUS_INVALID_PARAMETER_4;
    if (At + Size < At || At >= MM_SYSTEM_LOW)
        return STATUS_INVALID_PARAMETER_2;
    if (!At)
        Type |= MEM_RESERVE;
    MiLockSpace(Space);
    Status = MiAllocateLocked(Space, &At, &Size, Type, Protect);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)At;
        *Bytes = Size;
    }
    return Status;
}

/* A hole in the middle takes two mappings more: STATUS_NO_MEMORY if the budget has none. */
static NTSTATUS MiDecommit(MM_ADDRESS_SPACE *Space, MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes)
{
    LONG Mappings = MiMappingsFor(View, Base, Bytes, 0);

    if (Mappings > 0 && !MiTake(Space->Account, MiMappings, Mappings))
        return STATUS_NO_MEMORY;
    MiGive(Space->Account, MiMappings, max(-Mappings, 0));
    View->Mappings += Mappings;
    MiUnmapUserRange(Space, Base, Bytes);
    host_punch(Space->File, Base - Space->Low, Bytes);
    MiMarkPages(View, Base, Bytes, 0);
    return STATUS_SUCCESS;
}

static NTSTATUS MiFreeLocked(MM_ADDRESS_SPACE *Space, ULONG_PTR *Base, SIZE_T *Bytes, ULONG Type)
{
    ULONG_PTR Start = *Base & ~(ULONG_PTR)(PAGE_SIZE - 1);
    MI_VIEW *View = MiViewOf(Space, Start);

    if (!View)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (View->Kind != MiViewPrivate)
        return STATUS_UNABLE_TO_DELETE_SECTION;
    if (View->Secured)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!*Bytes && Start != View->Base)
        return STATUS_FREE_VM_NOT_AT_BASE;
    *Bytes =
        *Bytes ? (*Base + *Bytes - Start + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1) : View->Bytes;
    *Base = Start;
    if (*Bytes > View->Base + View->Bytes - Start)
        return STATUS_UNABLE_TO_FREE_VM;
    if (Type == MEM_DECOMMIT)
        return MiDecommit(Space, View, Start, *Bytes);
    if (*Bytes != View->Bytes) /* an allocation is released as a whole */
        return STATUS_UNABLE_TO_FREE_VM;
    return MiRemoveView(Space, View);
}

/* Doc: ntifs/nf-ntifs-ntfreevirtualmemory */
NTSTATUS MmFreeUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Type)
{
    ULONG_PTR At = (ULONG_PTR)*Base;
    SIZE_T Size = *Bytes;
    NTSTATUS Status;

    if (Type != MEM_DECOMMIT && Type != MEM_RELEASE)
        return STATUS_INVALID_PARAMETER_4;
    if (At >= MM_SYSTEM_LOW || At + Size < At)
        return STATUS_INVALID_PARAMETER_2;
    MiLockSpace(Space);
    Status = MiFreeLocked(Space, &At, &Size, Type);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)At;
        *Bytes = Size;
    }
    return Status;
}

static BOOLEAN MiAllCommitted(MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes)
{
    for (SIZE_T i = 0; i < Bytes >> PAGE_SHIFT; i++)
        if (!View->Pages[((Base - View->Base) >> PAGE_SHIFT) + i])
            return FALSE;
    return TRUE;
}

static NTSTATUS MiProtectLocked(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes,
                                ULONG Protect, PULONG Old)
{
    MI_VIEW *View = MiViewOf(Space, Base);

    if (!View)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (Bytes > View->Base + View->Bytes - Base)
        return STATUS_CONFLICTING_ADDRESSES;
    /* What a driver has mapped or secured keeps its protection. */
    if (View->Kind != MiViewPrivate || View->Secured)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!MiAllCommitted(View, Base, Bytes))
        return STATUS_NOT_COMMITTED;
    *Old = View->Pages[(Base - View->Base) >> PAGE_SHIFT];
    return MiChangePages(Space, View, Base, Bytes, Protect, FALSE);
}

/* Doc: ntifs (NtProtectVirtualMemory) */
NTSTATUS MmProtectUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Protect,
                       PULONG Old)
{
    ULONG_PTR At = (ULONG_PTR)*Base & ~(ULONG_PTR)(PAGE_SIZE - 1);
    ULONG_PTR End = (ULONG_PTR)*Base + *Bytes;
    SIZE_T Size = (End - At + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    NTSTATUS Status;

    if (!MiProtectionIsGood(Protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!*Bytes)
        return STATUS_INVALID_PARAMETER_3;
    if (End < At || End > MM_SYSTEM_LOW)
        return STATUS_INVALID_PARAMETER_2;
    MiLockSpace(Space);
    Status = MiProtectLocked(Space, At, Size, Protect, Old);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)At;
        *Bytes = Size;
    }
    return Status;
}

static void MiDescribeFree(MM_ADDRESS_SPACE *Space, ULONG_PTR Base,
                           MM_BASIC_INFORMATION *Information)
{
    ULONG_PTR End = Base < Space->Low    ? Space->Low
                    : Base < Space->High ? Space->High
                                         : MM_SYSTEM_LOW;

    for (LIST_ENTRY *Entry = Space->Views.Flink; Entry != &Space->Views; Entry = Entry->Flink) {
        MI_VIEW *View = CONTAINING_RECORD(Entry, MI_VIEW, Link);

        if (View->Base > Base) {
            End = min(End, View->Base);
            break;
        }
    }
    Information->RegionSize = End - Base;
    Information->State = MEM_FREE;
    Information->Protect = PAGE_NOACCESS;
}

static void MiDescribePrivate(MI_VIEW *View, ULONG_PTR Base, MM_BASIC_INFORMATION *Information)
{
    SIZE_T First = (Base - View->Base) >> PAGE_SHIFT, At = First;

    while (At < View->Bytes >> PAGE_SHIFT && View->Pages[At] == View->Pages[First])
        At++;
    Information->RegionSize = (At - First) << PAGE_SHIFT;
    Information->State = View->Pages[First] ? MEM_COMMIT : MEM_RESERVE;
    Information->Protect = View->Pages[First];
    Information->Type = MEM_PRIVATE;
}

static void MiDescribeView(MI_VIEW *View, ULONG_PTR Base, MM_BASIC_INFORMATION *Information)
{
    Information->AllocationBase = (PVOID)View->Base;
    Information->AllocationProtect = View->Protect;
    if (View->Kind == MiViewPrivate) {
        MiDescribePrivate(View, Base, Information);
        return;
    }
    Information->RegionSize = View->Base + View->Bytes - Base;
    Information->State = MEM_COMMIT;
    Information->Protect = View->Protect;
    Information->Type = View->Kind == MiViewSection ? MEM_MAPPED : MEM_PRIVATE;
}

/* MemoryBasicInformation. Doc: ntifs/nf-ntifs-ntqueryvirtualmemory */
NTSTATUS MmQueryUser(MM_ADDRESS_SPACE *Space, PVOID Base, PVOID Information, SIZE_T Length,
                     PSIZE_T Returned)
{
    MM_BASIC_INFORMATION Basic = {.BaseAddress = PAGE_ALIGN(Base)};
    MI_VIEW *View;

    if (Length < sizeof(Basic))
        return STATUS_INFO_LENGTH_MISMATCH;
    if ((ULONG_PTR)Base >= MM_SYSTEM_LOW)
        return STATUS_INVALID_PARAMETER;
    MiLockSpace(Space);
    View = MiViewOf(Space, (ULONG_PTR)Basic.BaseAddress);
    if (View)
        MiDescribeView(View, (ULONG_PTR)Basic.BaseAddress, &Basic);
    else
        MiDescribeFree(Space, (ULONG_PTR)Basic.BaseAddress, &Basic);
    MiUnlockSpace(Space);
    memcpy(Information, &Basic, sizeof(Basic));
    if (Returned)
        *Returned = sizeof(Basic);
    return STATUS_SUCCESS;
}
