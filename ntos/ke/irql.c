/*
 * IRQL: a number in the thread, and the processor lock from DISPATCH_LEVEL on.
 *
 * Raising to DISPATCH_LEVEL or above makes the thread the owner of its processor (of another free
 * one if that is busy: the thread moves). Lowering below runs the DPCs queued meanwhile, gives the
 * processor back, and delivers kernel APCs. Whoever queues a DPC to another processor wakes that
 * one's DPC thread, so the release is a plain store.
 */
#include "ke/ki.h"

static BOOLEAN KiTryProcessor(KPRCB *Prcb, KTHREAD_NT *Thread)
{
    uintptr_t Free = 0;

    return atomic_compare_exchange_strong_explicit(&Prcb->Owner, &Free, (uintptr_t)Thread,
                                                   memory_order_acquire, memory_order_relaxed);
}

void KiMoveTo(KTHREAD_NT *Thread, KPRCB *Prcb)
{
    Thread->Prcb = Prcb;
    Thread->Pcr.Number = Prcb->Number;
    Thread->Pcr.LegacyNumber = (UCHAR)Prcb->Number;
    Thread->Pcr.Pcr.CurrentPrcb = (KPRCB *)(PVOID)&Thread->Pcr.MxCsr;
    Thread->Pcr.Pcr.ObsoleteNumber = (UCHAR)Prcb->Number;
    Thread->Pcr.Pcr.GdtBase = Prcb->Gdt;
    Thread->Pcr.Pcr.TssBase = Prcb->Tss;
    Thread->Pcr.Pcr.IdtBase = Prcb->Idt;
}

static BOOLEAN KiTryOtherProcessors(KTHREAD_NT *Thread)
{
    for (ULONG i = 0; i < KiState.Count; i++) {
        KPRCB *Prcb = &KiState.Prcbs[i];

        if (!(Thread->Affinity >> i & 1) ||
            atomic_load_explicit(&Prcb->Owner, memory_order_relaxed))
            continue;
        if (KiTryProcessor(Prcb, Thread)) {
            KiMoveTo(Thread, Prcb);
            return TRUE;
        }
    }
    return FALSE;
}

static __attribute__((noinline)) void KiEnterBusyProcessor(KTHREAD_NT *Thread)
{
    for (ULONG Spins = 0; !KiTryOtherProcessors(Thread); Spins++)
        KiScheduler->Relax(Spins);
}

void KiEnterProcessor(KTHREAD_NT *Thread)
{
    if (!KiTryProcessor(Thread->Prcb, Thread))
        KiEnterBusyProcessor(Thread);
}

void KiLeaveProcessor(KTHREAD_NT *Thread)
{
    KPRCB *Prcb = Thread->Prcb;

    if (atomic_load_explicit(&Prcb->DpcCount, memory_order_relaxed)) {
        KiSetIrql(Thread, DISPATCH_LEVEL);
        KiRunDpcs(Thread, Prcb);
    }
    atomic_store_explicit(&Prcb->Owner, 0, memory_order_release);
    if (__builtin_expect(!(Thread->Affinity >> Prcb->Number & 1), 0))
        KiMoveTo(Thread, &KiState.Prcbs[__builtin_ctzll(Thread->Affinity)]);
}

void KiForceIrql(KIRQL Irql)
{
    KTHREAD_NT *Thread = KiSelf;

    if (!Thread)
        return;
    if (Thread->Irql >= DISPATCH_LEVEL && Irql < DISPATCH_LEVEL) {
        __atomic_store_n(&Thread->Prcb->DpcRoutineActive, FALSE, __ATOMIC_RELAXED);
        atomic_store_explicit(&Thread->Prcb->Owner, 0, memory_order_release);
    } else if (Thread->Irql < DISPATCH_LEVEL && Irql >= DISPATCH_LEVEL) {
        KiEnterProcessor(Thread);
    }
    Thread->WaitNext = FALSE;
    KiSetIrql(Thread, Irql);
}

/* Any IRQL. A thread that is not attached is at PASSIVE_LEVEL. Doc: wdm/nf-wdm-kegetcurrentirql */
KIRQL NTAPI KeGetCurrentIrql(VOID)
{
    return KiIrql();
}

static __attribute__((noinline, noreturn)) void KiBadRaise(KIRQL Old, KIRQL New)
{
    NT_ASSERT(KiSelf && "the calling thread is attached to the executive");
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, Old, New, 0,
               "KeRaiseIrql from IRQL %u to %u", Old, New);
}

/* Raises; the old level is returned. A lower level, or one above HIGH_LEVEL, is bug check 0xC4/30.
 * Doc: wdm/nf-wdm-keraiseirql */
KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql)
{
    KTHREAD_NT *Thread = KiSelf;
    KIRQL Old = KiIrql();

    if (__builtin_expect(!Thread || NewIrql < Old || NewIrql > HIGH_LEVEL, 0))
        KiBadRaise(Old, NewIrql);
    if (NewIrql >= DISPATCH_LEVEL && Old < DISPATCH_LEVEL)
        KiEnterProcessor(Thread);
    KiSetIrql(Thread, NewIrql);
    return Old;
}

