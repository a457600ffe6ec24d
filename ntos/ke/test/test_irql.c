/* IRQL: levels, wrong directions, exclusion on a processor. */
#include "ke_test.h"

static void RaisingReturnsTheFormerLevel(void **Unused)
{
    KIRQL Old;

    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &Old);
    assert_int_equal(Old, PASSIVE_LEVEL);
    assert_int_equal(KeRaiseIrqlToDpcLevel(), APC_LEVEL);
    assert_int_equal(KfRaiseIrql(HIGH_LEVEL), DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), HIGH_LEVEL);
    assert_int_equal(KeGetPcr()->Irql, HIGH_LEVEL);
    KeLowerIrql(DISPATCH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void RaisingDownwardsIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    KfRaiseIrql(DISPATCH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record) {
        KfRaiseIrql(APC_LEVEL);
    }
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x30);
    assert_int_equal(Record.Parameters[1], DISPATCH_LEVEL);
    assert_int_equal(Record.Parameters[2], APC_LEVEL);
}

static void LoweringUpwardsIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        KeLowerIrql(DISPATCH_LEVEL);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x31);
    assert_int_equal(Record.Parameters[1], PASSIVE_LEVEL);
    assert_int_equal(Record.Parameters[2], DISPATCH_LEVEL);
}

static void GsLeadsToTheThread(void **Unused)
{
    PKTHREAD Thread;
    UCHAR Irql;

    __asm__ volatile("movq %%gs:0x188, %0" : "=r"(Thread));
    __asm__ volatile("movb %%gs:0x50, %0" : "=r"(Irql));
    assert_ptr_equal(Thread, KeGetCurrentThread());
    assert_int_equal(Irql, KeGetCurrentIrql());
}

#define ROUNDS 5000
static ULONG64 Owned[64]; /* a plain counter for each processor: only its owner may touch it */
static ULONG Total;

static void CountOnProcessor(void *Unused)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

        Owned[KeGetCurrentProcessorNumber()]++;
        KeLowerIrql(Old);
    }
}

static void OnlyOneThreadRunsOnAProcessorAtDispatchLevel(void **Unused)
{
    static KE_TEST_THREAD Threads[8];
    ULONG64 Sum = 0;

    memset(Owned, 0, sizeof(Owned));
    for (int i = 0; i < 8; i++)
        KeTestThread(&Threads[i], CountOnProcessor, NULL);
    for (int i = 0; i < 8; i++)
        KeTestJoin(&Threads[i]);
    for (int i = 0; i < 64; i++)
        Sum += Owned[i];
    assert_int_equal(Sum, 8 * ROUNDS);
}

static VOID NTAPI CountInDpc(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    Owned[KeGetCurrentProcessorNumber()]++;
    __atomic_fetch_add(&Total, 1, __ATOMIC_RELAXED);
}

static void InsertDpcs(void *Dpc)
{
    for (ULONG i = 0; i < ROUNDS; i++)
        KeInsertQueueDpc(Dpc, NULL, NULL);
}

static void ADpcRunsOnItsProcessorAloneToo(void **Unused)
{
    static KE_TEST_THREAD Counters[2], Inserters[2];
    static KDPC Dpcs[2];
    ULONG64 Sum = 0;

    memset(Owned, 0, sizeof(Owned));
    Total = 0;
    for (int i = 0; i < 2; i++) {
        KeInitializeDpc(&Dpcs[i], CountInDpc, NULL);
        KeSetTargetProcessorDpc(&Dpcs[i], (CCHAR)i);
        KeTestThread(&Counters[i], CountOnProcessor, NULL);
        KeTestThread(&Inserters[i], InsertDpcs, &Dpcs[i]);
    }
    for (int i = 0; i < 2; i++) {
        KeTestJoin(&Counters[i]);
        KeTestJoin(&Inserters[i]);
    }
    KeFlushQueuedDpcs();
    for (int i = 0; i < 64; i++)
        Sum += Owned[i];
    assert_int_equal(Sum, 2 * ROUNDS + Total);
    assert_true(Total > 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(RaisingReturnsTheFormerLevel),
        KE_TEST(RaisingDownwardsIsABugCheck),
        KE_TEST(LoweringUpwardsIsABugCheck),
        KE_TEST(GsLeadsToTheThread),
        KE_TEST(OnlyOneThreadRunsOnAProcessorAtDispatchLevel),
        KE_TEST(ADpcRunsOnItsProcessorAloneToo),
    };
    return cmocka_run_group_tests_name("ke irql", Tests, NULL, NULL);
}
