/* Bitmaps, against an array of flags. */
#include "rtl_test.h"

#define BITS 203

static ULONG Words[(BITS + 31) / 32 + 1];
static RTL_BITMAP Map;
static UCHAR Model[BITS];

static int EmptyMap(void **state)
{
    memset(Words, 0, sizeof(Words));
    memset(Model, 0, sizeof(Model));
    RtlInitializeBitMap(&Map, Words, BITS);
    return 0;
}

static BOOLEAN ModelIs(ULONG Start, ULONG Count, UCHAR Value)
{
    for (ULONG i = 0; i < Count; i++)
        if (Model[Start + i] != Value)
            return FALSE;
    return TRUE;
}

static ULONG ModelFind(ULONG Count, ULONG Hint, UCHAR Value)
{
    for (ULONG Start = Hint; Start + Count <= BITS; Start++)
        if (ModelIs(Start, Count, Value))
            return Start;
    for (ULONG Start = 0; Start < Hint && Start + Count <= BITS; Start++)
        if (ModelIs(Start, Count, Value))
            return Start;
    return MAXULONG;
}

static void CheckAgainstModel(ULONG64 *Seed)
{
    ULONG Set = 0, Longest = 0;
    for (ULONG i = 0; i < BITS; i++) {
        Set += Model[i];
        assert_int_equal(RtlTestBit(&Map, i), Model[i]);
        assert_int_equal(RtlCheckBit(&Map, i), Model[i]);
    }
    assert_int_equal(RtlNumberOfSetBits(&Map), Set);
    assert_int_equal(RtlNumberOfClearBits(&Map), BITS - Set);
    ULONG Count = TestRandom(Seed) % 12 + 1, Hint = TestRandom(Seed) % BITS, Start;
    assert_int_equal(RtlFindClearBits(&Map, Count, Hint), ModelFind(Count, Hint, 0));
    assert_int_equal(RtlFindSetBits(&Map, Count, Hint), ModelFind(Count, Hint, 1));
    ULONG Run = RtlFindNextForwardRunClear(&Map, Hint, &Start);
    ULONG First = Hint;
    while (First < BITS && Model[First])
        First++;
    ULONG End = First;
    while (End < BITS && !Model[End])
        End++;
    assert_int_equal(Run, End - First);
    if (Run)
        assert_int_equal(Start, First);
    for (ULONG i = 0, Length = 0; i < BITS; i++) {
        Length = Model[i] ? 0 : Length + 1;
        Longest = max(Longest, Length);
    }
    assert_int_equal(RtlFindLongestRunClear(&Map, &Start), Longest);
    if (Longest)
        assert_true(ModelIs(Start, Longest, 0));
    Count = min(Count, BITS - Hint);
    assert_int_equal(RtlAreBitsClear(&Map, Hint, Count), ModelIs(Hint, Count, 0));
    assert_int_equal(RtlAreBitsSet(&Map, Hint, Count), ModelIs(Hint, Count, 1));
}

static void random_operations_agree_with_a_model(void **state)
{
    ULONG64 Seed = 4711;
    for (ULONG Round = 0; Round < 3000; Round++) {
        ULONG Start = TestRandom(&Seed) % BITS;
        ULONG Count = TestRandom(&Seed) % min(BITS - Start + 1, 70);
        BOOLEAN Set = TestRandom(&Seed) % 2;
        if (Set)
            RtlSetBits(&Map, Start, Count);
        else
            RtlClearBits(&Map, Start, Count);
        memset(Model + Start, Set, Count);
        if (Count == 1 && Set)
            RtlClearBit(&Map, Start), RtlSetBit(&Map, Start);
        CheckAgainstModel(&Seed);
    }
    assert_int_equal(Words[(BITS + 31) / 32], 0);
}

