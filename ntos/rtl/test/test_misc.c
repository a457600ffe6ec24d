/* Time fields, version, GUIDs, names in expressions, check sums, memory, statuses. */
#include "rtl_test.h"

#include <nt_undocumented.h>
#include <winerror.h>

static void time_fields_are_those_of_the_calendar(void **state)
{
    static const struct {
        LONG64 Seconds; /* since 1970 */
        TIME_FIELDS Fields;
    } Cases[] = {
        {-11644473600ll, {1601, 1, 1, 0, 0, 0, 0, 1}},  {0, {1970, 1, 1, 0, 0, 0, 0, 4}},
        {951782399, {2000, 2, 28, 23, 59, 59, 0, 1}},   {951782400, {2000, 2, 29, 0, 0, 0, 0, 2}},
        {1709251199, {2024, 2, 29, 23, 59, 59, 0, 4}},  {4107542400ll, {2100, 3, 1, 0, 0, 0, 0, 1}},
        {1767225599, {2025, 12, 31, 23, 59, 59, 0, 3}},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        LARGE_INTEGER Time = {.QuadPart = (Cases[i].Seconds + 11644473600ll) * 10000000};
        LARGE_INTEGER Back;
        TIME_FIELDS Fields, Wanted = Cases[i].Fields;
        RtlTimeToTimeFields(&Time, &Fields);
        assert_memory_equal(&Fields, &Wanted, sizeof(Fields));
        assert_true(RtlTimeFieldsToTime(&Fields, &Back));
        assert_int_equal(Back.QuadPart, Time.QuadPart);
    }
}

static void every_day_of_900_years_survives(void **state)
{
    for (LONG64 Day = 0; Day < 900 * 365; Day++) {
        LARGE_INTEGER Time = {.QuadPart = Day * 864000000000ll + 123 * 10000}, Back;
        TIME_FIELDS Fields;
        RtlTimeToTimeFields(&Time, &Fields);
        assert_int_equal(Fields.Milliseconds, 123);
        assert_int_equal(Fields.Weekday, (Day + 1) % 7);
        assert_true(RtlTimeFieldsToTime(&Fields, &Back));
        assert_int_equal(Back.QuadPart, Time.QuadPart);
    }
}

static void a_date_that_does_not_exist_is_refused(void **state)
{
    TIME_FIELDS Bad[] = {
        {2023, 2, 29, 0, 0, 0, 0, 0},   {2023, 13, 1, 0, 0, 0, 0, 0}, {1600, 1, 1, 0, 0, 0, 0, 0},
        {2023, 1, 1, 24, 0, 0, 0, 0},   {2023, 1, 1, 0, 60, 0, 0, 0}, {2023, 1, 1, 0, 0, 60, 0, 0},
        {2023, 1, 1, 0, 0, 0, 1000, 0}, {2023, 0, 1, 0, 0, 0, 0, 0},  {2023, 4, 31, 0, 0, 0, 0, 0},
    };
    LARGE_INTEGER Time;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Bad); i++)
        assert_false(RtlTimeFieldsToTime(&Bad[i], &Time));
}

static void seconds_count_from_1970_and_1980(void **state)
{
    LARGE_INTEGER Time;
    ULONG Seconds;
    RtlSecondsSince1970ToTime(1000000000, &Time);
    assert_true(RtlTimeToSecondsSince1970(&Time, &Seconds));
    assert_int_equal(Seconds, 1000000000);
    RtlSecondsSince1980ToTime(5, &Time);
    assert_true(RtlTimeToSecondsSince1980(&Time, &Seconds));
    assert_int_equal(Seconds, 5);
    assert_true(RtlTimeToSecondsSince1970(&Time, &Seconds));
    assert_int_equal(Seconds, 315532805);
    Time.QuadPart = 0;
    assert_false(RtlTimeToSecondsSince1970(&Time, &Seconds));
    RtlSecondsSince1970ToTime(MAXULONG, &Time);
    Time.QuadPart += 10000000;
    assert_false(RtlTimeToSecondsSince1970(&Time, &Seconds));
}

static void the_version_is_windows_10(void **state)
{
    RTL_OSVERSIONINFOEXW Version = {.dwOSVersionInfoSize = sizeof(Version)};
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&Version), STATUS_SUCCESS);
    assert_int_equal(Version.dwMajorVersion, 10);
    assert_int_equal(Version.wProductType, VER_NT_WORKSTATION);
    RTL_OSVERSIONINFOEXW Short = {.dwOSVersionInfoSize = sizeof(RTL_OSVERSIONINFOW),
                                  .wProductType = 99};
    RtlGetVersion((PRTL_OSVERSIONINFOW)&Short);
    assert_int_equal(Short.wProductType, 99);
    assert_int_equal(*NtBuildNumber & 0xFFFF, Version.dwBuildNumber);
    assert_int_equal(*InitSafeBootMode, 0);
}

