/* The fast path of allocation, inlined in the documented routines: no lock, no atomic operation. */
#ifndef MI_POOLFAST_H
#define MI_POOLFAST_H

#include "pool.h"

/* Only the calling thread writes, others may read: relaxed, and one instruction where no one looks.
 */
#if defined(__SANITIZE_THREAD__) || MI_THREAD_SANITIZER
#define MI_ADD(Place, More) __atomic_store_n(&(Place), (Place) + (More), __ATOMIC_RELAXED)
#else
#define MI_ADD(Place, More) ((Place) += (More))
#endif

MI_RAW_INLINE void MiCountAlloc(MI_TAG_COUNT *Count, SIZE_T Bytes)
{
    MI_ADD(Count->Allocs, 1);
    MI_ADD(Count->Bytes, (LONG64)Bytes);
}

/*
 * The usual case and nothing else: NULL if anything at all is out of the ordinary, with nothing
 * changed. It makes no call, so the compiler saves no registers.
 */
MI_RAW_INLINE void *MiTryAllocate(ULONG Kind, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    struct _KTHREAD *Self = KiSelf;
    MI_POOL_CACHE *Cache;
    MI_MAGAZINE *Magazine;
    MI_TAG_COUNT *Count;
    MI_BLOCK *Block;

    if (__builtin_expect(!Self || Self->Irql > DISPATCH_LEVEL - Kind || Bytes - 1 >= MI_SMALL_MAX,
                         0))
        return NULL;
    Cache = Self->PoolCache;
    if (__builtin_expect(!Cache || MiPoolFault, 0))
        return NULL;
    Magazine =
        &Cache->Magazines[Kind][MiClassOfSize[(Bytes + sizeof(MI_BLOCK) + MI_TAIL + 15) >> 4]];
    MI_KEEP(Magazine);
    if (__builtin_expect(MiBlocksIn(Magazine) <= Magazine->Resting, 0))
        return NULL;
    Block = Magazine->Ring[Magazine->Oldest % MI_RING];
    if (__builtin_expect(!MiIsFilled(Block, Magazine->Fill), 0))
        return NULL;
    Count = MiUsualSlot(Cache, Kind, Tag);
    if (__builtin_expect(Count->Key != MiTagKey(Kind, Tag), 0))
        return NULL;
    Magazine->Oldest++;
    MiMarkNew(Block);
    Block->Word = Magazine->UsedWord | (ULONG64)Bytes << 32 | Tag;
    Block->Owner = (ULONG_PTR)Caller;
    *(MI_UNALIGNED *)((char *)(Block + 1) + Bytes) = MI_TAIL_PATTERN;
    if (MI_ADDRESS_SANITIZER)
        host_unpoison(Block + 1, Bytes);
    MiCountAlloc(Count, Bytes);
    return Block + 1;
}

#endif
