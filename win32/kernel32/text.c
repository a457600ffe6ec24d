/* Text: code pages (the ANSI page is UTF-8, as rtl's), lstr…, letter case. */
#include "win32/kernel32/base.h"

#include <string.h>

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR, ULONG, PULONG, const char *, ULONG);
NTSTATUS NTAPI RtlUnicodeToUTF8N(char *, ULONG, PULONG, const WCHAR *, ULONG);
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR);
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR);
LONG NTAPI RtlCompareUnicodeStrings(const WCHAR *, SIZE_T, const WCHAR *, SIZE_T, BOOLEAN);
#define STATUS_SOME_NOT_MAPPED ((NTSTATUS)0x00000107)

static int bad(DWORD Error)
{
    SetLastError(Error);
    return 0;
}

static BOOL known_page(UINT Page)
{
    return Page == CP_ACP || Page == CP_OEMCP || Page == CP_UTF8 || Page == CP_THREAD_ACP ||
           Page == 1252 || Page == 437 || Page == 28591 || Page == 20127;
}

int WINAPI MultiByteToWideChar(UINT Page, DWORD Flags, LPCCH Text, int Bytes, LPWSTR Wide,
                               int Count)
{
    ULONG Needed = 0;
    NTSTATUS Status;

    if (!known_page(Page) || !Text || !Bytes || Bytes < -1 || Count < 0 ||
        (Count && (!Wide || (const char *)Wide == Text)))
        return bad(ERROR_INVALID_PARAMETER);
    if (Bytes < 0)
        Bytes = (int)strlen(Text) + 1;
    Status = RtlUTF8ToUnicodeN(NULL, 0, &Needed, Text, (ULONG)Bytes);
    if ((Flags & MB_ERR_INVALID_CHARS) && Status == STATUS_SOME_NOT_MAPPED)
        return bad(ERROR_NO_UNICODE_TRANSLATION);
    if (!Count)
        return (int)(Needed / sizeof(WCHAR));
    Status = RtlUTF8ToUnicodeN(Wide, (ULONG)Count * sizeof(WCHAR), &Needed, Text, (ULONG)Bytes);
    if ((Flags & MB_ERR_INVALID_CHARS) && Status == STATUS_SOME_NOT_MAPPED)
        return bad(ERROR_NO_UNICODE_TRANSLATION);
    return STATUS_OK(Status) ? (int)(Needed / sizeof(WCHAR)) : bad(ERROR_INSUFFICIENT_BUFFER);
}

int WINAPI WideCharToMultiByte(UINT Page, DWORD Flags, LPCWCH Wide, int Count, LPSTR Text,
                               int Bytes, LPCCH Default, LPBOOL UsedDefault)
{
    ULONG Needed = 0;
    NTSTATUS Status;

    if (!known_page(Page) || !Wide || !Count || Count < -1 || Bytes < 0 ||
        (Bytes && (!Text || (LPCWCH)(void *)Text == Wide)) ||
        (Page == CP_UTF8 && (Default || UsedDefault)))
        return bad(ERROR_INVALID_PARAMETER);
    if (Count < 0)
        Count = (int)wcslen(Wide) + 1;
    Status = RtlUnicodeToUTF8N(NULL, 0, &Needed, Wide, (ULONG)Count * sizeof(WCHAR));
    if ((Flags & WC_ERR_INVALID_CHARS) && Status == STATUS_SOME_NOT_MAPPED)
        return bad(ERROR_NO_UNICODE_TRANSLATION);
    if (Bytes) {
        Status = RtlUnicodeToUTF8N(Text, (ULONG)Bytes, &Needed, Wide, (ULONG)Count * sizeof(WCHAR));
        if ((Flags & WC_ERR_INVALID_CHARS) && Status == STATUS_SOME_NOT_MAPPED)
            return bad(ERROR_NO_UNICODE_TRANSLATION);
    }
    if (UsedDefault)
        *UsedDefault = FALSE;
    return STATUS_OK(Status) || !Bytes ? (int)Needed : bad(ERROR_INSUFFICIENT_BUFFER);
}

UINT WINAPI GetACP(void)
{
    return CP_UTF8;
}

UINT WINAPI GetOEMCP(void)
{
    return CP_UTF8;
}

int WINAPI lstrlenA(LPCSTR Text)
{
    return Text ? (int)strlen(Text) : 0;
}

int WINAPI lstrlenW(LPCWSTR Text)
{
    return Text ? (int)wcslen(Text) : 0;
}

