/*
 * The caller's buffers: captured into a system buffer, or locked and described by an MDL; and back.
 */
#include "io/iop.h"
#include <string.h>

/* A user-mode caller may name only its own memory; the kernel may name anything. */
NTSTATUS IopCheckBuffer(const void *Address, SIZE_T Bytes, KPROCESSOR_MODE Mode)
{
    if (Mode == KernelMode || !Bytes)
        return STATUS_SUCCESS;
    return MmIsUserRange(Address, Bytes) ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
}

#define IOP_GARBAGE 0xBD

/* A system buffer of BufferLength bytes that begins with the input. What follows is not
 * initialised, as documented: garbage, so that a driver which does not fill it is seen to, but
 * nobody's data. Doc: kernel/failure-to-initialize-output-buffers */
NTSTATUS IopCaptureInput(PIRP Irp, const void *Input, ULONG InputLength, ULONG BufferLength,
                         KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Buffer = IopAllocateBuffer(BufferLength);

    if (!Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (InputLength) {
        if (Mode == KernelMode)
            memcpy(Buffer, Input, InputLength);
        else
            Status = MmCopyFromUser(Buffer, Input, InputLength);
    }
    if (!NT_SUCCESS(Status)) {
        IopFreeBuffer(Buffer, BufferLength);
        return Status;
    }
    if (InputLength < BufferLength)
        memset((PUCHAR)Buffer + InputLength, IOP_GARBAGE, BufferLength - InputLength);
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    /* Which cache the buffer returns to: see IopReleaseBuffers. */
    if (BufferLength <= IOP_SMALL_BUFFER)
        Irp->AllocationFlags |= IRP_QUOTA_CHARGED;
    return STATUS_SUCCESS;
}

void IopUnlockMdls(PIRP Irp)
{
    for (PMDL Mdl = Irp->MdlAddress; Mdl; Mdl = Mdl->Next) {
        if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
            MmUnlockPages(Mdl);
    }
}

void IopFreeMdls(PIRP Irp)
{
    PMDL Next;

    for (PMDL Mdl = Irp->MdlAddress; Mdl; Mdl = Next) {
        Next = Mdl->Next;
        if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
            MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
    Irp->MdlAddress = NULL;
}

void IopReleaseBuffers(PIRP Irp)
{
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER) {
        IopFreeBuffer(Irp->AssociatedIrp.SystemBuffer,
                      Irp->AllocationFlags & IRP_QUOTA_CHARGED ? IOP_SMALL_BUFFER : MAXULONG);
        Irp->Flags &= ~IRP_DEALLOCATE_BUFFER;
    }
    if (Irp->MdlAddress)
        IopFreeMdls(Irp);
}

/* The output goes back unless the request failed: a warning (STATUS_BUFFER_OVERFLOW) carries data.
 */
NTSTATUS IopCopyBack(PIRP Irp)
{
    ULONG Length =
        IopTopLocation(Irp)
            ->Parameters.Read.Length; /* of the output, for read, control and query alike */
    SIZE_T Bytes = Irp->IoStatus.Information;

    if (!(Irp->Flags & IRP_BUFFERED_IO) || !(Irp->Flags & IRP_INPUT_OPERATION) ||
        NT_ERROR(Irp->IoStatus.Status) || !Bytes)
        return STATUS_SUCCESS;
    if (Bytes > Length)
        VfBugCheck(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1000, (ULONG_PTR)Irp, Bytes, Length,
            "a request was completed with Information %zu, and the output buffer has %u bytes",
            (size_t)Bytes, (unsigned)Length);
    if (Irp->RequestorMode == UserMode)
        return MmCopyToUser(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Bytes);
    memcpy(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Bytes);
    return STATUS_SUCCESS;
}
