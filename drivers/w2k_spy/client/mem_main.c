/* w2k_mem: the memory spy's eyes. */
#include "mem.h"
#include "../../common/console.h"
#include <string.h>

/* TRUE: it was one of ours. */
static BOOL Take(const char *Argument, BOOL *Good)
{
    if (strncmp(Argument, "--", 2) != 0)
        return FALSE;
    *Good = TRUE;
    if (!strcmp(Argument, "--json"))
        Output.Json = TRUE;
    else if (!strcmp(Argument, "--color=always"))
        Output.Colour = TRUE;
    else if (!strcmp(Argument, "--color=never"))
        Output.Colour = FALSE;
    else
        *Good = !strcmp(Argument, "--color=auto");
    return TRUE;
}

int main(int Count, char **Arguments)
{
    DEVICE Device;
    ULONGLONG Requested;
    BOOL Good;
    int At = 1, Code;

    ClientName = "w2k_mem";
    Output.File = stdout;
    Output.Colour = Output.Progress = ConsoleIsTerminal();
    for (; At < Count && Take(Arguments[At], &Good); At++)
        if (!Good) {
            fprintf(stderr, "w2k_mem: '%s' is not understood\n%s", Arguments[At], OptionsUsage);
            return SPY_EXIT_USAGE;
        }
    if (At == Count) {
        fputs(OptionsUsage, stderr);
        return SPY_EXIT_USAGE;
    }
    Code = MemValidate(Count - At, Arguments + At, &Requested);
    if (Code)
        return Code;
    Code = DeviceOpen(&Device, GENERIC_READ);
    if (Code)
        return Code;
    Code = MemRun(&Device, Count - At, Arguments + At);
    DeviceClose(&Device);
    return Code;
}
