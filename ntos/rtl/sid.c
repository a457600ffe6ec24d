/* Security identifiers. */
#include "rtlp.h"

#include <nt_crt.h>
#include <string.h>

#define SID_TEXT_UNITS 192 /* S-1-0x and 12 digits, 15 times 11 */

/* Any IRQL for resident memory; the lengths too. Doc: ntifs/nf-ntifs-rtlvalidsid */
BOOLEAN NTAPI RtlValidSid(PSID Sid)
{
    const SID *Value = Sid;
    return Value && Value->Revision == SID_REVISION &&
           Value->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

/* Doc: ntifs/nf-ntifs-rtllengthrequiredsid */
ULONG NTAPI RtlLengthRequiredSid(ULONG SubAuthorityCount)
{
    return (ULONG)FIELD_OFFSET(SID, SubAuthority) + SubAuthorityCount * sizeof(ULONG);
}

/* Doc: ntifs/nf-ntifs-rtllengthsid */
ULONG NTAPI RtlLengthSid(PSID Sid)
{
    return RtlLengthRequiredSid(((SID *)Sid)->SubAuthorityCount);
}

/* The caller fills in the sub-authorities. STATUS_INVALID_PARAMETER above 15. Doc:
 * ntifs/nf-ntifs-rtlinitializesid */
NTSTATUS NTAPI RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority,
                                UCHAR SubAuthorityCount)
{
    SID *Value = Sid;
    if (SubAuthorityCount > SID_MAX_SUB_AUTHORITIES)
        return STATUS_INVALID_PARAMETER;
    Value->Revision = SID_REVISION;
    Value->SubAuthorityCount = SubAuthorityCount;
    Value->IdentifierAuthority = *IdentifierAuthority;
    return STATUS_SUCCESS;
}

/* Doc: ntifs/nf-ntifs-rtlsubauthoritysid */
PULONG NTAPI RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority)
{
    return &((SID *)Sid)->SubAuthority[SubAuthority];
}

/* Doc: ntifs/nf-ntifs-rtlsubauthoritycountsid */
PUCHAR NTAPI RtlSubAuthorityCountSid(PSID Sid)
{
    return &((SID *)Sid)->SubAuthorityCount;
}

/* Doc: ntifs/nf-ntifs-rtlidentifierauthoritysid */
PSID_IDENTIFIER_AUTHORITY NTAPI RtlIdentifierAuthoritySid(PSID Sid)
{
    return &((SID *)Sid)->IdentifierAuthority;
}

/* Any IRQL. Doc: ntifs/nf-ntifs-rtlequalsid */
BOOLEAN NTAPI RtlEqualSid(PSID Sid1, PSID Sid2)
{
    SID *A = Sid1, *B = Sid2;
    return A->Revision == B->Revision && A->SubAuthorityCount == B->SubAuthorityCount &&
           !memcmp(A, B, RtlLengthSid(A));
}

/* Equal but for the last sub-authority. Doc: ntifs/nf-ntifs-rtlequalprefixsid */
BOOLEAN NTAPI RtlEqualPrefixSid(PSID Sid1, PSID Sid2)
{
    SID *A = Sid1, *B = Sid2;
    if (A->Revision != B->Revision || A->SubAuthorityCount != B->SubAuthorityCount)
        return FALSE;
    ULONG Bytes = A->SubAuthorityCount ? RtlLengthSid(A) - sizeof(ULONG) : RtlLengthSid(A);
    return !memcmp(A, B, Bytes);
}

/* STATUS_BUFFER_TOO_SMALL. Doc: ntifs/nf-ntifs-rtlcopysid */
NTSTATUS NTAPI RtlCopySid(ULONG Length, PSID Destination, PSID Source)
{
    if (RtlLengthSid(Source) > Length)
        return STATUS_BUFFER_TOO_SMALL;
    memmove(Destination, Source, RtlLengthSid(Source));
    return STATUS_SUCCESS;
}

/*
 * The caller frees with RtlFreeSid. STATUS_INVALID_SID above 8 sub-authorities, STATUS_NO_MEMORY.
 * Doc: ntifs/nf-ntifs-rtlallocateandinitializesid
 */
