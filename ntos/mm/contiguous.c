/* Contiguous and noncached memory, and physical addresses that a driver maps. */
#include "mi.h"

static void *MiDescribeRun(PFN_NUMBER First, SIZE_T Bytes)
{
    MiRam.Frames[First].Bytes = Bytes;
    for (SIZE_T i = 1; i < BYTES_TO_PAGES(Bytes); i++)
        MiSetFrameState(&MiRam.Frames[First + i], MiFrameUsed);
    return MmFrameAddress(First);
}

/*
 * Physically contiguous, page-aligned memory between two physical addresses (both included) that
 * crosses no multiple of BoundaryAddressMultiple (0: any). NULL if there is none. Its contents are
 * undefined. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmallocatecontiguousmemoryspecifycache
 */
PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
                                                   PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                   PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                   PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                   MEMORY_CACHING_TYPE CacheType)
{
    PFN_NUMBER Lowest = ((ULONG64)LowestAcceptableAddress.QuadPart + PAGE_SIZE - 1) >> PAGE_SHIFT;
    ULONG64 Highest = (ULONG64)HighestAcceptableAddress.QuadPart;
    PFN_NUMBER End = (Highest >> PAGE_SHIFT) + (BYTE_OFFSET(Highest) == PAGE_SIZE - 1);
    PFN_NUMBER First;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!NumberOfBytes || !End || NumberOfBytes > MiRam.Count << PAGE_SHIFT ||
        MiFailInjected('tnoC', NumberOfBytes))
        return NULL;
    if (!NT_SUCCESS(MiAllocateRunIn(BYTES_TO_PAGES(NumberOfBytes), Lowest, End - 1,
                                    (ULONG64)BoundaryAddressMultiple.QuadPart >> PAGE_SHIFT, 1,
                                    MiFrameContiguous, &First)))
        return NULL;
    return MiDescribeRun(First, NumberOfBytes);
}

/* The same, on a node: there is one. Doc: wdm/nf-wdm-mmallocatecontiguousmemoryspecifycachenode */
PVOID NTAPI MmAllocateContiguousMemorySpecifyCacheNode(SIZE_T NumberOfBytes,
                                                       PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                       PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                       PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                       MEMORY_CACHING_TYPE CacheType,
                                                       NODE_REQUIREMENT PreferredNode)
{
    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, LowestAcceptableAddress,
                                                  HighestAcceptableAddress, BoundaryAddressMultiple,
                                                  CacheType);
}

/* The same; Protect may be PAGE_READWRITE, with a caching flag, NULL else. Doc:
 * wdm/nf-wdm-mmallocatecontiguousnodememory */
PVOID NTAPI MmAllocateContiguousNodeMemory(SIZE_T NumberOfBytes,
                                           PHYSICAL_ADDRESS LowestAcceptableAddress,
                                           PHYSICAL_ADDRESS HighestAcceptableAddress,
                                           PHYSICAL_ADDRESS BoundaryAddressMultiple, ULONG Protect,
                                           POOL_NODE_REQUIREMENT PreferredNode)
{
    ULONG Access = Protect & ~(ULONG)(PAGE_NOCACHE | PAGE_WRITECOMBINE);

    if (Access != PAGE_READWRITE && Access != PAGE_EXECUTE_READWRITE)
        return NULL;
    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, LowestAcceptableAddress,
                                                  HighestAcceptableAddress, BoundaryAddressMultiple,
                                                  MmCached);
}

/*
 * The same, with the status told and the bytes in *NumberOfBytes. STATUS_INVALID_PARAMETER: no
 * bytes, a protection other than read-write, an unknown flag, a partition (there is the system's
 * alone). IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmallocatecontiguousmemoryex
 */
