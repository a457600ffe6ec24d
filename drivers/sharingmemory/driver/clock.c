/* The clock: writes the local time into the page that is shown. */
#include "sharing.h"

VOID ClockInitialize(CLOCK *Clock)
{
    KeInitializeSpinLock(&Clock->Lock);
    Clock->Page = NULL;
}

/* Called with the lock held: there is one writer. */
static VOID WriteTime(SHARED_CLOCK *Page)
{
    LARGE_INTEGER System, Local;

    KeQuerySystemTime(&System);
    ExSystemTimeToLocalTime(&System, &Local);
    InterlockedIncrement((volatile LONG *)&Page->Sequence);
    *(volatile ULONG *)&Page->Time.Part.Low = Local.LowPart;
    *(volatile LONG *)&Page->Time.Part.High = Local.HighPart;
    InterlockedIncrement((volatile LONG *)&Page->Sequence);
}

VOID ClockShow(CLOCK *Clock, SHARED_CLOCK *Page)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Clock->Lock, &Irql);
    Clock->Page = Page;
    if (Page)
        WriteTime(Page);
    KeReleaseSpinLock(&Clock->Lock, Irql);
}

VOID NTAPI ClockTick(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    CLOCK *Clock = &((DEVICE *)DeviceObject->DeviceExtension)->Clock;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLockAtDpcLevel(&Clock->Lock);
    if (Clock->Page)
        WriteTime(Clock->Page);
    KeReleaseSpinLockFromDpcLevel(&Clock->Lock);
}
