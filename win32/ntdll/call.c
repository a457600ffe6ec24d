/*
 * One system call over the thread's channel.
 *
 * A call may wait for what another thread of the program brings about by a call of its own, so for
 * ThreadSanitizer every call is ordered behind those that began before it ended.
 */
#include "win32/ntdll/ntdll.h"

#define SPIN_MOST 3000u
#define SPIN_WON 100u
#define SPIN_ALONE 100u /* some microseconds; then whoever wants the processor may have it */
#define SPIN_YIELD 16u  /* what that costs, in pauses */

static const unsigned char Counts[] = {
#define SERVICE(name, arguments) arguments,
#include "nt/services.def"
#undef SERVICE
};

static unsigned count_of(uint32_t Service)
{
    Service &= CHANNEL_SERVICE;
    return Service == CHANNEL_MANY ? 3 : Counts[Service];
}

/* The kernel half gave its last answer on this processor: spinning would keep it from the next. */
static int is_near(const struct ntdll_thread *Thread)
{
    return Thread->Channel->cpu == (uint16_t)host_current_cpu();
}

/* Each argument is written, and the next one over it if it was 0. */
static void ring(struct ntdll_thread *Thread, uint32_t Service, const uint64_t *Arguments)
{
    struct channel *Channel = Thread->Channel;
    unsigned Given = 0, Next = 0, Count = count_of(Service);

    for (unsigned i = 0; i < Count; i++) {
        *(Next < CHANNEL_IN_LINE ? &Channel->arguments[Next]
                                 : &Channel->more[Next - CHANNEL_IN_LINE]) = Arguments[i];
        Next += Arguments[i] != 0;
        Given |= (unsigned)(Arguments[i] != 0) << i;
    }
    Channel->given = (uint16_t)Given;
    Channel->service = (uint16_t)(Service | (is_near(Thread) ? CHANNEL_NEAR : 0));
    host_tell(&Ntdll);
    atomic_store_explicit(&Channel->call, ++Thread->Sequence, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&Channel->kernel_sleeps, memory_order_relaxed))
        host_futex_wake((uint32_t *)&Channel->call, 1, true);
}

static int answered(struct ntdll_thread *Thread, uint32_t *Reply)
{
    *Reply = atomic_load_explicit(&Thread->Channel->reply, memory_order_acquire);
    return *Reply == Thread->Sequence;
}

/* Spinning pays when the kernel half runs on another processor and the call is short. What it costs
 * when it does not pay halves each time; each success wins it back. */
static int spin(struct ntdll_thread *Thread)
{
    uint32_t Reply, Alone = is_near(Thread) ? 0 : SPIN_ALONE;

    for (uint32_t i = 0; i < Thread->Spin; i++) {
        if (answered(Thread, &Reply)) {
            Thread->Spin =
                Thread->Spin + SPIN_WON > SPIN_MOST ? SPIN_MOST : Thread->Spin + SPIN_WON;
            return 1;
        }
        if (__atomic_load_n(&Thread->Channel->kernel_waits, __ATOMIC_RELAXED))
            return 0;
        if (i < Alone) {
            host_pause();
        } else {
            host_yield();
            i += SPIN_YIELD - 1;
        }
    }
    Thread->Spin = Thread->Spin / 2 + 50;
    return 0;
}

static int sleep_for_reply(struct ntdll_thread *Thread)
{
    struct channel *Channel = Thread->Channel;
    uint32_t Reply;

    atomic_store(&Channel->client_sleeps, 1 + host_current_cpu());
    /* Gone is looked at after client_sleeps is set: the hand changes the word of a thread that
     * sleeps after it has set Gone. */
    while (!answered(Thread, &Reply) && !Ntdll.Gone)
        host_futex_wait((uint32_t *)&Channel->reply, Reply, HOST_FOREVER, true);
    atomic_store_explicit(&Channel->client_sleeps, 0, memory_order_relaxed);
    return Reply == Thread->Sequence;
}

/* The thread was ended by someone else, or has just ended itself. */
static void leave_if_ended(struct ntdll_thread *Thread)
{
    if (__builtin_expect(Thread->Channel->ended, 0))
        ntdll_thread_ended(Thread);
}

static int wait_for_reply(struct ntdll_thread *Thread)
{
    if (!spin(Thread) && !sleep_for_reply(Thread))
        return 0;
    host_told(&Ntdll);
    leave_if_ended(Thread);
    return 1;
}

/* The kernel half's last word: no request of the thread is in progress any more. */
void ntdll_call_await_end(struct ntdll_thread *Thread)
{
    if (!spin(Thread))
        sleep_for_reply(Thread);
    host_told(&Ntdll);
}

void ntdll_call_last(struct ntdll_thread *Thread, uint32_t Service, const uint64_t *Arguments)
{
    ring(Thread, Service, Arguments);
}

/* What NT does on the way back to user mode: the routine runs, then the next one if there is one.
 */
static void run_apcs(struct ntdll_thread *Thread)
{
    static const uint64_t None[CHANNEL_ARGUMENTS];

    while (Thread->Channel->has_apc) {
        struct channel_apc Apc = Thread->Channel->apc;

        Thread->Channel->has_apc = 0;
        ntdll_pending_settle(Thread);
        Apc.argument1 = ntdll_pending_user(Apc.argument1);
        ((void (*)(uint64_t, uint64_t, uint64_t))Apc.routine)(Apc.context, Apc.argument1,
                                                              Apc.argument2);
        ring(Thread, ServiceNtTestAlert, None);
        if (!wait_for_reply(Thread))
            return;
    }
}

NTSTATUS ntdll_call(struct ntdll_thread *Thread, uint32_t Service, const uint64_t *Arguments)
{
    NTSTATUS Status;

    leave_if_ended(Thread);
    ring(Thread, Service, Arguments);
    if (!wait_for_reply(Thread))
        return STATUS_PORT_DISCONNECTED;
    Status = Thread->Channel->status;
    if (__builtin_expect(atomic_load_explicit(&NtdllPendingCount, memory_order_acquire) != 0, 0))
        ntdll_pending_settle(Thread);
    if (__builtin_expect(Thread->Channel->has_apc, 0))
        run_apcs(Thread);
    return Status;
}

NTSTATUS ntdll_call_many(struct channel_part *Parts, uint32_t Count)
{
    uint64_t Arguments[] = {(uint64_t)Parts, Count, 1 + host_current_cpu()};
    NTSTATUS Status;
    struct ntdll_thread *Thread = ntdll_thread(&Status);

    return Thread ? ntdll_call(Thread, CHANNEL_MANY, Arguments) : Status;
}
