/* Native SEH above the faults of the machine. */
#include "vf_test.h"

#include "rtl/rtl.h"
#include <ntseh.h>

static char Text[64 * 1024];

static void Touch(ULONG_PTR Address)
{
    *(volatile char *)Address = 1;
}

static void AFaultInAGuardedRegionIsItsExceptionCode(void **Unused)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        Touch(0x50);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = (NTSTATUS)GetExceptionCode();
    }
    assert_int_equal(Status, STATUS_ACCESS_VIOLATION);
}

static void ADivisionInAGuardedRegionIsItsExceptionCode(void **Unused)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : "a"(1), "d"(0) : "ecx");
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = (NTSTATUS)GetExceptionCode();
    }
    assert_int_equal(Status, STATUS_INTEGER_DIVIDE_BY_ZERO);
}

static void ARaisedExceptionReachesTheHandler(void **Unused)
{
    EXCEPTION_RECORD Raised = {.ExceptionCode = STATUS_INSUFFICIENT_RESOURCES};
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        VfRaiseException(&Raised);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = (NTSTATUS)GetExceptionCode();
    }
    assert_int_equal(Status, STATUS_INSUFFICIENT_RESOURCES);
}

static void AtDispatchLevelNoHandlerIsAsked(void **Unused)
{
    VF_BUGCHECK Record;
    BOOLEAN Handled = FALSE;

    TestIrql = DISPATCH_LEVEL;
    VF_EXPECT_BUGCHECK (&Record) {
        __try {
            Touch(0x50);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Handled = TRUE;
        }
    }
    assert_false(Handled);
    assert_int_equal(Record.Code, 0xD1);
}

/* The bug check of the first half left a __try behind: it must be forgotten. */
static void ABugCheckInAGuardedRegionForgetsTheRegion(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        __try {
            KeBugCheck(0xE2);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
        }
    }
    assert_int_equal(Record.Code, 0xE2);
    VF_EXPECT_BUGCHECK (&Record) {
        Touch(0x50);
    }
    assert_int_equal(Record.Code, 0x1E);
}

static void AnExceptionThatEveryFilterPassesOnIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        __try {
            Touch(0x60);
        } __except (EXCEPTION_CONTINUE_SEARCH) {
        }
    }
    assert_int_equal(Record.Code, 0x1E);
    assert_int_equal(Record.Parameters[3], 0x60);
}

static void PassOn(void *Argument)
{
    __try {
        Touch(0x70);
    } __except (EXCEPTION_CONTINUE_SEARCH) {
    }
}

static void ItsReportStillKnowsWhereItHappened(void **Unused)
{
    assert_int_equal(VfTestChild(PassOn, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, " 0 Touch+0x"));
    assert_non_null(strstr(Text, "PassOn+0x"));
    assert_non_null(strstr(Text, "rip="));
}

static void ACorruptListIsAFailedSecurityCheck(void **Unused)
{
    VF_BUGCHECK Record;

    VF_EXPECT_BUGCHECK (&Record) {
        RtlpFailFast(3);
    }
    assert_int_equal(Record.Code, 0x139);
    assert_int_equal(Record.Parameters[0], 3);
}

static void AFailedAssertionOfADriverPrintsAndBreaks(void **Unused)
{
    VF_BUGCHECK Record;
    VF_LOG_LINE Line;

    if (!KdRefreshDebuggerNotPresent())
        skip();
    VF_EXPECT_BUGCHECK (&Record) {
        RtlAssert((PVOID) "Count > 0", (PVOID) "driver.c", 12, NULL);
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_BREAKPOINT);
    assert_true(VfLogRead(1, &Line));
    Line.Text[Line.Length] = 0;
    assert_non_null(strstr(Line.Text, "Count > 0"));
    assert_non_null(strstr(Line.Text, "driver.c"));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        VF_TEST(AFaultInAGuardedRegionIsItsExceptionCode),
        VF_TEST(ADivisionInAGuardedRegionIsItsExceptionCode),
        VF_TEST(ARaisedExceptionReachesTheHandler),
        VF_TEST(AtDispatchLevelNoHandlerIsAsked),
        VF_TEST(ABugCheckInAGuardedRegionForgetsTheRegion),
        VF_TEST(AnExceptionThatEveryFilterPassesOnIsABugCheck),
        VF_TEST(ItsReportStillKnowsWhereItHappened),
        VF_TEST(ACorruptListIsAFailedSecurityCheck),
        VF_TEST(AFailedAssertionOfADriverPrintsAndBreaks),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
