/* A process's memory: allocation, protection, queries, access by the kernel. */
#include "mmtest.h"

#include <usermode_accessors.h>

static PVOID Allocate(SIZE_T Bytes, ULONG Type, ULONG Protect)
{
    PVOID Base = NULL;

    assert_success(MmAllocateUser(&MmTestSpace, &Base, &Bytes, Type, Protect));
    return Base;
}

static NTSTATUS Free(PVOID Base, SIZE_T Bytes, ULONG Type)
{
    return MmFreeUser(&MmTestSpace, &Base, &Bytes, Type);
}

static void CommittedMemoryIsTheClientsToo(void **Unused)
{
    char *Base = Allocate(3 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    assert_int_equal((ULONG_PTR)Base % 65536, 0);
    assert_int_equal(Base[0], 0);
    strcpy(MmTestClientView(Base), "client");
    assert_string_equal(Base, "client");
    assert_true(MmIsAddressValid(Base));
    assert_true(MmIsUserRange(Base, 3 * PAGE_SIZE));
    assert_false(MmIsUserRange(Base, 3 * PAGE_SIZE + 1));
    assert_success(Free(Base, 0, MEM_RELEASE));
    assert_false(MmIsAddressValid(Base));
    assert_false(MmIsUserRange(Base, 1));
}

static void MemoryIsReservedThenCommittedThenZeroAgain(void **Unused)
{
    char *Base = Allocate(16 * PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE),
         *Middle = Base + 4 * PAGE_SIZE;
    SIZE_T Bytes = 2 * PAGE_SIZE;
    PVOID At = Middle + 5;

    assert_false(MmIsUserRange(Middle, 1));
    assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    assert_ptr_equal(At, Middle);
    assert_int_equal(Bytes, 3 * PAGE_SIZE);
    *Middle = 1;
    assert_success(Free(Middle, PAGE_SIZE, MEM_DECOMMIT));
    assert_false(MmIsUserRange(Middle, 1));
    assert_true(MmIsUserRange(Middle + PAGE_SIZE, 1));
    At = Middle;
    Bytes = 1;
    assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    assert_int_equal(*Middle, 0);
    assert_success(Free(Base, 0, MEM_RELEASE));
}

static void BadAllocationsAreRefused(void **Unused)
{
    SIZE_T Bytes = PAGE_SIZE, None = 0, Huge = MM_SLOT_BYTES;
    PVOID Base = NULL, System = (PVOID)MM_SYSTEM_LOW, Outside = (PVOID)(MmTestSpace.High + 65536);
    PVOID Control = (PVOID)MmTestSpace.Low;

    assert_status(MmAllocateUser(&MmTestSpace, &Base, &Bytes, MEM_RELEASE, PAGE_READWRITE),
                  STATUS_INVALID_PARAMETER_5);
    assert_status(MmAllocateUser(&MmTestSpace, &Base, &Bytes, 0, PAGE_READWRITE),
                  STATUS_INVALID_PARAMETER_5);
    assert_status(MmAllocateUser(&MmTestSpace, &Base, &Bytes, MEM_COMMIT, 0),
                  STATUS_INVALID_PAGE_PROTECTION);
    assert_status(MmAllocateUser(&MmTestSpace, &Base, &Bytes, MEM_COMMIT, PAGE_WRITECOPY),
                  STATUS_INVALID_PAGE_PROTECTION);
    assert_status(MmAllocateUser(&MmTestSpace, &Base, &None, MEM_COMMIT, PAGE_READWRITE),
                  STATUS_INVALID_PARAMETER_4);
    assert_status(MmAllocateUser(&MmTestSpace, &Base, &Huge, MEM_COMMIT, PAGE_READWRITE),
                  STATUS_NO_MEMORY);
    assert_status(MmAllocateUser(&MmTestSpace, &System, &Bytes, MEM_RESERVE, PAGE_READWRITE),
                  STATUS_INVALID_PARAMETER_2);
    assert_status(MmAllocateUser(&MmTestSpace, &Outside, &Bytes, MEM_RESERVE, PAGE_READWRITE),
                  STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAllocateUser(&MmTestSpace, &Control, &Bytes, MEM_RESERVE, PAGE_READWRITE),
                  STATUS_CONFLICTING_ADDRESSES);
    assert_status(MmAllocateUser(&MmTestSpace, &Outside, &Bytes, MEM_COMMIT, PAGE_READWRITE),
                  STATUS_CONFLICTING_ADDRESSES);
}

static void BadFreesAreRefused(void **Unused)
{
    char *Base = Allocate(4 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    assert_status(Free(Base, 0, MEM_COMMIT), STATUS_INVALID_PARAMETER_4);
    assert_status(Free(Base, 0, MEM_RELEASE | MEM_DECOMMIT), STATUS_INVALID_PARAMETER_4);
    assert_status(Free(Base + PAGE_SIZE, 0, MEM_RELEASE), STATUS_FREE_VM_NOT_AT_BASE);
    assert_status(Free(Base, 5 * PAGE_SIZE, MEM_RELEASE), STATUS_UNABLE_TO_FREE_VM);
    assert_status(Free(Base + 0x1000000, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
    assert_status(Free((PVOID)MmTestSpace.Low, 0, MEM_RELEASE), STATUS_UNABLE_TO_DELETE_SECTION);
    assert_success(Free(Base, 0, MEM_RELEASE));
    assert_status(Free(Base, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
}

static void ProtectionHoldsForClientAndKernel(void **Unused)
{
    char *Base = Allocate(2 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    SIZE_T Bytes = 1;
    PVOID At = Base;
    char Byte = 'x';
    ULONG Old;

    assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READONLY, &Old));
    assert_int_equal(Old, PAGE_READWRITE);
    assert_int_equal(Bytes, PAGE_SIZE);
    assert_true(MmIsUserRange(Base, 2 * PAGE_SIZE));
    assert_false(MmIsUserRangeWritable(Base, 2 * PAGE_SIZE));
    assert_true(MmIsUserRangeWritable(Base + PAGE_SIZE, PAGE_SIZE));
    assert_status(MmCopyToUser(Base, &Byte, 1), STATUS_ACCESS_VIOLATION);
    assert_success(MmCopyToUser(Base + PAGE_SIZE, &Byte, 1));
    assert_success(MmCopyFromUser(&Byte, Base, 1));
    assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_NOACCESS, &Old));
    assert_status(MmCopyFromUser(&Byte, Base, 1), STATUS_ACCESS_VIOLATION);
    assert_false(MmIsAddressValid(Base));
    assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READWRITE, &Old));
    assert_int_equal(Old, PAGE_NOACCESS);
    assert_success(MmCopyToUser(Base, &Byte, 1));
    assert_status(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_WRITECOPY, &Old),
                  STATUS_INVALID_PAGE_PROTECTION);
    assert_success(Free(Base, PAGE_SIZE, MEM_DECOMMIT));
    assert_status(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READWRITE, &Old),
                  STATUS_NOT_COMMITTED);
    assert_success(Free(Base, 0, MEM_RELEASE));
    assert_status(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READWRITE, &Old),
                  STATUS_MEMORY_NOT_ALLOCATED);
}

