/* What the driver and its clients agree on. */
#pragma once

#define TEMPLATE_DEVICE_NAME L"\\Device\\Template"
#define TEMPLATE_LINK_NAME L"\\DosDevices\\Template"
#define TEMPLATE_PATH "\\\\.\\Template"

/* In: a string of bytes. Out: the same, in upper case, of the same length. */
#define IOCTL_TEMPLATE_UPPER                                                                       \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
