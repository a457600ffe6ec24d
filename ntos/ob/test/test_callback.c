/* Callback objects. */
#include "ob_test.h"

static ULONG Calls;
static KEVENT Entered, Leave;

static VOID NTAPI Count(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    assert_ptr_equal(Context, &Calls);
    assert_ptr_equal(Argument1, (PVOID)1);
    assert_ptr_equal(Argument2, (PVOID)2);
    Calls++;
}

static VOID NTAPI Block(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(&Entered, 0, FALSE);
    ExTestWait(&Leave);
}

static PCALLBACK_OBJECT Create(PCWSTR Name, BOOLEAN Multiple)
{
    PCALLBACK_OBJECT Callback;

    assert_success(
        ExCreateCallback(&Callback, ObTestName(Name, OBJ_CASE_INSENSITIVE), TRUE, Multiple));
    return Callback;
}

static void RegisteredFunctionsAreCalledUntilUnregistered(void **Unused)
{
    PCALLBACK_OBJECT Callback = Create(L"\\Callback\\Mine", TRUE);
    PVOID First = ExRegisterCallback(Callback, Count, &Calls),
          Second = ExRegisterCallback(Callback, Count, &Calls);
    KIRQL Irql;

    Calls = 0;
    ExNotifyCallback(Callback, (PVOID)1, (PVOID)2);
    assert_int_equal(Calls, 2);
    ExUnregisterCallback(First);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExNotifyCallback(Callback, (PVOID)1, (PVOID)2);
    KeLowerIrql(Irql);
    assert_int_equal(Calls, 3);
    ExUnregisterCallback(Second);
    ObDereferenceObject(Callback);
}

static void ASingleCallbackRefusesASecondFunction(void **Unused)
{
    PCALLBACK_OBJECT Callback = Create(NULL, FALSE);
    PVOID First = ExRegisterCallback(Callback, Count, &Calls);

    assert_non_null(First);
    assert_null(ExRegisterCallback(Callback, Count, &Calls));
    ExUnregisterCallback(First);
    ObDereferenceObject(Callback);
}

static void Notify(void *Callback)
{
    ExNotifyCallback(Callback, NULL, NULL);
}

static void Unregister(void *Registration)
{
    ExUnregisterCallback(Registration);
}

static void UnregisteringWaitsForARunningCall(void **Unused)
{
    static EX_TEST_THREAD Notifier, Remover;
    PCALLBACK_OBJECT Callback = Create(NULL, FALSE);
    PVOID Registration = ExRegisterCallback(Callback, Block, NULL);

    KeInitializeEvent(&Entered, NotificationEvent, FALSE);
    KeInitializeEvent(&Leave, NotificationEvent, FALSE);
    ExTestThread(&Notifier, Notify, Callback);
    ExTestWait(&Entered);
    ExTestThread(&Remover, Unregister, Registration);
    ExTestUntilWaiting(&Remover);
    KeSetEvent(&Leave, 0, FALSE);
    ExTestJoin(&Notifier);
    ExTestJoin(&Remover);
    ObDereferenceObject(Callback);
}

static void ThePredefinedCallbacksExist(void **Unused)
{
    PCALLBACK_OBJECT Callback;

    assert_success(
        ExCreateCallback(&Callback, ObTestName(L"\\Callback\\PowerState", 0), FALSE, TRUE));
    ObDereferenceObject(Callback);
    assert_status(ExCreateCallback(&Callback, ObTestName(L"\\Callback\\NoSuch", 0), FALSE, TRUE),
                  STATUS_OBJECT_NAME_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        OB_TEST(RegisteredFunctionsAreCalledUntilUnregistered),
        OB_TEST(ASingleCallbackRefusesASecondFunction),
        OB_TEST(UnregisteringWaitsForARunningCall),
        OB_TEST(ThePredefinedCallbacksExist),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
