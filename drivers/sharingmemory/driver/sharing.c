/* One open of the device and the page it shares. */
#include "sharing.h"

NTSTATUS SharingCreate(SHARING **Sharing)
{
    SHARING *New = DriverAllocate(sizeof(*New), SHARING_TAG);

    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExInitializeFastMutex(&New->Lock);
    New->Owner = PsGetCurrentProcess();
    ObReferenceObject(New->Owner);
    *Sharing = New;
    return STATUS_SUCCESS;
}

VOID SharingDelete(SHARING *Sharing)
{
    NT_ASSERT(!Sharing->Page);
    ObDereferenceObject(Sharing->Owner);
    ExFreePoolWithTag(Sharing, SHARING_TAG);
}

/* The page is zeroed: what was in the pool before is nobody's business. */
static NTSTATUS AllocatePage(SHARING *Sharing)
{
    Sharing->Page = DriverAllocate(PAGE_SIZE, SHARING_TAG);
    if (!Sharing->Page)
        return STATUS_INSUFFICIENT_RESOURCES;
    Sharing->Mdl = IoAllocateMdl(Sharing->Page, PAGE_SIZE, FALSE, FALSE, NULL);
    if (!Sharing->Mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(Sharing->Mdl);
    return STATUS_SUCCESS;
}

#include "../../common/seh.h"

/* A user-mode mapping fails by an exception, or (so the documentation leaves open) by NULL. */
static NTSTATUS MapPage(SHARING *Sharing)
{
    ULONG Priority = NormalPagePriority;

    if (DriverOnWindows8())
        Priority |= MdlMappingNoWrite | MdlMappingNoExecute;
    __try {
        Sharing->UserAddress =
            MmMapLockedPagesSpecifyCache(Sharing->Mdl, UserMode, MmCached, NULL, FALSE, Priority);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return Sharing->UserAddress ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID ReleasePage(SHARING *Sharing)
{
    if (Sharing->UserAddress)
        MmUnmapLockedPages(Sharing->UserAddress, Sharing->Mdl);
    Sharing->UserAddress = NULL;
    if (Sharing->Mdl)
        IoFreeMdl(Sharing->Mdl);
    Sharing->Mdl = NULL;
    if (Sharing->Page)
        ExFreePoolWithTag(Sharing->Page, SHARING_TAG);
    Sharing->Page = NULL;
}

static NTSTATUS Share(SHARING *Sharing, PDEVICE_OBJECT Device)
{
    DEVICE *Extension = Device->DeviceExtension;
    NTSTATUS Status = AllocatePage(Sharing);

    if (NT_SUCCESS(Status))
        Status = MapPage(Sharing);
    if (!NT_SUCCESS(Status)) {
        ReleasePage(Sharing);
        return Status;
    }
    ClockShow(&Extension->Clock, Sharing->Page);
    IoStartTimer(Device);
    return STATUS_SUCCESS;
}

NTSTATUS SharingMap(SHARING *Sharing, PDEVICE_OBJECT Device, PVOID *UserAddress)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (PsGetCurrentProcess() != Sharing->Owner)
        return STATUS_ACCESS_DENIED;
    ExAcquireFastMutex(&Sharing->Lock);
    if (Sharing->Closing)
        Status = STATUS_INVALID_DEVICE_STATE;
    else if (!Sharing->Page)
        Status = Share(Sharing, Device);
    *UserAddress = Sharing->UserAddress;
    ExReleaseFastMutex(&Sharing->Lock);
    return Status;
}

/* The order matters: nobody writes the page any more, then the process loses it, then it is freed.
 */
static VOID Unshare(SHARING *Sharing, PDEVICE_OBJECT Device)
{
    DEVICE *Extension = Device->DeviceExtension;
    KAPC_STATE State;

    IoStopTimer(Device);
    ClockShow(&Extension->Clock, NULL);
    if (PsGetCurrentProcess() == Sharing->Owner) {
        ReleasePage(Sharing);
        return;
    }
    KeStackAttachProcess((PVOID)Sharing->Owner, &State);
    ReleasePage(Sharing);
    KeUnstackDetachProcess(&State);
}

VOID SharingEnd(SHARING *Sharing, PDEVICE_OBJECT Device)
{
    ExAcquireFastMutex(&Sharing->Lock);
    Sharing->Closing = TRUE;
    if (Sharing->Page)
        Unshare(Sharing, Device);
    ExReleaseFastMutex(&Sharing->Lock);
}
