/*
 * Who takes an exception when Windows images are on the stack.
 *
 * An exception goes to the innermost frame first, be it of an image (its table names a handler) or
 * one of ours (a __try statement, sdk/seh). This dispatcher looks at the frames of images inside
 * the innermost __try statement of ours. If none of them takes the exception, they are left, their
 * termination handlers run, and native SEH goes on; it asks again when its filter has passed the
 * exception on.
 *
 * A fault is dispatched on the stack on which it happened, not on that of the signal: filters and
 * handlers run at any depth, and every frame can be walked. (host_fault_divert)
 */
#include "ldr/ldrp.h"
#include "ldr/patch.h"
#include "ldr/seh.h"
#include <string.h>

#define LDRP_STACK_SPARE 8192

typedef __attribute__((ms_abi)) int HANDLER(PEXCEPTION_RECORD Record, ULONG64 Establisher,
                                            PCONTEXT Context, LDRP_DISPATCHER *Dispatcher);
_Static_assert(sizeof(CONTEXT) == sizeof(struct host_cpu) &&
                   FIELD_OFFSET(CONTEXT, Rip) == offsetof(struct host_cpu, rip),
               "one layout");

static _Thread_local struct {
    EXCEPTION_RECORD Record; /* of the fault that is being diverted */
    BOOLEAN Unhandled;       /* the fault that happens next has been through all this */
} LdrpFaultState;

static void Describe(LDRP_DISPATCHER *Dispatcher, const LDRP_FRAME *Frame, PCONTEXT Context)
{
    *Dispatcher = (LDRP_DISPATCHER){.ControlPc = Frame->Pc,
                                    .ImageBase = (ULONG_PTR)Frame->Image->Base,
                                    .Function = Frame->Function,
                                    .Establisher = Frame->Establisher,
                                    .Context = Context,
                                    .Handler = Frame->Handler,
                                    .Data = Frame->Data,
                                    .ScopeIndex = Frame->ScopeIndex};
}

static int CallHandler(PEXCEPTION_RECORD Record, const LDRP_FRAME *Frame, PCONTEXT Context)
{
    LDRP_DISPATCHER Dispatcher;
    Describe(&Dispatcher, Frame, Context);
    return ((HANDLER *)Frame->Handler)(Record, Frame->Establisher, Context, &Dispatcher);
}

/* The frame's termination handlers. */
static void CallToLeave(PEXCEPTION_RECORD Record, const LDRP_FRAME *Frame, struct host_cpu *Here,
                        ULONG64 TargetIp)
{
    LDRP_DISPATCHER Dispatcher;
    LDRP_LEAVING Leaving = {.Position = (ULONG_PTR)__builtin_frame_address(0),
                            .Here = *Here,
                            .Dispatcher = &Dispatcher};
    Describe(&Dispatcher, Frame, (PCONTEXT)Here);
    Dispatcher.TargetIp = TargetIp;
    if (Frame->ScopeIndex != 0)
        Record->ExceptionFlags |= LDRP_COLLIDED_UNWIND;
    LdrpBeginLeaving(&Leaving);
    ((HANDLER *)Frame->Handler)(Record, Frame->Establisher, (PCONTEXT)Here, &Dispatcher);
    LdrpForgetLeavings(Leaving.Position + 1);
    Record->ExceptionFlags &= ~LDRP_COLLIDED_UNWIND;
}

/* What lies below a frame that execution goes on in is no more. */
static _Noreturn __attribute__((noinline)) void Resume(struct host_cpu *Cpu, ULONG Traced)
{
    Cpu->eflags = 0x202;
    NtSehAbandon((const void *)Cpu->rsp);
    LdrpForgetLeavings(Cpu->rsp);
    LdrpLeaveTraced(Traced + 1); /* and this one */
    host_resume(Cpu);
}

