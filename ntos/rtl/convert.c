/*
 * Conversions between UNICODE_STRING and the 8-bit string types. The four 8-bit kinds share their
 * representation here; what differs is upper-casing, and whether the result is terminated.
 */
#include "rtlp.h"

typedef enum _RTLP_CONVERT {
    RtlpPlain = 0,
    RtlpUppercased = 1,
    RtlpCounted = 2, /* no terminator */
} RTLP_CONVERT;

static NTSTATUS RtlpWidenString(PUNICODE_STRING Destination, const STRING *Source, BOOLEAN Allocate,
                                ULONG How)
{
    ULONG Terminator = How & RtlpCounted ? 0 : sizeof(WCHAR);
    ULONG Bytes;
    RtlMultiByteToUnicodeSize(&Bytes, Source->Buffer, Source->Length);
    if (Bytes + Terminator > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (Allocate) {
        Destination->Buffer = Bytes + Terminator ? RtlpAllocate(Bytes + Terminator) : NULL;
        if (Bytes + Terminator && !Destination->Buffer)
            return STATUS_NO_MEMORY;
        Destination->MaximumLength = (USHORT)(Bytes + Terminator);
    } else if (Bytes + Terminator > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlMultiByteToUnicodeN(Destination->Buffer, Bytes, NULL, Source->Buffer, Source->Length);
    Destination->Length = (USHORT)Bytes;
    if (Terminator)
        Destination->Buffer[Bytes / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

static ULONG RtlpNarrowSize(PCUNICODE_STRING Source, ULONG How)
{
    ULONG Bytes;
    if (How & RtlpUppercased)
        RtlUpcaseUnicodeToMultiByteN(NULL, 0, &Bytes, Source->Buffer, Source->Length);
    else
        RtlUnicodeToMultiByteSize(&Bytes, Source->Buffer, Source->Length);
    return Bytes;
}

/* A caller's short buffer receives what fits and a terminator, with the warning. */
static NTSTATUS RtlpNarrowString(PSTRING Destination, PCUNICODE_STRING Source, BOOLEAN Allocate,
                                 ULONG How)
{
    ULONG Terminator = How & RtlpCounted ? 0 : 1;
    ULONG Bytes = RtlpNarrowSize(Source, How);
    NTSTATUS Status = STATUS_SUCCESS;
    if (Bytes + Terminator > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (Allocate) {
        Destination->Buffer = Bytes + Terminator ? RtlpAllocate(Bytes + Terminator) : NULL;
        if (Bytes + Terminator && !Destination->Buffer)
            return STATUS_NO_MEMORY;
        Destination->MaximumLength = (USHORT)(Bytes + Terminator);
    } else if (Bytes + Terminator > Destination->MaximumLength) {
        if (Destination->MaximumLength <= Terminator)
            return STATUS_BUFFER_OVERFLOW;
        Bytes = Destination->MaximumLength - Terminator;
        Status = STATUS_BUFFER_OVERFLOW;
    }
    if (How & RtlpUppercased)
        RtlUpcaseUnicodeToMultiByteN(Destination->Buffer, Bytes, &Bytes, Source->Buffer,
                                     Source->Length);
    else
        RtlUnicodeToMultiByteN(Destination->Buffer, Bytes, &Bytes, Source->Buffer, Source->Length);
    Destination->Length = (USHORT)Bytes;
    if (Terminator)
        Destination->Buffer[Bytes] = 0;
    return Status;
}

/*
 * PASSIVE_LEVEL. The result is terminated. STATUS_BUFFER_OVERFLOW when the caller's buffer is too
 * small, STATUS_INVALID_PARAMETER_2 when no UNICODE_STRING could hold it, STATUS_NO_MEMORY. An
 * allocated result is freed with RtlFreeUnicodeString. Doc: wdm/nf-wdm-rtlansistringtounicodestring
 */
NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
                                            PCANSI_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    NTSTATUS Status =
        RtlpWidenString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtloemstringtounicodestring */
NTSTATUS NTAPI RtlOemStringToUnicodeString(PUNICODE_STRING DestinationString,
                                           PCOEM_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status =
        RtlpWidenString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Not terminated. Doc: ntifs/nf-ntifs-rtloemstringtocountedunicodestring */
NTSTATUS NTAPI RtlOemStringToCountedUnicodeString(PUNICODE_STRING DestinationString,
                                                  PCOEM_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status =
        RtlpWidenString(DestinationString, SourceString, AllocateDestinationString, RtlpCounted);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* PASSIVE_LEVEL. As RtlAnsiStringToUnicodeString. Doc: wdm/nf-wdm-rtlutf8stringtounicodestring */
NTSTATUS NTAPI RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString,
                                            const STRING *SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    NTSTATUS Status =
        RtlpWidenString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/*
 * PASSIVE_LEVEL. The result is terminated. STATUS_BUFFER_OVERFLOW after converting what fits into
 * the caller's buffer. An allocated result is freed with RtlFreeAnsiString.
 * Doc: wdm/nf-wdm-rtlunicodestringtoansistring
 */
NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
                                            PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    NTSTATUS Status =
        RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlunicodestringtooemstring */
NTSTATUS NTAPI RtlUnicodeStringToOemString(POEM_STRING DestinationString,
                                           PCUNICODE_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status =
        RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlupcaseunicodestringtooemstring */
NTSTATUS NTAPI RtlUpcaseUnicodeStringToOemString(POEM_STRING DestinationString,
                                                 PCUNICODE_STRING SourceString,
                                                 BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status = RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString,
                                       RtlpUppercased);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Not terminated. Doc: ntifs/nf-ntifs-rtlunicodestringtocountedoemstring */
NTSTATUS NTAPI RtlUnicodeStringToCountedOemString(POEM_STRING DestinationString,
                                                  PCUNICODE_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status =
        RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString, RtlpCounted);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlupcaseunicodestringtocountedoemstring */
NTSTATUS NTAPI RtlUpcaseUnicodeStringToCountedOemString(POEM_STRING DestinationString,
                                                        PCUNICODE_STRING SourceString,
                                                        BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status = RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString,
                                       RtlpCounted | RtlpUppercased);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* PASSIVE_LEVEL. Freed with RtlFreeUTF8String. Doc: wdm/nf-wdm-rtlunicodestringtoutf8string */
NTSTATUS NTAPI RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString,
                                            PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    NTSTATUS Status =
        RtlpNarrowString(DestinationString, SourceString, AllocateDestinationString, RtlpPlain);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* PASSIVE_LEVEL. Bytes with terminator. Doc: wdm/nf-wdm-rtlxansistringtounicodesize */
ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    ULONG Bytes;
    RtlMultiByteToUnicodeSize(&Bytes, AnsiString->Buffer, AnsiString->Length);
    return Bytes + sizeof(WCHAR);
}

/* IRQL < DISPATCH_LEVEL. Bytes with terminator. */
ULONG NTAPI RtlxOemStringToUnicodeSize(PCOEM_STRING OemString)
{
    ULONG Bytes;
    RtlMultiByteToUnicodeSize(&Bytes, OemString->Buffer, OemString->Length);
    return Bytes + sizeof(WCHAR);
}

/* PASSIVE_LEVEL. Bytes with terminator. Doc: wdm/nf-wdm-rtlxunicodestringtoansisize */
ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return RtlpNarrowSize(UnicodeString, RtlpPlain) + 1;
}

/* IRQL < DISPATCH_LEVEL. Bytes with terminator. */
ULONG NTAPI RtlxUnicodeStringToOemSize(PCUNICODE_STRING UnicodeString)
{
    return RtlpNarrowSize(UnicodeString, RtlpPlain) + 1;
}

static VOID RtlpFreeNarrow(PSTRING String)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (!String->Buffer)
        return;
    RtlpFree(String->Buffer);
    RtlZeroMemory(String, sizeof(*String));
}

/* IRQL <= APC_LEVEL. The structure is cleared. Doc: wdm/nf-wdm-rtlfreeansistring */
VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    RtlpFreeNarrow(AnsiString);
}

/* IRQL <= APC_LEVEL. Doc: ntifs/nf-ntifs-rtlfreeoemstring */
VOID NTAPI RtlFreeOemString(POEM_STRING OemString)
{
    RtlpFreeNarrow(OemString);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-rtlfreeutf8string */
VOID NTAPI RtlFreeUTF8String(PUTF8_STRING Utf8String)
{
    RtlpFreeNarrow(Utf8String);
}
