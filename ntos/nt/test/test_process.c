#include "nt/test/nt_test.h"

static void AProcessIsOpenedById(void **Unused)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes)}, Named;
    CLIENT_ID Id = {PsGetCurrentProcessId(), NULL}, Nobody = {(HANDLE)0x7FFFFFF0, NULL};
    PROCESS_BASIC_INFORMATION Basic;
    UNICODE_STRING Name;
    HANDLE Process;
    assert_ok(SYS(NtOpenProcess, &Process, PROCESS_ALL_ACCESS, &Attributes, &Id));
    assert_ok(SYS(NtQueryInformationProcess, Process, ProcessBasicInformation, &Basic,
                  sizeof(Basic), NULL));
    assert_int_equal(Basic.UniqueProcessId, (ULONG_PTR)Id.UniqueProcess);
    assert_int_equal(Basic.ExitStatus, STATUS_PENDING);
    assert_ok(SYS(NtClose, Process));
    assert_status(SYS(NtOpenProcess, &Process, PROCESS_ALL_ACCESS, &Attributes, &Nobody),
                  STATUS_INVALID_CID);
    assert_status(SYS(NtOpenProcess, &Process, PROCESS_ALL_ACCESS, &Attributes, NULL),
                  STATUS_INVALID_PARAMETER_MIX);
    Named = NtTestName(&Name, L"\\x");
    assert_status(SYS(NtOpenProcess, &Process, PROCESS_ALL_ACCESS, &Named, &Id),
                  STATUS_INVALID_PARAMETER_MIX);
}

static void AThreadIsOpenedById(void **Unused)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes)};
    CLIENT_ID Id = {PsGetCurrentProcessId(), PsGetCurrentThreadId()},
              Wrong = {(HANDLE)4, PsGetCurrentThreadId()};
    THREAD_BASIC_INFORMATION Basic;
    ULONG Last;
    HANDLE Thread;
    assert_ok(SYS(NtOpenThread, &Thread, THREAD_ALL_ACCESS, &Attributes, &Id));
    assert_ok(
        SYS(NtQueryInformationThread, Thread, ThreadBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_ptr_equal(Basic.ClientId.UniqueThread, Id.UniqueThread);
    assert_ok(
        SYS(NtQueryInformationThread, Thread, ThreadAmILastThread, &Last, sizeof(Last), NULL));
    assert_int_equal(Last, 1);
    assert_status(SYS(NtQueryInformationThread, Thread, ThreadAmILastThread, &Last, 2, NULL),
                  STATUS_INFO_LENGTH_MISMATCH);
    assert_ok(SYS(NtClose, Thread));
    assert_status(SYS(NtOpenThread, &Thread, THREAD_ALL_ACCESS, &Attributes, &Wrong),
                  STATUS_INVALID_CID);
}

static void ThePriorityOfAThreadIsSet(void **Unused)
{
    THREAD_BASIC_INFORMATION Basic;
    KPRIORITY Priority = 9, Absurd = 99;
    HANDLE Thread = ZwCurrentThread();
    assert_ok(SYS(NtSetInformationThread, Thread, ThreadPriority, &Priority, sizeof(Priority)));
    assert_ok(
        SYS(NtQueryInformationThread, Thread, ThreadBasicInformation, &Basic, sizeof(Basic), NULL));
    assert_int_equal(Basic.Priority, 9);
    assert_status(SYS(NtSetInformationThread, Thread, ThreadPriority, &Absurd, sizeof(Absurd)),
                  STATUS_INVALID_PARAMETER);
    assert_status(SYS(NtSetInformationThread, Thread, ThreadPriority, &Absurd, 1),
                  STATUS_INFO_LENGTH_MISMATCH);
    assert_status(SYS(NtSetInformationThread, Thread, 77, &Absurd, 4), STATUS_INVALID_INFO_CLASS);
}

static void NobodyEndsTheSystemProcess(void **Unused)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    CLIENT_ID System = {(HANDLE)4, NULL};
    HANDLE Process;
    assert_ok(ZwOpenProcess(&Process, PROCESS_ALL_ACCESS, &Attributes, &System));
    assert_status(ZwTerminateProcess(Process, STATUS_SUCCESS), STATUS_ACCESS_DENIED);
    assert_ok(ZwClose(Process));
}

