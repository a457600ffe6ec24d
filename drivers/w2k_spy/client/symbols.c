/* Symbol files: one symbol a line. */
#include "symbols.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MOST 255
#define IO_DEVICE_ERROR ((LONG)0xC0000185)

typedef struct _SYMBOL {
    ULONG_PTR Offset;
    char *Name;
} SYMBOL;

struct _SPY_SYMBOLS {
    ULONG_PTR Base;
    size_t Count, Room;
    SYMBOL *Rows;
    BOOL HasStamp;
    unsigned Stamp;
    unsigned long long Preferred; /* what the file's addresses begin at */
};

/* ---- the file ---- */

static BOOL Add(SPY_SYMBOLS *Symbols, const char *Name, unsigned long long Offset)
{
    size_t Length = strlen(Name) + 1;

    if (Symbols->Count == Symbols->Room) {
        size_t Room = Symbols->Room ? Symbols->Room * 2 : 256;
        SYMBOL *Rows = realloc(Symbols->Rows, Room * sizeof(*Rows));

        if (!Rows)
            return FALSE;
        Symbols->Rows = Rows;
        Symbols->Room = Room;
    }
    Symbols->Rows[Symbols->Count].Name = malloc(Length);
    if (!Symbols->Rows[Symbols->Count].Name)
        return FALSE;
    memcpy(Symbols->Rows[Symbols->Count].Name, Name, Length);
    Symbols->Rows[Symbols->Count++].Offset = (ULONG_PTR)Offset;
    return TRUE;
}

/* FALSE: no memory. " 0001:00000010  Name  0000000140001010 ..." of a map, "0000000000001010 T
 * Name" of nm; all other lines mean nothing. */
static BOOL TakeLine(SPY_SYMBOLS *Symbols, const char *Line)
{
    char Name[NAME_MOST + 1], Kind;
    unsigned long long Address;
    unsigned Section, At;

    if (sscanf(Line, " Timestamp is %x", &Symbols->Stamp) == 1)
        Symbols->HasStamp = Symbols->Stamp != 0; /* lld has none for a reproducible build */
    else if (sscanf(Line, " Preferred load address is %llx", &Address) == 1)
        Symbols->Preferred = Address;
    else if (sscanf(Line, " %4x:%8x %255s %16llx", &Section, &At, Name, &Address) == 4 && Section &&
             Address >= Symbols->Preferred)
        return Add(Symbols, Name, Address - Symbols->Preferred);
    else if (sscanf(Line, "%16llx %c %255s", &Address, &Kind, Name) == 3 && isalpha((BYTE)Kind) &&
             isxdigit((BYTE)Line[0]))
        return Add(Symbols, Name, Address);
    return TRUE;
}

static SPY_SYMBOLS_STATUS ReadSymbols(SPY_SYMBOLS *Symbols, const char *Path)
{
    char Line[1024];
    FILE *File = fopen(Path, "r");
    BOOL Good = TRUE;

    if (!File)
        return SPY_SYMBOLS_LOAD;
    while (Good && fgets(Line, sizeof(Line), File))
        Good = TakeLine(Symbols, Line);
    Good = Good && !ferror(File);
    fclose(File);
    if (!Good)
        return SPY_SYMBOLS_LOAD;
    return Symbols->Count ? SPY_SYMBOLS_OK : SPY_SYMBOLS_UNDEFINED;
}

static SPY_SYMBOLS_STATUS Load(SPY_SYMBOLS *Symbols, PCSTR Module, PCSTR File)
{
    IMAGE_NT_HEADERS Headers;
    SPY_SYMBOLS_STATUS Status;

    Symbols->Base = (ULONG_PTR)SpyModuleBase(Module);
    if (!Symbols->Base)
        return SPY_SYMBOLS_MODULE;
    Status = ReadSymbols(Symbols, File);
    if (Status != SPY_SYMBOLS_OK || !Symbols->HasStamp)
        return Status;
    return SpyModuleHeader((PVOID)Symbols->Base, &Headers) &&
                   Headers.FileHeader.TimeDateStamp == Symbols->Stamp
               ? SPY_SYMBOLS_OK
               : SPY_SYMBOLS_VERSION;
}

SPY_SYMBOLS *SpySymbolsLoad(PCSTR Module, PCSTR File, SPY_SYMBOLS_STATUS *Status)
{
    SPY_SYMBOLS *Symbols = calloc(1, sizeof(*Symbols));

    *Status = Symbols ? Load(Symbols, Module, File) : SPY_SYMBOLS_LOAD;
    if (*Status == SPY_SYMBOLS_OK)
        return Symbols;
    SpySymbolsFree(Symbols);
    return NULL;
}

