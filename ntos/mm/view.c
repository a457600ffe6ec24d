/*
 * Views: what lies where in a slot. Each is entered in the space's list, by address; its pages are
 * in the page tables, in this process's mappings, and, by the client's hand, in the client's.
 */
#include "mi.h"

#include <stdlib.h>

#define MI_GRANULARITY ((ULONG_PTR)0x10000)

/* Protections that user memory may have. There is no execution of client memory in the kernel
 * process. */
int MiHostProtection(ULONG Protect)
{
    switch (Protect & 0xFF) {
    case PAGE_READONLY:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
        return HOST_READ;
    case PAGE_READWRITE:
    case PAGE_EXECUTE_READWRITE:
        return HOST_READ | HOST_WRITE;
    default:
        return 0;
    }
}

/* The same for the client, who may execute. */
int MiClientProtection(ULONG Protect)
{
    return MiHostProtection(Protect) |
           (Protect & (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE) ? HOST_EXECUTE
                                                                                  : 0);
}

ULONG64 MiPteProtection(ULONG Protect)
{
    int Host = MiHostProtection(Protect);

    if (!Host)
        return 0;
    return MI_PTE_TOUCHED | MI_PTE_USER | (Host & HOST_WRITE ? MI_PTE_WRITE : 0) |
           (MiClientProtection(Protect) & HOST_EXECUTE ? 0 : MI_PTE_NX);
}

static MI_VIEW *MiViewAt(LIST_ENTRY *Entry)
{
    return CONTAINING_RECORD(Entry, MI_VIEW, Link);
}

MI_VIEW *MiViewOf(MM_ADDRESS_SPACE *Space, ULONG_PTR Address)
{
    for (LIST_ENTRY *Entry = Space->Views.Flink; Entry != &Space->Views; Entry = Entry->Flink)
        if (Address - MiViewAt(Entry)->Base < MiViewAt(Entry)->Bytes)
            return MiViewAt(Entry);
    return NULL;
}

void MiInsertView(MM_ADDRESS_SPACE *Space, MI_VIEW *View)
{
    LIST_ENTRY *Entry = Space->Views.Flink;

    while (Entry != &Space->Views && MiViewAt(Entry)->Base < View->Base)
        Entry = Entry->Flink;
    InsertTailList(Entry, &View->Link);
}

BOOLEAN MiUserRangeIsFree(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes)
{
    if (Base < Space->Low || Base >= Space->High || Bytes > Space->High - Base)
        return FALSE;
    for (LIST_ENTRY *Entry = Space->Views.Flink; Entry != &Space->Views; Entry = Entry->Flink)
        if (Base < MiViewAt(Entry)->Base + MiViewAt(Entry)->Bytes &&
            MiViewAt(Entry)->Base < Base + Bytes)
            return FALSE;
    return TRUE;
}

/* A free range at a multiple of 64 KiB; 0: none. */
ULONG_PTR MiFindUserRange(MM_ADDRESS_SPACE *Space, SIZE_T Bytes, BOOLEAN TopDown)
{
    ULONG_PTR Start = Space->Low, Found = 0;

    for (LIST_ENTRY *Entry = Space->Views.Flink;; Entry = Entry->Flink) {
        ULONG_PTR End = Entry == &Space->Views ? Space->High : MiViewAt(Entry)->Base;

        if (Start < End && End - Start >= Bytes) {
            Found = TopDown ? (End - Bytes) & ~(MI_GRANULARITY - 1) : Start;
            if (Found < Start)
                Found = Start;
            if (!TopDown)
                return Found;
        }
        if (Entry == &Space->Views)
            return Found;
        Start = (MiViewAt(Entry)->Base + MiViewAt(Entry)->Bytes + MI_GRANULARITY - 1) &
                ~(MI_GRANULARITY - 1);
    }
}

/* The client's side of one piece of a file; a page that it may not write to comes by a descriptor
 * that cannot. */
