/* module: loaded modules and their symbols. */
#ifndef SPY_MODULE_H
#define SPY_MODULE_H

#include "spy.h"

/* Text is used up. Forwarders are followed. */
NTSTATUS ModuleSymbol(CHAR Text[SPY_NAME], PVOID *Address);
/* The same for a caller's text. */
NTSTATUS ModuleSymbolAt(PCSTR Where, PVOID *Address);

#endif
