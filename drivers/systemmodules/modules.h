/*
 * modules: gets and reads the system's list of loaded modules. One source for the driver and for
 * its twin in user mode (SYSTEMMODULES_USER).
 */
#ifndef MODULES_H
#define MODULES_H

#ifdef SYSTEMMODULES_USER
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>
#else
#include <ntddk.h>
#endif
#include "public.h"

/* How entries lie in what a query returns. HasCount: a ULONG count stands in front; else the bytes
 * tell. */
typedef struct _MODULE_LAYOUT {
    BOOLEAN HasCount;
    USHORT First, EntrySize;
    USHORT Base, BaseSize, Size, NameOffset, Path; /* offsets in an entry */
} MODULE_LAYOUT;

extern const MODULE_LAYOUT ModulesSystem32, ModulesSystem64; /* class 11 */
extern const MODULE_LAYOUT ModulesAux32, ModulesAux64;       /* AUX_MODULE_EXTENDED_INFO */

#ifdef _WIN64
#define MODULES_SYSTEM (&ModulesSystem64)
#define MODULES_AUX (&ModulesAux64)
#else
#define MODULES_SYSTEM (&ModulesSystem32)
#define MODULES_AUX (&ModulesAux32)
#endif

/* Where the list comes from. Query: as ZwQuerySystemInformation; Returned is the size that is
 * needed, or was used. */
typedef struct _MODULE_SOURCE {
    const MODULE_LAYOUT *Layout;
    NTSTATUS (*Query)(PVOID Context, PVOID Buffer, ULONG Length, ULONG *Returned);
    PVOID (*Allocate)(PVOID Context, SIZE_T Bytes);
    VOID (*Free)(PVOID Context, PVOID Block);
    PVOID Context;
} MODULE_SOURCE;

#define MODULES_MOST_BYTES 0x1000000 /* of the system's list */

/*
 * The whole list, to be freed with Source->Free. Asks again as long as the list outgrows the
 * buffer. STATUS_INSUFFICIENT_RESOURCES  no memory for the system's list   STATUS_NO_MEMORY  none
 * for ours STATUS_INVALID_BUFFER_SIZE     larger than MODULES_MOST_BYTES    STATUS_DATA_ERROR count
 * and bytes disagree
 */
NTSTATUS ModulesQuery(const MODULE_SOURCE *Source, SYSTEM_MODULE_LIST **List);
/* How many entries Bytes bytes of a query hold. STATUS_DATA_ERROR: fewer than the count says. */
NTSTATUS ModulesCount(const MODULE_LAYOUT *Layout, const VOID *Buffer, ULONG Bytes, ULONG *Count);
VOID ModulesEntry(const MODULE_LAYOUT *Layout, const VOID *Buffer, ULONG Index,
                  SYSTEM_MODULE *Module);

/* Names: one after the other, each with its NUL, and one more NUL at the end. Letter case does not
 * matter. */
extern const CHAR ModulesDefaultNames[];
const CHAR *ModuleName(const SYSTEM_MODULE *Module);
BOOLEAN ModuleIsOneOf(const SYSTEM_MODULE *Module, const CHAR *Names);

/* One line for a module: three arguments and a format that every printf knows. */
#define MODULE_FORMAT "%-24s base 0x%08X%08X  size 0x%08X  %s\n"
#define MODULE_ARGUMENTS(Module)                                                                   \
    ModuleName(Module), (unsigned)((Module)->Base >> 32), (unsigned)(Module)->Base,                \
        (unsigned)(Module)->Size, (Module)->Path

#endif
