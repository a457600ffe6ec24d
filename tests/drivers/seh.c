/*
 * Structured exceptions in a driver that was built for Windows: DriverEntry tries each case and
 * prints a line for it.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

#define NOWHERE ((volatile LONG *)(ULONG_PTR)0x10)

static ULONG Order[8], Count; /* what happened, in which order */

static void Note(ULONG What)
{
    if (Count < RTL_NUMBER_OF(Order))
        Order[Count++] = What;
}

static BOOLEAN Happened(ULONG First, ULONG Second, ULONG Third)
{
    BOOLEAN Good = Order[0] == First && Order[1] == Second && Order[2] == Third;

    RtlZeroMemory(Order, sizeof(Order));
    Count = 0;
    return Good;
}

__attribute__((noinline)) static LONG Touch(volatile LONG *Address)
{
    return *Address;
}

__attribute__((noinline)) static void Raise(NTSTATUS Status)
{
    ExRaiseStatus(Status);
}

static BOOLEAN Raised(VOID)
{
    __try {
        Raise(STATUS_DEVICE_BUSY);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode() == STATUS_DEVICE_BUSY;
    }
    return FALSE;
}

static BOOLEAN Faulted(VOID)
{
    __try {
        Touch(NOWHERE);
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                              : EXCEPTION_CONTINUE_SEARCH) {
        return TRUE;
    }
    return FALSE;
}

/* The compiler guards calls that it does not know, and memcpy it does. */
__attribute__((noinline, optnone)) static void Copy(PVOID To, const volatile VOID *From,
                                                    SIZE_T Bytes)
{
    RtlCopyMemory(To, (PVOID)From, Bytes);
}

/* The fault is in a routine of the kernel. */
static BOOLEAN FaultedInTheKernel(VOID)
{
    LONG Value;

    __try {
        Copy(&Value, NOWHERE, sizeof(Value));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode() == STATUS_ACCESS_VIOLATION;
    }
    return FALSE;
}

static BOOLEAN Probed(VOID)
{
    __try {
        ProbeForRead((PVOID)(ULONG_PTR)0xFFFF800000000000ull, 4, 4);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode() == STATUS_ACCESS_VIOLATION;
    }
    return FALSE;
}

static BOOLEAN NestedSearch(VOID)
{
    __try {
        __try {
            Raise(STATUS_DEVICE_BUSY);
        } __except (Note(1), EXCEPTION_CONTINUE_SEARCH) {
            Note(9);
        }
    } __except (Note(2), EXCEPTION_EXECUTE_HANDLER) {
        Note(3);
    }
    return Happened(1, 2, 3);
}

static BOOLEAN FinallyRuns(VOID)
{
    volatile BOOLEAN Abnormal = FALSE;

    __try {
        __try {
            Raise(STATUS_DEVICE_BUSY);
        } __finally {
            Abnormal = AbnormalTermination() != 0;
            Note(2);
        }
    } __except (Note(1), EXCEPTION_EXECUTE_HANDLER) {
        Note(3);
    }
    return Happened(1, 2, 3) && Abnormal;
}

static BOOLEAN FinallyWithoutException(VOID)
{
    __try {
        Note(1);
    } __finally {
        Note(AbnormalTermination() ? 9 : 2);
    }
    Note(3);
    return Happened(1, 2, 3);
}

__attribute__((noinline)) static void Third(VOID)
{
    __try {
        Raise(STATUS_DEVICE_BUSY);
    } __finally {
        Note(1);
    }
}

__attribute__((noinline)) static void Second(VOID)
{
    Third();
    Note(9);
}

__attribute__((noinline)) static void First(VOID)
{
    __try {
        Second();
    } __finally {
        Note(2);
    }
}

static BOOLEAN ThreeFrames(VOID)
{
    __try {
        First();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(3);
    }
    return Happened(1, 2, 3);
}

static LONG Good;

