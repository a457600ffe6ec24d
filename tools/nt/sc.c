/* nt sc: services, one step at a time. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>
#include <winsvc.h>

static const char *state_name(DWORD State)
{
    return State == SERVICE_RUNNING        ? "running"
           : State == SERVICE_STOP_PENDING ? "stopping"
                                           : "stopped";
}

static int with_service(const struct verb *Verb, const char *Name, DWORD Access,
                        int (*Do)(const struct verb *, SC_HANDLE, const char *))
{
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE Service = Manager ? OpenServiceA(Manager, Name, Access) : NULL;
    int Code = Service ? Do(Verb, Service, Name) : fail(Verb->Name, Name);

    if (Service)
        CloseServiceHandle(Service);
    if (Manager)
        CloseServiceHandle(Manager);
    return Code;
}

static int start(const struct verb *Verb, SC_HANDLE Service, const char *Name)
{
    return StartServiceA(Service, 0, NULL) ? EXIT_DONE : fail(Verb->Name, Name);
}

static int stop(const struct verb *Verb, SC_HANDLE Service, const char *Name)
{
    SERVICE_STATUS Status;

    if (!ControlService(Service, SERVICE_CONTROL_STOP, &Status))
        return fail(Verb->Name, Name);
    printf("%s: %s\n", Name, state_name(Status.dwCurrentState));
    return EXIT_DONE;
}

static int delete (const struct verb *Verb, SC_HANDLE Service, const char *Name)
{
    return DeleteService(Service) ? EXIT_DONE : fail(Verb->Name, Name);
}

static int query(const struct verb *Verb, SC_HANDLE Service, const char *Name)
{
    SERVICE_STATUS Status;

    if (!QueryServiceStatus(Service, &Status))
        return fail(Verb->Name, Name);
    printf("%s: %s\n", Name, state_name(Status.dwCurrentState));
    return EXIT_DONE;
}

static int query_json(const struct verb *Verb, SC_HANDLE Service, const char *Name)
{
    json_object *Out = json_object_new_object();
    SERVICE_STATUS Status;

    if (!QueryServiceStatus(Service, &Status)) {
        json_object_put(Out);
        return fail(Verb->Name, Name);
    }
    add_text(Out, "name", Name);
    add_text(Out, "state", state_name(Status.dwCurrentState));
    return print_json(Out);
}

static int create(const struct verb *Verb, const char *Name, const char *Path)
{
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
    char *Full = strchr(Path, '/') ? realpath(Path, NULL) : NULL;
    SC_HANDLE Service =
        Manager ? CreateServiceA(Manager, Name, Name, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                                 SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, Full ? Full : Path,
                                 NULL, NULL, NULL, NULL, NULL)
                : NULL;
    int Code = Service ? EXIT_DONE : fail(Verb->Name, Name);

    if (Service)
        CloseServiceHandle(Service);
    if (Manager)
        CloseServiceHandle(Manager);
    free(Full);
    return Code;
}

static void list_one(SC_HANDLE Manager, const char *Name, json_object *Out)
{
    SC_HANDLE Service = OpenServiceA(Manager, Name, SERVICE_QUERY_STATUS);
    SERVICE_STATUS Status = {0};
    json_object *Line;

    if (!Service)
        return;
    QueryServiceStatus(Service, &Status);
    CloseServiceHandle(Service);
    if (!Out) {
        printf("%-10s %s\n", state_name(Status.dwCurrentState), Name);
        return;
    }
    Line = json_object_new_object();
    add_text(Line, "name", Name);
    add_text(Line, "state", state_name(Status.dwCurrentState));
    json_object_array_add(Out, Line);
}

static NTSTATUS open_services(PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Path;

    RtlInitUnicodeString(&Path, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services");
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtOpenKey(Key, KEY_READ, &Attributes);
}

static int list(const struct verb *Verb, json_object *Out)
{
    union {
        NATIVE_KEY_BASIC Basic;
        char Room[1024];
    } Buffer;
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    ULONG Returned;
    HANDLE Key;
    NTSTATUS Status = open_services(&Key);

    if (!Manager || Status < 0)
        return fail_status(Verb->Name, "the list of services", Status);
    for (ULONG i = 0; NtEnumerateKey(Key, i, 0, &Buffer, sizeof(Buffer), &Returned) >= 0; i++) {
        UNICODE_STRING Name = {(USHORT)Buffer.Basic.NameLength, (USHORT)Buffer.Basic.NameLength,
                               Buffer.Basic.Name};
        ANSI_STRING Ansi;

        if (RtlUnicodeStringToAnsiString(&Ansi, &Name, TRUE) >= 0) {
            list_one(Manager, Ansi.Buffer, Out);
            RtlFreeAnsiString(&Ansi);
        }
    }
    NtClose(Key);
    CloseServiceHandle(Manager);
    return Out ? print_json(Out) : EXIT_DONE;
}

int verb_sc(const struct verb *Verb, int Count, char **Arguments)
{
    int Json = take_flag(&Count, Arguments, "--json");
    const char *What = Count > 1 ? Arguments[1] : "", *Name = Count > 2 ? Arguments[2] : NULL;

    if (Json && strcmp(What, "list") && strcmp(What, "query"))
        return usage(Verb);
    if (Count == 2 && !strcmp(What, "list"))
        return list(Verb, Json ? json_object_new_array() : NULL);
    if (Count == 4 && !strcmp(What, "create"))
        return create(Verb, Name, Arguments[3]);
    if (Count == 3 && !strcmp(What, "start"))
        return with_service(Verb, Name, SERVICE_START, start);
    if (Count == 3 && !strcmp(What, "stop"))
        return with_service(Verb, Name, SERVICE_STOP, stop);
    if (Count == 3 && !strcmp(What, "delete"))
        return with_service(Verb, Name, DELETE, delete);
    if (Count == 3 && !strcmp(What, "query"))
        return with_service(Verb, Name, SERVICE_QUERY_STATUS, Json ? query_json : query);
    return usage(Verb);
}
