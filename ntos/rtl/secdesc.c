/*
 * Security descriptors in both forms: absolute (pointers) and self-relative (offsets, one block).
 * All routines here are pageable: IRQL <= APC_LEVEL.
 */
#include "rtlp.h"

#include <string.h>

#define ALIGN_PART(Bytes) (((Bytes) + 3u) & ~3u)

static PVOID RtlpPartAt(PSECURITY_DESCRIPTOR Descriptor, ULONG Offset)
{
    return Offset ? (PUCHAR)Descriptor + Offset : NULL;
}

VOID RtlpViewSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor, RTLP_SECURITY_PARTS *Parts)
{
    SECURITY_DESCRIPTOR_RELATIVE *Relative = Descriptor;
    SECURITY_DESCRIPTOR *Absolute = Descriptor;
    Parts->Control = Relative->Control;
    if (Relative->Control & SE_SELF_RELATIVE) {
        Parts->Owner = RtlpPartAt(Descriptor, Relative->Owner);
        Parts->Group = RtlpPartAt(Descriptor, Relative->Group);
        Parts->Sacl = RtlpPartAt(Descriptor, Relative->Sacl);
        Parts->Dacl = RtlpPartAt(Descriptor, Relative->Dacl);
    } else {
        Parts->Owner = Absolute->Owner;
        Parts->Group = Absolute->Group;
        Parts->Sacl = Absolute->Sacl;
        Parts->Dacl = Absolute->Dacl;
    }
    if (!(Parts->Control & SE_SACL_PRESENT))
        Parts->Sacl = NULL;
    if (!(Parts->Control & SE_DACL_PRESENT))
        Parts->Dacl = NULL;
}

static ULONG RtlpPartsLength(const RTLP_SECURITY_PARTS *Parts)
{
    ULONG Length = 0;
    Length += Parts->Owner ? ALIGN_PART(RtlLengthSid(Parts->Owner)) : 0;
    Length += Parts->Group ? ALIGN_PART(RtlLengthSid(Parts->Group)) : 0;
    Length += Parts->Sacl ? ALIGN_PART(Parts->Sacl->AclSize) : 0;
    Length += Parts->Dacl ? ALIGN_PART(Parts->Dacl->AclSize) : 0;
    return Length;
}

static ULONG RtlpPutPart(PUCHAR *Cursor, PVOID Base, const VOID *Part, ULONG Bytes)
{
    if (!Part)
        return 0;
    PUCHAR Start = *Cursor;
    memcpy(Start, Part, Bytes);
    memset(Start + Bytes, 0, ALIGN_PART(Bytes) - Bytes);
    *Cursor += ALIGN_PART(Bytes);
    return (ULONG)(Start - (PUCHAR)Base);
}

ULONG RtlpSelfRelativeLength(const RTLP_SECURITY_PARTS *Parts)
{
    return sizeof(SECURITY_DESCRIPTOR_RELATIVE) + RtlpPartsLength(Parts);
}

VOID RtlpWriteSelfRelative(const RTLP_SECURITY_PARTS *Parts, PSECURITY_DESCRIPTOR Descriptor)
{
    SECURITY_DESCRIPTOR_RELATIVE *To = Descriptor;
    PUCHAR Cursor = (PUCHAR)(To + 1);
    *To = (SECURITY_DESCRIPTOR_RELATIVE){.Revision = SECURITY_DESCRIPTOR_REVISION,
                                         .Control = Parts->Control | SE_SELF_RELATIVE};
    To->Sacl = RtlpPutPart(&Cursor, To, Parts->Sacl, Parts->Sacl ? Parts->Sacl->AclSize : 0);
    To->Dacl = RtlpPutPart(&Cursor, To, Parts->Dacl, Parts->Dacl ? Parts->Dacl->AclSize : 0);
    To->Owner =
        RtlpPutPart(&Cursor, To, Parts->Owner, Parts->Owner ? RtlLengthSid(Parts->Owner) : 0);
    To->Group =
        RtlpPutPart(&Cursor, To, Parts->Group, Parts->Group ? RtlLengthSid(Parts->Group) : 0);
}

/* An empty absolute descriptor. STATUS_UNKNOWN_REVISION. Doc:
 * wdm/nf-wdm-rtlcreatesecuritydescriptor */
NTSTATUS NTAPI RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    *(SECURITY_DESCRIPTOR *)SecurityDescriptor = (SECURITY_DESCRIPTOR){.Revision = (UCHAR)Revision};
    return STATUS_SUCCESS;
}

/* An empty self-relative one. Doc: ntifs/nf-ntifs-rtlcreatesecuritydescriptorrelative */
NTSTATUS NTAPI RtlCreateSecurityDescriptorRelative(
    PISECURITY_DESCRIPTOR_RELATIVE SecurityDescriptor, ULONG Revision)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    *SecurityDescriptor =
        (SECURITY_DESCRIPTOR_RELATIVE){.Revision = (UCHAR)Revision, .Control = SE_SELF_RELATIVE};
    return STATUS_SUCCESS;
}

