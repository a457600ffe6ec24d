/* The clock and KUSER_SHARED_DATA. */
#include "ke_test.h"

static const KUSER_SHARED_DATA *Page(void)
{
    return (const KUSER_SHARED_DATA *)0x7FFE0000ull;
}

static void TheSharedPageTellsTheSystem(void **Unused)
{
    static const WCHAR Root[] = L"C:\\Windows";

    assert_int_equal(Page()->NtMajorVersion, 10);
    assert_int_equal(Page()->NtMinorVersion, 0);
    assert_int_equal(Page()->NtProductType, NtProductWinNt);
    assert_memory_equal(Page()->NtSystemRoot, Root, sizeof(Root));
}

static void TimesGoOnAndAgree(void **Unused)
{
    ULONGLONG Interrupt = KeQueryInterruptTime();
    LARGE_INTEGER System, Later, Ticks, Precise;
    ULONG64 Stamp;

    KeQuerySystemTime(&System);
    KeQueryTickCount(&Ticks);
    KeQuerySystemTimePrecise(&Precise);
    assert_true(Precise.QuadPart >= System.QuadPart);
    assert_true(KeQueryInterruptTimePrecise(&Stamp) >= Interrupt);
    do {
        KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = -50000});
        KeQueryTickCount(&Later);
    } while (Later.QuadPart < Ticks.QuadPart + 2);
    assert_true(KeQueryInterruptTime() >= Interrupt + KeQueryTimeIncrement());
    KeQuerySystemTime(&Later);
    assert_true(Later.QuadPart > System.QuadPart);
    assert_int_equal(KeQueryTimeIncrement(), 156250);
    assert_true(Page()->InterruptTime.High1Time == Page()->InterruptTime.High2Time);
}

static void ThePerformanceCounterRunsAtItsFrequency(void **Unused)
{
    LARGE_INTEGER Frequency, First = KeQueryPerformanceCounter(&Frequency), Second;

    assert_int_equal(Frequency.QuadPart, 10000000);
    KeStallExecutionProcessor(50);
    Second = KeQueryPerformanceCounter(NULL);
    assert_true(Second.QuadPart - First.QuadPart >= 500);
}

static void ClientsGetAReadOnlyFile(void **Unused)
{
    assert_true(KeSharedDataFile() >= 0);
    assert_ptr_not_equal(KeSharedDataWritable(), Page());
    KeSharedDataWritable()->ComPlusPackage = 77;
    assert_int_equal(((const volatile KUSER_SHARED_DATA *)Page())->ComPlusPackage, 77);
    assert_true(
        host_map((void *)0x7FFB0000, PAGE_SIZE, KeSharedDataFile(), 0, HOST_READ | HOST_WRITE) < 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        KE_TEST(TheSharedPageTellsTheSystem),
        KE_TEST(TimesGoOnAndAgree),
        KE_TEST(ThePerformanceCounterRunsAtItsFrequency),
        KE_TEST(ClientsGetAReadOnlyFile),
    };
    return cmocka_run_group_tests_name("ke clock", Tests, NULL, NULL);
}
