/* Semaphores: SignalState is the count. */
#include "ke/ki.h"

/* Any IRQL here (documented: PASSIVE_LEVEL). 0 <= Count <= Limit, 0 < Limit. Doc:
 * wdm/nf-wdm-keinitializesemaphore */
VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    KiInitializeHeader(&Semaphore->Header, KiSemaphore, sizeof(*Semaphore), Count);
    Semaphore->Limit = Limit;
}

/* IRQL <= DISPATCH_LEVEL, <= APC_LEVEL if Wait. The count before. Raises
 * STATUS_SEMAPHORE_LIMIT_EXCEEDED, and changes nothing, if the sum is above the limit. Doc:
 * wdm/nf-wdm-kereleasesemaphore */
LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment,
                              BOOLEAN Wait)
{
    KI_WAKES Wakes = {NULL, NULL};
    LONG Before, After;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Wait)
        VF_IRQL_MAX(APC_LEVEL);
    KiLockDispatcher();
    Before = Semaphore->Header.SignalState;
    if (__builtin_add_overflow(Before, Adjustment, &After) || After > Semaphore->Limit ||
        Adjustment < 0) {
        KiUnlockDispatcher();
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    KiSetState(&Semaphore->Header, After);
    KiSignal(&Semaphore->Header, &Wakes);
    KiUnlockAndWake(&Wakes);
    if (Wait)
        KiBeginWaitNext();
    return Before;
}

/* Any IRQL. The count. Doc: wdm/nf-wdm-kereadstatesemaphore */
LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    return KiReadState(&Semaphore->Header);
}
