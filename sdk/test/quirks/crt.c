// The C run-time library of drivers: 16-bit characters, Microsoft's formats, no need of <wchar.h>.
#include <ntddk.h>
#include <stdio.h>
#include <stdlib.h>
#include <ntstrsafe.h>
#include <ntintsafe.h>

_Static_assert(sizeof(L"abc") == 8, "");

NTSTATUS Crt(PUNICODE_STRING Name, ULONG Value)
{
    WCHAR Wide[64];
    CHAR Narrow[64];
    ULONG Sum;

    wcscpy(Wide, L"\\Device\\");
    wcsncat(Wide, Name->Buffer, 8);
    swprintf(Wide, L"%ws %I64x", L"x", 5I64);
    _snwprintf(Wide, RTL_NUMBER_OF(Wide), L"%s", Name->Buffer);
    sprintf(Narrow, "%wZ %p %lu", Name, Name, Value);
    _snprintf(Narrow, sizeof(Narrow), "%S", Wide);
    if (RtlUnicodeStringPrintf(Name, L"%d", 1) == STATUS_BUFFER_OVERFLOW ||
        !NT_SUCCESS(RtlUnicodeStringCatString(Name, L"x")))
        return STATUS_BUFFER_TOO_SMALL;
    if (_stricmp(Narrow, "a") == 0 || _wcsicmp(Wide, L"a") == 0 || towupper(Wide[0]) == L'A')
        return RtlStringCchPrintfW(Wide, RTL_NUMBER_OF(Wide), L"%d", atoi(Narrow));
    return RtlULongAdd(Value, 1, &Sum);
}
