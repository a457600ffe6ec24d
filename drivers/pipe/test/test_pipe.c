/* The pipe, as its clients see it. The same tests for the three ways to their buffers: NT_VARIANT
 * is the driver's name. */
#include "pipe_test.h"

const char *DriverTestLoaded[] = {NT_VARIANT, NULL};

static UCHAR Data[8192], Out[8192];

static NTSTATUS put(HANDLE Pipe, ULONG Length)
{
    for (ULONG i = 0; i < Length && i < sizeof(Data); i++)
        Data[i] = (UCHAR)(i * 7 + Length);
    return DriverTestWrite(Pipe, Data, Length);
}

static NTSTATUS get(HANDLE Pipe, ULONG Length)
{
    memset(Out, 0, sizeof(Out));
    return DriverTestRead(Pipe, Out, Length);
}

static void what_one_writes_another_reads(void **State)
{
    HANDLE Writer = opened("HELLO"), Reader = opened("hello");

    assert_ok(DriverTestWrite(Writer, "one", 4));
    assert_int_equal(Information, 4);
    assert_ok(DriverTestWrite(Writer, "two", 4));
    assert_ok(get(Reader, 256));
    assert_int_equal(Information, 8);
    assert_memory_equal(Out, "one\0two", 8);
    DriverTestClose(Writer);
    DriverTestClose(Reader);
}

static void names_are_apart_and_no_name_is_a_name(void **State)
{
    HANDLE A = opened("a"), B = opened("b"), None = opened(NULL), NoneAgain = opened(NULL),
           Slash = opened("");

    assert_ok(put(A, 3));
    assert_ok(put(None, 5));
    assert_status(get(B, 10), STATUS_BUFFER_TOO_SMALL);
    assert_status(get(Slash, 10), STATUS_BUFFER_TOO_SMALL);
    assert_ok(get(NoneAgain, 10));
    assert_int_equal(Information, 5);
    DriverTestClose(A);
    DriverTestClose(B);
    DriverTestClose(None);
    DriverTestClose(NoneAgain);
    DriverTestClose(Slash);
}

static void a_pipe_holds_1999_bytes(void **State)
{
    HANDLE Pipe = opened("full");

    assert_ok(put(Pipe, 5000));
    assert_int_equal(Information, 1999);
    assert_status(put(Pipe, 1), STATUS_UNSUCCESSFUL);
    assert_int_equal(Information, 0);
    assert_ok(get(Pipe, 1));
    assert_ok(put(Pipe, 10));
    assert_int_equal(Information, 1);
    assert_ok(get(Pipe, 5000));
    assert_int_equal(Information, 1999);
    assert_status(get(Pipe, 5000), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Information, 0);
    DriverTestClose(Pipe);
}

static void no_bytes_are_refused(void **State)
{
    HANDLE Pipe = opened("zero");

    assert_status(put(Pipe, 0), STATUS_UNSUCCESSFUL);
    assert_ok(put(Pipe, 3));
    assert_status(get(Pipe, 0), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Information, 0);
    DriverTestClose(Pipe);
}

static void a_long_name_is_refused_not_cut(void **State)
{
    char Name[300];
    HANDLE Pipe;
    char Path[400];

    memset(Name, 'n', sizeof(Name));
    Name[255] = 0;
    Pipe = opened(Name); /* 256 with its backslash */
    DriverTestClose(Pipe);
    Name[255] = 'n';
    Name[256] = 0;
    snprintf(Path, sizeof(Path), DEVICE "\\%s", Name);
    assert_status(DriverTestOpen(Path, GENERIC_READ, &Pipe), STATUS_NAME_TOO_LONG);
}

static void a_pipe_is_freed_once_after_the_last_close(void **State)
{
    HANDLE Pipes[60];

    for (int Round = 0; Round < 5; Round++) {
        ULONG64 Before = DriverTestBlocks(TAG);

        assert_int_equal(Before, 0);
        for (int i = 0; i < 60; i++) {
            char Name[16];

            snprintf(Name, sizeof(Name), "n%d", i % 7);
            Pipes[i] = opened(Name);
        }
        for (int i = 0; i < 60; i++)
            DriverTestClose(Pipes[(i * 37 + Round) % 60]);
    }
}

