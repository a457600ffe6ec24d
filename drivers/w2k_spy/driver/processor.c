/* Functions 2, 3 and 5: segments, gates, registers. The caller's thread stays on one processor
 * while it looks. */
#include "spy.h"
#include "processor.h"

#define SELECTOR_LDT 4
#define SEGMENT_S (1ULL << 44)
#define SEGMENT_PRESENT (1ULL << 47)
#define SEGMENT_PAGES (1ULL << 55)
#define GATE_TASK 5

typedef struct _TABLE {
    ULONG_PTR Base;
    ULONG Limit;
} TABLE;

static VOID StayHere(VOID)
{
    KeSetSystemAffinityThread((KAFFINITY)1 << KeGetCurrentProcessorNumber());
}

static VOID Gdt(SPY_TABLE *Table)
{
    RtlZeroMemory(Table, sizeof(*Table));
    CpuStoreGdt(&Table->wLimit);
}

static VOID Idt(SPY_TABLE *Table)
{
    RtlZeroMemory(Table, sizeof(*Table));
    CpuStoreIdt(&Table->wLimit);
}

static TABLE Plain(const SPY_TABLE *Table)
{
    TABLE Result;

#ifdef _WIN64
    Result.Base = Table->qBase;
#else
    Result.Base = Table->dBase;
#endif
    Result.Limit = Table->wLimit;
    return Result;
}

/* All Bytes lie within the limit. */
static BOOLEAN ReadTable(const TABLE *Table, ULONG At, PVOID To, ULONG Bytes)
{
    return At + Bytes - 1 <= Table->Limit && SpyRead(To, (PVOID)(Table->Base + At), Bytes) == Bytes;
}

static ULONGLONG Low(const SPY_DESCRIPTOR *Descriptor)
{
    ULONGLONG Value;

    RtlCopyMemory(&Value, Descriptor, sizeof(Value));
    return Value;
}

static VOID Decode(SPY_SEGMENT *Segment)
{
    ULONGLONG Value = Low(&Segment->Descriptor);
    ULONG_PTR Base = (ULONG_PTR)((Value >> 16 & 0xFFFFFF) | (Value >> 32 & 0xFF000000));

#ifdef _WIN64
    if (!(Value & SEGMENT_S))
        Base |= Segment->Descriptor.qHigh << 32;
#endif
    Segment->pBase = (PVOID)Base;
    Segment->dLimit = (ULONG)((Value & 0xFFFF) | (Value >> 32 & 0xF0000));
    if (Value & SEGMENT_PAGES)
        Segment->dLimit = Segment->dLimit << 12 | 0xFFF;
}

static BOOLEAN ReadDescriptor(const TABLE *Table, ULONG At, SPY_DESCRIPTOR *Descriptor)
{
    RtlZeroMemory(Descriptor, sizeof(*Descriptor));
    if (!ReadTable(Table, At, Descriptor, 8) || !Low(Descriptor))
        return FALSE;
#ifdef _WIN64
    if (!(Low(Descriptor) & SEGMENT_S)) /* a system descriptor has two halves */
        return ReadTable(Table, At + 8, &Descriptor->qHigh, 8);
#endif
    return TRUE;
}

static VOID Segment(ULONG Selector, SPY_SEGMENT *Out);

static BOOLEAN LocalTable(TABLE *Table)
{
    ULONG Selector = CpuSelector(CPU_LDT);
    SPY_SEGMENT Ldt;

    if (!Selector || (Selector & SELECTOR_LDT))
        return FALSE;
    Segment(Selector, &Ldt);
    Table->Base = (ULONG_PTR)Ldt.pBase;
    Table->Limit = Ldt.dLimit;
    return (BOOLEAN)Ldt.fOk;
}

