/* SharingMemory, as its clients see it. */
#include "drivers/test/driver_test.h"
#include "drivers/sharingmemory/public.h"

const char *DriverTestLoaded[] = {"sharingmemory", NULL};
#define TAG 'rahS'

static SHARED_CLOCK *Page;

static NTSTATUS ask(HANDLE File, ULONG Length)
{
    PVOID Out[2] = {(PVOID)0x1234};
    NTSTATUS Status = DriverTestControl(File, IOCTL_GIVE_ME_YOUR_MEMORY, NULL, 0, Out, Length);

    Page = Out[0];
    return Status;
}

static HANDLE opened(void)
{
    return DriverTestOpened("SharingMemory");
}

static void the_page_shows_the_local_time(void **State)
{
    HANDLE File = opened();
    LARGE_INTEGER System, Local;
    LONGLONG Shown;

    assert_ok(ask(File, sizeof(PVOID)));
    assert_int_equal(Information, sizeof(PVOID));
    Shown = SharedClockRead(Page);
    KeQuerySystemTime(&System);
    ExSystemTimeToLocalTime(&System, &Local);
    assert_in_range(Local.QuadPart - Shown, 0, 20000000);
    DriverTestClose(File);
}

static void the_driver_goes_on_writing(void **State)
{
    HANDLE File = opened();
    LONGLONG First;

    assert_ok(ask(File, sizeof(PVOID)));
    First = SharedClockRead(Page);
    DRIVER_TEST_WAIT(SharedClockRead(Page) > First);
    DriverTestClose(File);
}

static void the_rest_of_the_page_is_zero(void **State)
{
    HANDLE File = opened();

    assert_ok(ask(File, sizeof(PVOID)));
    assert_int_equal((ULONG_PTR)Page % PAGE_SIZE, 0);
    for (ULONG i = sizeof(*Page); i < PAGE_SIZE; i++)
        assert_int_equal(((UCHAR *)Page)[i], 0);
    DriverTestClose(File);
}

static void the_page_is_for_reading_only(void **State)
{
    HANDLE File = opened();
    MM_BASIC_INFORMATION Memory;

    assert_ok(ask(File, sizeof(PVOID)));
    assert_ok(
        SYS(NtQueryVirtualMemory, ZwCurrentProcess(), Page, 0, &Memory, sizeof(Memory), NULL));
    assert_int_equal(Memory.Protect, PAGE_READONLY);
    DriverTestClose(File);
}

static void asking_again_gives_the_same_page_and_takes_nothing(void **State)
{
    HANDLE File = opened();
    PVOID First;
    ULONG64 Blocks;

    assert_ok(ask(File, sizeof(PVOID)));
    First = Page;
    Blocks = DriverTestBlocks(TAG);
    for (int i = 0; i < 100; i++)
        assert_ok(ask(File, sizeof(PVOID)));
    assert_ptr_equal(Page, First);
    assert_int_equal(DriverTestBlocks(TAG), Blocks);
    DriverTestClose(File);
}

static void bad_requests_leave_the_page_alone(void **State)
{
    HANDLE File = opened();
    PVOID First;

    assert_ok(ask(File, sizeof(PVOID)));
    First = Page;
    assert_status(DriverTestControl(File, IOCTL_GIVE_ME_YOUR_MEMORY + 4, NULL, 0, &Page, 8),
                  STATUS_INVALID_DEVICE_REQUEST);
    assert_status(ask(File, sizeof(PVOID) - 1), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Information, 0);
    assert_status(ask(File, 0), STATUS_BUFFER_TOO_SMALL);
    assert_ok(ask(File, sizeof(PVOID)));
    assert_ptr_equal(Page, First);
    assert_true(SharedClockRead(Page) > 0);
    DriverTestClose(File);
}

static void a_handle_without_read_access_is_refused(void **State)
{
    HANDLE File;

    assert_ok(DriverTestOpen("SharingMemory", GENERIC_WRITE, &File));
    assert_status(ask(File, sizeof(PVOID)), STATUS_ACCESS_DENIED);
    DriverTestClose(File);
}

