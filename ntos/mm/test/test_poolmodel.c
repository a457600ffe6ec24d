/*
 * A property test: several threads allocate, write, check, hand over and free blocks of random
 * kinds, while a model counts. At the end the tag accounting is the model's, exactly, and all
 * memory is back.
 */
#include "mmtest.h"

#include <stdatomic.h>
#include <stdlib.h>

#define THREADS 4
#define STEPS 40000
#define HELD 200
#define SHELF 64 /* blocks that any thread may take over */
#define TAGS 400

typedef struct BLOCK {
    UCHAR *Address;
    SIZE_T Bytes;
    ULONG Tag;
    UCHAR Fill;
} BLOCK;

typedef struct WORKER {
    MM_TEST_THREAD Thread;
    ULONG64 Seed;
    BLOCK Held[HELD];
    ULONG64 Allocs[TAGS], Frees[TAGS];
    LONG64 Bytes[TAGS];
} WORKER;

static host_lock ShelfLock;
static BLOCK Shelf[SHELF];
static WORKER Workers[THREADS];

static ULONG Next(WORKER *Worker)
{
    Worker->Seed = Worker->Seed * 6364136223846793005ull + 1442695040888963407ull;
    return (ULONG)(Worker->Seed >> 33);
}

static SIZE_T RandomSize(WORKER *Worker)
{
    ULONG Kind = Next(Worker) % 100;

    if (Kind < 80)
        return 1 + Next(Worker) % 300;
    if (Kind < 98)
        return 1 + Next(Worker) % 5000;
    return 1 + Next(Worker) % 100000;
}

static ULONG TagOf(ULONG Index)
{
    return 'a' | 'b' << 8 | ('0' + Index / 64) << 16 | ('0' + Index % 64) << 24;
}

static void Check(const BLOCK *Block)
{
    for (SIZE_T i = 0; i < Block->Bytes; i += Block->Bytes / 8 + 1)
        if (Block->Address[i] != Block->Fill)
            abort();
    if (Block->Address[Block->Bytes - 1] != Block->Fill ||
        MmPoolBlockSize(Block->Address) != Block->Bytes)
        abort();
}

static void Allocate(WORKER *Worker, BLOCK *Block)
{
    static const ULONG Types[] = {NonPagedPool, PagedPool, NonPagedPoolNx, NonPagedPoolCacheAligned,
                                  PagedPoolCacheAligned};
    ULONG Type = Types[Next(Worker) % RTL_NUMBER_OF(Types)];

    Block->Bytes = RandomSize(Worker);
    Block->Tag = Next(Worker) % TAGS;
    Block->Fill = (UCHAR)Next(Worker);
    Block->Address = ExAllocatePoolWithTag(Type, Block->Bytes, TagOf(Block->Tag));
    if (!Block->Address)
        return;
    memset(Block->Address, Block->Fill, Block->Bytes);
    Worker->Allocs[Block->Tag]++;
    Worker->Bytes[Block->Tag] += (LONG64)Block->Bytes;
}

static void Free(WORKER *Worker, BLOCK *Block)
{
    Check(Block);
    Worker->Frees[Block->Tag]++;
    Worker->Bytes[Block->Tag] -= (LONG64)Block->Bytes;
    ExFreePoolWithTag(Block->Address, Next(Worker) % 2 ? TagOf(Block->Tag) : 0);
    Block->Address = NULL;
}

static void Exchange(WORKER *Worker, BLOCK *Block)
{
    BLOCK *Place = &Shelf[Next(Worker) % SHELF], Old;

    host_lock_acquire(&ShelfLock);
    Old = *Place;
    *Place = *Block;
    *Block = Old;
    host_lock_release(&ShelfLock);
}

