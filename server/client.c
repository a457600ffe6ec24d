/*
 * A connection: one system thread reads the socket of one client process, from hello to the end.
 *
 * The client is untrusted: a packet that is not of the protocol ends the connection. References are
 * held by the connection's own thread and by each kernel half; the last one frees.
 */
#include "server/server.h"

#include <string.h>

/* Who has connected says hello soon; what is sent to it is read soon. */
static void set_patience(struct server_client *Client)
{
    unsigned Milliseconds = ServerSettings.PatienceSeconds * 1000;

    host_set_patience(Client->Socket, Client->Greeted ? 0 : Milliseconds, Milliseconds);
}

NTSTATUS client_new(int Socket, struct server_client **New)
{
    struct server_client *Client = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Client), 'tnlC');
    uint32_t ProcessId = 0, UserId = 0;

    if (!Client)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (host_peer(Socket, &ProcessId, &UserId) == 0)
        Client->Room = room_enter(UserId);
    if (!Client->Room) {
        ExFreePoolWithTag(Client, 'tnlC');
        return STATUS_QUOTA_EXCEEDED;
    }
    Client->Socket = Socket;
    Client->HostProcessId = ProcessId;
    Client->HostUserId = UserId;
    atomic_init(&Client->References, 1);
    KeInitializeSpinLock(&Client->ChannelLock);
    KeInitializeMutex(&Client->HandLock, 0);
    KeInitializeEvent(&Client->HandDone, NotificationEvent, FALSE);
    Client->ChannelsBusy[0] = 1; /* block 0 is the hand's transfer buffer */
    set_patience(Client);
    *New = Client;
    return STATUS_SUCCESS;
}

void client_release(struct server_client *Client)
{
    if (atomic_fetch_sub(&Client->References, 1) != 1)
        return;
    host_close(Client->Socket);
    if (Client->Process)
        ObfDereferenceObject(Client->Process);
    room_leave(Client->Room);
    ExFreePoolWithTag(Client, 'tnlC');
}

static BOOLEAN answer(struct server_client *Client, struct channel_packet *Packet, int File)
{
    return host_send(Client->Socket, Packet, sizeof(*Packet), File) == 0;
}

/* The process whose handles the client asks to inherit, if it is the one that started it.
 * Referenced. */
static struct _EPROCESS *parent_of(struct server_client *Client, ULONG Id)
{
    struct _EPROCESS *Parent;

    if (!Id || !NT_SUCCESS(PsLookupProcessByProcessId(ULongToHandle(Id), &Parent)))
        return NULL;
    if (Parent->Client &&
        (HandleToULong(Parent->UniqueProcessId) & 0xffffff) ==
            host_parent_of(Client->HostProcessId) &&
        Parent->Token->HostUserId == Client->HostUserId)
        return Parent;
    ObfDereferenceObject(Parent);
    return NULL;
}

/* The process ends, and the client may not know: its Linux process goes too. */
void tell_end(void *Context, NTSTATUS Status)
{
    struct server_client *Client = Context;
    struct channel_packet Packet = {.kind = CHANNEL_EXIT, .status = Status};

    if (client_gone(Client))
        return;
    host_send_now(Client->Socket, &Packet, sizeof(Packet));
    host_hang_up(Client->Socket); /* it still reads what was sent */
    hand_abandon(Client);
}

static NTSTATUS make_process(struct server_client *Client, struct channel_packet *Hello)
{
    PS_CLIENT Description = {.HostProcessId = Client->HostProcessId,
                             .HostUserId = Client->HostUserId,
                             .ImagePath = Hello->image,
                             .Client = Client,
                             .TellEnd = tell_end};
    NTSTATUS Status;

    Hello->image[sizeof(Hello->image) - 1] = 0;
    if (Hello->magic != CHANNEL_MAGIC || Hello->version != CHANNEL_VERSION)
        return STATUS_REVISION_MISMATCH;
    Description.Parent = parent_of(Client, Hello->process);
    Description.InheritHandles = Description.Parent != NULL;
    Status = PsCreateClientProcess(&Description, &Client->Process);
    if (Description.Parent)
        ObfDereferenceObject(Description.Parent);
    if (NT_SUCCESS(Status))
        MmSetHand(&Client->Process->AddressSpace, &HandOfClient, Client);
    return Status;
}

static BOOLEAN greet(struct server_client *Client, struct channel_packet *Hello)
{
    struct channel_packet Welcome = {.kind = CHANNEL_WELCOME, .cookie = Hello->cookie};
    struct channel_packet Shared = {.kind = CHANNEL_SHARED_DATA};
    struct _EPROCESS *Process;

    if (Client->Greeted)
        return FALSE;
    Client->Greeted = TRUE;
    set_patience(Client);
    Welcome.status = make_process(Client, Hello);
    if (!NT_SUCCESS(Welcome.status)) {
        answer(Client, &Welcome, -1);
        return FALSE;
    }
    Process = Client->Process;
    Welcome.address = Process->AddressSpace.Low;
    Welcome.bytes = MM_SLOT_CONTROL;
    Welcome.process = (uint32_t)(ULONG_PTR)Process->UniqueProcessId;
    return answer(Client, &Welcome, Process->AddressSpace.File) &&
           answer(Client, &Shared, KeSharedDataFile());
}

static BOOLEAN new_thread(struct server_client *Client, const struct channel_packet *Packet)
{
    struct channel_packet Answer = {.kind = CHANNEL_THREAD, .cookie = Packet->cookie};
    ULONG Index = 0;

    if (!Client->Process)
        return FALSE;
    Answer.status = thread_start(Client, Packet->thread, &Index);
    Answer.thread = Index;
    return answer(Client, &Answer, -1);
}

static BOOLEAN handle(struct server_client *Client, struct channel_packet *Packet)
{
    switch (Packet->kind) {
    case CHANNEL_HELLO:
        return greet(Client, Packet);
    case CHANNEL_NEW_THREAD:
        return new_thread(Client, Packet);
    case CHANNEL_GOODBYE:
        Client->ExitStatus = Packet->status;
        if (Client->Process)
            PsKeepProcessTimes_(Client->Process);
        return TRUE;
    case CHANNEL_THREAD_LEFT:
        thread_left(Client, Packet->thread);
        return TRUE;
    case CHANNEL_DONE:
        hand_answer(Client, Packet);
        return TRUE;
    default:
        return FALSE;
    }
}

/* Ends the client's process. Its handles close in its own context; what other threads of the kernel
 * still ask of its hand fails from now on. */
static void end(struct server_client *Client)
{
    host_hang_up(Client->Socket);
    hand_abandon(Client);
    if (!Client->Process)
        return;
    PsTerminateProcess_(Client->Process, Client->ExitStatus);
    PsWaitProcessEnd(Client->Process);
}

void client_run(struct server_client *Client)
{
    struct channel_packet Packet;

    while (host_receive(Client->Socket, &Packet, sizeof(Packet), NULL) == sizeof(Packet))
        if (!handle(Client, &Packet))
            break;
    end(Client);
}
