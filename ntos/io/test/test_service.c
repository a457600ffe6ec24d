/* What io does for drivers beside requests: timers, work items, remove locks, share access,
 * extensions, links, shutdown. */
#include "io_test.h"
#include <string.h>
#include <wdmsec.h>

static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Device;
static volatile LONG Count, Release;
static int FirstTag, SecondTag;

static VOID NTAPI Unload(PDRIVER_OBJECT Unused)
{
    IoDeleteDevice(Device);
}

static NTSTATUS NTAPI Shutdown(PDEVICE_OBJECT Unused, PIRP Irp)
{
    Count++;
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static LONG Reinitializations;

static VOID NTAPI Again(PDRIVER_OBJECT Unused, PVOID Context, ULONG Times)
{
    Reinitializations = Reinitializations * 10 + (LONG)Times;
    if (Times < 3)
        IoRegisterDriverReinitialization(Unused, Again, Context);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT New, PUNICODE_STRING RegistryPath)
{
    New->DriverUnload = Unload;
    New->MajorFunction[IRP_MJ_SHUTDOWN] = Shutdown;
    Device = IoTestDevice(New, L"\\Device\\Service", 16);
    Reinitializations = 0;
    IoRegisterDriverReinitialization(New, Again, NULL);
    return STATUS_SUCCESS;
}

static int Setup(void **State)
{
    Driver = IoTestLoad(L"Service", Entry);
    Count = Release = 0;
    return 0;
}

static int Teardown(void **State)
{
    assert_int_equal(IoTestUnload(L"Service"), STATUS_SUCCESS);
    assert_false(IoTestExists(L"\\Driver\\Service"));
    return 0;
}

static void ReinitializationRoutinesRunAfterDriverEntry(void **State)
{
    assert_int_equal(Reinitializations, 123);
}

static VOID NTAPI Tick(PDEVICE_OBJECT Unused, PVOID Context)
{
    if (KeGetCurrentIrql() == DISPATCH_LEVEL && Context == &Count)
        InterlockedIncrement(&Count);
}

static void AnIoTimerTicksUntilItIsStopped(void **State)
{
    LARGE_INTEGER Long = {.QuadPart = -IOP_SECOND * 11 / 10};
    LONG Then;

    assert_int_equal(IoInitializeTimer(Device, Tick, (PVOID)&Count), STATUS_SUCCESS);
    IoStartTimer(Device);
    while (!__atomic_load_n(&Count, __ATOMIC_ACQUIRE))
        KeDelayExecutionThread(KernelMode, FALSE, &Long);
    IoStopTimer(Device);
    KeFlushQueuedDpcs(); /* one may be on its way */
    Then = __atomic_load_n(&Count, __ATOMIC_ACQUIRE);
    KeDelayExecutionThread(KernelMode, FALSE, &Long);
    assert_int_equal(__atomic_load_n(&Count, __ATOMIC_ACQUIRE), Then);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x0A,
                     IoInitializeTimer(Device, Tick, NULL));
}

static VOID NTAPI Work(PDEVICE_OBJECT Which, PVOID Context)
{
    assert_ptr_equal(Which, Device);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_ptr_equal(IoGetCurrentProcess(), PsInitialSystemProcess);
    IoFreeWorkItem(Context);
    InterlockedIncrement(&Count);
}

static void AWorkItemRunsInTheSystemProcessAndMayFreeItself(void **State)
{
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);

    IoQueueWorkItem(Item, Work, DelayedWorkQueue, Item);
    IoTestUntil(&Count, 1);
}

static VOID NTAPI Block(PVOID Object, PVOID Context, PIO_WORKITEM Item)
{
    IoTestUntil(&Release, 1);
    InterlockedIncrement(&Count);
}

static void AQueuedWorkItemHoldsItsDevice(void **State)
{
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    LONG Before = atomic_load(&ObHeader(Device)->PointerCount);

    IoQueueWorkItemEx(Item, Block, DelayedWorkQueue, NULL);
    assert_int_equal(atomic_load(&ObHeader(Device)->PointerCount), Before + 1);
    __atomic_store_n(&Release, 1, __ATOMIC_RELEASE);
    IoTestUntil(&Count, 1);
    IoFreeWorkItem(Item);
}

