/*
 * A kernel half: the thread of the kernel process that runs the system calls of one client thread.
 *
 * The channel lies in the client's slot, so all of it may change at any time. A call is copied
 * once; its answer is written and then published by the reply word.
 */
#include "server/server.h"

#include <string.h>

struct half {
    struct server_client *Client;
    struct channel *Channel;
    ULONG Index;
    uint32_t Served;
    BOOLEAN Near;                    /* the client was on the processor of the last answer */
    ULONG Awake, Together, Patience; /* see part_from */
    BOOLEAN Many;                    /* the last call was: the two may well stay together */
    ULONG Apart, Reluctance;         /* see come_to */
};

#define PARTS_COPIED 16
#define WAKES_HELD 1000 /* of the performance counter: 100 us */
#define PATIENCE_FIRST 16
#define PATIENCE_MOST 4096
#define AWAKE_ENOUGH 1000
#define WORTH_COMING 32 /* parts: what they take is several times what it costs */
#define RELUCTANCE_MOST 1024

static ULONG take_index(struct server_client *Client)
{
    ULONG Index = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&Client->ChannelLock, &Irql);
    for (ULONG Word = 0; Word < CHANNEL_COUNT / 64 && !Index; Word++) {
        if (~Client->ChannelsBusy[Word]) {
            Index = Word * 64 + (ULONG)__builtin_ctzll(~Client->ChannelsBusy[Word]);
            Client->ChannelsBusy[Word] |= 1ull << (Index % 64);
        }
    }
    KeReleaseSpinLock(&Client->ChannelLock, Irql);
    return Index;
}

static void return_index(struct server_client *Client, ULONG Index)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Client->ChannelLock, &Irql);
    Client->ChannelsBusy[Index / 64] &= ~(1ull << (Index % 64));
    KeReleaseSpinLock(&Client->ChannelLock, Irql);
}

/* A channel is free when neither side uses it any more. Mine: what the caller's side sets. */
static void leave_index(struct server_client *Client, ULONG Index, ULONG64 *Mine,
                        const ULONG64 *Other)
{
    ULONG Word = Index / 64;
    ULONG64 Bit = 1ull << (Index % 64);
    KIRQL Irql;

    KeAcquireSpinLock(&Client->ChannelLock, &Irql);
    if (Client->ChannelsBusy[Word] & Bit)
        Mine[Word] |= Bit;
    if (Mine[Word] & Other[Word] & Bit) {
        Client->ChannelsBusy[Word] &= ~Bit;
        Client->ChannelsEnded[Word] &= ~Bit;
        Client->ChannelsLeft[Word] &= ~Bit;
    }
    KeReleaseSpinLock(&Client->ChannelLock, Irql);
}

void thread_left(struct server_client *Client, ULONG Index)
{
    if (Index > 0 && Index < CHANNEL_COUNT)
        leave_index(Client, Index, Client->ChannelsLeft, Client->ChannelsEnded);
}

static BOOLEAN is_terminating(void)
{
    return __atomic_load_n(&KiSelf->Terminating, __ATOMIC_ACQUIRE);
}

/* Two threads that wake each other in turn stay on one processor, if the other processors had work
 * when they first woke: Linux never sees both of them wanting to run. Then spinning never pays. So
 * the kernel half moves, ever more seldom if that does not help. */
static void part_from(struct half *Half, uint32_t Cpu)
{
    if (Half->Awake > AWAKE_ENOUGH)
        Half->Patience = PATIENCE_FIRST;
    Half->Awake = 0;
    if (host_current_cpu() != Cpu) {
        Half->Together = 0;
        return;
    }
    if (++Half->Together < Half->Patience)
        return;
    Half->Together = 0;
    if (Half->Patience < PATIENCE_MOST)
        Half->Patience *= 2;
    host_leave_cpu(Cpu);
    KeExpectDoorbell();
}

/* While many calls are made for it the client has nothing to do: its processor is free, holds what
 * was written last, and leaves the others to whoever waits for what the calls do. So the kernel
 * half comes, ever more seldom if Linux moves it away again. */
