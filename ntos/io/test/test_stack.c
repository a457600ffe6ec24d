/* Device stacks, completion routines, requests of drivers for drivers, cancel-safe queues, StartIo.
 */
#include "io_test.h"
#include <csq.h>
#include <string.h>

static PDEVICE_OBJECT Lower, Upper;
static LONG UpperSaw, LowerSaw, CompletionsRun;
static BOOLEAN PendLower;
static PIRP Held;

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Unused, PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI LowerControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    assert_ptr_equal(Device, Lower);
    LowerSaw++;
    if (PendLower) {
        IoMarkIrpPending(Irp);
        __atomic_store_n(&Held, Irp, __ATOMIC_RELEASE);
        return STATUS_PENDING;
    }
    if (Irp->AssociatedIrp.SystemBuffer)
        memcpy(Irp->AssociatedIrp.SystemBuffer, "lower", 6);
    return IoTestComplete(Irp, STATUS_SUCCESS, Irp->AssociatedIrp.SystemBuffer ? 6 : 0);
}

enum { Skip, CopyDown, Forward, Hold, MarkInCompletion } Mode;

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    assert_ptr_equal(Device, Upper);
    assert_ptr_equal(Context, &CompletionsRun);
    CompletionsRun++;
    if (Irp->PendingReturned)
        IoMarkIrpPending(Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI UpperControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    UpperSaw++;
    switch (Mode) {
    case Skip:
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Lower, Irp);
    case CopyDown:
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, Completed, &CompletionsRun, TRUE, TRUE, TRUE);
        return IoCallDriver(Lower, Irp);
    case Forward:
        assert_true(IoForwardIrpSynchronously(Lower, Irp));
        return IoTestComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    default:
        return IoTestComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static VOID NTAPI UnloadLower(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Lower);
}

static VOID NTAPI UnloadUpper(PDRIVER_OBJECT Driver)
{
    IoDetachDevice(Lower);
    IoDeleteDevice(Upper);
}

static void SetMajors(PDRIVER_OBJECT Driver, PDRIVER_DISPATCH Control)
{
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] =
        Driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = Control;
}

static int Setup(void **State)
{
    PDRIVER_OBJECT Below = IoTestLoad(L"Lower", Entry), Above = IoTestLoad(L"Upper", Entry);

    SetMajors(Below, LowerControl);
    SetMajors(Above, UpperControl);
    Below->DriverUnload = UnloadLower;
    Above->DriverUnload = UnloadUpper;
    Lower = IoTestDevice(Below, L"\\Device\\Stack", 0);
    Upper = IoTestDevice(Above, NULL, 0);
    assert_ptr_equal(IoAttachDeviceToDeviceStack(Upper, Lower), Lower);
    UpperSaw = LowerSaw = CompletionsRun = 0;
    PendLower = FALSE;
    return 0;
}

static int Teardown(void **State)
{
    assert_int_equal(IoTestUnload(L"Lower"),
                     STATUS_SUCCESS); /* in use by Upper's attachment: postponed */
    assert_true(IoTestExists(L"\\Driver\\Lower"));
    assert_int_equal(IoTestUnload(L"Upper"), STATUS_SUCCESS);
    assert_false(IoTestExists(L"\\Driver\\Upper"));
    assert_false(IoTestExists(L"\\Driver\\Lower"));
    return 0;
}

static void AStackIsWalkedBothWays(void **State)
{
    PDEVICE_OBJECT Found;

    assert_int_equal(Upper->StackSize, 2);
    assert_ptr_equal(IoGetAttachedDevice(Lower), Upper);
    Found = IoGetLowerDeviceObject(Upper);
    assert_ptr_equal(Found, Lower);
    ObDereferenceObject(Found);
    Found = IoGetDeviceAttachmentBaseRef(Upper);
    assert_ptr_equal(Found, Lower);
    ObDereferenceObject(Found);
    assert_null(IoGetLowerDeviceObject(Lower));
}

static void RequestsEnterAtTheTop(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Stack");
    char Out[8] = "";
    ULONG_PTR Information;

    Mode = Skip;
    assert_int_equal(IoTestControl(File, 0, NULL, 0, Out, sizeof(Out), &Information),
                     STATUS_SUCCESS);
    assert_int_equal(UpperSaw, 1);
    assert_int_equal(LowerSaw, 1);
    assert_string_equal(Out, "lower");
    Mode = CopyDown;
    assert_int_equal(IoTestControl(File, 0, NULL, 0, Out, sizeof(Out), &Information),
                     STATUS_SUCCESS);
    assert_int_equal(CompletionsRun, 1);
    Mode = Forward;
    assert_int_equal(IoTestControl(File, 0, NULL, 0, Out, sizeof(Out), &Information),
                     STATUS_SUCCESS);
    assert_int_equal(Information, 6);
    IoTestClose(File);
}

