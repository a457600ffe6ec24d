/* The terminal of Linux. */
#include "console.h"
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct {
    struct termios Before;
    int Raw;
    volatile sig_atomic_t Stopped;
} Console;

static void OnSignal(int Signal)
{
    (void)Signal;
    Console.Stopped = 1;
}

static void CatchSignals(void)
{
    struct sigaction Action;

    memset(&Action, 0, sizeof(Action));
    Action.sa_handler = OnSignal;
    sigaction(SIGINT, &Action, NULL);
    sigaction(SIGTERM, &Action, NULL);
    sigaction(SIGHUP, &Action, NULL);
}

void ConsoleBegin(void)
{
    struct termios Raw;

    CatchSignals();
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &Console.Before) < 0)
        return;
    Raw = Console.Before;
    Raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    Raw.c_cc[VMIN] = 0;
    Raw.c_cc[VTIME] = 0;
    Console.Raw = tcsetattr(STDIN_FILENO, TCSANOW, &Raw) == 0;
}

void ConsoleEnd(void)
{
    if (Console.Raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &Console.Before);
    Console.Raw = 0;
}

int ConsoleIsTerminal(void)
{
    return isatty(STDOUT_FILENO);
}

int ConsoleStopped(void)
{
    return Console.Stopped;
}

/* What follows an Escape at once is an arrow key or the like. */
int ConsoleKey(unsigned Milliseconds)
{
    struct pollfd Input = {Console.Raw ? STDIN_FILENO : -1, POLLIN, 0};
    unsigned char Keys[16];
    ssize_t Count;

    if (poll(&Input, 1, (int)Milliseconds) <= 0)
        return -1;
    Count = read(STDIN_FILENO, Keys, sizeof(Keys));
    if (Count <= 0 || (Keys[0] == CONSOLE_ESCAPE && Count > 1))
        return -1;
    return Keys[0];
}
