/*
 * The PCI bus: configuration spaces of the functions that were added, and the routines by which
 * drivers read and write them.
 */
#include "hal/halp.h"

#include <stdlib.h>
#include <string.h>

#define HALP_CONFIGURATION 4096u
#define HALP_HEADER 64u

typedef struct HALP_FUNCTION {
    LIST_ENTRY Link;
    ULONG Bus, Slot, Bytes;
    UCHAR Configuration[HALP_CONFIGURATION], Writable[HALP_CONFIGURATION];
} HALP_FUNCTION;

static struct {
    host_lock Lock;
    LIST_ENTRY Functions;
} HalpPci;

void HalpInitPci(void)
{
    InitializeListHead(&HalpPci.Functions);
}

void HalpShutdownPci(void)
{
    while (!IsListEmpty(&HalpPci.Functions))
        free(CONTAINING_RECORD(RemoveHeadList(&HalpPci.Functions), HALP_FUNCTION, Link));
}

/* Lock held. */
static HALP_FUNCTION *HalpFind(ULONG Bus, ULONG Slot)
{
    for (LIST_ENTRY *Entry = HalpPci.Functions.Flink; Entry != &HalpPci.Functions;
         Entry = Entry->Flink) {
        HALP_FUNCTION *Function = CONTAINING_RECORD(Entry, HALP_FUNCTION, Link);

        if (Function->Bus == Bus && Function->Slot == Slot)
            return Function;
    }
    return NULL;
}

/* Lock held. Bus 0 is always there. */
static BOOLEAN HalpHasBus(ULONG Bus)
{
    for (LIST_ENTRY *Entry = HalpPci.Functions.Flink; Entry != &HalpPci.Functions;
         Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, HALP_FUNCTION, Link)->Bus == Bus)
            return TRUE;
    return Bus == 0;
}

/* What software may change in every header. */
void HalpDefaultWritable(UCHAR *Writable)
{
    Writable[FIELD_OFFSET(PCI_COMMON_CONFIG, Command)] = 0x47;
    Writable[FIELD_OFFSET(PCI_COMMON_CONFIG, Command) + 1] = 0x05;
    Writable[FIELD_OFFSET(PCI_COMMON_CONFIG, CacheLineSize)] = 0xFF;
    Writable[FIELD_OFFSET(PCI_COMMON_CONFIG, LatencyTimer)] = 0xFF;
    Writable[FIELD_OFFSET(PCI_COMMON_CONFIG, u.type0.InterruptLine)] = 0xFF;
}

NTSTATUS HalAddPciFunction(ULONG Bus, ULONG Slot, const void *Configuration, const void *Writable,
                           ULONG Bytes)
{
    HALP_FUNCTION *Function;
    BOOLEAN Taken;

    if (Bytes < HALP_HEADER || Bytes > HALP_CONFIGURATION || Slot > 0xFF)
        return STATUS_INVALID_PARAMETER;
    if (!(Function = calloc(1, sizeof(*Function))))
        return STATUS_INSUFFICIENT_RESOURCES;
    Function->Bus = Bus;
    Function->Slot = Slot;
    Function->Bytes = Bytes;
    memcpy(Function->Configuration, Configuration, Bytes);
    if (Writable)
        memcpy(Function->Writable, Writable, Bytes);
    else
        HalpDefaultWritable(Function->Writable);
    host_lock_acquire(&HalpPci.Lock);
    Taken = HalpFind(Bus, Slot) != NULL;
    if (!Taken)
        InsertTailList(&HalpPci.Functions, &Function->Link);
    host_lock_release(&HalpPci.Lock);
    if (!Taken)
        return STATUS_SUCCESS;
    free(Function);
    return STATUS_OBJECT_NAME_COLLISION;
}

UCHAR *HalPciConfiguration(ULONG Bus, ULONG Slot, ULONG *Bytes)
{
    HALP_FUNCTION *Function;

    host_lock_acquire(&HalpPci.Lock);
    Function = HalpFind(Bus, Slot);
    host_lock_release(&HalpPci.Lock);
    if (!Function)
        return NULL;
    *Bytes = Function->Bytes;
    return Function->Configuration;
}

/* What of [Offset, Offset + Length) the space has. */
static ULONG HalpClip(const HALP_FUNCTION *Function, ULONG Offset, ULONG Length)
{
    return Offset >= Function->Bytes ? 0 : min(Length, Function->Bytes - Offset);
}

