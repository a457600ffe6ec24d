#include "nt/test/nt_test.h"

#define TEST_KEY L"\\Registry\\Machine\\NtTest"

static HANDLE CreateTestKey(PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, Path);
    ULONG Disposition;
    HANDLE Key;
    assert_ok(SYS(NtCreateKey, &Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_VOLATILE,
                  &Disposition));
    assert_int_equal(Disposition, REG_CREATED_NEW_KEY);
    return Key;
}

static void DeleteTestKey(HANDLE Key)
{
    assert_ok(SYS(NtDeleteKey, Key));
    assert_ok(SYS(NtClose, Key));
}

static void AValueIsWrittenReadAndDeleted(void **Unused)
{
    HANDLE Key = CreateTestKey(TEST_KEY);
    UNICODE_STRING Name;
    ULONG Data = 0x12345678, Needed;
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    RtlInitUnicodeString(&Name, L"Number");
    assert_ok(SYS(NtSetValueKey, Key, &Name, 0, REG_DWORD, &Data, sizeof(Data)));
    assert_ok(SYS(NtQueryValueKey, Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer),
                  &Needed));
    assert_int_equal(Value->Type, REG_DWORD);
    assert_memory_equal(Value->Data, &Data, sizeof(Data));
    assert_status(SYS(NtQueryValueKey, Key, &Name, KeyValuePartialInformation, Buffer, 4, &Needed),
                  STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Needed, FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(Data));
    assert_status(
        SYS(NtQueryValueKey, Key, &Name, KeyValuePartialInformation, Buffer, Needed - 1, &Needed),
        STATUS_BUFFER_OVERFLOW);
    assert_ok(SYS(NtDeleteValueKey, Key, &Name));
    assert_status(SYS(NtQueryValueKey, Key, &Name, KeyValuePartialInformation, Buffer,
                      sizeof(Buffer), &Needed),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    DeleteTestKey(Key);
}

static void KeysAndValuesAreEnumerated(void **Unused)
{
    HANDLE Key = CreateTestKey(TEST_KEY), Child = CreateTestKey(TEST_KEY L"\\Child");
    UCHAR Buffer[256];
    PKEY_BASIC_INFORMATION Basic = (PVOID)Buffer;
    PKEY_FULL_INFORMATION Full = (PVOID)Buffer;
    UNICODE_STRING Name;
    ULONG Needed;
    assert_ok(SYS(NtEnumerateKey, Key, 0, KeyBasicInformation, Buffer, sizeof(Buffer), &Needed));
    assert_int_equal(Basic->NameLength, 10);
    assert_memory_equal(Basic->Name, L"Child", 10);
    assert_status(SYS(NtEnumerateKey, Key, 1, KeyBasicInformation, Buffer, sizeof(Buffer), &Needed),
                  STATUS_NO_MORE_ENTRIES);
    RtlInitUnicodeString(&Name, L"V");
    assert_ok(SYS(NtSetValueKey, Key, &Name, 0, REG_SZ, L"", 2));
    assert_ok(SYS(NtEnumerateValueKey, Key, 0, KeyValueBasicInformation, Buffer, sizeof(Buffer),
                  &Needed));
    assert_status(
        SYS(NtEnumerateValueKey, Key, 1, KeyValueBasicInformation, Buffer, sizeof(Buffer), &Needed),
        STATUS_NO_MORE_ENTRIES);
    assert_ok(SYS(NtQueryKey, Key, KeyFullInformation, Buffer, sizeof(Buffer), &Needed));
    assert_int_equal(Full->SubKeys, 1);
    assert_int_equal(Full->Values, 1);
    DeleteTestKey(Child);
    DeleteTestKey(Key);
}

static void AKeyMustExistToBeOpened(void **Unused)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\Registry\\Machine\\Nowhere");
    HANDLE Key;
    assert_status(SYS(NtOpenKey, &Key, KEY_READ, &Attributes), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_status(SYS(NtOpenKeyEx, &Key, KEY_READ, &Attributes, 0xF0000),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(SYS(NtOpenKey, &Key, KEY_READ, NULL), STATUS_INVALID_PARAMETER);
}

static void AccessDecidesWhatAHandleMayDo(void **Unused)
{
    HANDLE Key = CreateTestKey(TEST_KEY), Reader;
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, TEST_KEY);
    assert_ok(SYS(NtOpenKey, &Reader, KEY_READ, &Attributes));
    assert_status(SYS(NtSetValueKey, Reader, &Name, 0, REG_SZ, L"", 2), STATUS_ACCESS_DENIED);
    assert_status(SYS(NtDeleteKey, Reader), STATUS_ACCESS_DENIED);
    assert_ok(SYS(NtFlushKey, Reader));
    assert_ok(SYS(NtClose, Reader));
    DeleteTestKey(Key);
}

static void AChangeIsNotified(void **Unused)
{
    HANDLE Key = CreateTestKey(TEST_KEY), Event = NtTestEvent(NotificationEvent, FALSE);
    IO_STATUS_BLOCK Iosb = {.Status = -1};
    LARGE_INTEGER NoTime = {.QuadPart = 0};
    UNICODE_STRING Name;
    assert_status(SYS(NtNotifyChangeKey, Key, Event, NULL, NULL, &Iosb, 0, FALSE, NULL, 0, TRUE),
                  STATUS_INVALID_PARAMETER);
    assert_status(SYS(NtNotifyChangeKey, Key, Event, NULL, NULL, &Iosb, REG_NOTIFY_CHANGE_LAST_SET,
                      FALSE, NULL, 0, TRUE),
                  STATUS_PENDING);
    assert_status(SYS(NtWaitForSingleObject, Event, FALSE, &NoTime), STATUS_TIMEOUT);
    RtlInitUnicodeString(&Name, L"V");
    assert_ok(SYS(NtSetValueKey, Key, &Name, 0, REG_SZ, L"", 2));
    assert_ok(SYS(NtWaitForSingleObject, Event, FALSE, NULL));
    assert_int_equal(Iosb.Status, STATUS_NOTIFY_ENUM_DIR);
    assert_status(SYS(NtNotifyChangeKey, Key, Event, NULL, NULL, &Iosb, REG_NOTIFY_CHANGE_LAST_SET,
                      FALSE, NULL, 0, TRUE),
                  STATUS_PENDING); /* still pending when the key is closed */
    DeleteTestKey(Key);
    assert_ok(SYS(NtClose, Event));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(AValueIsWrittenReadAndDeleted),
        NT_TEST(KeysAndValuesAreEnumerated),
        NT_TEST(AKeyMustExistToBeOpened),
        NT_TEST(AccessDecidesWhatAHandleMayDo),
        NT_TEST(AChangeIsNotified),
    };
    return cmocka_run_group_tests_name("nt-key", Tests, NULL, NULL);
}
