/*
 * Handles and objects: close, duplicate, query, set, make temporary and permanent; the common body
 * of create and open.
 */
#include "nt/capture.h"
#include <string.h>

NTSTATUS NtpCreateObject(POBJECT_TYPE Type, ULONG BodySize, NTP_INITIALIZE *Initialize,
                         PVOID Context, PHANDLE Handle, ACCESS_MASK Desired,
                         POBJECT_ATTRIBUTES Attributes)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    PVOID Object;
    HANDLE New = NULL;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, Type, Captured, Mode, NULL, BodySize, 0, 0, &Object);
    if (NT_SUCCESS(Status)) {
        Status = Initialize(Object, Context);
        if (NT_SUCCESS(Status))
            Status = ObInsertObject(Object, NULL, Desired, 0, NULL, &New);
        else
            ObDereferenceObject(Object);
    }
    NtpReleaseAttributes(Mode, &Storage);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

NTSTATUS NtpOpenObject(POBJECT_TYPE Type, PHANDLE Handle, ACCESS_MASK Desired,
                       POBJECT_ATTRIBUTES Attributes)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    HANDLE New = NULL;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status))
        Status = Captured == NULL
                     ? STATUS_INVALID_PARAMETER
                     : ObOpenObjectByName(Captured, Type, Mode, NULL, Desired, NULL, &New);
    NtpReleaseAttributes(Mode, &Storage);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

/* Doc: wdm/nf-wdm-zwclose */
NTSTATUS NTAPI NtClose(HANDLE Handle)
{
    return ObCloseHandle_(Handle, NtpMode());
}

static void CloseIn(PEPROCESS Process, HANDLE Handle, KPROCESSOR_MODE Mode)
{
    KAPC_STATE Saved;
    KeStackAttachProcess((PKPROCESS)Process, &Saved);
    ObCloseHandle_(Handle, Mode);
    KeUnstackDetachProcess(&Saved);
}

/* Without a target process the source handle is only closed (DUPLICATE_CLOSE_SOURCE), or the call
 * has no effect. Doc: ntifs/nf-ntifs-zwduplicateobject */
NTSTATUS NTAPI NtDuplicateObject(HANDLE SourceProcess, HANDLE SourceHandle, HANDLE TargetProcess,
                                 PHANDLE TargetHandle, ACCESS_MASK Desired, ULONG HandleAttributes,
                                 ULONG Options)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PEPROCESS Source, Target = NULL;
    HANDLE New = NULL;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, TargetHandle);
    if (NT_SUCCESS(Status))
        Status =
            NtpReference(SourceProcess, PROCESS_DUP_HANDLE, *PsProcessType, Mode, (PVOID *)&Source);
    if (!NT_SUCCESS(Status))
        return Status;
    if (TargetProcess != NULL)
        Status =
            NtpReference(TargetProcess, PROCESS_DUP_HANDLE, *PsProcessType, Mode, (PVOID *)&Target);
    if (NT_SUCCESS(Status))
        Status = ObDuplicateHandle_(Source, SourceHandle, Target, &New, Desired, HandleAttributes,
                                    Options, Mode);
    if (NT_SUCCESS(Status) && Target != NULL) {
        Status = NTP_WRITE_OPTIONAL(Mode, TargetHandle, New);
        if (!NT_SUCCESS(Status))
            CloseIn(Target, New, Mode);
    }
    if (Target != NULL)
        ObDereferenceObject(Target);
    ObDereferenceObject(Source);
    return Status;
}

static NTSTATUS QueryBasic(PVOID Object, const OBJECT_HANDLE_INFORMATION *Handle, PVOID Information,
                           ULONG Length, PULONG Returned)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    PUBLIC_OBJECT_BASIC_INFORMATION Basic = {
        .Attributes = Handle->HandleAttributes | (Header->Attributes & OBJ_PERMANENT),
        .GrantedAccess = Handle->GrantedAccess,
        .HandleCount = (ULONG)Header->HandleCount,
        .PointerCount = (ULONG)Header->PointerCount - 1, /* ours */
    };
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Basic, sizeof(Basic));
}

/* Moves a string's address from our buffer to the caller's. */
static void Relocate(PUNICODE_STRING String, const NTP_OUTPUT *Output)
{
    if (String->Buffer != NULL)
        String->Buffer = (PWCH)((ULONG_PTR)Output->User +
                                ((ULONG_PTR)String->Buffer - (ULONG_PTR)Output->Buffer));
}

