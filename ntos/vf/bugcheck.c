/*
 * The bug check: the end of the kernel process, or of the expectation of a test.
 *
 * The first thread that arrives owns the end. Others that arrive meanwhile sleep until the process
 * is gone. If the owner arrives again, its report has failed: it ends the process with what is
 * written. Whatever happens, the process is gone after VF_REPORT_SECONDS (the report allocates
 * memory, and the crashing thread may hold the allocator's lock).
 */
#include "vfp.h"

#include <excpt.h>
#include <stdio.h>
#include <string.h>

#define VF_REPORT_SECONDS 20

VF_CONTEXT_PROVIDER VfContext;

static struct {
    uint32_t Owner; /* host thread id, 0: nobody */
    uint32_t Never;
    void (*End)(void);
} VfBugCheckState;

static _Thread_local VF_BUGCHECK *VfExpected;

KIRQL VfCurrentIrql(void)
{
    return VfContext.CurrentIrql ? VfContext.CurrentIrql() : PASSIVE_LEVEL;
}

void VfExpectBegin(VF_BUGCHECK *Record)
{
    Record->Code = 0;
    memset(Record->Parameters, 0, sizeof(Record->Parameters));
    Record->Text[0] = Record->Details[0] = 0;
    Record->Irql = VfCurrentIrql();
    Record->SehMark = NtSehMark();
    Record->Outer = VfExpected;
    VfExpected = Record;
}

void VfExpectEnd(VF_BUGCHECK *Record)
{
    VfExpected = Record->Outer;
}

/* Two threads that come at once share it. */
static struct {
    host_lock Lock;
    size_t Used;
    char Text[8192];
} VfDetails;

void VfDetail(const char *Format, ...)
{
    size_t Room;
    va_list List;
    int Length;

    host_lock_acquire(&VfDetails.Lock);
    Room = sizeof(VfDetails.Text) - VfDetails.Used;
    va_start(List, Format);
    Length = vsnprintf(VfDetails.Text + VfDetails.Used, Room, Format, List);
    va_end(List);
    if (Length > 0 && (size_t)Length + 1 < Room) {
        VfDetails.Used += (size_t)Length;
        VfDetails.Text[VfDetails.Used++] = '\n';
    }
    VfDetails.Text[VfDetails.Used] = 0;
    host_lock_release(&VfDetails.Lock);
}

/* Copies and forgets them. */
size_t VfTakeDetails(char *Text, size_t Size)
{
    size_t Length;

    host_lock_acquire(&VfDetails.Lock);
    Length = min(VfDetails.Used, Size - 1);
    memcpy(Text, VfDetails.Text, Length);
    Text[Length] = 0;
    VfDetails.Used = 0;
    host_lock_release(&VfDetails.Lock);
    return Length;
}

static _Noreturn void VfReturnToTest(VF_BUGCHECK *Record, ULONG Code, const ULONG_PTR *Parameters,
                                     const char *Text)
{
    Record->Code = Code;
    memcpy(Record->Parameters, Parameters, sizeof(Record->Parameters));
    snprintf(Record->Text, sizeof(Record->Text), "%s", Text);
    VfTakeDetails(Record->Details, sizeof(Record->Details));
    VfExpected = NULL; /* a further one, before VfExpectEnd, is not expected */
    if (VfContext.SetIrqlAfterExpected)
        VfContext.SetIrqlAfterExpected(Record->Irql);
    NtSehReset(Record->SehMark);
    siglongjmp(Record->Jump, 1);
}

static void VfOwnTheEnd(ULONG Code)
{
    uint32_t Self = host_thread_id(), Owner = 0;
    char Line[96];

    if (__atomic_compare_exchange_n(&VfBugCheckState.Owner, &Owner, Self, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        host_exit_within(VF_REPORT_SECONDS, NT_EXIT_BUGCHECK);
        return;
    }
    if (Owner == Self) {
        snprintf(Line, sizeof(Line), "\n*** STOP 0x%08X during this report, which ends here\n",
                 Code);
        host_write_error(Line);
        host_exit(NT_EXIT_BUGCHECK);
    }
    for (;;)
        host_futex_wait(&VfBugCheckState.Never, 0, HOST_FOREVER, false);
}

void VfStop(ULONG Code, const ULONG_PTR *Parameters, const struct host_fault *Fault,
            const char *Text)
{
    static VF_STOP Stop; /* its owner's alone; the stack may be the problem */

    if (VfExpected)
        VfReturnToTest(VfExpected, Code, Parameters, Text);
    VfOwnTheEnd(Code);
    Stop.Code = Code;
    memcpy(Stop.Parameters, Parameters, sizeof(Stop.Parameters));
    snprintf(Stop.Text, sizeof(Stop.Text), "%s", Text);
    Stop.HasRegisters = Fault != NULL;
    if (Fault)
        host_fault_registers(Fault, &Stop.Registers);
    Stop.FrameCount = Fault ? host_backtrace_from(Fault->context, Stop.Frames, VF_FRAMES_MAX)
                            : host_backtrace(Stop.Frames, VF_FRAMES_MAX, 1);
    VfTellOrigin(&Stop, Code);
    VfReport(&Stop);
    if (VfBugCheckState.End)
        VfBugCheckState.End();
    host_exit(NT_EXIT_BUGCHECK);
}

void VfSetBugCheckEnd(void (*End)(void))
{
    VfBugCheckState.End = End;
}

void VfBugCheck(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4,
                const char *Format, ...)
{
    const ULONG_PTR Parameters[4] = {P1, P2, P3, P4};
    char Text[256];
    va_list List;

    va_start(List, Format);
    vsnprintf(Text, sizeof(Text), Format, List);
    va_end(List);
    VfStop(Code, Parameters, NULL, Text);
}

/* What a compiler's stack protector calls (-fstack-protector, which drivers are compiled with as
 * MSVC compiles them with /GS): the caller is about to return over an overwritten cookie. */
_Noreturn void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    ULONG_PTR Cookie = 0;

    __asm__("mov %%fs:0x28, %0" : "=r"(Cookie));
    VfBugCheck(DRIVER_OVERRAN_STACK_BUFFER, 0, Cookie, ~Cookie, 0,
               "the innermost function of the stack wrote beyond an array of its own");
    host_exit(NT_EXIT_BUGCHECK);
}

/*
 * Ends the system with the documented report; does not return. Any IRQL.
 * Doc: wdm/nf-wdm-kebugcheckex
 */
VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                        ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                        ULONG_PTR BugCheckParameter4)
{
    const ULONG_PTR Parameters[4] = {BugCheckParameter1, BugCheckParameter2, BugCheckParameter3,
                                     BugCheckParameter4};

    VfStop(BugCheckCode, Parameters, NULL, "");
}

/*
 * KeBugCheckEx with all parameters zero. Any IRQL.
 * Doc: ntddk/nf-ntddk-kebugcheck
 */
VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}
