/*
 * What the files of io share.
 *
 * Lock order: the cancel spin lock > IopState.DatabaseLock. A thread's IRP list has a word lock of
 * its own, which is held at APC_LEVEL or above by whoever may meet an APC, and under which
 * IoCancelIrp is called.
 */
#ifndef IOP_H
#define IOP_H

#include "io/io.h"
#include "hal/hal.h"
#include "vf/bugcodes.h"

#define IOP_TAG ' poI'
#define IOP_IRP_TAG ' prI'
#define IOP_NAME_TAG 'mNoI'
#define IOP_BUFFER_TAG 'BsyS'

#define IOP_DEVICE_BYTES 336 /* of Windows; the DDK headers here have 328 */
#define IOP_SECOND 10000000ll

/* DEVOBJ_EXTENSION, as x64 lays it out as far as StartIoFlags. */
enum {
    DOE_UNLOAD_PENDING = 1,
    DOE_DELETE_PENDING = 2,
    DOE_REMOVE_PENDING = 4,
    DOE_START_PENDING = 16
};
enum { IOP_STARTIO_DEFERRED = 1, IOP_STARTIO_NON_CANCELABLE = 2 };
typedef struct IOP_DEVICE {
    DEVOBJ_EXTENSION Header;
    ULONG PowerFlags;
    PVOID Dope;
    ULONG ExtensionFlags;
    PVOID DeviceNode;
    PDEVICE_OBJECT AttachedTo;
    LONG StartIoCount;
    LONG StartIoKey;
    ULONG StartIoFlags;
    struct _VPB *Vpb;
    LIST_ENTRY ShutdownEntry;
    BOOLEAN ShutdownLast; /* registered for the last chance */
    BOOLEAN Gone;         /* off its driver's list */
} IOP_DEVICE;
_Static_assert(FIELD_OFFSET(IOP_DEVICE, AttachedTo) == 0x30 &&
                   FIELD_OFFSET(IOP_DEVICE, StartIoFlags) == 0x40,
               "as Windows has it");

static inline IOP_DEVICE *IopDevice(PDEVICE_OBJECT Device)
{
    return (IOP_DEVICE *)Device->DeviceObjectExtension;
}

typedef struct IOP_CLIENT_EXTENSION {
    struct IOP_CLIENT_EXTENSION *Next;
    PVOID Identification;
    DECLSPEC_ALIGN(16) UCHAR Bytes[];
} IOP_CLIENT_EXTENSION;

typedef struct IOP_REINITIALIZATION {
    LIST_ENTRY Entry;
    PDRIVER_REINITIALIZE Routine;
    PVOID Context;
} IOP_REINITIALIZATION;

/* Body of a Driver object. */
typedef struct IOP_DRIVER {
    DRIVER_OBJECT Object;
    DRIVER_EXTENSION Extension;
    IO_DRIVER_IMAGE Image;
    UNICODE_STRING RegistryPath;
    IOP_CLIENT_EXTENSION *ClientExtensions;
    LIST_ENTRY Reinitializations;
    LIST_ENTRY Links; /* IopState.Drivers */
    ULONG ReinitializationCount;
    BOOLEAN UnloadPending, UnloadStarted, Listed;
} IOP_DRIVER;
_Static_assert(sizeof(DRIVER_OBJECT) == 336 && sizeof(FILE_OBJECT) == 216 && sizeof(IRP) == 208 &&
                   sizeof(IO_STACK_LOCATION) == 72,
               "layouts that drivers are compiled against");

static inline IOP_DRIVER *IopDriver(PDRIVER_OBJECT Driver)
{
    return (IOP_DRIVER *)Driver;
}

#define IOP_CACHED_STACKS 4
#define IOP_CACHED_EACH 4
#define IOP_SMALL_BUFFER 256

/* A request that this thread sends asynchronously and whose dispatch has not returned. */
typedef struct IOP_ISSUE {
    struct IOP_ISSUE *Outer;
    PIRP Irp; /* NULL: it has been completed and freed meanwhile */
} IOP_ISSUE;

/* A thread's own store of IRPs and small buffers: no lock, used by that thread only. */
typedef struct IOP_CACHE {
    PIRP Irps[IOP_CACHED_STACKS][IOP_CACHED_EACH];
    PVOID Buffers[IOP_CACHED_EACH];
    UCHAR IrpCount[IOP_CACHED_STACKS];
    UCHAR BufferCount;
    IOP_ISSUE *Issuing;
} IOP_CACHE;

