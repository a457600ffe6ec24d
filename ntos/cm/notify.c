/*
 * Notifications of change: each fires once.
 */
#include "cm/cmp.h"

static void CmpMoveTo(CMP_NOTIFICATION *Notification, NTSTATUS Status, PLIST_ENTRY Fired)
{
    RemoveEntryList(&Notification->Link);
    Notification->Status = Status;
    InsertTailList(Fired, &Notification->Link);
}

/* Those of the node, and of its ancestors that watch their tree. */
void CmpCollectChange(CM_NODE *Node, ULONG Change, PLIST_ENTRY Fired)
{
    CM_NODE *Watched;
    PLIST_ENTRY Entry, Next;

    for (Watched = Node; Watched != NULL; Watched = Watched->Parent)
        for (Entry = Watched->Notifications.Flink; Entry != &Watched->Notifications; Entry = Next) {
            CMP_NOTIFICATION *Notification = CONTAINING_RECORD(Entry, CMP_NOTIFICATION, Link);
            Next = Entry->Flink;
            if ((Notification->Filter & Change) != 0 && (Watched == Node || Notification->Tree))
                CmpMoveTo(Notification, STATUS_NOTIFY_ENUM_DIR, Fired);
        }
}

void CmpCollectKey(CM_NODE *Node, PVOID Key, PLIST_ENTRY Fired)
{
    PLIST_ENTRY Entry, Next;

    for (Entry = Node->Notifications.Flink; Entry != &Node->Notifications; Entry = Next) {
        CMP_NOTIFICATION *Notification = CONTAINING_RECORD(Entry, CMP_NOTIFICATION, Link);
        Next = Entry->Flink;
        if (Key == NULL || Notification->Key == Key)
            CmpMoveTo(Notification, STATUS_NOTIFY_CLEANUP, Fired);
    }
}

void CmpFire(PLIST_ENTRY Fired)
{
    while (!IsListEmpty(Fired)) {
        CMP_NOTIFICATION *Notification =
            CONTAINING_RECORD(RemoveHeadList(Fired), CMP_NOTIFICATION, Link);
        Notification->Done(Notification->Context, Notification->Status);
        ExFreePoolWithTag(Notification, CMP_TAG);
    }
}

/* STATUS_PENDING: Done will be called. STATUS_INVALID_PARAMETER: no or unknown filter bits;
 * STATUS_KEY_DELETED. Doc: ntifs/nf-ntifs-zwnotifychangekey */
NTSTATUS CmNotifyChange_(PVOID Key, ULONG Filter, BOOLEAN WatchTree,
                         void (*Done)(PVOID Context, NTSTATUS Status), PVOID Context)
{
    CMP_NOTIFICATION *New;
    CM_NODE *Node = CmpNode(Key);
    BOOLEAN Deleted;

    if (Filter == 0 || (Filter & ~(REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_ATTRIBUTES |
                                   REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_CHANGE_SECURITY)) != 0)
        return STATUS_INVALID_PARAMETER;
    New = ExAllocatePoolWithTag(PagedPool, sizeof(*New), CMP_TAG);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *New = (CMP_NOTIFICATION){
        .Key = Key, .Filter = Filter, .Tree = WatchTree, .Done = Done, .Context = Context};
    ExLockExclusive_(&CmpState.Lock);
    Deleted = Node->Deleted;
    if (!Deleted)
        InsertTailList(&Node->Notifications, &New->Link);
    ExUnlockExclusive_(&CmpState.Lock);
    if (!Deleted)
        return STATUS_PENDING;
    ExFreePoolWithTag(New, CMP_TAG);
    return STATUS_KEY_DELETED;
}