static void TheImageHasAName(void **Unused)
{
    UCHAR Buffer[1024];
    PUNICODE_STRING Name = (PVOID)Buffer;
    ULONG Needed, Mode = 3, Now;
    assert_status(SYS(NtQueryInformationProcess, ZwCurrentProcess(), ProcessImageFileName, Buffer,
                      4, &Needed),
                  STATUS_INFO_LENGTH_MISMATCH);
    assert_ok(SYS(NtQueryInformationProcess, ZwCurrentProcess(), ProcessImageFileName, Buffer,
                  Needed, &Needed));
    assert_ptr_equal(Name->Buffer, Name + 1);
    assert_int_not_equal(Name->Length, 0);
    assert_ok(SYS(NtSetInformationProcess, ZwCurrentProcess(), ProcessDefaultHardErrorMode, &Mode,
                  sizeof(Mode)));
    assert_ok(SYS(NtQueryInformationProcess, ZwCurrentProcess(), ProcessDefaultHardErrorMode, &Now,
                  sizeof(Now), NULL));
    assert_int_equal(Now, 3);
}

static void ATokenDescribesItsUser(void **Unused)
{
    UCHAR Buffer[1024];
    PTOKEN_USER User = (PVOID)Buffer;
    PTOKEN_PRIVILEGES Privileges = (PVOID)Buffer;
    TOKEN_TYPE Type;
    ULONG Needed;
    HANDLE Token;
    assert_ok(SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_QUERY, &Token));
    assert_status(SYS(NtQueryInformationToken, Token, TokenUser, NULL, 0, &Needed),
                  STATUS_BUFFER_TOO_SMALL);
    assert_ok(SYS(NtQueryInformationToken, Token, TokenUser, Buffer, Needed, &Needed));
    assert_ptr_equal(User->User.Sid, User + 1);
    assert_true(RtlValidSid(User->User.Sid));
    assert_ok(SYS(NtQueryInformationToken, Token, TokenGroups, Buffer, sizeof(Buffer), &Needed));
    assert_ok(
        SYS(NtQueryInformationToken, Token, TokenPrivileges, Buffer, sizeof(Buffer), &Needed));
    assert_int_equal(Needed, 4 + Privileges->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES));
    assert_ok(SYS(NtQueryInformationToken, Token, TokenType, &Type, sizeof(Type), &Needed));
    assert_int_equal(Type, TokenPrimary);
    assert_status(SYS(NtQueryInformationToken, Token, 99, Buffer, sizeof(Buffer), &Needed),
                  STATUS_INVALID_INFO_CLASS);
    assert_ok(SYS(NtClose, Token));
    assert_status(SYS(NtOpenThreadToken, ZwCurrentThread(), TOKEN_QUERY, TRUE, &Token),
                  STATUS_NO_TOKEN);
}

static void APrivilegeIsSwitchedAndChecked(void **Unused)
{
    TOKEN_PRIVILEGES New = {1, {{{SE_DEBUG_PRIVILEGE, 0}, SE_PRIVILEGE_ENABLED}}}, Old;
    PRIVILEGE_SET Set = {1, PRIVILEGE_SET_ALL_NECESSARY, {{{SE_DEBUG_PRIVILEGE, 0}, 0}}};
    BOOLEAN Held;
    ULONG Needed;
    HANDLE Token;
    assert_ok(
        SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES, &Token));
    assert_ok(SYS(NtAdjustPrivilegesToken, Token, FALSE, &New, sizeof(Old), &Old, &Needed));
    assert_ok(SYS(NtPrivilegeCheck, Token, &Set, &Held));
    assert_true(Held);
    New.Privileges[0].Attributes = 0;
    assert_ok(SYS(NtAdjustPrivilegesToken, Token, FALSE, &New, sizeof(Old), &Old, &Needed));
    assert_int_equal(Old.PrivilegeCount, 1);
    assert_ok(SYS(NtPrivilegeCheck, Token, &Set, &Held));
    assert_false(Held);
    New.Privileges[0].Luid.LowPart = 0x7777;
    assert_status(SYS(NtAdjustPrivilegesToken, Token, FALSE, &New, 0, NULL, NULL),
                  STATUS_NOT_ALL_ASSIGNED);
    assert_ok(SYS(NtClose, Token));
}

