/* The walk of the page tables, on tables made here: each kind, each size of page, each end. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "../driver/paging.h"

static UCHAR Memory[16 * PAGE_SIZE]; /* physical memory: 16 pages */

static BOOLEAN read_entry(PVOID Context, ULONGLONG Physical, PVOID Entry, ULONG Bytes)
{
    if (Physical + Bytes > sizeof(Memory))
        return FALSE;
    RtlCopyMemory(Entry, Memory + Physical, Bytes);
    return TRUE;
}

static void put(ULONG Frame, ULONG Index, ULONG Bytes, ULONGLONG Value)
{
    RtlCopyMemory(Memory + Frame * PAGE_SIZE + Index * Bytes, &Value, Bytes);
}

static PAGE_WALK walk(PAGING_KIND Kind, ULONGLONG Cr3, ULONGLONG Address)
{
    PAGING Paging = {Kind, Cr3, read_entry, NULL};
    PAGE_WALK Walk;

    PagingWalk(&Paging, Address, &Walk);
    return Walk;
}

static int clear(void **State)
{
    RtlZeroMemory(Memory, sizeof(Memory));
    return 0;
}

static void x64_maps_pages_of_three_sizes(void **State)
{
    PAGE_WALK Walk;

    put(1, 511, 8, 0x2003);
    put(2, 1, 8, 0x3003);
    put(2, 2, 8, 0x40000083); /* 1 GiB */
    put(3, 5, 8, 0x4003);
    put(3, 6, 8, 0x600083); /* 2 MiB */
    put(4, 7, 8, 0x8000000000ABC127);
    Walk = walk(PAGING_X64, 0x1000, 0xFFFFFF8040A07123);
    assert_true(Walk.Present && Walk.Level == 1 && Walk.Size == 0x1000);
    assert_int_equal(Walk.Physical, 0xABC123);
    assert_int_equal(Walk.Entry, 0x8000000000ABC127);
    Walk = walk(PAGING_X64, 0x1000, 0xFFFFFF8040C07123);
    assert_true(Walk.Present && Walk.Level == 2 && Walk.Size == 0x200000);
    assert_int_equal(Walk.Physical, 0x607123);
    Walk = walk(PAGING_X64, 0x1018, 0xFFFFFF808BCDEF01); /* CR3 has flags in its low bits */
    assert_true(Walk.Present && Walk.Level == 3 && Walk.Size == 0x40000000);
    assert_int_equal(Walk.Physical, 0x4BCDEF01);
}

static void x64_tells_where_the_walk_ended(void **State)
{
    PAGE_WALK Walk = walk(PAGING_X64, 0x1000, 0);

    assert_true(!Walk.Present && Walk.Level == 4 && Walk.Size == 1ULL << 39);
    put(1, 0, 8, 0x2003);
    put(2, 0, 8, 0x7000000003);
    Walk = walk(PAGING_X64, 0x1000, 0); /* a table that cannot be read */
    assert_true(!Walk.Present && Walk.Level == 2 && !Walk.Entry);
    Walk = walk(PAGING_X64, 0x1000, 0x800000000000);
    assert_true(!Walk.Present && Walk.Level == 0);
    Walk = walk(PAGING_X64, 0x1000, 0xFFFF7FFFFFFFFFFF);
    assert_true(!Walk.Present && Walk.Level == 0);
    Walk = walk(PAGING_X64_5, 0x1000, 0x800000000000);
    assert_true(!Walk.Present && Walk.Level == 4);
}

static void x86_has_two_levels_of_four_bytes(void **State)
{
    PAGE_WALK Walk;

    put(1, 0x300, 4, 0x2067);
    put(1, 0x301, 4, 0x004020E3); /* 4 MiB, and bit 32 of the address */
    put(2, 5, 4, 0x7063);
    Walk = walk(PAGING_X86, 0x1000, 0xC0005678);
    assert_true(Walk.Present && Walk.Size == 0x1000);
    assert_int_equal(Walk.Physical, 0x7678);
    Walk = walk(PAGING_X86, 0x1000, 0xC0412345);
    assert_true(Walk.Present && Walk.Size == 0x400000);
    assert_int_equal(Walk.Physical, 0x100412345);
    Walk = walk(PAGING_X86, 0x1000, 0);
    assert_true(!Walk.Present && Walk.Size == 0x400000);
}

static void pae_has_a_table_of_four_on_top(void **State)
{
    PAGE_WALK Walk;

    put(1, 4 + 3, 8, 0x2001); /* the top table at 0x1020 */
    put(2, 1, 8, 0x3067);
    put(2, 2, 8, 0x8000000F00200083);
    put(3, 9, 8, 0xF00007063);
    Walk = walk(PAGING_PAE, 0x1020, 0xC0209ABC);
    assert_true(Walk.Present && Walk.Size == 0x1000);
    assert_int_equal(Walk.Physical, 0xF00007ABC);
    Walk = walk(PAGING_PAE, 0x1020, 0xC0409ABC);
    assert_true(Walk.Present && Walk.Size == 0x200000);
    assert_int_equal(Walk.Physical, 0xF00209ABC);
    Walk = walk(PAGING_PAE, 0x1020, 0);
    assert_true(!Walk.Present && Walk.Size == 0x40000000);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(x64_maps_pages_of_three_sizes, clear),
        cmocka_unit_test_setup(x64_tells_where_the_walk_ended, clear),
        cmocka_unit_test_setup(x86_has_two_levels_of_four_bytes, clear),
        cmocka_unit_test_setup(pae_has_a_table_of_four_on_top, clear),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
