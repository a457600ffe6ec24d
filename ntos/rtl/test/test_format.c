/* Formatted output: Microsoft's rules. */
#include "rtl_test.h"

#include <stdio.h>

#define FORMATS(text, ...)                                                                         \
    do {                                                                                           \
        char Buffer[400];                                                                          \
        assert_int_equal(_snprintf(Buffer, 400, __VA_ARGS__), strlen(text));                       \
        assert_string_equal(Buffer, text);                                                         \
    } while (0)

static void integers_follow_flags_width_and_precision(void **state)
{
    FORMATS("42|-42|+42| 42", "%d|%i|%+d|% d", 42, -42, 42, 42);
    FORMATS("   42|42   |00042", "%5d|%-5d|%05d", 42, 42, 42);
    FORMATS("  042|     ", "%5.3d|%5.0d", 42, 0);
    FORMATS("  042", "%05.3d", 42);
    FORMATS("2a|2A|0x2a|0X2A|0", "%x|%X|%#x|%#X|%#x", 42, 42, 42, 42, 0);
    FORMATS("52|052", "%o|%#o", 42, 42);
    FORMATS("   7|7   |007", "%*d|%*d|%.*d", 4, 7, -4, 7, 3, 7);
}

static void long_has_32_bits(void **state)
{
    FORMATS("4294967295", "%lu", 0x1ffffffffull);
    FORMATS("-1", "%ld", 0x1ffffffffull);
}

static void sizes_of_integers_are_respected(void **state)
{
    FORMATS("81985529216486895", "%I64d", 0x123456789abcdefll);
    FORMATS("123456789abcdef", "%I64x", 0x123456789abcdefll);
    FORMATS("123456789abcdef", "%llx", 0x123456789abcdefll);
    FORMATS("123456789abcdef", "%Ix", 0x123456789abcdefll);
    FORMATS("123456789abcdef", "%zx", 0x123456789abcdefll);
    FORMATS("89abcdef", "%I32x", 0x123456789abcdefll);
    FORMATS("-1|65535", "%hd|%hu", 0xffff, 0xffff);
    FORMATS("-1|255", "%hhd|%hhu", 0xff, 0xff);
}

static void a_pointer_has_16_upper_case_digits(void **state)
{
    FORMATS("00007C0000ABCDEF", "%p", (void *)0x7c0000abcdefull);
    FORMATS("0000000000000000", "%p", NULL);
    FORMATS("0000000000000ABC    |", "%-20p|", (void *)0xabcull);
}

static void strings_of_either_width_can_be_printed(void **state)
{
    FORMATS("ab|cd|ef|gh|ij", "%s|%S|%ws|%ls|%hs", "ab", L"cd", L"ef", L"gh", "ij");
    FORMATS("  ab|ab  |a", "%4s|%-4s|%.1s", "ab", "ab", "ab");
    FORMATS("x|y|z|w", "%c|%C|%lc|%hc", 'x', L'y', L'z', 'w');
}

static void a_null_string_prints_null(void **state)
{
    FORMATS("(null)|(null)|(nu", "%s|%ws|%.3s", (char *)NULL, (wchar_t *)NULL, (char *)NULL);
    FORMATS("(null)|(null)", "%wZ|%Z", (UNICODE_STRING *)NULL, (STRING *)NULL);
    UNICODE_STRING Empty = {0};
    FORMATS("(null)", "%wZ", &Empty);
}

static void counted_strings_print_their_length_only(void **state)
{
    UNICODE_STRING Unicode = {6, 20, (PWCHAR)L"abcdef"};
    STRING Ansi = {2, 10, (PCHAR) "xyz"};
    FORMATS("abc|xy|  abc|ab", "%wZ|%Z|%5wZ|%.2wZ", &Unicode, &Ansi, &Unicode, &Unicode);
}

static void zeros_pad_strings_too(void **state)
{
    FORMATS("000ab", "%05s", "ab");
}

