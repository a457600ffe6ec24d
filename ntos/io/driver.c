/*
 * Driver objects: \Driver\NAME, made around an image that ldr has found. DriverEntry runs on a
 * thread of the System process.
 */
#include "io/iop.h"
#include <string.h>

POBJECT_TYPE *IoDriverObjectType = &IopState.DriverType;

typedef struct IOP_WORK {
    WORK_QUEUE_ITEM Item;
    void (*Routine)(PVOID Context);
    PVOID Context;
    KEVENT Done;
} IOP_WORK;

static void NTAPI IopRunWork(PVOID Context)
{
    IOP_WORK *Work = Context;

    Work->Routine(Work->Context);
    KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
}

NTSTATUS IopRunAsSystem(void (*Routine)(PVOID Context), PVOID Context)
{
    IOP_WORK Work = {.Routine = Routine, .Context = Context};

    if (PsIsSystemThread((PETHREAD)KiSelf) && IoGetCurrentProcess() == PsInitialSystemProcess) {
        Routine(Context);
        return STATUS_SUCCESS;
    }
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Work.Item, IopRunWork, &Work);
    ExQueueWorkItem(&Work.Item, DelayedWorkQueue);
    return KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS IopCopyName(PUNICODE_STRING To, PCWSTR Prefix, PCUNICODE_STRING Name)
{
    USHORT PrefixBytes = (USHORT)(wcslen(Prefix) * sizeof(WCHAR));
    SIZE_T Bytes = (SIZE_T)PrefixBytes + Name->Length + sizeof(WCHAR);

    if (Bytes > MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    To->Buffer = ExAllocatePoolWithTag(NonPagedPool, Bytes, IOP_NAME_TAG);
    if (!To->Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(To->Buffer, Prefix, PrefixBytes);
    memcpy((PUCHAR)To->Buffer + PrefixBytes, Name->Buffer, Name->Length);
    To->Length = PrefixBytes + Name->Length;
    To->MaximumLength = (USHORT)Bytes;
    To->Buffer[To->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS IopNameDriver(IOP_DRIVER *Driver, const IO_DRIVER_IMAGE *Image)
{
    static const UNICODE_STRING Nothing;
    NTSTATUS Status = IopCopyName(&Driver->Object.DriverName, L"\\Driver\\", Image->ServiceName);

    if (NT_SUCCESS(Status))
        Status = IopCopyName(&Driver->Extension.ServiceKeyName, L"", Image->ServiceName);
    if (NT_SUCCESS(Status))
        Status = IopCopyName(&Driver->RegistryPath, L"",
                             Image->RegistryPath ? Image->RegistryPath : &Nothing);
    return Status;
}

static void IopSetUpDriver(IOP_DRIVER *Driver, const IO_DRIVER_IMAGE *Image)
{
    static UNICODE_STRING Hardware =
        RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM");
    PDRIVER_OBJECT Object = &Driver->Object;

    Object->Type = IO_TYPE_DRIVER;
    Object->Size = sizeof(DRIVER_OBJECT);
    Object->Flags = DRVO_LEGACY_DRIVER;
    Object->DriverStart = Image->Base;
    Object->DriverSize = Image->Size;
    Object->DriverSection = Image->Section;
    Object->DriverExtension = &Driver->Extension;
    Object->HardwareDatabase = &Hardware;
    Object->DriverInit = Image->Entry;
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        Object->MajorFunction[Major] = IopInvalidDeviceRequest;
    Driver->Extension.DriverObject = Object;
    InitializeListHead(&Driver->Reinitializations);
    InitializeListHead(&Driver->Links);
    Driver->Image.Shared = Image->Shared;
}

/* On success the list's reference, and the name in \Driver. */
static NTSTATUS IopCreateDriver(const IO_DRIVER_IMAGE *Image, IOP_DRIVER **Driver)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = {0};
    IOP_DRIVER *New;
    HANDLE Handle;
    NTSTATUS Status;

    Status = IopCopyName(&Name, L"\\Driver\\", Image->ServiceName);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(
        &Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ObCreateObject(KernelMode, IopState.DriverType, &Attributes, KernelMode, NULL,
                            sizeof(IOP_DRIVER), 0, 0, (PVOID *)&New);
    if (!NT_SUCCESS(Status))
        goto freeName;
    memset(New, 0, sizeof(*New));
    IopSetUpDriver(New, Image);
    Status = IopNameDriver(New, Image);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        goto freeName;
    }
    ObReferenceObject(New);
    Status = ObInsertObject(New, NULL, FILE_READ_DATA, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        goto freeName;
    }
    ObCloseHandle_(Handle, KernelMode);
    *Driver = New;

freeName:
    ExFreePoolWithTag(Name.Buffer, IOP_NAME_TAG);
    return Status;
}

void IopUnlistDriver(IOP_DRIVER *Driver)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    RemoveEntryList(&Driver->Links);
    InitializeListHead(&Driver->Links);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    ObMakeTemporaryObject(Driver);
    ObDereferenceObject(Driver);
}

typedef struct IOP_ENTRY {
    IOP_DRIVER *Driver;
    NTSTATUS Status;
} IOP_ENTRY;

static void IopCallEntry(PVOID Context)
{
    IOP_ENTRY *Entry = Context;
    struct _KTHREAD *Self = KiSelf;
    PDRIVER_OBJECT Driver = &Entry->Driver->Object, Outer = Self->CurrentDriver;
    SHORT KernelApcDisable = Self->KernelApcDisable;

    VfTrace(VfEventLoad, (ULONG_PTR)Driver, (ULONG_PTR)Driver->DriverInit);
    Self->CurrentDriver = Driver;
    Entry->Status = IOP_CALL(Driver->DriverInit, Driver, &Entry->Driver->RegistryPath);
    if (Self->Irql != PASSIVE_LEVEL || Self->KernelApcDisable != KernelApcDisable)
        VfBugCheck(IRQL_UNEXPECTED_VALUE, (ULONG_PTR)Self->Irql << 16,
                   (ULONG_PTR)Driver->DriverInit, 0, 0,
                   "DriverEntry returned at raised IRQL or inside a critical region");
    Self->CurrentDriver = Outer;
}

/* DriverEntry failed and left devices behind. */
static void IopSweepDevices(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT Device;

    while ((Device = Driver->DeviceObject)) {
        DbgPrint("IO: DriverEntry of %wZ failed and left device %p behind.\n", &Driver->DriverName,
                 Device);
        if (IopDevice(Device)->AttachedTo)
            IoDetachDevice(IopDevice(Device)->AttachedTo);
        IoDeleteDevice(Device);
        if (Driver->DeviceObject == Device)
            return; /* somebody attached to it; it goes when he leaves */
    }
}

static void IopFinishInitialization(PDRIVER_OBJECT Driver)
{
    KIRQL Irql;

    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        if (!Driver->MajorFunction[Major])
            Driver->MajorFunction[Major] = IopInvalidDeviceRequest;
    }
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device; Device = Device->NextDevice)
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    InsertTailList(&IopState.Drivers, &IopDriver(Driver)->Links);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
}

