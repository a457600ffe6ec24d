/* What the files of rtl share among themselves. */
#pragma once

#include "host/call.h"
#include "rtl.h"

WCHAR RtlpUpcase(WCHAR Character);
WCHAR RtlpDowncase(WCHAR Character);

#define RTLP_REPLACEMENT 0xFFFD

/*
 * Decodes one code point and moves Cursor behind it. A broken sequence yields RTLP_REPLACEMENT,
 * sets Broken, and moves over its longest part that could have begun a sequence.
 */
ULONG RtlpDecodeUtf8(const CHAR **Cursor, const CHAR *End, PBOOLEAN Broken);
/* The same for UTF-16; an unpaired surrogate is broken. */
ULONG RtlpDecodeUtf16(const WCHAR **Cursor, const WCHAR *End, PBOOLEAN Broken);
/* Both return the number of units written to Units (at most 4, at most 2). */
ULONG RtlpEncodeUtf8(ULONG CodePoint, CHAR *Units);
ULONG RtlpEncodeUtf16(ULONG CodePoint, WCHAR *Units);

/* Digits of Value in Base, lower case, written backwards from End; returns their number. */
ULONG RtlpDigits(ULONGLONG Value, ULONG Base, PCHAR End);

/* Compares counted wide text, by code units after up-casing if CaseInSensitive. */
LONG RtlpCompareWide(PCWCH First, SIZE_T FirstCount, PCWCH Second, SIZE_T SecondCount,
                     BOOLEAN CaseInSensitive);

/* The first bit in [Start, End) that has Value, or End. */
ULONG RtlpNextBit(PRTL_BITMAP Map, ULONG Start, ULONG End, BOOLEAN Value);
