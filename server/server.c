/*
 * The kernel process: boots the executive, listens, gives each connection a thread, and ends clean.
 */
#include "server/server.h"

#include <errno.h>
#include <string.h>

static struct {
    int Listener, Wake;
    atomic_bool Stopping;
    FAST_MUTEX Lock;
    LIST_ENTRY Clients;      /* of struct server_client.Links */
    atomic_long Connections; /* threads that have not ended */
    KEVENT AllGone;
} Server;

void server_stop(void)
{
    Server.Stopping = TRUE;
    host_event_signal(Server.Wake);
}

static void connection_ended(void)
{
    if (atomic_fetch_sub(&Server.Connections, 1) == 1)
        KeSetEvent(&Server.AllGone, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI connection_main(PVOID Context)
{
    struct server_client *Client = Context;

    client_run(Client);
    ExAcquireFastMutex(&Server.Lock);
    RemoveEntryList(&Client->Links);
    ExReleaseFastMutex(&Server.Lock);
    client_release(Client);
    connection_ended();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void start_connection(struct server_client *Client)
{
    HANDLE Thread;

    ExAcquireFastMutex(&Server.Lock);
    InsertTailList(&Server.Clients, &Client->Links);
    ExReleaseFastMutex(&Server.Lock);
    atomic_fetch_add(&Server.Connections, 1);
    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL,
                                        connection_main, Client))) {
        ZwClose(Thread);
        return;
    }
    ExAcquireFastMutex(&Server.Lock);
    RemoveEntryList(&Client->Links);
    ExReleaseFastMutex(&Server.Lock);
    client_release(Client);
    connection_ended();
}

static void accept_one(void)
{
    int Socket = host_accept(Server.Listener);
    struct server_client *Client;

    if (Socket < 0)
        return;
    Client = client_new(Socket);
    if (Client)
        start_connection(Client);
    else
        host_close(Socket);
}

static void listen_until_stopped(void)
{
    while (!Server.Stopping) {
        int Sockets[] = {Server.Listener, Server.Wake};
        bool Ready[2] = {false, false};

        host_poll(Sockets, Ready, 2, -1);
        if (Ready[0])
            accept_one();
    }
}

/* Every connection is hung up, which ends its process as if the client had died. */
static void end_clients(void)
{
    ExAcquireFastMutex(&Server.Lock);
    for (PLIST_ENTRY Link = Server.Clients.Flink; Link != &Server.Clients; Link = Link->Flink)
        host_hang_up(CONTAINING_RECORD(Link, struct server_client, Links)->Socket);
    ExReleaseFastMutex(&Server.Lock);
    if (atomic_fetch_sub(&Server.Connections, 1) != 1)
        KeWaitForSingleObject(&Server.AllGone, Executive, KernelMode, FALSE, NULL);
}

static int open_listener(const char *Address)
{
    char Folder[512];
    char *Slash;

    snprintf(Folder, sizeof(Folder), "%s", Address);
    Slash = strrchr(Folder, '/');
    if (Slash && Slash != Folder) {
        *Slash = 0;
        host_make_directory(Folder);
    }
    Server.Listener = host_listen(Address, 0666);
    if (Server.Listener == -EADDRINUSE)
        fprintf(stderr, "nt boot: a kernel already answers at %s\n", Address);
    else if (Server.Listener < 0)
        fprintf(stderr, "nt boot: cannot listen at %s: %s\n", Address, strerror(-Server.Listener));
    return Server.Listener;
}

static void run_clients(const struct server_options *Options)
{
    ExInitializeFastMutex(&Server.Lock);
    InitializeListHead(&Server.Clients);
    KeInitializeEvent(&Server.AllGone, NotificationEvent, FALSE);
    atomic_init(&Server.Connections, 1);
    NtSetShutdownHook(server_stop);
    if (Options->Ready)
        Options->Ready();
    listen_until_stopped();
    end_clients();
}

int server_run(const struct server_options *Options)
{
    NTSTATUS Status;
    int Result = open_listener(Options->Address);

    if (Result < 0)
        return Result;
    Server.Stopping = FALSE;
    Server.Wake = Result = host_event_file();
    if (Result < 0)
        goto close_listener;
    Status = UserNtBoot(&Options->Boot);
    if (!NT_SUCCESS(Status)) {
        fprintf(stderr, "nt boot: the executive did not start: status 0x%08X\n", (unsigned)Status);
        Result = -EIO;
        goto close_wake;
    }
    run_clients(Options);
    Status = UserNtShutdown();
    Result = NT_SUCCESS(Status) ? 0 : -EBUSY;
close_wake:
    host_close(Server.Wake);
close_listener:
    host_close(Server.Listener);
    host_remove_file(Options->Address);
    return Result;
}
