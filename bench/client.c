/* What is measured across processes: a control request, the first one after a boot, and the pipe.
 */
#define _GNU_SOURCE
#include <windows.h>
#include <winioctl.h>
#include <ioringapi.h>
#include "measure.h"
#include "names.h"
#include "public.h"
#include "../drivers/pipe/public.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static HANDLE Device = INVALID_HANDLE_VALUE;
static pid_t Player;

static HANDLE open_device(void)
{
    return CreateFileA("\\\\.\\Bench", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0,
                       NULL);
}

static void run_ioctl(void *Context, unsigned long Count)
{
    char Buffer[64] = {0};
    DWORD Done;

    (void)Context;
    while (Count--)
        if (!DeviceIoControl(Device, IOCTL_BENCH_ECHO, Buffer, sizeof(Buffer), Buffer,
                             sizeof(Buffer), &Done, NULL)) {
            fprintf(stderr, "nt-bench: ioctl: error %u\n", (unsigned)GetLastError());
            exit(1);
        }
}

/* Two processes that hand a word to each other, spinning: the fastest that two processes can do. */
struct table {
    _Atomic unsigned Ball;
    char Apart[60];
};

static void play(struct table *Table)
{
    for (;;) {
        while (!(atomic_load_explicit(&Table->Ball, memory_order_acquire) & 1))
            __builtin_ia32_pause();
        atomic_store_explicit(&Table->Ball, 0, memory_order_release);
    }
}

static void run_ping_pong(void *Context, unsigned long Count)
{
    struct table *Table = Context;

    while (Count--) {
        atomic_store_explicit(&Table->Ball, 1, memory_order_release);
        while (atomic_load_explicit(&Table->Ball, memory_order_acquire))
            __builtin_ia32_pause();
    }
}

static cpu_set_t Processors; /* that this process may use */

static void use_one_processor(pid_t Process, int Last)
{
    cpu_set_t One;
    int Which = 0;

    for (int i = 0; i < CPU_SETSIZE && (Last || !CPU_ISSET(Which, &Processors)); i++)
        if (CPU_ISSET(i, &Processors))
            Which = i;
    CPU_ZERO(&One);
    CPU_SET(Which, &One);
    sched_setaffinity(Process, sizeof(One), &One);
}

/* Each player has a processor of its own, and the other one runs only while it is played with: two
 * processors are all there may be. */
static void begin_ping_pong(void *Context)
{
    sched_getaffinity(0, sizeof(Processors), &Processors);
    use_one_processor(0, 0);
    use_one_processor(Player, 1);
    kill(Player, SIGCONT);
    run_ping_pong(Context, 1000);
}

static void end_ping_pong(void *Context)
{
    (void)Context;
    kill(Player, SIGSTOP);
    sched_setaffinity(0, sizeof(Processors), &Processors);
}

