/* The security descriptor definition language, both ways. */
#include "se_test.h"

#include <nt_crt.h>

#define ALL_PARTS                                                                                  \
    (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |         \
     SACL_SECURITY_INFORMATION)

static void Returns(PCWSTR Text, PCWSTR Expected)
{
    PSECURITY_DESCRIPTOR Descriptor = SeTestSddl(Text);
    UNICODE_STRING Back;
    assert_success(SeSecurityDescriptorToSddl(Descriptor, ALL_PARTS, &Back));
    assert_int_equal(wcscmp(Back.Buffer, Expected), 0);
    RtlFreeUnicodeString(&Back);
    ExFreePool(Descriptor);
}

static void canonical_text_survives_the_round_trip(void **state)
{
    static const PCWSTR Texts[] = {
        L"D:P",
        L"D:P(A;;GA;;;SY)",
        L"O:SYG:BAD:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)",
        L"D:(D;;FA;;;AN)(A;;FR;;;WD)",
        L"D:PARAI(A;CIOINPIOID;KA;;;CO)",
        L"S:(AU;SAFA;SDWD;;;WD)",
        L"D:NO_ACCESS_CONTROL",
        L"D:P(A;;0xdeadbee0;;;BU)",
        L"D:(A;;GA;;;S-1-5-21-1-2-3-4)",
        L"S:(ML;;NW;;;HI)",
        L"D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;OW)",
        L"D:(OA;;RP;01234567-89ab-cdef-0123-456789abcdef;;AU)",
        (L"D:(OD;CI;WP;01234567-89ab-cdef-0123-456789abcdef;00000000-0000-0000-0000-000000000001;"
         L"PS)"),
        L"O:LAG:DUD:(A;;GA;;;UD)(A;;GA;;;AC)S:P(AL;;GA;;;LW)",
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Texts); i++)
        Returns(Texts[i], Texts[i]);
}

