/*
 * call: the library of w2k_call: modules, symbols and calls of the kernel for programs. Where a
 * result is returned as such, it is the caller's Default if the call did not take place. Last
 * error: ERROR_INVALID_PARAMETER for buffers that make no sense, ERROR_GEN_FAILURE if the device
 * cannot be opened, ERROR_DATATYPE_MISMATCH if an answer has another size than it should.
 *
 * A symbol is "module!name", or "name" for ntoskrnl.exe's. symbols.h has the families for symbols
 * that a module does not export.
 */
#ifndef SPY_CALL_LIBRARY_H
#define SPY_CALL_LIBRARY_H

#include <windows.h>
#include "../public.h"

/* The device is opened by the first use, and shared by all threads. */
BOOL SpyCallStartUp(void);
void SpyCallCleanUp(void);
/* Exactly OutLength bytes must come back. */
BOOL SpyControl(DWORD Code, const void *In, DWORD InLength, void *Out, DWORD OutLength);

/* ---- modules ---- */
BOOL SpyModule(PCSTR Name, SPY_MODULE_INFO *Info);
PVOID SpyModuleBase(PCSTR Name); /* NULL: not loaded */
BOOL SpyModuleHeader(PVOID Base, PIMAGE_NT_HEADERS Headers);
/* To be freed with free(); Size receives its bytes. */
PIMAGE_EXPORT_DIRECTORY SpyModuleExports(PVOID Base, DWORD *Size);
BOOL SpyModuleCheck(PVOID Base, DWORD TimeDateStamp, DWORD CheckSum);
/* Each exported name; FALSE from Each ends it. */
BOOL SpyModuleSymbols(PVOID Base, BOOL (*Each)(void *Context, PCSTR Name, PVOID Address),
                      void *Context);
PVOID SpySymbol(PCSTR Symbol); /* NULL: there is none */

/* ---- calls: Count arguments of a pointer's size ---- */
BOOL SpyCallWith(PCSTR Symbol, PVOID Entry, BOOL FastCall, DWORD Count, const ULONG_PTR *Arguments,
                 ULONGLONG *Result);
BOOL SpyCallV(PCSTR Symbol, BOOL FastCall, ULONGLONG *Result, DWORD Count, va_list List);
LONG SpyCallNt(PCSTR Symbol, DWORD Count, ...); /* STATUS_IO_DEVICE_ERROR by default */
BYTE SpyCall8(BYTE Default, PCSTR Symbol, DWORD Count, ...);
WORD SpyCall16(WORD Default, PCSTR Symbol, DWORD Count, ...);
DWORD SpyCall32(DWORD Default, PCSTR Symbol, DWORD Count, ...);
ULONGLONG SpyCall64(ULONGLONG Default, PCSTR Symbol, DWORD Count, ...);
PVOID SpyCallPointer(PVOID Default, PCSTR Symbol, DWORD Count, ...);

/* ---- copies of what lies at a symbol ---- */
BOOL SpyCopyBytes(PCSTR Symbol, PVOID Address, DWORD Bytes, ULONGLONG *Result);
BYTE SpyCopy8(BYTE Default, PCSTR Symbol);
WORD SpyCopy16(WORD Default, PCSTR Symbol);
DWORD SpyCopy32(DWORD Default, PCSTR Symbol);
ULONGLONG SpyCopy64(ULONGLONG Default, PCSTR Symbol);
PVOID SpyCopyPointer(PVOID Default, PCSTR Symbol);
PVOID SpyCopyEntry(PVOID Default, PCSTR Symbol); /* its address, by the driver's call function */

#endif
