/* Counted strings, narrow and wide. */
#include "rtl_test.h"

static void init_counts_bytes_and_keeps_the_buffer(void **state)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, L"abc");
    assert_int_equal(String.Length, 6);
    assert_int_equal(String.MaximumLength, 8);
    RtlInitUnicodeString(&String, NULL);
    assert_int_equal(String.Length, 0);
    assert_int_equal(String.MaximumLength, 0);
    assert_null(String.Buffer);
    ANSI_STRING Ansi;
    RtlInitAnsiString(&Ansi, "abc");
    assert_int_equal(Ansi.Length, 3);
    assert_int_equal(Ansi.MaximumLength, 4);
}

static void init_ex_refuses_what_no_string_can_hold(void **state)
{
    static WCHAR Long[40000];
    for (int i = 0; i < 39999; i++)
        Long[i] = 'x';
    UNICODE_STRING String;
    assert_int_equal(RtlInitUnicodeStringEx(&String, Long), STATUS_NAME_TOO_LONG);
    Long[32766] = 0;
    assert_int_equal(RtlInitUnicodeStringEx(&String, Long), STATUS_SUCCESS);
    assert_int_equal(String.Length, 65532);
    Long[100] = 0;
    assert_int_equal(RtlInitUnicodeStringEx(&String, Long), STATUS_SUCCESS);
    static CHAR LongAnsi[70000];
    memset(LongAnsi, 'x', sizeof(LongAnsi) - 1);
    ANSI_STRING Ansi;
    assert_int_equal(RtlInitAnsiStringEx(&Ansi, LongAnsi), STATUS_NAME_TOO_LONG);
}

static void copy_cuts_to_the_buffer(void **state)
{
    WCHAR Buffer[4] = L"zzz";
    UNICODE_STRING To = {0, 6, Buffer};
    RtlCopyUnicodeString(&To, U("abcdef"));
    assert_ustring(&To, "abc");
    RtlCopyUnicodeString(&To, U("x"));
    assert_ustring(&To, "x");
    assert_int_equal(Buffer[1], 0);
    RtlCopyUnicodeString(&To, NULL);
    assert_int_equal(To.Length, 0);
}

static void append_adds_all_or_nothing(void **state)
{
    WCHAR Buffer[6];
    UNICODE_STRING To = {0, 10, Buffer};
    assert_int_equal(RtlAppendUnicodeToString(&To, L"abc"), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeStringToString(&To, U("def")), STATUS_BUFFER_TOO_SMALL);
    assert_ustring(&To, "abc");
    assert_int_equal(RtlAppendUnicodeStringToString(&To, U("de")), STATUS_SUCCESS);
    assert_ustring(&To, "abcde");
    assert_int_equal(RtlAppendUnicodeToString(&To, NULL), STATUS_SUCCESS);
    CHAR Bytes[4];
    STRING Narrow = {0, 4, Bytes};
    assert_int_equal(RtlAppendStringToString(&Narrow, A("abc")), STATUS_SUCCESS);
    assert_int_equal(RtlAppendStringToString(&Narrow, A("de")), STATUS_BUFFER_TOO_SMALL);
}

static void comparison_orders_by_code_unit(void **state)
{
    assert_true(RtlCompareUnicodeString(U("abc"), U("abd"), FALSE) < 0);
    assert_true(RtlCompareUnicodeString(U("abc"), U("ab"), FALSE) > 0);
    assert_int_equal(RtlCompareUnicodeString(U("ABC"), U("abc"), TRUE), 0);
    assert_true(RtlCompareUnicodeString(U("B"), U("a"), FALSE) < 0);
    assert_true(RtlCompareUnicodeString(U("B"), U("a"), TRUE) > 0);
    assert_true(RtlCompareString(A("abc"), A("abd"), FALSE) < 0);
    assert_true(RtlEqualString(A("abc"), A("ABC"), TRUE));
    assert_false(RtlEqualString(A("abc"), A("ABC"), FALSE));
}

