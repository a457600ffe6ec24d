/* loader: registers and starts the pipe's driver, waits for Enter, stops and deletes it. */
#include "../../common/client.h"
#include "../public.h"
#include <stdio.h>
#include <string.h>

static const char Usage[] = "usage: loader [PATH] [--quiet] [--help]\n\n"
                            "Registers the driver (of that file) as the service Example, starts "
                            "it, waits for Enter, stops and deletes it.\n\n"
                            "Exit codes: 0 done, 2 usage, 10 no service manager, 11 cannot "
                            "register, 12 cannot start, 13 cannot stop, 14 cannot delete.\n";

#define HELP -1

/* 0, HELP, or 2 after a message. */
static int Parse(int Count, char **Arguments, const char **Path, BOOL *Quiet)
{
    for (int i = 1; i < Count; i++) {
        if (!strcmp(Arguments[i], "--quiet"))
            *Quiet = TRUE;
        else if (!strcmp(Arguments[i], "--help"))
            return fputs(Usage, stdout), HELP;
        else if (Arguments[i][0] != '-' && !*Path)
            *Path = Arguments[i];
        else {
            fprintf(stderr, "loader: '%s' is not understood\n%s", Arguments[i], Usage);
            return 2;
        }
    }
    return 0;
}

static void WaitForEnter(BOOL Quiet)
{
    int Letter;

    if (!Quiet)
        printf("The driver runs. Press Enter to stop it.\n");
    fflush(stdout);
    while ((Letter = getchar()) != '\n' && Letter != EOF)
        ;
}

int main(int Count, char **Arguments)
{
    CLIENT_SERVICE Service;
    const char *Path = NULL;
    BOOL Quiet = FALSE;
    int Code = Parse(Count, Arguments, &Path, &Quiet);

    ClientName = "loader";
    if (Code)
        return Code == HELP ? 0 : Code;
    Code = ClientServiceBegin(&Service, EXAMPLE_SERVICE, "Example Driver", "example", Path);
    if (Code)
        return Code;
    Service.Created = TRUE; /* it deletes what it found, too */
    Service.Started = TRUE;
    WaitForEnter(Quiet);
    Code = ClientServiceEnd(&Service);
    if (!Code && !Quiet)
        printf("The driver is stopped and its service deleted.\n");
    return Code;
}
