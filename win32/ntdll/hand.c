/* The hand: this process's service thread. It answers the kernel and receives the answers to our
 * own rare questions. */
#include "win32/ntdll/ntdll.h"

#include <string.h>

static struct {
    host_lock Lock;
    struct ntdll_wish *Wishes; /* questions of ours that wait for their answers */
} Hand;

static NTSTATUS from_errno(int Error)
{
    return Error < 0 ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

/* Only inside the slot: the kernel has no business elsewhere. */
static int is_ours(const struct channel_packet *Packet)
{
    uint64_t Offset = Packet->address - (uint64_t)Ntdll.Slot;

    return Offset < Ntdll.SlotBytes && Packet->bytes <= Ntdll.SlotBytes - Offset;
}

static NTSTATUS do_map(const struct channel_packet *Packet, int File)
{
    if (File < 0 || !is_ours(Packet))
        return STATUS_INVALID_PARAMETER;
    return from_errno(host_map((void *)Packet->address, Packet->bytes, File, Packet->offset,
                               (int)Packet->protection));
}

static NTSTATUS do_range(const struct channel_packet *Packet)
{
    void *Base = (void *)Packet->address;

    if (!is_ours(Packet))
        return STATUS_INVALID_PARAMETER;
    if (Packet->kind == CHANNEL_UNMAP)
        return from_errno(host_decommit(Base, Packet->bytes));
    return from_errno(host_protect(Base, Packet->bytes, (int)Packet->protection));
}

static NTSTATUS do_copy(const struct channel_packet *Packet)
{
    void *There = (void *)Packet->address;
    int Fine = Packet->bytes <= CHANNEL_TRANSFER &&
               (Packet->kind == CHANNEL_COPY_IN ? ntdll_copy(Ntdll.Slot, There, Packet->bytes)
                                                : ntdll_copy(There, Ntdll.Slot, Packet->bytes));

    return Fine ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
}

static void answer_kernel(const struct channel_packet *Question, int File)
{
    struct channel_packet Answer = {.kind = CHANNEL_DONE, .cookie = Question->cookie};

    host_told(&Ntdll); /* the question comes from a call of this program's */
    if (Question->kind == CHANNEL_MAP)
        Answer.status = do_map(Question, File);
    else if (Question->kind == CHANNEL_UNMAP || Question->kind == CHANNEL_PROTECT)
        Answer.status = do_range(Question);
    else
        Answer.status = do_copy(Question);
    host_tell(&Ntdll);
    host_send(Ntdll.Socket, &Answer, sizeof(Answer), -1);
}

static void fulfil(struct ntdll_wish *Wish, NTSTATUS Status, uint32_t Thread)
{
    Wish->Status = Status;
    Wish->Thread = Thread;
    atomic_store(&Wish->Done, 1);
    host_futex_wake((uint32_t *)&Wish->Done, 1, false);
}

static void answered_us(const struct channel_packet *Packet)
{
    host_lock_acquire(&Hand.Lock);
    for (struct ntdll_wish **Link = &Hand.Wishes; *Link; Link = &(*Link)->Next) {
        struct ntdll_wish *Wish = *Link;

        if (Wish->Cookie == Packet->cookie) {
            *Link = Wish->Next;
            fulfil(Wish, Packet->status, Packet->thread);
            break;
        }
    }
    host_lock_release(&Hand.Lock);
}

/* Whoever waits for the kernel is woken, or looks at Gone before it sleeps. */
static void kernel_has_gone(void)
{
    ntdll_tell_report();
    Ntdll.Gone = 1;
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 1; i < CHANNEL_COUNT; i++) {
        struct channel *Channel = (struct channel *)(Ntdll.Slot + (size_t)i * CHANNEL_BLOCK);

        if (!atomic_load(&Channel->client_sleeps))
            continue;
        atomic_fetch_add(&Channel->reply, 1u << 24);
        host_futex_wake((uint32_t *)&Channel->reply, 1, true);
    }
    host_lock_acquire(&Hand.Lock);
    while (Hand.Wishes) {
        struct ntdll_wish *Wish = Hand.Wishes;

        Hand.Wishes = Wish->Next;
        fulfil(Wish, STATUS_PORT_DISCONNECTED, 0);
    }
    host_lock_release(&Hand.Lock);
    ntdll_pending_kernel_gone();
}

static void serve(void *Argument)
{
    struct channel_packet Packet;
    int File;

    (void)Argument;
    while (host_receive(Ntdll.Socket, &Packet, sizeof(Packet), &File) == sizeof(Packet)) {
        if (Packet.kind == CHANNEL_THREAD)
            answered_us(&Packet);
        else if (Packet.kind == CHANNEL_EXIT)
            host_exit(Packet.status & 0xff);
        else if (Packet.kind >= CHANNEL_MAP && Packet.kind <= CHANNEL_COPY_OUT)
            answer_kernel(&Packet, File);
        if (File >= 0)
            host_close(File);
    }
    kernel_has_gone();
}

int ntdll_hand_start(void)
{
    memset(&Hand, 0, sizeof(Hand));
    return host_thread_start_detached("nt-hand", serve, NULL) == 0;
}

static void forget(struct ntdll_wish *Wish)
{
    host_lock_acquire(&Hand.Lock);
    for (struct ntdll_wish **Link = &Hand.Wishes; *Link; Link = &(*Link)->Next)
        if (*Link == Wish) {
            *Link = Wish->Next;
            fulfil(Wish, STATUS_PORT_DISCONNECTED, 0);
            break;
        }
    host_lock_release(&Hand.Lock);
}

NTSTATUS ntdll_ask(struct channel_packet *Packet, uint32_t *Thread)
{
    struct ntdll_wish Wish = {.Cookie = atomic_fetch_add(&Ntdll.Cookie, 1) + 1};

    Packet->cookie = Wish.Cookie;
    host_lock_acquire(&Hand.Lock);
    Wish.Next = Hand.Wishes;
    Hand.Wishes = &Wish;
    host_lock_release(&Hand.Lock);
    if (Ntdll.Gone || host_send(Ntdll.Socket, Packet, sizeof(*Packet), -1) < 0)
        forget(&Wish);
    while (!atomic_load(&Wish.Done))
        host_futex_wait((uint32_t *)&Wish.Done, 0, HOST_FOREVER, false);
    *Thread = Wish.Thread;
    return Wish.Status;
}
