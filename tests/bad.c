/*
 * What tests/bad.sh runs: every argument of a request wrong in turn, on every driver. The rules
 * that hold for each call: it returns, its status is one that its caller can understand, the
 * IO_STATUS_BLOCK of a call that succeeded agrees with it, no more than the output length is
 * written, and success is never claimed for bytes that went nowhere.
 *
 * bad STEP: one of STEP control codes is tried (1: all 65,536).
 */
#include "win32/ntdll/native.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winioctl.h>
#include "../bench/public.h"
#include "../drivers/pipe/public.h"
#include "../drivers/sharingmemory/public.h"
#include "../drivers/systemmodules/public.h"

/* Linux's, by hand: its headers and windows.h do not meet. */
void *mmap(void *Address, size_t Bytes, int Protection, int Flags, int File, long Offset);
int mprotect(void *Address, size_t Bytes, int Protection);
enum {
    PROGRAM_NOTHING = 0,
    PROGRAM_READ = 1,
    PROGRAM_WRITE = 2,
    PROGRAM_PRIVATE = 2,
    PROGRAM_ANONYMOUS = 0x20
};

#define REPARSE_POINT_ENCOUNTERED ((NTSTATUS)0xC000050B) /* a link, and OBJ_DONT_REPARSE */
#define PAGE 4096u
#define ROOM 0x20000u /* of a good buffer */
#define MARK 0x5a

static int Failures;
#define COMPLAIN(...) ((Failures++ < 20) ? (void)printf("# " __VA_ARGS__) : (void)0)

static int is_sensible(NTSTATUS Status)
{
    static const NTSTATUS Known[] = {
        STATUS_SUCCESS,
        STATUS_BUFFER_OVERFLOW,
        STATUS_ACCESS_VIOLATION,
        STATUS_DATATYPE_MISALIGNMENT,
        STATUS_INVALID_PARAMETER,
        STATUS_BUFFER_TOO_SMALL,
        STATUS_INFO_LENGTH_MISMATCH,
        STATUS_NOT_SUPPORTED,
        STATUS_INVALID_DEVICE_REQUEST,
        STATUS_UNSUCCESSFUL,
        STATUS_INSUFFICIENT_RESOURCES,
        STATUS_NO_MEMORY,
        STATUS_INVALID_USER_BUFFER,
        STATUS_ACCESS_DENIED,
        STATUS_INVALID_BUFFER_SIZE,
        STATUS_WORKING_SET_QUOTA,
        STATUS_INVALID_HANDLE,
        STATUS_OBJECT_TYPE_MISMATCH,
        STATUS_OBJECT_NAME_INVALID,
        STATUS_OBJECT_NAME_NOT_FOUND,
        STATUS_OBJECT_PATH_NOT_FOUND,
        STATUS_OBJECT_PATH_SYNTAX_BAD,
        STATUS_OBJECT_PATH_INVALID,
        STATUS_NAME_TOO_LONG,
        STATUS_EA_LIST_INCONSISTENT,
        STATUS_PRIVILEGE_NOT_HELD,
        STATUS_INVALID_DEVICE_STATE,
        STATUS_UNKNOWN_REVISION,
        STATUS_INVALID_SECURITY_DESCR,
        STATUS_BAD_IMPERSONATION_LEVEL,
        STATUS_SHARING_VIOLATION,
        STATUS_NOT_A_DIRECTORY,
        STATUS_INVALID_INFO_CLASS,
        REPARSE_POINT_ENCOUNTERED,
        STATUS_INVALID_PARAMETER_MIX,
    };

    for (size_t i = 0; i < sizeof(Known) / sizeof(Known[0]); i++)
        if (Known[i] == Status)
            return 1;
    return 0;
}

/* Buffers. Those of the program and those of the slot are reached in different ways. */
enum kind {
    PROGRAM,
    SLOT,
    PROGRAM_ODD,
    NOTHING,
    UNMAPPED,
    KERNEL,
    NONCANONICAL,
    PROGRAM_READ_ONLY,
    SLOT_READ_ONLY,
    PROGRAM_END,
    SLOT_END,
    KINDS,
    PROGRAM_GOING,
    SLOT_GOING,
    SLOT_LEAVING,
    ALL_KINDS /* another thread takes them away and brings them back */
};
static const char *const KindName[] = {"program",         "slot",
                                       "program, odd",    "NULL",
                                       "unmapped",        "kernel",
                                       "non-canonical",   "program, read-only",
                                       "slot, read-only", "program's end",
                                       "slot's end",      "",
                                       "program, going",  "slot, decommitted",
                                       "slot, released"};
