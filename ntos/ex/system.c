/*
 * Life and death of the room, and the question whether a block of memory still holds one of its
 * objects.
 */
#include "ex/exp.h"

/* Whether memory that is freed holds something of ex's. */
static BOOLEAN ExpCheckFreed(const void *Base, SIZE_T Bytes, BOOLEAN Stop)
{
    PVOID Found;
    ULONG Kind;

    if (ExFindObjectInRange(Base, Bytes, &Kind, &Found)) {
        if (Stop)
            VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Kind, (ULONG_PTR)Found, (ULONG_PTR)Base,
                       Bytes, "pool was freed that holds a %s",
                       Kind == 0xCC ? "look-aside list" : "resource");
        return TRUE;
    }
    Found = ExFindWorkInRange(Base, Bytes);
    if (Found && Stop)
        VfBugCheck(WORKER_INVALID, 0, (ULONG_PTR)Found, (ULONG_PTR)Base, (ULONG_PTR)Base + Bytes,
                   "pool was freed that holds a work item that is queued");
    return Found != NULL;
}

NTSTATUS ExInitSystem(void)
{
    ExpInitializeTimeZone();
    ExpInitializeResources();
    ExpInitializeLookasides();
    ExpInitializeHandleTables();
    ExpInitializeWorkQueues();
    MmSetFreeCheck(ExpCheckFreed);
    return STATUS_SUCCESS;
}

void ExShutdownSystem(void)
{
    MmSetFreeCheck(NULL);
    ExpShutdownWorkQueues();
    ExpShutdownHandleTables();
    ExpShutdownLookasides();
    ExpShutdownResources();
}

/* Kind is the first parameter of bug check 0xC4 for memory that is freed with such an object
 * inside. Any IRQL <= DISPATCH_LEVEL. */
BOOLEAN ExFindObjectInRange(const void *Base, SIZE_T Bytes, ULONG *Kind, PVOID *Object)
{
    ULONG_PTR Low = (ULONG_PTR)Base, High = Low + Bytes;

    if (ExpFindResource(Low, High, Object)) {
        *Kind = 0xD2;
        return TRUE;
    }
    if (ExpFindLookaside(Low, High, Object)) {
        *Kind = 0xCC;
        return TRUE;
    }
    return FALSE;
}

/* The clock's resolution in units of 100 ns: it is as fine as it gets, and timers are finer. IRQL
 * <= APC_LEVEL. Doc: wdm/nf-wdm-exsettimerresolution */
ULONG NTAPI ExSetTimerResolution(ULONG DesiredTime, BOOLEAN SetResolution)
{
    VF_IRQL_MAX(APC_LEVEL);
    return KeQueryTimeIncrement();
}
