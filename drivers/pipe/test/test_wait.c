/* Requests that wait, and how their wait ends; waiting for a condition; the ends of a pipe. */
#include "pipe_test.h"

const char *DriverTestLoaded[] = {NT_VARIANT, NULL};

/* An asynchronous request of this thread, on a handle for such. */
typedef struct {
    HANDLE Pipe, Event;
    IO_STATUS_BLOCK Iosb;
    ULONG Condition;
    UCHAR Data[8192];
} PENDING;

static PENDING One, Two;
static LARGE_INTEGER Start; /* an asynchronous handle has no position of its own */

static HANDLE overlapped(const char *Name, ACCESS_MASK Access)
{
    WCHAR Path[100];
    UNICODE_STRING String;
    IO_STATUS_BLOCK Iosb;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Pipe;

    _snwprintf(Path, 100, L"\\??\\%S\\%S", DEVICE, Name);
    Attributes = NtTestName(&String, Path);
    assert_ok(
        SYS(NtCreateFile, &Pipe, Access, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN, 0, NULL, 0));
    return Pipe;
}

static void prepare(PENDING *Request, const char *Name, ACCESS_MASK Access)
{
    memset(Request, 0, sizeof(*Request));
    Request->Pipe = overlapped(Name, Access);
    assert_ok(
        SYS(NtCreateEvent, &Request->Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE));
}

static NTSTATUS begin_read(PENDING *Request, ULONG Length)
{
    return SYS(NtReadFile, Request->Pipe, Request->Event, NULL, NULL, &Request->Iosb, Request->Data,
               Length, &Start, NULL);
}

static NTSTATUS begin_write(PENDING *Request, ULONG Length)
{
    return SYS(NtWriteFile, Request->Pipe, Request->Event, NULL, NULL, &Request->Iosb,
               Request->Data, Length, &Start, NULL);
}

static NTSTATUS begin_watch(PENDING *Request, ULONG Conditions)
{
    Request->Condition = Conditions;
    return SYS(NtDeviceIoControlFile, Request->Pipe, Request->Event, NULL, NULL, &Request->Iosb,
               IOCTL_EXAMPLE_WAIT, &Request->Condition, sizeof(ULONG), &Request->Condition,
               sizeof(ULONG));
}

static NTSTATUS ended(PENDING *Request)
{
    assert_ok(SYS(NtWaitForSingleObject, Request->Event, FALSE, NULL));
    return Request->Iosb.Status;
}

static BOOLEAN has_ended(PENDING *Request)
{
    LARGE_INTEGER Now = {.QuadPart = 0};

    return SYS(NtWaitForSingleObject, Request->Event, FALSE, &Now) == STATUS_SUCCESS;
}

static void finish(PENDING *Request)
{
    if (Request->Pipe)
        DriverTestClose(Request->Pipe);
    DriverTestClose(Request->Event);
}

/* ---- conditions ------------------------------------------------------------------------------ */

static void who_waits_for_bytes_is_told_when_there_are_some(void **State)
{
    HANDLE Pipe = opened("watch");

    prepare(&One, "watch", GENERIC_READ);
    assert_status(begin_watch(&One, EXAMPLE_READABLE), STATUS_PENDING);
    assert_int_equal(state(Pipe).Watchers, 1);
    assert_false(has_ended(&One));
    assert_ok(DriverTestWrite(Pipe, "x", 1));
    assert_ok(ended(&One));
    assert_int_equal(One.Iosb.Information, sizeof(ULONG));
    assert_int_equal(One.Condition, EXAMPLE_READABLE | EXAMPLE_WRITABLE | EXAMPLE_HAS_READERS |
                                        EXAMPLE_HAS_WRITERS);
    assert_int_equal(state(Pipe).Watchers, 0);
    finish(&One);
    DriverTestClose(Pipe);
}

static void who_waits_for_room_is_told_when_there_is_some(void **State)
{
    static UCHAR Block[EXAMPLE_CAPACITY];
    HANDLE Pipe = opened("watch");

    prepare(&One, "watch", GENERIC_WRITE);
    assert_ok(DriverTestWrite(Pipe, Block, sizeof(Block)));
    assert_status(begin_watch(&One, EXAMPLE_WRITABLE), STATUS_PENDING);
    assert_ok(DriverTestRead(Pipe, Block, 1));
    assert_ok(ended(&One));
    assert_true(One.Condition & EXAMPLE_WRITABLE);
    finish(&One);
    DriverTestClose(Pipe);
}

