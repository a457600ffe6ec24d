/* The C run-time's strings and numbers where they are Microsoft's or wide. */
#include "rtl_test.h"

#include <errno.h>
#include <limits.h>

static void wide_strings_are_copied_and_joined(void **state)
{
    wchar_t Buffer[10];
    assert_int_equal(wcslen(L"abc"), 3);
    assert_int_equal(wcsnlen(L"abc", 2), 2);
    assert_wide(wcscat(wcscpy(Buffer, L"ab"), L"cd"), "abcd");
    assert_wide(wcsncat(Buffer, L"xyz", 1), "abcdx");
    wcsncpy(Buffer, L"ab", 4);
    assert_memory_equal(Buffer, L"ab\0\0", 8);
}

static void wide_strings_are_compared(void **state)
{
    assert_true(wcscmp(L"a", L"b") < 0);
    assert_int_equal(wcsncmp(L"abc", L"abd", 2), 0);
    assert_int_equal(_wcsicmp(L"Stra\u00dfe\u00c4", L"STRA\u00dfE\u00e4"), 0);
    assert_int_equal(_wcsnicmp(L"ABx", L"aby", 2), 0);
    assert_true(_wcsicmp(L"a_", L"aA") < 0);
    assert_int_equal(wmemcmp(L"a\0b", L"a\0c", 2), 0);
}

static void wide_strings_are_searched(void **state)
{
    const wchar_t *Text = L"one two one";
    assert_ptr_equal(wcschr(Text, 't'), Text + 4);
    assert_ptr_equal(wcsrchr(Text, 'n'), Text + 9);
    assert_ptr_equal(wcschr(Text, 0), Text + 11);
    assert_null(wcschr(Text, 'z'));
    assert_ptr_equal(wcsstr(Text, L"two"), Text + 4);
    assert_ptr_equal(wcsstr(Text, L""), Text);
    assert_null(wcsstr(Text, L"three"));
    assert_ptr_equal(wcspbrk(Text, L"wt"), Text + 4);
    assert_int_equal(wcsspn(Text, L"eno"), 3);
    assert_int_equal(wcscspn(Text, L" "), 3);
}

static void wide_tokens_are_cut(void **state)
{
    wchar_t Text[] = L" a, b";
    wchar_t *Context;
    assert_wide(wcstok_s(Text, L" ,", &Context), "a");
    assert_wide(wcstok_s(NULL, L" ,", &Context), "b");
    assert_null(wcstok_s(NULL, L" ,", &Context));
}

static void case_and_order_change_in_place(void **state)
{
    wchar_t Wide[] = L"a\u00e4B";
    char Narrow[] = "aB";
    assert_wide(_wcsupr(Wide), "A\u00c4B");
    assert_wide(_wcslwr(Wide), "a\u00e4b");
    assert_wide(_wcsrev(Wide), "b\u00e4a");
    assert_string_equal(_strupr(Narrow), "AB");
    assert_string_equal(_strlwr(Narrow), "ab");
    assert_string_equal(_strrev(Narrow), "ba");
    assert_string_equal(_strset(Narrow, 'x'), "xx");
    assert_int_equal(_stricmp("ABC", "abc"), 0);
    assert_true(_strnicmp("abX", "aby", 3) < 0);
}

static void secure_copies_empty_what_overflows(void **state)
{
    char Buffer[4] = "zz";
    wchar_t Wide[4] = L"zz";
    assert_int_equal(strcpy_s(Buffer, 4, "abc"), 0);
    assert_int_equal(strcpy_s(Buffer, 4, "abcd"), ERANGE);
    assert_string_equal(Buffer, "");
    assert_int_equal(strncpy_s(Buffer, 4, "abcdef", 2), 0);
    assert_string_equal(Buffer, "ab");
    assert_int_equal(strncpy_s(Buffer, 4, "abcdef", _TRUNCATE), 80);
    assert_string_equal(Buffer, "abc");
    assert_int_equal(strcat_s(Buffer, 4, "d"), ERANGE);
    assert_int_equal(strcpy_s(Buffer, 4, NULL), EINVAL);
    assert_int_equal(strcpy_s(NULL, 4, "a"), EINVAL);
    assert_int_equal(wcscpy_s(Wide, 4, L"ab"), 0);
    assert_int_equal(wcscat_s(Wide, 4, L"c"), 0);
    assert_wide(Wide, "abc");
    assert_int_equal(wcsncat_s(Wide, 4, L"xyz", 1), ERANGE);
    assert_wide(Wide, "");
    assert_int_equal(memcpy_s(Buffer, 4, "abcde", 5), ERANGE);
    assert_memory_equal(Buffer, "\0\0\0\0", 4);
}

