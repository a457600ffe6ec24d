/* Whose pipe it is, for a driver that is told to keep users apart (registry value OwnerOnly). */
#include "pipe.h"

static NTSTATUS CopySid(PSID Sid, PSID *Copy)
{
    ULONG Bytes = RtlLengthSid(Sid);

    *Copy = DriverAllocate(Bytes, PIPE_TAG);
    return *Copy ? RtlCopySid(Bytes, *Copy, Sid) : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS OwnerCapture(PSID *Owner)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    PVOID User = NULL;
    NTSTATUS Status;

    SeCaptureSubjectContext(&Subject);
    Status = SeQueryInformationToken(SeQuerySubjectContextToken(&Subject), TokenUser, &User);
    SeReleaseSubjectContext(&Subject);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CopySid(((PTOKEN_USER)User)->User.Sid, Owner);
    ExFreePool(User);
    return Status;
}
