/*
 * The list of loaded modules. The executive is the first; a driver is on it from before its
 * DriverEntry until it is unmapped.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include "ldr/seh.h"
#include <stdio.h>
#include <string.h>

LDRP_STATE LdrpState;
PLIST_ENTRY PsLoadedModuleList = &LdrpState.Modules;

/* "…/sharingmemory.so" -> "sharingmemory.sys", as a path of NT's. */
static NTSTATUS NameModule(LDR_MODULE *Module, const char *File, const char *Folder)
{
    char Full[LDRP_PATH];
    const char *Slash = strrchr(File, '/'), *Base = Slash == NULL ? File : Slash + 1;
    size_t Length = strlen(Base);
    if (Length > 3 && strcmp(Base + Length - 3, ".so") == 0)
        Length -= 3;
    else if (Length > 4 && _stricmp(Base + Length - 4, ".sys") == 0)
        Length -= 4;
    int Bytes = snprintf(Full, sizeof(Full), "%s%.*s.sys", Folder, (int)Length, Base);
    if (Bytes < 0 || (size_t)Bytes >= sizeof(Full))
        return STATUS_NAME_TOO_LONG;
    ANSI_STRING Text;
    RtlInitAnsiString(&Text, Full);
    NTSTATUS Status = RtlAnsiStringToUnicodeString(&Module->FullName, &Text, TRUE);
    if (!NT_SUCCESS(Status))
        return Status;
    USHORT Skip = (USHORT)(strlen(Folder) * sizeof(WCHAR));
    Module->BaseName.Buffer = Module->FullName.Buffer + Skip / sizeof(WCHAR);
    Module->BaseName.Length = Module->FullName.Length - Skip;
    Module->BaseName.MaximumLength = Module->FullName.MaximumLength - Skip;
    return STATUS_SUCCESS;
}

NTSTATUS LdrpCreateModule(const char *HostPath, PCUNICODE_STRING ServiceName, LDR_MODULE **Created)
{
    LDR_MODULE *Module =
        ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Module) + ServiceName->Length, LDRP_TAG);
    if (Module == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Module, sizeof(*Module));
    Module->ServiceName =
        (UNICODE_STRING){ServiceName->Length, ServiceName->Length, (PWCH)(Module + 1)};
    memcpy(Module + 1, ServiceName->Buffer, ServiceName->Length);
    snprintf(Module->HostPath, sizeof(Module->HostPath), "%s", HostPath);
    atomic_store(&Module->References, 2);
    Module->LoadCount = 1;
    NTSTATUS Status = NameModule(Module, HostPath, "\\SystemRoot\\System32\\Drivers\\");
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Module, LDRP_TAG);
    else
        *Created = Module;
    return Status;
}

static void FillEntry(LDR_MODULE *Module)
{
    Module->Entry.DllBase = Module->Base;
    Module->Entry.SizeOfImage = Module->Size;
    Module->Entry.FullDllName = Module->FullName;
    Module->Entry.BaseDllName = Module->BaseName;
    Module->Entry.LoadCount = Module->LoadCount;
}

static LDR_MODULE *FindService(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = LdrpState.Modules.Flink; Entry != &LdrpState.Modules;
         Entry = Entry->Flink) {
        LDR_MODULE *Module = CONTAINING_RECORD(Entry, LDR_MODULE, Entry.InLoadOrderLinks);
        if (Module->ServiceName.Length != 0 &&
            RtlEqualUnicodeString(&Module->ServiceName, Name, TRUE))
            return Module;
    }
    return NULL;
}

NTSTATUS LdrpPublishModule(LDR_MODULE *Module)
{
    NTSTATUS Status = STATUS_IMAGE_ALREADY_LOADED;
    FillEntry(Module);
    ExLockExclusive_(&LdrpState.Lock);
    if (FindService(&Module->ServiceName) == NULL) {
        Status = LdrpPublishAddresses(Module) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
        if (NT_SUCCESS(Status)) {
            Module->LoadOrder = LdrpState.NextOrder++;
            InsertTailList(&LdrpState.Modules, &Module->Entry.InLoadOrderLinks);
        }
    }
    ExUnlockExclusive_(&LdrpState.Lock);
    return Status;
}

/* The range of its code stays known as ntoskrnl.exe too (address.c). */
void LdrpShowExecutiveAs(PVOID Base, ULONG Bytes)
{
    LdrpState.Executive.Entry.DllBase = Base;
    LdrpState.Executive.Entry.SizeOfImage = Bytes;
}

void LdrpSetModuleDriver(LDR_MODULE *Module, PDRIVER_OBJECT Driver)
{
    ExLockExclusive_(&LdrpState.Lock);
    if (!Module->Unmapped) {
        Module->Driver = Driver;
        LdrpPublishDriver(Module, Driver);
    }
    ExUnlockExclusive_(&LdrpState.Lock);
}

void LdrpDereferenceModule(LDR_MODULE *Module)
{
    if (atomic_fetch_sub(&Module->References, 1) != 1)
        return;
    LdrpDropNeeds(Module);
    RtlFreeUnicodeString(&Module->FullName);
    if (Module->Pe != NULL)
        ExFreePoolWithTag(Module->Pe, LDRP_TAG);
    ExFreePoolWithTag(Module, LDRP_TAG);
}

void LdrpUnmapModule(LDR_MODULE *Module)
{
    if (Module->Image != NULL)
        host_image_unload(Module->Image);
    if (Module->Pe != NULL)
        PeUnmap(Module->Pe);
}

