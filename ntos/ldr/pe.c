/*
 * A driver that is a Windows image: from its file to a module.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <stdio.h>
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

typedef struct REPORT {
    PE_REPORT *Line;
    void *Context;
} REPORT;

static NTSTATUS Refuse(const REPORT *Report, NTSTATUS Status, const char *Why)
{
    char Line[128];
    snprintf(Line, sizeof(Line), "not a driver that can be loaded: %s", Why);
    Report->Line(Report->Context, Line);
    return Status;
}

/* Names are the image's: long ones are cut off. */
static void ReportMissing(void *Context, const char *Library, const char *Name)
{
    const REPORT *Report = Context;
    char Line[192];
    if (_stricmp(Library, "ntoskrnl.exe") == 0 || _stricmp(Library, "hal.dll") == 0)
        snprintf(Line, sizeof(Line), "UserNT has no %.128s", Name);
    else
        snprintf(Line, sizeof(Line), "no loaded driver provides %.64s!%.96s", Library, Name);
    Report->Line(Report->Context, Line);
}

static NTSTATUS Bind(const PE_IMAGE *Image, REPORT *Report)
{
    int Missing = PeBindImports(Image, ReportMissing, Report);
    if (Missing < 0)
        return Refuse(Report, STATUS_INVALID_IMAGE_FORMAT, "its imports are damaged");
    if (Missing > 0)
        return STATUS_DRIVER_ENTRYPOINT_NOT_FOUND;
    return Image->Entry != 0 ? STATUS_SUCCESS
                             : Refuse(Report, STATUS_PROCEDURE_NOT_FOUND, "it has no entry point");
}

static NTSTATUS Change(const PE_FILE *File, PE_IMAGE *Image, const REPORT *Report)
{
    PeInitCookie(Image);
    PePatch(File, Image);
    PePatchCode(File, Image);
    NTSTATUS Status = PeProtect(File, Image);
    return NT_SUCCESS(Status) ? Status : Refuse(Report, Status, "its pages cannot be protected");
}

NTSTATUS PePrepare(const void *Bytes, SIZE_T Size, PE_IMAGE *Image, PE_REPORT *Line, void *Context)
{
    REPORT Report = {Line, Context};
    const char *Why;
    PE_FILE File;
    if (!PeOpen(&File, Bytes, Size, &Why))
        return Refuse(&Report, STATUS_INVALID_IMAGE_FORMAT, Why);
    NTSTATUS Status = PeMap(&File, Image, &Why);
    if (!NT_SUCCESS(Status))
        return Refuse(&Report, Status, Why);
    Status = Bind(Image, &Report);
    if (NT_SUCCESS(Status))
        Status = Change(&File, Image, &Report);
    if (!NT_SUCCESS(Status))
        PeUnmap(Image);
    return Status;
}

static void Print(void *Context, const char *Line)
{
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: %s\n", (const char *)Context, Line);
}

static NTSTATUS PrepareFile(const char *Path, PE_IMAGE *Image)
{
    size_t Bytes = 0;
    char *Text = host_read_file(Path, &Bytes);
    if (Text == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status = PePrepare(Text, Bytes, Image, Print, (void *)Path);
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
