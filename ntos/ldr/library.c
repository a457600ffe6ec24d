/*
 * Export drivers: images that others import from. One that is not loaded yet, and lies beside the
 * importer's file, is loaded for it: DllInitialize is called, DriverEntry is not. Each importer
 * counts in its LoadCount, and so does its service if it has one. When the count is 0 it goes:
 * DllUnload is called first. A library without DllInitialize and DllUnload stays.
 *
 * Lock: whoever maps an image holds LdrpState.Libraries, a push lock, so that no library comes
 * twice; LdrpState.Lock, which is taken inside it, guards the counts: what has reached 0 is not
 * found any more.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <stdio.h>
#include <string.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

typedef struct LDRP_NEED {
    struct LDRP_NEED *Next;
    LDR_MODULE *Module;
} LDRP_NEED;

static LDR_MODULE *FindLoaded(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = LdrpState.Modules.Flink; Entry != &LdrpState.Modules;
         Entry = Entry->Flink) {
        LDR_MODULE *Module = CONTAINING_RECORD(Entry, LDR_MODULE, Entry.InLoadOrderLinks);
        if (Module->Pe != NULL && Module->LoadCount != 0 &&
            RtlEqualUnicodeString(&Module->BaseName, Name, TRUE))
            return Module;
    }
    return NULL;
}

/* Counted. NULL: it is not loaded. */
static LDR_MODULE *TakeLoaded(const char *Library)
{
    UNICODE_STRING Name;
    ANSI_STRING Text;
    RtlInitAnsiString(&Text, Library);
    if (!NT_SUCCESS(RtlAnsiStringToUnicodeString(&Name, &Text, TRUE)))
        return NULL;
    ExLockExclusive_(&LdrpState.Lock);
    LDR_MODULE *Module = FindLoaded(&Name);
    if (Module != NULL)
        Module->LoadCount++;
    ExUnlockExclusive_(&LdrpState.Lock);
    RtlFreeUnicodeString(&Name);
    return Module;
}

/* DllInitialize may load a driver: the same thread comes again. */
BOOLEAN LdrpBeginMapping(void)
{
    if (atomic_load(&LdrpState.Mapping) == KeGetCurrentThread())
        return FALSE;
    ExLockExclusive_(&LdrpState.Libraries);
    atomic_store(&LdrpState.Mapping, KeGetCurrentThread());
    return TRUE;
}

void LdrpEndMapping(BOOLEAN Began)
{
    if (!Began)
        return;
    atomic_store(&LdrpState.Mapping, NULL);
    ExUnlockExclusive_(&LdrpState.Libraries);
}

/* ---- coming ---- */

static BOOLEAN FindBeside(const char *Importer, const char *Library, char Path[LDRP_PATH])
{
    const char *Slash = strrchr(Importer, '/');
    int Folder = Slash == NULL ? 0 : (int)(Slash + 1 - Importer);
    int Bytes = snprintf(Path, LDRP_PATH, "%.*s%s", Folder, Importer, Library);
    if (strchr(Library, '/') != NULL || Bytes <= 0 || Bytes >= LDRP_PATH)
        return FALSE;
    if (host_file_exists(Path))
        return TRUE;
    _strlwr(Path + Folder);
    return host_file_exists(Path);
}

static NTSTATUS CallInitialize(const LDR_MODULE *Module)
{
    PVOID Initialize = PeExportByName(Module->Pe, "DllInitialize");
    UNICODE_STRING Path;
    if (Initialize == NULL)
        return STATUS_SUCCESS;
    Path.Length = 0;
    Path.MaximumLength = sizeof(SERVICES) + Module->ServiceName.Length;
    Path.Buffer = ExAllocatePoolWithTag(PagedPool, Path.MaximumLength, LDRP_TAG);
    if (Path.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlAppendUnicodeToString(&Path, SERVICES);
    RtlAppendUnicodeStringToString(&Path, &Module->ServiceName);
    NTSTATUS Status = NT_CALL((NTSTATUS(*)(PUNICODE_STRING))Initialize, &Path);
    ExFreePoolWithTag(Path.Buffer, LDRP_TAG);
    if (!NT_SUCCESS(Status))
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: its DllInitialize failed: 0x%08X\n",
                   Module->HostPath, Status);
    return Status;
}

static BOOLEAN CanGo(const LDR_MODULE *Module)
{
    return PeExportByName(Module->Pe, "DllInitialize") != NULL &&
           PeExportByName(Module->Pe, "DllUnload") != NULL;
}

