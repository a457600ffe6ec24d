/*
 * From the security descriptor definition language to a descriptor:
 *   O:sid G:sid D:flags(ace)(ace)... S:flags(ace)...     ace = type;flags;rights;object
 * guid;inherited guid;sid Conditional entries and resource attributes are STATUS_NOT_SUPPORTED. The
 * text is read twice: once to check and count, once to write.
 */
#include "se/sep.h"
#include "se/sddltable.h"

typedef struct SEP_SDDL {
    PCWCH At, End;
    PUCHAR Out; /* NULL: count only */
    ULONG Bytes;
    ULONG Count;
    BOOLEAN ObjectAces;
} SEP_SDDL;

static void SepSkipSpaces(SEP_SDDL *Text)
{
    while (Text->At < Text->End &&
           (*Text->At == ' ' || *Text->At == '\t' || *Text->At == '\r' || *Text->At == '\n'))
        Text->At++;
}

static BOOLEAN SepAccept(SEP_SDDL *Text, WCHAR Unit)
{
    if (Text->At == Text->End || *Text->At != Unit)
        return FALSE;
    Text->At++;
    return TRUE;
}

static BOOLEAN SepAcceptWord(SEP_SDDL *Text, PCSTR Word)
{
    PCWCH At = Text->At;
    for (; *Word; Word++, At++)
        if (At == Text->End || (*At >= 'a' && *At <= 'z' ? *At - 32 : *At) != *Word)
            return FALSE;
    Text->At = At;
    return TRUE;
}

/* The longest word that stands here, or -1. */
static LONG64 SepWord(SEP_SDDL *Text, const SEP_WORD *Words, SIZE_T Count)
{
    PCWCH Start = Text->At, Longest = Start;
    LONG64 Value = -1;
    for (SIZE_T i = 0; i < Count; i++, Text->At = Start)
        if (SepAcceptWord(Text, Words[i].Name) && Text->At > Longest) {
            Longest = Text->At;
            Value = Words[i].Value;
        }
    Text->At = Longest;
    return Value;
}

static NTSTATUS SepParseFlags(SEP_SDDL *Text, PUCHAR Flags)
{
    for (*Flags = 0; !SepAccept(Text, ';');) {
        LONG64 Flag = SepWord(Text, SepAceFlags, RTL_NUMBER_OF(SepAceFlags));
        if (Flag < 0)
            return STATUS_INVALID_ACL;
        *Flags |= (UCHAR)Flag;
    }
    return STATUS_SUCCESS;
}

/* Hexadecimal, octal or decimal. */
static NTSTATUS SepParseNumber(SEP_SDDL *Text, PACCESS_MASK Mask)
{
    ULONG Base = 10;
    ULONG64 Value = 0;
    if (SepAccept(Text, '0'))
        Base = SepAccept(Text, 'x') || SepAccept(Text, 'X') ? 16 : 8;
    PCWCH First = Text->At;
    for (; Text->At < Text->End && *Text->At != ';'; Text->At++) {
        WCHAR Unit = *Text->At, Upper = Unit & ~0x20;
        ULONG Digit = Unit >= '0' && Unit <= '9'     ? Unit - (ULONG)'0'
                      : Upper >= 'A' && Upper <= 'F' ? Upper - 'A' + 10u
                                                     : 99;
        Value = Value * Base + Digit;
        if (Digit >= Base || Value > MAXULONG)
            return STATUS_INVALID_ACL;
    }
    *Mask = (ACCESS_MASK)Value;
    return (Base == 16 && Text->At == First) || !SepAccept(Text, ';') ? STATUS_INVALID_ACL
                                                                      : STATUS_SUCCESS;
}

static NTSTATUS SepParseRights(SEP_SDDL *Text, UCHAR Type, PACCESS_MASK Mask)
{
    if (Text->At < Text->End && *Text->At >= '0' && *Text->At <= '9')
        return SepParseNumber(Text, Mask);
    for (*Mask = 0; !SepAccept(Text, ';');) {
        LONG64 Right = -1;
        if (Type == SYSTEM_MANDATORY_LABEL_ACE_TYPE)
            Right = SepWord(Text, SepLabelRights, RTL_NUMBER_OF(SepLabelRights));
        if (Right < 0)
            Right = SepWord(Text, SepWholeRights, RTL_NUMBER_OF(SepWholeRights));
        if (Right < 0)
            Right = SepWord(Text, SepRights, RTL_NUMBER_OF(SepRights));
        if (Right < 0)
            return STATUS_INVALID_ACL;
        *Mask |= (ACCESS_MASK)Right;
    }
    return STATUS_SUCCESS;
}

#define GUID_UNITS 36

