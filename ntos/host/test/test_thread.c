/* Threads, futexes, the lock and the clocks. */
#include "host_test.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static size_t count_mappings(void)
{
    size_t bytes, lines = 0;
    char *text = host_read_file("/proc/self/maps", &bytes);

    assert_non_null(text);
    for (char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    free(text);
    return lines;
}

static char seen_name[16];

static void note_name(void *argument)
{
    stack_t stack;

    *(uint32_t *)argument = host_thread_id();
    pthread_getname_np(pthread_self(), seen_name, sizeof(seen_name));
    sigaltstack(NULL, &stack);
    if (stack.ss_flags & SS_DISABLE)
        seen_name[0] = 0;
}

static void a_thread_has_its_name_and_a_stack_for_faults(void **unused)
{
    host_thread *thread;
    uint32_t id = 0;

    (void)unused;
    assert_int_equal(host_thread_start(&thread, "a rather long name", note_name, &id), 0);
    host_thread_join(thread);
    assert_string_equal(seen_name, "a rather long n");
    assert_true(id != 0 && id != host_thread_id());
}

/* Above is free room, where Linux would put the next mapping. */
static void *enter_with_room_above(void *above)
{
    stack_t stack;

    munmap(above, 1 << 20);
    host_fault_stack_enter();
    sigaltstack(NULL, &stack);
    host_fault_stack_leave();
    return (void *)(uintptr_t)((char *)stack.ss_sp < (char *)&stack);
}

static void the_stack_for_faults_is_below_the_thread_s_own(void **unused)
{
    void *above = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *below;
    pthread_t thread;

    (void)unused;
    assert_ptr_not_equal(above, MAP_FAILED);
    assert_int_equal(pthread_create(&thread, NULL, enter_with_room_above, above), 0);
    assert_int_equal(pthread_join(thread, &below), 0);
    assert_non_null(below);
}

static void look_at_mask(void *argument)
{
    pthread_sigmask(SIG_SETMASK, NULL, argument);
}

static void a_thread_leaves_the_signals_of_the_process_to_others(void **unused)
{
    host_thread *thread;
    sigset_t mask;

    (void)unused;
    assert_int_equal(host_thread_start(&thread, "mask", look_at_mask, &mask), 0);
    host_thread_join(thread);
    assert_true(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT));
    assert_false(sigismember(&mask, SIGSEGV) || sigismember(&mask, SIGTRAP));
}

static void nothing(void *argument)
{
    (void)argument;
}

static void a_thousand_threads_leave_nothing(void **unused)
{
    size_t fds, mappings, tasks;
    host_thread *thread;

    (void)unused;
    assert_int_equal(host_thread_start(&thread, "first", nothing, NULL), 0);
    host_thread_join(thread);
    fds = count_entries("/proc/self/fd");
    tasks = count_entries("/proc/self/task");
    mappings = count_mappings();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(host_thread_start(&thread, "one of many", nothing, NULL), 0);
        host_thread_join(thread);
    }
    assert_int_equal(count_entries("/proc/self/fd"), fds);
    assert_int_equal(count_entries("/proc/self/task"), tasks);
    if (!sanitized) /* a sanitizer maps as it likes */
        assert_true(count_mappings() <= mappings + 8);
}

static void the_stack_bounds_enclose_the_frame(void **unused)
{
    char *here =
        __builtin_frame_address(0); /* not a local: it may be on a sanitizer's fake stack */
    void *low, *high;

    (void)unused;
    host_stack_bounds(&low, &high);
    assert_true((char *)low < here && here < (char *)high);
}

static void the_gs_base_is_what_was_set(void **unused)
{
    static uint64_t words[2] = {0, 42};
    uint64_t value;

    (void)unused;
    host_set_gs_base(words);
    __asm__ volatile("mov %%gs:8, %0" : "=r"(value));
    host_set_gs_base(NULL);
    assert_int_equal(value, 42);
}

/* ---- futexes ---- */

struct meeting {
    uint32_t *word;
    bool shared;
};

static void wake_up(void *argument)
{
    struct meeting *meeting = argument;

    __atomic_store_n(meeting->word, 1, __ATOMIC_RELEASE);
    host_futex_wake(meeting->word, 1, meeting->shared);
}

