/* Start and end of the room. */
#include "vfp.h"
#include "rtl/rtl.h"

#include <excpt.h>

static VOID VfFailFast(ULONG Code)
{
    VfBugCheck(KERNEL_SECURITY_CHECK_FAILURE, Code, 0, 0, 0, "fast fail %u", Code);
}

static VOID VfDriverAssertion(PCSTR Expression, PCSTR File, ULONG Line, PCSTR Message)
{
    DbgPrint("*** Assertion failed: %s%s%s\n***   Source file: %s, line %u\n",
             Message ? Message : "", Message ? ": " : "", Expression, File, Line);
    DbgBreakPoint();
}

static VOID VfRtlIrql(PCSTR Routine, KIRQL Maximum)
{
    if (VfCurrentIrql() > Maximum)
        VfIrqlTooHigh(Routine, Maximum);
}

NTSTATUS VfInitSystem(void)
{
    static const RTLP_HOOKS Hooks = {.CheckIrql = VfRtlIrql,
                                     .FailFast = VfFailFast,
                                     .AssertFailed = VfDriverAssertion,
                                     .Raise = VfRaiseException};

    VfResetLog();
    VfResetFilters();
    VfResetTrace();
    VfResetFaults();
    VfForgetBugCheckCallbacks();
    VfRefreshDebugger();
    RtlpSetHooks(&Hooks);
    NtSehSetUnhandled(VfUnhandledRecord);
    NtSehSetOthers(VfPassOn);
    host_fault_stack_enter();
    host_fault_install(VfOnFault);
    return STATUS_SUCCESS;
}

void VfShutdownSystem(void)
{
    host_fault_install(NULL);
    host_fault_stack_leave();
    NtSehSetUnhandled(NULL);
    NtSehSetOthers(NULL);
    RtlpResetHooks();
    VfResetFaults();
    VfForgetBugCheckCallbacks();
    VfLogSubscribe(NULL);
    VfSetReportDirectory(NULL);
    VfSetBugCheckEnd(NULL);
    host_symbols_forget();
    VfContext = (VF_CONTEXT_PROVIDER){0};
}
