/* Processes and threads: system threads, clients, lookups, attach, notify routines, the end. */
#include "ps/psp.h"
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static KPROCESS_NT BootProcess;
static KTHREAD_NT BootThread;

static void Must(NTSTATUS Status)
{
    assert_int_equal(Status, STATUS_SUCCESS);
}

static int Boot(void **Unused)
{
    Must(VfInitSystem());
    Must(KeInitSystem(4));
    KeInitializeProcess(&BootProcess);
    KeAdoptHostThread(&BootThread, &BootProcess);
    Must(MmInitSystem(256 << 20));
    Must(ExInitSystem());
    Must(ObInitSystem());
    Must(SeInitSystem(MAXULONG));
    Must(PsInitSystem());
    return 0;
}

static int Stop(void **Unused)
{
    PsShutdownSystem();
    SeShutdownSystem();
    ObShutdownSystem();
    ExShutdownSystem();
    MmShutdownSystem();
    KeReleaseHostThread();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

static volatile LONG Count, Gate;

static void Until(volatile LONG *Word, LONG Value)
{
    LARGE_INTEGER Moment = {.QuadPart = -1000};

    while (__atomic_load_n(Word, __ATOMIC_ACQUIRE) != Value)
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
}

static PETHREAD OfHandle(HANDLE Handle)
{
    PETHREAD Thread;

    Must(ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, (PVOID *)&Thread,
                                   NULL));
    Must(ObCloseHandle_(Handle, KernelMode));
    return Thread;
}

static void Join(PETHREAD Thread)
{
    Must(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL));
    ObDereferenceObject(Thread);
}

static VOID NTAPI EndWithStatus(PVOID Context)
{
    assert_ptr_equal(Context, &Count);
    assert_true(PsIsSystemThread((PETHREAD)KeGetCurrentThread()));
    assert_ptr_equal(IoGetCurrentProcess(), PsInitialSystemProcess);
    assert_int_equal(HandleToULong(PsGetCurrentProcessId()), 4);
    PsTerminateSystemThread(STATUS_NO_MEDIA);
    InterlockedIncrement(&Count);
}

static void ASystemThreadEndsWithItsStatus(void **State)
{
    CLIENT_ID Id;
    HANDLE Handle;
    PETHREAD Thread;

    Must(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, &Id, EndWithStatus,
                              (PVOID)&Count));
    Thread = OfHandle(Handle);
    Must(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL));
    assert_int_equal(PsGetThreadExitStatus(Thread), STATUS_NO_MEDIA);
    assert_ptr_equal(PsGetThreadId(Thread), Id.UniqueThread);
    assert_int_equal(Count, 0);
    ObDereferenceObject(Thread);
}

static VOID NTAPI WaitForGate(PVOID Context)
{
    Until(&Gate, 1);
}

static void AThreadIsFoundByItsIdWhileItRuns(void **State)
{
    PETHREAD Thread, Found;
    CLIENT_ID Id;
    HANDLE Handle;

    Gate = 0;
    Must(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, &Id, WaitForGate, NULL));
    Thread = OfHandle(Handle);
    Must(PsLookupThreadByThreadId(Id.UniqueThread, &Found));
    assert_ptr_equal(Found, Thread);
    ObDereferenceObject(Found);
    __atomic_store_n(&Gate, 1, __ATOMIC_RELEASE);
    Join(Thread);
    assert_int_equal(PsLookupThreadByThreadId(Id.UniqueThread, &Found), STATUS_INVALID_CID);
}

static PEPROCESS NewClient(ULONG Id)
{
    PS_CLIENT Client = {
        .HostProcessId = Id, .HostUserId = 1000, .ImagePath = "/usr/bin/usedriver2"};
    PEPROCESS Process;

    Must(PsCreateClientProcess(&Client, &Process));
    return Process;
}

static void EndClient(PEPROCESS Process, NTSTATUS Status)
{
    PsTerminateProcess_(Process, Status);
    PsWaitProcessEnd(Process);
    ObDereferenceObject(Process);
}

