/*
 * What code that was built for Windows does beyond calls: moves from and to cr8, model-specific
 * registers, the interrupt flag, ports, fields of the KPCR, KUSER_SHARED_DATA at an address that is
 * computed, routines that are found in structures, INIT. DriverEntry and Unload print a line for
 * each case.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

#define INITIAL __attribute__((section("INIT"), noinline))
#define MSR_EFER 0xC0000080
#define MSR_GS_BASE 0xC0000101
#define FLAG_INTERRUPTS 0x200

static inline ULONG64 ReadCr8(VOID)
{
    ULONG64 Value;

    __asm__ volatile("mov %%cr8, %0" : "=r"(Value));
    return Value;
}

static inline VOID WriteCr8(ULONG64 Value)
{
    __asm__ volatile("mov %0, %%cr8" : : "r"(Value) : "memory", "cc");
}

static inline ULONG64 ReadMsr(ULONG Register)
{
    ULONG Low, High;

    __asm__ volatile("rdmsr" : "=a"(Low), "=d"(High) : "c"(Register));
    return (ULONG64)High << 32 | Low;
}

static inline VOID WriteMsr(ULONG Register, ULONG64 Value)
{
    __asm__ volatile("wrmsr" : : "c"(Register), "a"((ULONG)Value), "d"((ULONG)(Value >> 32)));
}

static inline ULONG64 Flags(VOID)
{
    ULONG64 Value;

    __asm__ volatile("pushfq\n pop %0" : "=r"(Value));
    return Value;
}

/* ---- IRQL ---- */

static BOOLEAN MovedIrql(VOID)
{
    BOOLEAN Good;

    WriteCr8(APC_LEVEL);
    Good = ReadCr8() == APC_LEVEL && KeGetCurrentIrql() == APC_LEVEL;
    WriteCr8(DISPATCH_LEVEL);
    Good &= ReadCr8() == DISPATCH_LEVEL;
    WriteCr8(PASSIVE_LEVEL);
    return Good && ReadCr8() == PASSIVE_LEVEL;
}

__attribute__((noinline)) static ULONG64 Walk(ULONG Steps)
{
    ULONG64 Sum = 0;
    ULONG i;

    for (i = 0; i < Steps; i++) {
        if (i % 2)
            WriteCr8(DISPATCH_LEVEL);
        else if (i % 3 == 0)
            WriteCr8(APC_LEVEL);
        else
            WriteCr8(PASSIVE_LEVEL);
        switch (i % 4) {
        case 0:
            Sum += ReadCr8();
            break;
        case 1:
            Sum += ReadCr8() * 10;
            break;
        case 2:
            Sum += ReadCr8() * 100;
            break;
        default:
            Sum += ReadCr8() * 1000;
            break;
        }
    }
    WriteCr8(PASSIVE_LEVEL);
    return Sum;
}

/* Of twelve steps: APC_LEVEL at 0 and 6, PASSIVE_LEVEL at the other even ones. */
static BOOLEAN MovedIrqlInBranches(VOID)
{
    return Walk(12) == 1 + 100 + 3 * 20 + 3 * 2000;
}

/* Loops to the move itself, and jumps behind it; without a frame. */
__attribute__((naked, noinline)) static ULONG64 Leaf(ULONG64 Irql, ULONG Times, BOOLEAN Skip)
{
    __asm__("xor %eax, %eax\n"
            "1: mov %rcx, %cr8\n"
            "inc %eax\n"
            "dec %edx\n"
            "jnz 1b\n"
            "xor %ecx, %ecx\n"
            "test %r8b, %r8b\n"
            "jnz 2f\n"
            "mov %rcx, %cr8\n"
            "2: mov %cr8, %r9\n"
            "shl $8, %r9\n"
            "add %r9, %rax\n"
            "mov %rcx, %cr8\n"
            "ret");
}

static BOOLEAN MovedIrqlInLeaf(VOID)
{
    return Leaf(DISPATCH_LEVEL, 5, FALSE) == 5 && Leaf(DISPATCH_LEVEL, 7, TRUE) == 7 + 0x200 &&
           ReadCr8() == PASSIVE_LEVEL;
}

static KDEFERRED_ROUTINE Deferred;
static volatile LONG DeferredAt;

static VOID NTAPI Deferred(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    DeferredAt = 100 + KeGetCurrentIrql();
}

