/* nt: finds the verb. */
#include "tools/nt/nt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct verb Verbs[] = {
    {"boot",
     "[--foreground] [--address PATH] [--state FOLDER] [--drivers FOLDERS] [--memory MIB] "
     "[--processors N] [--patience SECONDS] [--processes-per-user N] [--bus FILE] [--trace FILE] "
     "[--echo]",
     "start a kernel; in the background, it writes bug check reports to ADDRESS.log (beside its "
     "socket)",
     verb_boot},
    {"shutdown", "", "end the kernel", verb_shutdown},
    {"status", "[--json]", "what the kernel is and has done", verb_status},
    {"load", "NAME|PATH...", "create a service for each driver and start it", verb_load},
    {"unload", "NAME...", "stop each driver and delete its service", verb_unload},
    {"sc",
     "create NAME PATH | start NAME | stop NAME | delete NAME | query NAME [--json] | list "
     "[--json]",
     "services, one step at a time", verb_sc},
    {"log", "[-f] [--json]", "the debug prints, with time and driver; -f: go on", verb_log},
    {"obj", "[PATH] [--json]", "a directory of the object manager, or where a link leads",
     verb_obj},
    {"pool", "[--json]", "pool memory by tag", verb_pool},
    {"modules", "[--json]", "the kernel and its drivers in memory", verb_modules},
    {"handles", "[--json]", "every open handle", verb_handles},
    {"exports", "[--coverage] [--json]",
     "the documented routines that are implemented; how much that is of what drivers import",
     verb_exports},
    {"ioctl", "DEVICE CODE [HEX] [--out BYTES]", "send a control code, print the answer",
     verb_ioctl},
    {"gdb", "[options of gdb]", "gdb on the kernel, with the symbols of its drivers", verb_gdb},
    {"cc", "[options of nt-cc] FILE...", "compile a driver or a client", verb_cc},
    {"new", "NAME [FOLDER]", "a new driver with a client and a test", verb_new},
    {0},
};

static void help(FILE *Out)
{
    fprintf(Out, "usage: nt VERB [arguments]\n\n");
    for (const struct verb *Verb = Verbs; Verb->Name; Verb++)
        fprintf(Out, "  %-9s %s\n            %s %s\n", Verb->Name, Verb->Help, Verb->Name,
                Verb->Arguments);
    fprintf(Out, "\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 no kernel answers.\n"
                 "The kernel is the one at $USERNT_ADDRESS, else the user's own, else root's.\n");
}

int usage(const struct verb *Verb)
{
    fprintf(stderr, "usage: nt %s %s\n", Verb->Name, Verb->Arguments);
    return EXIT_USAGE;
}

static int code_of(NTSTATUS Status)
{
    return Status == STATUS_PORT_CONNECTION_REFUSED || Status == STATUS_PORT_DISCONNECTED
               ? EXIT_NO_KERNEL
               : EXIT_REFUSED;
}

static void say(const char *Verb, const char *Text, DWORD Error, NTSTATUS Status)
{
    char Message[256] = "";

    FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                       FORMAT_MESSAGE_MAX_WIDTH_MASK,
                   NULL, Error, 0, Message, sizeof(Message), NULL);
    if (Status)
        fprintf(stderr, "nt %s: %s: %s (error %u, status 0x%08X)\n", Verb, Text, Message,
                (unsigned)Error, (unsigned)Status);
    else
        fprintf(stderr, "nt %s: %s: %s (error %u)\n", Verb, Text, Message, (unsigned)Error);
}

/* Of a kernel that did not answer from the start, libntdll has already told. */
static int said(const char *Verb, const char *Text, DWORD Error, NTSTATUS Status)
{
    if (Status == STATUS_PORT_DISCONNECTED)
        fprintf(stderr, "nt %s: %s: the kernel has ended meanwhile\n", Verb, Text);
    else if (Status != STATUS_PORT_CONNECTION_REFUSED)
        say(Verb, Text, Error, Status);
    return code_of(Status);
}

int fail_status(const char *Verb, const char *Text, NTSTATUS Status)
{
    return said(Verb, Text, RtlNtStatusToDosError(Status), Status);
}

int fail(const char *Verb, const char *Text)
{
    DWORD Error = GetLastError();
    NTSTATUS Status = RtlGetLastNtStatus();

    if (RtlNtStatusToDosError(Status) != Error)
        Status = 0;
    return said(Verb, Text, Error, Status);
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

int take_flag(int *Count, char **Arguments, const char *Flag)
{
    for (int i = 1; i < *Count; i++)
        if (!strcmp(Arguments[i], Flag)) {
            memmove(&Arguments[i], &Arguments[i + 1], (size_t)(*Count - i) * sizeof(*Arguments));
            --*Count;
            return 1;
        }
    return 0;
}

static int asks_for_help(int Count, char **Arguments)
{
    return Count > 1 && (!strcmp(Arguments[1], "--help") || !strcmp(Arguments[1], "-h"));
}

static void help_with(const struct verb *Verb)
{
    printf("usage: nt %s %s\n\n%s\n", Verb->Name, Verb->Arguments, Verb->Help);
}

static const struct verb *find(const char *Name)
{
    for (const struct verb *Verb = Verbs; Verb->Name; Verb++)
        if (!strcmp(Verb->Name, Name))
            return Verb;
    fprintf(stderr, "nt: there is no verb '%s'; see nt help\n", Name);
    return NULL;
}

static int run(const struct verb *Verb, int Count, char **Arguments)
{
    if (asks_for_help(Count, Arguments) && strcmp(Verb->Name, "cc")) {
        help_with(Verb);
        return EXIT_DONE;
    }
    return Verb->Run(Verb, Count, Arguments);
}

int main(int Count, char **Arguments)
{
    const struct verb *Verb;

    if (Count < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (Count > 2 && !strcmp(Arguments[1], "help")) {
        Verb = find(Arguments[2]);
        if (Verb)
            help_with(Verb);
        return Verb ? EXIT_DONE : EXIT_USAGE;
    }
    if (asks_for_help(Count, Arguments) || !strcmp(Arguments[1], "help")) {
        help(stdout);
        return EXIT_DONE;
    }
    if (!strcmp(Arguments[1], "--version")) {
        printf("nt " USERNT_VERSION "\n");
        return EXIT_DONE;
    }
    Verb = find(Arguments[1]);
    return Verb ? run(Verb, Count - 1, Arguments + 1) : EXIT_USAGE;
}
