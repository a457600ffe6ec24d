/* Asks the driver. */
#include "client.h"
#include <stdlib.h>

static SYSTEM_MODULE_LIST *Ask(HANDLE Device, ULONG Source)
{
    ULONG Size = SYSTEM_MODULE_LIST_HEAD, Count;
    SYSTEM_MODULE_LIST *List = NULL;
    DWORD Returned;

    for (;;) {
        free(List);
        List = malloc(Size);
        if (!List)
            return NULL;
        if (DeviceIoControl(Device, IOCTL_SYSTEMMODULES_LIST, &Source, sizeof(Source), List, Size,
                            &Returned, NULL))
            return List;
        Count = GetLastError() == ERROR_MORE_DATA ? List->Count : 0;
        if (!Count)
            break;
        Size = SYSTEM_MODULE_LIST_HEAD + (Count + 8) * sizeof(SYSTEM_MODULE);
    }
    free(List);
    ClientFails("the driver does not give the list", GetLastError());
    return NULL;
}

SYSTEM_MODULE_LIST *ListFromDevice(BOOL Aux, int *Code)
{
    HANDLE Device = CreateFileA(SYSTEMMODULES_PATH, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    SYSTEM_MODULE_LIST *List;

    *Code = EXIT_NO_LIST;
    if (Device == INVALID_HANDLE_VALUE) {
        ClientFails("cannot open the device " SYSTEMMODULES_PATH, GetLastError());
        *Code = EXIT_NO_DEVICE;
        return NULL;
    }
    List = Ask(Device, Aux ? SYSTEMMODULES_SOURCE_AUX : SYSTEMMODULES_SOURCE_SYSTEM);
    CloseHandle(Device);
    return List;
}
