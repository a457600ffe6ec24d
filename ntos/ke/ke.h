/*
 * ke: processors, IRQL, dispatcher objects, waits, DPCs, timers, APCs, the clock.
 *
 * The documented routines have their DDK prototypes. This door adds what the executive's own rooms
 * need. Lock order: processor lock (IRQL) > any spin lock of a driver or room > dispatcher lock >
 * timer table > host. Nothing is called out to under the dispatcher lock.
 */
#ifndef KE_H
#define KE_H

#include "vf/vf.h"
#include <stdatomic.h>

/* Boot: `Processors` virtual processors, 0 for one a Linux CPU (at least 2). */
NTSTATUS KeInitSystem(ULONG Processors);
void KeShutdownSystem(void);

/* The scheduler: the only way down to Linux for waiting, time and threads. */
struct _KTHREAD;
typedef struct KI_SCHEDULER {
    /* Blocks the calling thread until KiUnpark or the deadline (interrupt time, 100 ns;
     * KI_FOREVER). Spurious returns allowed. */
    void (*Park)(struct _KTHREAD *Thread, ULONG64 Deadline);
    void (*Unpark)(struct _KTHREAD *Thread);
    NTSTATUS (*Spawn)(struct _KTHREAD *Thread, void (*Entry)(struct _KTHREAD *));
    void (*Join)(struct _KTHREAD *Thread);
    ULONG64 (*InterruptTime)(void); /* 100 ns since boot */
    ULONG64 (*SystemTime)(void);    /* 100 ns since 1601, UTC */
    void (*Relax)(ULONG Spins);     /* inside a spin loop */
} KI_SCHEDULER;
#define KI_FOREVER MAXULONG64
extern const KI_SCHEDULER *KiScheduler;
extern const KI_SCHEDULER KiThreadedScheduler;

/* A virtual processor. Its owner is the only thread that runs on it at DISPATCH_LEVEL or above. */
#define KI_QUEUED_LOCKS 16
typedef struct _KPRCB {
    atomic_uintptr_t Owner; /* the thread at DISPATCH_LEVEL or above on this processor, 0: idle */
    ULONG Number;
    BOOLEAN
    DpcRoutineActive; /* a DPC routine runs: its thread may not lower below DISPATCH_LEVEL */
    KSPIN_LOCK DpcLock;
    LIST_ENTRY DpcListHead, ThreadedDpcListHead;
    atomic_uint DpcCount, ThreadedDpcCount;
    atomic_uint IpiPending; /* counted in DpcCount too */
    PKDPC CurrentDpc;
    struct _KTHREAD *DpcThread;
    struct _KTHREAD *ThreadedDpcThread;
    PKSPIN_LOCK QueuedLocks[KI_QUEUED_LOCKS]; /* in-stack queued locks held on this processor */
    ULONG QueuedLockCount;
    ULONG64 Interrupts, DpcsRun, Dispatches;
    union _KGDTENTRY64 *Gdt; /* descriptors.c */
    struct _KTSS64 *Tss;
    union _KIDTENTRY64 *Idt;
} KPRCB;

/* What GS of an attached thread points at: the x64 KPCR and the first fields of its KPRCB, which
 * inlined code reads. One for each thread, so that no thread switch has to change GS. */
typedef struct KI_PCR {
    KPCR Pcr; /* Irql at gs:0x50 */
    UCHAR Pad[0x180 - sizeof(KPCR)];
    ULONG MxCsr; /* the KPRCB begins */
    UCHAR LegacyNumber, ReservedMustBeZero, InterruptRequest, IdleHalt;
    struct _KTHREAD *CurrentThread; /* gs:0x188 */
    struct _KTHREAD *NextThread, *IdleThread;
    UCHAR NestingLevel, ClockOwner, PendingTickFlags, IdleState;
    ULONG Number; /* gs:0x1A4 */
} KI_PCR;
_Static_assert(FIELD_OFFSET(KI_PCR, CurrentThread) == 0x188,
               "x64 code reads the current thread at gs:0x188");
