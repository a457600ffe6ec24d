/*
 * RtlCaptureContext, in both conventions: the registers as they are when it returns.
 */
#include "ldr/seh.h"

#define STORE(Name, First, Section)                                                                \
    __asm__(".pushsection " Section "\n.globl " #Name "\n.type " #Name ", @function\n" #Name ":\n" \
            ".cfi_startproc\n"                                                                     \
            "    pushfq\n.cfi_adjust_cfa_offset 8\n"                                               \
            "    mov %rax, 0x78(" First ")\n    mov %rcx, 0x80(" First ")\n"                       \
            "    mov %rdx, 0x88(" First ")\n    mov %rbx, 0x90(" First ")\n"                       \
            "    mov %rbp, 0xa0(" First ")\n    mov %rsi, 0xa8(" First ")\n"                       \
            "    mov %rdi, 0xb0(" First ")\n    mov %r8, 0xb8(" First ")\n"                        \
            "    mov %r9, 0xc0(" First ")\n    mov %r10, 0xc8(" First ")\n"                        \
            "    mov %r11, 0xd0(" First ")\n    mov %r12, 0xd8(" First ")\n"                       \
            "    mov %r13, 0xe0(" First ")\n    mov %r14, 0xe8(" First ")\n"                       \
            "    mov %r15, 0xf0(" First ")\n"                                                      \
            "    lea 16(%rsp), %rax\n    mov %rax, 0x98(" First ")\n"                              \
            "    mov 8(%rsp), %rax\n    mov %rax, 0xf8(" First ")\n"                               \
            "    mov (%rsp), %eax\n    mov %eax, 0x44(" First ")\n"                                \
            "    movl $0x10000f, 0x30(" First ")\n"                                                \
            "    stmxcsr 0x34(" First ")\n    fxsave 0x100(" First ")\n"                           \
            "    mov %cs, 0x38(" First ")\n    mov %ds, 0x3a(" First ")\n"                         \
            "    mov %es, 0x3c(" First ")\n    mov %fs, 0x3e(" First ")\n"                         \
            "    mov %gs, 0x40(" First ")\n    mov %ss, 0x42(" First ")\n"                         \
            "    mov 0x78(" First "), %rax\n"                                                      \
            "    popfq\n.cfi_adjust_cfa_offset -8\n"                                               \
            "    ret\n.cfi_endproc\n.size " #Name ", .-" #Name "\n.popsection\n")

_Static_assert(FIELD_OFFSET(CONTEXT, ContextFlags) == 0x30 &&
                   FIELD_OFFSET(CONTEXT, SegCs) == 0x38 && FIELD_OFFSET(CONTEXT, EFlags) == 0x44 &&
                   FIELD_OFFSET(CONTEXT, Rax) == 0x78 && FIELD_OFFSET(CONTEXT, Rip) == 0xF8 &&
                   FIELD_OFFSET(CONTEXT, FltSave) == 0x100,
               "the assembler's offsets");

/* The caller's registers, those that it may lose in a call included. Any IRQL. Doc:
 * winnt/nf-winnt-rtlcapturecontext */
STORE(RtlCaptureContext, "%rdi", ".text");
STORE(LdrpCaptureContext, "%rcx", "nt_foreign, \"ax\", @progbits");
