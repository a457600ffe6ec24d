/*
 * IoTimer: one tick a second for all devices, on one kernel timer. The routines run at
 * DISPATCH_LEVEL under the timer lock, so that a stopped timer's routine has returned when
 * IoStopTimer does.
 */
#include "io/iop.h"
#include <string.h>

typedef struct _IO_TIMER {
    CSHORT Type;
    BOOLEAN Running;
    LIST_ENTRY Entry;
    PIO_TIMER_ROUTINE Routine;
    PVOID Context;
    PDEVICE_OBJECT Device;
} IO_TIMER;

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY Timers;
    ULONG Running;
    KTIMER Timer;
    KDPC Dpc;
    struct _KTHREAD *Ticking; /* the thread that calls routines now */
} IopTimers;

static void IopCallTimer(IO_TIMER *Timer)
{
    PDRIVER_OBJECT Outer = KiSelf->CurrentDriver;

    KiSelf->CurrentDriver = Timer->Device->DriverObject;
    IOP_CALL(Timer->Routine, Timer->Device, Timer->Context);
    KiSelf->CurrentDriver = Outer;
}

static VOID NTAPI IopTick(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KeAcquireSpinLockAtDpcLevel(&IopTimers.Lock);
    __atomic_store_n(&IopTimers.Ticking, KiSelf, __ATOMIC_RELAXED);
    for (PLIST_ENTRY Entry = IopTimers.Timers.Flink; Entry != &IopTimers.Timers;
         Entry = Entry->Flink) {
        IO_TIMER *Timer = CONTAINING_RECORD(Entry, IO_TIMER, Entry);

        if (Timer->Running)
            IopCallTimer(Timer);
    }
    __atomic_store_n(&IopTimers.Ticking, NULL, __ATOMIC_RELAXED);
    KeReleaseSpinLockFromDpcLevel(&IopTimers.Lock);
}

NTSTATUS IopInitTimer(void)
{
    LARGE_INTEGER Due = {.QuadPart = -IOP_SECOND};

    memset(&IopTimers, 0, sizeof(IopTimers));
    KeInitializeSpinLock(&IopTimers.Lock);
    InitializeListHead(&IopTimers.Timers);
    KeInitializeTimerEx(&IopTimers.Timer, SynchronizationTimer);
    KeInitializeDpc(&IopTimers.Dpc, IopTick, NULL);
    KeSetTimerEx(&IopTimers.Timer, Due, 1000, &IopTimers.Dpc);
    return STATUS_SUCCESS;
}

void IopStopTimers(void)
{
    KeCancelTimer(&IopTimers.Timer);
    KeFlushQueuedDpcs();
    NT_ASSERT(IsListEmpty(&IopTimers.Timers));
}

static void IopLockTimers(PKIRQL Irql)
{
    if (__atomic_load_n(&IopTimers.Ticking, __ATOMIC_RELAXED) == KiSelf)
        VfBugCheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)&IopTimers.Lock, 0, 0, 0,
                   "an IoTimer routine called a routine for IoTimers");
    KeAcquireSpinLock(&IopTimers.Lock, Irql);
}

/* A timer for the device, not running yet; once a device: bug check 0xC9/0A the second time. IRQL
 * PASSIVE_LEVEL. Doc: wdm/nf-wdm-ioinitializetimer */
NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine,
                                 PVOID Context)
{
    IO_TIMER *Timer;
    KIRQL Irql;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (DeviceObject->Timer)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x0A, (ULONG_PTR)DeviceObject, 0, 0,
                   "IoInitializeTimer twice for one device object");
    Timer = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Timer), IOP_TAG);
    if (!Timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Timer = (IO_TIMER){
        .Type = IO_TYPE_TIMER, .Routine = TimerRoutine, .Context = Context, .Device = DeviceObject};
    IopLockTimers(&Irql);
    DeviceObject->Timer = Timer;
    InsertTailList(&IopTimers.Timers, &Timer->Entry);
    KeReleaseSpinLock(&IopTimers.Lock, Irql);
    return STATUS_SUCCESS;
}

static void IopRunTimer(PDEVICE_OBJECT Device, BOOLEAN Run)
{
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    NT_ASSERT(Device->Timer);
    IopLockTimers(&Irql);
    Device->Timer->Running =
        Run && !(IopDevice(Device)->ExtensionFlags & (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING));
    KeReleaseSpinLock(&IopTimers.Lock, Irql);
}

/* The routine is called once a second from now on, the first time within a second. Ignored for a
 * device that is going. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iostarttimer */
VOID NTAPI IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
    IopRunTimer(DeviceObject, TRUE);
}

/* When this returns the routine does not run. Not for the routine itself: bug check 0x0F. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-iostoptimer */
VOID NTAPI IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
    IopRunTimer(DeviceObject, FALSE);
}

/* The device is being deleted; its memory goes with it. */
void IopFreeTimer(PDEVICE_OBJECT Device)
{
    KIRQL Irql;

    if (!Device->Timer)
        return;
    IopLockTimers(&Irql);
    Device->Timer->Running = FALSE;
    RemoveEntryList(&Device->Timer->Entry);
    InitializeListHead(&Device->Timer->Entry);
    KeReleaseSpinLock(&IopTimers.Lock, Irql);
}
