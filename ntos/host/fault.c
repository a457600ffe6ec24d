/*
 * Synchronous faults of this process: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP.
 *
 * The handler runs on the thread's alternate stack with the signal unblocked (SA_NODEFER), so that
 * it may leave by a jump that does not restore the mask, and so that a fault inside it is seen too.
 * A signal that some process sent is not a fault: it goes to whoever handled it before.
 *
 * AddressSanitizer gives its threads an alternate stack as well and unmaps, at the end of a thread,
 * the one it finds; host_fault_stack_leave therefore puts back what it found.
 */
#include "host.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define FAULT_STACK_BYTES (512 * 1024)
#define TRAP_GENERAL_PROTECTION 13
#define ERROR_WRITE 0x02
#define ERROR_FETCH 0x10
#define FLAG_TRAP 0x100

static const struct {
    int signal, kind;
} faults[] = {
    {SIGSEGV, HOST_FAULT_MEMORY}, {SIGBUS, HOST_FAULT_BUS},         {SIGILL, HOST_FAULT_ILLEGAL},
    {SIGFPE, HOST_FAULT_DIVIDE},  {SIGTRAP, HOST_FAULT_BREAKPOINT},
};
#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static struct {
    host_fault_handler *handler;
    struct sigaction previous[FAULT_COUNT];
} state;

static __thread struct {
    unsigned depth;
    char *memory; /* a guard page, then the stack */
    stack_t previous;
    void *low, *high; /* of the ordinary stack: asking for them is not safe in a handler */
} fault_stack;

static __thread sigjmp_buf *attempt; /* host_try is running on this thread */

static size_t index_of(int signal)
{
    size_t i = 0;

    while (faults[i].signal != signal)
        i++;
    return i;
}

static void describe(struct host_fault *fault, int kind, const siginfo_t *info, ucontext_t *context)
{
    greg_t *registers = context->uc_mcontext.gregs;
    bool page_fault = registers[REG_TRAPNO] != TRAP_GENERAL_PROTECTION;

    *fault = (struct host_fault){
        .kind = kind,
        .instruction = (void *)registers[REG_RIP],
        .context = context,
        .stack_low = fault_stack.low,
        .stack_high = fault_stack.high,
    };
    fault->step = kind == HOST_FAULT_BREAKPOINT && info->si_code == TRAP_TRACE;
    if (kind == HOST_FAULT_BREAKPOINT && info->si_code == SI_KERNEL)
        fault->instruction = (char *)fault->instruction - 1; /* int3 leaves the next one */
    if (kind != HOST_FAULT_MEMORY && kind != HOST_FAULT_BUS)
        return;
    /* A non-canonical address and a privileged instruction carry no address. */
    fault->address = page_fault ? info->si_addr : (void *)UINTPTR_MAX;
    fault->write = page_fault && (registers[REG_ERR] & ERROR_WRITE);
    fault->execute = page_fault && (registers[REG_ERR] & ERROR_FETCH);
    fault->protection = !page_fault;
}

/* The one who handled the signal before; without one the process ends by it, with a core. */
static void pass_on(int signal, siginfo_t *info, void *context, const struct sigaction *previous)
{
    if (previous->sa_flags & SA_SIGINFO) {
        previous->sa_sigaction(signal, info, context);
        return;
    }
    if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        previous->sa_handler(signal);
        return;
    }
    if (previous->sa_handler == SIG_IGN && info->si_code <= 0)
        return;
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(signal);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    size_t i = index_of(signal);
    host_fault_handler *handler = __atomic_load_n(&state.handler, __ATOMIC_ACQUIRE);
    struct host_fault fault;

#if defined(__clang__)
#if __has_feature(thread_sanitizer)
    /* It calls with every signal blocked, in spite of SA_NODEFER; the handler may jump away. */
    pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
#endif
#endif
    if (info->si_code > 0 && attempt)
        siglongjmp(*attempt, 1);
    if (info->si_code > 0 && handler) {
        describe(&fault, faults[i].kind, info, context);
        if (handler(&fault))
            return;
    }
    pass_on(signal, info, context, &state.previous[i]);
}

void host_fault_install(host_fault_handler *handler)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    bool installed = state.handler != NULL;

    if (handler)
        __atomic_store_n(&state.handler, handler, __ATOMIC_RELEASE);
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (handler && !installed)
            sigaction(faults[i].signal, &action, &state.previous[i]);
        else if (!handler && installed)
            sigaction(faults[i].signal, &state.previous[i], NULL);
    }
    if (!handler)
        __atomic_store_n(&state.handler, NULL, __ATOMIC_RELEASE);
}

bool host_try(void (*routine)(void *argument), void *argument)
{
    sigjmp_buf *volatile outer = attempt;
    sigjmp_buf here;
    volatile bool whole = false;

    if (sigsetjmp(here, 0) == 0) {
        attempt = &here;
        routine(argument);
        whole = true;
    }
    attempt = outer;
    return whole;
}

/* Below the thread's own stack: what ThreadSanitizer knows of a sigsetjmp it forgets at the next
 * one with a higher stack pointer, and a handler that waits may call one. */
