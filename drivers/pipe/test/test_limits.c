/* Who may open a pipe, and how much of them a process may have. */
#include "pipe_test.h"

const char *DriverTestLoaded[] = {NT_VARIANT, NULL};

enum { ROOT = 0, OWNER = 1000, STRANGER = 1001 };

/* ---- who ------------------------------------------------------------------------------------- */

static struct {
    EXAMPLE_RESTRICTION Head;
    UCHAR Sid[68];
} Wish;

static NTSTATUS restrict_to(HANDLE Pipe, ULONG Who, ULONG SidLength)
{
    Wish.Head = (EXAMPLE_RESTRICTION){Who, 0};
    return DriverTestControl(Pipe, IOCTL_EXAMPLE_RESTRICT, &Wish, sizeof(Wish.Head) + SidLength,
                             NULL, 0);
}

static const UCHAR Everyone[] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
static const UCHAR Administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0};

static void tries(void *Status)
{
    HANDLE Pipe = NULL;

    *(NTSTATUS *)Status = pipe_open("mine", GENERIC_READ | GENERIC_WRITE, &Pipe);
}

static NTSTATUS open_as(ULONG User)
{
    NTSTATUS Status;

    DriverTestElsewhereAs(User, tries, &Status);
    return Status;
}

/* What happens in the owner's process; the others come while its pipe is open. */
static void for_the_owner_only(void *Context)
{
    HANDLE Pipe = opened("mine"), Again;

    assert_ok(open_as(STRANGER));
    assert_ok(restrict_to(Pipe, EXAMPLE_OWNER, 0));
    assert_status(open_as(STRANGER), STATUS_ACCESS_DENIED);
    assert_status(open_as(ROOT), STATUS_ACCESS_DENIED); /* an administrator is not the owner */
    assert_ok(open_as(OWNER));
    Again = opened("MINE");
    DriverTestClose(Again);
    assert_ok(restrict_to(Pipe, EXAMPLE_EVERYONE, 0));
    assert_ok(open_as(STRANGER));
}

static void a_pipe_for_its_owner_only(void **State)
{
    DriverTestElsewhereAs(OWNER, for_the_owner_only, NULL);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void for_one_sid(void *Context)
{
    HANDLE Pipe = opened("mine");

    memcpy(Wish.Sid, Administrators, sizeof(Administrators));
    assert_ok(restrict_to(Pipe, EXAMPLE_SID, sizeof(Administrators)));
    assert_status(open_as(STRANGER), STATUS_ACCESS_DENIED);
    assert_ok(open_as(ROOT));
    assert_ok(open_as(OWNER));
    memcpy(Wish.Sid, Everyone, sizeof(Everyone));
    assert_ok(restrict_to(Pipe, EXAMPLE_SID, sizeof(Everyone)));
    assert_ok(open_as(STRANGER));
}

static void a_pipe_for_a_given_sid(void **State)
{
    DriverTestElsewhereAs(OWNER, for_one_sid, NULL);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void takes_over(void *Context)
{
    assert_status(restrict_to(opened("mine"), EXAMPLE_OWNER, 0), STATUS_ACCESS_DENIED);
}

static void comes_while_a_stranger_is_in(void *Context)
{
    assert_status(restrict_to(opened("mine"), EXAMPLE_OWNER, 0), STATUS_ACCESS_DENIED);
}

static void has_a_guest(void *Context)
{
    HANDLE Pipe = opened("mine");

    DriverTestElsewhereAs(STRANGER, takes_over, NULL);
    assert_ok(restrict_to(Pipe, EXAMPLE_OWNER, 0));
}

static void only_the_owner_restricts(void **State)
{
    HANDLE Squatted = opened("mine");

    DriverTestElsewhereAs(OWNER, comes_while_a_stranger_is_in, NULL); /* whoever was first */
    DriverTestClose(Squatted);
    DriverTestElsewhereAs(OWNER, has_a_guest, NULL);
}

static HANDLE Mine;

/* A stranger has it open while the owner's thread, which started him, asks. */
static void asks_from_a_visit(void *Context)
{
    DRIVER_THREAD Owner;

    opened("guest");
    DriverTestThread(&Owner, Context, NULL);
    DriverTestJoin(&Owner);
}

static void is_refused(void *Context)
{
    assert_status(restrict_to(Mine, EXAMPLE_OWNER, 0), STATUS_SHARING_VIOLATION);
    assert_ok(restrict_to(Mine, EXAMPLE_EVERYONE, 0));
}

static void who_is_inside_already_stands_against_it(void **State)
{
    HANDLE Again;

    Mine = opened("guest");
    Again = opened("guest"); /* the same user */
    assert_ok(restrict_to(Mine, EXAMPLE_OWNER, 0));
    assert_ok(restrict_to(Mine, EXAMPLE_EVERYONE, 0));
    DriverTestElsewhereAs(STRANGER, asks_from_a_visit, is_refused);
    assert_ok(restrict_to(Mine, EXAMPLE_OWNER, 0)); /* he has gone */
    DriverTestClose(Mine);
    DriverTestClose(Again);
}

static void wrong_restrictions_are_refused(void **State)
{
    HANDLE Pipe = opened("mine");
    EXAMPLE_RESTRICTION Odd = {EXAMPLE_OWNER, 1};

    assert_status(restrict_to(Pipe, 3, 0), STATUS_INVALID_PARAMETER);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_RESTRICT, &Odd, sizeof(Odd), NULL, 0),
                  STATUS_INVALID_PARAMETER);
    assert_status(DriverTestControl(Pipe, IOCTL_EXAMPLE_RESTRICT, &Odd, sizeof(Odd) - 1, NULL, 0),
                  STATUS_BUFFER_TOO_SMALL);
    memcpy(Wish.Sid, Administrators, sizeof(Administrators));
    for (ULONG Length = 0; Length < sizeof(Administrators); Length++)
        assert_status(restrict_to(Pipe, EXAMPLE_SID, Length), STATUS_INVALID_SID);
    Wish.Sid[1] = 16; /* more parts than a SID has */
    assert_status(restrict_to(Pipe, EXAMPLE_SID, sizeof(Wish.Sid)), STATUS_INVALID_SID);
    Wish.Sid[1] = 2;
    Wish.Sid[0] = 2;
    assert_status(restrict_to(Pipe, EXAMPLE_SID, sizeof(Administrators)), STATUS_INVALID_SID);
    DriverTestClose(Pipe);
}

