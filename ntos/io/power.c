/*
 * Power requests as a driver makes them. No power manager sends any by itself.
 */
#include "io/iop.h"

/* The bits of IOP_DEVICE.PowerFlags: the system's state, above it the device's. */
#define IOP_SYSTEM_STATE 0x0Fu
#define IOP_DEVICE_STATE 0xF0u
#define IOP_DEVICE_SHIFT 4

typedef struct IOP_POWER {
    PDEVICE_OBJECT Device, Top;
    PREQUEST_POWER_COMPLETE Completion;
    PVOID Context;
    POWER_STATE State;
    UCHAR Minor;
} IOP_POWER;

/* IoCallDriver, since Windows Vista. IRQL <= DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-pocalldriver */
NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return IofCallDriver(DeviceObject, Irp);
}

/* Since Windows Vista the next power request does not wait for this: nothing happens. IRQL <=
 * DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-postartnextpowerirp */
VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
}

/* Notes the device's state (of the system's, too); the one before. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-posetpowerstate */
POWER_STATE NTAPI PoSetPowerState(PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE Type,
                                  POWER_STATE State)
{
    IOP_DEVICE *Device = IopDevice(DeviceObject);
    POWER_STATE Old = {.SystemState = PowerSystemUnspecified};
    KIRQL Irql;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    KeAcquireSpinLock(&IopState.DatabaseLock, &Irql);
    if (Type == DevicePowerState) {
        Old.DeviceState = (Device->PowerFlags & IOP_DEVICE_STATE) >> IOP_DEVICE_SHIFT;
        Device->PowerFlags = (Device->PowerFlags & ~IOP_DEVICE_STATE) |
                             ((ULONG)State.DeviceState << IOP_DEVICE_SHIFT & IOP_DEVICE_STATE);
    } else {
        Old.SystemState = Device->PowerFlags & IOP_SYSTEM_STATE;
        Device->PowerFlags = (Device->PowerFlags & ~IOP_SYSTEM_STATE) |
                             ((ULONG)State.SystemState & IOP_SYSTEM_STATE);
    }
    KeReleaseSpinLock(&IopState.DatabaseLock, Irql);
    return Old;
}

/* The request is back from all drivers. */
static NTSTATUS NTAPI IopPowerDone(PDEVICE_OBJECT Unused, PIRP Irp, PVOID Context)
{
    IOP_POWER *Power = Context;

    if (Power->Completion)
        IOP_CALL(Power->Completion, Power->Device, Power->Minor, Power->State, Power->Context,
                 &Irp->IoStatus);
    ObDereferenceObject(Power->Top);
    ExFreePoolWithTag(Power, IOP_TAG);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void IopFillPower(PIRP Irp, const IOP_POWER *Power)
{
    PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);

    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Location->MajorFunction = IRP_MJ_POWER;
    Location->MinorFunction = Power->Minor;
    if (Power->Minor == IRP_MN_WAIT_WAKE) {
        Location->Parameters.WaitWake.PowerState = Power->State.SystemState;
    } else {
        Location->Parameters.Power.Type = DevicePowerState;
        Location->Parameters.Power.State = Power->State;
    }
}

/*
 * Sends a request to the top of the device's stack: STATUS_PENDING. When all drivers have completed
 * it, CompletionFunction is called and the IRP freed. STATUS_INVALID_PARAMETER_2: another minor
 * function than QUERY_POWER, SET_POWER, WAIT_WAKE. IRQL <= DISPATCH_LEVEL. Doc:
 * wdm/nf-wdm-porequestpowerirp
 */
NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction,
                                 POWER_STATE PowerState, PREQUEST_POWER_COMPLETE CompletionFunction,
                                 PVOID Context, PIRP *Irp)
{
    IOP_POWER *Power;
    PIRP New;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (MinorFunction != IRP_MN_QUERY_POWER && MinorFunction != IRP_MN_SET_POWER &&
        MinorFunction != IRP_MN_WAIT_WAKE)
        return STATUS_INVALID_PARAMETER_2;
    if (!(Power = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Power), IOP_TAG)))
        return STATUS_INSUFFICIENT_RESOURCES;
    *Power = (IOP_POWER){DeviceObject,       IoGetAttachedDeviceReference(DeviceObject),
                         CompletionFunction, Context,
                         PowerState,         MinorFunction};
    if (!(New = IoAllocateIrp(Power->Top->StackSize, FALSE))) {
        ObDereferenceObject(Power->Top);
        ExFreePoolWithTag(Power, IOP_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IopFillPower(New, Power);
    IoSetCompletionRoutine(New, IopPowerDone, Power, TRUE, TRUE, TRUE);
    if (Irp)
        *Irp = New;
    IofCallDriver(Power->Top, New);
    return STATUS_PENDING;
}