static void wide_text_becomes_utf8_in_narrow_output(void **state)
{
    FORMATS("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "%ws", L"\u00e4\u20ac\U0001F600");
    FORMATS("\xef\xbf\xbd", "%ws", L"\xd800");
    /* A precision counts bytes and splits no character. */
    FORMATS("\xc3\xa4", "%.4ws", L"\u00e4\u20ac");
}

static void doubles_are_printed(void **state)
{
    FORMATS("1.500000|-2.5|1.50e+00|  3.0|0003.0", "%f|%g|%.2e|%5.1f|%06.1f", 1.5, -2.5, 1.5, 3.0,
            3.0);
    FORMATS("7|2.5|8", "%d|%.1f|%d", 7, 2.5, 8);
}

static void an_unknown_type_stands_for_itself(void **state)
{
    FORMATS("100% y", "100%% %y");
    FORMATS("end", "end%");
}

static void percent_n_is_refused(void **state)
{
    char Buffer[10];
    int Written = 5;
    assert_int_equal(_snprintf(Buffer, 10, "ab%n", &Written), -1);
    assert_int_equal(Written, 5);
}

static void precision_reads_no_further_than_it_says(void **state)
{
    char Unterminated[3] = {'a', 'b', 'c'};
    wchar_t WideUnterminated[2] = {'d', 'e'};
    char Buffer[20];
    _snprintf(Buffer, 20, "%.3s%.2ws", Unterminated, WideUnterminated);
    assert_string_equal(Buffer, "abcde");
    wchar_t Wide[20];
    _snwprintf(Wide, 20, L"%.3hs%.2s", Unterminated, WideUnterminated);
    assert_wide(Wide, "abcde");
}

static void wide_output_takes_both_widths(void **state)
{
    wchar_t Buffer[60];
    UNICODE_STRING Name = {4, 4, (PWCHAR)L"NT"};
    int Length = _snwprintf(Buffer, 60, L"%s %S %hs %ls %wZ %d %p", L"w", "n", "h", L"l", &Name, 5,
                            (void *)1);
    assert_wide(Buffer, "w n h l NT 5 0000000000000001");
    assert_int_equal(Length, 29);
    _snwprintf(Buffer, 60, L"%S", "\xc3\xa4\xff");
    assert_wide(Buffer, "\u00e4\ufffd");
}

static void snprintf_of_microsoft_does_not_terminate_a_full_buffer(void **state)
{
    char Buffer[6] = "......";
    assert_int_equal(_snprintf(Buffer, 3, "abc"), 3);
    assert_memory_equal(Buffer, "abc...", 6);
    assert_int_equal(_snprintf(Buffer, 3, "defg"), -1);
    assert_memory_equal(Buffer, "def...", 6);
    assert_int_equal(_snprintf(Buffer, 4, "xyz"), 3);
    assert_memory_equal(Buffer, "xyz\0..", 6);
    assert_int_equal(_snprintf(NULL, 0, "12345"), 5);
}

static void secure_forms_terminate_or_empty(void **state)
{
    char Buffer[4] = "zzz";
    assert_int_equal(sprintf_s(Buffer, 4, "%d", 12345), -1);
    assert_string_equal(Buffer, "");
    assert_int_equal(sprintf_s(Buffer, 4, "%d", 123), 3);
    assert_string_equal(Buffer, "123");
    assert_int_equal(_snprintf_s(Buffer, 4, _TRUNCATE, "%d", 45678), -1);
    assert_string_equal(Buffer, "456");
    assert_int_equal(_snprintf_s(Buffer, 4, 2, "%d", 45678), -1);
    assert_string_equal(Buffer, "45");
    assert_int_equal(_scprintf("%d", 45678), 5);
}

static void swprintf_takes_no_size(void **state)
{
    wchar_t Buffer[20];
    assert_int_equal(swprintf(Buffer, L"%04x", 0xab), 4);
    assert_wide(Buffer, "00ab");
}

static void microsoft_argument_slots_serve_as_well(void **state)
{
    char Buffer[60];
    double Half = 0.5;
    ULONG64 Slots[] = {7, (ULONG64)L"wide", 0, 0xffffffff00000001ull};
    memcpy(&Slots[2], &Half, 8);
    RTLP_ARGUMENTS Arguments;
    RtlpArgumentsFromSlots(&Arguments, Slots);
    LONG64 Length = RtlpFormatNarrow(Buffer, 60, "%d %ws %.1f %u", &Arguments);
    RtlpEndArguments(&Arguments);
    assert_int_equal(Length, 12);
    assert_memory_equal(Buffer, "7 wide 0.5 1", 12);
}

/* Where Microsoft and the C standard agree, libc is the model. */
static void random_formats_agree_with_libc(void **state)
{
    ULONG64 Seed = 20240607;
    for (int Round = 0; Round < 20000; Round++) {
        char Format[40], Ours[300], Theirs[300];
        int At = 0;
        const char *Flags = "-+ #0";
        Format[At++] = '%';
        char Type = "diuxXo"[TestRandom(&Seed) % 6];
        const char *Allowed = strchr("di", Type) ? "-+ 0" : Type == 'u' ? "-0" : "-#0";
        for (int i = 0; i < 5; i++)
            if (TestRandom(&Seed) % 3 == 0 && strchr(Allowed, Flags[i]))
                Format[At++] = Flags[i];
        if (TestRandom(&Seed) % 2)
            At += snprintf(Format + At, 8, "%u", TestRandom(&Seed) % 40 + 1);
        if (TestRandom(&Seed) % 2)
            At += snprintf(Format + At, 8, ".%u", TestRandom(&Seed) % 30);
        Format[At++] = 'l';
        Format[At++] = 'l';
        Format[At++] = Type;
        Format[At] = 0;
        long long Value = (long long)((ULONG64)TestRandom(&Seed) << 40 ^ TestRandom(&Seed));
        if (TestRandom(&Seed) % 4 == 0)
            Value = 0;
        if (TestRandom(&Seed) % 3 == 0)
            Value = -Value;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int Length = snprintf(Theirs, sizeof(Theirs), Format, Value);
#pragma GCC diagnostic pop
        if (_snprintf(Ours, sizeof(Ours), Format, Value) != Length || strcmp(Ours, Theirs))
            fail_msg("%s of %lld: \"%s\", not \"%s\"", Format, Value, Ours, Theirs);
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(integers_follow_flags_width_and_precision),
        cmocka_unit_test(long_has_32_bits),
        cmocka_unit_test(sizes_of_integers_are_respected),
        cmocka_unit_test(a_pointer_has_16_upper_case_digits),
        cmocka_unit_test(strings_of_either_width_can_be_printed),
        cmocka_unit_test(a_null_string_prints_null),
        cmocka_unit_test(counted_strings_print_their_length_only),
        cmocka_unit_test(zeros_pad_strings_too),
        cmocka_unit_test(wide_text_becomes_utf8_in_narrow_output),
        cmocka_unit_test(doubles_are_printed),
        cmocka_unit_test(an_unknown_type_stands_for_itself),
        cmocka_unit_test(percent_n_is_refused),
        cmocka_unit_test(precision_reads_no_further_than_it_says),
        cmocka_unit_test(wide_output_takes_both_widths),
        cmocka_unit_test(snprintf_of_microsoft_does_not_terminate_a_full_buffer),
        cmocka_unit_test(secure_forms_terminate_or_empty),
        cmocka_unit_test(swprintf_takes_no_size),
        cmocka_unit_test(microsoft_argument_slots_serve_as_well),
        cmocka_unit_test(random_formats_agree_with_libc),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
