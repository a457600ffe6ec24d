/*
 * Formatted output by Microsoft's rules, narrow and wide from one engine: the formatter reads units
 * of its format and writes units of its buffer, both of the same width. `long` has 32 bits.
 */
#include "rtlp.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NO_PRECISION (-1)
#define MAX_DIGITS 64
#define MAX_FLOAT_PRECISION 320
#define FLOAT_BUFFER 700 /* 309 digits, the precision, sign, point and terminator */

typedef struct _RTLP_FORMATTER {
    BOOLEAN Wide;
    const VOID *Format;
    VOID *Buffer;
    SIZE_T Capacity;
    SIZE_T Count; /* units of the whole text so far, written or not */
    RTLP_ARGUMENTS *Arguments;
} RTLP_FORMATTER;

typedef enum _RTLP_SIZE {
    RtlpSizeDefault,
    RtlpSizeChar,  /* hh */
    RtlpSizeShort, /* h */
    RtlpSizeLong,  /* l, w: 32 bits, wide text */
    RtlpSizeInt32, /* I32 */
    RtlpSize64,    /* ll, I, I64, z, j, t */
    RtlpSizeLongDouble,
} RTLP_SIZE;

typedef struct _RTLP_SPECIFICATION {
    BOOLEAN Left, Plus, Space, Alternate, Zero;
    LONG Width;
    LONG Precision;
    RTLP_SIZE Size;
    ULONG Type;
} RTLP_SPECIFICATION;

/* Text to be put, of either width; Left counts units, or is SIZE_MAX for terminated text. */
typedef struct _RTLP_TEXT {
    BOOLEAN Wide;
    SIZE_T Left;
    union {
        const CHAR *Narrow;
        const WCHAR *Units;
    };
} RTLP_TEXT;

static ULONG RtlpPeekFormat(const RTLP_FORMATTER *Formatter)
{
    return Formatter->Wide ? *(const WCHAR *)Formatter->Format : *(const UCHAR *)Formatter->Format;
}

static VOID RtlpAdvanceFormat(RTLP_FORMATTER *Formatter)
{
    Formatter->Format =
        (const UCHAR *)Formatter->Format + (Formatter->Wide ? sizeof(WCHAR) : sizeof(CHAR));
}

static BOOLEAN RtlpAcceptFormat(RTLP_FORMATTER *Formatter, ULONG Unit)
{
    if (RtlpPeekFormat(Formatter) != Unit)
        return FALSE;
    RtlpAdvanceFormat(Formatter);
    return TRUE;
}

static VOID RtlpPut(RTLP_FORMATTER *Formatter, ULONG Unit)
{
    SIZE_T Index = Formatter->Count++;
    if (Index >= Formatter->Capacity)
        return;
    if (Formatter->Wide)
        ((PWCHAR)Formatter->Buffer)[Index] = (WCHAR)Unit;
    else
        ((PCHAR)Formatter->Buffer)[Index] = (CHAR)Unit;
}

static VOID RtlpPutMany(RTLP_FORMATTER *Formatter, ULONG Unit, SIZE_T Count)
{
    while (Count--)
        RtlpPut(Formatter, Unit);
}

/* ---- text ------------------------------------------------------------------------------------ */

static BOOLEAN RtlpTextEnds(const RTLP_TEXT *Text)
{
    if (Text->Left != SIZE_MAX)
        return Text->Left == 0;
    return Text->Wide ? !*Text->Units : !*Text->Narrow;
}

static VOID RtlpTextMoved(RTLP_TEXT *Text, SIZE_T Units)
{
    if (Text->Left != SIZE_MAX)
        Text->Left -= Units;
}