/* IRQL <= DISPATCH_LEVEL; a higher one is bug check 0xC4/30. Doc: wdm/nf-wdm-keraiseirqltodpclevel
 */
KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}

/* Raises to the level of the clock's peers (12). */
KIRQL NTAPI KeRaiseIrqlToSynchLevel(VOID)
{
    return KfRaiseIrql(KI_SYNCH_LEVEL);
}

static __attribute__((noinline, noreturn)) void KiBadLower(KIRQL Old, KIRQL New)
{
    BOOLEAN InDpc = New <= Old;

    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, Old, New, InDpc,
               "KeLowerIrql from IRQL %u to %u%s", Old, New, InDpc ? " inside a DPC routine" : "");
}

/* Lowers to a level that KeRaiseIrql returned; queued DPCs and kernel APCs run on the way. A higher
 * level is bug check 0xC4/31, below DISPATCH_LEVEL inside a DPC too. Doc: wdm/nf-wdm-kelowerirql~r1
 */
VOID NTAPI KeLowerIrql(KIRQL NewIrql)
{
    KTHREAD_NT *Thread = KiSelf;
    KIRQL Old = KiIrql();

    if (__builtin_expect(NewIrql > Old || !Thread, 0))
        KiBadLower(Old, NewIrql);
    if (NewIrql < DISPATCH_LEVEL && Old >= DISPATCH_LEVEL) {
        if (__builtin_expect(Thread->Prcb->DpcRoutineActive, 0))
            KiBadLower(Old, NewIrql);
        KiLeaveProcessor(Thread);
    }
    KiSetIrql(Thread, NewIrql);
    if (__builtin_expect(KiApcPending(Thread), 0) && NewIrql < APC_LEVEL)
        KeDeliverKernelApcs();
}

void KeSetIrql_(ULONG64 NewIrql)
{
    if (NewIrql > KiIrql())
        KfRaiseIrql((KIRQL)(NewIrql < MAXUCHAR ? NewIrql : MAXUCHAR));
    else
        KeLowerIrql((KIRQL)NewIrql);
}

/* What interrupts could begin here are DPCs, and other threads. */
void KeDisableInterrupts_(void)
{
    KTHREAD_NT *Thread = KiSelf;

    if (Thread->InterruptsOff)
        return;
    Thread->InterruptsOff = TRUE;
    Thread->InterruptIrql = Thread->Irql;
    if (Thread->Irql < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
}

void KeEnableInterrupts_(void)
{
    KTHREAD_NT *Thread = KiSelf;

    if (!Thread->InterruptsOff)
        return;
    Thread->InterruptsOff = FALSE;
    if (Thread->InterruptIrql < DISPATCH_LEVEL && Thread->Irql >= DISPATCH_LEVEL)
        KeLowerIrql(Thread->InterruptIrql);
}

#if defined(__clang__) || !defined(__OPTIMIZE__)
/* Only gcc's kind of a function that keeps every register will do: nothing is quick. */
__attribute__((naked)) BOOLEAN KeTrySetIrql_(ULONG64 NewIrql)
{
    __asm__("xor %eax, %eax\n ret");
}
#else
#define KI_BARE __attribute__((no_caller_saved_registers, no_sanitize("address", "undefined")))

/* Leaves the processor, if nobody waits for that. */
static inline __attribute__((always_inline, target("general-regs-only"))) BOOLEAN
KiTryLeave(KTHREAD_NT *Thread, KPRCB *Prcb)
{
    if (Prcb->DpcRoutineActive || __atomic_load_n((unsigned *)&Prcb->DpcCount, __ATOMIC_RELAXED) ||
        !(Thread->Affinity >> Prcb->Number & 1))
        return FALSE;
    __atomic_store_n((uintptr_t *)&Prcb->Owner, 0, __ATOMIC_RELEASE);
    return TRUE;
}

KI_BARE __attribute__((target("general-regs-only"))) BOOLEAN KeTrySetIrql_(ULONG64 NewIrql)
{
    KTHREAD_NT *Thread = KiSelf;
    uintptr_t Free = 0;

    if (!Thread || NewIrql > HIGH_LEVEL)
        return FALSE;
    if (NewIrql >= DISPATCH_LEVEL && Thread->Irql < DISPATCH_LEVEL) {
        if (!__atomic_compare_exchange_n((uintptr_t *)&Thread->Prcb->Owner, &Free,
                                         (uintptr_t)Thread, FALSE, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            return FALSE;
    } else if (NewIrql < Thread->Irql) {
        if (NewIrql < APC_LEVEL &&
            __atomic_load_n(&Thread->ApcState.KernelApcPending, __ATOMIC_RELAXED))
            return FALSE;
        if (NewIrql < DISPATCH_LEVEL && Thread->Irql >= DISPATCH_LEVEL &&
            !KiTryLeave(Thread, Thread->Prcb))
            return FALSE;
    }
    Thread->Irql = (KIRQL)NewIrql;
    Thread->Pcr.Pcr.Irql = (KIRQL)NewIrql;
    return TRUE;
}
#endif
