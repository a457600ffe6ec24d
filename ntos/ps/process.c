/*
 * Process objects: making them, ending them, finding them.
 *
 * A process is on the list of processes from its creation to its end; the list holds a reference.
 * Its end runs once, in its own context: by the last thread that leaves it, or by
 * PsTerminateProcess_ if there is none.
 */
#include "ps/psp.h"
#include <string.h>

static const GENERIC_MAPPING PspProcessMapping = {
    STANDARD_RIGHTS_READ | PROCESS_VM_READ | PROCESS_QUERY_INFORMATION,
    STANDARD_RIGHTS_WRITE | PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD | PROCESS_VM_OPERATION |
        PROCESS_VM_WRITE | PROCESS_DUP_HANDLE | PROCESS_TERMINATE | PROCESS_SET_QUOTA |
        PROCESS_SET_INFORMATION,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
    PROCESS_ALL_ACCESS,
};
static const GENERIC_MAPPING PspThreadMapping = {
    STANDARD_RIGHTS_READ | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION,
    STANDARD_RIGHTS_WRITE | THREAD_TERMINATE | THREAD_SUSPEND_RESUME | THREAD_ALERT |
        THREAD_SET_INFORMATION | THREAD_SET_CONTEXT,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
    THREAD_ALL_ACCESS,
};

POBJECT_TYPE *PsProcessType = &PspState.ProcessType;
POBJECT_TYPE *PsThreadType = &PspState.ThreadType;

NTSTATUS PspCreateTypes(void)
{
    static const OB_TYPE_PROCEDURES Process = {.Delete = PspFreeProcess};
    static const OB_TYPE_PROCEDURES Thread = {.Delete = PspFreeThread};
    NTSTATUS Status = ObCreateObjectType_(
        L"Process", &Process, &PspProcessMapping, PROCESS_ALL_ACCESS, NonPagedPool, 'corP',
        FIELD_OFFSET(EPROCESS_NT, Pcb.Header), &PspState.ProcessType);

    if (!NT_SUCCESS(Status))
        return Status;
    return ObCreateObjectType_(L"Thread", &Thread, &PspThreadMapping, THREAD_ALL_ACCESS,
                               NonPagedPool, 'erhT', FIELD_OFFSET(ETHREAD_NT, Tcb.Header),
                               &PspState.ThreadType);
}

/* Owner and access of a process or thread: those of its token. */
NTSTATUS PspAssignSecurity(PVOID Object, SE_TOKEN *Token)
{
    SECURITY_DESCRIPTOR Absolute;
    PSECURITY_DESCRIPTOR Stored;
    ULONG Length = 0;

    RtlCreateSecurityDescriptor(&Absolute, SECURITY_DESCRIPTOR_REVISION);
    RtlSetOwnerSecurityDescriptor(&Absolute, Token->User, FALSE);
    RtlSetDaclSecurityDescriptor(&Absolute, TRUE, Token->DefaultDacl, FALSE);
    RtlAbsoluteToSelfRelativeSD(&Absolute, NULL, &Length);
    Stored = ExAllocatePoolWithTag(PagedPool, Length, 'dSeS');
    if (!Stored)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlAbsoluteToSelfRelativeSD(&Absolute, Stored, &Length);
    ObHeader(Object)->SecurityDescriptor = Stored;
    return STATUS_SUCCESS;
}

static NTSTATUS PspNameProcess(PEPROCESS Process, const char *Path)
{
    const char *Slash = strrchr(Path, '/');
    ANSI_STRING Text;

    strncpy(Process->ImageName, Slash ? Slash + 1 : Path, sizeof(Process->ImageName) - 1);
    RtlInitAnsiString(&Text, Path);
    return RtlAnsiStringToUnicodeString(&Process->ImagePath, &Text, TRUE);
}

/* A Linux process id may meet the System process's 4, or that of a process that has not quite gone.
 */
static void PspPublishProcess(PEPROCESS Process, ULONG Id)
{
    KIRQL Irql;

    ObReferenceObject(Process);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    while (PspFindProcess(ULongToHandle(Id)))
        Id += 0x1000000;
    Process->UniqueProcessId = ULongToHandle(Id);
    InsertTailList(&PspState.Processes, &Process->ActiveLinks);
    PspEnterProcessId(Process);
    KeReleaseSpinLock(&PspState.Lock, Irql);
}

