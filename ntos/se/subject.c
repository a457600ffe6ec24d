/* Whom a check is about: the tokens of a thread and its process, captured; and the state of an
 * open. */
#include "se/sep.h"

static SE_TOKEN *SepReference(SE_TOKEN *Token)
{
    if (Token)
        ObReferenceObject(Token);
    return Token;
}

static SE_TOKEN *SepPrimaryToken(void)
{
    if (!KiSelf || !SepState.Subject.TokenOf)
        return SepState.System;
    return SepState.Subject.TokenOf((PEPROCESS)KiSelf->ApcState.Process);
}

/*
 * PASSIVE_LEVEL. References both tokens of the calling thread; SeReleaseSubjectContext gives them
 * back. Doc: wdm/nf-wdm-secapturesubjectcontext
 */
VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    SE_TOKEN *Current = SepState.Subject.CurrentToken ? SepState.Subject.CurrentToken() : NULL;
    SE_TOKEN *Primary = SepPrimaryToken();
    RtlZeroMemory(SubjectContext, sizeof(*SubjectContext));
    SubjectContext->PrimaryToken = SepReference(Primary);
    if (Current && Current != Primary) {
        SubjectContext->ClientToken = SepReference(Current);
        SubjectContext->ImpersonationLevel =
            Current->Type == TokenPrimary ? SecurityImpersonation : Current->Level;
    }
}

/* PASSIVE_LEVEL. Doc: wdm/nf-wdm-sereleasesubjectcontext */
VOID NTAPI SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (SubjectContext->ClientToken)
        ObDereferenceObject(SubjectContext->ClientToken);
    if (SubjectContext->PrimaryToken)
        ObDereferenceObject(SubjectContext->PrimaryToken);
    SubjectContext->ClientToken = NULL;
    SubjectContext->PrimaryToken = NULL;
}

/*
 * PASSIVE_LEVEL. Several checks against one state: no privilege changes until
 * SeUnlockSubjectContext. Doc: wdm/nf-wdm-selocksubjectcontext
 */
VOID NTAPI SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    SE_TOKEN *Primary = SubjectContext->PrimaryToken, *Client = SubjectContext->ClientToken;
    ExLockShared_(&Primary->Lock);
    if (Client && Client != Primary)
        ExLockShared_(&Client->Lock);
}

/* PASSIVE_LEVEL. Doc: wdm/nf-wdm-seunlocksubjectcontext */
VOID NTAPI SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    SE_TOKEN *Primary = SubjectContext->PrimaryToken, *Client = SubjectContext->ClientToken;
    if (Client && Client != Primary)
        ExUnlockShared_(&Client->Lock);
    ExUnlockShared_(&Primary->Lock);
}

/* NULL when the client allowed nobody to act for it. */
SE_TOKEN *SepEffectiveToken(PSECURITY_SUBJECT_CONTEXT Subject)
{
    if (!Subject->ClientToken)
        return Subject->PrimaryToken;
    return Subject->ImpersonationLevel < SecurityImpersonation ? NULL : Subject->ClientToken;
}

/* The state of one open: what is wanted, and by whom. SeDeleteAccessState gives it back. */
NTSTATUS NTAPI SeCreateAccessState(PACCESS_STATE AccessState, PVOID AuxData,
                                   ACCESS_MASK DesiredAccess, PGENERIC_MAPPING GenericMapping)
{
    RtlZeroMemory(AccessState, sizeof(*AccessState));
    if (GenericMapping)
        RtlMapGenericMask(&DesiredAccess, GenericMapping);
    AccessState->RemainingDesiredAccess = DesiredAccess;
    AccessState->OriginalDesiredAccess = DesiredAccess;
    AccessState->AuxData = AuxData;
    ExAllocateLocallyUniqueId(&AccessState->OperationID);
    SeCaptureSubjectContext(&AccessState->SubjectSecurityContext);
    return STATUS_SUCCESS;
}

VOID NTAPI SeDeleteAccessState(PACCESS_STATE AccessState)
{
    SeReleaseSubjectContext(&AccessState->SubjectSecurityContext);
}
