/* DMA adapters: what a device is shown of a buffer. */
#include "hal_test.h"

#include <ntddk.h>

static VF_BUGCHECK Record;
static DEVICE_OBJECT Device;
static IRP Irp;
static PMDL Mdl;
static UCHAR *Buffer;

static PDMA_ADAPTER Adapter(BOOLEAN ScatterGather, ULONG Maximum, ULONG *Registers)
{
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION2,
                                      .Master = TRUE,
                                      .ScatterGather = ScatterGather,
                                      .Dma32BitAddresses = TRUE,
                                      .Dma64BitAddresses = ScatterGather,
                                      .InterfaceType = PCIBus,
                                      .MaximumLength = Maximum};

    return IoGetDmaAdapter(NULL, &Description, Registers);
}

/* Four pages of which none follows its neighbour in physical memory. */
static void MakeBuffer(void)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0}, High = {.QuadPart = -1}, Skip = {.QuadPart = 0};
    PFN_NUMBER *Frames, First;

    Device.CurrentIrp = &Irp;
    Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, 4 * PAGE_SIZE, MmCached, 0);
    Frames = MmGetMdlPfnArray(Mdl);
    First = Frames[0];
    Frames[0] = Frames[2];
    Frames[2] = First;
    First = Frames[1];
    Frames[1] = Frames[3];
    Frames[3] = First;
    Buffer = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    for (ULONG i = 0; i < 4 * PAGE_SIZE; i++)
        Buffer[i] = (UCHAR)(i >> 8);
}

