/* A client with threads: each opens its own pipe, writes and reads, and waits for the others'
 * events. many NAME THREADS */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *Name;
static HANDLE Start;
static LONG Failures;

static int talk(HANDLE Pipe, unsigned Number)
{
    char Text[64], Back[64];
    DWORD Done;

    for (int i = 0; i < 25; i++) {
        DWORD Length = (DWORD)snprintf(Text, sizeof(Text), "%s %u %d", Name, Number, i);

        if (!WriteFile(Pipe, Text, Length, &Done, NULL) || Done != Length)
            return 0;
        if (!ReadFile(Pipe, Back, sizeof(Back), &Done, NULL) || Done != Length ||
            memcmp(Text, Back, Length))
            return 0;
    }
    return 1;
}

static DWORD WINAPI one(LPVOID Number)
{
    char Path[100];
    HANDLE Pipe;

    WaitForSingleObject(Start, INFINITE);
    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s-%u", Name, (unsigned)(ULONG_PTR)Number);
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Pipe == INVALID_HANDLE_VALUE || !talk(Pipe, (unsigned)(ULONG_PTR)Number)) {
        fprintf(stderr, "%s: error %u\n", Path, (unsigned)GetLastError());
        InterlockedIncrement(&Failures);
    }
    CloseHandle(Pipe);
    return 0;
}

int main(int Count, char **Arguments)
{
    HANDLE Threads[64];
    DWORD Number = Count > 2 ? (DWORD)atoi(Arguments[2]) : 8;

    Name = Arguments[1];
    Start = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (DWORD i = 0; i < Number; i++)
        if (!(Threads[i] = CreateThread(NULL, 0, one, (LPVOID)(ULONG_PTR)i, 0, NULL)))
            return 1;
    SetEvent(Start);
    if (WaitForMultipleObjects(Number, Threads, TRUE, INFINITE) != WAIT_OBJECT_0)
        return 1;
    return Failures != 0;
}
