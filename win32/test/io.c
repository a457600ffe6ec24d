/* Overlapped requests, on the poor man's pipe in its mode that waits. */
#include "tap.h"

#include "pipe.h"
#include <psapi.h>

static void a_read_waits_and_is_completed_by_a_write(void)
{
    HANDLE Pipe = open_pipe("event", FILE_FLAG_OVERLAPPED), Other = open_pipe("event", 0);
    OVERLAPPED Read = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char Buffer[16] = "";
    DWORD Done = 99;

    CHECK(Pipe != INVALID_HANDLE_VALUE && Other != INVALID_HANDLE_VALUE);
    FAILS(ReadFile(Pipe, Buffer, sizeof(Buffer), &Done, &Read), ERROR_IO_PENDING);
    FAILS(GetOverlappedResult(Pipe, &Read, &Done, FALSE), ERROR_IO_INCOMPLETE);
    CHECK(WriteFile(Other, "hello", 5, &Done, NULL) && Done == 5);
    CHECK(GetOverlappedResult(Pipe, &Read, &Done, TRUE) && Done == 5 &&
          !memcmp(Buffer, "hello", 5));
    CHECK(CloseHandle(Pipe) && CloseHandle(Other) && CloseHandle(Read.hEvent));
}

static void an_answer_is_seen_by_who_only_looks_at_the_overlapped(void)
{
    HANDLE Pipe = open_pipe("look", FILE_FLAG_OVERLAPPED), Other = open_pipe("look", 0);
    static volatile OVERLAPPED Read;
    static char Buffer[16];
    DWORD Done;

    FAILS(ReadFile(Pipe, Buffer, sizeof(Buffer), NULL, (OVERLAPPED *)&Read), ERROR_IO_PENDING);
    CHECK(WriteFile(Other, "x", 1, &Done, NULL));
    while (*(volatile ULONG_PTR *)&Read.Internal == 0x103)
        ;
    CHECK(Read.InternalHigh == 1 && Buffer[0] == 'x' && CloseHandle(Pipe) && CloseHandle(Other));
}

static DWORD ApcError, ApcBytes;

static void CALLBACK completed(DWORD Error, DWORD Bytes, LPOVERLAPPED Overlapped)
{
    ApcError = Error;
    ApcBytes = Bytes;
    *(int *)Overlapped->hEvent = 1;
}

static void a_completion_routine_runs_in_an_alertable_wait(void)
{
    HANDLE Pipe = open_pipe("apc", FILE_FLAG_OVERLAPPED), Other = open_pipe("apc", 0);
    int Ran = 0;
    OVERLAPPED Read = {.hEvent = (HANDLE)&Ran};
    char Buffer[4];
    DWORD Done;

    CHECK(ReadFileEx(Pipe, Buffer, sizeof(Buffer), &Read, completed));
    CHECK(SleepEx(0, TRUE) == 0 && !Ran && WriteFile(Other, "abc", 3, &Done, NULL));
    while (!Ran)
        CHECK(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION);
    CHECK(ApcError == 0 && ApcBytes == 3 && !memcmp(Buffer, "abc", 3) && CloseHandle(Pipe) &&
          CloseHandle(Other));
}

static void a_request_is_cancelled_by_its_overlapped(void)
{
    HANDLE Pipe = open_pipe("cancel", FILE_FLAG_OVERLAPPED);
    OVERLAPPED One = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)},
               Two = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char Buffer[4];
    DWORD Done;

    FAILS(ReadFile(Pipe, Buffer, 4, NULL, &One), ERROR_IO_PENDING);
    FAILS(ReadFile(Pipe, Buffer, 4, NULL, &Two), ERROR_IO_PENDING);
    CHECK(CancelIoEx(Pipe, &Two));
    FAILS(GetOverlappedResult(Pipe, &Two, &Done, TRUE), ERROR_OPERATION_ABORTED);
    FAILS(GetOverlappedResult(Pipe, &One, &Done, FALSE), ERROR_IO_INCOMPLETE);
    CHECK(CancelIo(Pipe));
    FAILS(GetOverlappedResult(Pipe, &One, &Done, TRUE), ERROR_OPERATION_ABORTED);
    FAILS(CancelIoEx(Pipe, &One), ERROR_NOT_FOUND);
    CHECK(CloseHandle(Pipe) && CloseHandle(One.hEvent) && CloseHandle(Two.hEvent));
}

static OVERLAPPED Left;
static char LeftBuffer[8];

