/*
 * The system service table and the two ways through it: KiSystemService for clients,
 * KiKernelService for the kernel.
 */
#include "nt/nt.h"
#include <stdio.h>

#define COUNTERS 16
#define TABLE_TAG 'tsyS'

static PVOID const Services[] = {
#define SERVICE(name, arguments) (PVOID) name,
#include "nt/services.def"
#undef SERVICE
};
static const UCHAR ArgumentCounts[] = {
#define SERVICE(name, arguments) arguments,
#include "nt/services.def"
#undef SERVICE
};
static const char *const Names[] = {
#define SERVICE(name, arguments) #name,
#include "nt/services.def"
#undef SERVICE
};

static struct {
    SERVICE_DESCRIPTOR_TABLE Tables;
    PVOID *Entries; /* nonpaged pool: a driver may lock, look and write */
    UCHAR ArgumentBytes[NtServiceCount];
    struct {
        _Alignas(64) atomic_ullong Calls;
    } Counters[COUNTERS]; /* by processor: clients do not share a line */
} KiState;

PSERVICE_DESCRIPTOR_TABLE KeServiceDescriptorTable = &KiState.Tables;

static void Publish(void)
{
    KiState.Tables.ntoskrnl =
        (SYSTEM_SERVICE_TABLE){KiState.Entries, NULL, NtServiceCount, KiState.ArgumentBytes};
    LdrExportData("KeServiceDescriptorTable", &KiState.Tables);
    LdrExportData("KiServiceName", (PVOID)KiServiceName);
    LdrExportData("KiCallService", (PVOID)KiCallService);
}

static void Withdraw(void)
{
    LdrExportData("KiCallService", NULL);
    LdrExportData("KiServiceName", NULL);
    LdrExportData("KeServiceDescriptorTable", NULL);
    RtlZeroMemory(&KiState.Tables, sizeof(KiState.Tables));
    ExFreePoolWithTag(KiState.Entries, TABLE_TAG);
}

NTSTATUS NtServicesInit(void)
{
    KiState.Entries =
        ExAllocatePoolWithTag(NonPagedPoolNx, NtServiceCount * sizeof(PVOID), TABLE_TAG);
    if (!KiState.Entries)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < NtServiceCount; i++) {
        KiState.Entries[i] = Services[i];
        KiState.ArgumentBytes[i] = (UCHAR)(ArgumentCounts[i] * sizeof(ULONG_PTR));
    }
    for (ULONG i = 0; i < COUNTERS; i++)
        atomic_store(&KiState.Counters[i].Calls, 0);
    Publish();
    NTSTATUS Status = NtpInitSystem();
    if (!NT_SUCCESS(Status))
        Withdraw();
    return Status;
}

void NtServicesShutdown(void)
{
    NtpShutdownSystem();
    Withdraw();
}

ULONG64 KiServiceCount(void)
{
    ULONG64 Sum = 0;
    for (ULONG i = 0; i < COUNTERS; i++)
        Sum += atomic_load_explicit(&KiState.Counters[i].Calls, memory_order_relaxed);
    return Sum;
}

const char *KiServiceName(ULONG Number)
{
    return Number < NtServiceCount ? Names[Number] : "?";
}

/* The entry's type is unknown here, on purpose: a driver may have put its own routine there, of
 * either calling convention. For drivers, too, that call an entry that they found in the table.
 * IRQL, errors: the service's; STATUS_INVALID_SYSTEM_SERVICE: more arguments than any service has.
 */
#ifdef __clang__
__attribute__((no_sanitize("function")))
#endif
NTSTATUS NTAPI
KiCallService(PVOID Entry, ULONG Count, const ULONG_PTR *a)
{
    typedef ULONG_PTR W;
    switch (Count) {
    case 0:
        return NT_CALL((NTSTATUS(*)(void))Entry);
    case 1:
        return NT_CALL((NTSTATUS(*)(W))Entry, a[0]);
    case 2:
        return NT_CALL((NTSTATUS(*)(W, W))Entry, a[0], a[1]);
    case 3:
        return NT_CALL((NTSTATUS(*)(W, W, W))Entry, a[0], a[1], a[2]);
    case 4:
        return NT_CALL((NTSTATUS(*)(W, W, W, W))Entry, a[0], a[1], a[2], a[3]);
    case 5:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W))Entry, a[0], a[1], a[2], a[3], a[4]);
    case 6:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3], a[4], a[5]);
    case 7:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3], a[4], a[5],
                       a[6]);
    case 8:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3], a[4],
                       a[5], a[6], a[7]);
    case 9:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3], a[4],
                       a[5], a[6], a[7], a[8]);
    case 10:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3],
                       a[4], a[5], a[6], a[7], a[8], a[9]);
    case 11:
        return NT_CALL((NTSTATUS(*)(W, W, W, W, W, W, W, W, W, W, W))Entry, a[0], a[1], a[2], a[3],
                       a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
    default:
        return STATUS_INVALID_SYSTEM_SERVICE;
    }
}