static void ARemoveLockCountsItsHolders(void **State)
{
    IO_REMOVE_LOCK Lock;

    IoInitializeRemoveLock(&Lock, 'tseT', 0, 0);
    assert_int_equal(IoAcquireRemoveLock(&Lock, &Lock), STATUS_SUCCESS);
    assert_int_equal(IoAcquireRemoveLock(&Lock, &FirstTag), STATUS_SUCCESS);
    IoReleaseRemoveLock(&Lock, &FirstTag);
    IoReleaseRemoveLockAndWait(&Lock, &Lock);
    assert_int_equal(IoAcquireRemoveLock(&Lock, &Lock), STATUS_DELETE_PENDING);
}

static IO_REMOVE_LOCK Contended;

static void ReleaseLater(PVOID Unused)
{
    IoTestUntil(&Release, 1);
    while (!__atomic_load_n(&Contended.Common.Removed, __ATOMIC_SEQ_CST))
        KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = -1000});
    InterlockedIncrement(&Count);
    IoReleaseRemoveLock(&Contended, NULL);
}

static void RemovalWaitsForTheLastHolder(void **State)
{
    IO_TEST_THREAD Thread;

    IoInitializeRemoveLock(&Contended, 'tseT', 0, 0);
    IoAcquireRemoveLock(&Contended, NULL);
    IoAcquireRemoveLock(&Contended, Device);
    IoTestStart(&Thread, ReleaseLater, NULL);
    __atomic_store_n(&Release, 1, __ATOMIC_RELEASE);
    IoReleaseRemoveLockAndWait(&Contended, Device);
    assert_int_equal(Count, 1);
    IoTestJoin(&Thread);
}

static void ARemoveLockIsReleasedAsOftenAsAcquired(void **State)
{
    struct {
        IO_REMOVE_LOCK_COMMON_BLOCK Common;
        IO_REMOVE_LOCK_DBG_BLOCK Dbg;
    } Checked;
    PIO_REMOVE_LOCK Lock = (PIO_REMOVE_LOCK)&Checked;

    IoInitializeRemoveLockEx(Lock, 'tseT', 0, 0, sizeof(Checked));
    assert_int_equal(IoAcquireRemoveLockEx(Lock, &FirstTag, "", 1, sizeof(Checked)),
                     STATUS_SUCCESS);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD5,
                     IoReleaseRemoveLockEx(Lock, &SecondTag, sizeof(Checked)));
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD6,
                     IoReleaseRemoveLockAndWaitEx(Lock, &SecondTag, sizeof(Checked)));
    IoReleaseRemoveLockAndWaitEx(Lock, &FirstTag, sizeof(Checked));
}