/* A GUID without braces, or nothing; the semicolon behind it. */
static NTSTATUS SepParseGuid(SEP_SDDL *Text, GUID *Guid, BOOLEAN *Present)
{
    WCHAR Braced[GUID_UNITS + 2] = {'{'};
    UNICODE_STRING String = {sizeof(Braced), sizeof(Braced), Braced};
    *Present = !SepAccept(Text, ';');
    if (!*Present)
        return STATUS_SUCCESS;
    if (Text->End - Text->At <= GUID_UNITS)
        return STATUS_INVALID_ACL;
    RtlCopyMemory(Braced + 1, Text->At, GUID_UNITS * sizeof(WCHAR));
    Braced[GUID_UNITS + 1] = '}';
    Text->At += GUID_UNITS;
    return NT_SUCCESS(RtlGUIDFromString(&String, Guid)) && SepAccept(Text, ';')
               ? STATUS_SUCCESS
               : STATUS_INVALID_ACL;
}

static void SepPut(SEP_SDDL *Text, const VOID *Data, ULONG Bytes)
{
    if (Text->Out)
        RtlCopyMemory(Text->Out + Text->Bytes, Data, Bytes);
    Text->Bytes += Bytes;
}

static NTSTATUS SepPutAce(SEP_SDDL *Text, ACE_HEADER Header, ACCESS_MASK Mask, const GUID Guids[2],
                          const BOOLEAN Present[2], PSID Sid)
{
    BOOLEAN Object = SepIsObjectAce(&Header);
    ULONG Kinds = (Present[0] ? ACE_OBJECT_TYPE_PRESENT : 0) |
                  (Present[1] ? ACE_INHERITED_OBJECT_TYPE_PRESENT : 0);
    ULONG Size = sizeof(Header) + sizeof(Mask) + RtlLengthSid(Sid);
    if (Kinds && !Object)
        return STATUS_INVALID_ACL;
    if (Object)
        Size += sizeof(Kinds) + (Present[0] + Present[1]) * sizeof(GUID);
    Header.AceSize = (USHORT)Size;
    SepPut(Text, &Header, sizeof(Header));
    SepPut(Text, &Mask, sizeof(Mask));
    if (Object)
        SepPut(Text, &Kinds, sizeof(Kinds));
    for (ULONG i = 0; i < 2; i++)
        if (Present[i])
            SepPut(Text, &Guids[i], sizeof(GUID));
    SepPut(Text, Sid, RtlLengthSid(Sid));
    Text->ObjectAces |= Object;
    Text->Count++;
    return STATUS_SUCCESS;
}

static NTSTATUS SepParseType(SEP_SDDL *Text, PUCHAR Type)
{
    static const SEP_WORD Unsupported[] = {{"XA", 0}, {"XD", 0}, {"XU", 0}, {"ZA", 0},
                                           {"RA", 0}, {"SP", 0}, {"TL", 0}, {"FL", 0}};
    if (SepWord(Text, Unsupported, RTL_NUMBER_OF(Unsupported)) >= 0)
        return STATUS_NOT_SUPPORTED;
    LONG64 Value = SepWord(Text, SepAceTypes, RTL_NUMBER_OF(SepAceTypes));
    *Type = (UCHAR)Value;
    return Value < 0 || !SepAccept(Text, ';') ? STATUS_INVALID_ACL : STATUS_SUCCESS;
}

/* Behind the opening parenthesis. */
static NTSTATUS SepParseAce(SEP_SDDL *Text)
{
    ACE_HEADER Header = {0};
    ACCESS_MASK Mask = 0;
    GUID Guids[2];
    BOOLEAN Present[2];
    SEP_SID Sid;
    SepSkipSpaces(Text);
    NTSTATUS Status = SepParseType(Text, &Header.AceType);
    if (NT_SUCCESS(Status))
        Status = SepParseFlags(Text, &Header.AceFlags);
    if (NT_SUCCESS(Status))
        Status = SepParseRights(Text, Header.AceType, &Mask);
    for (ULONG i = 0; i < 2 && NT_SUCCESS(Status); i++)
        Status = SepParseGuid(Text, &Guids[i], &Present[i]);
    if (NT_SUCCESS(Status))
        Status = SepSidFromSddl(&Text->At, Text->End, &Sid);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Text->At < Text->End && *Text->At == ';')
        return STATUS_NOT_SUPPORTED;
    SepSkipSpaces(Text);
    if (!SepAccept(Text, ')'))
        return STATUS_INVALID_ACL;
    return SepPutAce(Text, Header, Mask, Guids, Present, &Sid);
}

static NTSTATUS SepParseAces(SEP_SDDL *Text)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (SepSkipSpaces(Text); NT_SUCCESS(Status) && SepAccept(Text, '('); SepSkipSpaces(Text))
        Status = SepParseAce(Text);
    return Status;
}

typedef struct SEP_ACL_BITS {
    SECURITY_DESCRIPTOR_CONTROL Present, Protected, Required, Inherited;
} SEP_ACL_BITS;

static void SepParseAclFlags(SEP_SDDL *Text, const SEP_ACL_BITS *Bits,
                             SECURITY_DESCRIPTOR_CONTROL *Control, BOOLEAN *Null)
{
    *Control |= Bits->Present;
    *Null = FALSE;
    for (;;) {
        if (SepAcceptWord(Text, "NO_ACCESS_CONTROL"))
            *Null = TRUE;
        else if (SepAcceptWord(Text, "AR"))
            *Control |= Bits->Required;
        else if (SepAcceptWord(Text, "AI"))
            *Control |= Bits->Inherited;
        else if (SepAcceptWord(Text, "P"))
            *Control |= Bits->Protected;
        else
            return;
    }
}

