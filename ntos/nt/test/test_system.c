#include "nt/test/nt_test.h"

/* Asks with growing buffers, as a client must. */
static PVOID Ask(ULONG Class, PULONG Bytes)
{
    ULONG Room = 0;
    PVOID Buffer = NULL;
    NTSTATUS Status;
    while ((Status = SYS(NtQuerySystemInformation, Class, Buffer, Room, Bytes)) ==
           STATUS_INFO_LENGTH_MISMATCH) {
        assert_true(*Bytes > Room);
        Room = *Bytes;
        Buffer = realloc(Buffer, Room);
    }
    assert_ok(Status);
    return Buffer;
}

static void SetDebugPrivilege(BOOLEAN Enable)
{
    TOKEN_PRIVILEGES New = {1, {{{SE_DEBUG_PRIVILEGE, 0}, Enable ? SE_PRIVILEGE_ENABLED : 0}}};
    HANDLE Token;
    assert_ok(SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &Token));
    assert_ok(SYS(NtAdjustPrivilegesToken, Token, FALSE, &New, 0, NULL, NULL));
    assert_ok(SYS(NtClose, Token));
}

static void BasesAreToldToThoseWhoMayDebug(void **Unused)
{
    ULONG Bytes;
    for (int Enable = 0; Enable < 2; Enable++) {
        SetDebugPrivilege(Enable);
        PRTL_PROCESS_MODULES Modules = Ask(SystemModuleInformation, &Bytes);
        assert_int_equal(Modules->Modules[0].ImageBase != NULL, Enable);
        assert_int_equal(BYTE_OFFSET(Modules->Modules[0].ImageBase), 0);
        assert_true(Modules->Modules[0].ImageSize > PAGE_SIZE);
        free(Modules);
        PRTL_PROCESS_MODULE_INFORMATION_EX Ex = Ask(SystemModuleInformationEx, &Bytes);
        assert_int_equal(Ex->BaseInfo.ImageBase != NULL, Enable);
        assert_int_equal(Ex->DefaultBase != NULL, Enable);
        free(Ex);
    }
}

static void TheFirstModuleIsTheKernel(void **Unused)
{
    ULONG Bytes, Count = 0;
    SetDebugPrivilege(TRUE);
    PRTL_PROCESS_MODULES Modules = Ask(SystemModuleInformation, &Bytes);
    assert_int_equal(Modules->NumberOfModules, 1);
    assert_string_equal((char *)Modules->Modules[0].FullPathName +
                            Modules->Modules[0].OffsetToFileName,
                        "ntoskrnl.exe");
    assert_memory_equal(Modules->Modules[0].ImageBase, "MZ", 2);
    assert_true(Modules->Modules[0].ImageSize > PAGE_SIZE);
    assert_int_equal(Bytes, FIELD_OFFSET(RTL_PROCESS_MODULES, Modules) +
                                sizeof(RTL_PROCESS_MODULE_INFORMATION));
    assert_status(
        SYS(NtQuerySystemInformation, SystemModuleInformation, &Count, sizeof(Count), &Bytes),
        STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(Count, 1);
    free(Modules);
    PRTL_PROCESS_MODULE_INFORMATION_EX Ex = Ask(SystemModuleInformationEx, &Bytes);
    assert_int_equal(Ex->NextOffset, sizeof(*Ex));
    assert_int_equal(*(PUSHORT)(Ex + 1), 0);
    free(Ex);
}

static void TheProcessesAreListed(void **Unused)
{
    ULONG Bytes, Own = 0, System = 0;
    PSYSTEM_PROCESS_INFORMATION First = Ask(SystemProcessInformation, &Bytes), Each = First;
    for (;;) {
        Own += Each->UniqueProcessId == PsGetCurrentProcessId() && Each->NumberOfThreads == 1;
        System += Each->UniqueProcessId == (HANDLE)4 && Each->NumberOfThreads > 0;
        assert_true(Each->ImageName.Length > 0);
        if (Each->NextEntryOffset == 0)
            break;
        Each = (PVOID)((UCHAR *)Each + Each->NextEntryOffset);
    }
    assert_int_equal(Own, 1);
    assert_int_equal(System, 1);
    free(First);
}

static void AHandleIsListedWithItsObject(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE);
    ULONG Bytes, Found = 0, FoundEx = 0;
    PSYSTEM_HANDLE_INFORMATION Handles = Ask(SystemHandleInformation, &Bytes);
    for (ULONG i = 0; i < Handles->NumberOfHandles; i++)
        Found += Handles->Handles[i].HandleValue == (USHORT)(ULONG_PTR)Event &&
                 Handles->Handles[i].UniqueProcessId == (USHORT)(ULONG_PTR)PsGetCurrentProcessId();
    assert_int_equal(Found, 1);
    free(Handles);
    PSYSTEM_HANDLE_INFORMATION_EX Ex = Ask(SystemExtendedHandleInformation, &Bytes);
    for (ULONG i = 0; i < Ex->NumberOfHandles; i++)
        FoundEx += Ex->Handles[i].HandleValue == (ULONG_PTR)Event &&
                   Ex->Handles[i].GrantedAccess == EVENT_ALL_ACCESS;
    assert_int_equal(FoundEx, 1);
    free(Ex);
    assert_ok(SYS(NtClose, Event));
}

