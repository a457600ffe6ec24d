/*
 * Imports and exports of a Windows image in memory.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <stdio.h>
#include <string.h>

#define PE_NAME 1024u         /* with its end */
#define PE_EXPORTS 0x10000u   /* their ordinals have 16 bits */
#define PE_IMPORTS 0x10000    /* of an image; a driver has hundreds */
#define PE_MISSING_LIMIT 1000 /* more are not told */

typedef struct BINDING {
    const PE_IMAGE *Image;
    const char *Library;
    void (*Missing)(void *Context, const char *Library, const char *Name);
    void *Context;
    int Imports;
    int Count; /* of the missing */
} BINDING;

/* Names whose routines are the executive's. */
static BOOLEAN IsExecutive(const char *Library)
{
    static const char *const Names[] = {"ntoskrnl.exe", "hal.dll", "ntkrnlpa.exe", "ntkrnlmp.exe"};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++)
        if (_stricmp(Library, Names[i]) == 0)
            return TRUE;
    return FALSE;
}

static PVOID FindNamed(const BINDING *Binding, const char *Name)
{
    if (IsExecutive(Binding->Library))
        return LdrpForeignExport(Name);
    const PE_IMAGE *Provider = LdrpFindImageNamed(Binding->Library);
    return Provider == NULL ? NULL : PeExportByName(Provider, Name);
}

static PVOID FindNumbered(const BINDING *Binding, ULONG Ordinal)
{
    const PE_IMAGE *Provider =
        IsExecutive(Binding->Library) ? NULL : LdrpFindImageNamed(Binding->Library);
    return Provider == NULL ? NULL : PeExportByOrdinal(Provider, Ordinal);
}

static void ReportMissing(BINDING *Binding, const char *Name)
{
    if (Binding->Count++ < PE_MISSING_LIMIT)
        Binding->Missing(Binding->Context, Binding->Library, Name);
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
    Binding->Library = PeStringAt(Binding->Image, Descriptor->Name);
    if (Binding->Library == NULL)
        return FALSE;
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

int PeBindImports(const PE_IMAGE *Image,
                  void (*Missing)(void *Context, const char *Library, const char *Name),
                  void *Context)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_IMPORT];
    BINDING Binding = {Image, NULL, Missing, Context, 0, 0};
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

static ULONG LongAt(const PE_IMAGE *Image, ULONG Rva, ULONG Index)
{
    ULONG Value;
    return Index < Image->Size && PeRead(Image, Rva + Index * sizeof(Value), &Value, sizeof(Value))
               ? Value
               : 0;
}

static USHORT ShortAt(const PE_IMAGE *Image, ULONG Rva, ULONG Index)
{
    USHORT Value;
    return Index < Image->Size && PeRead(Image, Rva + Index * sizeof(Value), &Value, sizeof(Value))
               ? Value
               : MAXUSHORT;
}

/* Without forwarders: what lies in the export directory itself is a name elsewhere. */
static PVOID ExportAt(const PE_IMAGE *Image, const IMAGE_EXPORT_DIRECTORY *Exports, ULONG Index)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXPORT];
    ULONG Rva =
        Index < Exports->NumberOfFunctions ? LongAt(Image, Exports->AddressOfFunctions, Index) : 0;
    return Rva == 0 || Rva - Directory->VirtualAddress < Directory->Size ? NULL
                                                                         : PeAt(Image, Rva, 1);
}

static BOOLEAN OpenExports(const PE_IMAGE *Image, IMAGE_EXPORT_DIRECTORY *Exports)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXPORT];
    return Directory->Size >= sizeof(*Exports) &&
           PeRead(Image, Directory->VirtualAddress, Exports, sizeof(*Exports));
}

PVOID PeExportByOrdinal(const PE_IMAGE *Image, ULONG Ordinal)
{
    IMAGE_EXPORT_DIRECTORY Exports;
    return OpenExports(Image, &Exports) && Ordinal >= Exports.Base
               ? ExportAt(Image, &Exports, Ordinal - Exports.Base)
               : NULL;
}

static BOOLEAN IsString(const PE_IMAGE *Image, ULONG Rva, const char *Text)
{
    char Found[PE_NAME];
    SIZE_T Bytes = strlen(Text) + 1;
    return Bytes <= sizeof(Found) && PeRead(Image, Rva, Found, Bytes) &&
           memcmp(Found, Text, Bytes) == 0;
}

PVOID PeExportByName(const PE_IMAGE *Image, const char *Name)
{
    IMAGE_EXPORT_DIRECTORY Exports;
    if (!OpenExports(Image, &Exports))
        return NULL;
    for (ULONG i = 0; i < Exports.NumberOfNames && i < PE_EXPORTS; i++)
        if (IsString(Image, LongAt(Image, Exports.AddressOfNames, i), Name))
            return ExportAt(Image, &Exports, ShortAt(Image, Exports.AddressOfNameOrdinals, i));
    return NULL;
}
