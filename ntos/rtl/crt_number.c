/* Numbers as text and back, by Microsoft's names and widths: `long` has 32 bits. */
#include "rtlp.h"

#include <errno.h>
#include <limits.h>
#include <nt_crt.h>
#include <string.h>

#define MAX_DIGITS 65

/* ---- to text --------------------------------------------------------------------------------- */

static errno_t CrtToText(ULONG64 Value, BOOLEAN Negative, size_t Room, int Base, void *Text,
                         BOOLEAN Wide)
{
    CHAR Digits[MAX_DIGITS + 1];
    if (Base < 2 || Base > 36)
        return EINVAL;
    PCHAR End = Digits + sizeof(Digits);
    PCHAR First = End;
    do {
        *--First = "0123456789abcdefghijklmnopqrstuvwxyz"[Value % Base];
    } while (Value /= Base);
    if (Negative)
        *--First = '-';
    size_t Count = End - First;
    if (Count >= Room)
        return ERANGE;
    for (size_t i = 0; i <= Count; i++) {
        CHAR Unit = i < Count ? First[i] : 0;
        if (Wide)
            ((wchar_t *)Text)[i] = (wchar_t)Unit;
        else
            ((char *)Text)[i] = Unit;
    }
    return 0;
}

static errno_t CrtSignedToText(int Value, size_t Room, int Base, void *Text, BOOLEAN Wide)
{
    BOOLEAN Negative = Value < 0 && Base == 10;
    return CrtToText(Negative ? 0ull - (LONG64)Value : (ULONG)Value, Negative, Room, Base, Text,
                     Wide);
}

char *_itoa(int Value, char *Text, int Base)
{
    CrtSignedToText(Value, MAX_DIGITS, Base, Text, FALSE);
    return Text;
}

char *_ultoa(unsigned Value, char *Text, int Base)
{
    CrtToText(Value, FALSE, MAX_DIGITS, Base, Text, FALSE);
    return Text;
}

char *_i64toa(long long Value, char *Text, int Base)
{
    BOOLEAN Negative = Value < 0 && Base == 10;
    CrtToText(Negative ? 0ull - Value : (ULONG64)Value, Negative, MAX_DIGITS + 1, Base, Text,
              FALSE);
    return Text;
}

char *_ui64toa(unsigned long long Value, char *Text, int Base)
{
    CrtToText(Value, FALSE, MAX_DIGITS + 1, Base, Text, FALSE);
    return Text;
}

errno_t _itoa_s(int Value, char *Text, size_t Room, int Base)
{
    if (!Text || !Room)
        return EINVAL;
    Text[0] = 0;
    return CrtSignedToText(Value, Room, Base, Text, FALSE);
}

errno_t _ultoa_s(unsigned Value, char *Text, size_t Room, int Base)
{
    if (!Text || !Room)
        return EINVAL;
    Text[0] = 0;
    return CrtToText(Value, FALSE, Room, Base, Text, FALSE);
}

wchar_t *_itow(int Value, wchar_t *Text, int Base)
{
    CrtSignedToText(Value, MAX_DIGITS, Base, Text, TRUE);
    return Text;
}

wchar_t *_ultow(unsigned Value, wchar_t *Text, int Base)
{
    CrtToText(Value, FALSE, MAX_DIGITS, Base, Text, TRUE);
    return Text;
}

wchar_t *_ui64tow(unsigned long long Value, wchar_t *Text, int Base)
{
    CrtToText(Value, FALSE, MAX_DIGITS + 1, Base, Text, TRUE);
    return Text;
}

errno_t _itow_s(int Value, wchar_t *Text, size_t Room, int Base)
{
    if (!Text || !Room)
        return EINVAL;
    Text[0] = 0;
    return CrtSignedToText(Value, Room, Base, Text, TRUE);
}

errno_t _ultow_s(unsigned Value, wchar_t *Text, size_t Room, int Base)
{
    if (!Text || !Room)
        return EINVAL;
    Text[0] = 0;
    return CrtToText(Value, FALSE, Room, Base, Text, TRUE);
}

/* ---- from text ------------------------------------------------------------------------------- */

typedef struct _CRT_SCAN {
    const char *Narrow;
    const wchar_t *Wide; /* when Narrow is NULL */
    size_t Used;         /* units consumed by the number; 0: none */
    ULONG64 Magnitude;   /* saturated */
    BOOLEAN Negative;
} CRT_SCAN;

static unsigned CrtUnit(const CRT_SCAN *Scan, size_t Index)
{
    return Scan->Narrow ? (unsigned char)Scan->Narrow[Index] : Scan->Wide[Index];
}

