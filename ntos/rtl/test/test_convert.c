/* Text between UTF-16, UTF-8 (the ANSI and OEM code page too) and integers. */
#include "rtl_test.h"

static void ansi_becomes_terminated_unicode(void **state)
{
    UNICODE_STRING Wide;
    assert_int_equal(RtlAnsiStringToUnicodeString(&Wide, A("abc\xc3\xa4"), TRUE), STATUS_SUCCESS);
    assert_ustring(&Wide, "abc\u00e4");
    assert_int_equal(Wide.MaximumLength, 10);
    assert_int_equal(Wide.Buffer[4], 0);
    RtlFreeUnicodeString(&Wide);
    WCHAR Buffer[3];
    UNICODE_STRING Small = {0, 6, Buffer};
    assert_int_equal(RtlAnsiStringToUnicodeString(&Small, A("abc"), FALSE), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlAnsiStringToUnicodeString(&Small, A("ab"), FALSE), STATUS_SUCCESS);
    assert_ustring(&Small, "ab");
    assert_int_equal(RtlAnsiStringToUnicodeSize(A("ab")), 6);
}

static void an_ansi_string_too_long_for_unicode_is_refused(void **state)
{
    static CHAR Long[40000];
    memset(Long, 'x', sizeof(Long));
    ANSI_STRING Ansi = {40000, 40000, Long};
    UNICODE_STRING Wide;
    assert_int_equal(RtlAnsiStringToUnicodeString(&Wide, &Ansi, TRUE), STATUS_INVALID_PARAMETER_2);
}

static void unicode_becomes_terminated_ansi(void **state)
{
    ANSI_STRING Ansi;
    assert_int_equal(RtlUnicodeStringToAnsiString(&Ansi, U("a\u20ac"), TRUE), STATUS_SUCCESS);
    assert_int_equal(Ansi.Length, 4);
    assert_string_equal(Ansi.Buffer, "a\xe2\x82\xac");
    RtlFreeAnsiString(&Ansi);
    CHAR Buffer[4];
    ANSI_STRING Small = {0, 4, Buffer};
    assert_int_equal(RtlUnicodeStringToAnsiString(&Small, U("abcdef"), FALSE),
                     STATUS_BUFFER_OVERFLOW);
    assert_string_equal(Buffer, "abc");
    assert_int_equal(RtlUnicodeStringToAnsiSize(U("abc")), 4);
}

static void counted_oem_has_no_terminator(void **state)
{
    OEM_STRING Oem;
    assert_int_equal(RtlUpcaseUnicodeStringToCountedOemString(&Oem, U("abc"), TRUE), 0);
    assert_int_equal(Oem.MaximumLength, 3);
    assert_memory_equal(Oem.Buffer, "ABC", 3);
    RtlFreeOemString(&Oem);
    UNICODE_STRING Wide;
    assert_int_equal(RtlOemStringToCountedUnicodeString(&Wide, A("abc"), TRUE), 0);
    assert_int_equal(Wide.MaximumLength, 6);
    RtlFreeUnicodeString(&Wide);
}

static void multi_byte_conversion_cuts_silently(void **state)
{
    CHAR Bytes[8];
    WCHAR Units[8];
    ULONG Count;
    assert_int_equal(RtlUnicodeToMultiByteN(Bytes, 2, &Count, L"abc", 6), STATUS_SUCCESS);
    assert_int_equal(Count, 2);
    assert_int_equal(RtlMultiByteToUnicodeN(Units, 4, &Count, "abc", 3), STATUS_SUCCESS);
    assert_int_equal(Count, 4);
    assert_int_equal(RtlUnicodeToMultiByteSize(&Count, L"\u20ac", 2), STATUS_SUCCESS);
    assert_int_equal(Count, 3);
}

