#include "nt/test/nt_test.h"

static void ClosingTwiceFails(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    assert_ok(SYS(NtClose, Event));
    assert_status(SYS(NtClose, Event), STATUS_INVALID_HANDLE);
    assert_status(SYS(NtClose, NULL), STATUS_INVALID_HANDLE);
    assert_status(SYS(NtClose, 0x7FFFFFF0), STATUS_INVALID_HANDLE);
}

static void AProtectedHandleIsNotClosed(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {FALSE, TRUE}, Now;
    assert_ok(
        SYS(NtSetInformationObject, Event, ObjectHandleFlagInformation, &Flags, sizeof(Flags)));
    assert_status(SYS(NtClose, Event), STATUS_HANDLE_NOT_CLOSABLE);
    assert_ok(SYS(NtQueryObject, Event, ObjectHandleFlagInformation, &Now, sizeof(Now), NULL));
    assert_true(Now.ProtectFromClose && !Now.Inherit);
    Flags.ProtectFromClose = FALSE;
    assert_ok(
        SYS(NtSetInformationObject, Event, ObjectHandleFlagInformation, &Flags, sizeof(Flags)));
    assert_ok(SYS(NtClose, Event));
}

static void ADuplicateHasTheAccessAskedFor(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE), Copy, Process = ZwCurrentProcess();
    assert_ok(SYS(NtDuplicateObject, Process, Event, Process, &Copy, SYNCHRONIZE, 0, 0));
    assert_status(SYS(NtSetEvent, Copy, NULL), STATUS_ACCESS_DENIED);
    assert_ok(SYS(NtSetEvent, Event, NULL));
    assert_ok(SYS(NtClose, Copy));
    assert_ok(SYS(NtDuplicateObject, Process, Event, Process, &Copy, 0, 0,
                  DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    assert_status(SYS(NtClose, Event), STATUS_INVALID_HANDLE);
    assert_ok(SYS(NtClose, Copy));
}

static void BasicInformationCountsHandles(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE), Copy, Process = ZwCurrentProcess();
    PUBLIC_OBJECT_BASIC_INFORMATION Basic;
    ULONG Returned;
    assert_ok(SYS(NtDuplicateObject, Process, Event, Process, &Copy, 0, 0, DUPLICATE_SAME_ACCESS));
    assert_ok(SYS(NtQueryObject, Event, ObjectBasicInformation, &Basic, sizeof(Basic), &Returned));
    assert_int_equal(Basic.HandleCount, 2);
    assert_int_equal(Basic.GrantedAccess, EVENT_ALL_ACCESS);
    assert_int_equal(Returned, sizeof(Basic));
    assert_status(
        SYS(NtQueryObject, Event, ObjectBasicInformation, &Basic, sizeof(Basic) - 1, &Returned),
        STATUS_INFO_LENGTH_MISMATCH);
    assert_ok(SYS(NtClose, Copy));
    assert_ok(SYS(NtClose, Event));
}

static void TheNameIsTheWholePath(void **Unused)
{
    UNICODE_STRING Name, Expected;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\NtTest");
    UCHAR Buffer[256];
    POBJECT_NAME_INFORMATION Information = (PVOID)Buffer;
    ULONG Needed;
    HANDLE Event;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    NTSTATUS Status = SYS(NtQueryObject, Event, ObjectNameInformation, Buffer, 4, &Needed);
    assert_true(NT_ERROR(Status));
    assert_in_range(Needed, sizeof(UNICODE_STRING) + Name.Length, sizeof(Buffer));
    assert_ok(SYS(NtQueryObject, Event, ObjectNameInformation, Buffer, Needed, &Needed));
    RtlInitUnicodeString(&Expected, L"\\BaseNamedObjects\\NtTest");
    assert_true(RtlEqualUnicodeString(&Information->Name, &Expected, FALSE));
    assert_in_range((ULONG_PTR)Information->Name.Buffer, (ULONG_PTR)Buffer,
                    (ULONG_PTR)Buffer + sizeof(Buffer));
    assert_ok(SYS(NtClose, Event));
}

static void TheTypeHasAName(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    UCHAR Buffer[256];
    PPUBLIC_OBJECT_TYPE_INFORMATION Information = (PVOID)Buffer;
    UNICODE_STRING Expected;
    ULONG Needed;
    assert_status(SYS(NtQueryObject, Event, ObjectTypeInformation, Buffer, 0, &Needed),
                  STATUS_INFO_LENGTH_MISMATCH);
    assert_ok(SYS(NtQueryObject, Event, ObjectTypeInformation, Buffer, Needed, &Needed));
    RtlInitUnicodeString(&Expected, L"Event");
    assert_true(RtlEqualUnicodeString(&Information->TypeName, &Expected, FALSE));
    assert_status(SYS(NtQueryObject, Event, 99, Buffer, sizeof(Buffer), NULL),
                  STATUS_INVALID_INFO_CLASS);
    assert_ok(SYS(NtClose, Event));
}

