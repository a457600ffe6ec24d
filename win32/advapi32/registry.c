/* Registry keys: opened, created, deleted, enumerated. */
#include "win32/advapi32/registry.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MOST 256

LSTATUS registry_error(NTSTATUS Status)
{
    return STATUS_OK(Status) ? ERROR_SUCCESS : (LSTATUS)RtlNtStatusToDosError(Status);
}

static LPCWSTR predefined(HKEY Key)
{
    switch ((ULONG)(ULONG_PTR)Key) {
    case (ULONG)(ULONG_PTR)HKEY_LOCAL_MACHINE:
        return L"\\Registry\\Machine";
    case (ULONG)(ULONG_PTR)HKEY_CURRENT_USER:
        return L"\\Registry\\User\\.Default";
    case (ULONG)(ULONG_PTR)HKEY_USERS:
        return L"\\Registry\\User";
    case (ULONG)(ULONG_PTR)HKEY_CLASSES_ROOT:
        return L"\\Registry\\Machine\\Software\\Classes";
    default:
        return NULL;
    }
}

static NTSTATUS open_at(HANDLE Root, LPCWSTR Name, ACCESS_MASK Access, PHANDLE Key)
{
    UNICODE_STRING Path;
    OBJECT_ATTRIBUTES Attributes;

    RtlInitUnicodeString(&Path, Name);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, Root, NULL);
    return NtOpenKey(Key, Access, &Attributes);
}

NTSTATUS registry_hold(HKEY Key, ACCESS_MASK Access, PHANDLE Held)
{
    LPCWSTR Path = predefined(Key);

    *Held = (HANDLE)Key;
    return Path ? open_at(NULL, Path, Access, Held) : STATUS_SUCCESS;
}

void registry_release(HKEY Key, HANDLE Held)
{
    if (Held != (HANDLE)Key)
        NtClose(Held);
}

/* A key that is not there is "file not found", whichever part of its path is missing. */
static LSTATUS open_error(NTSTATUS Status)
{
    return Status == STATUS_OBJECT_PATH_NOT_FOUND ? ERROR_FILE_NOT_FOUND : registry_error(Status);
}

/* Without a name: another handle of the same key, or the same predefined key. */
LSTATUS WINAPI RegOpenKeyExW(HKEY Key, LPCWSTR Name, DWORD Options, REGSAM Access, PHKEY Out)
{
    HANDLE Held;
    NTSTATUS Status;

    if (!Out || (Options & ~(DWORD)REG_OPTION_OPEN_LINK))
        return ERROR_INVALID_PARAMETER;
    if ((!Name || !*Name) && predefined(Key)) {
        *Out = Key;
        return ERROR_SUCCESS;
    }
    Status = registry_hold(Key, MAXIMUM_ALLOWED, &Held);
    if (!STATUS_OK(Status))
        return open_error(Status);
    Status = open_at(Held, Name ? Name : L"", Access & ~(REGSAM)(KEY_WOW64_32KEY | KEY_WOW64_64KEY),
                     (PHANDLE)Out);
    registry_release(Key, Held);
    return open_error(Status);
}

static NTSTATUS create_at(HANDLE Root, PUNICODE_STRING Path, PUNICODE_STRING Class, ULONG Options,
                          ACCESS_MASK Access, LPSECURITY_ATTRIBUTES Security, PHANDLE Key,
                          PULONG Disposition)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, Path,
                               OBJ_CASE_INSENSITIVE |
                                   (Security && Security->bInheritHandle ? OBJ_INHERIT : 0),
                               Root, Security ? Security->lpSecurityDescriptor : NULL);
    return NtCreateKey(Key, Access, &Attributes, 0, Class, Options, Disposition);
}

