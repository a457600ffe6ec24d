/*
 * Each family of w2k_call's library, against a kernel: tests/spy_calls.sh.
 *
 * spy_calls absent: without the device; locked: while calls are off; allow: switches them on, for
 * the next start of the driver. Then one for each family: modules, control, calls, copies, threads;
 * files MODULE FILE (which it writes), symbols MODULE FILE: what tests/drivers/exports.c or
 * hidden.c does not export.
 */
#include "drivers/w2k_spy/client/symbols.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s, last error %u\n", __LINE__, #condition,                  \
                    (unsigned)GetLastError());                                                     \
            exit(1);                                                                               \
        }                                                                                          \
    while (0)
/* It fails, with that last error. */
#define FAILS(error, condition)                                                                    \
    do {                                                                                           \
        SetLastError(0);                                                                           \
        CHECK(condition);                                                                          \
        CHECK(GetLastError() == (error));                                                          \
    } while (0)
#define IO_DEVICE_ERROR ((LONG)0xC0000185)

static void absent(void)
{
    ULONGLONG Result;

    FAILS(ERROR_GEN_FAILURE, !SpyCallStartUp());
    FAILS(ERROR_GEN_FAILURE, !SpySymbol("KeSetEvent"));
    FAILS(ERROR_GEN_FAILURE, SpyCall32(7, "KeQueryTimeIncrement", 0) == 7);
    FAILS(ERROR_GEN_FAILURE, !SpyCopyBytes("KeSetEvent", NULL, 1, &Result));
}

static void allow(void)
{
    DWORD One = 1;
    HKEY Key;

    CHECK(!RegOpenKeyExA(HKEY_LOCAL_MACHINE, "System\\CurrentControlSet\\Services\\w2k_spy", 0,
                         KEY_ALL_ACCESS, &Key));
    CHECK(!RegSetValueExA(Key, "AllowCall", 0, REG_DWORD, (const BYTE *)&One, sizeof(One)));
    CHECK(!RegCloseKey(Key));
}

static void locked(void)
{
    FAILS(ERROR_ACCESS_DENIED, SpyCallNt("ZwYieldExecution", 0) == IO_DEVICE_ERROR);
    FAILS(ERROR_ACCESS_DENIED, SpyCopy8(9, "KeSetEvent") == 9);
}

/* ---- families ---- */

static BOOL count_name(void *Context, PCSTR Name, PVOID Address)
{
    unsigned *Count = Context;

    CHECK(*Name && Address);
    return ++*Count < 100;
}

static void modules(void)
{
    IMAGE_NT_HEADERS Headers;
    SPY_MODULE_INFO Info;
    unsigned Count = 0;
    DWORD Size;
    PVOID Base = SpyModuleBase("NTOSKRNL.EXE");
    PIMAGE_EXPORT_DIRECTORY Exports = SpyModuleExports(Base, &Size);

    CHECK(Base && SpyModule("ntoskrnl.exe", &Info) && Info.pBase == Base);
    CHECK(SpyModuleHeader(Base, &Headers));
    CHECK(SpyModuleCheck(Base, Headers.FileHeader.TimeDateStamp, Headers.OptionalHeader.CheckSum));
    CHECK(!SpyModuleCheck(Base, Headers.FileHeader.TimeDateStamp + 1,
                          Headers.OptionalHeader.CheckSum));
    CHECK(!SpyModuleCheck(Base, Headers.FileHeader.TimeDateStamp,
                          Headers.OptionalHeader.CheckSum + 1));
    CHECK(Exports && Exports->NumberOfNames > 900 && Size > sizeof(*Exports));
    free(Exports);
    CHECK(SpyModuleSymbols(Base, count_name, &Count) && Count == 100);
    FAILS(ERROR_FILE_NOT_FOUND, !SpyModuleBase("nonesuch.sys"));
    FAILS(ERROR_INVALID_PARAMETER, !SpyModuleHeader((PVOID)0x1000, &Headers));
    FAILS(ERROR_INVALID_PARAMETER, !SpyModuleSymbols((PVOID)0x1000, count_name, &Count));
    FAILS(ERROR_PROC_NOT_FOUND, !SpySymbol("kesetevent"));
}