static void AProcessIsFoundByItsId(void **State)
{
    PEPROCESS Process = NewClient(0x1234), Found;

    assert_string_equal(PsGetProcessImageFileName(Process), "usedriver2");
    assert_int_equal(HandleToULong(PsGetProcessId(Process)), 0x1234);
    assert_int_equal(PsGetProcessExitStatus(Process), STATUS_PENDING);
    Must(PsLookupProcessByProcessId(ULongToHandle(0x1234), &Found));
    assert_ptr_equal(Found, Process);
    ObDereferenceObject(Found);
    PsTerminateProcess_(Process, STATUS_CANCELLED);
    assert_int_equal(PsGetProcessExitStatus(Process), STATUS_CANCELLED);
    assert_int_equal(PsLookupProcessByProcessId(ULongToHandle(0x1234), &Found), STATUS_INVALID_CID);
    PsWaitProcessEnd(Process);
    ObDereferenceObject(Process);
}

static void TheSystemProcessIsNumberFour(void **State)
{
    PEPROCESS Process = NewClient(4), Found; /* a Linux process may have that number */

    assert_int_not_equal(HandleToULong(PsGetProcessId(Process)), 4);
    Must(PsLookupProcessByProcessId(ULongToHandle(4), &Found));
    assert_ptr_equal(Found, PsInitialSystemProcess);
    assert_true(PsIsSystemProcess(Found));
    ObDereferenceObject(Found);
    EndClient(Process, STATUS_SUCCESS);
}

static void ClientBody(PETHREAD Thread, PVOID Context)
{
    LARGE_INTEGER Long = {.QuadPart = -10000000000ll};

    InterlockedIncrement(&Count);
    while (KeDelayExecutionThread(UserMode, FALSE, &Long) != STATUS_THREAD_IS_TERMINATING)
        continue;
}

static void TerminationEndsEveryThreadsWait(void **State)
{
    PEPROCESS Process = NewClient(0x2000);
    PETHREAD Threads[3], Late;

    Count = 0;
    for (ULONG I = 0; I < 3; I++)
        Must(PsCreateClientThread(Process, 0x2001 + I, ClientBody, NULL, &Threads[I]));
    Until(&Count, 3);
    PsTerminateProcess_(Process, STATUS_CANCELLED);
    PsWaitProcessEnd(Process);
    assert_int_equal(PsGetProcessExitStatus(Process), STATUS_CANCELLED);
    assert_int_equal(PsCreateClientThread(Process, 1, ClientBody, NULL, &Late),
                     STATUS_PROCESS_IS_TERMINATING);
    for (ULONG I = 0; I < 3; I++)
        ObDereferenceObject(Threads[I]);
    ObDereferenceObject(Process);
}

static void TerminationMayComeAtAnyMoment(void **State)
{
    PETHREAD Thread;

    for (ULONG I = 0; I < 200; I++) {
        PEPROCESS Process = NewClient(0x2100);

        Must(PsCreateClientThread(Process, 0x2101, ClientBody, NULL, &Thread));
        ObDereferenceObject(Thread);
        EndClient(Process, STATUS_CANCELLED);
    }
}

static void AttachChangesTheCurrentProcess(void **State)
{
    PEPROCESS Process = NewClient(0x3000), Inner = NewClient(0x3001);
    KAPC_STATE Outer, Nested;

    KeStackAttachProcess((PKPROCESS)Process, &Outer);
    assert_ptr_equal(IoGetCurrentProcess(), Process);
    assert_int_equal(HandleToULong(PsGetCurrentProcessId()), 4);
    KeStackAttachProcess((PKPROCESS)Inner, &Nested);
    assert_ptr_equal(IoGetCurrentProcess(), Inner);
    KeUnstackDetachProcess(&Nested);
    assert_ptr_equal(IoGetCurrentProcess(), Process);
    KeUnstackDetachProcess(&Outer);
    assert_ptr_equal(IoGetCurrentProcess(), PsInitialSystemProcess);
    KeAttachProcess((PKPROCESS)Process);
    assert_ptr_equal(IoGetCurrentProcess(), Process);
    KeDetachProcess();
    EndClient(Process, STATUS_SUCCESS);
    EndClient(Inner, STATUS_SUCCESS);
}

