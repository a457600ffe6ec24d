/* Virtual processors: start and stop, numbers and counts, affinity. There is one group and one
 * node. */
#include "ke/ki.h"

KI_STATE KiState;
volatile CCHAR KeNumberProcessors; /* drivers read it */

#define KI_SERVICE_THREADS (2 * KiState.Count + 1)

static void KiInitializeProcessor(KPRCB *Prcb, ULONG Number)
{
    Prcb->Number = Number;
    InitializeListHead(&Prcb->DpcListHead);
    InitializeListHead(&Prcb->ThreadedDpcListHead);
    Prcb->DpcThread = &KiState.ServiceThreads[Number];
    Prcb->ThreadedDpcThread = &KiState.ServiceThreads[KiState.Count + Number];
}

static NTSTATUS KiAllocateProcessors(ULONG Count)
{
    KiState.Prcbs = calloc(Count, sizeof(*KiState.Prcbs));
    KiState.Count = Count;
    KiState.ServiceThreads = calloc(KI_SERVICE_THREADS, sizeof(*KiState.ServiceThreads));
    if (!KiState.Prcbs || !KiState.ServiceThreads)
        return STATUS_INSUFFICIENT_RESOURCES;
    KiState.Active = Count == 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << Count) - 1;
    KeNumberProcessors = (CCHAR)Count;
    for (ULONG i = 0; i < Count; i++)
        KiInitializeProcessor(&KiState.Prcbs[i], i);
    return STATUS_SUCCESS;
}

static NTSTATUS KiStartServiceThreads(void)
{
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG i = 0; i < KiState.Count && NT_SUCCESS(Status); i++) {
        Status = KiStartServiceThread(KiState.Prcbs[i].DpcThread, KiDpcThread, &KiState.Prcbs[i],
                                      "nt-dpc");
        if (NT_SUCCESS(Status))
            Status = KiStartServiceThread(KiState.Prcbs[i].ThreadedDpcThread, KiThreadedDpcThread,
                                          &KiState.Prcbs[i], "nt-threaded-dpc");
    }
    return NT_SUCCESS(Status) ? KiStartClock(&KiState.ServiceThreads[2 * KiState.Count]) : Status;
}

NTSTATUS KiStartProcessors(ULONG Count)
{
    NTSTATUS Status = KiAllocateProcessors(Count);

    InitializeListHead(&KiState.Waiting);
    KeInitializeProcess(&KiState.IdleProcess);
    return NT_SUCCESS(Status) ? KiStartServiceThreads() : Status;
}

/* The clock first, which queues DPCs, then threaded DPCs, which may flush the ordinary ones. */
void KiStopProcessors(void)
{
    if (KiState.ServiceThreads)
        for (ULONG i = KI_SERVICE_THREADS; i-- > 0;)
            KiStopServiceThread(&KiState.ServiceThreads[i]);
    free(KiState.ServiceThreads);
    free(KiState.Prcbs);
    memset(&KiState, 0, sizeof(KiState));
    KeNumberProcessors = 0;
}

ULONG KeProcessorCount_(void)
{
    return KiState.Count;
}

KPRCB *KeProcessor_(ULONG Number)
{
    return Number < KiState.Count ? &KiState.Prcbs[Number] : NULL;
}

/* The calling thread's KPCR, which GS points at. */
PKPCR NTAPI KeGetPcr(VOID)
{
    return &KiSelf->Pcr.Pcr;
}

/* Any IRQL; stable at DISPATCH_LEVEL and above. Doc: ntddk/nf-ntddk-kegetcurrentprocessornumber */
ULONG NTAPI KeGetCurrentProcessorNumber(VOID)
{
    return KiSelf->Prcb->Number;
}

static void KiFillNumber(PPROCESSOR_NUMBER Number, ULONG Index)
{
    Number->Group = 0;
    Number->Number = (UCHAR)Index;
    Number->Reserved = 0;
}

/* Any IRQL. A full barrier. Doc: wdm/nf-wdm-keflushwritebuffer */
VOID NTAPI KeFlushWriteBuffer(VOID)
{
    KeMemoryBarrier();
}

/* Any IRQL. The index, and (optional) group and number. Doc:
 * wdm/nf-wdm-kegetcurrentprocessornumberex */
ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG Index = KiSelf->Prcb->Number;

    if (ProcNumber)
        KiFillNumber(ProcNumber, Index);
    return Index;
}

/* Any IRQL. STATUS_INVALID_PARAMETER: no such index. Doc: wdm/nf-wdm-kegetprocessornumberfromindex
 */
NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex >= KiState.Count)
        return STATUS_INVALID_PARAMETER;
    KiFillNumber(ProcNumber, ProcIndex);
    return STATUS_SUCCESS;
}

/* Any IRQL. INVALID_PROCESSOR_INDEX: no such processor. Doc:
 * wdm/nf-wdm-kegetprocessorindexfromnumber */
ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    BOOLEAN Good =
        ProcNumber->Group == 0 && ProcNumber->Number < KiState.Count && !ProcNumber->Reserved;

    return Good ? ProcNumber->Number : MAXULONG;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequeryactiveprocessors */
KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return KiState.Active;
}

/* Any IRQL. The count, and (optional) the set. Doc: wdm/nf-wdm-kequeryactiveprocessorcount */
ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors)
        *ActiveProcessors = KiState.Active;
    return KiState.Count;
}

