/*
 * pipe: the contexts of the driver.
 *
 *   DEVICE    (the device's extension)      everything that belongs to one device: the names
 *   PIPE      (FILE_OBJECT.FsContext)       a name that is open: the store, and the requests that
 * wait. Counted INSTANCE  (FILE_OBJECT.FsContext2)      one open
 *
 * Locks: NAMES.Lock (a fast mutex: the table and the counts of references; APC_LEVEL, so names are
 * put into upper case before it); PIPE.Lock (a KMUTEX: store, mode); WAITING.Lock (a spin lock: one
 * queue). None of the first two is held while the other is taken; WAITING.Lock is taken inside
 * PIPE.Lock. Requests are completed with no lock held.
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
    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY Irps;
    volatile LONG Count;
} WAITING;

typedef struct _PIPE {
    struct _PIPE *Next; /* NAMES: same bucket */
    ULONG Hash;
    ULONG References; /* NAMES.Lock */
    PSID Owner;       /* NULL: nobody asks */
    KMUTEX Lock;
    STORE Store;
    EXAMPLE_MODE Mode;
    WAITING Readers, Writers;
    ULONG NameLength; /* characters */
    WCHAR Name[1];    /* in upper case */
} PIPE;

typedef struct _INSTANCE {
    ULONGLONG BytesRead, BytesWritten; /* PIPE.Lock */
    BOOLEAN Closing;                   /* PIPE.Lock */
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
    ULONG Seed;
    PIPE *First[NAMES_FIRST];
    PIPE **Segments[NAMES_SEGMENTS]; /* segment s: the NAMES_FIRST << s buckets from NAMES_FIRST <<
                                        s on */
} NAMES;

typedef struct _DEVICE {
    NAMES Names;
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

/* names.c. NamesPrepare: PASSIVE_LEVEL, no lock; STATUS_NAME_TOO_LONG. The others: NAMES.Lock is
 * held. */
VOID NamesInitialize(NAMES *Names);
VOID NamesEnd(NAMES *Names);
NTSTATUS NamesPrepare(const NAMES *Names, PCUNICODE_STRING Given, NAME *Name);
PIPE *NamesFind(NAMES *Names, const NAME *Name);
VOID NamesInsert(NAMES *Names, PIPE *Pipe);
VOID NamesRemove(NAMES *Names, PIPE *Pipe);

/* pipe.c */
NTSTATUS PipeOpen(DEVICE *Device, PCUNICODE_STRING FileName, PIPE **Pipe);
VOID PipeClose(DEVICE *Device, PIPE *Pipe);
VOID PipeLock(PIPE *Pipe);
VOID PipeUnlock(PIPE *Pipe);
NTSTATUS PipeSetMode(PIPE *Pipe, const EXAMPLE_MODE *Mode); /* PIPE.Lock is held */

/* owner.c: the caller's user, in pool. */
NTSTATUS OwnerCapture(PSID *Owner);

/* waiting.c */
NTSTATUS WaitingInitialize(WAITING *Waiting);
VOID WaitingAdd(WAITING *Waiting, PIRP Irp,
                BOOLEAN AtHead); /* marks it pending; a cancelled one is completed */
PIRP WaitingRemove(WAITING *Waiting,
                   PFILE_OBJECT File); /* the oldest (of File, unless NULL); NULL: none */
VOID WaitingCancelAll(WAITING *Waiting, PFILE_OBJECT File);
LONG WaitingCount(WAITING *Waiting); /* exact for waiters that nobody cancels */
#define WAITING_PROGRESS(Irp) (*(ULONG_PTR *)&(Irp)->Tail.Overlay.DriverContext[0])

/* buffer.c: the one file that differs between the variants. *User: the address is the client's, to
 * be touched by BufferGuarded only. BufferPin makes a buffer usable in any context; PIPE.Lock may
 * be held. */
extern const ULONG BufferDeviceFlags;
NTSTATUS BufferOf(PIRP Irp, UCHAR **Buffer, BOOLEAN *User);
NTSTATUS BufferPin(PIRP Irp, ULONG Length, BOOLEAN Write);
typedef NTSTATUS BUFFER_MOVE(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done);
NTSTATUS BufferGuarded(BUFFER_MOVE *Move, STORE *Store, UCHAR *Buffer, ULONG Length, BOOLEAN Write,
                       ULONG *Done);

/* transfer.c, control.c, demo.c: the requests. */
DRIVER_DISPATCH TransferRead;
DRIVER_DISPATCH TransferWrite;
DRIVER_DISPATCH TransferCleanup;
VOID TransferGoOn(PIPE *Pipe, PLIST_ENTRY Done); /* serves who waits; PIPE.Lock is held */
VOID TransferComplete(PLIST_ENTRY Done);         /* no lock is held */
VOID TransferWake(PIPE *Pipe); /* both, with the lock taken inside. IRQL <= APC_LEVEL */
NTSTATUS ControlMode(PIRP Irp, ULONG Code, ULONG_PTR *Information);
NTSTATUS DemoControl(PIRP Irp, ULONG Code, ULONG_PTR *Information);

#endif
