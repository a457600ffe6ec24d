/*
 * SystemModules: what the driver and its client agree on.
 *
 * Values of the service's key:
 *   Mode    REG_DWORD    0 (or absent): a device answers requests. 1: as in the tutorial,
 * DriverEntry writes what it finds to the debug log and fails with
 * STATUS_DEVICE_CONFIGURATION_ERROR, so that the system unloads the driver Source  REG_DWORD    0:
 * ZwQuerySystemInformation, class 11. 1: Aux_Klib Names   REG_MULTI_SZ the modules to look for
 * (mode 1); absent: the kernel's four names, and ntice.sys
 */
#ifndef SYSTEMMODULES_PUBLIC_H
#define SYSTEMMODULES_PUBLIC_H

#ifndef CTL_CODE
#include <winioctl.h>
#endif

#define SYSTEMMODULES_SERVICE "SystemModules"
#define SYSTEMMODULES_DEVICE L"\\Device\\SystemModules"
#define SYSTEMMODULES_LINK L"\\DosDevices\\SystemModules"
#define SYSTEMMODULES_PATH "\\\\.\\SystemModules"

#define SYSTEMMODULES_MODE_DEVICE 0
#define SYSTEMMODULES_MODE_TUTORIAL 1
#define SYSTEMMODULES_SOURCE_SYSTEM 0
#define SYSTEMMODULES_SOURCE_AUX 1

#define SYSTEMMODULES_PATH_SIZE 256

/* The same for a 32-bit and a 64-bit client. */
typedef struct _SYSTEM_MODULE {
    ULONGLONG Base;
    ULONG Size;
    USHORT NameOffset; /* of the file's name in Path; always inside it */
    USHORT Reserved;
    CHAR Path[SYSTEMMODULES_PATH_SIZE]; /* always ends with a NUL */
} SYSTEM_MODULE;

typedef struct _SYSTEM_MODULE_LIST {
    ULONG Count;    /* of the modules that are loaded */
    ULONG Returned; /* of those that follow */
    SYSTEM_MODULE Modules[1];
} SYSTEM_MODULE_LIST;
#define SYSTEM_MODULE_LIST_HEAD 8

/*
 * IOCTL_SYSTEMMODULES_LIST: the loaded modules, in load order; the kernel is the first.
 *
 *   in   nothing, or a ULONG: the source
 *   out  SYSTEM_MODULE_LIST
 *
 *   STATUS_SUCCESS            the whole list
 *   STATUS_BUFFER_OVERFLOW    (a warning: ERROR_MORE_DATA) as many as fit; Count is all of them
 *   STATUS_BUFFER_TOO_SMALL   not even the two counts fit
 *   STATUS_INVALID_PARAMETER  no such source
 *   STATUS_NOT_SUPPORTED      this build has no Aux_Klib
 *   STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_MEMORY
 *                             no memory for the system's list, for ours or the status of the query
 */
#define IOCTL_SYSTEMMODULES_LIST                                                                   \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)

C_ASSERT(sizeof(SYSTEM_MODULE) == 272);
C_ASSERT(FIELD_OFFSET(SYSTEM_MODULE_LIST, Modules) == SYSTEM_MODULE_LIST_HEAD);

#endif
