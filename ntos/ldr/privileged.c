/*
 * Privileged instructions of Windows images: each that is met faults (or is a trap: patch.h), is
 * decoded, and carried out on the stack of the driver, not on that of the signal, because lowering
 * IRQL may run DPCs and deliver APCs.
 *
 * Registers of the processor are what ke has for its virtual ones; where a write would change what
 * cannot be changed here, and for instructions that have no meaning here, it is bug check 0x1E with
 * STATUS_PRIVILEGED_INSTRUCTION, which names the instruction. Ports are hal's.
 */
#include "hal/hal.h"
#include "ldr/patch.h"
#include <intrin.h>
#include <string.h>

#define CR4_GLOBAL_PAGES 0x80
#define FLAG_INTERRUPTS 0x200
#define FLAG_DIRECTION 0x400
#define DR7_ENABLE 0xFF

typedef struct MACHINE {
    const LDRP_INSTRUCTION *Instruction;
    struct host_cpu *Cpu;
} MACHINE;

static _Thread_local ULONG64 LdrpDebugRegisters[8]; /* without an effect: none is ever enabled */

static const ZydisDecodedOperand *Operand(const MACHINE *Machine, ULONG Index)
{
    return &Machine->Instruction->Operands[Index];
}

static ULONG64 *RegisterOf(const MACHINE *Machine, ZydisRegister Register)
{
    return (ULONG64 *)&Machine->Cpu->rax + LdrpRegisterNumber(Register);
}

static ULONG64 *PlaceOf(const MACHINE *Machine, ULONG Index)
{
    const ZydisDecodedOperandMem *Memory = &Operand(Machine, Index)->mem;
    ULONG64 Address = (ULONG64)Memory->disp.value;
    if (Memory->base == ZYDIS_REGISTER_RIP)
        Address += Machine->Cpu->rip + Machine->Instruction->Info.length;
    else if (Memory->base != ZYDIS_REGISTER_NONE)
        Address += *RegisterOf(Machine, Memory->base);
    if (Memory->index != ZYDIS_REGISTER_NONE)
        Address += *RegisterOf(Machine, Memory->index) * Memory->scale;
    if (Memory->segment == ZYDIS_REGISTER_GS)
        Address += (ULONG_PTR)KeGetPcr();
    return (ULONG64 *)Address;
}

/* A value for an operand that is a register or memory. */
static void Store(const MACHINE *Machine, ULONG Index, ULONG64 Value)
{
    ULONG Bytes = Operand(Machine, Index)->size / 8;
    ULONG64 *Place = NULL;
    if (Operand(Machine, Index)->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        Place = RegisterOf(Machine, Operand(Machine, Index)->reg.value);
        if (Bytes == sizeof(ULONG))
            *Place = 0;
    } else {
        Place = PlaceOf(Machine, Index);
    }
    memcpy(Place, &Value, Bytes);
}

/* ---- control, debug, model-specific registers ---- */

static BOOLEAN ReadControl(ZydisRegister Register, ULONG64 *Value)
{
    switch (Register) {
    case ZYDIS_REGISTER_CR0:
        *Value = __readcr0();
        return TRUE;
    case ZYDIS_REGISTER_CR2:
        *Value = __readcr2();
        return TRUE;
    case ZYDIS_REGISTER_CR3:
        *Value = __readcr3();
        return TRUE;
    case ZYDIS_REGISTER_CR4:
        *Value = __readcr4();
        return TRUE;
    case ZYDIS_REGISTER_CR8:
        *Value = KeGetCurrentIrql();
        return TRUE;
    default:
        return FALSE;
    }
}

/* What is there may be written again; global pages, off and on, flush what does not exist here. */
static BOOLEAN WriteControl(ZydisRegister Register, ULONG64 Value)
{
    ULONG64 Now;
    if (Register == ZYDIS_REGISTER_CR8) {
        KeSetIrql_(Value & 15);
        return TRUE;
    }
    if (!ReadControl(Register, &Now))
        return FALSE;
    if (Register == ZYDIS_REGISTER_CR4)
        Now = (Now & ~(ULONG64)CR4_GLOBAL_PAGES) | (Value & CR4_GLOBAL_PAGES);
    return Register != ZYDIS_REGISTER_CR2 && Value == Now;
}

static ULONG64 ReadDebug(ULONG Number)
{
    static const ULONG64 Always[8] = {[4] = 0xFFFF0FF0, [5] = 0x400, [6] = 0xFFFF0FF0, [7] = 0x400};
    return LdrpDebugRegisters[Number] | Always[Number];
}

static BOOLEAN WriteDebug(ULONG Number, ULONG64 Value)
{
    if (Number == 7 && Value & DR7_ENABLE)
        return FALSE;
    LdrpDebugRegisters[Number] = Value;
    return TRUE;
}

