/* A driver that is told by a control code what to leave behind when it is unloaded:
 * tests/leaves.sh. */
#include <ntifs.h>
#include "device.h"

#define LEAVE(number)                                                                              \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (number), METHOD_BUFFERED, FILE_ANY_ACCESS)
#define LEAVES_TAG 'vaeL'

DRIVER_INITIALIZE DriverEntry;

static ULONG What; /* of the last control code */
static KTIMER Timer;
static KDPC Dpc;
static NPAGED_LOOKASIDE_LIST List;
static ERESOURCE Resource;
static KBUGCHECK_CALLBACK_RECORD Record;
static KEVENT Stop;

static VOID NTAPI OnDpc(PKDPC Unused, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Unused);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID NTAPI OnProcess(HANDLE Parent, HANDLE Process, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Parent);
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Create);
}

static VOID NTAPI OnBugCheck(PVOID Buffer, ULONG Length)
{
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(Length);
}

static NTSTATUS NTAPI OnRegistry(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    return STATUS_SUCCESS;
}

static VOID NTAPI OnCallback(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    OnRegistry(Context, Argument1, Argument2);
}

static OB_PREOP_CALLBACK_STATUS NTAPI OnHandle(PVOID Context,
                                               POB_PRE_OPERATION_INFORMATION Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Information);
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI Wait(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Stop, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

__attribute__((noinline)) static VOID LeavePool(VOID)
{
    static const SIZE_T Sizes[] = {40, 400, 40000};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
        PVOID Block =
            ExAllocatePoolWithTag(i == 1 ? PagedPool : NonPagedPool, Sizes[i], LEAVES_TAG);

        if (Block)
            *(volatile UCHAR *)Block = 0;
    }
}

static VOID LeaveString(VOID)
{
    UNICODE_STRING Wide;
    ANSI_STRING Narrow;

    RtlInitAnsiString(&Narrow, "left behind");
    (void)RtlAnsiStringToUnicodeString(&Wide, &Narrow, TRUE);
}

static VOID LeaveTimer(PKTIMER In)
{
    LARGE_INTEGER Hour = {.QuadPart = -36000000000};

    KeInitializeTimer(In);
    KeInitializeDpc(&Dpc, OnDpc, NULL);
    KeSetTimer(In, Hour, &Dpc);
}

static VOID LeaveThread(VOID)
{
    HANDLE Thread;

    KeInitializeEvent(&Stop, NotificationEvent, FALSE);
    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Wait, NULL)))
        ZwClose(Thread);
}

static VOID LeaveObCallback(VOID)
{
    OB_OPERATION_REGISTRATION Operation = {.ObjectType = PsProcessType,
                                           .Operations = OB_OPERATION_HANDLE_CREATE,
                                           .PreOperation = OnHandle};
    OB_CALLBACK_REGISTRATION Registration = {.Version = OB_FLT_REGISTRATION_VERSION,
                                             .OperationRegistrationCount = 1,
                                             .Altitude = RTL_CONSTANT_STRING(L"320000"),
                                             .OperationRegistration = &Operation};
    PVOID Handle;

    (void)ObRegisterCallbacks(&Registration, &Handle);
}

__attribute__((noinline)) static VOID LeaveExCallback(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Callback;

    InitializeObjectAttributes(&Attributes, NULL, 0, NULL, NULL);
    if (!NT_SUCCESS(ExCreateCallback(&Callback, &Attributes, TRUE, TRUE)))
        return;
    (void)ExRegisterCallback(Callback, OnCallback, NULL);
    ObDereferenceObject(Callback);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Leaves");
    PDEVICE_OBJECT Device = Driver->DeviceObject;
    LARGE_INTEGER Cookie;

    IoDeleteSymbolicLink(&Link);
    switch (What) {
    case LEAVE(1):
        LeavePool();
        break;
    case LEAVE(2):
        (void)IoAllocateMdl(Driver, 100, FALSE, FALSE, NULL);
        break;
    case LEAVE(3):
        LeaveString();
        break;
    case LEAVE(4):
        LeaveTimer(&Timer);
        break;
    case LEAVE(5): /* whose DPC lies in the driver */
        LeaveTimer(ExAllocatePoolWithTag(NonPagedPool, sizeof(KTIMER), LEAVES_TAG));
        break;
    case LEAVE(6):
        ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, LEAVES_TAG, 0);
        break;
    case LEAVE(7):
        ExInitializeResourceLite(&Resource);
        break;
    case LEAVE(8):
        LeaveThread();
        break;
    case LEAVE(9):
        (void)PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
        break;
    case LEAVE(10):
        KeInitializeCallbackRecord(&Record);
        KeRegisterBugCheckCallback(&Record, OnBugCheck, NULL, 0, (PUCHAR) "leaves");
        break;
    case LEAVE(11):
        (void)CmRegisterCallback(OnRegistry, NULL, &Cookie);
        break;
    case LEAVE(12):
        LeaveObCallback();
        break;
    case LEAVE(13):
        LeaveExCallback();
        break;
    case LEAVE(14):
        return; /* the device */
    case LEAVE(15):
        (void)IoAllocateIrp(1, FALSE);
        break;
    case LEAVE(16):
        (void)IoAllocateWorkItem(Device);
        break;
    }
    IoDeleteDevice(Device);
}

static NTSTATUS Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    What = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    Irp->IoStatus.Information = 0;
    return DeviceComplete(Irp);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->DriverUnload = Unload;
    return DeviceMake(Driver, L"\\Device\\Leaves", L"\\DosDevices\\Leaves", Control);
}
