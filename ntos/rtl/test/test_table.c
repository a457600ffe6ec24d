/* Generic tables, both kinds, against a sorted set. */
#include "rtl_test.h"

#include <stdlib.h>

#define KEYS 400

static UCHAR Present[KEYS];
static ULONG Allocations;
static BOOLEAN NoMemory;

static RTL_GENERIC_COMPARE_RESULTS Order(const ULONG *A, const ULONG *B)
{
    return *A < *B ? GenericLessThan : *A > *B ? GenericGreaterThan : GenericEqual;
}

static RTL_GENERIC_COMPARE_RESULTS CompareAvl(PRTL_AVL_TABLE Table, PVOID A, PVOID B)
{
    return Order(A, B);
}

static PVOID AllocateAvl(PRTL_AVL_TABLE Table, CLONG Size)
{
    Allocations += !NoMemory;
    return NoMemory ? NULL : malloc(Size);
}

static VOID FreeAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    Allocations--;
    free(Buffer);
}

static RTL_GENERIC_COMPARE_RESULTS Compare(PRTL_GENERIC_TABLE Table, PVOID A, PVOID B)
{
    return Order(A, B);
}

static PVOID Allocate(PRTL_GENERIC_TABLE Table, CLONG Size)
{
    return AllocateAvl(NULL, Size);
}

static VOID Free(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    FreeAvl(NULL, Buffer);
}

static ULONG ModelCount(void)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < KEYS; i++)
        Count += Present[i];
    return Count;
}

/* The height, checked with parents, balance and order on the way. */
static LONG CheckNode(PRTL_BALANCED_LINKS Links, PRTL_BALANCED_LINKS Parent)
{
    if (!Links)
        return 0;
    assert_ptr_equal(Links->Parent, Parent);
    LONG Left = CheckNode(Links->LeftChild, Links), Right = CheckNode(Links->RightChild, Links);
    assert_int_equal(Right - Left, Links->Balance);
    assert_in_range(Links->Balance + 1, 0, 2);
    return 1 + max(Left, Right);
}

static void CheckAvl(PRTL_AVL_TABLE Table)
{
    assert_int_equal(CheckNode(Table->BalancedRoot.RightChild, &Table->BalancedRoot),
                     Table->DepthOfTree);
    assert_int_equal(RtlNumberGenericTableElementsAvl(Table), ModelCount());
    assert_int_equal(RtlIsGenericTableEmptyAvl(Table), ModelCount() == 0);
    ULONG Place = 0;
    PVOID Restart = NULL;
    for (ULONG i = 0; i < KEYS; i++) {
        if (!Present[i])
            continue;
        ULONG *Found = RtlEnumerateGenericTableWithoutSplayingAvl(Table, &Restart);
        assert_non_null(Found);
        assert_int_equal(*Found, i);
        assert_ptr_equal(RtlGetElementGenericTableAvl(Table, Place++), Found);
    }
    assert_null(RtlEnumerateGenericTableWithoutSplayingAvl(Table, &Restart));
    assert_null(RtlGetElementGenericTableAvl(Table, Place));
}

static void an_avl_table_is_a_sorted_set(void **state)
{
    RTL_AVL_TABLE Table;
    ULONG64 Seed = 99;
    memset(Present, 0, sizeof(Present));
    RtlInitializeGenericTableAvl(&Table, CompareAvl, AllocateAvl, FreeAvl, NULL);
    for (ULONG Round = 0; Round < 6000; Round++) {
        ULONG Key = TestRandom(&Seed) % KEYS;
        BOOLEAN New = 77;
        if (TestRandom(&Seed) % 100 < (Round < 3000 ? 60u : 40u)) {
            ULONG *Data = RtlInsertElementGenericTableAvl(&Table, &Key, sizeof(Key), &New);
            assert_int_equal(*Data, Key);
            assert_int_equal(New, !Present[Key]);
            Present[Key] = TRUE;
        } else {
            assert_int_equal(RtlDeleteElementGenericTableAvl(&Table, &Key), Present[Key]);
            Present[Key] = FALSE;
        }
        assert_int_equal(RtlLookupElementGenericTableAvl(&Table, &Key) != NULL, Present[Key]);
        if (Round % 10 == 0)
            CheckAvl(&Table);
    }
    for (ULONG Key = 0; Key < KEYS; Key++)
        RtlDeleteElementGenericTableAvl(&Table, &Key);
    assert_int_equal(Table.DepthOfTree, 0);
    assert_int_equal(Allocations, 0);
}

static void an_avl_table_without_memory_inserts_nothing(void **state)
{
    RTL_AVL_TABLE Table;
    ULONG Key = 1;
    BOOLEAN New = TRUE;
    RtlInitializeGenericTableAvl(&Table, CompareAvl, AllocateAvl, FreeAvl, NULL);
    NoMemory = TRUE;
    assert_null(RtlInsertElementGenericTableAvl(&Table, &Key, sizeof(Key), &New));
    NoMemory = FALSE;
    assert_false(New);
    assert_true(RtlIsGenericTableEmptyAvl(&Table));
}

