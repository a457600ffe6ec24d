/*
 * ERESOURCE: questions, and the forms that enter and leave a critical region.
 */
#include "ex/exp.h"

/* Doc: wdm/nf-wdm-exisresourceacquiredexclusivelite */
BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    BOOLEAN Mine;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    Mine = (Resource->Flag & ResourceOwnedExclusive) != 0 &&
           Resource->OwnerEntry.OwnerThread == (ERESOURCE_THREAD)KeGetCurrentThread();
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    return Mine;
}

/* How often the calling thread holds the resource, in either way. Doc:
 * wdm/nf-wdm-exisresourceacquiredsharedlite */
ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    ERESOURCE_THREAD Self = (ERESOURCE_THREAD)KeGetCurrentThread();
    ULONG Index, Count = 0;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    if (Resource->OwnerEntry.OwnerThread == Self)
        Count = Resource->OwnerEntry.OwnerCount;
    for (Index = 1;
         Count == 0 && Resource->OwnerTable != NULL && Index < Resource->OwnerTable->TableSize;
         Index++)
        if (Resource->OwnerTable[Index].OwnerThread == Self)
            Count = Resource->OwnerTable[Index].OwnerCount;
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
    return Count;
}

/* Doc: wdm/nf-wdm-exgetexclusivewaitercount */
ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    return __atomic_load_n(&Resource->NumberOfExclusiveWaiters, __ATOMIC_RELAXED);
}

/* Doc: wdm/nf-wdm-exgetsharedwaitercount */
ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource)
{
    return __atomic_load_n(&Resource->NumberOfSharedWaiters, __ATOMIC_RELAXED);
}

/* Owners are never boosted here: nothing to switch off but the mark. Doc:
 * ntifs/nf-ntifs-exdisableresourceboostlite */
VOID NTAPI ExDisableResourceBoostLite(PERESOURCE Resource)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Resource->SpinLock, &Irql);
    Resource->Flag |= 0x0008; /* ResourceDisableBoost of NT */
    KeReleaseSpinLock(&Resource->SpinLock, Irql);
}

/* The result is undocumented on NT and NULL here. Doc:
 * wdm/nf-wdm-exentercriticalregionandacquireresourceexclusive */
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    return NULL;
}

/* Doc: wdm/nf-wdm-exentercriticalregionandacquireresourceexclusive */
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(Resource, TRUE);
    return NULL;
}

/* Doc: wdm/nf-wdm-exentercriticalregionandacquireresourceexclusive */
PVOID NTAPI ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireSharedWaitForExclusive(Resource, TRUE);
    return NULL;
}

/* Doc: wdm/nf-wdm-exreleaseresourceandleavecriticalregion */
VOID FASTCALL ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}
