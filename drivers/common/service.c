/* The service of a driver: register, start; stop, delete. */
#include "client.h"
#include <stdio.h>
#include <string.h>

/* On Windows the driver lies beside the program. Elsewhere a bare name is looked for by the kernel.
 */
static void DriverPath(const char *Driver, char *Path, size_t Size)
{
#ifdef _WIN32
    char *Slash;

    if (!GetModuleFileNameA(NULL, Path, (DWORD)Size))
        *Path = 0;
    Slash = strrchr(Path, '\\');
    Slash = Slash ? Slash + 1 : Path;
    snprintf(Slash, Size - (Slash - Path), "%s.sys", Driver);
#else
    snprintf(Path, Size, "%s", Driver);
#endif
}

static SC_HANDLE CreateOrOpen(CLIENT_SERVICE *Service, const char *Name, const char *Display,
                              const char *Path)
{
    SC_HANDLE Handle =
        CreateServiceA(Service->Manager, Name, Display, SERVICE_START | SERVICE_STOP | DELETE,
                       SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, Path,
                       NULL, NULL, NULL, NULL, NULL);

    Service->Created = Handle != NULL;
    if (!Handle && GetLastError() == ERROR_SERVICE_EXISTS)
        Handle = OpenServiceA(Service->Manager, Name, SERVICE_START | SERVICE_STOP | DELETE);
    return Handle;
}

int ClientServiceRegister(CLIENT_SERVICE *Service, const char *Name, const char *Display,
                          const char *Driver, const char *Path)
{
    char Found[MAX_PATH + 16];
    DWORD Error;

    memset(Service, 0, sizeof(*Service));
    if (!Path) {
        DriverPath(Driver, Found, sizeof(Found));
        Path = Found;
    }
    Service->Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    if (!Service->Manager) {
        ClientFails("cannot reach the service manager", GetLastError());
        return CLIENT_NO_MANAGER;
    }
    Service->Service = CreateOrOpen(Service, Name, Display, Path);
    if (Service->Service)
        return 0;
    Error = GetLastError();
    ClientServiceAbandon(Service);
    ClientFails("cannot register the driver", Error);
    return CLIENT_NOT_REGISTERED;
}

int ClientServiceStart(CLIENT_SERVICE *Service)
{
    DWORD Error;

    Service->Started = StartServiceA(Service->Service, 0, NULL);
    if (Service->Started || GetLastError() == ERROR_SERVICE_ALREADY_RUNNING)
        return 0;
    Error = GetLastError();
    ClientServiceAbandon(Service);
    ClientFails("cannot start the driver", Error);
    return CLIENT_NOT_STARTED;
}

int ClientServiceBegin(CLIENT_SERVICE *Service, const char *Name, const char *Display,
                       const char *Driver, const char *Path)
{
    int Code = ClientServiceRegister(Service, Name, Display, Driver, Path);

    return Code ? Code : ClientServiceStart(Service);
}

static BOOL Stop(CLIENT_SERVICE *Service)
{
    SERVICE_STATUS Status;

    if (!Service->Started)
        return TRUE;
    Service->Started = FALSE;
    return ControlService(Service->Service, SERVICE_CONTROL_STOP, &Status) ||
           GetLastError() == ERROR_SERVICE_NOT_ACTIVE;
}

static BOOL Delete(CLIENT_SERVICE *Service)
{
    if (!Service->Created)
        return TRUE;
    Service->Created = FALSE;
    return DeleteService(Service->Service) || GetLastError() == ERROR_SERVICE_MARKED_FOR_DELETE;
}

static void Close(CLIENT_SERVICE *Service)
{
    if (Service->Service)
        CloseServiceHandle(Service->Service);
    if (Service->Manager)
        CloseServiceHandle(Service->Manager);
    Service->Service = Service->Manager = NULL;
}

int ClientServiceEnd(CLIENT_SERVICE *Service)
{
    int Code = 0;

    if (!Stop(Service)) {
        ClientFails("cannot stop the driver", GetLastError());
        Code = CLIENT_NOT_STOPPED;
    }
    if (!Delete(Service)) {
        ClientFails("cannot delete the service", GetLastError());
        Code = Code ? Code : CLIENT_NOT_DELETED;
    }
    Close(Service);
    return Code;
}

void ClientServiceAbandon(CLIENT_SERVICE *Service)
{
    Stop(Service);
    Delete(Service);
    Close(Service);
}