static void ShareAccessFollowsTheFirstOpen(void **State)
{
    FILE_OBJECT First = {0}, Second = {0};
    SHARE_ACCESS Share;

    IoSetShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &First, &Share);
    assert_int_equal(IoCheckShareAccess(FILE_WRITE_DATA, FILE_SHARE_READ, &Second, &Share, TRUE),
                     STATUS_SHARING_VIOLATION);
    assert_int_equal(IoCheckShareAccess(FILE_READ_DATA, 0, &Second, &Share, TRUE),
                     STATUS_SHARING_VIOLATION);
    assert_int_equal(IoCheckShareAccess(FILE_READ_ATTRIBUTES, 0, &Second, &Share, TRUE),
                     STATUS_SUCCESS);
    assert_int_equal(IoCheckShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &Second, &Share, TRUE),
                     STATUS_SUCCESS);
    assert_int_equal(Share.OpenCount, 2);
    IoRemoveShareAccess(&First, &Share);
    IoRemoveShareAccess(&Second, &Share);
    assert_int_equal(Share.OpenCount, 0);
    assert_int_equal(IoCheckShareAccess(FILE_WRITE_DATA, 0, &Second, &Share, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(Share.OpenCount, 0);
    IoUpdateShareAccess(&Second, &Share);
    assert_int_equal(Share.Writers, 1);
}

static void DriverExtensionsAreFoundByTheirIdentification(void **State)
{
    PVOID First, Second;

    assert_int_equal(IoAllocateDriverObjectExtension(Driver, &FirstTag, 100, &First),
                     STATUS_SUCCESS);
    assert_int_equal(IoAllocateDriverObjectExtension(Driver, &FirstTag, 100, &Second),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_null(Second);
    assert_ptr_equal(IoGetDriverObjectExtension(Driver, &FirstTag), First);
    assert_null(IoGetDriverObjectExtension(Driver, &SecondTag));
}

static void LinksCollideAndGo(void **State)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\ServiceLink"),
                   Target = RTL_CONSTANT_STRING(L"\\Device\\Service");

    assert_int_equal(IoCreateSymbolicLink(&Link, &Target), STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&Link, &Target), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoDeleteSymbolicLink(&Link), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&Link), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void AnExclusiveDeviceIsOpenedOnce(void **State)
{
    HANDLE First, Second;

    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Shutdown;
    Device->Flags |= DO_EXCLUSIVE;
    assert_int_equal(IoTestOpen(L"\\Device\\Service", GENERIC_READ, 0, &First), STATUS_SUCCESS);
    assert_int_equal(IoTestOpen(L"\\Device\\Service", GENERIC_READ, 0, &Second),
                     STATUS_ACCESS_DENIED);
    IoTestClose(First);
    assert_int_equal(IoTestOpen(L"\\Device\\Service", GENERIC_READ, 0, &Second), STATUS_SUCCESS);
    IoTestClose(Second);
}

static void ADeletedDeviceStaysUntilItsLastClose(void **State)
{
    PDEVICE_OBJECT Extra = IoTestDevice(Driver, L"\\Device\\Extra", 0);
    HANDLE File;

    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Shutdown;
    assert_int_equal(IoTestOpen(L"\\Device\\Extra", GENERIC_READ, 0, &File), STATUS_SUCCESS);
    IoDeleteDevice(Extra);
    assert_false(IoTestExists(L"\\Device\\Extra"));
    assert_int_equal(IopDriverUseCount(Driver), 1);
    assert_ptr_equal(Driver->DeviceObject, Extra);
    IoTestClose(File);
    assert_ptr_equal(Driver->DeviceObject, Device);
}

static void NumberedDevicesGetNamesOfTheirOwn(void **State)
{
    PDEVICE_OBJECT First, Second;

    assert_int_equal(IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN,
                                    FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &First),
                     STATUS_SUCCESS);
    assert_int_equal(IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN,
                                    FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &Second),
                     STATUS_SUCCESS);
    assert_true(IoTestExists(L"\\Device\\00000001"));
    IoDeleteDevice(First);
    IoDeleteDevice(Second);
}

static void ShutdownReachesRegisteredDevices(void **State)
{
    assert_int_equal(IoRegisterShutdownNotification(Device), STATUS_SUCCESS);
    IoUnregisterShutdownNotification(Device);
    IopNotifyShutdown(&IopState.Shutdown);
    assert_int_equal(Count, 0);
    IoRegisterShutdownNotification(Device);
    IopNotifyShutdown(&IopState.Shutdown);
    assert_int_equal(Count, 1);
}

static void ErrorLogEntriesHaveALimit(void **State)
{
    PIO_ERROR_LOG_PACKET Entry_ = IoAllocateErrorLogEntry(Device, sizeof(IO_ERROR_LOG_PACKET));

    assert_non_null(Entry_);
    Entry_->ErrorCode = 5;
    IoWriteErrorLogEntry(Entry_);
    assert_null(IoAllocateErrorLogEntry(Device, 250));
    assert_null(IoAllocateErrorLogEntry(Device, 8));
}

static void ANamedEventIsSharedByItsName(void **State)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\IoTestEvent");
    HANDLE First, Second;
    PKEVENT Event = IoCreateNotificationEvent(&Name, &First);

    assert_int_equal(KeReadStateEvent(Event), 1);
    assert_ptr_equal(IoCreateSynchronizationEvent(&Name, &Second), Event);
    assert_int_equal(ObCloseHandle_(First, KernelMode), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle_(Second, KernelMode), STATUS_SUCCESS);
}

