/* device: the one device of a driver, for the system and administrators alone, and its link. */
#ifndef COMMON_DEVICE_H
#define COMMON_DEVICE_H

#include <ntifs.h>

/* Class: a setup class of the driver's own, under which an administrator may change who may open
 * it. On failure nothing is left. */
NTSTATUS DeviceCreate(PDRIVER_OBJECT Driver, PCWSTR Name, PCWSTR Link, DEVICE_TYPE Type,
                      const GUID *Class, PDEVICE_OBJECT *Device);
VOID DeviceDelete(PDEVICE_OBJECT Device, PCWSTR Link);

#endif
