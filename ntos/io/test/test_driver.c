/* Drivers and devices: loading, names, opening, buffered control, unloading. */
#include "io_test.h"
#include <string.h>

#define ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define READ_ONLY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_READ_ACCESS)
#define WRITE_ONLY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_WRITE_ACCESS)

static struct {
    LONG Creates, Cleanups, Closes, Unloads;
    NTSTATUS CreateStatus;
    WCHAR FileName[32];
    PEPROCESS CleanupProcess, EntryProcess;
    BOOLEAN Initializing;
} Seen;

static NTSTATUS NTAPI Create(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    Seen.Creates++;
    memset(Seen.FileName, 0, sizeof(Seen.FileName));
    if (File->FileName.Length)
        memcpy(Seen.FileName, File->FileName.Buffer, File->FileName.Length);
    return IoTestComplete(Irp, Seen.CreateStatus, FILE_OPENED);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    Seen.Cleanups++;
    Seen.CleanupProcess = IoGetCurrentProcess();
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT Device, PIRP Irp)
{
    Seen.Closes++;
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Bytes = min(Location->Parameters.DeviceIoControl.InputBufferLength,
                      Location->Parameters.DeviceIoControl.OutputBufferLength);

    return IoTestComplete(Irp, STATUS_SUCCESS, Bytes);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\IoTest");

    Seen.Unloads++;
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\IoTest"),
                   Link = RTL_CONSTANT_STRING(L"\\DosDevices\\IoTest");
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    Seen.EntryProcess = IoGetCurrentProcess();
    Driver->DriverUnload = Unload;
    Driver->MajorFunction[IRP_MJ_CREATE] = Create;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Close;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Status = IoCreateDevice(Driver, 100, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Seen.Initializing = (Device->Flags & DO_DEVICE_INITIALIZING) != 0;
    return IoCreateSymbolicLink(&Link, &Name);
}

static int Setup(void **State)
{
    memset(&Seen, 0, sizeof(Seen));
    IoTestLoad(L"IoTest", Entry);
    return 0;
}

static int Teardown(void **State)
{
    LONG Before = Seen.Unloads;

    assert_int_equal(IoTestUnload(L"IoTest"), STATUS_SUCCESS);
    assert_int_equal(Seen.Unloads, Before + 1);
    assert_false(IoTestExists(L"\\Device\\IoTest"));
    assert_false(IoTestExists(L"\\Driver\\IoTest"));
    return 0;
}

static void DriverEntryRunsInTheSystemProcessAndNamesAppear(void **State)
{
    assert_ptr_equal(Seen.EntryProcess, PsInitialSystemProcess);
    assert_true(Seen.Initializing);
    assert_true(IoTestExists(L"\\Driver\\IoTest"));
    assert_true(IoTestExists(L"\\Device\\IoTest"));
}

static void ADeviceHasWindowsSizeAndAZeroedExtension(void **State)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\Device\\IoTest");
    static const UCHAR Zero[100];
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;

    assert_int_equal(IoGetDeviceObjectPointer(&Path, FILE_READ_DATA, &File, &Device),
                     STATUS_SUCCESS);
    assert_int_equal(Device->Size, 336 + 100);
    assert_ptr_equal(Device->DeviceExtension, (PUCHAR)Device + 336);
    assert_memory_equal(Device->DeviceExtension, Zero, sizeof(Zero));
    assert_int_equal(Device->Flags & DO_DEVICE_INITIALIZING, 0);
    assert_int_equal(Seen.Creates, 1);
    assert_int_equal(Seen.Cleanups, 1);
    assert_int_equal(Seen.Closes, 0);
    ObDereferenceObject(File);
    assert_int_equal(Seen.Closes, 1);
}

static void OpeningAndClosingSendsCreateCleanupClose(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest");

    assert_int_equal(Seen.Creates, 1);
    assert_int_equal(Seen.Cleanups, 0);
    IoTestClose(File);
    assert_int_equal(Seen.Cleanups, 1);
    assert_int_equal(Seen.Closes, 1);
    assert_ptr_equal(Seen.CleanupProcess, IoTestProcess);
}