static void numbers_become_text(void **state)
{
    char Text[70];
    wchar_t Wide[70];
    assert_string_equal(_itoa(-42, Text, 10), "-42");
    assert_string_equal(_itoa(-1, Text, 16), "ffffffff");
    assert_string_equal(_i64toa(LLONG_MIN, Text, 10), "-9223372036854775808");
    assert_string_equal(_ui64toa(ULLONG_MAX, Text, 2),
                        "1111111111111111111111111111111111111111111111111111111111111111");
    assert_wide(_itow(INT_MIN, Wide, 10), "-2147483648");
    assert_wide(_ultow(255, Wide, 16), "ff");
    assert_int_equal(_itoa_s(1234, Text, 4, 10), ERANGE);
    assert_string_equal(Text, "");
    assert_int_equal(_itow_s(123, Wide, 4, 10), 0);
    assert_int_equal(_itow_s(123, Wide, 4, 99), EINVAL);
}

static void text_becomes_numbers(void **state)
{
    wchar_t *End;
    const wchar_t *Text = L"  -12z";
    assert_int_equal(wcstol(Text, &End, 10), -12);
    assert_ptr_equal(End, Text + 5);
    assert_int_equal(wcstol(L"0x1F", NULL, 0), 31);
    assert_int_equal(wcstol(L"017", NULL, 0), 15);
    assert_int_equal(wcstol(L"99999999999", NULL, 10), INT_MAX);
    assert_int_equal(wcstol(L"-99999999999", NULL, 10), INT_MIN);
    assert_int_equal(wcstoul(L"4294967295", NULL, 10), UINT_MAX);
    assert_int_equal(_wtoi(L"77 "), 77);
    assert_true(_wcstoi64(L"-9223372036854775808", NULL, 10) == LLONG_MIN);
    assert_true(_strtoui64("ffffffffffffffff", NULL, 16) == ULLONG_MAX);
    assert_true(_atoi64("1234567890123") == 1234567890123);
    char *NarrowEnd;
    const char *None = "zz";
    assert_int_equal(_strtoi64(None, &NarrowEnd, 10), 0);
    assert_ptr_equal(NarrowEnd, None);
}

static void multi_byte_text_is_utf8(void **state)
{
    wchar_t Wide[8];
    char Narrow[8];
    assert_int_equal(mbstowcs(Wide, "\xc3\xa4z", 8), 2);
    assert_wide(Wide, "\u00e4z");
    assert_int_equal(mbstowcs(NULL, "abc", 0), 3);
    assert_true(mbstowcs(Wide, "\xff", 8) == (size_t)-1);
    assert_int_equal(wcstombs(Narrow, L"\u20ac", 8), 3);
    assert_string_equal(Narrow, "\xe2\x82\xac");
    assert_int_equal(mbtowc(Wide, "\xc3\xa4", 2), 2);
    assert_int_equal(wctomb(Narrow, 0xE4), 2);
    assert_int_equal(wctomb(Narrow, 0xD800), -1);
}

static void characters_have_classes(void **state)
{
    assert_true(iswalpha(0xE4) && iswupper('A') && iswlower('a') && iswdigit('7'));
    assert_true(iswspace('\t') && iswpunct('!') && iswxdigit('F') && iswprint('x'));
    assert_false(iswalpha('1') || iswupper('a') || iswspace('x') || iswprint(7));
    assert_int_equal(towupper(0xE4), 0xC4);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(wide_strings_are_copied_and_joined),
        cmocka_unit_test(wide_strings_are_compared),
        cmocka_unit_test(wide_strings_are_searched),
        cmocka_unit_test(wide_tokens_are_cut),
        cmocka_unit_test(case_and_order_change_in_place),
        cmocka_unit_test(secure_copies_empty_what_overflows),
        cmocka_unit_test(numbers_become_text),
        cmocka_unit_test(text_becomes_numbers),
        cmocka_unit_test(multi_byte_text_is_utf8),
        cmocka_unit_test(characters_have_classes),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