static BOOLEAN Move(const MACHINE *Machine)
{
    ZydisRegister To = Operand(Machine, 0)->reg.value, From = Operand(Machine, 1)->reg.value;
    if (ZydisRegisterGetClass(From) == ZYDIS_REGCLASS_SEGMENT) {
        static const UCHAR Numbers[] = {2, 0, 5, 1, 3, 4}; /* ES, CS, SS, DS, FS, GS */
        Store(Machine, 0, NtReadSelector(Numbers[From - ZYDIS_REGISTER_ES]));
        return TRUE;
    }
    if (ZydisRegisterGetClass(From) == ZYDIS_REGCLASS_CONTROL)
        return ReadControl(From, RegisterOf(Machine, To));
    if (ZydisRegisterGetClass(To) == ZYDIS_REGCLASS_CONTROL)
        return WriteControl(To, *RegisterOf(Machine, From));
    if (ZydisRegisterGetClass(From) == ZYDIS_REGCLASS_DEBUG) {
        *RegisterOf(Machine, To) = ReadDebug(From - ZYDIS_REGISTER_DR0);
        return TRUE;
    }
    return ZydisRegisterGetClass(To) == ZYDIS_REGCLASS_DEBUG &&
           WriteDebug(To - ZYDIS_REGISTER_DR0, *RegisterOf(Machine, From));
}

static void ReadModelSpecific(struct host_cpu *Cpu)
{
    ULONG64 Value = __readmsr((ULONG)Cpu->rcx);
    Cpu->rax = (ULONG)Value;
    Cpu->rdx = Value >> 32;
}

static void WriteModelSpecific(const struct host_cpu *Cpu)
{
    __writemsr((ULONG)Cpu->rcx, Cpu->rdx << 32 | (ULONG)Cpu->rax);
}

/* ---- ports ---- */

static USHORT PortOf(const MACHINE *Machine, ULONG Index)
{
    const ZydisDecodedOperand *Port = Operand(Machine, Index);
    return Port->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? (USHORT)Port->imm.value.u
                                                      : (USHORT)Machine->Cpu->rdx;
}

static void In(const MACHINE *Machine)
{
    Store(Machine, 0, HalReadPort(PortOf(Machine, 1), Operand(Machine, 0)->size / 8));
}

static void Out(const MACHINE *Machine)
{
    HalWritePort(PortOf(Machine, 0), Operand(Machine, 1)->size / 8, (ULONG)Machine->Cpu->rax);
}

