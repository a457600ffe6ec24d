/*
 * RtlQueryRegistryValues: a table of values to ask for.
 */
#include "cm/cmp.h"
#include "cm/rtlkey.h"

#ifndef RTL_QUERY_REGISTRY_TYPECHECK
#define RTL_QUERY_REGISTRY_TYPECHECK 0x00000100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24
#endif

typedef struct CMP_QUERY {
    PVOID Top, Key; /* the key of the path, the current one */
    PVOID Context;
} CMP_QUERY;

static BOOLEAN CmpIsText(ULONG Type)
{
    return Type == REG_SZ || Type == REG_EXPAND_SZ || Type == REG_MULTI_SZ;
}

/* ---- one value, stored or told ---- */

static NTSTATUS CmpStoreText(PVOID Data, ULONG Length, PUNICODE_STRING To)
{
    Length = min(Length, UNICODE_STRING_MAX_BYTES);
    if (To->Buffer == NULL) {
        To->Buffer = RtlpAllocate(Length != 0 ? Length : sizeof(WCHAR));
        if (To->Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        To->MaximumLength = (USHORT)Length;
    } else if (Length > To->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(To->Buffer, Data, Length);
    To->Length = (USHORT)(Length >= sizeof(WCHAR) ? Length - sizeof(WCHAR) : 0);
    return STATUS_SUCCESS;
}

/* A buffer that begins with a negative size takes the bare data; else with its size: length, type,
 * data. */
static NTSTATUS CmpStoreBytes(ULONG Type, PVOID Data, ULONG Length, PULONG To)
{
    LONG Size = (LONG)To[0];

    if (Size < 0) {
        if ((ULONG64) - (LONG64)Size < Length)
            return STATUS_BUFFER_TOO_SMALL;
        RtlCopyMemory(To, Data, Length);
        return STATUS_SUCCESS;
    }
    if ((ULONG)Size < 2 * sizeof(ULONG) + (ULONG64)Length)
        return STATUS_BUFFER_TOO_SMALL;
    To[0] = Length;
    To[1] = Type;
    RtlCopyMemory(To + 2, Data, Length);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpStoreDirect(ULONG Type, PVOID Data, ULONG Length, PVOID To)
{
    if (CmpIsText(Type))
        return CmpStoreText(Data, Length, To);
    if (Length > sizeof(ULONG))
        return CmpStoreBytes(Type, Data, Length, To);
    RtlCopyMemory(To, Data, Length);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpTellOne(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name,
                           ULONG Type, PVOID Data, ULONG Length, PVOID EntryContext)
{
    NTSTATUS Status;

    if ((Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0)
        return CmpStoreDirect(Type, Data, Length, EntryContext);
    Status = NT_CALL(Entry->QueryRoutine, Name, Type, Data, Length, Query->Context, EntryContext);
    return Status == STATUS_BUFFER_TOO_SMALL ? STATUS_SUCCESS : Status;
}

static ULONG CmpStringBytes(PCWSTR Text, PCWSTR End)
{
    PCWSTR At = Text;

    while (At < End && *At != 0)
        At++;
    return (ULONG)((At < End ? At + 1 : At) - Text) * sizeof(WCHAR);
}

/* Each string for itself; with DIRECT into successive UNICODE_STRINGs. */
static NTSTATUS CmpTellMany(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name,
                            PWSTR Text, ULONG Length)
{
    PWSTR End = Text + Length / sizeof(WCHAR);
    PUCHAR To = Entry->EntryContext;
    NTSTATUS Status = STATUS_SUCCESS;

    while (NT_SUCCESS(Status) && Text < End && *Text != 0) {
        ULONG Bytes = CmpStringBytes(Text, End);
        Status = CmpTellOne(Query, Entry, Name, REG_SZ, Text, Bytes, To);
        if ((Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0)
            To += sizeof(UNICODE_STRING);
        Text += Bytes / sizeof(WCHAR);
    }
    return Status;
}

/* There is no environment: a REG_EXPAND_SZ comes as REG_SZ with its names unexpanded. */
static NTSTATUS CmpTell(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name, ULONG Type,
                        PVOID Data, ULONG Length)
{
    if ((Entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND) == 0) {
        if (Type == REG_MULTI_SZ)
            return CmpTellMany(Query, Entry, Name, Data, Length);
        if (Type == REG_EXPAND_SZ)
            Type = REG_SZ;
    }
    return CmpTellOne(Query, Entry, Name, Type, Data, Length, Entry->EntryContext);
}

static ULONG CmpDefaultLength(ULONG Type, PCWSTR Text)
{
    PCWSTR At = Text;

    if (!CmpIsText(Type))
        return 0;
    do
        At += wcslen(At) + 1;
    while (Type == REG_MULTI_SZ && *At != 0);
    return (ULONG)(At - Text + (Type == REG_MULTI_SZ)) * sizeof(WCHAR);
}

static NTSTATUS CmpTellDefault(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    ULONG Type = Entry->DefaultType & 0xFF, Length = Entry->DefaultLength;

    if (Type == REG_NONE)
        return (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0 ? STATUS_OBJECT_NAME_NOT_FOUND
                                                                 : STATUS_SUCCESS;
    if (Length == 0 && Entry->DefaultData != NULL)
        Length = CmpDefaultLength(Type, Entry->DefaultData);
    return CmpTell(Query, Entry, (PWSTR)Entry->Name, Type, Entry->DefaultData, Length);
}

/* ---- entries of the table ---- */

/* KEY_VALUE_FULL_INFORMATION of the value (by Name, or by Index if that is NULL), in pool. */
static NTSTATUS CmpFetch(PVOID Key, PCUNICODE_STRING Name, ULONG Index,
                         KEY_VALUE_FULL_INFORMATION **Value)
{
    ULONG Length = 256, Needed;
    NTSTATUS Status;

    for (;;) {
        *Value = ExAllocatePoolWithTag(PagedPool, Length + sizeof(WCHAR), CMP_TAG);
        if (*Value == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Status =
            Name != NULL
                ? CmQueryValue_(Key, Name, KeyValueFullInformation, *Value, Length, &Needed)
                : CmEnumerateValue_(Key, Index, KeyValueFullInformation, *Value, Length, &Needed);
        if (Status == STATUS_SUCCESS)
            return Status;
        ExFreePoolWithTag(*Value, CMP_TAG);
        if (Status != STATUS_BUFFER_OVERFLOW && Status != STATUS_BUFFER_TOO_SMALL)
            return Status;
        Length = Needed;
    }
}

static NTSTATUS CmpCheckStoredType(PRTL_QUERY_REGISTRY_TABLE Entry, ULONG Type)
{
    ULONG Both = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;

    if ((Entry->Flags & Both) == Both &&
        Entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT != Type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    return STATUS_SUCCESS;
}

/* The value's name is not terminated where it lies: Name is. */
static NTSTATUS CmpTellStored(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name,
                              KEY_VALUE_FULL_INFORMATION *Value)
{
    NTSTATUS Status = CmpCheckStoredType(Entry, Value->Type);
    PVOID Data = Value->DataLength != 0 ? (PUCHAR)Value + Value->DataOffset : (PVOID)L"";

    return NT_SUCCESS(Status) ? CmpTell(Query, Entry, Name, Value->Type, Data, Value->DataLength)
                              : Status;
}

static NTSTATUS CmpQueryNamed(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    KEY_VALUE_FULL_INFORMATION *Value;
    UNICODE_STRING Name;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Entry->Name);
    Status = CmpFetch(Query->Key, &Name, 0, &Value);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return CmpTellDefault(Query, Entry);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpTellStored(Query, Entry, (PWSTR)Entry->Name, Value);
    ExFreePoolWithTag(Value, CMP_TAG);
    if (NT_SUCCESS(Status) && (Entry->Flags & RTL_QUERY_REGISTRY_DELETE) != 0)
        CmDeleteValue_(Query->Key, &Name);
    return Status;
}

static NTSTATUS CmpQueryOneOfAll(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry,
                                 KEY_VALUE_FULL_INFORMATION *Value)
{
    UNICODE_STRING Name = {(USHORT)Value->NameLength, (USHORT)Value->NameLength, Value->Name};
    PWSTR Copy = ExAllocatePoolWithTag(PagedPool, Value->NameLength + sizeof(WCHAR), CMP_TAG);
    NTSTATUS Status;

    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Copy, Value->Name, Value->NameLength);
    Copy[Value->NameLength / sizeof(WCHAR)] = 0;
    Status = CmpTellStored(Query, Entry, Copy, Value);
    ExFreePoolWithTag(Copy, CMP_TAG);
    if (NT_SUCCESS(Status) && (Entry->Flags & RTL_QUERY_REGISTRY_DELETE) != 0)
        CmDeleteValue_(Query->Key, &Name);
    return Status;
}

static NTSTATUS CmpQueryAll(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    KEY_VALUE_FULL_INFORMATION *Value;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index = 0, Count = 0;

    for (;;) {
        Status = CmpFetch(Query->Key, NULL, Index, &Value);
        if (!NT_SUCCESS(Status))
            break;
        Status = CmpQueryOneOfAll(Query, Entry, Value);
        ExFreePoolWithTag(Value, CMP_TAG);
        if (!NT_SUCCESS(Status))
            break;
        Count++;
        if ((Entry->Flags & RTL_QUERY_REGISTRY_DELETE) == 0)
            Index++;
    }
    if (Status != STATUS_NO_MORE_ENTRIES)
        return Status;
    return Count == 0 && (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0
               ? STATUS_OBJECT_NAME_NOT_FOUND
               : STATUS_SUCCESS;
}

static void CmpFocus(CMP_QUERY *Query, PVOID Key)
{
    if (Query->Key != Query->Top)
        ObDereferenceObject(Query->Key);
    Query->Key = Key;
}

static NTSTATUS CmpCheckEntry(PRTL_QUERY_REGISTRY_TABLE Entry)
{
    if ((Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0 &&
        (Entry->Name == NULL || Entry->QueryRoutine != NULL ||
         (Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0))
        return STATUS_INVALID_PARAMETER;
    if ((Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0 && Entry->Name == NULL)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpQueryEntry(CMP_QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    NTSTATUS Status = CmpCheckEntry(Entry);
    PVOID Subkey;

    if (!NT_SUCCESS(Status))
        return Status;
    if ((Entry->Flags & (RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_SUBKEY)) != 0)
        CmpFocus(Query, Query->Top);
    if ((Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) {
        Status = CmpOpenBelow(Query->Top, Entry->Name, &Subkey);
        if (!NT_SUCCESS(Status))
            return Status;
        CmpFocus(Query, Subkey);
        return Entry->QueryRoutine != NULL ? CmpQueryAll(Query, Entry) : STATUS_SUCCESS;
    }
    if (Entry->Name != NULL)
        return CmpQueryNamed(Query, Entry);
    if ((Entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) != 0)
        return CmpTellOne(Query, Entry, NULL, REG_NONE, NULL, 0, Entry->EntryContext);
    return CmpQueryAll(Query, Entry);
}

/* Goes through the table until an entry fails or the end. STATUS_INVALID_PARAMETER: a senseless
 * entry; STATUS_OBJECT_NAME_NOT_FOUND: the path (unless RTL_REGISTRY_OPTIONAL), or a required
 * value; STATUS_BUFFER_TOO_SMALL and STATUS_OBJECT_TYPE_MISMATCH of direct entries. PASSIVE_LEVEL.
 * Doc: wdm/nf-wdm-rtlqueryregistryvalues */
NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path,
                                      PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                      PVOID Environment)
{
    CMP_QUERY Query = {.Context = Context};
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Query.Top);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && (RelativeTo & RTL_REGISTRY_OPTIONAL) != 0)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    Query.Key = Query.Top;
    for (; NT_SUCCESS(Status) &&
           (QueryTable->QueryRoutine != NULL ||
            (QueryTable->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT)) != 0);
         QueryTable++)
        Status = CmpQueryEntry(&Query, QueryTable);
    CmpFocus(&Query, Query.Top);
    ObDereferenceObject(Query.Top);
    return Status;
}

/* The same; the name that newer headers use. */
NTSTATUS NTAPI RtlQueryRegistryValuesEx(ULONG RelativeTo, PCWSTR Path,
                                        PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                        PVOID Environment)
{
    return RtlQueryRegistryValues(RelativeTo, Path, QueryTable, Context, Environment);
}

static NTSTATUS CmpQueryInto(HANDLE Handle, PUNICODE_STRING Name, ULONG Length, PULONG Type,
                             PVOID Data, PULONG ResultLength)
{
    KEY_VALUE_FULL_INFORMATION *Value;
    NTSTATUS Status;
    PVOID Key;

    Status = CmpReferenceKey(Handle, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpFetch(Key, Name, 0, &Value);
    ObDereferenceObject(Key);
    if (!NT_SUCCESS(Status))
        return Status;
    *ResultLength = Value->DataLength;
    if (Type != NULL)
        *Type = Value->Type;
    Status = Value->DataLength > Length ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    if (NT_SUCCESS(Status) && Value->DataLength != 0)
        RtlCopyMemory(Data, (PUCHAR)Value + Value->DataOffset, Value->DataLength);
    ExFreePoolWithTag(Value, CMP_TAG);
    return Status;
}

/* The value of the first key, or else of the second. PASSIVE_LEVEL. Doc:
 * ntddk/nf-ntddk-rtlqueryregistryvaluewithfallback */
NTSTATUS NTAPI RtlQueryRegistryValueWithFallback(HANDLE PrimaryHandle, HANDLE FallbackHandle,
                                                 PUNICODE_STRING ValueName, ULONG ValueLength,
                                                 PULONG ValueType, PVOID ValueData,
                                                 PULONG ResultLength)
{
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (PrimaryHandle == NULL && FallbackHandle == NULL)
        return STATUS_INVALID_PARAMETER;
    if (PrimaryHandle != NULL)
        Status =
            CmpQueryInto(PrimaryHandle, ValueName, ValueLength, ValueType, ValueData, ResultLength);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && FallbackHandle != NULL)
        Status = CmpQueryInto(FallbackHandle, ValueName, ValueLength, ValueType, ValueData,
                              ResultLength);
    return Status;
}
