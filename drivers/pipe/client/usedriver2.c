/* usedriver2: writes into a pipe, lines by hand, or standard input as it is. */
#include "pipeclient.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] =
    "usage: usedriver2 NAME [--quiet] [--wait SECONDS] [--only WHO] [--device DEVICE]\n\n"
    "Writes each line of standard input into the pipe \\\\.\\Example\\NAME, with a NUL at its end. "
    "A "
    "line that begins with q\nor Q ends it.\n\n"
    "  --quiet          no prompts: writes standard input as it is, waits while the pipe is full, "
    "and "
    "at the end until\n"
    "                   everything has been read\n"
    "  --wait SECONDS   gives up when nobody has read anything for that long\n"
    "  --only WHO       me: nobody else may open the pipe; a SID: and who has that one\n"
    "  --device DEVICE  Example, ExampleDirect or ExampleNeither\n"
    "  --help           shows this\n\n"
    "Exit codes: 0 done, 1 not everything was written (or, quiet, read), 2 usage, 20 the pipe "
    "cannot be opened.\n";

/* What is left of a line that was as long as the buffer. FALSE: its end only. */
static BOOL GoesOn(void)
{
    int Letter = getchar();

    if (Letter == '\r')
        Letter = getchar();
    if (Letter == '\n' || Letter == EOF)
        return FALSE;
    ungetc(Letter, stdin);
    return TRUE;
}

/* A line without its end. FALSE: there is none. A longer one comes in pieces; Goes tells of a
 * piece whether another follows. */
static BOOL GetLine(char Line[PIPE_LINE], BOOL *Goes)
{
    size_t Length;

    if (!fgets(Line, PIPE_LINE, stdin))
        return FALSE;
    Length = strlen(Line);
    *Goes = Length == PIPE_LINE - 1 && Line[Length - 1] != '\n' && GoesOn();
    while (Length && (Line[Length - 1] == '\n' || Line[Length - 1] == '\r'))
        Line[--Length] = 0;
    return TRUE;
}

/* The next text. FALSE: the user ends it; a piece of a longer line does not. */
static BOOL AskUser(char Line[PIPE_LINE], BOOL *Goes)
{
    BOOL Piece = *Goes;

    if (!Piece)
        printf("Text to send (q ends): ");
    fflush(stdout);
    return GetLine(Line, Goes) && (Piece || (Line[0] != 'q' && Line[0] != 'Q'));
}

static int Converse(HANDLE Pipe, DWORD Patience)
{
    char Line[PIPE_LINE];
    BOOL Goes = FALSE;
    DWORD Written;

    for (;;) {
        if (!AskUser(Line, &Goes))
            return EXIT_DONE;
        if (PipeWrite(Pipe, Line, (DWORD)strlen(Line) + 1, &Written, Patience))
            printf("%u bytes written\n", (unsigned)Written);
        else if (PipeIsFull(GetLastError()))
            printf("0 bytes written: the pipe is full\n");
        else {
            ClientFails("cannot write", GetLastError());
            return EXIT_FAILED;
        }
    }
}

static void CannotWrite(void)
{
    switch (GetLastError()) {
    case ERROR_BROKEN_PIPE:
        ClientFails("cannot write: the reader has gone", 0);
        break;
    case ERROR_OPERATION_ABORTED:
        ClientFails("cannot write: nobody reads", 0);
        break;
    default:
        ClientFails("cannot write", GetLastError());
    }
}

static BOOL WriteAll(HANDLE Pipe, const char *Data, DWORD Length, DWORD Patience,
                     PIPE_PROGRESS *Progress)
{
    DWORD Written;

    while (Length) {
        if (!PipeWrite(Pipe, Data, Length, &Written, Patience)) {
            CannotWrite();
            return FALSE;
        }
        Data += Written;
        Length -= Written;
        ProgressAdd(Progress, Written);
    }
    return TRUE;
}

/* Standard input, whatever it is. 0 bytes: its end. */
static BOOL ReadInput(char *Data, DWORD *Length)
{
    if (ReadFile(GetStdHandle(STD_INPUT_HANDLE), Data, PIPE_BLOCK, Length, NULL))
        return TRUE;
    *Length = 0;
    if (GetLastError() == ERROR_BROKEN_PIPE)
        return TRUE;
    ClientFails("cannot read standard input", GetLastError());
    return FALSE;
}

/* 0: for that long nobody has read anything. */
static ULONG AwaitDrained(HANDLE Pipe, DWORD Patience)
{
    EXAMPLE_STATE State = {.Used = 0};
    ULONG Before, Now;

    PipeState(Pipe, &State);
    do {
        Before = State.Used;
        Now = PipeAwait(Pipe, EXAMPLE_DRAINED | EXAMPLE_NO_READERS, Patience);
    } while (!Now && PipeState(Pipe, &State) && State.Used < Before);
    return Now;
}

/* The pipe goes with its last handle, and what is in it too. Nothing at all is something that a
 * reader must come for as well. */
static int WaitUntilRead(HANDLE Pipe, DWORD Patience)
{
    EXAMPLE_STATE State;
    ULONG Now = PipeAwait(Pipe, EXAMPLE_HAS_READERS | EXAMPLE_NO_READERS, Patience);

    if (Now)
        Now = AwaitDrained(Pipe, Patience);
    if (Now & EXAMPLE_DRAINED)
        return EXIT_DONE;
    if (!PipeState(Pipe, &State)) {
        ClientFails("cannot ask for the state of the pipe", GetLastError());
        return EXIT_FAILED;
    }
    fprintf(stderr, "%s: %s the last %u bytes\n", ClientName,
            Now & EXAMPLE_NO_READERS ? "the reader has gone without" : "nobody has read",
            (unsigned)State.Used);
    return EXIT_FAILED;
}

static int Pour(HANDLE Pipe, DWORD Patience, PIPE_PROGRESS *Progress)
{
    static char Data[PIPE_BLOCK];
    DWORD Length;

    do {
        if (!ReadInput(Data, &Length) || !WriteAll(Pipe, Data, Length, Patience, Progress))
            return EXIT_FAILED;
    } while (Length);
    return WaitUntilRead(Pipe, Patience);
}

static int Stream(HANDLE Pipe, DWORD Patience)
{
    PIPE_PROGRESS Progress;
    int Code;

    if (!PipeSetPolicy(Pipe, EXAMPLE_FULL_WAIT, EXAMPLE_KEEP))
        return EXIT_FAILED;
    ProgressBegin(&Progress, FALSE);
    Code = Pour(Pipe, Patience, &Progress);
    ProgressEnd(&Progress);
    return Code;
}

int main(int Count, char **Arguments)
{
    PIPE_OPTIONS Options = {0};
    HANDLE Pipe;
    int Code;

    ClientName = "usedriver2";
    if (!PipeParse(Count, Arguments, Usage, &Options))
        return EXIT_USAGE;
    if (Options.Help)
        return EXIT_DONE;
    Pipe = PipeOpenByName(&Options, Options.Quiet ? GENERIC_WRITE : GENERIC_READ | GENERIC_WRITE);
    if (!Pipe)
        return EXIT_NO_DEVICE;
    Code = Options.Quiet ? Stream(Pipe, PipePatience(&Options))
                         : PipeEndOutput(Converse(Pipe, PipePatience(&Options)));
    CloseHandle(Pipe);
    return Code;
}
