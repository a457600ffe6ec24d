/*
 * Calls at a wrong IRQL. The verifier has a code of its own for some routines (0xC4, parameter 1);
 * for all others the report is IRQL_NOT_LESS_OR_EQUAL with the routine as the address.
 */
#include "vfp.h"

#include <string.h>

typedef struct VF_IRQL_RULE {
    const char *Routine;
    USHORT SubCode;
} VF_IRQL_RULE;

static const VF_IRQL_RULE VfTooHigh[] = {
    {"KeSetEvent", 0x80},
    {"KeAcquireSpinLock", 0x42},
    {"KeAcquireSpinLockRaiseToDpc", 0x42},
    {"KeReleaseSpinLock", 0x32},
    {"ExAcquireFastMutex", 0x33},
    {"ExTryToAcquireFastMutex", 0x33},
    {"ExReleaseFastMutex", 0x34},
    {"KeWaitForSingleObject", 0x3B},
    {"KeWaitForMultipleObjects", 0x3B},
    {"KeWaitForMutexObject", 0x3B},
    {"KeEnterCriticalRegion", 0x11A},
    {"KeLeaveCriticalRegion", 0x11B},
    {"MmProbeAndLockPages", 0x70},
    {"MmProbeAndLockProcessPages", 0x71},
    {"MmProbeAndLockSelectedPages", 0x72},
    {"MmMapIoSpace", 0x73},
    {"MmMapLockedPages", 0x74},
    {"MmMapLockedPagesSpecifyCache", 0x76},
    {"MmUnlockPages", 0x78},
    {"MmUnmapLockedPages", 0x79},
    {"MmUnmapIoSpace", 0x7B},
    {"MmAllocatePagesForMdl", 0x7E},
    {"MmAllocatePagesForMdlEx", 0x7E},
    {"MmFreePagesFromMdl", 0x7E},
};

static const VF_IRQL_RULE VfTooLow[] = {
    {"KeAcquireSpinLockAtDpcLevel", 0x40},
    {"KefAcquireSpinLockAtDpcLevel", 0x40},
    {"KeReleaseSpinLockFromDpcLevel", 0x41},
    {"KefReleaseSpinLockFromDpcLevel", 0x41},
    {"KeReleaseSpinLock", 0x32},
    {"ExReleaseFastMutex", 0x34},
};

static _Noreturn void VfWrongIrql(const VF_IRQL_RULE *Rules, size_t Count, const char *Routine,
                                  KIRQL Limit, const char *Relation, void *Caller)
{
    KIRQL Irql = VfCurrentIrql();

    for (size_t i = 0; i < Count; i++)
        if (!strcmp(Rules[i].Routine, Routine))
            VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, Rules[i].SubCode, Irql, 0, 0,
                       "%s called at IRQL %u, which is %s its limit %u", Routine, Irql, Relation,
                       Limit);
    VfBugCheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)host_symbol(Routine), Irql, 0, (ULONG_PTR)Caller,
               "%s called at IRQL %u, which is %s its limit %u", Routine, Irql, Relation, Limit);
}

void VfIrqlTooHigh(const char *Routine, KIRQL Limit)
{
    VfWrongIrql(VfTooHigh, RTL_NUMBER_OF(VfTooHigh), Routine, Limit, "above",
                __builtin_return_address(0));
}

void VfIrqlTooLow(const char *Routine, KIRQL Limit)
{
    VfWrongIrql(VfTooLow, RTL_NUMBER_OF(VfTooLow), Routine, Limit, "below",
                __builtin_return_address(0));
}
