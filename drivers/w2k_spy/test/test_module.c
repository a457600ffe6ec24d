/* Functions 19 to 23: modules, images, symbols, calls. */
#include "spy_test.h"
#include <ntimage.h>

static NTSTATUS find(const char *Name, SPY_MODULE_INFO *Info)
{
    return SpyAsk(SPY_IO_MODULE_INFO, &Name, sizeof(Name), Info, sizeof(*Info));
}

static PVOID kernel(void)
{
    SPY_MODULE_INFO Info;

    assert_ok(find("ntoskrnl.exe", &Info));
    return Info.pBase;
}

static void a_module_is_found_by_its_name_in_any_case(void **State)
{
    SPY_MODULE_INFO Info;
    char Long[SPY_PATH_SIZE + 10];

    assert_ok(find("W2K_Spy.SYS", &Info));
    assert_string_equal(Info.abPath + Info.dNameOffset, "w2k_spy.sys");
    assert_true(Info.pBase && Info.dSize);
    assert_status(find("w2k_spy", &Info), STATUS_NO_SUCH_FILE);
    assert_status(find("w2k_spy.sys2", &Info), STATUS_NO_SUCH_FILE);
    assert_status(find("", &Info), STATUS_NO_SUCH_FILE);
    assert_status(find(NULL, &Info), STATUS_INVALID_PARAMETER);
    assert_status(find((PVOID)0x123456, &Info), STATUS_INVALID_PARAMETER);
    assert_status(find((PVOID)0x800000000000, &Info), STATUS_INVALID_PARAMETER);
    memset(Long, 'x', sizeof(Long));
    assert_status(find(Long, &Info), STATUS_NO_SUCH_FILE);
}

static void the_kernel_is_an_image_in_memory(void **State)
{
    PVOID Base = kernel();
    IMAGE_NT_HEADERS64 Headers;

    assert_true(SpyEntry(Base).fPresent);
    SpyAnswer(SPY_IO_PE_HEADER, &Base, sizeof(Base), &Headers, sizeof(Headers));
    assert_int_equal(Headers.Signature, IMAGE_NT_SIGNATURE);
    assert_int_equal(Headers.OptionalHeader.ImageBase, (ULONG_PTR)Base);
    assert_int_equal(Headers.FileHeader.Machine, IMAGE_FILE_MACHINE_AMD64);
}

static void a_native_driver_is_no_such_image(void **State)
{
    SPY_MODULE_INFO Info;
    IMAGE_NT_HEADERS64 Headers;
    PVOID Bases[] = {NULL, (PVOID)0x1000, (PVOID)0x800000000000, (PVOID)-4, &Headers};

    assert_ok(find("w2k_spy.sys", &Info));
    assert_status(SpyAsk(SPY_IO_PE_HEADER, &Info.pBase, 8, &Headers, sizeof(Headers)),
                  STATUS_INVALID_IMAGE_FORMAT);
    memset(&Headers, 0, sizeof(Headers));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Bases); i++)
        assert_status(SpyAsk(SPY_IO_PE_HEADER, &Bases[i], 8, &Headers, sizeof(Headers)),
                      STATUS_INVALID_PARAMETER);
}

static NTSTATUS symbol(const char *Name, PVOID *Address)
{
    return SpyAsk(SPY_IO_PE_SYMBOL, &Name, sizeof(Name), Address, sizeof(*Address));
}

static void exports_are_relocated_for_the_caller(void **State)
{
    static union {
        IMAGE_EXPORT_DIRECTORY Directory;
        char Bytes[0x40000];
    } Block;
    PVOID Base = kernel(), Address;
    ULONG *Names, *Functions;
    USHORT *Ordinals;
    ULONG_PTR Size;

    assert_status(SpyAsk(SPY_IO_PE_EXPORT, &Base, 8, &Block, sizeof(Block.Directory)),
                  STATUS_BUFFER_TOO_SMALL);
    assert_ok(SpyAsk(SPY_IO_PE_EXPORT, &Base, 8, &Block, sizeof(Block)));
    Size = Information;
    assert_string_equal(Block.Bytes + Block.Directory.Name, "ntoskrnl.exe");
    Names = (ULONG *)(Block.Bytes + Block.Directory.AddressOfNames);
    Functions = (ULONG *)(Block.Bytes + Block.Directory.AddressOfFunctions);
    Ordinals = (USHORT *)(Block.Bytes + Block.Directory.AddressOfNameOrdinals);
    assert_true(Block.Directory.NumberOfNames > 900);
    for (ULONG i = 0; i < Block.Directory.NumberOfNames; i++) {
        assert_in_range(Names[i], 1, Size - 1);
        if (i % 37 == 0) { /* each symbol alone is the same */
            assert_ok(symbol(Block.Bytes + Names[i], &Address));
            assert_ptr_equal(Address, (char *)Base + Functions[Ordinals[i]]);
        }
        if (i)
            assert_true(strcmp(Block.Bytes + Names[i - 1], Block.Bytes + Names[i]) < 0);
    }
    assert_ok(SpyAsk(SPY_IO_PE_EXPORT_R, &Base, 8, &Block, sizeof(Block)));
}

