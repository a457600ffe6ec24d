/* The device, modules and symbols; calls and copies in all their sizes. */
#include "call.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define IO_DEVICE_ERROR ((LONG)0xC0000185)
#define EXPORTS_MOST 0x1000000

static volatile LONG Lock;
static HANDLE Device;

static void Enter(void)
{
    while (InterlockedExchange(&Lock, 1))
        Sleep(0);
}

static void Leave(void)
{
    InterlockedExchange(&Lock, 0);
}

BOOL SpyCallStartUp(void)
{
    BOOL Good;

    Enter();
    if (!Device) {
        Device = CreateFileA(SPY_PATH, GENERIC_READ | GENERIC_WRITE,
                             FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
        if (Device == INVALID_HANDLE_VALUE)
            Device = NULL;
    }
    Good = Device != NULL;
    Leave();
    if (!Good)
        SetLastError(ERROR_GEN_FAILURE);
    return Good;
}

void SpyCallCleanUp(void)
{
    Enter();
    if (Device)
        CloseHandle(Device);
    Device = NULL;
    Leave();
}

BOOL SpyControl(DWORD Code, const void *In, DWORD InLength, void *Out, DWORD OutLength)
{
    DWORD Returned = 0;

    if ((!In && InLength) || (!Out && OutLength)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!SpyCallStartUp() ||
        !DeviceIoControl(Device, Code, (void *)In, InLength, Out, OutLength, &Returned, NULL))
        return FALSE;
    if (Returned == OutLength)
        return TRUE;
    SetLastError(ERROR_DATATYPE_MISMATCH);
    return FALSE;
}

/* ---- modules ---- */

BOOL SpyModule(PCSTR Name, SPY_MODULE_INFO *Info)
{
    return SpyControl(SPY_IO_MODULE_INFO, &Name, sizeof(Name), Info, sizeof(*Info));
}

PVOID SpyModuleBase(PCSTR Name)
{
    SPY_MODULE_INFO Info;

    return SpyModule(Name, &Info) ? Info.pBase : NULL;
}

BOOL SpyModuleHeader(PVOID Base, PIMAGE_NT_HEADERS Headers)
{
    return SpyControl(SPY_IO_PE_HEADER, &Base, sizeof(Base), Headers, sizeof(*Headers));
}

PIMAGE_EXPORT_DIRECTORY SpyModuleExports(PVOID Base, DWORD *Size)
{
    PIMAGE_EXPORT_DIRECTORY Block;
    IMAGE_NT_HEADERS Headers;

    if (!SpyModuleHeader(Base, &Headers))
        return NULL;
    *Size = Headers.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT].Size;
    if (*Size < sizeof(*Block) || *Size > EXPORTS_MOST) {
        SetLastError(ERROR_INVALID_DATA);
        return NULL;
    }
    Block = malloc(*Size);
    if (Block && !SpyControl(SPY_IO_PE_EXPORT, &Base, sizeof(Base), Block, *Size)) {
        free(Block);
        Block = NULL;
    }
    return Block;
}

BOOL SpyModuleCheck(PVOID Base, DWORD TimeDateStamp, DWORD CheckSum)
{
    IMAGE_NT_HEADERS Headers;

    return SpyModuleHeader(Base, &Headers) && Headers.FileHeader.TimeDateStamp == TimeDateStamp &&
           Headers.OptionalHeader.CheckSum == CheckSum;
}

/* The driver has made every address lead into the block, or zero. */
static PVOID AddressOf(PVOID Base, const IMAGE_EXPORT_DIRECTORY *Block, DWORD Size, DWORD Name)
{
    const char *Bytes = (const char *)Block;
    WORD Ordinal;
    DWORD Function;

    if (!Block->AddressOfNameOrdinals || !Block->AddressOfFunctions)
        return NULL;
    memcpy(&Ordinal, Bytes + Block->AddressOfNameOrdinals + Name * 2, sizeof(Ordinal));
    if (Ordinal >= Block->NumberOfFunctions || Size < Block->AddressOfFunctions)
        return NULL;
    memcpy(&Function, Bytes + Block->AddressOfFunctions + Ordinal * 4, sizeof(Function));
#ifdef _WIN64
    return (char *)Base + Function;
#else
    (void)Base;
    return (PVOID)Function;
#endif
}

BOOL SpyModuleSymbols(PVOID Base, BOOL (*Each)(void *Context, PCSTR Name, PVOID Address),
                      void *Context)
{
    DWORD Size, Name;
    PIMAGE_EXPORT_DIRECTORY Block = SpyModuleExports(Base, &Size);

    if (!Block)
        return FALSE;
    for (DWORD i = 0; Block->AddressOfNames && i < Block->NumberOfNames; i++) {
        memcpy(&Name, (char *)Block + Block->AddressOfNames + i * 4, sizeof(Name));
        if (Name && !Each(Context, (char *)Block + Name, AddressOf(Base, Block, Size, i)))
            break;
    }
    free(Block);
    return TRUE;
}

