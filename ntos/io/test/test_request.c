/* Requests: the ways of passing buffers, synchronous and asynchronous, pending, cancellation, the
 * end of a thread. */
#include "io_test.h"
#include <stdlib.h>
#include <string.h>

#define CODE(function, method) CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, FILE_ANY_ACCESS)
enum { Echo = 0x800, Overflow, Fail, Queue, QueueThenFail, Claim };

static PDEVICE_OBJECT Device;
static KSPIN_LOCK Lock;
static LIST_ENTRY Waiting;
static volatile LONG Queued, Cancelled;
static NTSTATUS FinalStatus;
static volatile LONG CancelAsks; /* the cancel routine sends a request of its own */
static KEVENT Asked;
static IO_STATUS_BLOCK AskedIosb;

static PIRP TakeFirst(void)
{
    PIRP Irp = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    if (!IsListEmpty(&Waiting)) {
        Irp = CONTAINING_RECORD(Waiting.Flink, IRP, Tail.Overlay.ListEntry);
        if (IoSetCancelRoutine(Irp, NULL))
            RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        else
            Irp = NULL;
    }
    KeReleaseSpinLock(&Lock, Irql);
    if (Irp)
        InterlockedDecrement(&Queued);
    return Irp;
}

static void Ask(void)
{
    KeInitializeEvent(&Asked, NotificationEvent, FALSE);
    IoCallDriver(Device, IoBuildDeviceIoControlRequest(CODE(Echo, METHOD_BUFFERED), Device, NULL, 0,
                                                       NULL, 0, FALSE, &Asked, &AskedIosb));
}

static VOID NTAPI Cancel(PDEVICE_OBJECT Unused, PIRP Irp)
{
    KIRQL Irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (CancelAsks)
        Ask();
    KeAcquireSpinLock(&Lock, &Irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Lock, Irql);
    InterlockedDecrement(&Queued);
    InterlockedIncrement(&Cancelled);
    IoTestComplete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Keep(PIRP Irp)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    IoMarkIrpPending(Irp);
    InsertTailList(&Waiting, &Irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(Irp, Cancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL)) {
        RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        KeReleaseSpinLock(&Lock, Irql);
        InterlockedIncrement(&Cancelled);
        IoTestComplete(Irp, STATUS_CANCELLED, 0);
        return STATUS_PENDING;
    }
    InterlockedIncrement(&Queued);
    KeReleaseSpinLock(&Lock, Irql);
    return STATUS_PENDING;
}

static PVOID InputOf(PIRP Irp, ULONG Method)
{
    return Method == METHOD_NEITHER
               ? IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.Type3InputBuffer
               : Irp->AssociatedIrp.SystemBuffer;
}

static PVOID OutputOf(PIRP Irp, ULONG Method)
{
    if (Method == METHOD_NEITHER)
        return Irp->UserBuffer;
    if (Method == METHOD_BUFFERED)
        return Irp->AssociatedIrp.SystemBuffer;
    return Irp->MdlAddress ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority)
                           : NULL;
}

static ULONG Copy(PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Method = Location->Parameters.DeviceIoControl.IoControlCode & 3;
    ULONG Bytes = min(Location->Parameters.DeviceIoControl.InputBufferLength,
                      Location->Parameters.DeviceIoControl.OutputBufferLength);

    if (Method != METHOD_BUFFERED && Bytes)
        memcpy(OutputOf(Irp, Method), InputOf(Irp, Method), Bytes);
    return Bytes;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Unused, PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode >> 2 &
            0xFFF) {
    case Echo:
        return IoTestComplete(Irp, STATUS_SUCCESS, Copy(Irp));
    case Overflow:
        return IoTestComplete(Irp, STATUS_BUFFER_OVERFLOW, Copy(Irp));
    case Fail:
        return IoTestComplete(Irp, STATUS_UNSUCCESSFUL, Copy(Irp));
    case Queue:
        return Keep(Irp);
    case Claim: /* says that it has filled the buffer */
        return IoTestComplete(
            Irp, STATUS_SUCCESS,
            IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength);
    default:
        return IoTestComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS NTAPI Transfer(PDEVICE_OBJECT Unused, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Location->Parameters.Read.Length;
    PUCHAR Bytes = Device->Flags & DO_BUFFERED_IO ? Irp->AssociatedIrp.SystemBuffer
                   : Device->Flags & DO_DIRECT_IO
                       ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority)
                       : Irp->UserBuffer;

    if (Location->MajorFunction == IRP_MJ_READ)
        memset(Bytes, (int)Location->Parameters.Read.ByteOffset.LowPart, Length);
    else
        FinalStatus = Bytes[0];
    return IoTestComplete(Irp, STATUS_SUCCESS, Length);
}

