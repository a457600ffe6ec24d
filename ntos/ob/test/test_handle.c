/* Objects and handles: references, access, processes, duplication, callbacks. */
#include "ob_test.h"

static ULONG Opened, Closed, Deleted, LastSystemCount, LastProcessCount;
static POBJECT_TYPE ThingType;

static NTSTATUS OpenThing(OB_OPEN_REASON Reason, PEPROCESS Process, PVOID Object,
                          ACCESS_MASK Granted, ULONG ProcessHandleCount)
{
    Opened++;
    return Granted == 0x8 ? STATUS_SHARING_VIOLATION : STATUS_SUCCESS;
}

static void CloseThing(PEPROCESS Process, PVOID Object, ACCESS_MASK Granted,
                       ULONG ProcessHandleCount, ULONG SystemHandleCount)
{
    Closed++;
    LastProcessCount = ProcessHandleCount;
    LastSystemCount = SystemHandleCount;
}

static void DeleteThing(PVOID Object)
{
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    __atomic_fetch_add(&Deleted, 1, __ATOMIC_RELEASE);
}

static PVOID NewThing(void)
{
    static const OB_TYPE_PROCEDURES Procedures = {
        .Open = OpenThing, .Close = CloseThing, .Delete = DeleteThing};
    static const GENERIC_MAPPING Mapping = {1, 2, 4, 0xF};
    PVOID Thing;

    Opened = Closed = 0;
    __atomic_store_n(&Deleted, 0, __ATOMIC_RELEASE);
    assert_success(ObCreateObjectType_(L"Thing", &Procedures, &Mapping, 0xF, NonPagedPool, 'tseT',
                                       OB_NOT_WAITABLE, &ThingType));
    assert_success(ObCreateObject(KernelMode, ThingType, NULL, KernelMode, NULL, 64, 0, 0, &Thing));
    return Thing;
}

static HANDLE Handle(PVOID Thing, ULONG Attributes, ACCESS_MASK Access)
{
    HANDLE New;

    assert_success(
        ObOpenObjectByPointer(Thing, Attributes, NULL, Access, ThingType, KernelMode, &New));
    return New;
}

static NTSTATUS Look(HANDLE Given, ACCESS_MASK Access, POBJECT_TYPE Type, KPROCESSOR_MODE Mode)
{
    PVOID Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Given, Access, Type, Mode, &Object, NULL);

    if (NT_SUCCESS(Status))
        ObDereferenceObject(Object);
    else
        assert_null(Object);
    return Status;
}

static void TheLastReferenceDeletes(void **Unused)
{
    PVOID Thing = NewThing();

    assert_int_equal(ObReferenceObject(Thing), 2);
    assert_int_equal(ObDereferenceObject(Thing), 1);
    assert_int_equal(Deleted, 0);
    assert_int_equal(ObDereferenceObject(Thing), 0);
    assert_int_equal(Deleted, 1);
}

static void DeletionAtDispatchLevelIsLeftToAWorker(void **Unused)
{
    PVOID Thing = NewThing();
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ObDereferenceObject(Thing);
    KeLowerIrql(Irql);
    while (__atomic_load_n(&Deleted, __ATOMIC_ACQUIRE) == 0)
        ExTestYield();
}

static void DeletionCanBeDeferred(void **Unused)
{
    PVOID Thing = NewThing();

    ObDereferenceObjectDeferDelete(Thing);
    while (__atomic_load_n(&Deleted, __ATOMIC_ACQUIRE) == 0)
        ExTestYield();
}

static void OneDereferenceTooManyIsABugCheck(void **Unused)
{
    PVOID Thing = NewThing();
    OBJECT_HEADER_NT *Header = ObHeader(Thing);
    VF_BUGCHECK Record;

    atomic_store(&Header->PointerCount, 0);
    VF_EXPECT_BUGCHECK (&Record) {
        ObDereferenceObject(Thing);
    }
    assert_int_equal(Record.Code, REFERENCE_BY_POINTER);
    assert_int_equal(Record.Parameters[0], (ULONG_PTR)ThingType);
    assert_int_equal(Record.Parameters[1], (ULONG_PTR)Thing);
    atomic_store(&Header->PointerCount, 1);
    ObDereferenceObject(Thing);
}

