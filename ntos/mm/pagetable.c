/*
 * Page tables: real four-level x86-64 tables, in frames of RAM, for system space and for each slot.
 *
 * The processor does not use them (Linux has its own); everything that asks "what is there" does. A
 * slot's top table shares the entries of system space. Tables are made when they are needed and
 * live until their directory is deleted, so a walk takes no lock.
 */
#include "mi.h"

#include <string.h>

#define MI_LEVELS 4
#define MI_LARGE_FRAMES ((SIZE_T)512)

PFN_NUMBER MiSystemDirectory;
static MI_LOCK MiTableLock;

static ULONG MiIndexOf(ULONG_PTR Address, ULONG Level) /* level 0: top */
{
    return (Address >> (39 - 9 * Level)) & (MI_PTES_PER_TABLE - 1);
}

static MM_PTE *MiEntryOf(PFN_NUMBER Table, ULONG_PTR Address, ULONG Level)
{
    return (MM_PTE *)MmFrameAddress(Table) + MiIndexOf(Address, Level);
}

static void MiWritePte(MM_PTE *Entry, ULONG64 Value)
{
    __atomic_store_n(&Entry->Value, Value, __ATOMIC_RELEASE);
}

/* Walks a directory as the processor does. Levels: top table first, as far as walked. */
BOOLEAN MmWalk(PFN_NUMBER Directory, ULONG_PTR Address, MM_PTE Levels[4], ULONG *PageShift)
{
    PFN_NUMBER Table = Directory;

    memset(Levels, 0, MI_LEVELS * sizeof(*Levels));
    for (ULONG Level = 0; Level < MI_LEVELS; Level++) {
        Levels[Level] = MiReadPte(MiEntryOf(Table, Address, Level));
        *PageShift = 39 - 9 * Level;
        if (!(Levels[Level].Value & MI_PTE_PRESENT))
            return FALSE;
        if (Level == MI_LEVELS - 1 || (Level && (Levels[Level].Value & MI_PTE_LARGE)))
            return TRUE;
        Table = MiPteFrame(Levels[Level]);
    }
    return FALSE;
}

/* A large page's entry becomes that of the 4 KiB page of Address. */
static BOOLEAN MiSplit(MM_PTE *Pte, ULONG_PTR Address, ULONG PageShift)
{
    Pte->Value = (Pte->Value & ~MI_PTE_LARGE) + (Address & (((ULONG64)1 << PageShift) - PAGE_SIZE));
    return TRUE;
}

/* The same as one 4 KiB entry. */
BOOLEAN MiTranslateIn(PFN_NUMBER Directory, ULONG_PTR Address, MM_PTE *Pte)
{
    PFN_NUMBER Table = Directory;

    if (Address >> 47)
        return FALSE;
    for (ULONG Level = 0;; Level++) {
        *Pte = MiReadPte(MiEntryOf(Table, Address, Level));
        if (!(Pte->Value & MI_PTE_PRESENT))
            return FALSE;
        if (Level == MI_LEVELS - 1)
            return TRUE;
        if (Level && (Pte->Value & MI_PTE_LARGE))
            return MiSplit(Pte, Address, 39 - 9 * Level);
        Table = MiPteFrame(*Pte);
    }
}

const MM_PTE *MiSlotTable(PFN_NUMBER Directory, ULONG_PTR Low)
{
    MM_PTE Levels[MI_LEVELS];
    ULONG PageShift;

    _Static_assert(MM_SLOT_LOW % MM_SLOT_BYTES == 0 && (1ul << 30) % MM_SLOT_BYTES == 0,
                   "a slot lies in one table of 2 MiB entries");
    MmWalk(Directory, Low, Levels, &PageShift);
    NT_ASSERT(Levels[1].Value & MI_PTE_PRESENT);
    return MmFrameAddress(MiPteFrame(Levels[1]));
}

BOOLEAN MiTranslate(const void *Address, MM_PTE *Pte)
{
    MM_ADDRESS_SPACE *Space;

    if (MmIsSystemAddress(Address))
        return MiSystemDirectory && MiTranslateIn(MiSystemDirectory, (ULONG_PTR)Address, Pte);
    Space = MmCurrentAddressSpace();
    if (!Space || (ULONG_PTR)Address < Space->Low || (ULONG_PTR)Address >= Space->High)
        return FALSE;
    return MiTranslateIn(Space->DirectoryFrame, (ULONG_PTR)Address, Pte);
}

