/*
 * Which instructions of a Windows image are changed (patch.h).
 *
 * Code is found by the table of functions (.pdata), and between its entries where it runs without
 * a gap from padding to a return (leaves have no entry). First every place that something jumps to
 * is marked, jump tables included; a function whose tables are not understood stays as it is.
 */
#include "ldr/ldrp.h"
#include "ldr/patch.h"
#include "ldr/seh.h"
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES (256 * 1024u) /* a function that is larger stays as it is */
#define LEAF_BYTES 256u
#define SITES_LIMIT 16384u

typedef struct SEARCH {
    PE_IMAGE *Image;
    UCHAR *Targets; /* a bit for each byte of the image */
    LDRP_CODE Code;
    BOOLEAN Leaf; /* Code is a leaf: IRQL changes are looked for, and jumps to other routines */
    void (*Each)(struct SEARCH *Search);
} SEARCH;

static void Mark(const SEARCH *Search, ULONG Rva)
{
    if (Rva < Search->Image->Size)
        Search->Targets[Rva / 8] |= 1 << Rva % 8;
}

static BOOLEAN IsMarked(const SEARCH *Search, ULONG Rva)
{
    return Search->Targets[Rva / 8] >> Rva % 8 & 1;
}

/* ---- one instruction ---- */

static BOOLEAN IsIndirect(const LDRP_INSTRUCTION *Instruction)
{
    return Instruction->Operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

/* Through the table of imports: where it leads is known. */
static BOOLEAN IsImport(const SEARCH *Search, ULONG At, const LDRP_INSTRUCTION *Instruction)
{
    const IMAGE_DATA_DIRECTORY *Table = &Search->Image->Directories[IMAGE_DIRECTORY_ENTRY_IAT];
    const ZydisDecodedOperand *Operand = &Instruction->Operands[0];
    if (Operand->type != ZYDIS_OPERAND_TYPE_MEMORY || Operand->mem.base != ZYDIS_REGISTER_RIP)
        return FALSE;
    ULONG Slot = At + Instruction->Info.length + (ULONG)Operand->mem.disp.value;
    return Slot - Table->VirtualAddress < Table->Size;
}

/* REX, opcode, ModRM …: what stub.c can make a load of. */
static BOOLEAN IsSimple(const UCHAR *Bytes, const LDRP_INSTRUCTION *Instruction)
{
    return Instruction->Info.raw.modrm.offset == 1u + ((Bytes[0] & 0xF0) == 0x40);
}

/* A jump with REX.W leaves the function; one without goes through a table. */
static BOOLEAN LeavesFunction(const UCHAR *Bytes, const LDRP_INSTRUCTION *Instruction)
{
    return Instruction->Info.meta.category == ZYDIS_CATEGORY_CALL || (Bytes[0] & 0xF8) == 0x48;
}

/* What reads here, without a fault, what is Linux's. */
static BOOLEAN TellsLies(const SEARCH *Search, const LDRP_INSTRUCTION *Instruction)
{
    switch (Instruction->Info.mnemonic) {
    case ZYDIS_MNEMONIC_SGDT:
    case ZYDIS_MNEMONIC_SIDT:
    case ZYDIS_MNEMONIC_SLDT:
    case ZYDIS_MNEMONIC_STR:
    case ZYDIS_MNEMONIC_SMSW:
        return TRUE;
    case ZYDIS_MNEMONIC_PUSHFQ:
    case ZYDIS_MNEMONIC_POPFQ:
        return Search->Image->Patches->Interrupts;
    case ZYDIS_MNEMONIC_MOV:
        return Instruction->Operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               ZydisRegisterGetClass(Instruction->Operands[1].reg.value) == ZYDIS_REGCLASS_SEGMENT;
    default:
        return FALSE;
    }
}

static LDRP_SITE SiteOf(const SEARCH *Search, ULONG At, const LDRP_INSTRUCTION *Instruction)
{
    const UCHAR *Bytes = Search->Image->Base + At;
    const ZydisDecodedOperand *Operands = Instruction->Operands;
    ZydisInstructionCategory Category = Instruction->Info.meta.category;
    if (Instruction->Info.mnemonic == ZYDIS_MNEMONIC_MOV && Operands[1].type == Operands[0].type &&
        Operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
        if (Operands[1].reg.value == ZYDIS_REGISTER_CR8)
            return LdrpIrqlRead;
        if (Operands[0].reg.value == ZYDIS_REGISTER_CR8)
            return LdrpIrqlWrite;
    }
    if (Search->Leaf && Category != ZYDIS_CATEGORY_UNCOND_BR)
        return LdrpPlain;
    if ((Category == ZYDIS_CATEGORY_CALL || Category == ZYDIS_CATEGORY_UNCOND_BR) &&
        IsIndirect(Instruction) && Instruction->Info.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR &&
        !IsImport(Search, At, Instruction) && IsSimple(Bytes, Instruction) &&
        LeavesFunction(Bytes, Instruction))
        return LdrpCallOut;
    return TellsLies(Search, Instruction) ? LdrpTrap : LdrpPlain;
}

/* What stub.c can write elsewhere. */
static BOOLEAN CanMove(const SEARCH *Search, ULONG At, LDRP_SITE Site,
                       const LDRP_INSTRUCTION *Instruction)
{
    if (Site != LdrpPlain)
        return Site != LdrpTrap;
    if (Instruction->Info.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
        return FALSE;
    if (Instruction->Info.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return FALSE;
    switch (Instruction->Info.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_UNCOND_BR:
        return !IsIndirect(Instruction) || (IsImport(Search, At, Instruction) &&
                                            IsSimple(Search->Image->Base + At, Instruction) &&
                                            Instruction->Info.meta.category == ZYDIS_CATEGORY_CALL);
    case ZYDIS_CATEGORY_COND_BR:
        return Instruction->Info.opcode < 0x90; /* not loop, jrcxz */
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_IO:
        return FALSE;
    default:
        return Instruction->Info.meta.branch_type == ZYDIS_BRANCH_TYPE_NONE ||
               Instruction->Info.meta.category == ZYDIS_CATEGORY_RET;
    }
}

static BOOLEAN IsEnd(const LDRP_INSTRUCTION *Instruction)
{
    switch (Instruction->Info.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_RET:
        return TRUE;
    default:
        return FALSE;
    }
}

/* ---- pieces of code ---- */

static void Collect(SEARCH *Search, ULONG At, const LDRP_INSTRUCTION *Instruction)
{
    LDRP_CODE *Code = &Search->Code;
    LDRP_SITE Site = SiteOf(Search, At, Instruction);
    Code->Each[Code->Count].At = At;
    Code->Each[Code->Count].Length = Instruction->Info.length;
    Code->Each[Code->Count].Site = (UCHAR)Site;
    Code->Each[Code->Count].Moves = CanMove(Search, At, Site, Instruction);
    Code->Each[Code->Count++].Ends = IsEnd(Instruction);
}

/* Begin to End, as far as it is code. TRUE: all of it. */
static BOOLEAN Read(SEARCH *Search, ULONG Begin, ULONG End)
{
    ULONG At = Begin;
    Search->Code.Begin = Begin;
    Search->Code.End = End;
    Search->Code.Count = 0;
    while (At < End) {
        LDRP_INSTRUCTION Instruction;
        if (!LdrpDecode(Search->Image->Base + At, End - At, &Instruction))
            return FALSE;
        Collect(Search, At, &Instruction);
        At += Instruction.Info.length;
    }
    return TRUE;
}

/* Where it leads is a place in the same function, or (Control Flow Guard's default routine, which
 * is nothing else) in another. */
static BOOLEAN IsTableJump(const UCHAR *Bytes, const LDRP_INSTRUCTION *Instruction)
{
    return Instruction->Info.meta.category == ZYDIS_CATEGORY_UNCOND_BR && IsIndirect(Instruction) &&
           Instruction->Operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           !LeavesFunction(Bytes, Instruction);
}

static BOOLEAN EndsLeaf(const SEARCH *Search, const LDRP_INSTRUCTION *Instruction)
{
    const LDRP_CODE *Code = &Search->Code;
    return Instruction->Info.meta.category == ZYDIS_CATEGORY_RET ||
           Code->Each[Code->Count - 1].Site == LdrpCallOut ||
           (Code->Count == 1 && IsTableJump(Search->Image->Base + Code->Each[0].At, Instruction));
}

/* A leaf: to its return, or its jump to where a pointer leads. What is padding is passed over; what
 * is not code, or has a jump table, is no leaf. */
static ULONG ReadLeaf(SEARCH *Search, ULONG Begin, ULONG End)
{
    const UCHAR *Base = Search->Image->Base;
    ULONG At = Begin;
    while (At < End && (Base[At] == 0xCC || Base[At] == 0x90))
        At++;
    Search->Code.Begin = At;
    Search->Code.Count = 0;
    while (At < End && At - Search->Code.Begin < LEAF_BYTES) {
        LDRP_INSTRUCTION Instruction;
        if (!LdrpDecode(Base + At, End - At, &Instruction) || (Base[At] == 0 && Base[At + 1] == 0))
            return End;
        Collect(Search, At, &Instruction);
        if (IsTableJump(Base + At, &Instruction) && Search->Code.Count != 1)
            return End;
        At += Instruction.Info.length;
        if (EndsLeaf(Search, &Instruction)) {
            Search->Code.End = At;
            Search->Each(Search);
            return At;
        }
    }
    return End;
}

static void ReadLeaves(SEARCH *Search, ULONG Begin, ULONG End)
{
    Search->Leaf = TRUE;
    while (Begin < End)
        Begin = ReadLeaf(Search, Begin, End);
    Search->Leaf = FALSE;
}

static void ReadFunction(SEARCH *Search, ULONG Begin, ULONG End)
{
    if (End - Begin <= CODE_BYTES && Read(Search, Begin, End))
        Search->Each(Search);
}

/* A section with code: its functions in order, and what is between. */
static void ReadSection(SEARCH *Search, ULONG Begin, ULONG End)
{
    const PE_IMAGE *Image = Search->Image;
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    ULONG Count = Directory->Size / sizeof(LDRP_FUNCTION), At = Begin;
    if (Directory->VirtualAddress % sizeof(ULONG) != 0)
        return;
    for (ULONG i = 0; i < Count; i++) {
        LDRP_FUNCTION Function;
        memcpy(&Function, Image->Base + Directory->VirtualAddress + i * sizeof(Function),
               sizeof(Function));
        if (Function.Begin < At || Function.Begin >= End)
            continue;
        if (Function.End <= Function.Begin || Function.End > End)
            return;
        ReadLeaves(Search, At, Function.Begin);
        ReadFunction(Search, Function.Begin, Function.End);
        At = Function.End;
    }
    ReadLeaves(Search, At, End);
}

static void ReadImage(SEARCH *Search, const PE_FILE *File, void (*Each)(SEARCH *Search))
{
    Search->Each = Each;
    for (ULONG i = 0; i < File->SectionCount; i++) {
        const IMAGE_SECTION_HEADER *Section = &File->Sections[i];
        ULONG Bytes = Section->SizeOfRawData;
        if (Section->Misc.VirtualSize != 0 && Section->Misc.VirtualSize < Bytes)
            Bytes = Section->Misc.VirtualSize;
        if (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE && Bytes != 0 &&
            PeAt(Search->Image, Section->VirtualAddress, Bytes) != NULL)
            ReadSection(Search, Section->VirtualAddress, Section->VirtualAddress + Bytes);
    }
}

/* ---- where jumps lead ---- */

/* Entries of a table, relative to Base, as long as they lead into the function. */
static BOOLEAN MarkTable(const SEARCH *Search, ULONG Table, ULONG Base)
{
    const LDRP_CODE *Code = &Search->Code;
    ULONG Count = 0, Distance;
    for (;; Count++, Table += sizeof(Distance)) {
        void *Place = PeAt(Search->Image, Table, sizeof(Distance));
        if (Place == NULL || Count > CODE_BYTES)
            break;
        memcpy(&Distance, Place, sizeof(Distance));
        if (Base + Distance - Code->Begin >= Code->End - Code->Begin)
            break;
        Mark(Search, Base + Distance);
    }
    return Count != 0;
}

/* lea Register, [table]: entries from there. [Base + Index * 4 + table]: from the image's base. */
static BOOLEAN MarkTablesOf(const SEARCH *Search, ULONG At, const LDRP_INSTRUCTION *Instruction)
{
    const ZydisDecodedOperand *Memory = &Instruction->Operands[1];
    if (Memory->type != ZYDIS_OPERAND_TYPE_MEMORY)
        return FALSE;
    if (Instruction->Info.mnemonic == ZYDIS_MNEMONIC_LEA &&
        Memory->mem.base == ZYDIS_REGISTER_RIP) {
        ULONG Table = At + Instruction->Info.length + (ULONG)Memory->mem.disp.value;
        return MarkTable(Search, Table, Table);
    }
    return Memory->mem.scale == 4 && Memory->mem.disp.has_displacement &&
           MarkTable(Search, (ULONG)Memory->mem.disp.value, 0);
}

static void MarkTargets(SEARCH *Search)
{
    const LDRP_CODE *Code = &Search->Code;
    BOOLEAN Indirect = FALSE, Known = FALSE;
    LDRP_INSTRUCTION Instruction;
    Mark(Search, Code->Begin);
    for (ULONG i = 0; i < Code->Count; i++) {
        ULONG At = Code->Each[i].At;
        LdrpDecode(Search->Image->Base + At, Code->Each[i].Length, &Instruction);
        if (Instruction.Info.mnemonic == ZYDIS_MNEMONIC_CLI)
            Search->Image->Patches->Interrupts = TRUE;
        if (Instruction.Info.meta.category == ZYDIS_CATEGORY_UNCOND_BR &&
            IsIndirect(&Instruction) && !LeavesFunction(Search->Image->Base + At, &Instruction))
            Indirect = TRUE;
        else if (Instruction.Info.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
                 Instruction.Operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            Mark(Search, At + Instruction.Info.length + (ULONG)Instruction.Operands[0].imm.value.s);
    }
    for (ULONG i = 0; i < Code->Count && Indirect; i++) {
        LdrpDecode(Search->Image->Base + Code->Each[i].At, Code->Each[i].Length, &Instruction);
        Known |= MarkTablesOf(Search, Code->Each[i].At, &Instruction);
    }
    for (ULONG Rva = Code->Begin; Indirect && !Known && Rva < Code->End; Rva++)
        Mark(Search, Rva); /* anywhere */
}

/* ---- changing ---- */

static ULONG BytesOf(const LDRP_CODE *Code, ULONG First, ULONG Last)
{
    return Code->Each[Last].At + Code->Each[Last].Length - Code->Each[First].At;
}

/* The span of a site: with what follows, if that is enough; else also with what precedes it. Least:
 * the first instruction that is in no span yet. */
static BOOLEAN FindSpan(const SEARCH *Search, ULONG Site, ULONG Least, ULONG *First, ULONG *Last)
{
    const LDRP_CODE *Code = &Search->Code;
    *First = *Last = Site;
    while (BytesOf(Code, *First, *Last) < LDRP_SPAN_BYTES && !Code->Each[*Last].Ends &&
           *Last + 1 < Code->Count && Code->Each[*Last + 1].Moves &&
           !IsMarked(Search, Code->Each[*Last + 1].At))
        ++*Last;
    while (BytesOf(Code, *First, *Last) < LDRP_SPAN_BYTES && *First > Least &&
           Code->Each[*First - 1].Moves && !Code->Each[*First - 1].Ends &&
           !IsMarked(Search, Code->Each[*First].At))
        --*First;
    return BytesOf(Code, *First, *Last) >= LDRP_SPAN_BYTES;
}

static void SetTrap(SEARCH *Search, ULONG At)
{
    LDRP_PATCHES *Patches = Search->Image->Patches;
    if (Patches->TrapCount == Patches->TrapLimit)
        return;
    Patches->Traps[Patches->TrapCount++] = (LDRP_TRAP){At, Search->Image->Base[At]};
    Search->Image->Base[At] = 0xCC;
}

static void Change(SEARCH *Search)
{
    const LDRP_CODE *Code = &Search->Code;
    ULONG Least = 0, First, Last;
    for (ULONG i = 0; i < Code->Count; i++) {
        if (Code->Each[i].Site == LdrpTrap)
            SetTrap(Search, Code->Each[i].At);
        else if (Code->Each[i].Site != LdrpPlain && FindSpan(Search, i, Least, &First, &Last) &&
                 LdrpWriteSpan(Search->Image, Code, First, Last))
            Least = (i = Last) + 1;
    }
}

/* ---- the image ---- */

static void FreePatches(LDRP_PATCHES *Patches)
{
    if (Patches->Pieces != NULL)
        ExFreePoolWithTag(Patches->Pieces, LDRP_TAG);
    if (Patches->Traps != NULL)
        ExFreePoolWithTag(Patches->Traps, LDRP_TAG);
    ExFreePoolWithTag(Patches, LDRP_TAG);
}

/* As many stubs as there is room for behind the image. */
static LDRP_PATCHES *AllocatePatches(const PE_IMAGE *Image)
{
    LDRP_PATCHES *Patches = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Patches), LDRP_TAG);
    if (Patches == NULL)
        return NULL;
    *Patches = (LDRP_PATCHES){.PieceLimit = Image->StubBytes / 16,
                              .TrapLimit = 256,
                              .StubAt = Image->Size + LDRP_STUB_HEAD,
                              .StubEnd = Image->Size + Image->StubBytes};
    Patches->Pieces = ExAllocatePoolWithTag(
        NonPagedPoolNx, Patches->PieceLimit * sizeof(*Patches->Pieces), LDRP_TAG);
    Patches->Traps = ExAllocatePoolWithTag(NonPagedPoolNx,
                                           Patches->TrapLimit * sizeof(*Patches->Traps), LDRP_TAG);
    if (Patches->Pieces != NULL && Patches->Traps != NULL)
        return Patches;
    FreePatches(Patches);
    return NULL;
}

/* Bytes that may begin a site. */
static ULONG CountIn(const UCHAR *Code, SIZE_T Bytes)
{
    ULONG Count = 0;
    for (SIZE_T i = 0; i + 1 < Bytes; i++)
        Count += (Code[i] == 0x0F && (Code[i + 1] == 0x20 || Code[i + 1] == 0x22)) ||
                 (Code[i] == 0xFF && Code[i + 1] != 0x15 && (Code[i + 1] & 0x38) == 0x10) ||
                 (Code[i] == 0xFF && Code[i + 1] != 0x25 && (Code[i + 1] & 0x38) == 0x20);
    return Count;
}

/* Bytes behind the image that its stubs may need. */
ULONG PeStubBytes(const PE_FILE *File)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < File->SectionCount; i++)
        if (File->Sections[i].Characteristics & IMAGE_SCN_MEM_EXECUTE)
            Count += CountIn(File->Bytes + File->Sections[i].PointerToRawData,
                             File->Sections[i].SizeOfRawData);
    Count = Count < SITES_LIMIT ? Count : SITES_LIMIT;
    return (ULONG)ROUND_TO_PAGES(LDRP_STUB_HEAD + (Count + 1) * LDRP_STUB_ROOM / 2);
}

