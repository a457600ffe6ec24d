/*
 * The services' backs on a key object: each asks the registry callbacks, does its work under the
 * lock, tells the watchers, tells the callbacks.
 */
#include "cm/cmp.h"

#define CMP_INFORM(type, call, object, post, ...)                                                  \
    type Information = {.Object = (object), __VA_ARGS__};                                          \
    CMP_CALL call = {.Post = (post),                                                               \
                     .Object = (object),                                                           \
                     .Information = &Information,                                                  \
                     .CallContext = &Information.CallContext,                                      \
                     .ObjectContext = &Information.ObjectContext}

static NTSTATUS CmpAsk(CMP_CALL *Call, REG_NOTIFY_CLASS Class)
{
    return CmpHasCallbacks() ? CmpBefore(Call, Class) : STATUS_SUCCESS;
}

static NTSTATUS CmpDoDelete(CM_NODE *Node, PLIST_ENTRY Fired)
{
    CM_NODE *Parent = Node->Parent;

    if (Node->Deleted)
        return STATUS_KEY_DELETED;
    if (Node->SubkeyCount != 0 || Node->Fixed || Parent == NULL)
        return STATUS_CANNOT_DELETE;
    CmpCollectChange(Parent, REG_NOTIFY_CHANGE_NAME, Fired);
    CmpCollectKey(Node, NULL, Fired);
    CmpTouch(Parent);
    Node->Deleted = TRUE;
    if (!Node->Volatile)
        CmpState.Dirty = TRUE;
    CmpRemoveSubkey(Node);
    return STATUS_SUCCESS;
}

/* STATUS_CANNOT_DELETE: it has subkeys, or belongs to the system; STATUS_KEY_DELETED. Open handles
 * stay, for closing. Doc: wdm/nf-wdm-zwdeletekey */
NTSTATUS CmDeleteKey_(PVOID Key)
{
    CMP_INFORM(REG_DELETE_KEY_INFORMATION, Call, Key, RegNtPostDeleteKey);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreDeleteKey);
    LIST_ENTRY Fired;

    InitializeListHead(&Fired);
    if (Status == STATUS_SUCCESS) {
        ExLockExclusive_(&CmpState.Lock);
        Status = CmpDoDelete(CmpNode(Key), &Fired);
        ExUnlockExclusive_(&CmpState.Lock);
    }
    CmpFire(&Fired);
    return CmpAfter(&Call, Status);
}

static BOOLEAN CmpIsLinkValue(PCUNICODE_STRING Name, ULONG Type)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(CMP_LINK_VALUE);

    return Type == REG_LINK && RtlEqualUnicodeString(Name, &Link, TRUE);
}

static NTSTATUS CmpDoSet(CM_NODE *Node, PCUNICODE_STRING Name, ULONG Type, PVOID Data, ULONG Length,
                         PLIST_ENTRY Fired)
{
    NTSTATUS Status;

    if (Node->Deleted)
        return STATUS_KEY_DELETED;
    if (Node->Link && !CmpIsLinkValue(Name, Type))
        return STATUS_ACCESS_DENIED;
    Status = CmpPutValue(Node, Name, Type, Data, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    CmpTouch(Node);
    CmpCollectChange(Node, REG_NOTIFY_CHANGE_LAST_SET, Fired);
    return STATUS_SUCCESS;
}

/* An empty name is the key's default value. STATUS_KEY_DELETED, STATUS_INVALID_PARAMETER (too long
 * a name), STATUS_ACCESS_DENIED (a link has its target only). Doc: wdm/nf-wdm-zwsetvaluekey */
NTSTATUS CmSetValue_(PVOID Key, PCUNICODE_STRING Name, ULONG Type, PVOID Data, ULONG Length)
{
    CMP_INFORM(REG_SET_VALUE_KEY_INFORMATION, Call, Key, RegNtPostSetValueKey,
               .ValueName = (PUNICODE_STRING)Name, .Type = Type, .Data = Data, .DataSize = Length);
    LIST_ENTRY Fired;
    NTSTATUS Status;

    if (Name->Length > CMP_MAX_VALUE_NAME || (Name->Length & 1) != 0)
        return STATUS_INVALID_PARAMETER;
    InitializeListHead(&Fired);
    Status = CmpAsk(&Call, RegNtPreSetValueKey);
    if (Status == STATUS_SUCCESS) {
        ExLockExclusive_(&CmpState.Lock);
        Status = CmpDoSet(CmpNode(Key), Name, Type, Data, Length, &Fired);
        ExUnlockExclusive_(&CmpState.Lock);
    }
    CmpFire(&Fired);
    return CmpAfter(&Call, Status);
}

static NTSTATUS CmpDoDeleteValue(CM_NODE *Node, PCUNICODE_STRING Name, PLIST_ENTRY Fired)
{
    ULONG Index;

    if (Node->Deleted)
        return STATUS_KEY_DELETED;
    if (CmpFindValue(Node, Name, &Index) == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    CmpDropValue(Node, Index);
    CmpTouch(Node);
    CmpCollectChange(Node, REG_NOTIFY_CHANGE_LAST_SET, Fired);
    return STATUS_SUCCESS;
}

/* Doc: wdm/nf-wdm-zwdeletevaluekey */
NTSTATUS CmDeleteValue_(PVOID Key, PCUNICODE_STRING Name)
{
    CMP_INFORM(REG_DELETE_VALUE_KEY_INFORMATION, Call, Key, RegNtPostDeleteValueKey,
               .ValueName = (PUNICODE_STRING)Name);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreDeleteValueKey);
    LIST_ENTRY Fired;

    InitializeListHead(&Fired);
    if (Status == STATUS_SUCCESS) {
        ExLockExclusive_(&CmpState.Lock);
        Status = CmpDoDeleteValue(CmpNode(Key), Name, &Fired);
        ExUnlockExclusive_(&CmpState.Lock);
    }
    CmpFire(&Fired);
    return CmpAfter(&Call, Status);
}

/* STATUS_OBJECT_NAME_NOT_FOUND; STATUS_BUFFER_TOO_SMALL or STATUS_BUFFER_OVERFLOW with the needed
 * length. Doc: wdm/nf-wdm-zwqueryvaluekey */
NTSTATUS CmQueryValue_(PVOID Key, PCUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                       PVOID Buffer, ULONG Length, PULONG Returned)
{
    CMP_INFORM(REG_QUERY_VALUE_KEY_INFORMATION, Call, Key, RegNtPostQueryValueKey,
               .ValueName = (PUNICODE_STRING)Name, .KeyValueInformationClass = Class,
               .KeyValueInformation = Buffer, .Length = Length, .ResultLength = Returned);
    CM_NODE *Node = CmpNode(Key);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreQueryValueKey);
    CM_VALUE *Value;
    ULONG Index;

    if (Status == STATUS_SUCCESS) {
        *Returned = 0;
        ExLockShared_(&CmpState.Lock);
        Value = CmpFindValue(Node, Name, &Index);
        Status = Node->Deleted   ? STATUS_KEY_DELETED
                 : Value == NULL ? STATUS_OBJECT_NAME_NOT_FOUND
                                 : CmpDescribeValue(Value, Class, Buffer, Length, Returned);
        ExUnlockShared_(&CmpState.Lock);
    }
    return CmpAfter(&Call, Status);
}

