/*
 * A driver asks who called it: frames of images and ours, up to the thread's own beginning.
 */
#include "ldr/seh.h"

typedef struct BACKTRACE {
    struct host_cpu Cpu; /* where a Windows image's frame begins; rip 0: there is none */
    ULONG_PTR OwnLow, OwnHigh;
    PVOID *Frames;
    ULONG Skip, Count, Limit;
    BOOLEAN Outside; /* the executive's own first frames are behind */
} BACKTRACE;

/* FALSE: enough. */
static BOOLEAN Record(BACKTRACE *Trace, ULONG_PTR Address)
{
    if (!Trace->Outside && Address - Trace->OwnLow < Trace->OwnHigh - Trace->OwnLow)
        return TRUE;
    Trace->Outside = TRUE;
    if (Trace->Skip != 0)
        Trace->Skip--;
    else
        Trace->Frames[Trace->Count++] = (PVOID)Address;
    return Trace->Count < Trace->Limit;
}

static bool VisitOurs(void *Context, const struct host_frame *Frame)
{
    BACKTRACE *Trace = Context;
    if (NT_IS_FOREIGN(Frame->instruction)) {
        host_frame_registers(Frame, &Trace->Cpu);
        return false;
    }
    return Record(Trace, (ULONG_PTR)Frame->instruction);
}

/* The frames of images one after the other; TRUE: ours go on there. */
static BOOLEAN PassImages(BACKTRACE *Trace)
{
    while (NT_IS_FOREIGN(Trace->Cpu.rip)) {
        const PE_IMAGE *Image = LdrpImageAt(Trace->Cpu.rip);
        ULONG64 Stack = Trace->Cpu.rsp;
        LDRP_FRAME Frame;
        if (!Record(Trace, Trace->Cpu.rip) || Image == NULL)
            return FALSE;
        LdrpUnwindFrame(Image, &Trace->Cpu, &Frame);
        if (Trace->Cpu.rsp <= Stack)
            return FALSE;
    }
    return TRUE;
}

static ULONG Walk(PVOID *Frames, ULONG Skip, ULONG Limit)
{
    struct host_image_info Own;
    BACKTRACE Trace = {.Frames = Frames, .Skip = Skip, .Limit = Limit};
    if (Limit == 0)
        return 0;
    host_image_self(&Own);
    Trace.OwnLow = (ULONG_PTR)Own.base;
    Trace.OwnHigh = Trace.OwnLow + Own.bytes;
    host_walk(NULL, VisitOurs, &Trace);
    while (Trace.Cpu.rip != 0 && Trace.Count < Limit && PassImages(&Trace)) {
        struct host_cpu From = Trace.Cpu;
        Trace.Cpu.rip = 0;
        host_walk(&From, VisitOurs, &Trace);
    }
    return Trace.Count;
}

/* The return addresses of the caller's frames, the innermost first; how many there were. The hash
 * is the same for the same addresses. IRQL <= DISPATCH_LEVEL. Doc:
 * ntifs/nf-ntifs-rtlcapturestackbacktrace */
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash)
{
    ULONG Count, Hash = 0;
    VF_IRQL_MAX(DISPATCH_LEVEL);
    Count = Walk(BackTrace, FramesToSkip, min(FramesToCapture, MAXUSHORT));
    for (ULONG i = 0; i < Count; i++)
        Hash += (ULONG)(ULONG_PTR)BackTrace[i];
    if (BackTraceHash != NULL)
        *BackTraceHash = Hash;
    return (USHORT)Count;
}

/* The same from the kernel's stack (Flags 0); of a client's stack nothing is known here: 0. IRQL <=
 * DISPATCH_LEVEL. Doc: ntddk/nf-ntddk-rtlwalkframechain */
ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return Flags != 0 ? 0 : Walk(Callers, 0, Count);
}

/* Not 0: the address lies in a driver, and all are under the verifier. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmisdriververifyingbyaddress */
LOGICAL NTAPI MmIsDriverVerifyingByAddress(PVOID AddressWithinSection)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return VfContext.DriverNameOf != NULL &&
           VfContext.DriverNameOf(AddressWithinSection, &(ULONG64){0}) != NULL;
}
