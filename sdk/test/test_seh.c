// Structured exception handling: every shape of __try, raised exceptions and faults.
#include <windows.h>
#include <ntseh.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static volatile char *volatile NowhereSource =
    (volatile char *)16; // an unmapped address that the compiler does not know
static int Steps;

static void raise_code(DWORD Code)
{
    EXCEPTION_RECORD Record = {
        .ExceptionCode = Code, .NumberParameters = 1, .ExceptionInformation = {77}};

    if (!NtSehRaise(&Record))
        abort();
}

__attribute__((noinline)) static void fault(void)
{
    *NowhereSource = 1;
}

static void on_fault(int Signal, siginfo_t *Information, void *Context)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = EXCEPTION_ACCESS_VIOLATION, .NumberParameters = 2};

    sigset_t Own;

    (void)Context;
    sigemptyset(&Own);
    sigaddset(&Own, Signal);
    sigprocmask(SIG_UNBLOCK, &Own, NULL); // a sanitizer may have blocked it in spite of SA_NODEFER
    Record.ExceptionInformation[1] = (ULONG_PTR)Information->si_addr;
    NtSehDispatch(&Record);
    abort();
}

// cmocka has handlers of its own around each test, so a test that faults begins with this.
static void catch_faults(void)
{
    struct sigaction Action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGBUS, &Action, NULL);
    sigaction(SIGSEGV, &Action, NULL);
}

static int start(void **State)
{
    (void)State;
    NtSehReset(NULL);
    return 0;
}

static void a_body_without_exception_runs_once_and_skips_the_handler(void **State)
{
    int Body = 0, Handler = 0;

    __try {
        Body++;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Handler++;
    }
    assert_int_equal(Body, 1);
    assert_int_equal(Handler, 0);
    assert_null(NtSehMark());
}

static void a_raised_exception_enters_the_handler_with_its_code(void **State)
{
    DWORD Code = 0;
    int Reached = 0;

    __try {
        raise_code(0xE0000001);
        Reached = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Code = GetExceptionCode();
    }
    assert_int_equal(Code, 0xE0000001);
    assert_int_equal(Reached, 0);
    assert_null(NtSehMark());
}

static void a_fault_enters_the_handler_and_the_next_one_too(void **State)
{
    int Caught = 0;

    catch_faults();
    for (int i = 0; i < 3; i++) {
        __try {
            fault();
        } __except (GetExceptionCode() == EXCEPTION_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                                     : EXCEPTION_CONTINUE_SEARCH) {
            Caught++;
        }
    }
    assert_int_equal(Caught, 3);
}

