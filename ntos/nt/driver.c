/*
 * Loading and unloading drivers, in a thread of the System process.
 */
#include "nt/capture.h"

typedef struct DRIVER_WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Done;
    PUNICODE_STRING ServiceKey;
    NTSTATUS (*Routine)(PUNICODE_STRING ServiceKey);
    NTSTATUS Status;
} DRIVER_WORK;

static VOID NTAPI Work(PVOID Context)
{
    DRIVER_WORK *Work = Context;
    Work->Status = Work->Routine(Work->ServiceKey);
    KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS RunInSystem(NTSTATUS (*Routine)(PUNICODE_STRING ServiceKey), PUNICODE_STRING ServiceKey)
{
    DRIVER_WORK Task = {.ServiceKey = ServiceKey, .Routine = Routine, .Status = STATUS_PENDING};
    if (PsGetCurrentProcess() == PsInitialSystemProcess)
        return Routine(ServiceKey);
    KeInitializeEvent(&Task.Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Task.Item, Work, &Task);
    ExQueueWorkItem(&Task.Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Task.Done, Executive, KernelMode, FALSE, NULL);
    return Task.Status;
}

static NTSTATUS Run(NTSTATUS (*Routine)(PUNICODE_STRING ServiceKey), PUNICODE_STRING ServiceKey)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Captured;
    if (!SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_LOAD_DRIVER_PRIVILEGE), Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = NtpCaptureString(Mode, ServiceKey, &Captured);
    if (NT_SUCCESS(Status) && Captured.Length == 0)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = RunInSystem(Routine, &Captured);
    NtpReleaseString(Mode, &Captured);
    return Status;
}

/* ServiceKey: \Registry\Machine\System\CurrentControlSet\Services\NAME. Needs SeLoadDriverPrivilege. Doc: wdm/nf-wdm-zwloaddriver */
NTSTATUS NTAPI NtLoadDriver(PUNICODE_STRING ServiceKey)
{
    return Run(LdrLoadDriver, ServiceKey);
}

/* Doc: wdm/nf-wdm-zwunloaddriver */
NTSTATUS NTAPI NtUnloadDriver(PUNICODE_STRING ServiceKey)
{
    return Run(LdrUnloadDriver, ServiceKey);
}
