/*
 * pipe: the contexts of the driver.
 *
 *   DEVICE    (the device's extension)      everything that belongs to one device: names, processes
 *   PIPE      (FILE_OBJECT.FsContext)       a name that is open: the store, the requests that wait.
 *                                           Counted
 *   INSTANCE  (FILE_OBJECT.FsContext2)      one open
 *   QUOTA     (INSTANCE.Quota)              what one process has of all this. Counted
 *
 * Locks, in this order: PIPE.Lock (store, mode, ends); NAMES.Lock (names, quotas, their counts of
 * references, guards); WAITING.Lock (a spin lock: one queue). The first two are fast mutexes in a
 * critical region, so that one may touch a user's memory or ask for access rights under them.
 * Requests are completed with no lock held.
 */
#ifndef PIPE_H
#define PIPE_H

#include "../../common/driver.h"
#include "../public.h"
#include "store.h"

#define PIPE_TAG ' pxE'
#define TABLE_TAG 'TpxE'

#ifndef EXAMPLE_IO
#define EXAMPLE_IO EXAMPLE_BUFFERED
#endif
#if EXAMPLE_IO == EXAMPLE_BUFFERED
#define EXAMPLE_DEVICE L"Example"
#elif EXAMPLE_IO == EXAMPLE_DIRECT
#define EXAMPLE_DEVICE L"ExampleDirect"
#else
#define EXAMPLE_DEVICE L"ExampleNeither"
#endif

/* Requests that wait, of one direction. A cancel-safe queue; Progress of a write is in the IRP. */
typedef struct _WAITING {
    volatile LONG *Count; /* beside those of the other queues */
    KSPIN_LOCK Lock;
    LIST_ENTRY Irps;
    IO_CSQ Csq;
} WAITING;

/* What a process has: names, and bytes of pipes, handles, rings and waiting requests. */
typedef struct _QUOTA {
    LIST_ENTRY Link;   /* DEVICE.Quotas */
    PEPROCESS Process; /* referenced, so that no other has its address */
    ULONG References;  /* NAMES.Lock: instances, pipes, rings */
    ULONG Names;       /* NAMES.Lock */
    volatile LONG Bytes;
    ULONG BytesMost;
} QUOTA;

/* One of many thousands is in no cache when it is opened. So what every open and close needs stands
 * together at the end of the structure, and the name and the owner right behind it, in its block:
 * three lines of the cache, one behind the other, on x64.
 */
enum { WAITING_READERS, WAITING_WRITERS, WAITING_WATCHERS, WAITING_KINDS };
typedef struct _PIPE {
    LIST_ENTRY Cancelled; /* PIPE.Lock: on the way into a queue; completed by PipeUnlock */
    QUOTA *Quota;         /* of the process that opened it first */
    QUOTA *RingQuota;     /* of the process that made the ring. PIPE.Lock */
    EXAMPLE_MODE Mode;
    STORE Store;
    ULONGLONG Refused;
    WAITING Readers, Writers, Watchers;
    ULONG Seen; /* conditions when the watchers were looked at */

    volatile LONG Waiting[WAITING_KINDS]; /* from here on: what every open needs */
    ULONG ReadEnds, WriteEnds;            /* handles that may read, that may write */
    BOOLEAN HadReadEnd, HadWriteEnd;
    BOOLEAN AnyCancelled;  /* PIPE.Lock: Cancelled, which is farther off, is not empty */
    PVOID volatile Holder; /* of Lock: a thread */
    FAST_MUTEX Lock;

    struct _PIPE *Next; /* NAMES: same bucket */
    ULONG Hash;
    ULONG References;           /* NAMES.Lock */
    ULONG Strangers;            /* NAMES.Lock: opens by others than the owner */
    ULONG NameLength;           /* characters */
    PSID Owner;                 /* the user who opened it first */
    PSECURITY_DESCRIPTOR Guard; /* NAMES.Lock. NULL: everyone */
    WCHAR Name[1];              /* in upper case */
} PIPE;

