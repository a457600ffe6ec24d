/* A driver that errs when it is asked to: tests/bugcheck.sh. Each control code is one error. */
#include <ntddk.h>
#include <ntseh.h>
#include "device.h"

#define FAULT_NULL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_UNMAPPED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_TWICE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_RAISED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_FREED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x810, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_TIMER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x811, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_RESOURCE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x812, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_LOOKASIDE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x813, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_IRP CTL_CODE(FILE_DEVICE_UNKNOWN, 0x814, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_DPC CTL_CODE(FILE_DEVICE_UNKNOWN, 0x815, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_SLOW CTL_CODE(FILE_DEVICE_UNKNOWN, 0x816, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULTS_TAG 'tluF'

#define FAULT_OVERRUN CTL_CODE(FILE_DEVICE_UNKNOWN, 0x805, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_RETURN CTL_CODE(FILE_DEVICE_UNKNOWN, 0x806, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_FRAME CTL_CODE(FILE_DEVICE_UNKNOWN, 0x807, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FAULT_ALL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x808, METHOD_BUFFERED, FILE_ANY_ACCESS)

DRIVER_INITIALIZE DriverEntry;

__attribute__((noinline)) static ULONG ReadNull(volatile ULONG *Nothing)
{
    return *Nothing + 1;
}

/* Above all that is ever mapped in system space. */
__attribute__((noinline)) static ULONG ReadUnmapped(VOID)
{
    return *(volatile ULONG *)(ULONG_PTR)0x7cfffff00000;
}

__attribute__((noinline)) static VOID CompleteTwice(PIRP Irp)
{
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

__attribute__((noinline)) static ULONG ReadNullRaised(volatile ULONG *Nothing)
{
    KIRQL Irql;
    ULONG Value;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Value = *Nothing;
    KeLowerIrql(Irql);
    return Value;
}

/* Not known to the compiler, who would complain. */
static volatile ULONG Much = 200;
static volatile ULONG At; /* not on the stack that is overrun */

/* What a sanitizer adds would lie in the way of the overrun, or find it first. */
#define PLAIN __attribute__((noinline, no_sanitize("address", "thread", "undefined")))

PLAIN static VOID Overrun(VOID)
{
    volatile UCHAR Array[64] __attribute__((unused));

    for (At = 0; At < Much; At++)
        Array[At] = 0x41;
}

/* The same without a stack cookie: the return address is garbage, and so is all above. */
__declspec(safebuffers) PLAIN static VOID ReturnNowhere(VOID)
{
    volatile UCHAR Array[64] __attribute__((unused));

    for (At = 0; At < Much; At++)
        Array[At] = 0x41;
}

/* As far as the end of the stack, and of what the C library keeps there. */
__declspec(safebuffers) PLAIN static VOID OverrunAll(VOID)
{
    volatile UCHAR Array[64] __attribute__((unused));

    for (At = 0; At < Much * 4096; At++)
        Array[At] = 0x41;
}

/* The exception finds the frame of its __try statement overwritten. */
PLAIN static VOID OverrunFrame(VOID)
{
    __try {
        RtlFillMemory(NtSehMark(), Much, 0x41);
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

/* The thread goes on using pool, until it meets what it has written to. */
__attribute__((noinline, no_sanitize("address"))) static VOID WriteFreed(VOID)
{
    PULONG Block = ExAllocatePoolWithTag(NonPagedPool, 100, FAULTS_TAG);

    if (!Block)
        return;
    ExFreePoolWithTag(Block, FAULTS_TAG);
    ((volatile ULONG *)Block)[3] = 0;
    for (ULONG i = 0; i < 1000; i++) {
        PVOID Other = ExAllocatePoolWithTag(NonPagedPool, 100, FAULTS_TAG);

        if (Other)
            ExFreePoolWithTag(Other, FAULTS_TAG);
    }
}

static VOID NTAPI OnDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    LARGE_INTEGER Start = KeQueryPerformanceCounter(NULL), Frequency;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    if (!Context)
        return;
    do {
        KeQueryPerformanceCounter(&Frequency);
    } while (KeQueryPerformanceCounter(NULL).QuadPart - Start.QuadPart < 60 * Frequency.QuadPart);
}

/* Frees memory in which the executive still has something. */
__attribute__((noinline)) static VOID FreeActive(ULONG Code)
{
    struct {
        UCHAR Before[24];
        union {
            KTIMER Timer;
            KDPC Dpc;
            ERESOURCE Resource;
            NPAGED_LOOKASIDE_LIST List;
        };
    } *Block = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, sizeof(*Block), FAULTS_TAG);
    LARGE_INTEGER Hour = {.QuadPart = -36000000000};
    KIRQL Irql;

    if (!Block)
        return;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    if (Code == FAULT_TIMER) {
        KeInitializeTimer(&Block->Timer);
        KeSetTimer(&Block->Timer, Hour, NULL);
    } else if (Code == FAULT_DPC) {
        KeInitializeDpc(&Block->Dpc, OnDpc, NULL);
        KeInsertQueueDpc(&Block->Dpc, NULL, NULL);
    } else if (Code == FAULT_RESOURCE) {
        ExInitializeResourceLite(&Block->Resource);
    } else {
        ExInitializeNPagedLookasideList(&Block->List, NULL, NULL, 0, 64, FAULTS_TAG, 0);
    }
    ExFreePoolWithTag(Block, FAULTS_TAG);
    KeLowerIrql(Irql);
}

/* A DPC that takes a minute. */
static VOID RunSlowDpc(VOID)
{
    static KDPC Dpc;

    KeInitializeDpc(&Dpc, OnDpc, &Dpc);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
}

static NTSTATUS FaultControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;

    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Information = 0;
    if (Code == FAULT_NULL)
        Irp->IoStatus.Information = ReadNull(NULL);
    else if (Code == FAULT_UNMAPPED)
        Irp->IoStatus.Information = ReadUnmapped();
    else if (Code == FAULT_RAISED)
        Irp->IoStatus.Information = ReadNullRaised(NULL);
    else if (Code == FAULT_OVERRUN)
        Overrun();
    else if (Code == FAULT_RETURN)
        ReturnNowhere();
    else if (Code == FAULT_ALL)
        OverrunAll();
    else if (Code == FAULT_FRAME)
        OverrunFrame();
    else if (Code == FAULT_FREED)
        WriteFreed();
    else if (Code == FAULT_IRP)
        ExFreePool(IoAllocateIrp(1, FALSE));
    else if (Code == FAULT_SLOW)
        RunSlowDpc();
    else if (Code == FAULT_TIMER || Code == FAULT_DPC || Code == FAULT_RESOURCE ||
             Code == FAULT_LOOKASIDE)
        FreeActive(Code);
    else if (Code == FAULT_TWICE)
        return CompleteTwice(Irp), STATUS_SUCCESS;
    return DeviceComplete(Irp);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return DeviceMake(Driver, L"\\Device\\Faults", L"\\DosDevices\\Faults", FaultControl);
}
