/*
 * ke's own header: its state, its small lock, and what its files offer each other.
 *
 * The dispatcher lock guards every dispatcher object, every wait, the timer table, the APC queues
 * and the thread lists of processes. A processor's DpcLock guards its DPC queues and is taken
 * inside the dispatcher lock.
 */
#ifndef KI_H
#define KI_H

#include "ke/ke.h"
#include <stdlib.h>
#include <string.h>

/* Types in DISPATCHER_HEADER.Type. */
enum {
    KiNotificationEvent,
    KiSynchronizationEvent,
    KiMutant,
    KiProcess,
    KiQueue,
    KiSemaphore,
    KiThread,
    KiGate,
    KiNotificationTimer,
    KiSynchronizationTimer,
    KiObjectTypes
};

#define KI_MAXIMUM_PROCESSORS 64
#define KI_TICK 156250 /* 15.625 ms in units of 100 ns */
#define KI_SYNCH_LEVEL 12

typedef struct KI_STATE {
    ULONG Count;    /* of processors */
    ULONG NextHome; /* where the next thread is at home */
    KAFFINITY Active;
    KPRCB *Prcbs;
    KTHREAD_NT *ServiceThreads; /* DPC threads, threaded DPC threads, the clock: 2 * Count + 1 */
    KPROCESS_NT IdleProcess;
    KSPIN_LOCK DispatcherLock;
    LIST_ENTRY Waiting; /* threads whose wait blocks are queued */
} KI_STATE;
extern KI_STATE KiState;

