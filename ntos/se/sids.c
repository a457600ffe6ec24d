/* Well-known SIDs and privileges, and SeExports, through which drivers reach them. */
#include "se/sep.h"

#define WELL_KNOWN(Name, Authority, Value)                                                         \
    const SID Name = {SID_REVISION, 1, {{0, 0, 0, 0, 0, Authority}}, {Value}}
#define BUILTIN(Name, Rid)                                                                         \
    static const struct {                                                                          \
        UCHAR Revision, Count;                                                                     \
        SID_IDENTIFIER_AUTHORITY Authority;                                                        \
        ULONG Values[2];                                                                           \
    } Name = {SID_REVISION, 2, {SECURITY_NT_AUTHORITY}, {SECURITY_BUILTIN_DOMAIN_RID, Rid}}

WELL_KNOWN(SepWorldSid, 1, 0);
WELL_KNOWN(SepLocalSid, 2, 0);
WELL_KNOWN(SepCreatorOwnerSid, 3, 0);
WELL_KNOWN(SepCreatorGroupSid, 3, 1);
WELL_KNOWN(SepOwnerRightsSid, 3, 4);
WELL_KNOWN(SepInteractiveSid, 5, 4);
WELL_KNOWN(SepAuthenticatedSid, 5, 11);
WELL_KNOWN(SepRestrictedSid, 5, 12);
WELL_KNOWN(SepSystemSid, 5, 18);
static WELL_KNOWN(SepNullSid, 0, 0);
static WELL_KNOWN(SepDialupSid, 5, 1);
static WELL_KNOWN(SepNetworkSid, 5, 2);
static WELL_KNOWN(SepBatchSid, 5, 3);
static WELL_KNOWN(SepAnonymousSid, 5, 7);
static WELL_KNOWN(SepLocalServiceSid, 5, 19);
static WELL_KNOWN(SepNetworkServiceSid, 5, 20);
static WELL_KNOWN(SepIUserSid, 5, 17);
static WELL_KNOWN(SepUntrustedSid, 16, 0);
static WELL_KNOWN(SepLowSid, 16, 0x1000);
static WELL_KNOWN(SepMediumSid, 16, 0x2000);
static WELL_KNOWN(SepHighSid, 16, 0x3000);
static WELL_KNOWN(SepSystemLabelSid, 16, 0x4000);
static const SID SepNtAuthoritySid = {SID_REVISION, 0, {SECURITY_NT_AUTHORITY}, {0}};
BUILTIN(SepAliasAdmins, 544);
BUILTIN(SepAliasUsers, 545);
BUILTIN(SepAliasGuests, 546);
BUILTIN(SepAliasPowerUsers, 547);
BUILTIN(SepAliasAccountOps, 548);
BUILTIN(SepAliasSystemOps, 549);
BUILTIN(SepAliasPrintOps, 550);
BUILTIN(SepAliasBackupOps, 551);

#define PRIVILEGE(Number)                                                                          \
    {                                                                                              \
        .LowPart = Number, .HighPart = 0                                                           \
    }