/* One unit of text of the buffer's width; one code point, converted, of the other width. */
static ULONG RtlpNextPiece(RTLP_TEXT *Text, BOOLEAN Wide, ULONG Piece[4])
{
    union {
        CHAR Narrow[4];
        WCHAR Units[2];
    } Out;
    BOOLEAN Broken = FALSE;
    ULONG Count = 1;
    if (RtlpTextEnds(Text))
        return 0;
    if (Text->Wide == Wide) {
        Piece[0] = Wide ? *Text->Units++ : (UCHAR)*Text->Narrow++;
        RtlpTextMoved(Text, 1);
    } else if (Wide) {
        const CHAR *Start = Text->Narrow;
        /* A terminator ends a sequence early, so 4 is safe for terminated text. */
        const CHAR *End = Start + min(Text->Left, 4);
        Count = RtlpEncodeUtf16(RtlpDecodeUtf8(&Text->Narrow, End, &Broken), Out.Units);
        RtlpTextMoved(Text, Text->Narrow - Start);
        for (ULONG i = 0; i < Count; i++)
            Piece[i] = Out.Units[i];
    } else {
        const WCHAR *Start = Text->Units;
        const WCHAR *End = Start + min(Text->Left, 2);
        Count = RtlpEncodeUtf8(RtlpDecodeUtf16(&Text->Units, End, &Broken), Out.Narrow);
        RtlpTextMoved(Text, Text->Units - Start);
        for (ULONG i = 0; i < Count; i++)
            Piece[i] = (UCHAR)Out.Narrow[i];
    }
    return Count;
}

/* Walks the text up to Limit units of output; puts them if asked to. Returns their number. */
static SIZE_T RtlpWalkText(RTLP_FORMATTER *Formatter, RTLP_TEXT Text, SIZE_T Limit, BOOLEAN Put)
{
    SIZE_T Total = 0;
    ULONG Piece[4];
    ULONG Count;
    while (Total < Limit && (Count = RtlpNextPiece(&Text, Formatter->Wide, Piece)) != 0) {
        if (Count > Limit - Total)
            break;
        for (ULONG i = 0; Put && i < Count; i++)
            RtlpPut(Formatter, Piece[i]);
        Total += Count;
    }
    return Total;
}

static VOID RtlpPutText(RTLP_FORMATTER *Formatter, const RTLP_SPECIFICATION *Spec,
                        const RTLP_TEXT *Text)
{
    SIZE_T Limit = Spec->Precision == NO_PRECISION ? SIZE_MAX : (SIZE_T)Spec->Precision;
    SIZE_T Length = RtlpWalkText(Formatter, *Text, Limit, FALSE);
    SIZE_T Padding = (SIZE_T)Spec->Width > Length ? Spec->Width - Length : 0;
    if (!Spec->Left)
        RtlpPutMany(Formatter, Spec->Zero ? '0' : ' ', Padding);
    RtlpWalkText(Formatter, *Text, Limit, TRUE);
    if (Spec->Left)
        RtlpPutMany(Formatter, ' ', Padding);
}

static RTLP_TEXT RtlpTextOrNull(const VOID *Start, BOOLEAN Wide, SIZE_T Left)
{
    if (!Start)
        return (RTLP_TEXT){.Left = SIZE_MAX, .Narrow = "(null)"};
    return (RTLP_TEXT){.Wide = Wide, .Left = Left, .Narrow = Start};
}

/* Lower-case types have the buffer's width, upper-case ones the other; a size decides. */
static BOOLEAN RtlpIsWideArgument(const RTLP_FORMATTER *Formatter, const RTLP_SPECIFICATION *Spec)
{
    if (Spec->Size == RtlpSizeShort || Spec->Size == RtlpSizeChar)
        return FALSE;
    if (Spec->Size == RtlpSizeLong)
        return TRUE;
    return Spec->Type == 's' || Spec->Type == 'c' ? Formatter->Wide : !Formatter->Wide;
}

static VOID RtlpFormatCharacter(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    ULONG64 Argument = Formatter->Arguments->NextInteger(Formatter->Arguments);
    BOOLEAN Wide = RtlpIsWideArgument(Formatter, Spec);
    WCHAR Unit = (WCHAR)Argument;
    CHAR Byte = (CHAR)Argument;
    RTLP_TEXT Text = {.Wide = Wide, .Left = 1, .Narrow = Wide ? (const CHAR *)&Unit : &Byte};
    Spec->Precision = NO_PRECISION;
    RtlpPutText(Formatter, Spec, &Text);
}

