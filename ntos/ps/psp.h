/*
 * What the files of ps share.
 *
 * Lock order: PspState.Lock (a spin lock: the process list, the thread lists, ids) is the innermost
 * lock of this room; only ke is called under it.
 */
#ifndef PSP_H
#define PSP_H

#include "ps/ps.h"

#define PSP_TAG 'orPs'
#define PSP_FIRST_SYSTEM_THREAD_ID 0x400004u /* above every Linux thread id */

#define PSP_ID_BITS 10
#define PSP_ID_BUCKETS (1u << PSP_ID_BITS)

typedef struct PSP_STATE {
    POBJECT_TYPE ProcessType, ThreadType;
    KSPIN_LOCK Lock;
    LIST_ENTRY Processes;
    LIST_ENTRY ProcessIds[PSP_ID_BUCKETS], ThreadIds[PSP_ID_BUCKETS];
    ULONG NextSystemThreadId;
    LIST_ENTRY ReapList; /* ETHREAD.ReapEntry: threads that have left and wait to be joined */
    ULONG Reaping;       /* on the list, or in the hands of the reaper */
    BOOLEAN StopReaper;
    KEVENT ReapWork, ReapDone;
    PETHREAD Reaper;
    struct _KTHREAD
        *BootThread; /* what the caller of PsInitSystem was, and is again after PsShutdownSystem */
    KPROCESS_NT *BootProcess;
    void (*CancelThreadIrps)(PETHREAD Thread);
    BOOLEAN (*ImagesChanged)(void);
} PSP_STATE;
extern PSP_STATE PspState;

/* Ke has threads of its own (a processor's DPC thread, the boot thread) that are no ETHREAD; they
 * pass for the System process's. */
static inline BOOLEAN PspHasBody(struct _KTHREAD *Thread)
{
    return Thread->Attached || Thread->ApcState.Process->HasBody;
}

static inline PEPROCESS PspCurrentProcess(void)
{
    return PspHasBody(KiSelf) ? (PEPROCESS)KiSelf->ApcState.Process : PsInitialSystemProcess;
}

/* process.c */
NTSTATUS PspCreateTypes(void);
NTSTATUS PspCreateProcess(const PS_CLIENT *Client, ULONG Id, PEPROCESS *Process);
void PspEndProcess(PEPROCESS Process); /* the caller runs in its context */
void PspFreeProcess(PVOID Object);
NTSTATUS PspAssignSecurity(PVOID Object, SE_TOKEN *Token);

/* thread.c */
NTSTATUS PspCreateThread(PEPROCESS Process, ULONG Id, void (*Entry)(struct _KTHREAD *),
                         POBJECT_ATTRIBUTES Attributes, PETHREAD *Thread);
NTSTATUS PspInsertThread(PETHREAD Thread);
void PspLeaveThread(
    PETHREAD Thread); /* all that a thread does before it goes, in its own context */
_Noreturn void PspExitThread(NTSTATUS Status);
void PspFreeThread(PVOID Object);
ULONG PspNextSystemThreadId(void);

/* ids.c: under PspState.Lock */
void PspInitIds(void);
void PspEnterProcessId(PEPROCESS Process);
void PspEnterThreadId(PETHREAD Thread);
PEPROCESS PspFindProcess(HANDLE Id);
PETHREAD PspFindThread(HANDLE Id);

/* times.c */
void PspKeepThreadTimes(PETHREAD Thread);

/* reap.c */
NTSTATUS PspStartReaper(void);
void PspStopReaper(void);
void PspReap(PETHREAD Thread);         /* hands a leaving thread over */
void PspWaitReaped(PEPROCESS Process); /* until every thread of it is joined and off its list */
void PspWaitAlone(PETHREAD Self);      /* until it is the only thread of the System process */

/* notify.c */
void PspInitNotify(void);
NTSTATUS PspNotifyProcessCreate(PEPROCESS Process);
void PspNotifyProcessExit(PEPROCESS Process);
void PspNotifyThread(PETHREAD Thread, BOOLEAN Create);
void PspNotifyThreadInContext(PETHREAD Thread);

#endif
