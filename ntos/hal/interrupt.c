/*
 * Interrupt objects, and interrupts that a simulated device raises.
 *
 * The connections of a vector are a list, in the order of connecting. Whoever delivers an interrupt
 * counts itself at each object before it calls it, without the lock; disconnecting takes the object
 * off the list and waits until the count is 0, so that afterwards no service routine runs.
 */
#include "hal/halp.h"

typedef struct _KINTERRUPT {
    LIST_ENTRY Link;
    PKSERVICE_ROUTINE ServiceRoutine;
    PVOID Context;
    PKSPIN_LOCK Lock; /* the driver's, or Own */
    KSPIN_LOCK Own;
    ULONG Vector;
    KIRQL Irql, SynchronizeIrql;
    BOOLEAN Shared;
    KINTERRUPT_MODE Mode;
    BOOLEAN Connected;
    atomic_uint Users;
} HALP_INTERRUPT;

static struct {
    host_lock Lock;
    LIST_ENTRY Connected;
    KDPC Deferred[HALP_HIGH_VECTOR + 1];
} HalpInterrupts;

static void HalpDeliverDeferred(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    HalInterrupt((ULONG)(ULONG_PTR)Context);
}

void HalpInitInterrupts(void)
{
    InitializeListHead(&HalpInterrupts.Connected);
    for (ULONG Vector = HALP_LOW_VECTOR; Vector <= HALP_HIGH_VECTOR; Vector++)
        KeInitializeDpc(&HalpInterrupts.Deferred[Vector], HalpDeliverDeferred,
                        (PVOID)(ULONG_PTR)Vector);
}

void HalpShutdownInterrupts(void)
{
    for (ULONG Vector = HALP_LOW_VECTOR; Vector <= HALP_HIGH_VECTOR; Vector++)
        KeRemoveQueueDpc(&HalpInterrupts.Deferred[Vector]);
    KeFlushQueuedDpcs();
    while (!IsListEmpty(&HalpInterrupts.Connected))
        ExFreePoolWithTag(
            CONTAINING_RECORD(RemoveHeadList(&HalpInterrupts.Connected), HALP_INTERRUPT, Link),
            HALP_TAG);
}

PVOID HalFindInterruptInRange_(PVOID Base, SIZE_T Bytes)
{
    PVOID Found = NULL;

    host_lock_acquire(&HalpInterrupts.Lock);
    for (LIST_ENTRY *Entry = HalpInterrupts.Connected.Flink;
         Entry != &HalpInterrupts.Connected && !Found; Entry = Entry->Flink) {
        HALP_INTERRUPT *Interrupt = CONTAINING_RECORD(Entry, HALP_INTERRUPT, Link);

        if ((ULONG_PTR)Interrupt->ServiceRoutine - (ULONG_PTR)Base < Bytes)
            Found = (PVOID)Interrupt->ServiceRoutine;
    }
    host_lock_release(&HalpInterrupts.Lock);
    return Found;
}

/* The vector of a line of the bus, with its IRQL and all processors; 0 for a line that no bus has.
 * Any IRQL. Doc: ntddk/nf-ntddk-halgetinterruptvector */
ULONG NTAPI HalGetInterruptVector(INTERFACE_TYPE InterfaceType, ULONG BusNumber,
                                  ULONG BusInterruptLevel, ULONG BusInterruptVector, PKIRQL Irql,
                                  PKAFFINITY Affinity)
{
    ULONG Levels = HALP_HIGH_DIRQL - HALP_LOW_DIRQL + 1;

    if ((InterfaceType != PCIBus && InterfaceType != Isa && InterfaceType != Internal) ||
        BusInterruptLevel >= Levels * 16)
        return 0;
    *Irql = (KIRQL)(HALP_LOW_DIRQL + BusInterruptLevel % Levels);
    *Affinity = KeQueryActiveProcessors();
    return (ULONG)*Irql << 4 | BusInterruptLevel / Levels;
}

/* Lock held: whether another one has the vector and it cannot be shared. */
static BOOLEAN HalpIsTaken(const HALP_INTERRUPT *New)
{
    for (LIST_ENTRY *Entry = HalpInterrupts.Connected.Flink; Entry != &HalpInterrupts.Connected;
         Entry = Entry->Flink) {
        HALP_INTERRUPT *Old = CONTAINING_RECORD(Entry, HALP_INTERRUPT, Link);

        if (Old->Vector == New->Vector && (!Old->Shared || !New->Shared || Old->Mode != New->Mode))
            return TRUE;
    }
    return FALSE;
}

