/* Keys and values. */
#include "cm_test.h"

#define SOFTWARE L"\\Registry\\Machine\\Software\\"

static void KeysAreMadeFoundAndDeleted(void **Unused)
{
    PVOID Key = CmTestKey(SOFTWARE L"Test"), Again, Third;

    assert_success(CmTestOpen(SOFTWARE L"TEST", 0, &Again));
    assert_success(CmTestOpen(SOFTWARE L"Test\\", 0, &Third));
    ObDereferenceObject(Third);
    assert_success(CmDeleteKey_(Key));
    assert_status(CmDeleteKey_(Again), STATUS_KEY_DELETED);
    assert_status(CmTestSet(Again, L"X", REG_DWORD, "abcd", 4), STATUS_KEY_DELETED);
    ObDereferenceObject(Again);
    ObDereferenceObject(Key);
    assert_status(CmTestOpen(SOFTWARE L"Test", 0, &Key), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void CreationSaysWhetherTheKeyIsNew(void **Unused)
{
    OBJECT_ATTRIBUTES *Attributes = ObTestName(SOFTWARE L"New", OBJ_CASE_INSENSITIVE);
    ULONG Disposition;
    HANDLE First, Second;

    assert_success(CmCreateKey_(&First, KEY_READ, Attributes, 0, &Disposition, KernelMode));
    assert_int_equal(Disposition, REG_CREATED_NEW_KEY);
    assert_success(CmCreateKey_(&Second, KEY_READ, Attributes, 0, &Disposition, KernelMode));
    assert_int_equal(Disposition, REG_OPENED_EXISTING_KEY);
    assert_status(CmCreateKey_(&Second, KEY_READ, Attributes, 0x80, &Disposition, KernelMode),
                  STATUS_INVALID_PARAMETER);
    assert_null(Second);
    assert_status(CmCreateKey_(&Second, KEY_READ, NULL, 0, &Disposition, KernelMode),
                  STATUS_INVALID_PARAMETER);
    ObCloseHandle_(First, KernelMode);
}

static void OnlyTheLastKeyOfAPathIsMade(void **Unused)
{
    CmTestCreate(SOFTWARE L"No\\Such\\Parent", 0, STATUS_OBJECT_NAME_NOT_FOUND);
    CmTestCreate(L"\\Registry\\Other", 0, STATUS_ACCESS_DENIED);
}

static void BelowAVolatileKeyAllIsVolatile(void **Unused)
{
    PVOID Key = CmTestCreate(SOFTWARE L"Gone", REG_OPTION_VOLATILE, STATUS_SUCCESS);

    CmTestCreate(SOFTWARE L"Gone\\Stays", 0, STATUS_CHILD_MUST_BE_VOLATILE);
    ObDereferenceObject(CmTestCreate(SOFTWARE L"Gone\\Too", REG_OPTION_VOLATILE, STATUS_SUCCESS));
    ObDereferenceObject(Key);
}

static void AKeyWithSubkeysCannotBeDeleted(void **Unused)
{
    PVOID Key = CmTestKey(SOFTWARE L"Parent"), Child = CmTestKey(SOFTWARE L"Parent\\Child"),
          Machine;

    assert_status(CmDeleteKey_(Key), STATUS_CANNOT_DELETE);
    assert_success(CmDeleteKey_(Child));
    assert_success(CmDeleteKey_(Key));
    assert_success(CmTestOpen(L"\\Registry\\Machine", 0, &Machine));
    assert_status(CmDeleteKey_(Machine), STATUS_CANNOT_DELETE);
    ObDereferenceObject(Machine);
    ObDereferenceObject(Child);
    ObDereferenceObject(Key);
}

static void CurrentControlSetLeadsToTheControlSet(void **Unused)
{
    PVOID Key = CmTestKey(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Drv"), Same,
          Link;
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Text[80];
    } Name;
    ULONG Needed;

    assert_success(
        CmTestOpen(L"\\Registry\\Machine\\System\\ControlSet001\\Services\\Drv", 0, &Same));
    assert_success(ObQueryNameString(Key, &Name.Information, sizeof(Name), &Needed));
    assert_true(wcscmp(Name.Information.Name.Buffer,
                       L"\\Registry\\Machine\\System\\ControlSet001\\Services\\Drv") == 0);
    assert_success(
        CmTestOpen(L"\\Registry\\Machine\\System\\CurrentControlSet", OBJ_OPENLINK, &Link));
    assert_status(CmTestSet(Link, L"X", REG_DWORD, "abcd", 4), STATUS_ACCESS_DENIED);
    CmTestCreate(L"\\Registry\\Machine\\System\\CurrentControlSet", REG_OPTION_CREATE_LINK,
                 STATUS_OBJECT_NAME_COLLISION);
    ObDereferenceObject(Link);
    ObDereferenceObject(Same);
    ObDereferenceObject(Key);
}

static void AKeyHandleStartsTheWalk(void **Unused)
{
    OBJECT_ATTRIBUTES *Attributes;
    HANDLE Root, Handle;

    assert_success(CmOpenKey_(&Root, KEY_READ, ObTestName(L"\\Registry\\Machine", 0), KernelMode));
    Attributes = ObTestName(L"Software\\Microsoft", 0);
    Attributes->RootDirectory = Root;
    assert_success(CmOpenKey_(&Handle, KEY_READ, Attributes, KernelMode));
    ObCloseHandle_(Handle, KernelMode);
    Attributes = ObTestName(NULL, 0);
    Attributes->RootDirectory = Root;
    assert_success(CmOpenKey_(&Handle, KEY_READ, Attributes, KernelMode));
    ObCloseHandle_(Handle, KernelMode);
    ObCloseHandle_(Root, KernelMode);
}

static void AValueIsReadInEveryShape(void **Unused)
{
    static const UCHAR Data[10] = "123456789";
    PVOID Key = CmTestKey(SOFTWARE L"Values");
    UNICODE_STRING Name = CmTestString(L"one");
    union {
        KEY_VALUE_BASIC_INFORMATION Basic;
        KEY_VALUE_FULL_INFORMATION Full;
        KEY_VALUE_PARTIAL_INFORMATION Partial;
        KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 Align64;
        UCHAR Bytes[100];
    } Out;
    ULONG Needed;

    assert_success(CmTestSet(Key, L"One", REG_BINARY, Data, 10));
    assert_success(
        CmQueryValue_(Key, &Name, KeyValuePartialInformation, &Out, sizeof(Out), &Needed));
    assert_int_equal(Needed, 12 + 10);
    assert_int_equal(Out.Partial.Type, REG_BINARY);
    assert_int_equal(Out.Partial.DataLength, 10);
    assert_memory_equal(Out.Partial.Data, Data, 10);
    assert_success(CmQueryValue_(Key, &Name, KeyValueBasicInformation, &Out, sizeof(Out), &Needed));
    assert_int_equal(Needed, 12 + 6);
    assert_memory_equal(Out.Basic.Name, L"One", 6);
    assert_success(CmQueryValue_(Key, &Name, KeyValueFullInformation, &Out, sizeof(Out), &Needed));
    assert_int_equal(Out.Full.DataOffset, 28);
    assert_memory_equal(Out.Bytes + 28, Data, 10);
    assert_success(
        CmQueryValue_(Key, &Name, KeyValuePartialInformationAlign64, &Out, sizeof(Out), &Needed));
    assert_int_equal(Needed, 8 + 10);
    assert_memory_equal(Out.Align64.Data, Data, 10);
    assert_status(
        CmQueryValue_(Key, &Name, (KEY_VALUE_INFORMATION_CLASS)77, &Out, sizeof(Out), &Needed),
        STATUS_INVALID_PARAMETER);
    ObDereferenceObject(Key);
}

static void SmallBuffersAreToldApart(void **Unused)
{
    PVOID Key = CmTestKey(SOFTWARE L"Values");
    UNICODE_STRING Name = CmTestString(L"One"), None = CmTestString(L"None");
    UCHAR Out[22] = {0};
    ULONG Needed;

    assert_success(CmTestSet(Key, L"One", REG_BINARY, "123456789", 10));
    assert_status(CmQueryValue_(Key, &Name, KeyValuePartialInformation, Out, 11, &Needed),
                  STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Needed, 22);
    assert_int_equal(Out[8], 0);
    assert_status(CmQueryValue_(Key, &Name, KeyValuePartialInformation, Out, 15, &Needed),
                  STATUS_BUFFER_OVERFLOW);
    assert_int_equal(Needed, 22);
    assert_memory_equal(Out + 12, "123\0", 4);
    assert_status(CmQueryValue_(Key, &None, KeyValuePartialInformation, Out, 22, &Needed),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_status(CmDeleteValue_(Key, &None), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(CmDeleteValue_(Key, &Name));
    assert_status(CmQueryValue_(Key, &Name, KeyValuePartialInformation, Out, 22, &Needed),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    ObDereferenceObject(Key);
}

static void KeysAndValuesAreEnumerated(void **Unused)
{
    PVOID Key = CmTestKey(SOFTWARE L"Many");
    KEY_FULL_INFORMATION Full;
    struct {
        KEY_BASIC_INFORMATION Basic;
        WCHAR Text[20];
    } Sub;
    ULONG Needed;
    WCHAR Path[60];

    for (ULONG i = 0; i < 100; i++) {
        swprintf(Path, SOFTWARE L"Many\\Key%02u", (i * 37) % 100);
        ObDereferenceObject(CmTestKey(Path));
        swprintf(Path, L"Value%u", i);
        assert_success(CmTestSet(Key, Path, REG_DWORD, &i, 4));
    }
    for (ULONG i = 0; i < 100; i++) {
        swprintf(Path, L"Key%02u", i);
        assert_success(CmEnumerateKey_(Key, i, KeyBasicInformation, &Sub, sizeof(Sub), &Needed));
        assert_memory_equal(Sub.Basic.Name, Path, 10);
    }
    assert_status(CmEnumerateKey_(Key, 100, KeyBasicInformation, &Sub, sizeof(Sub), &Needed),
                  STATUS_NO_MORE_ENTRIES);
    assert_status(CmEnumerateValue_(Key, 100, KeyValueBasicInformation, &Sub, sizeof(Sub), &Needed),
                  STATUS_NO_MORE_ENTRIES);
    assert_success(CmQueryKey_(Key, KeyFullInformation, &Full, sizeof(Full), &Needed));
    assert_int_equal(Full.SubKeys, 100);
    assert_int_equal(Full.Values, 100);
    assert_int_equal(Full.MaxNameLen, 10);
    assert_int_equal(Full.MaxValueNameLen, 14);
    assert_int_equal(Full.MaxValueDataLen, 4);
    ObDereferenceObject(Key);
}

static ULONG Fired;
static NTSTATUS FiredWith;

static void Done(PVOID Context, NTSTATUS Status)
{
    Fired++;
    FiredWith = Status;
}

static void AWatcherIsToldOnceOfAChange(void **Unused)
{
    PVOID Key = CmTestKey(SOFTWARE L"Watched"), Child = CmTestKey(SOFTWARE L"Watched\\Child");
    HANDLE Handle;

    Fired = 0;
    assert_status(CmNotifyChange_(Key, 0, TRUE, Done, NULL), STATUS_INVALID_PARAMETER);
    assert_status(CmNotifyChange_(Key, REG_NOTIFY_CHANGE_LAST_SET, FALSE, Done, NULL),
                  STATUS_PENDING);
    assert_success(CmTestSet(Child, L"X", REG_NONE, NULL, 0));
    assert_int_equal(Fired, 0);
    assert_success(CmTestSet(Key, L"X", REG_NONE, NULL, 0));
    assert_success(CmTestSet(Key, L"X", REG_NONE, NULL, 0));
    assert_int_equal(Fired, 1);
    assert_status(FiredWith, STATUS_NOTIFY_ENUM_DIR);
    assert_status(
        CmNotifyChange_(Key, REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_CHANGE_NAME, TRUE, Done, NULL),
        STATUS_PENDING);
    assert_success(CmTestSet(Child, L"Y", REG_NONE, NULL, 0));
    assert_int_equal(Fired, 2);
    assert_status(CmNotifyChange_(Child, REG_NOTIFY_CHANGE_NAME, FALSE, Done, NULL),
                  STATUS_PENDING);
    assert_success(CmDeleteKey_(Child));
    assert_int_equal(Fired, 3);
    assert_success(
        ObOpenObjectByPointer(Key, OBJ_KERNEL_HANDLE, NULL, KEY_READ, NULL, KernelMode, &Handle));
    assert_status(CmNotifyChange_(Key, REG_NOTIFY_CHANGE_NAME, FALSE, Done, NULL), STATUS_PENDING);
    ObCloseHandle_(Handle, KernelMode);
    assert_int_equal(Fired, 4);
    assert_status(FiredWith, STATUS_NOTIFY_CLEANUP);
    ObDereferenceObject(Child);
    ObDereferenceObject(Key);
}

static ULONG Pre, Post, Contexts;
static LARGE_INTEGER Cookie;

static NTSTATUS NTAPI Filter(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    REG_NOTIFY_CLASS Class = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    REG_SET_VALUE_KEY_INFORMATION *Set = Argument2;

    assert_ptr_equal(Context, &Pre);
    if (Class == RegNtPreSetValueKey) {
        PCUNICODE_STRING Name;
        Pre++;
        Set->CallContext = &Post;
        assert_success(CmCallbackGetKeyObjectID(&Cookie, Set->Object, NULL, &Name));
        assert_int_equal(Name->Length, wcslen(SOFTWARE L"Guarded") * 2);
        if (Set->Type == REG_QWORD)
            return STATUS_ACCESS_DENIED;
        if (Set->Type == REG_NONE)
            return STATUS_CALLBACK_BYPASS;
    } else if (Class == RegNtPostSetValueKey) {
        assert_ptr_equal(((REG_POST_OPERATION_INFORMATION *)Argument2)->CallContext, &Post);
        Post++;
    } else if (Class == RegNtPostCreateKeyEx) {
        REG_POST_OPERATION_INFORMATION *Information = Argument2;
        if (NT_SUCCESS(Information->Status))
            assert_success(
                CmSetCallbackObjectContext(Information->Object, &Cookie, &Contexts, NULL));
    } else if (Class == RegNtCallbackObjectContextCleanup) {
        assert_ptr_equal(((REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION *)Argument2)->ObjectContext,
                         &Contexts);
        Contexts++;
    }
    return STATUS_SUCCESS;
}

static void RegistryCallbacksSeeAndRefuse(void **Unused)
{
    UNICODE_STRING Altitude = CmTestString(L"370000"), Name = CmTestString(L"Bypassed");
    LARGE_INTEGER Second;
    UCHAR Out[64];
    ULONG Needed;
    PVOID Key;

    Pre = Post = Contexts = 0;
    assert_success(CmRegisterCallbackEx(Filter, &Altitude, &Pre, &Pre, &Cookie, NULL));
    assert_status(CmRegisterCallbackEx(Filter, &Altitude, &Pre, &Pre, &Second, NULL),
                  STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    Key = CmTestKey(SOFTWARE L"Guarded");
    assert_success(CmTestSet(Key, L"X", REG_DWORD, "1234", 4));
    assert_status(CmTestSet(Key, L"X", REG_QWORD, "12345678", 8), STATUS_ACCESS_DENIED);
    assert_success(CmTestSet(Key, L"Bypassed", REG_NONE, NULL, 0));
    assert_status(CmQueryValue_(Key, &Name, KeyValueBasicInformation, Out, sizeof(Out), &Needed),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(Pre, 3);
    assert_int_equal(Post, 3);
    ObDereferenceObject(Key);
    assert_int_equal(Contexts, 1);
    assert_success(CmUnRegisterCallback(Cookie));
    assert_status(CmUnRegisterCallback(Cookie), STATUS_INVALID_PARAMETER);
}

static void Churn(void *Which)
{
    WCHAR Path[80];

    for (int i = 0; i < 300; i++) {
        swprintf(Path, SOFTWARE L"Race%d", i % 5);
        PVOID Key = CmTestKey(Path);
        NTSTATUS Status = CmTestSet(Key, L"V", REG_DWORD, "1234", 4);
        assert_true(Status == STATUS_SUCCESS || Status == STATUS_KEY_DELETED);
        if (i % 3 == 0)
            CmDeleteKey_(Key);
        ObDereferenceObject(Key);
    }
}

static void CreationSettingAndDeletionRace(void **Unused)
{
    static EX_TEST_THREAD Threads[4];

    for (int i = 0; i < 4; i++)
        ExTestThread(&Threads[i], Churn, NULL);
    for (int i = 0; i < 4; i++)
        ExTestJoin(&Threads[i]);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        CM_TEST(KeysAreMadeFoundAndDeleted),     CM_TEST(CreationSaysWhetherTheKeyIsNew),
        CM_TEST(OnlyTheLastKeyOfAPathIsMade),    CM_TEST(BelowAVolatileKeyAllIsVolatile),
        CM_TEST(AKeyWithSubkeysCannotBeDeleted), CM_TEST(CurrentControlSetLeadsToTheControlSet),
        CM_TEST(AKeyHandleStartsTheWalk),        CM_TEST(AValueIsReadInEveryShape),
        CM_TEST(SmallBuffersAreToldApart),       CM_TEST(KeysAndValuesAreEnumerated),
        CM_TEST(AWatcherIsToldOnceOfAChange),    CM_TEST(RegistryCallbacksSeeAndRefuse),
        CM_TEST(CreationSettingAndDeletionRace),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
