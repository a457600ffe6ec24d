/* Run-down protection. */
#include "ex_test.h"

static EX_RUNDOWN_REF Ref;
static PEX_RUNDOWN_REF_CACHE_AWARE Aware;
static BOOLEAN Dead;

static void ProtectionIsGivenUntilTheRundown(void **Unused)
{
    ExInitializeRundownProtection(&Ref);
    assert_true(ExAcquireRundownProtection(&Ref));
    assert_true(ExAcquireRundownProtectionEx(&Ref, 3));
    ExReleaseRundownProtectionEx(&Ref, 4);
    ExWaitForRundownProtectionRelease(&Ref);
    assert_false(ExAcquireRundownProtection(&Ref));
    ExWaitForRundownProtectionRelease(&Ref); /* a second time returns at once */
    ExRundownCompleted(&Ref);
    ExReInitializeRundownProtection(&Ref);
    assert_true(ExAcquireRundownProtection(&Ref));
    ExReleaseRundownProtection(&Ref);
}

static void RunDown(void *Unused)
{
    ExWaitForRundownProtectionRelease(&Ref);
}

static void TheRundownWaitsForTheLastRelease(void **Unused)
{
    static EX_TEST_THREAD Thread;

    ExInitializeRundownProtection(&Ref);
    ExAcquireRundownProtection(&Ref);
    ExTestThread(&Thread, RunDown, NULL);
    ExTestUntilWaiting(&Thread);
    assert_false(ExAcquireRundownProtection(&Ref));
    ExReleaseRundownProtection(&Ref);
    ExTestJoin(&Thread);
}

static void ReleasingTooOftenIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    ExInitializeRundownProtection(&Ref);
    VF_EXPECT_BUGCHECK (&Record) {
        ExReleaseRundownProtection(&Ref);
    }
    assert_int_equal(Record.Code, REFERENCE_BY_POINTER);
}

static void Use(void *CacheAware)
{
    for (;;) {
        if (!(CacheAware ? ExAcquireRundownProtectionCacheAware(Aware)
                         : ExAcquireRundownProtection(&Ref)))
            return;
        assert_false(__atomic_load_n(&Dead, __ATOMIC_RELAXED));
        if (CacheAware)
            ExReleaseRundownProtectionCacheAware(Aware);
        else
            ExReleaseRundownProtection(&Ref);
    }
}

static void RaceRundown(void *CacheAware)
{
    static EX_TEST_THREAD Threads[3];

    for (int Round = 0; Round < 50; Round++) {
        ExInitializeRundownProtection(&Ref);
        Aware = ExAllocateCacheAwareRundownProtection(NonPagedPool, 'tseT');
        Dead = FALSE;
        for (int i = 0; i < 3; i++)
            ExTestThread(&Threads[i], Use, CacheAware);
        ExTestYield();
        if (CacheAware)
            ExWaitForRundownProtectionReleaseCacheAware(Aware);
        else
            ExWaitForRundownProtectionRelease(&Ref);
        __atomic_store_n(&Dead, TRUE, __ATOMIC_RELAXED);
        for (int i = 0; i < 3; i++)
            ExTestJoin(&Threads[i]);
        ExFreeCacheAwareRundownProtection(Aware);
    }
}

static void NobodyUsesTheObjectAfterTheRundown(void **Unused)
{
    RaceRundown(NULL);
}

static void NobodyUsesTheObjectAfterACacheAwareRundown(void **Unused)
{
    RaceRundown(&Ref);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        EX_TEST(ProtectionIsGivenUntilTheRundown),
        EX_TEST(TheRundownWaitsForTheLastRelease),
        EX_TEST(ReleasingTooOftenIsABugCheck),
        EX_TEST(NobodyUsesTheObjectAfterTheRundown),
        EX_TEST(NobodyUsesTheObjectAfterACacheAwareRundown),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