/* ---- setting parts of an absolute descriptor ------------------------------------------------- */

static NTSTATUS RtlpRequireAbsolute(const SECURITY_DESCRIPTOR *Descriptor)
{
    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    return Descriptor->Control & SE_SELF_RELATIVE ? STATUS_INVALID_SECURITY_DESCR : STATUS_SUCCESS;
}

static VOID RtlpControl(SECURITY_DESCRIPTOR *Descriptor, USHORT Bit, BOOLEAN Value)
{
    Descriptor->Control = Value ? Descriptor->Control | Bit : Descriptor->Control & ~Bit;
}

static NTSTATUS RtlpSetAcl(SECURITY_DESCRIPTOR *Descriptor, BOOLEAN Present, PACL Acl,
                           BOOLEAN Defaulted, PACL *Slot, USHORT PresentBit, USHORT DefaultedBit)
{
    NTSTATUS Status = RtlpRequireAbsolute(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlpControl(Descriptor, PresentBit, Present);
    if (!Present)
        return STATUS_SUCCESS;
    *Slot = Acl;
    RtlpControl(Descriptor, DefaultedBit, Defaulted);
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpSetSid(SECURITY_DESCRIPTOR *Descriptor, PSID Sid, BOOLEAN Defaulted, PSID *Slot,
                           USHORT DefaultedBit)
{
    NTSTATUS Status = RtlpRequireAbsolute(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    *Slot = Sid;
    RtlpControl(Descriptor, DefaultedBit, Defaulted);
    return STATUS_SUCCESS;
}

/*
 * The ACL is referenced, not copied; present and NULL grants everything. STATUS_UNKNOWN_REVISION,
 * STATUS_INVALID_SECURITY_DESCR (self-relative). Doc: wdm/nf-wdm-rtlsetdaclsecuritydescriptor
 */
NTSTATUS NTAPI RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                            BOOLEAN DaclPresent, PACL Dacl, BOOLEAN DaclDefaulted)
{
    RTL_IRQL_MAX(APC_LEVEL);
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    return RtlpSetAcl(Descriptor, DaclPresent, Dacl, DaclDefaulted, &Descriptor->Dacl,
                      SE_DACL_PRESENT, SE_DACL_DEFAULTED);
}

/* As RtlSetDaclSecurityDescriptor. */
NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                            BOOLEAN SaclPresent, PACL Sacl, BOOLEAN SaclDefaulted)
{
    RTL_IRQL_MAX(APC_LEVEL);
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    return RtlpSetAcl(Descriptor, SaclPresent, Sacl, SaclDefaulted, &Descriptor->Sacl,
                      SE_SACL_PRESENT, SE_SACL_DEFAULTED);
}

/* The SID is referenced, not copied. Doc: ntifs/nf-ntifs-rtlsetownersecuritydescriptor */
NTSTATUS NTAPI RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
                                             BOOLEAN OwnerDefaulted)
{
    RTL_IRQL_MAX(APC_LEVEL);
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    return RtlpSetSid(Descriptor, Owner, OwnerDefaulted, &Descriptor->Owner, SE_OWNER_DEFAULTED);
}

/* The SID is referenced, not copied. Doc: ntifs/nf-ntifs-rtlsetgroupsecuritydescriptor */
NTSTATUS NTAPI RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
                                             BOOLEAN GroupDefaulted)
{
    RTL_IRQL_MAX(APC_LEVEL);
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    return RtlpSetSid(Descriptor, Group, GroupDefaulted, &Descriptor->Group, SE_GROUP_DEFAULTED);
}

/* ---- looking at either form ------------------------------------------------------------------ */

static NTSTATUS RtlpView(PSECURITY_DESCRIPTOR Descriptor, RTLP_SECURITY_PARTS *Parts)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (((SECURITY_DESCRIPTOR *)Descriptor)->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    RtlpViewSecurityDescriptor(Descriptor, Parts);
    return STATUS_SUCCESS;
}