static VOID NTAPI CompleteHeld(PVOID Context)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};

    while (!__atomic_load_n(&Held, __ATOMIC_ACQUIRE))
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    IoTestComplete(__atomic_load_n(&Held, __ATOMIC_ACQUIRE), STATUS_SUCCESS, 0);
}

static void PendingTravelsUpTheStack(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Stack");
    IO_TEST_THREAD Thread;

    PendLower = TRUE;
    for (Mode = Skip; Mode <= Forward; Mode++) {
        Held = NULL;
        IoTestStart(&Thread, CompleteHeld, NULL);
        assert_int_equal(IoTestControl(File, 0, NULL, 0, NULL, 0, NULL), STATUS_SUCCESS);
        IoTestJoin(&Thread);
    }
    assert_int_equal(CompletionsRun, 1);
    IoTestClose(File);
}

static void ADriverBuildsAControlRequest(void **State)
{
    IO_STATUS_BLOCK Iosb = {.Status = -2};
    IO_TEST_THREAD Thread;
    char Out[8] = "";
    KEVENT Event;
    PIRP Irp;

    Mode = Skip;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(0, Upper, NULL, 0, Out, sizeof(Out), TRUE, &Event, &Iosb);
    assert_int_equal(IoCallDriver(Upper, Irp), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&Event), 1);
    assert_int_equal(Iosb.Information, 6);
    assert_string_equal(Out, "lower");
    PendLower = TRUE;
    Held = NULL;
    KeClearEvent(&Event);
    Irp = IoBuildDeviceIoControlRequest(0, Upper, NULL, 0, Out, sizeof(Out), FALSE, &Event, &Iosb);
    assert_int_equal(IoCallDriver(Upper, Irp), STATUS_PENDING);
    IoTestStart(&Thread, CompleteHeld, NULL);
    assert_int_equal(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(Iosb.Status, STATUS_SUCCESS);
    IoTestJoin(&Thread);
}

static NTSTATUS NTAPI StopHere(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    *(PNTSTATUS)Context = Irp->IoStatus.Status;
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void AnAsynchronousRequestIsFreedByItsCompletionRoutine(void **State)
{
    NTSTATUS Status = STATUS_PENDING;
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Upper, NULL, 0, NULL, NULL);

    IoSetCompletionRoutine(Irp, StopHere, &Status, TRUE, TRUE, TRUE);
    assert_int_equal(IoCallDriver(Upper, Irp), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(Status, STATUS_INVALID_DEVICE_REQUEST);
}

static void ExtendedCompletionRoutinesHoldTheirDevice(void **State)
{
    NTSTATUS Status = STATUS_PENDING;
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Upper, NULL, 0, NULL, NULL);
    LONG Before = atomic_load(&ObHeader(Upper)->PointerCount);

    assert_int_equal(IoSetCompletionRoutineEx(Upper, Irp, StopHere, &Status, TRUE, TRUE, TRUE),
                     STATUS_SUCCESS);
    assert_int_equal(atomic_load(&ObHeader(Upper)->PointerCount), Before + 1);
    IoCallDriver(Upper, Irp);
    assert_int_equal(atomic_load(&ObHeader(Upper)->PointerCount), Before);
    assert_int_equal(Status, STATUS_INVALID_DEVICE_REQUEST);
}

static void PartsCompleteTheirMaster(void **State)
{
    NTSTATUS Status = STATUS_PENDING;
    PIRP Master = IoAllocateIrp(1, FALSE), First = IoMakeAssociatedIrp(Master, 2),
         Second = IoMakeAssociatedIrp(Master, 2);

    Master->AssociatedIrp.IrpCount = 2;
    IoSetCompletionRoutine(Master, StopHere, &Status, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Master);
    Master->IoStatus.Status = STATUS_SUCCESS;
    IoGetNextIrpStackLocation(First)->MajorFunction =
        IoGetNextIrpStackLocation(Second)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoCallDriver(Upper, First);
    assert_int_equal(Status, STATUS_PENDING);
    IoCallDriver(Upper, Second);
    assert_int_equal(Status, STATUS_SUCCESS);
}

/* A cancel-safe queue of IRPs that stand alone. */
static struct {
    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY List;
    LONG Cancelled;
    BOOLEAN Refuse;
} Q;

static NTSTATUS NTAPI QInsert(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    if (Q.Refuse)
        return STATUS_DEVICE_BUSY;
    InsertTailList(&Q.List, &Irp->Tail.Overlay.ListEntry);
    return STATUS_SUCCESS;
}

