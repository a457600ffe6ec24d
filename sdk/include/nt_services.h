// The system services (NtX) and their kernel twins (ZwX) that the DDK does not declare, and the structures they return.
// For the executive, for programs that embed it, and for drivers that want them; ntifs.h does not include this, so a
// driver's own declarations of them do not clash.
#pragma once
#include <nt_undocumented.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _SYSTEM_PROCESSOR_INFORMATION {
    USHORT ProcessorArchitecture;
    USHORT ProcessorLevel;
    USHORT ProcessorRevision;
    USHORT MaximumProcessors;
    ULONG ProcessorFeatureBits;
} SYSTEM_PROCESSOR_INFORMATION, *PSYSTEM_PROCESSOR_INFORMATION;

typedef struct _SYSTEM_PERFORMANCE_INFORMATION {
    LARGE_INTEGER IdleProcessTime;
    LARGE_INTEGER IoReadTransferCount, IoWriteTransferCount, IoOtherTransferCount;
    ULONG IoReadOperationCount, IoWriteOperationCount, IoOtherOperationCount;
    ULONG AvailablePages, CommittedPages, CommitLimit, PeakCommitment;
    ULONG PageFaultCount, CopyOnWriteCount, TransitionCount, CacheTransitionCount, DemandZeroCount;
    ULONG PageReadCount, PageReadIoCount, CacheReadCount, CacheIoCount;
    ULONG DirtyPagesWriteCount, DirtyWriteIoCount, MappedPagesWriteCount, MappedWriteIoCount;
    ULONG PagedPoolPages, NonPagedPoolPages;
    ULONG PagedPoolAllocs, PagedPoolFrees, NonPagedPoolAllocs, NonPagedPoolFrees;
    ULONG FreeSystemPtes, ResidentSystemCodePage, TotalSystemDriverPages, TotalSystemCodePages;
    ULONG NonPagedPoolLookasideHits, PagedPoolLookasideHits, AvailablePagedPoolPages;
    ULONG ResidentSystemCachePage, ResidentPagedPoolPage, ResidentSystemDriverPage;
    ULONG CcFastReadNoWait, CcFastReadWait, CcFastReadResourceMiss, CcFastReadNotPossible;
    ULONG CcFastMdlReadNoWait, CcFastMdlReadWait, CcFastMdlReadResourceMiss, CcFastMdlReadNotPossible;
    ULONG CcMapDataNoWait, CcMapDataWait, CcMapDataNoWaitMiss, CcMapDataWaitMiss;
    ULONG CcPinMappedDataCount, CcPinReadNoWait, CcPinReadWait, CcPinReadNoWaitMiss, CcPinReadWaitMiss;
    ULONG CcCopyReadNoWait, CcCopyReadWait, CcCopyReadNoWaitMiss, CcCopyReadWaitMiss;
    ULONG CcMdlReadNoWait, CcMdlReadWait, CcMdlReadNoWaitMiss, CcMdlReadWaitMiss;
    ULONG CcReadAheadIos, CcLazyWriteIos, CcLazyWritePages, CcDataFlushes, CcDataPages;
    ULONG ContextSwitches, FirstLevelTbFills, SecondLevelTbFills, SystemCalls;
} SYSTEM_PERFORMANCE_INFORMATION, *PSYSTEM_PERFORMANCE_INFORMATION;

typedef struct _SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION {
    LARGE_INTEGER IdleTime;
    LARGE_INTEGER KernelTime;
    LARGE_INTEGER UserTime;
    LARGE_INTEGER DpcTime;
    LARGE_INTEGER InterruptTime;
    ULONG InterruptCount;
} SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION, *PSYSTEM_PROCESSOR_PERFORMANCE_INFORMATION;

typedef struct _RTL_PROCESS_MODULE_INFORMATION_EX { // a list: ends with NextOffset 0
    USHORT NextOffset;
    RTL_PROCESS_MODULE_INFORMATION BaseInfo;
    ULONG ImageChecksum;
    ULONG TimeDateStamp;
    PVOID DefaultBase;
} RTL_PROCESS_MODULE_INFORMATION_EX, *PRTL_PROCESS_MODULE_INFORMATION_EX;

