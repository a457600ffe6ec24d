/*
 * ntoskrnl.exe, as an image in memory: headers, a section of stubs that lead to the executive's
 * routines (foreign.c fills it), and an export directory of those. Drivers that look for the kernel
 * in the list of modules, and read its exports, find this.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <string.h>

#define TEXT_AT PAGE_SIZE
#define NAME "ntoskrnl.exe"
#define NATIVE_SUBSYSTEM 1

typedef struct LAYOUT {
    ULONG Count, TextBytes;
    ULONG Exports, ExportBytes; /* the directory */
    ULONG Functions, Names, Ordinals, Strings;
    ULONG Bytes;
} LAYOUT;

static void Plan(LAYOUT *Layout, ULONG Count, ULONG TextBytes, LDRP_ROUTINE *Routine)
{
    SIZE_T Strings = sizeof(NAME);
    ULONG Offset;
    for (ULONG i = 0; i < Count; i++)
        Strings += strlen(Routine(i, &Offset)) + 1;
    Layout->Count = Count;
    Layout->TextBytes = (ULONG)ROUND_TO_PAGES(TextBytes);
    Layout->Exports = TEXT_AT + Layout->TextBytes;
    Layout->Functions = Layout->Exports + sizeof(IMAGE_EXPORT_DIRECTORY);
    Layout->Names = Layout->Functions + Count * sizeof(ULONG);
    Layout->Ordinals = Layout->Names + Count * sizeof(ULONG);
    Layout->Strings = Layout->Ordinals + Count * sizeof(USHORT);
    Layout->ExportBytes = Layout->Strings + (ULONG)Strings - Layout->Exports;
    Layout->Bytes = Layout->Exports + (ULONG)ROUND_TO_PAGES(Layout->ExportBytes);
}

static void Section(IMAGE_SECTION_HEADER *Header, const char *Name, ULONG At, ULONG Bytes,
                    ULONG Flags)
{
    memcpy(Header->Name, Name, strlen(Name));
    Header->VirtualAddress = At;
    Header->Misc.VirtualSize = Bytes;
    Header->SizeOfRawData = (ULONG)ROUND_TO_PAGES(Bytes);
    Header->PointerToRawData = At;
    Header->Characteristics = Flags;
}

static void WriteOptional(UCHAR *Base, IMAGE_OPTIONAL_HEADER64 *Header, const LAYOUT *Layout)
{
    Header->Magic = IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    Header->SizeOfCode = Layout->TextBytes;
    Header->BaseOfCode = TEXT_AT;
    Header->ImageBase = (ULONG_PTR)Base;
    Header->SectionAlignment = Header->FileAlignment = PAGE_SIZE;
    Header->MajorOperatingSystemVersion = Header->MajorSubsystemVersion = 10;
    Header->SizeOfImage = Layout->Bytes;
    Header->SizeOfHeaders = PAGE_SIZE;
    Header->Subsystem = NATIVE_SUBSYSTEM;
    Header->NumberOfRvaAndSizes = IMAGE_NUMBEROF_DIRECTORY_ENTRIES;
    Header->DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT] =
        (IMAGE_DATA_DIRECTORY){Layout->Exports, Layout->ExportBytes};
}

static void WriteHeaders(UCHAR *Base, const LAYOUT *Layout)
{
    IMAGE_DOS_HEADER *Dos = (void *)Base;
    IMAGE_NT_HEADERS64 *Headers = (void *)(Base + sizeof(*Dos));
    Dos->e_magic = IMAGE_DOS_SIGNATURE;
    Dos->e_lfanew = sizeof(*Dos);
    Headers->Signature = IMAGE_NT_SIGNATURE;
    Headers->FileHeader.Machine = IMAGE_FILE_MACHINE_AMD64;
    Headers->FileHeader.NumberOfSections = 2;
    Headers->FileHeader.SizeOfOptionalHeader = sizeof(Headers->OptionalHeader);
    Headers->FileHeader.Characteristics =
        IMAGE_FILE_EXECUTABLE_IMAGE | IMAGE_FILE_LARGE_ADDRESS_AWARE;
    WriteOptional(Base, &Headers->OptionalHeader, Layout);
    IMAGE_SECTION_HEADER *Sections = (void *)(Headers + 1);
    Section(&Sections[0], ".text", TEXT_AT, Layout->TextBytes,
            IMAGE_SCN_CNT_CODE | IMAGE_SCN_MEM_EXECUTE | IMAGE_SCN_MEM_READ);
    Section(&Sections[1], ".edata", Layout->Exports, Layout->ExportBytes,
            IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ);
}

/* Names come sorted, so the index of a name is its ordinal. */
static void WriteExports(UCHAR *Base, const LAYOUT *Layout, LDRP_ROUTINE *Routine)
{
    IMAGE_EXPORT_DIRECTORY *Directory = (void *)(Base + Layout->Exports);
    ULONG *Functions = (void *)(Base + Layout->Functions), *Names = (void *)(Base + Layout->Names);
    USHORT *Ordinals = (void *)(Base + Layout->Ordinals);
    ULONG String = Layout->Strings;
    *Directory = (IMAGE_EXPORT_DIRECTORY){.Name = String,
                                          .Base = 1,
                                          .NumberOfFunctions = Layout->Count,
                                          .NumberOfNames = Layout->Count,
                                          .AddressOfFunctions = Layout->Functions,
                                          .AddressOfNames = Layout->Names,
                                          .AddressOfNameOrdinals = Layout->Ordinals};
    memcpy(Base + String, NAME, sizeof(NAME));
    String += sizeof(NAME);
    for (ULONG i = 0; i < Layout->Count; i++) {
        const char *Name = Routine(i, &Functions[i]);
        Functions[i] += TEXT_AT;
        Names[i] = String;
        Ordinals[i] = (USHORT)i;
        strcpy((char *)Base + String, Name);
        String += (ULONG)strlen(Name) + 1;
    }
}

NTSTATUS LdrpCreateKernelImage(ULONG Count, ULONG TextBytes, LDRP_ROUTINE *Routine,
                               LDRP_KERNEL_IMAGE *Image)
{
    LAYOUT Layout;
    PVOID Base;
    Plan(&Layout, Count, TextBytes, Routine);
    NTSTATUS Status = MmAllocateImage(Layout.Bytes, &Base);
    if (!NT_SUCCESS(Status))
        return Status;
    WriteHeaders(Base, &Layout);
    WriteExports(Base, &Layout, Routine);
    *Image = (LDRP_KERNEL_IMAGE){Base, Layout.Bytes, (UCHAR *)Base + TEXT_AT, Layout.TextBytes};
    return STATUS_SUCCESS;
}

/* When the stubs are written. */
NTSTATUS LdrpProtectKernelImage(const LDRP_KERNEL_IMAGE *Image)
{
    NTSTATUS Status = MmProtectImage(Image->Base, 0, Image->Bytes, HOST_READ);
    if (!NT_SUCCESS(Status))
        return Status;
    return MmProtectImage(Image->Base, TEXT_AT, Image->TextBytes, HOST_READ | HOST_EXECUTE);
}
