/*
 * The headers of a Windows image in a file: nothing in them is believed before it is checked.
 */
#include "ldr/pe.h"

#define PE_SECTIONS 96 /* what Windows allows */
#define PE_IMAGE_LIMIT 0x0F000000u

static BOOLEAN Inside(SIZE_T Offset, SIZE_T Bytes, SIZE_T Limit)
{
    return Offset <= Limit && Bytes <= Limit - Offset;
}

static const char *CheckOptional(const IMAGE_OPTIONAL_HEADER64 *Optional, SIZE_T HeaderBytes)
{
    if (Optional->Magic != IMAGE_NT_OPTIONAL_HDR64_MAGIC)
        return "its optional header is not of 64 bits";
    if (Optional->SectionAlignment < PAGE_SIZE ||
        (Optional->SectionAlignment & (Optional->SectionAlignment - 1)) != 0)
        return "its sections do not lie on pages";
    if (Optional->SizeOfImage == 0 || Optional->SizeOfImage > PE_IMAGE_LIMIT)
        return "its size is impossible";
    if (Optional->SizeOfHeaders < HeaderBytes || Optional->SizeOfHeaders > Optional->SizeOfImage)
        return "the size of its headers is impossible";
    if (Optional->AddressOfEntryPoint >= Optional->SizeOfImage)
        return "its entry point lies outside";
    return NULL;
}

static const char *CheckSections(const PE_FILE *File)
{
    const IMAGE_OPTIONAL_HEADER64 *Optional = &File->Headers->OptionalHeader;
    ULONG End = Optional->SizeOfHeaders;
    for (ULONG i = 0; i < File->SectionCount; i++) {
        const IMAGE_SECTION_HEADER *Section = &File->Sections[i];
        ULONG Bytes =
            Section->Misc.VirtualSize != 0 ? Section->Misc.VirtualSize : Section->SizeOfRawData;
        if (Section->SizeOfRawData != 0 &&
            !Inside(Section->PointerToRawData, Section->SizeOfRawData, File->Size))
            return "a section's data lie outside the file";
        if (Section->VirtualAddress % PAGE_SIZE != 0 || Section->VirtualAddress < End)
            return "its sections overlap, or are not in order";
        if (!Inside(Section->VirtualAddress, Bytes, Optional->SizeOfImage))
            return "a section lies outside the image";
        End = Section->VirtualAddress + Bytes;
    }
    return NULL;
}

static const char *Check(PE_FILE *File)
{
    const IMAGE_DOS_HEADER *Dos = (const void *)File->Bytes;
    if (File->Size < sizeof(*Dos) || Dos->e_magic != IMAGE_DOS_SIGNATURE)
        return "no DOS header";
    SIZE_T Offset = (ULONG)Dos->e_lfanew;
    if (Offset % 4 != 0 || !Inside(Offset, sizeof(*File->Headers), File->Size))
        return "no PE header";
    File->Headers = (const void *)(File->Bytes + Offset);
    const IMAGE_FILE_HEADER *Header = &File->Headers->FileHeader;
    if (File->Headers->Signature != IMAGE_NT_SIGNATURE)
        return "no PE header";
    if (Header->Machine != IMAGE_FILE_MACHINE_AMD64)
        return Header->Machine == IMAGE_FILE_MACHINE_I386
                   ? "it is a 32-bit image; a 64-bit one is needed"
                   : "it is for another processor";
    if ((Header->Characteristics & IMAGE_FILE_EXECUTABLE_IMAGE) == 0)
        return "it was not linked";
    if (Header->SizeOfOptionalHeader < sizeof(IMAGE_OPTIONAL_HEADER64) ||
        Header->NumberOfSections > PE_SECTIONS)
        return "its headers are damaged";
    SIZE_T First =
        Offset + FIELD_OFFSET(IMAGE_NT_HEADERS64, OptionalHeader) + Header->SizeOfOptionalHeader;
    SIZE_T Bytes = Header->NumberOfSections * sizeof(IMAGE_SECTION_HEADER);
    if (First % 4 != 0 || !Inside(First, Bytes, File->Size))
        return "its headers are damaged";
    File->Sections = (const void *)(File->Bytes + First);
    File->SectionCount = Header->NumberOfSections;
    const char *Why = CheckOptional(&File->Headers->OptionalHeader, First + Bytes);
    return Why != NULL ? Why : CheckSections(File);
}

BOOLEAN PeOpen(PE_FILE *File, const void *Bytes, SIZE_T Size, const char **Why)
{
    *File = (PE_FILE){.Bytes = Bytes, .Size = Size};
    *Why = Check(File);
    return *Why == NULL;
}