/* It is on the list, which owns one reference of it. */
static NTSTATUS StartLibrary(LDR_MODULE *Module)
{
    NTSTATUS Status = LdrpPublishModule(Module);
    if (!NT_SUCCESS(Status)) {
        LdrpUnmapModule(Module);
        LdrpDereferenceModule(Module);
        return Status;
    }
    LdrpNotifyImage(Module);
    Status = CallInitialize(Module);
    if (!NT_SUCCESS(Status)) {
        LdrpRemoveModule(Module);
        return Status;
    }
    PeDiscard(Module->Pe);
    Module->Stays = !CanGo(Module);
    Module->LoadCount += Module->Stays;
    return STATUS_SUCCESS;
}

/* By its file's name a library has the name of a service that would be its own. */
static LDR_MODULE *LoadLibrary(LDR_MODULE *Importer, const char *Path)
{
    WCHAR Stem[PE_LIBRARY];
    UNICODE_STRING Name = {0, sizeof(Stem), Stem};
    const char *File = strrchr(Path, '/') == NULL ? Path : strrchr(Path, '/') + 1;
    PDRIVER_INITIALIZE Unused;
    LDR_MODULE *Module;
    for (size_t i = 0; File[i] != '\0' && File[i] != '.' && i < RTL_NUMBER_OF(Stem); i++) {
        Stem[i] = (UCHAR)File[i];
        Name.Length += sizeof(WCHAR);
    }
    if (!NT_SUCCESS(LdrpCreateModule(Path, &Name, &Module)))
        return NULL;
    Module->Library = TRUE;
    Module->For = Importer;
    NTSTATUS Status = LdrpIsPe(Path) ? LdrpMapPe(Module, &Unused) : STATUS_INVALID_IMAGE_FORMAT;
    if (!NT_SUCCESS(Status))
        LdrpDereferenceModule(Module);
    else
        Status = StartLibrary(Module);
    Module->For = NULL;
    LdrpDereferenceModule(Module);
    return NT_SUCCESS(Status) ? Module : NULL;
}

static BOOLEAN IsBeingLoaded(const LDR_MODULE *Module, const char *Path)
{
    for (; Module != NULL; Module = Module->For)
        if (strcmp(Module->HostPath, Path) == 0)
            return TRUE;
    return FALSE;
}

const PE_IMAGE *LdrpProvide(LDR_MODULE *Importer, const char *Library)
{
    char Path[LDRP_PATH];
    LDRP_NEED *Need = ExAllocatePoolWithTag(PagedPool, sizeof(*Need), LDRP_TAG);
    if (Need == NULL)
        return NULL;
    Need->Module = TakeLoaded(Library);
    if (Need->Module == NULL && FindBeside(Importer->HostPath, Library, Path) &&
        !IsBeingLoaded(Importer, Path))
        Need->Module = LoadLibrary(Importer, Path); /* LoadCount 1 is for this importer */
    if (Need->Module == NULL) {
        ExFreePoolWithTag(Need, LDRP_TAG);
        return NULL;
    }
    Need->Next = Importer->Needs;
    Importer->Needs = Need;
    return Need->Module->Pe;
}

/* ---- going ---- */

/* TRUE: it was the last. */
static BOOLEAN Uncount(LDR_MODULE *Module)
{
    ExLockExclusive_(&LdrpState.Lock);
    BOOLEAN Last = --Module->LoadCount == 0;
    ExUnlockExclusive_(&LdrpState.Lock);
    return Last;
}

static void Drop(LDR_MODULE *Module)
{
    if (!Uncount(Module))
        return;
    PVOID Unload = Module->Library ? PeExportByName(Module->Pe, "DllUnload") : NULL;
    if (Unload != NULL)
        NT_CALL((NTSTATUS(*)(VOID))Unload);
    LdrpRemoveModule(Module);
}

void LdrpDropNeeds(LDR_MODULE *Module)
{
    while (Module->Needs != NULL) {
        LDRP_NEED *Need = Module->Needs;
        Module->Needs = Need->Next;
        Drop(Need->Module);
        ExFreePoolWithTag(Need, LDRP_TAG);
    }
}

static BOOLEAN TakeStaying(LDR_MODULE *Module)
{
    BOOLEAN Stays = Module->Stays;
    Module->Stays = FALSE;
    return Stays;
}

void LdrpDropLibraries(void)
{
    LDR_MODULE *Module;
    while ((Module = LdrpTakeLast(TakeStaying)) != NULL)
        Drop(Module);
}
