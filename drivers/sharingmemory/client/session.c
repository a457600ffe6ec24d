/* Service, device and page, one after the other; and back. */
#include "client.h"
#include <string.h>

static SESSION *Guarded;

static int OpenDevice(SESSION *Session)
{
    Session->Device =
        CreateFileA(SHARINGMEMORY_PATH, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Session->Device != INVALID_HANDLE_VALUE)
        return EXIT_DONE;
    Session->Device = NULL;
    ClientFails("cannot open the device " SHARINGMEMORY_PATH, GetLastError());
    return EXIT_NO_DEVICE;
}

static int GetPage(SESSION *Session)
{
    PVOID Page = NULL;
    DWORD Returned = 0;
    BOOL Good = DeviceIoControl(Session->Device, IOCTL_GIVE_ME_YOUR_MEMORY, NULL, 0, &Page,
                                sizeof(Page), &Returned, NULL);

    if (Good && Returned == sizeof(Page)) {
        Session->Clock = Page;
        return EXIT_DONE;
    }
    ClientFails("the driver does not share its memory", Good ? ERROR_BAD_LENGTH : GetLastError());
    return EXIT_NO_PAGE;
}

int SessionBegin(SESSION *Session, const OPTIONS *Options)
{
    int Code = EXIT_DONE;

    if (!Options->NoService)
        Code = ClientServiceBegin(&Session->Service, SHARINGMEMORY_SERVICE, "Kernel timer",
                                  "sharingmemory", Options->Driver);
    if (!Code)
        Code = OpenDevice(Session);
    if (!Code)
        Code = GetPage(Session);
    if (Code)
        SessionEnd(Session);
    return Code;
}

/* The page goes with the handle. */
static void CloseDevice(SESSION *Session)
{
    HANDLE Device = Session->Device;

    Session->Clock = NULL;
    Session->Device = NULL;
    if (Device)
        CloseHandle(Device);
}

int SessionEnd(SESSION *Session)
{
    CloseDevice(Session);
    return ClientServiceEnd(&Session->Service);
}

static LONG WINAPI OnException(PEXCEPTION_POINTERS Exception)
{
    (void)Exception;
    if (Guarded) {
        CloseDevice(Guarded);
        ClientServiceAbandon(&Guarded->Service);
    }
    ExitProcess(EXIT_EXCEPTION);
    return EXCEPTION_EXECUTE_HANDLER;
}

void SessionGuard(SESSION *Session)
{
    Guarded = Session;
    SetUnhandledExceptionFilter(OnException);
}
