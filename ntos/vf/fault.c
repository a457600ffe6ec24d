/*
 * Faults of the machine, and exceptions.
 *
 * The order of a fault: the claims of upper rooms (mm: a page that is being moved; ldr: privileged
 * instructions of PE images) - then what is a bug check at once: memory at DISPATCH_LEVEL or above
 * (0xD1 in a driver, else 0x0A), system space (0x50), a used-up stack (0x7F), __fastfail (0x139) -
 * then the exception's way: the handlers of the thread, and if none takes it 0x3B in a system
 * service, 0x7E in a system thread, else 0x1E.
 *
 * A fault of a Linux thread that does not belong to the executive is none of its business.
 */
#include "vfp.h"

#include <excpt.h>
#include <stdio.h>
#include <string.h>

#define VF_CLAIMS_MAX 12
#define VF_ORIGIN_FRAMES 16
#define VF_STACK_REACH (64 * 1024) /* one frame that is this large may step over the guard */

static struct {
    VF_FAULT_CLAIM *Claims[VF_CLAIMS_MAX];
    ULONG ClaimCount;
    VF_EXCEPTION_DISPATCHER *Dispatchers[VF_CLAIMS_MAX];
    ULONG DispatcherCount;
    ULONG_PTR SystemLow, SystemHigh;
    PVOID LastAddress;
} VfFaultState;

void VfAddFaultClaim(VF_FAULT_CLAIM *Claim)
{
    for (ULONG i = 0; i < VfFaultState.ClaimCount; i++)
        if (VfFaultState.Claims[i] == Claim)
            return; /* its room has started again */
    NT_ASSERT(VfFaultState.ClaimCount < VF_CLAIMS_MAX);
    VfFaultState.Claims[VfFaultState.ClaimCount++] = Claim;
}

void VfAddExceptionDispatcher(VF_EXCEPTION_DISPATCHER *Dispatcher)
{
    for (ULONG i = 0; i < VfFaultState.DispatcherCount; i++)
        if (VfFaultState.Dispatchers[i] == Dispatcher)
            return; /* its room has started again */
    NT_ASSERT(VfFaultState.DispatcherCount < VF_CLAIMS_MAX);
    VfFaultState.Dispatchers[VfFaultState.DispatcherCount++] = Dispatcher;
}

void VfSetSystemRange(const void *Low, const void *High)
{
    VfFaultState.SystemLow = (ULONG_PTR)Low;
    VfFaultState.SystemHigh = (ULONG_PTR)High;
}

void VfResetFaults(void)
{
    memset(&VfFaultState, 0, sizeof(VfFaultState));
}

/* ---- exceptions ---- */

/* Where the thread's last exception happened. By the time that the last filter has passed it on,
 * the frames below the outermost __try are gone. */
static _Thread_local struct {
    NTSTATUS Code;
    PVOID Address;
    BOOLEAN HasRegisters;
    struct host_registers Registers;
    size_t FrameCount;
    void *Frames[VF_ORIGIN_FRAMES];
} VfOrigin;

static void VfRememberOrigin(const EXCEPTION_RECORD *Record, const struct host_fault *Fault)
{
    VfOrigin.Code = Record->ExceptionCode;
    VfOrigin.Address = Record->ExceptionAddress;
    VfOrigin.HasRegisters = Fault != NULL;
    if (Fault)
        host_fault_registers(Fault, &VfOrigin.Registers);
    VfOrigin.FrameCount =
        Fault ? host_backtrace_from(Fault->context, VfOrigin.Frames, VF_ORIGIN_FRAMES)
              : host_backtrace(VfOrigin.Frames, VF_ORIGIN_FRAMES, 2);
}

