/*
 * The threaded scheduler: NT threads are Linux threads that park on futexes.
 *
 * ParkWord: 0 nothing, 1 a token (an Unpark that nobody consumed), 2 the thread sleeps or is about
 * to. A token that comes late makes a later Park return at once, which is allowed.
 */
#include "ke/ki.h"

#define KI_SPINS_PAUSE 64
#define KI_SPINS_YIELD 256
#define KI_SLEEP_NANOSECONDS 50000
#define KI_EPOCH 116444736000000000ull /* 1970 in units of 100 ns since 1601 */

static struct {
    uint64_t Boot; /* host_now() at boot */
} KiScheduling;

_Thread_local struct _KTHREAD *KiSelf __attribute__((tls_model("initial-exec")));
const KI_SCHEDULER *KiScheduler = &KiThreadedScheduler;

void KiResetScheduler(void)
{
    KiScheduling.Boot = host_now();
}

static uint64_t KiHostDeadline(ULONG64 Deadline)
{
    uint64_t Nanoseconds;

    if (Deadline == KI_FOREVER || __builtin_mul_overflow(Deadline, 100, &Nanoseconds) ||
        __builtin_add_overflow(Nanoseconds, KiScheduling.Boot, &Nanoseconds))
        return HOST_FOREVER;
    return Nanoseconds;
}

static void KiPark(struct _KTHREAD *Thread, ULONG64 Deadline)
{
    uint32_t Word = KiNoToken;

    if (__atomic_compare_exchange_n(&Thread->ParkWord, &Word, KiAsleep, FALSE, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE))
        host_futex_wait(&Thread->ParkWord, KiAsleep, KiHostDeadline(Deadline), false);
    __atomic_exchange_n(&Thread->ParkWord, KiNoToken, __ATOMIC_ACQUIRE);
}

/* A thread at its doorbell may be between its look at its APCs and its sleep: wake it until it has
 * taken the token (it looks again then), or this visit is over. */
static void KiRing(struct _KTHREAD *Thread)
{
    ULONG Visit = __atomic_load_n(&Thread->DoorbellVisits, __ATOMIC_SEQ_CST);
    uint32_t *Doorbell;

    for (ULONG Spins = 0; (Doorbell = __atomic_load_n(&Thread->Doorbell, __ATOMIC_SEQ_CST)) &&
                          __atomic_load_n(&Thread->DoorbellVisits, __ATOMIC_SEQ_CST) == Visit &&
                          __atomic_load_n(&Thread->ParkWord, __ATOMIC_SEQ_CST) == KiToken;
         Spins++) {
        host_futex_wake(Doorbell, 1, true);
        KiScheduler->Relax(Spins);
    }
}

/* The exchange orders what the caller wants to tell before the look at the doorbell. */
static void KiUnpark(struct _KTHREAD *Thread)
{
    if (__atomic_exchange_n(&Thread->ParkWord, KiToken, __ATOMIC_SEQ_CST) == KiAsleep)
        host_futex_wake(&Thread->ParkWord, 1, false);
    if (__atomic_load_n(&Thread->Doorbell, __ATOMIC_SEQ_CST))
        KiRing(Thread);
}

static void KiThreadMain(void *Argument)
{
    struct _KTHREAD *Thread = Argument;

    KiSelf = Thread;
    __atomic_store_n(&Thread->HostId, host_thread_id(), __ATOMIC_RELEASE);
    host_stack_bounds(&Thread->StackLimit, &Thread->StackBase);
    host_set_gs_base(&Thread->Pcr);
    Thread->Start(Thread);
    host_set_gs_base(NULL);
    KiSelf = NULL;
}

static NTSTATUS KiSpawn(struct _KTHREAD *Thread, void (*Entry)(struct _KTHREAD *))
{
    Thread->Start = Entry;
    return host_thread_start(&Thread->Host, Thread->Name ? Thread->Name : "nt", KiThreadMain,
                             Thread)
               ? STATUS_INSUFFICIENT_RESOURCES
               : STATUS_SUCCESS;
}

static void KiJoin(struct _KTHREAD *Thread)
{
    host_thread_join(Thread->Host);
    Thread->Host = NULL;
}

static ULONG64 KiInterruptTime(void)
{
    return (host_now() - KiScheduling.Boot) / 100;
}

static ULONG64 KiSystemTime(void)
{
    return host_wall_clock() / 100 + KI_EPOCH;
}

/* The more threads sleep here, the longer each of them: together they look as often as one would.
 */
static void KiNap(void)
{
    static atomic_uint Sleepers;
    uint64_t Nap = (uint64_t)KI_SLEEP_NANOSECONDS * (atomic_fetch_add(&Sleepers, 1) + 1);
    uint32_t Never = 0;

    host_futex_wait(&Never, 0, host_now() + Nap, false);
    atomic_fetch_sub(&Sleepers, 1);
}

/* Whoever is waited for may have been preempted by Linux: spin, then give the CPU away, then sleep.
 */
static void KiRelax(ULONG Spins)
{

    if (Spins < KI_SPINS_PAUSE)
        host_pause();
    else if (Spins < KI_SPINS_YIELD)
        host_yield();
    else
        KiNap();
}

const KI_SCHEDULER KiThreadedScheduler = {
    .Park = KiPark,
    .Unpark = KiUnpark,
    .Spawn = KiSpawn,
    .Join = KiJoin,
    .InterruptTime = KiInterruptTime,
    .SystemTime = KiSystemTime,
    .Relax = KiRelax,
};
