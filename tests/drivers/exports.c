/*
 * A driver that exports what tests/spy_images.sh looks for: routines and an object by name, one
 * routine by number alone, and names that lead elsewhere: to the kernel, to itself by name and by
 * number, in a circle, and to a module that is not there. The linker is told of those.
 */
#include <ntddk.h>

__declspec(dllexport) LONG ExportedNumber = 42;

__declspec(dllexport) LONG NTAPI ExportedOne(VOID)
{
    return ExportedNumber;
}

LONG NTAPI ExportedByNumber(VOID)
{
    return ExportedNumber + 1;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
