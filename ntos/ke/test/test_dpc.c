/* DPCs: when and where they run, and what they may not do. */
#include "ke_test.h"

static struct {
    ULONG Runs, Order[8];
    KIRQL Irql;
    ULONG Processor;
    PVOID Argument1, Argument2;
    KEVENT Done;
} Seen;

static int Setup(void **State)
{
    int Result = KeTestBoot(State);

    memset(&Seen, 0, sizeof(Seen));
    KeInitializeEvent(&Seen.Done, NotificationEvent, FALSE);
    return Result;
}
#define DPC_TEST(test) cmocka_unit_test_setup_teardown(test, Setup, KeTestStop)

static VOID NTAPI Note(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    if (Seen.Runs < 8)
        Seen.Order[Seen.Runs] = (ULONG)(ULONG_PTR)Context;
    Seen.Runs++;
    Seen.Irql = KeGetCurrentIrql();
    Seen.Processor = KeGetCurrentProcessorNumber();
    Seen.Argument1 = SystemArgument1;
    Seen.Argument2 = SystemArgument2;
    KeSetEvent(&Seen.Done, 0, FALSE);
}

static void ADpcInsertedBelowDispatchLevelHasRunOnReturn(void **Unused)
{
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Note, NULL);
    assert_true(KeInsertQueueDpc(&Dpc, (PVOID)1, (PVOID)2));
    assert_int_equal(Seen.Runs, 1);
    assert_int_equal(Seen.Irql, DISPATCH_LEVEL);
    assert_ptr_equal(Seen.Argument1, 1);
    assert_ptr_equal(Seen.Argument2, 2);
    assert_true(KeInsertQueueDpc(&Dpc, NULL, NULL));
    assert_int_equal(Seen.Runs, 2);
}

static void ADpcInsertedAtDispatchLevelRunsWhenItIsLowered(void **Unused)
{
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Note, NULL);
    assert_true(KeInsertQueueDpc(&Dpc, NULL, NULL));
    assert_false(KeInsertQueueDpc(&Dpc, NULL, NULL));
    assert_int_equal(Seen.Runs, 0);
    KeLowerIrql(Old);
    assert_int_equal(Seen.Runs, 1);
}

static void ARemovedDpcDoesNotRun(void **Unused)
{
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Note, NULL);
    assert_false(KeRemoveQueueDpc(&Dpc));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    assert_true(KeRemoveQueueDpc(&Dpc));
    assert_false(KeRemoveQueueDpc(&Dpc));
    KeLowerIrql(Old);
    assert_int_equal(Seen.Runs, 0);
}

static void ImportantDpcsRunFirst(void **Unused)
{
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);
    KDPC Dpcs[3];

    for (ULONG i = 0; i < 3; i++)
        KeInitializeDpc(&Dpcs[i], Note, (PVOID)(ULONG_PTR)i);
    KeSetImportanceDpc(&Dpcs[2], HighImportance);
    for (ULONG i = 0; i < 3; i++)
        KeInsertQueueDpc(&Dpcs[i], NULL, NULL);
    KeLowerIrql(Old);
    assert_int_equal(Seen.Runs, 3);
    assert_int_equal(Seen.Order[0], 2);
    assert_int_equal(Seen.Order[1], 0);
    assert_int_equal(Seen.Order[2], 1);
}

static void ATargetedDpcRunsOnItsProcessor(void **Unused)
{
    PROCESSOR_NUMBER Number = {0, 3, 0};
    KDPC Dpc;

    for (CCHAR i = 0; i < 4; i++) {
        KeInitializeDpc(&Dpc, Note, NULL);
        KeSetTargetProcessorDpc(&Dpc, i);
        KeClearEvent(&Seen.Done);
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        KeTestWait(&Seen.Done);
        KeFlushQueuedDpcs();
        assert_int_equal(Seen.Processor, i);
    }
    assert_int_equal(KeSetTargetProcessorDpcEx(&Dpc, &Number), STATUS_SUCCESS);
    Number.Number = 4;
    assert_int_equal(KeSetTargetProcessorDpcEx(&Dpc, &Number), STATUS_INVALID_PARAMETER);
}

static void AnUnknownTargetIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Note, NULL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeSetTargetProcessorDpc(&Dpc, 4);
    }
    assert_int_equal(Record.Code, 0xC7);
    assert_int_equal(Record.Parameters[0], 3);
    assert_int_equal(Record.Parameters[3], 4);
}

