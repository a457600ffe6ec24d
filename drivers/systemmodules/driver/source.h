/* source: the kernel's two ways to the list of modules, and memory that is accounted for in the
 * debug log. */
#ifndef SOURCE_H
#define SOURCE_H

#include "../../common/driver.h"
#include "../modules.h"

#define MODULES_TAG 'MsyS'

/* STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, or what AuxKlibInitialize says. PASSIVE_LEVEL. */
NTSTATUS SourceOpen(ULONG Kind, MODULE_SOURCE *Source);
/* Paged pool; each allocation and release is one line of the log. */
PVOID SourceAllocate(PVOID Context, SIZE_T Bytes);
VOID SourceFree(PVOID Context, PVOID Block);

#endif
