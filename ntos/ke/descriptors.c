/*
 * Descriptor tables and control registers of the virtual processors, laid out as x64 NT lays them
 * out. Nobody executes through them: they describe what is. A gate is present for each event that
 * the executive serves, and points at the routine that does.
 *
 * A processor has two pages (mm's frames): the GDT with the TSS behind it, and the IDT.
 */
#include "ke/ki.h"

#include <intrin.h>

#define KI_TSS_AT 0x80 /* in the first page */
#define KI_CODE 0x10
#define KI_STACK 0x18
#define KI_DATA 0x2B
#define KI_TASK 0x40
#define KI_TEB32 0x53
#define KI_INTERRUPT_GATE 0x8E

typedef struct KI_GATE {
    USHORT OffsetLow, Selector;
    UCHAR Stack, Type;
    USHORT OffsetMiddle;
    ULONG OffsetHigh, Reserved;
} KI_GATE;
_Static_assert(sizeof(KI_GATE) == 16, "as the processor reads it");

typedef struct KI_TSS { /* KTSS64 */
    ULONG Reserved0;
    ULONG64 Rsp[3], Ist[8]; /* zero: no stack is switched to */
    ULONG64 Reserved1;
    USHORT Reserved2, IoMapBase;
} __attribute__((packed)) KI_TSS;
_Static_assert(sizeof(KI_TSS) == 0x68, "as the processor reads it");

static void KiFillGdt(ULONG64 *Gdt, ULONG_PTR Tss)
{
    Gdt[KI_CODE / 8] = 0x00209B0000000000;
    Gdt[KI_STACK / 8] = 0x00CF93000000FFFF;
    Gdt[0x20 / 8] = 0x00CFFB000000FFFF; /* 32-bit user code */
    Gdt[KI_DATA / 8] = 0x00CFF3000000FFFF;
    Gdt[0x30 / 8] = 0x0020FB0000000000; /* user code */
    Gdt[KI_TASK / 8] = (sizeof(KI_TSS) - 1) | (Tss & 0xFFFFFF) << 16 | (ULONG64)0x8B << 40 |
                       (Tss >> 24 & 0xFF) << 56;
    Gdt[KI_TASK / 8 + 1] = Tss >> 32;
    Gdt[KI_TEB32 / 8] = 0x0040F30000003C00;
}

static void KiSetGate(KI_GATE *Idt, ULONG Vector, const void *Routine, UCHAR Privilege)
{
    ULONG_PTR Offset = (ULONG_PTR)Routine;

    Idt[Vector] = (KI_GATE){.OffsetLow = (USHORT)Offset,
                            .Selector = KI_CODE,
                            .Type = KI_INTERRUPT_GATE | Privilege << 5,
                            .OffsetMiddle = (USHORT)(Offset >> 16),
                            .OffsetHigh = (ULONG)(Offset >> 32)};
}

static void KiFillIdt(KI_GATE *Idt)
{
    /* What Linux tells as SIGFPE, SIGTRAP, SIGILL, SIGSEGV and SIGBUS: divide error, invalid
     * instruction, used-up stack (double fault), protection, page fault, arithmetic, alignment. */
    static const UCHAR Faults[] = {0, 6, 8, 12, 13, 14, 16, 17, 19};
    static const UCHAR Requested[] = {3, 0x29, 0x2C, 0x2D}; /* by int n, from user mode too */

    for (ULONG i = 0; i < RTL_NUMBER_OF(Faults); i++)
        KiSetGate(Idt, Faults[i], VfOnFault, 0);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Requested); i++)
        KiSetGate(Idt, Requested[i], VfOnFault, 3);
    KiSetGate(Idt, 0x2F, KiRunDpcs, 0);
    KiSetGate(Idt, 0xD1, KiClockThread, 0);
    KiSetGate(Idt, 0xE1, KiAnswerIpi, 0);
}

static void KiShowDescriptors(KTHREAD_NT *Thread)
{
    Thread->Pcr.Pcr.GdtBase = Thread->Prcb->Gdt;
    Thread->Pcr.Pcr.TssBase = Thread->Prcb->Tss;
    Thread->Pcr.Pcr.IdtBase = Thread->Prcb->Idt;
}

/* Two pages for a processor, at start-up: the calling thread (if it is attached) and ke's own are
 * told. */
void KeSetDescriptorTables_(ULONG Number, PVOID Pages)
{
    KPRCB *Prcb = &KiState.Prcbs[Number];

    memset(Pages, 0, KE_DESCRIPTOR_BYTES);
    Prcb->Gdt = Pages;
    Prcb->Tss = (PVOID)((char *)Pages + KI_TSS_AT);
    Prcb->Idt = (PVOID)((char *)Pages + PAGE_SIZE);
    KiFillGdt(Pages, (ULONG_PTR)Prcb->Tss);
    ((KI_TSS *)(PVOID)Prcb->Tss)->IoMapBase = sizeof(KI_TSS);
    KiFillIdt((PVOID)Prcb->Idt);
    KiShowDescriptors(Prcb->DpcThread);
    KiShowDescriptors(Prcb->ThreadedDpcThread);
    if (KiSelf)
        KiShowDescriptors(KiSelf);
}

#pragma pack(push, 2)
typedef struct KI_TABLE {
    USHORT Limit;
    ULONG64 Base;
} KI_TABLE;
#pragma pack(pop)

void _sgdt(void *Destination)
{
    KI_TABLE Table = {0x57, (ULONG_PTR)KiSelf->Prcb->Gdt};

    memcpy(Destination, &Table, sizeof(Table));
}

void __sidt(void *Destination)
{
    KI_TABLE Table = {256 * sizeof(KI_GATE) - 1, (ULONG_PTR)KiSelf->Prcb->Idt};

    memcpy(Destination, &Table, sizeof(Table));
}

unsigned short NtReadSelector(unsigned Register)
{
    static const USHORT Selectors[] = {KI_CODE, KI_DATA,  KI_DATA, KI_TEB32,
                                       KI_DATA, KI_STACK, KI_TASK, 0};

    return Register < RTL_NUMBER_OF(Selectors) ? Selectors[Register] : 0;
}

/* Protection, paging, and write protection of the kernel's own read-only pages. */
unsigned long long __readcr0(void)
{
    return 0x80050033;
}

/* The last page fault's address. */
unsigned long long __readcr2(void)
{
    return (ULONG_PTR)VfLastFaultAddress();
}

/* Physical address extension, large and global pages; XMM state; GS base and XSAVE as found. */
unsigned long long __readcr4(void)
{
    ULONG64 Value = 0x6B0;
    int Registers[4];

    __cpuid(Registers, 1);
    return Registers[2] & 1 << 27 ? Value | 1ull << 18 : Value;
}

unsigned long long __readcr8(void)
{
    return KeGetCurrentIrql();
}

void __writecr8(unsigned long long Value)
{
    KeSetIrql_(Value);
}
