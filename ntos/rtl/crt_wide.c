/* Wide strings of the C run-time: libc's have a wchar_t of four bytes. */
#include "rtlp.h"

#include <nt_crt.h>
#include <string.h>

size_t wcslen(const wchar_t *String)
{
    size_t Count = 0;
    while (String[Count])
        Count++;
    return Count;
}

size_t wcsnlen(const wchar_t *String, size_t Maximum)
{
    size_t Count = 0;
    while (Count < Maximum && String[Count])
        Count++;
    return Count;
}

wchar_t *wcscpy(wchar_t *To, const wchar_t *From)
{
    return memcpy(To, From, (wcslen(From) + 1) * sizeof(wchar_t));
}

wchar_t *wcsncpy(wchar_t *To, const wchar_t *From, size_t Count)
{
    size_t Length = wcsnlen(From, Count);
    memcpy(To, From, Length * sizeof(wchar_t));
    memset(To + Length, 0, (Count - Length) * sizeof(wchar_t));
    return To;
}

wchar_t *wcscat(wchar_t *To, const wchar_t *From)
{
    wcscpy(To + wcslen(To), From);
    return To;
}

wchar_t *wcsncat(wchar_t *To, const wchar_t *From, size_t Count)
{
    size_t Length = wcsnlen(From, Count);
    wchar_t *End = To + wcslen(To);
    memcpy(End, From, Length * sizeof(wchar_t));
    End[Length] = 0;
    return To;
}

static int CrtCompare(const wchar_t *A, const wchar_t *B, size_t Count, BOOLEAN Fold)
{
    for (; Count; A++, B++, Count--) {
        wchar_t First = Fold ? RtlpDowncase(*A) : *A;
        wchar_t Second = Fold ? RtlpDowncase(*B) : *B;
        if (First != Second)
            return First < Second ? -1 : 1;
        if (!First)
            break;
    }
    return 0;
}

int wcscmp(const wchar_t *A, const wchar_t *B)
{
    return CrtCompare(A, B, MAXSIZE_T, FALSE);
}

int wcsncmp(const wchar_t *A, const wchar_t *B, size_t Count)
{
    return CrtCompare(A, B, Count, FALSE);
}

int _wcsicmp(const wchar_t *A, const wchar_t *B)
{
    return CrtCompare(A, B, MAXSIZE_T, TRUE);
}

int _wcsnicmp(const wchar_t *A, const wchar_t *B, size_t Count)
{
    return CrtCompare(A, B, Count, TRUE);
}

wchar_t *wcschr(const wchar_t *String, wchar_t Wanted)
{
    for (;; String++) {
        if (*String == Wanted)
            return (wchar_t *)String;
        if (!*String)
            return NULL;
    }
}

wchar_t *wcsrchr(const wchar_t *String, wchar_t Wanted)
{
    for (size_t i = wcslen(String) + 1; i-- > 0;)
        if (String[i] == Wanted)
            return (wchar_t *)String + i;
    return NULL;
}

wchar_t *wcsstr(const wchar_t *String, const wchar_t *Wanted)
{
    size_t Length = wcslen(Wanted);
    for (;; String++) {
        if (!wcsncmp(String, Wanted, Length))
            return (wchar_t *)String;
        if (!*String)
            return NULL;
    }
}

static size_t CrtSpan(const wchar_t *String, const wchar_t *Set, BOOLEAN While)
{
    size_t Count = 0;
    while (String[Count] && (wcschr(Set, String[Count]) != NULL) == While)
        Count++;
    return Count;
}

size_t wcsspn(const wchar_t *String, const wchar_t *Set)
{
    return CrtSpan(String, Set, TRUE);
}

size_t wcscspn(const wchar_t *String, const wchar_t *Set)
{
    return CrtSpan(String, Set, FALSE);
}

wchar_t *wcspbrk(const wchar_t *String, const wchar_t *Set)
{
    String += wcscspn(String, Set);
    return *String ? (wchar_t *)String : NULL;
}

wchar_t *wcstok_s(wchar_t *String, const wchar_t *Set, wchar_t **Context)
{
    wchar_t *Token = String ? String : *Context;
    Token += wcsspn(Token, Set);
    if (!*Token) {
        *Context = Token;
        return NULL;
    }
    wchar_t *End = Token + wcscspn(Token, Set);
    *Context = *End ? End + 1 : End;
    *End = 0;
    return Token;
}

wchar_t *_wcslwr(wchar_t *String)
{
    for (wchar_t *Unit = String; *Unit; Unit++)
        *Unit = RtlpDowncase(*Unit);
    return String;
}

wchar_t *_wcsupr(wchar_t *String)
{
    for (wchar_t *Unit = String; *Unit; Unit++)
        *Unit = RtlpUpcase(*Unit);
    return String;
}

wchar_t *_wcsrev(wchar_t *String)
{
    for (size_t Low = 0, High = wcslen(String); Low + 1 < High; Low++) {
        wchar_t Unit = String[Low];
        String[Low] = String[--High];
        String[High] = Unit;
    }
    return String;
}

wchar_t *_wcsnset(wchar_t *String, wchar_t Value, size_t Count)
{
    for (size_t i = 0; i < Count && String[i]; i++)
        String[i] = Value;
    return String;
}

wchar_t *wmemcpy(wchar_t *To, const wchar_t *From, size_t Count)
{
    return memcpy(To, From, Count * sizeof(wchar_t));
}

wchar_t *wmemmove(wchar_t *To, const wchar_t *From, size_t Count)
{
    return memmove(To, From, Count * sizeof(wchar_t));
}

wchar_t *wmemset(wchar_t *To, wchar_t Value, size_t Count)
{
    for (size_t i = 0; i < Count; i++)
        To[i] = Value;
    return To;
}

int wmemcmp(const wchar_t *A, const wchar_t *B, size_t Count)
{
    for (size_t i = 0; i < Count; i++)
        if (A[i] != B[i])
            return A[i] < B[i] ? -1 : 1;
    return 0;
}
