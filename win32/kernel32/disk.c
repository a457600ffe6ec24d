/*
 * Files on disk: those of Linux, opened by the program itself, with the rights of its user. The
 * kernel has no file system; a name that it does not know, and that is not one of a device, is
 * tried here. "C:\a\b", "\\?\C:\a\b" and "/a/b" are /a/b; any drive letter will do. The handle is
 * that of a stream: reading and writing are synchronous, and it cannot be waited for or inherited.
 */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *disk_path(LPCWSTR Name)
{
    char *Path, *At;

    if (!wcsncmp(Name, L"\\\\?\\", 4))
        Name += 4;
    if (Name[0] && Name[1] == ':')
        Name += 2;
    Path = BaseNarrow(Name);
    for (At = Path; At && *At; At++)
        if (*At == '\\')
            *At = '/';
    return Path;
}

static BOOL disk_failed(int Error)
{
    static const struct {
        int Linux;
        DWORD Win32;
    } Table[] = {{ENOENT, ERROR_FILE_NOT_FOUND}, {ENOTDIR, ERROR_PATH_NOT_FOUND},
                 {EACCES, ERROR_ACCESS_DENIED},  {EPERM, ERROR_ACCESS_DENIED},
                 {EISDIR, ERROR_ACCESS_DENIED},  {EROFS, ERROR_WRITE_PROTECT},
                 {EEXIST, ERROR_FILE_EXISTS},    {EMFILE, ERROR_TOO_MANY_OPEN_FILES},
                 {ENOSPC, ERROR_DISK_FULL},      {ENAMETOOLONG, ERROR_FILENAME_EXCED_RANGE},
                 {EINVAL, ERROR_NEGATIVE_SEEK}};

    SetLastError(ERROR_GEN_FAILURE);
    for (unsigned i = 0; i < sizeof(Table) / sizeof(Table[0]); i++)
        if (Table[i].Linux == -Error)
            SetLastError(Table[i].Win32);
    return FALSE;
}

/* A file that is not there, in a folder that is not there either. */
static int name_what_is_missing(char *Path, int Error)
{
    char *Slash = strrchr(Path, '/');

    if (Error != -ENOENT || !Slash || Slash == Path)
        return Error;
    *Slash = 0;
    return linux_path_kind(Path) == LINUX_FOLDER ? -ENOENT : -ENOTDIR;
}

BOOL BaseIsDiskName(LPCWSTR Name)
{
    return wcsncmp(Name, L"\\\\.\\", 4) != 0;
}

