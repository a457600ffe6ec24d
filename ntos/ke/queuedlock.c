/*
 * In-stack queued spin locks: first come, first served.
 *
 * The lock word is the last handle in the queue. A handle that waits has bit 0 set in its Lock; its
 * predecessor clears it. The processor remembers which locks it holds, so that a recursive
 * acquisition is a bug check, not a hang.
 */
#include "ke/ki.h"

#define KI_WAITING ((ULONG_PTR)1)

static BOOLEAN KiHolds(KPRCB *Prcb, PKSPIN_LOCK Lock)
{
    for (ULONG i = 0; i < Prcb->QueuedLockCount && i < KI_QUEUED_LOCKS; i++)
        if (Prcb->QueuedLocks[i] == Lock)
            return TRUE;
    return FALSE;
}

static void KiRemember(KPRCB *Prcb, PKSPIN_LOCK Lock)
{
    if (Prcb->QueuedLockCount < KI_QUEUED_LOCKS)
        Prcb->QueuedLocks[Prcb->QueuedLockCount] = Lock;
    Prcb->QueuedLockCount++;
}

static void KiForget(KPRCB *Prcb, PKSPIN_LOCK Lock)
{
    ULONG Count = Prcb->QueuedLockCount;

    Prcb->QueuedLockCount--;
    for (ULONG i = Count < KI_QUEUED_LOCKS ? Count : KI_QUEUED_LOCKS; i-- > 0;)
        if (Prcb->QueuedLocks[i] == Lock) {
            if (Count <= KI_QUEUED_LOCKS)
                Prcb->QueuedLocks[i] = Prcb->QueuedLocks[Count - 1];
            else
                Prcb->QueuedLocks[i] = NULL;
            return;
        }
}

static void KiCheckAcquire(KPRCB *Prcb, PKSPIN_LOCK Lock)
{
    if (KiHolds(Prcb, Lock))
        VfBugCheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)Lock, 0, 0, 0,
                   "in-stack queued spin lock %p is already held on this processor", (void *)Lock);
    if (__atomic_load_n(Lock, __ATOMIC_RELAXED) & 1)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1008, (ULONG_PTR)Lock, 0, 0,
                   "lock %p is held as an ordinary spin lock", (void *)Lock);
}

static void KiAwaitTurn(PKLOCK_QUEUE_HANDLE Handle, ULONG_PTR Before)
{
    PKLOCK_QUEUE_HANDLE Predecessor = (PKLOCK_QUEUE_HANDLE)Before;

    __atomic_store_n(&Predecessor->LockQueue.Next, &Handle->LockQueue, __ATOMIC_RELEASE);
    for (ULONG Spins = 0;
         (ULONG_PTR)__atomic_load_n(&Handle->LockQueue.Lock, __ATOMIC_ACQUIRE) & KI_WAITING;
         Spins++) {
        KiPollIpi();
        KiScheduler->Relax(Spins);
    }
}

static void KiAcquireQueued(PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle)
{
    KPRCB *Prcb = KiSelf->Prcb;
    ULONG_PTR Before;

    if (__builtin_expect(__atomic_load_n(Lock, __ATOMIC_RELAXED) != 0, 0))
        KiCheckAcquire(Prcb, Lock);
    Handle->LockQueue.Next = NULL;
    Handle->LockQueue.Lock = (PKSPIN_LOCK)((ULONG_PTR)Lock | KI_WAITING);
    Before = __atomic_exchange_n(Lock, (ULONG_PTR)Handle, __ATOMIC_ACQ_REL);
    if (Before)
        KiAwaitTurn(Handle, Before);
    Handle->LockQueue.Lock = Lock;
    KiRemember(Prcb, Lock);
}

static void KiReleaseQueued(PKLOCK_QUEUE_HANDLE Handle)
{
    PKSPIN_LOCK Lock = Handle->LockQueue.Lock;
    KPRCB *Prcb = KiSelf->Prcb;
    PKSPIN_LOCK_QUEUE Next;
    ULONG_PTR Self = (ULONG_PTR)Handle;

    if (!KiHolds(Prcb, Lock) && Prcb->QueuedLockCount <= KI_QUEUED_LOCKS)
        VfBugCheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)Lock, 0, 0, 0,
                   "in-stack queued spin lock %p is not held on this processor", (void *)Lock);
    KiForget(Prcb, Lock);
    if (__atomic_compare_exchange_n(Lock, &Self, 0, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return;
    for (ULONG Spins = 0; !(Next = __atomic_load_n(&Handle->LockQueue.Next, __ATOMIC_ACQUIRE));
         Spins++)
        KiScheduler->Relax(Spins);
    __atomic_store_n(&Next->Lock, Lock, __ATOMIC_RELEASE);
}

/* IRQL <= DISPATCH_LEVEL (above: 0xC4/42); returns at DISPATCH_LEVEL. The handle is the caller's,
 * one for each acquisition. Doc: wdm/nf-wdm-keacquireinstackqueuedspinlock */
VOID FASTCALL KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    if (__builtin_expect(KiIrql() > DISPATCH_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x42, KiIrql(), (ULONG_PTR)SpinLock, 0,
                   "KeAcquireInStackQueuedSpinLock at IRQL %u", KiIrql());
    LockHandle->OldIrql = KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireQueued(SpinLock, LockHandle);
}

/* At DISPATCH_LEVEL (else 0xC4/36). Doc: wdm/nf-wdm-kereleaseinstackqueuedspinlock */
VOID FASTCALL KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    if (__builtin_expect(KiIrql() != DISPATCH_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x36, KiIrql(),
                   (ULONG_PTR)LockHandle->LockQueue.Lock, LockHandle->OldIrql,
                   "KeReleaseInStackQueuedSpinLock at IRQL %u", KiIrql());
    KiReleaseQueued(LockHandle);
    KeLowerIrql(LockHandle->OldIrql);
}

/* IRQL >= DISPATCH_LEVEL (below: 0xC4/40). Doc: wdm/nf-wdm-keacquireinstackqueuedspinlockatdpclevel
 */
VOID FASTCALL KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
                                                       PKLOCK_QUEUE_HANDLE LockHandle)
{
    if (__builtin_expect(KiIrql() < DISPATCH_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40, KiIrql(), (ULONG_PTR)SpinLock, 0,
                   "KeAcquireInStackQueuedSpinLockAtDpcLevel at IRQL %u", KiIrql());
    KiAcquireQueued(SpinLock, LockHandle);
}

/* IRQL >= DISPATCH_LEVEL (below: 0xC4/41). Doc:
 * wdm/nf-wdm-kereleaseinstackqueuedspinlockfromdpclevel */
VOID FASTCALL KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    if (__builtin_expect(KiIrql() < DISPATCH_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x41, KiIrql(),
                   (ULONG_PTR)LockHandle->LockQueue.Lock, 0,
                   "KeReleaseInStackQueuedSpinLockFromDpcLevel at IRQL %u", KiIrql());
    KiReleaseQueued(LockHandle);
}

/* In a DPC routine, threaded or not. Doc: wdm/nf-wdm-keacquireinstackqueuedspinlockfordpc */
VOID FASTCALL KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock,
                                                   PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->OldIrql = KiIrql();
    if (LockHandle->OldIrql < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    KiAcquireQueued(SpinLock, LockHandle);
}

/* Ends KeAcquireInStackQueuedSpinLockForDpc. Doc: wdm/nf-wdm-kereleaseinstackqueuedspinlockfordpc
 */
VOID FASTCALL KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle);
    if (LockHandle->OldIrql < DISPATCH_LEVEL)
        KeLowerIrql(LockHandle->OldIrql);
}
