/*
 * Bad requests: every service, every argument, every bad value, the other arguments good. Whatever
 * comes, the kernel lives, says no where no is the only answer, and neither loses nor makes
 * handles.
 */
#include "nt/test/nt_test.h"

/* What an argument is. Capital letters are handles of the type. */
typedef enum KIND {
    KindEnd,
    KindNumber,  /* good: the value in the row */
    KindFixed,   /* the same, and nothing else is tried: a count of the caller's own memory */
    KindTimeout, /* zero; NULL or another time would wait */
    KindIn,      /* a structure that must be readable */
    KindInOptional,
    KindOut, /* a structure that must be writable */
    KindOutOptional,
    KindHandleOut,
    KindAttributes, /* object attributes, optional */
    KindName,       /* object attributes that must name something: bad ones only */
    KindString,
    KindHandle,
} KIND;

typedef enum GOOD {
    GoodNone,
    GoodEvent,
    GoodMutant,
    GoodSemaphore,
    GoodTimer,
    GoodDirectory,
    GoodLink,
    GoodSection,
    GoodKey,
    GoodProcess,
    GoodThread,
    GoodToken,
    GoodPort,
    GoodCount
} GOOD;

typedef struct ARGUMENT {
    KIND Kind;
    ULONG_PTR Value;
} ARGUMENT;
typedef struct ROW {
    ULONG Service;
    ARGUMENT Arguments[NT_SERVICE_MAX_ARGUMENTS];
} ROW;

#define N(value)                                                                                   \
    {                                                                                              \
        KindNumber, (value)                                                                        \
    }
#define F(value)                                                                                   \
    {                                                                                              \
        KindFixed, (value)                                                                         \
    }
#define T                                                                                          \
    {                                                                                              \
        KindTimeout, 0                                                                             \
    }
#define H(type)                                                                                    \
    {                                                                                              \
        KindHandle, Good##type                                                                     \
    }
#define I                                                                                          \
    {                                                                                              \
        KindIn, 0                                                                                  \
    }
#define IO                                                                                         \
    {                                                                                              \
        KindInOptional, 0                                                                          \
    }
#define O                                                                                          \
    {                                                                                              \
        KindOut, 0                                                                                 \
    }
#define OO                                                                                         \
    {                                                                                              \
        KindOutOptional, 0                                                                         \
    }
#define HO                                                                                         \
    {                                                                                              \
        KindHandleOut, 0                                                                           \
    }
#define A                                                                                          \
    {                                                                                              \
        KindAttributes, 0                                                                          \
    }
#define NAME                                                                                       \
    {                                                                                              \
        KindName, 0                                                                                \
    }
#define S                                                                                          \
    {                                                                                              \
        KindString, 0                                                                              \
    }

/* Missing: what ends or stops the caller with good arguments (terminate, shut down, delay without
 * end), and the file services. */