void SpySymbolsFree(SPY_SYMBOLS *Symbols)
{
    if (!Symbols)
        return;
    for (size_t i = 0; i < Symbols->Count; i++)
        free(Symbols->Rows[i].Name);
    free(Symbols->Rows);
    free(Symbols);
}

/* ---- names ---- */

/* Name, or as a 32-bit compiler decorates it: _Name, _Name@8, @Name@8. */
static BOOL Matches(const char *Decorated, const char *Name)
{
    size_t Length = strlen(Name);
    const char *Rest;

    if (!strcmp(Decorated, Name))
        return TRUE;
    if ((*Decorated != '_' && *Decorated != '@') || strncmp(Decorated + 1, Name, Length) != 0)
        return FALSE;
    Rest = Decorated + 1 + Length;
    if (!*Rest)
        return *Decorated == '_';
    return *Rest == '@' && Rest[1] && strspn(Rest + 1, "0123456789") == strlen(Rest + 1);
}

PVOID SpySymbolsFind(const SPY_SYMBOLS *Symbols, PCSTR Name, BOOL *FastCall)
{
    for (size_t i = 0; i < Symbols->Count; i++)
        if (Matches(Symbols->Rows[i].Name, Name)) {
            if (FastCall)
                *FastCall = *Symbols->Rows[i].Name == '@' && *Name != '@';
            return (PVOID)(Symbols->Base + Symbols->Rows[i].Offset);
        }
    SetLastError(ERROR_PROC_NOT_FOUND);
    return NULL;
}

/* ---- calls and copies ---- */

static BOOL CallV(const SPY_SYMBOLS *Symbols, PCSTR Name, ULONGLONG *Result, DWORD Count,
                  va_list List)
{
    ULONG_PTR Arguments[SPY_ARGUMENTS];
    BOOL FastCall;
    PVOID Entry = SpySymbolsFind(Symbols, Name, &FastCall);

    for (DWORD i = 0; i < Count && i < SPY_ARGUMENTS; i++)
        Arguments[i] = va_arg(List, ULONG_PTR);
    return Entry && SpyCallWith(NULL, Entry, FastCall, Count, Arguments, Result);
}

#define CALL_FAMILY(Function, Type, Convert)                                                       \
    Type Function(Type Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...)          \
    {                                                                                              \
        ULONGLONG Result;                                                                          \
        va_list List;                                                                              \
        BOOL Good;                                                                                 \
                                                                                                   \
        va_start(List, Count);                                                                     \
        Good = CallV(Symbols, Name, &Result, Count, List);                                         \
        va_end(List);                                                                              \
        return Good ? (Type)(Convert)Result : Default;                                             \
    }
CALL_FAMILY(SpyXCall8, BYTE, BYTE)
CALL_FAMILY(SpyXCall16, WORD, WORD)
CALL_FAMILY(SpyXCall32, DWORD, DWORD)
CALL_FAMILY(SpyXCall64, ULONGLONG, ULONGLONG)
CALL_FAMILY(SpyXCallPointer, PVOID, ULONG_PTR)

LONG SpyXCallNt(const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...)
{
    ULONGLONG Result;
    va_list List;
    BOOL Good;

    va_start(List, Count);
    Good = CallV(Symbols, Name, &Result, Count, List);
    va_end(List);
    return Good ? (LONG)Result : IO_DEVICE_ERROR;
}

#define COPY_FAMILY(Function, Type, Convert, Bytes)                                                \
    Type Function(Type Default, const SPY_SYMBOLS *Symbols, PCSTR Name)                            \
    {                                                                                              \
        PVOID Address = SpySymbolsFind(Symbols, Name, NULL);                                       \
        ULONGLONG Result;                                                                          \
                                                                                                   \
        return Address && SpyCopyBytes(NULL, Address, Bytes, &Result) ? (Type)(Convert)Result      \
                                                                      : Default;                   \
    }
COPY_FAMILY(SpyXCopy8, BYTE, BYTE, 1)
COPY_FAMILY(SpyXCopy16, WORD, WORD, 2)
COPY_FAMILY(SpyXCopy32, DWORD, DWORD, 4)
COPY_FAMILY(SpyXCopy64, ULONGLONG, ULONGLONG, 8)
COPY_FAMILY(SpyXCopyPointer, PVOID, ULONG_PTR, sizeof(PVOID))
COPY_FAMILY(SpyXCopyEntry, PVOID, ULONG_PTR, 0)
