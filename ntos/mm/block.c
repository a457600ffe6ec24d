/*
 * Pool blocks: the way in and the way out.
 *
 * The fast path takes a block from the calling thread's magazine: no lock, no atomic operation. New
 * memory is garbage, and so, differently, is freed memory, which rests for a while: its bytes, and
 * those behind a block, must be as they were left. Under AddressSanitizer everything that is not a
 * driver's is out of bounds, and a freed block rests in a quarantine first.
 */
#include "poolfast.h"

BOOLEAN (*MiPoolFault)(ULONG Tag, SIZE_T Bytes);

#define MI_CACHE_LINE 64

MI_RAW_INLINE void MiSealBlock(MI_BLOCK *Block, SIZE_T Bytes, ULONG64 Word, void *Caller)
{
    Block->Word = Word;
    Block->Owner = (ULONG_PTR)Caller;
    *(MI_UNALIGNED *)((char *)(Block + 1) + Bytes) = MI_TAIL_PATTERN;
    if (MI_ADDRESS_SANITIZER)
        host_unpoison(Block + 1, Bytes);
}

/* Bytes are at most MI_SMALL_MAX. The block is the thread's, unsealed. NULL: no memory. */
MI_RAW_INLINE MI_BLOCK *MiTakeBlock(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class)
{
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];
    MI_BLOCK *Block;

    if (__builtin_expect(MiBlocksIn(Magazine) <= Magazine->Resting, 0) &&
        !MiRefill(Cache, Kind, Class))
        return NULL;
    Block = Magazine->Ring[Magazine->Oldest % MI_RING];
    MiCheckFreed(Block, Class);
    Magazine->Oldest++;
    MiMarkNew(Block);
    return Block;
}

MI_RAW_INLINE void *MiAllocateSmall(MI_POOL_CACHE *Cache, ULONG Kind, SIZE_T Bytes, ULONG Tag,
                                    void *Caller)
{
    ULONG Class = MiClassOfSize[(Bytes + sizeof(MI_BLOCK) + MI_TAIL + 15) >> 4];
    MI_TAG_COUNT *Count = MiTagOf(Cache, Kind, Tag, Bytes, Caller);
    MI_BLOCK *Block = MiTakeBlock(Cache, Kind, Class);

    if (__builtin_expect(!Block, 0))
        return NULL;
    MiSealBlock(Block, Bytes, MiBlockWord(Tag, Bytes, Class, MI_BLOCK_USED), Caller);
    MiCountAlloc(Count, Bytes);
    return Block + 1;
}

MI_RAW_INLINE void MiCountFree(MI_TAG_COUNT *Count, SIZE_T Bytes)
{
    MI_ADD(Count->Frees, 1);
    MI_ADD(Count->Bytes, -(LONG64)Bytes);
}

/* A second header lies right in front of what is given out; the block's own still describes it. */
MI_RAW static void *MiAllocateShifted(MI_POOL_CACHE *Cache, ULONG Kind, SIZE_T Bytes, ULONG Tag,
                                      void *Caller)
{
    SIZE_T Room = Bytes + MI_CACHE_LINE - sizeof(MI_BLOCK);
    ULONG Class = MiClassOfSize[(Room + sizeof(MI_BLOCK) + MI_TAIL + 15) >> 4];
    MI_TAG_COUNT *Count = MiTagOf(Cache, Kind, Tag, Bytes, Caller);
    MI_BLOCK *Base = MiTakeBlock(Cache, Kind, Class), *Block;

    if (!Base)
        return NULL;
    Block = (MI_BLOCK *)(((ULONG_PTR)(Base + 1) + MI_CACHE_LINE - 1) &
                         ~(ULONG_PTR)(MI_CACHE_LINE - 1)) -
            1;
    MiSealBlock(Block, Bytes,
                MiBlockWord(Tag, Bytes, Class, Block == Base ? MI_BLOCK_USED : MI_BLOCK_SHIFTED),
                Caller);
    if (Block != Base) {
        Base->Word = MiBlockWord(Tag, Bytes, Class, MI_BLOCK_BASE);
        Base->Owner = Block->Owner;
    }
    MiCountAlloc(Count, Bytes);
    return Block + 1;
}

/* Everything below the documented routines: no check but the memory's own. */
void *MiAllocateAny(ULONG Kind, SIZE_T Bytes, ULONG Tag, BOOLEAN CacheAligned, void *Caller)
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

MI_WHILE_OTHERS_WRITE void *MiAddressOfBlock(MI_BLOCK *Block)
{
    ULONG State = *(volatile UCHAR *)&Block->State;

    if (State == MI_BLOCK_USED)
        return Block + 1;
    if (State == MI_BLOCK_BASE)
        return (void *)(((ULONG_PTR)(Block + 1) + MI_CACHE_LINE - 1) &
                        ~(ULONG_PTR)(MI_CACHE_LINE - 1));
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
    Kind = (MiFrameFlags(&MiRam.Frames[MiRamFrameNumber(Block)]) & MI_FRAME_PAGED) ? MiPaged
                                                                                   : MiNonPaged;
#endif
    MiPushBlock(Cache, Block, Kind, Class);
}

/* Bits that a caller may set in the tag it frees with, as older drivers do. */
#define MI_TAG_PROTECTED 0x80000000u

_Static_assert(MI_FRAME_PAGED == 2 && APC_LEVEL == DISPATCH_LEVEL - 1,
               "a frame's word and a kind's IRQL limit");

