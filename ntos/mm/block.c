/*
 * Pool blocks: the way in and the way out.
 *
 * The fast path takes a block from the calling thread's magazine: no lock, no atomic operation. New
 * memory is garbage, and so, differently, is freed memory; the bytes behind a block and a free
 * block's header must be as they were left. Under AddressSanitizer everything that is not a
 * driver's is out of bounds, and a freed block rests in a quarantine first.
 */
#include "pool.h"

#include <string.h>

ULONG_PTR (*MiPoolOwner)(void);
BOOLEAN (*MiPoolFault)(ULONG Tag, SIZE_T Bytes);

#define MI_CACHE_LINE 64

MI_RAW_INLINE void MiCountAlloc(MI_TAG_COUNT *Count, SIZE_T Bytes)
{
    __atomic_store_n(&Count->Allocs, Count->Allocs + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&Count->Bytes, Count->Bytes + (LONG64)Bytes, __ATOMIC_RELAXED);
}

MI_RAW_INLINE void MiCountFree(MI_TAG_COUNT *Count, SIZE_T Bytes)
{
    __atomic_store_n(&Count->Frees, Count->Frees + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&Count->Bytes, Count->Bytes - (LONG64)Bytes, __ATOMIC_RELAXED);
}

MI_RAW_INLINE void MiSealBlock(MI_BLOCK *Block, SIZE_T Bytes, ULONG64 Word)
{
    Block->Word = Word;
    Block->Owner = MiPoolOwner ? MiPoolOwner() : 0;
    *(MI_UNALIGNED *)((char *)(Block + 1) + Bytes) = MI_TAIL_PATTERN;
    if (MI_ADDRESS_SANITIZER)
        host_unpoison(Block + 1, Bytes);
}

/* Bytes are at most MI_SMALL_MAX. The block is the thread's, unsealed. NULL: no memory. */
MI_RAW_INLINE MI_BLOCK *MiTakeBlock(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class)
{
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];
    MI_BLOCK *Block = Magazine->Head;

    if (__builtin_expect(!Block, 0)) {
        if (!MiRefill(Magazine, Kind, Class))
            return NULL;
        Block = Magazine->Head;
    }
    if (__builtin_expect(Block->Word != MiBlockWord(MI_TAG_FREE, 0, Class, MI_BLOCK_FREE), 0))
        MiBlockDamaged(Block);
    if (__builtin_expect(*(MI_UNALIGNED *)(Block + 1) != MI_FILL_FREE, 0))
        MiWrittenAfterFree(Block);
    Magazine->Head = Block->Next;
    Magazine->Count--;
    MiFill(Block + 1, MI_FILL_NEW, MiClasses[Class].Fill);
    return Block;
}

MI_RAW_INLINE void *MiAllocateSmall(MI_POOL_CACHE *Cache, ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    ULONG Class = MiClassOfSize[(Bytes + sizeof(MI_BLOCK) + MI_TAIL + 15) >> 4];
    MI_TAG_COUNT *Count = MiTagOf(Cache, MiTagKey(Kind, Tag), Bytes, Caller);
    MI_BLOCK *Block = MiTakeBlock(Cache, Kind, Class);

    if (__builtin_expect(!Block, 0))
        return NULL;
    MiSealBlock(Block, Bytes, MiBlockWord(Tag, Bytes, Class, MI_BLOCK_USED));
    MiCountAlloc(Count, Bytes);
    return Block + 1;
}