static const ROW Rows[] = {
    {NtServiceNtAccessCheck, {I, H(Token), N(1), I, O, I, O, O}},
    {NtServiceNtAlertThread, {H(Thread)}},
    {NtServiceNtAllocateLocallyUniqueId, {O}},
    {NtServiceNtAllocateUuids, {O, O, O, O}},
    {NtServiceNtAllocateVirtualMemory, {H(Process), I, N(0), I, N(MEM_RESERVE), N(PAGE_READWRITE)}},
    {NtServiceNtCancelTimer, {H(Timer), OO}},
    {NtServiceNtClearEvent, {H(Event)}},
    {NtServiceNtCreateDirectoryObject, {HO, N(1), A}},
    {NtServiceNtCreateEvent, {HO, N(EVENT_ALL_ACCESS), A, N(0), N(0)}},
    {NtServiceNtCreateIoCompletion, {HO, N(3), A, N(0)}},
    {NtServiceNtCreateKey, {HO, N(KEY_READ), NAME, N(0), IO, N(REG_OPTION_VOLATILE), OO}},
    {NtServiceNtCreateMutant, {HO, N(1), A, N(0)}},
    {NtServiceNtCreateSection,
     {HO, N(SECTION_MAP_READ), A, I, N(PAGE_READWRITE), N(SEC_COMMIT), N(0)}},
    {NtServiceNtCreateSemaphore, {HO, N(3), A, N(0), N(1)}},
    {NtServiceNtCreateSymbolicLinkObject, {HO, N(1), NAME, S}},
    {NtServiceNtCreateTimer, {HO, N(3), A, N(0)}},
    {NtServiceNtDeleteValueKey, {H(Key), S}},
    {NtServiceNtDisplayString, {S}},
    {NtServiceNtDuplicateObject,
     {H(Process), H(Event), H(Process), HO, N(0), F(0), F(DUPLICATE_SAME_ACCESS)}},
    {NtServiceNtEnumerateKey, {H(Key), N(0), N(0), O, N(256), O}},
    {NtServiceNtEnumerateValueKey, {H(Key), N(0), N(0), O, N(256), O}},
    {NtServiceNtFlushInstructionCache, {H(Process), N(0), N(0)}},
    {NtServiceNtFlushKey, {H(Key)}},
    {NtServiceNtFreeVirtualMemory, {H(Process), I, I, N(MEM_RELEASE)}},
    {NtServiceNtLoadDriver, {S}},
    {NtServiceNtMakePermanentObject, {N(0)}},
    {NtServiceNtMakeTemporaryObject, {H(Event)}},
    {NtServiceNtMapViewOfSection,
     {H(Section), H(Process), I, N(0), N(0), IO, I, N(2), N(0), N(PAGE_READONLY)}},
    {NtServiceNtNotifyChangeKey, {H(Key), H(Event), N(0), N(0), O, N(4), N(0), N(0), N(0), F(1)}},
    {NtServiceNtOpenDirectoryObject, {HO, N(1), NAME}},
    {NtServiceNtOpenEvent, {HO, N(1), NAME}},
    {NtServiceNtOpenIoCompletion, {HO, N(1), NAME}},
    {NtServiceNtOpenKey, {HO, N(1), NAME}},
    {NtServiceNtOpenKeyEx, {HO, N(1), NAME, N(0)}},
    {NtServiceNtOpenMutant, {HO, N(1), NAME}},
    {NtServiceNtOpenProcess, {HO, N(1), A, I}},
    {NtServiceNtOpenProcessToken, {H(Process), N(8), HO}},
    {NtServiceNtOpenProcessTokenEx, {H(Process), N(8), N(0), HO}},
    {NtServiceNtOpenSection, {HO, N(1), NAME}},
    {NtServiceNtOpenSemaphore, {HO, N(1), NAME}},
    {NtServiceNtOpenSymbolicLinkObject, {HO, N(1), NAME}},
    {NtServiceNtOpenThread, {HO, N(1), A, I}},
    {NtServiceNtOpenThreadToken, {H(Thread), N(8), N(0), HO}},
    {NtServiceNtOpenThreadTokenEx, {H(Thread), N(8), N(0), N(0), HO}},
    {NtServiceNtOpenTimer, {HO, N(1), NAME}},
    {NtServiceNtPrivilegeCheck, {H(Token), I, O}},
    {NtServiceNtProtectVirtualMemory, {H(Process), I, I, N(PAGE_READONLY), O}},
    {NtServiceNtPulseEvent, {H(Event), OO}},
    {NtServiceNtQueryDirectoryObject, {H(Directory), O, N(512), N(1), N(1), O, OO}},
    {NtServiceNtQueryEvent, {H(Event), N(0), O, N(8), OO}},
    {NtServiceNtQueryInformationProcess, {H(Process), N(0), O, N(48), OO}},
    {NtServiceNtQueryInformationThread, {H(Thread), N(0), O, N(48), OO}},
    {NtServiceNtQueryInformationToken, {H(Token), N(1), O, N(256), O}},
    {NtServiceNtQueryIoCompletion, {H(Port), N(0), O, N(4), OO}},
    {NtServiceNtQueryKey, {H(Key), N(0), O, N(256), O}},
    {NtServiceNtQueryMutant, {H(Mutant), N(0), O, N(8), OO}},
    {NtServiceNtQueryObject, {H(Event), N(2), O, N(256), OO}},
    {NtServiceNtQueryPerformanceCounter, {O, OO}},
    {NtServiceNtQuerySection, {H(Section), N(0), O, N(24), OO}},
    {NtServiceNtQuerySecurityObject, {H(Event), N(4), O, N(512), O}},
    {NtServiceNtQuerySemaphore, {H(Semaphore), N(0), O, N(8), OO}},
    {NtServiceNtQuerySymbolicLinkObject, {H(Link), I, OO}},
    {NtServiceNtQuerySystemInformation, {N(11), O, N(2048), OO}},
    {NtServiceNtQuerySystemTime, {O}},
    {NtServiceNtQueryTimer, {H(Timer), N(0), O, N(16), OO}},
    {NtServiceNtQueryTimerResolution, {O, O, O}},
    {NtServiceNtQueryValueKey, {H(Key), S, N(0), O, N(256), O}},
    {NtServiceNtQueryVirtualMemory, {H(Process), N(0x10000), N(0), O, N(48), OO}},
    {NtServiceNtReadVirtualMemory, {H(Process), I, O, F(64), OO}},
    {NtServiceNtReleaseMutant, {H(Mutant), OO}},
    {NtServiceNtReleaseSemaphore, {H(Semaphore), N(1), OO}},
    {NtServiceNtRemoveIoCompletion, {H(Port), O, O, O, T}},
    {NtServiceNtResetEvent, {H(Event), OO}},
    {NtServiceNtSetEvent, {H(Event), OO}},
    {NtServiceNtSetInformationObject, {H(Event), N(4), I, N(2)}},
    {NtServiceNtSetInformationProcess, {H(Process), N(12), I, N(4)}},
    {NtServiceNtSetInformationThread, {H(Thread), N(3), I, N(4)}},
    {NtServiceNtSetIoCompletion, {H(Port), N(0), N(0), N(0), N(0)}},
    {NtServiceNtSetSecurityObject, {H(Event), N(4), I}},
    {NtServiceNtSetSystemInformation, {N(0), I, N(8)}},
    {NtServiceNtSetTimer, {H(Timer), I, N(0), N(0), N(0), N(0), OO}},
    {NtServiceNtSetTimerResolution, {N(10000), N(0), O}},
    {NtServiceNtSetValueKey, {H(Key), S, N(0), N(REG_BINARY), I, N(16)}},
    {NtServiceNtSignalAndWaitForSingleObject, {H(Event), H(Event), N(0), T}},
    {NtServiceNtUnloadDriver, {S}},
    {NtServiceNtUnmapViewOfSection, {H(Process), N(0x10000)}},
    {NtServiceNtWaitForMultipleObjects, {N(1), I, N(1), N(0), T}},
    {NtServiceNtWaitForSingleObject, {H(Event), N(0), T}},
    {NtServiceNtWriteVirtualMemory, {H(Process), O, I, F(64), OO}},
    /* Last: it may disable the privileges that others need. */
    {NtServiceNtAdjustPrivilegesToken, {H(Token), N(0), I, N(64), OO, OO}},
};

