/*
 * What tests/spy_hooks.sh and spy_log.py run beside w2k_hook.
 *
 * spy_client work NAME ROUNDS: pipe, file and registry calls, each of which must do what it does
 *   without hooks; ends with its thread's id, how often it called each service, and a key that is
 *   opened last of all. ROUNDS 0: until standard input ends.
 * spy_client cycle COUNT: installs and removes the hooks so many times.
 * spy_client block: is in a call when it is killed.
 * spy_client image MODULE: its headers and exports, by functions 19 to 22, with the names that
 *   llvm-readobj has for them (spy_images.py).
 * spy_client dump MODULE FILE: its memory, by function 9.
 */
#include "win32/ntdll/native.h"
#include "drivers/w2k_spy/client/call.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CREATE_FILE, WRITE_FILE, READ_FILE, QUERY_FILE, CREATE_KEY, SET_VALUE, QUERY_VALUE, CLOSE };
static const char *const Names[] = {"NtCreateFile",           "NtWriteFile", "NtReadFile",
                                    "NtQueryInformationFile", "NtCreateKey", "NtSetValueKey",
                                    "NtQueryValueKey",        "NtClose"};
static unsigned Calls[8];

typedef struct TEXT {
    UNICODE_STRING String;
    OBJECT_ATTRIBUTES Attributes;
    WCHAR Letters[200];
} TEXT;

static void make(TEXT *Text, const char *Start, const char *Name)
{
    char Both[200];
    int Length = snprintf(Both, sizeof(Both), "%s%s", Start, Name);

    for (int i = 0; i <= Length; i++)
        Text->Letters[i] = (unsigned char)Both[i];
    Text->String.Buffer = Text->Letters;
    Text->String.Length = (USHORT)(Length * sizeof(WCHAR));
    Text->String.MaximumLength = Text->String.Length;
    InitializeObjectAttributes(&Text->Attributes, &Text->String, OBJ_CASE_INSENSITIVE, NULL, NULL);
}

/* Counts the call; a status that is not the one of an unhooked call ends the program. */
static void expect(int Call, NTSTATUS Status, NTSTATUS Wanted)
{
    Calls[Call]++;
    if (Status == Wanted)
        return;
    fprintf(stderr, "%s: %08x instead of %08x\n", Names[Call], (unsigned)Status, (unsigned)Wanted);
    exit(1);
}

static void same(int Call, const void *A, const void *B, size_t Bytes)
{
    if (!memcmp(A, B, Bytes))
        return;
    fprintf(stderr, "%s: other bytes\n", Names[Call]);
    exit(1);
}

static void pipe_and_file(const char *Name, unsigned Round)
{
    char Out[40], In[64];
    TEXT Text;
    HANDLE File;
    IO_STATUS_BLOCK Block;
    FILE_POSITION_INFORMATION Position;
    ULONG Length = (ULONG)snprintf(Out, sizeof(Out), "%s says %u", Name, Round);

    make(&Text, "\\??\\Example\\", Name);
    expect(CREATE_FILE,
           NtCreateFile(&File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Text.Attributes, &Block,
                        NULL, 0, 0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0),
           STATUS_SUCCESS);
    expect(WRITE_FILE, NtWriteFile(File, NULL, NULL, NULL, &Block, Out, Length, NULL, NULL),
           STATUS_SUCCESS);
    expect(READ_FILE, NtReadFile(File, NULL, NULL, NULL, &Block, In, sizeof(In), NULL, NULL),
           STATUS_SUCCESS);
    same(READ_FILE, Out, In, Length);
    expect(
        QUERY_FILE,
        NtQueryInformationFile(File, &Block, &Position, sizeof(Position), FilePositionInformation),
        STATUS_SUCCESS);
    expect(CLOSE, NtClose(File), STATUS_SUCCESS);
    make(&Text, "\\??\\there is no such file of ", Name);
    expect(CREATE_FILE,
           NtCreateFile(&File, GENERIC_READ | SYNCHRONIZE, &Text.Attributes, &Block, NULL, 0, 0,
                        FILE_OPEN, 0, NULL, 0),
           STATUS_OBJECT_NAME_NOT_FOUND);
}

