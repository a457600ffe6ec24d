/*
 * The start and the end of ps: the System process, its first thread, the reaper and the worker
 * threads.
 */
#include "ps/psp.h"

PSP_STATE PspState;
PEPROCESS PsInitialSystemProcess;

static PEPROCESS PspHookCurrent(void)
{
    return KiSelf ? PspCurrentProcess() : PsInitialSystemProcess;
}

static PEPROCESS PspHookSystem(void)
{
    return PsInitialSystemProcess;
}

static EX_HANDLE_TABLE **PspHookHandleTable(PEPROCESS Process)
{
    return &Process->HandleTable;
}

static SE_TOKEN *PspHookCurrentToken(void)
{
    if (!KiSelf || !PspHasBody(KiSelf))
        return SeSystemToken();
    return PsSelf()->ImpersonationToken ? PsSelf()->ImpersonationToken : PsSelf()->Process->Token;
}

static SE_TOKEN *PspHookTokenOf(PEPROCESS Process)
{
    return Process->Token;
}

static ULONG PspCurrentThreadId(void)
{
    return KiSelf && PspHasBody(KiSelf) ? HandleToULong(PsSelf()->UniqueThreadId)
                                        : host_thread_id();
}

static ULONG PspCurrentProcessId(void)
{
    return KiSelf && PspHasBody(KiSelf) ? HandleToULong(PsSelf()->UniqueProcessId) : 0;
}

/* Whose an exception is that nobody handles. A DPC is nobody's, whatever its processor was doing.
 */
static ULONG PspThreadKind(void)
{
    if (!KiSelf || (KiSelf->Irql >= DISPATCH_LEVEL && KiSelf->Prcb->DpcRoutineActive))
        return VfThreadOther;
    if (KiSelf->ServiceNumber != MAXULONG)
        return VfThreadService;
    return KiSelf->SystemThread ? VfThreadSystem : VfThreadOther;
}

static void PspRegisterHooks(void)
{
    static const OB_PROCESS_HOOKS ObHooks = {PspHookCurrent, PspHookSystem, PspHookHandleTable,
                                             PsGetProcessId};
    static const SE_SUBJECT_HOOKS SeHooks = {PspHookCurrentToken, PspHookTokenOf};

    ObSetProcessHooks(&ObHooks);
    SeSetSubjectHooks(&SeHooks);
    VfContext.CurrentThreadId = PspCurrentThreadId;
    VfContext.CurrentProcessId = PspCurrentProcessId;
    VfContext.ThreadKind = PspThreadKind;
}

static NTSTATUS PspStartWorker(void (*Routine)(void *), void *Context, struct _KTHREAD **Thread)
{
    PETHREAD New;
    NTSTATUS Status =
        PspCreateThread(PsInitialSystemProcess, PspNextSystemThreadId(), NULL, NULL, &New);

    if (!NT_SUCCESS(Status))
        return Status;
    New->StartRoutine = Routine;
    New->StartContext = Context;
    Status = PspInsertThread(New);
    if (!NT_SUCCESS(Status))
        return Status;
    ObReferenceObject(New); /* until PspJoinWorker */
    *Thread = &New->Tcb;
    return KeStartThread(&New->Tcb);
}

/* A worker has been told to stop; the reaper joins it. */
static void PspJoinWorker(struct _KTHREAD *Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

/* The boot thread was ke's alone; a thread of the System process takes its place until
 * PsShutdownSystem. */
static void PspLayBootThreadAside(void)
{
    PspState.BootThread = KiSelf;
    if (!KiSelf)
        return;
    PspState.BootProcess = KiSelf->ApcState.Process;
    MmThreadPoolRelease(KiSelf);
    KeReleaseHostThread();
}

static NTSTATUS PspCreateSystemProcess(void)
{
    static const PS_CLIENT System = {.HostUserId = 0, .ImagePath = "System"};
    NTSTATUS Status = PspCreateProcess(&System, 4, &PsInitialSystemProcess);

    if (!NT_SUCCESS(Status))
        return Status;
    PspLayBootThreadAside();
    Status = PsAttachHostThread(NULL);
    if (NT_SUCCESS(Status))
        Status = PspStartReaper();
    return Status;
}

NTSTATUS PsInitSystem(void)
{
    NTSTATUS Status;

    memset(&PspState, 0, sizeof(PspState));
    KeInitializeSpinLock(&PspState.Lock);
    InitializeListHead(&PspState.Processes);
    PspInitIds();
    PspState.NextSystemThreadId = PSP_FIRST_SYSTEM_THREAD_ID;
    PspInitNotify();
    Status = PspCreateTypes();
    if (!NT_SUCCESS(Status))
        return Status;
    PspRegisterHooks();
    Status = PspCreateSystemProcess();
    if (NT_SUCCESS(Status))
        Status = ExStartWorkers(PspStartWorker);
    return Status;
}

/* The caller is the only thread that is left attached; it leaves here. Ob's and se's hooks go back
 * to "no process". */
void PsShutdownSystem(void)
{
    static const OB_PROCESS_HOOKS NoProcess;
    static const SE_SUBJECT_HOOKS NoSubject;
    PETHREAD Self = PsSelf();

    ExStopWorkers(PspJoinWorker);
    PspWaitAlone(Self);
    PspStopReaper();
    PspLeaveThread(Self);
    PspEndProcess(PsInitialSystemProcess);
    RemoveEntryList(&Self->ThreadListEntry);
    RemoveEntryList(&Self->IdLinks);
    KeReleaseHostThread();
    if (PspState.BootThread)
        KeAdoptHostThread(PspState.BootThread, PspState.BootProcess);
    ObDereferenceObject(Self);
    ObDereferenceObject(PsInitialSystemProcess);
    PsInitialSystemProcess = NULL;
    VfContext.CurrentThreadId = NULL;
    VfContext.CurrentProcessId = NULL;
    VfContext.ThreadKind = NULL;
    ObSetProcessHooks(&NoProcess);
    SeSetSubjectHooks(&NoSubject);
}

void PsSetIoHooks(void (*CancelThreadIrps)(PETHREAD Thread), BOOLEAN (*ImagesChanged)(void))
{
    PspState.CancelThreadIrps = CancelThreadIrps;
    PspState.ImagesChanged = ImagesChanged;
}
