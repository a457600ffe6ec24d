/*
 * Devices as files; what is no device may be a file on disk (disk.c). A handle opened without
 * FILE_FLAG_OVERLAPPED is synchronous: the kernel waits, and no call here ever sees STATUS_PENDING
 * for it.
 */
#include "win32/kernel32/base.h"

#include <stdlib.h>

static ULONG create_options(DWORD Flags)
{
    ULONG Options = (Flags & FILE_FLAG_OVERLAPPED) ? 0 : FILE_SYNCHRONOUS_IO_NONALERT;

    if (Flags & FILE_FLAG_WRITE_THROUGH)
        Options |= FILE_WRITE_THROUGH;
    if (Flags & FILE_FLAG_NO_BUFFERING)
        Options |= FILE_NO_INTERMEDIATE_BUFFERING;
    if (Flags & FILE_FLAG_DELETE_ON_CLOSE)
        Options |= FILE_DELETE_ON_CLOSE;
    return Options;
}

static BOOL disposition(DWORD Win32, ULONG *Nt)
{
    static const ULONG Table[] = {[CREATE_NEW] = FILE_CREATE,
                                  [CREATE_ALWAYS] = FILE_OVERWRITE_IF,
                                  [OPEN_EXISTING] = FILE_OPEN,
                                  [OPEN_ALWAYS] = FILE_OPEN_IF,
                                  [TRUNCATE_EXISTING] = FILE_OVERWRITE};

    if (Win32 < CREATE_NEW || Win32 > TRUNCATE_EXISTING) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *Nt = Table[Win32];
    return TRUE;
}

HANDLE WINAPI CreateFileW(LPCWSTR Name, DWORD Access, DWORD Share, LPSECURITY_ATTRIBUTES Security,
                          DWORD Creation, DWORD Flags, HANDLE Template)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Path;
    IO_STATUS_BLOCK Iosb;
    HANDLE File = INVALID_HANDLE_VALUE;
    ULONG Disposition;
    NTSTATUS Status;

    (void)Template;
    if (!disposition(Creation, &Disposition) || !BaseDevicePath(Name, &Path))
        return INVALID_HANDLE_VALUE;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, NULL,
                               Security ? Security->lpSecurityDescriptor : NULL);
    if (Security && Security->bInheritHandle)
        Attributes.Attributes |= OBJ_INHERIT;
    Status = NtCreateFile(&File, Access | SYNCHRONIZE | FILE_READ_ATTRIBUTES, &Attributes, &Iosb,
                          NULL, Flags & 0xffff & ~(ULONG)FILE_ATTRIBUTE_DIRECTORY, Share,
                          Disposition, create_options(Flags), NULL, 0);
    free(Path.Buffer);
    if ((Status == STATUS_OBJECT_NAME_NOT_FOUND || Status == STATUS_OBJECT_PATH_NOT_FOUND) &&
        BaseIsDiskName(Name))
        return BaseOpenDisk(Name, Access, Creation);
    if (!BaseResult(Status))
        return INVALID_HANDLE_VALUE;
    SetLastError(Creation == OPEN_ALWAYS && Iosb.Information == FILE_OPENED ? ERROR_ALREADY_EXISTS
                                                                            : ERROR_SUCCESS);
    return File;
}

HANDLE WINAPI CreateFileA(LPCSTR Name, DWORD Access, DWORD Share, LPSECURITY_ATTRIBUTES Security,
                          DWORD Creation, DWORD Flags, HANDLE Template)
{
    PWSTR Wide = BaseWide(Name);
    HANDLE File;

    if (!Wide) {
        SetLastError(ERROR_PATH_NOT_FOUND);
        return INVALID_HANDLE_VALUE;
    }
    File = CreateFileW(Wide, Access, Share, Security, Creation, Flags, Template);
    free(Wide);
    return File;
}

/* An OVERLAPPED is the request's IO_STATUS_BLOCK, its event and its offset. A set low bit of the
 * event keeps the completion from a completion port; it is not part of the handle. */
static HANDLE event_of(LPOVERLAPPED Overlapped)
{
    return Overlapped ? (HANDLE)((ULONG_PTR)Overlapped->hEvent & ~(ULONG_PTR)1) : NULL;
}

static PVOID port_context(LPOVERLAPPED Overlapped)
{
    return Overlapped && !((ULONG_PTR)Overlapped->hEvent & 1) ? Overlapped : NULL;
}

