/* Waits in the kernel, in several ways, until the kernel ends; succeeds if every wait then fails.
 */
#include <windows.h>
#include <stdio.h>
#include <winioctl.h>
#include "../drivers/pipe/public.h"

static HANDLE Never;
static OVERLAPPED Read;

static DWORD WINAPI wait_for_ever(LPVOID Unused)
{
    (void)Unused;
    return WaitForSingleObject(Never, INFINITE) == WAIT_FAILED;
}

static DWORD WINAPI watch_overlapped(LPVOID Unused)
{
    (void)Unused;
    while (*(volatile ULONG_PTR *)&Read.Internal == 0x103)
        SwitchToThread();
    return *(volatile ULONG_PTR *)&Read.Internal != 0;
}

int main(void)
{
    EXAMPLE_MODE Mode = {EXAMPLE_CAPACITY, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0};
    HANDLE Pipe = CreateFileA("\\\\.\\Example\\bystander", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                              OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    static char Buffer[16];
    DWORD Done;
    OVERLAPPED Control = {0};

    Never = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (!DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0, &Done,
                         &Control))
        return 2;
    if (ReadFile(Pipe, Buffer, sizeof(Buffer), NULL, &Read) || GetLastError() != ERROR_IO_PENDING)
        return 3;
    CreateThread(NULL, 0, wait_for_ever, NULL, 0, NULL);
    CreateThread(NULL, 0, watch_overlapped, NULL, 0, NULL);
    puts("ready");
    fflush(stdout);
    if (WaitForSingleObject(Never, INFINITE) != WAIT_FAILED)
        return 4;
    watch_overlapped(NULL);
    if (GetOverlappedResult(Pipe, &Read, &Done, TRUE))
        return 5;
    return CreateEventA(NULL, TRUE, FALSE, NULL) != NULL;
}
