/* SIDs, ACLs and security descriptors as data. */
#include "rtl_test.h"

#define MAX_SID_SIZE (8 + 15 * 4)

static SID_IDENTIFIER_AUTHORITY NtAuthority = SECURITY_NT_AUTHORITY;
static const SID System = {1, 1, {SECURITY_NT_AUTHORITY}, {18}};
static struct {
    SID Sid;
    ULONG More[1];
} Admins = {{1, 2, {SECURITY_NT_AUTHORITY}, {32}}, {544}};

#define SYSTEM_SID ((PSID)&System)
#define ADMINS_SID ((PSID)&Admins)

static void a_sid_is_built_and_compared(void **state)
{
    UCHAR Buffer[MAX_SID_SIZE];
    assert_int_equal(RtlInitializeSid(Buffer, &NtAuthority, 2), STATUS_SUCCESS);
    *RtlSubAuthoritySid(Buffer, 0) = 32;
    *RtlSubAuthoritySid(Buffer, 1) = 544;
    assert_true(RtlValidSid(Buffer));
    assert_true(RtlEqualSid(Buffer, ADMINS_SID));
    assert_false(RtlEqualSid(Buffer, SYSTEM_SID));
    *RtlSubAuthoritySid(Buffer, 1) = 545;
    assert_false(RtlEqualSid(Buffer, ADMINS_SID));
    assert_true(RtlEqualPrefixSid(Buffer, ADMINS_SID));
    assert_int_equal(RtlLengthSid(Buffer), 16);
    assert_int_equal(RtlLengthRequiredSid(15), MAX_SID_SIZE);
    assert_int_equal(RtlInitializeSid(Buffer, &NtAuthority, 16), STATUS_INVALID_PARAMETER);
    *RtlSubAuthorityCountSid(Buffer) = 16;
    assert_false(RtlValidSid(Buffer));
}

static void a_sid_is_copied_if_it_fits(void **state)
{
    UCHAR Buffer[16];
    assert_int_equal(RtlCopySid(15, Buffer, ADMINS_SID), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlCopySid(16, Buffer, ADMINS_SID), STATUS_SUCCESS);
    assert_true(RtlEqualSid(Buffer, ADMINS_SID));
    PSID Allocated;
    assert_int_equal(
        RtlAllocateAndInitializeSid(&NtAuthority, 2, 32, 544, 0, 0, 0, 0, 0, 0, &Allocated), 0);
    assert_true(RtlEqualSid(Allocated, ADMINS_SID));
    assert_null(RtlFreeSid(Allocated));
}

static void a_sid_has_a_text(void **state)
{
    UNICODE_STRING Text;
    assert_int_equal(RtlConvertSidToUnicodeString(&Text, ADMINS_SID, TRUE), STATUS_SUCCESS);
    assert_ustring(&Text, "S-1-5-32-544");
    RtlFreeUnicodeString(&Text);
    WCHAR Buffer[4];
    Text = (UNICODE_STRING){0, sizeof(Buffer), Buffer};
    assert_int_equal(RtlConvertSidToUnicodeString(&Text, ADMINS_SID, FALSE),
                     STATUS_BUFFER_OVERFLOW);
    SID Odd = {2, 1, {SECURITY_NT_AUTHORITY}, {0}};
    assert_int_equal(RtlConvertSidToUnicodeString(&Text, &Odd, TRUE), STATUS_INVALID_SID);
    SID Large = {1, 1, {{1, 2, 3, 4, 5, 6}}, {7}};
    assert_int_equal(RtlConvertSidToUnicodeString(&Text, &Large, TRUE), STATUS_SUCCESS);
    assert_ustring(&Text, "S-1-0x010203040506-7");
    RtlFreeUnicodeString(&Text);
}

static ULONG AclBuffer[64];
#define TEST_ACL ((PACL)AclBuffer)

static void entries_are_added_until_the_list_is_full(void **state)
{
    assert_int_equal(RtlCreateAcl(TEST_ACL, 7, ACL_REVISION), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlCreateAcl(TEST_ACL, 100, 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCreateAcl(TEST_ACL, 70000, ACL_REVISION), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCreateAcl(TEST_ACL, 8 + 24 + 20, ACL_REVISION), STATUS_SUCCESS);
    assert_int_equal(RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, GENERIC_ALL, ADMINS_SID), 0);
    assert_int_equal(RtlAddAccessDeniedAce(TEST_ACL, ACL_REVISION, GENERIC_READ, SYSTEM_SID), 0);
    assert_int_equal(RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, GENERIC_READ, SYSTEM_SID),
                     STATUS_ALLOTTED_SPACE_EXCEEDED);
    assert_true(RtlValidAcl(TEST_ACL));
    SID Bad = {9};
    assert_int_equal(RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, 1, &Bad), STATUS_INVALID_SID);
    assert_int_equal(RtlAddAccessAllowedAce(TEST_ACL, 9, 1, SYSTEM_SID), STATUS_REVISION_MISMATCH);
    assert_int_equal(RtlAddAccessAllowedAceEx(TEST_ACL, 2, 0x80, 1, SYSTEM_SID),
                     STATUS_INVALID_PARAMETER);
    ACCESS_DENIED_ACE *Ace;
    assert_int_equal(RtlGetAce(TEST_ACL, 1, (PVOID *)&Ace), STATUS_SUCCESS);
    assert_int_equal(Ace->Header.AceType, ACCESS_DENIED_ACE_TYPE);
    assert_int_equal(Ace->Mask, GENERIC_READ);
    assert_true(RtlEqualSid(&Ace->SidStart, SYSTEM_SID));
    assert_int_equal(RtlGetAce(TEST_ACL, 2, (PVOID *)&Ace), STATUS_INVALID_PARAMETER);
}

