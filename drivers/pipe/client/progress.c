/* How far a long transfer is. */
#include "pipeclient.h"
#include <stdio.h>

#define FIRST 1000 /* milliseconds before the first line, and between two */
#define NEXT 250

static BOOL IsTerminal(DWORD Which)
{
    DWORD Mode;

    return GetConsoleMode(GetStdHandle(Which), &Mode);
}

/* Not into the midst of the data, when those go to a terminal, too. */
void ProgressBegin(PIPE_PROGRESS *Progress, BOOL OutputIsData)
{
    Progress->Wanted =
        IsTerminal(STD_ERROR_HANDLE) && !(OutputIsData && IsTerminal(STD_OUTPUT_HANDLE));
    Progress->Shown = FALSE;
    Progress->Start = Progress->Last = ClientMilliseconds();
    Progress->Bytes = 0;
}

static void Show(PIPE_PROGRESS *Progress, ULONGLONG Now)
{
    double Mega = (double)Progress->Bytes / 1e6;

    fprintf(stderr, "\r%s: %.1f MB, %.1f MB/s  ", ClientName, Mega,
            Mega * 1000 / (double)(Now - Progress->Start));
    fflush(stderr);
    Progress->Last = Now;
    Progress->Shown = TRUE;
}

void ProgressAdd(PIPE_PROGRESS *Progress, DWORD Bytes)
{
    ULONGLONG Now;

    Progress->Bytes += Bytes;
    if (!Progress->Wanted)
        return;
    Now = ClientMilliseconds();
    if (Now - Progress->Start >= FIRST && Now - Progress->Last >= NEXT)
        Show(Progress, Now);
}

/* The last line is what has gone in all. */
void ProgressEnd(PIPE_PROGRESS *Progress)
{
    if (!Progress->Shown)
        return;
    Show(Progress, ClientMilliseconds());
    fprintf(stderr, "\n");
}
