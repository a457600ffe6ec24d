/* What the files of the pool share. */
#ifndef MI_POOL_H
#define MI_POOL_H

#include "mi.h"

#pragma GCC visibility push(hidden)

enum { MiNonPaged, MiPaged, MI_POOL_KINDS };

#define MI_TAG_IRP ' prI' /* of IoAllocateIrp, which IoFreeIrp gives back with the tag */
#define MI_BLOCK_USED 0x5A
#define MI_BLOCK_BASE 0x5B    /* used, but what was given out is a shifted block in it */
#define MI_BLOCK_SHIFTED 0x5C /* used; begins behind the block's start, for alignment */
#define MI_BLOCK_FREE 0xF6

/* In front of each block below a page; as on NT, 16 bytes. */
typedef struct MI_BLOCK {
    union {
        struct {
            ULONG Tag;
            USHORT Bytes; /* as asked for */
            union {
                struct {
                    UCHAR Class, State;
                };
                USHORT Mark; /* both */
            };
        };
        ULONG64 Word; /* all of these */
    };
    union {
        ULONG_PTR Owner;       /* the address that asked for it, in a driver or in the executive */
        struct MI_BLOCK *Next; /* in the stock */
    };
} MI_BLOCK;
_Static_assert(sizeof(MI_BLOCK) == 16, "a block's header keeps blocks 16-byte aligned");

#define MI_TAIL 8 /* bytes behind a block that must come back unchanged */
#define MI_TAIL_PATTERN 0xE7E7E7E7E7E7E7E7ull
#define MI_SMALL_MAX (PAGE_SIZE - sizeof(MI_BLOCK) - MI_TAIL)
#define MI_CLASSES 29
#define MI_CLASS_SLOTS 32 /* a power of two, for arrays by class */

#define MI_FILL_NEW 0xBDBDBDBDBDBDBDBDull
#define MI_FILL_FREE 0xF5F5F5F5F5F5F5F5ull
#define MI_FILL_BYTES 64   /* so many of new memory are filled; under AddressSanitizer all */
#define MI_FILL_MOST 1024u /* of freed memory, which is looked at before it is used again */

typedef struct MI_CLASS {
    USHORT Size;     /* with header and tail */
    USHORT Fill;     /* bytes to fill of a freed one: as good as all, up to MI_FILL_MOST */
    USHORT Capacity; /* blocks in a page */
    USHORT Limit;    /* blocks in a thread's magazine */
    ULONG Reciprocal;
    ULONG Unused; /* 16 bytes */
} MI_CLASS;
extern MI_CLASS MiClasses[MI_CLASSES];
extern UCHAR MiStarts[MI_CLASS_SLOTS][PAGE_SIZE / 16]; /* TRUE: a block's memory begins there, in a
                                                          slab of the class */
extern UCHAR MiClassOfSize[PAGE_SIZE / 16 + 1]; /* by (header + bytes + tail, rounded up) / 16 */

/*
 * A thread's free blocks of one class, with what the fast paths need to know of the class. They lie
 * in a ring; the oldest is used first, and a quarter of the limit always rests: whoever writes to
 * freed memory is found when it is used again.
 */
typedef struct MI_MAGAZINE {
    struct MI_BLOCK **Ring;
    ULONG Oldest, Next; /* both count on; the difference is the number of blocks */
    ULONG Resting;      /* so many are not used */
    ULONG Limit;        /* as in MI_CLASS */
    USHORT Fill;        /* as in MI_CLASS */
    USHORT Unused[3];
    ULONG64 UsedWord; /* of the class's blocks, without tag and bytes */
} MI_MAGAZINE;
#define MI_RING 64 /* blocks in a magazine at most */

/* One tag of one pool, as one thread has used it. */
typedef struct MI_TAG_COUNT {
    ULONG64 Key; /* tag, and above it the pool's kind + 1; 0: unused */
    ULONG64 Allocs, Frees;
    LONG64 Bytes;
} MI_TAG_COUNT;
#define MI_TAG_SLOTS 128

/* What a thread has of the pool. Only its thread touches it, but for queries, which read the
 * counts. */
