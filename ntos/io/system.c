/*
 * The start and the end of io.
 */
#include "io/iop.h"
#include <string.h>

IOP_STATE IopState;

static PDRIVER_OBJECT IopContextDriver(void)
{
    return KiSelf ? KiSelf->CurrentDriver : NULL;
}

static PIRP IopContextIrp(void)
{
    return KiSelf ? KiSelf->CurrentIrp : NULL;
}

static NTSTATUS IopCreateTypes(void)
{
    static const OB_TYPE_PROCEDURES Device = {.Parse = IopParseDevice, .Delete = IopFreeDevice};
    static const OB_TYPE_PROCEDURES Driver = {.Delete = IopFreeDriver};
    static const OB_TYPE_PROCEDURES File = {.Parse = IopParseFile,
                                            .Close = IopCloseFile,
                                            .Delete = IopDeleteFile,
                                            .QueryName = IopQueryFileName};
    PGENERIC_MAPPING Mapping = IoGetFileObjectGenericMapping();
    NTSTATUS Status;

    Status = ObCreateObjectType_(L"Device", &Device, Mapping, FILE_ALL_ACCESS, NonPagedPool, 'iveD',
                                 OB_NOT_WAITABLE, &IopState.DeviceType);
    if (NT_SUCCESS(Status))
        Status = ObCreateObjectType_(L"Driver", &Driver, Mapping, FILE_ALL_ACCESS, NonPagedPool,
                                     'virD', OB_NOT_WAITABLE, &IopState.DriverType);
    if (NT_SUCCESS(Status))
        Status = ObCreateObjectType_(L"File", &File, Mapping, FILE_ALL_ACCESS, NonPagedPool, 'eliF',
                                     FIELD_OFFSET(FILE_OBJECT, Event), &IopState.FileType);
    return Status;
}

NTSTATUS IoInitSystem(void)
{
    NTSTATUS Status;

    memset(&IopState, 0, sizeof(IopState));
    KeInitializeSpinLock(&IopState.DatabaseLock);
    KeInitializeSpinLock(&IopState.CancelLock);
    InitializeListHead(&IopState.Drivers);
    InitializeListHead(&IopState.Shutdown);
    InitializeListHead(&IopState.LastShutdown);
    InitializeListHead(&IopState.SymbolicLinks);
    ExInitializePushLock(&IopState.LinkLock);
    IopState.ReportAfter = 5 * IOP_SECOND;
    IopState.AbandonAfter = 300 * IOP_SECOND;
    IopInitCache();
    Status = IopCreateTypes();
    if (NT_SUCCESS(Status))
        Status = IopInitSecurity();
    if (NT_SUCCESS(Status))
        Status = IopInitTimer();
    if (!NT_SUCCESS(Status))
        return Status;
    VfContext.CurrentDriver = IopContextDriver;
    VfContext.CurrentIrp = IopContextIrp;
    PsSetIoHooks(IopCancelThreadIrps, NULL);
    return STATUS_SUCCESS;
}

void IoNotifyShutdown(void)
{
    IopNotifyShutdown(&IopState.Shutdown);
    IopNotifyShutdown(&IopState.LastShutdown);
}

/* A work item's device is let go after its routine, of which its driver knows nothing. */
static void IopAwaitDevices(void)
{
    LARGE_INTEGER Step = {.QuadPart = -10000};

    for (ULONG i = 0; i < 10000 && atomic_load(&IopState.DeviceType->ObjectCount) != 0; i++)
        KeDelayExecutionThread(KernelMode, FALSE, &Step);
}

void IoShutdownSystem(void)
{
    IoNotifyShutdown(); /* of drivers that were loaded since */
    IopUnloadAll();
    IopStopTimers();
    IopForgetLinks();
    IopAwaitDevices();
    NT_ASSERT(atomic_load(&IopState.DeviceType->ObjectCount) == 0);
    ExFreePool(IopState.DefaultSecurity);
    VfContext.CurrentDriver = NULL;
    VfContext.CurrentIrp = NULL;
}

void IopSetImageLookup(PDRIVER_OBJECT (*DriverOfAddress)(const void *Address))
{
    IopState.DriverOfAddress = DriverOfAddress;
}

void IopSetCompletionPorts(POBJECT_TYPE Type, IO_POST_COMPLETION *Post)
{
    IopState.PortType = Type;
    IopState.PostCompletion = Post;
}
