/*
 * Spin locks.
 *
 * A word holds its owner: the thread's address with bit 0 set. In-stack queued locks hold the
 * address of the last handle in the queue instead, so that a mix-up of the two kinds is seen. Who
 * waits owns a processor, so waiters are few; they spin, then give the CPU away, because the
 * owner's Linux thread may have been preempted.
 */
#include "ke/ki.h"

static ULONG_PTR KiOwnerWord(void)
{
    return (ULONG_PTR)KiSelf | 1;
}

void KiLockSlow(KSPIN_LOCK *Lock)
{
    ULONG_PTR Free;

    for (ULONG Spins = 0;; Spins++) {
        KiScheduler->Relax(Spins);
        Free = 0;
        if (__atomic_load_n(Lock, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(Lock, &Free, 1, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
    }
}

static BOOLEAN KiTrySpinLock(KSPIN_LOCK *Lock, ULONG_PTR Self)
{
    ULONG_PTR Free = 0;

    return __atomic_compare_exchange_n(Lock, &Free, Self, FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void KiSpin(KSPIN_LOCK *Lock, ULONG_PTR Self)
{
    for (ULONG Spins = 0;; Spins++) {
        ULONG_PTR Word = __atomic_load_n(Lock, __ATOMIC_RELAXED);

        if (Word == Self)
            VfBugCheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)Lock, 0, 0, 0,
                       "spin lock %p is already held by this thread", (void *)Lock);
        if (Word && !(Word & 1))
            VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1008, (ULONG_PTR)Lock, 0, 0,
                       "lock %p is used as an in-stack queued spin lock", (void *)Lock);
        if (!Word && KiTrySpinLock(Lock, Self))
            return;
        KiPollIpi();
        KiScheduler->Relax(Spins);
    }
}

static inline void KiAcquireSpinLock(KSPIN_LOCK *Lock)
{
    ULONG_PTR Self = KiOwnerWord();

    if (!KiTrySpinLock(Lock, Self))
        KiSpin(Lock, Self);
}

static inline void KiReleaseSpinLock(KSPIN_LOCK *Lock)
{
    ULONG_PTR Word = __atomic_load_n(Lock, __ATOMIC_RELAXED);

    if (__builtin_expect(Word != KiOwnerWord(), 0))
        VfBugCheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)Lock, Word, 0, 0,
                   "spin lock %p is not held by this thread", (void *)Lock);
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
}

static inline void KiCheckSpinLockIrql(BOOLEAN Good, ULONG Rule, PKSPIN_LOCK SpinLock,
                                       const char *Routine)
{
    if (__builtin_expect(!Good, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Rule, KiIrql(), (ULONG_PTR)SpinLock, 0,
                   "%s at IRQL %u", Routine, KiIrql());
}

/* IRQL <= DISPATCH_LEVEL (above: 0xC4/42); returns at DISPATCH_LEVEL with the lock held, and what
 * to lower to. A lock that this thread holds is bug check 0x0F. Doc:
 * wdm/nf-wdm-keacquirespinlockraisetodpc */
KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL Old;

    KiCheckSpinLockIrql(KiIrql() <= DISPATCH_LEVEL, 0x42, SpinLock, "KeAcquireSpinLock");
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireSpinLock(SpinLock);
    return Old;
}

/* The same, to the level above all driver interrupts but the clock's. */
KIRQL KeAcquireSpinLockRaiseToSynch(PKSPIN_LOCK SpinLock)
{
    KIRQL Old = KfRaiseIrql(KI_SYNCH_LEVEL);

    KiAcquireSpinLock(SpinLock);
    return Old;
}

/* At DISPATCH_LEVEL exactly (else 0xC4/32); releases and lowers. A lock this thread does not hold
 * is bug check 0x10. Doc: wdm/nf-wdm-kereleasespinlock~r1 */
VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    KiCheckSpinLockIrql(KiIrql() == DISPATCH_LEVEL || KiIrql() == KI_SYNCH_LEVEL, 0x32, SpinLock,
                        "KeReleaseSpinLock");
    KiReleaseSpinLock(SpinLock);
    KeLowerIrql(NewIrql);
}

/* IRQL >= DISPATCH_LEVEL (below: 0xC4/40). Doc: wdm/nf-wdm-keacquirespinlockatdpclevel~r1 */
VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiCheckSpinLockIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock, "KeAcquireSpinLockAtDpcLevel");
    KiAcquireSpinLock(SpinLock);
}

/* IRQL >= DISPATCH_LEVEL (below: 0xC4/41). Doc: wdm/nf-wdm-kereleasespinlockfromdpclevel~r1 */
VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiCheckSpinLockIrql(KiIrql() >= DISPATCH_LEVEL, 0x41, SpinLock,
                        "KeReleaseSpinLockFromDpcLevel");
    KiReleaseSpinLock(SpinLock);
}

/* IRQL >= DISPATCH_LEVEL. FALSE if anyone holds it. Doc:
 * wdm/nf-wdm-ketrytoacquirespinlockatdpclevel */
BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiCheckSpinLockIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock,
                        "KeTryToAcquireSpinLockAtDpcLevel");
    return KiTrySpinLock(SpinLock, KiOwnerWord());
}

/* Any IRQL. TRUE if nobody holds it at this moment. Doc: wdm/nf-wdm-ketestspinlock */
BOOLEAN FASTCALL KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    return __atomic_load_n(SpinLock, __ATOMIC_RELAXED) == 0;
}

/* In a DPC routine, threaded or not: raises to DISPATCH_LEVEL if need be. Doc:
 * wdm/nf-wdm-keacquirespinlockfordpc */
KIRQL FASTCALL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL Old = KiIrql();

    if (Old < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireSpinLock(SpinLock);
    return Old;
}

/* Ends KeAcquireSpinLockForDpc. Doc: wdm/nf-wdm-kereleasespinlockfordpc */
VOID FASTCALL KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KeReleaseSpinLockFromDpcLevel(SpinLock);
    if (OldIrql < DISPATCH_LEVEL)
        KeLowerIrql(OldIrql);
}
