/* Finding the kernel, the slot, and a channel for each thread. */
#include "win32/ntdll/ntdll.h"

#include "server/address.h"
#include <string.h>
#include <errno.h>
#include <unistd.h>

struct ntdll_process Ntdll = {.Socket = -1};
static _Thread_local struct ntdll_thread Self __attribute__((tls_model("initial-exec")));

#define SHARED_DATA ((void *)0x7FFE0000)
#define SPIN_START 2000

static void say_no_kernel(const char *Path, int Error)
{
    static _Atomic int Said;

    if (Said++)
        return;
    fprintf(stderr, "usernt: no kernel answers at %s (%s); start one with: nt boot\n", Path,
            strerror(-Error));
}

static char Address[512]; /* of the kernel that answered */

/* A kernel in the background writes what it has to say beside its socket. */
void ntdll_tell_report(void)
{
    char Path[sizeof(Address) + 8];
    size_t Bytes;
    char *Text;

    snprintf(Path, sizeof(Path), "%s.log", Address);
    Text = host_read_file(Path, &Bytes);
    if (Text && strstr(Text, "*** STOP"))
        fprintf(stderr, "usernt: the kernel has ended with a bug check: its report is in %s\n",
                Path);
    free(Text);
}

static int find_kernel(void)
{
    char Path[512];
    int Socket, Error;

    address_default(host_user_id(), Path, sizeof(Path));
    Socket = host_connect(Path);
    Error = Socket;
    snprintf(Address, sizeof(Address), "%s", Path);
    if (Socket < 0 && !getenv("USERNT_ADDRESS")) {
        Socket = host_connect(ADDRESS_OF_ROOT);
        snprintf(Address, sizeof(Address), "%s", ADDRESS_OF_ROOT);
    }
    if (Socket < 0)
        say_no_kernel(Path, Error);
    return Socket;
}

static NTSTATUS Refusal; /* the kernel's reason */

