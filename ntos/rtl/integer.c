/* Integers as text and back. */
#include "rtlp.h"

#include <string.h>

#define MAX_DIGITS 64

ULONG RtlpDigits(ULONGLONG Value, ULONG Base, PCHAR End)
{
    ULONG Count = 0;
    do {
        *--End = "0123456789abcdef"[Value % Base];
        Count++;
    } while (Value /= Base);
    return Count;
}

static BOOLEAN RtlpNormalizeBase(PULONG Base)
{
    if (*Base == 0)
        *Base = 10;
    return *Base == 2 || *Base == 8 || *Base == 10 || *Base == 16;
}

static NTSTATUS RtlpIntegerToBuffer(ULONGLONG Value, ULONG Base, LONG Length, PCHAR String)
{
    CHAR Digits[MAX_DIGITS];
    if (!RtlpNormalizeBase(&Base))
        return STATUS_INVALID_PARAMETER;
    LONG Count = (LONG)RtlpDigits(Value, Base, Digits + MAX_DIGITS);
    LONG Room = Length < 0 ? -Length : Length;
    if (Count > Room)
        return STATUS_BUFFER_OVERFLOW;
    LONG Zeros = Length < 0 ? Room - Count : 0;
    memset(String, '0', Zeros);
    for (LONG i = 0; i < Count; i++) {
        CHAR Digit = Digits[MAX_DIGITS - Count + i];
        String[Zeros + i] = Digit >= 'a' ? Digit - 'a' + 'A' : Digit;
    }
    if (Zeros + Count < Room)
        String[Zeros + Count] = 0;
    return STATUS_SUCCESS;
}

/*
 * Writes upper-case digits, terminated if there is room; a negative Length pads with zeros to its
 * absolute value. STATUS_BUFFER_OVERFLOW, STATUS_INVALID_PARAMETER (base).
 */
NTSTATUS NTAPI RtlIntegerToChar(ULONG Value, ULONG Base, LONG Length, PCHAR String)
{
    return RtlpIntegerToBuffer(Value, Base, Length, String);
}

/* As RtlIntegerToChar. */
NTSTATUS NTAPI RtlInt64ToChar(ULONGLONG Value, ULONG Base, LONG Length, PCHAR String)
{
    return RtlpIntegerToBuffer(Value, Base, Length, String);
}

/*
 * PASSIVE_LEVEL. Upper-case digits with a terminator, for which there must be room:
 * STATUS_BUFFER_OVERFLOW otherwise; STATUS_INVALID_PARAMETER for a base other than 0, 2, 8, 10, 16.
 * Doc: wdm/nf-wdm-rtlint64tounicodestring
 */
NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    CHAR Digits[MAX_DIGITS + 1];
    NTSTATUS Status = RtlpIntegerToBuffer(Value, Base, sizeof(Digits), Digits);
    if (!NT_SUCCESS(Status))
        return Status;
    STRING Source = {(USHORT)strlen(Digits), sizeof(Digits), Digits};
    return RtlAnsiStringToUnicodeString(String, &Source, FALSE);
}

/* As RtlInt64ToUnicodeString. Doc: wdm/nf-wdm-rtlintegertounicodestring */
NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlInt64ToUnicodeString(Value, Base, String);
}

typedef struct _RTLP_DIGIT_SOURCE {
    PCCH Narrow; /* terminated */
    PCWCH Wide;  /* counted, when Narrow is NULL */
    ULONG Count;
} RTLP_DIGIT_SOURCE;

static ULONG RtlpPeek(const RTLP_DIGIT_SOURCE *Source, ULONG Ahead)
{
    if (Source->Narrow)
        return Ahead && !Source->Narrow[0] ? 0 : (UCHAR)Source->Narrow[Ahead];
    return Ahead < Source->Count ? Source->Wide[Ahead] : 0;
}

static VOID RtlpSkip(RTLP_DIGIT_SOURCE *Source, ULONG Units)
{
    if (Source->Narrow)
        Source->Narrow += Units;
    else {
        Source->Wide += Units;
        Source->Count -= Units;
    }
}

static ULONG RtlpBaseOfPrefix(RTLP_DIGIT_SOURCE *Source)
{
    ULONG Base = 10;
    if (RtlpPeek(Source, 0) != '0')
        return Base;
    switch (RtlpPeek(Source, 1)) {
    case 'x':
        Base = 16;
        break;
    case 'o':
        Base = 8;
        break;
    case 'b':
        Base = 2;
        break;
    default:
        return Base;
    }
    RtlpSkip(Source, 2);
    return Base;
}

static ULONG RtlpDigitValue(ULONG Character)
{
    if (Character >= '0' && Character <= '9')
        return Character - '0';
    if (Character >= 'a' && Character <= 'f')
        return Character - 'a' + 10;
    if (Character >= 'A' && Character <= 'F')
        return Character - 'A' + 10;
    return MAXULONG;
}

static NTSTATUS RtlpParseInteger(RTLP_DIGIT_SOURCE *Source, ULONG Base, PULONG Value)
{
    if (Base != 0 && !RtlpNormalizeBase(&Base))
        return STATUS_INVALID_PARAMETER;
    while (RtlpPeek(Source, 0) && RtlpPeek(Source, 0) <= ' ')
        RtlpSkip(Source, 1);
    ULONG Sign = RtlpPeek(Source, 0);
    if (Sign == '-' || Sign == '+')
        RtlpSkip(Source, 1);
    if (Base == 0)
        Base = RtlpBaseOfPrefix(Source);
    ULONG Sum = 0;
    ULONG Digit;
    while ((Digit = RtlpDigitValue(RtlpPeek(Source, 0))) < Base) {
        Sum = Sum * Base + Digit;
        RtlpSkip(Source, 1);
    }
    *Value = Sign == '-' ? 0 - Sum : Sum;
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL. Base 0 looks for 0x, 0o or 0b. Text that is no number gives zero and success; an
 * empty string or a bad base gives STATUS_INVALID_PARAMETER. Doc:
 * wdm/nf-wdm-rtlunicodestringtointeger
 */
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_DIGIT_SOURCE Source = {NULL, String->Buffer, String->Length / sizeof(WCHAR)};
    if (!Source.Count)
        return STATUS_INVALID_PARAMETER;
    return RtlpParseInteger(&Source, Base, Value);
}

/* PASSIVE_LEVEL. STATUS_INVALID_PARAMETER for a bad base. Doc: ntddk/nf-ntddk-rtlchartointeger */
NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    RTLP_DIGIT_SOURCE Source = {String, NULL, 0};
    return RtlpParseInteger(&Source, Base, Value);
}
