/* Wide characters of the C run-time: classes, case, and multi-byte (UTF-8) conversion. */
#include "rtlp.h"

#include <nt_crt.h>
#include <string.h>

wint_t towupper(wint_t Unit)
{
    return RtlpUpcase(Unit);
}

wint_t towlower(wint_t Unit)
{
    return RtlpDowncase(Unit);
}

int iswupper(wint_t Unit)
{
    return RtlpDowncase(Unit) != Unit;
}

int iswlower(wint_t Unit)
{
    return RtlpUpcase(Unit) != Unit;
}

int iswdigit(wint_t Unit)
{
    return Unit >= '0' && Unit <= '9';
}

int iswxdigit(wint_t Unit)
{
    return iswdigit(Unit) || ((Unit | 0x20) >= 'a' && (Unit | 0x20) <= 'f');
}

/* Letters of the scripts that have case; the C locale of the kernel knows no others. */
int iswalpha(wint_t Unit)
{
    return iswupper(Unit) || iswlower(Unit);
}

int iswalnum(wint_t Unit)
{
    return iswalpha(Unit) || iswdigit(Unit);
}

int iswspace(wint_t Unit)
{
    return Unit == ' ' || (Unit >= 9 && Unit <= 13);
}

int iswcntrl(wint_t Unit)
{
    return Unit < 0x20 || (Unit >= 0x7F && Unit < 0xA0);
}

int iswprint(wint_t Unit)
{
    return !iswcntrl(Unit) && Unit < 0xFFFE;
}

int iswpunct(wint_t Unit)
{
    return Unit > ' ' && Unit < 0x7F && !iswalnum(Unit);
}

/* The number of units, without terminator; (size_t)-1 for a broken sequence. */
size_t mbstowcs(wchar_t *To, const char *From, size_t Count)
{
    size_t Total = 0;
    BOOLEAN Broken = FALSE;
    while (*From) {
        WCHAR Units[2];
        ULONG Length = RtlpEncodeUtf16(RtlpDecodeUtf8(&From, From + 4, &Broken), Units);
        if (Broken)
            return (size_t)-1;
        if (To && Length > Count - Total)
            return Total;
        if (To)
            memcpy(To + Total, Units, Length * sizeof(WCHAR));
        Total += Length;
    }
    if (To && Total < Count)
        To[Total] = 0;
    return Total;
}

size_t wcstombs(char *To, const wchar_t *From, size_t Count)
{
    size_t Total = 0;
    BOOLEAN Broken = FALSE;
    while (*From) {
        CHAR Units[4];
        ULONG Length = RtlpEncodeUtf8(RtlpDecodeUtf16(&From, From + 2, &Broken), Units);
        if (Broken)
            return (size_t)-1;
        if (To && Length > Count - Total)
            return Total;
        if (To)
            memcpy(To + Total, Units, Length);
        Total += Length;
    }
    if (To && Total < Count)
        To[Total] = 0;
    return Total;
}

/* -1 for what is no single UTF-16 unit. */
int mbtowc(wchar_t *To, const char *From, size_t Count)
{
    BOOLEAN Broken = FALSE;
    const char *Cursor = From;
    if (!From || !Count)
        return From ? -1 : 0;
    ULONG CodePoint = RtlpDecodeUtf8(&Cursor, From + Count, &Broken);
    if (Broken || CodePoint > 0xFFFF)
        return -1;
    if (To)
        *To = (wchar_t)CodePoint;
    return CodePoint ? (int)(Cursor - From) : 0;
}

int wctomb(char *To, wchar_t Unit)
{
    if (!To)
        return 0;
    if ((Unit & 0xF800) == 0xD800)
        return -1;
    return (int)RtlpEncodeUtf8(Unit, To);
}
