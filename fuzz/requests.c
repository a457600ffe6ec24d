/*
 * fuzz requests: what a client can send to the drivers. The input is a list of requests against a
 * few handles: open, close, read, write, control, with lengths, buffers and codes of the fuzzer's
 * choosing. Whatever a client sends, nothing may break and no handle may be lost.
 */
#include <usernt.h>
#include <nt_services.h>

#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HANDLES 4
#define BUFFER 5000

static const PCWSTR Paths[] = {L"\\??\\Example\\a",    L"\\??\\Example\\b",    L"\\??\\Example",
                               L"\\??\\SharingMemory", L"\\??\\SystemModules", L"\\??\\Bench",
                               L"\\??\\Example\\a\\b", L"\\Device\\Example"};

static void load(const char *Folder, const char *Name, PCWSTR Service)
{
    char Path[1024];
    NTSTATUS Status;

    snprintf(Path, sizeof(Path), "%s/%s.so", Folder, Name);
    Status = UserNtLoadDriver(Path, Service);
    if (!NT_SUCCESS(Status)) {
        fprintf(stderr, "cannot load %s: status 0x%08X\n", Path, (unsigned)Status);
        exit(1);
    }
}

int LLVMFuzzerInitialize(int *Count, char ***Arguments);
int LLVMFuzzerInitialize(int *Count, char ***Arguments)
{
    USERNT_OPTIONS Options = {.Size = sizeof(Options), .BootUserId = MAXULONG};
    const char *Folder = getenv("USERNT_DRIVERS");

    if (!Folder || !NT_SUCCESS(UserNtBoot(&Options))) {
        fprintf(stderr, "set USERNT_DRIVERS to the folder of the drivers\n");
        exit(1);
    }
    load(Folder, "example", L"example");
    load(Folder, "sharingmemory", L"sharingmemory");
    load(Folder, "systemmodules", L"systemmodules");
    load(Folder, "bench", L"bench");
    return 0;
}

struct input {
    const uint8_t *At;
    size_t Left;
};

static uint32_t take(struct input *Input, size_t Bytes)
{
    uint32_t Value = 0;

    if (Bytes > Input->Left)
        Bytes = Input->Left;
    memcpy(&Value, Input->At, Bytes);
    Input->At += Bytes;
    Input->Left -= Bytes;
    return Value;
}

/* A buffer as bad clients choose them: good, NULL, unmapped, the kernel's, misaligned. */
static PVOID choose_buffer(struct input *Input, char *Good)
{
    switch (take(Input, 1) % 8) {
    case 0:
        return NULL;
    case 1:
        return (PVOID)0x10;
    case 2:
        return (PVOID)0x7c0000001000;
    case 3:
        return Good + 1;
    default:
        return Good;
    }
}

static ULONG choose_length(struct input *Input)
{
    uint32_t Choice = take(Input, 2);

    return Choice == 0xffff ? MAXULONG : Choice % (BUFFER - 8);
}

static void open_one(struct input *Input, PHANDLE Handle)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    ACCESS_MASK Access = take(Input, 1) & 1 ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;

    if (*Handle)
        NtClose(*Handle);
    *Handle = NULL;
    RtlInitUnicodeString(&Name, Paths[take(Input, 1) % RTL_NUMBER_OF(Paths)]);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    NtCreateFile(Handle, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
                 FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

/* The pipe's modes that wait would wait for ever: one thread is all there is. */
static BOOLEAN may_wait(ULONG Code)
{
    return (Code >> 16) == FILE_DEVICE_UNKNOWN && ((Code >> 2) & 0xfff) > 0x803;
}

static ULONG choose_code(struct input *Input)
{
    if (take(Input, 1) & 1)
        return CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + take(Input, 1) % 4, take(Input, 1) % 4,
                        take(Input, 1) % 4);
    return take(Input, 4);
}

static void control(struct input *Input, HANDLE Handle, char *In, char *Out)
{
    ULONG Code = choose_code(Input);
    PVOID InBuffer = choose_buffer(Input, In), OutBuffer = choose_buffer(Input, Out);
    ULONG InLength = choose_length(Input), OutLength = choose_length(Input);
    IO_STATUS_BLOCK Iosb;

    if (!may_wait(Code))
        NtDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, Code, InBuffer, InLength, OutBuffer,
                              OutLength);
}

static void one_request(struct input *Input, HANDLE *Handles)
{
    static char In[BUFFER], Out[BUFFER];
    uint32_t What = take(Input, 1);
    PHANDLE Handle = &Handles[(What >> 4) % HANDLES];
    PVOID Buffer;
    IO_STATUS_BLOCK Iosb;

    switch (What % 6) {
    case 0:
        open_one(Input, Handle);
        break;
    case 1:
        Buffer = choose_buffer(Input, Out);
        NtReadFile(*Handle, NULL, NULL, NULL, &Iosb, Buffer, choose_length(Input), NULL, NULL);
        break;
    case 2:
        memset(In, (int)take(Input, 1), sizeof(In));
        Buffer = choose_buffer(Input, In);
        NtWriteFile(*Handle, NULL, NULL, NULL, &Iosb, Buffer, choose_length(Input), NULL, NULL);
        break;
    case 3:
        NtClose(*Handle);
        *Handle = NULL;
        break;
    default:
        control(Input, *Handle, In, Out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    struct input Input = {Data, Size};
    HANDLE Handles[HANDLES] = {0};

    while (Input.Left)
        one_request(&Input, Handles);
    for (int i = 0; i < HANDLES; i++)
        if (Handles[i])
            NtClose(Handles[i]);
    return 0;
}
