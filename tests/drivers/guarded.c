/*
 * A driver that calls through pointers by way of Control Flow Guard, and from functions that keep
 * no frame: to routines of its own and to one of the system's, which DriverEntry finds in its
 * driver object.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

/* What the C library brings: the slots that the system fills, and what is in them otherwise. */
void GuardNothing(void);
void GuardCall(void);
__asm__(".text\n.globl GuardNothing\nGuardNothing:\n    retq\n"
        ".globl GuardCall\nGuardCall:\n    jmpq *%rax\n"
        "    .byte 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC\n");
void (*__guard_check_icall_fptr)(void) = GuardNothing;
void (*__guard_dispatch_icall_fptr)(void) = GuardCall;

/* IMAGE_LOAD_CONFIG_DIRECTORY64, to GuardFlags: IMAGE_GUARD_CF_INSTRUMENTED. */
__attribute__((used)) const struct {
    ULONG Size, Stamp, Rest[4];
    ULONG64 Numbers[11], Check, Dispatch, Table, Functions;
    ULONG Flags, More;
} _load_config_used = {.Size = 152,
                       .Check = (ULONG64)&__guard_check_icall_fptr,
                       .Dispatch = (ULONG64)&__guard_dispatch_icall_fptr,
                       .Flags = 0x100};

/* Jumps to what the third argument leads to. */
typedef NTSTATUS LEAF(PDEVICE_OBJECT Device, PIRP Irp, PDRIVER_DISPATCH *Routine);
LEAF LeafByRegister, LeafByMemory;
__asm__(".text\n.p2align 4, 0xCC\n.globl LeafByRegister\nLeafByRegister:\n"
        "    movq (%r8), %rax\n    rex64 jmpq *%rax\n"
        ".p2align 4, 0xCC\n.globl LeafByMemory\nLeafByMemory:\n"
        "    movq %r8, %rax\n    rex64 jmpq *(%rax)\n"
        ".p2align 4, 0xCC\n");

static IO_COMPLETION_ROUTINE Completed;
static volatile LONG Completions;
static volatile PDRIVER_DISPATCH Routine;

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    Completions++;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI Guarded(PDEVICE_OBJECT Device, PIRP Irp, PDRIVER_DISPATCH *Pointer)
{
    Routine = *Pointer;
    return Routine(Device, Irp);
}

/* What the driver has no routine for, the system's own refuses. */
static BOOLEAN CalledTheSystem(PDEVICE_OBJECT Device, LEAF *Call)
{
    NTSTATUS Status;
    PIRP Irp = IoAllocateIrp(2, FALSE);

    if (!Irp)
        return FALSE;
    Completions = 0;
    IoSetNextIrpStackLocation(Irp);
    IoSetCompletionRoutine(Irp, Completed, NULL, TRUE, TRUE, TRUE);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_SHUTDOWN;
    IoGetNextIrpStackLocation(Irp)->DeviceObject = Device;
    IoSetNextIrpStackLocation(Irp);
    Status = Call(Device, Irp, &Device->DriverObject->MajorFunction[IRP_MJ_SHUTDOWN]);
    Status = Status == Irp->IoStatus.Status ? Status : STATUS_UNSUCCESSFUL;
    IoFreeIrp(Irp);
    return Status == STATUS_INVALID_DEVICE_REQUEST && Completions == 1;
}

static NTSTATUS NTAPI Own(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Device == (PVOID)1 && Irp == (PVOID)2 ? STATUS_WAIT_1 : STATUS_UNSUCCESSFUL;
}

static BOOLEAN CalledItself(LEAF *Call)
{
    PDRIVER_DISPATCH Pointer = Own;

    return Call((PVOID)1, (PVOID)2, &Pointer) == STATUS_WAIT_1;
}

static void Say(PCSTR What, BOOLEAN Good)
{
    DbgPrint("guarded: %s: %s\n", What, Good ? "good" : "WRONG");
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    static LEAF *volatile const Calls[] = {Guarded, LeafByRegister, LeafByMemory};
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    ULONG i;

    if (!NT_SUCCESS(Status))
        return Status;
    Driver->DriverUnload = Unload;
    Say("filled in", __guard_dispatch_icall_fptr != GuardCall);
    for (i = 0; i < RTL_NUMBER_OF(Calls); i++) {
        Say("its own", CalledItself(Calls[i]));
        Say("the system's", CalledTheSystem(Device, Calls[i]));
    }
    return STATUS_SUCCESS;
}
