/* The pipe driver as a device to read from and write to; include after tap.h. */
#ifndef WIN32_TEST_PIPE_H
#define WIN32_TEST_PIPE_H

#include <winioctl.h>
#include "../../drivers/pipe/public.h"

static HANDLE open_pipe(const char *Name, DWORD Flags)
{
    EXAMPLE_MODE Mode = {EXAMPLE_CAPACITY, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0};
    char Path[100];
    HANDLE Pipe;
    DWORD Done;
    OVERLAPPED Overlapped = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s", Name);
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, Flags, NULL);
    if (Pipe != INVALID_HANDLE_VALUE && !DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode,
                                                         sizeof(Mode), NULL, 0, &Done, &Overlapped))
        printf("# the mode was not set: %u\n", (unsigned)GetLastError());
    CloseHandle(Overlapped.hEvent);
    return Pipe;
}

#endif
