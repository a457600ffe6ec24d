/*
 * From a path to an object.
 *
 * The walk starts at the root or at a given object and goes component by component. An object whose
 * type parses (a link, a device, a key) gets the rest of the path; it may answer with another path
 * (STATUS_REPARSE), and the walk starts again at the root, at most OBP_REPARSE_LIMIT times.
 */
#include "ob/obp.h"

static const WCHAR ObpSeparator = L'\\';

/* Takes the first component off Rest (which does not begin with a separator). */
static void ObpSplit(PUNICODE_STRING Rest, PUNICODE_STRING Component)
{
    USHORT Length = 0;

    while (Length < Rest->Length && Rest->Buffer[Length / sizeof(WCHAR)] != ObpSeparator)
        Length += sizeof(WCHAR);
    *Component = (UNICODE_STRING){Length, Length, Rest->Buffer};
    Rest->Buffer += Length / sizeof(WCHAR);
    Rest->Length -= Length;
    Rest->MaximumLength = Rest->Length;
}

static void ObpSkipSeparator(PUNICODE_STRING Rest)
{
    Rest->Buffer++;
    Rest->Length -= sizeof(WCHAR);
    Rest->MaximumLength = Rest->Length;
}

static PVOID ObpFindReferenced(OB_DIRECTORY *Directory, PCUNICODE_STRING Name, ULONG Attributes)
{
    OBJECT_HEADER_NT *Header;

    ExLockShared_(&ObpState.Names);
    Header = ObpFind(Directory, Name, (Attributes & OBJ_CASE_INSENSITIVE) != 0);
    if (Header != NULL)
        ObReferenceObject(OBP_BODY(Header)); /* the name is a reference: it is alive */
    ExUnlockShared_(&ObpState.Names);
    return Header != NULL ? OBP_BODY(Header) : NULL;
}

static NTSTATUS ObpMayCreateIn(PVOID Directory, OBP_LOOKUP *Lookup)
{
    BOOLEAN IsDirectory = ObHeader(Lookup->Insert)->Type == ObpDirectoryType;
    ACCESS_MASK Granted;

    if (Lookup->Mode == KernelMode)
        return STATUS_SUCCESS;
    return ObpCheckAccess(Directory, Lookup->AccessState,
                          IsDirectory ? DIRECTORY_CREATE_SUBDIRECTORY : DIRECTORY_CREATE_OBJECT,
                          Lookup->Mode, &Granted);
}

/* The last component is not there: give the new object that name, unless somebody else was faster
 * (*Object, referenced). */
static NTSTATUS ObpInsertName(PVOID Directory, PCUNICODE_STRING Name, OBP_LOOKUP *Lookup,
                              PVOID *Object)
{
    OBJECT_HEADER_NT *Header;
    NTSTATUS Status = ObpMayCreateIn(Directory, Lookup);

    if (NT_SUCCESS(Status))
        Status = ObpAssignSecurity(Lookup->Insert, Directory, Lookup->Security);
    if (!NT_SUCCESS(Status))
        return Status;
    ExLockExclusive_(&ObpState.Names);
    Header = ObpFind(Directory, Name, (Lookup->Attributes & OBJ_CASE_INSENSITIVE) != 0);
    if (Header != NULL) {
        *Object = OBP_BODY(Header);
        ObReferenceObject(*Object);
    } else {
        Status = ObpLink(Directory, ObHeader(Lookup->Insert), Name);
    }
    ExUnlockExclusive_(&ObpState.Names);
    return Status;
}

