/*
 * Processes: open, end, query.
 */
#include "nt/capture.h"
#include <string.h>

/* The current process for NULL. */
static NTSTATUS ReferenceProcess(HANDLE Handle, ACCESS_MASK Access, struct _EPROCESS **Process)
{
    return NtpReference(Handle == NULL ? ZwCurrentProcess() : Handle, Access, *PsProcessType,
                        NtpMode(), (PVOID *)Process);
}

/* Opening by id takes the attributes' flags only: a name too is STATUS_INVALID_PARAMETER_MIX. */
NTSTATUS NtpCaptureClientId(POBJECT_ATTRIBUTES Attributes, PCLIENT_ID From, CLIENT_ID *Id,
                            PULONG Flags)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    NTSTATUS Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status) && Captured == NULL)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status) && (Captured->ObjectName != NULL || From == NULL))
        Status = STATUS_INVALID_PARAMETER_MIX;
    if (NT_SUCCESS(Status))
        *Flags = Captured->Attributes;
    NtpReleaseAttributes(Mode, &Storage);
    return NT_SUCCESS(Status) ? NTP_READ(Mode, *Id, From) : Status;
}

/* A handle to a process or thread that was found; the debug privilege opens everything. Takes the
 * reference. */
NTSTATUS NtpOpenFound(PVOID Object, POBJECT_TYPE Type, ULONG Flags, ACCESS_MASK Desired,
                      PHANDLE Handle)
{
    KPROCESSOR_MODE Mode = NtpMode();
    HANDLE New = NULL;
    BOOLEAN Debugger = SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_DEBUG_PRIVILEGE), Mode);
    NTSTATUS Status = ObOpenObjectByPointer(Object, Flags, NULL, Desired, Type,
                                            Debugger ? KernelMode : Mode, &New);
    ObDereferenceObject(Object);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

/* STATUS_INVALID_CID: no such process. Doc: ntddk/nf-ntddk-ntopenprocess */
NTSTATUS NTAPI NtOpenProcess(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                             PCLIENT_ID ClientId)
{
    struct _EPROCESS *Process;
    CLIENT_ID Id;
    ULONG Flags;
    NTSTATUS Status = NtpProbe(NtpMode(), Handle, sizeof(*Handle));
    if (NT_SUCCESS(Status))
        Status = NtpCaptureClientId(Attributes, ClientId, &Id, &Flags);
    if (NT_SUCCESS(Status))
        Status = PsLookupProcessByProcessId(Id.UniqueProcess, &Process);
    return NT_SUCCESS(Status) ? NtpOpenFound(Process, *PsProcessType, Flags, Desired, Handle)
                              : Status;
}

/* Handle NULL: every thread of the caller's process but its own is ended. Needs PROCESS_TERMINATE;
 * nobody ends the System process (STATUS_ACCESS_DENIED). Doc: ntddk/nf-ntddk-zwterminateprocess */
NTSTATUS NTAPI NtTerminateProcess(HANDLE Handle, NTSTATUS ExitStatus)
{
    struct _EPROCESS *Process;
    NTSTATUS Status = ReferenceProcess(Handle, PROCESS_TERMINATE, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Process == PsInitialSystemProcess)
        Status = STATUS_ACCESS_DENIED;
    else if (Handle == NULL)
        PsTerminateOtherThreads_(Process, ExitStatus);
    else
        PsTerminateProcess_(Process, ExitStatus);
    ObDereferenceObject(Process);
    return Status;
}

static NTSTATUS QueryImage(struct _EPROCESS *Process, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    USHORT Bytes = Process->ImagePath.Length;
    ULONG Needed = sizeof(UNICODE_STRING) + Bytes + sizeof(WCHAR);
    NTP_OUTPUT Output;
    NTSTATUS Status = NtpBeginOutput(&Output, NtpMode(), Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length < Needed)
        return NtpEndQuery(&Output, STATUS_INFO_LENGTH_MISMATCH, 0, Returned, Needed);
    PUNICODE_STRING String = Output.Buffer;
    RtlZeroMemory(String, Needed);
    memcpy(String + 1, Process->ImagePath.Buffer, Bytes);
    *String = (UNICODE_STRING){Bytes, (USHORT)(Bytes + sizeof(WCHAR)),
                               (PWCH)((ULONG_PTR)Information + sizeof(UNICODE_STRING))};
    return NtpEndQuery(&Output, STATUS_SUCCESS, Needed, Returned, Needed);
}

