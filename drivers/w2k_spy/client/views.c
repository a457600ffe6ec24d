/* The system as the kernel sees it: OS, processor, descriptor tables, blocks of memory. */
#include "mem.h"
#include <string.h>

#define DIGITS ((int)sizeof(PVOID) * 2)

static BOOL Failed(const char *What)
{
    ClientFails(What, GetLastError());
    return FALSE;
}

/* ---- operating system ---- */

static const char *Product(ULONG Type)
{
    static const char *const Names[] = {"unknown", "workstation", "domain controller", "server"};

    return Type < 4 ? Names[Type] : "unknown";
}

static void OsMemory(const SPY_OS_INFO *Os)
{
    if (!Output.Json)
        OutputTitle("Memory");
    OutputNumber("page_size", "page size", Os->dPageSize, FALSE);
    OutputNumber("page_shift", "page shift", Os->dPageShift, FALSE);
    OutputNumber("pti_shift", "page table index shift", Os->dPtiShift, FALSE);
    OutputNumber("pdi_shift", "page directory index shift", Os->dPdiShift, FALSE);
#ifdef _WIN64
    OutputNumber("ppi_shift", "directory pointer shift", Os->dPpiShift, FALSE);
    OutputNumber("pxi_shift", "top level shift", Os->dPxiShift, FALSE);
#endif
    OutputNumber("page_mask", "page mask", Os->dPageMask, TRUE);
    OutputNumber("pti_mask", "page table index mask", Os->dPtiMask, TRUE);
    OutputNumber("pdi_mask", "page directory index mask", Os->dPdiMask, TRUE);
#ifdef _WIN64
    OutputNumber("ppi_mask", "directory pointer mask", Os->dPpiMask, TRUE);
    OutputNumber("pxi_mask", "top level mask", Os->dPxiMask, TRUE);
#endif
    OutputNumber("pte_array", "page table window", (ULONG_PTR)Os->PteArray, TRUE);
    OutputNumber("pde_array", "page directory window", (ULONG_PTR)Os->PdeArray, TRUE);
}

static void OsAddresses(const SPY_OS_INFO *Os)
{
    if (!Output.Json)
        OutputTitle("Addresses");
    OutputNumber("lowest_user", "lowest user address", (ULONG_PTR)Os->pLowestUserAddress, TRUE);
    OutputNumber("teb", "thread environment block", (ULONG_PTR)Os->pThreadEnvironmentBlock, TRUE);
    OutputNumber("highest_user", "highest user address", (ULONG_PTR)Os->pHighestUserAddress, TRUE);
    OutputNumber("user_probe", "user probe address", (ULONG_PTR)Os->pUserProbeAddress, TRUE);
    OutputNumber("system_start", "system range start", (ULONG_PTR)Os->pSystemRangeStart, TRUE);
    OutputNumber("lowest_system", "lowest system address", (ULONG_PTR)Os->pLowestSystemAddress,
                 TRUE);
    OutputNumber("shared_user_data", "shared user data", (ULONG_PTR)Os->pSharedUserData, TRUE);
    OutputNumber("pcr", "processor control region", (ULONG_PTR)Os->pProcessorControlRegion, TRUE);
    OutputNumber("prcb", "processor control block", (ULONG_PTR)Os->pProcessorControlBlock, TRUE);
}

static void OsSystem(const SPY_OS_INFO *Os)
{
    char Root[SPY_SYSTEM_ROOT + 1], Version[64];
    int i;

    for (i = 0; i < SPY_SYSTEM_ROOT && Os->awNtSystemRoot[i]; i++)
        Root[i] = Os->awNtSystemRoot[i] < 0x80 ? (char)Os->awNtSystemRoot[i] : '?';
    Root[i] = 0;
    snprintf(Version, sizeof(Version), "%u.%u build %u", (unsigned)Os->dNtMajorVersion,
             (unsigned)Os->dNtMinorVersion, (unsigned)Os->dBuildNumber & 0xFFFF);
    if (!Output.Json)
        OutputTitle("System");
    OutputNumber("global_flag", "global flag", Os->dGlobalFlag, TRUE);
    OutputNumber("machine_type", "machine type", Os->dI386MachineType, FALSE);
    OutputNumber("processors", "processors", Os->dNumberProcessors, FALSE);
    if (Output.Json) {
        JsonText("product", Product(Os->dProductType));
        JsonText("version", Version);
        JsonText("system_root", Root);
        return;
    }
    fprintf(Output.File, "  %-28s %s\n  %-28s %s\n  %-28s %s\n", "product",
            Product(Os->dProductType), "version", Version, "system root", Root);
}

