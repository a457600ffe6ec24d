/* nt-kernel: the kernel process. `nt boot` starts it; people rarely do. */
#include "server/server.h"

#include <argp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct server_options Server;
    char Address[512];
    int ReadyFile, Background;
} Main = {.ReadyFile = -1};

static const struct argp_option Options[] = {
    {"address", 'a', "PATH", 0,
     "listen there (default: $USERNT_ADDRESS, else a path of the user's)", 0},
    {"state", 's', "FOLDER", 0, "keep the registry there (default: it is not kept)", 0},
    {"drivers", 'd', "FOLDERS", 0, "colon-separated folders where `nt load NAME` looks", 0},
    {"memory", 'm', "MIB", 0, "physical memory (default: 1024)", 0},
    {"processors", 'p', "N", 0, "virtual processors (default: one a Linux processor, at least 2)",
     0},
    {"patience", 't', "SECONDS", 0,
     "end a client that has not answered for so long (default: 10; 0: never)", 0},
    {"processes-per-user", 'u', "N", 0,
     "processes of a user other than root and you (default: 1024)", 0},
    {"bus", 'B', "FILE", 0,
     "devices that drivers find on the machine's bus, as `lspci -vx` prints them", 0},
    {"trace", 'T', "FILE", 0, "a line there for each request that a driver completes", 0},
    {"echo", 'e', NULL, 0, "debug prints to standard error", 0},
    {"ready-file", 'r', "FD", OPTION_HIDDEN, "write a line there when clients can connect", 0},
    {"background", 'b', NULL, OPTION_HIDDEN, "then leave standard error for ADDRESS.log", 0},
    {0},
};

const char *argp_program_version = "nt-kernel " USERNT_VERSION;

static unsigned long number(const char *Text, unsigned long Least, unsigned long Most,
                            struct argp_state *State)
{
    char *End;
    unsigned long Value = strtoul(Text, &End, 10);

    if (!*Text || *End || Value < Least || Value > Most)
        argp_error(State, "'%s' is not a number from %lu to %lu", Text, Least, Most);
    return Value;
}

static error_t parse(int Key, char *Argument, struct argp_state *State)
{
    USERNT_OPTIONS *Boot = &Main.Server.Boot;

    switch (Key) {
    case 'a':
        if (strlen(Argument) >= sizeof(Main.Address))
            argp_error(State, "the address is too long");
        strcpy(Main.Address, Argument);
        return 0;
    case 's':
        Boot->StateDirectory = Argument;
        return 0;
    case 'd':
        Boot->DriverPath = Argument;
        return 0;
    case 'm':
        Boot->PhysicalBytes = (ULONG64)number(Argument, 1, 65536, State) << 20;
        return 0;
    case 'p':
        Boot->Processors = (ULONG)number(Argument, 1, 64, State);
        return 0;
    case 't':
        Main.Server.PatienceSeconds = (unsigned)number(Argument, 0, 86400, State);
        return 0;
    case 'u':
        Main.Server.ProcessesPerUser = (unsigned)number(Argument, 1, MM_SLOT_COUNT, State);
        return 0;
    case 'B':
        Main.Server.Bus = Argument;
        return 0;
    case 'T':
        Boot->TraceFile = Argument;
        return 0;
    case 'e':
        Boot->EchoDebugPrint = TRUE;
        return 0;
    case 'r':
        Main.ReadyFile = (int)number(Argument, 1, 1 << 20, State);
        return 0;
    case 'b':
        Main.Background = 1;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Whoever reads what nt boot says is not to wait for the kernel's end: from now on standard error,
 * with the report of a bug check, is a new file beside the socket. */
static void leave_standard_error(const char *Path)
{
    int Log = open(Path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (Log < 0) {
        perror(Path);
        Log = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    if (Log >= 0 && dup2(Log, STDERR_FILENO) >= 0)
        close(Log);
}

static void say_ready(void)
{
    char Log[sizeof(Main.Address) + 8];

    snprintf(Log, sizeof(Log), "%s.log", Main.Address);
    unlink(Log); /* a former kernel's */
    if (Main.Background)
        leave_standard_error(Log);
    if (Main.ReadyFile >= 0) {
        if (write(Main.ReadyFile, "ready\n", 6) != 6)
            server_stop();
        close(Main.ReadyFile);
    }
}

static void stop(int Signal)
{
    server_stop();
}

/* What is opened later must not take the place of a standard stream that is closed. */
static void fill_streams(void)
{
    int Nothing;

    do
        Nothing = open("/dev/null", O_RDWR);
    while (Nothing >= 0 && Nothing <= STDERR_FILENO);
    if (Nothing >= 0)
        close(Nothing);
}

int main(int Count, char **Arguments)
{
    static const struct argp Parser = {Options, parse, NULL, "The UserNT kernel process.",
                                       NULL,    NULL,  NULL};

    fill_streams();
    Main.Server.PatienceSeconds = 10;
    Main.Server.ProcessesPerUser = MM_SLOT_COUNT / 4;
    Main.Server.Boot.Size = sizeof(USERNT_OPTIONS);
    Main.Server.Boot.NoEmbeddedProcess = TRUE;
    Main.Server.Boot.BootUserId = MAXULONG;
    Main.Server.Address = Main.Address;
    Main.Server.Ready = say_ready;
    argp_err_exit_status = 2; /* as that of nt */
    argp_parse(&Parser, Count, Arguments, 0, NULL, NULL);
    if (!Main.Address[0]) {
        const char *Given = getenv("USERNT_ADDRESS");

        Main.Server.MakeFolder = !Given || !*Given;
        address_default(host_user_id(), Main.Address, sizeof(Main.Address));
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    signal(SIGPIPE, SIG_IGN);
    return server_run(&Main.Server) < 0 ? 1 : 0;
}
