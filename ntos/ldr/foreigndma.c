/*
 * DMA adapters as a Windows image sees them: it calls their operations through pointers, so these
 * follow Microsoft's calling convention, and call ours. By their section the code of an image knows
 * them (stub.c).
 */
#include "hal/hal.h"
#include "ldr/ldrp.h"

#if defined(__clang__)
#define FOREIGN static __attribute__((ms_abi, section("nt_foreign"), no_sanitize("function")))
#else
#define FOREIGN static __attribute__((ms_abi, section("nt_foreign")))
#endif

#define OPERATION(result, name, parameters, arguments)                                             \
    FOREIGN result Foreign##name parameters                                                        \
    {                                                                                              \
        return HalDmaOperations.name arguments;                                                    \
    }

OPERATION(VOID, PutDmaAdapter, (PDMA_ADAPTER a), (a))
OPERATION(PVOID, AllocateCommonBuffer, (PDMA_ADAPTER a, ULONG b, PPHYSICAL_ADDRESS c, BOOLEAN d),
          (a, b, c, d))
OPERATION(VOID, FreeCommonBuffer, (PDMA_ADAPTER a, ULONG b, PHYSICAL_ADDRESS c, PVOID d, BOOLEAN e),
          (a, b, c, d, e))
OPERATION(NTSTATUS, AllocateAdapterChannel,
          (PDMA_ADAPTER a, PDEVICE_OBJECT b, ULONG c, PDRIVER_CONTROL d, PVOID e), (a, b, c, d, e))
OPERATION(BOOLEAN, FlushAdapterBuffers,
          (PDMA_ADAPTER a, PMDL b, PVOID c, PVOID d, ULONG e, BOOLEAN f), (a, b, c, d, e, f))
OPERATION(VOID, FreeAdapterChannel, (PDMA_ADAPTER a), (a))
OPERATION(VOID, FreeMapRegisters, (PDMA_ADAPTER a, PVOID b, ULONG c), (a, b, c))
OPERATION(PHYSICAL_ADDRESS, MapTransfer,
          (PDMA_ADAPTER a, PMDL b, PVOID c, PVOID d, PULONG e, BOOLEAN f), (a, b, c, d, e, f))
OPERATION(ULONG, GetDmaAlignment, (PDMA_ADAPTER a), (a))
OPERATION(ULONG, ReadDmaCounter, (PDMA_ADAPTER a), (a))
OPERATION(NTSTATUS, GetScatterGatherList,
          (PDMA_ADAPTER a, PDEVICE_OBJECT b, PMDL c, PVOID d, ULONG e, PDRIVER_LIST_CONTROL f,
           PVOID g, BOOLEAN h),
          (a, b, c, d, e, f, g, h))
OPERATION(VOID, PutScatterGatherList, (PDMA_ADAPTER a, PSCATTER_GATHER_LIST b, BOOLEAN c),
          (a, b, c))
OPERATION(NTSTATUS, CalculateScatterGatherList,
          (PDMA_ADAPTER a, PMDL b, PVOID c, ULONG d, PULONG e, PULONG f), (a, b, c, d, e, f))
OPERATION(NTSTATUS, BuildScatterGatherList,
          (PDMA_ADAPTER a, PDEVICE_OBJECT b, PMDL c, PVOID d, ULONG e, PDRIVER_LIST_CONTROL f,
           PVOID g, BOOLEAN h, PVOID i, ULONG j),
          (a, b, c, d, e, f, g, h, i, j))
OPERATION(NTSTATUS, BuildMdlFromScatterGatherList,
          (PDMA_ADAPTER a, PSCATTER_GATHER_LIST b, PMDL c, PMDL *d), (a, b, c, d))

#define SET(name) Operations->name = (PVOID)Foreign##name

/* IoGetDmaAdapter for a Windows image. */
PDMA_ADAPTER LdrpForeignGetDmaAdapter(PDEVICE_OBJECT Device, PDEVICE_DESCRIPTION Description,
                                      PULONG Registers)
{
    PDMA_ADAPTER Adapter = IoGetDmaAdapter(Device, Description, Registers);
    if (Adapter == NULL)
        return NULL;
    PDMA_OPERATIONS Operations = Adapter->DmaOperations;
    SET(PutDmaAdapter), SET(AllocateCommonBuffer), SET(FreeCommonBuffer);
    SET(AllocateAdapterChannel), SET(FlushAdapterBuffers), SET(FreeAdapterChannel);
    SET(FreeMapRegisters), SET(MapTransfer), SET(GetDmaAlignment), SET(ReadDmaCounter);
    SET(GetScatterGatherList), SET(PutScatterGatherList), SET(CalculateScatterGatherList);
    SET(BuildScatterGatherList), SET(BuildMdlFromScatterGatherList);
    return Adapter;
}
