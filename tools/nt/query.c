/* nt status, pool, modules, handles, exports */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>

int verb_status(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Code;
    size_t Bytes;
    USERNT_STATUS *Status;
    json_object *Out;

    if (Count != 1)
        return usage(Verb);
    Status = query_system(Verb, SystemUserNtStatus, &Bytes, &Code);
    if (!Status)
        return Code;
    if (Json) {
        Out = json_object_new_object();
        add_number(Out, "uptime_ms", (Status->CurrentTime - Status->BootTime) / 10000);
#define NUMBER(name, field) add_number(Out, name, Status->field)
        NUMBER("processors", Processors), NUMBER("processes", Processes),
            NUMBER("threads", Threads);
        NUMBER("handles", Handles), NUMBER("modules", Modules), NUMBER("services", Services);
        NUMBER("total_bytes", TotalBytes), NUMBER("free_bytes", FreeBytes),
            NUMBER("paged_pool_bytes", PagedPoolBytes);
        NUMBER("nonpaged_pool_bytes", NonPagedPoolBytes), NUMBER("locked_bytes", LockedBytes),
            NUMBER("shared_bytes", SharedBytes);
        NUMBER("system_calls", SystemCalls), NUMBER("dispatches", Dispatches),
            NUMBER("dpcs", DpcsRun), NUMBER("clock_ticks", ClockTicks);
#undef NUMBER
        free(Status);
        return print_json(Out);
    }
    printf("up           %.1f s\n", (double)(Status->CurrentTime - Status->BootTime) / 1e7);
    printf("processors   %u\nprocesses    %u (%u threads, %u handles)\nmodules      %u\n",
           Status->Processors, Status->Processes, Status->Threads, Status->Handles,
           Status->Modules);
    printf("memory       %llu MiB, %llu MiB free\n", (unsigned long long)Status->TotalBytes >> 20,
           (unsigned long long)Status->FreeBytes >> 20);
    printf("pool         %llu bytes paged, %llu bytes non-paged\n",
           (unsigned long long)Status->PagedPoolBytes,
           (unsigned long long)Status->NonPagedPoolBytes);
    printf("system calls %llu of %u services\nDPCs run     %llu\n",
           (unsigned long long)Status->SystemCalls, Status->Services,
           (unsigned long long)Status->DpcsRun);
    free(Status);
    return EXIT_DONE;
}

struct pool_tag {
    char Tag[4];
    ULONG PagedAllocs, PagedFrees;
    SIZE_T PagedUsed;
    ULONG NonPagedAllocs, NonPagedFrees;
    SIZE_T NonPagedUsed;
};
struct pool_tags {
    ULONG Count;
    struct pool_tag Tag[];
};

static int by_tag(const void *A, const void *B)
{
    return memcmp(((const struct pool_tag *)A)->Tag, ((const struct pool_tag *)B)->Tag, 4);
}

static json_object *pool_line(const char *Tag, const char *Type, ULONG Allocs, ULONG Frees,
                              SIZE_T Used)
{
    json_object *Line = json_object_new_object();

    add_text(Line, "tag", Tag);
    add_text(Line, "type", Type);
    add_number(Line, "allocs", Allocs);
    add_number(Line, "frees", Frees);
    add_number(Line, "live", Allocs - Frees);
    add_number(Line, "bytes", Used);
    return Line;
}

static void one_pool(json_object *Out, const char *Tag, const char *Type, ULONG Allocs, ULONG Frees,
                     SIZE_T Used)
{
    if (!Allocs)
        return;
    if (Out)
        json_object_array_add(Out, pool_line(Tag, Type, Allocs, Frees, Used));
    else
        printf("%-4s %-5s %12u %12u %8u %14zu\n", Tag, Type, Allocs, Frees, Allocs - Frees,
               (size_t)Used);
}

int verb_pool(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Code;
    size_t Bytes;
    struct pool_tags *Tags;
    json_object *Out;

    if (Count != 1)
        return usage(Verb);
    Tags = query_system(Verb, 22, &Bytes, &Code);
    if (!Tags)
        return Code;
    qsort(Tags->Tag, Tags->Count, sizeof(Tags->Tag[0]), by_tag);
    Out = Json ? json_object_new_array() : NULL;
    if (!Json)
        printf("%-4s %-5s %12s %12s %8s %14s\n", "Tag", "Type", "Allocs", "Frees", "Live", "Bytes");
    for (ULONG i = 0; i < Tags->Count; i++) {
        struct pool_tag *Tag = &Tags->Tag[i];
        char Text[5] = {Tag->Tag[0], Tag->Tag[1], Tag->Tag[2], Tag->Tag[3], 0};

        for (int At = 0; At < 4; At++)
            if (Text[At] < ' ' || Text[At] > '~')
                Text[At] = Text[At] ? '.' : ' ';
        one_pool(Out, Text, "Paged", Tag->PagedAllocs, Tag->PagedFrees, Tag->PagedUsed);
        one_pool(Out, Text, "Nonp", Tag->NonPagedAllocs, Tag->NonPagedFrees, Tag->NonPagedUsed);
    }
    free(Tags);
    return Json ? print_json(Out) : EXIT_DONE;
}

