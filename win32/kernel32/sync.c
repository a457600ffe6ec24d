/* Events, mutexes, semaphores, waitable timers, waits. */
#include "win32/kernel32/base.h"

#include <stdlib.h>

/* What every Create… shares: an object that was there already is a success that says so. */
static HANDLE created(NTSTATUS Status, const HANDLE *Handle)
{
    if (!BaseResult(Status))
        return NULL;
    SetLastError(Status == STATUS_OBJECT_NAME_EXISTS ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
    return *Handle;
}

typedef NTSTATUS OPEN(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);

static HANDLE open_named(OPEN *Open, DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Handle = NULL;

    if (!BaseObjectName(&Name, Text, NULL, Inherit))
        return NULL;
    Name.Attributes.Attributes &= ~(ULONG)OBJ_OPENIF;
    return BaseResult(Open(&Handle, Access, &Name.Attributes)) ? Handle : NULL;
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES Security, BOOL Manual, BOOL Initial, LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Handle = NULL;

    if (!BaseObjectName(&Name, Text, Security, FALSE))
        return NULL;
    return created(NtCreateEvent(&Handle, EVENT_ALL_ACCESS, &Name.Attributes,
                                 Manual ? NativeNotificationEvent : NativeSynchronizationEvent,
                                 Initial != 0),
                   &Handle);
}

HANDLE WINAPI OpenEventW(DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    return open_named(NtOpenEvent, Access, Inherit, Text);
}

HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES Security, BOOL Owner, LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Handle = NULL;

    if (!BaseObjectName(&Name, Text, Security, FALSE))
        return NULL;
    return created(NtCreateMutant(&Handle, MUTEX_ALL_ACCESS, &Name.Attributes, Owner != 0),
                   &Handle);
}

HANDLE WINAPI OpenMutexW(DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    return open_named(NtOpenMutant, Access, Inherit, Text);
}

HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES Security, LONG Initial, LONG Maximum,
                               LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Handle = NULL;

    if (!BaseObjectName(&Name, Text, Security, FALSE))
        return NULL;
    return created(
        NtCreateSemaphore(&Handle, SEMAPHORE_ALL_ACCESS, &Name.Attributes, Initial, Maximum),
        &Handle);
}

HANDLE WINAPI OpenSemaphoreW(DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    return open_named(NtOpenSemaphore, Access, Inherit, Text);
}

HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES Security, BOOL Manual, LPCWSTR Text)
{
    struct base_name Name;
    HANDLE Handle = NULL;

    if (!BaseObjectName(&Name, Text, Security, FALSE))
        return NULL;
    return created(NtCreateTimer(&Handle, TIMER_ALL_ACCESS, &Name.Attributes, Manual ? 0 : 1),
                   &Handle);
}

HANDLE WINAPI OpenWaitableTimerW(DWORD Access, BOOL Inherit, LPCWSTR Text)
{
    return open_named(NtOpenTimer, Access, Inherit, Text);
}

BOOL WINAPI SetWaitableTimer(HANDLE Timer, const LARGE_INTEGER *Due, LONG Period,
                             PTIMERAPCROUTINE Routine, LPVOID Argument, BOOL Resume)
{
    return BaseResult(
        NtSetTimer(Timer, (PLARGE_INTEGER)Due, Routine, Argument, Resume != 0, Period, NULL));
}

BOOL WINAPI CancelWaitableTimer(HANDLE Timer)
{
    return BaseResult(NtCancelTimer(Timer, NULL));
}

/* The ANSI forms. */
#define ANSI_FORM(call)                                                                            \
    PWSTR Wide = BaseWide(Text);                                                                   \
    HANDLE Handle = Text && !Wide ? NULL : (call);                                                 \
    DWORD Error = GetLastError();                                                                  \
    free(Wide);                                                                                    \
    SetLastError(Error);                                                                           \
    return Handle

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES Security, BOOL Manual, BOOL Initial, LPCSTR Text)
{
    ANSI_FORM(CreateEventW(Security, Manual, Initial, Wide));
}

HANDLE WINAPI OpenEventA(DWORD Access, BOOL Inherit, LPCSTR Text)
{
    ANSI_FORM(OpenEventW(Access, Inherit, Wide));
}

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES Security, BOOL Owner, LPCSTR Text)
{
    ANSI_FORM(CreateMutexW(Security, Owner, Wide));
}

