/* Honest clients that do something unusual. odd WHAT: one of the names at the end; 0 if all is
 * well. */
#include "win32/ntdll/native.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pthread_create(unsigned long *, const void *, void *(*)(void *), void *);
int pthread_join(unsigned long, void **);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "odd:%d: %s (error %u)\n", __LINE__, #condition,                       \
                    (unsigned)GetLastError());                                                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static char **Words; /* the other arguments */
static HANDLE Event;

static void *make_event(void *Unused)
{
    Event = CreateEventA(NULL, TRUE, TRUE, NULL);
    return Unused;
}

/* The only thread that the kernel knows ends before the first one calls. */
static int first_thread_calls_late(void)
{
    unsigned long Thread;

    for (int i = 0; i < 3; i++) {
        MUST(!pthread_create(&Thread, NULL, make_event, NULL) && !pthread_join(Thread, NULL));
        Sleep(0); /* no system call of the kernel's */
        MUST(Event);
    }
    MUST(WaitForSingleObject(Event, 0) == WAIT_OBJECT_0);
    return 0;
}

static KERNEL_USER_TIMES times(int OfProcess)
{
    KERNEL_USER_TIMES Times = {0};

    MUST((OfProcess ? NtQueryInformationProcess(GetCurrentProcess(), ProcessTimes, &Times,
                                                sizeof(Times), NULL)
                    : NtQueryInformationThread(GetCurrentThread(), ThreadTimes, &Times,
                                               sizeof(Times), NULL)) == STATUS_SUCCESS);
    return Times;
}

static volatile unsigned Work;

/* A tenth of a second of either is seen, sooner or later. */
static int time_is_counted(void)
{
    KERNEL_USER_TIMES Now;

    for (int OfProcess = 0; OfProcess < 2; OfProcess++)
        do {
            for (int i = 0; i < 100000; i++)
                Work++;
            for (int i = 0; i < 100; i++)
                WaitForSingleObject(GetCurrentProcess(), 0);
            Now = times(OfProcess);
            MUST(Now.UserTime.QuadPart >= 0 && Now.KernelTime.QuadPart >= 0);
        } while (Now.UserTime.QuadPart < 1000000 || Now.KernelTime.QuadPart < 100000);
    return 0;
}

static volatile char Secret[100000] = "words";

/* Says where its memory is, and waits until it is ended or the kernel is. */
static int wait_for_ever(void)
{
    printf("%u %p\n", (unsigned)GetCurrentProcessId(), (void *)Secret);
    fflush(stdout);
    return WaitForSingleObject(CreateEventA(NULL, TRUE, FALSE, NULL), INFINITE) != WAIT_FAILED;
}

static DWORD WINAPI end_later(LPVOID First)
{
    WaitForSingleObject(First, INFINITE);
    ExitThread(7);
}

/* The first thread ends before another, which is then the last. */
static int leave(void)
{
    HANDLE Self;

    MUST(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &Self, 0,
                         FALSE, DUPLICATE_SAME_ACCESS));
    MUST(CreateThread(NULL, 0, end_later, Self, 0, NULL));
    ExitThread(3);
}

/* Commits every other page until that is refused, and says so; waits. */
static int shred(void)
{
    SIZE_T Bytes = 192 << 20;
    char *Base = VirtualAlloc(NULL, Bytes, MEM_RESERVE, PAGE_READWRITE);
    SIZE_T At = 0;

    MUST(Base);
    while (At < Bytes && VirtualAlloc(Base + At, 4096, MEM_COMMIT, PAGE_READWRITE)) {
        Base[At] = 1;
        At += 8192;
    }
    MUST(At < Bytes && GetLastError() == ERROR_NOT_ENOUGH_MEMORY);
    return wait_for_ever();
}

/* Reads another process's memory: prints the text, or the status. */
static int peek(void)
{
    static char Text[sizeof(Secret)];
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes)};
    CLIENT_ID Id = {(HANDLE)(ULONG_PTR)strtoul(Words[0], NULL, 10), NULL};
    SIZE_T Done;
    HANDLE Process;
    NTSTATUS Status;

    MUST(NtOpenProcess(&Process, PROCESS_VM_READ, &Attributes, &Id) == STATUS_SUCCESS);
    Status =
        NtReadVirtualMemory(Process, (PVOID)strtoul(Words[1], NULL, 16), Text, sizeof(Text), &Done);
    printf(Status == STATUS_SUCCESS ? "%s\n" : "%s%08x\n", Text, (unsigned)Status);
    return 0;
}

static const struct {
    const char *Name;
    int (*Run)(void);
} Odd[] = {
    {"late", first_thread_calls_late}, {"leave", leave}, {"times", time_is_counted},
    {"sleep", wait_for_ever},          {"peek", peek},   {"shred", shred},
};

int main(int Count, char **Arguments)
{
    Words = Arguments + 2;
    for (unsigned i = 0; i < sizeof(Odd) / sizeof(Odd[0]) && Count > 1; i++)
        if (!strcmp(Arguments[1], Odd[i].Name))
            return Odd[i].Run();
    return 2;
}
