/*
 * Work items of devices and drivers: the object is held from queueing until the routine has
 * returned.
 */
#include "io/iop.h"
#include <string.h>

typedef struct _IO_WORKITEM {
    WORK_QUEUE_ITEM Item;
    PVOID IoObject; /* device or driver */
    PIO_WORKITEM_ROUTINE Routine;
    PIO_WORKITEM_ROUTINE_EX RoutineEx;
    PVOID Context;
    volatile LONG Queued;
} IO_WORKITEM;

static PDRIVER_OBJECT IopDriverOfObject(PVOID IoObject)
{
    PDEVICE_OBJECT Device = IoObject;

    return Device->Type == IO_TYPE_DEVICE ? Device->DriverObject : IoObject;
}

static VOID NTAPI IopRunWorkItem(PVOID Parameter)
{
    PIO_WORKITEM Item = Parameter;
    IO_WORKITEM Copy = *Item; /* the routine may free the item */
    PDRIVER_OBJECT Outer = KiSelf->CurrentDriver;

    KiSelf->CurrentDriver = IopDriverOfObject(Copy.IoObject);
    InterlockedExchange(&Item->Queued, 0);
    if (Copy.RoutineEx)
        IOP_CALL(Copy.RoutineEx, Copy.IoObject, Copy.Context, Item);
    else
        IOP_CALL(Copy.Routine, Copy.IoObject, Copy.Context);
    KiSelf->CurrentDriver = Outer;
    ObDereferenceObject(Copy.IoObject);
}

/* Doc: wdm/nf-wdm-iosizeofworkitem. Any IRQL. */
ULONG NTAPI IoSizeofWorkItem(VOID)
{
    return sizeof(IO_WORKITEM);
}

/* In the caller's memory of IoSizeofWorkItem() bytes; IoObject is a device or driver object. Any
 * IRQL. Doc: wdm/nf-wdm-ioinitializeworkitem */
VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    memset(IoWorkItem, 0, sizeof(*IoWorkItem));
    IoWorkItem->IoObject = IoObject;
}

static void IopCheckIdle(PIO_WORKITEM Item, const char *What)
{
    if (Item->Queued)
        VfBugCheck(WORKER_INVALID, 2, (ULONG_PTR)Item, (ULONG_PTR)Item->Routine, 0,
                   "%s of a work item that is queued", What);
}

/* Doc: wdm/nf-wdm-iouninitializeworkitem. The item must not be queued: bug check 0xE4. */
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    IopCheckIdle(IoWorkItem, "IoUninitializeWorkItem");
    IoWorkItem->IoObject = NULL;
}

/* NULL: no memory. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioallocateworkitem */
PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM Item;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Item = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Item), IOP_TAG);
    if (!Item)
        return NULL;
    IoInitializeWorkItem(DeviceObject, Item);
    MM_GIVE_TO_CALLER(Item);
    return Item;
}

/* Also from inside its routine. Bug check 0xE4: it is queued. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-iofreeworkitem */
VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    IopCheckIdle(IoWorkItem, "IoFreeWorkItem");
    ExFreePoolWithTag(IoWorkItem, IOP_TAG);
}

static void IopInsertItem(PIO_WORKITEM Item, WORK_QUEUE_TYPE Queue)
{
    ObReferenceObject(Item->IoObject);
    ExInitializeWorkItem(&Item->Item, IopRunWorkItem, Item);
    ExQueueWorkItem(&Item->Item, Queue);
}

static void IopQueueItem(PIO_WORKITEM Item, WORK_QUEUE_TYPE Queue)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (InterlockedExchange(&Item->Queued, 1))
        VfBugCheck(WORKER_INVALID, 1, (ULONG_PTR)Item, (ULONG_PTR)Item->Routine, 0,
                   "a work item was queued twice");
    IopInsertItem(Item, Queue);
}

/* Calls WorkerRoutine(Device, Context) once, at PASSIVE_LEVEL on a system thread. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioqueueworkitem */
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
                           WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    IopCheckIdle(IoWorkItem, "IoQueueWorkItem");
    IoWorkItem->Routine = WorkerRoutine;
    IoWorkItem->RoutineEx = NULL;
    IoWorkItem->Context = Context;
    IopQueueItem(IoWorkItem, QueueType);
}

/* WorkerRoutine(IoObject, Context, IoWorkItem). IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-ioqueueworkitemex */
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                             WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    IopCheckIdle(IoWorkItem, "IoQueueWorkItemEx");
    IoWorkItem->Routine = NULL;
    IoWorkItem->RoutineEx = WorkerRoutine;
    IoWorkItem->Context = Context;
    IopQueueItem(IoWorkItem, QueueType);
}

/* The same, for an item that may be queued already: FALSE then, and nothing changes. Doc:
 * wdm/nf-wdm-iotryqueueworkitem */
BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                                 WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (InterlockedExchange(&IoWorkItem->Queued, 1))
        return FALSE;
    IoWorkItem->Routine = NULL;
    IoWorkItem->RoutineEx = WorkerRoutine;
    IoWorkItem->Context = Context;
    IopInsertItem(IoWorkItem, QueueType);
    return TRUE;
}
