/*
 * Callback objects: ExCreateCallback, ExRegisterCallback, ExNotifyCallback.
 *
 * A registration is busy while its function runs; who unregisters it waits for that. A new one is
 * not called by a notification that began before it.
 */
#include "ob/obp.h"

#define OBP_CALLBACK_TAG 'bCbO'

typedef struct _CALLBACK_OBJECT {
    KSPIN_LOCK Lock;
    LIST_ENTRY Registrations;
    BOOLEAN AllowMultiple;
} CALLBACK_OBJECT_NT;

typedef struct OBP_CALLBACK {
    LIST_ENTRY Link;
    CALLBACK_OBJECT_NT *Callback;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
    ULONG Busy;
    BOOLEAN Leaving;
    KEVENT Idle;
} OBP_CALLBACK;

void ObpDeleteCallback(PVOID Object)
{
    CALLBACK_OBJECT_NT *Callback = Object;

    NT_ASSERT(Callback->Registrations.Flink == NULL || IsListEmpty(&Callback->Registrations));
}

static NTSTATUS ObpNewCallback(POBJECT_ATTRIBUTES Attributes, BOOLEAN AllowMultiple,
                               PCALLBACK_OBJECT *Callback)
{
    PCALLBACK_OBJECT New;
    HANDLE Handle;
    NTSTATUS Status = ObCreateObject(KernelMode, ObpCallbackType, Attributes, KernelMode, NULL,
                                     sizeof(*New), 0, 0, (PVOID *)&New);

    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeSpinLock(&New->Lock);
    InitializeListHead(&New->Registrations);
    New->AllowMultiple = AllowMultiple;
    Status = ObInsertObject(New, NULL, GENERIC_ALL, 1, (PVOID *)Callback, &Handle);
    if (NT_SUCCESS(Status))
        ObCloseHandle_(Handle, KernelMode);
    return Status;
}

/* Opens the callback object of that name, or makes it if Create says so; a new one without
 * OBJ_PERMANENT has no name any more when the routine returns. The caller dereferences it. IRQL <=
 * APC_LEVEL. Doc: wdm/nf-wdm-excreatecallback */
NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject,
                                POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
                                BOOLEAN AllowMultipleCallbacks)
{
    OBJECT_ATTRIBUTES Local;
    NTSTATUS Status = STATUS_UNSUCCESSFUL;
    HANDLE Handle;

    VF_IRQL_MAX(APC_LEVEL);
    if (ObjectAttributes != NULL && ObjectAttributes->ObjectName != NULL) {
        Status = ObOpenObjectByName(ObjectAttributes, ObpCallbackType, KernelMode, NULL, 0, NULL,
                                    &Handle);
        if (NT_SUCCESS(Status)) {
            Status = ObReferenceObjectByHandle(Handle, 0, ObpCallbackType, KernelMode,
                                               (PVOID *)CallbackObject, NULL);
            ObCloseHandle_(Handle, KernelMode);
            return Status;
        }
    }
    if (!Create)
        return Status;
    if (ObjectAttributes != NULL) {
        Local = *ObjectAttributes;
        Local.Attributes |= OBJ_OPENIF;
    }
    return ObpNewCallback(ObjectAttributes != NULL ? &Local : NULL, AllowMultipleCallbacks,
                          CallbackObject);
}

/* NULL: no memory, or the object allows one registration only and has it. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-exregistercallback */
PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                               PVOID CallbackContext)
{
    OBP_CALLBACK *New = ExAllocatePoolWithTag(NonPagedPool, sizeof(*New), OBP_CALLBACK_TAG);
    BOOLEAN Refused;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    if (New == NULL)
        return NULL;
    MM_GIVE_TO_CALLER(New);
    *New = (OBP_CALLBACK){
        .Callback = CallbackObject, .Function = CallbackFunction, .Context = CallbackContext};
    KeInitializeEvent(&New->Idle, NotificationEvent, FALSE);
    ObReferenceObject(CallbackObject);
    KeAcquireSpinLock(&CallbackObject->Lock, &Irql);
    Refused = !CallbackObject->AllowMultiple && !IsListEmpty(&CallbackObject->Registrations);
    if (!Refused)
        InsertTailList(&CallbackObject->Registrations, &New->Link);
    KeReleaseSpinLock(&CallbackObject->Lock, Irql);
    if (!Refused)
        return New;
    ObDereferenceObject(CallbackObject);
    ExFreePoolWithTag(New, OBP_CALLBACK_TAG);
    return NULL;
}

/* Returns when the function does not run any more. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-exunregistercallback */
VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration)
{
    OBP_CALLBACK *Registration = CallbackRegistration;
    CALLBACK_OBJECT_NT *Callback = Registration->Callback;
    BOOLEAN Busy;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    KeAcquireSpinLock(&Callback->Lock, &Irql);
    Registration->Leaving = TRUE;
    Busy = Registration->Busy != 0;
    if (!Busy)
        RemoveEntryList(&Registration->Link);
    KeReleaseSpinLock(&Callback->Lock, Irql);
    if (Busy) /* the last call takes it off the list */
        KeWaitForSingleObject(&Registration->Idle, Executive, KernelMode, FALSE, NULL);
    ExFreePoolWithTag(Registration, OBP_CALLBACK_TAG);
    ObDereferenceObject(Callback);
}

/* Calls every registered function, in order of registration, at the caller's IRQL (<=
 * DISPATCH_LEVEL). Doc: wdm/nf-wdm-exnotifycallback */
VOID NTAPI ExNotifyCallback(PCALLBACK_OBJECT CallbackObject, PVOID Argument1, PVOID Argument2)
{
    PCALLBACK_OBJECT Callback = CallbackObject;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&Callback->Lock, &Irql);
    for (Entry = Callback->Registrations.Flink; Entry != &Callback->Registrations;) {
        OBP_CALLBACK *Registration = CONTAINING_RECORD(Entry, OBP_CALLBACK, Link);
        BOOLEAN Last = FALSE;

        if (!Registration->Leaving) {
            Registration->Busy++;
            KeReleaseSpinLock(&Callback->Lock, Irql);
            NT_CALL(Registration->Function, Registration->Context, Argument1, Argument2);
            KeAcquireSpinLock(&Callback->Lock, &Irql);
            Last = --Registration->Busy == 0 && Registration->Leaving;
        }
        Entry = Entry->Flink;
        if (Last) {
            RemoveEntryList(&Registration->Link);
            KeSetEvent(&Registration->Idle, IO_NO_INCREMENT, FALSE);
        }
    }
    KeReleaseSpinLock(&Callback->Lock, Irql);
}

/* Those that the documentation promises. */
NTSTATUS ObpMakeCallbacks(void)
{
    static const PCWSTR Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState",
                                   L"\\Callback\\ProcessorAdd"};
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Callback;
    UNICODE_STRING Name;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Names); Index++) {
        RtlInitUnicodeString(&Name, Names[Index]);
        InitializeObjectAttributes(&Attributes, &Name,
                                   OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                                   NULL);
        Status = ExCreateCallback(&Callback, &Attributes, TRUE, TRUE);
        if (NT_SUCCESS(Status))
            ObDereferenceObject(Callback);
    }
    return Status;
}
