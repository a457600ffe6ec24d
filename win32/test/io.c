/* Overlapped requests, on the poor man's pipe in its mode that waits. */
#include "tap.h"

#include <winioctl.h>
#include "../../drivers/pipe/public.h"

static HANDLE open_pipe(const char *Name, DWORD Flags)
{
    EXAMPLE_MODE Mode = {EXAMPLE_CAPACITY, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0};
    char Path[100];
    HANDLE Pipe;
    DWORD Done;
    OVERLAPPED Overlapped = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};

    snprintf(Path, sizeof(Path), "\\\\.\\Example\\%s", Name);
    Pipe = CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, Flags, NULL);
    if (Pipe != INVALID_HANDLE_VALUE && !DeviceIoControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode,
                                                         sizeof(Mode), NULL, 0, &Done, &Overlapped))
        printf("# the mode was not set: %u\n", (unsigned)GetLastError());
    CloseHandle(Overlapped.hEvent);
    return Pipe;
}

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
        {0}};
    return tap_run(Tests);
}
