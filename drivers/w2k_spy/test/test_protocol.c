/* The protocol engine by itself: escapes, the filter, the registry, the ring. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../driver/protocol.h"

static PROTOCOL P;
static CHAR Line[PROTOCOL_LINE];

/* Addresses below 64 KiB cannot be read, whoever asks. */
static SIZE_T read_memory(PVOID To, const VOID *From, SIZE_T Bytes, BOOLEAN User)
{
    if ((ULONG_PTR)From < 0x10000)
        return 0;
    memcpy(To, From, Bytes);
    return Bytes;
}

static LONGLONG time_of_test(void)
{
    return 0x1BFEE0000000000;
}

static int setup(void **State)
{
    memset(&P, 0, sizeof(P));
    P.Data = calloc(1, sizeof(*P.Data));
    P.Read = read_memory;
    P.Time = time_of_test;
    ProtocolReset(&P);
    return P.Data ? 0 : -1;
}

static int teardown(void **State)
{
    free(P.Data);
    return 0;
}

static BOOLEAN log_call(PCSTR Format, ULONG Count, const ULONG_PTR *Values, BOOLEAN Filter)
{
    PROTOCOL_CALL Call = {.Format = Format,
                          .Parameters = Count,
                          .Values = Values,
                          .Process = (HANDLE)0x46C,
                          .Thread = (HANDLE)0x2B0,
                          .Filter = Filter};

    return ProtocolLog(&P, &Call);
}

static const char *next_line(void)
{
    return RingReadLine(P.Data, Line, sizeof(Line)) ? Line : "";
}

#define TAIL "1BFEE0000000000,2B0,0"
#define LOGS(expected, format, ...)                                                                \
    do {                                                                                           \
        const ULONG_PTR Values[] = {__VA_ARGS__};                                                  \
        ProtocolReset(&P);                                                                         \
        assert_true(log_call(format, RTL_NUMBER_OF(Values), Values, FALSE));                       \
        assert_string_equal(next_line(), expected);                                                \
    } while (0)

static UNICODE_STRING string(PCWSTR Text)
{
    UNICODE_STRING String = {0, 0, (PWSTR)Text};

    while (Text[String.Length / 2])
        String.Length += 2;
    String.MaximumLength = String.Length;
    return String;
}

static void each_escape_prints_its_letter_and_what_the_value_means(void **State)
{
    ULONG Number = 0xAB0;
    LARGE_INTEGER Large = {.QuadPart = 0x123456789A};
    IO_STATUS_BLOCK Block = {.Status = (NTSTATUS)0xC0000034, .Information = 0x10};
    CLIENT_ID Id = {(HANDLE)0x1C8, (HANDLE)0x2F4};
    UNICODE_STRING Name = string(L"\\Device\\x");
    OBJECT_ATTRIBUTES Object = {.Length = sizeof(Object), .ObjectName = &Name};
    HANDLE New = (HANDLE)0x18;

    LOGS("1:s0=F(bTRUE)" TAIL, "%s=F(%b)", 0, 1);
    LOGS("1:s0=F(bFALSE)" TAIL, "%s=F(%b)", 0, 0x100);
    LOGS("1:s0=F(nFFFFFFFF)" TAIL, "%s=F(%n)", 0, 0x1FFFFFFFF);
    LOGS("1:sC0000005=F(n0)" TAIL, "%s=F(%n)", (ULONG_PTR)(LONG)0xC0000005, 0);
    LOGS("1:s0=F(pABCDEF0123)" TAIL, "%s=F(%p)", 0, 0xABCDEF0123);
    LOGS("1:s0=F(p)" TAIL, "%s=F(%p)", 0, 0);
    LOGS("1:s0=F(dAB0)" TAIL, "%s=F(%d)", 0, (ULONG_PTR)&Number);
    LOGS("1:s0=F(d)" TAIL, "%s=F(%d)", 0, 8);
    LOGS("1:s0=F(l123456789A)" TAIL, "%s=F(%l)", 0, (ULONG_PTR)&Large);
    LOGS("1:s0=F(iC0000034.10)" TAIL, "%s=F(%i)", 0, (ULONG_PTR)&Block);
    LOGS("1:s0=F(c1C8.2F4)" TAIL, "%s=F(%c)", 0, (ULONG_PTR)&Id);
    LOGS("1:s0=F(ahello)" TAIL, "%s=F(%a)", 0, (ULONG_PTR) "hello");
    LOGS("1:s0=F(wwide?)" TAIL, "%s=F(%w)", 0, (ULONG_PTR)L"wide\x20AC");
    LOGS("1:s0=F(u\"\\Device\\x\")" TAIL, "%s=F(%u)", 0, (ULONG_PTR)&Name);
    LOGS("1:s0=F(o\"\\Device\\x\")" TAIL, "%s=F(%o)", 0, (ULONG_PTR)&Object);
    LOGS("1:s0=F(o)" TAIL, "%s=F(%o)", 0, 0);
    LOGS("1:s0=F(!46C.18)" TAIL, "%s=F(%!)", 0, 0x18);
    LOGS("1:s0=F(-46C.18)" TAIL, "%s=F(%-)", 0, 0x18);
    LOGS("1:s0=F(+46C.18,o\"\\Device\\x\")1BFEE0000000000,2B0,1", "%s=F(%+,%o)", 0, (ULONG_PTR)&New,
         (ULONG_PTR)&Object);
}