static void a_condition_that_holds_is_told_at_once(void **State)
{
    HANDLE Pipe = opened("watch");

    prepare(&One, "watch", GENERIC_WRITE);
    assert_ok(begin_watch(&One, EXAMPLE_WRITABLE | EXAMPLE_READABLE));
    assert_int_equal(One.Condition, EXAMPLE_WRITABLE | EXAMPLE_DRAINED | EXAMPLE_HAS_READERS |
                                        EXAMPLE_HAS_WRITERS);
    finish(&One);
    DriverTestClose(Pipe);
}

static void draining_and_discarding_are_told(void **State)
{
    HANDLE Pipe = opened("watch");
    UCHAR Byte;

    prepare(&One, "watch", GENERIC_WRITE);
    assert_ok(DriverTestWrite(Pipe, "x", 1));
    assert_status(begin_watch(&One, EXAMPLE_DRAINED), STATUS_PENDING);
    assert_ok(DriverTestRead(Pipe, &Byte, 1));
    assert_ok(ended(&One));
    assert_ok(DriverTestWrite(Pipe, "x", 1));
    assert_status(begin_watch(&One, EXAMPLE_DRAINED), STATUS_PENDING);
    assert_ok(DriverTestControl(Pipe, IOCTL_EXAMPLE_DISCARD, NULL, 0, NULL, 0));
    assert_ok(ended(&One));
    finish(&One);
    DriverTestClose(Pipe);
}

static void coming_and_going_are_told(void **State)
{
    HANDLE Reader;

    prepare(&One, "watch", GENERIC_WRITE);
    assert_status(begin_watch(&One, EXAMPLE_NO_READERS), STATUS_PENDING); /* there were none yet */
    prepare(&Two, "watch", GENERIC_WRITE);
    assert_status(begin_watch(&Two, EXAMPLE_HAS_READERS), STATUS_PENDING);
    Reader = pipe_opened("watch", GENERIC_READ);
    assert_ok(ended(&Two));
    assert_true(Two.Condition & EXAMPLE_HAS_READERS);
    assert_false(has_ended(&One));
    DriverTestClose(Reader);
    assert_ok(ended(&One));
    assert_true(One.Condition & EXAMPLE_NO_READERS);
    finish(&One);
    finish(&Two);
}

static void a_wait_for_nothing_is_refused(void **State)
{
    HANDLE Pipe = opened("watch");
    ULONG None = 0, Unknown = 128;

    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_WAIT, &None, 4, &None, 4),
                  STATUS_INVALID_PARAMETER);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_WAIT, &Unknown, 4, &Unknown, 4),
                  STATUS_INVALID_PARAMETER);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_WAIT, &None, 3, &None, 4),
                  STATUS_BUFFER_TOO_SMALL);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_WAIT, &None, 4, &None, 3),
                  STATUS_BUFFER_TOO_SMALL);
    DriverTestClose(Pipe);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void a_read_ends_when_the_last_writer_has_gone(void **State)
{
    HANDLE Writer, Another;

    prepare(&One, "ends", GENERIC_READ);
    assert_ok(set(One.Pipe, 0, EXAMPLE_KEEP, EXAMPLE_EMPTY_WAIT, EXAMPLE_KEEP));
    assert_status(begin_read(&One, 10), STATUS_PENDING); /* nobody has come yet */
    Writer = pipe_opened("ends", GENERIC_WRITE);
    Another = pipe_opened("ends", GENERIC_WRITE);
    DriverTestClose(Writer);
    assert_false(has_ended(&One));
    DriverTestClose(Another);
    assert_status(ended(&One), STATUS_PIPE_BROKEN);
    assert_status(begin_read(&One, 10), STATUS_PIPE_BROKEN);
    Writer = pipe_opened("ends", GENERIC_WRITE); /* another one may come */
    assert_status(begin_read(&One, 10), STATUS_PENDING);
    assert_ok(DriverTestWrite(Writer, "again", 5));
    assert_ok(ended(&One));
    DriverTestClose(Writer);
    finish(&One);
}

