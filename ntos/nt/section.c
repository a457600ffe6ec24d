/*
 * Sections backed by memory. A view holds a reference to its section.
 */
#include "nt/capture.h"

#define PAGE_PROTECTIONS                                                                           \
    (PAGE_NOACCESS | PAGE_READONLY | PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE |              \
     PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)
#define SECTION_ATTRIBUTES (SEC_COMMIT | SEC_RESERVE)

typedef struct SECTION_PARAMETERS {
    ULONG64 Bytes;
    ULONG Protect, Attributes;
} SECTION_PARAMETERS;

static NTSTATUS Initialize(PVOID Body, PVOID Context)
{
    SECTION_PARAMETERS *Parameters = Context;
    RtlZeroMemory(Body, sizeof(MM_SECTION));
    return MmCreateSection_(Body, Parameters->Bytes, Parameters->Protect, Parameters->Attributes);
}

/* One base protection, and perhaps modifiers. */
static BOOLEAN IsProtection(ULONG Protect)
{
    ULONG Base = Protect & PAGE_PROTECTIONS;
    return Base != 0 && (Base & (Base - 1)) == 0 &&
           (Protect & ~(PAGE_PROTECTIONS | PAGE_NOCACHE | PAGE_WRITECOMBINE | PAGE_GUARD)) == 0;
}

/* Only sections backed by memory: STATUS_INVALID_FILE_FOR_SECTION with a file.
 * STATUS_INVALID_PARAMETER_4: no size. Doc: wdm/nf-wdm-zwcreatesection */
NTSTATUS NTAPI NtCreateSection(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                               PLARGE_INTEGER MaximumSize, ULONG Protect,
                               ULONG AllocationAttributes, HANDLE File)
{
    LARGE_INTEGER Size = {.QuadPart = 0};
    if ((AllocationAttributes & ~SECTION_ATTRIBUTES) != 0 ||
        (AllocationAttributes & (SEC_COMMIT | SEC_RESERVE)) == 0)
        return STATUS_INVALID_PARAMETER_6;
    if (!IsProtection(Protect) || (Protect & (PAGE_NOACCESS | PAGE_GUARD)) != 0)
        return STATUS_INVALID_PAGE_PROTECTION;
    NTSTATUS Status = MaximumSize == NULL ? STATUS_SUCCESS : NTP_READ(NtpMode(), Size, MaximumSize);
    if (!NT_SUCCESS(Status))
        return Status;
    if (File != NULL)
        return STATUS_INVALID_FILE_FOR_SECTION;
    if (Size.QuadPart <= 0)
        return STATUS_INVALID_PARAMETER_4;
    SECTION_PARAMETERS Parameters = {(ULONG64)Size.QuadPart, Protect, AllocationAttributes};
    return NtpCreateObject(ObpSectionType, sizeof(MM_SECTION), Initialize, &Parameters, Handle,
                           Desired, Attributes);
}

/* Doc: wdm/nf-wdm-zwopensection */
NTSTATUS NTAPI NtOpenSection(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpSectionType, Handle, Desired, Attributes);
}

NTSTATUS NtpReferenceSpace(HANDLE Handle, ACCESS_MASK Access, struct _EPROCESS **Process)
{
    NTSTATUS Status = NtpReference(Handle, Access, *PsProcessType, NtpMode(), (PVOID *)Process);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ExAcquireRundownProtection(&(*Process)->Rundown))
        return STATUS_SUCCESS;
    ObDereferenceObject(*Process);
    return STATUS_PROCESS_IS_TERMINATING;
}

void NtpReleaseSpace(struct _EPROCESS *Process)
{
    ExReleaseRundownProtection(&Process->Rundown);
    ObDereferenceObject(Process);
}

