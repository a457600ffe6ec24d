/* usedriver3: reads a pipe, by hand, showing every text in it, or into standard output as it is. */
#include "pipeclient.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] =
    "usage: usedriver3 NAME [--quiet | --once] [--wait SECONDS] [--only WHO] [--device DEVICE]\n\n"
    "Reads up to 256 bytes from the pipe \\\\.\\Example\\NAME each time Enter is pressed; q or Q "
    "ends it.\n\n"
    "  --quiet          no prompts: writes to standard output what comes, and ends when the last "
    "writer has gone\n"
    "  --once           no prompts: writes what is in the pipe now, each text as a line, and ends\n"
    "  --wait SECONDS   how long --quiet waits for the first writer; without it, for ever\n"
    "  --only WHO       me: nobody else may open the pipe; a SID: and who has that one\n"
    "  --device DEVICE  Example, ExampleDirect or ExampleNeither\n"
    "  --help           shows this\n\n"
    "Exit codes: 0 done, 1 cannot read, or there was nothing (once) or nobody (quiet), 2 usage, 20 "
    "the pipe cannot be opened.\n";

/* What one read gave: any number of texts; the last may lack its NUL. */
static void ShowTexts(const char *Data, DWORD Length)
{
    DWORD At = 0, Text;

    printf("%u bytes read:", (unsigned)Length);
    while (At < Length) {
        for (Text = At; Text < Length && Data[Text]; Text++)
            ;
        printf(" \"%.*s\"", (int)(Text - At), Data + At);
        At = Text + 1;
    }
    printf("%s\n", Length ? "" : " \"\"");
}

static BOOL AskUser(void)
{
    char Line[64];
    int Letter;

    printf("Enter reads (q ends): ");
    fflush(stdout);
    if (!fgets(Line, sizeof(Line), stdin))
        return FALSE;
    if (!strchr(Line, '\n'))
        while ((Letter = getchar()) != '\n' && Letter != EOF)
            ;
    return Line[0] != 'q' && Line[0] != 'Q';
}

static int Converse(HANDLE Pipe, DWORD Patience)
{
    char Data[PIPE_READ];
    DWORD Length;

    while (AskUser()) {
        if (PipeRead(Pipe, Data, sizeof(Data), &Length, Patience) ||
            GetLastError() == ERROR_MORE_DATA || PipeIsEmpty(GetLastError())) {
            ShowTexts(Data, Length);
            continue;
        }
        ClientFails("cannot read", GetLastError());
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* A NUL ends a line; a text may come in several reads. */
static void WriteLines(const char *Data, DWORD Length)
{
    for (DWORD i = 0; i < Length; i++)
        putchar(Data[i] ? Data[i] : '\n');
}

/* A pipe whose reads wait has nothing if one would wait. */
static BOOL IsNothing(DWORD Error)
{
    return PipeIsEmpty(Error) || Error == ERROR_OPERATION_ABORTED || Error == ERROR_BROKEN_PIPE;
}

static int ReadOnce(HANDLE Pipe)
{
    char Data[PIPE_READ];
    DWORD Length;
    BOOL Any = FALSE;

    while (PipeRead(Pipe, Data, sizeof(Data), &Length, 0) || GetLastError() == ERROR_MORE_DATA) {
        WriteLines(Data, Length);
        Any = TRUE;
    }
    if (!IsNothing(GetLastError()))
        ClientFails("cannot read", GetLastError());
    return Any && IsNothing(GetLastError()) ? EXIT_DONE : EXIT_FAILED;
}

static BOOL WriteOutput(const char *Data, DWORD Length)
{
    DWORD Written;

    while (Length) {
        if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), Data, Length, &Written, NULL)) {
            ClientFails("cannot write standard output", GetLastError());
            return FALSE;
        }
        Data += Written;
        Length -= Written;
    }
    return TRUE;
}

static int Drain(HANDLE Pipe, PIPE_PROGRESS *Progress)
{
    static char Data[PIPE_BLOCK];
    DWORD Length;

    while (PipeRead(Pipe, Data, sizeof(Data), &Length, INFINITE) ||
           GetLastError() == ERROR_MORE_DATA) {
        if (!WriteOutput(Data, Length))
            return EXIT_FAILED;
        ProgressAdd(Progress, Length);
    }
    if (GetLastError() ==
        ERROR_BROKEN_PIPE) /* the last writer has gone, and there is nothing left */
        return EXIT_DONE;
    ClientFails("cannot read", GetLastError());
    return EXIT_FAILED;
}

static int Stream(HANDLE Pipe, DWORD Patience)
{
    PIPE_PROGRESS Progress;
    int Code;

    if (!PipeSetPolicy(Pipe, EXAMPLE_KEEP, EXAMPLE_EMPTY_WAIT))
        return EXIT_FAILED;
    if (!PipeAwait(Pipe, EXAMPLE_HAS_WRITERS | EXAMPLE_NO_WRITERS, Patience)) {
        ClientFails("nobody has written anything", 0);
        return EXIT_FAILED;
    }
    ProgressBegin(&Progress, TRUE);
    Code = Drain(Pipe, &Progress);
    ProgressEnd(&Progress);
    return Code;
}

static int Run(HANDLE Pipe, const PIPE_OPTIONS *Options)
{
    if (Options->Quiet)
        return Stream(Pipe, PipePatience(Options));
    return PipeEndOutput(Options->Once ? ReadOnce(Pipe) : Converse(Pipe, PipePatience(Options)));
}

int main(int Count, char **Arguments)
{
    PIPE_OPTIONS Options = {.Reads = TRUE};
    HANDLE Pipe;
    int Code;

    ClientName = "usedriver3";
    if (!PipeParse(Count, Arguments, Usage, &Options))
        return EXIT_USAGE;
    if (Options.Help)
        return EXIT_DONE;
    Pipe = PipeOpenByName(&Options, Options.Quiet || Options.Once ? GENERIC_READ
                                                                  : GENERIC_READ | GENERIC_WRITE);
    if (!Pipe)
        return EXIT_NO_DEVICE;
    Code = Run(Pipe, &Options);
    CloseHandle(Pipe);
    return Code;
}
