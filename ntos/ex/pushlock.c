/*
 * Push locks: reader-writer locks of one word.
 *
 * Word: bit 0 held exclusively, bit 1 threads wait, the rest counts shared holders. Waiters stand
 * in order of arrival in one of a few lists found by the lock's address. While bit 1 is set nobody
 * enters past the list: the last holder, under the list's lock, hands the push lock to the first
 * waiter, or to all shared waiters up to the next exclusive one.
 */
#include "ex/exp.h"

#define EXP_EXCLUSIVE ((ULONG_PTR)1)
#define EXP_WAITERS ((ULONG_PTR)2)
#define EXP_SHARE ((ULONG_PTR)4)
#define EXP_BUCKETS 64

typedef struct EXP_PUSH_WAITER {
    struct EXP_PUSH_WAITER *Next;
    PEX_PUSH_LOCK Lock;
    BOOLEAN Exclusive;
    KEVENT Event;
} EXP_PUSH_WAITER;

typedef struct EXP_BUCKET {
    KSPIN_LOCK Lock;
    EXP_PUSH_WAITER *First;
} EXP_BUCKET;

static struct {
    EXP_BUCKET Buckets[EXP_BUCKETS];
} ExpPush;

static EXP_BUCKET *ExpBucketOf(PEX_PUSH_LOCK Lock)
{
    return &ExpPush.Buckets[((ULONG_PTR)Lock >> 4) * 0x9E3779B97F4A7C15 >> 58];
}

