/* Functions 0 to 10 against the executive: what they show is what is there. */
#include "spy_test.h"
#include "drivers/sharingmemory/public.h"

static void the_version_tells_the_layout(void **State)
{
    SPY_VERSION_INFO Version;

    SpyAnswer(SPY_IO_VERSION_INFO, NULL, 0, &Version, sizeof(Version));
    assert_int_equal(Version.dVersion, SPY_VERSION);
    assert_memory_equal(Version.awName, L"SBS Windows 2000 Spy Device", 56);
}

static void the_systems_numbers_are_the_executives(void **State)
{
    SPY_OS_INFO Os;
    ULONG Build;

    SpyAnswer(SPY_IO_OS_INFO, NULL, 0, &Os, sizeof(Os));
    PsGetVersion(NULL, NULL, &Build, NULL);
    assert_int_equal(Os.dPageSize, PAGE_SIZE);
    assert_int_equal(Os.dNumberProcessors, 2);
    assert_int_equal(Os.dBuildNumber, Build & 0xFFFF);
    assert_ptr_equal(Os.pSystemRangeStart, MmSystemRangeStart);
    assert_ptr_equal(Os.pSharedUserData, (PVOID)0x7FFE0000);
    assert_int_equal(Os.awNtSystemRoot[1], ':');
    assert_int_equal(Os.dNtMajorVersion, 10);
    assert_null(Os.PteArray);
    assert_null(Os.pThreadEnvironmentBlock);
}

static SPY_SEGMENT segment(ULONG Selector)
{
    SPY_SEGMENT Segment;

    SpyAnswer(SPY_IO_SEGMENT, &Selector, sizeof(Selector), &Segment, sizeof(Segment));
    return Segment;
}

static void segments_are_those_of_x64(void **State)
{
    SPY_SEGMENT Code = segment(0x10), Task = segment(0x40);

    assert_true(Code.fOk && !Code.pBase);
    assert_int_equal(Code.Descriptor.qLow, 0x00209B0000000000);
    assert_true(segment(0x33).fOk && segment(0x2B).fOk && segment(0x53).fOk);
    assert_int_equal(segment(0x2B).dLimit, 0xFFFFFFFF);
    assert_true(Task.fOk && MmIsSystemAddress(Task.pBase));
    assert_int_equal(Task.dLimit, 0x67);
    for (ULONG Bad = 0; Bad < 4; Bad++)
        assert_false(segment(Bad).fOk);
    assert_false(segment(0x08).fOk);
    assert_false(segment(0x58).fOk); /* one behind the limit */
    assert_false(segment(0x14).fOk); /* there is no local table */
    assert_false(segment(0x10010).fOk);
    assert_int_equal(segment(0x58).Descriptor.qLow | segment(0x58).Descriptor.qHigh, 0);
}

static SPY_INTERRUPT interrupt(ULONG Vector)
{
    SPY_INTERRUPT Interrupt;

    SpyAnswer(SPY_IO_INTERRUPT, &Vector, sizeof(Vector), &Interrupt, sizeof(Interrupt));
    return Interrupt;
}

static void gates_lead_into_the_executive(void **State)
{
    static const UCHAR Served[] = {0, 3, 6, 8, 13, 14, 0x29, 0x2D, 0x2F, 0xD1, 0xE1};
    char Name[64];

    for (ULONG i = 0; i < RTL_NUMBER_OF(Served); i++) {
        SPY_INTERRUPT Gate = interrupt(Served[i]);

        assert_true(Gate.fOk && Gate.Segment.fOk);
        assert_int_equal(Gate.Segment.Selector.wValue, 0x10);
        assert_true(LdrModuleOf(Gate.pOffset, Name, sizeof(Name), NULL));
        assert_string_equal(Name, "ntoskrnl.exe");
    }
    assert_ptr_equal(interrupt(14).pOffset, (PVOID)VfOnFault);
    assert_false(interrupt(0x30).fOk);
    assert_false(interrupt(256).fOk);
    assert_false(interrupt(MAXULONG).fOk);
}

