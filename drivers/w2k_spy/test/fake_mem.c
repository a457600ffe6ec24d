/*
 * w2k_mem against a device that is not there: everything it answers is fixed, so what the program
 * prints is fixed as well (test/golden/). tests/golden_w2k_spy.sh compares.
 */
#include "../client/mem.h"
#include <stdlib.h>
#include <string.h>

#define MEMORY ((ULONG_PTR)0x7C0000000000) /* three pages; the middle one is not there */
#define PAGE 0x1000

static BOOL there(ULONG_PTR Address)
{
    ULONG_PTR Offset = Address - MEMORY;

    return Offset < PAGE || (Offset >= 2 * PAGE && Offset < 3 * PAGE);
}

static UCHAR byte_at(ULONG_PTR Address)
{
    static const char Text[] = "The quick brown fox\0\1\2\x7f\xff jumps over";

    if ((Address & 0xFF0) == 0x40)
        return (UCHAR)(Address & 15 ? 0 : 0x80); /* a pointer to 0x80 */
    return (UCHAR)Text[Address % (sizeof(Text) - 1)];
}

static BOOL memory(DWORD Code, const SPY_MEMORY_BLOCK *Block, void *Out)
{
    SPY_MEMORY_DATA *Data = Out;

    for (ULONG i = 0; i < Block->dBytes; i++) {
        ULONG_PTR At = (ULONG_PTR)Block->pAddress + i;

        if (Code == (DWORD)SPY_IO_MEMORY_BLOCK && !there(At))
            return FALSE;
        if (Code == (DWORD)SPY_IO_MEMORY_BLOCK)
            ((UCHAR *)Out)[i] = byte_at(At);
        else
            Data->awData[i] = there(At) ? byte_at(At) | SPY_BYTE_VALID : 0;
    }
    return TRUE;
}

static void segment(ULONG Selector, SPY_SEGMENT *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->Selector.wValue = (USHORT)Selector;
    Out->fOk = Selector == 0x10 || Selector == 0x18 || Selector == 0x2B || Selector == 0x28 ||
               Selector == 0x40;
    if (!Out->fOk)
        return;
    Out->Descriptor.qLow = Selector == 0x10   ? 0x00209B0000000000
                           : Selector == 0x40 ? 0x00008B0000000067
                                              : 0x00CF93000000FFFF;
    Out->pBase = (PVOID)(Selector == 0x40 ? MEMORY + 0x80 : 0);
    Out->dLimit = Selector == 0x40 ? 0x67 : Selector == 0x10 ? 0 : 0xFFFFFFFF;
}

static void interrupt(ULONG Vector, SPY_INTERRUPT *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->fOk = Vector == 14 || Vector == 3;
    if (!Out->fOk)
        return;
    Out->Gate.qLow = 0x00008E0000100000 | (Vector == 3 ? 0x0000600000000000 : 0);
    segment(0x10, &Out->Segment);
    Out->pOffset = (PVOID)(MEMORY + 0x1000 * Vector);
}

static void cpu(SPY_CPU_INFO *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->cr0 = 0x80050033;
    Out->cr3 = 0x243000;
    Out->cr4 = 0x406B0;
    Out->efer = 0xD01;
    segment(0x10, &Out->cs);
    segment(0x2B, &Out->ds);
    segment(0x2B, &Out->es);
    segment(0x53, &Out->fs);
    segment(0x2B, &Out->gs);
    segment(0x18, &Out->ss);
    segment(0x40, &Out->tss);
    Out->gdt.qBase = MEMORY;
    Out->gdt.wLimit = 0x57;
    Out->idt.qBase = MEMORY + PAGE;
    Out->idt.wLimit = 0xFFF;
}

static void os(SPY_OS_INFO *Out)
{
    static const WCHAR Root[] = L"C:\\Windows";

    memset(Out, 0, sizeof(*Out));
    Out->dPageSize = PAGE;
    Out->dPageShift = 12;
    Out->pSystemRangeStart = (PVOID)MEMORY;
    Out->pProcessorControlRegion = (PVOID)(MEMORY + 0x30);
    if (getenv("FAKE"))
        Out->pThreadEnvironmentBlock = (PVOID)(MEMORY + 0x30);
    Out->dNumberProcessors = 2;
    Out->dProductType = 1;
    Out->dBuildNumber = 19045;
    Out->dNtMajorVersion = 10;
    memcpy(Out->awNtSystemRoot, Root, sizeof(Root));
}

static void entry(ULONG_PTR Address, SPY_PAGE_ENTRY *Out)
{
    memset(Out, 0, sizeof(*Out));
    Out->fPresent = there(Address);
    Out->pe = Out->fPresent ? 0x5063 : 0;
    Out->dLevel = Address - MEMORY < 0x200000 ? 1 : 4;
    Out->dSize = Out->dLevel == 1 ? PAGE : (ULONG_PTR)1 << 39;
    if (Out->dLevel == 4 && Address >= MEMORY && Address - MEMORY < (ULONG_PTR)1 << 39)
        Out->dSize = 0x200000;
}

static BOOL answer(void *Context, DWORD Code, const void *In, DWORD InLength, void *Out,
                   DWORD OutLength, DWORD *Returned)
{
    PVOID Address = NULL;

    (void)Context;
    if (InLength >= sizeof(Address))
        memcpy(&Address, In, sizeof(Address));
    *Returned = OutLength;
    switch (Code) {
    case SPY_IO_OS_INFO:
        os(Out);
        return TRUE;
    case SPY_IO_CPU_INFO:
        cpu(Out);
        return TRUE;
    case SPY_IO_SEGMENT:
        segment(*(const ULONG *)In, Out);
        return TRUE;
    case SPY_IO_INTERRUPT:
        interrupt(*(const ULONG *)In, Out);
        return TRUE;
    case SPY_IO_PHYSICAL:
        *(ULONGLONG *)Out =
            there((ULONG_PTR)Address) ? 0x5000 + ((ULONG_PTR)Address - MEMORY) * 3 : 0;
        return TRUE;
    case SPY_IO_PAGE_ENTRY:
        entry((ULONG_PTR)Address, Out);
        return TRUE;
    case SPY_IO_HANDLE_INFO:
        ((SPY_HANDLE_INFO *)Out)->pObjectBody = (PVOID)(MEMORY + 0x100);
        return TRUE;
    case SPY_IO_MEMORY_DATA:
    case SPY_IO_MEMORY_BLOCK:
        return memory(Code, In, Out);
    default:
        return FALSE;
    }
}

int main(int Count, char **Arguments)
{
    DEVICE Device = {answer, NULL};

    ClientName = "w2k_mem";
    Output.File = stdout;
    for (; Count > 1 && !strncmp(Arguments[1], "--", 2); Count--, Arguments++)
        if (!strcmp(Arguments[1], "--json"))
            Output.Json = TRUE;
        else
            Output.Colour = TRUE;
    return MemRun(&Device, Count - 1, Arguments + 1);
}