static NTSTATUS PspFillProcess(PEPROCESS Process, const PS_CLIENT *Client)
{
    NTSTATUS Status = PspNameProcess(Process, Client->ImagePath ? Client->ImagePath : "");

    if (!NT_SUCCESS(Status))
        return Status;
    if (Client->HostProcessId == 0 && !Client->Embedded) {
        Process->Token = SeSystemToken();
        ObReferenceObject(Process->Token);
    } else {
        Status = SeCreateTokenForHostUser(Client->HostUserId, &Process->Token);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Status = PspAssignSecurity(Process, Process->Token);
    if (!NT_SUCCESS(Status))
        return Status;
    return ObInitProcess(Process, Client->Parent, Client->InheritHandles);
}

/* The System process has no user memory: no slot. */
static NTSTATUS PspGiveMemory(PEPROCESS Process, const PS_CLIENT *Client)
{
    NTSTATUS Status;

    if (Client->HostProcessId == 0 && !Client->Embedded)
        return STATUS_SUCCESS;
    Status = MmCreateAddressSpace(&Process->AddressSpace, Client->Embedded);
    if (!NT_SUCCESS(Status))
        return Status;
    Process->Pcb.AddressSpace = &Process->AddressSpace;
    Process->Pcb.DirectoryTableBase = (ULONG_PTR)Process->AddressSpace.DirectoryFrame << PAGE_SHIFT;
    Process->Pcb.Embedded = Client->Embedded;
    return STATUS_SUCCESS;
}

NTSTATUS PspCreateProcess(const PS_CLIENT *Client, ULONG Id, PEPROCESS *Process)
{
    PEPROCESS New;
    NTSTATUS Status = ObCreateObject(KernelMode, PspState.ProcessType, NULL, KernelMode, NULL,
                                     sizeof(EPROCESS_NT), 0, 0, (PVOID *)&New);

    if (!NT_SUCCESS(Status))
        return Status;
    memset(New, 0, sizeof(*New));
    KeInitializeProcess(&New->Pcb);
    New->Pcb.HasBody = TRUE;
    InitializeListHead(&New->ThreadList);
    ExInitializeRundownProtection(&New->Rundown);
    KeQuerySystemTime(&New->CreateTime);
    New->ExitStatus = STATUS_PENDING;
    New->ParentId = Client->Parent ? Client->Parent->UniqueProcessId : NULL;
    New->HostProcessId = Client->Embedded ? 0 : Client->HostProcessId;
    New->Client = Client->Client;
    New->TellEnd = Client->TellEnd;
    Status = PspFillProcess(New, Client);
    if (NT_SUCCESS(Status))
        Status = PspGiveMemory(New, Client);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        return Status;
    }
    PspPublishProcess(New, Id);
    *Process = New;
    return STATUS_SUCCESS;
}

NTSTATUS PsCreateClientProcess(const PS_CLIENT *Client, PEPROCESS *Process)
{
    PEPROCESS New;
    NTSTATUS Status = PspCreateProcess(
        Client, Client->HostProcessId ? Client->HostProcessId : host_process_id(), &New);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspNotifyProcessCreate(New);
    if (!NT_SUCCESS(Status)) { /* a driver denied it */
        PsTerminateProcess_(New, Status);
        ObDereferenceObject(New);
        return Status;
    }
    *Process = New;
    return STATUS_SUCCESS;
}

static void PspUnpublishProcess(PEPROCESS Process)
{
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    RemoveEntryList(&Process->ActiveLinks);
    RemoveEntryList(&Process->IdLinks);
    Process->Dead = TRUE;
    KeReleaseSpinLock(&PspState.Lock, Irql);
}

