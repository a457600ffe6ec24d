/*
 * Run-down protection: a reference count that can be closed.
 *
 * Count: references * 2 while open. Closing stores a pointer to the closer's wait block with bit 0
 * set; who releases after that counts the block down, and the last one wakes the closer.
 * EX_RUNDOWN_ACTIVE alone means closed and done.
 */
#include "ex/exp.h"

typedef struct EXP_RUNDOWN_WAIT {
    LONG64 Count;
    KEVENT Event;
} EXP_RUNDOWN_WAIT;

/* Opaque to drivers: one reference for each processor, each on its own cache line. A reference may
 * be released on another processor than it was taken, so a single count may be negative; only the
 * sum means something. */
typedef struct _EX_RUNDOWN_REF_CACHE_AWARE {
    ULONG Number;
    ULONG Magic;
    DECLSPEC_ALIGN(64) struct {
        EX_RUNDOWN_REF Ref;
        UCHAR Pad[64 - sizeof(EX_RUNDOWN_REF)];
    } Refs[];
} EXP_CACHE_AWARE;

#define EXP_BIAS ((LONG64)1 << 48)

static BOOLEAN ExpAcquireRundown(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG_PTR Old = __atomic_load_n(&RunRef->Count, __ATOMIC_RELAXED);

    do {
        if ((Old & EX_RUNDOWN_ACTIVE) != 0)
            return FALSE;
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &Old,
                                          Old + (ULONG_PTR)Count * EX_RUNDOWN_COUNT_INC, TRUE,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return TRUE;
}

static VOID ExpReleaseRundown(PEX_RUNDOWN_REF RunRef, ULONG Count, BOOLEAN MayBeNegative)
{
    ULONG_PTR Old = __atomic_load_n(&RunRef->Count, __ATOMIC_ACQUIRE);
    EXP_RUNDOWN_WAIT *Wait;

    for (;;) {
        if ((Old & EX_RUNDOWN_ACTIVE) != 0)
            break;
        if (!MayBeNegative && Old < (ULONG_PTR)Count * EX_RUNDOWN_COUNT_INC)
            VfBugCheck(REFERENCE_BY_POINTER, 0, (ULONG_PTR)RunRef, 0, 0,
                       "run-down protection is released more often than it was acquired");
        if (__atomic_compare_exchange_n(&RunRef->Count, &Old,
                                        Old - (ULONG_PTR)Count * EX_RUNDOWN_COUNT_INC, TRUE,
                                        __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
            return;
    }
    Wait = (EXP_RUNDOWN_WAIT *)(Old & ~(ULONG_PTR)EX_RUNDOWN_ACTIVE);
    if (Wait == NULL)
        VfBugCheck(REFERENCE_BY_POINTER, 0, (ULONG_PTR)RunRef, 0, 0,
                   "run-down protection is released after the run-down");
    if (__atomic_sub_fetch(&Wait->Count, Count, __ATOMIC_ACQ_REL) == 0)
        KeSetEvent(&Wait->Event, IO_NO_INCREMENT, FALSE);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-exinitializerundownprotection */
VOID FASTCALL ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_RELEASE);
}

/* After a run-down only. Doc: wdm/nf-wdm-exreinitializerundownprotection */
VOID FASTCALL ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    NT_ASSERT((__atomic_load_n(&RunRef->Count, __ATOMIC_RELAXED) & EX_RUNDOWN_ACTIVE) != 0);
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_RELEASE);
}

/* FALSE: run-down has begun, the object may not be used. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-exacquirerundownprotection */
BOOLEAN FASTCALL ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExpAcquireRundown(RunRef, 1);
}

/* Doc: wdm/nf-wdm-exacquirerundownprotectionex */
BOOLEAN FASTCALL ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    return ExpAcquireRundown(RunRef, Count);
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-exreleaserundownprotection */
VOID FASTCALL ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExpReleaseRundown(RunRef, 1, FALSE);
}

/* Doc: wdm/nf-wdm-exreleaserundownprotectionex */
VOID FASTCALL ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ExpReleaseRundown(RunRef, Count, FALSE);
}

/* From now on no protection is given; returns when all that was given has come back. IRQL <=
 * APC_LEVEL. Doc: wdm/nf-wdm-exwaitforrundownprotectionrelease */
VOID FASTCALL ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    EXP_RUNDOWN_WAIT Wait;
    ULONG_PTR Old = 0;

    VF_IRQL_MAX(APC_LEVEL);
    if (__atomic_compare_exchange_n(&RunRef->Count, &Old, EX_RUNDOWN_ACTIVE, FALSE,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return;
    KeInitializeEvent(&Wait.Event, NotificationEvent, FALSE);
    do {
        if ((Old & EX_RUNDOWN_ACTIVE) != 0)
            return;
        Wait.Count = Old >> EX_RUNDOWN_COUNT_SHIFT;
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &Old,
                                          Wait.Count == 0 ? EX_RUNDOWN_ACTIVE
                                                          : (ULONG_PTR)&Wait | EX_RUNDOWN_ACTIVE,
                                          FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    if (Old != 0)
        KeWaitForSingleObject(&Wait.Event, Executive, KernelMode, FALSE, NULL);
    __atomic_store_n(&RunRef->Count, EX_RUNDOWN_ACTIVE, __ATOMIC_RELEASE);
}

/* Marks the object as run down, without a wait. Doc: wdm/nf-wdm-exrundowncompleted */
VOID FASTCALL ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, EX_RUNDOWN_ACTIVE, __ATOMIC_RELEASE);
}

