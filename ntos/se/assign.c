/* The security descriptor of a new object: what was asked for, what is inherited, what the
 * creator's token says. */
#include "se/sep.h"

typedef struct SEP_ASSIGNMENT {
    RTLP_SECURITY_PARTS Parent, Explicit, New;
    SE_TOKEN *Token;
    BOOLEAN Container;
    PGENERIC_MAPPING Mapping;
    PACL InheritedDacl, InheritedSacl;
} SEP_ASSIGNMENT;

static void SepViewOptional(PSECURITY_DESCRIPTOR Descriptor, RTLP_SECURITY_PARTS *Parts)
{
    RtlZeroMemory(Parts, sizeof(*Parts));
    if (Descriptor)
        RtlpViewSecurityDescriptor(Descriptor, Parts);
}

static NTSTATUS SepAssignOwner(SEP_ASSIGNMENT *Work, KPROCESSOR_MODE Mode)
{
    Work->New.Owner = Work->Explicit.Owner ? Work->Explicit.Owner : Work->Token->Owner;
    Work->New.Group = Work->Explicit.Group      ? Work->Explicit.Group
                      : Work->Token->GroupCount ? Work->Token->Groups[0].Sid
                                                : Work->Token->User;
    if (Mode == KernelMode || !Work->Explicit.Owner || SepMayOwn(Work->Token, Work->New.Owner) ||
        SepHasPrivilege(Work->Token, SE_RESTORE_PRIVILEGE))
        return STATUS_SUCCESS;
    return STATUS_INVALID_OWNER;
}

