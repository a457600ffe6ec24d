/* Events, mutexes, semaphores, timers, waits, handles, sections. */
#include "tap.h"

static void an_event_is_set_and_reset(void)
{
    HANDLE Event = CreateEventA(NULL, TRUE, FALSE, NULL);

    CHECK(Event && WaitForSingleObject(Event, 0) == WAIT_TIMEOUT);
    CHECK(SetEvent(Event) && WaitForSingleObject(Event, 0) == WAIT_OBJECT_0 &&
          WaitForSingleObject(Event, 0) == WAIT_OBJECT_0);
    CHECK(ResetEvent(Event) && WaitForSingleObject(Event, 0) == WAIT_TIMEOUT && CloseHandle(Event));
}

static void an_auto_reset_event_lets_one_through(void)
{
    HANDLE Event = CreateEventW(NULL, FALSE, TRUE, NULL);

    CHECK(WaitForSingleObject(Event, 0) == WAIT_OBJECT_0 &&
          WaitForSingleObject(Event, 0) == WAIT_TIMEOUT && CloseHandle(Event));
}

static void a_name_that_exists_says_so(void)
{
    HANDLE One = CreateEventA(NULL, TRUE, FALSE, "Local\\win32-objects-event"), Two;

    CHECK(One && GetLastError() == ERROR_SUCCESS);
    Two = CreateEventA(NULL, TRUE, FALSE, "win32-objects-event");
    CHECK(Two && GetLastError() == ERROR_ALREADY_EXISTS);
    CHECK(SetEvent(One) && WaitForSingleObject(Two, 0) == WAIT_OBJECT_0);
    FAILS(CreateMutexA(NULL, FALSE, "win32-objects-event"), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(One) && CloseHandle(Two));
    FAILS(OpenEventA(EVENT_ALL_ACCESS, FALSE, "win32-objects-event"), ERROR_FILE_NOT_FOUND);
}

static void a_mutex_is_owned_again_and_released_as_often(void)
{
    HANDLE Mutex = CreateMutexA(NULL, TRUE, NULL);

    CHECK(Mutex && WaitForSingleObject(Mutex, 0) == WAIT_OBJECT_0 && ReleaseMutex(Mutex) &&
          ReleaseMutex(Mutex));
    FAILS(ReleaseMutex(Mutex), ERROR_NOT_OWNER);
    CHECK(CloseHandle(Mutex));
}

static DWORD WINAPI take_and_leave(LPVOID Mutex)
{
    return WaitForSingleObject(Mutex, INFINITE);
}

static HANDLE Held;

static DWORD WINAPI own_and_wait(LPVOID Others)
{
    WaitForSingleObject(Held, INFINITE);
    SetEvent(((HANDLE *)Others)[0]);
    WaitForSingleObject(((HANDLE *)Others)[1], INFINITE);
    return 0;
}

static void a_mutex_may_be_closed_while_another_thread_owns_it(void)
{
    HANDLE Others[] = {CreateEventA(NULL, TRUE, FALSE, NULL),
                       CreateEventA(NULL, TRUE, FALSE, NULL)};
    HANDLE Thread;

    Held = CreateMutexA(NULL, FALSE, NULL);
    Thread = CreateThread(NULL, 0, own_and_wait, Others, 0, NULL);
    CHECK(WaitForSingleObject(Others[0], INFINITE) == WAIT_OBJECT_0);
    CHECK(CloseHandle(Held) && SetEvent(Others[1]));
    CHECK(WaitForSingleObject(Thread, INFINITE) == WAIT_OBJECT_0);
    CHECK(CloseHandle(Thread) && CloseHandle(Others[0]) && CloseHandle(Others[1]));
}

static void a_mutex_of_a_thread_that_ended_is_abandoned(void)
{
    HANDLE Mutex = CreateMutexA(NULL, FALSE, NULL),
           Thread = CreateThread(NULL, 0, take_and_leave, Mutex, 0, NULL);

    CHECK(Thread && WaitForSingleObject(Thread, INFINITE) == WAIT_OBJECT_0);
    CHECK(WaitForSingleObject(Mutex, INFINITE) == WAIT_ABANDONED && ReleaseMutex(Mutex));
    CHECK(CloseHandle(Thread) && CloseHandle(Mutex));
}

