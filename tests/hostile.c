/*
 * Clients that break the protocol, by hand: no libntdll. hostile WHAT SEED [SECONDS]. Each does its
 * worst and ends with 0 unless it could not even begin; what the kernel makes of it is looked at
 * from outside.
 */
#include "host/host.h"
#include "server/address.h"
#include "server/channel.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOT 0x10000000ull
#define THREADS 6

static uint64_t Seed;
static unsigned Seconds = 1;
static struct {
    int Socket;
    char *Slot;
    unsigned Channels[THREADS];
} Client = {.Socket = -1};

const char *__tsan_default_options(void);

/* It races with itself by design; the kernel's races are what counts. */
const char *__tsan_default_options(void)
{
    return "report_bugs=0";
}

static uint64_t random64(void)
{
    Seed ^= Seed << 13;
    Seed ^= Seed >> 7;
    Seed ^= Seed << 17;
    return Seed;
}

static unsigned below(unsigned Limit)
{
    return (unsigned)(random64() >> 16) % Limit;
}

static int open_socket(void)
{
    char Path[512];

    address_default(host_user_id(), Path, sizeof(Path));
    return host_connect(Path);
}

static int say(int Socket, uint32_t Kind, struct channel_packet Packet)
{
    Packet.kind = Kind;
    return host_send(Socket, &Packet, sizeof(Packet), -1);
}

static struct channel_packet greeting(void)
{
    return (struct channel_packet){.magic = CHANNEL_MAGIC,
                                   .version = CHANNEL_VERSION,
                                   .thread = host_thread_id(),
                                   .image = "hostile"};
}

/* Packets until one of that kind; its descriptor or -1 in *File. */
static int await_kind(uint32_t Kind, struct channel_packet *Packet, int *File)
{
    while (host_receive(Client.Socket, Packet, sizeof(*Packet), File) == sizeof(*Packet)) {
        if (Packet->kind == Kind)
            return Packet->status >= 0;
        if (*File >= 0)
            close(*File);
    }
    return 0;
}

static int enter(void)
{
    struct channel_packet Packet;
    int File;

    Client.Socket = open_socket();
    if (Client.Socket < 0 || say(Client.Socket, CHANNEL_HELLO, greeting()) < 0 ||
        !await_kind(CHANNEL_WELCOME, &Packet, &File))
        return 0;
    Client.Slot = mmap((void *)Packet.address, SLOT, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED_NOREPLACE, File, 0);
    close(File);
    if (Client.Slot == MAP_FAILED || !await_kind(CHANNEL_SHARED_DATA, &Packet, &File))
        return 0;
    close(File);
    return 1;
}

static int open_channels(void)
{
    struct channel_packet Packet;
    int File;

    for (unsigned i = 0; i < THREADS; i++) {
        if (say(Client.Socket, CHANNEL_NEW_THREAD,
                (struct channel_packet){.thread = below(3) ? below(100000) : host_process_id()}) <
                0 ||
            !await_kind(CHANNEL_THREAD, &Packet, &File))
            return 0;
        Client.Channels[i] = Packet.thread;
    }
    return 1;
}

static void lay_out_names(void);

static int greeted_with_channels(void)
{
    if (!enter() || !open_channels())
        return 0;
    lay_out_names();
    return 1;
}

