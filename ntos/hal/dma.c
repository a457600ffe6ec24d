/*
 * DMA adapters of bus masters. A logical address is a physical address.
 *
 * A device that can scatter and gather, and reach the memory, is shown the buffer's own pages. For
 * another one the bytes go through a contiguous buffer that it can reach: in at MapTransfer (or
 * when a list is made), back at FlushAdapterBuffers (PutScatterGatherList).
 *
 * An adapter serves one AllocateAdapterChannel at a time; the others wait in the order of arrival.
 */
#include "hal/halp.h"

#include <string.h>

#define HALP_MOST_REGISTERS 0x10000u

/* What stands for a buffer that the device cannot use itself; the MapRegisterBase of a driver. */
typedef struct HALP_BOUNCE {
    char *Base; /* NULL: the device uses the buffer itself */
    SIZE_T Bytes;
    PMDL Mdl; /* the driver's, and which part of it */
    ULONG_PTR Offset, Length;
    PMDL Described; /* BuildMdlFromScatterGatherList */
} HALP_BOUNCE;

typedef struct HALP_REQUEST {
    LIST_ENTRY Link;
    PDEVICE_OBJECT Device;
    PDRIVER_CONTROL Routine;
    PVOID Context;
    HALP_BOUNCE *Map;
} HALP_REQUEST;

typedef struct HALP_ADAPTER {
    DMA_ADAPTER Adapter; /* what the driver sees */
    DMA_OPERATIONS Operations;
    BOOLEAN ScatterGather;
    ULONG64 Highest;
    ULONG Registers;
    host_lock Lock;
    LIST_ENTRY Waiting;
    HALP_REQUEST *Current;
} HALP_ADAPTER;

static HALP_ADAPTER *HalpAdapter(PDMA_ADAPTER Adapter)
{
    return CONTAINING_RECORD(Adapter, HALP_ADAPTER, Adapter);
}

static PVOID HalpAllocate(SIZE_T Bytes)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPool, Bytes, HALP_TAG);

    if (Block)
        memset(Block, 0, Bytes);
    return Block;
}

/* The part of a chain of MDLs that begins Offset bytes behind the first one's beginning: where it
 * is in physical memory, and how many bytes are together there. FALSE: behind the end. */
static BOOLEAN HalpRun(PMDL Mdl, ULONG_PTR Offset, ULONG64 *Physical, ULONG_PTR *Bytes)
{
    PFN_NUMBER *Frames;
    ULONG_PTR At, Page, Run;

    for (; Mdl && Offset >= Mdl->ByteCount; Mdl = Mdl->Next)
        Offset -= Mdl->ByteCount;
    if (!Mdl)
        return FALSE;
    Frames = MmGetMdlPfnArray(Mdl);
    At = Mdl->ByteOffset + Offset;
    Page = At >> PAGE_SHIFT;
    Run = PAGE_SIZE - BYTE_OFFSET(At);
    *Physical = ((ULONG64)Frames[Page] << PAGE_SHIFT) + BYTE_OFFSET(At);
    while (Run < Mdl->ByteCount - Offset && Frames[Page + 1] == Frames[Page] + 1) {
        Run += PAGE_SIZE;
        Page++;
    }
    *Bytes = min(Run, Mdl->ByteCount - Offset);
    return TRUE;
}

static ULONG_PTR HalpOffset(PMDL Mdl, PVOID CurrentVa)
{
    return (ULONG_PTR)CurrentVa - (ULONG_PTR)MmGetMdlVirtualAddress(Mdl);
}

/* Whether the device can use these bytes where they are. */
static BOOLEAN HalpReaches(const HALP_ADAPTER *Adapter, PMDL Mdl, ULONG_PTR Offset,
                           ULONG_PTR Length)
{
    ULONG_PTR Bytes;
    ULONG64 Physical;

    for (ULONG_PTR Done = 0; Done < Length; Done += Bytes) {
        if (!HalpRun(Mdl, Offset + Done, &Physical, &Bytes) ||
            Physical + min(Bytes, Length - Done) - 1 > Adapter->Highest ||
            (!Adapter->ScatterGather && Bytes < Length))
            return FALSE;
    }
    return TRUE;
}

