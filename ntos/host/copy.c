/*
 * Copies that may fault. A fault inside them is turned into their failure return by whoever handles
 * faults (host_copy_claim), so a good copy costs nothing more than the copy.
 *
 * Each byte is written once, and 1, 2, 4, 8 or 16 bytes by one access, so that somebody who looks
 * meanwhile sees a whole value. Most copies are of a few words, or a few lines, for which
 * `rep movsb` takes longer than all the rest. What was just made of two
 * words is read as two words: the processor would wait until the words were in the cache.
 */
#include "host.h"

extern const char host_copy_begin[], host_copy_end[], host_copy_failed[];

__asm__(".text\n"
        ".globl host_copy, host_touch, host_copy_begin, host_copy_end, host_copy_failed\n"
        ".hidden host_copy, host_touch, host_copy_begin, host_copy_end, host_copy_failed\n"
        ".type host_copy, @function\n"
        ".type host_touch, @function\n"
        "host_copy:\n"
        "host_copy_begin:\n"
        "    cmp $8, %rdx\n"
        "    je 8f\n"
        "    mov %rdx, %rcx\n"
        "    cmp $2048, %rdx\n"
        "    ja 9f\n"
        "    shr $6, %ecx\n"
        "    jz 2f\n"
        "1:  movups (%rsi), %xmm0\n"
        "    movups 16(%rsi), %xmm1\n"
        "    movups 32(%rsi), %xmm2\n"
        "    movups 48(%rsi), %xmm3\n"
        "    movups %xmm0, (%rdi)\n"
        "    movups %xmm1, 16(%rdi)\n"
        "    movups %xmm2, 32(%rdi)\n"
        "    movups %xmm3, 48(%rdi)\n"
        "    add $64, %rsi\n"
        "    add $64, %rdi\n"
        "    dec %ecx\n"
        "    jnz 1b\n"
        "2:  mov %edx, %ecx\n"
        "    and $48, %ecx\n"
        "    jz 4f\n"
        "3:  movq (%rsi), %xmm0\n"
        "    movhps 8(%rsi), %xmm0\n"
        "    movups %xmm0, (%rdi)\n"
        "    add $16, %rsi\n"
        "    add $16, %rdi\n"
        "    sub $16, %ecx\n"
        "    jnz 3b\n"
        "4:  and $15, %edx\n"
        "    jz 10f\n"
        "    test $8, %dl\n"
        "    jz 5f\n"
        "    movq (%rsi), %rax\n"
        "    movq %rax, (%rdi)\n"
        "    add $8, %rsi\n"
        "    add $8, %rdi\n"
        "5:  test $4, %dl\n"
        "    jz 6f\n"
        "    movl (%rsi), %eax\n"
        "    movl %eax, (%rdi)\n"
        "    add $4, %rsi\n"
        "    add $4, %rdi\n"
        "6:  test $2, %dl\n"
        "    jz 7f\n"
        "    movw (%rsi), %ax\n"
        "    movw %ax, (%rdi)\n"
        "    add $2, %rsi\n"
        "    add $2, %rdi\n"
        "7:  test $1, %dl\n"
        "    jz 10f\n"
        "    movb (%rsi), %al\n"
        "    movb %al, (%rdi)\n"
        "    jmp 10f\n"
        "8:  movq (%rsi), %rax\n"
        "    movq %rax, (%rdi)\n"
        "    jmp 10f\n"
        "9:  rep movsb\n"
        "10: mov $1, %eax\n"
        "    ret\n"
        ".size host_copy, . - host_copy\n"
        "host_touch:\n"
        "    lock orb $0, (%rdi)\n"
        "    mov $1, %eax\n"
        "    ret\n"
        "host_copy_end:\n"
        "host_copy_failed:\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".size host_touch, . - host_touch\n");

bool host_copy_claim(const struct host_fault *fault)
{
    const char *at = fault->instruction;

    if (at < host_copy_begin || at >= host_copy_end)
        return false;
    host_fault_continue_at(fault, host_copy_failed);
    return true;
}