static char *Base[2][ALL_KINDS]; /* input, output */

static char *program_memory(size_t Bytes)
{
    return mmap(NULL, Bytes, PROGRAM_READ | PROGRAM_WRITE, PROGRAM_PRIVATE | PROGRAM_ANONYMOUS, -1,
                0);
}

static void make_buffers(char **Of)
{
    DWORD Old;

    Of[PROGRAM] = program_memory(ROOM);
    Of[PROGRAM_ODD] = program_memory(ROOM + PAGE) + 1;
    Of[SLOT] = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    Of[UNMAPPED] = (char *)0x10;
    Of[KERNEL] = (char *)0x7c0000001000;
    Of[NONCANONICAL] = (char *)0x8000000000000000;
    Of[PROGRAM_READ_ONLY] = program_memory(ROOM);
    mprotect(Of[PROGRAM_READ_ONLY], ROOM, PROGRAM_READ);
    Of[SLOT_READ_ONLY] = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    VirtualProtect(Of[SLOT_READ_ONLY], ROOM, PAGE_READONLY, &Old);
    Of[PROGRAM_END] = program_memory(2 * ROOM) + ROOM;
    mprotect(Of[PROGRAM_END], ROOM, PROGRAM_NOTHING);
    Of[SLOT_END] = (char *)VirtualAlloc(NULL, 2 * ROOM, MEM_RESERVE, PAGE_READWRITE) + ROOM;
    VirtualAlloc(Of[SLOT_END] - ROOM, ROOM, MEM_COMMIT, PAGE_READWRITE);
    Of[PROGRAM_GOING] = program_memory(ROOM);
    Of[SLOT_GOING] = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    Of[SLOT_LEAVING] = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

/* Half of what lies at an end is there. */
static char *buffer(int Output, enum kind Kind, ULONG Length)
{
    char *At = Base[Output][Kind];

    if (Kind == PROGRAM_END || Kind == SLOT_END)
        At -= Length / 2 < ROOM ? Length / 2 : ROOM / 2;
    return At;
}

static int is_good(enum kind Kind, ULONG Length, int Write)
{
    if (Length == 0)
        return 1;
    if (Length > ROOM)
        return 0;
    return Kind <= PROGRAM_ODD || (!Write && (Kind == PROGRAM_READ_ONLY || Kind == SLOT_READ_ONLY));
}

struct device {
    const WCHAR *Path;
    ULONG Access;
    struct {
        ULONG Code, Input, Output;
    } Known[8];
    HANDLE File;
};
#define PIPE_CODES                                                                                 \
    {                                                                                              \
        {IOCTL_EXAMPLE_DIRECT_IN, 8, sizeof(EXAMPLE_TEXT_DIRECT_IN)},                              \
            {IOCTL_EXAMPLE_DIRECT_OUT, 8, sizeof(EXAMPLE_TEXT_DIRECT_OUT)},                        \
            {IOCTL_EXAMPLE_BUFFERED, 8, sizeof(EXAMPLE_TEXT_BUFFERED)},                            \
            {IOCTL_EXAMPLE_NEITHER, 8, sizeof(EXAMPLE_TEXT_NEITHER)},                              \
            {IOCTL_EXAMPLE_SET_MODE, sizeof(EXAMPLE_MODE), 0},                                     \
            {IOCTL_EXAMPLE_QUERY_STATE, 0, sizeof(EXAMPLE_STATE)},                                 \
        {                                                                                          \
            IOCTL_EXAMPLE_DISCARD, 0, 0                                                            \
        }                                                                                          \
    }
static struct device Devices[] = {
    {.Path = L"\\??\\SharingMemory",
     .Access = GENERIC_READ,
     .Known = {{IOCTL_GIVE_ME_YOUR_MEMORY, 0, sizeof(void *)}}},
    {.Path = L"\\??\\Example\\bad", .Access = GENERIC_READ | GENERIC_WRITE, .Known = PIPE_CODES},
    {.Path = L"\\??\\ExampleDirect\\bad",
     .Access = GENERIC_READ | GENERIC_WRITE,
     .Known = PIPE_CODES},
    {.Path = L"\\??\\ExampleNeither\\bad",
     .Access = GENERIC_READ | GENERIC_WRITE,
     .Known = PIPE_CODES},
    {.Path = L"\\??\\SystemModules",
     .Access = GENERIC_READ,
     .Known = {{IOCTL_SYSTEMMODULES_LIST, 4, SYSTEM_MODULE_LIST_HEAD + sizeof(SYSTEM_MODULE)}}},
    {.Path = L"\\??\\Bench",
     .Access = GENERIC_READ | GENERIC_WRITE,
     .Known = {{IOCTL_BENCH_ECHO, 64, 64}}},
};
#define FIRST_PIPE 1
#define LAST_PIPE 3
#define FOR_DEVICES(one)                                                                           \
    for (struct device *one = Devices; one < Devices + sizeof(Devices) / sizeof(Devices[0]); one++)

static ULONG HowToOpen = FILE_SYNCHRONOUS_IO_NONALERT;

static NTSTATUS open_path(const WCHAR *Path, ULONG Access, HANDLE *File)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(File, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, HowToOpen, NULL, 0);
}