static void control(void)
{
    SPY_VERSION_INFO Version[2];
    ULONG Selector = 0x10;

    CHECK(SpyControl(SPY_IO_VERSION_INFO, NULL, 0, Version, sizeof(Version[0])));
    FAILS(ERROR_INVALID_PARAMETER, !SpyControl(SPY_IO_SEGMENT, NULL, 4, Version, 40));
    FAILS(ERROR_INVALID_PARAMETER, !SpyControl(SPY_IO_VERSION_INFO, NULL, 0, NULL, 40));
    FAILS(ERROR_DATATYPE_MISMATCH,
          !SpyControl(SPY_IO_VERSION_INFO, NULL, 0, Version, sizeof(Version)));
    FAILS(ERROR_INSUFFICIENT_BUFFER, !SpyControl(SPY_IO_VERSION_INFO, NULL, 0, Version, 4));
    FAILS(ERROR_INVALID_USER_BUFFER, !SpyControl(SPY_IO_SEGMENT, &Selector, 3, Version, 40));
}

static ULONGLONG variadic(PCSTR Symbol, DWORD Count, ...)
{
    ULONGLONG Result;
    va_list List;

    va_start(List, Count);
    CHECK(SpyCallV(Symbol, FALSE, &Result, Count, List));
    va_end(List);
    return Result;
}

static void calls(void)
{
    ULONG_PTR Swap = 0x0102030405060708, Raise = 0xC000003E;
    ULONG_PTR Many[SPY_ARGUMENTS + 1] = {0};
    ULONGLONG Result;
    LONG Status = SpyCallNt("ZwYieldExecution", 0);

    CHECK(Status == 0 || Status == 0x40000024);
    CHECK(SpyCallNt("RtlNtStatusToDosErrorNoTeb", 1, (ULONG_PTR)0xC0000022) == 5);
    CHECK(SpyCall8(0, "RtlUpperChar", 1, (ULONG_PTR)'a') == 'A');
    CHECK(SpyCall16(0, "RtlUpcaseUnicodeChar", 1, (ULONG_PTR)0xE4) == 0xC4);
    CHECK(SpyCall32(0, "RtlUlongByteSwap", 1, (ULONG_PTR)0x01020304) == 0x04030201);
    CHECK(SpyCall64(0, "RtlUlonglongByteSwap", 1, Swap) == 0x0807060504030201);
    CHECK(SpyCallPointer(NULL, "ntoskrnl.exe!IoGetCurrentProcess", 0) ==
          (PVOID)(ULONG_PTR)SpyCall64(0, "IoGetCurrentProcess", 0));
    CHECK(variadic("RtlUlonglongByteSwap", 1, Swap) == 0x0807060504030201);
    CHECK(SpyCallWith("RtlUlonglongByteSwap", NULL, TRUE, 1, &Swap, &Result));
    CHECK(Result == 0x0807060504030201);
    CHECK(SpyCallWith(NULL, SpySymbol("RtlUlonglongByteSwap"), FALSE, 1, &Swap, &Result));
    CHECK(Result == 0x0807060504030201);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCall8(8, "NoSuchRoutine", 0) == 8);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCall16(16, "NoSuchRoutine", 0) == 16);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCall32(32, "NoSuchRoutine", 0) == 32);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCall64(64, "NoSuchRoutine", 0) == 64);
    FAILS(ERROR_FILE_NOT_FOUND, SpyCallPointer(Many, "none.sys!Routine", 0) == Many);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCallNt("NoSuchRoutine", 0) == IO_DEVICE_ERROR);
    FAILS(ERROR_INVALID_PARAMETER,
          !SpyCallWith("x", NULL, FALSE, SPY_ARGUMENTS + 1, Many, &Result));
    FAILS(ERROR_INVALID_PARAMETER, !SpyCallWith("x", NULL, FALSE, 1, NULL, &Result));
    FAILS(ERROR_NOACCESS, !SpyCallWith("ExRaiseStatus", NULL, FALSE, 1, &Raise, &Result));
}

