/* What is measured in one process: the system service, the pool, IRQL, events, timers, opens. */
#include <usernt.h>
#include <nt_services.h>
#include "measure.h"
#include "public.h"
#include "spy.h"
#include "nt/nt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

static HANDLE Device, ImageDevice;
static int Pipe[2];

static void die(const char *What, NTSTATUS Status)
{
    fprintf(stderr, "nt-bench: %s: status 0x%08X\n", What, (unsigned)Status);
    exit(1);
}

static HANDLE open_path(PCWSTR Text)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Text);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtCreateFile(&File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb,
                          NULL, 0, 0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (!NT_SUCCESS(Status))
        die("open", Status);
    return File;
}

/* Context: the device's handle. */
static void run_ioctl(void *Context, unsigned long Count)
{
    char Buffer[64] = {0};
    IO_STATUS_BLOCK Iosb;
    const ULONG_PTR Arguments[10] = {(ULONG_PTR) * (HANDLE *)Context,
                                     0,
                                     0,
                                     0,
                                     (ULONG_PTR)&Iosb,
                                     IOCTL_BENCH_ECHO,
                                     (ULONG_PTR)Buffer,
                                     sizeof(Buffer),
                                     (ULONG_PTR)Buffer,
                                     sizeof(Buffer)};

    while (Count--)
        if (UserNtCall(NtServiceNtDeviceIoControlFile, Arguments))
            die("ioctl", Iosb.Status);
}

static void run_linux_ioctl(void *Context, unsigned long Count)
{
    int Bytes;

    while (Count--)
        if (ioctl(Pipe[0], FIONREAD, &Bytes) < 0)
            exit(1);
}

static void run_pool(void *Context, unsigned long Count)
{
    while (Count--) {
        volatile PVOID Block = ExAllocatePoolWithTag(NonPagedPool, 64, 'hcnB');

        ExFreePoolWithTag((PVOID)Block, 'hcnB');
    }
}

static void run_malloc(void *Context, unsigned long Count)
{
    while (Count--) {
        void *volatile Block = malloc(64);

        free((void *)Block);
    }
}

static void run_irql(void *Context, unsigned long Count)
{
    while (Count--) {
        KIRQL Irql;

        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        KeLowerIrql(Irql);
    }
}

static void run_event(void *Context, unsigned long Count)
{
    KEVENT Event;

    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    while (Count--) {
        KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
}

/* A name among many that are open already: one open and close. */
static void run_open_close(void *Context, unsigned long Count)
{
    static unsigned Number;
    unsigned Names = *(unsigned *)Context;
    WCHAR Path[64];

    while (Count--) {
        _snwprintf(Path, 64, L"\\??\\Example\\name%u",
                   Number = (Number * 1664525u + 1013904223u) % Names);
        NtClose(open_path(Path));
    }
}

#define OPEN_CYCLES 7
#define OPEN_COUNT 20000
#define FEW 10
#define MANY 100000

static void hold(HANDLE *Held, unsigned From, unsigned To)
{
    WCHAR Path[64];

    for (unsigned i = From; i < To; i++) {
        _snwprintf(Path, 64, L"\\??\\Example\\name%u", i);
        Held[i] = open_path(Path);
    }
}

static double time_opens(unsigned Names)
{
    double Start;

    run_open_close(&Names, OPEN_COUNT / 4);
    Start = now_ns();
    run_open_close(&Names, OPEN_COUNT);
    return (now_ns() - Start) / OPEN_COUNT;
}

/* Few names are open, then many, then few again ... */
static void measure_opens(void)
{
    HANDLE *Held = calloc(MANY, sizeof(*Held));
    double Few[OPEN_CYCLES], Many[OPEN_CYCLES], Ratio[OPEN_CYCLES];

    if (!is_measured("open_close") || !Held)
        return free(Held);
    hold(Held, 0, FEW);
    for (int i = 0; i < OPEN_CYCLES; i++) {
        Few[i] = time_opens(FEW);
        hold(Held, FEW, MANY);
        Many[i] = time_opens(MANY);
        for (unsigned j = FEW; j < MANY; j++)
            NtClose(Held[j]);
        Ratio[i] = Many[i] / Few[i];
    }
    for (unsigned i = 0; i < FEW; i++)
        NtClose(Held[i]);
    free(Held);
    report_ratio("open_close", median(Many, OPEN_CYCLES), "ns", "open_close_10",
                 median(Few, OPEN_CYCLES), median(Ratio, OPEN_CYCLES));
}

#define SHOTS 500
#define SHOT_100NS 10000

static double p99(double *Late)
{
    median(Late, SHOTS); /* sorts */
    return Late[SHOTS * 99 / 100] / 1000;
}

/* One shot of 1 ms after another: how late the waiter runs. */
static void measure_timers(void)
{
    static double Ours[SHOTS], Theirs[SHOTS];
    struct itimerspec Spec = {.it_value = {0, SHOT_100NS * 100}};
    int File = timerfd_create(CLOCK_MONOTONIC, 0);
    LARGE_INTEGER Due = {.QuadPart = -SHOT_100NS};
    unsigned long long Expired;
    KTIMER Timer;

    if (!is_measured("timer_late_p99"))
        return;
    KeInitializeTimer(&Timer);
    for (int i = 0; i < SHOTS; i++) {
        double Start = now_ns();

        KeSetTimer(&Timer, Due, NULL);
        KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL);
        Ours[i] = now_ns() - Start - SHOT_100NS * 100;
        Start = now_ns();
        timerfd_settime(File, 0, &Spec, NULL);
        if (read(File, &Expired, sizeof(Expired)) < 0)
            exit(1);
        Theirs[i] = now_ns() - Start - SHOT_100NS * 100;
    }
    report("timer_late_p99", p99(Ours), "us", "timerfd", p99(Theirs));
    close(File);
}

