/*
 * ps: processes, threads, attach, notify routines.
 */
#ifndef PS_H
#define PS_H

#include "cm/cm.h"

/* Rights that winnt.h has and the DDK has not. */
#ifndef PROCESS_VM_READ
#define PROCESS_TERMINATE 0x0001
#define PROCESS_CREATE_THREAD 0x0002
#define PROCESS_VM_OPERATION 0x0008
#define PROCESS_VM_READ 0x0010
#define PROCESS_VM_WRITE 0x0020
#define PROCESS_CREATE_PROCESS 0x0080
#define PROCESS_SET_QUOTA 0x0100
#define PROCESS_SET_INFORMATION 0x0200
#define PROCESS_QUERY_INFORMATION 0x0400
#define PROCESS_QUERY_LIMITED_INFORMATION 0x1000
#endif
#ifndef THREAD_QUERY_INFORMATION
#define THREAD_QUERY_INFORMATION 0x0040
#endif

NTSTATUS PsInitSystem(void); /* the System process (id 4); the caller becomes its first thread;
                                worker threads start */
void PsShutdownSystem(void); /* every other process has gone; joins system threads */

typedef struct _EPROCESS {
    KPROCESS_NT Pcb;
    HANDLE UniqueProcessId; /* the client's Linux pid; System is 4 */
    HANDLE ParentId;
    MM_ADDRESS_SPACE AddressSpace;
    EX_HANDLE_TABLE *HandleTable;
    SE_TOKEN *Token;
    char ImageName[64]; /* "usedriver2" */
    UNICODE_STRING ImagePath;
    LARGE_INTEGER CreateTime;
    _Atomic LONGLONG ExitTime;
    _Atomic NTSTATUS ExitStatus; /* STATUS_PENDING while it runs */
    EX_RUNDOWN_REF Rundown;      /* attach and handle work against exit */
    LIST_ENTRY ActiveLinks, IdLinks;
    LIST_ENTRY ThreadList; /* ETHREAD.ThreadListEntry */
    atomic_long ActiveThreads;
    _Atomic BOOLEAN Exiting, Dead; /* changed under ps's lock, Exiting behind ExitStatus */
    BOOLEAN MainSeen;    /* the client's first Linux thread is, or was, one of the threads */
    ULONG HostProcessId; /* 0: no client */
    ULONG64 KernelTime, UserTime; /* of what has ended: PsQueryProcessTimes_ */
    PVOID Client;                 /* server's */
    void (*TellEnd)(PVOID Client, NTSTATUS Status);
    LONG_PTR PagedQuota, NonPagedQuota;
    PVOID Job;
    ULONG HardErrorMode;
    BOOLEAN TimerResolutionSet;
} EPROCESS_NT;

typedef struct _ETHREAD {
    struct _KTHREAD Tcb;
    HANDLE UniqueThreadId, UniqueProcessId;
    struct _EPROCESS *Process;
    LARGE_INTEGER CreateTime;
    _Atomic LONGLONG ExitTime;
    _Atomic NTSTATUS ExitStatus; /* STATUS_PENDING while it runs; the first to end it says what */
    LIST_ENTRY ThreadListEntry, IdLinks;
    ULONG64 KernelTime, UserTime; /* once it has ended */
    BOOLEAN TimesKept;
    LIST_ENTRY IrpList; /* io: IRPs it issued that are not complete */
    KSPIN_LOCK IrpListLock;
    struct IOP_PIN *IrpPins; /* io: of that list, what is being cancelled */
    PKSTART_ROUTINE StartRoutine;
    PVOID StartContext;
    SE_TOKEN *ImpersonationToken;
    PVOID Client; /* server's: its channel */
    PVOID TopLevelIrp;
    BOOLEAN HardErrorsDisabled;
    BOOLEAN HostReleased; /* an attached Linux thread has let go of this object */
    LIST_ENTRY ReapEntry;
} ETHREAD_NT;

static inline struct _ETHREAD *PsSelf(void)
{
    return (struct _ETHREAD *)KiSelf;
}

/* A client process and its threads (server), or the embedding program's (init). */
typedef struct PS_CLIENT {
    ULONG HostProcessId, HostUserId;
    const char *ImagePath;
    BOOLEAN Embedded;
    struct _EPROCESS *Parent;
    BOOLEAN InheritHandles;
    PVOID Client;
    void (*TellEnd)(PVOID Client, NTSTATUS Status); /* it ends: its program is to */
} PS_CLIENT;
NTSTATUS PsCreateClientProcess(const PS_CLIENT *Client, struct _EPROCESS **Process);
NTSTATUS PsCreateClientThread(struct _EPROCESS *Process, ULONG HostThreadId,
                              void (*Run)(struct _ETHREAD *Thread, PVOID Context), PVOID Context,
                              struct _ETHREAD **Thread);
/* Marks every thread as terminating (their waits end, their IRPs are cancelled). The last thread to
 * leave ends the process: notify routines, handles, mappings. If there is no thread, the caller
 * ends it. */
void PsTerminateProcess_(struct _EPROCESS *Process, NTSTATUS Status);
void PsTerminateOtherThreads_(struct _EPROCESS *Process, NTSTATUS Status); /* all but the caller */
void PsTerminateThread_(struct _ETHREAD *Thread, NTSTATUS Status);
void PsWaitProcessEnd(
    struct _EPROCESS *Process); /* KernelMode wait until it is Dead and its threads joined */

/* The calling Linux thread becomes a thread of Process (NULL: System). For embedding programs and
 * tests. */
NTSTATUS PsAttachHostThread(struct _EPROCESS *Process);
void PsDetachHostThread(void);

/* Calls Each for every thread of the process, at DISPATCH_LEVEL under ps's lock. */
void PsEnumerateThreads_(struct _EPROCESS *Process,
                         void (*Each)(PVOID Context, struct _ETHREAD *Thread), PVOID Context);
struct _EPROCESS *PsNextProcess_(struct _EPROCESS *Process); /* references the next, dereferences
                                                                the given; NULL starts and ends */
PETHREAD PsNextThread_(PEPROCESS Process,
                       PETHREAD Thread); /* the same for the threads of a process */
/* Processor time, 100 ns: the kernel half's is kernel time, the client's own is user time. The
 * client is asked of Linux: PASSIVE_LEVEL. */
void PsQueryThreadTimes_(PETHREAD Thread, PULONG64 Kernel, PULONG64 User);
void PsQueryProcessTimes_(PEPROCESS Process, PULONG64 Kernel, PULONG64 User);
void PsKeepProcessTimes_(PEPROCESS Process); /* while the client can still be asked */
void PsSetIoHooks(void (*CancelThreadIrps)(struct _ETHREAD *Thread),
                  BOOLEAN (*ImagesChanged)(void)); /* io registers */
void PsCallImageNotify_(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Information);
/* What a driver left behind in its image: a notify routine, the start routine of a thread that
 * still runs. NULL: nothing. */
PVOID PsFindNotifyInRange_(PVOID Base, SIZE_T Bytes);
PVOID PsFindThreadInRange_(PVOID Base, SIZE_T Bytes);
extern PEPROCESS PsInitialSystemProcess;

/* Exported by NT, not in every DDK header. */
PUCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process);
PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread);
ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process);
ULONG NTAPI PsGetCurrentProcessSessionId(VOID);
#endif
