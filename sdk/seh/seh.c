/*
 * Native structured exception handling: the frames of each thread, raising, and the stages of a
 * __try statement.
 *
 * A frame is on its thread's list only while its body runs. Raising takes the innermost frame off
 * the list, gives it the record, and jumps to it; its filter, in the function that owns the frame,
 * accepts the exception or passes it on to the next. So a filter, a handler and a __finally block
 * raise to the frames outside theirs.
 *
 *   Fresh -> Body -> Done                    the body ran to its end, or __leave
 *            Body -> Raised -> Handled       an exception that the filter accepted
 *            Body -> Raised -> (next frame)  one that it passed on, or that a __finally block saw
 *            Body -> Exiting -> (the way out) return, break or goto out of the body
 */
#include <windows.h>
#include <excpt.h>
#include <stdlib.h>
#include <stddef.h>

enum { StageFresh, StageBody, StageDone, StageRaised, StageHandled, StageExiting };

_Static_assert(offsetof(NT_SEH_FRAME, Stage) == 0 && StageBody == 1, "exit.S");
_Static_assert(offsetof(NT_SEH_FRAME, Exit) == 24, "exit.S");
_Static_assert(sizeof(EXCEPTION_RECORD) == NT_SEH_RECORD_SIZE, "excpt.h");
_Static_assert(sizeof(EXCEPTION_POINTERS) == 2 * sizeof(void *), "excpt.h");

static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    NT_SEH_FRAME *Top;     // innermost frame whose body is running
    NT_SEH_FRAME *Handled; // innermost frame whose filter or handler is running
} NtSehState;

static _Thread_local CONTEXT
    NtSehContext; // what GetExceptionInformation()->ContextRecord points to: no registers
static void (*NtSehUnhandled)(const EXCEPTION_RECORD *Record);
static int (*NtSehOthers)(EXCEPTION_RECORD *Record);

_Noreturn void NtSehpResumeExit(NT_SEH_FRAME *Frame);

static EXCEPTION_RECORD *NtSehRecord(NT_SEH_FRAME *Frame)
{
    return (EXCEPTION_RECORD *)(void *)Frame->Record;
}

// A frame that leaves its body is the innermost one: the ones inside it have been left before.
static void NtSehPop(NT_SEH_FRAME *Frame)
{
    NtSehState.Top = Frame->Outer;
}

static void NtSehEndHandling(NT_SEH_FRAME *Frame)
{
    if (NtSehState.Handled == Frame)
        NtSehState.Handled = Frame->OuterHandled;
}

static unsigned long long NtSehGuard(const NT_SEH_FRAME *Frame)
{
    return (ULONG_PTR)Frame ^ 0x9e3779b97f4a7c15ull;
}

// The first and the last field: an overrun reaches one of them first. Jumping through such a frame
// would lead anywhere.
static int NtSehIsWhole(const NT_SEH_FRAME *Frame)
{
    return Frame->Stage == StageBody && Frame->Guard == NtSehGuard(Frame);
}

static _Noreturn void NtSehOverrun(const NT_SEH_FRAME *Frame, const EXCEPTION_RECORD *Record)
{
    EXCEPTION_RECORD Overrun = {.ExceptionCode = (DWORD)STATUS_STACK_BUFFER_OVERRUN,
                                .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
                                .ExceptionAddress = Record->ExceptionAddress,
                                .NumberParameters = 2,
                                .ExceptionInformation = {Frame->Guard, NtSehGuard(Frame)}};

    NtSehState.Top = NULL;
    if (NtSehUnhandled != NULL)
        NtSehUnhandled(&Overrun);
    abort();
}

int NtSehDispatch(const EXCEPTION_RECORD *Record)
{
    NT_SEH_FRAME *Frame = NtSehState.Top;

    if (Frame == NULL)
        return 0;
    if (!NtSehIsWhole(Frame))
        NtSehOverrun(Frame, Record);
    NtSehPop(Frame);
    NtSehState.Handled = Frame->OuterHandled;
    memcpy(Frame->Record, Record, sizeof(Frame->Record));
    Frame->Pointers[0] = Frame->Record;
    Frame->Pointers[1] = &NtSehContext;
    Frame->Abnormal = 1;
    Frame->Stage = StageRaised;
    siglongjmp(Frame->Jump, 1);
}

int NtSehRaise(const EXCEPTION_RECORD *Record)
{
    return NtSehDispatch(Record);
}