PVOID SpySymbol(PCSTR Symbol)
{
    PVOID Address;

    return SpyControl(SPY_IO_PE_SYMBOL, &Symbol, sizeof(Symbol), &Address, sizeof(Address))
               ? Address
               : NULL;
}

/* ---- calls ---- */

static BOOL Execute(const SPY_CALL_INPUT *Input, ULONGLONG *Result)
{
    SPY_CALL_OUTPUT Output;

    if (!SpyControl(SPY_IO_CALL, Input, sizeof(*Input), &Output, sizeof(Output)))
        return FALSE;
    *Result = Output.uliResult.QuadPart;
    return TRUE;
}

BOOL SpyCallWith(PCSTR Symbol, PVOID Entry, BOOL FastCall, DWORD Count, const ULONG_PTR *Arguments,
                 ULONGLONG *Result)
{
    SPY_CALL_INPUT Input;

    if (Count > SPY_ARGUMENTS || (Count && !Arguments)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    memset(&Input, 0, sizeof(Input));
    Input.fFastCall = FastCall;
    Input.dArgumentBytes = Count * (DWORD)sizeof(ULONG_PTR);
    Input.pArguments = (PVOID)Arguments;
    Input.pbSymbol = Symbol;
    Input.pEntryPoint = Entry;
    return Execute(&Input, Result);
}

BOOL SpyCallV(PCSTR Symbol, BOOL FastCall, ULONGLONG *Result, DWORD Count, va_list List)
{
    ULONG_PTR Arguments[SPY_ARGUMENTS];

    for (DWORD i = 0; i < Count && i < SPY_ARGUMENTS; i++)
        Arguments[i] = va_arg(List, ULONG_PTR);
    return SpyCallWith(Symbol, NULL, FastCall, Count, Arguments, Result);
}

#define CALL_FAMILY(Name, Type, Convert)                                                           \
    Type Name(Type Default, PCSTR Symbol, DWORD Count, ...)                                        \
    {                                                                                              \
        ULONGLONG Result;                                                                          \
        va_list List;                                                                              \
        BOOL Good;                                                                                 \
                                                                                                   \
        va_start(List, Count);                                                                     \
        Good = SpyCallV(Symbol, FALSE, &Result, Count, List);                                      \
        va_end(List);                                                                              \
        return Good ? (Type)(Convert)Result : Default;                                             \
    }
CALL_FAMILY(SpyCall8, BYTE, BYTE)
CALL_FAMILY(SpyCall16, WORD, WORD)
CALL_FAMILY(SpyCall32, DWORD, DWORD)
CALL_FAMILY(SpyCall64, ULONGLONG, ULONGLONG)
CALL_FAMILY(SpyCallPointer, PVOID, ULONG_PTR)

LONG SpyCallNt(PCSTR Symbol, DWORD Count, ...)
{
    ULONGLONG Result;
    va_list List;
    BOOL Good;

    va_start(List, Count);
    Good = SpyCallV(Symbol, FALSE, &Result, Count, List);
    va_end(List);
    return Good ? (LONG)Result : IO_DEVICE_ERROR;
}

/* ---- copies ---- */

BOOL SpyCopyBytes(PCSTR Symbol, PVOID Address, DWORD Bytes, ULONGLONG *Result)
{
    SPY_CALL_INPUT Input;

    if (Bytes > SPY_COPY_MOST) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    memset(&Input, 0, sizeof(Input));
    Input.dArgumentBytes = SPY_COPY(Bytes);
    Input.pbSymbol = Symbol;
    Input.pEntryPoint = Address;
    return Execute(&Input, Result);
}

#define COPY_FAMILY(Name, Type, Convert, Bytes)                                                    \
    Type Name(Type Default, PCSTR Symbol)                                                          \
    {                                                                                              \
        ULONGLONG Result;                                                                          \
                                                                                                   \
        return SpyCopyBytes(Symbol, NULL, Bytes, &Result) ? (Type)(Convert)Result : Default;       \
    }
COPY_FAMILY(SpyCopy8, BYTE, BYTE, 1)
COPY_FAMILY(SpyCopy16, WORD, WORD, 2)
COPY_FAMILY(SpyCopy32, DWORD, DWORD, 4)
COPY_FAMILY(SpyCopy64, ULONGLONG, ULONGLONG, 8)
COPY_FAMILY(SpyCopyPointer, PVOID, ULONG_PTR, sizeof(PVOID))
COPY_FAMILY(SpyCopyEntry, PVOID, ULONG_PTR, 0)
