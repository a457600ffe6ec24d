/* Calls on all processors at once. */
#include "ke_test.h"

static struct {
    ULONG Inside, Calls, Seen[4];
    BOOLEAN Apart;
    KSPIN_LOCK Lock;
} Ipi;

static ULONG_PTR NTAPI MeetAll(ULONG_PTR Argument)
{
    ULONG Number = KeGetCurrentProcessorNumber();

    __atomic_fetch_add(&Ipi.Inside, 1, __ATOMIC_SEQ_CST);
    for (ULONG Spins = 0; __atomic_load_n(&Ipi.Inside, __ATOMIC_SEQ_CST) % 4 != 0; Spins++)
        KiScheduler->Relax(Spins); /* ends only because all run at once */
    __atomic_fetch_add(&Ipi.Calls, 1, __ATOMIC_SEQ_CST);
    Ipi.Seen[Number]++;
    if (KeGetCurrentIrql() != IPI_LEVEL)
        Ipi.Apart = TRUE;
    return Argument + Number;
}

static void AllProcessorsCallTogether(void **Unused)
{
    memset(&Ipi, 0, sizeof(Ipi));
    KeSetSystemAffinityThread(4);
    assert_int_equal(KeIpiGenericCall(MeetAll, 100), 102);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(Ipi.Calls, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(Ipi.Seen[i], 1);
    assert_false(Ipi.Apart);
}

static ULONG_PTR NTAPI Count(ULONG_PTR Argument)
{
    __atomic_fetch_add(&Ipi.Calls, 1, __ATOMIC_SEQ_CST);
    return 0;
}

#define ROUNDS 50
static void CallUnderLock(void *Unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL Old;

        KeAcquireSpinLock(&Ipi.Lock, &Old);
        KeIpiGenericCall(Count, 0);
        KeReleaseSpinLock(&Ipi.Lock, Old);
        KeIpiGenericCall(Count, 0);
    }
}

static void ThreadsThatSpinForALockAnswer(void **Unused)
{
    static KE_TEST_THREAD Threads[4];

    memset(&Ipi, 0, sizeof(Ipi));
    for (int i = 0; i < 4; i++)
        KeTestThread(&Threads[i], CallUnderLock, NULL);
    for (int i = 0; i < 4; i++)
        KeTestJoin(&Threads[i]);
    assert_int_equal(Ipi.Calls, 4 * 4 * 2 * ROUNDS);
}

static void CallingAtIpiLevelIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    KfRaiseIrql(IPI_LEVEL);
    VF_EXPECT_BUGCHECK (&Record) {
        KeIpiGenericCall(Count, 0);
    }
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(Record.Code, 0x0A);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(AllProcessorsCallTogether),
        KE_TEST(ThreadsThatSpinForALockAnswer),
        KE_TEST(CallingAtIpiLevelIsABugCheck),
    };
    return cmocka_run_group_tests_name("ke ipi", Tests, NULL, NULL);
}
