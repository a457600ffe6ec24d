/* nt log: the debug prints. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>

#define LINES 64

static int length_of(const USERNT_LOG_LINE *Line)
{
    int Length = Line->Length;

    while (Length && (Line->Text[Length - 1] == '\n' || Line->Text[Length - 1] == '\r'))
        Length--;
    return Length;
}

static void print_line(const USERNT_LOG_LINE *Line, int Json)
{
    FILETIME Time = {(DWORD)Line->Time, (DWORD)(Line->Time >> 32)}, Local;
    SYSTEMTIME Moment;
    int Length = length_of(Line);
    json_object *Out;
    char Clock[32];

    FileTimeToLocalFileTime(&Time, &Local);
    FileTimeToSystemTime(&Local, &Moment);
    snprintf(Clock, sizeof(Clock), "%02u:%02u:%02u.%03u", Moment.wHour, Moment.wMinute,
             Moment.wSecond, Moment.wMilliseconds);
    if (!Json) {
        printf("%s %-14s %.*s\n", Clock, Line->Driver[0] ? Line->Driver : "-", Length, Line->Text);
        return;
    }
    Out = json_object_new_object();
    add_number(Out, "sequence", Line->Sequence);
    add_text(Out, "time", Clock);
    add_text(Out, "driver", Line->Driver);
    add_number(Out, "process", Line->ProcessId);
    add_number(Out, "thread", Line->ThreadId);
    json_object_object_add(Out, "text", json_object_new_string_len(Line->Text, Length));
    puts(json_object_to_json_string_ext(Out,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(Out);
}

/* Lines from *Next on, which is the number after the last then; how many, or a status. */
static NTSTATUS read_lines(ULONG64 *Next, USERNT_LOG_LINE Lines[LINES])
{
    ULONG Returned = 0;
    NTSTATUS Status;

    memcpy(Lines, Next, sizeof(*Next));
    Status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)SystemUserNtLog, Lines,
                                      LINES * sizeof(Lines[0]), &Returned);
    if (Status < 0)
        return Status;
    Returned /= sizeof(Lines[0]);
    if (Returned)
        *Next = Lines[Returned - 1].Sequence + 1;
    return (NTSTATUS)Returned;
}

static NTSTATUS print_new(ULONG64 *Next, int Json)
{
    static USERNT_LOG_LINE Lines[LINES];
    NTSTATUS Count;

    while ((Count = read_lines(Next, Lines)) > 0)
        for (NTSTATUS i = 0; i < Count; i++)
            print_line(&Lines[i], Json);
    fflush(stdout);
    return Count;
}

/* A line of the kernel's own that names the file behind a slash: from the name on. */
static void explain_line(const char *Verb, const char *File, const USERNT_LOG_LINE *Line)
{
    char Text[sizeof(Line->Text) + 1];
    const char *Found;

    memcpy(Text, Line->Text, sizeof(Line->Text));
    Text[length_of(Line)] = '\0';
    Found = Line->Driver[0] ? NULL : strstr(Text, File);
    if (Found && Found != Text && Found[-1] == '/')
        fprintf(stderr, "nt %s: %s\n", Verb, Found);
}

void explain(const char *Verb, const char *File, ULONG64 Since)
{
    static USERNT_LOG_LINE Lines[LINES];
    ULONG64 Next = 0;
    NTSTATUS Count;

    while ((Count = read_lines(&Next, Lines)) > 0)
        for (NTSTATUS i = 0; i < Count; i++)
            if (Lines[i].Time >= Since)
                explain_line(Verb, File, &Lines[i]);
}

int verb_log(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Follow = take_flag(&Count, Arguments, "-f");
    ULONG64 Next = 0;
    ULONG Returned;
    NTSTATUS Status;

    if (Count != 1)
        return usage(Verb);
    do {
        Status = print_new(&Next, Json);
        if (Follow && Status >= 0)
            Status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)SystemUserNtWaitLog, &Next,
                                              sizeof(Next), &Returned);
    } while (Follow && Status >= 0);
    if (Follow && Status == STATUS_PORT_DISCONNECTED)
        return EXIT_DONE; /* the kernel has ended: there will be no more */
    return Status < 0 ? fail_status(Verb->Name, "cannot read the log", Status) : EXIT_DONE;
}
