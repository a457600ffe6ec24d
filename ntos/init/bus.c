/* The embedded interface: what is on the machine's bus. */
#include "init/init.h"

_Static_assert(sizeof(USERNT_PORTS) == sizeof(HAL_PORTS) &&
                   FIELD_OFFSET(USERNT_PORTS, Context) == FIELD_OFFSET(HAL_PORTS, Context),
               "one structure under two names");

NTSTATUS UserNtAddPciFunction(ULONG Bus, ULONG Slot, const void *Configuration,
                              const void *Writable, ULONG Bytes)
{
    return InitIsUp() ? HalAddPciFunction(Bus, Slot, Configuration, Writable, Bytes)
                      : STATUS_DEVICE_NOT_READY;
}

NTSTATUS UserNtAddDeviceMemory(ULONG64 Physical, ULONG64 Bytes)
{
    return InitIsUp() ? MmAddDeviceMemory(Physical, Bytes) : STATUS_DEVICE_NOT_READY;
}

NTSTATUS UserNtAddPorts(USHORT First, ULONG Count, const USERNT_PORTS *Ports)
{
    return InitIsUp() ? HalAddPorts(First, Count, (const HAL_PORTS *)Ports)
                      : STATUS_DEVICE_NOT_READY;
}

NTSTATUS UserNtDescribeBus(const char *Text, ULONG *Line)
{
    ULONG Unused;
    return InitIsUp() ? HalDescribeBus(Text, Line != NULL ? Line : &Unused)
                      : STATUS_DEVICE_NOT_READY;
}

NTSTATUS UserNtInterrupt(ULONG Vector)
{
    if (!InitIsUp())
        return STATUS_DEVICE_NOT_READY;
    return KiSelf == NULL ? STATUS_INVALID_THREAD : HalInterrupt(Vector);
}
