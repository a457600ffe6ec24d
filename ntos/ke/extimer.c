/*
 * Timers that the executive allocates (EX_TIMER). A KTIMER comes first, so that one can be waited
 * for.
 *
 * The callback runs in a DPC. Deletion must outlast it: the reaper, a threaded DPC, flushes the DPC
 * queues before it frees.
 */
#include "ke/ki.h"

#define KI_ATTRIBUTES (EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE | EX_TIMER_NOTIFICATION)
#define KI_FAST_FAIL_INVALID_ARG 5

struct _EX_TIMER {
    KTIMER Timer;
    KDPC Dpc, Reaper;
    PEXT_CALLBACK Callback;
    PVOID Context;
    ULONG Attributes;
    BOOLEAN DeleteWhenExpired; /* guarded by the dispatcher lock */
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
};

static void KiBadArgument(const char *Text)
{
    VfBugCheck(KERNEL_SECURITY_CHECK_FAILURE, KI_FAST_FAIL_INVALID_ARG, 0, 0, 0, "%s", Text);
}

static VOID NTAPI KiExTimerDpc(PKDPC Dpc, PVOID Context, PVOID SystemArgument1,
                               PVOID SystemArgument2)
{
    PEX_TIMER Timer = Context;
    BOOLEAN Delete;

    if (Timer->Callback)
        NT_CALL(Timer->Callback, Timer, Timer->Context);
    KiLockDispatcher();
    Delete = Timer->DeleteWhenExpired;
    Timer->DeleteWhenExpired = FALSE;
    KiUnlockDispatcher();
    if (Delete) {
        KeCancelTimer(&Timer->Timer);
        KeInsertQueueDpc(&Timer->Reaper, NULL, NULL);
    }
}

PVOID KiExTimerRoutine(KDPC *Dpc)
{
    return Dpc->DeferredRoutine == KiExTimerDpc ? (PVOID)((PEX_TIMER)Dpc->DeferredContext)->Callback
                                                : NULL;
}

static void KiFreeExTimer(PEX_TIMER Timer)
{
    PEXT_DELETE_CALLBACK Callback = Timer->DeleteCallback;
    PVOID Context = Timer->DeleteContext;

    KiFlushDpcs();
    free(Timer);
    if (Callback)
        NT_CALL(Callback, Context);
}

static VOID NTAPI KiReapExTimer(PKDPC Dpc, PVOID Context, PVOID SystemArgument1,
                                PVOID SystemArgument2)
{
    KiFreeExTimer(Context);
}

/* IRQL <= DISPATCH_LEVEL. Callback is optional and runs at DISPATCH_LEVEL. NULL: no memory. Doc:
 * wdm/nf-wdm-exallocatetimer */
PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    PEX_TIMER Timer;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Attributes & ~KI_ATTRIBUTES)
        KiBadArgument("ExAllocateTimer: unknown attributes");
    Timer = calloc(1, sizeof(*Timer));
    if (!Timer)
        return NULL;
    KeInitializeTimerEx(&Timer->Timer, Attributes & EX_TIMER_NOTIFICATION ? NotificationTimer
                                                                          : SynchronizationTimer);
    KeInitializeDpc(&Timer->Dpc, KiExTimerDpc, Timer);
    KeInitializeThreadedDpc(&Timer->Reaper, KiReapExTimer, Timer);
    Timer->Callback = Callback;
    Timer->Context = CallbackContext;
    Timer->Attributes = Attributes;
    return Timer;
}

/* IRQL <= DISPATCH_LEVEL. Times in 100 ns; the period is rounded up to milliseconds. TRUE: it was
 * set before. A high-resolution timer takes relative times only. Doc: wdm/nf-wdm-exsettimer */
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period,
                         PEXT_SET_PARAMETERS Parameters)
{
    LARGE_INTEGER Due = {.QuadPart = DueTime};

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Period < 0 || Period > MAXLONG)
        KiBadArgument("ExSetTimer: the period is out of range");
    if ((Timer->Attributes & EX_TIMER_HIGH_RESOLUTION) && DueTime >= 0)
        KiBadArgument("ExSetTimer: an absolute time for a high-resolution timer");
    return KeSetTimerEx(&Timer->Timer, Due, (LONG)((Period + 9999) / 10000), &Timer->Dpc);
}

/* IRQL <= DISPATCH_LEVEL. TRUE: it was set. Doc: wdm/nf-wdm-excanceltimer */
BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    return KeCancelTimer(&Timer->Timer);
}

/* TRUE: it is set still, and its expiration will delete it. */
static BOOLEAN KiDeleteLater(PEX_TIMER Timer)
{
    KiLockDispatcher();
    Timer->DeleteWhenExpired = Timer->Timer.Header.Inserted;
    KiUnlockDispatcher();
    return Timer->DeleteWhenExpired;
}

/* IRQL <= DISPATCH_LEVEL; <= APC_LEVEL if Wait, which needs Cancel: then the callback has returned
 * and the timer is gone. TRUE: it was set and is cancelled. The delete callback (optional) runs
 * when it is gone. Doc: wdm/nf-wdm-exdeletetimer */
BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait,
                            PEXT_DELETE_PARAMETERS Parameters)
{
    BOOLEAN Cancelled;

    VF_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (Wait && !Cancel)
        KiBadArgument("ExDeleteTimer: Wait without Cancel");
    if (Parameters) {
        Timer->DeleteCallback = Parameters->DeleteCallback;
        Timer->DeleteContext = Parameters->DeleteContext;
    }
    if (!Cancel && KiDeleteLater(Timer))
        return FALSE;
    Cancelled = Cancel && KeCancelTimer(&Timer->Timer);
    if (Wait)
        KiFreeExTimer(Timer);
    else
        KeInsertQueueDpc(&Timer->Reaper, NULL, NULL);
    return Cancelled;
}
