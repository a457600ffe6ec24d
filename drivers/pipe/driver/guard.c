/*
 * Who may open a pipe. Its owner is the user who opened it first; he may keep others out, or let in
 * one SID beside himself (IOCTL_EXAMPLE_RESTRICT). With the registry value OwnerOnly every pipe
 * begins restricted.
 */
#include "pipe.h"

typedef NTSTATUS(NTAPI SET_GROUP)(PSECURITY_DESCRIPTOR Descriptor, PSID Group, BOOLEAN Defaulted);

/* NULL under Wine only, which tells no one who opens; its pipes have no owner. */
static PSECURITY_SUBJECT_CONTEXT SubjectOf(PIRP Irp)
{
    PIO_SECURITY_CONTEXT Context =
        IoGetCurrentIrpStackLocation(Irp)->Parameters.Create.SecurityContext;

    return Context ? &Context->AccessState->SubjectSecurityContext : NULL;
}

static NTSTATUS UserOf(PSECURITY_SUBJECT_CONTEXT Subject, PSID *User)
{
    PVOID Token = NULL;
    ULONG Bytes;
    NTSTATUS Status;

    Status = SeQueryInformationToken(SeQuerySubjectContextToken(Subject), TokenUser, &Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Bytes = RtlLengthSid(((PTOKEN_USER)Token)->User.Sid);
    *User = DriverAllocate(Bytes, PIPE_TAG);
    Status = *User ? RtlCopySid(Bytes, *User, ((PTOKEN_USER)Token)->User.Sid)
                   : STATUS_INSUFFICIENT_RESOURCES;
    ExFreePool(Token);
    return Status;
}

NTSTATUS GuardUser(PIRP Irp, PSID *User)
{
    return SubjectOf(Irp) ? UserOf(SubjectOf(Irp), User) : STATUS_SUCCESS;
}

/* The rights to data stand for all: who may not have them may not open the pipe at all. */
NTSTATUS GuardCheck(PSECURITY_DESCRIPTOR Guard, PIRP Irp)
{
    ACCESS_MASK Granted;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!Guard)
        return STATUS_SUCCESS;
    if (SubjectOf(Irp) &&
        SeAccessCheck(Guard, SubjectOf(Irp), FALSE, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL,
                      IoGetFileObjectGenericMapping(), Irp->RequestorMode, &Granted, &Status))
        return STATUS_SUCCESS;
    return NT_SUCCESS(Status) ? STATUS_ACCESS_DENIED : Status;
}

static ULONG EntrySize(PSID Sid)
{
    return Sid ? FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid) : 0;
}

/*
 * Documented for Windows Server 2003 SP1 and later. Without it there is no group; the list decides
 * who may open.
 */
static NTSTATUS SetGroup(PSECURITY_DESCRIPTOR Guard, PSID Group)
{
    UNICODE_STRING Name;
    SET_GROUP *Set;

    RtlInitUnicodeString(&Name, L"RtlSetGroupSecurityDescriptor");
    Set = (SET_GROUP *)MmGetSystemRoutineAddress(&Name);
    return Set ? Set(Guard, Group, FALSE) : STATUS_SUCCESS;
}

static NTSTATUS Fill(PSECURITY_DESCRIPTOR Guard, PACL List, ULONG ListSize, PSID Owner, PSID Other)
{
    NTSTATUS Status = RtlCreateSecurityDescriptor(Guard, SECURITY_DESCRIPTOR_REVISION);

    if (NT_SUCCESS(Status))
        Status = RtlCreateAcl(List, ListSize, ACL_REVISION);
    if (NT_SUCCESS(Status))
        Status = RtlAddAccessAllowedAce(List, ACL_REVISION, FILE_ALL_ACCESS, Owner);
    if (NT_SUCCESS(Status) && Other)
        Status = RtlAddAccessAllowedAce(List, ACL_REVISION, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                                        Other);
    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(Guard, TRUE, List, FALSE);
    if (NT_SUCCESS(Status))
        Status = RtlSetOwnerSecurityDescriptor(Guard, Owner, FALSE);
    if (NT_SUCCESS(Status))
        Status = SetGroup(Guard, Owner);
    return Status;
}

