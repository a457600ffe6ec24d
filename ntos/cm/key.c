/*
 * Key objects: the walk from a key down a path, creation on the way, and what happens when handles
 * and objects go.
 */
#include "cm/cmp.h"

#define CMP_OPTIONS                                                                                \
    (REG_OPTION_VOLATILE | REG_OPTION_CREATE_LINK | REG_OPTION_BACKUP_RESTORE |                    \
     REG_OPTION_OPEN_LINK)

POBJECT_TYPE CmKeyObjectType_;
POBJECT_TYPE *CmKeyObjectType = &CmKeyObjectType_;

NTSTATUS CmpNewKey(CM_NODE *Node, POBJECT_ATTRIBUTES Attributes, CM_KEY **Key)
{
    NTSTATUS Status = ObCreateObject(KernelMode, CmKeyObjectType_, Attributes, KernelMode, NULL,
                                     sizeof(CM_KEY), 0, 0, (PVOID *)Key);

    if (!NT_SUCCESS(Status))
        return Status;
    InitializeListHead(&(*Key)->Contexts);
    CmpReferenceNode(Node);
    (*Key)->Node = Node;
    return STATUS_SUCCESS;
}

static void CmpDeleteKeyObject(PVOID Object)
{
    CM_KEY *Key = Object;

    if (Key->Node == NULL)
        return;
    CmpDropContexts(Key, NULL);
    if (Key->IdName.Buffer != NULL)
        ExFreePoolWithTag(Key->IdName.Buffer, CMP_TAG);
    ExLockExclusive_(&CmpState.Lock);
    CmpDereferenceNode(Key->Node);
    ExUnlockExclusive_(&CmpState.Lock);
}

static void CmpCloseKey(PEPROCESS Process, PVOID Object, ACCESS_MASK Granted,
                        ULONG ProcessHandleCount, ULONG SystemHandleCount)
{
    REG_KEY_HANDLE_CLOSE_INFORMATION Information = {.Object = Object};
    CMP_CALL Call = {.Post = RegNtPostKeyHandleClose,
                     .Object = Object,
                     .Information = &Information,
                     .CallContext = &Information.CallContext,
                     .ObjectContext = &Information.ObjectContext};
    LIST_ENTRY Fired;

    if (SystemHandleCount != 1)
        return;
    if (CmpHasCallbacks())
        CmpBefore(&Call, RegNtPreKeyHandleClose);
    InitializeListHead(&Fired);
    ExLockExclusive_(&CmpState.Lock);
    CmpCollectKey(CmpNode(Object), Object, &Fired);
    ExUnlockExclusive_(&CmpState.Lock);
    CmpFire(&Fired);
    CmpAfter(&Call, STATUS_SUCCESS);
}

/* ---- the walk ---- */

static BOOLEAN CmpNextName(PUNICODE_STRING Rest, PUNICODE_STRING Name)
{
    while (Rest->Length != 0 && Rest->Buffer[0] == L'\\') {
        Rest->Buffer++;
        Rest->Length -= sizeof(WCHAR);
    }
    *Name = (UNICODE_STRING){0, 0, Rest->Buffer};
    while (Rest->Length != 0 && Rest->Buffer[0] != L'\\') {
        Rest->Buffer++;
        Rest->Length -= sizeof(WCHAR);
        Name->Length += sizeof(WCHAR);
    }
    Name->MaximumLength = Name->Length;
    return Name->Length != 0;
}

static BOOLEAN CmpIsLast(UNICODE_STRING Rest)
{
    UNICODE_STRING Name;

    return !CmpNextName(&Rest, &Name);
}

/* The link's target and the rest of the path take the path's place. */
static NTSTATUS CmpFollowLink(CM_NODE *Node, PCUNICODE_STRING Rest, PUNICODE_STRING Path)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(CMP_LINK_VALUE);
    ULONG Index, Length;
    CM_VALUE *Value = CmpFindValue(Node, &Name, &Index);
    PWCH Buffer;

    if (Value == NULL || Value->Length < sizeof(WCHAR) || (Value->Length & 1) != 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Length = Value->Length + Rest->Length;
    if (Length > UNICODE_STRING_MAX_BYTES)
        return STATUS_NAME_TOO_LONG;
    Buffer = ExAllocatePoolWithTag(PagedPool, Length, CMP_TAG);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Buffer, Value->Data, Value->Length);
    RtlCopyMemory((PUCHAR)Buffer + Value->Length, Rest->Buffer, Rest->Length);
    ExFreePool(Path->Buffer);
    *Path = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Buffer};
    return STATUS_REPARSE;
}