static NTSTATUS MiAllocateTable(PPFN_NUMBER Table)
{
    NTSTATUS Status = MiAllocateRun(1, MiFrameTable, Table);

    if (NT_SUCCESS(Status))
        memset(MmFrameAddress(*Table), 0, PAGE_SIZE);
    return Status;
}

/* The entry for Address at Level; the tables above it are made. Table lock held. */
static NTSTATUS MiMakeEntry(PFN_NUMBER Directory, ULONG_PTR Address, ULONG Level, MM_PTE **Entry)
{
    ULONG64 Flags = MI_PTE_TOUCHED | MI_PTE_WRITE | (Address < MM_SYSTEM_LOW ? MI_PTE_USER : 0);
    PFN_NUMBER Table = Directory;

    for (ULONG At = 0; At < Level; At++) {
        MM_PTE *Upper = MiEntryOf(Table, Address, At);

        if (!(MiReadPte(Upper).Value & MI_PTE_PRESENT)) {
            PFN_NUMBER New;
            NTSTATUS Status = MiAllocateTable(&New);

            if (!NT_SUCCESS(Status))
                return Status;
            MiWritePte(Upper, (New << PAGE_SHIFT) | Flags);
        }
        NT_ASSERT(!At || !(MiReadPte(Upper).Value & MI_PTE_LARGE));
        Table = MiPteFrame(MiReadPte(Upper));
    }
    *Entry = MiEntryOf(Table, Address, Level);
    return STATUS_SUCCESS;
}

NTSTATUS MiSetPte(PFN_NUMBER Directory, ULONG_PTR Address, ULONG64 Value)
{
    MM_PTE *Entry;
    NTSTATUS Status;

    if (!Value) {
        MiClearPtes(Directory, Address, 1);
        return STATUS_SUCCESS;
    }
    MiAcquire(&MiTableLock);
    Status = MiMakeEntry(Directory, Address, 3, &Entry);
    if (NT_SUCCESS(Status))
        MiWritePte(Entry, Value);
    MiRelease(&MiTableLock);
    return Status;
}

/* Clears what maps Address; the number of pages that it mapped or could have mapped. */
static SIZE_T MiClearOne(PFN_NUMBER Directory, ULONG_PTR Address)
{
    PFN_NUMBER Table = Directory;

    for (ULONG Level = 0; Level < MI_LEVELS; Level++) {
        MM_PTE *Entry = MiEntryOf(Table, Address, Level);
        MM_PTE Pte = MiReadPte(Entry);
        SIZE_T Pages = (SIZE_T)1 << (27 - 9 * Level);

        if (!(Pte.Value & MI_PTE_PRESENT))
            return Pages - ((Address >> PAGE_SHIFT) & (Pages - 1));
        if (Level == MI_LEVELS - 1 || (Level && (Pte.Value & MI_PTE_LARGE))) {
            MiWritePte(Entry, 0);
            return Pages - ((Address >> PAGE_SHIFT) & (Pages - 1));
        }
        Table = MiPteFrame(Pte);
    }
    return 1;
}

void MiClearPtes(PFN_NUMBER Directory, ULONG_PTR Address, SIZE_T Pages)
{
    MiAcquire(&MiTableLock);
    while (Pages) {
        SIZE_T Cleared = min(MiClearOne(Directory, Address), Pages);

        Address += Cleared << PAGE_SHIFT;
        Pages -= Cleared;
    }
    MiRelease(&MiTableLock);
}

static NTSTATUS MiMapChunk(PFN_NUMBER Directory, ULONG_PTR Address, PFN_NUMBER Frame, BOOLEAN Large,
                           ULONG64 Flags)
{
    MM_PTE *Entry;
    NTSTATUS Status = MiMakeEntry(Directory, Address, Large ? 2 : 3, &Entry);

    if (NT_SUCCESS(Status))
        MiWritePte(Entry, (Frame << PAGE_SHIFT) | Flags | (Large ? MI_PTE_LARGE : 0));
    return Status;
}