typedef struct MI_POOL_CACHE {
    MI_MAGAZINE Magazines[MI_POOL_KINDS][MI_CLASS_SLOTS];
    MI_BLOCK *Rings[MI_POOL_KINDS][MI_CLASS_SLOTS][MI_RING]; /* their blocks */
    MI_TAG_COUNT Tags[MI_TAG_SLOTS];
    LIST_ENTRY Link;
    struct _KTHREAD *Thread; /* NULL: the shared one */
#if MI_ADDRESS_SANITIZER
    MI_BLOCK *Quarantine[256];
    ULONG QuarantineAt;
#endif
} MI_POOL_CACHE;

static inline ULONG64 MiTagKey(ULONG Kind, ULONG Tag)
{
    return Tag | (ULONG64)(Kind + 1) << 32;
}

/* Both kinds of a tag have slots of their own. */
static inline ULONG MiTagSlot(ULONG Kind, ULONG Tag)
{
    return ((Tag * 0x9E3779B1u) >> 25) ^ Kind;
}
_Static_assert(MI_TAG_SLOTS == 1 << (32 - 25), "the hash gives a slot");

/* cache.c */
MI_POOL_CACHE *
MiOpenPoolCache(void); /* of the calling thread, made if needed; NULL: use the shared one */
MI_POOL_CACHE *MiEnterPoolCache(void); /* the thread's, or the shared one, locked */
void MiLeavePoolCache(MI_POOL_CACHE *Cache);
void MiInitPoolCaches(void);
void MiShutdownPoolCaches(void);

/* slab.c: central stock. Refill puts blocks in a magazine; FALSE: no memory. */
void MiInitSlabs(void);
void MiTrimSlabs(void);
BOOLEAN MiRefill(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class);
void MiFlush(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class, ULONG Keep);
void MiEachSlabBlock(MI_FRAME *Frame, PFN_NUMBER Number,
                     void (*Each)(void *Context, MI_BLOCK *Block), void *Context);
extern atomic_size_t MiPoolFrames[MI_POOL_KINDS];

/* tags.c */
void MiTakeSlot(MI_TAG_COUNT *Slot, ULONG64 Key, SIZE_T Bytes,
                void *Caller);          /* or bug check: a bad tag */
void MiFlushTags(MI_POOL_CACHE *Cache); /* caches' lock held */
void MiInitTags(void);
void MiShutdownTags(void);
extern MI_LOCK MiCachesLock;
extern LIST_ENTRY MiCaches;

/* block.c */
void *MiAllocateAny(ULONG Kind, SIZE_T Bytes, ULONG Tag, BOOLEAN CacheAligned, void *Caller);
void MiFreeAny(void *Address, ULONG Tag); /* tag 0: not checked */
void *MiAddressOfBlock(MI_BLOCK *Block);  /* NULL: it is free */
/* poolfind.c */
void MiCheckObjects(MI_FRAME *Frame, const void *Base, SIZE_T Bytes);
/* large.c */
void *MiAllocateLarge(ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller);
void MiFreeLarge(MI_FRAME *Frame, void *Address, ULONG Tag);
/* poolcheck.c */
_Noreturn void MiFreedIrp(void *Address);
_Noreturn void MiWrongTag(void *Address, ULONG Actual, ULONG Given);
_Noreturn void MiOverrun(void *Address, SIZE_T Bytes, ULONG64 Found);
_Noreturn void MiBlockDamaged(MI_BLOCK *Block);
_Noreturn void MiWrittenAfterFree(MI_BLOCK *Block);
_Noreturn void MiFreedTwice(MI_BLOCK *Block);
_Noreturn void MiNoSuchBlock(void *Address);
_Noreturn void MiBadTag(ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller);
BOOLEAN MiTagIsGood(ULONG Tag);
_Noreturn void MiBadAllocateIrql(ULONG Kind, SIZE_T Bytes);
_Noreturn void MiBadFreeIrql(ULONG Kind, void *Address);

static inline ULONG64 MiBlockWord(ULONG Tag, SIZE_T Bytes, ULONG Class, ULONG State)
{
    return Tag | (ULONG64)Bytes << 32 | (ULONG64)Class << 48 | (ULONG64)State << 56;
}

typedef ULONG64 __attribute__((aligned(1), may_alias)) MI_UNALIGNED;
typedef ULONG64 __attribute__((vector_size(16), may_alias)) MI_PAIR;

/* A value that the compiler keeps in a register, rather than to compute it again at each use. */
#define MI_KEEP(Value) __asm__("" : "+r"(Value))

