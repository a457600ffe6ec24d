/*
 * io: drivers, devices, files, IRPs, stacks, completion, cancellation.
 */
#ifndef IO_H
#define IO_H

#include "ps/ps.h"

NTSTATUS IoInitSystem(void); /* types Device, Driver, File (and Controller, Adapter are absent) */
void IoNotifyShutdown(void); /* IRP_MJ_SHUTDOWN to whom registered for it; each once */
void IoShutdownSystem(void); /* unloads every driver; asserts no device is left */

/* While the system does not run: each completion is a line of a new file; NULL: no more. 0 or a
 * negative errno. */
int IoTraceTo(PCSTR Path);

/* A driver image, as ldr found it. Callbacks run in reverse order of need; Context is ldr's. */
typedef struct IO_DRIVER_IMAGE {
    PCUNICODE_STRING ServiceName;  /* "sharingmemory": \Driver\sharingmemory */
    PCUNICODE_STRING RegistryPath; /* \Registry\Machine\System\CurrentControlSet\Services\NAME */
    PDRIVER_INITIALIZE Entry;
    PVOID Base;
    ULONG Size;
    PVOID Section; /* ldr's module entry: DRIVER_OBJECT.DriverSection */
    void (*Release)(
        PVOID Section); /* unmaps the image; after the last use. Not called if the load fails */
    BOOLEAN Shared;     /* Base and Size are a program's that holds more than this driver */
} IO_DRIVER_IMAGE;
NTSTATUS
IopLoadDriverImage(const IO_DRIVER_IMAGE *Image,
                   PDRIVER_OBJECT *Driver); /* calls Entry at PASSIVE_LEVEL; on failure everything
                                               is undone and the driver's own status returned */
NTSTATUS IopUnloadDriver(
    PUNICODE_STRING ServiceName); /* STATUS_INVALID_DEVICE_REQUEST without an unload routine;
                                     postponed while in use (STATUS_SUCCESS, pending) */
BOOLEAN IopDriverPending(PDRIVER_OBJECT Driver); /* unload was asked for and waits */
ULONG IopDriverUseCount(PDRIVER_OBJECT Driver);
void IopSetImageLookup(PDRIVER_OBJECT (*DriverOfAddress)(const void *Address)); /* ldr */

/* The services' backs (nt decodes; buffers are the caller's, probed here by method). Mode is the
 * previous mode. */
typedef struct IO_ASYNC {
    HANDLE Event;
    PIO_APC_ROUTINE Apc;
    PVOID ApcContext;
    PIO_STATUS_BLOCK UserIosb;
} IO_ASYNC;
NTSTATUS IopDeviceControl(HANDLE File, const IO_ASYNC *Async, ULONG Code, PVOID Input,
                          ULONG InputLength, PVOID Output, ULONG OutputLength, BOOLEAN FsControl,
                          KPROCESSOR_MODE Mode);
typedef struct IO_TRANSFER {
    PVOID Buffer;
    ULONG Length, Key;
    LARGE_INTEGER Offset;
    BOOLEAN HasOffset, Write;
} IO_TRANSFER;
NTSTATUS IopTransfer(HANDLE File, const IO_ASYNC *Async, IO_TRANSFER *Transfer,
                     KPROCESSOR_MODE Mode); /* may change *Transfer */
NTSTATUS IopCreateFile(PHANDLE File, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                       PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                       ULONG Share, ULONG Disposition, ULONG Options, PVOID EaBuffer,
                       ULONG EaLength, KPROCESSOR_MODE Mode);
NTSTATUS IopFlush(HANDLE File, PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode);
NTSTATUS IopQueryInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information,
                                 ULONG Length, FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode);
NTSTATUS IopSetInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information, ULONG Length,
                               FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode);
NTSTATUS IopCancelFile(HANDLE File, PIO_STATUS_BLOCK IoRequestToCancel, BOOLEAN AnyThread,
                       PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode); /* CancelIo, CancelIoEx */
NTSTATUS IopCancelSynchronous(PETHREAD Thread, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK Iosb);
NTSTATUS IopQueryVolumeInformation(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Information,
                                   ULONG Length, FS_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode);

/* Completion ports, if nt has them: FileCompletionInformation takes a handle of Type; a completion
 * is posted at <= DISPATCH_LEVEL. */
typedef NTSTATUS IO_POST_COMPLETION(PVOID Port, PVOID Key, PVOID ApcContext, NTSTATUS Status,
                                    ULONG_PTR Information);
void IopSetCompletionPorts(POBJECT_TYPE Type, IO_POST_COMPLETION *Post);

extern POBJECT_TYPE *IoDriverObjectType,
    *IoDeviceObjectType; /* IoFileObjectType is in the DDK headers */

/* Services that the DDK headers lack; their code is in nt/file.c. */
NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtCancelSynchronousIoFile(HANDLE ThreadHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                         PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);

void IopCancelThreadIrps(
    struct _ETHREAD *Thread); /* at thread exit: cancels, waits for the completions */
#endif
