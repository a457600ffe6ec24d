/* nt boot, nt shutdown */
#include "tools/nt/nt.h"
#include "server/address.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGUMENTS 64
#define SHUTDOWN_PRIVILEGE 19

static void default_driver_path(char *Path, size_t Size)
{
    const char *Given = getenv("USERNT_DRIVERS");

    if (Given && *Given)
        snprintf(Path, Size, "%s", Given);
    else
        snprintf(Path, Size, "%s/../drivers:%s/../lib/usernt/drivers", program_folder(),
                 program_folder());
}

static void run_kernel(int Ready, int Count, char **Arguments)
{
    char Kernel[PATH_MAX + 16], Drivers[2 * PATH_MAX + 64], Number[16];
    char *Given[MOST_ARGUMENTS + 8] = {Kernel, "--drivers", Drivers};
    int At = 3;

    snprintf(Kernel, sizeof(Kernel), "%s/nt-kernel", program_folder());
    default_driver_path(Drivers, sizeof(Drivers));
    if (Ready >= 0) {
        snprintf(Number, sizeof(Number), "%d", Ready);
        Given[At++] = "--ready-file";
        Given[At++] = Number;
        Given[At++] = "--background";
    }
    for (int i = 0; i < Count; i++)
        Given[At++] = Arguments[i];
    Given[At] = NULL;
    execv(Kernel, Given);
    fprintf(stderr, "nt boot: cannot run %s\n", Kernel);
    _exit(EXIT_REFUSED);
}

/* Whoever reads what this command prints is not to wait for the kernel's end. Standard error goes
 * once the kernel is ready (server/main.c). */
static void leave_terminal(void)
{
    int Nothing = open("/dev/null", O_RDWR);

    setsid();
    if (Nothing < 0)
        return;
    dup2(Nothing, STDIN_FILENO);
    dup2(Nothing, STDOUT_FILENO);
    if (Nothing > STDERR_FILENO)
        close(Nothing);
}

/* The kernel has a session of its own, so that it outlives the terminal; this process waits until
 * it is ready. */
static int run_in_background(int Count, char **Arguments)
{
    int Pipe[2], Status = 0;
    char Word[8];
    ssize_t Got;
    pid_t Child;

    if (pipe(Pipe) < 0 || (Child = fork()) < 0) {
        perror("nt boot");
        return EXIT_REFUSED;
    }
    if (Child == 0) {
        close(Pipe[0]);
        leave_terminal();
        run_kernel(Pipe[1], Count, Arguments);
    }
    close(Pipe[1]);
    Got = read(Pipe[0], Word, sizeof(Word));
    close(Pipe[0]);
    if (Got > 0)
        return EXIT_DONE;
    waitpid(Child, &Status, 0);
    return WIFEXITED(Status) && WEXITSTATUS(Status) ? WEXITSTATUS(Status) : EXIT_REFUSED;
}

int verb_boot(const struct verb *Verb, int Count, char **Arguments)
{
    int Foreground =
        take_flag(&Count, Arguments, "--foreground") + take_flag(&Count, Arguments, "-f");

    Count--;
    Arguments++;
    if (Count > MOST_ARGUMENTS)
        return usage(Verb);
    if (Foreground)
        run_kernel(-1, Count, Arguments);
    return run_in_background(Count, Arguments);
}

/* The kernel removes its socket last. One that died meanwhile leaves it: not for ever, then. */
static void wait_for_the_end(void)
{
    char Path[512];

    address_default(geteuid(), Path, sizeof(Path));
    for (int Tries = 0; Tries < 2000 && access(Path, F_OK) == 0; Tries++)
        usleep(5000);
}

/* Done when the kernel's end of the connection has closed: every call then says so. */
int verb_shutdown(const struct verb *Verb, int Count, char **Arguments)
{
    LARGE_INTEGER Moment = {.QuadPart = -50000};
    NTSTATUS Status;
    BOOLEAN Was;

    (void)Arguments;
    if (Count != 1)
        return usage(Verb);
    Status = RtlAdjustPrivilege(SHUTDOWN_PRIVILEGE, TRUE, FALSE, &Was);
    if (Status >= 0)
        Status = NtShutdownSystem(0);
    if (Status < 0 && Status != STATUS_PORT_DISCONNECTED)
        return fail_status("shutdown", "refused", Status);
    while (NtDelayExecution(FALSE, &Moment) != STATUS_PORT_DISCONNECTED)
        ;
    wait_for_the_end();
    return EXIT_DONE;
}
