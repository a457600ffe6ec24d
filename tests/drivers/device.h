/* What the drivers that err for a test have in common: one device with a link, requests completed
 * with success. */
#ifndef TESTS_DRIVERS_DEVICE_H
#define TESTS_DRIVERS_DEVICE_H

static inline NTSTATUS DeviceComplete(PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static inline NTSTATUS DeviceCreateClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Information = 0;
    return DeviceComplete(Irp);
}

static inline NTSTATUS DeviceMake(PDRIVER_OBJECT Driver, PCWSTR DeviceName, PCWSTR LinkName,
                                  PDRIVER_DISPATCH Control)
{
    UNICODE_STRING Name, Link;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, DeviceName);
    RtlInitUnicodeString(&Link, LinkName);
    Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] = DeviceCreateClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    return IoCreateSymbolicLink(&Link, &Name);
}

#endif