void PspEndProcess(PEPROCESS Process)
{
    LARGE_INTEGER Now;

    if (Process->TellEnd)
        Process->TellEnd(Process->Client, Process->ExitStatus);
    if (Process != PsInitialSystemProcess)
        PspNotifyProcessExit(Process);
    ObKillProcess(Process);
    ExWaitForRundownProtectionRelease(
        &Process->Rundown); /* services of other processes that use the address space */
    if (Process->Pcb.AddressSpace)
        MmCleanAddressSpace(&Process->AddressSpace);
    PsKeepProcessTimes_(Process);
    KeQuerySystemTime(&Now);
    Process->ExitTime = Now.QuadPart;
    if (Process->ExitStatus == STATUS_PENDING)
        Process->ExitStatus = STATUS_SUCCESS;
    PspUnpublishProcess(Process);
    KeSetProcess_(&Process->Pcb);
    ObDereferenceObject(Process);
}

/* Marks the process and its threads. TRUE: there is no thread, and the caller is to end it. */
static BOOLEAN PspMarkProcess(PEPROCESS Process, NTSTATUS Status)
{
    BOOLEAN End = FALSE;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    if (!Process->Exiting) {
        Process->ExitStatus = Status;
        Process->Exiting = TRUE;
        End = atomic_load(&Process->ActiveThreads) == 0;
    }
    for (PLIST_ENTRY Entry = Process->ThreadList.Flink; Entry != &Process->ThreadList;
         Entry = Entry->Flink)
        PsTerminateThread_(CONTAINING_RECORD(Entry, ETHREAD_NT, ThreadListEntry), Status);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    return End;
}

void PsTerminateProcess_(PEPROCESS Process, NTSTATUS Status)
{
    KAPC_STATE_NT Saved;

    NT_ASSERT(Process != PsInitialSystemProcess);
    if (!PspMarkProcess(Process, Status))
        return;
    KeAttachProcess_(&Process->Pcb, &Saved);
    PspEndProcess(Process);
    KeDetachProcess_(&Saved);
}

void PsEnumerateThreads_(PEPROCESS Process, void (*Each)(PVOID Context, PETHREAD Thread),
                         PVOID Context)
{
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    for (PLIST_ENTRY Entry = Process->ThreadList.Flink; Entry != &Process->ThreadList;
         Entry = Entry->Flink)
        Each(Context, CONTAINING_RECORD(Entry, ETHREAD_NT, ThreadListEntry));
    KeReleaseSpinLock(&PspState.Lock, Irql);
}

static void PspTerminateUnlessCaller(PVOID Status, PETHREAD Thread)
{
    if (Thread != PsSelf())
        PsTerminateThread_(Thread, *(NTSTATUS *)Status);
}

void PsTerminateOtherThreads_(PEPROCESS Process, NTSTATUS Status)
{
    PsEnumerateThreads_(Process, PspTerminateUnlessCaller, &Status);
}

void PsWaitProcessEnd(PEPROCESS Process)
{
    KeWaitForSingleObject(&Process->Pcb, Executive, KernelMode, FALSE, NULL);
    PspWaitReaped(Process);
}

/* The last reference to a process object. */
void PspFreeProcess(PVOID Object)
{
    PEPROCESS Process = Object;

    if (Process->Pcb.AddressSpace)
        MmDeleteAddressSpace(&Process->AddressSpace);
    if (Process->HandleTable)
        ExDestroyHandleTable_(Process->HandleTable);
    if (Process->Token)
        ObDereferenceObject(Process->Token);
    if (Process->ImagePath.Buffer)
        RtlFreeUnicodeString(&Process->ImagePath);
}

/* Finds a process by its id; the caller owns a reference. STATUS_INVALID_CID if there is none.
 * IRQL <= APC_LEVEL. Doc: ntifs/nf-ntifs-pslookupprocessbyprocessid */
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    PEPROCESS Found;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Found = PspFindProcess(ProcessId);
    if (Found)
        ObReferenceObject(Found);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (!Found)
        return STATUS_INVALID_CID;
    *Process = Found;
    return STATUS_SUCCESS;
}

PEPROCESS PsNextProcess_(PEPROCESS Process)
{
    PEPROCESS Next = NULL;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    if (!Process || !Process->Dead) {
        Entry = Process ? Process->ActiveLinks.Flink : PspState.Processes.Flink;
        if (Entry != &PspState.Processes) {
            Next = CONTAINING_RECORD(Entry, EPROCESS_NT, ActiveLinks);
            ObReferenceObject(Next);
        }
    }
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (Process)
        ObDereferenceObject(Process);
    return Next;
}