static VOID Segment(ULONG Selector, SPY_SEGMENT *Out)
{
    SPY_TABLE Global;
    TABLE Table;

    RtlZeroMemory(Out, sizeof(*Out));
    Out->Selector.wValue = (USHORT)Selector;
    if (Selector > 0xFFFF || !(Selector & 0xFFFC))
        return;
    Gdt(&Global);
    Table = Plain(&Global);
    if ((Selector & SELECTOR_LDT) && !LocalTable(&Table))
        return;
    if (!ReadDescriptor(&Table, Selector & 0xFFF8, &Out->Descriptor)) {
        RtlZeroMemory(&Out->Descriptor, sizeof(Out->Descriptor));
        return;
    }
    Decode(Out);
    Out->fOk = TRUE;
}

NTSTATUS SpySegment(SPY_REQUEST *Request)
{
    StayHere();
    Segment(Request->In.Number, Request->Buffer);
    KeRevertToUserAffinityThread();
    return STATUS_SUCCESS;
}

static PVOID Offset(const SPY_GATE *Gate)
{
    ULONGLONG Value = Low(Gate);
    ULONG_PTR Offset = (ULONG_PTR)((Value & 0xFFFF) | (Value >> 32 & 0xFFFF0000));

#ifdef _WIN64
    Offset |= Gate->qHigh << 32;
#endif
    return (Value >> 40 & 0x1F) == GATE_TASK ? NULL : (PVOID)Offset;
}

static VOID Interrupt(ULONG Vector, SPY_INTERRUPT *Out)
{
    SPY_TABLE Interrupts;
    TABLE Table;

    RtlZeroMemory(Out, sizeof(*Out));
    Out->Selector.wValue = (USHORT)(Vector << 3);
    Idt(&Interrupts);
    Table = Plain(&Interrupts);
    if (Vector > 0xFF ||
        !ReadTable(&Table, Vector * sizeof(SPY_GATE), &Out->Gate, sizeof(SPY_GATE)) ||
        !(Low(&Out->Gate) & SEGMENT_PRESENT)) {
        RtlZeroMemory(&Out->Gate, sizeof(Out->Gate));
        return;
    }
    Segment((ULONG)(Low(&Out->Gate) >> 16 & 0xFFFF), &Out->Segment);
    Out->pOffset = Offset(&Out->Gate);
    Out->fOk = Out->Segment.fOk;
}

NTSTATUS SpyInterrupt(SPY_REQUEST *Request)
{
    StayHere();
    Interrupt(Request->In.Number, Request->Buffer);
    KeRevertToUserAffinityThread();
    return STATUS_SUCCESS;
}

static VOID Registers(SPY_CPU_INFO *Out)
{
    Out->cr0 = (ULONG_PTR)__readcr0();
    Out->cr2 = (ULONG_PTR)__readcr2();
    Out->cr3 = (ULONG_PTR)__readcr3();
#ifdef _WIN64
    Out->cr4 = (ULONG_PTR)__readcr4();
    Out->cr8 = KeGetCurrentIrql();
    Out->efer = __readmsr(MSR_EFER);
    Out->qFsBase = __readmsr(MSR_FS_BASE);
    Out->qGsBase = __readmsr(MSR_GS_BASE);
    Out->qKernelGsBase = __readmsr(MSR_KERNEL_GS_BASE);
    Out->dProcessor = KeGetCurrentProcessorNumber();
#endif
}

NTSTATUS SpyCpuInfo(SPY_REQUEST *Request)
{
    SPY_CPU_INFO *Out = Request->Buffer;

    RtlZeroMemory(Out, sizeof(*Out));
    StayHere();
    Registers(Out);
    Segment(CpuSelector(CPU_CS), &Out->cs);
    Segment(CpuSelector(CPU_DS), &Out->ds);
    Segment(CpuSelector(CPU_ES), &Out->es);
    Segment(CpuSelector(CPU_FS), &Out->fs);
    Segment(CpuSelector(CPU_GS), &Out->gs);
    Segment(CpuSelector(CPU_SS), &Out->ss);
    Segment(CpuSelector(CPU_TR), &Out->tss);
    Idt(&Out->idt);
    Gdt(&Out->gdt);
    Out->ldt.wValue = CpuSelector(CPU_LDT);
    KeRevertToUserAffinityThread();
    return STATUS_SUCCESS;
}
