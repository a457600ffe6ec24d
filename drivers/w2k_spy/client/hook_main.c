/* w2k_hook: a live log of native API calls. */
#include "device.h"
#include "pattern.h"
#include "../../common/console.h"
#include <ctype.h>
#include <string.h>

#define LINE 4096
#define IDLE_MILLISECONDS 10

static const char Usage[] =
    "usage: w2k_hook [--resume] [--no-filter] [--color=auto|always|never] PATTERN...\n\n"
    "Shows calls of native services whose name matches a pattern (* and ?, in any letter case): *, "
    "*key, nt*informationfile.\n"
    "A line is NUMBER:sSTATUS=Function(arguments)TIME,THREAD,HANDLES, in hexadecimal; each "
    "argument "
    "begins with its type.\n\n"
    "Keys: P pause and resume, F filter on and off, R reset, Esc exit. It begins paused, with the "
    "filter on: only handles\n"
    "that were seen to be opened are shown.\n\n"
    "  --resume     begin without a pause\n"
    "  --no-filter  show calls of all handles\n\n"
    "Exit codes: 0 ended, 2 usage, 3 the device failed, 20 no device, 21 its version, 10 to 14 the "
    "service.\n";

static struct {
    DEVICE Device;
    char **Patterns;
    int PatternCount;
    BOOL Colour, Resume, NoFilter;
    LONG Paused, Filter;
} Run;

static void Ink(const char *Code)
{
    if (Run.Colour)
        printf("\033[%sm", Code);
}

/* "12:s0=NtClose(-46C.18)…" with the name bright, and the status red if it is one. */
static void PrintCall(const char *Line, const char *Name, const char *End)
{
    const char *Status = strchr(Line, ':');
    BOOL Failed = Status && strncmp(Status, ":s0=", 4) != 0;

    if (!Run.Colour) {
        puts(Line);
        return;
    }
    Ink(Failed ? "31" : "2");
    printf("%.*s", (int)(Name - Line), Line);
    Ink("0;1");
    printf("%.*s", (int)(End - Name), Name);
    Ink("0");
    puts(End);
}

static void Show(const char *Line)
{
    const char *Name = strchr(Line, '='), *End = Name ? strchr(Name, '(') : NULL;

    if (*Line == '-') {
        Ink("36");
        printf("%s", Line);
        Ink("0");
        putchar('\n');
        return;
    }
    if (!End)
        return;
    Name++;
    for (int i = 0; i < Run.PatternCount; i++)
        if (PatternMatches(Run.Patterns[i], Name, (size_t)(End - Name))) {
            PrintCall(Line, Name, End);
            return;
        }
}

static BOOL Ask(DWORD Code, LONG New, void *Out)
{
    return DeviceAsk(&Run.Device, Code, &New, sizeof(New), Out, sizeof(ULONG));
}

static void Remark(const char *Text)
{
    char Line[128];
    int Length = snprintf(Line, sizeof(Line), "-%s\n", Text);

    DeviceAsk(&Run.Device, SPY_IO_HOOK_WRITE, Line, (DWORD)Length, NULL, 0);
}

/* The device's answer is the state before: the toggle sends the opposite of what it knows. */
static void Toggle(DWORD Code, LONG *State, const char *On, const char *Off)
{
    LONG New = !*State, Before;

    if (!Ask(Code, New, &Before))
        return;
    *State = New;
    Remark(New ? On : Off);
}

/* FALSE: enough. */
static BOOL Key(int Letter)
{
    switch (toupper(Letter)) {
    case 'P':
        Toggle(SPY_IO_HOOK_PAUSE, &Run.Paused, "paused", "resumed");
        break;
    case 'F':
        Toggle(SPY_IO_HOOK_FILTER, &Run.Filter, "filter on", "filter off");
        break;
    case 'R':
        if (DeviceAsk(&Run.Device, SPY_IO_HOOK_RESET, NULL, 0, NULL, 0))
            Remark("reset");
        break;
    case CONSOLE_ESCAPE:
        return FALSE;
    default:
        break;
    }
    return TRUE;
}

/* FALSE: the device failed. Drained: there was no line. */
static BOOL ReadLine(char *Line, BOOL *Drained)
{
    LONG Whole = TRUE;
    DWORD Returned = 0;

    *Line = 0;
    if (!Run.Device.Ask(Run.Device.Context, SPY_IO_HOOK_READ, &Whole, sizeof(Whole), Line, LINE,
                        &Returned))
        return FALSE;
    *Drained = Returned == 0;
    return TRUE;
}

