/* Semaphores. */
#include "ke_test.h"

#include <ntseh.h>

static void ASemaphoreCounts(void **Unused)
{
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 1, 3);
    assert_int_equal(KeTestPoll(&Semaphore), STATUS_SUCCESS);
    assert_int_equal(KeTestPoll(&Semaphore), STATUS_TIMEOUT);
    assert_int_equal(KeReleaseSemaphore(&Semaphore, 0, 2, FALSE), 0);
    assert_int_equal(KeReadStateSemaphore(&Semaphore), 2);
    assert_int_equal(KeTestPoll(&Semaphore), STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&Semaphore), 1);
}

static NTSTATUS Release(PRKSEMAPHORE Semaphore, LONG Adjustment)
{
    volatile NTSTATUS Status = STATUS_SUCCESS;

    __try {
        KeReleaseSemaphore(Semaphore, 0, Adjustment, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static void ReleasingBeyondTheLimitRaisesAndChangesNothing(void **Unused)
{
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 1, 3);
    assert_int_equal(Release(&Semaphore, 3), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(Release(&Semaphore, MAXLONG), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(Release(&Semaphore, -1), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(KeReadStateSemaphore(&Semaphore), 1);
    assert_int_equal(Release(&Semaphore, 2), STATUS_SUCCESS);
}

static void WaitOnce(void *Semaphore)
{
    KeTestWait(Semaphore);
}

static void ReleasingNWakesNWaiters(void **Unused)
{
    static KE_TEST_THREAD Threads[4];
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 0, 4);
    for (int i = 0; i < 4; i++)
        KeTestThread(&Threads[i], WaitOnce, &Semaphore);
    for (int i = 0; i < 4; i++)
        KeTestUntilWaiting(&Threads[i]);
    KeReleaseSemaphore(&Semaphore, 0, 3, FALSE);
    assert_int_equal(KeReadStateSemaphore(&Semaphore), 0);
    KeReleaseSemaphore(&Semaphore, 0, 1, FALSE);
    for (int i = 0; i < 4; i++)
        KeTestJoin(&Threads[i]);
    assert_int_equal(KeReadStateSemaphore(&Semaphore), 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(ASemaphoreCounts),
        KE_TEST(ReleasingBeyondTheLimitRaisesAndChangesNothing),
        KE_TEST(ReleasingNWakesNWaiters),
    };
    return cmocka_run_group_tests_name("ke semaphore", Tests, NULL, NULL);
}
