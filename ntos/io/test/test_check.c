/* What a driver does wrong, and the bug check that says so. */
#include "io_test.h"

static PDEVICE_OBJECT Device;

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    return STATUS_SUCCESS;
}

typedef NTSTATUS BODY(PIRP Irp);
static BODY *Body;

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Unused, PIRP Irp)
{
    return Body(Irp);
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Unused, PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Driver->DeviceObject);
}

static int Setup(void **State)
{
    PDRIVER_OBJECT Driver = IoTestLoad(L"Check", Entry);

    Driver->DriverUnload = Unload;
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Device = IoTestDevice(Driver, L"\\Device\\Check", 0);
    return 0;
}

static int Teardown(void **State)
{
    assert_int_equal(IoTestUnload(L"Check"), STATUS_SUCCESS);
    return 0;
}

/* Sends a control request as the kernel does, through an IRP of the test's own, so that nothing is
 * left behind by a bug check. */
static PIRP NewIrp(void)
{
    PIRP Irp = IoAllocateIrp(2, FALSE);

    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    return Irp;
}

static NTSTATUS NTAPI KeepIrp(PDEVICE_OBJECT Unused, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void Free(PIRP Irp)
{
    Irp->CancelRoutine = NULL;
    IoFreeIrp(Irp);
}

static NTSTATUS RaiseIrql(PIRP Irp)
{
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql);
    return STATUS_PENDING;
}

static void ADispatchRoutineMustNotChangeTheIrql(void **State)
{
    PIRP Irp = NewIrp();

    Body = RaiseIrql;
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x05, IoCallDriver(Device, Irp));
    KiSelf->CurrentDriver = NULL;
    KiSelf->CurrentIrp = NULL;
    Free(Irp);
}

static NTSTATUS EnterRegion(PIRP Irp)
{
    KeEnterCriticalRegion();
    return STATUS_PENDING;
}

static void ADispatchRoutineMustLeaveItsCriticalRegions(void **State)
{
    PIRP Irp = NewIrp();

    Body = EnterRegion;
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xC5, IoCallDriver(Device, Irp));
    KiSelf->CurrentDriver = NULL;
    KiSelf->CurrentIrp = NULL;
    KeLeaveCriticalRegion();
    Free(Irp);
}

static NTSTATUS Complete(PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI RaiseAndKeep(PDEVICE_OBJECT Unused, PIRP Irp, PVOID Context)
{
    KIRQL Irql;

    KeRaiseIrql(APC_LEVEL, &Irql);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI EnterAndKeep(PDEVICE_OBJECT Unused, PIRP Irp, PVOID Context)
{
    KeEnterCriticalRegion();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void ACompletionRoutineMustLeaveTheThreadAsItWas(void **State)
{
    PIRP Irp = NewIrp(), Other = NewIrp();

    Body = Complete;
    IoSetCompletionRoutine(Irp, RaiseAndKeep, NULL, TRUE, TRUE, TRUE);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFA, IoCallDriver(Device, Irp));
    IoSetCompletionRoutine(Other, EnterAndKeep, NULL, TRUE, TRUE, TRUE);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFB, IoCallDriver(Device, Other));
    KiSelf->CurrentDriver = NULL;
    KiSelf->CurrentIrp = NULL;
    KeLeaveCriticalRegion();
    Free(Irp);
    Free(Other);
}

static void StackLocationsRunOut(void **State)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    Body = RaiseIrql;
    Irp->CurrentLocation = 1;
    IO_TEST_BUGCHECK(NO_MORE_IRP_STACK_LOCATIONS, Irp, IoCallDriver(Device, Irp));
    Free(Irp);
}

static void OnlyIrpsAndDevicesAreCalled(void **State)
{
    PIRP Irp = NewIrp();
    DEVICE_OBJECT Bad = {0};

    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x04, IoCallDriver(&Bad, Irp));
    Irp->Type = 0;
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x03, IoCallDriver(Device, Irp));
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x01, IoFreeIrp(Irp));
    Irp->Type = IO_TYPE_IRP;
    Free(Irp);
}

static void ARequestIsCompletedOnce(void **State)
{
    PIRP Irp = NewIrp();

    IoSetCompletionRoutine(Irp, KeepIrp, NULL, TRUE, TRUE, TRUE);
    Body = (BODY *)(PVOID)NULL;
    IoSetNextIrpStackLocation(Irp);
    IoTestComplete(Irp, STATUS_SUCCESS, 0);
    Irp->CurrentLocation = Irp->StackCount + 2;
    IO_TEST_BUGCHECK(MULTIPLE_IRP_COMPLETE_REQUESTS, Irp, IoCompleteRequest(Irp, IO_NO_INCREMENT));
    Free(Irp);
}

static void ARequestIsNotCompletedAsPending(void **State)
{
    PIRP Irp = NewIrp();

    Irp->IoStatus.Status = STATUS_PENDING;
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x06,
                     IoCompleteRequest(Irp, IO_NO_INCREMENT));
    Free(Irp);
}