/* More names than the first table has buckets, and back. */
static void many_names_are_found_again(void **State)
{
    enum { NAMES = 3000 };
    static HANDLE Pipes[NAMES];
    char Name[16];
    HANDLE Again;

    for (int i = 0; i < NAMES; i++) {
        snprintf(Name, sizeof(Name), "name%d", i);
        Pipes[i] = opened(Name);
        assert_ok(DriverTestWrite(Pipes[i], &i, sizeof(i)));
    }
    for (int i = 0; i < NAMES; i++) {
        snprintf(Name, sizeof(Name), "NAME%d", i);
        Again = opened(Name);
        assert_ok(get(Again, sizeof(i)));
        assert_int_equal(*(int *)Out, i);
        DriverTestClose(Again);
        if (i % 2)
            DriverTestClose(Pipes[i]);
    }
    for (int i = 0; i < NAMES; i += 2) {
        snprintf(Name, sizeof(Name), "name%d", i);
        Again = opened(Name);
        DriverTestClose(Again);
        DriverTestClose(Pipes[i]);
    }
    assert_int_equal(DriverTestBlocks('TpxE'), 0);
}

static void a_failed_open_leaves_nothing(void **State)
{
    HANDLE Pipe = NULL;
    char Path[64];

    snprintf(Path, sizeof(Path), DEVICE "\\fails");
    for (ULONG Number = 1; Number < 50; Number++) {
        NTSTATUS Status;

        DriverTestFailAllocation(Number);
        Status = DriverTestOpen(Path, GENERIC_READ, &Pipe);
        DriverTestFailAllocation(0);
        if (NT_SUCCESS(Status))
            break;
        assert_int_equal(DriverTestBlocks(TAG), 0);
    }
    DriverTestClose(Pipe);
}

static void control(HANDLE Pipe, ULONG Code, ULONG Needed, const char *Text)
{
    char In[16] = "hello", Answer[64] = {0};

    assert_ok(DriverTestControl(Pipe, Code, In, 6, Answer, sizeof(Answer)));
    assert_int_equal(Information, Text ? Needed : 0);
    assert_string_equal(Answer, Text ? Text : "");
    assert_ok(DriverTestControl(Pipe, Code, In, 6, Answer, Needed));
    assert_status(DriverTestControl(Pipe, Code, In, 6, Answer, Needed - 1),
                  STATUS_BUFFER_TOO_SMALL);
    assert_status(DriverTestControl(Pipe, Code, In, 5, Answer, sizeof(Answer)),
                  STATUS_UNSUCCESSFUL); /* no NUL in it */
    assert_status(DriverTestControl(Pipe, Code, In, 0, Answer, sizeof(Answer)),
                  STATUS_UNSUCCESSFUL);
    assert_status(DriverTestControl(Pipe, Code, In, 6, NULL, 0), STATUS_UNSUCCESSFUL);
}

static void four_requests_show_four_methods(void **State)
{
    HANDLE Pipe = opened("demo");

    control(Pipe, 0x0022E001, sizeof(EXAMPLE_TEXT_DIRECT_IN), NULL);
    control(Pipe, 0x0022E006, sizeof(EXAMPLE_TEXT_DIRECT_OUT), EXAMPLE_TEXT_DIRECT_OUT);
    control(Pipe, 0x0022E008, sizeof(EXAMPLE_TEXT_BUFFERED), EXAMPLE_TEXT_BUFFERED);
    control(Pipe, 0x0022E00F, sizeof(EXAMPLE_TEXT_NEITHER), EXAMPLE_TEXT_NEITHER);
    assert_status(DriverTestControl(Pipe, 0x0022E010, NULL, 0, NULL, 0), STATUS_NOT_SUPPORTED);
    DriverTestClose(Pipe);
}