static MM_BASIC_INFORMATION Query(PVOID Base)
{
    MM_BASIC_INFORMATION Information;
    SIZE_T Returned;

    assert_success(MmQueryUser(&MmTestSpace, Base, &Information, sizeof(Information), &Returned));
    assert_int_equal(Returned, sizeof(Information));
    return Information;
}

static void AQueryTellsRegions(void **Unused)
{
    char *Base = Allocate(8 * PAGE_SIZE, MEM_RESERVE, PAGE_READONLY);
    PVOID At = Base + 2 * PAGE_SIZE;
    SIZE_T Bytes = 3 * PAGE_SIZE;
    MM_BASIC_INFORMATION Information;

    assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    Information = Query(Base + 10);
    assert_ptr_equal(Information.BaseAddress, Base);
    assert_ptr_equal(Information.AllocationBase, Base);
    assert_int_equal(Information.AllocationProtect, PAGE_READONLY);
    assert_int_equal(Information.RegionSize, 2 * PAGE_SIZE);
    assert_int_equal(Information.State, MEM_RESERVE);
    Information = Query(Base + 2 * PAGE_SIZE);
    assert_int_equal(Information.RegionSize, 3 * PAGE_SIZE);
    assert_int_equal(Information.State, MEM_COMMIT);
    assert_int_equal(Information.Protect, PAGE_READWRITE);
    assert_int_equal(Information.Type, MEM_PRIVATE);
    Information = Query(Base + 8 * PAGE_SIZE);
    assert_int_equal(Information.State, MEM_FREE);
    assert_int_equal(Information.RegionSize, MmTestSpace.High - (ULONG_PTR)Base - 8 * PAGE_SIZE);
    assert_status(MmQueryUser(&MmTestSpace, Base, &Information, 8, NULL),
                  STATUS_INFO_LENGTH_MISMATCH);
    assert_status(
        MmQueryUser(&MmTestSpace, (PVOID)MM_SYSTEM_LOW, &Information, sizeof(Information), NULL),
        STATUS_INVALID_PARAMETER);
    assert_success(Free(Base, 0, MEM_RELEASE));
}