static char *map_fault_stack(char *below)
{
    const size_t bytes = HOST_PAGE_SIZE + FAULT_STACK_BYTES;
    char *memory, *wanted = NULL;

    for (;;) {
        memory = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED)
            abort();
        if (memory < below)
            return memory;
        munmap(memory, bytes);
        wanted = (wanted ? wanted : below) - bytes;
    }
}

void host_fault_stack_enter(void)
{
    stack_t stack = {.ss_size = FAULT_STACK_BYTES};
    char *memory;

    if (fault_stack.depth++)
        return;
    host_stack_bounds(&fault_stack.low, &fault_stack.high);
    memory = map_fault_stack((char *)fault_stack.low);
    mprotect(memory, HOST_PAGE_SIZE, PROT_NONE);
    stack.ss_sp = memory + HOST_PAGE_SIZE;
    sigaltstack(&stack, &fault_stack.previous);
    fault_stack.memory = memory;
}

void host_fault_stack_leave(void)
{
    if (!fault_stack.depth || --fault_stack.depth)
        return;
    sigaltstack(&fault_stack.previous, NULL);
    munmap(fault_stack.memory, HOST_PAGE_SIZE + FAULT_STACK_BYTES);
    fault_stack.memory = NULL;
}

void host_fault_registers(const struct host_fault *fault, struct host_registers *registers)
{
    const greg_t *from = ((const ucontext_t *)fault->context)->uc_mcontext.gregs;

    *registers = (struct host_registers){
        .rax = (uint64_t)from[REG_RAX],
        .rcx = (uint64_t)from[REG_RCX],
        .rdx = (uint64_t)from[REG_RDX],
        .rbx = (uint64_t)from[REG_RBX],
        .rsp = (uint64_t)from[REG_RSP],
        .rbp = (uint64_t)from[REG_RBP],
        .rsi = (uint64_t)from[REG_RSI],
        .rdi = (uint64_t)from[REG_RDI],
        .r8 = (uint64_t)from[REG_R8],
        .r9 = (uint64_t)from[REG_R9],
        .r10 = (uint64_t)from[REG_R10],
        .r11 = (uint64_t)from[REG_R11],
        .r12 = (uint64_t)from[REG_R12],
        .r13 = (uint64_t)from[REG_R13],
        .r14 = (uint64_t)from[REG_R14],
        .r15 = (uint64_t)from[REG_R15],
        .rip = (uint64_t)from[REG_RIP],
        .eflags = (uint64_t)from[REG_EFL],
    };
}

/* As the processor numbers them. */
static const int general[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                              REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                              REG_R12, REG_R13, REG_R14, REG_R15};

uint64_t host_fault_register(const struct host_fault *fault, unsigned number)
{
    const ucontext_t *context = fault->context;

    return (uint64_t)context->uc_mcontext.gregs[general[number]];
}

void host_fault_set_register(const struct host_fault *fault, unsigned number, uint64_t value)
{
    ucontext_t *context = fault->context;

    context->uc_mcontext.gregs[general[number]] = (greg_t)value;
}

void host_fault_single_step(const struct host_fault *fault, bool on)
{
    greg_t *registers = ((ucontext_t *)fault->context)->uc_mcontext.gregs;

    registers[REG_EFL] &= ~(greg_t)FLAG_TRAP;
    registers[REG_EFL] |= on ? FLAG_TRAP : 0;
}

void host_diverted(void);

#define BELOW_RED_ZONE 256 /* host_resume writes there, too */

void host_fault_divert(const struct host_fault *fault, void (*call)(struct host_cpu *cpu))
{
    ucontext_t *context = fault->context;
    greg_t *registers = context->uc_mcontext.gregs;
    struct host_registers from;
    struct host_cpu *cpu =
        (void *)(((uintptr_t)registers[REG_RSP] - BELOW_RED_ZONE - sizeof(*cpu)) & ~(uintptr_t)63);

    host_fault_registers(fault, &from);
    memset(cpu, 0, sizeof(*cpu));
    memcpy(&cpu->rax, &from, offsetof(struct host_registers, eflags)); /* in the same order */
    cpu->eflags = (uint32_t)from.eflags;
    cpu->mxcsr = context->uc_mcontext.fpregs->mxcsr;
    memcpy(cpu->xmm, context->uc_mcontext.fpregs->_xmm, sizeof(cpu->xmm));
    registers[REG_RBX] = (greg_t)(uintptr_t)cpu;
    registers[REG_RBP] = (greg_t)(uintptr_t)call;
    registers[REG_RSP] = (greg_t)(uintptr_t)cpu;
    registers[REG_EFL] &= ~(greg_t)0x400; /* forward */
    registers[REG_RIP] = (greg_t)(uintptr_t)host_diverted;
}

void host_fault_step_over(const struct host_fault *fault, unsigned bytes)
{
    ((ucontext_t *)fault->context)->uc_mcontext.gregs[REG_RIP] =
        (greg_t)((uintptr_t)fault->instruction + bytes);
}

void host_fault_continue_at(const struct host_fault *fault, const void *instruction)
{
    ucontext_t *context = fault->context;

    context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)instruction;
}