static NTSTATUS NTAPI keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A client is not told Information with an error: the IRP has it, for a driver that asks. */
static void an_answer_without_room_tells_the_size_in_the_irp(void **State)
{
    HANDLE Pipe = opened("irp");
    PFILE_OBJECT File;
    PIO_STACK_LOCATION Stack;
    CHAR Buffer[8] = "hi";
    PIRP Irp;

    assert_ok(
        ObReferenceObjectByHandle(Pipe, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    Irp = IoAllocateIrp(IoGetRelatedDeviceObject(File)->StackSize, FALSE);
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack->FileObject = File;
    Stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_EXAMPLE_BUFFERED;
    Stack->Parameters.DeviceIoControl.InputBufferLength = 3;
    Stack->Parameters.DeviceIoControl.OutputBufferLength = 8;
    IoSetCompletionRoutine(Irp, keep, NULL, TRUE, TRUE, TRUE);
    assert_status(IoCallDriver(IoGetRelatedDeviceObject(File), Irp), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Irp->IoStatus.Information, sizeof(EXAMPLE_TEXT_BUFFERED));
    assert_string_equal(Buffer, "hi");
    IoFreeIrp(Irp);
    ObDereferenceObject(File);
    DriverTestClose(Pipe);
}

static void bad_addresses_are_the_clients_error(void **State)
{
    HANDLE Pipe = opened("bad");
    PVOID Gone = NtTestGonePage();
    char In[8] = "hello", Answer[64];

    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_NEITHER, Gone, 6, Answer, sizeof(Answer)),
                  STATUS_ACCESS_VIOLATION);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_NEITHER, In, 6, Gone, 64),
                  STATUS_ACCESS_VIOLATION);
    assert_status(DriverTestWrite(Pipe, Gone, 10), STATUS_ACCESS_VIOLATION);
    assert_ok(put(Pipe, 10)); /* nobody holds the lock */
    assert_status(DriverTestRead(Pipe, Gone, 10), STATUS_ACCESS_VIOLATION);
    assert_ok(get(Pipe, 10));
    assert_int_equal(Information, 10);
    DriverTestClose(Pipe);
}

static void other_requests_are_completed_as_not_supported(void **State)
{
    HANDLE Pipe = opened("other");
    IO_STATUS_BLOCK Iosb;
    FILE_STANDARD_INFORMATION Standard;

    assert_status(SYS(NtFlushBuffersFile, Pipe, &Iosb), STATUS_NOT_SUPPORTED);
    assert_status(SYS(NtQueryInformationFile, Pipe, &Iosb, &Standard, sizeof(Standard),
                      FileStandardInformation),
                  STATUS_NOT_SUPPORTED);
    DriverTestClose(Pipe);
}

/* Two writers and two readers: each byte names its writer and its place. */
typedef struct {
    HANDLE Pipe;
    UCHAR Mark;
    ULONG Bytes;
} WRITER;
typedef struct {
    HANDLE Pipe;
    volatile LONG *Left;
    ULONG Count[2];
} READER;
enum { EACH = 200000 };

static void write_marks(void *Context)
{
    WRITER *Writer = Context;
    UCHAR Buffer[700];
    ULONG Sent = 0;

    memset(Buffer, Writer->Mark, sizeof(Buffer));
    while (Sent < EACH) {
        IO_STATUS_BLOCK Iosb;
        ULONG Length = EACH - Sent < sizeof(Buffer) ? EACH - Sent : sizeof(Buffer);

        if (NT_SUCCESS(SYS(NtWriteFile, Writer->Pipe, NULL, NULL, NULL, &Iosb, Buffer, Length, NULL,
                           NULL)))
            Sent += (ULONG)Iosb.Information;
        else
            SYS0(NtYieldExecution);
    }
}

static void read_marks(void *Context)
{
    READER *Reader = Context;
    UCHAR Buffer[900];

    while (InterlockedCompareExchange(Reader->Left, 0, 0) > 0) {
        IO_STATUS_BLOCK Iosb;

        if (!NT_SUCCESS(SYS(NtReadFile, Reader->Pipe, NULL, NULL, NULL, &Iosb, Buffer,
                            sizeof(Buffer), NULL, NULL))) {
            SYS0(NtYieldExecution);
            continue;
        }
        for (ULONG i = 0; i < Iosb.Information; i++)
            Reader->Count[Buffer[i] == 'b']++;
        InterlockedExchangeAdd(Reader->Left, -(LONG)Iosb.Information);
    }
}