static void WhatFreesIsFoundAgain(void **Unused)
{
    PVOID First = Allocate(PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE), Top;

    assert_success(Free(First, 0, MEM_RELEASE));
    for (ULONG i = 0; i < 300; i++) {
        assert_ptr_equal(Allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), First);
        assert_success(Free(First, 0, MEM_RELEASE));
    }
    Top = Allocate(PAGE_SIZE, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE);
    assert_int_equal((ULONG_PTR)Top, MmTestSpace.High - 65536);
    assert_success(Free(Top, 0, MEM_RELEASE));
}

static void SecuredMemoryStays(void **Unused)
{
    char *Base = Allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    HANDLE Handle = MmSecureVirtualMemory(Base, 100, PAGE_READONLY);
    SIZE_T Bytes = PAGE_SIZE;
    PVOID At = Base;
    ULONG Old;

    assert_non_null(Handle);
    assert_null(MmSecureVirtualMemory(Base, 100, PAGE_READWRITE));
    assert_null(MmSecureVirtualMemory(Base + 0x1000000, 100, PAGE_READONLY));
    assert_status(Free(Base, 0, MEM_RELEASE), STATUS_INVALID_PAGE_PROTECTION);
    assert_status(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_NOACCESS, &Old),
                  STATUS_INVALID_PAGE_PROTECTION);
    MmUnsecureVirtualMemory(Handle);
    assert_success(Free(Base, 0, MEM_RELEASE));
}

typedef struct PROBE {
    PVOID Address;
    SIZE_T Length;
    ULONG Alignment;
} PROBE;

static void ProbeRead(void *Argument)
{
    PROBE *P = Argument;

    ProbeForRead(P->Address, P->Length, P->Alignment);
}

static void ProbeWrite(void *Argument)
{
    PROBE *P = Argument;

    ProbeForWrite(P->Address, P->Length, P->Alignment);
}

static NTSTATUS Probe(BOOLEAN Write, PVOID Address, SIZE_T Length, ULONG Alignment)
{
    PROBE P = {Address, Length, Alignment};

    return MmTestRaises(Write ? ProbeWrite : ProbeRead, &P);
}

static void ProbesRaiseWhatIsDocumented(void **Unused)
{
    char *Good = Allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    char *ReadOnly = Allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);

    for (ULONG Write = 0; Write < 2; Write++) {
        assert_success(Probe(Write, Good, PAGE_SIZE, 8));
        assert_success(Probe(Write, (PVOID)MM_SYSTEM_LOW, 0, 8));
        assert_success(Probe(Write, Good + 1, 0, 8));
        assert_status(Probe(Write, Good + 1, 4, 4), STATUS_DATATYPE_MISALIGNMENT);
        assert_status(Probe(Write, (PVOID)MM_SYSTEM_LOW, 4, 4), STATUS_ACCESS_VIOLATION);
        assert_status(Probe(Write, Good, ~(SIZE_T)0, 1), STATUS_ACCESS_VIOLATION);
        assert_status(Probe(Write, (PVOID)(MmTestSpace.High - 4), 8, 1), STATUS_ACCESS_VIOLATION);
    }
    assert_success(Probe(FALSE, ReadOnly, 4, 4));
    assert_status(Probe(TRUE, ReadOnly, 4, 4), STATUS_ACCESS_VIOLATION);
    assert_success(Free(Good, 0, MEM_RELEASE));
    assert_success(Free(ReadOnly, 0, MEM_RELEASE));
}