/* ins and outs, once or rcx times. */
static void StringPorts(const MACHINE *Machine, BOOLEAN IsIn)
{
    struct host_cpu *Cpu = Machine->Cpu;
    ULONG Bytes = Operand(Machine, IsIn ? 0 : 1)->size / 8;
    BOOLEAN Repeats = (Machine->Instruction->Info.attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    uint64_t *Pointer = IsIn ? &Cpu->rdi : &Cpu->rsi;
    ULONG64 Step = Cpu->eflags & FLAG_DIRECTION ? 0 - (ULONG64)Bytes : Bytes;
    for (ULONG64 Count = Repeats ? Cpu->rcx : 1; Count != 0; Count--) {
        ULONG Value = IsIn ? HalReadPort((USHORT)Cpu->rdx, Bytes) : 0;
        memcpy(IsIn ? (void *)*Pointer : &Value, IsIn ? &Value : (void *)*Pointer, Bytes);
        if (!IsIn)
            HalWritePort((USHORT)Cpu->rdx, Bytes, Value);
        *Pointer += Step;
        Cpu->rcx -= Repeats;
    }
}

/* ---- flags and tables ---- */

static void PushFlags(struct host_cpu *Cpu)
{
    ULONG64 Flags = Cpu->eflags & ~(ULONG64)FLAG_INTERRUPTS;
    Cpu->rsp -= sizeof(Flags);
    *(ULONG64 *)Cpu->rsp = Flags | (KiSelf->InterruptsOff ? 0 : FLAG_INTERRUPTS);
}

static void PopFlags(struct host_cpu *Cpu)
{
    ULONG64 Flags = *(const ULONG64 *)Cpu->rsp;
    Cpu->rsp += sizeof(Flags);
    Cpu->eflags = (ULONG)Flags | FLAG_INTERRUPTS;
    if (Flags & FLAG_INTERRUPTS)
        KeEnableInterrupts_();
    else
        KeDisableInterrupts_();
}

/* A table may be loaded that is there already. */
static BOOLEAN LoadTable(const MACHINE *Machine, void (*Store)(void *))
{
    UCHAR Now[10];
    Store(Now);
    return memcmp(Now, PlaceOf(Machine, 0), sizeof(Now)) == 0;
}

static BOOLEAN Tables(const MACHINE *Machine)
{
    switch (Machine->Instruction->Info.mnemonic) {
    case ZYDIS_MNEMONIC_SGDT:
        _sgdt(PlaceOf(Machine, 0));
        return TRUE;
    case ZYDIS_MNEMONIC_SIDT:
        __sidt(PlaceOf(Machine, 0));
        return TRUE;
    case ZYDIS_MNEMONIC_SLDT:
        Store(Machine, 0, NtReadSelector(7));
        return TRUE;
    case ZYDIS_MNEMONIC_STR:
        Store(Machine, 0, NtReadSelector(6));
        return TRUE;
    case ZYDIS_MNEMONIC_SMSW:
        Store(Machine, 0, __readcr0());
        return TRUE;
    case ZYDIS_MNEMONIC_LGDT:
        return LoadTable(Machine, _sgdt);
    case ZYDIS_MNEMONIC_LIDT:
        return LoadTable(Machine, __sidt);
    default:
        return FALSE;
    }
}

/* ---- the instruction ---- */

/* FALSE: it is not carried out. */
static BOOLEAN CarryOut(const MACHINE *Machine)
{
    switch (Machine->Instruction->Info.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        return Move(Machine);
    case ZYDIS_MNEMONIC_RDMSR:
        ReadModelSpecific(Machine->Cpu);
        return TRUE;
    case ZYDIS_MNEMONIC_WRMSR:
        WriteModelSpecific(Machine->Cpu);
        return TRUE;
    case ZYDIS_MNEMONIC_CLI:
        KeDisableInterrupts_();
        return TRUE;
    case ZYDIS_MNEMONIC_STI:
        KeEnableInterrupts_();
        return TRUE;
    case ZYDIS_MNEMONIC_PUSHFQ:
        PushFlags(Machine->Cpu);
        return TRUE;
    case ZYDIS_MNEMONIC_POPFQ:
        PopFlags(Machine->Cpu);
        return TRUE;
    case ZYDIS_MNEMONIC_HLT: /* until something happens; with interrupts off nothing would */
        YieldProcessor();
        return !KiSelf->InterruptsOff;
    case ZYDIS_MNEMONIC_INVLPG: /* caches and translations are the machine's own affair */
    case ZYDIS_MNEMONIC_WBINVD:
    case ZYDIS_MNEMONIC_CLTS:
        return TRUE;
    case ZYDIS_MNEMONIC_OUT:
        Out(Machine);
        return TRUE;
    case ZYDIS_MNEMONIC_IN:
        In(Machine);
        return TRUE;
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
        StringPorts(Machine, TRUE);
        return TRUE;
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        StringPorts(Machine, FALSE);
        return TRUE;
    default:
        return Tables(Machine);
    }
}

static void Carry(struct host_cpu *Cpu)
{
    LDRP_INSTRUCTION Instruction;
    const MACHINE Machine = {&Instruction, Cpu};
    ULONG64 At = Cpu->rip;
    char Text[128];
    if (!LdrpDecodeOriginal((const void *)At, &Instruction))
        return;
    if (!CarryOut(&Machine)) {
        LdrpInstructionText(&Instruction, At, Text, sizeof(Text));
        VfBugCheck(KMODE_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_PRIVILEGED_INSTRUCTION, At, 0, 0,
                   "a driver's instruction that means nothing here: %s", Text);
    }
    Cpu->rip = LdrpPatchedOf(At + Instruction.Info.length);
}

static BOOLEAN IsPrivileged(const LDRP_INSTRUCTION *Instruction)
{
    switch (Instruction->Info.meta.category) {
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
        return TRUE;
    default:
        return (Instruction->Info.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) != 0 ||
               Instruction->Info.mnemonic == ZYDIS_MNEMONIC_CLI ||
               Instruction->Info.mnemonic == ZYDIS_MNEMONIC_STI;
    }
}

static BOOLEAN OnPrivileged(const struct host_fault *Fault)
{
    LDRP_INSTRUCTION Instruction;
    if (!NT_IS_FOREIGN(Fault->instruction))
        return FALSE;
    if (Fault->kind == HOST_FAULT_BREAKPOINT) {
        if (!LdrpIsTrap(Fault->instruction))
            return FALSE;
        host_fault_continue_at(Fault, Fault->instruction);
    } else if (!Fault->protection || !LdrpDecodeAt(Fault->instruction, &Instruction) ||
               !IsPrivileged(&Instruction)) {
        return FALSE;
    }
    host_fault_divert(Fault, Carry);
    return TRUE;
}

void LdrpInitPrivileged(void)
{
    VfAddFaultClaim(OnPrivileged);
    LdrpInitSharedData();
}
