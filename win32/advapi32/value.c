/* Registry values. Text is kept as UTF-16; the ANSI forms convert it. */
#include "win32/advapi32/registry.h"

#include <stdlib.h>
#include <string.h>

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR, ULONG, PULONG, const char *, ULONG);
NTSTATUS NTAPI RtlUnicodeToUTF8N(char *, ULONG, PULONG, const WCHAR *, ULONG);

/* class 1 */
struct full {
    ULONG TitleIndex, Type, DataOffset, DataLength, NameLength;
    WCHAR Name[1];
};

BOOL registry_is_text(DWORD Type)
{
    return Type == REG_SZ || Type == REG_EXPAND_SZ || Type == REG_MULTI_SZ;
}

static NTSTATUS query(HANDLE Key, PUNICODE_STRING Name, ULONG Index, void *Buffer, ULONG Bytes,
                      PULONG Returned)
{
    return Name ? NtQueryValueKey(Key, Name, 1, Buffer, Bytes, Returned)
                : NtEnumerateValueKey(Key, Index, 1, Buffer, Bytes, Returned);
}

/* The whole value, by name or by index. malloc'd. */
static LSTATUS read_value(HKEY Key, PUNICODE_STRING Name, ULONG Index, struct full **Out)
{
    ULONG Bytes = 512, Returned = 0;
    struct full *Value = NULL;
    HANDLE Held;
    NTSTATUS Status = registry_hold(Key, KEY_READ, &Held);

    if (!STATUS_OK(Status))
        return registry_error(Status);
    do {
        free(Value);
        Value = malloc(Bytes);
        Status = Value ? query(Held, Name, Index, Value, Bytes, &Returned) : STATUS_NO_MEMORY;
        Bytes = Returned;
    } while (Status == STATUS_BUFFER_OVERFLOW || Status == STATUS_BUFFER_TOO_SMALL);
    registry_release(Key, Held);
    if (STATUS_OK(Status))
        *Out = Value;
    else
        free(Value);
    return registry_error(Status);
}

/* The data as the caller is to have it: its text in UTF-8 for an ANSI form. */
static ULONG data_bytes(const struct full *Value, BOOL Ansi)
{
    ULONG Bytes = Value->DataLength;

    if (Ansi && registry_is_text(Value->Type))
        RtlUnicodeToUTF8N(NULL, 0, &Bytes, (const WCHAR *)((const char *)Value + Value->DataOffset),
                          Value->DataLength & ~1u);
    return Value->DataLength ? Bytes : 0;
}

static LSTATUS give_data(const struct full *Value, BOOL Ansi, LPDWORD Type, LPBYTE Data,
                         LPDWORD Size)
{
    const char *From = (const char *)Value + Value->DataOffset;
    ULONG Bytes = data_bytes(Value, Ansi), Room = Size ? *Size : 0;

    if (Type)
        *Type = Value->Type;
    if (Size)
        *Size = Bytes;
    if (!Data)
        return ERROR_SUCCESS;
    if (Room < Bytes)
        return ERROR_MORE_DATA;
    if (Ansi && registry_is_text(Value->Type) && Bytes)
        RtlUnicodeToUTF8N((char *)Data, Bytes, &Bytes, (const WCHAR *)From,
                          Value->DataLength & ~1u);
    else
        memcpy(Data, From, Bytes);
    return ERROR_SUCCESS;
}

static LSTATUS query_value(HKEY Key, LPCWSTR Name, LPDWORD Reserved, LPDWORD Type, LPBYTE Data,
                           LPDWORD Size, BOOL Ansi)
{
    UNICODE_STRING String;
    struct full *Value;
    LSTATUS Error;

    if (Reserved || (Data && !Size))
        return ERROR_INVALID_PARAMETER;
    RtlInitUnicodeString(&String, Name ? Name : L"");
    Error = read_value(Key, &String, 0, &Value);
    if (Error)
        return Error;
    Error = give_data(Value, Ansi, Type, Data, Size);
    free(Value);
    return Error;
}

/* A NULL or empty name is the key's unnamed value. ERROR_MORE_DATA: *Size is what is needed. */
LSTATUS WINAPI RegQueryValueExW(HKEY Key, LPCWSTR Name, LPDWORD Reserved, LPDWORD Type, LPBYTE Data,
                                LPDWORD Size)
{
    return query_value(Key, Name, Reserved, Type, Data, Size, FALSE);
}

LSTATUS WINAPI RegQueryValueExA(HKEY Key, LPCSTR Name, LPDWORD Reserved, LPDWORD Type, LPBYTE Data,
                                LPDWORD Size)
{
    PWSTR Wide = BaseWide(Name);
    LSTATUS Error = Name && !Wide ? ERROR_OUTOFMEMORY
                                  : query_value(Key, Wide, Reserved, Type, Data, Size, TRUE);

    free(Wide);
    return Error;
}

