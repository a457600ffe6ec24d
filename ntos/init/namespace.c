/*
 * Who may put names where. ob makes the directories before se can describe them; here they get
 * their descriptors: the system and administrators may do anything, everyone may look, and everyone
 * may create named objects in \BaseNamedObjects alone.
 */
#include "init/init.h"

#define LOOK L"O:SYG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGX;;;WD)"
#define CREATE L"O:SYG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGWGX;;;WD)"

static const struct {
    PCWSTR Directory, Sddl;
} InitDescriptors[] = {
    {L"\\", LOOK},
    {L"\\Device", LOOK},
    {L"\\Driver", LOOK},
    {L"\\FileSystem", LOOK},
    {L"\\GLOBAL??", LOOK},
    {L"\\Callback", LOOK},
    {L"\\KernelObjects", LOOK},
    {L"\\ObjectTypes", LOOK},
    {L"\\Security", LOOK},
    {L"\\BaseNamedObjects", CREATE},
};

static NTSTATUS ProtectDirectory(PCWSTR Path, PCWSTR Text)
{
    UNICODE_STRING Name, Sddl;
    PSECURITY_DESCRIPTOR Descriptor;
    PVOID Directory;
    ULONG Length;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Path);
    RtlInitUnicodeString(&Sddl, Text);
    Status = SeSddlToSecurityDescriptor(&Sddl, &Descriptor, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, ObpDirectoryType,
                                     KernelMode, NULL, &Directory);
    if (NT_SUCCESS(Status)) {
        Status = ObAssignDescriptor_(NULL, Descriptor, TRUE, &ObpDirectoryType->Mapping,
                                     &ObHeader(Directory)->SecurityDescriptor);
        ObDereferenceObject(Directory);
    }
    ExFreePool(Descriptor);
    return Status;
}

NTSTATUS InitProtectNamespace(void)
{
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG i = 0; i < RTL_NUMBER_OF(InitDescriptors) && NT_SUCCESS(Status); i++)
        Status = ProtectDirectory(InitDescriptors[i].Directory, InitDescriptors[i].Sddl);
    return Status;
}
