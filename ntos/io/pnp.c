/*
 * What a driver asks of Plug and Play. No device here was found by it, so none has an interface, a
 * property or a key of its own: each routine says what is documented for such a device.
 */
#include "io/iop.h"

#include <string.h>

static BOOLEAN IopIsDevice(PDEVICE_OBJECT Device)
{
    return Device && Device->Type == IO_TYPE_DEVICE;
}

/* STATUS_INVALID_DEVICE_REQUEST: the device is no PDO of the PnP manager. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-ioregisterdeviceinterface */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject,
                                         const GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString,
                                         PUNICODE_STRING SymbolicLinkName)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* STATUS_OBJECT_NAME_NOT_FOUND: no interface of that name is registered;
 * STATUS_INVALID_PARAMETER: no name. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-iosetdeviceinterfacestate */
NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return SymbolicLinkName && SymbolicLinkName->Length ? STATUS_OBJECT_NAME_NOT_FOUND
                                                        : STATUS_INVALID_PARAMETER;
}

/* The list of no interfaces: an empty string, for ExFreePool. STATUS_INVALID_DEVICE_REQUEST: a
 * device is named, which is no PDO. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iogetdeviceinterfaces */
NTSTATUS NTAPI IoGetDeviceInterfaces(const GUID *InterfaceClassGuid,
                                     PDEVICE_OBJECT PhysicalDeviceObject, ULONG Flags,
                                     PWSTR *SymbolicLinkList)
{
    PWSTR List;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    *SymbolicLinkList = NULL;
    if (PhysicalDeviceObject)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!(List = ExAllocatePoolWithTag(PagedPool, 2 * sizeof(WCHAR), IOP_NAME_TAG)))
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(List, 0, 2 * sizeof(WCHAR));
    MM_GIVE_TO_CALLER(List);
    *SymbolicLinkList = List;
    return STATUS_SUCCESS;
}

/* STATUS_OBJECT_NAME_NOT_FOUND: there is no such interface. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-iogetdeviceinterfacealias */
NTSTATUS NTAPI IoGetDeviceInterfaceAlias(PUNICODE_STRING SymbolicLinkName,
                                         const GUID *AliasInterfaceClassGuid,
                                         PUNICODE_STRING AliasSymbolicLinkName)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* The same. Doc: wdm/nf-wdm-ioopendeviceinterfaceregistrykey */
NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName,
                                                ACCESS_MASK DesiredAccess,
                                                PHANDLE DeviceInterfaceRegKey)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* STATUS_INVALID_PARAMETER: no such kind of key; STATUS_INVALID_DEVICE_REQUEST: the device is no
 * PDO. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-ioopendeviceregistrykey */
NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType,
                                       ACCESS_MASK DesiredAccess, PHANDLE DeviceRegKey)
{
    ULONG Kind = DevInstKeyType & (PLUGPLAY_REGKEY_DEVICE | PLUGPLAY_REGKEY_DRIVER);

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (!IopIsDevice(DeviceObject) ||
        (Kind != PLUGPLAY_REGKEY_DEVICE && Kind != PLUGPLAY_REGKEY_DRIVER))
        return STATUS_INVALID_PARAMETER;
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* STATUS_INVALID_PARAMETER_2: no such property; STATUS_INVALID_DEVICE_REQUEST: the device is no
 * PDO. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iogetdeviceproperty */
NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject,
                                   DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                   PVOID PropertyBuffer, PULONG ResultLength)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    *ResultLength = 0;
    return (ULONG)DeviceProperty > DevicePropertyContainerID ? STATUS_INVALID_PARAMETER_2
                                                             : STATUS_INVALID_DEVICE_REQUEST;
}

/* Not 0: the driver is under the verifier, as all are. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-mmisdriververifying */
LOGICAL NTAPI MmIsDriverVerifying(PDRIVER_OBJECT DriverObject)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return DriverObject->Type == IO_TYPE_DRIVER;
}
