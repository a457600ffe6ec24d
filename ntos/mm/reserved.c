/* Reserved mappings: system addresses that a driver keeps, so that mapping an MDL cannot fail
 * later. */
#include "mdl.h"

static _Noreturn void MiMisuse(ULONG What, const void *Base, ULONG_PTR Third, ULONG_PTR Fourth,
                               const char *Text)
{
    VfBugCheck(SYSTEM_PTE_MISUSE, What, (ULONG_PTR)Base, Third, Fourth, "%s", Text);
}

/*
 * Reserves system addresses for MDLs up to NumberOfBytes; NULL if there are none, or for no bytes
 * or tag. IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-mmallocatemappingaddress
 */
PVOID NTAPI MmAllocateMappingAddress(SIZE_T NumberOfBytes, ULONG PoolTag)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (!NumberOfBytes || !PoolTag)
        return NULL;
    return MiReserveSystemPtes(BYTES_TO_PAGES(NumberOfBytes), PoolTag);
}

/* The same with flags; NULL for MM_MAPPING_ADDRESS_DIVISIBLE: a part of a range cannot be used by
 * itself. IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-mmallocatemappingaddressex */
PVOID NTAPI MmAllocateMappingAddressEx(SIZE_T NumberOfBytes, ULONG PoolTag, ULONG Flags)
{
    VF_IRQL_MAX(APC_LEVEL);
    return Flags ? NULL : MmAllocateMappingAddress(NumberOfBytes, PoolTag);
}

/* Nothing may be mapped there, and the tag must be right: a bug check. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-mmfreemappingaddress */
VOID NTAPI MmFreeMappingAddress(PVOID BaseAddress, ULONG PoolTag)
{
    ULONG Owner = 0;

    VF_IRQL_MAX(APC_LEVEL);
    if (!MiSystemPteRange(BaseAddress, &Owner))
        MiMisuse(0x102, BaseAddress, PoolTag, 0, "no mapping address begins here");
    if (Owner != PoolTag)
        MiMisuse(0x101, BaseAddress, PoolTag, Owner,
                 "a mapping address was freed with another tag than it has");
    if (MiMappedFrames(BaseAddress))
        MiMisuse(0x103, BaseAddress, PoolTag, MiMappedFrames(BaseAddress),
                 "a mapping address was freed while it is in use");
    MiReleaseSystemPtes(BaseAddress);
}

/*
 * Maps a locked MDL at a reserved address; NULL if it has not room enough. IRQL <= DISPATCH_LEVEL.
 * Doc: wdm/nf-wdm-mmmaplockedpageswithreservedmapping
 */
PVOID NTAPI MmMapLockedPagesWithReservedMapping(PVOID MappingAddress, ULONG PoolTag,
                                                PMDL MemoryDescriptorList,
                                                MEMORY_CACHING_TYPE CacheType)
{
    PMDL Mdl = MemoryDescriptorList;
    ULONG Owner = 0;
    SIZE_T Pages = MiSystemPteRange(MappingAddress, &Owner);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!Pages)
        MiMisuse(0x105, MappingAddress, PoolTag, 0, "no mapping address begins here");
    if (Owner != PoolTag)
        MiMisuse(0x104, MappingAddress, PoolTag, Owner,
                 "a mapping address was used with another tag than it has");
    if (MiMappedFrames(MappingAddress))
        MiMisuse(0x107, MappingAddress, (ULONG_PTR)MappingAddress,
                 (ULONG_PTR)MappingAddress + (Pages << PAGE_SHIFT),
                 "a mapping address is in use already");
    if (!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL)))
        MiMdlMisuse(0xB3, Mdl, MDL_PAGES_LOCKED, "the MDL to be mapped is not locked");
    if (MiMdlPages(Mdl) > Pages)
        return NULL;
    if (!NT_SUCCESS(MiMapFrames(MappingAddress, MmGetMdlPfnArray(Mdl), MiMdlPages(Mdl),
                                HOST_READ | HOST_WRITE)))
        return NULL;
    Mdl->MappedSystemVa = (char *)MappingAddress + Mdl->ByteOffset;
    Mdl->MdlFlags |=
        MDL_MAPPED_TO_SYSTEM_VA | (Mdl->MdlFlags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
    return Mdl->MappedSystemVa;
}

/* Undoes the mapping; the address stays reserved. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmunmapreservedmapping */
VOID NTAPI MmUnmapReservedMapping(PVOID BaseAddress, ULONG PoolTag, PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    void *Base = PAGE_ALIGN(BaseAddress);
    ULONG Owner = 0;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (!MiSystemPteRange(Base, &Owner) || !MiMappedFrames(Base))
        MiMisuse(0x109, BaseAddress, PoolTag, 0, "nothing is mapped at this mapping address");
    if (Owner != PoolTag)
        MiMisuse(0x108, BaseAddress, PoolTag, Owner,
                 "a mapping address was unmapped with another tag than it has");
    if (MiMappedFrames(Base) != MiMdlPages(Mdl))
        MiMisuse(0x10A, BaseAddress, MiMappedFrames(Base), MiMdlPages(Mdl),
                 "another MDL is mapped at this address");
    MiUnmapFrames(Base);
    Mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    Mdl->MappedSystemVa = NULL;
}