static void ThePoolTagsAreCounted(void **Unused)
{
    ULONG Bytes, Found = 0;
    PVOID Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 1000, 'gaTX');
    PSYSTEM_POOLTAG_INFORMATION Tags = Ask(SystemPoolTagInformation, &Bytes);
    for (ULONG i = 0; i < Tags->Count; i++)
        Found += Tags->TagInfo[i].TagUlong == 'gaTX' && Tags->TagInfo[i].NonPagedAllocs == 1 &&
                 Tags->TagInfo[i].NonPagedUsed >= 1000;
    assert_int_equal(Found, 1);
    free(Tags);
    ExFreePoolWithTag(Block, 'gaTX');
}

static void TheMachineIsDescribed(void **Unused)
{
    SYSTEM_BASIC_INFORMATION Basic;
    SYSTEM_PERFORMANCE_INFORMATION Performance;
    SYSTEM_TIMEOFDAY_INFORMATION Time;
    USERNT_STATUS Status;
    ULONG Bytes;
    assert_ok(SYS(NtQuerySystemInformation, SystemBasicInformation, &Basic, sizeof(Basic), &Bytes));
    assert_int_equal(Basic.PageSize, 4096);
    assert_int_equal(Basic.NumberOfProcessors, 2);
    assert_ok(SYS(NtQuerySystemInformation, SystemPerformanceInformation, &Performance,
                  sizeof(Performance), &Bytes));
    assert_in_range(Performance.AvailablePages, 1, Basic.NumberOfPhysicalPages);
    assert_int_not_equal(Performance.SystemCalls, 0);
    assert_ok(
        SYS(NtQuerySystemInformation, SystemTimeOfDayInformation, &Time, sizeof(Time), &Bytes));
    assert_true(Time.BootTime.QuadPart <= Time.CurrentTime.QuadPart);
    assert_ok(SYS(NtQuerySystemInformation, SystemUserNtStatus, &Status, sizeof(Status), &Bytes));
    assert_int_equal(Status.Processes, 2);
    assert_int_equal(Status.Services, NtServiceCount);
    free(Ask(SystemProcessorInformation, &Bytes));
    free(Ask(SystemProcessorPerformanceInformation, &Bytes));
    free(Ask(SystemKernelDebuggerInformation, &Bytes));
    free(Ask(SystemUserNtModules, &Bytes));
}

static void AnUnknownClassIsRefused(void **Unused)
{
    ULONG Value = 0, Bytes;
    assert_status(SYS(NtQuerySystemInformation, 4, &Value, sizeof(Value), &Bytes),
                  STATUS_INVALID_INFO_CLASS);
    assert_status(SYS(NtQuerySystemInformation, MAXULONG, &Value, sizeof(Value), &Bytes),
                  STATUS_INVALID_INFO_CLASS);
    assert_status(SYS(NtSetSystemInformation, 0, &Value, sizeof(Value)), STATUS_INVALID_INFO_CLASS);
}

