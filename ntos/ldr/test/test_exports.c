#include "ldr/test/ldr_test.h"
#include <aux_klib.h>

static PVOID Address(PCWSTR Text)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Text);
    return MmGetSystemRoutineAddress(&Name);
}

static void ADocumentedRoutineIsFound(void **Unused)
{
    assert_ptr_equal(Address(L"KeSetEvent"), (PVOID)KeSetEvent);
    assert_ptr_equal(Address(L"IofCompleteRequest"), (PVOID)IofCompleteRequest);
}

static void WhatIsNotDocumentedIsNot(void **Unused)
{
    assert_null(Address(L"KiSystemService"));
    assert_null(Address(L"host_map"));
    assert_null(Address(L"printf"));
    assert_null(Address(L""));
    assert_null(Address(L"KeSetEven"));
}

static __attribute__((noinline)) ULONG Inner(PVOID *Frames, ULONG Skip, ULONG Limit, PULONG Hash)
{
    ULONG Count = RtlCaptureStackBackTrace(Skip, Limit, Frames, Hash);
    __asm__ volatile("");
    return Count;
}

static __attribute__((noinline)) ULONG Outer(PVOID *Frames, ULONG Skip, ULONG Limit, PULONG Hash)
{
    ULONG Count = Inner(Frames, Skip, Limit, Hash);
    __asm__ volatile("");
    return Count;
}

static void ABackTraceBeginsWithItsCaller(void **Unused)
{
    PVOID Frames[8], Later[8];
    ULONG Hash = 0, Same = 1, Count = Outer(Frames, 0, 8, &Hash);
    assert_true(Count >= 3);
    assert_in_range((ULONG_PTR)Frames[0] - (ULONG_PTR)Inner, 1, 100);
    assert_in_range((ULONG_PTR)Frames[1] - (ULONG_PTR)Outer, 1, 100);
    for (ULONG i = 0; i < 2; i++) {
        Count = Outer(Later, 1, 1, i == 0 ? &Hash : &Same);
        assert_int_equal(Count, 1);
        assert_ptr_equal(Later[0], Frames[1]);
    }
    assert_int_equal(Hash, Same);
    assert_int_equal(Outer(Later, 0, 0, NULL), 0);
}

static void AFrameChainIsTheKernelsStack(void **Unused)
{
    PVOID Frames[8];
    assert_true(RtlWalkFrameChain(Frames, 8, 0) >= 2);
    assert_in_range((ULONG_PTR)Frames[0] - (ULONG_PTR)AFrameChainIsTheKernelsStack, 1, 200);
    assert_int_equal(RtlWalkFrameChain(Frames, 8, 1), 0);
    assert_false(MmIsDriverVerifyingByAddress(Frames));
}

static void Exists(PVOID Context, const char *Name)
{
    if (host_symbol(Name) == NULL)
        fail_msg("%s is listed, and is not there", Name);
    ++*(PULONG)Context;
}

static void EveryListedNameIsThere(void **Unused)
{
    ULONG Count = 0;
    LdrEnumerateExports(Exists, &Count);
    assert_true(Count > 300);
}

static void TheAuxiliaryLibraryListsTheModules(void **Unused)
{
    AUX_MODULE_EXTENDED_INFO Modules[4];
    const ULONG *Exports; /* an IMAGE_EXPORT_DIRECTORY: [6] counts its names */
    ULONG Bytes = 0;
    assert_ok(AuxKlibInitialize());
    assert_ok(AuxKlibQueryModuleInformation(&Bytes, sizeof(Modules[0]), NULL));
    assert_int_equal(Bytes, sizeof(Modules[0]));
    assert_ok(AuxKlibQueryModuleInformation(&Bytes, sizeof(Modules[0]), Modules));
    assert_string_equal((char *)Modules[0].FullPathName + Modules[0].FileNameOffset,
                        "ntoskrnl.exe");
    Bytes = 1;
    assert_status(AuxKlibQueryModuleInformation(&Bytes, sizeof(Modules[0]), Modules),
                  STATUS_BUFFER_TOO_SMALL);
    Bytes = sizeof(PVOID);
    assert_ok(AuxKlibQueryModuleInformation(&Bytes, sizeof(AUX_MODULE_BASIC_INFO), Modules));
    assert_status(AuxKlibQueryModuleInformation(&Bytes, 5, Modules), STATUS_INVALID_PARAMETER);
    Exports = AuxKlibGetImageExportDirectory(Modules[0].BasicInfo.ImageBase);
    assert_non_null(Exports);
    assert_true(Exports[6] > 300);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(ADocumentedRoutineIsFound),     NT_TEST(WhatIsNotDocumentedIsNot),
        NT_TEST(ABackTraceBeginsWithItsCaller), NT_TEST(AFrameChainIsTheKernelsStack),
        NT_TEST(EveryListedNameIsThere),        NT_TEST(TheAuxiliaryLibraryListsTheModules),
    };
    return cmocka_run_group_tests_name("ldr-exports", Tests, NULL, NULL);
}
