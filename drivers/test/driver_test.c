/* Loading, calling, counting, failing. */
#include "driver_test.h"
#include <strings.h>

ULONG_PTR Information;

static struct {
    ULONG Countdown;
    BOOLEAN Failed;
    ULONG64 Blocks[8];
} Test;

static const ULONG Tags[] = {'rahS', ' pxE', 'TpxE', 'MsyS'};

static void widen(const char *Text, WCHAR *Wide, size_t Size)
{
    size_t i;

    for (i = 0; Text[i] && i + 1 < Size; i++)
        Wide[i] = (unsigned char)Text[i];
    Wide[i] = 0;
}

NTSTATUS DriverTestLoad(const char *Name)
{
    WCHAR Service[64];
    char Path[512];

    widen(Name, Service, 64);
    snprintf(Path, sizeof(Path), "%s/%s.so", NT_DRIVERS, Name);
    return UserNtLoadDriver(Path, Service);
}

NTSTATUS DriverTestUnload(const char *Name)
{
    WCHAR Service[64];

    widen(Name, Service, 64);
    return UserNtUnloadDriver(Service);
}

static void service_key(const char *Name, WCHAR *Path, size_t Size)
{
    char Text[160];

    snprintf(Text, sizeof(Text), "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\%s",
             Name);
    widen(Text, Path, Size);
}

void DriverTestSetting(const char *Name, PCWSTR Value, ULONG Type, const void *Data, ULONG Bytes)
{
    UNICODE_STRING Path, ValueName;
    OBJECT_ATTRIBUTES Attributes;
    WCHAR Text[160];
    HANDLE Key;

    service_key(Name, Text, 160);
    RtlInitUnicodeString(&Path, Text);
    RtlInitUnicodeString(&ValueName, Value);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    assert_ok(ZwOpenKey(&Key, KEY_ALL_ACCESS, &Attributes));
    assert_ok(ZwSetValueKey(Key, &ValueName, 0, Type, (PVOID)Data, Bytes));
    ZwClose(Key);
}

void DriverTestReload(const char *Name)
{
    UNICODE_STRING Path;
    WCHAR Text[160];

    service_key(Name, Text, 160);
    RtlInitUnicodeString(&Path, Text);
    ZwUnloadDriver(&Path);
    assert_ok(ZwLoadDriver(&Path));
}

int DriverTestBoot(void **Unused)
{
    static const USERNT_OPTIONS Options = {
        .Size = sizeof(Options), .Processors = 2, .BootUserId = MAXULONG, .DriverPath = NT_DRIVERS};

    if (!NT_SUCCESS(UserNtBoot(&Options)))
        return -1;
    for (const char **Name = DriverTestLoaded; *Name; Name++) {
        NTSTATUS Status = DriverTestLoad(*Name);

        if (!NT_SUCCESS(Status)) {
            fprintf(stderr, "%s: 0x%08x\n", *Name, (unsigned)Status);
            UserNtShutdown();
            return -1;
        }
    }
    return 0;
}

int DriverTestStop(void **Unused)
{
    int Result = 0;

    MmSetPoolFault(NULL);
    for (const char **Name = DriverTestLoaded; *Name; Name++)
        if (!NT_SUCCESS(DriverTestUnload(*Name)))
            Result = -1;
    for (size_t i = 0; i < RTL_NUMBER_OF(Tags); i++)
        if (DriverTestBlocks(Tags[i])) {
            fprintf(stderr, "%llu blocks of tag %.4s are left\n",
                    (unsigned long long)DriverTestBlocks(Tags[i]), (const char *)&Tags[i]);
            Result = -1;
        }
    return NT_SUCCESS(UserNtShutdown()) ? Result : -1;
}

