/* The reader of the module list: both layouts, lists that grow, lists that lie, and no memory. */
#include "../modules.h"
#include "nt_undocumented.h"
#include <aux_klib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

_Static_assert(sizeof(RTL_PROCESS_MODULE_INFORMATION) == 0x128 &&
                   FIELD_OFFSET(RTL_PROCESS_MODULES, Modules) == 8,
               "x64 layout");
_Static_assert(sizeof(AUX_MODULE_EXTENDED_INFO) == 0x110 &&
                   FIELD_OFFSET(AUX_MODULE_EXTENDED_INFO, FullPathName) == 0x0E,
               "x64 layout");

/* A system whose list is made here. */
typedef struct {
    const MODULE_LAYOUT *Layout;
    ULONG Loaded;                  /* modules */
    ULONG GrowsBy;                 /* with each query */
    int FailQuery, FailAllocation; /* the nth, from 1 */
    int Queries, Allocations, Live;
    BOOLEAN Lies; /* says more than it gives */
} SYSTEM;

static void make_entry(const MODULE_LAYOUT *Layout, UCHAR *Entry, ULONG Index)
{
    ULONGLONG Base = 0x1000000 + Index * 0x10000;
    ULONG Size = 0x1000 + Index;
    USHORT Offset = 22;

    memset(Entry, 0, Layout->EntrySize);
    memcpy(Entry + Layout->Base, &Base, Layout->BaseSize);
    memcpy(Entry + Layout->Size, &Size, 4);
    memcpy(Entry + Layout->NameOffset, &Offset, 2);
    snprintf((char *)Entry + Layout->Path, 256, "\\SystemRoot\\System32\\%s%s%u.sys", "",
             Index ? "m" : "n", Index);
    Offset = 21;
    memcpy(Entry + Layout->NameOffset, &Offset, 2);
}

static NTSTATUS query(PVOID Context, PVOID Buffer, ULONG Length, ULONG *Returned)
{
    SYSTEM *System = Context;
    const MODULE_LAYOUT *Layout = System->Layout;
    ULONG Count = System->Loaded;

    if (++System->Queries == System->FailQuery)
        return STATUS_ACCESS_DENIED;
    System->Loaded += System->GrowsBy;
    *Returned = Layout->First + Count * Layout->EntrySize;
    if (Layout->HasCount && Length >= 4)
        memcpy(Buffer, &Count, 4);
    if (Length < *Returned)
        return Layout->HasCount ? STATUS_INFO_LENGTH_MISMATCH
               : Length         ? STATUS_BUFFER_TOO_SMALL
                                : STATUS_SUCCESS;
    for (ULONG i = 0; i < Count; i++)
        make_entry(Layout, (UCHAR *)Buffer + Layout->First + i * Layout->EntrySize, i);
    if (System->Lies)
        *Returned -= 1;
    return STATUS_SUCCESS;
}

static PVOID allocate(PVOID Context, SIZE_T Bytes)
{
    SYSTEM *System = Context;

    if (++System->Allocations == System->FailAllocation)
        return NULL;
    System->Live++;
    return malloc(Bytes);
}

static VOID release(PVOID Context, PVOID Block)
{
    ((SYSTEM *)Context)->Live--;
    free(Block);
}

static NTSTATUS ask(SYSTEM *System, SYSTEM_MODULE_LIST **List)
{
    MODULE_SOURCE Source = {System->Layout, query, allocate, release, System};

    *List = NULL;
    return ModulesQuery(&Source, List);
}

static void expect_failure(SYSTEM System, NTSTATUS Expected)
{
    SYSTEM_MODULE_LIST *List;

    assert_int_equal(ask(&System, &List), Expected);
    assert_int_equal(System.Live, 0);
}

static void every_layout_is_read(void **State)
{
    static const MODULE_LAYOUT *const Layouts[] = {&ModulesSystem32, &ModulesSystem64,
                                                   &ModulesAux32, &ModulesAux64};

    for (int i = 0; i < 4; i++) {
        SYSTEM System = {.Layout = Layouts[i], .Loaded = 5};
        SYSTEM_MODULE_LIST *List;

        assert_int_equal(ask(&System, &List), STATUS_SUCCESS);
        assert_int_equal(List->Count, 5);
        assert_int_equal(List->Modules[4].Base, 0x1040000);
        assert_int_equal(List->Modules[4].Size, 0x1004);
        assert_string_equal(ModuleName(&List->Modules[4]), "m4.sys");
        assert_string_equal(List->Modules[0].Path, "\\SystemRoot\\System32\\n0.sys");
        release(&System, List);
        assert_int_equal(System.Live, 0);
    }
}

