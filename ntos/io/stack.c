/*
 * Device stacks: attaching and detaching, and ways up and down.
 */
#include "io/iop.h"

static PDEVICE_OBJECT IopTop(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Above;

    while ((Above = __atomic_load_n(&Device->AttachedDevice, __ATOMIC_ACQUIRE)))
        Device = Above;
    return Device;
}

/* The highest device of the stack that Device is in; not referenced. IRQL <= DISPATCH_LEVEL. Doc:
 * ntifs/nf-ntifs-iogetattacheddevice */
PDEVICE_OBJECT NTAPI IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return IopTop(DeviceObject);
}

/* As above, referenced: the caller calls ObDereferenceObject. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-iogetattacheddevicereference */
PDEVICE_OBJECT NTAPI IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Top;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Top = IopTop(DeviceObject);
    ObReferenceObject(Top);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Top;
}

/* The device below, referenced; NULL: it is the lowest. IRQL <= DISPATCH_LEVEL. Doc:
 * ntifs/nf-ntifs-iogetlowerdeviceobject */
PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Below;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Below = IopDevice(DeviceObject)->AttachedTo;
    if (Below)
        ObReferenceObject(Below);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Below;
}

/* The lowest device of the stack, referenced. IRQL <= DISPATCH_LEVEL. Doc:
 * ntifs/nf-ntifs-iogetdeviceattachmentbaseref */
PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    while (IopDevice(DeviceObject)->AttachedTo)
        DeviceObject = IopDevice(DeviceObject)->AttachedTo;
    ObReferenceObject(DeviceObject);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return DeviceObject;
}

/* The device that requests on a file go to; not referenced. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-iogetrelateddeviceobject */
PDEVICE_OBJECT NTAPI IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return IopTop(FileObject->DeviceObject);
}

static PDEVICE_OBJECT IopAttach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target,
                                PDEVICE_OBJECT volatile *Attached)
{
    PDEVICE_OBJECT Top;
    KIRQL Irql;

    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Top = IopTop(Target);
    if ((Top->Flags & DO_DEVICE_INITIALIZING) ||
        (IopDevice(Top)->ExtensionFlags & (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING)) ||
        Top == Source) {
        Top = NULL;
    } else {
        Source->AlignmentRequirement = Top->AlignmentRequirement;
        Source->SectorSize = Top->SectorSize;
        Source->StackSize = Top->StackSize + 1;
        IopDevice(Source)->AttachedTo = Top;
        if (Attached)
            *Attached = Top;
        __atomic_store_n(&Top->AttachedDevice, Source, __ATOMIC_RELEASE);
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Top;
}

/* Puts Source on top of Target's stack; the device it lies on, or NULL if that is starting or
 * going. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioattachdevicetodevicestack */
PDEVICE_OBJECT NTAPI IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice,
                                                 PDEVICE_OBJECT TargetDevice)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return IopAttach(SourceDevice, TargetDevice, NULL);
}

/* *AttachedToDeviceObject is set before a request can reach Source. STATUS_NO_SUCH_DEVICE where the
 * plain form returns NULL. Doc: ntddk/nf-ntddk-ioattachdevicetodevicestacksafe */
NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice,
                                               PDEVICE_OBJECT TargetDevice,
                                               PDEVICE_OBJECT *AttachedToDeviceObject)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return IopAttach(SourceDevice, TargetDevice, AttachedToDeviceObject) ? STATUS_SUCCESS
                                                                         : STATUS_NO_SUCH_DEVICE;
}

/* Takes the device that is attached to TargetDevice off it: called by the owner of that device,
 * with the device below. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iodetachdevice */
VOID NTAPI IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT Above;
    KIRQL Irql;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Above = TargetDevice->AttachedDevice;
    if (!Above)
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x202,
                   (ULONG_PTR)TargetDevice->DriverObject, 0, (ULONG_PTR)TargetDevice,
                   "IoDetachDevice of a device to which nothing is attached");
    IopDevice(Above)->AttachedTo = NULL;
    __atomic_store_n(&TargetDevice->AttachedDevice, NULL, __ATOMIC_RELEASE);
    TargetDevice
        ->ReferenceCount++; /* IopReleaseDevice does what the attachment may have postponed */
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    IopReleaseDevice(TargetDevice);
}

static NTSTATUS IopOpenForPointer(PUNICODE_STRING Name, ACCESS_MASK Desired, ULONG Options,
                                  PFILE_OBJECT *File)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = IopCreateFile(&Handle, Desired, &Attributes, &Iosb, NULL, 0,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                           Options | FILE_NON_DIRECTORY_FILE, NULL, 0, KernelMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status =
        ObReferenceObjectByHandle(Handle, 0, IopState.FileType, KernelMode, (PVOID *)File, NULL);
    ObCloseHandle_(Handle, KernelMode);
    return Status;
}

/* Opens a device by name: the top device of its stack, and a referenced file object that holds it
 * (ObDereferenceObject gives both back). The driver sees CREATE, CLEANUP, and CLOSE at the end.
 * IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iogetdeviceobjectpointer */
NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess,
                                        PFILE_OBJECT *FileObject, PDEVICE_OBJECT *DeviceObject)
{
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = IopOpenForPointer(ObjectName, DesiredAccess, 0, FileObject);
    if (NT_SUCCESS(Status))
        *DeviceObject = IoGetRelatedDeviceObject(*FileObject);
    return Status;
}

/* Attaches to the top of a named device's stack. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-ioattachdevice
 */
NTSTATUS NTAPI IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice,
                              PDEVICE_OBJECT *AttachedDevice)
{
    PFILE_OBJECT File;
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = IopOpenForPointer(TargetDevice, FILE_READ_ATTRIBUTES, 0, &File);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoAttachDeviceToDeviceStackSafe(SourceDevice, IoGetRelatedDeviceObject(File),
                                             AttachedDevice);
    ObDereferenceObject(File);
    return Status;
}