static PEX_RUNDOWN_REF ExpRefHere(EXP_CACHE_AWARE *Aware)
{
    return &Aware->Refs[KeGetCurrentProcessorNumber() % Aware->Number].Ref;
}

/* Bytes that ExInitializeRundownProtectionCacheAware needs. Doc:
 * wdm/nf-wdm-exsizeofrundownprotectioncacheaware */
SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(EXP_CACHE_AWARE) + KeProcessorCount_() * 64 + 63;
}

/* Doc: wdm/nf-wdm-exinitializerundownprotectioncacheaware */
VOID NTAPI ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
                                                   SIZE_T RunRefSize)
{
    EXP_CACHE_AWARE *Aware = RunRefCacheAware;

    RtlZeroMemory(Aware, RunRefSize);
    Aware->Number = (ULONG)((RunRefSize - sizeof(EXP_CACHE_AWARE)) / 64);
    NT_ASSERT(Aware->Number != 0);
}

/* NULL: no memory. Freed by ExFreeCacheAwareRundownProtection. Doc:
 * wdm/nf-wdm-exallocatecacheawarerundownprotection */
PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType,
                                                                        ULONG PoolTag)
{
    SIZE_T Bytes = ExSizeOfRundownProtectionCacheAware();
    PEX_RUNDOWN_REF_CACHE_AWARE Aware =
        ExAllocatePoolWithTag((POOL_TYPE)(PoolType | NonPagedPoolCacheAligned), Bytes, PoolTag);

    if (Aware != NULL)
        ExInitializeRundownProtectionCacheAware(Aware, Bytes);
    return Aware;
}

/* Doc: wdm/nf-wdm-exfreecacheawarerundownprotection */
VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExFreePool(RunRefCacheAware);
}

/* Doc: wdm/nf-wdm-exacquirerundownprotectioncacheaware */
BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExpAcquireRundown(ExpRefHere(RunRefCacheAware), 1);
}

/* Doc: wdm/nf-wdm-exacquirerundownprotectioncacheawareex */
BOOLEAN FASTCALL
ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    return ExpAcquireRundown(ExpRefHere(RunRefCacheAware), Count);
}

/* Doc: wdm/nf-wdm-exreleaserundownprotectioncacheaware */
VOID FASTCALL ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExpReleaseRundown(ExpRefHere(RunRefCacheAware), 1, TRUE);
}

/* Doc: wdm/nf-wdm-exreleaserundownprotectioncacheawareex */
VOID FASTCALL ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef,
                                                     ULONG Count)
{
    ExpReleaseRundown(ExpRefHere(RunRef), Count, TRUE);
}

/* Doc: wdm/nf-wdm-exwaitforrundownprotectionreleasecacheaware */
VOID FASTCALL ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    EXP_RUNDOWN_WAIT Wait = {.Count = EXP_BIAS};
    LONG64 Given = 0;
    ULONG Index;

    VF_IRQL_MAX(APC_LEVEL);
    if ((__atomic_load_n(&RunRef->Refs[0].Ref.Count, __ATOMIC_ACQUIRE) & EX_RUNDOWN_ACTIVE) != 0)
        return;
    KeInitializeEvent(&Wait.Event, NotificationEvent, FALSE);
    for (Index = 0; Index < RunRef->Number; Index++)
        Given +=
            (LONG64)__atomic_exchange_n(&RunRef->Refs[Index].Ref.Count,
                                        (ULONG_PTR)&Wait | EX_RUNDOWN_ACTIVE, __ATOMIC_ACQ_REL) >>
            EX_RUNDOWN_COUNT_SHIFT;
    if (__atomic_add_fetch(&Wait.Count, Given - EXP_BIAS, __ATOMIC_ACQ_REL) != 0)
        KeWaitForSingleObject(&Wait.Event, Executive, KernelMode, FALSE, NULL);
    ExRundownCompletedCacheAware(RunRef);
}

/* Doc: wdm/nf-wdm-exreinitializerundownprotectioncacheaware */
VOID FASTCALL
ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ULONG Index;

    for (Index = 0; Index < RunRefCacheAware->Number; Index++)
        ExReInitializeRundownProtection(&RunRefCacheAware->Refs[Index].Ref);
}

/* Doc: wdm/nf-wdm-exrundowncompletedcacheaware */
VOID FASTCALL ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ULONG Index;

    for (Index = 0; Index < RunRefCacheAware->Number; Index++)
        ExRundownCompleted(&RunRefCacheAware->Refs[Index].Ref);
}