static void a_semaphore_counts_to_its_limit(void)
{
    HANDLE Semaphore = CreateSemaphoreA(NULL, 1, 2, NULL);
    LONG Previous = -1;

    CHECK(ReleaseSemaphore(Semaphore, 1, &Previous) && Previous == 1);
    FAILS(ReleaseSemaphore(Semaphore, 1, NULL), ERROR_TOO_MANY_POSTS);
    CHECK(WaitForSingleObject(Semaphore, 0) == WAIT_OBJECT_0 &&
          WaitForSingleObject(Semaphore, 0) == WAIT_OBJECT_0);
    CHECK(WaitForSingleObject(Semaphore, 0) == WAIT_TIMEOUT && CloseHandle(Semaphore));
    FAILS(CreateSemaphoreA(NULL, 3, 2, NULL), ERROR_INVALID_PARAMETER);
}

static void a_wait_for_any_names_the_object(void)
{
    HANDLE Events[3];

    for (int i = 0; i < 3; i++)
        Events[i] = CreateEventA(NULL, FALSE, FALSE, NULL);
    SetEvent(Events[2]);
    CHECK(WaitForMultipleObjects(3, Events, FALSE, INFINITE) == WAIT_OBJECT_0 + 2);
    CHECK(WaitForMultipleObjects(3, Events, TRUE, 0) == WAIT_TIMEOUT);
    for (int i = 0; i < 3; i++)
        SetEvent(Events[i]);
    CHECK(WaitForMultipleObjects(3, Events, TRUE, INFINITE) == WAIT_OBJECT_0);
    CHECK(WaitForMultipleObjects(0, Events, FALSE, 0) == WAIT_FAILED &&
          GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(WaitForMultipleObjects(65, Events, FALSE, 0) == WAIT_FAILED &&
          GetLastError() == ERROR_INVALID_PARAMETER);
    for (int i = 0; i < 3; i++)
        CHECK(CloseHandle(Events[i]));
}

static void a_bad_handle_is_refused(void)
{
    CHECK(WaitForSingleObject((HANDLE)(ULONG_PTR)0x12344, 0) == WAIT_FAILED &&
          GetLastError() == ERROR_INVALID_HANDLE);
    FAILS(CloseHandle((HANDLE)(ULONG_PTR)0x12344), ERROR_INVALID_HANDLE);
    FAILS(CloseHandle(NULL), ERROR_INVALID_HANDLE);
    FAILS(SetEvent(GetCurrentProcess()), ERROR_INVALID_HANDLE);
}

static void a_duplicate_is_the_same_object_with_fewer_rights(void)
{
    HANDLE Event = CreateEventA(NULL, TRUE, FALSE, NULL), Other;

    CHECK(DuplicateHandle(GetCurrentProcess(), Event, GetCurrentProcess(), &Other, SYNCHRONIZE,
                          FALSE, 0));
    CHECK(SetEvent(Event) && WaitForSingleObject(Other, 0) == WAIT_OBJECT_0);
    FAILS(SetEvent(Other), ERROR_ACCESS_DENIED);
    CHECK(DuplicateHandle(GetCurrentProcess(), Event, GetCurrentProcess(), &Event, 0, FALSE,
                          DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    CHECK(CloseHandle(Event) && CloseHandle(Other));
}

static void a_protected_handle_cannot_be_closed(void)
{
    HANDLE Event = CreateEventA(NULL, TRUE, FALSE, NULL);
    DWORD Flags;

    CHECK(SetHandleInformation(Event, HANDLE_FLAG_PROTECT_FROM_CLOSE,
                               HANDLE_FLAG_PROTECT_FROM_CLOSE));
    CHECK(GetHandleInformation(Event, &Flags) && Flags == HANDLE_FLAG_PROTECT_FROM_CLOSE);
    CHECK(!CloseHandle(Event));
    CHECK(SetHandleInformation(Event, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0) && CloseHandle(Event));
}

static int Ran;

static void CALLBACK count_apc(ULONG_PTR Step)
{
    Ran += (int)Step;
}

static void an_apc_runs_in_an_alertable_wait(void)
{
    Ran = 0;
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 1) &&
          QueueUserAPC(count_apc, GetCurrentThread(), 10));
    CHECK(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION && Ran == 11);
    CHECK(SleepEx(0, TRUE) == 0);
}

static void a_timer_is_signalled_when_due(void)
{
    HANDLE Timer = CreateWaitableTimerW(NULL, TRUE, NULL);
    LARGE_INTEGER Due = {.QuadPart = -10000};

    CHECK(Timer && SetWaitableTimer(Timer, &Due, 0, NULL, NULL, FALSE));
    CHECK(WaitForSingleObject(Timer, INFINITE) == WAIT_OBJECT_0 && CancelWaitableTimer(Timer) &&
          CloseHandle(Timer));
}

static DWORD WINAPI wait_for_it(LPVOID Event)
{
    return WaitForSingleObject(Event, INFINITE);
}

static void a_timer_is_found_by_its_name(void)
{
    HANDLE Timer = CreateWaitableTimerA(NULL, TRUE, "win32-objects-timer"), Other;
    LARGE_INTEGER Now = {.QuadPart = -1};

    CHECK(Timer && (Other = OpenWaitableTimerA(TIMER_ALL_ACCESS, FALSE, "win32-objects-timer")));
    CHECK(SetWaitableTimer(Timer, &Now, 0, NULL, NULL, FALSE) &&
          WaitForSingleObject(Other, INFINITE) == WAIT_OBJECT_0);
    CHECK(CloseHandle(Timer) && CloseHandle(Other));
    FAILS(OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, L"win32-objects-timer"),
          ERROR_FILE_NOT_FOUND);
}