static void registry(const char *Name, unsigned Round)
{
    UCHAR Buffer[64];
    NATIVE_KEY_VALUE_PARTIAL *Value = (void *)Buffer;
    TEXT Text, ValueName;
    ULONG Returned;
    HANDLE Key;

    make(&Text, "\\Registry\\Machine\\Software\\Spy", Name);
    make(&ValueName, "Round", "");
    expect(CREATE_KEY, NtCreateKey(&Key, KEY_ALL_ACCESS, &Text.Attributes, 0, NULL, 1, NULL),
           STATUS_SUCCESS);
    expect(SET_VALUE, NtSetValueKey(Key, &ValueName.String, 0, REG_DWORD, &Round, sizeof(Round)),
           STATUS_SUCCESS);
    expect(QUERY_VALUE,
           NtQueryValueKey(Key, &ValueName.String, 2, Buffer, sizeof(Buffer), &Returned),
           STATUS_SUCCESS);
    same(QUERY_VALUE, Value->Data, &Round, sizeof(Round));
    expect(CLOSE, NtClose(Key), STATUS_SUCCESS);
    expect(CLOSE, NtClose(Key), STATUS_INVALID_HANDLE);
}

static int input_has_ended(void)
{
    struct pollfd Input = {STDIN_FILENO, POLLIN, 0};
    char Byte;

    return poll(&Input, 1, 0) > 0 && read(STDIN_FILENO, &Byte, 1) <= 0;
}

static int work(const char *Name, unsigned Rounds)
{
    TEXT Last;
    HANDLE Key;
    unsigned i;

    for (i = 0; Rounds ? i < Rounds : !input_has_ended(); i++) {
        pipe_and_file(Name, i);
        registry(Name, i);
        if (i == 0) {
            puts("begun");
            fflush(stdout);
        }
    }
    make(&Last, "\\Registry\\Machine\\The end of ", Name);
    NtOpenKey(&Key, KEY_READ, &Last.Attributes);
    printf("thread %X\nrounds %u\n", (unsigned)GetCurrentThreadId(), i);
    for (int Call = 0; Call < 8; Call++)
        printf("%s %u\n", Names[Call], Calls[Call]);
    return 0;
}

static int cycle(unsigned Count)
{
    HANDLE Device =
        CreateFileA(SPY_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    BOOL Reset = TRUE;
    DWORD On = 0, Off = 0, Done;

    for (unsigned i = 0; i < Count; i++)
        if (!DeviceIoControl(Device, SPY_IO_HOOK_INSTALL, &Reset, sizeof(Reset), &On, sizeof(On),
                             &Done, NULL) ||
            !DeviceIoControl(Device, SPY_IO_HOOK_REMOVE, &Reset, sizeof(Reset), &Off, sizeof(Off),
                             &Done, NULL) ||
            On < 44 || On != Off) {
            fprintf(stderr, "cycle %u: %u on, %u off, error %u\n", i, (unsigned)On, (unsigned)Off,
                    (unsigned)GetLastError());
            return 1;
        }
    printf("%u cycles of %u hooks\n", Count, (unsigned)On);
    CloseHandle(Device);
    return 0;
}

/* Waits for ever for an event. */
static int block(void)
{
    HANDLE Event;

    expect(CLOSE, NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NativeNotificationEvent, FALSE),
           STATUS_SUCCESS);
    puts("blocking");
    fflush(stdout);
    NtWaitForSingleObject(Event, FALSE, NULL);
    return 1;
}

#define FILE_FIELD(Name, Field) printf(Name ": %u\n", (unsigned)Headers.FileHeader.Field)
#define FIELD(Name) OTHER_FIELD(#Name, Name)
#define OTHER_FIELD(Name, Field)                                                                   \
    printf(Name ": %llu\n", (unsigned long long)Headers.OptionalHeader.Field)

