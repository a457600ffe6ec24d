/*
 * Tag accounting. Each thread counts in a table of its own, a slot for a tag; a slot that another
 * tag needs is first added to the table of all tags. A query adds up both. The caches' lock guards
 * the table of all tags; a thread's counts are written by their thread alone.
 */
#include "pool.h"

#include <stdlib.h>

static struct {
    MI_TAG_COUNT *Counts; /* open addressing */
    ULONG Slots, Used;
} MiTags;

void MiInitTags(void)
{
    MiTags.Slots = MiTags.Used = 0;
    MiTags.Counts = NULL;
}

void MiShutdownTags(void)
{
    free(MiTags.Counts);
    MiTags.Counts = NULL;
    MiTags.Slots = MiTags.Used = 0;
}

static MI_TAG_COUNT *MiFindCount(MI_TAG_COUNT *Counts, ULONG Slots, ULONG64 Key)
{
    ULONG At = (ULONG)((Key * 0x9E3779B97F4A7C15ull) >> 40) & (Slots - 1);

    while (Counts[At].Key && Counts[At].Key != Key)
        At = (At + 1) & (Slots - 1);
    return &Counts[At];
}

static void MiGrowTags(void)
{
    ULONG Slots = MiTags.Slots ? MiTags.Slots * 2 : 256;
    MI_TAG_COUNT *Counts = calloc(Slots, sizeof(*Counts));

    if (!Counts) {
        NT_ASSERT(MiTags.Used + 1 < MiTags.Slots);
        return;
    }
    for (ULONG i = 0; i < MiTags.Slots; i++)
        if (MiTags.Counts[i].Key)
            *MiFindCount(Counts, Slots, MiTags.Counts[i].Key) = MiTags.Counts[i];
    free(MiTags.Counts);
    MiTags.Counts = Counts;
    MiTags.Slots = Slots;
}

static void MiAddCount(const MI_TAG_COUNT *More)
{
    MI_TAG_COUNT *Count;

    if (MiTags.Used * 2 >= MiTags.Slots)
        MiGrowTags();
    Count = MiFindCount(MiTags.Counts, MiTags.Slots, More->Key);
    if (!Count->Key)
        MiTags.Used++;
    Count->Key = More->Key;
    Count->Allocs += More->Allocs;
    Count->Frees += More->Frees;
    Count->Bytes += More->Bytes;
}

void MiFlushTags(MI_POOL_CACHE *Cache)
{
    for (ULONG i = 0; i < MI_TAG_SLOTS; i++) {
        if (Cache->Tags[i].Key)
            MiAddCount(&Cache->Tags[i]);
        Cache->Tags[i] = (MI_TAG_COUNT){0};
    }
}

/* The slot's count goes to the table of all tags; the tag is looked at, once a thread. */
__attribute__((noinline, cold)) void MiTakeSlot(MI_TAG_COUNT *Slot, ULONG64 Key, SIZE_T Bytes,
                                                void *Caller)
{
    if (!MiTagIsGood((ULONG)Key))
        MiBadTag((ULONG)(Key >> 32) - 1, Bytes, (ULONG)Key, Caller);
    MiAcquire(&MiCachesLock);
    if (Slot->Key)
        MiAddCount(Slot);
    __atomic_store_n(&Slot->Allocs, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&Slot->Frees, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&Slot->Bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&Slot->Key, Key, __ATOMIC_RELAXED);
    MiRelease(&MiCachesLock);
}

static void MiReport(MM_POOL_TAG *Tag, const MI_TAG_COUNT *Count)
{
    Tag->Tag = (ULONG)Count->Key;
    if ((Count->Key >> 32) - 1 == MiPaged) {
        Tag->PagedAllocs += Count->Allocs;
        Tag->PagedFrees += Count->Frees;
        Tag->PagedBytes += (ULONG64)Count->Bytes;
    } else {
        Tag->NonPagedAllocs += Count->Allocs;
        Tag->NonPagedFrees += Count->Frees;
        Tag->NonPagedBytes += (ULONG64)Count->Bytes;
    }
}

/* Both kinds of one tag come out as one entry: the other kind is looked up, and skipped at its
 * turn. */
