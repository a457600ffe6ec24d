/*
 * The bus in the words of `lspci -x`:
 *
 *   [0000:]03:00.0 Network controller: ...       a function: segment, bus, device, function
 *   <white>Region 0: Memory at f7c00000 (64-bit, non-prefetchable) [size=16K]
 *   <white>I/O ports at e000 [size=32]
 *   00: 86 80 d3 10 ...                           its configuration space, 16 bytes a line
 *
 * Sizes make the base address registers answer as a device's do when a driver asks for them.
 */
#include "hal/halp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALP_REGIONS 8

typedef struct HALP_REGION {
    BOOLEAN Ports;
    ULONG64 Start, Bytes;
} HALP_REGION;

typedef struct HALP_TEXT {
    BOOLEAN Open;
    ULONG Bus, Slot, Bytes, Count;
    HALP_REGION Regions[HALP_REGIONS];
    UCHAR Configuration[4096];
} HALP_TEXT;

/* The address bits above a region's size are the driver's to change. */
static void HalpRegionMask(const HALP_TEXT *Text, const HALP_REGION *Region, UCHAR *Mask)
{
    for (ULONG At = 0x10; At < 0x28; At += 4) {
        ULONG Low, High = 0, Flags;
        ULONG64 Bits = ~(Region->Bytes - 1);
        BOOLEAN Wide;

        memcpy(&Low, Text->Configuration + At, sizeof(Low));
        Flags = Low & 1 ? 3 : 15;
        Wide = !(Low & 1) && (Low & 6) == 4 && At < 0x24;
        if (Wide)
            memcpy(&High, Text->Configuration + At + 4, sizeof(High));
        if ((Low & 1) == Region->Ports && ((ULONG64)High << 32 | (Low & ~Flags)) == Region->Start) {
            Low = (ULONG)Bits & ~Flags;
            memcpy(Mask + At, &Low, sizeof(Low));
            High = (ULONG)(Bits >> 32);
            if (Wide)
                memcpy(Mask + At + 4, &High, sizeof(High));
        }
        At += Wide ? 4 : 0;
    }
}

static NTSTATUS HalpAddRegion(const HALP_REGION *Region)
{
    if (!Region->Ports)
        return MmAddDeviceMemory(Region->Start, Region->Bytes);
    if (Region->Start > MAXUSHORT || Region->Bytes > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    return HalAddPorts((USHORT)Region->Start, (ULONG)Region->Bytes, NULL);
}

/* What was collected becomes a function of the bus. */
static NTSTATUS HalpClose(HALP_TEXT *Text)
{
    UCHAR *Mask;
    NTSTATUS Status;

    if (!Text->Open)
        return STATUS_SUCCESS;
    Text->Open = FALSE;
    if (!(Mask = calloc(1, sizeof(Text->Configuration))))
        return STATUS_INSUFFICIENT_RESOURCES;
    HalpDefaultWritable(Mask);
    for (ULONG i = 0; i < Text->Count; i++)
        HalpRegionMask(Text, &Text->Regions[i], Mask);
    Status =
        HalAddPciFunction(Text->Bus, Text->Slot, Text->Configuration, Mask, max(Text->Bytes, 64));
    for (ULONG i = 0; i < Text->Count && NT_SUCCESS(Status); i++)
        Status = HalpAddRegion(&Text->Regions[i]);
    free(Mask);
    return Status;
}

/* "03:00.0 ", with or without a segment before. */
static BOOLEAN HalpHead(const char *Line, HALP_TEXT *Text)
{
    unsigned Segment = 0, Bus, Device, Function;
    int End = 0;

    if (sscanf(Line, "%x:%x:%x.%x%n", &Segment, &Bus, &Device, &Function, &End) != 4) {
        Segment = 0;
        if (sscanf(Line, "%x:%x.%x%n", &Bus, &Device, &Function, &End) != 3)
            return FALSE;
    }
    if ((Line[End] != ' ' && Line[End]) || Segment > 0xFFFFFF || Bus > 0xFF || Device > 31 ||
        Function > 7)
        return FALSE;
    memset(Text, 0, sizeof(*Text));
    Text->Open = TRUE;
    Text->Bus = Segment << 8 | Bus;
    Text->Slot = Function << 5 | Device; /* as PCI_SLOT_NUMBER has it */
    return TRUE;
}

/* "10: 00 00 c0 f7 ..." */
static BOOLEAN HalpBytes(const char *Line, HALP_TEXT *Text)
{
    char *Next;
    ULONG At = (ULONG)strtoul(Line, &Next, 16);

    if (Next == Line || Next[0] != ':' || Next[1] != ' ' || !Text->Open)
        return FALSE;
    for (const char *Byte = Next + 1;; Byte = Next) {
        unsigned long Value = strtoul(Byte, &Next, 16);

        if (Next == Byte)
            return strspn(Byte, " \t\r") == strlen(Byte);
        if (Value > 0xFF || At >= sizeof(Text->Configuration))
            return FALSE;
        Text->Configuration[At++] = (UCHAR)Value;
        Text->Bytes = max(Text->Bytes, At);
    }
}

/* FALSE: a size that no region has. */
static BOOLEAN HalpRegion(const char *Line, HALP_TEXT *Text)
{
    const char *Memory = strstr(Line, "Memory at "), *Ports = strstr(Line, "I/O ports at ");
    const char *Size = strstr(Line, "[size=");
    HALP_REGION *Region = &Text->Regions[Text->Count];
    char *Unit;

    if (!Text->Open || !Size || (!Memory && !Ports))
        return TRUE; /* said of something else */
    if (Text->Count == HALP_REGIONS)
        return FALSE;
    Region->Ports = !Memory;
    Region->Start = strtoull(Memory ? Memory + 10 : Ports + 13, NULL, 16);
    Region->Bytes = strtoull(Size + 6, &Unit, 10);
    Region->Bytes <<= *Unit == 'K' ? 10 : *Unit == 'M' ? 20 : *Unit == 'G' ? 30 : 0;
    if (!Region->Bytes || (Region->Bytes & (Region->Bytes - 1)))
        return FALSE;
    Text->Count++;
    return TRUE;
}

static NTSTATUS HalpLine(const char *Line, HALP_TEXT *Text)
{
    HALP_TEXT *Next;
    NTSTATUS Status = STATUS_INVALID_PARAMETER;

    if (!Line[strspn(Line, " \t\r")])
        return STATUS_SUCCESS;
    if (*Line == ' ' || *Line == '\t')
        return HalpRegion(Line, Text) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    if (HalpBytes(Line, Text))
        return STATUS_SUCCESS;
    if (!(Next = malloc(sizeof(*Next))))
        return STATUS_INSUFFICIENT_RESOURCES;
    if (HalpHead(Line, Next)) {
        Status = HalpClose(Text);
        *Text = *Next;
    }
    free(Next);
    return Status;
}

NTSTATUS HalDescribeBus(const char *Text, ULONG *Line)
{
    HALP_TEXT *State = calloc(1, sizeof(*State));
    NTSTATUS Status = STATUS_SUCCESS;

    *Line = 0;
    if (!State)
        return STATUS_INSUFFICIENT_RESOURCES;
    while (*Text && NT_SUCCESS(Status)) {
        size_t Length = strcspn(Text, "\n");
        char *Copy = strndup(Text, Length);

        (*Line)++;
        Status = Copy ? HalpLine(Copy, State) : STATUS_INSUFFICIENT_RESOURCES;
        free(Copy);
        Text += Length + (Text[Length] == '\n');
    }
    if (NT_SUCCESS(Status))
        Status = HalpClose(State);
    free(State);
    return Status;
}
