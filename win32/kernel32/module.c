/*
 * Modules, by the host's dynamic linker. "ntdll.dll" is libntdll.so: a name is tried as it is, then
 * as a library of that base name. What a driver author calls a DLL is an ELF shared object here.
 */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base_name(const char *Name)
{
    const char *Slash = strrchr(Name, '/'), *Back = strrchr(Name, '\\');

    if (Back && (!Slash || Back > Slash))
        Slash = Back;
    return Slash ? Slash + 1 : Name;
}

/* "C:\Windows\System32\NTDLL.DLL", "ntdll" → "libntdll.so" */
static BOOL library_name(const char *Name, char *Out, size_t Size)
{
    const char *Base = base_name(Name);
    size_t Length = strlen(Base);

    if (Length > 4 && !_stricmp(Base + Length - 4, ".dll"))
        Length -= 4;
    if (!Length || Length + 8 > Size)
        return FALSE;
    snprintf(Out, Size, "lib%.*s.so", (int)Length, Base);
    for (char *At = Out; *At; At++)
        if (*At >= 'A' && *At <= 'Z')
            *At = (char)(*At + 32);
    return TRUE;
}

static void *find(const char *Name, BOOL Load)
{
    char Library[256];
    void *Module = *Name ? linux_module(Name, Load) : NULL;

    return Module || !library_name(Name, Library, sizeof(Library)) ? Module
                                                                   : linux_module(Library, Load);
}

HMODULE WINAPI LoadLibraryA(LPCSTR Name)
{
    void *Module = Name ? find(Name, TRUE) : NULL;

    if (!Module)
        SetLastError(Name ? ERROR_MOD_NOT_FOUND : ERROR_INVALID_PARAMETER);
    return Module;
}

HMODULE WINAPI LoadLibraryExA(LPCSTR Name, HANDLE File, DWORD Flags)
{
    (void)Flags;
    if (!File)
        return LoadLibraryA(Name);
    SetLastError(ERROR_INVALID_PARAMETER);
    return NULL;
}

/* Without a reference, as documented: the program keeps what it loaded. NULL: the program itself.
 */
HMODULE WINAPI GetModuleHandleA(LPCSTR Name)
{
    void *Module = Name ? find(Name, FALSE) : linux_module(NULL, TRUE);

    if (Module && Name)
        linux_module_close(Module);
    if (!Module)
        SetLastError(ERROR_MOD_NOT_FOUND);
    return Module;
}

BOOL WINAPI FreeLibrary(HMODULE Module)
{
    if (!Module) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    linux_module_close(Module);
    return TRUE;
}

FARPROC WINAPI GetProcAddress(HMODULE Module, LPCSTR Name)
{
    void *Address =
        (ULONG_PTR)Name > 0xffff ? linux_symbol(Module, Name) : NULL; /* there are no ordinals */

    if (!Address)
        SetLastError(ERROR_PROC_NOT_FOUND);
    return (FARPROC)Address;
}

HMODULE WINAPI LoadLibraryW(LPCWSTR Name)
{
    char *Narrow = Name ? BaseNarrow(Name) : NULL;
    HMODULE Module = LoadLibraryA(Narrow);

    free(Narrow);
    return Module;
}

HMODULE WINAPI LoadLibraryExW(LPCWSTR Name, HANDLE File, DWORD Flags)
{
    char *Narrow = Name ? BaseNarrow(Name) : NULL;
    HMODULE Module = LoadLibraryExA(Narrow, File, Flags);

    free(Narrow);
    return Module;
}

HMODULE WINAPI GetModuleHandleW(LPCWSTR Name)
{
    char *Narrow = Name ? BaseNarrow(Name) : NULL;
    HMODULE Module = Name && !Narrow ? NULL : GetModuleHandleA(Narrow);

    free(Narrow);
    return Module;
}

/* A path that does not fit is cut, and the size is returned with ERROR_INSUFFICIENT_BUFFER. */
DWORD WINAPI GetModuleFileNameA(HMODULE Module, LPSTR Buffer, DWORD Size)
{
    char Path[4096];
    size_t Length = (size_t)max(linux_module_path(Module, Path, sizeof(Path)), 0);

    if (Length < Size) {
        memcpy(Buffer, Path, Length + 1);
        SetLastError(ERROR_SUCCESS);
        return (DWORD)Length;
    }
    if (Size) {
        memcpy(Buffer, Path, Size - 1);
        Buffer[Size - 1] = 0;
    }
    SetLastError(ERROR_INSUFFICIENT_BUFFER);
    return Size;
}

DWORD WINAPI GetModuleFileNameW(HMODULE Module, LPWSTR Buffer, DWORD Size)
{
    char Path[4096];
    PWSTR Wide;
    DWORD Length = 0;

    linux_module_path(Module, Path, sizeof(Path));
    Wide = BaseWide(Path);
    if (!Wide)
        return 0;
    Length = (DWORD)wcslen(Wide);
    SetLastError(Length < Size ? ERROR_SUCCESS : ERROR_INSUFFICIENT_BUFFER);
    lstrcpynW(Buffer, Wide, (int)Size);
    free(Wide);
    return min(Length, Size);
}
