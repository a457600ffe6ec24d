/*
 * The frames of a Windows image, by its table of functions (.pdata, .xdata). The table is the
 * driver's: nothing of it is read outside the image, and what is read may be gone (a section that
 * was discarded).
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include "ldr/patch.h"
#include "ldr/seh.h"
#include <string.h>

enum {
    CodePushNonvolatile,
    CodeAllocateLarge,
    CodeAllocateSmall,
    CodeSetFrame,
    CodeSaveNonvolatile,
    CodeSaveNonvolatileFar,
    CodeEpilog,
    CodeSpare,
    CodeSaveXmm,
    CodeSaveXmmFar,
    CodePushMachineFrame
};

#define UNWIND_CHAIN_LIMIT 32

const LDRP_FUNCTION *LdrpFunctionOf(const PE_IMAGE *Image, ULONG_PTR Address)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    const LDRP_FUNCTION *Table = (const void *)(Image->Base + Directory->VirtualAddress);
    ULONG Rva = (ULONG)(Address - (ULONG_PTR)Image->Base);
    ULONG Low = 0, High = Directory->Size / sizeof(*Table);
    if ((ULONG_PTR)Table % sizeof(ULONG) != 0)
        return NULL;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        LDRP_FUNCTION Function;
        if (!host_copy(&Function, &Table[Middle], sizeof(Function)))
            return NULL;
        if (Rva < Function.Begin)
            High = Middle;
        else if (Rva >= Function.End)
            Low = Middle + 1;
        else
            return &Table[Middle];
    }
    return NULL;
}

/* Unwind information, as UNWIND_INFO is laid out; what follows its codes is somewhere else. */
typedef struct INFO {
    UCHAR Kind; /* version, flags << 3 */
    UCHAR PrologBytes, CodeCount;
    UCHAR Frame; /* register, offset / 16 << 4 */
    USHORT Codes[256];
    ULONG After; /* the codes: from the image's base */
} INFO;

static BOOLEAN ReadInfo(const PE_IMAGE *Image, ULONG Rva, INFO *Info)
{
    if (Rva % sizeof(ULONG) != 0 || !PeRead(Image, Rva, Info, FIELD_OFFSET(INFO, Codes)))
        return FALSE;
    Rva += FIELD_OFFSET(INFO, Codes);
    Info->After = Rva + (Info->CodeCount + 1u) / 2 * 2 * (ULONG)sizeof(USHORT);
    return PeRead(Image, Rva, Info->Codes, Info->CodeCount * sizeof(USHORT));
}

static BOOLEAN OpenInfo(const PE_IMAGE *Image, const LDRP_FUNCTION *At, LDRP_FUNCTION *Function,
                        INFO *Info)
{
    return At != NULL && host_copy(Function, At, sizeof(*Function)) &&
           ReadInfo(Image, Function->Info, Info);
}

/* How many slots a code takes. */
static ULONG SlotsOf(USHORT Code)
{
    switch (Code >> 8 & 15) {
    case CodeAllocateLarge:
        return Code >> 12 == 0 ? 2 : 3;
    case CodeSaveNonvolatile:
    case CodeSaveXmm:
    case CodeEpilog:
        return 2;
    case CodeSaveNonvolatileFar:
    case CodeSaveXmmFar:
    case CodeSpare:
        return 3;
    default:
        return 1;
    }
}

static ULONG64 ReadStack(ULONG64 Address)
{
    ULONG64 Value = 0;
    host_copy(&Value, (const void *)Address, sizeof(Value));
    return Value;
}

static ULONG64 *RegisterOf(struct host_cpu *Cpu, ULONG Number)
{
    return (ULONG64 *)&Cpu->rax + Number; /* in the order of the processor's numbers */
}

static ULONG Long(const USHORT *Slot)
{
    return Slot[0] | (ULONG)Slot[1] << 16;
}

/* Undoes one code. TRUE: the frame was the processor's own (rip and rsp are known). */
static BOOLEAN UndoCode(struct host_cpu *Cpu, const USHORT *Slot, ULONG64 Frame)
{
    ULONG Number = *Slot >> 12;
    switch (*Slot >> 8 & 15) {
    case CodePushNonvolatile:
        *RegisterOf(Cpu, Number) = ReadStack(Cpu->rsp);
        Cpu->rsp += 8;
        break;
    case CodeAllocateLarge:
        Cpu->rsp += Number == 0 ? Slot[1] * 8u : Long(Slot + 1);
        break;
    case CodeAllocateSmall:
        Cpu->rsp += Number * 8 + 8;
        break;
    case CodeSetFrame:
        Cpu->rsp = Frame;
        break;
    case CodeSaveNonvolatile:
        *RegisterOf(Cpu, Number) = ReadStack(Frame + Slot[1] * 8u);
        break;
    case CodeSaveNonvolatileFar:
        *RegisterOf(Cpu, Number) = ReadStack(Frame + Long(Slot + 1));
        break;
    case CodeSaveXmm:
        host_copy(&Cpu->xmm[Number], (const void *)(Frame + Slot[1] * 16u), 16);
        break;
    case CodeSaveXmmFar:
        host_copy(&Cpu->xmm[Number], (const void *)(Frame + Long(Slot + 1)), 16);
        break;
    case CodePushMachineFrame:
        Cpu->rip = ReadStack(Cpu->rsp + (Number ? 8 : 0));
        Cpu->rsp = ReadStack(Cpu->rsp + (Number ? 32 : 24));
        return TRUE;
    default:
        break;
    }
    return FALSE;
}

