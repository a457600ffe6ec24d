/* Finding the kernel, the slot, and a channel for each thread. */
#include "win32/ntdll/ntdll.h"

#include "server/address.h"
#include <string.h>
#include <errno.h>

struct ntdll_process Ntdll = {.Socket = -1};
static _Thread_local struct ntdll_thread Self;

#define SHARED_DATA ((void *)0x7FFE0000)
#define SPIN_START 2000

static void say_no_kernel(const char *Path, int Error)
{
    fprintf(stderr, "usernt: no kernel answers at %s (%s); start one with: nt boot\n", Path,
            strerror(-Error));
}

static int find_kernel(void)
{
    char Path[512];
    int Socket, Error;

    address_default(host_user_id(), Path, sizeof(Path));
    Socket = host_connect(Path);
    Error = Socket;
    if (Socket < 0 && !getenv("USERNT_ADDRESS"))
        Socket = host_connect(ADDRESS_OF_ROOT);
    if (Socket < 0)
        say_no_kernel(Path, Error);
    return Socket;
}

static int receive(uint32_t Kind, struct channel_packet *Packet, int *File)
{
    ssize_t Got = host_receive(Ntdll.Socket, Packet, sizeof(*Packet), File);

    return Got == sizeof(*Packet) && Packet->kind == Kind && Packet->status >= 0 && *File >= 0;
}

static int map_slot(const struct channel_packet *Welcome, int File)
{
    void *Base = (void *)Welcome->address;

    if (host_reserve(Base, 0x10000000) < 0 ||
        host_map(Base, Welcome->bytes, File, 0, HOST_READ | HOST_WRITE) < 0)
        return 0;
    Ntdll.Slot = Base;
    Ntdll.SlotBytes = 0x10000000;
    Ntdll.ProcessId = Welcome->process;
    return 1;
}

static int map_shared_data(int File)
{
    return host_reserve(SHARED_DATA, HOST_PAGE_SIZE) >= 0 &&
           host_map(SHARED_DATA, HOST_PAGE_SIZE, File, 0, HOST_READ) >= 0;
}

static int exchange_greetings(void)
{
    struct channel_packet Packet = {.kind = CHANNEL_HELLO,
                                    .magic = CHANNEL_MAGIC,
                                    .version = CHANNEL_VERSION,
                                    .thread = host_thread_id()};
    int File = -1, Fine;

    host_program_name(Packet.image, sizeof(Packet.image));
    if (host_send(Ntdll.Socket, &Packet, sizeof(Packet), -1) < 0)
        return 0;
    Fine = receive(CHANNEL_WELCOME, &Packet, &File) && map_slot(&Packet, File);
    if (File >= 0)
        host_close(File);
    File = -1;
    Fine = Fine && receive(CHANNEL_SHARED_DATA, &Packet, &File) && map_shared_data(File);
    if (File >= 0)
        host_close(File);
    return Fine;
}

/* A forked child is not the process that the kernel knows: it starts over, without the parent's slot. */
static void forget_in_child(void)
{
    if (Ntdll.Socket >= 0)
        host_close(Ntdll.Socket);
    if (Ntdll.Slot) {
        host_unmap(Ntdll.Slot, Ntdll.SlotBytes);
        host_unmap(SHARED_DATA, HOST_PAGE_SIZE);
    }
    memset(&Ntdll, 0, sizeof(Ntdll));
    Ntdll.Socket = -1;
    memset(&Self, 0, sizeof(Self));
    ntdll_pending_forget_all();
}

static int connect_process(void)
{
    static int Registered;

    if (!Registered++)
        host_at_fork_child(forget_in_child);
    Ntdll.Socket = find_kernel();
    if (Ntdll.Socket < 0)
        return -1;
    ntdll_copy_init();
    ntdll_marshal_init();
    if (exchange_greetings() && ntdll_hand_start())
        return 1;
    fprintf(stderr, "usernt: the kernel refused this process\n");
    host_close(Ntdll.Socket);
    Ntdll.Socket = -1;
    return -1;
}

static int connected(void)
{
    if (Ntdll.Connected == 1)
        return 1;
    host_lock_acquire(&Ntdll.Lock);
    if (Ntdll.Connected == 0)
        Ntdll.Connected = connect_process();
    host_lock_release(&Ntdll.Lock);
    return Ntdll.Connected == 1;
}

static void thread_left(void *Argument)
{
    struct ntdll_thread *Thread = Argument;
    uint64_t Arguments[] = {(uint64_t)-2, (uint32_t)Thread->ExitStatus};

    if (Thread->Channel && !Ntdll.Gone)
        ntdll_call_last(Thread, ServiceNtTerminateThread, Arguments);
    Thread->Channel = NULL;
    ntdll_pending_thread_left(Thread);
}

static NTSTATUS connect_thread(struct ntdll_thread *Thread)
{
    struct channel_packet Packet = {.kind = CHANNEL_NEW_THREAD, .thread = host_thread_id()};
    uint32_t Index = 0;
    NTSTATUS Status = ntdll_ask(&Packet, &Index);

    if (Status < 0)
        return Status;
    Thread->Channel = (struct channel *)(Ntdll.Slot + (size_t)Index * CHANNEL_BLOCK);
    Thread->Scratch = (uint64_t *)((char *)Thread->Channel + CHANNEL_PAGE);
    Thread->Staging = Thread->Next = (char *)(Thread->Scratch + 8);
    Thread->StagingEnd = (char *)Thread->Channel + CHANNEL_BLOCK;
    Thread->Sequence = 0;
    Thread->Spin = SPIN_START;
    host_at_thread_exit(thread_left, Thread);
    return STATUS_SUCCESS;
}

struct ntdll_thread *ntdll_thread(NTSTATUS *Status)
{
    if (__builtin_expect(Self.Channel != NULL, 1))
        return &Self;
    *Status = STATUS_PORT_CONNECTION_REFUSED;
    if (!connected())
        return NULL;
    *Status = Ntdll.Gone ? STATUS_PORT_DISCONNECTED : connect_thread(&Self);
    return Self.Channel ? &Self : NULL;
}

/* A process or thread that ends itself does not wait for the answer. */
NTSTATUS ntdll_terminate_process(uint64_t *Arguments)
{
    NTSTATUS Status;
    struct ntdll_thread *Thread;

    if (Arguments[0] != 0 && Arguments[0] != (uint64_t)-1)
        return ntdll_service(ServiceNtTerminateProcess, 2, Arguments);
    Thread = ntdll_thread(&Status);
    Arguments[0] = (uint64_t)-1;
    if (Thread)
        ntdll_call_last(Thread, ServiceNtTerminateProcess, Arguments);
    host_exit((int)Arguments[1]);
}

NTSTATUS ntdll_terminate_thread(uint64_t *Arguments)
{
    if (Arguments[0] != 0 && Arguments[0] != (uint64_t)-2)
        return ntdll_service(ServiceNtTerminateThread, 2, Arguments);
    Self.ExitStatus = (NTSTATUS)Arguments[1];
    host_thread_exit();
}
