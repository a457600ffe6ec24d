/*
 * Asynchronous requests whose buffers lie outside the slot. The kernel completes them into the
 * copies; the program must see the result before it can learn of the completion. It learns of it by
 * a call (a wait, an APC), so every call's return settles what has completed; and, for a program
 * that polls its OVERLAPPED, a thread settles every few milliseconds while anything pends.
 */
#include "win32/ntdll/ntdll.h"

#include <stdlib.h>

_Atomic int NtdllPendingCount;

static struct {
    host_lock Lock;
    struct ntdll_pending *First;
    int Poller; /* 1: its thread runs */
} Pending;

#define POLL_NS 5000000u

static void settle(struct ntdll_pending *One)
{
    size_t Bytes = One->Whole ? One->Bytes : One->Staged->Information;

    if (Bytes > One->Bytes)
        Bytes = One->Bytes;
    if (One->To && !NT_ERROR(One->Staged->Status))
        ntdll_copy(One->To, One->From, Bytes);
    ntdll_copy(&One->User->Information, &One->Staged->Information, sizeof(One->User->Information));
    atomic_thread_fence(memory_order_release);
    ntdll_copy(&One->User->Status, &One->Staged->Status, sizeof(One->User->Status));
    One->Settled = 1;
}

static int completed(const struct ntdll_pending *One)
{
    return __atomic_load_n(&One->Staged->Status, __ATOMIC_ACQUIRE) != STATUS_PENDING;
}

static int over(struct ntdll_pending *One, struct ntdll_thread *Caller)
{
    if (!One->Settled && completed(One))
        settle(One);
    return One->Settled && !One->Apc && (Caller || !One->LargeCount);
}

static void forget(struct ntdll_pending *One, struct ntdll_thread *Caller)
{
    for (unsigned i = 0; i < One->LargeCount; i++)
        ntdll_slot_free(Caller, &One->Large[i]);
    free(One);
}

/* Large blocks go back to the slot by a call, which the polling thread (no caller) cannot make: it
 * leaves them to others. */
void ntdll_pending_settle(struct ntdll_thread *Caller)
{
    struct ntdll_pending *Over = NULL;

    host_lock_acquire(&Pending.Lock);
    for (struct ntdll_pending **Link = &Pending.First; *Link;) {
        struct ntdll_pending *One = *Link;

        if (!over(One, Caller)) {
            Link = &One->Next;
            continue;
        }
        *Link = One->Next;
        One->Next = Over;
        Over = One;
        atomic_fetch_sub(&NtdllPendingCount, 1);
        if (One->Thread)
            atomic_fetch_sub_explicit(&One->Thread->Outstanding, 1, memory_order_release);
    }
    host_lock_release(&Pending.Lock);
    while (Over) {
        struct ntdll_pending *One = Over;

        Over = One->Next;
        forget(One, Caller);
    }
}

/* All requests of the thread have ended (or the kernel has), so what they left is copied now; its
 * APCs never run. */
void ntdll_pending_thread_left(struct ntdll_thread *Thread)
{
    ntdll_pending_settle(NULL);
    host_lock_acquire(&Pending.Lock);
    for (struct ntdll_pending *One = Pending.First; One; One = One->Next)
        if (One->Thread == Thread) {
            One->Thread = NULL;
            One->Apc = 0;
        }
    host_lock_release(&Pending.Lock);
}

/* The poller goes when nothing pends; whoever adds a request starts it again. */
static int still_wanted(void)
{
    int Wanted;

    host_lock_acquire(&Pending.Lock);
    Wanted = Pending.Poller = Pending.First != NULL;
    host_lock_release(&Pending.Lock);
    return Wanted;
}

static void poll(void *Argument)
{
    uint32_t Never = 0;

    (void)Argument;
    do {
        host_futex_wait(&Never, 0, host_now() + POLL_NS, false);
        ntdll_pending_settle(NULL);
    } while (still_wanted());
}

static void give_up(struct ntdll_pending *One)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PORT_DISCONNECTED};

    if (!One->Settled && !completed(One))
        ntdll_copy(One->User, &Iosb, sizeof(Iosb));
}

/* Nobody completes them any more. A program that watches its OVERLAPPED sees it. */
void ntdll_pending_kernel_gone(void)
{
    ntdll_pending_settle(NULL);
    host_lock_acquire(&Pending.Lock);
    while (Pending.First) {
        struct ntdll_pending *One = Pending.First;

        Pending.First = One->Next;
        atomic_fetch_sub(&NtdllPendingCount, 1);
        give_up(One);
        free(One);
    }
    host_lock_release(&Pending.Lock);
}

void ntdll_pending_add(struct ntdll_pending *One)
{
    host_lock_acquire(&Pending.Lock);
    One->Next = Pending.First;
    Pending.First = One;
    atomic_fetch_add(&NtdllPendingCount, 1);
    if (!Pending.Poller)
        Pending.Poller = host_thread_start_detached("nt-pending", poll, NULL) == 0;
    host_lock_release(&Pending.Lock);
    if (Ntdll.Gone)
        ntdll_pending_kernel_gone();
}

void *ntdll_pending_staged(const void *User)
{
    void *Found = (void *)User;

    host_lock_acquire(&Pending.Lock);
    for (struct ntdll_pending *One = Pending.First; One; One = One->Next)
        if (One->User == User && !One->Settled)
            Found = One->Staged;
    host_lock_release(&Pending.Lock);
    return Found;
}

uint64_t ntdll_pending_user(uint64_t Staged)
{
    host_lock_acquire(&Pending.Lock);
    for (struct ntdll_pending *One = Pending.First; One; One = One->Next)
        if ((uint64_t)One->Staged == Staged && One->Apc) {
            One->Apc = 0;
            Staged = (uint64_t)One->User;
            break;
        }
    host_lock_release(&Pending.Lock);
    return Staged;
}

void ntdll_pending_forget_all(void)
{
    Pending.Lock.word = 0;
    Pending.First = NULL;
    Pending.Poller = 0;
    atomic_store(&NtdllPendingCount, 0);
}
