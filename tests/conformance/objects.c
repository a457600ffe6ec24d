/* Registry, files, names, requests of the driver's own. */
#include "driver.h"

static VOID Attributes(POBJECT_ATTRIBUTES Object, PUNICODE_STRING Name, PCWSTR Text)
{
    RtlInitUnicodeString(Name, Text);
    InitializeObjectAttributes(Object, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
}

static VOID Values(REPORT *Report, HANDLE Key)
{
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    UNICODE_STRING Name;
    ULONG Number = 42, Length = 0;

    RtlInitUnicodeString(&Name, L"Number");
    SAY_STATUS(Report, "registry.set",
               ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Number, sizeof(Number)));
    SAY_STATUS(Report, "registry.query-short",
               ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, 4, &Length));
    SAY_NUMBER(Report, "registry.query-length", Length);
    SAY_STATUS(
        Report, "registry.query",
        ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length));
    SAY_NUMBER(Report, "registry.type", Value->Type);
    SAY_NUMBER(Report, "registry.value", *(ULONG *)Value->Data);
    SAY_STATUS(Report, "registry.delete-value", ZwDeleteValueKey(Key, &Name));
    SAY_STATUS(
        Report, "registry.query-gone",
        ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length));
}

VOID TestRegistry(REPORT *Report)
{
    OBJECT_ATTRIBUTES Object;
    UNICODE_STRING Name;
    ULONG Disposition = 0;
    HANDLE Service, Key;

    InitializeObjectAttributes(&Object, Report->RegistryPath,
                               OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    SAY_STATUS(Report, "registry.service", ZwOpenKey(&Service, KEY_ALL_ACCESS, &Object));
    RtlInitUnicodeString(&Name, L"Parameters");
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Service,
                               NULL);
    SAY_STATUS(Report, "registry.absent", ZwOpenKey(&Key, KEY_READ, &Object));
    SAY_STATUS(
        Report, "registry.create",
        ZwCreateKey(&Key, KEY_ALL_ACCESS, &Object, 0, NULL, REG_OPTION_VOLATILE, &Disposition));
    SAY_NUMBER(Report, "registry.disposition", Disposition);
    Values(Report, Key);
    SAY_STATUS(Report, "registry.delete", ZwDeleteKey(Key));
    ZwClose(Key);
    SAY_STATUS(Report, "registry.absent-again", ZwOpenKey(&Key, KEY_READ, &Object));
    ZwClose(Service);
}

VOID TestFiles(REPORT *Report)
{
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK Done;
    OBJECT_ATTRIBUTES Object;
    UNICODE_STRING Name;
    LARGE_INTEGER Begin = {.QuadPart = 0};
    CHAR Text[16] = "0123456789";
    HANDLE File;
    NTSTATUS Status;

    Attributes(&Object, &Name, L"\\??\\C:\\conformance.tmp");
    Status = ZwCreateFile(&File, GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE, &Object,
                          &Done, NULL, FILE_ATTRIBUTE_NORMAL, 0, FILE_OVERWRITE_IF,
                          FILE_SYNCHRONOUS_IO_NONALERT | FILE_DELETE_ON_CLOSE, NULL, 0);
    SAY_STATUS(Report, "files.create", Status);
    if (!NT_SUCCESS(Status))
        return;
    SAY_STATUS(Report, "files.write",
               ZwWriteFile(File, NULL, NULL, NULL, &Done, Text, 10, &Begin, NULL));
    SAY_NUMBER(Report, "files.written", Done.Information);
    Begin.QuadPart = 4;
    SAY_STATUS(Report, "files.read",
               ZwReadFile(File, NULL, NULL, NULL, &Done, Text, 16, &Begin, NULL));
    SAY_NUMBER(Report, "files.got", Done.Information);
    Begin.QuadPart = 10;
    SAY_STATUS(Report, "files.read-at-end",
               ZwReadFile(File, NULL, NULL, NULL, &Done, Text, 16, &Begin, NULL));
    SAY_STATUS(
        Report, "files.standard",
        ZwQueryInformationFile(File, &Done, &Standard, sizeof(Standard), FileStandardInformation));
    SAY_NUMBER(Report, "files.size", Standard.EndOfFile.QuadPart);
    SAY_STATUS(Report, "files.close", ZwClose(File));
}

VOID TestObjects(REPORT *Report)
{
    OBJECT_ATTRIBUTES Object;
    PFILE_OBJECT File = NULL;
    PDEVICE_OBJECT Device = NULL;
    UNICODE_STRING Name;
    HANDLE Handle;
    PKEVENT Event;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, L"\\Device\\Conformance");
    Status = IoCreateDevice(Report->Device->DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE,
                            &Device);
    SAY_STATUS(Report, "objects.device-twice", Status);
    SAY_STATUS(Report, "objects.link-twice", IoCreateSymbolicLink(&Name, &Name));
    RtlInitUnicodeString(&Name, L"\\Device\\Nonesuch");
    SAY_STATUS(Report, "objects.no-device",
               IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Device));
    RtlInitUnicodeString(&Name, L"\\BaseNamedObjects\\ConformanceEvent");
    Event = IoCreateNotificationEvent(&Name, &Handle);
    SAY_NUMBER(Report, "objects.event", Event != NULL);
    if (Event) {
        SAY_NUMBER(Report, "objects.event-state", KeReadStateEvent(Event));
        ZwClose(Handle);
    }
    Attributes(&Object, &Name, L"\\ConformanceDirectory");
    SAY_STATUS(Report, "objects.directory",
               ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &Object));
    SAY_STATUS(Report, "objects.close", ZwClose(Handle));
    SAY_NUMBER(Report, "objects.process", PsGetCurrentProcess() == IoGetCurrentProcess());
    RtlInitUnicodeString(&Name, L"KeSetEvent");
    SAY_NUMBER(Report, "objects.routine", MmGetSystemRoutineAddress(&Name) != NULL);
    RtlInitUnicodeString(&Name, L"KeNoSuchRoutine");
    SAY_NUMBER(Report, "objects.no-routine", MmGetSystemRoutineAddress(&Name) == NULL);
}

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    *(NTSTATUS *)Context = Irp->IoStatus.Status;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

VOID TestIrps(REPORT *Report)
{
    PIRP Irp = IoAllocateIrp(Report->Device->StackSize, FALSE);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    NTSTATUS Seen = STATUS_PENDING;

    SAY_NUMBER(Report, "irps.stack", Report->Device->StackSize);
    SAY_NUMBER(Report, "irps.locations", Irp->CurrentLocation - Irp->StackCount);
    Stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_CONFORMANCE_RUN(TopicCount);
    IoSetCompletionRoutine(Irp, Completed, &Seen, TRUE, TRUE, TRUE);
    SAY_STATUS(Report, "irps.call", IoCallDriver(Report->Device, Irp));
    SAY_STATUS(Report, "irps.completed", Seen);
    Irp->Cancel = FALSE;
    SAY_NUMBER(Report, "irps.cancel-without-routine", IoCancelIrp(Irp));
    SAY_NUMBER(Report, "irps.cancelled", Irp->Cancel);
    IoFreeIrp(Irp);
}
