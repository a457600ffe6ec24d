/*
 * From a service to a file.
 *
 * ImagePath is a path of Linux, bare or behind \??\, or a path of NT. A file that is there is
 * taken. Otherwise its last component is looked for in the folders of the search path: NAME,
 * NAME.so, NAME.sys; for NAME.sys also NAME.so, so that one registration serves both kinds.
 */
#include "ldr/ldrp.h"
#include <stdio.h>
#include <string.h>

static BOOLEAN StartsWith(const char *Text, const char *Prefix)
{
    return _strnicmp(Text, Prefix, strlen(Prefix)) == 0;
}

/* Slashes forward, without \??\ and a drive letter. */
static char *HostForm(char *Path)
{
    for (char *c = Path; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    if (StartsWith(Path, "/?"
                         "?/"))
        Path += 4;
    else if (StartsWith(Path, "/DosDevices/"))
        Path += 12;
    if (Path[0] != '\0' && Path[1] == ':')
        Path += 2;
    return Path;
}

static BOOLEAN TryFile(char Path[LDRP_PATH], const char *Folder, int FolderLength, const char *Name,
                       int NameLength, const char *Suffix)
{
    int Bytes = snprintf(Path, LDRP_PATH, "%.*s%s%.*s%s", FolderLength, Folder,
                         FolderLength == 0 ? "" : "/", NameLength, Name, Suffix);
    return Bytes > 0 && Bytes < LDRP_PATH && host_file_exists(Path);
}

static BOOLEAN TryFolder(char Path[LDRP_PATH], const char *Folder, int FolderLength,
                         const char *Name)
{
    int Length = (int)strlen(Name), Stem = Length;
    if (Length > 4 && _stricmp(Name + Length - 4, ".sys") == 0)
        Stem = Length - 4;
    return TryFile(Path, Folder, FolderLength, Name, Length, "") ||
           TryFile(Path, Folder, FolderLength, Name, Stem, ".so") ||
           TryFile(Path, Folder, FolderLength, Name, Stem, ".sys");
}

static BOOLEAN Search(char Path[LDRP_PATH], const char *Name)
{
    const char *Folder = LdrpState.SearchPath;
    while (*Folder != '\0') {
        int Length = (int)strcspn(Folder, ":");
        if (Length != 0 && TryFolder(Path, Folder, Length, Name))
            return TRUE;
        Folder += Length + (Folder[Length] == ':');
    }
    return FALSE;
}

static NTSTATUS NarrowPath(PCUNICODE_STRING Wide, char Text[LDRP_PATH])
{
    ULONG Bytes = 0;
    if (!NT_SUCCESS(RtlUnicodeToUTF8N(Text, LDRP_PATH - 1, &Bytes, Wide->Buffer, Wide->Length)))
        return STATUS_NAME_TOO_LONG;
    Text[Bytes] = '\0';
    return strlen(Text) == Bytes ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

NTSTATUS LdrpFindImage(const LDRP_SERVICE *Service, char Path[LDRP_PATH])
{
    char Text[LDRP_PATH];
    NTSTATUS Status =
        NarrowPath(Service->ImagePath.Length != 0 ? &Service->ImagePath : &Service->Name, Text);
    if (!NT_SUCCESS(Status))
        return Status;
    char *Given = HostForm(Text), *Slash = strrchr(Given, '/');
    if (Slash != NULL && TryFolder(Path, "", 0, Given))
        return STATUS_SUCCESS;
    if (Search(Path, Slash == NULL ? Given : Slash + 1))
        return STATUS_SUCCESS;
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_ERROR_LEVEL,
               "%wZ: no image: neither \"%s\" nor that name in \"%s\"\n", &Service->Name, Given,
               LdrpState.SearchPath);
    return STATUS_OBJECT_NAME_NOT_FOUND;
}
