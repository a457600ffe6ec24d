/* Clocks, in nanoseconds, and the local time zone. */
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

/* Linux's clocks of others: the id's complement above three bits, of which 2 means the scheduler's
 * figures, and 4 a single thread. */
static uint64_t read_clock_of(uint32_t id, unsigned bits)
{
    struct timespec now;

    if (clock_gettime((clockid_t)((~id << 3) | bits), &now) < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_thread_time(uint32_t thread)
{
    return thread ? read_clock_of(thread, 6) : 0;
}

uint64_t host_process_time(uint32_t process)
{
    return process ? read_clock_of(process, 2) : 0;
}

/* A thread's clock is for its own process alone; Linux shows the same figure to others as text. */
uint64_t host_time_of_thread(uint32_t process, uint32_t thread)
{
    char path[64], text[64] = {0};
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", process, thread);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 ? strtoull(text, NULL, 10) : 0;
}

int32_t host_utc_offset(uint64_t wall)
{
    time_t seconds = (time_t)(wall / 1000000000u);
    struct tm local;

    tzset(); /* localtime_r need not look at TZ by itself */
    return localtime_r(&seconds, &local) ? (int32_t)local.tm_gmtoff : 0;
}