static void the_processors_registers_describe_the_callers_process(void **State)
{
    SPY_CPU_INFO Cpu;

    SpyAnswer(SPY_IO_CPU_INFO, NULL, 0, &Cpu, sizeof(Cpu));
    assert_int_equal(Cpu.cr3, MmCurrentAddressSpace()->DirectoryFrame << PAGE_SHIFT);
    assert_int_equal(Cpu.cr0 & 0x80010001, 0x80010001);
    assert_int_equal(Cpu.cr4 & 0x20, 0x20);
    assert_int_equal(Cpu.cs.Selector.wValue, 0x10);
    assert_true(Cpu.cs.fOk && Cpu.ds.fOk && Cpu.ss.fOk && Cpu.tss.fOk);
    assert_int_equal(Cpu.gdt.wLimit, 0x57);
    assert_int_equal(Cpu.idt.wLimit, 0xFFF);
    assert_true(SpyEntry((PVOID)Cpu.gdt.qBase).fPresent);
    assert_int_equal(Cpu.ldt.wValue, 0);
    assert_true(Cpu.dProcessor < 2);
}

static void each_processor_has_tables_of_its_own(void **State)
{
    PVOID Gdt[2];

    for (ULONG i = 0; i < 2; i++) {
        SPY_CPU_INFO Cpu;

        KeSetSystemAffinityThread((KAFFINITY)1 << i);
        Gdt[i] = KeGetPcr()->GdtBase;
        KeRevertToUserAffinityThread();
        SpyAnswer(SPY_IO_CPU_INFO, NULL, 0, &Cpu, sizeof(Cpu));
        assert_ptr_equal((PVOID)Cpu.gdt.qBase, KeProcessor_(Cpu.dProcessor)->Gdt);
    }
    assert_ptr_not_equal(Gdt[0], Gdt[1]);
}

static void the_top_table_is_the_processs(void **State)
{
    SPY_PDE_ARRAY Array;

    SpyAnswer(SPY_IO_PDE_ARRAY, NULL, 0, &Array, sizeof(Array));
    assert_memory_equal(Array.apde, MmFrameAddress(MmCurrentAddressSpace()->DirectoryFrame),
                        PAGE_SIZE);
}

static void a_page_entry_is_the_page_tables(void **State)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, 'tseT');
    SPY_PAGE_ENTRY Entry = SpyEntry(Block);
    MM_PTE Levels[4];
    ULONG Shift;

    assert_true(MmWalk(MmCurrentAddressSpace()->DirectoryFrame, (ULONG_PTR)Block, Levels, &Shift));
    assert_int_equal(Entry.pe, Levels[3].Value);
    assert_int_equal(Entry.dSize, PAGE_SIZE);
    assert_true(Entry.fPresent && Entry.dLevel == 1);
    assert_int_equal(Entry.pe & SPY_PE_USER, 0);
    assert_int_equal(SpyWhere(Block), MmGetPhysicalAddress(Block).QuadPart);
    assert_int_equal(SpyWhere((char *)Block + 123), MmGetPhysicalAddress(Block).QuadPart + 123);
    ExFreePoolWithTag(Block, 'tseT');
}

static void what_is_not_mapped_has_no_physical_address(void **State)
{
    static const ULONG_PTR None[] = {
        0, 0x1000, 0x7cfffffff000, 0x800000000000, 0xFFFF7FFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF};

    for (ULONG i = 0; i < RTL_NUMBER_OF(None); i++) {
        assert_false(SpyEntry((PVOID)None[i]).fPresent);
        assert_int_equal(SpyWhere((PVOID)None[i]), 0);
    }
    assert_int_equal(SpyEntry((PVOID)0x800000000000).dLevel, 0);
}

static void a_large_page_of_a_slot_is_shown_as_one(void **State)
{
    SPY_PAGE_ENTRY Entry = SpyEntry((PVOID)MmCurrentAddressSpace()->Low);

    assert_true(Entry.fPresent && Entry.dLevel == 2 && (Entry.pe & SPY_PE_LARGE));
    assert_int_equal(Entry.dSize, 0x200000);
    assert_true(Entry.pe & SPY_PE_USER);
}

