/* Faults and exceptions: which bug check they become, and who may take them. */
#include "vf_test.h"

static char Text[64 * 1024];

__attribute__((no_sanitize("undefined", "address"))) static char Load(ULONG_PTR Address)
{
    volatile ULONG_PTR Hidden = Address;

    return *(volatile char *)Hidden;
}

__attribute__((no_sanitize("undefined", "address"))) static void Store(ULONG_PTR Address)
{
    volatile ULONG_PTR Hidden = Address;

    *(volatile char *)Hidden = 1;
}

static VF_BUGCHECK Record;

static void AnUnhandledFaultIsAnUnhandledException(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        Store(0x10);
    }
    assert_int_equal(Record.Code, 0x1E);
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ACCESS_VIOLATION);
    assert_int_equal(Record.Parameters[2], 1);
    assert_int_equal(Record.Parameters[3], 0x10);
}

static void InASystemServiceItIsASystemServiceException(void **Unused)
{
    TestThreadKind = VfThreadService;
    VF_EXPECT_BUGCHECK (&Record) {
        Load(0x10);
    }
    assert_int_equal(Record.Code, 0x3B);
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ACCESS_VIOLATION);
}

static void InASystemThreadItIsASystemThreadException(void **Unused)
{
    TestThreadKind = VfThreadSystem;
    VF_EXPECT_BUGCHECK (&Record) {
        Load(0x10);
    }
    assert_int_equal(Record.Code, 0x7E);
}

static void SystemSpaceIsNeverAnException(void **Unused)
{
    VfSetSystemRange((void *)0x7c0000000000, (void *)0x7d0000000000);
    VF_EXPECT_BUGCHECK (&Record) {
        Store(0x7c0000001000);
    }
    assert_int_equal(Record.Code, 0x50);
    assert_int_equal(Record.Parameters[0], 0x7c0000001000);
    assert_int_equal(Record.Parameters[1], 2);
}

static void AtDispatchLevelADriverIsToBlame(void **Unused)
{
    TestIrql = DISPATCH_LEVEL;
    VF_EXPECT_BUGCHECK (&Record) {
        Load(0x20);
    }
    assert_int_equal(Record.Code, 0xD1);
    assert_int_equal(Record.Parameters[0], 0x20);
    assert_int_equal(Record.Parameters[1], DISPATCH_LEVEL);
    assert_int_equal(Record.Parameters[2], 0);
}

static void AtDispatchLevelWithoutADriverTheCodeIsTheOlderOne(void **Unused)
{
    VfContext.DriverNameOf = NULL;
    TestIrql = DISPATCH_LEVEL;
    VF_EXPECT_BUGCHECK (&Record) {
        Store(0x20);
    }
    assert_int_equal(Record.Code, 0x0A);
    assert_int_equal(Record.Parameters[2], 1);
}

static void ADivisionByZeroIsAnException(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : "a"(1), "d"(0) : "ecx");
    }
    assert_int_equal(Record.Code, 0x1E);
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_INTEGER_DIVIDE_BY_ZERO);
}

static void AnIllegalInstructionIsAnException(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("ud2");
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ILLEGAL_INSTRUCTION);
}

static void APrivilegedInstructionIsAnException(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("cli");
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_PRIVILEGED_INSTRUCTION);
}

static void ABreakWithoutADebuggerIsAnException(void **Unused)
{
    if (!KdRefreshDebuggerNotPresent())
        skip();
    VF_EXPECT_BUGCHECK (&Record) {
        DbgBreakPoint();
    }
    assert_int_equal(Record.Code, 0x1E);
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_BREAKPOINT);
}

static void AFailedAssertionOfADriverIsAnException(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        DbgRaiseAssertionFailure();
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ASSERTION_FAILURE);
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("int $0x2c");
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ASSERTION_FAILURE);
}

static void AFastFailIsAFailedSecurityCheck(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        __asm__ volatile("int $0x29" : : "c"(3));
    }
    assert_int_equal(Record.Code, 0x139);
    assert_int_equal(Record.Parameters[0], 3);
}

static void ANonCanonicalAddressIsAnAccessViolation(void **Unused)
{
    VF_EXPECT_BUGCHECK (&Record) {
        Load(0x0800000000000000);
    }
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_ACCESS_VIOLATION);
    assert_int_equal(Record.Parameters[3], MAXULONG_PTR);
}

/* ---- who may take a fault ---- */

static char *Guarded;

static BOOLEAN Repair(const struct host_fault *Fault)
{
    if (Fault->address != Guarded)
        return FALSE;
    host_protect(Guarded, HOST_PAGE_SIZE, HOST_READ | HOST_WRITE);
    return TRUE;
}

static void AClaimComesBeforeAllElse(void **Unused)
{
    Guarded = host_private(HOST_PAGE_SIZE);
    host_protect(Guarded, HOST_PAGE_SIZE, 0);
    VfAddFaultClaim(Repair);
    TestIrql = DISPATCH_LEVEL;
    Store((ULONG_PTR)Guarded);
    assert_int_equal(*Guarded, 1);
    host_private_free(Guarded, HOST_PAGE_SIZE);
}

static sigjmp_buf Handler;
static EXCEPTION_RECORD Caught;

