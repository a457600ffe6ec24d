/*
 * Locking a caller's buffer: the one place of io where an exception is caught.
 */
#include "io/iop.h"
#include <ntseh.h>

NTSTATUS IopLockBuffer(PIRP Irp, PVOID Buffer, ULONG Length, LOCK_OPERATION Operation,
                       KPROCESSOR_MODE Mode)
{
    NTSTATUS volatile Status = STATUS_SUCCESS;
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, TRUE, NULL);

    if (!Mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Mdl, Mode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status))
        Irp->MdlAddress = Mdl;
    else
        IoFreeMdl(Mdl);
    return Status;
}
