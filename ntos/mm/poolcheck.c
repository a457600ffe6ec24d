/* What is wrong with a use of the pool, in the terms of bug checks 0x19, 0xC2, 0xC4 and 0xC6. */
#include "pool.h"

#include <stdio.h>

_Noreturn void MiBadAllocateIrql(ULONG Kind, SIZE_T Bytes)
{
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Kind == MiPaged ? 0x01 : 0x02, KiIrql(),
               Kind == MiPaged ? PagedPool : NonPagedPool, Bytes,
               "%s pool was asked for at IRQL %u", Kind == MiPaged ? "paged" : "nonpaged",
               KiIrql());
}

_Noreturn void MiBadFreeIrql(ULONG Kind, void *Address)
{
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Kind == MiPaged ? 0x11 : 0x12, KiIrql(),
               Kind == MiPaged ? PagedPool : NonPagedPool, (ULONG_PTR)Address,
               "%s pool was freed at IRQL %u", Kind == MiPaged ? "paged" : "nonpaged", KiIrql());
}

static BOOLEAN MiIsLetterOrDigit(ULONG Character)
{
    return (Character >= '0' && Character <= '9') || (Character >= 'A' && Character <= 'Z') ||
           (Character >= 'a' && Character <= 'z');
}

static BOOLEAN MiIsBigTag(ULONG Tag)
{
    return (Tag & 0xFFFFFF) == 0x474942 && (Tag >> 24 == ' ' || !(Tag >> 24)); /* "BIG" in memory */
}

/* A tag that pool tracking can work with. */
BOOLEAN MiTagIsGood(ULONG Tag)
{
    BOOLEAN Good = FALSE;

    for (ULONG i = 0; i < 4; i++)
        Good |= MiIsLetterOrDigit((Tag >> (8 * i)) & 0x7F);
    return Good && !MiIsBigTag(Tag);
}

_Noreturn void MiBadTag(ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    ULONG_PTR Type = Kind == MiPaged ? PagedPool : NonPagedPool;

    if (!Tag)
        VfBugCheck(BAD_POOL_CALLER, 0x9B, Type, Bytes, (ULONG_PTR)Caller,
                   "pool was asked for with tag 0");
    if (MiIsBigTag(Tag))
        VfBugCheck(BAD_POOL_CALLER, 0x9C, Type, Bytes, (ULONG_PTR)Caller,
                   "pool was asked for with tag 'BIG'");
    VfBugCheck(BAD_POOL_CALLER, 0x9D, Tag, Type, (ULONG_PTR)Caller,
               "pool was asked for with tag 0x%08x, which has neither letter nor digit", Tag);
}

_Noreturn void MiFreedIrp(void *Address)
{
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x105, (ULONG_PTR)Address, 0, 0,
               "an IRP was freed with ExFreePool instead of IoFreeIrp");
}

_Noreturn void MiWrongTag(void *Address, ULONG Actual, ULONG Given)
{
    VfBugCheck(BAD_POOL_CALLER, 0x0A, (ULONG_PTR)Address, Actual, Given,
               "a block with tag '%.4s' was freed with tag '%.4s'", (const char *)&Actual,
               (const char *)&Given);
}

_Noreturn void MiOverrun(void *Address, SIZE_T Bytes, ULONG64 Found)
{
    VfBugCheck(BAD_POOL_HEADER, 0x21, (ULONG_PTR)Address, Bytes, Found,
               "the bytes behind a block of %zu bytes have been written to", (size_t)Bytes);
}

/* A free block's header is not as it was left: most often its neighbour's overrun. */
MI_RAW _Noreturn void MiBlockDamaged(MI_BLOCK *Block)
{
    VfBugCheck(BAD_POOL_HEADER, 0x0D, (ULONG_PTR)(Block + 1), Block->Word, 0,
               "the header of a free block has been written to; the block before it may have been "
               "overrun");
}

/* What a freed block was, and where it has been written to. */
MI_RAW static void MiTellFreed(MI_BLOCK *Block)
{
    const UCHAR *Memory = (const UCHAR *)(Block + 1);
    ULONG At = 0, Last = MiClasses[Block->Class].Fill;
    char Caller[256];

    while (At < Last && Memory[At] == (UCHAR)MI_FILL_FREE)
        At++;
    while (Last > At && Memory[Last - 1] == (UCHAR)MI_FILL_FREE)
        Last--;
    if (MI_ADDRESS_SANITIZER)
        host_unpoison(Block, sizeof(*Block));                     /* printf looks too */
    if (Block->Owner && !MmIsSystemAddress((void *)Block->Owner)) /* a link of the stock */
        host_symbolise((void *)Block->Owner, Caller, sizeof(Caller));
    else
        snprintf(Caller, sizeof(Caller), "a place that is not known any more");
    VfDetail("the block had %u bytes, tag '%.4s', and was allocated at %s", Block->Bytes,
             (const char *)&Block->Tag, Caller);
    VfDetail("written to: byte %u to %u", At, Last - 1);
}

MI_RAW _Noreturn void MiWrittenAfterFree(MI_BLOCK *Block)
{
    MiTellFreed(Block);
    VfBugCheck(DRIVER_CAUGHT_MODIFYING_FREED_POOL, (ULONG_PTR)(Block + 1), 1, KernelMode, 0,
               "a block was written to after it had been freed");
}

MI_RAW _Noreturn void MiFreedTwice(MI_BLOCK *Block)
{
    VfBugCheck(BAD_POOL_CALLER, 0x07, 0, Block->Word, (ULONG_PTR)(Block + 1),
               "a block was freed twice");
}

/* Not the beginning of a block in use. */
_Noreturn void MiNoSuchBlock(void *Address)
{
    if (!MmIsSystemAddress(Address))
        VfBugCheck(BAD_POOL_CALLER, 0x40, (ULONG_PTR)Address, MM_SYSTEM_LOW, 0,
                   "the address that was freed is not in system space");
    if (!MiIsRamAddress(Address))
        VfBugCheck(BAD_POOL_CALLER, 0x42, (ULONG_PTR)Address, 0, 0,
                   "the address that was freed was never in a pool");
    if (MiRam.Frames[MiRamFrameNumber(Address)].State == MiFrameSlab)
        VfBugCheck(BAD_POOL_CALLER, 0x99, (ULONG_PTR)Address, 0, 0,
                   "no block begins at the address that was freed, or its header is damaged");
    VfBugCheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)Address, 0, 0,
               "no pool block begins at the address that was freed");
}
