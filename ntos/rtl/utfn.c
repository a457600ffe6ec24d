/* Conversions of counted buffers between UTF-16 and UTF-8, which is also the ANSI and OEM code
 * page. */
#include "rtlp.h"

#include <string.h>

typedef struct _RTLP_CONVERSION {
    ULONG Bytes;       /* written, or needed when there is no buffer */
    BOOLEAN Broken;    /* something was replaced */
    BOOLEAN Truncated; /* the buffer ended first */
} RTLP_CONVERSION;

static RTLP_CONVERSION RtlpToUtf8(PCHAR Buffer, ULONG Capacity, PCWCH Source, ULONG SourceBytes,
                                  WCHAR (*Map)(WCHAR))
{
    RTLP_CONVERSION Result = {0};
    const WCHAR *End = Source + SourceBytes / sizeof(WCHAR);
    while (Source < End) {
        CHAR Units[4];
        ULONG CodePoint = RtlpDecodeUtf16(&Source, End, &Result.Broken);
        if (Map && CodePoint < 0x10000)
            CodePoint = Map((WCHAR)CodePoint);
        ULONG Count = RtlpEncodeUtf8(CodePoint, Units);
        if (Buffer && Count > Capacity - Result.Bytes) {
            Result.Truncated = TRUE;
            break;
        }
        if (Buffer)
            memcpy(Buffer + Result.Bytes, Units, Count);
        Result.Bytes += Count;
    }
    return Result;
}

static RTLP_CONVERSION RtlpFromUtf8(PWCHAR Buffer, ULONG Capacity, PCCH Source, ULONG SourceBytes)
{
    RTLP_CONVERSION Result = {0};
    const CHAR *End = Source + SourceBytes;
    while (Source < End) {
        WCHAR Units[2];
        ULONG CodePoint = RtlpDecodeUtf8(&Source, End, &Result.Broken);
        ULONG Bytes = RtlpEncodeUtf16(CodePoint, Units) * sizeof(WCHAR);
        if (Buffer && Bytes > Capacity - Result.Bytes) {
            Result.Truncated = TRUE;
            break;
        }
        if (Buffer)
            memcpy((PUCHAR)Buffer + Result.Bytes, Units, Bytes);
        Result.Bytes += Bytes;
    }
    return Result;
}

static NTSTATUS RtlpConversionStatus(const RTLP_CONVERSION *Result)
{
    if (Result->Truncated)
        return STATUS_BUFFER_TOO_SMALL;
    return Result->Broken ? STATUS_SOME_NOT_MAPPED : STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL. Without a destination, tells the bytes needed. STATUS_SOME_NOT_MAPPED when
 * unpaired surrogates became U+FFFD; STATUS_BUFFER_TOO_SMALL after writing what fits;
 * STATUS_INVALID_PARAMETER(_4, _5). Doc: wdm/nf-wdm-rtlunicodetoutf8n
 */
NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
                                 PULONG UTF8StringActualByteCount, PCWCH UnicodeStringSource,
                                 ULONG UnicodeStringByteCount)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    if (!UnicodeStringSource)
        return STATUS_INVALID_PARAMETER_4;
    if (!UTF8StringDestination && !UTF8StringActualByteCount)
        return STATUS_INVALID_PARAMETER;
    if (UnicodeStringByteCount % sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER_5;
    RTLP_CONVERSION Result = RtlpToUtf8(UTF8StringDestination, UTF8StringMaxByteCount,
                                        UnicodeStringSource, UnicodeStringByteCount, NULL);
    if (UTF8StringActualByteCount)
        *UTF8StringActualByteCount = Result.Bytes;
    return RtlpConversionStatus(&Result);
}

/* PASSIVE_LEVEL. The opposite of RtlUnicodeToUTF8N. Doc: wdm/nf-wdm-rtlutf8tounicoden */
NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                                 PULONG UnicodeStringActualByteCount, PCCH UTF8StringSource,
                                 ULONG UTF8StringByteCount)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    if (!UTF8StringSource)
        return STATUS_INVALID_PARAMETER_4;
    if (!UnicodeStringDestination && !UnicodeStringActualByteCount)
        return STATUS_INVALID_PARAMETER;
    RTLP_CONVERSION Result = RtlpFromUtf8(UnicodeStringDestination, UnicodeStringMaxByteCount,
                                          UTF8StringSource, UTF8StringByteCount);
    if (UnicodeStringActualByteCount)
        *UnicodeStringActualByteCount = Result.Bytes;
    return RtlpConversionStatus(&Result);
}

