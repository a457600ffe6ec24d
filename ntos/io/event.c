/*
 * Named events for drivers.
 */
#include "io/iop.h"

/* The event of that name, made (signalled) if there is none; a kernel handle in *Handle keeps it.
 */
static PKEVENT IopOpenEvent(PUNICODE_STRING Name, EVENT_TYPE Type, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    PKEVENT Event, Final;
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    *Handle = NULL;
    InitializeObjectAttributes(&Attributes, Name,
                               OBJ_OPENIF | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ObCreateObject(KernelMode, *ExEventObjectType, &Attributes, KernelMode, NULL,
                            sizeof(KEVENT), 0, 0, (PVOID *)&Event);
    if (!NT_SUCCESS(Status))
        return NULL;
    KeInitializeEvent(Event, Type, TRUE);
    Status = ObInsertObject(Event, NULL, EVENT_ALL_ACCESS, 1, (PVOID *)&Final, Handle);
    if (!NT_SUCCESS(Status))
        return NULL;
    ObDereferenceObject(Final); /* the handle holds it */
    return Final;
}

/* NULL: failure. The caller closes the handle (ZwClose) when it is done with the event. IRQL
 * PASSIVE_LEVEL. Doc: wdm/nf-wdm-iocreatenotificationevent */
PKEVENT NTAPI IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return IopOpenEvent(EventName, NotificationEvent, EventHandle);
}

/* Doc: wdm/nf-wdm-iocreatesynchronizationevent */
PKEVENT NTAPI IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return IopOpenEvent(EventName, SynchronizationEvent, EventHandle);
}
