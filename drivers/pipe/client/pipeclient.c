/* Command line and opening. */
#include "pipeclient.h"
#include <stdio.h>
#include <string.h>

static BOOL TakeOption(int Count, char **Arguments, int *At, PIPE_OPTIONS *Options)
{
    const char *Option = Arguments[*At];

    if (!strcmp(Option, "--quiet"))
        Options->Quiet = TRUE;
    else if (!strcmp(Option, "--once"))
        Options->Once = TRUE;
    else if (!strcmp(Option, "--device") && *At + 1 < Count)
        Options->Device = Arguments[++*At];
    else if (!strcmp(Option, "--wait") && *At + 1 < Count)
        return ClientNumber(Arguments[++*At], 0, 86400, &Options->Seconds);
    else
        return FALSE;
    return TRUE;
}

/* One argument, with the value that may follow it. */
static BOOL Take(int Count, char **Arguments, int *At, PIPE_OPTIONS *Options)
{
    if (!strncmp(Arguments[*At], "--", 2))
        return TakeOption(Count, Arguments, At, Options);
    if (Options->Name)
        return FALSE;
    Options->Name = Arguments[*At];
    return TRUE;
}

BOOL PipeParse(int Count, char **Arguments, const char *Usage, PIPE_OPTIONS *Options)
{
    Options->Device = "Example";
    Options->Seconds = 10;
    for (int i = 1; i < Count; i++)
        if (!Take(Count, Arguments, &i, Options)) {
            fprintf(stderr, "%s: '%s' is not understood\n%s", ClientName, Arguments[i], Usage);
            return FALSE;
        }
    if (Options->Name)
        return TRUE;
    fprintf(stderr, "%s: the name of a pipe is missing\n%s", ClientName, Usage);
    return FALSE;
}

HANDLE PipeOpenByName(const PIPE_OPTIONS *Options)
{
    char Path[64 + EXAMPLE_NAME_LIMIT * 4], Text[sizeof(Path) + 32];
    int Length = snprintf(Path, sizeof(Path), "\\\\.\\%s%s%s", Options->Device,
                          *Options->Name ? "\\" : "", Options->Name);
    HANDLE Pipe = INVALID_HANDLE_VALUE;

    if (Length < 0 || (size_t)Length >= sizeof(Path)) {
        ClientFails("the name is too long", 0);
        return NULL;
    }
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Pipe != INVALID_HANDLE_VALUE)
        return Pipe;
    snprintf(Text, sizeof(Text), "cannot open %s", Path);
    ClientFails(Text, GetLastError());
    return NULL;
}

BOOL PipeState(HANDLE Pipe, EXAMPLE_STATE *State)
{
    DWORD Returned;

    return DeviceIoControl(Pipe, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0, State, sizeof(*State),
                           &Returned, NULL) &&
           Returned == sizeof(*State);
}

BOOL PipeIsFull(DWORD Error)
{
    return Error == ERROR_GEN_FAILURE || Error == ERROR_PIPE_BUSY;
}

BOOL PipeIsEmpty(DWORD Error)
{
    return Error == ERROR_INSUFFICIENT_BUFFER || Error == ERROR_NO_DATA;
}