/* Any IRQL. Group 0 or ALL_PROCESSOR_GROUPS; 0 for a group that does not exist. Doc:
 * wdm/nf-wdm-kequeryactiveprocessorcountex */
ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS ? KiState.Count : 0;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequerymaximumprocessorcount */
ULONG NTAPI KeQueryMaximumProcessorCount(VOID)
{
    return KiState.Count;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequerymaximumprocessorcountex */
ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return KeQueryActiveProcessorCountEx(GroupNumber);
}

/* Any IRQL. Doc: wdm/nf-wdm-kequeryactivegroupcount */
USHORT NTAPI KeQueryActiveGroupCount(VOID)
{
    return 1;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequerymaximumgroupcount */
USHORT NTAPI KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

/* Any IRQL. 0 for a group that does not exist. Doc: wdm/nf-wdm-kequerygroupaffinity */
KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber)
{
    return GroupNumber == 0 ? KiState.Active : 0;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequeryhighestnodenumber */
USHORT NTAPI KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

/* Any IRQL. Doc: wdm/nf-wdm-kegetcurrentnodenumber */
USHORT NTAPI KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

/* Any IRQL. Doc: wdm/nf-wdm-kequerynodemaximumprocessorcount */
USHORT NTAPI KeQueryNodeMaximumProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0 ? (USHORT)KiState.Count : 0;
}

/* Any IRQL. Both results are optional. Doc: wdm/nf-wdm-kequerynodeactiveaffinity */
VOID NTAPI KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity) {
        memset(Affinity, 0, sizeof(*Affinity));
        Affinity->Mask = NodeNumber == 0 ? KiState.Active : 0;
    }
    if (Count)
        *Count = KeQueryNodeMaximumProcessorCount(NodeNumber);
}

/* The thread leaves a processor outside its affinity now, or when it lowers below DISPATCH_LEVEL.
 */
static void KiSetAffinity(KTHREAD_NT *Thread, KAFFINITY Affinity)
{
    __atomic_store_n(&Thread->Affinity, Affinity, __ATOMIC_RELAXED); /* others may ask */
    if (Thread->Irql < DISPATCH_LEVEL && !(Affinity >> Thread->Prcb->Number & 1))
        KiMoveTo(Thread, &KiState.Prcbs[__builtin_ctzll(Affinity)]);
}

/* IRQL <= DISPATCH_LEVEL (there it takes effect at the return below). The former system affinity, 0
 * if none was in force. A set with processors that do not exist, or none, changes nothing. Doc:
 * wdm/nf-wdm-kesetsystemaffinitythreadex */
KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    KTHREAD_NT *Thread = KiSelf;
    KAFFINITY Before = Thread->SystemAffinity ? Thread->Affinity : 0;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Affinity || (Affinity & ~KiState.Active))
        return Before;
    Thread->SystemAffinity = TRUE;
    KiSetAffinity(Thread, Affinity);
    return Before;
}

/* IRQL <= DISPATCH_LEVEL. Affinity: what KeSetSystemAffinityThreadEx returned; 0 restores the
 * thread's own. Doc: wdm/nf-wdm-kereverttouseraffinitythreadex */
VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    KTHREAD_NT *Thread = KiSelf;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Affinity &= KiState.Active;
    Thread->SystemAffinity = Affinity != 0;
    KiSetAffinity(Thread, Affinity ? Affinity : Thread->UserAffinity);
}

/* As KeSetSystemAffinityThreadEx. Doc: wdm/nf-wdm-kesetsystemaffinitythread */
VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity)
{
    KeSetSystemAffinityThreadEx(Affinity);
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI KeRevertToUserAffinityThread(VOID)
{
    KeRevertToUserAffinityThreadEx(0);
}

/* IRQL <= DISPATCH_LEVEL. Previous (optional) is for KeRevertToUserGroupAffinityThread. A group
 * that does not exist changes nothing and leaves Previous zeroed. Doc:
 * wdm/nf-wdm-kesetsystemgroupaffinitythread */
VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity,
                                          PGROUP_AFFINITY PreviousAffinity)
{
    KAFFINITY Before = 0;

    if (Affinity->Group == 0)
        Before = KeSetSystemAffinityThreadEx(Affinity->Mask);
    if (PreviousAffinity) {
        memset(PreviousAffinity, 0, sizeof(*PreviousAffinity));
        PreviousAffinity->Mask = Before;
    }
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-kereverttousergroupaffinitythread */
VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    KeRevertToUserAffinityThreadEx(PreviousAffinity->Mask);
}

/* IRQL <= APC_LEVEL. The processor the thread would like best, 0xFF: none; Linux decides. The
 * former one. Doc: ntifs/nf-ntifs-kesetidealprocessorthread */
UCHAR NTAPI KeSetIdealProcessorThread(PKTHREAD Thread, UCHAR Processor)
{
    UCHAR Before = (UCHAR)Thread->Prcb->Number;

    VF_IRQL_MAX(APC_LEVEL);
    if (Thread == KiSelf && Processor < KiState.Count && (Thread->Affinity >> Processor & 1))
        KiMoveTo(Thread, &KiState.Prcbs[Processor]);
    return Before;
}
