/*
 * Instructions of x86-64 (Zydis).
 */
#ifndef LDR_DECODE_H
#define LDR_DECODE_H

#include "ldr/pe.h"
#include <Zydis/Zydis.h>

typedef struct LDRP_INSTRUCTION {
    ZydisDecodedInstruction Info;
    ZydisDecodedOperand Operands[ZYDIS_MAX_OPERAND_COUNT];
} LDRP_INSTRUCTION;

/* FALSE: the bytes are none, or are cut off. Any IRQL, also in a fault. */
BOOLEAN LdrpDecode(const void *Code, SIZE_T Bytes, LDRP_INSTRUCTION *Instruction);
/* At an address in this process, some of whose bytes may not be there. */
BOOLEAN LdrpDecodeAt(const void *Address, LDRP_INSTRUCTION *Instruction);
void LdrpInstructionText(const LDRP_INSTRUCTION *Instruction, ULONG64 Address, char *Text,
                         SIZE_T Size);

/* General registers by the processor's number; -1: it is none. Parts of one have its number. */
int LdrpRegisterNumber(ZydisRegister Register);
/* The operand that is memory and is not only an address (lea); NULL: none. */
const ZydisDecodedOperand *LdrpMemoryOperand(const LDRP_INSTRUCTION *Instruction);
#endif
