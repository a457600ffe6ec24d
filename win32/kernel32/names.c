/* Names of devices and drivers: QueryDosDevice, EnumDeviceDrivers. */
#include "win32/kernel32/base.h"

#include <stdlib.h>
#include <string.h>

#define DEVICES L"\\??\\"
#define NAME_LIMIT 600

/* Room for a further text and two zeroes; nothing is written beyond Size. */
struct texts {
    LPWSTR Out;
    DWORD Size, Used;
};

static BOOL add_text(struct texts *Texts, LPCWSTR Text, SIZE_T Length)
{
    if (Texts->Used + Length + 2 > Texts->Size) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memcpy(Texts->Out + Texts->Used, Text, Length * sizeof(WCHAR));
    Texts->Used += (DWORD)Length;
    Texts->Out[Texts->Used++] = 0;
    Texts->Out[Texts->Used] = 0;
    return TRUE;
}

/* What a link leads to. */
static BOOL one_device(LPCWSTR Name, struct texts *Texts)
{
    WCHAR Path[NAME_LIMIT], Target[NAME_LIMIT];
    UNICODE_STRING String, Found = {0, sizeof(Target), Target};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Link;
    NTSTATUS Status;

    if (wcslen(Name) + 5 > NAME_LIMIT)
        return BaseResult(STATUS_NAME_TOO_LONG);
    wcscpy(Path, DEVICES);
    wcscat(Path, Name);
    RtlInitUnicodeString(&String, Path);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!BaseResult(NtOpenSymbolicLinkObject(&Link, 1 /* SYMBOLIC_LINK_QUERY */, &Attributes)))
        return FALSE;
    Status = NtQuerySymbolicLinkObject(Link, &Found, NULL);
    NtClose(Link);
    return BaseResult(Status) && add_text(Texts, Target, Found.Length / sizeof(WCHAR));
}

/* OBJECT_DIRECTORY_INFORMATION */
struct directory_entry {
    UNICODE_STRING Name, Type;
};

static BOOL all_devices(struct texts *Texts)
{
    union {
        struct directory_entry Entry;
        WCHAR Room[2 * NAME_LIMIT];
    } Buffer;
    UNICODE_STRING String;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Context = 0, Returned;
    HANDLE Directory;
    NTSTATUS Status;

    RtlInitUnicodeString(&String, L"\\??");
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!BaseResult(NtOpenDirectoryObject(&Directory, 1 /* DIRECTORY_QUERY */, &Attributes)))
        return FALSE;
    while (STATUS_OK(Status = NtQueryDirectoryObject(Directory, &Buffer, sizeof(Buffer), TRUE,
                                                     Context == 0, &Context, &Returned)) &&
           Status != STATUS_NO_MORE_ENTRIES)
        if (!add_text(Texts, Buffer.Entry.Name.Buffer, Buffer.Entry.Name.Length / sizeof(WCHAR))) {
            NtClose(Directory);
            return FALSE;
        }
    NtClose(Directory);
    return Status == STATUS_NO_MORE_ENTRIES || BaseResult(Status);
}

/* What a name leads to, or (NULL) all names; each ends with a zero, all with one more. The
 * characters with these; 0: ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER. */
DWORD WINAPI QueryDosDeviceW(LPCWSTR Name, LPWSTR Out, DWORD Size)
{
    struct texts Texts = {Out, Size, 0};

    if (!(Name ? one_device(Name, &Texts) : all_devices(&Texts)))
        return 0;
    return Texts.Used ? Texts.Used + 1 : 0;
}

DWORD WINAPI QueryDosDeviceA(LPCSTR Name, LPSTR Out, DWORD Size)
{
    LPWSTR Wide = Name ? BaseWide(Name) : NULL, Buffer = malloc(((SIZE_T)Size + 1) * sizeof(WCHAR));
    DWORD Count = (Name && !Wide) || !Buffer ? 0 : QueryDosDeviceW(Wide, Buffer, Size);

    if (Count)
        Count =
            (DWORD)WideCharToMultiByte(CP_ACP, 0, Buffer, (int)Count, Out, (int)Size, NULL, NULL);
    free(Wide);
    free(Buffer);
    return Count;
}

/* RTL_PROCESS_MODULES of class 11. */
struct module {
    HANDLE Section;
    PVOID MappedBase, Base;
    ULONG Bytes, Flags;
    USHORT LoadOrder, InitOrder, LoadCount, NameOffset;
    CHAR Path[256];
};
struct modules {
    ULONG Count;
    struct module Module[];
};

static struct modules *query_modules(void)
{
    ULONG Bytes = 0x10000, Needed = 0;

    for (;;) {
        struct modules *Modules = malloc(Bytes);
        NTSTATUS Status = Modules ? NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)11, Modules,
                                                             Bytes, &Needed)
                                  : STATUS_NO_MEMORY;

        if (Status == STATUS_SUCCESS)
            return Modules;
        free(Modules);
        if (Status != STATUS_INFO_LENGTH_MISMATCH) {
            BaseResult(Status);
            return NULL;
        }
        Bytes = Needed + 0x1000;
    }
}

/* The bases of the kernel and of the drivers, as many as Bytes has room for; *Needed: of all. 0
 * each for a caller without the debug privilege. */
BOOL WINAPI K32EnumDeviceDrivers(LPVOID *Bases, DWORD Bytes, LPDWORD Needed)
{
    struct modules *Modules = query_modules();

    if (!Modules)
        return FALSE;
    for (ULONG i = 0; i < Modules->Count && i < Bytes / sizeof(LPVOID); i++)
        Bases[i] = Modules->Module[i].Base;
    *Needed = Modules->Count * (DWORD)sizeof(LPVOID);
    free(Modules);
    return TRUE;
}

BOOL WINAPI EnumDeviceDrivers(LPVOID *Bases, DWORD Bytes, LPDWORD Needed)
{
    return K32EnumDeviceDrivers(Bases, Bytes, Needed);
}

static DWORD driver_name(LPVOID Base, LPSTR Out, DWORD Size, BOOL WithFolder)
{
    struct modules *Modules = query_modules();
    DWORD Length = 0;

    if (!Modules)
        return 0;
    SetLastError(ERROR_INVALID_HANDLE);
    for (ULONG i = 0; i < Modules->Count; i++) {
        struct module *Module = &Modules->Module[i];

        if (Module->Base != Base || !Size)
            continue;
        lstrcpynA(Out, Module->Path + (WithFolder ? 0 : Module->NameOffset), (int)Size);
        Length = (DWORD)strlen(Out);
    }
    free(Modules);
    return Length;
}

DWORD WINAPI K32GetDeviceDriverBaseNameA(LPVOID Base, LPSTR Out, DWORD Size)
{
    return driver_name(Base, Out, Size, FALSE);
}

DWORD WINAPI GetDeviceDriverBaseNameA(LPVOID Base, LPSTR Out, DWORD Size)
{
    return driver_name(Base, Out, Size, FALSE);
}

DWORD WINAPI K32GetDeviceDriverFileNameA(LPVOID Base, LPSTR Out, DWORD Size)
{
    return driver_name(Base, Out, Size, TRUE);
}

DWORD WINAPI GetDeviceDriverFileNameA(LPVOID Base, LPSTR Out, DWORD Size)
{
    return driver_name(Base, Out, Size, TRUE);
}