static unsigned CrtDigit(unsigned Unit)
{
    if (Unit >= '0' && Unit <= '9')
        return Unit - '0';
    if ((Unit | 0x20) >= 'a' && (Unit | 0x20) <= 'z')
        return (Unit | 0x20) - 'a' + 10;
    return UINT_MAX;
}

static VOID CrtScan(CRT_SCAN *Scan, int Base)
{
    size_t At = 0;
    while (CrtUnit(Scan, At) == ' ' || (CrtUnit(Scan, At) >= 9 && CrtUnit(Scan, At) <= 13))
        At++;
    if (CrtUnit(Scan, At) == '-' || CrtUnit(Scan, At) == '+')
        Scan->Negative = CrtUnit(Scan, At++) == '-';
    if ((Base == 0 || Base == 16) && CrtUnit(Scan, At) == '0' &&
        (CrtUnit(Scan, At + 1) | 0x20) == 'x' && CrtDigit(CrtUnit(Scan, At + 2)) < 16) {
        At += 2;
        Base = 16;
    }
    if (Base == 0)
        Base = CrtUnit(Scan, At) == '0' ? 8 : 10;
    for (unsigned Digit; (Digit = CrtDigit(CrtUnit(Scan, At))) < (unsigned)Base; At++) {
        ULONG64 Next;
        if (__builtin_mul_overflow(Scan->Magnitude, (ULONG64)Base, &Next) ||
            __builtin_add_overflow(Next, (ULONG64)Digit, &Next))
            Next = MAXULONG64;
        Scan->Magnitude = Next;
        Scan->Used = At + 1;
    }
}

static LONG64 CrtSignedWithin(const CRT_SCAN *Scan, LONG64 Lowest, LONG64 Highest)
{
    if (Scan->Negative)
        return Scan->Magnitude > 0ull - Lowest ? Lowest : (LONG64)(0 - Scan->Magnitude);
    return Scan->Magnitude > (ULONG64)Highest ? Highest : (LONG64)Scan->Magnitude;
}

static ULONG64 CrtUnsignedWithin(const CRT_SCAN *Scan, ULONG64 Highest)
{
    if (Scan->Magnitude > Highest)
        return Highest;
    return Scan->Negative ? (0 - Scan->Magnitude) & Highest : Scan->Magnitude;
}

static CRT_SCAN CrtScanWide(const wchar_t *Text, wchar_t **End, int Base)
{
    CRT_SCAN Scan = {.Wide = Text};
    CrtScan(&Scan, Base);
    if (End)
        *End = (wchar_t *)Text + Scan.Used;
    return Scan;
}

static CRT_SCAN CrtScanNarrow(const char *Text, char **End, int Base)
{
    CRT_SCAN Scan = {.Narrow = Text};
    CrtScan(&Scan, Base);
    if (End)
        *End = (char *)Text + Scan.Used;
    return Scan;
}

int wcstol(const wchar_t *Text, wchar_t **End, int Base)
{
    CRT_SCAN Scan = CrtScanWide(Text, End, Base);
    return (int)CrtSignedWithin(&Scan, INT_MIN, INT_MAX);
}

unsigned wcstoul(const wchar_t *Text, wchar_t **End, int Base)
{
    CRT_SCAN Scan = CrtScanWide(Text, End, Base);
    return (unsigned)CrtUnsignedWithin(&Scan, UINT_MAX);
}

long long _wcstoi64(const wchar_t *Text, wchar_t **End, int Base)
{
    CRT_SCAN Scan = CrtScanWide(Text, End, Base);
    return CrtSignedWithin(&Scan, LLONG_MIN, LLONG_MAX);
}

unsigned long long _wcstoui64(const wchar_t *Text, wchar_t **End, int Base)
{
    CRT_SCAN Scan = CrtScanWide(Text, End, Base);
    return CrtUnsignedWithin(&Scan, MAXULONG64);
}

int _wtoi(const wchar_t *Text)
{
    return wcstol(Text, NULL, 10);
}

int _wtol(const wchar_t *Text)
{
    return wcstol(Text, NULL, 10);
}

long long _wtoi64(const wchar_t *Text)
{
    return _wcstoi64(Text, NULL, 10);
}

long long _strtoi64(const char *Text, char **End, int Base)
{
    CRT_SCAN Scan = CrtScanNarrow(Text, End, Base);
    return CrtSignedWithin(&Scan, LLONG_MIN, LLONG_MAX);
}

unsigned long long _strtoui64(const char *Text, char **End, int Base)
{
    CRT_SCAN Scan = CrtScanNarrow(Text, End, Base);
    return CrtUnsignedWithin(&Scan, MAXULONG64);
}

long long _atoi64(const char *Text)
{
    return _strtoi64(Text, NULL, 10);
}
