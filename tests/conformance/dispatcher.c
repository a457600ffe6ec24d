/* Dispatcher objects, timers, DPCs, IRQL, threads, work items, resources. */
#include "driver.h"

static NTSTATUS WaitFor(PVOID Object, LONGLONG Time)
{
    LARGE_INTEGER Due = {.QuadPart = Time};

    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Due);
}

VOID TestEvents(REPORT *Report)
{
    KEVENT First, Second;
    PVOID Both[2] = {&First, &Second};
    LARGE_INTEGER Now = {.QuadPart = 0};

    KeInitializeEvent(&First, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Second, NotificationEvent, TRUE);
    SAY_STATUS(Report, "events.wait-unset", WaitFor(&First, 0));
    SAY_NUMBER(Report, "events.set-was", KeSetEvent(&First, IO_NO_INCREMENT, FALSE));
    SAY_NUMBER(Report, "events.set-again-was", KeSetEvent(&First, IO_NO_INCREMENT, FALSE));
    SAY_STATUS(Report, "events.wait-takes", WaitFor(&First, 0));
    SAY_NUMBER(Report, "events.after-wait", KeReadStateEvent(&First));
    SAY_STATUS(Report, "events.notification-stays", WaitFor(&Second, 0));
    SAY_NUMBER(Report, "events.notification-state", KeReadStateEvent(&Second));
    SAY_STATUS(
        Report, "events.any",
        KeWaitForMultipleObjects(2, Both, WaitAny, Executive, KernelMode, FALSE, &Now, NULL));
    SAY_STATUS(
        Report, "events.all",
        KeWaitForMultipleObjects(2, Both, WaitAll, Executive, KernelMode, FALSE, &Now, NULL));
    SAY_NUMBER(Report, "events.reset-was", KeResetEvent(&Second));
    KeClearEvent(&Second);
    SAY_NUMBER(Report, "events.cleared", KeReadStateEvent(&Second));
}

VOID TestSemaphores(REPORT *Report)
{
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 1, 3);
    SAY_STATUS(Report, "semaphores.first", WaitFor(&Semaphore, 0));
    SAY_STATUS(Report, "semaphores.second", WaitFor(&Semaphore, 0));
    SAY_NUMBER(Report, "semaphores.release-was", KeReleaseSemaphore(&Semaphore, 0, 2, FALSE));
    SAY_NUMBER(Report, "semaphores.release-was-two", KeReleaseSemaphore(&Semaphore, 0, 1, FALSE));
    SAY_STATUS(Report, "semaphores.third", WaitFor(&Semaphore, 0));
}

VOID TestMutexes(REPORT *Report)
{
    KMUTEX Mutex;

    KeInitializeMutex(&Mutex, 0);
    SAY_STATUS(Report, "mutexes.take", WaitFor(&Mutex, 0));
    SAY_STATUS(Report, "mutexes.take-again", WaitFor(&Mutex, 0));
    SAY_NUMBER(Report, "mutexes.release-was", KeReleaseMutex(&Mutex, FALSE));
    SAY_NUMBER(Report, "mutexes.last-release-was", KeReleaseMutex(&Mutex, FALSE));
}

typedef struct _RUN {
    KDPC Dpc;
    KEVENT Done;
    ULONG Calls;
    KIRQL Irql;
    PVOID First, Second;
} RUN;

static VOID NTAPI OnDpc(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    RUN *Run = Context;

    UNREFERENCED_PARAMETER(Dpc);
    Run->Calls++;
    Run->Irql = KeGetCurrentIrql();
    Run->First = First;
    Run->Second = Second;
    KeSetEvent(&Run->Done, IO_NO_INCREMENT, FALSE);
}

static VOID InitRun(RUN *Run)
{
    RtlZeroMemory(Run, sizeof(*Run));
    KeInitializeEvent(&Run->Done, SynchronizationEvent, FALSE);
    KeInitializeDpc(&Run->Dpc, OnDpc, Run);
}

#define PATIENCE (-300000000LL) /* 30 seconds */

VOID TestTimers(REPORT *Report)
{
    LARGE_INTEGER Due = {.QuadPart = -10000}, Far = {.QuadPart = PATIENCE * 10};
    KTIMER Timer;
    RUN Run;

    InitRun(&Run);
    KeInitializeTimerEx(&Timer, NotificationTimer);
    SAY_NUMBER(Report, "timers.cancel-unset", KeCancelTimer(&Timer));
    SAY_NUMBER(Report, "timers.set-was-set", KeSetTimer(&Timer, Far, NULL));
    SAY_NUMBER(Report, "timers.set-again-was-set", KeSetTimerEx(&Timer, Far, 0, NULL));
    SAY_NUMBER(Report, "timers.cancel-set", KeCancelTimer(&Timer));
    KeSetTimer(&Timer, Due, &Run.Dpc);
    SAY_STATUS(Report, "timers.dpc-runs", WaitFor(&Run.Done, PATIENCE));
    SAY_NUMBER(Report, "timers.dpc-irql", Run.Irql);
    SAY_STATUS(Report, "timers.wait", WaitFor(&Timer, PATIENCE));
    SAY_NUMBER(Report, "timers.cancel-expired", KeCancelTimer(&Timer));
    SAY_STATUS(Report, "timers.delay", KeDelayExecutionThread(KernelMode, FALSE, &Due));
}

