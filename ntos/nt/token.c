/*
 * Tokens: open, query, adjust, check.
 */
#include "nt/capture.h"
#include <string.h>

static NTSTATUS OpenToken(PVOID Token, ACCESS_MASK Desired, ULONG Attributes, PHANDLE Handle)
{
    KPROCESSOR_MODE Mode = NtpMode();
    HANDLE New = NULL;
    if (Mode != KernelMode)
        Attributes &= ~OBJ_KERNEL_HANDLE;
    NTSTATUS Status =
        ObOpenObjectByPointer(Token, Attributes, NULL, Desired, SeTokenObjectType_, Mode, &New);
    ObDereferenceObject(Token);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

NTSTATUS NTAPI NtOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK Desired, PHANDLE TokenHandle)
{
    return NtOpenProcessTokenEx(ProcessHandle, Desired, 0, TokenHandle);
}

/* Needs PROCESS_QUERY_INFORMATION. Doc: ntifs/nf-ntifs-zwopenprocesstokenex */
NTSTATUS NTAPI NtOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK Desired, ULONG Attributes,
                                    PHANDLE TokenHandle)
{
    struct _EPROCESS *Process;
    NTSTATUS Status = NtpProbe(NtpMode(), TokenHandle, sizeof(*TokenHandle));
    if (NT_SUCCESS(Status))
        Status = NtpReference(ProcessHandle, PROCESS_QUERY_INFORMATION, *PsProcessType, NtpMode(),
                              (PVOID *)&Process);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Token = PsReferencePrimaryToken(Process);
    ObDereferenceObject(Process);
    return OpenToken(Token, Desired, Attributes, TokenHandle);
}

NTSTATUS NTAPI NtOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK Desired, BOOLEAN OpenAsSelf,
                                 PHANDLE TokenHandle)
{
    return NtOpenThreadTokenEx(ThreadHandle, Desired, OpenAsSelf, 0, TokenHandle);
}

/* STATUS_NO_TOKEN: the thread does not impersonate; STATUS_CANT_OPEN_ANONYMOUS: it does so
 * anonymously. Doc: ntifs/nf-ntifs-zwopenthreadtokenex */
NTSTATUS NTAPI NtOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK Desired, BOOLEAN OpenAsSelf,
                                   ULONG Attributes, PHANDLE TokenHandle)
{
    struct _ETHREAD *Thread;
    BOOLEAN CopyOnOpen, EffectiveOnly;
    SECURITY_IMPERSONATION_LEVEL Level;
    NTSTATUS Status = NtpProbe(NtpMode(), TokenHandle, sizeof(*TokenHandle));
    if (NT_SUCCESS(Status))
        Status = NtpReference(ThreadHandle, THREAD_QUERY_INFORMATION, *PsThreadType, NtpMode(),
                              (PVOID *)&Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Token = PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly, &Level);
    ObDereferenceObject(Thread);
    if (Token == NULL)
        return STATUS_NO_TOKEN;
    if (Level < SecurityIdentification) {
        ObDereferenceObject(Token);
        return STATUS_CANT_OPEN_ANONYMOUS;
    }
    return OpenToken(Token, Desired, Attributes, TokenHandle);
}

/* Copies data of a pointer's, and gives the pointer as the caller will see it. */
static PVOID Attach(NTP_ANSWER *Answer, const void *Data, ULONG Bytes)
{
    ULONG Offset = Answer->Needed;
    PVOID To = NtpReserve(Answer, (Bytes + 3) & ~3u);
    if (To != NULL) {
        RtlZeroMemory(To, (Bytes + 3) & ~3u);
        memcpy(To, Data, Bytes);
    }
    return (PVOID)((ULONG_PTR)Answer->Output.User + Offset);
}

static void PutBytes(NTP_ANSWER *Answer, const void *Data, ULONG Bytes)
{
    PVOID To = NtpReserve(Answer, Bytes);
    if (To != NULL)
        memcpy(To, Data, Bytes);
}

static void PutUser(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    TOKEN_USER *User = NtpReserve(Answer, sizeof(*User));
    PVOID Sid = Attach(Answer, Token->User, RtlLengthSid(Token->User));
    if (User != NULL)
        User->User.Sid = Sid;
}

static void PutSid(NTP_ANSWER *Answer, PSID Sid)
{
    PSID *Pointer = NtpReserve(Answer, sizeof(*Pointer));
    PVOID Copy = Attach(Answer, Sid, RtlLengthSid(Sid));
    if (Pointer != NULL)
        *Pointer = Copy;
}

static void PutGroups(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    ULONG Head =
        FIELD_OFFSET(TOKEN_GROUPS, Groups) + Token->GroupCount * (ULONG)sizeof(SID_AND_ATTRIBUTES);
    TOKEN_GROUPS *Groups = NtpReserve(Answer, max(Head, (ULONG)sizeof(TOKEN_GROUPS)));
    if (Groups != NULL) {
        RtlZeroMemory(Groups, max(Head, (ULONG)sizeof(TOKEN_GROUPS)));
        Groups->GroupCount = Token->GroupCount;
    }
    for (ULONG i = 0; i < Token->GroupCount; i++) {
        PVOID Sid = Attach(Answer, Token->Groups[i].Sid, RtlLengthSid(Token->Groups[i].Sid));
        if (Groups == NULL)
            continue;
        Groups->Groups[i].Sid = Sid;
        Groups->Groups[i].Attributes = Token->Groups[i].Attributes;
    }
}

