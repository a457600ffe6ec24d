/*
 * OBJECT_ATTRIBUTES, decoded. They are in kernel memory: room nt has captured what a client gave.
 */
#include "ob/obp.h"

NTSTATUS ObpCopyString(PCUNICODE_STRING From, PUNICODE_STRING To)
{
    *To = (UNICODE_STRING){0};
    if (From->Length == 0)
        return STATUS_SUCCESS;
    To->Buffer = ExAllocatePoolWithTag(PagedPool, From->Length, OBP_NAME_TAG);
    if (To->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(To->Buffer, From->Buffer, From->Length);
    To->Length = To->MaximumLength = From->Length;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpCheckName(PCUNICODE_STRING Name)
{
    if ((Name->Length & 1) != 0 || (Name->Length != 0 && Name->Buffer == NULL))
        return STATUS_OBJECT_NAME_INVALID;
    return STATUS_SUCCESS;
}

/* NULL attributes are those of an unnamed object. */
NTSTATUS ObpDecodeAttributes(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode,
                             OBP_CREATE_INFO *Info)
{
    NTSTATUS Status;

    *Info = (OBP_CREATE_INFO){.Mode = Mode};
    if (Attributes == NULL)
        return STATUS_SUCCESS;
    if (Attributes->Length != sizeof(OBJECT_ATTRIBUTES) ||
        (Attributes->Attributes & ~OBJ_VALID_ATTRIBUTES) != 0)
        return STATUS_INVALID_PARAMETER;
    if (Mode != KernelMode && (Attributes->Attributes & OBJ_KERNEL_HANDLE) != 0)
        return STATUS_INVALID_PARAMETER;
    Info->Root = Attributes->RootDirectory;
    Info->Attributes = Attributes->Attributes;
    Info->Security = Attributes->SecurityDescriptor;
    Info->Quality = Attributes->SecurityQualityOfService;
    if (Attributes->ObjectName == NULL)
        return STATUS_SUCCESS;
    Status = ObpCheckName(Attributes->ObjectName);
    return NT_SUCCESS(Status) ? ObpCopyString(Attributes->ObjectName, &Info->Name) : Status;
}

void ObpReleaseAttributes(OBP_CREATE_INFO *Info)
{
    if (Info->Name.Buffer != NULL)
        ExFreePoolWithTag(Info->Name.Buffer, OBP_NAME_TAG);
    Info->Name = (UNICODE_STRING){0};
}
