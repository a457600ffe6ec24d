/*
 * StartIo: one IRP at a time for a device, the others in its device queue.
 */
#include "io/iop.h"

static void IopCallStartIo(PDEVICE_OBJECT Device, PIRP Irp)
{
    IOP_CALL(Device->DriverObject->DriverStartIo, Device, Irp);
}

/* The IRP is the device's current one, and StartIo is to be called; with the cancel lock held if
 * Cancelable. Releases that. */
static void IopBeginPacket(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Cancelable, KIRQL CancelIrql)
{
    Device->CurrentIrp = Irp;
    if (Cancelable) {
        if (IopDevice(Device)->StartIoFlags & IOP_STARTIO_NON_CANCELABLE)
            Irp->CancelRoutine = NULL;
        IoReleaseCancelSpinLock(CancelIrql);
    }
    IopCallStartIo(Device, Irp);
}

/* The device is busy. An IRP that was cancelled before its routine was set is cancelled here. */
static void IopAfterQueueing(PIRP Irp, KIRQL CancelIrql)
{
    PDRIVER_CANCEL Routine;

    if (Irp->Cancel && (Routine = IoSetCancelRoutine(Irp, NULL))) {
        Irp->CancelIrql = CancelIrql;
        IOP_CALL(Routine, IoGetCurrentIrpStackLocation(Irp)->DeviceObject,
                 Irp); /* releases the lock */
    } else {
        IoReleaseCancelSpinLock(CancelIrql);
    }
}

/* Calls StartIo with the IRP if the device is idle, else queues it (by *Key, if given). The caller
 * has marked it pending. CancelFunction becomes its cancel routine meanwhile. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iostartpacket */
VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key,
                         PDRIVER_CANCEL CancelFunction)
{
    PKDEVICE_QUEUE_ENTRY Entry = &Irp->Tail.Overlay.DeviceQueueEntry;
    KIRQL Irql, CancelIrql = DISPATCH_LEVEL;
    BOOLEAN Queued;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    if (CancelFunction) {
        IoAcquireCancelSpinLock(&CancelIrql);
        IoSetCancelRoutine(Irp, CancelFunction);
    }
    Queued = Key ? KeInsertByKeyDeviceQueue(&DeviceObject->DeviceQueue, Entry, *Key)
                 : KeInsertDeviceQueue(&DeviceObject->DeviceQueue, Entry);
    if (!Queued)
        IopBeginPacket(DeviceObject, Irp, CancelFunction != NULL, CancelIrql);
    else if (CancelFunction)
        IopAfterQueueing(Irp, CancelIrql);
    KeLowerIrql(Irql);
}

static void IopNextPacket(PDEVICE_OBJECT Device, BOOLEAN Cancelable, const ULONG *Key)
{
    KIRQL CancelIrql = DISPATCH_LEVEL;
    PKDEVICE_QUEUE_ENTRY Entry;

    if (Cancelable)
        IoAcquireCancelSpinLock(&CancelIrql);
    Device->CurrentIrp = NULL;
    Entry = Key ? KeRemoveByKeyDeviceQueue(&Device->DeviceQueue, *Key)
                : KeRemoveDeviceQueue(&Device->DeviceQueue);
    if (Entry)
        IopBeginPacket(Device, CONTAINING_RECORD(Entry, IRP, Tail.Overlay.DeviceQueueEntry),
                       Cancelable, CancelIrql);
    else if (Cancelable)
        IoReleaseCancelSpinLock(CancelIrql);
}

/* A StartIo that is deferred is not called from inside another one of the same device, but after
 * it. */
static void IopNextPacketDeferred(PDEVICE_OBJECT Device, BOOLEAN Cancelable, const ULONG *Key)
{
    IOP_DEVICE *Extension = IopDevice(Device);

    if (InterlockedIncrement(&Extension->StartIoCount) > 1)
        return;
    do {
        IopNextPacket(Device, Cancelable, Key);
    } while (InterlockedDecrement(&Extension->StartIoCount) > 0);
}

static void IopStartNext(PDEVICE_OBJECT Device, BOOLEAN Cancelable, const ULONG *Key)
{
    VF_IRQL_MIN(DISPATCH_LEVEL);
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (IopDevice(Device)->StartIoFlags & IOP_STARTIO_DEFERRED)
        IopNextPacketDeferred(Device, Cancelable, Key);
    else
        IopNextPacket(Device, Cancelable, Key);
}

/* The current IRP is done: StartIo gets the next, or the device becomes idle. Cancelable: as in
 * IoStartPacket there was a cancel routine. IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-iostartnextpacket
 */
VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable)
{
    IopStartNext(DeviceObject, Cancelable, NULL);
}

/* IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-iostartnextpacketbykey */
VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key)
{
    IopStartNext(DeviceObject, Cancelable, &Key);
}

/* DeferredStartIo: no recursion of StartIo through IoStartNextPacket. NonCancelable: the IRP that
 * StartIo gets has no cancel routine. Doc: wdm/nf-wdm-iosetstartioattributes */
VOID NTAPI IoSetStartIoAttributes(PDEVICE_OBJECT DeviceObject, BOOLEAN DeferredStartIo,
                                  BOOLEAN NonCancelable)
{
    IopDevice(DeviceObject)->StartIoFlags = (DeferredStartIo ? IOP_STARTIO_DEFERRED : 0) |
                                            (NonCancelable ? IOP_STARTIO_NON_CANCELABLE : 0);
}