/* Before the greeting: packets of any kind, any length, with descriptors. */
static void send_junk(int Socket)
{
    uint8_t Bytes[1024];
    size_t Length = below(4) ? sizeof(struct channel_packet) : below(sizeof(Bytes));
    struct iovec Vector = {Bytes, Length};
    union {
        struct cmsghdr Header;
        char Space[CMSG_SPACE(64 * sizeof(int))];
    } Control;
    struct msghdr Message = {.msg_iov = &Vector, .msg_iovlen = 1};
    unsigned Files = below(3) ? 0 : below(64);

    for (size_t i = 0; i < sizeof(Bytes); i++)
        Bytes[i] = (uint8_t)random64();
    *(uint32_t *)(void *)Bytes = below(5) ? below(16) : (uint32_t)random64();
    if (Files) {
        Control.Header = (struct cmsghdr){CMSG_LEN(Files * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        for (unsigned i = 0; i < Files; i++)
            memcpy(CMSG_DATA(&Control.Header) + i * sizeof(int), &Socket, sizeof(int));
        Message.msg_control = &Control;
        Message.msg_controllen = CMSG_SPACE(Files * sizeof(int));
    }
    sendmsg(Socket, &Message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int junk(void)
{
    for (int i = 0; i < 300; i++) {
        int Socket = open_socket();

        if (Socket < 0)
            return 1;
        for (unsigned n = below(4); n; n--)
            send_junk(Socket);
        close(Socket);
    }
    return 0;
}

/* The same from one that has been greeted; some packets are nearly right. */
static int junk_after_greeting(void)
{
    for (int i = 0; i < 40; i++) {
        if (!enter())
            return 1;
        for (unsigned n = below(60); n; n--) {
            if (below(2))
                send_junk(Client.Socket);
            else
                say(Client.Socket, below(16),
                    (struct channel_packet){.thread = below(2) ? below(2000) : (uint32_t)random64(),
                                            .cookie = below(10),
                                            .status = (int32_t)random64()});
        }
        close(Client.Socket);
        munmap(Client.Slot, SLOT);
    }
    return 0;
}

/* Greetings that lie: versions, names without an end, parents that are not. */
static int false_greetings(void)
{
    for (int i = 0; i < 200; i++) {
        struct channel_packet Packet = greeting();
        int Socket = open_socket();

        if (Socket < 0)
            return 1;
        memset(Packet.image, (int)random64(), sizeof(Packet.image));
        Packet.process = below(3) ? below(40000) : 4;
        Packet.version += !below(4);
        Packet.magic += !below(4);
        for (unsigned n = 1 + below(3); n; n--)
            say(Socket, CHANNEL_HELLO, Packet);
        if (below(2))
            host_receive(Socket, &Packet, sizeof(Packet), NULL);
        close(Socket);
    }
    return 0;
}

/* Asks for threads and reads no answer. */
static int threads_without_end(void)
{
    if (!enter())
        return 1;
    host_set_patience(Client.Socket, 0, 1000);
    for (int i = 0; i < 5000; i++)
        if (say(Client.Socket, CHANNEL_NEW_THREAD, (struct channel_packet){.thread = 1}) < 0)
            break;
    return 0;
}

static int connections(void)
{
    static int Sockets[3000];

    for (unsigned i = 0; i < 3000; i++) {
        Sockets[i] = open_socket();
        if (Sockets[i] < 0)
            break;
    }
    usleep(Seconds * 1000000);
    return 0;
}

enum {
#define SERVICE(name, count) Service##name,
#include "nt/services.def"
#undef SERVICE
    Services
};

/* Mostly one that does not wait for ever. */
static uint16_t some_service(void)
{
    for (;;) {
        unsigned Service = below(Services + 2);

        switch (Service) {
        case ServiceNtDelayExecution:
        case ServiceNtNotifyChangeKey:
        case ServiceNtReadFile:
        case ServiceNtRemoveIoCompletion:
        case ServiceNtSignalAndWaitForSingleObject:
        case ServiceNtTerminateProcess:
        case ServiceNtTerminateThread:
        case ServiceNtWaitForMultipleObjects:
        case ServiceNtWaitForSingleObject:
            if (below(200))
                continue;
        }
        return (uint16_t)Service;
    }
}

#define SCRATCH 0x100000
#define NAMES 0x120000
#define NAME_BYTES 512
#define PARTS 0x130000
#define PART_COUNT 64
static const char *const Names[] = {"\\Device\\Example\\hostile",
                                    "\\Device\\SharingMemory",
                                    "\\BaseNamedObjects\\one",
                                    "\\BaseNamedObjects\\two",
                                    "\\BaseNamedObjects",
                                    "\\Registry\\Machine\\SOFTWARE\\Hostile",
                                    "\\Registry\\Machine\\SYSTEM\\CurrentControlSet\\Services",
                                    "one"};
#define NAME_COUNT (sizeof(Names) / sizeof(Names[0]))

/* OBJECT_ATTRIBUTES, a UNICODE_STRING and the text, one behind the other. */
static void lay_out_names(void)
{
    for (unsigned i = 0; i < NAME_COUNT; i++) {
        char *At = Client.Slot + NAMES + i * NAME_BYTES;
        uint16_t *Text = (uint16_t *)(void *)(At + 64);
        uint16_t Length = (uint16_t)(2 * strlen(Names[i]));

        memcpy(At, &(uint64_t[6]){48, 0, (uint64_t)(At + 48), 0x40, 0, 0}, 48);
        memcpy(At + 48, &(uint64_t[2]){Length | (uint64_t)Length << 16, (uint64_t)Text}, 16);
        for (unsigned c = 0; c < Length / 2; c++)
            Text[c] = (uint8_t)Names[i][c];
    }
}

static uint64_t some_pointer(void)
{
    uint64_t Base = (uint64_t)Client.Slot;

    switch (below(6)) {
    case 0:
    case 1:
        return Base + NAMES + below(NAME_COUNT) * NAME_BYTES + 48 * (below(4) == 0);
    default:
        return Base + SCRATCH + (random64() & 0xFFF8);
    }
}

/* A value that a careless kernel would trip over. */
static uint64_t bad_value(void)
{
    uint64_t Base = (uint64_t)Client.Slot;

    switch (below(24)) {
    case 0:
        return 0;
    case 1:
        return (uint64_t)-1 - below(4);
    case 2:
        return random64();
    case 3:
        return 0x7c0000000000ull + (random64() & 0xFFFFFFF8);
    case 4:
        return Base + SLOT - below(64);
    case 5:
        return Base + 0x2000000 + (random64() & 0xFFFFF8); /* not committed, perhaps */
    case 6:
        return (uint64_t)&Seed & ~7ull;
    case 7:
    case 8:
    case 9:
    case 10:
        return 4 * below(64);
    case 11:
        return 1ull << below(32);
    case 12:
        return below(70000);
    case 13:
        return 0x222000 + below(128);
    case 14:
        return 0x1F0003 + 0x1000000 * below(3);
    default:
        return some_pointer();
    }
}

static struct channel *channel(unsigned Index)
{
    return (struct channel *)(Client.Slot + (size_t)Index * CHANNEL_BLOCK);
}

/* The scratch memory that the arguments point to. */
static void scribble_scratch(void)
{
    uint64_t *Scratch = (uint64_t *)(void *)(Client.Slot + SCRATCH);

    for (int i = 0; i < 64; i++)
        Scratch[below(0x2000)] = below(3) ? bad_value() : (random64() & 0xFF00FF);
}

static void bad_arguments(struct channel *Channel)
{
    for (unsigned i = 0; i < CHANNEL_IN_LINE; i++)
        Channel->arguments[i] = bad_value();
    for (unsigned i = 0; i < CHANNEL_ARGUMENTS - CHANNEL_IN_LINE; i++)
        Channel->more[i] = bad_value();
}

/* Many calls at once: mostly as many as there are, of a client that says it runs anywhere. */
static void ask_for_many(struct channel *Channel)
{
    struct channel_part *Parts = (struct channel_part *)(void *)(Client.Slot + PARTS);

    for (unsigned i = 0; i < PART_COUNT; i++) {
        Parts[i].service = below(20) ? some_service() : (uint32_t)random64();
        for (unsigned k = 0; k < sizeof(Parts->arguments) / sizeof(Parts->arguments[0]); k++)
            Parts[i].arguments[k] = bad_value();
    }
    if (below(10))
        Channel->arguments[0] = (uint64_t)Parts;
    if (below(10))
        Channel->arguments[1] = below(PART_COUNT + 1);
    Channel->arguments[2] = below(2) ? below(8) : random64();
    Channel->service = CHANNEL_MANY;
}

static void ring_badly(unsigned Index)
{
    struct channel *Channel = channel(Index);

    bad_arguments(Channel);
    Channel->given = below(3) ? 0xFFFF : (uint16_t)random64();
    Channel->service = below(100) ? (uint16_t)(some_service() | (below(8) ? 0 : CHANNEL_IOSB))
                                  : (uint16_t)random64();
    if (!below(20))
        ask_for_many(Channel);
    atomic_fetch_add(&Channel->call, 1);
    host_futex_wake((uint32_t *)&Channel->call, 1, true);
}

static void *scribble(void *Unused)
{
    for (;;) {
        scribble_scratch();
        ((uint64_t *)(void *)(Client.Slot + NAMES))[below(NAME_COUNT * NAME_BYTES / 8)] =
            bad_value();
        if (!below(4))
            lay_out_names();
        for (unsigned i = 0; i < THREADS; i++) {
            if (below(30))
                continue;
            uint32_t *Words = (uint32_t *)channel(Client.Channels[i]);

            Words[below(0x1000 / 4)] = (uint32_t)random64();
            bad_arguments(channel(Client.Channels[i]));
        }
    }
    return Unused;
}

static int Liar; /* the hand answers other questions than it was asked, or not at all */

static void *answer(void *Unused)
{
    struct channel_packet Packet;
    int File;

    while (host_receive(Client.Socket, &Packet, sizeof(Packet), &File) == sizeof(Packet)) {
        if (File >= 0)
            close(File);
        Packet.kind = CHANNEL_DONE;
        Packet.status = below(2) ? 0 : (int32_t)random64();
        Packet.cookie += Liar && !below(3);
        if (!Liar || below(20))
            host_send(Client.Socket, &Packet, sizeof(Packet), -1);
    }
    return Unused;
}

static void start(void *(*Routine)(void *))
{
    pthread_t Thread;

    pthread_create(&Thread, NULL, Routine, NULL);
}

/* Every service with bad arguments, which another thread changes meanwhile.
 */
static int calls(void)
{
    uint64_t End = host_now() + Seconds * 1000000000ull;

    if (!greeted_with_channels())
        return 1;
    start(scribble);
    start(answer);
    while (host_now() < End) {
        for (unsigned i = 0; i < THREADS; i++)
            ring_badly(Client.Channels[i]);
        usleep(below(50));
    }
    return 0;
}

static int lies(void)
{
    Liar = 1;
    return calls();
}

/* Ends in the middle of its calls, over and over. */
static int ends_in_calls(void)
{
    uint64_t End = host_now() + Seconds * 1000000000ull;

    while (host_now() < End) {
        pid_t Child = fork();
        int Status;

        Seed += 1000003;
        if (Child == 0) {
            if (!greeted_with_channels())
                _exit(1);
            for (unsigned n = below(30); n; n--)
                ring_badly(Client.Channels[below(THREADS)]);
            signal(SIGSEGV, SIG_DFL); /* a sanitizer would make a report of it */
            if (below(2))
                raise(below(2) ? SIGKILL : SIGSEGV);
            _exit(0);
        }
        waitpid(Child, &Status, 0);
        if (WIFEXITED(Status) && WEXITSTATUS(Status))
            return 1;
    }
    return 0;
}

/* A child with the parent's socket and slot; both go on, then both end. */
static int forks(void)
{
    pid_t Child;

    if (!greeted_with_channels())
        return 1;
    Child = fork();
    Seed += (uint64_t)Child;
    for (int i = 0; i < 2000; i++) {
        ring_badly(Client.Channels[below(THREADS)]);
        if (!below(50))
            say(Client.Socket, below(16), (struct channel_packet){.thread = below(20)});
    }
    if (Child == 0)
        _exit(0);
    close(Client.Socket);
    usleep(100000);
    waitpid(Child, NULL, 0);
    return 0;
}

/* Another program in its place, with the socket still open and nobody there who reads it. */
static int becomes_another(void)
{
    char Text[16];

    if (!greeted_with_channels())
        return 1;
    ring_badly(Client.Channels[0]);
    dup2(Client.Socket, 100); /* survives */
    snprintf(Text, sizeof(Text), "%u", Seconds);
    execlp("sleep", "sleep", Text, (char *)NULL);
    return 1;
}

static const struct {
    const char *Name;
    int (*Run)(void);
} Hostile[] = {
    {"junk", junk},
    {"junk2", junk_after_greeting},
    {"greetings", false_greetings},
    {"threads", threads_without_end},
    {"connections", connections},
    {"calls", calls},
    {"lies", lies},
    {"ends", ends_in_calls},
    {"forks", forks},
    {"exec", becomes_another},
};

int main(int Count, char **Arguments)
{
    if (Count < 3)
        return 2;
    Seed = strtoull(Arguments[2], NULL, 10) * 0x9E3779B97F4A7C15ull + 1;
    if (Count > 3)
        Seconds = (unsigned)strtoul(Arguments[3], NULL, 10);
    for (unsigned i = 0; i < sizeof(Hostile) / sizeof(Hostile[0]); i++)
        if (!strcmp(Arguments[1], Hostile[i].Name))
            _exit(Hostile[i].Run());
    return 2;
}
