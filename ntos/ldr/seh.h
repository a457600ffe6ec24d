/*
 * Exceptions in Windows images: unwind.c knows one frame, walk.c the whole stack, seh.c who takes
 * an exception.
 */
#ifndef LDR_SEH_H
#define LDR_SEH_H

#include "ldr/pe.h"

/* The names that winnt.h has for other processors, or not at all. */
typedef struct LDRP_FUNCTION { /* RUNTIME_FUNCTION */
    ULONG Begin, End, Info;
} LDRP_FUNCTION;

#define LDRP_HANDLES_EXCEPTIONS 1
#define LDRP_HANDLES_UNWINDING 2
#define LDRP_CHAINED 4
typedef struct LDRP_UNWIND_INFO {
    UCHAR Kind; /* version, flags << 3 */
    UCHAR PrologBytes, CodeCount;
    UCHAR Frame; /* register, offset / 16 << 4 */
    USHORT Codes[];
} LDRP_UNWIND_INFO;

/* A frame that was unwound. */
typedef struct LDRP_FRAME {
    const PE_IMAGE *Image;
    ULONG64 Pc;
    const LDRP_FUNCTION *Function; /* NULL: a leaf, without an entry */
    ULONG64 Establisher;
    ULONG Flags; /* LDRP_HANDLES_… */
    PVOID Handler;
    const void *Data;
} LDRP_FRAME;

const LDRP_FUNCTION *LdrpFunctionOf(const PE_IMAGE *Image, ULONG_PTR Address);
/* Cpu: of a place in the image; afterwards, of its caller. */
void LdrpUnwindFrame(const PE_IMAGE *Image, struct host_cpu *Cpu, LDRP_FRAME *Frame);

/* walk.c: the frames of Windows images on the stack of the calling thread, ours between them passed
 * over. */
typedef struct LDRP_WALK {
    struct host_cpu Cpu; /* at the frame that comes next */
    ULONG64 Limit;       /* frames that lie above it do not count; 0: all */
} LDRP_WALK;
void LdrpBeginWalk(LDRP_WALK *Walk, ULONG64 Limit);
/* The next frame; Here: the registers in it. FALSE: none. */
BOOLEAN LdrpNextFrame(LDRP_WALK *Walk, LDRP_FRAME *Frame, struct host_cpu *Here);

/* address.c. Any IRQL, also from a fault. NULL: no Windows image lies there. */
const PE_IMAGE *LdrpImageAt(ULONG_PTR Address);

/* seh.c */
void LdrpInitExceptions(void);
#endif
