/*
 * Accesses that may fault. The pieces of a copy are such that each lies within one page of either
 * side, so a fault comes at a piece's first byte and the count of copied bytes is exact.
 */
#include "mi.h"

typedef struct MI_GUARD {
    sigjmp_buf Jump;
} MI_GUARD;

static _Thread_local MI_GUARD *MiGuard __attribute__((tls_model("initial-exec")));

/* A fault of a guarded access. */
BOOLEAN MiClaimGuarded(const struct host_fault *Fault)
{
    MI_GUARD *Guard = MiGuard;

    if (host_copy_claim(Fault))
        return TRUE;
    if (!Guard || (Fault->kind != HOST_FAULT_MEMORY && Fault->kind != HOST_FAULT_BUS))
        return FALSE;
    siglongjmp(Guard->Jump, 1);
}

static SIZE_T MiPiece(const void *To, const void *From, SIZE_T Bytes)
{
    SIZE_T Piece = PAGE_SIZE - max(BYTE_OFFSET(To), BYTE_OFFSET(From));

    return min(Piece, Bytes);
}

SIZE_T MiCopyGuarded(void *To, const void *From, SIZE_T Bytes)
{
    SIZE_T Done = 0, Piece;

    while (Done < Bytes) {
        /* Sums of numbers: a client's address may well be NULL. */
        void *Into = (void *)((ULONG_PTR)To + Done);
        const void *Out = (const void *)((ULONG_PTR)From + Done);

        Piece = MiPiece(Into, Out, Bytes - Done);
        if (!host_copy(Into, Out, Piece))
            break;
        Done += Piece;
    }
    return Done;
}

/* Writing leaves the byte as it is, also when another thread changes it meanwhile. */
BOOLEAN MiTouchGuarded(void *Address, BOOLEAN Write)
{
    UCHAR Byte;

    return (BOOLEAN)(Write ? host_touch(Address) : host_copy(&Byte, Address, 1));
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