static void OrdinaryMemoryIsUserMemoryOfAnEmbeddedProcess(void **Unused)
{
    char Here[8] = "before", There[8];

    assert_success(Probe(TRUE, Here, sizeof(Here), 1));
    assert_status(Probe(FALSE, NULL, 1, 1), STATUS_ACCESS_VIOLATION);
    assert_success(MmCopyFromUser(There, Here, 8));
    assert_string_equal(There, "before");
    assert_success(MmCopyToUser(Here, "after", 6));
    assert_string_equal(Here, "after");
    assert_status(MmCopyFromUser(There, (PVOID)0x600000000000, 8), STATUS_ACCESS_VIOLATION);
    assert_status(MmCopyFromUser(There, (PVOID)MM_SYSTEM_LOW, 8), STATUS_ACCESS_VIOLATION);
    assert_status(MmCopyToUser((PVOID)Probe, Here, 1), STATUS_ACCESS_VIOLATION);
}

static void OtherMemoryOfAClientIsReachedByItsHand(void **Unused)
{
    char Byte = 0;
    ULONG Before = MmTestHandCalls;

    assert_success(MmCopyFromUser(&Byte, (PVOID)0x500000000000, 1));
    assert_int_equal(Byte, 0x5C);
    assert_success(MmCopyToUser((PVOID)0x500000000000, &Byte, 1));
    assert_int_equal(MmTestHandCalls, Before + 2);
    MmTestHandFailsAt = MmTestHandCalls + 1;
    assert_status(MmCopyFromUser(&Byte, (PVOID)0x500000000000, 1), STATUS_ACCESS_VIOLATION);
    assert_status(Probe(FALSE, (PVOID)0x500000000000, 1, 1), STATUS_ACCESS_VIOLATION);
}

static void ReadBadly(void *Unused)
{
    ReadULongFromUser((PULONG)MmTestSpace.High - 1);
}

static void MeasureBadly(void *Address)
{
    WideStringLengthFromUser(Address);
}

static void AccessorsWorkOrRaise(void **Unused)
{
    char *Base = Allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    WriteULongToUser((PULONG)Base, 0x12345678);
    assert_int_equal(ReadULongFromUser((PULONG)Base), 0x12345678);
    assert_int_equal(InterlockedOrToUser((LONG *)Base, 1), 0x12345678);
    assert_int_equal(InterlockedAndToUser((LONG *)Base, 0xFF), 0x12345679);
    assert_int_equal(InterlockedCompareExchangeToUser((LONG *)Base, 5, 0x79), 0x79);
    assert_int_equal(InterlockedCompareExchangeToUser((LONG *)Base, 6, 0x79), 5);
    CopyToUser(Base, "hello", 6);
    assert_int_equal(StringLengthFromUser(Base), 5);
    MoveToUserFromUser(Base + 2, Base, 6);
    assert_string_equal(Base, "hehello");
    FillUserMemory(Base, PAGE_SIZE, 'x');
    assert_int_equal(Base[PAGE_SIZE - 1], 'x');
    assert_status(MmTestRaises(MeasureBadly, Base), STATUS_ACCESS_VIOLATION);
    CopyToUser(Base + PAGE_SIZE - 2, L"", 2);
    assert_int_equal(WideStringLengthFromUser((PWSTR)Base), PAGE_SIZE / 2 - 1);
    assert_status(MmTestRaises(ReadBadly, NULL), STATUS_ACCESS_VIOLATION);
    assert_success(Free(Base, 0, MEM_RELEASE));
}

static void NothingIsAUserRangeOfLength0(void **Unused)
{
    assert_true(MmIsUserRange(NULL, 0));
    assert_true(MmIsUserRangeWritable((PVOID)MM_SYSTEM_LOW, 0));
    assert_true(MmIsUserRangeWritable((PVOID)MmTestSpace.High, 0));
    assert_true(MmIsUserRange((PVOID) ~(ULONG_PTR)0, 0));
    assert_success(MmCopyFromUser(NULL, (PVOID)MM_SYSTEM_LOW, 0));
    assert_success(MmCopyToUser(NULL, NULL, 0));
}

