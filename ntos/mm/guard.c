/*
 * Copies that may fault. The pieces are such that each lies within one page of either side, so a
 * fault comes at a piece's first byte and the count of copied bytes is exact.
 */
#include "mi.h"

typedef struct MI_GUARD {
    sigjmp_buf Jump;
} MI_GUARD;

static _Thread_local MI_GUARD *MiGuard __attribute__((tls_model("initial-exec")));

/* A fault of a guarded copy: does not return then. */
BOOLEAN MiClaimGuarded(const struct host_fault *Fault)
{
    MI_GUARD *Guard = MiGuard;

    if (!Guard || (Fault->kind != HOST_FAULT_MEMORY && Fault->kind != HOST_FAULT_BUS))
        return FALSE;
    siglongjmp(Guard->Jump, 1);
}

/* Not memcpy: a sanitizer would look into it. What one access can do is done by one access. */
static void MiCopyBytes(void *To, const void *From, SIZE_T Bytes)
{
    ULONG64 Value;

    switch (Bytes) {
    case 2:
        __asm__ volatile("movw (%2), %w0; movw %w0, (%1)"
                         : "=&r"(Value)
                         : "r"(To), "r"(From)
                         : "memory");
        return;
    case 4:
        __asm__ volatile("movl (%2), %k0; movl %k0, (%1)"
                         : "=&r"(Value)
                         : "r"(To), "r"(From)
                         : "memory");
        return;
    case 8:
        __asm__ volatile("movq (%2), %0; movq %0, (%1)"
                         : "=&r"(Value)
                         : "r"(To), "r"(From)
                         : "memory");
        return;
    default:
        break;
    }
    __asm__ volatile("rep movsb" : "+D"(To), "+S"(From), "+c"(Bytes) : : "memory");
}

static SIZE_T MiPiece(const void *To, const void *From, SIZE_T Bytes)
{
    SIZE_T Piece = PAGE_SIZE - max(BYTE_OFFSET(To), BYTE_OFFSET(From));

    return min(Piece, Bytes);
}

SIZE_T MiCopyGuarded(void *To, const void *From, SIZE_T Bytes)
{
    MI_GUARD Guard, *Outer = MiGuard;
    volatile SIZE_T Done = 0;

    if (sigsetjmp(Guard.Jump, 0) == 0) {
        MiGuard = &Guard;
        while (Done < Bytes) {
            /* Sums of numbers: a client's address may well be NULL. */
            void *Into = (void *)((ULONG_PTR)To + Done);
            const void *Out = (const void *)((ULONG_PTR)From + Done);
            SIZE_T Piece = MiPiece(Into, Out, Bytes - Done);

            MiCopyBytes(Into, Out, Piece);
            Done += Piece;
        }
    }
    MiGuard = Outer;
    return Done;
}

/* Writing leaves the byte as it is, also when another thread changes it meanwhile. */
BOOLEAN MiTouchGuarded(void *Address, BOOLEAN Write)
{
    MI_GUARD Guard, *Outer = MiGuard;
    volatile BOOLEAN Good = FALSE;
    UCHAR Byte;

    if (sigsetjmp(Guard.Jump, 0) == 0) {
        MiGuard = &Guard;
        if (Write)
            __asm__ volatile("lock orb $0, (%0)" : : "r"(Address) : "memory", "cc");
        else
            __asm__ volatile("movb (%1), %0" : "=q"(Byte) : "r"(Address));
        Good = TRUE;
    }
    MiGuard = Outer;
    return Good;
}

/* TRUE: it returned. FALSE: it faulted. Operate may hold nothing. */
BOOLEAN MiCallGuarded(void (*Operate)(void *), void *Context)
{
    MI_GUARD Guard, *Outer = MiGuard;
    volatile BOOLEAN Good = FALSE;

    if (sigsetjmp(Guard.Jump, 0) == 0) {
        MiGuard = &Guard;
        Operate(Context);
        Good = TRUE;
    }
    MiGuard = Outer;
    return Good;
}