typedef struct _SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX {
    PVOID Object;
    ULONG_PTR UniqueProcessId;
    ULONG_PTR HandleValue;
    ULONG GrantedAccess;
    USHORT CreatorBackTraceIndex;
    USHORT ObjectTypeIndex;
    ULONG HandleAttributes;
    ULONG Reserved;
} SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX, *PSYSTEM_HANDLE_TABLE_ENTRY_INFO_EX;

typedef struct _SYSTEM_HANDLE_INFORMATION_EX {
    ULONG_PTR NumberOfHandles;
    ULONG_PTR Reserved;
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX Handles[1];
} SYSTEM_HANDLE_INFORMATION_EX, *PSYSTEM_HANDLE_INFORMATION_EX;

#include "usernt_system.h"

#ifndef THREAD_SET_THREAD_TOKEN
#define THREAD_SET_THREAD_TOKEN 0x0080
#endif
#ifndef MUTANT_QUERY_STATE
#define MUTANT_QUERY_STATE 0x0001
#define MUTANT_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | MUTANT_QUERY_STATE)
#endif
#ifndef TIMER_QUERY_STATE
#define TIMER_QUERY_STATE 0x0001
#define TIMER_MODIFY_STATE 0x0002
#define TIMER_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | TIMER_QUERY_STATE | TIMER_MODIFY_STATE)
#endif

typedef enum _EVENT_INFORMATION_CLASS { EventBasicInformation } EVENT_INFORMATION_CLASS;
typedef struct _EVENT_BASIC_INFORMATION {
    EVENT_TYPE EventType;
    LONG EventState;
} EVENT_BASIC_INFORMATION, *PEVENT_BASIC_INFORMATION;

typedef enum _MUTANT_INFORMATION_CLASS { MutantBasicInformation } MUTANT_INFORMATION_CLASS;
typedef struct _MUTANT_BASIC_INFORMATION {
    LONG CurrentCount;
    BOOLEAN OwnedByCaller;
    BOOLEAN AbandonedState;
} MUTANT_BASIC_INFORMATION, *PMUTANT_BASIC_INFORMATION;

typedef enum _SEMAPHORE_INFORMATION_CLASS { SemaphoreBasicInformation } SEMAPHORE_INFORMATION_CLASS;
typedef struct _SEMAPHORE_BASIC_INFORMATION {
    LONG CurrentCount;
    LONG MaximumCount;
} SEMAPHORE_BASIC_INFORMATION, *PSEMAPHORE_BASIC_INFORMATION;

typedef enum _TIMER_INFORMATION_CLASS { TimerBasicInformation } TIMER_INFORMATION_CLASS;
typedef struct _TIMER_BASIC_INFORMATION {
    LARGE_INTEGER RemainingTime;
    BOOLEAN TimerState;
} TIMER_BASIC_INFORMATION, *PTIMER_BASIC_INFORMATION;

typedef enum _SECTION_INFORMATION_CLASS { SectionBasicInformation } SECTION_INFORMATION_CLASS;
typedef struct _SECTION_BASIC_INFORMATION {
    PVOID BaseAddress;
    ULONG AllocationAttributes;
    LARGE_INTEGER MaximumSize;
} SECTION_BASIC_INFORMATION, *PSECTION_BASIC_INFORMATION;

typedef struct _OBJECT_DIRECTORY_INFORMATION {
    UNICODE_STRING Name;
    UNICODE_STRING TypeName;
} OBJECT_DIRECTORY_INFORMATION, *POBJECT_DIRECTORY_INFORMATION;

typedef struct _OBJECT_HANDLE_FLAG_INFORMATION {
    BOOLEAN Inherit;
    BOOLEAN ProtectFromClose;
} OBJECT_HANDLE_FLAG_INFORMATION, *POBJECT_HANDLE_FLAG_INFORMATION;

typedef struct _THREAD_BASIC_INFORMATION {
    NTSTATUS ExitStatus;
    PVOID TebBaseAddress;
    CLIENT_ID ClientId;
    KAFFINITY AffinityMask;
    KPRIORITY Priority;
    LONG BasePriority;
} THREAD_BASIC_INFORMATION, *PTHREAD_BASIC_INFORMATION;