NTSTATUS NTAPI MmAllocateContiguousMemoryEx(PSIZE_T NumberOfBytes,
                                            PHYSICAL_ADDRESS LowestAcceptableAddress,
                                            PHYSICAL_ADDRESS HighestAcceptableAddress,
                                            PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                            NODE_REQUIREMENT PreferredNode, ULONG Protect,
                                            PVOID PartitionObject, ULONG Tag, ULONG Flags,
                                            PVOID *BaseAddress)
{
    ULONG Access = Protect & ~(ULONG)(PAGE_NOCACHE | PAGE_WRITECOMBINE);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    *BaseAddress = NULL;
    if (!*NumberOfBytes || PartitionObject || (Flags & ~MM_ALLOCATE_CONTIGUOUS_MEMORY_FAST_ONLY) ||
        (Access != PAGE_READWRITE && Access != PAGE_EXECUTE_READWRITE))
        return STATUS_INVALID_PARAMETER;
    *BaseAddress = MmAllocateContiguousMemorySpecifyCache(*NumberOfBytes, LowestAcceptableAddress,
                                                          HighestAcceptableAddress,
                                                          BoundaryAddressMultiple, MmCached);
    return *BaseAddress ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The same, below an address. Doc: wdm/nf-wdm-mmallocatecontiguousmemory */
PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes,
                                       PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    PHYSICAL_ADDRESS None = {.QuadPart = 0};

    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, None, HighestAcceptableAddress,
                                                  None, MmCached);
}

static MI_FRAME *MiRunAt(PVOID BaseAddress, MI_FRAME_STATE State)
{
    MI_FRAME *Frame;

    if (!MiIsRamAddress(BaseAddress) || BYTE_OFFSET(BaseAddress))
        return NULL;
    Frame = &MiRam.Frames[MiRamFrameNumber(BaseAddress)];
    return Frame->State == State ? Frame : NULL;
}

/* What was not so allocated: bug check 0xC2/60. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmfreecontiguousmemory */
VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
    MI_FRAME *Frame = MiRunAt(BaseAddress, MiFrameContiguous);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Frame)
        VfBugCheck(BAD_POOL_CALLER, 0x60, (ULONG_PTR)BaseAddress, 0, 0,
                   "no contiguous memory begins at the address that was freed");
    MmFreeFrames(MiRamFrameNumber(BaseAddress), BYTES_TO_PAGES(Frame->Bytes));
}

/* NumberOfBytes must be what was asked for. Doc: wdm/nf-wdm-mmfreecontiguousmemoryspecifycache */
VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes,
                                              MEMORY_CACHING_TYPE CacheType)
{
    MI_FRAME *Frame = MiRunAt(BaseAddress, MiFrameContiguous);

    if (!Frame || BYTES_TO_PAGES(Frame->Bytes) != BYTES_TO_PAGES(NumberOfBytes))
        VfBugCheck(BAD_POOL_CALLER, 0x60, (ULONG_PTR)BaseAddress, 0, 0,
                   "no contiguous memory of this size begins at the address that was freed");
    MmFreeContiguousMemory(BaseAddress);
}

/* Whole pages; NULL without memory. Caching is the machine's. IRQL <= APC_LEVEL. Doc:
 * ntddk/nf-ntddk-mmallocatenoncachedmemory */
PVOID NTAPI MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    PFN_NUMBER First;

    VF_IRQL_MAX(APC_LEVEL);
    if (!NumberOfBytes || NumberOfBytes > MiRam.Count << PAGE_SHIFT ||
        !NT_SUCCESS(MiAllocateRun(BYTES_TO_PAGES(NumberOfBytes), MiFrameNonCached, &First)))
        return NULL;
    return MiDescribeRun(First, NumberOfBytes);
}

/* Doc: ntddk/nf-ntddk-mmfreenoncachedmemory */
VOID NTAPI MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    MI_FRAME *Frame = MiRunAt(BaseAddress, MiFrameNonCached);

    VF_IRQL_MAX(APC_LEVEL);
    if (!Frame || BYTES_TO_PAGES(Frame->Bytes) != BYTES_TO_PAGES(NumberOfBytes))
        VfBugCheck(BAD_POOL_CALLER, 0x60, (ULONG_PTR)BaseAddress, 0, 0,
                   "no noncached memory of this size begins at the address that was freed");
    MmFreeFrames(MiRamFrameNumber(BaseAddress), BYTES_TO_PAGES(NumberOfBytes));
}