static void text_and_percent_signs_are_copied(void **State)
{
    LOGS("1:100% of s0" TAIL, "100%% of %s", 0);
    LOGS("1:%y s0" TAIL, "%y %s", 0);
    LOGS("1:s0 end" TAIL, "%s end%", 0);
}

static void control_characters_do_not_break_a_line(void **State)
{
    UNICODE_STRING Name = string(L"a\nb\x7f");

    LOGS("1:s0=F(u\"a?b?\")" TAIL, "%s=F(%u)", 0, (ULONG_PTR)&Name);
    LOGS("1:s0=F(ax?y)" TAIL, "%s=F(%a)", 0, (ULONG_PTR) "x\ny");
}

static void a_line_that_is_too_long_keeps_its_end(void **State)
{
    static CHAR Long[2 * PROTOCOL_TEXT];
    const ULONG_PTR Values[] = {0,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long,
                                (ULONG_PTR)Long};

    memset(Long, 'x', sizeof(Long) - 1);
    assert_true(log_call("%s%a%a%a%a%a%a%a%a%a", 10, Values, FALSE));
    assert_true(strlen(next_line()) < PROTOCOL_LINE);
    assert_string_equal(Line + strlen(Line) - strlen(TAIL), TAIL);
}

static void a_format_that_does_not_fit_the_call_writes_nothing(void **State)
{
    const ULONG_PTR Values[] = {0, 1, 2};

    assert_false(log_call("%s=F(%n)", 3, Values, FALSE));
    assert_false(log_call("%s=F(%n,%n,%n)", 3, Values, FALSE));
    assert_false(log_call("%s=F(%n,%y)", 3, Values, FALSE));
    assert_int_equal(P.Data->sh.dCalls, 0);
    assert_true(log_call("%s=F(%n,%n)", 3, Values, FALSE));
}

static void open_handle(HANDLE Handle, PCWSTR Text)
{
    UNICODE_STRING Name = string(Text);
    OBJECT_ATTRIBUTES Object = {.Length = sizeof(Object), .ObjectName = &Name};
    const ULONG_PTR Values[] = {0, (ULONG_PTR)&Handle, (ULONG_PTR)&Object};

    assert_true(log_call("%s=Open(%+,%o)", 3, Values, TRUE));
    next_line();
}

static void the_filter_shows_handles_it_saw_opened(void **State)
{
    const ULONG_PTR Use[] = {0, 0x18}, Other[] = {0, 0x1C}, None[] = {0, 1};
    HANDLE Bad = NULL;
    const ULONG_PTR Nothing[] = {0, (ULONG_PTR)&Bad, 0},
                    Failed[] = {0xC0000034, (ULONG_PTR)&Use[1], 0};

    assert_true(log_call("%s=F(%n)", 2, None, TRUE));
    assert_false(log_call("%s=F(%!)", 2, Use, TRUE));
    assert_true(log_call("%s=F(%!)", 2, Use, FALSE));
    assert_false(log_call("%s=Open(%+,%o)", 3, Nothing, TRUE));
    assert_false(log_call("%s=Open(%+,%o)", 3, Failed, TRUE));
    open_handle((HANDLE)0x18, L"\\x");
    assert_true(log_call("%s=F(%!)", 2, Use, TRUE));
    assert_false(log_call("%s=F(%!)", 2, Other, TRUE));
    ProtocolReset(&P);
    open_handle((HANDLE)0x18, L"\\x");
    assert_true(log_call("%s=F(%!)", 2, Use, TRUE));
    assert_string_equal(next_line(), "2:s0=F(!46C.18=\"\\x\")1BFEE0000000000,2B0,1");
}

