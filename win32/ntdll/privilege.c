/* RtlAdjustPrivilege, as ntdll exports it. */
#include "win32/ntdll/native.h"

/* Enables or disables one privilege of the process's (or the thread's impersonation) token; *Was is
 * how it was. STATUS_PRIVILEGE_NOT_HELD if the token does not have it. */
NTSTATUS NTAPI RtlAdjustPrivilege(ULONG Privilege, BOOLEAN Enable, BOOLEAN OfThread, PBOOLEAN Was)
{
    TOKEN_PRIVILEGES New = {1, {{{Privilege, 0}, Enable ? SE_PRIVILEGE_ENABLED : 0}}}, Old = {0};
    ULONG Returned;
    HANDLE Token;
    NTSTATUS Status =
        OfThread
            ? NtOpenThreadToken(NtCurrentThread(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, FALSE,
                                &Token)
            : NtOpenProcessToken(NtCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &Token);

    if (Status < 0)
        return Status;
    Status = NtAdjustPrivilegesToken(Token, FALSE, &New, sizeof(Old), &Old, &Returned);
    NtClose(Token);
    if (Status == STATUS_NOT_ALL_ASSIGNED)
        return STATUS_PRIVILEGE_NOT_HELD;
    if (Status >= 0)
        *Was = Old.PrivilegeCount ? (Old.Privileges[0].Attributes & SE_PRIVILEGE_ENABLED) != 0
                                  : Enable;
    return Status;
}
