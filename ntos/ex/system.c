/*
 * Life and death of the room, and the question whether a block of memory still holds one of its
 * objects.
 */
#include "ex/exp.h"

NTSTATUS ExInitSystem(void)
{
    ExpInitializeTimeZone();
    ExpInitializeResources();
    ExpInitializeLookasides();
    ExpInitializeHandleTables();
    ExpInitializeWorkQueues();
    return STATUS_SUCCESS;
}

void ExShutdownSystem(void)
{
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