/* The keys on the way to the last one. */
static void create_parents(HANDLE Root, LPCWSTR Name, ULONG Options)
{
    for (LPCWSTR End = wcschr(Name, '\\'); End; End = wcschr(End + 1, '\\')) {
        USHORT Bytes = (USHORT)((End - Name) * sizeof(WCHAR));
        UNICODE_STRING Path = {Bytes, Bytes, (PWSTR)Name};
        ULONG Disposition;
        HANDLE Key;

        if (STATUS_OK(
                create_at(Root, &Path, NULL, Options, MAXIMUM_ALLOWED, NULL, &Key, &Disposition)))
            NtClose(Key);
    }
}

LSTATUS WINAPI RegCreateKeyExW(HKEY Key, LPCWSTR Name, DWORD Reserved, LPWSTR Class, DWORD Options,
                               REGSAM Access, const LPSECURITY_ATTRIBUTES Security, PHKEY Out,
                               LPDWORD Disposition)
{
    UNICODE_STRING Path, ClassName;
    ULONG Was = 0;
    HANDLE Held;
    NTSTATUS Status;

    if (!Name)
        return ERROR_BADKEY;
    if (Reserved || !Out || wcslen(Name) > 0x7ff0)
        return ERROR_INVALID_PARAMETER;
    Status = registry_hold(Key, MAXIMUM_ALLOWED, &Held);
    if (!STATUS_OK(Status))
        return registry_error(Status);
    RtlInitUnicodeString(&Path, Name);
    RtlInitUnicodeString(&ClassName, Class);
    Access &= ~(REGSAM)(KEY_WOW64_32KEY | KEY_WOW64_64KEY);
    Status = create_at(Held, &Path, Class ? &ClassName : NULL, Options, Access, Security,
                       (PHANDLE)Out, &Was);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND || Status == STATUS_OBJECT_PATH_NOT_FOUND) {
        create_parents(Held, Name, Options);
        Status = create_at(Held, &Path, Class ? &ClassName : NULL, Options, Access, Security,
                           (PHANDLE)Out, &Was);
    }
    registry_release(Key, Held);
    if (STATUS_OK(Status) && Disposition)
        *Disposition = Was;
    return registry_error(Status);
}

/* A key that has keys is not deleted: ERROR_ACCESS_DENIED. */
LSTATUS WINAPI RegDeleteKeyW(HKEY Key, LPCWSTR Name)
{
    HANDLE Held, Found;
    NTSTATUS Status;

    if (!Name)
        return ERROR_INVALID_PARAMETER;
    Status = registry_hold(Key, MAXIMUM_ALLOWED, &Held);
    if (!STATUS_OK(Status))
        return registry_error(Status);
    Status = open_at(Held, Name, DELETE, &Found);
    registry_release(Key, Held);
    if (!STATUS_OK(Status))
        return open_error(Status);
    Status = NtDeleteKey(Found);
    NtClose(Found);
    return registry_error(Status);
}

LSTATUS WINAPI RegCloseKey(HKEY Key)
{
    return predefined(Key) ? ERROR_SUCCESS : registry_error(NtClose((HANDLE)Key));
}

LSTATUS WINAPI RegFlushKey(HKEY Key)
{
    HANDLE Held;
    NTSTATUS Status = registry_hold(Key, KEY_READ, &Held);

    if (!STATUS_OK(Status))
        return registry_error(Status);
    Status = NtFlushKey(Held);
    registry_release(Key, Held);
    return registry_error(Status);
}

/* One key's name, and when it was written. */
static LSTATUS name_of(HKEY Key, DWORD Index, WCHAR Name[NAME_MOST + 1], PFILETIME Time)
{
    struct {
        NATIVE_KEY_BASIC Head;
        WCHAR More[NAME_MOST];
    } Entry;
    ULONG Returned;
    HANDLE Held;
    NTSTATUS Status = registry_hold(Key, KEY_READ, &Held);

    if (!STATUS_OK(Status))
        return registry_error(Status);
    Status = NtEnumerateKey(Held, Index, 0, &Entry, sizeof(Entry), &Returned);
    registry_release(Key, Held);
    if (!STATUS_OK(Status))
        return registry_error(Status);
    memcpy(Name, Entry.Head.Name, Entry.Head.NameLength);
    Name[Entry.Head.NameLength / sizeof(WCHAR)] = 0;
    if (Time)
        *Time =
            (FILETIME){Entry.Head.LastWriteTime.LowPart, (DWORD)Entry.Head.LastWriteTime.HighPart};
    return ERROR_SUCCESS;
}

