/* Mapping MDLs: in system space by system PTEs, and into processes. */
#include "mmtest.h"

#define TAG 'tseT'

static VF_BUGCHECK Record;

typedef struct MAP {
    PMDL Mdl;
    PVOID Requested;
    ULONG Priority;
    char *Mapped;
} MAP;

static void Map(void *Argument)
{
    MAP *M = Argument;

    M->Mapped =
        MmMapLockedPagesSpecifyCache(M->Mdl, UserMode, MmCached, M->Requested, FALSE, M->Priority);
}

static NTSTATUS TryMap(MAP *M)
{
    return MmTestRaises(Map, M);
}

static PMDL MdlOf(void *Block, ULONG Bytes)
{
    PMDL Mdl = IoAllocateMdl(Block, Bytes, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    return Mdl;
}

/* Two runs of pages that are no neighbours. */
static PMDL ScatteredMdl(PFN_NUMBER Frames[3])
{
    PMDL Mdl = IoAllocateMdl(NULL, 3 * PAGE_SIZE, FALSE, FALSE, NULL);

    for (ULONG i = 0; i < 3; i++)
        assert_success(MmAllocateFrames(1, &Frames[i]));
    MmGetMdlPfnArray(Mdl)[0] = Frames[2];
    MmGetMdlPfnArray(Mdl)[1] = Frames[0];
    MmGetMdlPfnArray(Mdl)[2] = Frames[1];
    Mdl->MdlFlags |= MDL_PAGES_LOCKED;
    return Mdl;
}

static void DropScattered(PMDL Mdl, PFN_NUMBER Frames[3])
{
    Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
    IoFreeMdl(Mdl);
    for (ULONG i = 0; i < 3; i++)
        MmFreeFrames(Frames[i], 1);
}

static void ScatteredPagesAppearAsOneRange(void **Unused)
{
    PFN_NUMBER Frames[3];
    PMDL Mdl = ScatteredMdl(Frames);
    char *Mapped =
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);

    assert_non_null(Mapped);
    assert_true((ULONG_PTR)Mapped >= MM_SYSTEM_PTE_LOW);
    memset(Mapped, 'x', 3 * PAGE_SIZE);
    for (ULONG i = 0; i < 3; i++)
        assert_int_equal(((char *)MmFrameAddress(Frames[i]))[PAGE_SIZE - 1], 'x');
    assert_int_equal(MmGetPhysicalAddress(Mapped).QuadPart >> PAGE_SHIFT, Frames[2]);
    VF_EXPECT_BUGCHECK (&Record)
        IoFreeMdl(Mdl);
    assert_bugcheck(Record, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, Mdl, (USHORT)Mdl->MdlFlags,
                    0);
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapLockedPages(Mapped + PAGE_SIZE, Mdl);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 3, Mdl, Mapped, Mapped + PAGE_SIZE);
    MmUnmapLockedPages(Mapped, Mdl);
    assert_false(MmIsAddressValid(Mapped));
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapLockedPages(Mapped, Mdl);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 6, Mdl, Mapped, 3);
    DropScattered(Mdl, Frames);
}

static void AMappingCanBeReadOnly(void **Unused)
{
    char *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Block, PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL Again = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
    char *Mapped;

    MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess);
    Mapped = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE,
                                          NormalPagePriority | MdlMappingNoWrite);
    assert_non_null(Mapped);
    *Block = 'q';
    assert_int_equal(*Mapped, 'q');
    MmInitializeMdl(Again, Mapped, PAGE_SIZE); /* its page may be read but not written to */
    assert_status(MmProtectMdlSystemAddress(Again, PAGE_READONLY), STATUS_NOT_MAPPED_VIEW);
    assert_status(MmProtectMdlSystemAddress(Mdl, PAGE_WRITECOPY), STATUS_INVALID_PAGE_PROTECTION);
    assert_success(MmProtectMdlSystemAddress(Mdl, PAGE_READWRITE));
    *Mapped = 'r';
    assert_int_equal(*Block, 'r');
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    IoFreeMdl(Again);
    ExFreePool(Block);
}