static void entries_are_deleted_and_inserted(void **state)
{
    ULONG Saved[5];
    ACCESS_ALLOWED_ACE *Ace;
    RtlCreateAcl(TEST_ACL, 8 + 24 + 20, ACL_REVISION);
    RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, 1, SYSTEM_SID);
    RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, 2, ADMINS_SID);
    RtlGetAce(TEST_ACL, 0, (PVOID *)&Ace);
    memcpy(Saved, Ace, 20);
    assert_int_equal(RtlAddAce(TEST_ACL, ACL_REVISION, 0, Saved, 20), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlAddAce(TEST_ACL, ACL_REVISION, 0, Saved, 19), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlDeleteAce(TEST_ACL, 0), STATUS_SUCCESS);
    RtlGetAce(TEST_ACL, 0, (PVOID *)&Ace);
    assert_int_equal(Ace->Mask, 2);
    assert_int_equal(RtlAddAce(TEST_ACL, ACL_REVISION, MAXULONG, Saved, 20), STATUS_SUCCESS);
    RtlGetAce(TEST_ACL, 1, (PVOID *)&Ace);
    assert_int_equal(Ace->Mask, 1);
    assert_int_equal(RtlDeleteAce(TEST_ACL, 2), STATUS_INVALID_PARAMETER);
    assert_true(RtlValidAcl(TEST_ACL));
}

static void a_broken_list_is_not_valid(void **state)
{
    RtlCreateAcl(TEST_ACL, 8 + 24, ACL_REVISION);
    RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, 1, ADMINS_SID);
    PACE_HEADER Ace = (PACE_HEADER)(TEST_ACL + 1);
    Ace->AceSize = 28;
    assert_false(RtlValidAcl(TEST_ACL));
    Ace->AceSize = 20;
    assert_false(RtlValidAcl(TEST_ACL));
    Ace->AceSize = 24;
    assert_true(RtlValidAcl(TEST_ACL));
    TEST_ACL->AceCount = 2;
    assert_false(RtlValidAcl(TEST_ACL));
    TEST_ACL->AclRevision = 1;
    assert_false(RtlValidAcl(TEST_ACL));
}

static void MakeDescriptor(SECURITY_DESCRIPTOR *Descriptor)
{
    RtlCreateAcl(TEST_ACL, 8 + 24, ACL_REVISION);
    RtlAddAccessAllowedAce(TEST_ACL, ACL_REVISION, GENERIC_ALL, ADMINS_SID);
    assert_int_equal(RtlCreateSecurityDescriptor(Descriptor, 1), STATUS_SUCCESS);
    assert_int_equal(RtlSetOwnerSecurityDescriptor(Descriptor, ADMINS_SID, FALSE), 0);
    assert_int_equal(RtlSetGroupSecurityDescriptor(Descriptor, SYSTEM_SID, TRUE), 0);
    assert_int_equal(RtlSetDaclSecurityDescriptor(Descriptor, TRUE, TEST_ACL, FALSE), 0);
}

static void a_descriptor_keeps_its_parts(void **state)
{
    SECURITY_DESCRIPTOR Descriptor;
    BOOLEAN Present, Defaulted;
    PACL Acl;
    PSID Sid;
    MakeDescriptor(&Descriptor);
    assert_true(RtlValidSecurityDescriptor(&Descriptor));
    RtlGetDaclSecurityDescriptor(&Descriptor, &Present, &Acl, &Defaulted);
    assert_true(Present);
    assert_false(Defaulted);
    assert_ptr_equal(Acl, TEST_ACL);
    RtlGetSaclSecurityDescriptor(&Descriptor, &Present, &Acl, &Defaulted);
    assert_false(Present);
    RtlGetGroupSecurityDescriptor(&Descriptor, &Sid, &Defaulted);
    assert_ptr_equal(Sid, SYSTEM_SID);
    assert_true(Defaulted);
    assert_int_equal(RtlLengthSecurityDescriptor(&Descriptor), 40 + 16 + 12 + 32);
    assert_int_equal(RtlCreateSecurityDescriptor(&Descriptor, 2), STATUS_UNKNOWN_REVISION);
    Descriptor.Revision = 7;
    assert_int_equal(RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, NULL, FALSE),
                     STATUS_UNKNOWN_REVISION);
    assert_int_equal(RtlGetOwnerSecurityDescriptor(&Descriptor, &Sid, &Defaulted),
                     STATUS_UNKNOWN_REVISION);
    assert_false(RtlValidSecurityDescriptor(&Descriptor));
}

