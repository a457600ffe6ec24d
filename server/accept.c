/*
 * Newcomers. One for whom there is no room is told so, even when no more files can be opened: a
 * spare descriptor is given up for the moment that it takes.
 */
#include "server/server.h"

#include <errno.h>

static struct {
    int Listener, Spare;
} Door;

void accept_init(int Listener)
{
    Door.Listener = Listener;
    Door.Spare = host_event_file();
}

void accept_shutdown(void)
{
    if (Door.Spare >= 0)
        host_close(Door.Spare);
}

/* What it has said so far is read, else Linux would not deliver the answer. */
static void refuse(int Socket, NTSTATUS Status)
{
    struct channel_packet Packet = {.kind = CHANNEL_WELCOME};

    host_set_patience(Socket, 1, 1);
    host_receive(Socket, &Packet, sizeof(Packet), NULL);
    Packet = (struct channel_packet){.kind = CHANNEL_WELCOME, .status = Status};
    host_send_now(Socket, &Packet, sizeof(Packet));
    host_close(Socket);
}

/* FALSE: not even that worked. */
static BOOLEAN refuse_for_lack_of_files(void)
{
    int Socket;

    if (Door.Spare >= 0)
        host_close(Door.Spare);
    Socket = host_accept(Door.Listener);
    if (Socket >= 0)
        refuse(Socket, STATUS_TOO_MANY_OPENED_FILES);
    Door.Spare = host_event_file();
    return Socket >= 0 && Door.Spare >= 0;
}

BOOLEAN accept_one(void)
{
    int Socket = host_accept(Door.Listener);
    struct server_client *Client;
    NTSTATUS Status;

    if (Socket == -EMFILE || Socket == -ENFILE)
        return refuse_for_lack_of_files();
    if (Socket < 0)
        return Socket != -ENOMEM && Socket != -ENOBUFS;
    Status = client_new(Socket, &Client);
    if (NT_SUCCESS(Status))
        server_start_connection(Client);
    else
        refuse(Socket, Status);
    return TRUE;
}
