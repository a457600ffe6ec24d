#include "ldr/test/pe_image.h"
#include <string.h>

#define BASE 0x140000000ull

IMAGE_NT_HEADERS64 *PeTestHeaders(PE_TEST *Test)
{
    return (IMAGE_NT_HEADERS64 *)(Test->Bytes + 0x80);
}

IMAGE_SECTION_HEADER *PeTestSections(PE_TEST *Test)
{
    return (IMAGE_SECTION_HEADER *)(PeTestHeaders(Test) + 1);
}

static void AddSection(PE_TEST *Test, const char *Name, ULONG Rva, ULONG Offset,
                       ULONG Characteristics)
{
    USHORT *Count = &PeTestHeaders(Test)->FileHeader.NumberOfSections;
    IMAGE_SECTION_HEADER *Section = &PeTestSections(Test)[(*Count)++];
    memcpy(Section->Name, Name, strlen(Name));
    Section->Misc.VirtualSize = 0x200;
    Section->VirtualAddress = Rva;
    Section->SizeOfRawData = Offset == 0 ? 0 : 0x200;
    Section->PointerToRawData = Offset;
    Section->Characteristics = Characteristics;
}

static void MakeHeaders(PE_TEST *Test)
{
    IMAGE_DOS_HEADER *Dos = (IMAGE_DOS_HEADER *)Test->Bytes;
    IMAGE_NT_HEADERS64 *Headers = PeTestHeaders(Test);
    Dos->e_magic = IMAGE_DOS_SIGNATURE;
    Dos->e_lfanew = 0x80;
    Headers->Signature = IMAGE_NT_SIGNATURE;
    Headers->FileHeader.Machine = IMAGE_FILE_MACHINE_AMD64;
    Headers->FileHeader.SizeOfOptionalHeader = sizeof(IMAGE_OPTIONAL_HEADER64);
    Headers->FileHeader.Characteristics = IMAGE_FILE_EXECUTABLE_IMAGE;
    Headers->OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    Headers->OptionalHeader.AddressOfEntryPoint = 0x1000;
    Headers->OptionalHeader.ImageBase = BASE;
    Headers->OptionalHeader.SectionAlignment = 0x1000;
    Headers->OptionalHeader.FileAlignment = 0x200;
    Headers->OptionalHeader.SizeOfImage = 0x5000;
    Headers->OptionalHeader.SizeOfHeaders = 0x400;
    Headers->OptionalHeader.NumberOfRvaAndSizes = IMAGE_NUMBEROF_DIRECTORY_ENTRIES;
    Headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT] =
        (IMAGE_DATA_DIRECTORY){0x2000, 0x28};
    Headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_BASERELOC] =
        (IMAGE_DATA_DIRECTORY){0x3000, 12};
    AddSection(Test, ".text", 0x1000, 0x400, IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_EXECUTE);
    AddSection(Test, ".rdata", 0x2000, 0x600, IMAGE_SCN_MEM_READ);
    AddSection(Test, ".reloc", 0x3000, 0x800, IMAGE_SCN_MEM_READ);
    AddSection(Test, ".data", 0x4000, 0, IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_WRITE);
}

static void MakeCode(UCHAR *Text)
{
    static const UCHAR Entry[] = {
        0x48, 0x8D, 0x05, 0x29, 0x00, 0x00, 0x00, /* lea rax, [1030] */
        0x48, 0x89, 0x41, 0x68,                   /* mov [rcx + DriverUnload], rax */
        0x48, 0x83, 0xEC, 0x28,                   /* sub rsp, 40 */
        0x48, 0x8D, 0x0D, 0x6A, 0x11, 0x00, 0x00, /* lea rcx, [2180] */
        0xFF, 0x15, 0x24, 0x10, 0x00, 0x00,       /* call [2040] */
        0x31, 0xC0,                               /* xor eax, eax */
        0x48, 0x83, 0xC4, 0x28,                   /* add rsp, 40 */
        0xC3,                                     /* ret */
    };
    static const UCHAR Time[] = {0x48, 0xB8, 0x14, 0,    0,   0,
                                 0x80, 0xF7, 0xFF, 0xFF, 0xC3}; /* mov rax, FFFFF78000000014 */
    memcpy(Text, Entry, sizeof(Entry));
    Text[0x30] = 0xC3;
    memcpy(Text + 0x40, Time, sizeof(Time));
}

static void MakeImports(UCHAR *Data, const char *Import)
{
    IMAGE_IMPORT_DESCRIPTOR Descriptor = {.Name = 0x2060, .FirstThunk = 0x2040};
    ULONG64 Entry = Import == NULL ? IMAGE_ORDINAL_FLAG64 | 7 : 0x2080;
    Descriptor.OriginalFirstThunk = 0x2030;
    memcpy(Data, &Descriptor, sizeof(Descriptor));
    memcpy(Data + 0x30, &Entry, sizeof(Entry));
    memcpy(Data + 0x40, &Entry, sizeof(Entry));
    memcpy(Data + 0x60, "NTOSKRNL.exe", 13);
    if (Import != NULL)
        memcpy(Data + 0x82, Import, strlen(Import) + 1);
    memcpy(Data + 0x180, "a Windows image prints\n", 24);
}

void PeTestMake(PE_TEST *Test, const char *Import)
{
    static const struct {
        IMAGE_BASE_RELOCATION Head;
        USHORT Entries[2];
    } Relocations = {{0x2000, 12}, {0xA100, 0}};
    ULONG64 Address = BASE + PE_TEST_RELOCATED;
    memset(Test, 0, sizeof(*Test));
    MakeHeaders(Test);
    MakeCode(Test->Bytes + 0x400);
    MakeImports(Test->Bytes + 0x600, Import);
    memcpy(Test->Bytes + 0x700, &Address, sizeof(Address));
    memcpy(Test->Bytes + 0x800, &Relocations, sizeof(Relocations));
}