static void a_second_open_is_refused_and_a_later_one_is_not(void **State)
{
    HANDLE File = opened(), Second;

    assert_status(DriverTestOpen("SharingMemory", GENERIC_READ, &Second), STATUS_ACCESS_DENIED);
    DriverTestClose(File);
    for (int i = 0; i < 50; i++) {
        File = opened();
        assert_ok(ask(File, sizeof(PVOID)));
        DriverTestClose(File);
    }
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void closing_takes_the_page_away(void **State)
{
    HANDLE File = opened();
    ULONG Word;

    assert_ok(ask(File, sizeof(PVOID)));
    DriverTestClose(File);
    assert_false(host_read_memory(&Word, Page, sizeof(Word)));
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

/* Each allocation of open and request fails once: nothing is left, and the next try succeeds. */
static void every_failure_releases_what_was_acquired(void **State)
{
    ULONG64 Blocks = 0;

    for (ULONG Number = 1;; Number++) {
        HANDLE File;
        NTSTATUS Status;

        assert_ok(DriverTestOpen("SharingMemory", GENERIC_READ, &File));
        Blocks = DriverTestBlocks(TAG);
        DriverTestFailAllocation(Number);
        Status = ask(File, sizeof(PVOID));
        DriverTestFailAllocation(0);
        if (NT_SUCCESS(Status)) {
            DriverTestClose(File);
            break;
        }
        assert_true(DriverTestHasFailed());
        assert_status(Status, STATUS_INSUFFICIENT_RESOURCES);
        assert_int_equal(DriverTestBlocks(TAG), Blocks);
        assert_ok(ask(File, sizeof(PVOID)));
        DriverTestClose(File);
        assert_true(Number < 50);
    }
}

static void a_failed_open_leaves_nothing(void **State)
{
    HANDLE File;
    ULONG Number;

    for (Number = 1; Number < 50; Number++) {
        NTSTATUS Status;

        DriverTestFailAllocation(Number);
        Status = DriverTestOpen("SharingMemory", GENERIC_READ, &File);
        DriverTestFailAllocation(0);
        assert_int_equal(DriverTestBlocks(TAG), NT_SUCCESS(Status) ? 1 : 0);
        if (NT_SUCCESS(Status))
            break;
    }
    DriverTestClose(File);
}

/* Loading: device, link, timer; each allocation fails once. */
static void a_failed_load_leaves_nothing_and_tells_why(void **State)
{
    ULONG Number, Failures = 0;

    assert_ok(DriverTestUnload("sharingmemory"));
    for (Number = 1; Number < 500; Number++) {
        NTSTATUS Status;

        DriverTestFailAllocation(Number);
        Status = DriverTestLoad("sharingmemory");
        DriverTestFailAllocation(0);
        if (NT_SUCCESS(Status))
            break;
        assert_true(Status == STATUS_INSUFFICIENT_RESOURCES || Status == STATUS_NO_MEMORY);
        Failures++;
    }
    assert_true(Failures > 2);
    DriverTestClose(opened());
}

typedef struct {
    HANDLE File;
    PFILE_OBJECT Object;
    NTSTATUS Status;
    BOOLEAN Asked;
} FOREIGN;

static void open_here_and_keep_a_reference(void *Context)
{
    FOREIGN *Foreign = Context;

    Foreign->File = opened();
    if (Foreign->Asked)
        assert_ok(ask(Foreign->File, sizeof(PVOID)));
    assert_ok(ObReferenceObjectByHandle(Foreign->File, 0, *IoFileObjectType, KernelMode,
                                        (PVOID *)&Foreign->Object, NULL));
    /* as DuplicateHandle into the booting process does, whose handle it becomes */
    assert_ok(
        PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)host_process_id(), (PEPROCESS *)&Context));
    KAPC_STATE Saved;
    KeStackAttachProcess(Context, &Saved);
    assert_ok(ObOpenObjectByPointer(Foreign->Object, 0, NULL, FILE_READ_DATA | SYNCHRONIZE,
                                    *IoFileObjectType, KernelMode, &Foreign->File));
    KeUnstackDetachProcess(&Saved);
    ObDereferenceObject(Context);
    ObDereferenceObject(Foreign->Object);
}

static void a_duplicated_handle_is_of_no_use_to_another_process(void **State)
{
    FOREIGN Foreign = {.Asked = FALSE};

    DriverTestElsewhere(open_here_and_keep_a_reference, &Foreign);
    assert_status(ask(Foreign.File, sizeof(PVOID)), STATUS_ACCESS_DENIED);
    DriverTestClose(Foreign.File);
}