static void FillAvl(PRTL_AVL_TABLE Table, ULONG Step, ULONG Limit)
{
    RtlInitializeGenericTableAvl(Table, CompareAvl, AllocateAvl, FreeAvl, NULL);
    for (ULONG Key = 0; Key < Limit; Key += Step)
        RtlInsertElementGenericTableAvl(Table, &Key, sizeof(Key), NULL);
}

static void EmptyAvl(PRTL_AVL_TABLE Table)
{
    for (PVOID Data; (Data = RtlEnumerateGenericTableAvl(Table, TRUE));)
        RtlDeleteElementGenericTableAvl(Table, Data);
}

static void deleting_while_enumerating_loses_no_element(void **state)
{
    RTL_AVL_TABLE Table;
    FillAvl(&Table, 1, 100);
    ULONG Expected = 0;
    for (ULONG *Data = RtlEnumerateGenericTableAvl(&Table, TRUE); Data;
         Data = RtlEnumerateGenericTableAvl(&Table, FALSE)) {
        assert_int_equal(*Data, Expected++);
        RtlDeleteElementGenericTableAvl(&Table, Data);
    }
    assert_int_equal(Expected, 100);
    assert_int_equal(Allocations, 0);
}

static RTL_GENERIC_COMPARE_RESULTS CompareTens(PRTL_AVL_TABLE Table, PVOID A, PVOID B)
{
    ULONG First = *(ULONG *)A, Second = *(ULONG *)B;
    if (First >= 1000 || Second >= 1000) { /* a partial key */
        First = First >= 1000 ? First - 1000 : First / 10;
        Second = Second >= 1000 ? Second - 1000 : Second / 10;
    }
    return Order(&First, &Second);
}

static void the_first_of_several_matches_is_found(void **state)
{
    RTL_AVL_TABLE Table;
    FillAvl(&Table, 1, 100);
    Table.CompareRoutine = CompareTens;
    ULONG Key = 1004;
    PVOID Restart;
    assert_int_equal(*(ULONG *)RtlLookupFirstMatchingElementGenericTableAvl(&Table, &Key, &Restart),
                     40);
    assert_int_equal(*(ULONG *)RtlEnumerateGenericTableWithoutSplayingAvl(&Table, &Restart), 41);
    Key = 1050;
    assert_null(RtlLookupFirstMatchingElementGenericTableAvl(&Table, &Key, &Restart));
    Table.CompareRoutine = CompareAvl;
    EmptyAvl(&Table);
}

static NTSTATUS MatchEven(PRTL_AVL_TABLE Table, PVOID Data, PVOID Limit)
{
    if (*(ULONG *)Data >= *(ULONG *)Limit)
        return STATUS_NO_MORE_MATCHES;
    return *(ULONG *)Data % 2 ? STATUS_NO_MATCH : STATUS_SUCCESS;
}

static void a_directory_enumeration_survives_deletions(void **state)
{
    RTL_AVL_TABLE Table;
    FillAvl(&Table, 5, 100);
    PVOID Restart = NULL;
    ULONG DeleteCount = 0, Key = 7, Limit = 60;
    ULONG *Data = RtlEnumerateGenericTableLikeADirectory(&Table, MatchEven, &Limit, FALSE, &Restart,
                                                         &DeleteCount, &Key);
    assert_int_equal(*Data, 10);
    Key = 10;
    RtlDeleteElementGenericTableAvl(&Table, &Key);
    Data = RtlEnumerateGenericTableLikeADirectory(&Table, MatchEven, &Limit, TRUE, &Restart,
                                                  &DeleteCount, &Key);
    assert_int_equal(*Data, 20);
    for (ULONG Expected = 30; Expected < Limit; Expected += 10) {
        Data = RtlEnumerateGenericTableLikeADirectory(&Table, MatchEven, &Limit, TRUE, &Restart,
                                                      &DeleteCount, &Key);
        assert_int_equal(*Data, Expected);
    }
    assert_null(RtlEnumerateGenericTableLikeADirectory(&Table, MatchEven, &Limit, TRUE, &Restart,
                                                       &DeleteCount, &Key));
    EmptyAvl(&Table);
}

static ULONG CheckSplay(PRTL_SPLAY_LINKS Links)
{
    ULONG Count = 1;
    if (Links->LeftChild) {
        assert_ptr_equal(Links->LeftChild->Parent, Links);
        Count += CheckSplay(Links->LeftChild);
    }
    if (Links->RightChild) {
        assert_ptr_equal(Links->RightChild->Parent, Links);
        Count += CheckSplay(Links->RightChild);
    }
    return Count;
}