static void other_spellings_mean_the_same(void **state)
{
    Returns(L"d:p(a;;ga;;;sy)", L"D:P(A;;GA;;;SY)");
    Returns(L" D:P (A;;0x10000000;;;S-1-5-18) (A;;GA;;;S-1-5-32-544) ",
            L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    Returns(L"D:(A;;2032127;;;WD)", L"D:(A;;FA;;;WD)");
    Returns(L"D:(A;;0777;;;WD)", L"D:(A;;CCDCLCSWRPWPDTLOCR;;;WD)");
    Returns(L"S:(AU;SA;GA;;;WD)D:PO:SY", L"O:SYD:PS:(AU;SA;GA;;;WD)");
    Returns(L"O:S-0x1-0x5-32-0x220", L"O:BA");
    Returns(L"", L"");
}

static void every_device_object_constant_is_understood(void **state)
{
    extern const UNICODE_STRING SDDL_DEVOBJ_KERNEL_ONLY, SDDL_DEVOBJ_SYS_ALL,
        SDDL_DEVOBJ_SYS_ALL_ADM_ALL, SDDL_DEVOBJ_SYS_ALL_ADM_RX,
        SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R, SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R,
        SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R, SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX;
    const UNICODE_STRING *const All[] = {
        &SDDL_DEVOBJ_KERNEL_ONLY,
        &SDDL_DEVOBJ_SYS_ALL,
        &SDDL_DEVOBJ_SYS_ALL_ADM_ALL,
        &SDDL_DEVOBJ_SYS_ALL_ADM_RX,
        &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R,
        &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R,
        &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R,
        &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX,
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(All); i++)
        Returns(All[i]->Buffer, All[i]->Buffer);
}

static void the_binary_form_is_that_of_the_text(void **state)
{
    PSECURITY_DESCRIPTOR Descriptor = SeTestSddl(L"O:BAD:P(A;OI;GR;;;WD)");
    RTLP_SECURITY_PARTS Parts;
    ACCESS_ALLOWED_ACE *Ace;
    RtlpViewSecurityDescriptor(Descriptor, &Parts);
    assert_int_equal(Parts.Control, SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_DACL_PROTECTED);
    assert_true(RtlEqualSid(Parts.Owner, SeExports->SeAliasAdminsSid));
    assert_null(Parts.Group);
    assert_int_equal(Parts.Dacl->AceCount, 1);
    assert_success(RtlGetAce(Parts.Dacl, 0, (PVOID *)&Ace));
    assert_int_equal(Ace->Header.AceFlags, OBJECT_INHERIT_ACE);
    assert_int_equal(Ace->Mask, GENERIC_READ);
    assert_true(RtlEqualSid(&Ace->SidStart, SeExports->SeWorldSid));
    ExFreePool(Descriptor);
}

static void bad_text_is_refused_with_its_status(void **state)
{
    static const struct {
        PCWSTR Text;
        NTSTATUS Status;
    } Cases[] = {
        {L"X:SY", STATUS_INVALID_PARAMETER},
        {L"D", STATUS_INVALID_PARAMETER},
        {L"D:P)", STATUS_INVALID_PARAMETER},
        {L"O:SYO:SY", STATUS_INVALID_PARAMETER},
        {L"D:PD:P", STATUS_INVALID_PARAMETER},
        {L"O:ZZ", STATUS_INVALID_SID},
        {L"O:S", STATUS_INVALID_SID},
        {L"O:S-1", STATUS_INVALID_SID},
        {L"O:S-1-5", STATUS_INVALID_SID},
        {L"O:S-2-5-18", STATUS_INVALID_SID},
        {L"O:S-1-5-", STATUS_INVALID_SID},
        {L"O:S-1-5-4294967296", STATUS_INVALID_SID},
        {L"O:S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", STATUS_INVALID_SID},
        {L"D:(A;;GA;;;)", STATUS_INVALID_SID},
        {L"D:(A;;GA;;;SY", STATUS_INVALID_ACL},
        {L"D:(Q;;GA;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;QQ;GA;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;;QQ;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;;0x;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;;0x1ffffffff;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;;09;;;SY)", STATUS_INVALID_ACL},
        {L"D:(A;;GA;01234567;;SY)", STATUS_INVALID_ACL},
        {L"D:(A", STATUS_INVALID_ACL},
        {L"D:(A;;GA;01234567-89ab-cdef-0123-456789abcdef;;SY)", STATUS_INVALID_ACL},
        {L"D:(XA;;GA;;;WD;(@User.x == 1))", STATUS_NOT_SUPPORTED},
        {L"D:NO_ACCESS_CONTROL(A;;GA;;;SY)", STATUS_INVALID_ACL},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        UNICODE_STRING Text;
        PSECURITY_DESCRIPTOR Descriptor;
        ULONG Length;
        RtlInitUnicodeString(&Text, Cases[i].Text);
        NTSTATUS Status = SeSddlToSecurityDescriptor(&Text, &Descriptor, &Length);
        if (Status != Cases[i].Status)
            fail_msg("case %u: %08x", i, (unsigned)Status);
        assert_null(Descriptor);
    }
}

/* Every prefix and every mutation gives a descriptor that holds, or a status; nothing is leaked
 * (ExShutdown looks). */
static void any_text_gives_a_valid_descriptor_or_a_status(void **state)
{
    static const WCHAR Text[] = L"O:SYG:S-1-5-32-544D:PAI(A;CIOI;GRGW;;;BA)(OA;;RP;01234567-89ab-"
                                L"cdef-0123-456789abcdef;;AU)S:(AU;SA;0x1f;;;WD)";
    static const CHAR Units[] = "ODGS:();-PAI01xFWSYBA ";
    ULONG Seed = 12345;
    for (ULONG Round = 0; Round < 20000; Round++) {
        WCHAR Buffer[RTL_NUMBER_OF(Text)];
        UNICODE_STRING String = {(USHORT)(RtlRandomEx(&Seed) % RTL_NUMBER_OF(Text) * 2),
                                 sizeof(Buffer), Buffer};
        PSECURITY_DESCRIPTOR Descriptor;
        ULONG Length;
        memcpy(Buffer, Text, sizeof(Text));
        for (ULONG i = RtlRandomEx(&Seed) % 4; i > 0; i--)
            Buffer[RtlRandomEx(&Seed) % RTL_NUMBER_OF(Text)] =
                (UCHAR)Units[RtlRandomEx(&Seed) % (sizeof(Units) - 1)];
        if (!NT_SUCCESS(SeSddlToSecurityDescriptor(&String, &Descriptor, &Length)))
            continue;
        assert_true(RtlValidRelativeSecurityDescriptor(Descriptor, Length, 0));
        ExFreePool(Descriptor);
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SE_TEST(canonical_text_survives_the_round_trip),
        SE_TEST(other_spellings_mean_the_same),
        SE_TEST(every_device_object_constant_is_understood),
        SE_TEST(the_binary_form_is_that_of_the_text),
        SE_TEST(bad_text_is_refused_with_its_status),
        SE_TEST(any_text_gives_a_valid_descriptor_or_a_status),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
