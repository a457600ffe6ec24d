/* Events: notification events stay signalled, synchronization events let one wait through. */
#include "ke/ki.h"

/* Any IRQL. The event is the caller's, in nonpaged memory. Doc: wdm/nf-wdm-keinitializeevent */
VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    KiInitializeHeader(&Event->Header,
                       Type == NotificationEvent ? KiNotificationEvent : KiSynchronizationEvent,
                       sizeof(*Event), State ? 1 : 0);
}

static void KiCheckSetEvent(PRKEVENT Event, BOOLEAN Wait)
{
    KIRQL Irql = KiIrql();

    if (__builtin_expect(Irql > DISPATCH_LEVEL, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x80, Irql, (ULONG_PTR)Event, 0,
                   "KeSetEvent at IRQL %u", Irql);
    if (Wait)
        VF_IRQL_MAX(APC_LEVEL);
}

/* IRQL <= DISPATCH_LEVEL (above: 0xC4/80), <= APC_LEVEL if Wait. Nonzero: it was signalled before.
 * With Wait, returns at DISPATCH_LEVEL, and a KeWaitXxx must follow. Doc: wdm/nf-wdm-kesetevent */
LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_WAKES Wakes = {NULL, NULL};
    LONG Before;

    KiCheckSetEvent(Event, Wait);
    if (Wait)
        KiBeginWaitNext();
    KiLockDispatcher();
    Before = Event->Header.SignalState;
    KiSetState(&Event->Header, 1);
    KiSignal(&Event->Header, &Wakes);
    KiUnlockAndWake(&Wakes);
    return Before;
}

/* IRQL <= DISPATCH_LEVEL. Nonzero: it was signalled before. Doc: wdm/nf-wdm-keresetevent */
LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    LONG Before;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KiLockDispatcher();
    Before = Event->Header.SignalState;
    KiSetState(&Event->Header, 0);
    KiUnlockDispatcher();
    return Before;
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-keclearevent */
VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    KiLockDispatcher();
    KiSetState(&Event->Header, 0);
    KiUnlockDispatcher();
}

/* IRQL <= DISPATCH_LEVEL. Nonzero: signalled. Doc: wdm/nf-wdm-kereadstateevent */
LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiReadState(&Event->Header);
}

/* IRQL <= DISPATCH_LEVEL, <= APC_LEVEL if Wait. Satisfies the waits of this moment and leaves the
 * event not signalled. Doc: ntddk/nf-ntddk-kepulseevent */
LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_WAKES Wakes = {NULL, NULL};
    LONG Before;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (Wait) {
        VF_IRQL_MAX(APC_LEVEL);
        KiBeginWaitNext();
    }
    KiLockDispatcher();
    Before = Event->Header.SignalState;
    KiSetState(&Event->Header, 1);
    KiSignal(&Event->Header, &Wakes);
    KiSetState(&Event->Header, 0);
    KiUnlockAndWake(&Wakes);
    return Before;
}
