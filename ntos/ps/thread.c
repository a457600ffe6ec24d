/*
 * Thread objects: system threads, the kernel halves of client threads, and Linux threads that
 * attach.
 *
 * A thread is on its process's list from its start until it has been joined; the list holds a
 * reference.
 */
#include "ps/psp.h"
#include <string.h>

typedef struct PSP_CLIENT_START {
    void (*Run)(PETHREAD Thread, PVOID Context);
    PVOID Context;
} PSP_CLIENT_START;

static void PspThreadEntry(struct _KTHREAD *Tcb)
{
    PETHREAD Thread = (PETHREAD)Tcb;

    PspNotifyThreadInContext(Thread);
    NT_CALL(Thread->StartRoutine, Thread->StartContext);
    PspExitThread(STATUS_SUCCESS);
}

ULONG PspNextSystemThreadId(void)
{
    return __atomic_fetch_add(&PspState.NextSystemThreadId, 4, __ATOMIC_RELAXED);
}

static void PspSetMode(PETHREAD Thread, PEPROCESS Process)
{
    Thread->Tcb.SystemThread = Process == PsInitialSystemProcess;
    Thread->Tcb.PreviousMode = Thread->Tcb.SystemThread ? KernelMode : UserMode;
}

/* A thread object with one reference, not yet on its process's list. Entry NULL: StartRoutine and
 * StartContext say what runs. */
NTSTATUS PspCreateThread(PEPROCESS Process, ULONG Id, void (*Entry)(struct _KTHREAD *),
                         POBJECT_ATTRIBUTES Attributes, PETHREAD *Thread)
{
    PETHREAD New;
    NTSTATUS Status = ObCreateObject(KernelMode, PspState.ThreadType, Attributes, KernelMode, NULL,
                                     sizeof(ETHREAD_NT), 0, 0, (PVOID *)&New);

    if (!NT_SUCCESS(Status))
        return Status;
    memset(New, 0, sizeof(*New));
    KeInitializeThread(&New->Tcb, &Process->Pcb, Entry ? Entry : PspThreadEntry);
    PspSetMode(New, Process);
    InitializeListHead(&New->IrpList);
    KeInitializeSpinLock(&New->IrpListLock);
    InitializeListHead(&New->ThreadListEntry);
    InitializeListHead(&New->IdLinks);
    New->UniqueThreadId = ULongToHandle(Id);
    New->UniqueProcessId = Process->UniqueProcessId;
    New->ExitStatus = STATUS_PENDING;
    KeQuerySystemTime(&New->CreateTime);
    New->Process = Process;
    ObReferenceObject(Process);
    Status = PspAssignSecurity(New, Process->Token);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        return Status;
    }
    *Thread = New;
    return STATUS_SUCCESS;
}

/* The creator's reference becomes the list's; a failure leaves it with the caller. */
static NTSTATUS PspListThread(PETHREAD Thread)
{
    PEPROCESS Process = Thread->Process;
    BOOLEAN Exiting;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Exiting = Process->Exiting;
    if (!Exiting) {
        InsertTailList(&Process->ThreadList, &Thread->ThreadListEntry);
        PspEnterThreadId(Thread);
        if (HandleToULong(Thread->UniqueThreadId) == Process->HostProcessId)
            Process->MainSeen = TRUE;
        atomic_fetch_add(&Process->ActiveThreads, 1);
    }
    KeReleaseSpinLock(&PspState.Lock, Irql);
    return Exiting ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;
}

NTSTATUS PspInsertThread(PETHREAD Thread)
{
    NTSTATUS Status = PspListThread(Thread);

    if (NT_SUCCESS(Status))
        PspNotifyThread(Thread, TRUE);
    else
        ObDereferenceObject(Thread);
    return Status;
}

/* The client's first thread has not called yet, and may: its connection keeps the process. */
static BOOLEAN PspMayStillCall(PEPROCESS Process)
{
    return Process->Client && !Process->MainSeen && !Process->Exiting;
}

/* TRUE: the caller is the last thread and ends the process. */
static BOOLEAN PspCountOut(PETHREAD Thread)
{
    PEPROCESS Process = Thread->Process;
    BOOLEAN Last;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Last = atomic_fetch_sub(&Process->ActiveThreads, 1) == 1 && Process != PsInitialSystemProcess &&
           !PspMayStillCall(Process);
    if (Last && !Process->Exiting) {
        Process->ExitStatus = Thread->ExitStatus;
        Process->Exiting = TRUE;
    }
    KeReleaseSpinLock(&PspState.Lock, Irql);
    return Last;
}

