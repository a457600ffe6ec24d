/* Processors, affinity, floating point, device queues; a thousand lives. */
#include "ke_test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static void CountsAndNumbersAgree(void **Unused)
{
    PROCESSOR_NUMBER Number;
    KAFFINITY Active;

    assert_int_equal(KeQueryActiveProcessorCount(&Active), 4);
    assert_int_equal(Active, 15);
    assert_int_equal(KeQueryActiveProcessors(), 15);
    assert_int_equal(KeQueryMaximumProcessorCount(), 4);
    assert_int_equal(KeQueryActiveProcessorCountEx(0), 4);
    assert_int_equal(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), 4);
    assert_int_equal(KeQueryActiveProcessorCountEx(1), 0);
    assert_int_equal(KeGetProcessorNumberFromIndex(3, &Number), STATUS_SUCCESS);
    assert_int_equal(Number.Number, 3);
    assert_int_equal(KeGetProcessorIndexFromNumber(&Number), 3);
    assert_int_equal(KeGetProcessorNumberFromIndex(4, &Number), STATUS_INVALID_PARAMETER);
}

static void AThreadRunsWhereItsAffinitySays(void **Unused)
{
    for (ULONG i = 0; i < 4; i++) {
        KIRQL Old;

        KeSetSystemAffinityThread((KAFFINITY)1 << i);
        assert_int_equal(KeGetCurrentProcessorNumber(), i);
        Old = KfRaiseIrql(DISPATCH_LEVEL);
        assert_int_equal(KeGetCurrentProcessorNumberEx(NULL), i);
        KeLowerIrql(Old);
    }
    KeRevertToUserAffinityThread();
    assert_int_equal(KeGetCurrentThread()->Affinity, 15);
}

static void SystemAffinityIsRestored(void **Unused)
{
    assert_int_equal(KeSetSystemAffinityThreadEx(2), 0);
    assert_int_equal(KeSetSystemAffinityThreadEx(4), 2);
    assert_int_equal(KeGetCurrentProcessorNumber(), 2);
    KeRevertToUserAffinityThreadEx(2);
    assert_int_equal(KeGetCurrentProcessorNumber(), 1);
    KeRevertToUserAffinityThreadEx(0);
    assert_int_equal(KeGetCurrentThread()->Affinity, 15);
}

static void AtDispatchLevelAffinityTakesEffectOnLowering(void **Unused)
{
    KIRQL Old;

    KeSetSystemAffinityThread(1);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    KeSetSystemAffinityThread(8);
    assert_int_equal(KeGetCurrentProcessorNumber(), 0);
    KeLowerIrql(Old);
    assert_int_equal(KeGetCurrentProcessorNumber(), 3);
}

static void PrioritiesAreKept(void **Unused)
{
    PKTHREAD Thread = KeGetCurrentThread();

    assert_int_equal(KeSetPriorityThread(Thread, LOW_REALTIME_PRIORITY), 8);
    assert_int_equal(KeQueryPriorityThread(Thread), LOW_REALTIME_PRIORITY);
    assert_int_equal(KeSetBasePriorityThread(Thread, 2), 0);
    assert_int_equal(KeSetBasePriorityThread(Thread, 0), 2);
}

static void ADeviceQueueStartsIdleAndSorts(void **Unused)
{
    KDEVICE_QUEUE_ENTRY Entries[4];
    KDEVICE_QUEUE Queue;
    KIRQL Old;

    memset(Entries, 0, sizeof(Entries));
    KeInitializeDeviceQueue(&Queue);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_false(KeInsertDeviceQueue(&Queue, &Entries[0]));
    assert_true(KeInsertByKeyDeviceQueue(&Queue, &Entries[2], 20));
    assert_true(KeInsertByKeyDeviceQueue(&Queue, &Entries[1], 10));
    assert_true(KeInsertByKeyDeviceQueue(&Queue, &Entries[3], 20));
    assert_ptr_equal(KeRemoveByKeyDeviceQueue(&Queue, 15), &Entries[2]);
    assert_true(KeRemoveEntryDeviceQueue(&Queue, &Entries[3]));
    assert_false(KeRemoveEntryDeviceQueue(&Queue, &Entries[3]));
    assert_ptr_equal(KeRemoveDeviceQueue(&Queue), &Entries[1]);
    assert_true(Queue.Busy);
    assert_null(KeRemoveDeviceQueue(&Queue));
    assert_false(Queue.Busy);
    KeLowerIrql(Old);
}

