/* Win32 names as names of the object manager. */
#include "win32/kernel32/base.h"

#include <stdlib.h>
#include <string.h>

static LPCWSTR skip_device_prefix(LPCWSTR Path)
{
    if (Path[0] == '\\' && Path[1] == '\\' && (Path[2] == '.' || Path[2] == '?') && Path[3] == '\\')
        return Path + 4;
    return Path;
}

BOOL BaseDevicePath(LPCWSTR Path, PUNICODE_STRING Nt)
{
    static const WCHAR Prefix[] = L"\\??\\";
    size_t Length;

    if (!Path || !*Path)
        return BaseResult(STATUS_OBJECT_PATH_NOT_FOUND);
    Path = skip_device_prefix(Path);
    Length = wcslen(Path);
    if (Length > 0x7ff0)
        return BaseResult(STATUS_NAME_TOO_LONG);
    Nt->Buffer = malloc((Length + 5) * sizeof(WCHAR));
    if (!Nt->Buffer)
        return BaseResult(STATUS_NO_MEMORY);
    memcpy(Nt->Buffer, Prefix, 8);
    memcpy(Nt->Buffer + 4, Path, (Length + 1) * sizeof(WCHAR));
    for (size_t i = 4; i < Length + 4; i++)
        if (Nt->Buffer[i] == '/')
            Nt->Buffer[i] = '\\';
    Nt->Length = (USHORT)((Length + 4) * sizeof(WCHAR));
    Nt->MaximumLength = (USHORT)(Nt->Length + sizeof(WCHAR));
    return TRUE;
}

static LPCWSTR skip_session_prefix(LPCWSTR Text)
{
    if (!_wcsnicmp(Text, L"Global\\", 7))
        return Text + 7;
    if (!_wcsnicmp(Text, L"Local\\", 6))
        return Text + 6;
    return Text;
}

static BOOL spell(struct base_name *Name, LPCWSTR Text)
{
    static const WCHAR Folder[] = L"\\BaseNamedObjects\\";
    const size_t Head = sizeof(Folder) / sizeof(WCHAR) - 1;
    size_t Length;

    Text = skip_session_prefix(Text);
    Length = wcslen(Text);
    if (Length > MAX_PATH)
        return BaseResult(STATUS_NAME_TOO_LONG);
    if (wcschr(Text, '\\'))
        return BaseResult(STATUS_OBJECT_PATH_NOT_FOUND);
    memcpy(Name->Text, Folder, sizeof(Folder));
    memcpy(Name->Text + Head, Text, (Length + 1) * sizeof(WCHAR));
    RtlInitUnicodeString(&Name->String, Name->Text);
    return TRUE;
}

BOOL BaseObjectName(struct base_name *Name, LPCWSTR Text, LPSECURITY_ATTRIBUTES Security,
                    BOOL Inherit)
{
    PUNICODE_STRING String = NULL;
    ULONG Flags = OBJ_CASE_INSENSITIVE;

    if (Text && *Text) {
        if (!spell(Name, Text))
            return FALSE;
        String = &Name->String;
        Flags |= OBJ_OPENIF;
    }
    if (Inherit || (Security && Security->bInheritHandle))
        Flags |= OBJ_INHERIT;
    InitializeObjectAttributes(&Name->Attributes, String, Flags, NULL,
                               Security ? Security->lpSecurityDescriptor : NULL);
    return TRUE;
}
