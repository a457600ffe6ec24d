/* A driver that refuses to start. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}
