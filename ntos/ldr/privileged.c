/*
 * Privileged instructions of Windows images: moves from and to control registers, I/O ports, rdmsr.
 *
 * A driver for x64 has IRQL changes inlined as moves from and to cr8. Each faults here; it is
 * carried out on the stack of the driver, not on that of the signal, because lowering IRQL may run
 * DPCs and deliver APCs.
 */
#include "hal/hal.h"
#include "ldr/pe.h"
#include <string.h>

/* [REX] 0F 20 /r: from a control register; 0F 22 /r: to one. */
typedef struct MOVE {
    BOOLEAN ToControl;
    ULONG Control, Register, Bytes;
} MOVE;

static BOOLEAN Decode(const UCHAR *Code, MOVE *Move)
{
    ULONG Rex = (Code[0] & 0xF0) == 0x40 ? Code[0] : 0;
    const UCHAR *Opcode = Code + (Rex != 0);
    if (Opcode[0] != 0x0F || (Opcode[1] != 0x20 && Opcode[1] != 0x22))
        return FALSE;
    *Move = (MOVE){.ToControl = Opcode[1] == 0x22,
                   .Control = (Opcode[2] >> 3 & 7) | (Rex & 4) << 1,
                   .Register = (Opcode[2] & 7) | (Rex & 1) << 3,
                   .Bytes = 3 + (Rex != 0)};
    return TRUE;
}

static BOOLEAN CanDo(const MOVE *Move)
{
    return Move->Control == 8 ||
           (!Move->ToControl && (Move->Control == 0 || (Move->Control >= 2 && Move->Control <= 4)));
}

static ULONG64 ReadControl(ULONG Control)
{
    switch (Control) {
    case 0:
        return __readcr0();
    case 2:
        return __readcr2();
    case 3:
        return __readcr3();
    case 4:
        return __readcr4();
    default:
        return KeGetCurrentIrql();
    }
}

static void SetIrql(ULONG64 Value)
{
    if (Value > KeGetCurrentIrql())
        KfRaiseIrql((KIRQL)Value);
    else
        KeLowerIrql((KIRQL)Value);
}

/* [66] [F3] E4..E7 ib, EC..EF, 6C..6F: in, out and their string forms. Code has 4 bytes. */
typedef struct PORT_ACCESS {
    BOOLEAN Out, String, Repeat, Immediate;
    ULONG Bytes, Length; /* of the access, of the instruction */
    UCHAR Port;
} PORT_ACCESS;

static BOOLEAN DecodePort(const UCHAR *Code, PORT_ACCESS *Access)
{
    ULONG At = 0;
    *Access = (PORT_ACCESS){.Bytes = 4};
    for (; At < 3 && (Code[At] == 0x66 || Code[At] == 0xF3 || (Code[At] & 0xF0) == 0x40); At++) {
        Access->Bytes = Code[At] == 0x66 ? 2 : Access->Bytes;
        Access->Repeat |= Code[At] == 0xF3;
    }
    UCHAR Opcode = Code[At];
    Access->String = (Opcode & 0xFC) == 0x6C;
    Access->Immediate = (Opcode & 0xFC) == 0xE4;
    if (!Access->String && !Access->Immediate && (Opcode & 0xFC) != 0xEC)
        return FALSE;
    if (Access->Immediate && At == 3)
        return FALSE;
    Access->Out = (Opcode & 2) != 0;
    if (!(Opcode & 1))
        Access->Bytes = 1;
    Access->Length = At + 1 + Access->Immediate;
    Access->Port = Access->Immediate ? Code[At + 1] : 0;
    return TRUE;
}

static void CarryString(struct host_cpu *Cpu, const PORT_ACCESS *Access)
{
    uint64_t *Pointer = Access->Out ? &Cpu->rsi : &Cpu->rdi;
    for (ULONG64 Left = Access->Repeat ? Cpu->rcx : 1; Left != 0; Left--) {
        ULONG Value = 0;
        if (Access->Out) {
            memcpy(&Value, (const void *)*Pointer, Access->Bytes);
            HalWritePort((USHORT)Cpu->rdx, Access->Bytes, Value);
        } else {
            Value = HalReadPort((USHORT)Cpu->rdx, Access->Bytes);
            memcpy((void *)*Pointer, &Value, Access->Bytes);
        }
        *Pointer += Access->Bytes; /* the direction flag is clear in both conventions */
    }
    if (Access->Repeat)
        Cpu->rcx = 0;
}

static void CarryPort(struct host_cpu *Cpu, const PORT_ACCESS *Access)
{
    USHORT Port = Access->Immediate ? Access->Port : (USHORT)Cpu->rdx;
    Cpu->rip += Access->Length;
    if (Access->String) {
        CarryString(Cpu, Access);
    } else if (Access->Out) {
        HalWritePort(Port, Access->Bytes, (ULONG)Cpu->rax);
    } else if (Access->Bytes == 4) {
        Cpu->rax = HalReadPort(Port, 4);
    } else {
        ULONG Value = HalReadPort(Port, Access->Bytes);
        memcpy(&Cpu->rax, &Value, Access->Bytes);
    }
}

static void Carry(struct host_cpu *Cpu)
{
    UCHAR Code[4];
    MOVE Move;
    PORT_ACCESS Access;
    host_copy(Code, (const void *)Cpu->rip, sizeof(Code));
    if (DecodePort(Code, &Access)) {
        CarryPort(Cpu, &Access);
        return;
    }
    if (!Decode(Code, &Move))
        return;
    ULONG64 *Register = (ULONG64 *)&Cpu->rax + Move.Register;
    Cpu->rip += Move.Bytes;
    if (Move.ToControl)
        SetIrql(*Register & 15);
    else
        *Register = ReadControl(Move.Control);
}

static BOOLEAN OnPrivileged(const struct host_fault *Fault)
{
    UCHAR Code[4];
    MOVE Move;
    PORT_ACCESS Access;
    if (!Fault->protection || !NT_IS_FOREIGN(Fault->instruction) ||
        !host_copy(Code, Fault->instruction, sizeof(Code)) ||
        (!DecodePort(Code, &Access) && (!Decode(Code, &Move) || !CanDo(&Move))))
        return FALSE;
    host_fault_divert(Fault, Carry);
    return TRUE;
}

/* rdmsr: register ecx to edx:eax. One that has no meaning here raises what the instruction does. */
static void CarryMsr(struct host_cpu *Cpu)
{
    ULONG64 Value = __readmsr((unsigned)Cpu->rcx);
    Cpu->rax = (ULONG)Value;
    Cpu->rdx = Value >> 32;
    Cpu->rip += 2;
}

static BOOLEAN OnReadMsr(const struct host_fault *Fault)
{
    UCHAR Code[2];
    if (!Fault->protection || !NT_IS_FOREIGN(Fault->instruction) ||
        !host_copy(Code, Fault->instruction, sizeof(Code)) || Code[0] != 0x0F || Code[1] != 0x32)
        return FALSE;
    host_fault_divert(Fault, CarryMsr);
    return TRUE;
}

void LdrpInitPrivileged(void)
{
    VfAddFaultClaim(OnPrivileged);
    VfAddFaultClaim(OnReadMsr);
}
