/*
 * w2k_hook, w2k_call and w2k_load against a system that is not there: the routines of Win32 that
 * they use to reach it, and the console, are these. Everything they answer is fixed
 * (tests/golden_w2k_spy.sh). Environment: FAKE: what is out of the ordinary; FAKE_KEYS: pressed one
 * after the other, each when all lines are shown; then Escape.
 */
#include "../../common/client.h"
#include "../../common/console.h"
#include "../public.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_HANDLE ((HANDLE)0x100)
#define BASE ((ULONG_PTR)0x7CC000000000)
#define NATIVE_BASE ((ULONG_PTR)0x7F0000000000)

static BOOL fake(const char *What)
{
    const char *Set = getenv("FAKE");

    return Set && !strcmp(Set, What);
}

static BOOL fail(DWORD Error)
{
    SetLastError(Error);
    return FALSE;
}

/* ---- the service ---- */

static struct {
    BOOL Known, Runs, First;
} Service = {FALSE, FALSE, TRUE};

static void service_begins(void)
{
    if (Service.First) {
        Service.Runs = fake("running") || fake("stuck");
        Service.Known = Service.Runs || fake("registered") || fake("undeletable");
    }
    Service.First = FALSE;
}

SC_HANDLE WINAPI OpenSCManagerA(LPCSTR Machine, LPCSTR Database, DWORD Access)
{
    service_begins();
    return fake("nomanager") ? (fail(ERROR_ACCESS_DENIED), NULL) : (SC_HANDLE)1;
}

SC_HANDLE WINAPI CreateServiceA(SC_HANDLE Manager, LPCSTR Name, LPCSTR Display, DWORD Access,
                                DWORD Type, DWORD Start, DWORD Errors, LPCSTR Path, LPCSTR Group,
                                LPDWORD Tag, LPCSTR Dependencies, LPCSTR User, LPCSTR Password)
{
    if (fake("noname"))
        return fail(ERROR_INVALID_NAME), NULL;
    if (Service.Known)
        return fail(ERROR_SERVICE_EXISTS), NULL;
    Service.Known = TRUE;
    printf("[service %s of %s]\n", Name, Path);
    return (SC_HANDLE)2;
}

SC_HANDLE WINAPI OpenServiceA(SC_HANDLE Manager, LPCSTR Name, DWORD Access)
{
    return Service.Known ? (SC_HANDLE)2 : (fail(ERROR_SERVICE_DOES_NOT_EXIST), NULL);
}

BOOL WINAPI StartServiceA(SC_HANDLE Handle, DWORD Count, LPCSTR *Arguments)
{
    if (fake("nofile"))
        return fail(ERROR_FILE_NOT_FOUND);
    if (Service.Runs)
        return fail(ERROR_SERVICE_ALREADY_RUNNING);
    return Service.Runs = TRUE;
}

BOOL WINAPI ControlService(SC_HANDLE Handle, DWORD Control, LPSERVICE_STATUS Status)
{
    if (fake("stuck"))
        return fail(ERROR_INVALID_SERVICE_CONTROL);
    if (!Service.Runs)
        return fail(ERROR_SERVICE_NOT_ACTIVE);
    Service.Runs = FALSE;
    return TRUE;
}

BOOL WINAPI DeleteService(SC_HANDLE Handle)
{
    if (fake("undeletable"))
        return fail(ERROR_ACCESS_DENIED);
    Service.Known = FALSE;
    return TRUE;
}

BOOL WINAPI CloseServiceHandle(SC_HANDLE Handle)
{
    return TRUE;
}

/* ---- the console ---- */

static const char *Keys;
static int Batch; /* lines until the next key */

void ConsoleBegin(void)
{
    Keys = getenv("FAKE_KEYS");
}

void ConsoleEnd(void)
{
}

int ConsoleIsTerminal(void)
{
    return 0;
}

int ConsoleStopped(void)
{
    return 0;
}

int ConsoleKey(unsigned Milliseconds)
{
    if (!Milliseconds)
        return -1;
    Batch = 4;
    return Keys && *Keys ? *Keys++ : CONSOLE_ESCAPE;
}

/* ---- the log ---- */

