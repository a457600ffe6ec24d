/*
 * Stubs: what instructions of a Windows image become that cannot stay where they are.
 *
 * A stub is jumped to with the stack pointer as it was, so that whatever moves into it works as it
 * did; calls push the address behind the instruction's old place, so that nobody who walks the
 * stack meets the stub. A move to cr8 calls LdrpChangeIrql with the value pushed.
 */
#include "ldr/patch.h"
#include <string.h>

void LdrpChangeIrql(void) __attribute__((visibility("hidden")));
void LdrpCallNative(void) __attribute__((visibility("hidden")));
__attribute__((used, visibility("hidden"))) void LdrpSlowIrql(ULONG64 NewIrql);

void LdrpSlowIrql(ULONG64 NewIrql)
{
    KeSetIrql_(NewIrql);
}

__asm__(".text\n.hidden LdrpChangeIrql\n.type LdrpChangeIrql, @function\n.globl LdrpChangeIrql\n"
        "LdrpChangeIrql:\n" /* the value is behind the return address; every register is kept */
        ".cfi_startproc\n"
        "    push %rax\n.cfi_adjust_cfa_offset 8\n"
        "    push %rdi\n.cfi_adjust_cfa_offset 8\n"
        "    mov 24(%rsp), %rdi\n"
        "    call KeTrySetIrql_\n"
        "    test %al, %al\n"
        "    jz 1f\n"
        "    pop %rdi\n.cfi_adjust_cfa_offset -8\n"
        "    pop %rax\n.cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        ".cfi_adjust_cfa_offset 16\n"
        "1:  push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n"
        "    mov %rsp, %rbp\n.cfi_def_cfa_register %rbp\n"
        "    push %rcx\n    push %rdx\n    push %rsi\n    push %r8\n    push %r9\n    push %r10\n"
        "    push %r11\n"
        "    sub $264, %rsp\n"
        "    and $-16, %rsp\n"
        "    movaps %xmm0, (%rsp)\n    movaps %xmm1, 16(%rsp)\n    movaps %xmm2, 32(%rsp)\n"
        "    movaps %xmm3, 48(%rsp)\n    movaps %xmm4, 64(%rsp)\n    movaps %xmm5, 80(%rsp)\n"
        "    movaps %xmm6, 96(%rsp)\n    movaps %xmm7, 112(%rsp)\n    movaps %xmm8, 128(%rsp)\n"
        "    movaps %xmm9, 144(%rsp)\n    movaps %xmm10, 160(%rsp)\n    movaps %xmm11, 176(%rsp)\n"
        "    movaps %xmm12, 192(%rsp)\n    movaps %xmm13, 208(%rsp)\n    movaps %xmm14, 224(%rsp)\n"
        "    movaps %xmm15, 240(%rsp)\n"
        "    cld\n"
        "    call LdrpSlowIrql\n"
        "    movaps (%rsp), %xmm0\n    movaps 16(%rsp), %xmm1\n    movaps 32(%rsp), %xmm2\n"
        "    movaps 48(%rsp), %xmm3\n    movaps 64(%rsp), %xmm4\n    movaps 80(%rsp), %xmm5\n"
        "    movaps 96(%rsp), %xmm6\n    movaps 112(%rsp), %xmm7\n    movaps 128(%rsp), %xmm8\n"
        "    movaps 144(%rsp), %xmm9\n    movaps 160(%rsp), %xmm10\n    movaps 176(%rsp), %xmm11\n"
        "    movaps 192(%rsp), %xmm12\n    movaps 208(%rsp), %xmm13\n    movaps 224(%rsp), %xmm14\n"
        "    movaps 240(%rsp), %xmm15\n"
        "    lea -56(%rbp), %rsp\n"
        "    pop %r11\n    pop %r10\n    pop %r9\n    pop %r8\n    pop %rsi\n    pop %rdx\n"
        "    pop %rcx\n"
        "    pop %rbp\n.cfi_def_cfa %rsp, 24\n"
        "    pop %rdi\n.cfi_adjust_cfa_offset -8\n"
        "    pop %rax\n.cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size LdrpChangeIrql, .-LdrpChangeIrql\n"

        /* As LdrpChangeIrql saves xmm registers, but for a routine of our convention in r11 that is
           called with arguments of Microsoft's: sixteen of them, more than any has. What is in the
           section nt_foreign is of Microsoft's convention and called as it is. (rax and r10 are
           kept for it: they may hold something for what guards a call.) vectors.c reads where xmm6
           to xmm15 are kept: pushes and pops are in pairs on the way there. */
        ".hidden __start_nt_foreign\n.hidden __stop_nt_foreign\n"
        ".hidden LdrpCallNative\n.type LdrpCallNative, @function\n.globl LdrpCallNative\n"
        "LdrpCallNative:\n"
        ".cfi_startproc\n"
        "    push %rax\n.cfi_adjust_cfa_offset 8\n"
        "    lea __start_nt_foreign(%rip), %rax\n"
        "    cmp %rax, %r11\n"
        "    pop %rax\n.cfi_adjust_cfa_offset -8\n"
        "    jb 1f\n"
        "    push %rax\n.cfi_adjust_cfa_offset 8\n"
        "    lea __stop_nt_foreign(%rip), %rax\n"
        "    cmp %rax, %r11\n"
        "    pop %rax\n.cfi_adjust_cfa_offset -8\n"
        "    jae 1f\n"
        "    jmp *%r11\n"
        "1:  push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n"
        "    mov %rsp, %rbp\n.cfi_def_cfa_register %rbp\n"
        "    push %rdi\n.cfi_rel_offset %rdi, -8\n"
        "    push %rsi\n.cfi_rel_offset %rsi, -16\n"
        "    sub $240, %rsp\n"
        "    movaps %xmm6, 80(%rsp)\n    movaps %xmm7, 96(%rsp)\n    movaps %xmm8, 112(%rsp)\n"
        "    movaps %xmm9, 128(%rsp)\n    movaps %xmm10, 144(%rsp)\n    movaps %xmm11, 160(%rsp)\n"
        "    movaps %xmm12, 176(%rsp)\n    movaps %xmm13, 192(%rsp)\n    movaps %xmm14, 208(%rsp)\n"
        "    movaps %xmm15, 224(%rsp)\n"
        "    mov %rcx, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    mov %r8, %rdx\n"
        "    mov %r9, %rcx\n"
        "    mov 48(%rbp), %r8\n"
        "    mov 56(%rbp), %r9\n"
        "    movups 64(%rbp), %xmm6\n    movups 80(%rbp), %xmm7\n    movups 96(%rbp), %xmm8\n"
        "    movups 112(%rbp), %xmm9\n    movups 128(%rbp), %xmm10\n"
        "    movaps %xmm6, (%rsp)\n    movaps %xmm7, 16(%rsp)\n    movaps %xmm8, 32(%rsp)\n"
        "    movaps %xmm9, 48(%rsp)\n    movaps %xmm10, 64(%rsp)\n"
        "    xor %eax, %eax\n"
        "    call *%r11\n"
        "    movaps 80(%rsp), %xmm6\n    movaps 96(%rsp), %xmm7\n    movaps 112(%rsp), %xmm8\n"
        "    movaps 128(%rsp), %xmm9\n    movaps 144(%rsp), %xmm10\n    movaps 160(%rsp), %xmm11\n"
        "    movaps 176(%rsp), %xmm12\n    movaps 192(%rsp), %xmm13\n    movaps 208(%rsp), %xmm14\n"
        "    movaps 224(%rsp), %xmm15\n"
        "    mov -16(%rbp), %rsi\n"
        "    mov -8(%rbp), %rdi\n"
        "    leave\n.cfi_def_cfa %rsp, 8\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size LdrpCallNative, .-LdrpCallNative\n");