static DWORD WINAPI leave_a_read(LPVOID Pipe)
{
    return ReadFile(Pipe, LeftBuffer, sizeof(LeftBuffer), NULL, &Left) ||
           GetLastError() != ERROR_IO_PENDING;
}

static void a_thread_that_ends_takes_its_requests_along(void)
{
    HANDLE Pipe = open_pipe("left", FILE_FLAG_OVERLAPPED), Thread;
    DWORD Code = 1;

    for (int Round = 0; Round < 50; Round++) {
        memset(&Left, 0, sizeof(Left));
        Thread = CreateThread(NULL, 0, leave_a_read, Pipe, 0, NULL);
        CHECK(Thread && WaitForSingleObject(Thread, INFINITE) == WAIT_OBJECT_0 &&
              GetExitCodeThread(Thread, &Code) && Code == 0);
        while (*(volatile ULONG_PTR *)&Left.Internal == 0x103)
            Sleep(0);
        CHECK(Left.Internal == 0xC0000120 && CloseHandle(Thread));
    }
    CHECK(CloseHandle(Pipe));
}

static void a_large_request_pends_too(void)
{
    enum { SIZE = 300000 };
    static char In[SIZE], Out[SIZE];
    HANDLE Pipe = open_pipe("large", FILE_FLAG_OVERLAPPED), Other = open_pipe("large", 0);
    OVERLAPPED Write = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD Done, Got = 0;

    for (int i = 0; i < SIZE; i++)
        Out[i] = (char)(i * 7);
    FAILS(WriteFile(Pipe, Out, SIZE, NULL, &Write), ERROR_IO_PENDING);
    while (Got < SIZE) {
        CHECK(ReadFile(Other, In + Got, SIZE - Got, &Done, NULL) && Done);
        Got += Done;
    }
    CHECK(GetOverlappedResult(Pipe, &Write, &Done, TRUE) && Done == SIZE && !memcmp(In, Out, SIZE));
    CHECK(CloseHandle(Pipe) && CloseHandle(Other) && CloseHandle(Write.hEvent));
}

static void many_requests_pend_at_once(void)
{
    enum { COUNT = 500 };
    static OVERLAPPED Read[COUNT];
    static char Buffer[COUNT][100];
    HANDLE Pipe = open_pipe("many", FILE_FLAG_OVERLAPPED), Other = open_pipe("many", 0);
    DWORD Done;

    for (int i = 0; i < COUNT; i++)
        FAILS(ReadFile(Pipe, Buffer[i], 1, NULL, &Read[i]), ERROR_IO_PENDING);
    for (int i = 0; i < COUNT; i++) {
        char Byte = (char)i;
        CHECK(WriteFile(Other, &Byte, 1, &Done, NULL));
    }
    for (int i = 0; i < COUNT; i++) {
        while (*(volatile ULONG_PTR *)&Read[i].Internal == 0x103)
            Sleep(0);
        CHECK(Read[i].InternalHigh == 1 && Buffer[i][0] == (char)i);
    }
    CHECK(CloseHandle(Pipe) && CloseHandle(Other));
}

static void a_completion_port_names_the_request(void)
{
    HANDLE Pipe = open_pipe("port", FILE_FLAG_OVERLAPPED), Other = open_pipe("port", 0);
    HANDLE Port = CreateIoCompletionPort(Pipe, NULL, 42, 0);
    OVERLAPPED Read = {0}, *Which;
    ULONG_PTR Key;
    char Buffer[4];
    DWORD Done;

    CHECK(Port && !GetQueuedCompletionStatus(Port, &Done, &Key, &Which, 0) && !Which &&
          GetLastError() == WAIT_TIMEOUT);
    FAILS(ReadFile(Pipe, Buffer, 4, NULL, &Read), ERROR_IO_PENDING);
    CHECK(WriteFile(Other, "ab", 2, &Done, NULL));
    CHECK(GetQueuedCompletionStatus(Port, &Done, &Key, &Which, INFINITE) && Which == &Read &&
          Key == 42 && Done == 2);
    CHECK(!memcmp(Buffer, "ab", 2) &&
          PostQueuedCompletionStatus(Port, 7, 8, (LPOVERLAPPED)(ULONG_PTR)9));
    CHECK(GetQueuedCompletionStatus(Port, &Done, &Key, &Which, INFINITE) && Done == 7 && Key == 8 &&
          Which == (LPOVERLAPPED)(ULONG_PTR)9);
    CHECK(CloseHandle(Pipe) && CloseHandle(Other) && CloseHandle(Port));
}