static ULONG QueryLength;

static NTSTATUS NTAPI Query(PDEVICE_OBJECT Unused, PIRP Irp)
{
    QueryLength = IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryFile.Length;
    return IoTestComplete(Irp, STATUS_SUCCESS, QueryLength);
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Unused, PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Driver->DeviceObject);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    Driver->DriverUnload = Unload;
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->MajorFunction[IRP_MJ_READ] = Driver->MajorFunction[IRP_MJ_WRITE] = Transfer;
    Driver->MajorFunction[IRP_MJ_QUERY_INFORMATION] =
        Driver->MajorFunction[IRP_MJ_QUERY_VOLUME_INFORMATION] = Query;
    Device = IoTestDevice(Driver, L"\\Device\\Request", 0);
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Waiting);
    Queued = Cancelled = 0;
    return STATUS_SUCCESS;
}

static int Setup(void **State)
{
    IoTestLoad(L"Request", Entry);
    return 0;
}

static int Teardown(void **State)
{
    assert_int_equal(IoTestUnload(L"Request"), STATUS_SUCCESS);
    assert_false(IoTestExists(L"\\Driver\\Request"));
    return 0;
}

static void AllFourMethodsMoveTheData(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    char In[5000], Out[5000];
    ULONG_PTR Information;

    for (ULONG Method = 0; Method < 4; Method++) {
        memset(In, 'a' + (int)Method, sizeof(In));
        memset(Out, 0, sizeof(Out));
        assert_int_equal(
            IoTestControl(File, CODE(Echo, Method), In, sizeof(In), Out, sizeof(Out), &Information),
            STATUS_SUCCESS);
        assert_int_equal(Information, sizeof(Out));
        if (Method != METHOD_IN_DIRECT) /* there the output buffer is locked for reading */
            assert_memory_equal(In, Out, sizeof(In));
        assert_int_equal(IoTestControl(File, CODE(Echo, Method), NULL, 0, NULL, 0, &Information),
                         STATUS_SUCCESS);
        assert_int_equal(Information, 0);
    }
    IoTestClose(File);
}

static void OutputIsCopiedForAWarningAndNotForAnError(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    char In[8] = "data", Out[8] = "keep";
    IO_STATUS_BLOCK Iosb = {.Information = 77};

    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb,
                                           CODE(Fail, METHOD_BUFFERED), In, 8, Out, 8),
                     STATUS_UNSUCCESSFUL);
    assert_string_equal(Out, "keep");
    assert_int_equal(Iosb.Information, 77);
    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb,
                                           CODE(Overflow, METHOD_BUFFERED), In, 8, Out, 8),
                     STATUS_BUFFER_OVERFLOW);
    assert_string_equal(Out, "data");
    assert_int_equal(Iosb.Information, 8);
    IoTestClose(File);
}

static void ReadsAndWritesUseTheDevicesMethod(void **State)
{
    static const ULONG Methods[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    LARGE_INTEGER Offset = {.QuadPart = 9};
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[300];

    for (ULONG I = 0; I < 3; I++) {
        Device->Flags = (Device->Flags & ~(DO_BUFFERED_IO | DO_DIRECT_IO)) | Methods[I];
        assert_int_equal(
            NtReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), &Offset, NULL),
            STATUS_SUCCESS);
        assert_int_equal(Iosb.Information, sizeof(Buffer));
        assert_int_equal(Buffer[0], 9);
        assert_int_equal(Buffer[299], 9);
        Buffer[0] = 42;
        assert_int_equal(
            NtWriteFile(File, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), &Offset, NULL),
            STATUS_SUCCESS);
        assert_int_equal(FinalStatus, 42);
    }
    IoTestClose(File);
}