static VOID RtlpFormatString(RTLP_FORMATTER *Formatter, const RTLP_SPECIFICATION *Spec)
{
    const VOID *Start = (const VOID *)Formatter->Arguments->NextInteger(Formatter->Arguments);
    RTLP_TEXT Text = RtlpTextOrNull(Start, RtlpIsWideArgument(Formatter, Spec), SIZE_MAX);
    RtlpPutText(Formatter, Spec, &Text);
}

static VOID RtlpFormatCountedString(RTLP_FORMATTER *Formatter, const RTLP_SPECIFICATION *Spec)
{
    const UNICODE_STRING *String =
        (const UNICODE_STRING *)Formatter->Arguments->NextInteger(Formatter->Arguments);
    BOOLEAN Wide = Spec->Size == RtlpSizeLong;
    SIZE_T Left = String ? String->Length / (Wide ? sizeof(WCHAR) : 1) : 0;
    RTLP_TEXT Text = RtlpTextOrNull(String ? String->Buffer : NULL, Wide, Left);
    RtlpPutText(Formatter, Spec, &Text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static VOID RtlpPutNumber(RTLP_FORMATTER *Formatter, const RTLP_SPECIFICATION *Spec, PCSTR Prefix,
                          PCCH Digits, SIZE_T Count, SIZE_T Zeros)
{
    SIZE_T Length = strlen(Prefix) + Zeros + Count;
    SIZE_T Padding = (SIZE_T)Spec->Width > Length ? Spec->Width - Length : 0;
    if (Spec->Zero && !Spec->Left) {
        Zeros += Padding;
        Padding = 0;
    }
    if (!Spec->Left)
        RtlpPutMany(Formatter, ' ', Padding);
    while (*Prefix)
        RtlpPut(Formatter, *Prefix++);
    RtlpPutMany(Formatter, '0', Zeros);
    for (SIZE_T i = 0; i < Count; i++)
        RtlpPut(Formatter, (UCHAR)Digits[i]);
    if (Spec->Left)
        RtlpPutMany(Formatter, ' ', Padding);
}

static PCSTR RtlpSign(const RTLP_SPECIFICATION *Spec, BOOLEAN Negative)
{
    return Negative ? "-" : Spec->Plus ? "+" : Spec->Space ? " " : "";
}

static ULONG64 RtlpFetchInteger(RTLP_FORMATTER *Formatter, RTLP_SIZE Size, BOOLEAN Signed)
{
    ULONG64 Value = Formatter->Arguments->NextInteger(Formatter->Arguments);
    switch (Size) {
    case RtlpSizeChar:
        return Signed ? (ULONG64)(CHAR)Value : (UCHAR)Value;
    case RtlpSizeShort:
        return Signed ? (ULONG64)(SHORT)Value : (USHORT)Value;
    case RtlpSize64:
        return Value;
    default:
        return Signed ? (ULONG64)(LONG)Value : (ULONG)Value;
    }
}

static VOID RtlpPutInteger(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec, PCSTR Prefix,
                           ULONG64 Value, ULONG Base)
{
    CHAR Digits[MAX_DIGITS];
    SIZE_T Count = RtlpDigits(Value, Base, Digits + MAX_DIGITS);
    SIZE_T Zeros = 0;
    if (Value == 0 && Spec->Precision == 0)
        Count = 0;
    if (Spec->Precision != NO_PRECISION) {
        Zeros = (SIZE_T)Spec->Precision > Count ? Spec->Precision - Count : 0;
        Spec->Zero = FALSE;
    }
    if (Base == 8 && Spec->Alternate && !Zeros && (Value || !Count))
        Zeros = 1;
    PCHAR First = Digits + MAX_DIGITS - Count;
    if (Spec->Type == 'X' || Spec->Type == 'p')
        for (SIZE_T i = 0; i < Count; i++)
            if (First[i] >= 'a')
                First[i] -= 'a' - 'A';
    RtlpPutNumber(Formatter, Spec, Prefix, First, Count, Zeros);
}

static VOID RtlpFormatInteger(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    BOOLEAN Signed = Spec->Type == 'd' || Spec->Type == 'i';
    ULONG64 Value = RtlpFetchInteger(Formatter, Spec->Size, Signed);
    PCSTR Prefix = "";
    ULONG Base = Spec->Type == 'o' ? 8 : Spec->Type == 'x' || Spec->Type == 'X' ? 16 : 10;
    if (Signed) {
        BOOLEAN Negative = (LONG64)Value < 0;
        Prefix = RtlpSign(Spec, Negative);
        Value = Negative ? 0 - Value : Value;
    } else if (Base == 16 && Spec->Alternate && Value) {
        Prefix = Spec->Type == 'x' ? "0x" : "0X";
    }
    RtlpPutInteger(Formatter, Spec, Prefix, Value, Base);
}

static VOID RtlpFormatPointer(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    ULONG64 Value = Formatter->Arguments->NextInteger(Formatter->Arguments);
    Spec->Precision = 2 * sizeof(PVOID);
    RtlpPutInteger(Formatter, Spec, Spec->Alternate && Value ? "0X" : "", Value, 16);
}

static VOID RtlpFormatDouble(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    CHAR Text[FLOAT_BUFFER];
    CHAR Format[] = {'%', '#', '.', '*', (CHAR)Spec->Type, 0};
    double Value = Formatter->Arguments->NextDouble(Formatter->Arguments);
    LONG Precision = Spec->Precision == NO_PRECISION && (Spec->Type | 0x20) != 'a'
                         ? 6
                         : min(Spec->Precision, MAX_FLOAT_PRECISION);
    if (!Spec->Alternate)
        memmove(Format + 1, Format + 2, sizeof(Format) - 2);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    SIZE_T Length = snprintf(Text, sizeof(Text), Format, (int)Precision, Value);
#pragma GCC diagnostic pop
    BOOLEAN Negative = Text[0] == '-';
    if (Value - Value != 0) /* infinity, not a number */
        Spec->Zero = FALSE;
    RtlpPutNumber(Formatter, Spec, RtlpSign(Spec, Negative), Text + Negative, Length - Negative, 0);
}

/* ---- the format ------------------------------------------------------------------------------ */

static VOID RtlpParseFlags(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    for (;; RtlpAdvanceFormat(Formatter)) {
        switch (RtlpPeekFormat(Formatter)) {
        case '-':
            Spec->Left = TRUE;
            break;
        case '+':
            Spec->Plus = TRUE;
            break;
        case ' ':
            Spec->Space = TRUE;
            break;
        case '#':
            Spec->Alternate = TRUE;
            break;
        case '0':
            Spec->Zero = TRUE;
            break;
        default:
            return;
        }
    }
}

static LONG RtlpParseCount(RTLP_FORMATTER *Formatter)
{
    LONG Count = 0;
    if (RtlpAcceptFormat(Formatter, '*'))
        return (LONG)Formatter->Arguments->NextInteger(Formatter->Arguments);
    for (ULONG Unit; (Unit = RtlpPeekFormat(Formatter)) >= '0' && Unit <= '9';
         RtlpAdvanceFormat(Formatter))
        Count = Count > INT_MAX / 10 - 1 ? INT_MAX / 2 : Count * 10 + (LONG)(Unit - '0');
    return Count;
}

static RTLP_SIZE RtlpParseSizeI(RTLP_FORMATTER *Formatter)
{
    RTLP_FORMATTER Ahead = *Formatter;
    if (RtlpAcceptFormat(&Ahead, '6') && RtlpAcceptFormat(&Ahead, '4')) {
        Formatter->Format = Ahead.Format;
        return RtlpSize64;
    }
    Ahead = *Formatter;
    if (RtlpAcceptFormat(&Ahead, '3') && RtlpAcceptFormat(&Ahead, '2')) {
        Formatter->Format = Ahead.Format;
        return RtlpSizeInt32;
    }
    return RtlpSize64;
}

static RTLP_SIZE RtlpParseSize(RTLP_FORMATTER *Formatter)
{
    if (RtlpAcceptFormat(Formatter, 'h'))
        return RtlpAcceptFormat(Formatter, 'h') ? RtlpSizeChar : RtlpSizeShort;
    if (RtlpAcceptFormat(Formatter, 'l'))
        return RtlpAcceptFormat(Formatter, 'l') ? RtlpSize64 : RtlpSizeLong;
    if (RtlpAcceptFormat(Formatter, 'w'))
        return RtlpSizeLong;
    if (RtlpAcceptFormat(Formatter, 'I'))
        return RtlpParseSizeI(Formatter);
    if (RtlpAcceptFormat(Formatter, 'L'))
        return RtlpSizeLongDouble;
    if (RtlpAcceptFormat(Formatter, 'z') || RtlpAcceptFormat(Formatter, 'j') ||
        RtlpAcceptFormat(Formatter, 't'))
        return RtlpSize64;
    return RtlpSizeDefault;
}

static RTLP_SPECIFICATION RtlpParseSpecification(RTLP_FORMATTER *Formatter)
{
    RTLP_SPECIFICATION Spec = {.Precision = NO_PRECISION};
    RtlpParseFlags(Formatter, &Spec);
    Spec.Width = RtlpParseCount(Formatter);
    if (Spec.Width < 0) {
        Spec.Left = TRUE;
        Spec.Width = Spec.Width == INT_MIN ? INT_MAX : -Spec.Width;
    }
    if (RtlpAcceptFormat(Formatter, '.')) {
        Spec.Precision = RtlpParseCount(Formatter);
        if (Spec.Precision < 0)
            Spec.Precision = NO_PRECISION;
    }
    Spec.Size = RtlpParseSize(Formatter);
    Spec.Type = RtlpPeekFormat(Formatter);
    if (Spec.Type)
        RtlpAdvanceFormat(Formatter);
    return Spec;
}

/* FALSE: the format is refused. An unknown type stands for itself, as %% does. */
static BOOLEAN RtlpFormatOne(RTLP_FORMATTER *Formatter, RTLP_SPECIFICATION *Spec)
{
    switch (Spec->Type) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        RtlpFormatInteger(Formatter, Spec);
        return TRUE;
    case 'p':
        RtlpFormatPointer(Formatter, Spec);
        return TRUE;
    case 'c':
    case 'C':
        RtlpFormatCharacter(Formatter, Spec);
        return TRUE;
    case 's':
    case 'S':
        RtlpFormatString(Formatter, Spec);
        return TRUE;
    case 'Z':
        RtlpFormatCountedString(Formatter, Spec);
        return TRUE;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        RtlpFormatDouble(Formatter, Spec);
        return TRUE;
    case 'n':
        return FALSE;
    case 0:
        return TRUE;
    default:
        RtlpPut(Formatter, Spec->Type);
        return TRUE;
    }
}

static LONG64 RtlpFormat(RTLP_FORMATTER *Formatter)
{
    ULONG Unit;
    while ((Unit = RtlpPeekFormat(Formatter)) != 0) {
        RtlpAdvanceFormat(Formatter);
        if (Unit != '%') {
            RtlpPut(Formatter, Unit);
            continue;
        }
        RTLP_SPECIFICATION Spec = RtlpParseSpecification(Formatter);
        if (!RtlpFormatOne(Formatter, &Spec))
            return -1;
    }
    return (LONG64)Formatter->Count;
}

LONG64 RtlpFormatNarrow(PCHAR Buffer, SIZE_T Capacity, PCSTR Format, RTLP_ARGUMENTS *Arguments)
{
    RTLP_FORMATTER Formatter = {FALSE, Format, Buffer, Capacity, 0, Arguments};
    return RtlpFormat(&Formatter);
}

LONG64 RtlpFormatWide(PWCHAR Buffer, SIZE_T Capacity, PCWSTR Format, RTLP_ARGUMENTS *Arguments)
{
    RTLP_FORMATTER Formatter = {TRUE, Format, Buffer, Capacity, 0, Arguments};
    return RtlpFormat(&Formatter);
}
