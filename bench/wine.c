/* The reference for ioctl_process: a control request to a kernel driver under Wine. Built with
 * mingw, run by Wine. Prints nanoseconds a request. */
#include <windows.h>
#include <winioctl.h>
#include <stdio.h>

/* Any answer will do that comes from a driver in Wine's kernel-driver process: the mount manager.
 */
#define IOCTL_MOUNTMGR_QUERY_POINTS CTL_CODE('m', 2, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define COUNT 2000

int main(void)
{
    HANDLE Device = CreateFileA("\\\\.\\MountPointManager", 0, 0, NULL, OPEN_EXISTING, 0, NULL);
    char Buffer[64] = {24};
    LARGE_INTEGER Start, End, Frequency;
    DWORD Done;

    if (Device == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "no mount manager: error %lu\n", GetLastError());
        return 1;
    }
    DeviceIoControl(Device, IOCTL_MOUNTMGR_QUERY_POINTS, Buffer, 24, Buffer, sizeof(Buffer), &Done,
                    NULL);
    QueryPerformanceFrequency(&Frequency);
    QueryPerformanceCounter(&Start);
    for (int i = 0; i < COUNT; i++)
        DeviceIoControl(Device, IOCTL_MOUNTMGR_QUERY_POINTS, Buffer, 24, Buffer, sizeof(Buffer),
                        &Done, NULL);
    QueryPerformanceCounter(&End);
    printf("%.0f\n",
           (double)(End.QuadPart - Start.QuadPart) * 1e9 / (double)Frequency.QuadPart / COUNT);
    return 0;
}