static void come_to(struct half *Half, uint32_t Cpu)
{
    if (host_current_cpu() == Cpu) {
        Half->Reluctance /= 2;
        return;
    }
    if (++Half->Apart <= Half->Reluctance)
        return;
    Half->Apart = 0;
    Half->Reluctance = min(2 * Half->Reluctance + 1, (ULONG)RELUCTANCE_MOST);
    host_enter_cpu(Cpu);
}

static void publish(struct half *Half, uint32_t Call)
{
    struct channel *Channel = Half->Channel;
    uint32_t Sleeps;

    Half->Served = Call;
    Channel->cpu = (uint16_t)host_current_cpu();
    atomic_store_explicit(&Channel->reply, Call, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    Sleeps = atomic_load_explicit(&Channel->client_sleeps, memory_order_relaxed);
    if (Sleeps) {
        host_futex_wake((uint32_t *)&Channel->reply, 1, true);
        if (Half->Many)
            Half->Patience = PATIENCE_FIRST; /* that they are together is no whim of Linux's */
        else
            part_from(Half, Sleeps - 1);
    } else {
        Half->Awake++;
    }
}

/* Copies the call, once. */
static ULONG take_call(const struct channel *Channel, ULONG_PTR *Arguments)
{
    uint32_t Given = *(const volatile uint16_t *)&Channel->given;
    ULONG Next = 0;

    for (ULONG i = 0; i < CHANNEL_ARGUMENTS; i++) {
        Arguments[i] = 0;
        if (Given >> i & 1) {
            Arguments[i] =
                *(const volatile uint64_t *)(Next < CHANNEL_IN_LINE
                                                 ? &Channel->arguments[Next]
                                                 : &Channel->more[Next - CHANNEL_IN_LINE]);
            Next++;
        }
    }
    return *(const volatile uint16_t *)&Channel->service;
}

static NTSTATUS call_part(ULONG_PTR Address, const struct channel_part *Part)
{
    int32_t Status = KiSystemService(Part->service, (const ULONG_PTR *)Part->arguments);

    if (Status == STATUS_SUCCESS)
        return STATUS_SUCCESS;
    return MmCopyToUser((PVOID)(Address + offsetof(struct channel_part, status)), &Status,
                        sizeof(Status));
}

/* Each part is copied once. */
static NTSTATUS call_some(ULONG_PTR Address, ULONG_PTR Count)
{
    struct channel_part Parts[PARTS_COPIED];
    NTSTATUS Status = MmCopyFromUser(Parts, (PVOID)Address, Count * sizeof(*Parts));

    for (ULONG_PTR i = 0; i < Count && NT_SUCCESS(Status) && !is_terminating(); i++) {
        if (i)
            VfTraceGoesOn();
        Status = call_part(Address + i * sizeof(*Parts), &Parts[i]);
    }
    return Status;
}

/* Whoever waits for what the parts do is woken once for many of them: it would run on the other
 * processor, and get in the way of the next ones, or on this one, and hold them up. For the last
 * ones it is woken when the answer has been given, since the client need not wait for that. */
static NTSTATUS call_many(ULONG_PTR Address, ULONG_PTR Count)
{
    NTSTATUS Status = STATUS_SUCCESS;
    LONGLONG Now, Held = 0;

    if (Count > CHANNEL_PARTS)
        return STATUS_INVALID_PARAMETER;
    for (ULONG_PTR i = 0; i < Count && NT_SUCCESS(Status) && !is_terminating(); i += PARTS_COPIED) {
        Now = KeQueryPerformanceCounter(NULL).QuadPart;
        if (Now - Held >= WAKES_HELD) {
            KeReleaseWakes();
            KeHoldWakes();
            Held = Now;
        }
        Status = call_some(Address + i * sizeof(struct channel_part),
                           min(Count - i, (ULONG_PTR)PARTS_COPIED));
    }
    return Status;
}

static NTSTATUS call(struct half *Half, ULONG Service, const ULONG_PTR *Arguments)
{
    Half->Many = Service == CHANNEL_MANY;
    if (!Half->Many)
        return KiSystemService(Service, Arguments);
    if (Arguments[1] >= WORTH_COMING && Arguments[2])
        come_to(Half, (uint32_t)Arguments[2] - 1);
    return call_many(Arguments[0], Arguments[1]);
}

static void answer_call(struct half *Half, uint32_t Call)
{
    struct channel *Channel = Half->Channel;
    ULONG_PTR Arguments[CHANNEL_ARGUMENTS];
    KI_USER_APC Apc;
    BOOLEAN HasApc;
    ULONG Service;

    host_will_write(&Channel->reply);
    __builtin_prefetch(Channel->staging);
    Service = take_call(Channel, Arguments);
    Half->Near = (Service & CHANNEL_NEAR) != 0;
    if (Service & CHANNEL_IOSB)
        Channel->iosb[0] = STATUS_PENDING;
    Channel->status = call(Half, Service & CHANNEL_SERVICE, Arguments);
    if (is_terminating())
        return;
    HasApc = KiSelf->ApcState.UserApcPending && KeTakeUserApc(&Apc);
    Channel->has_apc = HasApc; /* the client may change it: what follows asks the copy */
    if (HasApc)
        Channel->apc = (struct channel_apc){
            (uint64_t)(ULONG_PTR)Apc.Routine, (uint64_t)(ULONG_PTR)Apc.Context,
            (uint64_t)(ULONG_PTR)Apc.Argument1, (uint64_t)(ULONG_PTR)Apc.Argument2};
    publish(Half, Call);
}

/* The client's thread waits for this if it left requests pending, or if it was ended by someone
 * else in the middle of a call. */
static void end_channel(struct half *Half)
{
    IopCancelThreadIrps(PsSelf());
    if (Half->Client->Process->Exiting || client_gone(Half->Client))
        return; /* then the whole process is told */
    Half->Channel->status = STATUS_THREAD_IS_TERMINATING;
    Half->Channel->ended = 1;
    publish(Half, atomic_load(&Half->Channel->call));
}

static void run_half(struct _ETHREAD *Thread, PVOID Context)
{
    struct half *Half = Context;

    KeShowWaits(&Half->Channel->kernel_waits);
    while (!is_terminating()) {
        uint32_t Call = atomic_load(&Half->Channel->call);

        if (Call != Half->Served) {
            answer_call(Half, Call);
            KeReleaseWakes();
        } else {
            KeDeliverKernelApcs();
            KeWaitForDoorbell((uint32_t *)&Half->Channel->call, Half->Served,
                              (uint32_t *)&Half->Channel->kernel_sleeps, Half->Near);
        }
    }
    if (Half->Client->Process->Exiting)
        tell_end(Half->Client, Half->Client->Process->ExitStatus);
    end_channel(Half);
    KeShowWaits(NULL);
    leave_index(Half->Client, Half->Index, Half->Client->ChannelsEnded, Half->Client->ChannelsLeft);
    MmReturnThread_(&Half->Client->Process->AddressSpace);
    room_return_thread(Half->Client->Room);
    client_release(Half->Client);
    ExFreePoolWithTag(Half, 'flaH');
}

NTSTATUS thread_start(struct server_client *Client, ULONG HostThreadId, ULONG *Index)
{
    struct half *Half = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Half), 'flaH');
    struct _ETHREAD *Thread;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!Half)
        return Status;
    if (!room_take_thread(Client->Room))
        goto free_half;
    if (!MmTakeThread_(&Client->Process->AddressSpace))
        goto return_thread;
    *Index = take_index(Client);
    if (!*Index)
        goto return_mappings;
    Half->Client = Client;
    Half->Index = *Index;
    Half->Patience = PATIENCE_FIRST;
    Half->Channel = (struct channel *)(Client->Process->AddressSpace.Low + *Index * CHANNEL_BLOCK);
    memset(Half->Channel, 0, offsetof(struct channel, staging));
    atomic_fetch_add(&Client->References, 1);
    Status = PsCreateClientThread(Client->Process, HostThreadId, run_half, Half, &Thread);
    if (!NT_SUCCESS(Status))
        goto release;
    ObfDereferenceObject(Thread);
    return STATUS_SUCCESS;
release:
    client_release(Client);
    return_index(Client, *Index);
return_mappings:
    MmReturnThread_(&Client->Process->AddressSpace);
return_thread:
    room_return_thread(Client->Room);
free_half:
    ExFreePoolWithTag(Half, 'flaH');
    return Status;
}