static void a_list_that_grows_between_the_queries_is_got_whole(void **State)
{
    SYSTEM System = {.Layout = &ModulesSystem64, .Loaded = 100, .GrowsBy = 9};
    SYSTEM_MODULE_LIST *List;

    expect_failure(System, STATUS_INFO_LENGTH_MISMATCH); /* grows faster than the spare room, for
                                                            ever: the loop ends */
    System.GrowsBy = 8;
    assert_int_equal(ask(&System, &List), STATUS_SUCCESS);
    assert_int_equal(List->Count, 108);
    release(&System, List);
    assert_int_equal(System.Live, 0);
}

static void a_list_without_bound_is_refused(void **State)
{
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = MODULES_MOST_BYTES / 0x128},
                   STATUS_INVALID_BUFFER_SIZE);
}

static void a_count_beyond_the_bytes_is_a_data_error(void **State)
{
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = 3, .Lies = TRUE},
                   STATUS_DATA_ERROR);
}

static void each_failure_has_its_status_and_leaks_nothing(void **State)
{
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = 3, .FailQuery = 1},
                   STATUS_ACCESS_DENIED);
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = 3, .FailQuery = 2},
                   STATUS_ACCESS_DENIED);
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = 3, .FailAllocation = 1},
                   STATUS_INSUFFICIENT_RESOURCES);
    expect_failure((SYSTEM){.Layout = &ModulesSystem64, .Loaded = 3, .FailAllocation = 2},
                   STATUS_NO_MEMORY);
}

static SYSTEM_MODULE module_named(const char *Path, USHORT Offset)
{
    UCHAR Buffer[8 + 0x128] = {1};
    SYSTEM_MODULE Module;

    memcpy(Buffer + 8 + 0x28, Path, strlen(Path) < 256 ? strlen(Path) : 256);
    memcpy(Buffer + 8 + 0x26, &Offset, 2);
    ModulesEntry(&ModulesSystem64, Buffer, 0, &Module);
    return Module;
}

static void an_offset_outside_the_path_means_the_whole_path(void **State)
{
    SYSTEM_MODULE Module = module_named("a.sys", 300);

    assert_string_equal(ModuleName(&Module), "a.sys");
    Module = module_named("a.sys", 5);
    assert_string_equal(ModuleName(&Module), "a.sys");
}

static void a_path_without_end_is_ended(void **State)
{
    char Long[257];
    SYSTEM_MODULE Module;

    memset(Long, 'x', 256);
    Long[256] = 0;
    Module = module_named(Long, 0);
    assert_int_equal(strlen(Module.Path), 255);
}

static BOOLEAN is(const char *Name, const char *Names)
{
    SYSTEM_MODULE Module = module_named(Name, 0);

    return ModuleIsOneOf(&Module, Names);
}

static void names_are_compared_whole_and_without_case(void **State)
{
    assert_true(is("NTOSKRNL.EXE", ModulesDefaultNames));
    assert_true(is("ntkrnlpa.exe", ModulesDefaultNames));
    assert_true(is("ntkrnlmp.exe", ModulesDefaultNames));
    assert_true(is("ntkrpamp.exe", ModulesDefaultNames));
    assert_true(is("NtIce.sys", ModulesDefaultNames));
    assert_false(is("ntfs.sys", ModulesDefaultNames));
    assert_false(is("null.sys", ModulesDefaultNames));
    assert_false(is("ntoskrnl.exeXYZ", ModulesDefaultNames));
    assert_false(is("ntoskrnl", ModulesDefaultNames));
    assert_false(is("", ModulesDefaultNames));
    assert_true(is("mine.sys", "other.sys\0MINE.sys\0"));
    assert_false(is("mine.sys", ""));
}

static void a_name_is_never_a_format(void **State)
{
    SYSTEM_MODULE Module = module_named("\\x\\%s%n%100x.sys", 3);
    char Line[600];

    Module.Base = 0x1FFFF0000;
    Module.Size = 0x2000;
    snprintf(Line, sizeof(Line), MODULE_FORMAT, MODULE_ARGUMENTS(&Module));
    assert_string_equal(Line, "%s%n%100x.sys            base 0x00000001FFFF0000  size 0x00002000  "
                              "\\x\\%s%n%100x.sys\n");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(every_layout_is_read),
        cmocka_unit_test(a_list_that_grows_between_the_queries_is_got_whole),
        cmocka_unit_test(a_list_without_bound_is_refused),
        cmocka_unit_test(a_count_beyond_the_bytes_is_a_data_error),
        cmocka_unit_test(each_failure_has_its_status_and_leaks_nothing),
        cmocka_unit_test(an_offset_outside_the_path_means_the_whole_path),
        cmocka_unit_test(a_path_without_end_is_ended),
        cmocka_unit_test(names_are_compared_whole_and_without_case),
        cmocka_unit_test(a_name_is_never_a_format),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