static void OffsetsFollowTheKindOfFile(void **State)
{
    HANDLE Synchronous = IoTestOpenSynchronous(L"\\Device\\Request"),
           Asynchronous = IoTestOpenAsynchronous(L"\\Device\\Request");
    FILE_POSITION_INFORMATION Position = {.CurrentByteOffset.QuadPart = 5};
    LARGE_INTEGER Negative = {.QuadPart = -7};
    IO_STATUS_BLOCK Iosb;
    UCHAR Byte = 0;

    Device->Flags |= DO_BUFFERED_IO;
    assert_int_equal(NtSetInformationFile(Synchronous, &Iosb, &Position, sizeof(Position),
                                          FilePositionInformation),
                     STATUS_SUCCESS);
    assert_int_equal(NtReadFile(Synchronous, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(Byte, 5);
    assert_int_equal(NtReadFile(Asynchronous, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(NtReadFile(Asynchronous, NULL, NULL, NULL, &Iosb, &Byte, 1, &Negative, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(NtSetInformationFile(Asynchronous, &Iosb, &Position, sizeof(Position),
                                          FilePositionInformation),
                     STATUS_INVALID_PARAMETER);
    IoTestClose(Synchronous);
    IoTestClose(Asynchronous);
}

static void TheHandleMustAllowReadingAndWriting(void **State)
{
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    char Byte = 0;

    assert_int_equal(IoTestOpen(L"\\Device\\Request", FILE_READ_DATA | SYNCHRONIZE,
                                FILE_SYNCHRONOUS_IO_NONALERT, &File),
                     STATUS_SUCCESS);
    assert_int_equal(NtWriteFile(File, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL),
                     STATUS_ACCESS_DENIED);
    IoTestClose(File);
    assert_int_equal(IoTestOpen(L"\\Device\\Request", FILE_WRITE_DATA | SYNCHRONIZE,
                                FILE_SYNCHRONOUS_IO_NONALERT, &File),
                     STATUS_SUCCESS);
    assert_int_equal(NtReadFile(File, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL),
                     STATUS_ACCESS_DENIED);
    IoTestClose(File);
}

static void CompleteFirst(PVOID Unused)
{
    PIRP Irp;

    IoTestUntil(&Queued, 1);
    while (!(Irp = TakeFirst()))
        continue;
    memcpy(Irp->AssociatedIrp.SystemBuffer, "late", 5);
    IoTestComplete(Irp, STATUS_SUCCESS, 5);
}

static void ASynchronousFileWaitsForAPendingRequest(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    IO_TEST_THREAD Thread;
    char Out[8] = "";
    ULONG_PTR Information;

    IoTestStart(&Thread, CompleteFirst, NULL);
    assert_int_equal(
        IoTestControl(File, CODE(Queue, METHOD_BUFFERED), NULL, 0, Out, sizeof(Out), &Information),
        STATUS_SUCCESS);
    assert_string_equal(Out, "late");
    assert_int_equal(Information, 5);
    IoTestJoin(&Thread);
    IoTestClose(File);
}

static void AnAsynchronousRequestSignalsItsEvent(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request"), Event = IoTestEvent();
    IO_STATUS_BLOCK Iosb = {.Status = -2};
    IO_TEST_THREAD Thread;
    char Out[8] = "";

    assert_int_equal(NtDeviceIoControlFile(File, Event, NULL, NULL, &Iosb,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, Out, sizeof(Out)),
                     STATUS_PENDING);
    assert_int_equal(Iosb.Status, -2);
    IoTestStart(&Thread, CompleteFirst, NULL);
    assert_int_equal(IoTestWaitHandle(Event), STATUS_SUCCESS);
    assert_int_equal(Iosb.Status, STATUS_SUCCESS);
    assert_int_equal(Iosb.Information, 5);
    assert_string_equal(Out, "late");
    IoTestJoin(&Thread);
    IoTestClose(Event);
    IoTestClose(File);
}

static void WithoutAnEventTheFileIsSignalled(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    IO_STATUS_BLOCK Iosb = {.Status = -2};
    IO_TEST_THREAD Thread;
    char Out[8] = "";

    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, Out, sizeof(Out)),
                     STATUS_PENDING);
    IoTestStart(&Thread, CompleteFirst, NULL);
    assert_int_equal(IoTestWaitHandle(File), STATUS_SUCCESS);
    assert_int_equal(Iosb.Information, 5);
    IoTestJoin(&Thread);
    IoTestClose(File);
}

static void AnAsynchronousRequestMayEndAtOnce(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request"), Event = IoTestEvent();
    IO_STATUS_BLOCK Iosb = {.Status = -2};
    char In[8] = "now", Out[8] = "";

    assert_int_equal(NtDeviceIoControlFile(File, Event, NULL, NULL, &Iosb,
                                           CODE(Echo, METHOD_BUFFERED), In, 8, Out, 8),
                     STATUS_SUCCESS);
    assert_string_equal(Out, "now");
    assert_int_equal(Iosb.Information, 8);
    assert_int_equal(IoTestWaitHandle(Event), STATUS_SUCCESS);
    Iosb.Status = -2;
    assert_int_equal(NtDeviceIoControlFile(File, Event, NULL, NULL, &Iosb,
                                           CODE(Fail, METHOD_BUFFERED), In, 8, Out, 8),
                     STATUS_UNSUCCESSFUL);
    assert_int_equal(Iosb.Status, -2); /* a failure that the service returns is told by it alone */
    IoTestClose(Event);
    IoTestClose(File);
}

static void NTAPI Apc(PVOID Context, PIO_STATUS_BLOCK Iosb, ULONG Reserved)
{
}

static void AUserApcCarriesContextAndStatusBlock(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    LARGE_INTEGER Second = {.QuadPart = -IOP_SECOND};
    IO_STATUS_BLOCK Iosb;
    KI_USER_APC Taken;
    char In[8] = "apc", Out[8];

    assert_int_equal(NtDeviceIoControlFile(File, NULL, Apc, &Second, &Iosb,
                                           CODE(Echo, METHOD_BUFFERED), In, 8, Out, 8),
                     STATUS_SUCCESS);
    assert_int_equal(KeDelayExecutionThread(UserMode, TRUE, &Second), STATUS_USER_APC);
    assert_true(KeTakeUserApc(&Taken));
    assert_ptr_equal(Taken.Routine, Apc);
    assert_ptr_equal(Taken.Context, &Second);
    assert_ptr_equal(Taken.Argument1, &Iosb);
    IoTestClose(File);
}

static void OutputThatADriverDoesNotFillIsNobodysData(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    static char Secret[5000], Out[5000];

    memset(Secret, 'S', sizeof(Secret));
    for (ULONG Bytes = 8; Bytes <= sizeof(Out); Bytes = Bytes * 5 / 2) {
        memset(Out, 0, sizeof(Out));
        assert_int_equal(
            IoTestControl(File, CODE(Echo, METHOD_BUFFERED), Secret, Bytes, Out, Bytes, NULL),
            STATUS_SUCCESS);
        assert_int_equal(
            IoTestControl(File, CODE(Claim, METHOD_BUFFERED), "four", 4, Out, Bytes, NULL),
            STATUS_SUCCESS);
        assert_memory_equal(Out, "four", 4);
        for (ULONG i = 4; i < Bytes; i++)
            assert_int_equal((UCHAR)Out[i], 0xBD);
    }
    IoTestClose(File);
}

static void AQueryIsForAtMostSixteenMebibytes(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    ULONG Most = 16 << 20, Length = Most + 4096;
    char *Buffer = malloc(Length);
    IO_STATUS_BLOCK Iosb;

    Buffer[Most] = 'x';
    assert_int_equal(NtQueryInformationFile(File, &Iosb, Buffer, Length, FileAllInformation),
                     STATUS_SUCCESS);
    assert_int_equal(QueryLength, Most);
    assert_int_equal(Iosb.Information, Most);
    assert_int_equal(
        NtQueryVolumeInformationFile(File, &Iosb, Buffer, Length, FileFsVolumeInformation),
        STATUS_SUCCESS);
    assert_int_equal(QueryLength, Most);
    for (ULONG i = 0; i < Most; i++) /* what the driver did not fill */
        assert_int_equal(Buffer[i], 0);
    assert_int_equal(Buffer[Most], 'x');
    assert_int_equal(NtQueryInformationFile(File, &Iosb, Buffer, Most - 1, FileAllInformation),
                     STATUS_SUCCESS);
    assert_int_equal(QueryLength, Most - 1);
    free(Buffer);
    IoTestClose(File);
}

static void CancelIoEndsTheThreadsRequests(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request"), Event = IoTestEvent();
    IO_STATUS_BLOCK Iosb = {.Status = -2}, Cancelling;

    assert_int_equal(NtDeviceIoControlFile(File, Event, NULL, NULL, &Iosb,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0),
                     STATUS_PENDING);
    assert_int_equal(NtCancelIoFile(File, &Cancelling), STATUS_SUCCESS);
    assert_int_equal(Iosb.Status, STATUS_CANCELLED);
    assert_int_equal(Cancelled, 1);
    assert_int_equal(IoTestWaitHandle(Event), STATUS_SUCCESS);
    IoTestClose(Event);
    IoTestClose(File);
}

static void ACancelRoutineMaySendARequest(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    IO_STATUS_BLOCK Iosb = {.Status = -2}, Cancelling;

    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0),
                     STATUS_PENDING);
    CancelAsks = 1;
    assert_int_equal(NtCancelIoFile(File, &Cancelling), STATUS_SUCCESS);
    CancelAsks = 0;
    assert_int_equal(Iosb.Status, STATUS_CANCELLED);
    assert_int_equal(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(AskedIosb.Status, STATUS_SUCCESS);
    IoTestClose(File);
}

static void CancelIoExPicksOneRequest(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    IO_STATUS_BLOCK First = {.Status = -2}, Second = {.Status = -2}, Cancelling;

    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &First,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0),
                     STATUS_PENDING);
    assert_int_equal(NtDeviceIoControlFile(File, NULL, NULL, NULL, &Second,
                                           CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0),
                     STATUS_PENDING);
    assert_int_equal(NtCancelIoFileEx(File, &Second, &Cancelling), STATUS_SUCCESS);
    assert_int_equal(First.Status, -2);
    assert_int_equal(Second.Status, STATUS_CANCELLED);
    assert_int_equal(NtCancelIoFileEx(File, NULL, &Cancelling), STATUS_SUCCESS);
    assert_int_equal(First.Status, STATUS_CANCELLED);
    assert_int_equal(NtCancelIoFileEx(File, NULL, &Cancelling), STATUS_NOT_FOUND);
    IoTestClose(File);
}

typedef struct WAITER {
    IO_TEST_THREAD Thread;
    NTSTATUS Status;
} WAITER;

static void WaitOnSynchronousFile(PVOID Argument)
{
    WAITER *Waiter = Argument;
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");

    Waiter->Status = IoTestControl(File, CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0, NULL);
    IoTestClose(File);
}

static void CancelSynchronousIoEndsAnotherThreadsWait(void **State)
{
    IO_STATUS_BLOCK Iosb;
    WAITER Waiter;

    IoTestStart(&Waiter.Thread, WaitOnSynchronousFile, &Waiter);
    IoTestUntil(&Queued, 1);
    assert_int_equal(IopCancelSynchronous(Waiter.Thread.Thread, NULL, &Iosb), STATUS_SUCCESS);
    IoTestJoin(&Waiter.Thread);
    assert_int_equal(Waiter.Status, STATUS_CANCELLED);
}

static void ATerminatedThreadsWaitIsCancelled(void **State)
{
    WAITER Waiter;

    IoTestStart(&Waiter.Thread, WaitOnSynchronousFile, &Waiter);
    IoTestUntil(&Queued, 1);
    PsTerminateThread_(Waiter.Thread.Thread, STATUS_UNSUCCESSFUL);
    IoTestJoin(&Waiter.Thread);
    assert_int_equal(Waiter.Status, STATUS_CANCELLED);
}

static void LeaveAsynchronousRequests(PVOID Argument)
{
    static IO_STATUS_BLOCK Iosb[3];

    for (ULONG I = 0; I < 3; I++)
        NtDeviceIoControlFile(*(HANDLE *)Argument, NULL, NULL, NULL, &Iosb[I],
                              CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0);
}

static void TheEndOfAThreadCancelsItsRequests(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    IO_TEST_THREAD Thread;

    IoTestStart(&Thread, LeaveAsynchronousRequests, &File);
    IoTestJoin(&Thread);
    assert_int_equal(Cancelled, 3);
    IoTestClose(File);
}

static void KeepWithoutCancelRoutine(PVOID Argument)
{
    static IO_STATUS_BLOCK Iosb;

    NtDeviceIoControlFile(*(HANDLE *)Argument, NULL, NULL, NULL, &Iosb,
                          CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0);
    IoSetCancelRoutine(CONTAINING_RECORD(Waiting.Flink, IRP, Tail.Overlay.ListEntry), NULL);
}

static void ARequestThatIsNeverCompletedIsLeftToItsDriver(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request");
    IO_TEST_THREAD Thread;
    PIRP Irp;

    IopState.ReportAfter = IOP_SECOND / 100;
    IopState.AbandonAfter = IOP_SECOND / 20;
    IoTestStart(&Thread, KeepWithoutCancelRoutine, &File);
    IoTestJoin(&Thread);
    assert_int_equal(IopState.Abandoned, 1);
    Irp = CONTAINING_RECORD(RemoveHeadList(&Waiting), IRP, Tail.Overlay.ListEntry);
    assert_true(Irp->Cancel);
    IoTestComplete(Irp, STATUS_CANCELLED, 0);
    assert_int_equal(IopState.Abandoned, 0);
    IopState.ReportAfter = 5 * IOP_SECOND;
    IopState.AbandonAfter = 300 * IOP_SECOND;
    IoTestClose(File);
}

static volatile LONG Stop;

static void CompleteAsTheyCome(PVOID Unused)
{
    PIRP Irp;

    while (!__atomic_load_n(&Stop, __ATOMIC_ACQUIRE)) {
        if ((Irp = TakeFirst()))
            IoTestComplete(Irp, STATUS_SUCCESS, 0);
    }
}

static void CancelAndCompletionRaceToOneEnd(void **State)
{
    HANDLE File = IoTestOpenAsynchronous(L"\\Device\\Request"), Event = IoTestEvent();
    IO_TEST_THREAD Thread;
    IO_STATUS_BLOCK Cancelling;
    ULONG Ends[2] = {0, 0};

    Stop = 0;
    IoTestStart(&Thread, CompleteAsTheyCome, NULL);
    for (ULONG I = 0; I < 2000; I++) {
        IO_STATUS_BLOCK Iosb = {.Status = -2};
        NTSTATUS Status = NtDeviceIoControlFile(File, Event, NULL, NULL, &Iosb,
                                                CODE(Queue, METHOD_BUFFERED), NULL, 0, NULL, 0);

        assert_int_equal(Status, STATUS_PENDING);
        NtCancelIoFileEx(File, &Iosb, &Cancelling);
        assert_int_equal(IoTestWaitHandle(Event), STATUS_SUCCESS);
        assert_true(Iosb.Status == STATUS_SUCCESS || Iosb.Status == STATUS_CANCELLED);
        Ends[Iosb.Status == STATUS_SUCCESS]++;
    }
    __atomic_store_n(&Stop, 1, __ATOMIC_RELEASE);
    IoTestJoin(&Thread);
    assert_int_equal(Ends[0] + Ends[1], 2000);
    assert_int_equal(Queued, 0);
    IoTestClose(Event);
    IoTestClose(File);
}

static void SendMany(PVOID Argument)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    char In[64] = "x", Out[64];

    for (ULONG I = 0; I < 3000; I++) {
        if (IoTestControl(File, CODE(Echo, I % 4), In, sizeof(In), Out, sizeof(Out), NULL) !=
            STATUS_SUCCESS)
            InterlockedIncrement(Argument);
    }
    IoTestClose(File);
}