static NTSTATUS Verify(ULONG Major, ULONG Minor, UCHAR Condition)
{
    RTL_OSVERSIONINFOEXW Wanted = {.dwMajorVersion = Major, .dwMinorVersion = Minor};
    ULONGLONG Mask = VerSetConditionMask(0, VER_MAJORVERSION | VER_MINORVERSION, Condition);
    return RtlVerifyVersionInfo(&Wanted, VER_MAJORVERSION | VER_MINORVERSION, Mask);
}

static void versions_compare_major_first(void **state)
{
    assert_int_equal(Verify(6, 3, VER_GREATER_EQUAL), STATUS_SUCCESS);
    assert_int_equal(Verify(10, 0, VER_GREATER_EQUAL), STATUS_SUCCESS);
    assert_int_equal(Verify(10, 0, VER_EQUAL), STATUS_SUCCESS);
    assert_int_equal(Verify(10, 1, VER_GREATER_EQUAL), STATUS_REVISION_MISMATCH);
    assert_int_equal(Verify(11, 0, VER_GREATER), STATUS_REVISION_MISMATCH);
    assert_int_equal(Verify(11, 0, VER_LESS), STATUS_SUCCESS);
    RTL_OSVERSIONINFOEXW Wanted = {.wProductType = VER_NT_SERVER};
    assert_int_equal(RtlVerifyVersionInfo(&Wanted, VER_PRODUCT_TYPE,
                                          VerSetConditionMask(0, VER_PRODUCT_TYPE, VER_EQUAL)),
                     STATUS_REVISION_MISMATCH);
    assert_int_equal(RtlVerifyVersionInfo(&Wanted, 0, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlVerifyVersionInfo(&Wanted, VER_PRODUCT_TYPE, 0), STATUS_INVALID_PARAMETER);
}

static void a_guid_and_its_text_are_one(void **state)
{
    static const GUID Guid = {0x01234567, 0x89ab, 0xcdef, {1, 2, 3, 4, 5, 6, 7, 0xfe}};
    UNICODE_STRING Text;
    GUID Back;
    assert_int_equal(RtlStringFromGUID(&Guid, &Text), STATUS_SUCCESS);
    assert_ustring(&Text, "{01234567-89AB-CDEF-0102-0304050607FE}");
    assert_int_equal(RtlGUIDFromString(&Text, &Back), STATUS_SUCCESS);
    assert_memory_equal(&Back, &Guid, sizeof(Guid));
    RtlFreeUnicodeString(&Text);
    assert_int_equal(RtlGUIDFromString(U("{01234567-89ab-cdef-0102-0304050607fe}"), &Back), 0);
    assert_memory_equal(&Back, &Guid, sizeof(Guid));
    assert_int_equal(RtlGUIDFromString(U("{01234567-89AB-CDEF-0102-0304050607FG}"), &Back),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlGUIDFromString(U("01234567-89AB-CDEF-0102-0304050607FE"), &Back),
                     STATUS_INVALID_PARAMETER);
}

static void wild_cards_match_as_documented(void **state)
{
    static const struct {
        PCWSTR Expression, Name;
        BOOLEAN Matches;
    } Cases[] = {
        {L"*", L"", TRUE},
        {L"*", L"abc", TRUE},
        {L"A*C", L"abbc", TRUE},
        {L"A*C", L"abcd", FALSE},
        {L"A?C", L"abc", TRUE},
        {L"A?C", L"ac", FALSE},
        {L"*.TXT", L"a.b.txt", TRUE},
        {L"<.TXT", L"a.b.txt", TRUE},
        {L"<", L"abc", TRUE},
        {L"<", L"abc.txt", FALSE},
        {L"A>>>", L"ab", TRUE},
        {L"A>.B", L"a.b", TRUE},
        {L"A>.B", L"axx.b", FALSE},
        {L"ABC\"", L"abc", TRUE},
        {L"ABC\"", L"abc.", TRUE},
        {L"ABC\"X", L"abc.x", TRUE},
        {L"", L"", TRUE},
        {L"", L"a", FALSE},
        {L"*A*B*", L"xxaxxbxx", TRUE},
        {L"ABC", L"abc", TRUE},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        UNICODE_STRING Expression, Name;
        RtlInitUnicodeString(&Expression, Cases[i].Expression);
        RtlInitUnicodeString(&Name, Cases[i].Name);
        if (FsRtlIsNameInExpression(&Expression, &Name, TRUE, NULL) != Cases[i].Matches)
            fail_msg("case %d", (int)i);
    }
    assert_false(FsRtlIsNameInExpression(U("ABC"), U("abc"), FALSE, NULL));
    assert_true(FsRtlDoesNameContainWildCards(U("a*b")));
    assert_false(FsRtlDoesNameContainWildCards(U("ab.c")));
}

static void check_sums_have_their_published_values(void **state)
{
    assert_int_equal(RtlCrc32("123456789", 9, 0), 0xCBF43926);
    assert_int_equal(RtlCrc32("6789", 4, RtlCrc32("12345", 5, 0)), 0xCBF43926);
    assert_true(RtlCrc64("123456789", 9, 0) == 0xAE8B14860A799888ull);
}

static void bytes_are_swapped(void **state)
{
    assert_int_equal(RtlUshortByteSwap(0x1234), 0x3412);
    assert_int_equal(RtlUlongByteSwap(0x12345678), 0x78563412);
    assert_true(RtlUlonglongByteSwap(0x0102030405060708ull) == 0x0807060504030201ull);
}

static void random_numbers_stay_in_range_and_repeat(void **state)
{
    ULONG Seed = 42, Same = 42;
    for (int i = 0; i < 1000; i++) {
        ULONG Value = RtlRandomEx(&Seed);
        assert_true(Value < MAXLONG);
        assert_int_equal(RtlRandom(&Same), Value);
    }
}

static void memory_is_compared_to_the_first_difference(void **state)
{
    assert_int_equal(RtlCompareMemory("abcd", "abxd", 4), 2);
    assert_int_equal(RtlCompareMemory("abcd", "abcd", 4), 4);
    ULONG Words[3] = {7, 7, 8};
    assert_int_equal(RtlCompareMemoryUlong(Words, 12, 7), 8);
    assert_int_equal(RtlCompareMemoryUlong((PUCHAR)Words + 1, 8, 7), 0);
    assert_true(RtlIsZeroMemory("\0\0", 3));
    assert_false(RtlIsZeroMemory("\0x", 2));
}

static void statuses_become_win32_errors(void **state)
{
    static const struct {
        NTSTATUS Status;
        ULONG Error;
    } Cases[] = {
        {STATUS_SUCCESS, 0},
        {STATUS_UNSUCCESSFUL, 31},
        {STATUS_NOT_IMPLEMENTED, 1},
        {STATUS_INFO_LENGTH_MISMATCH, 24},
        {STATUS_ACCESS_VIOLATION, 998},
        {STATUS_INVALID_HANDLE, 6},
        {STATUS_INVALID_PARAMETER, 87},
        {STATUS_NO_SUCH_FILE, 2},
        {STATUS_INVALID_DEVICE_REQUEST, 1},
        {STATUS_NO_MEMORY, 8},
        {STATUS_ACCESS_DENIED, 5},
        {STATUS_BUFFER_TOO_SMALL, 122},
        {STATUS_OBJECT_NAME_NOT_FOUND, 2},
        {STATUS_DATA_ERROR, 23},
        {STATUS_PROCEDURE_NOT_FOUND, 127},
        {STATUS_INVALID_IMAGE_FORMAT, 193},
        {STATUS_INSUFFICIENT_RESOURCES, 1450},
        {STATUS_NOT_SUPPORTED, 50},
        {STATUS_INVALID_PARAMETER_1, 87},
        {STATUS_DEVICE_CONFIGURATION_ERROR, 87},
        {STATUS_INVALID_DEVICE_STATE, 22},
        {STATUS_INVALID_BUFFER_SIZE, 1784},
        {STATUS_BUFFER_OVERFLOW, 234},
        {STATUS_CANCELLED, 995},
        {STATUS_PENDING, 997},
        {STATUS_DEVICE_BUSY, 170},
        {STATUS_END_OF_FILE, 38},
        {STATUS_PIPE_BROKEN, 109},
        {STATUS_NO_MORE_FILES, 18},
        {STATUS_TIMEOUT, 1460},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(Cases); i++)
        assert_int_equal(RtlNtStatusToDosError(Cases[i].Status), Cases[i].Error);
}

static void other_statuses_follow_rules(void **state)
{
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC0123456), ERROR_MR_MID_NOT_FOUND);
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC0070005), 5);
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xE0001234), 0xE0001234);
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xD0000022), 5);
    /* Every line of the table is found: it is in order. */
