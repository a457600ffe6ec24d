/* Bug checks: expected ones, the report, the end of the process. */
#include "vf_test.h"

static char Text[64 * 1024];

static void AnExpectedBugCheckReturnsToTheTest(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        KeBugCheckEx(0xC2, 7, 2, 3, 4);
    }
    assert_int_equal(Record.Code, 0xC2);
    assert_int_equal(Record.Parameters[0], 7);
    assert_int_equal(Record.Parameters[3], 4);
}

static void NoBugCheckLeavesTheRecordEmpty(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        TestIrql = PASSIVE_LEVEL;
    }
    assert_int_equal(Record.Code, 0);
}

static void ExpectationsNest(void **Unused)
{
    VF_BUGCHECK Outer, Inner;

    VF_EXPECT_BUGCHECK (&Outer) {
        VF_EXPECT_BUGCHECK (&Inner) {
            KeBugCheck(0xE2);
        }
        assert_int_equal(Inner.Code, 0xE2);
        KeBugCheck(0x44);
    }
    assert_int_equal(Outer.Code, 0x44);
}

static void TheIrqlIsPutBackAfterAnExpectedBugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        TestIrql = DISPATCH_LEVEL;
        KeBugCheck(1);
    }
    assert_int_equal(TestIrql, PASSIVE_LEVEL);
}

static void AnExplanationIsKept(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        VfBugCheck(0xC4, 0x80, 2, 0, 0, "%s did %d", "somebody", 5);
    }
    assert_string_equal(Record.Text, "somebody did 5");
}

static void CodesHaveTheirDocumentedNames(void **Unused)
{
    assert_string_equal(VfBugCheckName(0x0A), "IRQL_NOT_LESS_OR_EQUAL");
    assert_string_equal(VfBugCheckName(0xD1), "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    assert_string_equal(VfBugCheckName(0xC4), "DRIVER_VERIFIER_DETECTED_VIOLATION");
    assert_null(VfBugCheckName(0x12345678));
}

static void ARoutineAboveItsIrqlHasTheVerifiersCode(void **Unused)
{
    VF_BUGCHECK Record;

    TestIrql = DISPATCH_LEVEL + 1;
    VF_EXPECT_BUGCHECK (&Record) {
        VfIrqlTooHigh("KeSetEvent", DISPATCH_LEVEL);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x80);
    assert_int_equal(Record.Parameters[1], DISPATCH_LEVEL + 1);
    VF_EXPECT_BUGCHECK (&Record) {
        VfIrqlTooLow("KeAcquireSpinLockAtDpcLevel", DISPATCH_LEVEL);
    }
    assert_int_equal(Record.Parameters[0], 0x40);
}

static void AnyOtherRoutineAboveItsIrqlIsNamedByItsAddress(void **Unused)
{
    VF_BUGCHECK Record;

    TestIrql = DISPATCH_LEVEL;
    VF_EXPECT_BUGCHECK (&Record) {
        VfIrqlTooHigh("KdRefreshDebuggerNotPresent", PASSIVE_LEVEL);
    }
    assert_int_equal(Record.Code, 0x0A);
    assert_int_equal(Record.Parameters[0], (ULONG_PTR)host_symbol("KdRefreshDebuggerNotPresent"));
    assert_int_equal(Record.Parameters[1], DISPATCH_LEVEL);
    assert_non_null(strstr(Record.Text, "KdRefreshDebuggerNotPresent"));
}

static void AFailedAssertionIsABugCheckWithItsText(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        NT_ASSERT(1 + 1 == 3);
    }
    assert_int_equal(Record.Code, 0xE2);
    assert_non_null(strstr(Record.Text, "1 + 1 == 3 (test_bugcheck.c:"));
}

/* ---- the end of a process ---- */

__attribute__((noinline)) void BreakTheRules(void);
void BreakTheRules(void)
{
    VfTrace(VfEventIrpCall, 0x1234, 0x5678);
    DbgPrint("a last word %d\n", 42);
    KeBugCheckEx(0x44, 0xABCD, 0, 0, 0);
}

static void RunBreakTheRules(void *Argument)
{
    BreakTheRules();
}