static void utf8_tells_its_size_and_its_errors(void **state)
{
    CHAR Bytes[8];
    ULONG Count;
    assert_int_equal(RtlUnicodeToUTF8N(NULL, 0, &Count, L"a\U0001F600", 6), STATUS_SUCCESS);
    assert_int_equal(Count, 5);
    assert_int_equal(RtlUnicodeToUTF8N(Bytes, 4, &Count, L"a\U0001F600", 6),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Count, 1);
    assert_int_equal(RtlUnicodeToUTF8N(Bytes, 8, &Count, L"\xdc00", 2), STATUS_SOME_NOT_MAPPED);
    assert_memory_equal(Bytes, "\xef\xbf\xbd", 3);
    assert_int_equal(RtlUnicodeToUTF8N(NULL, 0, NULL, L"a", 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeToUTF8N(Bytes, 8, &Count, NULL, 2), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(RtlUnicodeToUTF8N(Bytes, 8, &Count, L"a", 1), STATUS_INVALID_PARAMETER_5);
    WCHAR Units[4];
    assert_int_equal(RtlUTF8ToUnicodeN(Units, 8, &Count, "\xff", 1), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(Units[0], 0xFFFD);
    assert_int_equal(RtlUTF8ToUnicodeN(NULL, 0, NULL, "a", 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUTF8ToUnicodeN(Units, 8, &Count, NULL, 1), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(RtlUTF8ToUnicodeN(Units, 2, &Count, "ab", 2), STATUS_BUFFER_TOO_SMALL);
}

static void broken_utf8_is_replaced_by_its_longest_parts(void **state)
{
    static const struct {
        const char *Bytes;
        ULONG Count;
    } Cases[] = {
        {"\xc0\xaf", 2},         {"\xe0\x80\xaf", 3}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
        {"\xe2\x82", 1},         {"\xf0\x9f\x98", 1}, {"\x80", 1},         {"\xfe", 1},
        {"\xe2\x82\xe2\x82", 2},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        WCHAR Units[8];
        ULONG Bytes;
        assert_int_equal(RtlUTF8ToUnicodeN(Units, sizeof(Units), &Bytes, Cases[i].Bytes,
                                           (ULONG)strlen(Cases[i].Bytes)),
                         STATUS_SOME_NOT_MAPPED);
        assert_int_equal(Bytes, Cases[i].Count * 2);
        for (ULONG j = 0; j < Cases[i].Count; j++)
            assert_int_equal(Units[j], 0xFFFD);
    }
}

static void every_code_point_survives_the_round_trip(void **state)
{
    for (ULONG CodePoint = 1; CodePoint < 0x110000; CodePoint += CodePoint < 0x3000 ? 1 : 37) {
        if (CodePoint >= 0xD800 && CodePoint < 0xE000)
            continue;
        WCHAR Units[2] = {(WCHAR)CodePoint}, Back[2];
        ULONG Length = 2, Bytes, BackBytes;
        CHAR Text[4];
        if (CodePoint >= 0x10000) {
            Units[0] = (WCHAR)(0xD7C0 + (CodePoint >> 10));
            Units[1] = (WCHAR)(0xDC00 | (CodePoint & 0x3FF));
            Length = 4;
        }
        assert_int_equal(RtlUnicodeToUTF8N(Text, 4, &Bytes, Units, Length), STATUS_SUCCESS);
        assert_int_equal(RtlUTF8ToUnicodeN(Back, 4, &BackBytes, Text, Bytes), STATUS_SUCCESS);
        assert_int_equal(BackBytes, Length);
        assert_memory_equal(Back, Units, Length);
    }
}

static void one_ansi_character_moves_the_pointer(void **state)
{
    UCHAR Text[] = "\xc3\xa4\xff";
    PUCHAR Cursor = Text;
    assert_int_equal(RtlAnsiCharToUnicodeChar(&Cursor), 0xE4);
    assert_int_equal(RtlAnsiCharToUnicodeChar(&Cursor), ' ');
    assert_ptr_equal(Cursor, Text + 3);
}

static void integers_become_upper_case_digits(void **state)
{
    WCHAR Buffer[40];
    UNICODE_STRING String = {0, sizeof(Buffer), Buffer};
    assert_int_equal(RtlIntegerToUnicodeString(0xabc, 16, &String), STATUS_SUCCESS);
    assert_ustring(&String, "ABC");
    assert_int_equal(RtlIntegerToUnicodeString(10, 0, &String), STATUS_SUCCESS);
    assert_ustring(&String, "10");
    assert_int_equal(RtlIntegerToUnicodeString(10, 2, &String), STATUS_SUCCESS);
    assert_ustring(&String, "1010");
    assert_int_equal(RtlIntegerToUnicodeString(10, 3, &String), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlInt64ToUnicodeString(0x123456789abcdef0ull, 16, &String), STATUS_SUCCESS);
    assert_ustring(&String, "123456789ABCDEF0");
    String.MaximumLength = 4;
    assert_int_equal(RtlIntegerToUnicodeString(10, 10, &String), STATUS_BUFFER_OVERFLOW);
    CHAR Text[8];
    assert_int_equal(RtlIntegerToChar(7, 10, -3, Text), STATUS_SUCCESS);
    assert_memory_equal(Text, "007", 3);
    assert_int_equal(RtlIntegerToChar(1234, 10, 3, Text), STATUS_BUFFER_OVERFLOW);
}

static void digits_become_integers_as_documented(void **state)
{
    static const struct {
        const WCHAR *Text;
        ULONG Base;
        LONG Value;
    } Cases[] = {
        {L"123", 10, 123},
        {L"  -345", 10, -345},
        {L"xyz", 10, 0},
        {L"   +678abc", 10, 678},
        {L"   +678abc", 16, 6785724},
        {L"007", 10, 7},
        {L"789", 8, 7},
        {L"FGH", 16, 15},
        {L"      ", 10, 0},
        {L"0x1F", 0, 31},
        {L"0o17", 0, 15},
        {L"0b101", 0, 5},
        {L"-0x10", 0, -16},
        {L"12", 0, 12},
        {L"0", 0, 0},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        UNICODE_STRING String;
        ULONG Value = 99;
        RtlInitUnicodeString(&String, Cases[i].Text);
        assert_int_equal(RtlUnicodeStringToInteger(&String, Cases[i].Base, &Value), 0);
        assert_int_equal((LONG)Value, Cases[i].Value);
    }
    ULONG Value;
    assert_int_equal(RtlUnicodeStringToInteger(U(""), 10, &Value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringToInteger(U("1"), 7, &Value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCharToInteger("0x10", 0, &Value), STATUS_SUCCESS);
    assert_int_equal(Value, 16);
    assert_int_equal(RtlCharToInteger("1", 9, &Value), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(ansi_becomes_terminated_unicode),
        cmocka_unit_test(an_ansi_string_too_long_for_unicode_is_refused),
        cmocka_unit_test(unicode_becomes_terminated_ansi),
        cmocka_unit_test(counted_oem_has_no_terminator),
        cmocka_unit_test(multi_byte_conversion_cuts_silently),
        cmocka_unit_test(utf8_tells_its_size_and_its_errors),
        cmocka_unit_test(broken_utf8_is_replaced_by_its_longest_parts),
        cmocka_unit_test(every_code_point_survives_the_round_trip),
        cmocka_unit_test(one_ansi_character_moves_the_pointer),
        cmocka_unit_test(integers_become_upper_case_digits),
        cmocka_unit_test(digits_become_integers_as_documented),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
