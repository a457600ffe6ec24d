/* The thread's last error, and how statuses become errors. */
#include "win32/kernel32/base.h"

#include <stdlib.h>

static _Thread_local DWORD LastError;
static _Thread_local NTSTATUS LastStatus;

DWORD WINAPI GetLastError(void)
{
    return LastError;
}

void WINAPI SetLastError(DWORD Error)
{
    LastError = Error;
}

NTSTATUS NTAPI RtlGetLastNtStatus(void)
{
    return LastStatus;
}

BOOL BaseResult(NTSTATUS Status)
{
    if (STATUS_OK(Status))
        return TRUE;
    LastStatus = Status;
    LastError = RtlNtStatusToDosError(Status);
    return FALSE;
}

PWSTR BaseWide(LPCSTR Text)
{
    ANSI_STRING Ansi;
    UNICODE_STRING Wide;

    if (!Text)
        return NULL;
    RtlInitAnsiString(&Ansi, Text);
    return BaseResult(RtlAnsiStringToUnicodeString(&Wide, &Ansi, TRUE)) ? Wide.Buffer : NULL;
}

char *BaseNarrow(LPCWSTR Text)
{
    UNICODE_STRING Wide;
    ANSI_STRING Ansi;

    RtlInitUnicodeString(&Wide, Text);
    return BaseResult(RtlUnicodeStringToAnsiString(&Ansi, &Wide, TRUE)) ? Ansi.Buffer : NULL;
}

PLARGE_INTEGER BaseTimeout(PLARGE_INTEGER Time, DWORD Milliseconds)
{
    Time->QuadPart = -10000 * (LONGLONG)Milliseconds;
    return Milliseconds == INFINITE ? NULL : Time;
}
