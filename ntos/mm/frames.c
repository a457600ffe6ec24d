/*
 * Banks of frames: memory files that are mapped, whole, in the direct map.
 *
 * Bank 0 is the machine's RAM. Its frames are given out by the run allocator (run.c); those of
 * other banks (user slots, sections) belong to their owner from beginning to end. A frame number
 * leads to its bank by a table of granules.
 */
#include "mi.h"

#include <stdlib.h>

static struct {
    MI_LOCK Lock;
    SIZE_T NextGranule;
    MI_BANK *Granules[MI_GRANULES];
} MiBanks;

MI_BANK *MiBankOf(PFN_NUMBER Frame)
{
    if (Frame >> MI_GRANULE_SHIFT >= MI_GRANULES)
        return NULL;
    return __atomic_load_n(&MiBanks.Granules[Frame >> MI_GRANULE_SHIFT], __ATOMIC_ACQUIRE);
}

MI_FRAME *MiFrameOf(PFN_NUMBER Frame)
{
    MI_BANK *Bank = MiBankOf(Frame);

    if (!Bank || Frame - Bank->Bank.First >= Bank->Bank.Count)
        return NULL;
    return &Bank->Frames[Frame - Bank->Bank.First];
}

/* Where a frame's bytes lie: in its bank's file, or where it has moved. FALSE: no such frame. */
BOOLEAN MmPhysicalToVirtual(PHYSICAL_ADDRESS Physical, void **Virtual)
{
    PFN_NUMBER Frame = (ULONG64)Physical.QuadPart >> PAGE_SHIFT;

    if (!MiFrameOf(Frame))
        return FALSE;
    *Virtual = (void *)(MM_SYSTEM_LOW + (ULONG64)Physical.QuadPart);
    return TRUE;
}

#define MI_HOLE_FIRST (SIZE_T)(MI_HOLE_LOW >> (PAGE_SHIFT + MI_GRANULE_SHIFT))
#define MI_HOLE_LAST (SIZE_T)(MI_HOLE_HIGH >> (PAGE_SHIFT + MI_GRANULE_SHIFT))

/* Where devices may be, only RAM goes, which begins at 0. */
static BOOLEAN MiGranulesFree(SIZE_T At, SIZE_T Count)
{
    if (At && At < MI_HOLE_LAST && MI_HOLE_FIRST < At + Count)
        return FALSE;
    for (SIZE_T i = 0; i < Count; i++)
        if (MiBanks.Granules[At + i])
            return FALSE;
    return TRUE;
}

/* The first fit behind the last one, so that the numbers of a bank that is gone are not used again
 * soon. */
static SIZE_T MiFindGranules(SIZE_T Count)
{
    for (SIZE_T Tried = 0; Tried < MI_GRANULES; Tried++) {
        SIZE_T At = (MiBanks.NextGranule + Tried) % MI_GRANULES;

        if (At + Count <= MI_GRANULES && MiGranulesFree(At, Count))
            return At;
    }
    return MI_GRANULES;
}

static BOOLEAN MiClaimGranules(MI_BANK *Bank, SIZE_T Count)
{
    SIZE_T At;

    MiAcquire(&MiBanks.Lock);
    At = MiFindGranules(Count);
    if (At < MI_GRANULES) {
        Bank->Bank.First = At << MI_GRANULE_SHIFT;
        MiBanks.NextGranule = At + Count;
        for (SIZE_T i = 0; i < Count; i++)
            __atomic_store_n(&MiBanks.Granules[At + i], Bank, __ATOMIC_RELEASE);
    }
    MiRelease(&MiBanks.Lock);
    return At < MI_GRANULES;
}

static void MiReleaseGranules(MI_BANK *Bank)
{
    SIZE_T At = Bank->Bank.First >> MI_GRANULE_SHIFT;

    MiAcquire(&MiBanks.Lock);
    while (At < MI_GRANULES && MiBanks.Granules[At] == Bank)
        __atomic_store_n(&MiBanks.Granules[At++], NULL, __ATOMIC_RELEASE);
    MiRelease(&MiBanks.Lock);
}

/* A new memory file, visible in the direct map. The owner of bank 0 makes its page tables itself.
 */
NTSTATUS MiCreateBank(const char *Name, SIZE_T Frames, MI_BANK **Out)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    SIZE_T Bytes = Frames << PAGE_SHIFT;
    MI_BANK *Bank = calloc(1, sizeof(*Bank));
    void *Base;

    if (!Bank)
        return Status;
    Bank->Bank.Count = Frames;
    Bank->Bank.File = host_memory_file(Name, Bytes);
    if (Bank->Bank.File < 0)
        goto Free;
    Bank->Frames = host_private(Frames * sizeof(MI_FRAME));
    if (!Bank->Frames || !MiClaimGranules(Bank, (SIZE_T)MiGranulesOf(Frames)))
        goto Close;
    Base = MmFrameAddress(Bank->Bank.First);
    if (host_map(Base, Bytes, Bank->Bank.File, 0, HOST_READ | HOST_WRITE) < 0)
        goto Release;
    if (Bank->Bank.First) {
        Status = MiMapLargePages(MiSystemDirectory, (ULONG_PTR)Base, Bank->Bank.First, Frames,
                                 MI_PTE_SYSTEM);
        if (!NT_SUCCESS(Status))
            goto Unmap;
    }
    *Out = Bank;
    return STATUS_SUCCESS;

Unmap:
    host_decommit(Base, Bytes);
Release:
    MiReleaseGranules(Bank);
Close:
    host_private_free(Bank->Frames, Frames * sizeof(MI_FRAME));
    host_close(Bank->Bank.File);
Free:
    free(Bank);
    return Status;
}

void MiDeleteBank(MI_BANK *Bank)
{
    void *Base = MmFrameAddress(Bank->Bank.First);
    SIZE_T Bytes = Bank->Bank.Count << PAGE_SHIFT;

    if (Bank->Bank.First)
        MiClearPtes(MiSystemDirectory, (ULONG_PTR)Base, Bank->Bank.Count);
    host_decommit(Base, Bytes);
    MiReleaseGranules(Bank);
    host_private_free(Bank->Frames, Bank->Bank.Count * sizeof(MI_FRAME));
    host_close(Bank->Bank.File);
    free(Bank);
}

void MiResetBanks(void)
{
    for (SIZE_T i = 0; i < MI_GRANULES; i++)
        NT_ASSERT(!MiBanks.Granules[i]);
    MiBanks.NextGranule = 0;
}