static int open_devices(void)
{
    FOR_DEVICES(Device)
    {
        NTSTATUS Status = open_path(Device->Path, Device->Access, &Device->File);

        if (Status < 0) {
            COMPLAIN("cannot open device %d: %08x\n", (int)(Device - Devices), (unsigned)Status);
            return 0;
        }
    }
    return 1;
}

static void close_devices(void)
{
    FOR_DEVICES(Device)
    NtClose(Device->File);
}

struct call {
    struct device *Device;
    const char *What;
    ULONG Code, InputLength, OutputLength;
    enum kind Input, Output;
};

static void complain(const struct call *Call, const char *Why, NTSTATUS Status,
                     const IO_STATUS_BLOCK *Iosb)
{
    COMPLAIN("device %d, %s %08x, input %s %u, output %s %u: %s: %08x (IOSB %08x, %llu)\n",
             (int)(Call->Device - Devices), Call->What, (unsigned)Call->Code, KindName[Call->Input],
             (unsigned)Call->InputLength, KindName[Call->Output], (unsigned)Call->OutputLength, Why,
             (unsigned)Status, (unsigned)Iosb->Status, (unsigned long long)Iosb->Information);
}

static void judge(const struct call *Call, NTSTATUS Status, const IO_STATUS_BLOCK *Iosb)
{
    int Writes = (Call->Code & 3) != METHOD_IN_DIRECT;

    if (!is_sensible(Status))
        complain(Call, "a strange status", Status, Iosb);
    if (NT_ERROR(Status))
        return;
    if (Iosb->Status != Status)
        complain(Call, "the IOSB differs", Status, Iosb);
    if (Writes && Iosb->Information > Call->OutputLength)
        complain(Call, "more than the buffer", Status, Iosb);
    /* NULL is no buffer, whatever the length says: a buffered answer has nowhere to go, a buffered
     * input is empty. */
    if (Writes && Iosb->Information && Call->Output < KINDS && Call->Output != NOTHING &&
        !is_good(Call->Output, Call->OutputLength, 1))
        complain(Call, "an answer into nowhere", Status, Iosb);
}

static NTSTATUS control(const struct call *Call, IO_STATUS_BLOCK *Iosb)
{
    *Iosb = (IO_STATUS_BLOCK){.Status = STATUS_PENDING};
    return NtDeviceIoControlFile(Call->Device->File, NULL, NULL, NULL, Iosb, Call->Code,
                                 buffer(0, Call->Input, Call->InputLength), Call->InputLength,
                                 buffer(1, Call->Output, Call->OutputLength), Call->OutputLength);
}

static void try_control(const struct call *Call)
{
    char *End = Call->Output <= PROGRAM_ODD && Call->OutputLength < ROOM
                    ? Base[1][Call->Output] + Call->OutputLength
                    : NULL;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status;

    if (End)
        *End = MARK;
    Status = control(Call, &Iosb);
    judge(Call, Status, &Iosb);
    if (End && *End != MARK)
        complain(Call, "written behind the end", Status, &Iosb);
    if ((Call->Code & 3) == METHOD_BUFFERED && !is_good(Call->Input, Call->InputLength, 0) &&
        Call->Input < KINDS && Call->Input != NOTHING && Status >= 0)
        complain(Call, "the input was not there", Status, &Iosb);
}

