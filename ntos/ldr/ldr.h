/*
 * ldr: loading drivers, exports, the module list.
 */
#ifndef LDR_H
#define LDR_H

#include "io/io.h"
#include <nt_undocumented.h>

NTSTATUS LdrInitSystem(const char *SearchPath); /* colon-separated folders for `nt load NAME`; entry
                                                   0 of the list is ntoskrnl.exe */
void LdrShutdownSystem(void);
void LdrUnloadAll(void); /* every driver that can, in the reverse order of loading; while the
                            services still work */

/* DRIVER_OBJECT.DriverSection. Begins with what NT has there, on PsLoadedModuleList. */
typedef struct LDR_MODULE {
    LDR_DATA_TABLE_ENTRY Entry;
    UNICODE_STRING FullName;    /* \SystemRoot\System32\Drivers\sharingmemory.sys */
    UNICODE_STRING BaseName;    /* sharingmemory.sys */
    UNICODE_STRING ServiceName; /* sharingmemory */
    char HostPath[512];         /* the file */
    PVOID Base;
    ULONG Size;
    ULONG Flags;
    USHORT LoadOrder, LoadCount;
    BOOLEAN Native;        /* ELF */
    BOOLEAN AskedToUnload; /* by LdrShutdownSystem */
    BOOLEAN Unmapped;      /* unloaded; only the loading thread still holds the structure */
    atomic_int References; /* io's, and the loading thread's */
    host_image
        *Image; /* NULL: a Windows image, the executive, or a driver linked into the program */
    struct PE_IMAGE *Pe;     /* NULL: not a Windows image */
    struct LDR_MODULE *For;  /* the one that it is being loaded for */
    struct LDRP_NEED *Needs; /* what it imports from; each is in that one's LoadCount */
    BOOLEAN Library; /* loaded because another imports from it: no service, no driver object */
    BOOLEAN Stays;   /* in its LoadCount: it has no DllUnload */
    PDRIVER_OBJECT Driver;
} LDR_MODULE;

/* Loads the driver of a service key (ImagePath value: a path, or a bare name for the search path)
 * and starts it. STATUS_OBJECT_NAME_NOT_FOUND: no key or file; STATUS_IMAGE_ALREADY_LOADED;
 * STATUS_INVALID_IMAGE_FORMAT; STATUS_DRIVER_ENTRYPOINT_NOT_FOUND / STATUS_PROCEDURE_NOT_FOUND:
 * missing imports, each named in the debug log; else DriverEntry's. */
NTSTATUS LdrLoadDriver(PUNICODE_STRING ServiceKey);
NTSTATUS LdrUnloadDriver(PUNICODE_STRING ServiceKey);
/* A DriverEntry that is linked into the program itself (unit tests of driver code). */
NTSTATUS LdrLoadStaticDriver(PDRIVER_INITIALIZE Entry, PUNICODE_STRING ServiceKey);
/* All run DriverEntry and DriverUnload in a thread of the System process, whoever calls. */
extern PLIST_ENTRY PsLoadedModuleList;
/* Calls Each for every module in load order, the list held. */
void LdrEnumerateModules(BOOLEAN (*Each)(PVOID Context, const LDR_MODULE *Module), PVOID Context);
BOOLEAN LdrModuleOf(const void *Address, char *Name, SIZE_T NameSize,
                    ULONG64 *Offset); /* any IRQL, also from a fault */
void LdrEnumerateExports(void (*Each)(PVOID Context, const char *Name),
                         PVOID Context); /* the documented names that are implemented */

/* Data that MmGetSystemRoutineAddress finds by name, as NT exports it; Address NULL: not now. */
void LdrExportData(const char *Name, PVOID Address);

/* Documented for user mode, exported by both; the DDK headers at hand lack it. */
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage);
#endif
