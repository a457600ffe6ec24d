/* The ring against a model: a queue that is as simple as can be. */
#include <ntddk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../driver/ring.h"

#define SIZE 2000
#define MODEL 8192

typedef struct {
    RING Ring;
    UCHAR Data[SIZE + 16]; /* a guard behind the array */
    UCHAR Model[MODEL];
    ULONG Count;
    UCHAR NextIn, NextOut;
    unsigned Seed;
} FIXTURE;

static FIXTURE Fixture;

static int start(void **State)
{
    memset(&Fixture, 0, sizeof(Fixture));
    memset(Fixture.Data + SIZE, 0xEE, 16);
    Fixture.Seed = 12345;
    RingInitialize(&Fixture.Ring, Fixture.Data, SIZE);
    return 0;
}

static ULONG any(ULONG Limit)
{
    Fixture.Seed = Fixture.Seed * 1103515245 + 12345;
    return (Fixture.Seed >> 8) % Limit;
}

static void guard_is_whole(void)
{
    for (int i = 0; i < 16; i++)
        assert_int_equal(Fixture.Data[SIZE + i], 0xEE);
}

/* Writes Length bytes of an endless sequence; returns what was taken, which must be what fits. */
static ULONG put(ULONG Length)
{
    UCHAR Bytes[MODEL];
    ULONG Free = RingFree(&Fixture.Ring), Taken;

    for (ULONG i = 0; i < Length; i++)
        Bytes[i] = (UCHAR)(Fixture.NextIn + i);
    Taken = RingWrite(&Fixture.Ring, Bytes, Length);
    assert_int_equal(Taken, Length < Free ? Length : Free);
    Fixture.NextIn = (UCHAR)(Fixture.NextIn + Taken);
    Fixture.Count += Taken;
    assert_int_equal(RingUsed(&Fixture.Ring), Fixture.Count);
    guard_is_whole();
    return Taken;
}

static ULONG get(ULONG Length)
{
    UCHAR Bytes[MODEL + 16];
    ULONG Taken;

    memset(Bytes, 0xAB, sizeof(Bytes));
    Taken = RingRead(&Fixture.Ring, Bytes, Length);
    assert_int_equal(Taken, Length < Fixture.Count ? Length : Fixture.Count);
    for (ULONG i = 0; i < Taken; i++)
        assert_int_equal(Bytes[i], Fixture.NextOut++);
    for (ULONG i = Taken; i < Taken + 16; i++)
        assert_int_equal(Bytes[i], 0xAB);
    Fixture.Count -= Taken;
    assert_int_equal(RingUsed(&Fixture.Ring), Fixture.Count);
    return Taken;
}

static void a_new_ring_is_empty_and_holds_1999_bytes(void **State)
{
    assert_int_equal(RingUsed(&Fixture.Ring), 0);
    assert_int_equal(RingFree(&Fixture.Ring), 1999);
    assert_int_equal(put(5000), 1999);
    assert_int_equal(put(1), 0);
    assert_int_equal(get(5000), 1999);
    assert_int_equal(get(1), 0);
}

static void every_interesting_size_at_every_start(void **State)
{
    static const ULONG Sizes[] = {0, 1, 1998, 1999, 2000, 5000};

    for (ULONG Start = 0; Start < SIZE; Start += 37)
        for (int i = 0; i < 6; i++) {
            start(NULL);
            Fixture.Ring.Start = Fixture.Ring.Stop = Start;
            put(Sizes[i]);
            get(Sizes[i]);
            put(3);
            get(5000);
        }
}

static void a_million_random_bytes_come_out_as_they_went_in(void **State)
{
    ULONG Moved = 0;

    while (Moved < 2000000) {
        put(any(any(4) ? 600 : 6000));
        Moved += get(any(any(4) ? 600 : 6000));
    }
    while (get(777))
        ;
    assert_int_equal(Fixture.NextIn, Fixture.NextOut);
}

static void a_look_ahead_takes_nothing(void **State)
{
    UCHAR Bytes[4] = {0};

    put(1500);
    get(1400);
    put(1000);
    assert_int_equal(RingPeek(&Fixture.Ring, 599, Bytes, 4), 4); /* across the end of the array */
    assert_int_equal(Bytes[0], (UCHAR)(Fixture.NextOut + 599));
    assert_int_equal(Bytes[3], (UCHAR)(Fixture.NextOut + 602));
    assert_int_equal(RingPeek(&Fixture.Ring, 1098, Bytes, 4), 2);
    assert_int_equal(RingPeek(&Fixture.Ring, 1100, Bytes, 4), 0);
    assert_int_equal(RingUsed(&Fixture.Ring), 1100);
    get(5000);
}

static void bytes_that_are_put_are_not_there_before_the_commit(void **State)
{
    assert_int_equal(RingPut(&Fixture.Ring, 0, "ab", 2), 2);
    assert_int_equal(RingPut(&Fixture.Ring, 2, "cd", 2), 2);
    assert_int_equal(RingUsed(&Fixture.Ring), 0);
    RingCommit(&Fixture.Ring, 4);
    assert_int_equal(RingUsed(&Fixture.Ring), 4);
    assert_memory_equal(Fixture.Data, "abcd", 4);
}

static void dropping_takes_the_oldest(void **State)
{
    put(10);
    assert_int_equal(RingDrop(&Fixture.Ring, 4), 4);
    Fixture.NextOut = (UCHAR)(Fixture.NextOut + 4);
    Fixture.Count -= 4;
    get(6);
    assert_int_equal(RingDrop(&Fixture.Ring, 1), 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(a_new_ring_is_empty_and_holds_1999_bytes, start),
        cmocka_unit_test_setup(every_interesting_size_at_every_start, start),
        cmocka_unit_test_setup(a_million_random_bytes_come_out_as_they_went_in, start),
        cmocka_unit_test_setup(a_look_ahead_takes_nothing, start),
        cmocka_unit_test_setup(bytes_that_are_put_are_not_there_before_the_commit, start),
        cmocka_unit_test_setup(dropping_takes_the_oldest, start),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
