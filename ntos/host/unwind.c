/*
 * Walking a stack by the compiler's unwind tables, from here or from the registers of any moment.
 *
 * The table's own reader (libgcc's) begins at the place where it is called only. To begin elsewhere
 * it is called from a routine whose tables say that its caller's registers are those in a block of
 * memory: two of them, because the place may be that of a call (the usual case: the address is what
 * follows it) or of an interrupted instruction.
 *
 * A block is laid out as Windows' CONTEXT.
 */
#include "host.h"

#include <stddef.h>
#include <string.h>
#include <unwind.h>

_Static_assert(offsetof(struct host_cpu, rax) == 0x78 && offsetof(struct host_cpu, rip) == 0xF8 &&
                   offsetof(struct host_cpu, xmm) == 0x1A0 && sizeof(struct host_cpu) == 0x4D0,
               "the assembler's offsets");

/* RBX holds the block's address while these call. Numbers of registers and operations are DWARF's.
 */
#define SAVED(number, low, high) ".cfi_escape 0x10, " #number ", 3, 0x73, " low ", " high "\n"
#define BLOCK_CFI                                                                                  \
    ".cfi_escape 0x0f, 4, 0x73, 0x98, 0x01, 0x06\n" /* the frame's address is the block's rsp */   \
        SAVED(0, "0xf8", "0x00") SAVED(1, "0x88", "0x01") SAVED(2, "0x80", "0x01")                 \
            SAVED(3, "0x90", "0x01") SAVED(4, "0xa8", "0x01") SAVED(5, "0xb0", "0x01")             \
                SAVED(6, "0xa0", "0x01") SAVED(8, "0xb8", "0x01") SAVED(9, "0xc0", "0x01")         \
                    SAVED(10, "0xc8", "0x01") SAVED(11, "0xd0", "0x01") SAVED(12, "0xd8", "0x01")  \
                        SAVED(13, "0xe0", "0x01") SAVED(14, "0xe8", "0x01")                        \
                            SAVED(15, "0xf0", "0x01") SAVED(16, "0xf8", "0x01")

__asm__(".text\n"
        ".globl host_walk_from\n.hidden host_walk_from\n.type host_walk_from, @function\n"
        "host_walk_from:\n" /* (block, walk) */
        ".cfi_startproc\n"
        "    push %rbp\n.cfi_adjust_cfa_offset 8\n"
        "    push %rbx\n.cfi_adjust_cfa_offset 8\n"
        "    sub $8, %rsp\n.cfi_adjust_cfa_offset 8\n"
        "    mov %rdi, %rbx\n"
        "    mov %rsi, %rdi\n"
        ".cfi_remember_state\n" BLOCK_CFI "    call host_walk_here\n"
        ".globl host_walk_returned\n.hidden host_walk_returned\n"
        "host_walk_returned:\n"
        ".cfi_restore_state\n"
        "    add $8, %rsp\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size host_walk_from, .-host_walk_from\n"

        ".globl host_diverted\n.hidden host_diverted\n.type host_diverted, @function\n"
        ".cfi_startproc\n"
        ".cfi_signal_frame\n" BLOCK_CFI "    nop\n"
        "host_diverted:\n" /* rbx: block, rbp: what to call with it */
        "    mov %rbx, %rdi\n"
        "    call *%rbp\n"
        "    mov %rbx, %rdi\n"
        "    jmp host_resume\n"
        ".globl host_diverted_end\n.hidden host_diverted_end\n"
        "host_diverted_end:\n"
        ".cfi_endproc\n"
        ".size host_diverted, .-host_diverted\n"

        /* Everything is loaded from the block. The address goes where no convention keeps anything:
           under the red zone. */
        ".globl host_resume\n.type host_resume, @function\n"
        "host_resume:\n"
        ".cfi_startproc\n"
        "    mov 0x44(%rdi), %eax\n"
        "    push %rax\n"
        "    popfq\n"
        "    movaps 0x1a0(%rdi), %xmm0\n    movaps 0x1b0(%rdi), %xmm1\n"
        "    movaps 0x1c0(%rdi), %xmm2\n    movaps 0x1d0(%rdi), %xmm3\n"
        "    movaps 0x1e0(%rdi), %xmm4\n    movaps 0x1f0(%rdi), %xmm5\n"
        "    movaps 0x200(%rdi), %xmm6\n    movaps 0x210(%rdi), %xmm7\n"
        "    movaps 0x220(%rdi), %xmm8\n    movaps 0x230(%rdi), %xmm9\n"
        "    movaps 0x240(%rdi), %xmm10\n    movaps 0x250(%rdi), %xmm11\n"
        "    movaps 0x260(%rdi), %xmm12\n    movaps 0x270(%rdi), %xmm13\n"
        "    movaps 0x280(%rdi), %xmm14\n    movaps 0x290(%rdi), %xmm15\n"
        "    mov 0x98(%rdi), %rax\n"
        "    mov 0xf8(%rdi), %rcx\n"
        "    mov %rcx, -136(%rax)\n"
        "    mov 0x80(%rdi), %rcx\n    mov 0x88(%rdi), %rdx\n    mov 0x90(%rdi), %rbx\n"
        "    mov 0xa0(%rdi), %rbp\n    mov 0xa8(%rdi), %rsi\n    mov 0xb8(%rdi), %r8\n"
        "    mov 0xc0(%rdi), %r9\n    mov 0xc8(%rdi), %r10\n    mov 0xd0(%rdi), %r11\n"
        "    mov 0xd8(%rdi), %r12\n    mov 0xe0(%rdi), %r13\n    mov 0xe8(%rdi), %r14\n"
        "    mov 0xf0(%rdi), %r15\n"
        "    lea -136(%rax), %rsp\n"
        "    mov 0x78(%rdi), %rax\n"
        "    mov 0xb0(%rdi), %rdi\n"
        "    ret $128\n"
        ".cfi_endproc\n"
        ".size host_resume, .-host_resume\n");

