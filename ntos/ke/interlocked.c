/*
 * ExInterlocked routines that take a spin lock. They work at HIGH_LEVEL, so they may be used at any
 * IRQL; a lock given to them above DISPATCH_LEVEL must not be used with KeAcquireSpinLock.
 */
#include "ke/ki.h"

static KIRQL KiAcquireHigh(PKSPIN_LOCK Lock)
{
    KIRQL Old = KfRaiseIrql(HIGH_LEVEL);

    KeAcquireSpinLockAtDpcLevel(Lock);
    return Old;
}

static void KiReleaseHigh(PKSPIN_LOCK Lock, KIRQL Old)
{
    KeReleaseSpinLockFromDpcLevel(Lock);
    KeLowerIrql(Old);
}

/* The former first entry, NULL if the list was empty. Doc: wdm/nf-wdm-exinterlockedinsertheadlist
 */
PLIST_ENTRY FASTCALL ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                 PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    PLIST_ENTRY First = IsListEmpty(ListHead) ? NULL : ListHead->Flink;

    InsertHeadList(ListHead, ListEntry);
    KiReleaseHigh(Lock, Old);
    return First;
}

/* The former last entry, NULL if the list was empty. Doc: wdm/nf-wdm-exinterlockedinserttaillist */
PLIST_ENTRY FASTCALL ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                 PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    PLIST_ENTRY Last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;

    InsertTailList(ListHead, ListEntry);
    KiReleaseHigh(Lock, Old);
    return Last;
}

/* The removed entry, NULL if the list is empty. Doc: wdm/nf-wdm-exinterlockedremoveheadlist */
PLIST_ENTRY FASTCALL ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    PLIST_ENTRY First = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);

    KiReleaseHigh(Lock, Old);
    return First;
}

/* The former first entry, NULL if the list was empty. Doc: wdm/nf-wdm-exinterlockedpushentrylist */
PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead,
                                                       PSINGLE_LIST_ENTRY ListEntry,
                                                       PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    PSINGLE_LIST_ENTRY First = ListHead->Next;

    ListEntry->Next = First;
    ListHead->Next = ListEntry;
    KiReleaseHigh(Lock, Old);
    return First;
}

/* The removed entry, NULL if the list is empty. Doc: wdm/nf-wdm-exinterlockedpopentrylist */
PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    PSINGLE_LIST_ENTRY First = ListHead->Next;

    if (First)
        ListHead->Next = First->Next;
    KiReleaseHigh(Lock, Old);
    return First;
}

/* The value before the addition. Doc: wdm/nf-wdm-exinterlockedaddlargeinteger */
LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                                 PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    LARGE_INTEGER Before = *Addend;

    Addend->QuadPart = (LONGLONG)((ULONGLONG)Before.QuadPart + (ULONGLONG)Increment.QuadPart);
    KiReleaseHigh(Lock, Old);
    return Before;
}

/* The value before the addition. Doc: wdm/nf-wdm-exinterlockedaddulong */
ULONG FASTCALL ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    KIRQL Old = KiAcquireHigh(Lock);
    ULONG Before = *Addend;

    *Addend = Before + Increment;
    KiReleaseHigh(Lock, Old);
    return Before;
}