static void AThreadedDpcRunsAtPassiveLevel(void **Unused)
{
    KDPC Dpc;

    KeInitializeThreadedDpc(&Dpc, Note, NULL);
    assert_true(KeInsertQueueDpc(&Dpc, NULL, NULL));
    KeFlushQueuedDpcs();
    assert_int_equal(Seen.Runs, 1);
    assert_int_equal(Seen.Irql, PASSIVE_LEVEL);
}

static KEVENT Release, Running;

static VOID NTAPI Block(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KeSetEvent(&Running, 0, FALSE);
    while (!KeReadStateEvent(&Release))
        KeStallExecutionProcessor(10);
    Note(Dpc, Context, SystemArgument1, SystemArgument2);
}

static void ReleaseIt(void *Unused)
{
    KeSetEvent(&Release, 0, FALSE);
}

static void FlushingWaitsForADpcThatRuns(void **Unused)
{
    static KE_TEST_THREAD Thread;
    KDPC Dpc;

    KeInitializeEvent(&Release, NotificationEvent, FALSE);
    KeInitializeEvent(&Running, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, Block, NULL);
    KeSetSystemAffinityThread(1);
    KeSetTargetProcessorDpc(&Dpc, 2);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeTestWait(&Running);
    assert_false(KeRemoveQueueDpc(&Dpc));
    assert_int_equal(Seen.Runs, 0);
    KeTestThread(&Thread, ReleaseIt, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(Seen.Runs, 1);
    KeTestJoin(&Thread);
}

static VOID NTAPI StayRaised(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KfRaiseIrql(HIGH_LEVEL);
}

static VOID NTAPI LowerTooFar(PKDPC Dpc, PVOID Context, PVOID SystemArgument1,
                              PVOID SystemArgument2)
{
    KeLowerIrql(PASSIVE_LEVEL);
}

static VOID NTAPI LeaveInRegion(PKDPC Dpc, PVOID Context, PVOID SystemArgument1,
                                PVOID SystemArgument2)
{
    KeGetCurrentThread()->KernelApcDisable--;
}

static ULONG_PTR Misbehave(PKDEFERRED_ROUTINE Routine, ULONG Code, ULONG Parameter)
{
    VF_BUGCHECK Record;
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Routine, NULL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeInsertQueueDpc(&Dpc, NULL, NULL);
    }
    assert_int_equal(Record.Code, Code);
    return Record.Parameters[Parameter];
}

static void ARoutineThatChangesIrqlOrApcStateIsABugCheck(void **Unused)
{
    assert_int_equal(Misbehave(StayRaised, 0xC8, 0) >> 16, HIGH_LEVEL);
    assert_int_equal(Misbehave(LowerTooFar, 0xC4, 0), 0x31);
    assert_int_equal(Misbehave(LowerTooFar, 0xC4, 3), 1);
    assert_int_equal(Misbehave(LeaveInRegion, 0xC7, 0), 4);
    KeGetCurrentThread()->KernelApcDisable = 0;
}

static void AQueuedDpcIsFoundInItsMemory(void **Unused)
{
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);
    PVOID Object;
    ULONG Kind;
    KDPC Dpc;

    KeInitializeDpc(&Dpc, Note, NULL);
    assert_false(KeFindObjectInRange(&Dpc, sizeof(Dpc), &Kind, &Object));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    assert_true(KeFindObjectInRange((PVOID)((ULONG_PTR)&Dpc - 16), 64, &Kind, &Object));
    assert_int_equal(Kind, 1);
    assert_ptr_equal(Object, &Dpc);
    assert_false(KeFindObjectInRange((PVOID)((ULONG_PTR)&Dpc + 1), 64, &Kind, &Object));
    KeLowerIrql(Old);
    assert_false(KeFindObjectInRange(&Dpc, sizeof(Dpc), &Kind, &Object));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DPC_TEST(ADpcInsertedBelowDispatchLevelHasRunOnReturn),
        DPC_TEST(ADpcInsertedAtDispatchLevelRunsWhenItIsLowered),
        DPC_TEST(ARemovedDpcDoesNotRun),
        DPC_TEST(ImportantDpcsRunFirst),
        DPC_TEST(ATargetedDpcRunsOnItsProcessor),
        DPC_TEST(AnUnknownTargetIsABugCheck),
        DPC_TEST(AThreadedDpcRunsAtPassiveLevel),
        DPC_TEST(FlushingWaitsForADpcThatRuns),
        DPC_TEST(ARoutineThatChangesIrqlOrApcStateIsABugCheck),
        DPC_TEST(AQueuedDpcIsFoundInItsMemory),
    };
    return cmocka_run_group_tests_name("ke dpc", Tests, NULL, NULL);
}