typedef enum _IO_COMPLETION_INFORMATION_CLASS { IoCompletionBasicInformation } IO_COMPLETION_INFORMATION_CLASS;
typedef struct _IO_COMPLETION_BASIC_INFORMATION {
    LONG Depth;
} IO_COMPLETION_BASIC_INFORMATION, *PIO_COMPLETION_BASIC_INFORMATION;
#ifndef IO_COMPLETION_QUERY_STATE
#define IO_COMPLETION_QUERY_STATE 1
#endif
#ifndef IO_COMPLETION_MODIFY_STATE
#define IO_COMPLETION_MODIFY_STATE 2
#endif

typedef enum _MEMORY_INFORMATION_CLASS { MemoryBasicInformation } MEMORY_INFORMATION_CLASS;
typedef enum _SHUTDOWN_ACTION { ShutdownNoReboot, ShutdownReboot, ShutdownPowerOff } SHUTDOWN_ACTION;

typedef VOID(NTAPI *PPS_APC_ROUTINE)(PVOID Argument1, PVOID Argument2, PVOID Argument3);

#define NT_SERVICE_PROTOTYPE(name, ...)             \
    NTSYSAPI NTSTATUS NTAPI Nt##name(__VA_ARGS__); \
    NTSYSAPI NTSTATUS NTAPI Zw##name(__VA_ARGS__);

NT_SERVICE_PROTOTYPE(AccessCheck, PSECURITY_DESCRIPTOR Descriptor, HANDLE Token, ACCESS_MASK Desired,
                     PGENERIC_MAPPING Mapping, PPRIVILEGE_SET Privileges, PULONG PrivilegesLength, PACCESS_MASK Granted,
                     PNTSTATUS AccessStatus)