static void HalpCopy(HALP_BOUNCE *Map, BOOLEAN ToDevice)
{
    ULONG64 Physical;
    ULONG_PTR Bytes;

    for (ULONG_PTR Done = 0;
         Done < Map->Length && HalpRun(Map->Mdl, Map->Offset + Done, &Physical, &Bytes);
         Done += Bytes) {
        char *Memory = (char *)MmFrameAddress(Physical >> PAGE_SHIFT) + BYTE_OFFSET(Physical);

        Bytes = min(Bytes, Map->Length - Done);
        if (ToDevice)
            memcpy(Map->Base + Done, Memory, Bytes);
        else
            memcpy(Memory, Map->Base + Done, Bytes);
    }
}

static BOOLEAN HalpMakeBounce(const HALP_ADAPTER *Adapter, HALP_BOUNCE *Map, SIZE_T Bytes)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = (LONG64)Adapter->Highest};

    Map->Base = MmAllocateContiguousMemory(Bytes, Highest);
    Map->Bytes = Bytes;
    return Map->Base != NULL;
}

static void HalpFreeMap(HALP_BOUNCE *Map)
{
    if (Map->Described)
        ExFreePool(Map->Described);
    if (Map->Base)
        MmFreeContiguousMemory(Map->Base);
    ExFreePoolWithTag(Map, HALP_TAG);
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nc-wdm-pput_dma_adapter */
static VOID NTAPI HalpPutDmaAdapter(PDMA_ADAPTER DmaAdapter)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    ExFreePoolWithTag(HalpAdapter(DmaAdapter), HALP_TAG);
}

/* IRQL PASSIVE_LEVEL. NULL: no such memory. Doc: wdm/nc-wdm-pallocate_common_buffer */
static PVOID NTAPI HalpAllocateCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                            PPHYSICAL_ADDRESS LogicalAddress, BOOLEAN CacheEnabled)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = (LONG64)HalpAdapter(DmaAdapter)->Highest};
    PVOID Buffer;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Buffer = MmAllocateContiguousMemory(Length, Highest);
    if (Buffer)
        *LogicalAddress = MmGetPhysicalAddress(Buffer);
    return Buffer;
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nc-wdm-pfree_common_buffer */
static VOID NTAPI HalpFreeCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                       PHYSICAL_ADDRESS LogicalAddress, PVOID VirtualAddress,
                                       BOOLEAN CacheEnabled)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    MmFreeContiguousMemory(VirtualAddress);
}

/* Takes the next request, if the channel is free. */
static HALP_REQUEST *HalpNextRequest(HALP_ADAPTER *Adapter)
{
    HALP_REQUEST *Next = NULL;

    host_lock_acquire(&Adapter->Lock);
    if (!Adapter->Current && !IsListEmpty(&Adapter->Waiting))
        Next = Adapter->Current =
            CONTAINING_RECORD(RemoveHeadList(&Adapter->Waiting), HALP_REQUEST, Link);
    host_lock_release(&Adapter->Lock);
    return Next;
}

static void HalpReleaseChannel(HALP_ADAPTER *Adapter, BOOLEAN KeepMap)
{
    HALP_REQUEST *Request;

    host_lock_acquire(&Adapter->Lock);
    Request = Adapter->Current;
    Adapter->Current = NULL;
    host_lock_release(&Adapter->Lock);
    NT_ASSERT(Request && "FreeAdapterChannel for a channel that is allocated");
    if (!KeepMap)
        HalpFreeMap(Request->Map);
    ExFreePoolWithTag(Request, HALP_TAG);
}

/* DISPATCH_LEVEL. */
static void HalpRunRequests(HALP_ADAPTER *Adapter)
{
    HALP_REQUEST *Request;

    while ((Request = HalpNextRequest(Adapter))) {
        IO_ALLOCATION_ACTION Action =
            NT_CALL(Request->Routine, Request->Device, Request->Device->CurrentIrp, Request->Map,
                    Request->Context);

        if (Action == KeepObject)
            return;
        HalpReleaseChannel(Adapter, Action == DeallocateObjectKeepRegisters);
    }
}

