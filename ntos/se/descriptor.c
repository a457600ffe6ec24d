/* Security descriptors stored with objects: read and changed. */
#include "se/sep.h"

NTSTATUS SepStoreParts(const RTLP_SECURITY_PARTS *Parts, POOL_TYPE Pool,
                       PSECURITY_DESCRIPTOR *Stored)
{
    *Stored = ExAllocatePoolWithTag(Pool, RtlpSelfRelativeLength(Parts), SEP_DESCRIPTOR_TAG);
    if (!*Stored)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlpWriteSelfRelative(Parts, *Stored);
    return STATUS_SUCCESS;
}

#define DACL_CONTROL                                                                               \
    (SE_DACL_PRESENT | SE_DACL_DEFAULTED | SE_DACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED |     \
     SE_DACL_PROTECTED)
#define SACL_CONTROL                                                                               \
    (SE_SACL_PRESENT | SE_SACL_DEFAULTED | SE_SACL_AUTO_INHERIT_REQ | SE_SACL_AUTO_INHERITED |     \
     SE_SACL_PROTECTED)

/* Takes the parts that Information names from From; the others stay. */
static void SepTakeParts(RTLP_SECURITY_PARTS *To, const RTLP_SECURITY_PARTS *From,
                         SECURITY_INFORMATION Information)
{
    SECURITY_DESCRIPTOR_CONTROL Mask = 0;
    if (Information & OWNER_SECURITY_INFORMATION) {
        To->Owner = From->Owner;
        Mask |= SE_OWNER_DEFAULTED;
    }
    if (Information & GROUP_SECURITY_INFORMATION) {
        To->Group = From->Group;
        Mask |= SE_GROUP_DEFAULTED;
    }
    if (Information & DACL_SECURITY_INFORMATION) {
        To->Dacl = From->Dacl;
        Mask |= DACL_CONTROL;
    }
    if (Information & (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) {
        To->Sacl = From->Sacl;
        Mask |= SACL_CONTROL;
    }
    To->Control = (To->Control & ~Mask) | (From->Control & Mask);
}

/*
 * PASSIVE_LEVEL. A self-relative copy of the parts asked for (of none, when the object has no
 * descriptor). STATUS_BUFFER_TOO_SMALL tells the bytes needed. Doc:
 * ntifs/nf-ntifs-sequerysecuritydescriptorinfo
 */
NTSTATUS NTAPI SeQuerySecurityDescriptorInfo(PSECURITY_INFORMATION SecurityInformation,
                                             PSECURITY_DESCRIPTOR SecurityDescriptor, PULONG Length,
                                             PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_SECURITY_PARTS Stored = {0}, Wanted = {0};
    if (*ObjectsSecurityDescriptor)
        RtlpViewSecurityDescriptor(*ObjectsSecurityDescriptor, &Stored);
    SepTakeParts(&Wanted, &Stored, *SecurityInformation);
    ULONG Room = *Length;
    *Length = RtlpSelfRelativeLength(&Wanted);
    if (Room < *Length || !SecurityDescriptor)
        return STATUS_BUFFER_TOO_SMALL;
    RtlpWriteSelfRelative(&Wanted, SecurityDescriptor);
    return STATUS_SUCCESS;
}

static NTSTATUS SepCheckNewOwner(PSID Owner)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    if (!Owner || !RtlValidSid(Owner))
        return STATUS_INVALID_OWNER;
    if (SepPreviousMode() == KernelMode)
        return STATUS_SUCCESS;
    SeCaptureSubjectContext(&Subject);
    SE_TOKEN *Token = SepEffectiveToken(&Subject);
    BOOLEAN May =
        Token && (SepMayOwn(Token, Owner) || SepHasPrivilege(Token, SE_RESTORE_PRIVILEGE));
    SeReleaseSubjectContext(&Subject);
    return May ? STATUS_SUCCESS : STATUS_INVALID_OWNER;
}

/*
 * PASSIVE_LEVEL. Puts a new descriptor into *ObjectsSecurityDescriptor, from the pool given; the
 * caller frees the one that was there. STATUS_NO_SECURITY_ON_OBJECT, STATUS_BAD_DESCRIPTOR_FORMAT,
 * STATUS_INVALID_OWNER, STATUS_INSUFFICIENT_RESOURCES. Doc:
 * ntifs/nf-ntifs-sesetsecuritydescriptorinfo
 */
NTSTATUS NTAPI SeSetSecurityDescriptorInfo(PVOID Object, PSECURITY_INFORMATION SecurityInformation,
                                           PSECURITY_DESCRIPTOR ModificationDescriptor,
                                           PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor,
                                           POOL_TYPE PoolType, PGENERIC_MAPPING GenericMapping)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_SECURITY_PARTS Parts, Modification, Written;
    PSECURITY_DESCRIPTOR New;
    if (!*ObjectsSecurityDescriptor)
        return STATUS_NO_SECURITY_ON_OBJECT;
    RtlpViewSecurityDescriptor(*ObjectsSecurityDescriptor, &Parts);
    if (!(Parts.Control & SE_SELF_RELATIVE))
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    RtlpViewSecurityDescriptor(ModificationDescriptor, &Modification);
    NTSTATUS Status = STATUS_SUCCESS;
    if (*SecurityInformation & OWNER_SECURITY_INFORMATION)
        Status = SepCheckNewOwner(Modification.Owner);
    if (!NT_SUCCESS(Status))
        return Status;
    SepTakeParts(&Parts, &Modification, *SecurityInformation);
    Status = SepStoreParts(&Parts, PoolType, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlpViewSecurityDescriptor(New, &Written);
    if (Written.Dacl && *SecurityInformation & DACL_SECURITY_INFORMATION)
        SepMapAcl(Written.Dacl, GenericMapping);
    if (Written.Sacl && *SecurityInformation & SACL_SECURITY_INFORMATION)
        SepMapAcl(Written.Sacl, GenericMapping);
    *ObjectsSecurityDescriptor = New;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. Is this a self-relative descriptor within Length bytes? Doc:
 * wdm/nf-wdm-sevalidsecuritydescriptor */
BOOLEAN NTAPI SeValidSecurityDescriptor(ULONG Length, PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return RtlValidRelativeSecurityDescriptor(SecurityDescriptor, Length, 0);
}