BOOL ViewOs(DEVICE *Device)
{
    SPY_OS_INFO Os;

    if (!DEVICE_GET(Device, SPY_IO_OS_INFO, &Os))
        return Failed("the system does not tell about itself");
    if (Output.Json)
        JsonOpen("os", '{');
    OsMemory(&Os);
    OsAddresses(&Os);
    OsSystem(&Os);
    if (Output.Json)
        JsonClose('}');
    return TRUE;
}

/* ---- segments ---- */

static ULONGLONG Low(const SPY_DESCRIPTOR *Descriptor)
{
    ULONGLONG Value;

    memcpy(&Value, Descriptor, sizeof(Value));
    return Value;
}

static const char *SegmentType(const SPY_DESCRIPTOR *Descriptor)
{
    static const char *const System[] = {
        "?", "TSS16 available", "LDT", "TSS16 busy", "call 16", "task", "interrupt 16", "trap 16",
        "?", "TSS available",   "?",   "TSS busy",   "call",    "?",    "interrupt",    "trap"};
    static const char *const Application[] = {
        "data r", "data ra", "data rw", "data rwa", "stack r", "stack ra", "stack rw", "stack rwa",
        "code x", "code xa", "code xr", "code xra", "conf x",  "conf xa",  "conf xr",  "conf xra"};
    unsigned Type = (unsigned)(Low(Descriptor) >> 40) & 0x1F;

    return Type & 0x10 ? Application[Type & 0xF] : System[Type];
}

static void Segment(const char *Name, const SPY_SEGMENT *Segment)
{
    unsigned Privilege = (unsigned)(Low(&Segment->Descriptor) >> 45) & 3;

    if (Output.Json) {
        JsonOpen(Name, '{');
        JsonNumber("selector", Segment->Selector.wValue);
        JsonNumber("ok", Segment->fOk != 0);
        if (Segment->fOk) {
            JsonNumber("base", (ULONG_PTR)Segment->pBase);
            JsonNumber("limit", Segment->dLimit);
            JsonNumber("dpl", Privilege);
            JsonText("type", SegmentType(&Segment->Descriptor));
        }
        JsonClose('}');
        return;
    }
    fprintf(Output.File, "  %-4s %04X", Name ? Name : "", Segment->Selector.wValue);
    if (Segment->fOk)
        fprintf(Output.File, "  %0*llX  %08X   %u   %s", DIGITS,
                (unsigned long long)(ULONG_PTR)Segment->pBase, (unsigned)Segment->dLimit, Privilege,
                SegmentType(&Segment->Descriptor));
    fputc('\n', Output.File);
}

static void SegmentHeader(void)
{
    if (Output.Json)
        return;
    OutputInk(INK_FAINT);
    fprintf(Output.File, "  %-4s %s  %-*s  %-8s  DPL  type\n", "", "sel.", DIGITS, "base", "limit");
    OutputInk(INK_PLAIN);
}

/* ---- processor ---- */

static void Table(const char *Name, const char *Words, const SPY_TABLE *Table)
{
#ifdef _WIN64
    ULONGLONG Base = Table->qBase;
#else
    ULONGLONG Base = Table->dBase;
#endif

    if (Output.Json) {
        JsonOpen(Name, '{');
        JsonNumber("base", Base);
        JsonNumber("limit", Table->wLimit);
        JsonClose('}');
    } else {
        fprintf(Output.File, "  %-28s 0x%0*llX, limit 0x%04X\n", Words, DIGITS,
                (unsigned long long)Base, Table->wLimit);
    }
}

