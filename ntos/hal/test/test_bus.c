/* PCI configuration space, I/O ports, and the text that describes them. */
#include "hal_test.h"

#include <ntddk.h>

static VF_BUGCHECK Record;
static UCHAR Space[4096];

static ULONG Slot(ULONG Device, ULONG Function)
{
    PCI_SLOT_NUMBER Number = {.u.AsULONG = 0};

    Number.u.bits.DeviceNumber = Device;
    Number.u.bits.FunctionNumber = Function;
    return Number.u.AsULONG;
}

static void MakeSpace(USHORT Vendor, USHORT Device)
{
    memset(Space, 0, sizeof(Space));
    memcpy(Space, &Vendor, sizeof(Vendor));
    memcpy(Space + 2, &Device, sizeof(Device));
}

static void AFunctionIsFoundBySlot(void **Unused)
{
    PCI_COMMON_CONFIG Found;
    USHORT Device;

    MakeSpace(0x8086, 0x10D3);
    assert_success(HalAddPciFunction(0, Slot(3, 1), Space, NULL, 256));
    assert_int_equal(HalGetBusData(PCIConfiguration, 0, Slot(3, 1), &Found, sizeof(Found)),
                     sizeof(Found));
    assert_int_equal(Found.VendorID, 0x8086);
    assert_int_equal(
        HalGetBusDataByOffset(PCIConfiguration, 0, Slot(3, 1), &Device, 2, sizeof(Device)), 2);
    assert_int_equal(Device, 0x10D3);
    assert_status(HalAddPciFunction(0, Slot(3, 1), Space, NULL, 256), STATUS_OBJECT_NAME_COLLISION);
}

static void AnEmptySlotSaysTwoBytesOfOnes(void **Unused)
{
    USHORT Vendor = 0;

    assert_int_equal(HalGetBusData(PCIConfiguration, 0, Slot(9, 0), &Vendor, sizeof(Vendor)), 2);
    assert_int_equal(Vendor, PCI_INVALID_VENDORID);
}

static void ABusThatIsNotThereGivesNothing(void **Unused)
{
    ULONG Value = 5;

    assert_int_equal(HalGetBusData(PCIConfiguration, 4, 0, &Value, sizeof(Value)), 0);
    assert_int_equal(HalGetBusData(Cmos, 0, 0, &Value, sizeof(Value)), 0);
    assert_int_equal(HalSetBusData(EisaConfiguration, 0, 0, &Value, sizeof(Value)), 0);
    assert_int_equal(Value, 5);
}

static void ReadingEndsWithTheSpace(void **Unused)
{
    UCHAR Buffer[64];

    MakeSpace(1, 2);
    assert_success(HalAddPciFunction(0x0102, 0, Space, NULL, 256));
    assert_int_equal(HalGetBusDataByOffset(PCIConfiguration, 0x0102, 0, Buffer, 250, 64), 6);
    assert_int_equal(HalGetBusDataByOffset(PCIConfiguration, 0x0102, 0, Buffer, 256, 64), 0);
    assert_int_equal(HalSetBusDataByOffset(PCIConfiguration, 0x0102, 0, Buffer, 255, 64), 1);
}

static void ReadOnlyBitsKeepTheirValue(void **Unused)
{
    USHORT Command = 0xFFFF, Vendor = 7;

    MakeSpace(0x1AF4, 0x1000);
    assert_success(HalAddPciFunction(0, 0, Space, NULL, 64));
    assert_int_equal(HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Command, 4, 2), 2);
    HalGetBusDataByOffset(PCIConfiguration, 0, 0, &Command, 4, 2);
    assert_int_equal(Command, 0x0547);
    HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Vendor, 0, 2);
    HalGetBusDataByOffset(PCIConfiguration, 0, 0, &Vendor, 0, 2);
    assert_int_equal(Vendor, 0x1AF4);
}

static void ABridgesHeaderCannotBeWritten(void **Unused)
{
    static UCHAR All[4096];
    UCHAR Byte = 0x12;

    MakeSpace(1, 1);
    memset(All, 0xFF, sizeof(All));
    Space[FIELD_OFFSET(PCI_COMMON_CONFIG, HeaderType)] = PCI_BRIDGE_TYPE;
    assert_success(HalAddPciFunction(0, 0, Space, All, 4096));
    assert_int_equal(HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Byte, 0x18, 1), 0);
    assert_int_equal(HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Byte, 0x100, 1), 1);
    assert_int_equal(HalPciConfiguration(0, 0, &(ULONG){0})[0x18], 0);
    assert_int_equal(HalPciConfiguration(0, 0, &(ULONG){0})[0x100], 0x12);
}

static void BadFunctionsAreRefused(void **Unused)
{
    ULONG Bytes;

    assert_status(HalAddPciFunction(0, 0, Space, NULL, 63), STATUS_INVALID_PARAMETER);
    assert_status(HalAddPciFunction(0, 0, Space, NULL, 4097), STATUS_INVALID_PARAMETER);
    assert_status(HalAddPciFunction(0, 256, Space, NULL, 64), STATUS_INVALID_PARAMETER);
    assert_null(HalPciConfiguration(0, 0, &Bytes));
}

