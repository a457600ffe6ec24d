/* What is measured across processes: a control request, and the first one after a boot. */
#include <windows.h>
#include <winioctl.h>
#include "measure.h"
#include "public.h"

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
    return CreateFileA("\\\\.\\Bench", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

static void run_ioctl(void *Context, unsigned long Count)
{
    char Buffer[64] = {0};
    DWORD Done;

    (void)Context;
    while (Count--)
        if (!DeviceIoControl(Device, IOCTL_BENCH_ECHO, Buffer, sizeof(Buffer), Buffer, sizeof(Buffer), &Done, NULL)) {
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

/* The other player runs only while it is played with: two processors are all there are. */
static void run_ping_pong(void *Context, unsigned long Count)
{
    struct table *Table = Context;

    kill(Player, SIGCONT);
    while (Count--) {
        atomic_store_explicit(&Table->Ball, 1, memory_order_release);
        while (atomic_load_explicit(&Table->Ball, memory_order_acquire))
            __builtin_ia32_pause();
    }
    kill(Player, SIGSTOP);
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

int main(int Count, char **Arguments)
{
    struct metric Metric = {"ioctl_process", "ns", run_ioctl, NULL, "spin_ping_pong", run_ping_pong, NULL, 1};
    struct table *Table;

    if (Count == 2 && !strcmp(Arguments[1], "--first")) { /* the parent times this process */
        Device = open_device();
        if (Device == INVALID_HANDLE_VALUE)
            return 1;
        run_ioctl(NULL, 1);
        return 0;
    }
    Player = start_player(&Table);
    kill(Player, SIGSTOP);
    Device = open_device();
    if (Device == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "nt-bench: cannot open the bench device: error %u\n", (unsigned)GetLastError());
        kill(Player, SIGKILL);
        return 1;
    }
    Metric.reference_context = Table;
    measure(&Metric);
    CloseHandle(Device);
    kill(Player, SIGKILL);
    waitpid(Player, NULL, 0);
    return 0;
}
