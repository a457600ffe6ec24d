/* Tokens, privileges and access checks. */
#include "se_test.h"

typedef struct ANSWER {
    BOOLEAN Allowed;
    ACCESS_MASK Granted;
    NTSTATUS Status;
    ULONG Privilege; /* the first one used */
} ANSWER;

static ANSWER AskFor(SE_TOKEN *Token, PCWSTR Sddl, ACCESS_MASK Desired, ACCESS_MASK Previous,
                     KPROCESSOR_MODE Mode)
{
    PSECURITY_DESCRIPTOR Descriptor = SeTestSddl(Sddl);
    SECURITY_SUBJECT_CONTEXT Subject = {.PrimaryToken = Token};
    PPRIVILEGE_SET Used;
    ANSWER Answer = {0};
    Answer.Allowed = SeAccessCheck(Descriptor, &Subject, FALSE, Desired, Previous, &Used, MAPPING,
                                   Mode, &Answer.Granted, &Answer.Status);
    if (Used) {
        Answer.Privilege = Used->Privilege[0].Luid.LowPart;
        SeFreePrivileges(Used);
    }
    ExFreePool(Descriptor);
    return Answer;
}

#define ASK(token, sddl, desired) AskFor(token, L"" sddl, desired, 0, UserMode)
#define assert_allowed(answer, mask)                                                               \
    do {                                                                                           \
        ANSWER Answer_ = (answer);                                                                 \
        assert_true(Answer_.Allowed);                                                              \
        assert_success(Answer_.Status);                                                            \
        assert_int_equal(Answer_.Granted, (mask));                                                 \
    } while (0)
#define assert_denied(answer, status)                                                              \
    do {                                                                                           \
        ANSWER Answer_ = (answer);                                                                 \
        assert_false(Answer_.Allowed);                                                             \
        assert_status(Answer_.Status, (status));                                                   \
    } while (0)

static void Enable(SE_TOKEN *Token, ULONG Privilege)
{
    LUID Luid = RtlConvertUlongToLuid(Privilege);
    BOOLEAN Was;
    assert_success(SeAdjustPrivilege_(Token, &Luid, TRUE, &Was));
}

static void a_token_is_made_of_a_host_user(void **state)
{
    SE_TOKEN *Root = SeTestToken(0), *Boot = SeTestToken(TEST_BOOT_USER),
             *Other = SeTestToken(1234);
    UNICODE_STRING Text;
    assert_true(SeTokenIsAdmin(Root) && SeTokenIsAdmin(Boot) && SeTokenIsAdmin(SeSystemToken()));
    assert_false(SeTokenIsAdmin(Other));
    assert_success(RtlConvertSidToUnicodeString(&Text, Other->User, TRUE));
    assert_true(RtlSuffixUnicodeString(U("-2234"), &Text, FALSE));
    assert_true(RtlPrefixUnicodeString(U("S-1-5-21-"), &Text, FALSE));
    RtlFreeUnicodeString(&Text);
    assert_int_equal(SeTokenType(Other), TokenPrimary);
    LUID Logon;
    assert_success(SeQueryAuthenticationIdToken(SeSystemToken(), &Logon));
    assert_int_equal(Logon.LowPart, 0x3E7);
    assert_false(RtlEqualLuid(&Root->TokenId, &Other->TokenId));
    ObDereferenceObject(Root);
    ObDereferenceObject(Boot);
    ObDereferenceObject(Other);
}

