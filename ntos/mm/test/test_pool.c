/* Pool: what an allocation is, and each documented way for it to fail. */
#include "mmtest.h"

#define TAG 'tseT'

static void ABlockIsAlignedAndLiesInOnePage(void **Unused)
{
    for (SIZE_T Bytes = 1; Bytes < PAGE_SIZE; Bytes += 7) {
        char *Block = ExAllocatePoolWithTag(NonPagedPool, Bytes, TAG);

        assert_non_null(Block);
        assert_int_equal((ULONG_PTR)Block % 16, 0);
        assert_ptr_equal(PAGE_ALIGN(Block), PAGE_ALIGN(Block + Bytes - 1));
        assert_true(MmIsSystemAddress(Block));
        assert_int_equal(MmPoolBlockSize(Block), Bytes);
        memset(Block, 0x11, Bytes);
        ExFreePoolWithTag(Block, TAG);
    }
}

static void ABlockOfAPageOrMoreIsPageAligned(void **Unused)
{
    static const SIZE_T Sizes[] = {PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE, 1 << 20};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
        char *Block = ExAllocatePoolWithTag(PagedPool, Sizes[i], TAG);

        assert_non_null(Block);
        assert_int_equal(BYTE_OFFSET(Block), 0);
        assert_int_equal(MmPoolBlockSize(Block), Sizes[i]);
        memset(Block, 0x22, Sizes[i]);
        ExFreePoolWithTag(Block, TAG);
    }
}

static void NewMemoryIsGarbageUnlessZeroIsAskedFor(void **Unused)
{
    UCHAR *Old = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
    UCHAR *New = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    UCHAR *Raw = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, 64, TAG);
    UCHAR *Big = ExAllocatePool2(POOL_FLAG_PAGED, 10000, TAG);

    for (ULONG i = 0; i < 64; i++) {
        assert_int_not_equal(Old[i], 0);
        assert_int_equal(New[i], 0);
        assert_int_not_equal(Raw[i], 0);
    }
    for (ULONG i = 0; i < 10000; i++)
        assert_int_equal(Big[i], 0);
    ExFreePoolWithTag(Old, TAG);
    ExFreePoolWithTag(New, TAG);
    ExFreePoolWithTag(Raw, TAG);
    ExFreePoolWithTag(Big, TAG);
}

static void CacheAlignedMemoryIsAlignedTo64(void **Unused)
{
    void *Blocks[64];

    for (ULONG i = 0; i < 64; i++) {
        SIZE_T Bytes = 1 + i * 67;

        Blocks[i] = i & 1 ? ExAllocatePoolWithTag(NonPagedPoolCacheAligned, Bytes, TAG)
                          : ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_CACHE_ALIGNED, Bytes, TAG);
        assert_non_null(Blocks[i]);
        assert_int_equal((ULONG_PTR)Blocks[i] % 64, 0);
        assert_int_equal(MmPoolBlockSize(Blocks[i]), Bytes);
        memset(Blocks[i], 0x33, Bytes);
    }
    for (ULONG i = 0; i < 64; i++)
        ExFreePoolWithTag(Blocks[i], TAG);
}

static void WhatDoesNotFitFails(void **Unused)
{
    assert_null(ExAllocatePoolWithTag(NonPagedPool, (SIZE_T)1 << 40, TAG));
    assert_null(ExAllocatePoolWithTag(NonPagedPool, ~(SIZE_T)0, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, (SIZE_T)1 << 40, TAG));
    assert_null(ExAllocatePoolWithQuotaTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE,
                                           (SIZE_T)1 << 40, TAG));
}

static void AskWithQuota(void *Unused)
{
    ExAllocatePoolWithQuotaTag(PagedPool, (SIZE_T)1 << 40, TAG);
}

static void AskToRaise(void *Unused)
{
    ExAllocatePoolWithTag(NonPagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE, (SIZE_T)1 << 40, TAG);
}

static void AskPool2ToRaise(void *Unused)
{
    ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, (SIZE_T)1 << 40, TAG);
}

static void AskPool2BadlyToRaise(void *Unused)
{
    ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 1, 0);
}

static void FailureRaisesWhereDocumented(void **Unused)
{
    assert_status(MmTestRaises(AskWithQuota, NULL), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(MmTestRaises(AskToRaise, NULL), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(MmTestRaises(AskPool2ToRaise, NULL), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(MmTestRaises(AskPool2BadlyToRaise, NULL), STATUS_INVALID_PARAMETER);
}

static void Pool2RefusesBadFlagsAndTagZero(void **Unused)
{
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0));
    assert_null(ExAllocatePool2(0, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RESERVED1, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x1000, 16, TAG));
}

static void Pool2IgnoresUnknownOptionalFlags(void **Unused)
{
    void *Block = ExAllocatePool2(
        POOL_FLAG_NON_PAGED | POOL_FLAG_SPECIAL_POOL | 0x4000000000000000ull, 16, TAG);

    assert_non_null(Block);
    ExFreePool(Block);
}

static void Pool3RefusesUnknownParametersUnlessOptional(void **Unused)
{
    POOL_EXTENDED_PARAMETER Parameter = {.Type = PoolExtendedParameterPriority};
    void *Block = ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &Parameter, 1);

    assert_non_null(Block);
    ExFreePool2(Block, TAG, NULL, 0);
    Parameter.Type = PoolExtendedParameterSecurePool;
    assert_null(ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &Parameter, 1));
    Parameter.Optional = 1;
    Block = ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &Parameter, 1);
    assert_non_null(Block);
    ExFreePool2(Block, TAG, NULL, 0);
    Parameter.Type = PoolExtendedParameterInvalidType;
    assert_null(ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &Parameter, 1));
}

