/* RtlQueryRegistryValues and its family. */
#include "cm_test.h"

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Drv"
#define TYPECHECK 0x100

static int Boot(void **Unused)
{
    ULONG Number = 42;
    ULONG64 Long = 7;

    if (CmTestBoot(NULL) != 0)
        return -1;
    assert_success(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, L"Drv\\Parameters\\Deep"));
    assert_success(
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv", L"Number", REG_DWORD, &Number, 4));
    assert_success(
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv", L"Long", REG_QWORD, &Long, 8));
    assert_success(
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv", L"Text", REG_SZ, L"hello", 12));
    assert_success(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, SERVICE, L"Many", REG_MULTI_SZ,
                                         L"a\0bc\0", 12));
    assert_success(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv\\Parameters", L"Inner",
                                         REG_DWORD, &Number, 4));
    return 0;
}

#define QUERY_TEST(test) cmocka_unit_test_setup_teardown(test, Boot, CmTestStop)

static ULONG Calls;
static WCHAR Seen[10][20];
static ULONG Types[10], Lengths[10];

static NTSTATUS NTAPI See(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context,
                          PVOID EntryContext)
{
    assert_ptr_equal(Context, &Calls);
    wcscpy(Seen[Calls], Name != NULL ? Name : L"(none)");
    Types[Calls] = Type;
    Lengths[Calls++] = Length;
    return EntryContext == (PVOID)1   ? STATUS_UNSUCCESSFUL
           : EntryContext == (PVOID)2 ? STATUS_BUFFER_TOO_SMALL
                                      : STATUS_SUCCESS;
}

static NTSTATUS Query(RTL_QUERY_REGISTRY_TABLE Entry)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {Entry, {0}};

    Calls = 0;
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"Drv", Table, &Calls, NULL);
}

static void ANamedValueIsTold(void **Unused)
{
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"Number"}));
    assert_int_equal(Calls, 1);
    assert_int_equal(Types[0], REG_DWORD);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"Number", (PVOID)1}),
                  STATUS_UNSUCCESSFUL);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"Number", (PVOID)2}));
}

static void AMissingValueIsSkippedDefaultedOrRequired(void **Unused)
{
    ULONG Default = 9, Value = 0;

    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"None"}));
    assert_int_equal(Calls, 0);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_REQUIRED, L"None"}),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"None",
                                                    &Value, REG_DWORD, &Default, 4}));
    assert_int_equal(Value, 9);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"None", NULL, REG_SZ, L"text", 0}));
    assert_int_equal(Lengths[0], 10);
}

static void EveryStringOfAListIsToldUnlessNotExpanded(void **Unused)
{
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, L"Many"}));
    assert_int_equal(Calls, 2);
    assert_int_equal(Types[1], REG_SZ);
    assert_int_equal(Lengths[0], 4);
    assert_int_equal(Lengths[1], 6);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_NOEXPAND, L"Many"}));
    assert_int_equal(Calls, 1);
    assert_int_equal(Types[0], REG_MULTI_SZ);
}

static void AllValuesAreToldWithoutAName(void **Unused)
{
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_NOEXPAND, NULL}));
    assert_int_equal(Calls, 4);
    assert_true(wcscmp(Seen[0], L"Number") == 0);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_NOVALUE, NULL}));
    assert_int_equal(Calls, 1);
    assert_int_equal(Types[0], REG_NONE);
}

static void DirectEntriesFillTheCallersBuffers(void **Unused)
{
    WCHAR Buffer[10];
    UNICODE_STRING Text = {0, sizeof(Buffer), Buffer}, Allocated = {0}, Small = {0, 4, Buffer};
    ULONG Number = 0;
    struct {
        LONG Size, Type;
        ULONG64 Value;
    } Long = {16, 0, 0};
    LONG64 Bare = -8;

    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Number}));
    assert_int_equal(Number, 42);
    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Text", &Text}));
    assert_int_equal(Text.Length, 10);
    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Text", &Allocated}));
    assert_memory_equal(Allocated.Buffer, L"hello", 12);
    RtlFreeUnicodeString(&Allocated);
    assert_status(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Text", &Small}),
        STATUS_BUFFER_TOO_SMALL);
    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Long", &Long}));
    assert_int_equal(Long.Size, 8);
    assert_int_equal(Long.Type, REG_QWORD);
    assert_int_equal(Long.Value, 7);
    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Long", &Bare}));
    assert_int_equal(Bare, 7);
}

