/*
 * The end of a file object: CLEANUP when its last handle closes, CLOSE when its last reference
 * goes.
 */
#include "io/iop.h"

POBJECT_TYPE *IoFileObjectType = &IopState.FileType;

/* These two cannot fail for want of memory. */
static PIRP IopMustAllocateIrp(CCHAR StackSize)
{
    LARGE_INTEGER Moment = {.QuadPart = -IOP_SECOND / 100};
    PIRP Irp;

    while (!(Irp = IopAllocateIrp(StackSize)))
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    return Irp;
}

static void IopSendEnd(PFILE_OBJECT File, UCHAR Major)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIRP Irp = IopMustAllocateIrp(Device->StackSize);
    BOOLEAN Abandoned = FALSE;

    IopTopLocation(Irp)->MajorFunction = Major;
    IopTopLocation(Irp)->FileObject = File;
    Irp->Flags = IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->UserIosb = &Irp->IoStatus;
    IopIssueDirect(Irp, Device, KernelMode, FALSE, FALSE, &Abandoned);
    IoFreeIrp(Irp);
}

static void IopCleanup(PFILE_OBJECT File)
{
    IopSendEnd(File, IRP_MJ_CLEANUP);
    File->Flags |= FO_CLEANUP_COMPLETE;
}

void IopCloseFile(PEPROCESS Process, PVOID Object, ACCESS_MASK Granted, ULONG ProcessHandleCount,
                  ULONG SystemHandleCount)
{
    PFILE_OBJECT File = Object;

    if (SystemHandleCount != 1 || !(File->Flags & FO_FILE_OPEN) ||
        (File->Flags & FO_CLEANUP_COMPLETE))
        return;
    IopLockFile(File, KernelMode);
    IopCleanup(File);
    IopUnlockFile(File);
}

void IopDeleteFile(PVOID Object)
{
    PFILE_OBJECT File = Object;
    PDEVICE_OBJECT Device = File->DeviceObject;

    if (File->Flags & FO_FILE_OPEN) {
        if (!(File->Flags & FO_CLEANUP_COMPLETE)) /* opened, but the handle could not be made */
            IopCleanup(File);
        IopSendEnd(File, IRP_MJ_CLOSE);
    }
    if (File->FileName.Buffer)
        ExFreePoolWithTag(File->FileName.Buffer, IOP_NAME_TAG);
    if (File->CompletionContext) {
        ObDereferenceObject(File->CompletionContext->Port);
        ExFreePoolWithTag(File->CompletionContext, IOP_TAG);
    }
    if (Device)
        IopReleaseDevice(Device);
}
