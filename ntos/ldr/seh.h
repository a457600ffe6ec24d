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

/* A frame that was unwound. */
typedef struct LDRP_FRAME {
    const PE_IMAGE *Image;
    ULONG64 Pc;
    const LDRP_FUNCTION *Function; /* NULL: a leaf, without an entry */
    ULONG64 Establisher;
    ULONG Flags;      /* LDRP_HANDLES_… */
    ULONG ScopeIndex; /* scopes before this one are left already */
    PVOID Handler;
    const void *Data;
} LDRP_FRAME;

const LDRP_FUNCTION *LdrpFunctionOf(const PE_IMAGE *Image, ULONG_PTR Address);
BOOLEAN LdrpIsChained(const PE_IMAGE *Image, const LDRP_FUNCTION *Function);
/* Cpu: of a place in the image; afterwards, of its caller. Any IRQL. */
void LdrpUnwindFrame(const PE_IMAGE *Image, struct host_cpu *Cpu, LDRP_FRAME *Frame);

/* epilogue.c: if the function is about to return, Cpu becomes that of its caller. */
BOOLEAN LdrpLeaveEpilogue(const PE_IMAGE *Image, const LDRP_FUNCTION *Function,
                          struct host_cpu *Cpu);

/* vectors.c: a routine of Microsoft's convention keeps xmm6 to xmm15 for its caller, which it was
 * left to with Cpu. Begin to Place of it has run. */
void LdrpRestoreVectors(const void *Begin, const void *Place, struct host_cpu *Cpu);

/* walk.c: the frames of Windows images on the stack of the calling thread, ours between them passed
 * over. */
typedef struct LDRP_WALK {
    struct host_cpu Cpu; /* at the frame that comes next */
    ULONG64 Limit;       /* frames that lie above it do not count; 0: all */
    ULONG64 Passed;      /* how far up the stack it is */
    ULONG ScopeIndex;    /* of the next frame */
    ULONG64 Begin;       /* the stack of the function that began the walk lies above it */
    ULONG Traced;        /* frames of ours from there on that traced.c knows */
} LDRP_WALK;
void LdrpBeginWalk(LDRP_WALK *Walk, ULONG64 Limit);
/* The next frame; Here: the registers in it. FALSE: none. */
BOOLEAN LdrpNextFrame(LDRP_WALK *Walk, LDRP_FRAME *Frame, struct host_cpu *Here);

/* A frame whose termination handler runs. An exception that comes out of that handler takes up the
 * walk there: what was left is not met again (a collided unwind). */
typedef struct LDRP_LEAVING {
    struct LDRP_LEAVING *Outer;
    ULONG64 Position; /* on the stack */
    struct host_cpu Here;
    const struct LDRP_DISPATCHER *Dispatcher;
} LDRP_LEAVING;
void LdrpBeginLeaving(LDRP_LEAVING *Leaving);
void LdrpForgetLeavings(ULONG64 Stack); /* all that lie below */

/* traced.c */
BOOLEAN LdrpIsTraced(const void *Function);
void LdrpLeaveTraced(ULONG Count);

/* address.c. Any IRQL, also from a fault. NULL: no Windows image lies there. */
const PE_IMAGE *LdrpImageAt(ULONG_PTR Address);

/* Flags of an exception whose frames are being left. */
#define LDRP_UNWINDING 0x2
#define LDRP_EXIT_UNWIND 0x4
#define LDRP_TARGET_UNWIND 0x20
#define LDRP_COLLIDED_UNWIND 0x40
#define LDRP_UNWIND_FLAGS 0x66 /* any of them, and collided unwinds */

/* DISPATCHER_CONTEXT of x64, which a handler of the image sees. */
typedef struct LDRP_DISPATCHER {
    ULONG64 ControlPc, ImageBase;
    const LDRP_FUNCTION *Function;
    ULONG64 Establisher, TargetIp;
    PCONTEXT Context;
    PVOID Handler;
    const void *Data;
    PVOID History;
    ULONG ScopeIndex, Fill;
} LDRP_DISPATCHER;

/* seh.c */
void LdrpInitExceptions(void);
/* Leaves the frames of images up to the limit, or up to the target frame, where execution goes on.
 */
void LdrpUnwind(PEXCEPTION_RECORD Record, ULONG64 Limit, ULONG64 Target, ULONG64 TargetIp,
                ULONG64 Value);
const LDRP_FUNCTION *LdrpLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase, PVOID History);
PVOID LdrpVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                        const LDRP_FUNCTION *Function, PCONTEXT Context, const void **HandlerData,
                        PULONG64 EstablisherFrame, PVOID Pointers);

/* scopes.c: the __try statements of a function, innermost first */
typedef struct LDRP_SCOPE {
    ULONG Begin, End, Handler,
        Target; /* Target 0: a __finally block; Handler 1: a filter that is always 1 */
} LDRP_SCOPE;
/* How many there are; 0 also where Data is no table in the image. */
ULONG LdrpCountScopes(const PE_IMAGE *Image, const void *Data);
BOOLEAN LdrpReadScope(const PE_IMAGE *Image, const void *Data, ULONG Index, LDRP_SCOPE *Scope);
#endif