_Static_assert(FIELD_OFFSET(KI_PCR, Number) == 0x1A4 && FIELD_OFFSET(KI_PCR, LegacyNumber) == 0x184,
               "and the processor's number at gs:0x1A4, older code at gs:0x184");

typedef struct _KAPC_STATE_NT {
    LIST_ENTRY ApcListHead[2]; /* kernel, user */
    struct _KPROCESS *Process;
    BOOLEAN KernelApcInProgress, KernelApcPending, UserApcPending;
} KAPC_STATE_NT;

typedef struct _KPROCESS {
    DISPATCHER_HEADER Header; /* signalled when the process has ended */
    LIST_ENTRY ThreadListHead;
    struct MM_ADDRESS_SPACE *AddressSpace; /* mm's */
    ULONG_PTR DirectoryTableBase;
    BOOLEAN Embedded; /* user memory is the host process's own */
    BOOLEAN HasBody;  /* ps: it is the head of an EPROCESS, and its threads are heads of ETHREADs */
} KPROCESS_NT;

enum { KiThreadInitialized, KiThreadRunning, KiThreadWaiting, KiThreadTerminated };
typedef struct _KTHREAD {
    DISPATCHER_HEADER Header; /* signalled when the thread has ended */
    KIRQL Irql;
    KPROCESSOR_MODE PreviousMode;
    BOOLEAN SystemThread, Alertable, ApcQueueable, Terminating;
    BOOLEAN Alerted[2];
    SHORT KernelApcDisable, SpecialApcDisable; /* negative: disabled */
    KPROCESSOR_MODE WaitMode;
    UCHAR State;
    KPRCB *Prcb; /* home processor; owned while Irql >= DISPATCH_LEVEL */
    KAPC_STATE_NT ApcState, SavedApcState;
    BOOLEAN Attached;
    LIST_ENTRY MutantListHead;
    LIST_ENTRY ThreadListEntry; /* KPROCESS.ThreadListHead */
    KWAIT_BLOCK WaitBlock[THREAD_WAIT_OBJECTS + 1];
    KWAIT_BLOCK *WaitBlockList;
    ULONG WaitCount;
    LIST_ENTRY WaitingLinks; /* KiState.Waiting, while its wait blocks are queued */
    LONG_PTR WaitStatus;
    BOOLEAN WaitNext; /* KeSetEvent(Wait = TRUE) and the like: the wait that follows lowers to
                         WaitIrql */
    KIRQL WaitIrql;
    BOOLEAN WaitAlertable, WaitReady;
    KWAIT_REASON WaitReason;
    struct _KTHREAD *WakeNext;  /* in a list of threads to be unparked */
    struct _KTHREAD *HeldWakes; /* the thread's own: those that it will unpark later */
    BOOLEAN HoldsWakes;
    uint32_t *Waits;    /* if set: a word that is 1 while the thread waits */
    atomic_uint Wakers; /* threads about to unpark this one: it may not be freed */
    PKQUEUE Queue;
    LIST_ENTRY QueueListEntry; /* KQUEUE.ThreadListHead */
    KPRIORITY Priority, BasePriority;
    KAFFINITY Affinity, UserAffinity;
    BOOLEAN SystemAffinity; /* KeSetSystemAffinityThread is in force */
    uint32_t ParkWord;
    uint32_t *Doorbell; /* if set, Unpark also wakes this (a channel's word): the thread waits there
                           for its client */
    ULONG DoorbellCredit, DoorbellVisits;
    host_thread *Host;
    uint32_t HostId; /* Linux's id of it, once it runs */
    PVOID StackBase, StackLimit;
    void (*Entry)(struct _KTHREAD *); /* the thread's own */
    void (*Start)(struct _KTHREAD *); /* the scheduler's */
    sigjmp_buf ExitJump;              /* KeExitThread leaves through it */
    const char *Name;                 /* of the Linux thread; NULL: "nt" */
    PDRIVER_OBJECT CurrentDriver;     /* io: whose routine runs, for reports */
    PIRP CurrentIrp;
    ULONG ServiceNumber; /* the system service it is in, MAXULONG: none */
    PVOID PoolCache;     /* mm: the thread's magazines */
    PVOID IrpCache;      /* io */
    PVOID TrapFrame;
    BOOLEAN InterruptsOff; /* KeDisableInterrupts_ */
    KIRQL InterruptIrql;   /* at that time */
    KI_PCR Pcr;
} KTHREAD_NT;