static void holds_it(void *Context)
{
    HANDLE Pipe = opened("mine");

    assert_status(open_as(STRANGER), STATUS_ACCESS_DENIED);
    assert_ok(open_as(OWNER));
    assert_ok(restrict_to(Pipe, EXAMPLE_EVERYONE, 0));
    assert_ok(open_as(STRANGER));
}

static void a_driver_may_be_told_to_keep_users_apart(void **State)
{
    ULONG Yes = 1;

    DriverTestSetting(NT_VARIANT, L"OwnerOnly", REG_DWORD, &Yes, sizeof(Yes));
    DriverTestReload(NT_VARIANT);
    DriverTestElsewhereAs(OWNER, holds_it, NULL);
}

static void a_device_has_the_descriptor_it_was_told_to(void **State)
{
    static const WCHAR OnlyAdministrators[] = L"D:P(A;;GA;;;BA)";

    assert_ok(open_as(STRANGER));
    DriverTestSetting(NT_VARIANT, L"Security", REG_SZ, OnlyAdministrators,
                      sizeof(OnlyAdministrators));
    DriverTestReload(NT_VARIANT);
    assert_status(open_as(STRANGER), STATUS_ACCESS_DENIED);
    assert_ok(open_as(ROOT));
}

/* ---- how much -------------------------------------------------------------------------------- */

static void reload_with(PCWSTR Name, ULONG Number)
{
    DriverTestSetting(NT_VARIANT, Name, REG_DWORD, &Number, sizeof(Number));
    DriverTestReload(NT_VARIANT);
}

/* Opens "many0" ... until it is refused; how many. */
static ULONG open_many(HANDLE *Pipes, ULONG Most, NTSTATUS *Status)
{
    ULONG Count;

    for (Count = 0; Count < Most; Count++) {
        char Name[32];

        snprintf(Name, sizeof(Name), "many%u", (unsigned)Count);
        *Status = pipe_open(Name, GENERIC_READ | GENERIC_WRITE, &Pipes[Count]);
        if (!NT_SUCCESS(*Status))
            break;
    }
    return Count;
}

static void close_many(HANDLE *Pipes, ULONG Count)
{
    while (Count--)
        DriverTestClose(Pipes[Count]);
}

static void opens_one_of_its_own(void *Context)
{
    opened("another");
    opened("many0"); /* which is the other's */
}