static unsigned lengths_around(ULONG Right, ULONG *Lengths)
{
    unsigned Count = 0;

    Lengths[Count++] = 0;
    Lengths[Count++] = 1;
    if (Right > 2)
        Lengths[Count++] = Right - 1;
    if (Right > 1)
        Lengths[Count++] = Right;
    Lengths[Count++] = Right + 1 > 2 ? Right + 1 : 2;
    Lengths[Count++] = 0x10000;
    Lengths[Count++] = 0xFFFFFFFF;
    return Count;
}

static void try_kinds(struct call *Call, enum kind First, enum kind End)
{
    for (Call->Input = First; Call->Input < End; Call->Input++)
        for (Call->Output = First; Call->Output < End; Call->Output++)
            try_control(Call);
}

static void try_code(struct device *Device, unsigned Which, enum kind First, enum kind End)
{
    ULONG Inputs[8], Outputs[8];
    unsigned InputCount = lengths_around(Device->Known[Which].Input, Inputs);
    unsigned OutputCount = lengths_around(Device->Known[Which].Output, Outputs);

    for (unsigned i = 0; i < InputCount; i++)
        for (unsigned o = 0; o < OutputCount; o++)
            try_kinds(&(struct call){.Device = Device,
                                     .What = "control",
                                     .Code = Device->Known[Which].Code,
                                     .InputLength = Inputs[i],
                                     .OutputLength = Outputs[o]},
                      First, End);
}

static void known_controls(void)
{
    FOR_DEVICES(Device)
    for (unsigned i = 0; i < 8 && Device->Known[i].Code; i++)
        try_code(Device, i, 0, KINDS);
}

/* None of them pends, so nothing needs to be waited for. */
static void asynchronous_controls(void)
{
    close_devices(); /* one of them is exclusive */
    HowToOpen = 0;
    if (open_devices()) {
        known_controls();
        close_devices();
    }
    HowToOpen = FILE_SYNCHRONOUS_IO_NONALERT;
    open_devices();
}

/* Another thread takes the buffers away and brings them back. */
static LONG Stop;

static DWORD WINAPI take_away(LPVOID Unused)
{
    (void)Unused;
    while (!__atomic_load_n(&Stop, __ATOMIC_ACQUIRE))
        for (int i = 0; i < 2; i++) {
            mprotect(Base[i][PROGRAM_GOING], ROOM, PROGRAM_NOTHING);
            VirtualFree(Base[i][SLOT_GOING], ROOM, MEM_DECOMMIT);
            VirtualFree(Base[i][SLOT_LEAVING], 0, MEM_RELEASE);
            mprotect(Base[i][PROGRAM_GOING], ROOM, PROGRAM_READ | PROGRAM_WRITE);
            VirtualAlloc(Base[i][SLOT_GOING], ROOM, MEM_COMMIT, PAGE_READWRITE);
            VirtualAlloc(Base[i][SLOT_LEAVING], ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        }
    return 0;
}

static unsigned Rounds = 1;
static void try_transfers(struct device *Device, enum kind First, enum kind End);

static void buffers_that_go(void)
{
    HANDLE Thread;

    Stop = 0;
    Thread = CreateThread(NULL, 0, take_away, NULL, 0, NULL);
    for (unsigned Round = 0; Round < Rounds; Round++)
        FOR_DEVICES(Device)
        {
            for (unsigned i = 0; i < 8 && Device->Known[i].Code; i++)
                try_code(Device, i, PROGRAM_GOING, ALL_KINDS);
            try_transfers(Device, PROGRAM_GOING, ALL_KINDS);
        }
    __atomic_store_n(&Stop, 1, __ATOMIC_RELEASE);
    WaitForSingleObject(Thread, INFINITE);
    CloseHandle(Thread);
}

static unsigned Step = 1;

/* Function, access and method; the input is zero, so a mode that it sets is the usual one. */
static void all_codes(void)
{
    memset(Base[0][PROGRAM], 0, 64);
    FOR_DEVICES(Device)
    for (ULONG Low = 0; Low < 0x10000; Low += Step)
        try_control(&(struct call){.Device = Device,
                                   .What = "code",
                                   .Code = FILE_DEVICE_UNKNOWN << 16 | Low,
                                   .InputLength = 32,
                                   .OutputLength = 32});
}

/* Reads and writes. */
static int is_pipe(const struct device *Device)
{
    return Device >= Devices + FIRST_PIPE && Device <= Devices + LAST_PIPE;
}

static ULONG pipe_used(struct device *Device)
{
    EXAMPLE_STATE State = {0};
    IO_STATUS_BLOCK Iosb;

    NtDeviceIoControlFile(Device->File, NULL, NULL, NULL, &Iosb, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0,
                          &State, sizeof(State));
    return State.Used;
}

static void fill_pipe(struct device *Device, ULONG Bytes)
{
    IO_STATUS_BLOCK Iosb;

    NtDeviceIoControlFile(Device->File, NULL, NULL, NULL, &Iosb, IOCTL_EXAMPLE_DISCARD, NULL, 0,
                          NULL, 0);
    if (Bytes)
        NtWriteFile(Device->File, NULL, NULL, NULL, &Iosb, Base[0][SLOT], Bytes, NULL, NULL);
}

/* What a refused read did not take is still there; what a refused write did not give is not. */
static void check_pipe(const struct call *Call, ULONG Before, int Write, NTSTATUS Status,
                       const IO_STATUS_BLOCK *Iosb)
{
    ULONG Moved = Status >= 0 ? (ULONG)Iosb->Information : 0;

    if (pipe_used(Call->Device) != (Write ? Before + Moved : Before - Moved))
        complain(Call, "bytes lost", Status, Iosb);
}

static void try_transfer(struct call *Call, int Write)
{
    ULONG Length = Call->OutputLength, Before = Write ? 0 : 100;
    char *At = buffer(1, Call->Output, Length);
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING};
    NTSTATUS Status;

    if (is_pipe(Call->Device))
        fill_pipe(Call->Device, Before);
    if (Write)
        Status = NtWriteFile(Call->Device->File, NULL, NULL, NULL, &Iosb, At, Length, NULL, NULL);
    else
        Status = NtReadFile(Call->Device->File, NULL, NULL, NULL, &Iosb, At, Length, NULL, NULL);
    if (Write)
        Call->Code = METHOD_IN_DIRECT; /* the buffer is not written */
    judge(Call, Status, &Iosb);
    if (Write && Call->Output < KINDS && Status >= 0 && !is_good(Call->Output, Length, 0))
        complain(Call, "the data was not there", Status, &Iosb);
    if (is_pipe(Call->Device) && Call->Output < KINDS)
        check_pipe(Call, Before, Write, Status, &Iosb);
}