static void Registers(const SPY_CPU_INFO *Cpu)
{
    OutputNumber("cr0", "CR0", Cpu->cr0, TRUE);
    OutputNumber("cr2", "CR2", Cpu->cr2, TRUE);
    OutputNumber("cr3", "CR3", Cpu->cr3, TRUE);
#ifdef _WIN64
    OutputNumber("cr4", "CR4", Cpu->cr4, TRUE);
    OutputNumber("cr8", "CR8", Cpu->cr8, TRUE);
    OutputNumber("efer", "EFER", Cpu->efer, TRUE);
    OutputNumber("fs_base", "FS base", Cpu->qFsBase, TRUE);
    OutputNumber("gs_base", "GS base", Cpu->qGsBase, TRUE);
    OutputNumber("user_gs_base", "GS base of user mode", Cpu->qKernelGsBase, TRUE);
#endif
}

BOOL ViewCpu(DEVICE *Device)
{
    SPY_CPU_INFO Cpu;

    if (!DEVICE_GET(Device, SPY_IO_CPU_INFO, &Cpu))
        return Failed("the processor does not tell about itself");
    if (Output.Json)
        JsonOpen("cpu", '{');
#ifdef _WIN64
    if (!Output.Json)
        fprintf(Output.File, "\n");
    OutputNumber("processor", "processor", Cpu.dProcessor, FALSE);
#endif
    if (!Output.Json)
        OutputTitle("Kernel-mode segments");
    SegmentHeader();
    Segment("cs", &Cpu.cs);
    Segment("ds", &Cpu.ds);
    Segment("es", &Cpu.es);
    Segment("fs", &Cpu.fs);
    Segment("gs", &Cpu.gs);
    Segment("ss", &Cpu.ss);
    Segment("tss", &Cpu.tss);
    if (!Output.Json)
        OutputTitle("Registers");
    Table("idt", "IDT", &Cpu.idt);
    Table("gdt", "GDT", &Cpu.gdt);
    OutputNumber("ldt", "LDT selector", Cpu.ldt.wValue, FALSE);
    Registers(&Cpu);
    if (Output.Json)
        JsonClose('}');
    return TRUE;
}

/* ---- descriptor tables ---- */

static BOOL IsWide(const SPY_SEGMENT *Segment)
{
    return sizeof(SPY_DESCRIPTOR) == 16 && !(Low(&Segment->Descriptor) >> 44 & 1);
}

BOOL ViewGdt(DEVICE *Device)
{
    SPY_CPU_INFO Cpu;

    if (!DEVICE_GET(Device, SPY_IO_CPU_INFO, &Cpu))
        return Failed("the processor does not tell about itself");
    if (Output.Json)
        JsonOpen("gdt", '[');
    else
        OutputTitle("Global descriptor table");
    SegmentHeader();
    for (ULONG Selector = 0; Selector <= Cpu.gdt.wLimit; Selector += 8) {
        SPY_SEGMENT Found;

        if (!DEVICE_ASK(Device, SPY_IO_SEGMENT, &Selector, &Found))
            return Failed("the driver does not show a segment");
        if (!Found.fOk)
            continue;
        Segment(NULL, &Found);
        if (IsWide(&Found)) /* it takes two places */
            Selector += 8;
    }
    if (Output.Json)
        JsonClose(']');
    return TRUE;
}

static void Gate(ULONG Vector, const SPY_INTERRUPT *Interrupt)
{
    const char *Type = SegmentType(&Interrupt->Gate);
    USHORT Selector = Interrupt->Segment.Selector.wValue;

    if (Output.Json) {
        JsonOpen(NULL, '{');
        JsonNumber("vector", Vector);
        JsonNumber("selector", Selector);
        JsonNumber("offset", (ULONG_PTR)Interrupt->pOffset);
        JsonText("type", Type);
        JsonClose('}');
        return;
    }
    fprintf(Output.File, "  %02X  %04X:", (unsigned)Vector, Selector);
    if (Interrupt->pOffset)
        fprintf(Output.File, "%0*llX", DIGITS, (unsigned long long)(ULONG_PTR)Interrupt->pOffset);
    else
        fprintf(Output.File, "%-*s", DIGITS, "TSS");
    fprintf(Output.File, "  %s\n", Type);
}