/* DISPATCH_LEVEL. The routine is called when the adapter is free, maybe at once.
 * STATUS_INSUFFICIENT_RESOURCES: more registers than IoGetDmaAdapter said, or no memory. Doc:
 * wdm/nc-wdm-pallocate_adapter_channel */
static NTSTATUS NTAPI HalpAllocateAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                                 PDEVICE_OBJECT DeviceObject,
                                                 ULONG NumberOfMapRegisters,
                                                 PDRIVER_CONTROL ExecutionRoutine, PVOID Context)
{
    HALP_ADAPTER *Adapter = HalpAdapter(DmaAdapter);
    HALP_REQUEST *Request = NULL;
    HALP_BOUNCE *Map = NULL;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    if (NumberOfMapRegisters > Adapter->Registers || !(Map = HalpAllocate(sizeof(*Map))) ||
        !(Request = HalpAllocate(sizeof(*Request))))
        goto Refuse;
    if ((!Adapter->ScatterGather || Adapter->Highest != MAXULONG64) && NumberOfMapRegisters &&
        !HalpMakeBounce(Adapter, Map, (SIZE_T)NumberOfMapRegisters << PAGE_SHIFT))
        goto Refuse;
    Request->Device = DeviceObject;
    Request->Routine = ExecutionRoutine;
    Request->Context = Context;
    Request->Map = Map;
    host_lock_acquire(&Adapter->Lock);
    InsertTailList(&Adapter->Waiting, &Request->Link);
    host_lock_release(&Adapter->Lock);
    HalpRunRequests(Adapter);
    return STATUS_SUCCESS;

Refuse:
    if (Request)
        ExFreePoolWithTag(Request, HALP_TAG);
    if (Map)
        HalpFreeMap(Map);
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* IRQL <= DISPATCH_LEVEL. What was read by way of a buffer of the adapter is in the MDL's memory
 * afterwards. Doc: wdm/nc-wdm-pflush_adapter_buffers */
static BOOLEAN NTAPI HalpFlushAdapterBuffers(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                             PVOID MapRegisterBase, PVOID CurrentVa, ULONG Length,
                                             BOOLEAN WriteToDevice)
{
    HALP_BOUNCE *Map = MapRegisterBase;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Map && Map->Mdl && !WriteToDevice)
        HalpCopy(Map, FALSE);
    if (Map)
        Map->Mdl = NULL;
    return TRUE;
}

/* DISPATCH_LEVEL. Doc: wdm/nc-wdm-pfree_adapter_channel */
static VOID NTAPI HalpFreeAdapterChannel(PDMA_ADAPTER DmaAdapter)
{
    VF_IRQL_MIN(DISPATCH_LEVEL);
    HalpReleaseChannel(HalpAdapter(DmaAdapter), FALSE);
    HalpRunRequests(HalpAdapter(DmaAdapter));
}

/* DISPATCH_LEVEL. Doc: wdm/nc-wdm-pfree_map_registers */
static VOID NTAPI HalpFreeMapRegisters(PDMA_ADAPTER DmaAdapter, PVOID MapRegisterBase,
                                       ULONG NumberOfMapRegisters)
{
    VF_IRQL_MIN(DISPATCH_LEVEL);
    HalpFreeMap(MapRegisterBase);
}

/* IRQL <= DISPATCH_LEVEL. A device that scatters and gathers gets the bytes that are together in
 * memory, in *Length. Doc: wdm/nc-wdm-pmap_transfer */
