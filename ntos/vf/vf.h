/*
 * vf: bug checks, the rules that routines check, the debug print log and the trace ring.
 *
 * vf stands below ke: it knows the current IRQL, driver and IRP only through the provider that the
 * upper rooms register.
 */
#ifndef VF_H
#define VF_H

#include <ntifs.h>
#include <setjmp.h>
#include "host/call.h"
#include "host/host.h"
#include "vf/bugcodes.h"

#define NT_EXIT_BUGCHECK 250

NTSTATUS VfInitSystem(void);
void VfShutdownSystem(void);

/* What upper rooms know of the calling thread. Each is called at any IRQL, also from a fault. */
typedef struct VF_CONTEXT_PROVIDER {
    KIRQL (*CurrentIrql)(void);
    void (*SetIrqlAfterExpected)(KIRQL Irql); /* puts the thread back after an expected bug check */
    PDRIVER_OBJECT (*CurrentDriver)(void);
    PIRP (*CurrentIrp)(void);
    const char *(*DriverNameOf)(const void *Address,
                                ULONG64 *Offset); /* "sharingmemory", offset; NULL */
    ULONG (*CurrentThreadId)(void);
    ULONG (*CurrentProcessId)(void);
    ULONG64 (*SystemTime)(void);
    BOOLEAN (*RunBugCheckCallbacks)(void); /* FALSE: not now; NULL: always */
    ULONG (*ThreadKind)(void); /* VF_THREAD_KIND of the calling thread; NULL: VfThreadOther */
} VF_CONTEXT_PROVIDER;
typedef enum VF_THREAD_KIND {
    VfThreadOther,   /* an unhandled exception is 0x1E */
    VfThreadService, /* inside a system service: 0x3B */
    VfThreadSystem,  /* a system thread: 0x7E */
    VfThreadForeign  /* not attached to the executive: a fault goes to whoever handled it before */
} VF_THREAD_KIND;
extern VF_CONTEXT_PROVIDER
    VfContext; /* each room fills in what it owns, at init; NULL members are skipped */

/* Assertions of the executive itself: always on; a failure is bug check 0xE2-like report with the
 * text. */
#undef NT_ASSERT
#undef NT_ASSERT
#define NT_ASSERT(e) ((e) ? (void)0 : VfAssertionFailed(#e, __FILE__, __LINE__))
_Noreturn void VfAssertionFailed(const char *Expression, const char *File, int Line);

/* The documented IRQL limit of a public routine. Above it: 0xC4 (or the code the table of checks
 * names), with the routine's name in the report. One load and one compare. */
#ifndef VF_CURRENT_IRQL
#define VF_CURRENT_IRQL() KeGetCurrentIrql() /* ke.h has an inline one */
#endif
#define VF_IRQL_MAX(level)                                                                         \
    do {                                                                                           \
        if (__builtin_expect(VF_CURRENT_IRQL() > (level), 0))                                      \
            VfIrqlTooHigh(__func__, (level));                                                      \
    } while (0)
#define VF_IRQL_MIN(level)                                                                         \
    do {                                                                                           \
        if (__builtin_expect(VF_CURRENT_IRQL() < (level), 0))                                      \
            VfIrqlTooLow(__func__, (level));                                                       \
    } while (0)
_Noreturn void VfIrqlTooHigh(
    const char *Routine,
    KIRQL Limit); /* IRQL_NOT_LESS_OR_EQUAL unless a specific rule exists for the routine */
_Noreturn void VfIrqlTooLow(const char *Routine, KIRQL Limit);

/* A bug check with one line of explanation beside the four parameters. KeBugCheckEx and KeBugCheck
 * are here too. */
_Noreturn void VfBugCheck(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4,
                          const char *Format, ...) __attribute__((format(printf, 6, 7)));
/* One more line for the report of the bug check that the calling thread is about to raise. */
void VfDetail(const char *Format, ...) __attribute__((format(printf, 1, 2)));
const char *VfBugCheckName(ULONG Code);                 /* NULL: none */
PVOID VfFindBugCheckCallback(PVOID Base, SIZE_T Bytes); /* a record or routine there; NULL: none */
void VfSetReportDirectory(
    const char *Path); /* reports go there too; NULL: what USERNT_BUGCHECK_DIR says */
