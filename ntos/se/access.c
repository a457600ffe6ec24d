/*
 * The access check. In order: kernel mode passes; ACCESS_SYSTEM_SECURITY needs SeSecurityPrivilege
 * and WRITE_OWNER may come of SeTakeOwnershipPrivilege; no DACL grants everything; the owner has
 * READ_CONTROL and WRITE_DAC, unless the DACL speaks of OWNER RIGHTS; then each entry in turn
 * allows what is still wanted, or denies.
 */
#include "se/sep.h"

typedef struct SEP_CHECK {
    SE_TOKEN *Token;
    PGENERIC_MAPPING Mapping;
    BOOLEAN IsOwner;
    BOOLEAN Maximum;
    ACCESS_MASK Remaining; /* asked for by name, not yet granted */
    ACCESS_MASK Granted;   /* by the DACL, the owner's rights and privileges */
    ACCESS_MASK Denied;    /* of what MAXIMUM_ALLOWED could mean */
    ULONG Used[2];         /* privileges */
    ULONG UsedCount;
} SEP_CHECK;

PSID SepSidOfAce(PACE_HEADER Ace)
{
    PUCHAR At = (PUCHAR)(SepMaskOfAce(Ace) + 1);
    if (!SepIsObjectAce(Ace))
        return At;
    ULONG Kinds = *(PULONG)At;
    At += sizeof(ULONG);
    At += Kinds & ACE_OBJECT_TYPE_PRESENT ? sizeof(GUID) : 0;
    At += Kinds & ACE_INHERITED_OBJECT_TYPE_PRESENT ? sizeof(GUID) : 0;
    return At;
}

static BOOLEAN SepUsePrivilege(SEP_CHECK *Check, ULONG Privilege, ACCESS_MASK Right)
{
    if (!SepHasPrivilege(Check->Token, Privilege))
        return FALSE;
    Check->Used[Check->UsedCount++] = Privilege;
    Check->Granted |= Right;
    Check->Remaining &= ~Right;
    return TRUE;
}

static BOOLEAN SepMatches(const SEP_CHECK *Check, PSID Sid, BOOLEAN ForDeny)
{
    if (Check->IsOwner && RtlEqualSid(Sid, (PSID)&SepOwnerRightsSid))
        return TRUE;
    return SepTokenHasSid(Check->Token, Sid, ForDeny);
}

static BOOLEAN SepSpeaksOfOwner(PACL Dacl)
{
    PACE_HEADER Ace = SepFirstAce(Dacl);
    for (USHORT i = 0; i < Dacl->AceCount; i++, Ace = SepNextAce(Ace))
        if ((SepIsPlainAce(Ace) || SepIsObjectAce(Ace)) && !(Ace->AceFlags & INHERIT_ONLY_ACE) &&
            RtlEqualSid(SepSidOfAce(Ace), (PSID)&SepOwnerRightsSid))
            return TRUE;
    return FALSE;
}

static void SepAllow(SEP_CHECK *Check, ACCESS_MASK Mask)
{
    Check->Granted |= Mask & ~Check->Denied;
    Check->Remaining &= ~Mask;
}

/* TRUE: something asked for by name is denied. */
static BOOLEAN SepDeny(SEP_CHECK *Check, ACCESS_MASK Mask)
{
    Check->Denied |= Mask & ~Check->Granted;
    return (Check->Remaining & Mask) != 0;
}

static BOOLEAN SepWalkDacl(SEP_CHECK *Check, PACL Dacl)
{
    PACE_HEADER Ace = SepFirstAce(Dacl);
    for (USHORT i = 0; i < Dacl->AceCount; i++, Ace = SepNextAce(Ace)) {
        if (Ace->AceFlags & INHERIT_ONLY_ACE)
            continue;
        if (!Check->Maximum && !Check->Remaining)
            break;
        if (!SepIsPlainAce(Ace) && !SepIsObjectAce(Ace))
            continue; /* a condition that nobody can evaluate grants nothing */
        ACCESS_MASK Mask = *SepMaskOfAce(Ace);
        RtlMapGenericMask(&Mask, Check->Mapping);
        switch (Ace->AceType) {
        case ACCESS_ALLOWED_ACE_TYPE:
        case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
            if (SepMatches(Check, SepSidOfAce(Ace), FALSE))
                SepAllow(Check, Mask);
            break;
        case ACCESS_DENIED_ACE_TYPE:
        case ACCESS_DENIED_OBJECT_ACE_TYPE:
            if (SepMatches(Check, SepSidOfAce(Ace), TRUE) && SepDeny(Check, Mask))
                return FALSE;
            break;
        default:
            break;
        }
    }
    return Check->Remaining == 0;
}

static BOOLEAN SepCheckDacl(SEP_CHECK *Check, const RTLP_SECURITY_PARTS *Parts)
{
    if (!Parts->Dacl) {
        SepAllow(Check, Check->Remaining | (Check->Maximum ? Check->Mapping->GenericAll : 0));
        return TRUE;
    }
    Check->IsOwner = Parts->Owner && SepTokenHasSid(Check->Token, Parts->Owner, FALSE);
    if (Check->IsOwner && !SepSpeaksOfOwner(Parts->Dacl))
        SepAllow(Check, Check->Maximum ? READ_CONTROL | WRITE_DAC
                                       : Check->Remaining & (READ_CONTROL | WRITE_DAC));
    return SepWalkDacl(Check, Parts->Dacl);
}

