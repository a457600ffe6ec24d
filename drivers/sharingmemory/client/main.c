/* sharingmemory: shows the time that the driver writes into a page of its own. */
#include "client.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] =
    "usage: sharingmemory [--console] [--count N] [--compare] [--no-service] [--driver PATH] "
    "[--crash]\n\n"
    "Registers and starts the driver (or uses it as it runs), maps its page, and shows the time in "
    "it.\n\n"
    "  --console      in the terminal, not in a window (on Linux there is no window)\n"
    "  --count N      write N lines, one for each second, and end\n"
    "  --compare      compare with the system's own time and end\n"
    "  --no-service   use a driver that runs; touch no service\n"
    "  --driver PATH  the driver's file\n"
    "  --crash        use a bad address once the page is mapped, to see the tear-down after an "
    "exception\n\n"
    "Exit codes: 0 done, 2 usage, 10 no service manager, 11 cannot register, 12 cannot start, 13 "
    "cannot stop,\n"
    "14 cannot delete, 20 no device, 21 no page, 22 the times differ by 2 s or more, 23 an "
    "exception, 24 no window.\n";

static int Bad(const char *Argument)
{
    fprintf(stderr, "sharingmemory: '%s' is not understood\n%s", Argument, Usage);
    return EXIT_USAGE;
}

static int Parse(int Count, char **Arguments, OPTIONS *Options)
{
    for (int i = 1; i < Count; i++) {
        if (!strcmp(Arguments[i], "--compare"))
            Options->Compare = TRUE;
        else if (!strcmp(Arguments[i], "--console"))
            Options->Console = TRUE;
        else if (!strcmp(Arguments[i], "--no-service"))
            Options->NoService = TRUE;
        else if (!strcmp(Arguments[i], "--crash"))
            Options->Crash = TRUE;
        else if (!strcmp(Arguments[i], "--driver") && i + 1 < Count)
            Options->Driver = Arguments[++i];
        else if (strcmp(Arguments[i], "--count") || i + 1 == Count)
            return Bad(Arguments[i]);
        else if (!ClientNumber(Arguments[++i], 1, 1000000000, &Options->Count))
            return Bad(Arguments[i]);
    }
    Options->Console |= Options->Count || Options->Compare;
    return EXIT_DONE;
}

static int Compare(const SHARED_CLOCK *Clock)
{
    double Difference = ClockDifference(Clock);

    printf("system time - shared time: %.3f s\n", Difference);
    if (Difference > -2 && Difference < 2)
        return EXIT_DONE;
    ClientFails("the times differ by 2 s or more", 0);
    return EXIT_DIFFERENT;
}

static int Show(const SHARED_CLOCK *Clock, const OPTIONS *Options)
{
    int Code = EXIT_DONE;

    if (Options->Crash)
        *(volatile LONG *)(ULONG_PTR)Options->Crash = 0;
    if (Options->Count)
        Code = DisplayLines(Clock, Options->Count);
    else if (!Options->Compare)
        Code = DisplayClock(Clock, Options);
    return Options->Compare ? Compare(Clock) : Code;
}

int main(int Count, char **Arguments)
{
    OPTIONS Options = {0};
    SESSION Session = {0};
    int Code, Ended;

    ClientName = "sharingmemory";
    DisplayPrepare(&Options);
    if (Count == 2 && (!strcmp(Arguments[1], "--help") || !strcmp(Arguments[1], "-h"))) {
        fputs(Usage, stdout);
        return EXIT_DONE;
    }
    Code = Parse(Count, Arguments, &Options);
    if (Code)
        return Code;
    DisplayPrepare(&Options);
    SessionGuard(&Session);
    Code = SessionBegin(&Session, &Options);
    if (Code)
        return Code;
    Code = Show(Session.Clock, &Options);
    Ended = SessionEnd(&Session);
    return Code ? Code : Ended;
}
