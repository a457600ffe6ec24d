/*
 * The auxiliary kernel-mode library, for builds without the WDK's: the loaded modules, from the
 * system information that every Windows since 2000 has. PASSIVE_LEVEL.
 */
#include <aux_klib.h>
#include <ntddk.h>

#define MODULE_INFORMATION_CLASS 11
#define MODULE_TAG 'xuAk'

typedef struct _MODULE {
    PVOID Section, MappedBase, ImageBase;
    ULONG ImageSize, Flags;
    USHORT LoadOrderIndex, InitOrderIndex, LoadCount, OffsetToFileName;
    UCHAR FullPathName[AUX_KLIB_MODULE_PATH_LEN];
} MODULE;

typedef struct _MODULES {
    ULONG Count;
    MODULE Modules[1];
} MODULES;

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Buffer, ULONG Length,
                                                 PULONG Returned);

NTSTATUS NTAPI AuxKlibInitialize(VOID)
{
    return STATUS_SUCCESS;
}

/* Modules may be loaded between two questions: ask until the answer fits. */
static NTSTATUS QueryModules(MODULES **Modules)
{
    ULONG Length = 16 * 1024, Needed;
    NTSTATUS Status;

    do {
        *Modules = ExAllocatePoolWithTag(PagedPool, Length, MODULE_TAG);
        if (!*Modules)
            return STATUS_INSUFFICIENT_RESOURCES;
        Needed = 0;
        Status = ZwQuerySystemInformation(MODULE_INFORMATION_CLASS, *Modules, Length, &Needed);
        if (NT_SUCCESS(Status))
            return Status;
        ExFreePoolWithTag(*Modules, MODULE_TAG);
        Length = (Needed > Length ? Needed : Length) + 16 * sizeof(MODULE);
    } while (Status == STATUS_INFO_LENGTH_MISMATCH);
    return Status;
}

static VOID Describe(const MODULE *From, ULONG Size, PVOID To)
{
    AUX_MODULE_EXTENDED_INFO Info;

    RtlZeroMemory(&Info, sizeof(Info));
    Info.BasicInfo.ImageBase = From->ImageBase;
    Info.ImageSize = From->ImageSize;
    Info.FileNameOffset = From->OffsetToFileName;
    RtlCopyMemory(Info.FullPathName, From->FullPathName, sizeof(Info.FullPathName));
    RtlCopyMemory(To, &Info, Size); /* a basic element is the head of an extended one */
}

NTSTATUS NTAPI AuxKlibQueryModuleInformation(PULONG BufferSize, ULONG ElementSize, PVOID QueryInfo)
{
    MODULES *Modules;
    NTSTATUS Status;
    ULONG i, Needed;

    if (ElementSize != sizeof(AUX_MODULE_BASIC_INFO) &&
        ElementSize != sizeof(AUX_MODULE_EXTENDED_INFO))
        return STATUS_INVALID_PARAMETER;
    Status = QueryModules(&Modules);
    if (!NT_SUCCESS(Status))
        return Status;
    Needed = Modules->Count * ElementSize;
    if (QueryInfo && *BufferSize < Needed)
        Status = STATUS_BUFFER_TOO_SMALL;
    for (i = 0; QueryInfo && NT_SUCCESS(Status) && i < Modules->Count; i++)
        Describe(&Modules->Modules[i], ElementSize, (UCHAR *)QueryInfo + i * ElementSize);
    *BufferSize = Needed;
    ExFreePoolWithTag(Modules, MODULE_TAG);
    return Status;
}
