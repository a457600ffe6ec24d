/* Random bytes from Linux. */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void host_random(void *bytes, size_t count)
{
    char *at = bytes;

    while (count) {
        ssize_t got = getrandom(at, count, 0);

        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            at += got;
            count -= (size_t)got;
        }
    }
}