/* ---- writing ---- */

typedef struct WRITER {
    PE_IMAGE *Image;
    ULONG At; /* from the image's base */
} WRITER;

static void Put(WRITER *Writer, const void *Bytes, SIZE_T Count)
{
    memcpy(Writer->Image->Base + Writer->At, Bytes, Count);
    Writer->At += (ULONG)Count;
}

static void PutLong(WRITER *Writer, ULONG Value)
{
    Put(Writer, &Value, sizeof(Value));
}

/* The distance from behind these four bytes. */
static void PutDistance(WRITER *Writer, ULONG Target)
{
    PutLong(Writer, Target - (Writer->At + 4));
}

static void PutJump(WRITER *Writer, ULONG Target)
{
    Put(Writer, "\xE9", 1);
    PutDistance(Writer, Target);
}

/* push of the address Target, no register changed: over a word that lies in the code. */
static void PutPushAddress(WRITER *Writer, ULONG Target)
{
    ULONG64 Address = (ULONG_PTR)Writer->Image->Base + Target;
    Put(Writer, "\xFF\x35\x02\x00\x00\x00\xEB\x08", 8);
    Put(Writer, &Address, sizeof(Address));
}

#define HEAD_CHANGE_IRQL 0
#define HEAD_CALL_NATIVE 8

