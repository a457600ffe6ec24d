/*
 * ThreadSanitizer keeps a stack of its own, of functions that were entered and not left. Frames
 * that an exception abandons are left here; it would run over after some thousands.
 */
#include "ldr/decode.h"
#include "ldr/seh.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TRACED
#endif
#endif

#ifdef TRACED

#define ENTRY_BYTES 192

void __tsan_func_entry(void *Caller);
void __tsan_func_exit(void);

/* Where a call leads, through the library's table. */
static const void *TargetOf(const UCHAR *At, const LDRP_INSTRUCTION *Call)
{
    const UCHAR *Target = At + Call->Info.length + Call->Operands[0].imm.value.s;
    LDRP_INSTRUCTION Jump;
    if (!LdrpDecodeAt(Target, &Jump) || Jump.Info.mnemonic != ZYDIS_MNEMONIC_JMP ||
        Jump.Operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
        return Target;
    const void *const *Slot =
        (const void *const *)(Target + Jump.Info.length + Jump.Operands[0].mem.disp.value);
    return *Slot;
}

BOOLEAN LdrpIsTraced(const void *Function)
{
    const UCHAR *At = Function, *End = At + ENTRY_BYTES;
    LDRP_INSTRUCTION Instruction;
    for (; At != NULL && At < End && LdrpDecodeAt(At, &Instruction); At += Instruction.Info.length)
        if (Instruction.Info.mnemonic == ZYDIS_MNEMONIC_CALL)
            return Instruction.Operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                   TargetOf(At, &Instruction) == (const void *)__tsan_func_entry;
    return FALSE;
}

void LdrpLeaveTraced(ULONG Count)
{
    while (Count-- != 0)
        __tsan_func_exit();
}

#else

BOOLEAN LdrpIsTraced(const void *Function)
{
    UNREFERENCED_PARAMETER(Function);
    return FALSE;
}

void LdrpLeaveTraced(ULONG Count)
{
    UNREFERENCED_PARAMETER(Count);
}

#endif
