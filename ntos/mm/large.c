/* Pool blocks of a page and more: runs of frames, described by their first frame's entry. */
#include "pool.h"

#include <string.h>

static void MiCountLarge(ULONG Kind, ULONG Tag, SIZE_T Bytes, void *Caller, LONG Direction)
{
    MI_POOL_CACHE *Cache = MiEnterPoolCache();
    MI_TAG_COUNT *Count = MiTagOf(Cache, Kind, Tag, Bytes, Caller);

    if (Direction > 0)
        __atomic_store_n(&Count->Allocs, Count->Allocs + 1, __ATOMIC_RELAXED);
    else if (Direction < 0)
        __atomic_store_n(&Count->Frees, Count->Frees + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&Count->Bytes, Count->Bytes + (LONG64)Bytes * Direction, __ATOMIC_RELAXED);
    MiLeavePoolCache(Cache);
}

static SIZE_T MiSlack(SIZE_T Bytes)
{
    return (PAGE_SIZE - (Bytes & (PAGE_SIZE - 1))) & (PAGE_SIZE - 1);
}

static void MiSealLarge(void *Address, SIZE_T Bytes)
{
    SIZE_T Slack = MiSlack(Bytes);

    MiFill(Address, MI_FILL_NEW, MI_ADDRESS_SANITIZER ? (Bytes & ~(SIZE_T)15) : MI_FILL_BYTES);
    if (Slack)
        memset((char *)Address + Bytes, (int)(MI_TAIL_PATTERN & 0xFF), min(Slack, MI_TAIL));
    host_poison((char *)Address + Bytes, Slack);
}

static void MiDescribeLarge(PFN_NUMBER Number, ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    SIZE_T Pages = BYTES_TO_PAGES(Bytes);

    for (SIZE_T i = 0; i < Pages; i++) {
        MI_FRAME *Frame = &MiRam.Frames[Number + i];

        MiSetFrameFlags(Frame, Kind == MiPaged ? MI_FRAME_PAGED : 0);
        Frame->Bytes = i ? 0 : Bytes;
        Frame->Tag = Tag;
        Frame->Owner = (ULONG_PTR)Caller;
        MiSetFrameState(Frame, i ? MiFrameBlockTail : MiFrameBlock);
    }
}

void *MiAllocateLarge(ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    PFN_NUMBER Number;
    void *Address;

    MiCountLarge(Kind, Tag, Bytes, Caller, 0);
    if (Bytes > MiRam.Count << PAGE_SHIFT ||
        !NT_SUCCESS(MiAllocateRun(((Bytes - 1) >> PAGE_SHIFT) + 1, MiFrameUsed, &Number)))
        return NULL;
    Address = MmFrameAddress(Number);
    MiSealLarge(Address, Bytes);
    MiDescribeLarge(Number, Kind, Bytes, Tag, Caller);
    MiPoolFrames[Kind] += BYTES_TO_PAGES(Bytes);
    MiCountLarge(Kind, Tag, Bytes, Caller, 1);
    return Address;
}

static void MiCheckLargeTail(void *Address, SIZE_T Bytes)
{
    SIZE_T Slack = min(MiSlack(Bytes), (SIZE_T)MI_TAIL);
    ULONG64 Found = MI_TAIL_PATTERN;

    host_unpoison((char *)Address + Bytes, Slack);
    memcpy(&Found, (char *)Address + Bytes, Slack);
    if (Found != MI_TAIL_PATTERN)
        MiOverrun(Address, Bytes, Found);
}

/* Frame is where Address lies, whatever that is. */
void MiFreeLarge(MI_FRAME *Frame, void *Address, ULONG Tag)
{
    ULONG Kind = (MiFrameFlags(Frame) & MI_FRAME_PAGED) ? MiPaged : MiNonPaged;
    SIZE_T Bytes = Frame->Bytes;
    ULONG OwnTag = Frame->Tag;
    UCHAR Expected = MiFrameBlock;

    if (BYTE_OFFSET(Address) || __atomic_load_n(&Frame->State, __ATOMIC_RELAXED) != MiFrameBlock)
        MiNoSuchBlock(Address);
    if (KiIrql() > (Kind == MiPaged ? APC_LEVEL : DISPATCH_LEVEL))
        MiBadFreeIrql(Kind, Address);
    if (Tag && Tag != OwnTag && (Tag & 0x7FFFFFFF) != OwnTag)
        MiWrongTag(Address, OwnTag, Tag);
    MiCheckUnused((PFN_NUMBER)(Frame - MiRam.Frames), BYTES_TO_PAGES(Bytes));
    MiCheckLargeTail(Address, Bytes);
    for (SIZE_T i = 0; i < BYTES_TO_PAGES(Bytes); i++)
        if (__atomic_load_n(&Frame[i].Flags, __ATOMIC_RELAXED) & MI_FRAME_OBJECT)
            MiCheckObjects(&Frame[i], Address, Bytes);
    if (!__atomic_compare_exchange_n(&Frame->State, &Expected, MiFrameUsed, FALSE, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        MiNoSuchBlock(Address);
    MiFill(Address, MI_FILL_FREE, MI_FILL_BYTES);
    MiPoolFrames[Kind] -= BYTES_TO_PAGES(Bytes);
    MiCountLarge(Kind, OwnTag, Bytes, NULL, -1);
    MmFreeFrames((PFN_NUMBER)(Frame - MiRam.Frames), BYTES_TO_PAGES(Bytes));
}
