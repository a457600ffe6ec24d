/*
 * What tests/drivers_pipe_stress.sh runs: writers and readers of numbered records, a check of what
 * was read, clients to be killed, and openers of many names. Every record is an array of words: its
 * writer, its number, its length in words, and words that follow from these.
 */
#include <windows.h>
#include <winioctl.h>
#include "../drivers/pipe/public.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 3, SAME = 4, LONGEST = 80, BATCH = 50, RING = 2000 };

static unsigned long long Seed;

static unsigned chance(unsigned Below)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(Seed >> 33) % Below;
}

static int failed(const char *What)
{
    fprintf(stderr, "pipe_stress: %s: error %u\n", What, (unsigned)GetLastError());
    return 1;
}

/* In bytes every record has SAME words, and so has every write and every read whole ones: the
 * ring's size is a multiple. In messages each has its own length. */
static HANDLE open_pipe(const char *Name, DWORD Access, BOOL Messages)
{
    EXAMPLE_MODE Mode = {RING, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT,
                         Messages ? EXAMPLE_MESSAGES : 0};
    char Path[300];
    HANDLE Pipe;
    DWORD Done;

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s", Name);
    Pipe = CreateFileA(Path, Access, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (Pipe != INVALID_HANDLE_VALUE &&
        !DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0, &Done, NULL))
        failed("cannot set the mode");
    return Pipe;
}

static unsigned word(const unsigned *Record, unsigned At)
{
    return Record[0] * 2654435761u + Record[1] * 40503u + At;
}

static unsigned make(unsigned *Record, unsigned Writer, unsigned Number, BOOL Messages)
{
    unsigned Length = Messages ? HEAD + chance(LONGEST - HEAD) : SAME;

    Record[0] = Writer;
    Record[1] = Number;
    Record[2] = Length;
    for (unsigned i = HEAD; i < Length; i++)
        Record[i] = word(Record, i);
    return Length;
}

static BOOL is_record(const unsigned *Record, unsigned Words)
{
    if (Words < HEAD || Record[2] != Words)
        return FALSE;
    for (unsigned i = HEAD; i < Words; i++)
        if (Record[i] != word(Record, i))
            return FALSE;
    return TRUE;
}

/* write NAME WRITER BYTES KIND: ends when that much is written; prints how many records. */
static int write_records(const char *Name, unsigned Writer, unsigned long Bytes, BOOL Messages)
{
    HANDLE Pipe = open_pipe(Name, GENERIC_WRITE, Messages);
    unsigned Records[BATCH * SAME > LONGEST ? BATCH * SAME : LONGEST], Number = 0;
    unsigned long Sent = 0;

    while (Sent < Bytes) {
        unsigned Words = 0, Count = Messages ? 1 : 1 + chance(BATCH);
        DWORD Done;

        while (Count--)
            Words += make(Records + Words, Writer, Number++, Messages);
        if (!WriteFile(Pipe, Records, Words * 4, &Done, NULL) || Done != Words * 4)
            return failed("write");
        Sent += Done;
    }
    printf("%u\n", Number);
    return !CloseHandle(Pipe);
}

static BOOL keep(FILE *File, const unsigned *Data, unsigned Words, BOOL Messages)
{
    unsigned Each = Messages ? Words : SAME;

    if (!Words || Words % Each)
        return FALSE;
    for (; Words; Words -= Each, Data += Each)
        if (!is_record(Data, Each) || fwrite(Data, 4, 2, File) != 2)
            return FALSE;
    return TRUE;
}

/* read NAME FILE KIND: until the last writer has gone; writer and number of each record into the
 * file. */
static int read_records(const char *Name, const char *Path, BOOL Messages)
{
    HANDLE Pipe = open_pipe(Name, GENERIC_READ, Messages);
    FILE *File = fopen(Path, "wb");
    unsigned Data[BATCH * SAME > LONGEST ? BATCH * SAME : LONGEST];
    DWORD Done;

    puts("ready");
    fflush(stdout);
    while (
        ReadFile(Pipe, Data, Messages ? sizeof(Data) : (1 + chance(BATCH)) * SAME * 4, &Done, NULL))
        if (Done % 4 || !keep(File, Data, Done / 4, Messages))
            return failed("not a record");
    if (GetLastError() != ERROR_BROKEN_PIPE)
        return failed("read");
    return fclose(File) || !CloseHandle(Pipe);
}