static pid_t start_player(struct table **Table)
{
    pid_t Child;

    *Table = mmap(NULL, sizeof(**Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Child = fork();
    if (Child == 0)
        play(*Table);
    return Child;
}

static void fail(const char *What)
{
    fprintf(stderr, "nt-bench: %s: error %u\n", What, (unsigned)GetLastError());
    exit(1);
}

static void measure_ioctl(void)
{
    struct metric Metric = {"ioctl_process",  "ns",          run_ioctl, NULL,
                            "spin_ping_pong", run_ping_pong, NULL,      1,
                            begin_ping_pong,  end_ping_pong};
    struct table *Table;

    if (!is_measured(Metric.name))
        return;
    Player = start_player(&Table);
    kill(Player, SIGSTOP);
    Device = open_device();
    if (Device == INVALID_HANDLE_VALUE) {
        kill(Player, SIGKILL);
        fail("cannot open the bench device");
    }
    Metric.reference_context = Table;
    measure(&Metric);
    CloseHandle(Device);
    kill(Player, SIGKILL);
    waitpid(Player, NULL, 0);
}

/* A pipe between two processes: this one writes, another one reads all it can get. Both pipes hold
 * 64 KiB. */
#define BLOCK 65536

struct ends {
    HANDLE Ours;
    int Theirs;
    DWORD Bytes;
    HIORING Ring;
};
static char Block[BLOCK];

/* Every message begins like this one, so a reader knows what comes next. */
#define MESSAGE 64
static char Pattern[BLOCK + MESSAGE];

static void make_pattern(void)
{
    for (unsigned i = 0; i < sizeof(Pattern); i++)
        Pattern[i] = (char)('0' + i % MESSAGE);
    memcpy(Block, Pattern, sizeof(Block));
}

static void check_pattern(size_t Bytes)
{
    static size_t At;

    if (memcmp(Block, Pattern + At % MESSAGE, Bytes) != 0) {
        fprintf(stderr, "nt-bench: a pipe has changed what went through it\n");
        abort();
    }
    At += Bytes;
}

static HANDLE open_pipe(void)
{
    EXAMPLE_MODE Mode = {BLOCK, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0};
    HANDLE Pipe = CreateFileA("\\\\.\\Example\\bench", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                              OPEN_EXISTING, 0, NULL);
    DWORD Done;

    if (Pipe == INVALID_HANDLE_VALUE)
        fail("cannot open the pipe");
    if (!DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0, &Done, NULL) &&
        GetLastError() != ERROR_BAD_COMMAND) /* somebody waits already: so the mode is set */
        fail("cannot set the pipe's mode");
    return Pipe;
}

static void run_our_pipe(void *Context, unsigned long Count)
{
    struct ends *Ends = Context;
    DWORD Done;

    while (Count--)
        if (!WriteFile(Ends->Ours, Block, Ends->Bytes, &Done, NULL) || Done != Ends->Bytes)
            fail("cannot write to the pipe");
}

/* The same messages, BATCH of them a submission of an I/O ring. */
#define BATCH 256

static void pop_batch(HIORING Ring, unsigned long Count)
{
    IORING_CQE Completion;

    while (Count--)
        if (PopIoRingCompletion(Ring, &Completion) != S_OK || Completion.ResultCode != S_OK ||
            Completion.Information != MESSAGE)
            fail("cannot write to the pipe through the ring");
}

static void run_our_ring(void *Context, unsigned long Count)
{
    struct ends *Ends = Context;
    IORING_HANDLE_REF File = IoRingHandleRefFromIndex(0);
    IORING_BUFFER_REF Data = IoRingBufferRefFromPointer(Block);

    while (Count) {
        unsigned long Batch = Count < BATCH ? Count : BATCH;

        for (unsigned long i = 0; i < Batch; i++)
            if (BuildIoRingWriteFile(Ends->Ring, File, Data, MESSAGE, 0, FILE_WRITE_FLAGS_NONE, i,
                                     IOSQE_FLAGS_NONE) != S_OK)
                fail("cannot build an entry of the ring");
        if (SubmitIoRing(Ends->Ring, IORING_SUBMIT_WAIT_ALL, INFINITE, NULL) != S_OK)
            fail("cannot submit to the ring");
        pop_batch(Ends->Ring, Batch);
        Count -= Batch;
    }
}

static HIORING open_ring(HANDLE File)
{
    IORING_CREATE_FLAGS Flags = {IORING_CREATE_REQUIRED_FLAGS_NONE,
                                 IORING_CREATE_ADVISORY_FLAGS_NONE};
    IORING_CQE Completion;
    HIORING Ring;

    if (CreateIoRing(IORING_VERSION_3, Flags, BATCH, 2 * BATCH, &Ring) != S_OK ||
        BuildIoRingRegisterFileHandles(Ring, 1, &File, 0) != S_OK ||
        SubmitIoRing(Ring, 1, INFINITE, NULL) != S_OK ||
        PopIoRingCompletion(Ring, &Completion) != S_OK || Completion.ResultCode != S_OK)
        fail("no I/O ring");
    return Ring;
}

static void run_their_pipe(void *Context, unsigned long Count)
{
    struct ends *Ends = Context;

    while (Count--)
        if (write(Ends->Theirs, Block, Ends->Bytes) != (ssize_t)Ends->Bytes)
            fail("cannot write to the pipe of Linux");
}

static int read_ours(void)
{
    HANDLE Pipe = open_pipe();
    DWORD Done;

    while (ReadFile(Pipe, Block, BLOCK, &Done, NULL))
        check_pattern(Done);
    return 1;
}

static int read_theirs(void)
{
    ssize_t Done;

    while ((Done = read(0, Block, BLOCK)) > 0)
        check_pattern((size_t)Done);
    return 0;
}

/* A program of its own: this one again, with that option and standard input. */
static pid_t start_reader(const char *Option, int Input)
{
    pid_t Child = fork();

    if (Child)
        return Child;
    if (Input >= 0)
        dup2(Input, 0);
    execl("/proc/self/exe", "nt-bench-client", Option, NULL);
    _exit(1);
}

static void measure_pipes(void)
{
    struct ends Ends = {.Bytes = BLOCK};
    struct metric Large = {"pipe_64k", "us",           run_our_pipe, &Ends,
                           "pipe(2)",  run_their_pipe, &Ends,        1e-3};
    struct metric Plain = {"pipe_64b_plain", "ns",           run_our_pipe, &Ends,
                           "pipe(2)",        run_their_pipe, &Ends,        1};
    struct metric Small = {"pipe_64b", "ns",           run_our_ring, &Ends,
                           "pipe(2)",  run_their_pipe, &Ends,        1};
    int Pipe[2];
    pid_t Ours, Theirs;

    if (!is_measured(Large.name) && !is_measured(Small.name) && !is_measured(Plain.name))
        return;
    if (pipe(Pipe) < 0 || fcntl(Pipe[0], F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(Pipe[1], F_SETFD, FD_CLOEXEC) < 0)
        fail("no pipe");
    Ours = start_reader("--read-ours", -1);
    Theirs = start_reader("--read-theirs", Pipe[0]);
    Ends.Theirs = Pipe[1];
    Ends.Ours = open_pipe();
    measure(&Large);
    Ends.Bytes = MESSAGE;
    Ends.Ring = open_ring(Ends.Ours);
    measure(&Small);
    measure(&Plain);
    CloseIoRing(Ends.Ring);
    kill(Ours, SIGKILL);
    kill(Theirs, SIGKILL);
    waitpid(Ours, NULL, 0);
    waitpid(Theirs, NULL, 0);
    CloseHandle(Ends.Ours);
}

/* The parent times this process. */
static int first(void)
{
    Device = open_device();
    if (Device == INVALID_HANDLE_VALUE)
        return 1;
    run_ioctl(NULL, 1);
    return 0;
}

int main(int Count, char **Arguments)
{
    const char *Option = Count == 2 ? Arguments[1] : NULL;

    make_pattern();
    if (Option && !strcmp(Option, "--first"))
        return first();
    if (Option && !strcmp(Option, "--read-ours"))
        return read_ours();
    if (Option && !strcmp(Option, "--read-theirs"))
        return read_theirs();
    if (Option && !strncmp(Option, "--hold", 6))
        return names_hold((unsigned)atoi(Option + 6));
    measure_only(Option);
    measure_ioctl();
    measure_pipes();
    measure_names();
    return 0;
}
