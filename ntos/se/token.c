/*
 * Access tokens. There are three kinds: SYSTEM; administrators (root, and the user who booted);
 * ordinary users. The groups and the identity of a token never change, so they are read without its
 * lock; privileges do change.
 */
#include "se/sep.h"

#define ENABLED_GROUP (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)
#define ON (SE_PRIVILEGE_ENABLED_BY_DEFAULT | SE_PRIVILEGE_ENABLED)
#define OFF 0u
#define SYSTEM_LUID_VALUE 0x3E7u
#define USER_LUID_BASE 0x10000u /* the logon session of uid n */
#define MAX_GROUPS 8
#define MAX_DACL_ENTRIES 2

POBJECT_TYPE SeTokenObjectType_;
POBJECT_TYPE *SeTokenObjectType = &SeTokenObjectType_;

typedef struct SEP_PRIVILEGE {
    UCHAR Number, Attributes;
} SEP_PRIVILEGE;

/* A token to be made; what it points at is copied into one block. */
typedef struct SEP_RECIPE {
    PSID User, Owner;
    ULONG GroupCount;
    SID_AND_ATTRIBUTES Groups[MAX_GROUPS];
    const SEP_PRIVILEGE *Privileges;
    ULONG PrivilegeCount;
    LUID Logon;
    ULONG HostUserId;
    TOKEN_TYPE Type;
    SECURITY_IMPERSONATION_LEVEL Level;
    struct {
        PSID Sid;
        ACCESS_MASK Mask;
    } Dacl[MAX_DACL_ENTRIES];
} SEP_RECIPE;

static const SEP_PRIVILEGE SepSystemPrivileges[] = {
    {SE_CREATE_TOKEN_PRIVILEGE, OFF},
    {SE_ASSIGNPRIMARYTOKEN_PRIVILEGE, OFF},
    {SE_LOCK_MEMORY_PRIVILEGE, ON},
    {SE_INCREASE_QUOTA_PRIVILEGE, OFF},
    {SE_TCB_PRIVILEGE, ON},
    {SE_SECURITY_PRIVILEGE, OFF},
    {SE_TAKE_OWNERSHIP_PRIVILEGE, OFF},
    {SE_LOAD_DRIVER_PRIVILEGE, ON},
    {SE_SYSTEM_PROFILE_PRIVILEGE, ON},
    {SE_SYSTEMTIME_PRIVILEGE, OFF},
    {SE_PROF_SINGLE_PROCESS_PRIVILEGE, ON},
    {SE_INC_BASE_PRIORITY_PRIVILEGE, ON},
    {SE_CREATE_PAGEFILE_PRIVILEGE, ON},
    {SE_CREATE_PERMANENT_PRIVILEGE, ON},
    {SE_BACKUP_PRIVILEGE, OFF},
    {SE_RESTORE_PRIVILEGE, OFF},
    {SE_SHUTDOWN_PRIVILEGE, OFF},
    {SE_DEBUG_PRIVILEGE, ON},
    {SE_AUDIT_PRIVILEGE, ON},
    {SE_SYSTEM_ENVIRONMENT_PRIVILEGE, OFF},
    {SE_CHANGE_NOTIFY_PRIVILEGE, ON},
    {SE_UNDOCK_PRIVILEGE, OFF},
    {SE_MANAGE_VOLUME_PRIVILEGE, OFF},
    {SE_IMPERSONATE_PRIVILEGE, ON},
    {SE_CREATE_GLOBAL_PRIVILEGE, ON},
    {SE_TRUSTED_CREDMAN_ACCESS_PRIVILEGE, OFF},
    {SE_RELABEL_PRIVILEGE, OFF},
    {SE_INC_WORKING_SET_PRIVILEGE, ON},
    {SE_TIME_ZONE_PRIVILEGE, ON},
    {SE_CREATE_SYMBOLIC_LINK_PRIVILEGE, ON},
};

