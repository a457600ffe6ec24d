/*
 * server: the kernel process. Listens, turns connections into client processes, runs a kernel half
 * for each client thread, and notices when a client has gone.
 *
 * Files: server.c (life and death), accept.c (newcomers), room.c (how many there may be), client.c
 * (a connection), thread.c (a kernel half), hand.c (what is asked of the client's own process).
 */
#ifndef SERVER_H
#define SERVER_H

#include "nt/nt.h"
#include "server/channel.h"
#include <usernt.h>

struct server_options {
    USERNT_OPTIONS Boot;
    const char *Address;       /* path of the socket */
    int MakeFolder;            /* the address is the default one, whose folder may be missing */
    const char *Bus;           /* a file that describes the machine's bus; NULL: it is empty */
    unsigned PatienceSeconds;  /* a client that does not answer for so long is ended; 0: never */
    unsigned ProcessesPerUser; /* of an ordinary user, neither root nor who booted */
    void (*Ready)(void);       /* called once clients can connect */
};

/* Runs the kernel until NtShutdownSystem or server_stop. Returns 0, or a negative errno after
 * saying why on standard error (-EADDRINUSE: another kernel answers at the address). */
int server_run(const struct server_options *Options);
void server_stop(void); /* async-signal-safe */

/* One connection. Its own thread and the kernel halves hold references. */
struct server_client {
    LIST_ENTRY Links;
    int Socket;
    ULONG HostProcessId, HostUserId;
    BOOLEAN Greeted, Gone;
    struct _EPROCESS *Process;
    atomic_long References;
    KSPIN_LOCK ChannelLock;
    ULONG64 ChannelsBusy[CHANNEL_COUNT / 64];
    ULONG64 ChannelsEnded[CHANNEL_COUNT / 64],
        ChannelsLeft[CHANNEL_COUNT / 64]; /* no kernel half, no client thread any more */
    NTSTATUS ExitStatus;                  /* what the client said when it ended itself */
    struct server_room *Room;
    /* the hand: one question at a time */
    KMUTEX HandLock;
    KEVENT HandDone;
    ULONG HandCookie;
    NTSTATUS HandStatus;
    ULONG64 HandDeadline; /* interrupt time; the question's */
};

extern struct server_settings {
    unsigned PatienceSeconds, ProcessesPerUser;
} ServerSettings;

/* accept.c */
void accept_init(int Listener); /* connections that are waiting from here on are taken */
void accept_shutdown(void);
BOOLEAN accept_one(void); /* FALSE: there is no room for another socket at the moment */
void server_start_connection(struct server_client *Client);

/* room.c: a user's share of processes and threads. Enter: NULL if there is no room. */
void room_init(void);
struct server_room *room_enter(ULONG UserId);
void room_leave(struct server_room *Room);
BOOLEAN room_take_thread(struct server_room *Room);
void room_return_thread(struct server_room *Room);

static inline BOOLEAN client_gone(struct server_client *Client)
{
    return __atomic_load_n(&Client->Gone, __ATOMIC_SEQ_CST);
}

NTSTATUS client_new(int Socket, struct server_client **Client);
void client_run(
    struct server_client *Client); /* reads until the client goes, then ends its process */
void client_release(struct server_client *Client);
void tell_end(void *Client, NTSTATUS Status); /* its Linux process is to exit */

/* A kernel half for a client thread; *Index is its channel. */
NTSTATUS thread_start(struct server_client *Client, ULONG HostThreadId, ULONG *Index);

void thread_left(struct server_client *Client,
                 ULONG Index); /* the client's word, for what it is worth */

extern const MM_HAND HandOfClient;
void hand_answer(struct server_client *Client, const struct channel_packet *Packet);
void hand_abandon(struct server_client *Client);

/* Where the kernel is found: --address, $USERNT_ADDRESS, else a path of the user's own. Shared with
 * libntdll. */
#include "server/address.h"

#endif
