/* settings: values of the driver's key in the registry. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <ntifs.h>

/* OwnerOnly (REG_DWORD): 1: a name belongs to the user who opened it first. */
ULONG SettingsNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Otherwise);
/* Security (REG_SZ): the device's security descriptor, as SDDL. FALSE: there is none. */
BOOLEAN SettingsText(PUNICODE_STRING RegistryPath, PCWSTR Name, PUNICODE_STRING Text, WCHAR *Buffer, ULONG Bytes);

#endif
