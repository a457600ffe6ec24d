/* What is at an address: the documented questions about addresses and physical memory. */
#include "mi.h"

/*
 * Physical address of a valid virtual address, zero if there is none. Any IRQL. Memory that is the
 * process's own (embedded form) or a native driver's image has no physical address.
 * Doc: ntddk/nf-ntddk-mmgetphysicaladdress
 */
PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS Physical = {.QuadPart = 0};
    MM_PTE Pte;

    if (MiTranslate(BaseAddress, &Pte))
        Physical.QuadPart = (LONGLONG)((Pte.Value & MI_PTE_FRAME) + BYTE_OFFSET(BaseAddress));
    return Physical;
}

/*
 * Whether touching the address would fault now. IRQL <= DISPATCH_LEVEL. Says nothing about later.
 * Doc: ntddk/nf-ntddk-mmisaddressvalid
 */
BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
    ULONG_PTR Address = (ULONG_PTR)VirtualAddress;
    MM_PTE Pte;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Address >> 47)
        return FALSE;
    if (MiTranslate(VirtualAddress, &Pte))
        return TRUE;
    if (MmIsSystemAddress(VirtualAddress))
        return FALSE;
    if (Address >= MM_SLOT_LOW && Address < MM_SYSTEM_LOW)
        return FALSE;
    return MiTouchGuarded(VirtualAddress, FALSE);
}

/* The same for nonpaged system memory only. Doc: ntddk (obsolete) */
BOOLEAN NTAPI MmIsNonPagedSystemAddressValid(PVOID VirtualAddress)
{
    return MmIsSystemAddress(VirtualAddress) && MmIsAddressValid(VirtualAddress) &&
           !MiIsPagedPool(VirtualAddress);
}

/* A system address for a physical one, NULL if there is no such memory. Any IRQL. */
PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress)
{
    void *Virtual;

    return MmPhysicalToVirtual(PhysicalAddress, &Virtual) ? Virtual : NULL;
}

/*
 * The ranges of physical memory, ended by an entry of zeros; the caller frees the array with
 * ExFreePool. NULL without memory. PASSIVE_LEVEL. Doc: ntddk/nf-ntddk-mmgetphysicalmemoryranges
 */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRanges(VOID)
{
    PPHYSICAL_MEMORY_RANGE Ranges;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Ranges = ExAllocatePoolWithTag(NonPagedPool, 2 * sizeof(*Ranges), 'hPmM');
    if (!Ranges)
        return NULL;
    Ranges[0].BaseAddress.QuadPart = PAGE_SIZE;
    Ranges[0].NumberOfBytes.QuadPart = (LONGLONG)((MiRam.Count - 1) << PAGE_SHIFT);
    Ranges[1].BaseAddress.QuadPart = 0;
    Ranges[1].NumberOfBytes.QuadPart = 0;
    return Ranges;
}

/* How much memory the machine has, roughly. Any IRQL. Doc: wdm/nf-wdm-mmquerysystemsize */
MM_SYSTEMSIZE NTAPI MmQuerySystemSize(VOID)
{
    SIZE_T Megabytes = MiRam.Count >> (20 - PAGE_SHIFT);

    return Megabytes < 64 ? MmSmallSystem : Megabytes < 512 ? MmMediumSystem : MmLargeSystem;
}

/* A client system. Any IRQL. Doc: ntddk/nf-ntddk-mmisthisanntassystem */
BOOLEAN NTAPI MmIsThisAnNtAsSystem(VOID)
{
    return FALSE;
}
