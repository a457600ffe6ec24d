/* There is a terminal only. */
#include "client.h"

void DisplayPrepare(const OPTIONS *Options)
{
    (void)Options;
}

int DisplayClock(const SHARED_CLOCK *Clock, const OPTIONS *Options)
{
    (void)Options;
    return DisplayRun(Clock);
}
