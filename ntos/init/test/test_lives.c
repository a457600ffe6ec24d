/*
 * A thousand lives: boot, load, open, control, close, unload, stop; and at the end the process is
 * as large as after the first few.
 */
#include "ldr/test/ldr_test.h"
#include <dirent.h>

#define IOCTL_SAMPLE_INVERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define WARM_UP 20

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif
#define LIVES (SANITIZED ? 100 : 1000)

typedef struct SIZE_OF_US {
    ULONG Descriptors, Threads, Mappings;
    size_t Resident;
} SIZE_OF_US;

static ULONG CountEntries(const char *Path)
{
    DIR *Folder = opendir(Path);
    ULONG Count = 0;
    assert_non_null(Folder);
    while (readdir(Folder) != NULL)
        Count++;
    closedir(Folder);
    return Count;
}

static ULONG CountLines(const char *Path)
{
    FILE *File = fopen(Path, "r");
    ULONG Count = 0;
    assert_non_null(File);
    for (int Letter; (Letter = getc(File)) != EOF;)
        Count += Letter == '\n';
    fclose(File);
    return Count;
}

static SIZE_OF_US Measure(void)
{
    return (SIZE_OF_US){CountEntries("/proc/self/fd"), CountEntries("/proc/self/task"),
                        CountLines("/proc/self/maps"), host_resident_bytes()};
}

static void Live(void)
{
    static const USERNT_OPTIONS Options = {.Size = sizeof(Options),
                                           .Processors = 2,
                                           .PhysicalBytes = 64 << 20,
                                           .BootUserId = MAXULONG};
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    ULONG Data = 1;
    HANDLE File;
    assert_ok(UserNtBoot(&Options));
    assert_ok(UserNtLoadDriver(LdrTestImage("sample.so"), L"sample"));
    Attributes = NtTestName(&Name, L"\\??\\Sample");
    assert_ok(SYS(NtOpenFile, &File, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb, 0,
                  FILE_SYNCHRONOUS_IO_NONALERT));
    assert_ok(SYS(NtDeviceIoControlFile, File, NULL, NULL, NULL, &Iosb, IOCTL_SAMPLE_INVERT, &Data,
                  sizeof(Data), &Data, sizeof(Data)));
    assert_int_equal(Data, ~1u);
    assert_ok(SYS(NtClose, File));
    assert_ok(UserNtUnloadDriver(L"sample"));
    assert_ok(UserNtShutdown());
}

static void AThousandLivesLeaveNothing(void **Unused)
{
    for (int i = 0; i < WARM_UP; i++)
        Live();
    SIZE_OF_US Before = Measure();
    for (int i = 0; i < LIVES; i++)
        Live();
    SIZE_OF_US After = Measure();
    assert_int_equal(After.Descriptors, Before.Descriptors);
    assert_int_equal(After.Threads, Before.Threads);
    if (SANITIZED)
        return; /* a sanitizer keeps memory of its own */
    assert_in_range(After.Mappings, 0, Before.Mappings + 16);
    assert_in_range(After.Resident, 0, Before.Resident + (1 << 20));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(AThousandLivesLeaveNothing),
    };
    return cmocka_run_group_tests_name("init-thousand-lives", Tests, NULL, NULL);
}
