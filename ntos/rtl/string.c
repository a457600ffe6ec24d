/* Counted strings of 8-bit characters (STRING, ANSI_STRING, OEM_STRING, UTF8_STRING). */
#include "rtl.h"

#include <string.h>

#define MAX_STRING_BYTES MAXUSHORT

/* Any IRQL. A NULL source makes an empty string. Doc: wdm/nf-wdm-rtlinitstring */
VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    SIZE_T Length = SourceString ? strlen(SourceString) : 0;
    if (Length > MAX_STRING_BYTES - 1)
        Length = MAX_STRING_BYTES - 1;
    DestinationString->Length = (USHORT)Length;
    DestinationString->MaximumLength = SourceString ? (USHORT)(Length + 1) : 0;
    DestinationString->Buffer = (PCHAR)SourceString;
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlinitansistring */
VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlinitutf8string */
VOID NTAPI RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

/*
 * Any IRQL. STATUS_NAME_TOO_LONG, and nothing written, when the source does not fit a STRING.
 * Doc: wdm/nf-wdm-rtlinitstringex
 */
NTSTATUS NTAPI RtlInitStringEx(PSTRING DestinationString, PCSZ SourceString)
{
    if (SourceString && strlen(SourceString) > MAX_STRING_BYTES - 1)
        return STATUS_NAME_TOO_LONG;
    RtlInitString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* See RtlInitStringEx. */
NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString)
{
    return RtlInitStringEx(DestinationString, SourceString);
}

/* See RtlInitStringEx. Doc: wdm/nf-wdm-rtlinitutf8stringex */
NTSTATUS NTAPI RtlInitUTF8StringEx(PUTF8_STRING DestinationString, PCSZ SourceString)
{
    return RtlInitStringEx(DestinationString, SourceString);
}

/*
 * Copies as much as fits; adds no terminator. A NULL source makes the destination empty.
 * Any IRQL. Doc: ntddk/nf-ntddk-rtlcopystring
 */
VOID NTAPI RtlCopyString(PSTRING DestinationString, const PSTRING SourceString)
{
    USHORT Length = SourceString ? SourceString->Length : 0;
    if (Length > DestinationString->MaximumLength)
        Length = DestinationString->MaximumLength;
    if (Length)
        memmove(DestinationString->Buffer, SourceString->Buffer, Length);
    DestinationString->Length = Length;
}

/*
 * IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL, and nothing appended, when the sum does not fit.
 * Doc: ntifs/nf-ntifs-rtlappendstringtostring
 */
NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, const STRING *Source)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (!Source->Length)
        return STATUS_SUCCESS;
    if ((ULONG)Destination->Length + Source->Length > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    memmove(Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
    Destination->Length += Source->Length;
    return STATUS_SUCCESS;
}

static CHAR RtlpUpperByte(CHAR Character)
{
    return Character >= 'a' && Character <= 'z' ? (CHAR)(Character - 'a' + 'A') : Character;
}

/* IRQL <= APC_LEVEL. Bytes above 127 are parts of UTF-8 sequences and stay. */
CHAR NTAPI RtlUpperChar(CHAR Character)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUpperByte(Character);
}

/* IRQL <= APC_LEVEL. Converts as much as fits. Doc: ntddk/nf-ntddk-rtlupperstring */
VOID NTAPI RtlUpperString(PSTRING DestinationString, const PSTRING SourceString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    USHORT Length = min(SourceString->Length, DestinationString->MaximumLength);
    for (USHORT i = 0; i < Length; i++)
        DestinationString->Buffer[i] = RtlpUpperByte(SourceString->Buffer[i]);
    DestinationString->Length = Length;
}

static LONG RtlpCompareBytes(PCCH First, PCCH Second, USHORT Length, BOOLEAN CaseInSensitive)
{
    for (USHORT i = 0; i < Length; i++) {
        UCHAR A = CaseInSensitive ? RtlpUpperByte(First[i]) : First[i];
        UCHAR B = CaseInSensitive ? RtlpUpperByte(Second[i]) : Second[i];
        if (A != B)
            return (LONG)A - B;
    }
    return 0;
}

/* PASSIVE_LEVEL. Negative, zero or positive. Doc: ntddk/nf-ntddk-rtlcomparestring */
LONG NTAPI RtlCompareString(const PSTRING String1, const PSTRING String2, BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    USHORT Common = min(String1->Length, String2->Length);
    LONG Order = RtlpCompareBytes(String1->Buffer, String2->Buffer, Common, CaseInSensitive);
    return Order ? Order : (LONG)String1->Length - String2->Length;
}

/* PASSIVE_LEVEL. Doc: ntddk/nf-ntddk-rtlequalstring */
BOOLEAN NTAPI RtlEqualString(const PSTRING String1, const PSTRING String2, BOOLEAN CaseInSensitive)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return String1->Length == String2->Length &&
           RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

/* PASSIVE_LEVEL. Is String1 a prefix of String2? */
BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return String1->Length <= String2->Length &&
           RtlpCompareBytes(String1->Buffer, String2->Buffer, String1->Length, CaseInSensitive) ==
               0;
}
