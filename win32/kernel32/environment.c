/* The program's surroundings: command line, environment, folders, machine. */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DWORD BaseGiveA(const char *Text, LPSTR Buffer, DWORD Size)
{
    size_t Length = strlen(Text);

    if (Length >= Size || !Buffer)
        return (DWORD)Length + 1;
    memcpy(Buffer, Text, Length + 1);
    return (DWORD)Length;
}

DWORD BaseGiveW(const char *Text, LPWSTR Buffer, DWORD Size)
{
    PWSTR Wide = BaseWide(Text);
    DWORD Length;

    if (!Wide)
        return 0;
    Length = (DWORD)wcslen(Wide);
    if (Length < Size && Buffer)
        memcpy(Buffer, Wide, (Length + 1) * sizeof(WCHAR));
    free(Wide);
    return Length < Size && Buffer ? Length : Length + 1;
}

/* One argument as CommandLineToArgvW reads it back: quoted if it is empty or has a space or a
 * quote. */
static char *quote(char *Out, const char *Argument)
{
    size_t Slashes = 0;

    if (*Argument && !strpbrk(Argument, " \t\""))
        return strcpy(Out, Argument) + strlen(Argument);
    *Out++ = '"';
    for (; *Argument; Argument++) {
        Slashes = *Argument == '\\' ? Slashes + 1 : 0;
        if (*Argument == '"') {
            for (const char *Back = Argument; Back[-1] == '\\' && Slashes; Back--)
                *Out++ = '\\';
            *Out++ = '\\';
        }
        *Out++ = *Argument;
    }
    while (Slashes--)
        *Out++ = '\\';
    *Out++ = '"';
    return Out;
}

static INIT_ONCE LineOnce;
static char *LineA;
static PWSTR LineW;

static BOOL CALLBACK make_line(PINIT_ONCE Once, PVOID Parameter, PVOID *Context)
{
    enum { MOST = 128 * 1024 };
    char *All = malloc(MOST), *Out = NULL;
    int Bytes = All ? linux_arguments(All, MOST) : 0;

    (void)Once, (void)Parameter, (void)Context;
    LineA = calloc(1, (size_t)Bytes * 3 + 4);
    Out = LineA;
    for (int At = 0; Out && At < Bytes; At += (int)strnlen(All + At, (size_t)(Bytes - At)) + 1) {
        if (At)
            *Out++ = ' ';
        Out = quote(Out, All + At);
        *Out = 0;
    }
    free(All);
    LineW = LineA ? BaseWide(LineA) : NULL;
    return TRUE;
}

LPSTR WINAPI GetCommandLineA(void)
{
    InitOnceExecuteOnce(&LineOnce, make_line, NULL, NULL);
    return LineA;
}

LPWSTR WINAPI GetCommandLineW(void)
{
    InitOnceExecuteOnce(&LineOnce, make_line, NULL, NULL);
    return LineW;
}

/* Names are those of Linux: their letter case counts. */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR Name, LPSTR Buffer, DWORD Size)
{
    const char *Value = getenv(Name);

    if (!Value) {
        SetLastError(ERROR_ENVVAR_NOT_FOUND);
        return 0;
    }
    SetLastError(ERROR_SUCCESS);
    return BaseGiveA(Value, Buffer, Size);
}

DWORD WINAPI GetEnvironmentVariableW(LPCWSTR Name, LPWSTR Buffer, DWORD Size)
{
    char *Narrow = BaseNarrow(Name);
    const char *Value = Narrow ? getenv(Narrow) : NULL;

    free(Narrow);
    if (!Value) {
        SetLastError(ERROR_ENVVAR_NOT_FOUND);
        return 0;
    }
    SetLastError(ERROR_SUCCESS);
    return BaseGiveW(Value, Buffer, Size);
}

BOOL WINAPI SetEnvironmentVariableA(LPCSTR Name, LPCSTR Value)
{
    if (!Name || !*Name || strchr(Name + 1, '=')) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    return (Value ? setenv(Name, Value, 1) : unsetenv(Name)) == 0;
}

BOOL WINAPI SetEnvironmentVariableW(LPCWSTR Name, LPCWSTR Value)
{
    char *NarrowName = Name ? BaseNarrow(Name) : NULL,
         *NarrowValue = Value ? BaseNarrow(Value) : NULL;
    BOOL Fine = (!Value || NarrowValue) && SetEnvironmentVariableA(NarrowName, NarrowValue);

    free(NarrowName);
    free(NarrowValue);
    return Fine;
}

/* %NAME% is replaced; a name that is not there stays as it is. Returns the size with the NUL. */
DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR Source, LPSTR Buffer, DWORD Size)
{
    DWORD Length = 0;

    while (*Source) {
        const char *End = *Source == '%' ? strchr(Source + 1, '%') : NULL, *Value = NULL;
        char Name[256];

        if (End && End - Source < 256 && End > Source + 1) {
            snprintf(Name, sizeof(Name), "%.*s", (int)(End - Source - 1), Source + 1);
            Value = getenv(Name);
        }
        for (const char *At = Value ? Value : ""; *At; At++, Length++)
            if (Length < Size)
                Buffer[Length] = *At;
        if (Value) {
            Source = End + 1;
            continue;
        }
        if (Length < Size)
            Buffer[Length] = *Source;
        Length++;
        Source++;
    }
    if (Size)
        Buffer[min(Length, Size - 1)] = 0;
    return Length + 1;
}