/* Bytes of the largest function that is looked at. */
static ULONG LargestFunction(const PE_IMAGE *Image)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    ULONG Largest = LEAF_BYTES;
    for (ULONG i = 0; i < Directory->Size / sizeof(LDRP_FUNCTION); i++) {
        LDRP_FUNCTION Function;
        memcpy(&Function, Image->Base + Directory->VirtualAddress + i * sizeof(Function),
               sizeof(Function));
        if (Function.End - Function.Begin <= CODE_BYTES)
            Largest = max(Largest, Function.End - Function.Begin);
    }
    return Largest;
}

void PePatchCode(const PE_FILE *File, PE_IMAGE *Image)
{
    SEARCH Search = {.Image = Image};
    Image->Patches = AllocatePatches(Image);
    Search.Targets = calloc(Image->Size / 8 + 1, 1);
    Search.Code.Each = malloc(LargestFunction(Image) * sizeof(*Search.Code.Each));
    if (Image->Patches != NULL && Search.Targets != NULL && Search.Code.Each != NULL) {
        LdrpWriteStubHead(Image);
        ReadImage(&Search, File, MarkTargets);
        ReadImage(&Search, File, Change);
    }
    free(Search.Targets);
    free(Search.Code.Each);
}

void PeForgetPatches(PE_IMAGE *Image)
{
    if (Image->Patches != NULL)
        FreePatches(Image->Patches);
    Image->Patches = NULL;
}