static void TheRestOfThePathIsTheFileName(void **State)
{
    HANDLE File;

    assert_int_equal(IoTestOpen(L"\\??\\IoTest\\HELLO", GENERIC_READ, 0, &File), STATUS_SUCCESS);
    assert_memory_equal(Seen.FileName, L"\\HELLO", sizeof(L"\\HELLO"));
    IoTestClose(File);
    assert_int_equal(IoTestOpen(L"\\??\\IoTest", GENERIC_READ, 0, &File), STATUS_SUCCESS);
    assert_int_equal(Seen.FileName[0], 0);
    IoTestClose(File);
    assert_int_equal(IoTestOpen(L"\\??\\IoTest\\", GENERIC_READ, 0, &File), STATUS_SUCCESS);
    assert_memory_equal(Seen.FileName, L"\\", sizeof(L"\\"));
    IoTestClose(File);
}

static void ARefusedCreateHasNoClose(void **State)
{
    HANDLE File;

    Seen.CreateStatus = STATUS_NO_MEDIA;
    assert_int_equal(IoTestOpen(L"\\??\\IoTest", GENERIC_READ, 0, &File), STATUS_NO_MEDIA);
    Seen.CreateStatus = STATUS_SUCCESS;
    assert_int_equal(Seen.Creates, 1);
    assert_int_equal(Seen.Cleanups, 0);
    assert_int_equal(Seen.Closes, 0);
}

static void ABufferedControlReturnsWhatTheDriverLeft(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest");
    char In[64] = "hello", Out[64] = "";
    ULONG_PTR Information;

    assert_int_equal(IoTestControl(File, ECHO, In, sizeof(In), Out, sizeof(Out), &Information),
                     STATUS_SUCCESS);
    assert_int_equal(Information, sizeof(Out));
    assert_memory_equal(In, Out, sizeof(In));
    IoTestClose(File);
}

static void ALargeBufferedControlReturnsEverything(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest");
    static char In[100000], Out[100000];
    ULONG_PTR Information;

    memset(In, 7, sizeof(In));
    assert_int_equal(IoTestControl(File, ECHO, In, sizeof(In), Out, sizeof(Out), &Information),
                     STATUS_SUCCESS);
    assert_int_equal(Information, sizeof(Out));
    assert_memory_equal(In, Out, sizeof(In));
    IoTestClose(File);
}