static struct {
    PCWSTR Path;
    NTSTATUS Status;
} Attempt;

static void OpenAs(PETHREAD Thread, PVOID Context)
{
    HANDLE File;

    Attempt.Status = IoTestOpen(Attempt.Path, GENERIC_READ, 0, &File);
    if (NT_SUCCESS(Attempt.Status))
        IoTestClose(File);
}

/* As an ordinary user's process does it. */
static NTSTATUS OpenAsOrdinaryUser(PCWSTR Path)
{
    PS_CLIENT Client = {.HostProcessId = 0x6000,
                        .HostUserId = 1000,
                        .ImagePath = "/bin/ordinary",
                        .Embedded = TRUE};
    PEPROCESS Process;
    PETHREAD Thread;

    Attempt.Path = Path;
    assert_int_equal(PsCreateClientProcess(&Client, &Process), STATUS_SUCCESS);
    assert_int_equal(PsCreateClientThread(Process, 0x6001, OpenAs, NULL, &Thread), STATUS_SUCCESS);
    PsWaitProcessEnd(Process);
    ObDereferenceObject(Thread);
    ObDereferenceObject(Process);
    return Attempt.Status;
}

static PDEVICE_OBJECT SecureDevice(PCWSTR Path, ULONG Characteristics)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT New;

    RtlInitUnicodeString(&Name, Path);
    assert_int_equal(IoCreateDeviceSecure(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, Characteristics,
                                          FALSE, &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, NULL, &New),
                     STATUS_SUCCESS);
    New->Flags &= ~DO_DEVICE_INITIALIZING;
    return New;
}

static void TheDescriptorOfADeviceGuardsIt(void **State)
{
    PDEVICE_OBJECT Open, Closed;
    HANDLE File;

    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Shutdown;
    Open = SecureDevice(L"\\Device\\HalfOpen", 0);
    Closed = SecureDevice(L"\\Device\\Closed", FILE_DEVICE_SECURE_OPEN);
    assert_int_equal(OpenAsOrdinaryUser(L"\\Device\\Service"), STATUS_SUCCESS);
    assert_int_equal(OpenAsOrdinaryUser(L"\\Device\\HalfOpen"), STATUS_ACCESS_DENIED);
    assert_int_equal(OpenAsOrdinaryUser(L"\\Device\\HalfOpen\\x"), STATUS_SUCCESS);
    assert_int_equal(OpenAsOrdinaryUser(L"\\Device\\Closed"), STATUS_ACCESS_DENIED);
    assert_int_equal(OpenAsOrdinaryUser(L"\\Device\\Closed\\x"), STATUS_ACCESS_DENIED);
    assert_int_equal(IoTestOpen(L"\\Device\\Closed", GENERIC_READ, 0, &File), STATUS_SUCCESS);
    IoTestClose(File);
    IoDeleteDevice(Open);
    IoDeleteDevice(Closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Setup, Teardown)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(ReinitializationRoutinesRunAfterDriverEntry),
        TEST(AnIoTimerTicksUntilItIsStopped),
        TEST(AWorkItemRunsInTheSystemProcessAndMayFreeItself),
        TEST(AQueuedWorkItemHoldsItsDevice),
        TEST(ARemoveLockCountsItsHolders),
        TEST(RemovalWaitsForTheLastHolder),
        TEST(ARemoveLockIsReleasedAsOftenAsAcquired),
        TEST(ShareAccessFollowsTheFirstOpen),
        TEST(DriverExtensionsAreFoundByTheirIdentification),
        TEST(LinksCollideAndGo),
        TEST(AnExclusiveDeviceIsOpenedOnce),
        TEST(ADeletedDeviceStaysUntilItsLastClose),
        TEST(NumberedDevicesGetNamesOfTheirOwn),
        TEST(ShutdownReachesRegisteredDevices),
        TEST(ErrorLogEntriesHaveALimit),
        TEST(ANamedEventIsSharedByItsName),
        TEST(TheDescriptorOfADeviceGuardsIt),
    };
    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
