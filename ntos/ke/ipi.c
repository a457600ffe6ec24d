/*
 * A call on all processors at once.
 *
 * The source marks every other processor and rings its DPC thread. A processor answers when its
 * owner lowers below DISPATCH_LEVEL, or spins for a lock, or else by its DPC thread. All meet at a
 * barrier, call, and meet again.
 */
#include "ke/ki.h"

static struct {
    KSPIN_LOCK Lock; /* one call at a time */
    PKIPI_BROADCAST_WORKER Function;
    ULONG_PTR Context;
    atomic_uint Arrived, Done;
} KiIpi;

static void KiAwaitAll(atomic_uint *Count)
{
    for (ULONG Spins = 0; atomic_load_explicit(Count, memory_order_acquire) < KiState.Count;
         Spins++)
        KiScheduler->Relax(Spins);
}

static ULONG_PTR KiTakePart(KTHREAD_NT *Thread)
{
    KIRQL Old = Thread->Irql;
    ULONG_PTR Result;

    KiSetIrql(Thread, IPI_LEVEL);
    atomic_fetch_add_explicit(&KiIpi.Arrived, 1, memory_order_acq_rel);
    KiAwaitAll(&KiIpi.Arrived);
    Result = NT_CALL(KiIpi.Function, KiIpi.Context);
    atomic_fetch_add_explicit(&KiIpi.Done, 1, memory_order_acq_rel);
    KiSetIrql(Thread, Old);
    return Result;
}

void KiAnswerIpi(KTHREAD_NT *Thread)
{
    KPRCB *Prcb = Thread->Prcb;

    if (!atomic_exchange_explicit(&Prcb->IpiPending, 0, memory_order_acquire))
        return;
    atomic_fetch_sub_explicit(&Prcb->DpcCount, 1, memory_order_relaxed);
    KiCount(&Prcb->Interrupts);
    KiTakePart(Thread);
}

static void KiSendIpi(KPRCB *Prcb)
{
    atomic_fetch_add_explicit(&Prcb->DpcCount, 1, memory_order_relaxed);
    atomic_store_explicit(&Prcb->IpiPending, 1, memory_order_release);
    KiScheduler->Unpark(Prcb->DpcThread);
}

static BOOLEAN KiTryIpiLock(void)
{
    ULONG_PTR Free = 0;

    return __atomic_compare_exchange_n(&KiIpi.Lock, &Free, 1, FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* IRQL < IPI_LEVEL. The routine runs at IPI_LEVEL on every processor; all begin together, and all
 * have returned when this does. What it returned on this processor. Doc:
 * wdm/nf-wdm-keipigenericcall */
ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER BroadcastFunction, ULONG_PTR Context)
{
    KTHREAD_NT *Thread = KiSelf;
    KIRQL Old = KiIrql();
    ULONG_PTR Result;

    VF_IRQL_MAX(IPI_LEVEL - 1);
    if (Old < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    for (ULONG Spins = 0; !KiTryIpiLock(); Spins++) {
        KiAnswerIpi(Thread);
        KiScheduler->Relax(Spins);
    }
    KiIpi.Function = BroadcastFunction;
    KiIpi.Context = Context;
    atomic_store_explicit(&KiIpi.Arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&KiIpi.Done, 0, memory_order_relaxed);
    for (ULONG i = 0; i < KiState.Count; i++)
        if (&KiState.Prcbs[i] != Thread->Prcb)
            KiSendIpi(&KiState.Prcbs[i]);
    Result = KiTakePart(Thread);
    KiAwaitAll(&KiIpi.Done);
    KiUnlock(&KiIpi.Lock);
    if (Old < DISPATCH_LEVEL)
        KeLowerIrql(Old);
    return Result;
}
