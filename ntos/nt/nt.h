/*
 * nt: the system services. Decode, then commit.
 */
#ifndef NT_H
#define NT_H

#include "ldr/ldr.h"

NTSTATUS NtServicesInit(void);
void NtServicesShutdown(void);
void NtSetShutdownHook(void (*Hook)(void)); /* NtShutdownSystem calls it: the kernel process ends. NULL: STATUS_NOT_SUPPORTED */

#define NT_SERVICE_MAX_ARGUMENTS 16

/* KeServiceDescriptorTable, as x86 NT lays it out: pointers, not x64's encoded offsets. */
typedef struct NT_SERVICE_TABLE { PVOID *Table; PULONG Counter; ULONG_PTR Limit; PUCHAR Arguments; } NT_SERVICE_TABLE; /* Arguments: bytes, 8 an argument */
extern NT_SERVICE_TABLE KeServiceDescriptorTable[4];

/* A client's call: previous mode UserMode; STATUS_INVALID_SYSTEM_SERVICE for a number out of range. APCs are delivered before it returns. */
NTSTATUS KiSystemService(ULONG Number, const ULONG_PTR *Arguments);
/* The executive's and the drivers' calls (the bodies of ZwX). */
NTSTATUS KiKernelService(ULONG Number, const ULONG_PTR *Arguments);

/* Numbers: NtServiceNtClose … from services.def. */
typedef enum NT_SERVICE {
#define SERVICE(name, arguments) NtService##name,
#include "nt/services.def"
#undef SERVICE
    NtServiceCount
} NT_SERVICE;

/* Information classes of our own for `nt`: UserNtSystemInformation range. */
enum {
    SystemUserNtLog = 0x8000,   /* in: first sequence in the buffer's first 8 bytes; out: VF_LOG_LINEs */
    SystemUserNtExports,        /* names, one a line */
    SystemUserNtStatus,         /* USERNT_STATUS */
    SystemUserNtModules,        /* USERNT_MODULE: base, size, name, host path, native, use count */
    SystemUserNtWaitLog         /* in: a sequence; returns when a line with at least that number is there (alertable, user mode) */
};
#endif