#define RTLP_MAP(Status, Error) assert_int_equal(RtlNtStatusToDosErrorNoTeb(Status), Error);
#include "rtl/statusmap.h"
}

static void a_corrupted_list_fails_fast(void **state)
{
    LIST_ENTRY Head, Entry;
    InitializeListHead(&Head);
    InsertTailList(&Head, &Entry);
    RtlpCheckListEntry(&Entry);
    assert_ptr_equal(Head.Flink, &Entry);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(time_fields_are_those_of_the_calendar),
        cmocka_unit_test(every_day_of_900_years_survives),
        cmocka_unit_test(a_date_that_does_not_exist_is_refused),
        cmocka_unit_test(seconds_count_from_1970_and_1980),
        cmocka_unit_test(the_version_is_windows_10),
        cmocka_unit_test(versions_compare_major_first),
        cmocka_unit_test(a_guid_and_its_text_are_one),
        cmocka_unit_test(wild_cards_match_as_documented),
        cmocka_unit_test(check_sums_have_their_published_values),
        cmocka_unit_test(bytes_are_swapped),
        cmocka_unit_test(random_numbers_stay_in_range_and_repeat),
        cmocka_unit_test(memory_is_compared_to_the_first_difference),
        cmocka_unit_test(statuses_become_win32_errors),
        cmocka_unit_test(other_statuses_follow_rules),
        cmocka_unit_test(a_corrupted_list_fails_fast),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
