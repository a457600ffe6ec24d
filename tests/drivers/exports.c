/*
 * A driver that exports what tests/spy_images.sh looks for: routines and an object by name, one
 * routine by number alone, and names that lead elsewhere: to the kernel, to itself by name and by
 * number, in a circle, and to a module that is not there. The linker is told of those. A routine
 * and an object are not exported: tests/spy_calls.sh finds them in a symbol file.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
#define HIDDEN __attribute__((used, noinline)) static

__attribute__((used)) static ULONGLONG HiddenNumber = 0x1122334455667788;

HIDDEN ULONGLONG NTAPI HiddenSum(ULONGLONG a, ULONGLONG b)
{
    return a + 2 * b;
}

__declspec(dllexport) LONG ExportedNumber = 42;

LONG NTAPI ExportedByNumber(VOID);
__declspec(dllexport) LONG NTAPI ExportedOne(VOID);

LONG NTAPI ExportedOne(VOID)
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
