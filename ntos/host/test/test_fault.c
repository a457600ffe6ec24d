/* Faults: each kind reaches the handler with what it needs to know. */
#include "host_test.h"

static struct {
    sigjmp_buf jump;
    struct host_fault fault;
    char *repair; /* made accessible by the handler, which then repeats */
    bool on_fault_stack;
} state;

static bool on_fault(const struct host_fault *fault)
{
    stack_t stack;

    state.fault = *fault;
    sigaltstack(NULL, &stack);
    state.on_fault_stack = stack.ss_flags & SS_ONSTACK;
    if (state.repair) {
        host_protect(state.repair, HOST_PAGE_SIZE, HOST_READ | HOST_WRITE);
        state.repair = NULL;
        return true;
    }
    siglongjmp(state.jump, 1);
}

static int install(void **unused)
{
    (void)unused;
    memset(&state.fault, 0xff, sizeof(state.fault));
    state.repair = NULL;
    host_fault_stack_enter();
    host_fault_install(on_fault);
    return 0;
}

static int restore(void **unused)
{
    (void)unused;
    host_fault_install(NULL);
    host_fault_stack_leave();
    return 0;
}

#define FAULT(statement)                                                                           \
    do {                                                                                           \
        if (!sigsetjmp(state.jump, 0)) {                                                           \
            statement;                                                                             \
            fail_msg("no fault came");                                                             \
        }                                                                                          \
    } while (0)

__attribute__((no_sanitize("undefined", "address"))) static char load(char *at)
{
    char *volatile pointer = at; /* the compiler would know that there is nothing */

    return *(volatile char *)pointer;
}

__attribute__((no_sanitize("undefined", "address"))) static void store(char *at)
{
    char *volatile pointer = at;

    *(volatile char *)pointer = 1;
}

static void a_read_of_no_memory_is_told(void **unused)
{
    (void)unused;
    FAULT(load((char *)0x123));
    assert_int_equal(state.fault.kind, HOST_FAULT_MEMORY);
    assert_ptr_equal(state.fault.address, 0x123);
    assert_false(state.fault.write || state.fault.execute || state.fault.protection);
    assert_true(state.on_fault_stack);
}

static void a_write_is_told_from_a_read(void **unused)
{
    (void)unused;
    FAULT(store((char *)0x456));
    assert_ptr_equal(state.fault.address, 0x456);
    assert_true(state.fault.write);
}

static void an_execution_is_told_from_a_read(void **unused)
{
    static char data[16];
    void (*volatile function)(void) = (void (*)(void))(void *)data;

    (void)unused;
    FAULT(__asm__ volatile("call *%0" : : "r"(function) : "memory"));
    assert_ptr_equal(state.fault.address, data);
    assert_ptr_equal(state.fault.instruction, data);
    assert_true(state.fault.execute);
}

static void a_non_canonical_address_is_all_ones(void **unused)
{
    (void)unused;
    FAULT(load((char *)0x0800000000000000));
    assert_int_equal(state.fault.kind, HOST_FAULT_MEMORY);
    assert_true(state.fault.protection);
    assert_ptr_equal(state.fault.address, UINTPTR_MAX);
}

static void a_page_beyond_the_end_of_a_file_is_a_bus_error(void **unused)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    char *at = mmap(NULL, HOST_PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);

    (void)unused;
    FAULT(load(at));
    assert_int_equal(state.fault.kind, HOST_FAULT_BUS);
    assert_ptr_equal(state.fault.address, at);
    munmap(at, HOST_PAGE_SIZE);
    close(fd);
}

static void an_illegal_instruction_is_told(void **unused)
{
    (void)unused;
    FAULT(__asm__ volatile("ud2"));
    assert_int_equal(state.fault.kind, HOST_FAULT_ILLEGAL);
}

static void a_division_by_zero_is_told(void **unused)
{
    (void)unused;
    FAULT(__asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : "a"(1), "d"(0) : "ecx"));
    assert_int_equal(state.fault.kind, HOST_FAULT_DIVIDE);
}