static void what_a_writer_left_is_read_before_the_end(void **State)
{
    HANDLE Writer = pipe_opened("ends", GENERIC_WRITE);

    prepare(&One, "ends", GENERIC_READ);
    assert_ok(set(One.Pipe, 0, EXAMPLE_KEEP, EXAMPLE_EMPTY_WAIT, EXAMPLE_KEEP));
    assert_ok(DriverTestWrite(Writer, "rest", 4));
    DriverTestClose(Writer);
    assert_ok(begin_read(&One, 3));
    assert_ok(begin_read(&One, 3));
    assert_int_equal(One.Iosb.Information, 1);
    assert_status(begin_read(&One, 3), STATUS_PIPE_BROKEN);
    finish(&One);
}

static void a_write_ends_when_the_last_reader_has_gone(void **State)
{
    HANDLE Reader;

    prepare(&One, "ends", GENERIC_WRITE);
    assert_ok(set(One.Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_KEEP, EXAMPLE_KEEP));
    Reader = pipe_opened("ends", GENERIC_READ);
    assert_status(begin_write(&One, 25), STATUS_PENDING);
    DriverTestClose(Reader);
    assert_ok(ended(&One)); /* of what went in */
    assert_int_equal(One.Iosb.Information, 10);
    assert_status(begin_write(&One, 1), STATUS_PIPE_BROKEN);
    finish(&One);
}

static void every_writer_in_the_queue_learns_of_the_end(void **State)
{
    HANDLE Reader = pipe_opened("ends", GENERIC_READ);

    prepare(&One, "ends", GENERIC_WRITE);
    prepare(&Two, "ends", GENERIC_WRITE);
    assert_ok(set(One.Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_KEEP, EXAMPLE_MESSAGES));
    assert_ok(begin_write(&One, 6));
    assert_status(begin_write(&One, 6), STATUS_PENDING);
    assert_status(begin_write(&Two, 1), STATUS_PENDING);
    DriverTestClose(Reader);
    assert_status(ended(&One), STATUS_PIPE_BROKEN);
    assert_status(ended(&Two), STATUS_PIPE_BROKEN);
    finish(&One);
    finish(&Two);
}

static void without_waiting_nobody_is_missed(void **State)
{
    HANDLE Writer = pipe_opened("ends", GENERIC_WRITE), Reader = pipe_opened("ends", GENERIC_READ);
    UCHAR Byte;

    DriverTestClose(Reader);
    assert_ok(DriverTestWrite(Writer, "x", 1));
    Reader = pipe_opened("ends", GENERIC_READ);
    DriverTestClose(Writer);
    assert_ok(DriverTestRead(Reader, &Byte, 1));
    assert_status(DriverTestRead(Reader, &Byte, 1), STATUS_BUFFER_TOO_SMALL);
    DriverTestClose(Reader);
}

static void the_state_tells_readers_from_writers(void **State)
{
    HANDLE Writer = pipe_opened("ends", GENERIC_WRITE), Reader = pipe_opened("ends", GENERIC_READ),
           Both = opened("ends"), Neither;
    EXAMPLE_STATE Now;

    assert_ok(pipe_open("ends", FILE_READ_ATTRIBUTES, &Neither));
    Now = state(Writer);
    assert_int_equal(Now.Handles, 4);
    assert_int_equal(Now.Readers, 2);
    assert_int_equal(Now.Writers, 2);
    DriverTestClose(Both);
    Now = state(Reader);
    assert_int_equal(Now.Readers, 1);
    assert_int_equal(Now.Writers, 1);
    assert_status(DriverTestControl(Neither, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0, &Now, sizeof(Now)),
                  STATUS_ACCESS_DENIED);
    DriverTestClose(Neither);
    DriverTestClose(Writer);
    DriverTestClose(Reader);
}

/* ---- how a wait ends ------------------------------------------------------------------------- */

static void begin_both(void)
{
    assert_status(begin_read(&One, 100), STATUS_PENDING);
    assert_status(begin_watch(&Two, EXAMPLE_READABLE), STATUS_PENDING);
}

static HANDLE both_wait(void)
{
    HANDLE Pipe = opened("way");

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    prepare(&One, "way", GENERIC_READ);
    prepare(&Two, "way", GENERIC_READ);
    begin_both();
    return Pipe;
}

static void nobody_waits(HANDLE Pipe)
{
    EXAMPLE_STATE Now = state(Pipe);

    assert_int_equal(Now.WaitingReaders + Now.WaitingWriters + Now.Watchers, 0);
    DriverTestClose(Pipe);
}

