/*
 * System information about processes, threads and handles.
 */
#include "nt/sysinfo.h"
#include <string.h>

typedef struct THREADS {
    ULONG Count, Room;
    SYSTEM_THREAD_INFORMATION *List;
} THREADS;

/* At DISPATCH_LEVEL: the list is non-paged. */
static void AddThread(PVOID Context, struct _ETHREAD *Thread)
{
    static const UCHAR States[] = {[KiThreadInitialized] = 0,
                                   [KiThreadRunning] = 2,
                                   [KiThreadWaiting] = 5,
                                   [KiThreadTerminated] = 4};
    THREADS *Threads = Context;
    if (Threads->Count++ >= Threads->Room)
        return;
    SYSTEM_THREAD_INFORMATION *One = &Threads->List[Threads->Count - 1];
    RtlZeroMemory(One, sizeof(*One));
    One->CreateTime = Thread->CreateTime;
    One->StartAddress = (PVOID)Thread->StartRoutine;
    One->ClientId = (CLIENT_ID){Thread->UniqueProcessId, Thread->UniqueThreadId};
    One->Priority = __atomic_load_n(&Thread->Tcb.Priority, __ATOMIC_RELAXED);
    One->BasePriority = __atomic_load_n(&Thread->Tcb.BasePriority, __ATOMIC_RELAXED);
    One->ThreadState = States[__atomic_load_n(&Thread->Tcb.State, __ATOMIC_RELAXED) & 3];
    One->WaitReason = (ULONG)__atomic_load_n(&Thread->Tcb.WaitReason, __ATOMIC_RELAXED);
}

/* Threads come and go: grows until they fit. */
static BOOLEAN ListThreads(struct _EPROCESS *Process, THREADS *Threads)
{
    for (Threads->Room = 16;; Threads->Room = Threads->Count + 8) {
        Threads->Count = 0;
        Threads->List =
            ExAllocatePoolWithTag(NonPagedPoolNx, Threads->Room * sizeof(*Threads->List), NTP_TAG);
        if (Threads->List == NULL)
            return FALSE;
        PsEnumerateThreads_(Process, AddThread, Threads);
        if (Threads->Count <= Threads->Room)
            return TRUE;
        ExFreePoolWithTag(Threads->List, NTP_TAG);
    }
}

/* Not under ps's lock: Linux is asked. */
static void AddTimes(const THREADS *Threads)
{
    for (ULONG i = 0; i < Threads->Count; i++) {
        SYSTEM_THREAD_INFORMATION *One = &Threads->List[i];
        PETHREAD Thread;
        if (!NT_SUCCESS(PsLookupThreadByThreadId(One->ClientId.UniqueThread, &Thread)))
            continue;
        PsQueryThreadTimes_(Thread, (PULONG64)&One->KernelTime, (PULONG64)&One->UserTime);
        ObDereferenceObject(Thread);
    }
}

static ULONG HandlesOf(struct _EPROCESS *Process)
{
    ULONG Count = 0;
    if (ExAcquireRundownProtection(&Process->Rundown)) {
        Count = Process->HandleTable == NULL ? 0 : ExHandleCount_(Process->HandleTable);
        ExReleaseRundownProtection(&Process->Rundown);
    }
    return Count;
}

static void FillProcess(SYSTEM_PROCESS_INFORMATION *Out, struct _EPROCESS *Process,
                        const THREADS *Threads, ULONG Bytes)
{
    RtlZeroMemory(Out, Bytes);
    Out->NextEntryOffset = Bytes;
    Out->NumberOfThreads = Threads->Count;
    Out->CreateTime = Process->CreateTime;
    Out->BasePriority = 8;
    Out->UniqueProcessId = Process->UniqueProcessId;
    Out->InheritedFromUniqueProcessId = Process->ParentId;
    Out->HandleCount = HandlesOf(Process);
    PsQueryProcessTimes_(Process, (PULONG64)&Out->KernelTime, (PULONG64)&Out->UserTime);
    memcpy(Out->Threads, Threads->List, Threads->Count * sizeof(*Threads->List));
}

