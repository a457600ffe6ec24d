/* usedriver3: reads a pipe and shows every text in it. */
#include "pipeclient.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] =
    "usage: usedriver3 NAME [--quiet | --once] [--wait SECONDS] [--device DEVICE]\n\n"
    "Reads up to 256 bytes from the pipe \\\\.\\Example\\NAME each time Enter is pressed; q or Q "
    "ends it.\n\n"
    "  --quiet          no prompts: writes each text as a line, and ends when the writers have "
    "gone\n"
    "  --once           no prompts: writes what is in the pipe now as lines, and ends\n"
    "  --wait SECONDS   how long --quiet waits for the first writer (10)\n"
    "  --device DEVICE  Example, ExampleDirect or ExampleNeither\n\n"
    "Exit codes: 0 done, 1 cannot read, or (quiet, once) there was nothing, 2 usage, 20 the pipe "
    "cannot be opened.\n";

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

static int Converse(HANDLE Pipe)
{
    char Data[PIPE_READ];
    DWORD Length;

    while (AskUser()) {
        Length = 0;
        if (ReadFile(Pipe, Data, sizeof(Data), &Length, NULL) ||
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

/* Everything that is there. 1: something was, 0: nothing, -1: failed. */
static int ReadAll(HANDLE Pipe)
{
    char Data[PIPE_READ];
    DWORD Length;
    int Any = 0;

    while (ReadFile(Pipe, Data, sizeof(Data), &Length, NULL) || GetLastError() == ERROR_MORE_DATA) {
        WriteLines(Data, Length);
        Any = 1;
    }
    if (PipeIsEmpty(GetLastError()))
        return Any;
    ClientFails("cannot read", GetLastError());
    return -1;
}

/* The state is asked for before the read: who has gone by then has written everything. */
static int Drain(HANDLE Pipe, ULONGLONG Deadline)
{
    EXAMPLE_STATE State;
    BOOL Met = FALSE;
    int Any;

    for (;;) {
        if (!PipeState(Pipe, &State)) {
            ClientFails("cannot ask for the state of the pipe", GetLastError());
            return EXIT_FAILED;
        }
        Any = ReadAll(Pipe);
        Met |= Any > 0 || State.Handles > 1;
        if (Any < 0)
            return EXIT_FAILED;
        if (!Any && State.Handles == 1 && Met)
            return EXIT_DONE;
        if (!Met && ClientMilliseconds() > Deadline) {
            ClientFails("nobody has written anything", 0);
            return EXIT_FAILED;
        }
        if (!Any)
            Sleep(PIPE_PAUSE);
    }
}

static int Run(HANDLE Pipe, const PIPE_OPTIONS *Options)
{
    if (Options->Once)
        return ReadAll(Pipe) > 0 ? EXIT_DONE : EXIT_FAILED;
    if (Options->Quiet)
        return Drain(Pipe, ClientMilliseconds() + (ULONGLONG)Options->Seconds * 1000);
    return Converse(Pipe);
}

int main(int Count, char **Arguments)
{
    PIPE_OPTIONS Options = {0};
    HANDLE Pipe;
    int Code;

    ClientName = "usedriver3";
    if (!PipeParse(Count, Arguments, Usage, &Options))
        return EXIT_USAGE;
    Pipe = PipeOpenByName(&Options);
    if (!Pipe)
        return EXIT_NO_DEVICE;
    Code = Run(Pipe, &Options);
    fflush(stdout);
    CloseHandle(Pipe);
    return Code;
}
