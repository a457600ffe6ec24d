/*
 * The poor man's pipe: programs that open the same name below the device exchange bytes. Contexts:
 * pipe.h.
 *
 * Settings in the service's key: Security (REG_SZ, SDDL; without it everyone may read and write, as
 * the original had it), OwnerOnly (REG_DWORD, 1: a name belongs to the user who opened it first),
 * QuotaNames and QuotaBytes (REG_DWORD: what one process may have).
 */
#include "pipe.h"
#include "../../common/settings.h"
#include <wdmsec.h>

#define DEVICE_NAME L"\\Device\\" EXAMPLE_DEVICE
#define LINK_NAME L"\\DosDevices\\" EXAMPLE_DEVICE

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static NTSTATUS CreateDevice(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath,
                             PDEVICE_OBJECT *DeviceObject);
static VOID ReadSettings(DEVICE *Device, PUNICODE_STRING RegistryPath);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, CreateDevice)
#pragma alloc_text(INIT, ReadSettings)
#pragma alloc_text(PAGE, Unload)
#endif

static NTSTATUS Open(PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    INSTANCE *Instance = DriverAllocate(sizeof(*Instance), PIPE_TAG);
    PIPE *Pipe;
    NTSTATUS Status;

    if (!Instance)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = PipeOpen(Irp, Instance, &Pipe);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Instance, PIPE_TAG);
        return Status;
    }
    File->FsContext = Pipe;
    File->FsContext2 = Instance;
    TransferWake(Pipe);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Create(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return DriverComplete(Irp, Open(Irp), 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PipeClose(DeviceObject->DeviceExtension, PipeOf(Irp), InstanceOf(Irp));
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG_PTR Information = 0;
    NTSTATUS Status = DemoControl(Irp, Code, &Information);

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Status == STATUS_NOT_SUPPORTED)
        Status = ControlPipe(Irp, Code, &Information);
    return Status == STATUS_PENDING ? Status : DriverComplete(Irp, Status, Information);
}

static NTSTATUS NTAPI Unsupported(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return DriverComplete(Irp, STATUS_NOT_SUPPORTED, 0);
}

/* No handle is open, so no name is left. */
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    DEVICE *Device = Driver->DeviceObject->DeviceExtension;
    UNICODE_STRING Link;

    RtlInitUnicodeString(&Link, LINK_NAME);
    IoDeleteSymbolicLink(&Link);
    NamesEnd(&Device->Names);
    IoDeleteDevice(Driver->DeviceObject);
}

static VOID ReadSettings(DEVICE *Device, PUNICODE_STRING RegistryPath)
{
    Device->OwnerOnly = SettingsNumber(RegistryPath, L"OwnerOnly", 0) != 0;
    Device->NamesMost = SettingsNumber(RegistryPath, L"QuotaNames", 131072);
    Device->BytesMost = SettingsNumber(RegistryPath, L"QuotaBytes", 64 << 20);
    if (Device->BytesMost > QUOTA_BYTES_LIMIT)
        Device->BytesMost = QUOTA_BYTES_LIMIT;
}

static NTSTATUS CreateDevice(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath,
                             PDEVICE_OBJECT *DeviceObject)
{
    /* {D0B2F3A1-5C7E-4E0B-8E57-3C1D90AF6B2E} */
    static const GUID Class = {
        0xd0b2f3a1, 0x5c7e, 0x4e0b, {0x8e, 0x57, 0x3c, 0x1d, 0x90, 0xaf, 0x6b, 0x2e}};
    WCHAR Buffer[SETTINGS_CHARACTERS];
    UNICODE_STRING Name, Security = SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R;
    DEVICE *Device;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, DEVICE_NAME);
    SettingsText(RegistryPath, L"Security", &Security, Buffer);
    Status = IoCreateDeviceSecure(Driver, sizeof(DEVICE), &Name, FILE_DEVICE_UNKNOWN,
                                  FILE_DEVICE_SECURE_OPEN, FALSE, &Security, &Class, DeviceObject);
    if (!NT_SUCCESS(Status))
        return Status;
    Device = (*DeviceObject)->DeviceExtension;
    NamesInitialize(&Device->Names);
    QuotaInitialize(Device);
    ReadSettings(Device, RegistryPath);
    (*DeviceObject)->Flags |= BufferDeviceFlags;
    return STATUS_SUCCESS;
}

static VOID SetDispatch(PDRIVER_OBJECT Driver)
{
    ULONG i;

    for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        Driver->MajorFunction[i] = Unsupported;
    Driver->MajorFunction[IRP_MJ_CREATE] = Create;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = TransferCleanup;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Close;
    Driver->MajorFunction[IRP_MJ_READ] = TransferRead;
    Driver->MajorFunction[IRP_MJ_WRITE] = TransferWrite;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name, Link;
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status = CreateDevice(Driver, RegistryPath, &DeviceObject);

    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, DEVICE_NAME);
    RtlInitUnicodeString(&Link, LINK_NAME);
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(DeviceObject);
        return Status;
    }
    SetDispatch(Driver);
    return STATUS_SUCCESS;
}
