/*
 * The embedded interface: drivers. Each gets a service key, as the service control manager would
 * make it.
 */
#include "init/init.h"
#include <string.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services"
#define PATH_LIMIT 1024

static NTSTATUS CreateKey(PUNICODE_STRING Path, ULONG Options, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    return ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, Options, NULL);
}

/* Every key on the way: \Registry\Machine is there. */
static NTSTATUS CreateServices(void)
{
    static const PCWSTR Way[] = {L"\\Registry\\Machine\\System",
                                 L"\\Registry\\Machine\\System\\CurrentControlSet", SERVICES};
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Way) && NT_SUCCESS(Status); i++) {
        UNICODE_STRING Path;
        HANDLE Key;
        RtlInitUnicodeString(&Path, Way[i]);
        Status = CreateKey(&Path, REG_OPTION_NON_VOLATILE, &Key);
        if (NT_SUCCESS(Status))
            ZwClose(Key);
    }
    return Status;
}

static NTSTATUS SetNumber(HANDLE Key, PCWSTR Name, ULONG Value)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Name);
    return ZwSetValueKey(Key, &String, 0, REG_DWORD, &Value, sizeof(Value));
}

static NTSTATUS SetText(HANDLE Key, PCWSTR Name, PCWSTR Value)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Name);
    return ZwSetValueKey(Key, &String, 0, REG_SZ, (PVOID)Value,
                         (ULONG)((wcslen(Value) + 1) * sizeof(WCHAR)));
}

static NTSTATUS ServicePath(PCWSTR ServiceName, WCHAR *Buffer, PUNICODE_STRING Path)
{
    if (ServiceName == NULL || *ServiceName == 0 || wcschr(ServiceName, L'\\') != NULL)
        return STATUS_OBJECT_NAME_INVALID;
    Path->Buffer = Buffer;
    Path->Length = 0;
    Path->MaximumLength = PATH_LIMIT * sizeof(WCHAR);
    NTSTATUS Status = RtlAppendUnicodeToString(Path, SERVICES L"\\");
    return NT_SUCCESS(Status) ? RtlAppendUnicodeToString(Path, ServiceName) : Status;
}

/* The key lasts until the executive stops. Image NULL: no ImagePath. */
static NTSTATUS RegisterService(PUNICODE_STRING Path, PCWSTR Name, PCWSTR Image)
{
    HANDLE Key;
    NTSTATUS Status = CreateServices();
    if (NT_SUCCESS(Status))
        Status = CreateKey(Path, REG_OPTION_VOLATILE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SetNumber(Key, L"Type", SERVICE_KERNEL_DRIVER);
    if (NT_SUCCESS(Status))
        Status = SetNumber(Key, L"Start", SERVICE_DEMAND_START);
    if (NT_SUCCESS(Status))
        Status = SetNumber(Key, L"ErrorControl", SERVICE_ERROR_IGNORE);
    if (NT_SUCCESS(Status))
        Status = SetText(Key, L"DisplayName", Name);
    if (NT_SUCCESS(Status) && Image != NULL)
        Status = SetText(Key, L"ImagePath", Image);
    ZwClose(Key);
    return Status;
}

NTSTATUS UserNtLoadDriver(const char *Path, PCWSTR ServiceName)
{
    WCHAR Buffer[PATH_LIMIT], Image[PATH_LIMIT];
    UNICODE_STRING Key;
    ULONG Bytes = 0;
    NTSTATUS Status =
        KiSelf == NULL ? STATUS_INVALID_THREAD : ServicePath(ServiceName, Buffer, &Key);
    if (NT_SUCCESS(Status))
        Status = RtlUTF8ToUnicodeN(Image, sizeof(Image) - sizeof(WCHAR), &Bytes, Path,
                                   (ULONG)strlen(Path));
    if (!NT_SUCCESS(Status))
        return Status;
    Image[Bytes / sizeof(WCHAR)] = 0;
    Status = RegisterService(&Key, ServiceName, Image);
    return NT_SUCCESS(Status) ? ZwLoadDriver(&Key) : Status;
}

NTSTATUS UserNtLoadStaticDriver(PDRIVER_INITIALIZE Entry, PCWSTR ServiceName)
{
    WCHAR Buffer[PATH_LIMIT];
    UNICODE_STRING Key;
    NTSTATUS Status =
        KiSelf == NULL ? STATUS_INVALID_THREAD : ServicePath(ServiceName, Buffer, &Key);
    if (NT_SUCCESS(Status))
        Status = RegisterService(&Key, ServiceName, NULL);
    return NT_SUCCESS(Status) ? LdrLoadStaticDriver(Entry, &Key) : Status;
}

NTSTATUS UserNtUnloadDriver(PCWSTR ServiceName)
{
    WCHAR Buffer[PATH_LIMIT];
    UNICODE_STRING Key;
    NTSTATUS Status =
        KiSelf == NULL ? STATUS_INVALID_THREAD : ServicePath(ServiceName, Buffer, &Key);
    return NT_SUCCESS(Status) ? ZwUnloadDriver(&Key) : Status;
}
