/*
 * The frames of Windows images on a stack that they share with ours.
 */
#include "ldr/seh.h"

static _Thread_local LDRP_LEAVING *LdrpLeavings; /* innermost first */

void LdrpBeginLeaving(LDRP_LEAVING *Leaving)
{
    Leaving->Outer = LdrpLeavings;
    LdrpLeavings = Leaving;
}

void LdrpForgetLeavings(ULONG64 Stack)
{
    while (LdrpLeavings != NULL && LdrpLeavings->Position < Stack)
        LdrpLeavings = LdrpLeavings->Outer;
}

typedef struct SEARCH {
    LDRP_WALK *Walk;
    const struct host_cpu *Block; /* of the last frame, if it is that of a fault */
    const void *Function, *Place; /* of the last frame */
    BOOLEAN Found;
} SEARCH;

/* One frame of ours, or the first that is not. */
static bool Visit(void *Context, const struct host_frame *Frame)
{
    SEARCH *Search = Context;
    struct host_cpu *Cpu = &Search->Walk->Cpu;
    if (Search->Walk->Limit != 0 && Frame->stack > Search->Walk->Limit)
        return false;
    if (!NT_IS_FOREIGN(Frame->instruction)) {
        Search->Block = host_frame_diverted(Frame);
        Search->Function = host_frame_function(Frame);
        Search->Place = Frame->instruction;
        if (Frame->stack > Search->Walk->Begin)
            Search->Walk->Traced += LdrpIsTraced(Search->Function);
        return true;
    }
    Search->Found = TRUE;
    if (Search->Block != NULL) {
        *Cpu = *Search->Block;
        return false;
    }
    host_frame_registers(Frame, Cpu);
    LdrpRestoreVectors(Search->Function, Search->Place, Cpu);
    return false;
}

/* Where a termination handler was called from, between Passed and the frame that was found. */
static void MeetLeaving(LDRP_WALK *Walk)
{
    for (const LDRP_LEAVING *Leaving = LdrpLeavings;
         Leaving != NULL && Leaving->Position < Walk->Cpu.rsp; Leaving = Leaving->Outer) {
        if (Leaving->Position <= Walk->Passed)
            continue;
        Walk->Cpu = Leaving->Here;
        Walk->ScopeIndex = Leaving->Dispatcher->ScopeIndex;
    }
}

static BOOLEAN PassOurs(LDRP_WALK *Walk, BOOLEAN Here)
{
    SEARCH Search = {.Walk = Walk};
    struct host_cpu From = Walk->Cpu;
    host_walk(Here ? NULL : &From, Visit, &Search);
    if (Search.Found)
        MeetLeaving(Walk);
    return Search.Found;
}

void LdrpBeginWalk(LDRP_WALK *Walk, ULONG64 Limit)
{
    RtlZeroMemory(Walk, sizeof(*Walk));
    Walk->Limit = Limit;
    Walk->Passed = Walk->Begin = (ULONG_PTR)__builtin_frame_address(0);
    LdrpForgetLeavings(Walk->Passed);
    if (!PassOurs(Walk, TRUE))
        Walk->Cpu.rip = 0;
}

BOOLEAN LdrpNextFrame(LDRP_WALK *Walk, LDRP_FRAME *Frame, struct host_cpu *Here)
{
    if (Walk->Cpu.rip != 0 && !NT_IS_FOREIGN(Walk->Cpu.rip) && !PassOurs(Walk, FALSE))
        Walk->Cpu.rip = 0;
    const PE_IMAGE *Image = Walk->Cpu.rip == 0 ? NULL : LdrpImageAt(Walk->Cpu.rip);
    if (Image == NULL || (Walk->Limit != 0 && Walk->Cpu.rsp > Walk->Limit))
        return FALSE;
    *Here = Walk->Cpu;
    LdrpUnwindFrame(Image, &Walk->Cpu, Frame);
    Frame->ScopeIndex = Walk->ScopeIndex;
    Walk->ScopeIndex = 0;
    Walk->Passed = Here->rsp;
    return Walk->Cpu.rsp > Here->rsp; /* else the stack is damaged */
}