static void ARangeEndsWhereTheSlotDoes(void **Unused)
{
    const struct {
        ULONG_PTR Address;
        SIZE_T Bytes;
    } Bad[] = {
        {0, 1},
        {MmTestSpace.Low - 1, 2},
        {MmTestSpace.Low, MM_SLOT_BYTES + 1},
        {MmTestSpace.High - 1, 1}, /* in it, and not committed */
        {MmTestSpace.High - 1, 2},
        {MmTestSpace.High, 1},
        {MmTestSpace.Low, ~(SIZE_T)0},
        {MmTestSpace.Low, 0 - MmTestSpace.Low},
        {MM_SYSTEM_LOW, 8},
        {~(ULONG_PTR)0, 1},
        {(ULONG_PTR)1 << 47, 1},
    };

    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++) {
        char Byte = 0;

        assert_false(MmIsUserRange((PVOID)Bad[i].Address, Bad[i].Bytes));
        assert_false(MmIsUserRangeWritable((PVOID)Bad[i].Address, Bad[i].Bytes));
        assert_status(MmCopyToUser((PVOID)Bad[i].Address, &Byte, Bad[i].Bytes),
                      STATUS_ACCESS_VIOLATION);
        assert_status(MmCopyFromUser(&Byte, (PVOID)Bad[i].Address, Bad[i].Bytes),
                      STATUS_ACCESS_VIOLATION);
    }
    assert_true(MmIsUserRangeWritable((PVOID)MmTestSpace.Low, MM_SLOT_CONTROL));
    assert_false(MmIsUserRange((PVOID)MmTestSpace.Low, MM_SLOT_CONTROL + 1));
}

/* Two tables of 4 KiB entries; the second is there once something in it was committed. */
static void ARangeIsAskedForPageByPage(void **Unused)
{
    char *Base = Allocate(4 << 20, MEM_RESERVE, PAGE_READWRITE);
    char *Border = (char *)(((ULONG_PTR)Base + (2 << 20)) & ~(((ULONG_PTR)2 << 20) - 1));
    PVOID At = Border - PAGE_SIZE;
    SIZE_T Bytes = PAGE_SIZE;
    ULONG Old;

    assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    assert_true(MmIsUserRangeWritable(Border - PAGE_SIZE, PAGE_SIZE));
    assert_false(MmIsUserRange(Border - 1, 2));
    assert_false(MmIsUserRange(Border - PAGE_SIZE - 1, 2));
    At = Border;
    Bytes = 2 * PAGE_SIZE;
    assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    assert_true(MmIsUserRangeWritable(Border - 1, 2));
    assert_true(MmIsUserRangeWritable(Border - PAGE_SIZE, 3 * PAGE_SIZE));
    At = Border + PAGE_SIZE;
    Bytes = 1;
    assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READONLY, &Old));
    assert_true(MmIsUserRangeWritable(Border, PAGE_SIZE));
    assert_false(MmIsUserRangeWritable(Border, PAGE_SIZE + 1));
    assert_true(MmIsUserRange(Border - PAGE_SIZE, 3 * PAGE_SIZE));
    assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_NOACCESS, &Old));
    assert_false(MmIsUserRange(Border, PAGE_SIZE + 1));
    assert_success(Free(Base, 0, MEM_RELEASE));
    assert_false(MmIsUserRange(Border - 1, 1));
}

#define COPY_MOST 2100 /* more than host_copy does with moves */

/* To the end of a page behind which there is nothing: all of it and no byte more, and one byte
 * further on none of it is. */
static void ACopyOfAnyLengthIsExactAndEndsWhereThePageDoes(void **Unused)
{
    char *Base = Allocate(2 * PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE), *End = Base + PAGE_SIZE;
    char Here[COPY_MOST + 1], Pattern[COPY_MOST];
    PVOID At = Base;
    SIZE_T Page = PAGE_SIZE;

    assert_success(MmAllocateUser(&MmTestSpace, &At, &Page, MEM_COMMIT, PAGE_READWRITE));
    for (ULONG i = 0; i < COPY_MOST; i++)
        Pattern[i] = (char)(i % 251 + 1);
    for (SIZE_T Bytes = 1; Bytes <= COPY_MOST; Bytes++) {
        memset(Base, 0, PAGE_SIZE);
        assert_success(MmCopyToUser(End - Bytes, Pattern, Bytes));
        assert_memory_equal(End - Bytes, Pattern, Bytes);
        assert_int_equal(End[-(LONG_PTR)Bytes - 1], 0);
        memset(Here, 0, sizeof(Here));
        assert_success(MmCopyFromUser(Here, End - Bytes, Bytes));
        assert_memory_equal(Here, Pattern, Bytes);
        assert_int_equal(Here[Bytes], 0);
        assert_status(MmCopyFromUser(Here, End - Bytes + 1, Bytes), STATUS_ACCESS_VIOLATION);
        assert_status(MmCopyToUser(End - Bytes + 1, Pattern, Bytes), STATUS_ACCESS_VIOLATION);
    }
    assert_success(Free(Base, 0, MEM_RELEASE));
}

