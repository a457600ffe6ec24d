/*
 * Model-specific registers of the virtual processors: those of 64-bit NT that have a meaning here.
 * They are what is, so a write changes nothing: one of the value that is there is allowed.
 */
#include "ke/ki.h"

#include <intrin.h>

enum {
    KiMsrTimeStamp = 0x10,
    KiMsrApicBase = 0x1B,
    KiMsrSystemEnterCode = 0x174,
    KiMsrSystemEnterStack,
    KiMsrSystemEnterAddress,
    KiMsrMiscEnable = 0x1A0,
    KiMsrDebugControl = 0x1D9,
    KiMsrPageAttributes = 0x277,
    KiMsrExtendedFeatures = 0xC0000080,
    KiMsrSystemCallSelectors,
    KiMsrSystemCallAddress,
    KiMsrSystemCallAddress32,
    KiMsrSystemCallMask,
    KiMsrFsBase = 0xC0000100,
    KiMsrGsBase,
    KiMsrUserGsBase,
    KiMsrProcessorNumber
};

/* FALSE: there is none of that number. */
static BOOLEAN KiReadMsr(unsigned Register, unsigned long long *Value)
{
    *Value = 0;
    switch (Register) {
    case KiMsrTimeStamp:
        *Value = __rdtsc();
        return TRUE;
    case KiMsrApicBase: /* enabled, where every PC has it; the first processor started the others */
        *Value = 0xFEE00800 | (KiSelf->Prcb->Number == 0 ? 0x100 : 0);
        return TRUE;
    case KiMsrMiscEnable: /* fast strings */
        *Value = 1;
        return TRUE;
    case KiMsrPageAttributes: /* as at reset */
        *Value = 0x0007040600070406;
        return TRUE;
    case KiMsrExtendedFeatures: /* system calls, long mode, no-execute */
        *Value = 0xD01;
        return TRUE;
    case KiMsrSystemCallSelectors: /* user and kernel */
        *Value = 0x0023001000000000;
        return TRUE;
    case KiMsrSystemCallMask: /* interrupts, direction, single step, nested task */
        *Value = 0x4700;
        return TRUE;
    case KiMsrGsBase:
        *Value = (ULONG_PTR)&KiSelf->Pcr;
        return TRUE;
    case KiMsrProcessorNumber:
        *Value = KiSelf->Prcb->Number;
        return TRUE;
    case KiMsrSystemEnterCode: /* no code is entered that way */
    case KiMsrSystemEnterStack:
    case KiMsrSystemEnterAddress:
    case KiMsrSystemCallAddress:
    case KiMsrSystemCallAddress32:
    case KiMsrDebugControl: /* nothing is recorded */
    case KiMsrFsBase:       /* no 32-bit TEB */
    case KiMsrUserGsBase:   /* no TEB */
        return TRUE;
    default:
        return FALSE;
    }
}

/* Any IRQL. A register that does not exist raises STATUS_PRIVILEGED_INSTRUCTION. */
unsigned long long __readmsr(unsigned Register)
{
    unsigned long long Value;

    if (!KiReadMsr(Register, &Value))
        ExRaiseStatus(STATUS_PRIVILEGED_INSTRUCTION);
    return Value;
}

/* Any IRQL. Another value than the register's raises STATUS_PRIVILEGED_INSTRUCTION. */
void __writemsr(unsigned Register, unsigned long long Value)
{
    unsigned long long Now;

    if (!KiReadMsr(Register, &Now) || Value != Now)
        ExRaiseStatus(STATUS_PRIVILEGED_INSTRUCTION);
}
