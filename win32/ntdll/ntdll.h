/*
 * ntdll: the client's side of the system-call boundary.
 *
 * connect.c   finds the kernel, maps the slot, starts the hand; a channel for each thread
 * call.c      one system call over the thread's channel
 * marshal.c   arguments that lie outside the slot are copied through the thread's staging buffer
 * pending.c   asynchronous requests whose buffers lie outside the slot
 * hand.c      the service thread: does for the kernel what only this process can do
 * file.c      reads, writes and controls
 * stage.c     the copies
 * stubs.c     NtX and ZwX, made from the kernel's list of services and marshal.def
 *
 * Nothing is connected before the first call. A process without a kernel says so once on standard
 * error; its calls end with STATUS_PORT_CONNECTION_REFUSED, or STATUS_PORT_DISCONNECTED when the
 * kernel has gone.
 */
#ifndef NTDLL_H
#define NTDLL_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>
#include "host/host.h"
#include "server/channel.h"

#ifndef STATUS_PORT_CONNECTION_REFUSED
#define STATUS_PORT_CONNECTION_REFUSED ((NTSTATUS)0xC0000041)
#endif
#ifndef STATUS_PORT_DISCONNECTED
#define STATUS_PORT_DISCONNECTED ((NTSTATUS)0xC0000037)
#endif

enum ntdll_service {
#define SERVICE(name, arguments) Service##name,
#include "nt/services.def"
#undef SERVICE
    ServiceCount
};

struct ntdll_process {
    host_lock Lock; /* connecting */
    _Atomic int Connected;
    _Atomic int Gone; /* the kernel has ended */
    int Socket;
    uint32_t ProcessId;
    char *Slot; /* base of the user slot */
    uint64_t SlotBytes;
    _Atomic uint32_t Cookie;
};
extern struct ntdll_process Ntdll;

/* Memory in the slot. */
struct ntdll_block {
    char *Base;
    size_t Bytes;
};

struct ntdll_thread {
    struct channel *Channel; /* NULL: not connected */
    uint32_t Sequence;
    uint32_t Spin;     /* how long a reply is worth spinning for */
    uint64_t *Scratch; /* a few words in the slot for calls of our own */
    char *Staging, *StagingEnd;
    char *Next;              /* first free byte of staging */
    char *Kept;              /* below it lie copies of pending requests */
    int Depth;               /* calls in progress: an APC may call from inside a call */
    _Atomic int Outstanding; /* pending requests whose copies lie in the staging buffer */
    NTSTATUS ExitStatus;
    struct ntdll_block Large;    /* a larger staging buffer, kept */
    struct ntdll_pending *Spare; /* for the next request that pends */
};

/* The calling thread's, connected; NULL after *Status was set. */
struct ntdll_thread *ntdll_thread(NTSTATUS *Status);
static inline int ntdll_in_slot(const void *Address)
{
    return (uint64_t)((const char *)Address - Ntdll.Slot) < Ntdll.SlotBytes && Ntdll.Slot;
}

/* One call with arguments that the kernel can reach. */
NTSTATUS ntdll_call(struct ntdll_thread *Thread, uint32_t Service, const uint64_t *Arguments);
/* Many calls at once, in order; Parts lie in the slot, and each gets a status of its own. */
NTSTATUS ntdll_call_many(struct channel_part *Parts, uint32_t Count);
/* The same without waiting for an answer: the thread or the process ends. */
void ntdll_call_await_end(struct ntdll_thread *Thread);
_Noreturn void ntdll_thread_ended(struct ntdll_thread *Thread);
void ntdll_call_last(struct ntdll_thread *Thread, uint32_t Service, const uint64_t *Arguments);
/* One call with the program's own arguments, which are marshalled as marshal.def says. */
NTSTATUS ntdll_service(uint32_t Service, unsigned Count, uint64_t *Arguments);

/* Copies, and returns 0 if either side is not there. */
int ntdll_copy(void *To, const void *From, size_t Bytes);
/* Whether all of it (at least a byte) can be written. */
int ntdll_touch(void *To, size_t Bytes);

/* The hand. */
int ntdll_hand_start(void);
void ntdll_tell_report(void); /* the kernel has gone: where it said why, if it did */
struct ntdll_wish {
    _Atomic uint32_t Done;
    uint32_t Cookie;
    int32_t Status;
    uint32_t Thread;
    struct ntdll_wish *Next;
};
/* Sends a packet and waits for the answer that the hand receives. */
NTSTATUS ntdll_ask(struct channel_packet *Packet, uint32_t *Thread);

/* Pending requests (see pending.c). */
#define STAGE_LARGE 4
struct ntdll_pending {
    struct ntdll_pending *Next;
    struct ntdll_thread *Thread;
    IO_STATUS_BLOCK *Staged, *User;
    char *To; /* where Information bytes of the answer go, and from where; NULL: nowhere */
    const char *From;
    size_t Bytes;
    int Whole; /* all Bytes go back, not Information */
    int Apc;   /* kept until its APC has run: the APC names the staged block */
    int Settled;
    struct ntdll_block Large[STAGE_LARGE];
    unsigned LargeCount;
};
extern _Atomic int NtdllPendingCount;
void ntdll_pending_add(struct ntdll_pending *Pending);
void ntdll_pending_settle(
    struct ntdll_thread *Caller); /* copies back every request that has completed */
void ntdll_pending_thread_left(struct ntdll_thread *Thread);
void ntdll_pending_kernel_gone(void);         /* every request ends */
void *ntdll_pending_staged(const void *User); /* the kernel's address of a pending request's
                                                 IO_STATUS_BLOCK; itself if none */
uint64_t ntdll_pending_user(uint64_t Staged); /* the reverse, for an APC; forgets the request */
void ntdll_pending_forget_all(void);          /* in a forked child */

int ntdll_slot_allocate(struct ntdll_thread *Thread, size_t Bytes, struct ntdll_block *Block);
void ntdll_slot_free(struct ntdll_thread *Thread, struct ntdll_block *Block);

void ntdll_copy_init(void);
void ntdll_marshal_init(void);
NTSTATUS ntdll_read_write(uint32_t Service, const uint64_t *Arguments);
NTSTATUS ntdll_control(uint32_t Service, const uint64_t *Arguments);
NTSTATUS ntdll_notify(uint32_t Service, const uint64_t *Arguments);
NTSTATUS ntdll_terminate_process(uint64_t *Arguments);
NTSTATUS ntdll_terminate_thread(uint64_t *Arguments);

#endif
