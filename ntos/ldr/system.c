/*
 * A driver's entry and unload routines run in a thread of the System process, whoever asks.
 */
#include "ldr/ldrp.h"

typedef struct SYSTEM_WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Done;
    NTSTATUS (*Routine)(PVOID Context);
    PVOID Context;
    NTSTATUS Status;
} SYSTEM_WORK;

static VOID NTAPI Work(PVOID Context)
{
    SYSTEM_WORK *Work = Context;
    Work->Status = Work->Routine(Work->Context);
    KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
}

NTSTATUS LdrpRunInSystem(NTSTATUS (*Routine)(PVOID Context), PVOID Context)
{
    SYSTEM_WORK Task = {.Routine = Routine, .Context = Context, .Status = STATUS_PENDING};
    if (PsIsSystemThread((PETHREAD)PsSelf()) && PsGetCurrentProcess() == PsInitialSystemProcess)
        return Routine(Context);
    KeInitializeEvent(&Task.Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Task.Item, Work, &Task);
    ExQueueWorkItem(&Task.Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Task.Done, Executive, KernelMode, FALSE, NULL);
    return Task.Status;
}