/* The page of SharingMemory, in the client: the driver's own page is the same frame. */
static void a_shared_page_is_one_frame_in_the_driver_and_in_the_client(void **State)
{
    HANDLE File = DriverTestOpened("SharingMemory");
    PVOID Page[2] = {NULL};
    SPY_PAGE_ENTRY Client, Kernel;
    PVOID Direct;
    PHYSICAL_ADDRESS Physical;

    assert_ok(DriverTestControl(File, IOCTL_GIVE_ME_YOUR_MEMORY, NULL, 0, Page, sizeof(PVOID)));
    Client = SpyEntry(Page[0]);
    assert_true(Client.fPresent && (Client.pe & SPY_PE_USER) && !(Client.pe & SPY_PE_WRITE));
    Physical.QuadPart = (LONGLONG)SpyWhere(Page[0]);
    assert_int_not_equal(Physical.QuadPart, 0);
    assert_true(MmPhysicalToVirtual(Physical, &Direct));
    Kernel = SpyEntry(Direct);
    assert_true(Kernel.fPresent && (Kernel.pe & SPY_PE_WRITE) && !(Kernel.pe & SPY_PE_USER));
    assert_int_equal(Kernel.pe >> 12 & 0xFFFFFFFFFF, Client.pe >> 12 & 0xFFFFFFFFFF);
    assert_memory_equal(Direct, Page[0], 2);
    DriverTestClose(File);
    assert_false(SpyEntry(Page[0]).fPresent);
    assert_int_equal(SpyWhere(Page[0]), 0);
}

static NTSTATUS data(const void *Address, ULONG Bytes, void *Out, ULONG Length)
{
    SPY_MEMORY_BLOCK Block = {(PVOID)Address, Bytes};

    return SpyAsk(SPY_IO_MEMORY_DATA, &Block, sizeof(Block), Out, Length);
}

static NTSTATUS block(const void *Address, ULONG Bytes, void *Out, ULONG Length)
{
    SPY_MEMORY_BLOCK Block = {(PVOID)Address, Bytes};

    return SpyAsk(SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), Out, Length);
}

static struct {
    SPY_MEMORY_BLOCK smb;
    USHORT awData[3 * PAGE_SIZE];
} Data;

static void memory_is_shown_byte_by_byte(void **State)
{
    UCHAR *Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 2 * PAGE_SIZE, 'tseT');

    for (ULONG i = 0; i < 2 * PAGE_SIZE; i++)
        Pool[i] = (UCHAR)(i * 7);
    assert_ok(data(Pool + 100, PAGE_SIZE, &Data, sizeof(Data)));
    assert_int_equal(Information, SPY_MEMORY_DATA_HEAD + 2 * PAGE_SIZE);
    assert_ptr_equal(Data.smb.pAddress, Pool + 100);
    assert_int_equal(Data.smb.dBytes, PAGE_SIZE);
    for (ULONG i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(Data.awData[i], SPY_BYTE_VALID | (UCHAR)((i + 100) * 7));
    assert_ok(data(Pool, 0, &Data, sizeof(Data)));
    assert_int_equal(Information, SPY_MEMORY_DATA_HEAD);
    ExFreePoolWithTag(Pool, 'tseT');
}