static PHYSICAL_ADDRESS NTAPI HalpMapTransfer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                              PVOID MapRegisterBase, PVOID CurrentVa, PULONG Length,
                                              BOOLEAN WriteToDevice)
{
    ULONG_PTR Offset = HalpOffset(Mdl, CurrentVa), Bytes = 0;
    HALP_BOUNCE *Map = MapRegisterBase;
    PHYSICAL_ADDRESS Address = {.QuadPart = 0};

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Map || !Map->Base || HalpReaches(HalpAdapter(DmaAdapter), Mdl, Offset, *Length)) {
        if (HalpRun(Mdl, Offset, (ULONG64 *)&Address.QuadPart, &Bytes))
            *Length = (ULONG)min(*Length, Bytes);
        return Address;
    }
    NT_ASSERT(*Length <= Map->Bytes && "MapTransfer within the map registers of the channel");
    Map->Mdl = Mdl;
    Map->Offset = Offset;
    Map->Length = *Length;
    if (WriteToDevice)
        HalpCopy(Map, TRUE);
    return MmGetPhysicalAddress(Map->Base);
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nc-wdm-pget_dma_alignment */
static ULONG NTAPI HalpGetDmaAlignment(PDMA_ADAPTER DmaAdapter)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return 1;
}

/* What a system DMA controller has left to do: there is none. Doc: wdm/nc-wdm-pread_dma_counter */
static ULONG NTAPI HalpReadDmaCounter(PDMA_ADAPTER DmaAdapter)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return 0;
}

static ULONG HalpCountElements(PMDL Mdl, ULONG_PTR Offset, ULONG Length)
{
    ULONG64 Physical;
    ULONG_PTR Bytes;
    ULONG Count = 0;

    for (ULONG_PTR Done = 0; Done < Length && HalpRun(Mdl, Offset + Done, &Physical, &Bytes);
         Done += Bytes)
        Count++;
    return Count;
}

static ULONG HalpListBytes(ULONG Elements)
{
    return (ULONG)FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) +
           max(Elements, 1) * (ULONG)sizeof(SCATTER_GATHER_ELEMENT);
}

/* IRQL <= DISPATCH_LEVEL. The bytes and map registers of the largest list that Length may need.
 * Doc: wdm/nc-wdm-pcalculate_scatter_gather_list_size */
static NTSTATUS NTAPI HalpCalculateScatterGatherList(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                                     PVOID CurrentVa, ULONG Length,
                                                     PULONG ScatterGatherListSize,
                                                     PULONG NumberOfMapRegisters)
{
    ULONG Pages = (ULONG)ADDRESS_AND_SIZE_TO_SPAN_PAGES(CurrentVa, Length);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    for (PMDL Part = Mdl ? Mdl->Next : NULL; Part; Part = Part->Next)
        Pages++; /* each may begin in the middle of a page */
    if (Pages > HalpAdapter(DmaAdapter)->Registers)
        return STATUS_INSUFFICIENT_RESOURCES;
    *ScatterGatherListSize = HalpListBytes(Pages);
    if (NumberOfMapRegisters)
        *NumberOfMapRegisters = Pages;
    return STATUS_SUCCESS;
}

static void HalpFillList(PSCATTER_GATHER_LIST List, PMDL Mdl, ULONG_PTR Offset, ULONG Length)
{
    ULONG_PTR Bytes;
    ULONG Count = 0;

    for (ULONG_PTR Done = 0; Done < Length; Done += Bytes) {
        SCATTER_GATHER_ELEMENT *Element = &List->Elements[Count];

        if (!HalpRun(Mdl, Offset + Done, (ULONG64 *)&Element->Address.QuadPart, &Bytes))
            break;
        Bytes = min(Bytes, Length - Done);
        Element->Length = (ULONG)Bytes;
        Element->Reserved = 0;
        Count++;
    }
    List->NumberOfElements = Count;
}

/* SCATTER_GATHER_LIST.Reserved: what stands for the buffer, and whether the list is ours to free.
 */
#define HALP_LIST_OURS 1ull

static NTSTATUS HalpBuildList(HALP_ADAPTER *Adapter, PSCATTER_GATHER_LIST List, PMDL Mdl,
                              ULONG_PTR Offset, ULONG Length, BOOLEAN WriteToDevice)
{
    HALP_BOUNCE *Map;

    List->Reserved = 0;
    if (HalpReaches(Adapter, Mdl, Offset, Length)) {
        HalpFillList(List, Mdl, Offset, Length);
        return STATUS_SUCCESS;
    }
    if (!(Map = HalpAllocate(sizeof(*Map))))
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!HalpMakeBounce(Adapter, Map, Length)) {
        HalpFreeMap(Map);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Map->Mdl = Mdl;
    Map->Offset = Offset;
    Map->Length = Length;
    if (WriteToDevice)
        HalpCopy(Map, TRUE);
    List->NumberOfElements = 1;
    List->Reserved = (ULONG_PTR)Map;
    List->Elements[0] = (SCATTER_GATHER_ELEMENT){MmGetPhysicalAddress(Map->Base), Length, 0};
    return STATUS_SUCCESS;
}

