#include "ldr/decode.h"

BOOLEAN LdrpDecode(const void *Code, SIZE_T Bytes, LDRP_INSTRUCTION *Instruction)
{
    ZydisDecoder Decoder;

    ZydisDecoderInit(&Decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(
        ZydisDecoderDecodeFull(&Decoder, Code, Bytes, &Instruction->Info, Instruction->Operands));
}

BOOLEAN LdrpDecodeAt(const void *Address, LDRP_INSTRUCTION *Instruction)
{
    UCHAR Code[ZYDIS_MAX_INSTRUCTION_LENGTH];
    SIZE_T Here = PAGE_SIZE - BYTE_OFFSET(Address), Bytes = sizeof(Code);

    if (!host_copy(Code, Address, Bytes)) { /* at the end of a mapping? */
        Bytes = Here < Bytes ? Here : 0;
        if (Bytes == 0 || !host_copy(Code, Address, Bytes))
            return FALSE;
    }
    return LdrpDecode(Code, Bytes, Instruction);
}

void LdrpInstructionText(const LDRP_INSTRUCTION *Instruction, ULONG64 Address, char *Text,
                         SIZE_T Size)
{
    ZydisFormatter Formatter;

    ZydisFormatterInit(&Formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
            &Formatter, &Instruction->Info, Instruction->Operands,
            Instruction->Info.operand_count_visible, Text, Size, Address, NULL)))
        Text[0] = '\0';
}

int LdrpRegisterNumber(ZydisRegister Register)
{
    ZydisRegister Whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, Register);

    return Whole >= ZYDIS_REGISTER_RAX && Whole <= ZYDIS_REGISTER_R15
               ? (int)(Whole - ZYDIS_REGISTER_RAX)
               : -1;
}

const ZydisDecodedOperand *LdrpMemoryOperand(const LDRP_INSTRUCTION *Instruction)
{
    for (ULONG i = 0; i < Instruction->Info.operand_count; i++)
        if (Instruction->Operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            Instruction->Operands[i].mem.type == ZYDIS_MEMOP_TYPE_MEM)
            return &Instruction->Operands[i];
    return NULL;
}
