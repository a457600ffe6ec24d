/* Completion ports. */
#include "win32/kernel32/base.h"

typedef struct {
    HANDLE Port;
    PVOID Key;
} PORT_OF_FILE; /* class 30 */
NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES, ULONG);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE, PVOID, PVOID, NTSTATUS, ULONG_PTR);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE, PVOID *, PVOID *, PIO_STATUS_BLOCK, PLARGE_INTEGER);
NTSTATUS NTAPI NtSetInformationFile(HANDLE, PIO_STATUS_BLOCK, PVOID, ULONG, FILE_INFORMATION_CLASS);

HANDLE WINAPI CreateIoCompletionPort(HANDLE File, HANDLE Existing, ULONG_PTR Key, DWORD Threads)
{
    PORT_OF_FILE Of = {Existing, (PVOID)Key};
    IO_STATUS_BLOCK Iosb;

    if (File == INVALID_HANDLE_VALUE && Existing) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    if (!Existing && !BaseResult(NtCreateIoCompletion(&Of.Port, 0x1F0003, NULL, Threads)))
        return NULL;
    if (File == INVALID_HANDLE_VALUE ||
        BaseResult(NtSetInformationFile(File, &Iosb, &Of, sizeof(Of), (FILE_INFORMATION_CLASS)30)))
        return Of.Port;
    if (!Existing)
        NtClose(Of.Port);
    return NULL;
}

/* Nothing came: *Overlapped is NULL. A request that failed came: *Overlapped names it and the
 * result is FALSE. */
BOOL WINAPI GetQueuedCompletionStatus(HANDLE Port, LPDWORD Bytes, PULONG_PTR Key,
                                      LPOVERLAPPED *Overlapped, DWORD Milliseconds)
{
    IO_STATUS_BLOCK Iosb = {.Information = 0};
    PVOID GotKey = NULL, Context = NULL;
    LARGE_INTEGER Time;
    NTSTATUS Status =
        NtRemoveIoCompletion(Port, &GotKey, &Context, &Iosb, BaseTimeout(&Time, Milliseconds));

    *Overlapped = NULL;
    if (Status != STATUS_SUCCESS) {
        if (Status == STATUS_TIMEOUT)
            SetLastError(WAIT_TIMEOUT);
        else
            BaseResult(Status);
        return FALSE;
    }
    *Overlapped = Context;
    *Key = (ULONG_PTR)GotKey;
    *Bytes = (DWORD)Iosb.Information;
    return BaseResult(Iosb.Status);
}

/* Waits for the first entry and takes what is there besides, up to Count. FALSE: none came
 * (WAIT_TIMEOUT), or an APC did (WAIT_IO_COMPLETION). */
BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE Port, LPOVERLAPPED_ENTRY Entries, ULONG Count,
                                        PULONG Removed, DWORD Milliseconds, BOOL Alertable)
{
    LARGE_INTEGER Time, None = {.QuadPart = 0};
    PLARGE_INTEGER Wait = BaseTimeout(&Time, Milliseconds);
    ULONG Done = 0;

    *Removed = 0;
    if (!Count)
        return BaseResult(STATUS_INVALID_PARAMETER);
    if (Alertable && NtTestAlert() == STATUS_USER_APC) {
        SetLastError(WAIT_IO_COMPLETION);
        return FALSE;
    }
    for (; Done < Count; Done++, Wait = &None) {
        IO_STATUS_BLOCK Iosb = {.Information = 0};
        PVOID Key = NULL, Context = NULL;
        NTSTATUS Status = NtRemoveIoCompletion(Port, &Key, &Context, &Iosb, Wait);

        if (Status == STATUS_SUCCESS) {
            Entries[Done] = (OVERLAPPED_ENTRY){(ULONG_PTR)Key, Context, (ULONG)Iosb.Status,
                                               (DWORD)Iosb.Information};
            continue;
        }
        if (Done)
            break;
        if (Status != STATUS_TIMEOUT)
            return BaseResult(Status);
        SetLastError(WAIT_TIMEOUT);
        return FALSE;
    }
    *Removed = Done;
    return TRUE;
}

BOOL WINAPI PostQueuedCompletionStatus(HANDLE Port, DWORD Bytes, ULONG_PTR Key,
                                       LPOVERLAPPED Overlapped)
{
    return BaseResult(NtSetIoCompletion(Port, (PVOID)Key, Overlapped, STATUS_SUCCESS, Bytes));
}
