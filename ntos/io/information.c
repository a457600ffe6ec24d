/*
 * Questions about a file and settings of it: some answered here, the rest sent to the driver.
 * Buffers are in kernel memory.
 */
#include "io/iop.h"
#include <string.h>

#ifndef IO_COMPLETION_MODIFY_STATE
#define IO_COMPLETION_MODIFY_STATE 0x0002
#endif

typedef struct IOP_CLASS {
    UCHAR Class;
    UCHAR Size;         /* the least that makes sense */
    ACCESS_MASK Access; /* the handle must have it */
} IOP_CLASS;

static const IOP_CLASS IopQueryClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FILE_READ_ATTRIBUTES},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), 0},
    {FileInternalInformation, sizeof(FILE_INTERNAL_INFORMATION), 0},
    {FileEaInformation, sizeof(FILE_EA_INFORMATION), 0},
    {FileAccessInformation, sizeof(FILE_ACCESS_INFORMATION), 0},
    {FileNameInformation, sizeof(FILE_NAME_INFORMATION), 0},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), FILE_READ_DATA | FILE_WRITE_DATA},
    {FileModeInformation, sizeof(FILE_MODE_INFORMATION), 0},
    {FileAlignmentInformation, sizeof(FILE_ALIGNMENT_INFORMATION), 0},
    {FileAllInformation, sizeof(FILE_ALL_INFORMATION), FILE_READ_ATTRIBUTES},
    {FileAlternateNameInformation, sizeof(FILE_NAME_INFORMATION), 0},
    {FileStreamInformation, sizeof(FILE_STREAM_INFORMATION), 0},
    {FilePipeInformation, sizeof(FILE_PIPE_INFORMATION), FILE_READ_ATTRIBUTES},
    {FilePipeLocalInformation, sizeof(FILE_PIPE_LOCAL_INFORMATION), FILE_READ_ATTRIBUTES},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), FILE_READ_ATTRIBUTES},
    {FileAttributeTagInformation, sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), FILE_READ_ATTRIBUTES},
};

static const IOP_CLASS IopSetClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FILE_WRITE_ATTRIBUTES},
    {FileRenameInformation, sizeof(FILE_RENAME_INFORMATION), DELETE},
    {FileDispositionInformation, sizeof(FILE_DISPOSITION_INFORMATION), DELETE},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), FILE_READ_DATA | FILE_WRITE_DATA},
    {FileModeInformation, sizeof(FILE_MODE_INFORMATION), 0},
    {FileAllocationInformation, sizeof(FILE_ALLOCATION_INFORMATION), FILE_WRITE_DATA},
    {FileEndOfFileInformation, sizeof(FILE_END_OF_FILE_INFORMATION), FILE_WRITE_DATA},
    {FilePipeInformation, sizeof(FILE_PIPE_INFORMATION), FILE_WRITE_ATTRIBUTES},
    {FileCompletionInformation, sizeof(FILE_COMPLETION_INFORMATION), 0},
};

