// The C run-time routines that must not bind to libc: the wide ones (libc's wchar_t has four bytes)
// and the formatting ones (Microsoft's formats). A routine NAME declared here has the symbol
// nt_NAME; libntoskrnl and libntdll define them.
//
// The underscored names are Microsoft's and are always declared. The standard names of the narrow
// formatters (sprintf, vsprintf ...) are taken over only in a driver (USERNT_DRIVER): elsewhere
// they are libc's.
#pragma once
#include <stdarg.h>
#include <stddef.h>

#define NT_CRT(name) __asm__("nt_" #name)

typedef unsigned short wint_t;
typedef unsigned short wctype_t;
#ifndef _ERRCODE_DEFINED
#define _ERRCODE_DEFINED
typedef int errno_t;
#endif
#ifndef WEOF
#define WEOF ((wint_t)0xFFFF)
#endif
#ifndef _TRUNCATE
#define _TRUNCATE ((size_t)-1)
#endif
#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Wide strings
size_t wcslen(const wchar_t *) NT_CRT(wcslen);
size_t wcsnlen(const wchar_t *, size_t) NT_CRT(wcsnlen);
wchar_t *wcscpy(wchar_t *, const wchar_t *) NT_CRT(wcscpy);
wchar_t *wcsncpy(wchar_t *, const wchar_t *, size_t) NT_CRT(wcsncpy);
wchar_t *wcscat(wchar_t *, const wchar_t *) NT_CRT(wcscat);
wchar_t *wcsncat(wchar_t *, const wchar_t *, size_t) NT_CRT(wcsncat);
int wcscmp(const wchar_t *, const wchar_t *) NT_CRT(wcscmp);
int wcsncmp(const wchar_t *, const wchar_t *, size_t) NT_CRT(wcsncmp);
int _wcsicmp(const wchar_t *, const wchar_t *) NT_CRT(_wcsicmp);
int _wcsnicmp(const wchar_t *, const wchar_t *, size_t) NT_CRT(_wcsnicmp);
wchar_t *wcschr(const wchar_t *, wchar_t) NT_CRT(wcschr);
wchar_t *wcsrchr(const wchar_t *, wchar_t) NT_CRT(wcsrchr);
wchar_t *wcsstr(const wchar_t *, const wchar_t *) NT_CRT(wcsstr);
wchar_t *wcspbrk(const wchar_t *, const wchar_t *) NT_CRT(wcspbrk);
size_t wcsspn(const wchar_t *, const wchar_t *) NT_CRT(wcsspn);
size_t wcscspn(const wchar_t *, const wchar_t *) NT_CRT(wcscspn);
wchar_t *wcstok_s(wchar_t *, const wchar_t *, wchar_t **) NT_CRT(wcstok_s);
wchar_t *_wcslwr(wchar_t *) NT_CRT(_wcslwr);
wchar_t *_wcsupr(wchar_t *) NT_CRT(_wcsupr);
wchar_t *_wcsrev(wchar_t *) NT_CRT(_wcsrev);
wchar_t *_wcsnset(wchar_t *, wchar_t, size_t) NT_CRT(_wcsnset);
wchar_t *_wcsdup(const wchar_t *) NT_CRT(_wcsdup);
errno_t wcscpy_s(wchar_t *, size_t, const wchar_t *) NT_CRT(wcscpy_s);
errno_t wcsncpy_s(wchar_t *, size_t, const wchar_t *, size_t) NT_CRT(wcsncpy_s);
errno_t wcscat_s(wchar_t *, size_t, const wchar_t *) NT_CRT(wcscat_s);
errno_t wcsncat_s(wchar_t *, size_t, const wchar_t *, size_t) NT_CRT(wcsncat_s);
errno_t _wcslwr_s(wchar_t *, size_t) NT_CRT(_wcslwr_s);
errno_t _wcsupr_s(wchar_t *, size_t) NT_CRT(_wcsupr_s);
wchar_t *wmemcpy(wchar_t *, const wchar_t *, size_t) NT_CRT(wmemcpy);
wchar_t *wmemmove(wchar_t *, const wchar_t *, size_t) NT_CRT(wmemmove);
wchar_t *wmemset(wchar_t *, wchar_t, size_t) NT_CRT(wmemset);
int wmemcmp(const wchar_t *, const wchar_t *, size_t) NT_CRT(wmemcmp);