static BOOLEAN ExpTryPush(PEX_PUSH_LOCK Lock, BOOLEAN Exclusive)
{
    ULONG_PTR Old = __atomic_load_n(Lock, __ATOMIC_RELAXED), New;

    for (;;) {
        if (Exclusive ? Old != 0 : (Old & (EXP_EXCLUSIVE | EXP_WAITERS)) != 0)
            return FALSE;
        New = Exclusive ? EXP_EXCLUSIVE : Old + EXP_SHARE;
        if (__atomic_compare_exchange_n(Lock, &Old, New, TRUE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return TRUE;
    }
}

/* Under the bucket's lock: takes the push lock after all, or marks it as waited for (FALSE). */
static BOOLEAN ExpTryOrMark(PEX_PUSH_LOCK Lock, BOOLEAN Exclusive)
{
    ULONG_PTR Old;

    for (;;) {
        if (ExpTryPush(Lock, Exclusive))
            return TRUE;
        Old = __atomic_load_n(Lock, __ATOMIC_RELAXED);
        if (Exclusive ? Old == 0 : (Old & (EXP_EXCLUSIVE | EXP_WAITERS)) == 0)
            continue;
        if (__atomic_compare_exchange_n(Lock, &Old, Old | EXP_WAITERS, FALSE, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return FALSE;
    }
}

static VOID ExpWaitPush(PEX_PUSH_LOCK Lock, BOOLEAN Exclusive)
{
    EXP_BUCKET *Bucket = ExpBucketOf(Lock);
    EXP_PUSH_WAITER Waiter = {.Lock = Lock, .Exclusive = Exclusive}, **Link;
    KIRQL Irql;

    KeInitializeEvent(&Waiter.Event, SynchronizationEvent, FALSE);
    KeAcquireSpinLock(&Bucket->Lock, &Irql);
    if (ExpTryOrMark(Lock, Exclusive)) {
        KeReleaseSpinLock(&Bucket->Lock, Irql);
        return;
    }
    for (Link = &Bucket->First; *Link != NULL; Link = &(*Link)->Next)
        continue;
    *Link = &Waiter;
    KeReleaseSpinLock(&Bucket->Lock, Irql);
    KeWaitForSingleObject(&Waiter.Event, Executive, KernelMode, FALSE, NULL);
}

/* Takes from the bucket those who are to hold the lock next, and says what its word is then. */
static EXP_PUSH_WAITER *ExpTakeNext(EXP_BUCKET *Bucket, PEX_PUSH_LOCK Lock, ULONG_PTR *Word)
{
    EXP_PUSH_WAITER *Taken = NULL, **End = &Taken, **Link = &Bucket->First, *Waiter;

    *Word = 0;
    while ((Waiter = *Link) != NULL) {
        if (Waiter->Lock != Lock) {
            Link = &Waiter->Next;
            continue;
        }
        if (*Word != 0 && (Waiter->Exclusive || *Word == EXP_EXCLUSIVE)) {
            *Word |= EXP_WAITERS;
            break;
        }
        *Word += Waiter->Exclusive ? EXP_EXCLUSIVE : EXP_SHARE;
        *Link = Waiter->Next;
        Waiter->Next = NULL;
        *End = Waiter;
        End = &Waiter->Next;
    }
    return Taken;
}

/* The last holder leaves and bit 1 is set. What those did who held it shared, and left before, is
 * acquired, since it comes before what the next holders do. */
static VOID ExpHandOver(PEX_PUSH_LOCK Lock)
{
    EXP_BUCKET *Bucket = ExpBucketOf(Lock);
    EXP_PUSH_WAITER *Waiter, *Next;
    ULONG_PTR Word;
    KIRQL Irql;

    KeAcquireSpinLock(&Bucket->Lock, &Irql);
    Word = __atomic_load_n(Lock, __ATOMIC_ACQUIRE);
    NT_ASSERT((Word & EXP_WAITERS) != 0);
    Waiter = ExpTakeNext(Bucket, Lock, &Word);
    NT_ASSERT(Waiter != NULL);
    __atomic_store_n(Lock, Word, __ATOMIC_RELEASE);
    KeReleaseSpinLock(&Bucket->Lock, Irql);
    for (; Waiter != NULL; Waiter = Next) {
        Next = Waiter->Next;
        KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
    }
}

/* Doc: wdm/nf-wdm-exinitializepushlock */
VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    __atomic_store_n(PushLock, 0, __ATOMIC_RELEASE);
}

/* Waits until no other thread holds the lock. IRQL <= APC_LEVEL, normal kernel APCs disabled. Doc:
 * wdm/nf-wdm-exacquirepushlockexclusive */
VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (!ExpTryPush(PushLock, TRUE))
        ExpWaitPush(PushLock, TRUE);
}

/* Waits until no thread holds the lock exclusively or waits for it. Doc:
 * wdm/nf-wdm-exacquirepushlockshared */
VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (!ExpTryPush(PushLock, FALSE))
        ExpWaitPush(PushLock, FALSE);
}

/* Doc: wdm/nf-wdm-exreleasepushlockexclusive */
VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ULONG_PTR Old = EXP_EXCLUSIVE;

    VF_IRQL_MAX(APC_LEVEL);
    if (__atomic_compare_exchange_n(PushLock, &Old, 0, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return;
    if ((Old & EXP_EXCLUSIVE) == 0)
        VfBugCheck(EXP_C4, 0x1007, (ULONG_PTR)PushLock, (ULONG_PTR)KiSelf, 0,
                   "a push lock is released that nobody holds exclusively");
    ExpHandOver(PushLock);
}

/* Doc: wdm/nf-wdm-exreleasepushlockshared */
VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ULONG_PTR Old = __atomic_load_n(PushLock, __ATOMIC_RELAXED);

    VF_IRQL_MAX(APC_LEVEL);
    for (;;) {
        if ((Old & EXP_EXCLUSIVE) != 0 || Old < EXP_SHARE)
            VfBugCheck(EXP_C4, 0x1007, (ULONG_PTR)PushLock, (ULONG_PTR)KiSelf, 0,
                       "a push lock is released that nobody holds shared");
        if (Old == (EXP_SHARE | EXP_WAITERS)) {
            ExpHandOver(PushLock);
            return;
        }
        if (__atomic_compare_exchange_n(PushLock, &Old, Old - EXP_SHARE, TRUE, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
}

/* Releases the lock in whichever way it is held. Doc: wdm/nf-wdm-exreleasepushlockexclusive */
VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    if ((__atomic_load_n(PushLock, __ATOMIC_RELAXED) & EXP_EXCLUSIVE) != 0)
        ExReleasePushLockExclusiveEx(PushLock, Flags);
    else
        ExReleasePushLockSharedEx(PushLock, Flags);
}