static struct {
    volatile LONG Creates, Exits, ThreadCreates, ThreadExits;
    HANDLE Last;
    NTSTATUS Verdict;
} Told;

static VOID NTAPI OnProcess(HANDLE Parent, HANDLE Id, BOOLEAN Create)
{
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeAreApcsDisabled());
    Told.Last = Id;
    InterlockedIncrement(Create ? &Told.Creates : &Told.Exits);
}

static VOID NTAPI OnProcessEx(PEPROCESS Process, HANDLE Id, PPS_CREATE_NOTIFY_INFO Info)
{
    if (Info)
        Info->CreationStatus = Told.Verdict;
}

static VOID NTAPI OnThread(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    InterlockedIncrement(Create ? &Told.ThreadCreates : &Told.ThreadExits);
}

static void ProcessRoutinesAreToldOfBeginningAndEnd(void **State)
{
    memset(&Told, 0, sizeof(Told));
    Must(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE));
    assert_int_equal(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE), STATUS_INVALID_PARAMETER);
    EndClient(NewClient(0x4000), STATUS_SUCCESS);
    assert_int_equal(Told.Creates, 1);
    assert_int_equal(Told.Exits, 1);
    assert_int_equal(HandleToULong(Told.Last), 0x4000);
    Must(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE));
    assert_int_equal(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE), STATUS_PROCEDURE_NOT_FOUND);
    EndClient(NewClient(0x4000), STATUS_SUCCESS);
    assert_int_equal(Told.Creates, 1);
}

static void ADriverMayRefuseAProcess(void **State)
{
    PS_CLIENT Client = {
        .HostProcessId = 0x5000, .HostUserId = 1000, .ImagePath = "/usr/bin/refused"};
    PEPROCESS Process;

    Must(PsSetCreateProcessNotifyRoutineEx(OnProcessEx, FALSE));
    Told.Verdict = STATUS_ACCESS_DENIED;
    assert_int_equal(PsCreateClientProcess(&Client, &Process), STATUS_ACCESS_DENIED);
    Told.Verdict = STATUS_SUCCESS;
    EndClient(NewClient(0x5000), STATUS_SUCCESS);
    Must(PsSetCreateProcessNotifyRoutineEx(OnProcessEx, TRUE));
}

static void ThreadRoutinesAreToldOfBeginningAndEnd(void **State)
{
    HANDLE Handle;

    memset(&Told, 0, sizeof(Told));
    Must(PsSetCreateThreadNotifyRoutine(OnThread));
    Gate = 1;
    Must(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, WaitForGate, NULL));
    Join(OfHandle(Handle));
    assert_int_equal(Told.ThreadCreates, 1);
    assert_int_equal(Told.ThreadExits, 1);
    Must(PsRemoveCreateThreadNotifyRoutine(OnThread));
    assert_int_equal(PsRemoveCreateThreadNotifyRoutine(OnThread), STATUS_PROCEDURE_NOT_FOUND);
}

static VOID NTAPI OnImage(PUNICODE_STRING Name, HANDLE Id, PIMAGE_INFO Info)
{
    InterlockedIncrement(&Count);
}

static void ThereIsRoomForSixtyFourImageRoutines(void **State)
{
    IMAGE_INFO Info = {0};

    Count = 0;
    for (ULONG I = 0; I < 64; I++)
        Must(PsSetLoadImageNotifyRoutine(OnImage));
    assert_int_equal(PsSetLoadImageNotifyRoutine(OnImage), STATUS_INSUFFICIENT_RESOURCES);
    PsCallImageNotify_(NULL, NULL, &Info);
    assert_int_equal(Count, 64);
    assert_non_null(PsFindNotifyInRange_((PVOID)OnImage, 1));
    for (ULONG I = 0; I < 64; I++)
        Must(PsRemoveLoadImageNotifyRoutine(OnImage));
    assert_int_equal(PsRemoveLoadImageNotifyRoutine(OnImage), STATUS_PROCEDURE_NOT_FOUND);
    assert_null(PsFindNotifyInRange_((PVOID)OnImage, 1));
}

