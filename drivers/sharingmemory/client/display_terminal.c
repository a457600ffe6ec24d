/* The clock in a terminal. */
#include "client.h"
#include "../../common/console.h"
#include <stdio.h>

#define POLL_MILLISECONDS 250 /* the driver writes once a second, at a moment of its own */

/* Waits for the clock's second to change. FALSE: the user has enough. */
static BOOL NextSecond(const SHARED_CLOCK *Clock, LONGLONG *Second)
{
    LONGLONG Now;
    int Key;

    for (;;) {
        if (ConsoleStopped())
            return FALSE;
        Now = SharedClockRead(Clock) / 10000000;
        if (Now != *Second) {
            *Second = Now;
            return TRUE;
        }
        Key = ConsoleKey(POLL_MILLISECONDS);
        if (Key == CONSOLE_ESCAPE || Key == 'q' || Key == 'Q')
            return FALSE;
    }
}

static void Print(LONGLONG Second, const char *Before, const char *After)
{
    TIME_OF_DAY Time = TimeOfDay(Second * 10000000);

    printf("%s%02u:%02u:%02u%s", Before, Time.Hour, Time.Minute, Time.Second, After);
    fflush(stdout);
}

int DisplayRun(const SHARED_CLOCK *Clock)
{
    BOOL Terminal = ConsoleIsTerminal();
    LONGLONG Second = -1;

    ConsoleBegin();
    if (Terminal)
        printf("Kernel timer (Esc or q ends it)\n");
    while (NextSecond(Clock, &Second))
        Print(Second, Terminal ? "\r  " : "", Terminal ? " " : "\n");
    ConsoleEnd();
    if (Terminal)
        putchar('\n');
    return EXIT_DONE;
}

int DisplayLines(const SHARED_CLOCK *Clock, long Count)
{
    LONGLONG Second = -1;

    ConsoleBegin();
    while (Count > 0 && NextSecond(Clock, &Second)) {
        Print(Second, "", "\n");
        Count--;
    }
    ConsoleEnd();
    return EXIT_DONE;
}
