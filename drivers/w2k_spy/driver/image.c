/* Headers, the export directory, one export. */
#include "image.h"

/* Bytes at an offset that lie in the image and can be read. */
static BOOLEAN Take(const IMAGE *Image, ULONG Rva, PVOID To, ULONG Bytes)
{
    return Rva <= Image->Size && Bytes <= Image->Size - Rva &&
           Image->Read(To, (PVOID)(Image->Base + Rva), Bytes) == Bytes;
}

static BOOLEAN HeadersAreGood(const IMAGE_NT_HEADERS *Headers)
{
    return Headers->Signature == IMAGE_NT_SIGNATURE &&
           Headers->OptionalHeader.Magic == IMAGE_NT_OPTIONAL_HDR_MAGIC &&
           Headers->FileHeader.SizeOfOptionalHeader >=
               FIELD_OFFSET(IMAGE_OPTIONAL_HEADER, DataDirectory);
}

NTSTATUS ImageOpen(IMAGE *Image, PVOID Base,
                   SIZE_T (*Read)(PVOID To, const VOID *From, SIZE_T Bytes))
{
    IMAGE_DOS_HEADER Dos;

    Image->Base = (ULONG_PTR)Base;
    Image->Size = MAXLONG; /* until the headers tell */
    Image->Read = Read;
    if (Image->Base > MAXULONG_PTR - Image->Size || !Take(Image, 0, &Dos, sizeof(Dos.e_magic)))
        return STATUS_INVALID_PARAMETER;
    if (Dos.e_magic != IMAGE_DOS_SIGNATURE || !Take(Image, 0, &Dos, sizeof(Dos)) ||
        Dos.e_lfanew < (LONG)sizeof(Dos) ||
        !Take(Image, (ULONG)Dos.e_lfanew, &Image->Headers, sizeof(Image->Headers)) ||
        !HeadersAreGood(&Image->Headers))
        return STATUS_INVALID_IMAGE_FORMAT;
    Image->Size = Image->Headers.OptionalHeader.SizeOfImage;
    return Image->Size <= MAXLONG ? STATUS_SUCCESS : STATUS_INVALID_IMAGE_FORMAT;
}

NTSTATUS ImageExports(const IMAGE *Image, ULONG *Rva, ULONG *Size)
{
    const IMAGE_OPTIONAL_HEADER *Header = &Image->Headers.OptionalHeader;
    const IMAGE_DATA_DIRECTORY *Directory = &Header->DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];

    if (Header->NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_EXPORT || !Directory->VirtualAddress ||
        Directory->Size < sizeof(IMAGE_EXPORT_DIRECTORY) || Directory->Size > IMAGE_MOST_EXPORTS ||
        Directory->VirtualAddress > Image->Size ||
        Directory->Size > Image->Size - Directory->VirtualAddress)
        return STATUS_DATA_ERROR;
    *Rva = Directory->VirtualAddress;
    *Size = Directory->Size;
    return STATUS_SUCCESS;
}

/* ---- relocation for the caller ---- */

typedef struct _BLOCK {
    UCHAR *Bytes;
    ULONG Rva, Size;
} BLOCK;

/* An address in the image as an offset in the block; 0: Bytes of it do not lie in there. */
static ULONG Inside(const BLOCK *Block, ULONG Rva, ULONGLONG Bytes)
{
    if (Rva < Block->Rva || Rva - Block->Rva >= Block->Size ||
        Bytes > Block->Size - (Rva - Block->Rva))
        return 0;
    return Rva - Block->Rva;
}

/* A name ends inside the block, or is none. */
static ULONG Name(const BLOCK *Block, ULONG Rva)
{
    ULONG At = Inside(Block, Rva, 1), End;

    for (End = At; At && End < Block->Size; End++)
        if (!Block->Bytes[End])
            return At;
    return 0;
}

static ULONG Get(const BLOCK *Block, ULONG At)
{
    ULONG Value;

    RtlCopyMemory(&Value, Block->Bytes + At, sizeof(Value));
    return Value;
}

static VOID Put(BLOCK *Block, ULONG At, ULONG Value)
{
    RtlCopyMemory(Block->Bytes + At, &Value, sizeof(Value));
}

static VOID RelocateNames(BLOCK *Block, const IMAGE_EXPORT_DIRECTORY *Directory)
{
    ULONG i;

    for (i = 0; Directory->AddressOfNames && i < Directory->NumberOfNames; i++)
        Put(Block, Directory->AddressOfNames + i * 4,
            Name(Block, Get(Block, Directory->AddressOfNames + i * 4)));
}

#ifndef _WIN64
static VOID RelocateFunctions(const IMAGE *Image, BLOCK *Block,
                              const IMAGE_EXPORT_DIRECTORY *Directory)
{
    ULONG i, At, Rva;

    for (i = 0; Directory->AddressOfFunctions && i < Directory->NumberOfFunctions; i++) {
        At = Directory->AddressOfFunctions + i * 4;
        Rva = Get(Block, At);
        if (Rva)
            Put(Block, At, (ULONG)Image->Base + Rva);
    }
}
#endif