static void try_transfers(struct device *Device, enum kind First, enum kind End)
{
    ULONG Lengths[8];
    unsigned Count = lengths_around(100, Lengths);

    for (unsigned i = 0; i < Count; i++)
        for (enum kind Kind = First; Kind < End; Kind++)
            for (int Write = 0; Write < 2; Write++)
                try_transfer(&(struct call){.Device = Device,
                                            .What = Write ? "write" : "read",
                                            .OutputLength = Lengths[i],
                                            .Output = Kind},
                             Write);
}

static void transfers(void)
{
    FOR_DEVICES(Device)
    try_transfers(Device, 0, KINDS);
}

/* Handles, IO_STATUS_BLOCKs, offsets and keys. */
static void expect_status(const char *What, NTSTATUS Status, NTSTATUS Wanted)
{
    if (Status != Wanted)
        COMPLAIN("%s: %08x instead of %08x\n", What, (unsigned)Status, (unsigned)Wanted);
}

static void wrong_pointers(struct device *Device, enum kind Kind)
{
    char *Bad = buffer(1, Kind, 8);
    IO_STATUS_BLOCK Iosb;
    ULONG Code = Device->Known[0].Code;

    expect_status(
        "control, IOSB",
        NtDeviceIoControlFile(Device->File, NULL, NULL, NULL, (void *)Bad, Code, NULL, 0, NULL, 0),
        STATUS_ACCESS_VIOLATION);
    expect_status(
        "read, IOSB",
        NtReadFile(Device->File, NULL, NULL, NULL, (void *)Bad, Base[0][PROGRAM], 8, NULL, NULL),
        STATUS_ACCESS_VIOLATION);
    if (Kind == NOTHING || Kind == PROGRAM_READ_ONLY || Kind == SLOT_READ_ONLY ||
        !(Device->Access & GENERIC_WRITE))
        return;
    expect_status(
        "write, IOSB",
        NtWriteFile(Device->File, NULL, NULL, NULL, (void *)Bad, Base[0][PROGRAM], 8, NULL, NULL),
        STATUS_ACCESS_VIOLATION);
    expect_status(
        "read, offset",
        NtReadFile(Device->File, NULL, NULL, NULL, &Iosb, Base[0][PROGRAM], 8, (void *)Bad, NULL),
        STATUS_ACCESS_VIOLATION);
    expect_status(
        "write, offset",
        NtWriteFile(Device->File, NULL, NULL, NULL, &Iosb, Base[0][PROGRAM], 8, (void *)Bad, NULL),
        STATUS_ACCESS_VIOLATION);
    expect_status("read, key",
                  NtReadFile(Device->File, NULL, NULL, NULL, &Iosb, Base[0][PROGRAM], 8, NULL,
                             (void *)buffer(1, Kind, 4)),
                  STATUS_ACCESS_VIOLATION);
}