void LdrpRelease(PVOID Section)
{
    LDR_MODULE *Module = Section;
    ExLockExclusive_(&LdrpState.Lock);
    BOOLEAN Last = --Module->LoadCount == 0; /* else others import from it, and keep it */
    Module->Unmapped = TRUE;
    Module->Driver = NULL;
    LdrpPublishDriver(Module, NULL);
    ExUnlockExclusive_(&LdrpState.Lock);
    if (Last)
        LdrpRemoveModule(Module);
}

void LdrpRemoveModule(LDR_MODULE *Module)
{
    ExLockExclusive_(&LdrpState.Lock);
    RemoveEntryList(&Module->Entry.InLoadOrderLinks);
    LdrpWithdrawAddresses(Module);
    ExUnlockExclusive_(&LdrpState.Lock);
    VfTrace(VfEventUnload, (ULONG_PTR)Module->Base, Module->Size);
    LdrpUnmapModule(Module);
    LdrpDereferenceModule(Module);
}

void LdrEnumerateModules(BOOLEAN (*Each)(PVOID Context, const LDR_MODULE *Module), PVOID Context)
{
    ExLockShared_(&LdrpState.Lock);
    for (PLIST_ENTRY Entry = LdrpState.Modules.Flink; Entry != &LdrpState.Modules;
         Entry = Entry->Flink)
        if (!Each(Context, CONTAINING_RECORD(Entry, LDR_MODULE, Entry.InLoadOrderLinks)))
            break;
    ExUnlockShared_(&LdrpState.Lock);
}

LDR_MODULE *LdrpTakeLast(BOOLEAN (*Take)(LDR_MODULE *Module))
{
    LDR_MODULE *Found = NULL;
    ExLockExclusive_(&LdrpState.Lock);
    for (PLIST_ENTRY Entry = LdrpState.Modules.Blink; Entry != &LdrpState.Modules && Found == NULL;
         Entry = Entry->Blink) {
        LDR_MODULE *Module = CONTAINING_RECORD(Entry, LDR_MODULE, Entry.InLoadOrderLinks);
        if (Take(Module))
            Found = Module;
    }
    ExUnlockExclusive_(&LdrpState.Lock);
    return Found;
}

/* Entry 0 of the list. Its base and size are those of the executive's own library. */
static NTSTATUS AddExecutive(void)
{
    LDR_MODULE *Module = &LdrpState.Executive;
    struct host_image_info Info;
    host_image_self(&Info);
    Module->Base = Info.base;
    Module->Size = (ULONG)Info.bytes;
    Module->LoadCount = 1;
    Module->Native = TRUE;
    snprintf(Module->HostPath, sizeof(Module->HostPath), "%s", Info.path);
    NTSTATUS Status =
        RtlCreateUnicodeString(&Module->FullName, L"\\SystemRoot\\system32\\ntoskrnl.exe")
            ? STATUS_SUCCESS
            : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Module->BaseName,
                         Module->FullName.Buffer + RTL_NUMBER_OF(L"\\SystemRoot\\system32\\") - 1);
    Status = LdrpPublishModule(Module);
    if (!NT_SUCCESS(Status))
        RtlFreeUnicodeString(&Module->FullName);
    return Status;
}

NTSTATUS LdrInitSystem(const char *SearchPath)
{
    RtlZeroMemory(&LdrpState, sizeof(LdrpState));
    InitializeListHead(&LdrpState.Modules);
    if (SearchPath != NULL && strlen(SearchPath) >= sizeof(LdrpState.SearchPath))
        return STATUS_NAME_TOO_LONG;
    if (SearchPath != NULL)
        strcpy(LdrpState.SearchPath, SearchPath);
    NTSTATUS Status = AddExecutive();
    if (!NT_SUCCESS(Status))
        return Status;
    Status = LdrpInitForeign();
    if (!NT_SUCCESS(Status)) {
        LdrShutdownSystem();
        return Status;
    }
    LdrpInitExceptions();
    LdrpInitPrivileged();
    IopSetImageLookup(LdrpDriverOf);
    VfContext.DriverNameOf = LdrpDriverName;
    MmSetImageQuery(LdrpIsImage);
    return STATUS_SUCCESS;
}

static BOOLEAN TakeToUnload(LDR_MODULE *Module)
{
    if (Module == &LdrpState.Executive || Module->AskedToUnload || Module->Library)
        return FALSE;
    Module->AskedToUnload = TRUE;
    atomic_fetch_add(&Module->References, 1);
    return TRUE;
}

static NTSTATUS UnloadAll(PVOID Context)
{
    LDR_MODULE *Module;
    while ((Module = LdrpTakeLast(TakeToUnload)) != NULL) {
        IopUnloadDriver(&Module->ServiceName);
        LdrpDereferenceModule(Module);
    }
    LdrpDropLibraries();
    return STATUS_SUCCESS;
}

void LdrUnloadAll(void)
{
    LdrpRunInSystem(UnloadAll, NULL);
}

/* A driver that is still there (it has no unload routine) is left to IoShutdownSystem, which is
 * called next. */
void LdrShutdownSystem(void)
{
    MmSetImageQuery(NULL);
    LdrpShutdownForeign();
    LdrpWithdrawAddresses(&LdrpState.Executive);
    RemoveEntryList(&LdrpState.Executive.Entry.InLoadOrderLinks);
    RtlFreeUnicodeString(&LdrpState.Executive.FullName);
}