static void closing_the_handle_ends_it(void **State)
{
    HANDLE Pipe = both_wait();

    DriverTestClose(One.Pipe);
    DriverTestClose(Two.Pipe);
    One.Pipe = Two.Pipe = NULL;
    assert_status(ended(&One), STATUS_CANCELLED);
    assert_status(ended(&Two), STATUS_CANCELLED);
    finish(&One);
    finish(&Two);
    nobody_waits(Pipe);
}

static void cancelling_one_request_ends_it(void **State)
{
    HANDLE Pipe = both_wait();
    IO_STATUS_BLOCK Iosb;

    assert_ok(SYS(NtCancelIoFileEx, One.Pipe, &One.Iosb, &Iosb));
    assert_ok(SYS(NtCancelIoFileEx, Two.Pipe, &Two.Iosb, &Iosb));
    assert_status(ended(&One), STATUS_CANCELLED);
    assert_status(ended(&Two), STATUS_CANCELLED);
    assert_status(SYS(NtCancelIoFileEx, One.Pipe, &One.Iosb, &Iosb), STATUS_NOT_FOUND);
    finish(&One);
    finish(&Two);
    nobody_waits(Pipe);
}

static void cancelling_all_of_the_thread_ends_it(void **State)
{
    HANDLE Pipe = both_wait();
    IO_STATUS_BLOCK Iosb;

    assert_ok(SYS(NtCancelIoFile, One.Pipe, &Iosb));
    assert_false(has_ended(&Two)); /* another handle */
    assert_ok(SYS(NtCancelIoFile, Two.Pipe, &Iosb));
    assert_status(ended(&One), STATUS_CANCELLED);
    assert_status(ended(&Two), STATUS_CANCELLED);
    finish(&One);
    finish(&Two);
    nobody_waits(Pipe);
}

static void begin_and_leave(void *Context)
{
    begin_both();
}

static void the_end_of_the_thread_ends_it(void **State)
{
    HANDLE Pipe = opened("way");
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    prepare(&One, "way", GENERIC_READ);
    prepare(&Two, "way", GENERIC_READ);
    DriverTestThread(&Thread, begin_and_leave, NULL);
    DriverTestJoin(&Thread);
    assert_status(ended(&One), STATUS_CANCELLED);
    assert_status(ended(&Two), STATUS_CANCELLED);
    finish(&One);
    finish(&Two);
    nobody_waits(Pipe);
}

static void open_wait_and_leave(void *Context)
{
    prepare(&One, "way", GENERIC_READ);
    prepare(&Two, "way", GENERIC_READ);
    begin_both();
}

static void the_end_of_the_process_ends_it(void **State)
{
    HANDLE Pipe = opened("way");

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    DriverTestElsewhere(open_wait_and_leave, NULL);
    nobody_waits(Pipe);
}

static void requests_of_one_handle_are_served_in_order(void **State)
{
    HANDLE Pipe = opened("order");

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    prepare(&One, "order", GENERIC_READ);
    prepare(&Two, "order", GENERIC_READ);
    assert_status(begin_read(&One, 3), STATUS_PENDING);
    assert_status(begin_read(&Two, 3), STATUS_PENDING);
    assert_ok(DriverTestWrite(Pipe, "firstsecond", 6));
    assert_ok(ended(&One));
    assert_ok(ended(&Two));
    assert_memory_equal(One.Data, "fir", 3);
    assert_memory_equal(Two.Data, "sts", 3);
    finish(&One);
    finish(&Two);
    DriverTestClose(Pipe);
}

/* Waiting readers, writers and watchers stay; only what they wait by may not change. */
static void a_mode_changes_around_those_who_wait(void **State)
{
    HANDLE Pipe = both_wait();

    assert_ok(set(Pipe, 10, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP));
    assert_ok(set(Pipe, 0, EXAMPLE_FULL_OVERWRITE, EXAMPLE_EMPTY_WAIT, EXAMPLE_CLEAR_STATUS));
    assert_status(set(Pipe, 0, EXAMPLE_KEEP, EXAMPLE_EMPTY_FAIL, 0), STATUS_INVALID_DEVICE_STATE);
    assert_status(set(Pipe, 11, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP),
                  STATUS_INVALID_DEVICE_STATE);
    assert_status(set(Pipe, 0, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_MESSAGES),
                  STATUS_INVALID_DEVICE_STATE);
    assert_ok(DriverTestWrite(Pipe, "x", 1));
    assert_ok(ended(&One));
    finish(&One);
    finish(&Two);
    nobody_waits(Pipe);
}

