/* From a descriptor to the security descriptor definition language. */
#include "se/sep.h"
#include "se/sddltable.h"

#include <nt_crt.h>

#define MAX_SDDL_UNITS 32766

typedef struct SEP_OUTPUT {
    PWCHAR Buffer; /* NULL: count only */
    ULONG Units;
} SEP_OUTPUT;

static void SepPutUnit(SEP_OUTPUT *Out, WCHAR Unit)
{
    if (Out->Buffer)
        Out->Buffer[Out->Units] = Unit;
    Out->Units++;
}

static void SepPutText(SEP_OUTPUT *Out, PCSTR Text)
{
    while (*Text)
        SepPutUnit(Out, (UCHAR)*Text++);
}

static void SepPutWide(SEP_OUTPUT *Out, PCWSTR Text)
{
    while (*Text)
        SepPutUnit(Out, *Text++);
}

static void SepPutSidText(SEP_OUTPUT *Out, PSID Sid)
{
    WCHAR Buffer[192];
    UNICODE_STRING Text = {0, sizeof(Buffer) - sizeof(WCHAR), Buffer};
    PCSTR Alias = SepAliasOfSid(Sid);
    if (Alias) {
        SepPutText(Out, Alias);
        return;
    }
    RtlConvertSidToUnicodeString(&Text, Sid, FALSE);
    Buffer[Text.Length / sizeof(WCHAR)] = 0;
    SepPutWide(Out, Buffer);
}

/* TRUE: all of Value is said. */
static BOOLEAN SepPutWords(SEP_OUTPUT *Out, const SEP_WORD *Words, SIZE_T Count, ULONG Value)
{
    ULONG Known = 0;
    for (SIZE_T i = 0; i < Count; i++)
        Known |= Words[i].Value;
    if (Value & ~Known)
        return FALSE;
    for (SIZE_T i = 0; i < Count; i++)
        if (Value & Words[i].Value)
            SepPutText(Out, Words[i].Name);
    return TRUE;
}

static BOOLEAN SepPutExact(SEP_OUTPUT *Out, const SEP_WORD *Words, SIZE_T Count, ULONG Value)
{
    for (SIZE_T i = 0; i < Count; i++)
        if (Words[i].Value == Value) {
            SepPutText(Out, Words[i].Name);
            return TRUE;
        }
    return FALSE;
}

static void SepPutRights(SEP_OUTPUT *Out, UCHAR Type, ACCESS_MASK Mask)
{
    WCHAR Hex[12];
    if (Type == SYSTEM_MANDATORY_LABEL_ACE_TYPE &&
        SepPutWords(Out, SepLabelRights, RTL_NUMBER_OF(SepLabelRights), Mask))
        return;
    if (SepPutExact(Out, SepWholeRights, RTL_NUMBER_OF(SepWholeRights), Mask) ||
        SepPutWords(Out, SepRights, RTL_NUMBER_OF(SepRights), Mask))
        return;
    swprintf_s(Hex, RTL_NUMBER_OF(Hex), L"0x%x", Mask);
    SepPutWide(Out, Hex);
}

static void SepPutGuid(SEP_OUTPUT *Out, const GUID *Guid)
{
    WCHAR Text[40];
    swprintf_s(Text, RTL_NUMBER_OF(Text), L"%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
               Guid->Data1, Guid->Data2, Guid->Data3, Guid->Data4[0], Guid->Data4[1],
               Guid->Data4[2], Guid->Data4[3], Guid->Data4[4], Guid->Data4[5], Guid->Data4[6],
               Guid->Data4[7]);
    SepPutWide(Out, Text);
}

static void SepPutGuids(SEP_OUTPUT *Out, PACE_HEADER Ace)
{
    BOOLEAN Object = SepIsObjectAce(Ace);
    PULONG Kinds = (PULONG)(SepMaskOfAce(Ace) + 1);
    const GUID *Guid = (const GUID *)(Kinds + 1);
    if (Object && *Kinds & ACE_OBJECT_TYPE_PRESENT)
        SepPutGuid(Out, Guid++);
    SepPutUnit(Out, ';');
    if (Object && *Kinds & ACE_INHERITED_OBJECT_TYPE_PRESENT)
        SepPutGuid(Out, Guid);
    SepPutUnit(Out, ';');
}

