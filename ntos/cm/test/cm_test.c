/* What the tests of cm share. */
#include "cm_test.h"

int CmTestBootFrom(const char *Directory)
{
    if (ObTestBoot(NULL) != 0)
        return -1;
    return NT_SUCCESS(CmInitSystem(Directory)) ? 0 : -1;
}

int CmTestBoot(void **Unused)
{
    return CmTestBootFrom(NULL);
}

int CmTestStop(void **Unused)
{
    CmShutdownSystem();
    return ObTestStop(NULL);
}

UNICODE_STRING CmTestString(PCWSTR Text)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Text);
    return String;
}

static PVOID Reference(HANDLE Handle)
{
    PVOID Key;

    assert_success(ObReferenceObjectByHandle(Handle, 0, CmKeyObjectType_, KernelMode, &Key, NULL));
    assert_success(ObCloseHandle_(Handle, KernelMode));
    return Key;
}

PVOID CmTestCreate(PCWSTR Path, ULONG Options, NTSTATUS Expected)
{
    HANDLE Handle;
    ULONG Disposition = 0;
    NTSTATUS Status = CmCreateKey_(&Handle, KEY_ALL_ACCESS, ObTestName(Path, OBJ_CASE_INSENSITIVE),
                                   Options, &Disposition, KernelMode);

    assert_status(Status, Expected);
    if (!NT_SUCCESS(Status))
        return NULL;
    assert_true(Disposition == REG_CREATED_NEW_KEY || Disposition == REG_OPENED_EXISTING_KEY);
    return Reference(Handle);
}

PVOID CmTestKey(PCWSTR Path)
{
    return CmTestCreate(Path, 0, STATUS_SUCCESS);
}

NTSTATUS CmTestOpen(PCWSTR Path, ULONG Attributes, PVOID *Key)
{
    HANDLE Handle;
    NTSTATUS Status = CmOpenKey_(&Handle, KEY_READ,
                                 ObTestName(Path, OBJ_CASE_INSENSITIVE | Attributes), KernelMode);

    if (NT_SUCCESS(Status))
        *Key = Reference(Handle);
    return Status;
}

NTSTATUS CmTestSet(PVOID Key, PCWSTR Name, ULONG Type, const void *Data, ULONG Length)
{
    UNICODE_STRING String = CmTestString(Name);

    return CmSetValue_(Key, &String, Type, (PVOID)Data, Length);
}
