#include "ldr/test/ldr_test.h"
#include "init/init.h"
#include <unistd.h>

static const USERNT_OPTIONS Small = {
    .Size = sizeof(Small), .Processors = 2, .PhysicalBytes = 64 << 20, .BootUserId = MAXULONG};

static void OneBootAtATime(void **Unused)
{
    assert_ok(UserNtBoot(&Small));
    assert_status(UserNtBoot(&Small), STATUS_ALREADY_COMMITTED);
    assert_ok(UserNtShutdown());
    assert_status(UserNtShutdown(), STATUS_INVALID_DEVICE_STATE);
}

static void OptionsAreChecked(void **Unused)
{
    USERNT_OPTIONS Options = {.Size = sizeof(Options) + 1};
    assert_status(UserNtBoot(&Options), STATUS_INVALID_PARAMETER);
    Options.Size = 0;
    assert_status(UserNtBoot(&Options), STATUS_INVALID_PARAMETER);
}

static void EachRoomMayFail(void **Unused)
{
    for (InitFailingRoom = 0; InitFailingRoom < INIT_ROOMS; InitFailingRoom++)
        assert_status(UserNtBoot(&Small), STATUS_INSUFFICIENT_RESOURCES);
    InitFailingRoom = MAXULONG;
    assert_ok(UserNtBoot(&Small));
    assert_ok(UserNtShutdown());
}

static void WithoutABootNothingWorks(void **Unused)
{
    assert_status(UserNtCall(NtServiceNtTestAlert, NULL), STATUS_INVALID_THREAD);
    assert_status(UserNtAttachThread(), STATUS_DEVICE_NOT_READY);
    assert_status(UserNtLoadDriver("x", L"x"), STATUS_INVALID_THREAD);
    assert_status(UserNtUnloadDriver(L"x"), STATUS_INVALID_THREAD);
    UserNtDetachThread();
}

static void TheCallerIsAClient(void **Unused)
{
    assert_ok(UserNtBoot(&Small));
    assert_int_equal(ExGetPreviousMode(), UserMode);
    assert_ptr_not_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_int_equal((ULONG_PTR)PsGetCurrentProcessId(), host_process_id());
    assert_ok(UserNtShutdown());
}

static void InTheKernelProcessTheCallerIsTheSystem(void **Unused)
{
    USERNT_OPTIONS Options = Small;
    Options.NoEmbeddedProcess = TRUE;
    assert_ok(UserNtBoot(&Options));
    assert_int_equal(ExGetPreviousMode(), KernelMode);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_ok(UserNtShutdown());
}

static void UseSample(void)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\??\\Sample");
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    assert_ok(SYS(NtOpenFile, &File, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb, 0,
                  FILE_SYNCHRONOUS_IO_NONALERT));
    assert_ok(SYS(NtClose, File));
    assert_ok(UserNtUnloadDriver(L"sample"));
}

static void ATraceIsAFileOfLines(void **Unused)
{
    USERNT_OPTIONS Options = Small;
    char Path[] = "/tmp/init-trace-XXXXXX", Line[256];
    close(mkstemp(Path));
    Options.TraceFile = Path;
    assert_ok(UserNtBoot(&Options));
    UseSample();
    assert_ok(UserNtShutdown());
    FILE *File = fopen(Path, "r");
    assert_non_null(fgets(Line, sizeof(Line), File));
    assert_non_null(strstr(Line, "sample: IRP_MJ_CREATE -> STATUS_SUCCESS 0 (process "));
    fclose(File);
    unlink(Path);
}

static void ATraceThatCannotBeMadeEndsTheBoot(void **Unused)
{
    USERNT_OPTIONS Options = Small;
    Options.TraceFile = "/nonesuch/trace";
    assert_status(UserNtBoot(&Options), STATUS_CANNOT_MAKE);
    assert_ok(UserNtBoot(&Small));
    assert_ok(UserNtShutdown());
}

static void ShutdownTellsOfATraceThatEndedEarly(void **Unused)
{
    USERNT_OPTIONS Options = Small;
    Options.TraceFile = "/dev/full";
    assert_ok(UserNtBoot(&Options));
    UseSample();
    assert_status(UserNtShutdown(), STATUS_UNEXPECTED_IO_ERROR);
    assert_ok(UserNtBoot(&Small));
    assert_ok(UserNtShutdown());
}

