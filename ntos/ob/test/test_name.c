/* Names: directories, links, the look-up and its errors. */
#include "ob_test.h"

static NTSTATUS Open(PCWSTR Name, ULONG Attributes, POBJECT_TYPE Type, PHANDLE Handle)
{
    return ObOpenObjectByName(ObTestName(Name, Attributes), Type, KernelMode, NULL, GENERIC_READ,
                              NULL, Handle);
}

static NTSTATUS TryOpen(PCWSTR Name, ULONG Attributes, POBJECT_TYPE Type)
{
    HANDLE Handle;
    NTSTATUS Status = Open(Name, Attributes, Type, &Handle);

    if (NT_SUCCESS(Status))
        assert_success(ObCloseHandle_(Handle, KernelMode));
    return Status;
}

static NTSTATUS Link(PCWSTR Name, PCWSTR Target, PHANDLE Handle)
{
    UNICODE_STRING To;

    RtlInitUnicodeString(&To, Target);
    return ObCreateSymbolicLink_(Handle, SYMBOLIC_LINK_ALL_ACCESS,
                                 ObTestName(Name, OBJ_CASE_INSENSITIVE), &To, KernelMode);
}

static void ANamedObjectIsFoundUntilItsLastHandleCloses(void **Unused)
{
    HANDLE Handle;

    assert_success(ObTestEvent(L"\\BaseNamedObjects\\One", 0, &Handle));
    assert_success(TryOpen(L"\\BaseNamedObjects\\One", 0, *ExEventObjectType));
    assert_status(TryOpen(L"\\BaseNamedObjects\\one", 0, *ExEventObjectType),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(TryOpen(L"\\basenamedobjects\\ONE", OBJ_CASE_INSENSITIVE, *ExEventObjectType));
    assert_success(ObCloseHandle_(Handle, KernelMode));
    assert_status(TryOpen(L"\\BaseNamedObjects\\One", 0, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void APermanentNameOutlivesItsHandles(void **Unused)
{
    HANDLE Handle;
    PVOID Object;

    assert_success(ObTestEvent(L"\\BaseNamedObjects\\Kept", OBJ_PERMANENT, &Handle));
    assert_success(ObCloseHandle_(Handle, KernelMode));
    assert_success(Open(L"\\BaseNamedObjects\\Kept", 0, NULL, &Handle));
    assert_success(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL));
    ObMakeTemporaryObject(Object);
    assert_success(TryOpen(L"\\BaseNamedObjects\\Kept", 0, NULL)); /* a handle is open */
    assert_success(ObCloseHandle_(Handle, KernelMode));
    assert_status(TryOpen(L"\\BaseNamedObjects\\Kept", 0, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    ObDereferenceObject(Object);
}

static void BadPathsHaveTheDocumentedErrors(void **Unused)
{
    OBJECT_ATTRIBUTES Attributes = *ObTestName(L"\\Device", 0);
    UNICODE_STRING Odd = {3, 4, L"\\D"};
    HANDLE Handle, Event;

    assert_status(TryOpen(L"Device", 0, NULL), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_status(TryOpen(L"", 0, NULL), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_status(TryOpen(L"\\Nowhere\\X", 0, NULL), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_status(TryOpen(L"\\Device\\\\X", 0, NULL), STATUS_OBJECT_NAME_INVALID);
    assert_status(TryOpen(L"\\Device\\", 0, NULL), STATUS_OBJECT_NAME_INVALID);
    assert_status(TryOpen(L"\\Device", 0, *ExEventObjectType), STATUS_OBJECT_TYPE_MISMATCH);
    assert_success(ObTestEvent(L"\\BaseNamedObjects\\E", 0, &Event));
    assert_status(TryOpen(L"\\BaseNamedObjects\\E\\X", 0, NULL), STATUS_OBJECT_TYPE_MISMATCH);
    ObCloseHandle_(Event, KernelMode);
    assert_status(ObOpenObjectByName(NULL, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_INVALID_PARAMETER);
    Attributes.Attributes = 0x80000000;
    assert_status(ObOpenObjectByName(&Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_INVALID_PARAMETER);
    Attributes.Attributes = 0;
    Attributes.Length--;
    assert_status(ObOpenObjectByName(&Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_INVALID_PARAMETER);
    Attributes.Length++;
    Attributes.ObjectName = &Odd;
    assert_status(ObOpenObjectByName(&Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_OBJECT_NAME_INVALID);
}

static void ASecondObjectOfTheSameNameCollidesOrIsOpened(void **Unused)
{
    HANDLE First, Second, Other;
    PVOID A, B;

    assert_success(ObTestEvent(L"\\BaseNamedObjects\\Same", 0, &First));
    assert_status(ObTestEvent(L"\\BaseNamedObjects\\Same", 0, &Second),
                  STATUS_OBJECT_NAME_COLLISION);
    assert_status(ObTestEvent(L"\\BaseNamedObjects\\Same", OBJ_OPENIF, &Second),
                  STATUS_OBJECT_NAME_EXISTS);
    assert_success(ObReferenceObjectByHandle(First, 0, NULL, KernelMode, &A, NULL));
    assert_success(ObReferenceObjectByHandle(Second, 0, NULL, KernelMode, &B, NULL));
    assert_ptr_equal(A, B);
    assert_status(ObCreateDirectory_(&Other, 0, ObTestName(L"\\BaseNamedObjects\\Same", OBJ_OPENIF),
                                     KernelMode),
                  STATUS_OBJECT_TYPE_MISMATCH);
    ObDereferenceObject(A);
    ObDereferenceObject(B);
    ObCloseHandle_(First, KernelMode);
    ObCloseHandle_(Second, KernelMode);
}

static void ALinkLeadsToItsTarget(void **Unused)
{
    HANDLE Event, First, Second;

    assert_success(ObTestEvent(L"\\Device\\Thing", 0, &Event));
    assert_success(Link(L"\\DosDevices\\MyThing", L"\\Device\\Thing", &First));
    assert_success(Link(L"\\??\\Deep", L"\\??\\mything", &Second));
    assert_success(TryOpen(L"\\??\\MyThing", 0, *ExEventObjectType));
    assert_success(TryOpen(L"\\GLOBAL??\\MyThing", 0, *ExEventObjectType));
    assert_success(TryOpen(L"\\??\\GLOBALROOT\\Device\\Thing", 0, *ExEventObjectType));
    assert_success(
        TryOpen(L"\\DosDevices\\Global\\MYTHING", OBJ_CASE_INSENSITIVE, *ExEventObjectType));
    assert_success(TryOpen(L"\\??\\Deep", OBJ_CASE_INSENSITIVE, *ExEventObjectType));
    assert_status(TryOpen(L"\\??\\MyThing", OBJ_DONT_REPARSE, *ExEventObjectType), 0xC000050B);
    assert_status(Link(L"\\??\\MyThing", L"\\Device\\Other", &Event), STATUS_OBJECT_NAME_COLLISION);
    ObCloseHandle_(Event, KernelMode);
    ObCloseHandle_(First, KernelMode);
    ObCloseHandle_(Second, KernelMode);
}

static void LinksInACircleAreNotFound(void **Unused)
{
    HANDLE First, Second;

    assert_success(Link(L"\\??\\A", L"\\??\\B", &First));
    assert_success(Link(L"\\??\\B", L"\\??\\A", &Second));
    assert_status(TryOpen(L"\\??\\A", 0, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_success(TryOpen(L"\\??\\A", OBJ_OPENLINK, NULL));
    ObCloseHandle_(First, KernelMode);
    ObCloseHandle_(Second, KernelMode);
}

static void ALinkCanBeRead(void **Unused)
{
    WCHAR Buffer[40];
    UNICODE_STRING Target = {0, sizeof(Buffer), Buffer}, Small = {0, 4, Buffer};
    HANDLE Handle;
    ULONG Needed = 0;
    PVOID Object;

    assert_success(Open(L"\\DosDevices", 0, ObpSymbolicLinkType, &Handle));
    assert_success(ObReferenceObjectByHandle(Handle, SYMBOLIC_LINK_QUERY, ObpSymbolicLinkType,
                                             UserMode - 1, &Object, NULL));
    assert_status(ObQuerySymbolicLink_(Object, &Small, &Needed), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(Needed, 8);
    assert_success(ObQuerySymbolicLink_(Object, &Target, &Needed));
    assert_int_equal(Target.Length, 6);
    assert_memory_equal(Buffer, L"\\??", 8);
    ObDereferenceObject(Object);
    ObCloseHandle_(Handle, KernelMode);
}

static void ARootDirectoryHandleStartsTheWalk(void **Unused)
{
    OBJECT_ATTRIBUTES *Attributes;
    HANDLE Root, Event, Handle;

    assert_success(Open(L"\\BaseNamedObjects", 0, ObpDirectoryType, &Root));
    assert_success(ObTestEvent(L"\\BaseNamedObjects\\Inner", 0, &Event));
    Attributes = ObTestName(L"Inner", 0);
    Attributes->RootDirectory = Root;
    assert_success(ObOpenObjectByName(Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle));
    ObCloseHandle_(Handle, KernelMode);
    Attributes = ObTestName(L"\\Inner", 0);
    Attributes->RootDirectory = Root;
    assert_status(ObOpenObjectByName(Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_OBJECT_PATH_SYNTAX_BAD);
    Attributes = ObTestName(L"X", 0);
    Attributes->RootDirectory = Event;
    assert_status(ObOpenObjectByName(Attributes, NULL, KernelMode, NULL, 0, NULL, &Handle),
                  STATUS_OBJECT_TYPE_MISMATCH);
    ObCloseHandle_(Event, KernelMode);
    ObCloseHandle_(Root, KernelMode);
}

static void AnObjectKnowsItsFullName(void **Unused)
{
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Text[64];
    } Buffer;
    ULONG Needed;
    HANDLE Handle;
    PVOID Object;

    assert_success(ObTestEvent(L"\\??\\Named", OBJ_CASE_INSENSITIVE, &Handle));
    assert_success(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL));
    assert_status(ObQueryNameString(Object, NULL, 0, &Needed), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(Needed, sizeof(OBJECT_NAME_INFORMATION) + 16 * 2);
    assert_success(ObQueryNameString(Object, &Buffer.Information, sizeof(Buffer), &Needed));
    assert_memory_equal(Buffer.Information.Name.Buffer, L"\\GLOBAL??\\Named", 32);
    ObCloseHandle_(Handle, KernelMode);
    assert_success(ObQueryNameString(Object, &Buffer.Information, sizeof(Buffer), &Needed));
    assert_int_equal(Buffer.Information.Name.Length, 0);
    assert_int_equal(Needed, sizeof(OBJECT_NAME_INFORMATION));
    ObDereferenceObject(Object);
}

static BOOLEAN CountNames(PVOID Context, PUNICODE_STRING Name, PUNICODE_STRING Type)
{
    ++*(ULONG *)Context;
    return TRUE;
}

#define MANY 20000

static void ADirectoryHoldsManyNames(void **Unused)
{
    static HANDLE Handles[MANY];
    ULONG Count = 0, Context = 0;
    WCHAR Name[40];
    HANDLE Directory;
    PVOID Object;

    assert_success(
        ObCreateDirectory_(&Directory, DIRECTORY_ALL_ACCESS, ObTestName(L"\\Many", 0), KernelMode));
    for (ULONG i = 0; i < MANY; i++) {
        swprintf(Name, L"\\Many\\Name%u", i);
        assert_success(ObTestEvent(Name, 0, &Handles[i]));
    }
    for (ULONG i = 0; i < MANY; i++) {
        swprintf(Name, L"\\MANY\\NAME%u", i);
        assert_success(TryOpen(Name, OBJ_CASE_INSENSITIVE, *ExEventObjectType));
    }
    assert_success(
        ObReferenceObjectByHandle(Directory, 0, ObpDirectoryType, KernelMode, &Object, NULL));
    assert_success(ObEnumerateDirectory_(Object, &Context, CountNames, &Count));
    assert_int_equal(Count, MANY);
    assert_int_equal(Context, MANY);
    ObDereferenceObject(Object);
    for (ULONG i = 0; i < MANY; i++)
        ObCloseHandle_(Handles[i], KernelMode);
    ObCloseHandle_(Directory, KernelMode);
}

static void InsertAndClose(void *Unused)
{
    for (int i = 0; i < 1500; i++) {
        HANDLE Handle;
        NTSTATUS Status = ObTestEvent(L"\\BaseNamedObjects\\Race", OBJ_OPENIF, &Handle);
        assert_true(Status == STATUS_SUCCESS || Status == STATUS_OBJECT_NAME_EXISTS);
        assert_success(ObCloseHandle_(Handle, KernelMode));
    }
}

static void OpenIfThere(void *Unused)
{
    for (int i = 0; i < 3000; i++) {
        NTSTATUS Status = TryOpen(L"\\BaseNamedObjects\\Race", 0, *ExEventObjectType);
        assert_true(Status == STATUS_SUCCESS || Status == STATUS_OBJECT_NAME_NOT_FOUND);
    }
}

static void InsertionOpeningAndClosingRace(void **Unused)
{
    static EX_TEST_THREAD Threads[4];

    for (int i = 0; i < 4; i++)
        ExTestThread(&Threads[i], i < 2 ? InsertAndClose : OpenIfThere, NULL);
    for (int i = 0; i < 4; i++)
        ExTestJoin(&Threads[i]);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        OB_TEST(ANamedObjectIsFoundUntilItsLastHandleCloses),
        OB_TEST(APermanentNameOutlivesItsHandles),
        OB_TEST(BadPathsHaveTheDocumentedErrors),
        OB_TEST(ASecondObjectOfTheSameNameCollidesOrIsOpened),
        OB_TEST(ALinkLeadsToItsTarget),
        OB_TEST(LinksInACircleAreNotFound),
        OB_TEST(ALinkCanBeRead),
        OB_TEST(ARootDirectoryHandleStartsTheWalk),
        OB_TEST(AnObjectKnowsItsFullName),
        OB_TEST(ADirectoryHoldsManyNames),
        OB_TEST(InsertionOpeningAndClosingRace),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