/* A reader and a canceller at the same time: each read is either whole or cancelled, never both. */
static void keep_cancelling(void *Context)
{
    IO_STATUS_BLOCK Iosb;

    while (!InterlockedCompareExchange(Context, 0, 0))
        SYS(NtCancelIoFileEx, One.Pipe, NULL, &Iosb);
}

static NTSTATUS NTAPI note_end(PDEVICE_OBJECT Device, PIRP Irp, PVOID Event)
{
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP driver_read(PFILE_OBJECT File, PVOID Buffer, PKEVENT Ended)
{
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, IoGetRelatedDeviceObject(File), Buffer, 4,
                                             &Start, NULL);

    assert_non_null(Irp);
    IoGetNextIrpStackLocation(Irp)->FileObject = File;
    KeInitializeEvent(Ended, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Irp, note_end, Ended, TRUE, TRUE, TRUE);
    return Irp;
}

/* Whoever keeps an IRP frees what hangs on it. */
static void free_read(PIRP Irp)
{
    if (Irp->MdlAddress) {
        MmUnlockPages(Irp->MdlAddress);
        IoFreeMdl(Irp->MdlAddress);
    }
    if (Irp->AssociatedIrp.SystemBuffer)
        ExFreePool(Irp->AssociatedIrp.SystemBuffer);
    IoFreeIrp(Irp);
}

/* The driver finds out when it puts the request into its queue, with the pipe's lock held. */
static void a_request_that_is_cancelled_on_its_way_does_not_wait(void **State)
{
    HANDLE Pipe = opened("early");
    PFILE_OBJECT File;
    char Buffer[4];
    KEVENT Ended;
    PIRP Irp;

    assert_ok(set(Pipe, 64, EXAMPLE_KEEP, EXAMPLE_EMPTY_WAIT, 0));
    assert_ok(ObReferenceObjectByHandle(Pipe, 0, NULL, KernelMode, (PVOID *)&File, NULL));
    Irp = driver_read(File, Buffer, &Ended);
    assert_false(IoCancelIrp(Irp));
    assert_status(IoCallDriver(IoGetRelatedDeviceObject(File), Irp), STATUS_PENDING);
    assert_ok(KeWaitForSingleObject(&Ended, Executive, KernelMode, FALSE, NULL));
    assert_status(Irp->IoStatus.Status, STATUS_CANCELLED);
    free_read(Irp);
    ObDereferenceObject(File);
    assert_ok(DriverTestWrite(Pipe, "next", 4)); /* the lock is free */
    assert_ok(DriverTestRead(Pipe, Buffer, 4));
    assert_memory_equal(Buffer, "next", 4);
    DriverTestClose(Pipe);
}

static void a_cancelled_request_moves_nothing(void **State)
{
    HANDLE Pipe = opened("race");
    volatile LONG Stop = 0;
    ULONG Sent = 0, Got = 0;
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 64, EXAMPLE_FULL_DROP_NEW, EXAMPLE_EMPTY_WAIT, 0));
    prepare(&One, "race", GENERIC_READ);
    DriverTestThread(&Thread, keep_cancelling, (void *)&Stop);
    for (int i = 0; i < 3000; i++) {
        NTSTATUS Status = begin_read(&One, 4);

        assert_ok(DriverTestWrite(Pipe, &Sent, 4));
        Sent++;
        if (Status == STATUS_PENDING)
            Status = ended(&One);
        if (NT_SUCCESS(Status))
            assert_int_equal(*(ULONG *)One.Data, Got++);
        else
            assert_status(Status, STATUS_CANCELLED);
        while (Sent > Got && NT_SUCCESS(DriverTestRead(Pipe, &Status, 4)))
            assert_int_equal((ULONG)Status, Got++);
        assert_int_equal(Sent, Got);
    }
    InterlockedExchange(&Stop, 1);
    DriverTestJoin(&Thread);
    finish(&One);
    DriverTestClose(Pipe);
}

/* ---- requests that are cancelled before they wait -------------------------------------------- */

typedef struct {
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    UCHAR Data[100];
} CANCELLED;

static CANCELLED Early;

