/*
 * What a new object inherits. An entry that counts for the new object and for what will be made in
 * it becomes two when the two differ: one with generic rights mapped and creators replaced, and one
 * to be inherited as it was.
 */
#include "se/sep.h"

#define PROPAGATE (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE)

typedef struct SEP_INHERITANCE {
    BOOLEAN Container;
    PSID Owner, Group;
    PGENERIC_MAPPING Mapping;
    PUCHAR Cursor; /* NULL: only count */
    ULONG Bytes;
    ULONG Count;
} SEP_INHERITANCE;

static PSID SepReplaceCreator(const SEP_INHERITANCE *Work, PSID Sid)
{
    if (RtlEqualSid(Sid, (PSID)&SepCreatorOwnerSid))
        return Work->Owner;
    if (RtlEqualSid(Sid, (PSID)&SepCreatorGroupSid) && Work->Group)
        return Work->Group;
    return Sid;
}

static void SepEmit(SEP_INHERITANCE *Work, UCHAR Type, UCHAR Flags, ACCESS_MASK Mask, PSID Sid)
{
    ULONG Bytes = FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid);
    if (Work->Cursor) {
        ACCESS_ALLOWED_ACE *Ace = (ACCESS_ALLOWED_ACE *)Work->Cursor;
        Ace->Header = (ACE_HEADER){Type, Flags, (USHORT)Bytes};
        Ace->Mask = Mask;
        RtlCopySid(RtlLengthSid(Sid), &Ace->SidStart, Sid);
        Work->Cursor += Bytes;
    }
    Work->Bytes += Bytes;
    Work->Count++;
}

static void SepInheritAce(SEP_INHERITANCE *Work, PACE_HEADER Ace)
{
    UCHAR Inherits = Ace->AceFlags & PROPAGATE;
    UCHAR Audits = Ace->AceFlags & (SUCCESSFUL_ACCESS_ACE_FLAG | FAILED_ACCESS_ACE_FLAG);
    BOOLEAN Effective =
        (Inherits & (Work->Container ? CONTAINER_INHERIT_ACE : OBJECT_INHERIT_ACE)) != 0;
    BOOLEAN Onward = Work->Container && Inherits && !(Ace->AceFlags & NO_PROPAGATE_INHERIT_ACE);
    PSID Sid = SepSidOfAce(Ace), Actual = SepReplaceCreator(Work, Sid);
    ACCESS_MASK Mask = *SepMaskOfAce(Ace), Mapped = Mask;
    RtlMapGenericMask(&Mapped, Work->Mapping);
    BOOLEAN Same = Actual == Sid && Mapped == Mask;
    if (Effective)
        SepEmit(Work, Ace->AceType, Audits | (Onward && Same ? Inherits : 0), Mapped, Actual);
    if (Onward && (!Effective || !Same))
        SepEmit(Work, Ace->AceType, Audits | Inherits | INHERIT_ONLY_ACE, Mask, Sid);
}

static void SepInheritAll(SEP_INHERITANCE *Work, PACL Parent)
{
    PACE_HEADER Ace = SepFirstAce(Parent);
    for (USHORT i = 0; i < Parent->AceCount; i++, Ace = SepNextAce(Ace))
        if (SepIsPlainAce(Ace) && Ace->AceFlags & PROPAGATE)
            SepInheritAce(Work, Ace);
}

NTSTATUS SepInheritAcl(PACL Parent, BOOLEAN Container, PSID Owner, PSID Group,
                       PGENERIC_MAPPING Mapping, PACL *Acl)
{
    SEP_INHERITANCE Work = {
        .Container = Container, .Owner = Owner, .Group = Group, .Mapping = Mapping};
    *Acl = NULL;
    if (Parent)
        SepInheritAll(&Work, Parent);
    if (!Work.Count)
        return STATUS_SUCCESS;
    ULONG Bytes = sizeof(ACL) + Work.Bytes;
    if (Bytes > MAXUSHORT)
        return STATUS_BAD_INHERITANCE_ACL;
    PACL New = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCreateAcl(New, Bytes, Parent->AclRevision);
    New->AceCount = (USHORT)Work.Count;
    Work.Cursor = (PUCHAR)(New + 1);
    SepInheritAll(&Work, Parent);
    *Acl = New;
    return STATUS_SUCCESS;
}

/* Generic rights of entries that count for the object itself. */
void SepMapAcl(PACL Acl, PGENERIC_MAPPING Mapping)
{
    PACE_HEADER Ace = SepFirstAce(Acl);
    for (USHORT i = 0; i < Acl->AceCount; i++, Ace = SepNextAce(Ace))
        if ((SepIsPlainAce(Ace) || SepIsObjectAce(Ace)) && !(Ace->AceFlags & INHERIT_ONLY_ACE))
            RtlMapGenericMask(SepMaskOfAce(Ace), Mapping);
}
