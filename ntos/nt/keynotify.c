/*
 * Notification of changes of a key.
 *
 * A notice belongs to cm until its Done routine runs, once. A synchronous one is shared with the
 * thread that waits (two references: its wait may end earlier). An asynchronous one then becomes a
 * kernel APC of the thread that asked, which writes the status block in that thread's process, and
 * after it, if there is a routine, a user APC.
 */
#include "nt/capture.h"

#define NOTIFY_FILTERS                                                                             \
    (REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_ATTRIBUTES | REG_NOTIFY_CHANGE_LAST_SET |          \
     REG_NOTIFY_CHANGE_SECURITY)

typedef struct NOTICE {
    atomic_int References;
    BOOLEAN Asynchronous;
    KPROCESSOR_MODE Mode;
    NTSTATUS Status;
    KEVENT Done;
    KAPC Apc;
    struct _ETHREAD *Thread;
    PRKEVENT Event;
    PIO_STATUS_BLOCK Iosb;
    PIO_APC_ROUTINE Routine;
    PVOID Context;
} NOTICE;

static void Release(NOTICE *Notice)
{
    if (atomic_fetch_sub(&Notice->References, 1) != 1)
        return;
    if (Notice->Event != NULL)
        ObDereferenceObject(Notice->Event);
    ObDereferenceObject(Notice->Thread);
    ExFreePoolWithTag(Notice, NTP_TAG);
}

static void NTAPI Rundown(PRKAPC Apc)
{
    Release(CONTAINING_RECORD(Apc, NOTICE, Apc));
}

static void NTAPI RunUser(PRKAPC Apc, KI_NORMAL_ROUTINE **Routine, PVOID *Context, PVOID *Argument1,
                          PVOID *Argument2)
{
    Rundown(Apc);
}

/* In the thread that asked. */
static void NTAPI Deliver(PRKAPC Apc, KI_NORMAL_ROUTINE **Routine, PVOID *Context, PVOID *Argument1,
                          PVOID *Argument2)
{
    NOTICE *Notice = CONTAINING_RECORD(Apc, NOTICE, Apc);
    IO_STATUS_BLOCK Iosb = {.Status = Notice->Status, .Information = 0};
    NTP_WRITE(Notice->Mode, Notice->Iosb,
              Iosb); /* probed before; a client that has freed it since loses the answer */
    if (Notice->Event != NULL)
        KeSetEvent(Notice->Event, IO_NO_INCREMENT, FALSE);
    if (Notice->Routine == NULL) {
        Release(Notice);
        return;
    }
    KeInitializeApc(&Notice->Apc, &Notice->Thread->Tcb, OriginalApcEnvironment, RunUser, Rundown,
                    (KI_NORMAL_ROUTINE *)(PVOID)Notice->Routine, Notice->Mode, Notice->Context);
    if (!KeInsertQueueApc(&Notice->Apc, Notice->Iosb, NULL, 0))
        Release(Notice);
}

static void Done(PVOID Context, NTSTATUS Status)
{
    NOTICE *Notice = Context;
    Notice->Status = Status;
    if (!Notice->Asynchronous) {
        KeSetEvent(&Notice->Done, IO_NO_INCREMENT, FALSE);
        Release(Notice);
        return;
    }
    KeInitializeApc(&Notice->Apc, &Notice->Thread->Tcb, OriginalApcEnvironment, Deliver, Rundown,
                    NULL, KernelMode, NULL);
    if (!KeInsertQueueApc(&Notice->Apc, NULL, NULL, 0))
        Release(Notice); /* the thread has ended */
}

static NTSTATUS NewNotice(HANDLE Event, BOOLEAN Asynchronous, NOTICE **New)
{
    NOTICE *Notice = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Notice), NTP_TAG);
    NTSTATUS Status = STATUS_SUCCESS;
    if (Notice == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Notice, sizeof(*Notice));
    if (Event != NULL)
        Status = NtpReference(Event, EVENT_MODIFY_STATE, ObpEventType, NtpMode(),
                              (PVOID *)&Notice->Event);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Notice, NTP_TAG);
        return Status;
    }
    Notice->Thread = PsSelf();
    ObReferenceObject(Notice->Thread);
    Notice->Asynchronous = Asynchronous;
    Notice->Mode = NtpMode();
    KeInitializeEvent(&Notice->Done, NotificationEvent, FALSE);
    atomic_store(&Notice->References, Asynchronous ? 1 : 2);
    if (Notice->Event != NULL)
        KeResetEvent(Notice->Event);
    *New = Notice;
    return STATUS_SUCCESS;
}

/* The synchronous form, after cm has the notice. */
static NTSTATUS Wait(NOTICE *Notice)
{
    NTSTATUS Status = KeWaitForSingleObject(&Notice->Done, UserRequest, Notice->Mode, FALSE, NULL);
    if (Status == STATUS_SUCCESS) {
        IO_STATUS_BLOCK Iosb = {.Status = Notice->Status, .Information = 0};
        Status = NTP_WRITE(Notice->Mode, Notice->Iosb, Iosb);
        if (NT_SUCCESS(Status))
            Status = Notice->Status;
    }
    Release(Notice);
    return Status;
}

static NTSTATUS Start(PVOID Key, NOTICE *Notice, ULONG Filter, BOOLEAN WatchTree)
{
    BOOLEAN Asynchronous =
        Notice->Asynchronous; /* an asynchronous notice may be gone by the next line */
    NTSTATUS Status = CmNotifyChange_(Key, Filter, WatchTree, Done, Notice);
    if (!NT_SUCCESS(Status)) {
        if (!Asynchronous)
            Release(Notice);
        Release(Notice);
        return Status;
    }
    return Asynchronous ? STATUS_PENDING : Wait(Notice);
}

/* STATUS_NOTIFY_ENUM_DIR when the key has changed, STATUS_NOTIFY_CLEANUP when it has gone; which
 * change it was is not told, the buffer is not used. Needs KEY_NOTIFY. Doc:
 * ntifs/nf-ntifs-zwnotifychangekey */
NTSTATUS NTAPI NtNotifyChangeKey(HANDLE Handle, HANDLE Event, PIO_APC_ROUTINE Routine,
                                 PVOID Context, PIO_STATUS_BLOCK Iosb, ULONG Filter,
                                 BOOLEAN WatchTree, PVOID Buffer, ULONG Length,
                                 BOOLEAN Asynchronous)
{
    NOTICE *Notice;
    PVOID Key;
    if (Filter == 0 || (Filter & ~NOTIFY_FILTERS) != 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = NtpProbe(NtpMode(), Iosb, sizeof(*Iosb));
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, KEY_NOTIFY, CmKeyObjectType_, NtpMode(), &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NewNotice(Event, Asynchronous, &Notice);
    if (NT_SUCCESS(Status)) {
        Notice->Iosb = Iosb;
        Notice->Routine = Routine;
        Notice->Context = Context;
        Status = Start(Key, Notice, Filter, WatchTree);
    }
    ObDereferenceObject(Key);
    return Status;
}
