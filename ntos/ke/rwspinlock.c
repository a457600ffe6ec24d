/*
 * Reader-writer spin locks (EX_SPIN_LOCK).
 *
 * The word: bit 31 held exclusively, bit 30 a writer waits (readers stand back), the rest the count
 * of readers, or the writer's processor and 1 while it is held exclusively.
 */
#include "ke/ki.h"

#define KI_WRITER 0x80000000u
#define KI_WRITER_WAITS 0x40000000u
#define KI_COUNT 0x3fffffffu

static ULONG KiLoad(PEX_SPIN_LOCK Lock)
{
    return (ULONG)__atomic_load_n(Lock, __ATOMIC_RELAXED);
}

static BOOLEAN KiSwap(PEX_SPIN_LOCK Lock, ULONG Old, ULONG New)
{
    LONG Expected = (LONG)Old;

    return __atomic_compare_exchange_n(Lock, &Expected, (LONG)New, FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static ULONG KiWriterWord(void)
{
    return KI_WRITER | (KiSelf->Prcb->Number + 1);
}

static void KiCheckIrql(BOOLEAN Good, ULONG Rule, PEX_SPIN_LOCK Lock, const char *Routine)
{
    if (__builtin_expect(!Good, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Rule, KiIrql(), (ULONG_PTR)Lock, 0,
                   "%s at IRQL %u", Routine, KiIrql());
}

static void KiCheckNotWriter(PEX_SPIN_LOCK Lock, ULONG Word)
{
    if ((Word & KI_WRITER) && (Word | KI_WRITER_WAITS) == (KiWriterWord() | KI_WRITER_WAITS))
        VfBugCheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)Lock, 0, 0, 0,
                   "spin lock %p is already held exclusively by this thread", (void *)Lock);
}

static BOOLEAN KiTryShared(PEX_SPIN_LOCK Lock)
{
    ULONG Word = KiLoad(Lock);

    return !(Word & (KI_WRITER | KI_WRITER_WAITS)) && KiSwap(Lock, Word, Word + 1);
}

static void KiAcquireShared(PEX_SPIN_LOCK Lock)
{
    for (ULONG Spins = 0; !KiTryShared(Lock); Spins++) {
        KiCheckNotWriter(Lock, KiLoad(Lock));
        KiPollIpi();
        KiScheduler->Relax(Spins);
    }
}

static void KiAcquireExclusive(PEX_SPIN_LOCK Lock)
{
    ULONG Mine = KiWriterWord();

    for (ULONG Spins = 0;; Spins++) {
        ULONG Word = KiLoad(Lock);

        if (!(Word & ~KI_WRITER_WAITS) && KiSwap(Lock, Word, Mine))
            return;
        KiCheckNotWriter(Lock, Word);
        if (!(Word & KI_WRITER_WAITS) && Word)
            KiSwap(Lock, Word, Word | KI_WRITER_WAITS);
        KiPollIpi();
        KiScheduler->Relax(Spins);
    }
}

static void KiReleaseShared(PEX_SPIN_LOCK Lock)
{
    ULONG Word = KiLoad(Lock);

    if ((Word & KI_WRITER) || !(Word & KI_COUNT))
        VfBugCheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)Lock, Word, 0, 0,
                   "spin lock %p is not held shared", (void *)Lock);
    __atomic_fetch_sub(Lock, 1, __ATOMIC_RELEASE);
}

static void KiReleaseExclusive(PEX_SPIN_LOCK Lock)
{
    ULONG Word = KiLoad(Lock);

    if ((Word & ~KI_WRITER_WAITS) != (KiWriterWord() & ~KI_WRITER_WAITS))
        VfBugCheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)Lock, Word, 0, 0,
                   "spin lock %p is not held exclusively by this thread", (void *)Lock);
    __atomic_fetch_and(Lock, (LONG)KI_WRITER_WAITS, __ATOMIC_RELEASE);
}

/* IRQL <= DISPATCH_LEVEL; returns at DISPATCH_LEVEL, and what to lower to. Many readers hold it at
 * once; a waiting writer keeps new ones out. Doc: wdm/nf-wdm-exacquirespinlockshared */
KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    KIRQL Old;

    KiCheckIrql(KiIrql() <= DISPATCH_LEVEL, 0x42, SpinLock, "ExAcquireSpinLockShared");
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireShared(SpinLock);
    return Old;
}

/* IRQL >= DISPATCH_LEVEL. Doc: wdm/nf-wdm-exacquirespinlocksharedatdpclevel */
VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock, "ExAcquireSpinLockSharedAtDpcLevel");
    KiAcquireShared(SpinLock);
}

/* At DISPATCH_LEVEL; releases and lowers. Doc: wdm/nf-wdm-exreleasespinlockshared */
VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KiCheckIrql(KiIrql() == DISPATCH_LEVEL, 0x32, SpinLock, "ExReleaseSpinLockShared");
    KiReleaseShared(SpinLock);
    KeLowerIrql(OldIrql);
}

/* IRQL >= DISPATCH_LEVEL. Doc: wdm/nf-wdm-exreleasespinlocksharedfromdpclevel */
VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x41, SpinLock, "ExReleaseSpinLockSharedFromDpcLevel");
    KiReleaseShared(SpinLock);
}

/* IRQL <= DISPATCH_LEVEL; returns at DISPATCH_LEVEL. A second acquisition by the writer is bug
 * check 0x0F. Doc: wdm/nf-wdm-exacquirespinlockexclusive */
KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    KIRQL Old;

    KiCheckIrql(KiIrql() <= DISPATCH_LEVEL, 0x42, SpinLock, "ExAcquireSpinLockExclusive");
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireExclusive(SpinLock);
    return Old;
}

/* IRQL >= DISPATCH_LEVEL. Doc: wdm/nf-wdm-exacquirespinlockexclusiveatdpclevel */
VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock, "ExAcquireSpinLockExclusiveAtDpcLevel");
    KiAcquireExclusive(SpinLock);
}

/* At DISPATCH_LEVEL; releases and lowers. Doc: wdm/nf-wdm-exreleasespinlockexclusive */
VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KiCheckIrql(KiIrql() == DISPATCH_LEVEL, 0x32, SpinLock, "ExReleaseSpinLockExclusive");
    KiReleaseExclusive(SpinLock);
    KeLowerIrql(OldIrql);
}

/* IRQL >= DISPATCH_LEVEL. Doc: wdm/nf-wdm-exreleasespinlockexclusivefromdpclevel */
VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x41, SpinLock,
                "ExReleaseSpinLockExclusiveFromDpcLevel");
    KiReleaseExclusive(SpinLock);
}

/* IRQL >= DISPATCH_LEVEL, held shared. Nonzero: now held exclusively; zero: there are other
 * readers, and it is still held shared. Doc: wdm/nf-wdm-extryconvertsharedspinlockexclusive */
LOGICAL ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    ULONG Word = KiLoad(SpinLock);

    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock, "ExTryConvertSharedSpinLockExclusive");
    if ((Word & ~KI_WRITER_WAITS) != 1)
        return FALSE;
    return KiSwap(SpinLock, Word, KiWriterWord() | (Word & KI_WRITER_WAITS));
}

/* IRQL >= DISPATCH_LEVEL; never waits. Doc: wdm/nf-wdm-extryacquirespinlocksharedatdpclevel */
LOGICAL ExTryAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock, "ExTryAcquireSpinLockSharedAtDpcLevel");
    return KiTryShared(SpinLock);
}

/* IRQL >= DISPATCH_LEVEL; never waits. Doc: wdm/nf-wdm-extryacquirespinlockexclusiveatdpclevel */
LOGICAL ExTryAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    ULONG Word = KiLoad(SpinLock);

    KiCheckIrql(KiIrql() >= DISPATCH_LEVEL, 0x40, SpinLock,
                "ExTryAcquireSpinLockExclusiveAtDpcLevel");
    return !(Word & ~KI_WRITER_WAITS) && KiSwap(SpinLock, Word, KiWriterWord());
}
