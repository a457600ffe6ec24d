/* template-client TEXT: prints what the driver makes of it. */
#include <windows.h>
#include <winioctl.h>
#include <stdio.h>
#include <string.h>
#include "public.h"

int main(int Count, char **Arguments)
{
    char Answer[256];
    DWORD Returned;
    HANDLE Device;
    BOOL Done;

    if (Count != 2 || strlen(Arguments[1]) > sizeof(Answer)) {
        fprintf(stderr, "usage: %s TEXT\n", Arguments[0]);
        return 2;
    }
    Device =
        CreateFileA(TEMPLATE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Device == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "no device: error %u\n", (unsigned)GetLastError());
        return 1;
    }
    Done = DeviceIoControl(Device, IOCTL_TEMPLATE_UPPER, Arguments[1], (DWORD)strlen(Arguments[1]),
                           Answer, sizeof(Answer), &Returned, NULL);
    if (Done)
        printf("%.*s\n", (int)Returned, Answer);
    else
        fprintf(stderr, "refused: error %u\n", (unsigned)GetLastError());
    CloseHandle(Device);
    return Done ? 0 : 1;
}
