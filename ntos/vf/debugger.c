/*
 * The kernel debugger as drivers see it: a debugger attached to this process.
 *
 * A break without a debugger is the exception STATUS_BREAKPOINT, as on Windows.
 */
#include "vfp.h"

static BOOLEAN VfDebuggerEnabled, VfDebuggerNotPresent = TRUE;

PBOOLEAN KdDebuggerEnabled = &VfDebuggerEnabled;
PBOOLEAN KdDebuggerNotPresent = &VfDebuggerNotPresent;

void VfRefreshDebugger(void)
{
    VfDebuggerEnabled = host_is_traced();
    VfDebuggerNotPresent = !VfDebuggerEnabled;
}

/*
 * Looks again whether a debugger is attached; returns the new *KdDebuggerNotPresent. Any IRQL.
 * Doc: wdm/nf-wdm-kdrefreshdebuggernotpresent
 */
BOOLEAN NTAPI KdRefreshDebuggerNotPresent(VOID)
{
    VfRefreshDebugger();
    return VfDebuggerNotPresent;
}

#undef DbgBreakPoint
/* Breaks into the debugger, or raises STATUS_BREAKPOINT. Any IRQL. Doc: wdm/nf-wdm-dbgbreakpoint */
VOID NTAPI DbgBreakPoint(VOID)
{
    __asm__ volatile("int3");
}

/* DbgBreakPoint; the debugger finds Status in RCX. Any IRQL. Doc:
 * wdm/nf-wdm-dbgbreakpointwithstatus */
VOID NTAPI DbgBreakPointWithStatus(ULONG Status)
{
    __asm__ volatile("int3" : : "c"(Status));
}

/* What a failed NT_ASSERT of a driver comes to: STATUS_ASSERTION_FAILURE. Any IRQL. */
VOID NTAPI DbgRaiseAssertionFailure(VOID)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = STATUS_ASSERTION_FAILURE,
                               .ExceptionAddress = __builtin_return_address(0)};

    VfRaiseException(&Record);
}
