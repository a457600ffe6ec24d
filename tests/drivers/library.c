/*
 * An export driver: imports.sys imports from it, so it is loaded with that one and leaves after
 * it. It can be started as a service, too; only then is its DriverEntry called.
 */
#include <ntddk.h>

#define EXPORT __declspec(dllexport)

DRIVER_INITIALIZE DriverEntry;
EXPORT NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
EXPORT NTSTATUS NTAPI DllUnload(VOID);
EXPORT ULONG NTAPI LibraryCount(VOID);

static ULONG Count;

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    Count = 1;
    DbgPrint("library: initialized for %wZ\n", RegistryPath);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DllUnload(VOID)
{
    DbgPrint("library: unloaded\n");
    return STATUS_SUCCESS;
}

ULONG NTAPI LibraryCount(VOID)
{
    return Count++;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    Count = 1;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
