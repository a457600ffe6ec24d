/*
 * Timers.
 *
 * The table has a bucket a millisecond, in turns; a bucket is sorted by due time (interrupt time,
 * 100 ns). The clock thread sleeps until the earliest, so a timer is as precise as a Linux futex,
 * not rounded to the tick. The dispatcher lock guards the table.
 */
#include "ke/ki.h"

#define KI_BUCKETS 512
#define KI_BUCKET_TIME 10000
#define KI_MILLISECOND 10000ull
#define KI_BATCH 16

static struct {
    LIST_ENTRY Buckets[KI_BUCKETS];
    ULONG64 Occupied[KI_BUCKETS / 64];
    ULONG Count;
    ULONG64 Next; /* nothing is due before; KI_FOREVER: nothing at all */
} KiTimers;

void (*KeNoteObject)(const void *Object);

void KiInitializeTimers(void)
{
    memset(&KiTimers, 0, sizeof(KiTimers));
    for (ULONG i = 0; i < KI_BUCKETS; i++)
        InitializeListHead(&KiTimers.Buckets[i]);
    KiTimers.Next = KI_FOREVER;
}

static KTIMER *KiTimerOf(LIST_ENTRY *Entry)
{
    return CONTAINING_RECORD(Entry, KTIMER, TimerListEntry);
}

static ULONG KiBucketOf(KTIMER *Timer)
{
    return (ULONG)(Timer->DueTime.QuadPart / KI_BUCKET_TIME % KI_BUCKETS);
}

/* TRUE: it is due before all others. */
static BOOLEAN KiInsertTimer(KTIMER *Timer, ULONG64 Due)
{
    LIST_ENTRY *Head, *Before;
    ULONG Bucket;

    Timer->DueTime.QuadPart = Due;
    Timer->Header.Inserted = TRUE;
    Bucket = KiBucketOf(Timer);
    Head = &KiTimers.Buckets[Bucket];
    for (Before = Head->Blink; Before != Head && KiTimerOf(Before)->DueTime.QuadPart > Due;
         Before = Before->Blink)
        ;
    InsertHeadList(Before, &Timer->TimerListEntry);
    KiTimers.Occupied[Bucket / 64] |= 1ull << Bucket % 64;
    __atomic_store_n(&KiTimers.Count, KiTimers.Count + 1, __ATOMIC_RELAXED);
    if (KeNoteObject)
        KeNoteObject(Timer);
    if (Due >= KiTimers.Next)
        return FALSE;
    KiTimers.Next = Due;
    return TRUE;
}

static BOOLEAN KiRemoveTimer(KTIMER *Timer)
{
    ULONG Bucket;

    if (!Timer->Header.Inserted)
        return FALSE;
    Bucket = KiBucketOf(Timer);
    RemoveEntryList(&Timer->TimerListEntry);
    if (IsListEmpty(&KiTimers.Buckets[Bucket]))
        KiTimers.Occupied[Bucket / 64] &= ~(1ull << Bucket % 64);
    Timer->Header.Inserted = FALSE;
    __atomic_store_n(&KiTimers.Count, KiTimers.Count - 1, __ATOMIC_RELAXED);
    return TRUE;
}

static KTIMER *KiEarliestTimer(void)
{
    KTIMER *Earliest = NULL;

    for (ULONG Word = 0; Word < KI_BUCKETS / 64; Word++)
        for (ULONG64 Bits = KiTimers.Occupied[Word]; Bits; Bits &= Bits - 1) {
            KTIMER *Timer =
                KiTimerOf(KiTimers.Buckets[Word * 64 + (ULONG)__builtin_ctzll(Bits)].Flink);

            if (!Earliest || Timer->DueTime.QuadPart < Earliest->DueTime.QuadPart)
                Earliest = Timer;
        }
    return Earliest;
}

/* The next turn of a periodic timer; turns that were missed altogether are left out. */
static ULONG64 KiNextPeriod(KTIMER *Timer, ULONG64 Now)
{
    ULONG64 Period = Timer->Period * KI_MILLISECOND;
    ULONG64 Due = Timer->DueTime.QuadPart + Period;

    return Due > Now ? Due : Now + Period;
}

