/*
 * What the registry says of a driver's service.
 */
#include "ldr/ldrp.h"
#include <string.h>

#define VALUE_BYTES 1024

static NTSTATUS OpenKey(PUNICODE_STRING Name, PVOID *Key, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    NTSTATUS Status = CmOpenKey_(Handle, KEY_READ, &Attributes, KernelMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(*Handle, KEY_READ, CmKeyObjectType_, KernelMode, Key, NULL);
    if (!NT_SUCCESS(Status))
        ObCloseHandle_(*Handle, KernelMode);
    return Status;
}

/* A value of at most VALUE_BYTES bytes. */
static NTSTATUS ReadValue(PVOID Key, PCWSTR Name, PKEY_VALUE_PARTIAL_INFORMATION Value)
{
    UNICODE_STRING String;
    ULONG Needed;
    RtlInitUnicodeString(&String, Name);
    return CmQueryValue_(Key, &String, KeyValuePartialInformation, Value, VALUE_BYTES, &Needed);
}

static ULONG ReadNumber(PVOID Key, PCWSTR Name, PKEY_VALUE_PARTIAL_INFORMATION Value, ULONG Default)
{
    if (!NT_SUCCESS(ReadValue(Key, Name, Value)) || Value->Type != REG_DWORD ||
        Value->DataLength != sizeof(ULONG))
        return Default;
    ULONG Number;
    memcpy(&Number, Value->Data, sizeof(Number));
    return Number;
}

static NTSTATUS ReadPath(PVOID Key, PKEY_VALUE_PARTIAL_INFORMATION Value, PUNICODE_STRING Path)
{
    NTSTATUS Status = ReadValue(Key, L"ImagePath", Value);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    if (Value->Type != REG_SZ && Value->Type != REG_EXPAND_SZ)
        return STATUS_OBJECT_TYPE_MISMATCH;
    USHORT Bytes = (USHORT)(Value->DataLength & ~1u);
    while (Bytes != 0 && ((PWCH)Value->Data)[Bytes / sizeof(WCHAR) - 1] == 0)
        Bytes -= sizeof(WCHAR);
    if (Bytes == 0)
        return STATUS_SUCCESS;
    Path->Buffer = ExAllocatePoolWithTag(PagedPool, Bytes, LDRP_TAG);
    if (Path->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(Path->Buffer, Value->Data, Bytes);
    Path->Length = Path->MaximumLength = Bytes;
    return STATUS_SUCCESS;
}

static NTSTATUS ReadValues(PVOID Key, LDRP_SERVICE *Service)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value = ExAllocatePoolWithTag(PagedPool, VALUE_BYTES, LDRP_TAG);
    if (Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Service->Type = ReadNumber(Key, L"Type", Value, SERVICE_KERNEL_DRIVER);
    Service->Start = ReadNumber(Key, L"Start", Value, SERVICE_DEMAND_START);
    Service->ErrorControl = ReadNumber(Key, L"ErrorControl", Value, SERVICE_ERROR_IGNORE);
    NTSTATUS Status = ReadPath(Key, Value, &Service->ImagePath);
    ExFreePoolWithTag(Value, LDRP_TAG);
    return Status;
}

static BOOLEAN NameService(PUNICODE_STRING Key, PUNICODE_STRING Name)
{
    USHORT Count = Key->Length / sizeof(WCHAR), Start = Count;
    while (Start != 0 && Key->Buffer[Start - 1] != L'\\')
        Start--;
    Name->Buffer = Key->Buffer + Start;
    Name->Length = Name->MaximumLength = (USHORT)((Count - Start) * sizeof(WCHAR));
    return Start != 0 && Name->Length != 0;
}

NTSTATUS LdrpReadService(PUNICODE_STRING Key, LDRP_SERVICE *Service)
{
    HANDLE Handle;
    PVOID Object;
    RtlZeroMemory(Service, sizeof(*Service));
    Service->Key = *Key;
    if (!NameService(Key, &Service->Name))
        return STATUS_OBJECT_NAME_INVALID;
    NTSTATUS Status = OpenKey(Key, &Object, &Handle);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_OBJECT_PATH_NOT_FOUND ? STATUS_OBJECT_NAME_NOT_FOUND : Status;
    Status = ReadValues(Object, Service);
    ObDereferenceObject(Object);
    ObCloseHandle_(Handle, KernelMode);
    if (NT_SUCCESS(Status) && Service->Type != SERVICE_KERNEL_DRIVER &&
        Service->Type != SERVICE_FILE_SYSTEM_DRIVER)
        Status = STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        LdrpFreeService(Service);
    return Status;
}

void LdrpFreeService(LDRP_SERVICE *Service)
{
    if (Service->ImagePath.Buffer != NULL)
        ExFreePoolWithTag(Service->ImagePath.Buffer, LDRP_TAG);
    Service->ImagePath.Buffer = NULL;
}