/* As far down as there are keys. *Node is where the walk ended, Name what is missing (empty:
 * nothing), Rest what comes after it. */
static NTSTATUS CmpWalk(CM_NODE **Node, PUNICODE_STRING Rest, PUNICODE_STRING Name,
                        PUNICODE_STRING Path, BOOLEAN OpenLink)
{
    ULONG Position;

    if ((*Node)->Deleted)
        return STATUS_KEY_DELETED;
    while (CmpNextName(Rest, Name)) {
        CM_NODE *Next = CmpFindSubkey(*Node, Name, &Position);
        if (Next == NULL)
            return STATUS_OBJECT_NAME_NOT_FOUND;
        *Node = Next;
        if (Next->Link && !(OpenLink && CmpIsLast(*Rest)))
            return CmpFollowLink(Next, Rest, Path);
    }
    return STATUS_SUCCESS;
}

/* ---- creation ---- */

static NTSTATUS CmpCheckCreate(CM_NODE *Parent, PCUNICODE_STRING Name, UNICODE_STRING Rest,
                               CMP_CREATE *Create)
{
    if (!CmpIsLast(Rest))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (Name->Length > CMP_MAX_NAME)
        return STATUS_INVALID_PARAMETER;
    if (Parent == CmpState.Root)
        return STATUS_ACCESS_DENIED;
    if (Parent->Volatile && (Create->Options & REG_OPTION_VOLATILE) == 0)
        return STATUS_CHILD_MUST_BE_VOLATILE;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpCreateNode(CM_NODE *Parent, PCUNICODE_STRING Name, CMP_CREATE *Create,
                              CM_NODE **Node)
{
    NTSTATUS Status;

    *Node = CmpNewNode(Name, (Create->Options & REG_OPTION_VOLATILE) != 0);
    if (*Node == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*Node)->Link = (Create->Options & REG_OPTION_CREATE_LINK) != 0;
    (*Node)->Security = Create->Security;
    Create->Security = NULL;
    Status = CmpAddSubkey(Parent, *Node);
    if (!NT_SUCCESS(Status)) {
        CmpDereferenceNode(*Node);
        return Status;
    }
    CmpTouch(Parent);
    CmpTouch(*Node);
    Create->Disposition = REG_CREATED_NEW_KEY;
    return STATUS_SUCCESS;
}

/* May this caller make subkeys of the node? Without the lock; the node is referenced. */
static NTSTATUS CmpMayCreate(CM_NODE *Parent, PACCESS_STATE AccessState, KPROCESSOR_MODE Mode)
{
    CM_KEY *Key;
    NTSTATUS Status;

    if (Mode == KernelMode)
        return STATUS_SUCCESS;
    Status = CmpNewKey(Parent, NULL, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObCheckObjectAccess_(Key, AccessState, KEY_CREATE_SUB_KEY, Mode);
    ObDereferenceObject(Key);
    return Status;
}

/* The node that the path leads to, referenced; *Missing, referenced too, is the parent that lacks
 * the last name. */
static NTSTATUS CmpResolve(CM_NODE *Start, UNICODE_STRING Rest, PUNICODE_STRING Path,
                           CMP_CREATE *Create, BOOLEAN OpenLink, BOOLEAN Allowed, CM_NODE **Found,
                           CM_NODE **Missing, PLIST_ENTRY Fired)
{
    CM_NODE *Node = Start, *New;
    UNICODE_STRING Name;
    NTSTATUS Status = CmpWalk(&Node, &Rest, &Name, Path, OpenLink);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create != NULL) {
        Status = CmpCheckCreate(Node, &Name, Rest, Create);
        if (NT_SUCCESS(Status) && !Allowed) {
            CmpReferenceNode(Node);
            *Missing = Node;
            return STATUS_SUCCESS;
        }
        if (NT_SUCCESS(Status))
            Status = CmpCreateNode(Node, &Name, Create, &New);
        if (NT_SUCCESS(Status)) {
            CmpCollectChange(Node, REG_NOTIFY_CHANGE_NAME, Fired);
            Node = New;
        }
    } else if (Status == STATUS_SUCCESS && Create != NULL) {
        Create->Disposition = REG_OPENED_EXISTING_KEY;
        if ((Create->Options & REG_OPTION_CREATE_LINK) != 0)
            Status = STATUS_OBJECT_NAME_COLLISION;
    }
    if (Status == STATUS_SUCCESS) {
        CmpReferenceNode(Node);
        *Found = Node;
    }
    return Status;
}

static NTSTATUS CmpResolveLocked(CM_NODE *Start, PUNICODE_STRING Remaining, PUNICODE_STRING Path,
                                 CMP_CREATE *Create, BOOLEAN OpenLink, BOOLEAN Allowed,
                                 CM_NODE **Found, CM_NODE **Missing)
{
    LIST_ENTRY Fired;
    NTSTATUS Status;

    InitializeListHead(&Fired);
    ExLockExclusive_(&CmpState.Lock);
    Status = CmpResolve(Start, *Remaining, Path, Create, OpenLink, Allowed, Found, Missing, &Fired);
    ExUnlockExclusive_(&CmpState.Lock);
    CmpFire(&Fired);
    return Status;
}

static void CmpReleaseNode(CM_NODE *Node)
{
    ExLockExclusive_(&CmpState.Lock);
    CmpDereferenceNode(Node);
    ExUnlockExclusive_(&CmpState.Lock);
}

/* Context: CMP_CREATE, or NULL to open. Only the last key of a path is made. */
static NTSTATUS CmpParseKey(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                            KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                            PUNICODE_STRING Remaining, PVOID Context,
                            PSECURITY_QUALITY_OF_SERVICE Qos, PVOID *Found)
{
    CM_NODE *Start = CmpNode(ParseObject), *Node = NULL, *Missing = NULL;
    CMP_CREATE *Create = Context;
    BOOLEAN OpenLink = (Attributes & OBJ_OPENLINK) != 0 ||
                       (Create != NULL &&
                        (Create->Options & (REG_OPTION_OPEN_LINK | REG_OPTION_CREATE_LINK)) != 0);
    NTSTATUS Status;

    if (Type != NULL && Type != CmKeyObjectType_)
        return STATUS_OBJECT_TYPE_MISMATCH;
    Status = CmpResolveLocked(Start, Remaining, Path, Create, OpenLink, Mode == KernelMode, &Node,
                              &Missing);
    if (Missing != NULL) {
        Status = CmpMayCreate(Missing, AccessState, Mode);
        CmpReleaseNode(Missing);
        if (NT_SUCCESS(Status))
            Status =
                CmpResolveLocked(Start, Remaining, Path, Create, OpenLink, TRUE, &Node, &Missing);
    }
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = CmpNewKey(Node, NULL, (CM_KEY **)Found);
    CmpReleaseNode(Node);
    return Status;
}

/* ---- names and security ---- */

static NTSTATUS CmpQueryKeyName(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information,
                                ULONG Length, PULONG Returned, KPROCESSOR_MODE Mode)
{
    UNICODE_STRING Path;
    NTSTATUS Status = CmpMakePath(CmpNode(Object), &Path);

    if (!NT_SUCCESS(Status))
        return Status;
    *Returned = sizeof(*Information) + Path.MaximumLength;
    if (Length < *Returned || Information == NULL) {
        Status = STATUS_INFO_LENGTH_MISMATCH;
    } else {
        Information->Name =
            (UNICODE_STRING){Path.Length, Path.MaximumLength, (PWCH)(Information + 1)};
        RtlCopyMemory(Information->Name.Buffer, Path.Buffer, Path.MaximumLength);
    }
    ExFreePoolWithTag(Path.Buffer, CMP_TAG);
    return Status;
}

/* A node without a descriptor has its nearest ancestor's; setting gives it one of its own first. */
static NTSTATUS CmpSecurity(PVOID Object, ULONG Operation, PSECURITY_INFORMATION Information,
                            PSECURITY_DESCRIPTOR Descriptor, PULONG Length,
                            PSECURITY_DESCRIPTOR *Stored, POOL_TYPE Pool, PGENERIC_MAPPING Mapping)
{
    CM_NODE *Node = CmpNode(Object), *Owner;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Operation == AssignSecurityDescriptor || Operation == DeleteSecurityDescriptor)
        return STATUS_SUCCESS;
    ExLockExclusive_(&CmpState.Lock);
    for (Owner = Node; Owner->Security == NULL && Owner->Parent != NULL; Owner = Owner->Parent)
        continue;
    if (Operation == SetSecurityDescriptor && Owner != Node && Owner->Security != NULL)
        Status = ObAssignDescriptor_(NULL, Owner->Security, TRUE, Mapping, &Node->Security);
    if (Operation == SetSecurityDescriptor)
        Owner = Node;
    if (NT_SUCCESS(Status))
        Status = Node->Deleted ? STATUS_KEY_DELETED
                               : ObDefaultSecurity_(Object, Operation, Information, Descriptor,
                                                    Length, &Owner->Security, Mapping);
    ExUnlockExclusive_(&CmpState.Lock);
    return Status;
}