NTSTATUS DriverTestOpen(const char *Device, ACCESS_MASK Access, HANDLE *File)
{
    WCHAR Path[1024] = L"\\??\\";
    UNICODE_STRING Name;
    IO_STATUS_BLOCK Iosb;
    OBJECT_ATTRIBUTES Attributes;

    widen(Device, Path + 4, 1020);
    Attributes = NtTestName(&Name, Path);
    *File = NULL;
    return SYS(NtCreateFile, File, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
               FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

HANDLE DriverTestOpened(const char *Device)
{
    HANDLE File;

    assert_ok(DriverTestOpen(Device, GENERIC_READ | GENERIC_WRITE, &File));
    return File;
}

NTSTATUS DriverTestControl(HANDLE File, ULONG Code, PVOID In, ULONG InLength, PVOID Out,
                           ULONG OutLength)
{
    IO_STATUS_BLOCK Iosb = {.Information = 0};
    NTSTATUS Status = SYS(NtDeviceIoControlFile, File, NULL, NULL, NULL, &Iosb, Code, In, InLength,
                          Out, OutLength);

    Information = Iosb.Information;
    return Status;
}

NTSTATUS DriverTestWrite(HANDLE File, const void *Data, ULONG Length)
{
    IO_STATUS_BLOCK Iosb = {.Information = 0};
    NTSTATUS Status = SYS(NtWriteFile, File, NULL, NULL, NULL, &Iosb, Data, Length, NULL, NULL);

    Information = Iosb.Information;
    return Status;
}

NTSTATUS DriverTestRead(HANDLE File, void *Data, ULONG Length)
{
    IO_STATUS_BLOCK Iosb = {.Information = 0};
    NTSTATUS Status = SYS(NtReadFile, File, NULL, NULL, NULL, &Iosb, Data, Length, NULL, NULL);

    Information = Iosb.Information;
    return Status;
}

void DriverTestClose(HANDLE File)
{
    assert_ok(SYS(NtClose, File));
}

ULONG64 DriverTestBlocks(ULONG Tag)
{
    static MM_POOL_TAG All[1024];
    ULONG Count = MmQueryPoolTags(All, 1024);

    for (ULONG i = 0; i < Count && i < 1024; i++)
        if (All[i].Tag == Tag)
            return All[i].PagedAllocs - All[i].PagedFrees + All[i].NonPagedAllocs -
                   All[i].NonPagedFrees;
    return 0;
}

static BOOLEAN fails_now(ULONG Tag, SIZE_T Bytes)
{
    if (!Test.Countdown || --Test.Countdown)
        return FALSE;
    Test.Failed = TRUE;
    return TRUE;
}

void DriverTestFailAllocation(ULONG Number)
{
    Test.Countdown = Number;
    if (Number)
        Test.Failed = FALSE;
    MmSetPoolFault(Number ? fails_now : NULL);
}

BOOLEAN DriverTestHasFailed(void)
{
    return Test.Failed;
}

typedef struct {
    struct _EPROCESS *Process;
    void (*Do)(void *);
    void *Context;
} ELSEWHERE;

static void elsewhere(void *Argument)
{
    ELSEWHERE *Where = Argument;

    assert_ok(PsAttachHostThread(Where->Process));
    Where->Do(Where->Context);
    PsDetachHostThread();
}

void DriverTestElsewhere(void (*Do)(void *Context), void *Context)
{
    DriverTestElsewhereAs(host_user_id(), Do, Context);
}

void DriverTestElsewhereAs(ULONG UserId, void (*Do)(void *Context), void *Context)
{
    PS_CLIENT Client = {.HostProcessId = host_process_id() + 1,
                        .HostUserId = UserId,
                        .ImagePath = "/bin/other",
                        .Embedded = TRUE};
    ELSEWHERE Where = {.Do = Do, .Context = Context};
    host_thread *Thread;

    assert_ok(PsCreateClientProcess(&Client, &Where.Process));
    assert_int_equal(host_thread_start(&Thread, "elsewhere", elsewhere, &Where), 0);
    PsWaitProcessEnd(Where.Process);
    host_thread_join(Thread);
    ObDereferenceObject(Where.Process);
}

static void attached(void *Argument)
{
    DRIVER_THREAD *Thread = Argument;

    assert_ok(UserNtAttachThread());
    Thread->Do(Thread->Context);
    UserNtDetachThread();
}

void DriverTestThread(DRIVER_THREAD *Thread, void (*Do)(void *), void *Context)
{
    Thread->Do = Do;
    Thread->Context = Context;
    assert_int_equal(host_thread_start(&Thread->Host, "client", attached, Thread), 0);
}

void DriverTestJoin(DRIVER_THREAD *Thread)
{
    host_thread_join(Thread->Host);
}

void DriverTestPause(void)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};

    SYS(NtDelayExecution, FALSE, &Moment);
}
