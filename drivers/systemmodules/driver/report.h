/* report: the tutorial's mode, all of it in DriverEntry. */
#ifndef REPORT_H
#define REPORT_H

#include <ntddk.h>

/* Writes the kernel's module and those that are looked for to the debug log. */
NTSTATUS Report(PUNICODE_STRING RegistryPath, ULONG Source);

#endif