static VOID NTAPI Dig(PVOID Depth)
{
    *(ULONG *)Depth += 1;
}

static void ACalloutNeedsStackThatIsThere(void **Unused)
{
    ULONG Depth = 0;

    assert_int_equal(KeExpandKernelStackAndCallout(Dig, &Depth, 16 * 1024), STATUS_SUCCESS);
    assert_int_equal(Depth, 1);
    assert_int_equal(KeExpandKernelStackAndCallout(Dig, &Depth, MAXIMUM_EXPANSION_SIZE + 1),
                     STATUS_INVALID_PARAMETER_3);
}

static void ACalloutMayComeAtDispatchLevelIfItNeedNotWait(void **Unused)
{
    ULONG Depth = 0;
    VF_BUGCHECK Record;
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

    assert_int_equal(KeExpandKernelStackAndCalloutEx(Dig, &Depth, 1024, FALSE, NULL),
                     STATUS_SUCCESS);
    VF_EXPECT_BUGCHECK (&Record)
        KeExpandKernelStackAndCalloutEx(Dig, &Depth, 1024, TRUE, NULL);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
    assert_int_equal(KeExpandKernelStackAndCalloutEx(Dig, &Depth, 1024, TRUE, &Depth),
                     STATUS_INVALID_PARAMETER_5);
    assert_int_equal(Depth, 1);
}

static VOID NTAPI NoteProcessor(PVOID Context, PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change,
                                PNTSTATUS Status)
{
    ULONG *Counts = Context;

    Counts[Change->State]++;
    if (Counts[3] && Change->State == KeProcessorAddStartNotify && Change->NtNumber == 3)
        *Status = STATUS_UNSUCCESSFUL;
}

static void ACallbackHearsOfTheProcessorsThatAreThere(void **Unused)
{
    ULONG Counts[4] = {0};
    PVOID Handle =
        KeRegisterProcessorChangeCallback(NoteProcessor, Counts, KE_PROCESSOR_CHANGE_ADD_EXISTING);

    assert_non_null(Handle);
    assert_int_equal(Counts[KeProcessorAddStartNotify], 4);
    assert_int_equal(Counts[KeProcessorAddCompleteNotify], 4);
    KeDeregisterProcessorChangeCallback(Handle);
    memset(Counts, 0, sizeof(Counts));
    Counts[3] = 1; /* refuse the last one */
    assert_null(
        KeRegisterProcessorChangeCallback(NoteProcessor, Counts, KE_PROCESSOR_CHANGE_ADD_EXISTING));
    assert_int_equal(Counts[KeProcessorAddFailureNotify], 4);
}

static void AProcessIsSignalledWhenItHasEnded(void **Unused)
{
    KPROCESS_NT Process;

    KeInitializeProcess(&Process);
    assert_int_equal(KeTestPoll(&Process), STATUS_TIMEOUT);
    KeSetProcess_(&Process);
    assert_int_equal(KeTestWait(&Process), STATUS_SUCCESS);
    assert_int_equal(KeNumberProcessors, 4);
}

static void KeLivesAThousandTimesWithoutGrowth(void **Unused)
{
    size_t Before = 0;

    for (int i = 0; i < 1000; i++) {
        if (i == 100)
            Before = host_resident_bytes();
        assert_int_equal(KeTestBoot(NULL), 0);
        KeTestStop(NULL);
    }
    if (!SANITIZED) /* a sanitizer remembers every thread */
        assert_true(host_resident_bytes() < Before + 4 * 1024 * 1024);
    assert_int_equal(host_reserve((void *)0x7FFE0000, PAGE_SIZE), 0);
    host_unmap((void *)0x7FFE0000, PAGE_SIZE);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(CountsAndNumbersAgree),
        KE_TEST(AThreadRunsWhereItsAffinitySays),
        KE_TEST(SystemAffinityIsRestored),
        KE_TEST(AtDispatchLevelAffinityTakesEffectOnLowering),
        KE_TEST(PrioritiesAreKept),
        KE_TEST(ADeviceQueueStartsIdleAndSorts),
        KE_TEST(ACalloutNeedsStackThatIsThere),
        KE_TEST(ACalloutMayComeAtDispatchLevelIfItNeedNotWait),
        KE_TEST(ACallbackHearsOfTheProcessorsThatAreThere),
        KE_TEST(AProcessIsSignalledWhenItHasEnded),
        cmocka_unit_test(KeLivesAThousandTimesWithoutGrowth),
    };
    return cmocka_run_group_tests_name("ke processor", Tests, NULL, NULL);
}