/* Bytes is a multiple of 16. The pattern is hidden from the compiler, or it would call memset. */
MI_RAW_INLINE void MiFill(void *Address, ULONG64 Pattern, SIZE_T Bytes)
{
    MI_PAIR Pair = {Pattern, Pattern}, *To = Address;

    __asm__("" : "+x"(Pair));
    if (__builtin_expect(Bytes == MI_FILL_BYTES, 1)) {
        To[0] = Pair;
        To[1] = Pair;
        To[2] = Pair;
        To[3] = Pair;
        return;
    }
    for (SIZE_T i = 0; i < Bytes / sizeof(Pair); i++)
        To[i] = Pair;
}
_Static_assert(MI_FILL_BYTES == 4 * sizeof(MI_PAIR), "the usual fill is four stores");

/* FALSE: a freed block has been written to. Bytes is a multiple of 16. */
MI_RAW_INLINE BOOLEAN MiIsFilled(MI_BLOCK *Block, SIZE_T Bytes)
{
    typedef char MI_BYTES __attribute__((vector_size(16), may_alias));
    const MI_BYTES *From = (const MI_BYTES *)(Block + 1),
                   Pattern = (MI_BYTES)(MI_PAIR){MI_FILL_FREE, MI_FILL_FREE};
    MI_BYTES Same;

    if (__builtin_expect(Bytes == MI_FILL_BYTES, 1)) {
        Same = (From[0] == Pattern) & (From[1] == Pattern) & (From[2] == Pattern) &
               (From[3] == Pattern);
    } else {
        Same = From[0] == Pattern;
        for (SIZE_T i = 1; i < Bytes / sizeof(Pattern); i++)
            Same &= From[i] == Pattern;
    }
    return __builtin_ia32_pmovmskb128(Same) == 0xFFFF;
}

/* Class and state of a free block of the class. Tag and size stay what they were, for a report. */
MI_RAW_INLINE USHORT MiFreeMark(ULONG Class)
{
    return (USHORT)(Class | MI_BLOCK_FREE << 8);
}

MI_RAW_INLINE BOOLEAN MiIsFreeHeader(const MI_BLOCK *Block, ULONG Class)
{
    return Block->Mark == MiFreeMark(Class);
}

/* Or bug check. */
MI_RAW_INLINE void MiCheckFreed(MI_BLOCK *Block, ULONG Class)
{
    if (__builtin_expect(!MiIsFreeHeader(Block, Class), 0))
        MiBlockDamaged(Block);
    if (__builtin_expect(!MiIsFilled(Block, MiClasses[Class].Fill), 0))
        MiWrittenAfterFree(Block);
}

MI_RAW_INLINE ULONG MiBlocksIn(const MI_MAGAZINE *Magazine)
{
    return Magazine->Next - Magazine->Oldest;
}

MI_RAW_INLINE void MiPushBlock(MI_POOL_CACHE *Cache, MI_BLOCK *Block, ULONG Kind, ULONG Class)
{
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];

    if (__builtin_expect(MiBlocksIn(Magazine) == MiClasses[Class].Limit, 0))
        MiFlush(Cache, Kind, Class, MiClasses[Class].Limit / 2);
    Magazine->Ring[Magazine->Next++ % MI_RING] = Block;
}

/* A mark at the beginning of new memory, which else is as freed memory is. */
MI_RAW_INLINE void MiMarkNew(MI_BLOCK *Block)
{
    MI_PAIR Pair = {MI_FILL_NEW, MI_FILL_NEW};

    *(MI_PAIR *)(Block + 1) = Pair;
}

/* Where a tag's counts are, if the thread has used it: the offset stays in a register. */
MI_RAW_INLINE MI_TAG_COUNT *MiUsualSlot(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Tag)
{
    SIZE_T Offset = MiTagSlot(Kind, Tag) * sizeof(MI_TAG_COUNT);

    MI_KEEP(Offset);
    return (MI_TAG_COUNT *)((char *)Cache->Tags + Offset);
}

extern BOOLEAN (*MiPoolFault)(ULONG Tag, SIZE_T Bytes);

MI_RAW_INLINE MI_TAG_COUNT *MiTagOf(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Tag, SIZE_T Bytes,
                                    void *Caller)
{
    MI_TAG_COUNT *Slot = &Cache->Tags[MiTagSlot(Kind, Tag)];

    if (__builtin_expect(Slot->Key != MiTagKey(Kind, Tag), 0))
        MiTakeSlot(Slot, MiTagKey(Kind, Tag), Bytes, Caller);
    return Slot;
}

#pragma GCC visibility pop
#endif