typedef struct _INSTANCE {
    QUOTA *Quota;
    ACCESS_MASK Access;
    BOOLEAN Stranger;                  /* not the pipe's owner */
    BOOLEAN Closing;                   /* PIPE.Lock */
    ULONGLONG BytesRead, BytesWritten; /* PIPE.Lock */
} INSTANCE;

/* A hash table that grows and shrinks by one bucket at a time, so that no open pays for all the
 * others. */
#define NAMES_FIRST 64
#define NAMES_SEGMENTS 20
typedef struct _NAMES {
    FAST_MUTEX Lock;
    ULONG Count;
    ULONG Buckets; /* in use */
    ULONG Level;   /* a power of two: Level <= Buckets < 2 * Level */
    ULONGLONG Seed;
    PIPE *First[NAMES_FIRST];
    PIPE **Segments[NAMES_SEGMENTS]; /* segment s: the NAMES_FIRST << s buckets from NAMES_FIRST <<
                                        s on */
} NAMES;

#define QUOTA_BUCKETS 64
#define QUOTA_BYTES_LIMIT 0x40000000 /* counts are LONGs */
typedef struct _DEVICE {
    NAMES Names;
    LIST_ENTRY Quotas[QUOTA_BUCKETS]; /* by process; NAMES.Lock */
    ULONG NamesMost, BytesMost;       /* of a process */
    BOOLEAN OwnerOnly;
} DEVICE;

typedef struct _NAME {
    ULONG Hash, Length;
    WCHAR Text[EXAMPLE_NAME_LIMIT];
} NAME;

static __inline PIPE *PipeOf(PIRP Irp)
{
    return (PIPE *)IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext;
}

static __inline INSTANCE *InstanceOf(PIRP Irp)
{
    return (INSTANCE *)IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext2;
}

static __inline DEVICE *DeviceOf(PIRP Irp)
{
    return (DEVICE *)IoGetCurrentIrpStackLocation(Irp)->DeviceObject->DeviceExtension;
}

/* names.c. NamesPrepare: PASSIVE_LEVEL, no lock; STATUS_NAME_TOO_LONG. The last three: NAMES.Lock
 * is held. */
VOID NamesInitialize(NAMES *Names);
VOID NamesEnd(NAMES *Names);
VOID NamesLock(NAMES *Names);
VOID NamesUnlock(NAMES *Names);
NTSTATUS NamesPrepare(const NAMES *Names, PCUNICODE_STRING Given, NAME *Name);
PIPE *NamesFind(NAMES *Names, const NAME *Name);
VOID NamesInsert(NAMES *Names, PIPE *Pipe);
VOID NamesRemove(NAMES *Names, PIPE *Pipe);

/* quota.c: NAMES.Lock is held. QuotaReference: of the current process; NULL: no memory. */
VOID QuotaInitialize(DEVICE *Device);
QUOTA *QuotaReference(DEVICE *Device);
VOID QuotaDereference(QUOTA *Quota);
/* STATUS_QUOTA_EXCEEDED. Any IRQL, no lock. */
NTSTATUS QuotaCharge(QUOTA *Quota, SIZE_T Bytes);
VOID QuotaReturn(QUOTA *Quota, SIZE_T Bytes);

/* guard.c: who may open. PASSIVE_LEVEL. GuardUser: the user of a request to open, in pool. */
NTSTATUS GuardUser(PIRP Irp, PSID *User);
NTSTATUS GuardCheck(PSECURITY_DESCRIPTOR Guard, PIRP Irp);
NTSTATUS GuardCreate(PSID Owner, PSID Other, PSECURITY_DESCRIPTOR *Guard); /* points to Owner */
NTSTATUS GuardRestrict(PIRP Irp); /* IOCTL_EXAMPLE_RESTRICT */

