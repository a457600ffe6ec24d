/*
 * Loading and unloading: from a service key to a driver that runs, and back.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void ReportMissing(void *Context, const char *Name)
{
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: UserNT has no %s\n", (const char *)Context,
               Name);
}

static NTSTATUS CheckImage(const char *Path)
{
    int Missing = host_image_missing(Path, ReportMissing, (void *)Path);
    if (Missing < 0) {
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL,
                   "%s: not an x86-64 ELF shared object, or damaged\n", Path);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    return Missing == 0 ? STATUS_SUCCESS : STATUS_DRIVER_ENTRYPOINT_NOT_FOUND;
}

/* Maps the file: afterwards the module's image, base and size are set. */
static NTSTATUS MapImage(LDR_MODULE *Module, PDRIVER_INITIALIZE *Entry)
{
    char Error[512] = "";
    struct host_image_info Info;
    if (LdrpIsPe(Module->HostPath))
        return LdrpMapPe(Module, Entry);
    NTSTATUS Status = CheckImage(Module->HostPath);
    if (!NT_SUCCESS(Status))
        return Status;
    int Result = host_image_load(Module->HostPath, &Module->Image, Error, sizeof(Error));
    if (Result != 0) {
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s\n", Error);
        return Result == -EEXIST ? STATUS_IMAGE_ALREADY_LOADED : STATUS_INVALID_IMAGE_FORMAT;
    }
    *Entry = (PDRIVER_INITIALIZE)host_image_symbol(Module->Image, "DriverEntry");
    if (*Entry == NULL) {
        DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL, "%s: no DriverEntry\n", Module->HostPath);
        host_image_unload(Module->Image);
        return STATUS_PROCEDURE_NOT_FOUND;
    }
    host_image_info(Module->Image, &Info);
    Module->Base = Info.base;
    Module->Size = (ULONG)Info.bytes;
    Module->Native = TRUE;
    return STATUS_SUCCESS;
}

/* A driver that is part of the program: the program is its image. */
static NTSTATUS AdoptImage(LDR_MODULE *Module, PDRIVER_INITIALIZE Entry)
{
    struct host_image_info Info;
    if (!host_image_of((const void *)Entry, &Info))
        return STATUS_INVALID_IMAGE_FORMAT;
    Module->Base = Info.base;
    Module->Size = (ULONG)Info.bytes;
    Module->Native = TRUE;
    return STATUS_SUCCESS;
}

void LdrpNotifyImage(LDR_MODULE *Module)
{
    IMAGE_INFO Information = {.ImageAddressingMode = IMAGE_ADDRESSING_MODE_32BIT,
                              .SystemModeImage = 1};
    Information.ImageBase = Module->Base;
    Information.ImageSize = Module->Size;
    PsCallImageNotify_(&Module->FullName, NULL, &Information);
}

/* The module is on the list, and its image notified, before DriverEntry runs. io owns one reference
 * whatever happens. */
static NTSTATUS Start(LDR_MODULE *Module, const LDRP_SERVICE *Service, PDRIVER_INITIALIZE Entry)
{
    IO_DRIVER_IMAGE Image = {
        &Service->Name, &Service->Key, Entry,       Module->Base,
        Module->Size,   Module,        LdrpRelease, Module->Image == NULL && Module->Pe == NULL};
    PDRIVER_OBJECT Driver;
    VfTrace(VfEventLoad, (ULONG_PTR)Module->Base, Module->Size);
    LdrpNotifyImage(Module);
    NTSTATUS Status = IopLoadDriverImage(&Image, &Driver);
    if (!NT_SUCCESS(Status) && !Module->Unmapped)
        LdrpRelease(Module);
    if (!NT_SUCCESS(Status))
        return Status;
    LdrpSetModuleDriver(Module, Driver);
    if (Module->Pe != NULL)
        PeDiscard(Module->Pe);
    return Status;
}

typedef struct LOAD {
    PUNICODE_STRING Key;
    PDRIVER_INITIALIZE Entry;
} LOAD; /* Entry NULL: from a file */

static NTSTATUS LoadImage(const LDRP_SERVICE *Service, const char *Path, PDRIVER_INITIALIZE Entry)
{
    LDR_MODULE *Module;
    NTSTATUS Status = LdrpCreateModule(Path, &Service->Name, &Module);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Began = LdrpBeginMapping();
    Status = Entry == NULL ? MapImage(Module, &Entry) : AdoptImage(Module, Entry);
    if (NT_SUCCESS(Status)) {
        Status = LdrpPublishModule(Module);
        if (!NT_SUCCESS(Status))
            LdrpUnmapModule(Module);
    }
    LdrpEndMapping(Began);
    if (!NT_SUCCESS(Status))
        goto dereference;
    Status = Start(Module, Service, Entry);
    LdrpDereferenceModule(Module);
    return Status;

dereference: /* io never saw it */
    LdrpDereferenceModule(Module);
    LdrpDereferenceModule(Module);
    return Status;
}

static NTSTATUS Load(PVOID Context)
{
    const LOAD *Request = Context;
    LDRP_SERVICE Service;
    char Path[LDRP_PATH] = "";
    NTSTATUS Status = LdrpReadService(Request->Key, &Service);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Request->Entry == NULL)
        Status = LdrpFindImage(&Service, Path);
    else
        RtlUnicodeToUTF8N(Path, sizeof(Path) - 1, &(ULONG){0}, Service.Name.Buffer,
                          Service.Name.Length);
    if (NT_SUCCESS(Status))
        Status = LoadImage(&Service, Path, Request->Entry);
    LdrpFreeService(&Service);
    return Status;
}

NTSTATUS LdrLoadDriver(PUNICODE_STRING ServiceKey)
{
    LOAD Request = {ServiceKey, NULL};
    return LdrpRunInSystem(Load, &Request);
}

NTSTATUS LdrLoadStaticDriver(PDRIVER_INITIALIZE Entry, PUNICODE_STRING ServiceKey)
{
    LOAD Request = {ServiceKey, Entry};
    return LdrpRunInSystem(Load, &Request);
}

static NTSTATUS Unload(PVOID Context)
{
    LDRP_SERVICE Service;
    NTSTATUS Status = LdrpReadService(Context, &Service);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopUnloadDriver(&Service.Name);
    LdrpFreeService(&Service);
    return Status;
}

NTSTATUS LdrUnloadDriver(PUNICODE_STRING ServiceKey)
{
    return LdrpRunInSystem(Unload, ServiceKey);
}