static void wrong_handles(struct device *Device)
{
    static const ULONG_PTR Junk[] = {
        0, 1, 0x1234560, 0xFFFFFFFF, 0x80000000, (ULONG_PTR)-3, (ULONG_PTR)-1000, 0x7c0000001000};
    IO_STATUS_BLOCK Iosb;
    HANDLE Event;

    for (unsigned i = 0; i < sizeof(Junk) / sizeof(Junk[0]); i++) {
        HANDLE Bad = (HANDLE)Junk[i];

        expect_status(
            "control, handle",
            NtDeviceIoControlFile(Bad, NULL, NULL, NULL, &Iosb, 0x222000, NULL, 0, NULL, 0),
            STATUS_INVALID_HANDLE);
        expect_status("read, handle",
                      NtReadFile(Bad, NULL, NULL, NULL, &Iosb, Base[0][PROGRAM], 8, NULL, NULL),
                      STATUS_INVALID_HANDLE);
        expect_status("write, handle",
                      NtWriteFile(Bad, NULL, NULL, NULL, &Iosb, Base[0][PROGRAM], 8, NULL, NULL),
                      STATUS_INVALID_HANDLE);
        if (Bad)
            expect_status("control, event",
                          NtDeviceIoControlFile(Device->File, Bad, NULL, NULL, &Iosb,
                                                Device->Known[0].Code, NULL, 0, NULL, 0),
                          STATUS_INVALID_HANDLE);
    }
    NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NativeNotificationEvent, FALSE);
    expect_status("control on an event",
                  NtDeviceIoControlFile(Event, NULL, NULL, NULL, &Iosb, 0x222000, NULL, 0, NULL, 0),
                  STATUS_OBJECT_TYPE_MISMATCH);
    expect_status("a file as event",
                  NtDeviceIoControlFile(Device->File, Device->File, NULL, NULL, &Iosb,
                                        Device->Known[0].Code, NULL, 0, NULL, 0),
                  STATUS_OBJECT_TYPE_MISMATCH);
    NtClose(Event);
}

static void other_arguments(void)
{
    FOR_DEVICES(Device)
    {
        wrong_handles(Device);
        for (enum kind Kind = NOTHING; Kind < KINDS; Kind++)
            wrong_pointers(Device, Kind);
    }
}

/* NtCreateFile: all arguments, one of them wrong. */
struct create {
    const char *What;
    PHANDLE Handle;
    POBJECT_ATTRIBUTES Attributes;
    PIO_STATUS_BLOCK Iosb;
    PLARGE_INTEGER Size;
    PVOID Ea;
    ULONG Access, FileAttributes, Share, Disposition, Options, EaLength;
    HANDLE Opened;
    IO_STATUS_BLOCK Block;
    OBJECT_ATTRIBUTES Object;
    UNICODE_STRING Name;
};