static const SEP_PRIVILEGE SepAdminPrivileges[] = {
    {SE_INCREASE_QUOTA_PRIVILEGE, OFF},
    {SE_SECURITY_PRIVILEGE, OFF},
    {SE_TAKE_OWNERSHIP_PRIVILEGE, OFF},
    {SE_LOAD_DRIVER_PRIVILEGE, OFF},
    {SE_SYSTEM_PROFILE_PRIVILEGE, OFF},
    {SE_SYSTEMTIME_PRIVILEGE, OFF},
    {SE_PROF_SINGLE_PROCESS_PRIVILEGE, OFF},
    {SE_INC_BASE_PRIORITY_PRIVILEGE, OFF},
    {SE_CREATE_PAGEFILE_PRIVILEGE, OFF},
    {SE_BACKUP_PRIVILEGE, OFF},
    {SE_RESTORE_PRIVILEGE, OFF},
    {SE_SHUTDOWN_PRIVILEGE, OFF},
    {SE_DEBUG_PRIVILEGE, OFF},
    {SE_SYSTEM_ENVIRONMENT_PRIVILEGE, OFF},
    {SE_CHANGE_NOTIFY_PRIVILEGE, ON},
    {SE_REMOTE_SHUTDOWN_PRIVILEGE, OFF},
    {SE_UNDOCK_PRIVILEGE, OFF},
    {SE_MANAGE_VOLUME_PRIVILEGE, OFF},
    {SE_IMPERSONATE_PRIVILEGE, ON},
    {SE_CREATE_GLOBAL_PRIVILEGE, ON},
    {SE_INC_WORKING_SET_PRIVILEGE, OFF},
    {SE_TIME_ZONE_PRIVILEGE, OFF},
    {SE_CREATE_SYMBOLIC_LINK_PRIVILEGE, OFF},
};

static const SEP_PRIVILEGE SepUserPrivileges[] = {
    {SE_CHANGE_NOTIFY_PRIVILEGE, ON},
    {SE_UNDOCK_PRIVILEGE, OFF},
    {SE_INC_WORKING_SET_PRIVILEGE, OFF},
    {SE_TIME_ZONE_PRIVILEGE, OFF},
};

static void SepDeleteToken(PVOID Object)
{
    SE_TOKEN *Token = Object;
    if (Token->Groups)
        ExFreePoolWithTag(Token->Groups, SEP_TAG);
}

NTSTATUS SepCreateTokenType(void)
{
    static const OB_TYPE_PROCEDURES Procedures = {.Delete = SepDeleteToken};
    static const GENERIC_MAPPING Mapping = {TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE,
                                            TOKEN_ALL_ACCESS};
    return ObCreateObjectType_(L"Token", &Procedures, &Mapping, TOKEN_ALL_ACCESS, PagedPool,
                               SEP_TAG, OB_NOT_WAITABLE, &SeTokenObjectType_);
}

/* ---- making one ------------------------------------------------------------------------------ */

static ULONG SepDaclBytes(const SEP_RECIPE *Recipe)
{
    ULONG Bytes = sizeof(ACL);
    for (ULONG i = 0; i < MAX_DACL_ENTRIES && Recipe->Dacl[i].Sid; i++)
        Bytes += FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Recipe->Dacl[i].Sid);
    return Bytes;
}

static ULONG SepBlockBytes(const SEP_RECIPE *Recipe)
{
    ULONG Bytes = Recipe->GroupCount * sizeof(SID_AND_ATTRIBUTES) +
                  Recipe->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES);
    Bytes += RtlLengthSid(Recipe->User) + RtlLengthSid(Recipe->Owner) + SepDaclBytes(Recipe);
    for (ULONG i = 0; i < Recipe->GroupCount; i++)
        Bytes += RtlLengthSid(Recipe->Groups[i].Sid);
    return Bytes;
}

static PSID SepPutSid(PUCHAR *Cursor, PSID Sid)
{
    PSID Copy = *Cursor;
    ULONG Bytes = RtlLengthSid(Sid);
    RtlCopySid(Bytes, Copy, Sid);
    *Cursor += Bytes;
    return Copy;
}

/* The block begins with the groups: that is what the token is freed by. */
static void SepFillToken(SE_TOKEN *Token, const SEP_RECIPE *Recipe, PUCHAR Block)
{
    Token->GroupCount = Recipe->GroupCount;
    Token->PrivilegeCount = Recipe->PrivilegeCount;
    Token->Groups = (PSID_AND_ATTRIBUTES)Block;
    Token->Privileges = (PLUID_AND_ATTRIBUTES)(Token->Groups + Token->GroupCount);
    PUCHAR Cursor = (PUCHAR)(Token->Privileges + Token->PrivilegeCount);
    for (ULONG i = 0; i < Token->PrivilegeCount; i++)
        Token->Privileges[i] = (LUID_AND_ATTRIBUTES){
            RtlConvertUlongToLuid(Recipe->Privileges[i].Number), Recipe->Privileges[i].Attributes};
    Token->DefaultDacl = (PACL)Cursor;
    RtlCreateAcl(Token->DefaultDacl, SepDaclBytes(Recipe), ACL_REVISION);
    for (ULONG i = 0; i < MAX_DACL_ENTRIES && Recipe->Dacl[i].Sid; i++)
        RtlAddAccessAllowedAce(Token->DefaultDacl, ACL_REVISION, Recipe->Dacl[i].Mask,
                               Recipe->Dacl[i].Sid);
    Cursor += SepDaclBytes(Recipe);
    Token->User = SepPutSid(&Cursor, Recipe->User);
    Token->Owner = SepPutSid(&Cursor, Recipe->Owner);
    for (ULONG i = 0; i < Token->GroupCount; i++)
        Token->Groups[i] = (SID_AND_ATTRIBUTES){SepPutSid(&Cursor, Recipe->Groups[i].Sid),
                                                Recipe->Groups[i].Attributes};
}

