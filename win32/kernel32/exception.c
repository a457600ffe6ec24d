/*
 * The filter for exceptions that nobody handles. libntdll's fault handler asks it before the
 * process ends by the signal. A native program has no frame-based handlers, so every fault of the
 * program's own is unhandled.
 */
#include "win32/kernel32/base.h"

#include <string.h>

extern bool (*ntdll_unhandled_fault)(const struct host_fault *Fault);

static LPTOP_LEVEL_EXCEPTION_FILTER Filter;

static DWORD code_of(const struct host_fault *Fault)
{
    switch (Fault->kind) {
    case HOST_FAULT_BUS:
        return EXCEPTION_IN_PAGE_ERROR;
    case HOST_FAULT_ILLEGAL:
        return EXCEPTION_ILLEGAL_INSTRUCTION;
    case HOST_FAULT_DIVIDE:
        return EXCEPTION_INT_DIVIDE_BY_ZERO;
    case HOST_FAULT_BREAKPOINT:
        return EXCEPTION_BREAKPOINT;
    }
    return EXCEPTION_ACCESS_VIOLATION;
}

/* Registers are not passed on: the context is empty. */
static bool ask_filter(const struct host_fault *Fault)
{
    CONTEXT Context;
    EXCEPTION_RECORD Record = {.ExceptionCode = code_of(Fault),
                               .ExceptionAddress = Fault->instruction};
    EXCEPTION_POINTERS Pointers = {&Record, &Context};
    LONG Answer;

    memset(&Context, 0, sizeof(Context));
    if (Fault->kind == HOST_FAULT_MEMORY || Fault->kind == HOST_FAULT_BUS) {
        Record.NumberParameters = 2;
        Record.ExceptionInformation[0] = Fault->execute ? 8 : Fault->write;
        Record.ExceptionInformation[1] = (ULONG_PTR)Fault->address;
    }
    Answer = Filter ? Filter(&Pointers) : EXCEPTION_CONTINUE_SEARCH;
    if (Answer == EXCEPTION_EXECUTE_HANDLER)
        ExitProcess(Record.ExceptionCode);
    return Answer == EXCEPTION_CONTINUE_EXECUTION;
}

/* Nobody handles it in a native program but the filter: if that does not say "continue execution",
 * the process ends with the code. */
VOID WINAPI RaiseException(DWORD Code, DWORD Flags, DWORD Count, const ULONG_PTR *Arguments)
{
    CONTEXT Context;
    EXCEPTION_RECORD Record = {.ExceptionCode = Code & ~0x10000000u,
                               .ExceptionFlags = Flags & EXCEPTION_NONCONTINUABLE,
                               .ExceptionAddress = __builtin_return_address(0)};
    EXCEPTION_POINTERS Pointers = {&Record, &Context};

    memset(&Context, 0, sizeof(Context));
    if (Arguments && Count)
        Record.NumberParameters =
            Count < EXCEPTION_MAXIMUM_PARAMETERS ? Count : EXCEPTION_MAXIMUM_PARAMETERS;
    for (DWORD i = 0; i < Record.NumberParameters; i++)
        Record.ExceptionInformation[i] = Arguments[i];
    if (!Filter || Filter(&Pointers) != EXCEPTION_CONTINUE_EXECUTION || Record.ExceptionFlags)
        ExitProcess(Record.ExceptionCode);
}

LPTOP_LEVEL_EXCEPTION_FILTER WINAPI SetUnhandledExceptionFilter(LPTOP_LEVEL_EXCEPTION_FILTER New)
{
    LPTOP_LEVEL_EXCEPTION_FILTER Old = Filter;

    Filter = New;
    ntdll_unhandled_fault = ask_filter;
    return Old;
}