// No frame is left that could take it.
static _Noreturn void NtSehRaiseNext(NT_SEH_FRAME *Frame)
{
    EXCEPTION_RECORD Record = *NtSehRecord(Frame);

    if (NtSehOthers != NULL && NtSehOthers(&Record))
        Record.ExceptionCode = (DWORD)STATUS_NONCONTINUABLE_EXCEPTION; // the frame is gone
    NtSehDispatch(&Record);
    if (NtSehUnhandled != NULL)
        NtSehUnhandled(&Record);
    abort();
}

int NtSehEnterBody(NT_SEH_FRAME *Frame)
{
    if (Frame->Stage != StageFresh)
        return 0;
    Frame->Outer = NtSehState.Top;
    Frame->OuterHandled = NtSehState.Handled;
    Frame->Guard = NtSehGuard(Frame);
    Frame->Stage = StageBody;
    NtSehState.Top = Frame;
    return 1;
}

// The end of the body, or the end of what follows it.
void NtSehLeaveBody(NT_SEH_FRAME *Frame)
{
    if (Frame->Stage == StageBody) {
        NtSehPop(Frame);
        Frame->Stage = StageDone;
    }
}

// The loop around a __try: the body's turn, then that of the handler or the __finally block, then
// the end.
int NtSehStep(NT_SEH_FRAME *Frame)
{
    if (Frame->Stage == StageFresh)
        return 1;
    if (Frame->Stage == StageBody) {
        NtSehLeaveBody(Frame);
        return 1;
    }
    NtSehFinish(Frame);
    return 0;
}

// The end of a __try statement: an exception that a __finally block saw goes on, and so does a way
// out.
void NtSehFinish(NT_SEH_FRAME *Frame)
{
    if (Frame->Stage == StageRaised)
        NtSehRaiseNext(Frame);
    if (Frame->Stage == StageExiting) {
        Frame->Stage = StageDone;
        NtSehpResumeExit(Frame);
    }
    NtSehEndHandling(Frame);
    Frame->Stage = StageDone;
}

int NtSehRaised(NT_SEH_FRAME *Frame)
{
    if (Frame->Stage != StageRaised)
        return 0;
    NtSehState.Handled = Frame;
    return 1;
}

int NtSehFilter(NT_SEH_FRAME *Frame, int Disposition)
{
    if (Disposition > 0) {
        Frame->Stage = StageHandled;
        return 1;
    }
    NtSehEndHandling(Frame);
    if (Disposition < 0) {
        NtSehRecord(Frame)->ExceptionCode = (DWORD)STATUS_NONCONTINUABLE_EXCEPTION;
        NtSehRecord(Frame)->ExceptionFlags = EXCEPTION_NONCONTINUABLE;
        NtSehRecord(Frame)->NumberParameters = 0;
    }
    NtSehRaiseNext(Frame);
}

_Noreturn void NtSehpInterruptExit(NT_SEH_FRAME *Frame)
{
    NtSehPop(Frame);
    Frame->Abnormal = 1;
    Frame->Stage = StageExiting;
    siglongjmp(Frame->Jump, 1);
}

// A way out of the statement that is not one out of its body.
void NtSehpClose(NT_SEH_FRAME *Frame)
{
    NtSehEndHandling(Frame);
}

_Noreturn void NtSehLeave(void)
{
    NT_SEH_FRAME *Frame = NtSehState.Top;

    NtSehLeaveBody(Frame);
    siglongjmp(Frame->Jump, 1);
}

unsigned NtSehExceptionCode(void)
{
    return NtSehState.Handled == NULL ? 0 : NtSehRecord(NtSehState.Handled)->ExceptionCode;
}

EXCEPTION_POINTERS *NtSehExceptionPointers(void)
{
    return NtSehState.Handled == NULL ? NULL
                                      : (EXCEPTION_POINTERS *)(void *)NtSehState.Handled->Pointers;
}

NT_SEH_FRAME *NtSehMark(void)
{
    return NtSehState.Top;
}

void NtSehReset(NT_SEH_FRAME *Mark)
{
    NtSehState.Top = Mark;
    NtSehState.Handled = NULL;
}

void NtSehSetOthers(int (*Others)(EXCEPTION_RECORD *Record))
{
    NtSehOthers = Others;
}

void NtSehAbandon(const void *Stack)
{
    while (NtSehState.Top != NULL && (const void *)NtSehState.Top < Stack)
        NtSehState.Top = NtSehState.Top->Outer;
    while (NtSehState.Handled != NULL && (const void *)NtSehState.Handled < Stack)
        NtSehState.Handled = NtSehState.Handled->OuterHandled;
}

void NtSehSetUnhandled(void (*Unhandled)(const EXCEPTION_RECORD *Record))
{
    NtSehUnhandled = Unhandled;
}