MI_RAW_INLINE void MiFreeSmall(MI_POOL_CACHE *Cache, MI_BLOCK *Block, ULONG64 Word, ULONG Kind)
{
    SIZE_T Bytes = (USHORT)(Word >> 32);
    ULONG Class = (UCHAR)(Word >> 48);
    MI_TAG_COUNT *Count = MiTagOf(Cache, Kind, (ULONG)Word, Bytes, NULL);

    MiCountFree(Count, Bytes);
    Block->State = MI_BLOCK_FREE;
    MiFill(Block + 1, MI_FILL_FREE, MiClasses[Class].Fill);
    MiRetireBlock(Cache, Block, Kind, Class);
}

/* Whatever is not the usual: each step with its own answer. */
__attribute__((noinline)) MI_RAW static void MiFreeSlowly(void *Address, ULONG Tag)
{
    MI_POOL_CACHE *Cache;
    MI_FRAME *Frame;
    MI_BLOCK *Block;
    ULONG64 Word;
    ULONG Kind;

    if (!MiIsRamAddress(Address))
        MiNoSuchBlock(Address);
    Frame = &MiRam.Frames[MiRamFrameNumber(Address)];
    Kind = (MiFrameFlags(Frame) & MI_FRAME_PAGED) ? MiPaged : MiNonPaged;
    if (Frame->State != MiFrameSlab) {
        MiFreeLarge(Frame, Address, Tag);
        return;
    }
    Block = MiBlockAt(Address, Frame);
    if (KiIrql() > (Kind == MiPaged ? APC_LEVEL : DISPATCH_LEVEL))
        MiBadFreeIrql(Kind, Address);
    if (Tag && Tag != Block->Tag && (Tag & ~MI_TAG_PROTECTED) != Block->Tag)
        MiWrongTag(Address, Block->Tag, Tag);
    if (!Tag && Block->Tag == MI_TAG_IRP && Block->Bytes >= sizeof(IRP) &&
        ((PIRP)Address)->Type == IO_TYPE_IRP)
        MiFreedIrp(Address);
    MiCheckTail(Block);
    if (MiFrameFlags(Frame) & MI_FRAME_OBJECT)
        MiCheckObjects(Frame, Address, Block->Bytes);
    Word = Block->Word;
    if (Block->State == MI_BLOCK_SHIFTED)
        Block = (MI_BLOCK *)((char *)Block - MiOffsetInBlock(Block, Block->Class));
    Cache = MiEnterPoolCache();
    MiFreeSmall(Cache, Block, Word, Kind);
    MiLeavePoolCache(Cache);
}

/* The frame's first four bytes, of a slab of that kind in which nothing is noted; order and class
 * left out. */
#define MI_SLAB_MASK ((ULONG)(MI_FRAME_PAGED | MI_FRAME_OBJECT) << 24 | 0xFF)
#define MI_SLAB_WORD(Kind) ((ULONG)(Kind)*MI_FRAME_PAGED << 24 | MiFrameSlab)

/* Block is where a block of that kind begins, if there is any. */
MI_RAW_INLINE BOOLEAN MiTryFreeSmall(struct _KTHREAD *Self, MI_BLOCK *Block, ULONG Tag, ULONG Class,
                                     ULONG Kind)
{
    MI_POOL_CACHE *Cache = Self->PoolCache;
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];
    MI_TAG_COUNT *Count;
    ULONG64 Word = Block->Word;

    MI_KEEP(Magazine);
    if (__builtin_expect(
            (Word ^ Magazine->UsedWord) >> 48 || MiBlocksIn(Magazine) >= Magazine->Limit, 0))
        return FALSE;
    if (__builtin_expect(Self->Irql > DISPATCH_LEVEL - Kind, 0))
        return FALSE;
    if (Tag != (ULONG)Word && (Tag || (ULONG)Word == MI_TAG_IRP))
        return FALSE;
    if (__builtin_expect(
            *(MI_UNALIGNED *)((char *)(Block + 1) + (USHORT)(Word >> 32)) != MI_TAIL_PATTERN, 0))
        return FALSE;
    Count = MiUsualSlot(Cache, Kind, (ULONG)Word);
    if (__builtin_expect(Count->Key != MiTagKey(Kind, (ULONG)Word), 0))
        return FALSE;
    MiCountFree(Count, (USHORT)(Word >> 32));
    MiFill(Block + 1, MI_FILL_FREE, Magazine->Fill);
    Block->State = MI_BLOCK_FREE;
    Magazine->Ring[Magazine->Next++ % MI_RING] = Block;
    return TRUE;
}

/* The usual case and nothing else: FALSE if anything is out of the ordinary, with nothing changed.
 */
MI_RAW_INLINE BOOLEAN MiTryFree(void *Address, ULONG Tag)
{
    struct _KTHREAD *Self = KiSelf;
    const MI_FRAME *Frame;
    ULONG Word;

    if (__builtin_expect(
            !Self || !Self->PoolCache || !MiIsRamAddress(Address) || !BYTE_OFFSET(Address), 0))
        return FALSE;
    Frame = &MiRam.Frames[MiRamFrameNumber(Address)];
    Word = __atomic_load_n(&Frame->Word, __ATOMIC_RELAXED);
    if ((Word & MI_SLAB_MASK) == MI_SLAB_WORD(MiNonPaged))
        return MiTryFreeSmall(Self, (MI_BLOCK *)Address - 1, Tag, Frame->Class, MiNonPaged);
    if ((Word & MI_SLAB_MASK) == MI_SLAB_WORD(MiPaged))
        return MiTryFreeSmall(Self, (MI_BLOCK *)Address - 1, Tag, Frame->Class, MiPaged);
    return FALSE;
}

MI_RAW void MiFreeAny(void *Address, ULONG Tag)
{
    if (MI_ADDRESS_SANITIZER || !MiTryFree(Address, Tag)) /* the quarantine is the slow way's */
        MiFreeSlowly(Address, Tag);
}
