/* Who has what of the pool: block sizes, and an owner's blocks. */
#include "pool.h"

#include <stdio.h>

BOOLEAN MiIsPagedPool(const void *Address)
{
    MI_FRAME *Frame = MiIsRamAddress(Address) ? &MiRam.Frames[MiRamFrameNumber(Address)] : NULL;
    UCHAR State = Frame ? MiFrameState(Frame) : MiFrameFree;

    return (State == MiFrameSlab || State == MiFrameBlock || State == MiFrameBlockTail) &&
           (MiFrameFlags(Frame) & MI_FRAME_PAGED);
}

/* The bytes that were asked for. */
MI_RAW SIZE_T MmPoolBlockSize(PVOID Address)
{
    MI_BLOCK *Block = (MI_BLOCK *)Address - 1;
    MI_FRAME *Frame;

    if (!MiIsRamAddress(Address))
        return 0;
    Frame = &MiRam.Frames[MiRamFrameNumber(Address)];
    if (Frame->State == MiFrameBlock)
        return BYTE_OFFSET(Address) ? 0 : Frame->Bytes;
    if (Frame->State != MiFrameSlab || ((ULONG_PTR)Address & (sizeof(MI_BLOCK) - 1)) ||
        !BYTE_OFFSET(Address))
        return 0;
    if (Block->Class != Frame->Class ||
        (Block->State != MI_BLOCK_USED && Block->State != MI_BLOCK_SHIFTED))
        return 0;
    return Block->Bytes;
}

MI_RAW void MmSetPoolOwner(PVOID Address, const void *Caller)
{
    MI_FRAME *Frame;

    if (!MiIsRamAddress(Address))
        return;
    Frame = &MiRam.Frames[MiRamFrameNumber(Address)];
    if (Frame->State == MiFrameSlab)
        ((MI_BLOCK *)Address - 1)->Owner = (ULONG_PTR)Caller;
    else
        Frame->Owner = (ULONG_PTR)Caller;
}

typedef struct MI_FINDER {
    ULONG_PTR Low, Bytes; /* of the callers */
    void (*Report)(void *Context, const MM_POOL_BLOCK *Block);
    void *Context;
    ULONG Found;
} MI_FINDER;

static void MiFound(MI_FINDER *Finder, const MM_POOL_BLOCK *Block)
{
    if ((ULONG_PTR)Block->Caller - Finder->Low >= Finder->Bytes)
        return;
    Finder->Found++;
    if (Finder->Report)
        Finder->Report(Finder->Context, Block);
}

/* Threads may allocate and free meanwhile: what they do is then seen or not. */
MI_WHILE_OTHERS_WRITE static void MiLookAtBlock(void *Context, MI_BLOCK *Block)
{
    MI_BLOCK *Given;
    void *Address = MiAddressOfBlock(Block);

    if (!Address)
        return;
    Given = (MI_BLOCK *)Address - 1;
    MiFound(Context, &(MM_POOL_BLOCK){Address, (void *)Given->Owner, Given->Bytes, Given->Tag,
                                      MiIsPagedPool(Address)});
}

MI_WHILE_OTHERS_WRITE static void MiFindAll(MI_FINDER *Finder)
{
    for (PFN_NUMBER Number = 1; Number < MiRam.Count;) {
        MI_FRAME *Frame = &MiRam.Frames[Number];
        UCHAR State = MiFrameState(Frame);

        if (State == MiFrameSlab)
            MiEachSlabBlock(Frame, Number, MiLookAtBlock, Finder);
        else if (State == MiFrameBlock)
            MiFound(Finder,
                    &(MM_POOL_BLOCK){MmFrameAddress(Number), (void *)Frame->Owner, Frame->Bytes,
                                     Frame->Tag, (MiFrameFlags(Frame) & MI_FRAME_PAGED) != 0});
        Number += State == MiFrameFree ? (SIZE_T)1 << Frame->Order : 1;
    }
}