static void LoadingADriverNeedsThePrivilege(void **Unused)
{
    UNICODE_STRING Key;
    HANDLE Token;
    RtlInitUnicodeString(&Key,
                         L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Nothing");
    assert_ok(SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &Token));
    assert_ok(SYS(NtAdjustPrivilegesToken, Token, TRUE, NULL, 0, NULL, NULL));
    assert_status(SYS(NtLoadDriver, &Key), STATUS_PRIVILEGE_NOT_HELD);
    assert_status(SYS(NtUnloadDriver, &Key), STATUS_PRIVILEGE_NOT_HELD);
    assert_status(SYS(NtShutdownSystem, ShutdownNoReboot), STATUS_PRIVILEGE_NOT_HELD);
    assert_ok(SYS(NtClose, Token));
    assert_status(ZwLoadDriver(&Key), STATUS_OBJECT_NAME_NOT_FOUND);
}

static __attribute__((noinline)) void DirtyTheStack(void)
{
    volatile UCHAR Dirt[0x4000];

    for (ULONG i = 0; i < sizeof(Dirt); i++)
        Dirt[i] = 0x5A;
}

static void GapsBetweenMembersAreZero(void **Unused)
{
    UCHAR Answer[64];
    HANDLE Mutant;
    ULONG Length;

    DirtyTheStack();
    assert_ok(SYS(NtQueryInformationProcess, (ULONG_PTR)-1, ProcessBasicInformation, Answer,
                  sizeof(PROCESS_BASIC_INFORMATION), &Length));
    assert_int_equal(*(ULONG *)(Answer + 4), 0);
    DirtyTheStack();
    assert_ok(SYS(NtQueryInformationThread, (ULONG_PTR)-2, ThreadBasicInformation, Answer,
                  sizeof(THREAD_BASIC_INFORMATION), &Length));
    assert_int_equal(*(ULONG *)(Answer + 4), 0);
    assert_ok(SYS(NtCreateMutant, &Mutant, MUTANT_ALL_ACCESS, NULL, FALSE));
    DirtyTheStack();
    assert_ok(SYS(NtQueryMutant, Mutant, MutantBasicInformation, Answer,
                  sizeof(MUTANT_BASIC_INFORMATION), &Length));
    assert_int_equal(*(USHORT *)(Answer + 6), 0);
    assert_ok(SYS(NtClose, Mutant));
}

static void SecurityIsReadBack(void **Unused)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Secured");
    HANDLE Event;
    UCHAR Buffer[1024];
    ULONG Needed;
    SECURITY_INFORMATION All =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    SECURITY_DESCRIPTOR Absolute;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    NTSTATUS Status = SYS(NtQuerySecurityObject, Event, All, Buffer, 0, &Needed);
    assert_status(Status, STATUS_BUFFER_TOO_SMALL);
    assert_ok(SYS(NtQuerySecurityObject, Event, All, Buffer, sizeof(Buffer), &Needed));
    assert_ok(SYS(NtSetSecurityObject, Event, DACL_SECURITY_INFORMATION, Buffer));
    assert_ok(RtlCreateSecurityDescriptor(&Absolute, SECURITY_DESCRIPTOR_REVISION));
    assert_ok(RtlSetDaclSecurityDescriptor(&Absolute, TRUE, NULL, FALSE));
    assert_ok(SYS(NtSetSecurityObject, Event, DACL_SECURITY_INFORMATION, &Absolute));
    Absolute.Dacl = (PACL)NtTestGonePage();
    assert_status(SYS(NtSetSecurityObject, Event, DACL_SECURITY_INFORMATION, &Absolute),
                  STATUS_ACCESS_VIOLATION);
    assert_ok(SYS(NtClose, Event));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(AProcessIsOpenedById),
        NT_TEST(AThreadIsOpenedById),
        NT_TEST(ThePriorityOfAThreadIsSet),
        NT_TEST(NobodyEndsTheSystemProcess),
        NT_TEST(TheImageHasAName),
        NT_TEST(ATokenDescribesItsUser),
        NT_TEST(APrivilegeIsSwitchedAndChecked),
        NT_TEST(LoadingADriverNeedsThePrivilege),
        NT_TEST(GapsBetweenMembersAreZero),
        NT_TEST(SecurityIsReadBack),
    };
    return cmocka_run_group_tests_name("nt-process", Tests, NULL, NULL);
}