static void ManyThreadsSendAtTheSameTime(void **State)
{
    IO_TEST_THREAD Threads[4];
    volatile LONG Failures = 0;

    for (ULONG I = 0; I < 4; I++)
        IoTestStart(&Threads[I], SendMany, (PVOID)&Failures);
    for (ULONG I = 0; I < 4; I++)
        IoTestJoin(&Threads[I]);
    assert_int_equal(Failures, 0);
}

static HANDLE Shared;

static void SendOnShared(PVOID Argument)
{
    char In[8] = "x", Out[8];

    for (ULONG I = 0; I < 1000; I++) {
        if (IoTestControl(Shared, CODE(Echo, METHOD_BUFFERED), In, sizeof(In), Out, sizeof(Out),
                          NULL) != STATUS_SUCCESS)
            InterlockedIncrement(Argument);
    }
}

static void ASynchronousFileIsUsedByOneThreadAtATime(void **State)
{
    IO_TEST_THREAD Threads[4];
    volatile LONG Failures = 0;

    Shared = IoTestOpenSynchronous(L"\\Device\\Request");
    for (ULONG I = 0; I < 4; I++)
        IoTestStart(&Threads[I], SendOnShared, (PVOID)&Failures);
    for (ULONG I = 0; I < 4; I++)
        IoTestJoin(&Threads[I]);
    assert_int_equal(Failures, 0);
    IoTestClose(Shared);
}

