/*
 * The harder half of structured exceptions in a driver that was built for Windows (seh.c is the
 * other): exceptions in filters and in termination handlers, what is kept across frames, and what
 * an exception tells. DriverEntry tries each case and prints a line for it.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

#define NOWHERE ((volatile LONG *)(ULONG_PTR)0x10)
#define FIRST STATUS_DEVICE_BUSY
#define SECOND STATUS_DEVICE_NOT_READY

/* What the driver kit's headers at hand lack. */
typedef struct FUNCTION {
    ULONG Begin, End, Info;
} FUNCTION;
#define IMPORT __attribute__((dllimport))
IMPORT VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD Record);
IMPORT VOID NTAPI RtlCaptureContext(PCONTEXT Context);
IMPORT FUNCTION *NTAPI RtlLookupFunctionEntry(ULONG64 Pc, PULONG64 Base, PVOID History);
IMPORT PVOID NTAPI RtlVirtualUnwind(ULONG Type, ULONG64 Base, ULONG64 Pc, FUNCTION *Function,
                                    PCONTEXT Context, PVOID *Data, PULONG64 Frame, PVOID Pointers);

static ULONG Order[8], Count; /* what happened, in which order */

static void Note(ULONG What)
{
    if (Count < RTL_NUMBER_OF(Order))
        Order[Count++] = What;
}

static BOOLEAN Happened(ULONG First, ULONG Second, ULONG Third, ULONG Fourth)
{
    BOOLEAN Good = Order[0] == First && Order[1] == Second && Order[2] == Third &&
                   Order[3] == Fourth && Order[4] == 0;

    RtlZeroMemory(Order, sizeof(Order));
    Count = 0;
    return Good;
}

__attribute__((noinline)) static LONG Touch(volatile LONG *Address)
{
    return *Address;
}

/* The compiler shall not know that it never returns: it would leave out what comes behind. */
__attribute__((noinline, optnone)) static void Raise(NTSTATUS Status)
{
    ExRaiseStatus(Status);
}

/* ---- ways out of a __try block ---- */

static BOOLEAN LeftByLeave(VOID)
{
    __try {
        Note(1);
        if (Count == 1)
            __leave;
        Note(9);
    } __finally {
        Note(AbnormalTermination() ? 9 : 2);
    }
    return Happened(1, 2, 0, 0);
}

__attribute__((noinline)) static ULONG ReturnOut(VOID)
{
    __try {
        if (Count == 0)
            return 5;
    } __finally {
        Note(AbnormalTermination() ? 1 : 9);
    }
    return 9;
}

static BOOLEAN LeftByReturn(VOID)
{
    return ReturnOut() == 5 && Happened(1, 0, 0, 0);
}

/* ---- exceptions in filters ---- */

static LONG FailingFilter(VOID)
{
    Note(1);
    if (Count == 1)
        Raise(SECOND);
    return EXCEPTION_CONTINUE_SEARCH;
}

/* The second exception finds the same filter again, which passes both on. */
static BOOLEAN RaisedInFilter(VOID)
{
    __try {
        __try {
            Raise(FIRST);
        } __except (FailingFilter()) {
            Note(9);
        }
    } __except (GetExceptionCode() == SECOND ? EXCEPTION_EXECUTE_HANDLER
                                             : EXCEPTION_CONTINUE_SEARCH) {
        Note(2);
    }
    return Happened(1, 1, 2, 0);
}

static LONG CatchingFilter(VOID)
{
    __try {
        Touch(NOWHERE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(1);
    }
    return EXCEPTION_EXECUTE_HANDLER;
}

static BOOLEAN CaughtInFilter(VOID)
{
    __try {
        Raise(FIRST);
    } __except (CatchingFilter()) {
        Note(GetExceptionCode() == FIRST ? 2 : 9);
    }
    return Happened(1, 2, 0, 0);
}

/* ---- exceptions in termination handlers ---- */

static BOOLEAN RaisedInFinally(VOID)
{
    __try {
        __try {
            __try {
                Raise(FIRST);
            } __finally {
                Note(1);
                Raise(SECOND);
            }
        } __finally {
            Note(2);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note((NTSTATUS)GetExceptionCode() == SECOND ? 3 : 9);
    }
    return Happened(1, 2, 3, 0);
}

__attribute__((noinline)) static void Inner(VOID)
{
    __try {
        Raise(FIRST);
    } __finally {
        Note(1);
    }
}

__attribute__((noinline)) static void Middle(VOID)
{
    __try {
        Inner();
    } __finally {
        Note(2);
        Touch(NOWHERE);
    }
}

__attribute__((noinline)) static void Outer(VOID)
{
    __try {
        Middle();
    } __finally {
        Note(3);
    }
}

/* What was left is not left twice. */
static BOOLEAN FaultedInFinallyOfAnotherFrame(VOID)
{
    __try {
        Outer();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 4 : 9);
    }
    return Happened(1, 2, 3, 4);
}

/* The second exception ends before the first one's handler is reached. */
static BOOLEAN FinallyOverruled(VOID)
{
    __try {
        __try {
            Middle();
        } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                                  : EXCEPTION_CONTINUE_SEARCH) {
            Note(3);
        }
        Note(4);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(9);
    }
    return Happened(1, 2, 3, 4);
}