static void the_owner_may_end_before_the_last_handle(void **State)
{
    FOREIGN Foreign = {.Asked = TRUE};

    DriverTestElsewhere(open_here_and_keep_a_reference, &Foreign);
    assert_int_equal(DriverTestBlocks(TAG), 1); /* the open; its page has gone with the owner */
    assert_status(ask(Foreign.File, sizeof(PVOID)), STATUS_ACCESS_DENIED);
    DriverTestClose(Foreign.File);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

typedef struct {
    HANDLE Mine;
    KEVENT Go, Done;
} LAST_HANDLE;

static void close_the_last_handle(void *Context)
{
    LAST_HANDLE *Last = Context;
    PEPROCESS Owner;
    KAPC_STATE Saved;
    PFILE_OBJECT Object;
    HANDLE Copy;

    assert_ok(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)host_process_id(), &Owner));
    KeStackAttachProcess((PVOID)Owner, &Saved);
    assert_ok(ObReferenceObjectByHandle(Last->Mine, 0, *IoFileObjectType, KernelMode,
                                        (PVOID *)&Object, NULL));
    KeUnstackDetachProcess(&Saved);
    assert_ok(ObOpenObjectByPointer(Object, 0, NULL, FILE_READ_DATA, *IoFileObjectType, KernelMode,
                                    &Copy));
    ObDereferenceObject(Object);
    KeStackAttachProcess((PVOID)Owner, &Saved);
    assert_ok(ObCloseHandle(Last->Mine, KernelMode));
    KeUnstackDetachProcess(&Saved);
    ObDereferenceObject(Owner);
    assert_ok(SYS(NtClose, Copy)); /* CLEANUP, in this process */
}

static void cleanup_in_another_process_unmaps_in_the_owner(void **State)
{
    LAST_HANDLE Last = {.Mine = opened()};
    ULONG Word;

    assert_ok(ask(Last.Mine, sizeof(PVOID)));
    DriverTestElsewhere(close_the_last_handle, &Last);
    assert_false(host_read_memory(&Word, Page, sizeof(Word)));
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void open_and_ask(void *Context)
{
    assert_ok(ask(opened(), sizeof(PVOID)));
}

static void a_client_that_ends_without_closing_leaves_nothing(void **State)
{
    for (int i = 0; i < 20; i++)
        DriverTestElsewhere(open_and_ask, NULL);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void unloading_waits_for_the_last_handle(void **State)
{
    HANDLE File = opened(), Second;

    assert_ok(ask(File, sizeof(PVOID)));
    assert_ok(DriverTestUnload("sharingmemory"));
    assert_true(SharedClockRead(Page) > 0);
    assert_int_not_equal(DriverTestOpen("SharingMemory", GENERIC_READ, &Second), STATUS_SUCCESS);
    DriverTestClose(File);
    DRIVER_TEST_WAIT(NT_SUCCESS(DriverTestLoad("sharingmemory")));
}

/* The writer and a reader at once: the two halves always fit together. The writer here is the
 * driver's protocol. */
static volatile LONG Stop;
static SHARED_CLOCK Torn;

static void write_times(void *Context)
{
    for (ULONG i = 1; !InterlockedCompareExchange(&Stop, 0, 0); i++) {
        InterlockedIncrement((volatile LONG *)&Torn.Sequence);
        *(volatile ULONG *)&Torn.Time.Part.Low = i * 3;
        *(volatile LONG *)&Torn.Time.Part.High = (LONG)i;
        InterlockedIncrement((volatile LONG *)&Torn.Sequence);
    }
}

static void a_time_is_never_torn(void **State)
{
    DRIVER_THREAD Writer;

    Stop = 0;
    DriverTestThread(&Writer, write_times, NULL);
    for (int i = 0; i < 300000; i++) {
        LONGLONG Time = SharedClockRead(&Torn);

        if ((ULONG)Time != (ULONG)(Time >> 32) * 3)
            fail_msg("half of one and half of another: %llx", (unsigned long long)Time);
    }
    InterlockedIncrement(&Stop);
    DriverTestJoin(&Writer);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(the_page_shows_the_local_time),
        DRIVER_TEST(the_driver_goes_on_writing),
        DRIVER_TEST(the_rest_of_the_page_is_zero),
        DRIVER_TEST(the_page_is_for_reading_only),
        DRIVER_TEST(asking_again_gives_the_same_page_and_takes_nothing),
        DRIVER_TEST(bad_requests_leave_the_page_alone),
        DRIVER_TEST(a_handle_without_read_access_is_refused),
        DRIVER_TEST(a_second_open_is_refused_and_a_later_one_is_not),
        DRIVER_TEST(closing_takes_the_page_away),
        DRIVER_TEST(every_failure_releases_what_was_acquired),
        DRIVER_TEST(a_failed_open_leaves_nothing),
        DRIVER_TEST(a_failed_load_leaves_nothing_and_tells_why),
        DRIVER_TEST(a_duplicated_handle_is_of_no_use_to_another_process),
        DRIVER_TEST(the_owner_may_end_before_the_last_handle),
        DRIVER_TEST(cleanup_in_another_process_unmaps_in_the_owner),
        DRIVER_TEST(a_client_that_ends_without_closing_leaves_nothing),
        DRIVER_TEST(unloading_waits_for_the_last_handle),
        DRIVER_TEST(a_time_is_never_torn),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