static void PutPrivileges(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    PutBytes(Answer, &Token->PrivilegeCount, sizeof(ULONG));
    PutBytes(Answer, Token->Privileges, Token->PrivilegeCount * (ULONG)sizeof(LUID_AND_ATTRIBUTES));
}

static void PutDacl(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    TOKEN_DEFAULT_DACL *Dacl = NtpReserve(Answer, sizeof(*Dacl));
    PVOID Copy = Token->DefaultDacl == NULL
                     ? NULL
                     : Attach(Answer, Token->DefaultDacl, Token->DefaultDacl->AclSize);
    if (Dacl != NULL)
        Dacl->DefaultDacl = Copy;
}

static void PutStatistics(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    TOKEN_STATISTICS Statistics = {
        .TokenId = Token->TokenId,
        .AuthenticationId = Token->AuthenticationId,
        .ExpirationTime = {.QuadPart = MAXLONGLONG},
        .TokenType = Token->Type,
        .ImpersonationLevel = Token->Level,
        .GroupCount = Token->GroupCount,
        .PrivilegeCount = Token->PrivilegeCount,
    };
    PutBytes(Answer, &Statistics, sizeof(Statistics));
}

/* Mandatory label: high for administrators, medium for others. */
static void PutIntegrity(NTP_ANSWER *Answer, SE_TOKEN *Token)
{
    SID Label = {
        SID_REVISION,
        1,
        {{0, 0, 0, 0, 0, 16}},
        {SeTokenIsAdmin(Token) ? SECURITY_MANDATORY_HIGH_RID : SECURITY_MANDATORY_MEDIUM_RID}};
    SID_AND_ATTRIBUTES *Out = NtpReserve(Answer, sizeof(*Out));
    PVOID Sid = Attach(Answer, &Label, RtlLengthSid(&Label));
    if (Out == NULL)
        return;
    Out->Sid = Sid;
    Out->Attributes = 0x60; /* SE_GROUP_INTEGRITY, SE_GROUP_INTEGRITY_ENABLED */
}

static NTSTATUS Put(NTP_ANSWER *Answer, SE_TOKEN *Token, TOKEN_INFORMATION_CLASS Class)
{
    ULONG Elevated = SeTokenIsAdmin(Token), Session = 0;
    ULONG Elevation = 1; /* TokenElevationTypeDefault */
    switch (Class) {
    case TokenUser:
        PutUser(Answer, Token);
        break;
    case TokenGroups:
        PutGroups(Answer, Token);
        break;
    case TokenPrivileges:
        PutPrivileges(Answer, Token);
        break;
    case TokenOwner:
    case TokenPrimaryGroup:
        PutSid(Answer,
               Class == TokenOwner || Token->GroupCount == 0 ? Token->Owner : Token->Groups[0].Sid);
        break;
    case TokenDefaultDacl:
        PutDacl(Answer, Token);
        break;
    case TokenType:
        PutBytes(Answer, &Token->Type, sizeof(Token->Type));
        break;
    case TokenImpersonationLevel:
        if (Token->Type != TokenImpersonation)
            return STATUS_INVALID_INFO_CLASS;
        PutBytes(Answer, &Token->Level, sizeof(Token->Level));
        break;
    case TokenStatistics:
        PutStatistics(Answer, Token);
        break;
    case TokenSessionId:
        PutBytes(Answer, &Session, sizeof(Session));
        break;
    case TokenElevationType:
        PutBytes(Answer, &Elevation, sizeof(Elevation));
        break;
    case TokenElevation:
        PutBytes(Answer, &Elevated, sizeof(Elevated));
        break;
    case TokenIntegrityLevel:
        PutIntegrity(Answer, Token);
        break;
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
    return STATUS_SUCCESS;
}

/* STATUS_BUFFER_TOO_SMALL with the needed length. Needs TOKEN_QUERY. Doc:
 * ntifs/nf-ntifs-ntqueryinformationtoken */
NTSTATUS NTAPI NtQueryInformationToken(HANDLE Handle, TOKEN_INFORMATION_CLASS Class,
                                       PVOID Information, ULONG Length, PULONG Returned)
{
    SE_TOKEN *Token;
    NTP_ANSWER Answer = {.Needed = 0};
    NTSTATUS Status = NtpProbe(NtpMode(), Returned, sizeof(*Returned));
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, TOKEN_QUERY, SeTokenObjectType_, NtpMode(), (PVOID *)&Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpBeginOutput(&Answer.Output, NtpMode(), Information, Length);
    if (NT_SUCCESS(Status)) {
        ExLockShared_(&Token->Lock);
        Status = Put(&Answer, Token, Class);
        ExUnlockShared_(&Token->Lock);
        Status = NtpEndAnswer(&Answer, Status, STATUS_BUFFER_TOO_SMALL, Returned);
    }
    ObDereferenceObject(Token);
    return Status;
}
