/* Pages without an address: MmAllocatePagesForMdl and its relatives. */
#include "mdl.h"

#include <string.h>

#define MI_REQUIRE_CONTIGUOUS 0x20u
#define MI_FULLY_REQUIRED 0x04u
#define MI_DONT_ZERO 0x01u
#define MI_KNOWN_FLAGS 0x7Fu

typedef struct MI_PAGE_REQUEST {
    PFN_NUMBER Lowest, Highest;
    SIZE_T Skip, Wanted, Found; /* frames */
    PFN_NUMBER *Frames;
} MI_PAGE_REQUEST;

static BOOLEAN MiTakeRun(MI_PAGE_REQUEST *Request, SIZE_T Count, SIZE_T Alignment)
{
    PFN_NUMBER First;

    if (!NT_SUCCESS(MiAllocateRunIn(Count, Request->Lowest, Request->Highest, 0, Alignment,
                                    MiFrameMdl, &First)))
        return FALSE;
    for (SIZE_T i = 0; i < Count; i++)
        Request->Frames[Request->Found++] = First + i;
    return TRUE;
}

/* In one piece if there is one, which costs least to map; in ever smaller ones else. */
static void MiTakePages(MI_PAGE_REQUEST *Request)
{
    SIZE_T Piece = Request->Wanted - Request->Found;

    while (Request->Found < Request->Wanted && Piece) {
        Piece = min(Piece, Request->Wanted - Request->Found);
        if (!MiTakeRun(Request, Piece, 1))
            Piece /= 2;
    }
}

static void MiTakeChunks(MI_PAGE_REQUEST *Request)
{
    if (!Request->Skip) {
        MiTakeRun(Request, Request->Wanted, 1);
        return;
    }
    while (Request->Found < Request->Wanted && MiTakeRun(Request, Request->Skip, Request->Skip))
        ;
}

/* The address range moves up by SkipBytes until there are pages enough, or no more memory. */
static void MiTakeByRanges(MI_PAGE_REQUEST *Request)
{
    for (;;) {
        MiTakePages(Request);
        if (Request->Found == Request->Wanted || !Request->Skip || Request->Lowest >= MiRam.Count)
            return;
        Request->Lowest += Request->Skip;
        Request->Highest += Request->Skip;
    }
}

static BOOLEAN MiChunksAreGood(PHYSICAL_ADDRESS Skip, SIZE_T Bytes)
{
    ULONG64 Chunk = (ULONG64)Skip.QuadPart;

    return !Chunk || (Chunk >= PAGE_SIZE && !(Chunk & (Chunk - 1)) && Bytes % Chunk == 0);
}

static void MiZeroPages(const MI_PAGE_REQUEST *Request)
{
    for (SIZE_T i = 0; i < Request->Found; i++)
        memset(MmFrameAddress(Request->Frames[i]), 0, PAGE_SIZE);
}

static PMDL MiFinishPages(PMDL Mdl, const MI_PAGE_REQUEST *Request, ULONG Flags)
{
    if (!Request->Found || (Request->Found < Request->Wanted && (Flags & MI_FULLY_REQUIRED))) {
        for (SIZE_T i = 0; i < Request->Found; i++)
            MmFreeFrames(Request->Frames[i], 1);
        ExFreePoolWithTag(Mdl, MI_MDL_TAG);
        return NULL;
    }
    if (!(Flags & MI_DONT_ZERO))
        MiZeroPages(Request);
    Mdl->ByteCount = (ULONG)(Request->Found << PAGE_SHIFT);
    Mdl->MdlFlags = MDL_PAGES_LOCKED;
    return Mdl;
}

/*
 * Physical pages, zeroed unless MM_DONT_ZERO_ALLOCATION, described by an MDL; fewer than asked for
 * if there are no more, NULL if there are none. Freed by MmFreePagesFromMdl, then ExFreePool for
 * the MDL. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmallocatepagesformdlex
 */
PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                                   MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
    MI_PAGE_REQUEST Request = {.Lowest = (ULONG64)LowAddress.QuadPart >> PAGE_SHIFT,
                               .Highest = (ULONG64)HighAddress.QuadPart >> PAGE_SHIFT,
                               .Skip = (ULONG64)SkipBytes.QuadPart >> PAGE_SHIFT,
                               .Wanted = BYTES_TO_PAGES(TotalBytes)};
    PMDL Mdl;

    MiMdlIrql(0x7E, DISPATCH_LEVEL, (PMDL)(ULONG_PTR)DISPATCH_LEVEL, 0, "MmAllocatePagesForMdl");
    if (!TotalBytes || TotalBytes > 0xFFFFFFFFu - PAGE_SIZE + 1 || (Flags & ~MI_KNOWN_FLAGS) ||
        BYTE_OFFSET(SkipBytes.QuadPart))
        return NULL;
    if ((Flags & MI_REQUIRE_CONTIGUOUS) && !MiChunksAreGood(SkipBytes, TotalBytes))
        return NULL;
    Mdl = ExAllocatePoolWithTag(NonPagedPool, sizeof(MDL) + Request.Wanted * sizeof(PFN_NUMBER),
                                MI_MDL_TAG);
    if (!Mdl)
        return NULL;
    MmInitializeMdl(Mdl, NULL, TotalBytes);
    Mdl->Process = NULL;
    Request.Frames = MmGetMdlPfnArray(Mdl);
    if (Flags & MI_REQUIRE_CONTIGUOUS)
        MiTakeChunks(&Request);
    else
        MiTakeByRanges(&Request);
    return MiFinishPages(Mdl, &Request, Flags);
}

/* The same, on a node: there is one. Doc: wdm/nf-wdm-mmallocatenodepagesformdlex */
PMDL NTAPI MmAllocateNodePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                       PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                                       MEMORY_CACHING_TYPE CacheType, ULONG IdealNode, ULONG Flags)
{
    return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, CacheType,
                                   Flags);
}

/* The same, with zeroed pages. Doc: wdm/nf-wdm-mmallocatepagesformdl */
PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                 PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
    return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, MmNotMapped, 0);
}

/* Frees the pages, not the MDL; a mapping in system space goes too. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmfreepagesfrommdl */
VOID NTAPI MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);
    SIZE_T Count = MiMdlPages(Mdl);

    MiMdlIrql(0x7E, DISPATCH_LEVEL, (PMDL)(ULONG_PTR)DISPATCH_LEVEL, 0, "MmFreePagesFromMdl");
    for (SIZE_T i = 0; i < Count; i++)
        if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED) || Frames[i] >= MiRam.Count ||
            MiRam.Frames[Frames[i]].State != MiFrameMdl)
            MiMdlMisuse(0x7C, Mdl, 0,
                        "MmFreePagesFromMdl was given an MDL without pages of its own");
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    for (SIZE_T At = 0, Run; At < Count; At += Run) {
        for (Run = 1; At + Run < Count && Frames[At + Run] == Frames[At] + Run; Run++)
            ;
        MmFreeFrames(Frames[At], Run);
    }
    Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}