static void the_handler_sees_locals_that_the_body_changed(void **State)
{
    int Count = 0;
    int Sum = 0;
    int SeenCount, SeenSum;

    catch_faults();
    __try {
        for (;;) {
            Count++;
            Sum += Count;
            if (Count == 5)
                *NowhereSource = 0;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        SeenCount = Count;
        SeenSum = Sum;
    }
    assert_int_equal(SeenCount, 5);
    assert_int_equal(SeenSum, 15);
    assert_int_equal(Count, 5);
}

static int filter(EXCEPTION_POINTERS *Pointers, DWORD Code)
{
    assert_int_equal(Code, Pointers->ExceptionRecord->ExceptionCode);
    assert_int_equal(Pointers->ExceptionRecord->ExceptionInformation[0], 77);
    assert_non_null(Pointers->ContextRecord);
    Steps++;
    return Code == 0xE0000002 ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static void a_filter_is_evaluated_only_for_an_exception_and_sees_its_record(void **State)
{
    int Handled = 0;

    Steps = 0;
    __try {
    } __except (filter(GetExceptionInformation(), GetExceptionCode())) {
        Handled++;
    }
    assert_int_equal(Steps, 0);
    __try {
        raise_code(0xE0000002);
    } __except (filter(GetExceptionInformation(), GetExceptionCode())) {
        Handled++;
    }
    assert_int_equal(Steps, 1);
    assert_int_equal(Handled, 1);
}

static void a_filter_that_continues_the_search_leaves_it_to_the_outer_statement(void **State)
{
    int Inner = 0, Outer = 0;

    __try {
        __try {
            raise_code(0xE0000003);
        } __except (EXCEPTION_CONTINUE_SEARCH) {
            Inner++;
        }
        Inner++;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Outer = GetExceptionCode() == 0xE0000003;
    }
    assert_int_equal(Inner, 0);
    assert_int_equal(Outer, 1);
    assert_null(NtSehMark());
}

static void an_exception_in_a_handler_goes_to_the_outer_statement(void **State)
{
    DWORD First = 0, Second = 0;

    __try {
        __try {
            raise_code(0xE0000004);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            First = GetExceptionCode();
            raise_code(0xE0000005);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Second = GetExceptionCode();
    }
    assert_int_equal(First, 0xE0000004);
    assert_int_equal(Second, 0xE0000005);
}

static void a_handler_keeps_its_code_over_a_nested_statement(void **State)
{
    DWORD Before = 0, Inner = 0, After = 0;

    __try {
        raise_code(0xE0000006);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Before = GetExceptionCode();
        __try {
            raise_code(0xE0000007);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Inner = GetExceptionCode();
        }
        After = GetExceptionCode();
    }
    assert_int_equal(Before, 0xE0000006);
    assert_int_equal(Inner, 0xE0000007);
    assert_int_equal(After, 0xE0000006);
}

static void finally_runs_after_a_normal_body(void **State)
{
    int Order = 0;

    __try {
        Order = Order * 10 + 1;
    } __finally {
        Order = Order * 10 + 2;
        assert_false(AbnormalTermination());
    }
    assert_int_equal(Order, 12);
    assert_null(NtSehMark());
}

static void finally_runs_on_an_exception_before_the_outer_handler(void **State)
{
    int Order = 0;

    catch_faults();
    __try {
        __try {
            fault();
        } __finally {
            Order = Order * 10 + 1;
            assert_true(AbnormalTermination());
        }
        Order = 9;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Order = Order * 10 + 2;
    }
    assert_int_equal(Order, 12);
}

static void leave_ends_the_body_out_of_any_loop_and_runs_finally_normally(void **State)
{
    int Order = 0;

    __try {
        for (;;)
            while (1)
                __leave;
        Order = 9;
    } __finally {
        Order = Order * 10 + 1;
        assert_false(AbnormalTermination());
    }
    __try {
        __leave;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Order = 9;
    }
    assert_int_equal(Order, 1);
    assert_null(NtSehMark());
}

static void leave_in_a_handler_ends_the_enclosing_body(void **State)
{
    int Order = 0;

    __try {
        __try {
            raise_code(1);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Order = 1;
            __leave;
        }
        Order = 9;
    } __finally {
        Order = Order * 10 + 2;
    }
    assert_int_equal(Order, 12);
}

static int return_from_a_body(int Value)
{
    __try {
        return Value + 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return -1;
    }
    return -2;
}

static int return_through_finally(int Value)
{
    int Local = Value;

    __try {
        __try {
            Steps = Steps * 10 + 1;
            return Local * 2;
        } __finally {
            char Scratch[256];
            memset(Scratch, Value, sizeof(Scratch));
            Steps = Steps * 10 + 2;
            Local = Scratch[7];
            assert_true(AbnormalTermination());
        }
    } __finally {
        Steps = Steps * 10 + 3;
        Local = 0;
    }
    return -1;
}

static int goto_through_finally(void)
{
    int Order = 0;

    __try {
        Order = 1;
        goto out;
    } __finally {
        Order = Order * 10 + 2;
    }
    Order = 9;
out:
    Order = Order * 10 + 3;
    return Order;
}

static int return_from_a_handler(void)
{
    __try {
        raise_code(0xE0000008);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (int)GetExceptionCode();
    }
    return 0;
}

static int return_from_finally_swallows_the_exception(void)
{
    __try {
        raise_code(0xE0000009);
    } __finally {
        return 5; // NOLINT
    }
    return 6;
}

static void a_way_out_of_a_body_runs_finally_blocks_and_keeps_the_value(void **State)
{
    Steps = 0;
    assert_int_equal(return_from_a_body(3), 4);
    assert_int_equal(return_through_finally(21), 42);
    assert_int_equal(Steps, 123);
    assert_int_equal(goto_through_finally(), 123);
    assert_int_equal(return_from_a_handler(), (int)0xE0000008);
    assert_int_equal(return_from_finally_swallows_the_exception(), 5);
    assert_null(NtSehMark());
}

static void deep(int Levels, int *Unwound)
{
    __try {
        if (Levels == 0)
            fault();
        deep(Levels - 1, Unwound);
    } __finally {
        ++*Unwound;
    }
}

static void an_exception_unwinds_many_functions(void **State)
{
    int Unwound = 0, Caught = 0;

    catch_faults();
    __try {
        deep(50, &Unwound);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Caught = 1;
    }
    assert_int_equal(Unwound, 51);
    assert_int_equal(Caught, 1);
    assert_null(NtSehMark());
}

static void continuing_a_raised_exception_is_itself_an_exception(void **State)
{
    DWORD Code = 0;

    __try {
        __try {
            raise_code(0xE000000A);
        } __except (EXCEPTION_CONTINUE_EXECUTION) {
            Code = 9;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Code = GetExceptionCode();
    }
    assert_int_equal(Code, STATUS_NONCONTINUABLE_EXCEPTION);
}

static void an_exception_from_a_filter_goes_outwards(void **State)
{
    DWORD Code = 0;

    __try {
        __try {
            raise_code(0xE000000B);
        } __except ((raise_code(0xE000000C), EXCEPTION_EXECUTE_HANDLER)) {
            Code = 9;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Code = GetExceptionCode();
    }
    assert_int_equal(Code, 0xE000000C);
}

static void raising_without_a_frame_returns(void **State)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = 1};

    assert_false(NtSehRaise(&Record));
}

static void a_statement_needs_no_braces_around_it(void **State)
{
    int Taken = 0;

    if (State == NULL)
        __try {
            raise_code(1);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Taken = 1;
        }
    else
        Taken = 2;
    assert_int_equal(Taken, State == NULL ? 1 : 2);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(a_body_without_exception_runs_once_and_skips_the_handler, start),
        cmocka_unit_test_setup(a_raised_exception_enters_the_handler_with_its_code, start),
        cmocka_unit_test_setup(a_fault_enters_the_handler_and_the_next_one_too, start),
        cmocka_unit_test_setup(the_handler_sees_locals_that_the_body_changed, start),
        cmocka_unit_test_setup(a_filter_is_evaluated_only_for_an_exception_and_sees_its_record,
                               start),
        cmocka_unit_test_setup(a_filter_that_continues_the_search_leaves_it_to_the_outer_statement,
                               start),
        cmocka_unit_test_setup(an_exception_in_a_handler_goes_to_the_outer_statement, start),
        cmocka_unit_test_setup(a_handler_keeps_its_code_over_a_nested_statement, start),
        cmocka_unit_test_setup(finally_runs_after_a_normal_body, start),
        cmocka_unit_test_setup(finally_runs_on_an_exception_before_the_outer_handler, start),
        cmocka_unit_test_setup(leave_ends_the_body_out_of_any_loop_and_runs_finally_normally,
                               start),
        cmocka_unit_test_setup(leave_in_a_handler_ends_the_enclosing_body, start),
        cmocka_unit_test_setup(a_way_out_of_a_body_runs_finally_blocks_and_keeps_the_value, start),
        cmocka_unit_test_setup(an_exception_unwinds_many_functions, start),
        cmocka_unit_test_setup(continuing_a_raised_exception_is_itself_an_exception, start),
        cmocka_unit_test_setup(an_exception_from_a_filter_goes_outwards, start),
        cmocka_unit_test_setup(raising_without_a_frame_returns, start),
        cmocka_unit_test_setup(a_statement_needs_no_braces_around_it, start),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