/* The calling thread; NULL for a Linux thread that is not attached. */
extern _Thread_local struct _KTHREAD *KiSelf __attribute__((tls_model("initial-exec")));
static inline KIRQL KiIrql(void)
{
    return KiSelf ? KiSelf->Irql : PASSIVE_LEVEL;
}
#undef VF_CURRENT_IRQL
#define VF_CURRENT_IRQL() KiIrql()

void KeForgetMutant_(PRKMUTANT Mutant);
void KeInitializeProcess(KPROCESS_NT *Process);
void KeSetProcess_(KPROCESS_NT *Process); /* it has ended: signals it */
/* Prepares a thread object; Entry runs on a Linux thread of its own from KeStartThread. The object
 * must live until KeThreadReap. */
void KeInitializeThread(struct _KTHREAD *Thread, KPROCESS_NT *Process,
                        void (*Entry)(struct _KTHREAD *));
NTSTATUS KeStartThread(struct _KTHREAD *Thread);
ULONG64 KeThreadTime_(const struct _KTHREAD *Thread); /* processor time used, 100 ns; any IRQL */
void KeExitThread(
    void); /* at PASSIVE_LEVEL, last act of a thread: abandons mutexes, signals, leaves its process.
            * Does not return in a thread that KeStartThread started */
void KeReapThread(struct _KTHREAD *Thread); /* joins the Linux thread; any thread but itself */
void KeAdoptHostThread(struct _KTHREAD *Thread,
                       KPROCESS_NT *Process); /* the calling Linux thread becomes Thread */
void KeReleaseHostThread(void);

void KeAttachProcess_(KPROCESS_NT *Process,
                      KAPC_STATE_NT *Saved); /* ps exports KeStackAttachProcess on it */
void KeDetachProcess_(KAPC_STATE_NT *Saved);

/* Termination: every wait of the thread that may be ended (user mode or alertable) ends with
 * STATUS_THREAD_IS_TERMINATING; later waits of that kind too. KernelMode waits go on. */
void KeTerminateThread_(struct _KTHREAD *Thread);
void KeAlertThread_(struct _KTHREAD *Thread, KPROCESSOR_MODE Mode);
BOOLEAN KeTestAlertThread_(KPROCESSOR_MODE Mode);

/* APCs (undocumented for drivers, but exported by NT and used by io and nt). */
#ifndef KAPC_ENVIRONMENT_DEFINED
typedef enum _KAPC_ENVIRONMENT {
    OriginalApcEnvironment,
    AttachedApcEnvironment,
    CurrentApcEnvironment,
    InsertApcEnvironment
} KAPC_ENVIRONMENT;
#define KAPC_ENVIRONMENT_DEFINED
#endif
typedef VOID NTAPI KI_NORMAL_ROUTINE(PVOID NormalContext, PVOID SystemArgument1,
                                     PVOID SystemArgument2);
typedef VOID NTAPI KI_KERNEL_ROUTINE(PRKAPC Apc, KI_NORMAL_ROUTINE **NormalRoutine,
                                     PVOID *NormalContext, PVOID *SystemArgument1,
                                     PVOID *SystemArgument2);
typedef VOID NTAPI KI_RUNDOWN_ROUTINE(PRKAPC Apc);
void NTAPI KeInitializeApc(PRKAPC Apc, struct _KTHREAD *Thread, KAPC_ENVIRONMENT Environment,
                           KI_KERNEL_ROUTINE *KernelRoutine, KI_RUNDOWN_ROUTINE *RundownRoutine,
                           KI_NORMAL_ROUTINE *NormalRoutine, KPROCESSOR_MODE Mode,
                           PVOID NormalContext);