static void BusDataNeedsDispatchLevel(void **Unused)
{
    USHORT Vendor;
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

    assert_int_equal(HalGetBusData(PCIConfiguration, 0, 0, &Vendor, 2), 2);
    KfRaiseIrql(DISPATCH_LEVEL + 1);
    VF_EXPECT_BUGCHECK (&Record)
        HalGetBusData(PCIConfiguration, 0, 0, &Vendor, 2);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
}

static void BusAddressesArePhysicalAddresses(void **Unused)
{
    PHYSICAL_ADDRESS Bus = {.QuadPart = 0xF0000000}, Physical;
    ULONG Space_ = 0;

    assert_true(HalTranslateBusAddress(PCIBus, 0, Bus, &Space_, &Physical));
    assert_int_equal(Physical.QuadPart, Bus.QuadPart);
    assert_false(HalTranslateBusAddress(PCIBus, 7, Bus, &Space_, &Physical));
    assert_false(HalTranslateBusAddress(MicroChannel, 0, Bus, &Space_, &Physical));
    Space_ = 1;
    assert_false(HalTranslateBusAddress(Isa, 0, Bus, &Space_, &Physical));
    Bus.QuadPart = 0x3F8;
    assert_true(HalTranslateBusAddress(Isa, 0, Bus, &Space_, &Physical));
    assert_int_equal(Space_, 1);
}

static void APortWhereNothingIsReadsOnes(void **Unused)
{
    assert_int_equal(READ_PORT_UCHAR((PUCHAR)0x3F8), 0xFF);
    assert_int_equal(READ_PORT_USHORT((PUSHORT)0x3F8), 0xFFFF);
    assert_int_equal(READ_PORT_ULONG((PULONG)0x3F8), MAXULONG);
    WRITE_PORT_UCHAR((PUCHAR)0x3F8, 3);
    assert_int_equal(READ_PORT_UCHAR((PUCHAR)0x3F8), 0xFF);
}

static void PlainPortsKeepWhatIsWritten(void **Unused)
{
    USHORT Words[2] = {0x1234, 0x5678};

    assert_success(HalAddPorts(0x3F8, 8, NULL));
    assert_int_equal(READ_PORT_ULONG((PULONG)0x3F8), 0);
    WRITE_PORT_ULONG((PULONG)0x3F8, 0x44332211);
    assert_int_equal(READ_PORT_UCHAR((PUCHAR)0x3FA), 0x33);
    WRITE_PORT_BUFFER_USHORT((PUSHORT)0x3FC, Words, 2);
    READ_PORT_BUFFER_USHORT((PUSHORT)0x3FC, Words, 2);
    assert_int_equal(Words[0], 0x5678);
    assert_int_equal(READ_PORT_ULONG((PULONG)0x3FE), MAXULONG); /* half of it is nobody's */
}

typedef struct COUNTER {
    USHORT Port;
    ULONG Bytes, Value;
} COUNTER;

static ULONG ReadCounter(void *Context, USHORT Port, ULONG Bytes)
{
    COUNTER *Counter = Context;

    Counter->Port = Port;
    Counter->Bytes = Bytes;
    return ++Counter->Value;
}

static void WriteCounter(void *Context, USHORT Port, ULONG Bytes, ULONG Value)
{
    COUNTER *Counter = Context;

    *Counter = (COUNTER){Port, Bytes, Value};
}

static void PortsMayHaveRoutines(void **Unused)
{
    COUNTER Counter = {0};
    HAL_PORTS Ports = {ReadCounter, WriteCounter, &Counter};
    UCHAR Bytes[3];

    assert_success(HalAddPorts(0xC000, 16, &Ports));
    WRITE_PORT_USHORT((PUSHORT)0xC004, 0x00FE);
    assert_int_equal(Counter.Port, 0xC004);
    assert_int_equal(Counter.Bytes, 2);
    assert_int_equal(READ_PORT_UCHAR((PUCHAR)0xC001), 0xFF);
    READ_PORT_BUFFER_UCHAR((PUCHAR)0xC000, Bytes, 3);
    assert_int_equal(Bytes[0], 0);
    assert_int_equal(Bytes[2], 2);
    assert_int_equal(Counter.Bytes, 1);
}

