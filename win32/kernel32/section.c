/* File mappings: sections backed by the paging file. */
#include "win32/kernel32/base.h"

#include <stdlib.h>

HANDLE WINAPI CreateFileMappingW(HANDLE File, LPSECURITY_ATTRIBUTES Security, DWORD Protect,
                                 DWORD High, DWORD Low, LPCWSTR Text)
{
    ULONG Attributes = Protect & (SEC_COMMIT | SEC_RESERVE | SEC_NOCACHE);
    struct base_name Name;
    LARGE_INTEGER Size;
    HANDLE Section = NULL;
    NTSTATUS Status;

    if (!BaseObjectName(&Name, Text, Security, FALSE))
        return NULL;
    if (File != INVALID_HANDLE_VALUE) { /* devices cannot be mapped, and there are no other files */
        SetLastError(ERROR_BAD_EXE_FORMAT);
        return NULL;
    }
    Size.LowPart = Low;
    Size.HighPart = (LONG)High;
    Status = NtCreateSection(&Section, SECTION_ALL_ACCESS, &Name.Attributes, &Size, Protect & 0xff,
                             Attributes ? Attributes : SEC_COMMIT, NULL);
    if (!BaseResult(Status))
        return NULL;
    SetLastError(Status == STATUS_OBJECT_NAME_EXISTS ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
    return Section;
}

HANDLE WINAPI OpenFileMappingW(DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Section = NULL;

    if (!BaseObjectName(&Name, Text, NULL, Inherit))
        return NULL;
    Name.Attributes.Attributes &= ~(ULONG)OBJ_OPENIF;
    return BaseResult(NtOpenSection(&Section, Access, &Name.Attributes)) ? Section : NULL;
}

HANDLE WINAPI CreateFileMappingA(HANDLE File, LPSECURITY_ATTRIBUTES Security, DWORD Protect,
                                 DWORD High, DWORD Low, LPCSTR Text)
{
    PWSTR Wide = BaseWide(Text);
    HANDLE Section = CreateFileMappingW(File, Security, Protect, High, Low, Wide);
    DWORD Error = GetLastError();

    free(Wide);
    SetLastError(Error);
    return Section;
}

HANDLE WINAPI OpenFileMappingA(DWORD Access, BOOL Inherit, LPCSTR Text)
{
    PWSTR Wide = BaseWide(Text);
    HANDLE Section = Wide ? OpenFileMappingW(Access, Inherit, Wide) : NULL;

    free(Wide);
    return Section;
}

static ULONG protection(DWORD Access)
{
    if (Access & FILE_MAP_EXECUTE)
        return Access & FILE_MAP_WRITE ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ;
    if (Access & FILE_MAP_WRITE)
        return PAGE_READWRITE;
    return PAGE_READONLY;
}

LPVOID WINAPI MapViewOfFileEx(HANDLE Section, DWORD Access, DWORD High, DWORD Low, SIZE_T Bytes,
                              LPVOID Base)
{
    LARGE_INTEGER Offset;

    Offset.LowPart = Low;
    Offset.HighPart = (LONG)High;
    return BaseResult(NtMapViewOfSection(Section, NtCurrentProcess(), &Base, 0, 0, &Offset, &Bytes,
                                         NativeViewShare, 0, protection(Access)))
               ? Base
               : NULL;
}

LPVOID WINAPI MapViewOfFile(HANDLE Section, DWORD Access, DWORD High, DWORD Low, SIZE_T Bytes)
{
    return MapViewOfFileEx(Section, Access, High, Low, Bytes, NULL);
}

BOOL WINAPI UnmapViewOfFile(LPCVOID Base)
{
    return BaseResult(NtUnmapViewOfSection(NtCurrentProcess(), (PVOID)Base));
}

BOOL WINAPI FlushViewOfFile(LPCVOID Base, SIZE_T Bytes)
{
    (void)Base; /* pagefile-backed views have nothing behind them to flush to */
    (void)Bytes;
    return TRUE;
}
