/*
 * The client of SharingMemory. main.c: command line and order of steps; session.c: service, device,
 * page; display_*.c: what is shown. The build chooses one of linux and window.
 */
#ifndef SHARINGMEMORY_CLIENT_H
#define SHARINGMEMORY_CLIENT_H

#include "../../common/client.h"
#include "../public.h"

/* Exit codes, beside those of client.h (10 to 14). */
enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,
    EXIT_NO_DEVICE = 20,
    EXIT_NO_PAGE,
    EXIT_DIFFERENT,
    EXIT_EXCEPTION,
    EXIT_NO_WINDOW,
};

typedef struct _OPTIONS {
    BOOL NoService, Compare, Crash, Console;
    long Count; /* 0: until a key is pressed */
    const char *Driver;
} OPTIONS;

/* What is open, in the order in which it was opened. */
typedef struct _SESSION {
    CLIENT_SERVICE Service;
    HANDLE Device;
    const SHARED_CLOCK *Clock;
} SESSION;

/* 0, or an exit code after a message, with nothing left open. */
int SessionBegin(SESSION *Session, const OPTIONS *Options);
int SessionEnd(SESSION *Session);
/* From now on an exception closes what is open, and ends the program with EXIT_EXCEPTION. */
void SessionGuard(SESSION *Session);

typedef struct _TIME_OF_DAY {
    unsigned Hour, Minute, Second;
} TIME_OF_DAY;
TIME_OF_DAY TimeOfDay(LONGLONG LocalTime);
/* Seconds between the driver's time and the system's own page; it must be less than 2. */
double ClockDifference(const SHARED_CLOCK *Clock);

/* Before anything is written: where messages go. */
void DisplayPrepare(const OPTIONS *Options);
/* Shows the clock until the user has enough: in a window where there are any, or in the terminal.
 */
int DisplayClock(const SHARED_CLOCK *Clock, const OPTIONS *Options);
/* In the terminal. */
int DisplayRun(const SHARED_CLOCK *Clock);
/* Writes Count lines, one for each second. */
int DisplayLines(const SHARED_CLOCK *Clock, long Count);

#endif