static VOID NTAPI QRemove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI QPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY Next = Irp ? Irp->Tail.Overlay.ListEntry.Flink : Q.List.Flink;

    return Next == &Q.List ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI QAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&Q.Lock, Irql);
}

static VOID NTAPI QRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&Q.Lock, Irql);
}

static VOID NTAPI QCancelled(PIO_CSQ Csq, PIRP Irp)
{
    Q.Cancelled++;
}

static PIRP NewIrp(void)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoSetNextIrpStackLocation(Irp);
    return Irp;
}

static void ACancelSafeQueueGivesEachIrpOnce(void **State)
{
    PIRP First = NewIrp(), Second = NewIrp(), Third = NewIrp();
    IO_CSQ_IRP_CONTEXT Context;

    memset(&Q, 0, sizeof(Q));
    InitializeListHead(&Q.List);
    IoCsqInitializeEx(&Q.Csq, QInsert, QRemove, QPeek, QAcquire, QRelease, QCancelled);
    IoCsqInsertIrp(&Q.Csq, First, NULL);
    IoCsqInsertIrp(&Q.Csq, Second, &Context);
    assert_true(IoGetCurrentIrpStackLocation(First)->Control & SL_PENDING_RETURNED);
    Q.Refuse = TRUE;
    assert_int_equal(IoCsqInsertIrpEx(&Q.Csq, Third, NULL, NULL), STATUS_DEVICE_BUSY);
    assert_false(IoGetCurrentIrpStackLocation(Third)->Control & SL_PENDING_RETURNED);
    Q.Refuse = FALSE;
    assert_ptr_equal(IoCsqRemoveNextIrp(&Q.Csq, NULL), First);
    assert_ptr_equal(IoCsqRemoveIrp(&Q.Csq, &Context), Second);
    assert_null(IoCsqRemoveIrp(&Q.Csq, &Context));
    assert_null(IoCsqRemoveNextIrp(&Q.Csq, NULL));
    IoCsqInsertIrp(&Q.Csq, Third, &Context);
    assert_true(IoCancelIrp(Third));
    assert_int_equal(Q.Cancelled, 1);
    assert_null(IoCsqRemoveIrp(&Q.Csq, &Context));
    First->Cancel = TRUE; /* cancelled before it was queued */
    IoCsqInsertIrp(&Q.Csq, First, NULL);
    assert_int_equal(Q.Cancelled, 2);
    assert_true(IsListEmpty(&Q.List));
    IoFreeIrp(First);
    IoFreeIrp(Second);
    IoFreeIrp(Third);
}

static PIRP Started[4];
static ULONG StartedCount;

static VOID NTAPI StartIo(PDEVICE_OBJECT Device, PIRP Irp)
{
    Started[StartedCount++] = Irp;
}

static VOID NTAPI NoCancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    assert_true(
        KeRemoveEntryDeviceQueue(&Device->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry));
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static void StartIoGetsOneIrpAtATime(void **State)
{
    PIRP First = NewIrp(), Second = NewIrp(), Third = NewIrp();
    KIRQL Irql;

    Lower->DriverObject->DriverStartIo = StartIo;
    StartedCount = 0;
    IoGetCurrentIrpStackLocation(Second)->DeviceObject = Lower;
    IoStartPacket(Lower, First, NULL, NoCancel);
    IoStartPacket(Lower, Second, NULL, NoCancel);
    IoStartPacket(Lower, Third, NULL, NoCancel);
    assert_int_equal(StartedCount, 1);
    assert_ptr_equal(Lower->CurrentIrp, First);
    assert_true(IoCancelIrp(Second));
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    IoStartNextPacket(Lower, TRUE);
    assert_int_equal(StartedCount, 2);
    assert_ptr_equal(Started[1], Third);
    IoStartNextPacket(Lower, TRUE);
    KeLowerIrql(Irql);
    assert_int_equal(StartedCount, 2);
    assert_null(Lower->CurrentIrp);
    First->CancelRoutine = Third->CancelRoutine = NULL;
    IoFreeIrp(First);
    IoFreeIrp(Second);
    IoFreeIrp(Third);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Setup, Teardown)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(AStackIsWalkedBothWays),
        TEST(RequestsEnterAtTheTop),
        TEST(PendingTravelsUpTheStack),
        TEST(ADriverBuildsAControlRequest),
        TEST(AnAsynchronousRequestIsFreedByItsCompletionRoutine),
        TEST(ExtendedCompletionRoutinesHoldTheirDevice),
        TEST(PartsCompleteTheirMaster),
        TEST(ACancelSafeQueueGivesEachIrpOnce),
        TEST(StartIoGetsOneIrpAtATime),
    };
    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
