/*
 * NtQuerySystemInformation: the classes, and what describes the machine.
 */
#include "nt/sysinfo.h"
#include <string.h>

static NTSTATUS Put(NTP_ANSWER *Answer, const void *Data, ULONG Bytes)
{
    PVOID To = NtpReserve(Answer, Bytes);
    if (To != NULL)
        memcpy(To, Data, Bytes);
    return STATUS_SUCCESS;
}

NTSTATUS NtpQueryBasic(NTP_ANSWER *Answer)
{
    MM_STATISTICS Memory;
    MmQueryStatistics(&Memory);
    SYSTEM_BASIC_INFORMATION Basic;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.TimerResolution = KeQueryTimeIncrement();
    Basic.PageSize = PAGE_SIZE;
    Basic.NumberOfPhysicalPages = (ULONG)Memory.TotalFrames;
    Basic.LowestPhysicalPageNumber = 0;
    Basic.HighestPhysicalPageNumber = (ULONG)Memory.TotalFrames - 1;
    Basic.AllocationGranularity = 0x10000;
    Basic.MinimumUserModeAddress = 0x10000;
    Basic.MaximumUserModeAddress = MM_SYSTEM_LOW - 0x10000 - 1;
    Basic.ActiveProcessorsAffinityMask = KeQueryActiveProcessors();
    Basic.NumberOfProcessors = (CCHAR)KeProcessorCount_();
    return Put(Answer, &Basic, sizeof(Basic));
}

NTSTATUS NtpQueryProcessor(NTP_ANSWER *Answer)
{
    SYSTEM_PROCESSOR_INFORMATION Processor = {
        .ProcessorArchitecture = 9, /* PROCESSOR_ARCHITECTURE_AMD64 */
        .ProcessorLevel = 6,
        .MaximumProcessors = (USHORT)KeProcessorCount_(),
    };
    return Put(Answer, &Processor, sizeof(Processor));
}

#define TAG_LIMIT 4096u

static MM_POOL_TAG *SnapshotTags(PULONG Count)
{
    MM_POOL_TAG *Tags = ExAllocatePoolWithTag(PagedPool, TAG_LIMIT * sizeof(*Tags), NTP_TAG);
    if (Tags != NULL)
        *Count = min(MmQueryPoolTags(Tags, TAG_LIMIT), TAG_LIMIT);
    return Tags;
}

static void CountPool(SYSTEM_PERFORMANCE_INFORMATION *Performance)
{
    ULONG Count;
    MM_POOL_TAG *Tags = SnapshotTags(&Count);
    if (Tags == NULL)
        return;
    for (ULONG i = 0; i < Count; i++) {
        Performance->PagedPoolAllocs += (ULONG)Tags[i].PagedAllocs;
        Performance->PagedPoolFrees += (ULONG)Tags[i].PagedFrees;
        Performance->NonPagedPoolAllocs += (ULONG)Tags[i].NonPagedAllocs;
        Performance->NonPagedPoolFrees += (ULONG)Tags[i].NonPagedFrees;
    }
    ExFreePoolWithTag(Tags, NTP_TAG);
}

NTSTATUS NtpQueryPerformance(NTP_ANSWER *Answer)
{
    SYSTEM_PERFORMANCE_INFORMATION Performance;
    MM_STATISTICS Memory;
    MmQueryStatistics(&Memory);
    RtlZeroMemory(&Performance, sizeof(Performance));
    Performance.AvailablePages = (ULONG)Memory.FreeFrames;
    Performance.CommittedPages = (ULONG)(Memory.TotalFrames - Memory.FreeFrames);
    Performance.CommitLimit = (ULONG)Memory.TotalFrames;
    Performance.PagedPoolPages = (ULONG)((Memory.PagedPoolBytes + PAGE_SIZE - 1) / PAGE_SIZE);
    Performance.NonPagedPoolPages = (ULONG)((Memory.NonPagedPoolBytes + PAGE_SIZE - 1) / PAGE_SIZE);
    CountPool(&Performance);
    for (ULONG i = 0; i < KeProcessorCount_(); i++)
        Performance.ContextSwitches += (ULONG)KeReadCounter_(&KeProcessor_(i)->Dispatches);
    Performance.SystemCalls = (ULONG)KiServiceCount();
    return Put(Answer, &Performance, sizeof(Performance));
}