static void symbols_have_a_module_and_a_case(void **State)
{
    PVOID First, Second;
    char Long[SPY_NAME + 10];

    assert_ok(symbol("KeSetEvent", &First));
    assert_ok(symbol("NTOSKRNL.EXE!KeSetEvent", &Second));
    assert_ptr_equal(First, Second);
    assert_status(symbol("kesetevent", &First), STATUS_PROCEDURE_NOT_FOUND);
    assert_status(symbol("", &First), STATUS_PROCEDURE_NOT_FOUND);
    assert_status(symbol("none.sys!KeSetEvent", &First), STATUS_NO_SUCH_FILE);
    assert_status(symbol("w2k_spy.sys!DriverEntry", &First), STATUS_INVALID_IMAGE_FORMAT);
    assert_status(symbol((PVOID)0x1000, &First), STATUS_INVALID_PARAMETER);
    memset(Long, 'x', sizeof(Long));
    assert_false(NT_SUCCESS(symbol(Long, &First)));
}

static void a_text_may_end_at_the_end_of_a_page(void **State)
{
    PVOID Base = NULL, Address;
    SIZE_T Bytes = PAGE_SIZE;
    char *End;

    assert_ok(SYS(NtAllocateVirtualMemory, ZwCurrentProcess(), &Base, 0, &Bytes,
                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    End = (char *)Base + PAGE_SIZE;
    strcpy(End - 11, "KeSetEvent");
    assert_ok(symbol(End - 11, &Address));
    memset(End - 11, 'K', 11);
    assert_status(symbol(End - 11, &Address), STATUS_INVALID_PARAMETER);
    Bytes = 0;
    assert_ok(SYS(NtFreeVirtualMemory, ZwCurrentProcess(), &Base, &Bytes, MEM_RELEASE));
}

static char Changing[16];
static atomic_int Stop;

static void change_the_text(void *Context)
{
    static const char *const Texts[] = {"KeSetEvent", "KeResetEvent"};

    for (ULONG i = 0; !atomic_load(&Stop); i++)
        for (ULONG At = 0; At < sizeof("KeResetEvent"); At++)
            __atomic_store_n(&Changing[At], At <= strlen(Texts[i % 2]) ? Texts[i % 2][At] : 0,
                             __ATOMIC_RELAXED);
}

/* The driver has a copy: what it finds is one of the two, or nothing. */
static void a_text_may_change_meanwhile(void **State)
{
    PVOID First, Second, Address;
    DRIVER_THREAD Thread;

    assert_ok(symbol("KeSetEvent", &First));
    assert_ok(symbol("KeResetEvent", &Second));
    atomic_store(&Stop, 0);
    DriverTestThread(&Thread, change_the_text, NULL);
    for (ULONG i = 0; i < 20000; i++) {
        NTSTATUS Status = symbol(Changing, &Address);

        if (NT_SUCCESS(Status))
            assert_true(Address == First || Address == Second);
        else
            assert_int_equal(Status, STATUS_PROCEDURE_NOT_FOUND);
    }
    atomic_store(&Stop, 1);
    DriverTestJoin(&Thread);
}

/* ---- calls ---- */

static void allow(ULONG Value)
{
    UNICODE_STRING Path, Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;

    RtlInitUnicodeString(&Path,
                         L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\w2k_spy");
    RtlInitUnicodeString(&Name, L"AllowCall");
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    assert_ok(ZwOpenKey(&Key, KEY_ALL_ACCESS, &Attributes));
    assert_ok(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Value, sizeof(Value)));
    ZwClose(Key);
    DriverTestClose(Spy);
    assert_ok(DriverTestUnload("w2k_spy"));
    DRIVER_TEST_WAIT(!DriverTestBlocks(SPY_TEST_TAG));
    assert_ok(ZwLoadDriver(&Path));
    Spy = DriverTestOpened("w2k_spy");
}

static NTSTATUS call(const char *Symbol, PVOID Entry, ULONG Bytes, const void *Arguments,
                     ULONGLONG *Result)
{
    SPY_CALL_INPUT Call = {FALSE, Bytes, (PVOID)Arguments, Symbol, Entry};

    return SpyAsk(SPY_IO_CALL, &Call, sizeof(Call), Result, sizeof(*Result));
}

static void calling_is_off_until_it_is_allowed(void **State)
{
    ULONGLONG Result;

    assert_status(call("KeQueryTimeIncrement", NULL, 0, NULL, &Result), STATUS_ACCESS_DENIED);
    allow(1);
    assert_ok(call("KeQueryTimeIncrement", NULL, 0, NULL, &Result));
    assert_int_equal((ULONG)Result, KeQueryTimeIncrement());
    allow(2);
    assert_status(call("KeQueryTimeIncrement", NULL, 0, NULL, &Result), STATUS_ACCESS_DENIED);
}

static ULONG64 sum(ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e, ULONG_PTR f,
                   ULONG_PTR g, ULONG_PTR h)
{
    return a + 10 * (b + 10 * (c + 10 * (d + 10 * (e + 10 * (f + 10 * (g + 10 * h))))));
}

static ULONG64 fault(void)
{
    ExRaiseStatus(STATUS_DATA_ERROR);
    return 1;
}

static void routines_take_arguments_and_give_64_bits(void **State)
{
    ULONG_PTR Eight[SPY_ARGUMENTS] = {1, 2, 3, 4, 5, 6, 7, 8};
    PVOID Block = NULL;
    ULONGLONG Result;

    allow(1);
    assert_ok(call(NULL, (PVOID)sum, sizeof(Eight), Eight, &Result));
    assert_int_equal(Result, 87654321);
    assert_status(call(NULL, (PVOID)sum, sizeof(Eight) + 8, Eight, &Result),
                  STATUS_INVALID_PARAMETER);
    assert_status(call(NULL, (PVOID)sum, 7, Eight, &Result), STATUS_INVALID_PARAMETER);
    assert_status(call(NULL, (PVOID)sum, 8, (PVOID)8, &Result), STATUS_INVALID_PARAMETER);
    assert_status(call(NULL, (PVOID)0x1000, 0, NULL, &Result), STATUS_INVALID_PARAMETER);
    assert_status(call(NULL, (PVOID)fault, 0, NULL, &Result), STATUS_ACCESS_VIOLATION);
    assert_status(call("none!x", NULL, 0, NULL, &Result), STATUS_NO_SUCH_FILE);
    Eight[0] = NonPagedPoolNx;
    Eight[1] = 100;
    Eight[2] = 'tseT';
    assert_ok(call("ExAllocatePoolWithTag", NULL, 24, Eight, &Result));
    Block = (PVOID)Result;
    assert_true(MmIsSystemAddress(Block));
    Eight[0] = (ULONG_PTR)Block;
    Eight[1] = 'tseT';
    assert_ok(call("ntoskrnl.exe!ExFreePoolWithTag", NULL, 16, Eight, &Result));
    allow(0);
}

static void bytes_can_be_copied_instead(void **State)
{
    ULONG64 Value = 0x1122334455667788, Result;

    allow(1);
    for (ULONG n = 1; n <= 8; n++) {
        assert_ok(call(NULL, &Value, SPY_COPY(n), NULL, &Result));
        assert_int_equal(Result, n == 8 ? Value : Value & ((1ULL << n * 8) - 1));
    }
    assert_ok(call(NULL, &Value, SPY_COPY(0), NULL, &Result));
    assert_int_equal(Result, (ULONG_PTR)&Value);
    assert_ok(call("KeSetEvent", NULL, SPY_COPY(2), NULL, &Result));
    assert_status(call(NULL, (PVOID)0x1000, SPY_COPY(1), NULL, &Result), STATUS_ACCESS_VIOLATION);
    assert_status(call(NULL, &Value, SPY_COPY(9), NULL, &Result), STATUS_INVALID_PARAMETER);
    allow(0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SPY_TEST(a_module_is_found_by_its_name_in_any_case),
        SPY_TEST(the_kernel_is_an_image_in_memory),
        SPY_TEST(a_native_driver_is_no_such_image),
        SPY_TEST(exports_are_relocated_for_the_caller),
        SPY_TEST(symbols_have_a_module_and_a_case),
        SPY_TEST(a_text_may_end_at_the_end_of_a_page),
        SPY_TEST(a_text_may_change_meanwhile),
        SPY_TEST(calling_is_off_until_it_is_allowed),
        SPY_TEST(routines_take_arguments_and_give_64_bits),
        SPY_TEST(bytes_can_be_copied_instead),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
