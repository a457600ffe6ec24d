#include "ldr/test/ldr_test.h"
#include "ldr/test/pe_image.h"

static char Path[64];

static NTSTATUS Load(const void *Bytes, size_t Size)
{
    strcpy(Path, "/tmp/nt-test-XXXXXX");
    int File = mkstemp(Path);
    host_close(File);
    assert_int_equal(host_write_file(Path, Bytes, Size), 0);
    NTSTATUS Status = UserNtLoadDriver(Path, L"pe");
    remove(Path);
    return Status;
}

static NTSTATUS LoadTest(PE_TEST *Test)
{
    return Load(Test, sizeof(*Test));
}

static void ADriverIsLoadedRunsAndIsUnloaded(void **Unused)
{
    PE_TEST Test;
    PeTestMake(&Test, "DbgPrint");
    assert_ok(LoadTest(&Test));
    assert_true(LdrTestLogged("a Windows image prints"));
    assert_status(LoadTest(&Test), STATUS_IMAGE_ALREADY_LOADED);
    assert_ok(UserNtUnloadDriver(L"pe"));
}

static void EachImportThatIsMissingIsNamed(void **Unused)
{
    PE_TEST Test;
    PeTestMake(&Test, "KeMakeCoffee");
    assert_status(LoadTest(&Test), STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
    assert_true(LdrTestLogged("UserNT has no KeMakeCoffee"));
    PeTestMake(&Test, NULL);
    assert_status(LoadTest(&Test), STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
    assert_true(LdrTestLogged("ordinal 7 of NTOSKRNL.exe, whose numbers differ"));
}

static void ImagesOfOtherKindsAreRefusedInWords(void **Unused)
{
    PE_TEST Test;
    PeTestMake(&Test, "DbgPrint");
    PeTestHeaders(&Test)->FileHeader.Machine = IMAGE_FILE_MACHINE_I386;
    assert_status(LoadTest(&Test), STATUS_INVALID_IMAGE_FORMAT);
    assert_true(LdrTestLogged("it is a 32-bit image"));
    assert_status(Load("MZ and the rest", 15), STATUS_INVALID_IMAGE_FORMAT);
    assert_true(LdrTestLogged("no DOS header"));
    PeTestMake(&Test, "DbgPrint");
    PeTestHeaders(&Test)->OptionalHeader.AddressOfEntryPoint = 0;
    assert_status(LoadTest(&Test), STATUS_PROCEDURE_NOT_FOUND);
    PeTestHeaders(&Test)->FileHeader.Characteristics |= IMAGE_FILE_RELOCS_STRIPPED;
    assert_status(LoadTest(&Test), STATUS_INVALID_IMAGE_FORMAT);
    assert_true(LdrTestLogged("cannot be moved"));
}

static const char *WhyNot(PE_TEST *Test)
{
    PE_FILE File;
    const char *Why;
    PeOpen(&File, Test, sizeof(*Test), &Why);
    PeTestMake(Test, "DbgPrint");
    return Why == NULL ? "" : Why;
}

static void WrongHeadersAreRefused(void **Unused)
{
    PE_TEST Test;
    PeTestMake(&Test, "DbgPrint");
    assert_string_equal(WhyNot(&Test), "");
    PeTestSections(&Test)[1].PointerToRawData = MAXULONG - 0x10;
    assert_string_equal(WhyNot(&Test), "a section's data lie outside the file");
    PeTestSections(&Test)[1].VirtualAddress = 0x1000;
    assert_string_equal(WhyNot(&Test), "its sections overlap, or are not in order");
    PeTestSections(&Test)[3].Misc.VirtualSize = MAXULONG;
    assert_string_equal(WhyNot(&Test), "a section lies outside the image");
    PeTestHeaders(&Test)->OptionalHeader.SizeOfImage = MAXULONG;
    assert_string_equal(WhyNot(&Test), "its size is impossible");
    PeTestHeaders(&Test)->OptionalHeader.SectionAlignment = 16;
    assert_string_equal(WhyNot(&Test), "its sections do not lie on pages");
    PeTestHeaders(&Test)->FileHeader.NumberOfSections = MAXUSHORT;
    assert_string_equal(WhyNot(&Test), "its headers are damaged");
    PeTestHeaders(&Test)->OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR32_MAGIC;
    assert_string_equal(WhyNot(&Test), "its optional header is not of 64 bits");
}

static void CountLine(void *Context, const char *Line)
{
    assert_true(strlen(Line) > 8);
    ++*(ULONG *)Context;
}

static const PE_IMAGE *NoLibrary(void *Context, const char *Library)
{
    return NULL;
}

/* Everything but DriverEntry. TRUE: it would be called; else it has been told why not. */
static BOOLEAN Try(const void *Bytes, SIZE_T Size)
{
    PE_IMAGE Image;
    ULONG Lines = 0;
    PE_LOADER Loader = {CountLine, NoLibrary, &Lines};
    BOOLEAN Good = NT_SUCCESS(PePrepare(Bytes, Size, &Image, &Loader));
    assert_int_equal(Good, Lines == 0);
    if (Good)
        PeUnmap(&Image);
    return Good;
}

static void NoLengthIsTooShortToBeRefused(void **Unused)
{
    PE_TEST Test;
    PeTestMake(&Test, "DbgPrint");
    for (SIZE_T Size = 0; Size < sizeof(Test) - 0x200; Size++)
        assert_false(Try(&Test, Size));
    assert_true(Try(&Test, sizeof(Test)));
}

static void NoChangedByteDoesHarm(void **Unused)
{
    static const UCHAR Values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    PE_TEST Test;
    PeTestMake(&Test, "DbgPrint");
    for (ULONG At = 0; At < sizeof(Test); At++) {
        UCHAR Old = Test.Bytes[At];
        for (ULONG i = 0; i < RTL_NUMBER_OF(Values); i++) {
            Test.Bytes[At] = Values[i];
            Try(&Test, sizeof(Test));
        }
        Test.Bytes[At] = Old;
    }
}

static void SectionsAreRelocatedAndProtected(void **Unused)
{
    PE_TEST Test;
    PE_FILE File;
    PE_IMAGE Image;
    VF_BUGCHECK Record;
    const char *Why;
    PVOID Address;
    PeTestMake(&Test, "DbgPrint");
    assert_true(PeOpen(&File, &Test, sizeof(Test), &Why));
    assert_ok(PeMap(&File, &Image, &Why));
    memcpy(&Address, Image.Base + PE_TEST_RELOCATED, sizeof(Address));
    assert_ptr_equal(Address, Image.Base + PE_TEST_RELOCATED);
    PePatch(&File, &Image);
    assert_ok(PeProtect(&File, &Image));
    assert_true(MmIsAddressValid(Image.Base + 0x1000));
    assert_false(MmIsAddressValid(Image.Base + 0x5000 + Image.StubBytes));
    assert_ptr_equal(((PVOID(__attribute__((ms_abi)) *)(void))(Image.Base + 0x1040))(),
                     (PVOID)0x7FFE0014);
    Image.Base[0x4000] = 1;
    VF_EXPECT_BUGCHECK (&Record)
        Image.Base[0x2000] = 1;
    assert_int_equal(Record.Code, PAGE_FAULT_IN_NONPAGED_AREA);
    PeUnmap(&Image);
}

static void AWindowsImageGetsRoutinesInItsOwnForm(void **Unused)
{
    PVOID Print = LdrpForeignExport("DbgPrint");
    assert_true(NT_IS_FOREIGN(Print));
    assert_false(NT_IS_FOREIGN(DbgPrint));
    assert_string_equal(LdrpForeignName(Print), "DbgPrint");
    assert_null(LdrpForeignExport("LdrpForeignExport"));
    const volatile KSYSTEM_TIME *Ticks = LdrpForeignExport("KeTickCount");
    LARGE_INTEGER Before, After;
    KeQueryTickCount(&Before);
    ULONG Between = Ticks->LowPart;
    KeQueryTickCount(&After);
    assert_in_range(Between, Before.LowPart, After.LowPart);
    assert_int_equal(
        NT_CALL((ULONG(*)(PCSTR, ...))Print, "%s %u %I64x %u %u\n", "many", 1, 2ull, 3, 4), 0);
    assert_true(LdrTestLogged("many 1 2 3 4"));
    assert_int_equal(
        NT_CALL((int (*)(const char *, const char *, size_t))LdrpForeignExport("strncmp"), "abc",
                "abd", 2),
        0);
}

/* Rip is that of a place in here. */
__attribute__((noinline)) static void Capture(CONTEXT *Context)
{
    memset(Context, 0xEE, sizeof(*Context));
    RtlCaptureContext(Context);
    __asm__ volatile("" : : : "memory"); /* no tail call */
}

static void TheCallersRegistersAreCaptured(void **Unused)
{
    CONTEXT Context;
    Capture(&Context);
    assert_int_equal(Context.ContextFlags & CONTEXT_FULL, CONTEXT_FULL);
    assert_in_range(Context.Rip, (ULONG_PTR)Capture, (ULONG_PTR)Capture + 4096);
    assert_in_range(Context.Rsp, (ULONG_PTR)__builtin_frame_address(0) - 65536,
                    (ULONG_PTR)__builtin_frame_address(0));
    assert_int_not_equal(Context.SegCs, 0xEEEE);
    assert_int_not_equal(Context.EFlags, 0xEEEEEEEE);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(ADriverIsLoadedRunsAndIsUnloaded),
        NT_TEST(EachImportThatIsMissingIsNamed),
        NT_TEST(ImagesOfOtherKindsAreRefusedInWords),
        NT_TEST(WrongHeadersAreRefused),
        NT_TEST(NoLengthIsTooShortToBeRefused),
        NT_TEST(NoChangedByteDoesHarm),
        NT_TEST(SectionsAreRelocatedAndProtected),
        NT_TEST(AWindowsImageGetsRoutinesInItsOwnForm),
        NT_TEST(TheCallersRegistersAreCaptured),
    };
    return cmocka_run_group_tests_name("ldr-pe", Tests, NULL, NULL);
}
