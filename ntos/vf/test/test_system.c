/* Start and end of the room, and the trace ring under many threads. */
#include "vf_test.h"

static char Text[64 * 1024];

static size_t CountLines(const char *Path)
{
    size_t Bytes, Lines = 0;
    char *Data = host_read_file(Path, &Bytes);

    for (char *At = Data; (At = strchr(At, '\n')); At++)
        Lines++;
    free(Data);
    return Lines;
}

static void BootUseAndStop(void)
{
    VF_BUGCHECK Record;

    assert_int_equal(VfTestBoot(NULL), 0);
    DbgPrint("boot\n");
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("ud2");
    }
    assert_int_equal(Record.Code, 0x1E);
    VfTestStop(NULL);
}

static void AThousandBootsLeaveNothing(void **Unused)
{
    int Before, After;
    size_t Mappings;

    BootUseAndStop();
    Before = host_event_file();
    Mappings = CountLines("/proc/self/maps");
    for (int i = 0; i < 1000; i++)
        BootUseAndStop();
    After = host_event_file();
    assert_int_equal(After, Before + 1);
    if (!VF_TEST_SANITIZED)
        assert_true(CountLines("/proc/self/maps") <= Mappings + 2);
    host_close(After);
    host_close(Before);
}

static void TraceMany(void *Argument)
{
    for (ULONG_PTR i = 0; i < 10000; i++)
        VfTrace(VfEventDpc, (ULONG_PTR)Argument, i);
}

static void RunTrace(void *Argument)
{
    host_thread *Threads[4];

    for (ULONG_PTR i = 0; i < 4; i++)
        host_thread_start(&Threads[i], "trace", TraceMany, (void *)i);
    for (int i = 0; i < 4; i++)
        host_thread_join(Threads[i]);
    VfTrace(VfEventUnload, 0xABC, 0xDEF);
    KeBugCheck(0xE2);
}

/* Two services, the second at once upon the first. */
static void RunServices(void *Argument)
{
    for (ULONG_PTR i = 1; i <= 2; i++) {
        if (i > 1)
            VfTraceGoesOn();
        VfTrace(VfEventServiceEnter, i, 0);
        VfTrace(VfEventIrpCall, i, 0);
        VfTrace(VfEventIrpComplete, i, 0);
        VfTrace(VfEventServiceLeave, i, 0);
    }
    KeBugCheck(0xE2);
}

static void EventsThatFollowAtOnceAreAllReportedInTheirOrder(void **Unused)
{
    static const char *const Names[] = {"service enter", "IRP call", "IRP complete",
                                        "service leave"};
    char *At = Text, Line[40];

    VfTestBoot(NULL);
    assert_int_equal(VfTestChild(RunServices, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    for (ULONG i = 0; i < 8; i++) {
        snprintf(Line, sizeof(Line), " %-14s 0x%x 0x0\n", Names[i % 4], i / 4 + 1);
        At = strstr(At, Line);
        assert_non_null(At);
    }
}

static void TraceTimer(void *Argument)
{
    VfTrace(VfEventTimer, (ULONG_PTR)Argument, 0);
}

/* What the other thread does while this one waits lies between this one's events. */
static void RunAndWait(void *Argument)
{
    static const VF_EVENT Pairs[][2] = {{VfEventServiceEnter, VfEventIrpCall},
                                        {VfEventIrpComplete, VfEventServiceLeave}};

    for (ULONG_PTR i = 0; i < RTL_NUMBER_OF(Pairs); i++) {
        host_thread *Other;

        VfTrace(Pairs[i][0], i, 0);
        VfTraceWaits();
        host_thread_start(&Other, "trace", TraceTimer, (void *)i);
        host_thread_join(Other);
        VfTrace(Pairs[i][1], i, 0);
    }
    KeBugCheck(0xE2);
}

static void WhatComesAfterAWaitDoesNotFollowAtOnce(void **Unused)
{
    static const char *const Names[] = {"service enter", "timer", "IRP call",
                                        "IRP complete",  "timer", "service leave"};
    char *At = Text, Line[40];

    VfTestBoot(NULL);
    assert_int_equal(VfTestChild(RunAndWait, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        snprintf(Line, sizeof(Line), " %-14s 0x%x 0x0\n", Names[i], i / 3);
        At = strstr(At, Line);
        assert_non_null(At);
    }
}

static void TheReportEndsItsEventsWithTheLatest(void **Unused)
{
    char *Last;

    VfTestBoot(NULL);
    assert_int_equal(VfTestChild(RunTrace, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    Last = strstr(Text, "unload         0xabc 0xdef\n");
    assert_non_null(Last);
    assert_non_null(strstr(Text, "DPC            0x"));
    assert_null(strstr(Last, "DPC   "));
    VfTestStop(NULL);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(AThousandBootsLeaveNothing),
        cmocka_unit_test(TheReportEndsItsEventsWithTheLatest),
        cmocka_unit_test(EventsThatFollowAtOnceAreAllReportedInTheirOrder),
        cmocka_unit_test(WhatComesAfterAWaitDoesNotFollowAtOnce),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
