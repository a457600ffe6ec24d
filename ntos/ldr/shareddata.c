/*
 * KUSER_SHARED_DATA at its address in the kernel, for code that computes it. (An address that is a
 * constant in the code has been replaced: pepatch.c.)
 *
 * No Linux process can have the page there. A read of it faults; the register that holds the
 * address is made to hold the page's own, the instruction is done alone, and the register is put
 * back.
 */
#include "ldr/decode.h"
#include <intrin.h>

#define SHARED_DATA 0xFFFFF78000000000ull
#define TO_OURS ((ULONG64)KI_USER_SHARED_DATA - SHARED_DATA)

static _Thread_local struct {
    int Register;
    BOOLEAN Active;
    BOOLEAN Changed; /* the instruction sets the register: it is not put back. (Where it sets 8 or
                        16 bits, these do not differ between the two addresses.) */
} LdrpStep;

static BOOLEAN Writes(const LDRP_INSTRUCTION *Instruction, int Register)
{
    for (ULONG i = 0; i < Instruction->Info.operand_count; i++) {
        const ZydisDecodedOperand *Operand = &Instruction->Operands[i];
        if (Operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            Operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE && Operand->size >= 32 &&
            LdrpRegisterNumber(Operand->reg.value) == Register)
            return TRUE;
    }
    return FALSE;
}

/* A string instruction moves its register along. */
static BOOLEAN IsString(const LDRP_INSTRUCTION *Instruction)
{
    return Instruction->Info.meta.category == ZYDIS_CATEGORY_STRINGOP;
}

/* The register that the address comes from, all others being small. */
static int AddressRegister(const struct host_fault *Fault, const LDRP_INSTRUCTION *Instruction)
{
    for (ULONG i = 0; i < Instruction->Info.operand_count; i++) {
        const ZydisDecodedOperand *Operand = &Instruction->Operands[i];
        if (Operand->type != ZYDIS_OPERAND_TYPE_MEMORY || Operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        int Base = LdrpRegisterNumber(Operand->mem.base);
        int Index = LdrpRegisterNumber(Operand->mem.index);
        if (Base >= 0 && host_fault_register(Fault, (ULONG)Base) >> 32 == SHARED_DATA >> 32)
            return Base;
        if (Index >= 0 && Operand->mem.scale == 1 &&
            host_fault_register(Fault, (ULONG)Index) >> 32 == SHARED_DATA >> 32)
            return Index;
    }
    return -1;
}

static BOOLEAN EndStep(const struct host_fault *Fault)
{
    ULONG Register = (ULONG)LdrpStep.Register;
    if (!LdrpStep.Active || !Fault->step)
        return FALSE;
    LdrpStep.Active = FALSE;
    if (!LdrpStep.Changed)
        host_fault_set_register(Fault, Register, host_fault_register(Fault, Register) - TO_OURS);
    host_fault_single_step(Fault, FALSE);
    return TRUE;
}

static BOOLEAN OnSharedData(const struct host_fault *Fault)
{
    LDRP_INSTRUCTION Instruction;
    if (Fault->kind == HOST_FAULT_BREAKPOINT)
        return EndStep(Fault);
    if (Fault->kind != HOST_FAULT_MEMORY || Fault->protection || Fault->write ||
        (ULONG64)Fault->address - SHARED_DATA >= PAGE_SIZE ||
        !LdrpDecodeAt(Fault->instruction, &Instruction))
        return FALSE;
    int Register = AddressRegister(Fault, &Instruction);
    if (Register < 0)
        return FALSE;
    LdrpStep.Active = TRUE;
    LdrpStep.Register = Register;
    LdrpStep.Changed = !IsString(&Instruction) && Writes(&Instruction, Register);
    host_fault_set_register(Fault, (ULONG)Register,
                            host_fault_register(Fault, (ULONG)Register) + TO_OURS);
    host_fault_single_step(Fault, TRUE);
    return TRUE;
}

void LdrpInitSharedData(void)
{
    VfAddFaultClaim(OnSharedData);
}