struct walk {
    host_frame_visitor *visit;
    void *context;
    bool from_block, begun, stopped;
};

void host_walk_from(const struct host_cpu *block, struct walk *walk);
__attribute__((noinline, used, visibility("hidden"))) void host_walk_here(struct walk *walk);
extern char host_walk_returned[], host_diverted[], host_diverted_end[];

static _Unwind_Reason_Code each_frame(struct _Unwind_Context *context, void *parameter)
{
    struct walk *walk = parameter;
    struct host_frame frame = {(void *)_Unwind_GetIP(context), _Unwind_GetCFA(context), context};

    if (!walk->begun) {
        walk->begun = !walk->from_block || frame.instruction == (void *)host_walk_returned;
        return _URC_NO_REASON;
    }
    walk->stopped = !walk->visit(walk->context, &frame);
    return walk->stopped ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

void host_walk_here(struct walk *walk)
{
    _Unwind_Backtrace(each_frame, walk);
    __asm__ volatile("" : : : "memory"); /* no tail call */
}

bool host_walk(const struct host_cpu *from, host_frame_visitor *visit, void *context)
{
    struct walk walk = {visit, context, from != NULL, false, false};

    if (from)
        host_walk_from(from, &walk);
    else
        host_walk_here(&walk);
    return walk.stopped;
}

void host_frame_registers(const struct host_frame *frame, struct host_cpu *cpu)
{
    struct _Unwind_Context *context = frame->context;

    cpu->rbx = _Unwind_GetGR(context, 3);
    cpu->rsi = _Unwind_GetGR(context, 4);
    cpu->rdi = _Unwind_GetGR(context, 5);
    cpu->rbp = _Unwind_GetGR(context, 6);
    cpu->r12 = _Unwind_GetGR(context, 12);
    cpu->r13 = _Unwind_GetGR(context, 13);
    cpu->r14 = _Unwind_GetGR(context, 14);
    cpu->r15 = _Unwind_GetGR(context, 15);
    cpu->rsp = frame->stack;
    cpu->rip = (uint64_t)frame->instruction;
}

const void *host_frame_function(const struct host_frame *frame)
{
    return (const void *)_Unwind_GetRegionStart(frame->context);
}

const struct host_cpu *host_frame_diverted(const struct host_frame *frame)
{
    const char *at = frame->instruction;

    return at > host_diverted && at <= host_diverted_end
               ? (const struct host_cpu *)_Unwind_GetGR(frame->context, 3)
               : NULL;
}