void VfSetBugCheckEnd(void (*End)(
    void)); /* called after the report, for a fuzzer that wants abort(); then exit code 250 */

/* Tests: VF_EXPECT_BUGCHECK(&record) { KeBugCheck...; } then look at record.Code (0: none came).
 * The thread's IRQL is put back to what it was. Only for bug checks raised before the routine has
 * changed anything. */
typedef struct VF_BUGCHECK {
    ULONG Code;
    ULONG_PTR Parameters[4];
    char Text[256];
    char Details[1024]; /* what VfDetail said, a line each */
    sigjmp_buf Jump;
    KIRQL Irql;
    void *SehMark; /* the __try statements inside which the test stands */
    struct VF_BUGCHECK *Outer;
} VF_BUGCHECK;
void VfExpectBegin(VF_BUGCHECK *Record); /* for the calling thread */
void VfExpectEnd(VF_BUGCHECK *Record);
#define VF_EXPECT_BUGCHECK(record)                                                                 \
    for (int VfOnce_ = (VfExpectBegin(record), 1); VfOnce_; VfOnce_ = 0, VfExpectEnd(record))      \
        if (sigsetjmp((record)->Jump, 0) == 0)

/* The process-wide fault handler's verdict (host_fault_install): asks the chain of claimants first
 * (mm: moving pages), then SEH, then a bug check. */
bool VfOnFault(const struct host_fault *Fault); /* where every fault of the machine arrives */
PVOID VfLastFaultAddress(void);
typedef BOOLEAN VF_FAULT_CLAIM(const struct host_fault *Fault);
void VfAddFaultClaim(VF_FAULT_CLAIM *Claim);

/* An exception's way: each dispatcher in turn, and then native SEH (excpt.h), looks for a handler
 * of the calling thread. It jumps to the handler, or returns TRUE (go on where the exception
 * happened) or FALSE (none here). Fault is NULL for a raised exception; on a fault it runs on the
 * fault stack. */
typedef BOOLEAN VF_EXCEPTION_DISPATCHER(EXCEPTION_RECORD *Record, const struct host_fault *Fault);
void VfAddExceptionDispatcher(VF_EXCEPTION_DISPATCHER *Dispatcher);
void VfRaiseException(PEXCEPTION_RECORD Record); /* returns only if a filter says "continue
                                                    execution"; unhandled: bug check */

/* A fault there is a bug check at once, not an exception. */
void VfSetSystemRange(const void *Low, const void *High);

/* Debug prints: a ring of lines with time and driver, read by `nt log` through a sequence number.
 * DbgPrint, DbgPrintEx, vDbgPrintEx… are here. */
typedef struct VF_LOG_LINE {
    ULONG64 Sequence;
    ULONG64 Time; /* system time, 100 ns */
    ULONG ProcessId, ThreadId;
    char Driver[32];
    USHORT Length; /* of Text, which is not terminated */
    char Text[512];
} VF_LOG_LINE;
BOOLEAN
VfLogRead(ULONG64 Sequence,
          VF_LOG_LINE *Line); /* the first line with at least that number; FALSE: none yet */
void VfLogSubscribe(void (*Wake)(void)); /* called after each line, any IRQL */
void VfLogEcho(BOOLEAN ToStandardError);
/* DbgPrint for arguments of another kind (PE images). Caller: an address in the driver. */
struct _RTLP_ARGUMENTS;
ULONG VfPrintArguments(const void *Caller, PCSTR Prefix, ULONG ComponentId, ULONG Level,
                       PCSTR Format, struct _RTLP_ARGUMENTS *Arguments);

/* The trace ring: the last events of every thread, printed in a bug check report. Costs one store
 * of 32 bytes. */
typedef enum VF_EVENT {
    VfEventIrpCall = 1,
    VfEventIrpComplete,
    VfEventServiceEnter,
    VfEventServiceLeave,
    VfEventDpc,
    VfEventTimer,
    VfEventLoad,
    VfEventUnload,
    VfEventRaise,
    VfEvents
} VF_EVENT;
void VfTrace(VF_EVENT Event, ULONG_PTR A, ULONG_PTR B);
void VfTraceGoesOn(void); /* the calling thread begins its next service at once */
void VfTraceWaits(void);  /* it is about to wait: nothing follows at once */

#endif
