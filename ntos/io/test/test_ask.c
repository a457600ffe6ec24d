/* Power requests, what Plug and Play says of a device it did not find, work items that may be
 * queued, sharing, deleting by name. */
#include "io_test.h"
#include <string.h>

static struct {
    ULONG Powers, Creates, Options;
    NTSTATUS Answer;
    UCHAR Minor;
    POWER_STATE State;
    ACCESS_MASK Access;
    LONG Worked;
    KEVENT Gate, Done;
} Seen;
static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Bottom, Top;

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);

    assert_ptr_equal(Device, Top);
    assert_int_equal(Irp->IoStatus.Status, STATUS_NOT_SUPPORTED);
    Seen.Powers++;
    Seen.Minor = Location->MinorFunction;
    Seen.State = Location->Parameters.Power.State;
    PoStartNextPowerIrp(Irp);
    return IoTestComplete(Irp, Seen.Answer, 7);
}

static NTSTATUS NTAPI Create(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);

    Seen.Creates++;
    Seen.Options = Location->Parameters.Create.Options & 0xFFFFFF;
    Seen.Access = Location->Parameters.Create.SecurityContext->DesiredAccess;
    return IoTestComplete(Irp, Seen.Answer, FILE_OPENED);
}

static NTSTATUS NTAPI Good(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Object)
{
    IoDeleteDevice(Top);
    IoDeleteDevice(Bottom);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Object, PUNICODE_STRING RegistryPath)
{
    Object->MajorFunction[IRP_MJ_POWER] = Power;
    Object->MajorFunction[IRP_MJ_CREATE] = Create;
    Object->MajorFunction[IRP_MJ_CLEANUP] = Good;
    Object->MajorFunction[IRP_MJ_CLOSE] = Good;
    Object->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

static int Boot(void **Unused)
{
    IoTestBoot(Unused);
    memset(&Seen, 0, sizeof(Seen));
    Driver = IoTestLoad(L"Asked", Entry);
    Bottom = IoTestDevice(Driver, L"\\Device\\Bottom", 0);
    Top = IoTestDevice(Driver, NULL, 0);
    return 0;
}

static int Stop(void **Unused)
{
    assert_int_equal(IoTestUnload(L"Asked"), STATUS_SUCCESS);
    return IoTestStop(Unused);
}

static VOID NTAPI PowerDone(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                            PIO_STATUS_BLOCK Status)
{
    assert_ptr_equal(Device, Bottom);
    assert_int_equal(Minor, Seen.Minor);
    assert_int_equal(State.DeviceState, PowerDeviceD3);
    *(IO_STATUS_BLOCK *)Context = *Status;
}

static void APowerRequestGoesToTheTopOfTheStack(void **Unused)
{
    POWER_STATE State = {.DeviceState = PowerDeviceD3};
    IO_STATUS_BLOCK Iosb = {.Information = 0};

    assert_non_null(IoAttachDeviceToDeviceStack(Top, Bottom));
    assert_int_equal(PoRequestPowerIrp(Bottom, IRP_MN_SET_POWER, State, PowerDone, &Iosb, NULL),
                     STATUS_PENDING);
    assert_int_equal(Seen.Powers, 1);
    assert_int_equal(Seen.State.DeviceState, PowerDeviceD3);
    assert_int_equal(Iosb.Information, 7);
    Seen.Answer = STATUS_UNSUCCESSFUL;
    assert_int_equal(PoRequestPowerIrp(Bottom, IRP_MN_QUERY_POWER, State, PowerDone, &Iosb, NULL),
                     STATUS_PENDING);
    assert_int_equal(Iosb.Status, STATUS_UNSUCCESSFUL);
    assert_int_equal(PoRequestPowerIrp(Bottom, IRP_MN_WAIT_WAKE, State, NULL, NULL, NULL),
                     STATUS_PENDING);
    assert_int_equal(Seen.Powers, 3);
    assert_int_equal(PoRequestPowerIrp(Bottom, IRP_MN_POWER_SEQUENCE, State, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER_2);
    assert_int_equal(PoRequestPowerIrp(Bottom, 77, State, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER_2);
    IoDetachDevice(Bottom);
}

static void ADevicesPowerStateIsKept(void **Unused)
{
    POWER_STATE D0 = {.DeviceState = PowerDeviceD0}, D3 = {.DeviceState = PowerDeviceD3},
                S1 = {.SystemState = PowerSystemSleeping1};
    KIRQL Old;

    PoSetPowerState(Bottom, DevicePowerState, D0);
    PoSetPowerState(Bottom, SystemPowerState, S1);
    assert_int_equal(PoSetPowerState(Bottom, DevicePowerState, D3).DeviceState, PowerDeviceD0);
    assert_int_equal(PoSetPowerState(Bottom, DevicePowerState, D0).DeviceState, PowerDeviceD3);
    assert_int_equal(PoSetPowerState(Bottom, SystemPowerState, S1).SystemState,
                     PowerSystemSleeping1);
    Old = KfRaiseIrql(DISPATCH_LEVEL + 1);
    IO_TEST_BUGCHECK(IRQL_NOT_LESS_OR_EQUAL, host_symbol("PoSetPowerState"),
                     PoSetPowerState(Bottom, DevicePowerState, D0));
    KeLowerIrql(Old);
}

static void APowerRequestIsPassedOnAsAnyOther(void **Unused)
{
    PIRP Irp = IoAllocateIrp(Top->StackSize, FALSE);
    PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);

    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Location->MajorFunction = IRP_MJ_POWER;
    Location->MinorFunction = IRP_MN_SET_POWER;
    Seen.Answer = STATUS_DEVICE_BUSY;
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1001, PoCallDriver(Top, Irp));
    assert_int_equal(Seen.Powers, 1);
}

static void PlugAndPlayKnowsNothingOfADeviceItDidNotFind(void **Unused)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\ROOT#X#0"), None = {0}, Out;
    static const GUID Class = {1, 2, 3, {4}};
    ULONG Length = 5;
    HANDLE Key;
    PWSTR List;

    assert_int_equal(IoRegisterDeviceInterface(Bottom, &Class, NULL, &Out),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoSetDeviceInterfaceState(&Link, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoSetDeviceInterfaceState(&None, TRUE), STATUS_INVALID_PARAMETER);
    assert_int_equal(IoGetDeviceInterfaceAlias(&Link, &Class, &Out), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoOpenDeviceInterfaceRegistryKey(&Link, KEY_READ, &Key),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoGetDeviceInterfaces(&Class, NULL, 0, &List), STATUS_SUCCESS);
    assert_int_equal(List[0], 0);
    ExFreePool(List);
    assert_int_equal(IoGetDeviceInterfaces(&Class, Bottom, 0, &List),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoOpenDeviceRegistryKey(Bottom, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &Key),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoOpenDeviceRegistryKey(Bottom, 0, KEY_READ, &Key), STATUS_INVALID_PARAMETER);
    assert_int_equal(IoOpenDeviceRegistryKey(NULL, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &Key),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(IoGetDeviceProperty(Bottom, DevicePropertyHardwareID, 0, NULL, &Length),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(Length, 0);
    assert_int_equal(IoGetDeviceProperty(Bottom, 1000, 0, NULL, &Length),
                     STATUS_INVALID_PARAMETER_2);
}

static void PlugAndPlayIsAskedAtPassiveLevel(void **Unused)
{
    ULONG Length;
    KIRQL Old = KfRaiseIrql(APC_LEVEL);

    IO_TEST_BUGCHECK(IRQL_NOT_LESS_OR_EQUAL, host_symbol("IoGetDeviceProperty"),
                     IoGetDeviceProperty(Bottom, DevicePropertyHardwareID, 0, NULL, &Length));
    KeLowerIrql(Old);
}

static void EveryDriverIsVerified(void **Unused)
{
    assert_true(MmIsDriverVerifying(Driver));
}

static VOID NTAPI Work(PVOID Object, PVOID Context, PIO_WORKITEM Item)
{
    KeSetEvent(&Seen.Gate, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Seen.Done, Executive, KernelMode, FALSE, NULL);
    InterlockedIncrement(&Seen.Worked);
}

static void AWorkItemIsTriedUntilItIsFree(void **Unused)
{
    PIO_WORKITEM Item = IoAllocateWorkItem(Bottom), Second = IoAllocateWorkItem(Bottom);
    ULONG Queued = 0;

    KeInitializeEvent(&Seen.Gate, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Seen.Done, NotificationEvent, FALSE);
    assert_true(IoTryQueueWorkItem(Item, Work, DelayedWorkQueue, NULL));
    KeWaitForSingleObject(&Seen.Gate, Executive, KernelMode, FALSE, NULL);
    assert_true(IoTryQueueWorkItem(Item, Work, DelayedWorkQueue, NULL)); /* it runs: free again */
    Queued = !IoTryQueueWorkItem(Item, Work, DelayedWorkQueue, NULL);
    KeSetEvent(&Seen.Done, IO_NO_INCREMENT, FALSE);
    IoTestUntil(&Seen.Worked, Queued ? 2 : 3);
    IoFreeWorkItem(Item);
    IoFreeWorkItem(Second);
}

static void ExclusiveReadingNeedsWritePermission(void **Unused)
{
    SHARE_ACCESS Share;
    FILE_OBJECT First, Second;
    BOOLEAN Writable = FALSE;

    memset(&First, 0, sizeof(First));
    memset(&Second, 0, sizeof(Second));
    IoSetShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &First, &Share);
    assert_int_equal(IoCheckShareAccessEx(FILE_READ_DATA, 0, &Second, &Share, FALSE, NULL),
                     STATUS_SHARING_VIOLATION);
    assert_int_equal(IoCheckShareAccessEx(FILE_READ_DATA, 0, &Second, &Share, TRUE, &Writable),
                     STATUS_SUCCESS);
    assert_true(Second.SharedRead);
    assert_int_equal(Share.OpenCount, 2);
    Writable = TRUE;
    assert_int_equal(IoCheckShareAccessEx(FILE_READ_DATA, 0, &Second, &Share, FALSE, &Writable),
                     STATUS_SHARING_VIOLATION);
}

static void AFileIsDeletedByItsName(void **Unused)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Bottom\\file");
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwDeleteFile(&Attributes), STATUS_SUCCESS);
    assert_int_equal(Seen.Creates, 1);
    assert_true(Seen.Options & FILE_DELETE_ON_CLOSE);
    assert_true(Seen.Access & DELETE);
    Seen.Answer = STATUS_ACCESS_DENIED;
    assert_int_equal(ZwDeleteFile(&Attributes), STATUS_ACCESS_DENIED);
}