NT_SERVICE_PROTOTYPE(AlertThread, HANDLE Thread)
NT_SERVICE_PROTOTYPE(AllocateLocallyUniqueId, PLUID Luid)
NT_SERVICE_PROTOTYPE(AllocateUuids, PLARGE_INTEGER Time, PULONG Range, PULONG Sequence, PUCHAR Seed)
NT_SERVICE_PROTOTYPE(CancelIoFile, HANDLE File, PIO_STATUS_BLOCK Iosb)
NT_SERVICE_PROTOTYPE(CancelIoFileEx, HANDLE File, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK Iosb)
NT_SERVICE_PROTOTYPE(CancelSynchronousIoFile, HANDLE Thread, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK Iosb)
NT_SERVICE_PROTOTYPE(CancelTimer, HANDLE Timer, PBOOLEAN CurrentState)
NT_SERVICE_PROTOTYPE(ClearEvent, HANDLE Event)
NT_SERVICE_PROTOTYPE(CreateDirectoryObject, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(CreateEvent, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                     BOOLEAN InitialState)
NT_SERVICE_PROTOTYPE(CreateIoCompletion, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, ULONG Count)
NT_SERVICE_PROTOTYPE(CreateKey, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, ULONG TitleIndex,
                     PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
NT_SERVICE_PROTOTYPE(CreateMutant, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                     BOOLEAN InitialOwner)
NT_SERVICE_PROTOTYPE(CreateSemaphore, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                     LONG InitialCount, LONG MaximumCount)
NT_SERVICE_PROTOTYPE(CreateSymbolicLinkObject, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                     PUNICODE_STRING Target)
NT_SERVICE_PROTOTYPE(CreateTimer, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, TIMER_TYPE Type)
NT_SERVICE_PROTOTYPE(DelayExecution, BOOLEAN Alertable, PLARGE_INTEGER Interval)
NT_SERVICE_PROTOTYPE(DeleteKey, HANDLE Key)
NT_SERVICE_PROTOTYPE(DeleteValueKey, HANDLE Key, PUNICODE_STRING Name)
NT_SERVICE_PROTOTYPE(DisplayString, PUNICODE_STRING String)
NT_SERVICE_PROTOTYPE(DuplicateObject, HANDLE SourceProcess, HANDLE SourceHandle, HANDLE TargetProcess,
                     PHANDLE TargetHandle, ACCESS_MASK Desired, ULONG HandleAttributes, ULONG Options)
NT_SERVICE_PROTOTYPE(EnumerateKey, HANDLE Key, ULONG Index, KEY_INFORMATION_CLASS Class, PVOID Information,
                     ULONG Length, PULONG Returned)
NT_SERVICE_PROTOTYPE(EnumerateValueKey, HANDLE Key, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class, PVOID Information,
                     ULONG Length, PULONG Returned)
NT_SERVICE_PROTOTYPE(FlushBuffersFile, HANDLE File, PIO_STATUS_BLOCK Iosb)
NT_SERVICE_PROTOTYPE(FlushInstructionCache, HANDLE Process, PVOID Base, ULONG Length)
NT_SERVICE_PROTOTYPE(FlushKey, HANDLE Key)
NT_SERVICE_PROTOTYPE(LoadDriver, PUNICODE_STRING ServiceKey)
NT_SERVICE_PROTOTYPE(MakePermanentObject, HANDLE Handle)
NT_SERVICE_PROTOTYPE(MakeTemporaryObject, HANDLE Handle)
NT_SERVICE_PROTOTYPE(MapViewOfSection, HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits,
                     SIZE_T CommitSize, PLARGE_INTEGER Offset, PSIZE_T ViewSize, SECTION_INHERIT Inherit, ULONG Type,
                     ULONG Protect)
NT_SERVICE_PROTOTYPE(OpenDirectoryObject, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenEvent, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(NotifyChangeKey, HANDLE Key, HANDLE Event, PIO_APC_ROUTINE Routine, PVOID Context, PIO_STATUS_BLOCK Iosb,
                     ULONG Filter, BOOLEAN WatchTree, PVOID Buffer, ULONG Length, BOOLEAN Asynchronous)
NT_SERVICE_PROTOTYPE(OpenIoCompletion, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenKey, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenKeyEx, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, ULONG Options)
NT_SERVICE_PROTOTYPE(OpenMutant, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenProcess, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, PCLIENT_ID Id)
NT_SERVICE_PROTOTYPE(OpenSection, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenSemaphore, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenSymbolicLinkObject, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(OpenThread, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes, PCLIENT_ID Id)
NT_SERVICE_PROTOTYPE(OpenTimer, PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
NT_SERVICE_PROTOTYPE(PrivilegeCheck, HANDLE Token, PPRIVILEGE_SET Privileges, PBOOLEAN Result)
NT_SERVICE_PROTOTYPE(ProtectVirtualMemory, HANDLE Process, PVOID *Base, PSIZE_T Bytes, ULONG Protect, PULONG Old)
NT_SERVICE_PROTOTYPE(PulseEvent, HANDLE Event, PLONG PreviousState)
NT_SERVICE_PROTOTYPE(QueryDirectoryObject, HANDLE Directory, PVOID Buffer, ULONG Length, BOOLEAN SingleEntry,
                     BOOLEAN RestartScan, PULONG Context, PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryEvent, HANDLE Event, EVENT_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryInformationProcess, HANDLE Process, PROCESSINFOCLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryInformationThread, HANDLE Thread, THREADINFOCLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryIoCompletion, HANDLE Port, IO_COMPLETION_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryKey, HANDLE Key, KEY_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryMutant, HANDLE Mutant, MUTANT_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryPerformanceCounter, PLARGE_INTEGER Counter, PLARGE_INTEGER Frequency)
NT_SERVICE_PROTOTYPE(QuerySection, HANDLE Section, SECTION_INFORMATION_CLASS Class, PVOID Information, SIZE_T Length,
                     PSIZE_T Returned)
NT_SERVICE_PROTOTYPE(QuerySemaphore, HANDLE Semaphore, SEMAPHORE_INFORMATION_CLASS Class, PVOID Information,
                     ULONG Length, PULONG Returned)
NT_SERVICE_PROTOTYPE(QuerySymbolicLinkObject, HANDLE Link, PUNICODE_STRING Target, PULONG Returned)
NT_SERVICE_PROTOTYPE(QuerySystemInformation, SYSTEM_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QuerySystemTime, PLARGE_INTEGER Time)
NT_SERVICE_PROTOTYPE(QueryTimer, HANDLE Timer, TIMER_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryTimerResolution, PULONG Maximum, PULONG Minimum, PULONG Current)
NT_SERVICE_PROTOTYPE(QueryValueKey, HANDLE Key, PUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                     PVOID Information, ULONG Length, PULONG Returned)
NT_SERVICE_PROTOTYPE(QueryVirtualMemory, HANDLE Process, PVOID Base, MEMORY_INFORMATION_CLASS Class, PVOID Information,
                     SIZE_T Length, PSIZE_T Returned)
NT_SERVICE_PROTOTYPE(QueueApcThread, HANDLE Thread, PPS_APC_ROUTINE Routine, PVOID Argument1, PVOID Argument2,
                     PVOID Argument3)
NT_SERVICE_PROTOTYPE(ReadVirtualMemory, HANDLE Process, PVOID Base, PVOID Buffer, SIZE_T Bytes, PSIZE_T Read)
NT_SERVICE_PROTOTYPE(ReleaseMutant, HANDLE Mutant, PLONG PreviousCount)
NT_SERVICE_PROTOTYPE(ReleaseSemaphore, HANDLE Semaphore, LONG ReleaseCount, PLONG PreviousCount)
NT_SERVICE_PROTOTYPE(RemoveIoCompletion, HANDLE Port, PVOID *Key, PVOID *ApcContext, PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER Timeout)
NT_SERVICE_PROTOTYPE(ResetEvent, HANDLE Event, PLONG PreviousState)
NT_SERVICE_PROTOTYPE(SetEvent, HANDLE Event, PLONG PreviousState)
NT_SERVICE_PROTOTYPE(SetInformationObject, HANDLE Handle, OBJECT_INFORMATION_CLASS Class, PVOID Information,
                     ULONG Length)
NT_SERVICE_PROTOTYPE(SetInformationProcess, HANDLE Process, PROCESSINFOCLASS Class, PVOID Information, ULONG Length)
NT_SERVICE_PROTOTYPE(SetIoCompletion, HANDLE Port, PVOID Key, PVOID ApcContext, NTSTATUS Status, ULONG_PTR Information)
NT_SERVICE_PROTOTYPE(SetSystemInformation, SYSTEM_INFORMATION_CLASS Class, PVOID Information, ULONG Length)
NT_SERVICE_PROTOTYPE(SetTimer, HANDLE Timer, PLARGE_INTEGER DueTime, PTIMER_APC_ROUTINE Routine, PVOID Context,
                     BOOLEAN Resume, LONG Period, PBOOLEAN PreviousState)
NT_SERVICE_PROTOTYPE(SetTimerResolution, ULONG Desired, BOOLEAN Set, PULONG Current)
NT_SERVICE_PROTOTYPE(SetValueKey, HANDLE Key, PUNICODE_STRING Name, ULONG TitleIndex, ULONG Type, PVOID Data,
                     ULONG Length)
NT_SERVICE_PROTOTYPE(ShutdownSystem, SHUTDOWN_ACTION Action)
NT_SERVICE_PROTOTYPE(SignalAndWaitForSingleObject, HANDLE Signal, HANDLE Wait, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
NT_SERVICE_PROTOTYPE(TerminateProcess, HANDLE Process, NTSTATUS Status)
NT_SERVICE_PROTOTYPE(TerminateThread, HANDLE Thread, NTSTATUS Status)
NT_SERVICE_PROTOTYPE(TestAlert, VOID)
NT_SERVICE_PROTOTYPE(UnloadDriver, PUNICODE_STRING ServiceKey)
NT_SERVICE_PROTOTYPE(UnmapViewOfSection, HANDLE Process, PVOID Base)
NT_SERVICE_PROTOTYPE(WaitForMultipleObjects, ULONG Count, PHANDLE Handles, WAIT_TYPE Type, BOOLEAN Alertable,
                     PLARGE_INTEGER Timeout)
NT_SERVICE_PROTOTYPE(WaitForSingleObject, HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
NT_SERVICE_PROTOTYPE(WriteVirtualMemory, HANDLE Process, PVOID Base, PVOID Buffer, SIZE_T Bytes, PSIZE_T Written)
NT_SERVICE_PROTOTYPE(YieldExecution, VOID)

NTSYSAPI ULONG NTAPI NtGetCurrentProcessorNumber(VOID);
NTSYSAPI ULONG NTAPI ZwGetCurrentProcessorNumber(VOID);

#undef NT_SERVICE_PROTOTYPE
#ifdef __cplusplus
}
#endif