static void AllMemoryCanBeUsedAndComesBack(void **Unused)
{
    static void *Blocks[20000];
    ULONG Count = 0;

    for (ULONG Round = 0; Round < 2; Round++) {
        ULONG Before = Count;

        for (Count = 0; Count < RTL_NUMBER_OF(Blocks); Count++) {
            Blocks[Count] = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
            if (!Blocks[Count])
                break;
        }
        assert_in_range(Count, 15000, 16384);
        if (Round)
            assert_int_equal(Count, Before);
        for (ULONG i = 0; i < Count; i++)
            ExFreePoolWithTag(Blocks[i], TAG);
    }
}

static BOOLEAN FailEvenBytes(ULONG Tag, SIZE_T Bytes)
{
    return Tag == TAG && Bytes % 2 == 0;
}

static void FaultsCanBeInjected(void **Unused)
{
    void *Block;

    MmSetPoolFault(FailEvenBytes);
    assert_null(ExAllocatePoolWithTag(NonPagedPool, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, 16, TAG));
    Block = ExAllocatePoolWithTag(NonPagedPool, 17, TAG);
    assert_non_null(Block);
    MmSetPoolFault(NULL);
    ExFreePool(Block);
}

static void Collect(void *Context, const MM_POOL_BLOCK *Block)
{
    assert_int_equal(Block->Tag, TAG);
    *(SIZE_T *)Context += Block->Bytes;
}

/* Stand-ins for the code of a driver. */
static char Image[64];

static void ADriversBlocksAreFound(void **Unused)
{
    void *Blocks[4];
    SIZE_T Bytes = 0;

    Blocks[0] = ExAllocatePoolWithTag(NonPagedPool, 10, TAG);
    Blocks[1] = ExAllocatePoolWithTag(PagedPoolCacheAligned, 20, TAG);
    Blocks[2] = ExAllocatePoolWithTag(PagedPool, 10000, TAG);
    Blocks[3] = ExAllocatePoolWithTag(PagedPool, 1, TAG);
    MmSetPoolOwner(Blocks[0], Image);
    MmSetPoolOwner(Blocks[1], Image + 1);
    MmSetPoolOwner(Blocks[2], Image + 63);
    MmSetPoolOwner(Blocks[3], Image + 64);
    assert_int_equal(MmFindPoolOf(Image, sizeof(Image), Collect, &Bytes), 3);
    assert_int_equal(Bytes, 10030);
    for (ULONG i = 0; i < 4; i++)
        ExFreePool(Blocks[i]);
    assert_int_equal(MmFindPoolOf(Image, sizeof(Image), NULL, NULL), 0);
}

static void CallerIsNear(void *Context, const MM_POOL_BLOCK *Block)
{
    if (Block->Tag == 'reNl')
        *(const void **)Context = Block->Caller;
}

__attribute__((noinline)) static void *AllocateHere(SIZE_T Bytes)
{
    void *Block = ExAllocatePoolWithTag(NonPagedPool, Bytes, 'reNl');

    __asm__ volatile("" : : "r"(Block));
    return Block;
}

static void ABlockKnowsTheCodeThatAskedForIt(void **Unused)
{
    static const SIZE_T Sizes[] = {1, 64, 2000, 100000};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
        void *Block = AllocateHere(Sizes[i]);
        const void *Caller = NULL;

        MmFindPoolOf((PVOID)(ULONG_PTR)AllocateHere, 512, CallerIsNear, &Caller);
        assert_non_null(Caller);
        ExFreePool(Block);
    }
}

static void NoBlockHasNoSize(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);

    assert_int_equal(MmPoolBlockSize(Block + 16), 0);
    assert_int_equal(MmPoolBlockSize(&Block), 0);
    assert_int_equal(MmPoolBlockSize((PVOID)MM_SYSTEM_LOW), 0);
    ExFreePool(Block);
    assert_int_equal(MmPoolBlockSize(Block), 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(ABlockIsAlignedAndLiesInOnePage),
        MM_TEST(ABlockOfAPageOrMoreIsPageAligned),
        MM_TEST(NewMemoryIsGarbageUnlessZeroIsAskedFor),
        MM_TEST(CacheAlignedMemoryIsAlignedTo64),
        MM_TEST(WhatDoesNotFitFails),
        MM_TEST(FailureRaisesWhereDocumented),
        MM_TEST(Pool2RefusesBadFlagsAndTagZero),
        MM_TEST(Pool2IgnoresUnknownOptionalFlags),
        MM_TEST(Pool3RefusesUnknownParametersUnlessOptional),
        MM_TEST(AllMemoryCanBeUsedAndComesBack),
        MM_TEST(FaultsCanBeInjected),
        MM_TEST(ADriversBlocksAreFound),
        MM_TEST(ABlockKnowsTheCodeThatAskedForIt),
        MM_TEST(NoBlockHasNoSize),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