static void TheTypeIsCheckedIfAskedFor(void **Unused)
{
    ULONG Number = 0, Flags = RTL_QUERY_REGISTRY_DIRECT | TYPECHECK;

    assert_success(
        Query((RTL_QUERY_REGISTRY_TABLE){NULL, Flags, L"Number", &Number, REG_DWORD << 24}));
    assert_int_equal(Number, 42);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){NULL, Flags, L"Text", &Number, REG_DWORD << 24}),
                  STATUS_OBJECT_TYPE_MISMATCH);
}

static void SenselessEntriesAreRefused(void **Unused)
{
    ULONG Number;

    assert_status(
        Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Number}),
        STATUS_INVALID_PARAMETER);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, NULL, &Number}),
                  STATUS_INVALID_PARAMETER);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_SUBKEY, NULL}),
                  STATUS_INVALID_PARAMETER);
}

static void SubkeysAndTopKeyChangeTheFocus(void **Unused)
{
    ULONG Inner = 0, Number = 0;
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Parameters"},
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED, L"Inner", &Inner},
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_REQUIRED,
         L"Number", &Number},
        {0}};

    assert_success(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"Drv", Table, NULL, NULL));
    assert_int_equal(Inner, 42);
    assert_int_equal(Number, 42);
}

static void QueriedValuesCanBeDeleted(void **Unused)
{
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){
        See, RTL_QUERY_REGISTRY_DELETE | RTL_QUERY_REGISTRY_NOEXPAND, NULL}));
    assert_int_equal(Calls, 4);
    assert_success(Query((RTL_QUERY_REGISTRY_TABLE){See, 0, NULL}));
    assert_int_equal(Calls, 0);
    assert_status(Query((RTL_QUERY_REGISTRY_TABLE){See, RTL_QUERY_REGISTRY_REQUIRED, NULL}),
                  STATUS_OBJECT_NAME_NOT_FOUND);
}

static void MissingPathsAreToldUnlessOptional(void **Unused)
{
    RTL_QUERY_REGISTRY_TABLE Table[] = {{See, 0, L"Number"}, {0}};

    assert_status(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"NoSuch", Table, NULL, NULL),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL, L"NoSuch",
                                          Table, NULL, NULL));
    assert_status(RtlQueryRegistryValues(RTL_REGISTRY_MAXIMUM, L"NoSuch", Table, NULL, NULL),
                  STATUS_INVALID_PARAMETER);
    assert_status(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"NoSuch"),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"Drv\\Parameters\\Deep"));
    assert_success(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv", L"Number"));
    assert_status(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"Drv", L"Number"),
                  STATUS_OBJECT_NAME_NOT_FOUND);
}

static void AnOpenKeyServesAsThePath(void **Unused)
{
    ULONG Number = 0, Type, Length;
    UNICODE_STRING Name = CmTestString(L"Inner");
    RTL_QUERY_REGISTRY_TABLE Table[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Number}, {0}};
    HANDLE Handle, Inner;

    assert_success(
        CmOpenKey_(&Handle, KEY_READ, ObTestName(SERVICE, OBJ_KERNEL_HANDLE), KernelMode));
    assert_success(CmOpenKey_(&Inner, KEY_READ,
                              ObTestName(SERVICE L"\\Parameters", OBJ_KERNEL_HANDLE), KernelMode));
    assert_success(RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, Handle, Table, NULL, NULL));
    assert_int_equal(Number, 42);
    Number = 0;
    assert_success(
        RtlQueryRegistryValueWithFallback(Handle, Inner, &Name, 4, &Type, &Number, &Length));
    assert_int_equal(Number, 42);
    assert_status(
        RtlQueryRegistryValueWithFallback(NULL, Handle, &Name, 4, &Type, &Number, &Length),
        STATUS_OBJECT_NAME_NOT_FOUND);
    ObCloseHandle_(Inner, KernelMode);
    ObCloseHandle_(Handle, KernelMode);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        QUERY_TEST(ANamedValueIsTold),
        QUERY_TEST(AMissingValueIsSkippedDefaultedOrRequired),
        QUERY_TEST(EveryStringOfAListIsToldUnlessNotExpanded),
        QUERY_TEST(AllValuesAreToldWithoutAName),
        QUERY_TEST(DirectEntriesFillTheCallersBuffers),
        QUERY_TEST(TheTypeIsCheckedIfAskedFor),
        QUERY_TEST(SenselessEntriesAreRefused),
        QUERY_TEST(SubkeysAndTopKeyChangeTheFocus),
        QUERY_TEST(QueriedValuesCanBeDeleted),
        QUERY_TEST(MissingPathsAreToldUnlessOptional),
        QUERY_TEST(AnOpenKeyServesAsThePath),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