static PLARGE_INTEGER offset_of(LPOVERLAPPED Overlapped, PLARGE_INTEGER Offset)
{
    if (!Overlapped)
        return NULL;
    Offset->LowPart = Overlapped->Offset;
    Offset->HighPart = (LONG)Overlapped->OffsetHigh;
    return Offset;
}

/* A synchronous request on an overlapped handle still has to be waited for. */
static NTSTATUS wait_if_pending(HANDLE File, NTSTATUS Status, PIO_STATUS_BLOCK Iosb)
{
    if (Status != STATUS_PENDING)
        return Status;
    Status = NtWaitForSingleObject(File, FALSE, NULL);
    return STATUS_OK(Status) ? Iosb->Status : Status;
}

static BOOL finish(NTSTATUS Status, const IO_STATUS_BLOCK *Iosb, LPDWORD Done)
{
    if (Done)
        *Done = Status == STATUS_PENDING ||
                        (NT_ERROR(Status) && Status == Iosb->Status && !Iosb->Information)
                    ? 0
                    : (DWORD)Iosb->Information;
    if (Status == STATUS_PENDING) {
        SetLastError(ERROR_IO_PENDING);
        return FALSE;
    }
    return BaseResult(Status) && !NT_WARNING(Status);
}

static BOOL finish_read(NTSTATUS Status, const IO_STATUS_BLOCK *Iosb, LPDWORD Done,
                        LPOVERLAPPED Overlapped)
{
    if (Status == STATUS_END_OF_FILE && !Overlapped) {
        if (Done)
            *Done = 0;
        return TRUE;
    }
    return finish(Status, Iosb, Done);
}

static PIO_STATUS_BLOCK start(LPOVERLAPPED Overlapped, PIO_STATUS_BLOCK Own)
{
    PIO_STATUS_BLOCK Iosb = Overlapped ? (PIO_STATUS_BLOCK)Overlapped : Own;

    Iosb->Status = STATUS_PENDING;
    Iosb->Information = 0;
    return Iosb;
}

BOOL WINAPI ReadFile(HANDLE File, LPVOID Buffer, DWORD Length, LPDWORD Done,
                     LPOVERLAPPED Overlapped)
{
    IO_STATUS_BLOCK Own, *Iosb;
    LARGE_INTEGER Offset;
    NTSTATUS Status;

    if (BaseStream(File) >= 0)
        return BaseStreamRead(BaseStream(File), Buffer, Length, Done);
    Iosb = start(Overlapped, &Own);
    Status = NtReadFile(File, event_of(Overlapped), NULL, port_context(Overlapped), Iosb, Buffer,
                        Length, offset_of(Overlapped, &Offset), NULL);
    if (!Overlapped)
        Status = wait_if_pending(File, Status, Iosb);
    return finish_read(Status, Iosb, Done, Overlapped);
}

BOOL WINAPI WriteFile(HANDLE File, LPCVOID Buffer, DWORD Length, LPDWORD Done,
                      LPOVERLAPPED Overlapped)
{
    IO_STATUS_BLOCK Own, *Iosb;
    LARGE_INTEGER Offset;
    NTSTATUS Status;

    if (BaseStream(File) >= 0)
        return BaseStreamWrite(BaseStream(File), Buffer, Length, Done);
    Iosb = start(Overlapped, &Own);
    Status = NtWriteFile(File, event_of(Overlapped), NULL, port_context(Overlapped), Iosb,
                         (PVOID)Buffer, Length, offset_of(Overlapped, &Offset), NULL);
    if (!Overlapped)
        Status = wait_if_pending(File, Status, Iosb);
    return finish(Status, Iosb, Done);
}

BOOL WINAPI DeviceIoControl(HANDLE File, DWORD Code, LPVOID Input, DWORD InputLength, LPVOID Output,
                            DWORD OutputLength, LPDWORD Done, LPOVERLAPPED Overlapped)
{
    IO_STATUS_BLOCK Own, *Iosb = start(Overlapped, &Own);
    BOOL FileSystem = (Code >> 16) == FILE_DEVICE_FILE_SYSTEM;
    NTSTATUS Status = (FileSystem ? NtFsControlFile : NtDeviceIoControlFile)(
        File, event_of(Overlapped), NULL, port_context(Overlapped), Iosb, Code, Input, InputLength,
        Output, OutputLength);

    if (!Overlapped)
        Status = wait_if_pending(File, Status, Iosb);
    return finish(Status, Iosb, Done);
}