static void BadClientBuffersAreRefused(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest");
    char Out[8];

    assert_int_equal(IoTestControl(File, ECHO, (PVOID)(ULONG_PTR)0x1000, 8, Out, 8, NULL),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(IoTestControl(File, ECHO, Out, 8, (PVOID)MM_SYSTEM_LOW, 8, NULL),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(IoTestControl(File, ECHO, (PVOID)MM_SYSTEM_LOW, 8, Out, 8, NULL),
                     STATUS_ACCESS_VIOLATION);
    IoTestClose(File);
}

static void TheAccessBitsOfACodeAreChecked(void **State)
{
    HANDLE File;

    assert_int_equal(IoTestOpen(L"\\??\\IoTest", FILE_READ_DATA | SYNCHRONIZE,
                                FILE_SYNCHRONOUS_IO_NONALERT, &File),
                     STATUS_SUCCESS);
    assert_int_equal(IoTestControl(File, READ_ONLY, NULL, 0, NULL, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(IoTestControl(File, WRITE_ONLY, NULL, 0, NULL, 0, NULL), STATUS_ACCESS_DENIED);
    IoTestClose(File);
}

static void AMajorFunctionThatIsNotSetIsAnInvalidRequest(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest");
    IO_STATUS_BLOCK Iosb;
    char Buffer[8];

    assert_int_equal(NtReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(NtFlushBuffersFile(File, &Iosb), STATUS_INVALID_DEVICE_REQUEST);
    IoTestClose(File);
}

static void ANameCannotBeTakenTwice(void **State)
{
    assert_int_equal(IoTestTryLoad(L"IoTest2", Entry), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoTestTryLoad(L"IoTest", Entry), STATUS_OBJECT_NAME_COLLISION);
    assert_false(IoTestExists(L"\\Driver\\IoTest2"));
}

static void AnUnloadWaitsForTheLastClose(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\??\\IoTest"), Other;

    assert_int_equal(IoTestUnload(L"IoTest"), STATUS_SUCCESS);
    assert_int_equal(Seen.Unloads, 0);
    assert_int_equal(IoTestOpen(L"\\??\\IoTest", GENERIC_READ, 0, &Other), STATUS_NO_SUCH_DEVICE);
    assert_int_equal(IoTestControl(File, ECHO, NULL, 0, NULL, 0, NULL), STATUS_SUCCESS);
    IoTestClose(File);
    assert_int_equal(Seen.Unloads, 1);
    assert_false(IoTestExists(L"\\Driver\\IoTest"));
    IoTestLoad(L"IoTest", Entry);
}

static void AnUnknownDriverCannotBeUnloaded(void **State)
{
    assert_int_equal(IoTestUnload(L"Nobody"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static NTSTATUS NTAPI NoUnloadEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    Driver->FastIoDispatch = NULL;
    return STATUS_SUCCESS;
}

static void ADriverWithoutAnUnloadRoutineStays(void **State)
{
    IoTestLoad(L"Stays", NoUnloadEntry);
    assert_int_equal(IoTestUnload(L"Stays"), STATUS_INVALID_DEVICE_REQUEST);
    assert_true(IoTestExists(L"\\Driver\\Stays"));
}

static void OptionsAreChecked(void **State)
{
    HANDLE File;

    assert_int_equal(IoTestOpen(L"\\??\\IoTest", GENERIC_READ,
                                FILE_SYNCHRONOUS_IO_NONALERT | FILE_SYNCHRONOUS_IO_ALERT, &File),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        IoTestOpen(L"\\??\\IoTest", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &File),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(IoTestOpen(L"\\??\\Nobody", GENERIC_READ, 0, &File),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoTestOpen(L"\\Device", GENERIC_READ, 0, &File), STATUS_OBJECT_TYPE_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup_teardown(DriverEntryRunsInTheSystemProcessAndNamesAppear, Setup,
                                        Teardown),
        cmocka_unit_test_setup_teardown(ADeviceHasWindowsSizeAndAZeroedExtension, Setup, Teardown),
        cmocka_unit_test_setup_teardown(OpeningAndClosingSendsCreateCleanupClose, Setup, Teardown),
        cmocka_unit_test_setup_teardown(TheRestOfThePathIsTheFileName, Setup, Teardown),
        cmocka_unit_test_setup_teardown(ARefusedCreateHasNoClose, Setup, Teardown),
        cmocka_unit_test_setup_teardown(ABufferedControlReturnsWhatTheDriverLeft, Setup, Teardown),
        cmocka_unit_test_setup_teardown(ALargeBufferedControlReturnsEverything, Setup, Teardown),
        cmocka_unit_test_setup_teardown(BadClientBuffersAreRefused, Setup, Teardown),
        cmocka_unit_test_setup_teardown(TheAccessBitsOfACodeAreChecked, Setup, Teardown),
        cmocka_unit_test_setup_teardown(AMajorFunctionThatIsNotSetIsAnInvalidRequest, Setup,
                                        Teardown),
        cmocka_unit_test_setup_teardown(ANameCannotBeTakenTwice, Setup, Teardown),
        cmocka_unit_test_setup_teardown(AnUnloadWaitsForTheLastClose, Setup, Teardown),
        cmocka_unit_test_setup_teardown(AnUnknownDriverCannotBeUnloaded, Setup, Teardown),
        cmocka_unit_test_setup_teardown(ADriverWithoutAnUnloadRoutineStays, Setup, Teardown),
        cmocka_unit_test_setup_teardown(OptionsAreChecked, Setup, Teardown),
    };
    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
