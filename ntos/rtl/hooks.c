/* What rooms above have registered with rtl, and what serves until they have. */
#include "rtl.h"

#include <stdlib.h>

static PVOID RtlpMalloc(SIZE_T Bytes, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return malloc(Bytes);
}

static VOID RtlpAbort(ULONG Code)
{
    UNREFERENCED_PARAMETER(Code);
    abort();
}

static VOID RtlpAbortAssertion(PCSTR Expression, PCSTR File, ULONG Line, PCSTR Message)
{
    abort();
}

static VOID RtlpAbortException(PEXCEPTION_RECORD Record)
{
    abort();
}

#define RTLP_NO_HOOKS                                                                              \
    {                                                                                              \
        .FailFast = RtlpAbort, .AssertFailed = RtlpAbortAssertion, .Raise = RtlpAbortException,    \
    }

static struct {
    RTLP_ALLOCATE Allocate;
    RTLP_FREE Free;
    RTLP_GIVE Give;
    RTLP_HOOKS Hooks;
} RtlState = {RtlpMalloc, free, NULL, RTLP_NO_HOOKS};

VOID RtlpSetAllocator(RTLP_ALLOCATE Allocate, RTLP_FREE Free, RTLP_GIVE Give)
{
    RtlState.Give = Give;
    RtlState.Allocate = Allocate ? Allocate : RtlpMalloc;
    RtlState.Free = Free ? Free : free;
}

PVOID RtlpAllocate(SIZE_T Bytes)
{
    return RtlState.Allocate(Bytes, RTL_POOL_TAG);
}

VOID RtlpGive(PVOID Buffer, const void *Caller)
{
    if (RtlState.Give && Buffer)
        RtlState.Give(Buffer, Caller);
}

VOID RtlpFree(PVOID Buffer)
{
    RtlState.Free(Buffer);
}

VOID RtlpSetHooks(const RTLP_HOOKS *Hooks)
{
    if (Hooks->CheckIrql)
        RtlState.Hooks.CheckIrql = Hooks->CheckIrql;
    if (Hooks->FailFast)
        RtlState.Hooks.FailFast = Hooks->FailFast;
    if (Hooks->AssertFailed)
        RtlState.Hooks.AssertFailed = Hooks->AssertFailed;
    if (Hooks->Raise)
        RtlState.Hooks.Raise = Hooks->Raise;
}

VOID RtlpResetHooks(VOID)
{
    RtlState.Hooks = (RTLP_HOOKS)RTLP_NO_HOOKS;
}

VOID RtlpCheckIrql(PCSTR Routine, KIRQL Maximum)
{
    if (RtlState.Hooks.CheckIrql)
        RtlState.Hooks.CheckIrql(Routine, Maximum);
}

VOID RtlpFailFast(ULONG Code)
{
    RtlState.Hooks.FailFast(Code);
    abort();
}

/*
 * Any IRQL. A checked driver's ASSERT ends here; whether it returns is the registered hook's
 * decision (a debugger may continue).
 * Doc: ntddk, ASSERT macro
 */
VOID NTAPI RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message)
{
    RtlState.Hooks.AssertFailed(FailedAssertion, FileName, LineNumber, Message);
}

/*
 * Raises the caller's record. Returns only if a handler continues execution.
 * Doc: winnt/nf-winnt-rtlraiseexception
 */
VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord)
{
    RtlState.Hooks.Raise(ExceptionRecord);
}

static DECLSPEC_NORETURN VOID RtlpRaiseNonContinuable(NTSTATUS Status)
{
    EXCEPTION_RECORD Record = {
        .ExceptionCode = Status,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
        .ExceptionAddress = __builtin_return_address(0),
    };
    RtlState.Hooks.Raise(&Record);
    abort();
}

/* Raises Status as a non-continuable exception. IRQL <= APC_LEVEL. */
VOID NTAPI RtlRaiseStatus(NTSTATUS Status)
{
    RtlpRaiseNonContinuable(Status);
}

/* Raises Status as an exception. IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-exraisestatus */
VOID NTAPI ExRaiseStatus(NTSTATUS Status)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RtlpRaiseNonContinuable(Status);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-exraiseaccessviolation */
VOID NTAPI ExRaiseAccessViolation(VOID)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RtlpRaiseNonContinuable(STATUS_ACCESS_VIOLATION);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-exraisedatatypemisalignment */
VOID NTAPI ExRaiseDatatypeMisalignment(VOID)
{
    RTL_IRQL_MAX(APC_LEVEL);
    RtlpRaiseNonContinuable(STATUS_DATATYPE_MISALIGNMENT);
}
