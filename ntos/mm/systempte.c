/*
 * System PTEs: ranges of addresses above the direct map, for frames that are not consecutive, for
 * read-only mappings, for sections and reserved mappings.
 *
 * Ranges are kept by address and searched from the last one that was given out. Behind each lies a
 * page of nothing.
 */
#include "mi.h"

#include <stdlib.h>
#include <string.h>

#define MI_PTE_LIMIT ((SIZE_T)1 << 24) /* 64 GiB of addresses are enough */

typedef struct MI_PTE_RANGE {
    LIST_ENTRY Link; /* by address */
    ULONG_PTR Base;
    SIZE_T Pages;
    ULONG Tag;
    void *Context;      /* the owner's */
    int Protection;     /* what is mapped there, if Frames */
    PFN_NUMBER *Frames; /* of the mapped pages; NULL: nothing is mapped */
    SIZE_T Count;
} MI_PTE_RANGE;

static struct {
    MI_LOCK Lock;
    LIST_ENTRY Ranges;
    MI_PTE_RANGE *Hint; /* the last one given out; NULL: begin at the beginning */
    SIZE_T Used;
} MiPtes;

void MiInitSystemPtes(void)
{
    InitializeListHead(&MiPtes.Ranges);
    MiPtes.Hint = NULL;
    MiPtes.Used = 0;
}

void MiShutdownSystemPtes(void)
{
    NT_ASSERT(IsListEmpty(&MiPtes.Ranges));
}

SIZE_T MiSystemPtesInUse(void)
{
    return __atomic_load_n(&MiPtes.Used, __ATOMIC_RELAXED);
}

static MI_PTE_RANGE *MiRangeAt(LIST_ENTRY *Entry)
{
    return CONTAINING_RECORD(Entry, MI_PTE_RANGE, Link);
}

/* The first gap of that size behind the range at After; lock held. */
static BOOLEAN MiFindGap(LIST_ENTRY *After, SIZE_T Pages, MI_PTE_RANGE *Range)
{
    for (;; After = After->Flink) {
        ULONG_PTR Start =
            After == &MiPtes.Ranges
                ? MM_SYSTEM_PTE_LOW
                : MiRangeAt(After)->Base + ((MiRangeAt(After)->Pages + 1) << PAGE_SHIFT);
        ULONG_PTR End =
            After->Flink == &MiPtes.Ranges ? NT_IMAGE_LOW : MiRangeAt(After->Flink)->Base;

        if (Start < End && (End - Start) >> PAGE_SHIFT > Pages) {
            Range->Base = Start;
            InsertHeadList(After, &Range->Link);
            return TRUE;
        }
        if (After->Flink == &MiPtes.Ranges)
            return FALSE;
    }
}

void *MiReserveSystemPtes(SIZE_T Pages, ULONG Tag)
{
    MI_PTE_RANGE *Range = calloc(1, sizeof(*Range));
    BOOLEAN Found;

    if (!Range || !Pages || Pages >= MI_PTE_LIMIT) {
        free(Range);
        return NULL;
    }
    Range->Pages = Pages;
    Range->Tag = Tag;
    MiAcquire(&MiPtes.Lock);
    Found = (MiPtes.Hint && MiFindGap(&MiPtes.Hint->Link, Pages, Range)) ||
            MiFindGap(&MiPtes.Ranges, Pages, Range);
    if (Found) {
        MiPtes.Hint = Range;
        MiPtes.Used += Pages;
    }
    MiRelease(&MiPtes.Lock);
    if (!Found) {
        free(Range);
        return NULL;
    }
    return (void *)Range->Base;
}

/* The range that begins at Base; lock held. */
static MI_PTE_RANGE *MiFindRange(const void *Base)
{
    for (LIST_ENTRY *Entry = MiPtes.Ranges.Flink; Entry != &MiPtes.Ranges; Entry = Entry->Flink)
        if (MiRangeAt(Entry)->Base == (ULONG_PTR)Base)
            return MiRangeAt(Entry);
    return NULL;
}