static VOID NTAPI NoCancel(PDEVICE_OBJECT Unused, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static void ARequestIsNotCompletedWithACancelRoutine(void **State)
{
    PIRP Irp = NewIrp();

    IoSetCancelRoutine(Irp, NoCancel);
    IO_TEST_BUGCHECK(CANCEL_STATE_IN_COMPLETED_IRP, Irp, IoCompleteRequest(Irp, IO_NO_INCREMENT));
    Free(Irp);
}

static HANDLE File;

/* A client's request that ends in a bug check leaves its IRP, file lock and reference; the test
 * gives them back. */
static void ExpectFromService(ULONG Code)
{
    IO_STATUS_BLOCK Iosb;
    PFILE_OBJECT Object;
    PIRP Irp;

    File = IoTestOpenSynchronous(L"\\Device\\Check");
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, Code,
                     NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, 0, NULL, 0, NULL, 0));
    assert_false(IsListEmpty(&PsSelf()->IrpList));
    Irp = CONTAINING_RECORD(PsSelf()->IrpList.Flink, IRP, ThreadListEntry);
    Object = Irp->Tail.Overlay.OriginalFileObject;
    IopDequeueIrp(Irp);
    Free(Irp);
    IopUnlockFile(Object);
    ObDereferenceObject(Object);
    KiSelf->CurrentDriver = NULL;
    KiSelf->CurrentIrp = NULL;
    IoTestClose(File);
}

static NTSTATUS Forget(PIRP Irp)
{
    return STATUS_SUCCESS;
}

static void ARequestMustNotBeForgotten(void **State)
{
    Body = Forget;
    ExpectFromService(0x226);
}

static NTSTATUS CompleteAndReturnPending(PIRP Irp)
{
    IoTestComplete(Irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static void PendingNeedsAMark(void **State)
{
    Body = CompleteAndReturnPending;
    ExpectFromService(0x23D);
}

static NTSTATUS ReturnAnother(PIRP Irp)
{
    IoTestComplete(Irp, STATUS_DEVICE_BUSY, 0);
    return STATUS_SUCCESS;
}

static void TheStatusOfTheRequestIsReturned(void **State)
{
    Body = ReturnAnother;
    ExpectFromService(0x224);
}

static NTSTATUS MarkAndReturnSuccess(PIRP Irp)
{
    IoMarkIrpPending(Irp);
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static void AMarkNeedsPending(void **State)
{
    Body = MarkAndReturnSuccess;
    ExpectFromService(0x23E);
}

static NTSTATUS TooMuch(PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 9);
}

static void InformationMustFitTheBuffer(void **State)
{
    char Out[8];
    IO_STATUS_BLOCK Iosb;
    VF_BUGCHECK Record = {0};
    PFILE_OBJECT Object;

    Body = TooMuch;
    File = IoTestOpenSynchronous(L"\\Device\\Check");
    VF_EXPECT_BUGCHECK (&Record) {
        NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, 0, NULL, 0, Out, sizeof(Out));
    }
    assert_int_equal(Record.Code, DRIVER_VERIFIER_IOMANAGER_VIOLATION);
    assert_int_equal(Record.Parameters[2], 9);
    assert_int_equal(Record.Parameters[3], 8);
    Object = ((PIRP)Record.Parameters[1])->Tail.Overlay.OriginalFileObject;
    IopReleaseBuffers((PIRP)Record.Parameters[1]);
    Free((PIRP)Record.Parameters[1]);
    IopUnlockFile(Object);
    ObDereferenceObject(Object);
    IoTestClose(File);
}

static void ADeviceIsDeletedOnce(void **State)
{
    PDEVICE_OBJECT Extra = IoTestDevice(Device->DriverObject, NULL, 0);

    ObReferenceObject(Extra);
    IoDeleteDevice(Extra);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x240, IoDeleteDevice(Extra));
    ObDereferenceObject(Extra);
}

static void AnAttachedDeviceIsDetachedFirst(void **State)
{
    PDEVICE_OBJECT Upper = IoTestDevice(Device->DriverObject, NULL, 0);

    assert_ptr_equal(IoAttachDeviceToDeviceStack(Upper, Device), Device);
    IO_TEST_BUGCHECK(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x201, IoDeleteDevice(Upper));
    IoDetachDevice(Device);
    IoDeleteDevice(Upper);
}

static NTSTATUS NTAPI LeavingEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    IoTestDevice(Driver, L"\\Device\\LeftBehind", 0);
    return STATUS_UNSUCCESSFUL;
}

static void AFailedDriverEntryLeavesNothing(void **State)
{
    assert_int_equal(IoTestTryLoad(L"Leaves", LeavingEntry), STATUS_UNSUCCESSFUL);
    assert_false(IoTestExists(L"\\Device\\LeftBehind"));
    assert_false(IoTestExists(L"\\Driver\\Leaves"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Setup, Teardown)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(ADispatchRoutineMustNotChangeTheIrql),
        TEST(ADispatchRoutineMustLeaveItsCriticalRegions),
        TEST(ACompletionRoutineMustLeaveTheThreadAsItWas),
        TEST(StackLocationsRunOut),
        TEST(OnlyIrpsAndDevicesAreCalled),
        TEST(ARequestIsCompletedOnce),
        TEST(ARequestIsNotCompletedAsPending),
        TEST(ARequestIsNotCompletedWithACancelRoutine),
        TEST(ARequestMustNotBeForgotten),
        TEST(PendingNeedsAMark),
        TEST(AMarkNeedsPending),
        TEST(TheStatusOfTheRequestIsReturned),
        TEST(InformationMustFitTheBuffer),
        TEST(ADeviceIsDeletedOnce),
        TEST(AnAttachedDeviceIsDetachedFirst),
        TEST(AFailedDriverEntryLeavesNothing),
    };
    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