static SE_EXPORTS SepExports = {
    .SeCreateTokenPrivilege = PRIVILEGE(SE_CREATE_TOKEN_PRIVILEGE),
    .SeAssignPrimaryTokenPrivilege = PRIVILEGE(SE_ASSIGNPRIMARYTOKEN_PRIVILEGE),
    .SeLockMemoryPrivilege = PRIVILEGE(SE_LOCK_MEMORY_PRIVILEGE),
    .SeIncreaseQuotaPrivilege = PRIVILEGE(SE_INCREASE_QUOTA_PRIVILEGE),
    .SeUnsolicitedInputPrivilege = PRIVILEGE(SE_UNSOLICITED_INPUT_PRIVILEGE),
    .SeTcbPrivilege = PRIVILEGE(SE_TCB_PRIVILEGE),
    .SeSecurityPrivilege = PRIVILEGE(SE_SECURITY_PRIVILEGE),
    .SeTakeOwnershipPrivilege = PRIVILEGE(SE_TAKE_OWNERSHIP_PRIVILEGE),
    .SeLoadDriverPrivilege = PRIVILEGE(SE_LOAD_DRIVER_PRIVILEGE),
    .SeCreatePagefilePrivilege = PRIVILEGE(SE_CREATE_PAGEFILE_PRIVILEGE),
    .SeIncreaseBasePriorityPrivilege = PRIVILEGE(SE_INC_BASE_PRIORITY_PRIVILEGE),
    .SeSystemProfilePrivilege = PRIVILEGE(SE_SYSTEM_PROFILE_PRIVILEGE),
    .SeSystemtimePrivilege = PRIVILEGE(SE_SYSTEMTIME_PRIVILEGE),
    .SeProfileSingleProcessPrivilege = PRIVILEGE(SE_PROF_SINGLE_PROCESS_PRIVILEGE),
    .SeCreatePermanentPrivilege = PRIVILEGE(SE_CREATE_PERMANENT_PRIVILEGE),
    .SeBackupPrivilege = PRIVILEGE(SE_BACKUP_PRIVILEGE),
    .SeRestorePrivilege = PRIVILEGE(SE_RESTORE_PRIVILEGE),
    .SeShutdownPrivilege = PRIVILEGE(SE_SHUTDOWN_PRIVILEGE),
    .SeDebugPrivilege = PRIVILEGE(SE_DEBUG_PRIVILEGE),
    .SeAuditPrivilege = PRIVILEGE(SE_AUDIT_PRIVILEGE),
    .SeSystemEnvironmentPrivilege = PRIVILEGE(SE_SYSTEM_ENVIRONMENT_PRIVILEGE),
    .SeChangeNotifyPrivilege = PRIVILEGE(SE_CHANGE_NOTIFY_PRIVILEGE),
    .SeRemoteShutdownPrivilege = PRIVILEGE(SE_REMOTE_SHUTDOWN_PRIVILEGE),
    .SeNullSid = (PSID)&SepNullSid,
    .SeWorldSid = (PSID)&SepWorldSid,
    .SeLocalSid = (PSID)&SepLocalSid,
    .SeCreatorOwnerSid = (PSID)&SepCreatorOwnerSid,
    .SeCreatorGroupSid = (PSID)&SepCreatorGroupSid,
    .SeNtAuthoritySid = (PSID)&SepNtAuthoritySid,
    .SeDialupSid = (PSID)&SepDialupSid,
    .SeNetworkSid = (PSID)&SepNetworkSid,
    .SeBatchSid = (PSID)&SepBatchSid,
    .SeInteractiveSid = (PSID)&SepInteractiveSid,
    .SeLocalSystemSid = (PSID)&SepSystemSid,
    .SeAliasAdminsSid = (PSID)&SepAliasAdmins,
    .SeAliasUsersSid = (PSID)&SepAliasUsers,
    .SeAliasGuestsSid = (PSID)&SepAliasGuests,
    .SeAliasPowerUsersSid = (PSID)&SepAliasPowerUsers,
    .SeAliasAccountOpsSid = (PSID)&SepAliasAccountOps,
    .SeAliasSystemOpsSid = (PSID)&SepAliasSystemOps,
    .SeAliasPrintOpsSid = (PSID)&SepAliasPrintOps,
    .SeAliasBackupOpsSid = (PSID)&SepAliasBackupOps,
    .SeAuthenticatedUsersSid = (PSID)&SepAuthenticatedSid,
    .SeRestrictedSid = (PSID)&SepRestrictedSid,
    .SeAnonymousLogonSid = (PSID)&SepAnonymousSid,
    .SeUndockPrivilege = PRIVILEGE(SE_UNDOCK_PRIVILEGE),
    .SeSyncAgentPrivilege = PRIVILEGE(SE_SYNC_AGENT_PRIVILEGE),
    .SeEnableDelegationPrivilege = PRIVILEGE(SE_ENABLE_DELEGATION_PRIVILEGE),
    .SeLocalServiceSid = (PSID)&SepLocalServiceSid,
    .SeNetworkServiceSid = (PSID)&SepNetworkServiceSid,
    .SeManageVolumePrivilege = PRIVILEGE(SE_MANAGE_VOLUME_PRIVILEGE),
    .SeImpersonatePrivilege = PRIVILEGE(SE_IMPERSONATE_PRIVILEGE),
    .SeCreateGlobalPrivilege = PRIVILEGE(SE_CREATE_GLOBAL_PRIVILEGE),
    .SeTrustedCredManAccessPrivilege = PRIVILEGE(SE_TRUSTED_CREDMAN_ACCESS_PRIVILEGE),
    .SeRelabelPrivilege = PRIVILEGE(SE_RELABEL_PRIVILEGE),
    .SeIncreaseWorkingSetPrivilege = PRIVILEGE(SE_INC_WORKING_SET_PRIVILEGE),
    .SeTimeZonePrivilege = PRIVILEGE(SE_TIME_ZONE_PRIVILEGE),
    .SeCreateSymbolicLinkPrivilege = PRIVILEGE(SE_CREATE_SYMBOLIC_LINK_PRIVILEGE),
    .SeIUserSid = (PSID)&SepIUserSid,
    .SeUntrustedMandatorySid = (PSID)&SepUntrustedSid,
    .SeLowMandatorySid = (PSID)&SepLowSid,
    .SeMediumMandatorySid = (PSID)&SepMediumSid,
    .SeHighMandatorySid = (PSID)&SepHighSid,
    .SeSystemMandatorySid = (PSID)&SepSystemLabelSid,
    .SeOwnerRightsSid = (PSID)&SepOwnerRightsSid,
};
PSE_EXPORTS SeExports = &SepExports;

PSID SepAdminsSid(void)
{
    return (PSID)&SepAliasAdmins;
}

PSID SepUsersSid(void)
{
    return (PSID)&SepAliasUsers;
}

void SepMakeSid(SEP_SID *Sid, UCHAR Authority, UCHAR Count, const ULONG *SubAuthorities)
{
    SID_IDENTIFIER_AUTHORITY Identifier = {{0, 0, 0, 0, 0, Authority}};
    RtlInitializeSid(Sid, &Identifier, Count);
    RtlCopyMemory(RtlSubAuthoritySid(Sid, 0), SubAuthorities, Count * sizeof(ULONG));
}

void SepMakeDomainSid(SEP_SID *Sid, ULONG Rid)
{
    const ULONG Values[] = {SECURITY_NT_NON_UNIQUE, SEP_DOMAIN, Rid};
    SepMakeSid(Sid, 5, RTL_NUMBER_OF(Values), Values);
}