/* DISPATCH_LEVEL. The list is made in the driver's buffer (STATUS_BUFFER_TOO_SMALL: not large
 * enough), then the routine is called. Doc: wdm/nc-wdm-pbuild_scatter_gather_list */
static NTSTATUS NTAPI HalpBuildScatterGatherList(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject, PMDL Mdl, PVOID CurrentVa, ULONG Length,
    PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context, BOOLEAN WriteToDevice,
    PVOID ScatterGatherBuffer, ULONG ScatterGatherLength)
{
    ULONG_PTR Offset = HalpOffset(Mdl, CurrentVa);
    NTSTATUS Status;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    if (ADDRESS_AND_SIZE_TO_SPAN_PAGES(CurrentVa, Length) > HalpAdapter(DmaAdapter)->Registers)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (HalpListBytes(HalpCountElements(Mdl, Offset, Length)) > ScatterGatherLength)
        return STATUS_BUFFER_TOO_SMALL;
    Status = HalpBuildList(HalpAdapter(DmaAdapter), ScatterGatherBuffer, Mdl, Offset, Length,
                           WriteToDevice);
    if (NT_SUCCESS(Status))
        NT_CALL(ExecutionRoutine, DeviceObject, DeviceObject->CurrentIrp,
                (PSCATTER_GATHER_LIST)ScatterGatherBuffer, Context);
    return Status;
}

/* DISPATCH_LEVEL. STATUS_INSUFFICIENT_RESOURCES: too many registers, or no memory; STATUS_BUFFER_
 * TOO_SMALL: the MDL has fewer bytes. Doc: wdm/nc-wdm-pget_scatter_gather_list */
static NTSTATUS NTAPI HalpGetScatterGatherList(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                               PMDL Mdl, PVOID CurrentVa, ULONG Length,
                                               PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
                                               BOOLEAN WriteToDevice)
{
    ULONG_PTR Offset = HalpOffset(Mdl, CurrentVa), Bytes;
    PSCATTER_GATHER_LIST List;
    ULONG64 Physical;
    NTSTATUS Status;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    if (ADDRESS_AND_SIZE_TO_SPAN_PAGES(CurrentVa, Length) > HalpAdapter(DmaAdapter)->Registers)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Length && !HalpRun(Mdl, Offset + Length - 1, &Physical, &Bytes))
        return STATUS_BUFFER_TOO_SMALL;
    List = HalpAllocate(HalpListBytes(HalpCountElements(Mdl, Offset, Length)));
    if (!List)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = HalpBuildList(HalpAdapter(DmaAdapter), List, Mdl, Offset, Length, WriteToDevice);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(List, HALP_TAG);
        return Status;
    }
    List->Reserved |= HALP_LIST_OURS;
    NT_CALL(ExecutionRoutine, DeviceObject, DeviceObject->CurrentIrp, List, Context);
    return STATUS_SUCCESS;
}

/* DISPATCH_LEVEL. Ends a list of the two routines above. Doc: wdm/nc-wdm-pput_scatter_gather_list
 */
static VOID NTAPI HalpPutScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                           PSCATTER_GATHER_LIST ScatterGather,
                                           BOOLEAN WriteToDevice)
{
    HALP_BOUNCE *Map = (HALP_BOUNCE *)(ScatterGather->Reserved & ~HALP_LIST_OURS);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    if (Map && !WriteToDevice)
        HalpCopy(Map, FALSE);
    if (Map)
        HalpFreeMap(Map);
    if (ScatterGather->Reserved & HALP_LIST_OURS)
        ExFreePoolWithTag(ScatterGather, HALP_TAG);
}