/* ... and one that the termination handler catches itself disturbs nothing. */
static BOOLEAN CaughtInFinally(VOID)
{
    __try {
        __try {
            Raise(FIRST);
        } __finally {
            __try {
                Touch(NOWHERE);
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                Note(1);
            }
            Note(2);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note((NTSTATUS)GetExceptionCode() == FIRST ? 3 : 9);
    }
    return Happened(1, 2, 3, 0);
}

/* ---- what an exception tells ---- */

static LONG Look(PEXCEPTION_POINTERS Pointers)
{
    PEXCEPTION_RECORD Record = Pointers->ExceptionRecord;

    if (Record->NumberParameters == 2 && Record->ExceptionInformation[1] == (ULONG_PTR)NOWHERE)
        Note(1 + (ULONG)Record->ExceptionInformation[0]);
    return EXCEPTION_EXECUTE_HANDLER;
}

__attribute__((noinline)) static void Write(volatile LONG *Address)
{
    *Address = 1;
}

static BOOLEAN AddressesAreTold(VOID)
{
    __try {
        Touch(NOWHERE);
    } __except (Look(GetExceptionInformation())) {
    }
    __try {
        Write(NOWHERE);
    } __except (Look(GetExceptionInformation())) {
    }
    return Happened(1, 2, 0, 0);
}

static volatile ULONG Quotient;

__attribute__((noinline)) static void Divide(volatile ULONG *By)
{
    Quotient = 5 / *By;
}

__attribute__((noinline, optnone)) static void DoWhatIsNoInstruction(VOID)
{
    __asm__ volatile("ud2");
}

static BOOLEAN ProcessorExceptionsHaveTheirCodes(VOID)
{
    volatile ULONG Zero = 0;

    __try {
        Divide(&Zero);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO ? 1 : 9);
    }
    __try {
        DoWhatIsNoInstruction();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_ILLEGAL_INSTRUCTION ? 2 : 9);
    }
    __try {
        ExRaiseDatatypeMisalignment();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_DATATYPE_MISALIGNMENT ? 3 : 9);
    }
    __try {
        ProbeForWrite((PVOID)(ULONG_PTR)0xFFFF800000000000ull, 4, 4);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 4 : 9);
    }
    return Happened(1, 2, 3, 4);
}

/* ---- going on ---- */