/* Offset: of the instruction in the function; codes of a prologue that has not run that far are not
 * undone. */
static BOOLEAN UndoCodes(struct host_cpu *Cpu, const INFO *Info, ULONG Offset, ULONG64 Frame)
{
    for (ULONG i = 0; i < Info->CodeCount; i += SlotsOf(Info->Codes[i]))
        if (i + SlotsOf(Info->Codes[i]) <= Info->CodeCount && (Info->Codes[i] & 0xFF) <= Offset &&
            UndoCode(Cpu, &Info->Codes[i], Frame))
            return TRUE;
    return FALSE;
}

/* Where the frame's registers were saved: the stack pointer after the prologue, or what the frame
 * register makes of it. */
static ULONG64 FrameOf(const struct host_cpu *Cpu, const INFO *Info, ULONG Offset)
{
    ULONG Register = Info->Frame & 15;
    if (Register == 0)
        return Cpu->rsp;
    if (Offset < Info->PrologBytes && (Info->Kind >> 3 & LDRP_CHAINED) == 0) {
        BOOLEAN Set = FALSE;
        for (ULONG i = 0; i < Info->CodeCount; i += SlotsOf(Info->Codes[i]))
            Set |= (Info->Codes[i] >> 8 & 15) == CodeSetFrame && (Info->Codes[i] & 0xFF) <= Offset;
        if (!Set)
            return Cpu->rsp;
    }
    return *RegisterOf((struct host_cpu *)Cpu, Register) - (Info->Frame >> 4) * 16u;
}

static void Return(struct host_cpu *Cpu)
{
    Cpu->rip = ReadStack(Cpu->rsp);
    Cpu->rsp += 8;
}

BOOLEAN LdrpIsChained(const PE_IMAGE *Image, const LDRP_FUNCTION *Function)
{
    LDRP_FUNCTION Copy;
    INFO Info;
    return OpenInfo(Image, Function, &Copy, &Info) && Info.Kind >> 3 & LDRP_CHAINED;
}

static void FindHandler(LDRP_FRAME *Frame, const INFO *Info, ULONG Offset)
{
    ULONG Handler;
    if ((Info->Kind >> 3 & (LDRP_HANDLES_EXCEPTIONS | LDRP_HANDLES_UNWINDING)) == 0 ||
        Offset < Info->PrologBytes || !PeRead(Frame->Image, Info->After, &Handler, sizeof(Handler)))
        return;
    Frame->Flags = Info->Kind >> 3;
    Frame->Handler = PeAt(Frame->Image, Handler, 1);
    Frame->Data = Frame->Image->Base + Info->After + sizeof(Handler);
}

void LdrpUnwindFrame(const PE_IMAGE *Image, struct host_cpu *Cpu, LDRP_FRAME *Frame)
{
    LDRP_FUNCTION Function;
    BOOLEAN Called;
    INFO Info;
    Cpu->rip = LdrpOriginalOf(Image, Cpu->rip, &Called);
    Cpu->rsp += Called ? sizeof(ULONG64) : 0;
    *Frame = (LDRP_FRAME){.Image = Image,
                          .Pc = Cpu->rip,
                          .Function = LdrpFunctionOf(Image, Cpu->rip),
                          .Establisher = Cpu->rsp};
    if (!OpenInfo(Image, Frame->Function, &Function, &Info)) { /* a leaf */
        Return(Cpu);
        return;
    }
    if (LdrpLeaveEpilogue(Image, &Function, Cpu))
        return; /* and no handler is called */
    ULONG Offset = (ULONG)(Cpu->rip - (ULONG_PTR)Image->Base) - Function.Begin;
    Frame->Establisher = FrameOf(Cpu, &Info, Offset);
    FindHandler(Frame, &Info, Offset);
    BOOLEAN Known = UndoCodes(Cpu, &Info, Offset, Frame->Establisher);
    for (ULONG i = 0; i < UNWIND_CHAIN_LIMIT && !Known && Info.Kind >> 3 & LDRP_CHAINED; i++) {
        if (!PeRead(Image, Info.After, &Function, sizeof(Function)) ||
            !ReadInfo(Image, Function.Info, &Info))
            break;
        Known = UndoCodes(Cpu, &Info, MAXULONG, Frame->Establisher);
    }
    if (!Known)
        Return(Cpu);
}
