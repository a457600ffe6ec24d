/* SystemModules: its device, its two sources, and the tutorial's way of loading. */
#include "drivers/test/driver_test.h"
#include "drivers/systemmodules/modules.h"

const char *DriverTestLoaded[] = {"systemmodules", NULL};
#define TAG 'MsyS'
#define KEY L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\systemmodules"

static struct {
    ULONG Count, Returned;
    SYSTEM_MODULE Modules[200];
} List, Other;

static NTSTATUS ask(HANDLE File, ULONG Source, void *Out, ULONG Length)
{
    return DriverTestControl(File, IOCTL_SYSTEMMODULES_LIST, &Source, sizeof(Source), Out, Length);
}

static void the_list_begins_with_the_kernel_and_has_the_driver(void **State)
{
    HANDLE File = DriverTestOpened("SystemModules");
    BOOLEAN Found = FALSE;

    assert_ok(DriverTestControl(File, IOCTL_SYSTEMMODULES_LIST, NULL, 0, &List, sizeof(List)));
    assert_int_equal(Information, SYSTEM_MODULE_LIST_HEAD + List.Count * sizeof(SYSTEM_MODULE));
    assert_true(ModuleIsOneOf(&List.Modules[0], ModulesDefaultNames));
    for (ULONG i = 0; i < List.Count; i++) {
        assert_true(List.Modules[i].Base && List.Modules[i].Size);
        assert_int_equal(List.Modules[i].Base % PAGE_SIZE, 0);
        Found |= ModuleIsOneOf(&List.Modules[i], "systemmodules.sys\0");
    }
    assert_true(Found);
    DriverTestClose(File);
}

static void both_sources_tell_the_same(void **State)
{
    HANDLE File = DriverTestOpened("SystemModules");

    assert_ok(ask(File, SYSTEMMODULES_SOURCE_SYSTEM, &List, sizeof(List)));
    assert_ok(ask(File, SYSTEMMODULES_SOURCE_AUX, &Other, sizeof(Other)));
    assert_memory_equal(&List, &Other, Information);
    assert_status(ask(File, 2, &List, sizeof(List)), STATUS_INVALID_PARAMETER);
    DriverTestClose(File);
}

static void a_short_buffer_gets_what_fits_and_the_count(void **State)
{
    HANDLE File = DriverTestOpened("SystemModules");

    assert_status(ask(File, 0, &List, 7), STATUS_BUFFER_TOO_SMALL);
    assert_status(ask(File, 0, &List, 8), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(Information, 8);
    assert_int_equal(List.Returned, 0);
    assert_true(List.Count >= 2);
    assert_status(ask(File, 0, &Other, 8 + sizeof(SYSTEM_MODULE) + 1), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(Information, 8 + sizeof(SYSTEM_MODULE));
    assert_int_equal(Other.Returned, 1);
    assert_status(
        DriverTestControl(File, IOCTL_SYSTEMMODULES_LIST + 4, NULL, 0, &List, sizeof(List)),
        STATUS_INVALID_DEVICE_REQUEST);
    DriverTestClose(File);
}

static BOOLEAN only_ours(ULONG Tag, SIZE_T Bytes);
static ULONG FailOurs;

static BOOLEAN only_ours(ULONG Tag, SIZE_T Bytes)
{
    return Tag == TAG && FailOurs && --FailOurs == 0;
}

static void each_allocation_may_fail(void **State)
{
    static const NTSTATUS Expected[] = {STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_MEMORY,
                                        STATUS_SUCCESS};
    HANDLE File = DriverTestOpened("SystemModules");

    for (int i = 0; i < 3; i++) {
        FailOurs = i + 1;
        MmSetPoolFault(only_ours);
        assert_status(ask(File, 0, &List, sizeof(List)), Expected[i]);
        MmSetPoolFault(NULL);
        assert_int_equal(DriverTestBlocks(TAG), 0);
    }
    DriverTestClose(File);
}

/* The log from a line on. */
static BOOLEAN logged(ULONG64 From, const char *Text)
{
    VF_LOG_LINE Line;
    char Copy[513];

    for (; VfLogRead(From, &Line); From = Line.Sequence + 1) {
        memcpy(Copy, Line.Text, Line.Length);
        Copy[Line.Length] = 0;
        if (strstr(Copy, Text))
            return TRUE;
    }
    return FALSE;
}

static ULONG64 log_end(void)
{
    VF_LOG_LINE Line = {.Sequence = 0};
    ULONG64 Next = 0;

    while (VfLogRead(Next, &Line))
        Next = Line.Sequence + 1;
    return Next;
}

static void set_value(PCWSTR Name, ULONG Type, const void *Data, ULONG Bytes)
{
    UNICODE_STRING Path, Value;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;

    RtlInitUnicodeString(&Path, KEY);
    RtlInitUnicodeString(&Value, Name);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    assert_ok(ZwOpenKey(&Key, KEY_ALL_ACCESS, &Attributes));
    assert_ok(ZwSetValueKey(Key, &Value, 0, Type, (PVOID)Data, Bytes));
    ZwClose(Key);
}

static NTSTATUS load_again(void)
{
    UNICODE_STRING Path;

    RtlInitUnicodeString(&Path, KEY);
    return ZwLoadDriver(&Path);
}

static void load_as_the_tutorial(ULONG Source, const char *Expected)
{
    ULONG Mode = SYSTEMMODULES_MODE_TUTORIAL;
    ULONG64 Start = log_end();

    set_value(L"Mode", REG_DWORD, &Mode, sizeof(Mode));
    set_value(L"Source", REG_DWORD, &Source, sizeof(Source));
    assert_status(load_again(), STATUS_DEVICE_CONFIGURATION_ERROR);
    assert_true(logged(Start, Expected));
    assert_int_equal(DriverTestBlocks(TAG), 0);
}

static void in_the_tutorials_mode_it_reports_and_fails(void **State)
{
    static const WCHAR Names[] = L"nothing.sys\0";
    ULONG Mode = SYSTEMMODULES_MODE_DEVICE;

    assert_ok(DriverTestUnload("systemmodules"));
    load_as_the_tutorial(SYSTEMMODULES_SOURCE_SYSTEM, "SystemModules: found: ntoskrnl.exe");
    load_as_the_tutorial(SYSTEMMODULES_SOURCE_AUX, "SystemModules: found: ntoskrnl.exe");
    set_value(L"Names", REG_MULTI_SZ, Names, sizeof(Names));
    load_as_the_tutorial(SYSTEMMODULES_SOURCE_SYSTEM, "none of the names is among");
    FailOurs = 2;
    MmSetPoolFault(only_ours);
    assert_status(load_again(), STATUS_INSUFFICIENT_RESOURCES);
    MmSetPoolFault(NULL);
    set_value(L"Mode", REG_DWORD, &Mode, sizeof(Mode));
    assert_ok(load_again());
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(the_list_begins_with_the_kernel_and_has_the_driver),
        DRIVER_TEST(both_sources_tell_the_same),
        DRIVER_TEST(a_short_buffer_gets_what_fits_and_the_count),
        DRIVER_TEST(each_allocation_may_fail),
        DRIVER_TEST(in_the_tutorials_mode_it_reports_and_fails),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
