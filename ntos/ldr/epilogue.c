/*
 * The end of a function of a Windows image: by the convention it consists of an addition to the
 * stack pointer (or lea from the frame register), pops, and a return or a jump to another function,
 * and of nothing else. A frame that is interrupted there is unwound by doing the rest.
 */
#include "ldr/patch.h"
#include "ldr/seh.h"

#define POPS_LIMIT 16

/* An instruction as its author put it, whose place may be in a stub now. */
static BOOLEAN Decode(const PE_IMAGE *Image, ULONG64 Rip, LDRP_INSTRUCTION *Instruction)
{
    return Rip - (ULONG_PTR)Image->Base < Image->Size &&
           LdrpDecodeOriginal((const void *)LdrpPatchedIn(Image, Rip), Instruction);
}

/* add rsp, constant; lea rsp, [register + constant] */
static BOOLEAN RunRelease(struct host_cpu *Cpu, const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *To = &Instruction->Operands[0], *From = &Instruction->Operands[1];
    if (To->type != ZYDIS_OPERAND_TYPE_REGISTER || To->reg.value != ZYDIS_REGISTER_RSP)
        return FALSE;
    if (Instruction->Info.mnemonic == ZYDIS_MNEMONIC_ADD &&
        From->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        Cpu->rsp += From->imm.value.u;
        return TRUE;
    }
    int Base =
        Instruction->Info.mnemonic == ZYDIS_MNEMONIC_LEA && From->mem.index == ZYDIS_REGISTER_NONE
            ? LdrpRegisterNumber(From->mem.base)
            : -1;
    if (Base < 0)
        return FALSE;
    Cpu->rsp = ((const ULONG64 *)&Cpu->rax)[Base] + (ULONG64)From->mem.disp.value;
    return TRUE;
}

static BOOLEAN RunPop(struct host_cpu *Cpu, const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *To = &Instruction->Operands[0];
    int Number = Instruction->Info.mnemonic == ZYDIS_MNEMONIC_POP &&
                         To->type == ZYDIS_OPERAND_TYPE_REGISTER && To->size == 64
                     ? LdrpRegisterNumber(To->reg.value)
                     : -1;
    return Number >= 0 && host_copy((ULONG64 *)&Cpu->rax + Number, (const void *)Cpu->rsp, 8);
}

/* A jump to a place that belongs to the same function's frame ends nothing. */
static BOOLEAN Leaves(const PE_IMAGE *Image, const LDRP_FUNCTION *Function, ULONG64 Target)
{
    ULONG Rva = (ULONG)(Target - (ULONG_PTR)Image->Base);
    if (Rva > Function->Begin && Rva < Function->End)
        return FALSE;
    return !LdrpIsChained(Image, LdrpFunctionOf(Image, Target));
}

static BOOLEAN IsEnd(const PE_IMAGE *Image, const LDRP_FUNCTION *Function, ULONG64 Rip,
                     const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *Target = &Instruction->Operands[0];
    if (Instruction->Info.mnemonic == ZYDIS_MNEMONIC_RET || LdrpIsTailJump(Image, Rip))
        return TRUE;
    if (Instruction->Info.mnemonic != ZYDIS_MNEMONIC_JMP)
        return FALSE;
    if (Target->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return Leaves(Image, Function,
                      LdrpPatchedIn(Image, Rip) + Instruction->Info.length +
                          (ULONG64)Target->imm.value.s);
    return Target->type == ZYDIS_OPERAND_TYPE_MEMORY
               ? Target->mem.base == ZYDIS_REGISTER_RIP || Instruction->Info.raw.rex.W
               : Instruction->Info.raw.rex.W;
}

BOOLEAN LdrpLeaveEpilogue(const PE_IMAGE *Image, const LDRP_FUNCTION *Function,
                          struct host_cpu *Cpu)
{
    struct host_cpu After = *Cpu;
    LDRP_INSTRUCTION Instruction;
    ULONG Pops = 0;
    if (!Decode(Image, After.rip, &Instruction))
        return FALSE;
    if (RunRelease(&After, &Instruction)) {
        After.rip += Instruction.Info.length;
        if (!Decode(Image, After.rip, &Instruction))
            return FALSE;
    }
    while (Pops++ < POPS_LIMIT && RunPop(&After, &Instruction)) {
        After.rsp += Instruction.Operands[0].reg.value == ZYDIS_REGISTER_RSP ? 0 : 8;
        After.rip += Instruction.Info.length;
        if (!Decode(Image, After.rip, &Instruction))
            return FALSE;
    }
    if (!IsEnd(Image, Function, After.rip, &Instruction))
        return FALSE;
    if (!host_copy(&After.rip, (const void *)After.rsp, sizeof(After.rip)))
        return FALSE;
    After.rsp += sizeof(After.rip);
    *Cpu = After;
    return TRUE;
}