VOID ImageRelocateExports(const IMAGE *Image, ULONG Rva, PVOID Bytes, ULONG Size)
{
    IMAGE_EXPORT_DIRECTORY Directory;
    BLOCK Block;

    Block.Bytes = Bytes;
    Block.Rva = Rva;
    Block.Size = Size;
    RtlCopyMemory(&Directory, Bytes, sizeof(Directory));
    Directory.AddressOfFunctions =
        Inside(&Block, Directory.AddressOfFunctions, (ULONGLONG)Directory.NumberOfFunctions * 4);
    Directory.AddressOfNames =
        Inside(&Block, Directory.AddressOfNames, (ULONGLONG)Directory.NumberOfNames * 4);
    Directory.AddressOfNameOrdinals =
        Inside(&Block, Directory.AddressOfNameOrdinals, (ULONGLONG)Directory.NumberOfNames * 2);
    Directory.Name = Name(&Block, Directory.Name);
    RelocateNames(&Block, &Directory);
#ifndef _WIN64
    RelocateFunctions(Image, &Block, &Directory);
#else
    UNREFERENCED_PARAMETER(Image);
#endif
    RtlCopyMemory(Bytes, &Directory, sizeof(Directory));
}

/* ---- one symbol ---- */

static BOOLEAN NameIs(const IMAGE *Image, ULONG Rva, PCSTR Wanted)
{
    CHAR Letter;

    for (;; Rva++, Wanted++) {
        if (!Take(Image, Rva, &Letter, 1) || Letter != *Wanted)
            return FALSE;
        if (!Letter)
            return TRUE;
    }
}

/* "#12": an ordinal. */
static BOOLEAN IndexByOrdinal(const IMAGE_EXPORT_DIRECTORY *Directory, PCSTR Wanted,
                              ULONG *Function)
{
    ULONG Ordinal = 0;

    while (*++Wanted) {
        if (*Wanted < '0' || *Wanted > '9' || Ordinal > 0xFFFF)
            return FALSE;
        Ordinal = Ordinal * 10 + (ULONG)(*Wanted - '0');
    }
    *Function = Ordinal - Directory->Base;
    return Ordinal >= Directory->Base && *Function < Directory->NumberOfFunctions;
}

static BOOLEAN Index(const IMAGE *Image, const IMAGE_EXPORT_DIRECTORY *Directory, PCSTR Wanted,
                     ULONG *Function)
{
    ULONG i, Rva;
    USHORT Ordinal;

    if (Wanted[0] == '#' && Wanted[1])
        return IndexByOrdinal(Directory, Wanted, Function);
    for (i = 0; i < Directory->NumberOfNames && i < IMAGE_MOST_EXPORTS / 4; i++) {
        if (!Take(Image, Directory->AddressOfNames + i * 4, &Rva, sizeof(Rva)))
            return FALSE;
        if (!NameIs(Image, Rva, Wanted))
            continue;
        if (!Take(Image, Directory->AddressOfNameOrdinals + i * 2, &Ordinal, sizeof(Ordinal)))
            return FALSE;
        *Function = Ordinal;
        return TRUE;
    }
    return FALSE;
}

static NTSTATUS CopyForwarder(const IMAGE *Image, ULONG Rva, CHAR *Text, ULONG Length)
{
    ULONG i;

    for (i = 0; i < Length; i++) {
        if (!Take(Image, Rva + i, &Text[i], 1))
            return STATUS_DATA_ERROR;
        if (!Text[i])
            return STATUS_SUCCESS;
    }
    return STATUS_DATA_ERROR;
}

NTSTATUS ImageSymbol(const IMAGE *Image, PCSTR Wanted, PVOID *Address, CHAR *Forwarder,
                     ULONG Length)
{
    IMAGE_EXPORT_DIRECTORY Directory;
    ULONG Rva, Size, Function, Target;
    NTSTATUS Status = ImageExports(Image, &Rva, &Size);

    Forwarder[0] = 0;
    if (!NT_SUCCESS(Status))
        return Status;
    if (!Take(Image, Rva, &Directory, sizeof(Directory)))
        return STATUS_DATA_ERROR;
    if (!Index(Image, &Directory, Wanted, &Function))
        return STATUS_PROCEDURE_NOT_FOUND;
    if (Function >= Directory.NumberOfFunctions ||
        !Take(Image, Directory.AddressOfFunctions + Function * 4, &Target, sizeof(Target)) ||
        Target >= Image->Size)
        return STATUS_DATA_ERROR;
    if (Target >= Rva && Target - Rva < Size)
        return CopyForwarder(Image, Target, Forwarder, Length);
    *Address = (PVOID)(Image->Base + Target);
    return Target ? STATUS_SUCCESS : STATUS_PROCEDURE_NOT_FOUND;
}