static LONG GoOn(PEXCEPTION_POINTERS Pointers)
{
    PEXCEPTION_RECORD Record = Pointers->ExceptionRecord;

    if (Record->ExceptionCode != STATUS_NONCONTINUABLE_EXCEPTION) {
        Note(1);
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    Note(Record->ExceptionFlags & EXCEPTION_NONCONTINUABLE && Record->ExceptionRecord &&
                 Record->ExceptionRecord->ExceptionCode == FIRST
             ? 2
             : 9);
    return EXCEPTION_EXECUTE_HANDLER;
}

static BOOLEAN SomeCannotBeContinued(VOID)
{
    __try {
        Raise(FIRST);
        Note(9);
    } __except (GoOn(GetExceptionInformation())) {
        Note(3);
    }
    return Happened(1, 2, 3, 0);
}

static LONG LookAtOwn(PEXCEPTION_POINTERS Pointers)
{
    PEXCEPTION_RECORD Record = Pointers->ExceptionRecord;

    Note(Record->ExceptionCode == (NTSTATUS)0xE0001234 && Record->NumberParameters == 1 &&
                 Record->ExceptionInformation[0] == 77
             ? 1
             : 9);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static BOOLEAN OthersGoOnBehindTheCall(VOID)
{
    EXCEPTION_RECORD Record;

    RtlZeroMemory(&Record, sizeof(Record));
    Record.ExceptionCode = (NTSTATUS)0xE0001234;
    Record.NumberParameters = 1;
    Record.ExceptionInformation[0] = 77;
    __try {
        RtlRaiseException(&Record);
        Note(2);
    } __except (LookAtOwn(GetExceptionInformation())) {
        Note(9);
    }
    return Happened(1, 2, 0, 0);
}

/* rbx as it is behind the call. */
ULONG64 RaiseWithRbx(PEXCEPTION_RECORD Record);
__asm__(".text\n.globl RaiseWithRbx\n.seh_proc RaiseWithRbx\nRaiseWithRbx:\n"
        "    pushq %rbx\n.seh_pushreg %rbx\n"
        "    subq $32, %rsp\n.seh_stackalloc 32\n"
        ".seh_endprologue\n"
        "    xorl %ebx, %ebx\n"
        "    callq *__imp_RtlRaiseException(%rip)\n"
        "    movq %rbx, %rax\n"
        "    addq $32, %rsp\n"
        "    popq %rbx\n"
        "    retq\n"
        ".seh_endproc\n");

static LONG ChangeRbx(PEXCEPTION_POINTERS Pointers)
{
    Pointers->ContextRecord->Rbx = 4711;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static BOOLEAN WithWhatTheFilterHasChanged(VOID)
{
    EXCEPTION_RECORD Record;
    ULONG64 Value = 0;

    RtlZeroMemory(&Record, sizeof(Record));
    Record.ExceptionCode = (NTSTATUS)0xE0001234;
    __try {
        Value = RaiseWithRbx(&Record);
    } __except (ChangeRbx(GetExceptionInformation())) {
        Note(9);
    }
    return Value == 4711 && Happened(0, 0, 0, 0);
}

/* ---- what is kept ---- */

/* A frame that keeps xmm6 to xmm15 and rbx, puts something else there and calls. */
#define EACH(What)                                                                                 \
    What(6) What(7) What(8) What(9) What(10) What(11) What(12) What(13) What(14) What(15)
#define SAVE(n)                                                                                    \
    "    movaps %xmm" #n ", (" #n "-6)*16+32(%rsp)\n.seh_savexmm %xmm" #n ", (" #n "-6)*16+32\n"
#define LOAD(n) "    movaps (" #n "-6)*16+32(%rsp), %xmm" #n "\n"
#define FILL(n) "    movd %ecx, %xmm" #n "\n    pshufd $0, %xmm" #n ", %xmm" #n "\n    incl %ecx\n"
#define CHECK(n)                                                                                   \
    "    movd %xmm" #n ", %edx\n    xorl %ecx, %edx\n    orl %edx, %eax\n    incl %ecx\n"
#define ENTER                                                                                      \
    "    pushq %rbx\n.seh_pushreg %rbx\n"                                                          \
    "    subq $192, %rsp\n.seh_stackalloc 192\n" EACH(SAVE) ".seh_endprologue\n"
#define LEAVE                                                                                      \
    EACH(LOAD)                                                                                     \
    "    addq $192, %rsp\n"                                                                        \
    "    popq %rbx\n"                                                                              \
    "    retq\n"                                                                                   \
    ".seh_endproc\n"

void Spoil(void (*Call)(VOID));
ULONG Keep(void (*Call)(VOID)); /* 0: all are there when it returns */
__asm__(".text\n.globl Spoil\n.seh_proc Spoil\nSpoil:\n" ENTER "    movq %rcx, %rax\n"
        "    movl $0x2000, %ecx\n" EACH(
            FILL) "    movl $3, %ebx\n"
                  "    callq *%rax\n"
                  "    nop\n" LEAVE ".globl Keep\n.seh_proc Keep\nKeep:\n" ENTER
                  "    movq %rcx, %rax\n"
                  "    movl $0x1000, %ecx\n" EACH(FILL) "    movl $2, %ebx\n"
                                                        "    callq *%rax\n"
                                                        "    xorl %eax, %eax\n"
                                                        "    movl $0x1000, %ecx\n" EACH(
                                                            CHECK) "    xorl $2, %ebx\n"
                                                                   "    orl %ebx, %eax\n" LEAVE);

static void RaiseFirst(VOID)
{
    ExRaiseStatus(FIRST);
}

static void FaultHere(VOID)
{
    Touch(NOWHERE);
}

__attribute__((optnone)) static void FaultInTheKernel(VOID)
{
    LONG Value;

    RtlMoveMemory(&Value, (PVOID)NOWHERE, sizeof(Value));
}

static void (*Thrower)(VOID);

static void Catch(VOID)
{
    __try {
        Spoil(Thrower);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(1);
    }
}

static BOOLEAN RegistersAreKept(VOID)
{
    static void (*const Throwers[])(VOID) = {RaiseFirst, FaultHere, FaultInTheKernel};
    ULONG Wrong = 0, i;

    for (i = 0; i < RTL_NUMBER_OF(Throwers); i++) {
        Thrower = Throwers[i];
        Wrong |= Keep(Catch);
    }
    return Happened(1, 1, 1, 0) && Wrong == 0;
}

/* ---- the end of a function ---- */

/* All is put back but the return address, and the last instruction faults. */
void EndBadly(volatile LONG *Target);
__asm__(".text\n.globl EndBadly\n.seh_proc EndBadly\nEndBadly:\n"
        "    pushq %rbx\n.seh_pushreg %rbx\n"
        "    pushq %rsi\n.seh_pushreg %rsi\n"
        "    subq $40, %rsp\n.seh_stackalloc 40\n"
        ".seh_endprologue\n"
        "    movl $5, %ebx\n"
        "    movl $6, %esi\n"
        "    addq $40, %rsp\n"
        "    popq %rsi\n"
        "    popq %rbx\n"
        "    rex64 jmpq *(%rcx)\n"
        ".seh_endproc\n");

static void CallEndBadly(VOID)
{
    EndBadly(NOWHERE);
}

static BOOLEAN FaultedInEpilogue(VOID)
{
    Thrower = CallEndBadly;
    return Keep(Catch) == 0 && Happened(1, 0, 0, 0);
}

/* ---- walking by hand ---- */

__attribute__((noinline)) static BOOLEAN WalkedByHand(VOID)
{
    CONTEXT Context;
    FUNCTION *Function;
    ULONG64 Base, Frame;
    PVOID Data;

    RtlCaptureContext(&Context);
    Function = RtlLookupFunctionEntry(Context.Rip, &Base, NULL);
    if (!Function)
        return FALSE;
    RtlVirtualUnwind(0, Base, Context.Rip, Function, &Context, &Data, &Frame, NULL);
    return (PVOID)Context.Rip == __builtin_return_address(0) &&
           Context.Rsp > (ULONG_PTR)(&Context + 1) && Context.Rsp < (ULONG_PTR)&Context + 8192;
}

__attribute__((noinline)) static BOOLEAN CapturedHere(VOID)
{
    CONTEXT Context;

    RtlFillMemory(&Context, sizeof(Context), 0xEE);
    RtlCaptureContext(&Context);
    return Context.Rsp < (ULONG_PTR)(&Context + 1) && Context.Rsp > (ULONG_PTR)&Context - 4096 &&
           (ULONG_PTR)Context.Rip - (ULONG_PTR)CapturedHere < 512 && Context.SegCs != 0xEEEE &&
           (Context.ContextFlags & CONTEXT_FULL) == CONTEXT_FULL;
}

static const struct {
    PCSTR Name;
    BOOLEAN (*Try)(VOID);
} Cases[] = {
    {"left by __leave", LeftByLeave},
    {"left by return", LeftByReturn},
    {"raised in a filter", RaisedInFilter},
    {"caught in a filter", CaughtInFilter},
    {"raised in __finally", RaisedInFinally},
    {"faulted in __finally of another frame", FaultedInFinallyOfAnotherFrame},
    {"__finally overruled", FinallyOverruled},
    {"caught in __finally", CaughtInFinally},
    {"addresses are told", AddressesAreTold},
    {"the processor's exceptions", ProcessorExceptionsHaveTheirCodes},
    {"some cannot be continued", SomeCannotBeContinued},
    {"others go on behind the call", OthersGoOnBehindTheCall},
    {"with what the filter has changed", WithWhatTheFilterHasChanged},
    {"registers are kept", RegistersAreKept},
    {"faulted in an epilogue", FaultedInEpilogue},
    {"captured here", CapturedHere},
    {"walked by hand", WalkedByHand},
};

VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ULONG i;

    Driver->DriverUnload = Unload;
    for (i = 0; i < RTL_NUMBER_OF(Cases); i++)
        DbgPrint("unwind: %s: %s\n", Cases[i].Name, Cases[i].Try() ? "good" : "WRONG");
    return STATUS_SUCCESS;
}
