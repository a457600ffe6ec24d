/*
 * Opening by name: what happens when a path meets a device object or (a relative open) a file
 * object.
 */
#include "io/iop.h"
#include <string.h>

static const GENERIC_MAPPING IopFileMapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE,
                                               FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};

/* Doc: ntddk/nf-ntddk-iogetfileobjectgenericmapping */
PGENERIC_MAPPING NTAPI IoGetFileObjectGenericMapping(VOID)
{
    return (PGENERIC_MAPPING)&IopFileMapping;
}

static void IopGrant(PACCESS_STATE State, ACCESS_MASK Granted)
{
    State->PreviouslyGrantedAccess |= Granted;
    State->RemainingDesiredAccess = 0;
}

/* Against the device's own descriptor. */
static NTSTATUS IopCheckDeviceAccess(PDEVICE_OBJECT Device, PACCESS_STATE State,
                                     KPROCESSOR_MODE Mode)
{
    PPRIVILEGE_SET Privileges = NULL;
    PSECURITY_DESCRIPTOR Descriptor;
    BOOLEAN Allocated, Allowed;
    ACCESS_MASK Granted = 0;
    NTSTATUS Status = ObGetObjectSecurity(Device, &Descriptor, &Allocated);

    if (!NT_SUCCESS(Status))
        return Status;
    if (!Descriptor) { /* open to all, as any object without one */
        IopGrant(State, State->RemainingDesiredAccess & ~(ACCESS_MASK)MAXIMUM_ALLOWED);
        return STATUS_SUCCESS;
    }
    Allowed =
        SeAccessCheck(Descriptor, &State->SubjectSecurityContext, FALSE,
                      State->RemainingDesiredAccess, State->PreviouslyGrantedAccess, &Privileges,
                      (PGENERIC_MAPPING)&IopFileMapping, Mode, &Granted, &Status);
    ObReleaseObjectSecurity(Descriptor, Allocated);
    if (Privileges)
        SeFreePrivileges(Privileges);
    if (!Allowed)
        return NT_SUCCESS(Status) ? STATUS_ACCESS_DENIED : Status;
    IopGrant(State, Granted);
    return STATUS_SUCCESS;
}

/* The device's descriptor guards the device itself; names beyond it are the driver's to guard,
 * unless it asked for FILE_DEVICE_SECURE_OPEN. */
static NTSTATUS IopDecideAccess(PDEVICE_OBJECT Device, PACCESS_STATE State, BOOLEAN Direct,
                                ULONG Attributes, KPROCESSOR_MODE Mode)
{
    RtlMapGenericMask(&State->RemainingDesiredAccess, (PGENERIC_MAPPING)&IopFileMapping);
    if (Attributes & OBJ_FORCE_ACCESS_CHECK)
        Mode = UserMode;
    if (Mode == UserMode && (Direct || (Device->Characteristics & FILE_DEVICE_SECURE_OPEN)))
        return IopCheckDeviceAccess(Device, State, Mode);
    if (State->RemainingDesiredAccess & MAXIMUM_ALLOWED)
        State->RemainingDesiredAccess |= FILE_ALL_ACCESS;
    IopGrant(State, State->RemainingDesiredAccess & ~(ACCESS_MASK)MAXIMUM_ALLOWED);
    return STATUS_SUCCESS;
}

static ULONG IopFileFlags(ULONG Options, BOOLEAN Direct, ULONG Attributes)
{
    ULONG Flags = Direct ? FO_DIRECT_DEVICE_OPEN : 0;

    if (Options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT))
        Flags |= FO_SYNCHRONOUS_IO;
    if (Options & FILE_SYNCHRONOUS_IO_ALERT)
        Flags |= FO_ALERTABLE_IO;
    if (Options & FILE_NO_INTERMEDIATE_BUFFERING)
        Flags |= FO_NO_INTERMEDIATE_BUFFERING;
    if (Options & FILE_WRITE_THROUGH)
        Flags |= FO_WRITE_THROUGH;
    if (Options & FILE_SEQUENTIAL_ONLY)
        Flags |= FO_SEQUENTIAL_ONLY;
    if (Options & FILE_RANDOM_ACCESS)
        Flags |= FO_RANDOM_ACCESS;
    if (!(Attributes & OBJ_CASE_INSENSITIVE))
        Flags |= FO_OPENED_CASE_SENSITIVE;
    return Flags;
}

