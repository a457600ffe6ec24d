/* w2k_call: asks about modules and symbols of the kernel, and calls its routines. */
#include "call.h"
#include "device.h"
#include "pattern.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char Usage[] =
    "usage: w2k_call module NAME                 where it is loaded\n"
    "       w2k_call exports NAME [PATTERN]      what it exports (* and ?)\n"
    "       w2k_call symbol [MODULE!]NAME        where it is\n"
    "       w2k_call call [--fast] [MODULE!]NAME [ARGUMENT...]   calls it: numbers, or =TEXT for "
    "its "
    "address\n"
    "       w2k_call copy BYTES [MODULE!]NAME    1 to 8 bytes that lie there\n\n"
    "call and copy are off until the value AllowCall (REG_DWORD) of the driver's service is 1 when "
    "it is loaded. Whoever\n"
    "calls a routine of the kernel wrongly harms the kernel.\n"
    "Exit codes: 0 done, 1 there is none, 2 usage, 3 the device failed, 20 no device, 21 its "
    "version, 10 to 14 the service.\n";

#define DIGITS ((int)sizeof(PVOID) * 2)

static int Fails(const char *What)
{
    DWORD Error = GetLastError();

    ClientFails(What, Error);
    return Error == ERROR_FILE_NOT_FOUND || Error == ERROR_PROC_NOT_FOUND ? SPY_EXIT_NOTHING
                                                                          : SPY_EXIT_FAILED;
}

static int Module(const char *Name)
{
    SPY_MODULE_INFO Info;
    IMAGE_NT_HEADERS Headers;

    if (!SpyModule(Name, &Info))
        return Fails(Name);
    printf("  base         0x%0*llX\n  size         0x%X\n  load index   %u\n  load count   %u\n  "
           "path  "
           "       %s\n",
           DIGITS, (unsigned long long)(ULONG_PTR)Info.pBase, (unsigned)Info.dSize,
           (unsigned)Info.dIndex, (unsigned)Info.dLoadCount, Info.abPath);
    if (SpyModuleHeader(Info.pBase, &Headers))
        printf("  machine      0x%04X\n  time stamp   0x%08X\n  check sum    0x%08X\n",
               Headers.FileHeader.Machine, (unsigned)Headers.FileHeader.TimeDateStamp,
               (unsigned)Headers.OptionalHeader.CheckSum);
    else
        printf("  no image of Windows\n");
    return SPY_EXIT_OK;
}

typedef struct _LISTING {
    const char *Pattern;
    unsigned Count;
} LISTING;

static BOOL Print(void *Context, PCSTR Name, PVOID Address)
{
    LISTING *Listing = Context;

    if (Listing->Pattern && !PatternMatches(Listing->Pattern, Name, strlen(Name)))
        return TRUE;
    printf("  0x%0*llX  %s\n", DIGITS, (unsigned long long)(ULONG_PTR)Address, Name);
    Listing->Count++;
    return TRUE;
}

static int Exports(const char *Name, const char *Pattern)
{
    LISTING Listing = {Pattern, 0};
    PVOID Base = SpyModuleBase(Name);

    if (!Base || !SpyModuleSymbols(Base, Print, &Listing))
        return Fails(Name);
    return Listing.Count ? SPY_EXIT_OK : SPY_EXIT_NOTHING;
}

static int Symbol(const char *Name)
{
    PVOID Address = SpySymbol(Name);

    if (!Address)
        return Fails(Name);
    printf("  0x%0*llX  %s\n", DIGITS, (unsigned long long)(ULONG_PTR)Address, Name);
    return SPY_EXIT_OK;
}

static BOOL Number(const char *Text, ULONG_PTR *Value)
{
    char *End;

    if (*Text == '=') {
        *Value = (ULONG_PTR)(Text + 1);
        return TRUE;
    }
    *Value = (ULONG_PTR)strtoull(Text, &End, 0);
    return *Text && !*End;
}

static int Call(int Count, char **Arguments)
{
    BOOL Fast = Count && !strcmp(*Arguments, "--fast");
    ULONG_PTR Values[SPY_ARGUMENTS];
    ULONGLONG Result;

    Count -= Fast;
    Arguments += Fast;
    if (Count < 1 || Count - 1 > SPY_ARGUMENTS)
        return SPY_EXIT_USAGE;
    for (int i = 1; i < Count; i++)
        if (!Number(Arguments[i], &Values[i - 1]))
            return SPY_EXIT_USAGE;
    if (!SpyCallWith(Arguments[0], NULL, Fast, (DWORD)Count - 1, Values, &Result))
        return Fails(Arguments[0]);
    printf("  0x%016llX\n", (unsigned long long)Result);
    return SPY_EXIT_OK;
}

static int Copy(const char *Bytes, const char *Name)
{
    ULONGLONG Result;
    long Count;

    if (!ClientNumber(Bytes, 1, SPY_COPY_MOST, &Count))
        return SPY_EXIT_USAGE;
    if (!SpyCopyBytes(Name, NULL, (DWORD)Count, &Result))
        return Fails(Name);
    printf("  0x%0*llX\n", (int)Count * 2, (unsigned long long)Result);
    return SPY_EXIT_OK;
}

static int Run(int Count, char **Arguments)
{
    const char *Verb = Arguments[0];

    if (!strcmp(Verb, "module") && Count == 2)
        return Module(Arguments[1]);
    if (!strcmp(Verb, "exports") && (Count == 2 || Count == 3))
        return Exports(Arguments[1], Count == 3 ? Arguments[2] : NULL);
    if (!strcmp(Verb, "symbol") && Count == 2)
        return Symbol(Arguments[1]);
    if (!strcmp(Verb, "call") && Count >= 2)
        return Call(Count - 1, Arguments + 1);
    if (!strcmp(Verb, "copy") && Count == 3)
        return Copy(Arguments[1], Arguments[2]);
    return SPY_EXIT_USAGE;
}

int main(int Count, char **Arguments)
{
    DEVICE Device;
    int Code = SPY_EXIT_USAGE;

    ClientName = "w2k_call";
    if (Count > 1) {
        Code = DeviceOpen(&Device, GENERIC_READ | GENERIC_WRITE); /* loads it, knows its version */
        if (Code)
            return Code;
        Code = Run(Count - 1, Arguments + 1);
        SpyCallCleanUp();
        DeviceClose(&Device);
    }
    if (Code == SPY_EXIT_USAGE)
        fputs(Usage, stderr);
    return Code;
}