static void good_create(struct create *Create, const WCHAR *Path)
{
    memset(Create, 0, sizeof(*Create));
    RtlInitUnicodeString(&Create->Name, Path);
    InitializeObjectAttributes(&Create->Object, &Create->Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Create->Handle = &Create->Opened;
    Create->Attributes = &Create->Object;
    Create->Iosb = &Create->Block;
    Create->Access = GENERIC_READ | SYNCHRONIZE;
    Create->Share = FILE_SHARE_READ;
    Create->Disposition = FILE_OPEN;
    Create->Options = FILE_SYNCHRONOUS_IO_NONALERT;
}

/* Wanted: 1 if any sensible status will do, STATUS_SUCCESS included. */
static void try_create(struct create *Create, const char *What, NTSTATUS Wanted)
{
    NTSTATUS Status =
        NtCreateFile(Create->Handle, Create->Access, Create->Attributes, Create->Iosb, Create->Size,
                     Create->FileAttributes, Create->Share, Create->Disposition, Create->Options,
                     Create->Ea, Create->EaLength);

    if (!is_sensible(Status) || (Wanted != 1 && Status != Wanted))
        COMPLAIN("create, %s: %08x instead of %08x\n", What, (unsigned)Status, (unsigned)Wanted);
    if (Status >= 0 && Create->Handle == &Create->Opened)
        NtClose(Create->Opened);
}

#define WITH(path, wanted, what, ...)                                                              \
    do {                                                                                           \
        struct create Create;                                                                      \
        good_create(&Create, path);                                                                \
        __VA_ARGS__;                                                                               \
        try_create(&Create, what, wanted);                                                         \
    } while (0)

static void create_pointers(const WCHAR *Path, enum kind Kind)
{
    const NTSTATUS Fault = STATUS_ACCESS_VIOLATION;

    WITH(Path, Fault, "handle pointer", Create.Handle = (void *)buffer(1, Kind, 8));
    WITH(Path, Fault, "IOSB", Create.Iosb = (void *)buffer(1, Kind, 16));
    if (Kind == NOTHING || Kind == PROGRAM_READ_ONLY || Kind == SLOT_READ_ONLY)
        return;
    WITH(Path, Fault, "attributes",
         Create.Attributes = (void *)buffer(1, Kind, sizeof(OBJECT_ATTRIBUTES)));
    WITH(Path, Fault, "name",
         Create.Object.ObjectName = (void *)buffer(1, Kind, sizeof(UNICODE_STRING)));
    WITH(Path, Fault, "name's text",
         Create.Name.Buffer = (void *)buffer(1, Kind, Create.Name.Length));
    WITH(Path, Fault, "size", Create.Size = (void *)buffer(1, Kind, 8));
    WITH(Path, 1, "EA", Create.Ea = buffer(1, Kind, 64); Create.EaLength = 64);
    WITH(Path, 1, "security", Create.Object.SecurityDescriptor = buffer(1, Kind, 20));
    WITH(Path, 1, "quality of service",
         Create.Object.SecurityQualityOfService = buffer(1, Kind, 12));
}

static void create_names(const WCHAR *Path)
{
    WCHAR *Long = (WCHAR *)Base[1][PROGRAM];

    WITH(Path, 1, "no name", Create.Object.ObjectName = NULL);
    WITH(Path, 1, "odd length", Create.Name.Length--);
    WITH(Path, 1, "length above the maximum", Create.Name.MaximumLength = 2);
    WITH(Path, 1, "length 0", Create.Name.Length = 0);
    WITH(Path, 1, "length 1", Create.Name.Length = 1);
    WITH(Path, 1, "no text", Create.Name.Buffer = NULL);
    WITH(Path, 1, "odd text", Create.Name.Buffer = (WCHAR *)((char *)Create.Name.Buffer + 1));
    for (unsigned i = 0; i < 32767; i++)
        Long[i] = 'A';
    wcscpy(Long, Path);
    Long[wcslen(Path)] = '\\';
    for (unsigned Length = 500; Length < 65536; Length = Length * 2 + 1)
        WITH(Path, 1, "huge name",
             Create.Name = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Long});
    WITH(Path, 1, "the longest name", Create.Name = (UNICODE_STRING){65534, 65534, Long});
    WITH(Path, 1, "the longest name, odd", Create.Name = (UNICODE_STRING){65535, 65535, Long});
    memset(Long, 0, 65536);
    WITH(Path, 1, "a name of NULs", Create.Name = (UNICODE_STRING){65534, 65534, Long});
}