static void a_byte_that_is_not_there_is_marked(void **State)
{
    PVOID Base = NULL;
    SIZE_T Bytes = PAGE_SIZE;
    UCHAR *Page;

    assert_ok(SYS(NtAllocateVirtualMemory, ZwCurrentProcess(), &Base, 0, &Bytes, MEM_RESERVE,
                  PAGE_NOACCESS));
    Bytes = PAGE_SIZE;
    assert_ok(SYS(NtAllocateVirtualMemory, ZwCurrentProcess(), &Base, 0, &Bytes, MEM_COMMIT,
                  PAGE_READWRITE));
    Page = Base;
    memset(Page, 0xAB, PAGE_SIZE);
    assert_ok(data(Page + PAGE_SIZE - 3, 10, &Data, sizeof(Data)));
    assert_int_equal(Data.awData[2], SPY_BYTE_VALID | 0xAB);
    assert_int_equal(Data.awData[3], 0);
    assert_status(block(Page + PAGE_SIZE - 3, 10, &Data, sizeof(Data)), STATUS_INVALID_PARAMETER);
    assert_int_equal(Information, 0);
    assert_ok(block(Page + PAGE_SIZE - 3, 3, &Data, sizeof(Data)));
    assert_int_equal(Information, 3);
    assert_ok(block((PVOID)0x1234, 0, &Data, sizeof(Data)));
    assert_int_equal(Information, 0);
    Bytes = 0;
    assert_ok(SYS(NtFreeVirtualMemory, ZwCurrentProcess(), &Base, &Bytes, MEM_RELEASE));
    assert_ok(data(Page, 1, &Data, sizeof(Data)));
    assert_int_equal(Data.awData[0], 0);
}

static void a_length_that_would_wrap_is_refused(void **State)
{
    static const ULONG Lengths[] = {0x7FFFFFF8, 0x7FFFFFFC, 0x80000000,
                                    0xFFFFFFF0, 0xFFFFFFFF, 3 * PAGE_SIZE + 1};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Lengths); i++) {
        assert_status(data(&Data, Lengths[i], &Data, sizeof(Data)), STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(Information, 0);
    }
    assert_ok(data((PVOID)(ULONG_PTR)-8, 16, &Data, sizeof(Data)));
    for (ULONG i = 0; i < 16; i++)
        assert_int_equal(Data.awData[i], 0);
}

static void a_handle_leads_to_its_object(void **State)
{
    HANDLE Bad[] = {NULL, (HANDLE)0x7FFC, (HANDLE)-0x7FFC};
    SPY_HANDLE_INFO Info;
    PVOID Body;

    assert_ok(ObReferenceObjectByHandle(Spy, 0, NULL, UserMode, &Body, NULL));
    SpyAnswer(SPY_IO_HANDLE_INFO, &Spy, sizeof(Spy), &Info, sizeof(Info));
    assert_ptr_equal(Info.pObjectBody, Body);
    assert_int_equal(Info.dHandleAttributes, 0);
    assert_true(Info.dGrantedAccess & FILE_READ_DATA);
    ObDereferenceObject(Body);
    assert_status(SpyAsk(SPY_IO_HANDLE_INFO, &Bad[0], 8, &Info, sizeof(Info)),
                  STATUS_INVALID_PARAMETER);
    assert_status(SpyAsk(SPY_IO_HANDLE_INFO, &Bad[1], 8, &Info, sizeof(Info)),
                  STATUS_INVALID_HANDLE);
    assert_status(SpyAsk(SPY_IO_HANDLE_INFO, &Bad[2], 8, &Info, sizeof(Info)),
                  STATUS_INVALID_HANDLE);
}

/* Context: a handle of the other process. */
static void look_at_a_foreign_handle(void *Context)
{
    HANDLE File = DriverTestOpened("w2k_spy"), Next;
    SPY_HANDLE_INFO Info;

    for (Next = *(HANDLE *)Context; Next == File; Next = (HANDLE)((ULONG_PTR)Next + 0x1000))
        ;
    assert_status(DriverTestControl(File, SPY_IO_HANDLE_INFO, &Next, 8, &Info, sizeof(Info)),
                  STATUS_INVALID_HANDLE);
    DriverTestClose(File);
}