static void equality_and_prefix_can_fold_case(void **state)
{
    assert_true(RtlEqualUnicodeString(U("\u00e4\u03c9\u0434x"), U("\u00c4\u03a9\u0414X"), TRUE));
    assert_false(RtlEqualUnicodeString(U("\u00e4"), U("\u00c4"), FALSE));
    assert_true(RtlPrefixUnicodeString(U("\\Device"), U("\\DEVICE\\Null"), TRUE));
    assert_false(RtlPrefixUnicodeString(U("\\Device"), U("\\DEVICE\\Null"), FALSE));
    assert_false(RtlPrefixUnicodeString(U("\\Device"), U("\\De"), FALSE));
    assert_true(RtlSuffixUnicodeString(U(".SYS"), U("null.sys"), TRUE));
}

static void a_substring_is_found(void **state)
{
    UNICODE_STRING *Full = U("one two three");
    assert_ptr_equal(RtlFindUnicodeSubstring(Full, U("TWO"), TRUE), Full->Buffer + 4);
    assert_null(RtlFindUnicodeSubstring(Full, U("TWO"), FALSE));
}

static void case_maps_pairs_and_leaves_the_rest(void **state)
{
    assert_int_equal(RtlUpcaseUnicodeChar('z'), 'Z');
    assert_int_equal(RtlUpcaseUnicodeChar(0xFF), 0x178);
    assert_int_equal(RtlUpcaseUnicodeChar(0xB5), 0xB5);
    assert_int_equal(RtlUpcaseUnicodeChar(0x131), 0x131);
    assert_int_equal(RtlUpcaseUnicodeChar(0xF7), 0xF7);
    assert_int_equal(RtlUpcaseUnicodeChar(0xDF), 0xDF);
    assert_int_equal(RtlUpcaseUnicodeChar(0x3C2), 0x3A3);
    assert_int_equal(RtlDowncaseUnicodeChar(0x10A0), 0x2D00);
    for (ULONG c = 0; c < 0x10000; c++) {
        WCHAR Up = RtlUpcaseUnicodeChar((WCHAR)c);
        assert_int_equal(RtlUpcaseUnicodeChar(Up), Up);
        if (Up != c && c != 0x3C2)
            assert_int_equal(RtlDowncaseUnicodeChar(Up), c);
    }
}

static void upcased_strings_are_allocated_or_fit(void **state)
{
    UNICODE_STRING Upper;
    assert_int_equal(RtlUpcaseUnicodeString(&Upper, U("Straße"), TRUE), STATUS_SUCCESS);
    assert_ustring(&Upper, "STRAßE");
    RtlFreeUnicodeString(&Upper);
    assert_null(Upper.Buffer);
    WCHAR Buffer[3];
    UNICODE_STRING Small = {0, 6, Buffer};
    assert_int_equal(RtlUpcaseUnicodeString(&Small, U("abcd"), FALSE), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlDowncaseUnicodeString(&Small, U("ABC"), FALSE), STATUS_SUCCESS);
    assert_ustring(&Small, "abc");
}

static void the_hash_is_x65599(void **state)
{
    ULONG Hash;
    assert_int_equal(RtlHashUnicodeString(U("ab"), FALSE, HASH_STRING_ALGORITHM_DEFAULT, &Hash), 0);
    assert_int_equal(Hash, (ULONG)('a' * 65599 + 'b'));
    assert_int_equal(RtlHashUnicodeString(U("ab"), TRUE, HASH_STRING_ALGORITHM_X65599, &Hash), 0);
    assert_int_equal(Hash, (ULONG)('A' * 65599 + 'B'));
    assert_int_equal(RtlHashUnicodeString(U("ab"), TRUE, 5, &Hash), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlHashUnicodeString(NULL, TRUE, 0, &Hash), STATUS_INVALID_PARAMETER);
}

