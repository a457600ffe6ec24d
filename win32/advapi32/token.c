/* Tokens, privileges, SIDs. */
#include "win32/kernel32/base.h"

#include <stdlib.h>
#include <string.h>

BOOL WINAPI OpenProcessToken(HANDLE Process, DWORD Access, PHANDLE Token)
{
    return BaseResult(NtOpenProcessToken(Process, Access, Token));
}

BOOL WINAPI OpenThreadToken(HANDLE Thread, DWORD Access, BOOL AsSelf, PHANDLE Token)
{
    return BaseResult(NtOpenThreadToken(Thread, Access, AsSelf != 0, Token));
}

BOOL WINAPI GetTokenInformation(HANDLE Token, TOKEN_INFORMATION_CLASS Class, LPVOID Out, DWORD Size,
                                PDWORD Returned)
{
    return BaseResult(NtQueryInformationToken(Token, Class, Out, Size, Returned));
}

/* Succeeds even if the token has not all of them: the last error is then ERROR_NOT_ALL_ASSIGNED,
 * and else ERROR_SUCCESS. */
BOOL WINAPI AdjustTokenPrivileges(HANDLE Token, BOOL DisableAll, PTOKEN_PRIVILEGES New, DWORD Size,
                                  PTOKEN_PRIVILEGES Old, PDWORD Returned)
{
    ULONG Unused;
    NTSTATUS Status = NtAdjustPrivilegesToken(Token, DisableAll != 0, New, Size, Old,
                                              Returned || !Old ? Returned : &Unused);

    if (!BaseResult(Status))
        return FALSE;
    SetLastError(Status == STATUS_NOT_ALL_ASSIGNED ? ERROR_NOT_ALL_ASSIGNED : ERROR_SUCCESS);
    return TRUE;
}

/* In the order of their values, from SE_CREATE_TOKEN_PRIVILEGE (2). */
static const WCHAR *const Privileges[] = {L"SeCreateTokenPrivilege",
                                          L"SeAssignPrimaryTokenPrivilege",
                                          L"SeLockMemoryPrivilege",
                                          L"SeIncreaseQuotaPrivilege",
                                          L"SeMachineAccountPrivilege",
                                          L"SeTcbPrivilege",
                                          L"SeSecurityPrivilege",
                                          L"SeTakeOwnershipPrivilege",
                                          L"SeLoadDriverPrivilege",
                                          L"SeSystemProfilePrivilege",
                                          L"SeSystemtimePrivilege",
                                          L"SeProfileSingleProcessPrivilege",
                                          L"SeIncreaseBasePriorityPrivilege",
                                          L"SeCreatePagefilePrivilege",
                                          L"SeCreatePermanentPrivilege",
                                          L"SeBackupPrivilege",
                                          L"SeRestorePrivilege",
                                          L"SeShutdownPrivilege",
                                          L"SeDebugPrivilege",
                                          L"SeAuditPrivilege",
                                          L"SeSystemEnvironmentPrivilege",
                                          L"SeChangeNotifyPrivilege",
                                          L"SeRemoteShutdownPrivilege",
                                          L"SeUndockPrivilege",
                                          L"SeSyncAgentPrivilege",
                                          L"SeEnableDelegationPrivilege",
                                          L"SeManageVolumePrivilege",
                                          L"SeImpersonatePrivilege",
                                          L"SeCreateGlobalPrivilege",
                                          L"SeTrustedCredManAccessPrivilege",
                                          L"SeRelabelPrivilege",
                                          L"SeIncreaseWorkingSetPrivilege",
                                          L"SeTimeZonePrivilege",
                                          L"SeCreateSymbolicLinkPrivilege",
                                          L"SeDelegateSessionUserImpersonatePrivilege"};

BOOL WINAPI LookupPrivilegeValueW(LPCWSTR Machine, LPCWSTR Name, PLUID Value)
{
    if (Machine && *Machine) {
        SetLastError(RPC_S_SERVER_UNAVAILABLE);
        return FALSE;
    }
    for (DWORD i = 0; Name && i < sizeof(Privileges) / sizeof(Privileges[0]); i++)
        if (!_wcsicmp(Name, Privileges[i])) {
            *Value = (LUID){i + 2, 0};
            return TRUE;
        }
    SetLastError(Name ? ERROR_NO_SUCH_PRIVILEGE : ERROR_INVALID_PARAMETER);
    return FALSE;
}

BOOL WINAPI LookupPrivilegeValueA(LPCSTR Machine, LPCSTR Name, PLUID Value)
{
    PWSTR WideMachine = BaseWide(Machine), WideName = BaseWide(Name);
    BOOL Done = LookupPrivilegeValueW(WideMachine, WideName, Value);

    free(WideMachine);
    free(WideName);
    return Done;
}

BOOL WINAPI AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY Authority, BYTE Count, DWORD A0,
                                     DWORD A1, DWORD A2, DWORD A3, DWORD A4, DWORD A5, DWORD A6,
                                     DWORD A7, PSID *Out)
{
    const DWORD Parts[8] = {A0, A1, A2, A3, A4, A5, A6, A7};
    SID *Sid;

    if (Count > 8)
        return BaseResult(STATUS_INVALID_SID);
    Sid = malloc(FIELD_OFFSET(SID, SubAuthority) + 8 * sizeof(DWORD));
    if (!Sid)
        return BaseResult(STATUS_NO_MEMORY);
    Sid->Revision = SID_REVISION;
    Sid->SubAuthorityCount = Count;
    Sid->IdentifierAuthority = *Authority;
    memcpy(Sid->SubAuthority, Parts, Count * sizeof(DWORD));
    *Out = Sid;
    return TRUE;
}

/* Returns NULL. */
PVOID WINAPI FreeSid(PSID Sid)
{
    free(Sid);
    return NULL;
}

BOOL WINAPI IsValidSid(PSID Sid)
{
    const SID *One = Sid;

    return One && One->Revision == SID_REVISION &&
           One->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

DWORD WINAPI GetLengthSid(PSID Sid)
{
    return (DWORD)FIELD_OFFSET(SID, SubAuthority) +
           ((const SID *)Sid)->SubAuthorityCount * (DWORD)sizeof(DWORD);
}

BOOL WINAPI EqualSid(PSID One, PSID Other)
{
    if (!IsValidSid(One) || !IsValidSid(Other))
        return BaseResult(STATUS_INVALID_SID);
    SetLastError(ERROR_SUCCESS);
    return GetLengthSid(One) == GetLengthSid(Other) && !memcmp(One, Other, GetLengthSid(One));
}
