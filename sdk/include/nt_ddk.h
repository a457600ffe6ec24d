// What the overlay adds to ntddk.h. ntddk.h includes this; a driver never does.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

PKPCR NTAPI KeGetPcr(VOID);
ULONG NTAPI KeGetCurrentProcessorNumber(VOID);

// The system range of this machine (docs/architecture.md) is not that of the DDK's constant.
#undef MM_LOWEST_SYSTEM_ADDRESS
#define MM_LOWEST_SYSTEM_ADDRESS MmSystemRangeStart

// Version and safe mode: exported data, read through a pointer as an x64 source does
extern PULONG InitSafeBootMode;

// Notify routines
typedef enum _PSCREATEPROCESSNOTIFYTYPE {
    PsCreateProcessNotifySubsystems = 0
} PSCREATEPROCESSNOTIFYTYPE;
typedef enum _PSCREATETHREADNOTIFYTYPE {
    PsCreateThreadNotifyNonSystem = 0,
    PsCreateThreadNotifySubsystems = 1
} PSCREATETHREADNOTIFYTYPE;
#define PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
                                                  PVOID NotifyInformation, BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType,
                                                PVOID NotifyInformation);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
                                             ULONG_PTR Flags);
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process);
ULONGLONG NTAPI PsGetProcessStartKey(PEPROCESS Process);
LONGLONG NTAPI PsGetThreadCreateTime(PETHREAD Thread);
NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread);

// The bus; mingw takes these for legacy even where wdm.h is not what was included
ULONG NTAPI HalGetInterruptVector(INTERFACE_TYPE InterfaceType, ULONG BusNumber,
                                  ULONG BusInterruptLevel, ULONG BusInterruptVector, PKIRQL Irql,
                                  PKAFFINITY Affinity);
ULONG NTAPI HalGetBusData(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                          PVOID Buffer, ULONG Length);
ULONG NTAPI HalSetBusData(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                          PVOID Buffer, ULONG Length);

// Memory
VOID NTAPI MmProbeAndLockSelectedPages(PMDL MemoryDescriptorList,
                                       PFILE_SEGMENT_ELEMENT SegmentArray,
                                       KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation);

// I/O
PEPROCESS NTAPI IoGetInitiatorProcess(PFILE_OBJECT FileObject);
BOOLEAN NTAPI IoIsValidIrpStatus(NTSTATUS Status);
VOID NTAPI IoSetMasterIrpStatus(PIRP MasterIrp, NTSTATUS Status);
NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath);
NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter,
                                               SIZE_T Size, BOOLEAN Wait, PVOID Context);
NTSTATUS NTAPI RtlQueryRegistryValueWithFallback(HANDLE PrimaryHandle, HANDLE FallbackHandle,
                                                 PUNICODE_STRING ValueName, ULONG ValueLength,
                                                 PULONG ValueType, PVOID ValueData,
                                                 PULONG ResultLength);

// Types of routines, for their declaration ("IO_CSQ_INSERT_IRP MyInsert;"), where mingw has only
// the pointer's
typedef __typeof__(*(PDRIVER_REINITIALIZE)0) DRIVER_REINITIALIZE;
typedef __typeof__(*(PLOAD_IMAGE_NOTIFY_ROUTINE)0) LOAD_IMAGE_NOTIFY_ROUTINE;
typedef __typeof__(*(PCREATE_THREAD_NOTIFY_ROUTINE)0) CREATE_THREAD_NOTIFY_ROUTINE;
typedef __typeof__(*(PCREATE_PROCESS_NOTIFY_ROUTINE)0) CREATE_PROCESS_NOTIFY_ROUTINE;
typedef __typeof__(*(PCREATE_PROCESS_NOTIFY_ROUTINE_EX)0) CREATE_PROCESS_NOTIFY_ROUTINE_EX;
typedef __typeof__(*(PEXPAND_STACK_CALLOUT)0) EXPAND_STACK_CALLOUT;
typedef __typeof__(*(PRTL_AVL_COMPARE_ROUTINE)0) RTL_AVL_COMPARE_ROUTINE;
typedef __typeof__(*(PRTL_AVL_ALLOCATE_ROUTINE)0) RTL_AVL_ALLOCATE_ROUTINE;
typedef __typeof__(*(PRTL_AVL_FREE_ROUTINE)0) RTL_AVL_FREE_ROUTINE;
typedef __typeof__(*(PRTL_GENERIC_COMPARE_ROUTINE)0) RTL_GENERIC_COMPARE_ROUTINE;
typedef __typeof__(*(PRTL_GENERIC_ALLOCATE_ROUTINE)0) RTL_GENERIC_ALLOCATE_ROUTINE;
typedef __typeof__(*(PRTL_GENERIC_FREE_ROUTINE)0) RTL_GENERIC_FREE_ROUTINE;

#ifdef __cplusplus
}
#endif