static NTSTATUS SepParseAcl(SEP_SDDL *Text, const SEP_ACL_BITS *Bits,
                            SECURITY_DESCRIPTOR_CONTROL *Control, PACL *Acl)
{
    BOOLEAN Null;
    if (*Control & Bits->Present)
        return STATUS_INVALID_PARAMETER; /* given twice */
    SepParseAclFlags(Text, Bits, Control, &Null);
    SEP_SDDL Counted = *Text;
    Counted.Out = NULL;
    Counted.Bytes = Counted.Count = 0;
    Counted.ObjectAces = FALSE;
    NTSTATUS Status = SepParseAces(&Counted);
    ULONG Bytes = sizeof(ACL) + Counted.Bytes;
    if (!NT_SUCCESS(Status))
        return Status;
    if (Bytes > MAXUSHORT || (Null && Counted.Count))
        return STATUS_INVALID_ACL;
    if (!Null) {
        *Acl = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
        if (!*Acl)
            return STATUS_INSUFFICIENT_RESOURCES;
        RtlCreateAcl(*Acl, Bytes, Counted.ObjectAces ? ACL_REVISION_DS : ACL_REVISION);
        (*Acl)->AceCount = (USHORT)Counted.Count;
        SEP_SDDL Written = {.At = Text->At, .End = Text->End, .Out = (PUCHAR)(*Acl + 1)};
        SepParseAces(&Written);
    }
    Text->At = Counted.At;
    return STATUS_SUCCESS;
}

static NTSTATUS SepParseSid(SEP_SDDL *Text, SEP_SID *Storage, PSID *Sid)
{
    if (*Sid)
        return STATUS_INVALID_PARAMETER;
    SepSkipSpaces(Text);
    *Sid = Storage;
    return SepSidFromSddl(&Text->At, Text->End, Storage);
}

static NTSTATUS SepParseDescriptor(SEP_SDDL *Text, RTLP_SECURITY_PARTS *Parts, SEP_SID *Owner,
                                   SEP_SID *Group)
{
    static const SEP_ACL_BITS Dacl = {SE_DACL_PRESENT, SE_DACL_PROTECTED, SE_DACL_AUTO_INHERIT_REQ,
                                      SE_DACL_AUTO_INHERITED};
    static const SEP_ACL_BITS Sacl = {SE_SACL_PRESENT, SE_SACL_PROTECTED, SE_SACL_AUTO_INHERIT_REQ,
                                      SE_SACL_AUTO_INHERITED};
    NTSTATUS Status = STATUS_SUCCESS;
    for (SepSkipSpaces(Text); NT_SUCCESS(Status) && Text->At < Text->End; SepSkipSpaces(Text)) {
        if (SepAcceptWord(Text, "O:"))
            Status = SepParseSid(Text, Owner, &Parts->Owner);
        else if (SepAcceptWord(Text, "G:"))
            Status = SepParseSid(Text, Group, &Parts->Group);
        else if (SepAcceptWord(Text, "D:"))
            Status = SepParseAcl(Text, &Dacl, &Parts->Control, &Parts->Dacl);
        else if (SepAcceptWord(Text, "S:"))
            Status = SepParseAcl(Text, &Sacl, &Parts->Control, &Parts->Sacl);
        else
            Status = STATUS_INVALID_PARAMETER;
    }
    return Status;
}

/*
 * PASSIVE_LEVEL. STATUS_INVALID_PARAMETER for a malformed string, STATUS_INVALID_ACL for a bad
 * entry, STATUS_INVALID_SID for a bad SID, STATUS_NOT_SUPPORTED for conditional entries. The caller
 * frees with ExFreePool.
 */
NTSTATUS SeSddlToSecurityDescriptor(PCUNICODE_STRING Sddl, PSECURITY_DESCRIPTOR *Descriptor,
                                    PULONG Length)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_SECURITY_PARTS Parts = {0};
    SEP_SID Owner, Group;
    SEP_SDDL Text = {.At = Sddl->Buffer, .End = Sddl->Buffer + Sddl->Length / sizeof(WCHAR)};
    *Descriptor = NULL;
    NTSTATUS Status = SepParseDescriptor(&Text, &Parts, &Owner, &Group);
    if (NT_SUCCESS(Status))
        Status = SepStoreParts(&Parts, PagedPool, Descriptor);
    if (NT_SUCCESS(Status) && Length)
        *Length = RtlpSelfRelativeLength(&Parts);
    if (Parts.Dacl)
        ExFreePoolWithTag(Parts.Dacl, SEP_TAG);
    if (Parts.Sacl)
        ExFreePoolWithTag(Parts.Sacl, SEP_TAG);
    return Status;
}