static const struct {
    BOOL Known; /* the filter lets it pass */
    const char *Rest;
} Calls[] = {
    {TRUE, "s0=NtOpenKey(+A.4,n20019,o\"\\Registry\\Machine\")1DD79664056A8CC,A,1"},
    {FALSE, "s0=NtReadFile(!A.8,p,p,p,i0.5,p7B0000001000,n40,l,d)1DD79664056A8CC,A,1"},
    {TRUE, "sC0000008=NtFlushKey(!A.4=\"\\Registry\\Machine\")1DD79664056A8CC,A,1"},
    {TRUE, "s0=NtClose(-A.4=\"\\Registry\\Machine\")1DD79664056A8CC,A,0"},
};

static struct {
    LONG Paused, Filter;
    ULONG Number, Next;
    char Remarks[1000];
} Log;

static DWORD read_line(char *Line, DWORD Size)
{
    char *End = strchr(Log.Remarks, '\n');

    if (End) {
        snprintf(Line, Size, "%.*s", (int)(End - Log.Remarks), Log.Remarks);
        memmove(Log.Remarks, End + 1, strlen(End));
        return (DWORD)strlen(Line) + 1;
    }
    for (; Batch; Batch--) {
        ULONG Call = Log.Next++ % 4;

        if (Log.Paused || (Log.Filter && !Calls[Call].Known))
            continue;
        snprintf(Line, Size, "%X:%s", (unsigned)++Log.Number, Calls[Call].Rest);
        Batch--;
        return (DWORD)strlen(Line) + 1;
    }
    return 0;
}

static DWORD exchange(LONG *State, LONG New, LONG *Before)
{
    *Before = *State;
    *State = New;
    return sizeof(*Before);
}

static DWORD hook_info(SPY_HOOK_INFO *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->psc = (PVOID)0x7C0000300000;
    Out->psp = (PVOID)0x7C0000400000;
    Out->psdt = (PVOID)0x7F0000002000;
    Out->sdt.ntoskrnl.ServiceTable = (PVOID)0x7C0000200000;
    Out->ServiceLimit = 113;
    return sizeof(*Out);
}

/* ---- modules ---- */

static DWORD module(const char *Name, SPY_MODULE_INFO *Out)
{
    BOOL Native = !strcmp(Name, "native.sys");

    if (!Native && strcmp(Name, "fake.sys") != 0)
        return fail(ERROR_FILE_NOT_FOUND);
    memset(Out, 0, sizeof(*Out));
    Out->pBase = (PVOID)(Native ? NATIVE_BASE : BASE);
    Out->dSize = 0x12000;
    Out->dIndex = 7;
    Out->dLoadCount = 1;
    snprintf(Out->abPath, sizeof(Out->abPath), "\\SystemRoot\\System32\\Drivers\\%s", Name);
    return sizeof(*Out);
}

typedef struct EXPORTS {
    IMAGE_EXPORT_DIRECTORY Directory;
    DWORD Functions[3], Names[3];
    WORD Ordinals[3];
    char Texts[3][8];
} EXPORTS;

static DWORD header(ULONG_PTR Base, IMAGE_NT_HEADERS *Out)
{
    if (Base != BASE)
        return fail(ERROR_BAD_EXE_FORMAT);
    memset(Out, 0, sizeof(*Out));
    Out->FileHeader.Machine = IMAGE_FILE_MACHINE_AMD64;
    Out->FileHeader.TimeDateStamp = 0x5E000000;
    Out->OptionalHeader.CheckSum = 0x1234;
    Out->OptionalHeader.DataDirectory[0].Size = sizeof(EXPORTS);
    return sizeof(*Out);
}

static DWORD exports(EXPORTS *Out)
{
    static const char *const Names[] = {"Alpha", "Beta", "Gamma"};

    memset(Out, 0, sizeof(*Out));
    Out->Directory.NumberOfFunctions = Out->Directory.NumberOfNames = 3;
    Out->Directory.AddressOfFunctions = offsetof(EXPORTS, Functions);
    Out->Directory.AddressOfNames = offsetof(EXPORTS, Names);
    Out->Directory.AddressOfNameOrdinals = offsetof(EXPORTS, Ordinals);
    for (WORD i = 0; i < 3; i++) {
        Out->Functions[i] = 0x1000 + i * 0x40u;
        Out->Names[i] = (DWORD)offsetof(EXPORTS, Texts[i]);
        Out->Ordinals[i] = (WORD)(2 - i);
        strcpy(Out->Texts[i], Names[i]);
    }
    return sizeof(*Out);
}

static DWORD symbol(const char *Name, PVOID *Out)
{
    if (strncmp(Name, "none.sys!", 9) == 0)
        return fail(ERROR_FILE_NOT_FOUND);
    if (strcmp(Name, "fake.sys!Beta") != 0)
        return fail(ERROR_PROC_NOT_FOUND);
    *Out = (PVOID)(BASE + 0x1040);
    return sizeof(*Out);
}

