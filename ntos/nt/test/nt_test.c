/*
 * A client of its own for each test.
 */
#include "nt/test/nt_test.h"

static ULONG NtTestHandles;

int NtTestBoot(void **Unused)
{
    static const USERNT_OPTIONS Options = {.Size = sizeof(Options),
                                           .Processors = 2,
                                           .PhysicalBytes = 64 << 20,
                                           .BootUserId = MAXULONG};
    NTSTATUS Status = UserNtBoot(&Options);
    if (!NT_SUCCESS(Status)) {
        fprintf(stderr, "boot: 0x%08x\n", (unsigned)Status);
        return -1;
    }
    NtTestHandles = NtTestHandleCount();
    return 0;
}

int NtTestStop(void **Unused)
{
    NTSTATUS Status = UserNtShutdown();
    if (!NT_SUCCESS(Status))
        fprintf(stderr, "shutdown: 0x%08x\n", (unsigned)Status);
    return NT_SUCCESS(Status) ? 0 : -1;
}

void NtTestStatus(NTSTATUS Status, NTSTATUS Expected, const char *File, int Line)
{
    if (Status == Expected)
        return;
    print_error("status 0x%08x, expected 0x%08x\n", (unsigned)Status, (unsigned)Expected);
    _fail(File, Line);
}

OBJECT_ATTRIBUTES NtTestName(PUNICODE_STRING Name, PCWSTR Text)
{
    OBJECT_ATTRIBUTES Attributes;
    RtlInitUnicodeString(Name, Text);
    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return Attributes;
}

ULONG NtTestHandleCount(void)
{
    ULONG Count = 0;
    assert_ok(SYS(NtQueryInformationProcess, ZwCurrentProcess(), ProcessHandleCount, &Count,
                  sizeof(Count), NULL));
    return Count;
}

HANDLE NtTestEvent(EVENT_TYPE Type, BOOLEAN State)
{
    HANDLE Event;
    assert_ok(SYS(NtCreateEvent, &Event, EVENT_ALL_ACCESS, NULL, Type, State));
    return Event;
}

PVOID NtTestPage(ULONG Protect)
{
    PVOID Base = NULL;
    SIZE_T Bytes = PAGE_SIZE;
    ULONG Old;
    assert_ok(SYS(NtAllocateVirtualMemory, ZwCurrentProcess(), &Base, 0, &Bytes,
                  MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE));
    memset(Base, 0x5A, PAGE_SIZE);
    if (Protect != PAGE_READWRITE)
        assert_ok(SYS(NtProtectVirtualMemory, ZwCurrentProcess(), &Base, &Bytes, Protect, &Old));
    return Base;
}

PVOID NtTestGonePage(void)
{
    PVOID Base = NtTestPage(PAGE_READWRITE);
    SIZE_T Bytes = 0;
    assert_ok(SYS(NtFreeVirtualMemory, ZwCurrentProcess(), &Base, &Bytes, MEM_RELEASE));
    return Base;
}