BOOLEAN NTAPI KeInsertQueueApc(PRKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
                               KPRIORITY Increment);
BOOLEAN NTAPI KeRemoveQueueApc_(PRKAPC Apc);
void KiRunKernelApcs(void);
/* Below APC_LEVEL: by lowering, waits, leaving regions and service exit. */
static inline void KeDeliverKernelApcs(void)
{
    if (__builtin_expect(__atomic_load_n(&KiSelf->ApcState.KernelApcPending, __ATOMIC_RELAXED), 0))
        KiRunKernelApcs();
}
/* One pending user APC of the calling thread, for its client: FALSE if none. Its kernel routine has
 * run. */
typedef struct KI_USER_APC {
    KI_NORMAL_ROUTINE *Routine;
    PVOID Context, Argument1, Argument2;
} KI_USER_APC;
BOOLEAN KeTakeUserApc(KI_USER_APC *Apc);
void KeRundownApcs(struct _KTHREAD *Thread); /* at thread exit: rundown or free */

/* Waits on a kernel half's channel: returns when *Word differs from Expected, or a kernel APC is
 * pending, or the thread is terminating. While it sleeps *Asleep is 1: whoever changes the word and
 * then (a full fence between) finds that wakes the word's futex (shared). Near: whoever rings seems
 * to need this processor. */
void KeWaitForDoorbell(uint32_t *Word, uint32_t Expected, uint32_t *Asleep, BOOLEAN Near);
void KeExpectDoorbell(void); /* spinning may pay from now on */
void KeShowWaits(
    uint32_t *Word); /* *Word is 1 while the calling thread waits elsewhere; NULL: ends */

/* In between, threads whose wait the calling thread ends do not run at once, but at KeReleaseWakes
 * or when the thread itself waits or gives its time away. */
void KeHoldWakes(void);
void KeReleaseWakes(void);

/* Registered by mm/ps/io at init: freed object checks (0xC7, 0xC4/15) ask whether a live timer or
 * queued DPC lies in a block. */
BOOLEAN KeFindObjectInRange(const void *Base, SIZE_T Bytes, ULONG *Kind, PVOID *Object);
BOOLEAN KeFindWaitInRange(const void *Base, SIZE_T Bytes, PVOID *Object);
extern void (*KeNoteObject)(
    const void *Object); /* mm's: told of timers set, DPCs queued, objects waited for */
BOOLEAN KeFindRoutineInRange(const void *Base, SIZE_T Bytes, PVOID *Routine);
/* An entry of the queue that Match accepts; NULL: none. Match runs under the dispatcher lock. */
PLIST_ENTRY KeFindInQueue(PRKQUEUE Queue, BOOLEAN (*Match)(PLIST_ENTRY Entry, void *Context),
                          void *Context);

/* A move to cr8, quickly: TRUE if that was all there was to it. Else nothing has changed. It
 * changes no register but rax, and wants no stack of its own. */
BOOLEAN KeTrySetIrql_(ULONG64 NewIrql);
void KeSetIrql_(ULONG64 NewIrql); /* by KfRaiseIrql or KeLowerIrql */
/* cli and sti: nothing else runs on the thread's processor in between. */
void KeDisableInterrupts_(void);
void KeEnableInterrupts_(void);

#define KE_DESCRIPTOR_BYTES (2 * PAGE_SIZE)
void KeSetDescriptorTables_(ULONG Number, PVOID Pages); /* mm gives each processor its pages */
ULONG KeProcessorCount_(void);
KPRCB *KeProcessor_(ULONG Number);
static inline ULONG64 KeReadCounter_(const ULONG64 *Counter) /* of a KPRCB */
{
    return __atomic_load_n(Counter, __ATOMIC_RELAXED);
}
KUSER_SHARED_DATA *KeSharedDataWritable(void); /* the clock's alias */
int KeSharedDataFile(void);                    /* read-only memory file of the page, for clients */

#endif