#define IRQL_ROUNDS 15
#define IRQL_COUNT 200000
#define IRQL_LIMIT_NS 20

static double time_image_irql(void)
{
    ULONG Pairs = IRQL_COUNT;
    IO_STATUS_BLOCK Iosb;
    double Start = now_ns();
    NTSTATUS Status = NtDeviceIoControlFile(ImageDevice, NULL, NULL, NULL, &Iosb, IOCTL_BENCH_IRQL,
                                            &Pairs, sizeof(Pairs), NULL, 0);

    if (!NT_SUCCESS(Status))
        die("ioctl of an image", Status);
    return (now_ns() - Start) / IRQL_COUNT;
}

static void measure_image_irql(void)
{
    double Times[IRQL_ROUNDS];

    if (!is_measured("irql_pe_raise_lower"))
        return;
    time_image_irql();
    for (int i = 0; i < IRQL_ROUNDS; i++)
        Times[i] = time_image_irql();
    report("irql_pe_raise_lower", median(Times, IRQL_ROUNDS), "ns", "limit", IRQL_LIMIT_NS);
}

/* The same driver as a Windows image, where it was built. */
static void measure_image(const char *Drivers)
{
    static const struct metric Ioctl = {"ioctl_pe",       "ns",      run_ioctl, &ImageDevice,
                                        "ioctl_embedded", run_ioctl, &Device,   1};
    char Path[1024];
    NTSTATUS Status;

    snprintf(Path, sizeof(Path), "%s/windows/x64/bench.sys", Drivers);
    if (access(Path, R_OK) < 0)
        return;
    Status = UserNtLoadDriver(Path, L"benchimage");
    if (!NT_SUCCESS(Status))
        die("load bench.sys", Status);
    ImageDevice = open_path(L"\\??\\BenchImage");
    measure(&Ioctl);
    measure_image_irql();
    NtClose(ImageDevice);
    UserNtUnloadDriver(L"benchimage");
}

static void boot(const char *Drivers)
{
    USERNT_OPTIONS Options = {.Size = sizeof(Options), .BootUserId = MAXULONG};
    char Path[1024];
    NTSTATUS Status = UserNtBoot(&Options);

    if (!NT_SUCCESS(Status))
        die("boot", Status);
    snprintf(Path, sizeof(Path), "%s/bench.so", Drivers);
    Status = UserNtLoadDriver(Path, L"bench");
    if (!NT_SUCCESS(Status))
        die("load bench", Status);
    snprintf(Path, sizeof(Path), "%s/example.so", Drivers);
    Status = UserNtLoadDriver(Path, L"example");
    if (!NT_SUCCESS(Status))
        die("load example", Status);
    Device = open_path(L"\\??\\Bench");
}

int main(int Count, char **Arguments)
{
    static const struct metric Metrics[] = {
        {"ioctl_embedded", "ns", run_ioctl, &Device, "ioctl(2)", run_linux_ioctl, NULL, 1},
        {"pool_pair_64", "ns", run_pool, NULL, "malloc+free", run_malloc, NULL, 1},
        {"irql_raise_lower", "ns", run_irql, NULL, "ioctl(2)", run_linux_ioctl, NULL, 1},
        {"event_set_wait", "ns", run_event, NULL, "ioctl(2)", run_linux_ioctl, NULL, 1},
    };

    if (Count < 2 || Count > 3 || pipe(Pipe) < 0) {
        fprintf(stderr, "usage: nt-bench-embedded DRIVERS [METRIC]\n");
        return 2;
    }
    measure_only(Arguments[2]);
    boot(Arguments[1]);
    for (unsigned i = 0; i < sizeof(Metrics) / sizeof(Metrics[0]); i++)
        measure(&Metrics[i]);
    measure_image(Arguments[1]);
    measure_timers();
    measure_opens();
    measure_spy(Arguments[1]);
    NtClose(Device);
    UserNtUnloadDriver(L"example");
    UserNtUnloadDriver(L"bench");
    UserNtShutdown();
    return 0;
}
