/*
 * Device queues: an entry is queued if the device is busy; otherwise the device becomes busy and the entry is the caller's to start.
 */
#include "io/iop.h"

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-keinitializedevicequeue */
VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    DeviceQueue->Type = 20; /* DeviceQueueObject */
    DeviceQueue->Size = sizeof(*DeviceQueue);
    InitializeListHead(&DeviceQueue->DeviceListHead);
    KeInitializeSpinLock(&DeviceQueue->Lock);
    DeviceQueue->Busy = FALSE;
}

static PLIST_ENTRY IopPlaceOf(PKDEVICE_QUEUE Queue, ULONG Key)
{
    PLIST_ENTRY Entry = Queue->DeviceListHead.Flink;

    while (Entry != &Queue->DeviceListHead && CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey <= Key)
        Entry = Entry->Flink;
    return Entry;
}

static BOOLEAN IopInsertEntry(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY New, const ULONG *Key)
{
    VF_IRQL_MIN(DISPATCH_LEVEL);
    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    New->Inserted = Queue->Busy;
    if (Key)
        New->SortKey = *Key;
    if (!Queue->Busy)
        Queue->Busy = TRUE;
    else if (Key)
        InsertTailList(IopPlaceOf(Queue, *Key), &New->DeviceListEntry);
    else
        InsertTailList(&Queue->DeviceListHead, &New->DeviceListEntry);
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    return New->Inserted;
}

/* TRUE: queued. FALSE: the device was idle and is busy now. IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-keinsertdevicequeue */
BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    return IopInsertEntry(DeviceQueue, DeviceQueueEntry, NULL);
}

/* In order of keys; equal keys in order of arrival. IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-keinsertbykeydevicequeue */
BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey)
{
    return IopInsertEntry(DeviceQueue, DeviceQueueEntry, &SortKey);
}

/* The first entry, or with a key the first with at least that key (else the first of all). None: the device becomes idle. */
static PKDEVICE_QUEUE_ENTRY IopRemoveFirst(PKDEVICE_QUEUE Queue, const ULONG *Key)
{
    PKDEVICE_QUEUE_ENTRY Found = NULL;
    PLIST_ENTRY Entry;

    VF_IRQL_MIN(DISPATCH_LEVEL);
    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    if (IsListEmpty(&Queue->DeviceListHead)) {
        Queue->Busy = FALSE;
    } else {
        Entry = Queue->DeviceListHead.Flink;
        while (Key && Entry != &Queue->DeviceListHead && CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey < *Key)
            Entry = Entry->Flink;
        if (Entry == &Queue->DeviceListHead)
            Entry = Entry->Flink;
        Found = CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
        RemoveEntryList(Entry);
        Found->Inserted = FALSE;
    }
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    return Found;
}

/* NULL: the queue is empty, and the device idle now. IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-keremovedevicequeue */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    return IopRemoveFirst(DeviceQueue, NULL);
}

/* IRQL DISPATCH_LEVEL. Doc: wdm/nf-wdm-keremovebykeydevicequeue */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    return IopRemoveFirst(DeviceQueue, &SortKey);
}

/* NULL, and nothing else, if the device is idle. IRQL DISPATCH_LEVEL. */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    return DeviceQueue->Busy ? IopRemoveFirst(DeviceQueue, &SortKey) : NULL;
}

/* FALSE: it was not queued (any more). IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-keremoveentrydevicequeue */
BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    BOOLEAN Was;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&DeviceQueue->Lock, &Irql);
    Was = DeviceQueueEntry->Inserted;
    if (Was) {
        RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
        DeviceQueueEntry->Inserted = FALSE;
    }
    KeReleaseSpinLock(&DeviceQueue->Lock, Irql);
    return Was;
}