void LdrpWriteStubHead(const PE_IMAGE *Image)
{
    const void *Routines[2] = {(const void *)LdrpChangeIrql, (const void *)LdrpCallNative};
    memcpy(Image->Base + Image->Size + HEAD_CHANGE_IRQL, &Routines[0], sizeof(Routines[0]));
    memcpy(Image->Base + Image->Size + HEAD_CALL_NATIVE, &Routines[1], sizeof(Routines[1]));
}

/* movzx Register, byte ptr gs:[50h] */
static void PutIrqlRead(WRITER *Writer, const LDRP_INSTRUCTION *Instruction)
{
    int Number = LdrpRegisterNumber(Instruction->Operands[0].reg.value);
    UCHAR Code[] = {0x65, 0x40 | (Number >> 3 & 1) << 2, 0x0F, 0xB6, (Number & 7) << 3 | 4, 0x25};
    Put(Writer, Code, sizeof(Code));
    PutLong(Writer, FIELD_OFFSET(KPCR, Irql));
}

/* push Register; call [head]; lea rsp, [rsp + 8] */
static void PutIrqlWrite(WRITER *Writer, const LDRP_INSTRUCTION *Instruction)
{
    int Number = LdrpRegisterNumber(Instruction->Operands[1].reg.value);
    UCHAR Push[] = {0x40 | (Number >> 3 & 1), 0x50 | (Number & 7)};
    Put(Writer, Push, sizeof(Push));
    Put(Writer, "\xFF\x15", 2);
    PutDistance(Writer, Writer->Image->Size + HEAD_CHANGE_IRQL);
    Put(Writer, "\x48\x8D\x64\x24\x08", 5);
}

/* mov r11, what the call or jump names. Its own bytes serve: another opcode and register. */
static void PutTarget(WRITER *Writer, const UCHAR *From, ULONG At,
                      const LDRP_INSTRUCTION *Instruction)
{
    UCHAR Code[ZYDIS_MAX_INSTRUCTION_LENGTH + 1];
    ULONG Opcode = Instruction->Info.raw.modrm.offset - 1, Length = Instruction->Info.length;
    UCHAR Rex = Instruction->Info.raw.rex.offset != 0 || (From[0] & 0xF0) == 0x40
                    ? From[Instruction->Info.raw.rex.offset] & 3
                    : 0;
    Code[0] = 0x4C | Rex;
    memcpy(Code + 1, From + Opcode, Length - Opcode);
    Code[1] = 0x8B;
    Code[2] = (Code[2] & 0xC7) | 3 << 3;
    Length = Length - Opcode + 1;
    if (Instruction->Operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
        Instruction->Operands[0].mem.base == ZYDIS_REGISTER_RIP) {
        ULONG Distance;
        memcpy(&Distance, Code + Length - sizeof(Distance), sizeof(Distance));
        Distance += At + Instruction->Info.length - (Writer->At + Length);
        memcpy(Code + Length - sizeof(Distance), &Distance, sizeof(Distance));
    }
    Put(Writer, Code, Length);
}

/* Where r11 leads: a Windows image (or a thunk) is called as it is. No register but r11 changes:
 * what guards a call has its target in rax, and more in r10. */
static void PutCallOut(WRITER *Writer, const UCHAR *From, ULONG At,
                       const LDRP_INSTRUCTION *Instruction)
{
    PutTarget(Writer, From, At, Instruction);
    if (Instruction->Info.meta.category == ZYDIS_CATEGORY_CALL)
        PutPushAddress(Writer, At + Instruction->Info.length);
    Put(Writer, "\x50\x4C\x89\xD8\x48\xC1\xE8", 7); /* push rax; mov rax, r11; shr rax, … */
    Put(Writer, &(UCHAR){NT_IMAGE_SHIFT}, 1);
    Put(Writer, "\x48\x3D", 2); /* cmp rax, … */
    PutLong(Writer, (ULONG)(NT_IMAGE_LOW >> NT_IMAGE_SHIFT));
    /* pop rax; jne over; jmp r11; over: jmp [head] */
    Put(Writer, "\x58\x75\x03\x41\xFF\xE3\xFF\x25", 8);
    PutDistance(Writer, Writer->Image->Size + HEAD_CALL_NATIVE);
}

static ULONG TargetOf(const LDRP_INSTRUCTION *Instruction, ULONG At)
{
    return At + Instruction->Info.length + (ULONG)Instruction->Operands[0].imm.value.s;
}

