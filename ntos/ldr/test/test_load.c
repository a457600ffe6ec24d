#include "ldr/test/ldr_test.h"

#define IOCTL_SAMPLE_INVERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static HANDLE OpenSample(void)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes = NtTestName(&Name, L"\\??\\Sample");
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    assert_ok(SYS(NtOpenFile, &File, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb, 0,
                  FILE_SYNCHRONOUS_IO_NONALERT));
    return File;
}

static void ADriverIsLoadedUsedAndUnloaded(void **Unused)
{
    ULONG Data = 0x00FF00FF;
    IO_STATUS_BLOCK Iosb;
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    HANDLE File = OpenSample();
    assert_ok(SYS(NtDeviceIoControlFile, File, NULL, NULL, NULL, &Iosb, IOCTL_SAMPLE_INVERT, &Data,
                  sizeof(Data), &Data, sizeof(Data)));
    assert_int_equal(Data, 0xFF00FF00);
    assert_int_equal(Iosb.Information, sizeof(Data));
    assert_ok(SYS(NtClose, File));
    assert_ok(UserNtUnloadDriver(L"sample"));
    assert_status(UserNtUnloadDriver(L"sample"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static BOOLEAN CountModule(PVOID Context, const LDR_MODULE *Module)
{
    ++*(PULONG)Context;
    return TRUE;
}

static ULONG Modules(void)
{
    ULONG Count = 0;
    LdrEnumerateModules(CountModule, &Count);
    return Count;
}

static BOOLEAN CheckSample(PVOID Context, const LDR_MODULE *Module)
{
    UNICODE_STRING Expected;
    char Name[64];
    ULONG64 Offset;
    PVOID Base;
    if (Module->LoadOrder == 0)
        return TRUE;
    RtlInitUnicodeString(&Expected, L"sample.sys");
    assert_true(RtlEqualUnicodeString(&Module->BaseName, &Expected, FALSE));
    RtlInitUnicodeString(&Expected, L"\\SystemRoot\\System32\\Drivers\\sample.sys");
    assert_true(RtlEqualUnicodeString(&Module->Entry.FullDllName, &Expected, FALSE));
    assert_ptr_equal(Module->Driver->DriverSection, Module);
    assert_ptr_equal(Module->Driver->DriverStart, Module->Base);
    assert_true(LdrModuleOf((UCHAR *)Module->Base + 8, Name, sizeof(Name), &Offset));
    assert_string_equal(Name, "sample.sys");
    assert_int_equal(Offset, 8);
    assert_ptr_equal(RtlPcToFileHeader((UCHAR *)Module->Base + 100, &Base), Module->Base);
    assert_true(MmIsDriverVerifyingByAddress((UCHAR *)Module->Base + 8));
    ++*(PULONG)Context;
    return TRUE;
}

static void ALoadedDriverIsOnTheList(void **Unused)
{
    ULONG Found = 0;
    assert_int_equal(Modules(), 1);
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    LdrEnumerateModules(CheckSample, &Found);
    assert_int_equal(Found, 1);
    assert_status(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"),
                  STATUS_IMAGE_ALREADY_LOADED);
    assert_status(UserNtLoadDriver(LdrTestImage("sample.so"), L"other"),
                  STATUS_IMAGE_ALREADY_LOADED);
    assert_ok(UserNtUnloadDriver(L"sample"));
    assert_int_equal(Modules(), 1);
}

static void AnUnloadWaitsForOpenHandles(void **Unused)
{
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    HANDLE File = OpenSample();
    UserNtUnloadDriver(L"sample");
    assert_int_equal(Modules(), 2);
    assert_ok(SYS(NtClose, File));
    assert_int_equal(Modules(), 1);
}

static void MissingImportsAreNamedAllAtOnce(void **Unused)
{
    assert_status(UserNtLoadDriver(LdrTestImage("image_missing.so"), L"missing"),
                  STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
    assert_true(LdrTestLogged("KeDoWhatNobodyCan"));
    assert_true(LdrTestLogged("IoDoWhatNobodyCan"));
    assert_int_equal(Modules(), 1);
}

static void WhatIsNoDriverIsRefused(void **Unused)
{
    assert_status(UserNtLoadDriver(LdrTestImage("image_noentry.so"), L"noentry"),
                  STATUS_PROCEDURE_NOT_FOUND);
    assert_status(UserNtLoadDriver("/etc/passwd", L"text"), STATUS_INVALID_IMAGE_FORMAT);
    assert_status(UserNtLoadDriver("/nowhere/x.so", L"nothing"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_status(UserNtLoadDriver(LdrTestImage("image_refuse.so"), L"refuse"),
                  STATUS_DEVICE_CONFIGURATION_ERROR);
    assert_status(UserNtLoadDriver("x", L""), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(Modules(), 1);
}

static ULONG Notified;

static VOID NTAPI OnImage(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Information)
{
    Notified += ProcessId == NULL && Information->SystemModeImage && Information->ImageSize != 0 &&
                Name->Length != 0;
}

static void ImagesAreNotified(void **Unused)
{
    Notified = 0;
    assert_ok(PsSetLoadImageNotifyRoutine(OnImage));
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    assert_int_equal(Notified, 1);
    assert_ok(PsRemoveLoadImageNotifyRoutine(OnImage));
    assert_ok(UserNtUnloadDriver(L"sample"));
}

static NTSTATUS EntryStatus;
static PEPROCESS EntryProcess;

static VOID NTAPI StaticUnload(PDRIVER_OBJECT Driver)
{
}

static NTSTATUS NTAPI StaticEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    EntryProcess = PsGetCurrentProcess();
    Driver->DriverUnload = StaticUnload;
    return EntryStatus;
}

static void ALinkedDriverRunsInTheSystemProcess(void **Unused)
{
    EntryStatus = STATUS_SUCCESS;
    assert_ok(UserNtLoadStaticDriver(StaticEntry, L"linked"));
    assert_ptr_equal(EntryProcess, PsInitialSystemProcess);
    assert_int_equal(Modules(), 2);
    assert_ok(UserNtUnloadDriver(L"linked"));
    EntryStatus = STATUS_NO_SUCH_DEVICE;
    assert_status(UserNtLoadStaticDriver(StaticEntry, L"linked"), STATUS_NO_SUCH_DEVICE);
    assert_int_equal(Modules(), 1);
}

static void ADriverLeftLoadedIsUnloadedAtShutdown(void **Unused)
{
    EntryStatus = STATUS_SUCCESS;
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    assert_ok(UserNtLoadStaticDriver(StaticEntry, L"linked"));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        NT_TEST(ADriverIsLoadedUsedAndUnloaded),
        NT_TEST(ALoadedDriverIsOnTheList),
        NT_TEST(AnUnloadWaitsForOpenHandles),
        NT_TEST(MissingImportsAreNamedAllAtOnce),
        NT_TEST(WhatIsNoDriverIsRefused),
        NT_TEST(ImagesAreNotified),
        NT_TEST(ALinkedDriverRunsInTheSystemProcess),
        NT_TEST(ADriverLeftLoadedIsUnloadedAtShutdown),
    };
    return cmocka_run_group_tests_name("ldr-load", Tests, NULL, NULL);
}
