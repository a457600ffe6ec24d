/* SeQueryInformationToken: answers in a pool block that the caller frees. */
#include "se/sep.h"

static NTSTATUS SepAnswer(const VOID *Fixed, ULONG Bytes, PVOID *Answer)
{
    *Answer = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
    if (!*Answer)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(*Answer, Fixed, Bytes);
    return STATUS_SUCCESS;
}

/* A structure that begins with a pointer to a SID (TOKEN_USER, TOKEN_OWNER, TOKEN_PRIMARY_GROUP).
 */
static NTSTATUS SepAnswerSid(PSID Sid, ULONG HeadBytes, PVOID *Answer)
{
    PUCHAR Block = ExAllocatePoolWithTag(PagedPool, HeadBytes + RtlLengthSid(Sid), SEP_TAG);
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Block, HeadBytes);
    RtlCopySid(RtlLengthSid(Sid), Block + HeadBytes, Sid);
    *(PSID *)Block = Block + HeadBytes;
    *Answer = Block;
    return STATUS_SUCCESS;
}

static NTSTATUS SepAnswerGroups(SE_TOKEN *Token, PVOID *Answer)
{
    ULONG Head =
        FIELD_OFFSET(TOKEN_GROUPS, Groups) + Token->GroupCount * sizeof(SID_AND_ATTRIBUTES);
    ULONG Bytes = Head;
    for (ULONG i = 0; i < Token->GroupCount; i++)
        Bytes += RtlLengthSid(Token->Groups[i].Sid);
    TOKEN_GROUPS *Groups = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
    if (!Groups)
        return STATUS_INSUFFICIENT_RESOURCES;
    PUCHAR Cursor = (PUCHAR)Groups + Head;
    Groups->GroupCount = Token->GroupCount;
    for (ULONG i = 0; i < Token->GroupCount; i++) {
        ULONG Length = RtlLengthSid(Token->Groups[i].Sid);
        RtlCopySid(Length, Cursor, Token->Groups[i].Sid);
        Groups->Groups[i] = (SID_AND_ATTRIBUTES){Cursor, Token->Groups[i].Attributes};
        Cursor += Length;
    }
    *Answer = Groups;
    return STATUS_SUCCESS;
}

static NTSTATUS SepAnswerPrivileges(SE_TOKEN *Token, PVOID *Answer)
{
    ULONG Array = Token->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES);
    TOKEN_PRIVILEGES *Privileges = ExAllocatePoolWithTag(
        PagedPool, FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) + Array, SEP_TAG);
    if (!Privileges)
        return STATUS_INSUFFICIENT_RESOURCES;
    Privileges->PrivilegeCount = Token->PrivilegeCount;
    RtlCopyMemory(Privileges->Privileges, Token->Privileges, Array);
    *Answer = Privileges;
    return STATUS_SUCCESS;
}

static NTSTATUS SepAnswerDacl(SE_TOKEN *Token, PVOID *Answer)
{
    TOKEN_DEFAULT_DACL *Head =
        ExAllocatePoolWithTag(PagedPool, sizeof(*Head) + Token->DefaultDacl->AclSize, SEP_TAG);
    if (!Head)
        return STATUS_INSUFFICIENT_RESOURCES;
    Head->DefaultDacl = (PACL)(Head + 1);
    RtlCopyMemory(Head->DefaultDacl, Token->DefaultDacl, Token->DefaultDacl->AclSize);
    *Answer = Head;
    return STATUS_SUCCESS;
}

static NTSTATUS SepAnswerStatistics(SE_TOKEN *Token, PVOID *Answer)
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
    return SepAnswer(&Statistics, sizeof(Statistics), Answer);
}

static NTSTATUS SepAnswerClass(SE_TOKEN *Token, TOKEN_INFORMATION_CLASS Class, PVOID *Answer)
{
    TOKEN_ELEVATION Elevation = {SepTokenHasSid(Token, SepAdminsSid(), FALSE)};
    ULONG ElevationType = 1; /* TokenElevationTypeDefault: there is no second token */
    switch (Class) {
    case TokenUser:
        return SepAnswerSid(Token->User, sizeof(TOKEN_USER), Answer);
    case TokenGroups:
        return SepAnswerGroups(Token, Answer);
    case TokenPrivileges:
        return SepAnswerPrivileges(Token, Answer);
    case TokenOwner:
        return SepAnswerSid(Token->Owner, sizeof(TOKEN_OWNER), Answer);
    case TokenPrimaryGroup:
        return SepAnswerSid(Token->Groups[0].Sid, sizeof(TOKEN_PRIMARY_GROUP), Answer);
    case TokenDefaultDacl:
        return SepAnswerDacl(Token, Answer);
    case TokenType:
        return SepAnswer(&Token->Type, sizeof(Token->Type), Answer);
    case TokenImpersonationLevel:
        if (Token->Type == TokenImpersonation)
            return SepAnswer(&Token->Level, sizeof(Token->Level), Answer);
        return STATUS_INVALID_INFO_CLASS;
    case TokenStatistics:
        return SepAnswerStatistics(Token, Answer);
    case TokenElevation:
        return SepAnswer(&Elevation, sizeof(Elevation), Answer);
    case TokenElevationType:
        return SepAnswer(&ElevationType, sizeof(ElevationType), Answer);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/*
 * PASSIVE_LEVEL. The answer is paged pool, which the caller frees with ExFreePool; but the session
 * and the integrity level are ULONGs in the caller's variable itself. STATUS_INVALID_INFO_CLASS,
 * STATUS_INSUFFICIENT_RESOURCES. Doc: ntifs/nf-ntifs-sequeryinformationtoken
 */
NTSTATUS NTAPI SeQueryInformationToken(PACCESS_TOKEN Token,
                                       TOKEN_INFORMATION_CLASS TokenInformationClass,
                                       PVOID *TokenInformation)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    SE_TOKEN *Body = Token;
    switch (TokenInformationClass) {
    case TokenSessionId:
        *(PULONG)TokenInformation = 0;
        return STATUS_SUCCESS;
    case TokenIntegrityLevel:
        *(PULONG)TokenInformation =
            RtlEqualSid(Body->User, (PSID)&SepSystemSid)  ? SECURITY_MANDATORY_SYSTEM_RID
            : SepTokenHasSid(Body, SepAdminsSid(), FALSE) ? SECURITY_MANDATORY_HIGH_RID
                                                          : SECURITY_MANDATORY_MEDIUM_RID;
        return STATUS_SUCCESS;
    default:
        break;
    }
    ExLockShared_(&Body->Lock);
    NTSTATUS Status = SepAnswerClass(Body, TokenInformationClass, TokenInformation);
    ExUnlockShared_(&Body->Lock);
    return Status;
}