static void WINAPI completion_apc(PVOID Context, PIO_STATUS_BLOCK Iosb, ULONG Reserved)
{
    LPOVERLAPPED_COMPLETION_ROUTINE Routine = Context;

    (void)Reserved;
    Routine(RtlNtStatusToDosError(Iosb->Status), (DWORD)Iosb->Information, (LPOVERLAPPED)Iosb);
}

BOOL WINAPI ReadFileEx(HANDLE File, LPVOID Buffer, DWORD Length, LPOVERLAPPED Overlapped,
                       LPOVERLAPPED_COMPLETION_ROUTINE Routine)
{
    LARGE_INTEGER Offset;

    return BaseResult(NtReadFile(File, NULL, completion_apc, Routine, start(Overlapped, NULL),
                                 Buffer, Length, offset_of(Overlapped, &Offset), NULL));
}

BOOL WINAPI WriteFileEx(HANDLE File, LPCVOID Buffer, DWORD Length, LPOVERLAPPED Overlapped,
                        LPOVERLAPPED_COMPLETION_ROUTINE Routine)
{
    LARGE_INTEGER Offset;

    return BaseResult(NtWriteFile(File, NULL, completion_apc, Routine, start(Overlapped, NULL),
                                  (PVOID)Buffer, Length, offset_of(Overlapped, &Offset), NULL));
}

static NTSTATUS wait_for(HANDLE File, LPOVERLAPPED Overlapped, DWORD Milliseconds, BOOL Alertable)
{
    HANDLE Object = event_of(Overlapped) ? event_of(Overlapped) : File;
    LARGE_INTEGER Time;

    if (((PIO_STATUS_BLOCK)Overlapped)->Status != STATUS_PENDING)
        return STATUS_SUCCESS;
    if (Milliseconds == 0)
        return STATUS_TIMEOUT;
    return NtWaitForSingleObject(Object, (BOOLEAN)Alertable, BaseTimeout(&Time, Milliseconds));
}

BOOL WINAPI GetOverlappedResultEx(HANDLE File, LPOVERLAPPED Overlapped, LPDWORD Done,
                                  DWORD Milliseconds, BOOL Alertable)
{
    PIO_STATUS_BLOCK Iosb = (PIO_STATUS_BLOCK)Overlapped;
    NTSTATUS Status = wait_for(File, Overlapped, Milliseconds, Alertable);

    if (Status == STATUS_TIMEOUT || Status == STATUS_USER_APC) {
        SetLastError(Status == STATUS_USER_APC ? WAIT_IO_COMPLETION
                     : Milliseconds            ? WAIT_TIMEOUT
                                               : ERROR_IO_INCOMPLETE);
        return FALSE;
    }
    if (!BaseResult(Status))
        return FALSE;
    *Done = (DWORD)Iosb->Information;
    return BaseResult(Iosb->Status) && !NT_WARNING(Iosb->Status);
}

BOOL WINAPI GetOverlappedResult(HANDLE File, LPOVERLAPPED Overlapped, LPDWORD Done, BOOL Wait)
{
    return GetOverlappedResultEx(File, Overlapped, Done, Wait ? INFINITE : 0, FALSE);
}

BOOL WINAPI CancelIo(HANDLE File)
{
    IO_STATUS_BLOCK Iosb;

    return BaseResult(NtCancelIoFile(File, &Iosb));
}

BOOL WINAPI CancelIoEx(HANDLE File, LPOVERLAPPED Overlapped)
{
    IO_STATUS_BLOCK Iosb;

    return BaseResult(NtCancelIoFileEx(File, (PIO_STATUS_BLOCK)Overlapped, &Iosb));
}

BOOL WINAPI CancelSynchronousIo(HANDLE Thread)
{
    IO_STATUS_BLOCK Iosb;

    return BaseResult(NtCancelSynchronousIoFile(Thread, NULL, &Iosb));
}

BOOL WINAPI FlushFileBuffers(HANDLE File)
{
    IO_STATUS_BLOCK Iosb;

    return BaseResult(NtFlushBuffersFile(File, &Iosb));
}
