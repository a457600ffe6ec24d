/*
 * ldr: loading drivers, exports, the module list.
 */
#ifndef LDR_H
#define LDR_H

#include "io/io.h"

NTSTATUS LdrInitSystem(const char *SearchPath);  /* colon-separated folders for `nt load NAME`; entry 0 of the list is ntoskrnl.exe */
void LdrShutdownSystem(void);

typedef struct LDR_MODULE {
    LIST_ENTRY Links;
    UNICODE_STRING FullName;      /* \SystemRoot\System32\Drivers\sharingmemory.sys */
    UNICODE_STRING BaseName;      /* sharingmemory.sys */
    char HostPath[512];           /* the file */
    PVOID Base;
    ULONG Size;
    ULONG Flags;
    USHORT LoadOrder, LoadCount;
    BOOLEAN Native;               /* ELF */
    host_image *Image;
    PDRIVER_OBJECT Driver;
} LDR_MODULE;

/* Loads the driver of a service key (ImagePath value: a path, or a bare name for the search path) and starts it. STATUS_OBJECT_NAME_NOT_FOUND: no key or file;
 * STATUS_IMAGE_ALREADY_LOADED; STATUS_INVALID_IMAGE_FORMAT; STATUS_DRIVER_ENTRYPOINT_NOT_FOUND / STATUS_PROCEDURE_NOT_FOUND: missing imports, each named in the debug log; else DriverEntry's. */
NTSTATUS LdrLoadDriver(PUNICODE_STRING ServiceKey);
NTSTATUS LdrUnloadDriver(PUNICODE_STRING ServiceKey);
/* Calls Each for every module in load order, the list held. */
void LdrEnumerateModules(BOOLEAN (*Each)(PVOID Context, const LDR_MODULE *Module), PVOID Context);
BOOLEAN LdrModuleOf(const void *Address, char *Name, SIZE_T NameSize, ULONG64 *Offset); /* any IRQL, also from a fault */
void LdrEnumerateExports(void (*Each)(PVOID Context, const char *Name), PVOID Context);  /* the documented names that are implemented */
#endif