static void a_closed_handle_is_forgotten_unless_closing_fails(void **State)
{
    WCHAR Name[PROTOCOL_TEXT + 1];
    ULONG_PTR Values[] = {0xC0000008, 0x18};
    PROTOCOL_CALL Call = {.Format = "%s=NtClose(%-)",
                          .Parameters = 2,
                          .Values = Values,
                          .Process = (HANDLE)0x46C,
                          .Thread = (HANDLE)0x2B0,
                          .Filter = TRUE,
                          .ClosedName = Name};

    open_handle((HANDLE)0x18, L"\\x");
    Call.Closed = ProtocolClosing(&P, Call.Process, (HANDLE)0x18, Name);
    assert_true(Call.Closed);
    assert_int_equal(P.Data->sh.dHandles, 0);
    assert_true(ProtocolLog(&P, &Call));
    assert_string_equal(next_line(), "2:sC0000008=NtClose(-46C.18=\"\\x\")1BFEE0000000000,2B0,1");
    Values[0] = 0;
    Call.Closed = ProtocolClosing(&P, Call.Process, (HANDLE)0x18, Name);
    assert_true(ProtocolLog(&P, &Call));
    assert_string_equal(next_line(), "3:s0=NtClose(-46C.18=\"\\x\")1BFEE0000000000,2B0,0");
    assert_false(ProtocolClosing(&P, Call.Process, (HANDLE)0x18, Name));
}

static ULONG add(ULONG Handle, PCWSTR Name)
{
    return RegistryAdd(&P, (HANDLE)4, (HANDLE)(ULONG_PTR)Handle, Name);
}

static void expect_names(const ULONG *Handles, ULONG Count)
{
    WCHAR Name[2] = {0};

    assert_int_equal(P.Data->sh.dHandles, Count);
    assert_int_equal(P.Data->sh.dName, Count * 2);
    for (ULONG i = 0; i < Count; i++) {
        Name[0] = (WCHAR)('a' + Handles[i]);
        assert_int_equal(RegistryFind(&P, (HANDLE)4, (HANDLE)(ULONG_PTR)Handles[i]), i + 1);
        assert_memory_equal(RegistryName(&P, i + 1), Name, 4);
    }
}

static void the_first_the_middle_and_the_last_can_be_removed(void **State)
{
    for (ULONG i = 1; i <= 5; i++) {
        WCHAR Name[2] = {(WCHAR)('a' + i), 0};

        assert_int_equal(add(i, Name), i);
    }
    RegistryRemove(&P, 3);
    expect_names((ULONG[]){1, 2, 4, 5}, 4);
    RegistryRemove(&P, 1);
    expect_names((ULONG[]){2, 4, 5}, 3);
    RegistryRemove(&P, 3);
    expect_names((ULONG[]){2, 4}, 2);
    assert_int_equal(RegistryFind(&P, (HANDLE)4, (HANDLE)1), 0);
    assert_int_equal(RegistryFind(&P, (HANDLE)8, (HANDLE)2), 0);
    assert_false(ProtocolMayKnow(&P, (HANDLE)4, (HANDLE)0x4000));
}

static void registering_again_renews(void **State)
{
    add(1, L"old");
    add(2, L"two");
    assert_int_equal(add(1, L"new"), 2);
    assert_int_equal(P.Data->sh.dHandles, 2);
    assert_memory_equal(RegistryName(&P, RegistryFind(&P, (HANDLE)4, (HANDLE)1)), L"new", 8);
    assert_int_equal(add(0, L"none"), 0);
}

static void the_oldest_of_too_many_goes(void **State)
{
    for (ULONG i = 1; i <= SPY_HANDLES; i++)
        assert_int_equal(add(i, L"x"), i);
    assert_int_equal(add(SPY_HANDLES + 1, L"y"), SPY_HANDLES);
    assert_int_equal(RegistryFind(&P, (HANDLE)4, (HANDLE)1), 0);
    assert_int_equal(RegistryFind(&P, (HANDLE)4, (HANDLE)2), 1);
    while (P.Data->sh.dHandles)
        RegistryRemove(&P, P.Data->sh.dHandles);
    assert_int_equal(P.Data->sh.dName, 0);
    for (ULONG i = 0; i < PROTOCOL_BUCKETS; i++)
        assert_int_equal(P.Known[i], 0);
}

