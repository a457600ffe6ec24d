/*
 * Threads: joinable, named, with an alternate stack for faults.
 *
 * Signals that are meant for the process (SIGTERM, SIGINT ...) are blocked in these threads, so
 * that the program's own threads receive them.
 */
#include "host.h"

#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES (1024 * 1024)

struct host_thread {
    pthread_t pthread;
    void (*entry)(void *);
    void *argument;
    char name[16];
};

/* A page that cannot be written above all frames of the thread's entry: what writes far beyond an
 * array on its stack stops there, and not in the C library's own data of the thread, which lie at
 * the end of the stack and without which nothing can be reported. It can be read: LeakSanitizer
 * looks for pointers in whole stacks. */
static __thread void *ceiling;

static void lower_ceiling(char *room)
{
    uintptr_t page = ((uintptr_t)room + HOST_PAGE_SIZE - 1) & ~(uintptr_t)(HOST_PAGE_SIZE - 1);

    if (mprotect((void *)page, HOST_PAGE_SIZE, PROT_READ) == 0)
        ceiling = (void *)page;
}

/* Before the thread ends, by whatever way: the C library uses its stack again. */
static void remove_ceiling(void)
{
    if (ceiling)
        mprotect(ceiling, HOST_PAGE_SIZE, PROT_READ | PROT_WRITE);
    ceiling = NULL;
}

__attribute__((__no_sanitize__("address"))) /* which may put the array elsewhere */
static void *
thread_main(void *parameter)
{
    char room[2 * HOST_PAGE_SIZE];
    host_thread *thread = parameter;

    pthread_setname_np(pthread_self(), thread->name);
    prctl(PR_SET_TIMERSLACK, 1); /* or Linux wakes it up to 50 us after a deadline */
    lower_ceiling(room);
    host_fault_stack_enter();
    thread->entry(thread->argument);
    host_fault_stack_leave();
    remove_ceiling();
    return NULL;
}

static void block_process_signals(sigset_t *before)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,
                                  SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static int create(host_thread *thread, void *(*main)(void *), pthread_t *id)
{
    pthread_attr_t attributes;
    sigset_t before;
    int error = pthread_attr_init(&attributes);

    if (error)
        return -error;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    block_process_signals(&before); /* inherited; a sanitizer ignores the mask in the attributes */
    error = pthread_create(id, &attributes, main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

int host_thread_start(host_thread **out, const char *name, void (*entry)(void *), void *argument)
{
    host_thread *thread = calloc(1, sizeof(*thread));
    int error;

    if (!thread)
        return -ENOMEM;
    thread->entry = entry;
    thread->argument = argument;
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    *out = thread; /* before the thread runs: it may look at what its creator stored */
    error = create(thread, thread_main, &thread->pthread);
    if (error) {
        *out = NULL;
        free(thread);
    }
    return error;
}

static void *detached_main(void *parameter)
{
    host_thread thread =
        *(host_thread *)parameter; /* the entry may end the thread, and not return */

    free(parameter);
    pthread_detach(pthread_self());
    return thread_main(&thread);
}

int host_thread_start_detached(const char *name, void (*entry)(void *), void *argument)
{
    host_thread *thread = calloc(1, sizeof(*thread));
    pthread_t id; /* the thread may have ended, and freed itself, by the time that it is known */
    int error;

    if (!thread)
        return -ENOMEM;
    *thread = (host_thread){.entry = entry, .argument = argument};
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    error = create(thread, detached_main, &id);
    if (error)
        free(thread);
    return error;
}

void host_thread_join(host_thread *thread)
{
    pthread_join(thread->pthread, NULL);
    free(thread);
}

void host_thread_exit(void)
{
    remove_ceiling();
    pthread_exit(NULL);
}

uint32_t host_thread_id(void)
{
    return (uint32_t)gettid();
}

uint32_t host_parent_of(uint32_t process)
{
    char path[40], text[512];
    uint32_t parent = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%u/stat", process);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fgets(text, sizeof(text), file) && strrchr(text, ')')) /* the name may hold anything */
        sscanf(strrchr(text, ')'), ") %*c %u", &parent);
    fclose(file);
    return parent;
}

uint32_t host_process_id(void)
{
    return (uint32_t)getpid();
}

uint32_t host_user_id(void)
{
    return (uint32_t)geteuid();
}

void host_program_name(char *name, size_t size)
{
    snprintf(name, size, "%s", program_invocation_short_name);
}

unsigned host_cpu_count(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

void host_yield(void)
{
    sched_yield();
}

unsigned host_current_cpu(void)
{
    return (unsigned)sched_getcpu();
}

/* Linux moves the thread to where it may be now; then it may be everywhere again. */
static void move_into(const cpu_set_t *some, const cpu_set_t *all)
{
    if (CPU_COUNT(some) && sched_setaffinity(0, sizeof(*some), some) == 0)
        sched_setaffinity(0, sizeof(*all), all);
}

void host_leave_cpu(unsigned cpu)
{
    cpu_set_t all, rest;

    if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(all), &all) < 0)
        return;
    rest = all;
    CPU_CLR(cpu, &rest);
    move_into(&rest, &all);
}

void host_enter_cpu(unsigned cpu)
{
    cpu_set_t all, one;

    if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(all), &all) < 0 || !CPU_ISSET(cpu, &all))
        return;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    move_into(&one, &all);
}

void host_stack_bounds(void **low, void **high)
{
    pthread_attr_t attributes;
    size_t bytes = 0;

    *low = *high = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes))
        return;
    if (!pthread_attr_getstack(&attributes, low, &bytes))
        *high = (char *)*low + bytes;
    pthread_attr_destroy(&attributes);
}

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static _Thread_local void (*exit_routine)(void *);

static void run_exit_routine(void *argument)
{
    exit_routine(argument);
}

static void make_exit_key(void)
{
    pthread_key_create(&exit_key, run_exit_routine);
}

void host_at_thread_exit(void (*routine)(void *), void *argument)
{
    pthread_once(&exit_once, make_exit_key);
    exit_routine = routine;
    pthread_setspecific(exit_key, argument);
}

void host_at_fork_child(void (*routine)(void))
{
    pthread_atfork(NULL, NULL, routine);
}

void host_set_gs_base(void *base)
{
    syscall(SYS_arch_prctl, ARCH_SET_GS, base);
}
