/*
 * Device queues: a driver inserts an IRP; the first finds the queue idle and is to be started, the
 * others wait. Sorted by key if inserted by key.
 */
#include "ke/ki.h"

static KDEVICE_QUEUE_ENTRY *KiEntryOf(LIST_ENTRY *Entry)
{
    return CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

/* The low byte of the word is Busy; the rest is not used. */
static void KiSetBusy(PKDEVICE_QUEUE Queue, BOOLEAN Busy)
{
    __atomic_store_n(&Queue->Busy, Busy, __ATOMIC_RELAXED);
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-keinitializedevicequeue */
VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    memset(DeviceQueue, 0, sizeof(*DeviceQueue));
    DeviceQueue->Type = 20;
    DeviceQueue->Size = sizeof(*DeviceQueue);
    InitializeListHead(&DeviceQueue->DeviceListHead);
    KeInitializeSpinLock(&DeviceQueue->Lock);
}

static BOOLEAN KiInsertDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry,
                                   LIST_ENTRY *Before)
{
    Entry->Inserted = Queue->Busy;
    if (Entry->Inserted)
        InsertHeadList(Before, &Entry->DeviceListEntry);
    KiSetBusy(Queue, TRUE);
    return Entry->Inserted;
}

/* At DISPATCH_LEVEL. FALSE: the device was idle, and is busy with this entry now, which is not
 * queued. Doc: wdm/nf-wdm-keinsertdevicequeue */
BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    BOOLEAN Inserted;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&DeviceQueue->Lock);
    Inserted =
        KiInsertDeviceQueue(DeviceQueue, DeviceQueueEntry, DeviceQueue->DeviceListHead.Blink);
    KeReleaseSpinLockFromDpcLevel(&DeviceQueue->Lock);
    return Inserted;
}

/* As KeInsertDeviceQueue; behind entries of the same and of lower keys. Doc:
 * wdm/nf-wdm-keinsertbykeydevicequeue */
BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey)
{
    LIST_ENTRY *Head = &DeviceQueue->DeviceListHead, *Before;
    BOOLEAN Inserted;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&DeviceQueue->Lock);
    DeviceQueueEntry->SortKey = SortKey;
    for (Before = Head->Blink; Before != Head && KiEntryOf(Before)->SortKey > SortKey;
         Before = Before->Blink)
        ;
    Inserted = KiInsertDeviceQueue(DeviceQueue, DeviceQueueEntry, Before);
    KeReleaseSpinLockFromDpcLevel(&DeviceQueue->Lock);
    return Inserted;
}

/* Under the queue's lock: takes Entry out, or makes the device idle if there is none. */
static PKDEVICE_QUEUE_ENTRY KiTakeDeviceEntry(PKDEVICE_QUEUE Queue, LIST_ENTRY *Entry)
{
    if (IsListEmpty(&Queue->DeviceListHead)) {
        KiSetBusy(Queue, FALSE);
        return NULL;
    }
    RemoveEntryList(Entry);
    KiEntryOf(Entry)->Inserted = FALSE;
    return KiEntryOf(Entry);
}

/* At DISPATCH_LEVEL. The first entry; NULL: none, and the device is idle now. Doc:
 * wdm/nf-wdm-keremovedevicequeue */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    PKDEVICE_QUEUE_ENTRY Entry;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&DeviceQueue->Lock);
    Entry = KiTakeDeviceEntry(DeviceQueue, DeviceQueue->DeviceListHead.Flink);
    KeReleaseSpinLockFromDpcLevel(&DeviceQueue->Lock);
    return Entry;
}

/* At DISPATCH_LEVEL. The first entry with at least that key, else the first of all; NULL: none, and
 * the device is idle now. Doc: wdm/nf-wdm-keremovebykeydevicequeue */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    LIST_ENTRY *Head = &DeviceQueue->DeviceListHead, *Found;
    PKDEVICE_QUEUE_ENTRY Entry;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    VF_IRQL_MIN(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&DeviceQueue->Lock);
    for (Found = Head->Flink; Found != Head && KiEntryOf(Found)->SortKey < SortKey;
         Found = Found->Flink)
        ;
    Entry = KiTakeDeviceEntry(DeviceQueue, Found == Head ? Head->Flink : Found);
    KeReleaseSpinLockFromDpcLevel(&DeviceQueue->Lock);
    return Entry;
}

/* IRQL <= DISPATCH_LEVEL. FALSE: the entry was not queued. Doc: wdm/nf-wdm-keremoveentrydevicequeue
 */
BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    BOOLEAN Removed;
    KIRQL Old;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Old = KeAcquireSpinLockRaiseToDpc(&DeviceQueue->Lock);
    Removed = DeviceQueueEntry->Inserted;
    if (Removed) {
        RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
        DeviceQueueEntry->Inserted = FALSE;
    }
    KeReleaseSpinLock(&DeviceQueue->Lock, Old);
    return Removed;
}
