/*
 * Threads' pool caches: how a thread comes by its magazines, and gives them back.
 *
 * A thread that the executive does not know shares one cache with its like, under a lock.
 */
#include "pool.h"

MI_LOCK MiCachesLock;
LIST_ENTRY MiCaches;

static struct {
    MI_LOCK Lock;
    MI_POOL_CACHE Cache;
} MiShared;

static void MiRegisterCache(MI_POOL_CACHE *Cache)
{
    for (ULONG Kind = 0; Kind < MI_POOL_KINDS; Kind++)
        for (ULONG Class = 0; Class < MI_CLASSES; Class++)
            Cache->Magazines[Kind][Class] = (MI_MAGAZINE){
                .Ring = Cache->Rings[Kind][Class],
                .Limit = MiClasses[Class].Limit,
                .Fill = MiClasses[Class].Fill,
                .Resting = MiClasses[Class].Limit / 4,
                .UsedWord = MiBlockWord(0, 0, Class, MI_BLOCK_USED),
            };
    MiAcquire(&MiCachesLock);
    InsertTailList(&MiCaches, &Cache->Link);
    MiRelease(&MiCachesLock);
}

MI_POOL_CACHE *MiOpenPoolCache(void)
{
    MI_POOL_CACHE *Cache;

    if (!KiSelf)
        return NULL;
    if (KiSelf->PoolCache)
        return KiSelf->PoolCache;
    Cache = host_private(sizeof(*Cache));
    if (!Cache)
        return NULL;
    Cache->Thread = KiSelf;
    MiRegisterCache(Cache);
    KiSelf->PoolCache = Cache;
    return Cache;
}

MI_POOL_CACHE *MiEnterPoolCache(void)
{
    MI_POOL_CACHE *Cache = MiOpenPoolCache();

    if (Cache)
        return Cache;
    MiAcquire(&MiShared.Lock);
    return &MiShared.Cache;
}

void MiLeavePoolCache(MI_POOL_CACHE *Cache)
{
    if (Cache == &MiShared.Cache)
        MiRelease(&MiShared.Lock);
}

MI_RAW static void MiEmptyCache(MI_POOL_CACHE *Cache)
{
#if MI_ADDRESS_SANITIZER
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cache->Quarantine); i++) {
        MI_BLOCK *Block = Cache->Quarantine[i];

        if (!Block)
            continue;
        ULONG Kind = (MiFrameFlags(&MiRam.Frames[MiRamFrameNumber(Block)]) & MI_FRAME_PAGED)
                         ? MiPaged
                         : MiNonPaged;

        MiPushBlock(Cache, Block, Kind, Block->Class);
        Cache->Quarantine[i] = NULL;
    }
#endif
    for (ULONG Kind = 0; Kind < MI_POOL_KINDS; Kind++)
        for (ULONG Class = 0; Class < MI_CLASSES; Class++)
            MiFlush(Cache, Kind, Class, 0);
}

static void MiCloseCache(MI_POOL_CACHE *Cache)
{
    MiEmptyCache(Cache);
    MiAcquire(&MiCachesLock);
    MiFlushTags(Cache);
    RemoveEntryList(&Cache->Link);
    MiRelease(&MiCachesLock);
}

/* Flushes a thread's magazines. By the thread itself, at its end, or by anyone when it has ended.
 */
void MmThreadPoolRelease(struct _KTHREAD *Thread)
{
    MI_POOL_CACHE *Cache = Thread->PoolCache;

    if (!Cache)
        return;
    MiCloseCache(Cache);
    Thread->PoolCache = NULL;
    host_private_free(Cache, sizeof(*Cache));
}

void MiInitPoolCaches(void)
{
    InitializeListHead(&MiCaches);
    MiShared.Cache = (MI_POOL_CACHE){0};
    MiRegisterCache(&MiShared.Cache);
}

/* The threads that still have a cache are the calling one and ke's own, which do nothing any more.
 */
void MiShutdownPoolCaches(void)
{
    MiCloseCache(&MiShared.Cache);
    while (!IsListEmpty(&MiCaches))
        MmThreadPoolRelease(CONTAINING_RECORD(MiCaches.Flink, MI_POOL_CACHE, Link)->Thread);
}
