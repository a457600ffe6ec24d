/*
 * Questions about processes and threads.
 */
#include "ps/psp.h"
#include <string.h>

/* The process whose address space the caller uses: its own, or the one it is attached to. Any IRQL.
 * Doc: ntddk/nf-ntddk-iogetcurrentprocess */
PEPROCESS NTAPI IoGetCurrentProcess(VOID)
{
    return PspCurrentProcess();
}

/* The process that the calling thread belongs to, also while it is attached to another. Doc:
 * ntddk/nf-ntddk-psgetcurrentprocessid */
HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return PspHasBody(KiSelf) ? PsSelf()->UniqueProcessId : PsInitialSystemProcess->UniqueProcessId;
}

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return PspHasBody(KiSelf) ? PsSelf()->UniqueThreadId : NULL;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
    return Process->UniqueProcessId;
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
    return Thread->UniqueThreadId;
}

HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread)
{
    return Thread->UniqueProcessId;
}

/* Not referenced. Doc: ntifs/nf-ntifs-iothreadtoprocess */
PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread)
{
    return Thread->Process;
}

PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread)
{
    return Thread->Process;
}

PUCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process)
{
    return (PUCHAR)Process->ImageName;
}

/* 100 ns since 1601. Doc: ntddk/nf-ntddk-psgetprocesscreatetimequadpart */
LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process)
{
    return Process->CreateTime.QuadPart;
}

/* STATUS_PENDING while it runs. Doc: ntddk/nf-ntddk-psgetprocessexitstatus */
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process)
{
    return Process->ExitStatus;
}

/* Of the current process; 0 while it runs. Doc: ntifs/nf-ntifs-psgetprocessexittime */
LARGE_INTEGER NTAPI PsGetProcessExitTime(VOID)
{
    return (LARGE_INTEGER){.QuadPart = PspCurrentProcess()->ExitTime};
}

LONGLONG NTAPI PsGetThreadCreateTime(PETHREAD Thread)
{
    return Thread->CreateTime.QuadPart;
}

NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread)
{
    return Thread->ExitStatus;
}

BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread)
{
    return __atomic_load_n(&Thread->Tcb.Terminating, __ATOMIC_ACQUIRE) ||
           Thread->ExitStatus != STATUS_PENDING;
}

BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
    return Thread->Tcb.SystemThread;
}

BOOLEAN NTAPI IoIsSystemThread(PETHREAD Thread)
{
    return Thread->Tcb.SystemThread;
}

BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process)
{
    return Process == PsInitialSystemProcess;
}

ULONG NTAPI PsGetCurrentProcessSessionId(VOID)
{
    return 0;
}

ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process)
{
    return 0;
}

/* Every client is a 64-bit process. Doc: ntddk/nf-ntddk-iois32bitprocess */
BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp)
{
    return FALSE;
}

/* Any pointer may be NULL. FALSE: not a checked build. Doc: ntddk/nf-ntddk-psgetversion */
BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
                           PUNICODE_STRING CSDVersion)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (MajorVersion)
        *MajorVersion = 10;
    if (MinorVersion)
        *MinorVersion = 0;
    if (BuildNumber)
        *BuildNumber = 19045;
    if (CSDVersion)
        RtlInitUnicodeString(CSDVersion, NULL);
    return FALSE;
}

/* Finds a thread by its id; the caller owns a reference. STATUS_INVALID_CID if there is none.
 * IRQL <= APC_LEVEL. Doc: ntifs/nf-ntifs-pslookupthreadbythreadid */
NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE UniqueThreadId, PETHREAD *Thread)
{
    PETHREAD Found;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Found = PspFindThread(UniqueThreadId);
    if (Found)
        ObReferenceObject(Found);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (!Found)
        return STATUS_INVALID_CID;
    *Thread = Found;
    return STATUS_SUCCESS;
}

PVOID PsFindThreadInRange_(PVOID Base, SIZE_T Bytes)
{
    PVOID Found = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    for (PLIST_ENTRY P = PspState.Processes.Flink; P != &PspState.Processes; P = P->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(P, EPROCESS_NT, ActiveLinks);

        for (PLIST_ENTRY T = Process->ThreadList.Flink; T != &Process->ThreadList; T = T->Flink) {
            PETHREAD Thread = CONTAINING_RECORD(T, ETHREAD_NT, ThreadListEntry);

            if (Thread->ExitStatus == STATUS_PENDING &&
                (ULONG_PTR)Thread->StartRoutine - (ULONG_PTR)Base < Bytes)
                Found = (PVOID)Thread->StartRoutine;
        }
    }
    KeReleaseSpinLock(&PspState.Lock, Irql);
    return Found;
}

/* Quotas are counted, not limited. Doc: ntifs/nf-ntifs-pschargepoolquota */
VOID NTAPI PsChargePoolQuota(PEPROCESS Process, POOL_TYPE PoolType, ULONG_PTR Amount)
{
    LONG_PTR *Quota = (PoolType & 1) ? &Process->PagedQuota : &Process->NonPagedQuota;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    __atomic_fetch_add(Quota, (LONG_PTR)Amount, __ATOMIC_RELAXED);
}

VOID NTAPI PsReturnPoolQuota(PEPROCESS Process, POOL_TYPE PoolType, ULONG_PTR Amount)
{
    LONG_PTR *Quota = (PoolType & 1) ? &Process->PagedQuota : &Process->NonPagedQuota;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    __atomic_fetch_sub(Quota, (LONG_PTR)Amount, __ATOMIC_RELAXED);
}

NTSTATUS NTAPI PsChargeProcessPoolQuota(PEPROCESS Process, POOL_TYPE PoolType, ULONG_PTR Amount)
{
    PsChargePoolQuota(Process, PoolType, Amount);
    return STATUS_SUCCESS;
}

PETHREAD PsNextThread_(PEPROCESS Process, PETHREAD Thread)
{
    PETHREAD Next = NULL;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Entry = Thread ? Thread->ThreadListEntry.Flink : Process->ThreadList.Flink;
    if (Entry != &Process->ThreadList && (!Thread || Entry != &Thread->ThreadListEntry)) {
        Next = CONTAINING_RECORD(Entry, ETHREAD_NT, ThreadListEntry);
        ObReferenceObject(Next);
    }
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (Thread)
        ObDereferenceObject(Thread);
    return Next;
}

/* Whether the current system service was called by a client or by the kernel. Any IRQL. Doc:
 * wdm/nf-wdm-exgetpreviousmode */
KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return KiSelf->PreviousMode;
}
