/*
 * Completion ports: a queue of packets and a semaphore that counts them. io posts the completions
 * of the files that are bound to a port.
 */
#include "nt/capture.h"

typedef struct PACKET {
    LIST_ENTRY Links;
    PVOID Key, ApcContext;
    IO_STATUS_BLOCK Iosb;
} PACKET;

typedef struct PORT {
    KSEMAPHORE Waiting; /* first: what is waited for */
    KSPIN_LOCK Lock;
    LIST_ENTRY Packets;
} PORT;

static POBJECT_TYPE PortType;

static NTSTATUS Post(PVOID Object, PVOID Key, PVOID ApcContext, NTSTATUS Status,
                     ULONG_PTR Information)
{
    PORT *Port = Object;
    KIRQL Irql;
    PACKET *Packet = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Packet), NTP_TAG);
    if (Packet == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Packet->Key = Key;
    Packet->ApcContext = ApcContext;
    Packet->Iosb.Status = Status;
    Packet->Iosb.Information = Information;
    KeAcquireSpinLock(&Port->Lock, &Irql);
    InsertTailList(&Port->Packets, &Packet->Links);
    KeReleaseSpinLock(&Port->Lock, Irql);
    KeReleaseSemaphore(&Port->Waiting, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_SUCCESS;
}

/* After the semaphore was acquired there is a packet. */
static PACKET *Take(PORT *Port)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Port->Lock, &Irql);
    PLIST_ENTRY Entry = RemoveHeadList(&Port->Packets);
    KeReleaseSpinLock(&Port->Lock, Irql);
    return CONTAINING_RECORD(Entry, PACKET, Links);
}

static void Delete(PVOID Object)
{
    PORT *Port = Object;
    while (!IsListEmpty(&Port->Packets))
        ExFreePoolWithTag(Take(Port), NTP_TAG);
}

static NTSTATUS Initialize(PVOID Body, PVOID Context)
{
    PORT *Port = Body;
    KeInitializeSemaphore(&Port->Waiting, 0, MAXLONG);
    KeInitializeSpinLock(&Port->Lock);
    InitializeListHead(&Port->Packets);
    return STATUS_SUCCESS;
}

NTSTATUS NtpInitCompletionPorts(void)
{
    static const OB_TYPE_PROCEDURES Procedures = {.Delete = Delete};
    static const GENERIC_MAPPING Mapping = {STANDARD_RIGHTS_READ | IO_COMPLETION_QUERY_STATE,
                                            STANDARD_RIGHTS_WRITE | IO_COMPLETION_MODIFY_STATE,
                                            STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
                                            STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 3};
    NTSTATUS Status =
        ObCreateObjectType_(L"IoCompletion", &Procedures, &Mapping, Mapping.GenericAll,
                            NonPagedPool, NTP_TAG, FIELD_OFFSET(PORT, Waiting), &PortType);
    if (NT_SUCCESS(Status))
        IopSetCompletionPorts(PortType, Post);
    return Status;
}

/* Count, how many threads may run at a time, is taken as no limit. */
NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Handle, ACCESS_MASK Desired,
                                    POBJECT_ATTRIBUTES Attributes, ULONG Count)
{
    return NtpCreateObject(PortType, sizeof(PORT), Initialize, NULL, Handle, Desired, Attributes);
}

NTSTATUS NTAPI NtOpenIoCompletion(PHANDLE Handle, ACCESS_MASK Desired,
                                  POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(PortType, Handle, Desired, Attributes);
}

/* Needs IO_COMPLETION_MODIFY_STATE. */
NTSTATUS NTAPI NtSetIoCompletion(HANDLE Handle, PVOID Key, PVOID ApcContext,
                                 NTSTATUS CompletionStatus, ULONG_PTR Information)
{
    PVOID Port;
    NTSTATUS Status = NtpReference(Handle, IO_COMPLETION_MODIFY_STATE, PortType, NtpMode(), &Port);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Post(Port, Key, ApcContext, CompletionStatus, Information);
    ObDereferenceObject(Port);
    return Status;
}

static NTSTATUS Return(KPROCESSOR_MODE Mode, PACKET *Packet, PVOID *Key, PVOID *ApcContext,
                       PIO_STATUS_BLOCK Iosb)
{
    NTSTATUS Status = NTP_WRITE(Mode, Key, Packet->Key);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(Mode, ApcContext, Packet->ApcContext);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(Mode, Iosb, Packet->Iosb);
    ExFreePoolWithTag(Packet, NTP_TAG);
    return Status;
}

/* The oldest packet; STATUS_TIMEOUT without one. Needs IO_COMPLETION_MODIFY_STATE. */
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Handle, PVOID *Key, PVOID *ApcContext,
                                    PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER Timeout)
{
    KPROCESSOR_MODE Mode = NtpMode();
    LARGE_INTEGER Storage;
    PORT *Port;
    NTSTATUS Status = NtpCaptureTimeout(Mode, Timeout, &Storage, &Timeout);
    if (NT_SUCCESS(Status))
        Status = NtpProbe(Mode, Key, sizeof(*Key));
    if (NT_SUCCESS(Status))
        Status = NtpProbe(Mode, ApcContext, sizeof(*ApcContext));
    if (NT_SUCCESS(Status))
        Status = NtpProbe(Mode, Iosb, sizeof(*Iosb));
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, IO_COMPLETION_MODIFY_STATE, PortType, Mode, (PVOID *)&Port);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = KeWaitForSingleObject(&Port->Waiting, UserRequest, Mode, FALSE, Timeout);
    if (Status == STATUS_SUCCESS)
        Status = Return(Mode, Take(Port), Key, ApcContext, Iosb);
    ObDereferenceObject(Port);
    return Status;
}

/* Needs IO_COMPLETION_QUERY_STATE. */
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE Handle, IO_COMPLETION_INFORMATION_CLASS Class,
                                   PVOID Information, ULONG Length, PULONG Returned)
{
    PORT *Port;
    if (Class != IoCompletionBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status =
        NtpReference(Handle, IO_COMPLETION_QUERY_STATE, PortType, NtpMode(), (PVOID *)&Port);
    if (!NT_SUCCESS(Status))
        return Status;
    IO_COMPLETION_BASIC_INFORMATION Basic = {KeReadStateSemaphore(&Port->Waiting)};
    ObDereferenceObject(Port);
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Basic, sizeof(Basic));
}
