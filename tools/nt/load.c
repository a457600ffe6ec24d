/* nt load, nt unload: a service for a driver, started; stopped, deleted. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>
#include <winsvc.h>

#define TICKS 1000000 /* 100 ms: the kernel's time goes in steps */

/* "build/drivers/example.so" is the driver example. */
static void service_name(const char *Path, char *Name, size_t Size)
{
    const char *Slash = strrchr(Path, '/');
    char *Dot;

    snprintf(Name, Size, "%s", Slash ? Slash + 1 : Path);
    Dot = strrchr(Name, '.');
    if (Dot && (!strcmp(Dot, ".so") || !strcmp(Dot, ".sys")))
        *Dot = 0;
}

static SC_HANDLE open_or_create(SC_HANDLE Manager, const char *Name, const char *Path)
{
    SC_HANDLE Service = CreateServiceA(Manager, Name, Name, SERVICE_ALL_ACCESS,
                                       SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                       SERVICE_ERROR_IGNORE, Path, NULL, NULL, NULL, NULL, NULL);

    if (!Service && GetLastError() == ERROR_SERVICE_EXISTS)
        Service = OpenServiceA(Manager, Name, SERVICE_ALL_ACCESS);
    return Service;
}

static int load(SC_HANDLE Manager, const char *Path)
{
    char Name[256], File[260], *Full = strchr(Path, '/') ? realpath(Path, NULL) : NULL;
    SC_HANDLE Service;
    FILETIME Start;
    int Code = EXIT_DONE;

    GetSystemTimeAsFileTime(&Start);
    service_name(Path, Name, sizeof(Name));
    Service = open_or_create(Manager, Name, Full ? Full : Path);
    free(Full);
    if (!Service)
        return fail("load", Name);
    if (!StartServiceA(Service, 0, NULL)) {
        DWORD Error = GetLastError();

        Code = fail("load", Name);
        snprintf(File, sizeof(File), "%s.", Name); /* NAME.so, NAME.sys: the kernel says why */
        explain("load", File, ((ULONG64)Start.dwHighDateTime << 32 | Start.dwLowDateTime) - TICKS);
        if (Error != ERROR_SERVICE_ALREADY_RUNNING)
            DeleteService(Service);
    }
    CloseServiceHandle(Service);
    return Code;
}

static int unload(SC_HANDLE Manager, const char *Path)
{
    SERVICE_STATUS Status;
    char Name[256];
    SC_HANDLE Service;
    int Code = EXIT_DONE;

    service_name(Path, Name, sizeof(Name));
    Service = OpenServiceA(Manager, Name, SERVICE_ALL_ACCESS);
    if (!Service)
        return fail("unload", Name);
    if (!ControlService(Service, SERVICE_CONTROL_STOP, &Status) &&
        GetLastError() != ERROR_SERVICE_NOT_ACTIVE)
        Code = fail("unload", Name);
    else if (!DeleteService(Service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        Code = fail("unload", Name);
    CloseServiceHandle(Service);
    return Code;
}

static int each(const char *Verb, int Count, char **Names, int (*Do)(SC_HANDLE, const char *))
{
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    int Worst = EXIT_DONE;

    if (!Manager)
        return fail(Verb, "the service manager");
    for (int i = 0; i < Count; i++) {
        int Code = Do(Manager, Names[i]);

        if (Code)
            Worst = Code;
    }
    CloseServiceHandle(Manager);
    return Worst;
}

int verb_load(const struct verb *Verb, int Count, char **Arguments)
{
    return Count < 2 ? usage(Verb) : each(Verb->Name, Count - 1, Arguments + 1, load);
}

int verb_unload(const struct verb *Verb, int Count, char **Arguments)
{
    return Count < 2 ? usage(Verb) : each(Verb->Name, Count - 1, Arguments + 1, unload);
}
