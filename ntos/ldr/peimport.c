/*
 * Imports of a Windows image in memory.
 */
#include "ldr/pe.h"
#include <stdio.h>
#include <string.h>

#define PE_IMPORTS 0x10000    /* of an image; a driver has hundreds */
#define PE_MISSING_LIMIT 1000 /* more are not told */

typedef struct BINDING {
    const PE_IMAGE *Image, *Provider; /* NULL: the executive, or nobody */
    const PE_BINDER *Binder;
    char Library[PE_LIBRARY];
    int Imports;
    int Count; /* of the missing */
} BINDING;

static PVOID FindNamed(const BINDING *Binding, const char *Name)
{
    if (PeIsExecutive(Binding->Library))
        return LdrpForeignExport(Name);
    return Binding->Provider == NULL ? NULL : PeExportByName(Binding->Provider, Name);
}

static PVOID FindNumbered(const BINDING *Binding, ULONG Ordinal)
{
    return Binding->Provider == NULL ? NULL : PeExportByOrdinal(Binding->Provider, Ordinal);
}

static void ReportMissing(BINDING *Binding, const char *Name)
{
    if (Binding->Count++ < PE_MISSING_LIMIT)
        Binding->Binder->Missing(Binding->Binder->Context, Binding->Library, Name);
}

/* FALSE: the entry is damaged. */
static BOOLEAN BindOne(BINDING *Binding, ULONG64 Entry, void *Slot)
{
    char Number[32];
    PVOID Address;
    const char *Name = Number;
    if (IMAGE_SNAP_BY_ORDINAL64(Entry)) {
        snprintf(Number, sizeof(Number), "ordinal %u", (ULONG)IMAGE_ORDINAL64(Entry));
        Address = FindNumbered(Binding, (ULONG)IMAGE_ORDINAL64(Entry));
    } else {
        if (Entry > MAXULONG - 2 || (Name = PeStringAt(Binding->Image, (ULONG)Entry + 2)) == NULL)
            return FALSE;
        Address = FindNamed(Binding, Name);
    }
    if (Address == NULL)
        ReportMissing(Binding, Name);
    memcpy(Slot, &Address, sizeof(Address));
    return TRUE;
}

static BOOLEAN BindLibrary(BINDING *Binding, const IMAGE_IMPORT_DESCRIPTOR *Descriptor)
{
    ULONG Names = Descriptor->OriginalFirstThunk != 0 ? Descriptor->OriginalFirstThunk
                                                      : Descriptor->FirstThunk;
    const char *Library = PeStringAt(Binding->Image, Descriptor->Name);
    if (Library == NULL || strlen(Library) >= sizeof(Binding->Library))
        return FALSE;
    strcpy(Binding->Library, Library); /* slots may lie over the name */
    Binding->Provider =
        PeIsExecutive(Library) ? NULL : Binding->Binder->Provide(Binding->Binder->Context, Library);
    for (ULONG Offset = 0;; Offset += sizeof(ULONG64)) {
        ULONG64 Entry;
        void *From = PeAt(Binding->Image, Names + Offset, sizeof(Entry));
        void *To = PeAt(Binding->Image, Descriptor->FirstThunk + Offset, sizeof(Entry));
        if (From == NULL || To == NULL || ++Binding->Imports > PE_IMPORTS)
            return FALSE;
        memcpy(&Entry, From, sizeof(Entry));
        if (Entry == 0)
            return TRUE;
        if (!BindOne(Binding, Entry, To))
            return FALSE;
    }
}

int PeBindImports(const PE_IMAGE *Image, const PE_BINDER *Binder)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_IMPORT];
    BINDING Binding = {.Image = Image, .Binder = Binder};
    if (Directory->Size == 0)
        return 0;
    for (ULONG Offset = 0;; Offset += sizeof(IMAGE_IMPORT_DESCRIPTOR)) {
        IMAGE_IMPORT_DESCRIPTOR Descriptor;
        void *Place = PeAt(Image, Directory->VirtualAddress + Offset, sizeof(Descriptor));
        if (Place == NULL || Offset > Image->Size)
            return -1;
        memcpy(&Descriptor, Place, sizeof(Descriptor));
        if (Descriptor.Name == 0 || Descriptor.FirstThunk == 0)
            return Binding.Count;
        if (!BindLibrary(&Binding, &Descriptor))
            return -1;
    }
}
