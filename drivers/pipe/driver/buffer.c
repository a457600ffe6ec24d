/* The client's buffer, by the method that this build of the driver was made for. */
#include "pipe.h"

#if EXAMPLE_IO == EXAMPLE_BUFFERED
const ULONG BufferDeviceFlags = DO_BUFFERED_IO;

NTSTATUS BufferOf(PIRP Irp, UCHAR **Buffer, BOOLEAN *User)
{
    *Buffer = Irp->AssociatedIrp.SystemBuffer;
    *User = FALSE;
    return STATUS_SUCCESS;
}

NTSTATUS BufferPin(PIRP Irp, ULONG Length, BOOLEAN Write)
{
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Write);
    return STATUS_SUCCESS;
}

#else
/* A request of length 0 has no MDL, and no buffer. */
static NTSTATUS Mapped(PIRP Irp, UCHAR **Buffer)
{
    *Buffer = NULL;
    if (!Irp->MdlAddress)
        return STATUS_SUCCESS;
    *Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
    return *Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
#endif

#if EXAMPLE_IO == EXAMPLE_DIRECT
const ULONG BufferDeviceFlags = DO_DIRECT_IO;

NTSTATUS BufferOf(PIRP Irp, UCHAR **Buffer, BOOLEAN *User)
{
    *User = FALSE;
    return Mapped(Irp, Buffer);
}

NTSTATUS BufferPin(PIRP Irp, ULONG Length, BOOLEAN Write)
{
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Write);
    return STATUS_SUCCESS;
}
#endif

#if EXAMPLE_IO == EXAMPLE_NEITHER
const ULONG BufferDeviceFlags = 0;

NTSTATUS BufferOf(PIRP Irp, UCHAR **Buffer, BOOLEAN *User)
{
    *User = !Irp->MdlAddress;
    if (Irp->MdlAddress)
        return Mapped(Irp, Buffer);
    *Buffer = Irp->UserBuffer;
    return STATUS_SUCCESS;
}

#include "../../common/seh.h"

static NTSTATUS LockPages(PIRP Irp, BOOLEAN Write)
{
    __try {
        MmProbeAndLockPages(Irp->MdlAddress, Irp->RequestorMode,
                            Write ? IoReadAccess : IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* The I/O manager unlocks and frees the MDL of a request that is completed. */
NTSTATUS BufferPin(PIRP Irp, ULONG Length, BOOLEAN Write)
{
    NTSTATUS Status;

    if (!Length || Irp->MdlAddress)
        return STATUS_SUCCESS;
    if (!IoAllocateMdl(Irp->UserBuffer, Length, FALSE, FALSE, Irp))
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = LockPages(Irp, Write);
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Irp->MdlAddress);
        Irp->MdlAddress = NULL;
    }
    return Status;
}
#endif

#include "../../common/seh.h"

/* A user address is touched here only, in the caller's context. The lock that the caller holds
 * outlives a fault. */
NTSTATUS BufferGuarded(const BUFFER_USE *Use, KPROCESSOR_MODE Mode, ULONG *Done)
{
    NTSTATUS Status;

    __try {
        if (Mode != KernelMode) {
            if (Use->Write)
                ProbeForRead(Use->Buffer, Use->Length, 1);
            else
                ProbeForWrite(Use->Buffer, Use->Length, 1);
        }
        Status = Use->Move(Use->Store, Use->Buffer, Use->Length, Done);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        *Done = 0;
        Status = GetExceptionCode();
    }
    return Status;
}
