/*
 * Nodes of the registry's tree.
 */
#include "cm/cmp.h"

static NTSTATUS CmpCopyName(PCUNICODE_STRING From, PUNICODE_STRING To)
{
    *To = (UNICODE_STRING){0};
    if (From->Length == 0)
        return STATUS_SUCCESS;
    To->Buffer = ExAllocatePoolWithTag(PagedPool, From->Length, CMP_TAG);
    if (To->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(To->Buffer, From->Buffer, From->Length);
    To->Length = To->MaximumLength = From->Length;
    return STATUS_SUCCESS;
}

CM_NODE *CmpNewNode(PCUNICODE_STRING Name, BOOLEAN Volatile)
{
    CM_NODE *Node = ExAllocatePoolWithTag(PagedPool, sizeof(*Node), CMP_TAG);

    if (Node == NULL)
        return NULL;
    RtlZeroMemory(Node, sizeof(*Node));
    if (!NT_SUCCESS(CmpCopyName(Name, &Node->Name))) {
        ExFreePoolWithTag(Node, CMP_TAG);
        return NULL;
    }
    atomic_init(&Node->References, 1);
    Node->Volatile = Volatile;
    InitializeListHead(&Node->Notifications);
    KeQuerySystemTime(&Node->LastWriteTime);
    return Node;
}

void CmpReferenceNode(CM_NODE *Node)
{
    atomic_fetch_add(&Node->References, 1);
}

void CmpDereferenceNode(CM_NODE *Node)
{
    if (atomic_fetch_sub(&Node->References, 1) != 1)
        return;
    NT_ASSERT(Node->SubkeyCount == 0 && IsListEmpty(&Node->Notifications));
    while (Node->ValueCount != 0)
        CmpDropValue(Node, Node->ValueCount - 1);
    if (Node->Values != NULL)
        ExFreePoolWithTag(Node->Values, CMP_TAG);
    if (Node->Subkeys != NULL)
        ExFreePoolWithTag(Node->Subkeys, CMP_TAG);
    if (Node->Name.Buffer != NULL)
        ExFreePoolWithTag(Node->Name.Buffer, CMP_TAG);
    ObFreeDescriptor_(Node->Security);
    ExFreePoolWithTag(Node, CMP_TAG);
}

/* NULL, and where it would stand. */
CM_NODE *CmpFindSubkey(CM_NODE *Node, PCUNICODE_STRING Name, ULONG *Position)
{
    ULONG Low = 0, High = Node->SubkeyCount;

    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        LONG Order = RtlCompareUnicodeString(Name, &Node->Subkeys[Middle]->Name, TRUE);
        if (Order == 0) {
            *Position = Middle;
            return Node->Subkeys[Middle];
        }
        if (Order < 0)
            High = Middle;
        else
            Low = Middle + 1;
    }
    *Position = Low;
    return NULL;
}

static BOOLEAN CmpMakeRoom(CM_NODE *Parent)
{
    ULONG Room = Parent->SubkeyRoom == 0 ? 4 : Parent->SubkeyRoom * 2;
    CM_NODE **Subkeys;

    if (Parent->SubkeyCount < Parent->SubkeyRoom)
        return TRUE;
    Subkeys = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Room * sizeof(PVOID), CMP_TAG);
    if (Subkeys == NULL)
        return FALSE;
    if (Parent->Subkeys != NULL) {
        RtlCopyMemory(Subkeys, Parent->Subkeys, (SIZE_T)Parent->SubkeyCount * sizeof(PVOID));
        ExFreePoolWithTag(Parent->Subkeys, CMP_TAG);
    }
    Parent->Subkeys = Subkeys;
    Parent->SubkeyRoom = Room;
    return TRUE;
}

NTSTATUS CmpAddSubkey(CM_NODE *Parent, CM_NODE *Node)
{
    ULONG Position;

    if (CmpFindSubkey(Parent, &Node->Name, &Position) != NULL)
        return STATUS_OBJECT_NAME_COLLISION;
    if (!CmpMakeRoom(Parent))
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlMoveMemory(&Parent->Subkeys[Position + 1], &Parent->Subkeys[Position],
                  (Parent->SubkeyCount - Position) * sizeof(PVOID));
    Parent->Subkeys[Position] = Node;
    Parent->SubkeyCount++;
    Node->Parent = Parent;
    return STATUS_SUCCESS;
}

void CmpRemoveSubkey(CM_NODE *Node)
{
    CM_NODE *Parent = Node->Parent;
    ULONG Position;

    NT_ASSERT(CmpFindSubkey(Parent, &Node->Name, &Position) == Node);
    RtlMoveMemory(&Parent->Subkeys[Position], &Parent->Subkeys[Position + 1],
                  (Parent->SubkeyCount - Position - 1) * sizeof(PVOID));
    Parent->SubkeyCount--;
    Node->Parent = NULL;
    CmpDereferenceNode(Node);
}

/* The node has changed. */
void CmpTouch(CM_NODE *Node)
{
    KeQuerySystemTime(&Node->LastWriteTime);
    if (!Node->Volatile)
        CmpState.Dirty = TRUE;
}

ULONG CmpPathBytes(CM_NODE *Node)
{
    ULONG Bytes = 0;

    for (; Node != NULL; Node = Node->Parent)
        Bytes += Node->Name.Length + sizeof(WCHAR);
    return Bytes;
}

void CmpWritePath(CM_NODE *Node, PUCHAR End)
{
    for (; Node != NULL; Node = Node->Parent) {
        End -= Node->Name.Length;
        if (Node->Name.Length != 0)
            RtlCopyMemory(End, Node->Name.Buffer, Node->Name.Length);
        End -= sizeof(WCHAR);
        RtlCopyMemory(End, L"\\", sizeof(WCHAR));
    }
}

NTSTATUS CmpMakePath(CM_NODE *Node, PUNICODE_STRING Path)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Bytes;

    *Path = (UNICODE_STRING){0};
    ExLockShared_(&CmpState.Lock);
    Bytes = CmpPathBytes(Node);
    if (Node->Deleted)
        Status = STATUS_KEY_DELETED;
    else if (Bytes > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR))
        Status = STATUS_NAME_TOO_LONG;
    else if ((Path->Buffer = ExAllocatePoolWithTag(PagedPool, Bytes + sizeof(WCHAR), CMP_TAG)) ==
             NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status)) {
        CmpWritePath(Node, (PUCHAR)Path->Buffer + Bytes);
        Path->Buffer[Bytes / sizeof(WCHAR)] = 0;
        Path->Length = (USHORT)Bytes;
        Path->MaximumLength = (USHORT)(Bytes + sizeof(WCHAR));
    }
    ExUnlockShared_(&CmpState.Lock);
    return Status;
}

/* Everything below the node, and the node. */
void CmpFreeTree(CM_NODE *Node)
{
    while (Node->SubkeyCount != 0) {
        CM_NODE *Last = Node->Subkeys[--Node->SubkeyCount];
        Last->Parent = NULL;
        CmpFreeTree(Last);
    }
    CmpDereferenceNode(Node);
}
