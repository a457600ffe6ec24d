/* What the memory spy costs: a hooked call that its filter does not want, and reading memory. */
#include <usernt.h>
#include <nt_services.h>
#include "measure.h"
#include "public.h"
#include "spy.h"
#include "nt/nt.h"
#include "drivers/w2k_spy/public.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 21
#define CALLS 20000
#define BLOCK 0x100000
#define BLOCKS 64

static HANDLE Spy, Bench;

static HANDLE open_path(PCWSTR Text)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File = NULL;

    RtlInitUnicodeString(&Name, Text);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    NtCreateFile(&File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0,
                 FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    return File;
}

static void ask(HANDLE File, ULONG Code, void *In, ULONG InLength, void *Out, ULONG OutLength)
{
    IO_STATUS_BLOCK Iosb;
    const ULONG_PTR Arguments[10] = {
        (ULONG_PTR)File, 0,        0, 0, (ULONG_PTR)&Iosb, Code, (ULONG_PTR)In, InLength,
        (ULONG_PTR)Out,  OutLength};
    NTSTATUS Status = UserNtCall(NtServiceNtDeviceIoControlFile, Arguments);

    if (!NT_SUCCESS(Status)) {
        fprintf(stderr, "nt-bench: spy: code 0x%08X: status 0x%08X\n", Code, (unsigned)Status);
        exit(1);
    }
}

/* Calls of the thread that installs are not watched: another one installs, and ends. */
static void *install(void *Unused)
{
    LONG Yes = TRUE, Before;
    ULONG Count;

    UserNtAttachThread();
    ask(Spy, SPY_IO_HOOK_FILTER, &Yes, sizeof(Yes), &Before, sizeof(Before));
    ask(Spy, SPY_IO_HOOK_INSTALL, &Yes, sizeof(Yes), &Count, sizeof(Count));
    UserNtDetachThread();
    return NULL;
}

static double time_calls(void)
{
    char Buffer[64] = {0};
    double Start = now_ns();

    for (int i = 0; i < CALLS; i++)
        ask(Bench, IOCTL_BENCH_ECHO, Buffer, sizeof(Buffer), Buffer, sizeof(Buffer));
    return (now_ns() - Start) / CALLS;
}

static void measure_hook(void)
{
    double Hooked[ROUNDS], Plain[ROUNDS], Ratio[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        LONG No = FALSE;
        pthread_t Thread;
        ULONG Count;

        Plain[i] = time_calls();
        if (pthread_create(&Thread, NULL, install, NULL))
            exit(1);
        pthread_join(Thread, NULL);
        Hooked[i] = time_calls();
        ask(Spy, SPY_IO_HOOK_REMOVE, &No, sizeof(No), &Count, sizeof(Count));
        Ratio[i] = Hooked[i] / Plain[i];
    }
    report_ratio("hook_filtered", median(Hooked, ROUNDS), "ns", "unhooked", median(Plain, ROUNDS),
                 median(Ratio, ROUNDS));
}

/* Against a gigabyte (10^9) a second. */
static void measure_dump(void)
{
    void *From = ExAllocatePoolWithTag(NonPagedPoolNx, BLOCK, 'hcnB'), *To = malloc(BLOCK);
    SPY_MEMORY_BLOCK Block = {From, BLOCK};
    double Times[ROUNDS];

    for (int i = 0; i < ROUNDS && From && To; i++) {
        double Start = now_ns();

        for (int n = 0; n < BLOCKS; n++)
            ask(Spy, SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), To, BLOCK);
        Times[i] = (now_ns() - Start) / BLOCKS / 1000;
    }
    report("spy_dump_1m", median(Times, ROUNDS), "us", "limit", BLOCK / 1000.0);
    free(To);
    ExFreePoolWithTag(From, 'hcnB');
}

void measure_spy(const char *Drivers)
{
    char Path[1024];

    if (!is_measured("hook_filtered") && !is_measured("spy_dump_1m"))
        return;
    snprintf(Path, sizeof(Path), "%s/w2k_spy.so", Drivers);
    if (!NT_SUCCESS(UserNtLoadDriver(Path, L"w2k_spy")))
        exit(1);
    Spy = open_path(L"\\??\\w2k_spy");
    Bench = open_path(L"\\??\\Bench");
    if (is_measured("hook_filtered"))
        measure_hook();
    if (is_measured("spy_dump_1m"))
        measure_dump();
    NtClose(Bench);
    NtClose(Spy);
    UserNtUnloadDriver(L"w2k_spy");
}