static LONG Repair(PEXCEPTION_POINTERS Pointers)
{
    Pointers->ContextRecord->Rcx = (ULONG_PTR)&Good;
    Note(1);
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* The address is in rcx: the filter mends it, and the read is done again. */
__attribute__((naked, noinline)) static LONG Load(volatile LONG *Address)
{
    __asm__("movl (%rcx), %eax\n ret");
}

static BOOLEAN ContinuedAfterFault(VOID)
{
    LONG Value = 0;

    Good = 4711;
    __try {
        Value = Load(NOWHERE);
    } __except (Repair(GetExceptionInformation())) {
        Note(9);
    }
    return Value == 4711 && Happened(1, 0, 0);
}

static BOOLEAN RaisedAgainInHandler(VOID)
{
    __try {
        __try {
            Raise(STATUS_DEVICE_BUSY);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Note(1);
            Raise(STATUS_DEVICE_NOT_READY);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_DEVICE_NOT_READY ? 2 : 9);
    }
    return Happened(1, 2, 0);
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_GENERIC_TABLE Table, PVOID One, PVOID Other)
{
    Note(1);
    Raise(STATUS_DEVICE_BUSY);
    return GenericEqual;
}

static PVOID NTAPI Allocate(PRTL_GENERIC_TABLE Table, CLONG Bytes)
{
    return ExAllocatePoolWithTag(PagedPool, Bytes, 'tseT');
}

static VOID NTAPI Free(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    ExFreePool(Buffer);
}

/* From a routine that the kernel calls, through the kernel, to its caller. */
static BOOLEAN ThroughTheKernel(VOID)
{
    RTL_GENERIC_TABLE Table;
    LONG Value = 1;

    RtlInitializeGenericTable(&Table, Compare, Allocate, Free, NULL);
    RtlInsertElementGenericTable(&Table, &Value, sizeof(Value), NULL);
    __try {
        RtlLookupElementGenericTable(&Table, &Value);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(2);
    }
    Table.CompareRoutine = Compare;
    Free(&Table, Table.TableRoot);
    return Happened(1, 2, 0);
}

/* Moves from and to cr8. */
static BOOLEAN ChangedIrql(VOID)
{
    KIRQL Old;
    BOOLEAN Good;

    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Good = KeGetCurrentIrql() == DISPATCH_LEVEL && Old == PASSIVE_LEVEL;
    KeLowerIrql(Old);
    return Good && KeGetCurrentIrql() == PASSIVE_LEVEL;
}

/* in and out, of a port where nothing is. */
static BOOLEAN TouchedPorts(VOID)
{
    UCHAR Bytes[3] = {0, 0, 0};

    WRITE_PORT_UCHAR((PUCHAR)0x80, 1);
    WRITE_PORT_ULONG((PULONG)0x1234, 2);
    READ_PORT_BUFFER_UCHAR((PUCHAR)0x1234, Bytes, 3);
    return READ_PORT_UCHAR((PUCHAR)0x80) == 0xFF && READ_PORT_USHORT((PUSHORT)0x1234) == 0xFFFF &&
           READ_PORT_ULONG((PULONG)0x1234) == 0xFFFFFFFF && Bytes[0] == 0xFF && Bytes[2] == 0xFF;
}

/* A DMA adapter is called through pointers. */
static BOOLEAN MappedForDma(VOID)
{
    DEVICE_DESCRIPTION Description;
    PHYSICAL_ADDRESS Logical;
    PDMA_ADAPTER Adapter;
    ULONG Registers;
    PVOID Buffer;

    RtlZeroMemory(&Description, sizeof(Description));
    Description.Version = DEVICE_DESCRIPTION_VERSION;
    Description.Master = TRUE;
    Description.ScatterGather = TRUE;
    Description.Dma32BitAddresses = TRUE;
    Description.InterfaceType = PCIBus;
    Description.MaximumLength = 8192;
    Adapter = IoGetDmaAdapter(NULL, &Description, &Registers);
    if (!Adapter)
        return FALSE;
    Buffer = Adapter->DmaOperations->AllocateCommonBuffer(Adapter, 4096, &Logical, FALSE);
    if (Buffer)
        Adapter->DmaOperations->FreeCommonBuffer(Adapter, 4096, Logical, Buffer, FALSE);
    Adapter->DmaOperations->PutDmaAdapter(Adapter);
    return Buffer && Registers == 3;
}

static BOOLEAN Many(VOID)
{
    ULONG i, Caught = 0;

    for (i = 0; i < 10000; i++) {
        __try {
            Raise(STATUS_DEVICE_BUSY);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Caught++;
        }
    }
    return Caught == 10000;
}

static const struct {
    PCSTR Name;
    BOOLEAN (*Try)(VOID);
} Cases[] = {
    {"raised", Raised},
    {"faulted", Faulted},
    {"faulted in the kernel", FaultedInTheKernel},
    {"probed", Probed},
    {"nested search", NestedSearch},
    {"finally runs", FinallyRuns},
    {"finally without exception", FinallyWithoutException},
    {"three frames", ThreeFrames},
    {"continued after fault", ContinuedAfterFault},
    {"raised again in handler", RaisedAgainInHandler},
    {"through the kernel", ThroughTheKernel},
    {"changed IRQL", ChangedIrql},
    {"touched ports", TouchedPorts},
    {"mapped for DMA", MappedForDma},
    {"many", Many},
};

VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ULONG i;

    Driver->DriverUnload = Unload;
    for (i = 0; i < RTL_NUMBER_OF(Cases); i++)
        DbgPrint("seh: %s: %s\n", Cases[i].Name, Cases[i].Try() ? "good" : "WRONG");
    return STATUS_SUCCESS;
}
