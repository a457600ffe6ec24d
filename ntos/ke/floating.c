/* Floating-point and extended processor state: on x64 the compiler saves what it uses, and these
 * have nothing to do. */
#include "ke/ki.h"

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-kesavefloatingpointstate */
NTSTATUS NTAPI KeSaveFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-kerestorefloatingpointstate */
NTSTATUS NTAPI KeRestoreFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL. A Linux thread keeps its vector registers: nothing is saved. Doc:
 * wdm/nf-wdm-kesaveextendedprocessorstate */
NTSTATUS NTAPI KeSaveExtendedProcessorState(ULONG64 Mask, PXSTATE_SAVE XStateSave)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    memset(XStateSave, 0, sizeof(*XStateSave));
    XStateSave->Thread = KiSelf;
    XStateSave->Level = KiIrql();
    return STATUS_SUCCESS;
}

/* At the IRQL and in the thread of the save. Doc: wdm/nf-wdm-kerestoreextendedprocessorstate */
VOID NTAPI KeRestoreExtendedProcessorState(PXSTATE_SAVE XStateSave)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    NT_ASSERT(XStateSave->Thread == KiSelf && XStateSave->Level == KiIrql());
}

/* Any IRQL. Bytes that keep two processors from sharing a cache line. Doc:
 * wdm/nf-wdm-kegetrecommendedshareddataalignment */
ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID)
{
    return 64;
}