/* STATUS_UNKNOWN_REVISION. Doc: ntifs/nf-ntifs-rtlgetdaclsecuritydescriptor */
NTSTATUS NTAPI RtlGetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                            PBOOLEAN DaclPresent, PACL *Dacl,
                                            PBOOLEAN DaclDefaulted)
{
    RTLP_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpView(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *DaclPresent = (Parts.Control & SE_DACL_PRESENT) != 0;
    if (*DaclPresent) {
        *Dacl = Parts.Dacl;
        *DaclDefaulted = (Parts.Control & SE_DACL_DEFAULTED) != 0;
    }
    return STATUS_SUCCESS;
}

/* STATUS_UNKNOWN_REVISION. Doc: ntifs/nf-ntifs-rtlgetsaclsecuritydescriptor */
NTSTATUS NTAPI RtlGetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                            PBOOLEAN SaclPresent, PACL *Sacl,
                                            PBOOLEAN SaclDefaulted)
{
    RTLP_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpView(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *SaclPresent = (Parts.Control & SE_SACL_PRESENT) != 0;
    if (*SaclPresent) {
        *Sacl = Parts.Sacl;
        *SaclDefaulted = (Parts.Control & SE_SACL_DEFAULTED) != 0;
    }
    return STATUS_SUCCESS;
}

/* NULL when there is none. STATUS_UNKNOWN_REVISION. Doc:
 * ntifs/nf-ntifs-rtlgetownersecuritydescriptor */
NTSTATUS NTAPI RtlGetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Owner,
                                             PBOOLEAN OwnerDefaulted)
{
    RTLP_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpView(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *Owner = Parts.Owner;
    *OwnerDefaulted = (Parts.Control & SE_OWNER_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

/* NULL when there is none. STATUS_UNKNOWN_REVISION. Doc:
 * ntifs/nf-ntifs-rtlgetgroupsecuritydescriptor */
NTSTATUS NTAPI RtlGetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Group,
                                             PBOOLEAN GroupDefaulted)
{
    RTLP_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpView(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *Group = Parts.Group;
    *GroupDefaulted = (Parts.Control & SE_GROUP_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

/* Bytes of all parts, each rounded up to four. Doc: wdm/nf-wdm-rtllengthsecuritydescriptor */
ULONG NTAPI RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RTLP_SECURITY_PARTS Parts;
    RtlpViewSecurityDescriptor(SecurityDescriptor, &Parts);
    ULONG Header = Parts.Control & SE_SELF_RELATIVE ? sizeof(SECURITY_DESCRIPTOR_RELATIVE)
                                                    : sizeof(SECURITY_DESCRIPTOR);
    return Header + RtlpPartsLength(&Parts);
}

/* Revision, SIDs and ACLs. Doc: wdm/nf-wdm-rtlvalidsecuritydescriptor */
BOOLEAN NTAPI RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    RTLP_SECURITY_PARTS Parts;
    if (!SecurityDescriptor || !NT_SUCCESS(RtlpView(SecurityDescriptor, &Parts)))
        return FALSE;
    return (!Parts.Owner || RtlValidSid(Parts.Owner)) &&
           (!Parts.Group || RtlValidSid(Parts.Group)) && (!Parts.Sacl || RtlValidAcl(Parts.Sacl)) &&
           (!Parts.Dacl || RtlValidAcl(Parts.Dacl));
}

/* ---- a self-relative descriptor of unknown making -------------------------------------------- */

/* Does a part of at least Least bytes begin at Offset, aligned and inside? */
static BOOLEAN RtlpPartFits(ULONG Offset, ULONG Least, ULONG Length)
{
    return Offset >= sizeof(SECURITY_DESCRIPTOR_RELATIVE) && Offset % sizeof(ULONG) == 0 &&
           Offset <= Length && Least <= Length - Offset;
}

static BOOLEAN RtlpValidSidAt(PSECURITY_DESCRIPTOR Base, ULONG Offset, ULONG Length)
{
    if (!RtlpPartFits(Offset, RtlLengthRequiredSid(0), Length))
        return FALSE;
    PSID Sid = RtlpPartAt(Base, Offset);
    return RtlValidSid(Sid) && RtlLengthSid(Sid) <= Length - Offset;
}

static BOOLEAN RtlpValidAclAt(PSECURITY_DESCRIPTOR Base, ULONG Offset, ULONG Length)
{
    if (!RtlpPartFits(Offset, sizeof(ACL), Length))
        return FALSE;
    PACL Acl = RtlpPartAt(Base, Offset);
    return Acl->AclSize <= Length - Offset && RtlValidAcl(Acl);
}

/*
 * IRQL <= APC_LEVEL. Is this a self-relative descriptor within Length bytes that has the parts
 * required? Doc: wdm/nf-wdm-rtlvalidrelativesecuritydescriptor
 */
BOOLEAN NTAPI RtlValidRelativeSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptorInput,
                                                 ULONG SecurityDescriptorLength,
                                                 SECURITY_INFORMATION RequiredInformation)
{
    RTL_IRQL_MAX(APC_LEVEL);
    SECURITY_DESCRIPTOR_RELATIVE *Input = SecurityDescriptorInput;
    ULONG Length = SecurityDescriptorLength;
    if (Length < sizeof(*Input) || Input->Revision != SECURITY_DESCRIPTOR_REVISION ||
        !(Input->Control & SE_SELF_RELATIVE))
        return FALSE;
    if (Input->Owner ? !RtlpValidSidAt(Input, Input->Owner, Length)
                     : (RequiredInformation & OWNER_SECURITY_INFORMATION) != 0)
        return FALSE;
    if (Input->Group ? !RtlpValidSidAt(Input, Input->Group, Length)
                     : (RequiredInformation & GROUP_SECURITY_INFORMATION) != 0)
        return FALSE;
    BOOLEAN Dacl = (Input->Control & SE_DACL_PRESENT) != 0;
    BOOLEAN Sacl = (Input->Control & SE_SACL_PRESENT) != 0;
    if ((RequiredInformation & DACL_SECURITY_INFORMATION && !Dacl) ||
        (RequiredInformation & SACL_SECURITY_INFORMATION && !Sacl))
        return FALSE;
    return (!Dacl || !Input->Dacl || RtlpValidAclAt(Input, Input->Dacl, Length)) &&
           (!Sacl || !Input->Sacl || RtlpValidAclAt(Input, Input->Sacl, Length));
}

/* ---- from one form to the other -------------------------------------------------------------- */

/*
 * STATUS_BUFFER_TOO_SMALL tells the bytes needed; STATUS_BAD_DESCRIPTOR_FORMAT when it is
 * self-relative already. Doc: ntifs/nf-ntifs-rtlabsolutetoselfrelativesd
 */
NTSTATUS NTAPI RtlAbsoluteToSelfRelativeSD(PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
                                           PULONG BufferLength)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RTLP_SECURITY_PARTS Parts;
    RtlpViewSecurityDescriptor(AbsoluteSecurityDescriptor, &Parts);
    if (Parts.Control & SE_SELF_RELATIVE)
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    ULONG Needed = RtlpSelfRelativeLength(&Parts);
    ULONG Room = *BufferLength;
    *BufferLength = Needed;
    if (Room < Needed || !SelfRelativeSecurityDescriptor)
        return STATUS_BUFFER_TOO_SMALL;
    RtlpWriteSelfRelative(&Parts, SelfRelativeSecurityDescriptor);
    return STATUS_SUCCESS;
}

/* Notes what is needed; FALSE when there is less. */
static BOOLEAN RtlpRoomFor(PULONG Size, ULONG Needed)
{
    BOOLEAN Enough = *Size >= Needed;
    *Size = Needed;
    return Enough;
}

static PVOID RtlpCopyPart(PVOID To, const VOID *From, ULONG Bytes)
{
    return From ? memcpy(To, From, Bytes) : NULL;
}

/*
 * Each part into a buffer of the caller's. STATUS_BUFFER_TOO_SMALL tells all sizes needed;
 * STATUS_BAD_DESCRIPTOR_FORMAT when it is absolute already. Doc:
 * ntifs/nf-ntifs-rtlselfrelativetoabsolutesd
 */
NTSTATUS NTAPI RtlSelfRelativeToAbsoluteSD(PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PULONG AbsoluteSecurityDescriptorSize, PACL Dacl,
                                           PULONG DaclSize, PACL Sacl, PULONG SaclSize, PSID Owner,
                                           PULONG OwnerSize, PSID PrimaryGroup,
                                           PULONG PrimaryGroupSize)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RTLP_SECURITY_PARTS Parts;
    RtlpViewSecurityDescriptor(SelfRelativeSecurityDescriptor, &Parts);
    if (!(Parts.Control & SE_SELF_RELATIVE))
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    BOOLEAN Fits = RtlpRoomFor(AbsoluteSecurityDescriptorSize, sizeof(SECURITY_DESCRIPTOR));
    Fits &= RtlpRoomFor(DaclSize, Parts.Dacl ? Parts.Dacl->AclSize : 0);
    Fits &= RtlpRoomFor(SaclSize, Parts.Sacl ? Parts.Sacl->AclSize : 0);
    Fits &= RtlpRoomFor(OwnerSize, Parts.Owner ? RtlLengthSid(Parts.Owner) : 0);
    Fits &= RtlpRoomFor(PrimaryGroupSize, Parts.Group ? RtlLengthSid(Parts.Group) : 0);
    if (!Fits)
        return STATUS_BUFFER_TOO_SMALL;
    SECURITY_DESCRIPTOR Result = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                  .Control = Parts.Control & ~SE_SELF_RELATIVE};
    Result.Dacl = RtlpCopyPart(Dacl, Parts.Dacl, *DaclSize);
    Result.Sacl = RtlpCopyPart(Sacl, Parts.Sacl, *SaclSize);
    Result.Owner = RtlpCopyPart(Owner, Parts.Owner, *OwnerSize);
    Result.Group = RtlpCopyPart(PrimaryGroup, Parts.Group, *PrimaryGroupSize);
    *(SECURITY_DESCRIPTOR *)AbsoluteSecurityDescriptor = Result;
    return STATUS_SUCCESS;
}
