/* The device itself. */
#include "device.h"

static BOOL AskDriver(void *Context, DWORD Code, const void *In, DWORD InLength, void *Out,
                      DWORD OutLength, DWORD *Returned)
{
    return DeviceIoControl((HANDLE)Context, Code, (void *)In, InLength, Out, OutLength, Returned,
                           NULL);
}

BOOL DeviceAsk(DEVICE *Device, DWORD Code, const void *In, DWORD InLength, void *Out,
               DWORD OutLength)
{
    DWORD Returned = 0;

    return Device->Ask(Device->Context, Code, In, InLength, Out, OutLength, &Returned) &&
           Returned == OutLength;
}

static HANDLE Open(DWORD Access)
{
    return CreateFileA(SPY_PATH, Access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                       NULL);
}

/* The driver stays loaded: only our handles to its service go. */
static int Load(void)
{
    CLIENT_SERVICE Service;
    int Code = ClientServiceBegin(&Service, SPY_SERVICE, SPY_DISPLAY, SPY_SERVICE, NULL);

    if (Code)
        return Code;
    CloseServiceHandle(Service.Service);
    CloseServiceHandle(Service.Manager);
    return 0;
}

static int CheckVersion(DEVICE *Device)
{
    SPY_VERSION_INFO Version;

    if (!DEVICE_GET(Device, SPY_IO_VERSION_INFO, &Version)) {
        ClientFails("the device does not tell its version", GetLastError());
        return SPY_EXIT_VERSION;
    }
    if (Version.dVersion == SPY_VERSION)
        return 0;
    fprintf(stderr, "%s: the driver is version %u.%02u, this program is for %u.%02u\n", ClientName,
            (unsigned)Version.dVersion / 100, (unsigned)Version.dVersion % 100, SPY_VERSION / 100,
            SPY_VERSION % 100);
    return SPY_EXIT_VERSION;
}

int DeviceOpen(DEVICE *Device, DWORD Access)
{
    HANDLE File = Open(Access);
    int Code;

    if (File == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_NOT_FOUND) {
        Code = Load();
        if (Code)
            return Code;
        File = Open(Access);
    }
    if (File == INVALID_HANDLE_VALUE) {
        ClientFails("cannot open the device " SPY_PATH, GetLastError());
        return SPY_EXIT_NO_DEVICE;
    }
    Device->Ask = AskDriver;
    Device->Context = (void *)File;
    Code = CheckVersion(Device);
    if (Code)
        DeviceClose(Device);
    return Code;
}

void DeviceClose(DEVICE *Device)
{
    CloseHandle((HANDLE)Device->Context);
}