// Wide characters
wint_t towupper(wint_t) NT_CRT(towupper);
wint_t towlower(wint_t) NT_CRT(towlower);
int iswalpha(wint_t) NT_CRT(iswalpha);
int iswdigit(wint_t) NT_CRT(iswdigit);
int iswxdigit(wint_t) NT_CRT(iswxdigit);
int iswalnum(wint_t) NT_CRT(iswalnum);
int iswspace(wint_t) NT_CRT(iswspace);
int iswupper(wint_t) NT_CRT(iswupper);
int iswlower(wint_t) NT_CRT(iswlower);
int iswprint(wint_t) NT_CRT(iswprint);
int iswpunct(wint_t) NT_CRT(iswpunct);
int iswcntrl(wint_t) NT_CRT(iswcntrl);

// Wide numbers and conversions; long has 32 bits on Windows
int wcstol(const wchar_t *, wchar_t **, int) NT_CRT(wcstol);
unsigned wcstoul(const wchar_t *, wchar_t **, int) NT_CRT(wcstoul);
long long _wcstoi64(const wchar_t *, wchar_t **, int) NT_CRT(_wcstoi64);
unsigned long long _wcstoui64(const wchar_t *, wchar_t **, int) NT_CRT(_wcstoui64);
int _wtoi(const wchar_t *) NT_CRT(_wtoi);
int _wtol(const wchar_t *) NT_CRT(_wtol);
long long _wtoi64(const wchar_t *) NT_CRT(_wtoi64);
wchar_t *_itow(int, wchar_t *, int) NT_CRT(_itow);
wchar_t *_ultow(unsigned, wchar_t *, int) NT_CRT(_ultow);
wchar_t *_ui64tow(unsigned long long, wchar_t *, int) NT_CRT(_ui64tow);
errno_t _itow_s(int, wchar_t *, size_t, int) NT_CRT(_itow_s);
errno_t _ultow_s(unsigned, wchar_t *, size_t, int) NT_CRT(_ultow_s);
size_t mbstowcs(wchar_t *, const char *, size_t) NT_CRT(mbstowcs);
size_t wcstombs(char *, const wchar_t *, size_t) NT_CRT(wcstombs);
int mbtowc(wchar_t *, const char *, size_t) NT_CRT(mbtowc);
int wctomb(char *, wchar_t) NT_CRT(wctomb);

// Wide formatting. A driver's swprintf takes no size, as ntoskrnl's; a client's does, as the C
// standard has it.
#ifdef USERNT_CLIENT
int swprintf(wchar_t *, size_t, const wchar_t *, ...) NT_CRT(swprintf_c);
int vswprintf(wchar_t *, size_t, const wchar_t *, va_list) NT_CRT(vswprintf_c);
int wprintf(const wchar_t *, ...) NT_CRT(wprintf);
int vwprintf(const wchar_t *, va_list) NT_CRT(vwprintf);
#else
int swprintf(wchar_t *, const wchar_t *, ...) NT_CRT(swprintf);
int vswprintf(wchar_t *, const wchar_t *, va_list) NT_CRT(vswprintf);
#endif
int _swprintf(wchar_t *, const wchar_t *, ...) NT_CRT(swprintf);
int _vswprintf(wchar_t *, const wchar_t *, va_list) NT_CRT(vswprintf);
int swprintf_s(wchar_t *, size_t, const wchar_t *, ...) NT_CRT(swprintf_s);
int vswprintf_s(wchar_t *, size_t, const wchar_t *, va_list) NT_CRT(vswprintf_s);
int _snwprintf(wchar_t *, size_t, const wchar_t *, ...) NT_CRT(_snwprintf);
int _vsnwprintf(wchar_t *, size_t, const wchar_t *, va_list) NT_CRT(_vsnwprintf);
int _snwprintf_s(wchar_t *, size_t, size_t, const wchar_t *, ...) NT_CRT(_snwprintf_s);
int _vsnwprintf_s(wchar_t *, size_t, size_t, const wchar_t *, va_list) NT_CRT(_vsnwprintf_s);
int _scwprintf(const wchar_t *, ...) NT_CRT(_scwprintf);
int _vscwprintf(const wchar_t *, va_list) NT_CRT(_vscwprintf);
int swscanf_s(const wchar_t *, const wchar_t *, ...) NT_CRT(swscanf_s);