LPSTR WINAPI lstrcpyA(LPSTR To, LPCSTR From)
{
    return To && From ? strcpy(To, From) : NULL;
}

LPWSTR WINAPI lstrcpyW(LPWSTR To, LPCWSTR From)
{
    return To && From ? wcscpy(To, From) : NULL;
}

LPSTR WINAPI lstrcpynA(LPSTR To, LPCSTR From, int Size)
{
    size_t Length;

    if (!To || !From || Size <= 0)
        return NULL;
    Length = strnlen(From, (size_t)Size - 1);
    memmove(To, From, Length);
    To[Length] = 0;
    return To;
}

LPWSTR WINAPI lstrcpynW(LPWSTR To, LPCWSTR From, int Size)
{
    size_t Length;

    if (!To || !From || Size <= 0)
        return NULL;
    Length = wcsnlen(From, (size_t)Size - 1);
    memmove(To, From, Length * sizeof(WCHAR));
    To[Length] = 0;
    return To;
}

LPSTR WINAPI lstrcatA(LPSTR To, LPCSTR From)
{
    return To && From ? strcat(To, From) : NULL;
}

LPWSTR WINAPI lstrcatW(LPWSTR To, LPCWSTR From)
{
    return To && From ? wcscat(To, From) : NULL;
}

/* NULL comes before any text. */
static int compare(LPCWSTR One, LPCWSTR Two, BOOLEAN IgnoreCase)
{
    LONG Order;

    if (!One || !Two)
        return (One != NULL) - (Two != NULL);
    Order = RtlCompareUnicodeStrings(One, wcslen(One), Two, wcslen(Two), IgnoreCase);
    return (Order > 0) - (Order < 0);
}

int WINAPI lstrcmpW(LPCWSTR One, LPCWSTR Two)
{
    return compare(One, Two, FALSE);
}

int WINAPI lstrcmpiW(LPCWSTR One, LPCWSTR Two)
{
    return compare(One, Two, TRUE);
}

int WINAPI lstrcmpA(LPCSTR One, LPCSTR Two)
{
    int Order = One && Two ? strcmp(One, Two) : (One != NULL) - (Two != NULL);

    return (Order > 0) - (Order < 0);
}

int WINAPI lstrcmpiA(LPCSTR One, LPCSTR Two)
{
    int Order = One && Two ? _stricmp(One, Two) : (One != NULL) - (Two != NULL);

    return (Order > 0) - (Order < 0);
}

/* Of user32 on Windows. Text, or one character in the low word of the pointer. */
#define IS_CHARACTER(text) ((ULONG_PTR)(text) <= 0xffff)

LPWSTR WINAPI CharUpperW(LPWSTR Text)
{
    if (IS_CHARACTER(Text))
        return (LPWSTR)(ULONG_PTR)RtlUpcaseUnicodeChar((WCHAR)(ULONG_PTR)Text);
    for (LPWSTR At = Text; *At; At++)
        *At = RtlUpcaseUnicodeChar(*At);
    return Text;
}

LPWSTR WINAPI CharLowerW(LPWSTR Text)
{
    if (IS_CHARACTER(Text))
        return (LPWSTR)(ULONG_PTR)RtlDowncaseUnicodeChar((WCHAR)(ULONG_PTR)Text);
    for (LPWSTR At = Text; *At; At++)
        *At = RtlDowncaseUnicodeChar(*At);
    return Text;
}

/* Bytes above 127 belong to longer characters of UTF-8: they stay. */
static char upper(char Byte)
{
    return Byte >= 'a' && Byte <= 'z' ? (char)(Byte - 32) : Byte;
}

static char lower(char Byte)
{
    return Byte >= 'A' && Byte <= 'Z' ? (char)(Byte + 32) : Byte;
}

LPSTR WINAPI CharUpperA(LPSTR Text)
{
    if (IS_CHARACTER(Text))
        return (LPSTR)(ULONG_PTR)(UCHAR)upper((char)(ULONG_PTR)Text);
    for (LPSTR At = Text; *At; At++)
        *At = upper(*At);
    return Text;
}

LPSTR WINAPI CharLowerA(LPSTR Text)
{
    if (IS_CHARACTER(Text))
        return (LPSTR)(ULONG_PTR)(UCHAR)lower((char)(ULONG_PTR)Text);
    for (LPSTR At = Text; *At; At++)
        *At = lower(*At);
    return Text;
}