static NTSTATUS MiClientMap(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes, int File,
                            ULONG64 Offset, ULONG Protect)
{
    int ReadOnly = -1;
    NTSTATUS Status;

    if (!Space->Hand)
        return STATUS_SUCCESS;
    if (File != Space->File && !(MiHostProtection(Protect) & HOST_WRITE)) {
        ReadOnly = host_memory_file_read_only(File);
        if (ReadOnly < 0)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = Space->Hand->Map(Space->HandContext, ReadOnly < 0 ? File : ReadOnly, Offset,
                              (PVOID)Base, Bytes, MiClientProtection(Protect));
    if (ReadOnly >= 0)
        host_close(ReadOnly);
    return Status;
}

static NTSTATUS MiSetUserPtes(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, const PFN_NUMBER *Frames,
                              SIZE_T Count, ULONG Protect)
{
    ULONG64 Flags = MiPteProtection(Protect);
    NTSTATUS Status = STATUS_SUCCESS;

    for (SIZE_T i = 0; i < Count && NT_SUCCESS(Status); i++)
        Status = MiSetPte(Space->DirectoryFrame, Base + (i << PAGE_SHIFT),
                          Flags ? (Frames[i] << PAGE_SHIFT) | Flags : 0);
    return Status;
}

/* Frames become visible at Base, on both sides. On failure nothing is. */
NTSTATUS MiMapUserFrames(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, const PFN_NUMBER *Frames,
                         SIZE_T Count, ULONG Protect)
{
    NTSTATUS Status = MiSetUserPtes(Space, Base, Frames, Count, Protect);

    if (NT_SUCCESS(Status))
        Status = MiMapHere((void *)Base, Frames, Count, MiHostProtection(Protect));
    for (SIZE_T Done = 0; Done < Count && NT_SUCCESS(Status);) {
        ULONG64 Offset;
        int File;
        SIZE_T Run = MiFileRun(Frames + Done, Count - Done, &File, &Offset);

        Status = MiClientMap(Space, Base + (Done << PAGE_SHIFT), Run << PAGE_SHIFT, File, Offset,
                             Protect);
        Done += Run;
    }
    if (!NT_SUCCESS(Status))
        MiUnmapUserRange(Space, Base, Count << PAGE_SHIFT);
    return Status;
}

/* Back to the slot's own file, without access. A client that is gone needs no unmapping. The budget
 * has seen to it that Linux can do it; should the kernel's own mappings have used up all there are,
 * what was there stays, which nobody is told of: the tables say that there is nothing. */
void MiUnmapUserRange(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes)
{
    MiClearPtes(Space->DirectoryFrame, Base, Bytes >> PAGE_SHIFT);
    if (host_map((void *)Base, Bytes, Space->File, Base - Space->Low, 0) < 0)
        host_protect((void *)Base, Bytes, 0);
    if (Space->Hand)
        Space->Hand->Unmap(Space->HandContext, (PVOID)Base, Bytes);
}

static void MiReleaseMdlView(MI_VIEW *View)
{
    if (View->Shared)
        MmUnshareFrames(View->Frames, View->Count);
    free(View->Frames);
}

static void MiReleaseSectionView(MI_VIEW *View)
{
    InterlockedDecrement(&View->Section->Views);
    if (View->Release)
        View->Release(View->Context);
}

/* Takes a view off, whatever it is, and frees it. The space is locked. */
NTSTATUS MiRemoveView(MM_ADDRESS_SPACE *Space, MI_VIEW *View)
{
    MiUnmapUserRange(Space, View->Base, View->Bytes);
    RemoveEntryList(&View->Link);
    MiGive(Space->Account, MiMappings, View->Mappings);
    MiGive(Space->Account, MiFiles, View->Files);
    if (View->Kind == MiViewPrivate) {
        host_punch(Space->File, View->Base - Space->Low, View->Bytes);
        free(View->Pages);
    } else if (View->Kind == MiViewMdl) {
        MiReleaseMdlView(View);
    } else if (View->Kind == MiViewSection) {
        MiReleaseSectionView(View);
    }
    MiFreePool(View);
    return STATUS_SUCCESS;
}