static void AnOpenMayHaveAContext(void **Unused)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Bottom");
    IO_DRIVER_CREATE_CONTEXT Context = {.Size = sizeof(Context)};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
#define OPEN(context)                                                                              \
    IoCreateFileEx(&File, FILE_READ_DATA, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN, 0, NULL, 0,   \
                   CreateFileTypeNone, NULL, 0, context)
    assert_int_equal(OPEN(NULL), STATUS_SUCCESS);
    ObCloseHandle(File, KernelMode);
    assert_int_equal(OPEN(&Context), STATUS_SUCCESS);
    ObCloseHandle(File, KernelMode);
    Context.DeviceObjectHint = Bottom;
    assert_int_equal(OPEN(&Context), STATUS_NOT_SUPPORTED);
    Context.Size = 1;
    assert_int_equal(OPEN(&Context), STATUS_INVALID_PARAMETER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Boot, Stop)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(APowerRequestGoesToTheTopOfTheStack),
        TEST(ADevicesPowerStateIsKept),
        TEST(APowerRequestIsPassedOnAsAnyOther),
        TEST(PlugAndPlayKnowsNothingOfADeviceItDidNotFind),
        TEST(PlugAndPlayIsAskedAtPassiveLevel),
        TEST(EveryDriverIsVerified),
        TEST(AWorkItemIsTriedUntilItIsFree),
        TEST(ExclusiveReadingNeedsWritePermission),
        TEST(AFileIsDeletedByItsName),
        TEST(AnOpenMayHaveAContext),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