static void CheckTable(PRTL_GENERIC_TABLE Table)
{
    assert_int_equal(RtlNumberGenericTableElements(Table), ModelCount());
    if (Table->TableRoot) {
        assert_true(RtlIsRoot(Table->TableRoot));
        assert_int_equal(CheckSplay(Table->TableRoot), ModelCount());
    }
    PVOID Restart = NULL;
    ULONG *Splayed = RtlEnumerateGenericTable(Table, TRUE);
    for (ULONG i = 0; i < KEYS; i++) {
        if (!Present[i])
            continue;
        ULONG *Found = RtlEnumerateGenericTableWithoutSplaying(Table, &Restart);
        assert_int_equal(*Found, i);
        assert_ptr_equal(Splayed, Found);
        Splayed = RtlEnumerateGenericTable(Table, FALSE);
    }
    assert_null(Splayed);
    assert_null(RtlEnumerateGenericTableWithoutSplaying(Table, &Restart));
}

static void a_splay_table_is_a_sorted_set(void **state)
{
    RTL_GENERIC_TABLE Table;
    ULONG64 Seed = 5;
    memset(Present, 0, sizeof(Present));
    RtlInitializeGenericTable(&Table, Compare, Allocate, Free, NULL);
    for (ULONG Round = 0; Round < 6000; Round++) {
        ULONG Key = TestRandom(&Seed) % KEYS;
        BOOLEAN New = 77;
        if (TestRandom(&Seed) % 100 < (Round < 3000 ? 60u : 40u)) {
            ULONG *Data = RtlInsertElementGenericTable(&Table, &Key, sizeof(Key), &New);
            assert_int_equal(*Data, Key);
            assert_int_equal(New, !Present[Key]);
            Present[Key] = TRUE;
        } else {
            assert_int_equal(RtlDeleteElementGenericTable(&Table, &Key), Present[Key]);
            Present[Key] = FALSE;
        }
        assert_int_equal(RtlLookupElementGenericTable(&Table, &Key) != NULL, Present[Key]);
        if (Round % 10 == 0)
            CheckTable(&Table);
    }
    for (ULONG Key = 0; Key < KEYS; Key++)
        RtlDeleteElementGenericTable(&Table, &Key);
    assert_true(RtlIsGenericTableEmpty(&Table));
    assert_int_equal(Allocations, 0);
}

static void elements_are_numbered_by_insertion(void **state)
{
    RTL_GENERIC_TABLE Table;
    const ULONG Keys[] = {5, 1, 9, 3};
    RtlInitializeGenericTable(&Table, Compare, Allocate, Free, NULL);
    for (int i = 0; i < 4; i++)
        RtlInsertElementGenericTable(&Table, (PVOID)&Keys[i], 4, NULL);
    for (int i = 3; i >= 0; i--)
        assert_int_equal(*(ULONG *)RtlGetElementGenericTable(&Table, i), Keys[i]);
    assert_null(RtlGetElementGenericTable(&Table, 4));
    RtlDeleteElementGenericTable(&Table, (PVOID)&Keys[1]);
    assert_int_equal(*(ULONG *)RtlGetElementGenericTable(&Table, 1), 9);
    while (!RtlIsGenericTableEmpty(&Table))
        RtlDeleteElementGenericTable(&Table, RtlGetElementGenericTable(&Table, 0));
    assert_int_equal(Allocations, 0);
}

static void splay_links_know_their_neighbours(void **state)
{
    RTL_SPLAY_LINKS Nodes[3], *Root;
    for (int i = 0; i < 3; i++)
        RtlInitializeSplayLinks(&Nodes[i]);
    RtlInsertAsLeftChild(&Nodes[1], &Nodes[0]);
    RtlInsertAsRightChild(&Nodes[1], &Nodes[2]);
    assert_ptr_equal(RtlRealSuccessor(&Nodes[0]), &Nodes[1]);
    assert_ptr_equal(RtlRealPredecessor(&Nodes[2]), &Nodes[1]);
    assert_null(RtlRealSuccessor(&Nodes[2]));
    assert_null(RtlRealPredecessor(&Nodes[0]));
    assert_ptr_equal(RtlSplay(&Nodes[2]), &Nodes[2]);
    assert_ptr_equal(RtlSubtreePredecessor(&Nodes[2]), &Nodes[1]);
    RtlDeleteNoSplay(&Nodes[2], &Root);
    assert_ptr_equal(Root, &Nodes[1]);
    assert_ptr_equal(RtlDelete(&Nodes[1]), &Nodes[0]);
    assert_null(RtlDelete(&Nodes[0]));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(an_avl_table_is_a_sorted_set),
        cmocka_unit_test(an_avl_table_without_memory_inserts_nothing),
        cmocka_unit_test(deleting_while_enumerating_loses_no_element),
        cmocka_unit_test(the_first_of_several_matches_is_found),
        cmocka_unit_test(a_directory_enumeration_survives_deletions),
        cmocka_unit_test(a_splay_table_is_a_sorted_set),
        cmocka_unit_test(elements_are_numbered_by_insertion),
        cmocka_unit_test(splay_links_know_their_neighbours),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