static void AReservedMappingServesManyMdls(void **Unused)
{
    void *Base = MmAllocateMappingAddress(3 * PAGE_SIZE, TAG);
    PFN_NUMBER Frames[3];
    PMDL Mdl = ScatteredMdl(Frames);

    assert_non_null(Base);
    for (ULONG i = 0; i < 3; i++) {
        char *Mapped = MmMapLockedPagesWithReservedMapping(Base, TAG, Mdl, MmCached);

        assert_ptr_equal(Mapped, Base);
        memset(Mapped, 'y', 3 * PAGE_SIZE);
        VF_EXPECT_BUGCHECK (&Record)
            MmMapLockedPagesWithReservedMapping(Base, TAG, Mdl, MmCached);
        assert_int_equal(Record.Parameters[0], 0x107);
        VF_EXPECT_BUGCHECK (&Record)
            MmFreeMappingAddress(Base, TAG);
        assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x103, Base, TAG, 3);
        MmUnmapReservedMapping(Base, TAG, Mdl);
    }
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapReservedMapping(Base, TAG, Mdl);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x109, Base, TAG, 0);
    VF_EXPECT_BUGCHECK (&Record)
        MmMapLockedPagesWithReservedMapping(Base, 'rehO', Mdl, MmCached);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x104, Base, 'rehO', TAG);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeMappingAddress(Base, 'rehO');
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x101, Base, 'rehO', TAG);
    MmFreeMappingAddress(Base, TAG);
    VF_EXPECT_BUGCHECK (&Record)
        MmFreeMappingAddress(Base, TAG);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 0x102, Base, TAG, 0);
    DropScattered(Mdl, Frames);
}