static void a_breakpoint_is_told_with_its_own_address(void **unused)
{
    unsigned char *at;

    (void)unused;
    FAULT(__asm__ volatile("int3"));
    assert_int_equal(state.fault.kind, HOST_FAULT_BREAKPOINT);
    at = state.fault.instruction;
    assert_int_equal(*at, 0xCC);
}

static void the_instruction_is_repeated_if_the_handler_says_so(void **unused)
{
    char *at = mmap(NULL, HOST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    state.repair = at;
    store(at);
    assert_int_equal(*at, 1);
    assert_ptr_equal(state.fault.address, at);
    munmap(at, HOST_PAGE_SIZE);
}

static void faults_can_be_handled_again_and_again(void **unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        FAULT(load((char *)0x10));
}

static void fault_in_thread(void *argument)
{
    (void)argument;
    if (!sigsetjmp(state.jump, 0))
        store((char *)0x789);
}

static void a_thread_has_its_own_stack_for_faults(void **unused)
{
    host_thread *thread;

    (void)unused;
    assert_int_equal(host_thread_start(&thread, "faulty", fault_in_thread, NULL), 0);
    host_thread_join(thread);
    assert_ptr_equal(state.fault.address, 0x789);
    assert_true(state.on_fault_stack);
}

static int previous_signal;

static void previous(int signal)
{
    previous_signal = signal;
    siglongjmp(state.jump, 1);
}

static bool refuse(const struct host_fault *fault)
{
    (void)fault;
    return false;
}

static void a_refused_fault_goes_to_the_handler_before(void **unused)
{
    struct sigaction mine = {.sa_handler = previous, .sa_flags = SA_NODEFER}, old, now;

    (void)unused;
    host_fault_install(NULL);
    sigaction(SIGSEGV, &mine, &old);
    host_fault_install(refuse);
    FAULT(load((char *)0x10));
    assert_int_equal(previous_signal, SIGSEGV);
    host_fault_install(NULL);
    sigaction(SIGSEGV, &old, &now);
    assert_ptr_equal(now.sa_handler, previous);
}

static void a_signal_that_was_sent_is_not_a_fault(void **unused)
{
    int status;
    pid_t child = fork();

    (void)unused;
    if (!child) {
        kill(getpid(), SIGSEGV);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (sanitized) /* whose handler was there before reports it and exits */
        assert_true(status != 0);
    else
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void the_registers_of_a_fault_are_known(void **unused)
{
    static struct host_registers registers;

    (void)unused;
    if (!sigsetjmp(state.jump, 0))
        __asm__ volatile("mov $0x1122, %%r9; mov 0x10, %%rax" : : : "r9", "rax");
    /* The context lies on the fault stack, which nobody has used since. */
    host_fault_registers(&state.fault, &registers);
    assert_int_equal(registers.r9, 0x1122);
    assert_int_equal(registers.rip, (uintptr_t)state.fault.instruction);
}

#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, install, restore)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(a_read_of_no_memory_is_told),
        FAULT_TEST(a_write_is_told_from_a_read),
        FAULT_TEST(an_execution_is_told_from_a_read),
        FAULT_TEST(a_non_canonical_address_is_all_ones),
        FAULT_TEST(a_page_beyond_the_end_of_a_file_is_a_bus_error),
        FAULT_TEST(an_illegal_instruction_is_told),
        FAULT_TEST(a_division_by_zero_is_told),
        FAULT_TEST(a_breakpoint_is_told_with_its_own_address),
        FAULT_TEST(the_instruction_is_repeated_if_the_handler_says_so),
        FAULT_TEST(faults_can_be_handled_again_and_again),
        FAULT_TEST(a_thread_has_its_own_stack_for_faults),
        FAULT_TEST(a_refused_fault_goes_to_the_handler_before),
        FAULT_TEST(a_signal_that_was_sent_is_not_a_fault),
        FAULT_TEST(the_registers_of_a_fault_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
