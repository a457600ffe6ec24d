/*
 * Requests that drivers build for other drivers.
 */
#include "io/iop.h"

static PIRP IopBuild(PDEVICE_OBJECT Device, UCHAR Major)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);

    if (!Irp)
        return NULL;
    IopTopLocation(Irp)->MajorFunction = Major;
    Irp->Tail.Overlay.Thread = PsSelf();
    return Irp;
}

/* Finished by the thread: status block, then event; the I/O manager frees the IRP, its buffer and
 * its MDL. */
static void IopMakeThreaded(PIRP Irp, PKEVENT Event, PIO_STATUS_BLOCK Iosb)
{
    Irp->Flags |= IOP_IRP_THREADED;
    Irp->UserEvent = Event;
    Irp->UserIosb = Iosb;
    IopQueueIrp(Irp);
}

static PIRP IopGiveUp(PIRP Irp)
{
    IopReleaseBuffers(Irp);
    IoFreeIrp(Irp);
    return NULL;
}

static NTSTATUS IopBuildControlBuffers(PIRP Irp, ULONG Code, PVOID Input, ULONG InputLength,
                                       PVOID Output, ULONG OutputLength)
{
    PIO_STACK_LOCATION Location = IopTopLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    switch (Code & 3) {
    case METHOD_BUFFERED:
        Irp->UserBuffer = Output;
        if (Output)
            Irp->Flags |= IRP_INPUT_OPERATION;
        if (InputLength || OutputLength)
            Status = IopCaptureInput(Irp, Input, Input ? InputLength : 0,
                                     max(InputLength, OutputLength), KernelMode);
        return Status;
    case METHOD_NEITHER:
        Irp->UserBuffer = Output;
        Location->Parameters.DeviceIoControl.Type3InputBuffer = Input;
        return STATUS_SUCCESS;
    default:
        if (Input && InputLength)
            Status = IopCaptureInput(Irp, Input, InputLength, InputLength, KernelMode);
        if (NT_SUCCESS(Status) && Output && OutputLength)
            Status = IopLockBuffer(Irp, Output, OutputLength,
                                   (Code & 3) == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess,
                                   KernelMode);
        return Status;
    }
}

/* A (internal) device control request, to be sent with IoCallDriver by this thread at
 * PASSIVE_LEVEL; the I/O manager frees it. When it is complete, *IoStatusBlock is written and Event
 * set. NULL: no memory, or a buffer that cannot be locked. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-iobuilddeviceiocontrolrequest */
PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
                                         PVOID InputBuffer, ULONG InputBufferLength,
                                         PVOID OutputBuffer, ULONG OutputBufferLength,
                                         BOOLEAN InternalDeviceIoControl, PKEVENT Event,
                                         PIO_STATUS_BLOCK IoStatusBlock)
{
    PIO_STACK_LOCATION Location;
    PIRP Irp;

    VF_IRQL_MAX(APC_LEVEL);
    Irp = IopBuild(DeviceObject, InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL
                                                         : IRP_MJ_DEVICE_CONTROL);
    if (!Irp)
        return NULL;
    Location = IopTopLocation(Irp);
    Location->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    Location->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    Location->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    if (!NT_SUCCESS(IopBuildControlBuffers(Irp, IoControlCode, InputBuffer, InputBufferLength,
                                           OutputBuffer, OutputBufferLength)))
        return IopGiveUp(Irp);
    IopMakeThreaded(Irp, Event, IoStatusBlock);
    return Irp;
}

static NTSTATUS IopBuildTransferBuffers(PIRP Irp, PDEVICE_OBJECT Device, BOOLEAN Write,
                                        PVOID Buffer, ULONG Length)
{
    Irp->UserBuffer = Buffer;
    if (Device->Flags & DO_BUFFERED_IO) {
        Irp->Flags |= IRP_BUFFERED_IO | (Write ? 0 : IRP_INPUT_OPERATION);
        return Length ? IopCaptureInput(Irp, Buffer, Write ? Length : 0, Length, KernelMode)
                      : STATUS_SUCCESS;
    }
    if ((Device->Flags & DO_DIRECT_IO) && Length)
        return IopLockBuffer(Irp, Buffer, Length, Write ? IoReadAccess : IoWriteAccess, KernelMode);
    return STATUS_SUCCESS;
}

/* A read, write, flush, shutdown or PnP request whose completion routine frees it (IoFreeIrp, after
 * its MDL and buffer). StartingOffset is needed for read and write. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-iobuildasynchronousfsdrequest */
PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
                                         PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
                                         PIO_STATUS_BLOCK IoStatusBlock)
{
    PIO_STACK_LOCATION Location;
    PIRP Irp;

    VF_IRQL_MAX(APC_LEVEL);
    Irp = IopBuild(DeviceObject, (UCHAR)MajorFunction);
    if (!Irp)
        return NULL;
    Irp->UserIosb = IoStatusBlock;
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE)
        return Irp;
    Location = IopTopLocation(Irp);
    Location->Parameters.Read.Length = Length;
    if (StartingOffset)
        Location->Parameters.Read.ByteOffset = *StartingOffset;
    if (!NT_SUCCESS(IopBuildTransferBuffers(Irp, DeviceObject, MajorFunction == IRP_MJ_WRITE,
                                            Buffer, Length)))
        return IopGiveUp(Irp);
    return Irp;
}

/* The same with an event and a status block; the I/O manager frees it. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-iobuildsynchronousfsdrequest */
PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
                                        PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
                                        PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP Irp = IoBuildAsynchronousFsdRequest(MajorFunction, DeviceObject, Buffer, Length,
                                             StartingOffset, IoStatusBlock);

    if (Irp)
        IopMakeThreaded(Irp, Event, IoStatusBlock);
    return Irp;
}
