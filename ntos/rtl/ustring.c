/* UNICODE_STRING: making, copying, comparing, searching. Lengths are bytes, as the type has them.
 */
#include "rtlp.h"

#include <string.h>

#define MAX_UNICODE_BYTES 0xFFFE

static SIZE_T RtlpWideLength(PCWSTR String)
{
    SIZE_T Count = 0;
    while (String[Count])
        Count++;
    return Count;
}

/* Any IRQL. A NULL source makes an empty string; a longer one than fits is cut. Doc:
 * wdm/nf-wdm-rtlinitunicodestring */
VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T Bytes = SourceString ? RtlpWideLength(SourceString) * sizeof(WCHAR) : 0;
    if (Bytes > MAX_UNICODE_BYTES - sizeof(WCHAR))
        Bytes = MAX_UNICODE_BYTES - sizeof(WCHAR);
    DestinationString->Length = (USHORT)Bytes;
    DestinationString->MaximumLength = SourceString ? (USHORT)(Bytes + sizeof(WCHAR)) : 0;
    DestinationString->Buffer = (PWCHAR)SourceString;
}

/* Any IRQL. STATUS_NAME_TOO_LONG when it does not fit. Doc: wdm/nf-wdm-rtlinitunicodestringex */
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    if (SourceString &&
        RtlpWideLength(SourceString) * sizeof(WCHAR) > MAX_UNICODE_BYTES - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

static VOID RtlpTerminateIfRoom(PUNICODE_STRING String)
{
    if ((ULONG)String->Length + sizeof(WCHAR) <= String->MaximumLength)
        String->Buffer[String->Length / sizeof(WCHAR)] = 0;
}

/*
 * Copies as much as fits, and a terminator if there is room. NULL source: destination empty.
 * Any IRQL (resident strings). Doc: wdm/nf-wdm-rtlcopyunicodestring
 */
VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    if (!SourceString) {
        DestinationString->Length = 0;
        return;
    }
    USHORT Length = min(SourceString->Length, DestinationString->MaximumLength);
    if (Length)
        memmove(DestinationString->Buffer, SourceString->Buffer, Length);
    DestinationString->Length = Length;
    RtlpTerminateIfRoom(DestinationString);
}

static NTSTATUS RtlpAppendWide(PUNICODE_STRING Destination, PCWCH Source, SIZE_T Bytes)
{
    if (Bytes + Destination->Length > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (!Bytes)
        return STATUS_SUCCESS;
    memmove((PUCHAR)Destination->Buffer + Destination->Length, Source, Bytes);
    Destination->Length += (USHORT)Bytes;
    RtlpTerminateIfRoom(Destination);
    return STATUS_SUCCESS;
}

/*
 * STATUS_BUFFER_TOO_SMALL, and nothing appended, when the sum does not fit. A NULL source appends
 * nothing. Any IRQL (resident strings). Doc: wdm/nf-wdm-rtlappendunicodetostring
 */
NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    if (!Source)
        return STATUS_SUCCESS;
    return RtlpAppendWide(Destination, Source, RtlpWideLength(Source) * sizeof(WCHAR));
}

/* As RtlAppendUnicodeToString. Doc: wdm/nf-wdm-rtlappendunicodestringtostring */
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return RtlpAppendWide(Destination, Source->Buffer, Source->Length);
}

LONG RtlpCompareWide(PCWCH First, SIZE_T FirstCount, PCWCH Second, SIZE_T SecondCount,
                     BOOLEAN CaseInSensitive)
{
    SIZE_T Common = min(FirstCount, SecondCount);
    for (SIZE_T i = 0; i < Common; i++) {
        WCHAR A = First[i];
        WCHAR B = Second[i];
        if (A == B)
            continue;
        if (CaseInSensitive) {
            A = RtlpUpcase(A);
            B = RtlpUpcase(B);
        }
        if (A != B)
            return (LONG)A - B;
    }
    return FirstCount == SecondCount ? 0 : FirstCount < SecondCount ? -1 : 1;
}