static NTSTATUS CallEntry(ULONG Number, const ULONG_PTR *Arguments)
{
    const SYSTEM_SERVICE_TABLE *Table = &KiState.Tables.ntoskrnl;
    PVOID Entry = __atomic_load_n(&Table->ServiceTable[Number], __ATOMIC_ACQUIRE);
    return KiCallService(Entry, Table->ArgumentTable[Number] / sizeof(ULONG_PTR), Arguments);
}

/* What a service must leave as it found it: anything else is the fault of a driver that ran in it.
 */
static void CheckReturn(struct _KTHREAD *Thread, ULONG Number, SHORT KernelApcDisable,
                        SHORT SpecialApcDisable)
{
    ULONG_PTR Entry =
        (ULONG_PTR)__atomic_load_n(&KiState.Tables.ntoskrnl.ServiceTable[Number], __ATOMIC_RELAXED);

    if (Thread->Irql > PASSIVE_LEVEL)
        VfBugCheck(IRQL_GT_ZERO_AT_SYSTEM_SERVICE, Entry, Thread->Irql, 0, 0,
                   "%s returned at IRQL %u", KiServiceName(Number), Thread->Irql);
    if (Thread->KernelApcDisable != KernelApcDisable ||
        Thread->SpecialApcDisable != SpecialApcDisable)
        VfBugCheck(APC_INDEX_MISMATCH, Entry, Thread->Attached,
                   ((ULONG_PTR)(USHORT)Thread->KernelApcDisable << 16) |
                       (USHORT)Thread->SpecialApcDisable,
                   0, "%s returned with kernel APCs disabled", KiServiceName(Number));
    if (Thread->Attached)
        VfBugCheck(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Thread->ApcState.Process,
                   (ULONG_PTR)Thread, Number, 0, "%s returned attached to another process",
                   KiServiceName(Number));
}

/* A completion routine takes its third argument as a ULONG: the type is as unknown as a service's.
 */
#ifdef __clang__
__attribute__((no_sanitize("function")))
#endif
static void
RunUserApcs(void)
{
    KI_USER_APC Apc;
    while (KeTakeUserApc(&Apc))
        Apc.Routine(Apc.Context, Apc.Argument1, Apc.Argument2);
}

NTSTATUS KiSystemService(ULONG Number, const ULONG_PTR *Arguments)
{
    struct _KTHREAD *Thread = KiSelf;
    NT_ASSERT(Thread != NULL && Thread->Irql == PASSIVE_LEVEL);
    if (Number >= KiState.Tables.ntoskrnl.ServiceLimit)
        return STATUS_INVALID_SYSTEM_SERVICE;
    KPROCESSOR_MODE Mode = Thread->PreviousMode;
    SHORT KernelApcDisable = Thread->KernelApcDisable,
          SpecialApcDisable = Thread->SpecialApcDisable;
    ULONG Outer = Thread->ServiceNumber;
    Thread->PreviousMode = UserMode;
    Thread->ServiceNumber = Number;
    atomic_fetch_add_explicit(&KiState.Counters[Thread->Prcb->Number % COUNTERS].Calls, 1,
                              memory_order_relaxed);
    VfTrace(VfEventServiceEnter, Number, (ULONG_PTR)Arguments);
    NTSTATUS Status = CallEntry(Number, Arguments);
    VfTrace(VfEventServiceLeave, Number, (ULONG_PTR)Status);
    CheckReturn(Thread, Number, KernelApcDisable, SpecialApcDisable);
    KeDeliverKernelApcs();
    Thread->ServiceNumber = Outer;
    Thread->PreviousMode = Mode;
    if (Thread->ApcState.Process->Embedded && Thread->ApcState.UserApcPending)
        RunUserApcs();
    return Status;
}

NTSTATUS KiKernelService(ULONG Number, const ULONG_PTR *Arguments)
{
    struct _KTHREAD *Thread = KiSelf;
    NT_ASSERT(Thread != NULL && Number < NtServiceCount);
    if (Thread->Irql > PASSIVE_LEVEL) {
        static _Thread_local char Routine[64];
        snprintf(Routine, sizeof(Routine), "Zw%s", Names[Number] + 2);
        VfIrqlTooHigh(Routine, PASSIVE_LEVEL);
    }
    KPROCESSOR_MODE Mode = Thread->PreviousMode;
    Thread->PreviousMode = KernelMode;
    NTSTATUS Status = CallEntry(Number, Arguments);
    Thread->PreviousMode = Mode;
    return Status;
}
