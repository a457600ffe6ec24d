/* settings: values of the driver's key in the registry. PASSIVE_LEVEL. */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <ntifs.h>

#define SETTINGS_CHARACTERS 512 /* of a text, its NULs included */

/* A REG_DWORD. */
ULONG SettingsNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Otherwise);
/* A REG_SZ. FALSE: there is none, or it is too long. */
BOOLEAN SettingsText(PUNICODE_STRING RegistryPath, PCWSTR Name, PUNICODE_STRING Text,
                     WCHAR Buffer[SETTINGS_CHARACTERS]);
/* A REG_MULTI_SZ: how many characters it has, 0: there is none. */
ULONG SettingsNames(PUNICODE_STRING RegistryPath, PCWSTR Name, WCHAR Buffer[SETTINGS_CHARACTERS]);

#endif