void LdrpUnwind(PEXCEPTION_RECORD Record, ULONG64 Limit, ULONG64 Target, ULONG64 TargetIp,
                ULONG64 Value)
{
    LDRP_WALK Walk;
    LDRP_FRAME Frame;
    struct host_cpu Here;
    ULONG Flags = Record->ExceptionFlags;
    Record->ExceptionFlags |= LDRP_UNWINDING | (Target == 0 ? LDRP_EXIT_UNWIND : 0);
    LdrpBeginWalk(&Walk, Limit);
    while (LdrpNextFrame(&Walk, &Frame, &Here)) {
        BOOLEAN IsTarget = Target != 0 && Frame.Establisher == Target;
        if (Frame.Flags & LDRP_HANDLES_UNWINDING && Frame.Handler != NULL) {
            Record->ExceptionFlags |= IsTarget ? LDRP_TARGET_UNWIND : 0;
            CallToLeave(Record, &Frame, &Here, TargetIp);
        }
        if (!IsTarget)
            continue;
        Here.rip = LdrpPatchedOf(TargetIp);
        Here.rax = Value;
        Resume(&Here, Walk.Traced);
    }
    Record->ExceptionFlags = Flags;
    LdrpForgetLeavings(Limit); /* native SEH goes on above it */
}

/* A filter wants execution to go on where it may not. */
static _Noreturn void RaiseNoncontinuable(PEXCEPTION_RECORD Record)
{
    EXCEPTION_RECORD Own = {.ExceptionCode = STATUS_NONCONTINUABLE_EXCEPTION,
                            .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
                            .ExceptionRecord = Record,
                            .ExceptionAddress = Record->ExceptionAddress};
    RtlRaiseException(&Own);
    __builtin_unreachable();
}

/* TRUE: execution continues where the exception happened. FALSE: no image takes it, and those
 * inside native SEH's innermost frame are left. */
static BOOLEAN Dispatch(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    ULONG64 Limit = (ULONG_PTR)NtSehMark();
    LDRP_WALK Walk;
    LDRP_FRAME Frame;
    struct host_cpu Here;
    LdrpBeginWalk(&Walk, Limit);
    while (LdrpNextFrame(&Walk, &Frame, &Here)) {
        if ((Frame.Flags & LDRP_HANDLES_EXCEPTIONS) == 0 || Frame.Handler == NULL)
            continue;
        if (CallHandler(Record, &Frame, Context) != ExceptionContinueExecution)
            continue;
        if (Record->ExceptionFlags & EXCEPTION_NONCONTINUABLE)
            RaiseNoncontinuable(Record);
        return TRUE;
    }
    if (Limit != 0)
        LdrpUnwind(Record, Limit, 0, 0, 0);
    return FALSE;
}

/* ---- exceptions that are raised ---- */

/* What the first frame of an image looked like: all that is known where an exception was raised by
 * a call. */
static BOOLEAN DescribeRaise(CONTEXT *Context)
{
    LDRP_WALK Walk;
    LdrpBeginWalk(&Walk, (ULONG_PTR)NtSehMark());
    memcpy(Context, &Walk.Cpu, sizeof(*Context));
    Context->ContextFlags = CONTEXT_FULL;
    return Walk.Cpu.rip != 0;
}

/* TRUE: execution goes on behind the call; with what a filter has changed, at once. */
static BOOLEAN OnRaise(PEXCEPTION_RECORD Record)
{
    CONTEXT Context, Before;
    if (!DescribeRaise(&Context))
        return FALSE;
    Before = Context;
    if (!Dispatch(Record, &Context))
        return FALSE;
    if (memcmp(&Context, &Before, sizeof(Context)) == 0)
        return TRUE;
    LDRP_WALK Walk;
    LdrpBeginWalk(&Walk, 0);
    Context.Rip = LdrpPatchedOf(Context.Rip);
    Resume((struct host_cpu *)&Context, Walk.Traced);
}

/* ---- faults ---- */