static NTSTATUS SepMakeToken(const SEP_RECIPE *Recipe, SE_TOKEN **Result)
{
    SE_TOKEN *Token;
    PUCHAR Block = ExAllocatePoolWithTag(PagedPool, SepBlockBytes(Recipe), SEP_TAG);
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObCreateObject(KernelMode, SeTokenObjectType_, NULL, KernelMode, NULL,
                                     sizeof(SE_TOKEN), 0, 0, (PVOID *)&Token);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Block, SEP_TAG);
        return Status;
    }
    RtlZeroMemory(Token, sizeof(*Token));
    ExInitializePushLock(&Token->Lock);
    ExAllocateLocallyUniqueId(&Token->TokenId);
    Token->AuthenticationId = Recipe->Logon;
    Token->HostUserId = Recipe->HostUserId;
    Token->Type = Recipe->Type;
    Token->Level = Recipe->Level;
    Token->Bytes = SepBlockBytes(Recipe);
    SepFillToken(Token, Recipe, Block);
    *Result = Token;
    return STATUS_SUCCESS;
}

/* The same place in the copy of a token's block. */
static PVOID SepMoved(const SE_TOKEN *From, const SE_TOKEN *To, PVOID Place)
{
    return Place ? (PUCHAR)To->Groups + ((PUCHAR)Place - (PUCHAR)From->Groups) : NULL;
}

/* Lock held, shared. */
static void SepFillCopy(const SE_TOKEN *From, SE_TOKEN *To, PVOID Block)
{
    RtlCopyMemory(Block, From->Groups, From->Bytes);
    *To = *From;
    To->Groups = Block;
    for (ULONG i = 0; i < To->GroupCount; i++)
        To->Groups[i].Sid = SepMoved(From, To, From->Groups[i].Sid);
    To->Privileges = SepMoved(From, To, From->Privileges);
    To->User = SepMoved(From, To, From->User);
    To->Owner = SepMoved(From, To, From->Owner);
    To->DefaultDacl = SepMoved(From, To, From->DefaultDacl);
}

NTSTATUS SeCopyToken_(SE_TOKEN *Token, SECURITY_IMPERSONATION_LEVEL Level, SE_TOKEN **Copy)
{
    SE_TOKEN *New;
    PVOID Block = ExAllocatePoolWithTag(PagedPool, Token->Bytes, SEP_TAG);
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObCreateObject(KernelMode, SeTokenObjectType_, NULL, KernelMode, NULL,
                                     sizeof(SE_TOKEN), 0, 0, (PVOID *)&New);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Block, SEP_TAG);
        return Status;
    }
    ExLockShared_(&Token->Lock);
    SepFillCopy(Token, New, Block);
    ExUnlockShared_(&Token->Lock);
    ExInitializePushLock(&New->Lock);
    ExAllocateLocallyUniqueId(&New->TokenId);
    New->Type = TokenImpersonation;
    New->Level = Level;
    *Copy = New;
    return STATUS_SUCCESS;
}

static void SepAddGroup(SEP_RECIPE *Recipe, PSID Sid, ULONG Attributes)
{
    Recipe->Groups[Recipe->GroupCount++] = (SID_AND_ATTRIBUTES){Sid, Attributes};
}

void SepCreateSystemToken(NTSTATUS *Status)
{
    SEP_RECIPE Recipe = {
        .User = (PSID)&SepSystemSid,
        .Owner = SepAdminsSid(),
        .Privileges = SepSystemPrivileges,
        .PrivilegeCount = RTL_NUMBER_OF(SepSystemPrivileges),
        .Logon = {SYSTEM_LUID_VALUE, 0},
        .Type = TokenPrimary,
        .Dacl = {{(PSID)&SepSystemSid, GENERIC_ALL},
                 {SepAdminsSid(), GENERIC_READ | GENERIC_EXECUTE | READ_CONTROL}},
    };
    SepAddGroup(&Recipe, (PSID)&SepSystemSid, ENABLED_GROUP);
    SepAddGroup(&Recipe, SepAdminsSid(),
                SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED | SE_GROUP_OWNER);
    SepAddGroup(&Recipe, (PSID)&SepWorldSid, ENABLED_GROUP);
    SepAddGroup(&Recipe, (PSID)&SepAuthenticatedSid, ENABLED_GROUP);
    *Status = SepMakeToken(&Recipe, &SepState.System);
}

