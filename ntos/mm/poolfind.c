/* Who has what of the pool: block sizes, and an owner's blocks. */
#include "pool.h"

#include <stdio.h>

BOOLEAN MiIsPagedPool(const void *Address)
{
    MI_FRAME *Frame = MiIsRamAddress(Address) ? &MiRam.Frames[MiRamFrameNumber(Address)] : NULL;

    return Frame &&
           (Frame->State == MiFrameSlab || Frame->State == MiFrameBlock ||
            Frame->State == MiFrameBlockTail) &&
           (Frame->Flags & MI_FRAME_PAGED);
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

typedef struct MI_FINDER {
    ULONG_PTR Owner;
    BOOLEAN AnyOwner;
    void (*Report)(void *Context, PVOID Block, ULONG Tag, SIZE_T Bytes);
    void *Context;
    ULONG Found;
} MI_FINDER;

static void MiFound(MI_FINDER *Finder, ULONG_PTR Owner, void *Address, ULONG Tag, SIZE_T Bytes)
{
    if (!Finder->AnyOwner && Owner != Finder->Owner)
        return;
    Finder->Found++;
    if (Finder->Report)
        Finder->Report(Finder->Context, Address, Tag, Bytes);
}

/* Threads may allocate and free meanwhile: what they do is then seen or not. */
MI_RAW __attribute__((no_sanitize("thread"))) static void MiLookAtBlock(void *Context,
                                                                        MI_BLOCK *Block)
{
    void *Address = MiAddressOfBlock(Block);

    if (Address)
        MiFound(Context, Block->Owner, Address, Block->Tag, Block->Bytes);
}

__attribute__((no_sanitize("thread"))) static void MiFindAll(MI_FINDER *Finder)
{
    for (PFN_NUMBER Number = 1; Number < MiRam.Count;) {
        MI_FRAME *Frame = &MiRam.Frames[Number];
        UCHAR State = __atomic_load_n(&Frame->State, __ATOMIC_ACQUIRE);

        if (State == MiFrameSlab)
            MiEachSlabBlock(Frame, Number, MiLookAtBlock, Finder);
        else if (State == MiFrameBlock)
            MiFound(Finder, Frame->Owner, MmFrameAddress(Number), Frame->Tag, Frame->Bytes);
        Number += State == MiFrameFree ? (SIZE_T)1 << Frame->Order : 1;
    }
}

ULONG MmFindPoolOf(ULONG_PTR Owner,
                   void (*Report)(void *Context, PVOID Block, ULONG Tag, SIZE_T Bytes),
                   void *Context)
{
    MI_FINDER Finder = {.Owner = Owner, .Report = Report, .Context = Context};

    MiFindAll(&Finder);
    return Finder.Found;
}

static void MiReportLeak(void *Context, PVOID Block, ULONG Tag, SIZE_T Bytes)
{
    char Line[96];

    if (++*(ULONG *)Context > 16)
        return;
    snprintf(Line, sizeof(Line), "pool: %zu bytes at %p with tag '%.4s' were not freed\n",
             (size_t)Bytes, Block, (const char *)&Tag);
    host_write_error(Line);
}

/* Reports what is still allocated; it goes with the rest of memory. */
void MiShutdownPool(void)
{
    ULONG Count = 0;
    MI_FINDER Finder = {.AnyOwner = TRUE, .Report = MiReportLeak, .Context = &Count};

    MiShutdownPoolCaches();
    MiTrimSlabs();
    if (MiPoolFrames[MiNonPaged] || MiPoolFrames[MiPaged])
        MiFindAll(&Finder);
    MiShutdownTags();
}
