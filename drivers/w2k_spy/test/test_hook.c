/* Functions 11 to 18: hooks in the service table, as a client uses them. */
#include "spy_test.h"

static ULONG install(void)
{
    LONG Reset = TRUE;
    ULONG Count = 0;

    SpyAnswer(SPY_IO_HOOK_INSTALL, &Reset, sizeof(Reset), &Count, sizeof(Count));
    return Count;
}

static ULONG remove_hooks(void)
{
    LONG Reset = FALSE;
    ULONG Count = 0;

    SpyAnswer(SPY_IO_HOOK_REMOVE, &Reset, sizeof(Reset), &Count, sizeof(Count));
    return Count;
}

static LONG set(ULONG Code, LONG New)
{
    LONG Before = -1;

    SpyAnswer(Code, &New, sizeof(New), &Before, sizeof(Before));
    return Before;
}

static char Line[8192];
static const char *next_line(void)
{
    LONG Whole = TRUE;

    assert_ok(SpyAsk(SPY_IO_HOOK_READ, &Whole, sizeof(Whole), Line, sizeof(Line)));
    return Information ? Line : "";
}

static void count_lines(const char *Text, ULONG *Count)
{
    *Count = 0;
    while (*next_line())
        *Count += strstr(Line, Text) != NULL;
}

static SPY_HOOK_INFO Info;
static const SPY_HOOK_INFO *info(void)
{
    SpyAnswer(SPY_IO_HOOK_INFO, NULL, 0, &Info, sizeof(Info));
    return &Info;
}

static void installing_changes_the_table_and_removing_restores_it(void **State)
{
    static PVOID Before[NtServiceCount];
    ULONG Count, Changed = 0;
    LONG Reset = TRUE;

    memcpy(Before, KeServiceDescriptorTable->ntoskrnl.ServiceTable, sizeof(Before));
    assert_status(SpyAsk(SPY_IO_HOOK_REMOVE, &Reset, 4, &Count, 4), STATUS_INVALID_DEVICE_STATE);
    Count = install();
    assert_true(Count >= 44);
    for (ULONG i = 0; i < NtServiceCount; i++)
        Changed += KeServiceDescriptorTable->ntoskrnl.ServiceTable[i] != Before[i];
    assert_int_equal(Changed, Count);
    assert_status(SpyAsk(SPY_IO_HOOK_INSTALL, &Reset, 4, &Changed, 4), STATUS_INVALID_DEVICE_STATE);
    info();
    assert_ptr_equal(Info.SpyHooks[NtServiceNtClose].Handler, Before[NtServiceNtClose]);
    assert_ptr_equal(Info.ServiceTable[NtServiceNtClose],
                     KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose]);
    assert_ptr_not_equal(Info.ServiceTable[NtServiceNtClose], Before[NtServiceNtClose]);
    assert_int_equal(Info.ServiceLimit, NtServiceCount);
    assert_int_equal(Info.ArgumentTable[NtServiceNtClose], 8);
    assert_true(Info.psc && Info.psp);
    assert_int_equal(remove_hooks(), Count);
    assert_memory_equal(KeServiceDescriptorTable->ntoskrnl.ServiceTable, Before, sizeof(Before));
}

/* The installer's own calls are not watched, so another thread makes them. */
static void some_calls(void *Context)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes =
        NtTestName(&Name, L"\\Registry\\Machine\\System\\CurrentControlSet");
    HANDLE Key;

    assert_ok(SYS(NtOpenKey, &Key, KEY_READ, &Attributes));
    assert_ok(SYS(NtFlushKey, Key));
    assert_ok(SYS(NtClose, Key));
}

static void some_calls_and_a_bad_one(void *Context)
{
    some_calls(NULL);
    assert_status(SYS(NtClose, (HANDLE)0x7FFC), STATUS_INVALID_HANDLE);
}

static void elsewhere(void)
{
    DRIVER_THREAD Thread;

    DriverTestThread(&Thread, some_calls_and_a_bad_one, NULL);
    DriverTestJoin(&Thread);
}