static void copies(void)
{
    PVOID Address = SpySymbol("KeSetEvent");
    SPY_MEMORY_BLOCK Block = {Address, 8};
    ULONGLONG Bytes, Result;

    CHECK(SpyControl(SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), &Bytes, sizeof(Bytes)));
    CHECK(SpyCopy8(0, "KeSetEvent") == (BYTE)Bytes);
    CHECK(SpyCopy16(0, "KeSetEvent") == (WORD)Bytes);
    CHECK(SpyCopy32(0, "KeSetEvent") == (DWORD)Bytes);
    CHECK(SpyCopy64(0, "KeSetEvent") == Bytes);
    CHECK(SpyCopyPointer(NULL, "KeSetEvent") == (PVOID)(ULONG_PTR)Bytes);
    CHECK(SpyCopyEntry(NULL, "KeSetEvent") == Address);
    CHECK(SpyCopyBytes(NULL, Address, 3, &Result) && Result == (Bytes & 0xFFFFFF));
    FAILS(ERROR_INVALID_PARAMETER, !SpyCopyBytes(NULL, Address, 9, &Result));
    FAILS(ERROR_NOACCESS, !SpyCopyBytes(NULL, (PVOID)0x1000, 1, &Result));
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopy8(8, "none") == 8);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopy16(16, "none") == 16);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopy32(32, "none") == 32);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopy64(64, "none") == 64);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopyPointer(Address, "none") == Address);
    FAILS(ERROR_PROC_NOT_FOUND, SpyCopyEntry(Address, "none") == Address);
}

static void *calls_in_a_thread(void *Context)
{
    for (int i = 0; i < 100; i++)
        CHECK(SpyCall32(0, "RtlUlongByteSwap", 1, (ULONG_PTR)i << 24) == (DWORD)i);
    return NULL;
}

/* One device for all threads, and again after it was closed. */
static void threads(void)
{
    pthread_t Threads[4];

    SpyCallCleanUp();
    for (int i = 0; i < 4; i++)
        CHECK(!pthread_create(&Threads[i], NULL, calls_in_a_thread, NULL));
    for (int i = 0; i < 4; i++)
        pthread_join(Threads[i], NULL);
}

/* ---- symbols of a file ---- */

static void write_file(const char *Path, const char *Text)
{
    FILE *File = fopen(Path, "w");

    CHECK(File && fputs(Text, File) >= 0 && !fclose(File));
}

static SPY_SYMBOLS_STATUS status_of(const char *Module, const char *Path)
{
    SPY_SYMBOLS_STATUS Status;

    SpySymbolsFree(SpySymbolsLoad(Module, Path, &Status));
    return Status;
}

static void bad_files(const char *Module, const char *Path)
{
    CHECK(status_of(Module, Path) == SPY_SYMBOLS_LOAD);
    write_file(Path, "nothing\n");
    CHECK(status_of(Module, Path) == SPY_SYMBOLS_UNDEFINED);
    CHECK(status_of("nonesuch.sys", Path) == SPY_SYMBOLS_MODULE);
    write_file(Path, " Timestamp is 00000001\n 0001:00000000 Name 0000000140001000 f.obj\n");
    CHECK(status_of(Module, Path) == SPY_SYMBOLS_VERSION);
}

/* As 32-bit compilers name routines. */
static void decorations(const char *Module, const char *Path)
{
    static const char *const None[] = {"Plai", "Plain@4", "Standard@", "Odd", "Fast@8"};
    SPY_SYMBOLS_STATUS Status;
    SPY_SYMBOLS *Symbols;
    char *Base = SpyModuleBase(Module);
    BOOL FastCall;

    write_file(Path, " Preferred load address is 10000\n 0001:0 _Plain 00011000 f.obj\n 0001:4 "
                     "_Standard@4 00011004\n 0001:8 @Fast@8 00011008\n 0001:c _Odd@x 0001100c\n");
    Symbols = SpySymbolsLoad(Module, Path, &Status);
    CHECK(Symbols);
    CHECK(SpySymbolsFind(Symbols, "Plain", &FastCall) == Base + 0x1000 && !FastCall);
    CHECK(SpySymbolsFind(Symbols, "Standard", &FastCall) == Base + 0x1004 && !FastCall);
    CHECK(SpySymbolsFind(Symbols, "Fast", &FastCall) == Base + 0x1008 && FastCall);
    CHECK(SpySymbolsFind(Symbols, "_Plain", NULL) == Base + 0x1000);
    for (unsigned i = 0; i < sizeof(None) / sizeof(None[0]); i++)
        FAILS(ERROR_PROC_NOT_FOUND, !SpySymbolsFind(Symbols, None[i], NULL));
    SpySymbolsFree(Symbols);
}

