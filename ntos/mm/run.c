/*
 * The run allocator: runs of consecutive frames of RAM, by the buddy method. The tail of a run that
 * is not a power of two long goes back at once.
 *
 * A free run knows whether its memory has been touched. When too much free memory has been, the
 * greatest such runs are given back to Linux, outside the lock.
 */
#include "mi.h"

#include <stdlib.h>

#define MI_DIRTY_HIGH 2048 /* frames: 8 MiB of touched free memory are kept at most ... */
#define MI_DIRTY_LOW 1024  /* ... and down to this they are given back */

MI_RAM MiRam;

static struct {
    MI_LOCK Lock;
    MI_BANK *Bank;
    LIST_ENTRY Free[MI_ORDERS];
    SIZE_T FreeFrames, DirtyFrames, TableFrames, ReservedFrames;
    PFN_NUMBER HighWater; /* no frame from here on was ever given out */
} MiRuns;

static PFN_NUMBER MiNumberOf(const MI_FRAME *Frame)
{
    return (PFN_NUMBER)(Frame - MiRam.Frames);
}

static void MiLinkRun(PFN_NUMBER First, ULONG Order, UCHAR Flags)
{
    MI_FRAME *Frame = &MiRam.Frames[First];

    MiSetFrameState(Frame, MiFrameFree);
    Frame->Order = (UCHAR)Order;
    MiSetFrameFlags(Frame, Flags);
    if (Flags & MI_FRAME_DIRTY)
        MiRuns.DirtyFrames += (SIZE_T)1 << Order;
    /* Touched runs first: they are the cheap ones to use again. */
    if (Flags & MI_FRAME_DIRTY)
        InsertHeadList(&MiRuns.Free[Order], &Frame->Link);
    else
        InsertTailList(&MiRuns.Free[Order], &Frame->Link);
    MiRuns.FreeFrames += (SIZE_T)1 << Order;
}

static void MiUnlinkRun(MI_FRAME *Frame)
{
    RemoveEntryList(&Frame->Link);
    MiRuns.FreeFrames -= (SIZE_T)1 << Frame->Order;
    if (MiFrameFlags(Frame) & MI_FRAME_DIRTY)
        MiRuns.DirtyFrames -= (SIZE_T)1 << Frame->Order;
    MiSetFrameState(Frame, MiFrameFreeTail);
}

static BOOLEAN MiIsFreeBuddy(PFN_NUMBER Buddy, ULONG Order)
{
    return Order + 1 < MI_ORDERS && Buddy + ((SIZE_T)1 << Order) <= MiRam.Count &&
           __atomic_load_n(&MiRam.Frames[Buddy].State, __ATOMIC_RELAXED) == MiFrameFree &&
           MiRam.Frames[Buddy].Order == Order;
}

/* One aligned power of two of frames goes back, and joins its free neighbours. */
static void MiFreeAligned(PFN_NUMBER First, ULONG Order, UCHAR Flags)
{
    for (;;) {
        PFN_NUMBER Buddy = First ^ ((SIZE_T)1 << Order);

        if (!MiIsFreeBuddy(Buddy, Order))
            break;
        Flags |= MiFrameFlags(&MiRam.Frames[Buddy]) & MI_FRAME_DIRTY;
        MiUnlinkRun(&MiRam.Frames[Buddy]);
        MiSetFrameState(&MiRam.Frames[First], MiFrameFreeTail);
        First &= ~((SIZE_T)1 << Order);
        Order++;
    }
    MiLinkRun(First, Order, Flags);
}

static void MiFreeRange(PFN_NUMBER First, SIZE_T Count, UCHAR Flags)
{
    while (Count) {
        ULONG Order = MI_ORDERS - 1;

        if (First)
            Order = min(Order, (ULONG)__builtin_ctzll(First));
        Order = min(Order, 63 - (ULONG)__builtin_clzll(Count));
        MiFreeAligned(First, Order, Flags);
        First += (SIZE_T)1 << Order;
        Count -= (SIZE_T)1 << Order;
    }
}

/* Takes [First, First + Count) out of a free run; what is left of it stays free. */
static void MiTakeFrom(MI_FRAME *Run, PFN_NUMBER First, SIZE_T Count)
{
    PFN_NUMBER Start = MiNumberOf(Run);
    PFN_NUMBER End = Start + ((SIZE_T)1 << Run->Order);
    UCHAR Flags = MiFrameFlags(Run) & MI_FRAME_DIRTY;

    MiUnlinkRun(Run);
    MiFreeRange(Start, First - Start, Flags);
    MiFreeRange(First + Count, End - First - Count, Flags);
}

