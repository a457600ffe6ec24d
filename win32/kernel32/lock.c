/*
 * Locks of one process: critical sections, slim locks, condition variables, one-time
 * initialization, thread-local storage.
 *
 * CRITICAL_SECTION: its LockSemaphore holds the word that is slept on: 0 free, 1 owned, 2 owned and
 * perhaps waited for. SRWLOCK: low word 0 free, EXCLUSIVE, or the number of readers; high word the
 * number of threads that sleep. CONDITION_VARIABLE: a count of wakes.    INIT_ONCE: the two low
 * bits say how far it is; the rest is the context.
 */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static uint64_t deadline_of(DWORD Milliseconds)
{
    return Milliseconds == INFINITE ? HOST_FOREVER : host_now() + (uint64_t)Milliseconds * 1000000;
}

static _Atomic uint32_t *word_of(LPCRITICAL_SECTION Section)
{
    return (_Atomic uint32_t *)(void *)&Section->LockSemaphore;
}

BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION Section, DWORD Spin, DWORD Flags)
{
    (void)Flags;
    memset(Section, 0, sizeof(*Section));
    Section->LockCount = -1;
    Section->SpinCount = Spin;
    return TRUE;
}

void WINAPI InitializeCriticalSection(LPCRITICAL_SECTION Section)
{
    InitializeCriticalSectionEx(Section, 0, 0);
}

BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION Section, DWORD Spin)
{
    return InitializeCriticalSectionEx(Section, Spin, 0);
}

DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION Section, DWORD Spin)
{
    DWORD Was = (DWORD)Section->SpinCount;

    Section->SpinCount = Spin;
    return Was;
}

void WINAPI DeleteCriticalSection(LPCRITICAL_SECTION Section)
{
    memset(Section, 0, sizeof(*Section));
}

static HANDLE self(void)
{
    return (HANDLE)(ULONG_PTR)host_thread_id();
}

static BOOL owned_by_caller(LPCRITICAL_SECTION Section)
{
    return __atomic_load_n(&Section->OwningThread, __ATOMIC_RELAXED) == self();
}

static void own(LPCRITICAL_SECTION Section)
{
    __atomic_store_n(&Section->OwningThread, self(), __ATOMIC_RELAXED);
    Section->RecursionCount = 1;
}

BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION Section)
{
    uint32_t Free = 0;

    if (owned_by_caller(Section)) {
        Section->RecursionCount++;
        return TRUE;
    }
    if (!atomic_compare_exchange_strong(word_of(Section), &Free, 1))
        return FALSE;
    own(Section);
    return TRUE;
}

void WINAPI EnterCriticalSection(LPCRITICAL_SECTION Section)
{
    if (TryEnterCriticalSection(Section))
        return;
    while (atomic_exchange(word_of(Section), 2) != 0)
        host_futex_wait((uint32_t *)word_of(Section), 2, HOST_FOREVER, false);
    own(Section);
}

void WINAPI LeaveCriticalSection(LPCRITICAL_SECTION Section)
{
    if (!owned_by_caller(Section) || --Section->RecursionCount)
        return;
    __atomic_store_n(&Section->OwningThread, NULL, __ATOMIC_RELAXED);
    if (atomic_exchange(word_of(Section), 0) == 2)
        host_futex_wake((uint32_t *)word_of(Section), 1, false);
}

#define EXCLUSIVE 0x80000000u

static _Atomic uint32_t *state_of(PSRWLOCK Lock)
{
    return (_Atomic uint32_t *)(void *)Lock;
}

static void sleep_on(PSRWLOCK Lock, uint32_t Seen)
{
    atomic_fetch_add(state_of(Lock) + 1, 1);
    host_futex_wait((uint32_t *)state_of(Lock), Seen, HOST_FOREVER, false);
    atomic_fetch_sub(state_of(Lock) + 1, 1);
}

static void wake_sleepers(PSRWLOCK Lock)
{
    if (atomic_load(state_of(Lock) + 1))
        host_futex_wake((uint32_t *)state_of(Lock), INT_MAX, false);
}

void WINAPI InitializeSRWLock(PSRWLOCK Lock)
{
    Lock->Ptr = NULL;
}

BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK Lock)
{
    uint32_t Free = 0;

    return atomic_compare_exchange_strong(state_of(Lock), &Free, EXCLUSIVE);
}

void WINAPI AcquireSRWLockExclusive(PSRWLOCK Lock)
{
    uint32_t Seen = 0;

    while (!atomic_compare_exchange_strong(state_of(Lock), &Seen, EXCLUSIVE)) {
        sleep_on(Lock, Seen);
        Seen = 0;
    }
}

void WINAPI ReleaseSRWLockExclusive(PSRWLOCK Lock)
{
    atomic_store(state_of(Lock), 0);
    wake_sleepers(Lock);
}

BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK Lock)
{
    uint32_t Seen = atomic_load(state_of(Lock));

    while (Seen != EXCLUSIVE)
        if (atomic_compare_exchange_weak(state_of(Lock), &Seen, Seen + 1))
            return TRUE;
    return FALSE;
}

void WINAPI AcquireSRWLockShared(PSRWLOCK Lock)
{
    while (!TryAcquireSRWLockShared(Lock))
        sleep_on(Lock, EXCLUSIVE);
}

void WINAPI ReleaseSRWLockShared(PSRWLOCK Lock)
{
    if (atomic_fetch_sub(state_of(Lock), 1) == 1)
        wake_sleepers(Lock);
}

static _Atomic uint32_t *wakes_of(PCONDITION_VARIABLE Variable)
{
    return (_Atomic uint32_t *)(void *)Variable;
}

void WINAPI InitializeConditionVariable(PCONDITION_VARIABLE Variable)
{
    Variable->Ptr = NULL;
}

static BOOL await_wake(PCONDITION_VARIABLE Variable, uint32_t Wakes, uint64_t Deadline)
{
    while (atomic_load(wakes_of(Variable)) == Wakes)
        if (host_futex_wait((uint32_t *)wakes_of(Variable), Wakes, Deadline, false) < 0 &&
            Deadline != HOST_FOREVER && host_now() >= Deadline)
            return FALSE;
    return TRUE;
}

static BOOL woken(BOOL Fine)
{
    if (!Fine)
        SetLastError(ERROR_TIMEOUT);
    return Fine;
}

BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE Variable, PCRITICAL_SECTION Section,
                                     DWORD Milliseconds)
{
    uint32_t Wakes = atomic_load(wakes_of(Variable));
    BOOL Fine;

    LeaveCriticalSection(Section);
    Fine = await_wake(Variable, Wakes, deadline_of(Milliseconds));
    EnterCriticalSection(Section);
    return woken(Fine);
}

BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE Variable, PSRWLOCK Lock,
                                      DWORD Milliseconds, ULONG Flags)
{
    uint32_t Wakes = atomic_load(wakes_of(Variable));
    BOOL Shared = (Flags & CONDITION_VARIABLE_LOCKMODE_SHARED) != 0, Fine;

    (Shared ? ReleaseSRWLockShared : ReleaseSRWLockExclusive)(Lock);
    Fine = await_wake(Variable, Wakes, deadline_of(Milliseconds));
    (Shared ? AcquireSRWLockShared : AcquireSRWLockExclusive)(Lock);
    return woken(Fine);
}

void WINAPI WakeConditionVariable(PCONDITION_VARIABLE Variable)
{
    atomic_fetch_add(wakes_of(Variable), 1);
    host_futex_wake((uint32_t *)wakes_of(Variable), 1, false);
}

void WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE Variable)
{
    atomic_fetch_add(wakes_of(Variable), 1);
    host_futex_wake((uint32_t *)wakes_of(Variable), INT_MAX, false);
}

enum { ONCE_NEVER, ONCE_RUNNING, ONCE_DONE };

static _Atomic uint64_t *once_of(PINIT_ONCE Once)
{
    return (_Atomic uint64_t *)(void *)Once;
}

void WINAPI InitOnceInitialize(PINIT_ONCE Once)
{
    Once->Ptr = NULL;
}

/* TRUE: the caller is to initialize. FALSE: it is done. */
static BOOL begin_once(PINIT_ONCE Once)
{
    for (;;) {
        uint64_t Seen = ONCE_NEVER;

        if (atomic_compare_exchange_strong(once_of(Once), &Seen, ONCE_RUNNING))
            return TRUE;
        if ((Seen & 3) == ONCE_DONE)
            return FALSE;
        host_futex_wait((uint32_t *)Once, ONCE_RUNNING, HOST_FOREVER, false);
    }
}