static void AProcessEndsWithItsReportAndExitCode(void **Unused)
{
    assert_int_equal(VfTestChild(RunBreakTheRules, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "*** STOP 0x00000044 MULTIPLE_IRP_COMPLETE_REQUESTS"));
    assert_non_null(strstr(Text, "1: 0x000000000000abcd  IRP"));
    assert_non_null(strstr(Text, "BreakTheRules+0x"));
    assert_non_null(strstr(Text, "(test_bugcheck.c:"));
    assert_non_null(strstr(Text, "testdriver+0x"));
    assert_non_null(strstr(Text, "a last word 42"));
    assert_non_null(strstr(Text, "IRP call       0x1234 0x5678"));
}

static IRP BadIrp;

static PIRP CurrentIrp(void)
{
    return &BadIrp;
}

static void RunWithIrp(void *Argument)
{
    static IO_STACK_LOCATION Stack;

    Stack.MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack.Parameters.DeviceIoControl.IoControlCode = 0x222004;
    BadIrp.Tail.Overlay.CurrentStackLocation = Argument ? Argument : &Stack;
    BadIrp.RequestorMode = UserMode;
    VfContext.CurrentIrp = CurrentIrp;
    KeBugCheck(0xE2);
}

static void TheReportDescribesTheRequest(void **Unused)
{
    assert_int_equal(VfTestChild(RunWithIrp, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "IRP_MJ_DEVICE_CONTROL"));
    assert_non_null(strstr(Text, "code 0x00222004"));
}

static void ADamagedRequestDoesNotStopTheReport(void **Unused)
{
    assert_int_equal(VfTestChild(RunWithIrp, (void *)0x10, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "user mode"));
    assert_non_null(strstr(Text, "Stack:"));
}

static VOID NTAPI BadCallback(PVOID Buffer, ULONG Length)
{
    KeBugCheck(0x1E);
}

static void RunBadCallback(void *Argument)
{
    static KBUGCHECK_CALLBACK_RECORD Record;

    KeInitializeCallbackRecord(&Record);
    KeRegisterBugCheckCallback(&Record, BadCallback, NULL, 0, (PUCHAR) "bad");
    KeBugCheck(0xE2);
}

static void ASecondBugCheckDuringTheFirstEndsCleanly(void **Unused)
{
    assert_int_equal(VfTestChild(RunBadCallback, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "*** STOP 0x000000E2"));
    assert_non_null(strstr(Text, "STOP 0x0000001E during this report"));
}

static void CrashInThread(void *Argument)
{
    KeBugCheckEx(0xE2, (ULONG_PTR)Argument, 0, 0, 0);
}

static void RunManyCrashes(void *Argument)
{
    host_thread *Threads[8];

    for (ULONG_PTR i = 0; i < 8; i++)
        host_thread_start(&Threads[i], "crash", CrashInThread, (void *)i);
    for (int i = 0; i < 8; i++)
        host_thread_join(Threads[i]);
}

