/*
 * Standard handles and the console. They are Linux descriptors 0, 1 and 2, and their handle values
 * are those of old console handles (3, 7, 11), which the kernel never gives: its handles are
 * multiples of four. Files on disk have handles of the same form.
 */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <stdlib.h>
#include <errno.h>

#define STREAM_LIMIT ((ULONG_PTR)1 << 24) /* far above the descriptors that Linux gives */

static HANDLE Replaced[3];
static BOOL IsReplaced[3];

static int stream_index(DWORD Number)
{
    switch (Number) {
    case STD_INPUT_HANDLE:
        return 0;
    case STD_OUTPUT_HANDLE:
        return 1;
    case STD_ERROR_HANDLE:
        return 2;
    }
    SetLastError(ERROR_INVALID_HANDLE);
    return -1;
}

HANDLE WINAPI GetStdHandle(DWORD Number)
{
    int Index = stream_index(Number);

    if (Index < 0)
        return INVALID_HANDLE_VALUE;
    if (IsReplaced[Index])
        return Replaced[Index];
    return linux_kind(Index) == LINUX_CLOSED ? NULL : (HANDLE)(ULONG_PTR)(unsigned)(Index * 4 + 3);
}

BOOL WINAPI SetStdHandle(DWORD Number, HANDLE Handle)
{
    int Index = stream_index(Number);

    if (Index < 0)
        return FALSE;
    Replaced[Index] = Handle;
    IsReplaced[Index] = TRUE;
    return TRUE;
}

int BaseStream(HANDLE Handle)
{
    ULONG_PTR Value = (ULONG_PTR)Handle;

    return Value < STREAM_LIMIT && (Value & 3) == 3 ? (int)(Value >> 2) : -1;
}

static BOOL stream_failed(int Error)
{
    SetLastError(Error == -EPIPE    ? ERROR_BROKEN_PIPE
                 : Error == -EBADF  ? ERROR_ACCESS_DENIED
                 : Error == -ENOSPC ? ERROR_DISK_FULL
                 : Error == -EFAULT ? ERROR_NOACCESS
                                    : ERROR_GEN_FAILURE);
    return FALSE;
}

BOOL BaseStreamRead(int Stream, LPVOID Buffer, DWORD Length, LPDWORD Done)
{
    ssize_t Got = linux_read(Stream, Buffer, Length);

    if (Done)
        *Done = Got > 0 ? (DWORD)Got : 0;
    return Got >= 0 || stream_failed((int)Got);
}

BOOL BaseStreamWrite(int Stream, LPCVOID Buffer, DWORD Length, LPDWORD Done)
{
    ssize_t Put = linux_write(Stream, Buffer, Length);

    if (Done)
        *Done = Put > 0 ? (DWORD)Put : 0;
    return Put >= 0 || stream_failed((int)Put);
}

static int console(HANDLE Handle)
{
    int Stream = BaseStream(Handle);

    if (Stream < 0)
        SetLastError(ERROR_INVALID_HANDLE);
    return Stream;
}

BOOL WINAPI WriteConsoleA(HANDLE Handle, CONST VOID *Text, DWORD Count, LPDWORD Done,
                          LPVOID Reserved)
{
    int Stream = console(Handle);

    (void)Reserved;
    return Stream >= 0 && BaseStreamWrite(Stream, Text, Count, Done);
}

BOOL WINAPI WriteConsoleW(HANDLE Handle, CONST VOID *Text, DWORD Count, LPDWORD Done,
                          LPVOID Reserved)
{
    int Stream = console(Handle);
    int Bytes = Stream < 0 || !Count
                    ? 0
                    : WideCharToMultiByte(CP_UTF8, 0, Text, (int)Count, NULL, 0, NULL, NULL);
    char *Narrow = Bytes ? malloc((size_t)Bytes) : NULL;
    BOOL Fine = Stream >= 0 && (!Count || Narrow);

    (void)Reserved;
    if (Narrow) {
        WideCharToMultiByte(CP_UTF8, 0, Text, (int)Count, Narrow, Bytes, NULL, NULL);
        Fine = BaseStreamWrite(Stream, Narrow, (DWORD)Bytes, NULL);
    }
    free(Narrow);
    if (Done)
        *Done = Fine ? Count : 0;
    return Fine;
}