static void SepReportPrivileges(const SEP_CHECK *Check, PPRIVILEGE_SET *Privileges)
{
    if (!Privileges)
        return;
    *Privileges = NULL;
    if (!Check->UsedCount)
        return;
    SIZE_T Bytes =
        FIELD_OFFSET(PRIVILEGE_SET, Privilege) + Check->UsedCount * sizeof(LUID_AND_ATTRIBUTES);
    PPRIVILEGE_SET Set = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
    if (!Set)
        return;
    Set->PrivilegeCount = Check->UsedCount;
    Set->Control = 0;
    for (ULONG i = 0; i < Check->UsedCount; i++)
        Set->Privilege[i] = (LUID_AND_ATTRIBUTES){RtlConvertUlongToLuid(Check->Used[i]),
                                                  SE_PRIVILEGE_USED_FOR_ACCESS};
    *Privileges = Set;
}

BOOLEAN SepAccessCheck(PSECURITY_DESCRIPTOR Descriptor, SE_TOKEN *Token, ACCESS_MASK Desired,
                       ACCESS_MASK Previous, PPRIVILEGE_SET *Privileges, PGENERIC_MAPPING Mapping,
                       PACCESS_MASK Granted, PNTSTATUS Status)
{
    RTLP_SECURITY_PARTS Parts;
    SEP_CHECK Check = {
        .Token = Token, .Mapping = Mapping, .Maximum = (Desired & MAXIMUM_ALLOWED) != 0};
    RtlMapGenericMask(&Desired, Mapping);
    Check.Remaining = Desired & ~MAXIMUM_ALLOWED;
    *Granted = 0;
    *Status = STATUS_ACCESS_DENIED;
    if (Check.Remaining & ACCESS_SYSTEM_SECURITY &&
        !SepUsePrivilege(&Check, SE_SECURITY_PRIVILEGE, ACCESS_SYSTEM_SECURITY)) {
        *Status = STATUS_PRIVILEGE_NOT_HELD;
        return FALSE;
    }
    if (Check.Remaining & WRITE_OWNER)
        SepUsePrivilege(&Check, SE_TAKE_OWNERSHIP_PRIVILEGE, WRITE_OWNER);
    RtlpViewSecurityDescriptor(Descriptor, &Parts);
    BOOLEAN Allowed = (!Check.Remaining && !Check.Maximum) || SepCheckDacl(&Check, &Parts);
    ACCESS_MASK Result = Previous | (Check.Maximum ? Check.Granted : Check.Granted & Desired);
    if (!Allowed || !Result)
        return FALSE;
    SepReportPrivileges(&Check, Privileges);
    *Granted = Result;
    *Status = STATUS_SUCCESS;
    return TRUE;
}

/*
 * PASSIVE_LEVEL. FALSE with the reason in AccessStatus: STATUS_ACCESS_DENIED,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_BAD_IMPERSONATION_LEVEL. Used privileges are freed with
 * SeFreePrivileges. Doc: wdm/nf-wdm-seaccesscheck
 */
BOOLEAN NTAPI SeAccessCheck(PSECURITY_DESCRIPTOR SecurityDescriptor,
                            PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
                            BOOLEAN SubjectContextLocked, ACCESS_MASK DesiredAccess,
                            ACCESS_MASK PreviouslyGrantedAccess, PPRIVILEGE_SET *Privileges,
                            PGENERIC_MAPPING GenericMapping, KPROCESSOR_MODE AccessMode,
                            PACCESS_MASK GrantedAccess, PNTSTATUS AccessStatus)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (Privileges)
        *Privileges = NULL;
    *GrantedAccess = 0;
    *AccessStatus = STATUS_SUCCESS;
    if (AccessMode == KernelMode) {
        ACCESS_MASK All = DesiredAccess & MAXIMUM_ALLOWED ? GenericMapping->GenericAll : 0;
        RtlMapGenericMask(&DesiredAccess, GenericMapping);
        *GrantedAccess = (DesiredAccess & ~MAXIMUM_ALLOWED) | All | PreviouslyGrantedAccess;
        return TRUE;
    }
    if (DesiredAccess == 0 && PreviouslyGrantedAccess != 0) {
        *GrantedAccess = PreviouslyGrantedAccess;
        return TRUE;
    }
    SE_TOKEN *Token = SepEffectiveToken(SubjectSecurityContext);
    *AccessStatus = Token ? STATUS_ACCESS_DENIED : STATUS_BAD_IMPERSONATION_LEVEL;
    if (!SecurityDescriptor || !Token || DesiredAccess == 0)
        return FALSE;
    return SepAccessCheck(SecurityDescriptor, Token, DesiredAccess, PreviouslyGrantedAccess,
                          Privileges, GenericMapping, GrantedAccess, AccessStatus);
}