static void a_process_has_so_many_names(void **State)
{
    HANDLE Pipes[30], Again;
    NTSTATUS Status;

    reload_with(L"QuotaNames", 20);
    assert_int_equal(open_many(Pipes, 30, &Status), 20);
    assert_status(Status, STATUS_QUOTA_EXCEEDED);
    Again = opened("many7"); /* not another name */
    DriverTestClose(Again);
    DriverTestElsewhere(opens_one_of_its_own, NULL);
    DriverTestClose(Pipes[19]);
    Pipes[19] = opened("instead");
    close_many(Pipes, 20);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void a_process_has_so_many_bytes_of_names(void **State)
{
    static HANDLE Pipes[1000];
    ULONG Count, Again;
    NTSTATUS Status;

    reload_with(L"QuotaBytes", 100000);
    Count = open_many(Pipes, 1000, &Status);
    assert_status(Status, STATUS_QUOTA_EXCEEDED);
    assert_true(Count > 50 && Count < 500);
    close_many(Pipes, Count);
    Again = open_many(Pipes, 1000, &Status);
    assert_int_equal(Again, Count); /* all of it came back */
    close_many(Pipes, Count);
}

static void a_ring_counts_for_who_made_it(void **State)
{
    HANDLE Pipe;
    UCHAR Byte = 1;

    reload_with(L"QuotaBytes", 100000);
    Pipe = opened("ring");
    assert_ok(set(Pipe, 200000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP)); /* there is none yet */
    assert_status(DriverTestWrite(Pipe, &Byte, 1), STATUS_QUOTA_EXCEEDED);
    assert_ok(set(Pipe, 90000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP));
    assert_ok(DriverTestWrite(Pipe, &Byte, 1));
    assert_status(set(Pipe, 90001, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP),
                  STATUS_QUOTA_EXCEEDED);
    assert_int_equal(state(Pipe).Mode.Capacity, 90000);
    assert_ok(DriverTestRead(Pipe, &Byte, 1));
    DriverTestClose(Pipe);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void makes_a_ring(void *Context)
{
    HANDLE Pipe = opened("ring");

    assert_ok(set(Pipe, 60000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP));
    assert_ok(DriverTestWrite(Pipe, "x", 1));
}

static void a_ring_of_another_process_does_not_count(void **State)
{
    HANDLE Pipe, Own;

    reload_with(L"QuotaBytes", 100000);
    Pipe = opened("ring");
    DriverTestElsewhere(makes_a_ring, NULL); /* it has gone, its ring is there still */
    Own = opened("own");
    assert_ok(set(Own, 90000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP));
    assert_ok(DriverTestWrite(Own, "x", 1));
    DriverTestClose(Own);
    assert_ok(set(Pipe, 70000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP)); /* now it is ours */
    Own = opened("own");
    assert_ok(set(Own, 90000, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP));
    assert_status(DriverTestWrite(Own, "x", 1), STATUS_QUOTA_EXCEEDED);
    DriverTestClose(Own);
    DriverTestClose(Pipe);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void requests_that_wait_count(void **State)
{
    static UCHAR Block[4000];
    static IO_STATUS_BLOCK Iosb[100];
    LARGE_INTEGER Start = {.QuadPart = 0};
    UNICODE_STRING String;
    WCHAR Path[100];
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = STATUS_PENDING;
    HANDLE Pipe;
    int Count;

    reload_with(L"QuotaBytes", 100000);
    _snwprintf(Path, 100, L"\\??\\%S\\wait", DEVICE);
    Attributes = NtTestName(&String, Path);
    assert_ok(SYS(NtCreateFile, &Pipe, GENERIC_READ | GENERIC_WRITE, &Attributes, &Iosb[0], NULL, 0,
                  0, FILE_OPEN, 0, NULL, 0));
    assert_ok(set(Pipe, 0, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0));
    for (int Round = 0; Round < 2; Round++) {
        for (Count = 0; Count < 100; Count++) {
            Status = SYS(NtReadFile, Pipe, NULL, NULL, NULL, &Iosb[Count], Block, sizeof(Block),
                         &Start, NULL);
            if (Status != STATUS_PENDING)
                break;
        }
        assert_status(Status, STATUS_QUOTA_EXCEEDED);
        assert_true(Count > 20 && Count < 25);
        assert_ok(SYS(NtCancelIoFile, Pipe, &Iosb[99]));
    }
    DriverTestClose(Pipe);
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(a_pipe_for_its_owner_only),
        DRIVER_TEST(a_pipe_for_a_given_sid),
        DRIVER_TEST(only_the_owner_restricts),
        DRIVER_TEST(who_is_inside_already_stands_against_it),
        DRIVER_TEST(wrong_restrictions_are_refused),
        DRIVER_TEST(a_driver_may_be_told_to_keep_users_apart),
        DRIVER_TEST(a_device_has_the_descriptor_it_was_told_to),
        DRIVER_TEST(a_process_has_so_many_names),
        DRIVER_TEST(a_process_has_so_many_bytes_of_names),
        DRIVER_TEST(a_ring_counts_for_who_made_it),
        DRIVER_TEST(a_ring_of_another_process_does_not_count),
        DRIVER_TEST(requests_that_wait_count),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
