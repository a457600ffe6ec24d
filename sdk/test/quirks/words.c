// The kit's own words for exceptions, types of routines, and macros of its headers around them.
#include <ntddk.h>

IO_CSQ_INSERT_IRP Insert;
IO_WORKITEM_ROUTINE Work;
WORKER_THREAD_ROUTINE Worker;
_Dispatch_type_(IRP_MJ_CREATE)
DRIVER_DISPATCH Create;

_Use_decl_annotations_ NTSTATUS Create(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NTSTATUS Status = STATUS_SUCCESS;

    PAGED_CODE();
    ASSERT(DeviceObject != NULL);
    try {
        if (Irp->MdlAddress == NULL)
            leave;
        MmProbeAndLockPages(Irp->MdlAddress, UserMode, IoReadAccess);
        RtlCopyBytes(&Status, MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute),
                     sizeof(Status));
    } except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    try {
        KdPrint(("create %x\n", Status));
    } finally {
        if (AbnormalTermination())
            Status = STATUS_UNSUCCESSFUL;
    }
    return Status;
}
