/* Times: of the driver's page, and of the system's. */
#include "client.h"

/* KUSER_SHARED_DATA, where Windows keeps its own time for everyone. */
#define SYSTEM_TIME_ADDRESS 0x7FFE0014
#define TIME_ZONE_BIAS_ADDRESS 0x7FFE0020

typedef struct _TRIPLE { /* KSYSTEM_TIME */
    ULONG Low;
    LONG High1, High2;
} TRIPLE;

TIME_OF_DAY TimeOfDay(LONGLONG LocalTime)
{
    ULONGLONG Seconds = (ULONGLONG)LocalTime / 10000000 % 86400;
    TIME_OF_DAY Time = {(unsigned)(Seconds / 3600), (unsigned)(Seconds / 60 % 60),
                        (unsigned)(Seconds % 60)};

    return Time;
}

static LONGLONG ReadTriple(ULONG_PTR Address)
{
    const volatile TRIPLE *Time = (const volatile TRIPLE *)Address;
    LONG High;
    ULONG Low;

    do {
        High = Time->High1;
        MemoryBarrier();
        Low = Time->Low;
        MemoryBarrier();
    } while (High != Time->High2);
    return (LONGLONG)(((ULONGLONG)(ULONG)High << 32) | Low);
}

double ClockDifference(const SHARED_CLOCK *Clock)
{
    LONGLONG Local = ReadTriple(SYSTEM_TIME_ADDRESS) - ReadTriple(TIME_ZONE_BIAS_ADDRESS);

    return (double)(Local - SharedClockRead(Clock)) / 1e7;
}
