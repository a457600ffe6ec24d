/*
 * FAST_MUTEX and KGUARDED_MUTEX: a word and a synchronisation event.
 *
 * The mutex belongs to whoever takes it first, not to who has waited longest: were it handed to a
 * thread that sleeps, all others would have to wait until Linux has woken that one. So a thread
 * that finds it held spins for about as long as going to sleep takes; and one that was woken tries
 * like everybody else. Only one is woken at a time.
 */
#include "ex/exp.h"

_Static_assert(FIELD_OFFSET(FAST_MUTEX, OldIrql) == 48 && sizeof(FAST_MUTEX) == 56,
               "layout of x64");
_Static_assert(sizeof(KGUARDED_MUTEX) == 56 && sizeof(KGATE) == sizeof(KEVENT), "layout of x64");

typedef struct EXP_MUTEX {
    volatile LONG Count;
    PKTHREAD Owner;
    ULONG Contention;
    KEVENT Event;
} EXP_MUTEX;
_Static_assert(FIELD_OFFSET(EXP_MUTEX, Event) == FIELD_OFFSET(FAST_MUTEX, Event),
               "one prefix for both");
_Static_assert(FIELD_OFFSET(EXP_MUTEX, Event) == FIELD_OFFSET(KGUARDED_MUTEX, Gate),
               "one prefix for both");

/* Count: whether it is free, whether a waiter was woken and has not tried yet, and the waiters. A
 * mutex that is free and for which nobody waits is 1, as ExInitializeFastMutex leaves it. */
#define EXP_FREE 1
#define EXP_WOKEN 2
#define EXP_WAITER 4
#define EXP_SPINS 200 /* some microseconds */

static BOOLEAN ExpChange(EXP_MUTEX *Mutex, LONG *Count, LONG New)
{
    return __atomic_compare_exchange_n(&Mutex->Count, Count, New, FALSE, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

static BOOLEAN ExpTryTake(EXP_MUTEX *Mutex)
{
    LONG Count = __atomic_load_n(&Mutex->Count, __ATOMIC_RELAXED);

    while (Count & EXP_FREE)
        if (ExpChange(Mutex, &Count, Count - EXP_FREE))
            return TRUE;
    return FALSE;
}

static BOOLEAN ExpSpin(EXP_MUTEX *Mutex)
{
    for (ULONG Spins = 0; Spins < EXP_SPINS; Spins++) {
        if (ExpTryTake(Mutex))
            return TRUE;
        KiScheduler->Relax(0);
    }
    return FALSE;
}

/* FALSE: it has become free, and is taken. */
static BOOLEAN ExpJoinWaiters(EXP_MUTEX *Mutex)
{
    LONG Count = __atomic_load_n(&Mutex->Count, __ATOMIC_RELAXED);

    while (!ExpChange(Mutex, &Count, Count & EXP_FREE ? Count - EXP_FREE : Count + EXP_WAITER))
        ;
    return !(Count & EXP_FREE);
}

/* By the one that was woken. FALSE: it is held again, and whoever holds it now will wake somebody
 * when he releases it. In one step: were EXP_WOKEN taken back first, that one might set it and the
 * event, and this thread take the mutex, and free its memory, without having waited for the event.
 */
static BOOLEAN ExpTakeWoken(EXP_MUTEX *Mutex)
{
    LONG Count = __atomic_load_n(&Mutex->Count, __ATOMIC_RELAXED);

    while (!ExpChange(Mutex, &Count,
                      Count - EXP_WOKEN - (Count & EXP_FREE ? EXP_FREE + EXP_WAITER : 0)))
        ;
    return (Count & EXP_FREE) != 0;
}

static VOID ExpAcquireSlowly(EXP_MUTEX *Mutex)
{
    __atomic_add_fetch(&Mutex->Contention, 1, __ATOMIC_RELAXED);
    if (ExpSpin(Mutex) || !ExpJoinWaiters(Mutex))
        return;
    do
        KeWaitForSingleObject(&Mutex->Event, Executive, KernelMode, FALSE, NULL);
    while (!ExpTakeWoken(Mutex));
}

static VOID ExpAcquireMutex(EXP_MUTEX *Mutex)
{
    PKTHREAD Owner = __atomic_load_n(&Mutex->Owner, __ATOMIC_RELAXED);
    LONG Free = EXP_FREE;

    if (Owner != NULL && Owner == KiSelf)
        VfBugCheck(EXP_C4, 0x1000, (ULONG_PTR)Mutex, (ULONG_PTR)Owner, 0,
                   "the thread waits for a mutex that it holds itself");
    if (!ExpChange(Mutex, &Free, 0))
        ExpAcquireSlowly(Mutex);
    __atomic_store_n(&Mutex->Owner, KiSelf, __ATOMIC_RELAXED);
}

static BOOLEAN ExpTryAcquireMutex(EXP_MUTEX *Mutex)
{
    if (!ExpTryTake(Mutex))
        return FALSE;
    __atomic_store_n(&Mutex->Owner, KiSelf, __ATOMIC_RELAXED);
    return TRUE;
}

/* Once it is free the mutex is not touched again, since the next holder may free its memory; unless
 * a thread waits for the event that is about to be set, which keeps it. */
static VOID ExpReleaseMutex(EXP_MUTEX *Mutex)
{
    PKTHREAD Owner = __atomic_load_n(&Mutex->Owner, __ATOMIC_RELAXED);
    LONG Count = 0;
    BOOLEAN Wakes = FALSE;

    if (Owner != KiSelf)
        VfBugCheck(EXP_C4, 0x1004, (ULONG_PTR)Mutex, (ULONG_PTR)KiSelf, (ULONG_PTR)Owner,
                   "a mutex is released by a thread that does not hold it");
    __atomic_store_n(&Mutex->Owner, NULL, __ATOMIC_RELAXED);
    while (!ExpChange(Mutex, &Count, (Wakes ? Count | EXP_WOKEN : Count) + EXP_FREE))
        Wakes = Count >= EXP_WAITER && !(Count & EXP_WOKEN);
    if (Wakes)
        KeSetEvent(&Mutex->Event, IO_NO_INCREMENT, FALSE);
}

/* Waits for the mutex and leaves the caller at APC_LEVEL. IRQL <= APC_LEVEL. Not recursive:
 * 0xC4/1000. Doc: wdm/nf-wdm-exacquirefastmutex */
VOID FASTCALL ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    VF_IRQL_MAX(APC_LEVEL);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    ExpAcquireMutex((EXP_MUTEX *)FastMutex);
    FastMutex->OldIrql = OldIrql;
}

/* Takes the mutex if it is free; then the caller is at APC_LEVEL. Doc:
 * wdm/nf-wdm-extrytoacquirefastmutex */
BOOLEAN FASTCALL ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    VF_IRQL_MAX(APC_LEVEL);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    if (!ExpTryAcquireMutex((EXP_MUTEX *)FastMutex)) {
        KeLowerIrql(OldIrql);
        return FALSE;
    }
    FastMutex->OldIrql = OldIrql;
    return TRUE;
}

