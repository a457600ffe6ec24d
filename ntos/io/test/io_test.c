#include "io_test.h"
#include <string.h>

static KPROCESS_NT IoTestBootProcess;
static KTHREAD_NT IoTestBootThread;
PEPROCESS IoTestProcess;

static void Must(NTSTATUS Status)
{
    assert_int_equal(Status, STATUS_SUCCESS);
}

static void EnterClient(void)
{
    PS_CLIENT Client = {
        .HostProcessId = host_process_id(), .ImagePath = "/bin/test", .Embedded = TRUE};

    Must(PsCreateClientProcess(&Client, &IoTestProcess));
    PsDetachHostThread();
    Must(PsAttachHostThread(IoTestProcess));
}

int IoTestBoot(void **Unused)
{
    Must(VfInitSystem());
    VfLogEcho(TRUE);
    Must(KeInitSystem(4));
    KeInitializeProcess(&IoTestBootProcess);
    KeAdoptHostThread(&IoTestBootThread, &IoTestBootProcess);
    Must(MmInitSystem(256 << 20));
    Must(ExInitSystem());
    Must(ObInitSystem());
    Must(SeInitSystem(MAXULONG));
    Must(PsInitSystem());
    Must(IoInitSystem());
    EnterClient();
    return 0;
}

int IoTestStop(void **Unused)
{
    PsDetachHostThread();
    Must(PsAttachHostThread(NULL));
    PsWaitProcessEnd(IoTestProcess);
    ObDereferenceObject(IoTestProcess);
    IoShutdownSystem();
    PsShutdownSystem();
    SeShutdownSystem();
    ObShutdownSystem();
    ExShutdownSystem();
    MmShutdownSystem();
    KeReleaseHostThread();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

NTSTATUS IoTestTryLoad(PCWSTR Name, PDRIVER_INITIALIZE Entry)
{
    UNICODE_STRING Service,
        Path =
            RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Test");
    IO_DRIVER_IMAGE Image = {
        .ServiceName = &Service, .RegistryPath = &Path, .Entry = Entry, .Shared = TRUE};
    PDRIVER_OBJECT Driver;

    RtlInitUnicodeString(&Service, Name);
    return IopLoadDriverImage(&Image, &Driver);
}

static PDRIVER_OBJECT Find(PCWSTR Name)
{
    WCHAR Text[64] = L"\\Driver\\";
    UNICODE_STRING Path;
    PVOID Driver;

    wcscat(Text, Name);
    RtlInitUnicodeString(&Path, Text);
    Must(ObReferenceObjectByName(&Path, OBJ_CASE_INSENSITIVE, NULL, 0, *IoDriverObjectType,
                                 KernelMode, NULL, &Driver));
    ObDereferenceObject(Driver);
    return Driver;
}

PDRIVER_OBJECT IoTestLoad(PCWSTR Name, PDRIVER_INITIALIZE Entry)
{
    Must(IoTestTryLoad(Name, Entry));
    return Find(Name);
}

NTSTATUS IoTestUnload(PCWSTR Name)
{
    UNICODE_STRING Service;

    RtlInitUnicodeString(&Service, Name);
    return IopUnloadDriver(&Service);
}

BOOLEAN IoTestExists(PCWSTR Text)
{
    UNICODE_STRING Path;
    PVOID Object;
    NTSTATUS Status;

    RtlInitUnicodeString(&Path, Text);
    Status = ObReferenceObjectByName(&Path, OBJ_CASE_INSENSITIVE, NULL, 0, NULL, KernelMode, NULL,
                                     &Object);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Object);
    return NT_SUCCESS(Status) || Status == STATUS_OBJECT_TYPE_MISMATCH;
}

PDEVICE_OBJECT IoTestDevice(PDRIVER_OBJECT Driver, PCWSTR Text, ULONG ExtensionSize)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device;

    RtlInitUnicodeString(&Name, Text);
    Must(IoCreateDevice(Driver, ExtensionSize, Text ? &Name : NULL, FILE_DEVICE_UNKNOWN, 0, FALSE,
                        &Device));
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return Device;
}

NTSTATUS IoTestOpen(PCWSTR Path, ACCESS_MASK Access, ULONG Options, PHANDLE File)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(File, Access, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN, Options, NULL, 0);
}

HANDLE IoTestOpenSynchronous(PCWSTR Path)
{
    HANDLE File;

    Must(IoTestOpen(Path, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, FILE_SYNCHRONOUS_IO_NONALERT,
                    &File));
    return File;
}

HANDLE IoTestOpenAsynchronous(PCWSTR Path)
{
    HANDLE File;

    Must(IoTestOpen(Path, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, 0, &File));
    return File;
}

void IoTestClose(HANDLE File)
{
    Must(ObCloseHandle_(File, UserMode));
}

NTSTATUS IoTestControl(HANDLE File, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output,
                       ULONG OutputLength, PULONG_PTR Information)
{
    IO_STATUS_BLOCK Iosb = {.Status = -2, .Information = 0};
    NTSTATUS Status = NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, Code, Input, InputLength,
                                            Output, OutputLength);

    if (Information)
        *Information = Iosb.Information;
    return Status;
}

HANDLE IoTestEvent(void)
{
    PKEVENT Event;
    HANDLE Handle;

    Must(ObCreateObject(UserMode, *ExEventObjectType, NULL, UserMode, NULL, sizeof(KEVENT), 0, 0,
                        (PVOID *)&Event));
    KeInitializeEvent(Event, NotificationEvent, FALSE);
    Must(ObInsertObject(Event, NULL, EVENT_ALL_ACCESS, 0, NULL, &Handle));
    return Handle;
}

NTSTATUS IoTestWaitHandle(HANDLE Handle)
{
    PVOID Object, Header;
    NTSTATUS Status;

    Must(ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, UserMode, &Object, NULL));
    Must(ObWaitObject_(Object, &Header));
    Status = KeWaitForSingleObject(Header, UserRequest, UserMode, FALSE, NULL);
    ObDereferenceObject(Object);
    return Status;
}

static void Run(PETHREAD Thread, PVOID Context)
{
    IO_TEST_THREAD *Test = Context;

    Test->Body(Test->Argument);
}

void IoTestStart(IO_TEST_THREAD *Thread, void (*Body)(PVOID), PVOID Argument)
{
    static volatile LONG Id = 0x300000;

    Thread->Body = Body;
    Thread->Argument = Argument;
    Must(PsCreateClientThread(IoTestProcess, (ULONG)InterlockedIncrement(&Id), Run, Thread,
                              &Thread->Thread));
}

void IoTestJoin(IO_TEST_THREAD *Thread)
{
    Must(KeWaitForSingleObject(Thread->Thread, Executive, KernelMode, FALSE, NULL));
    ObDereferenceObject(Thread->Thread);
}

void IoTestUntil(volatile LONG *Word, LONG Value)
{
    LARGE_INTEGER Moment = {.QuadPart = -1000};

    while (__atomic_load_n(Word, __ATOMIC_ACQUIRE) != Value)
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
}

NTSTATUS IoTestComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}