static void AHandleHasTheRightsThatWereGranted(void **Unused)
{
    PVOID Thing = NewThing();
    OBJECT_HANDLE_INFORMATION Information;
    HANDLE Reader = Handle(Thing, 0, GENERIC_READ);
    PVOID Object;

    assert_success(Look(Reader, 1, ThingType, UserMode));
    assert_status(Look(Reader, 2, ThingType, UserMode), STATUS_ACCESS_DENIED);
    assert_success(Look(Reader, 2, ThingType, KernelMode));
    assert_status(Look(Reader, 1, *ExEventObjectType, UserMode), STATUS_OBJECT_TYPE_MISMATCH);
    assert_success(ObReferenceObjectByHandle(Reader, 0, NULL, UserMode, &Object, &Information));
    assert_int_equal(Information.GrantedAccess, 1);
    ObDereferenceObject(Object);
    ObCloseHandle_(Reader, KernelMode);
    ObDereferenceObject(Thing);
}

static void BadHandlesAreRefused(void **Unused)
{
    static const ULONG_PTR Bad[] = {
        0, 4, 0x12345678, 0x7FFFFFFFFFFFFFFC, (ULONG_PTR)-8, (ULONG_PTR)0xFFFFFFFF80000004};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++) {
        assert_status(Look((HANDLE)Bad[i], 0, NULL, UserMode), STATUS_INVALID_HANDLE);
        assert_status(Look((HANDLE)Bad[i], 0, NULL, KernelMode), STATUS_INVALID_HANDLE);
        assert_status(ObCloseHandle((HANDLE)Bad[i], UserMode), STATUS_INVALID_HANDLE);
    }
}

static void AKernelHandleIsForKernelModeInEveryProcess(void **Unused)
{
    PVOID Thing;
    HANDLE Kernel, User;

    ObTestUseProcesses();
    Thing = NewThing();
    Kernel = Handle(Thing, OBJ_KERNEL_HANDLE, 1);
    User = Handle(Thing, 0, 1);
    assert_true(ObIsKernelHandle(Kernel));
    assert_false(ObIsKernelHandle(User));
    assert_false(ObIsKernelHandle(NtCurrentProcess()));
    assert_status(Look(Kernel, 1, ThingType, UserMode), STATUS_INVALID_HANDLE);
    ObTestCurrent = ObTestProcess[1];
    assert_success(Look(Kernel, 1, ThingType, KernelMode));
    assert_status(Look(User, 1, ThingType, KernelMode), STATUS_INVALID_HANDLE);
    assert_success(ObCloseHandle(Kernel, KernelMode));
    ObTestCurrent = ObTestProcess[0];
    ObDereferenceObject(Thing);
    ObTestEndProcesses();
    assert_int_equal(Closed, 2);
    assert_int_equal(Deleted, 1);
}

static void ClosingALostKernelHandleIsABugCheck(void **Unused)
{
    PVOID Thing = NewThing();
    HANDLE Kernel = Handle(Thing, OBJ_KERNEL_HANDLE, 1);
    VF_BUGCHECK Record;

    assert_success(ObCloseHandle(Kernel, KernelMode));
    VF_EXPECT_BUGCHECK (&Record) {
        ObCloseHandle(Kernel, KernelMode);
    }
    assert_int_equal(Record.Code, INVALID_KERNEL_HANDLE);
    assert_int_equal(Record.Parameters[0], (ULONG_PTR)Kernel);
    assert_int_equal(Record.Parameters[1], 1);
    ObDereferenceObject(Thing);
}

static void TypesSeeOpeningAndClosingWithCounts(void **Unused)
{
    PVOID Thing;
    HANDLE First, Second, Third, None;

    ObTestUseProcesses();
    Thing = NewThing();
    First = Handle(Thing, 0, 1);
    Second = Handle(Thing, 0, 1);
    ObTestCurrent = ObTestProcess[1];
    Third = Handle(Thing, 0, 1);
    assert_int_equal(Opened, 3);
    assert_status(ObOpenObjectByPointer(Thing, 0, NULL, 8, ThingType, KernelMode, &None),
                  STATUS_SHARING_VIOLATION);
    assert_null(None);
    ObCloseHandle_(Third, KernelMode);
    assert_int_equal(LastProcessCount, 1);
    assert_int_equal(LastSystemCount, 3);
    ObTestCurrent = ObTestProcess[0];
    ObCloseHandle_(First, KernelMode);
    assert_int_equal(LastProcessCount, 2);
    ObCloseHandle_(Second, KernelMode);
    assert_int_equal(LastProcessCount, 1);
    assert_int_equal(LastSystemCount, 1);
    assert_int_equal(Closed, 3);
    ObDereferenceObject(Thing);
    ObTestEndProcesses();
}

