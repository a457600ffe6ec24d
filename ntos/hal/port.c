/*
 * I/O ports: ranges with routines that stand for a device, or that keep what is written.
 *
 * A range is never taken away while the executive runs, so it is found under the lock and used
 * outside it: a routine may interrupt, wait for its own lock, or touch other ports.
 */
#include "hal/halp.h"

#include <stdlib.h>
#include <string.h>

typedef struct HALP_RANGE {
    LIST_ENTRY Link;
    ULONG First, Count;
    HAL_PORTS Ports;
    UCHAR Kept[];
} HALP_RANGE;

static struct {
    host_lock Lock;
    LIST_ENTRY Ranges;
} HalpPorts;

void HalpInitPorts(void)
{
    InitializeListHead(&HalpPorts.Ranges);
}

void HalpShutdownPorts(void)
{
    while (!IsListEmpty(&HalpPorts.Ranges))
        free(CONTAINING_RECORD(RemoveHeadList(&HalpPorts.Ranges), HALP_RANGE, Link));
}

/* Lock held. */
static HALP_RANGE *HalpRangeIn(ULONG First, ULONG Count)
{
    for (LIST_ENTRY *Entry = HalpPorts.Ranges.Flink; Entry != &HalpPorts.Ranges;
         Entry = Entry->Flink) {
        HALP_RANGE *Range = CONTAINING_RECORD(Entry, HALP_RANGE, Link);

        if (First < Range->First + Range->Count && Range->First < First + Count)
            return Range;
    }
    return NULL;
}

NTSTATUS HalAddPorts(USHORT First, ULONG Count, const HAL_PORTS *Ports)
{
    HALP_RANGE *Range;
    BOOLEAN Taken;

    if (!Count || First + Count > MAXUSHORT + 1u || (Ports && (!Ports->Read || !Ports->Write)))
        return STATUS_INVALID_PARAMETER;
    if (!(Range = calloc(1, sizeof(*Range) + Count)))
        return STATUS_INSUFFICIENT_RESOURCES;
    Range->First = First;
    Range->Count = Count;
    if (Ports)
        Range->Ports = *Ports;
    host_lock_acquire(&HalpPorts.Lock);
    Taken = HalpRangeIn(First, Count) != NULL;
    if (!Taken)
        InsertTailList(&HalpPorts.Ranges, &Range->Link);
    host_lock_release(&HalpPorts.Lock);
    if (!Taken)
        return STATUS_SUCCESS;
    free(Range);
    return STATUS_CONFLICTING_ADDRESSES;
}

/* The range in which all of it lies. */
static HALP_RANGE *HalpRangeOf(ULONG Port, ULONG Bytes)
{
    HALP_RANGE *Range;

    host_lock_acquire(&HalpPorts.Lock);
    Range = HalpRangeIn(Port, 1);
    host_lock_release(&HalpPorts.Lock);
    return Range && Port + Bytes <= Range->First + Range->Count ? Range : NULL;
}

ULONG HalReadPort(USHORT Port, ULONG Bytes)
{
    HALP_RANGE *Range = HalpRangeOf(Port, Bytes);
    ULONG Value = Bytes == 4 ? MAXULONG : (1u << 8 * Bytes) - 1;

    if (!Range)
        return Value;
    if (Range->Ports.Read)
        return Range->Ports.Read(Range->Ports.Context, Port, Bytes) & Value;
    Value = 0;
    host_lock_acquire(&HalpPorts.Lock);
    memcpy(&Value, &Range->Kept[Port - Range->First], Bytes);
    host_lock_release(&HalpPorts.Lock);
    return Value;
}

void HalWritePort(USHORT Port, ULONG Bytes, ULONG Value)
{
    HALP_RANGE *Range = HalpRangeOf(Port, Bytes);

    if (!Range)
        return;
    if (Range->Ports.Write) {
        Range->Ports.Write(Range->Ports.Context, Port, Bytes, Value);
        return;
    }
    host_lock_acquire(&HalpPorts.Lock);
    memcpy(&Range->Kept[Port - Range->First], &Value, Bytes);
    host_lock_release(&HalpPorts.Lock);
}

/* The compiler's intrinsics of the port instructions, which READ_PORT_UCHAR and its like are made
 * of.
 */
unsigned char __inbyte(unsigned short Port)
{
    return (unsigned char)HalReadPort(Port, 1);
}

unsigned short __inword(unsigned short Port)
{
    return (unsigned short)HalReadPort(Port, 2);
}

ULONG __indword(unsigned short Port)
{
    return HalReadPort(Port, 4);
}

void __outbyte(unsigned short Port, unsigned char Data)
{
    HalWritePort(Port, 1, Data);
}

void __outword(unsigned short Port, unsigned short Data)
{
    HalWritePort(Port, 2, Data);
}

void __outdword(unsigned short Port, ULONG Data)
{
    HalWritePort(Port, 4, Data);
}

#define HALP_STRINGS(width, type, bytes)                                                           \
    void __in##width##string(unsigned short Port, type *Buffer, ULONG Count)                       \
    {                                                                                              \
        for (ULONG i = 0; i < Count; i++)                                                          \
            Buffer[i] = (type)HalReadPort(Port, bytes);                                            \
    }                                                                                              \
    void __out##width##string(unsigned short Port, type *Buffer, ULONG Count)                      \
    {                                                                                              \
        for (ULONG i = 0; i < Count; i++)                                                          \
            HalWritePort(Port, bytes, Buffer[i]);                                                  \
    }
HALP_STRINGS(byte, unsigned char, 1)
HALP_STRINGS(word, unsigned short, 2)
HALP_STRINGS(dword, ULONG, 4)