/* A timer that is in no list has come due. At DISPATCH_LEVEL on Prcb, under the dispatcher lock. */
static void KiExpireTimer(KTIMER *Timer, ULONG64 Now, KPRCB *Prcb, KI_WAKES *Wakes)
{
    LARGE_INTEGER Time;

    KiSetState(&Timer->Header, 1);
    KiSignal(&Timer->Header, Wakes);
    VfTrace(VfEventTimer, (ULONG_PTR)Timer, (ULONG_PTR)Timer->Dpc);
    if (Timer->Period)
        KiInsertTimer(Timer, KiNextPeriod(Timer, Now));
    if (!Timer->Dpc)
        return;
    Time.QuadPart = (LONGLONG)KiScheduler->SystemTime();
    KiQueueDpc(Timer->Dpc, (PVOID)(ULONG_PTR)Time.LowPart, (PVOID)(LONG_PTR)Time.HighPart, Prcb);
}

ULONG64 KiExpireTimers(ULONG64 Now, KPRCB *Prcb)
{
    ULONG64 Next;
    ULONG Batch;

    do {
        KI_WAKES Wakes = {NULL, NULL};
        KTIMER *Timer = NULL;

        KiLockDispatcher();
        for (Batch = 0; Batch < KI_BATCH; Batch++) {
            Timer = KiEarliestTimer();
            if (!Timer || Timer->DueTime.QuadPart > Now)
                break;
            KiRemoveTimer(Timer);
            KiExpireTimer(Timer, Now, Prcb, &Wakes);
        }
        Next = Timer ? Timer->DueTime.QuadPart : KI_FOREVER;
        KiTimers.Next = Next;
        KiUnlockAndWake(&Wakes);
    } while (Batch == KI_BATCH);
    return Next;
}

static ULONG64 KiShiftDue(ULONG64 Due, LONG64 Change)
{
    if (Change > 0)
        return Due > (ULONG64)Change ? Due - (ULONG64)Change : 0;
    return Due + (ULONG64)-Change;
}

/* The system time jumped by Change: absolute timers keep their place in it. */
void KiShiftAbsoluteTimers(LONG64 Change)
{
    LIST_ENTRY Shifted;

    InitializeListHead(&Shifted);
    KiLockDispatcher();
    for (ULONG i = 0; i < KI_BUCKETS; i++) {
        LIST_ENTRY *Next;

        for (LIST_ENTRY *Entry = KiTimers.Buckets[i].Flink; Entry != &KiTimers.Buckets[i];
             Entry = Next) {
            Next = Entry->Flink;
            if (KiTimerOf(Entry)->Header.Absolute) {
                KiRemoveTimer(KiTimerOf(Entry));
                InsertTailList(&Shifted, Entry);
            }
        }
    }
    while (!IsListEmpty(&Shifted)) {
        KTIMER *Timer = KiTimerOf(RemoveHeadList(&Shifted));

        KiInsertTimer(Timer, KiShiftDue(Timer->DueTime.QuadPart, Change));
    }
    KiUnlockDispatcher();
}

/* IRQL <= DISPATCH_LEVEL. A notification timer. Doc: wdm/nf-wdm-keinitializetimer */
VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* IRQL <= DISPATCH_LEVEL. The timer is the caller's, in nonpaged memory, not set. Doc:
 * wdm/nf-wdm-keinitializetimerex */
VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    memset(Timer, 0, sizeof(*Timer));
    KiInitializeHeader(&Timer->Header,
                       Type == NotificationTimer ? KiNotificationTimer : KiSynchronizationTimer,
                       sizeof(*Timer), 0);
    InitializeListHead(&Timer->TimerListEntry);
}

/* At DISPATCH_LEVEL, under the lock. TRUE: the clock must be woken. */
static BOOLEAN KiSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG64 Due, KI_WAKES *Wakes)
{
    ULONG64 Now = KiNow();

    Timer->Header.Absolute = DueTime.QuadPart > 0;
    if (Due > Now)
        return KiInsertTimer(Timer, Due);
    Timer->DueTime.QuadPart = Now;
    KiExpireTimer(Timer, Now, KiSelf->Prcb, Wakes);
    return Timer->Header.Inserted && KiTimers.Next == Timer->DueTime.QuadPart;
}

/* IRQL <= DISPATCH_LEVEL. DueTime in 100 ns: negative is relative, positive absolute system time;
 * Period in milliseconds, 0: once. A timer that is set already is set anew. TRUE: it was set. One
 * that is due has expired, and its DPC has run, when this returns below DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-kesettimerex */
BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    ULONG64 Due = KiDeadline(&DueTime);
    KI_WAKES Wakes = {NULL, NULL};
    BOOLEAN Before, First;
    KIRQL Old;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Old = KfRaiseIrql(DISPATCH_LEVEL);
    KiLockDispatcher();
    Before = KiRemoveTimer(Timer);
    KiSetState(&Timer->Header, 0);
    Timer->Dpc = Dpc;
    Timer->Period = Period > 0 ? (ULONG)Period : 0;
    First = KiSetTimer(Timer, DueTime, Due, &Wakes);
    KiUnlockAndWake(&Wakes);
    if (First)
        KiWakeClock();
    KeLowerIrql(Old);
    return Before;
}

/* As KeSetTimerEx, once. Doc: wdm/nf-wdm-kesettimer */
BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* As KeSetTimerEx; the tolerable delay (milliseconds) is not made use of. Doc:
 * wdm/nf-wdm-kesetcoalescabletimer */
BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
                                    ULONG TolerableDelay, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

/* IRQL <= DISPATCH_LEVEL. TRUE: it was set. A DPC that it queued stays queued. Doc:
 * wdm/nf-wdm-kecanceltimer */
BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    BOOLEAN Removed;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KiLockDispatcher();
    Removed = KiRemoveTimer(Timer);
    Timer->Period = 0;
    KiUnlockDispatcher();
    return Removed;
}

/* IRQL <= DISPATCH_LEVEL. TRUE: signalled. Doc: wdm/nf-wdm-kereadstatetimer */
BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return KiReadState(&Timer->Header) > 0;
}

static PVOID KiTimerItself(KTIMER *Timer)
{
    return Timer;
}

static PVOID KiTimerRoutine(KTIMER *Timer)
{
    return Timer->Dpc ? KiDpcRoutine(Timer->Dpc) : NULL;
}

/* What Of says of a timer lies there. Dispatcher locked. */
static PVOID KiFindTimer(LIST_ENTRY *Head, ULONG_PTR Low, ULONG_PTR High, PVOID (*Of)(KTIMER *))
{
    for (LIST_ENTRY *Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PVOID Found = Of(KiTimerOf(Entry));

        if ((ULONG_PTR)Found >= Low && (ULONG_PTR)Found < High)
            return Found;
    }
    return NULL;
}

static BOOLEAN KiFindTimers(ULONG_PTR Low, ULONG_PTR High, PVOID (*Of)(KTIMER *), PVOID *Object)
{
    *Object = NULL;
    if (!__atomic_load_n(&KiTimers.Count, __ATOMIC_RELAXED))
        return FALSE;
    KiLockDispatcher();
    for (ULONG Word = 0; Word < KI_BUCKETS / 64 && !*Object; Word++)
        for (ULONG64 Bits = KiTimers.Occupied[Word]; Bits && !*Object; Bits &= Bits - 1)
            *Object = KiFindTimer(&KiTimers.Buckets[Word * 64 + (ULONG)__builtin_ctzll(Bits)], Low,
                                  High, Of);
    KiUnlockDispatcher();
    return *Object != NULL;
}

/* Any IRQL. Whether a timer that is set (Kind 0) or a queued DPC (Kind 1) lies in the block: the
 * numbers of bug check 0xC7. */
BOOLEAN KeFindObjectInRange(const void *Base, SIZE_T Bytes, ULONG *Kind, PVOID *Object)
{
    ULONG_PTR Low = (ULONG_PTR)Base, High = Low + Bytes;

    *Kind = 0;
    if (KiFindTimers(Low, High, KiTimerItself, Object))
        return TRUE;
    *Kind = 1;
    return KiFindDpcs(Low, High, KiDpcItself, Object);
}

/* Any IRQL. Whether a timer that is set or a queued DPC will call a routine there. */
BOOLEAN KeFindRoutineInRange(const void *Base, SIZE_T Bytes, PVOID *Routine)
{
    ULONG_PTR Low = (ULONG_PTR)Base, High = Low + Bytes;

    return KiFindTimers(Low, High, KiTimerRoutine, Routine) ||
           KiFindDpcs(Low, High, KiDpcRoutine, Routine);
}
