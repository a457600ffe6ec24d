// The way out of a __try body by return, break or goto. The compiler calls NtSehExit as the frame's
// cleanup. If the body was still running, the rest of the __try statement (a __finally block,
// perhaps) has to run first, in the function's own frame, with calls that overwrite everything
// below it: so the call's registers and return address are kept in the frame, and NtSehpResumeExit
// returns from the call later.
//
// Offsets of NT_SEH_FRAME are asserted in seh.c.

#define STAGE 0
#define STAGE_BODY 1
#define EXIT 24

    .text
    .globl NtSehExit
    .type NtSehExit, @function
NtSehExit:
    .cfi_startproc
    endbr64
    cmpl $STAGE_BODY, STAGE(%rdi)
    jne NtSehpClose
    movq %rbx, EXIT(%rdi)
    movq %rbp, EXIT+8(%rdi)
    movq %r12, EXIT+16(%rdi)
    movq %r13, EXIT+24(%rdi)
    movq %r14, EXIT+32(%rdi)
    movq %r15, EXIT+40(%rdi)
    movq %rsp, EXIT+48(%rdi)
    movq (%rsp), %rax
    movq %rax, EXIT+56(%rdi)
    jmp NtSehpInterruptExit
    .cfi_endproc
    .size NtSehExit, .-NtSehExit

    .globl NtSehpResumeExit
    .hidden NtSehpResumeExit
    .type NtSehpResumeExit, @function
NtSehpResumeExit:
    .cfi_startproc
    endbr64
    movq EXIT(%rdi), %rbx
    movq EXIT+8(%rdi), %rbp
    movq EXIT+16(%rdi), %r12
    movq EXIT+24(%rdi), %r13
    movq EXIT+32(%rdi), %r14
    movq EXIT+40(%rdi), %r15
    movq EXIT+48(%rdi), %rsp
    movq EXIT+56(%rdi), %rax
    movq %rax, (%rsp)
    ret
    .cfi_endproc
    .size NtSehpResumeExit, .-NtSehpResumeExit

    .section .note.GNU-stack, "", @progbits