static void TheExportsNameWhatIsThere(void **Unused)
{
    ULONG Bytes;
    char *Names = Ask(SystemUserNtExports, &Bytes);
    Names = realloc(Names, Bytes + 1);
    Names[Bytes] = '\0';
    assert_non_null(strstr(Names, "KeSetEvent\n"));
    assert_non_null(strstr(Names, "ZwClose\n"));
    free(Names);
}

static void TheLogIsReadFromASequenceOn(void **Unused)
{
    USERNT_LOG_LINE Lines[4];
    ULONG Bytes;
    ULONG64 Last;
    DbgPrint("first\n");
    DbgPrint("second\n");
    Lines[0].Sequence = 0;
    do {
        assert_ok(SYS(NtQuerySystemInformation, SystemUserNtLog, Lines, sizeof(Lines), &Bytes));
        assert_true(Bytes >= sizeof(Lines[0]));
        Last = Lines[Bytes / sizeof(Lines[0]) - 1].Sequence;
    } while (memcmp(Lines[Bytes / sizeof(Lines[0]) - 1].Text, "second", 6) != 0 &&
             (Lines[0].Sequence = Last + 1));
    assert_ok(SYS(NtQuerySystemInformation, SystemUserNtWaitLog, &Last, sizeof(Last), &Bytes));
    Last++;
    Lines[0].Sequence = Last;
    assert_ok(SYS(NtQuerySystemInformation, SystemUserNtLog, Lines, sizeof(Lines), &Bytes));
    assert_int_equal(Bytes, 0);
    assert_ok(SYS(NtAlertThread, ZwCurrentThread()));
    assert_status(SYS(NtQuerySystemInformation, SystemUserNtWaitLog, &Last, sizeof(Last), &Bytes),
                  STATUS_ALERTED);
}

static void TimeGoesOn(void **Unused)
{
    LARGE_INTEGER One, Two, Counter, Rate;
    ULONG Maximum, Minimum, Current, Range, Sequence;
    UCHAR Seed[6];
    LUID First, Second;
    assert_ok(SYS(NtQuerySystemTime, &One));
    assert_ok(SYS(NtQueryPerformanceCounter, &Counter, &Rate));
    assert_true(Rate.QuadPart > 0);
    assert_ok(SYS(NtQuerySystemTime, &Two));
    assert_true(Two.QuadPart >= One.QuadPart);
    assert_ok(SYS(NtQueryTimerResolution, &Maximum, &Minimum, &Current));
    assert_ok(SYS(NtAllocateUuids, &One, &Range, &Sequence, Seed));
    assert_ok(SYS(NtAllocateUuids, &Two, &Range, &Sequence, Seed));
    assert_true(Two.QuadPart >= One.QuadPart + Range);
    assert_ok(SYS(NtAllocateLocallyUniqueId, &First));
    assert_ok(SYS(NtAllocateLocallyUniqueId, &Second));
    assert_int_not_equal(First.LowPart, Second.LowPart);
    assert_in_range(SYS0(NtGetCurrentProcessorNumber), 0, 1);
    assert_ok(SYS0(NtYieldExecution));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(TheFirstModuleIsTheKernel),   NT_TEST(BasesAreToldToThoseWhoMayDebug),
        NT_TEST(TheProcessesAreListed),       NT_TEST(AHandleIsListedWithItsObject),
        NT_TEST(ThePoolTagsAreCounted),       NT_TEST(TheMachineIsDescribed),
        NT_TEST(AnUnknownClassIsRefused),     NT_TEST(TheExportsNameWhatIsThere),
        NT_TEST(TheLogIsReadFromASequenceOn), NT_TEST(TimeGoesOn),
    };
    return cmocka_run_group_tests_name("nt-system", Tests, NULL, NULL);
}
