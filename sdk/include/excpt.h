// Structured exception handling for a native build; pre-empts mingw's excpt.h, whose names clang
// owns.
//
// __try is a loop around sigsetjmp (which saves no signal mask: no system call) whose variable, the
// frame, has a cleanup attribute. The loop runs its if twice: once for the body, once for what
// follows it. The else of that if is the handler, entered when the body was left by an exception,
// or the __finally block, entered in any case.
//
//     for (frame; NtSehStep(&frame);)
//         if (NtSehEnterBody(&frame) && sigsetjmp(frame.Jump) == 0) { body }
//         else if (NtSehRaised(&frame) && NtSehFilter(&frame, (filter))) { handler }
//
// What is different from Windows: filters run after the frames below have been left (inner
// __finally blocks first), and EXCEPTION_CONTINUE_EXECUTION is answered with
// STATUS_NONCONTINUABLE_EXCEPTION. In this macro form, break and continue in a body belong to the
// hidden loop, not to a loop around it; nt cc replaces the macros by plain blocks (NT_SEH_BLOCKS)
// in which they mean what they should.
//
// A local that the body changes must be in memory when the handler reads it. nt cc switches
// optimisation off for functions that contain __try; any other build includes <ntseh.h>, which does
// so for the rest of the file.
#pragma once

typedef enum _EXCEPTION_DISPOSITION {
    ExceptionContinueExecution,
    ExceptionContinueSearch,
    ExceptionNestedException,
    ExceptionCollidedUnwind
} EXCEPTION_DISPOSITION;

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

struct _EXCEPTION_RECORD;
struct _EXCEPTION_POINTERS;

#ifndef NT_NO_SEH
#include <setjmp.h>

#define NT_SEH_RECORD_SIZE 152 // sizeof(EXCEPTION_RECORD), which is not known here

typedef struct NT_SEH_FRAME {
    int Stage;
    int Abnormal;                      // the body was left by an exception, return, break or goto
    struct NT_SEH_FRAME *Outer;        // of the same thread
    struct NT_SEH_FRAME *OuterHandled; // whose filter or handler was running when this one's began
    void *Exit[8]; // registers and return address of an interrupted way out (exit.S)
    unsigned long long Record[NT_SEH_RECORD_SIZE / 8];
    void *Pointers[2]; // EXCEPTION_POINTERS
    sigjmp_buf Jump;
    unsigned long long Guard; // changed: something wrote over the frame
} NT_SEH_FRAME;

#ifdef __cplusplus
extern "C" {
#endif
int NtSehStep(NT_SEH_FRAME *Frame);
int NtSehEnterBody(NT_SEH_FRAME *Frame);
void NtSehLeaveBody(NT_SEH_FRAME *Frame);
void NtSehFinish(NT_SEH_FRAME *Frame);
int NtSehRaised(NT_SEH_FRAME *Frame);
int NtSehFilter(NT_SEH_FRAME *Frame, int Disposition);
void NtSehExit(NT_SEH_FRAME *Frame);
__attribute__((__noreturn__)) void NtSehLeave(void);
unsigned NtSehExceptionCode(void);
struct _EXCEPTION_POINTERS *NtSehExceptionPointers(void);

// Raises Record in the calling thread. Returns 0 if the thread has no frame, and otherwise not at
// all.
int NtSehRaise(const struct _EXCEPTION_RECORD *Record);

// The same for a fault handler, on whatever stack it runs.
int NtSehDispatch(const struct _EXCEPTION_RECORD *Record);

// For whoever jumps over frames with a longjmp of his own: the mark to come back to.
NT_SEH_FRAME *NtSehMark(void);
void NtSehReset(NT_SEH_FRAME *Mark);

// The frames below Stack are left by a jump that is not ours.
void NtSehAbandon(const void *Stack);

// Asked before a record goes to the next frame: other kinds of frames may lie between.
void NtSehSetOthers(int (*Others)(struct _EXCEPTION_RECORD *Record));

// Called with a record that every filter has passed on; must not return. For an exception that
// finds the innermost frame overwritten the code is STATUS_STACK_BUFFER_OVERRUN, and the
// information is the guard that was found and the one expected.
void NtSehSetUnhandled(void (*Unhandled)(const struct _EXCEPTION_RECORD *Record));
#ifdef __cplusplus
}
#endif

// The frame is not initialised as a whole: it is large.
#define NT_SEH_FRAME_VARIABLE                                                                      \
    NT_SEH_FRAME NtSehFrame_ __attribute__((__cleanup__(NtSehExit))),                              \
        *NtSehNew_ __attribute__((__unused__)) =                                                   \
            (NtSehFrame_.Stage = NtSehFrame_.Abnormal = 0, &NtSehFrame_)
#define NT_SEH_TRY if (NtSehEnterBody(&NtSehFrame_) && sigsetjmp(NtSehFrame_.Jump, 0) == 0)
#define NT_SEH_CAUGHT(filter) (NtSehRaised(&NtSehFrame_) && NtSehFilter(&NtSehFrame_, (filter)))

#ifndef NT_SEH_BLOCKS
// An "undeclared NT_INCLUDE_ntseh_h" here means: include <ntseh.h>.
// clang-format off
#define __try for (NT_SEH_FRAME_VARIABLE; NtSehStep(&NtSehFrame_) == NT_INCLUDE_ntseh_h;) NT_SEH_TRY
#define __except(filter) else if (!NT_SEH_CAUGHT(filter)) { } else
// clang-format on
#define __finally else
#define __leave NtSehLeave()
#endif

#if defined(USERNT_DRIVER) && !defined(__cplusplus) // the kit's words
#define try __try
#define except __except
#define finally __finally
#define leave __leave
#endif

#define _exception_code() NtSehExceptionCode()
#define _exception_info() NtSehExceptionPointers()
#define _abnormal_termination() (NtSehFrame_.Abnormal)
#define exception_code() NtSehExceptionCode()
#define exception_info() NtSehExceptionPointers()
#define GetExceptionCode() NtSehExceptionCode()
#define GetExceptionInformation() NtSehExceptionPointers()
#define AbnormalTermination() (NtSehFrame_.Abnormal)
#define abnormal_termination() (NtSehFrame_.Abnormal)

#ifdef __GNUC__
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered"
#endif
#endif
#endif
