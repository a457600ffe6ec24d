/* Processes and threads. */
#include "win32/kernel32/base.h"

#include <stdlib.h>

HANDLE WINAPI GetCurrentProcess(void)
{
    return (HANDLE)(LONG_PTR)-1;
}

HANDLE WINAPI GetCurrentThread(void)
{
    return (HANDLE)(LONG_PTR)-2;
}

DWORD WINAPI GetCurrentProcessId(void)
{
    return host_process_id();
}

DWORD WINAPI GetCurrentThreadId(void)
{
    return host_thread_id();
}

void WINAPI ExitProcess(UINT Code)
{
    exit((int)Code);
}

BOOL WINAPI TerminateProcess(HANDLE Process, UINT Code)
{
    return BaseResult(NtTerminateProcess(Process, (NTSTATUS)Code));
}

HANDLE WINAPI OpenProcess(DWORD Access, BOOL Inherit, DWORD Id)
{
    CLIENT_ID Client = {.UniqueProcess = (HANDLE)(ULONG_PTR)Id};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Process = NULL;

    InitializeObjectAttributes(&Attributes, NULL, Inherit ? OBJ_INHERIT : 0, NULL, NULL);
    return BaseResult(NtOpenProcess(&Process, Access, &Attributes, &Client)) ? Process : NULL;
}

HANDLE WINAPI OpenThread(DWORD Access, BOOL Inherit, DWORD Id)
{
    CLIENT_ID Client = {.UniqueThread = (HANDLE)(ULONG_PTR)Id};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Thread = NULL;

    InitializeObjectAttributes(&Attributes, NULL, Inherit ? OBJ_INHERIT : 0, NULL, NULL);
    return BaseResult(NtOpenThread(&Thread, Access, &Attributes, &Client)) ? Thread : NULL;
}

/* A new thread meets the kernel first; its creator waits for that, since the handle is opened by
 * its id. */
struct birth {
    LPTHREAD_START_ROUTINE Routine;
    LPVOID Parameter;
    _Atomic uint32_t Id; /* 0: not yet; MAXDWORD: the kernel refused it */
    _Atomic uint32_t Opened;
};

static void thread_main(void *Argument)
{
    struct birth *Birth = Argument;
    LPTHREAD_START_ROUTINE Routine = Birth->Routine;
    LPVOID Parameter = Birth->Parameter;
    LARGE_INTEGER Time;
    BOOL Fine = STATUS_OK(NtQuerySystemTime(&Time));

    Birth->Id = Fine ? host_thread_id() : MAXDWORD;
    host_futex_wake((uint32_t *)&Birth->Id, 1, false);
    while (!Birth->Opened)
        host_futex_wait((uint32_t *)&Birth->Opened, 0, HOST_FOREVER, false);
    free(Birth);
    if (Fine)
        ExitThread(Routine(Parameter));
}

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES Security, SIZE_T Stack,
                           LPTHREAD_START_ROUTINE Routine, LPVOID Parameter, DWORD Flags,
                           LPDWORD Id)
{
    struct birth *Birth = calloc(1, sizeof(*Birth));
    HANDLE Thread = NULL;
    DWORD Born;

    (void)Stack;
    if (!Birth || (Flags & CREATE_SUSPENDED)) {
        SetLastError(Birth ? ERROR_NOT_SUPPORTED : ERROR_NOT_ENOUGH_MEMORY);
        goto failed;
    }
    Birth->Routine = Routine;
    Birth->Parameter = Parameter;
    if (host_thread_start_detached("nt-client", thread_main, Birth) < 0) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        goto failed;
    }
    while (!(Born = Birth->Id))
        host_futex_wait((uint32_t *)&Birth->Id, 0, HOST_FOREVER, false);
    if (Born != MAXDWORD)
        Thread = OpenThread(THREAD_ALL_ACCESS, Security && Security->bInheritHandle, Born);
    else
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    if (Id)
        *Id = Born;
    Birth->Opened = 1;
    host_futex_wake((uint32_t *)&Birth->Opened, 1, false);
    return Thread;
failed:
    free(Birth);
    return NULL;
}

void WINAPI ExitThread(DWORD Code)
{
    NtTerminateThread(GetCurrentThread(), (NTSTATUS)Code);
    __builtin_unreachable();
}

struct thread_basic {
    NTSTATUS ExitStatus;
    PVOID Teb;
    CLIENT_ID Id;
    ULONG_PTR Affinity;
    LONG Priority, Base;
};
struct process_basic {
    NTSTATUS ExitStatus;
    PVOID Peb;
    ULONG_PTR Affinity;
    LONG Base;
    ULONG_PTR Id, Parent;
};

BOOL WINAPI GetExitCodeThread(HANDLE Thread, LPDWORD Code)
{
    struct thread_basic Information;

    if (!BaseResult(NtQueryInformationThread(Thread, (THREADINFOCLASS)0, &Information,
                                             sizeof(Information), NULL)))
        return FALSE;
    *Code = (DWORD)Information.ExitStatus;
    return TRUE;
}

BOOL WINAPI GetExitCodeProcess(HANDLE Process, LPDWORD Code)
{
    struct process_basic Information;

    if (!BaseResult(NtQueryInformationProcess(Process, ProcessBasicInformation, &Information,
                                              sizeof(Information), NULL)))
        return FALSE;
    *Code = (DWORD)Information.ExitStatus;
    return TRUE;
}

BOOL WINAPI SwitchToThread(void)
{
    return NtYieldExecution() == STATUS_SUCCESS;
}