static void PortsDoNotOverlap(void **Unused)
{
    HAL_PORTS Half = {ReadCounter, NULL, NULL};

    assert_success(HalAddPorts(0x100, 16, NULL));
    assert_status(HalAddPorts(0x10F, 1, NULL), STATUS_CONFLICTING_ADDRESSES);
    assert_status(HalAddPorts(0xFFFF, 2, NULL), STATUS_INVALID_PARAMETER);
    assert_status(HalAddPorts(0x200, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_status(HalAddPorts(0x200, 4, &Half), STATUS_INVALID_PARAMETER);
    assert_success(HalAddPorts(0xFFFF, 1, NULL));
}

static const char Description[] =
    "00:02.0 Ethernet controller: Example 1000\n"
    "\tControl: I/O+ Mem+ BusMaster+\n"
    "\tRegion 0: Memory at fe800000 (32-bit, non-prefetchable) [size=8K]\n"
    "\tRegion 1: I/O ports at c000 [size=32]\n"
    "\tRegion 4: Memory at 8000000000 (64-bit, prefetchable) [size=1M]\n"
    "00: 86 80 d3 10 07 00 10 00 00 00 00 02 00 00 00 00\n"
    "10: 00 00 80 fe 01 c0 00 00 00 00 00 00 00 00 00 00\n"
    "20: 0c 00 00 00 80 00 00 00 00 00 00 00 86 80 00 00\n"
    "30: 00 00 00 00 00 00 00 00 00 00 00 00 0b 01 00 00\n"
    "\n"
    "0001:02:03.1 Serial controller\n"
    "00: f4 1a 00 10\n";

static ULONG Sized(ULONG Offset)
{
    ULONG Ones = MAXULONG, Old, Answer;

    HalGetBusDataByOffset(PCIConfiguration, 0, Slot(2, 0), &Old, Offset, 4);
    HalSetBusDataByOffset(PCIConfiguration, 0, Slot(2, 0), &Ones, Offset, 4);
    HalGetBusDataByOffset(PCIConfiguration, 0, Slot(2, 0), &Answer, Offset, 4);
    HalSetBusDataByOffset(PCIConfiguration, 0, Slot(2, 0), &Old, Offset, 4);
    return Answer;
}

static void ABusIsDescribedAsLspciDoes(void **Unused)
{
    PHYSICAL_ADDRESS Region = {.QuadPart = 0xFE800000};
    ULONG Line, *Registers;
    USHORT Vendor;

    assert_success(HalDescribeBus(Description, &Line));
    assert_int_equal(HalGetBusData(PCIConfiguration, 0x0102, Slot(3, 1), &Vendor, 2), 2);
    assert_int_equal(Vendor, 0x1AF4);
    Registers = MmMapIoSpace(Region, 0x2000, MmNonCached);
    assert_int_equal(READ_REGISTER_ULONG(Registers), 0);
    WRITE_REGISTER_ULONG(Registers, 9);
    assert_int_equal(READ_REGISTER_ULONG(Registers), 9);
    MmUnmapIoSpace(Registers, 0x2000);
    assert_int_equal(READ_PORT_ULONG((PULONG)0xC01C), 0);
}

static void RegionsAnswerWithTheirSize(void **Unused)
{
    ULONG Line;

    assert_success(HalDescribeBus(Description, &Line));
    assert_int_equal(Sized(0x10), 0xFFFFE000);
    assert_int_equal(Sized(0x14), 0xFFFFFFE1);
    assert_int_equal(Sized(0x18), 0);
    assert_int_equal(Sized(0x20), 0xFFF0000C);
    assert_int_equal(Sized(0x24), 0xFFFFFFFF);
}

static void AWrongDescriptionTellsItsLine(void **Unused)
{
    static const struct {
        const char *Text;
        ULONG Line;
    } Wrong[] = {
        {"00: 11 22\n", 1},
        {"00:02.0 A\nwhat\n", 2},
        {"00:02.9 A\n", 1},
        {"00:20.0 A\n", 1},
        {"00:02.0 A\n00: 123\n", 2},
        {"00:02.0 A\n00: 1g\n", 2},
        {"00:02.0 A\nff0: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n", 2},
        {"00:02.0 A\n\tMemory at fe000000 [size=3K]\n", 2},
    };
    ULONG Line;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Wrong); i++) {
        assert_status(HalDescribeBus(Wrong[i].Text, &Line), STATUS_INVALID_PARAMETER);
        assert_int_equal(Line, Wrong[i].Line);
    }
    assert_success(HalDescribeBus("", &Line));
    assert_success(HalDescribeBus("00:05.0 A\n00: 01 02 \r\n", &Line));
    assert_status(HalDescribeBus("00:05.0 A\n00:06.0 B\n", &Line), STATUS_OBJECT_NAME_COLLISION);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        HAL_TEST(AFunctionIsFoundBySlot),
        HAL_TEST(AnEmptySlotSaysTwoBytesOfOnes),
        HAL_TEST(ABusThatIsNotThereGivesNothing),
        HAL_TEST(ReadingEndsWithTheSpace),
        HAL_TEST(ReadOnlyBitsKeepTheirValue),
        HAL_TEST(ABridgesHeaderCannotBeWritten),
        HAL_TEST(BadFunctionsAreRefused),
        HAL_TEST(BusDataNeedsDispatchLevel),
        HAL_TEST(BusAddressesArePhysicalAddresses),
        HAL_TEST(APortWhereNothingIsReadsOnes),
        HAL_TEST(PlainPortsKeepWhatIsWritten),
        HAL_TEST(PortsMayHaveRoutines),
        HAL_TEST(PortsDoNotOverlap),
        HAL_TEST(ABusIsDescribedAsLspciDoes),
        HAL_TEST(RegionsAnswerWithTheirSize),
        HAL_TEST(AWrongDescriptionTellsItsLine),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
