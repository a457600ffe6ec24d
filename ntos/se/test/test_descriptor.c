/* Descriptors of objects: assigned, inherited, read, changed, captured. */
#include "se_test.h"

#include <nt_crt.h>
#include <stdlib.h>

static void SddlIs(PSECURITY_DESCRIPTOR Descriptor, PCWSTR Expected)
{
    UNICODE_STRING Text;
    assert_success(SeSecurityDescriptorToSddl(
        Descriptor, DACL_SECURITY_INFORMATION | SACL_SECURITY_INFORMATION, &Text));
    if (wcscmp(Text.Buffer, Expected)) {
        char Narrow[300];
        _snprintf(Narrow, sizeof(Narrow), "%ws, not %ws", Text.Buffer, Expected);
        fail_msg("%s", Narrow);
    }
    RtlFreeUnicodeString(&Text);
}

static NTSTATUS Assign(PCWSTR Parent, PCWSTR Explicit, BOOLEAN Container, PSECURITY_DESCRIPTOR *New)
{
    PSECURITY_DESCRIPTOR ParentDescriptor = Parent ? SeTestSddl(Parent) : NULL;
    PSECURITY_DESCRIPTOR Given = Explicit ? SeTestSddl(Explicit) : NULL;
    SECURITY_SUBJECT_CONTEXT Subject;
    SeCaptureSubjectContext(&Subject);
    NTSTATUS Status =
        SeAssignSecurity(ParentDescriptor, Given, New, Container, &Subject, MAPPING, PagedPool);
    SeReleaseSubjectContext(&Subject);
    if (ParentDescriptor)
        ExFreePool(ParentDescriptor);
    if (Given)
        ExFreePool(Given);
    return Status;
}

static void Gives(PCWSTR Parent, PCWSTR Explicit, BOOLEAN Container, PCWSTR Expected)
{
    PSECURITY_DESCRIPTOR New;
    assert_success(Assign(Parent, Explicit, Container, &New));
    SddlIs(New, Expected);
    assert_success(SeDeassignSecurity(&New));
    assert_null(New);
}

static void an_explicit_dacl_wins(void **state)
{
    Gives(L"D:(A;OICI;GA;;;WD)", L"D:P(A;;GR;;;BA)", FALSE, L"D:P(A;;FR;;;BA)");
}

/* As a client, who may not give a SACL or another owner away. */
static NTSTATUS AssignAs(KPROCESSOR_MODE Mode, PCWSTR Parent, PCWSTR Explicit, ULONG Flags,
                         PCWSTR Expected)
{
    PSECURITY_DESCRIPTOR ParentDescriptor = Parent ? SeTestSddl(Parent) : NULL, New;
    PSECURITY_DESCRIPTOR Given = Explicit ? SeTestSddl(Explicit) : NULL;
    SECURITY_SUBJECT_CONTEXT Subject;
    SE_TOKEN *Ordinary;
    assert_success(SeCreateTokenForHostUser(4711, &Ordinary));
    SeCaptureSubjectContext(&Subject);
    PACCESS_TOKEN Primary = Subject.PrimaryToken;
    Subject.PrimaryToken = Ordinary;
    KPROCESSOR_MODE Was = KiSelf->PreviousMode;
    KiSelf->PreviousMode = Mode;
    NTSTATUS Status = SeAssignSecurityEx(ParentDescriptor, Given, &New, NULL, FALSE, Flags,
                                         &Subject, MAPPING, PagedPool);
    KiSelf->PreviousMode = Was;
    Subject.PrimaryToken = Primary;
    SeReleaseSubjectContext(&Subject);
    if (NT_SUCCESS(Status)) {
        SddlIs(New, Expected);
        SeDeassignSecurity(&New);
    }
    ObDereferenceObject(Ordinary);
    if (ParentDescriptor)
        ExFreePool(ParentDescriptor);
    if (Given)
        ExFreePool(Given);
    return Status;
}

static void flags_say_what_is_not_checked(void **state)
{
    PCWSTR Foreign = L"O:SYD:P(A;;GR;;;BA)";
    assert_status(AssignAs(UserMode, NULL, Foreign, 0, NULL), STATUS_INVALID_OWNER);
    assert_success(AssignAs(UserMode, NULL, Foreign, SEF_AVOID_OWNER_CHECK, L"D:P(A;;FR;;;BA)"));
    PCWSTR Audited = L"D:P(A;;GR;;;BA)S:(AU;SA;GR;;;WD)";
    assert_status(AssignAs(UserMode, NULL, Audited, 0, NULL), STATUS_PRIVILEGE_NOT_HELD);
    assert_success(AssignAs(UserMode, NULL, Audited, SEF_AVOID_PRIVILEGE_CHECK,
                            L"D:P(A;;FR;;;BA)S:(AU;SA;FR;;;WD)"));
}