static volatile LONG Called, TimedOut;

static VOID CALLBACK note_call(PVOID Event, BOOLEAN Timeout)
{
    InterlockedIncrement(Timeout ? &TimedOut : &Called);
    SetEvent(Event);
}

static void a_registered_wait_calls_until_it_ends(void)
{
    HANDLE Object = CreateEventA(NULL, FALSE, FALSE, NULL), Wait,
           Seen = CreateEventA(NULL, FALSE, FALSE, NULL);

    CHECK(RegisterWaitForSingleObject(&Wait, Object, note_call, Seen, INFINITE, WT_EXECUTEDEFAULT));
    for (LONG i = 1; i <= 3; i++)
        CHECK(SetEvent(Object) && WaitForSingleObject(Seen, INFINITE) == WAIT_OBJECT_0 &&
              Called == i);
    CHECK(UnregisterWaitEx(Wait, INVALID_HANDLE_VALUE) && SetEvent(Object) &&
          WaitForSingleObject(Object, INFINITE) == WAIT_OBJECT_0 && Called == 3);
    CHECK(RegisterWaitForSingleObject(&Wait, Object, note_call, Seen, 1, WT_EXECUTEONLYONCE) &&
          WaitForSingleObject(Seen, INFINITE) == WAIT_OBJECT_0);
    CHECK(UnregisterWaitEx(Wait, INVALID_HANDLE_VALUE) && TimedOut == 1 && Called == 3);
    FAILS(UnregisterWait(NULL), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(Object) && CloseHandle(Seen));
}

static void a_heap_goes_with_its_blocks(void)
{
    HANDLE Heap = HeapCreate(0, 0, 0), Small = HeapCreate(HEAP_ZERO_MEMORY, 100, 1000);
    char *Block, *More;

    CHECK(Heap && Small && (Block = HeapAlloc(Heap, HEAP_ZERO_MEMORY, 100)) && !Block[99]);
    CHECK(HeapSize(Heap, 0, Block) == 100 && HeapValidate(Heap, 0, Block) &&
          !HeapValidate(Small, 0, Block));
    Block[99] = 'x';
    CHECK((More = HeapReAlloc(Heap, HEAP_ZERO_MEMORY, Block, 5000)) && More[99] == 'x');
    CHECK(!HeapReAlloc(Heap, HEAP_REALLOC_IN_PLACE_ONLY, More, 9000));
    FAILS(HeapFree(Small, 0, More), ERROR_INVALID_PARAMETER);
    CHECK(HeapFree(Heap, 0, More) && HeapFree(Heap, 0, NULL) && HeapAlloc(Heap, 0, 10));
    CHECK((Block = HeapAlloc(Small, 0, 900)) && !HeapAlloc(Small, 0, 200) &&
          HeapFree(Small, 0, Block) && HeapAlloc(Small, 0, 200));
    CHECK(HeapDestroy(Heap) && HeapDestroy(Small));
    FAILS(HeapCreate(0, 2, 1), ERROR_INVALID_PARAMETER);
}

