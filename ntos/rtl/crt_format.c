/*
 * The formatting routines of Microsoft's C run-time. Their ways at the end of the buffer differ, so
 * they are spelled out here once: `Finish...` has the result and the terminator of each family.
 */
#define USERNT_DRIVER
#include "rtl.h"

#include <limits.h>
#include <nt_crt.h>
#include <stdint.h>

/* The forms for clients, which take a size. */
int nt_swprintf_c(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...);
int nt_vswprintf_c(wchar_t *Buffer, size_t Count, const wchar_t *Format, va_list List);

static LONG64 CrtNarrow(char *Buffer, size_t Capacity, const char *Format, va_list List)
{
    RTLP_ARGUMENTS Arguments;
    RtlpArgumentsFromVaList(&Arguments, List);
    LONG64 Length = RtlpFormatNarrow(Buffer, Capacity, Format, &Arguments);
    RtlpEndArguments(&Arguments);
    return Length;
}

static LONG64 CrtWide(wchar_t *Buffer, size_t Capacity, const wchar_t *Format, va_list List)
{
    RTLP_ARGUMENTS Arguments;
    RtlpArgumentsFromVaList(&Arguments, List);
    LONG64 Length = RtlpFormatWide(Buffer, Capacity, Format, &Arguments);
    RtlpEndArguments(&Arguments);
    return Length;
}

static int CrtLength(LONG64 Length)
{
    return Length < 0 || Length > INT_MAX ? -1 : (int)Length;
}

/* _snprintf: no terminator when the text fills the buffer, -1 when it does not fit. */
int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list List)
{
    LONG64 Length = CrtNarrow(Buffer, Count, Format, List);
    if (Length < 0 || (!Buffer && !Count))
        return CrtLength(Length);
    if ((size_t)Length < Count)
        Buffer[Length] = 0;
    return (size_t)Length <= Count ? CrtLength(Length) : -1;
}

int _vsnwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, va_list List)
{
    LONG64 Length = CrtWide(Buffer, Count, Format, List);
    if (Length < 0 || (!Buffer && !Count))
        return CrtLength(Length);
    if ((size_t)Length < Count)
        Buffer[Length] = 0;
    return (size_t)Length <= Count ? CrtLength(Length) : -1;
}

/* The standard's: always terminated, the length of the whole text. */
int vsnprintf(char *Buffer, size_t Count, const char *Format, va_list List)
{
    LONG64 Length = CrtNarrow(Buffer, Count ? Count - 1 : 0, Format, List);
    if (Count)
        Buffer[Length < 0 ? 0 : min((size_t)Length, Count - 1)] = 0;
    return CrtLength(Length);
}

/* A client's swprintf: always terminated, -1 when the text does not fit. */
int nt_vswprintf_c(wchar_t *Buffer, size_t Count, const wchar_t *Format, va_list List)
{
    LONG64 Length = CrtWide(Buffer, Count ? Count - 1 : 0, Format, List);
    if (Count)
        Buffer[Length < 0 ? 0 : min((size_t)Length, Count - 1)] = 0;
    return Length < 0 || (size_t)Length >= Count ? -1 : CrtLength(Length);
}

/* No size at all: the caller answers for the room. */
int vsprintf(char *Buffer, const char *Format, va_list List)
{
    return _vsnprintf(Buffer, SIZE_MAX, Format, List);
}

int vswprintf(wchar_t *Buffer, const wchar_t *Format, va_list List)
{
    return _vsnwprintf(Buffer, SIZE_MAX, Format, List);
}

/*
 * The secure forms: terminated always. Count (or _TRUNCATE) is where cutting is wanted; text that
 * is cut there gives -1, and text that then still does not fit leaves an empty string and -1.
 */
int _vsnprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, va_list List)
{
    if (!Buffer || !Size)
        return -1;
    size_t Capacity = min(Count, Size - 1);
    LONG64 Length = CrtNarrow(Buffer, Capacity, Format, List);
    BOOLEAN Cut = Length < 0 || (size_t)Length > Capacity;
    BOOLEAN Wanted = Count == _TRUNCATE || Count < Size;
    Buffer[!Cut ? (size_t)Length : Wanted && Length >= 0 ? Capacity : 0] = 0;
    return Cut ? -1 : CrtLength(Length);
}

int _vsnwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, va_list List)
{
    if (!Buffer || !Size)
        return -1;
    size_t Capacity = min(Count, Size - 1);
    LONG64 Length = CrtWide(Buffer, Capacity, Format, List);
    BOOLEAN Cut = Length < 0 || (size_t)Length > Capacity;
    BOOLEAN Wanted = Count == _TRUNCATE || Count < Size;
    Buffer[!Cut ? (size_t)Length : Wanted && Length >= 0 ? Capacity : 0] = 0;
    return Cut ? -1 : CrtLength(Length);
}

/* An empty string and -1 when the text does not fit. */
int vsprintf_s(char *Buffer, size_t Size, const char *Format, va_list List)
{
    return _vsnprintf_s(Buffer, Size, Size, Format, List);
}

int vswprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, va_list List)
{
    return _vsnwprintf_s(Buffer, Size, Size, Format, List);
}

int _vscprintf(const char *Format, va_list List)
{
    return CrtLength(CrtNarrow(NULL, 0, Format, List));
}

int _vscwprintf(const wchar_t *Format, va_list List)
{
    return CrtLength(CrtWide(NULL, 0, Format, List));
}

/* The same with the arguments in the call. */
#define CRT_FORWARD(Call)                                                                          \
    va_list List;                                                                                  \
    va_start(List, Format);                                                                        \
    int Result = Call;                                                                             \
    va_end(List);                                                                                  \
    return Result

int sprintf(char *Buffer, const char *Format, ...)
{
    CRT_FORWARD(vsprintf(Buffer, Format, List));
}

int snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    CRT_FORWARD(vsnprintf(Buffer, Count, Format, List));
}

int _snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    CRT_FORWARD(_vsnprintf(Buffer, Count, Format, List));
}

int sprintf_s(char *Buffer, size_t Size, const char *Format, ...)
{
    CRT_FORWARD(vsprintf_s(Buffer, Size, Format, List));
}

int _snprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, ...)
{
    CRT_FORWARD(_vsnprintf_s(Buffer, Size, Count, Format, List));
}

int _scprintf(const char *Format, ...)
{
    CRT_FORWARD(_vscprintf(Format, List));
}

int swprintf(wchar_t *Buffer, const wchar_t *Format, ...)
{
    CRT_FORWARD(vswprintf(Buffer, Format, List));
}

int nt_swprintf_c(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...)
{
    CRT_FORWARD(nt_vswprintf_c(Buffer, Count, Format, List));
}

int _snwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...)
{
    CRT_FORWARD(_vsnwprintf(Buffer, Count, Format, List));
}

int swprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, ...)
{
    CRT_FORWARD(vswprintf_s(Buffer, Size, Format, List));
}

int _snwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, ...)
{
    CRT_FORWARD(_vsnwprintf_s(Buffer, Size, Count, Format, List));
}

int _scwprintf(const wchar_t *Format, ...)
{
    CRT_FORWARD(_vscwprintf(Format, List));
}
