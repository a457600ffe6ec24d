/*
 * Objects, by name and by pointer; the insertion of new ones.
 */
#include "ob/obp.h"

/* Takes the create information out of an object that nobody else can reach yet. */
static OBP_CREATE_INFO *ObpTakeCreateInfo(OBJECT_HEADER_NT *Header)
{
    OBP_CREATE_INFO *Info = Header->Create;

    Header->Create = NULL;
    return Info;
}

static void ObpFreeCreateInfo(OBP_CREATE_INFO *Info)
{
    ObpReleaseAttributes(Info);
    ExFreePoolWithTag(Info, OBP_NAME_TAG);
}

/* TRUE: a parse procedure has just made the object for this caller. */
static BOOLEAN ObpIsFresh(OBJECT_HEADER_NT *Header)
{
    OBP_CREATE_INFO *Info;

    if (Header->Create == NULL)
        return FALSE;
    Info = ObpTakeCreateInfo(Header);
    ObpFreeCreateInfo(Info);
    return TRUE;
}

/* Looks Info's name up; the object found is referenced. Moves the name out of Info. */
static NTSTATUS ObpLookupInfo(OBP_CREATE_INFO *Info, POBJECT_TYPE Type, PACCESS_STATE State,
                              PVOID Insert, PVOID *Found)
{
    OBP_LOOKUP Lookup = {.Path = Info->Name,
                         .Attributes = Info->Attributes,
                         .Type = Type,
                         .Mode = Info->Mode,
                         .AccessState = State,
                         .ParseContext = Info->ParseContext,
                         .Quality = Info->Quality,
                         .Insert = Insert,
                         .Security = Info->Security};
    NTSTATUS Status = STATUS_SUCCESS;

    Info->Name = (UNICODE_STRING){0};
    if (Info->Root != NULL)
        Status = ObReferenceObjectByHandle(Info->Root, 0, NULL, Info->Mode, &Lookup.Root, NULL);
    if (NT_SUCCESS(Status)) {
        Status = ObpLookup(&Lookup);
        if (Lookup.Root != NULL)
            ObDereferenceObject(Lookup.Root);
    }
    if (Lookup.Path.Buffer != NULL)
        ExFreePool(Lookup.Path.Buffer); /* perhaps a parse procedure's */
    *Found = Lookup.Found;
    return Status;
}

/* Names the new object. STATUS_OBJECT_NAME_EXISTS: *Found is another one, referenced, of the same
 * name and type. */
static NTSTATUS ObpInsertNamed(PVOID Object, OBP_CREATE_INFO *Info, PACCESS_STATE State,
                               PVOID *Found)
{
    ULONG Attributes = Info->Attributes;
    NTSTATUS Status = ObpLookupInfo(Info, ObHeader(Object)->Type, State, Object, Found);

    if (Status != STATUS_OBJECT_NAME_COLLISION || *Found == NULL)
        return Status;
    if ((Attributes & OBJ_OPENIF) != 0 && ObHeader(*Found)->Type == ObHeader(Object)->Type)
        return STATUS_OBJECT_NAME_EXISTS;
    Status = (Attributes & OBJ_OPENIF) != 0 ? STATUS_OBJECT_TYPE_MISMATCH : Status;
    ObDereferenceObject(*Found);
    return Status;
}

static NTSTATUS ObpInsertHandle(PVOID Object, BOOLEAN Existing, OBP_CREATE_INFO *Info,
                                PACCESS_STATE State, PHANDLE Handle)
{
    OBP_HANDLE Request = {.Reason = Existing ? ObOpenHandle : ObCreateHandle,
                          .Object = Object,
                          .Attributes = Info->Attributes};
    NTSTATUS Status = STATUS_SUCCESS;

    if (Existing)
        Status = ObpCheckOpen(Object, State, Info->Mode, &Request.Granted);
    else
        Request.Granted = ObpMapAccess(ObHeader(Object)->Type, State->OriginalDesiredAccess);
    return NT_SUCCESS(Status) ? ObpMakeHandle(&Request, Handle) : Status;
}

/* Consumes the caller's reference, in failure too. Names the object and makes a handle, if asked
 * for (Handle may be NULL). *NewObject, if given, is the object with AdditionalReferences; after
 * STATUS_OBJECT_NAME_EXISTS the one that was there. IRQL PASSIVE_LEVEL. Doc:
 * ntifs/nf-ntifs-obinsertobject */
NTSTATUS NTAPI ObInsertObject(PVOID Object, PACCESS_STATE PassedAccessState,
                              ACCESS_MASK DesiredAccess, ULONG AdditionalReferences,
                              PVOID *NewObject, PHANDLE Handle)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    OBP_CREATE_INFO *Info = ObpTakeCreateInfo(Header);
    PVOID Other = NULL, Final;
    NTSTATUS Status, Made = STATUS_SUCCESS;
    OBP_ACCESS Access;
    ULONG Index;

    VF_IRQL_MAX(APC_LEVEL);
    NT_ASSERT(Info != NULL);
    Status = ObpBeginAccess(&Access, PassedAccessState, DesiredAccess, Header->Type);
    if (NT_SUCCESS(Status) && (Info->Name.Length != 0 || Info->Root != NULL))
        Status = ObpInsertNamed(Object, Info, Access.State, &Other);
    else if (NT_SUCCESS(Status) && Info->Security != NULL)
        Status = ObpAssignSecurity(Object, NULL, Info->Security);
    if (!NT_SUCCESS(Status))
        goto Done;
    Final = Other != NULL ? Other : Object;
    if (Handle != NULL)
        Made = ObpInsertHandle(Final, Other != NULL, Info, Access.State, Handle);
    if (!NT_SUCCESS(Made)) {
        Status = Made;
        if (Other == NULL)
            ObpUnname(Header, FALSE);
    }
    for (Index = 0; NT_SUCCESS(Status) && Index < AdditionalReferences; Index++)
        ObReferenceObject(Final);
    if (NT_SUCCESS(Status) && NewObject != NULL)
        *NewObject = Final;
    if (Other != NULL)
        ObDereferenceObject(Other);
