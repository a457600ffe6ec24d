/*
 * Questions about the volume, or the device, that a file is on.
 */
#include "io/iop.h"

static NTSTATUS IopAnswerDevice(IOP_ASK *Ask)
{
    PFILE_FS_DEVICE_INFORMATION Answer = Ask->Information;
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(Ask->File);

    if (Ask->Length < sizeof(*Answer))
        return STATUS_INFO_LENGTH_MISMATCH;
    Answer->DeviceType = Device->DeviceType;
    Answer->Characteristics = Device->Characteristics;
    Ask->Iosb.Information = sizeof(*Answer);
    return STATUS_SUCCESS;
}

NTSTATUS IopQueryVolumeInformation(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information,
                                   ULONG Length, FS_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    IOP_ASK Ask = {.Information = Information,
                   .Length = Length,
                   .Class = Class,
                   .Major = IRP_MJ_QUERY_VOLUME_INFORMATION};
    NTSTATUS Status;

    if (Class <= 0 || Class >= FileFsMaximumInformation)
        return STATUS_INVALID_INFO_CLASS;
    Status = IopReferenceFile(File, 0, Mode, &Ask.File, &Ask.Granted);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Class == FileFsDeviceInformation ? IopAnswerDevice(&Ask) : IopAskLocked(&Ask, Mode);
    *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = Ask.Iosb.Information};
    ObDereferenceObject(Ask.File);
    return Status;
}