NTSTATUS NtpQueryTimeOfDay(NTP_ANSWER *Answer)
{
    SYSTEM_TIMEOFDAY_INFORMATION Time;
    LARGE_INTEGER Zero = {.QuadPart = 0}, Local;
    RtlZeroMemory(&Time, sizeof(Time));
    KeQuerySystemTime(&Time.CurrentTime);
    Time.BootTime.QuadPart = Time.CurrentTime.QuadPart - (LONGLONG)KeQueryInterruptTime();
    ExSystemTimeToLocalTime(&Zero, &Local);
    Time.TimeZoneBias.QuadPart = -Local.QuadPart;
    return Put(Answer, &Time, sizeof(Time));
}

/* Where a processor's time went is Linux's to know: the times are 0. */
NTSTATUS NtpQueryProcessorPerformance(NTP_ANSWER *Answer)
{
    for (ULONG i = 0; i < KeProcessorCount_(); i++) {
        SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION One;
        RtlZeroMemory(&One, sizeof(One));
        One.InterruptCount = (ULONG)KeReadCounter_(&KeProcessor_(i)->Interrupts);
        Put(Answer, &One, sizeof(One));
    }
    return STATUS_SUCCESS;
}

NTSTATUS NtpQueryDebugger(NTP_ANSWER *Answer)
{
    SYSTEM_KERNEL_DEBUGGER_INFORMATION Debugger = {*KdDebuggerEnabled, *KdDebuggerNotPresent};
    return Put(Answer, &Debugger, sizeof(Debugger));
}