static void the_two_forms_are_equivalent(void **state)
{
    SECURITY_DESCRIPTOR Absolute, Back;
    ULONG Relative[40], Length = 10, DaclSize = 0, SaclSize = 0, OwnerSize = 0, GroupSize = 0;
    ULONG Size = sizeof(Back), Dacl[20], Owner[8], Group[8];
    MakeDescriptor(&Absolute);
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(&Absolute, Relative, &Length),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Length, 20 + 16 + 12 + 32);
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(&Absolute, Relative, &Length), STATUS_SUCCESS);
    assert_true(RtlValidRelativeSecurityDescriptor(Relative, Length, DACL_SECURITY_INFORMATION));
    assert_false(RtlValidRelativeSecurityDescriptor(Relative, Length, SACL_SECURITY_INFORMATION));
    assert_int_equal(RtlAbsoluteToSelfRelativeSD((PSECURITY_DESCRIPTOR)Relative, Relative, &Length),
                     STATUS_BAD_DESCRIPTOR_FORMAT);
    assert_int_equal(RtlSetDaclSecurityDescriptor(Relative, FALSE, NULL, FALSE),
                     STATUS_INVALID_SECURITY_DESCR);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(Relative, &Back, &Size, NULL, &DaclSize, NULL,
                                                 &SaclSize, NULL, &OwnerSize, NULL, &GroupSize),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(DaclSize, 32);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(Relative, &Back, &Size, (PACL)Dacl, &DaclSize,
                                                 NULL, &SaclSize, Owner, &OwnerSize, Group,
                                                 &GroupSize),
                     STATUS_SUCCESS);
    assert_true(RtlEqualSid(Back.Owner, ADMINS_SID));
    assert_true(RtlEqualSid(Back.Group, SYSTEM_SID));
    assert_memory_equal(Back.Dacl, TEST_ACL, 32);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(&Back, &Back, &Size, NULL, &DaclSize, NULL,
                                                 &SaclSize, NULL, &OwnerSize, NULL, &GroupSize),
                     STATUS_BAD_DESCRIPTOR_FORMAT);
}

/* Whatever the bytes are, the answer comes without reading outside them (a sanitizer looks on). */
static void any_bytes_can_be_asked_for_validity(void **state)
{
    SECURITY_DESCRIPTOR Absolute;
    ULONG Good[40], Length = sizeof(Good);
    ULONG64 Seed = 3;
    MakeDescriptor(&Absolute);
    RtlAbsoluteToSelfRelativeSD(&Absolute, Good, &Length);
    for (int Round = 0; Round < 20000; Round++) {
        ULONG Part = TestRandom(&Seed) % (Length + 1);
        PUCHAR Bytes = test_malloc(Part + 1);
        memcpy(Bytes, Good, Part);
        for (ULONG i = TestRandom(&Seed) % 4; i > 0 && Part; i--)
            Bytes[TestRandom(&Seed) % Part] = (UCHAR)TestRandom(&Seed);
        RtlValidRelativeSecurityDescriptor(Bytes, Part, 0);
        test_free(Bytes);
    }
}

static void generic_rights_are_mapped(void **state)
{
    GENERIC_MAPPING Mapping = {1, 2, 4, 0xF};
    ACCESS_MASK Mask = GENERIC_READ | GENERIC_EXECUTE | 0x100;
    RtlMapGenericMask(&Mask, &Mapping);
    assert_int_equal(Mask, 0x105);
    Mask = GENERIC_ALL;
    RtlMapGenericMask(&Mask, &Mapping);
    assert_int_equal(Mask, 0xF);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(a_sid_is_built_and_compared),
        cmocka_unit_test(a_sid_is_copied_if_it_fits),
        cmocka_unit_test(a_sid_has_a_text),
        cmocka_unit_test(entries_are_added_until_the_list_is_full),
        cmocka_unit_test(entries_are_deleted_and_inserted),
        cmocka_unit_test(a_broken_list_is_not_valid),
        cmocka_unit_test(a_descriptor_keeps_its_parts),
        cmocka_unit_test(the_two_forms_are_equivalent),
        cmocka_unit_test(any_bytes_can_be_asked_for_validity),
        cmocka_unit_test(generic_rights_are_mapped),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