static void information_of_a_token_is_copied(void **state)
{
    SE_TOKEN *Token = SeTestToken(5);
    TOKEN_USER *User;
    TOKEN_GROUPS *Groups;
    TOKEN_PRIVILEGES *Privileges;
    TOKEN_STATISTICS *Statistics;
    PVOID Wrong;
    ULONG Level;
    assert_success(SeQueryInformationToken(Token, TokenUser, (PVOID *)&User));
    assert_true(RtlEqualSid(User->User.Sid, Token->User));
    ExFreePool(User);
    assert_success(SeQueryInformationToken(Token, TokenGroups, (PVOID *)&Groups));
    assert_int_equal(Groups->GroupCount, Token->GroupCount);
    for (ULONG i = 0; i < Groups->GroupCount; i++)
        assert_true(RtlEqualSid(Groups->Groups[i].Sid, Token->Groups[i].Sid));
    ExFreePool(Groups);
    assert_success(SeQueryInformationToken(Token, TokenPrivileges, (PVOID *)&Privileges));
    assert_int_equal(Privileges->PrivilegeCount, Token->PrivilegeCount);
    ExFreePool(Privileges);
    assert_success(SeQueryInformationToken(Token, TokenStatistics, (PVOID *)&Statistics));
    assert_int_equal(Statistics->TokenType, TokenPrimary);
    ExFreePool(Statistics);
    assert_success(SeQueryInformationToken(Token, TokenIntegrityLevel, (PVOID *)&Level));
    assert_int_equal(Level, SECURITY_MANDATORY_MEDIUM_RID);
    assert_status(SeQueryInformationToken(Token, TokenImpersonationLevel, &Wrong),
                  STATUS_INVALID_INFO_CLASS);
    assert_status(SeQueryInformationToken(Token, TokenSource, &Wrong), STATUS_INVALID_INFO_CLASS);
    ObDereferenceObject(Token);
}

static void a_privilege_counts_when_it_is_enabled(void **state)
{
    LUID Load = RtlConvertUlongToLuid(SE_LOAD_DRIVER_PRIVILEGE),
         Tcb = RtlConvertUlongToLuid(SE_TCB_PRIVILEGE);
    BOOLEAN Was = TRUE;
    SeTestPrimary = SeTestToken(TEST_BOOT_USER);
    assert_true(SeSinglePrivilegeCheck(Load, KernelMode));
    assert_false(SeSinglePrivilegeCheck(Load, UserMode));
    assert_success(SeAdjustPrivilege_(SeTestPrimary, &Load, TRUE, &Was));
    assert_false(Was);
    assert_true(SeSinglePrivilegeCheck(Load, UserMode));
    assert_status(SeAdjustPrivilege_(SeTestPrimary, &Tcb, TRUE, &Was), STATUS_NO_SUCH_PRIVILEGE);
    struct {
        PRIVILEGE_SET Set;
        LUID_AND_ATTRIBUTES More;
    } Both = {{2, PRIVILEGE_SET_ALL_NECESSARY, {{Load, 0}}}, {Tcb, 0}};
    SECURITY_SUBJECT_CONTEXT Subject;
    SeCaptureSubjectContext(&Subject);
    assert_false(SePrivilegeCheck(&Both.Set, &Subject, UserMode));
    Both.Set.Control = 0;
    assert_true(SePrivilegeCheck(&Both.Set, &Subject, UserMode));
    assert_int_equal(Both.Set.Privilege[0].Attributes, SE_PRIVILEGE_USED_FOR_ACCESS);
    SeReleaseSubjectContext(&Subject);
    ObDereferenceObject(SeTestPrimary);
}

static void kernel_mode_passes(void **state)
{
    assert_allowed(AskFor(SeSystemToken(), L"D:P", GENERIC_READ, 0, KernelMode), 0x120089);
    assert_allowed(AskFor(SeSystemToken(), L"D:P", MAXIMUM_ALLOWED, 0, KernelMode), 0x1F01FF);
}

