/* What the files of se share. */
#ifndef SEP_H
#define SEP_H

#include "se/se.h"

#define SEP_TAG 'ekoT'
#define SEP_DESCRIPTOR_TAG 'dSeS'

/* The domain of this machine: S-1-5-21-1433625970-20052-1 ("User", "NT"); uid n has the RID 1000 +
 * n, root 500. */
#define SEP_DOMAIN 1433625970u, 20052u, 1u
#define SEP_ROOT_RID 500u
#define SEP_NONE_GROUP_RID 513u
#define SEP_FIRST_USER_RID 1000u

#define SEP_MAX_SID_BYTES (8 + SID_MAX_SUB_AUTHORITIES * 4)

/* mingw's DDK has these in the Win32 headers only. */
#ifndef SE_GROUP_MANDATORY
#define SE_GROUP_MANDATORY 0x01u
#define SE_GROUP_ENABLED_BY_DEFAULT 0x02u
#define SE_GROUP_ENABLED 0x04u
#define SE_GROUP_OWNER 0x08u
#define SE_GROUP_USE_FOR_DENY_ONLY 0x10u
#endif

typedef union SEP_SID {
    SID Sid;
    UCHAR Bytes[SEP_MAX_SID_BYTES];
} SEP_SID;

typedef struct SEP_STATE {
    ULONG BootUserId;
    SE_TOKEN *System;
    SE_SUBJECT_HOOKS Subject;
    EX_PUSH_LOCK DescriptorLock; /* the stored descriptors of objects, in ob's hooks */
    volatile LONG64 NextLuid;
} SEP_STATE;
extern SEP_STATE SepState;

/* A thread that nobody attached is the executive's own. */
static inline KPROCESSOR_MODE SepPreviousMode(void)
{
    return KiSelf ? KiSelf->PreviousMode : KernelMode;
}

/* sids.c */
extern const SID SepWorldSid, SepLocalSid, SepCreatorOwnerSid, SepCreatorGroupSid,
    SepOwnerRightsSid, SepInteractiveSid, SepAuthenticatedSid, SepSystemSid, SepRestrictedSid;
PSID SepAdminsSid(void);
PSID SepUsersSid(void);
void SepMakeSid(SEP_SID *Sid, UCHAR Authority, UCHAR Count, const ULONG *SubAuthorities);
void SepMakeDomainSid(SEP_SID *Sid, ULONG Rid);

/* token.c */
NTSTATUS SepCreateTokenType(void);
void SepCreateSystemToken(NTSTATUS *Status);
BOOLEAN SepTokenHasSid(SE_TOKEN *Token, PSID Sid, BOOLEAN ForDeny);
BOOLEAN SepMayOwn(SE_TOKEN *Token, PSID Sid);

/* privilege.c */
LUID_AND_ATTRIBUTES *SepFindPrivilege(SE_TOKEN *Token, const LUID *Luid);
BOOLEAN SepHasPrivilege(SE_TOKEN *Token, ULONG Privilege);

/* subject.c: whom the checks are about. */
SE_TOKEN *SepEffectiveToken(PSECURITY_SUBJECT_CONTEXT Subject);

/* access.c */
BOOLEAN SepAccessCheck(PSECURITY_DESCRIPTOR Descriptor, SE_TOKEN *Token, ACCESS_MASK Desired,
                       ACCESS_MASK Previous, PPRIVILEGE_SET *Privileges, PGENERIC_MAPPING Mapping,
                       PACCESS_MASK Granted, PNTSTATUS Status);

/* inherit.c: NULL in *Acl when nothing is inherited. The caller frees. */
NTSTATUS SepInheritAcl(PACL Parent, BOOLEAN Container, PSID Owner, PSID Group,
                       PGENERIC_MAPPING Mapping, PACL *Acl);
void SepMapAcl(PACL Acl, PGENERIC_MAPPING Mapping);

/* descriptor.c */
NTSTATUS SepStoreParts(const RTLP_SECURITY_PARTS *Parts, POOL_TYPE Pool,
                       PSECURITY_DESCRIPTOR *Stored);

/* Entries with a mask and a SID; those for object types have up to two GUIDs between. */
#ifndef ACE_OBJECT_TYPE_PRESENT
#define ACE_OBJECT_TYPE_PRESENT 1u
#define ACE_INHERITED_OBJECT_TYPE_PRESENT 2u
#endif
static inline BOOLEAN SepIsPlainAce(PACE_HEADER Ace)
{
    return Ace->AceType <= SYSTEM_ALARM_ACE_TYPE || Ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE;
}
static inline BOOLEAN SepIsObjectAce(PACE_HEADER Ace)
{
    return Ace->AceType >= ACCESS_ALLOWED_OBJECT_ACE_TYPE &&
           Ace->AceType <= SYSTEM_ALARM_OBJECT_ACE_TYPE;
}
/* Of these two kinds only; the rest is passed over. */
PSID SepSidOfAce(PACE_HEADER Ace);
static inline ACCESS_MASK *SepMaskOfAce(PACE_HEADER Ace)
{
    return (ACCESS_MASK *)(Ace + 1);
}
static inline PACE_HEADER SepFirstAce(PACL Acl)
{
    return (PACE_HEADER)(Acl + 1);
}
static inline PACE_HEADER SepNextAce(PACE_HEADER Ace)
{
    return (PACE_HEADER)((PUCHAR)Ace + Ace->AceSize);
}

/* sddlsid.c */
NTSTATUS SepSidFromSddl(PCWCH *Cursor, PCWCH End, SEP_SID *Sid);
PCSTR SepAliasOfSid(PSID Sid);

#endif
