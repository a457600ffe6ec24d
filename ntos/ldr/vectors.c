/*
 * xmm6 to xmm15 belong to the caller in Microsoft's convention, and to nobody in ours. A routine
 * of that convention that calls one of ours keeps them in its frame; the compiler's tables do not
 * say where, but its first instructions do.
 */
#include "ldr/decode.h"
#include "ldr/seh.h"

#define PROLOGUE_BYTES 512

typedef struct PROLOGUE {
    ULONG64 Stack, Rbp; /* as far as it has run; 0: not known */
    ULONG Restored;     /* a bit for each */
    struct host_cpu *Cpu;
} PROLOGUE;

static BOOLEAN IsStackPointer(const ZydisDecodedOperand *Operand)
{
    return Operand->type == ZYDIS_OPERAND_TYPE_REGISTER && Operand->reg.value == ZYDIS_REGISTER_RSP;
}

/* mov [rsp or rbp + …], xmm */
static void Store(PROLOGUE *Prologue, const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *To = &Instruction->Operands[0], *From = &Instruction->Operands[1];
    if (Instruction->Info.operand_count_visible != 2 || To->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        From->type != ZYDIS_OPERAND_TYPE_REGISTER || To->size != 128 ||
        From->reg.value < ZYDIS_REGISTER_XMM6 || From->reg.value > ZYDIS_REGISTER_XMM15 ||
        To->mem.index != ZYDIS_REGISTER_NONE)
        return;
    ULONG Number = (ULONG)(From->reg.value - ZYDIS_REGISTER_XMM0);
    ULONG64 Base = To->mem.base == ZYDIS_REGISTER_RSP   ? Prologue->Stack
                   : To->mem.base == ZYDIS_REGISTER_RBP ? Prologue->Rbp
                                                        : 0;
    if (Base == 0 || Prologue->Restored >> Number & 1)
        return;
    Prologue->Restored |= 1u << Number;
    host_copy(Prologue->Cpu->xmm[Number], (const void *)(Base + (ULONG64)To->mem.disp.value), 16);
}

static void Run(PROLOGUE *Prologue, const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *First = &Instruction->Operands[0],
                              *Second = &Instruction->Operands[1];
    switch (Instruction->Info.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
        Prologue->Stack -= Prologue->Stack != 0 ? 8 : 0;
        break;
    case ZYDIS_MNEMONIC_POP:
        Prologue->Stack += Prologue->Stack != 0 ? 8 : 0;
        break;
    case ZYDIS_MNEMONIC_MOV:
        if (First->type == ZYDIS_OPERAND_TYPE_REGISTER && First->reg.value == ZYDIS_REGISTER_RBP &&
            IsStackPointer(Second))
            Prologue->Rbp = Prologue->Stack;
        break;
    case ZYDIS_MNEMONIC_SUB:
        if (IsStackPointer(First))
            Prologue->Stack = Prologue->Stack != 0 && Second->type == ZYDIS_OPERAND_TYPE_IMMEDIATE
                                  ? Prologue->Stack - Second->imm.value.u
                                  : 0;
        break;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_LEA:
        if (IsStackPointer(First))
            Prologue->Stack = 0;
        break;
    default:
        Store(Prologue, Instruction);
        break;
    }
}

void LdrpRestoreVectors(const void *Begin, const void *Place, struct host_cpu *Cpu)
{
    const UCHAR *At = Begin, *End = Place;
    PROLOGUE Prologue = {.Stack = Cpu->rsp - sizeof(ULONG64), .Cpu = Cpu};
    LDRP_INSTRUCTION Instruction;
    if (At == NULL || At > End)
        return;
    if (End - At > PROLOGUE_BYTES)
        End = At + PROLOGUE_BYTES;
    for (; At < End && LdrpDecodeAt(At, &Instruction); At += Instruction.Info.length)
        Run(&Prologue, &Instruction);
}
