/*
 * Mutexes: KMUTEX for drivers (its owner gets no normal kernel APCs) and KMUTANT for user mode.
 *
 * SignalState is 1 when free, 1 - n when acquired n times. DpcActive remembers an acquisition at
 * DISPATCH_LEVEL: it must be released there.
 */
#include "ke/ki.h"

static void KiInitializeMutant(KMUTANT *Mutant, UCHAR ApcDisable)
{
    KiInitializeHeader(&Mutant->Header, KiMutant, sizeof(*Mutant), 1);
    InitializeListHead(&Mutant->MutantListEntry);
    Mutant->OwnerThread = NULL;
    Mutant->Abandoned = FALSE;
    Mutant->ApcDisable = ApcDisable;
}

/* Any IRQL. Free at first. Level is not used. Doc: wdm/nf-wdm-keinitializemutex */
VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    KiInitializeMutant(Mutex, 1);
}

/* Any IRQL. Owned by the calling thread at first if InitialOwner. Doc:
 * ntifs/nf-ntifs-keinitializemutant */
VOID NTAPI KeInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner)
{
    KiInitializeMutant(Mutant, 0);
    if (!InitialOwner)
        return;
    KiLockDispatcher();
    KiTakeMutant(Mutant, KiSelf);
    KiUnlockDispatcher();
}

BOOLEAN KiTakeMutant(KMUTANT *Mutant, KTHREAD_NT *Thread)
{
    BOOLEAN Abandoned = Mutant->Abandoned;

    KiSetState(&Mutant->Header, Mutant->Header.SignalState - 1);
    if (Mutant->Header.SignalState != 0)
        return FALSE; /* again, by its owner */
    Mutant->Abandoned = FALSE;
    Mutant->Header.DpcActive = Thread->Irql == DISPATCH_LEVEL;
    __atomic_store_n(&Mutant->OwnerThread, Thread, __ATOMIC_RELAXED);
    if (Mutant->ApcDisable)
        Thread->KernelApcDisable--;
    InsertTailList(&Thread->MutantListHead, &Mutant->MutantListEntry);
    return Abandoned;
}

static void KiFreeMutant(KMUTANT *Mutant, KTHREAD_NT *Owner)
{
    RemoveEntryList(&Mutant->MutantListEntry);
    InitializeListHead(&Mutant->MutantListEntry);
    __atomic_store_n(&Mutant->OwnerThread, NULL, __ATOMIC_RELAXED);
    if (Mutant->ApcDisable) /* then it is Owner who runs; a mutant may go from under its owner */
        Owner->KernelApcDisable++;
    KiSetState(&Mutant->Header, 1);
}

/* At thread exit. A KMUTEX still held is bug check THREAD_TERMINATE_HELD_MUTEX, found by the
 * caller. */
void KiAbandonMutants(KTHREAD_NT *Thread, KI_WAKES *Wakes)
{
    while (!IsListEmpty(&Thread->MutantListHead)) {
        KMUTANT *Mutant = CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry);

        Mutant->Abandoned = TRUE;
        KiFreeMutant(Mutant, Thread);
        KiSignal(&Mutant->Header, Wakes);
    }
}

static BOOLEAN KiMayRelease(KMUTANT *Mutant, KTHREAD_NT *Thread)
{
    return Mutant->OwnerThread == Thread &&
           Mutant->Header.DpcActive == (Thread->Irql == DISPATCH_LEVEL);
}

/* IRQL <= DISPATCH_LEVEL, <= APC_LEVEL if Wait. The state before: 0 if the mutex is now free.
 * Raises STATUS_MUTANT_NOT_OWNED (STATUS_ABANDONED for an abandoned one) if the calling thread does
 * not own it, or acquired it on the other side of DISPATCH_LEVEL. Abandoned frees it at once. Doc:
 * ntifs/nf-ntifs-kereleasemutant */
LONG NTAPI KeReleaseMutant(PRKMUTANT Mutant, KPRIORITY Increment, BOOLEAN Abandoned, BOOLEAN Wait)
{
    KTHREAD_NT *Thread = KiSelf;
    KI_WAKES Wakes = {NULL, NULL};
    LONG Before;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Wait)
        VF_IRQL_MAX(APC_LEVEL);
    KiLockDispatcher();
    Before = Mutant->Header.SignalState;
    if (!KiMayRelease(Mutant, Thread)) {
        NTSTATUS Status = Mutant->Abandoned ? STATUS_ABANDONED : STATUS_MUTANT_NOT_OWNED;

        KiUnlockDispatcher();
        ExRaiseStatus(Status);
    }
    if (!Abandoned && Before != 0) {
        KiSetState(&Mutant->Header, Before + 1);
    } else {
        Mutant->Abandoned = Abandoned;
        KiFreeMutant(Mutant, Thread);
        KiSignal(&Mutant->Header, &Wakes);
    }
    KiUnlockAndWake(&Wakes);
    if (Wait)
        KiBeginWaitNext();
    else if (KiApcPending(Thread) && Thread->Irql < APC_LEVEL)
        KeDeliverKernelApcs();
    return Before;
}

/* The mutant goes, and nobody waits for it: off the list of whoever owns it. */
void KeForgetMutant_(KMUTANT *Mutant)
{
    KiLockDispatcher();
    if (Mutant->OwnerThread)
        KiFreeMutant(Mutant, (KTHREAD_NT *)Mutant->OwnerThread);
    KiUnlockDispatcher();
}

/* As KeReleaseMutant. Doc: wdm/nf-wdm-kereleasemutex */
LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    return KeReleaseMutant(Mutex, 1, FALSE, Wait);
}

/* IRQL <= DISPATCH_LEVEL. 1: free. Doc: wdm/nf-wdm-kereadstatemutex */
LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiReadState(&Mutex->Header);
}

/* IRQL <= DISPATCH_LEVEL. 1: free. Doc: ntifs/nf-ntifs-kereadstatemutant */
LONG NTAPI KeReadStateMutant(PRKMUTANT Mutant)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiReadState(&Mutant->Header);
}