BOOL ViewIdt(DEVICE *Device)
{
    if (Output.Json)
        JsonOpen("idt", '[');
    else
        OutputTitle("Interrupt descriptor table");
    for (ULONG Vector = 0; Vector < 256; Vector++) {
        SPY_INTERRUPT Found;

        if (!DEVICE_ASK(Device, SPY_IO_INTERRUPT, &Vector, &Found))
            return Failed("the driver does not show a gate");
        if (Found.fOk)
            Gate(Vector, &Found);
    }
    if (Output.Json)
        JsonClose(']');
    return TRUE;
}

/* ---- blocks ---- */

typedef struct _BLOCKS {
    ULONGLONG Start, Total;
    ULONG Count;
    BOOL Inside;
} BLOCKS;

static void Block(BLOCKS *Blocks, ULONGLONG End)
{
    ULONGLONG Bytes = End - Blocks->Start;

    Blocks->Count++;
    Blocks->Total += Bytes;
    Blocks->Inside = FALSE;
    if (Output.Json) {
        JsonOpen(NULL, '{');
        JsonNumber("start", Blocks->Start);
        JsonNumber("bytes", Bytes);
        JsonClose('}');
        return;
    }
    fprintf(Output.File, "  %5u: %0*llX -> %0*llX  %15llu bytes\n", (unsigned)Blocks->Count, DIGITS,
            (unsigned long long)Blocks->Start, DIGITS, (unsigned long long)(ULONG_PTR)(End - 1),
            (unsigned long long)Bytes);
}

static void Progress(ULONGLONG At, ULONGLONG End)
{
    static ULONG Calls;

    if (Output.Progress && (++Calls & 0x3FFF) == 0)
        fprintf(stderr, "\r%0*llX of %0*llX ", DIGITS, (unsigned long long)At, DIGITS,
                (unsigned long long)End);
}

/* From Low up to High (0: the end of all), in steps of what an entry describes: absent tables cost
 * one question. */
static BOOL Range(DEVICE *Device, ULONGLONG Low, ULONGLONG High, BLOCKS *Blocks)
{
    ULONGLONG At = Low;

    do {
        PVOID Address = (PVOID)(ULONG_PTR)At;
        SPY_PAGE_ENTRY Entry;

        Progress(At, High - 1);
        if (!DEVICE_ASK(Device, SPY_IO_PAGE_ENTRY, &Address, &Entry) || !Entry.dSize)
            return Failed("the driver does not show a page entry");
        if (Entry.fPresent && !Blocks->Inside) {
            Blocks->Start = At;
            Blocks->Inside = TRUE;
        } else if (!Entry.fPresent && Blocks->Inside) {
            Block(Blocks, At);
        }
        At = (At & ~((ULONGLONG)Entry.dSize - 1)) + Entry.dSize;
    } while (At > Low && (!High || At < High));
    if (Blocks->Inside)
        Block(Blocks, High);
    return TRUE;
}

BOOL ViewBlocks(DEVICE *Device)
{
    BLOCKS Blocks = {0};
    BOOL Good;

    if (Output.Json)
        JsonOpen("blocks", '[');
    else
        OutputTitle("Contiguous blocks of memory");
#ifdef _WIN64 /* 47 bits below, 47 bits above: between them no address is canonical */
    Good = Range(Device, 0, 1ULL << 47, &Blocks) && Range(Device, ~((1ULL << 47) - 1), 0, &Blocks);
#else
    Good = Range(Device, 0, 1ULL << 32, &Blocks);
#endif
    if (Output.Progress)
        fprintf(stderr, "\r%*s\r", DIGITS * 2 + 8, "");
    if (Output.Json) {
        JsonClose(']');
        JsonNumber("present_bytes", Blocks.Total);
    } else if (Good) {
        fprintf(Output.File, "\n  %llu bytes present of %llu\n", (unsigned long long)Blocks.Total,
                sizeof(PVOID) == 8 ? 1ULL << 48 : 1ULL << 32);
    }
    return Good;
}
