/*
 * IRP_MJ_CREATE, and the service that leads to it.
 */
#include "io/iop.h"

static void IopSetUpCreate(PIRP Irp, PFILE_OBJECT File, IOP_OPEN *Open,
                           PIO_SECURITY_CONTEXT Security, ULONG Attributes, KPROCESSOR_MODE Mode)
{
    PIO_STACK_LOCATION Location = IopTopLocation(Irp);

    Location->MajorFunction = IRP_MJ_CREATE;
    Location->Flags = Attributes & OBJ_CASE_INSENSITIVE ? 0 : SL_CASE_SENSITIVE;
    Location->FileObject = File;
    Location->Parameters.Create.SecurityContext = Security;
    Location->Parameters.Create.Options = Open->Disposition << 24 | (Open->Options & 0xFFFFFF);
    Location->Parameters.Create.FileAttributes = (USHORT)Open->FileAttributes;
    Location->Parameters.Create.ShareAccess = Open->Share;
    Location->Parameters.Create.EaLength = Open->EaLength;
    Irp->AssociatedIrp.SystemBuffer = Open->EaBuffer;
    if (Open->AllocationSize)
        Irp->Overlay.AllocationSize = *Open->AllocationSize;
    Irp->Flags = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = Mode;
    Irp->UserIosb = &Open->Iosb;
    Irp->Tail.Overlay.OriginalFileObject = File;
}

/* STATUS_SUCCESS, or why the driver refused; a reparse is refused, as there is no name to go on
 * with. */
static NTSTATUS IopJudgeCreate(NTSTATUS Status)
{
    if (Status == STATUS_REPARSE)
        return STATUS_OBJECT_NAME_INVALID;
    return Status;
}

