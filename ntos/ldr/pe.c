/*
 * A driver that is a Windows image: from its file to a module.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Such images have the letters MZ. */
BOOLEAN LdrpIsPe(const char *Path)
{
    size_t Bytes = 0;
    char *File = host_read_file(Path, &Bytes);
    BOOLEAN Found = File != NULL && Bytes >= 2 && File[0] == 'M' && File[1] == 'Z';
    free(File);
    return Found;
}

static NTSTATUS Refuse(const PE_LOADER *Loader, NTSTATUS Status, const char *Why)
{
    char Line[128];
    snprintf(Line, sizeof(Line), "not a driver that can be loaded: %s", Why);
    Loader->Report(Loader->Context, Line);
    return Status;
}

/* Names are the image's: long ones are cut off. */
static void ReportMissing(void *Context, const char *Library, const char *Name)
{
    const PE_LOADER *Loader = Context;
    char Line[256];
    if (PeIsExecutive(Library) && strncmp(Name, "ordinal ", 8) == 0)
        snprintf(Line, sizeof(Line),
                 "it imports %s of %s, whose numbers differ from build to build of Windows: only "
                 "names can be imported",
                 Name, Library);
    else if (PeIsExecutive(Library))
        snprintf(Line, sizeof(Line), "UserNT has no %.128s", Name);
    else
        snprintf(Line, sizeof(Line), "no driver provides %.64s!%.96s, loaded or beside it", Library,
                 Name);
    Loader->Report(Loader->Context, Line);
}

static const PE_IMAGE *Provide(void *Context, const char *Library)
{
    const PE_LOADER *Loader = Context;
    return Loader->Provide(Loader->Context, Library);
}

static NTSTATUS Bind(const PE_IMAGE *Image, const PE_LOADER *Loader)
{
    PE_BINDER Binder = {Provide, ReportMissing, (void *)Loader};
    int Missing = PeBindImports(Image, &Binder);
    if (Missing < 0)
        return Refuse(Loader, STATUS_INVALID_IMAGE_FORMAT, "its imports are damaged");
    return Missing == 0 ? STATUS_SUCCESS : STATUS_DRIVER_ENTRYPOINT_NOT_FOUND;
}

static NTSTATUS Change(const PE_FILE *File, PE_IMAGE *Image, const PE_LOADER *Loader)
{
    PeInitCookie(Image);
    PeInitGuard(Image);
    PePatch(File, Image);
    PePatchCode(File, Image);
    NTSTATUS Status = PeProtect(File, Image);
    return NT_SUCCESS(Status) ? Status : Refuse(Loader, Status, "its pages cannot be protected");
}

NTSTATUS PePrepare(const void *Bytes, SIZE_T Size, PE_IMAGE *Image, const PE_LOADER *Loader)
{
    const char *Why;
    PE_FILE File;
    if (!PeOpen(&File, Bytes, Size, &Why))
        return Refuse(Loader, STATUS_INVALID_IMAGE_FORMAT, Why);
    NTSTATUS Status = PeMap(&File, Image, &Why);
    if (!NT_SUCCESS(Status))
        return Refuse(Loader, Status, Why);
    Status = Bind(Image, Loader);
    if (NT_SUCCESS(Status))
        Status = Change(&File, Image, Loader);
    if (!NT_SUCCESS(Status))
        PeUnmap(Image);
    return Status;
}

static void Print(void *Context, const char *Line)
{
    const LDR_MODULE *Module = Context;
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: %s\n", Module->HostPath, Line);
}

static const PE_IMAGE *ProvideTo(void *Context, const char *Library)
{
    return LdrpProvide(Context, Library);
}

/* A library needs no entry point. */
static NTSTATUS PrepareFile(LDR_MODULE *Module, PE_IMAGE *Image)
{
    PE_LOADER Loader = {Print, ProvideTo, Module};
    size_t Bytes = 0;
    char *Text = host_read_file(Module->HostPath, &Bytes);
    if (Text == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status = PePrepare(Text, Bytes, Image, &Loader);
    free(Text);
    if (!NT_SUCCESS(Status) || Image->Entry != 0 || Module->Library)
        return Status;
    PeUnmap(Image);
    return Refuse(&Loader, STATUS_PROCEDURE_NOT_FOUND, "it has no entry point");
}

NTSTATUS LdrpMapPe(LDR_MODULE *Module, PDRIVER_INITIALIZE *Entry)
{
    PE_IMAGE *Image = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Image), LDRP_TAG);
    if (Image == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = PrepareFile(Module, Image);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Image, LDRP_TAG);
        return Status;
    }
    Module->Pe = Image;
    Module->Base = Image->Base;
    Module->Size = Image->Size;
    *Entry = (PDRIVER_INITIALIZE)(Image->Base + Image->Entry);
    return STATUS_SUCCESS;
}

typedef struct SEARCH {
    UNICODE_STRING Name;
    const PE_IMAGE *Found;
} SEARCH;

static BOOLEAN HasName(PVOID Context, const LDR_MODULE *Module)
{
    SEARCH *Search = Context;
    if (Module->Pe != NULL && RtlEqualUnicodeString(&Module->BaseName, &Search->Name, TRUE))
        Search->Found = Module->Pe;
    return Search->Found == NULL;
}

const PE_IMAGE *LdrpFindImageNamed(const char *Name)
{
    SEARCH Search = {.Found = NULL};
    ANSI_STRING Text;
    RtlInitAnsiString(&Text, Name);
    if (!NT_SUCCESS(RtlAnsiStringToUnicodeString(&Search.Name, &Text, TRUE)))
        return NULL;
    LdrEnumerateModules(HasName, &Search);
    RtlFreeUnicodeString(&Search.Name);
    return Search.Found;
}
