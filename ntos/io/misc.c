/*
 * Small questions that drivers ask the I/O manager.
 */
#include "io/iop.h"
#undef IoGetTopLevelIrp

/* The calling thread's stack. Doc: wdm/nf-wdm-iogetstacklimits */
VOID NTAPI IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    *LowLimit = (ULONG_PTR)KiSelf->StackLimit;
    *HighLimit = (ULONG_PTR)KiSelf->StackBase;
}

/* Doc: wdm/nf-wdm-iogetinitialstack. IRQL <= APC_LEVEL. */
PVOID NTAPI IoGetInitialStack(VOID)
{
    return KiSelf->StackBase;
}

/* Doc: ntifs/nf-ntifs-iogettoplevelirp. IRQL <= DISPATCH_LEVEL. */
PIRP NTAPI IoGetTopLevelIrp(VOID)
{
    return PsSelf()->TopLevelIrp;
}

VOID NTAPI IoSetTopLevelIrp(PIRP Irp)
{
    PsSelf()->TopLevelIrp = Irp;
}

/* The process of the thread that issued the request; NULL: none did. IRQL <= DISPATCH_LEVEL. Doc:
 * ntifs/nf-ntifs-iogetrequestorprocess */
PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp)
{
    return Irp->Tail.Overlay.Thread ? Irp->Tail.Overlay.Thread->Process : NULL;
}

/* 0: none. Doc: ntifs/nf-ntifs-iogetrequestorprocessid */
ULONG NTAPI IoGetRequestorProcessId(PIRP Irp)
{
    PEPROCESS Process = IoGetRequestorProcess(Irp);

    return Process ? HandleToULong(Process->UniqueProcessId) : 0;
}

/* The thread's former setting. Doc: ntddk/nf-ntddk-iosetthreadharderrormode */
BOOLEAN NTAPI IoSetThreadHardErrorMode(BOOLEAN EnableHardErrors)
{
    BOOLEAN Was = !PsSelf()->HardErrorsDisabled;

    PsSelf()->HardErrorsDisabled = !EnableHardErrors;
    return Was;
}

/* Whether the issuer waits for the request. Any IRQL. Doc: ntifs/nf-ntifs-ioisoperationsynchronous
 */
BOOLEAN NTAPI IoIsOperationSynchronous(PIRP Irp)
{
    PFILE_OBJECT File = Irp->Tail.Overlay.OriginalFileObject;

    if (Irp->Flags & (IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO))
        return !(Irp->Flags & IRP_PAGING_IO) || (Irp->Flags & IRP_SYNCHRONOUS_PAGING_IO);
    return File && (File->Flags & FO_SYNCHRONOUS_IO);
}

/* The versions of WDM up to Windows 10's. Doc: wdm/nf-wdm-ioiswdmversionavailable */
BOOLEAN NTAPI IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion)
{
    return MajorVersion < 6 || (MajorVersion == 6 && MinorVersion == 0);
}

/* A status that a request may be completed with. Any IRQL. Doc: ntddk/nf-ntddk-ioisvalidirpstatus
 */
BOOLEAN NTAPI IoIsValidIrpStatus(NTSTATUS Status)
{
    return Status != STATUS_PENDING && Status != STATUS_MORE_PROCESSING_REQUIRED &&
           Status != (NTSTATUS)-1;
}

/* A system thread that holds the device or driver object until it ends is one that its owner must
 * end. Doc: wdm/nf-wdm-iocreatesystemthread */
typedef struct IOP_HELD_THREAD {
    PVOID IoObject;
    PKSTART_ROUTINE Routine;
    PVOID Context;
} IOP_HELD_THREAD;

static VOID NTAPI IopHeldThread(PVOID Context)
{
    IOP_HELD_THREAD Held = *(IOP_HELD_THREAD *)Context;

    ExFreePoolWithTag(Context, IOP_TAG);
    IOP_CALL(Held.Routine, Held.Context);
    ObDereferenceObject(Held.IoObject);
}

/* As PsCreateSystemThread; IoObject is held until StartRoutine returns. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-iocreatesystemthread */
NTSTATUS NTAPI IoCreateSystemThread(PVOID IoObject, PHANDLE ThreadHandle, ULONG DesiredAccess,
                                    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                                    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext)
{
    IOP_HELD_THREAD *Held;
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Held = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Held), IOP_TAG);
    if (!Held)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Held = (IOP_HELD_THREAD){IoObject, StartRoutine, StartContext};
    ObReferenceObject(IoObject);
    Status = PsCreateSystemThread(ThreadHandle, DesiredAccess, ObjectAttributes, ProcessHandle,
                                  ClientId, IopHeldThread, Held);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(IoObject);
        ExFreePoolWithTag(Held, IOP_TAG);
    }
    return Status;
}

/* Every device of the driver, each referenced; *Actual is their number. STATUS_BUFFER_TOO_SMALL:
 * not all fitted. IRQL <= DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-ioenumeratedeviceobjectlist */
NTSTATUS NTAPI IoEnumerateDeviceObjectList(PDRIVER_OBJECT DriverObject,
                                           PDEVICE_OBJECT *DeviceObjectList,
                                           ULONG DeviceObjectListSize,
                                           PULONG ActualNumberDeviceObjects)
{
    ULONG Room = DeviceObjectListSize / sizeof(PDEVICE_OBJECT), Count = 0;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    for (PDEVICE_OBJECT Device = DriverObject->DeviceObject; Device;
         Device = Device->NextDevice, Count++) {
        if (Count >= Room)
            continue;
        ObReferenceObject(Device);
        DeviceObjectList[Count] = Device;
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    *ActualNumberDeviceObjects = Count;
    return Count > Room ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}
