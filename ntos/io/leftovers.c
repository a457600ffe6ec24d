/*
 * What a driver leaves behind: looked at when DriverUnload has returned, and, for memory, when its
 * image goes. A work item or thread that holds the driver may free its memory in between.
 */
#include "io/iop.h"

#define IOP_LEFT(driver, what, ...)                                                                \
    VfBugCheck(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)(what), 0,        \
               (ULONG_PTR)(driver)->DriverUnload, 0, __VA_ARGS__)

static void IopTellWhat(const void *Address)
{
    char Text[256];

    host_symbolise(Address, Text, sizeof(Text));
    VfDetail("%p is %s", Address, Text);
}

/* Timers, DPCs, resources and look-aside lists, by where they lie or what they call. */
static void IopCheckObjects(PDRIVER_OBJECT Driver)
{
    ULONG_PTR Low = (ULONG_PTR)Driver->DriverStart;
    PVOID Found = NULL;
    ULONG Kind;

    if (KeFindObjectInRange((PVOID)Low, Driver->DriverSize, &Kind, &Found))
        VfBugCheck(TIMER_OR_DPC_INVALID, Kind, (ULONG_PTR)Found, Low, Low + Driver->DriverSize,
                   "a driver was unloaded while a timer or DPC in its data is queued");
    if (KeFindRoutineInRange((PVOID)Low, Driver->DriverSize, &Found)) {
        IopTellWhat(Found);
        VfBugCheck(TIMER_OR_DPC_INVALID, 2, (ULONG_PTR)Found, Low, Low + Driver->DriverSize,
                   "a driver was unloaded while a timer or DPC that calls it is queued");
    }
    if (ExFindObjectInRange((PVOID)Low, Driver->DriverSize, &Kind, &Found))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Kind, (ULONG_PTR)Found, Low,
                   Driver->DriverSize, "a driver was unloaded without deleting its %s",
                   Kind == 0xCC ? "look-aside list" : "resource (ExDeleteResourceLite)");
    if ((Found = ExFindWorkInRange((PVOID)Low, Driver->DriverSize)))
        IOP_LEFT(Driver, Found, "a driver was unloaded while a work item of it is queued");
}

/* Routines that somebody else would call. */
static void IopCheckRoutines(PDRIVER_OBJECT Driver)
{
    static PVOID (*const Finders[])(PVOID Base, SIZE_T Bytes) = {
        PsFindNotifyInRange_, VfFindBugCheckCallback, ObFindCallbackInRange_,
        CmFindCallbackInRange_, HalFindInterruptInRange_};
    static const char *const Names[] = {"notify routine", "bug check callback",
                                        "callback of ObRegisterCallbacks", "registry callback",
                                        "interrupt service routine"};
    PVOID Found;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Finders); i++) {
        if (!(Found = Finders[i](Driver->DriverStart, Driver->DriverSize)))
            continue;
        IopTellWhat(Found);
        IOP_LEFT(Driver, Found, "a driver was unloaded while a %s of it is registered", Names[i]);
    }
    if (!(Found = PsFindThreadInRange_(Driver->DriverStart, Driver->DriverSize)))
        return;
    IopTellWhat(Found);
    IOP_LEFT(Driver, Found, "a driver was unloaded while a system thread of it runs");
}

/* What DriverUnload must have undone. */
void IopCheckLeftovers(PDRIVER_OBJECT Driver)
{
    if (!(Driver->Flags & DRVO_UNLOAD_INVOKED))
        return;
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device; Device = Device->NextDevice) {
        if (!(IopDevice(Device)->ExtensionFlags & DOE_DELETE_PENDING))
            IOP_LEFT(
                Driver, Device,
                "a driver was unloaded and left a device object behind: IoDeleteDevice is missing");
    }
    if (!Driver->DriverSize || IopDriver(Driver)->Image.Shared)
        return;
    IopCheckRoutines(Driver);
    IopCheckObjects(Driver);
}

#define IOP_LEAKS_SHOWN 20

static void IopTellLeak(void *Context, const MM_POOL_BLOCK *Block)
{
    ULONG *Count = Context;
    char Caller[256];

    if (++*Count > IOP_LEAKS_SHOWN)
        return;
    host_symbolise(Block->Caller, Caller, sizeof(Caller));
    VfDetail("%s pool %p, %zu bytes, tag '%.4s', allocated at %s",
             Block->Paged ? "paged" : "nonpaged", Block->Address, (size_t)Block->Bytes,
             (const char *)&Block->Tag, Caller);
}

/* The image goes, and with it everything that could free what it has allocated. */
void IopCheckPool(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING *Path = &Driver->DriverName;
    ULONG Count = 0, Length = 0;
    char Name[64];

    if (!Driver->DriverSize || IopDriver(Driver)->Image.Shared)
        return;
    MmCheckFreedPool();
    MmFindPoolOf(Driver->DriverStart, Driver->DriverSize, IopTellLeak, &Count);
    if (!Count)
        return;
    if (Count > IOP_LEAKS_SHOWN)
        VfDetail("and %u more", Count - IOP_LEAKS_SHOWN);
    RtlUnicodeToUTF8N(Name, sizeof(Name) - 1, &Length, Path->Buffer, Path->Length);
    Name[Length] = 0;
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, (ULONG_PTR)&Driver->DriverName, 0, Count,
               "driver %s was unloaded and has not freed %u block%s of pool", Name, Count,
               Count == 1 ? "" : "s");
}