static void all_bits_means_those_of_the_map(void **state)
{
    RtlSetAllBits(&Map);
    assert_int_equal(RtlNumberOfSetBits(&Map), BITS);
    assert_int_equal(Words[BITS / 32], (1u << BITS % 32) - 1);
    assert_int_equal(RtlFindClearBits(&Map, 1, 0), MAXULONG);
    RtlClearAllBits(&Map);
    assert_int_equal(RtlNumberOfSetBits(&Map), 0);
    assert_int_equal(RtlFindClearBits(&Map, BITS + 1, 0), MAXULONG);
}

static void finding_can_set_and_clear(void **state)
{
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 5, 100), 100);
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 5, 100), 105);
    assert_int_equal(RtlFindSetBitsAndClear(&Map, 7, 0), 100);
    assert_int_equal(RtlNumberOfSetBits(&Map), 3);
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 300, 0), MAXULONG);
}

static void a_backward_run_ends_at_the_index(void **state)
{
    ULONG Start;
    RtlSetBits(&Map, 0, 10);
    RtlSetBits(&Map, 20, 5);
    assert_int_equal(RtlFindLastBackwardRunClear(&Map, 24, &Start), 10);
    assert_int_equal(Start, 10);
    assert_int_equal(RtlFindLastBackwardRunClear(&Map, 15, &Start), 6);
    assert_int_equal(Start, 10);
    assert_int_equal(RtlFindLastBackwardRunClear(&Map, 9, &Start), 0);
}

static void runs_are_listed_first_or_longest(void **state)
{
    RTL_BITMAP_RUN Runs[2];
    RtlSetAllBits(&Map);
    RtlClearBits(&Map, 3, 1);
    RtlClearBits(&Map, 50, 20);
    RtlClearBits(&Map, 100, 30);
    assert_int_equal(RtlFindClearRuns(&Map, Runs, 2, FALSE), 2);
    assert_int_equal(Runs[0].StartingIndex, 3);
    assert_int_equal(Runs[1].NumberOfBits, 20);
    assert_int_equal(RtlFindClearRuns(&Map, Runs, 2, TRUE), 2);
    assert_int_equal(Runs[0].StartingIndex, 100);
    assert_int_equal(Runs[1].StartingIndex, 50);
    ULONG Start;
    assert_int_equal(RtlFindFirstRunClear(&Map, &Start), 1);
    assert_int_equal(Start, 3);
}

static jmp_buf FailedFast;
static ULONG FailCode;

static VOID CatchFailFast(ULONG Code)
{
    FailCode = Code;
    longjmp(FailedFast, 1);
}

static void a_bit_outside_the_map_fails_fast(void **state)
{
    RtlpSetHooks(&(RTLP_HOOKS){.FailFast = CatchFailFast});
    if (!setjmp(FailedFast)) {
        RtlSetBits(&Map, BITS - 1, 2);
        fail();
    }
    assert_int_equal(FailCode, 5);
    assert_false(RtlAreBitsClear(&Map, BITS - 1, 2));
    assert_false(RtlAreBitsClear(&Map, 0, 0));
    RtlpResetHooks();
}

static void significant_bits_are_found(void **state)
{
    assert_int_equal(RtlFindLeastSignificantBit(0), -1);
    assert_int_equal(RtlFindMostSignificantBit(0), -1);
    assert_int_equal(RtlFindLeastSignificantBit(0xF0), 4);
    assert_int_equal(RtlFindMostSignificantBit(1ull << 63), 63);
    assert_int_equal(RtlNumberOfSetBitsUlongPtr(0xFF00FF), 16);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(random_operations_agree_with_a_model, EmptyMap),
        cmocka_unit_test_setup(all_bits_means_those_of_the_map, EmptyMap),
        cmocka_unit_test_setup(finding_can_set_and_clear, EmptyMap),
        cmocka_unit_test_setup(a_backward_run_ends_at_the_index, EmptyMap),
        cmocka_unit_test_setup(runs_are_listed_first_or_longest, EmptyMap),
        cmocka_unit_test_setup(a_bit_outside_the_map_fails_fast, EmptyMap),
        cmocka_unit_test(significant_bits_are_found),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