static BOOLEAN Catch(EXCEPTION_RECORD *Exception, const struct host_fault *Fault)
{
    Caught = *Exception;
    siglongjmp(Handler, 1);
}

static BOOLEAN Continue(EXCEPTION_RECORD *Exception, const struct host_fault *Fault)
{
    return Exception->ExceptionCode == STATUS_TIMEOUT;
}

static void AHandlerTakesAFault(void **Unused)
{
    VfAddExceptionDispatcher(Catch);
    for (int i = 0; i < 100; i++)
        if (!sigsetjmp(Handler, 0))
            Load(0x30);
    assert_int_equal(Caught.ExceptionCode, STATUS_ACCESS_VIOLATION);
    assert_int_equal(Caught.NumberParameters, 2);
    assert_int_equal(Caught.ExceptionInformation[1], 0x30);
}

static void ARaisedExceptionMayContinue(void **Unused)
{
    EXCEPTION_RECORD Exception = {.ExceptionCode = STATUS_TIMEOUT};

    VfAddExceptionDispatcher(Continue);
    VfRaiseException(&Exception);
    Exception.ExceptionCode = STATUS_UNSUCCESSFUL;
    VF_EXPECT_BUGCHECK (&Record) {
        VfRaiseException(&Exception);
    }
    assert_int_equal(Record.Code, 0x1E);
    assert_int_equal(Record.Parameters[0], (ULONG)STATUS_UNSUCCESSFUL);
}

/* ---- the end of a process ---- */

__attribute__((noinline)) void TouchNothing(void);
void TouchNothing(void)
{
    Text[0] = Load(0x40); /* not the last act: a tail call would leave no frame */
}

static void RunTouchNothing(void *Argument)
{
    TouchNothing();
}

static void TheReportOfAFaultHasItsStackAndRegisters(void **Unused)
{
    assert_int_equal(VfTestChild(RunTouchNothing, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "*** STOP 0x0000001E KMODE_EXCEPTION_NOT_HANDLED"));
    assert_non_null(strstr(Text, "rip="));
    assert_non_null(strstr(Text, "TouchNothing"));
    assert_non_null(strstr(Text, "(test_fault.c:"));
    assert_null(strstr(Text, "VfOnFault")); /* the stack is the driver's, not the handler's */
}

static void RunJumpToNothing(void *Argument)
{
    __asm__ volatile("xor %%eax, %%eax; call *%%rax" : : : "rax", "memory");
}

static void ACallOfNothingNamesTheCaller(void **Unused)
{
    assert_int_equal(VfTestChild(RunJumpToNothing, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "RunJumpToNothing"));
}

__attribute__((noinline, no_sanitize("address"))) static int Recurse(volatile char *Previous)
{
    static volatile int Endless = 1;
    volatile char Space[512];

    Space[0] = Previous ? Previous[0] : 0;
    return Endless ? Recurse(Space) + Space[0] : 0;
}

static void RecurseInThread(void *Argument)
{
    Recurse(NULL);
}

static void RunOverflow(void *Argument)
{
    host_thread *Thread;

    host_thread_start(&Thread, "deep", RecurseInThread, NULL);
    host_thread_join(Thread);
}

static void AUsedUpStackIsADoubleFault(void **Unused)
{
    assert_int_equal(VfTestChild(RunOverflow, NULL, Text, sizeof(Text)), NT_EXIT_BUGCHECK);
    assert_non_null(strstr(Text, "*** STOP 0x0000007F UNEXPECTED_KERNEL_MODE_TRAP"));
    assert_non_null(strstr(Text, "1: 0x0000000000000008"));
}

static void RunForeign(void *Argument)
{
    TestThreadKind = VfThreadForeign;
    Load(0x10);
}

static void AForeignThreadsFaultIsNotABugCheck(void **Unused)
{
    int Code = VfTestChild(RunForeign, NULL, Text, sizeof(Text));

    assert_true(Code != 0 && Code != NT_EXIT_BUGCHECK);
    assert_null(strstr(Text, "*** STOP"));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        VF_TEST(AnUnhandledFaultIsAnUnhandledException),
        VF_TEST(InASystemServiceItIsASystemServiceException),
        VF_TEST(InASystemThreadItIsASystemThreadException),
        VF_TEST(SystemSpaceIsNeverAnException),
        VF_TEST(AtDispatchLevelADriverIsToBlame),
        VF_TEST(AtDispatchLevelWithoutADriverTheCodeIsTheOlderOne),
        VF_TEST(ADivisionByZeroIsAnException),
        VF_TEST(AnIllegalInstructionIsAnException),
        VF_TEST(APrivilegedInstructionIsAnException),
        VF_TEST(ABreakWithoutADebuggerIsAnException),
        VF_TEST(AFailedAssertionOfADriverIsAnException),
        VF_TEST(AFastFailIsAFailedSecurityCheck),
        VF_TEST(ANonCanonicalAddressIsAnAccessViolation),
        VF_TEST(AClaimComesBeforeAllElse),
        VF_TEST(AHandlerTakesAFault),
        VF_TEST(ARaisedExceptionMayContinue),
        VF_TEST(TheReportOfAFaultHasItsStackAndRegisters),
        VF_TEST(ACallOfNothingNamesTheCaller),
        VF_TEST(AUsedUpStackIsADoubleFault),
        VF_TEST(AForeignThreadsFaultIsNotABugCheck),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