static void ATemporaryObjectLosesItsName(void **Unused)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Permanent");
    HANDLE Event, Again;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    assert_ok(ZwMakePermanentObject(Event));
    assert_ok(SYS(NtClose, Event));
    assert_ok(SYS(NtOpenEvent, &Again, EVENT_ALL_ACCESS, &Attributes));
    assert_ok(SYS(NtMakeTemporaryObject, Again));
    assert_ok(SYS(NtClose, Again));
    assert_status(SYS(NtOpenEvent, &Again, EVENT_ALL_ACCESS, &Attributes),
                  STATUS_OBJECT_NAME_NOT_FOUND);
}

static void AttributesAreChecked(void **Unused)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Good = NtTestName(&Name, L"\\BaseNamedObjects\\X"), Bad = Good;
    HANDLE Event;
    Bad.Length--;
    assert_status(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Bad, NotificationEvent, FALSE),
                  STATUS_INVALID_PARAMETER);
    Bad = Good;
    Bad.Attributes = 0xF0000000;
    assert_status(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Bad, NotificationEvent, FALSE),
                  STATUS_INVALID_PARAMETER);
    Name.Length--;
    assert_status(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Good, NotificationEvent, FALSE),
                  STATUS_OBJECT_NAME_INVALID);
}

static void ADirectoryListsItsEntries(void **Unused)
{
    UNICODE_STRING Name, DirectoryName, Expected;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Listed");
    OBJECT_ATTRIBUTES DirectoryAttributes = NtTestName(&DirectoryName, L"\\BaseNamedObjects");
    UCHAR Buffer[1024];
    POBJECT_DIRECTORY_INFORMATION Entry = (PVOID)Buffer;
    HANDLE Event, Directory;
    ULONG Context = 0, Returned, Found = 0;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    assert_ok(SYS(NtOpenDirectoryObject, &Directory, DIRECTORY_QUERY, &DirectoryAttributes));
    RtlInitUnicodeString(&Expected, L"Listed");
    assert_status(
        SYS(NtQueryDirectoryObject, Directory, Buffer, 8, TRUE, TRUE, &Context, &Returned),
        STATUS_BUFFER_TOO_SMALL);
    Context = 0;
    while (SYS(NtQueryDirectoryObject, Directory, Buffer, sizeof(Buffer), TRUE, FALSE, &Context,
               &Returned) == STATUS_SUCCESS)
        Found += RtlEqualUnicodeString(&Entry->Name, &Expected, FALSE);
    assert_int_equal(Found, 1);
    assert_status(SYS(NtQueryDirectoryObject, Directory, Buffer, sizeof(Buffer), TRUE, FALSE,
                      &Context, &Returned),
                  STATUS_NO_MORE_ENTRIES);
    assert_ok(SYS(NtQueryDirectoryObject, Directory, Buffer, sizeof(Buffer), FALSE, TRUE, &Context,
                  &Returned));
    assert_ok(SYS(NtClose, Directory));
    assert_ok(SYS(NtClose, Event));
}

static void ALinkLeadsToItsTarget(void **Unused)
{
    UNICODE_STRING Name, Target, LinkedName;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Link");
    OBJECT_ATTRIBUTES Linked = NtTestName(&LinkedName, L"\\BaseNamedObjects\\Link\\Linked");
    WCHAR Buffer[64];
    UNICODE_STRING Out = {0, sizeof(Buffer), Buffer}, Short = {0, 4, Buffer};
    HANDLE Link, Event, Same;
    ULONG Needed;
    RtlInitUnicodeString(&Target, L"\\BaseNamedObjects");
    assert_ok(
        SYS(NtCreateSymbolicLinkObject, &Link, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &Target));
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Linked, NotificationEvent, FALSE));
    Linked = NtTestName(&LinkedName, L"\\BaseNamedObjects\\Linked");
    assert_ok(SYS(NtOpenEvent, &Same, SYNCHRONIZE, &Linked));
    assert_status(SYS(NtQuerySymbolicLinkObject, Link, &Short, &Needed), STATUS_BUFFER_TOO_SMALL);
    assert_ok(SYS(NtQuerySymbolicLinkObject, Link, &Out, &Needed));
    assert_true(RtlEqualUnicodeString(&Out, &Target, FALSE));
    assert_ok(SYS(NtClose, Link));
    assert_ok(SYS(NtClose, Event));
    assert_ok(SYS(NtClose, Same));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(ClosingTwiceFails),
        NT_TEST(AProtectedHandleIsNotClosed),
        NT_TEST(ADuplicateHasTheAccessAskedFor),
        NT_TEST(BasicInformationCountsHandles),
        NT_TEST(TheNameIsTheWholePath),
        NT_TEST(TheTypeHasAName),
        NT_TEST(ATemporaryObjectLosesItsName),
        NT_TEST(AttributesAreChecked),
        NT_TEST(ADirectoryListsItsEntries),
        NT_TEST(ALinkLeadsToItsTarget),
    };
    return cmocka_run_group_tests_name("nt-object", Tests, NULL, NULL);
}