static ULONG MiReportAll(MM_POOL_TAG *Tags, ULONG Count, const MI_TAG_COUNT *Sums, ULONG Slots)
{
    ULONG Found = 0;

    for (ULONG i = 0; i < Slots; i++) {
        ULONG64 Key = Sums[i].Key;
        ULONG64 Other = Key ^ (MiTagKey(MiPaged, 0) ^ MiTagKey(MiNonPaged, 0));
        const MI_TAG_COUNT *Twin = Key ? MiFindCount((MI_TAG_COUNT *)Sums, Slots, Other) : NULL;

        if (!Key || (Twin->Key && Twin < &Sums[i]))
            continue;
        if (Found < Count) {
            Tags[Found] = (MM_POOL_TAG){0};
            MiReport(&Tags[Found], &Sums[i]);
            if (Twin->Key)
                MiReport(&Tags[Found], Twin);
        }
        Found++;
    }
    return Found;
}

static MI_TAG_COUNT MiReadCount(const MI_TAG_COUNT *Count)
{
    return (MI_TAG_COUNT){
        .Key = __atomic_load_n(&Count->Key, __ATOMIC_RELAXED),
        .Allocs = __atomic_load_n(&Count->Allocs, __ATOMIC_RELAXED),
        .Frees = __atomic_load_n(&Count->Frees, __ATOMIC_RELAXED),
        .Bytes = __atomic_load_n(&Count->Bytes, __ATOMIC_RELAXED),
    };
}

/* A copy of the table with every thread's counts added; caches' lock held. */
static MI_TAG_COUNT *MiSumTags(ULONG *Slots)
{
    ULONG Needed = 256, Upper = MiTags.Used;
    MI_TAG_COUNT *Sums;

    for (LIST_ENTRY *Entry = MiCaches.Flink; Entry != &MiCaches; Entry = Entry->Flink)
        Upper += MI_TAG_SLOTS;
    while (Needed < Upper * 2)
        Needed *= 2;
    Sums = calloc(Needed, sizeof(*Sums));
    if (!Sums)
        return NULL;
    *Slots = Needed;
    for (ULONG i = 0; i < MiTags.Slots; i++)
        if (MiTags.Counts[i].Key)
            *MiFindCount(Sums, Needed, MiTags.Counts[i].Key) = MiTags.Counts[i];
    for (LIST_ENTRY *Entry = MiCaches.Flink; Entry != &MiCaches; Entry = Entry->Flink) {
        MI_POOL_CACHE *Cache = CONTAINING_RECORD(Entry, MI_POOL_CACHE, Link);

        for (ULONG i = 0; i < MI_TAG_SLOTS; i++) {
            MI_TAG_COUNT Count = MiReadCount(&Cache->Tags[i]);
            MI_TAG_COUNT *Sum;

            if (!Count.Key)
                continue;
            Sum = MiFindCount(Sums, Needed, Count.Key);
            Sum->Key = Count.Key;
            Sum->Allocs += Count.Allocs;
            Sum->Frees += Count.Frees;
            Sum->Bytes += Count.Bytes;
        }
    }
    return Sums;
}

ULONG MmQueryPoolTags(MM_POOL_TAG *Tags, ULONG Count)
{
    ULONG Slots = 0, Found;
    MI_TAG_COUNT *Sums;

    MiAcquire(&MiCachesLock);
    Sums = MiSumTags(&Slots);
    MiRelease(&MiCachesLock);
    Found = Sums ? MiReportAll(Tags, Count, Sums, Slots) : 0;
    free(Sums);
    return Found;
}

/* Bytes in use of each pool. */
void MiPoolStatistics(ULONG64 *PagedBytes, ULONG64 *NonPagedBytes)
{
    ULONG Slots = 0;
    MI_TAG_COUNT *Sums;

    MiAcquire(&MiCachesLock);
    Sums = MiSumTags(&Slots);
    MiRelease(&MiCachesLock);
    *PagedBytes = *NonPagedBytes = 0;
    for (ULONG i = 0; Sums && i < Slots; i++)
        *((Sums[i].Key >> 32) - 1 == MiPaged ? PagedBytes : NonPagedBytes) +=
            (ULONG64)Sums[i].Bytes;
    free(Sums);
}
