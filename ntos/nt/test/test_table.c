#include "nt/test/nt_test.h"

static void ANumberBeyondTheTableIsRefused(void **Unused)
{
    assert_status(UserNtCall(NtServiceCount, NULL), STATUS_INVALID_SYSTEM_SERVICE);
    assert_status(UserNtCall(MAXULONG, NULL), STATUS_INVALID_SYSTEM_SERVICE);
}

static void TheTableHasEveryServiceWithItsArguments(void **Unused)
{
    const SYSTEM_SERVICE_TABLE *Table = &KeServiceDescriptorTable->ntoskrnl;
    assert_int_equal(Table->ServiceLimit, NtServiceCount);
    assert_int_equal(Table->ArgumentTable[NtServiceNtCreateFile], 11 * sizeof(PVOID));
    assert_int_equal(Table->ArgumentTable[NtServiceNtTestAlert], 0);
    assert_ptr_equal(Table->ServiceTable[NtServiceNtClose], (PVOID)NtClose);
}

static KPROCESSOR_MODE SeenMode;
static ULONG SeenCalls;

static NTSTATUS NTAPI HookedClose(HANDLE Handle)
{
    SeenMode = ExGetPreviousMode();
    SeenCalls++;
    return NtClose(Handle);
}

static void AChangedEntrySeesEveryCall(void **Unused)
{
    HANDLE Event = NtTestEvent(NotificationEvent, FALSE),
           Other = NtTestEvent(NotificationEvent, FALSE);
    PVOID *Entry = &KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose];
    PVOID Old = InterlockedExchangePointer(Entry, (PVOID)HookedClose);
    SeenCalls = 0;
    assert_ok(SYS(NtClose, Event));
    assert_int_equal(SeenMode, UserMode);
    assert_status(ZwClose(Other), STATUS_SUCCESS);
    assert_int_equal(SeenMode, KernelMode);
    assert_int_equal(SeenCalls, 2);
    InterlockedExchangePointer(Entry, Old);
    assert_status(SYS(NtClose, Event), STATUS_INVALID_HANDLE);
    assert_int_equal(SeenCalls, 2);
}

static void ZwPutsThePreviousModeBack(void **Unused)
{
    LARGE_INTEGER Time;
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    assert_int_equal(Mode, UserMode);
    assert_ok(ZwQuerySystemTime(&Time));
    assert_int_equal(ExGetPreviousMode(), Mode);
}

static void ZwAboveItsIrqlIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record = {0};
    KIRQL Irql;
    VF_EXPECT_BUGCHECK (&Record) {
        KeRaiseIrql(APC_LEVEL, &Irql);
        ZwClose(NULL);
    }
    assert_int_not_equal(Record.Code, 0);
}

static void EveryArgumentArrives(void **Unused)
{
    HANDLE Section, Process = ZwCurrentProcess();
    LARGE_INTEGER Size = {.QuadPart = 0x30000}, Offset = {.QuadPart = 0x10000};
    PVOID Base = NULL;
    SIZE_T Bytes = 0x10000;
    assert_ok(SYS(NtCreateSection, &Section, SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE,
                  SEC_COMMIT, NULL));
    assert_status(SYS(NtMapViewOfSection, Section, Process, &Base, 0, 0, &Offset, &Bytes, ViewUnmap,
                      0, 0x12345),
                  STATUS_INVALID_PAGE_PROTECTION);
    assert_ok(SYS(NtMapViewOfSection, Section, Process, &Base, 0, 0, &Offset, &Bytes, ViewUnmap, 0,
                  PAGE_READWRITE));
    assert_int_equal(Bytes, 0x10000);
    assert_ok(SYS(NtUnmapViewOfSection, Process, Base));
    assert_ok(SYS(NtClose, Section));
}

static void CallsAreCounted(void **Unused)
{
    ULONG64 Before = KiServiceCount();
    SYS0(NtTestAlert);
    assert_int_equal(KiServiceCount(), Before + 1);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(ANumberBeyondTheTableIsRefused),
        NT_TEST(TheTableHasEveryServiceWithItsArguments),
        NT_TEST(AChangedEntrySeesEveryCall),
        NT_TEST(ZwPutsThePreviousModeBack),
        NT_TEST(ZwAboveItsIrqlIsABugCheck),
        NT_TEST(EveryArgumentArrives),
        NT_TEST(CallsAreCounted),
    };
    return cmocka_run_group_tests_name("nt-table", Tests, NULL, NULL);
}
