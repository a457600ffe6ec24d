// mingw's safe string functions are "extern inline": each source file that includes them would
// define them again. Weak and hidden, one copy stays in each driver.
#pragma once
#include <nt_crt.h>
#define __inline __attribute__((__weak__, __visibility__("hidden")))
#include_next <ntstrsafe.h>
#undef __inline
#ifndef NTSTRSAFE_UNICODE_STRING_MAX_CCH
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(wchar_t))
#endif

#ifdef NT_INCLUDED // kernel headers: UNICODE_STRING is known
// Strings with a length. What does not fit is cut off and the status is STATUS_BUFFER_OVERFLOW.
static inline NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING String)
{
    if (String == NULL)
        return STATUS_SUCCESS;
    if (String->Length % sizeof(WCHAR) != 0 || String->MaximumLength % sizeof(WCHAR) != 0 ||
        String->Length > String->MaximumLength ||
        (String->Buffer == NULL && String->MaximumLength != 0))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static inline NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING String, PCWSTR Source)
{
    size_t Length = Source == NULL ? 0 : wcslen(Source);

    RtlZeroMemory(String, sizeof(*String));
    if (Length > NTSTRSAFE_UNICODE_STRING_MAX_CCH)
        return STATUS_INVALID_PARAMETER;
    if (Source != NULL) {
        String->Buffer = (PWCH)Source;
        String->Length = (USHORT)(Length * sizeof(WCHAR));
        String->MaximumLength = (USHORT)(Length < NTSTRSAFE_UNICODE_STRING_MAX_CCH
                                             ? (Length + 1) * sizeof(WCHAR)
                                             : Length * sizeof(WCHAR));
    }
    return STATUS_SUCCESS;
}

static inline NTSTATUS NtStringAppend(PUNICODE_STRING To, USHORT At, const WCHAR *From,
                                      size_t Bytes)
{
    NTSTATUS Status = RtlUnicodeStringValidate(To);
    size_t Room;

    if (!NT_SUCCESS(Status))
        return Status;
    Room = (size_t)(To->MaximumLength - At);
    if (Bytes > Room)
        Status = STATUS_BUFFER_OVERFLOW;
    if (Bytes > Room)
        Bytes = Room;
    memmove((PUCHAR)To->Buffer + At, From, Bytes);
    To->Length = (USHORT)(At + Bytes);
    return Status;
}

static inline NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return NtStringAppend(Destination, 0, Source->Buffer, Source->Length);
}
static inline NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING Destination, PCWSTR Source)
{
    return NtStringAppend(Destination, 0, Source, wcslen(Source) * sizeof(WCHAR));
}
static inline NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return NtStringAppend(Destination, Destination->Length, Source->Buffer, Source->Length);
}
static inline NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING Destination, PCWSTR Source)
{
    return NtStringAppend(Destination, Destination->Length, Source,
                          wcslen(Source) * sizeof(WCHAR));
}

static inline NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING Destination, PCWSTR Format,
                                               va_list Arguments)
{
    NTSTATUS Status = RtlUnicodeStringValidate(Destination);
    int Room, Written;

    if (!NT_SUCCESS(Status))
        return Status;
    Room = Destination->MaximumLength / (int)sizeof(WCHAR);
    Written = _vsnwprintf(Destination->Buffer, (size_t)Room, Format, Arguments);
    if (Written < 0 || Written > Room) {
        Written = Room;
        Status = STATUS_BUFFER_OVERFLOW;
    }
    Destination->Length = (USHORT)(Written * (int)sizeof(WCHAR));
    return Status;
}

static inline NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING Destination, PCWSTR Format, ...)
{
    va_list Arguments;
    NTSTATUS Status;

    va_start(Arguments, Format);
    Status = RtlUnicodeStringVPrintf(Destination, Format, Arguments);
    va_end(Arguments);
    return Status;
}
#endif
