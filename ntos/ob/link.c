/*
 * Symbolic links: a path that stands for another.
 */
#include "ob/obp.h"

/* The link itself is meant when the path ends here and the caller asks for a link; else its target
 * takes its place. */
NTSTATUS ObpParseLink(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                      KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                      PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                      PVOID *Found)
{
    OBP_SYMBOLIC_LINK *Link = ParseObject;
    ULONG Length = (ULONG)Link->Target.Length + Remaining->Length;
    PWCH Buffer;

    if (Remaining->Length == 0 &&
        (Type == ObpSymbolicLinkType || (Type == NULL && (Attributes & OBJ_OPENLINK) != 0))) {
        ObReferenceObject(ParseObject);
        *Found = ParseObject;
        return STATUS_SUCCESS;
    }
    if (Length > UNICODE_STRING_MAX_BYTES)
        return STATUS_NAME_TOO_LONG;
    if (Length == 0)
        return STATUS_OBJECT_NAME_INVALID;
    Buffer = ExAllocatePoolWithTag(PagedPool, Length, OBP_NAME_TAG);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Link->Target.Length != 0) /* GLOBALROOT has no target */
        RtlCopyMemory(Buffer, Link->Target.Buffer, Link->Target.Length);
    RtlCopyMemory((PUCHAR)Buffer + Link->Target.Length, Remaining->Buffer, Remaining->Length);
    ExFreePool(Path->Buffer);
    *Path = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Buffer};
    return STATUS_REPARSE;
}

void ObpDeleteLink(PVOID Object)
{
    OBP_SYMBOLIC_LINK *Link = Object;

    if (Link->Target.Buffer != NULL)
        ExFreePoolWithTag(Link->Target.Buffer, OBP_NAME_TAG);
}

/* Doc: ntifs/nf-ntifs-zwcreatesymboliclinkobject. Attributes are checked before the target. */
NTSTATUS ObCreateSymbolicLink_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                               PCUNICODE_STRING Target, KPROCESSOR_MODE Mode)
{
    OBP_SYMBOLIC_LINK *Link;
    NTSTATUS Status;

    if (Target->Length == 0 || (Target->Length & 1) != 0)
        return STATUS_INVALID_PARAMETER;
    Status = ObCreateObject(Mode, ObpSymbolicLinkType, Attributes, Mode, NULL, sizeof(*Link), 0, 0,
                            (PVOID *)&Link);
    if (!NT_SUCCESS(Status))
        return Status;
    KeQuerySystemTime(&Link->CreationTime);
    Status = ObpCopyString(Target, &Link->Target);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Link);
        return Status;
    }
    return ObInsertObject(Link, NULL, Desired, 0, NULL, Handle);
}

/* The target, with a terminator if there is room for one. *Returned: bytes with the terminator.
 * Doc: wdm/nf-wdm-zwquerysymboliclinkobject */
NTSTATUS ObQuerySymbolicLink_(PVOID Object, PUNICODE_STRING Target, PULONG Returned)
{
    OBP_SYMBOLIC_LINK *Link = Object;

    if (Returned != NULL)
        *Returned = Link->Target.Length + sizeof(WCHAR);
    if (Target->MaximumLength < Link->Target.Length + (Returned != NULL ? sizeof(WCHAR) : 0))
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Target->Buffer, Link->Target.Buffer, Link->Target.Length);
    Target->Length = Link->Target.Length;
    if (Target->MaximumLength >= Target->Length + sizeof(WCHAR))
        Target->Buffer[Target->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

/* A permanent link of the executive itself. */
NTSTATUS ObpMakeLink(PCWSTR Name, PCWSTR Target)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Path, To;

    RtlInitUnicodeString(&Path, Name);
    RtlInitUnicodeString(&To, Target);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return ObCreateSymbolicLink_(NULL, 0, &Attributes, &To, KernelMode);
}
