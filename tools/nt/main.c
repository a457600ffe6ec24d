/* nt: finds the verb. */
#include "tools/nt/nt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct verb Verbs[] = {
    {"boot", "[--foreground] [options of nt-kernel]", "start a kernel", verb_boot},
    {"shutdown", "", "end the kernel", verb_shutdown},
    {"load", "NAME|PATH...", "create a service for each driver and start it", verb_load},
    {"unload", "NAME...", "stop each driver and delete its service", verb_unload},
    {0},
};

static void help(FILE *Out)
{
    fprintf(Out, "usage: nt VERB [arguments]\n\n");
    for (const struct verb *Verb = Verbs; Verb->Name; Verb++)
        fprintf(Out, "  %-9s %-38s %s\n", Verb->Name, Verb->Arguments, Verb->Help);
    fprintf(Out, "\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 no kernel answers.\n"
                 "The kernel is the one at $USERNT_ADDRESS, else the user's own, else root's.\n");
}

int usage(const struct verb *Verb)
{
    fprintf(stderr, "usage: nt %s %s\n", Verb->Name, Verb->Arguments);
    return EXIT_USAGE;
}

int fail_status(const char *Verb, const char *Text, NTSTATUS Status)
{
    if (Status == STATUS_PORT_CONNECTION_REFUSED || Status == STATUS_PORT_DISCONNECTED)
        return EXIT_NO_KERNEL; /* libntdll has said so */
    fprintf(stderr, "nt %s: %s: status 0x%08X (error %u)\n", Verb, Text, (unsigned)Status,
            (unsigned)RtlNtStatusToDosError(Status));
    return EXIT_REFUSED;
}

int fail(const char *Verb, const char *Text)
{
    fprintf(stderr, "nt %s: %s: error %u\n", Verb, Text, (unsigned)GetLastError());
    return EXIT_REFUSED;
}

const char *program_folder(void)
{
    static char Path[PATH_MAX];
    ssize_t Length = readlink("/proc/self/exe", Path, sizeof(Path) - 1);

    if (Length <= 0)
        return ".";
    Path[Length] = 0;
    *strrchr(Path, '/') = 0;
    return Path;
}

int main(int Count, char **Arguments)
{
    if (Count < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(Arguments[1], "help") || !strcmp(Arguments[1], "--help") || !strcmp(Arguments[1], "-h")) {
        help(stdout);
        return EXIT_DONE;
    }
    for (const struct verb *Verb = Verbs; Verb->Name; Verb++)
        if (!strcmp(Verb->Name, Arguments[1]))
            return Verb->Run(Count - 1, Arguments + 1);
    fprintf(stderr, "nt: there is no verb '%s'; see nt help\n", Arguments[1]);
    return EXIT_USAGE;
}