static void a_bad_buffer_is_refused(void)
{
    HANDLE Pipe = open_pipe("bad", 0);
    DWORD Done;

    CHECK(WriteFile(Pipe, "1", 1, &Done, NULL));
    FAILS(WriteFile(Pipe, (void *)(ULONG_PTR)0x10, 5, &Done, NULL), ERROR_NOACCESS);
    CHECK(CloseHandle(Pipe));
}

static void what_cannot_be_opened_says_why(void)
{
    CHECK(CreateFileA("\\\\.\\NoSuchDevice", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) ==
              INVALID_HANDLE_VALUE &&
          GetLastError() == ERROR_FILE_NOT_FOUND);
    CHECK(CreateFileA("\\\\.\\Example\\x", GENERIC_READ, 0, NULL, 9, 0, NULL) ==
              INVALID_HANDLE_VALUE &&
          GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(CreateFileA("", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE &&
          GetLastError() == ERROR_PATH_NOT_FOUND);
}

static void a_name_that_is_no_device_is_a_file_on_disk(void)
{
    char Folder[MAX_PATH], Name[MAX_PATH + 20], Text[8] = "";
    DWORD Done, Length = GetCurrentDirectoryA(sizeof(Folder), Folder);
    HANDLE File;

    CHECK(Length == strlen(Folder) && !memcmp(Folder, "C:\\", 3));
    CHECK(GetCurrentDirectoryA(2, Folder) == Length + 1);
    GetCurrentDirectoryA(sizeof(Folder), Folder);
    snprintf(Name, sizeof(Name), "%s\\win32-io-%u.txt", Folder, (unsigned)GetCurrentProcessId());
    CHECK(GetFileAttributesA(Folder) == FILE_ATTRIBUTE_DIRECTORY);
    FAILS(CreateFileA(Name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) != INVALID_HANDLE_VALUE,
          ERROR_FILE_NOT_FOUND);
    File = CreateFileA(Name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    CHECK(File != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(File, "disk", 4, &Done, NULL) && Done == 4 && GetFileSize(File, NULL) == 4);
    CHECK(SetFilePointer(File, -3, NULL, FILE_END) == 1);
    CHECK(ReadFile(File, Text, sizeof(Text), &Done, NULL) && Done == 3 && !strcmp(Text, "isk"));
    CHECK(CloseHandle(File));
    FAILS(CreateFileA(Name, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL) != INVALID_HANDLE_VALUE,
          ERROR_FILE_EXISTS);
    CHECK(DeleteFileA(Name));
    FAILS(DeleteFileA(Name), ERROR_FILE_NOT_FOUND);
    FAILS(DeleteFileA("C:\\no folder\\x"), ERROR_PATH_NOT_FOUND);
    FAILS(CreateFileA("\\\\.\\etc/passwd", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) !=
              INVALID_HANDLE_VALUE,
          ERROR_PATH_NOT_FOUND);
}

static BOOL is_full(const char *Name, const char *Expected, const char *ExpectedLast)
{
    char Path[600], *Last;
    DWORD Length = GetFullPathNameA(Name, sizeof(Path), Path, &Last);

    if (Length == strlen(Expected) && !strcmp(Path, Expected) &&
        (ExpectedLast ? Last && !strcmp(Last, ExpectedLast) : !Last))
        return TRUE;
    printf("# %s is %s\n", Name, Path);
    return FALSE;
}

static void a_path_is_made_full(void)
{
    char Folder[500], Expected[600];
    WCHAR Wide[100], *Last;

    GetCurrentDirectoryA(sizeof(Folder), Folder);
    snprintf(Expected, sizeof(Expected), "%s\\a.txt", Folder);
    CHECK(is_full("a.txt", Expected, "a.txt") && is_full("x\\..\\.\\a.txt", Expected, "a.txt"));
    CHECK(is_full("C:\\one\\..\\two\\three", "C:\\two\\three", "three"));
    CHECK(is_full("D:/one/two/", "D:\\one\\two\\", NULL) && is_full("\\..\\..\\b", "C:\\b", "b"));
    CHECK(is_full("\\", "C:\\", NULL) && is_full("\\\\.\\Example", "\\\\.\\Example", "Example"));
    CHECK(GetFullPathNameA("C:\\abc", 3, Expected, NULL) == 7);
    CHECK(GetFullPathNameW(L"C:\\one\\two", 100, Wide, &Last) == 10 && Wide[8] == 'w' &&
          Last == Wide + 7);
    FAILS(GetFullPathNameA("", 3, Expected, NULL), ERROR_INVALID_NAME);
}

static void a_port_gives_all_it_has(void)
{
    HANDLE Port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED_ENTRY Entries[4];
    ULONG Got = 9;

    FAILS(GetQueuedCompletionStatusEx(Port, Entries, 4, &Got, 0, FALSE), WAIT_TIMEOUT);
    CHECK(Got == 0);
    for (ULONG_PTR i = 0; i < 5; i++)
        CHECK(PostQueuedCompletionStatus(Port, (DWORD)i, 10 + i, NULL));
    CHECK(GetQueuedCompletionStatusEx(Port, Entries, 4, &Got, INFINITE, FALSE) && Got == 4);
    for (ULONG i = 0; i < 4; i++)
        CHECK(Entries[i].dwNumberOfBytesTransferred == i && Entries[i].lpCompletionKey == 10 + i);
    CHECK(GetQueuedCompletionStatusEx(Port, Entries, 4, &Got, INFINITE, FALSE) && Got == 1);
    FAILS(GetQueuedCompletionStatusEx(Port, Entries, 0, &Got, 0, FALSE), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(Port));
}

static void a_device_name_leads_to_its_device(void)
{
    char Target[200], All[20000];
    WCHAR Wide[200];
    DWORD Count;
    int Found = 0;

    CHECK(QueryDosDeviceA("Example", Target, sizeof(Target)) && !strncmp(Target, "\\Device\\", 8));
    CHECK(QueryDosDeviceW(L"example", Wide, 200) == strlen(Target) + 2);
    FAILS(QueryDosDeviceA("nonesuch", Target, sizeof(Target)), ERROR_FILE_NOT_FOUND);
    FAILS(QueryDosDeviceA("Example", Target, 5), ERROR_INSUFFICIENT_BUFFER);
    CHECK((Count = QueryDosDeviceA(NULL, All, sizeof(All))) > 2 && !All[Count - 1]);
    for (char *Name = All; *Name; Name += strlen(Name) + 1)
        Found += !_stricmp(Name, "Example");
    CHECK(Found == 1);
}

NTSTATUS NTAPI RtlAdjustPrivilege(ULONG Privilege, BOOLEAN Enable, BOOLEAN Thread, PBOOLEAN Was);
#define DEBUG_PRIVILEGE 20 /* who may not debug is told no base */

static void drivers_are_listed_by_their_bases(void)
{
    LPVOID Bases[64];
    DWORD Bytes;
    char Name[64];
    BOOLEAN Was;
    int Found = 0;

    CHECK(RtlAdjustPrivilege(DEBUG_PRIVILEGE, TRUE, FALSE, &Was) >= 0);
    CHECK(EnumDeviceDrivers(Bases, sizeof(Bases), &Bytes) && Bytes >= 2 * sizeof(LPVOID));
    CHECK(GetDeviceDriverBaseNameA(Bases[0], Name, sizeof(Name)) &&
          !_stricmp(Name, "ntoskrnl.exe"));
    for (DWORD i = 0; i < Bytes / sizeof(LPVOID) && i < 64; i++)
        Found += GetDeviceDriverBaseNameA(Bases[i], Name, sizeof(Name)) &&
                 !_stricmp(Name, "example.sys");
    CHECK(Found == 1);
    FAILS(GetDeviceDriverFileNameA((LPVOID)5, Name, sizeof(Name)), ERROR_INVALID_HANDLE);
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {
        TEST(a_read_waits_and_is_completed_by_a_write),
        TEST(an_answer_is_seen_by_who_only_looks_at_the_overlapped),
        TEST(a_completion_routine_runs_in_an_alertable_wait),
        TEST(a_request_is_cancelled_by_its_overlapped),
        TEST(a_thread_that_ends_takes_its_requests_along),
        TEST(a_large_request_pends_too),
        TEST(many_requests_pend_at_once),
        TEST(a_completion_port_names_the_request),
        TEST(a_bad_buffer_is_refused),
        TEST(what_cannot_be_opened_says_why),
        TEST(a_name_that_is_no_device_is_a_file_on_disk),
        TEST(a_path_is_made_full),
        TEST(a_port_gives_all_it_has),
        TEST(a_device_name_leads_to_its_device),
        TEST(drivers_are_listed_by_their_bases),
        {0}};
    return tap_run(Tests);
}
