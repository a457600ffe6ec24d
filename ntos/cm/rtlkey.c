/*
 * Rtl routines that open, make and write keys by a path relative to a well-known place.
 */
#include "cm/cmp.h"
#include "cm/rtlkey.h"

static const PCWSTR CmpPlaces[RTL_REGISTRY_MAXIMUM] = {
    [RTL_REGISTRY_ABSOLUTE] = L"",
    [RTL_REGISTRY_SERVICES] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\",
    [RTL_REGISTRY_CONTROL] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\",
    [RTL_REGISTRY_WINDOWS_NT] =
        L"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\",
    [RTL_REGISTRY_DEVICEMAP] = L"\\Registry\\Machine\\Hardware\\DeviceMap\\",
    [RTL_REGISTRY_USER] = L"\\Registry\\User\\.Default\\",
};

/* Place and path in one string of paged pool. */
static NTSTATUS CmpJoin(ULONG Place, PCWSTR Path, PUNICODE_STRING Full)
{
    SIZE_T First = wcslen(CmpPlaces[Place]), Second = Path != NULL ? wcslen(Path) : 0,
           Bytes = (First + Second) * sizeof(WCHAR);

    if (Bytes > UNICODE_STRING_MAX_BYTES)
        return STATUS_NAME_TOO_LONG;
    Full->Buffer = ExAllocatePoolWithTag(PagedPool, Bytes + sizeof(WCHAR), CMP_TAG);
    if (Full->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Full->Buffer, CmpPlaces[Place], First * sizeof(WCHAR));
    if (Second != 0)
        RtlCopyMemory(Full->Buffer + First, Path, Second * sizeof(WCHAR));
    Full->Length = Full->MaximumLength = (USHORT)Bytes;
    while (Full->Length > sizeof(WCHAR) && Full->Buffer[Full->Length / sizeof(WCHAR) - 1] == L'\\')
        Full->Length -= sizeof(WCHAR);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpOpenPath(PCUNICODE_STRING Path, HANDLE Root, BOOLEAN Create, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Path,
                               OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    if (Create)
        return CmCreateKey_(Handle, KEY_ALL_ACCESS, &Attributes, REG_OPTION_NON_VOLATILE, NULL,
                            KernelMode);
    return CmOpenKey_(Handle, KEY_ALL_ACCESS, &Attributes, KernelMode);
}

/* Makes what is missing, from the top: tries the whole path, then ever shorter ones, then the same
 * way back. */
static NTSTATUS CmpCreatePath(PCUNICODE_STRING Path, PHANDLE Handle)
{
    UNICODE_STRING Parent = *Path;
    NTSTATUS Status = CmpOpenPath(Path, NULL, TRUE, Handle);

    if (Status != STATUS_OBJECT_NAME_NOT_FOUND)
        return Status;
    while (Parent.Length != 0 && Parent.Buffer[Parent.Length / sizeof(WCHAR) - 1] != L'\\')
        Parent.Length -= sizeof(WCHAR);
    if (Parent.Length <= sizeof(WCHAR))
        return Status;
    Parent.Length -= sizeof(WCHAR);
    Status = CmpCreatePath(&Parent, Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    ObCloseHandle_(*Handle, KernelMode);
    return CmpOpenPath(Path, NULL, TRUE, Handle);
}

NTSTATUS CmpReferenceKey(HANDLE Handle, PVOID *Key)
{
    return ObReferenceObjectByHandle(Handle, 0, CmKeyObjectType_, KernelMode, Key, NULL);
}

NTSTATUS CmpOpenBelow(PVOID Key, PCWSTR Name, PVOID *Found)
{
    UNICODE_STRING String;
    HANDLE Root, Handle;
    NTSTATUS Status = ObOpenObjectByPointer(Key, OBJ_KERNEL_HANDLE, NULL, KEY_ALL_ACCESS,
                                            CmKeyObjectType_, KernelMode, &Root);

    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&String, Name);
    Status = CmpOpenPath(&String, Root, FALSE, &Handle);
    if (NT_SUCCESS(Status)) {
        Status = CmpReferenceKey(Handle, Found);
        ObCloseHandle_(Handle, KernelMode);
    }
    ObCloseHandle_(Root, KernelMode);
    return Status;
}

NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, PVOID *Key)
{
    ULONG Place = RelativeTo & ~(RTL_REGISTRY_HANDLE | RTL_REGISTRY_OPTIONAL);
    UNICODE_STRING Full;
    NTSTATUS Status;
    HANDLE Handle;

    if ((RelativeTo & RTL_REGISTRY_HANDLE) != 0)
        return CmpReferenceKey((HANDLE)Path, Key);
    if (Place >= RTL_REGISTRY_MAXIMUM)
        return STATUS_INVALID_PARAMETER;
    Status = CmpJoin(Place, Path, &Full);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Create ? CmpCreatePath(&Full, &Handle) : CmpOpenPath(&Full, NULL, FALSE, &Handle);
    ExFreePoolWithTag(Full.Buffer, CMP_TAG);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpReferenceKey(Handle, Key);
    ObCloseHandle_(Handle, KernelMode);
    return Status;
}

/* PASSIVE_LEVEL. STATUS_OBJECT_NAME_NOT_FOUND. Doc: wdm/nf-wdm-rtlcheckregistrykey */
NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    NTSTATUS Status;
    PVOID Key;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Key);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Key);
    return Status;
}

/* With all keys above it. PASSIVE_LEVEL. Doc: wdm/nf-wdm-rtlcreateregistrykey */
NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    NTSTATUS Status;
    PVOID Key;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = CmpOpenRelative(RelativeTo, Path, TRUE, &Key);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Key);
    return Status;
}

/* Makes the key if it is missing. PASSIVE_LEVEL. Doc: wdm/nf-wdm-rtlwriteregistryvalue */
NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName,
                                     ULONG ValueType, PVOID ValueData, ULONG ValueLength)
{
    UNICODE_STRING Name;
    NTSTATUS Status;
    PVOID Key;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = CmpOpenRelative(RelativeTo, Path, TRUE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, ValueName);
    Status = CmSetValue_(Key, &Name, ValueType, ValueData, ValueLength);
    ObDereferenceObject(Key);
    return Status;
}

/* PASSIVE_LEVEL. Doc: wdm/nf-wdm-rtldeleteregistryvalue */
NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    UNICODE_STRING Name;
    NTSTATUS Status;
    PVOID Key;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, ValueName);
    Status = CmDeleteValue_(Key, &Name);
    ObDereferenceObject(Key);
    return Status;
}