static NTSTATUS QueryBasic(struct _EPROCESS *Process, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    PROCESS_BASIC_INFORMATION Basic;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.ExitStatus = Process->ExitStatus;
    Basic.AffinityMask = KeQueryActiveProcessors();
    Basic.BasePriority = 8;
    Basic.UniqueProcessId = (ULONG_PTR)Process->UniqueProcessId;
    Basic.InheritedFromUniqueProcessId = (ULONG_PTR)Process->ParentId;
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Basic, sizeof(Basic));
}

static NTSTATUS QueryTimes(struct _EPROCESS *Process, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    KERNEL_USER_TIMES Times = {.CreateTime = Process->CreateTime,
                               .ExitTime.QuadPart = Process->ExitTime};
    PsQueryProcessTimes_(Process, (PULONG64)&Times.KernelTime, (PULONG64)&Times.UserTime);
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Times, sizeof(Times));
}

static NTSTATUS QueryWord(ULONG Value, PVOID Information, ULONG Length, PULONG Returned)
{
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Value, sizeof(Value));
}

static NTSTATUS QueryPointer(ULONG_PTR Value, PVOID Information, ULONG Length, PULONG Returned)
{
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Value, sizeof(Value));
}

static ULONG HandleCount(struct _EPROCESS *Process)
{
    if (!ExAcquireRundownProtection(&Process->Rundown))
        return 0;
    ULONG Count = Process->HandleTable == NULL ? 0 : ExHandleCount_(Process->HandleTable);
    ExReleaseRundownProtection(&Process->Rundown);
    return Count;
}

static NTSTATUS Query(struct _EPROCESS *Process, PROCESSINFOCLASS Class, PVOID Information,
                      ULONG Length, PULONG Returned)
{
    switch (Class) {
    case ProcessBasicInformation:
        return QueryBasic(Process, Information, Length, Returned);
    case ProcessTimes:
        return QueryTimes(Process, Information, Length, Returned);
    case ProcessDefaultHardErrorMode:
        return QueryWord(Process->HardErrorMode, Information, Length, Returned);
    case ProcessHandleCount:
        return QueryWord(HandleCount(Process), Information, Length, Returned);
    case ProcessSessionInformation:
        return QueryWord(PsGetProcessSessionId(Process), Information, Length, Returned);
    case ProcessDebugPort: /* no debugger */
    case ProcessWow64Information:
        return QueryPointer(0, Information, Length, Returned);
    case ProcessImageFileName:
    case ProcessImageFileNameWin32:
        return QueryImage(Process, Information, Length, Returned);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* Doc: ntddk/nf-ntddk-zwqueryinformationprocess */
NTSTATUS NTAPI NtQueryInformationProcess(HANDLE Handle, PROCESSINFOCLASS Class, PVOID Information,
                                         ULONG Length, PULONG Returned)
{
    struct _EPROCESS *Process;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(NtpMode(), Returned);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, PROCESS_QUERY_INFORMATION, *PsProcessType, NtpMode(),
                              (PVOID *)&Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Query(Process, Class, Information, Length, Returned);
    ObDereferenceObject(Process);
    return Status;
}

/* ProcessDefaultHardErrorMode, which is kept for the client to ask for. */
NTSTATUS NTAPI NtSetInformationProcess(HANDLE Handle, PROCESSINFOCLASS Class, PVOID Information,
                                       ULONG Length)
{
    struct _EPROCESS *Process;
    ULONG Mode;
    if (Class != ProcessDefaultHardErrorMode)
        return STATUS_INVALID_INFO_CLASS;
    if (Length != sizeof(Mode))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = NTP_READ(NtpMode(), Mode, Information);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, PROCESS_SET_INFORMATION, *PsProcessType, NtpMode(),
                              (PVOID *)&Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Process->HardErrorMode = Mode;
    ObDereferenceObject(Process);
    return STATUS_SUCCESS;
}
