/*
 * A driver that is a Windows image: from its file to a module.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <stdlib.h>

/* Such images have the letters MZ. */
BOOLEAN LdrpIsPe(const char *Path)
{
    size_t Bytes = 0;
    char *File = host_read_file(Path, &Bytes);
    BOOLEAN Found = File != NULL && Bytes >= 2 && File[0] == 'M' && File[1] == 'Z';
    free(File);
    return Found;
}

static void ReportMissing(void *Context, const char *Library, const char *Name)
{
    if (_stricmp(Library, "ntoskrnl.exe") == 0 || _stricmp(Library, "hal.dll") == 0)
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: UserNT has no %s\n",
                   (const char *)Context, Name);
    else
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: no loaded driver provides %s!%s\n",
                   (const char *)Context, Library, Name);
}

static void Refuse(const char *Path, const char *Why)
{
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: not a driver that can be loaded: %s\n", Path,
               Why);
}

/* Mapped, relocated, bound, protected; or nothing. */
static NTSTATUS Prepare(const char *Path, const PE_FILE *File, PE_IMAGE *Image)
{
    const char *Why;
    NTSTATUS Status = PeMap(File, Image, &Why);
    if (!NT_SUCCESS(Status)) {
        Refuse(Path, Why);
        return Status;
    }
    int Missing = PeBindImports(Image, ReportMissing, (void *)Path);
    Status = Missing == 0 ? STATUS_SUCCESS : STATUS_DRIVER_ENTRYPOINT_NOT_FOUND;
    if (Missing < 0) {
        Refuse(Path, "its imports are damaged");
        Status = STATUS_INVALID_IMAGE_FORMAT;
    }
    if (NT_SUCCESS(Status) && Image->Entry == 0) {
        Refuse(Path, "it has no entry point");
        Status = STATUS_PROCEDURE_NOT_FOUND;
    }
    if (NT_SUCCESS(Status)) {
        PeInitCookie(Image);
        PePatch(File, Image);
        PePatchCode(File, Image);
        Status = PeProtect(File, Image);
    }
    if (!NT_SUCCESS(Status))
        PeUnmap(Image);
    return Status;
}

static NTSTATUS PrepareFile(const char *Path, PE_IMAGE *Image)
{
    size_t Bytes = 0;
    const char *Why;
    PE_FILE File;
    char *Text = host_read_file(Path, &Bytes);
    if (Text == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status = STATUS_INVALID_IMAGE_FORMAT;
    if (PeOpen(&File, Text, Bytes, &Why))
        Status = Prepare(Path, &File, Image);
    else
        Refuse(Path, Why);
    free(Text);
    return Status;
}

NTSTATUS LdrpMapPe(LDR_MODULE *Module, PDRIVER_INITIALIZE *Entry)
{
    PE_IMAGE *Image = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Image), LDRP_TAG);
    if (Image == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = PrepareFile(Module->HostPath, Image);
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
