/* MmMapIoSpace: physical addresses get system addresses: RAM, a simulated device's memory, nothing.
 */
#include "mi.h"

#include <stdlib.h>

#define MI_IO_PTES 'oImM'
#define MI_IO_LIMIT (1ull << 36) /* as many bytes as there are system PTEs */

/* The first page of the range that nobody owns; 0: there is none such. */
static PFN_NUMBER MiFirstUnowned(PFN_NUMBER First, SIZE_T Count)
{
    for (SIZE_T i = 0; i < Count && First + i < MiRam.Count; i++)
        if (MiRam.Frames[First + i].State <= MiFrameFreeTail)
            return First + i;
    return 0;
}

/* Not what belongs to a process. */
static BOOLEAN MiMayMapIo(PFN_NUMBER First, SIZE_T Count)
{
    for (SIZE_T i = 0; i < Count; i++)
        if (First + i >= MiRam.Count && !MiIsDeviceFrame(First + i))
            return FALSE;
    return TRUE;
}

static PVOID MiMapPhysical(PFN_NUMBER First, SIZE_T Count, int Protection)
{
    PFN_NUMBER *Frames = malloc(Count * sizeof(*Frames));
    void *Base = NULL;

    for (SIZE_T i = 0; Frames && i < Count; i++)
        Frames[i] = First + i;
    if (Frames)
        Base = MiReserveSystemPtes(Count, MI_IO_PTES);
    if (Base && !NT_SUCCESS(MiMapFrames(Base, Frames, Count, Protection))) {
        MiReleaseSystemPtes(Base);
        Base = NULL;
    }
    free(Frames);
    return Base;
}

static PVOID MiMapIo(PHYSICAL_ADDRESS Physical, SIZE_T Bytes, int Protection)
{
    ULONG64 Start = (ULONG64)Physical.QuadPart, Limit = MI_PHYSICAL_LIMIT;
    SIZE_T Count;
    char *Base;

    if (KiIrql() > DISPATCH_LEVEL)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x73, KiIrql(), Start, Bytes,
                   "MmMapIoSpace at IRQL %u", KiIrql());
    if (!Bytes || Start >= Limit || Bytes > min(Limit - Start, MI_IO_LIMIT) ||
        MiFailInjected(MI_IO_PTES, Bytes))
        return NULL;
    Count = (BYTE_OFFSET(Start) + Bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (Start < PAGE_SIZE || MiFirstUnowned(Start >> PAGE_SHIFT, Count))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x83, Start, Bytes,
                   MiFirstUnowned(Start >> PAGE_SHIFT, Count),
                   "MmMapIoSpace was given memory that nobody has allocated");
    if (!MiMayMapIo(Start >> PAGE_SHIFT, Count))
        return NULL;
    Base = MiMapPhysical(Start >> PAGE_SHIFT, Count, Protection);
    return Base ? Base + BYTE_OFFSET(Start) : NULL;
}

/*
 * A system address for a range of physical memory that is in use or no RAM; NULL if it is a
 * process's, or without system PTEs. Free memory is a bug check. Where no device is, all ones are
 * read. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmmapiospace
 */
PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                         MEMORY_CACHING_TYPE CacheType)
{
    return MiMapIo(PhysicalAddress, NumberOfBytes, HOST_READ | HOST_WRITE);
}

/* The same with a PAGE_XXX protection: read-only or read-write, NULL else. Doc:
 * wdm/nf-wdm-mmmapiospaceex */
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
    switch (Protect & ~(ULONG)(PAGE_NOCACHE | PAGE_WRITECOMBINE)) {
    case PAGE_READONLY:
    case PAGE_EXECUTE_READ:
        return MiMapIo(PhysicalAddress, NumberOfBytes, HOST_READ);
    case PAGE_READWRITE:
    case PAGE_EXECUTE_READWRITE:
        return MiMapIo(PhysicalAddress, NumberOfBytes, HOST_READ | HOST_WRITE);
    default:
        return NULL;
    }
}

/* The whole of a mapping, or a bug check. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-mmunmapiospace */
VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    SIZE_T Pages = (BYTE_OFFSET(BaseAddress) + NumberOfBytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    ULONG Tag = 0;
    SIZE_T Mapped = MiSystemPteRange(PAGE_ALIGN(BaseAddress), &Tag);

    if (KiIrql() > DISPATCH_LEVEL)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7B, KiIrql(), (ULONG_PTR)BaseAddress,
                   NumberOfBytes, "MmUnmapIoSpace at IRQL %u", KiIrql());
    if (!Mapped || Tag != MI_IO_PTES)
        VfBugCheck(SYSTEM_PTE_MISUSE, 0x302, (ULONG_PTR)BaseAddress, 0, 0,
                   "MmUnmapIoSpace was given an address that is not mapped");
    if (Mapped != Pages)
        VfBugCheck(SYSTEM_PTE_MISUSE, 0x305, (ULONG_PTR)BaseAddress, Pages, Mapped,
                   "MmUnmapIoSpace was given another size than was mapped");
    MiReleaseSystemPtes(PAGE_ALIGN(BaseAddress));
}