HANDLE WINAPI OpenMutexA(DWORD Access, BOOL Inherit, LPCSTR Text)
{
    ANSI_FORM(OpenMutexW(Access, Inherit, Wide));
}

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES Security, LONG Initial, LONG Maximum,
                               LPCSTR Text)
{
    ANSI_FORM(CreateSemaphoreW(Security, Initial, Maximum, Wide));
}

HANDLE WINAPI OpenSemaphoreA(DWORD Access, BOOL Inherit, LPCSTR Text)
{
    ANSI_FORM(OpenSemaphoreW(Access, Inherit, Wide));
}

HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES Security, BOOL Manual, LPCSTR Text)
{
    ANSI_FORM(CreateWaitableTimerW(Security, Manual, Wide));
}

HANDLE WINAPI OpenWaitableTimerA(DWORD Access, BOOL Inherit, LPCSTR Text)
{
    ANSI_FORM(OpenWaitableTimerW(Access, Inherit, Wide));
}

BOOL WINAPI SetEvent(HANDLE Event)
{
    return BaseResult(NtSetEvent(Event, NULL));
}

BOOL WINAPI ResetEvent(HANDLE Event)
{
    return BaseResult(NtResetEvent(Event, NULL));
}

BOOL WINAPI PulseEvent(HANDLE Event)
{
    return BaseResult(NtPulseEvent(Event, NULL));
}

BOOL WINAPI ReleaseMutex(HANDLE Mutex)
{
    return BaseResult(NtReleaseMutant(Mutex, NULL));
}

BOOL WINAPI ReleaseSemaphore(HANDLE Semaphore, LONG Count, LPLONG Previous)
{
    return BaseResult(NtReleaseSemaphore(Semaphore, Count, Previous));
}

/* The statuses of a wait are its return values, but for errors. */
static DWORD waited(NTSTATUS Status)
{
    return BaseResult(Status) ? (DWORD)Status : WAIT_FAILED;
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE Handle, DWORD Milliseconds, BOOL Alertable)
{
    LARGE_INTEGER Time;

    return waited(NtWaitForSingleObject(Handle, Alertable != 0, BaseTimeout(&Time, Milliseconds)));
}

DWORD WINAPI WaitForSingleObject(HANDLE Handle, DWORD Milliseconds)
{
    return WaitForSingleObjectEx(Handle, Milliseconds, FALSE);
}

DWORD WINAPI WaitForMultipleObjectsEx(DWORD Count, const HANDLE *Handles, BOOL All,
                                      DWORD Milliseconds, BOOL Alertable)
{
    LARGE_INTEGER Time;

    return waited(NtWaitForMultipleObjects(Count, (PHANDLE)Handles, All ? 0 : 1, Alertable != 0,
                                           BaseTimeout(&Time, Milliseconds)));
}

DWORD WINAPI WaitForMultipleObjects(DWORD Count, const HANDLE *Handles, BOOL All,
                                    DWORD Milliseconds)
{
    return WaitForMultipleObjectsEx(Count, Handles, All, Milliseconds, FALSE);
}

DWORD WINAPI SignalObjectAndWait(HANDLE Signal, HANDLE Wait, DWORD Milliseconds, BOOL Alertable)
{
    LARGE_INTEGER Time;

    return waited(NtSignalAndWaitForSingleObject(Signal, Wait, Alertable != 0,
                                                 BaseTimeout(&Time, Milliseconds)));
}

DWORD WINAPI SleepEx(DWORD Milliseconds, BOOL Alertable)
{
    LARGE_INTEGER Time;
    NTSTATUS Status;

    Time.QuadPart = Milliseconds == INFINITE ? MINLONGLONG : -10000 * (LONGLONG)Milliseconds;
    Status = NtDelayExecution(Alertable != 0, &Time);
    return Status == STATUS_USER_APC ? WAIT_IO_COMPLETION : 0;
}

void WINAPI Sleep(DWORD Milliseconds)
{
    SleepEx(Milliseconds, FALSE);
}

static void WINAPI user_apc(PVOID Routine, PVOID Data, PVOID Unused)
{
    (void)Unused;
    ((PAPCFUNC)Routine)((ULONG_PTR)Data);
}

DWORD WINAPI QueueUserAPC(PAPCFUNC Routine, HANDLE Thread, ULONG_PTR Data)
{
    return (DWORD)BaseResult(NtQueueApcThread(Thread, user_apc, Routine, (PVOID)Data, NULL));
}
