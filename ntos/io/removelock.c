/*
 * Remove locks. A lock of the size that checked builds of drivers have also remembers the tags it
 * is held with.
 */
#include "io/iop.h"
#include <string.h>

typedef struct _IO_REMOVE_LOCK_TRACKING_BLOCK {
    struct _IO_REMOVE_LOCK_TRACKING_BLOCK *Next;
    PVOID Tag;
    PCSTR File;
    ULONG Line;
} IOP_HOLD;

typedef struct IOP_REMOVE_LOCK {
    IO_REMOVE_LOCK_COMMON_BLOCK Common;
    IO_REMOVE_LOCK_DBG_BLOCK Dbg;
} IOP_REMOVE_LOCK;

#define IOP_REMOVE_LOCK_SIGNATURE 0x4C425044

static IO_REMOVE_LOCK_DBG_BLOCK *IopTracking(PIO_REMOVE_LOCK Lock, ULONG Size)
{
    return Size == sizeof(IOP_REMOVE_LOCK) ? &((IOP_REMOVE_LOCK *)Lock)->Dbg : NULL;
}

/* Bug check 0xC4/D7: initialised again while it is held. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-ioinitializeremovelock */
VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                                    ULONG HighWatermark, ULONG RemlockSize)
{
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopTracking(Lock, RemlockSize);

    VF_IRQL_MAX(PASSIVE_LEVEL);
    NT_ASSERT(RemlockSize == sizeof(IO_REMOVE_LOCK_COMMON_BLOCK) || Dbg);
    memset(&Lock->Common, 0, sizeof(Lock->Common));
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
    if (!Dbg)
        return;
    memset(Dbg, 0, sizeof(*Dbg));
    Dbg->Signature = IOP_REMOVE_LOCK_SIGNATURE;
    Dbg->HighWatermark = (LONG)HighWatermark;
    Dbg->AllocateTag = (LONG)AllocateTag;
    KeInitializeSpinLock(&Dbg->Spin);
}

static void IopRemember(IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag, PCSTR File, ULONG Line)
{
    IOP_HOLD *Hold = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Hold), IOP_TAG);
    KIRQL Irql;

    if (!Hold) {
        InterlockedIncrement(&Dbg->LowMemoryCount);
        return;
    }
    *Hold = (IOP_HOLD){.Tag = Tag, .File = File, .Line = Line};
    KeAcquireSpinLock(&Dbg->Spin, &Irql);
    Hold->Next = Dbg->Blocks;
    Dbg->Blocks = Hold;
    KeReleaseSpinLock(&Dbg->Spin, Irql);
}

/* FALSE: the lock is not held with that tag. */
static BOOLEAN IopForget(IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag)
{
    IOP_HOLD **Link, *Hold;
    KIRQL Irql;

    KeAcquireSpinLock(&Dbg->Spin, &Irql);
    for (Link = &Dbg->Blocks; (Hold = *Link) && Hold->Tag != Tag; Link = &Hold->Next)
        continue;
    if (Hold)
        *Link = Hold->Next;
    KeReleaseSpinLock(&Dbg->Spin, Irql);
    if (Hold)
        ExFreePoolWithTag(Hold, IOP_TAG);
    return Hold || InterlockedDecrement(&Dbg->LowMemoryCount) >= 0;
}

/* STATUS_DELETE_PENDING: removal has begun, and the lock is not held. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-ioacquireremovelock */
NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
                                     ULONG RemlockSize)
{
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopTracking(RemoveLock, RemlockSize);

    VF_IRQL_MAX(DISPATCH_LEVEL);
    InterlockedIncrement(&RemoveLock->Common.IoCount);
    if (__atomic_load_n(&RemoveLock->Common.Removed, __ATOMIC_SEQ_CST)) {
        if (InterlockedDecrement(&RemoveLock->Common.IoCount) == 0)
            KeSetEvent(&RemoveLock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
        return STATUS_DELETE_PENDING;
    }
    if (Dbg)
        IopRemember(Dbg, Tag, File, Line);
    return STATUS_SUCCESS;
}

static void IopCheckTag(PIO_REMOVE_LOCK Lock, IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag, ULONG Code)
{
    if (Dbg && !IopForget(Dbg, Tag))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Code, (ULONG_PTR)Lock, (ULONG_PTR)Tag,
                   Dbg->Blocks ? (ULONG_PTR)Dbg->Blocks->Tag : 0,
                   "a remove lock is released with a tag that it is not held with");
}

static void IopDrop(PIO_REMOVE_LOCK Lock, PVOID Tag)
{
    LONG Left = InterlockedDecrement(&Lock->Common.IoCount);

    if (Left < 0 || (Left == 0 && !__atomic_load_n(&Lock->Common.Removed, __ATOMIC_SEQ_CST)))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD5, (ULONG_PTR)Lock, (ULONG_PTR)Tag, 0,
                   "a remove lock is released more often than it was acquired");
    if (Left == 0)
        KeSetEvent(&Lock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
}

/* Bug check 0xC4/D5: not held (with that tag). IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-ioreleaseremovelock */
VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    IopCheckTag(RemoveLock, IopTracking(RemoveLock, RemlockSize), Tag, 0xD5);
    IopDrop(RemoveLock, Tag);
}

/* The caller, who holds the lock, lets nobody in any more, releases it and waits for all others.
 * Bug check 0xC4/D6: not held with that tag. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-ioreleaseremovelockandwait */
VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    IopCheckTag(RemoveLock, IopTracking(RemoveLock, RemlockSize), Tag, 0xD6);
    __atomic_store_n(&RemoveLock->Common.Removed, TRUE, __ATOMIC_SEQ_CST);
    IopDrop(RemoveLock, Tag);
    if (InterlockedDecrement(&RemoveLock->Common.IoCount) > 0)
        KeWaitForSingleObject(&RemoveLock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
}
