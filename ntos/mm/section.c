/*
 * Sections backed by memory: a bank of their own, of which views are mapped. A section is its
 * owner's memory (the body of a section object) and lives until its last view has gone.
 */
#include "mi.h"

#define MI_GRANULARITY ((ULONG_PTR)0x10000)
#define MI_SECTION_MAX ((ULONG64)1 << 36)

static BOOLEAN MiSectionProtectionIsGood(ULONG Protect)
{
    switch (Protect) {
    case PAGE_READONLY:
    case PAGE_READWRITE:
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_READWRITE:
        return TRUE;
    default:
        return FALSE;
    }
}

/* What a view may do must be what the section allows. */
static BOOLEAN MiViewIsCompatible(ULONG Section, ULONG View)
{
    BOOLEAN Write = View == PAGE_READWRITE || View == PAGE_EXECUTE_READWRITE;
    BOOLEAN Execute = View >= PAGE_EXECUTE;

    if (Write && Section != PAGE_READWRITE && Section != PAGE_EXECUTE_READWRITE)
        return FALSE;
    return !Execute || Section >= PAGE_EXECUTE;
}

#define MI_SECTION_COST(bytes)                                                                     \
    (const LONG[MiResources])                                                                      \
    {                                                                                              \
        [MiMappings] = 3, [MiFiles] = 1,                                                           \
        [MiGranules] = MiGranulesOf((SIZE_T)((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)               \
    }

static BOOLEAN MiTakeSection(MI_ACCOUNT *Account, ULONG64 Bytes)
{
    return MiTakeEach(Account, MI_SECTION_COST(Bytes));
}

static void MiGiveSection(MI_ACCOUNT *Account, ULONG64 Bytes)
{
    MiGiveEach(Account, MI_SECTION_COST(Bytes));
}

NTSTATUS MmCreateSection_(MM_SECTION *Section, ULONG64 Bytes, ULONG Protect, ULONG Attributes)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    MI_ACCOUNT *Account = Space ? Space->Account : NULL;
    MI_BANK *Bank;
    NTSTATUS Status;

    if (!MiSectionProtectionIsGood(Protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!Bytes)
        return STATUS_INVALID_PARAMETER_4;
    if (Bytes > MI_SECTION_MAX)
        return STATUS_SECTION_TOO_BIG;
    if (!MiTakeSection(Account, Bytes))
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MiCreateBank("usernt-section", (Bytes + PAGE_SIZE - 1) >> PAGE_SHIFT, &Bank);
    if (!NT_SUCCESS(Status)) {
        MiGiveSection(Account, Bytes);
        return Status;
    }
    *Section = (MM_SECTION){.Bytes = Bytes,
                            .Protect = Protect,
                            .Attributes = Attributes,
                            .Account = MiShareAccount(Account),
                            .File = Bank->Bank.File,
                            .FirstFrame = Bank->Bank.First};
    return STATUS_SUCCESS;
}

void MmDeleteSection_(MM_SECTION *Section)
{
    NT_ASSERT(!Section->Views);
    MiDeleteBank(MiBankOf(Section->FirstFrame));
    MiGiveSection(Section->Account, Section->Bytes);
    MiCloseAccount(Section->Account);
}

/* Bytes 0: to the section's end. */
static NTSTATUS MiViewSize(const MM_SECTION *Section, ULONG64 Offset, SIZE_T *Bytes)
{
    ULONG64 Whole = (Section->Bytes + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1);

    if (Offset >= Whole)
        return STATUS_INVALID_VIEW_SIZE;
    if (!*Bytes)
        *Bytes = Whole - Offset;
    *Bytes = (*Bytes + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    return *Bytes && *Bytes <= Whole - Offset ? STATUS_SUCCESS : STATUS_INVALID_VIEW_SIZE;
}

/* Frames of the section in order, in a small array at a time. */
static NTSTATUS MiMapSectionFrames(const MM_SECTION *Section, MM_ADDRESS_SPACE *Space,
                                   ULONG_PTR Base, ULONG64 Offset, SIZE_T Bytes, ULONG Protect)
{
    SIZE_T Count = Bytes >> PAGE_SHIFT;
    PFN_NUMBER *Frames = MiAllocatePool(Count * sizeof(*Frames), 'eSmM');
    NTSTATUS Status;

    if (!Frames)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (SIZE_T i = 0; i < Count; i++)
        Frames[i] = Section->FirstFrame + (Offset >> PAGE_SHIFT) + i;
    Status = Space ? MiMapUserFrames(Space, Base, Frames, Count, Protect)
                   : MiMapFrames((void *)Base, Frames, Count, MiHostProtection(Protect));
    MiFreePool(Frames);
    return Status;
}

static NTSTATUS MiMapViewLocked(MI_VIEW *View, MM_ADDRESS_SPACE *Space)
{
    NTSTATUS Status;

    if (!View->Base)
        View->Base = MiFindUserRange(Space, View->Bytes, FALSE);
    if (!View->Base)
        return STATUS_NO_MEMORY;
    if (!MiUserRangeIsFree(Space, View->Base, View->Bytes))
        return STATUS_CONFLICTING_ADDRESSES;
    View->Mappings = 2; /* it, and what it cuts in two */
    if (!MiTake(Space->Account, MiMappings, View->Mappings))
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MiMapSectionFrames(View->Section, Space, View->Base, View->Offset, View->Bytes,
                                View->Protect);
    if (!NT_SUCCESS(Status)) {
        MiGive(Space->Account, MiMappings, View->Mappings);
        return Status;
    }
    MiInsertView(Space, View);
    InterlockedIncrement(&View->Section->Views);
    return STATUS_SUCCESS;
}

/*
 * A view in a process. Base 0: anywhere; else a multiple of 64 KiB, like Offset. Release runs when
 * the view goes, by MmUnmapView_ or with the process. Doc: wdm/nf-wdm-zwmapviewofsection
 */
NTSTATUS MmMapView_(MM_SECTION *Section, MM_ADDRESS_SPACE *Space, PVOID *Base, ULONG64 Offset,
                    SIZE_T *Bytes, ULONG Protect, void (*Release)(void *), void *Context)
{
    SIZE_T Size = *Bytes;
    MI_VIEW *View;
    NTSTATUS Status;

    if (!MiSectionProtectionIsGood(Protect) && Protect != PAGE_NOACCESS && Protect != PAGE_EXECUTE)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!MiViewIsCompatible(Section->Protect, Protect))
        return STATUS_SECTION_PROTECTION;
    if ((Offset | (ULONG_PTR)*Base) & (MI_GRANULARITY - 1))
        return STATUS_MAPPED_ALIGNMENT;
    Status = MiViewSize(Section, Offset, &Size);
    if (!NT_SUCCESS(Status))
        return Status;
    View = MiAllocatePool(sizeof(*View), 'daVM');
    if (!View)
        return STATUS_INSUFFICIENT_RESOURCES;
    *View = (MI_VIEW){.Kind = MiViewSection,
                      .Base = (ULONG_PTR)*Base,
                      .Bytes = Size,
                      .Protect = Protect,
                      .Section = Section,
                      .Offset = Offset,
                      .Release = Release,
                      .Context = Context};
    MiLockSpace(Space);
    Status = MiMapViewLocked(View, Space);
    MiUnlockSpace(Space);
    if (!NT_SUCCESS(Status)) {
        MiFreePool(View);
        return Status;
    }
    *Base = (PVOID)View->Base;
    *Bytes = Size;
    return STATUS_SUCCESS;
}

/* Any address of the view will do. Doc: wdm/nf-wdm-zwunmapviewofsection */
NTSTATUS MmUnmapView_(MM_ADDRESS_SPACE *Space, PVOID Base)
{
    NTSTATUS Status = STATUS_NOT_MAPPED_VIEW;
    MI_VIEW *View;

    MiLockSpace(Space);
    View = MiViewOf(Space, (ULONG_PTR)Base);
    if (View && View->Kind == MiViewSection)
        Status = View->Secured ? STATUS_INVALID_PAGE_PROTECTION : MiRemoveView(Space, View);
    MiUnlockSpace(Space);
    return Status;
}

#define MI_SECTION_PTES 'eSmM'

/* The section's beginning, in system space. IRQL <= APC_LEVEL. */
NTSTATUS MmMapSystemView_(MM_SECTION *Section, PVOID *Base, SIZE_T *Bytes)
{
    NTSTATUS Status = MiViewSize(Section, 0, Bytes);

    if (!NT_SUCCESS(Status))
        return Status;
    *Base = MiReserveSystemPtes(*Bytes >> PAGE_SHIFT, MI_SECTION_PTES);
    if (!*Base)
        return STATUS_NO_MEMORY;
    Status = MiMapSectionFrames(Section, NULL, (ULONG_PTR)*Base, 0, *Bytes, Section->Protect);
    if (!NT_SUCCESS(Status)) {
        MiReleaseSystemPtes(*Base);
        return Status;
    }
    MiSetSystemPteContext(*Base, Section);
    InterlockedIncrement(&Section->Views);
    return STATUS_SUCCESS;
}

/* Whoever mapped the view also holds the reference that kept the section alive. */
NTSTATUS MmUnmapSystemView_(PVOID Base, MM_SECTION **Section)
{
    ULONG Tag;

    if (!MiSystemPteRange(Base, &Tag) || Tag != MI_SECTION_PTES)
        return STATUS_NOT_MAPPED_VIEW;
    *Section = MiSetSystemPteContext(Base, NULL);
    MiReleaseSystemPtes(Base);
    InterlockedDecrement(&(*Section)->Views);
    return STATUS_SUCCESS;
}
