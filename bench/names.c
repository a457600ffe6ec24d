/*
 * Opening one of many names: four other processes hold few names of the pipe driver, then very
 * many, then few again; meanwhile this one opens and closes them in random order.
 */
#include <windows.h>
#include "measure.h"
#include "names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLDERS 4
#define FEW 10
#define MANY 100000
#define EACH (MANY / HOLDERS)
#define CYCLES 5
#define OPENS 10000

static unsigned Random = 7;

static unsigned chance(unsigned Below)
{
    return (unsigned)((Random = Random * 1664525u + 1013904223u) >> 8) % Below;
}

static HANDLE open_name(unsigned Number)
{
    char Path[64];
    HANDLE Pipe;

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\name%u", Number);
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Pipe == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "nt-bench: cannot open a name: error %u\n", (unsigned)GetLastError());
        exit(1);
    }
    return Pipe;
}

/* ---- a holder: '+' opens its names in random order, '-' closes them; each is answered ----------
 */

static void shuffle(unsigned *Order)
{
    for (unsigned i = EACH; i > 1; i--) {
        unsigned Other = chance(i), Swap = Order[i - 1];

        Order[i - 1] = Order[Other];
        Order[Other] = Swap;
    }
}

int names_hold(unsigned Part)
{
    static HANDLE Held[EACH];
    static unsigned Order[EACH];
    char Command;

    for (unsigned i = 0; i < EACH; i++)
        Order[i] = i;
    while (read(0, &Command, 1) == 1) {
        shuffle(Order);
        for (unsigned i = 0; i < EACH; i++)
            if (Command == '+')
                Held[Order[i]] = open_name(Part + Order[i] * HOLDERS);
            else
                CloseHandle(Held[Order[i]]);
        if (write(1, &Command, 1) != 1)
            return 1;
    }
    return 0;
}

/* ---- the measuring process ------------------------------------------------------------------- */

static struct holder {
    pid_t Process;
    int To, From;
} Holders[HOLDERS];

/* Its ends are nobody else's. */
static void make_pipe(int Ends[2])
{
    if (pipe(Ends) < 0 || fcntl(Ends[0], F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(Ends[1], F_SETFD, FD_CLOEXEC) < 0)
        exit(1);
}

static void start(unsigned Part)
{
    char Option[] = {'-', '-', 'h', 'o', 'l', 'd', (char)('0' + Part), 0};
    int To[2], From[2];

    make_pipe(To);
    make_pipe(From);
    Holders[Part].Process = fork();
    if (Holders[Part].Process == 0) {
        dup2(To[0], 0);
        dup2(From[1], 1);
        execl("/proc/self/exe", "nt-bench-client", Option, NULL);
        _exit(1);
    }
    close(To[0]);
    close(From[1]);
    Holders[Part].To = To[1];
    Holders[Part].From = From[0];
}

/* All at once. */
static void tell_all(char Command)
{
    for (unsigned i = 0; i < HOLDERS; i++)
        if (write(Holders[i].To, &Command, 1) != 1)
            exit(1);
    for (unsigned i = 0; i < HOLDERS; i++)
        if (read(Holders[i].From, &Command, 1) != 1)
            exit(1);
}

static void end_all(void)
{
    for (unsigned i = 0; i < HOLDERS; i++) {
        close(Holders[i].To);
        waitpid(Holders[i].Process, NULL, 0);
        close(Holders[i].From);
    }
}

static double time_opens(unsigned Names)
{
    double Start;

    for (unsigned i = 0; i < OPENS / 4; i++)
        CloseHandle(open_name(chance(Names)));
    Start = now_ns();
    for (unsigned i = 0; i < OPENS; i++)
        CloseHandle(open_name(chance(Names)));
    return (now_ns() - Start) / OPENS;
}

void measure_names(void)
{
    double Few[CYCLES], Many[CYCLES], Ratio[CYCLES];
    HANDLE Held[FEW];

    if (!is_measured("open_close_4"))
        return;
    for (unsigned i = 0; i < FEW; i++)
        Held[i] = open_name(i);
    for (unsigned i = 0; i < HOLDERS; i++)
        start(i);
    for (unsigned i = 0; i < CYCLES; i++) {
        Few[i] = time_opens(FEW);
        tell_all('+');
        Many[i] = time_opens(MANY);
        tell_all('-');
        Ratio[i] = Many[i] / Few[i];
    }
    end_all();
    for (unsigned i = 0; i < FEW; i++)
        CloseHandle(Held[i]);
    report_ratio("open_close_4", median(Many, CYCLES), "ns", "open_close_10", median(Few, CYCLES),
                 median(Ratio, CYCLES));
}
