/*
 * The kernel process: boots the executive, listens, gives each connection a thread, and ends clean.
 */
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int Listener, Wake;
    atomic_bool Stopping;
    FAST_MUTEX Lock;
    LIST_ENTRY Clients;      /* of struct server_client.Links */
    atomic_long Connections; /* threads that have not ended */
    KEVENT AllGone;
} Server;

struct server_settings ServerSettings;

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

void server_start_connection(struct server_client *Client)
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

#define PAUSE_MS 100

/* When there is no room for another socket, the listener stays ready: then it is left alone for a
 * moment. */
static void listen_until_stopped(void)
{
    BOOLEAN Room = TRUE;

    while (!Server.Stopping) {
        int Sockets[] = {Server.Wake, Server.Listener};
        bool Ready[2] = {false, false};

        host_poll(Sockets, Ready, Room ? 2 : 1, Room ? -1 : PAUSE_MS);
        Room = !Ready[1] || accept_one();
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

static int open_listener(const char *Address, int MakeFolder)
{
    char Folder[512];
    char *Slash;

    snprintf(Folder, sizeof(Folder), "%s", Address);
    Slash = strrchr(Folder, '/');
    if (MakeFolder && Slash && Slash != Folder) {
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
    room_init();
    accept_init(Server.Listener);
    ExInitializeFastMutex(&Server.Lock);
    InitializeListHead(&Server.Clients);
    KeInitializeEvent(&Server.AllGone, NotificationEvent, FALSE);
    atomic_init(&Server.Connections, 1);
    NtSetShutdownHook(server_stop);
    if (Options->Ready)
        Options->Ready();
    listen_until_stopped();
    end_clients();
    accept_shutdown();
}

#define FILES_LEAST 32 /* the kernel's own, and some clients */

static int check_surroundings(const struct server_options *Options)
{
    const char *State = Options->Boot.StateDirectory;
    unsigned Files = host_raise_file_limit();
    int Result = State ? host_check_directory(State) : 0;

    if (Result < 0)
        fprintf(stderr, "nt boot: cannot keep the registry in %s: %s\n", State, strerror(-Result));
    if (Files < FILES_LEAST) {
        fprintf(stderr, "nt boot: only %u files may be open (ulimit -n); %d are needed\n", Files,
                FILES_LEAST);
        Result = -EMFILE;
    }
    return Result;
}

static int fill_bus(const char *Path)
{
    size_t Bytes;
    char *Text = Path ? host_read_file(Path, &Bytes) : NULL;
    ULONG Line;
    NTSTATUS Status;

    if (!Path)
        return 0;
    if (!Text) {
        fprintf(stderr, "nt boot: cannot read %s: %s\n", Path, strerror(errno));
        return -ENOENT;
    }
    Status = UserNtDescribeBus(Text, &Line);
    free(Text);
    if (NT_SUCCESS(Status))
        return 0;
    fprintf(stderr, "nt boot: %s:%u: %s (status 0x%08X)\n", Path, Line,
            Status == STATUS_INVALID_PARAMETER ? "not as lspci -vx prints it"
                                               : "cannot be on this bus",
            (unsigned)Status);
    return -EINVAL;
}

int server_run(const struct server_options *Options)
{
    NTSTATUS Status;
    int Result = open_listener(Options->Address, Options->MakeFolder);

    if (Result < 0)
        return Result;
    ServerSettings = (struct server_settings){Options->PatienceSeconds, Options->ProcessesPerUser};
    Result = check_surroundings(Options);
    if (Result < 0)
        goto close_listener;
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
    Result = fill_bus(Options->Bus);
    if (Result == 0)
        run_clients(Options);
    Status = UserNtShutdown();
    if (Result == 0 && !NT_SUCCESS(Status))
        Result = -EBUSY;
close_wake:
    host_close(Server.Wake);
close_listener:
    host_close(Server.Listener);
    host_remove_file(Options->Address);
    return Result;
}
