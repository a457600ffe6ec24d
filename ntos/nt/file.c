/*
 * File services: decode here, then io.
 *
 * The I/O status block of a request that completes later is the caller's memory until then; that of
 * a service which always completes is written here.
 */
#include "nt/capture.h"

typedef struct NTP_OPEN {
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER AllocationSize;
    PVOID Ea;
} NTP_OPEN;

#define NTP_EA_LIMIT 0x10000u

static NTSTATUS NtpProbeOpen(KPROCESSOR_MODE Mode, PHANDLE FileHandle,
                             PIO_STATUS_BLOCK IoStatusBlock)
{
    NTSTATUS Status = NtpProbe(Mode, FileHandle, sizeof(*FileHandle));

    return NT_SUCCESS(Status) ? NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock)) : Status;
}

static NTSTATUS NtpReturnOpen(KPROCESSOR_MODE Mode, PHANDLE FileHandle,
                              PIO_STATUS_BLOCK IoStatusBlock, NTP_OPEN *Open, NTSTATUS Status)
{
    NTSTATUS Written = NTP_WRITE(Mode, IoStatusBlock, Open->Iosb);

    if (NT_SUCCESS(Status) && !NT_SUCCESS(Written)) {
        ObCloseHandle_(Open->Handle, Mode);
        return Written;
    }
    return NtpReturnHandle(Mode, FileHandle, Open->Handle, Status);
}

NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                            PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                            ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    NTP_OPEN Open = {0};
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = NtpProbeOpen(Mode, FileHandle, IoStatusBlock);

    if (NT_SUCCESS(Status) && AllocationSize)
        Status = NTP_READ(Mode, Open.AllocationSize, AllocationSize);
    if (NT_SUCCESS(Status) && (Open.AllocationSize.QuadPart < 0 || EaLength > NTP_EA_LIMIT))
        Status = STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureBlock(Mode, EaBuffer, EaBuffer ? EaLength : 0, &Open.Ea);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, ObjectAttributes, &Storage, &Attributes);
    if (NT_SUCCESS(Status)) {
        Status =
            IopCreateFile(&Open.Handle, DesiredAccess, Attributes, &Open.Iosb,
                          AllocationSize ? &Open.AllocationSize : NULL, FileAttributes, ShareAccess,
                          CreateDisposition, CreateOptions, Open.Ea, EaLength, Mode);
        Status = NtpReturnOpen(Mode, FileHandle, IoStatusBlock, &Open, Status);
    }
    NtpReleaseAttributes(Mode, &Storage);
    NtpReleaseBlock(Mode, Open.Ea);
    return Status;
}

NTSTATUS NTAPI NtOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                          POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                          ULONG ShareAccess, ULONG OpenOptions)
{
    return NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0,
                        ShareAccess, FILE_OPEN, OpenOptions, NULL, 0);
}

static NTSTATUS NtpTransfer(HANDLE File, const IO_ASYNC *Async, IO_TRANSFER *Transfer,
                            PLARGE_INTEGER Offset, PULONG Key)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTSTATUS Status = STATUS_SUCCESS;

    if (Offset) {
        Transfer->HasOffset = TRUE;
        Status = NTP_READ(Mode, Transfer->Offset, Offset);
    }
    if (NT_SUCCESS(Status) && Key)
        Status = NTP_READ(Mode, Transfer->Key, Key);
    return NT_SUCCESS(Status) ? IopTransfer(File, Async, Transfer, Mode) : Status;
}

NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                          PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                          ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key)
{
    IO_ASYNC Async = {Event, ApcRoutine, ApcContext, IoStatusBlock};
    IO_TRANSFER Transfer = {.Buffer = Buffer, .Length = Length};

    return NtpTransfer(FileHandle, &Async, &Transfer, ByteOffset, Key);
}

NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                           PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                           ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key)
{
    IO_ASYNC Async = {Event, ApcRoutine, ApcContext, IoStatusBlock};
    IO_TRANSFER Transfer = {.Buffer = Buffer, .Length = Length, .Write = TRUE};

    return NtpTransfer(FileHandle, &Async, &Transfer, ByteOffset, Key);
}

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
                                     ULONG IoControlCode, PVOID InputBuffer,
                                     ULONG InputBufferLength, PVOID OutputBuffer,
                                     ULONG OutputBufferLength)
{
    IO_ASYNC Async = {Event, ApcRoutine, ApcContext, IoStatusBlock};

    return IopDeviceControl(FileHandle, &Async, IoControlCode, InputBuffer, InputBufferLength,
                            OutputBuffer, OutputBufferLength, FALSE, ExGetPreviousMode());
}

NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                               PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
                               ULONG FsControlCode, PVOID InputBuffer, ULONG InputBufferLength,
                               PVOID OutputBuffer, ULONG OutputBufferLength)
{
    IO_ASYNC Async = {Event, ApcRoutine, ApcContext, IoStatusBlock};

    return IopDeviceControl(FileHandle, &Async, FsControlCode, InputBuffer, InputBufferLength,
                            OutputBuffer, OutputBufferLength, TRUE, ExGetPreviousMode());
}

/* The status block of a service that has ended. */
static NTSTATUS NtpReturnIosb(KPROCESSOR_MODE Mode, PIO_STATUS_BLOCK IoStatusBlock,
                              IO_STATUS_BLOCK Iosb, NTSTATUS Status)
{
    NTSTATUS Written = NTP_WRITE(Mode, IoStatusBlock, Iosb);

    return NT_SUCCESS(Written) ? Status : Written;
}

NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopCancelFile(FileHandle, NULL, FALSE, &Iosb, Mode);
    return NT_SUCCESS(Status) ? NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status) : Status;
}

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                PIO_STATUS_BLOCK IoStatusBlock)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopCancelFile(FileHandle, IoRequestToCancel, TRUE, &Iosb, Mode);
    return NT_SUCCESS(Status) || Status == STATUS_NOT_FOUND
               ? NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status)
               : Status;
}

NTSTATUS NTAPI NtCancelSynchronousIoFile(HANDLE ThreadHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                         PIO_STATUS_BLOCK IoStatusBlock)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    PETHREAD Thread;
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(ThreadHandle, THREAD_TERMINATE, *PsThreadType, Mode,
                                       (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopCancelSynchronous(Thread, IoRequestToCancel, &Iosb);
    ObDereferenceObject(Thread);
    return NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status);
}

NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopFlush(FileHandle, &Iosb, Mode);
    return NT_ERROR(Status) ? Status : NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status);
}

static NTSTATUS NtpAskFile(BOOLEAN Volume, HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                           PVOID Information, ULONG Length, ULONG Class)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    NTP_OUTPUT Output;
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (NT_SUCCESS(Status))
        Status = NtpBeginOutput(&Output, Mode, Information, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Volume ? IopQueryVolumeInformation(FileHandle, &Iosb, Output.Buffer, Output.Length,
                                                (FS_INFORMATION_CLASS)Class, Mode)
                    : IopQueryInformationFile(FileHandle, &Iosb, Output.Buffer, Output.Length,
                                              (FILE_INFORMATION_CLASS)Class, Mode);
    Status = NtpEndOutput(&Output, Status, (ULONG)Iosb.Information);
    return NT_ERROR(Status) ? Status : NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status);
}

/* A driver is asked for at most 16 MiB (NTP_OUTPUT_LIMIT). Doc:
 * ntifs/nf-ntifs-ntqueryinformationfile
 */
NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                                      PVOID FileInformation, ULONG Length,
                                      FILE_INFORMATION_CLASS FileInformationClass)
{
    return NtpAskFile(FALSE, FileHandle, IoStatusBlock, FileInformation, Length,
                      FileInformationClass);
}

/* Doc: ntifs/nf-ntifs-zwqueryvolumeinformationfile */
NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                                            PVOID FsInformation, ULONG Length,
                                            FS_INFORMATION_CLASS FsInformationClass)
{
    return NtpAskFile(TRUE, FileHandle, IoStatusBlock, FsInformation, Length, FsInformationClass);
}

NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                                    PVOID FileInformation, ULONG Length,
                                    FILE_INFORMATION_CLASS FileInformationClass)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK Iosb = {0};
    PVOID Block;
    NTSTATUS Status = NtpProbe(Mode, IoStatusBlock, sizeof(*IoStatusBlock));

    if (NT_SUCCESS(Status))
        Status = NtpCaptureBlock(Mode, FileInformation, Length, &Block);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopSetInformationFile(FileHandle, &Iosb, Block, Length, FileInformationClass, Mode);
    NtpReleaseBlock(Mode, Block);
    return NT_ERROR(Status) ? Status : NtpReturnIosb(Mode, IoStatusBlock, Iosb, Status);
}