/* What Windows keeps in its folder lies with the kernel here; programs find a name, not a place. */
UINT WINAPI GetSystemDirectoryA(LPSTR Buffer, UINT Size)
{
    return BaseGiveA("C:\\Windows\\System32", Buffer, Size);
}

UINT WINAPI GetWindowsDirectoryA(LPSTR Buffer, UINT Size)
{
    return BaseGiveA("C:\\Windows", Buffer, Size);
}

/* The name in capitals, at most 15 characters, as NetBIOS has it. */
BOOL WINAPI GetComputerNameA(LPSTR Buffer, LPDWORD Size)
{
    char Name[256];
    DWORD Length;

    linux_host_name(Name, sizeof(Name));
    Name[strcspn(Name, ".")] = 0;
    Name[MAX_COMPUTERNAME_LENGTH] = 0;
    CharUpperA(Name);
    Length = (DWORD)strlen(Name);
    if (*Size <= Length) {
        *Size = Length + 1;
        SetLastError(ERROR_BUFFER_OVERFLOW);
        return FALSE;
    }
    strcpy(Buffer, Name);
    *Size = Length;
    return TRUE;
}

BOOL WINAPI GetComputerNameW(LPWSTR Buffer, LPDWORD Size)
{
    char Name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD Bytes = sizeof(Name);

    if (!GetComputerNameA(Name, &Bytes))
        return FALSE;
    if (*Size <= Bytes) {
        *Size = Bytes + 1;
        SetLastError(ERROR_BUFFER_OVERFLOW);
        return FALSE;
    }
    *Size = BaseGiveW(Name, Buffer, *Size);
    return TRUE;
}

void WINAPI GetSystemInfo(LPSYSTEM_INFO Info)
{
    memset(Info, 0, sizeof(*Info));
    Info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
    Info->dwPageSize = HOST_PAGE_SIZE;
    Info->lpMinimumApplicationAddress = (LPVOID)0x10000;
    Info->lpMaximumApplicationAddress = (LPVOID)0x7bffffffffffull;
    Info->dwNumberOfProcessors = host_cpu_count();
    Info->dwActiveProcessorMask =
        host_cpu_count() >= 64 ? ~(DWORD_PTR)0 : ((DWORD_PTR)1 << host_cpu_count()) - 1;
    Info->dwProcessorType = PROCESSOR_AMD_X8664;
    Info->dwAllocationGranularity = 0x10000;
    Info->wProcessorLevel = 6;
}

void WINAPI GetNativeSystemInfo(LPSYSTEM_INFO Info)
{
    GetSystemInfo(Info);
}

static NTSTATUS version(PVOID Info, DWORD Size)
{
    NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW);

    return Size == sizeof(RTL_OSVERSIONINFOW) || Size == sizeof(OSVERSIONINFOEXW)
               ? RtlGetVersion(Info)
               : STATUS_BUFFER_TOO_SMALL;
}

BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW Info)
{
    return BaseResult(version(Info, Info->dwOSVersionInfoSize));
}

BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA Info)
{
    RTL_OSVERSIONINFOW Wide = {.dwOSVersionInfoSize = sizeof(Wide)};

    if (Info->dwOSVersionInfoSize != sizeof(OSVERSIONINFOA) &&
        Info->dwOSVersionInfoSize != sizeof(OSVERSIONINFOEXA))
        return BaseResult(STATUS_BUFFER_TOO_SMALL);
    version(&Wide, sizeof(Wide));
    Info->dwMajorVersion = Wide.dwMajorVersion;
    Info->dwMinorVersion = Wide.dwMinorVersion;
    Info->dwBuildNumber = Wide.dwBuildNumber;
    Info->dwPlatformId = Wide.dwPlatformId;
    memset((char *)Info + 20, 0, Info->dwOSVersionInfoSize - 20);
    return TRUE;
}

DWORD WINAPI GetVersion(void)
{
    RTL_OSVERSIONINFOW Info = {.dwOSVersionInfoSize = sizeof(Info)};

    version(&Info, sizeof(Info));
    return Info.dwMajorVersion | Info.dwMinorVersion << 8 | Info.dwBuildNumber << 16;
}

BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX Status)
{
    uint64_t Total, Free;

    if (Status->dwLength != sizeof(*Status)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    linux_memory(&Total, &Free);
    *Status = (MEMORYSTATUSEX){.dwLength = sizeof(*Status),
                               .ullTotalPhys = Total,
                               .ullAvailPhys = Free,
                               .ullTotalPageFile = Total,
                               .ullAvailPageFile = Free,
                               .ullTotalVirtual = 0x10000000,
                               .ullAvailVirtual = 0x10000000};
    Status->dwMemoryLoad = Total ? (DWORD)((Total - Free) * 100 / Total) : 0;
    return TRUE;
}