static void flags_say_what_comes_from_the_parent(void **state)
{
    assert_success(AssignAs(KernelMode, L"O:SYG:SYD:(A;OI;GR;;;WD)", L"D:(A;;GA;;;BA)",
                            SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT | SEF_DEFAULT_OWNER_FROM_PARENT,
                            L"D:(A;;FR;;;WD)"));
    assert_status(
        AssignAs(KernelMode, NULL, L"D:(A;;GA;;;BA)", SEF_DEFAULT_OWNER_FROM_PARENT, NULL),
        STATUS_INVALID_OWNER);
}

static void an_inheritable_dacl_is_inherited(void **state)
{
    Gives(L"D:(A;OI;GR;;;WD)(A;;GA;;;SY)", NULL, FALSE, L"D:(A;;FR;;;WD)");
    Gives(L"D:(A;CI;0x1;;;WD)", NULL, TRUE, L"D:(A;CI;CC;;;WD)");
    Gives(L"D:(A;CI;GR;;;WD)", NULL, TRUE, L"D:(A;;FR;;;WD)(A;CIIO;GR;;;WD)");
    Gives(L"D:(A;CINP;GR;;;WD)", NULL, TRUE, L"D:(A;;FR;;;WD)");
    Gives(L"D:(A;OI;0x1;;;WD)", NULL, TRUE, L"D:(A;OIIO;CC;;;WD)");
    Gives(L"D:(A;OIIO;0x1;;;CO)", NULL, FALSE, L"D:(A;;CC;;;BA)");
    Gives(L"S:(AU;OISA;GR;;;WD)", L"D:P", FALSE, L"D:PS:(AU;SA;FR;;;WD)");
}

static void without_either_the_token_says_who_may(void **state)
{
    Gives(NULL, NULL, FALSE, L"D:(A;;FA;;;SY)(A;;0x1200a9;;;BA)");
    Gives(L"D:(A;;GA;;;WD)", NULL, FALSE, L"D:(A;;FA;;;SY)(A;;0x1200a9;;;BA)");
}

static void owner_and_group_come_from_the_token(void **state)
{
    PSECURITY_DESCRIPTOR New;
    PSID Owner;
    BOOLEAN Defaulted;
    SeTestPrimary = SeTestToken(77);
    assert_success(Assign(NULL, NULL, FALSE, &New));
    assert_success(RtlGetOwnerSecurityDescriptor(New, &Owner, &Defaulted));
    assert_true(RtlEqualSid(Owner, SeTestPrimary->User));
    SeDeassignSecurity(&New);
    KiSelf->PreviousMode = UserMode;
    assert_status(Assign(NULL, L"O:SY", FALSE, &New), STATUS_INVALID_OWNER);
    assert_status(Assign(NULL, L"S:(AU;SA;GA;;;WD)", FALSE, &New), STATUS_PRIVILEGE_NOT_HELD);
    KiSelf->PreviousMode = KernelMode;
    assert_success(Assign(NULL, L"O:SY", FALSE, &New));
    SeDeassignSecurity(&New);
    ObDereferenceObject(SeTestPrimary);
}

static void a_query_copies_the_parts_asked_for(void **state)
{
    PSECURITY_DESCRIPTOR Stored = SeTestSddl(L"O:SYG:BAD:P(A;;GA;;;SY)"), None = NULL;
    ULONG Buffer[40], Length = 0;
    SECURITY_INFORMATION Information = DACL_SECURITY_INFORMATION;
    RTLP_SECURITY_PARTS Parts;
    assert_status(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &Stored),
                  STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Length, 20 + 8 + 20);
    assert_success(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &Stored));
    RtlpViewSecurityDescriptor(Buffer, &Parts);
    assert_null(Parts.Owner);
    SddlIs(Buffer, L"D:P(A;;GA;;;SY)");
    Length = sizeof(Buffer);
    assert_success(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &None));
    assert_int_equal(Length, 20);
    ExFreePool(Stored);
}

static void a_change_replaces_the_parts_named(void **state)
{
    PSECURITY_DESCRIPTOR Stored = SeTestSddl(L"O:SYG:BAD:P(A;;GA;;;SY)"), Old = Stored, None = NULL;
    PSECURITY_DESCRIPTOR New = SeTestSddl(L"O:BAD:(A;;GR;;;WD)");
    SECURITY_INFORMATION Information = DACL_SECURITY_INFORMATION;
    RTLP_SECURITY_PARTS Parts;
    assert_success(
        SeSetSecurityDescriptorInfo(NULL, &Information, New, &Stored, PagedPool, MAPPING));
    assert_ptr_not_equal(Stored, Old);
    SddlIs(Stored, L"D:(A;;FR;;;WD)");
    RtlpViewSecurityDescriptor(Stored, &Parts);
    assert_true(RtlEqualSid(Parts.Owner, SeExports->SeLocalSystemSid));
    assert_status(SeSetSecurityDescriptorInfo(NULL, &Information, New, &None, PagedPool, MAPPING),
                  STATUS_NO_SECURITY_ON_OBJECT);
    SECURITY_DESCRIPTOR Absolute;
    PSECURITY_DESCRIPTOR Pointer = &Absolute;
    RtlCreateSecurityDescriptor(&Absolute, 1);
    assert_status(
        SeSetSecurityDescriptorInfo(NULL, &Information, New, &Pointer, PagedPool, MAPPING),
        STATUS_BAD_DESCRIPTOR_FORMAT);
    Information = OWNER_SECURITY_INFORMATION;
    assert_status(
        SeSetSecurityDescriptorInfo(NULL, &Information, &Absolute, &Stored, PagedPool, MAPPING),
        STATUS_INVALID_OWNER);
    ExFreePool(Stored);
    ExFreePool(Old);
    ExFreePool(New);
}