BOOL WINAPI ReadConsoleA(HANDLE Handle, LPVOID Text, DWORD Count, LPDWORD Done, LPVOID Control)
{
    int Stream = console(Handle);

    (void)Control;
    return Stream >= 0 && BaseStreamRead(Stream, Text, Count, Done);
}

BOOL WINAPI ReadConsoleW(HANDLE Handle, LPVOID Text, DWORD Count, LPDWORD Done, LPVOID Control)
{
    char *Narrow = malloc(Count + 1);
    BOOL Fine = Narrow && ReadConsoleA(Handle, Narrow, Count, Done, Control);

    if (Fine)
        *Done = *Done ? (DWORD)MultiByteToWideChar(CP_UTF8, 0, Narrow, (int)*Done, Text, (int)Count)
                      : 0;
    free(Narrow);
    return Fine;
}

BOOL WINAPI GetConsoleMode(HANDLE Handle, LPDWORD Mode)
{
    int Stream = BaseStream(Handle);

    if (Stream < 0 || !linux_is_terminal(Stream)) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    *Mode = Stream ? ENABLE_PROCESSED_OUTPUT
                   : ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT;
    return TRUE;
}

UINT WINAPI GetConsoleOutputCP(void)
{
    return CP_UTF8;
}

UINT WINAPI GetConsoleCP(void)
{
    return CP_UTF8;
}

/* A handle of the kernel is a device's; whether it is one at all the kernel says. */
DWORD WINAPI GetFileType(HANDLE Handle)
{
    static const DWORD Types[] = {[LINUX_CLOSED] = FILE_TYPE_UNKNOWN,
                                  [LINUX_TERMINAL] = FILE_TYPE_CHAR,
                                  [LINUX_PIPE] = FILE_TYPE_PIPE,
                                  [LINUX_FILE] = FILE_TYPE_DISK};
    struct {
        ULONG Type, Characteristics;
    } Device;
    IO_STATUS_BLOCK Iosb;
    int Stream = BaseStream(Handle);

    SetLastError(ERROR_SUCCESS);
    if (Stream >= 0)
        return Types[linux_kind(Stream)];
    if (!BaseResult(NtQueryVolumeInformationFile(Handle, &Iosb, &Device, sizeof(Device),
                                                 (FS_INFORMATION_CLASS)4)))
        return FILE_TYPE_UNKNOWN;
    switch (Device.Type) {
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_VIRTUAL_DISK:
        return FILE_TYPE_DISK;
    case FILE_DEVICE_NAMED_PIPE:
        return FILE_TYPE_PIPE;
    }
    return FILE_TYPE_CHAR;
}

/* Handlers: the last added is asked first; without one that takes it the process ends. */
#define HANDLERS 32
static struct {
    host_lock Lock;
    PHANDLER_ROUTINE Handler[HANDLERS];
    unsigned Count;
    BOOL Ignore;
} Control;

static int interrupted(int Hangup)
{
    PHANDLER_ROUTINE Copy[HANDLERS];
    unsigned Count;

    host_lock_acquire(&Control.Lock);
    Count = Control.Count;
    for (unsigned i = 0; i < Count; i++)
        Copy[i] = Control.Handler[i];
    host_lock_release(&Control.Lock);
    if (!Hangup && Control.Ignore)
        return TRUE;
    while (Count)
        if (Copy[--Count](Hangup ? CTRL_CLOSE_EVENT : CTRL_C_EVENT))
            return TRUE;
    return FALSE;
}

static BOOL add_or_remove(PHANDLER_ROUTINE Routine, BOOL Add)
{
    if (Add) {
        if (Control.Count == HANDLERS)
            return FALSE;
        Control.Handler[Control.Count++] = Routine;
        return TRUE;
    }
    for (unsigned i = Control.Count; i-- > 0;)
        if (Control.Handler[i] == Routine) {
            for (Control.Count--; i < Control.Count; i++)
                Control.Handler[i] = Control.Handler[i + 1];
            return TRUE;
        }
    return FALSE;
}

BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE Routine, BOOL Add)
{
    BOOL Fine = TRUE;

    host_lock_acquire(&Control.Lock);
    if (Routine)
        Fine = add_or_remove(Routine, Add);
    else
        Control.Ignore = Add;
    host_lock_release(&Control.Lock);
    if (!Fine)
        SetLastError(ERROR_INVALID_PARAMETER);
    return Fine && linux_on_interrupt(interrupted) == 0;
}
