/*
 * The frames of a Windows image, by its table of functions (.pdata, .xdata). The table is the
 * driver's: nothing of it is read outside the image.
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
        if (Rva < Table[Middle].Begin)
            High = Middle;
        else if (Rva >= Table[Middle].End)
            Low = Middle + 1;
        else
            return &Table[Middle];
    }
    return NULL;
}

static const LDRP_UNWIND_INFO *InfoAt(const PE_IMAGE *Image, ULONG Rva)
{
    const LDRP_UNWIND_INFO *Info = PeAt(Image, Rva, sizeof(*Info));
    if (Info == NULL || Rva % sizeof(ULONG) != 0)
        return NULL;
    SIZE_T Codes = (Info->CodeCount + 1u) / 2 * 2 * sizeof(USHORT);
    return PeAt(Image, Rva, sizeof(*Info) + Codes + sizeof(LDRP_FUNCTION)) != NULL ? Info : NULL;
}

static const void *AfterCodes(const LDRP_UNWIND_INFO *Info)
{
    return Info->Codes + (Info->CodeCount + 1u) / 2 * 2;
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
static BOOLEAN UndoCodes(struct host_cpu *Cpu, const LDRP_UNWIND_INFO *Info, ULONG Offset,
                         ULONG64 Frame)
{
    for (ULONG i = 0; i < Info->CodeCount; i += SlotsOf(Info->Codes[i]))
        if (i + SlotsOf(Info->Codes[i]) <= Info->CodeCount && (Info->Codes[i] & 0xFF) <= Offset &&
            UndoCode(Cpu, &Info->Codes[i], Frame))
            return TRUE;
    return FALSE;
}

/* Where the frame's registers were saved: the stack pointer after the prologue, or what the frame
 * register makes of it. */
static ULONG64 FrameOf(const struct host_cpu *Cpu, const LDRP_UNWIND_INFO *Info, ULONG Offset)
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

void LdrpUnwindFrame(const PE_IMAGE *Image, struct host_cpu *Cpu, LDRP_FRAME *Frame)
{
    BOOLEAN Called;
    Cpu->rip = LdrpOriginalOf(Image, Cpu->rip, &Called);
    Cpu->rsp += Called ? sizeof(ULONG64) : 0;
    const LDRP_FUNCTION *Function = LdrpFunctionOf(Image, Cpu->rip);
    const LDRP_UNWIND_INFO *Info = Function == NULL ? NULL : InfoAt(Image, Function->Info);
    *Frame =
        (LDRP_FRAME){.Image = Image, .Pc = Cpu->rip, .Function = Function, .Establisher = Cpu->rsp};
    if (Info == NULL) { /* a leaf */
        Return(Cpu);
        return;
    }
    ULONG Offset = (ULONG)(Cpu->rip - (ULONG_PTR)Image->Base) - Function->Begin;
    Frame->Establisher = FrameOf(Cpu, Info, Offset);
    if (Info->Kind >> 3 & (LDRP_HANDLES_EXCEPTIONS | LDRP_HANDLES_UNWINDING) &&
        Offset >= Info->PrologBytes) {
        const ULONG *Handler = AfterCodes(Info);
        Frame->Flags = Info->Kind >> 3;
        Frame->Handler = PeAt(Image, *Handler, 1);
        Frame->Data = Handler + 1;
    }
    BOOLEAN Known = UndoCodes(Cpu, Info, Offset, Frame->Establisher);
    for (ULONG i = 0; i < UNWIND_CHAIN_LIMIT && !Known && Info->Kind >> 3 & LDRP_CHAINED; i++) {
        const LDRP_FUNCTION *Next = AfterCodes(Info);
        Info = InfoAt(Image, Next->Info);
        if (Info == NULL)
            break;
        Known = UndoCodes(Cpu, Info, MAXULONG, Frame->Establisher);
    }
    if (!Known)
        Return(Cpu);
}
