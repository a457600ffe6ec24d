/*
 * Good images, and changes to them where they hurt: a change names a part of the image (its
 * headers, its imports, what unwinds its frames ...), a place in it and what is done there.
 */
#include "fuzz/pe_seeds.h"
#include "ldr/seh.h"
#include "ldr/test/pe_image.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 64
#define SEED_LIMIT 24576 /* bytes: what is larger takes long, and shows nothing else */
#define PARTS 16

typedef struct PART { /* of the file */
    ULONG At, Bytes;
} PART;

typedef struct SEED {
    UCHAR *Bytes;
    ULONG Size, PartCount;
    PART Parts[PARTS]; /* the first is the whole */
} SEED;

static SEED Seeds[SEEDS];
static ULONG Count;

static const IMAGE_NT_HEADERS64 *HeadersOf(const SEED *Seed)
{
    return (const void *)(Seed->Bytes + ((const IMAGE_DOS_HEADER *)Seed->Bytes)->e_lfanew);
}

/* Both kinds of optional header have the sections behind them. */
static IMAGE_SECTION_HEADER *SectionsOf(const SEED *Seed)
{
    const IMAGE_NT_HEADERS64 *Headers = HeadersOf(Seed);

    return (void *)((UCHAR *)&Headers->OptionalHeader + Headers->FileHeader.SizeOfOptionalHeader);
}

static ULONG OffsetOf(const SEED *Seed, ULONG Rva)
{
    const IMAGE_SECTION_HEADER *Section = SectionsOf(Seed);

    for (ULONG i = 0; i < HeadersOf(Seed)->FileHeader.NumberOfSections; i++, Section++)
        if (Rva - Section->VirtualAddress < Section->SizeOfRawData)
            return Section->PointerToRawData + Rva - Section->VirtualAddress;
    return 0;
}

static void AddPart(SEED *Seed, ULONG At, ULONG Bytes)
{
    if (Bytes != 0 && At < Seed->Size && Bytes <= Seed->Size - At && Seed->PartCount < PARTS)
        Seed->Parts[Seed->PartCount++] = (PART){At, Bytes};
}

/* Where the first and the last function's unwind information is, and all between. */
static void AddUnwindPart(SEED *Seed, const IMAGE_DATA_DIRECTORY *Directory)
{
    ULONG At = OffsetOf(Seed, Directory->VirtualAddress), Low = MAXULONG, High = 0;

    for (ULONG i = 0; At != 0 && i < Directory->Size / sizeof(LDRP_FUNCTION); i++) {
        LDRP_FUNCTION Function;

        memcpy(&Function, Seed->Bytes + At + i * sizeof(Function), sizeof(Function));
        Low = min(Low, OffsetOf(Seed, Function.Info));
        High = max(High, OffsetOf(Seed, Function.Info) + 16);
    }
    if (High != 0)
        AddPart(Seed, Low, High - Low);
}

static void FindParts(SEED *Seed)
{
    static const UCHAR Directories[] = {
        IMAGE_DIRECTORY_ENTRY_EXPORT,    IMAGE_DIRECTORY_ENTRY_IMPORT,
        IMAGE_DIRECTORY_ENTRY_EXCEPTION, IMAGE_DIRECTORY_ENTRY_BASERELOC,
        IMAGE_DIRECTORY_ENTRY_IAT,       IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG};
    const IMAGE_NT_HEADERS64 *Headers = HeadersOf(Seed);
    const IMAGE_SECTION_HEADER *Sections = SectionsOf(Seed);
    const IMAGE_DATA_DIRECTORY *Table = Headers->OptionalHeader.DataDirectory;
    ULONG SectionCount = Headers->FileHeader.NumberOfSections;

    AddPart(Seed, 0, Seed->Size);
    AddPart(Seed, (ULONG)((const UCHAR *)Headers - Seed->Bytes), sizeof(*Headers));
    AddPart(Seed, (ULONG)((const UCHAR *)Sections - Seed->Bytes), SectionCount * sizeof(*Sections));
    if (Headers->FileHeader.Machine != IMAGE_FILE_MACHINE_AMD64)
        return;
    AddPart(Seed, (ULONG)((const UCHAR *)Table - Seed->Bytes),
            IMAGE_NUMBEROF_DIRECTORY_ENTRIES * sizeof(*Table));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Directories); i++)
        AddPart(Seed, OffsetOf(Seed, Table[Directories[i]].VirtualAddress),
                Table[Directories[i]].Size);
    AddUnwindPart(Seed, &Table[IMAGE_DIRECTORY_ENTRY_EXCEPTION]);
    for (ULONG i = 0; i < SectionCount; i++)
        if (Sections[i].Characteristics & IMAGE_SCN_MEM_EXECUTE)
            AddPart(Seed, Sections[i].PointerToRawData, Sections[i].SizeOfRawData);
}

