/* Sequenced lists: the order of a stack, and no entry lost or doubled among threads. */
#include "rtl_test.h"

#include "host/host.h"

#include <stdatomic.h>

#define THREADS 4
#define ENTRIES 64
#define ROUNDS 20000

typedef struct _TEST_ENTRY {
    SLIST_ENTRY Link;
    atomic_int Owners;
} TEST_ENTRY;

static SLIST_HEADER Head;
static TEST_ENTRY Entries[ENTRIES];
static atomic_int Doubled;

static void entries_leave_in_the_opposite_order(void **state)
{
    InitializeSListHead(&Head);
    assert_null(ExpInterlockedPopEntrySList(&Head));
    assert_null(ExpInterlockedPushEntrySList(&Head, &Entries[0].Link));
    assert_ptr_equal(ExpInterlockedPushEntrySList(&Head, &Entries[1].Link), &Entries[0].Link);
    assert_int_equal(ExQueryDepthSList(&Head), 2);
    assert_ptr_equal(RtlFirstEntrySList(&Head), &Entries[1].Link);
    assert_ptr_equal(ExpInterlockedPopEntrySList(&Head), &Entries[1].Link);
    assert_ptr_equal(ExpInterlockedPopEntrySList(&Head), &Entries[0].Link);
    assert_null(ExpInterlockedPopEntrySList(&Head));
}

static void a_flush_takes_the_whole_chain(void **state)
{
    InitializeSListHead(&Head);
    assert_null(ExpInterlockedFlushSList(&Head));
    for (int i = 0; i < 3; i++)
        ExpInterlockedPushEntrySList(&Head, &Entries[i].Link);
    PSLIST_ENTRY Chain = ExpInterlockedFlushSList(&Head);
    for (int i = 2; i >= 0; i--, Chain = Chain->Next)
        assert_ptr_equal(Chain, &Entries[i].Link);
    assert_null(Chain);
    assert_int_equal(ExQueryDepthSList(&Head), 0);
}

static void a_chain_is_pushed_at_once(void **state)
{
    InitializeSListHead(&Head);
    Entries[0].Link.Next = &Entries[1].Link;
    assert_null(RtlInterlockedPushListSListEx(&Head, &Entries[0].Link, &Entries[1].Link, 2));
    assert_int_equal(RtlQueryDepthSList(&Head), 2);
    assert_ptr_equal(RtlInterlockedPopEntrySList(&Head), &Entries[0].Link);
    assert_ptr_equal(RtlInterlockedPopEntrySList(&Head), &Entries[1].Link);
}

static void Juggle(void *Argument)
{
    for (int Round = 0; Round < ROUNDS; Round++) {
        TEST_ENTRY *Entry = (TEST_ENTRY *)ExpInterlockedPopEntrySList(&Head);
        if (!Entry)
            continue;
        if (atomic_fetch_add(&Entry->Owners, 1) != 0)
            Doubled++;
        atomic_fetch_sub(&Entry->Owners, 1);
        ExpInterlockedPushEntrySList(&Head, &Entry->Link);
    }
}

static void threads_never_share_an_entry(void **state)
{
    host_thread *Threads[THREADS];
    InitializeSListHead(&Head);
    for (int i = 0; i < ENTRIES; i++)
        ExpInterlockedPushEntrySList(&Head, &Entries[i].Link);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(host_thread_start(&Threads[i], "juggler", Juggle, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        host_thread_join(Threads[i]);
    assert_int_equal(Doubled, 0);
    assert_int_equal(ExQueryDepthSList(&Head), ENTRIES);
    int Count = 0;
    for (PSLIST_ENTRY Entry = ExpInterlockedFlushSList(&Head); Entry; Entry = Entry->Next)
        Count++;
    assert_int_equal(Count, ENTRIES);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(entries_leave_in_the_opposite_order),
        cmocka_unit_test(a_flush_takes_the_whole_chain),
        cmocka_unit_test(a_chain_is_pushed_at_once),
        cmocka_unit_test(threads_never_share_an_entry),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
