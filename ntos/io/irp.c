/*
 * IRPs: allocation at their exact size, initialisation, reuse.
 */
#include "io/iop.h"
#include <string.h>

static void IopSetUpIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    memset(Irp, 0, PacketSize);
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = StackSize + 1;
    InitializeListHead(&Irp->ThreadListEntry);
    Irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
}

/* Makes an IRP of the caller's own memory, of IoSizeOfIrp(StackSize) bytes. Not for an IRP of
 * IoAllocateIrp (bug check 0xC9/20D): use IoReuseIrp. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-ioinitializeirp */
VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    NT_ASSERT(StackSize >= 0 && PacketSize >= IoSizeOfIrp(StackSize));
    IopSetUpIrp(Irp, PacketSize, StackSize);
}

static PIRP IopNewIrp(CCHAR StackSize)
{
    PIRP Irp = ExAllocatePoolWithTag(NonPagedPool, IoSizeOfIrp(StackSize), IOP_IRP_TAG);

    if (!Irp)
        return NULL;
    IopSetUpIrp(Irp, IoSizeOfIrp(StackSize), StackSize);
    Irp->AllocationFlags = IOP_IRP_OURS;
    return Irp;
}

/* A driver's IRP: freed with IoFreeIrp. NULL: no memory, or StackSize is not positive. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioallocateirp */
PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    PIRP Irp = NULL;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (StackSize > 0)
        Irp = IopNewIrp(StackSize);
    MM_GIVE_TO_CALLER(Irp);
    return Irp;
}

/* Doc: wdm/nf-wdm-ioallocateirpex */
PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota)
{
    PIRP Irp = IoAllocateIrp(StackSize, ChargeQuota);

    MM_GIVE_TO_CALLER(Irp);
    return Irp;
}

/* The executive's own IRPs: from the thread's cache. */
PIRP IopAllocateIrp(CCHAR StackSize)
{
    IOP_CACHE *Cache = IopCacheOfThread();
    PIRP Irp;

    if (StackSize <= IOP_CACHED_STACKS && Cache && Cache->IrpCount[StackSize - 1]) {
        Irp = Cache->Irps[StackSize - 1][--Cache->IrpCount[StackSize - 1]];
        IopSetUpIrp(Irp, IoSizeOfIrp(StackSize), StackSize);
    } else {
        Irp = IopNewIrp(StackSize);
        if (!Irp)
            return NULL;
    }
    Irp->AllocationFlags = IOP_IRP_OURS | IRP_LOOKASIDE_ALLOCATION;
    return Irp;
}

static BOOLEAN IopKeepIrp(PIRP Irp)
{
    IOP_CACHE *Cache = KiSelf->IrpCache;
    ULONG Class = (ULONG)Irp->StackCount - 1;

    if (!Cache || IopState.Exact || !(Irp->AllocationFlags & IRP_LOOKASIDE_ALLOCATION) ||
        Class >= IOP_CACHED_STACKS || Cache->IrpCount[Class] == IOP_CACHED_EACH)
        return FALSE;
    Cache->Irps[Class][Cache->IrpCount[Class]++] = Irp;
    return TRUE;
}

/* Frees an IRP of IoAllocateIrp or IoMakeAssociatedIrp, or one that IoBuildAsynchronousFsdRequest
 * made. Bug check 0xC9: 01 it is no IRP (any more), 02 it still is on a thread's list. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iofreeirp */
VOID NTAPI IoFreeIrp(PIRP Irp)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Irp->Type != IO_TYPE_IRP)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x01, (ULONG_PTR)Irp, 0, 0,
                   "IoFreeIrp of something that is no IRP, or was freed before");
    if (!IsListEmpty(&Irp->ThreadListEntry))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x02, (ULONG_PTR)Irp, 0, 0,
                   "IoFreeIrp of an IRP that is still on a thread's list");
    Irp->Type = 0;
    if (!IopKeepIrp(Irp))
        ExFreePoolWithTag(Irp, IOP_IRP_TAG);
}

/* Makes a completed IRP of IoAllocateIrp fit for another round, with Iostatus as its status. IRQL
 * <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioreuseirp */
VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    UCHAR Flags = Irp->AllocationFlags;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    IopSetUpIrp(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = Flags;
    Irp->IoStatus.Status = Iostatus;
}

/* A part of a master IRP: when the last of IrpCount such parts completes, the master does. The
 * caller sets IrpCount before it sends the first. IRQL <= DISPATCH_LEVEL. Doc:
 * ntddk/nf-ntddk-iomakeassociatedirp */
PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
    PIRP Part = IoAllocateIrp(StackSize, FALSE);

    if (!Part)
        return NULL;
    Part->Flags = IRP_ASSOCIATED_IRP;
    Part->AssociatedIrp.MasterIrp = Irp;
    Part->Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
    return Part;
}

/* Puts an IRP on the list of the thread it was issued by, so that it is cancelled when that thread
 * ends. IRQL <= APC_LEVEL. Doc: ntifs/nf-ntifs-ioqueuethreadirp */
VOID NTAPI IoQueueThreadIrp(PIRP Irp)
{
    VF_IRQL_MAX(APC_LEVEL);
    IopQueueIrp(Irp);
}