/* A second header lies right in front of what is given out; the block's own still describes it. */
MI_RAW static void *MiAllocateShifted(MI_POOL_CACHE *Cache, ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    SIZE_T Room = Bytes + MI_CACHE_LINE - sizeof(MI_BLOCK);
    ULONG Class = MiClassOfSize[(Room + sizeof(MI_BLOCK) + MI_TAIL + 15) >> 4];
    MI_TAG_COUNT *Count = MiTagOf(Cache, MiTagKey(Kind, Tag), Bytes, Caller);
    MI_BLOCK *Base = MiTakeBlock(Cache, Kind, Class), *Block;

    if (!Base)
        return NULL;
    Block = (MI_BLOCK *)(((ULONG_PTR)(Base + 1) + MI_CACHE_LINE - 1) & ~(ULONG_PTR)(MI_CACHE_LINE - 1)) - 1;
    MiSealBlock(Block, Bytes, MiBlockWord(Tag, Bytes, Class, Block == Base ? MI_BLOCK_USED : MI_BLOCK_SHIFTED));
    if (Block != Base) {
        Base->Word = MiBlockWord(Tag, Bytes, Class, MI_BLOCK_BASE);
        Base->Owner = Block->Owner;
    }
    MiCountAlloc(Count, Bytes);
    return Block + 1;
}

__attribute__((noinline)) static void *MiAllocateSlowly(ULONG Kind, SIZE_T Bytes, ULONG Tag,
                                                        BOOLEAN CacheAligned, void *Caller)
{
    MI_POOL_CACHE *Cache;
    void *Address;

    if (Bytes > MI_SMALL_MAX - (CacheAligned ? MI_CACHE_LINE : 0))
        return MiAllocateLarge(Kind, Bytes, Tag, Caller);
    Cache = MiEnterPoolCache();
    Address = CacheAligned ? MiAllocateShifted(Cache, Kind, Bytes, Tag, Caller)
                           : MiAllocateSmall(Cache, Kind, Bytes, Tag, Caller);
    MiLeavePoolCache(Cache);
    return Address;
}

/* Everything below the documented routines: no check but the memory's own. */
MI_RAW void *MiAllocateAny(ULONG Kind, SIZE_T Bytes, ULONG Tag, BOOLEAN CacheAligned, void *Caller)
{
    MI_POOL_CACHE *Cache = KiSelf ? KiSelf->PoolCache : NULL;

    if (__builtin_expect(Cache && Bytes <= MI_SMALL_MAX && !CacheAligned, 1))
        return MiAllocateSmall(Cache, Kind, Bytes, Tag, Caller);
    return MiAllocateSlowly(Kind, Bytes, Tag, CacheAligned, Caller);
}

MI_RAW void *MiAddressOfBlock(MI_BLOCK *Block)
{
    ULONG State = __atomic_load_n(&Block->State, __ATOMIC_RELAXED);

    if (State == MI_BLOCK_USED)
        return Block + 1;
    if (State == MI_BLOCK_BASE)
        return (void *)(((ULONG_PTR)(Block + 1) + MI_CACHE_LINE - 1) & ~(ULONG_PTR)(MI_CACHE_LINE - 1));
    return NULL;
}

MI_RAW_INLINE ULONG MiOffsetInBlock(const void *Address, ULONG Class)
{
    ULONG Offset = BYTE_OFFSET(Address);
    ULONG Index = (ULONG)(((ULONG64)Offset * MiClasses[Class].Reciprocal) >> 24);

    return Offset - Index * MiClasses[Class].Size;
}

/* The block whose memory begins at Address; a bug check if there is none in use. */
MI_RAW_INLINE MI_BLOCK *MiBlockAt(void *Address, MI_FRAME *Frame)
{
    MI_BLOCK *Block = (MI_BLOCK *)Address - 1;
    ULONG Offset;

    if (__builtin_expect(((ULONG_PTR)Address & (sizeof(MI_BLOCK) - 1)) || !BYTE_OFFSET(Address), 0))
        MiNoSuchBlock(Address);
    Offset = MiOffsetInBlock(Block, Frame->Class);
    if (__builtin_expect(Block->Class != Frame->Class, 0))
        MiNoSuchBlock(Address);
    if (__builtin_expect(Block->State == MI_BLOCK_USED && !Offset, 1))
        return Block;
    if (Block->State == MI_BLOCK_FREE && !Offset)
        MiFreedTwice(Block);
    if (Block->State != MI_BLOCK_SHIFTED)
        MiNoSuchBlock(Address);
    return Block;
}