static void create_values(const WCHAR *Path)
{
    static const ULONG Numbers[] = {
        0, 1, 7, 0x100, 0x1000, 0x01000000, MAXIMUM_ALLOWED, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF};

    WITH(Path, STATUS_INVALID_PARAMETER, "disposition", Create.Disposition = 7);
    WITH(Path, STATUS_INVALID_PARAMETER, "two synchronous options",
         Create.Options = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);
    WITH(Path, STATUS_INVALID_PARAMETER, "attributes' length", Create.Object.Length = 4);
    WITH(Path, STATUS_INVALID_PARAMETER, "attributes' attributes",
         Create.Object.Attributes = 0xFFFFFFFF);
    WITH(Path, STATUS_INVALID_HANDLE, "root", Create.Object.RootDirectory = (HANDLE)0x12345678;
         Create.Name.Buffer++; Create.Name.Length -= 2);
    for (unsigned i = 0; i < sizeof(Numbers) / sizeof(Numbers[0]); i++) {
        ULONG Number = Numbers[i];

        WITH(Path, 1, "access", Create.Access = Number);
        WITH(Path, 1, "file attributes", Create.FileAttributes = Number);
        WITH(Path, 1, "share", Create.Share = Number);
        WITH(Path, 1, "disposition", Create.Disposition = Number);
        WITH(Path, 1, "options", Create.Options = Number);
        WITH(Path, 1, "attributes' length", Create.Object.Length = Number);
        WITH(Path, 1, "attributes' attributes", Create.Object.Attributes = Number);
        WITH(Path, 1, "EA length without EA", Create.EaLength = Number);
        WITH(Path, 1, "EA length with EA", Create.Ea = Base[1][PROGRAM]; Create.EaLength = Number);
        WITH(Path, 1, "EA length with EA in the slot", Create.Ea = Base[1][SLOT];
             Create.EaLength = Number);
    }
}

static void creates(void)
{
    close_devices(); /* one of them is exclusive */
    FOR_DEVICES(Device)
    {
        for (enum kind Kind = NOTHING; Kind < KINDS; Kind++)
            create_pointers(Device->Path, Kind);
        create_names(Device->Path);
        create_values(Device->Path);
    }
    open_devices();
}

static void good_requests(void)
{
    static const ULONG Wanted[] = {
        sizeof(void *), 0, 0, 0, SYSTEM_MODULE_LIST_HEAD + sizeof(SYSTEM_MODULE), 64};

    memset(Base[0][PROGRAM], 0, 64);
    FOR_DEVICES(Device)
    {
        struct call Call = {.Device = Device,
                            .What = "good",
                            .Code = Device->Known[0].Code,
                            .InputLength = Device->Known[0].Input,
                            .OutputLength = Device->Known[0].Output};
        IO_STATUS_BLOCK Iosb;
        NTSTATUS Status = control(&Call, &Iosb);

        if (NT_ERROR(Status) || Iosb.Information != Wanted[Device - Devices])
            complain(&Call, "a good request fails", Status, &Iosb);
        if (is_pipe(Device)) {
            fill_pipe(Device, 100);
            Status = NtReadFile(Device->File, NULL, NULL, NULL, &Iosb, Base[1][PROGRAM], 200, NULL,
                                NULL);
            if (Status || Iosb.Information != 100)
                complain(&Call, "a good read fails", Status, &Iosb);
        }
    }
}

/* A handle that a refused call left open would count. */
static ULONG handles(void)
{
    ULONG Count = 0;

    expect_status("handle count",
                  NtQueryInformationProcess(NtCurrentProcess(), 20, &Count, sizeof(Count), NULL),
                  STATUS_SUCCESS);
    return Count;
}

static int run(int Number, const char *Name, void (*Test)(void))
{
    ULONG Before = handles(), After;

    Failures = 0;
    Test();
    After = handles();
    if (After != Before)
        COMPLAIN("%u handles before, %u after\n", (unsigned)Before, (unsigned)After);
    printf("%sok %d - %s\n", Failures ? "not " : "", Number, Name);
    return Failures != 0;
}

int main(int Count, char **Arguments)
{
    int Bad;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (Count > 1)
        Step = (unsigned)atoi(Arguments[1]);
    Rounds = Step == 1 ? 10 : 1;
    make_buffers(Base[0]);
    make_buffers(Base[1]);
    if (!open_devices())
        return 1;
    Bad = run(1, "wrong lengths and buffers of known codes", known_controls);
    Bad += run(2, "every code", all_codes);
    Bad += run(3, "wrong lengths and buffers of reads and writes", transfers);
    Bad += run(4, "wrong handles, status blocks, offsets and keys", other_arguments);
    Bad += run(5, "buffers that go during the request", buffers_that_go);
    Bad += run(6, "wrong arguments of NtCreateFile", creates);
    Bad += run(7, "wrong lengths and buffers on asynchronous files", asynchronous_controls);
    Bad += run(8, "good requests afterwards", good_requests);
    close_devices();
    return Bad != 0;
}