static NTSTATUS SepPutAceText(SEP_OUTPUT *Out, PACE_HEADER Ace)
{
    SepPutUnit(Out, '(');
    if (!SepPutExact(Out, SepAceTypes, RTL_NUMBER_OF(SepAceTypes), Ace->AceType))
        return STATUS_NOT_SUPPORTED;
    SepPutUnit(Out, ';');
    SepPutWords(Out, SepAceFlags, RTL_NUMBER_OF(SepAceFlags), Ace->AceFlags);
    SepPutUnit(Out, ';');
    SepPutRights(Out, Ace->AceType, *SepMaskOfAce(Ace));
    SepPutUnit(Out, ';');
    SepPutGuids(Out, Ace);
    SepPutSidText(Out, SepSidOfAce(Ace));
    SepPutUnit(Out, ')');
    return STATUS_SUCCESS;
}

static NTSTATUS SepPutAcl(SEP_OUTPUT *Out, WCHAR Letter, PACL Acl, BOOLEAN Protected,
                          BOOLEAN Required, BOOLEAN Inherited)
{
    NTSTATUS Status = STATUS_SUCCESS;
    SepPutUnit(Out, Letter);
    SepPutUnit(Out, ':');
    SepPutText(Out, Protected ? "P" : "");
    SepPutText(Out, Required ? "AR" : "");
    SepPutText(Out, Inherited ? "AI" : "");
    if (!Acl) {
        SepPutText(Out, "NO_ACCESS_CONTROL");
        return STATUS_SUCCESS;
    }
    PACE_HEADER Ace = SepFirstAce(Acl);
    for (USHORT i = 0; i < Acl->AceCount && NT_SUCCESS(Status); i++, Ace = SepNextAce(Ace))
        Status = SepPutAceText(Out, Ace);
    return Status;
}

static NTSTATUS SepPutDescriptor(SEP_OUTPUT *Out, const RTLP_SECURITY_PARTS *Parts,
                                 SECURITY_INFORMATION Information)
{
    USHORT Control = Parts->Control;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Information & OWNER_SECURITY_INFORMATION && Parts->Owner) {
        SepPutText(Out, "O:");
        SepPutSidText(Out, Parts->Owner);
    }
    if (Information & GROUP_SECURITY_INFORMATION && Parts->Group) {
        SepPutText(Out, "G:");
        SepPutSidText(Out, Parts->Group);
    }
    if (Information & DACL_SECURITY_INFORMATION && Control & SE_DACL_PRESENT)
        Status = SepPutAcl(Out, 'D', Parts->Dacl, Control & SE_DACL_PROTECTED ? TRUE : FALSE,
                           Control & SE_DACL_AUTO_INHERIT_REQ ? TRUE : FALSE,
                           Control & SE_DACL_AUTO_INHERITED ? TRUE : FALSE);
    if (NT_SUCCESS(Status) && Information & SACL_SECURITY_INFORMATION && Control & SE_SACL_PRESENT)
        Status = SepPutAcl(Out, 'S', Parts->Sacl, Control & SE_SACL_PROTECTED ? TRUE : FALSE,
                           Control & SE_SACL_AUTO_INHERIT_REQ ? TRUE : FALSE,
                           Control & SE_SACL_AUTO_INHERITED ? TRUE : FALSE);
    return Status;
}

/*
 * PASSIVE_LEVEL. The parts asked for. STATUS_NOT_SUPPORTED for entries that this language's parser
 * here does not know, STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY. The caller frees with
 * RtlFreeUnicodeString.
 */
NTSTATUS SeSecurityDescriptorToSddl(PSECURITY_DESCRIPTOR Descriptor,
                                    SECURITY_INFORMATION Information, PUNICODE_STRING Sddl)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_SECURITY_PARTS Parts;
    SEP_OUTPUT Out = {0};
    if (!RtlValidSecurityDescriptor(Descriptor))
        return STATUS_INVALID_SECURITY_DESCR;
    RtlpViewSecurityDescriptor(Descriptor, &Parts);
    NTSTATUS Status = SepPutDescriptor(&Out, &Parts, Information);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Out.Units > MAX_SDDL_UNITS)
        return STATUS_NAME_TOO_LONG;
    ULONG Bytes = (Out.Units + 1) * sizeof(WCHAR);
    Out = (SEP_OUTPUT){.Buffer = RtlpAllocate(Bytes)};
    if (!Out.Buffer)
        return STATUS_NO_MEMORY;
    SepPutDescriptor(&Out, &Parts, Information);
    Out.Buffer[Out.Units] = 0;
    *Sddl = (UNICODE_STRING){(USHORT)(Bytes - sizeof(WCHAR)), (USHORT)Bytes, Out.Buffer};
    return STATUS_SUCCESS;
}
