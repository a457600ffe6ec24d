/*
 * Privileged instructions of Windows images: moves from and to control registers.
 *
 * A driver for x64 has IRQL changes inlined as moves from and to cr8. Each faults here; it is
 * carried out on the stack of the driver, not on that of the signal, because lowering IRQL may run
 * DPCs and deliver APCs.
 */
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

static void Carry(struct host_cpu *Cpu)
{
    UCHAR Code[4];
    MOVE Move;
    memcpy(Code, (const void *)Cpu->rip, sizeof(Code));
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
    if (!Fault->protection || !NT_IS_FOREIGN(Fault->instruction) ||
        !host_copy(Code, Fault->instruction, sizeof(Code)) || !Decode(Code, &Move) || !CanDo(&Move))
        return FALSE;
    host_fault_divert(Fault, Carry);
    return TRUE;
}

void LdrpInitPrivileged(void)
{
    VfAddFaultClaim(OnPrivileged);
}
