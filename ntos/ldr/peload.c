/*
 * A Windows image in memory: its sections at their places, relocated, protected.
 */
#include "ldr/pe.h"
#include <string.h>

#ifndef IMAGE_REL_BASED_DIR64 /* the DDK's headers at hand lack them */
#define IMAGE_REL_BASED_ABSOLUTE 0
#define IMAGE_REL_BASED_DIR64 10
#endif

static atomic_uint PeCount; /* images that are mapped */

void *PeAt(const PE_IMAGE *Image, ULONG Rva, SIZE_T Size)
{
    return Rva < Image->Size && Size <= Image->Size - Rva ? Image->Base + Rva : NULL;
}

const char *PeStringAt(const PE_IMAGE *Image, ULONG Rva)
{
    const char *Text = PeAt(Image, Rva, 1);
    return Text != NULL && memchr(Text, 0, Image->Size - Rva) != NULL ? Text : NULL;
}

BOOLEAN PeRead(const PE_IMAGE *Image, ULONG Rva, void *To, SIZE_T Size)
{
    const void *From = PeAt(Image, Rva, Size);
    return From != NULL && host_copy(To, From, Size);
}

static void CopySections(const PE_FILE *File, PE_IMAGE *Image)
{
    SIZE_T Headers = File->Headers->OptionalHeader.SizeOfHeaders;
    memcpy(Image->Base, File->Bytes, Headers < File->Size ? Headers : File->Size);
    for (ULONG i = 0; i < File->SectionCount; i++) {
        const IMAGE_SECTION_HEADER *Section = &File->Sections[i];
        ULONG Room =
            Section->Misc.VirtualSize != 0 ? Section->Misc.VirtualSize : Section->SizeOfRawData;
        ULONG Bytes = Section->SizeOfRawData < Room ? Section->SizeOfRawData : Room;
        if (Bytes != 0)
            memcpy(Image->Base + Section->VirtualAddress, File->Bytes + Section->PointerToRawData,
                   Bytes);
    }
}

/* A directory that does not lie in the image is as good as none. */
static void CopyDirectories(const PE_FILE *File, PE_IMAGE *Image)
{
    const IMAGE_OPTIONAL_HEADER64 *Optional = &File->Headers->OptionalHeader;
    for (ULONG i = 0; i < IMAGE_NUMBEROF_DIRECTORY_ENTRIES && i < Optional->NumberOfRvaAndSizes;
         i++) {
        const IMAGE_DATA_DIRECTORY *Directory = &Optional->DataDirectory[i];
        if (i != IMAGE_DIRECTORY_ENTRY_SECURITY && Directory->VirtualAddress != 0 &&
            PeAt(Image, Directory->VirtualAddress, Directory->Size) != NULL)
            Image->Directories[i] = *Directory;
    }
}

static BOOLEAN RelocateBlock(const PE_IMAGE *Image, const IMAGE_BASE_RELOCATION *Block,
                             const USHORT *Entries, ULONG64 Delta)
{
    ULONG Count = (Block->SizeOfBlock - sizeof(*Block)) / sizeof(USHORT);
    for (ULONG i = 0; i < Count; i++) {
        USHORT Entry = Entries[i];
        ULONG Kind = Entry >> 12, Rva = Block->VirtualAddress + (Entry & 0xFFF);
        UCHAR *Place = PeAt(Image, Rva, sizeof(ULONG64));
        ULONG64 Value;
        if (Kind == IMAGE_REL_BASED_ABSOLUTE)
            continue;
        if (Kind != IMAGE_REL_BASED_DIR64 || Place == NULL || Rva < Block->VirtualAddress)
            return FALSE;
        memcpy(&Value, Place, sizeof(Value));
        Value += Delta;
        memcpy(Place, &Value, sizeof(Value));
    }
    return TRUE;
}

static const char *Relocate(const PE_FILE *File, const PE_IMAGE *Image)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_BASERELOC];
    ULONG64 Delta = (ULONG_PTR)Image->Base - File->Headers->OptionalHeader.ImageBase;
    if (File->Headers->FileHeader.Characteristics & IMAGE_FILE_RELOCS_STRIPPED)
        return Delta == 0 ? NULL : "it cannot be moved (linked without relocations)";
    for (ULONG Offset = 0; Directory->Size - Offset >= sizeof(IMAGE_BASE_RELOCATION);) {
        IMAGE_BASE_RELOCATION *Block = (void *)(Image->Base + Directory->VirtualAddress + Offset);
        if ((ULONG_PTR)Block % 4 != 0)
            return "its relocations are damaged";
        /* The blocks may themselves be among what is relocated: a copy of the head decides. */
        IMAGE_BASE_RELOCATION Head = *Block;
        if (Head.SizeOfBlock < sizeof(Head) || Head.SizeOfBlock > Directory->Size - Offset ||
            !RelocateBlock(Image, &Head, (const USHORT *)(Block + 1), Delta))
            return "its relocations are damaged";
        Offset += Head.SizeOfBlock;
    }
    return NULL;
}