VOID TestTimerStates(REPORT *Report)
{
    LARGE_INTEGER Due = {.QuadPart = -10000};
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    SAY_NUMBER(Report, "timerstates.new", KeReadStateTimer(&Timer));
    KeSetTimer(&Timer, Due, NULL);
    WaitFor(&Timer, PATIENCE);
    SAY_NUMBER(Report, "timerstates.expired", KeReadStateTimer(&Timer));
}

VOID TestDpcs(REPORT *Report)
{
    RUN Run;
    KIRQL Old;

    InitRun(&Run);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    SAY_NUMBER(Report, "dpcs.insert", KeInsertQueueDpc(&Run.Dpc, Report, &Run));
    SAY_NUMBER(Report, "dpcs.insert-again", KeInsertQueueDpc(&Run.Dpc, NULL, NULL));
    SAY_NUMBER(Report, "dpcs.not-yet", Run.Calls);
    KeLowerIrql(Old);
    SAY_STATUS(Report, "dpcs.runs", WaitFor(&Run.Done, PATIENCE));
    SAY_NUMBER(Report, "dpcs.irql", Run.Irql);
    SAY_NUMBER(Report, "dpcs.arguments", Run.First == Report && Run.Second == &Run);
    SAY_NUMBER(Report, "dpcs.remove-idle", KeRemoveQueueDpc(&Run.Dpc));
}

VOID TestIrql(REPORT *Report)
{
    KSPIN_LOCK Lock;
    KIRQL Old;

    KeInitializeSpinLock(&Lock);
    SAY_NUMBER(Report, "irql.passive", KeGetCurrentIrql());
    KeAcquireSpinLock(&Lock, &Old);
    SAY_NUMBER(Report, "irql.locked", KeGetCurrentIrql());
    KeReleaseSpinLock(&Lock, Old);
    KeRaiseIrql(APC_LEVEL, &Old);
    SAY_NUMBER(Report, "irql.raised", KeGetCurrentIrql());
    KeLowerIrql(Old);
    SAY_NUMBER(Report, "irql.back", KeGetCurrentIrql());
}

static VOID NTAPI Thread(PVOID Context)
{
    RUN *Run = Context;

    Run->Calls++;
    Run->Irql = KeGetCurrentIrql();
    PsTerminateSystemThread(STATUS_ALERTED);
}

VOID TestThreads(REPORT *Report)
{
    PVOID Object;
    HANDLE Handle;
    RUN Run;

    InitRun(&Run);
    SAY_STATUS(Report, "threads.create",
               PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Thread, &Run));
    SAY_STATUS(Report, "threads.object",
               ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, KernelMode, &Object, NULL));
    SAY_STATUS(Report, "threads.ends", WaitFor(Object, PATIENCE));
    SAY_NUMBER(Report, "threads.ran", Run.Calls);
    SAY_NUMBER(Report, "threads.irql", Run.Irql);
    ObDereferenceObject(Object);
    SAY_STATUS(Report, "threads.close", ZwClose(Handle));
}

static VOID NTAPI Work(PDEVICE_OBJECT Device, PVOID Context)
{
    RUN *Run = Context;

    Run->First = Device;
    Run->Irql = KeGetCurrentIrql();
    KeSetEvent(&Run->Done, IO_NO_INCREMENT, FALSE);
}

VOID TestWorkItems(REPORT *Report)
{
    PIO_WORKITEM Item = IoAllocateWorkItem(Report->Device);
    RUN Run;

    InitRun(&Run);
    SAY_NUMBER(Report, "workitems.allocate", Item != NULL);
    IoQueueWorkItem(Item, Work, DelayedWorkQueue, &Run);
    SAY_STATUS(Report, "workitems.runs", WaitFor(&Run.Done, PATIENCE));
    SAY_NUMBER(Report, "workitems.device", Run.First == Report->Device);
    SAY_NUMBER(Report, "workitems.irql", Run.Irql);
    IoFreeWorkItem(Item);
}

VOID TestResources(REPORT *Report)
{
    ERESOURCE Resource;
    FAST_MUTEX Mutex;

    SAY_STATUS(Report, "resources.initialize", ExInitializeResourceLite(&Resource));
    KeEnterCriticalRegion();
    SAY_NUMBER(Report, "resources.shared", ExAcquireResourceSharedLite(&Resource, FALSE));
    SAY_NUMBER(Report, "resources.shared-held", ExIsResourceAcquiredSharedLite(&Resource));
    SAY_NUMBER(Report, "resources.exclusive-refused",
               ExAcquireResourceExclusiveLite(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    SAY_NUMBER(Report, "resources.exclusive", ExAcquireResourceExclusiveLite(&Resource, FALSE));
    SAY_NUMBER(Report, "resources.exclusive-held", ExIsResourceAcquiredExclusiveLite(&Resource));
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    SAY_STATUS(Report, "resources.delete", ExDeleteResourceLite(&Resource));
    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    SAY_NUMBER(Report, "resources.fast-mutex-irql", KeGetCurrentIrql());
    ExReleaseFastMutex(&Mutex);
}