static void a_handle_means_something_in_its_process_and_until_it_is_closed(void **State)
{
    HANDLE Others[8], Closed;
    SPY_HANDLE_INFO Info;

    for (ULONG i = 0; i < 8; i++)
        Others[i] = DriverTestOpened("w2k_spy");
    Closed = Others[7];
    SpyAnswer(SPY_IO_HANDLE_INFO, &Closed, sizeof(Closed), &Info, sizeof(Info));
    DriverTestElsewhere(look_at_a_foreign_handle, &Closed);
    for (ULONG i = 0; i < 8; i++)
        DriverTestClose(Others[i]);
    assert_status(SpyAsk(SPY_IO_HANDLE_INFO, &Closed, 8, &Info, sizeof(Info)),
                  STATUS_INVALID_HANDLE);
    assert_int_equal(Information, 0);
}

/* Addresses of every kind, and lengths of every kind. */
static ULONG64 Seed = 0x9E3779B97F4A7C15;
static ULONG64 next(void)
{
    Seed ^= Seed << 13;
    Seed ^= Seed >> 7;
    return Seed ^= Seed << 17;
}

static ULONG_PTR any_address(UCHAR *Freed)
{
    ULONG64 Random = next();

    switch (Random % 6) {
    case 0:
        return next();
    case 1:
        return MM_SYSTEM_LOW + next() % (MM_SYSTEM_HIGH - MM_SYSTEM_LOW);
    case 2:
        return MM_SYSTEM_LOW + next() % ((ULONG_PTR)64 << 20);
    case 3:
        return MmCurrentAddressSpace()->Low + next() % (64 << 20);
    case 4:
        return (ULONG_PTR)Freed + next() % (4 * PAGE_SIZE) - PAGE_SIZE;
    default:
        return (ULONG_PTR)-1 - next() % 8192;
    }
}

static BOOLEAN present(ULONG_PTR Address)
{
    MM_PTE Levels[4];
    ULONG Shift;

    return Address >> 47 == 0 &&
           MmWalk(MmCurrentAddressSpace()->DirectoryFrame, Address, Levels, &Shift);
}

/* The random questions come in one request packet of the test's own, with a system buffer that
 * stays: nothing is allocated or freed between an answer and the look at the page tables. */
static struct {
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    PIRP Irp;
    UCHAR *Buffer;
} Own;
#define OWN_BUFFER 0x8000

static NTSTATUS NTAPI keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS question(ULONG Code, const void *In, ULONG InLength, ULONG OutLength)
{
    PIO_STACK_LOCATION Stack;

    IoReuseIrp(Own.Irp, STATUS_SUCCESS);
    memcpy(Own.Buffer, In, InLength);
    Own.Irp->AssociatedIrp.SystemBuffer = Own.Buffer;
    Stack = IoGetNextIrpStackLocation(Own.Irp);
    Stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack->FileObject = Own.File;
    Stack->Parameters.DeviceIoControl.IoControlCode = Code;
    Stack->Parameters.DeviceIoControl.InputBufferLength = InLength;
    Stack->Parameters.DeviceIoControl.OutputBufferLength = OutLength;
    IoSetCompletionRoutine(Own.Irp, keep, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(Own.Device, Own.Irp);
}

static int own_begin(void **State)
{
    if (SpyTestBoot(State))
        return -1;
    assert_ok(
        ObReferenceObjectByHandle(Spy, 0, *IoFileObjectType, UserMode, (PVOID *)&Own.File, NULL));
    Own.Device = IoGetRelatedDeviceObject(Own.File);
    Own.Irp = IoAllocateIrp(Own.Device->StackSize, FALSE);
    Own.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, OWN_BUFFER, 'tseT');
    return Own.Irp && Own.Buffer ? 0 : -1;
}

static int own_end(void **State)
{
    ExFreePoolWithTag(Own.Buffer, 'tseT');
    IoFreeIrp(Own.Irp);
    ObDereferenceObject(Own.File);
    return SpyTestStop(State);
}

/* What only the page tables decide: all but the memory of Linux. */
static BOOLEAN is_ours(ULONG_PTR At)
{
    return At >> 47 || (At >= MM_SLOT_LOW && At < MM_SYSTEM_HIGH);
}