static NTSTATUS QueryName(PVOID Object, PVOID Information, ULONG Length, PULONG Returned)
{
    NTP_OUTPUT Output;
    ULONG Needed = 0;
    NTSTATUS Status = NtpBeginOutput(&Output, NtpMode(), Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObQueryNameString(Object, Output.Buffer, Output.Length, &Needed);
    if (NT_SUCCESS(Status))
        Relocate(&((POBJECT_NAME_INFORMATION)Output.Buffer)->Name, &Output);
    return NtpEndQuery(&Output, Status, NT_SUCCESS(Status) ? Needed : 0, Returned, Needed);
}

static NTSTATUS QueryType(PVOID Object, PVOID Information, ULONG Length, PULONG Returned)
{
    POBJECT_TYPE Type = ObHeader(Object)->Type;
    ULONG Needed = sizeof(PUBLIC_OBJECT_TYPE_INFORMATION) + Type->Name.Length + sizeof(WCHAR);
    NTP_OUTPUT Output;
    NTSTATUS Status = NtpBeginOutput(&Output, NtpMode(), Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length < Needed)
        return NtpEndQuery(&Output, STATUS_INFO_LENGTH_MISMATCH, 0, Returned, Needed);
    PPUBLIC_OBJECT_TYPE_INFORMATION Out = Output.Buffer;
    PWCH Text = (PWCH)(Out + 1);
    RtlZeroMemory(Out, Needed);
    memcpy(Text, Type->Name.Buffer, Type->Name.Length);
    Out->TypeName =
        (UNICODE_STRING){Type->Name.Length, (USHORT)(Type->Name.Length + sizeof(WCHAR)), Text};
    Relocate(&Out->TypeName, &Output);
    return NtpEndQuery(&Output, STATUS_SUCCESS, Needed, Returned, Needed);
}

static NTSTATUS QueryFlags(const OBJECT_HANDLE_INFORMATION *Handle, PVOID Information, ULONG Length,
                           PULONG Returned)
{
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {(Handle->HandleAttributes & OBJ_INHERIT) != 0,
                                            (Handle->HandleAttributes & OBJ_PROTECT_CLOSE) != 0};
    return NtpQueryFixed(NtpMode(), Information, Length, Returned, &Flags, sizeof(Flags));
}

/* No particular access is needed. STATUS_INFO_LENGTH_MISMATCH with the needed length for a short
 * buffer. Doc: ntifs/nf-ntifs-ntqueryobject */
NTSTATUS NTAPI NtQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class, PVOID Information,
                             ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    OBJECT_HANDLE_INFORMATION Granted;
    PVOID Object;
    NTSTATUS Status = NTP_PROBE_OPTIONAL(Mode, Returned);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, 0, NULL, Mode, &Object, &Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    switch (Class) {
    case ObjectBasicInformation:
        Status = QueryBasic(Object, &Granted, Information, Length, Returned);
        break;
    case ObjectNameInformation:
        Status = QueryName(Object, Information, Length, Returned);
        break;
    case ObjectTypeInformation:
        Status = QueryType(Object, Information, Length, Returned);
        break;
    case ObjectHandleFlagInformation:
        Status = QueryFlags(&Granted, Information, Length, Returned);
        break;
    default:
        Status = STATUS_INVALID_INFO_CLASS;
    }
    ObDereferenceObject(Object);
    return Status;
}

/* Inheritance and protection from closing, of one handle of the caller's process. */
NTSTATUS NTAPI NtSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class,
                                      PVOID Information, ULONG Length)
{
    KPROCESSOR_MODE Mode = NtpMode();
    OBJECT_HANDLE_FLAG_INFORMATION Flags;
    if (Class != ObjectHandleFlagInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (Length != sizeof(Flags))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = NTP_READ(Mode, Flags, Information);
    if (!NT_SUCCESS(Status))
        return Status;
    return ObSetHandleFlags_(
        Handle,
        (Flags.Inherit ? OBJ_INHERIT : 0) | (Flags.ProtectFromClose ? OBJ_PROTECT_CLOSE : 0), Mode);
}

/* Doc: wdm/nf-wdm-zwmaketemporaryobject */
NTSTATUS NTAPI NtMakeTemporaryObject(HANDLE Handle)
{
    PVOID Object;
    NTSTATUS Status = NtpReference(Handle, DELETE, NULL, NtpMode(), &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    ObMakeTemporaryObject(Object);
    ObDereferenceObject(Object);
    return STATUS_SUCCESS;
}

/* Needs SeCreatePermanentPrivilege. */
NTSTATUS NTAPI NtMakePermanentObject(HANDLE Handle)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PVOID Object;
    if (!SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_CREATE_PERMANENT_PRIVILEGE), Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = NtpReference(Handle, 0, NULL, Mode, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    __atomic_fetch_or(&ObHeader(Object)->Attributes, OBJ_PERMANENT, __ATOMIC_RELAXED);
    ObDereferenceObject(Object);
    return STATUS_SUCCESS;
}