/* HiddenSum(a, b) is a + 2 b, HiddenNumber 0x1122334455667788; neither is exported. */
static void symbols(const char *Module, const char *Path)
{
    const ULONGLONG Number = 0x1122334455667788;
    ULONG_PTR One = 0x1000000000000001, Two = 2;
    SPY_SYMBOLS_STATUS Status;
    SPY_SYMBOLS *File = SpySymbolsLoad(Module, Path, &Status);

    CHECK(File && Status == SPY_SYMBOLS_OK);
    CHECK(SpyXCall8(0, File, "HiddenSum", 2, One, Two) == 5);
    CHECK(SpyXCall16(0, File, "HiddenSum", 2, One, Two) == 5);
    CHECK(SpyXCall32(0, File, "HiddenSum", 2, One, Two) == 5);
    CHECK(SpyXCall64(0, File, "HiddenSum", 2, One, Two) == One + 4);
    CHECK(SpyXCallPointer(NULL, File, "HiddenSum", 2, One, Two) == (PVOID)(One + 4));
    CHECK(SpyXCallNt(File, "HiddenSum", 2, One, Two) == 5);
    CHECK(SpyXCopy8(0, File, "HiddenNumber") == (BYTE)Number);
    CHECK(SpyXCopy16(0, File, "HiddenNumber") == (WORD)Number);
    CHECK(SpyXCopy32(0, File, "HiddenNumber") == (DWORD)Number);
    CHECK(SpyXCopy64(0, File, "HiddenNumber") == Number);
    CHECK(SpyXCopyPointer(NULL, File, "HiddenNumber") == (PVOID)(ULONG_PTR)Number);
    CHECK(SpyXCopyEntry(NULL, File, "HiddenNumber") == SpySymbolsFind(File, "HiddenNumber", NULL));
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCall8(8, File, "None", 0) == 8);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCall16(16, File, "None", 0) == 16);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCall32(32, File, "None", 0) == 32);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCall64(64, File, "None", 0) == 64);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCallPointer(File, File, "None", 0) == File);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCallNt(File, "None", 0) == IO_DEVICE_ERROR);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopy8(8, File, "None") == 8);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopy16(16, File, "None") == 16);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopy32(32, File, "None") == 32);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopy64(64, File, "None") == 64);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopyPointer(File, File, "None") == File);
    FAILS(ERROR_PROC_NOT_FOUND, SpyXCopyEntry(File, File, "None") == File);
    SpySymbolsFree(File);
}

int main(int Count, char **Arguments)
{
    const char *What = Count > 1 ? Arguments[1] : "";

    if (!strcmp(What, "absent"))
        absent();
    else if (!strcmp(What, "allow"))
        allow();
    else if (!strcmp(What, "locked"))
        locked();
    else if (!strcmp(What, "modules"))
        modules();
    else if (!strcmp(What, "control"))
        control();
    else if (!strcmp(What, "calls"))
        calls();
    else if (!strcmp(What, "copies"))
        copies();
    else if (!strcmp(What, "threads"))
        threads();
    else if (!strcmp(What, "files") && Count == 4)
        bad_files(Arguments[2], Arguments[3]), decorations(Arguments[2], Arguments[3]);
    else if (!strcmp(What, "symbols") && Count == 4)
        symbols(Arguments[2], Arguments[3]);
    else
        return 2;
    SpyCallCleanUp();
    return 0;
}