static BOOLEAN HalpIsSensible(const HALP_INTERRUPT *New, KAFFINITY Processors)
{
    return New->ServiceRoutine && (Processors & KeQueryActiveProcessors()) &&
           New->Vector >= HALP_LOW_VECTOR && New->Vector <= HALP_HIGH_VECTOR &&
           New->Irql >= HALP_LOW_DIRQL && New->SynchronizeIrql >= New->Irql &&
           New->SynchronizeIrql <= HALP_HIGH_DIRQL && (ULONG)New->Mode <= Latched;
}

static NTSTATUS HalpConnect(const HALP_INTERRUPT *New, KAFFINITY Processors, PKINTERRUPT *Out)
{
    HALP_INTERRUPT *Interrupt;
    BOOLEAN Taken;

    if (!HalpIsSensible(New, Processors))
        return STATUS_INVALID_PARAMETER;
    Interrupt = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Interrupt), HALP_TAG);
    if (!Interrupt)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Interrupt = *New;
    Interrupt->Connected = TRUE;
    if (!Interrupt->Lock)
        Interrupt->Lock = &Interrupt->Own;
    *Out = Interrupt; /* the routine may be called from now on */
    host_lock_acquire(&HalpInterrupts.Lock);
    Taken = HalpIsTaken(Interrupt);
    if (!Taken)
        InsertTailList(&HalpInterrupts.Connected, &Interrupt->Link);
    host_lock_release(&HalpInterrupts.Lock);
    if (!Taken)
        return STATUS_SUCCESS;
    *Out = NULL;
    ExFreePoolWithTag(Interrupt, HALP_TAG);
    return STATUS_INVALID_PARAMETER;
}

/* IRQL PASSIVE_LEVEL. STATUS_INVALID_PARAMETER: no processor, no such vector or IRQL, or a vector
 * that somebody has for himself. Doc: wdm/nf-wdm-ioconnectinterrupt */
NTSTATUS NTAPI IoConnectInterrupt(PKINTERRUPT *InterruptObject, PKSERVICE_ROUTINE ServiceRoutine,
                                  PVOID ServiceContext, PKSPIN_LOCK SpinLock, ULONG Vector,
                                  KIRQL Irql, KIRQL SynchronizeIrql, KINTERRUPT_MODE InterruptMode,
                                  BOOLEAN ShareVector, KAFFINITY ProcessorEnableMask,
                                  BOOLEAN FloatingSave)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    HALP_INTERRUPT New = {
        .ServiceRoutine = ServiceRoutine,
        .Context = ServiceContext,
        .Lock = SpinLock,
        .Vector = Vector,
        .Irql = Irql,
        .SynchronizeIrql = SynchronizeIrql,
        .Shared = ShareVector,
        .Mode = InterruptMode,
    };
    return HalpConnect(&New, ProcessorEnableMask, InterruptObject);
}

/*
 * The versions that name vector and IRQL. Line- and message-based connecting needs the resources of
 * a device that Plug and Play has started: Version becomes CONNECT_FULLY_SPECIFIED and the status
 * is STATUS_NOT_SUPPORTED, as on a system without them. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-ioconnectinterruptex
 */
NTSTATUS NTAPI IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS *Full = &Parameters->FullySpecified;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (Parameters->Version == CONNECT_LINE_BASED || Parameters->Version == CONNECT_MESSAGE_BASED) {
        Parameters->Version = CONNECT_FULLY_SPECIFIED;
        return STATUS_NOT_SUPPORTED;
    }
    if (Parameters->Version != CONNECT_FULLY_SPECIFIED &&
        (Parameters->Version != CONNECT_FULLY_SPECIFIED_GROUP || Full->Group != 0))
        return STATUS_INVALID_PARAMETER;
    HALP_INTERRUPT New = {
        .ServiceRoutine = Full->ServiceRoutine,
        .Context = Full->ServiceContext,
        .Lock = Full->SpinLock,
        .Vector = Full->Vector,
        .Irql = Full->Irql,
        .SynchronizeIrql = Full->SynchronizeIrql,
        .Shared = Full->ShareVector,
        .Mode = Full->InterruptMode,
    };
    return HalpConnect(&New, Full->ProcessorEnableMask, Full->InterruptObject);
}

/* No service routine runs afterwards. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iodisconnectinterrupt */
VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    LARGE_INTEGER Moment = {.QuadPart = -1000};

    VF_IRQL_MAX(PASSIVE_LEVEL);
    host_lock_acquire(&HalpInterrupts.Lock);
    RemoveEntryList(&InterruptObject->Link);
    InterruptObject->Connected = FALSE;
    host_lock_release(&HalpInterrupts.Lock);
    while (atomic_load(&InterruptObject->Users))
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    ExFreePoolWithTag(InterruptObject, HALP_TAG);
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iodisconnectinterruptex */
VOID NTAPI IoDisconnectInterruptEx(PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters)
{
    IoDisconnectInterrupt(Parameters->ConnectionContext.InterruptObject);
}

