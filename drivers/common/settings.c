/* Reads the driver's key. */
#include "settings.h"

typedef struct _VALUE {
    KEY_VALUE_PARTIAL_INFORMATION Head;
    WCHAR More[SETTINGS_CHARACTERS];
} VALUE;

static BOOLEAN ReadValue(PUNICODE_STRING RegistryPath, PCWSTR Name, VALUE *Value)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;
    ULONG Returned;
    HANDLE Key;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return FALSE;
    RtlInitUnicodeString(&String, Name);
    Status =
        ZwQueryValueKey(Key, &String, KeyValuePartialInformation, Value, sizeof(*Value), &Returned);
    ZwClose(Key);
    return NT_SUCCESS(Status);
}

ULONG SettingsNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Otherwise)
{
    VALUE Value;
    ULONG Number = Otherwise;

    if (ReadValue(RegistryPath, Name, &Value) && Value.Head.Type == REG_DWORD &&
        Value.Head.DataLength == sizeof(Number))
        RtlCopyMemory(&Number, Value.Head.Data, sizeof(Number));
    return Number;
}

/* The characters of a text of that type, one NUL at their end at least; 0: there is none. */
static ULONG ReadCharacters(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Type, WCHAR *Buffer)
{
    VALUE Value;
    ULONG Characters;

    if (!ReadValue(RegistryPath, Name, &Value) || Value.Head.Type != Type)
        return 0;
    Characters = Value.Head.DataLength / sizeof(WCHAR);
    if (Characters > SETTINGS_CHARACTERS)
        return 0;
    RtlCopyMemory(Buffer, Value.Head.Data, Characters * sizeof(WCHAR));
    if (Characters)
        Buffer[Characters - 1] = 0;
    return Characters;
}

BOOLEAN SettingsText(PUNICODE_STRING RegistryPath, PCWSTR Name, PUNICODE_STRING Text,
                     WCHAR Buffer[SETTINGS_CHARACTERS])
{
    if (!ReadCharacters(RegistryPath, Name, REG_SZ, Buffer))
        return FALSE;
    RtlInitUnicodeString(Text, Buffer);
    return TRUE;
}

ULONG SettingsNames(PUNICODE_STRING RegistryPath, PCWSTR Name, WCHAR Buffer[SETTINGS_CHARACTERS])
{
    return ReadCharacters(RegistryPath, Name, REG_MULTI_SZ, Buffer);
}