/* One step down. *Object is NULL after the insertion of a new name. */
static NTSTATUS ObpStep(PVOID Directory, PCUNICODE_STRING Name, BOOLEAN Last, OBP_LOOKUP *Lookup,
                        PVOID *Object)
{
    if (Name->Length == 0)
        return STATUS_OBJECT_NAME_INVALID;
    *Object = ObpFindReferenced(Directory, Name, Lookup->Attributes);
    if (*Object != NULL)
        return STATUS_SUCCESS;
    if (!Last)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    if (Lookup->Insert == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    return ObpInsertName(Directory, Name, Lookup, Object);
}

static BOOLEAN ObpParses(PVOID Object, OBP_LOOKUP *Lookup)
{
    OB_TYPE_PROCEDURES *Procedures = &ObHeader(Object)->Type->Procedures;

    return Procedures->Parse != NULL &&
           (Lookup->Insert == NULL || Procedures->Parse == ObpParseLink);
}

/* An object that parses, or that the path ends at, or that it cannot go beyond. */
static NTSTATUS ObpArrive(PVOID Object, PUNICODE_STRING Rest, OBP_LOOKUP *Lookup)
{
    OB_TYPE_PROCEDURES *Procedures = &ObHeader(Object)->Type->Procedures;

    if (ObpParses(Object, Lookup)) {
        NTSTATUS Status = Procedures->Parse(Object, Lookup->Type, Lookup->AccessState, Lookup->Mode,
                                            Lookup->Attributes, &Lookup->Path, Rest,
                                            Lookup->ParseContext, Lookup->Quality, &Lookup->Found);
        if (Status != STATUS_SUCCESS || Lookup->Insert == NULL)
            return Status;
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (Rest->Length != 0)
        return STATUS_OBJECT_TYPE_MISMATCH;
    ObReferenceObject(Object);
    Lookup->Found = Object;
    return Lookup->Insert != NULL ? STATUS_OBJECT_NAME_COLLISION : STATUS_SUCCESS;
}

/* Walks Rest down from Object, whose reference it consumes. */
static NTSTATUS ObpWalk(PVOID Object, UNICODE_STRING Rest, OBP_LOOKUP *Lookup)
{
    UNICODE_STRING Component;
    NTSTATUS Status;
    PVOID Next;

    while (ObHeader(Object)->Type == ObpDirectoryType && Rest.Length != 0) {
        ObpSplit(&Rest, &Component);
        Status = ObpStep(Object, &Component, Rest.Length == 0, Lookup, &Next);
        ObDereferenceObject(Object);
        if (!NT_SUCCESS(Status) || Next == NULL)
            return Status;
        Object = Next;
        if (Rest.Length != 0 && ObHeader(Object)->Type == ObpDirectoryType) {
            ObpSkipSeparator(&Rest);
            if (Rest.Length == 0) { /* a separator at the end */
                ObDereferenceObject(Object);
                return STATUS_OBJECT_NAME_INVALID;
            }
        }
    }
    Status = ObpArrive(Object, &Rest, Lookup);
    ObDereferenceObject(Object);
    return Status;
}

static NTSTATUS ObpWalkFromRoot(OBP_LOOKUP *Lookup)
{
    UNICODE_STRING Rest = Lookup->Path;

    if (Rest.Length == 0 || Rest.Buffer[0] != ObpSeparator)
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    ObpSkipSeparator(&Rest);
    ObReferenceObject(ObpState.Root);
    return ObpWalk(ObpState.Root, Rest, Lookup);
}

static NTSTATUS ObpWalkFromHandle(OBP_LOOKUP *Lookup)
{
    POBJECT_TYPE Type = ObHeader(Lookup->Root)->Type;

    if (Type != ObpDirectoryType && Type->Procedures.Parse == NULL)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (Type == ObpDirectoryType && Lookup->Path.Length != 0 &&
        Lookup->Path.Buffer[0] == ObpSeparator)
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    ObReferenceObject(Lookup->Root);
    return ObpWalk(Lookup->Root, Lookup->Path, Lookup);
}

/* STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND (not the last component),
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_REPARSE_POINT_ENCOUNTERED (OBJ_DONT_REPARSE), or what a parse procedure says. */
NTSTATUS ObpLookup(OBP_LOOKUP *Lookup)
{
    NTSTATUS Status = Lookup->Root != NULL ? ObpWalkFromHandle(Lookup) : ObpWalkFromRoot(Lookup);
    ULONG Count;

    for (Count = 0; Status == STATUS_REPARSE && Count < OBP_REPARSE_LIMIT; Count++) {
        if ((Lookup->Attributes & OBJ_DONT_REPARSE) != 0)
            return STATUS_REPARSE_POINT_ENCOUNTERED;
        Status = ObpWalkFromRoot(Lookup);
    }
    return Status == STATUS_REPARSE ? STATUS_OBJECT_NAME_NOT_FOUND : Status;
}