static LONG CALLBACK go_on(PEXCEPTION_POINTERS Pointers)
{
    TimedOut = (LONG)Pointers->ExceptionRecord->ExceptionInformation[0];
    return Pointers->ExceptionRecord->ExceptionCode == 0xE0000001 ? EXCEPTION_CONTINUE_EXECUTION
                                                                  : EXCEPTION_CONTINUE_SEARCH;
}

static void a_raised_exception_is_for_the_filter(void)
{
    ULONG_PTR Argument = 77;

    SetUnhandledExceptionFilter(go_on);
    RaiseException(0xE0000001, 0, 1, &Argument);
    SetUnhandledExceptionFilter(NULL);
    CHECK(TimedOut == 77);
}

static void a_thread_can_be_ended_by_another(void)
{
    HANDLE Never = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE Thread = CreateThread(NULL, 0, wait_for_it, Never, 0, NULL);
    DWORD Code = 0;

    CHECK(Thread && GetExitCodeThread(Thread, &Code) && Code == STILL_ACTIVE);
    CHECK(TerminateThread(Thread, 77) && WaitForSingleObject(Thread, INFINITE) == WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(Thread, &Code) && Code == 77 && CloseHandle(Thread) &&
          CloseHandle(Never));
}

static void two_views_of_a_mapping_are_the_same_memory(void)
{
    HANDLE Section =
        CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x20000, NULL);
    char *One = MapViewOfFile(Section, FILE_MAP_WRITE, 0, 0, 0),
         *Two = MapViewOfFile(Section, FILE_MAP_READ, 0, 0x10000, 0x1000);

    CHECK(One && Two && One != Two && One[0] == 0);
    strcpy(One + 0x10000, "shared");
    CHECK(!strcmp(Two, "shared"));
    CHECK(UnmapViewOfFile(One) && UnmapViewOfFile(Two) && CloseHandle(Section));
    FAILS(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0, NULL),
          ERROR_INVALID_PARAMETER);
    FAILS(UnmapViewOfFile(One), ERROR_INVALID_ADDRESS);
}

static void memory_is_allocated_protected_and_freed(void)
{
    MEMORY_BASIC_INFORMATION Info;
    char *Memory = VirtualAlloc(NULL, 0x3000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD Old;

    CHECK(Memory && !Memory[0x2fff]);
    Memory[5] = 5;
    CHECK(VirtualQuery(Memory, &Info, sizeof(Info)) == sizeof(Info) && Info.State == MEM_COMMIT &&
          Info.RegionSize == 0x3000);
    CHECK(VirtualProtect(Memory, 0x1000, PAGE_READONLY, &Old) && Old == PAGE_READWRITE &&
          Memory[5] == 5);
    CHECK(VirtualFree(Memory, 0, MEM_RELEASE));
    FAILS(VirtualFree(Memory, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS);
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {
        TEST(an_event_is_set_and_reset),
        TEST(an_auto_reset_event_lets_one_through),
        TEST(a_name_that_exists_says_so),
        TEST(a_mutex_is_owned_again_and_released_as_often),
        TEST(a_mutex_of_a_thread_that_ended_is_abandoned),
        TEST(a_mutex_may_be_closed_while_another_thread_owns_it),
        TEST(a_semaphore_counts_to_its_limit),
        TEST(a_wait_for_any_names_the_object),
        TEST(a_bad_handle_is_refused),
        TEST(a_duplicate_is_the_same_object_with_fewer_rights),
        TEST(a_protected_handle_cannot_be_closed),
        TEST(an_apc_runs_in_an_alertable_wait),
        TEST(a_timer_is_signalled_when_due),
        TEST(a_timer_is_found_by_its_name),
        TEST(a_registered_wait_calls_until_it_ends),
        TEST(a_heap_goes_with_its_blocks),
        TEST(a_raised_exception_is_for_the_filter),
        TEST(a_thread_can_be_ended_by_another),
        TEST(two_views_of_a_mapping_are_the_same_memory),
        TEST(memory_is_allocated_protected_and_freed),
        {0}};
    return tap_run(Tests);
}