static void ConcurrentBugChecksMakeOneReport(void **Unused)
{
    char *First;

    assert_int_equal(VfTestChild(RunManyCrashes, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    First = strstr(Text, "*** STOP");
    assert_non_null(First);
    assert_null(strstr(First + 1, "*** STOP"));
}

static void RunWithDirectory(void *Argument)
{
    VfSetReportDirectory(Argument);
    KeBugCheck(0xE2);
}

static void TheReportIsAlsoAFile(void **Unused)
{
    char Directory[64], Path[256], *Data, *Line;
    size_t Bytes;

    snprintf(Directory, sizeof(Directory), "/tmp/usernt-test-%u", host_process_id());
    assert_int_equal(VfTestChild(RunWithDirectory, Directory, Text, sizeof(Text)),
                     NT_EXIT_BUGCHECK);
    Line = strstr(Text, "Report: ");
    assert_non_null(Line);
    assert_int_equal(sscanf(Line, "Report: %255s", Path), 1);
    Data = host_read_file(Path, &Bytes);
    assert_non_null(Data);
    assert_non_null(strstr(Data, "*** STOP 0x000000E2 MANUALLY_INITIATED_CRASH"));
    assert_non_null(strstr(Data, "Stack:"));
    free(Data);
    remove(Path);
    remove(Directory);
}

/* ---- callbacks ---- */

static VOID NTAPI FillBuffer(PVOID Buffer, ULONG Length)
{
    host_write_error(Length == 5 && !strcmp(Buffer, "data") ? "callback ran\n" : "callback lost\n");
}

static VOID NTAPI AddPages(KBUGCHECK_CALLBACK_REASON Reason,
                           struct _KBUGCHECK_REASON_CALLBACK_RECORD *Record, PVOID Data,
                           ULONG Length)
{
    PKBUGCHECK_ADD_PAGES Pages = Data;

    Pages->Flags = KB_ADD_PAGES_FLAG_VIRTUAL_ADDRESS;
    Pages->Count = Pages->BugCheckCode == 0xE2 ? 3 : 0;
}

static void RunCallbacks(void *Argument)
{
    static KBUGCHECK_CALLBACK_RECORD Plain, Gone;
    static KBUGCHECK_REASON_CALLBACK_RECORD Reason;
    static char Data[] = "data";

    KeInitializeCallbackRecord(&Plain);
    KeInitializeCallbackRecord(&Gone);
    KeInitializeCallbackRecord(&Reason);
    KeRegisterBugCheckCallback(&Plain, FillBuffer, Data, sizeof(Data), (PUCHAR) "plain");
    KeRegisterBugCheckCallback(&Gone, FillBuffer, Data, 0, (PUCHAR) "gone");
    KeRegisterBugCheckReasonCallback(&Reason, AddPages, KbCallbackAddPages, (PUCHAR) "reason");
    KeDeregisterBugCheckCallback(&Gone);
    KeBugCheck(0xE2);
}

static void CallbacksRunBeforeTheEnd(void **Unused)
{
    assert_int_equal(VfTestChild(RunCallbacks, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "callback ran"));
    assert_null(strstr(Text, "callback lost"));
    assert_non_null(strstr(Text, "3 pages for a dump"));
}

static void ARecordIsRegisteredOnce(void **Unused)
{
    KBUGCHECK_CALLBACK_RECORD Record;
    KBUGCHECK_REASON_CALLBACK_RECORD Reason;

    KeInitializeCallbackRecord(&Record);
    assert_true(KeRegisterBugCheckCallback(&Record, FillBuffer, NULL, 0, NULL));
    assert_false(KeRegisterBugCheckCallback(&Record, FillBuffer, NULL, 0, NULL));
    assert_true(KeDeregisterBugCheckCallback(&Record));
    assert_false(KeDeregisterBugCheckCallback(&Record));
    KeInitializeCallbackRecord(&Reason);
    assert_false(KeRegisterBugCheckReasonCallback(&Reason, AddPages, KbCallbackInvalid, NULL));
    assert_true(KeRegisterBugCheckReasonCallback(&Reason, AddPages, KbCallbackDumpIo, NULL));
    assert_false(KeRegisterBugCheckReasonCallback(&Reason, AddPages, KbCallbackDumpIo, NULL));
    assert_true(KeDeregisterBugCheckReasonCallback(&Reason));
    assert_false(KeDeregisterBugCheckReasonCallback(&Reason));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        VF_TEST(AnExpectedBugCheckReturnsToTheTest),
        VF_TEST(NoBugCheckLeavesTheRecordEmpty),
        VF_TEST(ExpectationsNest),
        VF_TEST(TheIrqlIsPutBackAfterAnExpectedBugCheck),
        VF_TEST(AnExplanationIsKept),
        VF_TEST(CodesHaveTheirDocumentedNames),
        VF_TEST(ARoutineAboveItsIrqlHasTheVerifiersCode),
        VF_TEST(AnyOtherRoutineAboveItsIrqlIsNamedByItsAddress),
        VF_TEST(AFailedAssertionIsABugCheckWithItsText),
        VF_TEST(AProcessEndsWithItsReportAndExitCode),
        VF_TEST(TheReportDescribesTheRequest),
        VF_TEST(ADamagedRequestDoesNotStopTheReport),
        VF_TEST(ASecondBugCheckDuringTheFirstEndsCleanly),
        VF_TEST(ConcurrentBugChecksMakeOneReport),
        VF_TEST(TheReportIsAlsoAFile),
        VF_TEST(CallbacksRunBeforeTheEnd),
        VF_TEST(ARecordIsRegisteredOnce),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
