/* nt cc, nt new: the programs of the SDK. */
#include "tools/nt/nt.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static int run(const char *Program, char **Arguments)
{
    static const char *const Places[] = {"", "../sdk/", "../../sdk/bin/"};
    char Path[PATH_MAX + 64];

    for (unsigned i = 0; i < sizeof(Places) / sizeof(Places[0]); i++) {
        snprintf(Path, sizeof(Path), "%s/%s%s", program_folder(), Places[i], Program);
        Arguments[0] = Path;
        execv(Path, Arguments);
    }
    fprintf(stderr, "nt: cannot run %s: %s\n", Program, strerror(errno));
    return EXIT_REFUSED;
}

int verb_cc(const struct verb *Verb, int Count, char **Arguments)
{
    (void)Verb, (void)Count;
    return run("nt-cc", Arguments);
}

int verb_new(const struct verb *Verb, int Count, char **Arguments)
{
    return Count < 2 || Count > 3 ? usage(Verb) : run("nt-new", Arguments);
}
