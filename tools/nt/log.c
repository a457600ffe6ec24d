/* nt log: the debug prints. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>

#define LINES 64

static void print_line(const USERNT_LOG_LINE *Line, int Json)
{
    FILETIME Time = {(DWORD)Line->Time, (DWORD)(Line->Time >> 32)}, Local;
    SYSTEMTIME Moment;
    int Length = Line->Length;
    json_object *Out;
    char Clock[32];

    FileTimeToLocalFileTime(&Time, &Local);
    FileTimeToSystemTime(&Local, &Moment);
    snprintf(Clock, sizeof(Clock), "%02u:%02u:%02u.%03u", Moment.wHour, Moment.wMinute,
             Moment.wSecond, Moment.wMilliseconds);
    while (Length && (Line->Text[Length - 1] == '\n' || Line->Text[Length - 1] == '\r'))
        Length--;
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

/* What is there from *Next on; *Next is the number after the last. */
static NTSTATUS print_new(ULONG64 *Next, int Json)
{
    static USERNT_LOG_LINE Lines[LINES];
    NTSTATUS Status;
    ULONG Returned;

    do {
        Returned = 0;
        memcpy(Lines, Next, sizeof(*Next));
        Status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)SystemUserNtLog, Lines,
                                          sizeof(Lines), &Returned);
        for (ULONG i = 0; Status >= 0 && i < Returned / sizeof(Lines[0]); i++) {
            print_line(&Lines[i], Json);
            *Next = Lines[i].Sequence + 1;
        }
    } while (Status >= 0 && Returned);
    fflush(stdout);
    return Status;
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