NTSTATUS CmpCreateKeyType(void)
{
    static const OB_TYPE_PROCEDURES Procedures = {.Close = CmpCloseKey,
                                                  .Delete = CmpDeleteKeyObject,
                                                  .Parse = CmpParseKey,
                                                  .Security = CmpSecurity,
                                                  .QueryName = CmpQueryKeyName};
    static const GENERIC_MAPPING Mapping = {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS};

    return ObCreateObjectType_(L"Key", &Procedures, &Mapping, KEY_ALL_ACCESS, PagedPool, ' yeK',
                               OB_NOT_WAITABLE, &CmKeyObjectType_);
}

/* ---- the services' backs ---- */

static NTSTATUS CmpOpenOrCreate(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                                CMP_CREATE *Create, KPROCESSOR_MODE Mode)
{
    PVOID Root = NULL, Result = NULL;
    ULONG Disposition = 0;
    REG_CREATE_KEY_INFORMATION Information = {.CompleteName = Attributes->ObjectName,
                                              .ObjectType = CmKeyObjectType_,
                                              .DesiredAccess = Desired,
                                              .CreateOptions = Create != NULL ? Create->Options : 0,
                                              .Disposition = &Disposition,
                                              .SecurityDescriptor = Attributes->SecurityDescriptor,
                                              .ResultObject = &Result};
    CMP_CALL Call = {.Post = Create != NULL ? RegNtPostCreateKeyEx : RegNtPostOpenKeyEx,
                     .Information = &Information,
                     .CallContext = &Information.CallContext,
                     .ObjectContext = &Information.RootObjectContext};
    NTSTATUS Status;

    if (!CmpHasCallbacks())
        return ObOpenObjectByName(Attributes, CmKeyObjectType_, Mode, NULL, Desired, Create,
                                  Handle);
    if (Attributes->RootDirectory != NULL) {
        Status = ObReferenceObjectByHandle(Attributes->RootDirectory, 0, NULL, Mode, &Root, NULL);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Information.RootObject = Root != NULL ? Root : CmpState.RootKey;
    Status = CmpBefore(&Call, Create != NULL ? RegNtPreCreateKeyEx : RegNtPreOpenKeyEx);
    if (Status == STATUS_SUCCESS) {
        Status =
            ObOpenObjectByName(Attributes, CmKeyObjectType_, Mode, NULL, Desired, Create, Handle);
        if (NT_SUCCESS(Status) &&
            NT_SUCCESS(ObReferenceObjectByHandle(*Handle, 0, NULL, KernelMode, &Result, NULL)))
            Call.Object = Result;
        if (Create != NULL)
            Disposition = Create->Disposition;
    }
    Status = CmpAfter(&Call, Status);
    if (Result != NULL)
        ObDereferenceObject(Result);
    if (Root != NULL)
        ObDereferenceObject(Root);
    return Status;
}

/* Opens the key, or makes it below an existing one. Attributes in kernel memory.
 * STATUS_OBJECT_NAME_NOT_FOUND (no parent), STATUS_CHILD_MUST_BE_VOLATILE,
 * STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED, STATUS_OBJECT_NAME_COLLISION (a link that
 * exists). PASSIVE_LEVEL. Doc: wdm/nf-wdm-zwcreatekey */
NTSTATUS CmCreateKey_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                      ULONG Options, PULONG Disposition, KPROCESSOR_MODE Mode)
{
    CMP_CREATE Create = {.Options = Options};
    NTSTATUS Status = STATUS_SUCCESS;

    *Handle = NULL;
    if (Attributes == NULL || (Options & ~CMP_OPTIONS) != 0)
        return STATUS_INVALID_PARAMETER;
    if (Attributes->SecurityDescriptor != NULL)
        Status = ObAssignDescriptor_(NULL, Attributes->SecurityDescriptor, TRUE,
                                     &CmKeyObjectType_->Mapping, &Create.Security);
    if (!NT_SUCCESS(Status) && Status != STATUS_NOT_SUPPORTED)
        return Status;
    Status = CmpOpenOrCreate(Handle, Desired, Attributes, &Create, Mode);
    ObFreeDescriptor_(Create.Security);
    if (NT_SUCCESS(Status) && Disposition != NULL)
        *Disposition = Create.Disposition;
    return Status;
}

/* Doc: wdm/nf-wdm-zwopenkey */
NTSTATUS CmOpenKey_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                    KPROCESSOR_MODE Mode)
{
    *Handle = NULL;
    return Attributes == NULL ? STATUS_INVALID_PARAMETER
                              : CmpOpenOrCreate(Handle, Desired, Attributes, NULL, Mode);
}
