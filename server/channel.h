/*
 * channel: what a client's libntdll and the kernel process say to each other.
 *
 * One sequenced-packet socket a client process carries the rare messages: hello, new threads, and
 * what the kernel asks of the client's hand. One channel a client thread, a page in the process's
 * user slot, carries its system calls. Everything a client can write is hostile memory: the kernel
 * reads each field once and checks its copy.
 */
#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_MAGIC 0x544e5355u /* "USNT" */
#define CHANNEL_VERSION 4u
#define CHANNEL_ARGUMENTS 16

/* The control part of a slot: block 0 is the hand's transfer buffer, block n is the channel of
 * thread n. */
#define CHANNEL_BLOCK 0x8000u
#define CHANNEL_COUNT 1024u
#define CHANNEL_TRANSFER CHANNEL_BLOCK

struct channel_apc {
    uint64_t routine, context, argument1, argument2;
};

/* In `service`: the IO_STATUS_BLOCK of the request is the channel's `iosb`, which the kernel half
 * sets to STATUS_PENDING before it begins. */
#define CHANNEL_IOSB 0x8000u

/* In `service`: the client runs on the processor on which its last call was answered. Two that
 * share one had better give it to each other than spin. */
#define CHANNEL_NEAR 0x4000u

#define CHANNEL_SERVICE 0x3fffu /* the service's number */

/* Instead of a service's number: many calls, one behind the other. Argument 0 is the address of the
 * first part, in the slot, argument 1 their count, argument 2 is 1 + the client's processor. */
#define CHANNEL_MANY 0x3fffu
#define CHANNEL_PARTS 4096u
struct channel_part {
    uint32_t service;
    int32_t status;         /* the kernel writes any other than STATUS_SUCCESS */
    uint64_t arguments[11]; /* as many as the largest service has */
};

/*
 * What a call costs is the cache lines that go from one processor to the other. So the call is one
 * line and its answer another; the first bytes of input follow the one and the first bytes of
 * output the other, since processors fetch lines in pairs. Only the arguments other than 0 are
 * written, one behind the other: bit n of `given` says that argument n is among them. Seven fit
 * into the line, as many as a control request has.
 *
 * Each side spins for a while on the word that the other changes, then sleeps on it. It says so in
 * a line of its own first, and looks at the word again; the other side changes the word first and
 * then looks whether somebody sleeps (a full fence between the two, on both sides). A client that
 * lies about it delays itself alone.
 */
#define CHANNEL_IN_LINE 7
struct channel {
    _Alignas(64) _Atomic uint32_t kernel_sleeps;
    uint32_t kernel_waits; /* the call waits for something: it is not worth spinning for */
    _Alignas(64) _Atomic uint32_t client_sleeps; /* 1 + the number of its processor */
    uint64_t more[CHANNEL_ARGUMENTS - CHANNEL_IN_LINE];
    uint64_t scratch[4]; /* the client's, for calls of its own */
    uint64_t unused[10];

    /* the kernel's line, and where output goes that fits */
    _Alignas(64) _Atomic uint32_t reply; /* the last call it answered */
    int32_t status;
    uint16_t has_apc; /* a user APC to run before the call returns */
    uint16_t cpu;     /* the processor on which it was answered */
    uint32_t ended;   /* the kernel half is gone: so is the thread's right to run */
    uint64_t iosb[2];
    struct channel_apc apc;
    uint8_t answer[1728];

    /* the client's line, and its staging buffer */
    _Alignas(64) _Atomic uint32_t call; /* number of the call it makes */
    uint16_t service;                   /* and CHANNEL_IOSB, CHANNEL_NEAR */
    uint16_t given;
    uint64_t arguments[CHANNEL_IN_LINE];
    uint8_t staging[CHANNEL_BLOCK - 2112];
};
_Static_assert(offsetof(struct channel, reply) == 256 && offsetof(struct channel, call) == 2048,
               "the lines are the first of a pair");
_Static_assert(sizeof(struct channel) == CHANNEL_BLOCK, "a channel is a block");

enum channel_message {
    CHANNEL_HELLO = 1,   /* client: who it is; answered by WELCOME with the slot's file */
    CHANNEL_WELCOME,     /* kernel */
    CHANNEL_SHARED_DATA, /* kernel, right after WELCOME: the file of KUSER_SHARED_DATA */
    CHANNEL_NEW_THREAD,  /* client: asks for a channel; answered by THREAD */
    CHANNEL_THREAD,      /* kernel */
    CHANNEL_MAP,         /* kernel to the hand: map the descriptor; answered by DONE */
    CHANNEL_UNMAP,
    CHANNEL_PROTECT,
    CHANNEL_COPY_IN,     /* from the client's memory to the transfer buffer */
    CHANNEL_COPY_OUT,    /* from the transfer buffer to the client's memory */
    CHANNEL_DONE,        /* hand */
    CHANNEL_EXIT,        /* kernel: the process was ended; the hand exits with status */
    CHANNEL_GOODBYE,     /* client: it ends itself with this status; no answer */
    CHANNEL_THREAD_LEFT, /* client: its thread is done with channel `thread`; no answer */
};

struct channel_packet {
    uint32_t kind;
    uint32_t cookie;  /* chosen by the asker, repeated in the answer */
    int32_t status;   /* NTSTATUS in answers, 0 in questions */
    uint32_t thread;  /* Linux thread id (NEW_THREAD, HELLO); channel index (THREAD, WELCOME) */
    uint64_t address; /* slot base (WELCOME); the range's base */
    uint64_t bytes;
    uint64_t offset;
    uint32_t protection; /* HOST_READ … */
    uint32_t process;    /* NT process id (WELCOME); process to inherit from (HELLO) */
    uint32_t magic, version;
    char image[64]; /* HELLO: the program's base name */
};

#endif