void VfTellOrigin(VF_STOP *Stop, ULONG Code)
{
    ULONG_PTR Address = Stop->Parameters[Code == DRIVER_OVERRAN_STACK_BUFFER ? 3 : 1];

    if (Stop->HasRegisters ||
        (Code != KMODE_EXCEPTION_NOT_HANDLED && Code != SYSTEM_SERVICE_EXCEPTION &&
         Code != SYSTEM_THREAD_EXCEPTION_NOT_HANDLED && Code != DRIVER_OVERRAN_STACK_BUFFER))
        return;
    if (!VfOrigin.FrameCount || (ULONG_PTR)VfOrigin.Address != Address ||
        (Code != DRIVER_OVERRAN_STACK_BUFFER && (ULONG)VfOrigin.Code != Stop->Parameters[0]))
        return;
    Stop->HasRegisters = VfOrigin.HasRegisters;
    Stop->Registers = VfOrigin.Registers;
    Stop->FrameCount = VfOrigin.FrameCount;
    memcpy(Stop->Frames, VfOrigin.Frames, sizeof(VfOrigin.Frames));
}

/* A frame of native SEH has passed the record on. */
int VfPassOn(EXCEPTION_RECORD *Record)
{
    for (ULONG i = 0; i < VfFaultState.DispatcherCount; i++)
        if (VfFaultState.Dispatchers[i](Record, NULL))
            return TRUE;
    return FALSE;
}