ULONG MmFindPoolOf(const void *Base, SIZE_T Bytes,
                   void (*Report)(void *Context, const MM_POOL_BLOCK *Block), void *Context)
{
    MI_FINDER Finder = {
        .Low = (ULONG_PTR)Base, .Bytes = Bytes, .Report = Report, .Context = Context};

    MiFindAll(&Finder);
    return Finder.Found;
}

static BOOLEAN (*MiFreeCheck)(const void *Base, SIZE_T Bytes, BOOLEAN Stop);

void MmSetFreeCheck(BOOLEAN (*Check)(const void *Base, SIZE_T Bytes, BOOLEAN Stop))
{
    MiFreeCheck = Check;
}

void MmNoteObject(const void *Object)
{
    MI_FRAME *Frame;

    if (!MiIsRamAddress(Object))
        return;
    Frame = &MiRam.Frames[MiRamFrameNumber(Object)];
    if (!(MiFrameFlags(Frame) & MI_FRAME_OBJECT))
        __atomic_fetch_or(&Frame->Flags, MI_FRAME_OBJECT, __ATOMIC_SEQ_CST);
}

static BOOLEAN MiHoldsObject(const void *Base, SIZE_T Bytes, BOOLEAN Stop)
{
    PVOID Found;
    ULONG Kind;

    if (KeFindObjectInRange(Base, Bytes, &Kind, &Found)) {
        if (Stop)
            VfBugCheck(TIMER_OR_DPC_INVALID, Kind, (ULONG_PTR)Found, (ULONG_PTR)Base,
                       (ULONG_PTR)Base + Bytes, "pool was freed that holds a %s",
                       Kind ? "DPC that is queued" : "timer that is set");
        return TRUE;
    }
    if (KeFindWaitInRange(Base, Bytes, &Found)) {
        if (Stop)
            VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x100B, (ULONG_PTR)Found,
                       (ULONG_PTR)Base, Bytes,
                       "pool was freed that holds an object for which a thread waits");
        return TRUE;
    }
    return MiFreeCheck && MiFreeCheck(Base, Bytes, Stop);
}

/* Before a block is freed in whose page something has been noted. Noting comes after inserting, so
 * what is inserted meanwhile is noted again behind the clearing. */
void MiCheckObjects(MI_FRAME *Frame, const void *Base, SIZE_T Bytes)
{
    const void *Page = (const void *)((ULONG_PTR)Base & ~(ULONG_PTR)(PAGE_SIZE - 1));

    __atomic_fetch_and(&Frame->Flags, (UCHAR)~MI_FRAME_OBJECT, __ATOMIC_SEQ_CST);
    if (!MiHoldsObject(Page, ROUND_TO_PAGES(Bytes), FALSE))
        return;
    __atomic_fetch_or(&Frame->Flags, MI_FRAME_OBJECT, __ATOMIC_SEQ_CST);
    MiHoldsObject(Base, Bytes, TRUE);
}

static void MiReportLeak(void *Context, const MM_POOL_BLOCK *Block)
{
    char Line[384], Caller[256];

    if (++*(ULONG *)Context > 16)
        return;
    host_symbolise(Block->Caller, Caller, sizeof(Caller));
    snprintf(Line, sizeof(Line),
             "pool: %zu bytes at %p with tag '%.4s' were not freed; allocated at %s\n",
             (size_t)Block->Bytes, Block->Address, (const char *)&Block->Tag, Caller);
    host_write_error(Line);
}

/* Reports what is still allocated; it goes with the rest of memory. */
void MiShutdownPool(void)
{
    ULONG Count = 0;
    MI_FINDER Finder = {.Bytes = MAXULONG_PTR, .Report = MiReportLeak, .Context = &Count};

    MiShutdownPoolCaches();
    MmCheckFreedPool();
    MiTrimSlabs();
    if (MiPoolFrames[MiNonPaged] || MiPoolFrames[MiPaged])
        MiFindAll(&Finder);
    MiShutdownTags();
}