SIZE_T MiSystemPteRange(const void *Base, ULONG *Tag)
{
    MI_PTE_RANGE *Range;
    SIZE_T Pages = 0;

    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    if (Range) {
        Pages = Range->Pages;
        *Tag = Range->Tag;
    }
    MiRelease(&MiPtes.Lock);
    return Pages;
}

void *MiSystemPteRangeOf(const void *Address)
{
    void *Base = NULL;

    if ((ULONG_PTR)Address < MM_SYSTEM_PTE_LOW)
        return NULL;
    MiAcquire(&MiPtes.Lock);
    for (LIST_ENTRY *Entry = MiPtes.Ranges.Flink; Entry != &MiPtes.Ranges && !Base;
         Entry = Entry->Flink)
        if (((ULONG_PTR)Address - MiRangeAt(Entry)->Base) >> PAGE_SHIFT < MiRangeAt(Entry)->Pages)
            Base = (void *)MiRangeAt(Entry)->Base;
    MiRelease(&MiPtes.Lock);
    return Base;
}

/* The old one. */
void *MiSetSystemPteContext(const void *Base, void *Context)
{
    MI_PTE_RANGE *Range;
    void *Old;

    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    NT_ASSERT(Range);
    Old = Range->Context;
    Range->Context = Context;
    MiRelease(&MiPtes.Lock);
    return Old;
}

/* What was mapped in the range is unmapped. */
void MiReleaseSystemPtes(void *Base)
{
    MI_PTE_RANGE *Range;

    MiUnmapFrames(Base);
    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    NT_ASSERT(Range);
    if (MiPtes.Hint == Range)
        MiPtes.Hint = Range->Link.Blink == &MiPtes.Ranges ? NULL : MiRangeAt(Range->Link.Blink);
    RemoveEntryList(&Range->Link);
    MiPtes.Used -= Range->Pages;
    MiRelease(&MiPtes.Lock);
    free(Range);
}

/* How many frames from Frames[0] on lie one after the other in one file. */
SIZE_T MiFileRun(const PFN_NUMBER *Frames, SIZE_T Count, int *File, ULONG64 *Offset)
{
    SIZE_T Run = 1;

    if (!MmFrameFile(Frames[0], File, Offset))
        return 0;
    while (Run < Count) {
        ULONG64 Next;
        int NextFile;

        if (!MmFrameFile(Frames[Run], &NextFile, &Next) || NextFile != *File ||
            Next != *Offset + ((ULONG64)Run << PAGE_SHIFT))
            break;
        Run++;
    }
    return Run;
}