static void entries_decide_in_their_order(void **state)
{
    SE_TOKEN *User = SeTestToken(7), *Admin = SeTestToken(0);
    assert_allowed(ASK(User, "O:SYD:P(A;;GA;;;SY)(A;;GR;;;WD)", GENERIC_READ), 0x120089);
    assert_denied(ASK(User, "O:SYD:P(A;;GA;;;SY)(A;;GR;;;WD)", GENERIC_WRITE),
                  STATUS_ACCESS_DENIED);
    assert_denied(ASK(User, "O:SYD:P(D;;GR;;;BU)(A;;GA;;;WD)", GENERIC_READ), STATUS_ACCESS_DENIED);
    assert_allowed(ASK(User, "O:SYD:P(A;;GA;;;WD)(D;;GR;;;BU)", GENERIC_READ), 0x120089);
    assert_allowed(ASK(User, "O:SYD:P(A;;GR;;;WD)(A;;GW;;;IU)", GENERIC_READ | GENERIC_WRITE),
                   0x12019F);
    assert_denied(ASK(User, "O:SYD:P(A;;GA;;;BA)", 1), STATUS_ACCESS_DENIED);
    assert_allowed(ASK(Admin, "O:SYD:P(A;;GA;;;BA)", GENERIC_ALL), 0x1F01FF);
    assert_denied(ASK(User, "O:SYD:P(A;IOCI;GA;;;WD)", 1), STATUS_ACCESS_DENIED);
    assert_denied(ASK(User, "O:SYD:P", 1), STATUS_ACCESS_DENIED);
    ObDereferenceObject(User);
    ObDereferenceObject(Admin);
}

static void no_dacl_grants_everything(void **state)
{
    SE_TOKEN *User = SeTestToken(7);
    assert_allowed(ASK(User, "O:SY", GENERIC_ALL), 0x1F01FF);
    assert_allowed(ASK(User, "O:SYD:NO_ACCESS_CONTROL", MAXIMUM_ALLOWED), 0x1F01FF);
    ObDereferenceObject(User);
}

static void the_owner_may_read_and_write_the_dacl(void **state)
{
    SE_TOKEN *Admin = SeTestToken(0), *User = SeTestToken(7);
    assert_allowed(ASK(Admin, "O:BAD:P", READ_CONTROL | WRITE_DAC), READ_CONTROL | WRITE_DAC);
    assert_denied(ASK(Admin, "O:BAD:P", READ_CONTROL | 1), STATUS_ACCESS_DENIED);
    assert_denied(ASK(User, "O:BAD:P", READ_CONTROL), STATUS_ACCESS_DENIED);
    assert_denied(ASK(Admin, "O:BAD:P(A;;FR;;;OW)", WRITE_DAC), STATUS_ACCESS_DENIED);
    assert_allowed(ASK(Admin, "O:BAD:P(A;;FR;;;OW)", 1), 1);
    ObDereferenceObject(Admin);
    ObDereferenceObject(User);
}

static void maximum_allowed_collects(void **state)
{
    SE_TOKEN *User = SeTestToken(7);
    assert_allowed(ASK(User, "O:SYD:P(D;;0x1;;;WD)(A;;FR;;;WD)", MAXIMUM_ALLOWED), 0x120088);
    assert_allowed(ASK(User, "O:SYD:P(A;;0x1;;;WD)(D;;0x3;;;WD)(A;;0x7;;;WD)", MAXIMUM_ALLOWED),
                   0x5);
    assert_denied(ASK(User, "O:SYD:P", MAXIMUM_ALLOWED), STATUS_ACCESS_DENIED);
    assert_denied(ASK(User, "O:SYD:P(A;;0x1;;;WD)", MAXIMUM_ALLOWED | 2), STATUS_ACCESS_DENIED);
    ObDereferenceObject(User);
}

static void privileges_grant_what_they_are_for(void **state)
{
    SE_TOKEN *Admin = SeTestToken(0);
    assert_denied(ASK(Admin, "O:SYD:P(A;;GA;;;BA)", ACCESS_SYSTEM_SECURITY),
                  STATUS_PRIVILEGE_NOT_HELD);
    assert_denied(ASK(Admin, "O:SYD:P", WRITE_OWNER), STATUS_ACCESS_DENIED);
    Enable(Admin, SE_SECURITY_PRIVILEGE);
    Enable(Admin, SE_TAKE_OWNERSHIP_PRIVILEGE);
    ANSWER Answer = ASK(Admin, "O:SYD:P", ACCESS_SYSTEM_SECURITY);
    assert_int_equal(Answer.Privilege, SE_SECURITY_PRIVILEGE);
    assert_allowed(Answer, ACCESS_SYSTEM_SECURITY);
    assert_allowed(ASK(Admin, "O:SYD:P", WRITE_OWNER), WRITE_OWNER);
    ObDereferenceObject(Admin);
}

