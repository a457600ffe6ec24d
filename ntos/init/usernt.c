/*
 * The embedded interface: life and death, threads, calls.
 *
 * States: Down, Starting, Up, Stopping. A thread that attaches counts itself before it looks at the
 * state, and UserNtShutdown leaves Up before it looks at the count: one of them gives way.
 */
#include "init/init.h"
#include <string.h>

typedef enum INIT_PHASE { Down, Starting, Up, Stopping } INIT_PHASE;

static struct {
    _Atomic(INIT_PHASE) Phase;
    atomic_long Attached; /* by UserNtAttachThread */
    struct _KTHREAD *Booter;
    struct _EPROCESS *Process;
} InitState;

/* An older, shorter structure is taken too; what it lacks is zero. */
static NTSTATUS CaptureOptions(const USERNT_OPTIONS *Given, USERNT_OPTIONS *Options)
{
    RtlZeroMemory(Options, sizeof(*Options));
    Options->BootUserId = host_user_id();
    if (Given == NULL)
        return STATUS_SUCCESS;
    if (Given->Size < sizeof(ULONG) || Given->Size > sizeof(*Options))
        return STATUS_INVALID_PARAMETER;
    memcpy(Options, Given, Given->Size);
    if (Options->BootUserId == MAXULONG)
        Options->BootUserId = host_user_id();
    return STATUS_SUCCESS;
}

NTSTATUS InitEnterEmbedded(struct _EPROCESS **Process)
{
    char Program[512] = "";
    host_program_name(Program, sizeof(Program));
    PS_CLIENT Client = {
        .HostProcessId = host_process_id(),
        .HostUserId = host_user_id(),
        .ImagePath = Program,
        .Embedded = TRUE,
    };
    NTSTATUS Status = PsCreateClientProcess(&Client, Process);
    if (!NT_SUCCESS(Status))
        return Status;
    PsDetachHostThread();
    Status = PsAttachHostThread(*Process);
    if (NT_SUCCESS(Status))
        return Status;
    NTSTATUS Back = PsAttachHostThread(NULL); /* to stop the rooms */
    NT_ASSERT(NT_SUCCESS(Back));
    PsTerminateProcess_(*Process, Status);
    PsWaitProcessEnd(*Process);
    ObDereferenceObject(*Process);
    return Status;
}

void InitLeaveEmbedded(struct _EPROCESS *Process)
{
    PsDetachHostThread(); /* its last thread: the process ends */
    NTSTATUS Status = PsAttachHostThread(NULL);
    NT_ASSERT(NT_SUCCESS(Status));
    PsWaitProcessEnd(Process);
    ObDereferenceObject(Process);
}

NTSTATUS UserNtBoot(const USERNT_OPTIONS *Given)
{
    USERNT_OPTIONS Options;
    INIT_PHASE Was = Down;
    NTSTATUS Status = CaptureOptions(Given, &Options);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!atomic_compare_exchange_strong(&InitState.Phase, &Was, Starting))
        return STATUS_ALREADY_COMMITTED;
    InitState.Process = NULL;
    if (Options.TraceFile != NULL && IoTraceTo(Options.TraceFile) < 0)
        Status = STATUS_CANNOT_MAKE;
    else
        Status = InitStartRooms(&Options);
    if (NT_SUCCESS(Status) && !Options.NoEmbeddedProcess) {
        Status = InitEnterEmbedded(&InitState.Process);
        if (!NT_SUCCESS(Status))
            InitStopRooms();
    }
    if (!NT_SUCCESS(Status))
        IoTraceTo(NULL);
    InitState.Booter = NT_SUCCESS(Status) ? KiSelf : NULL;
    atomic_store(&InitState.Phase, NT_SUCCESS(Status) ? Up : Down);
    return Status;
}

BOOLEAN InitIsUp(void)
{
    return atomic_load(&InitState.Phase) == Up;
}

/* Whether only the booting thread's process and System are left. */
static BOOLEAN IsAlone(void)
{
    ULONG Others = 0;
    for (struct _EPROCESS *Process = PsNextProcess_(NULL); Process != NULL;
         Process = PsNextProcess_(Process))
        Others += Process != PsInitialSystemProcess && Process != InitState.Process;
    return Others == 0;
}

NTSTATUS UserNtShutdown(void)
{
    INIT_PHASE Was = Up;
    if (!atomic_compare_exchange_strong(&InitState.Phase, &Was, Stopping))
        return STATUS_INVALID_DEVICE_STATE;
    if (KiSelf != InitState.Booter || atomic_load(&InitState.Attached) != 0 || !IsAlone()) {
        atomic_store(&InitState.Phase, Up);
        return STATUS_DEVICE_BUSY;
    }
    if (InitState.Process != NULL)
        InitLeaveEmbedded(InitState.Process);
    IoNotifyShutdown(); /* while the services still work */
    LdrUnloadAll();
    InitStopRooms();
    int Trace = IoTraceTo(NULL);
    InitState.Process = NULL;
    InitState.Booter = NULL;
    atomic_store(&InitState.Phase, Down);
    return Trace < 0 ? STATUS_UNEXPECTED_IO_ERROR : STATUS_SUCCESS;
}

NTSTATUS UserNtAttachThread(void)
{
    if (KiSelf != NULL)
        return STATUS_ALREADY_COMMITTED;
    atomic_fetch_add(&InitState.Attached, 1);
    NTSTATUS Status = atomic_load(&InitState.Phase) == Up ? PsAttachHostThread(InitState.Process)
                                                          : STATUS_DEVICE_NOT_READY;
    if (!NT_SUCCESS(Status))
        atomic_fetch_sub(&InitState.Attached, 1);
    return Status;
}

/* The thread that booted stays until UserNtShutdown: for it this does nothing. */
void UserNtDetachThread(void)
{
    if (KiSelf == NULL || KiSelf == InitState.Booter)
        return;
    PsDetachHostThread();
    atomic_fetch_sub(&InitState.Attached, 1);
}

NTSTATUS UserNtCall(ULONG Service, const ULONG_PTR *Arguments)
{
    return KiSelf == NULL ? STATUS_INVALID_THREAD : KiSystemService(Service, Arguments);
}