NTSTATUS IopSendCreate(PFILE_OBJECT File, PDEVICE_OBJECT Device, IOP_OPEN *Open,
                       PACCESS_STATE AccessState, PSECURITY_QUALITY_OF_SERVICE Qos,
                       ULONG Attributes, KPROCESSOR_MODE Mode)
{
    IO_SECURITY_CONTEXT Security = {Qos, AccessState, AccessState->PreviouslyGrantedAccess,
                                    Open->Options};
    BOOLEAN Abandoned = FALSE;
    NTSTATUS Status;
    PIRP Irp = IopAllocateIrp(Device->StackSize);

    if (!Irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IopSetUpCreate(Irp, File, Open, &Security, Attributes, Mode);
    Status = IopIssueDirect(Irp, Device, Mode, FALSE, FALSE, &Abandoned);
    Open->Iosb = Irp->IoStatus;
    Open->Iosb.Status = Status;
    File->FinalStatus = Status;
    IoFreeIrp(Irp);
    return IopJudgeCreate(Status);
}

#define IOP_SYNCHRONOUS (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)

static BOOLEAN IopGoodOptions(ULONG Options, ACCESS_MASK Desired, ULONG Disposition)
{
    if (Options & ~(ULONG)FILE_VALID_OPTION_FLAGS)
        return FALSE;
    if ((Options & IOP_SYNCHRONOUS) == IOP_SYNCHRONOUS ||
        ((Options & IOP_SYNCHRONOUS) && !(Desired & SYNCHRONIZE)))
        return FALSE;
    if ((Options & FILE_DELETE_ON_CLOSE) && !(Desired & DELETE))
        return FALSE;
    if ((Options & FILE_NO_INTERMEDIATE_BUFFERING) && (Desired & FILE_APPEND_DATA))
        return FALSE;
    if (!(Options & FILE_DIRECTORY_FILE))
        return TRUE;
    if (Options & ~(ULONG)(FILE_DIRECTORY_FILE | IOP_SYNCHRONOUS | FILE_WRITE_THROUGH |
                           FILE_COMPLETE_IF_OPLOCKED | FILE_OPEN_FOR_BACKUP_INTENT |
                           FILE_DELETE_ON_CLOSE | FILE_OPEN_BY_FILE_ID | FILE_NO_COMPRESSION |
                           FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_FREE_SPACE_QUERY))
        return FALSE;
    return Disposition == FILE_CREATE || Disposition == FILE_OPEN || Disposition == FILE_OPEN_IF;
}

static NTSTATUS IopCheckCreate(ACCESS_MASK Desired, ULONG FileAttributes, ULONG Share,
                               ULONG Disposition, ULONG Options, ULONG EaLength, PVOID EaBuffer)
{
    if (FileAttributes & ~(ULONG)FILE_ATTRIBUTE_VALID_FLAGS)
        return STATUS_INVALID_PARAMETER;
    if (Share & ~(ULONG)FILE_SHARE_VALID_FLAGS || Disposition > FILE_MAXIMUM_DISPOSITION)
        return STATUS_INVALID_PARAMETER;
    if (!IopGoodOptions(Options, Desired, Disposition) || (EaLength && !EaBuffer))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

NTSTATUS IopCreateFile(PHANDLE File, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                       PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                       ULONG Share, ULONG Disposition, ULONG Options, PVOID EaBuffer,
                       ULONG EaLength, KPROCESSOR_MODE Mode)
{
    IOP_OPEN Open = {.Type = IO_TYPE_OPEN_PACKET,
                     .Options = Options,
                     .FileAttributes = FileAttributes,
                     .Disposition = Disposition,
                     .Share = (USHORT)Share,
                     .AllocationSize = AllocationSize,
                     .EaBuffer = EaBuffer,
                     .EaLength = EaLength};
    NTSTATUS Status =
        IopCheckCreate(Desired, FileAttributes, Share, Disposition, Options, EaLength, EaBuffer);

    *File = NULL;
    Iosb->Information = 0;
    if (NT_SUCCESS(Status)) {
        /* SYNCHRONIZE and FILE_READ_ATTRIBUTES come with any open, as CreateFile has it; the kernel
         * asks for what it wants. */
        Status = ObOpenObjectByName(Attributes, NULL, Mode, NULL, Desired, &Open, File);
        if (NT_SUCCESS(Status) && !Open.Parsed) {
            ObCloseHandle_(*File, Mode);
            *File = NULL;
            Status = STATUS_OBJECT_TYPE_MISMATCH;
        }
    }
    Iosb->Status = Status;
    if (NT_SUCCESS(Status))
        Iosb->Information = Open.Iosb.Information;
    return Status;
}

/* For a driver, with kernel-mode access. Options: IO_NO_PARAMETER_CHECKING, IO_FORCE_ACCESS_CHECK.
 * IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iocreatefile */
NTSTATUS NTAPI IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                            PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                            ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                            CREATE_FILE_TYPE CreateFileType, PVOID InternalParameters,
                            ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes = *ObjectAttributes;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (CreateFileType != CreateFileTypeNone)
        return STATUS_NOT_SUPPORTED;
    if (Options & IO_FORCE_ACCESS_CHECK)
        Attributes.Attributes |= OBJ_FORCE_ACCESS_CHECK;
    return IopCreateFile(FileHandle, DesiredAccess, &Attributes, IoStatusBlock, AllocationSize,
                         FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer,
                         EaLength, KernelMode);
}

/* IoCreateFile with a context: STATUS_INVALID_PARAMETER for one of another size,
 * STATUS_NOT_SUPPORTED if it asks for extra parameters, a device in the middle of a stack or a
 * transaction. IRQL PASSIVE_LEVEL. Doc: ntddk/nf-ntddk-iocreatefileex */
NTSTATUS NTAPI IoCreateFileEx(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                              POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                              PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                              ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions,
                              PVOID EaBuffer, ULONG EaLength, CREATE_FILE_TYPE CreateFileType,
                              PVOID InternalParameters, ULONG Options,
                              PIO_DRIVER_CREATE_CONTEXT DriverContext)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (DriverContext && DriverContext->Size != sizeof(*DriverContext))
        return STATUS_INVALID_PARAMETER;
    if (DriverContext && (DriverContext->ExtraCreateParameter || DriverContext->DeviceObjectHint ||
                          DriverContext->TxnParameters))
        return STATUS_NOT_SUPPORTED;
    return IoCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize,
                        FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength,
                        CreateFileType, InternalParameters, Options);
}

/* Opens the file for deletion and closes it: it goes with its last handle. What the driver says of
 * an open with FILE_DELETE_ON_CLOSE. IRQL PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-zwdeletefile */
NTSTATUS NTAPI ZwDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    NTSTATUS Status =
        IoCreateFile(&File, DELETE, ObjectAttributes, &Iosb, NULL, 0,
                     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                     FILE_DELETE_ON_CLOSE, NULL, 0, CreateFileTypeNone, NULL, 0);

    if (NT_SUCCESS(Status))
        ObCloseHandle(File, KernelMode);
    return Status;
}