/* Function 8: each byte is marked as the page tables say. Tells whether all of them are there. */
static BOOLEAN look_at_bytes(SPY_MEMORY_BLOCK *Block)
{
    SPY_MEMORY_DATA *Answer = (SPY_MEMORY_DATA *)Own.Buffer;
    BOOLEAN All = TRUE, There = FALSE;

    assert_ok(question(SPY_IO_MEMORY_DATA, Block, sizeof(*Block),
                       SPY_MEMORY_DATA_HEAD + 2 * Block->dBytes));
    assert_int_equal(Own.Irp->IoStatus.Information, SPY_MEMORY_DATA_HEAD + 2 * Block->dBytes);
    for (ULONG i = 0; i < Block->dBytes; i++) {
        ULONG_PTR At = (ULONG_PTR)Block->pAddress + i;
        BOOLEAN Valid = Answer->awData[i] >> 8;

        All &= Valid;
        if (!i || !BYTE_OFFSET(At))
            There = present(At);
        if (is_ours(At) && Valid != There)
            fail_msg("%llx is %s", (unsigned long long)At, Valid ? "shown" : "not shown");
    }
    return All;
}

static void look_at(ULONG_PTR Address, ULONG Length)
{
    SPY_MEMORY_BLOCK Block = {(PVOID)Address, Length};
    BOOLEAN All = look_at_bytes(&Block);
    PHYSICAL_ADDRESS Physical;
    PVOID Direct;

    assert_status(question(SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), Length),
                  All ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    assert_ok(question(SPY_IO_PAGE_ENTRY, &Block.pAddress, sizeof(PVOID), sizeof(SPY_PAGE_ENTRY)));
    if (((SPY_PAGE_ENTRY *)Own.Buffer)->fPresent != present(Address))
        fail_msg("%llx", (unsigned long long)Address);
    assert_ok(question(SPY_IO_PHYSICAL, &Block.pAddress, sizeof(PVOID), sizeof(ULONGLONG)));
    Physical.QuadPart = *(LONGLONG *)Own.Buffer;
    if (!present(Address))
        assert_int_equal(Physical.QuadPart, 0);
    else if (MmPhysicalToVirtual(Physical, &Direct))
        assert_int_equal(Physical.QuadPart, MmGetPhysicalAddress((PVOID)Address).QuadPart);
}

static void a_million_random_questions_harm_nothing(void **State)
{
    UCHAR *Freed = ExAllocatePoolWithTag(NonPagedPoolNx, 2 * PAGE_SIZE, 'tseT');
    /* four questions each */
    ULONG Rounds = 250000;

    ExFreePoolWithTag(Freed, 'tseT');
    for (ULONG i = 0; i < Rounds; i++)
        look_at(any_address(Freed), next() % 16 ? (ULONG)(next() % 64) : (ULONG)(next() % 9000));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SPY_TEST(the_version_tells_the_layout),
        SPY_TEST(the_systems_numbers_are_the_executives),
        SPY_TEST(segments_are_those_of_x64),
        SPY_TEST(gates_lead_into_the_executive),
        SPY_TEST(the_processors_registers_describe_the_callers_process),
        SPY_TEST(each_processor_has_tables_of_its_own),
        SPY_TEST(the_top_table_is_the_processs),
        SPY_TEST(a_page_entry_is_the_page_tables),
        SPY_TEST(what_is_not_mapped_has_no_physical_address),
        SPY_TEST(a_large_page_of_a_slot_is_shown_as_one),
        SPY_TEST(a_shared_page_is_one_frame_in_the_driver_and_in_the_client),
        SPY_TEST(memory_is_shown_byte_by_byte),
        SPY_TEST(a_byte_that_is_not_there_is_marked),
        SPY_TEST(a_length_that_would_wrap_is_refused),
        SPY_TEST(a_handle_leads_to_its_object),
        SPY_TEST(a_handle_means_something_in_its_process_and_until_it_is_closed),
        cmocka_unit_test_setup_teardown(a_million_random_questions_harm_nothing, own_begin,
                                        own_end),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
