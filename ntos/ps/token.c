/*
 * The tokens of processes and threads.
 */
#include "ps/psp.h"

#undef PsDereferenceImpersonationToken
#undef PsDereferencePrimaryToken

/* The caller dereferences it with PsDereferencePrimaryToken. IRQL PASSIVE_LEVEL. Doc:
 * ntifs/nf-ntifs-psreferenceprimarytoken */
PACCESS_TOKEN NTAPI PsReferencePrimaryToken(PEPROCESS Process)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    ObReferenceObject(Process->Token);
    return Process->Token;
}

VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    ObDereferenceObject(PrimaryToken);
}

/* NULL if the thread does not impersonate. IRQL PASSIVE_LEVEL. Doc:
 * ntifs/nf-ntifs-psreferenceimpersonationtoken */
PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
                                                  PBOOLEAN EffectiveOnly,
                                                  PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    SE_TOKEN *Token;
    KIRQL Irql;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Token = Thread->ImpersonationToken;
    if (Token)
        ObReferenceObject(Token);
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (!Token)
        return NULL;
    *CopyOnOpen = FALSE;
    *EffectiveOnly = FALSE;
    *ImpersonationLevel = Token->Level;
    return Token;
}

VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
    if (ImpersonationToken)
        ObDereferenceObject(ImpersonationToken);
}

/* Replaces the thread's impersonation token; NULL ends impersonation. The token must be an
 * impersonation token, or a primary one that a driver stands for. IRQL PASSIVE_LEVEL. Doc:
 * ntifs/nf-ntifs-psimpersonateclient */
NTSTATUS NTAPI PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen,
                                   BOOLEAN EffectiveOnly,
                                   SECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    SE_TOKEN *Old;
    KIRQL Irql;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (Token)
        ObReferenceObject(Token);
    KeAcquireSpinLock(&PspState.Lock, &Irql);
    Old = Thread->ImpersonationToken;
    Thread->ImpersonationToken = Token;
    KeReleaseSpinLock(&PspState.Lock, Irql);
    if (Old)
        ObDereferenceObject(Old);
    return STATUS_SUCCESS;
}

/* Doc: ntifs/nf-ntifs-psreverttoself */
VOID NTAPI PsRevertToSelf(VOID)
{
    PsImpersonateClient(PsSelf(), NULL, FALSE, FALSE, SecurityAnonymous);
}