/* An explicit ACL wins, unless it is only a default and there is something to inherit. */
static NTSTATUS SepAssignDacl(SEP_ASSIGNMENT *Work)
{
    SECURITY_DESCRIPTOR_CONTROL Given = Work->Explicit.Control;
    BOOLEAN Explicit = (Given & SE_DACL_PRESENT) != 0;
    if (!Explicit || Given & SE_DACL_DEFAULTED) {
        NTSTATUS Status = SepInheritAcl(Work->Parent.Dacl, Work->Container, Work->New.Owner,
                                        Work->New.Group, Work->Mapping, &Work->InheritedDacl);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Work->New.Dacl = Work->InheritedDacl ? Work->InheritedDacl
                     : Explicit          ? Work->Explicit.Dacl
                                         : Work->Token->DefaultDacl;
    Work->New.Control |= SE_DACL_PRESENT | (Explicit ? Given & SE_DACL_PROTECTED : 0);
    return STATUS_SUCCESS;
}

static NTSTATUS SepAssignSacl(SEP_ASSIGNMENT *Work, KPROCESSOR_MODE Mode)
{
    SECURITY_DESCRIPTOR_CONTROL Given = Work->Explicit.Control;
    BOOLEAN Explicit = (Given & SE_SACL_PRESENT) != 0;
    if (Explicit && Mode != KernelMode && !SepHasPrivilege(Work->Token, SE_SECURITY_PRIVILEGE))
        return STATUS_PRIVILEGE_NOT_HELD;
    if (!Explicit || Given & SE_SACL_DEFAULTED) {
        NTSTATUS Status = SepInheritAcl(Work->Parent.Sacl, Work->Container, Work->New.Owner,
                                        Work->New.Group, Work->Mapping, &Work->InheritedSacl);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    Work->New.Sacl = Work->InheritedSacl ? Work->InheritedSacl : Work->Explicit.Sacl;
    if (Work->InheritedSacl || Explicit)
        Work->New.Control |= SE_SACL_PRESENT | (Explicit ? Given & SE_SACL_PROTECTED : 0);
    return STATUS_SUCCESS;
}

static NTSTATUS SepStoreAssignment(SEP_ASSIGNMENT *Work, PSECURITY_DESCRIPTOR *New)
{
    RTLP_SECURITY_PARTS Stored;
    NTSTATUS Status = SepStoreParts(&Work->New, PagedPool, New);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlpViewSecurityDescriptor(*New, &Stored);
    if (Stored.Dacl)
        SepMapAcl(Stored.Dacl, Work->Mapping);
    if (Stored.Sacl)
        SepMapAcl(Stored.Sacl, Work->Mapping);
    return STATUS_SUCCESS;
}

static void SepTakeFromParent(SEP_ASSIGNMENT *Work, ULONG Flags)
{
    if (Flags & SEF_DEFAULT_OWNER_FROM_PARENT && !Work->Explicit.Owner)
        Work->Explicit.Owner = Work->Parent.Owner;
    if (Flags & SEF_DEFAULT_GROUP_FROM_PARENT && !Work->Explicit.Group)
        Work->Explicit.Group = Work->Parent.Group;
    if (Flags & SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT)
        Work->Explicit.Control |= SE_DACL_DEFAULTED | SE_SACL_DEFAULTED;
    if (Flags & SEF_DACL_AUTO_INHERIT)
        Work->New.Control |= SE_DACL_AUTO_INHERITED;
    if (Flags & SEF_SACL_AUTO_INHERIT)
        Work->New.Control |= SE_SACL_AUTO_INHERITED;
}

/*
 * PASSIVE_LEVEL. SeAssignSecurity with SEF_ flags: owner and group from the parent, a descriptor
 * that is only a default, no check of the owner or of the privilege for a SACL, ACLs marked as
 * inherited. Without an owner to take from the parent: STATUS_INVALID_OWNER. Entries for object
 * types are inherited by all. Doc: wdm/nf-wdm-seassignsecurityex
 */
NTSTATUS NTAPI SeAssignSecurityEx(PSECURITY_DESCRIPTOR ParentDescriptor,
                                  PSECURITY_DESCRIPTOR ExplicitDescriptor,
                                  PSECURITY_DESCRIPTOR *NewDescriptor, GUID *ObjectType,
                                  BOOLEAN IsDirectoryObject, ULONG AutoInheritFlags,
                                  PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                  PGENERIC_MAPPING GenericMapping, POOL_TYPE PoolType)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    KPROCESSOR_MODE Mode = SepPreviousMode();
    SE_TOKEN *Token =
        SubjectContext->ClientToken ? SubjectContext->ClientToken : SubjectContext->PrimaryToken;
    SEP_ASSIGNMENT Work = {
        .Token = Token, .Container = IsDirectoryObject, .Mapping = GenericMapping};
    *NewDescriptor = NULL;
    SepViewOptional(ParentDescriptor, &Work.Parent);
    SepViewOptional(ExplicitDescriptor, &Work.Explicit);
    SepTakeFromParent(&Work, AutoInheritFlags);
    if (AutoInheritFlags & SEF_DEFAULT_OWNER_FROM_PARENT && !Work.Explicit.Owner)
        return STATUS_INVALID_OWNER;
    NTSTATUS Status =
        SepAssignOwner(&Work, AutoInheritFlags & SEF_AVOID_OWNER_CHECK ? KernelMode : Mode);
    if (NT_SUCCESS(Status))
        Status = SepAssignDacl(&Work);
    if (NT_SUCCESS(Status))
        Status =
            SepAssignSacl(&Work, AutoInheritFlags & SEF_AVOID_PRIVILEGE_CHECK ? KernelMode : Mode);
    if (NT_SUCCESS(Status))
        Status = SepStoreAssignment(&Work, NewDescriptor);
    if (Work.InheritedDacl)
        ExFreePoolWithTag(Work.InheritedDacl, SEP_TAG);
    if (Work.InheritedSacl)
        ExFreePoolWithTag(Work.InheritedSacl, SEP_TAG);
    return Status;
}

/*
 * PASSIVE_LEVEL. A self-relative descriptor in paged pool, for SeDeassignSecurity. Without an ACL
 * given or inherited the token's default DACL serves. STATUS_INVALID_OWNER,
 * STATUS_PRIVILEGE_NOT_HELD (an explicit SACL from user mode), STATUS_INSUFFICIENT_RESOURCES. Doc:
 * wdm/nf-wdm-seassignsecurity
 */
NTSTATUS NTAPI SeAssignSecurity(PSECURITY_DESCRIPTOR ParentDescriptor,
                                PSECURITY_DESCRIPTOR ExplicitDescriptor,
                                PSECURITY_DESCRIPTOR *NewDescriptor, BOOLEAN IsDirectoryObject,
                                PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                PGENERIC_MAPPING GenericMapping, POOL_TYPE PoolType)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return SeAssignSecurityEx(ParentDescriptor, ExplicitDescriptor, NewDescriptor, NULL,
                              IsDirectoryObject, 0, SubjectContext, GenericMapping, PoolType);
}

/* PASSIVE_LEVEL. Frees the descriptor and clears the pointer. Doc: wdm/nf-wdm-sedeassignsecurity */
NTSTATUS NTAPI SeDeassignSecurity(PSECURITY_DESCRIPTOR *SecurityDescriptor)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (*SecurityDescriptor)
        ExFreePool(*SecurityDescriptor);
    *SecurityDescriptor = NULL;
    return STATUS_SUCCESS;
}
