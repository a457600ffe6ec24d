/* UTF-8 and UTF-16, a code point at a time; the system's ANSI and OEM code page is UTF-8 as well.
 */
#include "rtlp.h"

BOOLEAN NlsMbCodePageTag = TRUE;
BOOLEAN NlsMbOemCodePageTag = TRUE;

/* The second byte's range differs for some first bytes: no overlong forms, no surrogates. */
static BOOLEAN RtlpSecondByteFits(UCHAR First, UCHAR Second)
{
    UCHAR Low = First == 0xE0 ? 0xA0 : First == 0xF0 ? 0x90 : 0x80;
    UCHAR High = First == 0xED ? 0x9F : First == 0xF4 ? 0x8F : 0xBF;
    return Second >= Low && Second <= High;
}

ULONG RtlpDecodeUtf8(const CHAR **Cursor, const CHAR *End, PBOOLEAN Broken)
{
    const UCHAR *Bytes = (const UCHAR *)*Cursor;
    UCHAR First = *Bytes++;
    ULONG More = First >= 0xF0 ? 3 : First >= 0xE0 ? 2 : 1;
    *Cursor = (const CHAR *)Bytes;
    if (First < 0x80)
        return First;
    if (First < 0xC2 || First > 0xF4)
        goto broken;
    ULONG CodePoint = First & (0x3F >> More);
    for (ULONG i = 0; i < More; i++, Bytes++) {
        if (Bytes == (const UCHAR *)End || (*Bytes & 0xC0) != 0x80 ||
            (i == 0 && !RtlpSecondByteFits(First, *Bytes)))
            goto broken;
        CodePoint = CodePoint << 6 | (*Bytes & 0x3F);
        *Cursor = (const CHAR *)Bytes + 1;
    }
    return CodePoint;
broken:
    *Broken = TRUE;
    return RTLP_REPLACEMENT;
}

ULONG RtlpDecodeUtf16(const WCHAR **Cursor, const WCHAR *End, PBOOLEAN Broken)
{
    WCHAR First = *(*Cursor)++;
    if (First < 0xD800 || First > 0xDFFF)
        return First;
    if (First > 0xDBFF || *Cursor == End || (**Cursor & 0xFC00) != 0xDC00) {
        *Broken = TRUE;
        return RTLP_REPLACEMENT;
    }
    WCHAR Second = *(*Cursor)++;
    return 0x10000 + ((ULONG)(First & 0x3FF) << 10 | (Second & 0x3FF));
}

ULONG RtlpEncodeUtf8(ULONG CodePoint, CHAR *Units)
{
    if (CodePoint < 0x80) {
        Units[0] = (CHAR)CodePoint;
        return 1;
    }
    ULONG More = CodePoint < 0x800 ? 1 : CodePoint < 0x10000 ? 2 : 3;
    for (ULONG i = More; i > 0; i--, CodePoint >>= 6)
        Units[i] = (CHAR)(0x80 | (CodePoint & 0x3F));
    Units[0] = (CHAR)(~(0x7Fu >> More) | CodePoint);
    return More + 1;
}

ULONG RtlpEncodeUtf16(ULONG CodePoint, WCHAR *Units)
{
    if (CodePoint < 0x10000) {
        Units[0] = (WCHAR)CodePoint;
        return 1;
    }
    Units[0] = (WCHAR)(0xD800 | (CodePoint - 0x10000) >> 10);
    Units[1] = (WCHAR)(0xDC00 | (CodePoint & 0x3FF));
    return 2;
}