/* Makes frames visible at Base, in this process; page tables are the caller's. */
NTSTATUS MiMapHere(void *Base, const PFN_NUMBER *Frames, SIZE_T Count, int Protection)
{
    for (SIZE_T Done = 0; Done < Count;) {
        ULONG64 Offset;
        int File;
        SIZE_T Run = MiFileRun(Frames + Done, Count - Done, &File, &Offset);

        if (!Run)
            return STATUS_INVALID_ADDRESS;
        if (host_map((char *)Base + (Done << PAGE_SHIFT), Run << PAGE_SHIFT, File, Offset,
                     Protection | (MiIsNothingFile(File) ? HOST_COPY : 0)) < 0)
            return STATUS_INSUFFICIENT_RESOURCES;
        Done += Run;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS MiSetSystemPtes(void *Base, const PFN_NUMBER *Frames, SIZE_T Count, int Protection)
{
    ULONG64 Flags = Protection & HOST_WRITE ? MI_PTE_SYSTEM : MI_PTE_SYSTEM & ~MI_PTE_WRITE;
    NTSTATUS Status = STATUS_SUCCESS;

    for (SIZE_T i = 0; i < Count && NT_SUCCESS(Status); i++)
        Status = MiSetPte(MiSystemDirectory, (ULONG_PTR)Base + (i << PAGE_SHIFT),
                          (Frames[i] << PAGE_SHIFT) | Flags);
    return Status;
}

/* Maps frames at the beginning of a reserved range. */
NTSTATUS MiMapFrames(void *Base, const PFN_NUMBER *Frames, SIZE_T Count, int Protection)
{
    PFN_NUMBER *Copy = malloc(Count * sizeof(*Copy));
    MI_PTE_RANGE *Range;
    NTSTATUS Status;

    if (!Copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(Copy, Frames, Count * sizeof(*Copy));
    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    NT_ASSERT(Range && !Range->Frames && Count <= Range->Pages);
    Status = MiMapHere(Base, Frames, Count, Protection);
    if (NT_SUCCESS(Status))
        Status = MiSetSystemPtes(Base, Frames, Count, Protection);
    if (NT_SUCCESS(Status)) {
        Range->Frames = Copy;
        Range->Count = Count;
        Range->Protection = Protection;
        Copy = NULL;
    } else {
        MiClearPtes(MiSystemDirectory, (ULONG_PTR)Base, Count);
        host_decommit(Base, Count << PAGE_SHIFT);
    }
    MiRelease(&MiPtes.Lock);
    free(Copy);
    return Status;
}

/* The number of pages that were mapped. */
SIZE_T MiUnmapFrames(void *Base)
{
    MI_PTE_RANGE *Range;
    PFN_NUMBER *Frames;
    SIZE_T Count = 0;

    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    NT_ASSERT(Range);
    Frames = Range->Frames;
    if (Frames) {
        Count = Range->Count;
        MiClearPtes(MiSystemDirectory, (ULONG_PTR)Base, Count);
        host_decommit(Base, Count << PAGE_SHIFT);
        Range->Frames = NULL;
        Range->Count = 0;
    }
    MiRelease(&MiPtes.Lock);
    free(Frames);
    return Count;
}

SIZE_T MiMappedFrames(void *Base)
{
    MI_PTE_RANGE *Range;
    SIZE_T Count;

    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    Count = Range ? Range->Count : 0;
    MiRelease(&MiPtes.Lock);
    return Count;
}

NTSTATUS MiProtectMapped(void *Base, int Protection)
{
    MI_PTE_RANGE *Range;
    NTSTATUS Status = STATUS_NOT_MAPPED_VIEW;

    MiAcquire(&MiPtes.Lock);
    Range = MiFindRange(Base);
    if (Range && Range->Frames) {
        Range->Protection = Protection;
        host_protect(Base, Range->Count << PAGE_SHIFT, Protection);
        if (Protection & HOST_READ)
            Status = MiSetSystemPtes(Base, Range->Frames, Range->Count, Protection);
        else
            MiClearPtes(MiSystemDirectory, (ULONG_PTR)Base, Range->Count);
        Status = STATUS_SUCCESS;
    }
    MiRelease(&MiPtes.Lock);
    return Status;
}

/* A frame is moving, stays after all, or has moved: its mappings here become read-only, what they
 * were, or are made again. FALSE: not all of them. */
BOOLEAN MiMoveSystemFrame(PFN_NUMBER Frame, MI_MOVE_STEP Step)
{
    BOOLEAN Done = MiMoveImageFrame(Frame, Step);

    MiAcquire(&MiPtes.Lock);
    for (LIST_ENTRY *Entry = MiPtes.Ranges.Flink; Entry != &MiPtes.Ranges; Entry = Entry->Flink) {
        MI_PTE_RANGE *Range = MiRangeAt(Entry);

        for (SIZE_T i = 0; i < Range->Count; i++) {
            void *Page = (void *)(Range->Base + (i << PAGE_SHIFT));

            if (Range->Frames[i] != Frame)
                continue;
            if (Step == MiRemap)
                Done &= NT_SUCCESS(MiMapHere(Page, &Frame, 1, Range->Protection));
            else
                Done &= host_protect(Page, PAGE_SIZE,
                                     Step == MiFreeze ? Range->Protection & HOST_READ
                                                      : Range->Protection) == 0;
        }
    }
    MiRelease(&MiPtes.Lock);
    return Done;
}