MI_RAW_INLINE void MiCheckTail(MI_BLOCK *Block)
{
    ULONG64 Found = *(MI_UNALIGNED *)((char *)(Block + 1) + Block->Bytes);

    if (__builtin_expect(Found != MI_TAIL_PATTERN, 0))
        MiOverrun(Block + 1, Block->Bytes, Found);
}

MI_RAW_INLINE void MiPushBlock(MI_POOL_CACHE *Cache, MI_BLOCK *Block, ULONG Kind, ULONG Class)
{
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];

    Block->Next = Magazine->Head;
    Magazine->Head = Block;
    if (__builtin_expect(++Magazine->Count > MiClasses[Class].Limit, 0))
        MiFlush(Magazine, Kind, Class, MiClasses[Class].Limit / 2);
}

/* Under AddressSanitizer, the block that is freed is not the one that is used next. */
MI_RAW_INLINE void MiRetireBlock(MI_POOL_CACHE *Cache, MI_BLOCK *Block, ULONG Kind, ULONG Class)
{
#if MI_ADDRESS_SANITIZER
    MI_BLOCK **Place = &Cache->Quarantine[Cache->QuarantineAt++ % RTL_NUMBER_OF(Cache->Quarantine)];
    MI_BLOCK *Oldest = *Place;

    host_poison(Block, MiClasses[Class].Size);
    *Place = Block;
    if (!Oldest)
        return;
    Block = Oldest;
    Class = Block->Class;
    Kind = (MiRam.Frames[MiRamFrameNumber(Block)].Flags & MI_FRAME_PAGED) ? MiPaged : MiNonPaged;
#endif
    MiPushBlock(Cache, Block, Kind, Class);
}

/* Bits that a caller may set in the tag it frees with, as older drivers do. */
#define MI_TAG_PROTECTED 0x80000000u

MI_RAW_INLINE void MiFreeSmall(MI_POOL_CACHE *Cache, MI_BLOCK *Block, ULONG Kind)
{
    ULONG Class = Block->Class;
    MI_TAG_COUNT *Count = MiTagOf(Cache, MiTagKey(Kind, Block->Tag), Block->Bytes, NULL);

    MiCountFree(Count, Block->Bytes);
    if (__builtin_expect(Block->State == MI_BLOCK_SHIFTED, 0))
        Block = (MI_BLOCK *)((char *)Block - MiOffsetInBlock(Block, Class));
    Block->Word = MiBlockWord(MI_TAG_FREE, 0, Class, MI_BLOCK_FREE);
    MiFill(Block + 1, MI_FILL_FREE, MiClasses[Class].Fill);
    MiRetireBlock(Cache, Block, Kind, Class);
}

MI_RAW void MiFreeAny(void *Address, ULONG Tag)
{
    MI_POOL_CACHE *Cache = KiSelf ? KiSelf->PoolCache : NULL;
    MI_FRAME *Frame;
    MI_BLOCK *Block;
    ULONG Kind;

    if (__builtin_expect(!MiIsRamAddress(Address), 0))
        MiNoSuchBlock(Address);
    Frame = &MiRam.Frames[MiRamFrameNumber(Address)];
    Kind = (Frame->Flags & MI_FRAME_PAGED) ? MiPaged : MiNonPaged;
    if (__builtin_expect(Frame->State != MiFrameSlab, 0)) {
        MiFreeLarge(Frame, Address, Tag);
        return;
    }
    Block = MiBlockAt(Address, Frame);
    if (__builtin_expect(KiIrql() > (Kind == MiPaged ? APC_LEVEL : DISPATCH_LEVEL), 0))
        MiBadFreeIrql(Kind, Address);
    if (__builtin_expect(Tag && Tag != Block->Tag && (Tag & ~MI_TAG_PROTECTED) != Block->Tag, 0))
        MiWrongTag(Address, Block->Tag, Tag);
    MiCheckTail(Block);
    if (__builtin_expect(Cache != NULL, 1)) {
        MiFreeSmall(Cache, Block, Kind);
        return;
    }
    Cache = MiEnterPoolCache();
    MiFreeSmall(Cache, Block, Kind);
    MiLeavePoolCache(Cache);
}