/* *Length: in, the room with the NUL; out, the length without. Classes are not returned (an empty
 * one). ERROR_NO_MORE_ITEMS at the end. */
LSTATUS WINAPI RegEnumKeyExW(HKEY Key, DWORD Index, LPWSTR Out, LPDWORD Length, LPDWORD Reserved,
                             LPWSTR Class, LPDWORD ClassLength, PFILETIME Time)
{
    WCHAR Name[NAME_MOST + 1];
    LSTATUS Error;

    if (!Out || !Length || Reserved || (Class && !ClassLength))
        return ERROR_INVALID_PARAMETER;
    Error = name_of(Key, Index, Name, Time);
    if (Error)
        return Error;
    if (wcslen(Name) >= *Length)
        return ERROR_MORE_DATA;
    wcscpy(Out, Name);
    *Length = (DWORD)wcslen(Name);
    if (Class && *ClassLength)
        *Class = 0;
    if (ClassLength)
        *ClassLength = 0;
    return ERROR_SUCCESS;
}

LSTATUS WINAPI RegEnumKeyExA(HKEY Key, DWORD Index, LPSTR Out, LPDWORD Length, LPDWORD Reserved,
                             LPSTR Class, LPDWORD ClassLength, PFILETIME Time)
{
    WCHAR Name[NAME_MOST + 1];
    LSTATUS Error;
    int Bytes;

    if (!Out || !Length || Reserved || (Class && !ClassLength))
        return ERROR_INVALID_PARAMETER;
    Error = name_of(Key, Index, Name, Time);
    if (Error)
        return Error;
    Bytes = WideCharToMultiByte(CP_ACP, 0, Name, -1, NULL, 0, NULL, NULL);
    if ((DWORD)Bytes > *Length)
        return ERROR_MORE_DATA;
    WideCharToMultiByte(CP_ACP, 0, Name, -1, Out, Bytes, NULL, NULL);
    *Length = (DWORD)Bytes - 1;
    if (Class && *ClassLength)
        *Class = 0;
    if (ClassLength)
        *ClassLength = 0;
    return ERROR_SUCCESS;
}

/* The other ANSI forms. */
LSTATUS WINAPI RegOpenKeyExA(HKEY Key, LPCSTR Name, DWORD Options, REGSAM Access, PHKEY Out)
{
    PWSTR Wide = BaseWide(Name);
    LSTATUS Error =
        Name && !Wide ? ERROR_OUTOFMEMORY : RegOpenKeyExW(Key, Wide, Options, Access, Out);

    free(Wide);
    return Error;
}

LSTATUS WINAPI RegCreateKeyExA(HKEY Key, LPCSTR Name, DWORD Reserved, LPSTR Class, DWORD Options,
                               REGSAM Access, const LPSECURITY_ATTRIBUTES Security, PHKEY Out,
                               LPDWORD Disposition)
{
    PWSTR Wide = BaseWide(Name), WideClass = BaseWide(Class);
    LSTATUS Error = Name && !Wide ? ERROR_OUTOFMEMORY
                                  : RegCreateKeyExW(Key, Wide, Reserved, WideClass, Options, Access,
                                                    Security, Out, Disposition);

    free(Wide);
    free(WideClass);
    return Error;
}

LSTATUS WINAPI RegDeleteKeyA(HKEY Key, LPCSTR Name)
{
    PWSTR Wide = BaseWide(Name);
    LSTATUS Error = Name && !Wide ? ERROR_OUTOFMEMORY : RegDeleteKeyW(Key, Wide);

    free(Wide);
    return Error;
}
