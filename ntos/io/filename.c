/*
 * The name of a file object, for ObQueryNameString.
 */
#include "io/iop.h"
#include <string.h>

static void IopAppend(POBJECT_NAME_INFORMATION Information, ULONG Room, PCUNICODE_STRING Part)
{
    ULONG At = Information->Name.Length;

    if (At + Part->Length + sizeof(WCHAR) > Room)
        return;
    memcpy((PUCHAR)Information->Name.Buffer + At, Part->Buffer, Part->Length);
    Information->Name.Length += Part->Length;
    Information->Name.Buffer[Information->Name.Length / sizeof(WCHAR)] = 0;
}

/* The device's name, and what was opened beyond it. */
NTSTATUS IopQueryFileName(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information,
                          ULONG Length, PULONG Returned, KPROCESSOR_MODE Mode)
{
    PFILE_OBJECT File = Object;
    ULONG DeviceLength = 0, Needed;
    NTSTATUS Status = ObQueryNameString(File->DeviceObject, Information, Length, &DeviceLength);

    if (!NT_SUCCESS(Status) && Status != STATUS_INFO_LENGTH_MISMATCH &&
        Status != STATUS_BUFFER_OVERFLOW && Status != STATUS_BUFFER_TOO_SMALL)
        return Status;
    if (DeviceLength < sizeof(*Information) + sizeof(WCHAR))
        DeviceLength = sizeof(*Information) + sizeof(WCHAR);
    Needed = DeviceLength + File->FileName.Length;
    *Returned = Needed;
    if (!NT_SUCCESS(Status) || Length < Needed)
        return Length < sizeof(*Information) ? STATUS_INFO_LENGTH_MISMATCH : STATUS_BUFFER_OVERFLOW;
    if (!Information->Name.Buffer)
        Information->Name.Buffer = (PWSTR)(Information + 1);
    IopAppend(Information, Length - sizeof(*Information), &File->FileName);
    Information->Name.MaximumLength = Information->Name.Length + sizeof(WCHAR);
    return STATUS_SUCCESS;
}
