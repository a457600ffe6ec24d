/* Reads the driver's key. */
#include "settings.h"

typedef struct _VALUE {
    KEY_VALUE_PARTIAL_INFORMATION Head;
    UCHAR More[1024];
} VALUE;

static BOOLEAN ReadValue(PUNICODE_STRING RegistryPath, PCWSTR Name, VALUE *Value)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;
    ULONG Returned;
    HANDLE Key;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return FALSE;
    RtlInitUnicodeString(&String, Name);
    Status = ZwQueryValueKey(Key, &String, KeyValuePartialInformation, Value, sizeof(*Value), &Returned);
    ZwClose(Key);
    return NT_SUCCESS(Status);
}

ULONG SettingsNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Otherwise)
{
    VALUE Value;
    ULONG Number = Otherwise;

    if (ReadValue(RegistryPath, Name, &Value) && Value.Head.Type == REG_DWORD && Value.Head.DataLength == sizeof(Number))
        RtlCopyMemory(&Number, Value.Head.Data, sizeof(Number));
    return Number;
}

BOOLEAN SettingsText(PUNICODE_STRING RegistryPath, PCWSTR Name, PUNICODE_STRING Text, WCHAR *Buffer, ULONG Bytes)
{
    VALUE Value;
    ULONG Length;

    if (!ReadValue(RegistryPath, Name, &Value) || Value.Head.Type != REG_SZ)
        return FALSE;
    Length = Value.Head.DataLength & ~1u;
    if (Length < sizeof(WCHAR) || Length > Bytes)
        return FALSE;
    RtlCopyMemory(Buffer, Value.Head.Data, Length);
    Buffer[Length / sizeof(WCHAR) - 1] = 0;
    RtlInitUnicodeString(Text, Buffer);
    return TRUE;
}
