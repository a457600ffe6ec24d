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
    unsigned char Keys[16];
    ssize_t At, Count;
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

/* An arrow key and the like: what follows an Escape at once, up to a letter. */
static void SkipSequence(void)
{
    unsigned char Kind = Console.Keys[Console.At++];

    while ((Kind == '[' || Kind == 'O') && Console.At < Console.Count)
        if (Console.Keys[Console.At++] >= '@')
            return;
}

/* Keys come in bunches. */
static int NextKey(void)
{
    int Key = Console.Keys[Console.At++];

    if (Key != CONSOLE_ESCAPE || Console.At == Console.Count)
        return Key;
    SkipSequence();
    return -1;
}

int ConsoleKey(unsigned Milliseconds)
{
    struct pollfd Input = {Console.Raw ? STDIN_FILENO : -1, POLLIN, 0};

    if (Console.At < Console.Count)
        return NextKey();
    if (poll(&Input, 1, (int)Milliseconds) <= 0)
        return -1;
    Console.At = 0;
    Console.Count = read(STDIN_FILENO, Console.Keys, sizeof(Console.Keys));
    return Console.Count > 0 ? NextKey() : -1;
}
