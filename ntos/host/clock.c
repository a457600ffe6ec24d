/* Clocks, in nanoseconds, and the local time zone. */
#include "host.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t host_wall_clock(void)
{
    return read_clock(CLOCK_REALTIME);
}

int32_t host_utc_offset(uint64_t wall)
{
    time_t seconds = (time_t)(wall / 1000000000u);
    struct tm local;

    tzset(); /* localtime_r need not look at TZ by itself */
    return localtime_r(&seconds, &local) ? (int32_t)local.tm_gmtoff : 0;
}
