/*
 * A thread's own store of IRPs and small system buffers, so that a synchronous request takes no
 * lock and no pool operation.
 */
#include "io/iop.h"
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IOP_SANITIZED TRUE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define IOP_SANITIZED TRUE
#endif
#endif
#ifndef IOP_SANITIZED
#define IOP_SANITIZED FALSE
#endif

void IopInitCache(void)
{
    IopState.Exact = IOP_SANITIZED;
}

/* Ke's own threads have no ETHREAD whose end would free a cache. */
IOP_CACHE *IopMakeCache(void)
{
    IOP_CACHE *Cache;

    if (!KiSelf->Attached && !KiSelf->ApcState.Process->HasBody)
        return NULL;
    Cache = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Cache), IOP_TAG);
    if (Cache)
        memset(Cache, 0, sizeof(*Cache));
    KiSelf->IrpCache = Cache;
    return Cache;
}

void IopFreeCache(PETHREAD Thread)
{
    IOP_CACHE *Cache = Thread->Tcb.IrpCache;

    if (!Cache)
        return;
    Thread->Tcb.IrpCache = NULL;
    for (ULONG Class = 0; Class < IOP_CACHED_STACKS; Class++) {
        while (Cache->IrpCount[Class])
            ExFreePoolWithTag(Cache->Irps[Class][--Cache->IrpCount[Class]], IOP_IRP_TAG);
    }
    while (Cache->BufferCount)
        ExFreePoolWithTag(Cache->Buffers[--Cache->BufferCount], IOP_BUFFER_TAG);
    ExFreePoolWithTag(Cache, IOP_TAG);
}

PVOID IopAllocateBuffer(SIZE_T Bytes)
{
    IOP_CACHE *Cache = KiSelf->IrpCache;

    if (Bytes <= IOP_SMALL_BUFFER && !IopState.Exact) {
        if (Cache && Cache->BufferCount)
            return Cache->Buffers[--Cache->BufferCount];
        Bytes = IOP_SMALL_BUFFER;
    }
    return ExAllocatePoolWithTag(NonPagedPool, Bytes, IOP_BUFFER_TAG);
}

void IopFreeBuffer(PVOID Buffer, SIZE_T Bytes)
{
    IOP_CACHE *Cache = KiSelf->IrpCache;

    if (Bytes <= IOP_SMALL_BUFFER && !IopState.Exact && Cache &&
        Cache->BufferCount < IOP_CACHED_EACH)
        Cache->Buffers[Cache->BufferCount++] = Buffer;
    else
        ExFreePool(Buffer);
}
