/* What tests/kill.sh kills: maps SharingMemory's page, reads the clock there, and talks through the
 * pipe, until it is stopped. */
#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <winioctl.h>

LONG NTAPI RtlGetLastNtStatus(void);
#include "../drivers/pipe/public.h"
#include "../drivers/sharingmemory/public.h"

static const SHARED_CLOCK *map_clock(HANDLE *File)
{
    SHARED_CLOCK *Clock = NULL;
    DWORD Done;

    /* One client at a time: the device is exclusive. */
    do
        *File = CreateFileA(SHARINGMEMORY_PATH, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                            0, NULL);
    while (*File == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED);
    if (*File == INVALID_HANDLE_VALUE || !DeviceIoControl(*File, IOCTL_GIVE_ME_YOUR_MEMORY, NULL, 0,
                                                          &Clock, sizeof(Clock), &Done, NULL)) {
        fprintf(stderr, "no clock: file %p, error %u, status %08x\n", *File,
                (unsigned)GetLastError(), (unsigned)RtlGetLastNtStatus());
        return NULL;
    }
    return Clock;
}

static int talk(HANDLE Pipe, const char *Name)
{
    char Text[64], Back[64];
    DWORD Done;

    snprintf(Text, sizeof(Text), "%s says something", Name);
    if (!WriteFile(Pipe, Text, (DWORD)strlen(Text), &Done, NULL) || Done != strlen(Text))
        return 0;
    return ReadFile(Pipe, Back, sizeof(Back), &Done, NULL) && Done == strlen(Text) &&
           !memcmp(Text, Back, Done);
}

static int round_of(const char *Name)
{
    HANDLE File, Pipe;
    const SHARED_CLOCK *Clock = map_clock(&File);
    char Path[100];
    OVERLAPPED Wait = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    int Fine;

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s", Name);
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    Fine = Clock && Pipe != INVALID_HANDLE_VALUE && SharedClockRead(Clock) > 0;
    for (int i = 0; Fine && i < 20; i++)
        Fine = talk(Pipe, Name);
    if (!Fine)
        fprintf(stderr, "%s: clock %p, pipe %p, error %u\n", Name, (const void *)Clock, Pipe,
                (unsigned)GetLastError());
    CloseHandle(Wait.hEvent);
    CloseHandle(Pipe);
    CloseHandle(File);
    return Fine;
}

/* workload NAME [ROUNDS]: without a number, for ever. */
int main(int Count, char **Arguments)
{
    unsigned Rounds = 0, Wanted = 0;

    if (Count > 2)
        sscanf(Arguments[2], "%u", &Wanted);
    while (!Wanted || Rounds < Wanted) {
        if (!round_of(Arguments[1]))
            return 1;
        if (!Rounds++ && !Wanted) {
            puts("ready");
            fflush(stdout);
        }
    }
    return 0;
}