/* By the holder, at APC_LEVEL (else 0xC4/34); restores the IRQL of before. Doc:
 * wdm/nf-wdm-exreleasefastmutex */
VOID FASTCALL ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    if (KeGetCurrentIrql() != APC_LEVEL)
        VfBugCheck(EXP_C4, 0x34, KeGetCurrentIrql(), (ULONG_PTR)FastMutex, 0,
                   "ExReleaseFastMutex must be called at APC_LEVEL");
    OldIrql = (KIRQL)FastMutex->OldIrql;
    ExpReleaseMutex((EXP_MUTEX *)FastMutex);
    KeLowerIrql(OldIrql);
}

static inline VOID ExpCheckUnsafe(ULONG Subcode, PFAST_MUTEX FastMutex)
{
    const struct _KTHREAD *Self = KiSelf;

    if (__builtin_expect(Self != NULL && Self->Irql < APC_LEVEL && !Self->KernelApcDisable &&
                             !Self->SpecialApcDisable,
                         0))
        VfBugCheck(EXP_C4, Subcode, Self->Irql, 0, (ULONG_PTR)FastMutex,
                   "an unsafe fast mutex needs normal kernel APCs disabled");
}

/* As ExAcquireFastMutex for a caller at APC_LEVEL or in a critical region (else 0xC4/39). Doc:
 * wdm/nf-wdm-exacquirefastmutexunsafe */
VOID FASTCALL ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpCheckUnsafe(0x39, FastMutex);
    ExpAcquireMutex((EXP_MUTEX *)FastMutex);
}

/* Doc: wdm/nf-wdm-exreleasefastmutexunsafe; 0xC4/3A with APCs enabled. */
VOID FASTCALL ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpCheckUnsafe(0x3A, FastMutex);
    ExpReleaseMutex((EXP_MUTEX *)FastMutex);
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-keinitializeguardedmutex */
VOID FASTCALL KeInitializeGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    RtlZeroMemory(GuardedMutex, sizeof(*GuardedMutex));
    GuardedMutex->Count = 1;
    KeInitializeEvent((PKEVENT)&GuardedMutex->Gate, SynchronizationEvent, FALSE);
}

/* Enters a guarded region and waits. IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-keacquireguardedmutex */
VOID FASTCALL KeAcquireGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    KeEnterGuardedRegion();
    ExpAcquireMutex((EXP_MUTEX *)GuardedMutex);
}

/* Doc: wdm/nf-wdm-ketrytoacquireguardedmutex */
BOOLEAN FASTCALL KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    KeEnterGuardedRegion();
    if (ExpTryAcquireMutex((EXP_MUTEX *)GuardedMutex))
        return TRUE;
    KeLeaveGuardedRegion();
    return FALSE;
}

/* By the holder; leaves the guarded region. Doc: wdm/nf-wdm-kereleaseguardedmutex */
VOID FASTCALL KeReleaseGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpReleaseMutex((EXP_MUTEX *)GuardedMutex);
    KeLeaveGuardedRegion();
}

/* For callers with all APCs disabled already. Doc: wdm/nf-wdm-keacquireguardedmutexunsafe */
VOID FASTCALL KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpAcquireMutex((EXP_MUTEX *)GuardedMutex);
}

/* Doc: wdm/nf-wdm-kereleaseguardedmutexunsafe */
VOID FASTCALL KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX GuardedMutex)
{
    VF_IRQL_MAX(APC_LEVEL);
    ExpReleaseMutex((EXP_MUTEX *)GuardedMutex);
}
