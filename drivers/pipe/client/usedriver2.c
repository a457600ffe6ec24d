/* usedriver2: writes lines into a pipe, each with its terminating NUL. */
#include "pipeclient.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] =
    "usage: usedriver2 NAME [--quiet] [--wait SECONDS] [--device DEVICE]\n\n"
    "Writes each line of standard input into the pipe \\\\.\\Example\\NAME. A line that begins "
    "with q or Q ends it.\n\n"
    "  --quiet          no prompts; every line is written, a full pipe is waited for, and at the "
    "end it stays until\n"
    "                   everything has been read\n"
    "  --wait SECONDS   how long (10)\n"
    "  --device DEVICE  Example, ExampleDirect or ExampleNeither\n\n"
    "Exit codes: 0 done, 1 not everything was written (or, quiet, read), 2 usage, 20 the pipe "
    "cannot be opened.\n";

/* A line without its end. FALSE: there is none. A longer one comes in pieces. */
static BOOL GetLine(char Line[PIPE_LINE])
{
    size_t Length;

    if (!fgets(Line, PIPE_LINE, stdin))
        return FALSE;
    Length = strlen(Line);
    while (Length && (Line[Length - 1] == '\n' || Line[Length - 1] == '\r'))
        Line[--Length] = 0;
    return TRUE;
}

static int Converse(HANDLE Pipe)
{
    char Line[PIPE_LINE];
    DWORD Written;

    for (;;) {
        printf("Text to send (q ends): ");
        fflush(stdout);
        if (!GetLine(Line) || Line[0] == 'q' || Line[0] == 'Q')
            return EXIT_DONE;
        if (WriteFile(Pipe, Line, (DWORD)strlen(Line) + 1, &Written, NULL))
            printf("%u bytes written\n", (unsigned)Written);
        else if (PipeIsFull(GetLastError()))
            printf("0 bytes written: the pipe is full\n");
        else {
            ClientFails("cannot write", GetLastError());
            return EXIT_FAILED;
        }
    }
}

/* All of it, in as many parts as the pipe takes. */
static BOOL WriteAll(HANDLE Pipe, const char *Data, DWORD Length, ULONGLONG Deadline)
{
    DWORD Written;

    while (Length) {
        if (WriteFile(Pipe, Data, Length, &Written, NULL)) {
            Data += Written;
            Length -= Written;
            continue;
        }
        if (!PipeIsFull(GetLastError()) || ClientMilliseconds() > Deadline) {
            ClientFails("cannot write", GetLastError());
            return FALSE;
        }
        Sleep(PIPE_PAUSE);
    }
    return TRUE;
}

/* The pipe goes with its last handle, and what is in it too. */
static int WaitUntilRead(HANDLE Pipe, ULONGLONG Deadline)
{
    EXAMPLE_STATE State;

    while (PipeState(Pipe, &State) && State.Used) {
        if (ClientMilliseconds() > Deadline) {
            fprintf(stderr, "%s: nobody has read the last %u bytes\n", ClientName,
                    (unsigned)State.Used);
            return EXIT_FAILED;
        }
        Sleep(PIPE_PAUSE);
    }
    return EXIT_DONE;
}

static int Pour(HANDLE Pipe, ULONGLONG Milliseconds)
{
    char Line[PIPE_LINE];

    while (GetLine(Line))
        if (!WriteAll(Pipe, Line, (DWORD)strlen(Line) + 1, ClientMilliseconds() + Milliseconds))
            return EXIT_FAILED;
    return WaitUntilRead(Pipe, ClientMilliseconds() + Milliseconds);
}

int main(int Count, char **Arguments)
{
    PIPE_OPTIONS Options = {0};
    HANDLE Pipe;
    int Code;

    ClientName = "usedriver2";
    if (!PipeParse(Count, Arguments, Usage, &Options))
        return EXIT_USAGE;
    Pipe = PipeOpenByName(&Options);
    if (!Pipe)
        return EXIT_NO_DEVICE;
    Code = Options.Quiet ? Pour(Pipe, (ULONGLONG)Options.Seconds * 1000) : Converse(Pipe);
    CloseHandle(Pipe);
    return Code;
}
