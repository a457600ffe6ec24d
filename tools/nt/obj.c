/* nt obj: the object manager's namespace. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>

static char *narrow(const UNICODE_STRING *Wide)
{
    ANSI_STRING Ansi;

    return RtlUnicodeStringToAnsiString(&Ansi, (PUNICODE_STRING)Wide, TRUE) >= 0 ? Ansi.Buffer
                                                                                 : strdup("?");
}

/* Where a symbolic link leads; malloc'd, NULL if it is none or may not be read. */
static char *target_of(HANDLE Root, PUNICODE_STRING Name)
{
    WCHAR Buffer[1024];
    UNICODE_STRING Target = {0, sizeof(Buffer), Buffer};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Link;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE, Root, NULL);
    if (NtOpenSymbolicLinkObject(&Link, 1, &Attributes) < 0)
        return NULL;
    Status = NtQuerySymbolicLinkObject(Link, &Target, NULL);
    NtClose(Link);
    return Status < 0 ? NULL : narrow(&Target);
}

static void one(HANDLE Directory, NATIVE_DIRECTORY_ENTRY *Entry, json_object *Out)
{
    char *Name = narrow(&Entry->Name), *Type = narrow(&Entry->TypeName);
    char *Target = strcmp(Type, "SymbolicLink") ? NULL : target_of(Directory, &Entry->Name);

    if (Out) {
        json_object *Line = json_object_new_object();

        add_text(Line, "name", Name);
        add_text(Line, "type", Type);
        if (Target)
            add_text(Line, "target", Target);
        json_object_array_add(Out, Line);
    } else {
        printf("%-16s %s%s%s\n", Type, Name, Target ? " -> " : "", Target ? Target : "");
    }
    free(Name);
    free(Type);
    free(Target);
}

static NTSTATUS list(HANDLE Directory, json_object *Out)
{
    char Buffer[4096];
    ULONG Context = 0, Returned;
    NTSTATUS Status;

    while ((Status = NtQueryDirectoryObject(Directory, Buffer, sizeof(Buffer), TRUE, FALSE,
                                            &Context, &Returned)) >= 0 &&
           Status != STATUS_NO_MORE_ENTRIES)
        one(Directory, (NATIVE_DIRECTORY_ENTRY *)Buffer, Out);
    return Status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : Status;
}

static int show_link(const struct verb *Verb, const char *Path, PUNICODE_STRING Name,
                     NTSTATUS Otherwise)
{
    char *Target = target_of(NULL, Name);

    if (!Target)
        return fail_status(Verb->Name, Path, Otherwise);
    puts(Target);
    free(Target);
    return EXIT_DONE;
}

int verb_obj(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json");
    const char *Path = Count > 1 ? Arguments[1] : "\\";
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ANSI_STRING Ansi;
    HANDLE Directory;
    json_object *Out;
    NTSTATUS Status;

    if (Count > 2)
        return usage(Verb);
    RtlInitAnsiString(&Ansi, Path);
    Status = RtlAnsiStringToUnicodeString(&Name, &Ansi, TRUE);
    if (Status < 0)
        return fail_status(Verb->Name, Path, Status);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtOpenDirectoryObject(&Directory, 1, &Attributes);
    if (Status < 0) {
        int Code = show_link(Verb, Path, &Name, Status);

        RtlFreeUnicodeString(&Name);
        return Code;
    }
    RtlFreeUnicodeString(&Name);
    Out = Json ? json_object_new_array() : NULL;
    Status = list(Directory, Out);
    NtClose(Directory);
    if (Json)
        print_json(Out);
    return Status < 0 ? fail_status(Verb->Name, Path, Status) : EXIT_DONE;
}
