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
#include <stdint.h>

#define CHANNEL_MAGIC 0x544e5355u /* "USNT" */
#define CHANNEL_VERSION 1u
#define CHANNEL_ARGUMENTS 16

/* The control part of a slot: block 0 is the hand's transfer buffer, block n is the channel of
 * thread n: a page of channel and then the thread's staging buffer. */
#define CHANNEL_BLOCK 0x8000u
#define CHANNEL_PAGE 0x1000u
#define CHANNEL_COUNT 1024u
#define CHANNEL_TRANSFER CHANNEL_BLOCK

/* Set in `call` by the kernel half and in `reply` by the client, each in the word it sleeps on: the
 * side that changes the word then wakes the other. A client that lies about it delays itself alone.
 */
#define CHANNEL_ASLEEP 0x80000000u
#define CHANNEL_SEQUENCE 0x7fffffffu

struct channel_apc {
    uint64_t routine, context, argument1, argument2;
};

struct channel {
    _Atomic uint32_t call; /* the client's: number of the call it makes, and CHANNEL_ASLEEP */
    uint32_t service;
    uint64_t arguments[CHANNEL_ARGUMENTS];
    uint8_t pad0[2048 - 8 -
                 8 * CHANNEL_ARGUMENTS]; /* the two sides write to cache lines of their own */
    _Atomic uint32_t reply; /* the kernel's: the last call it answered, and CHANNEL_ASLEEP */
    int32_t status;
    uint32_t has_apc; /* a user APC to run before the call returns */
    uint32_t ended;   /* the kernel half is gone: so is the thread's right to run */
    struct channel_apc apc;
};
_Static_assert(sizeof(struct channel) <= CHANNEL_PAGE, "a channel is at most a page");

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