static void a_name_without_room_is_not_registered(void **State)
{
    static WCHAR Long[SPY_NAME_BUFFER / 4];

    for (ULONG i = 0; i < RTL_NUMBER_OF(Long) - 1; i++)
        Long[i] = 'n';
    for (ULONG i = 1; i <= 4; i++)
        assert_int_equal(add(i, Long), i);
    assert_int_equal(add(5, L""), 0);
    RegistryRemove(&P, 2);
    assert_int_equal(add(5, L"fits"), 4);
}

static void write_text(const char *Text)
{
    RingWrite(P.Data, Text, (ULONG)strlen(Text));
}

static void lines_come_out_whole_and_without_their_newline(void **State)
{
    CHAR Short[4];

    assert_int_equal(RingReadLine(P.Data, Line, sizeof(Line)), 0);
    assert_string_equal(Line, "");
    write_text("one\ntwo\nhal");
    assert_int_equal(RingReadLine(P.Data, Line, sizeof(Line)), 4);
    assert_string_equal(Line, "one");
    assert_int_equal(RingReadLine(P.Data, Line, 0), 0);
    assert_string_equal(next_line(), "two");
    assert_int_equal(RingReadLine(P.Data, Line, sizeof(Line)), 0);
    write_text("f\nlonger\nlast\n");
    assert_string_equal(next_line(), "half");
    assert_int_equal(RingReadLine(P.Data, Short, sizeof(Short)), 4);
    assert_string_equal(Short, "lon");
    assert_string_equal(next_line(), "last");
    write_text("raw\nbytes");
    assert_int_equal(RingReadRaw(P.Data, Line, 5), 5);
    assert_memory_equal(Line, "raw\nb", 5);
    assert_int_equal(RingReadRaw(P.Data, Line, 100), 4);
    assert_int_equal(RingReadRaw(P.Data, Line, 100), 0);
}

static void a_full_ring_drops_its_oldest_lines(void **State)
{
    char Text[64];
    ULONG First;

    for (ULONG i = 0; i < 40000; i++) {
        snprintf(Text, sizeof(Text), "this is line number %05u of many lines\n", i);
        write_text(Text);
    }
    assert_true(RingCount(P.Data) < SPY_DATA_BUFFER);
    assert_int_equal(sscanf(next_line(), "this is line number %u of", &First), 1);
    assert_int_equal(RingCount(P.Data) % 40, 0);
    for (ULONG i = First + 1; i < 40000; i++) {
        snprintf(Text, sizeof(Text), "this is line number %05u of many lines", i);
        assert_string_equal(next_line(), Text);
    }
    assert_string_equal(next_line(), "");
}

static void a_ring_that_is_one_line_loses_half(void **State)
{
    static char Giant[SPY_DATA_BUFFER + 100];

    memset(Giant, 'g', sizeof(Giant));
    RingWrite(P.Data, Giant, SPY_DATA_BUFFER - 1);
    assert_int_equal(RingCount(P.Data), SPY_DATA_BUFFER - 1);
    write_text("x");
    assert_in_range(RingCount(P.Data), SPY_DATA_BUFFER / 2 - 2, SPY_DATA_BUFFER / 2 + 2);
    RingWrite(P.Data, Giant, sizeof(Giant));
    assert_int_equal(RingCount(P.Data), SPY_DATA_BUFFER - 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest Tests[] = {
        T(each_escape_prints_its_letter_and_what_the_value_means),
        T(text_and_percent_signs_are_copied),
        T(control_characters_do_not_break_a_line),
        T(a_line_that_is_too_long_keeps_its_end),
        T(a_format_that_does_not_fit_the_call_writes_nothing),
        T(the_filter_shows_handles_it_saw_opened),
        T(a_closed_handle_is_forgotten_unless_closing_fails),
        T(the_first_the_middle_and_the_last_can_be_removed),
        T(registering_again_renews),
        T(the_oldest_of_too_many_goes),
        T(a_name_without_room_is_not_registered),
        T(lines_come_out_whole_and_without_their_newline),
        T(a_full_ring_drops_its_oldest_lines),
        T(a_ring_that_is_one_line_loses_half),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
