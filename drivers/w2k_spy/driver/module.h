/* module: loaded modules and their symbols. */
#ifndef SPY_MODULE_H
#define SPY_MODULE_H

#include "spy.h"

/* Length letters of Name, in any case. STATUS_NO_SUCH_FILE, STATUS_NO_MEMORY. */
NTSTATUS ModuleFind(PCSTR Name, ULONG Length, SPY_MODULE_INFO *Info);
/* Text is used up. Forwarders are followed. */
NTSTATUS ModuleSymbol(CHAR Text[SPY_NAME], PVOID *Address);
/* The same for a caller's text. */
NTSTATUS ModuleSymbolAt(PCSTR Where, PVOID *Address);

#endif
