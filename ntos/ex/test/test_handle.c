/* Handle tables. */
#include "ex_test.h"

static ULONG_PTR Bodies[4] __attribute__((aligned(16)));

static PVOID ObjectOf(EX_HANDLE_ENTRY *Entry)
{
    return (PVOID)(atomic_load(&Entry->Object) & ~(ULONG_PTR)1);
}

static void AHandleLeadsToItsObject(void **Unused)
{
    EX_HANDLE_TABLE *Table = ExCreateHandleTable_(NULL);
    HANDLE Handle = ExCreateHandle_(Table, Bodies, 0x1234, OBJ_INHERIT);
    EX_HANDLE_ENTRY *Entry;

    assert_int_equal((ULONG_PTR)Handle, 4);
    Entry = ExLockHandle_(Table, Handle);
    assert_non_null(Entry);
    assert_ptr_equal(ObjectOf(Entry), Bodies);
    assert_int_equal(Entry->GrantedAccess, 0x1234);
    assert_int_equal(ExHandleCount_(Table), 1);
    assert_ptr_equal(ExRemoveHandle_(Table, Entry, Handle), Bodies);
    assert_null(ExLockHandle_(Table, Handle));
    assert_int_equal(ExHandleCount_(Table), 0);
    ExDestroyHandleTable_(Table);
}

static void NonsenseHandlesAreNotFound(void **Unused)
{
    EX_HANDLE_TABLE *Table = ExCreateHandleTable_(NULL);

    assert_null(ExLockHandle_(Table, NULL));
    assert_null(ExLockHandle_(Table, (HANDLE)4));
    assert_null(ExLockHandle_(Table, (HANDLE)0x7FFFFFFFFFFFFFFC));
    assert_null(ExLockHandle_(Table, (HANDLE)-8));
    ExDestroyHandleTable_(Table);
}

#define MANY 300000

static BOOLEAN CountEach(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry)
{
    ++*(ULONG *)Context;
    return TRUE;
}

static void HundredsOfThousandsOfHandlesFit(void **Unused)
{
    EX_HANDLE_TABLE *Table = ExCreateHandleTable_(NULL);
    ULONG Count = 0;

    for (ULONG i = 1; i <= MANY; i++)
        assert_int_equal((ULONG_PTR)ExCreateHandle_(Table, Bodies, i, 0), i * 4);
    ExEnumerateHandles_(Table, CountEach, &Count);
    assert_int_equal(Count, MANY);
    for (ULONG i = 1; i <= MANY; i++) {
        EX_HANDLE_ENTRY *Entry = ExLockHandle_(Table, (HANDLE)(ULONG_PTR)(i * 4));
        assert_int_equal(Entry->GrantedAccess, i);
        ExRemoveHandle_(Table, Entry, (HANDLE)(ULONG_PTR)(i * 4));
    }
    ExDestroyHandleTable_(Table);
}

static BOOLEAN CopyInherited(PVOID Context, PVOID Object, EX_HANDLE_ENTRY *Entry)
{
    return (Entry->Attributes & OBJ_INHERIT) != 0;
}

static BOOLEAN RemoveEach(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry)
{
    *(HANDLE *)Context = Handle;
    return FALSE;
}

static void Empty(EX_HANDLE_TABLE *Table)
{
    HANDLE Handle = NULL;

    while (ExHandleCount_(Table) != 0) {
        ExEnumerateHandles_(Table, RemoveEach, &Handle);
        ExRemoveHandle_(Table, ExLockHandle_(Table, Handle), Handle);
    }
    ExDestroyHandleTable_(Table);
}

static void AChildInheritsAtTheSameHandles(void **Unused)
{
    EX_HANDLE_TABLE *Parent = ExCreateHandleTable_(NULL), *Child;

    for (ULONG i = 1; i <= 600; i++)
        ExCreateHandle_(Parent, Bodies, i, i % 3 == 0 ? OBJ_INHERIT : 0);
    Child = ExDuplicateHandleTable_(Parent, NULL, CopyInherited, NULL);
    assert_int_equal(ExHandleCount_(Child), 200);
    for (ULONG_PTR i = 1; i <= 600; i++) {
        EX_HANDLE_ENTRY *Entry = ExLockHandle_(Child, (HANDLE)(i * 4));
        if (i % 3 != 0) {
            assert_null(Entry);
            continue;
        }
        assert_int_equal(Entry->GrantedAccess, i);
        ExUnlockHandle_(Entry);
    }
    for (int i = 0; i < 1000; i++)
        assert_non_null(ExCreateHandle_(Child, Bodies, 0, 0));
    assert_int_equal(ExHandleCount_(Child), 1200);
    Empty(Child);
    Empty(Parent);
}

static EX_HANDLE_TABLE *Shared;
static atomic_bool Stop;

static void OpenAndClose(void *Unused)
{
    for (int i = 0; i < 5000; i++) {
        HANDLE Handles[3];
        for (int k = 0; k < 3; k++)
            Handles[k] = ExCreateHandle_(Shared, Bodies, 7, 0);
        for (int k = 0; k < 3; k++) {
            EX_HANDLE_ENTRY *Entry = ExLockHandle_(Shared, Handles[k]);
            assert_non_null(Entry);
            assert_ptr_equal(ExRemoveHandle_(Shared, Entry, Handles[k]), Bodies);
        }
    }
}

static void LookUp(void *Unused)
{
    ULONG_PTR Handle = 0;

    while (!atomic_load(&Stop)) {
        EX_HANDLE_ENTRY *Entry = ExLockHandle_(Shared, (HANDLE)(Handle = (Handle + 4) & 0x3F));
        if (Entry == NULL)
            continue;
        assert_ptr_equal(ObjectOf(Entry), Bodies);
        assert_int_equal(Entry->GrantedAccess, 7);
        ExUnlockHandle_(Entry);
    }
}

static void LookupsRaceWithClosing(void **Unused)
{
    static EX_TEST_THREAD Closers[3], Looker;

    Shared = ExCreateHandleTable_(NULL);
    atomic_store(&Stop, FALSE);
    ExTestThread(&Looker, LookUp, NULL);
    for (int i = 0; i < 3; i++)
        ExTestThread(&Closers[i], OpenAndClose, NULL);
    for (int i = 0; i < 3; i++)
        ExTestJoin(&Closers[i]);
    atomic_store(&Stop, TRUE);
    ExTestJoin(&Looker);
    assert_int_equal(ExHandleCount_(Shared), 0);
    ExDestroyHandleTable_(Shared);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        EX_TEST(AHandleLeadsToItsObject),         EX_TEST(NonsenseHandlesAreNotFound),
        EX_TEST(HundredsOfThousandsOfHandlesFit), EX_TEST(AChildInheritsAtTheSameHandles),
        EX_TEST(LookupsRaceWithClosing),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
