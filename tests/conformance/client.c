/* conformance: asks the driver for every topic, or for those named, and writes the lines. */
#include <windows.h>
#include <winioctl.h>

#include "public.h"
#include <stdio.h>
#include <string.h>

#define CONFORMANCE_NAME(Name) #Name,
static const char *const Names[] = {CONFORMANCE_TOPICS(CONFORMANCE_NAME)};

/* Names of the command line: "Events", or "-Events" for all but it. */
static BOOL Wanted(int Count, char **Arguments, const char *Name)
{
    BOOL All = TRUE;

    for (int i = 1; i < Count; i++) {
        if (*Arguments[i] != '-')
            All = FALSE;
        if (!strcmp(Arguments[i] + (*Arguments[i] == '-'), Name))
            return *Arguments[i] != '-';
    }
    return All;
}

static BOOL Run(HANDLE Device, int Topic)
{
    static char Text[8192];
    DWORD Length = 0;

    if (!DeviceIoControl(Device, IOCTL_CONFORMANCE_RUN(Topic), NULL, 0, Text, sizeof(Text), &Length,
                         NULL)) {
        printf("%s: error %u\n", Names[Topic], (unsigned)GetLastError());
        return FALSE;
    }
    printf("%.*s", (int)Length, Text);
    fflush(stdout);
    return TRUE;
}

/* What only a client sees: buffers that are too small, requests that are cancelled. */
static void Requests(HANDLE Device)
{
    char In[4] = "abc", Out[4] = "....";
    OVERLAPPED Overlapped;
    HANDLE Other;
    DWORD Length = 0;
    BOOL Good = DeviceIoControl(Device, IOCTL_CONFORMANCE_TURN, In, 3, Out, 3, &Length, NULL);

    printf("requests.turn %d %u %.3s\n", Good, (unsigned)Length, Out);
    memset(Out, '.', 3);
    Good = DeviceIoControl(Device, IOCTL_CONFORMANCE_TURN, In, 3, Out, 2, &Length, NULL);
    printf("requests.overflow %d %u %u %.3s\n", Good, (unsigned)GetLastError(), (unsigned)Length,
           Out);
    Good =
        DeviceIoControl(Device, IOCTL_CONFORMANCE_RUN(TopicCount), NULL, 0, NULL, 0, &Length, NULL);
    printf("requests.invalid %d %u\n", Good, (unsigned)GetLastError());
    Other = CreateFileA("\\\\.\\Conformance", FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                        FILE_FLAG_OVERLAPPED, NULL);
    Good = DeviceIoControl(Other, IOCTL_CONFORMANCE_TURN, In, 3, Out, 3, &Length, NULL);
    printf("requests.no-access %d %u\n", Good, (unsigned)GetLastError());
    memset(&Overlapped, 0, sizeof(Overlapped));
    Overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    Good = DeviceIoControl(Other, IOCTL_CONFORMANCE_WAIT, NULL, 0, NULL, 0, NULL, &Overlapped);
    printf("requests.pending %d %u\n", Good, (unsigned)GetLastError());
    printf("requests.cancel %d\n", CancelIo(Other));
    Good = GetOverlappedResult(Other, &Overlapped, &Length, TRUE);
    printf("requests.cancelled %d %u\n", Good, (unsigned)GetLastError());
    Good = ReadFile(Device, Out, 1, &Length, NULL);
    printf("requests.read %d %u\n", Good, (unsigned)GetLastError());
    CloseHandle(Overlapped.hEvent);
    CloseHandle(Other);
}

int main(int Count, char **Arguments)
{
    HANDLE Device = CreateFileA("\\\\.\\Conformance", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                OPEN_EXISTING, 0, NULL);
    int Code = 0;

    if (Device == INVALID_HANDLE_VALUE) {
        printf("open: error %u\n", (unsigned)GetLastError());
        return 2;
    }
    for (int i = 0; i < TopicCount; i++)
        if (Wanted(Count, Arguments, Names[i]) && !Run(Device, i))
            Code = 1;
    if (Wanted(Count, Arguments, "Requests"))
        Requests(Device);
    CloseHandle(Device);
    return Code;
}