static void meet(bool shared)
{
    uint32_t *word = mmap(NULL, HOST_PAGE_SIZE, PROT_READ | PROT_WRITE,
                          (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    struct meeting meeting = {word, shared};
    host_thread *thread;

    assert_int_equal(host_thread_start(&thread, "waker", wake_up, &meeting), 0);
    while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
        host_futex_wait(word, 0, HOST_FOREVER, shared);
    host_thread_join(thread);
    munmap(word, HOST_PAGE_SIZE);
}

static void a_waker_is_heard(void **unused)
{
    (void)unused;
    meet(false);
    meet(true);
}

static void a_futex_with_another_value_does_not_wait(void **unused)
{
    uint32_t word = 7;

    (void)unused;
    assert_int_equal(host_futex_wait(&word, 8, HOST_FOREVER, false), -EAGAIN);
}

static void a_deadline_ends_a_wait(void **unused)
{
    uint64_t deadline = host_now() + 1000000;
    uint32_t word = 0;

    (void)unused;
    assert_int_equal(host_futex_wait(&word, 0, deadline, false), -ETIMEDOUT);
    assert_true(host_now() >= deadline);
    assert_int_equal(host_futex_wait(&word, 0, 1, false), -ETIMEDOUT);
}

/* ---- the lock ---- */

static struct {
    host_lock lock;
    long count;
} counter;

static void count_up(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20000; i++) {
        host_lock_acquire(&counter.lock);
        counter.count++;
        host_lock_release(&counter.lock);
    }
}

static void the_lock_excludes_other_threads(void **unused)
{
    host_thread *threads[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        assert_int_equal(host_thread_start(&threads[i], "counter", count_up, NULL), 0);
    for (int i = 0; i < 4; i++)
        host_thread_join(threads[i]);
    assert_int_equal(counter.count, 80000);
    assert_int_equal(counter.lock.word, 0);
}

/* ---- clocks ---- */

static void the_monotonic_clock_does_not_go_back(void **unused)
{
    uint64_t last = host_now();

    (void)unused;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = host_now();

        assert_true(now >= last);
        last = now;
    }
    assert_true(host_wall_clock() / 1000000000 >= 1600000000);
}

static void the_offset_from_utc_follows_the_season(void **unused)
{
    const uint64_t january = 1704067200, july = 1719792000, second = 1000000000;

    (void)unused;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    assert_int_equal(host_utc_offset(january * second), 3600);
    assert_int_equal(host_utc_offset(july * second), 7200);
    setenv("TZ", "NST3:30", 1);
    assert_int_equal(host_utc_offset(january * second), -12600);
    unsetenv("TZ");
}

static void at_least_one_processor_is_there(void **unused)
{
    (void)unused;
    assert_true(host_cpu_count() >= 1);
    assert_int_equal(host_process_id(), getpid());
    host_yield();
}

static cpu_set_t allowed(void)
{
    cpu_set_t set;

    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    return set;
}

static void a_thread_that_goes_to_a_processor_may_go_on_where_it_could_before(void **unused)
{
    cpu_set_t before = allowed(), after;

    (void)unused;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE + 2; cpu++) {
        host_enter_cpu(cpu);
        after = allowed();
        assert_true(CPU_EQUAL(&before, &after));
        host_leave_cpu(cpu);
        after = allowed();
        assert_true(CPU_EQUAL(&before, &after));
    }
    host_enter_cpu(~0u);
}

static void a_thread_does_not_go_where_it_may_not(void **unused)
{
    cpu_set_t before = allowed(), one;
    unsigned here = 0;

    (void)unused;
    while (!CPU_ISSET(here, &before))
        here++;
    CPU_ZERO(&one);
    CPU_SET(here, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    for (unsigned cpu = 0; cpu < 64; cpu++) {
        host_enter_cpu(cpu);
        assert_int_equal(host_current_cpu(), here);
    }
    assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_and_a_stack_for_faults),
        cmocka_unit_test(the_stack_for_faults_is_below_the_thread_s_own),
        cmocka_unit_test(a_thread_leaves_the_signals_of_the_process_to_others),
        cmocka_unit_test(a_thousand_threads_leave_nothing),
        cmocka_unit_test(the_stack_bounds_enclose_the_frame),
        cmocka_unit_test(the_gs_base_is_what_was_set),
        cmocka_unit_test(a_waker_is_heard),
        cmocka_unit_test(a_futex_with_another_value_does_not_wait),
        cmocka_unit_test(a_deadline_ends_a_wait),
        cmocka_unit_test(the_lock_excludes_other_threads),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(the_offset_from_utc_follows_the_season),
        cmocka_unit_test(at_least_one_processor_is_there),
        cmocka_unit_test(a_thread_that_goes_to_a_processor_may_go_on_where_it_could_before),
        cmocka_unit_test(a_thread_does_not_go_where_it_may_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