static void each_call_is_a_line_in_order(void **State)
{
    unsigned Number, Process, Handle, Handle2, Thread, Handles;
    unsigned long long Time;
    char Name[64];

    set(SPY_IO_HOOK_FILTER, TRUE);
    install();
    elsewhere();
    assert_int_equal(sscanf(next_line(), "%X:s0=NtOpenKey(+%X.%X,n20019,o\"%[^\"]\")%llX,%X,%X",
                            &Number, &Process, &Handle, Name, &Time, &Thread, &Handles),
                     7);
    assert_int_equal(Number, 1);
    assert_int_equal(Handles, 1);
    assert_string_equal(Name, "\\Registry\\Machine\\System\\CurrentControlSet");
    assert_int_equal(sscanf(next_line(), "2:s0=NtFlushKey(!%X.%X=\"\\Registry", &Process, &Handle2),
                     2);
    assert_int_equal(Handle2, Handle);
    assert_int_equal(sscanf(next_line(), "3:s0=NtClose(-%X.%X=", &Process, &Handle2), 2);
    assert_non_null(strstr(Line, ",0"));
    assert_string_equal(next_line(), ""); /* the second close is of a handle nobody knows */
    set(SPY_IO_HOOK_FILTER, FALSE);
    elsewhere();
    next_line();
    next_line();
    next_line();
    assert_non_null(strstr(next_line(), ":sC0000008=NtClose(-"));
    remove_hooks();
}

static void pause_stops_the_lines_and_resuming_starts_anew(void **State)
{
    ULONG Count;

    install();
    assert_int_equal(set(SPY_IO_HOOK_PAUSE, TRUE), FALSE);
    elsewhere();
    assert_string_equal(next_line(), "");
    assert_int_equal(set(SPY_IO_HOOK_PAUSE, FALSE), TRUE);
    elsewhere();
    assert_int_equal(strncmp(next_line(), "1:", 2), 0);
    SpyAnswer(SPY_IO_HOOK_RESET, NULL, 0, NULL, 0);
    assert_string_equal(next_line(), "");
    elsewhere();
    remove_hooks();
    count_lines("NtFlushKey", &Count);
    assert_int_equal(Count, 1);
    elsewhere();
    assert_string_equal(next_line(), "");
}

static void remarks_are_written_as_they_are(void **State)
{
    LONG Whole = FALSE;

    assert_ok(SpyAsk(SPY_IO_HOOK_WRITE, "-a remark\nhalf", 14, NULL, 0));
    assert_int_equal(Information, 0);
    assert_string_equal(next_line(), "-a remark");
    assert_string_equal(next_line(), "");
    assert_ok(SpyAsk(SPY_IO_HOOK_READ_R, &Whole, sizeof(Whole), Line, 3));
    assert_int_equal(Information, 3);
    assert_memory_equal(Line, "hal", 3);
}

/* A call that does not return: removing does not wait for it, and the driver stays with it. */
static HANDLE Event;
static atomic_int Inside, Returned;
static void wait_long(void *Context)
{
    atomic_store(&Inside, 1);
    assert_ok(SYS(NtWaitForSingleObject, Event, FALSE, NULL));
    atomic_store(&Returned, 1);
}

static BOOLEAN somebody_is_inside(void)
{
    static SPY_CALL Calls[SPY_CALLS];
    SPY_MEMORY_BLOCK Block = {info()->psc, sizeof(Calls)};

    SpyAnswer(SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), Calls, sizeof(Calls));
    for (ULONG i = 0; i < SPY_CALLS; i++)
        if (Calls[i].fInUse && Calls[i].dParameters == 4)
            return TRUE;
    return FALSE;
}

static void a_blocked_call_does_not_hold_up_removing_or_unloading(void **State)
{
    PVOID Before = KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose];
    DRIVER_THREAD Thread;
    UNICODE_STRING Key;
    HANDLE File;

    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE));
    install();
    DriverTestThread(&Thread, wait_long, NULL);
    DRIVER_TEST_WAIT(somebody_is_inside());
    assert_true(remove_hooks() >= 44);
    assert_int_equal(atomic_load(&Returned), 0);
    install();
    RtlInitUnicodeString(&Key,
                         L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\w2k_spy");
    assert_ok(ZwUnloadDriver(&Key)); /* takes the hooks away, and waits for the blocked call */
    assert_ptr_equal(KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose], Before);
    DriverTestClose(Spy);
    assert_false(NT_SUCCESS(DriverTestOpen("w2k_spy", GENERIC_READ, &File)));
    assert_int_not_equal(DriverTestBlocks(SPY_TEST_TAG), 0);
    assert_ok(SYS(NtSetEvent, Event, NULL));
    DriverTestJoin(&Thread);
    assert_int_equal(atomic_load(&Returned), 1);
    DRIVER_TEST_WAIT(DriverTestBlocks(SPY_TEST_TAG) == 0);
    DRIVER_TEST_WAIT(DriverTestLoad("w2k_spy") == STATUS_SUCCESS);
    Spy = DriverTestOpened("w2k_spy");
    DriverTestClose(Event);
}