static struct {
    HANDLE Good[GoodCount];
    ULONG_PTR Gone, ReadOnly, Straddling;
    UCHAR Memory[NT_SERVICE_MAX_ARGUMENTS][2048];
} World;

static void MakeWorld(void)
{
    UNICODE_STRING Name, Target;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\BaseNamedObjects");
    LARGE_INTEGER Size = {.QuadPart = 0x10000};
    HANDLE *Good = World.Good;
    Good[GoodEvent] = NtTestEvent(NotificationEvent, FALSE);
    assert_ok(SYS(NtCreateMutant, &Good[GoodMutant], MUTANT_ALL_ACCESS, NULL, FALSE));
    assert_ok(SYS(NtCreateSemaphore, &Good[GoodSemaphore], SEMAPHORE_ALL_ACCESS, NULL, 0, 100000));
    assert_ok(SYS(NtCreateTimer, &Good[GoodTimer], TIMER_ALL_ACCESS, NULL, NotificationTimer));
    assert_ok(SYS(NtOpenDirectoryObject, &Good[GoodDirectory], DIRECTORY_QUERY, &Attributes));
    RtlInitUnicodeString(&Target, L"\\Device");
    assert_ok(
        SYS(NtCreateSymbolicLinkObject, &Good[GoodLink], SYMBOLIC_LINK_ALL_ACCESS, NULL, &Target));
    assert_ok(SYS(NtCreateSection, &Good[GoodSection], SECTION_ALL_ACCESS, NULL, &Size,
                  PAGE_READWRITE, SEC_COMMIT, NULL));
    Attributes = NtTestName(&Name, L"\\Registry\\Machine\\NtBad");
    assert_ok(SYS(NtCreateKey, &Good[GoodKey], KEY_ALL_ACCESS, &Attributes, 0, NULL,
                  REG_OPTION_VOLATILE, NULL));
    Good[GoodProcess] = ZwCurrentProcess();
    Good[GoodThread] = ZwCurrentThread();
    assert_ok(SYS(NtOpenProcessToken, ZwCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES,
                  &Good[GoodToken]));
    assert_ok(SYS(NtCreateIoCompletion, &Good[GoodPort], 3, NULL, 0));
    World.ReadOnly = (ULONG_PTR)NtTestPage(PAGE_READONLY);
    PVOID Two = NULL, Second;
    SIZE_T Bytes = 0x20000;
    assert_ok(SYS(NtAllocateVirtualMemory, ZwCurrentProcess(), &Two, 0, &Bytes,
                  MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE));
    Second = (UCHAR *)Two + 0x10000;
    Bytes = 0x10000;
    assert_ok(SYS(NtFreeVirtualMemory, ZwCurrentProcess(), &Second, &Bytes, MEM_DECOMMIT));
    World.Straddling = (ULONG_PTR)Second - 1;
    World.Gone = (ULONG_PTR)NtTestGonePage(); /* last: nothing takes its place */
}