int verb_modules(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Code;
    size_t Bytes;
    USERNT_MODULE *Modules;
    json_object *Out = NULL;

    if (Count != 1)
        return usage(Verb);
    Modules = query_system(Verb, SystemUserNtModules, &Bytes, &Code);
    if (!Modules)
        return Code;
    if (Json)
        Out = json_object_new_array();
    else
        printf("%-18s %10s %5s  %-24s %s\n", "Base", "Size", "Uses", "Name", "File");
    for (size_t i = 0; i < Bytes / sizeof(*Modules); i++) {
        USERNT_MODULE *Module = &Modules[i];
        json_object *Line;

        if (!Json) {
            printf("0x%016llx 0x%08x %5u  %-24s %s%s\n", (unsigned long long)Module->Base,
                   Module->Size, Module->UseCount, Module->Name, Module->HostPath,
                   Module->UnloadPending ? " (stopping)" : "");
            continue;
        }
        Line = json_object_new_object();
        add_text(Line, "name", Module->Name);
        add_address(Line, "base", Module->Base);
        add_number(Line, "size", Module->Size);
        add_number(Line, "uses", Module->UseCount);
        add_text(Line, "file", Module->HostPath);
        json_object_object_add(Line, "stopping", json_object_new_boolean(Module->UnloadPending));
        json_object_array_add(Out, Line);
    }
    free(Modules);
    return Json ? print_json(Out) : EXIT_DONE;
}

struct handle_entry {
    PVOID Object;
    ULONG_PTR ProcessId, Handle;
    ULONG Access;
    USHORT BackTrace, Type;
    ULONG Attributes, Reserved;
};
struct handle_list {
    ULONG_PTR Count, Reserved;
    struct handle_entry Entry[];
};

int verb_handles(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Code;
    size_t Bytes;
    struct handle_list *List;
    json_object *Out = NULL;

    if (Count != 1)
        return usage(Verb);
    List = query_system(Verb, 64, &Bytes, &Code);
    if (!List)
        return Code;
    if (Json)
        Out = json_object_new_array();
    else
        printf("%8s %10s %4s %10s %s\n", "Process", "Handle", "Type", "Access", "Object");
    for (ULONG_PTR i = 0; i < List->Count; i++) {
        struct handle_entry *Entry = &List->Entry[i];
        json_object *Line;

        if (!Json) {
            printf("%8llu 0x%08llx %4u 0x%08x %p\n", (unsigned long long)Entry->ProcessId,
                   (unsigned long long)(ULONG)Entry->Handle, Entry->Type, Entry->Access,
                   Entry->Object);
            continue;
        }
        Line = json_object_new_object();
        add_number(Line, "process", Entry->ProcessId);
        add_address(Line, "handle", (ULONG)Entry->Handle);
        add_number(Line, "type", Entry->Type);
        add_address(Line, "access", Entry->Access);
        add_address(Line, "object", (ULONG_PTR)Entry->Object);
        json_object_array_add(Out, Line);
    }
    if (!Json)
        printf("%llu handles\n", (unsigned long long)List->Count);
    free(List);
    return Json ? print_json(Out) : EXIT_DONE;
}

static const struct demand {
    const char *Name, *Needs; /* "-": the kernel alone */
    int Drivers, Implemented;
} Demand[] = {
#define DEMAND(drivers, name, needs, implemented) {#name, needs, drivers, implemented},
#include "demand.inc"
#undef DEMAND
};
#define DEMANDS (sizeof(Demand) / sizeof(Demand[0]))

static int print_coverage(int Json)
{
    json_object *Out = json_object_new_object(), *Absent = json_object_new_array();
    int Names = 0, All = 0, Covered = 0;

    for (size_t i = 0; i < DEMANDS; i++) {
        All += Demand[i].Drivers;
        Names += Demand[i].Implemented;
        Covered += Demand[i].Implemented ? Demand[i].Drivers : 0;
        if (!Demand[i].Implemented)
            json_object_array_add(Absent, json_object_new_string(Demand[i].Name));
    }
    add_number(Out, "names", DEMANDS), add_number(Out, "names_implemented", Names);
    add_number(Out, "imports", All), add_number(Out, "imports_covered", Covered);
    json_object_object_add(Out, "absent", Absent);
    if (Json)
        return print_json(Out);
    json_object_put(Out);
    for (size_t i = 0; i < DEMANDS; i++)
        if (!Demand[i].Implemented)
            printf("%4d %-36s %s\n", Demand[i].Drivers, Demand[i].Name,
                   *Demand[i].Needs == '-' ? "" : Demand[i].Needs);
    printf("%d of the %zu names that 260 drivers import are implemented (absent: above, with the "
           "number of drivers): %.1f %% of their %d imports\n",
           Names, DEMANDS, 100.0 * Covered / All, All);
    return EXIT_DONE;
}

int verb_exports(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json"), Code;
    int Coverage = take_flag(&Count, Arguments, "--coverage");
    size_t Bytes;
    char *Names, *Next = NULL;
    json_object *Out;

    if (Count != 1)
        return usage(Verb);
    if (Coverage)
        return print_coverage(Json);
    Names = query_system(Verb, SystemUserNtExports, &Bytes, &Code);
    if (!Names)
        return Code;
    if (!Json) {
        fwrite(Names, 1, strnlen(Names, Bytes), stdout);
        free(Names);
        return EXIT_DONE;
    }
    Out = json_object_new_array();
    for (char *Name = strtok_r(Names, "\n", &Next); Name; Name = strtok_r(NULL, "\n", &Next))
        json_object_array_add(Out, json_object_new_string(Name));
    free(Names);
    return print_json(Out);
}
