/*
 * Changes to the code of a Windows image, made before it runs.
 *
 * What takes a fault otherwise, and is done often, is replaced by a jump to a stub behind the
 * image: moves from and to cr8. So is what would otherwise go wrong unseen: a call through a
 * pointer that may lead to a routine of ours. A jump has five bytes; where the instruction is
 * shorter, its neighbours move into the stub with it (a span), unless something jumps to one of
 * them. Instructions that do something else here than in a kernel, but do not fault, become traps
 * (int3).
 *
 * sites.c decides what is changed, stub.c writes it; by patched.c everyone who looks at an address
 * of the image finds the other one.
 */
#ifndef LDR_PATCH_H
#define LDR_PATCH_H

#include "ldr/decode.h"

typedef enum LDRP_SITE {
    LdrpPlain,
    LdrpIrqlRead,
    LdrpIrqlWrite,
    LdrpCallOut, /* an indirect call, or jump at the end of a routine */
    LdrpTrap
} LDRP_SITE;

typedef struct LDRP_PIECE { /* an instruction that lives in a stub: offsets from the image's base */
    ULONG Original, Stub;
    BOOLEAN Calls;  /* the stub calls from here, with eight bytes pushed */
    BOOLEAN Leaves; /* it is the jump at the end of a routine */
} LDRP_PIECE;

typedef struct LDRP_TRAP {
    ULONG Original;
    UCHAR Byte; /* what was there */
} LDRP_TRAP;

typedef struct LDRP_PATCHES {
    LDRP_PIECE *Pieces; /* in order, by both */
    LDRP_TRAP *Traps;   /* in order */
    ULONG PieceCount, PieceLimit, TrapCount, TrapLimit;
    ULONG StubAt, StubEnd; /* the next stub, from the image's base */
    BOOLEAN Interrupts;    /* it has cli: pushfq and popfq matter */
} LDRP_PATCHES;

/* A piece of code that is looked at, from the image's base; its instructions. */
typedef struct LDRP_CODE {
    ULONG Begin, End;
    ULONG Count;
    struct {
        ULONG At;
        UCHAR Length, Site;
        BOOLEAN Moves, Ends; /* it may be in a stub; only as the last */
    } * Each;
} LDRP_CODE;

/* stub.c: instructions First to Last become a stub. FALSE: there is no room. */
BOOLEAN LdrpWriteSpan(PE_IMAGE *Image, const LDRP_CODE *Code, ULONG First, ULONG Last);
void LdrpWriteStubHead(const PE_IMAGE *Image); /* what all stubs of an image share */
#define LDRP_STUB_HEAD 32
#define LDRP_SPAN_BYTES 5
#define LDRP_STUB_ROOM 256 /* the most that a span needs */

/* patched.c */
ULONG64 LdrpOriginalOf(const PE_IMAGE *Image, ULONG64 Rip, BOOLEAN *Calls); /* Calls: or NULL */
ULONG64 LdrpPatchedIn(const PE_IMAGE *Image, ULONG64 Rip);
ULONG64 LdrpPatchedOf(ULONG64 Rip); /* where execution goes on that is to go on at Rip */
BOOLEAN LdrpIsTailJump(const PE_IMAGE *Image, ULONG64 Rip); /* one that has become a stub */
BOOLEAN LdrpIsTrap(const void *Address);
/* The instruction that the image's author put there. */
BOOLEAN LdrpDecodeOriginal(const void *Address, LDRP_INSTRUCTION *Instruction);
#endif