static void CloseWorld(void)
{
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {FALSE, FALSE}; /* the matrix may have protected it */
    assert_ok(SYS(NtSetInformationObject, World.Good[GoodEvent], ObjectHandleFlagInformation,
                  &Flags, sizeof(Flags)));
    SYS(NtDeleteKey, World.Good[GoodKey]);
    for (ULONG i = GoodEvent; i < GoodCount; i++)
        if (i != GoodProcess && i != GoodThread)
            assert_ok(SYS(NtClose, World.Good[i]));
}

/* Good arguments; inputs are zeroes but where zeroes would block or end the caller. */
static void Fill(const ROW *Row, ULONG_PTR *Arguments)
{
    static OBJECT_ATTRIBUTES Unnamed = {.Length = sizeof(OBJECT_ATTRIBUTES)};
    memset(World.Memory, 0, sizeof(World.Memory));
    for (ULONG i = 0; i < NT_SERVICE_MAX_ARGUMENTS; i++) {
        const ARGUMENT *Argument = &Row->Arguments[i];
        switch (Argument->Kind) {
        case KindNumber:
        case KindFixed:
            Arguments[i] = Argument->Value;
            break;
        case KindHandle:
            Arguments[i] = (ULONG_PTR)World.Good[Argument->Value];
            break;
        case KindAttributes:
            Arguments[i] = (ULONG_PTR)&Unnamed;
            break;
        default:
            Arguments[i] = (ULONG_PTR)World.Memory[i];
            break;
        }
    }
}

static BOOLEAN IsPointer(KIND Kind)
{
    return Kind != KindEnd && Kind != KindNumber && Kind != KindFixed && Kind != KindHandle;
}

static BOOLEAN IsWritten(KIND Kind)
{
    return Kind == KindOut || Kind == KindOutOptional || Kind == KindHandleOut;
}

/* Calls, and gives back what a success has made. */
static NTSTATUS Try(const ROW *Row, const ULONG_PTR *Arguments)
{
    NTSTATUS Status = UserNtCall(Row->Service, Arguments);
    if (!NT_SUCCESS(Status))
        return Status;
    for (ULONG i = 0; i < NT_SERVICE_MAX_ARGUMENTS; i++)
        if (Row->Arguments[i].Kind == KindHandleOut && Arguments[i] != 0)
            SYS(NtClose, *(PHANDLE)Arguments[i]);
    if (Row->Service == NtServiceNtMapViewOfSection)
        SYS(NtUnmapViewOfSection, ZwCurrentProcess(), *(PVOID *)Arguments[2]);
    return Status;
}

static void Complain(const ROW *Row, ULONG Index, ULONG_PTR Value, NTSTATUS Status)
{
    fail_msg("%s: argument %u = %p gave 0x%08x", KiServiceName(Row->Service), Index, (PVOID)Value,
             (unsigned)Status);
}