/* The headers in memory tell where the image is. */
static void TellBase(const PE_FILE *File, const PE_IMAGE *Image)
{
    SIZE_T At = (SIZE_T)((const UCHAR *)&File->Headers->OptionalHeader.ImageBase - File->Bytes);
    ULONG64 *Place = At < Image->Size ? PeAt(Image, (ULONG)At, sizeof(ULONG64)) : NULL;
    if (Place != NULL)
        memcpy(Place, &Image->Base, sizeof(ULONG64));
}

NTSTATUS PeMap(const PE_FILE *File, PE_IMAGE *Image, const char **Why)
{
    PVOID Base;
    *Image = (PE_IMAGE){.Size = (ULONG)ROUND_TO_PAGES(File->Headers->OptionalHeader.SizeOfImage),
                        .Entry = File->Headers->OptionalHeader.AddressOfEntryPoint,
                        .StubBytes = PeStubBytes(File)};
    *Why = "there is no memory for it";
    NTSTATUS Status = MmAllocateImage(Image->Size + Image->StubBytes, &Base);
    if (!NT_SUCCESS(Status))
        return Status;
    Image->Base = Base;
    atomic_fetch_add(&PeCount, 1);
    CopySections(File, Image);
    CopyDirectories(File, Image);
    *Why = Relocate(File, Image);
    if (*Why == NULL) {
        TellBase(File, Image);
        return STATUS_SUCCESS;
    }
    PeUnmap(Image);
    return STATUS_INVALID_IMAGE_FORMAT;
}

BOOLEAN LdrpHasImages(void)
{
    return atomic_load(&PeCount) != 0;
}

void PeUnmap(PE_IMAGE *Image)
{
    if (Image->Base == NULL)
        return;
    atomic_fetch_sub(&PeCount, 1);
    PeForgetPatches(Image);
    MmFreeImage(Image->Base);
    Image->Base = NULL;
}

static int ProtectionOf(const IMAGE_SECTION_HEADER *Section)
{
    ULONG Asked = Section->Characteristics;
    int Protection = Asked & (IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_EXECUTE) ? HOST_READ : 0;
    Protection |= Asked & IMAGE_SCN_MEM_WRITE ? HOST_READ | HOST_WRITE : 0;
    return Protection | (Asked & IMAGE_SCN_MEM_EXECUTE ? HOST_EXECUTE : 0);
}

static void NoteDiscardable(PE_IMAGE *Image, ULONG Rva, ULONG Bytes)
{
    if (Image->DiscardCount == RTL_NUMBER_OF(Image->Discards))
        return;
    Image->Discards[Image->DiscardCount].Rva = Rva;
    Image->Discards[Image->DiscardCount++].Bytes = Bytes;
}

NTSTATUS PeProtect(const PE_FILE *File, PE_IMAGE *Image)
{
    NTSTATUS Status = MmProtectImage(Image->Base, 0, Image->Size, HOST_READ);
    for (ULONG i = 0; i < File->SectionCount && NT_SUCCESS(Status); i++) {
        const IMAGE_SECTION_HEADER *Section = &File->Sections[i];
        ULONG Bytes =
            Section->Misc.VirtualSize != 0 ? Section->Misc.VirtualSize : Section->SizeOfRawData;
        if (Bytes != 0)
            Status =
                MmProtectImage(Image->Base, Section->VirtualAddress, Bytes, ProtectionOf(Section));
        if (Bytes != 0 && Section->Characteristics & IMAGE_SCN_MEM_DISCARDABLE)
            NoteDiscardable(Image, Section->VirtualAddress, Bytes);
    }
    if (NT_SUCCESS(Status))
        Status =
            MmProtectImage(Image->Base, Image->Size, Image->StubBytes, HOST_READ | HOST_EXECUTE);
    return Status;
}

void PeDiscard(PE_IMAGE *Image)
{
    for (ULONG i = 0; i < Image->DiscardCount; i++)
        MmProtectImage(Image->Base, Image->Discards[i].Rva, Image->Discards[i].Bytes, 0);
}

/* MSVC's default values mean "not yet initialised"; its code stops the machine if they are still
 * there. */
#define PE_DEFAULT_COOKIE 0x00002B992DDFA232ull

void PeInitCookie(const PE_IMAGE *Image)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG];
    ULONG64 Cookie[2], Place;
    if (Directory->Size < RTL_SIZEOF_THROUGH_FIELD(IMAGE_LOAD_CONFIG_DIRECTORY64, SecurityCookie))
        return;
    memcpy(&Place,
           Image->Base + Directory->VirtualAddress +
               FIELD_OFFSET(IMAGE_LOAD_CONFIG_DIRECTORY64, SecurityCookie),
           sizeof(Place));
    Place -= (ULONG_PTR)Image->Base;
    if (Place > MAXULONG || PeAt(Image, (ULONG)Place, sizeof(Cookie)) == NULL)
        return;
    memcpy(Cookie, Image->Base + Place, sizeof(Cookie));
    if (Cookie[0] != PE_DEFAULT_COOKIE)
        return;
    host_random(Cookie, sizeof(*Cookie));
    Cookie[0] &= 0x0000FFFFFFFFFFFFull; /* so that a string cannot overwrite it */
    if (Cookie[0] == PE_DEFAULT_COOKIE)
        Cookie[0]++;
    memcpy(Image->Base + Place, Cookie, sizeof(*Cookie));
}