static BOOLEAN VfDispatch(EXCEPTION_RECORD *Record, const struct host_fault *Fault)
{
    VfTrace(VfEventRaise, (ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress);
    for (ULONG i = 0; i < VfFaultState.DispatcherCount; i++)
        if (VfFaultState.Dispatchers[i](Record, Fault))
            return TRUE;
    if (NtSehMark()) {
        VfRememberOrigin(Record, Fault);
        NtSehDispatch(Record);
    }
    return FALSE;
}

static _Noreturn void VfUnhandled(const EXCEPTION_RECORD *Record, const struct host_fault *Fault)
{
    ULONG Kind = VfContext.ThreadKind ? VfContext.ThreadKind() : VfThreadOther;
    ULONG_PTR P[4] = {(ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress,
                      Record->ExceptionInformation[0], Record->ExceptionInformation[1]};
    ULONG Code = KMODE_EXCEPTION_NOT_HANDLED;

    if (Kind == VfThreadService) {
        Code = SYSTEM_SERVICE_EXCEPTION;
        P[2] = Fault ? (ULONG_PTR)Fault->context : 0;
        P[3] = 0;
    } else if (Kind == VfThreadSystem) {
        Code = SYSTEM_THREAD_EXCEPTION_NOT_HANDLED;
        P[2] = (ULONG_PTR)Record;
        P[3] = Fault ? (ULONG_PTR)Fault->context : 0;
    }
    VfStop(Code, P, Fault, "no handler took the exception");
}

/* An exception was to go to a __try statement whose frame something wrote over. */
static _Noreturn void VfOverrun(const EXCEPTION_RECORD *Record)
{
    const ULONG_PTR P[4] = {Record->ExceptionInformation[0], Record->ExceptionInformation[1],
                            ~Record->ExceptionInformation[1], (ULONG_PTR)Record->ExceptionAddress};

    VfStop(DRIVER_OVERRAN_STACK_BUFFER, P, NULL,
           "the stack around a __try statement was overwritten");
}

void VfUnhandledRecord(const EXCEPTION_RECORD *Record)
{
    if (Record->ExceptionCode == STATUS_STACK_BUFFER_OVERRUN)
        VfOverrun(Record);
    VfUnhandled(Record, NULL);
}

void VfRaiseException(PEXCEPTION_RECORD Record)
{
    if (!VfDispatch(Record, NULL))
        VfUnhandled(Record, NULL);
}

/* ---- faults that are a bug check at once ---- */

static _Noreturn __attribute__((format(printf, 7, 8))) void
VfStopAtFault(const struct host_fault *Fault, ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3,
              ULONG_PTR P4, const char *Format, ...)
{
    const ULONG_PTR Parameters[4] = {P1, P2, P3, P4};
    char Text[256];
    va_list List;

    va_start(List, Format);
    vsnprintf(Text, sizeof(Text), Format, List);
    va_end(List);
    VfStop(Code, Parameters, Fault, Text);
}

static const char *VfAccessName(const struct host_fault *Fault)
{
    return Fault->execute ? "execution" : Fault->write ? "write" : "read";
}

/* The stack pointer is at the stack's end, and so is what was touched. */
static BOOLEAN VfIsStackOverflow(const struct host_fault *Fault)
{
    ULONG_PTR Low = (ULONG_PTR)Fault->stack_low, Address = (ULONG_PTR)Fault->address;
    struct host_registers R;

    if (!Low || Fault->protection || Address >= Low + HOST_PAGE_SIZE ||
        Address < Low - VF_STACK_REACH)
        return FALSE;
    host_fault_registers(Fault, &R);
    return R.rsp < Low + 2 * HOST_PAGE_SIZE && R.rsp + VF_STACK_REACH > Low;
}

static void VfCheckAtDispatch(const struct host_fault *Fault, KIRQL Irql)
{
    ULONG_PTR Kind = Fault->execute ? 8 : Fault->write ? 1 : 0;
    ULONG Code = IRQL_NOT_LESS_OR_EQUAL;
    ULONG64 Offset;

    if (Irql < DISPATCH_LEVEL)
        return;
    if (VfContext.DriverNameOf && VfContext.DriverNameOf(Fault->instruction, &Offset))
        Code = DRIVER_IRQL_NOT_LESS_OR_EQUAL;
    VfStopAtFault(Fault, Code, (ULONG_PTR)Fault->address, Irql, Kind, (ULONG_PTR)Fault->instruction,
                  "%s of bad memory at IRQL %u", VfAccessName(Fault), Irql);
}

static void VfCheckSystemSpace(const struct host_fault *Fault)
{
    ULONG_PTR Address = (ULONG_PTR)Fault->address;

    if (Address < VfFaultState.SystemLow || Address >= VfFaultState.SystemHigh)
        return;
    VfStopAtFault(Fault, PAGE_FAULT_IN_NONPAGED_AREA, Address,
                  Fault->execute ? 0x10
                  : Fault->write ? 2
                                 : 0,
                  (ULONG_PTR)Fault->instruction, 2, "%s of system space where nothing is mapped",
                  VfAccessName(Fault));
}

/* ---- general protection: what the instruction was ---- */

/* Behind the prefixes (operand size, repeat, REX), if the instruction is privileged. */
static BOOLEAN VfIsPrivileged(const UCHAR *Code, const UCHAR *End)
{
    while (Code + 2 < End &&
           (*Code == 0x66 || *Code == 0xF2 || *Code == 0xF3 || (*Code & 0xF0) == 0x40))
        Code++;
    if (Code[0] == 0x0F) /* group 7, cache, control and debug registers, model-specific registers */
        return Code[1] == 0x01 || Code[1] == 0x00 || Code[1] == 0x06 || Code[1] == 0x08 ||
               Code[1] == 0x09 || (Code[1] >= 0x20 && Code[1] <= 0x23) || Code[1] == 0x30 ||
               Code[1] == 0x32 || Code[1] == 0x33;
    return Code[0] == 0xF4 || Code[0] == 0xFA || Code[0] == 0xFB || /* hlt, cli, sti */
           (Code[0] >= 0xE4 && Code[0] <= 0xE7) ||
           (Code[0] >= 0xEC && Code[0] <= 0xEF) || /* in, out */
           (Code[0] >= 0x6C && Code[0] <= 0x6F);   /* ins, outs */
}

static void VfDecodeProtection(const struct host_fault *Fault, EXCEPTION_RECORD *Record)
{
    UCHAR Code[8] = {0};
    struct host_registers R;

    if (!host_read_memory(Code, Fault->instruction, sizeof(Code)))
        host_read_memory(Code, Fault->instruction, 2); /* at the end of a mapping */
    if (Code[0] == 0xCD && Code[1] == 0x29) {          /* __fastfail */
        host_fault_registers(Fault, &R);
        VfStopAtFault(Fault, KERNEL_SECURITY_CHECK_FAILURE, (ULONG)R.rcx, (ULONG_PTR)Fault->context,
                      (ULONG_PTR)Record, 0, "fast fail %u", (ULONG)R.rcx);
    }
    if (Code[0] == 0xCD && Code[1] == 0x2C)
        Record->ExceptionCode = STATUS_ASSERTION_FAILURE;
    else if (Code[0] == 0xCD && Code[1] == 0x2D)
        Record->ExceptionCode = STATUS_BREAKPOINT;
    else if (VfIsPrivileged(Code, Code + sizeof(Code)))
        Record->ExceptionCode = STATUS_PRIVILEGED_INSTRUCTION;
    if (Record->ExceptionCode != STATUS_ACCESS_VIOLATION)
        Record->NumberParameters = 0;
}

/* ---- the fault ---- */

static void VfDescribeMemory(const struct host_fault *Fault, EXCEPTION_RECORD *Record)
{
    Record->ExceptionCode = STATUS_ACCESS_VIOLATION;
    Record->NumberParameters = 2;
    Record->ExceptionInformation[0] = Fault->execute ? 8 : Fault->write ? 1 : 0;
    Record->ExceptionInformation[1] = (ULONG_PTR)Fault->address;
    if (Fault->kind == HOST_FAULT_BUS) {
        Record->ExceptionCode = STATUS_IN_PAGE_ERROR;
        Record->NumberParameters = 3;
        Record->ExceptionInformation[2] = (ULONG)STATUS_DEVICE_DATA_ERROR;
    } else if (Fault->protection) {
        VfDecodeProtection(Fault, Record);
    }
}

static void VfDescribe(const struct host_fault *Fault, EXCEPTION_RECORD *Record)
{
    *Record = (EXCEPTION_RECORD){.ExceptionAddress = Fault->instruction};
    switch (Fault->kind) {
    case HOST_FAULT_MEMORY:
    case HOST_FAULT_BUS:
        VfDescribeMemory(Fault, Record);
        break;
    case HOST_FAULT_DIVIDE:
        Record->ExceptionCode = STATUS_INTEGER_DIVIDE_BY_ZERO;
        break;
    case HOST_FAULT_BREAKPOINT:
        Record->ExceptionCode = STATUS_BREAKPOINT;
        Record->NumberParameters = 1;
        break;
    default:
        Record->ExceptionCode = STATUS_ILLEGAL_INSTRUCTION;
        break;
    }
}

static BOOLEAN VfIsClaimed(const struct host_fault *Fault)
{
    for (ULONG i = 0; i < VfFaultState.ClaimCount; i++)
        if (VfFaultState.Claims[i](Fault))
            return TRUE;
    return FALSE;
}

static void VfCheckMemoryFault(const struct host_fault *Fault, const EXCEPTION_RECORD *Record)
{
    if (Record->ExceptionCode != STATUS_ACCESS_VIOLATION &&
        Record->ExceptionCode != STATUS_IN_PAGE_ERROR)
        return;
    if (VfIsStackOverflow(Fault))
        VfStopAtFault(Fault, UNEXPECTED_KERNEL_MODE_TRAP, EXCEPTION_DOUBLE_FAULT,
                      (ULONG_PTR)Fault->address, 0, (ULONG_PTR)Fault->instruction,
                      "the stack of the thread is used up");
    VfCheckAtDispatch(Fault, VfCurrentIrql());
    VfCheckSystemSpace(Fault);
}

/* NULL: there was none yet. Any IRQL. */
PVOID VfLastFaultAddress(void)
{
    return __atomic_load_n(&VfFaultState.LastAddress, __ATOMIC_RELAXED);
}

bool VfOnFault(const struct host_fault *Fault)
{
    EXCEPTION_RECORD Record;

    if (Fault->kind == HOST_FAULT_MEMORY && !Fault->protection)
        __atomic_store_n(&VfFaultState.LastAddress, Fault->address, __ATOMIC_RELAXED);
    if (VfIsClaimed(Fault))
        return TRUE;
    if (VfContext.ThreadKind && VfContext.ThreadKind() == VfThreadForeign)
        return FALSE;
    VfDescribe(Fault, &Record);
    VfCheckMemoryFault(Fault, &Record);
    if (VfDispatch(&Record, Fault))
        return TRUE;
    VfUnhandled(&Record, Fault);
}