static void prepare_early(HANDLE Pipe)
{
    memset(&Early, 0, sizeof(Early));
    KeInitializeEvent(&Early.Event, NotificationEvent, FALSE);
    assert_ok(ObReferenceObjectByHandle(Pipe, 0, *IoFileObjectType, KernelMode,
                                        (PVOID *)&Early.File, NULL));
    Early.Device = IoGetRelatedDeviceObject(Early.File);
}

static PIRP early_transfer(ULONG Major, ULONG Length)
{
    PIRP Irp = IoBuildSynchronousFsdRequest(Major, Early.Device, Early.Data, Length, &Start,
                                            &Early.Event, &Early.Iosb);

    IoGetNextIrpStackLocation(Irp)->FileObject = Early.File;
    return Irp;
}

static PIRP early_watch(ULONG Conditions)
{
    PIRP Irp;

    memcpy(Early.Data, &Conditions, sizeof(Conditions));
    Irp =
        IoBuildDeviceIoControlRequest(IOCTL_EXAMPLE_WAIT, Early.Device, Early.Data, sizeof(ULONG),
                                      Early.Data, sizeof(ULONG), FALSE, &Early.Event, &Early.Iosb);
    IoGetNextIrpStackLocation(Irp)->FileObject = Early.File;
    return Irp;
}

static NTSTATUS send_cancelled(HANDLE Pipe, PIRP Irp)
{
    IoCancelIrp(Irp);
    assert_status(IoCallDriver(Early.Device, Irp), STATUS_PENDING);
    KeWaitForSingleObject(&Early.Event, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Early.File);
    nobody_waits(Pipe);
    return Early.Iosb.Status;
}

static HANDLE waiting_pipe(void)
{
    HANDLE Pipe = opened("early");

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    prepare_early(Pipe);
    return Pipe;
}

static void a_read_that_is_cancelled_before_it_waits_is_ended(void **State)
{
    HANDLE Pipe = waiting_pipe();

    assert_status(send_cancelled(Pipe, early_transfer(IRP_MJ_READ, 10)), STATUS_CANCELLED);
    assert_int_equal(Early.Iosb.Information, 0);
}

static void a_write_that_is_cancelled_before_it_waits_tells_what_went_in(void **State)
{
    HANDLE Pipe = waiting_pipe();

    assert_ok(send_cancelled(Pipe, early_transfer(IRP_MJ_WRITE, 25)));
    assert_int_equal(Early.Iosb.Information, 10);
}

static void a_watch_that_is_cancelled_before_it_waits_is_ended(void **State)
{
    HANDLE Pipe = waiting_pipe();

    assert_status(send_cancelled(Pipe, early_watch(EXAMPLE_READABLE)), STATUS_CANCELLED);
}

/* ---- */

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(who_waits_for_bytes_is_told_when_there_are_some),
        DRIVER_TEST(who_waits_for_room_is_told_when_there_is_some),
        DRIVER_TEST(a_condition_that_holds_is_told_at_once),
        DRIVER_TEST(draining_and_discarding_are_told),
        DRIVER_TEST(coming_and_going_are_told),
        DRIVER_TEST(a_wait_for_nothing_is_refused),
        DRIVER_TEST(a_read_ends_when_the_last_writer_has_gone),
        DRIVER_TEST(what_a_writer_left_is_read_before_the_end),
        DRIVER_TEST(a_write_ends_when_the_last_reader_has_gone),
        DRIVER_TEST(every_writer_in_the_queue_learns_of_the_end),
        DRIVER_TEST(without_waiting_nobody_is_missed),
        DRIVER_TEST(the_state_tells_readers_from_writers),
        DRIVER_TEST(closing_the_handle_ends_it),
        DRIVER_TEST(cancelling_one_request_ends_it),
        DRIVER_TEST(cancelling_all_of_the_thread_ends_it),
        DRIVER_TEST(the_end_of_the_thread_ends_it),
        DRIVER_TEST(the_end_of_the_process_ends_it),
        DRIVER_TEST(requests_of_one_handle_are_served_in_order),
        DRIVER_TEST(a_mode_changes_around_those_who_wait),
        DRIVER_TEST(a_request_that_is_cancelled_on_its_way_does_not_wait),
        DRIVER_TEST(a_cancelled_request_moves_nothing),
        DRIVER_TEST(a_read_that_is_cancelled_before_it_waits_is_ended),
        DRIVER_TEST(a_write_that_is_cancelled_before_it_waits_tells_what_went_in),
        DRIVER_TEST(a_watch_that_is_cancelled_before_it_waits_is_ended),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