/* A branch by a distance: the same, with four bytes for it. */
static void PutBranch(WRITER *Writer, const UCHAR *From, ULONG At,
                      const LDRP_INSTRUCTION *Instruction)
{
    ULONG Target = TargetOf(Instruction, At);
    switch (Instruction->Info.meta.category) {
    case ZYDIS_CATEGORY_CALL:
        PutPushAddress(Writer, At + Instruction->Info.length);
        PutJump(Writer, Target);
        break;
    case ZYDIS_CATEGORY_COND_BR:
        Put(Writer, "\x0F", 1);
        Put(Writer, &(UCHAR){0x80 | (Instruction->Info.opcode & 15)}, 1);
        PutDistance(Writer, Target);
        break;
    default:
        PutJump(Writer, Target);
        break;
    }
    UNREFERENCED_PARAMETER(From);
}

/* An import's call: jmp [slot] after the push. */
static void PutImportCall(WRITER *Writer, ULONG At, const LDRP_INSTRUCTION *Instruction)
{
    PutPushAddress(Writer, At + Instruction->Info.length);
    Put(Writer, "\xFF\x25", 2);
    PutDistance(Writer,
                At + Instruction->Info.length + (ULONG)Instruction->Operands[0].mem.disp.value);
}

static void PutMoved(WRITER *Writer, const UCHAR *From, ULONG At,
                     const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *Memory = NULL;
    ULONG New = Writer->At;
    for (ULONG i = 0; i < Instruction->Info.operand_count_visible; i++)
        if (Instruction->Operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            Memory = &Instruction->Operands[i];
    Put(Writer, From, Instruction->Info.length);
    if (Memory != NULL && Memory->mem.base == ZYDIS_REGISTER_RIP) {
        UCHAR *Place = Writer->Image->Base + New + Instruction->Info.raw.disp.offset;
        ULONG Distance;
        memcpy(&Distance, Place, sizeof(Distance));
        Distance += At - New;
        memcpy(Place, &Distance, sizeof(Distance));
    }
}

static void PutInstruction(WRITER *Writer, const UCHAR *From, ULONG At, LDRP_SITE Site,
                           const LDRP_INSTRUCTION *Instruction)
{
    if (Site == LdrpIrqlRead)
        PutIrqlRead(Writer, Instruction);
    else if (Site == LdrpIrqlWrite)
        PutIrqlWrite(Writer, Instruction);
    else if (Site == LdrpCallOut)
        PutCallOut(Writer, From, At, Instruction);
    else if (Instruction->Info.attributes & ZYDIS_ATTRIB_IS_RELATIVE &&
             Instruction->Operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        PutBranch(Writer, From, At, Instruction);
    else if (Instruction->Info.meta.category == ZYDIS_CATEGORY_CALL)
        PutImportCall(Writer, At, Instruction);
    else
        PutMoved(Writer, From, At, Instruction);
}

BOOLEAN LdrpWriteSpan(PE_IMAGE *Image, const LDRP_CODE *Code, ULONG First, ULONG Last)
{
    LDRP_PATCHES *Patches = Image->Patches;
    ULONG Begin = Code->Each[First].At, End = Code->Each[Last].At + Code->Each[Last].Length;
    WRITER Writer = {Image, Patches->StubAt}, Over = {Image, Begin};
    if (Patches->StubEnd - Patches->StubAt < LDRP_STUB_ROOM ||
        Patches->PieceLimit - Patches->PieceCount <= Last - First)
        return FALSE;
    for (ULONG i = First; i <= Last; i++) {
        ULONG At = Code->Each[i].At;
        LDRP_INSTRUCTION Instruction;
        LdrpDecode(Image->Base + At, Code->Each[i].Length, &Instruction);
        Patches->Pieces[Patches->PieceCount++] =
            (LDRP_PIECE){At, Writer.At, Code->Each[i].Site == LdrpIrqlWrite,
                         Code->Each[i].Site == LdrpCallOut &&
                             Instruction.Info.meta.category == ZYDIS_CATEGORY_UNCOND_BR};
        PutInstruction(&Writer, Image->Base + At, At, Code->Each[i].Site, &Instruction);
    }
    if (!Code->Each[Last].Ends)
        PutJump(&Writer, End);
    Patches->StubAt = (Writer.At + 15) & ~15u;
    PutJump(&Over, Patches->Pieces[Patches->PieceCount - (Last - First) - 1].Stub);
    memset(Image->Base + Over.At, 0xCC, End - Over.At);
    return TRUE;
}
