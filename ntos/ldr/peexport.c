/*
 * Exports of a Windows image in memory.
 */
#include "ldr/pe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PE_NAME 1024u       /* with its end */
#define PE_EXPORTS 0x10000u /* their ordinals have 16 bits */
#define PE_FORWARDS 8       /* from one image to the next */

/* Its file name, or that without what follows the dot. */
BOOLEAN PeIsExecutive(const char *Library)
{
    static const char *const Names[] = {"ntoskrnl.exe", "hal.dll", "ntkrnlpa.exe", "ntkrnlmp.exe"};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        size_t Stem = strcspn(Names[i], ".");
        if (_stricmp(Library, Names[i]) == 0 ||
            (strlen(Library) == Stem && _strnicmp(Library, Names[i], Stem) == 0))
            return TRUE;
    }
    return FALSE;
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

static BOOLEAN OpenExports(const PE_IMAGE *Image, IMAGE_EXPORT_DIRECTORY *Exports)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXPORT];
    return Directory->Size >= sizeof(*Exports) &&
           PeRead(Image, Directory->VirtualAddress, Exports, sizeof(*Exports));
}

static BOOLEAN IsString(const PE_IMAGE *Image, ULONG Rva, const char *Text)
{
    char Found[PE_NAME];
    SIZE_T Bytes = strlen(Text) + 1;
    return Bytes <= sizeof(Found) && PeRead(Image, Rva, Found, Bytes) &&
           memcmp(Found, Text, Bytes) == 0;
}

/* ---- forwarders: LIBRARY.NAME, LIBRARY.#ORDINAL ---- */

typedef struct WANTED {
    const char *Name; /* NULL: by number */
    ULONG Ordinal;
} WANTED;

static PVOID Find(const PE_IMAGE *Image, const WANTED *Wanted, ULONG Depth);

/* The kernel's, or a loaded driver's, which is named without .sys. */
static PVOID Follow(const PE_IMAGE *Image, ULONG Rva, ULONG Depth)
{
    char Text[PE_NAME] = "", Library[PE_LIBRARY];
    SIZE_T Room = Image->Size - Rva;
    if (Depth >= PE_FORWARDS ||
        !PeRead(Image, Rva, Text, Room < sizeof(Text) - 1 ? Room : sizeof(Text) - 1))
        return NULL;
    char *Name = strchr(Text, '.');
    if (Name == NULL)
        return NULL;
    *Name++ = '\0';
    WANTED Wanted = {Name, 0};
    if (Name[0] == '#')
        Wanted = (WANTED){NULL, (ULONG)strtoul(Name + 1, NULL, 10)};
    if (PeIsExecutive(Text))
        return Wanted.Name == NULL ? NULL : LdrpForeignExport(Name);
    if ((SIZE_T)snprintf(Library, sizeof(Library), "%s.sys", Text) >= sizeof(Library))
        return NULL;
    const PE_IMAGE *Other = LdrpFindImageNamed(Library);
    return Other == NULL ? NULL : Find(Other, &Wanted, Depth + 1);
}

/* What lies in the export directory itself is a name elsewhere. */
static PVOID ExportAt(const PE_IMAGE *Image, const IMAGE_EXPORT_DIRECTORY *Exports, ULONG Index,
                      ULONG Depth)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXPORT];
    ULONG Rva =
        Index < Exports->NumberOfFunctions ? LongAt(Image, Exports->AddressOfFunctions, Index) : 0;
    if (Rva == 0)
        return NULL;
    return Rva - Directory->VirtualAddress < Directory->Size ? Follow(Image, Rva, Depth)
                                                             : PeAt(Image, Rva, 1);
}

static PVOID FindName(const PE_IMAGE *Image, const IMAGE_EXPORT_DIRECTORY *Exports,
                      const char *Name, ULONG Depth)
{
    for (ULONG i = 0; i < Exports->NumberOfNames && i < PE_EXPORTS; i++)
        if (IsString(Image, LongAt(Image, Exports->AddressOfNames, i), Name))
            return ExportAt(Image, Exports, ShortAt(Image, Exports->AddressOfNameOrdinals, i),
                            Depth);
    return NULL;
}

static PVOID Find(const PE_IMAGE *Image, const WANTED *Wanted, ULONG Depth)
{
    IMAGE_EXPORT_DIRECTORY Exports;
    if (!OpenExports(Image, &Exports))
        return NULL;
    if (Wanted->Name != NULL)
        return FindName(Image, &Exports, Wanted->Name, Depth);
    return Wanted->Ordinal >= Exports.Base
               ? ExportAt(Image, &Exports, Wanted->Ordinal - Exports.Base, Depth)
               : NULL;
}

PVOID PeExportByName(const PE_IMAGE *Image, const char *Name)
{
    return Find(Image, &(WANTED){Name, 0}, 0);
}

PVOID PeExportByOrdinal(const PE_IMAGE *Image, ULONG Ordinal)
{
    return Find(Image, &(WANTED){NULL, Ordinal}, 0);
}
