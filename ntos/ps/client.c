/*
 * Acting for a client: its token is captured (by reference, or as it is at the moment) and given to
 * a server's thread.
 */
#include "ps/psp.h"

#undef PsDereferenceImpersonationToken

static NTSTATUS PspCaptureClient(SE_TOKEN *Token, BOOLEAN Impersonates,
                                 PSECURITY_QUALITY_OF_SERVICE Qos, BOOLEAN Remote,
                                 PSECURITY_CLIENT_CONTEXT Context)
{
    BOOLEAN Direct = Qos->ContextTrackingMode == SECURITY_DYNAMIC_TRACKING && !Remote;
    SECURITY_IMPERSONATION_LEVEL Level = Qos->ImpersonationLevel;
    SE_TOKEN *Copy = Token;
    NTSTATUS Status;

    if (Impersonates && (Token->Level < SecurityImpersonation || Level > Token->Level ||
                         (Remote && Token->Level != SecurityDelegation)))
        return STATUS_BAD_IMPERSONATION_LEVEL;
    if (Direct) {
        ObReferenceObject(Token);
    } else {
        Status = SeCopyToken_(Token, Level, &Copy);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    RtlZeroMemory(Context, sizeof(*Context));
    Context->SecurityQos = *Qos;
    Context->ClientToken = Copy;
    Context->DirectlyAccessClientToken = Direct;
    Context->DirectAccessEffectiveOnly = Direct && Qos->EffectiveOnly;
    Context->ServerIsRemote = Remote;
    Context->ClientTokenControl.TokenId = Token->TokenId;
    Context->ClientTokenControl.AuthenticationId = Token->AuthenticationId;
    return STATUS_SUCCESS;
}

/*
 * Captures whom the thread acts as, for SeImpersonateClientEx; ended by SeDeleteClientSecurity. By
 * reference with dynamic tracking and a server that is not remote, else a copy.
 * STATUS_BAD_IMPERSONATION_LEVEL: the thread acts for a client of its own, who does not allow as
 * much. IRQL PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-secreateclientsecurity
 */
NTSTATUS NTAPI SeCreateClientSecurity(PETHREAD ClientThread,
                                      PSECURITY_QUALITY_OF_SERVICE ClientSecurityQos,
                                      BOOLEAN RemoteSession, PSECURITY_CLIENT_CONTEXT ClientContext)
{
    SECURITY_IMPERSONATION_LEVEL Level;
    BOOLEAN Copy, Effective;
    SE_TOKEN *Token;
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Token = PsReferenceImpersonationToken(ClientThread, &Copy, &Effective, &Level);
    if (Token) {
        Status = PspCaptureClient(Token, Token->Type == TokenImpersonation, ClientSecurityQos,
                                  RemoteSession, ClientContext);
    } else {
        Token = PsReferencePrimaryToken(ClientThread->Process);
        Status = PspCaptureClient(Token, FALSE, ClientSecurityQos, RemoteSession, ClientContext);
    }
    ObDereferenceObject(Token);
    return Status;
}

/* The same for a captured subject. Doc: ntifs/nf-ntifs-secreateclientsecurityfromsubjectcontext */
NTSTATUS NTAPI SeCreateClientSecurityFromSubjectContext(
    PSECURITY_SUBJECT_CONTEXT SubjectContext, PSECURITY_QUALITY_OF_SERVICE ClientSecurityQos,
    BOOLEAN ServerIsRemote, PSECURITY_CLIENT_CONTEXT ClientContext)
{
    SE_TOKEN *Client = SubjectContext->ClientToken;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PspCaptureClient(Client ? Client : SubjectContext->PrimaryToken,
                            Client && Client->Type == TokenImpersonation, ClientSecurityQos,
                            ServerIsRemote, ClientContext);
}

/* The server's thread (NULL: the calling one) acts for the client from now on, until
 * SeStopImpersonatingClient. IRQL PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-seimpersonateclientex */
NTSTATUS NTAPI SeImpersonateClientEx(PSECURITY_CLIENT_CONTEXT ClientContext, PETHREAD ServerThread)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PsImpersonateClient(ServerThread ? ServerThread : PsSelf(), ClientContext->ClientToken,
                               TRUE, ClientContext->SecurityQos.EffectiveOnly,
                               ClientContext->SecurityQos.ImpersonationLevel);
}

/* The same, without a status. Doc: ntifs/nf-ntifs-seimpersonateclient */
VOID NTAPI SeImpersonateClient(PSECURITY_CLIENT_CONTEXT ClientContext, PETHREAD ServerThread)
{
    SeImpersonateClientEx(ClientContext, ServerThread);
}

/*
 * The thread acts as an impersonation token's user; Token NULL ends that. STATUS_BAD_TOKEN_TYPE: a
 * primary token; the status of the handle else (TOKEN_IMPERSONATE is needed). IRQL PASSIVE_LEVEL.
 * Doc: ntifs/nf-ntifs-psassignimpersonationtoken
 */
NTSTATUS NTAPI PsAssignImpersonationToken(PETHREAD Thread, HANDLE Token)
{
    SE_TOKEN *Object = NULL;
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (Token) {
        Status = ObReferenceObjectByHandle(Token, TOKEN_IMPERSONATE, SeTokenObjectType_,
                                           (KPROCESSOR_MODE)KiSelf->PreviousMode, (PVOID *)&Object,
                                           NULL);
        if (!NT_SUCCESS(Status))
            return Status;
        if (Object->Type != TokenImpersonation) {
            ObDereferenceObject(Object);
            return STATUS_BAD_TOKEN_TYPE;
        }
    }
    Status = PsImpersonateClient(Thread, Object, FALSE, FALSE,
                                 Object ? Object->Level : SecurityAnonymous);
    if (Object)
        ObDereferenceObject(Object);
    return Status;
}

/* A UNICODE_STRING with its characters behind it, for ExFreePool. STATUS_NOT_FOUND: the process has
 * no image. IRQL PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-selocateprocessimagename */
NTSTATUS NTAPI SeLocateProcessImageName(PEPROCESS Process, PUNICODE_STRING *pImageFileName)
{
    const UNICODE_STRING *Path = &Process->ImagePath;
    PUNICODE_STRING Name;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    *pImageFileName = NULL;
    if (!Path->Length)
        return STATUS_NOT_FOUND;
    Name = ExAllocatePoolWithTag(PagedPool, sizeof(*Name) + Path->Length + sizeof(WCHAR), 'nPeS');
    if (!Name)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Name =
        (UNICODE_STRING){Path->Length, (USHORT)(Path->Length + sizeof(WCHAR)), (PWSTR)(Name + 1)};
    RtlCopyMemory(Name->Buffer, Path->Buffer, Path->Length);
    Name->Buffer[Path->Length / sizeof(WCHAR)] = 0;
    MM_GIVE_TO_CALLER(Name);
    *pImageFileName = Name;
    return STATUS_SUCCESS;
}
