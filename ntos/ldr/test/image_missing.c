/* A driver that imports two routines that nobody has. */
#include <ntddk.h>

VOID NTAPI KeDoWhatNobodyCan(VOID);
VOID NTAPI IoDoWhatNobodyCan(VOID);
DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    KeDoWhatNobodyCan();
    IoDoWhatNobodyCan();
    return STATUS_SUCCESS;
}