static NTSTATUS IopFindClass(const IOP_CLASS *Table, ULONG Count, ULONG Class, ULONG Length,
                             ACCESS_MASK *Access)
{
    for (ULONG I = 0; I < Count; I++) {
        if (Table[I].Class == Class) {
            *Access = Table[I].Access;
            return Length < Table[I].Size ? STATUS_INFO_LENGTH_MISMATCH : STATUS_SUCCESS;
        }
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* Any of the rights will do. */
static BOOLEAN IopHasAny(ACCESS_MASK Required, ACCESS_MASK Granted)
{
    return !Required || (Granted & Required);
}

/* The IRP of a question: the buffer is the system buffer. */
static NTSTATUS IopAskDriver(IOP_ASK *Ask, KPROCESSOR_MODE Mode)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(Ask->File);
    BOOLEAN Abandoned = FALSE;
    PIO_STACK_LOCATION Location;
    NTSTATUS Status;
    PIRP Irp = IopAllocateIrp(Device->StackSize);

    if (!Irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    Location = IopTopLocation(Irp);
    Location->MajorFunction = Ask->Major;
    Location->FileObject = Ask->File;
    Location->Parameters.QueryFile.Length = Ask->Length; /* SetFile, QueryVolume: the same place */
    Location->Parameters.QueryFile.FileInformationClass = Ask->Class;
    Irp->AssociatedIrp.SystemBuffer = Ask->Information;
    Irp->Flags = IRP_BUFFERED_IO | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = Mode;
    Irp->UserIosb = &Ask->Iosb;
    Irp->Tail.Overlay.OriginalFileObject = Ask->File;
    Status = IopIssueDirect(Irp, Device, Mode, (Ask->File->Flags & FO_ALERTABLE_IO) != 0, FALSE,
                            &Abandoned);
    Ask->Iosb = Irp->IoStatus;
    Ask->Iosb.Status = Status;
    if (Ask->Iosb.Information > Ask->Length && Ask->Major != IRP_MJ_FLUSH_BUFFERS &&
        !NT_ERROR(Status))
        VfBugCheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1000, (ULONG_PTR)Irp,
                   Ask->Iosb.Information, Ask->Length,
                   "a query was completed with Information %zu, and the buffer has %u bytes",
                   (size_t)Ask->Iosb.Information, (unsigned)Ask->Length);
    IoFreeIrp(Irp);
    return Status;
}

NTSTATUS IopAskLocked(IOP_ASK *Ask, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = IopLockFile(Ask->File, Mode);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopAskDriver(Ask, Mode);
    IopUnlockFile(Ask->File);
    return Status;
}

static ULONG IopModeOf(PFILE_OBJECT File)
{
    ULONG Mode = 0;

    if (File->Flags & FO_WRITE_THROUGH)
        Mode |= FILE_WRITE_THROUGH;
    if (File->Flags & FO_SEQUENTIAL_ONLY)
        Mode |= FILE_SEQUENTIAL_ONLY;
    if (File->Flags & FO_NO_INTERMEDIATE_BUFFERING)
        Mode |= FILE_NO_INTERMEDIATE_BUFFERING;
    if (IopIsSynchronous(File))
        Mode |= File->Flags & FO_ALERTABLE_IO ? FILE_SYNCHRONOUS_IO_ALERT
                                              : FILE_SYNCHRONOUS_IO_NONALERT;
    return Mode;
}

/* What the executive itself knows. STATUS_MORE_PROCESSING_REQUIRED: the driver is to be asked. */
static NTSTATUS IopAnswer(IOP_ASK *Ask)
{
    switch (Ask->Class) {
    case FileAccessInformation:
        ((PFILE_ACCESS_INFORMATION)Ask->Information)->AccessFlags = Ask->Granted;
        Ask->Iosb.Information = sizeof(FILE_ACCESS_INFORMATION);
        return STATUS_SUCCESS;
    case FileModeInformation:
        ((PFILE_MODE_INFORMATION)Ask->Information)->Mode = IopModeOf(Ask->File);
        Ask->Iosb.Information = sizeof(FILE_MODE_INFORMATION);
        return STATUS_SUCCESS;
    case FileAlignmentInformation:
        ((PFILE_ALIGNMENT_INFORMATION)Ask->Information)->AlignmentRequirement =
            IoGetRelatedDeviceObject(Ask->File)->AlignmentRequirement;
        Ask->Iosb.Information = sizeof(FILE_ALIGNMENT_INFORMATION);
        return STATUS_SUCCESS;
    case FilePositionInformation:
        if (!IopIsSynchronous(Ask->File))
            return STATUS_INVALID_PARAMETER;
        ((PFILE_POSITION_INFORMATION)Ask->Information)->CurrentByteOffset =
            Ask->File->CurrentByteOffset;
        Ask->Iosb.Information = sizeof(FILE_POSITION_INFORMATION);
        return STATUS_SUCCESS;
    default:
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
}

NTSTATUS IopQueryInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information,
                                 ULONG Length, FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    IOP_ASK Ask = {.Information = Information,
                   .Length = Length,
                   .Class = Class,
                   .Major = IRP_MJ_QUERY_INFORMATION};
    ACCESS_MASK Required;
    NTSTATUS Status =
        IopFindClass(IopQueryClasses, RTL_NUMBER_OF(IopQueryClasses), Class, Length, &Required);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReferenceFile(File, 0, Mode, &Ask.File, &Ask.Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopHasAny(Required, Ask.Granted) ? IopAnswer(&Ask) : STATUS_ACCESS_DENIED;
    if (Status == STATUS_MORE_PROCESSING_REQUIRED)
        Status = IopAskLocked(&Ask, Mode);
    *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = Ask.Iosb.Information};
    ObDereferenceObject(Ask.File);
    return Status;
}

static NTSTATUS IopSetPosition(IOP_ASK *Ask)
{
    LARGE_INTEGER Offset = ((PFILE_POSITION_INFORMATION)Ask->Information)->CurrentByteOffset;

    if (!IopIsSynchronous(Ask->File) || Offset.QuadPart < 0)
        return STATUS_INVALID_PARAMETER;
    Ask->File->CurrentByteOffset = Offset;
    return STATUS_SUCCESS;
}

/* From now on completions of this (asynchronous) file go to a port. */
static NTSTATUS IopSetPort(IOP_ASK *Ask, KPROCESSOR_MODE Mode)
{
    PFILE_COMPLETION_INFORMATION Given = Ask->Information;
    PIO_COMPLETION_CONTEXT Context, Expected = NULL;
    NTSTATUS Status;

    if (!IopState.PortType || IopIsSynchronous(Ask->File))
        return STATUS_INVALID_PARAMETER;
    Context = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Context), IOP_TAG);
    if (!Context)
        return STATUS_INSUFFICIENT_RESOURCES;
    Context->Key = Given->Key;
    Status = ObReferenceObjectByHandle(Given->Port, IO_COMPLETION_MODIFY_STATE, IopState.PortType,
                                       Mode, &Context->Port, NULL);
    if (!NT_SUCCESS(Status))
        goto freeContext;
    if (__atomic_compare_exchange_n(&Ask->File->CompletionContext, &Expected, Context, FALSE,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return STATUS_SUCCESS;
    ObDereferenceObject(Context->Port);
    Status = STATUS_INVALID_PARAMETER; /* it has one */

freeContext:
    ExFreePoolWithTag(Context, IOP_TAG);
    return Status;
}

static NTSTATUS IopSetMode(IOP_ASK *Ask)
{
    ULONG Mode = ((PFILE_MODE_INFORMATION)Ask->Information)->Mode,
          Changeable = FILE_WRITE_THROUGH | FILE_SEQUENTIAL_ONLY;
    ULONG Synchronous = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT,
          Before = IopModeOf(Ask->File);

    if ((Mode & ~(Changeable | Synchronous)) ||
        ((Mode & Synchronous) != 0) != ((Before & Synchronous) != 0) ||
        (Mode & Synchronous) == Synchronous)
        return STATUS_INVALID_PARAMETER;
    Ask->File->Flags &= ~(ULONG)(FO_WRITE_THROUGH | FO_SEQUENTIAL_ONLY | FO_ALERTABLE_IO);
    Ask->File->Flags |= (Mode & FILE_WRITE_THROUGH ? FO_WRITE_THROUGH : 0) |
                        (Mode & FILE_SEQUENTIAL_ONLY ? FO_SEQUENTIAL_ONLY : 0) |
                        (Mode & FILE_SYNCHRONOUS_IO_ALERT ? FO_ALERTABLE_IO : 0);
    return STATUS_SUCCESS;
}

static NTSTATUS IopSetOwn(IOP_ASK *Ask, KPROCESSOR_MODE Mode)
{
    switch (Ask->Class) {
    case FilePositionInformation:
        return IopSetPosition(Ask);
    case FileModeInformation:
        return IopSetMode(Ask);
    case FileCompletionInformation:
        return IopSetPort(Ask, Mode);
    default:
        return IopAskDriver(Ask, Mode);
    }
}

NTSTATUS IopSetInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information, ULONG Length,
                               FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    IOP_ASK Ask = {.Information = Information,
                   .Length = Length,
                   .Class = Class,
                   .Major = IRP_MJ_SET_INFORMATION};
    ACCESS_MASK Required;
    NTSTATUS Status =
        IopFindClass(IopSetClasses, RTL_NUMBER_OF(IopSetClasses), Class, Length, &Required);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReferenceFile(File, 0, Mode, &Ask.File, &Ask.Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopHasAny(Required, Ask.Granted) ? IopLockFile(Ask.File, Mode) : STATUS_ACCESS_DENIED;
    if (NT_SUCCESS(Status)) {
        Status = IopSetOwn(&Ask, Mode);
        IopUnlockFile(Ask.File);
    }
    *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = 0};
    ObDereferenceObject(Ask.File);
    return Status;
}

NTSTATUS IopFlush(HANDLE File, PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode)
{
    IOP_ASK Ask = {.Major = IRP_MJ_FLUSH_BUFFERS};
    NTSTATUS Status = IopReferenceFile(File, 0, Mode, &Ask.File, &Ask.Granted);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopHasAny(FILE_WRITE_DATA | FILE_APPEND_DATA, Ask.Granted) ? IopAskLocked(&Ask, Mode)
                                                                        : STATUS_ACCESS_DENIED;
    *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = Ask.Iosb.Information};
    ObDereferenceObject(Ask.File);
    return Status;
}