static LSTATUS give_name(const struct full *Value, BOOL Ansi, void *Out, LPDWORD Length)
{
    ULONG Bytes = Value->NameLength;

    if (Ansi && Bytes)
        RtlUnicodeToUTF8N(NULL, 0, &Bytes, Value->Name, Value->NameLength);
    if (Ansi ? Bytes >= *Length : Bytes / sizeof(WCHAR) >= *Length)
        return ERROR_MORE_DATA;
    if (Ansi && Bytes)
        RtlUnicodeToUTF8N(Out, Bytes, &Bytes, Value->Name, Value->NameLength);
    else
        memcpy(Out, Value->Name, Bytes);
    *Length = Ansi ? Bytes : Bytes / sizeof(WCHAR);
    memset((char *)Out + Bytes, 0, Ansi ? 1 : sizeof(WCHAR));
    return ERROR_SUCCESS;
}

static LSTATUS enumerate(HKEY Key, DWORD Index, void *Name, LPDWORD Length, LPDWORD Reserved,
                         LPDWORD Type, LPBYTE Data, LPDWORD Size, BOOL Ansi)
{
    struct full *Value;
    LSTATUS Error;

    if (!Name || !Length || Reserved || (Data && !Size))
        return ERROR_INVALID_PARAMETER;
    Error = read_value(Key, NULL, Index, &Value);
    if (Error)
        return Error;
    Error = give_name(Value, Ansi, Name, Length);
    if (!Error)
        Error = give_data(Value, Ansi, Type, Data, Size);
    free(Value);
    return Error;
}

LSTATUS WINAPI RegEnumValueW(HKEY Key, DWORD Index, LPWSTR Name, LPDWORD Length, LPDWORD Reserved,
                             LPDWORD Type, LPBYTE Data, LPDWORD Size)
{
    return enumerate(Key, Index, Name, Length, Reserved, Type, Data, Size, FALSE);
}

LSTATUS WINAPI RegEnumValueA(HKEY Key, DWORD Index, LPSTR Name, LPDWORD Length, LPDWORD Reserved,
                             LPDWORD Type, LPBYTE Data, LPDWORD Size)
{
    return enumerate(Key, Index, Name, Length, Reserved, Type, Data, Size, TRUE);
}

LSTATUS WINAPI RegSetValueExW(HKEY Key, LPCWSTR Name, DWORD Reserved, DWORD Type, const BYTE *Data,
                              DWORD Size)
{
    UNICODE_STRING String;
    HANDLE Held;
    NTSTATUS Status;

    if (Reserved || (Size && !Data))
        return ERROR_INVALID_PARAMETER;
    Status = registry_hold(Key, KEY_SET_VALUE, &Held);
    if (!STATUS_OK(Status))
        return registry_error(Status);
    RtlInitUnicodeString(&String, Name ? Name : L"");
    Status = NtSetValueKey(Held, &String, 0, Type, (PVOID)Data, Size);
    registry_release(Key, Held);
    return registry_error(Status);
}

/* UTF-8 to UTF-16. malloc'd. */
static WCHAR *widen(const BYTE *Data, DWORD Size, PULONG Bytes)
{
    WCHAR *Wide;

    *Bytes = 0;
    if (!STATUS_OK(RtlUTF8ToUnicodeN(NULL, 0, Bytes, (const char *)Data, Size)))
        return NULL;
    Wide = malloc(*Bytes ? *Bytes : 1);
    if (Wide)
        RtlUTF8ToUnicodeN(Wide, *Bytes, Bytes, (const char *)Data, Size);
    return Wide;
}

LSTATUS WINAPI RegSetValueExA(HKEY Key, LPCSTR Name, DWORD Reserved, DWORD Type, const BYTE *Data,
                              DWORD Size)
{
    PWSTR WideName = BaseWide(Name);
    WCHAR *Wide = NULL;
    ULONG Bytes = Size;
    LSTATUS Error = ERROR_OUTOFMEMORY;

    if (Name && !WideName)
        return Error;
    if (Data && Size && registry_is_text(Type)) {
        Wide = widen(Data, Size, &Bytes);
        if (!Wide)
            goto end;
        Data = (const BYTE *)Wide;
    }
    Error = RegSetValueExW(Key, WideName, Reserved, Type, Data, Bytes);
end:
    free(Wide);
    free(WideName);
    return Error;
}

LSTATUS WINAPI RegDeleteValueW(HKEY Key, LPCWSTR Name)
{
    UNICODE_STRING String;
    HANDLE Held;
    NTSTATUS Status = registry_hold(Key, KEY_SET_VALUE, &Held);

    if (!STATUS_OK(Status))
        return registry_error(Status);
    RtlInitUnicodeString(&String, Name ? Name : L"");
    Status = NtDeleteValueKey(Held, &String);
    registry_release(Key, Held);
    return registry_error(Status);
}

LSTATUS WINAPI RegDeleteValueA(HKEY Key, LPCSTR Name)
{
    PWSTR Wide = BaseWide(Name);
    LSTATUS Error = Name && !Wide ? ERROR_OUTOFMEMORY : RegDeleteValueW(Key, Wide);

    free(Wide);
    return Error;
}