static void TheVersionIsWindowsTens(void **State)
{
    ULONG Major, Minor, Build;

    assert_false(PsGetVersion(&Major, &Minor, &Build, NULL));
    assert_int_equal(Major, 10);
    assert_int_equal(Minor, 0);
    assert_int_equal(Build, 19045);
}

static void TokensAreReferenced(void **State)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsInitialSystemProcess);
    SECURITY_IMPERSONATION_LEVEL Level;
    BOOLEAN Copy, Effective;

    assert_ptr_equal(Token, SeSystemToken());
    PsDereferencePrimaryToken(Token);
    assert_null(
        PsReferenceImpersonationToken((PETHREAD)KeGetCurrentThread(), &Copy, &Effective, &Level));
}

static const SECURITY_QUALITY_OF_SERVICE Dynamic = {sizeof(Dynamic), SecurityImpersonation,
                                                    SECURITY_DYNAMIC_TRACKING, FALSE},
                                         Static = {sizeof(Static), SecurityIdentification,
                                                   SECURITY_STATIC_TRACKING, FALSE};
#define QOS(of) ((PSECURITY_QUALITY_OF_SERVICE) & (of))

static PACCESS_TOKEN Impersonated(PSECURITY_IMPERSONATION_LEVEL Level)
{
    BOOLEAN Copy, Effective;
    PACCESS_TOKEN Token =
        PsReferenceImpersonationToken((PETHREAD)KeGetCurrentThread(), &Copy, &Effective, Level);

    if (Token)
        ObDereferenceObject(Token);
    return Token;
}

static void AClientIsCapturedByReferenceOrAsACopy(void **State)
{
    SECURITY_CLIENT_CONTEXT Context;
    TOKEN_USER *User;

    Must(SeCreateClientSecurity((PETHREAD)KeGetCurrentThread(), QOS(Dynamic), FALSE, &Context));
    assert_ptr_equal(Context.ClientToken, SeSystemToken());
    assert_true(Context.DirectlyAccessClientToken);
    SeDeleteClientSecurity(&Context);
    Must(SeCreateClientSecurity((PETHREAD)KeGetCurrentThread(), QOS(Static), FALSE, &Context));
    assert_ptr_not_equal(Context.ClientToken, SeSystemToken());
    assert_int_equal(SeTokenType(Context.ClientToken), TokenImpersonation);
    Must(SeQueryInformationToken(Context.ClientToken, TokenUser, (PVOID *)&User));
    assert_true(RtlEqualSid(User->User.Sid, SeSystemToken()->User));
    assert_true(SeTokenIsAdmin(Context.ClientToken));
    ExFreePool(User);
    SeDeleteClientSecurity(&Context);
}

static void AServerActsForItsClientUntilItStops(void **State)
{
    SECURITY_IMPERSONATION_LEVEL Level;
    SECURITY_CLIENT_CONTEXT Context, Second;
    SECURITY_SUBJECT_CONTEXT Subject;

    Must(SeCreateClientSecurity((PETHREAD)KeGetCurrentThread(), QOS(Static), FALSE, &Context));
    Must(SeImpersonateClientEx(&Context, NULL));
    assert_ptr_equal(Impersonated(&Level), Context.ClientToken);
    assert_int_equal(Level, SecurityIdentification);
    assert_int_equal(
        SeCreateClientSecurity((PETHREAD)KeGetCurrentThread(), QOS(Dynamic), FALSE, &Second),
        STATUS_BAD_IMPERSONATION_LEVEL);
    SeCaptureSubjectContext(&Subject);
    assert_int_equal(
        SeCreateClientSecurityFromSubjectContext(&Subject, QOS(Dynamic), FALSE, &Second),
        STATUS_BAD_IMPERSONATION_LEVEL);
    SeReleaseSubjectContext(&Subject);
    PsRevertToSelf();
    assert_null(Impersonated(&Level));
    SeImpersonateClient(&Context, (PETHREAD)KeGetCurrentThread());
    assert_non_null(Impersonated(&Level));
    PsRevertToSelf();
    SeDeleteClientSecurity(&Context);
    SeCaptureSubjectContext(&Subject);
    Must(SeCreateClientSecurityFromSubjectContext(&Subject, QOS(Dynamic), TRUE, &Second));
    assert_false(Second.DirectlyAccessClientToken); /* its server is elsewhere */
    SeDeleteClientSecurity(&Second);
    SeReleaseSubjectContext(&Subject);
}