/* Threads that work while hooks come and go: nothing changes for them. */
static atomic_int Stop;
static atomic_ulong Work;
static void worker(void *Context)
{
    while (!atomic_load(&Stop)) {
        some_calls(NULL);
        atomic_fetch_add(&Work, 1);
    }
}

static void a_thousand_installations_under_load_change_nothing(void **State)
{
    DRIVER_THREAD Threads[2];
    ULONG Lines = 0;

    atomic_store(&Stop, 0);
    for (ULONG i = 0; i < 2; i++)
        DriverTestThread(&Threads[i], worker, NULL);
    for (ULONG i = 0; i < 1000; i++) {
        ULONG Before = atomic_load(&Work);

        assert_true(install() >= 44);
        if (i % 50 == 0) /* at other times they meet as they may */
            DRIVER_TEST_WAIT(atomic_load(&Work) > Before + 1);
        assert_true(remove_hooks() >= 44);
        if (i % 50 == 0)
            while (*next_line())
                Lines++;
    }
    atomic_store(&Stop, 1);
    for (ULONG i = 0; i < 2; i++)
        DriverTestJoin(&Threads[i]);
    assert_true(Lines >= 20 * 3);
    assert_int_equal(info()->sh.dMisses, 0);
}

static void counted_calls(void *Context)
{
    for (ULONG i = 0; i < 200; i++)
        some_calls(NULL);
}

static void every_call_of_two_threads_is_logged_once(void **State)
{
    DRIVER_THREAD Threads[2];
    ULONG Opens = 0, Flushes = 0, Closes = 0, Number = 0, At;

    install();
    for (ULONG i = 0; i < 2; i++)
        DriverTestThread(&Threads[i], counted_calls, NULL);
    for (ULONG i = 0; i < 2; i++)
        DriverTestJoin(&Threads[i]);
    remove_hooks();
    while (*next_line()) {
        assert_int_equal(sscanf(Line, "%X:", &At), 1);
        assert_int_equal(At, ++Number);
        Opens += strstr(Line, "=NtOpenKey(") != NULL;
        Flushes += strstr(Line, "=NtFlushKey(") != NULL;
        Closes += strstr(Line, "=NtClose(") != NULL;
    }
    assert_int_equal(Opens, 400);
    assert_int_equal(Flushes, 400);
    assert_int_equal(Closes, 400);
}

/* Through another handle than Spy; Context: that handle. */
static void install_and_leave(void *Context)
{
    LONG Reset = TRUE;
    ULONG Count;
    HANDLE File = DriverTestOpened("w2k_spy");

    assert_ok(DriverTestControl(File, SPY_IO_HOOK_INSTALL, &Reset, 4, &Count, 4));
    if (Context)
        DriverTestClose(File);
}

/* By closing its handle, or by ending without: the hooks do not stay, and the next one may come. */
static void the_hooks_go_with_the_handle_that_installed_them(void **State)
{
    PVOID *Entry = &KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose];
    PVOID Before = *Entry;
    HANDLE Other = DriverTestOpened("w2k_spy");

    install_and_leave(&Other);
    assert_ptr_equal(*Entry, Before);
    DriverTestElsewhere(install_and_leave, NULL);
    assert_ptr_equal(*Entry, Before);
    assert_true(install() >= 44);
    DriverTestClose(Other);
    assert_ptr_not_equal(*Entry, Before);
    assert_true(remove_hooks() >= 44);
    assert_true(install() >= 44);
    DriverTestClose(Spy);
    assert_ptr_equal(*Entry, Before);
    Spy = DriverTestOpened("w2k_spy");
}

static void shutting_down_with_hooks_installed_is_clean(void **State)
{
    install();
    assert_ok(UserNtShutdown());
    assert_int_equal(DriverTestBoot(State), 0);
    Spy = DriverTestOpened("w2k_spy");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SPY_TEST(installing_changes_the_table_and_removing_restores_it),
        SPY_TEST(each_call_is_a_line_in_order),
        SPY_TEST(pause_stops_the_lines_and_resuming_starts_anew),
        SPY_TEST(remarks_are_written_as_they_are),
        SPY_TEST(a_blocked_call_does_not_hold_up_removing_or_unloading),
        SPY_TEST(every_call_of_two_threads_is_logged_once),
        SPY_TEST(a_thousand_installations_under_load_change_nothing),
        SPY_TEST(the_hooks_go_with_the_handle_that_installed_them),
        SPY_TEST(shutting_down_with_hooks_installed_is_clean),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