NTSTATUS IopLoadDriverImage(const IO_DRIVER_IMAGE *Image, PDRIVER_OBJECT *Driver)
{
    IOP_ENTRY Entry;
    NTSTATUS Status = IopCreateDriver(Image, &Entry.Driver);

    if (!NT_SUCCESS(Status))
        return Status;
    IopRunAsSystem(IopCallEntry, &Entry);
    if (!NT_SUCCESS(Entry.Status)) {
        IopSweepDevices(&Entry.Driver->Object);
        IopUnlistDriver(Entry.Driver);
        return Entry.Status;
    }
    Entry.Driver->Image = *Image; /* from here on its release is the driver object's */
    IopFinishInitialization(&Entry.Driver->Object);
    IopRunReinitializations(Entry.Driver);
    if (Driver)
        *Driver = &Entry.Driver->Object;
    return Entry.Status;
}

/* The last reference: no device of it is left, and nothing runs in it. */
void IopFreeDriver(PVOID Object)
{
    IOP_DRIVER *Driver = Object;
    IOP_CLIENT_EXTENSION *Next;

    IopCheckPool(&Driver->Object);
    for (IOP_CLIENT_EXTENSION *Client = Driver->ClientExtensions; Client; Client = Next) {
        Next = Client->Next;
        ExFreePoolWithTag(Client, IOP_TAG);
    }
    if (Driver->Object.DriverName.Buffer)
        ExFreePoolWithTag(Driver->Object.DriverName.Buffer, IOP_NAME_TAG);
    if (Driver->Extension.ServiceKeyName.Buffer)
        ExFreePoolWithTag(Driver->Extension.ServiceKeyName.Buffer, IOP_NAME_TAG);
    if (Driver->RegistryPath.Buffer)
        ExFreePoolWithTag(Driver->RegistryPath.Buffer, IOP_NAME_TAG);
    if (Driver->Image.Release)
        Driver->Image.Release(Driver->Image.Section);
}
