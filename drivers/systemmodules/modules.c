/* The list of loaded modules: a loop that lets it grow, and a reader that believes nothing. */
#include "modules.h"

const MODULE_LAYOUT ModulesSystem32 = {TRUE, 4, 0x11C, 0x08, 4, 0x0C, 0x1A, 0x1C};
const MODULE_LAYOUT ModulesSystem64 = {TRUE, 8, 0x128, 0x10, 8, 0x18, 0x26, 0x28};
const MODULE_LAYOUT ModulesAux32 = {FALSE, 0, 0x10C, 0x00, 4, 0x04, 0x08, 0x0A};
const MODULE_LAYOUT ModulesAux64 = {FALSE, 0, 0x110, 0x00, 8, 0x08, 0x0C, 0x0E};

/* The names under which a kernel may be installed, and a debugger of old. */
const CHAR ModulesDefaultNames[] =
    "ntoskrnl.exe\0ntkrnlmp.exe\0ntkrnlpa.exe\0ntkrpamp.exe\0ntice.sys\0";

#define SPARE_ENTRIES 8 /* room for what is loaded between two queries */
#define MOST_QUERIES 16

static BOOLEAN TooSmall(NTSTATUS Status)
{
    return Status == STATUS_INFO_LENGTH_MISMATCH || Status == STATUS_BUFFER_TOO_SMALL;
}

/* The next size to try; 0: more than anyone should have. */
static ULONG NextSize(const MODULE_LAYOUT *Layout, ULONG Size, ULONG Needed)
{
    ULONG Spare = SPARE_ENTRIES * Layout->EntrySize;

    if (Needed < Size)
        Needed = Size; /* a source that does not tell what it needs */
    if (Needed > MODULES_MOST_BYTES - Spare)
        return 0;
    return Needed + Spare;
}

static NTSTATUS QueryOnce(const MODULE_SOURCE *Source, ULONG Size, PVOID *Buffer, ULONG *Returned)
{
    NTSTATUS Status;

    *Buffer = Source->Allocate(Source->Context, Size);
    if (!*Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Returned = 0;
    Status = Source->Query(Source->Context, *Buffer, Size, Returned);
    if (NT_SUCCESS(Status) && *Returned > Size)
        Status = STATUS_DATA_ERROR;
    if (!NT_SUCCESS(Status)) {
        Source->Free(Source->Context, *Buffer);
        *Buffer = NULL;
    }
    return Status;
}

/* The first query, of no length, tells the size (its pointer must be a good one nevertheless). */
static NTSTATUS Fetch(const MODULE_SOURCE *Source, PVOID *Buffer, ULONG *Bytes)
{
    ULONGLONG Nothing = 0;
    ULONG Size = 0, Returned = 0, Round;
    NTSTATUS Status = Source->Query(Source->Context, &Nothing, 0, &Returned);

    for (Round = 0;
         Round < MOST_QUERIES && (TooSmall(Status) || (Round == 0 && NT_SUCCESS(Status)));
         Round++) {
        Size = NextSize(Source->Layout, Size, Returned);
        if (!Size)
            return STATUS_INVALID_BUFFER_SIZE;
        Status = QueryOnce(Source, Size, Buffer, &Returned);
    }
    *Bytes = Returned;
    return Status;
}

NTSTATUS ModulesCount(const MODULE_LAYOUT *Layout, const VOID *Buffer, ULONG Bytes, ULONG *Count)
{
    ULONG Whole;

    if (Bytes < Layout->First)
        return STATUS_DATA_ERROR;
    Whole = (Bytes - Layout->First) / Layout->EntrySize;
    *Count = Whole;
    if (!Layout->HasCount)
        return STATUS_SUCCESS;
    RtlCopyMemory(Count, Buffer, sizeof(*Count));
    return *Count <= Whole ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}

/* An offset that leads outside the text is none. */
static USHORT CheckedOffset(const SYSTEM_MODULE *Module, USHORT Offset)
{
    USHORT Length = 0;

    while (Module->Path[Length])
        Length++;
    return Offset < Length ? Offset : 0;
}

VOID ModulesEntry(const MODULE_LAYOUT *Layout, const VOID *Buffer, ULONG Index,
                  SYSTEM_MODULE *Module)
{
    const UCHAR *Entry = (const UCHAR *)Buffer + Layout->First + (SIZE_T)Index * Layout->EntrySize;
    USHORT Offset;

    RtlZeroMemory(Module, sizeof(*Module));
    RtlCopyMemory(&Module->Base, Entry + Layout->Base, Layout->BaseSize); /* little-endian */
    RtlCopyMemory(&Module->Size, Entry + Layout->Size, sizeof(Module->Size));
    RtlCopyMemory(&Offset, Entry + Layout->NameOffset, sizeof(Offset));
    RtlCopyMemory(Module->Path, Entry + Layout->Path, sizeof(Module->Path) - 1);
    Module->NameOffset = CheckedOffset(Module, Offset);
}

/* Count is at most MODULES_MOST_BYTES / EntrySize: the product is far from any limit. */
static NTSTATUS Convert(const MODULE_SOURCE *Source, const VOID *Buffer, ULONG Count,
                        SYSTEM_MODULE_LIST **List)
{
    ULONG i;

    *List = Source->Allocate(Source->Context,
                             SYSTEM_MODULE_LIST_HEAD + (SIZE_T)Count * sizeof(SYSTEM_MODULE));
    if (!*List)
        return STATUS_NO_MEMORY;
    (*List)->Count = (*List)->Returned = Count;
    for (i = 0; i < Count; i++)
        ModulesEntry(Source->Layout, Buffer, i, &(*List)->Modules[i]);
    return STATUS_SUCCESS;
}

NTSTATUS ModulesQuery(const MODULE_SOURCE *Source, SYSTEM_MODULE_LIST **List)
{
    PVOID Buffer = NULL;
    ULONG Bytes, Count;
    NTSTATUS Status = Fetch(Source, &Buffer, &Bytes);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ModulesCount(Source->Layout, Buffer, Bytes, &Count);
    if (NT_SUCCESS(Status))
        Status = Convert(Source, Buffer, Count, List);
    Source->Free(Source->Context, Buffer);
    return Status;
}

const CHAR *ModuleName(const SYSTEM_MODULE *Module)
{
    return Module->Path + Module->NameOffset;
}

static CHAR Lower(CHAR Letter)
{
    return Letter >= 'A' && Letter <= 'Z' ? (CHAR)(Letter + ('a' - 'A')) : Letter;
}

static BOOLEAN SameName(const CHAR *A, const CHAR *B)
{
    while (*A && Lower(*A) == Lower(*B)) {
        A++;
        B++;
    }
    return *A == 0 && *B == 0;
}

BOOLEAN ModuleIsOneOf(const SYSTEM_MODULE *Module, const CHAR *Names)
{
    while (*Names) {
        if (SameName(ModuleName(Module), Names))
            return TRUE;
        while (*Names)
            Names++;
        Names++;
    }
    return FALSE;
}
