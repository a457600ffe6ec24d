/*
 * Capturing a client's security descriptor, absolute or self-relative, as a self-relative copy.
 */
#include "nt/capture.h"
#include <string.h>

typedef struct PART {
    const void *User;
    ULONG Bytes;
} PART;

static NTSTATUS MeasureSid(const void *User, PART *Part)
{
    UCHAR Head[2]; /* revision, sub-authority count */
    *Part = (PART){User, 0};
    if (User == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmCopyFromUser(Head, User, sizeof(Head));
    if (NT_SUCCESS(Status) && (Head[0] != SID_REVISION || Head[1] > SID_MAX_SUB_AUTHORITIES))
        Status = STATUS_INVALID_SID;
    Part->Bytes = FIELD_OFFSET(SID, SubAuthority) + Head[1] * (ULONG)sizeof(ULONG);
    return Status;
}

static NTSTATUS MeasureAcl(const void *User, BOOLEAN Present, PART *Part)
{
    ACL Head;
    *Part = (PART){Present ? User : NULL, 0};
    if (Part->User == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmCopyFromUser(&Head, User, sizeof(Head));
    if (NT_SUCCESS(Status) && Head.AclSize < sizeof(ACL))
        Status = STATUS_INVALID_ACL;
    Part->Bytes = Head.AclSize;
    return Status;
}

static const void *Resolve(const UCHAR *Base, ULONG Offset)
{
    return Offset == 0 ? NULL : Base + Offset;
}

/* The four addresses in the client's memory. */
static NTSTATUS ReadHeader(const void *User, SECURITY_DESCRIPTOR *Header)
{
    SECURITY_DESCRIPTOR_RELATIVE Relative;
    NTSTATUS Status = MmCopyFromUser(&Relative, User, sizeof(Relative));
    if (!NT_SUCCESS(Status))
        return Status;
    if (Relative.Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    if ((Relative.Control & SE_SELF_RELATIVE) == 0) {
        Status = MmCopyFromUser(Header, User, sizeof(*Header));
        Header->Revision = Relative.Revision;
        Header->Control =
            Relative.Control; /* as checked, whatever the client has made of it since */
        return Status;
    }
    Header->Revision = Relative.Revision;
    Header->Control = Relative.Control;
    Header->Owner = (PSID)Resolve(User, Relative.Owner);
    Header->Group = (PSID)Resolve(User, Relative.Group);
    Header->Sacl = (PACL)Resolve(User, Relative.Sacl);
    Header->Dacl = (PACL)Resolve(User, Relative.Dacl);
    return STATUS_SUCCESS;
}

static NTSTATUS CopyPart(UCHAR *Base, ULONG *Offset, PULONG Field, const PART *Part)
{
    *Field = 0;
    if (Part->User == NULL)
        return STATUS_SUCCESS;
    *Field = *Offset;
    *Offset += (Part->Bytes + 3) & ~3u;
    return MmCopyFromUser(Base + *Field, Part->User, Part->Bytes);
}

static BOOLEAN IsValidCopy(const UCHAR *Base, const SECURITY_DESCRIPTOR_RELATIVE *Copy,
                           const PART Parts[4])
{
    const UCHAR *Owner = Base + Copy->Owner, *Group = Base + Copy->Group;
    if (Copy->Owner != 0 &&
        FIELD_OFFSET(SID, SubAuthority) + Owner[1] * sizeof(ULONG) != Parts[0].Bytes)
        return FALSE;
    if (Copy->Group != 0 &&
        FIELD_OFFSET(SID, SubAuthority) + Group[1] * sizeof(ULONG) != Parts[1].Bytes)
        return FALSE;
    for (int i = 2; i < 4; i++) {
        ULONG Offset = i == 2 ? Copy->Sacl : Copy->Dacl;
        PACL Acl = (PACL)(Base + Offset);
        if (Offset != 0 && (Acl->AclSize != Parts[i].Bytes || !RtlValidAcl(Acl)))
            return FALSE;
    }
    return TRUE;
}

NTSTATUS NtpCaptureSecurity(PSECURITY_DESCRIPTOR Descriptor, PVOID *Captured)
{
    SECURITY_DESCRIPTOR Header;
    PART Parts[4]; /* owner, group, SACL, DACL */
    *Captured = NULL;
    NTSTATUS Status = ReadHeader(Descriptor, &Header);
    if (NT_SUCCESS(Status))
        Status = MeasureSid(Header.Owner, &Parts[0]);
    if (NT_SUCCESS(Status))
        Status = MeasureSid(Header.Group, &Parts[1]);
    if (NT_SUCCESS(Status))
        Status = MeasureAcl(Header.Sacl, (Header.Control & SE_SACL_PRESENT) != 0, &Parts[2]);
    if (NT_SUCCESS(Status))
        Status = MeasureAcl(Header.Dacl, (Header.Control & SE_DACL_PRESENT) != 0, &Parts[3]);
    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Bytes = sizeof(SECURITY_DESCRIPTOR_RELATIVE);
    for (int i = 0; i < 4; i++)
        Bytes += (Parts[i].Bytes + 3) & ~3u;
    UCHAR *Base = ExAllocatePoolWithTag(PagedPool, Bytes, NTP_TAG);
    if (Base == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    SECURITY_DESCRIPTOR_RELATIVE *Copy = (SECURITY_DESCRIPTOR_RELATIVE *)Base;
    RtlZeroMemory(Base, Bytes);
    Copy->Revision = SECURITY_DESCRIPTOR_REVISION;
    Copy->Control = Header.Control | SE_SELF_RELATIVE;
    ULONG Offset = sizeof(*Copy), *Fields[4] = {(PULONG)&Copy->Owner, (PULONG)&Copy->Group,
                                                (PULONG)&Copy->Sacl, (PULONG)&Copy->Dacl};
    for (int i = 0; i < 4 && NT_SUCCESS(Status); i++)
        Status = CopyPart(Base, &Offset, Fields[i], &Parts[i]);
    if (NT_SUCCESS(Status) && !IsValidCopy(Base, Copy, Parts))
        Status = STATUS_INVALID_SECURITY_DESCR;
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Base, NTP_TAG);
    else
        *Captured = Base;
    return Status;
}
