/*
 * Who may do what with an object. The decisions are se's, through the hooks; before se has
 * registered them, and for kernel mode, everything that is asked for is granted.
 */
#include "ob/obp.h"

void ObSetSecurityHooks(const OB_SECURITY_HOOKS *Hooks)
{
    ObpState.Security = *Hooks;
}

/* Generic rights become the type's own; MAXIMUM_ALLOWED becomes all of them. */
ACCESS_MASK ObpMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired)
{
    if ((Desired & MAXIMUM_ALLOWED) != 0)
        Desired = (Desired & ~MAXIMUM_ALLOWED) | GENERIC_ALL;
    RtlMapGenericMask(&Desired, &Type->Mapping);
    return Desired;
}

NTSTATUS ObpBeginAccess(OBP_ACCESS *Access, PACCESS_STATE Passed, ACCESS_MASK Desired,
                        POBJECT_TYPE Type)
{
    NTSTATUS Status;

    Access->Made = FALSE;
    Access->State = Passed;
    if (Passed != NULL)
        return STATUS_SUCCESS;
    Access->State = &Access->Local;
    RtlZeroMemory(&Access->Local, sizeof(Access->Local));
    if (ObpState.Security.CreateAccessState == NULL) {
        if (Type != NULL)
            RtlMapGenericMask(&Desired, &Type->Mapping);
        Access->Local.RemainingDesiredAccess = Access->Local.OriginalDesiredAccess = Desired;
        return STATUS_SUCCESS;
    }
    Status = ObpState.Security.CreateAccessState(&Access->Local, Access->Aux, Desired,
                                                 Type != NULL ? &Type->Mapping : NULL);
    Access->Made = NT_SUCCESS(Status);
    return Status;
}

void ObpEndAccess(OBP_ACCESS *Access)
{
    if (Access->Made)
        ObpState.Security.DeleteAccessState(Access->State);
}

static BOOLEAN ObpIsTrusted(KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode || ObpState.Security.AccessCheck == NULL;
}

NTSTATUS ObpCheckAccess(PVOID Object, PACCESS_STATE State, ACCESS_MASK Desired,
                        KPROCESSOR_MODE Mode, PACCESS_MASK Granted)
{
    POBJECT_TYPE Type = ObHeader(Object)->Type;
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    BOOLEAN Allocated = FALSE, Allowed;
    NTSTATUS Status;

    *Granted = ObpMapAccess(Type, Desired);
    if (ObpIsTrusted(Mode) || Desired == 0)
        return STATUS_SUCCESS;
    Status = ObGetObjectSecurity(Object, &Descriptor, &Allocated);
    if (!NT_SUCCESS(Status) ||
        Descriptor == NULL) /* an object without a descriptor is open to all */
        return Status;
    RtlMapGenericMask(&Desired, &Type->Mapping);
    Allowed = ObpState.Security.AccessCheck(Descriptor, State, Desired, &Type->Mapping, Mode,
                                            Granted, &Status);
    ObReleaseObjectSecurity(Descriptor, Allocated);
    if (Allowed)
        return STATUS_SUCCESS;
    return NT_SUCCESS(Status) ? STATUS_ACCESS_DENIED : Status;
}

/* After a lookup: a parse procedure may have granted some of it, or all, already. */
NTSTATUS ObpCheckOpen(PVOID Object, PACCESS_STATE State, KPROCESSOR_MODE Mode, PACCESS_MASK Granted)
{
    POBJECT_TYPE Type = ObHeader(Object)->Type;
    ACCESS_MASK More = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    if (State->RemainingDesiredAccess != 0)
        Status = ObpCheckAccess(Object, State, State->RemainingDesiredAccess, Mode, &More);
    if (NT_SUCCESS(Status)) {
        State->PreviouslyGrantedAccess |= More;
        State->RemainingDesiredAccess = 0;
    }
    *Granted = ObpMapAccess(Type, State->PreviouslyGrantedAccess);
    return Status;
}

/* Gives a new object its descriptor, once. */
NTSTATUS ObpAssignSecurity(PVOID Object, PVOID Parent, PSECURITY_DESCRIPTOR Given)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    POBJECT_TYPE Type = Header->Type;
    PSECURITY_DESCRIPTOR ParentDescriptor =
                             Parent != NULL ? ObHeader(Parent)->SecurityDescriptor : NULL,
                         New = NULL;
    NTSTATUS Status;

    if (Header->SecurityDescriptor != NULL || ObpState.Security.Assign == NULL)
        return STATUS_SUCCESS;
    Status = ObpState.Security.Assign(ParentDescriptor, Given, Type == ObpDirectoryType,
                                      &Type->Mapping, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Type->Procedures.Security == NULL) {
        Header->SecurityDescriptor = New;
        return STATUS_SUCCESS;
    }
    if (New == NULL)
        return STATUS_SUCCESS;
    Status = Type->Procedures.Security(Object, AssignSecurityDescriptor, NULL, New, NULL,
                                       &Header->SecurityDescriptor, PagedPool, &Type->Mapping);
    ObpState.Security.Free(New);
    return Status;
}

void ObpFreeSecurity(OBJECT_HEADER_NT *Header)
{
    if (Header->SecurityDescriptor == NULL)
        return;
    ObFreeDescriptor_(Header->SecurityDescriptor);
    Header->SecurityDescriptor = NULL;
}