static ACCESS_MASK AccessFor(ULONG Protect)
{
    ACCESS_MASK Access = SECTION_MAP_READ;
    if ((Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0)
        Access = SECTION_MAP_WRITE;
    if ((Protect &
         (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)) != 0)
        Access |= SECTION_MAP_EXECUTE;
    return Access;
}

typedef struct VIEW {
    PVOID Base;
    SIZE_T Bytes;
    LARGE_INTEGER Offset;
} VIEW;

static NTSTATUS CaptureView(KPROCESSOR_MODE Mode, PVOID *Base, PSIZE_T Bytes, PLARGE_INTEGER Offset,
                            VIEW *View)
{
    View->Offset.QuadPart = 0;
    NTSTATUS Status = NTP_READ(Mode, View->Base, Base);
    if (NT_SUCCESS(Status))
        Status = NTP_READ(Mode, View->Bytes, Bytes);
    if (NT_SUCCESS(Status) && Offset != NULL)
        Status = NTP_READ(Mode, View->Offset, Offset);
    return Status;
}

static void ReleaseView(void *Section)
{
    ObDereferenceObject(Section);
}

static NTSTATUS MapView(HANDLE SectionHandle, HANDLE ProcessHandle, VIEW *View, ULONG Protect)
{
    struct _EPROCESS *Process;
    MM_SECTION *Section;
    NTSTATUS Status = NtpReference(SectionHandle, AccessFor(Protect), ObpSectionType, NtpMode(),
                                   (PVOID *)&Section);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpReferenceSpace(ProcessHandle, PROCESS_VM_OPERATION, &Process);
    if (NT_SUCCESS(Status)) {
        Status =
            MmMapView_(Section, &Process->AddressSpace, &View->Base, (ULONG64)View->Offset.QuadPart,
                       &View->Bytes, Protect, ReleaseView, Section);
        NtpReleaseSpace(Process);
    }
    if (!NT_SUCCESS(Status))
        ObDereferenceObject(Section); /* else the view has it */
    return Status;
}

/* Base NULL: anywhere in the process's slot. The offset is a multiple of 64 KiB
 * (STATUS_MAPPED_ALIGNMENT); size 0: to the end. Doc: wdm/nf-wdm-zwmapviewofsection */
NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *Base,
                                  ULONG_PTR ZeroBits, SIZE_T CommitSize, PLARGE_INTEGER Offset,
                                  PSIZE_T ViewSize, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect)
{
    KPROCESSOR_MODE Mode = NtpMode();
    VIEW View;
    if (Inherit != ViewShare && Inherit != ViewUnmap)
        return STATUS_INVALID_PARAMETER_8;
    if ((Type & ~(MEM_TOP_DOWN | MEM_LARGE_PAGES | MEM_RESERVE)) != 0)
        return STATUS_INVALID_PARAMETER_9;
    if (!IsProtection(Protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    NTSTATUS Status = CaptureView(Mode, Base, ViewSize, Offset, &View);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ZeroBits > 21 && ZeroBits < 32)
        return STATUS_INVALID_PARAMETER_4;
    if (View.Offset.QuadPart < 0 || (View.Offset.QuadPart & 0xFFFF) != 0 ||
        ((ULONG_PTR)View.Base & 0xFFFF) != 0)
        return STATUS_MAPPED_ALIGNMENT;
    Status = MapView(SectionHandle, ProcessHandle, &View, Protect);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NTP_WRITE(Mode, Base, View.Base);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(Mode, ViewSize, View.Bytes);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE_OPTIONAL(Mode, Offset, View.Offset);
    if (!NT_SUCCESS(Status))
        NtUnmapViewOfSection(ProcessHandle, View.Base);
    return Status;
}

/* STATUS_NOT_MAPPED_VIEW: no view of a section there. Doc: wdm/nf-wdm-zwunmapviewofsection */
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID Base)
{
    struct _EPROCESS *Process;
    NTSTATUS Status = NtpReferenceSpace(ProcessHandle, PROCESS_VM_OPERATION, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmUnmapView_(&Process->AddressSpace, Base);
    NtpReleaseSpace(Process);
    return Status;
}

/* Needs SECTION_QUERY. */
NTSTATUS NTAPI NtQuerySection(HANDLE Handle, SECTION_INFORMATION_CLASS Class, PVOID Information,
                              SIZE_T Length, PSIZE_T Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    SIZE_T Size = sizeof(SECTION_BASIC_INFORMATION);
    MM_SECTION *Section;
    if (Class != SectionBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (Length < Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = NtpReference(Handle, SECTION_QUERY, ObpSectionType, Mode, (PVOID *)&Section);
    if (!NT_SUCCESS(Status))
        return Status;
    SECTION_BASIC_INFORMATION Basic;
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.AllocationAttributes = Section->Attributes;
    Basic.MaximumSize.QuadPart = (LONGLONG)Section->Bytes;
    ObDereferenceObject(Section);
    Status = NtpWrite(Mode, Information, &Basic, (ULONG)Size);
    return NT_SUCCESS(Status) ? NTP_WRITE_OPTIONAL(Mode, Returned, Size) : Status;
}

/* A view of the whole section (*ViewSize 0) or of its beginning, in system space; *ViewSize becomes
 * whole pages. The section lives as long as the view. STATUS_INVALID_VIEW_SIZE: larger than the
 * section. IRQL <= APC_LEVEL. Doc: ntddk/nf-ntddk-mmmapviewinsystemspace */
NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    VF_IRQL_MAX(APC_LEVEL);
    NTSTATUS Status = MmMapSystemView_(Section, MappedBase, ViewSize);
    if (NT_SUCCESS(Status))
        ObReferenceObject(Section);
    return Status;
}

/* STATUS_NOT_MAPPED_VIEW: no such view begins there. IRQL <= APC_LEVEL. Doc:
 * ntddk/nf-ntddk-mmunmapviewinsystemspace */
NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    VF_IRQL_MAX(APC_LEVEL);
    MM_SECTION *Section;
    NTSTATUS Status = MmUnmapSystemView_(MappedBase, &Section);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Section);
    return Status;
}
