/* table: the system service table, where it can be changed. */
#ifndef SPY_TABLE_H
#define SPY_TABLE_H

#include "spy.h"

/* A second mapping of the table's entries, for writing. */
typedef struct _TABLE_WINDOW {
    PVOID *Entries;
    PMDL Mdl;
} TABLE_WINDOW;

VOID TableInitialize(VOID);
/* NULL: this system does not export it (64-bit Windows). */
SPY_SERVICE_DESCRIPTOR_TABLE *TableFind(VOID);
/* The number of a service, or -1: there is none of that name with that many arguments. */
LONG TableService(PCSTR Name, ULONG Arguments);
/* Calls an entry that is not direct: one that does not follow the calling convention of this code.
 */
BOOLEAN TableIsDirect(PVOID Entry);
NTSTATUS TableCall(PVOID Entry, ULONG Count, const ULONG_PTR *Arguments);
NTSTATUS TableOpen(TABLE_WINDOW *Window);
VOID TableClose(TABLE_WINDOW *Window);

#endif
