/*
 * Security descriptors of objects, read and written.
 */
#include "ob/obp.h"

static NTSTATUS ObpQueryStored(PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor,
                               PULONG Length, PSECURITY_DESCRIPTOR *Stored)
{
    ULONG Needed;

    if (ObpState.Security.Query != NULL)
        return ObpState.Security.Query(Information, Descriptor, Length, Stored);
    if (*Stored == NULL) {
        *Length = 0;
        return STATUS_SUCCESS;
    }
    Needed = RtlLengthSecurityDescriptor(*Stored);
    if (*Length < Needed) {
        *Length = Needed;
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Descriptor, *Stored, Needed);
    *Length = Needed;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpQueryDefault(PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor,
                                PULONG Length, PSECURITY_DESCRIPTOR *Stored)
{
    NTSTATUS Status;

    ExLockShared_(&ObpState.Descriptors);
    Status = ObpQueryStored(Information, Descriptor, Length, Stored);
    ExUnlockShared_(&ObpState.Descriptors);
    return Status;
}

/* STATUS_BUFFER_TOO_SMALL with the needed length in *Length. */
NTSTATUS ObQuerySecurity_(PVOID Object, SECURITY_INFORMATION Information,
                          PSECURITY_DESCRIPTOR Descriptor, PULONG Length)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    POBJECT_TYPE Type = Header->Type;

    if (Type->Procedures.Security != NULL)
        return Type->Procedures.Security(Object, QuerySecurityDescriptor, &Information, Descriptor,
                                         Length, &Header->SecurityDescriptor, PagedPool,
                                         &Type->Mapping);
    return ObpQueryDefault(&Information, Descriptor, Length, &Header->SecurityDescriptor);
}

NTSTATUS ObSetSecurity_(PVOID Object, SECURITY_INFORMATION Information,
                        PSECURITY_DESCRIPTOR Descriptor)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    POBJECT_TYPE Type = Header->Type;

    if (Type->Procedures.Security != NULL)
        return Type->Procedures.Security(Object, SetSecurityDescriptor, &Information, Descriptor,
                                         NULL, &Header->SecurityDescriptor, PagedPool,
                                         &Type->Mapping);
    return ObDefaultSecurity_(Object, SetSecurityDescriptor, &Information, Descriptor, NULL,
                              &Header->SecurityDescriptor, &Type->Mapping);
}

NTSTATUS ObDefaultSecurity_(PVOID Object, ULONG Operation, PSECURITY_INFORMATION Information,
                            PSECURITY_DESCRIPTOR Descriptor, PULONG Length,
                            PSECURITY_DESCRIPTOR *Stored, PGENERIC_MAPPING Mapping)
{
    NTSTATUS Status;

    if (Operation == QuerySecurityDescriptor)
        return ObpQueryDefault(Information, Descriptor, Length, Stored);
    if (Operation != SetSecurityDescriptor || ObpState.Security.Set == NULL)
        return STATUS_NOT_SUPPORTED;
    ExLockExclusive_(&ObpState.Descriptors);
    Status = ObpState.Security.Set(Object, Information, Descriptor, Stored, PagedPool, Mapping);
    ExUnlockExclusive_(&ObpState.Descriptors);
    return Status;
}

NTSTATUS ObAssignDescriptor_(PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Given,
                             BOOLEAN Container, PGENERIC_MAPPING Mapping, PSECURITY_DESCRIPTOR *New)
{
    *New = NULL;
    if (ObpState.Security.Assign == NULL)
        return STATUS_NOT_SUPPORTED;
    return ObpState.Security.Assign(Parent, Given, Container, Mapping, New);
}

void ObFreeDescriptor_(PSECURITY_DESCRIPTOR Descriptor)
{
    if (Descriptor != NULL && ObpState.Security.Free != NULL)
        ObpState.Security.Free(Descriptor);
    else if (Descriptor != NULL)
        ExFreePool(Descriptor);
}

NTSTATUS ObCheckObjectAccess_(PVOID Object, PACCESS_STATE AccessState, ACCESS_MASK Desired,
                              KPROCESSOR_MODE Mode)
{
    ACCESS_MASK Granted;

    return ObpCheckAccess(Object, AccessState, Desired, Mode, &Granted);
}

static BOOLEAN ObpHasNone(OBJECT_HEADER_NT *Header)
{
    BOOLEAN None;

    ExLockShared_(&ObpState.Descriptors);
    None = Header->Type->Procedures.Security == NULL && Header->SecurityDescriptor == NULL;
    ExUnlockShared_(&ObpState.Descriptors);
    return None;
}

/* A copy of the object's descriptor (NULL if it has none), for ObReleaseObjectSecurity.
 * PASSIVE_LEVEL. Doc: wdm/nf-wdm-obgetobjectsecurity */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                   PBOOLEAN MemoryAllocated)
{
    SECURITY_INFORMATION All = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                               DACL_SECURITY_INFORMATION | SACL_SECURITY_INFORMATION;
    PSECURITY_DESCRIPTOR Copy = NULL;
    ULONG Length = 0;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    *SecurityDescriptor = NULL;
    *MemoryAllocated = FALSE;
    if (ObpHasNone(ObHeader(Object)))
        return STATUS_SUCCESS;
    while ((Status = ObQuerySecurity_(Object, All, Copy, &Length)) == STATUS_BUFFER_TOO_SMALL) {
        if (Copy != NULL)
            ExFreePoolWithTag(Copy, OBP_NAME_TAG);
        Copy = ExAllocatePoolWithTag(PagedPool, Length, OBP_NAME_TAG);
        if (Copy == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(Status) || Length == 0) {
        if (Copy != NULL)
            ExFreePoolWithTag(Copy, OBP_NAME_TAG);
        return Status;
    }
    *SecurityDescriptor = Copy;
    *MemoryAllocated = Copy != NULL;
    return STATUS_SUCCESS;
}

/* Doc: wdm/nf-wdm-obreleaseobjectsecurity */
VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN MemoryAllocated)
{
    if (SecurityDescriptor != NULL && MemoryAllocated)
        ExFreePoolWithTag(SecurityDescriptor, OBP_NAME_TAG);
}

/* Nothing is audited. Doc: ntifs/nf-ntifs-obqueryobjectauditingbyhandle */
NTSTATUS NTAPI ObQueryObjectAuditingByHandle(HANDLE Handle, PBOOLEAN GenerateOnClose)
{
    PVOID Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL);

    if (!NT_SUCCESS(Status))
        return Status;
    ObDereferenceObject(Object);
    *GenerateOnClose = FALSE;
    return STATUS_SUCCESS;
}
