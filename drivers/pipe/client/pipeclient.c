/* Command line, opening, and single requests. */
#include "pipeclient.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static BOOL TakesValue(const char *Option)
{
    return !strcmp(Option, "--device") || !strcmp(Option, "--only") || !strcmp(Option, "--wait");
}

static BOOL TakeValue(const char *Option, const char *Value, PIPE_OPTIONS *Options)
{
    if (!strcmp(Option, "--device"))
        Options->Device = Value;
    else if (!strcmp(Option, "--only"))
        Options->Only = Value;
    else
        return ClientNumber(Value, 0, 86400, &Options->Seconds);
    return TRUE;
}

static BOOL TakeOption(int Count, char **Arguments, int *At, PIPE_OPTIONS *Options)
{
    const char *Option = Arguments[*At];

    if (!strcmp(Option, "--quiet"))
        Options->Quiet = TRUE;
    else if (Options->Reads && !strcmp(Option, "--once"))
        Options->Once = TRUE;
    else if (!strcmp(Option, "--help"))
        Options->Help = TRUE;
    else
        return TakesValue(Option) && *At + 1 < Count &&
               TakeValue(Option, Arguments[++*At], Options);
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

static BOOL Refuse(const char *Text, const char *Usage)
{
    fprintf(stderr, "%s: %s\n%s", ClientName, Text, Usage);
    return FALSE;
}

BOOL PipeParse(int Count, char **Arguments, const char *Usage, PIPE_OPTIONS *Options)
{
    Options->Device = "Example";
    Options->Seconds = -1;
    for (int i = 1; i < Count; i++)
        if (!Take(Count, Arguments, &i, Options)) {
            fprintf(stderr, "%s: '%s' is not understood\n%s", ClientName, Arguments[i], Usage);
            return FALSE;
        }
    if (Options->Help)
        return fputs(Usage, stdout), TRUE;
    if (!Options->Name)
        return Refuse("the name of a pipe is missing", Usage);
    if (Options->Quiet && Options->Once)
        return Refuse("--quiet and --once exclude each other", Usage);
    return TRUE;
}

int PipeEndOutput(int Code)
{
    if (!fflush(stdout) && !ferror(stdout))
        return Code;
    ClientFails("cannot write standard output", 0);
    return EXIT_FAILED;
}

/* ---- one request ----------------------------------------------------------------------------- */

/* Started is what the call that began it returned. */
static BOOL Finish(HANDLE Pipe, BOOL Started, OVERLAPPED *Overlapped, DWORD *Done,
                   DWORD Milliseconds)
{
    if (!Started && GetLastError() != ERROR_IO_PENDING)
        return FALSE;
    if (!Started && WaitForSingleObject(Overlapped->hEvent, Milliseconds) == WAIT_TIMEOUT)
        CancelIo(Pipe); /* this thread has no other request on it */
    return GetOverlappedResult(Pipe, Overlapped, Done, TRUE);
}

static HANDLE NewEvent(OVERLAPPED *Overlapped)
{
    memset(Overlapped, 0, sizeof(*Overlapped));
    return Overlapped->hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static BOOL EndEvent(OVERLAPPED *Overlapped, BOOL Result)
{
    DWORD Error = GetLastError();

    CloseHandle(Overlapped->hEvent);
    SetLastError(Error);
    return Result;
}

BOOL PipeRead(HANDLE Pipe, void *Data, DWORD Length, DWORD *Done, DWORD Milliseconds)
{
    OVERLAPPED Overlapped;

    *Done = 0;
    return NewEvent(&Overlapped) &&
           EndEvent(&Overlapped, Finish(Pipe, ReadFile(Pipe, Data, Length, NULL, &Overlapped),
                                        &Overlapped, Done, Milliseconds));
}

BOOL PipeWrite(HANDLE Pipe, const void *Data, DWORD Length, DWORD *Done, DWORD Milliseconds)
{
    OVERLAPPED Overlapped;

    *Done = 0;
    return NewEvent(&Overlapped) &&
           EndEvent(&Overlapped, Finish(Pipe, WriteFile(Pipe, Data, Length, NULL, &Overlapped),
                                        &Overlapped, Done, Milliseconds));
}

static BOOL Control(HANDLE Pipe, DWORD Code, void *In, DWORD InLength, void *Out, DWORD OutLength,
                    DWORD Milliseconds)
{
    OVERLAPPED Overlapped;
    DWORD Done;

    return NewEvent(&Overlapped) &&
           EndEvent(&Overlapped, Finish(Pipe,
                                        DeviceIoControl(Pipe, Code, In, InLength, Out, OutLength,
                                                        NULL, &Overlapped),
                                        &Overlapped, &Done, Milliseconds));
}

ULONG PipeAwait(HANDLE Pipe, ULONG Conditions, DWORD Milliseconds)
{
    ULONG Now = 0;

    return Control(Pipe, IOCTL_EXAMPLE_WAIT, &Conditions, sizeof(Conditions), &Now, sizeof(Now),
                   Milliseconds)
               ? Now
               : 0;
}

BOOL PipeState(HANDLE Pipe, EXAMPLE_STATE *State)
{
    return Control(Pipe, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0, State, sizeof(*State), INFINITE);
}

static BOOL SetMode(HANDLE Pipe, ULONG Capacity, ULONG WhenFull, ULONG WhenEmpty)
{
    EXAMPLE_MODE Mode = {Capacity, WhenFull, WhenEmpty, EXAMPLE_KEEP};

    return Control(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0, INFINITE);
}

/* A larger ring is quicker. It is a matter of taste: one that somebody has chosen stays, and so
 * does one that cannot be changed now. */
static void Widen(HANDLE Pipe)
{
    EXAMPLE_STATE State;

    if (PipeState(Pipe, &State) && State.Mode.Capacity == EXAMPLE_CAPACITY)
        SetMode(Pipe, PIPE_BLOCK, EXAMPLE_KEEP, EXAMPLE_KEEP);
}

BOOL PipeSetPolicy(HANDLE Pipe, ULONG WhenFull, ULONG WhenEmpty)
{
    if (!SetMode(Pipe, 0, WhenFull, WhenEmpty)) {
        ClientFails("cannot set the mode of the pipe", GetLastError());
        return FALSE;
    }
    Widen(Pipe);
    return TRUE;
}

DWORD PipePatience(const PIPE_OPTIONS *Options)
{
    return Options->Seconds < 0 ? INFINITE : (DWORD)Options->Seconds * 1000;
}

BOOL PipeIsFull(DWORD Error)
{
    return Error == ERROR_GEN_FAILURE || Error == ERROR_PIPE_BUSY;
}

BOOL PipeIsEmpty(DWORD Error)
{
    return Error == ERROR_INSUFFICIENT_BUFFER || Error == ERROR_NO_DATA;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* "-NUMBER" */
static BOOL TakeNumber(const char **Text, unsigned long long Most, unsigned long long *Number)
{
    char *End;

    if (**Text != '-' || (*Text)[1] < '0' || (*Text)[1] > '9')
        return FALSE;
    *Number = strtoull(*Text + 1, &End, 0);
    *Text = End;
    return *Number <= Most;
}

/* S-1-5-32-544. The length in bytes; 0: it is none. */
static DWORD ParseSid(const char *Text, UCHAR Sid[8 + 4 * SID_MAX_SUB_AUTHORITIES])
{
    unsigned long long Number;
    ULONG Part;
    UCHAR Count = 0;

    if (strncmp(Text, "S-1", 3) && strncmp(Text, "s-1", 3))
        return 0;
    Text += 3;
    if (!TakeNumber(&Text, 0xFFFFFFFFFFFF, &Number))
        return 0;
    for (int i = 0; i < 6; i++)
        Sid[2 + i] = (UCHAR)(Number >> (40 - 8 * i));
    for (; *Text; Count++) {
        if (Count == SID_MAX_SUB_AUTHORITIES || !TakeNumber(&Text, 0xFFFFFFFF, &Number))
            return 0;
        Part = (ULONG)Number;
        memcpy(Sid + 8 + 4 * Count, &Part, sizeof(Part));
    }
    Sid[0] = SID_REVISION;
    Sid[1] = Count;
    return 8 + 4 * Count;
}

static BOOL Restrict(HANDLE Pipe, const char *Only)
{
    struct {
        EXAMPLE_RESTRICTION Head;
        UCHAR Sid[8 + 4 * SID_MAX_SUB_AUTHORITIES];
    } Wish = {{EXAMPLE_OWNER, 0}, {0}};
    DWORD Length = 0;

    if (strcmp(Only, "me")) {
        Wish.Head.Who = EXAMPLE_SID;
        Length = ParseSid(Only, Wish.Sid);
        if (!Length) {
            ClientFails("--only wants 'me' or a SID, such as S-1-5-32-544", 0);
            return FALSE;
        }
    }
    if (Control(Pipe, IOCTL_EXAMPLE_RESTRICT, &Wish, sizeof(Wish.Head) + Length, NULL, 0, INFINITE))
        return TRUE;
    ClientFails("cannot keep others out of the pipe", GetLastError());
    return FALSE;
}

static HANDLE Open(const char *Path, DWORD Access)
{
    char Text[96 + EXAMPLE_NAME_LIMIT * 4];
    HANDLE Pipe = CreateFileA(Path, Access, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);

    if (Pipe != INVALID_HANDLE_VALUE)
        return Pipe;
    snprintf(Text, sizeof(Text), "cannot open %s", Path);
    ClientFails(Text, GetLastError());
    return NULL;
}

HANDLE PipeOpenByName(const PIPE_OPTIONS *Options, DWORD Access)
{
    char Path[64 + EXAMPLE_NAME_LIMIT * 4];
    int Length = snprintf(Path, sizeof(Path), "\\\\.\\%s%s%s", Options->Device,
                          *Options->Name ? "\\" : "", Options->Name);
    HANDLE Pipe;

    if (Length < 0 || (size_t)Length >= sizeof(Path)) {
        ClientFails("the name is too long", 0);
        return NULL;
    }
    Pipe = Open(Path, Access);
    if (!Pipe || !Options->Only || Restrict(Pipe, Options->Only))
        return Pipe;
    CloseHandle(Pipe);
    return NULL;
}