static void headers(IMAGE_NT_HEADERS Headers)
{
    FILE_FIELD("Machine", Machine);
    FILE_FIELD("SectionCount", NumberOfSections);
    FILE_FIELD("TimeDateStamp", TimeDateStamp);
    FILE_FIELD("PointerToSymbolTable", PointerToSymbolTable);
    FILE_FIELD("SymbolCount", NumberOfSymbols);
    FILE_FIELD("OptionalHeaderSize", SizeOfOptionalHeader);
    FIELD(Magic);
    FIELD(MajorLinkerVersion);
    FIELD(MinorLinkerVersion);
    FIELD(SizeOfCode);
    FIELD(SizeOfInitializedData);
    FIELD(SizeOfUninitializedData);
    FIELD(AddressOfEntryPoint);
    FIELD(BaseOfCode);
    FIELD(ImageBase);
    FIELD(SectionAlignment);
    FIELD(FileAlignment);
    FIELD(MajorOperatingSystemVersion);
    FIELD(MinorOperatingSystemVersion);
    FIELD(MajorImageVersion);
    FIELD(MinorImageVersion);
    FIELD(MajorSubsystemVersion);
    FIELD(MinorSubsystemVersion);
    FIELD(SizeOfImage);
    FIELD(SizeOfHeaders);
    FIELD(CheckSum);
    FIELD(Subsystem);
    FIELD(SizeOfStackReserve);
    FIELD(SizeOfStackCommit);
    FIELD(SizeOfHeapReserve);
    FIELD(SizeOfHeapCommit);
    OTHER_FIELD("NumberOfRvaAndSize", NumberOfRvaAndSizes);
    for (int i = 0; i < IMAGE_NUMBEROF_DIRECTORY_ENTRIES; i++)
        printf("directory %d: %u %u\n", i,
               (unsigned)Headers.OptionalHeader.DataDirectory[i].VirtualAddress,
               (unsigned)Headers.OptionalHeader.DataDirectory[i].Size);
}

/* name RVA, by function 21; and what function 22 says of it. */
static BOOL symbol(void *Context, PCSTR Name, PVOID Address)
{
    const SPY_MODULE_INFO *Info = Context;
    char Both[400];
    PVOID Alone;

    snprintf(Both, sizeof(Both), "%s!%s", Info->abPath + Info->dNameOffset, Name);
    Alone = SpySymbol(Both);
    printf("export %s %llu %llu\n", Name,
           (unsigned long long)((ULONG_PTR)Address - (ULONG_PTR)Info->pBase),
           (unsigned long long)(ULONG_PTR)Alone);
    return TRUE;
}

static int image(const char *Module)
{
    SPY_MODULE_INFO Info;
    IMAGE_NT_HEADERS Headers;

    if (!SpyModule(Module, &Info) || !SpyModuleHeader(Info.pBase, &Headers))
        return 1;
    printf("base: %llu\nsize: %u\n", (unsigned long long)(ULONG_PTR)Info.pBase,
           (unsigned)Info.dSize);
    headers(Headers);
    SpyModuleSymbols(Info.pBase, symbol, &Info); /* most drivers export nothing */
    SpyCallCleanUp();
    return 0;
}

static int dump(const char *Module, const char *File)
{
    static UCHAR Page[0x1000];
    SPY_MEMORY_BLOCK Block = {NULL, sizeof(Page)};
    SPY_MODULE_INFO Info;
    FILE *Out = fopen(File, "wb");
    int Good = Out && SpyModule(Module, &Info);

    for (DWORD At = 0; Good && At < Info.dSize; At += sizeof(Page)) {
        Block.pAddress = (char *)Info.pBase + At;
        Good = SpyControl(SPY_IO_MEMORY_BLOCK, &Block, sizeof(Block), Page, sizeof(Page)) &&
               fwrite(Page, 1, sizeof(Page), Out) == sizeof(Page);
    }
    SpyCallCleanUp();
    return Out && !fclose(Out) && Good ? 0 : 1;
}

int main(int Count, char **Arguments)
{
    if (Count == 4 && !strcmp(Arguments[1], "work"))
        return work(Arguments[2], (unsigned)atoi(Arguments[3]));
    if (Count == 3 && !strcmp(Arguments[1], "cycle"))
        return cycle((unsigned)atoi(Arguments[2]));
    if (Count == 2 && !strcmp(Arguments[1], "block"))
        return block();
    if (Count == 3 && !strcmp(Arguments[1], "image"))
        return image(Arguments[2]);
    if (Count == 4 && !strcmp(Arguments[1], "dump"))
        return dump(Arguments[2], Arguments[3]);
    fputs("usage: spy_client work NAME ROUNDS | cycle COUNT | block | image MODULE | dump MODULE "
          "FILE\n",
          stderr);
    return 2;
}
