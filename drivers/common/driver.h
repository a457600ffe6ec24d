/*
 * driver: what every driver of this folder does in the same way.
 */
#ifndef COMMON_DRIVER_H
#define COMMON_DRIVER_H

#include <ntifs.h>

/* Ends a request; after this the IRP is gone. Returns Status, for the dispatch routine to return.
 */
static __inline NTSTATUS DriverComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* Windows 8 brought pool that cannot be executed and read-only mappings of an MDL. */
static __inline BOOLEAN DriverOnWindows8(VOID)
{
    ULONG Major = 0, Minor = 0;

    PsGetVersion(&Major, &Minor, NULL, NULL);
    return Major > 6 || (Major == 6 && Minor >= 2);
}

static __inline POOL_TYPE DriverNonPagedPool(VOID)
{
    return DriverOnWindows8() ? NonPagedPoolNx : NonPagedPool;
}

static __inline PVOID DriverAllocateOf(POOL_TYPE Type, SIZE_T Bytes, ULONG Tag)
{
    PVOID Block = ExAllocatePoolWithTag(Type, Bytes, Tag);

    if (Block)
        RtlZeroMemory(Block, Bytes);
    return Block;
}

static __inline PVOID DriverAllocate(SIZE_T Bytes, ULONG Tag)
{
    return DriverAllocateOf(DriverNonPagedPool(), Bytes, Tag);
}

/* It begins with a line of the cache. */
static __inline PVOID DriverAllocateAligned(SIZE_T Bytes, ULONG Tag)
{
    return DriverAllocateOf(
        DriverOnWindows8() ? NonPagedPoolNxCacheAligned : NonPagedPoolCacheAligned, Bytes, Tag);
}

/* What others look at or change meanwhile, without a locked instruction. */
static __inline LONG DriverLoad(const volatile LONG *Value)
{
#ifdef __GNUC__
    return __atomic_load_n(Value, __ATOMIC_ACQUIRE);
#else
    return ReadAcquire(Value);
#endif
}

static __inline VOID DriverStore(volatile LONG *Value, LONG New)
{
#ifdef __GNUC__
    __atomic_store_n(Value, New, __ATOMIC_RELEASE);
#else
    WriteRelease(Value, New);
#endif
}

static __inline PVOID DriverLoadPointer(PVOID const volatile *Value)
{
#ifdef __GNUC__
    return __atomic_load_n(Value, __ATOMIC_ACQUIRE);
#else
    return ReadPointerAcquire(Value);
#endif
}

static __inline VOID DriverStorePointer(PVOID volatile *Value, PVOID New)
{
#ifdef __GNUC__
    __atomic_store_n(Value, New, __ATOMIC_RELEASE);
#else
    WritePointerRelease(Value, New);
#endif
}

#endif
