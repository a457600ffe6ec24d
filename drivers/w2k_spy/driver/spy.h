/*
 * spy: what the files of the driver share.
 *
 * Locks: the dispatch mutex is held over each request, so all of memory.c, processor.c, system.c,
 * module.c and call.c, and the installation of hooks, run one at a time. Hooked calls run in
 * parallel with everything; protocol.c has a lock of its own. All code runs at PASSIVE_LEVEL.
 */
#ifndef SPY_H
#define SPY_H

#include "../../common/driver.h"
#include "../public.h"

#define SPY_TAG '>YPS' /* shows as SPY> */

#ifndef MM_COPY_MEMORY_PHYSICAL /* headers older than Windows 8.1 */
#define MM_COPY_MEMORY_PHYSICAL 1
#define MM_COPY_MEMORY_VIRTUAL 2
typedef struct _MM_COPY_ADDRESS {
    union {
        PVOID VirtualAddress;
        PHYSICAL_ADDRESS PhysicalAddress;
    };
} MM_COPY_ADDRESS;
#endif

/* A request. In: a private copy of an input of fixed size. Buffer: the system buffer, for output,
 * and for an input of any length. */
typedef struct _SPY_REQUEST {
    union {
        ULONG Number;
        LONG Flag;
        PVOID Address;
        HANDLE Handle;
        SPY_MEMORY_BLOCK Block;
        SPY_CALL_INPUT Call;
    } In;
    PVOID Buffer;
    PFILE_OBJECT File;
    ULONG InLength, OutLength;
    ULONG_PTR Information;
} SPY_REQUEST;

typedef NTSTATUS SPY_FUNCTION(SPY_REQUEST *Request);
SPY_FUNCTION SpyVersionInfo, SpyOsInfo, SpySegment, SpyInterrupt, SpyPhysical, SpyCpuInfo,
    SpyPdeArray, SpyPageEntry, SpyMemoryData, SpyMemoryBlock, SpyHandleInfo, SpyHookInfo,
    SpyHookInstall, SpyHookRemove, SpyHookPause, SpyHookFilter, SpyHookReset, SpyHookRead,
    SpyHookWrite, SpyModuleInfo, SpyPeHeader, SpyPeExport, SpyPeSymbol, SpyCall;

/* dispatch.c */
NTSTATUS SpyDispatch(PIRP Irp, ULONG_PTR *Information);
VOID SpyLock(VOID); /* the dispatch mutex */
VOID SpyUnlock(VOID);

/* memory.c: any memory, in the address space of the calling process. Never faults. How many bytes
 * were copied; a page that is not there ends the copy. */
SIZE_T SpyRead(PVOID To, const VOID *From, SIZE_T Bytes);
BOOLEAN SpyReadPhysical(PVOID To, ULONGLONG Physical, ULONG Bytes);
NTSTATUS SpyMemoryInitialize(VOID);
/* A text of the caller's, NUL included, to a private copy. STATUS_INVALID_PARAMETER: it cannot be
 * read; STATUS_NAME_TOO_LONG. */
NTSTATUS SpyReadText(PCSTR From, CHAR *To, ULONG Size);

/* probe.c: FALSE: a client has no business there. */
BOOLEAN SpyIsUsers(const VOID *Address, SIZE_T Bytes);

/* processor.c */
typedef struct _PAGING PAGING;
VOID SpyPaging(PAGING *Paging);

/* hook.c */
VOID SpyHooksInitialize(PDEVICE_OBJECT Device, PUNICODE_STRING RegistryPath);
VOID SpyHooksForget(PFILE_OBJECT File); /* it is being closed */
VOID SpyHooksShutdown(VOID);
VOID SpyHooksUnload(VOID);

/* call.c */
extern BOOLEAN SpyCallAllowed;

#endif
