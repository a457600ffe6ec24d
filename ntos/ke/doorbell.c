/*
 * Where a kernel half waits for its client: at a word of their channel, which both processes map.
 *
 * Clients that call often answer within microseconds, which is less than a futex costs. So a thread
 * spins for a while if that paid off lately. Doorbell tells Unpark to wake the word until the
 * thread has seen why.
 */
#include "ke/ki.h"

#define KI_SPIN_TIME 200   /* 20 microseconds */
#define KI_SPINS_ALONE 100 /* some microseconds; then whoever wants the CPU may have it */
#define KI_POLITELY 64     /* Relax gives it away */
#define KI_CREDIT_LIMIT 8
#define KI_RETRY 32 /* without credit, spin this seldom */

static BOOLEAN KiHasRung(uint32_t *Word, uint32_t Expected)
{
    return __atomic_load_n(Word, __ATOMIC_ACQUIRE) != Expected;
}

/* Whoever rings after this thread's look at the word finds that it sleeps, and wakes it. */
static void KiSleepAtDoorbell(uint32_t *Word, uint32_t Expected, uint32_t *Asleep)
{
    __atomic_exchange_n(Asleep, 1, __ATOMIC_SEQ_CST);
    if (!KiHasRung(Word, Expected))
        host_futex_wait(Word, Expected, HOST_FOREVER, true);
    __atomic_store_n(Asleep, 0, __ATOMIC_RELAXED);
}

static BOOLEAN KiSpinForDoorbell(uint32_t *Word, uint32_t Expected, BOOLEAN Near)
{
    ULONG64 End;

    for (ULONG i = Near ? KI_SPINS_ALONE : 0; i < KI_SPINS_ALONE; i++) {
        if (KiHasRung(Word, Expected))
            return TRUE;
        KiScheduler->Relax(0);
    }
    End = KiNow() + KI_SPIN_TIME;
    do {
        if (KiHasRung(Word, Expected))
            return TRUE;
        KiScheduler->Relax(KI_POLITELY);
    } while (KiNow() < End);
    return FALSE;
}

/* The credit grows with every spin that paid off; without credit only every so many visits tries.
 */
static BOOLEAN KiTrySpin(KTHREAD_NT *Thread, uint32_t *Word, uint32_t Expected, BOOLEAN Near)
{
    BOOLEAN Rung;

    if (Thread->DoorbellCredit == 0 && Thread->DoorbellVisits % KI_RETRY != 0)
        return FALSE;
    Rung = KiSpinForDoorbell(Word, Expected, Near);
    if (Rung && Thread->DoorbellCredit < KI_CREDIT_LIMIT)
        Thread->DoorbellCredit++;
    else if (!Rung && Thread->DoorbellCredit > 0)
        Thread->DoorbellCredit--;
    return Rung;
}

void KeExpectDoorbell(void)
{
    KiSelf->DoorbellCredit = KI_CREDIT_LIMIT;
}

void KeShowWaits(uint32_t *Word)
{
    KiSelf->Waits = Word;
}

static BOOLEAN KiMustLeave(KTHREAD_NT *Thread)
{
    return __atomic_load_n(&Thread->ApcState.KernelApcPending, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&Thread->Terminating, __ATOMIC_SEQ_CST);
}

/* A token may be a late one, of a wait that is over: whoever gave it rings until it is taken. */
static BOOLEAN KiTakeToken(KTHREAD_NT *Thread)
{
    return __atomic_exchange_n(&Thread->ParkWord, KiNoToken, __ATOMIC_SEQ_CST) == KiToken;
}

void KeWaitForDoorbell(uint32_t *Word, uint32_t Expected, uint32_t *Asleep, BOOLEAN Near)
{
    KTHREAD_NT *Thread = KiSelf;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (KiHasRung(Word, Expected))
        return;
    __atomic_fetch_add(&Thread->DoorbellVisits, 1, __ATOMIC_SEQ_CST);
    if (KiTrySpin(Thread, Word, Expected, Near))
        return;
    __atomic_store_n(&Thread->Doorbell, Word, __ATOMIC_SEQ_CST);
    while (!KiHasRung(Word, Expected) && !KiMustLeave(Thread))
        if (!KiTakeToken(Thread))
            KiSleepAtDoorbell(Word, Expected, Asleep);
    __atomic_store_n(&Thread->Doorbell, NULL, __ATOMIC_SEQ_CST);
}