NTSTATUS GuardCreate(PSID Owner, PSID Other, PSECURITY_DESCRIPTOR *Guard)
{
    ULONG ListSize = sizeof(ACL) + EntrySize(Owner) + EntrySize(Other);
    SECURITY_DESCRIPTOR *New = DriverAllocate(sizeof(*New) + ListSize, PIPE_TAG);
    NTSTATUS Status;

    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = Fill(New, (PACL)(New + 1), ListSize, Owner, Other);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(New, PIPE_TAG);
        return Status;
    }
    *Guard = New;
    return STATUS_SUCCESS;
}

/* Input is the system's copy. */
static NTSTATUS CheckSid(const UCHAR *Sid, ULONG Length)
{
    if (Length < 8 || Sid[0] != SID_REVISION || Sid[1] > SID_MAX_SUB_AUTHORITIES ||
        Length < 8 + 4u * Sid[1])
        return STATUS_INVALID_SID;
    return STATUS_SUCCESS;
}

static NTSTATUS Decode(PIRP Irp, ULONG *Who, PSID *Sid)
{
    EXAMPLE_RESTRICTION *Wish = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.InputBufferLength;

    if (Length < sizeof(*Wish))
        return STATUS_BUFFER_TOO_SMALL;
    *Who = Wish->Who;
    *Sid = *Who == EXAMPLE_SID ? (PSID)(Wish + 1) : NULL;
    if (*Who > EXAMPLE_SID || Wish->Reserved)
        return STATUS_INVALID_PARAMETER;
    return *Sid ? CheckSid((UCHAR *)*Sid, Length - sizeof(*Wish)) : STATUS_SUCCESS;
}

static NTSTATUS CallerOwns(const PIPE *Pipe)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    PSID User = NULL;
    NTSTATUS Status;

    SeCaptureSubjectContext(&Subject);
    Status = UserOf(&Subject, &User);
    SeReleaseSubjectContext(&Subject);
    if (NT_SUCCESS(Status) && !RtlEqualSid(User, Pipe->Owner))
        Status = STATUS_ACCESS_DENIED;
    if (User)
        ExFreePoolWithTag(User, PIPE_TAG);
    return Status;
}

/* Whoever else is inside already would stay: so nobody may be. */
static NTSTATUS Exchange(DEVICE *Device, PIPE *Pipe, PSECURITY_DESCRIPTOR *Guard)
{
    PSECURITY_DESCRIPTOR Old;
    NTSTATUS Status = STATUS_SHARING_VIOLATION;

    NamesLock(&Device->Names);
    if (!*Guard || !Pipe->Strangers) {
        Old = Pipe->Guard;
        Pipe->Guard = *Guard;
        *Guard = Old;
        Status = STATUS_SUCCESS;
    }
    NamesUnlock(&Device->Names);
    return Status;
}

NTSTATUS GuardRestrict(PIRP Irp)
{
    PIPE *Pipe = PipeOf(Irp);
    PSECURITY_DESCRIPTOR Guard = NULL;
    PSID Other;
    ULONG Who;
    NTSTATUS Status = Decode(Irp, &Who, &Other);

    if (NT_SUCCESS(Status))
        Status = CallerOwns(Pipe);
    if (NT_SUCCESS(Status) && Who != EXAMPLE_EVERYONE)
        Status = GuardCreate(Pipe->Owner, Other, &Guard);
    if (NT_SUCCESS(Status))
        Status = Exchange(DeviceOf(Irp), Pipe, &Guard);
    if (Guard)
        ExFreePoolWithTag(Guard, PIPE_TAG);
    return Status;
}