static LONG RtlpCompareCounted(PCUNICODE_STRING First, PCUNICODE_STRING Second, BOOLEAN Fold)
{
    return RtlpCompareWide(First->Buffer, First->Length / sizeof(WCHAR), Second->Buffer,
                           Second->Length / sizeof(WCHAR), Fold);
}

/* PASSIVE_LEVEL. Counts are characters. Doc: ntddk, RtlCompareUnicodeStrings */
LONG NTAPI RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2,
                                    SIZE_T String2Length, BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return RtlpCompareWide(String1, String1Length, String2, String2Length, CaseInSensitive);
}

/* PASSIVE_LEVEL. Negative, zero or positive. Doc: wdm/nf-wdm-rtlcompareunicodestring */
LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                   BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return RtlpCompareCounted(String1, String2, CaseInSensitive);
}

/* PASSIVE_LEVEL. Doc: wdm/nf-wdm-rtlequalunicodestring */
BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *String1, const UNICODE_STRING *String2,
                                    BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return String1->Length == String2->Length &&
           RtlpCompareCounted(String1, String2, CaseInSensitive) == 0;
}

/* PASSIVE_LEVEL. Is String1 a prefix of String2? Doc: ntddk/nf-ntddk-rtlprefixunicodestring */
BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                     BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    UNICODE_STRING Head = {String1->Length, String1->Length, String2->Buffer};
    return String1->Length <= String2->Length &&
           RtlpCompareCounted(String1, &Head, CaseInSensitive) == 0;
}

/* PASSIVE_LEVEL. Is String1 a suffix of String2? */
BOOLEAN NTAPI RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                     BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    if (String1->Length > String2->Length)
        return FALSE;
    UNICODE_STRING Tail = {String1->Length, String1->Length,
                           String2->Buffer + (String2->Length - String1->Length) / sizeof(WCHAR)};
    return RtlpCompareCounted(String1, &Tail, CaseInSensitive) == 0;
}

/* PASSIVE_LEVEL. Where SearchString first occurs in FullString, or NULL. */
PWCHAR NTAPI RtlFindUnicodeSubstring(PCUNICODE_STRING FullString, PCUNICODE_STRING SearchString,
                                     BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    SIZE_T Full = FullString->Length / sizeof(WCHAR);
    SIZE_T Wanted = SearchString->Length / sizeof(WCHAR);
    for (SIZE_T i = 0; i + Wanted <= Full; i++)
        if (!RtlpCompareWide(FullString->Buffer + i, Wanted, SearchString->Buffer, Wanted,
                             CaseInSensitive))
            return FullString->Buffer + i;
    return NULL;
}

/*
 * IRQL <= APC_LEVEL. The hash x65599 (0 and 1 mean the same). STATUS_INVALID_PARAMETER for a NULL
 * argument or another algorithm. Doc: wdm/nf-wdm-rtlhashunicodestring
 */
NTSTATUS NTAPI RtlHashUnicodeString(const UNICODE_STRING *String, BOOLEAN CaseInSensitive,
                                    ULONG HashAlgorithm, PULONG HashValue)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (!String || !HashValue || HashAlgorithm > HASH_STRING_ALGORITHM_X65599)
        return STATUS_INVALID_PARAMETER;
    ULONG Hash = 0;
    for (USHORT i = 0; i < String->Length / sizeof(WCHAR); i++) {
        WCHAR Character = String->Buffer[i];
        Hash = Hash * 65599 + (CaseInSensitive ? RtlpUpcase(Character) : Character);
    }
    *HashValue = Hash;
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL. Flags must be zero. STATUS_INVALID_PARAMETER when lengths are odd or out of order,
 * or a length has no buffer. Doc: ntddk, RtlValidateUnicodeString
 */
NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    if (Flags)
        return STATUS_INVALID_PARAMETER;
    if (!String)
        return STATUS_SUCCESS;
    if ((String->Length | String->MaximumLength) & 1 || String->Length > String->MaximumLength)
        return STATUS_INVALID_PARAMETER;
    if (String->MaximumLength && !String->Buffer)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}
