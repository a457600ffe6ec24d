/* Privileges of tokens. */
#include "se/sep.h"

LUID_AND_ATTRIBUTES *SepFindPrivilege(SE_TOKEN *Token, const LUID *Luid)
{
    for (ULONG i = 0; i < Token->PrivilegeCount; i++)
        if (RtlEqualLuid(&Token->Privileges[i].Luid, Luid))
            return &Token->Privileges[i];
    return NULL;
}

/* Without the lock, which a subject context may hold: the set never changes, and a state is one
 * word. */
static BOOLEAN SepIsEnabled(SE_TOKEN *Token, const LUID *Luid)
{
    LUID_AND_ATTRIBUTES *Found = SepFindPrivilege(Token, Luid);
    return Found && __atomic_load_n(&Found->Attributes, __ATOMIC_RELAXED) & SE_PRIVILEGE_ENABLED;
}

BOOLEAN SepHasPrivilege(SE_TOKEN *Token, ULONG Privilege)
{
    LUID Luid = RtlConvertUlongToLuid(Privilege);
    return SepIsEnabled(Token, &Luid);
}

/* STATUS_NO_SUCH_PRIVILEGE when the token does not hold it. */
NTSTATUS SeAdjustPrivilege_(SE_TOKEN *Token, const LUID *Privilege, BOOLEAN Enable, BOOLEAN *Was)
{
    ExLockExclusive_(&Token->Lock);
    LUID_AND_ATTRIBUTES *Found = SepFindPrivilege(Token, Privilege);
    if (Found) {
        *Was = (Found->Attributes & SE_PRIVILEGE_ENABLED) != 0;
        ULONG New = Enable ? Found->Attributes | SE_PRIVILEGE_ENABLED
                           : Found->Attributes & ~(ULONG)SE_PRIVILEGE_ENABLED;
        __atomic_store_n(&Found->Attributes, New, __ATOMIC_RELAXED);
    }
    ExUnlockExclusive_(&Token->Lock);
    return Found ? STATUS_SUCCESS : STATUS_NO_SUCH_PRIVILEGE;
}

/* Marks those that are enabled; all of them, or one, must be. */
static BOOLEAN SepCheckSet(SE_TOKEN *Token, PPRIVILEGE_SET Set)
{
    ULONG Held = 0;
    for (ULONG i = 0; i < Set->PrivilegeCount; i++)
        if (SepIsEnabled(Token, &Set->Privilege[i].Luid)) {
            Set->Privilege[i].Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
            Held++;
        }
    return Set->Control & PRIVILEGE_SET_ALL_NECESSARY ? Held == Set->PrivilegeCount : Held != 0;
}

/*
 * PASSIVE_LEVEL. Does the subject hold the privileges, enabled? Kernel mode holds all.
 * Doc: ntifs/nf-ntifs-seprivilegecheck
 */
BOOLEAN NTAPI SePrivilegeCheck(PPRIVILEGE_SET RequiredPrivileges,
                               PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
                               KPROCESSOR_MODE AccessMode)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (AccessMode == KernelMode)
        return TRUE;
    SE_TOKEN *Token = SepEffectiveToken(SubjectSecurityContext);
    return Token && SepCheckSet(Token, RequiredPrivileges);
}

/* PASSIVE_LEVEL. For the calling thread. Doc: ntddk/nf-ntddk-sesingleprivilegecheck */
BOOLEAN NTAPI SeSinglePrivilegeCheck(LUID PrivilegeValue, KPROCESSOR_MODE PreviousMode)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (PreviousMode == KernelMode)
        return TRUE;
    SECURITY_SUBJECT_CONTEXT Subject;
    PRIVILEGE_SET Set = {1, PRIVILEGE_SET_ALL_NECESSARY, {{PrivilegeValue, 0}}};
    SeCaptureSubjectContext(&Subject);
    BOOLEAN Held = SePrivilegeCheck(&Set, &Subject, PreviousMode);
    SeReleaseSubjectContext(&Subject);
    return Held;
}

/* PASSIVE_LEVEL. What SeAccessCheck returned. Doc: ntifs/nf-ntifs-sefreeprivileges */
VOID NTAPI SeFreePrivileges(PPRIVILEGE_SET Privileges)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    ExFreePoolWithTag(Privileges, SEP_TAG);
}