static void a_capture_is_a_checked_self_relative_copy(void **state)
{
    SECURITY_DESCRIPTOR Absolute;
    PSECURITY_DESCRIPTOR Captured, Relative = SeTestSddl(L"O:SYD:P(A;;GA;;;SY)");
    RTLP_SECURITY_PARTS Parts;
    RtlpViewSecurityDescriptor(Relative, &Parts);
    RtlCreateSecurityDescriptor(&Absolute, 1);
    RtlSetDaclSecurityDescriptor(&Absolute, TRUE, Parts.Dacl, FALSE);
    assert_success(SeCaptureSecurityDescriptor(&Absolute, KernelMode, PagedPool, TRUE, &Captured));
    SddlIs(Captured, L"D:(A;;GA;;;SY)");
    assert_success(SeReleaseSecurityDescriptor(Captured, KernelMode, TRUE));
    assert_success(SeCaptureSecurityDescriptor(Relative, KernelMode, PagedPool, FALSE, &Captured));
    assert_ptr_equal(Captured, Relative);
    assert_success(SeReleaseSecurityDescriptor(Captured, KernelMode, FALSE));
    Parts.Dacl->AclRevision = 9;
    assert_status(SeCaptureSecurityDescriptor(Relative, KernelMode, PagedPool, TRUE, &Captured),
                  STATUS_INVALID_ACL);
    assert_null(Captured);
    ((SECURITY_DESCRIPTOR_RELATIVE *)Relative)->Revision = 2;
    assert_status(SeCaptureSecurityDescriptor(Relative, KernelMode, PagedPool, TRUE, &Captured),
                  STATUS_UNKNOWN_REVISION);
    ExFreePool(Relative);
}

static void a_capture_from_a_bad_user_address_is_a_status(void **state)
{
    PSECURITY_DESCRIPTOR Captured;
    MM_ADDRESS_SPACE Space;
    SECURITY_DESCRIPTOR *User = calloc(1, sizeof(*User)); /* this program's memory is the user's */
    SID *Owner = malloc(RtlLengthRequiredSid(1));
    assert_success(MmCreateAddressSpace(&Space, TRUE));
    SeTestProcess.AddressSpace = &Space;
    NTSTATUS NoRevision = SeCaptureSecurityDescriptor(User, UserMode, PagedPool, TRUE, &Captured);
    RtlCreateSecurityDescriptor(User, 1);
    RtlCopySid(RtlLengthRequiredSid(1), Owner, SeExports->SeWorldSid);
    User->Owner = Owner;
    NTSTATUS Good = SeCaptureSecurityDescriptor(User, UserMode, PagedPool, TRUE, &Captured);
    SeReleaseSecurityDescriptor(Captured, UserMode, TRUE);
    User->Owner = SeSystemToken()->User; /* in system space */
    NTSTATUS Bad = SeCaptureSecurityDescriptor(User, UserMode, PagedPool, TRUE, &Captured);
    SeTestProcess.AddressSpace = NULL;
    MmDeleteAddressSpace(&Space);
    free(User);
    free(Owner);
    assert_status(NoRevision, STATUS_UNKNOWN_REVISION);
    assert_success(Good);
    assert_status(Bad, STATUS_ACCESS_VIOLATION);
    assert_null(Captured);
}

static void validity_needs_length_and_form(void **state)
{
    PSECURITY_DESCRIPTOR Relative = SeTestSddl(L"O:SYD:P(A;;GA;;;SY)");
    ULONG Length = RtlLengthSecurityDescriptor(Relative);
    assert_true(SeValidSecurityDescriptor(Length, Relative));
    assert_false(SeValidSecurityDescriptor(Length - 1, Relative));
    assert_false(SeValidSecurityDescriptor(10, Relative));
    ExFreePool(Relative);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SE_TEST(an_explicit_dacl_wins),
        SE_TEST(flags_say_what_is_not_checked),
        SE_TEST(flags_say_what_comes_from_the_parent),
        SE_TEST(an_inheritable_dacl_is_inherited),
        SE_TEST(without_either_the_token_says_who_may),
        SE_TEST(owner_and_group_come_from_the_token),
        SE_TEST(a_query_copies_the_parts_asked_for),
        SE_TEST(a_change_replaces_the_parts_named),
        SE_TEST(a_capture_is_a_checked_self_relative_copy),
        SE_TEST(a_capture_from_a_bad_user_address_is_a_status),
        SE_TEST(validity_needs_length_and_form),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