static struct {
    uint32_t Attached, Leave;
    NTSTATUS Status, EventStatus;
    HANDLE Event;
} Second;

static void SecondThread(void *Unused)
{
    Second.Status = UserNtAttachThread();
    if (NT_SUCCESS(Second.Status))
        Second.EventStatus = SYS(NtSetEvent, Second.Event, NULL);
    __atomic_store_n(&Second.Attached, 1, __ATOMIC_SEQ_CST);
    host_futex_wake(&Second.Attached, 1, false);
    while (__atomic_load_n(&Second.Leave, __ATOMIC_SEQ_CST) == 0)
        host_futex_wait(&Second.Leave, 0, HOST_FOREVER, false);
    UserNtDetachThread();
}

static void AnotherThreadKeepsTheSystemUp(void **Unused)
{
    host_thread *Thread;
    memset(&Second, 0, sizeof(Second));
    assert_ok(UserNtBoot(&Small));
    Second.Event = NtTestEvent(NotificationEvent, FALSE);
    assert_int_equal(host_thread_start(&Thread, "second", SecondThread, NULL), 0);
    while (__atomic_load_n(&Second.Attached, __ATOMIC_SEQ_CST) == 0)
        host_futex_wait(&Second.Attached, 0, HOST_FOREVER, false);
    assert_ok(Second.Status);
    assert_ok(Second.EventStatus);
    assert_ok(SYS(NtWaitForSingleObject, Second.Event, FALSE, NULL));
    assert_status(UserNtShutdown(), STATUS_DEVICE_BUSY);
    __atomic_store_n(&Second.Leave, 1, __ATOMIC_SEQ_CST);
    host_futex_wake(&Second.Leave, 1, false);
    host_thread_join(Thread);
    assert_ok(UserNtShutdown());
}

static void HandlesLeftOpenAreClosed(void **Unused)
{
    UNICODE_STRING Name;
    assert_ok(UserNtBoot(&Small));
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects\\Left");
    HANDLE Event;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    NtTestPage(PAGE_READWRITE);
    assert_ok(UserNtShutdown());
}

/* Counts allocations down to the one that fails. */
static atomic_long UntilFailure;

static BOOLEAN FailOnce(ULONG Tag, SIZE_T Bytes)
{
    return atomic_fetch_sub(&UntilFailure, 1) == 1;
}

static void AnyAllocationOfALoadMayFail(void **Unused)
{
    NTSTATUS Status = STATUS_UNSUCCESSFUL;
    assert_ok(UserNtBoot(&Small));
    assert_ok(
        UserNtLoadDriver(LdrTestImage("sample.so"), L"sample")); /* keys are there afterwards */
    assert_ok(UserNtUnloadDriver(L"sample"));
    for (long Nth = 1; Status != STATUS_SUCCESS; Nth++) {
        assert_true(Nth < 1000);
        atomic_store(&UntilFailure, Nth);
        MmSetPoolFault(FailOnce);
        Status = UserNtLoadDriver(LdrTestImage("sample.so"), L"sample");
        MmSetPoolFault(NULL);
        if (Status == STATUS_SUCCESS &&
            atomic_load(&UntilFailure) <= 0) { /* it failed somewhere that does not mind */
            assert_ok(UserNtUnloadDriver(L"sample"));
            Status = STATUS_UNSUCCESSFUL;
        }
    }
    assert_ok(UserNtUnloadDriver(L"sample"));
    assert_ok(UserNtShutdown());
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(OneBootAtATime),
        cmocka_unit_test(OptionsAreChecked),
        cmocka_unit_test(EachRoomMayFail),
        cmocka_unit_test(WithoutABootNothingWorks),
        cmocka_unit_test(TheCallerIsAClient),
        cmocka_unit_test(InTheKernelProcessTheCallerIsTheSystem),
        cmocka_unit_test(ATraceIsAFileOfLines),
        cmocka_unit_test(ATraceThatCannotBeMadeEndsTheBoot),
        cmocka_unit_test(ShutdownTellsOfATraceThatEndedEarly),
        cmocka_unit_test(AnotherThreadKeepsTheSystemUp),
        cmocka_unit_test(HandlesLeftOpenAreClosed),
        cmocka_unit_test(AnyAllocationOfALoadMayFail),
    };
    return cmocka_run_group_tests_name("init-boot", Tests, NULL, NULL);
}
