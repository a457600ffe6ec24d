/*
 * SharingMemory: a driver that shares a page with its client.
 *
 * The device is exclusive and for administrators. An open is a SHARING (FsContext); the request
 * maps the page, CLEANUP (the last handle) takes it back. Handles can be duplicated, so the process
 * that maps may end before the last handle: a process notification takes the page back then, while
 * the address space is still there.
 */
#include "sharing.h"
#include <wdmsec.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static NTSTATUS CreateDevice(PDRIVER_OBJECT Driver);
static PDEVICE_OBJECT TheDevice; /* the process notification has no context of its own */

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, CreateDevice)
#pragma alloc_text(PAGE, Unload)
#endif

static SHARING *SharingOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext;
}

static NTSTATUS NTAPI Create(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    DEVICE *Device = DeviceObject->DeviceExtension;
    SHARING *Sharing;
    NTSTATUS Status = SharingCreate(&Sharing);

    if (NT_SUCCESS(Status)) {
        IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext = Sharing;
        ExAcquireFastMutex(&Device->Lock);
        InsertTailList(&Device->Sharings, &Sharing->Links);
        ExReleaseFastMutex(&Device->Lock);
    }
    return DriverComplete(Irp, Status, 0);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    SharingEnd(SharingOf(Irp), DeviceObject);
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    DEVICE *Device = DeviceObject->DeviceExtension;
    SHARING *Sharing = SharingOf(Irp);

    ExAcquireFastMutex(&Device->Lock);
    RemoveEntryList(&Sharing->Links);
    ExReleaseFastMutex(&Device->Lock);
    SharingDelete(Sharing);
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

static ULONG PointerSize(PIRP Irp)
{
#ifdef _WIN64
    if (IoIs32bitProcess(Irp))
        return sizeof(ULONG);
#else
    UNREFERENCED_PARAMETER(Irp);
#endif
    return sizeof(PVOID);
}

static NTSTATUS GiveMemory(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG OutputLength,
                           ULONG *Information)
{
    ULONG Size = PointerSize(Irp);
    PVOID UserAddress = NULL;
    NTSTATUS Status;

    if (OutputLength < Size)
        return STATUS_BUFFER_TOO_SMALL;
    Status = SharingMap(SharingOf(Irp), DeviceObject, &UserAddress);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &UserAddress,
                  Size); /* little-endian: the low half for a 32-bit client */
    *Information = Size;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    ULONG Information = 0;

    if (Stack->Parameters.DeviceIoControl.IoControlCode == IOCTL_GIVE_ME_YOUR_MEMORY)
        Status = GiveMemory(DeviceObject, Irp, Stack->Parameters.DeviceIoControl.OutputBufferLength,
                            &Information);
    return DriverComplete(Irp, Status, Information);
}

/* Before the process loses its handles and its address space. */
static VOID NTAPI ProcessNotify(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Created)
{
    DEVICE *Device = TheDevice->DeviceExtension;
    PLIST_ENTRY Link;

    UNREFERENCED_PARAMETER(ParentId);
    if (Created)
        return;
    ExAcquireFastMutex(&Device->Lock);
    for (Link = Device->Sharings.Flink; Link != &Device->Sharings; Link = Link->Flink) {
        SHARING *Sharing = CONTAINING_RECORD(Link, SHARING, Links);

        if (PsGetProcessId(Sharing->Owner) == ProcessId)
            SharingEnd(Sharing, TheDevice);
    }
    ExReleaseFastMutex(&Device->Lock);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link;

    PsSetCreateProcessNotifyRoutine(ProcessNotify, TRUE);
    RtlInitUnicodeString(&Link, SHARINGMEMORY_LINK);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

static NTSTATUS CreateDevice(PDRIVER_OBJECT Driver)
{
    /* {4E9C8C0B-3B43-4C0A-9E0B-6A9F5B0D7C11} */
    static const GUID Class = {
        0x4e9c8c0b, 0x3b43, 0x4c0a, {0x9e, 0x0b, 0x6a, 0x9f, 0x5b, 0x0d, 0x7c, 0x11}};
    UNICODE_STRING Name;
    DEVICE *Device;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, SHARINGMEMORY_DEVICE);
    Status = IoCreateDeviceSecure(Driver, sizeof(DEVICE), &Name, FILE_DEVICE_UNKNOWN,
                                  FILE_DEVICE_SECURE_OPEN, TRUE, &SDDL_DEVOBJ_SYS_ALL_ADM_ALL,
                                  &Class, &TheDevice);
    if (!NT_SUCCESS(Status))
        return Status;
    Device = TheDevice->DeviceExtension;
    ClockInitialize(&Device->Clock);
    ExInitializeFastMutex(&Device->Lock);
    InitializeListHead(&Device->Sharings);
    Status = IoInitializeTimer(TheDevice, ClockTick, NULL);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(TheDevice);
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name, Link;
    NTSTATUS Status = CreateDevice(Driver);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, SHARINGMEMORY_DEVICE);
    RtlInitUnicodeString(&Link, SHARINGMEMORY_LINK);
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status))
        goto deleteDevice;
    Status = PsSetCreateProcessNotifyRoutine(ProcessNotify, FALSE);
    if (!NT_SUCCESS(Status))
        goto deleteLink;
    Driver->MajorFunction[IRP_MJ_CREATE] = Create;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Close;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
deleteLink:
    IoDeleteSymbolicLink(&Link);
deleteDevice:
    IoDeleteDevice(TheDevice);
    return Status;
}