/* Count frames from Frame on, at Address (both 2 MiB aligned): 2 MiB entries, and 4 KiB ones for
 * the rest. */
NTSTATUS MiMapLargePages(PFN_NUMBER Directory, ULONG_PTR Address, PFN_NUMBER Frame, SIZE_T Count,
                         ULONG64 Flags)
{
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T Done = 0;

    MiAcquire(&MiTableLock);
    while (Done < Count && NT_SUCCESS(Status)) {
        BOOLEAN Large = Count - Done >= MI_LARGE_FRAMES && Done % MI_LARGE_FRAMES == 0;

        Status = MiMapChunk(Directory, Address + (Done << PAGE_SHIFT), Frame + Done, Large, Flags);
        if (NT_SUCCESS(Status))
            Done += Large ? MI_LARGE_FRAMES : 1;
    }
    MiRelease(&MiTableLock);
    if (!NT_SUCCESS(Status))
        MiClearPtes(Directory, Address, Done);
    return Status;
}

/* A new top table that shares system space. */
NTSTATUS MiCreateDirectory(PFN_NUMBER *Directory)
{
    NTSTATUS Status = MiAllocateTable(Directory);

    if (!NT_SUCCESS(Status) || !MiSystemDirectory)
        return Status;
    for (ULONG_PTR Address = MM_SYSTEM_LOW; Address < MM_SYSTEM_HIGH; Address += (ULONG_PTR)1 << 39)
        MiWritePte(MiEntryOf(*Directory, Address, 0),
                   MiReadPte(MiEntryOf(MiSystemDirectory, Address, 0)).Value);
    return STATUS_SUCCESS;
}

static void MiFreeTables(PFN_NUMBER Table, ULONG Level)
{
    MM_PTE *Entries = MmFrameAddress(Table);

    for (ULONG i = 0; i < MI_PTES_PER_TABLE && Level < MI_LEVELS - 1; i++)
        if ((Entries[i].Value & MI_PTE_PRESENT) && !(Level && (Entries[i].Value & MI_PTE_LARGE)))
            MiFreeTables(MiPteFrame(Entries[i]), Level + 1);
    MmFreeFrames(Table, 1);
}

/* The directory and every table below it that serves [Low, High). */
void MiDeleteDirectory(PFN_NUMBER Directory, ULONG_PTR Low, ULONG_PTR High)
{
    MM_PTE *Entries = MmFrameAddress(Directory);

    for (ULONG i = MiIndexOf(Low, 0); i <= MiIndexOf(High - 1, 0); i++)
        if (Entries[i].Value & MI_PTE_PRESENT)
            MiFreeTables(MiPteFrame(Entries[i]), 1);
    MmFreeFrames(Directory, 1);
}

/* The upper tables of RAM's direct map; its lowest tables exist (run.c). */
static NTSTATUS MiMapRam(void)
{
    PFN_NUMBER First = MiRamFrameNumber(MiRam.Ptes);
    NTSTATUS Status = STATUS_SUCCESS;

    for (SIZE_T i = 0; i < MiRam.Count / MI_PTES_PER_TABLE && NT_SUCCESS(Status); i++) {
        MM_PTE *Entry;

        Status = MiMakeEntry(MiSystemDirectory, MM_SYSTEM_LOW + (i << 21), 2, &Entry);
        if (NT_SUCCESS(Status))
            MiWritePte(Entry, ((First + i) << PAGE_SHIFT) | MI_PTE_TOUCHED | MI_PTE_WRITE);
    }
    return Status;
}

NTSTATUS MiInitTables(void)
{
    MM_PTE *Entry;
    PFN_NUMBER Directory;
    NTSTATUS Status;

    MiSystemDirectory = 0;
    Status = MiCreateDirectory(&Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    MiSystemDirectory = Directory;
    /* The second level of all of system space, so that every directory can share it for good. */
    for (ULONG_PTR Address = MM_SYSTEM_LOW; Address < MM_SYSTEM_HIGH;
         Address += (ULONG_PTR)1 << 39) {
        Status = MiMakeEntry(MiSystemDirectory, Address, 1, &Entry);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    return MiMapRam();
}
