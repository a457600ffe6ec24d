/*
 * Processor time of threads and processes.
 *
 * A client's thread is two threads of Linux: its own, whose time is user time, and its kernel half,
 * whose time is kernel time. A system thread has kernel time only; a thread of an embedding program
 * that calls the executive is one Linux thread, whose time is called user time.
 */
#include "ps/psp.h"

static void PspReadTimes(PETHREAD Thread, PULONG64 Kernel, PULONG64 User)
{
    ULONG64 Own = KeThreadTime_(&Thread->Tcb);
    ULONG Client = Thread->Process->HostProcessId;
    BOOLEAN IsHalf = Client && Thread->StartRoutine;

    *Kernel = Thread->Tcb.SystemThread || IsHalf ? Own : 0;
    if (IsHalf && !Thread->Tcb.SystemThread)
        *User = host_time_of_thread(Client, HandleToULong(Thread->UniqueThreadId)) / 100;
    else
        *User = Thread->Tcb.SystemThread ? 0 : Own;
}

void PsQueryThreadTimes_(PETHREAD Thread, PULONG64 Kernel, PULONG64 User)
{
    if (__atomic_load_n(&Thread->TimesKept, __ATOMIC_ACQUIRE)) {
        *Kernel = Thread->KernelTime;
        *User = Thread->UserTime;
    } else {
        PspReadTimes(Thread, Kernel, User);
    }
}

/* By the thread itself, when it leaves. */
void PspKeepThreadTimes(PETHREAD Thread)
{
    PspReadTimes(Thread, &Thread->KernelTime, &Thread->UserTime);
    __atomic_fetch_add(&Thread->Process->KernelTime, Thread->KernelTime, __ATOMIC_RELAXED);
    if (!Thread->Process->HostProcessId)
        __atomic_fetch_add(&Thread->Process->UserTime, Thread->UserTime, __ATOMIC_RELAXED);
    __atomic_store_n(&Thread->TimesKept, TRUE, __ATOMIC_RELEASE);
}

/* A client's user time is that of its whole Linux process, also of threads that never called. */
void PsKeepProcessTimes_(PEPROCESS Process)
{
    ULONG64 Now = host_process_time(Process->HostProcessId) / 100;

    if (Process->HostProcessId && Now > __atomic_load_n(&Process->UserTime, __ATOMIC_RELAXED))
        __atomic_store_n(&Process->UserTime, Now, __ATOMIC_RELAXED);
}

void PsQueryProcessTimes_(PEPROCESS Process, PULONG64 Kernel, PULONG64 User)
{
    BOOLEAN IsClient = Process->HostProcessId != 0;

    if (IsClient && !Process->Dead)
        PsKeepProcessTimes_(Process);
    *Kernel = __atomic_load_n(&Process->KernelTime, __ATOMIC_RELAXED);
    *User = __atomic_load_n(&Process->UserTime, __ATOMIC_RELAXED);
    for (PETHREAD Thread = PsNextThread_(Process, NULL); Thread;
         Thread = PsNextThread_(Process, Thread)) {
        ULONG64 Here, There;

        if (__atomic_load_n(&Thread->TimesKept, __ATOMIC_ACQUIRE))
            continue; /* counted above */
        PspReadTimes(Thread, &Here, &There);
        *Kernel += Here;
        *User += IsClient ? 0 : There;
    }
}