static NTSTATUS AddProcess(NTP_ANSWER *Answer, struct _EPROCESS *Process,
                           SYSTEM_PROCESS_INFORMATION **Last)
{
    THREADS Threads;
    WCHAR Name[sizeof(Process->ImageName)];
    ULONG NameBytes = 0;
    if (!ListThreads(Process, &Threads))
        return STATUS_INSUFFICIENT_RESOURCES;
    AddTimes(&Threads);
    RtlUTF8ToUnicodeN(Name, sizeof(Name), &NameBytes, Process->ImageName,
                      (ULONG)strlen(Process->ImageName));
    ULONG Fixed = FIELD_OFFSET(SYSTEM_PROCESS_INFORMATION, Threads) +
                  Threads.Count * (ULONG)sizeof(*Threads.List);
    ULONG Bytes = (Fixed + NameBytes + (ULONG)sizeof(WCHAR) + 7) & ~7u;
    ULONG Offset = Answer->Needed;
    SYSTEM_PROCESS_INFORMATION *Out = NtpReserve(Answer, Bytes);
    if (Out != NULL) {
        FillProcess(Out, Process, &Threads, Bytes);
        memcpy((UCHAR *)Out + Fixed, Name, NameBytes);
        Out->ImageName = (UNICODE_STRING){(USHORT)NameBytes, (USHORT)(NameBytes + sizeof(WCHAR)),
                                          (PWCH)((ULONG_PTR)Answer->Output.User + Offset + Fixed)};
        *Last = Out;
    }
    ExFreePoolWithTag(Threads.List, NTP_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS NtpQueryProcesses(NTP_ANSWER *Answer)
{
    SYSTEM_PROCESS_INFORMATION *Last = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    for (struct _EPROCESS *Process = PsNextProcess_(NULL); Process != NULL;
         Process = PsNextProcess_(Process))
        if (NT_SUCCESS(Status))
            Status = AddProcess(Answer, Process, &Last);
    if (Last != NULL)
        Last->NextEntryOffset = 0;
    return Status;
}

static void CountThread(PVOID Context, struct _ETHREAD *Thread)
{
    ++*(PULONG)Context;
}

void NtpCountProcesses(PULONG Processes, PULONG Threads, PULONG Handles)
{
    *Processes = *Threads = *Handles = 0;
    for (struct _EPROCESS *Process = PsNextProcess_(NULL); Process != NULL;
         Process = PsNextProcess_(Process)) {
        ++*Processes;
        PsEnumerateThreads_(Process, CountThread, Threads);
        *Handles += HandlesOf(Process);
    }
}

typedef struct HANDLES {
    NTP_ANSWER *Answer;
    ULONG Count;
} HANDLES;

static BOOLEAN AddHandle(PVOID Context, PEPROCESS Process, HANDLE Handle, PVOID Object,
                         ACCESS_MASK Granted, ULONG Attributes)
{
    HANDLES *Handles = Context;
    SYSTEM_HANDLE_TABLE_ENTRY_INFO *Out = NtpReserve(Handles->Answer, sizeof(*Out));
    Handles->Count++;
    if (Out == NULL)
        return TRUE;
    RtlZeroMemory(Out, sizeof(*Out));
    Out->UniqueProcessId = (USHORT)(ULONG_PTR)PsGetProcessId(Process);
    Out->ObjectTypeIndex = (UCHAR)ObHeader(Object)->Type->Index;
    Out->HandleAttributes = (UCHAR)Attributes;
    Out->HandleValue = (USHORT)(ULONG_PTR)Handle;
    Out->Object = Object;
    Out->GrantedAccess = Granted;
    return TRUE;
}

static BOOLEAN AddHandleEx(PVOID Context, PEPROCESS Process, HANDLE Handle, PVOID Object,
                           ACCESS_MASK Granted, ULONG Attributes)
{
    HANDLES *Handles = Context;
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX *Out = NtpReserve(Handles->Answer, sizeof(*Out));
    Handles->Count++;
    if (Out == NULL)
        return TRUE;
    *Out = (SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX){
        .Object = Object,
        .UniqueProcessId = (ULONG_PTR)PsGetProcessId(Process),
        .HandleValue = (ULONG_PTR)Handle,
        .GrantedAccess = Granted,
        .ObjectTypeIndex = (USHORT)ObHeader(Object)->Type->Index,
        .HandleAttributes = Attributes,
    };
    return TRUE;
}

/* The high half of the count's eight bytes is padding. */
NTSTATUS NtpQueryHandles(NTP_ANSWER *Answer)
{
    HANDLES Handles = {Answer, 0};
    PULONG64 Head = NtpReserve(Answer, FIELD_OFFSET(SYSTEM_HANDLE_INFORMATION, Handles));
    ObEnumerateHandles_(AddHandle, &Handles);
    if (Head != NULL)
        *Head = Handles.Count;
    return STATUS_SUCCESS;
}

NTSTATUS NtpQueryHandlesEx(NTP_ANSWER *Answer)
{
    HANDLES Handles = {Answer, 0};
    PULONG64 Head = NtpReserve(Answer, FIELD_OFFSET(SYSTEM_HANDLE_INFORMATION_EX, Handles));
    ObEnumerateHandles_(AddHandleEx, &Handles);
    if (Head != NULL) {
        Head[0] = Handles.Count;
        Head[1] = 0;
    }
    return STATUS_SUCCESS;
}
