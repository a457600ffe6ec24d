/*
 * symbols: names that a module does not export, from a file beside it: the map of Microsoft's
 * linkers (/map), or what nm prints. The X families of the library call and copy what they name; a
 * routine whose name is decorated as @Name@8 is called by the fast convention.
 */
#ifndef SPY_SYMBOLS_H
#define SPY_SYMBOLS_H

#include "call.h"

typedef struct _SPY_SYMBOLS SPY_SYMBOLS;
typedef enum _SPY_SYMBOLS_STATUS {
    SPY_SYMBOLS_OK,
    SPY_SYMBOLS_UNDEFINED, /* the file has no symbols */
    SPY_SYMBOLS_MODULE,    /* the module is not loaded */
    SPY_SYMBOLS_LOAD,      /* the file cannot be read */
    SPY_SYMBOLS_VERSION    /* the file is that of another build */
} SPY_SYMBOLS_STATUS;

/* NULL unless Status is SPY_SYMBOLS_OK. To be freed with SpySymbolsFree. */
SPY_SYMBOLS *SpySymbolsLoad(PCSTR Module, PCSTR File, SPY_SYMBOLS_STATUS *Status);
void SpySymbolsFree(SPY_SYMBOLS *Symbols);
/* By its name without decoration. NULL, last error ERROR_PROC_NOT_FOUND. FastCall may be NULL. */
PVOID SpySymbolsFind(const SPY_SYMBOLS *Symbols, PCSTR Name, BOOL *FastCall);

LONG SpyXCallNt(const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);
BYTE SpyXCall8(BYTE Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);
WORD SpyXCall16(WORD Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);
DWORD SpyXCall32(DWORD Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);
ULONGLONG SpyXCall64(ULONGLONG Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);
PVOID SpyXCallPointer(PVOID Default, const SPY_SYMBOLS *Symbols, PCSTR Name, DWORD Count, ...);

BYTE SpyXCopy8(BYTE Default, const SPY_SYMBOLS *Symbols, PCSTR Name);
WORD SpyXCopy16(WORD Default, const SPY_SYMBOLS *Symbols, PCSTR Name);
DWORD SpyXCopy32(DWORD Default, const SPY_SYMBOLS *Symbols, PCSTR Name);
ULONGLONG SpyXCopy64(ULONGLONG Default, const SPY_SYMBOLS *Symbols, PCSTR Name);
PVOID SpyXCopyPointer(PVOID Default, const SPY_SYMBOLS *Symbols, PCSTR Name);
PVOID SpyXCopyEntry(PVOID Default, const SPY_SYMBOLS *Symbols, PCSTR Name);

#endif