static atomic_bool RacersStop;

/* Whatever it finds is a status. */
static void CopyAllTheTime(void *Base)
{
    char Block[64] = {0};

    while (!atomic_load(&RacersStop)) {
        NTSTATUS To = MmCopyToUser(Base, Block, sizeof(Block));
        NTSTATUS From = MmCopyFromUser(Block, Base, sizeof(Block));

        MmIsUserRangeWritable(Base, sizeof(Block));
        if ((!NT_SUCCESS(To) && To != STATUS_ACCESS_VIOLATION) ||
            (!NT_SUCCESS(From) && From != STATUS_ACCESS_VIOLATION))
            abort();
    }
}

static void AClientMayTakeItsMemoryAwayDuringACopy(void **Unused)
{
    char *Base = Allocate(PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE);
    SIZE_T Bytes = PAGE_SIZE;
    PVOID At = Base;
    MM_TEST_THREAD Thread;
    ULONG Old;

    atomic_store(&RacersStop, FALSE);
    MmTestThread(&Thread, CopyAllTheTime, Base);
    for (ULONG Round = 0; Round < 300; Round++) {
        assert_success(MmAllocateUser(&MmTestSpace, &At, &Bytes, MEM_COMMIT, PAGE_READWRITE));
        assert_true(MmIsUserRangeWritable(Base, PAGE_SIZE));
        assert_success(MmProtectUser(&MmTestSpace, &At, &Bytes, PAGE_READONLY, &Old));
        assert_false(MmIsUserRangeWritable(Base, PAGE_SIZE));
        assert_success(Free(Base, PAGE_SIZE, MEM_DECOMMIT));
        assert_false(MmIsUserRange(Base, 1));
    }
    atomic_store(&RacersStop, TRUE);
    MmTestJoin(&Thread);
    assert_success(Free(Base, 0, MEM_RELEASE));
}

static void TwoProcessesHaveTheirOwnSlots(void **Unused)
{
    static MM_ADDRESS_SPACE Spaces[40];

    for (ULONG Round = 0; Round < 3; Round++) {
        for (ULONG i = 0; i < RTL_NUMBER_OF(Spaces); i++) {
            assert_success(MmCreateAddressSpace(&Spaces[i], FALSE));
            *(ULONG *)Spaces[i].Low = i;
        }
        for (ULONG i = 0; i < RTL_NUMBER_OF(Spaces); i++) {
            assert_int_equal(*(ULONG *)Spaces[i].Low, i);
            assert_int_equal(*(ULONG *)MmFrameAddress(Spaces[i].FirstFrame), i);
            MmCleanAddressSpace(&Spaces[i]);
            MmDeleteAddressSpace(&Spaces[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST_CLIENT(CommittedMemoryIsTheClientsToo),
        MM_TEST_CLIENT(MemoryIsReservedThenCommittedThenZeroAgain),
        MM_TEST_USER(BadAllocationsAreRefused),
        MM_TEST_USER(BadFreesAreRefused),
        MM_TEST_CLIENT(ProtectionHoldsForClientAndKernel),
        MM_TEST_USER(AQueryTellsRegions),
        MM_TEST_USER(WhatFreesIsFoundAgain),
        MM_TEST_USER(SecuredMemoryStays),
        MM_TEST_USER(ProbesRaiseWhatIsDocumented),
        MM_TEST_USER(OrdinaryMemoryIsUserMemoryOfAnEmbeddedProcess),
        MM_TEST_CLIENT(OtherMemoryOfAClientIsReachedByItsHand),
        MM_TEST_USER(AccessorsWorkOrRaise),
        MM_TEST_USER(NothingIsAUserRangeOfLength0),
        MM_TEST_USER(ARangeEndsWhereTheSlotDoes),
        MM_TEST_USER(ARangeIsAskedForPageByPage),
        MM_TEST_USER(ACopyOfAnyLengthIsExactAndEndsWhereThePageDoes),
        MM_TEST_USER(AClientMayTakeItsMemoryAwayDuringACopy),
        MM_TEST(TwoProcessesHaveTheirOwnSlots),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