static void two_writers_and_two_readers_lose_nothing(void **State)
{
    volatile LONG Left = 2 * EACH;
    WRITER Writers[2] = {{opened("smp"), 'a', 0}, {opened("smp"), 'b', 0}};
    READER Readers[2] = {{opened("smp"), &Left, {0}}, {opened("smp"), &Left, {0}}};
    DRIVER_THREAD Threads[4];

    for (int i = 0; i < 2; i++) {
        DriverTestThread(&Threads[i], write_marks, &Writers[i]);
        DriverTestThread(&Threads[2 + i], read_marks, &Readers[i]);
    }
    for (int i = 0; i < 4; i++)
        DriverTestJoin(&Threads[i]);
    assert_int_equal(Readers[0].Count[0] + Readers[1].Count[0], EACH);
    assert_int_equal(Readers[0].Count[1] + Readers[1].Count[1], EACH);
    for (int i = 0; i < 2; i++) {
        DriverTestClose(Writers[i].Pipe);
        DriverTestClose(Readers[i].Pipe);
    }
}

static void open_write_and_leave(void *Context)
{
    put(opened("crash"), 100);
}

static void a_client_that_ends_leaves_nothing(void **State)
{
    for (int i = 0; i < 10; i++)
        DriverTestElsewhere(open_write_and_leave, NULL);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void the_mode_is_checked(void **State)
{
    HANDLE Pipe = opened("mode");
    EXAMPLE_MODE Mode = {0};

    assert_status(set(Pipe, 0, 3, 0, 0), STATUS_INVALID_PARAMETER);
    assert_status(set(Pipe, 0, 0, 2, 0), STATUS_INVALID_PARAMETER);
    assert_status(set(Pipe, 0, 0, 0, 4), STATUS_INVALID_PARAMETER);
    assert_status(set(Pipe, EXAMPLE_CAPACITY_MOST + 1, 0, 0, 0), STATUS_INVALID_PARAMETER);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode) - 1, NULL, 0),
                  STATUS_BUFFER_TOO_SMALL);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0, &Mode, sizeof(Mode)),
                  STATUS_BUFFER_TOO_SMALL);
    DriverTestClose(Pipe);
}

static void the_capacity_changes_and_the_bytes_stay(void **State)
{
    HANDLE Pipe = opened("size");

    assert_ok(put(Pipe, 1500));
    assert_ok(get(Pipe, 1000));
    assert_ok(put(Pipe, 1200)); /* across the end of the ring */
    assert_status(set(Pipe, 1000, 0, 0, 0), STATUS_BUFFER_TOO_SMALL);
    assert_ok(set(Pipe, 5000, 0, 0, 0));
    assert_int_equal(state(Pipe).Used, 1700);
    assert_ok(put(Pipe, 4000));
    assert_int_equal(Information, 3300);
    assert_ok(get(Pipe, 500));
    assert_ok(get(Pipe, 1200));
    for (ULONG i = 0; i < 1200; i++)
        assert_int_equal(Out[i], (UCHAR)(i * 7 + 1200));
    DriverTestClose(Pipe);
}

static void overwriting_keeps_the_newest(void **State)
{
    HANDLE Pipe = opened("over");

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_OVERWRITE, 0, 0));
    assert_ok(DriverTestWrite(Pipe, "0123456789", 10));
    assert_ok(DriverTestWrite(Pipe, "abc", 3));
    assert_int_equal(Information, 3);
    assert_ok(get(Pipe, 20));
    assert_string_equal(Out, "3456789abc");
    DriverTestClose(Pipe);
}

static void clear_statuses_say_what_is(void **State)
{
    HANDLE Pipe = opened("clear");

    assert_ok(set(Pipe, 4, 0, 0, EXAMPLE_CLEAR_STATUS));
    assert_status(get(Pipe, 4), STATUS_PIPE_EMPTY);
    assert_ok(put(Pipe, 0));
    assert_ok(put(Pipe, 9));
    assert_int_equal(Information, 4);
    assert_status(put(Pipe, 1), STATUS_PIPE_BUSY);
    DriverTestClose(Pipe);
}