/* hold NAME KIND: the pipe stays, and has a writer, until standard input ends. */
static int hold(const char *Name, BOOL Messages)
{
    HANDLE Pipe = open_pipe(Name, GENERIC_WRITE, Messages);

    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return !CloseHandle(Pipe);
}

/* ---- check ----------------------------------------------------------------------------------- */

#define WRITERS 2
static struct {
    unsigned Count;
    unsigned char *Seen;
} Writers[WRITERS];

/* Of one writer a reader gets rising numbers; all readers together each number once. */
static int take(const char *Path)
{
    FILE *File = fopen(Path, "rb");
    unsigned Pair[2];
    long long Last[WRITERS] = {-1, -1};

    while (File && fread(Pair, 4, 2, File) == 2) {
        if (Pair[0] >= WRITERS || Pair[1] >= Writers[Pair[0]].Count)
            return fprintf(stderr, "no such record: %u of %u\n", Pair[1], Pair[0]);
        if (Pair[1] <= Last[Pair[0]])
            return fprintf(stderr, "out of order: %u of %u\n", Pair[1], Pair[0]);
        if (Writers[Pair[0]].Seen[Pair[1]]++)
            return fprintf(stderr, "twice: %u of %u\n", Pair[1], Pair[0]);
        Last[Pair[0]] = Pair[1];
    }
    return !File || fclose(File);
}

/* check COUNT COUNT FILE... */
static int check(int Count, char **Arguments)
{
    for (int i = 0; i < WRITERS; i++) {
        Writers[i].Count = (unsigned)strtoul(Arguments[i], NULL, 10);
        Writers[i].Seen = calloc(Writers[i].Count + 1, 1);
    }
    for (int i = WRITERS; i < Count; i++)
        if (take(Arguments[i]))
            return 1;
    for (int i = 0; i < WRITERS; i++)
        if (!Writers[i].Count || memchr(Writers[i].Seen, 0, Writers[i].Count))
            return !fprintf(stderr, "a record of writer %d is missing\n", i);
    return 0;
}

/* ---- victims and a witness ------------------------------------------------------------------- */

/* What is read in a pipe that many use is a whole record, or the other side has gone. */
static BOOL is_fine(HANDLE Pipe, BOOL Write)
{
    unsigned Record[LONGEST];
    DWORD Done;

    if (Write)
        return WriteFile(Pipe, Record, make(Record, 0, chance(1000), TRUE) * 4, &Done, NULL) ||
               GetLastError() == ERROR_BROKEN_PIPE;
    if (ReadFile(Pipe, Record, sizeof(Record), &Done, NULL))
        return is_record(Record, Done / 4);
    return GetLastError() == ERROR_BROKEN_PIPE;
}

/* Requests that wait, and are left so. */
static void leave(HANDLE Pipe)
{
    static OVERLAPPED Left[8];
    static unsigned Data[8][LONGEST];
    static ULONG Condition = EXAMPLE_NO_READERS;

    for (int i = 0; i < 7; i++)
        ReadFile(Pipe, Data[i], sizeof(Data[i]), NULL, &Left[i]);
    DeviceIoControl(Pipe, IOCTL_EXAMPLE_WAIT, &Condition, sizeof(Condition), &Condition,
                    sizeof(Condition), NULL, &Left[7]);
}

static HANDLE open_for_later(const char *Name)
{
    EXAMPLE_MODE Mode = {0, EXAMPLE_KEEP, EXAMPLE_EMPTY_WAIT, EXAMPLE_KEEP};
    static OVERLAPPED Set;
    char Path[300];
    HANDLE Pipe;

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s", Name);
    Pipe = CreateFileA(Path, GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (!DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0, NULL, &Set))
        failed("cannot set the mode of a pipe for later");
    return Pipe;
}

/* victim SEED: for ever, on a few names that all victims share. */
static int victim(void)
{
    for (;;) {
        BOOL Write = chance(2);
        char Name[16];
        HANDLE Pipe, Later;

        snprintf(Name, sizeof(Name), "shared%u", chance(3));
        Pipe = open_pipe(Name, Write ? GENERIC_WRITE : GENERIC_READ, TRUE);
        if (Pipe == INVALID_HANDLE_VALUE)
            return failed("open");
        snprintf(Name, sizeof(Name), "left%u", chance(3));
        Later = open_for_later(Name);
        leave(Later);
        for (unsigned i = chance(200); i; i--)
            if (!is_fine(Pipe, Write))
                return failed(Write ? "victim writes" : "victim reads");
        CloseHandle(Pipe);
        CloseHandle(Later);
    }
}