NTSTATUS NTAPI RtlAllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY IdentifierAuthority,
                                           UCHAR SubAuthorityCount, ULONG SubAuthority0,
                                           ULONG SubAuthority1, ULONG SubAuthority2,
                                           ULONG SubAuthority3, ULONG SubAuthority4,
                                           ULONG SubAuthority5, ULONG SubAuthority6,
                                           ULONG SubAuthority7, PSID *Sid)
{
    const ULONG Values[] = {SubAuthority0, SubAuthority1, SubAuthority2, SubAuthority3,
                            SubAuthority4, SubAuthority5, SubAuthority6, SubAuthority7};
    if (SubAuthorityCount > RTL_NUMBER_OF(Values))
        return STATUS_INVALID_SID;
    SID *Value = RtlpAllocate(RtlLengthRequiredSid(SubAuthorityCount));
    if (!Value)
        return STATUS_NO_MEMORY;
    RTLP_GIVE_TO_CALLER(Value);
    RtlInitializeSid(Value, IdentifierAuthority, SubAuthorityCount);
    memcpy(Value->SubAuthority, Values, SubAuthorityCount * sizeof(ULONG));
    *Sid = Value;
    return STATUS_SUCCESS;
}

/* NULL. Doc: ntifs/nf-ntifs-rtlfreesid */
PVOID NTAPI RtlFreeSid(PSID Sid)
{
    RtlpFree(Sid);
    return NULL;
}

static ULONG64 RtlpAuthorityOf(const SID *Sid)
{
    ULONG64 Value = 0;
    for (ULONG i = 0; i < 6; i++)
        Value = Value << 8 | Sid->IdentifierAuthority.Value[i];
    return Value;
}

/*
 * IRQL <= APC_LEVEL. S-1-5-32-544. STATUS_INVALID_SID, STATUS_BUFFER_OVERFLOW for the caller's
 * buffer, STATUS_NO_MEMORY; an allocated string is freed with RtlFreeUnicodeString. Doc:
 * ntifs/nf-ntifs-rtlconvertsidtounicodestring
 */
NTSTATUS NTAPI RtlConvertSidToUnicodeString(PUNICODE_STRING UnicodeString, PSID Sid,
                                            BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    const SID *Value = Sid;
    WCHAR Text[SID_TEXT_UNITS];
    if (!RtlValidSid(Sid))
        return STATUS_INVALID_SID;
    ULONG64 Authority = RtlpAuthorityOf(Value);
    int Count = swprintf_s(Text, SID_TEXT_UNITS,
                           Authority > MAXULONG ? L"S-1-0x%012I64x" : L"S-1-%I64u", Authority);
    for (UCHAR i = 0; i < Value->SubAuthorityCount; i++)
        Count += swprintf_s(Text + Count, SID_TEXT_UNITS - Count, L"-%u", Value->SubAuthority[i]);
    UNICODE_STRING Source = {(USHORT)(Count * sizeof(WCHAR)), sizeof(Text), Text};
    if (AllocateDestinationString) {
        UnicodeString->MaximumLength = Source.Length + sizeof(WCHAR);
        UnicodeString->Buffer = RtlpAllocate(UnicodeString->MaximumLength);
        if (!UnicodeString->Buffer)
            return STATUS_NO_MEMORY;
        RTLP_GIVE_TO_CALLER(UnicodeString->Buffer);
    } else if (UnicodeString->MaximumLength < Source.Length) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyUnicodeString(UnicodeString, &Source);
    return STATUS_SUCCESS;
}

/* Any IRQL. Doc: ntifs/nf-ntifs-rtlcopyluid */
VOID NTAPI RtlCopyLuid(PLUID DestinationLuid, PLUID SourceLuid)
{
    *DestinationLuid = *SourceLuid;
}

/* Generic rights become the object type's own. IRQL <= APC_LEVEL. Doc:
 * ntddk/nf-ntddk-rtlmapgenericmask */
VOID NTAPI RtlMapGenericMask(PACCESS_MASK AccessMask, PGENERIC_MAPPING GenericMapping)
{
    const struct {
        ACCESS_MASK Generic, Specific;
    } Pairs[] = {
        {GENERIC_READ, GenericMapping->GenericRead},
        {GENERIC_WRITE, GenericMapping->GenericWrite},
        {GENERIC_EXECUTE, GenericMapping->GenericExecute},
        {GENERIC_ALL, GenericMapping->GenericAll},
    };
    ACCESS_MASK Mapped = *AccessMask;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Pairs); i++)
        if (*AccessMask & Pairs[i].Generic)
            Mapped |= Pairs[i].Specific;
    *AccessMask =
        Mapped & ~(ACCESS_MASK)(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}
