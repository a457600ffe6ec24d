/*
 * Registry keys.
 */
#include "nt/capture.h"

#define VALUE_LIMIT 0x100000u /* bytes of a value's data */

/* Doc: wdm/nf-wdm-zwcreatekey */
NTSTATUS NTAPI NtCreateKey(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                           ULONG TitleIndex, PUNICODE_STRING Class, ULONG Options,
                           PULONG Disposition)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    UNICODE_STRING Name = {0, 0, NULL};
    ULONG Created = 0;
    HANDLE New = NULL;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (NT_SUCCESS(Status))
        Status = NTP_PROBE_OPTIONAL(Mode, Disposition);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status) && Captured == NULL)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status) && Class != NULL)
        Status = NtpCaptureString(Mode, Class, &Name);
    if (NT_SUCCESS(Status))
        Status = CmCreateKey_(&New, Desired, Captured, Options, &Created, Mode);
    NtpReleaseString(Mode, &Name);
    NtpReleaseAttributes(Mode, &Storage);
    Status = NtpReturnHandle(Mode, Handle, New, Status);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(Mode, Disposition, Created) : Status;
}

/* Doc: wdm/nf-wdm-zwopenkey */
NTSTATUS NTAPI NtOpenKey(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtOpenKeyEx(Handle, Desired, Attributes, 0);
}

/* Options: REG_OPTION_OPEN_LINK and REG_OPTION_BACKUP_RESTORE, neither of which changes anything
 * here. Doc: wdm/nf-wdm-zwopenkeyex */
NTSTATUS NTAPI NtOpenKeyEx(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                           ULONG Options)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    HANDLE New = NULL;
    if ((Options & ~(REG_OPTION_OPEN_LINK | REG_OPTION_BACKUP_RESTORE)) != 0)
        return STATUS_INVALID_PARAMETER_4;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status))
        Status =
            Captured == NULL ? STATUS_INVALID_PARAMETER : CmOpenKey_(&New, Desired, Captured, Mode);
    NtpReleaseAttributes(Mode, &Storage);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

/* The key goes when its last handle is closed. STATUS_CANNOT_DELETE with subkeys. Doc:
 * wdm/nf-wdm-zwdeletekey */