static void AProcessSeesTheKernelsPages(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 2 * PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, 2 * PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority};
    MM_STATISTICS Statistics;
    char *Client;

    strcpy(Block, "before");
    assert_success(TryMap(&M));
    assert_in_range((ULONG_PTR)M.Mapped, MmTestSpace.Low, MmTestSpace.High);
    Client = MmTestClientView(M.Mapped);
    assert_string_equal(Client, "before");
    assert_string_equal(M.Mapped, "before");
    strcpy(Client, "client");
    assert_string_equal(Block, "client");
    strcpy(Block + PAGE_SIZE, "kernel");
    assert_string_equal(Client + PAGE_SIZE, "kernel");
    assert_true(MmIsAddressValid(M.Mapped));
    assert_int_equal(MmGetPhysicalAddress(M.Mapped).QuadPart, MmGetPhysicalAddress(Block).QuadPart);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 2);
    MmUnmapLockedPages(M.Mapped, Mdl);
    assert_false(MmIsAddressValid(M.Mapped));
    assert_string_equal(Block, "client");
    assert_string_equal(Block + PAGE_SIZE, "kernel");
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 0);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void AClientCannotWriteToAReadOnlyMapping(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority | MdlMappingNoWrite};
    SIZE_T Bytes = PAGE_SIZE;
    PVOID Base;
    ULONG Old;

    assert_success(TryMap(&M));
    assert_true(host_protect(MmTestClientView(M.Mapped), PAGE_SIZE, HOST_READ | HOST_WRITE) < 0);
    assert_status(MmCopyToUser(M.Mapped, "x", 1), STATUS_ACCESS_VIOLATION);
    Base = M.Mapped;
    assert_status(MmProtectUser(&MmTestSpace, &Base, &Bytes, PAGE_READWRITE, &Old),
                  STATUS_INVALID_PAGE_PROTECTION);
    Bytes = 0;
    assert_status(MmFreeUser(&MmTestSpace, &Base, &Bytes, MEM_RELEASE),
                  STATUS_UNABLE_TO_DELETE_SECTION);
    MmUnmapLockedPages(M.Mapped, Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void ARequestedAddressIsHonouredOrRefused(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl,
             .Priority = NormalPagePriority,
             .Requested = (PVOID)(MmTestSpace.Low + 0x4000000)},
        N;

    assert_success(TryMap(&M));
    assert_ptr_equal(M.Mapped, M.Requested);
    N = M;
    assert_status(TryMap(&N), STATUS_CONFLICTING_ADDRESSES);
    N.Requested = (PVOID)0x10000000;
    assert_status(TryMap(&N), STATUS_CONFLICTING_ADDRESSES);
    N.Requested = NULL; /* a second mapping is fine */
    assert_success(TryMap(&N));
    assert_ptr_not_equal(M.Mapped, N.Mapped);
    MmUnmapLockedPages(M.Mapped, Mdl);
    strcpy(Block, "still");
    assert_string_equal(MmTestClientView(N.Mapped), "still");
    MmUnmapLockedPages(N.Mapped, Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void WhatCannotBeMappedRaises(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority};
    MM_STATISTICS Statistics;

    MmTestHandFailsAt = MmTestHandCalls + 1;
    assert_status(TryMap(&M), STATUS_PROCESS_IS_TERMINATING);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 0);
    MmTestProcess.AddressSpace = NULL;
    assert_status(TryMap(&M), STATUS_INVALID_ADDRESS);
    MmTestProcess.AddressSpace = &MmTestSpace;
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void UnmappingInAnotherProcessIsDA_6(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority};
    MM_ADDRESS_SPACE Other;

    assert_success(TryMap(&M));
    assert_success(MmCreateAddressSpace(&Other, FALSE));
    MmTestProcess.AddressSpace = &Other;
    VF_EXPECT_BUGCHECK (&Record)
        MmUnmapLockedPages(M.Mapped, Mdl);
    assert_bugcheck(Record, SYSTEM_PTE_MISUSE, 6, Mdl, M.Mapped, 1);
    MmTestProcess.AddressSpace = &MmTestSpace;
    MmDeleteAddressSpace(&Other);
    MmUnmapLockedPages(M.Mapped, Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void AProcessThatEndsLosesItsMappings(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority};
    MM_STATISTICS Statistics;

    assert_success(TryMap(&M));
    strcpy(M.Mapped, "last words");
    MmCleanAddressSpace(&MmTestSpace);
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.SharedFrames, 0);
    assert_string_equal(Block, "last words");
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void FreeingWhatAProcessSeesIs4E(void **Unused)
{
    char *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    PMDL Mdl = MdlOf(Block, PAGE_SIZE);
    MAP M = {.Mdl = Mdl, .Priority = NormalPagePriority};

    assert_success(TryMap(&M));
    VF_EXPECT_BUGCHECK (&Record)
        ExFreePool(Block);
    assert_int_equal(Record.Code, PFN_LIST_CORRUPT);
    assert_int_equal(Record.Parameters[0], 0x9A);
    MmUnmapLockedPages(M.Mapped, Mdl);
    IoFreeMdl(Mdl);
    ExFreePool(Block);
}

static void SlotPagesAreLockedInPlace(void **Unused)
{
    PVOID Base = NULL;
    SIZE_T Bytes = 2 * PAGE_SIZE;
    PMDL Mdl;
    char *System;

    assert_success(
        MmAllocateUser(&MmTestSpace, &Base, &Bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    strcpy(MmTestClientView(Base), "from the client");
    Mdl = IoAllocateMdl(Base, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    assert_ptr_equal(Mdl->Process, &MmTestProcess);
    assert_int_equal(MmTestSpace.LockedPages, 2);
    System = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    assert_string_equal(System, "from the client");
    strcpy(System, "from the driver");
    assert_string_equal(MmTestClientView(Base), "from the driver");
    VF_EXPECT_BUGCHECK (&Record)
        MmCleanAddressSpace(&MmTestSpace);
    assert_bugcheck(Record, PROCESS_HAS_LOCKED_PAGES, 0, &MmTestProcess, 2, 0);
    MmUnlockPages(Mdl);
    assert_int_equal(MmTestSpace.LockedPages, 0);
    IoFreeMdl(Mdl);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        MM_TEST(ScatteredPagesAppearAsOneRange),
        MM_TEST(AMappingCanBeReadOnly),
        MM_TEST(AReservedMappingServesManyMdls),
        MM_TEST_CLIENT(AProcessSeesTheKernelsPages),
        MM_TEST_CLIENT(AClientCannotWriteToAReadOnlyMapping),
        MM_TEST_CLIENT(ARequestedAddressIsHonouredOrRefused),
        MM_TEST_CLIENT(WhatCannotBeMappedRaises),
        MM_TEST_CLIENT(UnmappingInAnotherProcessIsDA_6),
        MM_TEST_CLIENT(AProcessThatEndsLosesItsMappings),
        MM_TEST_CLIENT(FreeingWhatAProcessSeesIs4E),
        MM_TEST_CLIENT(SlotPagesAreLockedInPlace),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
