/* UNICODE_STRINGs whose buffers rtl allocates: duplicates and changed case. */
#include "rtlp.h"

#include <string.h>

/*
 * PASSIVE_LEVEL. Allocates and copies; FALSE without memory. The caller frees with
 * RtlFreeUnicodeString. Doc: ntifs/nf-ntifs-rtlcreateunicodestring
 */
BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    UNICODE_STRING Source;
    if (!NT_SUCCESS(RtlInitUnicodeStringEx(&Source, SourceString)))
        return FALSE;
    return NT_SUCCESS(
        RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE |
                                      RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING,
                                  &Source, DestinationString));
}

/* IRQL <= APC_LEVEL. The structure is cleared. Doc: wdm/nf-wdm-rtlfreeunicodestring */
VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    if (!UnicodeString->Buffer)
        return;
    RtlpFree(UnicodeString->Buffer);
    RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
}

/*
 * PASSIVE_LEVEL. Flags are RTL_DUPLICATE_UNICODE_STRING_*: add a terminator, and allocate even for
 * an empty string. Errors: STATUS_INVALID_PARAMETER, STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY.
 */
NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString,
                                         PUNICODE_STRING DestinationString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    BOOLEAN Terminate = (Flags & RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE) != 0;
    BOOLEAN Always = (Flags & RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING) != 0;
    USHORT Length = SourceString ? SourceString->Length : 0;
    if (Flags & ~3u || (Always && !Terminate) || !DestinationString ||
        !NT_SUCCESS(RtlValidateUnicodeString(0, SourceString)))
        return STATUS_INVALID_PARAMETER;
    if (!Length && !Always) {
        RtlZeroMemory(DestinationString, sizeof(*DestinationString));
        return STATUS_SUCCESS;
    }
    ULONG Bytes = Length + (Terminate ? sizeof(WCHAR) : 0);
    if (Bytes > MAXUSHORT - 1)
        return STATUS_NAME_TOO_LONG;
    PWCHAR Buffer = RtlpAllocate(Bytes);
    if (!Buffer)
        return STATUS_NO_MEMORY;
    if (Length)
        memcpy(Buffer, SourceString->Buffer, Length);
    if (Terminate)
        Buffer[Length / sizeof(WCHAR)] = 0;
    RTLP_GIVE_TO_CALLER(Buffer);
    *DestinationString = (UNICODE_STRING){Length, (USHORT)Bytes, Buffer};
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpChangeCase(PUNICODE_STRING Destination, PCUNICODE_STRING Source,
                               BOOLEAN Allocate, WCHAR (*Map)(WCHAR))
{
    if (Allocate) {
        Destination->Buffer = Source->Length ? RtlpAllocate(Source->Length) : NULL;
        if (Source->Length && !Destination->Buffer)
            return STATUS_NO_MEMORY;
        Destination->MaximumLength = Source->Length;
    } else if (Destination->MaximumLength < Source->Length) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (USHORT i = 0; i < Source->Length / sizeof(WCHAR); i++)
        Destination->Buffer[i] = Map(Source->Buffer[i]);
    Destination->Length = Source->Length;
    return STATUS_SUCCESS;
}

/*
 * IRQL <= APC_LEVEL. STATUS_BUFFER_OVERFLOW when the caller's buffer is short, STATUS_NO_MEMORY.
 * The caller frees an allocated string. Doc: ntddk/nf-ntddk-rtlupcaseunicodestring
 */
NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
                                      PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status =
        RtlpChangeCase(DestinationString, SourceString, AllocateDestinationString, RtlpUpcase);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(DestinationString->Buffer);
    return Status;
}

/* IRQL <= APC_LEVEL. As RtlUpcaseUnicodeString. Doc: ntifs/nf-ntifs-rtldowncaseunicodestring */
NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING UniDest, PCUNICODE_STRING UniSource,
                                        BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status = RtlpChangeCase(UniDest, UniSource, AllocateDestinationString, RtlpDowncase);
    if (AllocateDestinationString && NT_SUCCESS(Status))
        RTLP_GIVE_TO_CALLER(UniDest->Buffer);
    return Status;
}
