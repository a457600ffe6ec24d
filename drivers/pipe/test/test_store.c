/* Bytes and messages in a store. */
#include <ntddk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../driver/store.h"
#include "../public.h"

static STORE Store;
static UCHAR Data[33]; /* holds 32 bytes */
static UCHAR Out[64];
static ULONG Done;

static int bytes(void **State)
{
    Store.Messages = FALSE;
    RingInitialize(&Store.Ring, Data, sizeof(Data));
    memset(Out, 0, sizeof(Out));
    return 0;
}

static int messages(void **State)
{
    bytes(State);
    Store.Messages = TRUE;
    return 0;
}

static NTSTATUS put(const char *Text)
{
    return StoreWrite(&Store, (const UCHAR *)Text, (ULONG)strlen(Text), &Done);
}

static NTSTATUS get(ULONG Length)
{
    memset(Out, 0, sizeof(Out));
    return StoreRead(&Store, Out, Length, &Done);
}

static void bytes_run_together(void **State)
{
    assert_int_equal(put("one"), STATUS_SUCCESS);
    assert_int_equal(put("two"), STATUS_SUCCESS);
    assert_int_equal(get(64), STATUS_SUCCESS);
    assert_int_equal(Done, 6);
    assert_string_equal(Out, "onetwo");
    assert_int_equal(get(64), STATUS_PENDING);
}

static void what_does_not_fit_is_pending(void **State)
{
    assert_int_equal(put("0123456789012345678901234567890123456789"), STATUS_PENDING);
    assert_int_equal(Done, 32);
    assert_int_equal(put("x"), STATUS_PENDING);
    assert_int_equal(Done, 0);
}

static void new_bytes_push_the_oldest_out(void **State)
{
    put("01234567890123456789012345678901");
    assert_int_equal(StoreOverwrite(&Store, (const UCHAR *)"abc", 3, &Done), STATUS_SUCCESS);
    assert_int_equal(Done, 3);
    get(64);
    assert_string_equal(Out, "34567890123456789012345678901abc");
}

static void of_more_than_it_holds_the_last_bytes_stay(void **State)
{
    put("old");
    assert_int_equal(
        StoreOverwrite(&Store, (const UCHAR *)"abcdefghijklmnopqrstuvwxyz0123456789", 36, &Done),
        STATUS_SUCCESS);
    assert_int_equal(Done, 36);
    get(64);
    assert_string_equal(Out, "efghijklmnopqrstuvwxyz0123456789");
}

static void a_read_takes_one_message(void **State)
{
    put("one");
    put("");
    put("three");
    assert_int_equal(get(64), STATUS_SUCCESS);
    assert_string_equal(Out, "one");
    assert_int_equal(get(64), STATUS_SUCCESS);
    assert_int_equal(Done, 0);
    assert_int_equal(get(64), STATUS_SUCCESS);
    assert_string_equal(Out, "three");
    assert_int_equal(get(64), STATUS_PENDING);
}

static void the_rest_of_a_message_comes_with_the_next_read(void **State)
{
    put("message");
    put("next");
    assert_int_equal(get(3), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(Out, "mes");
    assert_int_equal(get(1), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(Out, "s");
    assert_int_equal(get(0), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(get(3), STATUS_SUCCESS);
    assert_string_equal(Out, "age");
    assert_int_equal(get(64), STATUS_SUCCESS);
    assert_string_equal(Out, "next");
    assert_true(StoreEmpty(&Store));
}

static void a_message_goes_in_whole_or_not_at_all(void **State)
{
    assert_int_equal(put("01234567890123456789"), STATUS_SUCCESS);
    assert_int_equal(put("012345"), STATUS_PENDING);
    assert_int_equal(Done, 0);
    assert_int_equal(put("0123"), STATUS_SUCCESS);
}

static void a_message_that_never_fits_is_refused(void **State)
{
    assert_int_equal(put("01234567890123456789012345678"), STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(put("0123456789012345678901234567"), STATUS_SUCCESS);
}

static void new_messages_push_whole_old_ones_out(void **State)
{
    put("first");
    put("second");
    put("third");
    assert_int_equal(StoreOverwrite(&Store, (const UCHAR *)"fourth", 6, &Done), STATUS_SUCCESS);
    get(64);
    assert_string_equal(Out, "second");
    get(64);
    get(64);
    assert_string_equal(Out, "fourth");
}

static void messages_of_all_lengths_survive_the_end_of_the_array(void **State)
{
    char Text[32] = "";

    for (int i = 0; i < 5000; i++) {
        memset(Text, 'a' + i % 26, i % 28);
        Text[i % 28] = 0;
        assert_int_equal(put(Text), STATUS_SUCCESS);
        if (i % 3 == 0 && i % 28 > 2) {
            assert_int_equal(get(2), STATUS_BUFFER_OVERFLOW);
            assert_int_equal(get(64), STATUS_SUCCESS);
            assert_string_equal(Out, Text + 2);
        } else {
            assert_int_equal(get(64), STATUS_SUCCESS);
            assert_string_equal(Out, Text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(bytes_run_together, bytes),
        cmocka_unit_test_setup(what_does_not_fit_is_pending, bytes),
        cmocka_unit_test_setup(new_bytes_push_the_oldest_out, bytes),
        cmocka_unit_test_setup(of_more_than_it_holds_the_last_bytes_stay, bytes),
        cmocka_unit_test_setup(a_read_takes_one_message, messages),
        cmocka_unit_test_setup(the_rest_of_a_message_comes_with_the_next_read, messages),
        cmocka_unit_test_setup(a_message_goes_in_whole_or_not_at_all, messages),
        cmocka_unit_test_setup(a_message_that_never_fits_is_refused, messages),
        cmocka_unit_test_setup(new_messages_push_whole_old_ones_out, messages),
        cmocka_unit_test_setup(messages_of_all_lengths_survive_the_end_of_the_array, messages),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