static void MiMarkTaken(PFN_NUMBER First, SIZE_T Count, MI_FRAME_STATE State)
{
    for (SIZE_T i = 0; i < Count; i++) {
        MI_FRAME *Frame = &MiRam.Frames[First + i];

        NT_ASSERT(Frame->State <= MiFrameFreeTail && !Frame->Share);
        MiSetFrameState(Frame, (UCHAR)State);
        MiSetFrameFlags(Frame, 0);
        __atomic_store_n(&MiRam.Ptes[First + i].Value, ((First + i) << PAGE_SHIFT) | MI_PTE_SYSTEM,
                         __ATOMIC_RELEASE);
    }
    if (State == MiFrameTable)
        MiRuns.TableFrames += Count;
    MiRuns.HighWater = max(MiRuns.HighWater, First + Count);
    host_unpoison(MmFrameAddress(First), Count << PAGE_SHIFT);
}

static ULONG MiOrderFor(SIZE_T Count)
{
    return Count > 1 ? 64 - (ULONG)__builtin_clzll(Count - 1) : 0;
}

NTSTATUS MiAllocateRun(SIZE_T Count, MI_FRAME_STATE State, PPFN_NUMBER First)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!Count || Count > MiRam.Count)
        return Status;
    MiAcquire(&MiRuns.Lock);
    for (ULONG Order = MiOrderFor(Count); Order < MI_ORDERS; Order++) {
        if (IsListEmpty(&MiRuns.Free[Order]))
            continue;
        MI_FRAME *Run = CONTAINING_RECORD(MiRuns.Free[Order].Flink, MI_FRAME, Link);

        *First = MiNumberOf(Run);
        MiTakeFrom(Run, *First, Count);
        MiMarkTaken(*First, Count, State);
        Status = STATUS_SUCCESS;
        break;
    }
    MiRelease(&MiRuns.Lock);
    return Status;
}

/* Where in [Start, End) a run of Count frames may begin that crosses no multiple of Boundary; or
 * End. */
static PFN_NUMBER MiFitIn(PFN_NUMBER Start, PFN_NUMBER End, SIZE_T Count, SIZE_T Boundary,
                          SIZE_T Alignment)
{
    PFN_NUMBER At = (Start + Alignment - 1) / Alignment * Alignment;

    if (Boundary && At / Boundary != (At + Count - 1) / Boundary)
        At = (At + Boundary - 1) / Boundary * Boundary;
    if (At >= End || End - At < Count || (Boundary && Count > Boundary))
        return End;
    return At;
}

static BOOLEAN MiTakeIn(MI_FRAME *Run, SIZE_T Count, PFN_NUMBER Lowest, PFN_NUMBER Highest,
                        SIZE_T Boundary, SIZE_T Alignment, PPFN_NUMBER First)
{
    PFN_NUMBER Start = MiNumberOf(Run);
    PFN_NUMBER End = Start + ((SIZE_T)1 << Run->Order);

    Start = max(Start, Lowest);
    End = Highest < End - 1 ? Highest + 1 : End;
    if (Start >= End)
        return FALSE;
    *First = MiFitIn(Start, End, Count, Boundary, Alignment);
    if (*First == End)
        return FALSE;
    MiTakeFrom(Run, *First, Count);
    return TRUE;
}

/* A run between two frame numbers (Highest included). Boundary and Alignment are in frames;
 * Boundary 0: none. */
NTSTATUS MiAllocateRunIn(SIZE_T Count, PFN_NUMBER Lowest, PFN_NUMBER Highest, SIZE_T Boundary,
                         SIZE_T Alignment, MI_FRAME_STATE State, PPFN_NUMBER First)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!Count || Count > MiRam.Count || Lowest > Highest)
        return Status;
    MiAcquire(&MiRuns.Lock);
    for (ULONG Order = MiOrderFor(Count); Order < MI_ORDERS && !NT_SUCCESS(Status); Order++) {
        for (LIST_ENTRY *Entry = MiRuns.Free[Order].Flink; Entry != &MiRuns.Free[Order];
             Entry = Entry->Flink) {
            MI_FRAME *Run = CONTAINING_RECORD(Entry, MI_FRAME, Link);

            if (MiTakeIn(Run, Count, Lowest, Highest, Boundary, max(Alignment, 1), First)) {
                MiMarkTaken(*First, Count, State);
                Status = STATUS_SUCCESS;
                break;
            }
        }
    }
    MiRelease(&MiRuns.Lock);
    return Status;
}

/* The greatest touched free run, taken off its list; or NULL. */
static MI_FRAME *MiTakeDirty(void)
{
    for (ULONG Order = MI_ORDERS; Order-- > 0;) {
        if (IsListEmpty(&MiRuns.Free[Order]))
            continue;
        MI_FRAME *Run = CONTAINING_RECORD(MiRuns.Free[Order].Flink, MI_FRAME, Link);

        if (MiFrameFlags(Run) & MI_FRAME_DIRTY) {
            MiUnlinkRun(Run);
            return Run;
        }
    }
    return NULL;
}

