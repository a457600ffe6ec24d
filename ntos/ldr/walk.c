/*
 * The frames of Windows images on a stack that they share with ours.
 */
#include "ldr/seh.h"

typedef struct SEARCH {
    LDRP_WALK *Walk;
    BOOLEAN Found;
} SEARCH;

/* One frame of ours, or the first that is not. */
static bool Visit(void *Context, const struct host_frame *Frame)
{
    SEARCH *Search = Context;
    if (Search->Walk->Limit != 0 && Frame->stack > Search->Walk->Limit)
        return false;
    if (!NT_IS_FOREIGN(Frame->instruction))
        return true;
    host_frame_registers(Frame, &Search->Walk->Cpu);
    Search->Found = TRUE;
    return false;
}

static BOOLEAN PassOurs(LDRP_WALK *Walk, BOOLEAN Here)
{
    SEARCH Search = {Walk, FALSE};
    struct host_cpu From = Walk->Cpu;
    host_walk(Here ? NULL : &From, Visit, &Search);
    return Search.Found;
}

void LdrpBeginWalk(LDRP_WALK *Walk, ULONG64 Limit)
{
    RtlZeroMemory(Walk, sizeof(*Walk));
    Walk->Limit = Limit;
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
    return Walk->Cpu.rsp > Here->rsp; /* else the stack is damaged */
}