HANDLE BaseOpenDisk(LPCWSTR Name, DWORD Access, DWORD Creation)
{
    int Reads = (Access & (GENERIC_READ | GENERIC_ALL | FILE_READ_DATA)) != 0;
    int Writes = (Access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    char *Path = disk_path(Name);
    int Existed = 0, File;

    if (!Path)
        return INVALID_HANDLE_VALUE;
    File = linux_open(Path, Reads, Writes, Creation == CREATE_NEW,
                      Creation != OPEN_EXISTING && Creation != TRUNCATE_EXISTING,
                      Creation == CREATE_ALWAYS || Creation == TRUNCATE_EXISTING, &Existed);
    if (File < 0)
        disk_failed(name_what_is_missing(Path, File));
    free(Path);
    if (File < 0)
        return INVALID_HANDLE_VALUE;
    SetLastError(Existed && (Creation == OPEN_ALWAYS || Creation == CREATE_ALWAYS)
                     ? ERROR_ALREADY_EXISTS
                     : ERROR_SUCCESS);
    return (HANDLE)(ULONG_PTR)((unsigned)File * 4 + 3);
}

/* Sizes and positions are those of disk files only: a device has none. */
static int disk_file(HANDLE Handle)
{
    int File = BaseStream(Handle);

    if (File < 0)
        SetLastError(ERROR_INVALID_HANDLE);
    return File;
}

BOOL WINAPI GetFileSizeEx(HANDLE Handle, PLARGE_INTEGER Size)
{
    int File = disk_file(Handle);
    int64_t Bytes = File < 0 ? -1 : linux_size(File);

    if (File < 0)
        return FALSE;
    if (Bytes < 0)
        return disk_failed((int)Bytes);
    Size->QuadPart = Bytes;
    return TRUE;
}

DWORD WINAPI GetFileSize(HANDLE Handle, LPDWORD High)
{
    LARGE_INTEGER Size;

    if (!GetFileSizeEx(Handle, &Size))
        return INVALID_FILE_SIZE;
    if (High)
        *High = (DWORD)Size.HighPart;
    SetLastError(ERROR_SUCCESS);
    return Size.LowPart;
}

BOOL WINAPI SetFilePointerEx(HANDLE Handle, LARGE_INTEGER Distance, PLARGE_INTEGER New,
                             DWORD Method)
{
    int File = disk_file(Handle);
    int64_t At;

    if (File < 0)
        return FALSE;
    if (Method > FILE_END) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    At = linux_seek(File, Distance.QuadPart, (int)Method);
    if (At < 0)
        return disk_failed((int)At);
    if (New)
        New->QuadPart = At;
    return TRUE;
}

DWORD WINAPI SetFilePointer(HANDLE Handle, LONG Low, PLONG High, DWORD Method)
{
    LARGE_INTEGER Distance = {.QuadPart = Low}, New;

    if (High) {
        Distance.LowPart = (DWORD)Low;
        Distance.HighPart = *High;
    }
    if (!SetFilePointerEx(Handle, Distance, &New, Method))
        return INVALID_SET_FILE_POINTER;
    if (High)
        *High = New.HighPart;
    SetLastError(ERROR_SUCCESS);
    return New.LowPart;
}

DWORD WINAPI GetFileAttributesW(LPCWSTR Name)
{
    char *Path = disk_path(Name);
    int Kind = Path ? linux_path_kind(Path) : -ENOENT;

    if (Kind < 0)
        disk_failed(Path ? name_what_is_missing(Path, Kind) : Kind);
    free(Path);
    if (Kind < 0)
        return INVALID_FILE_ATTRIBUTES;
    return Kind == LINUX_FOLDER      ? FILE_ATTRIBUTE_DIRECTORY
           : Kind == LINUX_READ_ONLY ? FILE_ATTRIBUTE_READONLY
                                     : FILE_ATTRIBUTE_NORMAL;
}

DWORD WINAPI GetFileAttributesA(LPCSTR Name)
{
    PWSTR Wide = BaseWide(Name);
    DWORD Attributes = Wide ? GetFileAttributesW(Wide) : INVALID_FILE_ATTRIBUTES;

    free(Wide);
    return Attributes;
}

BOOL WINAPI DeleteFileW(LPCWSTR Name)
{
    char *Path = disk_path(Name);
    int Error = Path ? linux_delete(Path) : -ENOENT;

    if (Error < 0)
        disk_failed(Path ? name_what_is_missing(Path, Error) : Error);
    free(Path);
    return Error >= 0;
}

BOOL WINAPI DeleteFileA(LPCSTR Name)
{
    PWSTR Wide = BaseWide(Name);
    BOOL Fine = Wide && DeleteFileW(Wide);

    free(Wide);
    return Fine;
}

/* As a path of Windows, so that a program that goes on with "\\" and a name has one. */
static BOOL current_folder(char Path[LINUX_PATH])
{
    int Error = linux_folder(Path + 2);

    if (Error < 0)
        return disk_failed(Error);
    Path[0] = 'C', Path[1] = ':';
    for (char *At = Path; *At; At++)
        if (*At == '/')
            *At = '\\';
    return TRUE;
}

/* The names of a path one after the other, "." and ".." taken away; Path keeps its "C:". */
static void straighten(char *Path)
{
    char *Root = Path + 2, *Out = Root, *Next = Root;

    while (*Next) {
        size_t Length;

        Next += strspn(Next, "\\");
        Length = strcspn(Next, "\\");
        if (Length == 2 && Next[0] == '.' && Next[1] == '.') {
            while (Out > Root && *--Out != '\\')
                ;
        } else if (Length && !(Length == 1 && Next[0] == '.')) {
            *Out++ = '\\';
            memmove(Out, Next, Length);
            Out += Length;
        }
        Next += Length;
    }
    if (Out == Root || (Next[-1] == '\\' && Out[-1] != '\\'))
        *Out++ = '\\';
    *Out = 0;
}

/* From "a", "\\a", "C:a", "C:\\a" or "/a"; a drive has no folder of its own. A device's name stays.
 */
static BOOL full_path(const char *Name, char Path[LINUX_PATH])
{
    size_t Length = strlen(Name), At = 0;

    if (!Length || Length > LINUX_PATH / 2) {
        SetLastError(Length ? ERROR_FILENAME_EXCED_RANGE : ERROR_INVALID_NAME);
        return FALSE;
    }
    if (!strncmp(Name, "\\\\", 2)) {
        memcpy(Path, Name, Length + 1);
        return TRUE;
    }
    if (!current_folder(Path))
        return FALSE;
    if (Name[1] == ':') {
        Path[0] = Name[0];
        Name += 2;
    }
    if (*Name != '\\' && *Name != '/')
        At = strlen(Path);
    if (At + strlen(Name) + 4 > LINUX_PATH) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        return FALSE;
    }
    if (At)
        Path[At++] = '\\';
    memcpy(Path + (At ? At : 2), Name, strlen(Name) + 1);
    for (char *Slash = Path; *Slash; Slash++)
        if (*Slash == '/')
            *Slash = '\\';
    straighten(Path);
    return TRUE;
}

/* Lexical: nothing need be there. *Last: the last name in Buffer, NULL if the path ends with "\\".
 */
DWORD WINAPI GetFullPathNameA(LPCSTR Name, DWORD Size, LPSTR Buffer, LPSTR *Last)
{
    char Path[LINUX_PATH];
    DWORD Length;

    if (Last)
        *Last = NULL;
    if (!full_path(Name ? Name : "", Path))
        return 0;
    Length = BaseGiveA(Path, Buffer, Size);
    if (Last && Buffer && Length < Size && strrchr(Buffer, '\\') && strrchr(Buffer, '\\')[1])
        *Last = strrchr(Buffer, '\\') + 1;
    return Length;
}

DWORD WINAPI GetFullPathNameW(LPCWSTR Name, DWORD Size, LPWSTR Buffer, LPWSTR *Last)
{
    char Path[LINUX_PATH], *Narrow = BaseNarrow(Name ? Name : L"");
    BOOL Fine = Narrow && full_path(Narrow, Path);
    DWORD Length;

    free(Narrow);
    if (Last)
        *Last = NULL;
    if (!Fine)
        return 0;
    Length = BaseGiveW(Path, Buffer, Size);
    if (Last && Buffer && Length < Size && wcsrchr(Buffer, '\\') && wcsrchr(Buffer, '\\')[1])
        *Last = wcsrchr(Buffer, '\\') + 1;
    return Length;
}

DWORD WINAPI GetCurrentDirectoryA(DWORD Size, LPSTR Buffer)
{
    char Path[LINUX_PATH];

    return current_folder(Path) ? BaseGiveA(Path, Buffer, Size) : 0;
}

DWORD WINAPI GetCurrentDirectoryW(DWORD Size, LPWSTR Buffer)
{
    char Path[LINUX_PATH];

    return current_folder(Path) ? BaseGiveW(Path, Buffer, Size) : 0;
}