/* DISPATCH_LEVEL. An MDL of what the device sees: the driver's own, or one that lasts as long as
 * the list. Doc: wdm/nc-wdm-pbuild_mdl_from_scatter_gather_list */
static NTSTATUS NTAPI HalpBuildMdlFromScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                                        PSCATTER_GATHER_LIST ScatterGather,
                                                        PMDL OriginalMdl, PMDL *TargetMdl)
{
    HALP_BOUNCE *Map = (HALP_BOUNCE *)(ScatterGather->Reserved & ~HALP_LIST_OURS);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Map) {
        *TargetMdl = OriginalMdl;
        return STATUS_SUCCESS;
    }
    if (!Map->Described && (Map->Described = MmCreateMdl(NULL, Map->Base, Map->Length)))
        MmBuildMdlForNonPagedPool(Map->Described);
    *TargetMdl = Map->Described;
    return Map->Described ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

const DMA_OPERATIONS HalDmaOperations = {
    .Size = sizeof(DMA_OPERATIONS),
    .PutDmaAdapter = HalpPutDmaAdapter,
    .AllocateCommonBuffer = HalpAllocateCommonBuffer,
    .FreeCommonBuffer = HalpFreeCommonBuffer,
    .AllocateAdapterChannel = HalpAllocateAdapterChannel,
    .FlushAdapterBuffers = HalpFlushAdapterBuffers,
    .FreeAdapterChannel = HalpFreeAdapterChannel,
    .FreeMapRegisters = HalpFreeMapRegisters,
    .MapTransfer = HalpMapTransfer,
    .GetDmaAlignment = HalpGetDmaAlignment,
    .ReadDmaCounter = HalpReadDmaCounter,
    .GetScatterGatherList = HalpGetScatterGatherList,
    .PutScatterGatherList = HalpPutScatterGatherList,
    .CalculateScatterGatherList = HalpCalculateScatterGatherList,
    .BuildScatterGatherList = HalpBuildScatterGatherList,
    .BuildMdlFromScatterGatherList = HalpBuildMdlFromScatterGatherList,
};

/* How high the device's addresses go: 64 bits, 32, or those of the ISA bus. */
static ULONG64 HalpHighest(const DEVICE_DESCRIPTION *Description)
{
    if (Description->Dma64BitAddresses)
        return MAXULONG64;
    return Description->Dma32BitAddresses || Description->InterfaceType != Isa ? MAXULONG
                                                                               : 0xFFFFFF;
}

/* IRQL PASSIVE_LEVEL. NULL: no memory, a version later than 2, or a slave of a system DMA
 * controller, of which there is none. To be given back by its PutDmaAdapter. Doc:
 * wdm/nf-wdm-iogetdmaadapter */
PDMA_ADAPTER NTAPI IoGetDmaAdapter(PDEVICE_OBJECT PhysicalDeviceObject,
                                   PDEVICE_DESCRIPTION DeviceDescription,
                                   PULONG NumberOfMapRegisters)
{
    HALP_ADAPTER *Adapter;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (DeviceDescription->Version > DEVICE_DESCRIPTION_VERSION2 || !DeviceDescription->Master ||
        !(Adapter = HalpAllocate(sizeof(*Adapter))))
        return NULL;
    Adapter->Adapter.Version = 1;
    Adapter->Adapter.Size = sizeof(DMA_ADAPTER);
    Adapter->Adapter.DmaOperations = &Adapter->Operations;
    Adapter->Operations = HalDmaOperations;
    if (DeviceDescription->Version < DEVICE_DESCRIPTION_VERSION2)
        Adapter->Operations.Size = FIELD_OFFSET(DMA_OPERATIONS, CalculateScatterGatherList);
    Adapter->ScatterGather = DeviceDescription->ScatterGather;
    Adapter->Highest = HalpHighest(DeviceDescription);
    InitializeListHead(&Adapter->Waiting);
    Adapter->Registers =
        min(BYTES_TO_PAGES(DeviceDescription->MaximumLength) + 1, HALP_MOST_REGISTERS);
    *NumberOfMapRegisters = Adapter->Registers;
    return &Adapter->Adapter;
}