/* STATUS_NO_MORE_ENTRIES beyond the last. Doc: wdm/nf-wdm-zwenumeratevaluekey */
NTSTATUS CmEnumerateValue_(PVOID Key, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class, PVOID Buffer,
                           ULONG Length, PULONG Returned)
{
    CMP_INFORM(REG_ENUMERATE_VALUE_KEY_INFORMATION, Call, Key, RegNtPostEnumerateValueKey,
               .Index = Index, .KeyValueInformationClass = Class, .KeyValueInformation = Buffer,
               .Length = Length, .ResultLength = Returned);
    CM_NODE *Node = CmpNode(Key);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreEnumerateValueKey);

    if (Status == STATUS_SUCCESS) {
        *Returned = 0;
        ExLockShared_(&CmpState.Lock);
        Status = Node->Deleted ? STATUS_KEY_DELETED
                 : Index >= Node->ValueCount
                     ? STATUS_NO_MORE_ENTRIES
                     : CmpDescribeValue(Node->Values[Index], Class, Buffer, Length, Returned);
        ExUnlockShared_(&CmpState.Lock);
    }
    return CmpAfter(&Call, Status);
}

/* Doc: wdm/nf-wdm-zwenumeratekey */
NTSTATUS CmEnumerateKey_(PVOID Key, ULONG Index, KEY_INFORMATION_CLASS Class, PVOID Buffer,
                         ULONG Length, PULONG Returned)
{
    CMP_INFORM(REG_ENUMERATE_KEY_INFORMATION, Call, Key, RegNtPostEnumerateKey, .Index = Index,
               .KeyInformationClass = Class, .KeyInformation = Buffer, .Length = Length,
               .ResultLength = Returned);
    CM_NODE *Node = CmpNode(Key);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreEnumerateKey);

    if (Status == STATUS_SUCCESS) {
        *Returned = 0;
        ExLockShared_(&CmpState.Lock);
        Status = Node->Deleted ? STATUS_KEY_DELETED
                 : Index >= Node->SubkeyCount
                     ? STATUS_NO_MORE_ENTRIES
                     : CmpDescribeKey(Node->Subkeys[Index], Class, Buffer, Length, Returned);
        ExUnlockShared_(&CmpState.Lock);
    }
    return CmpAfter(&Call, Status);
}

/* Doc: wdm/nf-wdm-zwquerykey */
NTSTATUS CmQueryKey_(PVOID Key, KEY_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length,
                     PULONG Returned)
{
    CMP_INFORM(REG_QUERY_KEY_INFORMATION, Call, Key, RegNtPostQueryKey,
               .KeyInformationClass = Class, .KeyInformation = Buffer, .Length = Length,
               .ResultLength = Returned);
    CM_NODE *Node = CmpNode(Key);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreQueryKey);

    if (Status == STATUS_SUCCESS) {
        *Returned = 0;
        ExLockShared_(&CmpState.Lock);
        Status = Node->Deleted ? STATUS_KEY_DELETED
                               : CmpDescribeKey(Node, Class, Buffer, Length, Returned);
        ExUnlockShared_(&CmpState.Lock);
    }
    return CmpAfter(&Call, Status);
}

/* Writes the hive file. Doc: wdm/nf-wdm-zwflushkey */
NTSTATUS CmFlushKey_(PVOID Key)
{
    CMP_INFORM(REG_FLUSH_KEY_INFORMATION, Call, Key, RegNtPostFlushKey);
    NTSTATUS Status = CmpAsk(&Call, RegNtPreFlushKey);

    if (Status == STATUS_SUCCESS)
        Status = CmpNode(Key)->Deleted ? STATUS_KEY_DELETED : CmFlush_();
    return CmpAfter(&Call, Status);
}
