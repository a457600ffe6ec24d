/* Start and stop of se. */
#include "se/sep.h"

#define FIRST_LUID 1001 /* below are the well-known ones: 0x3E7 and its neighbours */

SEP_STATE SepState;

static BOOLEAN SepHookAccessCheck(PSECURITY_DESCRIPTOR Descriptor, PACCESS_STATE AccessState,
                                  ACCESS_MASK Desired, PGENERIC_MAPPING Mapping,
                                  KPROCESSOR_MODE Mode, PACCESS_MASK Granted, PNTSTATUS Status)
{
    return SeAccessCheck(Descriptor, &AccessState->SubjectSecurityContext, FALSE, Desired,
                         AccessState->PreviouslyGrantedAccess, NULL, Mapping, Mode, Granted,
                         Status);
}

static NTSTATUS SepHookAssign(PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Given,
                              BOOLEAN Container, PGENERIC_MAPPING Mapping,
                              PSECURITY_DESCRIPTOR *New)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    SeCaptureSubjectContext(&Subject);
    NTSTATUS Status = SeAssignSecurity(Parent, Given, New, Container, &Subject, Mapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    return Status;
}

static void SepHookFree(PSECURITY_DESCRIPTOR Descriptor)
{
    SeDeassignSecurity(&Descriptor);
}

static NTSTATUS SepHookQuery(PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor,
                             PULONG Length, PSECURITY_DESCRIPTOR *Stored)
{
    ExLockShared_(&SepState.DescriptorLock);
    NTSTATUS Status = SeQuerySecurityDescriptorInfo(Information, Descriptor, Length, Stored);
    ExUnlockShared_(&SepState.DescriptorLock);
    return Status;
}

static NTSTATUS SepHookSet(PVOID Object, PSECURITY_INFORMATION Information,
                           PSECURITY_DESCRIPTOR Modification, PSECURITY_DESCRIPTOR *Stored,
                           POOL_TYPE Pool, PGENERIC_MAPPING Mapping)
{
    ExLockExclusive_(&SepState.DescriptorLock);
    PSECURITY_DESCRIPTOR Old = *Stored;
    NTSTATUS Status =
        SeSetSecurityDescriptorInfo(Object, Information, Modification, Stored, Pool, Mapping);
    ExUnlockExclusive_(&SepState.DescriptorLock);
    if (NT_SUCCESS(Status) && Old)
        ExFreePool(Old);
    return Status;
}

NTSTATUS SeInitSystem(ULONG BootUserId)
{
    static const OB_SECURITY_HOOKS Hooks = {
        .AccessCheck = SepHookAccessCheck,
        .Assign = SepHookAssign,
        .Free = SepHookFree,
        .CreateAccessState = SeCreateAccessState,
        .DeleteAccessState = SeDeleteAccessState,
        .Query = SepHookQuery,
        .Set = SepHookSet,
    };
    RtlZeroMemory(&SepState, sizeof(SepState));
    SepState.BootUserId = BootUserId;
    SepState.NextLuid = FIRST_LUID;
    ExInitializePushLock(&SepState.DescriptorLock);
    NTSTATUS Status = SepCreateTokenType();
    if (NT_SUCCESS(Status))
        SepCreateSystemToken(&Status);
    if (!NT_SUCCESS(Status))
        return Status;
    ObSetSecurityHooks(&Hooks);
    return STATUS_SUCCESS;
}

void SeShutdownSystem(void)
{
    static const OB_SECURITY_HOOKS None;
    ObSetSecurityHooks(&None);
    if (SepState.System)
        ObDereferenceObject(SepState.System);
    SepState.System = NULL;
}

void SeSetSubjectHooks(const SE_SUBJECT_HOOKS *Hooks)
{
    SepState.Subject = *Hooks;
}

SE_TOKEN *SeSystemToken(void)
{
    return SepState.System;
}

/* A number that this system has not used for anything. IRQL <= APC_LEVEL. Doc: ntddk,
 * ExAllocateLocallyUniqueId */
NTSTATUS NTAPI ExAllocateLocallyUniqueId(PLUID Luid)
{
    LONG64 Value = InterlockedIncrement64(&SepState.NextLuid) - 1;
    *Luid = (LUID){.LowPart = (ULONG)Value, .HighPart = (LONG)(Value >> 32)};
    return STATUS_SUCCESS;
}