/* Who ends the thread first says with what status. */
static void PspSetExitStatus(PETHREAD Thread, NTSTATUS Status)
{
    NTSTATUS Pending = STATUS_PENDING;

    atomic_compare_exchange_strong(&Thread->ExitStatus, &Pending, Status);
}

void PspLeaveThread(PETHREAD Thread)
{
    LARGE_INTEGER Now;

    PspSetExitStatus(Thread, STATUS_SUCCESS);
    if (PspState.CancelThreadIrps)
        PspState.CancelThreadIrps(Thread);
    PspNotifyThread(Thread, FALSE);
    if (PspCountOut(Thread))
        PspEndProcess(Thread->Process);
    if (PspState.CancelThreadIrps)
        PspState.CancelThreadIrps(Thread); /* again: handles were closed meanwhile */
    PsRevertToSelf();
    PspKeepThreadTimes(Thread);
    KeQuerySystemTime(&Now);
    Thread->ExitTime = Now.QuadPart;
    KeRundownApcs(&Thread->Tcb);
    MmThreadPoolRelease(&Thread->Tcb);
}

_Noreturn void PspExitThread(NTSTATUS Status)
{
    PETHREAD Thread = PsSelf();

    if (Thread->Tcb.Irql != PASSIVE_LEVEL || Thread->Tcb.KernelApcDisable ||
        Thread->Tcb.SpecialApcDisable)
        VfBugCheck(KERNEL_APC_PENDING_DURING_EXIT, 0,
                   (ULONG_PTR)(LONG_PTR)Thread->Tcb.KernelApcDisable, Thread->Tcb.Irql, 0,
                   "a thread ended at raised IRQL or inside a critical region");
    if (Thread->Tcb.Attached)
        VfBugCheck(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Thread->Tcb.ApcState.Process,
                   (ULONG_PTR)Thread->Process, 0, 0,
                   "a thread ended while it was attached to another process");
    PspSetExitStatus(Thread, Status);
    PspLeaveThread(Thread);
    PspReap(Thread);
    KeExitThread();
    __builtin_unreachable();
}

void PspFreeThread(PVOID Object)
{
    PETHREAD Thread = Object;

    if (Thread->ImpersonationToken)
        ObDereferenceObject(Thread->ImpersonationToken);
    ObDereferenceObject(Thread->Process);
}

static NTSTATUS PspThreadProcess(HANDLE ProcessHandle, PEPROCESS *Process)
{
    if (!ProcessHandle) {
        ObReferenceObject(PsInitialSystemProcess);
        *Process = PsInitialSystemProcess;
        return STATUS_SUCCESS;
    }
    return ObReferenceObjectByHandle(ProcessHandle, PROCESS_CREATE_THREAD, PspState.ProcessType,
                                     KernelMode, (PVOID *)Process, NULL);
}

/* A listed thread could not be started. */
static NTSTATUS PspAbandonThread(PETHREAD Thread, NTSTATUS Status)
{
    KIRQL Irql;

    PspNotifyThread(Thread, FALSE);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    RemoveEntryList(&Thread->ThreadListEntry);
    RemoveEntryList(&Thread->IdLinks);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (PspCountOut(Thread))
        PsTerminateProcess_(Thread->Process, Status);
    ObDereferenceObject(Thread);
    return Status;
}

/* Puts a new thread on its list, makes its handle and starts it. Consumes the reference. */
static NTSTATUS PspLaunch(PETHREAD Thread, ACCESS_MASK Desired, PHANDLE Handle)
{
    NTSTATUS Status = PspInsertThread(Thread);

    if (!NT_SUCCESS(Status))
        return Status;
    ObReferenceObject(Thread);
    Status = ObInsertObject(Thread, NULL, Desired, 0, NULL, Handle);
    if (!NT_SUCCESS(Status))
        return PspAbandonThread(Thread, Status);
    Status = KeStartThread(&Thread->Tcb);
    if (!NT_SUCCESS(Status)) {
        ObCloseHandle_(*Handle, KernelMode);
        return PspAbandonThread(Thread, Status);
    }
    return STATUS_SUCCESS;
}

/* A kernel thread of the System process, or of ProcessHandle's. It ends when StartRoutine returns
 * or calls PsTerminateSystemThread. The caller closes the handle. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-pscreatesystemthread */
NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                                    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                                    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext)
{
    PEPROCESS Process;
    PETHREAD Thread;
    NTSTATUS Status;
    CLIENT_ID Id;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = PspThreadProcess(ProcessHandle, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspCreateThread(Process, PspNextSystemThreadId(), NULL, ObjectAttributes, &Thread);
    ObDereferenceObject(Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Thread->Tcb.SystemThread = TRUE;
    Thread->Tcb.PreviousMode = KernelMode;
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    Id = (CLIENT_ID){Thread->UniqueProcessId, Thread->UniqueThreadId};
    Status = PspLaunch(Thread, DesiredAccess, ThreadHandle);
    if (NT_SUCCESS(Status) && ClientId)
        *ClientId = Id;
    return Status;
}

/* Ends the calling system thread and does not return; STATUS_INVALID_PARAMETER for any other
 * thread. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-psterminatesystemthread */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (!PsSelf()->Tcb.SystemThread || !PsSelf()->StartRoutine)
        return STATUS_INVALID_PARAMETER;
    PspExitThread(ExitStatus);
}

static void PspClientThread(PVOID Context)
{
    PSP_CLIENT_START Start = *(PSP_CLIENT_START *)Context;

    ExFreePoolWithTag(Context, PSP_TAG);
    Start.Run(PsSelf(), Start.Context);
}

NTSTATUS PsCreateClientThread(PEPROCESS Process, ULONG HostThreadId,
                              void (*Run)(PETHREAD Thread, PVOID Context), PVOID Context,
                              PETHREAD *Thread)
{
    PSP_CLIENT_START *Start = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Start), PSP_TAG);
    PETHREAD New;
    NTSTATUS Status;

    if (!Start)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Start = (PSP_CLIENT_START){Run, Context};
    Status = PspCreateThread(Process, HostThreadId, NULL, NULL, &New);
    if (!NT_SUCCESS(Status))
        goto freeStart;
    New->StartRoutine = PspClientThread;
    New->StartContext = Start;
    Status = PspInsertThread(New);
    if (!NT_SUCCESS(Status))
        goto freeStart;
    ObReferenceObject(New);
    Status = KeStartThread(&New->Tcb);
    if (NT_SUCCESS(Status)) {
        *Thread = New;
        return STATUS_SUCCESS;
    }
    PspAbandonThread(New, Status);
    ObDereferenceObject(New);

freeStart:
    ExFreePoolWithTag(Start, PSP_TAG);
    return Status;
}

void PsTerminateThread_(PETHREAD Thread, NTSTATUS Status)
{
    PspSetExitStatus(Thread, Status);
    KeTerminateThread_(&Thread->Tcb);
}

/* A thread object on the process's list, made by a Linux thread that has none yet: a temporary one
 * serves meanwhile. */
static NTSTATUS PspCreateHostThread(PEPROCESS Process, PETHREAD *Thread)
{
    struct _KTHREAD Temporary;
    NTSTATUS Status;

    memset(&Temporary, 0, sizeof(Temporary));
    KeAdoptHostThread(&Temporary, &PsInitialSystemProcess->Pcb);
    Status = PspCreateThread(Process, host_thread_id(), NULL, NULL, Thread);
    if (NT_SUCCESS(Status)) {
        Status = PspListThread(*Thread);
        if (!NT_SUCCESS(Status))
            ObDereferenceObject(*Thread);
    }
    MmThreadPoolRelease(&Temporary);
    KeReleaseHostThread();
    return Status;
}

NTSTATUS PsAttachHostThread(PEPROCESS Process)
{
    PETHREAD Thread;
    NTSTATUS Status;

    NT_ASSERT(!KiSelf);
    Status = PspCreateHostThread(Process ? Process : PsInitialSystemProcess, &Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAdoptHostThread(&Thread->Tcb, &Thread->Process->Pcb);
    PspSetMode(Thread, Thread->Process);
    if (Thread->Process->Exiting)
        KeTerminateThread_(&Thread->Tcb);
    PspNotifyThread(Thread, TRUE);
    return STATUS_SUCCESS;
}

void PsDetachHostThread(void)
{
    PETHREAD Thread = PsSelf();

    PspLeaveThread(Thread);
    PspReap(Thread);
    KeReleaseHostThread();
    __atomic_store_n(&Thread->HostReleased, TRUE, __ATOMIC_RELEASE);
}