static void messages_keep_their_bounds(void **State)
{
    HANDLE Pipe = opened("message");

    assert_ok(set(Pipe, 0, 0, 0, EXAMPLE_MESSAGES));
    assert_ok(DriverTestWrite(Pipe, "first", 5));
    assert_ok(DriverTestWrite(Pipe, "second", 6));
    assert_status(set(Pipe, 0, 0, 0, 0), STATUS_INVALID_DEVICE_STATE);
    assert_ok(get(Pipe, 100));
    assert_string_equal(Out, "first");
    assert_status(get(Pipe, 3), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(Information, 3);
    assert_string_equal(Out, "sec");
    assert_ok(get(Pipe, 100));
    assert_string_equal(Out, "ond");
    assert_status(put(Pipe, 1996), STATUS_INVALID_BUFFER_SIZE);
    assert_ok(put(Pipe, 1995));
    DriverTestClose(Pipe);
}

/* Requests that wait: on a handle of their own, for a synchronous one waits alone. */
typedef struct {
    HANDLE Pipe;
    ULONG Length;
    NTSTATUS Status;
    ULONG_PTR Done;
    UCHAR Data[8192];
} REQUEST;

static void waiting_read(void *Context)
{
    REQUEST *Request = Context;
    IO_STATUS_BLOCK Iosb = {0};

    Request->Status = SYS(NtReadFile, Request->Pipe, NULL, NULL, NULL, &Iosb, Request->Data,
                          Request->Length, NULL, NULL);
    Request->Done = Iosb.Information;
}

static void waiting_write(void *Context)
{
    REQUEST *Request = Context;
    IO_STATUS_BLOCK Iosb = {0};

    Request->Status = SYS(NtWriteFile, Request->Pipe, NULL, NULL, NULL, &Iosb, Request->Data,
                          Request->Length, NULL, NULL);
    Request->Done = Iosb.Information;
}

static REQUEST One, Two;

static void a_reader_waits_for_a_writer(void **State)
{
    HANDLE Pipe = opened("wait");
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 0, 0, EXAMPLE_EMPTY_WAIT, 0));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 100};
    DriverTestThread(&Thread, waiting_read, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingReaders == 1);
    assert_status(set(Pipe, 0, 0, 0, 0), STATUS_INVALID_DEVICE_STATE);
    assert_ok(DriverTestWrite(Pipe, "news", 5));
    DriverTestJoin(&Thread);
    assert_ok(One.Status);
    assert_int_equal(One.Done, 5);
    assert_string_equal(One.Data, "news");
    DriverTestClose(One.Pipe);
    DriverTestClose(Pipe);
}

static void a_writer_waits_until_all_of_it_is_in(void **State)
{
    HANDLE Pipe = opened("wait");
    DRIVER_THREAD Thread;
    ULONG Got = 0;

    assert_ok(set(Pipe, 100, EXAMPLE_FULL_WAIT, 0, 0));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 1000};
    for (ULONG i = 0; i < 1000; i++)
        One.Data[i] = (UCHAR)i;
    DriverTestThread(&Thread, waiting_write, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingWriters == 1);
    while (Got < 1000) {
        assert_ok(get(Pipe, 77));
        for (ULONG i = 0; i < Information; i++)
            assert_int_equal(Out[i], (UCHAR)(Got + i));
        Got += (ULONG)Information;
    }
    DriverTestJoin(&Thread);
    assert_ok(One.Status);
    assert_int_equal(One.Done, 1000);
    DriverTestClose(One.Pipe);
    DriverTestClose(Pipe);
}

static void closing_ends_the_wait(void **State)
{
    HANDLE Pipe = opened("wait");
    IO_STATUS_BLOCK Iosb;
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 10};
    DriverTestThread(&Thread, waiting_read, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingReaders == 1);
    assert_ok(SYS(NtCancelIoFileEx, One.Pipe, NULL, &Iosb));
    DriverTestJoin(&Thread);
    assert_status(One.Status, STATUS_CANCELLED);
    assert_int_equal(state(Pipe).WaitingReaders, 0);
    DriverTestClose(One.Pipe);
    DriverTestClose(Pipe);
}

static void a_cancelled_write_tells_what_went_in(void **State)
{
    HANDLE Pipe = opened("wait");
    IO_STATUS_BLOCK Iosb;
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, 0, 0));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 25};
    DriverTestThread(&Thread, waiting_write, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingWriters == 1);
    assert_ok(SYS(NtCancelIoFileEx, One.Pipe, NULL, &Iosb));
    DriverTestJoin(&Thread);
    assert_ok(One.Status);
    assert_int_equal(One.Done, 10);
    DriverTestClose(One.Pipe);
    DriverTestClose(Pipe);
}