/* A small lock for ke's own data: IRQL plays no part, and nothing is called out to under it. */
void KiLockSlow(KSPIN_LOCK *Lock);
static inline void KiLock(KSPIN_LOCK *Lock)
{
    ULONG_PTR Free = 0;

    if (!__atomic_compare_exchange_n(Lock, &Free, 1, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        KiLockSlow(Lock);
}
static inline void KiUnlock(KSPIN_LOCK *Lock)
{
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
}
static inline void KiLockDispatcher(void)
{
    KiLock(&KiState.DispatcherLock);
}

/* Threads made ready under the dispatcher lock, to be unparked after it. */
typedef struct KI_WAKES {
    KTHREAD_NT *First;   /* their waits have ended */
    KTHREAD_NT *Running; /* one that is in no wait of ke's, perhaps at its doorbell */
} KI_WAKES;
void KiUnlockAndWake(KI_WAKES *Wakes);
static inline void KiUnlockDispatcher(void)
{
    KiUnlock(&KiState.DispatcherLock);
}

/* wait.c, under the dispatcher lock. */
void KiSignal(DISPATCHER_HEADER *Header,
              KI_WAKES *Wakes); /* satisfies the waits that the object's state allows */
void KiUnwait(KTHREAD_NT *Thread, LONG_PTR Status, KI_WAKES *Wakes);
void KiNudge(KTHREAD_NT *Thread, KI_WAKES *Wakes); /* unparks a thread that is in no wait */
void KiQueuedBlocks(KTHREAD_NT *Thread);           /* its wait blocks have been queued */
void KiBlock(KTHREAD_NT *Thread); /* marks it waiting; the caller queues wait blocks */
LONG_PTR KiSleep(KTHREAD_NT *Thread,
                 ULONG64 Deadline); /* without the lock: until the wait has ended */
NTSTATUS KiTestAlert(KTHREAD_NT *Thread, KPROCESSOR_MODE Mode,
                     BOOLEAN Alertable); /* STATUS_SUCCESS: nothing */
void KiCheckWaitIrql(PVOID Object, PLARGE_INTEGER Timeout);
void KiBeginWaitNext(void); /* KeSetEvent(Wait = TRUE) and the like */
void KiEndWaitNext(void);
ULONG64 KiDeadline(PLARGE_INTEGER Timeout);
static inline void KiInitializeHeader(DISPATCHER_HEADER *Header, UCHAR Type, SIZE_T Bytes,
                                      LONG State)
{
    memset(Header, 0, FIELD_OFFSET(DISPATCHER_HEADER, SignalState));
    Header->Type = Type;
    Header->Size = (UCHAR)(Bytes / sizeof(ULONG));
    Header->SignalState = State;
    InitializeListHead(&Header->WaitListHead);
}
static inline LONG KiReadState(const DISPATCHER_HEADER *Header)
{
    return __atomic_load_n(&Header->SignalState, __ATOMIC_ACQUIRE);
}
static inline void KiSetState(DISPATCHER_HEADER *Header, LONG State)
{
    __atomic_store_n(&Header->SignalState, State, __ATOMIC_RELEASE);
}

/* queue.c, under the dispatcher lock: a worker of a KQUEUE blocks or goes on. */
void KiQueueThreadBlocks(KTHREAD_NT *Thread, KI_WAKES *Wakes);
void KiQueueThreadRuns(KTHREAD_NT *Thread);
void KiLeaveQueue(KTHREAD_NT *Thread, KI_WAKES *Wakes);

/* wait.c: those that KeHoldWakes has held until now. */
void KiWakeHeld(KTHREAD_NT *Thread);

/* mutex.c, under the dispatcher lock. */
BOOLEAN KiTakeMutant(KMUTANT *Mutant, KTHREAD_NT *Thread); /* TRUE: it had been abandoned */
void KiAbandonMutants(KTHREAD_NT *Thread, KI_WAKES *Wakes);

/* irql.c and processor.c */
void KiEnterProcessor(KTHREAD_NT *Thread);
void KiLeaveProcessor(KTHREAD_NT *Thread);
void KiForceIrql(KIRQL Irql); /* no checks: after an expected bug check */
void KiMoveTo(KTHREAD_NT *Thread, KPRCB *Prcb);
static inline void KiSetIrql(KTHREAD_NT *Thread, KIRQL Irql)
{
    Thread->Irql = Irql;
    Thread->Pcr.Pcr.Irql = Irql;
}
NTSTATUS KiStartProcessors(ULONG Count);
void KiStopProcessors(void);
static inline void KiCount(ULONG64 *Counter) /* by the owner of its processor; read by anyone */
{
    __atomic_store_n(Counter, *Counter + 1, __ATOMIC_RELAXED);
}

/* dpc.c: at DISPATCH_LEVEL on Prcb. */
void KiRunDpcs(KTHREAD_NT *Thread, KPRCB *Prcb);
BOOLEAN KiQueueDpc(KDPC *Dpc, PVOID Argument1, PVOID Argument2, KPRCB *Current);
void KiDpcThread(KTHREAD_NT *Thread);
void KiThreadedDpcThread(KTHREAD_NT *Thread);

void KiFlushDpcs(void); /* of ordinary DPCs; IRQL <= APC_LEVEL */

/* ipi.c: by the owner of the processor, while it spins or runs its queue. */
void KiAnswerIpi(KTHREAD_NT *Thread);
static inline void KiPollIpi(void)
{
    if (__builtin_expect(atomic_load_explicit(&KiSelf->Prcb->IpiPending, memory_order_relaxed), 0))
        KiAnswerIpi(KiSelf);
}

/* apc.c */
BOOLEAN KiApcDeliverable(KTHREAD_NT *Thread); /* under the dispatcher lock */
void KiInitializeApcState(KAPC_STATE_NT *State, KPROCESS_NT *Process);
static inline BOOLEAN KiApcPending(KTHREAD_NT *Thread)
{
    return __atomic_load_n(&Thread->ApcState.KernelApcPending, __ATOMIC_RELAXED);
}

/* timer.c and clock.c */
void KiInitializeTimers(void);
ULONG64 KiExpireTimers(ULONG64 Now, KPRCB *Prcb); /* at DISPATCH_LEVEL; the next deadline */
void KiShiftAbsoluteTimers(LONG64 Change);        /* the system time was set */
BOOLEAN KiFindDpcs(ULONG_PTR Low, ULONG_PTR High, PVOID (*Of)(KDPC *), PVOID *Object);
PVOID KiDpcItself(KDPC *Dpc);
PVOID KiDpcRoutine(KDPC *Dpc);
PVOID KiExTimerRoutine(KDPC *Dpc); /* NULL: not that of an EX_TIMER */
void KiWakeClock(void);
void KiClockThread(KTHREAD_NT *Thread);
NTSTATUS KiStartClock(KTHREAD_NT *Thread);
NTSTATUS KiMapSharedData(void);
void KiUnmapSharedData(void);
static inline ULONG64 KiNow(void)
{
    return KiScheduler->InterruptTime();
}

/* scheduler.c */
void KiResetScheduler(void); /* interrupt time zero is now */

/* thread.c */
static inline BOOLEAN KiStopping(KTHREAD_NT *Thread)
{
    return __atomic_load_n(&Thread->Terminating, __ATOMIC_ACQUIRE);
}
static inline void KiSetThreadState(KTHREAD_NT *Thread,
                                    UCHAR State) /* under the dispatcher lock; read without */
{
    __atomic_store_n(&Thread->State, State, __ATOMIC_RELEASE);
}
NTSTATUS KiStartServiceThread(KTHREAD_NT *Thread, void (*Entry)(KTHREAD_NT *), KPRCB *Prcb,
                              const char *Name);
void KiStopServiceThread(KTHREAD_NT *Thread);

/* KTHREAD.ParkWord: see scheduler.c. */
enum { KiNoToken, KiToken, KiAsleep };

#endif