static ULONG HalpRead(ULONG Bus, ULONG Slot, void *Buffer, ULONG Offset, ULONG Length)
{
    HALP_FUNCTION *Function = HalpFind(Bus, Slot);
    USHORT None = PCI_INVALID_VENDORID;

    if (Function) {
        Length = HalpClip(Function, Offset, Length);
        memcpy(Buffer, Function->Configuration + Offset, Length);
        return Length;
    }
    if (!HalpHasBus(Bus))
        return 0;
    memset(Buffer, 0xFF, Length);
    return min(Length, sizeof(None)); /* says that the bus is there and the device is not */
}

/*
 * The bytes read: 0 without such a bus or for another kind of data than PCIConfiguration, 2 (the
 * vendor 0xFFFF) for an empty slot. IRQL <= DISPATCH_LEVEL. Doc:
 * ntddk/nf-ntddk-halgetbusdatabyoffset
 */
ULONG NTAPI HalGetBusDataByOffset(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                                  PVOID Buffer, ULONG Offset, ULONG Length)
{
    ULONG Done;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (BusDataType != PCIConfiguration)
        return 0;
    host_lock_acquire(&HalpPci.Lock);
    Done = HalpRead(BusNumber, SlotNumber, Buffer, Offset, Length);
    host_lock_release(&HalpPci.Lock);
    return Done;
}

/* A bridge's header is the system's. */
static BOOLEAN HalpMayWrite(const HALP_FUNCTION *Function, ULONG Offset)
{
    UCHAR Type = Function->Configuration[FIELD_OFFSET(PCI_COMMON_CONFIG, HeaderType)];

    return (Type & ~PCI_MULTIFUNCTION) == PCI_DEVICE_TYPE || Offset >= 256;
}

static ULONG HalpWrite(ULONG Bus, ULONG Slot, const UCHAR *Buffer, ULONG Offset, ULONG Length)
{
    HALP_FUNCTION *Function = HalpFind(Bus, Slot);

    if (!Function || !HalpMayWrite(Function, Offset))
        return 0;
    Length = HalpClip(Function, Offset, Length);
    for (ULONG i = 0; i < Length; i++) {
        UCHAR Mask = Function->Writable[Offset + i], *Byte = &Function->Configuration[Offset + i];

        *Byte = (UCHAR)((*Byte & ~Mask) | (Buffer[i] & Mask));
    }
    return Length;
}

/* The bytes written; bits that are read-only keep their value, and a bridge's first 256 bytes
 * cannot be written to. IRQL <= DISPATCH_LEVEL. Doc: ntddk/nf-ntddk-halsetbusdatabyoffset */
ULONG NTAPI HalSetBusDataByOffset(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                                  PVOID Buffer, ULONG Offset, ULONG Length)
{
    ULONG Done;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (BusDataType != PCIConfiguration)
        return 0;
    host_lock_acquire(&HalpPci.Lock);
    Done = HalpWrite(BusNumber, SlotNumber, Buffer, Offset, Length);
    host_lock_release(&HalpPci.Lock);
    return Done;
}

/* HalGetBusDataByOffset from the beginning. Doc: ntddk/nf-ntddk-halgetbusdata */
ULONG NTAPI HalGetBusData(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                          PVOID Buffer, ULONG Length)
{
    return HalGetBusDataByOffset(BusDataType, BusNumber, SlotNumber, Buffer, 0, Length);
}

/* HalSetBusDataByOffset from the beginning. Doc: ntddk/nf-ntddk-halsetbusdata */
ULONG NTAPI HalSetBusData(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber,
                          PVOID Buffer, ULONG Length)
{
    return HalSetBusDataByOffset(BusDataType, BusNumber, SlotNumber, Buffer, 0, Length);
}

/* Bus addresses of PCI, ISA and the processor are physical addresses, ports are ports. FALSE for
 * another bus or address space. Doc: ntddk/nf-ntddk-haltranslatebusaddress */
BOOLEAN NTAPI HalTranslateBusAddress(INTERFACE_TYPE InterfaceType, ULONG BusNumber,
                                     PHYSICAL_ADDRESS BusAddress, PULONG AddressSpace,
                                     PPHYSICAL_ADDRESS TranslatedAddress)
{
    BOOLEAN Known;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    host_lock_acquire(&HalpPci.Lock);
    Known = InterfaceType == PCIBus
                ? HalpHasBus(BusNumber)
                : (InterfaceType == Isa || InterfaceType == Internal) && BusNumber == 0;
    host_lock_release(&HalpPci.Lock);
    if (!Known || *AddressSpace > 1 ||
        (*AddressSpace == 1 && (ULONG64)BusAddress.QuadPart > MAXUSHORT))
        return FALSE;
    *TranslatedAddress = BusAddress;
    return TRUE;
}