// Narrow strings and formatting of Microsoft's
int _stricmp(const char *, const char *) NT_CRT(_stricmp);
int _strnicmp(const char *, const char *, size_t) NT_CRT(_strnicmp);
int stricmp(const char *, const char *) NT_CRT(_stricmp);
int strnicmp(const char *, const char *, size_t) NT_CRT(_strnicmp);
int _strcmpi(const char *, const char *) NT_CRT(_stricmp);
char *_strlwr(char *) NT_CRT(_strlwr);
char *_strupr(char *) NT_CRT(_strupr);
char *_strrev(char *) NT_CRT(_strrev);
char *_strset(char *, int) NT_CRT(_strset);
char *_strnset(char *, int, size_t) NT_CRT(_strnset);
char *_strdup(const char *) NT_CRT(_strdup);
errno_t strcpy_s(char *, size_t, const char *) NT_CRT(strcpy_s);
errno_t strncpy_s(char *, size_t, const char *, size_t) NT_CRT(strncpy_s);
errno_t strcat_s(char *, size_t, const char *) NT_CRT(strcat_s);
errno_t strncat_s(char *, size_t, const char *, size_t) NT_CRT(strncat_s);
char *strtok_s(char *, const char *, char **) NT_CRT(strtok_s);
errno_t memcpy_s(void *, size_t, const void *, size_t) NT_CRT(memcpy_s);
errno_t memmove_s(void *, size_t, const void *, size_t) NT_CRT(memmove_s);
char *_itoa(int, char *, int) NT_CRT(_itoa);
char *_ltoa(int, char *, int) NT_CRT(_itoa);
char *_ultoa(unsigned, char *, int) NT_CRT(_ultoa);
char *_i64toa(long long, char *, int) NT_CRT(_i64toa);
char *_ui64toa(unsigned long long, char *, int) NT_CRT(_ui64toa);
errno_t _itoa_s(int, char *, size_t, int) NT_CRT(_itoa_s);
errno_t _ultoa_s(unsigned, char *, size_t, int) NT_CRT(_ultoa_s);
long long _strtoi64(const char *, char **, int) NT_CRT(_strtoi64);
unsigned long long _strtoui64(const char *, char **, int) NT_CRT(_strtoui64);
long long _atoi64(const char *) NT_CRT(_atoi64);
int _snprintf(char *, size_t, const char *, ...) NT_CRT(_snprintf);
int _vsnprintf(char *, size_t, const char *, va_list) NT_CRT(_vsnprintf);
int _snprintf_s(char *, size_t, size_t, const char *, ...) NT_CRT(_snprintf_s);
int _vsnprintf_s(char *, size_t, size_t, const char *, va_list) NT_CRT(_vsnprintf_s);
int sprintf_s(char *, size_t, const char *, ...) NT_CRT(sprintf_s);
int vsprintf_s(char *, size_t, const char *, va_list) NT_CRT(vsprintf_s);
int _scprintf(const char *, ...) NT_CRT(_scprintf);
int _vscprintf(const char *, va_list) NT_CRT(_vscprintf);
int sscanf_s(const char *, const char *, ...) NT_CRT(sscanf_s);

#ifdef USERNT_DRIVER
int sprintf(char *, const char *, ...) NT_CRT(sprintf);
int vsprintf(char *, const char *, va_list) NT_CRT(vsprintf);
int snprintf(char *, size_t, const char *, ...) NT_CRT(snprintf);
int vsnprintf(char *, size_t, const char *, va_list) NT_CRT(vsnprintf);
#endif

#ifdef __cplusplus
}
#endif