static void end_once(PINIT_ONCE Once, uint64_t Value)
{
    atomic_store(once_of(Once), Value);
    host_futex_wake((uint32_t *)Once, INT_MAX, false);
}

static void give_context(PINIT_ONCE Once, LPVOID *Context)
{
    if (Context)
        *Context = (LPVOID)(atomic_load(once_of(Once)) & ~(uint64_t)3);
}

BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE Once, PINIT_ONCE_FN Routine, PVOID Parameter,
                                LPVOID *Context)
{
    PVOID Made = NULL;

    if (begin_once(Once)) {
        BOOL Fine = Routine(Once, Parameter, &Made);

        end_once(Once, Fine ? (uint64_t)Made | ONCE_DONE : ONCE_NEVER);
        if (!Fine)
            return FALSE;
    }
    give_context(Once, Context);
    return TRUE;
}

BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE Once, DWORD Flags, PBOOL Pending, LPVOID *Context)
{
    if (Flags & INIT_ONCE_CHECK_ONLY) {
        *Pending = (atomic_load(once_of(Once)) & 3) != ONCE_DONE;
        if (*Pending) {
            SetLastError(ERROR_GEN_FAILURE);
            return FALSE;
        }
    } else {
        *Pending = begin_once(Once);
    }
    if (!*Pending)
        give_context(Once, Context);
    return TRUE;
}

BOOL WINAPI InitOnceComplete(LPINIT_ONCE Once, DWORD Flags, LPVOID Context)
{
    if ((atomic_load(once_of(Once)) & 3) != ONCE_RUNNING || (Flags & INIT_ONCE_ASYNC)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    end_once(Once, Flags & INIT_ONCE_INIT_FAILED ? ONCE_NEVER : (uint64_t)Context | ONCE_DONE);
    return TRUE;
}

/* A slot that is given anew reads as NULL in every thread: a value counts only with its slot's
 * generation. */
#define SLOTS 1088
static struct {
    host_lock Lock;
    _Atomic uint32_t Generation[SLOTS]; /* odd: in use */
} Tls;
static _Thread_local struct {
    PVOID Value;
    uint32_t Generation;
} * TlsValues;

static BOOL in_use(DWORD Index)
{
    if (Index < SLOTS && (Tls.Generation[Index] & 1))
        return TRUE;
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
}

DWORD WINAPI TlsAlloc(void)
{
    DWORD Index = 0;

    host_lock_acquire(&Tls.Lock);
    while (Index < SLOTS && (Tls.Generation[Index] & 1))
        Index++;
    if (Index < SLOTS)
        Tls.Generation[Index]++;
    host_lock_release(&Tls.Lock);
    if (Index < SLOTS)
        return Index;
    SetLastError(ERROR_NO_SYSTEM_RESOURCES);
    return TLS_OUT_OF_INDEXES;
}

BOOL WINAPI TlsFree(DWORD Index)
{
    BOOL Fine;

    host_lock_acquire(&Tls.Lock);
    Fine = in_use(Index);
    if (Fine)
        Tls.Generation[Index]++;
    host_lock_release(&Tls.Lock);
    return Fine;
}

LPVOID WINAPI TlsGetValue(DWORD Index)
{
    if (!in_use(Index))
        return NULL;
    SetLastError(ERROR_SUCCESS);
    return TlsValues && TlsValues[Index].Generation == Tls.Generation[Index]
               ? TlsValues[Index].Value
               : NULL;
}

BOOL WINAPI TlsSetValue(DWORD Index, LPVOID Value)
{
    if (!in_use(Index))
        return FALSE;
    if (!TlsValues) {
        TlsValues = calloc(SLOTS, sizeof(*TlsValues));
        if (!TlsValues) {
            SetLastError(ERROR_NOT_ENOUGH_MEMORY);
            return FALSE;
        }
        linux_free_with_thread(TlsValues);
    }
    TlsValues[Index].Value = Value;
    TlsValues[Index].Generation = Tls.Generation[Index];
    return TRUE;
}
