/*
 * Device objects. A device that is open, or lies under an attached one, outlives IoDeleteDevice
 * until that ends.
 */
#include "io/iop.h"
#include <ntstrsafe.h>
#include <string.h>

POBJECT_TYPE *IoDeviceObjectType = &IopState.DeviceType;

NTSTATUS IopInitSecurity(void)
{
    UNICODE_STRING Sddl =
        RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGWGX;;;WD)(A;;GRGX;;;RC)");
    ULONG Length;

    return SeSddlToSecurityDescriptor(&Sddl, &IopState.DefaultSecurity, &Length);
}

static ULONG IopSectorSize(DEVICE_TYPE Type)
{
    if (Type == FILE_DEVICE_DISK || Type == FILE_DEVICE_VIRTUAL_DISK)
        return 512;
    return Type == FILE_DEVICE_CD_ROM ? 2048 : 0;
}

static IOP_DEVICE *IopNewExtension(PDEVICE_OBJECT Device)
{
    IOP_DEVICE *Extension = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Extension), IOP_TAG);

    if (!Extension)
        return NULL;
    memset(Extension, 0, sizeof(*Extension));
    Extension->Header.Type = IO_TYPE_DEVICE_OBJECT_EXTENSION;
    Extension->Header.DeviceObject = Device;
    InitializeListHead(&Extension->ShutdownEntry);
    Device->DeviceObjectExtension = &Extension->Header;
    return Extension;
}

/* 336 bytes and the driver's extension, zeroed; the executive's part lies elsewhere, so that an
 * extension overrun is seen. */
static NTSTATUS IopAllocateDevice(OBJECT_ATTRIBUTES *Attributes, ULONG ExtensionSize,
                                  PDEVICE_OBJECT *Device)
{
    PDEVICE_OBJECT New;
    ULONG Bytes;
    NTSTATUS Status;

    if (__builtin_add_overflow(IOP_DEVICE_BYTES, ExtensionSize, &Bytes) || Bytes > MAXUSHORT)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ObCreateObject(KernelMode, IopState.DeviceType, Attributes, KernelMode, NULL, Bytes, 0,
                            0, (PVOID *)&New);
    if (!NT_SUCCESS(Status))
        return Status;
    memset(New, 0, Bytes);
    New->Type = IO_TYPE_DEVICE;
    New->Size = (USHORT)Bytes;
    if (!IopNewExtension(New)) {
        ObDereferenceObject(New);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    New->DeviceExtension = ExtensionSize ? (PUCHAR)New + IOP_DEVICE_BYTES : NULL;
    *Device = New;
    return STATUS_SUCCESS;
}

static void IopSetUpDevice(PDEVICE_OBJECT Device, PDRIVER_OBJECT Driver, DEVICE_TYPE Type,
                           ULONG Characteristics, BOOLEAN Exclusive, BOOLEAN Named)
{
    Device->DriverObject = Driver;
    Device->DeviceType = Type;
    Device->Characteristics = Characteristics;
    Device->Flags =
        DO_DEVICE_INITIALIZING | (Named ? DO_DEVICE_HAS_NAME : 0) | (Exclusive ? DO_EXCLUSIVE : 0);
    Device->StackSize = 1;
    Device->SectorSize = (USHORT)IopSectorSize(Type);
    Device->SecurityDescriptor = ObHeader(Device)->SecurityDescriptor;
    KeInitializeDeviceQueue(&Device->DeviceQueue);
    KeInitializeEvent(&Device->DeviceLock, SynchronizationEvent, TRUE);
}

static void IopListDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Device)
{
    KIRQL Irql;

    ObReferenceObject(Driver);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Device->NextDevice = Driver->DeviceObject;
    Driver->DeviceObject = Device;
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
}

NTSTATUS IopMakeDevice(PDRIVER_OBJECT Driver, ULONG ExtensionSize, PUNICODE_STRING Name,
                       DEVICE_TYPE Type, ULONG Characteristics, BOOLEAN Exclusive,
                       PSECURITY_DESCRIPTOR Security, PDEVICE_OBJECT *Device)
{
    OBJECT_ATTRIBUTES Attributes;
    PDEVICE_OBJECT New;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | (Name ? OBJ_PERMANENT : 0),
                               NULL, Security);
    Status = IopAllocateDevice(&Attributes, ExtensionSize, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    /* Before it can be found by name. */
    IopSetUpDevice(New, Driver, Type, Characteristics, Exclusive, Name != NULL);
    IopListDevice(Driver, New);
    ObReferenceObject(New);
    Status = ObInsertObject(New, NULL, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(New);
        return Status;
    }
    ObCloseHandle_(Handle, KernelMode);
    New->SecurityDescriptor = ObHeader(New)->SecurityDescriptor;
    *Device = New;
    return STATUS_SUCCESS;
}

NTSTATUS IopMakeNumberedDevice(PDRIVER_OBJECT Driver, ULONG ExtensionSize, DEVICE_TYPE Type,
                               ULONG Characteristics, BOOLEAN Exclusive,
                               PSECURITY_DESCRIPTOR Security, PDEVICE_OBJECT *Device)
{
    WCHAR Text[24];
    UNICODE_STRING Name;
    NTSTATUS Status;

    do {
        RtlStringCbPrintfW(Text, sizeof(Text), L"\\Device\\%08lx",
                           (ULONG)InterlockedIncrement((PLONG)&IopState.NextDeviceNumber));
        RtlInitUnicodeString(&Name, Text);
        Status = IopMakeDevice(Driver, ExtensionSize, &Name, Type, Characteristics, Exclusive,
                               Security, Device);
    } while (Status == STATUS_OBJECT_NAME_COLLISION);
    return Status;
}

