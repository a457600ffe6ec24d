/*
 * ioring: an I/O ring, which is the client library's own: what is built goes to the kernel as many
 * calls of NtReadFile and NtWriteFile at once, in order, and completes like theirs.
 *
 * ioring.c        rings, what is known of them, their completions
 * ioringsubmit.c  handing over what was built, and waiting
 * ioringbuild.c   entries
 */
#ifndef IORING_H
#define IORING_H

#include "win32/kernel32/base.h"
#include "win32/ntdll/ntdll.h"
#include <ioringapi.h>

#define RING_SMALL 128

/* A request, from its build until its completion is popped. In the slot: the kernel completes it
 * into Iosb, and its data is here, in a block of its own, or in the program's own slot memory. */
struct ring_op {
    IO_STATUS_BLOCK Iosb; /* STATUS_PENDING until it is complete */
    LARGE_INTEGER Offset;
    UINT_PTR UserData;
    char *User, *Copy; /* a read's bytes go from Copy to User; NULL: they are there */
    char *Block;       /* memory of its own, or NULL */
    UINT32 Bytes;
    UINT32 Next; /* free ones */
    char Small[RING_SMALL];
};

/* A registered file. Waits: its requests are complete when the kernel returns. */
struct ring_file {
    HANDLE Handle;
    BOOL Waits;
};

struct ring {
    struct ring *NextDying; /* closed, with requests in progress */
    IORING_VERSION Version;
    UINT32 SubmissionSize, CompletionSize; /* powers of two */
    UINT32 Built, Parts, Submitted;
    UINT32 FirstFree;
    UINT32 *Order; /* twice CompletionSize, in a circle: from Oldest on those submitted, in progress
                      or complete and not popped yet; behind them those built */
    UINT32 Oldest;
    struct ring_op *Ops;        /* in the slot: one for each place of both queues */
    struct channel_part *Calls; /* in the slot: what was built */
    UINT32 *CallOp;             /* whose call it is */
    HANDLE Event;               /* set at every completion */
    HANDLE UserEvent;           /* instead of it */
    struct ring_file *Files;
    UINT32 FileCount;
    IORING_BUFFER_INFO *Buffers;
    UINT32 BufferCount;
};

static inline struct ring *ring_of(HIORING Handle)
{
    return (struct ring *)Handle;
}

static inline BOOL ring_op_complete(const struct ring_op *Op)
{
    return __atomic_load_n(&Op->Iosb.Status, __ATOMIC_ACQUIRE) != STATUS_PENDING;
}

/* Where Order names the request that comes At behind the oldest. */
static inline UINT32 *ring_place(const struct ring *Ring, UINT32 At)
{
    return &Ring->Order[(Ring->Oldest + At) & (2 * Ring->CompletionSize - 1)];
}

static inline struct ring_op *ring_op_at(const struct ring *Ring, UINT32 At)
{
    return &Ring->Ops[*ring_place(Ring, At)];
}

static inline HANDLE ring_event(const struct ring *Ring)
{
    return Ring->UserEvent ? Ring->UserEvent : Ring->Event;
}

void ring_op_free(struct ring *Ring, UINT32 Index);

#endif