/* Long names of sections are offsets in a table that no driver needs: "/4". */
static void DropDebugSections(SEED *Seed)
{
    IMAGE_FILE_HEADER *Header = (IMAGE_FILE_HEADER *)&HeadersOf(Seed)->FileHeader;
    const IMAGE_SECTION_HEADER *Sections = SectionsOf(Seed);
    ULONG End = 0;

    for (ULONG i = 0; i < Header->NumberOfSections; i++) {
        if (Sections[i].Name[0] == '/') {
            Header->NumberOfSections = (USHORT)i;
            break;
        }
        End = max(End, Sections[i].PointerToRawData + Sections[i].SizeOfRawData);
    }
    Seed->Size = min(Seed->Size, End);
}

static void AddSeed(void *Bytes, SIZE_T Size)
{
    SEED *Seed = &Seeds[Count++];

    Seed->Bytes = Bytes;
    Seed->Size = (ULONG)Size;
    DropDebugSections(Seed);
    FindParts(Seed);
}

static int IsDriver(const struct dirent *Entry)
{
    size_t Length = strlen(Entry->d_name);

    return Length > 4 && strcmp(Entry->d_name + Length - 4, ".sys") == 0;
}

BOOLEAN SeedsLoad(const char *Folder)
{
    struct dirent **Entries = NULL;
    PE_TEST *Test = calloc(1, sizeof(*Test));
    int Found = Folder == NULL ? 0 : scandir(Folder, &Entries, IsDriver, alphasort);

    PeTestMake(Test, "DbgPrint");
    AddSeed(Test, sizeof(*Test));
    for (int i = 0; i < Found && Count < SEEDS; i++) {
        char Path[1024];
        size_t Bytes = 0;
        void *Text;

        snprintf(Path, sizeof(Path), "%s/%s", Folder, Entries[i]->d_name);
        Text = host_read_file(Path, &Bytes);
        if (Text != NULL)
            AddSeed(Text, Bytes);
        if (Seeds[Count - 1].Size > SEED_LIMIT)
            free(Seeds[--Count].Bytes);
        free(Entries[i]);
    }
    free(Entries);
    return Found >= 0;
}

ULONG SeedsCount(void)
{
    return Count;
}

/* ---- changes: part, place (2), what, value (4) ---- */

enum { SetByte, SetShort, SetLong, AddLong, SetOnes, SetEdge, CopyHere, Truncate, Kinds };

static void Write(UCHAR *Image, ULONG Size, ULONG At, const void *Value, ULONG Bytes)
{
    memcpy(Image + At, Value, min(Bytes, Size - At));
}

static void ChangeAt(UCHAR *Image, ULONG Size, ULONG At, UCHAR Kind, ULONG Value)
{
    ULONG Old = 0;

    memcpy(&Old, Image + At, min(sizeof(Old), Size - At));
    switch (Kind) {
    case SetByte:
    case SetShort:
        Write(Image, Size, At, &Value, Kind + 1u);
        break;
    case SetLong:
        Write(Image, Size, At, &Value, sizeof(Value));
        break;
    case AddLong:
        Old += (ULONG)(LONG)(SHORT)Value;
        Write(Image, Size, At, &Old, sizeof(Old));
        break;
    case SetOnes:
        Write(Image, Size, At, &(ULONG64){MAXULONG64}, 1 + Value % sizeof(ULONG64));
        break;
    case SetEdge: /* what comes near a page's end, or the image's */
        Old = (Value & 0xF0) << 8 | (0u - (Value & 0xF));
        Write(Image, Size, At, &Old, sizeof(Old));
        break;
    case CopyHere:
        memmove(Image + At, Image + Value % Size, min(32, min(Size - At, Size - Value % Size)));
        break;
    default:
        break;
    }
}

static ULONG Change(const SEED *Seed, UCHAR *Image, ULONG Size, const UCHAR *What)
{
    const PART *Part = &Seed->Parts[What[0] % Seed->PartCount];
    ULONG At = Part->At + (ULONG)(What[1] | What[2] << 8) % Part->Bytes, Value;

    memcpy(&Value, What + 4, sizeof(Value));
    if (At >= Size)
        return Size;
    if (What[3] % 32 == Truncate)
        return At;
    ChangeAt(Image, Size, At, What[3] % Truncate, Value);
    return Size;
}

UCHAR *SeedsChange(ULONG Index, const UCHAR *Changes, SIZE_T Size, SIZE_T *Bytes)
{
    const SEED *Seed = &Seeds[Index % Count];
    UCHAR *Image = malloc(Seed->Size), *Exact;

    *Bytes = Seed->Size;
    memcpy(Image, Seed->Bytes, Seed->Size);
    for (; Size >= 8; Changes += 8, Size -= 8)
        *Bytes = Change(Seed, Image, (ULONG)*Bytes, Changes);
    Exact = malloc(*Bytes); /* a sanitizer finds what is read behind it */
    memcpy(Exact, Image, *Bytes);
    free(Image);
    return Exact;
}