static void QueriesThatNeedNoDriver(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Request");
    FILE_FS_DEVICE_INFORMATION Kind;
    FILE_ACCESS_INFORMATION Access;
    FILE_MODE_INFORMATION Mode;
    IO_STATUS_BLOCK Iosb;

    assert_int_equal(
        NtQueryVolumeInformationFile(File, &Iosb, &Kind, sizeof(Kind), FileFsDeviceInformation),
        STATUS_SUCCESS);
    assert_int_equal(Kind.DeviceType, FILE_DEVICE_UNKNOWN);
    assert_int_equal(
        NtQueryInformationFile(File, &Iosb, &Access, sizeof(Access), FileAccessInformation),
        STATUS_SUCCESS);
    assert_int_equal(Access.AccessFlags & FILE_READ_DATA, FILE_READ_DATA);
    assert_int_equal(NtQueryInformationFile(File, &Iosb, &Mode, sizeof(Mode), FileModeInformation),
                     STATUS_SUCCESS);
    assert_int_equal(Mode.Mode, FILE_SYNCHRONOUS_IO_NONALERT);
    assert_int_equal(NtQueryInformationFile(File, &Iosb, &Mode, 1, FileModeInformation),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(
        NtQueryInformationFile(File, &Iosb, &Mode, sizeof(Mode), (FILE_INFORMATION_CLASS)999),
        STATUS_INVALID_INFO_CLASS);
    IoTestClose(File);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Setup, Teardown)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(AllFourMethodsMoveTheData),
        TEST(OutputIsCopiedForAWarningAndNotForAnError),
        TEST(ReadsAndWritesUseTheDevicesMethod),
        TEST(OffsetsFollowTheKindOfFile),
        TEST(TheHandleMustAllowReadingAndWriting),
        TEST(ASynchronousFileWaitsForAPendingRequest),
        TEST(AnAsynchronousRequestSignalsItsEvent),
        TEST(WithoutAnEventTheFileIsSignalled),
        TEST(AnAsynchronousRequestMayEndAtOnce),
        TEST(AUserApcCarriesContextAndStatusBlock),
        TEST(OutputThatADriverDoesNotFillIsNobodysData),
        TEST(AQueryIsForAtMostSixteenMebibytes),
        TEST(CancelIoEndsTheThreadsRequests),
        TEST(ACancelRoutineMaySendARequest),
        TEST(CancelIoExPicksOneRequest),
        TEST(CancelSynchronousIoEndsAnotherThreadsWait),
        TEST(ATerminatedThreadsWaitIsCancelled),
        TEST(TheEndOfAThreadCancelsItsRequests),
        TEST(ARequestThatIsNeverCompletedIsLeftToItsDriver),
        TEST(CancelAndCompletionRaceToOneEnd),
        TEST(ManyThreadsSendAtTheSameTime),
        TEST(ASynchronousFileIsUsedByOneThreadAtATime),
        TEST(QueriesThatNeedNoDriver),
    };
    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
