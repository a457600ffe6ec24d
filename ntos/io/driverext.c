/*
 * What a driver hangs on its driver object: extensions by client, reinitialization routines.
 */
#include "io/iop.h"
#include <string.h>

static PVOID IopFindClient(PDRIVER_OBJECT Driver, PVOID Identification)
{
    for (IOP_CLIENT_EXTENSION *Client = IopDriver(Driver)->ClientExtensions; Client;
         Client = Client->Next) {
        if (Client->Identification == Identification)
            return Client->Bytes;
    }
    return NULL;
}

/* Memory of the driver object, zeroed, found again by its (unique) identification; it goes with the
 * driver. STATUS_OBJECT_NAME_COLLISION: there is one of that identification. IRQL <=
 * DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioallocatedriverobjectextension */
NTSTATUS NTAPI IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject,
                                               PVOID ClientIdentificationAddress,
                                               ULONG DriverObjectExtensionSize,
                                               PVOID *DriverObjectExtension)
{
    IOP_CLIENT_EXTENSION *New;
    BOOLEAN Exists;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    *DriverObjectExtension = NULL;
    New = ExAllocatePoolWithTag(NonPagedPool, sizeof(*New) + (SIZE_T)DriverObjectExtensionSize,
                                IOP_TAG);
    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(New, 0, sizeof(*New) + (SIZE_T)DriverObjectExtensionSize);
    New->Identification = ClientIdentificationAddress;
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Exists = IopFindClient(DriverObject, ClientIdentificationAddress) != NULL;
    if (!Exists) {
        New->Next = IopDriver(DriverObject)->ClientExtensions;
        IopDriver(DriverObject)->ClientExtensions = New;
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    if (Exists) {
        ExFreePoolWithTag(New, IOP_TAG);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *DriverObjectExtension = New->Bytes;
    return STATUS_SUCCESS;
}

/* NULL: none. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iogetdriverobjectextension */
PVOID NTAPI IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject,
                                       PVOID ClientIdentificationAddress)
{
    PVOID Found;
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    Found = IopFindClient(DriverObject, ClientIdentificationAddress);
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Found;
}

/* Called by DriverEntry, or by such a routine again: Routine(Driver, Context, Count) runs after
 * DriverEntry has succeeded; Count is 1 the first time. IRQL PASSIVE_LEVEL. Doc:
 * ntddk/nf-ntddk-ioregisterdriverreinitialization */
VOID NTAPI IoRegisterDriverReinitialization(PDRIVER_OBJECT DriverObject,
                                            PDRIVER_REINITIALIZE DriverReinitializationRoutine,
                                            PVOID Context)
{
    IOP_REINITIALIZATION *New;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    New = ExAllocatePoolWithTag(PagedPool, sizeof(*New), IOP_TAG);
    if (!New)
        return;
    New->Routine = DriverReinitializationRoutine;
    New->Context = Context;
    InsertTailList(&IopDriver(DriverObject)->Reinitializations, &New->Entry);
}

static void IopCallReinitializations(PVOID Context)
{
    IOP_DRIVER *Driver = Context;

    while (!IsListEmpty(&Driver->Reinitializations)) {
        IOP_REINITIALIZATION *Next = CONTAINING_RECORD(RemoveHeadList(&Driver->Reinitializations),
                                                       IOP_REINITIALIZATION, Entry);
        IOP_REINITIALIZATION Copy = *Next;

        ExFreePoolWithTag(Next, IOP_TAG);
        IOP_CALL(Copy.Routine, &Driver->Object, Copy.Context, ++Driver->ReinitializationCount);
    }
}

void IopRunReinitializations(IOP_DRIVER *Driver)
{
    if (!IsListEmpty(&Driver->Reinitializations))
        IopRunAsSystem(IopCallReinitializations, Driver);
}
