/*
 * The start and the end of the registry; its first keys.
 */
#include "cm/cmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CMP_STATE CmpState;

/* A key of the executive itself, with all above it. */
static NTSTATUS CmpMakeKey(PCWSTR Path, BOOLEAN Volatile, BOOLEAN Link, CM_NODE **Made)
{
    CM_NODE *Node = CmpState.Root;
    UNICODE_STRING Rest, Name;
    ULONG Position;

    RtlInitUnicodeString(&Rest, Path);
    while (Rest.Length != 0) {
        CM_NODE *Next;
        Name = (UNICODE_STRING){0, 0, Rest.Buffer};
        while (Name.Length < Rest.Length && Name.Buffer[Name.Length / sizeof(WCHAR)] != L'\\')
            Name.Length += sizeof(WCHAR);
        Next = CmpFindSubkey(Node, &Name, &Position);
        if (Next == NULL) {
            Next = CmpNewNode(&Name, Volatile);
            if (Next == NULL || !NT_SUCCESS(CmpAddSubkey(Node, Next)))
                return STATUS_INSUFFICIENT_RESOURCES;
            Next->Fixed = Next->Parent == CmpState.Root;
            Next->Link = Link && Name.Length == Rest.Length;
        }
        Node = Next;
        Name.Length += Name.Length < Rest.Length ? sizeof(WCHAR) : 0;
        Rest.Buffer += Name.Length / sizeof(WCHAR);
        Rest.Length -= Name.Length;
    }
    if (Made != NULL)
        *Made = Node;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpMakeText(CM_NODE *Node, PCWSTR Name, ULONG Type, PCWSTR Text)
{
    UNICODE_STRING String;
    ULONG Bytes = (ULONG)(wcslen(Text) + (Type == REG_LINK ? 0 : 1)) * sizeof(WCHAR);

    RtlInitUnicodeString(&String, Name);
    return CmpPutValue(Node, &String, Type, Text, Bytes);
}

static NTSTATUS CmpMakeFirstKeys(void)
{
    static const struct {
        PCWSTR Path;
        BOOLEAN Volatile;
    } Keys[] = {{L"Machine\\System\\ControlSet001\\Control", FALSE},
                {L"Machine\\System\\ControlSet001\\Services", FALSE},
                {L"Machine\\System\\ControlSet001\\Enum", FALSE},
                {L"Machine\\System\\ControlSet001\\Hardware Profiles", FALSE},
                {L"Machine\\System\\Select", FALSE},
                {L"Machine\\Hardware\\Description", TRUE},
                {L"Machine\\Hardware\\DeviceMap", TRUE},
                {L"Machine\\Hardware\\ResourceMap", TRUE},
                {L"User\\.Default", FALSE}};
    static const ULONG One = 1;
    UNICODE_STRING Current = RTL_CONSTANT_STRING(L"Current");
    NTSTATUS Status = STATUS_SUCCESS;
    CM_NODE *Node;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Keys); Index++)
        Status = CmpMakeKey(Keys[Index].Path, Keys[Index].Volatile, FALSE, NULL);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(L"Machine\\System\\CurrentControlSet", TRUE, TRUE, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpMakeText(Node, CMP_LINK_VALUE, REG_LINK,
                             L"\\Registry\\Machine\\System\\ControlSet001");
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(L"Machine\\System\\Select", FALSE, FALSE, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpPutValue(Node, &Current, REG_DWORD, &One, sizeof(One));
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(L"Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion", FALSE,
                            FALSE, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpMakeText(Node, L"CurrentVersion", REG_SZ, L"6.3");
    if (NT_SUCCESS(Status))
        Status = CmpMakeText(Node, L"CurrentBuildNumber", REG_SZ, L"19045");
    return Status;
}

/* \Registry: the system and administrators may do everything, all others read. Keys below inherit
 * it. */
static NTSTATUS CmpProtectRoot(void)
{
    UNICODE_STRING Sddl =
        RTL_CONSTANT_STRING(L"O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;WD)");
    PSECURITY_DESCRIPTOR Descriptor, Probe;
    ULONG Length;
    NTSTATUS Status = ObAssignDescriptor_(NULL, NULL, TRUE, &CmKeyObjectType_->Mapping, &Probe);

    if (Status == STATUS_NOT_SUPPORTED) /* se does not run: no descriptors at all */
        return STATUS_SUCCESS;
    if (NT_SUCCESS(Status))
        ObFreeDescriptor_(Probe);
    Status = SeSddlToSecurityDescriptor(&Sddl, &Descriptor, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObAssignDescriptor_(NULL, Descriptor, TRUE, &CmKeyObjectType_->Mapping,
                                 &CmpState.Root->Security);
    ExFreePool(Descriptor);
    return Status;
}

static NTSTATUS CmpMakeRoot(void)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Registry"),
                   Path = RTL_CONSTANT_STRING(L"\\Registry");
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    CmpState.Root = CmpNewNode(&Name, FALSE);
    if (CmpState.Root == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    CmpState.Root->Fixed = TRUE;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    Status = CmpNewKey(CmpState.Root, &Attributes, &CmpState.RootKey);
    if (NT_SUCCESS(Status))
        Status = ObInsertObject(CmpState.RootKey, NULL, 0, 1, (PVOID *)&CmpState.RootKey, NULL);
    if (NT_SUCCESS(Status))
        Status = CmpProtectRoot();
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(L"Machine", FALSE, FALSE, &CmpState.Machine);
    return Status;
}

/* A damaged file is moved out of the way, and the registry begins anew. */
static NTSTATUS CmpSetAside(void)
{
    SIZE_T Length = strlen(CmpState.HivePath) + 64;
    char *Text = malloc(Length);

    if (Text == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    snprintf(Text, Length, "%s.damaged", CmpState.HivePath);
    rename(CmpState.HivePath, Text);
    snprintf(Text, Length, "cm: the hive %s is damaged and set aside\n", CmpState.HivePath);
    host_write_error(Text);
    free(Text);
    while (CmpState.Machine->SubkeyCount != 0) {
        CM_NODE *Last = CmpState.Machine->Subkeys[--CmpState.Machine->SubkeyCount];
        Last->Parent = NULL;
        CmpFreeTree(Last);
    }
    while (CmpState.Machine->ValueCount != 0)
        CmpDropValue(CmpState.Machine, 0);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpReadHive(const char *Directory)
{
    SIZE_T Length;
    NTSTATUS Status;

    if (Directory == NULL)
        return STATUS_SUCCESS;
    if (host_check_directory(Directory) < 0)
        return STATUS_ACCESS_DENIED;
    Length = strlen(Directory) + sizeof("/MACHINE");
    CmpState.HivePath = malloc(Length);
    if (CmpState.HivePath == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    snprintf(CmpState.HivePath, Length, "%s/MACHINE", Directory);
    Status = CmpLoadHive(CmpState.HivePath, CmpState.Machine);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    return NT_SUCCESS(Status) || Status == STATUS_INSUFFICIENT_RESOURCES ? Status : CmpSetAside();
}

NTSTATUS CmInitSystem(const char *HiveDirectory)
{
    NTSTATUS Status;

    memset(&CmpState, 0, sizeof(CmpState));
    InitializeListHead(&CmpState.Callbacks);
    ExInitializeFastMutex(&CmpState.FlushLock);
    Status = CmpCreateKeyType();
    if (NT_SUCCESS(Status))
        Status = CmpMakeRoot();
    if (NT_SUCCESS(Status))
        Status = CmpReadHive(HiveDirectory);
    if (NT_SUCCESS(Status))
        Status = CmpMakeFirstKeys();
    CmpState.Dirty = TRUE;
    return Status;
}

/* Writes what has changed. STATUS_REGISTRY_IO_FAILED: the file is as it was. PASSIVE_LEVEL. */
NTSTATUS CmFlush_(void)
{
    NTSTATUS Status = STATUS_SUCCESS;

    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&CmpState.FlushLock);
    ExLockShared_(&CmpState.Lock);
    if (CmpState.HivePath != NULL && CmpState.Dirty) {
        Status = CmpSaveHive(CmpState.HivePath, CmpState.Machine);
        CmpState.Dirty = !NT_SUCCESS(Status);
    }
    ExUnlockShared_(&CmpState.Lock);
    ExReleaseFastMutexUnsafe(&CmpState.FlushLock);
    KeLeaveCriticalRegion();
    return Status;
}

void CmShutdownSystem(void)
{
    CM_NODE *Root = CmpState.Root;

    if (!NT_SUCCESS(CmFlush_()))
        host_write_error("cm: what has changed in the registry could not be written\n");
    ObMakeTemporaryObject(CmpState.RootKey);
    ObDereferenceObject(CmpState.RootKey);
    CmpState.RootKey = NULL;
    CmpState.Root = NULL;
    CmpFreeTree(Root);
    free(CmpState.HivePath);
    CmpState.HivePath = NULL;
}