static void AProtectedHandleCannotBeClosed(void **Unused)
{
    PVOID Thing = NewThing();
    HANDLE Protected = Handle(Thing, 0, 1);
    UCHAR Flags[2] = {FALSE, TRUE};

    assert_success(ObSetHandleAttributes(Protected, (PVOID)Flags, KernelMode));
    assert_status(ObCloseHandle_(Protected, UserMode), STATUS_HANDLE_NOT_CLOSABLE);
    assert_success(ObSetHandleFlags_(Protected, 0, KernelMode));
    assert_success(ObCloseHandle_(Protected, UserMode));
    ObDereferenceObject(Thing);
}

static void PseudoHandlesMeanTheCurrentProcess(void **Unused)
{
    ObTestUseProcesses();
    assert_success(Look(NtCurrentProcess(), 0, ObTestProcessType, UserMode));
    assert_status(Look(NtCurrentProcess(), 0, *ExEventObjectType, UserMode),
                  STATUS_OBJECT_TYPE_MISMATCH);
    assert_success(ObCloseHandle(NtCurrentProcess(), UserMode));
    ObTestEndProcesses();
}

static void AHandleIsDuplicatedIntoAnotherProcess(void **Unused)
{
    PVOID Thing;
    HANDLE First, Second, Third;

    ObTestUseProcesses();
    Thing = NewThing();
    First = Handle(Thing, 0, 3);
    assert_success(ObDuplicateHandle_(ObTestProcess[0], First, ObTestProcess[1], &Second, 1, 0, 0,
                                      KernelMode));
    ObTestCurrent = ObTestProcess[1];
    assert_success(Look(Second, 1, ThingType, UserMode));
    assert_status(Look(Second, 2, ThingType, UserMode), STATUS_ACCESS_DENIED);
    assert_success(ObDuplicateHandle_(ObTestProcess[0], First, ObTestProcess[2], &Third, 0, 0,
                                      DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE, KernelMode));
    ObTestCurrent = ObTestProcess[0];
    assert_status(Look(First, 0, NULL, UserMode), STATUS_INVALID_HANDLE);
    ObTestCurrent = ObTestProcess[2];
    assert_success(Look(Third, 3, ThingType, UserMode));
    assert_status(ObDuplicateHandle_(ObTestProcess[2], (HANDLE)0x444, ObTestProcess[1], &Second, 0,
                                     0, 0, UserMode),
                  STATUS_INVALID_HANDLE);
    ObDereferenceObject(Thing);
    ObTestEndProcesses();
    assert_int_equal(Deleted, 1);
}

static void AChildInheritsMarkedHandles(void **Unused)
{
    EX_HANDLE_TABLE *Old;
    PVOID Thing;
    HANDLE Kept, Lost;

    ObTestUseProcesses();
    Thing = NewThing();
    Lost = Handle(Thing, 0, 1);
    Kept = Handle(Thing, OBJ_INHERIT, 1);
    Old = ((OB_TEST_PROCESS *)ObTestProcess[1])->Table;
    assert_success(ObInitProcess(ObTestProcess[1], ObTestProcess[0], TRUE));
    ExDestroyHandleTable_(Old);
    assert_int_equal(Opened, 3);
    ObTestCurrent = ObTestProcess[1];
    assert_success(Look(Kept, 1, ThingType, UserMode));
    assert_status(Look(Lost, 1, ThingType, UserMode), STATUS_INVALID_HANDLE);
    ObDereferenceObject(Thing);
    ObTestEndProcesses();
    assert_int_equal(Closed, 3);
    assert_int_equal(Deleted, 1);
}

static void AnExclusiveObjectBelongsToOneProcess(void **Unused)
{
    HANDLE First, Second;

    ObTestUseProcesses();
    assert_success(ObTestEvent(L"\\BaseNamedObjects\\Mine", OBJ_EXCLUSIVE, &First));
    ObTestCurrent = ObTestProcess[1];
    assert_status(ObOpenObjectByName(ObTestName(L"\\BaseNamedObjects\\Mine", 0), NULL, KernelMode,
                                     NULL, 1, NULL, &Second),
                  STATUS_ACCESS_DENIED);
    ObTestCurrent = ObTestProcess[0];
    assert_success(ObOpenObjectByName(ObTestName(L"\\BaseNamedObjects\\Mine", 0), NULL, KernelMode,
                                      NULL, 1, NULL, &Second));
    ObTestEndProcesses();
}

static ULONG PreCalls, PostCalls;
static ACCESS_MASK PostGranted;

