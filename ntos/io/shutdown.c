/*
 * Shutdown notifications: IRP_MJ_SHUTDOWN, the last registered first.
 */
#include "io/iop.h"

static NTSTATUS IopRegister(PDEVICE_OBJECT Device, PLIST_ENTRY List)
{
    KIRQL Irql;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    ObReferenceObject(Device);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    InsertHeadList(List, &IopDevice(Device)->ShutdownEntry);
    Device->Flags |= DO_SHUTDOWN_REGISTERED;
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return STATUS_SUCCESS;
}

/* The device gets IRP_MJ_SHUTDOWN when the system stops. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-ioregistershutdownnotification */
NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return IopRegister(DeviceObject, &IopState.Shutdown);
}

/* After all others. Doc: wdm/nf-wdm-ioregisterlastchanceshutdownnotification */
NTSTATUS NTAPI IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return IopRegister(DeviceObject, &IopState.LastShutdown);
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iounregistershutdownnotification */
VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Was;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Was = (DeviceObject->Flags & DO_SHUTDOWN_REGISTERED) != 0;
    if (Was) {
        RemoveEntryList(&IopDevice(DeviceObject)->ShutdownEntry);
        InitializeListHead(&IopDevice(DeviceObject)->ShutdownEntry);
        DeviceObject->Flags &= ~DO_SHUTDOWN_REGISTERED;
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    if (Was)
        ObDereferenceObject(DeviceObject);
}

static PDEVICE_OBJECT IopTakeFirst(PLIST_ENTRY List)
{
    PDEVICE_OBJECT Device = NULL;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    if (!IsListEmpty(List)) {
        Entry = RemoveHeadList(List);
        InitializeListHead(Entry);
        Device = CONTAINING_RECORD(Entry, IOP_DEVICE, ShutdownEntry)->Header.DeviceObject;
        Device->Flags &= ~DO_SHUTDOWN_REGISTERED;
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Device;
}

static void IopSendShutdown(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(Device);
    PIRP Irp = IopAllocateIrp(Top->StackSize);
    BOOLEAN Abandoned = FALSE;

    if (Irp) {
        IopTopLocation(Irp)->MajorFunction = IRP_MJ_SHUTDOWN;
        Irp->RequestorMode = KernelMode;
        IopIssueDirect(Irp, Top, KernelMode, FALSE, FALSE, &Abandoned);
        IoFreeIrp(Irp);
    }
    ObDereferenceObject(Top);
}

void IopNotifyShutdown(PLIST_ENTRY List)
{
    PDEVICE_OBJECT Device;

    while ((Device = IopTakeFirst(List))) {
        IopSendShutdown(Device);
        ObDereferenceObject(Device);
    }
}