static void what_was_granted_before_stays(void **state)
{
    SE_TOKEN *User = SeTestToken(7);
    assert_allowed(AskFor(User, L"O:SYD:P", 0, 0x10, UserMode), 0x10);
    assert_allowed(AskFor(User, L"O:SYD:P(A;;0x1;;;WD)", 1, 0x10, UserMode), 0x11);
    assert_denied(AskFor(User, L"O:SYD:P", 0, 0, UserMode), STATUS_ACCESS_DENIED);
    ObDereferenceObject(User);
}

static void an_impersonated_client_decides_if_it_allowed_that(void **state)
{
    SE_TOKEN *User = SeTestToken(7);
    PSECURITY_DESCRIPTOR Descriptor = SeTestSddl(L"O:SYD:P(A;;GA;;;SY)");
    SECURITY_SUBJECT_CONTEXT Subject;
    ACCESS_MASK Granted;
    NTSTATUS Status;
    SeTestClient = User;
    SeCaptureSubjectContext(&Subject);
    assert_ptr_equal(Subject.ClientToken, User);
    assert_ptr_equal(Subject.PrimaryToken, SeSystemToken());
    SeLockSubjectContext(&Subject);
    assert_false(SeAccessCheck(Descriptor, &Subject, TRUE, 1, 0, NULL, MAPPING, UserMode, &Granted,
                               &Status));
    assert_status(Status, STATUS_ACCESS_DENIED);
    Subject.ImpersonationLevel = SecurityIdentification;
    assert_false(SeAccessCheck(Descriptor, &Subject, TRUE, 1, 0, NULL, MAPPING, UserMode, &Granted,
                               &Status));
    assert_status(Status, STATUS_BAD_IMPERSONATION_LEVEL);
    SeUnlockSubjectContext(&Subject);
    SeReleaseSubjectContext(&Subject);
    assert_false(
        SeAccessCheck(NULL, &Subject, FALSE, 1, 0, NULL, MAPPING, UserMode, &Granted, &Status));
    ExFreePool(Descriptor);
    ObDereferenceObject(User);
}

static void a_check_above_passive_level_is_a_bug_check(void **state)
{
    VF_BUGCHECK Record;
    SECURITY_SUBJECT_CONTEXT Subject;
    KIRQL Irql;
    KeRaiseIrql(APC_LEVEL, &Irql);
    VF_EXPECT_BUGCHECK (&Record) {
        SeCaptureSubjectContext(&Subject);
    }
    KeLowerIrql(Irql);
    assert_int_not_equal(Record.Code, 0);
}

static void the_system_starts_and_stops_again(void **state)
{
    for (int i = 0; i < 3; i++) {
        SeTestStop(NULL);
        assert_int_equal(SeTestBoot(NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SE_TEST(a_token_is_made_of_a_host_user),
        SE_TEST(information_of_a_token_is_copied),
        SE_TEST(a_privilege_counts_when_it_is_enabled),
        SE_TEST(kernel_mode_passes),
        SE_TEST(entries_decide_in_their_order),
        SE_TEST(no_dacl_grants_everything),
        SE_TEST(the_owner_may_read_and_write_the_dacl),
        SE_TEST(maximum_allowed_collects),
        SE_TEST(privileges_grant_what_they_are_for),
        SE_TEST(what_was_granted_before_stays),
        SE_TEST(an_impersonated_client_decides_if_it_allowed_that),
        SE_TEST(a_check_above_passive_level_is_a_bug_check),
        SE_TEST(the_system_starts_and_stops_again),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