static void who_stands_behind_a_cancelled_message_goes_on(void **State)
{
    HANDLE Pipe = opened("wait");
    IO_STATUS_BLOCK Iosb;
    DRIVER_THREAD Large, Small;

    assert_ok(set(Pipe, 100, EXAMPLE_FULL_WAIT, 0, EXAMPLE_MESSAGES));
    assert_ok(put(Pipe, 50));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 80};
    Two = (REQUEST){.Pipe = opened("wait"), .Length = 5};
    DriverTestThread(&Large, waiting_write, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingWriters == 1);
    DriverTestThread(&Small, waiting_write, &Two);
    DRIVER_TEST_WAIT(state(Pipe).WaitingWriters == 2);
    assert_ok(SYS(NtCancelIoFileEx, One.Pipe, NULL, &Iosb));
    DriverTestJoin(&Large);
    DriverTestJoin(&Small);
    assert_status(One.Status, STATUS_CANCELLED);
    assert_ok(Two.Status);
    DriverTestClose(One.Pipe);
    DriverTestClose(Two.Pipe);
    DriverTestClose(Pipe);
}

static void discarding_lets_writers_go_on(void **State)
{
    HANDLE Pipe = opened("wait");
    DRIVER_THREAD Thread;

    assert_ok(set(Pipe, 10, EXAMPLE_FULL_WAIT, 0, 0));
    One = (REQUEST){.Pipe = opened("wait"), .Length = 20};
    DriverTestThread(&Thread, waiting_write, &One);
    DRIVER_TEST_WAIT(state(Pipe).WaitingWriters == 1);
    assert_ok(DriverTestControl(Pipe, IOCTL_EXAMPLE_DISCARD, NULL, 0, NULL, 0));
    DriverTestJoin(&Thread);
    assert_int_equal(One.Done, 20);
    assert_int_equal(state(Pipe).Used, 10);
    DriverTestClose(One.Pipe);
    DriverTestClose(Pipe);
}

static void the_state_counts(void **State)
{
    HANDLE Pipe = opened("state"), Other = opened("state");
    EXAMPLE_STATE Now;

    assert_ok(put(Pipe, 30));
    assert_ok(get(Other, 10));
    Now = state(Pipe);
    assert_int_equal(Now.Mode.Capacity, EXAMPLE_CAPACITY);
    assert_int_equal(Now.Used, 20);
    assert_int_equal(Now.Handles, 2);
    assert_int_equal(Now.BytesWritten, 30);
    assert_int_equal(Now.BytesRead, 0);
    assert_int_equal(state(Other).BytesRead, 10);
    DriverTestClose(Pipe);
    assert_int_equal(state(Other).Handles, 1);
    DriverTestClose(Other);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(what_one_writes_another_reads),
        DRIVER_TEST(names_are_apart_and_no_name_is_a_name),
        DRIVER_TEST(a_pipe_holds_1999_bytes),
        DRIVER_TEST(no_bytes_are_refused),
        DRIVER_TEST(a_long_name_is_refused_not_cut),
        DRIVER_TEST(a_pipe_is_freed_once_after_the_last_close),
        DRIVER_TEST(many_names_are_found_again),
        DRIVER_TEST(a_failed_open_leaves_nothing),
        DRIVER_TEST(four_requests_show_four_methods),
        DRIVER_TEST(an_answer_without_room_tells_the_size_in_the_irp),
        DRIVER_TEST(bad_addresses_are_the_clients_error),
        DRIVER_TEST(other_requests_are_completed_as_not_supported),
        DRIVER_TEST(two_writers_and_two_readers_lose_nothing),
        DRIVER_TEST(a_client_that_ends_leaves_nothing),
        DRIVER_TEST(the_mode_is_checked),
        DRIVER_TEST(the_capacity_changes_and_the_bytes_stay),
        DRIVER_TEST(overwriting_keeps_the_newest),
        DRIVER_TEST(clear_statuses_say_what_is),
        DRIVER_TEST(messages_keep_their_bounds),
        DRIVER_TEST(a_reader_waits_for_a_writer),
        DRIVER_TEST(a_writer_waits_until_all_of_it_is_in),
        DRIVER_TEST(closing_ends_the_wait),
        DRIVER_TEST(a_cancelled_write_tells_what_went_in),
        DRIVER_TEST(who_stands_behind_a_cancelled_message_goes_on),
        DRIVER_TEST(discarding_lets_writers_go_on),
        DRIVER_TEST(the_state_counts),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