typedef struct IOP_STATE {
    POBJECT_TYPE DeviceType, DriverType, FileType;
    KSPIN_LOCK
    DatabaseLock; /* device lists, reference counts, attachments, drivers, shutdown lists */
    KSPIN_LOCK CancelLock;
    LIST_ENTRY Drivers;
    LIST_ENTRY Shutdown, LastShutdown;
    EX_PUSH_LOCK LinkLock;
    LIST_ENTRY SymbolicLinks;
    PSECURITY_DESCRIPTOR DefaultSecurity;
    ULONG NextDeviceNumber;
    ULONG ErrorLogSequence;
    POBJECT_TYPE PortType;
    IO_POST_COMPLETION *PostCompletion;
    PDRIVER_OBJECT (*DriverOfAddress)(const void *Address);
    LONGLONG ReportAfter, AbandonAfter; /* 100 ns: a cancelled request that is not completed */
    volatile LONG Abandoned;            /* such requests that are still out */
    BOOLEAN Exact; /* no caches: a verifier or a sanitizer sees each allocation */
} IOP_STATE;
extern IOP_STATE IopState;

/* A driver's own callbacks are called through this one place. */
#define IOP_CALL(routine, ...) NT_CALL(routine, __VA_ARGS__)

/* What happens to an IRP after its dispatch. One byte of the IRP (ApcEnvironment, which drivers do
 * not use), changed atomically. */
enum { IopActive, IopWaiting, IopCompleted, IopQueued, IopOrphan };
#define IOP_IRP_DIRECT                                                                             \
    0x80000000u /* the issuing thread itself finishes the request, when it returns or is woken     \
                   through UserEvent */
#define IOP_IRP_THREADED                                                                           \
    0x40000000u /* built for a driver: finished by an APC of the thread, with the driver's event   \
                   and status block */
#define IOP_IRP_OURS 0x10 /* AllocationFlags: from IoAllocateIrp */

static inline UCHAR IopSetState(PIRP Irp, UCHAR State)
{
    return __atomic_exchange_n((UCHAR *)&Irp->ApcEnvironment, State, __ATOMIC_ACQ_REL);
}

static inline UCHAR IopGetState(PIRP Irp)
{
    return __atomic_load_n((UCHAR *)&Irp->ApcEnvironment, __ATOMIC_ACQUIRE);
}