Done:
    ObpEndAccess(&Access);
    ObpFreeCreateInfo(Info);
    ObDereferenceObject(Object);
    return Status;
}

static NTSTATUS ObpFindTyped(OBP_CREATE_INFO *Info, POBJECT_TYPE Type, PACCESS_STATE State,
                             PVOID *Object)
{
    NTSTATUS Status;

    if (Info->Name.Length == 0 && Info->Root == NULL)
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    Status = ObpLookupInfo(Info, Type, State, NULL, Object);
    if (NT_SUCCESS(Status) && Type != NULL && ObHeader(*Object)->Type != Type) {
        ObDereferenceObject(*Object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    return Status;
}

/* A handle to an existing object, or one that a parse procedure makes. Attributes are in kernel
 * memory. PASSIVE_LEVEL. */
NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES Attributes, POBJECT_TYPE Type,
                                  KPROCESSOR_MODE Mode, PACCESS_STATE AccessState,
                                  ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle)
{
    OBP_HANDLE Request = {.Reason = ObOpenHandle};
    OBP_CREATE_INFO Info;
    OBP_ACCESS Access;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    *Handle = NULL;
    if (Attributes == NULL)
        return STATUS_INVALID_PARAMETER;
    Status = ObpDecodeAttributes(Attributes, Mode, &Info);
    if (!NT_SUCCESS(Status))
        return Status;
    Info.ParseContext = ParseContext;
    Request.Attributes = Info.Attributes;
    Status = ObpBeginAccess(&Access, AccessState, DesiredAccess, Type);
    if (NT_SUCCESS(Status))
        Status = ObpFindTyped(&Info, Type, Access.State, &Request.Object);
    if (NT_SUCCESS(Status)) {
        if (ObpIsFresh(ObHeader(Request.Object)))
            Request.Reason = ObCreateHandle;
        Status = ObpCheckOpen(Request.Object, Access.State, Mode, &Request.Granted);
        if (NT_SUCCESS(Status))
            Status = ObpMakeHandle(&Request, Handle);
        ObDereferenceObject(Request.Object);
    }
    ObpEndAccess(&Access);
    ObpReleaseAttributes(&Info);
    return Status;
}

/* The object is referenced; no handle. Doc: none (exported, used by drivers as \Driver\... look-up)
 */
NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING Name, ULONG Attributes,
                                       PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                                       POBJECT_TYPE Type, KPROCESSOR_MODE Mode, PVOID ParseContext,
                                       PVOID *Object)
{
    OBJECT_ATTRIBUTES Given;
    OBP_CREATE_INFO Info;
    OBP_ACCESS Access;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    *Object = NULL;
    InitializeObjectAttributes(&Given, Name, Attributes, NULL, NULL);
    Status = ObpDecodeAttributes(&Given, Mode, &Info);
    if (!NT_SUCCESS(Status))
        return Status;
    Info.ParseContext = ParseContext;
    Status = ObpBeginAccess(&Access, AccessState, DesiredAccess, Type);
    if (NT_SUCCESS(Status))
        Status = ObpFindTyped(&Info, Type, Access.State, Object);
    if (NT_SUCCESS(Status)) {
        ObpIsFresh(ObHeader(*Object));
        Status = ObpCheckOpen(*Object, Access.State, Mode, &Granted);
        if (!NT_SUCCESS(Status)) {
            ObDereferenceObject(*Object);
            *Object = NULL;
        }
    }
    ObpEndAccess(&Access);
    ObpReleaseAttributes(&Info);
    return Status;
}

/* STATUS_OBJECT_TYPE_MISMATCH, or what the access check says. IRQL <= APC_LEVEL. Doc:
 * ntifs/nf-ntifs-obopenobjectbypointer */
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes,
                                     PACCESS_STATE PassedAccessState, ACCESS_MASK DesiredAccess,
                                     POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                     PHANDLE Handle)
{
    OBP_HANDLE Request = {.Reason = ObOpenHandle, .Object = Object, .Attributes = HandleAttributes};
    OBP_ACCESS Access;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    *Handle = NULL;
    if ((HandleAttributes & ~OBJ_VALID_ATTRIBUTES) != 0 ||
        (AccessMode != KernelMode && (HandleAttributes & OBJ_KERNEL_HANDLE) != 0))
        return STATUS_INVALID_PARAMETER;
    Status = ObReferenceObjectByPointer(
        Object, 0, ObjectType != NULL ? ObjectType : ObHeader(Object)->Type, AccessMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpBeginAccess(&Access, PassedAccessState, DesiredAccess, ObHeader(Object)->Type);
    if (NT_SUCCESS(Status))
        Status = ObpCheckOpen(Object, Access.State, AccessMode, &Request.Granted);
    if (NT_SUCCESS(Status))
        Status = ObpMakeHandle(&Request, Handle);
    ObpEndAccess(&Access);
    ObDereferenceObject(Object);
    return Status;
}

/* Doc: ntifs/nf-ntifs-obopenobjectbypointerwithtag */
NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes,
                                            PACCESS_STATE PassedAccessState,
                                            ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                            KPROCESSOR_MODE AccessMode, ULONG Tag, PHANDLE Handle)
{
    return ObOpenObjectByPointer(Object, HandleAttributes, PassedAccessState, DesiredAccess,
                                 ObjectType, AccessMode, Handle);
}