/* Called and returns with the lock held; lets go of it while Linux works. */
static void MiGiveBack(void)
{
    MI_FRAME *Run;

    while (MiRuns.DirtyFrames > MI_DIRTY_LOW && (Run = MiTakeDirty())) {
        PFN_NUMBER First = MiNumberOf(Run);
        ULONG Order = Run->Order;

        MiRelease(&MiRuns.Lock);
        host_punch(MiRuns.Bank->Bank.File, First << PAGE_SHIFT, (ULONG64)PAGE_SIZE << Order);
        MiAcquire(&MiRuns.Lock);
        MiFreeAligned(First, Order, 0);
    }
}

NTSTATUS MmAllocateFrames(SIZE_T Count, PPFN_NUMBER First)
{
    return MiAllocateRun(Count, MiFrameUsed, First);
}

/* A frame that is locked for I/O, or mapped for a process, may not be freed by the driver that owns
 * it. */
void MiCheckUnused(PFN_NUMBER First, SIZE_T Count)
{
    for (SIZE_T i = 0; i < Count; i++) {
        MI_FRAME *Frame = &MiRam.Frames[First + i];

        if (Frame->Locks || Frame->Share)
            VfBugCheck(PFN_LIST_CORRUPT, 0x9A, First + i, Frame->State,
                       Frame->Locks + Frame->ShareCount,
                       "memory was freed that is still locked or mapped into a process");
    }
}

void MmFreeFrames(PFN_NUMBER First, SIZE_T Count)
{
    MiCheckUnused(First, Count);
    NT_ASSERT(Count && First && First < MiRam.Count && Count <= MiRam.Count - First);
    host_poison(MmFrameAddress(First), Count << PAGE_SHIFT);
    MiAcquire(&MiRuns.Lock);
    for (SIZE_T i = 0; i < Count; i++) {
        MI_FRAME *Frame = &MiRam.Frames[First + i];

        NT_ASSERT(Frame->State > MiFrameFreeTail);
        if (Frame->State == MiFrameTable)
            MiRuns.TableFrames--;
        MiSetFrameState(Frame, MiFrameFreeTail);
        __atomic_store_n(&MiRam.Ptes[First + i].Value, 0, __ATOMIC_RELEASE);
    }
    MiFreeRange(First, Count, MI_FRAME_DIRTY);
    if (MiRuns.DirtyFrames > MI_DIRTY_HIGH)
        MiGiveBack();
    MiRelease(&MiRuns.Lock);
}

SIZE_T MiFramesInUse(void)
{
    SIZE_T Count;

    MiAcquire(&MiRuns.Lock);
    Count = MiRam.Count - MiRuns.ReservedFrames - MiRuns.FreeFrames - MiRuns.TableFrames;
    MiRelease(&MiRuns.Lock);
    return Count;
}

void MiCountFrames(SIZE_T *Total, SIZE_T *Free)
{
    MiAcquire(&MiRuns.Lock);
    *Total = MiRam.Count;
    *Free = MiRuns.FreeFrames;
    MiRelease(&MiRuns.Lock);
}

/* The page tables of RAM's direct map come first in RAM, as one run: entry n maps frame n. */
NTSTATUS MiInitFrames(ULONG64 PhysicalBytes)
{
    SIZE_T Count = PhysicalBytes >> PAGE_SHIFT;
    SIZE_T Tables;
    NTSTATUS Status;

    Count = (Count + MI_GRANULE_FRAMES - 1) & ~(MI_GRANULE_FRAMES - 1);
    if (!Count || Count > (SIZE_T)1 << (MI_ORDERS - 1))
        return STATUS_INVALID_PARAMETER;
    Status = MiCreateBank("usernt-ram", Count, &MiRuns.Bank);
    if (!NT_SUCCESS(Status))
        return Status;
    NT_ASSERT(!MiRuns.Bank->Bank.First);
    MiRam.Frames = MiRuns.Bank->Frames;
    MiRam.Count = Count;
    MiRam.Ptes = MmFrameAddress(1);
    Tables = Count >> 9;
    for (ULONG Order = 0; Order < MI_ORDERS; Order++)
        InitializeListHead(&MiRuns.Free[Order]);
    MiRuns.FreeFrames = MiRuns.DirtyFrames = MiRuns.TableFrames = MiRuns.HighWater = 0;
    MiRuns.ReservedFrames = 1;
    MiMarkTaken(1, Tables, MiFrameTable);
    MiFreeRange(1 + Tables, Count - 1 - Tables, 0);
    return STATUS_SUCCESS;
}

void MiShutdownFrames(void)
{
    host_unpoison(MmFrameAddress(0), MiRuns.HighWater << PAGE_SHIFT);
    MiDeleteBank(MiRuns.Bank);
    MiRuns.Bank = NULL;
    MiRam = (MI_RAM){0};
}
