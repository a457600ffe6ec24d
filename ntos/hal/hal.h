/*
 * hal: a small simulated machine around the processors: a PCI bus, I/O ports, interrupt lines, DMA.
 *
 * All is empty until somebody fills it (usernt.h, `nt boot --bus`): where nothing is, all ones are
 * read. What is added stays until shutdown. Device memory is mm's (MmAddDeviceMemory); the room
 * adds it when a description of a bus names some.
 */
#ifndef HAL_H
#define HAL_H

#include "mm/mm.h"

NTSTATUS HalInitSystem_(void);
void HalShutdownSystem_(void);

/* A function of the PCI bus: its configuration space (64 to 4,096 bytes) and, of the same size,
 * which bits a driver may change (NULL: the command register, the cache line, latency and interrupt
 * line bytes). Bus: segment << 8 | number. STATUS_OBJECT_NAME_COLLISION: there is one. IRQL <=
 * APC_LEVEL.
 */
NTSTATUS HalAddPciFunction(ULONG Bus, ULONG Slot, const void *Configuration, const void *Writable,
                           ULONG Bytes);
/* What the configuration space of that slot holds now; NULL: nothing there. */
UCHAR *HalPciConfiguration(ULONG Bus, ULONG Slot, ULONG *Bytes);

/* I/O ports. Without routines they keep what is written, 0 at first. Bytes: 1, 2 or 4; a routine is
 * called at the IRQL of the access. */
typedef struct HAL_PORTS {
    ULONG (*Read)(void *Context, USHORT Port, ULONG Bytes);
    void (*Write)(void *Context, USHORT Port, ULONG Bytes, ULONG Value);
    void *Context;
} HAL_PORTS;
NTSTATUS HalAddPorts(USHORT First, ULONG Count, const HAL_PORTS *Ports);
ULONG HalReadPort(USHORT Port, ULONG Bytes);
void HalWritePort(USHORT Port, ULONG Bytes, ULONG Value);

/* What `lspci -x` (-xxx, -xxxx, with or without -v) prints: configuration spaces; with -v also how
 * large the regions are. *Line: where the text is wrong, from 1. */
NTSTATUS HalDescribeBus(const char *Text, ULONG *Line);

/* A device interrupts: the routines connected to the vector are called at their IRQL, at once, or,
 * if the caller's IRQL is not below it, by a DPC. STATUS_NOT_FOUND: nobody is connected. */
NTSTATUS HalInterrupt(ULONG Vector);
PVOID HalFindInterruptInRange_(PVOID Base, SIZE_T Bytes); /* one whose routine is there; or NULL */

extern const DMA_OPERATIONS HalDmaOperations; /* of every adapter of IoGetDmaAdapter */

#endif
