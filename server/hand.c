/*
 * The client's hand: what only the client's own process can do, asked of its service thread over
 * the socket.
 *
 * One question at a time (HandLock). The answer is read by the connection's thread, which must
 * therefore never ask. When the client goes, the question in flight and all later ones end with
 * STATUS_PROCESS_IS_TERMINATING. A client that does not answer (it is stopped, say) is treated as
 * if it had gone once the server's patience is at an end: nobody waits longer for it, however many
 * questions a copy takes.
 */
#include "server/server.h"

#include <errno.h>
#include <string.h>

#define SECOND 10000000

static void lock(struct server_client *Client)
{
    KeWaitForSingleObject(&Client->HandLock, Executive, KernelMode, FALSE, NULL);
    Client->HandDeadline =
        KeQueryInterruptTime() + ServerSettings.PatienceSeconds * (ULONG64)SECOND;
}

static void unlock(struct server_client *Client)
{
    KeReleaseMutex(&Client->HandLock, FALSE);
}

static void give_up(struct server_client *Client)
{
    DbgPrint("SERVER: process %u (%s) has not answered for %u seconds and is ended\n",
             (unsigned)HandleToULong(Client->Process->UniqueProcessId), Client->Process->ImageName,
             ServerSettings.PatienceSeconds);
    host_hang_up(Client->Socket);
    hand_abandon(Client);
}

static BOOLEAN await_answer(struct server_client *Client)
{
    LARGE_INTEGER Left = {.QuadPart = (LONGLONG)(KeQueryInterruptTime() - Client->HandDeadline)};

    if (!ServerSettings.PatienceSeconds)
        return KeWaitForSingleObject(&Client->HandDone, Executive, KernelMode, FALSE, NULL) ==
               STATUS_SUCCESS;
    Left.QuadPart = min(Left.QuadPart, 0); /* negative: from now on */
    return KeWaitForSingleObject(&Client->HandDone, Executive, KernelMode, FALSE, &Left) ==
           STATUS_SUCCESS;
}

/* HandLock is held. Gone is set before the event, and the event cleared before the question: no end
 * is missed. */
static NTSTATUS ask(struct server_client *Client, struct channel_packet *Question, int File)
{
    int Sent;

    KeClearEvent(&Client->HandDone);
    if (client_gone(Client))
        return STATUS_PROCESS_IS_TERMINATING;
    Question->cookie = __atomic_add_fetch(&Client->HandCookie, 1, __ATOMIC_SEQ_CST);
    Sent = host_send(Client->Socket, Question, sizeof(*Question), File);
    if (Sent == -EAGAIN || (Sent == 0 && !await_answer(Client)))
        give_up(Client);
    else if (Sent < 0)
        return STATUS_PROCESS_IS_TERMINATING;
    return __atomic_load_n(&Client->HandStatus, __ATOMIC_ACQUIRE);
}

void hand_answer(struct server_client *Client, const struct channel_packet *Packet)
{
    if (Packet->cookie != __atomic_load_n(&Client->HandCookie, __ATOMIC_SEQ_CST) ||
        KeReadStateEvent(&Client->HandDone))
        return; /* an answer that nobody waits for */
    __atomic_store_n(&Client->HandStatus, Packet->status, __ATOMIC_RELEASE);
    KeSetEvent(&Client->HandDone, IO_NO_INCREMENT, FALSE);
}

void hand_abandon(struct server_client *Client)
{
    __atomic_store_n(&Client->HandStatus, STATUS_PROCESS_IS_TERMINATING, __ATOMIC_RELEASE);
    __atomic_store_n(&Client->Gone, TRUE, __ATOMIC_SEQ_CST);
    KeSetEvent(&Client->HandDone, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS ask_alone(struct server_client *Client, struct channel_packet *Question, int File)
{
    NTSTATUS Status;

    lock(Client);
    Status = ask(Client, Question, File);
    unlock(Client);
    return Status;
}

static NTSTATUS hand_map(void *Context, int File, ULONG64 Offset, PVOID Base, SIZE_T Bytes,
                         int Protection)
{
    struct channel_packet Question = {.kind = CHANNEL_MAP,
                                      .address = (uint64_t)(ULONG_PTR)Base,
                                      .bytes = Bytes,
                                      .offset = Offset,
                                      .protection = (uint32_t)Protection};

    return ask_alone(Context, &Question, File);
}

static NTSTATUS hand_unmap(void *Context, PVOID Base, SIZE_T Bytes)
{
    struct channel_packet Question = {
        .kind = CHANNEL_UNMAP, .address = (uint64_t)(ULONG_PTR)Base, .bytes = Bytes};

    return ask_alone(Context, &Question, -1);
}

static NTSTATUS hand_protect(void *Context, PVOID Base, SIZE_T Bytes, int Protection)
{
    struct channel_packet Question = {.kind = CHANNEL_PROTECT,
                                      .address = (uint64_t)(ULONG_PTR)Base,
                                      .bytes = Bytes,
                                      .protection = (uint32_t)Protection};

    return ask_alone(Context, &Question, -1);
}

/* Copies go through block 0 of the slot. What the client writes there meanwhile is its own affair:
 * the kernel copies what it finds, once. */
static NTSTATUS copy_part(struct server_client *Client, ULONG Kind, ULONG_PTR There, char *Here,
                          SIZE_T Bytes)
{
    char *Transfer = (char *)Client->Process->AddressSpace.Low;
    struct channel_packet Question = {.kind = Kind, .address = There, .bytes = Bytes};
    NTSTATUS Status;

    if (Kind == CHANNEL_COPY_OUT)
        memcpy(Transfer, Here, Bytes);
    Status = ask(Client, &Question, -1);
    if (NT_SUCCESS(Status) && Kind == CHANNEL_COPY_IN)
        memcpy(Here, Transfer, Bytes);
    return Status;
}

static NTSTATUS copy(struct server_client *Client, ULONG Kind, ULONG_PTR There, char *Here,
                     SIZE_T Bytes)
{
    NTSTATUS Status = STATUS_SUCCESS;

    lock(Client);
    for (SIZE_T Done = 0; Done < Bytes && NT_SUCCESS(Status);) {
        SIZE_T Part = min(Bytes - Done, (SIZE_T)CHANNEL_TRANSFER);

        Status = copy_part(Client, Kind, There + Done, Here + Done, Part);
        Done += Part;
    }
    unlock(Client);
    return Status;
}

static NTSTATUS hand_copy_in(void *Context, PVOID To, const void *From, SIZE_T Bytes)
{
    return copy(Context, CHANNEL_COPY_IN, (ULONG_PTR)From, To, Bytes);
}

static NTSTATUS hand_copy_out(void *Context, PVOID To, const void *From, SIZE_T Bytes)
{
    return copy(Context, CHANNEL_COPY_OUT, (ULONG_PTR)To, (char *)From, Bytes);
}

const MM_HAND HandOfClient = {
    .Map = hand_map,
    .Unmap = hand_unmap,
    .Protect = hand_protect,
    .CopyIn = hand_copy_in,
    .CopyOut = hand_copy_out,
};