static void Work(void *Argument)
{
    WORKER *Worker = Argument;

    for (ULONG Step = 0; Step < STEPS; Step++) {
        BLOCK *Block = &Worker->Held[Next(Worker) % HELD];

        if (Next(Worker) % 8 == 0)
            Exchange(Worker, Block);
        else if (Block->Address)
            Free(Worker, Block);
        else
            Allocate(Worker, Block);
    }
    for (ULONG i = 0; i < HELD; i++)
        if (Worker->Held[i].Address)
            Free(Worker, &Worker->Held[i]);
}

static void CompareTag(const MM_POOL_TAG *Tag, ULONG Index)
{
    ULONG64 Allocs = 0, Frees = 0;
    LONG64 Bytes = 0;

    for (ULONG i = 0; i < THREADS; i++) {
        Allocs += Workers[i].Allocs[Index];
        Frees += Workers[i].Frees[Index];
        Bytes += Workers[i].Bytes[Index];
    }
    assert_int_equal(Tag->PagedAllocs + Tag->NonPagedAllocs, Allocs);
    assert_int_equal(Tag->PagedFrees + Tag->NonPagedFrees, Frees);
    assert_int_equal(Tag->PagedBytes + Tag->NonPagedBytes, Bytes);
}

static void CompareWithModel(void)
{
    static MM_POOL_TAG Tags[2 * TAGS];
    ULONG Count = MmQueryPoolTags(Tags, RTL_NUMBER_OF(Tags)), Found = 0;

    for (ULONG i = 0; i < min(Count, (ULONG)RTL_NUMBER_OF(Tags)); i++)
        for (ULONG Index = 0; Index < TAGS; Index++)
            if (Tags[i].Tag == TagOf(Index)) {
                CompareTag(&Tags[i], Index);
                Found++;
            }
    assert_int_equal(Found, TAGS);
}

static void ThePoolDoesWhatTheModelSays(void **Unused)
{
    for (ULONG i = 0; i < THREADS; i++) {
        Workers[i].Seed = 0x5EED + i;
        MmTestThread(&Workers[i].Thread, Work, &Workers[i]);
    }
    for (ULONG i = 0; i < THREADS; i++)
        MmTestJoin(&Workers[i].Thread);
    CompareWithModel();
    for (ULONG i = 0; i < SHELF; i++)
        if (Shelf[i].Address)
            Free(&Workers[0], &Shelf[i]);
    CompareWithModel();
}

static void AThreadThatIsNotAttachedMayUseThePool(void *Unused)
{
    void *Blocks[100];

    for (ULONG i = 0; i < 100; i++)
        Blocks[i] = ExAllocatePoolWithTag(NonPagedPool, 1 + i * 50, 'tseT');
    for (ULONG i = 0; i < 100; i++)
        ExFreePoolWithTag(Blocks[i], 'tseT');
}

static void UnattachedThreadsShareACache(void **Unused)
{
    host_thread *Threads[2];

    for (ULONG i = 0; i < 2; i++)
        assert_int_equal(
            host_thread_start(&Threads[i], "bare", AThreadThatIsNotAttachedMayUseThePool, NULL), 0);
    for (ULONG i = 0; i < 2; i++)
        host_thread_join(Threads[i]);
}

static KDPC Dpc;
static KEVENT Done;

static VOID NTAPI UsePoolInDpc(PKDPC Unused, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    ExFreePool(ExAllocatePoolWithTag(NonPagedPool, 100, 'tseT'));
    KeSetEvent(&Done, 0, FALSE);
}

static void AProcessorsThreadMayKeepItsCacheToTheEnd(void **Unused)
{
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    KeInitializeDpc(&Dpc, UsePoolInDpc, NULL);
    KeSetTargetProcessorDpc(&Dpc, 1);
    assert_true(KeInsertQueueDpc(&Dpc, NULL, NULL));
    assert_success(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(ThePoolDoesWhatTheModelSays),
        MM_TEST(UnattachedThreadsShareACache),
        MM_TEST(AProcessorsThreadMayKeepItsCacheToTheEnd),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