/* A device of the driver: 336 bytes and a zeroed extension; DO_DEVICE_INITIALIZING is set, and
 * cleared after DriverEntry. The name is optional. STATUS_OBJECT_NAME_COLLISION,
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-iocreatedevice */
NTSTATUS NTAPI IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                              PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                              ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PDEVICE_OBJECT *DeviceObject)
{
    VF_IRQL_MAX(APC_LEVEL);
    *DeviceObject = NULL;
    if (DeviceCharacteristics & FILE_AUTOGENERATED_DEVICE_NAME)
        return IopMakeNumberedDevice(DriverObject, DeviceExtensionSize, DeviceType,
                                     DeviceCharacteristics, Exclusive, IopState.DefaultSecurity,
                                     DeviceObject);
    if (DeviceName && !DeviceName->Length)
        DeviceName = NULL;
    return IopMakeDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType,
                         DeviceCharacteristics, Exclusive, IopState.DefaultSecurity, DeviceObject);
}

static void IopUnlistDevice(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT *Link = &Device->DriverObject->DeviceObject;

    while (*Link && *Link != Device)
        Link = &(*Link)->NextDevice;
    if (*Link)
        *Link = Device->NextDevice;
    Device->NextDevice = NULL;
    IopDevice(Device)->Gone = TRUE;
}

/* Under the database lock. */
static BOOLEAN IopMayGo(PDEVICE_OBJECT Device)
{
    IOP_DEVICE *Extension = IopDevice(Device);

    if (!(Extension->ExtensionFlags & DOE_DELETE_PENDING) || Device->ReferenceCount ||
        Device->AttachedDevice || Extension->Gone)
        return FALSE;
    IopUnlistDevice(Device);
    return TRUE;
}

static void IopCheckDelete(PDEVICE_OBJECT Device)
{
    PDRIVER_OBJECT Driver = Device->DriverObject;

    if (Device->Type != IO_TYPE_DEVICE || (IopDevice(Device)->ExtensionFlags & DOE_DELETE_PENDING))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x240, (ULONG_PTR)Driver, 0,
                   (ULONG_PTR)Device, "a device object was deleted twice");
    if (IopDevice(Device)->AttachedTo)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x201, (ULONG_PTR)Driver, 0,
                   (ULONG_PTR)Device,
                   "a device object was deleted that is still attached to another: IoDetachDevice "
                   "comes first");
}

/* The device goes: its name at once, the object when the last file on it is closed and the last
 * reference dropped. Bug check 0xC9: 201 still attached to a lower device, 240 deleted before. IRQL
 * <= APC_LEVEL. Doc: wdm/nf-wdm-iodeletedevice */
VOID NTAPI IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Go;
    KIRQL Irql;

    VF_IRQL_MAX(APC_LEVEL);
    IopCheckDelete(DeviceObject);
    if (DeviceObject->Flags & DO_SHUTDOWN_REGISTERED)
        IoUnregisterShutdownNotification(DeviceObject);
    IopFreeTimer(DeviceObject);
    if (DeviceObject->Flags & DO_DEVICE_HAS_NAME)
        ObMakeTemporaryObject(DeviceObject);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    IopDevice(DeviceObject)->ExtensionFlags |= DOE_DELETE_PENDING;
    Go = IopMayGo(DeviceObject);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    if (Go)
        ObDereferenceObject(DeviceObject);
}

NTSTATUS IopOpenDevice(PDEVICE_OBJECT Device)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    if ((IopDevice(Device)->ExtensionFlags &
         (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING | DOE_REMOVE_PENDING)) ||
        (Device->Flags & DO_DEVICE_INITIALIZING))
        Status = STATUS_NO_SUCH_DEVICE;
    else if ((Device->Flags & DO_EXCLUSIVE) && Device->ReferenceCount)
        Status = STATUS_ACCESS_DENIED;
    else
        Device->ReferenceCount++;
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Status;
}

void IopReleaseDevice(PDEVICE_OBJECT Device)
{
    PDRIVER_OBJECT Driver = Device->DriverObject;
    BOOLEAN Go;
    KIRQL Irql;

    ObReferenceObject(Driver);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    NT_ASSERT(Device->ReferenceCount > 0);
    Device->ReferenceCount--;
    Go = IopMayGo(Device);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    if (Go)
        ObDereferenceObject(Device);
    IopCompleteUnload(Driver);
    ObDereferenceObject(Driver);
}

/* The last reference. */
void IopFreeDevice(PVOID Object)
{
    PDEVICE_OBJECT Device = Object;

    if (Device->Timer)
        ExFreePoolWithTag(Device->Timer, IOP_TAG);
    if (Device->DeviceObjectExtension)
        ExFreePoolWithTag(Device->DeviceObjectExtension, IOP_TAG);
    if (Device->DriverObject)
        ObDereferenceObject(Device->DriverObject);
}