static void OnFault(struct host_cpu *Cpu)
{
    EXCEPTION_RECORD Record = LdrpFaultState.Record;
    const PE_IMAGE *Image = LdrpImageAt((ULONG_PTR)Record.ExceptionAddress);
    if (Image != NULL)
        Record.ExceptionAddress =
            (PVOID)LdrpOriginalOf(Image, (ULONG_PTR)Record.ExceptionAddress, NULL);
    Cpu->rip = (ULONG_PTR)Record.ExceptionAddress;
    ((PCONTEXT)Cpu)->ContextFlags = CONTEXT_FULL;
    if (Dispatch(&Record, (PCONTEXT)Cpu)) {
        Cpu->rip = LdrpPatchedOf(Cpu->rip);
        return;
    }
    if (NtSehMark() != NULL)
        NtSehDispatch(&Record);
    Cpu->rip = LdrpPatchedOf(Cpu->rip);
    LdrpFaultState.Unhandled = TRUE; /* it happens again, and is reported where it is */
}

static BOOLEAN HasStack(const struct host_fault *Fault)
{
    struct host_registers Registers;
    host_fault_registers(Fault, &Registers);
    return Registers.rsp > (ULONG_PTR)Fault->stack_low + LDRP_STACK_SPARE &&
           Registers.rsp < (ULONG_PTR)Fault->stack_high;
}

static BOOLEAN OnException(EXCEPTION_RECORD *Record, const struct host_fault *Fault)
{
    if (!LdrpHasImages())
        return FALSE;
    if (Fault == NULL)
        return OnRaise(Record);
    if (LdrpFaultState.Unhandled || !HasStack(Fault)) {
        LdrpFaultState.Unhandled = FALSE;
        return FALSE;
    }
    LdrpFaultState.Record = *Record;
    host_fault_divert(Fault, OnFault);
    return TRUE;
}

void LdrpInitExceptions(void)
{
    VfAddExceptionDispatcher(OnException);
}

/* ---- what images import ---- */

VOID LdrpUnwindEx(PVOID Frame, PVOID TargetIp, PEXCEPTION_RECORD Record, PVOID Value,
                  PCONTEXT Context, PVOID History);
VOID LdrpUnwindEx(PVOID Frame, PVOID TargetIp, PEXCEPTION_RECORD Record, PVOID Value,
                  PCONTEXT Context, PVOID History)
{
    EXCEPTION_RECORD Own = {.ExceptionCode = STATUS_UNWIND, .ExceptionAddress = TargetIp};
    LdrpUnwind(Record != NULL ? Record : &Own, 0, (ULONG_PTR)Frame, (ULONG_PTR)TargetIp,
               (ULONG_PTR)Value);
    ExRaiseStatus(STATUS_INVALID_UNWIND_TARGET);
}

/* _local_unwind: out of a __try body by goto, in the frame that calls. */
VOID LdrpLocalUnwind(PVOID Frame, PVOID TargetIp);
VOID LdrpLocalUnwind(PVOID Frame, PVOID TargetIp)
{
    LdrpUnwindEx(Frame, TargetIp, NULL, NULL, NULL, NULL);
}

const LDRP_FUNCTION *LdrpLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase, PVOID History)
{
    const PE_IMAGE *Image = NT_IS_FOREIGN(ControlPc) ? LdrpImageAt(ControlPc) : NULL;
    *ImageBase = Image == NULL ? 0 : (ULONG_PTR)Image->Base;
    return Image == NULL ? NULL : LdrpFunctionOf(Image, ControlPc);
}

PVOID LdrpVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                        const LDRP_FUNCTION *Function, PCONTEXT Context, const void **HandlerData,
                        PULONG64 EstablisherFrame, PVOID Pointers)
{
    const PE_IMAGE *Image = LdrpImageAt(ControlPc);
    LDRP_FRAME Frame;
    *HandlerData = NULL;
    *EstablisherFrame = 0;
    if (Image == NULL)
        return NULL;
    Context->Rip = ControlPc;
    LdrpUnwindFrame(Image, (struct host_cpu *)Context, &Frame);
    *EstablisherFrame = Frame.Establisher;
    *HandlerData = Frame.Data;
    return Frame.Flags & HandlerType ? Frame.Handler : NULL;
}