/* pipe.c. PipeOpen fills the instance. */
NTSTATUS PipeOpen(PIRP Irp, INSTANCE *Instance, PIPE **Pipe);
VOID PipeClose(DEVICE *Device, PIPE *Pipe, INSTANCE *Instance);
VOID PipeLock(PIPE *Pipe);
VOID PipeUnlock(PIPE *Pipe);
BOOLEAN PipeIsMine(PIPE *Pipe); /* this thread holds the lock */
/* PIPE.Lock is held. */
NTSTATUS PipeHaveRing(PIPE *Pipe, PIRP Irp);
NTSTATUS PipeSetMode(PIPE *Pipe, PIRP Irp, const EXAMPLE_MODE *Mode);
ULONG PipeConditions(const PIPE *Pipe);

/* waiting.c */
NTSTATUS WaitingInitialize(WAITING *Waiting, volatile LONG *Count);
/* Marks it pending. PIPE.Lock is held. FALSE: it is cancelled already, and waits no more. */
BOOLEAN WaitingAdd(PIPE *Pipe, WAITING *Waiting, PIRP Irp, BOOLEAN AtHead);
PIRP WaitingRemove(WAITING *Waiting,
                   PFILE_OBJECT File); /* the oldest (of File, unless NULL); NULL: none */
/* Those of File, for WaitingCancel. PIPE.Lock is held: so none of them is just being looked at. */
VOID WaitingTake(PIPE *Pipe, PFILE_OBJECT File, PLIST_ENTRY Taken);
VOID WaitingCancel(PLIST_ENTRY Taken);
/* Exact for waiters that nobody cancels. Looked at several times in each request: no locked
 * instruction for it. */
static __inline LONG WaitingCount(const PIPE *Pipe, ULONG Kind)
{
    return DriverLoad(&Pipe->Waiting[Kind]);
}

static __inline BOOLEAN WaitingAny(const PIPE *Pipe)
{
    return WaitingCount(Pipe, WAITING_READERS) || WaitingCount(Pipe, WAITING_WRITERS) ||
           WaitingCount(Pipe, WAITING_WATCHERS);
}

/* What a request that waits costs its process: charged before WaitingAdd, returned before it is
 * completed. */
NTSTATUS WaitingCharge(PIRP Irp);
VOID WaitingReturn(PIRP Irp);
#define WAITING_PROGRESS(Irp) (*(ULONG_PTR *)&(Irp)->Tail.Overlay.DriverContext[0])

/* buffer.c: the one file that differs between the variants. *User: the address is the client's, to
 * be touched by BufferGuarded only. BufferPin makes a buffer usable in any context; PIPE.Lock may
 * be held. */
extern const ULONG BufferDeviceFlags;
NTSTATUS BufferOf(PIRP Irp, UCHAR **Buffer, BOOLEAN *User);
NTSTATUS BufferPin(PIRP Irp, ULONG Length, BOOLEAN Write);
typedef NTSTATUS BUFFER_MOVE(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done);
typedef struct _BUFFER_USE {
    BUFFER_MOVE *Move;
    STORE *Store;
    UCHAR *Buffer;
    ULONG Length;
    BOOLEAN Write;
} BUFFER_USE;
NTSTATUS BufferGuarded(const BUFFER_USE *Use, KPROCESSOR_MODE Mode, ULONG *Done);

/* transfer.c, watch.c, control.c, demo.c: the requests. STATUS_PENDING: the IRP is in a queue, or
 * gone. */
DRIVER_DISPATCH TransferRead;
DRIVER_DISPATCH TransferWrite;
DRIVER_DISPATCH TransferCleanup;
VOID TransferComplete(PLIST_ENTRY Done); /* with no lock held */
VOID TransferWake(PIPE *Pipe); /* serves who waits, with the lock taken inside. IRQL <= APC_LEVEL */
NTSTATUS WatchWait(PIRP Irp, ULONG_PTR *Information);
VOID WatchGoOn(PIPE *Pipe, PLIST_ENTRY Done); /* PIPE.Lock is held */
NTSTATUS ControlPipe(PIRP Irp, ULONG Code, ULONG_PTR *Information);
NTSTATUS DemoControl(PIRP Irp, ULONG Code, ULONG_PTR *Information);

#endif