NTSTATUS NtpQueryPoolTags(NTP_ANSWER *Answer)
{
    ULONG Count = 0;
    MM_POOL_TAG *Tags = SnapshotTags(&Count);
    if (Tags == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PULONG Head = NtpReserve(Answer, FIELD_OFFSET(SYSTEM_POOLTAG_INFORMATION, TagInfo));
    if (Head != NULL)
        *(PULONG64)Head = Count;
    for (ULONG i = 0; i < Count; i++) {
        const MM_POOL_TAG *Tag = &Tags[i];
        SYSTEM_POOLTAG One;
        RtlZeroMemory(&One, sizeof(One));
        One.TagUlong = Tag->Tag;
        One.PagedAllocs = (ULONG)Tag->PagedAllocs;
        One.PagedFrees = (ULONG)Tag->PagedFrees;
        One.PagedUsed = Tag->PagedBytes;
        One.NonPagedAllocs = (ULONG)Tag->NonPagedAllocs;
        One.NonPagedFrees = (ULONG)Tag->NonPagedFrees;
        One.NonPagedUsed = Tag->NonPagedBytes;
        Put(Answer, &One, sizeof(One));
    }
    ExFreePoolWithTag(Tags, NTP_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS NtpQueryStatus(NTP_ANSWER *Answer)
{
    USERNT_STATUS Status;
    MM_STATISTICS Memory;
    LARGE_INTEGER Now;
    MmQueryStatistics(&Memory);
    KeQuerySystemTime(&Now);
    RtlZeroMemory(&Status, sizeof(Status));
    Status.CurrentTime = (ULONG64)Now.QuadPart;
    Status.BootTime = Status.CurrentTime - KeQueryInterruptTime();
    Status.Processors = KeProcessorCount_();
    NtpCountProcesses(&Status.Processes, &Status.Threads, &Status.Handles);
    Status.Modules = NtpCountModules();
    Status.Services = NtServiceCount;
    Status.TotalBytes = Memory.TotalFrames * PAGE_SIZE;
    Status.FreeBytes = Memory.FreeFrames * PAGE_SIZE;
    Status.PagedPoolBytes = Memory.PagedPoolBytes;
    Status.NonPagedPoolBytes = Memory.NonPagedPoolBytes;
    Status.LockedBytes = Memory.LockedPages * PAGE_SIZE;
    Status.SharedBytes = Memory.SharedFrames * PAGE_SIZE;
    Status.SystemCalls = KiServiceCount();
    for (ULONG i = 0; i < Status.Processors; i++) {
        Status.Dispatches += KeReadCounter_(&KeProcessor_(i)->Dispatches);
        Status.DpcsRun += KeReadCounter_(&KeProcessor_(i)->DpcsRun);
        Status.ClockTicks += KeReadCounter_(&KeProcessor_(i)->Interrupts);
    }
    return Put(Answer, &Status, sizeof(Status));
}

static NTSTATUS (*const Classes[])(NTP_ANSWER *Answer) = {
    [SystemBasicInformation] = NtpQueryBasic,
    [SystemProcessorInformation] = NtpQueryProcessor,
    [SystemPerformanceInformation] = NtpQueryPerformance,
    [SystemTimeOfDayInformation] = NtpQueryTimeOfDay,
    [SystemProcessInformation] = NtpQueryProcesses,
    [SystemProcessorPerformanceInformation] = NtpQueryProcessorPerformance,
    [SystemModuleInformation] = NtpQueryModules,
    [SystemHandleInformation] = NtpQueryHandles,
    [SystemPoolTagInformation] = NtpQueryPoolTags,
    [SystemKernelDebuggerInformation] = NtpQueryDebugger,
    [SystemExtendedHandleInformation] = NtpQueryHandlesEx,
    [SystemModuleInformationEx] = NtpQueryModulesEx,
};

static NTSTATUS (*FindClass(ULONG Class))(NTP_ANSWER *Answer)
{
    switch (Class) {
    case SystemUserNtExports:
        return NtpQueryExports;
    case SystemUserNtStatus:
        return NtpQueryStatus;
    case SystemUserNtModules:
        return NtpQueryDriverModules;
    default:
        return Class < RTL_NUMBER_OF(Classes) ? Classes[Class] : NULL;
    }
}

/* With too little room the number of modules is written all the same, as NT does: it may be trusted
 * on success only. */
static void WriteModuleCount(KPROCESSOR_MODE Mode, PVOID Information, ULONG Length)
{
    ULONG Count = NtpCountModules();
    if (Length >= sizeof(Count))
        NTP_WRITE(Mode, Information, Count);
}

/* STATUS_INFO_LENGTH_MISMATCH with the needed length for a short buffer; the length may have grown
 * by the next call. STATUS_INVALID_INFO_CLASS for a class that is not there. Doc: winternl
 * (NtQuerySystemInformation) */
NTSTATUS NTAPI NtQuerySystemInformation(SYSTEM_INFORMATION_CLASS Class, PVOID Information,
                                        ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ANSWER Answer = {.Needed = 0};
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, Returned);
    if (!NT_SUCCESS(Status))
        return Status;
    if ((ULONG)Class == SystemUserNtLog)
        return NtpReadLog(Information, Length, Returned);
    if ((ULONG)Class == SystemUserNtWaitLog)
        return NtpWaitLog(Information, Length, Returned);
    NTSTATUS (*Routine)(NTP_ANSWER *) = FindClass((ULONG)Class);
    if (Routine == NULL)
        return STATUS_INVALID_INFO_CLASS;
    Status = NtpBeginOutput(&Answer.Output, Mode, Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpEndAnswer(&Answer, Routine(&Answer), STATUS_INFO_LENGTH_MISMATCH, Returned);
    if (Status == STATUS_INFO_LENGTH_MISMATCH && Class == SystemModuleInformation)
        WriteModuleCount(Mode, Information, Length);
    return Status;
}

/* Nothing can be set. */
NTSTATUS NTAPI NtSetSystemInformation(SYSTEM_INFORMATION_CLASS Class, PVOID Information,
                                      ULONG Length)
{
    return STATUS_INVALID_INFO_CLASS;
}
