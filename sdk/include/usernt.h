/*
 * The embedded interface: the executive in the caller's process, for unit tests, fuzzers and simulation.
 *
 *   UserNtBoot(NULL);
 *   UserNtLoadDriver("build/drivers/example.so", L"example");
 *   ... NtCreateFile, NtDeviceIoControlFile, … as a client, or any routine of the kernel ...
 *   UserNtUnloadDriver(L"example");
 *   UserNtShutdown();
 *
 * Link with -lntoskrnl (pkg-config usernt). Any number of boots in one process, one at a time.
 */
#ifndef USERNT_H
#define USERNT_H

#include <ntifs.h>

typedef struct USERNT_OPTIONS {
    ULONG Size;                  /* sizeof(USERNT_OPTIONS) */
    ULONG Processors;            /* 0: one a Linux CPU, at least 2 */
    ULONG64 PhysicalBytes;       /* 0: 1 GiB */
    const char *StateDirectory;  /* registry hives; NULL: nothing is kept */
    const char *DriverPath;      /* colon-separated folders; NULL: none */
    BOOLEAN EchoDebugPrint;      /* DbgPrint lines to standard error */
    BOOLEAN NoEmbeddedProcess;   /* the kernel process: the caller's thread belongs to System */
    ULONG BootUserId;            /* administrator besides root; MAXULONG: the caller's uid */
    const char *TraceFile;       /* a new file with a line for each request that a driver completes; NULL: none */
} USERNT_OPTIONS;

/* Starts every room; the caller becomes a thread of a client process of its own (user mode as previous mode). STATUS_ALREADY_COMMITTED if booted;
 * STATUS_CANNOT_MAKE: there can be no such TraceFile. */
NTSTATUS UserNtBoot(const USERNT_OPTIONS *Options);
/* Stops everything; drivers that are still loaded are unloaded. Returns STATUS_DEVICE_BUSY, and stops nothing, while other attached threads are inside;
 * STATUS_UNEXPECTED_IO_ERROR: everything has stopped, but the trace could not be written to its end. */
NTSTATUS UserNtShutdown(void);
NTSTATUS UserNtLoadDriver(const char *Path, PCWSTR ServiceName);
NTSTATUS UserNtUnloadDriver(PCWSTR ServiceName);
/* For further threads of the embedding program. */
NTSTATUS UserNtAttachThread(void);
void UserNtDetachThread(void);
/* A system call as a client makes it: through the service table. */
NTSTATUS UserNtCall(ULONG Service, const ULONG_PTR *Arguments);
/* The machine's bus, which is empty after the boot: where nothing is, all ones are read. What is added stays until shutdown.
 * A function of the PCI bus (Bus: segment << 8 | number; Slot: as in PCI_SLOT_NUMBER): its configuration space (64 to 4,096 bytes) and which of
 * its bits a driver may change (NULL: the usual ones of the header). */
NTSTATUS UserNtAddPciFunction(ULONG Bus, ULONG Slot, const void *Configuration, const void *Writable, ULONG Bytes);
/* Zeroed memory of a device, for MmMapIoSpace: from 3 to 4 GiB (if that is no RAM), or from 512 GiB on. */
NTSTATUS UserNtAddDeviceMemory(ULONG64 Physical, ULONG64 Bytes);
/* I/O ports: routines called at the IRQL of the access with 1, 2 or 4 bytes; without routines the ports keep what is written. */
typedef struct USERNT_PORTS {
    ULONG (*Read)(void *Context, USHORT Port, ULONG Bytes);
    void (*Write)(void *Context, USHORT Port, ULONG Bytes, ULONG Value);
    void *Context;
} USERNT_PORTS;
NTSTATUS UserNtAddPorts(USHORT First, ULONG Count, const USERNT_PORTS *Ports);
/* All of that from a text in the form of `lspci -vx`; *Line (may be NULL): where it is wrong. */
NTSTATUS UserNtDescribeBus(const char *Text, ULONG *Line);
/* The device interrupts: the routines connected to the vector run at their IRQL before this returns, or soon, if the caller's IRQL is too high.
 * STATUS_NOT_FOUND: nobody is connected. */
NTSTATUS UserNtInterrupt(ULONG Vector);
/* A DriverEntry linked into the caller's own program, for unit tests of driver code. */
NTSTATUS UserNtLoadStaticDriver(PDRIVER_INITIALIZE Entry, PCWSTR ServiceName);

#endif