static int receive(uint32_t Kind, struct channel_packet *Packet, int *File)
{
    ssize_t Got = host_receive(Ntdll.Socket, Packet, sizeof(*Packet), File);

    if (Got == sizeof(*Packet) && Packet->kind == Kind && Packet->status < 0)
        Refusal = Packet->status;
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

/* Once mapped it stays: a forked child, or a client whose kernel has gone, may still be reading the
 * time there. */
static int map_shared_data(int File)
{
    static int Mapped;

    Mapped = Mapped || host_reserve(SHARED_DATA, HOST_PAGE_SIZE) >= 0;
    return Mapped && host_map(SHARED_DATA, HOST_PAGE_SIZE, File, 0, HOST_READ) >= 0;
}

/* The process whose inheritable handles this one gets: CreateProcess says so. It is not for
 * children of our own. */
static uint32_t parent(void)
{
    const char *Text = getenv("USERNT_PARENT");
    uint32_t Id = Text ? (uint32_t)strtoul(Text, NULL, 10) : 0;

    unsetenv("USERNT_PARENT");
    return Id;
}

static int exchange_greetings(void)
{
    struct channel_packet Packet = {.kind = CHANNEL_HELLO,
                                    .magic = CHANNEL_MAGIC,
                                    .version = CHANNEL_VERSION,
                                    .thread = host_thread_id()};
    int File = -1, Fine;

    host_program_name(Packet.image, sizeof(Packet.image));
    Packet.process = parent();
    host_send(Ntdll.Socket, &Packet, sizeof(Packet), -1); /* its failure shows in the answer */
    Fine = receive(CHANNEL_WELCOME, &Packet, &File) && map_slot(&Packet, File);
    if (File >= 0)
        host_close(File);
    File = -1;
    Fine = Fine && receive(CHANNEL_SHARED_DATA, &Packet, &File) && map_shared_data(File);
    if (File >= 0)
        host_close(File);
    return Fine;
}

/* A forked child is not the process that the kernel knows: it starts over, without the parent's
 * slot. */
static void forget_in_child(void)
{
    if (Ntdll.Socket >= 0)
        host_close(Ntdll.Socket);
    if (Ntdll.Slot)
        host_unmap(Ntdll.Slot, Ntdll.SlotBytes);
    memset(&Ntdll, 0, sizeof(Ntdll));
    Ntdll.Socket = -1;
    memset(&Self, 0, sizeof(Self));
    ntdll_pending_forget_all();
}

static void say_goodbye(int Code)
{
    struct channel_packet Packet = {.kind = CHANNEL_GOODBYE, .status = Code};

    if (Ntdll.Connected && !Ntdll.Gone)
        host_send(Ntdll.Socket, &Packet, sizeof(Packet), -1);
}

/* The program returns from main, or calls exit: its process's exit status in the kernel. */
static void process_exits(int Code, void *Unused)
{
    (void)Unused;
    say_goodbye(Code);
}

static int is_lack_of_room(NTSTATUS Status)
{
    return Status == STATUS_QUOTA_EXCEEDED || Status == STATUS_TOO_MANY_OPENED_FILES ||
           Status == STATUS_INSUFFICIENT_RESOURCES;
}

static int connect_process(void)
{
    static int Registered;

    if (!Registered++) {
        host_at_fork_child(forget_in_child);
        on_exit(process_exits, NULL);
    }
    Ntdll.Socket = find_kernel();
    if (Ntdll.Socket < 0)
        return 0;
    ntdll_copy_init();
    ntdll_marshal_init();
    if (exchange_greetings() && ntdll_hand_start())
        return 1;
    fprintf(stderr, "usernt: the kernel refused this process%s (status 0x%08X)\n",
            is_lack_of_room(Refusal) ? ": there is no room for another" : "", (unsigned)Refusal);
    host_close(Ntdll.Socket);
    if (Ntdll.Slot)
        host_unmap(Ntdll.Slot, Ntdll.SlotBytes);
    Ntdll.Socket = -1;
    Ntdll.Slot = NULL;
    return 0;
}

static int connected(void)
{
    if (Ntdll.Connected)
        return 1;
    host_lock_acquire(&Ntdll.Lock);
    if (!Ntdll.Connected)
        Ntdll.Connected = connect_process();
    host_lock_release(&Ntdll.Lock);
    return Ntdll.Connected;
}

/* From here on the kernel may give the channel to another thread. */
static void return_channel(struct ntdll_thread *Thread)
{
    struct channel_packet Packet = {
        .kind = CHANNEL_THREAD_LEFT,
        .thread = (uint32_t)(((char *)Thread->Channel - Ntdll.Slot) / CHANNEL_BLOCK)};

    Thread->Channel = NULL;
    host_send(Ntdll.Socket, &Packet, sizeof(Packet), -1);
}

/* The kernel cancels what the thread has pending. The copies of that lie in the channel's block,
 * which must outlive it. */
static void thread_left(void *Argument)
{
    struct ntdll_thread *Thread = Argument;
    uint64_t Arguments[] = {(uint64_t)-2, (uint32_t)Thread->ExitStatus};

    if (!Thread->Channel)
        return;
    if (!Ntdll.Gone && !Thread->Channel->ended) {
        ntdll_call_last(Thread, ServiceNtTerminateThread, Arguments);
        if (atomic_load(&Thread->Outstanding))
            ntdll_call_await_end(Thread);
    }
    ntdll_pending_thread_left(Thread);
    free(Thread->Spare);
    Thread->Spare = NULL;
    return_channel(Thread);
}

void ntdll_thread_ended(struct ntdll_thread *Thread)
{
    (void)Thread;
    host_thread_exit();
}

static NTSTATUS connect_thread(struct ntdll_thread *Thread)
{
    struct channel_packet Packet = {.kind = CHANNEL_NEW_THREAD, .thread = host_thread_id()};
    uint32_t Index = 0;
    NTSTATUS Status = ntdll_ask(&Packet, &Index);

    if (Status < 0)
        return Status;
    Thread->Channel = (struct channel *)(Ntdll.Slot + (size_t)Index * CHANNEL_BLOCK);
    Thread->Scratch = Thread->Channel->scratch;
    Thread->Staging = Thread->Next = Thread->Kept = (char *)Thread->Channel->staging;
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

/* CreateProcess waits until the kernel knows its child, which says who it is (process, thread) and
 * then waits until its creator has its handles. */
__attribute__((constructor)) static void announce_birth(void)
{
    const char *Text = getenv("USERNT_BIRTH");
    uint32_t Birth[2];
    NTSTATUS Status;
    int File;

    if (!Text)
        return;
    File = (int)strtoul(Text, NULL, 10);
    unsetenv("USERNT_BIRTH");
    if (ntdll_thread(&Status)) {
        Birth[0] = Ntdll.ProcessId;
        Birth[1] = host_thread_id();
        if (write(File, Birth, sizeof(Birth)) == sizeof(Birth))
            while (read(File, Birth, 1) < 0 && errno == EINTR)
                ;
    }
    host_close(File);
}

/* A process or thread that ends itself does not wait for the answer. */
NTSTATUS ntdll_terminate_process(uint64_t *Arguments)
{
    NTSTATUS Status;
    struct ntdll_thread *Thread;

    if (Arguments[0] != (uint64_t)-1)
        return ntdll_service(ServiceNtTerminateProcess, 2, Arguments);
    Thread = ntdll_thread(&Status);
    say_goodbye((int)Arguments[1]);
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