NTSTATUS NTAPI NtDeleteKey(HANDLE Handle)
{
    PVOID Key;
    NTSTATUS Status = NtpReference(Handle, DELETE, CmKeyObjectType_, NtpMode(), &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmDeleteKey_(Key);
    ObDereferenceObject(Key);
    return Status;
}

/* Doc: wdm/nf-wdm-zwflushkey */
NTSTATUS NTAPI NtFlushKey(HANDLE Handle)
{
    PVOID Key;
    NTSTATUS Status = NtpReference(Handle, 0, CmKeyObjectType_, NtpMode(), &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmFlushKey_(Key);
    ObDereferenceObject(Key);
    return Status;
}

/* Doc: wdm/nf-wdm-zwsetvaluekey */
NTSTATUS NTAPI NtSetValueKey(HANDLE Handle, PUNICODE_STRING Name, ULONG TitleIndex, ULONG Type,
                             PVOID Data, ULONG Length)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Captured;
    PVOID Key, Block = NULL;
    if (Length > VALUE_LIMIT)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = NtpReference(Handle, KEY_SET_VALUE, CmKeyObjectType_, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureString(Mode, Name, &Captured);
    if (NT_SUCCESS(Status))
        Status = NtpCaptureBlock(Mode, Data, Length, &Block);
    if (NT_SUCCESS(Status))
        Status = CmSetValue_(Key, &Captured, Type, Block, Length);
    NtpReleaseBlock(Mode, Block);
    NtpReleaseString(Mode, &Captured);
    ObDereferenceObject(Key);
    return Status;
}

/* Doc: wdm/nf-wdm-zwdeletevaluekey */
NTSTATUS NTAPI NtDeleteValueKey(HANDLE Handle, PUNICODE_STRING Name)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Captured;
    PVOID Key;
    NTSTATUS Status = NtpReference(Handle, KEY_SET_VALUE, CmKeyObjectType_, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureString(Mode, Name, &Captured);
    if (NT_SUCCESS(Status))
        Status = CmDeleteValue_(Key, &Captured);
    NtpReleaseString(Mode, &Captured);
    ObDereferenceObject(Key);
    return Status;
}

/* The four queries differ in one call. */
typedef enum QUERY_KIND { QueryValue, EnumerateValue, EnumerateSubkey, QueryKeyItself } QUERY_KIND;
typedef struct QUERY {
    QUERY_KIND Kind;
    UNICODE_STRING Name;
    ULONG Index, Class;
} QUERY;

static NTSTATUS Ask(const QUERY *Query, PVOID Key, PVOID Information, ULONG Length, PULONG Needed)
{
    switch (Query->Kind) {
    case QueryValue:
        return CmQueryValue_(Key, &Query->Name, (KEY_VALUE_INFORMATION_CLASS)Query->Class,
                             Information, Length, Needed);
    case EnumerateValue:
        return CmEnumerateValue_(Key, Query->Index, (KEY_VALUE_INFORMATION_CLASS)Query->Class,
                                 Information, Length, Needed);
    case EnumerateSubkey:
        return CmEnumerateKey_(Key, Query->Index, (KEY_INFORMATION_CLASS)Query->Class, Information,
                               Length, Needed);
    default:
        return CmQueryKey_(Key, (KEY_INFORMATION_CLASS)Query->Class, Information, Length, Needed);
    }
}

/* STATUS_BUFFER_OVERFLOW: the fixed part and what fits of the rest; STATUS_BUFFER_TOO_SMALL:
 * nothing. The needed length in both cases. */
static NTSTATUS Query(HANDLE Handle, ACCESS_MASK Access, const QUERY *Query, PVOID Information,
                      ULONG Length, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_OUTPUT Output;
    ULONG Needed = 0;
    PVOID Key;
    NTSTATUS Status = NtpProbe(Mode, Returned, sizeof(*Returned));
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, Access, CmKeyObjectType_, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpBeginOutput(&Output, Mode, Information, Length);
    if (NT_SUCCESS(Status)) {
        Status = Ask(Query, Key, Output.Buffer, Output.Length, &Needed);
        Status = NtpEndOutput(&Output, Status, min(Needed, Output.Length));
        NTSTATUS Written = NTP_WRITE(Mode, Returned, Needed);
        Status = NT_SUCCESS(Written) ? Status : Written;
    }
    ObDereferenceObject(Key);
    return Status;
}

/* Doc: wdm/nf-wdm-zwqueryvaluekey */
NTSTATUS NTAPI NtQueryValueKey(HANDLE Handle, PUNICODE_STRING Name,
                               KEY_VALUE_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                               PULONG Returned)
{
    QUERY Request = {QueryValue, {0, 0, NULL}, 0, Class};
    NTSTATUS Status = NtpCaptureString(NtpMode(), Name, &Request.Name);
    if (NT_SUCCESS(Status))
        Status = Query(Handle, KEY_QUERY_VALUE, &Request, Information, Length, Returned);
    NtpReleaseString(NtpMode(), &Request.Name);
    return Status;
}

/* Doc: wdm/nf-wdm-zwenumeratevaluekey */
NTSTATUS NTAPI NtEnumerateValueKey(HANDLE Handle, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class,
                                   PVOID Information, ULONG Length, PULONG Returned)
{
    QUERY Request = {EnumerateValue, {0, 0, NULL}, Index, Class};
    return Query(Handle, KEY_QUERY_VALUE, &Request, Information, Length, Returned);
}

/* Doc: wdm/nf-wdm-zwenumeratekey */
NTSTATUS NTAPI NtEnumerateKey(HANDLE Handle, ULONG Index, KEY_INFORMATION_CLASS Class,
                              PVOID Information, ULONG Length, PULONG Returned)
{
    QUERY Request = {EnumerateSubkey, {0, 0, NULL}, Index, Class};
    return Query(Handle, KEY_ENUMERATE_SUB_KEYS, &Request, Information, Length, Returned);
}

/* Doc: wdm/nf-wdm-zwquerykey */
NTSTATUS NTAPI NtQueryKey(HANDLE Handle, KEY_INFORMATION_CLASS Class, PVOID Information,
                          ULONG Length, PULONG Returned)
{
    QUERY Request = {QueryKeyItself, {0, 0, NULL}, 0, Class};
    ACCESS_MASK Access = Class == KeyNameInformation ? 0 : KEY_QUERY_VALUE;
    return Query(Handle, Access, &Request, Information, Length, Returned);
}
