/* The console of Windows. */
#include "console.h"
#include <conio.h>
#include <io.h>
#include <windows.h>

static volatile LONG Stopped;

static BOOL WINAPI OnControl(DWORD Event)
{
    (void)Event;
    InterlockedExchange(&Stopped, 1);
    return TRUE;
}

void ConsoleBegin(void)
{
    SetConsoleCtrlHandler(OnControl, TRUE);
}

void ConsoleEnd(void)
{
    SetConsoleCtrlHandler(OnControl, FALSE);
}

int ConsoleIsTerminal(void)
{
    return _isatty(1);
}

int ConsoleStopped(void)
{
    return Stopped;
}

/* The console has no wait for a key that leaves other events alone. An arrow key is two: 0 or 0xE0
 * in front. */
int ConsoleKey(unsigned Milliseconds)
{
    DWORD Start = GetTickCount();
    int Key;

    do {
        if (_isatty(0) && _kbhit()) {
            Key = _getch();
            if (Key == 0 || Key == 0xE0) {
                _getch();
                Key = -1;
            }
            return Key;
        }
        Sleep(20);
    } while (!Stopped && GetTickCount() - Start < Milliseconds);
    return -1;
}
