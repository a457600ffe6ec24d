/*
 * Registered waits: a thread for each, which waits for the object and for the end of the
 * registration. Whoever lets go of it last frees it.
 */
#include "win32/kernel32/base.h"

#include <stdlib.h>

struct registration {
    HANDLE Object, Stop, Thread;
    WAITORTIMERCALLBACK Callback;
    PVOID Context;
    DWORD Milliseconds, ThreadId;
    BOOL Once;
    _Atomic int Owners; /* the thread, the caller */
};

static void let_go(struct registration *Wait)
{
    if (--Wait->Owners)
        return;
    CloseHandle(Wait->Stop);
    if (Wait->Thread)
        CloseHandle(Wait->Thread);
    free(Wait);
}

static DWORD WINAPI wait_for_it(LPVOID Argument)
{
    struct registration *Wait = Argument;
    HANDLE Both[2] = {Wait->Stop, Wait->Object};

    for (;;) {
        DWORD Result = WaitForMultipleObjects(2, Both, FALSE, Wait->Milliseconds);

        if (Result != WAIT_OBJECT_0 + 1 && Result != WAIT_TIMEOUT)
            break;
        Wait->Callback(Wait->Context, Result == WAIT_TIMEOUT);
        if (Wait->Once)
            break;
    }
    let_go(Wait);
    return 0;
}

/* Calls the routine on another thread each time the object is signalled or the time is over (then
 * with TRUE), or once (WT_EXECUTEONLYONCE). Ended by UnregisterWait(Ex), also after once. */
BOOL WINAPI RegisterWaitForSingleObject(PHANDLE Out, HANDLE Object, WAITORTIMERCALLBACK Callback,
                                        PVOID Context, ULONG Milliseconds, ULONG Flags)
{
    struct registration *Wait = calloc(1, sizeof(*Wait));

    if (!Wait)
        return BaseResult(STATUS_NO_MEMORY);
    *Wait = (struct registration){.Object = Object,
                                  .Stop = CreateEventA(NULL, TRUE, FALSE, NULL),
                                  .Callback = Callback,
                                  .Context = Context,
                                  .Milliseconds = Milliseconds,
                                  .Once = (Flags & WT_EXECUTEONLYONCE) != 0,
                                  .Owners = 2};
    if (!Wait->Stop) {
        free(Wait);
        return FALSE;
    }
    *Out = Wait;
    Wait->Thread = CreateThread(NULL, 0, wait_for_it, Wait, 0, &Wait->ThreadId);
    if (Wait->Thread)
        return TRUE;
    Wait->Owners = 1;
    let_go(Wait);
    return FALSE;
}

/* Completion INVALID_HANDLE_VALUE: returns when no callback runs; an event: it is set then; NULL:
 * FALSE with ERROR_IO_PENDING if one runs. */
BOOL WINAPI UnregisterWaitEx(HANDLE Handle, HANDLE Completion)
{
    struct registration *Wait = Handle;
    BOOL Ended;

    if (!Wait || Handle == INVALID_HANDLE_VALUE)
        return BaseResult(STATUS_INVALID_HANDLE);
    SetEvent(Wait->Stop);
    if (Wait->ThreadId != GetCurrentThreadId() && Completion)
        WaitForSingleObject(Wait->Thread, INFINITE);
    Ended = WaitForSingleObject(Wait->Thread, 0) == WAIT_OBJECT_0;
    let_go(Wait);
    if (Completion && Completion != INVALID_HANDLE_VALUE)
        return SetEvent(Completion);
    if (!Ended && !Completion)
        SetLastError(ERROR_IO_PENDING);
    return Ended || Completion;
}

BOOL WINAPI UnregisterWait(HANDLE Handle)
{
    return UnregisterWaitEx(Handle, NULL);
}