static DWORD WINAPI await_end(LPVOID Ended)
{
    while (getchar() != EOF)
        ;
    InterlockedExchange(Ended, 1);
    return 0;
}

static BOOL talk(HANDLE Pipe, unsigned Number)
{
    unsigned Record[LONGEST], Back[LONGEST], Bytes = make(Record, 7, Number, TRUE) * 4;
    DWORD Done;

    return WriteFile(Pipe, Record, Bytes, &Done, NULL) && Done == Bytes &&
           ReadFile(Pipe, Back, sizeof(Back), &Done, NULL) && Done == Bytes &&
           !memcmp(Record, Back, Bytes);
}

/* witness NAME: talks with itself, until standard input ends. */
static int witness(const char *Name)
{
    HANDLE Pipe = open_pipe(Name, GENERIC_READ | GENERIC_WRITE, TRUE);
    volatile LONG Ended = 0;
    HANDLE Thread = CreateThread(NULL, 0, await_end, (LPVOID)&Ended, 0, NULL);

    for (unsigned Number = 0; !InterlockedCompareExchange(&Ended, 0, 0); Number++) {
        if (!talk(Pipe, Number))
            return failed("the witness");
        if (!Number) {
            puts("ready");
            fflush(stdout);
        }
    }
    WaitForSingleObject(Thread, INFINITE);
    return !CloseHandle(Thread) || !CloseHandle(Pipe);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void shuffle(unsigned *Order, unsigned Count)
{
    for (unsigned i = Count; i > 1; i--) {
        unsigned Other = chance(i), Swap = Order[i - 1];

        Order[i - 1] = Order[Other];
        Order[Other] = Swap;
    }
}

/* names COUNT PART: opens that many names in random order, all of them open at the end; closes them
 * in another order when standard input ends. Each has a byte of its own in it. */
static int names(unsigned Count, unsigned Part)
{
    HANDLE *Pipes = calloc(Count, sizeof(*Pipes));
    unsigned *Order = calloc(Count, sizeof(*Order));
    char Path[100];

    for (unsigned i = 0; i < Count; i++)
        Order[i] = i;
    shuffle(Order, Count);
    for (unsigned i = 0; i < Count; i++) {
        snprintf(Path, sizeof(Path), "\\\\.\\Example\\name%u", Part * Count + Order[i]);
        Pipes[Order[i]] =
            CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (Pipes[Order[i]] == INVALID_HANDLE_VALUE)
            return failed("open");
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    shuffle(Order, Count);
    for (unsigned i = 0; i < Count; i++)
        if (!CloseHandle(Pipes[Order[i]]))
            return failed("close");
    free(Pipes);
    free(Order);
    return 0;
}

int main(int Count, char **Arguments)
{
    const char *Verb = Count > 1 ? Arguments[1] : "";
    const char *Given = getenv("USERNT_SEED");
    BOOL Messages = Count > 1 && !strcmp(Arguments[Count - 1], "messages");

    Seed = (Given ? strtoull(Given, NULL, 0) : 1) * 1000003 + GetCurrentProcessId();
    if (!strcmp(Verb, "write") && Count == 6)
        return write_records(Arguments[2], (unsigned)atoi(Arguments[3]),
                             strtoul(Arguments[4], NULL, 10), Messages);
    if (!strcmp(Verb, "read") && Count == 5)
        return read_records(Arguments[2], Arguments[3], Messages);
    if (!strcmp(Verb, "hold") && Count == 4)
        return hold(Arguments[2], Messages);
    if (!strcmp(Verb, "check") && Count > 4)
        return check(Count - 2, Arguments + 2);
    if (!strcmp(Verb, "victim"))
        return victim();
    if (!strcmp(Verb, "witness") && Count == 3)
        return witness(Arguments[2]);
    if (!strcmp(Verb, "names") && Count == 4)
        return names((unsigned)atoi(Arguments[2]), (unsigned)atoi(Arguments[3]));
    fprintf(stderr, "usage: pipe_stress write|read|hold|check|victim|witness|names ...\n");
    return 2;
}