static void duplicates_are_terminated_when_asked(void **state)
{
    UNICODE_STRING Copy;
    assert_int_equal(
        RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, U("abc"), &Copy),
        STATUS_SUCCESS);
    assert_int_equal(Copy.MaximumLength, 8);
    assert_int_equal(Copy.Buffer[3], 0);
    RtlFreeUnicodeString(&Copy);
    assert_int_equal(RtlDuplicateUnicodeString(0, U(""), &Copy), STATUS_SUCCESS);
    assert_null(Copy.Buffer);
    assert_int_equal(RtlDuplicateUnicodeString(3, U(""), &Copy), STATUS_SUCCESS);
    assert_non_null(Copy.Buffer);
    RtlFreeUnicodeString(&Copy);
    assert_int_equal(RtlDuplicateUnicodeString(2, U(""), &Copy), STATUS_INVALID_PARAMETER);
    assert_true(RtlCreateUnicodeString(&Copy, L"x"));
    RtlFreeUnicodeString(&Copy);
}

static void validation_finds_odd_lengths(void **state)
{
    UNICODE_STRING Odd = {3, 4, L"ab"}, Longer = {6, 4, L"ab"}, NoBuffer = {2, 2, NULL};
    assert_int_equal(RtlValidateUnicodeString(0, U("ab")), STATUS_SUCCESS);
    assert_int_equal(RtlValidateUnicodeString(0, &Odd), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(0, &Longer), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(0, &NoBuffer), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(1, U("ab")), STATUS_INVALID_PARAMETER);
}

static PVOID NoMemory(SIZE_T Bytes, ULONG Tag)
{
    return NULL;
}

static void without_memory_a_status_says_so(void **state)
{
    UNICODE_STRING String;
    ANSI_STRING Ansi;
    RtlpSetAllocator(NoMemory, NULL, NULL);
    assert_int_equal(RtlDuplicateUnicodeString(0, U("a"), &String), STATUS_NO_MEMORY);
    assert_int_equal(RtlUpcaseUnicodeString(&String, U("a"), TRUE), STATUS_NO_MEMORY);
    assert_int_equal(RtlAnsiStringToUnicodeString(&String, A("a"), TRUE), STATUS_NO_MEMORY);
    assert_int_equal(RtlUnicodeStringToAnsiString(&Ansi, U("a"), TRUE), STATUS_NO_MEMORY);
    assert_false(RtlCreateUnicodeString(&String, L"a"));
    RtlpSetAllocator(NULL, NULL, NULL);
}

static ULONG IrqlComplaints;

static VOID TestIrqlHook(PCSTR Routine, KIRQL Maximum)
{
    if (DISPATCH_LEVEL > Maximum)
        IrqlComplaints++;
}

static void the_irql_limit_is_reported_to_the_hook(void **state)
{
    RtlpSetHooks(&(RTLP_HOOKS){.CheckIrql = TestIrqlHook});
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, L"any level");
    assert_int_equal(IrqlComplaints, 0);
    RtlEqualUnicodeString(&String, &String, TRUE);
    assert_int_equal(IrqlComplaints, 1);
    RtlpResetHooks();
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(init_counts_bytes_and_keeps_the_buffer),
        cmocka_unit_test(init_ex_refuses_what_no_string_can_hold),
        cmocka_unit_test(copy_cuts_to_the_buffer),
        cmocka_unit_test(append_adds_all_or_nothing),
        cmocka_unit_test(comparison_orders_by_code_unit),
        cmocka_unit_test(equality_and_prefix_can_fold_case),
        cmocka_unit_test(a_substring_is_found),
        cmocka_unit_test(case_maps_pairs_and_leaves_the_rest),
        cmocka_unit_test(upcased_strings_are_allocated_or_fit),
        cmocka_unit_test(the_hash_is_x65599),
        cmocka_unit_test(duplicates_are_terminated_when_asked),
        cmocka_unit_test(validation_finds_odd_lengths),
        cmocka_unit_test(without_memory_a_status_says_so),
        cmocka_unit_test(the_irql_limit_is_reported_to_the_hook),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