static NTSTATUS RtlpUnicodeToCodePage(PCHAR Buffer, ULONG Capacity, PULONG Bytes, PCWCH Source,
                                      ULONG SourceBytes, WCHAR (*Map)(WCHAR))
{
    RTLP_CONVERSION Result = RtlpToUtf8(Buffer, Capacity, Source, SourceBytes, Map);
    if (Bytes)
        *Bytes = Result.Bytes;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpCodePageToUnicode(PWCHAR Buffer, ULONG Capacity, PULONG Bytes, PCCH Source,
                                      ULONG SourceBytes)
{
    RTLP_CONVERSION Result = RtlpFromUtf8(Buffer, Capacity, Source, SourceBytes);
    if (Bytes)
        *Bytes = Result.Bytes;
    return STATUS_SUCCESS;
}

/* IRQL < DISPATCH_LEVEL. Writes what fits; always STATUS_SUCCESS. Doc:
 * ntifs/nf-ntifs-rtlunicodetomultibyten */
NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                      ULONG BytesInUnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUnicodeToCodePage(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString,
                                 UnicodeString, BytesInUnicodeString, NULL);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlupcaseunicodetomultibyten */
NTSTATUS NTAPI RtlUpcaseUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                            PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                            ULONG BytesInUnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUnicodeToCodePage(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString,
                                 UnicodeString, BytesInUnicodeString, RtlpUpcase);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlunicodetooemn */
NTSTATUS NTAPI RtlUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString, PULONG BytesInOemString,
                                PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUnicodeToCodePage(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString,
                                 BytesInUnicodeString, NULL);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlupcaseunicodetooemn */
NTSTATUS NTAPI RtlUpcaseUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString,
                                      PULONG BytesInOemString, PCWCH UnicodeString,
                                      ULONG BytesInUnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUnicodeToCodePage(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString,
                                 BytesInUnicodeString, RtlpUpcase);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlunicodetomultibytesize */
NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                         ULONG BytesInUnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUnicodeToCodePage(NULL, 0, BytesInMultiByteString, UnicodeString,
                                 BytesInUnicodeString, NULL);
}

/* IRQL < DISPATCH_LEVEL. Writes what fits; always STATUS_SUCCESS. Doc:
 * ntifs/nf-ntifs-rtlmultibytetounicoden */
NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString,
                                      PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                      ULONG BytesInMultiByteString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpCodePageToUnicode(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString,
                                 MultiByteString, BytesInMultiByteString);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtloemtounicoden */
NTSTATUS NTAPI RtlOemToUnicodeN(PWSTR UnicodeString, ULONG MaxBytesInUnicodeString,
                                PULONG BytesInUnicodeString, PCCH OemString, ULONG BytesInOemString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpCodePageToUnicode(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString,
                                 OemString, BytesInOemString);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlmultibytetounicodesize */
NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                         ULONG BytesInMultiByteString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpCodePageToUnicode(NULL, 0, BytesInUnicodeString, MultiByteString,
                                 BytesInMultiByteString);
}

/*
 * PASSIVE_LEVEL. Moves the caller's pointer behind the character; a character that is no single
 * UTF-16 unit, or broken, becomes a space. Doc: wdm/nf-wdm-rtlansistringtounicodestring (remarks)
 */
WCHAR NTAPI RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    const CHAR *Cursor = (const CHAR *)*SourceCharacter;
    BOOLEAN Broken = FALSE;
    /* A terminator stops the decoder, so that four bytes is never an overrun of a C string. */
    ULONG CodePoint = RtlpDecodeUtf8(&Cursor, Cursor + 4, &Broken);
    *SourceCharacter = (PUCHAR)Cursor;
    return Broken || CodePoint > 0xFFFF ? L' ' : (WCHAR)CodePoint;
}