NTSTATUS SeCreateTokenForHostUser(ULONG UserId, SE_TOKEN **Token)
{
    BOOLEAN Admin = UserId == 0 || UserId == SepState.BootUserId;
    SEP_SID User, None;
    SepMakeDomainSid(&User, UserId == 0 ? SEP_ROOT_RID : SEP_FIRST_USER_RID + UserId);
    SepMakeDomainSid(&None, SEP_NONE_GROUP_RID);
    SEP_RECIPE Recipe = {
        .User = &User,
        .Owner = Admin ? SepAdminsSid() : (PSID)&User,
        .Privileges = Admin ? SepAdminPrivileges : SepUserPrivileges,
        .PrivilegeCount =
            Admin ? RTL_NUMBER_OF(SepAdminPrivileges) : RTL_NUMBER_OF(SepUserPrivileges),
        .Logon = {USER_LUID_BASE + UserId, UserId > MAXULONG - USER_LUID_BASE},
        .HostUserId = UserId,
        .Type = TokenPrimary,
        .Dacl = {{Admin ? SepAdminsSid() : (PSID)&User, GENERIC_ALL},
                 {(PSID)&SepSystemSid, GENERIC_ALL}},
    };
    SepAddGroup(&Recipe, &None, ENABLED_GROUP);
    SepAddGroup(&Recipe, (PSID)&SepWorldSid, ENABLED_GROUP);
    if (Admin)
        SepAddGroup(&Recipe, SepAdminsSid(), ENABLED_GROUP | SE_GROUP_OWNER);
    SepAddGroup(&Recipe, SepUsersSid(), ENABLED_GROUP);
    SepAddGroup(&Recipe, (PSID)&SepInteractiveSid, ENABLED_GROUP);
    SepAddGroup(&Recipe, (PSID)&SepAuthenticatedSid, ENABLED_GROUP);
    SepAddGroup(&Recipe, (PSID)&SepLocalSid, ENABLED_GROUP);
    return SepMakeToken(&Recipe, Token);
}

/* ---- asking one ------------------------------------------------------------------------------ */

/* A group that is there for denials only takes part in those alone. */
BOOLEAN SepTokenHasSid(SE_TOKEN *Token, PSID Sid, BOOLEAN ForDeny)
{
    if (RtlEqualSid(Token->User, Sid))
        return TRUE;
    ULONG Wanted = SE_GROUP_ENABLED | (ForDeny ? SE_GROUP_USE_FOR_DENY_ONLY : 0);
    for (ULONG i = 0; i < Token->GroupCount; i++)
        if (Token->Groups[i].Attributes & Wanted && RtlEqualSid(Token->Groups[i].Sid, Sid))
            return TRUE;
    return FALSE;
}

/* May the token make Sid the owner of an object? */
BOOLEAN SepMayOwn(SE_TOKEN *Token, PSID Sid)
{
    if (RtlEqualSid(Token->User, Sid))
        return TRUE;
    for (ULONG i = 0; i < Token->GroupCount; i++)
        if (Token->Groups[i].Attributes & SE_GROUP_OWNER && RtlEqualSid(Token->Groups[i].Sid, Sid))
            return TRUE;
    return FALSE;
}

/* PASSIVE_LEVEL. Is the Administrators group enabled in it? Doc: ntifs/nf-ntifs-setokenisadmin */
BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return SepTokenHasSid(Token, SepAdminsSid(), FALSE);
}

/* PASSIVE_LEVEL. No token of this system has restricting SIDs. Doc:
 * ntifs/nf-ntifs-setokenisrestricted */
BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return FALSE;
}

/* Doc: ntifs/nf-ntifs-setokentype */
TOKEN_TYPE NTAPI SeTokenType(PACCESS_TOKEN Token)
{
    return ((SE_TOKEN *)Token)->Type;
}

/* PASSIVE_LEVEL. Its logon session. Doc: ntifs/nf-ntifs-sequeryauthenticationidtoken */
NTSTATUS NTAPI SeQueryAuthenticationIdToken(PACCESS_TOKEN Token, PLUID AuthenticationId)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    *AuthenticationId = ((SE_TOKEN *)Token)->AuthenticationId;
    return STATUS_SUCCESS;
}

/* There is one session. Doc: ntifs/nf-ntifs-sequerysessionidtoken */
NTSTATUS NTAPI SeQuerySessionIdToken(PACCESS_TOKEN Token, PULONG SessionId)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    *SessionId = 0;
    return STATUS_SUCCESS;
}