static void FreeBuffer(void)
{
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

static UCHAR *At(PHYSICAL_ADDRESS Address)
{
    void *Virtual;

    assert_true(MmPhysicalToVirtual(Address, &Virtual));
    return Virtual;
}

static void AnAdapterTellsItsRegisters(void **Unused)
{
    DEVICE_DESCRIPTION Slave = {.Version = DEVICE_DESCRIPTION_VERSION},
                       New = {.Version = 3, .Master = TRUE};
    ULONG Registers = 0;
    PDMA_ADAPTER Dma = Adapter(TRUE, 4 * PAGE_SIZE, &Registers);

    assert_non_null(Dma);
    assert_int_equal(Dma->Version, 1);
    assert_int_equal(Registers, 5);
    assert_int_equal(Dma->DmaOperations->GetDmaAlignment(Dma), 1);
    assert_int_equal(Dma->DmaOperations->ReadDmaCounter(Dma), 0);
    Dma->DmaOperations->PutDmaAdapter(Dma);
    assert_null(IoGetDmaAdapter(NULL, &Slave, &Registers));
    assert_null(IoGetDmaAdapter(NULL, &New, &Registers));
}

static void GettingAnAdapterNeedsPassiveLevel(void **Unused)
{
    ULONG Registers;
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

    VF_EXPECT_BUGCHECK (&Record)
        Adapter(TRUE, PAGE_SIZE, &Registers);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
}

static void ACommonBufferIsContiguousMemory(void **Unused)
{
    ULONG Registers;
    PDMA_ADAPTER Dma = Adapter(FALSE, PAGE_SIZE, &Registers);
    PHYSICAL_ADDRESS Logical;
    char *Common = Dma->DmaOperations->AllocateCommonBuffer(Dma, 3 * PAGE_SIZE, &Logical, TRUE);

    assert_non_null(Common);
    Common[2 * PAGE_SIZE] = 'c';
    Logical.QuadPart += 2 * PAGE_SIZE;
    assert_int_equal(*At(Logical), 'c');
    Logical.QuadPart -= 2 * PAGE_SIZE;
    Dma->DmaOperations->FreeCommonBuffer(Dma, 3 * PAGE_SIZE, Logical, Common, TRUE);
    Dma->DmaOperations->PutDmaAdapter(Dma);
}

static SCATTER_GATHER_LIST *List;
static ULONG Lists;

static VOID NTAPI OnList(PDEVICE_OBJECT DeviceObject, PIRP Current, PSCATTER_GATHER_LIST Given,
                         PVOID Context)
{
    assert_ptr_equal(DeviceObject, &Device);
    assert_ptr_equal(Current, &Irp);
    assert_ptr_equal(Context, &Lists);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    List = Given;
    Lists++;
}

static void AListShowsTheBuffersPages(void **Unused)
{
    ULONG Registers;
    PDMA_ADAPTER Dma = Adapter(TRUE, 4 * PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    UCHAR *Va;
    ULONG Total = 0;
    KIRQL Old;

    MakeBuffer();
    Va = (UCHAR *)((ULONG_PTR)MmGetMdlVirtualAddress(Mdl) + 100);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_success(
        Do->GetScatterGatherList(Dma, &Device, Mdl, Va, 3 * PAGE_SIZE, OnList, &Lists, TRUE));
    assert_true(List->NumberOfElements >= 2);
    for (ULONG i = 0; i < List->NumberOfElements; i++) {
        assert_int_equal(*At(List->Elements[i].Address), Buffer[100 + Total]);
        Total += List->Elements[i].Length;
    }
    assert_int_equal(Total, 3 * PAGE_SIZE);
    Do->PutScatterGatherList(Dma, List, TRUE);
    assert_status(
        Do->GetScatterGatherList(Dma, &Device, Mdl, Va, 4 * PAGE_SIZE, OnList, &Lists, TRUE),
        STATUS_BUFFER_TOO_SMALL);
    assert_status(
        Do->GetScatterGatherList(Dma, &Device, Mdl, Va, 9 * PAGE_SIZE, OnList, &Lists, TRUE),
        STATUS_INSUFFICIENT_RESOURCES);
    KeLowerIrql(Old);
    FreeBuffer();
    Do->PutDmaAdapter(Dma);
}

static void AListMayGoThroughABufferOfTheAdapter(void **Unused)
{
    ULONG Registers;
    PDMA_ADAPTER Dma = Adapter(FALSE, 4 * PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    PMDL Seen;
    KIRQL Old;

    MakeBuffer();
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_success(Do->GetScatterGatherList(Dma, &Device, Mdl, MmGetMdlVirtualAddress(Mdl),
                                            4 * PAGE_SIZE, OnList, &Lists, FALSE));
    assert_int_equal(List->NumberOfElements, 1);
    assert_int_equal(List->Elements[0].Length, 4 * PAGE_SIZE);
    assert_success(Do->BuildMdlFromScatterGatherList(Dma, List, Mdl, &Seen));
    assert_ptr_not_equal(Seen, Mdl);
    memset(At(List->Elements[0].Address), 'd', 4 * PAGE_SIZE); /* the device writes */
    assert_int_not_equal(Buffer[3 * PAGE_SIZE], 'd');
    Do->PutScatterGatherList(Dma, List, FALSE);
    KeLowerIrql(Old);
    for (ULONG i = 0; i < 4 * PAGE_SIZE; i += 1000)
        assert_int_equal(Buffer[i], 'd');
    FreeBuffer();
    Do->PutDmaAdapter(Dma);
}

static void AListIsMadeInTheDriversBuffer(void **Unused)
{
    ULONG Registers, Bytes, Needed;
    PDMA_ADAPTER Dma = Adapter(TRUE, 4 * PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    UCHAR Own[512];
    PVOID Va;
    PMDL Seen;
    KIRQL Old;

    MakeBuffer();
    Va = MmGetMdlVirtualAddress(Mdl);
    assert_success(Do->CalculateScatterGatherList(Dma, Mdl, Va, 4 * PAGE_SIZE, &Bytes, &Needed));
    assert_int_equal(Needed, 4);
    assert_true(Bytes <= sizeof(Own));
    assert_status(Do->CalculateScatterGatherList(Dma, Mdl, Va, 9 * PAGE_SIZE, &Bytes, &Needed),
                  STATUS_INSUFFICIENT_RESOURCES);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_success(Do->BuildScatterGatherList(Dma, &Device, Mdl, Va, 4 * PAGE_SIZE, OnList, &Lists,
                                              TRUE, Own, Bytes));
    assert_ptr_equal(List, Own);
    assert_success(Do->BuildMdlFromScatterGatherList(Dma, List, Mdl, &Seen));
    assert_ptr_equal(Seen, Mdl);
    Do->PutScatterGatherList(Dma, List, TRUE);
    assert_status(Do->BuildScatterGatherList(Dma, &Device, Mdl, Va, 4 * PAGE_SIZE, OnList, &Lists,
                                             TRUE, Own, 20),
                  STATUS_BUFFER_TOO_SMALL);
    KeLowerIrql(Old);
    FreeBuffer();
    Do->PutDmaAdapter(Dma);
}

static PVOID Base;
static ULONG Starts;
static IO_ALLOCATION_ACTION Answer;

static IO_ALLOCATION_ACTION NTAPI OnChannel(PDEVICE_OBJECT DeviceObject, PIRP Current,
                                            PVOID MapRegisterBase, PVOID Context)
{
    assert_ptr_equal(DeviceObject, &Device);
    assert_ptr_equal(Current, &Irp);
    Base = MapRegisterBase;
    Starts++;
    return Answer;
}

static void AChannelServesOneAfterTheOther(void **Unused)
{
    ULONG Registers;
    PDMA_ADAPTER Dma = Adapter(TRUE, PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    KIRQL Old = KfRaiseIrql(DISPATCH_LEVEL);

    Device.CurrentIrp = &Irp;
    Starts = 0;
    Answer = KeepObject;
    assert_success(Do->AllocateAdapterChannel(Dma, &Device, 2, OnChannel, NULL));
    assert_success(Do->AllocateAdapterChannel(Dma, &Device, 2, OnChannel, NULL));
    assert_int_equal(Starts, 1);
    Answer = DeallocateObject;
    Do->FreeAdapterChannel(Dma);
    assert_int_equal(Starts, 2);
    Answer = DeallocateObjectKeepRegisters;
    assert_success(Do->AllocateAdapterChannel(Dma, &Device, 2, OnChannel, NULL));
    assert_int_equal(Starts, 3);
    Do->FreeMapRegisters(Dma, Base, 2);
    assert_status(Do->AllocateAdapterChannel(Dma, &Device, Registers + 1, OnChannel, NULL),
                  STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(Starts, 3);
    KeLowerIrql(Old);
    Do->PutDmaAdapter(Dma);
}

static void ATransferIsMappedPieceByPiece(void **Unused)
{
    ULONG Registers, Left = 4 * PAGE_SIZE, Pieces = 0;
    PDMA_ADAPTER Dma = Adapter(TRUE, 4 * PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    ULONG_PTR Va, Start;
    KIRQL Old;

    MakeBuffer();
    Start = Va = (ULONG_PTR)MmGetMdlVirtualAddress(Mdl);
    Answer = DeallocateObjectKeepRegisters;
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_success(Do->AllocateAdapterChannel(Dma, &Device, 4, OnChannel, NULL));
    for (; Left; Pieces++) {
        ULONG Length = Left;
        PHYSICAL_ADDRESS Logical = Do->MapTransfer(Dma, Mdl, Base, (PVOID)Va, &Length, TRUE);

        assert_in_range(Length, 1, Left);
        assert_int_equal(*At(Logical), Buffer[Va - Start]);
        Va += Length;
        Left -= Length;
    }
    assert_true(Pieces >= 2);
    assert_true(Do->FlushAdapterBuffers(Dma, Mdl, Base, (PVOID)Start, 4 * PAGE_SIZE, TRUE));
    Do->FreeMapRegisters(Dma, Base, 4);
    KeLowerIrql(Old);
    FreeBuffer();
    Do->PutDmaAdapter(Dma);
}

static void WithoutScatterAndGatherATransferIsOnePiece(void **Unused)
{
    ULONG Registers, Length = 3 * PAGE_SIZE;
    PDMA_ADAPTER Dma = Adapter(FALSE, 4 * PAGE_SIZE, &Registers);
    PDMA_OPERATIONS Do = Dma->DmaOperations;
    PHYSICAL_ADDRESS Logical;
    UCHAR *Va;
    KIRQL Old;

    MakeBuffer();
    Va = (UCHAR *)((ULONG_PTR)MmGetMdlVirtualAddress(Mdl) + 256);
    Answer = KeepObject;
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    assert_success(Do->AllocateAdapterChannel(Dma, &Device, 4, OnChannel, NULL));
    Logical = Do->MapTransfer(Dma, Mdl, Base, Va, &Length, TRUE);
    assert_int_equal(Length, 3 * PAGE_SIZE);
    assert_memory_equal(At(Logical), Buffer + 256, Length);
    Do->FlushAdapterBuffers(Dma, Mdl, Base, Va, Length, TRUE);
    Logical = Do->MapTransfer(Dma, Mdl, Base, Va, &Length, FALSE);
    memset(At(Logical), 'r', Length);
    Do->FlushAdapterBuffers(Dma, Mdl, Base, Va, Length, FALSE);
    assert_int_equal(Buffer[255], 0);
    assert_int_equal(Buffer[256], 'r');
    assert_int_equal(Buffer[256 + 3 * PAGE_SIZE - 1], 'r');
    assert_int_not_equal(Buffer[256 + 3 * PAGE_SIZE], 'r');
    Do->FreeAdapterChannel(Dma);
    KeLowerIrql(Old);
    FreeBuffer();
    Do->PutDmaAdapter(Dma);
}

static void AChannelNeedsDispatchLevel(void **Unused)
{
    ULONG Registers;
    PDMA_ADAPTER Dma = Adapter(TRUE, PAGE_SIZE, &Registers);

    VF_EXPECT_BUGCHECK (&Record)
        Dma->DmaOperations->AllocateAdapterChannel(Dma, &Device, 1, OnChannel, NULL);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
    Dma->DmaOperations->PutDmaAdapter(Dma);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        HAL_TEST(AnAdapterTellsItsRegisters),
        HAL_TEST(GettingAnAdapterNeedsPassiveLevel),
        HAL_TEST(ACommonBufferIsContiguousMemory),
        HAL_TEST(AListShowsTheBuffersPages),
        HAL_TEST(AListMayGoThroughABufferOfTheAdapter),
        HAL_TEST(AListIsMadeInTheDriversBuffer),
        HAL_TEST(AChannelServesOneAfterTheOther),
        HAL_TEST(ATransferIsMappedPieceByPiece),
        HAL_TEST(WithoutScatterAndGatherATransferIsOnePiece),
        HAL_TEST(AChannelNeedsDispatchLevel),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