/* IRQL <= the object's SynchronizeIrql: raises to it and takes the interrupt's lock. What to give
 * back with the lock. Doc: wdm/nf-wdm-keacquireinterruptspinlock */
KIRQL NTAPI KeAcquireInterruptSpinLock(PKINTERRUPT Interrupt)
{
    KIRQL Old;

    VF_IRQL_MAX(Interrupt->SynchronizeIrql);
    Old = KfRaiseIrql(Interrupt->SynchronizeIrql);
    KeAcquireSpinLockAtDpcLevel(Interrupt->Lock);
    return Old;
}

/* At the object's SynchronizeIrql, by who holds the lock. Doc:
 * wdm/nf-wdm-kereleaseinterruptspinlock */
VOID NTAPI KeReleaseInterruptSpinLock(PKINTERRUPT Interrupt, KIRQL OldIrql)
{
    VF_IRQL_MIN(Interrupt->SynchronizeIrql);
    KeReleaseSpinLockFromDpcLevel(Interrupt->Lock);
    KeLowerIrql(OldIrql);
}

/* IRQL <= the object's SynchronizeIrql. Calls the routine there, with the interrupt's lock held;
 * what it returned. Doc: wdm/nf-wdm-kesynchronizeexecution */
BOOLEAN NTAPI KeSynchronizeExecution(PKINTERRUPT Interrupt,
                                     PKSYNCHRONIZE_ROUTINE SynchronizeRoutine,
                                     PVOID SynchronizeContext)
{
    KIRQL Old = KeAcquireInterruptSpinLock(Interrupt);
    BOOLEAN Result = NT_CALL(SynchronizeRoutine, SynchronizeContext);

    KeReleaseInterruptSpinLock(Interrupt, Old);
    return Result;
}

static BOOLEAN HalpService(HALP_INTERRUPT *Interrupt)
{
    KIRQL Old = KeAcquireInterruptSpinLock(Interrupt);
    BOOLEAN Claimed = NT_CALL(Interrupt->ServiceRoutine, Interrupt, Interrupt->Context);

    KeReleaseInterruptSpinLock(Interrupt, Old);
    return Claimed;
}

/* The next one of the vector behind Last (NULL: the first), counted; Last is given back. */
static HALP_INTERRUPT *HalpNext(ULONG Vector, HALP_INTERRUPT *Last)
{
    HALP_INTERRUPT *Next = NULL;
    LIST_ENTRY *Entry;

    host_lock_acquire(&HalpInterrupts.Lock);
    Entry = !Last ? HalpInterrupts.Connected.Flink
                  : (Last->Connected ? Last->Link.Flink : &HalpInterrupts.Connected);
    for (; Entry != &HalpInterrupts.Connected && !Next; Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, HALP_INTERRUPT, Link)->Vector == Vector)
            Next = CONTAINING_RECORD(Entry, HALP_INTERRUPT, Link);
    if (Next)
        atomic_fetch_add(&Next->Users, 1);
    if (Last)
        atomic_fetch_sub(&Last->Users, 1);
    host_lock_release(&HalpInterrupts.Lock);
    return Next;
}

/* A level-sensitive interrupt is done when somebody claims it; of a latched one all are asked. */
NTSTATUS HalInterrupt(ULONG Vector)
{
    HALP_INTERRUPT *Interrupt;
    KIRQL Irql;

    if (Vector < HALP_LOW_VECTOR || Vector > HALP_HIGH_VECTOR ||
        !(Interrupt = HalpNext(Vector, NULL)))
        return STATUS_NOT_FOUND;
    Irql = Interrupt->Irql;
    if (KeGetCurrentIrql() >= Irql) {
        KeInsertQueueDpc(&HalpInterrupts.Deferred[Vector], NULL, NULL);
        atomic_fetch_sub(&Interrupt->Users, 1);
        return STATUS_SUCCESS;
    }
    Irql = KfRaiseIrql(Irql);
    while (Interrupt) {
        BOOLEAN Done = HalpService(Interrupt) && Interrupt->Mode == LevelSensitive;

        if (Done)
            atomic_fetch_sub(&Interrupt->Users, 1);
        Interrupt = Done ? NULL : HalpNext(Vector, Interrupt);
    }
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}
