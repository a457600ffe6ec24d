/* The device and its link come and go together. */
#include "device.h"
#include <wdmsec.h>

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DeviceCreate)
#pragma alloc_text(PAGE, DeviceDelete)
#endif

NTSTATUS DeviceCreate(PDRIVER_OBJECT Driver, PCWSTR Name, PCWSTR Link, DEVICE_TYPE Type,
                      const GUID *Class, PDEVICE_OBJECT *Device)
{
    UNICODE_STRING NameString, LinkString;
    NTSTATUS Status;

    RtlInitUnicodeString(&NameString, Name);
    RtlInitUnicodeString(&LinkString, Link);
    Status = IoCreateDeviceSecure(Driver, 0, &NameString, Type, FILE_DEVICE_SECURE_OPEN, FALSE,
                                  &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, Class, Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&LinkString, &NameString);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(*Device);
    return Status;
}

VOID DeviceDelete(PDEVICE_OBJECT Device, PCWSTR Link)
{
    UNICODE_STRING LinkString;

    PAGED_CODE();
    RtlInitUnicodeString(&LinkString, Link);
    IoDeleteSymbolicLink(&LinkString);
    IoDeleteDevice(Device);
}
