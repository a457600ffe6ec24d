/* What is kept: the hive file, as hivex (another reader) and the next start see it. */
#include "cm_test.h"

#include <hivex.h>
#include <stdio.h>

static char Directory[64], File[80], Damaged[96];

static int Boot(void **Unused)
{
    snprintf(Directory, sizeof(Directory), "cm-hive-test-%u", host_process_id());
    snprintf(File, sizeof(File), "%s/MACHINE", Directory);
    snprintf(Damaged, sizeof(Damaged), "%s.damaged", File);
    return CmTestBootFrom(Directory);
}

static int Stop(void **Unused)
{
    int Result = CmTestStop(NULL);

    remove(Damaged);
    remove(File);
    remove(Directory);
    return Result;
}

static void Restart(void)
{
    assert_int_equal(CmTestStop(NULL), 0);
    assert_int_equal(CmTestBootFrom(Directory), 0);
}

#define KEPT L"\\Registry\\Machine\\Software\\Kept"

static void Read(PVOID Key, PCWSTR Name, PVOID Out, ULONG Length)
{
    UNICODE_STRING String = CmTestString(Name);
    ULONG Needed;

    assert_success(CmQueryValue_(Key, &String, KeyValuePartialInformation, Out, Length, &Needed));
}

static void StableKeysAndValuesAreThereAfterARestart(void **Unused)
{
    static UCHAR Big[100000], Out[100100];
    KEY_VALUE_PARTIAL_INFORMATION *Value = (PVOID)Out;
    PVOID Key = CmTestKey(KEPT);

    memset(Big, 0x5A, sizeof(Big));
    assert_success(CmTestSet(Key, L"Number", REG_DWORD, "\1\2\3\4", 4));
    assert_success(CmTestSet(Key, L"\x00fc\x4e2d\xd83d\xde00", REG_SZ, L"Gr\x00fc\x00df", 10));
    assert_success(CmTestSet(Key, L"", REG_SZ, L"default", 16));
    assert_success(CmTestSet(Key, L"Big", REG_BINARY, Big, sizeof(Big)));
    assert_success(CmTestSet(Key, L"Empty", REG_NONE, NULL, 0));
    ObDereferenceObject(Key);
    ObDereferenceObject(CmTestKey(KEPT L"\\\x65e5\x672c"));
    ObDereferenceObject(CmTestCreate(KEPT L"\\Volatile", REG_OPTION_VOLATILE, STATUS_SUCCESS));
    Restart();
    assert_success(CmTestOpen(KEPT, 0, &Key));
    Read(Key, L"Number", Out, sizeof(Out));
    assert_int_equal(Value->Type, REG_DWORD);
    assert_memory_equal(Value->Data, "\1\2\3\4", 4);
    Read(Key, L"\x00fc\x4e2d\xd83d\xde00", Out, sizeof(Out));
    assert_memory_equal(Value->Data, L"Gr\x00fc\x00df", 10);
    Read(Key, L"", Out, sizeof(Out));
    assert_memory_equal(Value->Data, L"default", 16);
    Read(Key, L"Big", Out, sizeof(Out));
    assert_int_equal(Value->DataLength, sizeof(Big));
    assert_memory_equal(Value->Data, Big, sizeof(Big));
    Read(Key, L"Empty", Out, sizeof(Out));
    assert_int_equal(Value->DataLength, 0);
    ObDereferenceObject(Key);
    assert_success(CmTestOpen(KEPT L"\\\x65e5\x672c", 0, &Key));
    ObDereferenceObject(Key);
    assert_status(CmTestOpen(KEPT L"\\Volatile", 0, &Key), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void AnotherReaderUnderstandsTheFile(void **Unused)
{
    PVOID Key = CmTestKey(KEPT);
    hive_h *Hive;
    hive_node_h Node;
    hive_value_h Value;

    assert_success(CmTestSet(Key, L"Number", REG_DWORD, "\1\0\0\0", 4));
    assert_success(CmFlushKey_(Key));
    Hive = hivex_open(File, 0);
    assert_non_null(Hive);
    Node = hivex_node_get_child(Hive, hivex_root(Hive), "Software");
    assert_int_not_equal(Node, 0);
    Node = hivex_node_get_child(Hive, Node, "kept");
    assert_int_not_equal(Node, 0);
    Value = hivex_node_get_value(Hive, Node, "Number");
    assert_int_not_equal(Value, 0);
    assert_int_equal(hivex_value_dword(Hive, Value), 1);
    hivex_close(Hive);
    ObDereferenceObject(Key);
}

static void ADamagedFileIsSetAside(void **Unused)
{
    PVOID Key = CmTestKey(KEPT);

    ObDereferenceObject(Key);
    assert_int_equal(CmTestStop(NULL), 0);
    assert_int_equal(host_write_file(File, "nonsense", 8), 0);
    assert_int_equal(CmTestBootFrom(Directory), 0);
    assert_true(host_file_exists(Damaged));
    assert_status(CmTestOpen(KEPT, 0, &Key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(
        CmTestOpen(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services", 0, &Key));
    ObDereferenceObject(Key);
}

static void ManyKeysAreKept(void **Unused)
{
    WCHAR Path[80];
    KEY_FULL_INFORMATION Full;
    ULONG Needed;
    PVOID Key;

    ObDereferenceObject(CmTestKey(KEPT));
    for (int i = 0; i < 400; i++) {
        swprintf(Path, KEPT L"\\Key%d", i);
        Key = CmTestKey(Path);
        assert_success(CmTestSet(Key, L"Index", REG_DWORD, &i, 4));
        ObDereferenceObject(Key);
    }
    Restart();
    assert_success(CmTestOpen(KEPT, 0, &Key));
    assert_success(CmQueryKey_(Key, KeyFullInformation, &Full, sizeof(Full), &Needed));
    assert_int_equal(Full.SubKeys, 400);
    ObDereferenceObject(Key);
}

#define HIVE_TEST(test) cmocka_unit_test_setup_teardown(test, Boot, Stop)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        HIVE_TEST(StableKeysAndValuesAreThereAfterARestart),
        HIVE_TEST(AnotherReaderUnderstandsTheFile),
        HIVE_TEST(ADamagedFileIsSetAside),
        HIVE_TEST(ManyKeysAreKept),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