static OB_PREOP_CALLBACK_STATUS NTAPI Pre(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    PreCalls++;
    Information->Parameters->CreateHandleInformation.DesiredAccess &= ~(ACCESS_MASK)2;
    Information->CallContext = &PreCalls;
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI Post(PVOID Context, POB_POST_OPERATION_INFORMATION Information)
{
    PostCalls++;
    assert_ptr_equal(Information->CallContext, &PreCalls);
    PostGranted = Information->Parameters->CreateHandleInformation.GrantedAccess;
}

static void CallbacksTakeRightsFromProcessHandles(void **Unused)
{
    OB_OPERATION_REGISTRATION Operation = {&ObTestProcessType, OB_OPERATION_HANDLE_CREATE, Pre,
                                           Post};
    OB_CALLBACK_REGISTRATION Registration = {.Version = OB_FLT_REGISTRATION_VERSION,
                                             .OperationRegistrationCount = 1,
                                             .OperationRegistration = &Operation};
    PVOID Cookie, Second;
    HANDLE New;

    RtlInitUnicodeString(&Registration.Altitude, L"321000.5");
    ObTestUseProcesses();
    PreCalls = PostCalls = 0;
    assert_success(ObRegisterCallbacks(&Registration, &Cookie));
    RtlInitUnicodeString(&Registration.Altitude, L"0321000.50");
    assert_status(ObRegisterCallbacks(&Registration, &Second),
                  STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    Operation.ObjectType = ExEventObjectType;
    assert_status(ObRegisterCallbacks(&Registration, &Second), STATUS_INVALID_PARAMETER);
    assert_success(
        ObOpenObjectByPointer(ObTestProcess[1], 0, NULL, 3, ObTestProcessType, KernelMode, &New));
    assert_int_equal(PreCalls, 1);
    assert_int_equal(PostCalls, 1);
    assert_int_equal(PostGranted, 1);
    assert_status(Look(New, 2, NULL, UserMode), STATUS_ACCESS_DENIED);
    ObUnRegisterCallbacks(Cookie);
    assert_success(
        ObOpenObjectByPointer(ObTestProcess[1], 0, NULL, 3, ObTestProcessType, KernelMode, &New));
    assert_int_equal(PreCalls, 1);
    ObTestEndProcesses();
}

static HANDLE Raced;

static void ReferenceRaced(void *Unused)
{
    for (int i = 0; i < 5000; i++) {
        PVOID Object;
        if (NT_SUCCESS(ObReferenceObjectByHandle(__atomic_load_n(&Raced, __ATOMIC_RELAXED), 0,
                                                 ThingType, KernelMode, &Object, NULL)))
            ObDereferenceObject(Object);
    }
}

static void LookUpRacesWithClosing(void **Unused)
{
    static EX_TEST_THREAD Threads[3];
    PVOID Thing = NewThing();

    for (int i = 0; i < 3; i++)
        ExTestThread(&Threads[i], ReferenceRaced, NULL);
    for (int i = 0; i < 5000; i++) {
        HANDLE New = Handle(Thing, 0, 1);
        __atomic_store_n(&Raced, New, __ATOMIC_RELAXED);
        assert_success(ObCloseHandle_(New, KernelMode));
    }
    for (int i = 0; i < 3; i++)
        ExTestJoin(&Threads[i]);
    assert_int_equal(ObGetObjectPointerCount(Thing), 1);
    ObDereferenceObject(Thing);
}

static void TheRoomStartsAndStopsAThousandTimes(void **Unused)
{
    for (int i = 0; i < 1000; i++) {
        ObShutdownSystem();
        assert_success(ObInitSystem());
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        OB_TEST(TheLastReferenceDeletes),
        OB_TEST(DeletionAtDispatchLevelIsLeftToAWorker),
        OB_TEST(DeletionCanBeDeferred),
        OB_TEST(OneDereferenceTooManyIsABugCheck),
        OB_TEST(AHandleHasTheRightsThatWereGranted),
        OB_TEST(BadHandlesAreRefused),
        OB_TEST(AKernelHandleIsForKernelModeInEveryProcess),
        OB_TEST(ClosingALostKernelHandleIsABugCheck),
        OB_TEST(TypesSeeOpeningAndClosingWithCounts),
        OB_TEST(AProtectedHandleCannotBeClosed),
        OB_TEST(PseudoHandlesMeanTheCurrentProcess),
        OB_TEST(AHandleIsDuplicatedIntoAnotherProcess),
        OB_TEST(AChildInheritsMarkedHandles),
        OB_TEST(AnExclusiveObjectBelongsToOneProcess),
        OB_TEST(CallbacksTakeRightsFromProcessHandles),
        OB_TEST(LookUpRacesWithClosing),
        OB_TEST(TheRoomStartsAndStopsAThousandTimes),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