/* The sum of the arguments; for a fast call one more. */
static DWORD call(const SPY_CALL_INPUT *In, SPY_CALL_OUTPUT *Out)
{
    DWORD Copied = SPY_COPY(0) - In->dArgumentBytes;
    PVOID Address = NULL;

    if (fake("locked"))
        return fail(ERROR_ACCESS_DENIED);
    if (fake("faulty"))
        return fail(ERROR_NOACCESS);
    if (!symbol(In->pbSymbol, &Address))
        return 0;
    Out->uliResult.QuadPart = (ULONGLONG)In->fFastCall;
    for (DWORD i = 0; Copied > SPY_COPY_MOST && i < In->dArgumentBytes / sizeof(ULONG_PTR); i++)
        Out->uliResult.QuadPart += ((const ULONG_PTR *)In->pArguments)[i];
    if (Copied <= SPY_COPY_MOST)
        Out->uliResult.QuadPart =
            0x1122334455667788 & (Copied == 8 ? ~0ULL : (1ULL << Copied * 8) - 1);
    return sizeof(*Out);
}

/* ---- the device ---- */

HANDLE WINAPI CreateFileA(LPCSTR Name, DWORD Access, DWORD Share, LPSECURITY_ATTRIBUTES Security,
                          DWORD Disposition, DWORD Flags, HANDLE Template)
{
    service_begins();
    if (fake("denied"))
        fail(ERROR_ACCESS_DENIED);
    else if ((fake("absent") || fake("nofile") || fake("nomanager")) && !Service.Runs)
        fail(ERROR_FILE_NOT_FOUND);
    else
        return DEVICE_HANDLE;
    return INVALID_HANDLE_VALUE;
}

BOOL WINAPI CloseHandle(HANDLE Handle)
{
    return TRUE;
}

static DWORD version(SPY_VERSION_INFO *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->dVersion = fake("version") ? 100 : SPY_VERSION;
    return sizeof(*Out);
}

static DWORD install(ULONG *Out)
{
    *Out = 62;
    return fake("busy") ? (DWORD)fail(ERROR_BAD_COMMAND) : sizeof(*Out);
}

static DWORD read_log(char *Out, DWORD Size)
{
    if (fake("broken"))
        return (DWORD)-1;
    return read_line(Out, Size);
}

static DWORD pause(LONG New, LONG *Before)
{
    if (!New)
        Log.Number = Log.Next = 0;
    return exchange(&Log.Paused, New, Before);
}

static DWORD answer(DWORD Code, const void *In, DWORD InLength, void *Out, DWORD OutLength)
{
    switch (Code) {
    case SPY_IO_VERSION_INFO:
        return version(Out);
    case SPY_IO_HOOK_INFO:
        return hook_info(Out);
    case SPY_IO_HOOK_INSTALL:
    case SPY_IO_HOOK_REMOVE:
        return install(Out);
    case SPY_IO_HOOK_PAUSE:
        return pause(*(const LONG *)In, Out);
    case SPY_IO_HOOK_FILTER:
        return exchange(&Log.Filter, *(const LONG *)In, Out);
    case SPY_IO_MODULE_INFO:
        return module(*(const char *const *)In, Out);
    case SPY_IO_PE_HEADER:
        return header(*(const ULONG_PTR *)In, Out);
    case SPY_IO_PE_EXPORT:
        return exports(Out);
    case SPY_IO_PE_SYMBOL:
        return symbol(*(const char *const *)In, Out);
    default:
        return call(In, Out);
    }
}

BOOL WINAPI DeviceIoControl(HANDLE Device, DWORD Code, LPVOID In, DWORD InLength, LPVOID Out,
                            DWORD OutLength, LPDWORD Returned, LPOVERLAPPED Overlapped)
{
    *Returned = 0;
    switch (Code) {
    case SPY_IO_HOOK_WRITE:
        strncat(Log.Remarks, In, InLength);
        return TRUE;
    case SPY_IO_HOOK_RESET:
        Log.Number = 0;
        return TRUE;
    case SPY_IO_HOOK_READ:
        *Returned = read_log(Out, OutLength);
        return *Returned != (DWORD)-1 || fail(ERROR_GEN_FAILURE);
    default:
        *Returned = answer(Code, In, InLength, Out, OutLength);
        return *Returned != 0;
    }
}