static HANDLE HandleOf(PVOID Token)
{
    HANDLE Handle;

    Must(ObOpenObjectByPointer(Token, OBJ_KERNEL_HANDLE, NULL, TOKEN_ALL_ACCESS, NULL, KernelMode,
                               &Handle));
    return Handle;
}

static void AnImpersonationTokenIsAssignedByHandle(void **State)
{
    SECURITY_IMPERSONATION_LEVEL Level;
    SECURITY_CLIENT_CONTEXT Context;
    HANDLE Primary = HandleOf(SeSystemToken()), Good;

    Must(SeCreateClientSecurity((PETHREAD)KeGetCurrentThread(), QOS(Static), FALSE, &Context));
    Good = HandleOf(Context.ClientToken);
    assert_int_equal(PsAssignImpersonationToken((PETHREAD)KeGetCurrentThread(), Primary),
                     STATUS_BAD_TOKEN_TYPE);
    Must(PsAssignImpersonationToken((PETHREAD)KeGetCurrentThread(), Good));
    assert_ptr_equal(Impersonated(&Level), Context.ClientToken);
    Must(PsAssignImpersonationToken((PETHREAD)KeGetCurrentThread(), NULL));
    assert_null(Impersonated(&Level));
    Must(ObCloseHandle_(Good, KernelMode));
    Must(ObCloseHandle_(Primary, KernelMode));
    SeDeleteClientSecurity(&Context);
}

static void AProcessTellsItsImage(void **State)
{
    UNICODE_STRING Expected = RTL_CONSTANT_STRING(L"System"), *Name;
    VF_BUGCHECK Record;
    KIRQL Old;

    Must(SeLocateProcessImageName(PsInitialSystemProcess, &Name));
    assert_true(RtlEqualUnicodeString(Name, &Expected, FALSE));
    ExFreePool(Name);
    Old = KfRaiseIrql(APC_LEVEL);
    VF_EXPECT_BUGCHECK (&Record)
        SeLocateProcessImageName(PsInitialSystemProcess, &Name);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
}

static void ABootAndAStopLeaveNothing(void **State)
{
    Stop(NULL);
    for (ULONG I = 0; I < 20; I++) {
        Boot(NULL);
        EndClient(NewClient(0x7000), STATUS_SUCCESS);
        Stop(NULL);
    }
    Boot(NULL);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(ASystemThreadEndsWithItsStatus),
        cmocka_unit_test(AThreadIsFoundByItsIdWhileItRuns),
        cmocka_unit_test(AProcessIsFoundByItsId),
        cmocka_unit_test(TheSystemProcessIsNumberFour),
        cmocka_unit_test(TerminationEndsEveryThreadsWait),
        cmocka_unit_test(TerminationMayComeAtAnyMoment),
        cmocka_unit_test(AttachChangesTheCurrentProcess),
        cmocka_unit_test(ProcessRoutinesAreToldOfBeginningAndEnd),
        cmocka_unit_test(ADriverMayRefuseAProcess),
        cmocka_unit_test(ThreadRoutinesAreToldOfBeginningAndEnd),
        cmocka_unit_test(ThereIsRoomForSixtyFourImageRoutines),
        cmocka_unit_test(TheVersionIsWindowsTens),
        cmocka_unit_test(TokensAreReferenced),
        cmocka_unit_test(AClientIsCapturedByReferenceOrAsACopy),
        cmocka_unit_test(AServerActsForItsClientUntilItStops),
        cmocka_unit_test(AnImpersonationTokenIsAssignedByHandle),
        cmocka_unit_test(AProcessTellsItsImage),
        cmocka_unit_test(ABootAndAStopLeaveNothing),
    };
    return cmocka_run_group_tests(Tests, Boot, Stop);
}