/* The DPC has run when the move is done, and no register has changed. */
__attribute__((noinline)) static ULONG64 LowerWithRegisters(VOID)
{
    register ULONG64 R8 __asm__("r8") = 8, R9 __asm__("r9") = 9, R10 __asm__("r10") = 10;
    register ULONG64 R11 __asm__("r11") = 11, Rcx __asm__("rcx") = 1, Rdx __asm__("rdx") = 2;
    register ULONG64 Rax __asm__("rax") = 3;
    ULONG64 Wide = 4711, Back = 0;

    __asm__ volatile("movq %[Wide], %%xmm3\n"
                     "mov %[Zero], %%cr8\n"
                     "movq %%xmm3, %[Back]"
                     : "+r"(R8), "+r"(R9), "+r"(R10), "+r"(R11), "+r"(Rcx), "+r"(Rdx),
                       "+r"(Rax), [Back] "=r"(Back)
                     : [Wide] "r"(Wide), [Zero] "r"((ULONG64)0)
                     : "memory", "cc", "xmm3");
    return R8 + R9 + R10 + R11 + Rcx + Rdx + Rax + Back;
}

static BOOLEAN RanDpc(VOID)
{
    KDPC Dpc;
    BOOLEAN Good;

    KeInitializeDpc(&Dpc, Deferred, NULL);
    WriteCr8(DISPATCH_LEVEL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    Good = DeferredAt == 0;
    Good &= LowerWithRegisters() == 8 + 9 + 10 + 11 + 1 + 2 + 3 + 4711;
    return Good && DeferredAt == 100 + DISPATCH_LEVEL && ReadCr8() == PASSIVE_LEVEL;
}

/* ---- registers, flags ---- */

/* EFER: system calls, long mode, no-execute. The base of gs is the KPCR, which points to itself. */
static BOOLEAN ReadRegisters(VOID)
{
    BOOLEAN Good;

    WriteCr8(DISPATCH_LEVEL);
    Good = ReadMsr(MSR_GS_BASE) == __readgsqword(FIELD_OFFSET(KPCR, Self));
    WriteCr8(PASSIVE_LEVEL);
    WriteMsr(MSR_EFER, ReadMsr(MSR_EFER));
    return Good && (ReadMsr(MSR_EFER) & 0xD01) == 0xD01;
}

__attribute__((noinline)) static ULONG64 ReadNothing(VOID)
{
    return ReadMsr(0x12345678);
}

/* A register that no processor has is an exception. */
static BOOLEAN RefusedRegister(VOID)
{
    __try {
        ReadNothing();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return TRUE;
    }
    return FALSE;
}

static BOOLEAN DisabledInterrupts(VOID)
{
    BOOLEAN Good = (Flags() & FLAG_INTERRUPTS) != 0;

    __asm__ volatile("cli" : : : "memory");
    Good &= (Flags() & FLAG_INTERRUPTS) == 0;
    __asm__ volatile("sti" : : : "memory");
    return Good && (Flags() & FLAG_INTERRUPTS) != 0 && KeGetCurrentIrql() == PASSIVE_LEVEL;
}

/* pushfq; cli; popfq: as it was before. */
static BOOLEAN RestoredInterrupts(VOID)
{
    ULONG64 Within;

    __asm__ volatile("pushfq\n cli\n pushfq\n pop %0\n popfq" : "=r"(Within) : : "memory", "cc");
    return (Within & FLAG_INTERRUPTS) == 0 && (Flags() & FLAG_INTERRUPTS) != 0 &&
           KeGetCurrentIrql() == PASSIVE_LEVEL;
}

/* Where nothing is, all bits are set. */
static BOOLEAN UsedPorts(VOID)
{
    UCHAR Byte, Bytes[4] = {0, 0, 0, 1};
    USHORT Word;
    ULONG Long, Count = 3;
    PVOID To = Bytes;

    __asm__ volatile("outb %0, $0x80" : : "a"((UCHAR)1));
    __asm__ volatile("outl %0, %1" : : "a"(2), "d"((USHORT)0x1234));
    __asm__ volatile("inb $0x80, %0" : "=a"(Byte));
    __asm__ volatile("inw %1, %0" : "=a"(Word) : "d"((USHORT)0x1234));
    __asm__ volatile("inl %1, %0" : "=a"(Long) : "d"((USHORT)0x1234));
    __asm__ volatile("rep insb" : "+D"(To), "+c"(Count) : "d"((USHORT)0x1234) : "memory");
    return Byte == 0xFF && Word == 0xFFFF && Long == 0xFFFFFFFF && Bytes[0] == 0xFF &&
           Bytes[2] == 0xFF && Bytes[3] == 1 && To == Bytes + 3 && Count == 0;
}

/* ---- memory ---- */

static BOOLEAN ReadKpcr(VOID)
{
    ULONG64 Self;
    BOOLEAN Good;

    WriteCr8(DISPATCH_LEVEL);
    Self = __readgsqword(FIELD_OFFSET(KPCR, Self));
    Good = __readgsbyte(FIELD_OFFSET(KPCR, Irql)) == DISPATCH_LEVEL &&
           __readgsqword(FIELD_OFFSET(KPCR, CurrentPrcb)) == Self + 0x180 &&
           __readgsdword(0x1A4) == KeGetCurrentProcessorNumberEx(NULL) &&
           __readgsqword(0x188) == (ULONG_PTR)PsGetCurrentThread() &&
           *(volatile UCHAR *)(Self + FIELD_OFFSET(KPCR, Irql)) == DISPATCH_LEVEL;
    WriteCr8(PASSIVE_LEVEL);
    return Good && __readgsbyte(FIELD_OFFSET(KPCR, Irql)) == PASSIVE_LEVEL;
}

static volatile ULONG64 Half = 0xFFFFF780;

/* The version, and the first letters of the folder of Windows. */
static BOOLEAN ReadSharedData(VOID)
{
    const volatile KUSER_SHARED_DATA *Data = (PVOID)(Half << 32);
    WCHAR Root[2] = {0, 0};
    const volatile VOID *From = Data->NtSystemRoot;
    PVOID To = Root;
    SIZE_T Count = sizeof(Root);
    RTL_OSVERSIONINFOW Version = {.dwOSVersionInfoSize = sizeof(Version)};

    __asm__ volatile("rep movsb" : "+D"(To), "+S"(From), "+c"(Count) : : "memory");
    return NT_SUCCESS(RtlGetVersion(&Version)) && Data->NtMajorVersion == Version.dwMajorVersion &&
           Data->NtMinorVersion == Version.dwMinorVersion && Root[1] == ':' &&
           From == (const volatile UCHAR *)Data->NtSystemRoot + sizeof(Root);
}

/* ---- routines in structures ---- */

static IO_COMPLETION_ROUTINE Completed;
static volatile LONG Completions;

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    Completions++;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* What the driver has no routine for, the system's own refuses. */
static BOOLEAN CalledTheSystem(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status;
    PIRP Irp;

    if (!NT_SUCCESS(IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return FALSE;
    Irp = IoAllocateIrp(2, FALSE);
    if (!Irp) {
        IoDeleteDevice(Device);
        return FALSE;
    }
    IoSetNextIrpStackLocation(Irp);
    IoSetCompletionRoutine(Irp, Completed, NULL, TRUE, TRUE, TRUE);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_SHUTDOWN;
    IoGetNextIrpStackLocation(Irp)->DeviceObject = Device;
    IoSetNextIrpStackLocation(Irp);
    Status = Driver->MajorFunction[IRP_MJ_SHUTDOWN](Device, Irp);
    Status = Status == Irp->IoStatus.Status ? Status : STATUS_UNSUCCESSFUL;
    IoFreeIrp(Irp);
    IoDeleteDevice(Device);
    return Status == STATUS_INVALID_DEVICE_REQUEST && Completions == 1;
}

/* ---- the driver ---- */

static const struct {
    PCSTR Name;
    BOOLEAN (*Try)(VOID);
} Cases[] = {
    {"moved IRQL", MovedIrql},
    {"moved IRQL in branches", MovedIrqlInBranches},
    {"moved IRQL in a leaf", MovedIrqlInLeaf},
    {"ran a DPC", RanDpc},
    {"read registers", ReadRegisters},
    {"refused a register", RefusedRegister},
    {"disabled interrupts", DisabledInterrupts},
    {"restored interrupts", RestoredInterrupts},
    {"used ports", UsedPorts},
    {"read the KPCR", ReadKpcr},
    {"read shared data", ReadSharedData},
};

static VOID Tell(PCSTR Name, BOOLEAN Good)
{
    DbgPrint("privileged: %s: %s\n", Name, Good ? "good" : "WRONG");
}

VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    Tell("INIT is gone", !MmIsAddressValid((PVOID)DriverEntry));
}

INITIAL NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ULONG i;

    Driver->DriverUnload = Unload;
    for (i = 0; i < RTL_NUMBER_OF(Cases); i++)
        Tell(Cases[i].Name, Cases[i].Try());
    Tell("called the system", CalledTheSystem(Driver));
    Tell("INIT is there", MmIsAddressValid((PVOID)DriverEntry));
    return STATUS_SUCCESS;
}
