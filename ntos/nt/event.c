/*
 * Events.
 */
#include "nt/capture.h"

typedef struct EVENT_PARAMETERS {
    EVENT_TYPE Type;
    BOOLEAN State;
} EVENT_PARAMETERS;

static NTSTATUS Initialize(PVOID Body, PVOID Context)
{
    EVENT_PARAMETERS *Parameters = Context;
    KeInitializeEvent(Body, Parameters->Type, Parameters->State);
    return STATUS_SUCCESS;
}

/* STATUS_OBJECT_NAME_EXISTS (a success) with OBJ_OPENIF and an existing event. Doc:
 * ntifs/nf-ntifs-zwcreateevent */
NTSTATUS NTAPI NtCreateEvent(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState)
{
    EVENT_PARAMETERS Parameters = {Type, InitialState != FALSE};
    if (Type != NotificationEvent && Type != SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    return NtpCreateObject(ObpEventType, sizeof(KEVENT), Initialize, &Parameters, Handle, Desired,
                           Attributes);
}

/* Doc: wdm/nf-wdm-zwopenevent */
NTSTATUS NTAPI NtOpenEvent(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpEventType, Handle, Desired, Attributes);
}

typedef LONG CHANGE(PRKEVENT Event);

static LONG Set(PRKEVENT Event)
{
    return KeSetEvent(Event, EVENT_INCREMENT, FALSE);
}

static LONG Pulse(PRKEVENT Event)
{
    return KePulseEvent(Event, EVENT_INCREMENT, FALSE);
}

static NTSTATUS Change(HANDLE Handle, CHANGE *Routine, PLONG Previous)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKEVENT Event;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, Previous);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, EVENT_MODIFY_STATE, ObpEventType, Mode, (PVOID *)&Event);
    if (!NT_SUCCESS(Status))
        return Status;
    LONG Was = Routine(Event);
    ObDereferenceObject(Event);
    return NTP_WRITE_OPTIONAL(Mode, Previous, Was);
}

/* Doc: ntifs/nf-ntifs-zwsetevent */
NTSTATUS NTAPI NtSetEvent(HANDLE Handle, PLONG PreviousState)
{
    return Change(Handle, Set, PreviousState);
}

NTSTATUS NTAPI NtResetEvent(HANDLE Handle, PLONG PreviousState)
{
    return Change(Handle, KeResetEvent, PreviousState);
}

NTSTATUS NTAPI NtClearEvent(HANDLE Handle)
{
    return Change(Handle, KeResetEvent, NULL);
}

NTSTATUS NTAPI NtPulseEvent(HANDLE Handle, PLONG PreviousState)
{
    return Change(Handle, Pulse, PreviousState);
}

/* Needs EVENT_QUERY_STATE. */
NTSTATUS NTAPI NtQueryEvent(HANDLE Handle, EVENT_INFORMATION_CLASS Class, PVOID Information,
                            ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PRKEVENT Event;
    if (Class != EventBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status = NtpReference(Handle, EVENT_QUERY_STATE, ObpEventType, Mode, (PVOID *)&Event);
    if (!NT_SUCCESS(Status))
        return Status;
    EVENT_BASIC_INFORMATION Basic = {Event->Header.Type == 0 ? NotificationEvent
                                                             : SynchronizationEvent,
                                     KeReadStateEvent(Event)};
    ObDereferenceObject(Event);
    return NtpQueryFixed(Mode, Information, Length, Returned, &Basic, sizeof(Basic));
}
