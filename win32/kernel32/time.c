/* Time, read from KUSER_SHARED_DATA as on Windows: no system call. */
#include "win32/kernel32/base.h"

#define SHARED ((const volatile unsigned char *)0x7FFE0000)
#define TICKS_PER_SECOND 10000000

struct system_time {
    ULONG Low;
    LONG High1, High2;
};

/* The writer stores High2, Low, High1 in this order. The page is there once the process is
 * connected. */
static LONGLONG shared_time(size_t Offset)
{
    const volatile struct system_time *Time = (const volatile void *)(SHARED + Offset);
    LONG High;
    ULONG Low;

    do {
        High = __atomic_load_n(&Time->High1, __ATOMIC_ACQUIRE);
        Low = __atomic_load_n(&Time->Low, __ATOMIC_ACQUIRE);
    } while (High != Time->High2);
    return (LONGLONG)(((ULONGLONG)(ULONG)High << 32) | Low);
}

static BOOL connect(void)
{
    LARGE_INTEGER Time;

    return STATUS_OK(NtQuerySystemTime(&Time));
}

void WINAPI GetSystemTimeAsFileTime(LPFILETIME Time)
{
    static _Atomic int Connected;
    LONGLONG Now = 0;

    if (Connected || (Connected = connect()))
        Now = shared_time(0x14);
    Time->dwLowDateTime = (DWORD)Now;
    Time->dwHighDateTime = (DWORD)(Now >> 32);
}

static LONGLONG bias(void)
{
    FILETIME Time;

    GetSystemTimeAsFileTime(&Time); /* connects */
    return Time.dwHighDateTime ? shared_time(0x20) : 0;
}

static LONGLONG quad(const FILETIME *Time)
{
    return (LONGLONG)((ULONGLONG)Time->dwHighDateTime << 32 | Time->dwLowDateTime);
}

static void unquad(LONGLONG Value, LPFILETIME Time)
{
    Time->dwLowDateTime = (DWORD)Value;
    Time->dwHighDateTime = (DWORD)(Value >> 32);
}

BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *Time, LPFILETIME Local)
{
    unquad(quad(Time) - bias(), Local);
    return TRUE;
}

BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *Local, LPFILETIME Time)
{
    unquad(quad(Local) + bias(), Time);
    return TRUE;
}

/* Days since 1601-01-01 to a civil date: eras of 400 years that begin on 1 March. */
static void civil(LONGLONG Days, LPSYSTEMTIME Out)
{
    LONGLONG Shifted = Days + 306; /* days since 1600-03-01 */
    LONGLONG Era = Shifted / 146097, Day = Shifted % 146097;
    LONGLONG Year = (Day - Day / 1460 + Day / 36524 - Day / 146096) / 365;
    LONGLONG InYear = Day - (365 * Year + Year / 4 - Year / 100);
    LONGLONG Month = (5 * InYear + 2) / 153;

    Out->wDay = (WORD)(InYear - (153 * Month + 2) / 5 + 1);
    Out->wMonth = (WORD)(Month < 10 ? Month + 3 : Month - 9);
    Out->wYear = (WORD)(Year + Era * 400 + 1600 + (Out->wMonth <= 2));
    Out->wDayOfWeek = (WORD)((Days + 1) % 7);
}

BOOL WINAPI FileTimeToSystemTime(const FILETIME *Time, LPSYSTEMTIME Out)
{
    LONGLONG Value = quad(Time);
    LONGLONG Milliseconds = Value / 10000 % 86400000;

    if (Value < 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    civil(Value / TICKS_PER_SECOND / 86400, Out);
    Out->wHour = (WORD)(Milliseconds / 3600000);
    Out->wMinute = (WORD)(Milliseconds / 60000 % 60);
    Out->wSecond = (WORD)(Milliseconds / 1000 % 60);
    Out->wMilliseconds = (WORD)(Milliseconds % 1000);
    return TRUE;
}

BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *Time, LPFILETIME Out)
{
    LONGLONG Month = Time->wMonth > 2 ? Time->wMonth - 3 : Time->wMonth + 9;
    LONGLONG Year = Time->wYear - (Time->wMonth <= 2) - 1600;
    LONGLONG Days = 365 * Year + Year / 4 - Year / 100 + Year / 400 + (153 * Month + 2) / 5 +
                    Time->wDay - 1 - 306;
    SYSTEMTIME Back;

    if (Time->wYear < 1601 || Time->wMonth < 1 || Time->wMonth > 12 || Time->wHour > 23 ||
        Time->wMinute > 59 || Time->wSecond > 59 || Time->wMilliseconds > 999)
        goto invalid;
    civil(Days, &Back);
    if (Back.wDay != Time->wDay)
        goto invalid;
    unquad(((Days * 24 + Time->wHour) * 3600 + Time->wMinute * 60 + Time->wSecond) *
                   TICKS_PER_SECOND +
               Time->wMilliseconds * 10000,
           Out);
    return TRUE;
invalid:
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
}

void WINAPI GetSystemTime(LPSYSTEMTIME Out)
{
    FILETIME Time;

    GetSystemTimeAsFileTime(&Time);
    FileTimeToSystemTime(&Time, Out);
}

void WINAPI GetLocalTime(LPSYSTEMTIME Out)
{
    FILETIME Time, Local;

    GetSystemTimeAsFileTime(&Time);
    FileTimeToLocalFileTime(&Time, &Local);
    FileTimeToSystemTime(&Local, Out);
}

ULONGLONG WINAPI GetTickCount64(void)
{
    return host_now() / 1000000;
}

DWORD WINAPI GetTickCount(void)
{
    return (DWORD)GetTickCount64();
}

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *Counter)
{
    Counter->QuadPart = (LONGLONG)(host_now() / 100);
    return TRUE;
}

BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *Frequency)
{
    Frequency->QuadPart = TICKS_PER_SECOND;
    return TRUE;
}