static inline BOOLEAN IopChangeState(PIRP Irp, UCHAR From, UCHAR To)
{
    return __atomic_compare_exchange_n((UCHAR *)&Irp->ApcEnvironment, &From, To, FALSE,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* The location of the driver that is called first. */
static inline PIO_STACK_LOCATION IopTopLocation(PIRP Irp)
{
    return (PIO_STACK_LOCATION)(Irp + 1) + Irp->StackCount - 1;
}

/* driver.c, unload.c */
void IopFreeDriver(PVOID Object);
void IopUnlistDriver(IOP_DRIVER *Driver);
void IopCheckLeftovers(PDRIVER_OBJECT Driver); /* or bug check 0xCE, 0xC7, 0xC4 */
void IopCheckPool(PDRIVER_OBJECT Driver);      /* or bug check 0xC4/62 */
NTSTATUS IopRunAsSystem(void (*Routine)(PVOID Context),
                        PVOID Context);        /* on a worker thread, to the end */
void IopCompleteUnload(PDRIVER_OBJECT Driver); /* if it is due now */
void IopUnloadAll(void);
void IopRunReinitializations(IOP_DRIVER *Driver);

/* device.c */
void IopFreeDevice(PVOID Object);
NTSTATUS IopOpenDevice(PDEVICE_OBJECT Device); /* counts an open: STATUS_NO_SUCH_DEVICE,
                                                  STATUS_ACCESS_DENIED (exclusive) */
void IopReleaseDevice(PDEVICE_OBJECT Device);  /* uncounts it; what was postponed may happen here */
NTSTATUS IopInitSecurity(void);
NTSTATUS IopMakeDevice(PDRIVER_OBJECT Driver, ULONG ExtensionSize, PUNICODE_STRING Name,
                       DEVICE_TYPE Type, ULONG Characteristics, BOOLEAN Exclusive,
                       PSECURITY_DESCRIPTOR Security, PDEVICE_OBJECT *Device);
NTSTATUS IopMakeNumberedDevice(PDRIVER_OBJECT Driver, ULONG ExtensionSize, DEVICE_TYPE Type,
                               ULONG Characteristics, BOOLEAN Exclusive,
                               PSECURITY_DESCRIPTOR Security, PDEVICE_OBJECT *Device);

/* link.c */
void IopForgetLinks(void);

/* parse.c, create.c, file.c */
typedef struct IOP_OPEN {
    CSHORT Type; /* IO_TYPE_OPEN_PACKET */
    ULONG Options, FileAttributes, Disposition;
    USHORT Share;
    PLARGE_INTEGER AllocationSize;
    PVOID EaBuffer;
    ULONG EaLength;
    BOOLEAN AttachOnly;
    IO_STATUS_BLOCK Iosb; /* out: of the open */
    BOOLEAN Parsed;       /* out: a device was reached */
} IOP_OPEN;
NTSTATUS IopParseDevice(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                        KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                        PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                        PVOID *Found);
NTSTATUS IopParseFile(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                      KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                      PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                      PVOID *Found);
NTSTATUS IopSendCreate(PFILE_OBJECT File, PDEVICE_OBJECT Device, IOP_OPEN *Open,
                       PACCESS_STATE AccessState, PSECURITY_QUALITY_OF_SERVICE Qos,
                       ULONG Attributes, KPROCESSOR_MODE Mode);
void IopCloseFile(PEPROCESS Process, PVOID Object, ACCESS_MASK Granted, ULONG ProcessHandleCount,
                  ULONG SystemHandleCount);
void IopDeleteFile(PVOID Object);
NTSTATUS IopQueryFileName(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information,
                          ULONG Length, PULONG Returned, KPROCESSOR_MODE Mode);

/* filelock.c: one request at a time on a synchronous file */
NTSTATUS IopWaitFileLock(PFILE_OBJECT File, KPROCESSOR_MODE Mode);
void IopWakeFileLock(PFILE_OBJECT File);
static inline BOOLEAN IopIsSynchronous(PFILE_OBJECT File)
{
    return (File->Flags & FO_SYNCHRONOUS_IO) != 0;
}
static inline NTSTATUS IopLockFile(PFILE_OBJECT File, KPROCESSOR_MODE Mode)
{
    if (!IopIsSynchronous(File) || __atomic_exchange_n(&File->Busy, 1, __ATOMIC_SEQ_CST) == 0)
        return STATUS_SUCCESS;
    return IopWaitFileLock(File, Mode);
}
static inline void IopUnlockFile(PFILE_OBJECT File)
{
    if (!IopIsSynchronous(File))
        return;
    __atomic_exchange_n(&File->Busy, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&File->Waiters, __ATOMIC_SEQ_CST))
        IopWakeFileLock(File);
}

/* irp.c, irpcache.c */
PIRP IopAllocateIrp(CCHAR StackSize);
void IopInitCache(void);
void IopFreeCache(PETHREAD Thread);
IOP_CACHE *IopMakeCache(void);
/* Made on first use; NULL: no memory, or a thread that has none. */
static inline IOP_CACHE *IopCacheOfThread(void)
{
    return KiSelf->IrpCache ? KiSelf->IrpCache : IopMakeCache();
}
PVOID IopAllocateBuffer(SIZE_T Bytes); /* a system buffer; freed by IopFreeBuffer or ExFreePool */
void IopFreeBuffer(PVOID Buffer, SIZE_T Bytes);

/* issue.c */
void IopLockBusyIrps(PETHREAD Thread);
static inline BOOLEAN IopTryLockIrps(PETHREAD Thread)
{
    return !__atomic_exchange_n(&Thread->IrpListLock, 1, __ATOMIC_ACQUIRE);
}
static inline void IopLockIrps(PETHREAD Thread)
{
    if (__builtin_expect(!IopTryLockIrps(Thread), 0))
        IopLockBusyIrps(Thread);
}
static inline void IopUnlockIrps(PETHREAD Thread)
{
    __atomic_store_n(&Thread->IrpListLock, 0, __ATOMIC_RELEASE);
}
typedef struct IOP_REQUEST {
    PFILE_OBJECT
    File; /* referenced by the caller; passes to the IRP if the request stays pending */
    PDEVICE_OBJECT Device; /* top of the stack */
    KPROCESSOR_MODE Mode;
    const IO_ASYNC *Async; /* NULL: a synchronous service */
    PKEVENT Event;         /* referenced: Async->Event */
} IOP_REQUEST;
NTSTATUS IopIssueDirect(PIRP Irp, PDEVICE_OBJECT Device, KPROCESSOR_MODE WaitMode,
                        BOOLEAN Alertable, BOOLEAN MayAbandon, BOOLEAN *Abandoned);
NTSTATUS IopIssue(PIRP Irp, IOP_REQUEST *Request); /* consumes the file lock, the references and the
                                                      IRP; writes the caller's status block */
void IopQueueIrp(PIRP Irp);
void IopDequeueIrp(PIRP Irp);
NTSTATUS IopReferenceFile(HANDLE Handle, ACCESS_MASK Desired, KPROCESSOR_MODE Mode,
                          PFILE_OBJECT *File, PACCESS_MASK Granted);
void IopDeliver(PIRP Irp, PFILE_OBJECT File,
                BOOLEAN *Kept); /* status block, events, APC, completion port */
NTSTATUS IopBeginRequest(IOP_REQUEST *Request, KPROCESSOR_MODE Mode,
                         const IO_ASYNC *Async); /* locks the file, references and clears the event;
                                                    on failure nothing is held */
void IopEndRequest(IOP_REQUEST *Request);
NTSTATUS IopWriteIosb(PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode, NTSTATUS Status,
                      ULONG_PTR Information);

/* buffers.c: the caller's buffer made reachable for the driver */
NTSTATUS IopCheckBuffer(const void *Address, SIZE_T Bytes, KPROCESSOR_MODE Mode);
NTSTATUS IopCaptureInput(PIRP Irp, const void *Input, ULONG InputLength, ULONG BufferLength,
                         KPROCESSOR_MODE Mode);
NTSTATUS IopLockBuffer(PIRP Irp, PVOID Buffer, ULONG Length, LOCK_OPERATION Operation,
                       KPROCESSOR_MODE Mode);
void IopReleaseBuffers(PIRP Irp); /* system buffer and MDLs */
NTSTATUS IopCopyBack(PIRP Irp);   /* for a buffered request that did not fail */
void IopFreeMdls(PIRP Irp);
void IopUnlockMdls(PIRP Irp);

/* information.c, volume.c */
typedef struct IOP_ASK {
    PFILE_OBJECT File;
    ACCESS_MASK Granted;
    PVOID Information;
    ULONG Length, Class;
    UCHAR Major;
    IO_STATUS_BLOCK Iosb;
} IOP_ASK;
NTSTATUS IopAskLocked(IOP_ASK *Ask, KPROCESSOR_MODE Mode); /* by an IRP, under the file lock */

/* complete.c, finish.c */
void IopFinishInThread(PIRP Irp,
                       PFILE_OBJECT File); /* the second half of an asynchronous completion: in the
                                              issuing thread, below APC_LEVEL or in its APC */
void IopDiscard(PIRP Irp, PFILE_OBJECT File); /* of a request that nobody waits for any more */

/* iotrace.c */
extern BOOLEAN IopTracing;
void IopTraceCompletion(PIRP Irp);

/* cancel.c */
BOOLEAN IopIsPinned(PETHREAD Thread, PIRP Irp); /* being cancelled; the list is locked */
void IopAwaitCancelled(PIRP Irp, PKEVENT Event, BOOLEAN MayAbandon, BOOLEAN *Abandoned);
void IopReportStuck(PIRP Irp, const char *Where);

/* timer.c, shutdown.c */
NTSTATUS IopInitTimer(void);
void IopStopTimers(void);
void IopFreeTimer(PDEVICE_OBJECT Device);
void IopUnregisterShutdown(PDEVICE_OBJECT Device);
void IopNotifyShutdown(PLIST_ENTRY List);

NTSTATUS NTAPI IopInvalidDeviceRequest(PDEVICE_OBJECT Device, PIRP Irp);

#endif