static BOOL Watch(void)
{
    char Line[LINE];
    BOOL Drained;

    for (;;) {
        int Letter;

        if (!ReadLine(Line, &Drained))
            return FALSE;
        if (!Drained)
            Show(Line);
        else
            fflush(stdout);
        Letter = ConsoleKey(Drained ? IDLE_MILLISECONDS : 0);
        if (ConsoleStopped() || (Letter != -1 && !Key(Letter)))
            return TRUE;
    }
}

static void Address(const char *Name, const void *Value)
{
    printf("  %-20s 0x%0*llX\n", Name, (int)sizeof(PVOID) * 2,
           (unsigned long long)(ULONG_PTR)Value);
}

static BOOL Introduce(void)
{
    static SPY_HOOK_INFO Info;

    if (!DEVICE_GET(&Run.Device, SPY_IO_HOOK_INFO, &Info))
        return FALSE;
    printf("%s V%u.%02u\n", SPY_DISPLAY, SPY_VERSION / 100, SPY_VERSION % 100);
    Address("call slots", Info.psc);
    Address("protocol", Info.psp);
    Address("descriptor table", Info.psdt);
    Address("service table", Info.sdt.ntoskrnl.ServiceTable);
    printf("  %-20s %u\n", "services", (unsigned)Info.ServiceLimit);
    return TRUE;
}

static BOOL Install(void)
{
    LONG Before;
    ULONG Count;

    if (!Ask(SPY_IO_HOOK_PAUSE, TRUE, &Before) ||
        !Ask(SPY_IO_HOOK_FILTER, !Run.NoFilter, &Before) || !Ask(SPY_IO_HOOK_INSTALL, TRUE, &Count))
        return FALSE;
    Run.Paused = TRUE;
    Run.Filter = !Run.NoFilter;
    printf("  %-20s %u\n\n", "hooks", (unsigned)Count);
    if (Run.Resume)
        Toggle(SPY_IO_HOOK_PAUSE, &Run.Paused, "paused", "resumed");
    else
        puts("paused: P resumes, F filter, R reset, Esc exit");
    fflush(stdout);
    return TRUE;
}

static int Work(void)
{
    BOOL Good;
    ULONG Count;

    if (!Introduce() || !Install()) {
        ClientFails(GetLastError() == ERROR_BAD_COMMAND ? "somebody else has hooked the services"
                                                        : "the services cannot be hooked",
                    GetLastError());
        return SPY_EXIT_FAILED;
    }
    ConsoleBegin();
    Good = Watch();
    ConsoleEnd();
    if (!Good)
        ClientFails("the lines cannot be read", GetLastError());
    if (!Ask(SPY_IO_HOOK_REMOVE, FALSE, &Count)) {
        ClientFails("the hooks cannot be removed", GetLastError());
        return SPY_EXIT_FAILED;
    }
    printf("%u hooks removed\n", (unsigned)Count);
    return Good ? SPY_EXIT_OK : SPY_EXIT_FAILED;
}

static BOOL Take(const char *Argument)
{
    if (!strcmp(Argument, "--resume"))
        Run.Resume = TRUE;
    else if (!strcmp(Argument, "--no-filter"))
        Run.NoFilter = TRUE;
    else if (!strcmp(Argument, "--color=always"))
        Run.Colour = TRUE;
    else if (!strcmp(Argument, "--color=never"))
        Run.Colour = FALSE;
    else
        return !strcmp(Argument, "--color=auto");
    return TRUE;
}

int main(int Count, char **Arguments)
{
    int At = 1, Code;

    ClientName = "w2k_hook";
    Run.Colour = ConsoleIsTerminal();
    for (; At < Count && !strncmp(Arguments[At], "--", 2); At++)
        if (!Take(Arguments[At])) {
            fprintf(stderr, "w2k_hook: '%s' is not understood\n%s", Arguments[At], Usage);
            return SPY_EXIT_USAGE;
        }
    if (At == Count) {
        fputs(Usage, stderr);
        return SPY_EXIT_USAGE;
    }
    Run.Patterns = Arguments + At;
    Run.PatternCount = Count - At;
    Code = DeviceOpen(&Run.Device, GENERIC_READ | GENERIC_WRITE);
    if (Code)
        return Code;
    Code = Work();
    DeviceClose(&Run.Device);
    return Code;
}
