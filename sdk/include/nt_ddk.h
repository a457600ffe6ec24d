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
typedef enum _PSCREATEPROCESSNOTIFYTYPE { PsCreateProcessNotifySubsystems = 0 } PSCREATEPROCESSNOTIFYTYPE;
typedef enum _PSCREATETHREADNOTIFYTYPE {
    PsCreateThreadNotifyNonSystem = 0,
    PsCreateThreadNotifySubsystems = 1
} PSCREATETHREADNOTIFYTYPE;
#define PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType, PVOID NotifyInformation,
                                                  BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType, PVOID NotifyInformation);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine, ULONG_PTR Flags);
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process);
ULONGLONG NTAPI PsGetProcessStartKey(PEPROCESS Process);
LONGLONG NTAPI PsGetThreadCreateTime(PETHREAD Thread);
NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread);

// I/O
PEPROCESS NTAPI IoGetInitiatorProcess(PFILE_OBJECT FileObject);
BOOLEAN NTAPI IoIsValidIrpStatus(NTSTATUS Status);
VOID NTAPI IoSetMasterIrpStatus(PIRP MasterIrp, NTSTATUS Status);
NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath);
NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size,
                                               BOOLEAN Wait, PVOID Context);
NTSTATUS NTAPI RtlQueryRegistryValueWithFallback(HANDLE PrimaryHandle, HANDLE FallbackHandle, PUNICODE_STRING ValueName,
                                                 ULONG ValueLength, PULONG ValueType, PVOID ValueData,
                                                 PULONG ResultLength);

#ifdef __cplusplus
}
#endif
