/*
 * Futexes, and the small lock made of one.
 *
 * host_lock has three states: 0 free, 1 held, 2 held and somebody may sleep. A short spin precedes
 * the sleep: what these locks guard takes tens of instructions, but the holder may have been
 * preempted.
 */
#include "host.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPINS 100

int host_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline, bool shared)
{
    struct timespec at = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
    int operation = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG);

    if (syscall(SYS_futex, word, operation, expected, deadline == HOST_FOREVER ? NULL : &at, NULL,
                FUTEX_BITSET_MATCH_ANY) < 0)
        return -errno;
    return 0;
}

void host_futex_wake(uint32_t *word, int count, bool shared)
{
    syscall(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), count);
}

static bool try_acquire(host_lock *lock)
{
    uint32_t expected = 0;

    return __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

void host_lock_acquire(host_lock *lock)
{
    if (try_acquire(lock))
        return;
    for (int i = 0; i < SPINS; i++) {
        host_pause();
        if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 && try_acquire(lock))
            return;
    }
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
        host_futex_wait(&lock->word, 2, HOST_FOREVER, false);
}

void host_lock_release(host_lock *lock)
{
    if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
        host_futex_wake(&lock->word, 1, false);
}