static NTSTATUS IopNameFile(PFILE_OBJECT File, PUNICODE_STRING Name)
{
    if (!Name->Length)
        return STATUS_SUCCESS;
    File->FileName.Buffer = ExAllocatePoolWithTag(PagedPool, Name->Length, IOP_NAME_TAG);
    if (!File->FileName.Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(File->FileName.Buffer, Name->Buffer, Name->Length);
    File->FileName.Length = File->FileName.MaximumLength = Name->Length;
    return STATUS_SUCCESS;
}

/* A file object of the device, whose open is counted already; the count is undone on failure. */
static NTSTATUS IopMakeFile(PDEVICE_OBJECT Device, PUNICODE_STRING Name, ULONG Flags,
                            PFILE_OBJECT *File)
{
    PFILE_OBJECT New;
    NTSTATUS Status = ObCreateObject(KernelMode, IopState.FileType, NULL, KernelMode, NULL,
                                     sizeof(FILE_OBJECT), 0, 0, (PVOID *)&New);

    if (!NT_SUCCESS(Status)) {
        IopReleaseDevice(Device);
        return Status;
    }
    memset(New, 0, sizeof(*New));
    New->Type = IO_TYPE_FILE;
    New->Size = sizeof(FILE_OBJECT);
    New->DeviceObject = Device;
    New->Flags = Flags;
    KeInitializeEvent(&New->Lock, SynchronizationEvent, FALSE);
    KeInitializeEvent(&New->Event, NotificationEvent, FALSE);
    KeInitializeSpinLock(&New->IrpListLock);
    InitializeListHead(&New->IrpList);
    Status = IopNameFile(New, Name);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        return Status;
    }
    *File = New;
    return STATUS_SUCCESS;
}

static NTSTATUS IopOpen(PDEVICE_OBJECT Device, PFILE_OBJECT Related, PACCESS_STATE State,
                        KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Name,
                        IOP_OPEN *Open, PSECURITY_QUALITY_OF_SERVICE Qos, PVOID *Found)
{
    BOOLEAN Direct = !Name->Length && !Related;
    PFILE_OBJECT File;
    NTSTATUS Status;

    Open->Parsed = TRUE;
    Status = IopDecideAccess(Device, State, Direct, Attributes, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenDevice(Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopMakeFile(Device, Name, IopFileFlags(Open->Options, Direct, Attributes), &File);
    if (!NT_SUCCESS(Status))
        return Status;
    File->RelatedFileObject = Related;
    Status = IopSendCreate(File, IoGetAttachedDevice(Device), Open, State, Qos, Attributes, Mode);
    File->RelatedFileObject = NULL;
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(File);
        return Status;
    }
    File->Flags |= FO_FILE_OPEN;
    *Found = File;
    return STATUS_SUCCESS;
}

NTSTATUS IopParseDevice(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                        KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                        PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                        PVOID *Found)
{
    IOP_OPEN *Open = Context;

    if (!Open || Open->Type != IO_TYPE_OPEN_PACKET)
        return STATUS_OBJECT_TYPE_MISMATCH;
    return IopOpen(ParseObject, NULL, AccessState, Mode, Attributes, Remaining, Open, Qos, Found);
}

/* RootDirectory is an open file: the driver sees it as RelatedFileObject. */
NTSTATUS IopParseFile(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                      KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                      PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                      PVOID *Found)
{
    PFILE_OBJECT Related = ParseObject;
    IOP_OPEN *Open = Context;

    if (!Open || Open->Type != IO_TYPE_OPEN_PACKET)
        return STATUS_OBJECT_TYPE_MISMATCH;
    return IopOpen(Related->DeviceObject, Related, AccessState, Mode, Attributes, Remaining, Open,
                   Qos, Found);
}
