/*
 * nt: the system services. Decode, then commit.
 */
#ifndef NT_H
#define NT_H

#include "ldr/ldr.h"
#include <nt_services.h>

NTSTATUS NtServicesInit(void);
void NtServicesShutdown(void);
void NtSetShutdownHook(void (*Hook)(
    void)); /* NtShutdownSystem calls it: the kernel process ends. NULL: STATUS_NOT_SUPPORTED */

/* The room's own state beside the table (types, counters). */
NTSTATUS NtpInitSystem(void);
void NtpShutdownSystem(void);

#define NT_SERVICE_MAX_ARGUMENTS 11

/* KeServiceDescriptorTable (nt_undocumented.h) points at the table, in the form of 32-bit NT:
 * pointers, not x64's encoded offsets; 8 argument bytes for each argument. A driver may change an
 * entry at run time. */

/* A client's call: previous mode UserMode; STATUS_INVALID_SYSTEM_SERVICE for a number out of range.
 * Kernel APCs are delivered before it returns; in an embedded process pending user APCs are run
 * too, as the client's own libntdll does elsewhere. Reads as many arguments as the service has. */
NTSTATUS KiSystemService(ULONG Number, const ULONG_PTR *Arguments);
/* The executive's and the drivers' calls (the bodies of ZwX). */
NTSTATUS KiKernelService(ULONG Number, const ULONG_PTR *Arguments);
ULONG64 KiServiceCount(void); /* calls since boot */
const char *KiServiceName(ULONG Number);
/* Calls an entry of the table, whoever put it there. */
NTSTATUS NTAPI KiCallService(PVOID Entry, ULONG Count, const ULONG_PTR *Arguments);

/* Numbers: NtServiceNtClose … from services.def. */
typedef enum NT_SERVICE {
#define SERVICE(name, arguments) NtService##name,
#include "nt/services.def"
#undef SERVICE
    NtServiceCount
} NT_SERVICE;
#endif