static void TryPointers(const ROW *Row, ULONG Index, ULONG_PTR *Arguments)
{
    KIND Kind = Row->Arguments[Index].Kind;
    const struct {
        ULONG_PTR Value;
        BOOLEAN AlwaysBad;
    } Bad[] = {
        {0, Kind == KindIn || Kind == KindOut || Kind == KindString || Kind == KindName},
        {1, TRUE},
        {World.Gone, TRUE},
        {World.ReadOnly, IsWritten(Kind)},
        {World.Straddling, FALSE}, /* a one-byte result fits */
        {MM_SYSTEM_LOW, TRUE},
        {MM_SYSTEM_PTE_LOW, TRUE},
        {(ULONG_PTR)KiSelf, TRUE},
        {(ULONG_PTR)1 << 48, TRUE},
        {~(ULONG_PTR)0, TRUE},
        {~(ULONG_PTR)0 - 7, TRUE},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++) {
        if (Kind == KindTimeout && !Bad[i].AlwaysBad)
            continue;
        if (Row->Service == NtServiceNtDuplicateObject && Bad[i].Value == 0)
            continue; /* allowed: the caller does not want to know the handle */
        Fill(Row, Arguments);
        Arguments[Index] = Bad[i].Value;
        NTSTATUS Status = Try(Row, Arguments);
        if (Bad[i].AlwaysBad && NT_SUCCESS(Status) && Status != STATUS_TIMEOUT &&
            Status != STATUS_PENDING) /* those write later, or not at all */
            Complain(Row, Index, Bad[i].Value, Status);
    }
}

static void TryHandles(const ROW *Row, ULONG Index, ULONG_PTR *Arguments)
{
    static const ULONG_PTR Bad[] = {1,
                                    3,
                                    0x7FFF0,
                                    0xDEAD0,
                                    0x7FFFFFFC,
                                    (ULONG_PTR)(LONG_PTR)(LONG)0x80000004,
                                    (ULONG_PTR)1 << 40};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++) {
        Fill(Row, Arguments);
        Arguments[Index] = Bad[i];
        NTSTATUS Status = Try(Row, Arguments);
        if (NT_SUCCESS(Status))
            Complain(Row, Index, Bad[i], Status);
    }
    for (ULONG i = GoodEvent; i < GoodCount; i++) { /* of the wrong type */
        if (i == GoodProcess || i == GoodThread)
            continue;
        Fill(Row, Arguments);
        Arguments[Index] = (ULONG_PTR)World.Good[i];
        Try(Row, Arguments);
    }
}

static void TryNumbers(const ROW *Row, ULONG Index, ULONG_PTR *Arguments)
{
    static const ULONG_PTR Values[] = {
        0, 1, 2, 7, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, ~(ULONG_PTR)0};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Values); i++) {
        Fill(Row, Arguments);
        Arguments[Index] = Values[i];
        Try(Row, Arguments);
    }
}

static void EveryBadArgumentIsSurvived(void **Unused)
{
    ULONG_PTR Arguments[NT_SERVICE_MAX_ARGUMENTS];
    ULONG Before = NtTestHandleCount();
    MakeWorld();
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        ULONG Handles = NtTestHandleCount();
        for (ULONG j = 0; j < NT_SERVICE_MAX_ARGUMENTS && Rows[i].Arguments[j].Kind != KindEnd;
             j++) {
            if (IsPointer(Rows[i].Arguments[j].Kind))
                TryPointers(&Rows[i], j, Arguments);
            else if (Rows[i].Arguments[j].Kind == KindHandle)
                TryHandles(&Rows[i], j, Arguments);
            else if (Rows[i].Arguments[j].Kind == KindNumber)
                TryNumbers(&Rows[i], j, Arguments);
        }
        if (MmIsUserRange((PVOID)World.Gone, 1))
            fail_msg("%s: left memory behind", KiServiceName(Rows[i].Service));
        if (NtTestHandleCount() != Handles)
            fail_msg("%s: %u handles became %u", KiServiceName(Rows[i].Service), Handles,
                     NtTestHandleCount());
    }
    CloseWorld();
    assert_int_equal(NtTestHandleCount(), Before);
}

static void EveryServiceSurvivesZeroesAndOnes(void **Unused)
{
    static const ULONG_PTR Values[] = {0, 1, 0x1000, MM_SYSTEM_LOW};
    ULONG_PTR Arguments[NT_SERVICE_MAX_ARGUMENTS];
    for (ULONG i = 0; i < NtServiceCount; i++) {
        if (i == NtServiceNtTerminateProcess || i == NtServiceNtTerminateThread)
            continue; /* a NULL handle is the caller */
        for (ULONG j = 0; j < RTL_NUMBER_OF(Values); j++) {
            for (ULONG k = 0; k < NT_SERVICE_MAX_ARGUMENTS; k++)
                Arguments[k] = Values[j];
            UserNtCall(i, Arguments);
        }
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(EveryBadArgumentIsSurvived),
        NT_TEST(EveryServiceSurvivesZeroesAndOnes),
    };
    return cmocka_run_group_tests_name("nt-bad", Tests, NULL, NULL);
}
